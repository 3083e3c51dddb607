//! Contracts of the small tables: customers, products, pools, activities, driver quantities, receivables.
//!
//! Batches arrive in any order, so rows are sorted before duplicates are judged.

use std::sync::OnceLock;

use polars::prelude::{DataFrame, DataType};
use rayon::prelude::*;

use super::{
    ContractError,
    columns::{Batch, INVALID, NULL, Scale, is_number},
    rules::{Rules, Tally},
};
use crate::{
    numeric::{
        decimal::{divide_half_even, format_minor},
        keys::{Key, KeyIndex, KeyTable, Keys, hash_text},
    },
    schema::{
        contract::RejectedRow,
        facts::NO_DAY,
        period::{Period, PeriodKind},
        settings::{ActivitySetting, Level, Method, NegativePolicy, Policy, Settings, TableName},
        tables::{Activity, CustomerTable, DriverQuantity, Pool, ProductTable, Receivable},
    },
    units::Day,
};

/// What every small table needs: the run's settings, its rules, and the batches of its scan.
pub struct Input<'a> {
    settings: &'a Settings,
    /// Rules of the table.
    pub rules: Rules,
    frames: &'a [DataFrame],
}

impl<'a> Input<'a> {
    /// The batches of `table`.
    #[must_use]
    pub fn new(settings: &'a Settings, table: TableName, frames: &'a [DataFrame]) -> Self {
        Self { settings, rules: Rules::new(settings, table), frames }
    }

    fn money(&self) -> Scale {
        Scale { digits: u32::from(self.settings.currency.exponent), integers_are_scaled: true }
    }

    /// Judges every batch and gathers what is accepted.
    fn gather<T: Send>(
        &self,
        judge: impl Fn(&mut Slice<'_, T>) -> Result<(), ContractError> + Sync,
    ) -> Result<(Vec<T>, Tally), ContractError> {
        let table = self.rules.table().as_str();
        let slices: Vec<(Vec<T>, Tally)> = self
            .frames
            .par_iter()
            .map(|frame| {
                let batch = Batch { table, frame };
                let mut slice = Slice { batch, rules: &self.rules, accepted: Vec::new(), tally: Tally::default() };
                judge(&mut slice)?;
                Ok((slice.accepted, slice.tally))
            })
            .collect::<Result<_, ContractError>>()?;
        let mut accepted = Vec::new();
        let mut tally = Tally::default();
        for (mut rows, slice) in slices {
            accepted.append(&mut rows);
            tally.combine(slice);
        }
        Ok((accepted, tally))
    }
}

/// One batch while it is judged.
struct Slice<'a, T> {
    batch: Batch<'a>,
    rules: &'a Rules,
    accepted: Vec<T>,
    tally: Tally,
}

impl<T> Slice<'_, T> {
    fn height(&self) -> usize {
        self.batch.frame.height()
    }

    fn absent(&self, column: &str) -> ContractError {
        ContractError::Column { table: self.batch.table, column: column.to_owned(), expected: "there" }
    }

    /// Judges one row: the first broken rule, or the accepted value.
    fn row(&mut self, row: usize, amount: Option<i64>, verdict: Result<T, (&'static str, &'static str)>) {
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

/// Sets aside rows that repeat the key of the row before them.
fn split_duplicates<T>(rows: Vec<T>, same: impl Fn(&T, &T) -> bool, mut duplicate: impl FnMut(T)) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(rows.len());
    for row in rows {
        if kept.last().is_some_and(|last| same(last, &row)) {
            duplicate(row);
        } else {
            kept.push(row);
        }
    }
    kept
}

/// Moves an accepted row to `rejected` after all.
fn demote(
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
fn ids_like(
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
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn customers(input: &Input<'_>, kind: &Keys, csv: bool) -> Result<(CustomerTable, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, (OwnedId, Option<String>)>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", kind, csv)?;
        let segments = slice.batch.texts("segment")?;
        for row in 0..slice.height() {
            let segment = segments.as_ref().and_then(|segments| segments[row].clone());
            let verdict =
                if missing[row] { Err(("missing_customer", MISSING_ID)) } else { Ok((owned(ids.get(row)), segment)) };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.0 == b.0,
        |row| {
            let cells = serde_json::json!({"customer_id": id_text(&row.0, kind), "segment": row.1});
            demote(
                &mut tally,
                &input.rules,
                "duplicate_customer",
                "the customer id stands more than once",
                &cells,
                None,
            );
        },
    );
    input.rules.judge(&tally.balance)?;
    let mut table = CustomerTable { ids: KeyTable::new(kind, rows.len()), segment: Vec::with_capacity(rows.len()) };
    for (id, segment) in rows {
        table.ids.insert(borrowed(&id, kind));
        table.segment.push(segment);
    }
    Ok((table, tally))
}

/// The products table: ids are unique and have a unit cost.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn products(input: &Input<'_>, kind: &Keys, csv: bool) -> Result<(ProductTable, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, (OwnedId, i64)>| {
        let (ids, missing) = ids_like(&slice.batch, "product_id", kind, csv)?;
        let costs = slice.batch.numbers("unit_cost", input.money())?.ok_or_else(|| slice.absent("unit_cost"))?;
        for row in 0..slice.height() {
            let verdict = if missing[row] {
                Err(("missing_product", MISSING_ID))
            } else if is_number(costs[row]) {
                Ok((owned(ids.get(row)), costs[row]))
            } else {
                Err(("invalid_amount", "the unit cost is null or not a finite number in range"))
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
        table.unit_cost.push(Some(cost));
    }
    Ok((table, tally))
}

/// The activities table, over those of the config.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a word that is no level or method.
pub fn activities(input: &Input<'_>) -> Result<(Vec<Activity>, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, (String, String, String, Option<String>)>| {
        let column = |name: &str| slice.batch.texts(name)?.ok_or_else(|| slice.absent(name));
        let (names, levels, methods) = (column("activity")?, column("level")?, column("method")?);
        let drivers = slice.batch.texts("driver")?;
        for row in 0..slice.height() {
            let text = |column: &[Option<String>]| column[row].clone().unwrap_or_default();
            let driver = drivers.as_ref().and_then(|drivers| drivers[row].clone()).filter(|name| !name.is_empty());
            let verdict = if text(&names).trim().is_empty() {
                Err(("missing_activity", "the activity has no name"))
            } else {
                Ok((text(&names), text(&levels), text(&methods), driver))
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.0 == b.0,
        |row| {
            let cells = serde_json::json!({"activity": row.0});
            demote(&mut tally, &input.rules, "duplicate_activity", "the activity stands more than once", &cells, None);
        },
    );
    input.rules.judge(&tally.balance)?;
    let activities = rows.into_iter().map(|(name, level, method, driver)| activity(name, &level, &method, driver));
    Ok((activities.collect::<Result<_, _>>()?, tally))
}

fn activity(name: String, level: &str, method: &str, driver: Option<String>) -> Result<Activity, ContractError> {
    let bad = |what: &str| Err(ContractError::Setting(format!("activities: activity `{name}` {what}")));
    let level = match level {
        "product" => Level::Product,
        "order" => Level::Order,
        "customer" => Level::Customer,
        _ => return bad("has a level that is none of product, order, customer"),
    };
    let method = match (method, driver) {
        ("average", _) => Method::Average,
        ("revenue", _) => Method::Revenue,
        ("driver", Some(driver)) => Method::Driver(driver),
        ("driver", None) => return bad("is spread by driver, but names none"),
        _ => return bad("has a method that is none of average, revenue, driver"),
    };
    Ok(Activity { name, setting: ActivitySetting { level, method, cost: None, negative: NegativePolicy::Error } })
}

/// The pools table: cost per activity and period; rows of one activity and period add up.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn pools(input: &Input<'_>, activities: &[Activity]) -> Result<(Vec<Pool>, Tally), ContractError> {
    let kind = input.settings.period;
    let (mut rows, tally) = input.gather(|slice: &mut Slice<'_, Pool>| {
        let names = slice.batch.texts("activity")?.ok_or_else(|| slice.absent("activity"))?;
        let amounts = slice.batch.numbers("amount", input.money())?.ok_or_else(|| slice.absent("amount"))?;
        let periods = when(&slice.batch, kind)?;
        for row in 0..slice.height() {
            let amount = is_number(amounts[row]).then_some(amounts[row]);
            let name = names[row].clone().unwrap_or_default();
            let period = periods.as_ref().map(|periods| periods[row]);
            let known = activities.iter().any(|activity| activity.name == name);
            let verdict = match (amount, period) {
                (None, _) => Err(("invalid_amount", "the amount is null or not a finite number in range")),
                _ if !known => Err(("unknown_activity", "the activity is not defined")),
                (_, Some(None)) => Err(("invalid_period", "the period is no period of the run's kind")),
                (Some(amount), Some(Some(when))) => Ok(Pool { activity: name, period: Some(when.period), amount }),
                (Some(amount), None) => Ok(Pool { activity: name, period: None, amount }),
            };
            slice.row(row, amount, verdict);
        }
        Ok(())
    })?;
    input.rules.judge(&tally.balance)?;
    rows.sort_unstable();
    let mut merged: Vec<Pool> = Vec::new();
    for row in rows {
        match merged.last_mut().filter(|last| last.activity == row.activity && last.period == row.period) {
            Some(last) => {
                let too_large = || {
                    ContractError::Setting(format!("pools: activity `{}` exceeds 9.2·10¹⁸ minor units", row.activity))
                };
                last.amount = last.amount.checked_add(row.amount).ok_or_else(too_large)?;
            }
            None => merged.push(row),
        }
    }
    Ok((merged, tally))
}

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

    fn keys(&self) -> &Keys {
        self.ids
    }

    fn get(&self, id: Key<'_>) -> Option<u32> {
        self.index.get_or_init(|| KeyIndex::new(self.ids)).get(id)
    }
}

/// The driver quantities table.
///
/// * `customers`: id → row of every customer of the run.
/// * `drivers`: names of the columns that are filled, with their column number.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a table without periods in a run with periods.
pub fn driver_quantities(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    drivers: &[(String, u32)],
    csv: bool,
) -> Result<(Vec<DriverQuantity>, Tally), ContractError> {
    let quantity_scale = Scale { digits: 6, integers_are_scaled: false };
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, DriverQuantity>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let names = slice.batch.texts("driver")?.ok_or_else(|| slice.absent("driver"))?;
        let quantities = slice.batch.numbers("quantity", quantity_scale)?.ok_or_else(|| slice.absent("quantity"))?;
        let times = when(&slice.batch, input.settings.period)?;
        need_periods(input, times.is_some())?;
        for row in 0..slice.height() {
            let driver = drivers.iter().find(|(name, _)| names[row].as_deref() == Some(name));
            let quantity = quantities[row];
            let verdict = match customer_of(&ids, &missing, row, customers) {
                Err(broken) => Err(broken),
                _ if quantity == NULL || quantity == INVALID => {
                    Err(("invalid_quantity", "the quantity is null or not a finite number in range"))
                }
                _ if driver.is_none() => Err(("unknown_driver", "no activity takes the driver from this table")),
                Ok(customer) => timed(input, times.as_ref(), row).map(|when| DriverQuantity {
                    customer,
                    driver: driver.map_or(0, |(_, column)| *column),
                    period: when.period,
                    when: when.token,
                    quantity,
                }),
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    if input.rules.policy("duplicate_key") != Policy::Warn {
        let same =
            |a: &DriverQuantity, b: &DriverQuantity| (a.customer, a.driver, a.when) == (b.customer, b.driver, b.when);
        rows = split_duplicates(rows, same, |row| {
            let id = customers.keys().text(row.customer as usize);
            let driver = drivers.iter().find(|(_, column)| *column == row.driver).map(|(name, _)| name);
            let quantity = format_minor(i128::from(row.quantity), 6);
            let cells = serde_json::json!({"customer_id": id, "driver": driver, "quantity": quantity});
            demote(
                &mut tally,
                &input.rules,
                "duplicate_key",
                "customer, driver and period stand more than once",
                &cells,
                None,
            );
        });
    }
    input.rules.judge(&tally.balance)?;
    Ok((rows, tally))
}

/// The receivables table: the mean of a customer's balances in a period.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a table without periods in a run with periods.
pub fn receivables(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    csv: bool,
) -> Result<(Vec<Receivable>, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, (u32, Period, i64, i64)>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let balances = slice.batch.numbers("balance", input.money())?.ok_or_else(|| slice.absent("balance"))?;
        let times = when(&slice.batch, input.settings.period)?;
        need_periods(input, times.is_some())?;
        for (row, balance) in balances.into_iter().enumerate() {
            let amount = is_number(balance).then_some(balance);
            let verdict = match (customer_of(&ids, &missing, row, customers), amount) {
                (Err(broken), _) => Err(broken),
                (_, None) => Err(("invalid_amount", "the balance is null or not a finite number in range")),
                (Ok(customer), Some(balance)) => {
                    timed(input, times.as_ref(), row).map(|when| (customer, when.period, when.token, balance))
                }
            };
            slice.row(row, amount, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| (a.0, a.2) == (b.0, b.2),
        |row| {
            let balance = format_minor(i128::from(row.3), input.settings.currency.exponent);
            let cells = serde_json::json!({"customer_id": customers.keys().text(row.0 as usize), "balance": balance});
            let reason = "customer and date or period stand more than once";
            demote(&mut tally, &input.rules, "duplicate_key", reason, &cells, Some(row.3));
        },
    );
    input.rules.judge(&tally.balance)?;
    let mean = |of: &[(u32, Period, i64, i64)]| {
        let sum = of.iter().map(|row| i128::from(row.3)).sum();
        Receivable { customer: of[0].0, period: of[0].1, balance: divide_half_even(sum, of.len() as i128) as i64 }
    };
    Ok((rows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(mean).collect(), tally))
}

fn customer_of(
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
        .ok_or(("unknown_customer", "the customer is neither in the ledger nor in the customers table"))
}

/// When a row happened.
#[derive(Clone, Copy, Debug)]
struct When {
    period: Period,
    token: i64,
    day: Option<Day>,
}

/// When the row happened: always, where the table has no times.
fn timed(
    input: &Input<'_>,
    times: Option<&Vec<Option<When>>>,
    row: usize,
) -> Result<When, (&'static str, &'static str)> {
    let Some(times) = times else { return Ok(When { period: 0, token: 0, day: None }) };
    match times[row] {
        None => Err(("invalid_period", "the period is no period of the run's kind")),
        Some(when) if when.day > input.settings.as_of && input.settings.as_of.is_some() => {
            Err(("after_as_of", "the date is after as_of"))
        }
        Some(when) => Ok(when),
    }
}

fn need_periods(input: &Input<'_>, given: bool) -> Result<(), ContractError> {
    if given || input.settings.period == PeriodKind::Whole {
        return Ok(());
    }
    let table = input.rules.table().as_str();
    Err(ContractError::Setting(format!("{table}: the run has periods, but neither `period` nor `date` is mapped")))
}

/// Period of each row from `period` or `date`; `None` when neither is mapped, inner `None` when a cell is no period.
fn when(batch: &Batch<'_>, kind: PeriodKind) -> Result<Option<Vec<Option<When>>>, ContractError> {
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
        Some(When { period, token: hash_text(label.trim().as_bytes()) as i64, day: None })
    };
    let labels: Vec<Option<String>> = match batch.keys("period")? {
        Some((keys, missing)) => (0..keys.len()).map(|i| (!missing[i]).then(|| keys.text(i))).collect(),
        None => return Ok(None),
    };
    Ok(Some(labels.into_iter().map(|label| label.and_then(of_label)).collect()))
}
