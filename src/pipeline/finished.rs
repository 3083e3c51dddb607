//! A finished output: its manifest, and its datasets, read back column by column; of a run with a what-if, the base alone.

use arrow_array::{
    Array, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    cast::AsArray,
};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::{
    publish::{PublishError, check::manifest_bytes, columns::each_batch, folder::MANIFEST},
    schema::{forecasting::ModelChoice, money::Currency, period::format_day},
};

/// An output folder with its manifest.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) folder: Utf8PathBuf,
    pub(crate) manifest: Value,
}

/// Rows of a dataset.
pub(super) struct Rows {
    batch: RecordBatch,
    path: Utf8PathBuf,
}

impl Finished {
    /// Reads the manifest of an output.
    ///
    /// # Errors
    /// [`PublishError`] when there is none, or none of this version.
    pub(crate) fn open(folder: &Utf8Path) -> Result<Self, PublishError> {
        let manifest = serde_json::from_slice(&manifest_bytes(folder)?).map_err(|error| PublishError::Damaged {
            path: folder.join(MANIFEST),
            what: format!("is no manifest of this version (line {})", error.line()),
        })?;
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// A text of the manifest; empty when it is not there.
    pub(super) fn text(&self, key: &str) -> String {
        self.manifest[key].as_str().unwrap_or_default().to_owned()
    }

    /// Whether its forecast is one of contracts.
    pub(super) fn is_of_contracts(&self) -> bool {
        let mut fits = self.manifest["fits"].as_object().into_iter().flat_map(|fits| fits.keys());
        fits.any(|name| ModelChoice::named(name).is_some_and(ModelChoice::is_of_contracts))
    }

    /// The run's currency.
    ///
    /// # Errors
    /// [`PublishError::Damaged`] when the manifest names none.
    pub(super) fn currency(&self) -> Result<Currency, PublishError> {
        serde_json::from_value(self.manifest["currency"].clone()).map_err(|_| PublishError::Damaged {
            path: self.folder.join(MANIFEST),
            what: "names no currency".to_owned(),
        })
    }

    fn dataset(&self, name: &str) -> Option<&Value> {
        self.manifest["outputs"].as_array()?.iter().find(|dataset| dataset["dataset"] == name)
    }

    /// Columns of a dataset, in order; none when it was not written.
    pub(super) fn columns(&self, name: &str) -> Vec<String> {
        let columns = self.dataset(name).and_then(|dataset| dataset["columns"].as_array());
        let first = |column: &Value| column.as_str()?.split([' ', ':']).next().map(str::to_owned);
        columns.into_iter().flatten().filter_map(first).collect()
    }

    /// Shows the base's rows of a dataset, batch after batch; nothing when it was not written.
    ///
    /// # Errors
    /// [`PublishError`] of a file that cannot be read or lacks a column.
    pub(super) fn each(
        &self,
        name: &str,
        columns: &[&str],
        mut show: impl FnMut(&Rows) -> Result<(), PublishError>,
    ) -> Result<(), PublishError> {
        let files = self.dataset(name).and_then(|dataset| dataset["files"].as_array());
        for file in files.into_iter().flatten() {
            let path = self.folder.join(file["path"].as_str().unwrap_or_default());
            each_batch(&path, columns.iter().copied().chain(["scenario"]), |batch| {
                show(&Rows { batch: batch.slice(0, base_rows(name, batch)), path: path.clone() })
            })?;
        }
        Ok(())
    }
}

/// How many rows of a batch are the base's, which come first. The scenarios of `scenario_difference` stand alone.
fn base_rows(name: &str, batch: &RecordBatch) -> usize {
    let scenario = batch.column_by_name("scenario").and_then(|column| column.as_string_opt::<i32>());
    match scenario.filter(|_| name != "scenario_difference") {
        Some(scenario) => (0..batch.num_rows()).take_while(|row| scenario.value(*row) == "base").count(),
        None => batch.num_rows(),
    }
}

/// A column of money, quantities or sums of them: scaled integers.
pub(super) struct Scaled<'a>(&'a Decimal128Array);
/// A column of text, or of ids as text.
pub(super) enum Texts<'a> {
    Text(&'a StringArray),
    Integer(&'a Int64Array),
}
/// A column of floats.
pub(super) struct Floats<'a>(&'a Float64Array);
/// A column of integers.
pub(super) struct Integers<'a>(&'a Int64Array);
/// A column of true and false.
pub(super) struct Switches<'a>(&'a BooleanArray);

impl Scaled<'_> {
    pub(super) fn at(&self, row: usize) -> Option<i128> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }
    /// Null counting nothing.
    pub(super) fn sum_of(&self, row: usize) -> i128 {
        self.at(row).unwrap_or(0)
    }
    /// A customer's money, which has 18 digits at most; null counting nothing.
    pub(super) fn minor(&self, row: usize) -> i64 {
        self.sum_of(row) as i64
    }
}

impl Texts<'_> {
    pub(super) fn at(&self, row: usize) -> Option<String> {
        match self {
            Self::Text(column) => column.is_valid(row).then(|| column.value(row).to_owned()),
            Self::Integer(column) => column.is_valid(row).then(|| column.value(row).to_string()),
        }
    }
    /// Null as nothing.
    pub(super) fn word(&self, row: usize) -> String {
        self.at(row).unwrap_or_default()
    }
    /// Whether it is this id, written as text.
    pub(super) fn says(&self, row: usize, id: &str) -> bool {
        match self {
            Self::Text(_) => self.is(row, id),
            Self::Integer(column) => column.is_valid(row) && id.parse() == Ok(column.value(row)),
        }
    }
    /// Whether it is a word.
    pub(super) fn is(&self, row: usize, word: &str) -> bool {
        matches!(self, Self::Text(column) if column.is_valid(row) && column.value(row) == word)
    }
}

impl Floats<'_> {
    pub(super) fn at(&self, row: usize) -> Option<f64> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }
}

impl Integers<'_> {
    pub(super) fn at(&self, row: usize) -> Option<u64> {
        self.0.is_valid(row).then(|| self.0.value(row).max(0) as u64)
    }
    /// Null counting nothing.
    pub(super) fn count(&self, row: usize) -> u64 {
        self.at(row).unwrap_or(0)
    }
}

impl Switches<'_> {
    /// Whether it is true; null is not.
    pub(super) fn is_on(&self, row: usize) -> bool {
        self.0.is_valid(row) && self.0.value(row)
    }
    /// Whether anything is known of any row.
    pub(super) fn is_known(&self) -> bool {
        self.0.null_count() < self.0.len()
    }
}

impl Rows {
    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    fn column<'a, C>(&'a self, name: &str, as_type: impl Fn(&'a dyn Array) -> Option<C>) -> Result<C, PublishError> {
        let found = self.batch.column_by_name(name).and_then(|column| as_type(column.as_ref()));
        found.ok_or_else(|| PublishError::Damaged {
            path: self.path.clone(),
            what: format!("has no column `{name}` as this version writes it"),
        })
    }

    pub(super) fn scaled(&self, name: &str) -> Result<Scaled<'_>, PublishError> {
        self.column(name, |column| column.as_any().downcast_ref().map(Scaled))
    }

    pub(super) fn texts(&self, name: &str) -> Result<Texts<'_>, PublishError> {
        self.column(name, |column| {
            let text = column.as_any().downcast_ref().map(Texts::Text);
            text.or_else(|| column.as_any().downcast_ref().map(Texts::Integer))
        })
    }

    pub(super) fn floats(&self, name: &str) -> Result<Floats<'_>, PublishError> {
        self.column(name, |column| column.as_any().downcast_ref().map(Floats))
    }

    pub(super) fn integers(&self, name: &str) -> Result<Integers<'_>, PublishError> {
        self.column(name, |column| column.as_any().downcast_ref().map(Integers))
    }

    /// A day of a row, as `1997-09-30`.
    pub(super) fn day(&self, name: &str, row: usize) -> Result<Option<String>, PublishError> {
        let days: &Date32Array = self.column(name, |column| column.as_any().downcast_ref())?;
        Ok(days.is_valid(row).then(|| format_day(days.value(row))))
    }

    pub(super) fn switches(&self, name: &str) -> Result<Switches<'_>, PublishError> {
        self.column(name, |column| column.as_any().downcast_ref().map(Switches))
    }
}
