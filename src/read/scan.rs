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
    ReadError, files,
    footer::{self, Footer, State},
    predicate,
    pseudonym::{self, PERSONS},
};
use crate::schema::{
    covariates::{CovariateColumn, CovariateKind},
    settings::{Format, LedgerDriver, TableName, TableSetting},
};

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

/// What a role's column may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Id,
    Day,
    Number,
    Text,
    IdOrDay,
    /// A name that may be a number.
    Name,
    /// Yes or no.
    Switch,
}

/// Columns of numbers in the tables of plans and decisions, and in what an earlier run told.
const NUMBERS: [&str; 21] = [
    "customers",
    "cost",
    "equity",
    "value",
    "target",
    "retention",
    "frequency",
    "margin",
    "cost_to_serve",
    "probability",
    "uncertainty",
    "expected_revenue",
    "expected_value",
    "p_alive",
    "expected_spend",
    "margin_rate",
    "cost_per_purchase",
    "cost_per_time",
    "expected_discounted_purchases",
    "expected_discounted_lifetime",
    "purchase_rate_if_alive",
];

impl Role {
    fn of(name: &str) -> Self {
        match name {
            "customer_id" | "referrer" | "referred" | "product_id" | "order_id" | "prospect_id" | "account"
            | "cost_centre" => Self::Id,
            "date" | "start" | "end" | "valid_from" | "valid_to" => Self::Day,
            "amount"
            | "quantity"
            | "unit_price"
            | "discount"
            | "product_cost"
            | "unit_cost"
            | "balance"
            | "write_off"
            | "default_probability"
            | "acquisition_cost"
            | "capacity"
            | "rule_version"
            | "wallet"
            | "wallet_probability"
            | "probability"
            | "margin"
            | "value"
            | "half_life"
            | "weight"
            | "days_late"
            | "overdue"
            | "disputed"
            | "rate" => Self::Number,
            "parent" => Self::Name,
            "benchmark" => Self::Switch,
            _ if NUMBERS.contains(&name) => Self::Number,
            "period" => Self::IdOrDay,
            _ => Self::Text,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Id => "an integer or text",
            Self::Day => "a date or timestamp",
            Self::Number => "an integer, decimal or float",
            Self::Text => "text",
            Self::IdOrDay => "text, an integer year or a date",
            Self::Name => "text or an integer",
            Self::Switch => "a boolean, 0 and 1, or text",
        }
    }

    /// The cast to what kernels read; `None` when the type does not fit the role. No cast can fail on a value.
    fn cast(self, dtype: &DataType, csv: bool) -> Option<DataType> {
        use DataType as D;
        let text = matches!(dtype, D::String | D::Categorical(..) | D::Enum(..));
        Some(match self {
            // Unsigned and single precision are left to the contract: a cast would lose what does not fit.
            Self::Id | Self::Number if *dtype == D::UInt64 => D::UInt64,
            // The contract widens these on its way, which is cheaper than a column more in memory.
            Self::Id | Self::Number if *dtype == D::Int32 => D::Int32,
            Self::Number if *dtype == D::Float32 => D::Float32,
            Self::Id | Self::Number | Self::IdOrDay if dtype.is_integer() => D::Int64,
            Self::Id | Self::Text | Self::IdOrDay | Self::Name | Self::Switch if text => D::String,
            Self::Name if dtype.is_integer() => D::String,
            Self::Switch if *dtype == D::Boolean => D::Boolean,
            Self::Switch if dtype.is_integer() => D::Int64,
            Self::Day | Self::IdOrDay if matches!(dtype, D::Date | D::Datetime(..)) => D::Date,
            Self::Number if dtype.is_float() => D::Float64,
            Self::Number if matches!(dtype, D::Decimal(..)) => dtype.clone(),
            Self::Day | Self::Number if csv && text => D::String,
            _ => return None,
        })
    }
}

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
    // Polars' own warnings are about its functions, not about the data, and would stand between a run's lines.
    polars::error::set_warning_function(|_, _| {});
    let name = table.as_str();
    let csv = setting.format == Format::Csv;
    let found = files::find(name, &setting.paths, base, extensions(setting.format))?;
    let footers = if csv {
        found.iter().map(|file| csv_footer(file)).collect::<Result<Vec<_>, _>>()?
    } else {
        let ledger = table == TableName::Transactions;
        let column = |role: &str| setting.columns.get(role).filter(|_| ledger).map(String::as_str);
        let bounded = [column("customer_id"), column("date")];
        found.iter().map(|file| footer::check_with(file, &setting.limits, bounded)).collect::<Result<Vec<_>, _>>()?
    };
    footer::check_totals(&footers, &setting.limits)?;
    let rows = (!csv).then(|| footers.iter().map(|footer| footer.rows).sum());
    let mut frame = scan_files(name, &found, csv)?;
    let schema = guarded(name, || frame.collect_schema()).map_err(|error| named(name, &footers, csv, error))?;
    if !csv {
        check_drift(name, &found, &schema, setting)?;
    }
    let mut columns = Vec::new();
    for (role, column) in &setting.columns {
        let missing = || missing_column(&found[0], column, name, role, &schema);
        let dtype = schema.get(column.as_str()).ok_or_else(missing)?;
        let role_type = Role::of(role);
        let cast = role_type.cast(dtype, csv).ok_or_else(|| ReadError::ColumnType {
            file: found[0].clone(),
            column: column.clone(),
            table: name,
            role: role.clone(),
            expected: role_type.expected(),
            found: describe(dtype),
        })?;
        let expression = local(col(column.as_str()), dtype);
        let expression = if *dtype == cast { expression } else { expression.cast(cast) };
        let expression = match setting.id_key {
            Some(key) if PERSONS.contains(&role.as_str()) => pseudonym::of_column(expression, key),
            _ => expression,
        };
        columns.push(expression.alias(role.as_str()));
    }
    for (driver, setting) in drivers {
        columns.extend(driver_columns(driver, setting, (&found[0], csv), &schema)?);
    }
    for (covariate, setting) in &setting.covariates {
        columns.push(covariate_column(covariate, setting, &found[0], &schema)?);
    }
    if let Some(predicate) = &setting.filter {
        frame = frame.filter(checked(name, predicate, &schema, csv)?);
    }
    let frame = frame.select(columns);
    guarded(name, || frame.clone().collect_schema()).map_err(|error| named(name, &footers, csv, error))?;
    Ok(Source { table, files: footers, rows, filtered: setting.filter.is_some(), frame })
}

/// A timestamp with a time zone as the clock on the wall there: its day is the day in that zone, not the UTC day.
fn local(expression: Expr, dtype: &DataType) -> Expr {
    match dtype {
        // Every instant has one wall time, so nothing is ambiguous on this way.
        DataType::Datetime(_, Some(_)) => expression.dt().replace_time_zone(None, lit("raise"), NonExistent::Raise),
        _ => expression,
    }
}

fn driver_columns(
    driver: &str,
    setting: &LedgerDriver,
    (file, csv): (&Utf8Path, bool),
    schema: &Schema,
) -> Result<Vec<Expr>, ReadError> {
    use crate::schema::settings::DriverMeasure;
    let mut columns = Vec::new();
    if let Some(predicate) = &setting.filter {
        // A comparison with NULL is NULL: such a line does not count.
        let filter = checked(&format!("drivers.{driver}"), predicate, schema, csv)?.fill_null(lit(false));
        columns.push(filter.alias(format!("filter:{driver}")));
    }
    if let DriverMeasure::Time { columns: terms, .. } = &setting.measure {
        for term in terms {
            let missing = || missing_column(file, term, "drivers", driver, schema);
            let dtype = schema.get(term.as_str()).ok_or_else(missing)?;
            let cast = match dtype {
                DataType::Boolean => Some(DataType::Int64),
                // A CSV has texts alone; the contract reads numbers out of them.
                dtype => Role::Number.cast(dtype, csv),
            };
            let cast = cast.ok_or_else(|| ReadError::ColumnType {
                file: file.to_owned(),
                column: term.clone(),
                table: "drivers",
                role: driver.to_owned(),
                expected: "a number or a flag",
                found: describe(dtype),
            })?;
            columns.push(col(term.as_str()).cast(cast).alias(format!("time:{driver}:{term}")));
        }
    }
    if let DriverMeasure::Sum(column) = &setting.measure {
        let missing = || missing_column(file, column, "drivers", driver, schema);
        let dtype = schema.get(column.as_str()).ok_or_else(missing)?;
        let cast = Role::Number.cast(dtype, false).ok_or_else(|| ReadError::ColumnType {
            file: file.to_owned(),
            column: column.clone(),
            table: "drivers",
            role: driver.to_owned(),
            expected: Role::Number.expected(),
            found: describe(dtype),
        })?;
        columns.push(col(column.as_str()).cast(cast).alias(format!("driver:{driver}")));
    }
    Ok(columns)
}

/// A covariate as a column `covariate:NAME`: a float or text. CSV has texts alone; the contract reads numbers out of them.
fn covariate_column(
    covariate: &str,
    setting: &CovariateColumn,
    file: &Utf8Path,
    schema: &Schema,
) -> Result<Expr, ReadError> {
    use DataType as D;
    let missing = || missing_column(file, &setting.column, "customers", covariate, schema);
    let dtype = schema.get(setting.column.as_str()).ok_or_else(missing)?;
    let text = matches!(dtype, D::String | D::Categorical(..) | D::Enum(..));
    let (fits, expected) = match setting.kind {
        None => (
            text || dtype.is_primitive_numeric() || matches!(dtype, D::Decimal(..) | D::Boolean),
            "a number, text or a boolean",
        ),
        Some(CovariateKind::Number) => {
            (text || dtype.is_primitive_numeric() || matches!(dtype, D::Decimal(..)), "a number")
        }
        Some(CovariateKind::Category) => {
            (text || dtype.is_integer() || *dtype == D::Boolean, "text, an integer or a boolean")
        }
    };
    if !fits {
        return Err(ReadError::ColumnType {
            file: file.to_owned(),
            column: setting.column.clone(),
            table: "customers",
            role: covariate.to_owned(),
            expected,
            found: describe(dtype),
        });
    }
    let as_text = text || *dtype == D::Boolean || setting.kind == Some(CovariateKind::Category);
    let cast = if as_text { D::String } else { D::Float64 };
    Ok(col(setting.column.as_str()).cast(cast).alias(format!("covariate:{covariate}")))
}

fn missing_column(file: &Utf8Path, column: &str, table: &'static str, role: &str, schema: &Schema) -> ReadError {
    ReadError::MissingColumn {
        file: file.to_owned(),
        column: column.to_owned(),
        table,
        role: role.to_owned(),
        known: schema.iter_names().map(PlSmallStr::as_str).collect::<Vec<_>>().join(", "),
    }
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

fn scan_files(table: &'static str, files: &[Utf8PathBuf], csv: bool) -> Result<LazyFrame, ReadError> {
    let paths = || files.iter().map(|file| PlRefPath::new(file.as_str()));
    guarded(table, || {
        if csv {
            // All columns as text: types are the contract's business, and "007" stays "007".
            return LazyCsvReader::new_paths(paths().collect())
                .with_infer_schema_length(Some(0))
                .with_glob(false)
                .finish();
        }
        let mut hive = if files.iter().any(|file| file.as_str().contains('=')) {
            HiveOptions::new_enabled()
        } else {
            HiveOptions::new_disabled()
        };
        hive.try_parse_dates = true;
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
) -> Result<(), ReadError> {
    for file in files.iter().skip(1) {
        let mut frame = scan_files(table, std::slice::from_ref(file), false)?;
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

/// The predicate of a table or driver, true or false of its rows.
fn checked(of: &str, text: &str, columns: &Schema, csv: bool) -> Result<Expr, ReadError> {
    let bad = |reason: String| ReadError::Predicate { table: of.to_owned(), reason };
    let predicate = predicate::parse(text).map_err(bad)?;
    let fits = panic::catch_unwind(AssertUnwindSafe(|| predicate::check(&predicate, columns, csv)));
    fits.unwrap_or_else(|_| Err("it cannot be worked out".to_owned())).map_err(bad)?;
    Ok(predicate)
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
        let decoded = scan_files(table, &alone, csv).and_then(|frame| {
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

fn describe(dtype: &DataType) -> String {
    match dtype {
        DataType::Decimal(precision, scale) => format!("decimal({precision}, {scale})"),
        DataType::Datetime(_, Some(zone)) => format!("timestamp in {zone}"),
        DataType::Datetime(_, None) => "timestamp".to_owned(),
        DataType::String => "text".to_owned(),
        DataType::Categorical(..) | DataType::Enum(..) => "dictionary text".to_owned(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => "integer".to_owned(),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => "unsigned integer".to_owned(),
        DataType::Float32 | DataType::Float64 => "float".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date => "date".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::Null => "null".to_owned(),
        other => format!("{other:?}").to_lowercase(),
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
