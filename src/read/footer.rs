//! Footers are read with the `parquet` crate before Polars decodes a page: some damaged files make decoders panic.

use std::{
    collections::BTreeMap,
    fs::{self, File, Metadata},
    os::unix::fs::MetadataExt,
    panic::{self, AssertUnwindSafe},
};

use arrow_schema::DataType;
use camino::{Utf8Path, Utf8PathBuf};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::{
    metadata::{ParquetMetaData, ParquetMetaDataReader},
    statistics::Statistics,
};

use super::{ReadError, header, pages, types};
use crate::schema::inputs::Limits;

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
    /// Smallest and largest customer id (of integers) and day, where the ledger's statistics tell them.
    pub bounds: [Option<(i64, i64)>; 2],
    /// Which file it was, and when it was last written.
    pub state: State,
    /// Types of the columns that are not nested, by the Parquet schema alone; none of a CSV.
    pub types: BTreeMap<String, DataType>,
    /// Whether its pages have checksums.
    pub checksums: bool,
    /// BLAKE3 of its columns with their types, nested ones as well; `None` of a CSV.
    pub schema_digest: Option<String>,
}

/// What tells whether a file has been written or replaced since: device, inode, size, and to the nanosecond the times of the last
/// change of its bytes, which a writer can set back, and of what the system notes of it, which none can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State([i64; 7]);

impl State {
    /// The state of a file.
    #[must_use]
    pub fn of(file: &Metadata) -> Self {
        let (written, noted) = ([file.mtime(), file.mtime_nsec()], [file.ctime(), file.ctime_nsec()]);
        let [dev, ino, size] = [file.dev(), file.ino(), file.size()].map(|number| number as i64);
        Self([dev, ino, size, written[0], written[1], noted[0], noted[1]])
    }
}

/// What the system knows of a file, which is no pipe, socket or device: to open a pipe is to wait for ever.
///
/// # Errors
/// [`ReadError::Irregular`], [`ReadError::Io`].
pub(super) fn regular(file: &Utf8Path) -> Result<Metadata, ReadError> {
    match fs::metadata(file) {
        Ok(metadata) if metadata.is_file() => Ok(metadata),
        Ok(_) => Err(ReadError::Irregular { file: file.to_owned() }),
        Err(source) => Err(ReadError::Io { file: file.to_owned(), source }),
    }
}

impl Footer {
    /// Of a CSV file, which has none.
    ///
    /// # Errors
    /// [`ReadError::Irregular`], [`ReadError::Io`], [`ReadError::Foreign`] when it is UTF-16, or its lines end in CR alone.
    pub(super) fn of_csv(file: &Utf8Path) -> Result<Self, ReadError> {
        let metadata = regular(file)?;
        let foreign = |reason: &str| Err(ReadError::Foreign { file: file.to_owned(), reason: reason.to_owned() });
        if header::is_utf16(file) {
            return foreign("it is UTF-16 text; a CSV is UTF-8");
        }
        if header::ends_in_cr(file) {
            return foreign("its lines end in CR alone; those of a CSV end in LF, or in CR and LF");
        }
        let (bytes, state, types) = (metadata.len(), State::of(&metadata), BTreeMap::new());
        Ok(Self {
            file: file.to_owned(),
            bytes,
            rows: 0,
            row_groups: 0,
            bounds: [None; 2],
            state,
            types,
            checksums: false,
            schema_digest: None,
        })
    }

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
/// [`ReadError::Io`], [`ReadError::Irregular`], [`ReadError::Footer`], [`ReadError::Limit`].
pub fn check(file: &Utf8Path, limits: &Limits) -> Result<Footer, ReadError> {
    check_with(file, limits, [None; 2])
}

/// The same, with the bounds of the columns that hold customer ids and days.
///
/// # Errors
/// As [`check`].
pub fn check_with(file: &Utf8Path, limits: &Limits, columns: [Option<&str>; 2]) -> Result<Footer, ReadError> {
    let io = |source| ReadError::Io { file: file.to_owned(), source };
    let bad = |reason: String| ReadError::Footer { file: file.to_owned(), reason };
    regular(file)?;
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
    check_size(file, &metadata, limits)?;
    check_schemas(&metadata).map_err(bad)?;
    let bounds = columns.map(|column| bounds(&metadata, column?));
    let types = panic::catch_unwind(AssertUnwindSafe(|| types::of(&metadata)));
    Ok(Footer {
        file: file.to_owned(),
        bytes,
        rows,
        row_groups: metadata.num_row_groups() as u64,
        bounds,
        state,
        types: types.map_err(|_| bad("the footer's schema makes no sense".to_owned()))?,
        checksums: pages::has_checksums(&handle, &metadata),
        schema_digest: Some(schema_digest(&metadata)),
    })
}

/// Equal for files with the same columns in the same order, whatever wrote them.
fn schema_digest(metadata: &ParquetMetaData) -> String {
    let mut hasher = blake3::Hasher::new();
    for column in metadata.file_metadata().schema_descr().columns() {
        let (path, kind, logical) = (column.path(), column.physical_type(), column.logical_type_ref());
        let (length, scale, precision) = (column.type_length(), column.type_scale(), column.type_precision());
        let levels = (column.max_def_level(), column.max_rep_level(), column.converted_type());
        // The debug form of a text ends where it says, whatever the text holds.
        hasher.update(format!("{path:?} {kind:?} {logical:?} {length} {scale} {precision} {levels:?}\n").as_bytes());
    }
    hasher.finalize().to_hex().to_string()
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
            // A repeated column has as many values as its lists are long.
            if column.column_descr().max_rep_level() == 0 && column.num_values() != group.num_rows() {
                return Err("a column chunk has other rows than its row group".to_owned());
            }
        }
    }
    if sum == rows { Ok(()) } else { Err("the row groups do not add up to the footer's row count".to_owned()) }
}

/// Smallest and largest value of a column of integers or days, where every row group tells them.
fn bounds(metadata: &ParquetMetaData, name: &str) -> Option<(i64, i64)> {
    let mut bounds: Option<(i64, i64)> = None;
    for group in metadata.row_groups().iter().filter(|group| group.num_rows() > 0) {
        let column = group.columns().iter().find(|column| column.column_path().string() == name)?;
        let (low, high) = match column.statistics()? {
            Statistics::Int32(values) => (i64::from(*values.min_opt()?), i64::from(*values.max_opt()?)),
            Statistics::Int64(values) => (*values.min_opt()?, *values.max_opt()?),
            _ => return None,
        };
        let unit = match column.column_descr().logical_type_ref() {
            Some(LogicalType::Timestamp(timestamp)) => Some(timestamp.unit),
            _ => None,
        };
        let per_day = match unit {
            None => 1,
            Some(TimeUnit::MILLIS) => 86_400_000,
            Some(TimeUnit::MICROS) => 86_400_000_000,
            Some(TimeUnit::NANOS) => 86_400_000_000_000,
        };
        let (low, high) = (low.div_euclid(per_day), high.div_euclid(per_day));
        bounds = Some(bounds.map_or((low, high), |(least, most)| (least.min(low), most.max(high))));
    }
    bounds
}

/// Columns of the file, and what each of its row groups unpacks to.
fn check_size(file: &Utf8Path, metadata: &ParquetMetaData, limits: &Limits) -> Result<(), ReadError> {
    let columns = metadata.file_metadata().schema_descr().num_columns() as u64;
    within(file, "columns", columns, ("max_columns", limits.max_columns))?;
    for group in metadata.row_groups() {
        let chunks = group.columns().iter().map(|column| u64::try_from(column.uncompressed_size()).unwrap_or(u64::MAX));
        let bytes = chunks.fold(0_u64, u64::saturating_add);
        let limit = ("max_uncompressed_bytes", limits.max_uncompressed_bytes);
        within(file, "uncompressed bytes in one row group", bytes, limit)?;
    }
    Ok(())
}

/// The rows and row groups of all files of a table.
///
/// # Errors
/// [`ReadError::Limit`], with the file that passes it.
pub fn check_totals(footers: &[Footer], limits: &Limits) -> Result<(), ReadError> {
    let (mut rows, mut groups) = (0_u64, 0_u64);
    for footer in footers {
        rows = rows.saturating_add(footer.rows);
        groups = groups.saturating_add(footer.row_groups);
        within(&footer.file, "rows, with those of the files before it", rows, ("max_rows", limits.max_rows))?;
        let limit = ("max_row_groups", limits.max_row_groups);
        within(&footer.file, "row groups, with those of the files before it", groups, limit)?;
    }
    Ok(())
}

fn within(
    file: &Utf8Path,
    what: &'static str,
    found: u64,
    (name, limit): (&'static str, u64),
) -> Result<(), ReadError> {
    if found <= limit { Ok(()) } else { Err(ReadError::Limit { file: file.to_owned(), what, found, name, limit }) }
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
