//! Contracts of the small tables, and of two of them: customers and products.
//!
//! Batches arrive in any order, so rows are sorted before duplicates are judged.

use std::sync::{Mutex, OnceLock, PoisonError, mpsc::Receiver};

use polars::prelude::{DataFrame, DataType};
use rayon::prelude::*;

use super::{
    ContractError,
    columns::{Batch, NULL, Scale, is_number},
    covariates::{self, Cell},
    owners::Owners,
    rules::{Rules, Tally},
};
use crate::{
    numeric::{
        decimal::format_minor,
        keys::{Key, KeyIndex, KeyTable, Keys},
    },
    schema::{
        contract::RejectedRow,
        facts::NO_DAY,
        period::{Period, PeriodKind, format_day},
        relations::{SHARE_SCALE, Wallet},
        settings::{Policy, Settings, TableName, TableSetting},
        tables::{CustomerTable, ProductTable, UnitCost},
    },
    units::Day,
};

/// Rows that are judged at a time: their columns stay in cache.
pub const JUDGED_ROWS: usize = 16_384;

/// Rows for which there is room from the start, at most: a footer can promise any number.
const ROWS_FORESEEN: u64 = 1 << 24;

/// What every table beside the ledger needs: the run's settings, its rules, and the batches of its scan.
pub struct Input<'a> {
    pub(super) settings: &'a Settings,
    /// Rules of the table.
    pub rules: Rules,
    columns: Vec<String>,
    rows: Option<u64>,
    batches: Mutex<Option<Receiver<DataFrame>>>,
}

impl<'a> Input<'a> {
    /// * `columns`: that are mapped. * `rows`: how many there are, as far as that is known before. * `batches`: of `table`.
    #[must_use]
    pub fn new(
        settings: &'a Settings,
        table: TableName,
        columns: Vec<String>,
        rows: Option<u64>,
        batches: Receiver<DataFrame>,
    ) -> Self {
        let rules = Rules::new(settings, table);
        Self { settings, rules, columns, rows, batches: Mutex::new(Some(batches)) }
    }

    /// Whether a column is mapped.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    pub(super) fn money(&self) -> Scale {
        Scale { digits: u32::from(self.settings.currency.exponent), integers_are_scaled: true }
    }

    /// Judges every batch as it comes, its rows in parallel, and gathers what is accepted.
    pub(super) fn gather<T: Send>(
        &self,
        judge: impl Fn(&mut Slice<'_, T>) -> Result<(), ContractError> + Sync,
    ) -> Result<(Vec<T>, Tally), ContractError> {
        let mut accepted = Vec::with_capacity(self.rows.map_or(0, |rows| rows.min(ROWS_FORESEEN) as usize));
        let mut tally = Tally::default();
        let mut batches = self.batches().into_iter().flatten();
        let judged = batches.try_for_each(|frame| {
            for (mut rows, slice) in self.judged(&frame, &judge)? {
                accepted.append(&mut rows);
                tally.combine(slice);
            }
            Ok(())
        });
        // After a mistake the scan goes on to its end, which may be a worse one.
        batches.for_each(drop);
        judged.map(|()| (accepted, tally))
    }

    /// The rows of one batch, judged slice by slice in parallel.
    fn judged<T: Send>(
        &self,
        frame: &DataFrame,
        judge: impl Fn(&mut Slice<'_, T>) -> Result<(), ContractError> + Sync,
    ) -> Result<Vec<(Vec<T>, Tally)>, ContractError> {
        let table = self.rules.table().as_str();
        let starts: Vec<usize> = (0..frame.height()).step_by(JUDGED_ROWS).collect();
        let judged = |start: usize| {
            let frame = &frame.slice(start as i64, JUDGED_ROWS);
            let (batch, accepted) = (Batch { table, frame }, Vec::with_capacity(frame.height()));
            let mut slice = Slice { batch, rules: &self.rules, accepted, tally: Tally::default() };
            judge(&mut slice)?;
            Ok((slice.accepted, slice.tally))
        };
        starts.into_par_iter().map(judged).collect()
    }

    /// Takes the batches that nobody wanted, so that the scan comes to its end.
    pub fn drain(&self) {
        self.batches().into_iter().flatten().for_each(drop);
    }

    fn batches(&self) -> Option<Receiver<DataFrame>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// One batch while it is judged.
pub(super) struct Slice<'a, T> {
    pub(super) batch: Batch<'a>,
    pub(super) rules: &'a Rules,
    accepted: Vec<T>,
    tally: Tally,
}

impl<T> Slice<'_, T> {
    pub(super) fn height(&self) -> usize {
        self.batch.frame.height()
    }

    pub(super) fn absent(&self, column: &str) -> ContractError {
        ContractError::Column { table: self.batch.table, column: column.to_owned(), expected: "there" }
    }

    /// Judges one row of a table with [`Owners`]: what is accepted of an unknown one is kept apart from the rest.
    pub(super) fn row_of(
        &mut self,
        owners: &Owners<'_>,
        row: usize,
        amount: Option<i64>,
        verdict: Result<T, (&'static str, &'static str)>,
    ) {
        match verdict {
            Ok(value) if owners.rule(row).is_some() => {
                self.set_apart(owners, row, amount);
                self.accepted.push(value);
            }
            verdict => self.row(row, amount, verdict),
        }
    }

    /// Counts an accepted row of an unknown owner.
    pub(super) fn set_apart(&mut self, owners: &Owners<'_>, row: usize, amount: Option<i64>) {
        self.tally.balance.input.add(amount.unwrap_or(0));
        self.tally.balance.unassigned.add(amount.unwrap_or(0));
        if let Some(rule) = owners.rule(row) {
            self.tally.broken(rule, Policy::Warn, amount);
        }
    }

    /// Judges one row: the first broken rule, or the accepted value.
    pub(super) fn row(&mut self, row: usize, amount: Option<i64>, verdict: Result<T, (&'static str, &'static str)>) {
        self.tally.balance.input.add(amount.unwrap_or(0));
        match verdict {
            Ok(value) => {
                self.tally.balance.accepted.add(amount.unwrap_or(0));
                self.accepted.push(value);
            }
            Err((rule, reason)) => {
                // A small table's row that breaks a rule has nothing to stay for: `warn` counts it, and it is set aside too.
                self.tally.broken(rule, self.rules.policy(rule), amount);
                let cells = self.batch.cells(row);
                self.tally.reject(RejectedRow { table: self.rules.table(), rule, reason, cells, amount });
            }
        }
    }
}

/// Sets aside rows that repeat the key of the row before them, in place.
pub(super) fn split_duplicates<T>(
    mut rows: Vec<T>,
    same: impl Fn(&T, &T) -> bool,
    mut duplicate: impl FnMut(&T),
) -> Vec<T> {
    rows.dedup_by(|row, last| {
        let twice = same(last, row);
        if twice {
            duplicate(row);
        }
        twice
    });
    rows
}

/// Moves an accepted row to `rejected` after all.
pub(super) fn demote(
    tally: &mut Tally,
    rules: &Rules,
    rule: &'static str,
    reason: &'static str,
    cells: &serde_json::Value,
    amount: Option<i64>,
) {
    let accepted = &mut tally.balance.accepted;
    accepted.rows -= 1;
    accepted.amount -= i128::from(amount.unwrap_or(0));
    tally.broken(rule, rules.policy(rule), amount);
    tally.reject(RejectedRow { table: rules.table(), rule, reason, cells: cells.to_string(), amount });
}

/// Why an id is none. A CSV table's ids are read as integers where the ledger has integers.
const MISSING_ID: &str = "the id is null, empty, or not an integer like the ledger's";

type OwnedId = (Vec<u8>, i64);

/// Id, segment, acquisition cost, channel or region, wallet, whether others copy it, covariates.
type CustomerRow = (OwnedId, Option<String>, Option<i64>, Vec<Option<String>>, Option<Wallet>, bool, Vec<Cell>);

fn owned(key: Key<'_>) -> OwnedId {
    match key {
        Key::Int(value) => (Vec::new(), value),
        Key::Text(text) => (text.to_vec(), 0),
    }
}

fn borrowed<'a>(id: &'a OwnedId, kind: &Keys) -> Key<'a> {
    match kind {
        Keys::Int(_) => Key::Int(id.1),
        Keys::Text(_) => Key::Text(&id.0),
    }
}

fn id_text(id: &OwnedId, kind: &Keys) -> String {
    match kind {
        Keys::Int(_) => id.1.to_string(),
        Keys::Text(_) => String::from_utf8_lossy(&id.0).into_owned(),
    }
}

/// Ids of a batch in the ledger's kind. CSV columns are text; they turn into integers when the ledger has integers.
pub(super) fn ids_like(
    slice: &Batch<'_>,
    column: &'static str,
    kind: &Keys,
    csv: bool,
) -> Result<(Keys, Vec<bool>), ContractError> {
    let absent = || ContractError::Column { table: slice.table, column: column.to_owned(), expected: "there" };
    let (keys, mut missing) = slice.keys(column)?.ok_or_else(absent)?;
    match (&keys, kind) {
        (Keys::Int(_), Keys::Int(_)) | (Keys::Text(_), Keys::Text(_)) => Ok((keys, missing)),
        (Keys::Text(texts), Keys::Int(_)) if csv => {
            let parse =
                |i: usize| std::str::from_utf8(texts.get(i)).ok().and_then(|text| text.trim().parse::<i64>().ok());
            let values: Vec<Option<i64>> = (0..texts.len()).map(parse).collect();
            for (missing, value) in missing.iter_mut().zip(&values) {
                *missing |= value.is_none();
            }
            Ok((Keys::Int(values.into_iter().map(Option::unwrap_or_default).collect()), missing))
        }
        (Keys::Text(_), Keys::Int(_)) => {
            Err(ContractError::IdKind { table: slice.table, column, found: "text", expected: "an integer" })
        }
        (Keys::Int(_), Keys::Text(_)) => {
            Err(ContractError::IdKind { table: slice.table, column, found: "an integer", expected: "text" })
        }
    }
}

/// The customers table: ids are unique.
///
/// * `wanted`: columns that put customers into channels or regions, when these are wanted.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn customers(
    input: &Input<'_>,
    kind: &Keys,
    csv: bool,
    wanted: &[&str],
) -> Result<(CustomerTable, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, CustomerRow>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", kind, csv)?;
        let segments = slice.batch.texts("segment")?;
        let groups = wanted.iter().map(|column| slice.batch.texts(column)).collect::<Result<Vec<_>, _>>()?;
        let costs = slice.batch.numbers("acquisition_cost", input.money())?;
        let wallets = Wallets::new(input, &slice.batch)?;
        let benchmarks = slice.batch.switches("benchmark")?;
        let covariates = covariates::cells(&slice.batch, input.settings, TableName::Customers)?;
        for row in 0..slice.height() {
            let of_row = |column: &Option<Vec<Option<String>>>| column.as_ref().and_then(|texts| texts[row].clone());
            let (segment, group) = (of_row(&segments), groups.iter().map(of_row).collect());
            let cost = costs.as_ref().map(|costs| costs[row]).filter(|cost| *cost != NULL);
            // An unknown cost is none.
            let amount = Some(cost.unwrap_or(0)).filter(|cost| is_number(*cost));
            let verdict = match amount {
                _ if missing[row] => Err(("missing_customer", MISSING_ID)),
                None => Err(("invalid_amount", "the acquisition cost is not a finite number in range")),
                Some(_) => wallets.get(row).and_then(|wallet| {
                    let unclear = ("invalid_flag", "benchmark is neither yes nor no");
                    let copied = benchmarks.as_ref().map_or(Some(false), |flags| flags[row]).ok_or(unclear)?;
                    let covariates = covariates.iter().map(|column| column[row].clone()).collect();
                    Ok((owned(ids.get(row)), segment, cost, group, wallet, copied, covariates))
                }),
            };
            slice.row(row, amount, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.0 == b.0,
        |row| {
            let mut cells = serde_json::json!({"customer_id": id_text(&row.0, kind), "segment": row.1});
            if input.has("acquisition_cost") {
                cells["acquisition_cost"] =
                    format_minor(row.2.unwrap_or(0).into(), input.settings.currency.exponent).into();
            }
            demote(
                &mut tally,
                &input.rules,
                "duplicate_customer",
                "the customer id stands more than once",
                &cells,
                Some(row.2.unwrap_or(0)),
            );
        },
    );
    input.rules.judge(&tally.balance)?;
    let mut table = CustomerTable {
        ids: KeyTable::new(kind, rows.len()),
        segment: Vec::with_capacity(rows.len()),
        groups: wanted.iter().map(|_| Vec::with_capacity(rows.len())).collect(),
        acquisition_cost: Vec::with_capacity(rows.len()),
        wallet: Vec::with_capacity(rows.len()),
        benchmark: Vec::with_capacity(rows.len()),
        covariates: {
            let cells: Vec<&[Cell]> = rows.iter().map(|row| row.6.as_slice()).collect();
            covariates::columns(input.settings, TableName::Customers, &cells)?
        },
    };
    for (id, segment, cost, groups, wallet, benchmark, _) in rows {
        table.ids.insert(borrowed(&id, kind));
        table.segment.push(segment);
        for (column, group) in table.groups.iter_mut().zip(groups) {
            column.push(group);
        }
        table.acquisition_cost.push(cost);
        table.wallet.push(wallet);
        table.benchmark.push(benchmark);
    }
    Ok((table, tally))
}

/// Columns of what customers spend with us and with others.
struct Wallets {
    columns: Option<(Vec<i64>, Vec<i64>)>,
}

impl Wallets {
    fn new(input: &Input<'_>, batch: &Batch<'_>) -> Result<Self, ContractError> {
        let wallets = batch.numbers("wallet", input.money())?;
        Ok(Self { columns: wallets.zip(batch.numbers("wallet_probability", share_scale())?) })
    }

    /// The wallet of a row; `None` where either cell is null.
    fn get(&self, row: usize) -> Result<Option<Wallet>, (&'static str, &'static str)> {
        let Some((wallets, probabilities)) = &self.columns else { return Ok(None) };
        match (wallets[row], probabilities[row]) {
            (NULL, _) | (_, NULL) => Ok(None),
            (a_year, _) if a_year < 0 => {
                Err(("invalid_amount", "the wallet is negative or not a finite number in range"))
            }
            (_, probability) if !(0..=SHARE_SCALE).contains(&probability) => {
                Err(("invalid_probability", "the probability to win the wallet is not between 0 and 1"))
            }
            (a_year, probability) => Ok(Some(Wallet { a_year, probability })),
        }
    }
}

/// Probabilities, shares and margins, scaled to [`SHARE_SCALE`].
pub(super) fn share_scale() -> Scale {
    Scale { digits: SHARE_SCALE.ilog10(), integers_are_scaled: false }
}

/// The products table: ids are unique and have a unit cost.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn products(input: &Input<'_>, kind: &Keys, csv: bool) -> Result<(ProductTable, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, (OwnedId, UnitCost)>| {
        let (ids, missing) = ids_like(&slice.batch, "product_id", kind, csv)?;
        let exponent = input.settings.currency.exponent;
        let costs = slice.batch.decimals("unit_cost", exponent.into())?.ok_or_else(|| slice.absent("unit_cost"))?;
        for (row, cost) in costs.into_iter().enumerate() {
            let verdict = match cost.and_then(|cost| UnitCost::of(cost, exponent)) {
                _ if missing[row] => Err(("missing_product", MISSING_ID)),
                Some(cost) => Ok((owned(ids.get(row)), cost)),
                None => Err(("invalid_amount", "the unit cost is null or not a finite number in range")),
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.0 == b.0,
        |row| {
            let cells = serde_json::json!({"product_id": id_text(&row.0, kind)});
            demote(&mut tally, &input.rules, "duplicate_product", "the product id stands more than once", &cells, None);
        },
    );
    input.rules.judge(&tally.balance)?;
    let mut table = ProductTable { ids: KeyTable::new(kind, rows.len()), unit_cost: Vec::with_capacity(rows.len()) };
    for (id, cost) in rows {
        table.ids.insert(borrowed(&id, kind));
        table.unit_cost.push(cost);
    }
    Ok((table, tally))
}

const UNKNOWN_CUSTOMER: &str = "unknown_customer";

/// The customers of the run, sorted by id; their index is built when a table first asks for one.
pub struct KnownCustomers<'a> {
    ids: &'a Keys,
    index: OnceLock<KeyIndex>,
}

impl<'a> KnownCustomers<'a> {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new(ids: &'a Keys) -> Self {
        Self { ids, index: OnceLock::new() }
    }

    pub(crate) fn keys(&self) -> &Keys {
        self.ids
    }

    fn get(&self, id: Key<'_>) -> Option<u32> {
        self.index.get_or_init(|| KeyIndex::new(self.ids)).get(id)
    }
}

pub(super) fn customer_of(
    ids: &Keys,
    missing: &[bool],
    row: usize,
    customers: &KnownCustomers<'_>,
) -> Result<u32, (&'static str, &'static str)> {
    if missing[row] {
        return Err(("missing_customer", MISSING_ID));
    }
    customers
        .get(ids.get(row))
        .ok_or((UNKNOWN_CUSTOMER, "the customer is neither in the ledger nor in the customers table"))
}

/// When a row happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    pub(super) period: Period,
    /// Two rows of one token are at one time.
    pub(super) token: i64,
    /// The day, where the table has days.
    pub(super) day: Option<Day>,
}

/// Tokens of periods, beyond those of days.
const LABELS: i64 = 1 << 32;

/// The cells of a row with its date or period, where the table has such a column.
pub(super) fn with_time(mut cells: serde_json::Value, input: &Input<'_>, token: i64) -> serde_json::Value {
    if let Some(column) = ["date", "period"].into_iter().find(|column| input.has(column)) {
        let label = || input.settings.period.label((token - LABELS) as Period);
        cells[column] = Day::try_from(token).map_or_else(|_| label(), format_day).into();
    }
    cells
}

/// When the row happened: always, where the table has no times.
pub(super) fn timed(
    input: &Input<'_>,
    times: Option<&Vec<Option<When>>>,
    row: usize,
) -> Result<When, (&'static str, &'static str)> {
    let Some(times) = times else { return Ok(When { period: 0, token: 0, day: None }) };
    times[row]
        .ok_or(("invalid_period", "the period is no period of the run's kind"))
        .and_then(|when| not_after(input, when))
}

/// Refuses what happened after `as_of`: on a later day, or, where the table has no days, in a period that begins later.
pub(super) fn not_after(input: &Input<'_>, when: When) -> Result<When, (&'static str, &'static str)> {
    let Some(as_of) = input.settings.as_of else { return Ok(when) };
    match when.day {
        Some(day) if day > as_of => Err(("after_as_of", "the date is after as_of")),
        None if when.period > input.settings.period.of(as_of) => Err(("after_as_of", "the period begins after as_of")),
        _ => Ok(when),
    }
}

pub(super) fn need_periods(input: &Input<'_>, given: bool) -> Result<(), ContractError> {
    if given || input.settings.period == PeriodKind::Whole { Ok(()) } else { Err(no_periods(input.rules.table())) }
}

/// Whether a table that needs periods in a run with periods maps them; no row is read.
///
/// # Errors
/// [`ContractError::Setting`].
pub fn check_periods(settings: &Settings, table: TableName) -> Result<(), ContractError> {
    let needed = [TableName::DriverQuantities, TableName::Events, TableName::Receivables, TableName::Traced];
    let mapped = |setting: &TableSetting| ["period", "date"].iter().any(|column| setting.columns.contains_key(*column));
    if !needed.contains(&table)
        || settings.period == PeriodKind::Whole
        || settings.inputs.table(table).is_none_or(mapped)
    {
        return Ok(());
    }
    Err(no_periods(table))
}

fn no_periods(table: TableName) -> ContractError {
    let table = table.as_str();
    ContractError::Setting(format!("{table}: the run has periods, but neither `period` nor `date` is mapped"))
}

/// Period of each row from `period` or `date`; `None` when neither is mapped, inner `None` when a cell is no period.
pub(super) fn when(batch: &Batch<'_>, kind: PeriodKind) -> Result<Option<Vec<Option<When>>>, ContractError> {
    let of_day =
        |day: Day| (day != NO_DAY).then(|| When { period: kind.of(day), token: i64::from(day), day: Some(day) });
    if let Some(days) = batch.days("date")? {
        return Ok(Some(days.into_iter().map(of_day).collect()));
    }
    let Some(series) = batch.series("period") else { return Ok(None) };
    if *series.dtype() == DataType::Date {
        return Ok(batch.days("period")?.map(|days| days.into_iter().map(of_day).collect()));
    }
    let of_label = |label: String| {
        let period = kind.parse(&label)?;
        // A period has more than one label: 2024-Q1 and 2024Q1 are one.
        Some(When { period, token: LABELS + i64::from(period), day: None })
    };
    let labels: Vec<Option<String>> = match batch.keys("period")? {
        Some((keys, missing)) => (0..keys.len()).map(|i| (!missing[i]).then(|| keys.text(i))).collect(),
        None => return Ok(None),
    };
    Ok(Some(labels.into_iter().map(|label| label.and_then(of_label)).collect()))
}
