//! The bridge of customer equity between the last day of a period and `as_of`: drivers at both days, and columns.
//!
//! Both days are seen with the models of the closing day, and what customers had bought and cost by the opening day is taken
//! from the run's own cells. So a difference comes from customers, prices, costs and the discount rate, never from a fit that
//! changed its mind.

use rayon::prelude::*;

use super::{
    Ledgers, RunError,
    earnings::Earnings,
    equity_tables::Groups,
    forecast::{Forecast, all_is_kept, kept_rates, major},
    worlds::World,
};
use crate::{
    contract::ContractError,
    equity::bridge::{Driven, Drivers, Step, Steps, bridge, in_minor},
    facts::customers::roll_up_until,
    forecast::{
        contribution::{self, Earned, Rates},
        predict::{self, ForecastError, Histories, ValueDrivers},
    },
    publish::dataset::Values,
    schema::{
        costs::LayerCosts,
        equity::BridgeFrom,
        margins::Margins,
        settings::{ForecastSettings, Settings},
    },
    units::{Day, Minor, MinorSum},
};

/// Customers whose steps are added up by one thread at a time, at least.
const CUSTOMERS_AT_ONCE: usize = 16_384;

/// The steps of every customer of the run; `None` without a forecast or a bridge in the settings.
///
/// * `rates`, `expected`: of the closing day, one a history.
///
/// # Errors
/// [`RunError`] of an expectation.
pub(super) fn steps(
    settings: &Settings,
    ledgers: &Ledgers,
    forecast: &Forecast,
    money: (&Margins, &LayerCosts),
    (rates, expected): (&Rates, &[Minor]),
) -> Result<Option<Vec<Steps>>, RunError> {
    let Some((setting, wanted)) = settings.forecast.as_ref().zip(settings.equity.bridge.as_ref()) else {
        return Ok(None);
    };
    let told = ledgers.ahead.earlier.as_ref().map_or(setting.discount_rate_per_year, |run| run.discount_rate_per_year);
    let rate = wanted.discount_rate_per_year.unwrap_or(told);
    let opening_setting = ForecastSettings { discount_rate_per_year: rate, ..setting.clone() };
    let before = match (&wanted.from, &ledgers.ahead.earlier) {
        (BridgeFrom::Day(from), _) if *from >= ledgers.as_of => {
            let what = "equity.bridge.from is not before as_of, the last day of the ledger";
            return Err(ContractError::Setting(what.to_owned()).into());
        }
        (BridgeFrom::Day(from), _) => opening(settings, &opening_setting, (ledgers, *from), forecast, money)?,
        (BridgeFrom::Run(_), Some(earlier)) => earlier.customers.clone(),
        (BridgeFrom::Run(_), None) => return Ok(None),
    };
    let histories = &forecast.histories;
    let population = forecast.models.population().map_err(ForecastError::from)?;
    let spent = major(settings, histories, &ledgers.facts.repeat_revenue);
    let spent = match &forecast.levels {
        Some((levels, level)) => levels.without(&histories.frequency, &spent, level),
        None => spent,
    };
    let now = predict::value_drivers((&forecast.models, &population), histories, &spent, &opening_setting)?;
    let mut after = vec![None; ledgers.customers.len()];
    for (row, customer) in histories.customer.iter().enumerate() {
        after[*customer as usize] = Some(Driven { drivers: drivers(&now, rates, row), value: expected[row] });
    }
    let other_rate = rate.to_bits() != setting.discount_rate_per_year.to_bits();
    let per_major = settings.currency.minor_per_major() as f64;
    Ok(Some(bridge(&before, &after, wanted.lost_below, other_rate, per_major)))
}

/// Drivers of every customer of the run at the opening day; `None` who had not bought yet.
fn opening(
    settings: &Settings,
    setting: &ForecastSettings,
    (ledgers, from): (&Ledgers, Day),
    forecast: &Forecast,
    money: (&Margins, &LayerCosts),
) -> Result<Vec<Option<Driven>>, RunError> {
    let mut found = vec![None; ledgers.customers.len()];
    let last = settings.period.of(from);
    let facts = roll_up_until(&ledgers.cells, ledgers.customers.len(), last)?;
    let histories = Histories::new(&facts, from);
    // Everybody who had bought by then has a history at as_of, in the same order.
    let mut row_of = vec![0; ledgers.customers.len()];
    for (row, customer) in (0..).zip(&forecast.histories.customer) {
        row_of[*customer as usize] = row;
    }
    let rows: Vec<u32> = histories.customer.iter().map(|customer| row_of[*customer as usize]).collect();
    let population = forecast.models.population().map_err(ForecastError::from)?.of_rows(&rows);
    let level: Option<Vec<f64>> =
        forecast.levels.as_ref().map(|(_, level)| rows.iter().map(|row| level[*row as usize]).collect());
    let levels = forecast.levels.as_ref().map(|(levels, _)| levels).zip(level.as_ref());
    let spent = major(settings, &histories, &facts.repeat_revenue);
    let spent = match levels {
        Some((levels, level)) => levels.without(&histories.frequency, &spent, level),
        None => spent,
    };
    let then = predict::value_drivers((&forecast.models, &population), &histories, &spent, setting)?;
    let per_major = settings.currency.minor_per_major() as f64;
    let mut earned = Earnings::until(Some(last), ledgers, money, &histories.customer, per_major);
    let purchases: Vec<f64> =
        histories.customer.iter().map(|row| f64::from(facts.purchase_days[*row as usize])).collect();
    let age: Vec<f64> = histories.age.iter().map(|days| f64::from(*days) / setting.days_per_unit).collect();
    let revenue = major(settings, &histories, &facts.purchase_revenue);
    all_is_kept(settings, &mut earned, &revenue);
    let rates = contribution::rates(&Earned {
        purchase_revenue: &revenue,
        margin: &earned.margin,
        order_cost: &earned.order_cost,
        customer_cost: &earned.customer_cost,
        purchases: &purchases,
        age: &age,
    });
    let rates = kept_rates(settings, rates);
    let rates = match levels {
        Some((levels, level)) => levels.rates(rates, level),
        None => rates,
    };
    for (row, customer) in histories.customer.iter().enumerate() {
        let drivers = drivers(&then, &rates, row);
        found[*customer as usize] = Some(Driven { drivers, value: in_minor(&drivers, per_major) });
    }
    Ok(found)
}

fn drivers(of: &ValueDrivers, rates: &Rates, row: usize) -> Drivers {
    let lifetime = of.lifetime[row];
    Drivers {
        p_alive: of.p_alive[row],
        lifetime,
        purchase_rate: if lifetime > 0.0 { of.purchases[row] / lifetime } else { 0.0 },
        spend: of.spend[row],
        margin_rate: rates.margin_rate[row],
        order_cost: rates.order_cost[row],
        sustaining_rate: rates.sustaining_rate[row],
    }
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
