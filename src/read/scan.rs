//! Lazy frames in schema columns: projection, predicate and casts that cannot fail.

use std::{
    io::{BufRead as _, BufReader},
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, sync_channel},
    },
};

use camino::{Utf8Path, Utf8PathBuf};
use polars::prelude::*;

use super::{
    ReadError,
    columns::{covariate_column, describe, driver_columns, driver_filter, mapped, missing_column, predicate_of},
    files, folders,
    footer::{self, Footer, State},
};
use crate::schema::settings::{Format, LedgerDriver, TableName, TableSetting};

/// A table that can be scanned.
pub struct Source {
    /// Which table.
    pub table: TableName,
    /// Checked files, sorted by path.
    pub files: Vec<Footer>,
    /// Rows by the footers; `None` for CSV, which has none.
    pub rows: Option<u64>,
    /// Whether a predicate drops rows.
    pub filtered: bool,
    frame: LazyFrame,
}

/// Batches that a scan may be ahead of whoever takes them.
const BATCHES_AHEAD: usize = 2;

/// What counts as a data file when a folder is searched.
#[must_use]
pub fn extensions(format: Format) -> &'static [&'static str] {
    match format {
        Format::Csv => &["csv"],
        Format::Parquet => &["parquet", "pq"],
    }
}

/// Finds a table's files, checks their footers, and builds its lazy frame.
///
/// * `drivers`: ledger drivers whose filters and summed columns become columns `driver:NAME` and `filter:NAME`.
///
/// # Errors
/// [`ReadError`]: the first thing that is wrong with a path, footer, column or predicate.
pub fn open(
    table: TableName,
    setting: &TableSetting,
    base: &Utf8Path,
    drivers: &[(&str, &LedgerDriver)],
) -> Result<Source, ReadError> {
    open_all(table, setting, base, drivers).map_err(|mut wrong| wrong.remove(0))
}

/// The same, with everything that is wrong with the columns and predicates.
///
/// # Errors
/// One [`ReadError`] or more.
pub fn open_all(
    table: TableName,
    setting: &TableSetting,
    base: &Utf8Path,
    drivers: &[(&str, &LedgerDriver)],
) -> Result<Source, Vec<ReadError>> {
    let one = |error| vec![error];
    let found = find(table, setting, base).map_err(one)?;
    let Found { files, frame, schema } = &found;
    let (name, csv, first) = (table.as_str(), setting.format == Format::Csv, files[0].file.as_path());
    let (mut columns, mut wrong) = (Vec::new(), Vec::new());
    let mut keep = |made: Result<Vec<Expr>, ReadError>| match made {
        Ok(made) => columns.extend(made),
        Err(error) => wrong.push(error),
    };
    for (role, column) in &setting.columns {
        keep(mapped(name, role, column, setting, (first, schema)).map(|column| vec![column]));
    }
    for (driver, setting) in drivers {
        keep(driver_filter(driver, setting, schema, csv).map(|filter| filter.into_iter().collect()));
        keep(driver_columns(driver, setting, (first, csv), schema));
    }
    for (covariate, setting) in &setting.covariates {
        keep(covariate_column(covariate, setting, first, schema).map(|column| vec![column]));
    }
    let filter = setting.filter.as_deref().map(|text| predicate_of(name, text, schema, csv)).transpose();
    let filter = filter.map_err(|error| wrong.push(error)).unwrap_or_default();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let frame = filter.into_iter().fold(frame.clone(), LazyFrame::filter).select(columns);
    guarded(name, || frame.clone().collect_schema()).map_err(|error| one(named(name, files, csv, error)))?;
    let rows = (!csv).then(|| files.iter().map(|footer| footer.rows).sum());
    Ok(Source { table, files: found.files, rows, filtered: setting.filter.is_some(), frame })
}

/// The files of a table and the columns that they have.
struct Found {
    files: Vec<Footer>,
    frame: LazyFrame,
    schema: SchemaRef,
}

fn find(table: TableName, setting: &TableSetting, base: &Utf8Path) -> Result<Found, ReadError> {
    // Polars' own warnings are about its functions, not about the data, and would stand between a run's lines.
    polars::error::set_warning_function(|_, _| {});
    let name = table.as_str();
    let csv = setting.format == Format::Csv;
    let paths = files::find(name, &setting.paths, base, extensions(setting.format))?;
    let files = if csv {
        paths.iter().map(|file| csv_footer(file)).collect::<Result<Vec<_>, _>>()?
    } else {
        let ledger = table == TableName::Transactions;
        let column = |role: &str| setting.columns.get(role).filter(|_| ledger).map(String::as_str);
        let bounded = [column("customer_id"), column("date")];
        paths.iter().map(|file| footer::check_with(file, &setting.limits, bounded)).collect::<Result<Vec<_>, _>>()?
    };
    footer::check_totals(&files, &setting.limits)?;
    let unread = |error| named(name, &files, csv, error);
    let mut frame = scan_files(name, &paths, csv, None)?;
    let mut schema = guarded(name, || frame.collect_schema()).map_err(unread)?;
    if !csv {
        let folders = folders::types(&paths, &schema, setting);
        if let Some(folders) = &folders {
            frame = scan_files(name, &paths, csv, Some(folders))?;
            schema = guarded(name, || frame.collect_schema()).map_err(unread)?;
        }
        check_drift(name, &paths, &schema, setting, folders.as_ref())?;
    }
    Ok(Found { files, frame, schema })
}

fn csv_footer(file: &Utf8Path) -> Result<Footer, ReadError> {
    let metadata = std::fs::metadata(file).map_err(|source| ReadError::Io { file: file.to_owned(), source })?;
    Ok(Footer {
        file: file.to_owned(),
        bytes: metadata.len(),
        rows: 0,
        row_groups: 0,
        bounds: [None; 2],
        state: State::of(&metadata),
    })
}

/// * `folders`: types of the columns that `key=value` folders make, where they are known.
fn scan_files(
    table: &'static str,
    files: &[Utf8PathBuf],
    csv: bool,
    folders: Option<&SchemaRef>,
) -> Result<LazyFrame, ReadError> {
    let paths = || files.iter().map(|file| PlRefPath::new(file.as_str()));
    let in_folders = files.iter().any(|file| folders::of(file).next().is_some());
    guarded(table, || {
        if csv {
            // All columns as text: types are the contract's business, and "007" stays "007".
            let scan =
                |paths| LazyCsvReader::new_paths(paths).with_infer_schema_length(Some(0)).with_glob(false).finish();
            if !in_folders {
                return scan(paths().collect());
            }
            let one = |file: &Utf8PathBuf| {
                let frame = scan([PlRefPath::new(file.as_str())].into_iter().collect())?;
                Ok(frame.with_columns(folders::of(file).map(folders::column).collect::<Vec<_>>()))
            };
            return concat(files.iter().map(one).collect::<PolarsResult<Vec<_>>>()?, UnionArgs::default());
        }
        let mut hive = if in_folders { HiveOptions::new_enabled() } else { HiveOptions::new_disabled() };
        hive.try_parse_dates = true;
        hive.schema = folders.cloned();
        let args = ScanArgsParquet { hive_options: hive, glob: false, ..Default::default() };
        let mut frame = LazyFrame::scan_parquet_files(paths().collect(), args)?;
        if let DslPlan::Scan { unified_scan_args, .. } = &mut frame.logical_plan {
            // Only what is mapped matters; the default refuses a column that the first file has not.
            unified_scan_args.extra_columns_policy = ExtraColumnsPolicy::Ignore;
        }
        Ok(frame)
    })
}

/// Every later file must give the mapped columns the type of the first file.
fn check_drift(
    table: &'static str,
    files: &[Utf8PathBuf],
    first: &Schema,
    setting: &TableSetting,
    folders: Option<&SchemaRef>,
) -> Result<(), ReadError> {
    for file in files.iter().skip(1) {
        let mut frame = scan_files(table, std::slice::from_ref(file), false, folders)?;
        let schema = guarded(table, || frame.collect_schema())?;
        let covariates = setting.covariates.iter().map(|(name, setting)| (name, &setting.column));
        for (role, column) in setting.columns.iter().chain(covariates) {
            let Some(expected) = first.get(column.as_str()) else { continue };
            let missing = || missing_column(file, column, table, role, &schema);
            let found = schema.get(column.as_str()).ok_or_else(missing)?;
            if found != expected {
                // Two integers that are not one: their widths tell.
                let alike = describe(found) == describe(expected);
                let told = |dtype: &DataType| if alike { format!("{dtype:?}") } else { describe(dtype) };
                return Err(ReadError::SchemaDrift {
                    file: file.clone(),
                    column: column.clone(),
                    found: told(found),
                    first: told(expected),
                    first_file: files[0].clone(),
                });
            }
        }
    }
    Ok(())
}

/// What a Polars error may say aloud: names of columns and SQL, never a cell's value.
pub(crate) fn plain_reason(error: &PolarsError) -> String {
    let line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    match error {
        PolarsError::ColumnNotFound(text) | PolarsError::SchemaFieldNotFound(text) => {
            format!("no column {}", line(text).trim_start_matches("unable to find column "))
        }
        PolarsError::SQLInterface(text) | PolarsError::SQLSyntax(text) => line(text),
        PolarsError::IO { error, .. } => error.kind().to_string(),
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => plain_reason(error),
        PolarsError::SchemaMismatch(_) => "the files of this table have different schemas".to_owned(),
        PolarsError::InvalidOperation(_) => "the operation does not fit the column's type".to_owned(),
        PolarsError::NoData(_) => "there is no data".to_owned(),
        _ => "the data could not be decoded".to_owned(),
    }
}

/// The same error with the first file that cannot be decoded by itself; without one it is not the files'.
fn named(table: &'static str, files: &[Footer], csv: bool, error: ReadError) -> ReadError {
    let ReadError::Scan { reason, .. } = &error else { return error };
    let unread = |footer: &&Footer| {
        let alone = [footer.file.clone()];
        let decoded = scan_files(table, &alone, csv, None).and_then(|frame| {
            guarded(table, || {
                let sink = frame.sink_batches(PlanCallback::new(|_| Ok(false)), false, None)?;
                sink.collect_with_engine(Engine::Streaming).map(|_| ())
            })
        });
        decoded.is_err()
    };
    let Some(Footer { file, .. }) = files.iter().find(unread) else { return error };
    let foreign = if csv { Some(unread_csv(file)) } else { footer::unread_type(file) };
    match foreign {
        Some(reason) => ReadError::Foreign { file: file.clone(), reason },
        None => ReadError::Decode { file: file.clone(), reason: reason.clone() },
    }
}

/// Why a CSV file cannot be read.
fn unread_csv(file: &Utf8Path) -> String {
    let Ok(open) = std::fs::File::open(file) else { return "it is gone".to_owned() };
    let mut lines = BufReader::new(open).lines();
    match lines.next() {
        None => "it is empty: a CSV file begins with the names of its columns",
        Some(first) if first.is_err() || lines.any(|line| line.is_err()) => "it is not UTF-8 text",
        _ => "a row has more fields than the header, or a quote is left open",
    }
    .to_owned()
}

/// Runs Polars code: errors lose cell values, panics become errors.
fn guarded<T>(table: &'static str, work: impl FnOnce() -> PolarsResult<T>) -> Result<T, ReadError> {
    let scan = |reason: String| ReadError::Scan { table, reason };
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| scan(plain_reason(&error))),
        Err(_) => Err(scan("the decoder gave up on a damaged page".to_owned())),
    }
}

impl Source {
    /// Our column names of the frame, in order.
    ///
    /// # Errors
    /// [`ReadError::Scan`].
    pub fn column_types(&self) -> Result<Vec<(String, DataType)>, ReadError> {
        let schema = guarded(self.table.as_str(), || self.frame.clone().collect_schema())?;
        Ok(schema.iter().map(|(name, dtype)| (name.to_string(), dtype.clone())).collect())
    }

    /// Scans in a thread of its own, which hands batches over as [`Self::for_each_batch`] does: so `work` runs in the caller's
    /// thread pool, not in the decoder's, and the next batches are decoded meanwhile.
    ///
    /// Gives what `work` made of the batches, and how the scan ended. A scan whose batches are not taken to the end ends in an
    /// error that means nothing else.
    pub fn beside<T>(self, work: impl FnOnce(Receiver<DataFrame>) -> T) -> (T, Result<u64, ReadError>) {
        let table = self.table.as_str();
        let stopped = move || ReadError::Scan { table, reason: "a batch could not be processed".to_owned() };
        let (send, batches) = sync_channel(BATCHES_AHEAD);
        std::thread::scope(|scope| {
            let take = move |frame| send.send(frame).map_err(|_| stopped());
            let scan = scope.spawn(move || self.for_each_batch(take));
            let made = work(batches);
            (made, scan.join().unwrap_or_else(|_| Err(stopped())))
        })
    }

    /// Hands every batch of the table to `take`, as it was decoded, one at a time, in no fixed order; checks the row count
    /// at the end.
    ///
    /// # Errors
    /// [`ReadError::Scan`] or [`ReadError::RowCount`], or what `take` returns first.
    pub fn for_each_batch<E: Send + 'static + From<ReadError>>(
        self,
        take: impl FnMut(DataFrame) -> Result<(), E> + Send + 'static,
    ) -> Result<u64, E> {
        let table = self.table.as_str();
        let state = Arc::new(Mutex::new(ScanState { take, rows: 0, failed: None }));
        let seen = Arc::clone(&state);
        let callback = move |batch: DataFrame| {
            let Ok(mut state) = seen.lock() else { return Ok(true) };
            state.rows += batch.height() as u64;
            if let Err(error) = (state.take)(batch) {
                state.failed = Some(error);
            }
            Ok(state.failed.is_some())
        };
        let scanned = guarded(table, || {
            let sink = self.frame.sink_batches(PlanCallback::new(callback), false, None)?;
            sink.collect_with_engine(Engine::Streaming).map(|_| ())
        });
        let mut state =
            state.lock().map_err(|_| ReadError::Scan { table, reason: "a batch could not be processed".to_owned() })?;
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        if let Err(error) = scanned {
            return Err(named(table, &self.files, self.rows.is_none(), error).into());
        }
        match self.rows {
            Some(promised) if !self.filtered && promised != state.rows => {
                Err(ReadError::RowCount { table, promised, found: state.rows }.into())
            }
            _ => Ok(state.rows),
        }
    }
}

struct ScanState<F, E> {
    take: F,
    rows: u64,
    failed: Option<E>,
}
