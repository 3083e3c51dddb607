//! A look at a table that nobody has described yet: its columns, their types, and what a sample of them is like. The values
//! of columns with few are told: they may be names of pools or periods.

use std::{
    collections::BTreeSet,
    panic::{self, AssertUnwindSafe},
};

use camino::{Utf8Path, Utf8PathBuf};
use polars::prelude::*;

use super::{
    ReadError, files,
    footer::{self, Footer},
    header,
    partitions::{Partitions, roots},
    role::Role,
    types,
    unread::{unread, unread_csv},
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
    /// Yes or no.
    Flag,
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

impl Column {
    /// Whether it is of a type that our column of this name may have. A CSV has texts alone, of which a sample says what they are.
    #[must_use]
    pub fn fits(&self, name: &str, csv: bool) -> bool {
        let fits = match Role::of(name) {
            Role::Id | Role::Name => matches!(self.kind, Kind::Integer | Kind::Text),
            Role::Day => self.kind == Kind::Day,
            Role::Number => matches!(self.kind, Kind::Integer | Kind::Fraction),
            Role::Text => csv || self.kind == Kind::Text,
            Role::IdOrDay => matches!(self.kind, Kind::Integer | Kind::Text | Kind::Day),
            Role::Switch => matches!(self.kind, Kind::Flag | Kind::Integer | Kind::Text),
        };
        fits || csv && self.nulls >= 1.0
    }
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

/// Files of a path of which rows are looked at, spread over all: in one day's file every customer may stand once.
const FILES: usize = 8;

/// Files of a folder whose columns are looked at.
const HEADERS: usize = 256;

/// Extensions of tables.
const EXTENSIONS: [&str; 3] = ["parquet", "pq", "csv"];

/// Looks at the tables of a path: a file, a folder or a glob of files of one table; or a folder that holds a file or folder for each of
/// several tables, whose columns differ.
///
/// # Errors
/// As [`peek`].
pub fn peek_each(path: &str) -> Result<Vec<(String, Peek)>, ReadError> {
    let folder = Utf8Path::new(path);
    let files = files::find("init", &[path.to_owned()], Utf8Path::new(""), &EXTENSIONS)?;
    if !folder.is_dir() || files.len() < 2 || is_one_table(&files) {
        return Ok(vec![(path.to_owned(), peek(path)?)]);
    }
    let child = |file: &Utf8PathBuf| {
        let below = file.strip_prefix(folder).ok()?;
        Some(folder.join(below.components().next()?.as_str()).into_string())
    };
    let mut children: Vec<String> = files.iter().filter_map(child).collect();
    children.dedup();
    if children == [path] {
        return Ok(vec![(path.to_owned(), peek(path)?)]);
    }
    let tables = children.iter().map(|child| peek_each(child)).collect::<Result<Vec<_>, _>>()?;
    Ok(tables.into_iter().flatten().collect())
}

/// Whether files are of one table: of one kind, and most columns of each are those of the first. A column may have come later.
fn is_one_table(files: &[Utf8PathBuf]) -> bool {
    let first = names(&files[0]);
    spread(files, HEADERS).all(|file| {
        // What cannot be read is told when its rows are.
        let (Some(first), Some(found)) = (&first, names(file)) else { return true };
        let both = first.intersection(&found).count();
        is_csv(file) == is_csv(&files[0]) && 2 * both >= first.union(&found).count()
    })
}

/// Names of a file's columns.
fn names(file: &Utf8Path) -> Option<BTreeSet<String>> {
    let schema =
        panic::catch_unwind(AssertUnwindSafe(|| scan(file, is_csv(file)).ok()?.collect_schema().ok())).ok()??;
    Some(schema.iter_names().map(ToString::to_string).collect())
}

fn is_csv(file: &Utf8Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

/// At most so many of the files, the first among them.
fn spread(files: &[Utf8PathBuf], most: usize) -> impl Iterator<Item = &Utf8PathBuf> {
    files.iter().step_by(files.len().div_ceil(most).max(1))
}

/// Looks at the first rows of a file, a folder or a glob.
///
/// # Errors
/// [`ReadError`] of a path, a footer, or a type that is not read; [`ReadError::Decode`] when the first rows cannot be read.
pub fn peek(path: &str) -> Result<Peek, ReadError> {
    polars::error::set_warning_function(|_, _| {});
    let paths = [path.to_owned()];
    let files = files::find("init", &paths, Utf8Path::new(""), &EXTENSIONS)?;
    let csv = is_csv(&files[0]);
    let looked_at: Vec<&Utf8PathBuf> = spread(&files, FILES).filter(|file| is_csv(file) == csv).collect();
    let rows = SAMPLE / looked_at.len() as u32;
    let mut sample: Option<DataFrame> = None;
    let mut partitions = None;
    for (number, file) in looked_at.into_iter().enumerate() {
        let damaged = || ReadError::Decode { file: file.clone(), reason: "its first rows make no sense".to_owned() };
        let mut frame = rows_of(file, csv, rows)?;
        if number == 0 {
            let roots = roots(&paths, Utf8Path::new(""));
            partitions = Partitions::of(&files, &roots, (&[], frame.schema()), |_, _| csv)?;
        }
        for (column, value) in partitions.iter().flat_map(|partitions| partitions.of_file(file)) {
            let value = polars::prelude::Column::new_scalar(column, value, frame.height());
            frame.with_column(value).map_err(|_| damaged())?;
        }
        // Files of other columns than the first add nothing that could be told of these.
        match &mut sample {
            None => sample = Some(frame),
            Some(sample) if sample.schema() == frame.schema() => {
                sample.vstack_mut(&frame).map_err(|_| damaged())?;
            }
            Some(_) => {}
        }
    }
    let damaged = |_| ReadError::Decode { file: files[0].clone(), reason: "its first rows make no sense".to_owned() };
    let sample = sample.unwrap_or_default();
    let columns = sample.columns().iter().map(|column| look(column, csv)).collect::<PolarsResult<Vec<_>>>();
    Ok(Peek { csv, files: files.len(), columns: columns.map_err(damaged)? })
}

/// The first rows of a file.
fn rows_of(file: &Utf8PathBuf, csv: bool, rows: u32) -> Result<DataFrame, ReadError> {
    if csv && let Some(separator) = header::separator_of(file) {
        let reason = format!("its fields are separated by {separator}, those of a CSV by commas");
        return Err(ReadError::Foreign { file: file.clone(), reason });
    }
    let footer = if csv { Footer::of_csv(file)? } else { footer::check(file, &Limits::default())? };
    let wide: Vec<&str> =
        { footer.types.iter() }.filter_map(|(name, dtype)| types::too_wide(dtype).map(|_| name.as_str())).collect();
    let head = || {
        let mut frame = scan(file, csv)?;
        let told: Vec<Expr> = frame
            .collect_schema()?
            .iter_names()
            .filter(|name| !wide.contains(&name.as_str()))
            .cloned()
            .map(col)
            .collect();
        frame.select(told).limit(rows).collect()
    };
    // As a run would tell it.
    if let Some(error) = unread(std::slice::from_ref(&footer)) {
        return Err(error);
    }
    if let (false, Some(reason)) = (csv, types::undecoded(file)) {
        return Err(ReadError::UnreadValues { file: file.clone(), reason });
    }
    match panic::catch_unwind(AssertUnwindSafe(head)) {
        Ok(Ok(frame)) => Ok(frame),
        _ if csv => Err(ReadError::Foreign { file: file.clone(), reason: unread_csv(file) }),
        _ => Err(ReadError::Decode { file: file.clone(), reason: "its first rows make no sense".to_owned() }),
    }
}

fn scan(file: &Utf8Path, csv: bool) -> PolarsResult<LazyFrame> {
    let path = PlRefPath::new(file.as_str());
    if csv {
        let reader =
            LazyCsvReader::new(path).with_infer_schema_length(Some(SAMPLE as usize)).with_try_parse_dates(true);
        return reader.with_glob(false).finish();
    }
    let hive_options = HiveOptions::new_disabled();
    LazyFrame::scan_parquet(path, ScanArgsParquet { hive_options, glob: false, ..Default::default() })
}

fn look(column: &polars::prelude::Column, csv: bool) -> PolarsResult<Column> {
    let dtype = column.dtype();
    let kind = match dtype {
        DataType::Date | DataType::Datetime(..) => Kind::Day,
        dtype if dtype.is_integer() => Kind::Integer,
        dtype if dtype.is_float() || matches!(dtype, DataType::Decimal(..)) => Kind::Fraction,
        DataType::Boolean => Kind::Flag,
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
