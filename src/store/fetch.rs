//! Listing and fetching. An object is fetched by the ETag that it was listed with, and streamed into a file.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use glob::{MatchOptions, Pattern};
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};

use super::{
    Depth, Object, StoreError, Stores,
    client::{path, told},
    spool::Spool,
};
use crate::schema::location::Location;

/// Objects that are fetched side by side.
const AT_ONCE: usize = 8;

/// Bytes at the end of a Parquet file that are fetched first: most footers are shorter.
const TAIL: u64 = 64 << 10;

/// Length and magic at the end of a Parquet file.
const END: u64 = 8;

/// `*` stays within a folder, `**` goes across.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// Content and ETag of an object.
type Small = (Vec<u8>, Option<String>);

impl Stores {
    /// Objects that a path of a config names, sorted: an object, all data files below a folder, or what a glob matches; as for
    /// files, names that begin with `_` or `.` are skipped.
    ///
    /// * `extensions`: what counts as a data file below a folder.
    ///
    /// # Errors
    /// [`StoreError`]; nothing found is none.
    pub fn find(&self, location: &Location, extensions: &[&str]) -> Result<Vec<Object>, StoreError> {
        let store = self.of(location)?;
        let told = |error: Error| told(&error, location, "object");
        let mut found = self.runtime.block_on(async {
            if !location.is_pattern() && !location.key.is_empty() {
                match store.head(&path(location)?).await {
                    Ok(meta) => return Ok(vec![object(location, meta)]),
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(told(error)),
                }
            }
            let wanted = Wanted::new(location, extensions)?;
            let folder = location.at(location.fixed());
            let listed: Vec<ObjectMeta> = match store.list(Some(&path(&folder)?)).try_collect().await {
                Ok(listed) => listed,
                Err(error) => return Err(told(error)),
            };
            let keep = |meta: &ObjectMeta| wanted.takes(meta.location.as_ref());
            Ok(listed.into_iter().filter(keep).map(|meta| object(location, meta)).collect())
        })?;
        found.sort_unstable();
        Ok(found)
    }

    /// Fetches objects into a spool, several at once.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when one is no longer what was listed; [`StoreError`].
    pub fn fetch(&self, objects: &[(Object, Depth)], spool: &Spool) -> Result<(), StoreError> {
        let mut fetches = Vec::with_capacity(objects.len());
        for (object, depth) in objects {
            fetches.push((self.of(&object.location)?, object, *depth));
        }
        let fetches = stream::iter(fetches).map(|(store, object, depth)| async move {
            let mut file = create(object, spool)?;
            let kept = |source| StoreError::Spool { url: object.location.url(), source };
            match depth {
                Depth::Whole => whole(store.as_ref(), object, &mut file).await?,
                Depth::Footer => footer(store.as_ref(), object, &mut file).await?,
            }
            let bytes = file.metadata().map_err(kept)?.len();
            if bytes == object.bytes { Ok(()) } else { Err(StoreError::Changed { url: object.location.url() }) }
        });
        self.runtime.block_on(fetches.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>())?;
        Ok(())
    }

    /// A small object with its ETag; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn read(&self, location: &Location) -> Result<Option<Small>, StoreError> {
        let store = self.of(location)?;
        self.runtime.block_on(async {
            let key = path(location)?;
            let found = match store.get(&key).await {
                Err(error) => Err(error),
                Ok(found) => {
                    let etag = found.meta.e_tag.clone();
                    found.bytes().await.map(|bytes| (bytes.to_vec(), etag))
                }
            };
            match found {
                Ok(found) => Ok(Some(found)),
                Err(error) => match told(&error, location, "object") {
                    StoreError::NotFound { what: "object", .. } => Ok(None),
                    error => Err(error),
                },
            }
        })
    }

    /// All objects below a folder.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn objects(&self, folder: &Location) -> Result<Vec<Object>, StoreError> {
        let store = self.of(folder)?;
        self.runtime.block_on(async {
            let listed: Result<Vec<ObjectMeta>, Error> = store.list(Some(&path(folder)?)).try_collect().await;
            let listed = listed.map_err(|error| told(&error, folder, "object"))?;
            Ok(listed.into_iter().map(|meta| object(folder, meta)).collect())
        })
    }
}

fn object(location: &Location, meta: ObjectMeta) -> Object {
    Object { location: location.at(meta.location.as_ref()), bytes: meta.size, etag: meta.e_tag }
}

/// Which of the listed keys a path names.
struct Wanted<'a> {
    pattern: Option<Pattern>,
    /// Folder below which names may not be hidden.
    fixed: &'a str,
    extensions: &'a [&'a str],
}

impl<'a> Wanted<'a> {
    fn new(location: &'a Location, extensions: &'a [&'a str]) -> Result<Self, StoreError> {
        let bad = |_| StoreError::Refused { url: location.url(), reason: "it is no valid glob".to_owned() };
        let pattern = location.is_pattern().then(|| Pattern::new(&location.key)).transpose().map_err(bad)?;
        Ok(Self { pattern, fixed: location.fixed(), extensions })
    }

    fn takes(&self, key: &str) -> bool {
        let below = match self.fixed {
            "" => Some(key),
            fixed => key.strip_prefix(fixed).and_then(|rest| rest.strip_prefix('/')),
        };
        let Some(below) = below else { return false };
        if below.split('/').any(|part| part.is_empty() || part.starts_with(['_', '.'])) {
            return false;
        }
        let is_data = below.rsplit_once('.').is_some_and(|(_, extension)| self.extensions.contains(&extension));
        let Some(pattern) = &self.pattern else { return is_data };
        // A folder that matches is read as one.
        let mut folders = key.match_indices('/').map(|(at, _)| &key[..at]);
        pattern.matches_with(key, MATCHING) || (is_data && folders.any(|folder| pattern.matches_with(folder, MATCHING)))
    }
}

/// A new file in the spool, and the folders above it.
fn create(object: &Object, spool: &Spool) -> Result<File, StoreError> {
    let file = object.location.spooled(spool.path());
    let kept = |source| StoreError::Spool { url: object.location.url(), source };
    if let Some(folder) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(kept)?;
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file).map_err(kept)
}

/// A request that only the content that was listed answers.
fn unchanged(object: &Object, range: Option<GetRange>) -> GetOptions {
    let if_match = object.etag.as_deref().map(quoted);
    GetOptions { if_match, range, ..GetOptions::default() }
}

/// An ETag as it must stand in a condition; Azure lists them without quotes.
pub(super) fn quoted(etag: &str) -> String {
    if etag.ends_with('"') { etag.to_owned() } else { format!("\"{etag}\"") }
}

async fn whole(store: &dyn ObjectStore, object: &Object, file: &mut File) -> Result<(), StoreError> {
    let told = |error: Error| gone(&error, object);
    let got = store.get_opts(&path(&object.location)?, unchanged(object, None)).await.map_err(told)?;
    let mut parts = got.into_stream();
    while let Some(part) = parts.next().await {
        write(object, file, &part.map_err(told)?)?;
    }
    Ok(())
}

/// The last bytes of a Parquet file, in a file as long as the whole.
async fn footer(store: &dyn ObjectStore, object: &Object, file: &mut File) -> Result<(), StoreError> {
    let kept = |source| StoreError::Spool { url: object.location.url(), source };
    file.set_len(object.bytes).map_err(kept)?;
    let mut wanted = TAIL.min(object.bytes);
    loop {
        let range = Some(GetRange::Bounded(object.bytes - wanted..object.bytes));
        if wanted == 0 {
            return Ok(());
        }
        let got = store.get_opts(&path(&object.location)?, unchanged(object, range)).await;
        let got = got.map_err(|error| gone(&error, object))?;
        let tail = got.bytes().await.map_err(|error| gone(&error, object))?;
        file.seek(SeekFrom::Start(object.bytes - wanted)).map_err(kept)?;
        write(object, file, &tail)?;
        let needed = footer_length(&tail).min(object.bytes);
        if needed <= wanted {
            return Ok(());
        }
        wanted = needed;
    }
}

/// Bytes of the footer that ends here, with its length and magic; 0 when it is none.
fn footer_length(tail: &[u8]) -> u64 {
    match tail.last_chunk::<{ END as usize }>() {
        Some([a, b, c, d, b'P', b'A', b'R', b'1']) => u64::from(u32::from_le_bytes([*a, *b, *c, *d])) + END,
        _ => 0,
    }
}

fn write(object: &Object, file: &mut File, part: &[u8]) -> Result<(), StoreError> {
    file.write_all(part).map_err(|source| StoreError::Spool { url: object.location.url(), source })
}

/// An object that was there when it was listed and is not any more has changed, too.
fn gone(error: &Error, object: &Object) -> StoreError {
    match told(error, &object.location, "object") {
        StoreError::NotFound { what: "object", url } => StoreError::Changed { url },
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_what_the_same_path_of_files_would() {
        let keys = [
            "a/x.parquet",
            "a/_temporary/y.parquet",
            "b/.z.parquet",
            "b/c/w.parquet",
            "b/readme.md",
            "_SUCCESS",
            "ab/v.parquet",
            "m=1/u.parquet",
            "m=2/t.parquet",
        ];
        let names = |url: &str| -> Vec<&str> {
            let location = Location::parse(url).unwrap();
            let wanted = Wanted::new(&location, &["parquet"]).unwrap();
            keys.into_iter().filter(|key| wanted.takes(key)).collect()
        };
        assert_eq!(names("s3://k/a"), ["a/x.parquet"]);
        assert_eq!(names("s3://k/b/**/*.parquet"), ["b/c/w.parquet"]);
        assert_eq!(names("s3://k/m=*"), ["m=1/u.parquet", "m=2/t.parquet"]);
        assert_eq!(names("s3://k/m=[2-9]/*.parquet"), ["m=2/t.parquet"]);
        assert_eq!(names("s3://k/*/*.md"), ["b/readme.md"]);
        assert_eq!(names("s3://k/a/_temporary/*.parquet"), ["a/_temporary/y.parquet"]);
        assert_eq!(names("s3://k/*.parquet"), [""; 0]);
    }

    #[test]
    fn the_length_of_a_footer_is_read_from_its_end() {
        assert_eq!(footer_length(b"....\x10\x01\0\0PAR1"), 280);
        assert_eq!(footer_length(b"PAR1"), 0);
        assert_eq!(footer_length(b"....\x10\x01\0\0PARE"), 0);
    }
}
