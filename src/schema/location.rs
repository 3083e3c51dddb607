//! Where tables and results may lie when it is no path of the file system: `s3://bucket/key`, `az://container/key` and
//! `abfss://container@account.dfs.core.windows.net/key`, each with `*`, `**`, `?` and `[…]` in the key of an input.
//!
//! What is fetched lies in a spool folder, in a path that says where it came from; [`shown`] gives the URL back, so that no
//! message and no manifest names a spool.

use std::borrow::Cow;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

/// How the name of a spool folder begins.
pub const SPOOL_PREFIX: &str = ".spool-";

/// The host of `abfss://` URLs, after the account.
const AZURE_HOST: &str = ".dfs.core.windows.net";

/// Kinds of object stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// S3 and what speaks its protocol.
    S3,
    /// Azure Blob Storage.
    Azure,
}

/// A place in an object store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Kind of store.
    pub store: Store,
    /// `s3`, `az` or `abfss`.
    scheme: &'static str,
    /// Bucket or container, with the account where the URL says it.
    authority: String,
    /// Path within it, without a slash at either end; empty for all of it.
    pub key: String,
}

/// What is wrong with the URL of a store. The URL itself is not repeated where it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LocationError {
    /// Another scheme.
    #[error("is a URL that is not read")]
    Scheme,
    /// A user, a password or a token.
    #[error("holds a user or a token, which a URL must not")]
    Secret,
    /// No bucket, or one with characters that a bucket cannot have.
    #[error("names no bucket or container")]
    Bucket,
    /// `abfss` without an account.
    #[error("names no account")]
    Account,
    /// Parts that are empty, `.` or `..`, or control characters.
    #[error("has a part that is empty, `.` or `..`, or a control character")]
    Key,
}

impl LocationError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Scheme => {
                "stores are s3://bucket/key, az://container/key and abfss://container@account.dfs.core.windows.net/key"
            }
            Self::Secret => {
                "give credentials by the environment, as AWS_ACCESS_KEY_ID or AZURE_STORAGE_ACCOUNT_KEY, or by a role"
            }
            Self::Bucket => "write it like s3://bucket/key",
            Self::Account => "write it like abfss://container@account.dfs.core.windows.net/key, or az://container/key",
            Self::Key => "write the key as the store lists it",
        }
    }
}

/// Whether a path of a config is a URL.
#[must_use]
pub fn is_url(path: &str) -> bool {
    let scheme = path.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl Location {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`LocationError`].
    pub fn parse(url: &str) -> Result<Self, LocationError> {
        let (scheme, rest) = url.split_once("://").ok_or(LocationError::Scheme)?;
        let (store, scheme) = match scheme {
            "s3" => (Store::S3, "s3"),
            "az" => (Store::Azure, "az"),
            "abfss" => (Store::Azure, "abfss"),
            _ => return Err(if holds_secret(rest) { LocationError::Secret } else { LocationError::Scheme }),
        };
        let (authority, key) = rest.split_once('/').unwrap_or((rest, ""));
        let bucket = match (scheme, authority.split_once('@')) {
            ("abfss", Some((container, host))) => {
                let account = host.strip_suffix(AZURE_HOST).ok_or(LocationError::Account)?;
                is_bucket(account).then_some(container).ok_or(LocationError::Account)?
            }
            ("abfss", None) => return Err(LocationError::Account),
            (_, Some(_)) => return Err(LocationError::Secret),
            (_, None) => authority,
        };
        if holds_secret(key) {
            return Err(LocationError::Secret);
        }
        if !is_bucket(bucket) {
            return Err(LocationError::Bucket);
        }
        let key = key.trim_end_matches('/');
        let wrong = |part: &str| matches!(part, "" | "." | "..") || part.contains(char::is_control);
        if !key.is_empty() && key.split('/').any(wrong) {
            return Err(LocationError::Key);
        }
        Ok(Self { store, scheme, authority: authority.to_owned(), key: key.to_owned() })
    }

    /// Bucket or container.
    #[must_use]
    pub fn bucket(&self) -> &str {
        self.authority.split('@').next().unwrap_or_default()
    }

    /// Account, where the URL says it.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.authority.split_once('@')?.1.strip_suffix(AZURE_HOST)
    }

    /// `scheme://bucket`, without the key.
    #[must_use]
    pub fn root(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// The whole URL.
    #[must_use]
    pub fn url(&self) -> String {
        if self.key.is_empty() { self.root() } else { format!("{}/{}", self.root(), self.key) }
    }

    /// Another key of the same bucket.
    #[must_use]
    pub fn at(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// A key below this one.
    #[must_use]
    pub fn join(&self, below: &str) -> Self {
        if self.key.is_empty() { self.at(below) } else { self.at(&format!("{}/{below}", self.key)) }
    }

    /// Whether the other is this place, or lies below it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        let same = (self.store, &self.authority) == (other.store, &other.authority);
        same && Utf8Path::new(&other.key).starts_with(&self.key)
    }

    /// Whether what this names as an input lies within an output, or would hold it.
    #[must_use]
    pub fn meets(&self, output: &Self) -> bool {
        let found = self.at(self.fixed());
        let goes_down = self.key.contains("**") || !self.is_pattern();
        output.holds(&found) || (goes_down && found.holds(output))
    }

    /// The part of the key before the first `*`, `?` or `[`, up to its last slash; the whole key without any.
    #[must_use]
    pub fn fixed(&self) -> &str {
        match self.key.find(['*', '?', '[']) {
            Some(wild) => self.key[..wild].rsplit_once('/').map_or("", |(folder, _)| folder),
            None => &self.key,
        }
    }

    /// Whether the key has wildcards.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        self.key.contains(['*', '?', '['])
    }

    /// Where it is spooled: `spool/s3/bucket/key`.
    #[must_use]
    pub fn spooled(&self, spool: &Utf8Path) -> Utf8PathBuf {
        let folder = spool.join(self.scheme).join(&self.authority);
        if self.key.is_empty() { folder } else { folder.join(&self.key) }
    }
}

fn is_bucket(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// A user before the host, or a query: `?` is a wildcard, but not before `name=` within a part of the key.
fn holds_secret(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let query = rest.split('/').any(|part| {
        let Some((name, _)) = part.split_once('?').and_then(|(_, query)| query.split_once('=')) else { return false };
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    authority.contains('@') || query
}

/// Whether a path leads into a spool.
#[must_use]
pub fn is_spooled(path: &Utf8Path) -> bool {
    path.components().any(|part| part.as_str().starts_with(SPOOL_PREFIX))
}

/// How a file is called: by its path, or by the URL that it was fetched from.
#[must_use]
pub fn shown(path: &Utf8Path) -> Cow<'_, str> {
    let mut parts = path.components().skip_while(|part| !part.as_str().starts_with(SPOOL_PREFIX)).skip(1);
    match parts.next().map(|scheme| scheme.as_str()) {
        Some(scheme @ ("s3" | "az" | "abfss")) => {
            let rest: Vec<&str> = parts.map(|part| part.as_str()).collect();
            Cow::Owned(format!("{scheme}://{}", rest.join("/")))
        }
        _ => Cow::Borrowed(path.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_written_back() {
        let cases = [
            ("s3://ledger/2026/*.parquet", "ledger", "2026/*.parquet", "2026"),
            ("az://tables/sales/", "tables", "sales", "sales"),
            ("abfss://tables@shop.dfs.core.windows.net/a/b=1/x?.parquet", "tables", "a/b=1/x?.parquet", "a/b=1"),
            ("s3://ledger", "ledger", "", ""),
            ("s3://ledger/**/x.parquet", "ledger", "**/x.parquet", ""),
        ];
        for (url, bucket, key, fixed) in cases {
            let location = Location::parse(url).unwrap();
            assert_eq!((location.bucket(), location.key.as_str(), location.fixed()), (bucket, key, fixed), "{url}");
            assert_eq!(location.url(), url.trim_end_matches('/'));
        }
        assert_eq!(Location::parse("abfss://t@shop.dfs.core.windows.net/a").unwrap().account(), Some("shop"));
    }

    #[test]
    fn what_is_no_url_of_a_store_is_told_without_its_secrets() {
        let cases = [
            ("gs://bucket/x", LocationError::Scheme),
            ("https://account.blob.core.windows.net/c/x", LocationError::Scheme),
            ("https://user:secret@host/x", LocationError::Secret),
            ("https://host/x?sig=secret", LocationError::Secret),
            ("s3://key:secret@bucket/x", LocationError::Secret),
            ("s3://reader@bucket/x", LocationError::Secret),
            ("az://c/x.parquet?sv=2020&sig=secret", LocationError::Secret),
            ("s3://bucket/x?X-Amz-Signature=secret", LocationError::Secret),
            ("s3:///x", LocationError::Bucket),
            ("s3://b*/x", LocationError::Bucket),
            ("abfss://c/x", LocationError::Account),
            ("abfss://c@elsewhere.example/x", LocationError::Account),
            ("s3://bucket/a//b", LocationError::Key),
            ("s3://bucket/a/../b", LocationError::Key),
            ("s3://bucket/a\nb", LocationError::Key),
        ];
        for (url, expected) in cases {
            assert_eq!(Location::parse(url).unwrap_err(), expected, "{url}");
            assert!(!format!("{expected} {}", expected.hint()).contains("secret"));
        }
        assert!(is_url("gs://x") && !is_url("a/b") && !is_url("://x") && !is_url("folder/s3://x"));
        // A wildcard before a partition is none.
        assert!(Location::parse("s3://bucket/y?/month=1/x.parquet").is_ok());
    }

    #[test]
    fn a_spooled_file_is_called_by_its_url() {
        for url in ["s3://ledger/a=1/x.parquet", "abfss://c@shop.dfs.core.windows.net/x.csv", "az://c/x"] {
            let path = Location::parse(url).unwrap().spooled(Utf8Path::new("/data/.spool-results-77"));
            assert_eq!(shown(&path), url);
        }
        for path in ["/data/ledger.parquet", "/data/.spool-results-77/results/x", "s3/bucket/x"] {
            assert_eq!(shown(Utf8Path::new(path)), path);
        }
    }

    #[test]
    fn an_input_meets_an_output_when_one_would_hold_the_other() {
        let meets =
            |input: &str, output: &str| Location::parse(input).unwrap().meets(&Location::parse(output).unwrap());
        for (input, output) in [
            ("s3://b/a", "s3://b/a/results"),
            ("s3://b/a/**/*.parquet", "s3://b/a/results"),
            ("s3://b/a/results/x.parquet", "s3://b/a/results"),
            ("s3://b/a/results/*.parquet", "s3://b"),
        ] {
            assert!(meets(input, output), "{input} {output}");
        }
        for (input, output) in [
            ("s3://b/a/*.parquet", "s3://b/a/results"),
            ("s3://b/a", "s3://b/ab"),
            ("s3://b/a", "s3://c/a"),
            ("s3://b/a", "az://b/a/results"),
        ] {
            assert!(!meets(input, output), "{input} {output}");
        }
    }
}
