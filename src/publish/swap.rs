//! The one step that readers see: a staged folder takes the place of the live one.
//!
//! Where the file system can exchange two names (Linux: `renameat2` with `RENAME_EXCHANGE`; ext4, xfs, btrfs, tmpfs), that is
//! the step: a reader finds the old folder or the new one, never none. Elsewhere it is two renames: a reader may meet a moment
//! without the folder, and nothing is lost. A journal beside them tells the next run how far a killed one came, and what is
//! left of it: what was staged, or the version that it has replaced.

use std::{fs, io, os::unix::fs::MetadataExt};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use serde::{Deserialize, Serialize};

use super::fault;

/// What is about to be exchanged, on the disk before the first rename, so that the next run can tell how far a killed one came.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Journal {
    /// The folder that is to be put in place.
    staged: String,
    /// Its number in the file system, by which it is known under any name.
    inode: u64,
    /// Old versions that are to be kept.
    pub(super) keep: usize,
}

impl Journal {
    /// Says in a file that does not exist, in the same folder, what is about to happen.
    pub(super) fn write(path: &Utf8Path, staged: &Utf8Path, keep: usize) -> io::Result<()> {
        let journal = Self { staged: staged.to_string(), inode: fs::metadata(staged)?.ino(), keep };
        fault::at("journal")?;
        fs::write(path, serde_json::to_vec(&journal)?)?;
        sync(path)?;
        sync_parent(path)
    }
}

/// Puts `staged` in the place of `live`, or leaves both as they are; the folder where the old version now is, when there was
/// one.
///
/// The journal is written before, and removed when the old version is out of the way.
pub(super) fn swap(staged: &Utf8Path, live: &Utf8Path) -> io::Result<Option<Utf8PathBuf>> {
    let rename = |flags| renameat_with(CWD, staged.as_std_path(), CWD, live.as_std_path(), flags);
    if live.exists() {
        match rename(RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(Some(staged.to_owned())),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return by_renames(staged, live),
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
pub(super) fn set_aside(staged: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{staged}.old"))
}

/// Two renames; where the second fails the first is taken back.
fn by_renames(staged: &Utf8Path, live: &Utf8Path) -> io::Result<Option<Utf8PathBuf>> {
    let old = set_aside(staged);
    fs::rename(live, &old)?;
    fault::at("between_renames").and_then(|()| fs::rename(staged, live)).inspect_err(|_| {
        // Where this fails too, the journal stays, and the next run does it.
        let _ = fs::rename(&old, live);
    })?;
    Ok(Some(old))
}

/// How far a killed run came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Readers saw nothing of it.
    Nowhere,
    /// It was cut off between two renames, and has now been put in place.
    Between,
    /// It was in place; the old version, where there was one, and how many such are to be kept.
    There(Option<Utf8PathBuf>, usize),
}

/// Ends what a killed run began. With a journal and an old version set aside but no live one, the staged one is complete and takes
/// its place; where the live one is the folder that the journal tells of, what is left of the run is the old version.
///
/// The journal stays until the old version is out of the way.
pub(super) fn recover(live: &Utf8Path, journal: &Utf8Path) -> io::Result<Came> {
    let text = match fs::read(journal) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Came::Nowhere),
        Err(error) => return Err(error),
    };
    // One that is cut short was never followed by a rename.
    let Ok(Journal { staged, inode, keep }) = serde_json::from_slice(&text) else { return Ok(Came::Nowhere) };
    let staged = Utf8PathBuf::from(staged);
    // A journal names a folder beside it, or it is none of ours.
    let beside =
        staged.parent() == live.parent() && staged.file_name().is_some_and(|name| name.starts_with(".staging-"));
    let old = set_aside(&staged);
    if !beside {
        return Ok(Came::Nowhere);
    }
    if !live.exists() && old.is_dir() {
        fs::rename(if staged.is_dir() { &staged } else { &old }, live)?;
        sync_parent(live)?;
        let new = fs::metadata(live)?.ino() == inode;
        return Ok(if new { Came::Between } else { Came::Nowhere });
    }
    if fs::metadata(live).is_ok_and(|live| live.ino() == inode) {
        return Ok(Came::There([old, staged].into_iter().find(|folder| folder.is_dir()), keep));
    }
    Ok(Came::Nowhere)
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
        let Scene { staged, live, _guard, .. } = scene();
        assert_eq!(swap(&staged, &live).unwrap(), Some(staged.clone()));
        assert_eq!((version(&live), version(&staged)), ("new".to_owned(), "old".to_owned()));
    }

    #[test]
    fn a_first_version_replaces_nothing() {
        let Scene { staged, live, _guard, .. } = scene();
        fs::remove_dir_all(&live).unwrap();
        assert_eq!(swap(&staged, &live).unwrap(), None);
        assert_eq!(version(&live), "new");
    }

    #[test]
    fn two_renames_do_what_an_exchange_does() {
        let Scene { staged, live, _guard, .. } = scene();
        let old = by_renames(&staged, &live).unwrap().unwrap();
        assert_eq!((version(&live), version(&old)), ("new".to_owned(), "old".to_owned()));
        assert!(!staged.exists());
    }

    #[test]
    fn where_the_second_rename_fails_the_first_is_taken_back() {
        let Scene { staged, live, _guard, .. } = scene();
        fs::remove_dir_all(&staged).unwrap();
        assert!(by_renames(&staged, &live).is_err());
        assert_eq!(version(&live), "old");
        assert!(!set_aside(&staged).exists());
    }

    /// Every state in which a commit can be cut off, the version that readers find after the next run has begun, and where it
    /// finds the old one to keep.
    #[test]
    fn a_journal_tells_how_far_a_killed_run_came() {
        let cut_off = |by: &dyn Fn(&Utf8Path, &Utf8Path), expected: &str| {
            let Scene { staged, live, journal, _guard } = scene();
            Journal::write(&journal, &staged, 2).unwrap();
            by(&staged, &live);
            let came = recover(&live, &journal).unwrap();
            assert_eq!(version(&live), expected);
            match came {
                Came::There(Some(old), keep) => {
                    assert_eq!((version(&old), keep), ("old".to_owned(), 2));
                    "there"
                }
                Came::There(None, _) => "first",
                Came::Between => "between",
                Came::Nowhere => "nowhere",
            }
        };
        let rename = |from: &Utf8Path, to: &Utf8Path| fs::rename(from, to).unwrap();
        assert_eq!(cut_off(&|_, _| {}, "old"), "nowhere");
        assert_eq!(cut_off(&|staged, live| drop(swap(staged, live).unwrap()), "new"), "there");
        assert_eq!(cut_off(&|staged, live| rename(live, &set_aside(staged)), "new"), "between");
        assert_eq!(cut_off(&|staged, live| drop(by_renames(staged, live).unwrap()), "new"), "there");
        let first = |staged: &Utf8Path, live: &Utf8Path| {
            fs::remove_dir_all(live).unwrap();
            rename(staged, live);
        };
        assert_eq!(cut_off(&first, "new"), "first");
        // A folder that could not be put back: the old version is.
        let lost = |staged: &Utf8Path, live: &Utf8Path| {
            rename(live, &set_aside(staged));
            fs::remove_dir_all(staged).unwrap();
        };
        assert_eq!(cut_off(&lost, "old"), "nowhere");
    }

    #[test]
    fn a_journal_that_names_another_place_or_is_cut_short_moves_nothing() {
        let Scene { staged, live, journal, _guard } = scene();
        fs::remove_dir_all(&live).unwrap();
        let foreign = staged.join("v");
        for text in [format!(r#"{{"staged": "{foreign}", "inode": 1, "keep": 0}}"#), r#"{"staged": "#.to_owned()] {
            fs::write(&journal, text).unwrap();
            assert_eq!(recover(&live, &journal).unwrap(), Came::Nowhere);
            assert!(foreign.exists() && !live.exists());
        }
    }
}
