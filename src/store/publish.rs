//! Results in a store: uploaded under keys of their own, looked at again, then named by the pointer in one conditional write.
//!
//! The folder of a run has a number, one above that of the pointer that the run has read. So whoever moves the pointer may
//! remove every folder up to its own number: what is under way there can no longer be committed.

use std::{
    fs::{self, File},
    io::Read,
};

use camino::{Utf8Path, Utf8PathBuf};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{
    Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion, path::Path,
};

use super::{
    Claim, POINTER, Pointer, Published, StoreError, Stored, Stores,
    client::{path, told},
    fetch::quoted,
    pointer::{RUN, generation_after, generation_of, plain, run_name},
};
use crate::schema::location::Location;

/// The file that is uploaded first: who creates it has the folder.
const FIRST: &str = "run_manifest.json";

/// Files that are uploaded side by side, and bytes of each that are held.
const AT_ONCE: usize = 4;
const PART: usize = 8 << 20;

/// Names of a run's folder that are tried.
const ATTEMPTS: u32 = 100;

impl Stores {
    /// The output as it stands, which this run is to replace.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] of a pointer that is none; [`StoreError`].
    pub fn claim(&self, output: &Location) -> Result<Claim, StoreError> {
        let place = output.join(POINTER);
        let Some((text, etag)) = self.read(&place)? else {
            return Ok(Claim { output: output.clone(), current: None, etag: None });
        };
        let current = Pointer::parse(&text).ok_or_else(|| StoreError::Foreign { url: place.url() })?;
        Ok(Claim { output: output.clone(), current: Some(current), etag })
    }

    /// The pointer of an output; `None` without one.
    ///
    /// # Errors
    /// As [`Self::claim`].
    pub fn current(&self, output: &Location) -> Result<Option<Pointer>, StoreError> {
        Ok(self.claim(output)?.current)
    }

    /// Uploads the results in a folder and moves the pointer to them.
    ///
    /// * `keep`: older runs that stay.
    ///
    /// # Errors
    /// [`StoreError::Lost`] when another run has moved the pointer since the claim; [`StoreError`]. Nothing visible has changed
    /// then, and what was uploaded is removed.
    pub fn publish(
        &self,
        claim: &Claim,
        folder: &Utf8Path,
        result_digest: &str,
        keep: usize,
    ) -> Result<Published, StoreError> {
        let (run, first) = self.take_folder(claim, folder, result_digest)?;
        let place = claim.output.join(&run);
        let done = self.upload(&place, folder, first).and_then(|files| {
            let pointer = Pointer::after(claim.current.as_ref(), run, result_digest, files, keep);
            self.point(claim, &pointer).map(|()| pointer)
        });
        match done {
            Ok(pointer) => {
                // The new results stand. A rest of old ones is litter that the next run removes, not a failure.
                let removed = self.remove_old(&claim.output, &pointer).unwrap_or_default();
                Ok(Published { run: place, objects: pointer.files.len(), removed })
            }
            Err(error) => {
                // The error that led here is the one to report; where another run has moved the pointer and removed what this one
                // had uploaded, it is that.
                let _ = self.remove(&place);
                let moved = self.current(&claim.output).is_ok_and(|now| now != claim.current);
                Err(if moved { StoreError::Lost { url: claim.output.url() } } else { error })
            }
        }
    }

    /// Removes what runs have left below an output and is of no more use; with `versions`, the older runs that are kept, too.
    ///
    /// The pointer gets the next number first, so that a run that is under way loses.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn clean(&self, output: &Location, versions: bool) -> Result<Vec<String>, StoreError> {
        let claim = self.claim(output)?;
        let Some(current) = &claim.current else {
            let runs = self.runs(output)?;
            runs.iter().try_for_each(|run| self.remove(&output.join(run)))?;
            return Ok(runs);
        };
        let pointer = current.renewed(versions);
        if !self.runs(output)?.iter().any(|run| pointer.has_left(run)) {
            return Ok(Vec::new());
        }
        self.point(&claim, &pointer)?;
        self.remove_old(output, &pointer)
    }

    /// A folder of the run's own, with the manifest in it.
    fn take_folder(&self, claim: &Claim, folder: &Utf8Path, digest: &str) -> Result<(String, Stored), StoreError> {
        let store = self.of(&claim.output)?;
        let content = fs::read(folder.join(FIRST)).map_err(kept(&folder.join(FIRST)))?;
        let generation = generation_after(claim.current.as_ref());
        for attempt in 0..ATTEMPTS {
            let run = run_name(generation, digest, attempt);
            let place = claim.output.join(&run).join(FIRST);
            let payload = PutPayload::from(content.clone());
            let key = path(&place)?;
            let put = self.runtime.block_on(store.put_opts(&key, payload, PutMode::Create.into()));
            match put {
                Ok(put) => {
                    let bytes = content.len() as u64;
                    return Ok((run, Stored { path: FIRST.to_owned(), bytes, etag: put.e_tag.as_deref().map(plain) }));
                }
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
                Err(error) => return Err(told(&error, &place, "bucket or container")),
            }
        }
        Err(StoreError::Lost { url: claim.output.url() })
    }

    /// Uploads the other files, then looks whether the store lists all of them as they were sent.
    fn upload(&self, place: &Location, folder: &Utf8Path, first: Stored) -> Result<Vec<Stored>, StoreError> {
        let store = self.of(place)?;
        let mut files = Vec::new();
        walk(folder, Utf8Path::new(""), &mut files)?;
        files.retain(|file| file != FIRST);
        let uploads = stream::iter(&files).map(|file| {
            let (store, to) = (store.as_ref(), place.join(file.as_str()));
            async move { put_file(store, &to, &folder.join(file), file).await }
        });
        let mut sent: Vec<Stored> = self.runtime.block_on(uploads.buffer_unordered(AT_ONCE).try_collect())?;
        sent.push(first);
        sent.sort_unstable();
        let mut listed: Vec<Stored> =
            self.objects(place)?.iter().filter_map(|object| Stored::of(place, object)).collect();
        listed.sort_unstable();
        let differs = sent.iter().find(|file| !listed.contains(file));
        match differs {
            Some(file) => {
                // Somebody cleans, or replaces, what is not visible yet.
                let (url, reason) = (place.join(&file.path).url(), "it is not what was uploaded".to_owned());
                Err(StoreError::Unavailable { url, reason })
            }
            None => Ok(sent),
        }
    }

    /// Moves the pointer, if it is still what was claimed.
    fn point(&self, claim: &Claim, pointer: &Pointer) -> Result<(), StoreError> {
        let place = claim.output.join(POINTER);
        let (store, key) = (self.of(&place)?, path(&place)?);
        let text = serde_json::to_vec_pretty(pointer)
            .map_err(|error| StoreError::Spool { url: place.url(), source: error.into() })?;
        let mode = match (&claim.current, &claim.etag) {
            (None, _) => PutMode::Create,
            (Some(_), etag) => PutMode::Update(UpdateVersion { e_tag: etag.as_deref().map(quoted), version: None }),
        };
        let Err(error) = self.runtime.block_on(store.put_opts(&key, PutPayload::from(text), mode.into())) else {
            return Ok(());
        };
        // An answer that was lost on its way may hide a success: the pointer itself says.
        match self.current(&claim.output) {
            Ok(Some(found)) if found == *pointer => return Ok(()),
            _ => {}
        }
        match error {
            Error::AlreadyExists { .. } | Error::Precondition { .. } => {
                Err(StoreError::Lost { url: claim.output.url() })
            }
            error => Err(told(&error, &place, "bucket or container")),
        }
    }

    /// Folders of runs below an output.
    fn runs(&self, output: &Location) -> Result<Vec<String>, StoreError> {
        let store = self.of(output)?;
        let listed = self.runtime.block_on(async {
            let folder = path(output)?;
            store.list_with_delimiter(Some(&folder)).await.map_err(|error| told(&error, output, "bucket or container"))
        })?;
        let names = listed.common_prefixes.iter().filter_map(Path::filename).map(str::to_owned);
        Ok(names.filter(|name| name.starts_with(RUN) && generation_of(name).is_some()).collect())
    }

    fn remove_old(&self, output: &Location, pointer: &Pointer) -> Result<Vec<String>, StoreError> {
        let mut old = self.runs(output)?;
        old.retain(|run| pointer.has_left(run));
        old.iter().try_for_each(|run| self.remove(&output.join(run)))?;
        Ok(old)
    }

    /// Removes every object below a folder.
    fn remove(&self, folder: &Location) -> Result<(), StoreError> {
        let store = self.of(folder)?;
        let mut keys = Vec::new();
        for object in self.objects(folder)? {
            keys.push(Ok(path(&object.location)?));
        }
        let removed = self.runtime.block_on(store.delete_stream(stream::iter(keys).boxed()).try_collect::<Vec<Path>>());
        match removed {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(told(&error, folder, "object")),
        }
    }
}

fn kept(path: &Utf8Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let url = path.to_string();
    move |source| StoreError::Spool { url, source }
}

/// Files below a folder, by their paths below it.
fn walk(root: &Utf8Path, below: &Utf8Path, files: &mut Vec<Utf8PathBuf>) -> Result<(), StoreError> {
    let folder = root.join(below);
    for entry in folder.read_dir_utf8().map_err(kept(&folder))? {
        let entry = entry.map_err(kept(&folder))?;
        let path = below.join(entry.file_name());
        if entry.file_type().map_err(kept(&folder))?.is_dir() {
            walk(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(())
}

/// Sends a file: a small one at once, a large one in parts.
async fn put_file(
    store: &dyn ObjectStore,
    to: &Location,
    from: &Utf8Path,
    below: &Utf8Path,
) -> Result<Stored, StoreError> {
    let key = path(to)?;
    let told = |error: Error| told(&error, to, "bucket or container");
    let mut file = File::open(from).map_err(kept(from))?;
    let bytes = file.metadata().map_err(kept(from))?.len();
    let put = if bytes <= PART as u64 {
        store.put(&key, PutPayload::from(part(&mut file, from)?)).await.map_err(told)?
    } else {
        let mut upload = store.put_multipart(&key).await.map_err(told)?;
        match send_parts(&mut upload, &mut file, from, to).await {
            Ok(()) => upload.complete().await.map_err(told)?,
            Err(error) => {
                let _ = upload.abort().await;
                return Err(error);
            }
        }
    };
    Ok(Stored { path: below.to_string(), bytes, etag: put.e_tag.as_deref().map(plain) })
}

async fn send_parts(
    upload: &mut Box<dyn MultipartUpload>,
    file: &mut File,
    from: &Utf8Path,
    to: &Location,
) -> Result<(), StoreError> {
    loop {
        let next = part(file, from)?;
        if next.is_empty() {
            return Ok(());
        }
        upload.put_part(PutPayload::from(next)).await.map_err(|error| told(&error, to, "bucket or container"))?;
    }
}

/// The next bytes of a file; none at its end.
fn part(file: &mut File, from: &Utf8Path) -> Result<Vec<u8>, StoreError> {
    let mut part = Vec::new();
    file.take(PART as u64).read_to_end(&mut part).map_err(kept(from))?;
    Ok(part)
}
