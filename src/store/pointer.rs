//! The pointer of an output in a store: `_CURRENT.json`, the one object that changes.

use serde::{Deserialize, Serialize};

use super::Object;
use crate::schema::location::Location;

/// Name of the pointer, below the output.
pub const POINTER: &str = "_CURRENT.json";

/// What the folder of every run begins with.
pub(super) const RUN: &str = "run=";

/// Version of the pointer.
const FORMAT: u32 = 1;

/// Characters of the digest in the name of a run.
#[cfg(any(feature = "stores", test))]
const DIGEST: usize = 12;

/// Which run's results readers are to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    format: u32,
    /// Number of commits so far.
    pub generation: u64,
    /// Folder of the results, below the output.
    pub run: String,
    /// Digest over all files of the results.
    pub result_digest: String,
    /// Objects below the folder.
    pub files: Vec<Stored>,
    /// Folders of older runs that are kept, the newest first.
    pub kept: Vec<String>,
}

/// An object of the results.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stored {
    /// Path below the run's folder.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// ETag without quotes.
    pub etag: Option<String>,
}

impl Stored {
    /// An object below a folder; `None` when it is not below it.
    #[must_use]
    pub fn of(folder: &Location, object: &Object) -> Option<Self> {
        let below = object.location.key.strip_prefix(&folder.key)?.strip_prefix('/')?;
        Some(Self { path: below.to_owned(), bytes: object.bytes, etag: object.etag.as_deref().map(plain) })
    }
}

/// An ETag without quotes, which some stores list and others do not.
pub(super) fn plain(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

impl Pointer {
    /// Reads a pointer; `None` when it is none of this version.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let found: Self = serde_json::from_slice(text).ok()?;
        let known = found.format == FORMAT && generation_of(&found.run).is_some();
        let below = found.kept.iter().all(|run| generation_of(run).is_some());
        (known && below).then_some(found)
    }

    /// The pointer that follows this one (or none).
    ///
    /// * `keep`: older runs that stay.
    #[must_use]
    pub fn after(before: Option<&Self>, run: String, result_digest: &str, files: Vec<Stored>, keep: usize) -> Self {
        let mut kept: Vec<String> = Vec::new();
        if let Some(before) = before {
            kept.push(before.run.clone());
            kept.extend(before.kept.iter().cloned());
        }
        kept.truncate(keep);
        let generation = generation_after(before);
        Self { format: FORMAT, generation, run, result_digest: result_digest.to_owned(), files, kept }
    }

    /// The same results under the next number: what began before can no longer be committed.
    #[must_use]
    pub fn renewed(&self, versions: bool) -> Self {
        let kept = if versions { Vec::new() } else { self.kept.clone() };
        Self { generation: self.generation + 1, kept, ..self.clone() }
    }

    /// Whether a run's folder is of no more use: older than this pointer, and neither its own nor kept.
    #[must_use]
    pub fn has_left(&self, run: &str) -> bool {
        let old = generation_of(run).is_some_and(|generation| generation <= self.generation);
        old && run != self.run && !self.kept.iter().any(|kept| kept == run)
    }
}

/// Number of the commit after this one.
pub(super) fn generation_after(before: Option<&Pointer>) -> u64 {
    before.map_or(0, |before| before.generation) + 1
}

/// The name of a run's folder: `run=000007-4f6c…`, with a number when that is taken.
#[cfg(any(feature = "stores", test))]
pub(super) fn run_name(generation: u64, result_digest: &str, attempt: u32) -> String {
    let digest: String = result_digest.chars().take(DIGEST).collect();
    let more = if attempt == 0 { String::new() } else { format!("-{attempt}") };
    format!("{RUN}{generation:06}-{digest}{more}")
}

/// The number in a run's name; `None` when it is no name that a run would make.
pub(super) fn generation_of(run: &str) -> Option<u64> {
    let (number, rest) = run.strip_prefix(RUN)?.split_once('-')?;
    let digits = number.len() >= 6 && number.bytes().all(|byte| byte.is_ascii_digit());
    let plain = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if digits && plain { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_runs_say_their_number_and_nothing_else_looks_like_one() {
        assert_eq!(run_name(7, "4f6c0000111122223333", 0), "run=000007-4f6c00001111");
        assert_eq!(generation_of(&run_name(7, "4f6c0000111122223333", 2)), Some(7));
        assert_eq!(generation_of(&run_name(12_345_678, "ab", 0)), Some(12_345_678));
        for other in ["run=7-ab", "run=000007", "run=000007-", "run=00000x-ab", "runs=000007-ab", "run=000007-a/b", "x"]
        {
            assert_eq!(generation_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_pointer_keeps_as_many_runs_as_it_is_asked_to() {
        let mut pointer = Pointer::after(None, run_name(1, "aa", 0), "aa", Vec::new(), 2);
        for digest in ["bb", "cc", "dd"] {
            let run = run_name(generation_after(Some(&pointer)), digest, 0);
            pointer = Pointer::after(Some(&pointer), run, digest, Vec::new(), 2);
        }
        assert_eq!((pointer.generation, pointer.run.as_str()), (4, "run=000004-dd"));
        assert_eq!(pointer.kept, ["run=000003-cc", "run=000002-bb"]);
        assert!(pointer.has_left("run=000001-aa") && pointer.has_left("run=000004-ee"));
        // The run that is current, those that are kept, and one that may be under way.
        for used in ["run=000004-dd", "run=000003-cc", "run=000005-ff", "elsewhere"] {
            assert!(!pointer.has_left(used), "{used}");
        }
        let read = Pointer::parse(serde_json::to_string(&pointer).unwrap().as_bytes()).unwrap();
        assert_eq!(read, pointer);
        assert!(pointer.renewed(false).has_left("run=000005-ff"));
    }

    #[test]
    fn another_document_is_no_pointer() {
        let good = Pointer::after(None, run_name(1, "aa", 0), "aa", Vec::new(), 0);
        let text = serde_json::to_string(&good).unwrap();
        assert!(Pointer::parse(text.as_bytes()).is_some());
        for bad in ["{}", "", "[]", &text.replace("\"format\":1", "\"format\":2"), &text.replace("run=", "../")] {
            assert!(Pointer::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
