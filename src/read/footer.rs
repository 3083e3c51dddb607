//! Footers are read with the `parquet` crate before Polars decodes a page: some damaged files make decoders panic.

use std::{
    fs::{self, File, Metadata},
    os::unix::fs::MetadataExt,
    panic::{self, AssertUnwindSafe},
};

use camino::{Utf8Path, Utf8PathBuf};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::ReadError;

/// What a file's footer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// The file.
    pub file: Utf8PathBuf,
    /// Size in bytes.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
    /// Row groups.
    pub row_groups: u64,
    /// Which file it was, and when it was last written.
    pub state: State,
}

/// What tells whether a file has been written or replaced since: device, inode, size, and time of the last change to the
/// nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State([i64; 5]);

impl State {
    /// The state of a file.
    #[must_use]
    pub fn of(file: &Metadata) -> Self {
        Self([file.dev() as i64, file.ino() as i64, file.size() as i64, file.mtime(), file.mtime_nsec()])
    }
}

impl Footer {
    /// Whether the file is still what it was when its footer was read.
    ///
    /// # Errors
    /// [`ReadError::Changed`], [`ReadError::Io`].
    pub fn unchanged(&self) -> Result<(), ReadError> {
        match fs::metadata(&self.file) {
            Ok(now) if State::of(&now) == self.state => Ok(()),
            Ok(_) => Err(ReadError::Changed { file: self.file.clone() }),
            Err(source) => Err(ReadError::Io { file: self.file.clone(), source }),
        }
    }
}

/// Reads and checks one footer: magic, metadata, and row counts that add up and are not negative.
///
/// # Errors
/// [`ReadError::Io`], [`ReadError::Footer`].
pub fn check(file: &Utf8Path) -> Result<Footer, ReadError> {
    let io = |source| ReadError::Io { file: file.to_owned(), source };
    let bad = |reason: String| ReadError::Footer { file: file.to_owned(), reason };
    let handle = File::open(file).map_err(io)?;
    let metadata = handle.metadata().map_err(io)?;
    let (bytes, state) = (metadata.len(), State::of(&metadata));
    let parsed = panic::catch_unwind(|| ParquetMetaDataReader::new().parse_and_finish(&handle));
    let metadata = parsed
        .map_err(|_| bad("the footer makes no sense".to_owned()))?
        .map_err(|error| bad(first_line(&error.to_string())))?;
    let rows = metadata.file_metadata().num_rows();
    let rows = u64::try_from(rows).map_err(|_| bad("the footer counts a negative number of rows".to_owned()))?;
    check_row_groups(&metadata, rows, bytes).map_err(bad)?;
    check_schemas(&metadata).map_err(bad)?;
    Ok(Footer { file: file.to_owned(), bytes, rows, row_groups: metadata.num_row_groups() as u64, state })
}

fn check_row_groups(metadata: &ParquetMetaData, rows: u64, bytes: u64) -> Result<(), String> {
    let mut sum = 0_u64;
    for group in metadata.row_groups() {
        let group_rows = u64::try_from(group.num_rows()).map_err(|_| "a row group has a negative row count")?;
        sum = sum.checked_add(group_rows).ok_or("row counts overflow")?;
        for column in group.columns() {
            let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
            let (Ok(start), Ok(length)) = (u64::try_from(start), u64::try_from(column.compressed_size())) else {
                return Err("a column chunk has a negative place or size".to_owned());
            };
            if start.checked_add(length).is_none_or(|end| end > bytes) {
                return Err("a column chunk lies outside the file".to_owned());
            }
        }
    }
    if sum == rows { Ok(()) } else { Err("the row groups do not add up to the footer's row count".to_owned()) }
}

/// A footer that Arrow has written holds its schema twice, and readers take names and types from either: a column that the two
/// name differently would be read as nulls.
fn check_schemas(metadata: &ParquetMetaData) -> Result<(), String> {
    let file = metadata.file_metadata();
    let read = || parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata());
    let read = panic::catch_unwind(AssertUnwindSafe(read)).map_err(|_| "the footer's schema makes no sense")?;
    match read {
        // Types that are beyond this reader are for the scan to judge.
        Err(error) if error.to_string().contains("incompatible arrow schema") => {
            Err("the footer holds two schemas that differ".to_owned())
        }
        _ => Ok(()),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
