//! Input tables: files are found, their footers checked, and a lazy frame in schema columns is built.
//!
//! Nothing is decoded here. A [`Source`] knows its rows and columns from the footers alone.
//!
//! ```
//! use camino::Utf8Path;
//! use whalecurve::{read::footer::check, schema::inputs::Limits};
//!
//! // A footer is checked before anything is decoded.
//! let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/cdnow");
//! assert_eq!(check(&folder.join("transactions.parquet"), &Limits::default())?.rows, 6_919);
//! let error = check(&folder.join("README.md"), &Limits::default()).expect_err("no Parquet file");
//! assert!(error.to_string().contains("README.md"));
//! # Ok::<(), whalecurve::read::ReadError>(())
//! ```

mod columns;
mod exact;
mod fields;
pub mod files;
pub mod footer;
mod frames;
mod header;
mod pages;
mod partitions;
pub mod peek;
pub(crate) mod predicate;
pub mod pseudonym;
mod refusal;
mod role;
pub mod scan;
mod types;
mod unread;
mod uses;

use camino::Utf8PathBuf;
use thiserror::Error;

pub use footer::Footer;
pub use partitions::ROOT;
pub(crate) use refusal::Refusal;
pub use scan::{Source, extensions, open, open_all};
pub(crate) use unread::plain_reason;

use crate::schema::location::shown;

/// What can be wrong with an input before its rows are read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A path or glob matched nothing.
    #[error("{table}: `{path}` names no file")]
    NoFile {
        /// Input table.
        table: &'static str,
        /// As written in the config.
        path: String,
    },
    /// A glob that cannot be read as one.
    #[error("{table}: `{path}` is no valid glob: {reason}")]
    Glob {
        /// Input table.
        table: &'static str,
        /// As written in the config.
        path: String,
        /// What the pattern parser says.
        reason: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", shown(.file))]
    Io {
        /// File or folder.
        file: Utf8PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A pipe, socket, device or folder in the place of a file.
    #[error("{}: this is no file", shown(.file))]
    Irregular {
        /// What it is called.
        file: Utf8PathBuf,
    },
    /// Folders `key=value` that do not make a column.
    #[error("{}: {reason}", shown(.file))]
    Partition {
        /// File that is in such a folder, or is not.
        file: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A column of a type that is not read.
    #[error("{}: column `{column}` is {found}, which is not read", shown(.file))]
    UnreadType {
        /// The file.
        file: Utf8PathBuf,
        /// Its column.
        column: String,
        /// Its type.
        found: String,
    },
    /// CSV files of one table with different headers, or a header with a name twice.
    #[error("{}: {reason}", shown(.file))]
    Header {
        /// The file.
        file: Utf8PathBuf,
        /// What is wrong with its header.
        reason: String,
    },
    /// A file that is no Parquet file, or a damaged one.
    #[error("{}: not a readable Parquet file: {reason}", shown(.file))]
    Footer {
        /// Damaged file.
        file: Utf8PathBuf,
        /// What the footer check found.
        reason: String,
    },
    /// A file that was written, replaced or cut while it was read.
    #[error("{}: changed while it was read", shown(.file))]
    Changed {
        /// The file.
        file: Utf8PathBuf,
    },
    /// A mapped column is not in the file.
    #[error("{}: no column `{column}` (mapped to `{table}.{role}`); the file has: {known}", shown(.file))]
    MissingColumn {
        /// File.
        file: Utf8PathBuf,
        /// Column as the config names it.
        column: String,
        /// Input table.
        table: &'static str,
        /// Our name of it.
        role: String,
        /// Columns that are there.
        known: String,
    },
    /// A mapped column of a type that its role cannot have.
    #[error("{}: column `{column}` is {found}, expected {expected} for `{table}.{role}`", shown(.file))]
    ColumnType {
        /// File.
        file: Utf8PathBuf,
        /// Column as the config names it.
        column: String,
        /// Input table.
        table: &'static str,
        /// Our name of it.
        role: String,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A footer that says more than the config allows.
    #[error("{}: {found} {what}; `limits.{name}` allows {limit}", shown(.file))]
    Limit {
        /// The file.
        file: Utf8PathBuf,
        /// What is counted.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// Name of the limit.
        name: &'static str,
        /// How much may be.
        limit: u64,
    },
    /// Two files of one table disagree about a mapped column.
    #[error("{}: column `{column}` is {found}, but {first} in `{}`", shown(.file), shown(.first_file))]
    SchemaDrift {
        /// File that differs.
        file: Utf8PathBuf,
        /// Column.
        column: String,
        /// Its type there.
        found: String,
        /// Type in the first file.
        first: String,
        /// First file of the table.
        first_file: Utf8PathBuf,
    },
    /// A SQL predicate that Polars cannot read.
    #[error("{table}: `where` is no valid SQL predicate: {reason}")]
    Predicate {
        /// Input table or driver.
        table: String,
        /// What the SQL parser says.
        reason: String,
    },
    /// A predicate that adds up, or counts, over other rows than the one that it is about.
    #[error(
        "{table}: `where` needs more rows than the one that it is about: it has an aggregate, a window or a subquery"
    )]
    OtherRows {
        /// Input table or driver.
        table: String,
    },
    /// Ids that are to be pseudonyms and stand in the names of folders.
    #[error(
        "{table}: `{role}` is mapped to `{column}`, the key of a folder, and `ids: keyed_hash` cannot hide the names of folders"
    )]
    IdsInFolders {
        /// Input table.
        table: &'static str,
        /// Our name of the column.
        role: String,
        /// Key of the folders.
        column: String,
    },
    /// A scan that failed while pages were decoded.
    #[error("{table}: reading failed: {reason}")]
    Scan {
        /// Input table.
        table: &'static str,
        /// Kind of failure, without cell values.
        reason: String,
    },
    /// A file whose pages cannot be decoded.
    #[error("{}: reading failed: {reason}", shown(.file))]
    Decode {
        /// Damaged file.
        file: Utf8PathBuf,
        /// Kind of failure, without cell values.
        reason: String,
    },
    /// A column whose values are not read, in a file that is whole.
    #[error("{}: {reason}", shown(.file))]
    UnreadValues {
        /// The file.
        file: Utf8PathBuf,
        /// The column, and what it is.
        reason: String,
    },
    /// A cell that a predicate cannot work out, such as a CAST of a text that is no number.
    #[error(
        "{table}: a `where` could not be worked out for a row: a CAST, or a date of a text, that does not fit its cell"
    )]
    PredicateOfRow {
        /// Input table.
        table: &'static str,
    },
    /// A file that is whole, and of a kind that is not read.
    #[error("{}: {reason}", shown(.file))]
    Foreign {
        /// The file.
        file: Utf8PathBuf,
        /// What is not read.
        reason: String,
    },
    /// The rows that came out are not the rows that the footers promise.
    #[error("{table}: the footers promise {promised} rows, {found} were read")]
    RowCount {
        /// Input table.
        table: &'static str,
        /// Rows by the footers.
        promised: u64,
        /// Rows read.
        found: u64,
    },
}

impl ReadError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoFile { .. } => {
                "input paths are relative to the config file; folders are read with their subfolders, and hold CSV where \
                 `format: csv` stands beside `path`"
            }
            Self::Glob { .. } => "`*` matches within a folder, `**` across folders",
            Self::Io { .. } => "check that the file exists and that this user may read it",
            Self::Footer { .. } | Self::Decode { .. } | Self::RowCount { .. } => {
                "the file is damaged or cut short: write it again"
            }
            Self::Irregular { .. } => "write the table into a file, and name that",
            Self::Partition { .. } => {
                "folders `key=value` below a table's path are columns: the same in every file's path, and in no file"
            }
            Self::UnreadType { .. } => "leave the column out, or cast it where the file is written",
            Self::Header { .. } => "write all files of a table with one header, which names each column once",
            Self::Changed { .. } => "run it again when nothing writes to the inputs any longer",
            Self::Foreign { .. } | Self::UnreadValues { .. } => "write the file as docs/inputs.md says",
            Self::PredicateOfRow { .. } => {
                "TRY_CAST is null where CAST fails: write it in the `where` of the table and of its drivers"
            }
            Self::MissingColumn { .. } => "map the file's own column name under `columns`",
            Self::ColumnType { .. } => "cast the column where the file is written",
            Self::Limit { .. } => "if the file is right, raise the limit in the config",
            Self::SchemaDrift { .. } => "write all files of a table with one schema",
            Self::Predicate { .. } => {
                "a predicate is SQL over the file's own columns, as in: amount > 0 AND channel = 'web'"
            }
            Self::OtherRows { .. } => {
                "work it out where the file is written, as a column, and name that column in `where`"
            }
            Self::IdsInFolders { .. } => "write the ids as a column of the files, below folders of another key",
            Self::Scan { reason, .. } => return Refusal::of(reason).map(Refusal::hint),
        })
    }
}
