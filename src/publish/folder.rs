//! Staging: everything is written into a hidden sibling of the output folder, which is put in its place at the end.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    PublishError, contents, fault, io,
    lock::Lock,
    swap::{self, Came, Journal},
};
use crate::schema::location::is_spooled;

/// The file that marks a folder as ours.
pub const MANIFEST: &str = "run_manifest.json";

/// The empty file that marks a dataset, and the output as a whole, as complete.
pub const SUCCESS: &str = "_SUCCESS";

/// Modes of what readers see, and of what only the run sees.
const FILE_MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;
const STAGING_MODE: u32 = 0o700;

/// The staging folder and the lock file of this process, so that a signal can clear them away; locked while a commit takes
/// place.
static STAGED: Mutex<Option<(Utf8PathBuf, Utf8PathBuf)>> = Mutex::new(None);

/// Whether this process has put an output in its place.
static PLACED: AtomicBool = AtomicBool::new(false);

/// An output that this run alone may replace, and the folder where it is written. Dropped without [`Self::commit`], it
/// takes its files with it.
#[derive(Debug)]
pub struct Staging {
    folder: Utf8PathBuf,
    output: Utf8PathBuf,
    lock: Lock,
    earlier: Came,
    keep: usize,
    placed: bool,
}

impl Staging {
    /// Locks `output`, clears away what killed runs have left beside it, and makes a fresh staging folder.
    ///
    /// # Errors
    /// [`PublishError::Locked`] when another run holds it; [`PublishError::Foreign`], [`PublishError::NotAFolder`] and
    /// [`PublishError::Link`] when something that is not ours stands in its place; [`PublishError::Io`].
    pub fn new(output: &Utf8Path) -> Result<Self, PublishError> {
        let Cleared { lock, earlier, .. } = clear_away(output)?;
        let (parent, name) = (parent(output), name(output));
        let folder = parent.join(format!(".staging-{name}-{}", std::process::id()));
        fs::DirBuilder::new().mode(STAGING_MODE).create(&folder).map_err(io(&folder))?;
        *staged() = Some((folder.clone(), lock.path().to_owned()));
        // From here on a failure takes the folder with it.
        let staging = Self { folder, output: output.to_owned(), lock, earlier, keep: 0, placed: false };
        fault::at("staged").map_err(io(output))?;
        Ok(staging)
    }

    /// The same, which keeps so many old versions of the output beside it.
    #[must_use]
    pub fn keeping(mut self, versions: usize) -> Self {
        self.keep = versions;
        self
    }

    /// Where to write.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.folder
    }

    /// What an earlier run has left, in words.
    #[must_use]
    pub fn interrupted(&self) -> Option<String> {
        let process = self.lock.interrupted?;
        let outcome = match self.earlier {
            Came::Nowhere => "nothing of it is left",
            Came::Between => "its results were put in place",
            Came::There(..) => "its results were in place already",
        };
        Some(format!("an earlier run (process {process}) was cut off: {outcome}"))
    }

    /// Writes a small file.
    ///
    /// # Errors
    /// [`PublishError::Io`].
    pub fn write(&self, name: &str, content: &str) -> Result<(), PublishError> {
        let path = self.folder.join(name);
        fault::at("small_file").and_then(|()| fs::write(&path, content)).map_err(io(&path))
    }

    /// Puts the staged folder in the place of the output, and drops what stood there.
    ///
    /// Every dataset and the output get an empty `_SUCCESS`; files and folders are on the disk before the one step that
    /// readers see.
    ///
    /// What goes wrong after that step is told, a note a line, and is no failure: the new version stands.
    ///
    /// # Errors
    /// [`PublishError::Io`], [`PublishError::Foreign`]; the old output is then in its place.
    pub fn commit(mut self) -> Result<Vec<String>, PublishError> {
        seal(&self.folder)?;
        let failed = || io(&self.output);
        fault::at("sealed").map_err(failed())?;
        // What was put there while the run went on is not dropped.
        refuse_foreign(&self.output)?;
        let mut staged = staged();
        let journal = journal(&self.output);
        Journal::write(&journal, &self.folder, self.keep).map_err(io(&journal))?;
        let others = if self.output.exists() { contents::strangers(&self.output)? } else { Vec::new() };
        let old = swap::swap(&self.folder, &self.output).map_err(failed())?;
        self.placed = true;
        // What lies in a spool is in its place when it has been uploaded.
        if !is_spooled(&self.output) {
            set_placed();
        }
        *staged = None;
        let mut notes = Vec::new();
        if let Err(error) = fault::at("swapped").and_then(|()| swap::sync_parent(&self.output)) {
            notes.push(format!(
                "{}: the new version is in place, but the system does not say that its name is on the disk: {error}; the \
                 version that it replaced is kept",
                self.output
            ));
            self.keep = self.keep.max(1);
        }
        if let Some(other) = others.first() {
            notes.push(format!(
                "{}: held {} files or folders that are not of whalecurve, `{other}` and others; the version that was replaced is \
                 kept with them, as the newest {}…",
                self.output,
                others.len(),
                version_prefix(&self.output)
            ));
            self.keep = self.keep.max(1);
        }
        let cleared = fault::at("synced").map_err(io(&self.output)).and_then(|()| match &old {
            Some(old) => set_aside(old, &self.output, self.keep),
            None => Ok(()),
        });
        if let Err(error) = cleared.and_then(|()| fs::remove_file(&journal).map_err(io(&journal))) {
            notes.push(format!(
                "the version that was replaced is not out of the way yet, the next run does it: {error}"
            ));
        }
        Ok(notes)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After a commit what is left there is the old version; after a failure the error that led here is the one to report.
        // Where the old version could not be put back, the next run does what the journal says.
        let torn = !self.output.exists() && swap::set_aside(&self.folder).exists();
        if !self.placed && !torn {
            let _ = fs::remove_dir_all(&self.folder);
            let _ = fs::remove_file(journal(&self.output));
        }
        *staged() = None;
    }
}

/// Whether this process has put an output in its place: whatever happens from then on, something was committed.
#[must_use]
pub fn placed() -> bool {
    PLACED.load(Ordering::Relaxed)
}

/// From here on [`placed`].
pub fn set_placed() {
    PLACED.store(true, Ordering::Relaxed);
}

/// Refuses an output that another run holds at the moment, before work is done for nothing.
///
/// # Errors
/// [`PublishError::Locked`].
pub fn refuse_held(output: &Utf8Path) -> Result<(), PublishError> {
    Lock::refuse_held(&lock_file(output))
}

/// What stood beside an output that nobody else holds.
struct Cleared {
    lock: Lock,
    earlier: Came,
    removed: Vec<Utf8PathBuf>,
}

/// Locks an output, ends what a killed run began, and removes what it left.
fn clear_away(output: &Utf8Path) -> Result<Cleared, PublishError> {
    refuse_foreign(output)?;
    let (parent, name) = (parent(output), name(output));
    fs::create_dir_all(parent).map_err(io(parent))?;
    let lock = Lock::take(lock_file(output))?;
    fault::at("locked").map_err(io(output))?;
    let journal = journal(output);
    let earlier = swap::recover(output, &journal).map_err(io(&journal))?;
    if let Came::There(Some(old), keep) = &earlier {
        set_aside(old, output, *keep)?;
    }
    let removed = numbered(parent, &format!(".staging-{name}-"))?;
    for rest in &removed {
        fs::remove_dir_all(rest).map_err(io(rest))?;
    }
    if journal.is_file() {
        fs::remove_file(&journal).map_err(io(&journal))?;
    }
    Ok(Cleared { lock, earlier, removed })
}

/// Removes what killed runs left beside an output and, where asked for, the old versions that are kept there.
///
/// # Errors
/// As [`Staging::new`].
pub fn clean(output: &Utf8Path, versions: bool) -> Result<Vec<Utf8PathBuf>, PublishError> {
    if !parent(output).is_dir() {
        return Ok(Vec::new());
    }
    let Cleared { lock, mut removed, .. } = clear_away(output)?;
    if versions {
        for version in kept(output)? {
            fs::remove_dir_all(&version).map_err(io(&version))?;
            removed.push(version);
        }
    }
    drop(lock);
    Ok(removed)
}

/// Old versions of an output, the oldest first.
///
/// # Errors
/// [`PublishError::Io`].
pub fn kept(output: &Utf8Path) -> Result<Vec<Utf8PathBuf>, PublishError> {
    let mut kept = numbered(parent(output), &version_prefix(output))?;
    // None that we made has a number that cannot be counted on from.
    kept.retain(|path| number_of(path).is_some());
    kept.sort_by_key(|path| number_of(path));
    Ok(kept)
}

/// Gives the old version a number above those that are kept, and drops all but the newest `keep`.
fn set_aside(old: &Utf8Path, output: &Utf8Path, keep: usize) -> Result<(), PublishError> {
    if keep == 0 {
        return fs::remove_dir_all(old).map_err(io(old));
    }
    let mut kept = kept(output)?;
    let number = kept.last().and_then(|last| number_of(last)).unwrap_or(0) + 1;
    let place = parent(output).join(format!("{}{number}", version_prefix(output)));
    fs::rename(old, &place).map_err(io(&place))?;
    kept.push(place);
    let drop = kept.len().saturating_sub(keep);
    kept.iter().take(drop).try_for_each(|version| fs::remove_dir_all(version).map_err(io(version)))
}

fn version_prefix(output: &Utf8Path) -> String {
    format!(".version-{}-", name(output))
}

fn number_of(path: &Utf8Path) -> Option<u64> {
    path.file_name()?.rsplit('-').next()?.parse().ok().filter(|number| *number < u64::MAX)
}

fn name(output: &Utf8Path) -> &str {
    output.file_name().unwrap_or("results")
}

/// Clears away what the process has staged, once no commit is under way; nothing can be committed from then on. Where the output is in
/// its place already, nothing is done, and `false` is the answer: the run is to end as one that was not disturbed.
///
/// Called when a signal ends the process: other threads may still be writing.
#[must_use]
pub fn abandon() -> bool {
    let guard = staged();
    if placed() {
        return false;
    }
    if let Some((folder, lock)) = guard.as_ref() {
        // Under another name first: who still writes by the old one fails, instead of filling the folder again.
        let aside = Utf8PathBuf::from(format!("{folder}.old"));
        let folder = if fs::rename(folder, &aside).is_ok() { aside } else { folder.clone() };
        let _ = fs::remove_dir_all(folder);
        // Still held, so that nobody else has taken it.
        let _ = fs::remove_file(lock);
    }
    std::mem::forget(guard);
    true
}

fn staged() -> MutexGuard<'static, Option<(Utf8PathBuf, Utf8PathBuf)>> {
    STAGED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parent(output: &Utf8Path) -> &Utf8Path {
    output.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}

fn lock_file(output: &Utf8Path) -> Utf8PathBuf {
    parent(output).join(format!(".lock-{}", name(output)))
}

fn journal(output: &Utf8Path) -> Utf8PathBuf {
    parent(output).join(format!(".swap-{}", name(output)))
}

/// Refuses whatever stands in the place of the output and is not an output of ours, or empty.
///
/// # Errors
/// [`PublishError::Foreign`], [`PublishError::NotAFolder`], [`PublishError::Mount`], [`PublishError::Link`], [`PublishError::Io`].
pub fn refuse_foreign(output: &Utf8Path) -> Result<(), PublishError> {
    if output.is_symlink() {
        return Err(PublishError::Link { path: output.to_owned() });
    }
    if !output.exists() {
        return Ok(());
    }
    if !output.is_dir() {
        return Err(PublishError::NotAFolder { path: output.to_owned() });
    }
    let device = |path: &Utf8Path| fs::metadata(path).map(|found| found.dev()).map_err(io(path));
    if device(output)? != device(parent(output))? {
        return Err(PublishError::Mount { path: output.to_owned() });
    }
    let empty = output.read_dir_utf8().map_err(io(output))?.next().is_none();
    if empty || output.join(MANIFEST).is_file() {
        return Ok(());
    }
    Err(PublishError::Foreign { path: output.to_owned() })
}

/// Folders named by a prefix and a number: of staging folders that of a process (with `.old` for what stood in the output's
/// place), of kept versions their own.
fn numbered(parent: &Utf8Path, prefix: &str) -> Result<Vec<Utf8PathBuf>, PublishError> {
    let mut found = Vec::new();
    for entry in parent.read_dir_utf8().map_err(io(parent))? {
        let entry = entry.map_err(io(parent))?;
        let number = entry.file_name().strip_prefix(prefix).map(|rest| rest.strip_suffix(".old").unwrap_or(rest));
        let ours = number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        if ours && entry.file_type().map_err(io(entry.path()))?.is_dir() {
            found.push(entry.into_path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Marks every dataset and the whole as complete, sets the modes, and waits until all of it is on the disk.
fn seal(folder: &Utf8Path) -> Result<(), PublishError> {
    let mut entries: Vec<Utf8PathBuf> = Vec::new();
    for entry in folder.read_dir_utf8().map_err(io(folder))? {
        entries.push(entry.map_err(io(folder))?.into_path());
    }
    entries.sort_unstable();
    for entry in &entries {
        if entry.is_dir() {
            seal(entry)?;
        } else {
            set_mode(entry, FILE_MODE)?;
            fault::at("sync_file").and_then(|()| swap::sync(entry)).map_err(io(entry))?;
        }
    }
    let success = folder.join(SUCCESS);
    fault::at("success").and_then(|()| fs::write(&success, "")).map_err(io(&success))?;
    set_mode(&success, FILE_MODE)?;
    swap::sync(&success).map_err(io(&success))?;
    set_mode(folder, FOLDER_MODE)?;
    fault::at("sync_folder").and_then(|()| swap::sync(folder)).map_err(io(folder))
}

fn set_mode(path: &Utf8Path, mode: u32) -> Result<(), PublishError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(io(path))
}

#[cfg(test)]
mod tests;
