//! One run at a time on one output: a lock file beside the folder, held by the operating system.
//!
//! The lock is `flock`'s: it ends with the process that holds it, however that ends. What a killed run leaves is a file
//! with its process number, which tells the next one what to clear away.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::OFlags;

use super::{PublishError, io};

/// The lock of one output, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: Utf8PathBuf,
    file: File,
    /// Process of an earlier run that ended without giving the lock back.
    pub(super) interrupted: Option<u32>,
}

/// Times that the file may be taken away under our hands by runs that end.
const ATTEMPTS: u32 = 100;

impl Lock {
    /// Takes the lock at `path`.
    ///
    /// # Errors
    /// [`PublishError::Locked`] when another run holds it, [`PublishError::Link`] when a link was put in its place,
    /// [`PublishError::Io`].
    pub(super) fn take(path: Utf8PathBuf) -> Result<Self, PublishError> {
        for _ in 0..ATTEMPTS {
            let mut file = open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(PublishError::Locked { process: holder(&mut file), path }),
                Err(TryLockError::Error(source)) => return Err(io(&path)(source)),
            }
            // The run that held it may have removed the file after we opened it: then the name is another file's.
            if !is_at(&file, &path) {
                continue;
            }
            let interrupted = holder(&mut file);
            // From here on a failure takes the file with it.
            let mut lock = Self { path, file, interrupted };
            let own = std::process::id().to_string();
            let written = lock
                .file
                .set_len(0)
                .and_then(|()| lock.file.rewind())
                .and_then(|()| lock.file.write_all(own.as_bytes()));
            written.map_err(io(&lock.path))?;
            return Ok(lock);
        }
        Err(PublishError::Locked { path, process: None })
    }

    /// Whether another run holds the lock at `path` now; nothing is taken or written.
    ///
    /// # Errors
    /// [`PublishError::Locked`].
    pub(super) fn refuse_held(path: &Utf8Path) -> Result<(), PublishError> {
        // What cannot be opened is told when the lock is taken.
        let Ok(mut file) = File::open(path) else { return Ok(()) };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                Err(PublishError::Locked { process: holder(&mut file), path: path.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// The lock file.
    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is held: who opens it meanwhile sees that the name is gone, and opens it anew.
        if is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open(path: &Utf8Path) -> Result<File, PublishError> {
    if path.is_symlink() {
        return Err(PublishError::Link { path: path.to_owned() });
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits() as i32)
        .open(path)
        .map_err(io(path))
}

/// The process whose number is in the file.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Whether the name still stands for the open file.
fn is_at(file: &File, path: &Utf8Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let guard = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(guard.path().join(".lock-out")).unwrap();
        (guard, path)
    }

    #[test]
    fn a_lock_is_held_once_and_names_its_process() {
        let (_guard, path) = scratch();
        let lock = Lock::take(path.clone()).unwrap();
        let refused = Lock::take(path.clone()).unwrap_err();
        let own = std::process::id();
        assert!(matches!(refused, PublishError::Locked { process: Some(process), .. } if process == own));
        assert!(
            matches!(Lock::refuse_held(&path), Err(PublishError::Locked { process: Some(process), .. }) if process == own)
        );
        drop(lock);
        assert!(!path.exists() && Lock::refuse_held(&path).is_ok() && !path.exists());
        assert_eq!(Lock::take(path).unwrap().interrupted, None);
    }

    #[test]
    fn what_a_killed_run_left_is_told_and_taken_over() {
        let (_guard, path) = scratch();
        fs::write(&path, "4711").unwrap();
        assert_eq!(Lock::take(path).unwrap().interrupted, Some(4711));
    }

    #[test]
    fn a_link_in_place_of_the_lock_is_refused_and_its_target_left_alone() {
        let (guard, path) = scratch();
        let target = guard.path().join("mine");
        fs::write(&target, "keep").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(matches!(Lock::take(path), Err(PublishError::Link { .. })));
        assert_eq!(fs::read_to_string(target).unwrap(), "keep");
    }
}
