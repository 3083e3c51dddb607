//! Results on disk: Parquet datasets, written beside the output folder and put in its place in one step at the end.
//!
//! One run at a time holds an output ([`folder::Staging`]). It writes into a hidden folder beside it, waits until
//! everything is on the disk, has read every file again and compared the sums that must tie ([`check`]), and exchanges the two folders. Killed at any
//! instant, it leaves the old output or the new one, whole; the next run clears away the rest.
//!
//! ```
//! use camino::Utf8PathBuf;
//! use whalecurve::publish::{PublishError, folder::Staging};
//!
//! let scratch = tempfile::tempdir().expect("a scratch folder");
//! let output = Utf8PathBuf::from_path_buf(scratch.path().join("results")).expect("a path of text");
//! let staging = Staging::new(&output)?;
//! staging.write("run_manifest.json", "{}")?;
//! assert!(!output.exists(), "nobody sees what is not finished");
//! assert!(matches!(Staging::new(&output), Err(PublishError::Locked { .. })), "one run at a time");
//! staging.commit()?;
//! assert!(output.join("run_manifest.json").exists() && output.join("_SUCCESS").exists());
//! # Ok::<(), PublishError>(())
//! ```

pub mod beside;
pub mod check;
mod coded;
pub mod columns;
pub mod contents;
pub mod dataset;
mod fault;
pub mod folder;
mod lock;
mod part;
pub mod probe;
mod reconcile;
mod swap;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

/// What can go wrong while results are written.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// File or folder.
        path: Utf8PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The Parquet writer refused.
    #[error("{path}: cannot write Parquet: {source}")]
    Parquet {
        /// File.
        path: Utf8PathBuf,
        /// What the writer says.
        source: parquet::errors::ParquetError,
    },
    /// The Parquet reader refused what was written before.
    #[error("{path}: cannot read Parquet: {source}")]
    Unreadable {
        /// File.
        path: Utf8PathBuf,
        /// What the reader says.
        source: parquet::errors::ParquetError,
    },
    /// A dataset whose columns are not those of its documentation: a bug.
    #[error("dataset `{dataset}`: {what}")]
    Contract {
        /// Dataset.
        dataset: &'static str,
        /// What differs.
        what: String,
    },
    /// Money or a quantity that does not fit DECIMAL(18, …).
    #[error("dataset `{dataset}`: column `{column}` holds an amount of more than 18 digits")]
    Precision {
        /// Dataset.
        dataset: &'static str,
        /// Column.
        column: String,
        /// Whether it is a quantity and no money.
        quantity: bool,
    },
    /// Another run holds the output.
    #[error("{path}: another run{} writes to this output", .process.map(|process| format!(" (process {process})")).unwrap_or_default())]
    Locked {
        /// The lock file.
        path: Utf8PathBuf,
        /// The process that holds it, where the file says so.
        process: Option<u32>,
    },
    /// A symbolic link where a file or folder of ours should be.
    #[error("{path}: is a symbolic link; outputs are not written through links")]
    Link {
        /// The link.
        path: Utf8PathBuf,
    },
    /// Something that is not a folder in the place of the output.
    #[error("{path}: is not a folder")]
    NotAFolder {
        /// What stands there.
        path: Utf8PathBuf,
    },
    /// An output that would be read by its own run, or would replace what it reads.
    #[error("{path}: the output and the input {input} lie within each other")]
    Input {
        /// Output folder.
        path: Utf8PathBuf,
        /// Input file or folder.
        input: Utf8PathBuf,
    },
    /// What was written and what is there differ.
    #[error("{path}: {what}")]
    Damaged {
        /// File or folder.
        path: Utf8PathBuf,
        /// The rule that is broken.
        what: String,
    },
    /// An output that a run has replaced while it was read.
    #[error("{path}: a run has replaced this output meanwhile")]
    Replaced {
        /// The output.
        path: Utf8PathBuf,
    },
    /// A mount point in the place of the output: the system moves none.
    #[error("{path}: is a mount point, which no other folder can take the place of")]
    Mount {
        /// The folder.
        path: Utf8PathBuf,
    },
    /// Sums of the results that do not tie: a bug, or a disk that lies.
    #[error("dataset `{dataset}`: {what}")]
    Untied {
        /// Dataset.
        dataset: String,
        /// Which sums, in minor units.
        what: String,
    },
    /// A folder that holds something else.
    #[error("{path}: not empty, and not an output of whalecurve")]
    Foreign {
        /// Folder.
        path: Utf8PathBuf,
    },
}

impl PublishError {
    /// The input of [`Self::Input`].
    #[must_use]
    pub fn input(&self) -> Option<&Utf8Path> {
        if let Self::Input { input, .. } = self { Some(input) } else { None }
    }

    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Foreign { .. } | Self::NotAFolder { .. } | Self::Input { .. } => {
                Some("choose another folder with --output")
            }
            Self::Locked { .. } => {
                Some("try again when it has ended; a lock ends with its process, so none is ever stale")
            }
            Self::Replaced { .. } => Some("try again when no run writes to it"),
            Self::Mount { .. } => Some("name a folder below it with --output"),
            Self::Link { .. } => Some("name the folder itself with --output"),
            Self::Damaged { .. } | Self::Unreadable { .. } => {
                Some("check the disk, and run it again: a rerun gives the same bytes")
            }
            Self::Io { .. } | Self::Parquet { .. } => Some("check free space and permissions of the output folder"),
            Self::Precision { quantity: true, .. } => {
                Some("check the driver quantities, or choose a larger unit: 12 digits before the point are kept")
            }
            Self::Precision { .. } => Some("check the amounts, or choose a currency with fewer minor digits"),
            Self::Contract { .. } | Self::Untied { .. } => None,
        }
    }
}

/// An error of the operating system at a path.
fn io(path: &Utf8Path) -> impl FnOnce(std::io::Error) -> PublishError {
    let path = path.to_owned();
    move |source| PublishError::Io { path, source }
}
