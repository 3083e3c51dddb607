//! The bridge of customer equity between the last day of a period and `as_of`: drivers at both days, and columns.
//!
//! Both days are seen with the models of the closing day, and what customers had bought and cost by the opening day is taken
//! from the run's own cells. So a difference comes from customers, prices, costs and the discount rate, never from a fit that
//! changed its mind.

use rayon::prelude::*;

use super::{
    Ledgers, RunError,
    equity_tables::Groups,
    foretold::{Foretold, Valuation},
    worlds::World,
};
use crate::{
    contract::ContractError,
    equity::bridge::{Driven, Drivers, Step, Steps, bridge, in_minor},
    publish::dataset::Values,
    schema::{
        costs::LayerCosts,
        equity::BridgeFrom,
        margins::Margins,
        settings::{ForecastSettings, Settings},
    },
    units::{Day, MinorSum},
};

/// Customers whose steps are added up by one thread at a time, at least.
const CUSTOMERS_AT_ONCE: usize = 16_384;

/// The steps of every customer of the run; `None` without a bridge in the settings.
///
/// * `value`: of the closing day.
///
/// # Errors
/// [`RunError`] of an expectation.
pub(super) fn steps(
    settings: &Settings,
    ledgers: &Ledgers,
    forecast: &Foretold,
    money: (&Margins, &LayerCosts),
    value: &Valuation,
) -> Result<Option<Vec<Steps>>, RunError> {
    let Some((setting, wanted)) = settings.forecast.as_ref().zip(settings.equity.bridge.as_ref()) else {
        return Ok(None);
    };
    let told = ledgers.ahead.earlier.as_ref().map_or(setting.discount_rate_per_year, |run| run.discount_rate_per_year);
    let rate = wanted.discount_rate_per_year.unwrap_or(told);
    let opening = ForecastSettings { discount_rate_per_year: rate, ..setting.clone() };
    let at = |day: Day| forecast.drivers_at(day, (settings, &opening), ledgers, money, value);
    let per_major = settings.currency.minor_per_major() as f64;
    let before = match (&wanted.from, &ledgers.ahead.earlier) {
        (BridgeFrom::Day(from), _) if *from >= ledgers.as_of => {
            let what = "equity.bridge.from is not before as_of, the last day of the ledger";
            return Err(ContractError::Setting(what.to_owned()).into());
        }
        (BridgeFrom::Day(from), _) => {
            let driven = |drivers: Drivers| Driven { drivers, value: in_minor(&drivers, per_major) };
            at(*from)?.into_iter().map(|drivers| drivers.map(driven)).collect()
        }
        (BridgeFrom::Run(_), Some(earlier)) => earlier.customers.clone(),
        (BridgeFrom::Run(_), None) => return Ok(None),
    };
    let closing = |(customer, drivers): (usize, Option<Drivers>)| {
        Some(Driven { drivers: drivers?, value: value.expected[forecast.row(customer)?] })
    };
    let after: Vec<Option<Driven>> = at(ledgers.as_of)?.into_iter().enumerate().map(closing).collect();
    let other_rate = rate.to_bits() != setting.discount_rate_per_year.to_bits();
    Ok(Some(bridge(&before, &after, wanted.lost_below, other_rate, per_major)))
}

/// Customers and amount of every step.
type StepTotals = [(i64, MinorSum); Step::ALL.len()];

/// Where the groups of each cut begin, and the totals of every group. The steps of a customer are looked at once for all cuts:
/// they are what does not fit a cache.
fn totals(bridge: &[Steps], groups: &[Groups<'_>]) -> (Vec<usize>, Vec<StepTotals>) {
    let (mut first, mut all) = (Vec::new(), 0);
    for cut in groups {
        first.push(all);
        all += cut.names.len();
    }
    let nothing = || vec![StepTotals::default(); all];
    let add = |mut totals: Vec<StepTotals>, (customer, steps): (usize, &Steps)| {
        for (cut, first) in groups.iter().zip(&first) {
            for (step, (count, sum)) in Step::ALL.into_iter().zip(&mut totals[first + cut.group(customer)]) {
                *count += i64::from(steps.counts(step));
                *sum += MinorSum::from(steps.amount(step));
            }
        }
        totals
    };
    let both = |mut totals: Vec<StepTotals>, others: Vec<StepTotals>| {
        for ((count, sum), other) in totals.iter_mut().flatten().zip(others.iter().flatten()) {
            *count += other.0;
            *sum += other.1;
        }
        totals
    };
    let totals = bridge.par_iter().enumerate().with_min_len(CUSTOMERS_AT_ONCE).fold(nothing, add).reduce(nothing, both);
    (first, totals)
}

impl World<'_> {
    /// `equity_bridge`.
    pub(super) fn bridge_columns(&self) -> Vec<Values> {
        let groups = self.groups();
        let mut rows: Vec<(&str, &str, Step, i64, MinorSum)> = Vec::new();
        if let Some(bridge) = &self.found.bridge {
            let (first, totals) = totals(bridge, &groups);
            for (cut, group) in Self::in_order(&groups) {
                let (by, name) = (groups[cut].segmentation, groups[cut].names[group]);
                let total = &totals[first[cut] + group];
                rows.extend(Step::ALL.iter().zip(total).map(|(step, (count, sum))| (by, name, *step, *count, *sum)));
            }
        }
        let from = match self.settings.equity.bridge.as_ref().map(|bridge| &bridge.from) {
            Some(BridgeFrom::Day(from)) => Some(*from),
            _ => self.found.ledgers.ahead.earlier.as_ref().map(|run| run.as_of),
        };
        let date = |step: Step| if step == Step::Opening { from } else { Some(self.found.ledgers.as_of) };
        vec![
            Values::Text(rows.iter().map(|row| Some(row.0.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.1.to_owned())).collect()),
            Values::Integer(rows.iter().map(|row| Some(row.2 as i64 + 1)).collect()),
            Values::Text(rows.iter().map(|row| Some(row.2.as_str().to_owned())).collect()),
            Values::Date(rows.iter().map(|row| date(row.2)).collect()),
            Values::Integer(rows.iter().map(|row| Some(row.3)).collect()),
            Values::Sum(rows.iter().map(|row| Some(row.4)).collect()),
        ]
    }
}
