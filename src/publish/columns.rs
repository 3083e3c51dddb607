//! Columns of a written file, read back.

use std::{fs::File, os::unix::fs::MetadataExt};

use arrow_array::RecordBatch;
use camino::Utf8Path;
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
};
use rayon::prelude::*;

use super::{PublishError, io};

/// Row groups that are decoded at once, at most: each stands in memory.
const GROUPS_AT_ONCE: usize = 4;

/// Shows some columns of a file, row group after row group; names that it does not have are left out. Some row groups
/// are decoded side by side, where there are threads for it.
///
/// # Errors
/// [`PublishError`] of a file that cannot be read, or of `show`.
pub fn each_batch<'a>(
    path: &Utf8Path,
    columns: impl IntoIterator<Item = &'a str>,
    mut show: impl FnMut(&RecordBatch) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let parquet = |source| PublishError::Parquet { path: path.to_owned(), source };
    // Handles of their own, all of the file that is there now: another run may put another one in its place.
    let open = || File::open(path).map_err(io(path));
    let slots = GROUPS_AT_ONCE.min(rayon::current_num_threads());
    let mut files: Vec<File> = std::iter::repeat_with(open).take(slots).collect::<Result<_, _>>()?;
    let inodes = files.iter().map(|file| file.metadata().map(|file| file.ino())).collect::<Result<Vec<_>, _>>();
    let inodes = inodes.map_err(io(path))?;
    files.truncate(inodes.iter().take_while(|inode| **inode == inodes[0]).count());
    let footer = ArrowReaderMetadata::load(&files[0], ArrowReaderOptions::default()).map_err(parquet)?;
    let mask = ProjectionMask::columns(footer.parquet_schema(), columns);
    let decode = |(group, file): (&usize, &File)| -> Result<Vec<RecordBatch>, PublishError> {
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file.try_clone().map_err(io(path))?, footer.clone());
        let rows = footer.metadata().row_group(*group).num_rows() as usize;
        let builder = builder.with_projection(mask.clone()).with_row_groups(vec![*group]).with_batch_size(rows.max(1));
        builder.build().map_err(parquet)?.map(|batch| batch.map_err(|error| parquet(error.into()))).collect()
    };
    let groups: Vec<usize> = (0..footer.metadata().num_row_groups()).collect();
    for groups in groups.chunks(files.len()) {
        let decoded: Vec<_> = groups.par_iter().zip(&files).map(decode).collect();
        for batches in decoded {
            batches?.iter().try_for_each(&mut show)?;
        }
    }
    Ok(())
}
