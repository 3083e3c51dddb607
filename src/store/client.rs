//! Clients of stores, opened once each, and their errors in our words.
//!
//! Credentials come from the environment (`AWS_…`, `AZURE_…`), the files that it names, or the machine's role, as the crate
//! `object_store` finds them.

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use object_store::{
    BackoffConfig, Error, ObjectStore, RetryConfig,
    aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder,
    client::{HttpError, HttpErrorKind},
    path::Path,
};
use tokio::runtime::{Builder, Runtime};

use super::{StoreError, http::Connector};
use crate::schema::location::{Location, Store};

/// Times that a request is repeated, and for how long at most.
const RETRIES: usize = 8;
const RETRY_FOR: Duration = Duration::from_mins(1);

/// Pauses between them: doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Threads that wait for the network.
const THREADS: usize = 2;

/// Where every machine's role is asked for its credentials.
const METADATA: &str = "169.254.169.254";

/// Clients of stores. No socket is opened before one is asked for.
#[derive(Debug)]
pub struct Stores {
    pub(super) runtime: Runtime,
    open: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>,
}

impl Stores {
    /// No client yet.
    ///
    /// # Errors
    /// [`StoreError::Spool`] when the system gives no threads.
    pub fn new() -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).thread_name("stores").enable_all().build();
        let runtime = runtime.map_err(|source| StoreError::Spool { url: "stores".to_owned(), source })?;
        Ok(Self { runtime, open: Mutex::new(BTreeMap::new()) })
    }

    /// The client of a bucket or container.
    ///
    /// # Errors
    /// [`StoreError::NoCredentials`], [`StoreError::Refused`].
    pub(super) fn of(&self, location: &Location) -> Result<Arc<dyn ObjectStore>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let root = location.root();
        if let Some(store) = open.get(&root) {
            return Ok(Arc::clone(store));
        }
        let store = connect(location)?;
        open.insert(root, Arc::clone(&store));
        Ok(store)
    }

    /// The same stores with one that is given.
    #[cfg(test)]
    pub(super) fn with(location: &Location, store: Arc<dyn ObjectStore>) -> Self {
        let stores = Self::new().unwrap();
        stores.open.lock().unwrap().insert(location.root(), store);
        stores
    }
}

fn connect(location: &Location) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let backoff = BackoffConfig { init_backoff: FIRST_PAUSE, max_backoff: LONGEST_PAUSE, base: 2.0 };
    let retry = RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_FOR };
    let store: Result<Arc<dyn ObjectStore>, Error> = match location.store {
        Store::S3 => AmazonS3Builder::from_env()
            .with_bucket_name(location.bucket())
            .with_retry(retry)
            .with_http_connector(Connector)
            .build()
            .map(|store| Arc::new(store) as _),
        Store::Azure => {
            let mut builder = MicrosoftAzureBuilder::from_env().with_container_name(location.bucket());
            if let Some(account) = location.account() {
                builder = builder.with_account(account);
            }
            builder.with_retry(retry).with_http_connector(Connector).build().map(|store| Arc::new(store) as _)
        }
    };
    // Whatever is missing here is a part of the credentials; the text may repeat the other parts.
    store.map_err(|_| StoreError::NoCredentials { url: location.root() })
}

/// The key of a location, as the crate wants it.
///
/// # Errors
/// [`StoreError::Refused`].
pub(super) fn path(location: &Location) -> Result<Path, StoreError> {
    let refused = |_| StoreError::Refused { url: location.url(), reason: "the key is not valid".to_owned() };
    Path::parse(&location.key).map_err(refused)
}

/// A store's error in our words.
///
/// * `what`: what is not there when the store says so.
pub(super) fn told(error: &Error, location: &Location, what: &'static str) -> StoreError {
    let url = location.url();
    let text = chain(error);
    // Some requests, such as listings, come without a kind of their own, but with the status.
    let status = match error {
        Error::NotFound { .. } => Some(404),
        Error::PermissionDenied { .. } => Some(403),
        Error::Unauthenticated { .. } => Some(401),
        Error::Precondition { .. } | Error::NotModified { .. } => Some(412),
        _ => status(&text),
    };
    let reason = reason(&text);
    match status {
        _ if text.contains(METADATA) => StoreError::NoCredentials { url: location.root() },
        Some(404) if text.contains("NoSuchBucket") || text.contains("ContainerNotFound") => {
            StoreError::NotFound { url: location.root(), what: "bucket or container" }
        }
        Some(404) => StoreError::NotFound { url, what },
        Some(401 | 403) => StoreError::Denied { url, reason: reason.unwrap_or_else(|| "no reason given".to_owned()) },
        Some(412) => StoreError::Changed { url },
        // 501 is of a store that does not know conditional writes: no patience helps.
        Some(408 | 429 | 500 | 502..=599) => {
            StoreError::Unavailable { url, reason: reason.unwrap_or_else(|| "no reason given".to_owned()) }
        }
        Some(_) => StoreError::Refused { url, reason: reason.unwrap_or_else(|| "no reason given".to_owned()) },
        None => match transport(error) {
            Some(HttpErrorKind::Timeout) => {
                StoreError::Unavailable { url, reason: "it did not answer in time".to_owned() }
            }
            Some(HttpErrorKind::Connect) => StoreError::Unavailable { url, reason: "it cannot be reached".to_owned() },
            Some(HttpErrorKind::Unknown) => {
                let reason = "no request can be sent; AWS_ALLOW_HTTP=true allows an endpoint without TLS".to_owned();
                StoreError::Refused { url, reason }
            }
            Some(_) => StoreError::Unavailable { url, reason: "the connection broke".to_owned() },
            None => StoreError::Refused { url, reason: "an answer that makes no sense".to_owned() },
        },
    }
}

/// The texts of an error and its sources. They are looked at, never shown: answers of a store may hold parts of credentials.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push('\n');
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// What the connection did, where no answer came.
fn transport(error: &Error) -> Option<HttpErrorKind> {
    let mut current: &(dyn StdError + 'static) = error;
    loop {
        if let Some(found) = current.downcast_ref::<HttpError>() {
            return Some(found.kind());
        }
        current = current.source()?;
    }
}

/// The status of the answer.
fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// Status and the store's own code, such as `403 SignatureDoesNotMatch`.
fn reason(text: &str) -> Option<String> {
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let code = code.filter(|code| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let parts: Vec<String> =
        status(text).map(|status| status.to_string()).into_iter().chain(code.map(str::to_owned)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
