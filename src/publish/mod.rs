//! Results on disk: Parquet datasets, written beside the output folder and put in place by renames at the end.

pub mod dataset;
pub mod folder;

use camino::Utf8PathBuf;
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
    /// A dataset whose columns are not those of its documentation: a bug.
    #[error("dataset `{dataset}`: {what}")]
    Contract {
        /// Dataset.
        dataset: &'static str,
        /// What differs.
        what: String,
    },
    /// Money that does not fit DECIMAL(18, …).
    #[error("dataset `{dataset}`: column `{column}` holds an amount of more than 18 digits")]
    Precision {
        /// Dataset.
        dataset: &'static str,
        /// Column.
        column: String,
    },
    /// A folder that holds something else.
    #[error("{path}: not empty, and not an output of whalecurve")]
    Foreign {
        /// Folder.
        path: Utf8PathBuf,
    },
}

impl PublishError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Foreign { .. } => Some("choose another folder with --output"),
            Self::Io { .. } | Self::Parquet { .. } => Some("check free space and permissions of the output folder"),
            Self::Precision { .. } => Some("check the amounts, or choose a currency with fewer minor digits"),
            Self::Contract { .. } => None,
        }
    }
}
