//! A look at a table that nobody has described yet: its columns, their types, and what a sample of them is like. The values
//! of columns with few are told: they may be names of pools or periods.

use std::panic::{self, AssertUnwindSafe};

use camino::{Utf8Path, Utf8PathBuf};
use polars::prelude::*;

use super::{
    ReadError, files, footer,
    partitions::{Partitions, roots},
};
use crate::schema::inputs::Limits;

/// Rows that are looked at.
const SAMPLE: u32 = 10_000;

/// Values that may all be names.
pub const FEW: usize = 100;

/// What a column can be, for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A date or timestamp.
    Day,
    /// An integer.
    Integer,
    /// A decimal or float.
    Fraction,
    /// Text.
    Text,
    /// Anything else.
    Other,
}

/// A column and what its sample is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it can be.
    pub kind: Kind,
    /// Distinct values over rows with one, from 0 to 1.
    pub distinct: f64,
    /// Rows without a value, from 0 to 1.
    pub nulls: f64,
    /// Length of its longest text; 0 of what is no text.
    pub longest: usize,
    /// Its texts or integers, sorted, where there are at most [`FEW`].
    pub few: Vec<String>,
}

/// A table as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Peek {
    /// Whether its files are CSV.
    pub csv: bool,
    /// Files.
    pub files: usize,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
}

/// Looks at the first rows of a file, a folder or a glob.
///
/// # Errors
/// [`ReadError`] of a path or footer; [`ReadError::Decode`] when the first rows cannot be read.
pub fn peek(path: &str) -> Result<Peek, ReadError> {
    polars::error::set_warning_function(|_, _| {});
    let paths = [path.to_owned()];
    let files = files::find("init", &paths, Utf8Path::new(""), &["parquet", "pq", "csv"])?;
    let first = &files[0];
    let csv = first.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if csv {
        footer::regular(first)?;
    } else {
        footer::check(first, &Limits::default())?;
    }
    let damaged = || ReadError::Decode { file: first.clone(), reason: "its first rows make no sense".to_owned() };
    let frame = panic::catch_unwind(AssertUnwindSafe(|| head(first, csv))).map_err(|_| damaged())?;
    let mut frame = frame.map_err(|_| damaged())?;
    let partitions = Partitions::of(&files, &roots(&paths, Utf8Path::new("")), (&[], frame.schema()), |_, _| csv)?;
    for (column, value) in partitions.iter().flat_map(Partitions::first) {
        let value = polars::prelude::Column::new_scalar(column, value, frame.height());
        frame.with_column(value).map_err(|_| damaged())?;
    }
    let columns = frame.columns().iter().map(|column| look(column, csv)).collect::<PolarsResult<Vec<_>>>();
    Ok(Peek { csv, files: files.len(), columns: columns.map_err(|_| damaged())? })
}

fn head(file: &Utf8PathBuf, csv: bool) -> PolarsResult<DataFrame> {
    let path = PlRefPath::new(file.as_str());
    let frame = if csv {
        LazyCsvReader::new(path).with_infer_schema_length(Some(SAMPLE as usize)).with_try_parse_dates(true).finish()?
    } else {
        let hive_options = HiveOptions::new_disabled();
        LazyFrame::scan_parquet(path, ScanArgsParquet { hive_options, ..Default::default() })?
    };
    frame.limit(SAMPLE).collect()
}

fn look(column: &polars::prelude::Column, csv: bool) -> PolarsResult<Column> {
    let dtype = column.dtype();
    let kind = match dtype {
        DataType::Date | DataType::Datetime(..) => Kind::Day,
        dtype if dtype.is_integer() => Kind::Integer,
        dtype if dtype.is_float() || matches!(dtype, DataType::Decimal(..)) => Kind::Fraction,
        DataType::String | DataType::Categorical(..) | DataType::Enum(..) => Kind::Text,
        _ => Kind::Other,
    };
    let (rows, nulls) = (column.len(), column.null_count());
    let filled = (rows - nulls).max(1) as f64;
    let distinct = match kind {
        Kind::Other => 0,
        _ => column.n_unique()?.saturating_sub(usize::from(nulls > 0)),
    };
    let longest = match column.str() {
        Ok(texts) => texts.iter().flatten().map(|text| text.chars().count()).max().unwrap_or(0),
        Err(_) => 0,
    };
    let few = if (1..=FEW).contains(&distinct) && matches!(kind, Kind::Text | Kind::Integer) {
        let texts = column.unique()?.cast(&DataType::String)?;
        let mut few: Vec<String> = texts.str()?.iter().flatten().map(str::to_owned).collect();
        few.sort_unstable();
        few
    } else {
        Vec::new()
    };
    // A CSV has no dates of its own: text that is as long as one may be one.
    let kind = if csv && kind == Kind::Text && longest == 10 && every_text_is_a_day(column) { Kind::Day } else { kind };
    Ok(Column {
        name: column.name().to_string(),
        kind,
        distinct: distinct as f64 / filled,
        nulls: nulls as f64 / rows.max(1) as f64,
        longest,
        few,
    })
}

fn every_text_is_a_day(column: &polars::prelude::Column) -> bool {
    let is_day = |text: &str| crate::schema::period::parse_day(text).is_some();
    column.str().is_ok_and(|texts| texts.iter().flatten().all(is_day))
}
