//! One dataset: columns checked against [`outputs`](crate::schema::outputs), encoded in parallel, same bytes every time.

use std::{fs::File, io::Read, ops::Range, sync::Arc};

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use camino::Utf8Path;
use rayon::prelude::*;
use serde::Serialize;

use super::{
    PublishError,
    check::footer,
    io,
    part::{PartFile, ROW_GROUP_ROWS},
};
use crate::{
    numeric::keys::{Key, Keys},
    schema::{
        outputs::{ColumnType, OutputDataset},
        quantiles::Quantile,
    },
};

/// Values of one column. `None` in an optional one is null.
#[derive(Debug)]
pub enum Values {
    /// Ids by row in [`Writer::ids`]; a row beyond them has none.
    Ids(Vec<u32>),
    /// Ids by row in a column of their own, of the kind of [`Writer::customers`]; a row beyond them has none.
    Customers(Vec<u32>, Arc<Keys>),
    /// Text.
    Text(Vec<Option<String>>),
    /// Text by number: a few labels, many rows; a row beyond the labels has none.
    Label(Vec<u32>, Arc<Vec<String>>),
    /// Integers.
    Integer(Vec<Option<i64>>),
    /// Money or quantities.
    Scaled(Vec<Option<i64>>),
    /// Sums of money or quantities.
    Sum(Vec<Option<i128>>),
    /// Floats.
    Float(Vec<Option<f64>>),
    /// Days.
    Date(Vec<Option<i32>>),
    /// True or false.
    Switch(Vec<Option<bool>>),
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Dataset.
    pub dataset: &'static str,
    /// Rows.
    pub rows: u64,
    /// Columns in order: name, Arrow type, `null` where it may be.
    pub columns: Vec<String>,
    /// Files with bytes and BLAKE3 digest, in order.
    pub files: Vec<WrittenFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrittenFile {
    /// Path below the output folder.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// BLAKE3 digest, hexadecimal.
    pub blake3: String,
}

/// Rows of a file.
const FILE_ROWS: usize = 1_048_576;

/// Digits of [`ColumnType::Money`] and [`ColumnType::Quantity`].
const PRECISION: u8 = 18;

/// What every dataset of a run shares.
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    /// Folder of all datasets.
    pub folder: &'a Utf8Path,
    /// Ids of the customers, or of other cost objects.
    pub ids: &'a Keys,
    /// Ids of the kind of the customers'.
    pub customers: &'a Keys,
    /// Minor digits of the currency.
    pub exponent: u8,
    /// Quantiles that have columns.
    pub quantiles: &'a [Quantile],
}

impl Writer<'_> {
    /// Writes a dataset that is there as a whole.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn write(&self, spec: &'static OutputDataset, columns: &[Values]) -> Result<Written, PublishError> {
        let rows = columns.first().map_or(0, Values::len);
        self.write_parts(spec, rows.div_ceil(FILE_ROWS).max(1), |part, file| {
            file.write(columns, part * FILE_ROWS, rows.min((part + 1) * FILE_ROWS))
        })
    }

    /// Writes a dataset of so many rows, made row group by row group: no column ever stands as a whole.
    ///
    /// * `make`: the columns of a range of rows.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn write_rows(
        &self,
        spec: &'static OutputDataset,
        rows: usize,
        make: impl Fn(Range<usize>) -> Vec<Values> + Sync,
    ) -> Result<Written, PublishError> {
        self.write_parts(spec, rows.div_ceil(FILE_ROWS).max(1), |part, file| {
            for (from, to) in groups(part * FILE_ROWS, rows.min((part + 1) * FILE_ROWS)) {
                file.write(&make(from..to), 0, to - from)?;
            }
            Ok(())
        })
    }

    /// Writes a dataset that is made part by part, in parallel; each part is one file.
    ///
    /// * `make`: the columns of a part, piece by piece, of which one at a time stands in memory.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn write_in_parts<Pieces: IntoIterator<Item = Vec<Values>>>(
        &self,
        spec: &'static OutputDataset,
        parts: usize,
        make: impl Fn(usize) -> Pieces + Sync,
    ) -> Result<Written, PublishError> {
        self.write_parts(spec, parts.max(1), |part, file| {
            for columns in make(part) {
                file.write(&columns, 0, columns.first().map_or(0, Values::len))?;
            }
            Ok(())
        })
    }

    fn write_parts(
        &self,
        spec: &'static OutputDataset,
        parts: usize,
        fill: impl Fn(usize, &mut PartFile<'_>) -> Result<(), PublishError> + Sync,
    ) -> Result<Written, PublishError> {
        let folder = self.folder.join(spec.name);
        std::fs::create_dir(&folder).map_err(io(&folder))?;
        let columns = describe(&self.schema(spec));
        let written: Vec<(u64, WrittenFile)> = (0..parts)
            .into_par_iter()
            .map(|part| {
                let name = format!("{}/part-{part:05}.parquet", spec.name);
                let path = self.folder.join(&name);
                let mut file = PartFile::create(spec.name, &path, &self.schema(spec), self.ids)?;
                fill(part, &mut file)?;
                let rows = file.finish()?;
                // Read again what the disk has: its digest, and a footer that says what was meant.
                let (bytes, blake3) = digest(&path)?;
                let damaged = |what: String| PublishError::Damaged { path: path.clone(), what };
                if footer(&path).map_err(damaged)? != (rows, columns.clone()) {
                    return Err(damaged("its footer is not what was written".to_owned()));
                }
                Ok((rows, WrittenFile { path: name, bytes, blake3 }))
            })
            .collect::<Result<_, PublishError>>()?;
        let (rows, files): (Vec<u64>, Vec<WrittenFile>) = written.into_iter().unzip();
        Ok(Written { dataset: spec.name, rows: rows.iter().sum(), columns, files })
    }

    /// The Arrow schema of a dataset.
    #[must_use]
    pub fn schema(&self, spec: &OutputDataset) -> SchemaRef {
        let exponent = self.exponent as i8;
        let fields: Vec<Field> = spec
            .columns_of(self.quantiles)
            .into_iter()
            .map(|column| {
                let id = |ids: &Keys| if matches!(ids, Keys::Int(_)) { DataType::Int64 } else { DataType::Utf8 };
                let kind = match column.kind {
                    ColumnType::Id => id(self.ids),
                    ColumnType::CustomerId => id(self.customers),
                    ColumnType::Text => DataType::Utf8,
                    ColumnType::Integer => DataType::Int64,
                    ColumnType::Money => DataType::Decimal128(PRECISION, exponent),
                    ColumnType::MoneySum => DataType::Decimal128(38, exponent),
                    ColumnType::Quantity => DataType::Decimal128(PRECISION, 6),
                    ColumnType::QuantitySum => DataType::Decimal128(38, 6),
                    ColumnType::Float => DataType::Float64,
                    ColumnType::Date => DataType::Date32,
                    ColumnType::Boolean => DataType::Boolean,
                };
                Field::new(column.name, kind, column.nullable)
            })
            .collect();
        Arc::new(Schema::new(fields))
    }
}

/// The columns of a schema in words, the same from the writer and from a file's footer.
pub(super) fn describe(schema: &Schema) -> Vec<String> {
    let null = |field: &Field| if field.is_nullable() { " null" } else { "" };
    schema.fields().iter().map(|field| format!("{} {}{}", field.name(), field.data_type(), null(field))).collect()
}

/// Ranges of row groups.
fn groups(from: usize, to: usize) -> impl Iterator<Item = (usize, usize)> {
    (from..to).step_by(ROW_GROUP_ROWS).map(move |start| (start, to.min(start + ROW_GROUP_ROWS)))
}

impl Values {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Ids(values) | Self::Customers(values, _) | Self::Label(values, _) => values.len(),
            Self::Text(values) => values.len(),
            Self::Integer(values) | Self::Scaled(values) => values.len(),
            Self::Sum(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Switch(values) => values.len(),
        }
    }

    /// Puts the rows of another column of the same kind beneath these; one of another kind is left out, which the check
    /// of equal lengths then finds.
    pub fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Ids(rows), Self::Ids(more)) => rows.extend(more),
            (Self::Customers(rows, ids), Self::Customers(more, others)) if *ids == others => rows.extend(more),
            (Self::Text(rows), Self::Text(more)) => rows.extend(more),
            (Self::Label(rows, labels), Self::Label(more, others)) => {
                let (offset, known) = (labels.len() as u32, others.len() as u32);
                rows.extend(more.into_iter().map(|label| if label < known { label + offset } else { u32::MAX }));
                Arc::make_mut(labels).extend(others.iter().cloned());
            }
            (Self::Integer(rows), Self::Integer(more)) | (Self::Scaled(rows), Self::Scaled(more)) => rows.extend(more),
            (Self::Sum(rows), Self::Sum(more)) => rows.extend(more),
            (Self::Float(rows), Self::Float(more)) => rows.extend(more),
            (Self::Date(rows), Self::Date(more)) => rows.extend(more),
            (Self::Switch(rows), Self::Switch(more)) => rows.extend(more),
            _ => {}
        }
    }

    /// Leaves the rows alone for which `keep` is true.
    ///
    /// * `keep`: one a row.
    pub fn retain(&mut self, keep: &[bool]) {
        fn only<T>(values: &mut Vec<T>, keep: &[bool]) {
            let mut kept = keep.iter();
            values.retain(|_| kept.next().is_some_and(|keep| *keep));
        }
        match self {
            Self::Ids(rows) | Self::Customers(rows, _) | Self::Label(rows, _) => only(rows, keep),
            Self::Text(rows) => only(rows, keep),
            Self::Integer(rows) | Self::Scaled(rows) => only(rows, keep),
            Self::Sum(rows) => only(rows, keep),
            Self::Float(rows) => only(rows, keep),
            Self::Date(rows) => only(rows, keep),
            Self::Switch(rows) => only(rows, keep),
        }
    }

    /// The text in a row; `None` where it is null, or the column holds no text.
    #[must_use]
    pub fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(values) => values.get(row)?.as_deref(),
            Self::Label(values, labels) => labels.get(*values.get(row)? as usize).map(String::as_str),
            _ => None,
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows `from..to` as an Arrow array; `None` when a decimal has too many digits.
    pub(super) fn array(&self, from: usize, to: usize, kind: &DataType, ids: &Keys) -> Option<ArrayRef> {
        Some(match self {
            Self::Ids(rows) => id_array(&rows[from..to], ids),
            Self::Customers(rows, ids) => id_array(&rows[from..to], ids),
            Self::Text(values) => Arc::new(values[from..to].iter().map(Option::as_deref).collect::<StringArray>()),
            Self::Label(values, labels) => {
                Arc::new(values[from..to].iter().map(|label| labels.get(*label as usize)).collect::<StringArray>())
            }
            Self::Integer(values) => Arc::new(values[from..to].iter().copied().collect::<Int64Array>()),
            Self::Scaled(values) => {
                let limit = 10_i64.pow(u32::from(PRECISION));
                if values[from..to].iter().flatten().any(|value| *value >= limit || *value <= -limit) {
                    return None;
                }
                decimals(values[from..to].iter().map(|value| value.map(i128::from)), kind)
            }
            Self::Sum(values) => decimals(values[from..to].iter().copied(), kind),
            Self::Float(values) => Arc::new(values[from..to].iter().copied().collect::<Float64Array>()),
            Self::Date(values) => Arc::new(values[from..to].iter().copied().collect::<Date32Array>()),
            Self::Switch(values) => Arc::new(values[from..to].iter().copied().collect::<BooleanArray>()),
        })
    }
}

fn decimals(values: impl Iterator<Item = Option<i128>>, kind: &DataType) -> ArrayRef {
    Arc::new(values.collect::<Decimal128Array>().with_data_type(kind.clone()))
}

fn id_array(rows: &[u32], ids: &Keys) -> ArrayRef {
    match ids {
        Keys::Int(values) => {
            let id = |row: &u32| values.get(*row as usize).copied();
            Arc::new(rows.iter().map(id).collect::<Int64Array>())
        }
        Keys::Text(texts) => {
            let id = |row: &u32| ((*row as usize) < texts.len()).then(|| id_text(ids, *row));
            Arc::new(rows.iter().map(id).collect::<StringArray>())
        }
    }
}

fn id_text(ids: &Keys, row: u32) -> String {
    match ids.get(row as usize) {
        Key::Int(value) => value.to_string(),
        Key::Text(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

/// Size and BLAKE3 digest of a file.
///
/// # Errors
/// [`PublishError::Io`].
pub fn digest(path: &Utf8Path) -> Result<(u64, String), PublishError> {
    let mut file = File::open(path).map_err(io(path))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(io(path))?;
        if read == 0 {
            return Ok((bytes, hasher.finalize().to_hex().to_string()));
        }
        bytes += read as u64;
        hasher.update(&buffer[..read]);
    }
}
