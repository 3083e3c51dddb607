//! One file put in its place in one step.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
};

use camino::{Utf8Path, Utf8PathBuf};

/// Writes a file beside its place and renames it: who opens it sees the old content or the new one, whole. What could not be
/// finished goes. A pipe or device is written into.
///
/// * `mode`: of the file, less what the user's mask takes.
///
/// # Errors
/// What the system says; the old content is then in its place.
pub fn replace(path: &Utf8Path, content: &str, mode: u32) -> io::Result<()> {
    replace_if(path, content, mode, || true)
}

/// The same, where `still` is true when all is written: nothing is between that and the rename. A folder that is exchanged for another
/// after that takes with it what was written beside, so that the rename fails.
///
/// * `mode`: of the file, less what the user's mask takes.
///
/// # Errors
/// What the system says; the old content is then in its place.
pub fn replace_if(path: &Utf8Path, content: &str, mode: u32, still: impl FnOnce() -> bool) -> io::Result<()> {
    if is_stream(path) {
        return OpenOptions::new().write(true).open(path)?.write_all(content.as_bytes());
    }
    let beside = beside(path);
    let written = create(&beside, mode).and_then(|mut file| file.write_all(content.as_bytes()));
    let allowed = written.and_then(|()| if still() { Ok(()) } else { Err(io::Error::other("has been replaced")) });
    let done = allowed.and_then(|()| fs::rename(&beside, path));
    done.inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

/// Looks whether [`replace`] could begin: what it does first is done, and undone.
///
/// # Errors
/// What the system says.
pub fn can_replace(path: &Utf8Path) -> io::Result<()> {
    if is_stream(path) {
        return Ok(());
    }
    if path.is_dir() {
        return Err(io::Error::other("is a folder"));
    }
    let beside = beside(path);
    create(&beside, 0o600)?;
    fs::remove_file(&beside)
}

/// Whether something else than a file or folder stands at a path: `/dev/null`, a pipe.
fn is_stream(path: &Utf8Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

fn beside(path: &Utf8Path) -> Utf8PathBuf {
    let name = path.file_name().unwrap_or_default();
    path.with_file_name(format!(".{name}-{}", std::process::id()))
}

fn create(beside: &Utf8Path, mode: u32) -> io::Result<File> {
    // A killed process of the same number may have left one; whatever stands there is not written through.
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(beside)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_what_a_killed_process_left_is_not_written_through() {
        let guard = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(guard.path()).unwrap();
        let (path, precious) = (folder.join("page.html"), folder.join("precious"));
        fs::write(&precious, "precious").unwrap();
        symlink(&precious, folder.join(format!(".page.html-{}", std::process::id()))).unwrap();
        assert!(can_replace(&path).is_ok() && can_replace(&folder.join("absent/page.html")).is_err());
        for content in ["old", "new"] {
            replace(&path, content, 0o600).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        assert!(replace_if(&path, "newer", 0o600, || false).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        let null = Utf8Path::new("/dev/null");
        assert!(can_replace(null).is_ok() && replace(null, "nothing", 0o600).is_ok() && is_stream(null));
        // A folder cannot be replaced by a file, and nothing stays beside it.
        fs::create_dir(folder.join("taken")).unwrap();
        assert!(can_replace(&folder.join("taken")).is_err());
        assert!(replace(&folder.join("taken"), "new", 0o600).is_err());
        assert_eq!(fs::read_dir(folder).unwrap().count(), 3);
    }
}
