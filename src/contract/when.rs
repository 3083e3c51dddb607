//! When a row of a small table happened: a day, or a period of the run's kind.

use polars::prelude::DataType;

use super::{ContractError, columns::Batch, small_table::Input};
use crate::{
    schema::{
        facts::NO_DAY,
        period::{Period, PeriodKind, format_day},
        settings::{Settings, TableName, TableSetting},
    },
    units::Day,
};

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
    times[row].ok_or_else(|| no_period(input)).and_then(|when| not_after(input, when))
}

/// What is wrong with a row of no time: its date, where dates are mapped.
pub(super) fn no_period(input: &Input<'_>) -> (&'static str, &'static str) {
    let reason = if input.has("date") {
        "the date is null, or not a day written like 2024-01-31"
    } else {
        "the period is no period of the run's kind"
    };
    ("invalid_period", reason)
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
