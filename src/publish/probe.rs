//! What the file system of a folder can do for outputs, tried out in a folder of its own that is removed again.

use std::{fs, io};

use camino::Utf8Path;

use super::{PublishError, lock::Lock, swap};

/// What was found.
#[derive(Debug)]
pub struct Probe {
    /// Whether a folder and a file can be made.
    pub writable: io::Result<()>,
    /// Whether a file can be locked.
    pub locks: io::Result<()>,
    /// Whether two folders can be exchanged in one step.
    pub exchanges: io::Result<bool>,
}

/// Tries out a folder.
#[must_use]
pub fn probe(folder: &Utf8Path) -> Probe {
    let place = folder.join(format!(".staging-probe-{}", std::process::id()));
    let (live, staged) = (place.join("live"), place.join("staged"));
    let made = fs::create_dir(&place).and_then(|()| fs::create_dir(&live)).and_then(|()| fs::create_dir(&staged));
    let writable = made.and_then(|()| fs::write(staged.join("file"), "probe")).and_then(|()| swap::sync(&staged));
    let locks = match Lock::take(place.join("lock")) {
        Ok(_) => Ok(()),
        Err(PublishError::Io { source, .. }) => Err(source),
        Err(error) => Err(io::Error::other(error.to_string())),
    };
    let exchanges = swap::swap(&staged, &live).map(|old| old.as_ref() == Some(&staged));
    // The probe's own folder: a rest would be litter, and the next run removes it.
    let _ = fs::remove_dir_all(&place);
    Probe { writable, locks, exchanges }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_leaves_nothing_behind() {
        let guard = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(guard.path()).unwrap();
        let found = probe(folder);
        assert!(found.writable.is_ok() && found.locks.is_ok() && found.exchanges.is_ok(), "{found:?}");
        assert_eq!(folder.read_dir_utf8().unwrap().count(), 0);
        assert!(probe(&folder.join("absent")).writable.is_err());
    }
}
