//! Columns of a written file, read back.

use std::fs::File;

use arrow_array::RecordBatch;
use camino::Utf8Path;
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
};
use rayon::prelude::*;

use super::{PublishError, io};

/// Shows some columns of a file, row group after row group; names that it does not have are left out. As many row groups as
/// there are threads are decoded side by side.
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
    let footer = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).map_err(parquet)?;
    let mask = ProjectionMask::columns(footer.parquet_schema(), columns);
    let decode = |group: &usize| -> Result<Vec<RecordBatch>, PublishError> {
        let file = File::open(path).map_err(io(path))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer.clone());
        let rows = footer.metadata().row_group(*group).num_rows() as usize;
        let builder = builder.with_projection(mask.clone()).with_row_groups(vec![*group]).with_batch_size(rows.max(1));
        builder.build().map_err(parquet)?.map(|batch| batch.map_err(|error| parquet(error.into()))).collect()
    };
    let groups: Vec<usize> = (0..footer.metadata().num_row_groups()).collect();
    for groups in groups.chunks(rayon::current_num_threads()) {
        let decoded: Vec<Vec<RecordBatch>> = groups.par_iter().map(decode).collect::<Result<_, _>>()?;
        decoded.iter().flatten().try_for_each(&mut show)?;
    }
    Ok(())
}
