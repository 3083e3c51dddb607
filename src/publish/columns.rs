//! Columns of a written file, read back.

use std::fs::File;

use arrow_array::RecordBatch;
use camino::Utf8Path;
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::{PublishError, io};

/// Rows that are read at once.
const ROWS: usize = 65_536;

/// Shows some columns of a file, batch after batch; names that it does not have are left out.
///
/// # Errors
/// [`PublishError`] of a file that cannot be read, or of `show`.
pub fn each_batch<'a>(
    path: &Utf8Path,
    columns: impl IntoIterator<Item = &'a str>,
    mut show: impl FnMut(&RecordBatch) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let parquet = |source| PublishError::Parquet { path: path.to_owned(), source };
    let file = File::open(path).map_err(io(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns);
    for batch in builder.with_projection(mask).with_batch_size(ROWS).build().map_err(parquet)? {
        show(&batch.map_err(|error| parquet(error.into()))?)?;
    }
    Ok(())
}
