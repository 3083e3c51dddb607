//! One Parquet file while it is written: row groups of a fixed size, each column encoded as its rows come.

use std::{
    fs::File,
    io::{BufWriter, Write},
};

use arrow_schema::{DataType, SchemaRef};
use camino::{Utf8Path, Utf8PathBuf};
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves},
    },
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
};

use super::{
    PublishError,
    coded::{Coded, LEVEL},
    dataset::Values,
    fault, io,
};
use crate::numeric::keys::Keys;

/// Rows of a row group.
pub(super) const ROW_GROUP_ROWS: usize = 131_072;

/// A file each of whose writes may be made to fail.
struct Sink(File);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        fault::at("write_part")?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// One column of the row group that is being written.
enum Chunk {
    /// Text whose rows came as numbers of labels.
    Coded(Coded),
    /// Everything else.
    Arrow(Box<ArrowColumnWriter>),
}

/// A Parquet file while it is written.
pub(super) struct PartFile<'a> {
    dataset: &'static str,
    path: Utf8PathBuf,
    schema: SchemaRef,
    ids: &'a Keys,
    writer: SerializedFileWriter<BufWriter<Sink>>,
    factory: ArrowRowGroupWriterFactory,
    /// Columns of the row group that is being written, and its rows.
    chunks: Vec<Chunk>,
    group_rows: usize,
    rows: u64,
}

impl<'a> PartFile<'a> {
    /// A new file, which must not be there yet.
    ///
    /// # Errors
    /// [`PublishError`] when it cannot be made.
    pub(super) fn create(
        dataset: &'static str,
        path: &Utf8Path,
        schema: &SchemaRef,
        ids: &'a Keys,
    ) -> Result<Self, PublishError> {
        let failed = |source| PublishError::Parquet { path: path.to_owned(), source };
        let file = fault::at("create_part").and_then(|()| File::create_new(path)).map_err(io(path))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL).map_err(failed)?))
            .set_created_by(concat!("whalecurve ", env!("CARGO_PKG_VERSION")).to_owned());
        // Numbers of customers hardly repeat: a dictionary of them costs time and saves nothing. Text of many rows does.
        let properties = schema
            .fields()
            .iter()
            .filter(|field| *field.data_type() != DataType::Utf8)
            .fold(properties, |properties, field| {
                properties.set_column_dictionary_enabled(field.name().as_str().into(), false)
            })
            .build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let (writer, factory) = ArrowWriter::try_new_with_options(BufWriter::new(Sink(file)), schema.clone(), options)
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(failed)?;
        let (path, schema) = (path.to_owned(), schema.clone());
        Ok(Self { dataset, path, schema, ids, writer, factory, chunks: Vec::new(), group_rows: 0, rows: 0 })
    }

    /// Puts rows `from..to` of the columns beneath those that are there.
    ///
    /// # Errors
    /// [`PublishError`]: columns that are not what the dataset documents, a number with too many digits, a failed write.
    pub(super) fn write(&mut self, columns: &[Values], from: usize, to: usize) -> Result<(), PublishError> {
        let rows = columns.first().map_or(0, Values::len);
        let uneven = columns.iter().any(|column| column.len() != rows);
        if columns.len() != self.schema.fields().len() || uneven || rows < to {
            let what = format!("{} columns of {rows} rows do not fit its documentation", columns.len());
            return Err(PublishError::Contract { dataset: self.dataset, what });
        }
        let mut from = from;
        while from < to {
            let end = to.min(from + ROW_GROUP_ROWS - self.group_rows);
            self.write_to_group(columns, from, end)?;
            self.group_rows += end - from;
            self.rows += (end - from) as u64;
            from = end;
            if self.group_rows == ROW_GROUP_ROWS {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn write_to_group(&mut self, columns: &[Values], from: usize, to: usize) -> Result<(), PublishError> {
        let path = &self.path;
        let failed = |source| PublishError::Parquet { path: path.clone(), source };
        if self.chunks.is_empty() {
            let group = self.writer.flushed_row_groups().len();
            let writers = self.factory.create_column_writers(group).map_err(failed)?;
            self.chunks.extend(writers.into_iter().zip(columns).zip(self.schema.fields()).map(
                |((writer, values), field)| match (values, field.data_type()) {
                    (Values::Label(..), DataType::Utf8) => Chunk::Coded(Coded::default()),
                    _ => Chunk::Arrow(Box::new(writer)),
                },
            ));
        }
        for ((chunk, values), field) in self.chunks.iter_mut().zip(columns).zip(self.schema.fields()) {
            let contract =
                |what: &str| PublishError::Contract { dataset: self.dataset, what: format!("{} {what}", field.name()) };
            match (chunk, values) {
                (Chunk::Coded(coded), Values::Label(rows, labels)) => coded.label(&rows[from..to], labels),
                (Chunk::Coded(coded), Values::Text(rows)) => coded.text(&rows[from..to]),
                (Chunk::Coded(_), _) => return Err(contract("is text and holds something else")),
                (Chunk::Arrow(writer), values) => {
                    let array = values.array(from, to, field.data_type(), self.ids);
                    let precision = || PublishError::Precision {
                        dataset: self.dataset,
                        column: field.name().clone(),
                        quantity: matches!(field.data_type(), DataType::Decimal128(_, 6)),
                    };
                    let array = array.ok_or_else(precision)?;
                    if array.data_type() != field.data_type() {
                        return Err(contract(&format!("is {} and holds {}", field.data_type(), array.data_type())));
                    }
                    if array.null_count() > 0 && !field.is_nullable() {
                        return Err(contract("allows no null and holds one"));
                    }
                    for leaf in compute_leaves(field, &array).map_err(failed)? {
                        writer.write(&leaf).map_err(failed)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), PublishError> {
        let path = &self.path;
        let failed = |source| PublishError::Parquet { path: path.clone(), source };
        let described: Vec<_> = self.writer.schema_descr().columns().to_vec();
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for ((chunk, column), field) in self.chunks.drain(..).zip(&described).zip(self.schema.fields()) {
            match chunk {
                Chunk::Arrow(writer) => {
                    writer.close().and_then(|chunk| chunk.append_to_row_group(&mut group)).map_err(failed)?;
                }
                Chunk::Coded(coded) if coded.nulls() > 0 && !field.is_nullable() => {
                    let what = format!("{} allows no null and holds one", field.name());
                    return Err(PublishError::Contract { dataset: self.dataset, what });
                }
                Chunk::Coded(coded) => {
                    let (bytes, close) = coded.close(column).map_err(failed)?;
                    group.append_column(&bytes, close).map_err(failed)?;
                }
            }
        }
        group.close().map_err(failed)?;
        self.group_rows = 0;
        Ok(())
    }

    /// Writes the footer and waits until everything is on the disk; the number of rows.
    ///
    /// # Errors
    /// [`PublishError`] of a failed write.
    pub(super) fn finish(mut self) -> Result<u64, PublishError> {
        if self.group_rows > 0 {
            self.end_group()?;
        }
        let Self { path, writer, rows, .. } = self;
        let parquet = |source: ParquetError| PublishError::Parquet { path: path.clone(), source };
        let mut buffer = writer.into_inner().map_err(parquet)?;
        buffer.flush().map_err(io(&path))?;
        let Sink(file) = buffer.into_inner().map_err(|error| io(&path)(error.into_error()))?;
        fault::at("sync_part").and_then(|()| file.sync_all()).map_err(io(&path))?;
        Ok(rows)
    }
}
