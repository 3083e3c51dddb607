//! The one step that readers see: a staged folder takes the place of the live one.
//!
//! Where the file system can exchange two names (Linux: `renameat2` with `RENAME_EXCHANGE`; ext4, xfs, btrfs, tmpfs), that is
//! the step: a reader finds the old folder or the new one, never none. Elsewhere it is two renames with a journal beside
//! them, which the next run rolls forward: a reader may meet a moment without the folder, and nothing is
//! lost.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use super::fault;

/// Puts `staged` in the place of `live`; the folder where the old version now is, when there was one.
///
/// * `journal`: a file that does not exist, in the same folder.
pub(super) fn swap(staged: &Utf8Path, live: &Utf8Path, journal: &Utf8Path) -> io::Result<Option<Utf8PathBuf>> {
    let rename = |flags| renameat_with(CWD, staged.as_std_path(), CWD, live.as_std_path(), flags);
    if live.exists() {
        match rename(RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(Some(staged.to_owned())),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return by_renames(staged, live, journal),
            Err(error) => return Err(error.into()),
        }
    }
    match rename(RenameFlags::NOREPLACE) {
        Ok(()) => Ok(None),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(staged, live).map(|()| None),
        Err(error) => Err(error.into()),
    }
}

/// Where the old version stands between the two renames.
fn set_aside(staged: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{staged}.old"))
}

/// Two renames, after the journal that says so is on the disk.
fn by_renames(staged: &Utf8Path, live: &Utf8Path, journal: &Utf8Path) -> io::Result<Option<Utf8PathBuf>> {
    let old = set_aside(staged);
    fs::write(journal, staged.as_str())?;
    sync(journal)?;
    sync_parent(journal)?;
    fs::rename(live, &old)?;
    fault::at("between_renames")?;
    fs::rename(staged, live)?;
    sync_parent(live)?;
    fs::remove_file(journal)?;
    Ok(Some(old))
}

/// Ends what a killed run began: with a journal and a staged folder but no live one, the staged one is complete and
/// takes its place. Whether anything was done.
pub(super) fn recover(live: &Utf8Path, journal: &Utf8Path) -> io::Result<bool> {
    let staged = match fs::read_to_string(journal) {
        Ok(staged) => Utf8PathBuf::from(staged),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // A journal names a folder beside it, or it is none of ours.
    let beside =
        staged.parent() == live.parent() && staged.file_name().is_some_and(|name| name.starts_with(".staging-"));
    let old = set_aside(&staged);
    let mended = beside && !live.exists() && (staged.is_dir() || old.is_dir());
    if mended {
        fs::rename(if staged.is_dir() { &staged } else { &old }, live)?;
        sync_parent(live)?;
    }
    fs::remove_file(journal)?;
    Ok(mended)
}

/// Waits until a file or folder is on the disk.
pub(super) fn sync(path: &Utf8Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// Waits until the names in a file's folder are on the disk.
pub(super) fn sync_parent(path: &Utf8Path) -> io::Result<()> {
    sync(path.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        _guard: tempfile::TempDir,
        staged: Utf8PathBuf,
        live: Utf8PathBuf,
        journal: Utf8PathBuf,
    }

    /// A live folder with file `v` holding `old`, a staged one with `new`.
    fn scene() -> Scene {
        let guard = tempfile::tempdir().unwrap();
        let base = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
        let (staged, live) = (base.join(".staging-out-1"), base.join("out"));
        for (folder, content) in [(&staged, "new"), (&live, "old")] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("v"), content).unwrap();
        }
        Scene { journal: base.join(".swap-out"), _guard: guard, staged, live }
    }

    fn version(folder: &Utf8Path) -> String {
        fs::read_to_string(folder.join("v")).unwrap()
    }

    #[test]
    fn an_exchange_leaves_the_old_version_where_the_new_one_was() {
        let Scene { staged, live, journal, _guard } = scene();
        assert_eq!(swap(&staged, &live, &journal).unwrap(), Some(staged.clone()));
        assert_eq!((version(&live), version(&staged)), ("new".to_owned(), "old".to_owned()));
        assert!(!journal.exists());
    }

    #[test]
    fn a_first_version_replaces_nothing() {
        let Scene { staged, live, journal, _guard } = scene();
        fs::remove_dir_all(&live).unwrap();
        assert_eq!(swap(&staged, &live, &journal).unwrap(), None);
        assert_eq!(version(&live), "new");
    }

    #[test]
    fn two_renames_do_what_an_exchange_does() {
        let Scene { staged, live, journal, _guard } = scene();
        let old = by_renames(&staged, &live, &journal).unwrap().unwrap();
        assert_eq!((version(&live), version(&old)), ("new".to_owned(), "old".to_owned()));
        assert!(!journal.exists() && !staged.exists());
    }

    /// Every state in which two renames can be cut off, and the version that readers find after the next run has begun.
    #[test]
    fn a_journal_is_rolled_forward_or_dropped() {
        let states: [(&str, bool, bool, &str); 4] = [
            ("before the first rename", false, false, "old"),
            ("between them", true, false, "new"),
            ("after the second", true, true, "new"),
            ("after an exchange of a later run", false, true, "old"),
        ];
        for (state, aside, moved, expected) in states {
            let Scene { staged, live, journal, _guard } = scene();
            fs::write(&journal, staged.as_str()).unwrap();
            if aside {
                fs::rename(&live, set_aside(&staged)).unwrap();
            }
            if aside && moved {
                fs::rename(&staged, &live).unwrap();
            } else if moved {
                fs::remove_dir_all(&staged).unwrap();
            }
            assert_eq!(recover(&live, &journal).unwrap(), aside && !moved, "{state}");
            assert_eq!(version(&live), expected, "{state}");
            assert!(!journal.exists(), "{state}");
        }
    }

    #[test]
    fn a_journal_that_names_another_place_moves_nothing() {
        let Scene { staged, live, journal, _guard } = scene();
        fs::remove_dir_all(&live).unwrap();
        let foreign = staged.join("v");
        fs::write(&journal, foreign.as_str()).unwrap();
        assert!(!recover(&live, &journal).unwrap());
        assert!(foreign.exists() && !live.exists());
    }
}
