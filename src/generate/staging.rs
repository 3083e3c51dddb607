//! The hidden folder in which a company is written before it is moved into place.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::error::{GenerateError, io};

/// Name of the hidden folder.
const NAME: &str = ".whalecurve-generate";
/// What is moved last: who finds it finds everything.
const LAST: &str = "whalecurve.yaml";

/// Removes what it holds unless it is published.
pub(super) struct Staging {
    dir: Utf8PathBuf,
    path: Utf8PathBuf,
    published: bool,
}

impl Staging {
    /// Makes `dir` if need be, and the hidden folder in it.
    pub(super) fn new(dir: &Utf8Path) -> Result<Self, GenerateError> {
        fs::create_dir_all(dir).map_err(io(dir))?;
        if let Some(entry) = entries(dir)?.into_iter().next() {
            return Err(GenerateError::NotEmpty { dir: dir.to_owned(), entry });
        }
        let path = dir.join(NAME);
        fs::create_dir(&path).map_err(io(&path))?;
        Ok(Self { dir: dir.to_owned(), path, published: false })
    }

    /// Where to write.
    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Moves everything into place; what cannot be moved takes everything back.
    pub(super) fn publish(mut self) -> Result<(), GenerateError> {
        let mut names = entries(&self.path)?;
        names.sort_by_key(|name| name == LAST);
        for (position, name) in names.iter().enumerate() {
            let target = self.dir.join(name);
            if let Err(error) = fs::rename(self.path.join(name), &target) {
                for moved in &names[..position] {
                    // The error above is the one to report.
                    let _ = fs::rename(self.dir.join(moved), self.path.join(moved));
                }
                return Err(io(target)(error));
            }
        }
        self.published = true;
        fs::remove_dir(&self.path).map_err(io(&self.path))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.published {
            // The error that led here is the one to report; what cannot be removed is named by the next attempt.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Names in a folder, sorted.
fn entries(dir: &Utf8Path) -> Result<Vec<String>, GenerateError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(io(dir))? {
        names.push(entry.map_err(io(dir))?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let guard = tempfile::tempdir().unwrap();
        let dir = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
        (guard, dir)
    }

    #[test]
    fn a_folder_that_holds_anything_is_refused_and_left_alone() {
        let (_guard, dir) = scratch();
        fs::write(dir.join("mine.txt"), "keep").unwrap();
        let refused = Staging::new(&dir).err().unwrap();
        assert_eq!(refused.to_string(), format!("{dir}: the folder is not empty (it holds `mine.txt`)"));
        assert_eq!(entries(&dir).unwrap(), ["mine.txt"]);
    }

    #[test]
    fn nothing_is_left_of_what_is_not_published() {
        let (_guard, dir) = scratch();
        let staging = Staging::new(&dir).unwrap();
        fs::write(staging.path().join("half"), "done").unwrap();
        drop(staging);
        assert!(entries(&dir).unwrap().is_empty());
    }

    #[test]
    fn what_is_published_stands_in_the_folder_itself() {
        let (_guard, dir) = scratch();
        let staging = Staging::new(&dir).unwrap();
        fs::create_dir(staging.path().join("truth")).unwrap();
        fs::write(staging.path().join(LAST), "version: 1").unwrap();
        staging.publish().unwrap();
        assert_eq!(entries(&dir).unwrap(), ["truth", LAST]);
    }
}
