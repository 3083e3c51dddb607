//! A private folder for what is fetched and what is to be uploaded. It goes when its owner does, after failures and signals as
//! well; what a killed run left is cleared away by the next one beside it.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{StoreError, spool_error};
use crate::schema::location::SPOOL_PREFIX;

/// Mode of the folder: what is in it is the ledger.
const MODE: u32 = 0o700;

/// The file whose lock says that the owner lives.
const LOCK: &str = ".lock";

/// The spools of this process, so that a signal can clear them away.
static OPEN: Mutex<Vec<Utf8PathBuf>> = Mutex::new(Vec::new());

/// A spool folder. Dropped, it takes its files with it.
#[derive(Debug)]
pub struct Spool {
    folder: Utf8PathBuf,
    _lock: File,
}

impl Spool {
    /// Clears away what killed runs of this name have left in `parent`, and makes a fresh folder there.
    ///
    /// # Errors
    /// [`StoreError::Spool`].
    pub fn new(parent: &Utf8Path, name: &str) -> Result<Self, StoreError> {
        let folder = parent.join(format!("{SPOOL_PREFIX}{name}-{}", std::process::id()));
        let failed = || spool_error(&folder);
        fs::create_dir_all(parent).map_err(failed())?;
        for rest in left(parent, name).map_err(failed())? {
            fs::remove_dir_all(&rest).map_err(spool_error(&rest))?;
        }
        fs::DirBuilder::new().mode(MODE).create(&folder).map_err(failed())?;
        open().push(folder.clone());
        let lock = lock(&folder).inspect_err(|_| remove(&folder)).map_err(failed())?;
        Ok(Self { folder, _lock: lock })
    }

    /// Whether so many bytes can be kept here.
    ///
    /// # Errors
    /// [`StoreError::Room`].
    pub fn has_room(&self, bytes: u64) -> Result<(), StoreError> {
        // A file system that does not tell is found out by writing.
        let Ok(told) = rustix::fs::statvfs(self.folder.as_std_path()) else { return Ok(()) };
        let free = told.f_bavail.saturating_mul(told.f_frsize);
        if bytes <= free {
            return Ok(());
        }
        let folder = self.folder.parent().unwrap_or(&self.folder).to_owned();
        Err(StoreError::Room { folder, needed: bytes.div_ceil(1 << 20), free: free >> 20 })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.folder
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        open().retain(|folder| *folder != self.folder);
        remove(&self.folder);
    }
}

/// Removes the spools of this process, when a signal ends it: other threads may still be writing.
pub fn abandon() {
    for folder in open().drain(..) {
        remove(&folder);
    }
}

fn remove(folder: &Utf8Path) {
    // Under another name first: who still writes by the old one fails, instead of filling the folder again.
    let aside = Utf8PathBuf::from(format!("{folder}.old"));
    let folder = if fs::rename(folder, &aside).is_ok() { &aside } else { folder };
    let _ = fs::remove_dir_all(folder);
}

/// Spools of this name that nobody holds.
///
/// # Errors
/// When the folder cannot be read.
pub fn left(parent: &Utf8Path, name: &str) -> std::io::Result<Vec<Utf8PathBuf>> {
    let prefix = format!("{SPOOL_PREFIX}{name}-");
    let mut found = Vec::new();
    for entry in parent.read_dir_utf8()? {
        let entry = entry?;
        let Some(rest) = entry.file_name().strip_prefix(&prefix) else { continue };
        let process = rest.strip_suffix(".old").unwrap_or(rest);
        let ours = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
        if ours && entry.file_type()?.is_dir() && is_free(entry.path(), process) {
            found.push(entry.into_path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Whether the owner of a spool has ended.
fn is_free(folder: &Utf8Path, process: &str) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(file) => file.try_lock().is_ok(),
        // One that is just being made has no lock yet.
        Err(_) => !Path::new("/proc").join(process).exists(),
    }
}

fn lock(folder: &Utf8Path) -> std::io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(LOCK))?;
    file.try_lock()?;
    Ok(file)
}

fn open() -> MutexGuard<'static, Vec<Utf8PathBuf>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_spool_is_private_goes_with_its_owner_and_clears_away_what_killed_runs_left() {
        let guard = tempfile::tempdir().unwrap();
        let parent = Utf8Path::from_path(guard.path()).unwrap();
        let names = || {
            let mut names: Vec<String> =
                parent.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
            names.sort();
            names
        };
        // Of a process that has ended; of one that holds its lock; of another output.
        for name in ["results-999999999", "results-1", "other-999999999"] {
            fs::create_dir(parent.join(format!("{SPOOL_PREFIX}{name}"))).unwrap();
        }
        let held = lock(&parent.join(".spool-results-1")).unwrap();
        let spool = Spool::new(parent, "results").unwrap();
        assert_eq!(fs::metadata(spool.path()).unwrap().permissions().mode() & 0o777, MODE);
        fs::write(spool.path().join("x"), "secret").unwrap();
        spool.has_room(1).unwrap();
        let full = spool.has_room(u64::MAX).unwrap_err().to_string();
        assert!(
            full.starts_with(&format!("{parent}: the inputs in object stores need 17592186044416 MiB, and ")),
            "{full}"
        );
        assert!(!names().contains(&".spool-results-999999999".to_owned()));
        assert!(left(parent, "results").unwrap().is_empty(), "its own lock is held");
        drop(spool);
        assert_eq!(names(), [".spool-other-999999999", ".spool-results-1"]);
        drop(held);
        assert_eq!(left(parent, "results").unwrap(), [parent.join(".spool-results-1")]);
    }
}
