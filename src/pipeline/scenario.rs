//! A scenario beside the base: the same facts under other costs, methods, drivers, capacities or prices.

use super::{Clock, Ledgers, RunError, results::Costs};
use crate::{
    contract::ContractError,
    numeric::decimal::{Decimal, divide_half_even, power_of_ten},
    schema::{
        facts::Cells,
        margins::Margins,
        scenario::Scenario,
        settings::Settings,
        tables::{Activity, Pool},
    },
};

/// What a scenario found out.
pub(super) struct Scene {
    /// Facts under other prices or driver quantities, with the scenario's activities and pools.
    pub(super) ledgers: Ledgers,
    pub(super) costs: Costs,
    pub(super) margins: Margins,
}

/// Computes a scenario on the facts of the base.
///
/// # Errors
/// [`RunError`]: a segment or driver that is not there, and whatever stops a run after its facts.
pub(super) fn compute(base: &Ledgers, scenario: &Scenario, clock: &mut Clock) -> Result<Scene, RunError> {
    clock.start("what_if", Some(base.cells.len() as u64));
    let mut ledgers = base.clone();
    change_prices(&mut ledgers, scenario)?;
    change_drivers(&mut ledgers, scenario)?;
    if let Some((activities, pools)) = ledgers.other_costs.take() {
        (ledgers.activities, ledgers.pools) = (activities, pools);
    }
    ledgers.economic.settings = scenario.settings.economic.clone();
    let (costs, margins) = super::cost(&scenario.settings, &ledgers, clock)?;
    Ok(Scene { ledgers, costs, margins })
}

/// Activities and pools with the scenario's own: those of tables stay, and a cost that the scenario gives replaces all
/// pools of its activity or resource.
pub(super) fn costs(base: &Ledgers, settings: &Settings, scenario: &Scenario) -> (Vec<Activity>, Vec<Pool>) {
    let other = &scenario.settings;
    let from_table = |activity: &&Activity| !settings.activities.contains_key(&activity.name);
    let mut activities: Vec<Activity> = base.activities.iter().filter(from_table).cloned().collect();
    let own = other.activities.iter();
    activities.extend(own.map(|(name, setting)| Activity { name: name.clone(), setting: setting.clone() }));
    activities.sort_by(|a, b| a.name.cmp(&b.name));
    let before = |name: &str| {
        let activity = settings.activities.get(name).and_then(|setting| setting.cost);
        activity.or_else(|| settings.resources.get(name).and_then(|setting| setting.cost))
    };
    let now = other.activities.iter().map(|(name, setting)| (name, setting.cost));
    let now = now.chain(other.resources.iter().map(|(name, setting)| (name, setting.cost)));
    let mut pools = base.pools.clone();
    for (name, cost) in now {
        if let Some(cost) = cost.filter(|cost| before(name) != Some(*cost)) {
            pools.retain(|pool| pool.activity != *name);
            pools.push(Pool { activity: name.clone(), period: None, amount: cost, capacity: None });
        }
    }
    pools.sort_unstable();
    (activities, pools)
}

fn missing(what: &str, name: &str, known: &[String]) -> RunError {
    ContractError::Setting(format!("overrides: no {what} is named `{name}`; known: {}", known.join(", "))).into()
}

/// `value · factor`, half to even.
fn scaled(value: i64, factor: Decimal) -> Result<i64, RunError> {
    let product = i128::from(value).checked_mul(factor.mantissa).zip(power_of_ten(factor.scale));
    let rounded = product.map(|(product, power)| divide_half_even(product, power));
    rounded.and_then(|value| i64::try_from(value).ok()).ok_or(RunError::CostTooLarge)
}

fn change_prices(ledgers: &mut Ledgers, scenario: &Scenario) -> Result<(), RunError> {
    for (name, _) in &scenario.prices {
        if let Some(name) = name
            && !ledgers.segment_names.contains(name)
        {
            return Err(missing("segment", name, &ledgers.segment_names));
        }
    }
    if scenario.prices.is_empty() {
        return Ok(());
    }
    let factors: Vec<Option<Decimal>> = ledgers.segment_names.iter().map(|name| scenario.price(name)).collect();
    let Cells { customer, gross_sales, returns, discount, purchase_revenue, first_day_revenue, .. } =
        &mut ledgers.cells;
    for (cell, customer) in customer.iter().enumerate() {
        let Some(factor) = factors[usize::from(ledgers.segment_of[*customer as usize])] else { continue };
        for column in [&mut *gross_sales, returns, discount, purchase_revenue, first_day_revenue] {
            column[cell] = scaled(column[cell], factor)?;
        }
    }
    Ok(())
}

fn change_drivers(ledgers: &mut Ledgers, scenario: &Scenario) -> Result<(), RunError> {
    for (name, factor) in &scenario.driver_factors {
        let at = ledgers.driver_names.iter().position(|known| known == name);
        let at = at.ok_or_else(|| missing("driver", name, &ledgers.driver_names))?;
        for quantity in &mut ledgers.cells.drivers[at] {
            *quantity = scaled(*quantity, *factor)?;
        }
        for unknown in ledgers.unknown.iter_mut().filter(|row| row.driver as usize == at) {
            unknown.quantity = scaled(unknown.quantity, *factor)?;
        }
    }
    Ok(())
}
