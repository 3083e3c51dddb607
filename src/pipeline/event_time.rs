//! From events to driver quantities: each event's time by its equation, summed by customer and period.

use std::collections::BTreeMap;

use super::RunError;
use crate::{
    allocate::time_equation::TimeEquation,
    contract::{ContractError, events::EventTerms},
    schema::{
        period::Period,
        settings::{DriverMeasure, LedgerDriver},
        tables::Owner,
    },
    units::Quantity,
};

/// Time by customer and period, scaled by 10⁶.
pub(super) type Times = BTreeMap<(Owner, Period), Quantity>;

/// The time of every event, exact and rounded once, then summed.
///
/// # Errors
/// [`ContractError::Setting`] when a time or a sum leaves its range.
pub(super) fn sum(name: &str, driver: &LedgerDriver, events: &EventTerms) -> Result<Times, RunError> {
    let DriverMeasure::Time { equation, columns, flags } = &driver.measure else { return Ok(Times::default()) };
    let failed = |what: String| ContractError::Setting(format!("events: driver `{name}`: {what}"));
    let equation = TimeEquation::of_columns(equation, columns, flags).map_err(|error| failed(error.to_string()))?;
    let terms: Vec<&[Quantity]> = events.terms.iter().map(Vec::as_slice).collect();
    let times = equation.evaluate(events.owner.len(), &terms).map_err(|error| failed(error.to_string()))?;
    let mut sums = Times::default();
    for ((owner, period), time) in events.owner.iter().zip(&events.period).zip(times) {
        let sum = sums.entry((*owner, *period)).or_default();
        *sum = sum.checked_add(time).ok_or_else(|| failed("a sum of times leaves 64 bits".to_owned()))?;
    }
    Ok(sums)
}
