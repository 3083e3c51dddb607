//! Parquet files of the generated tables: schemas, columns and one writer.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use camino::{Utf8Path, Utf8PathBuf};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::error::{GenerateError, io};

/// Rows of a row group.
pub(super) const ROW_GROUP: usize = 262_144;

/// Money: cents as `DECIMAL(18, 2)`.
pub(super) const MONEY: DataType = DataType::Decimal128(18, 2);
/// Quantities: millionths as `DECIMAL(18, 6)`.
pub(super) const QUANTITY: DataType = DataType::Decimal128(18, 6);

/// A table's schema; a name with a trailing `?` is a column that may be null.
pub(super) fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, kind)| Field::new(name.trim_end_matches('?'), kind.clone(), name.ends_with('?')))
        .collect();
    Arc::new(Schema::new(fields))
}

/// A decimal column from its unscaled integers.
pub(super) fn decimals(kind: &DataType, unscaled: impl IntoIterator<Item = i64>) -> ArrayRef {
    let values = Decimal128Array::from_iter_values(unscaled.into_iter().map(i128::from));
    Arc::new(values.with_data_type(kind.clone()))
}

/// A Parquet file being written.
pub(super) struct Part {
    path: Utf8PathBuf,
    writer: ArrowWriter<BufWriter<File>>,
}

impl Part {
    /// Starts file `number` of the table in `folder`.
    ///
    /// * `plain`: columns whose values hardly repeat; a dictionary would only cost time.
    pub(super) fn create(
        folder: &Utf8Path,
        number: usize,
        schema: &SchemaRef,
        plain: &[&str],
    ) -> Result<Self, GenerateError> {
        let path = folder.join(format!("part-{number:05}.parquet"));
        let file = File::create_new(&path).map_err(io(&path))?;
        let failed = |source| GenerateError::Parquet { path: path.clone(), source };
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(failed)?))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_created_by(concat!("whalecurve ", env!("CARGO_PKG_VERSION")).to_owned());
        for column in plain {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(*column), false);
        }
        let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
        let writer =
            ArrowWriter::try_new_with_options(BufWriter::new(file), schema.clone(), options).map_err(failed)?;
        Ok(Self { path, writer })
    }

    /// Appends rows.
    pub(super) fn write(&mut self, schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<(), GenerateError> {
        let batch = RecordBatch::try_new(schema.clone(), columns)
            .map_err(|source| GenerateError::Columns { path: self.path.clone(), source })?;
        self.writer.write(&batch).map_err(|source| GenerateError::Parquet { path: self.path.clone(), source })
    }

    /// Writes the footer and hands everything to the operating system.
    pub(super) fn finish(self) -> Result<(), GenerateError> {
        let file =
            self.writer.into_inner().map_err(|source| GenerateError::Parquet { path: self.path.clone(), source })?;
        file.into_inner().map_err(|error| io(&self.path)(error.into_error()))?;
        Ok(())
    }
}

/// Writes a table of one file at once.
pub(super) fn write_whole(
    folder: &Utf8Path,
    number: usize,
    schema: &SchemaRef,
    plain: &[&str],
    columns: Vec<ArrayRef>,
) -> Result<(), GenerateError> {
    let mut part = Part::create(folder, number, schema, plain)?;
    part.write(schema, columns)?;
    part.finish()
}
