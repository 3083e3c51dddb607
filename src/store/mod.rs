//! Object stores: tables are fetched into a spool folder before they are read, results are uploaded after they are written.
//!
//! Nothing else of the engine knows a store: a run reads and writes folders. Objects are fetched by the ETag that they were
//! listed with, so a table is one state of the store or none. Results go under keys of their own, `run=…/`, which nobody sees
//! before one conditional write of the pointer `_CURRENT.json` names them.
//!
//! Without the feature `stores` there is no client: the same functions say so.

#[cfg(not(feature = "stores"))]
mod absent;
#[cfg(feature = "stores")]
mod client;
#[cfg(feature = "stores")]
mod fetch;
#[cfg(feature = "stores")]
mod http;
mod pointer;
#[cfg(feature = "stores")]
mod publish;
pub mod spool;
#[cfg(test)]
#[cfg(feature = "stores")]
mod tests;

use camino::Utf8PathBuf;
use thiserror::Error;

#[cfg(not(feature = "stores"))]
pub use absent::{Stores, post};
#[cfg(feature = "stores")]
pub use client::Stores;
#[cfg(feature = "stores")]
pub use http::post;
pub use pointer::{POINTER, Pointer, Stored};

use crate::schema::location::Location;

/// Whether this build has object stores.
pub const BUILT: bool = cfg!(feature = "stores");

/// An object as it was listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Where it is.
    pub location: Location,
    /// Size in bytes.
    pub bytes: u64,
    /// What tells this content of it from any other.
    pub etag: Option<String>,
}

/// How much of an object is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// All of it.
    Whole,
    /// The footer of a Parquet file; the rest is a hole of its size.
    Footer,
}

/// Where results have been put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Their folder, which never changes.
    pub run: Location,
    /// Objects of them.
    pub objects: usize,
    /// Folders of older runs that are gone.
    pub removed: Vec<String>,
}

/// An output that a run is to replace, as it stood when the run began.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Where it is.
    pub output: Location,
    /// What stood there.
    pub current: Option<Pointer>,
    /// ETag of the pointer.
    #[cfg(feature = "stores")]
    etag: Option<String>,
}

/// What can go wrong with a store. Nothing that the store answers is repeated but its status and its error code.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A build without stores.
    #[error("{url}: this build of whalecurve has no object stores")]
    NotBuilt {
        /// What was named.
        url: String,
    },
    /// No such bucket, container or object.
    #[error("{url}: there is no such {what}")]
    NotFound {
        /// What was asked for.
        url: String,
        /// `bucket or container`, `object`, `output of whalecurve`.
        what: &'static str,
    },
    /// The credentials do not allow it.
    #[error("{url}: access denied ({reason})")]
    Denied {
        /// What was asked for.
        url: String,
        /// The store's code.
        reason: String,
    },
    /// No credentials, or incomplete ones.
    #[error("{url}: no credentials for this store were found")]
    NoCredentials {
        /// What was asked for.
        url: String,
    },
    /// No answer, or one that asks for patience, after all retries.
    #[error("{url}: the store is not available: {reason}")]
    Unavailable {
        /// What was asked for.
        url: String,
        /// In a few words.
        reason: String,
    },
    /// Another answer.
    #[error("{url}: the store refused: {reason}")]
    Refused {
        /// What was asked for.
        url: String,
        /// Status and the store's code.
        reason: String,
    },
    /// An object that is no longer what was listed.
    #[error("{url}: changed while it was fetched")]
    Changed {
        /// The object.
        url: String,
    },
    /// A spool that cannot be written or read.
    #[error("{url}: cannot be kept in the spool folder: {source}")]
    Spool {
        /// What was fetched, or the folder.
        url: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A spool that is too small.
    #[error("{folder}: the inputs in object stores need {needed} MiB, and {free} MiB are free there")]
    Room {
        /// Where the spool is.
        folder: Utf8PathBuf,
        /// What is to be fetched.
        needed: u64,
        /// What the file system has.
        free: u64,
    },
    /// Another run has put its results there since this one began.
    #[error("{url}: another run has replaced this output meanwhile; nothing of this run is visible")]
    Lost {
        /// The output.
        url: String,
    },
    /// A pointer that this version does not know.
    #[error("{url}: is no pointer of this version of whalecurve")]
    Foreign {
        /// The pointer.
        url: String,
    },
    /// Objects that are not what was uploaded.
    #[error("{url}: {what}")]
    Damaged {
        /// The object.
        url: String,
        /// What differs.
        what: String,
    },
    /// Inputs and output within each other.
    #[error("{url}: the output and the input {input} lie within each other")]
    Overlap {
        /// The output.
        url: String,
        /// The input.
        input: String,
    },
}

impl StoreError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotBuilt { .. } => "build it with `cargo build --release --features stores`",
            Self::NotFound { .. } => "check the name, the account and the region (AWS_REGION)",
            Self::Denied { .. } => {
                "check the credentials of the environment or the role: it needs to list, read and, for outputs, write and delete"
            }
            Self::NoCredentials { .. } => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or run with a role"
            }
            Self::Unavailable { .. } => "try again later; for another endpoint set AWS_ENDPOINT_URL",
            Self::Refused { .. } => {
                "check the region (AWS_REGION), the endpoint and whether the credentials have expired"
            }
            Self::Changed { .. } => "run it again when nothing writes to the inputs any longer",
            Self::Spool { .. } | Self::Room { .. } => {
                "check free space and permissions, or name a roomier folder with `spool` in the config"
            }
            Self::Lost { .. } => "try again",
            Self::Damaged { .. } => "run it again: the same inputs and config give the same bytes",
            Self::Foreign { .. } | Self::Overlap { .. } => "choose another prefix with --output",
        }
    }

    /// Exit code: 75 for what may go better later, 2 for a wrong config or build, 3 for results that are not what they were, 1
    /// for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unavailable { .. } | Self::Lost { .. } => 75,
            Self::NotBuilt { .. } | Self::Overlap { .. } => 2,
            Self::Damaged { .. } => 3,
            _ => 1,
        }
    }
}

/// A spool folder that cannot be used.
fn spool_error(path: &Utf8PathBuf) -> impl FnOnce(std::io::Error) -> StoreError {
    let url = path.to_string();
    move |source| StoreError::Spool { url, source }
}
