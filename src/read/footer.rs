//! Footers are read with the `parquet` crate before Polars decodes a page: some damaged files make decoders panic.

use std::{fs::File, panic};

use camino::{Utf8Path, Utf8PathBuf};
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
}

/// Reads and checks one footer: magic, metadata, and row counts that add up and are not negative.
///
/// # Errors
/// [`ReadError::Io`], [`ReadError::Footer`].
pub fn check(file: &Utf8Path) -> Result<Footer, ReadError> {
    let io = |source| ReadError::Io { file: file.to_owned(), source };
    let bad = |reason: String| ReadError::Footer { file: file.to_owned(), reason };
    let handle = File::open(file).map_err(io)?;
    let bytes = handle.metadata().map_err(io)?.len();
    let parsed = panic::catch_unwind(|| ParquetMetaDataReader::new().parse_and_finish(&handle));
    let metadata = parsed
        .map_err(|_| bad("the footer makes no sense".to_owned()))?
        .map_err(|error| bad(first_line(&error.to_string())))?;
    let rows = metadata.file_metadata().num_rows();
    let rows = u64::try_from(rows).map_err(|_| bad("the footer counts a negative number of rows".to_owned()))?;
    check_row_groups(&metadata, rows, bytes).map_err(bad)?;
    Ok(Footer { file: file.to_owned(), bytes, rows, row_groups: metadata.num_row_groups() as u64 })
}

fn check_row_groups(metadata: &ParquetMetaData, rows: u64, bytes: u64) -> Result<(), String> {
    let mut sum = 0_u64;
    for group in metadata.row_groups() {
        let group_rows = u64::try_from(group.num_rows()).map_err(|_| "a row group has a negative row count")?;
        sum = sum.checked_add(group_rows).ok_or("row counts overflow")?;
        for column in group.columns() {
            let (start, length) = column.byte_range();
            if start.checked_add(length).is_none_or(|end| end > bytes) {
                return Err("a column chunk lies outside the file".to_owned());
            }
        }
    }
    if sum == rows { Ok(()) } else { Err("the row groups do not add up to the footer's row count".to_owned()) }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
