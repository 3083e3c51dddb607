//! Columns of a written file, read back.

use std::{
    fs::File,
    io::{BufReader, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef};
use bytes::Bytes;
use camino::Utf8Path;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    errors::ParquetError,
    file::reader::{ChunkReader, Length},
};
use rayon::prelude::*;

use super::{PublishError, io};

/// Row groups that are decoded at once, at most: each stands in memory.
const GROUPS_AT_ONCE: usize = 4;

/// One open file for several readers: each reads where it wants to, and moves no place that others read from.
#[derive(Clone)]
struct Shared(Arc<File>);

/// A place in it, from which is read on.
struct Place(Arc<File>, u64);

impl Read for Place {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read_at(buffer, self.1)?;
        self.1 += read as u64;
        Ok(read)
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Shared {
    type T = BufReader<Place>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(Place(Arc::clone(&self.0), start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

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
    let decoded = |batch: RecordBatch| Ok(batch);
    each_made(path, columns, false, decoded, |batch| show(&batch))
}

/// Makes something of some columns of every row group, several side by side, and takes what was made in their order; names that
/// the file does not have are left out.
///
/// * `numbered`: text comes as the numbers of a dictionary's entries.
///
/// # Errors
/// [`PublishError`] of a file that cannot be read, of `make` or of `take`: the first in the order of the file.
pub(super) fn each_made<'a, T: Send>(
    path: &Utf8Path,
    columns: impl IntoIterator<Item = &'a str>,
    numbered: bool,
    make: impl Fn(RecordBatch) -> Result<T, PublishError> + Sync,
    mut take: impl FnMut(T) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let parquet = |source| PublishError::Unreadable { path: path.to_owned(), source };
    let file = Shared(Arc::new(File::open(path).map_err(io(path))?));
    let mut footer = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).map_err(parquet)?;
    if numbered {
        let options = ArrowReaderOptions::default().with_schema(numbered_text(footer.schema()));
        footer = ArrowReaderMetadata::try_new(Arc::clone(footer.metadata()), options).map_err(parquet)?;
    }
    let mask = ProjectionMask::columns(footer.parquet_schema(), columns);
    let decode = |group: &usize| -> Result<Vec<T>, PublishError> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), footer.clone());
        let rows = footer.metadata().row_group(*group).num_rows() as usize;
        let builder = builder.with_projection(mask.clone()).with_row_groups(vec![*group]).with_batch_size(rows.max(1));
        builder.build().map_err(parquet)?.map(|batch| make(batch.map_err(|error| parquet(error.into()))?)).collect()
    };
    let groups: Vec<usize> = (0..footer.metadata().num_row_groups()).collect();
    for groups in groups.chunks(GROUPS_AT_ONCE.min(rayon::current_num_threads())) {
        let decoded: Vec<_> = groups.par_iter().map(decode).collect();
        for made in decoded {
            made?.into_iter().try_for_each(&mut take)?;
        }
    }
    Ok(())
}

/// The schema in which text is numbered.
fn numbered_text(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => {
            let numbers = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Arc::new(field.as_ref().clone().with_data_type(numbers))
        }
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}
