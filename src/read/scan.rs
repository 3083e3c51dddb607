//! Lazy frames in schema columns: projection, predicate and casts that cannot fail.

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, sync_channel},
};

use camino::{Utf8Path, Utf8PathBuf};
use polars::prelude::*;

use super::{
    ReadError,
    columns::{covariate_column, describe, driver_columns, driver_filter, mapped, missing_column, predicate_of},
    fields::blank_lines,
    files,
    footer::{self, Footer},
    frames::{scan_files, scan_with},
    header, pages,
    partitions::{self, Partitions},
    pseudonym::PERSONS,
    refusal::Refusal,
    role::Role,
    types,
    unread::{guarded, named, unread},
    uses::{Use, uses},
};
use crate::schema::{
    location::shown,
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
    /// Whether a predicate, of the table or of a driver, is worked out of the cells.
    works_out: bool,
    frame: LazyFrame,
    /// Names of the columns that the config uses.
    used: Vec<String>,
    /// `limits.max_rows`, which no footer of a CSV can be held against.
    max_rows: u64,
}

/// Batches that a scan may be ahead of whoever takes them.
const BATCHES_AHEAD: usize = 2;

/// Bytes of text in one batch: a dictionary of one long text can stand for any number of rows, and whoever takes a batch may
/// write the text of each.
const BATCH_TEXT: usize = 64 << 20;

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
    let uses = uses(table.as_str(), setting, drivers);
    let found = find(table, setting, base, &uses).map_err(one)?;
    let (files, frame, schema) = (&found.files, &found.frame, &found.schema);
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
    if csv {
        let told = header::told(schema, &uses);
        for error in &mut wrong {
            if let ReadError::MissingColumn { known, .. } = error {
                known.clone_from(&told);
            }
        }
    }
    wrong.extend(found.uneven.filter(|_| wrong.is_empty()));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let frame = filter.into_iter().fold(frame.clone(), LazyFrame::filter).select(columns);
    guarded(name, || frame.clone().collect_schema()).map_err(|error| one(named(name, files, csv, error)))?;
    let rows = (!csv).then(|| files.iter().map(|footer| footer.rows).sum());
    let used = uses.into_iter().map(|used| used.column).collect();
    let (filtered, max_rows) = (setting.filter.is_some(), setting.limits.max_rows);
    let works_out = filtered || drivers.iter().any(|(_, driver)| driver.filter.is_some());
    Ok(Source { table, files: found.files, rows, filtered, works_out, frame, used, max_rows })
}

/// The files of a table and the columns that they have.
struct Found {
    files: Vec<Footer>,
    frame: LazyFrame,
    schema: Schema,
    /// The first CSV that has other fields than its header.
    uneven: Option<ReadError>,
}

/// * `uses`: columns that the config names.
fn find(table: TableName, setting: &TableSetting, base: &Utf8Path, uses: &[Use]) -> Result<Found, ReadError> {
    // Polars' own warnings are about its functions, not about the data, and would stand between a run's lines.
    polars::error::set_warning_function(|_, _| {});
    let name = table.as_str();
    let csv = setting.format == Format::Csv;
    let paths = files::find(name, &setting.paths, base, extensions(setting.format))?;
    let roots = partitions::roots(&setting.paths, base);
    refuse_ids_in_folders(name, setting, &paths, &roots)?;
    let files = if csv {
        paths.iter().map(|file| Footer::of_csv(file)).collect::<Result<Vec<_>, _>>()?
    } else {
        let ledger = table == TableName::Transactions;
        let column = |role: &str| setting.columns.get(role).filter(|_| ledger).map(String::as_str);
        let bounded = [column("customer_id"), column("date")];
        paths.iter().map(|file| footer::check_with(file, &setting.limits, bounded)).collect::<Result<Vec<_>, _>>()?
    };
    footer::check_totals(&files, &setting.limits)?;
    // CSV files with different headers are no table to Polars: each is looked at alone first.
    let mut head = scan_files(name, &paths[..1], csv)?;
    let told = |error| unread(&files[..1]).unwrap_or_else(|| named(name, &files, csv, error));
    let first = guarded(name, || head.collect_schema()).map_err(told)?;
    let first = types::with_nulls(Schema::clone(&first), &files[0].types);
    let used: Vec<&str> = uses.iter().map(|used| used.column.as_str()).collect();
    let is_text = |key: &str, whole: bool| {
        let roles = setting.columns.iter().filter(|(_, column)| column.as_str() == key).map(|(role, _)| Role::of(role));
        // 007 is an id, and no number.
        csv || roles.into_iter().any(|role| role == Role::Text || (role == Role::Id && !whole))
    };
    let partitions = Partitions::of(&paths, &roots, (&used, &first), is_text)?;
    check_files(name, &files, (&first, csv), uses, partitions.as_ref())?;
    let mut schema = first;
    let mut paths = paths;
    if let Some(partitions) = &partitions {
        schema.merge(partitions.schema().clone());
        let predicate = setting.filter.as_ref().and_then(|text| predicate_of(name, text, &schema, csv).ok());
        paths = partitions.kept_of(&paths, predicate.as_ref());
    }
    let (blank, uneven) = if csv {
        blank_lines(&paths).map_or_else(|error| (Vec::new(), Some(error)), |blank| (blank, None))
    } else {
        (Vec::new(), None)
    };
    let mut frame = scan_with(name, &paths, csv, partitions.is_some(), blank)?;
    if let Some(partitions) = &partitions {
        frame = partitions.added_to(frame);
    }
    Ok(Found { files, frame, schema, uneven })
}

/// Refuses ids that are to be pseudonyms and stand in the names of folders: messages, the manifest and the report name files.
fn refuse_ids_in_folders(
    table: &'static str,
    setting: &TableSetting,
    paths: &[Utf8PathBuf],
    roots: &[Utf8PathBuf],
) -> Result<(), ReadError> {
    let persons =
        setting.columns.iter().filter(|(role, _)| setting.id_key.is_some() && PERSONS.contains(&role.as_str()));
    for (role, column) in persons {
        if paths.iter().any(|file| partitions::has_key(file, roots, column)) {
            return Err(ReadError::IdsInFolders { table, role: role.clone(), column: column.clone() });
        }
    }
    Ok(())
}

/// Every file must give the columns that are used the type of the first file, and the type that its Parquet schema says; CSV
/// files must have one header.
fn check_files(
    table: &'static str,
    files: &[Footer],
    (first, csv): (&Schema, bool),
    uses: &[Use],
    partitions: Option<&Partitions>,
) -> Result<(), ReadError> {
    for (place, footer) in files.iter().enumerate() {
        let file = &footer.file;
        let schema = if place == 0 {
            first.clone()
        } else {
            let mut frame = scan_files(table, std::slice::from_ref(file), csv)?;
            let one = std::slice::from_ref(footer);
            let found = guarded(table, || frame.collect_schema())
                .map_err(|error| unread(one).unwrap_or_else(|| named(table, one, csv, error)))?;
            types::with_nulls(Schema::clone(&found), &footer.types)
        };
        let header = |reason: String| ReadError::Header { file: file.clone(), reason };
        if csv && !schema.iter_names().eq(first.iter_names()) {
            return Err(header(format!("its header differs from that of `{}`", shown(&files[0].file))));
        }
        for Use { column, table, role } in uses {
            if partitions.is_some_and(|partitions| partitions.schema().contains(column)) {
                if schema.contains(column) {
                    return Err(Partitions::twice(file, column));
                }
                continue;
            }
            let Some(expected) = first.get(column) else { continue };
            if let Some(what) = footer.types.get(column).and_then(types::too_wide) {
                let reason = format!("column `{column}` is {what}");
                return Err(ReadError::UnreadValues { file: file.clone(), reason });
            }
            let found = schema.get(column).ok_or_else(|| missing_column(file, column, table, role, &schema))?;
            if csv && header::names_twice(file, column) {
                return Err(header(format!("its header names column `{column}` twice")));
            }
            if found != expected {
                // Two integers that are not one: their widths tell.
                let alike = describe(found) == describe(expected);
                let told = |dtype: &DataType| if alike { format!("{dtype:?}") } else { describe(dtype) };
                return Err(ReadError::SchemaDrift {
                    file: file.clone(),
                    column: column.clone(),
                    found: told(found),
                    first: told(expected),
                    first_file: files[0].file.clone(),
                });
            }
            if footer.types.get(column).is_some_and(|parquet| !types::agree(parquet, found)) {
                let reason = format!("the footer holds two schemas that differ in column `{column}`");
                return Err(ReadError::Footer { file: file.clone(), reason });
            }
        }
    }
    Ok(())
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
        for footer in self.files.iter().filter(|footer| footer.checksums) {
            pages::check(&footer.file, |column| self.used.iter().any(|used| used == column))?;
        }
        let most = (self.rows.is_none(), self.max_rows, self.files.first().map(|footer| footer.file.clone()));
        let state = Arc::new(Mutex::new(ScanState { take, rows: 0, failed: None }));
        let seen = Arc::clone(&state);
        let callback = move |batch: DataFrame| {
            let Ok(mut state) = seen.lock() else { return Ok(true) };
            state.rows += batch.height() as u64;
            if let (true, limit, Some(file)) = &most
                && state.rows > *limit
            {
                let (found, what) = (state.rows, "rows or more in this table");
                let error = ReadError::Limit { file: file.clone(), what, found, name: "max_rows", limit: *limit };
                state.failed = Some(error.into());
                return Ok(true);
            }
            state.failed = pieces(&batch, BATCH_TEXT).find_map(|piece| (state.take)(piece).err());
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
            return Err(match named(table, &self.files, self.rows.is_none(), error) {
                // The files can be read, so that it is what is worked out of their cells that fails.
                ReadError::Scan { reason, .. } if self.works_out && Refusal::of(&reason).is_none() => {
                    ReadError::PredicateOfRow { table }.into()
                }
                error => error.into(),
            });
        }
        match self.rows {
            Some(promised) if !self.filtered && promised != state.rows => {
                Err(ReadError::RowCount { table, promised, found: state.rows }.into())
            }
            _ => Ok(state.rows),
        }
    }
}

/// A batch in as many pieces of its rows as it takes for none to have more than `most` bytes of text, a single row apart.
fn pieces(batch: &DataFrame, most: usize) -> impl Iterator<Item = DataFrame> + '_ {
    let mut bytes: usize = 0;
    for texts in batch.columns().iter().filter_map(|column| column.str().ok()) {
        for chunk in texts.downcast_iter() {
            bytes += chunk.total_bytes_len();
        }
    }
    let rows = batch.height().div_ceil(bytes.div_ceil(most).max(1)).max(1);
    // A batch without rows is one piece: it tells its columns.
    (0..batch.height().max(1)).step_by(rows).map(move |start| batch.slice(start as i64, rows))
}

struct ScanState<F, E> {
    take: F,
    rows: u64,
    failed: Option<E>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_much_text_comes_in_pieces_and_any_other_whole() {
        let long = "x".repeat(1_000);
        let batch = df!("id" => [long.as_str(), &long, &long, "y", "z"], "amount" => [1, 2, 3, 4, 5]).unwrap();
        let heights = |most| pieces(&batch, most).map(|piece| piece.height()).collect::<Vec<_>>();
        assert_eq!(heights(4_000), [5]);
        assert_eq!(heights(1_500), [2, 2, 1]);
        assert_eq!(heights(1), [1; 5]);
        assert_eq!(pieces(&batch.clear(), 1).map(|piece| piece.height()).collect::<Vec<_>>(), [0]);
        let sum: i32 =
            pieces(&batch, 1_500).map(|piece| piece.column("amount").unwrap().i32().unwrap().sum().unwrap()).sum();
        assert_eq!(sum, 15);
    }
}
