//! Staging: everything is written into a hidden sibling of the output folder, which is put in place by renames at the end.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::PublishError;

/// The file that marks a folder as ours.
pub const MANIFEST: &str = "run_manifest.json";

/// A staging folder. Dropped without [`Self::commit`], it takes its files with it.
#[derive(Debug)]
pub struct Staging {
    folder: Utf8PathBuf,
    output: Utf8PathBuf,
}

impl Staging {
    /// A fresh staging folder beside `output`.
    ///
    /// # Errors
    /// [`PublishError::Foreign`] when `output` holds something that is not ours, [`PublishError::Io`].
    pub fn new(output: &Utf8Path) -> Result<Self, PublishError> {
        let io = |path: &Utf8Path| {
            let path = path.to_owned();
            move |source| PublishError::Io { path, source }
        };
        if output.exists() {
            let empty = output.read_dir_utf8().map_err(io(output))?.next().is_none();
            if !empty && !output.join(MANIFEST).is_file() {
                return Err(PublishError::Foreign { path: output.to_owned() });
            }
        }
        let parent = output.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        fs::create_dir_all(parent).map_err(io(parent))?;
        let name = output.file_name().unwrap_or("results");
        let folder = parent.join(format!(".staging-{name}-{}", std::process::id()));
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(io(&folder))?;
        }
        fs::create_dir(&folder).map_err(io(&folder))?;
        Ok(Self { folder, output: output.to_owned() })
    }

    /// Where to write.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.folder
    }

    /// Writes a small file.
    ///
    /// # Errors
    /// [`PublishError::Io`].
    pub fn write(&self, name: &str, content: &str) -> Result<(), PublishError> {
        let path = self.folder.join(name);
        fs::write(&path, content).map_err(|source| PublishError::Io { path, source })
    }

    /// Puts the staged folder in the place of the output, and drops what stood there.
    ///
    /// # Errors
    /// [`PublishError::Io`]; the old output is then back in its place.
    pub fn commit(self) -> Result<(), PublishError> {
        let io = |source| PublishError::Io { path: self.output.clone(), source };
        let old = Utf8PathBuf::from(format!("{}.old", self.folder));
        let replaced = self.output.exists();
        if replaced {
            fs::rename(&self.output, &old).map_err(io)?;
        }
        if let Err(error) = fs::rename(&self.folder, &self.output) {
            if replaced {
                fs::rename(&old, &self.output).map_err(io)?;
            }
            return Err(io(error));
        }
        // The new output stands. A rest of the old one is litter, not a failure.
        let _ = fs::remove_dir_all(&old);
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After a commit there is nothing left; after a failure the error that led here is the one to report.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
