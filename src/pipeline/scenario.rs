//! A scenario beside the base: the same facts under other costs, methods, drivers, capacities or prices.

use std::{collections::BTreeMap, sync::Arc};

use super::{Ledgers, RunError, prices};
use crate::{
    allocate::{self, CostPlan, explain::split},
    contract::{ContractError, resource_weights::with_takers},
    numeric::decimal::{Decimal, divide_half_even, format_minor, power_of_ten},
    schema::{
        costing::ResourceSetting,
        costs::{PoolBalance, PoolNode},
        economic::EconomicInputs,
        facts::{Cells, CustomerFacts},
        period::{Period, PeriodKind},
        scenario::{CostChange, Scenario},
        settings::Settings,
        tables::{Activity, Pool, PoolLine},
    },
    units::Minor,
};

/// The facts of the base under other prices, driver quantities, activities and pools.
///
/// # Errors
/// [`RunError`]: a segment or driver that is not there, or amounts that leave 64 bits.
pub(super) fn ledgers(base: &Ledgers, scenario: &Scenario, costs: Option<OtherCosts>) -> Result<Ledgers, RunError> {
    let mut ledgers = costs.as_ref().map_or_else(|| base.clone(), |costs| costs.of(base));
    if let Some(OwnCells { cells, economic, facts }) = costs.and_then(|costs| costs.cells) {
        (ledgers.cells, ledgers.economic, ledgers.facts) = (cells, economic, facts);
    }
    prices::change(&mut ledgers, scenario)?;
    change_drivers(&mut ledgers, scenario)?;
    ledgers.economic.settings = scenario.settings.economic.clone();
    Ok(ledgers)
}

/// Activities, pools and their lines in a scenario.
pub(super) struct OtherCosts {
    pub(super) activities: Vec<Activity>,
    pub(super) resources: Arc<BTreeMap<String, ResourceSetting>>,
    pub(super) pools: Vec<Pool>,
    pub(super) pool_lines: Arc<Vec<PoolLine>>,
    /// What stands in cells, when the scenario needs more of them than the base; `None` = those of the base.
    pub(super) cells: Option<OwnCells>,
}

/// Cells that a scenario has for itself, and what goes by them.
pub(super) struct OwnCells {
    pub(super) cells: Arc<Cells>,
    pub(super) economic: EconomicInputs,
    pub(super) facts: Arc<CustomerFacts>,
}

impl OtherCosts {
    /// The base's facts under these costs.
    pub(super) fn of(&self, base: &Ledgers) -> Ledgers {
        Ledgers {
            activities: self.activities.clone(),
            resources: Arc::clone(&self.resources),
            pools: self.pools.clone(),
            pool_lines: Arc::clone(&self.pool_lines),
            ..base.clone()
        }
    }
}

/// Activities and pools with the scenario's own: what it does not name stays.
///
/// # Errors
/// [`ContractError::Setting`]: an activity that is not there, a method and a policy that do not go together, or a cost
/// that the periods of its pool do not say how to divide.
pub(super) fn costs(base: &Ledgers, settings: &Settings, scenario: &Scenario) -> Result<OtherCosts, RunError> {
    let other = &scenario.settings;
    let activities = activities(base, settings, scenario)?;
    // What the scenario says of a pool's takers goes before the table.
    let said = |name: &String| other.resources.get(name).is_some_and(|pool| pool.takers().next().is_some());
    let takers = base.takers.iter().filter(|(name, _)| !said(name));
    let takers = takers.map(|(name, takers)| (name.clone(), takers.clone())).collect();
    let names = activities.iter().map(|activity| activity.name.as_str()).collect();
    let resources = with_takers(&other.resources, &takers, &names)?;
    let mut pools = base.pools.clone();
    let whole = settings.period == PeriodKind::Whole;
    let plan = plan_of_traced(base, settings)?;
    for activity in &activities {
        let Some(number) = base.activities.iter().position(|known| known.name == activity.name) else { continue };
        let before = &base.activities[number];
        // Once it is not traced any more, or costs something else, what it cost by name is a cost like any other.
        let other = !activity.setting.is_traced() || scenario.costs.iter().any(|(name, _)| *name == activity.name);
        if let Some(plan) = plan.as_ref().filter(|_| before.setting.is_traced() && other) {
            traced_as_pools((number, &activity.name), &mut pools, &plan.balances);
        }
    }
    // The pools table gives capacities by pool, over the config's own.
    let says = |section: &str, name: &str, keys: &[&str]| {
        keys.iter().any(|key| scenario.says(&format!("{section}.{name}.{key}")))
    };
    for pool in &mut pools {
        let name = pool.activity.as_str();
        if says("activities", name, &["capacity", "method", "rules"])
            || says("resources.pools", name, &["capacity", "rules"])
        {
            pool.capacity = None;
        }
    }
    let mut pool_lines = Arc::clone(&base.pool_lines);
    for (name, change) in &scenario.costs {
        let mut own: Vec<Pool> = pools.extract_if(.., |pool| pool.activity == *name).collect();
        change_cost(name, &mut own, change, other)?;
        follow(name, &own, Arc::<Vec<PoolLine>>::make_mut(&mut pool_lines), whole);
        pools.append(&mut own);
    }
    let new = other.activities.iter().map(|(name, setting)| (name, setting.cost));
    let new = new.filter(|(name, _)| !settings.activities.contains_key(*name));
    let new_pools = other.resources.iter().map(|(name, setting)| (name, setting.cost));
    let new_pools = new_pools.filter(|(name, _)| !settings.resources.contains_key(*name));
    for (name, cost) in new.chain(new_pools) {
        pools.extend(cost.map(|amount| Pool { activity: name.clone(), period: None, amount, capacity: None }));
    }
    pools.sort_unstable();
    Ok(OtherCosts { activities, resources: resources.into(), pools, pool_lines, cells: None })
}

/// Activities of the config as the scenario has them, and those of the table with its changes.
fn activities(base: &Ledgers, settings: &Settings, scenario: &Scenario) -> Result<Vec<Activity>, RunError> {
    let from_table = |activity: &&Activity| !settings.activities.contains_key(&activity.name);
    let mut activities: Vec<Activity> = base.activities.iter().filter(from_table).cloned().collect();
    for (name, change) in &scenario.activities {
        let Some(activity) = activities.iter_mut().find(|activity| activity.name == *name) else {
            let known: Vec<String> = base.activities.iter().map(|activity| activity.name.clone()).collect();
            return Err(missing("activity", name, &known));
        };
        let setting = &mut activity.setting;
        if ["method", "capacity"].iter().any(|key| scenario.says(&format!("activities.{name}.{key}"))) {
            setting.capacity = None;
        }
        setting.method = change.method.clone().unwrap_or_else(|| setting.method.clone());
        setting.capacity = change.capacity.or(setting.capacity);
        setting.over_use = change.over_use.unwrap_or(setting.over_use);
        if let Some(wrong) = allocate::combination(setting) {
            return Err(ContractError::Setting(format!("overrides: activity `{name}`: {wrong}")).into());
        }
    }
    for (name, setting) in &scenario.settings.activities {
        if activities.iter().any(|known| known.name == *name) {
            let what = format!("overrides: activity `{name}` stands in the activities table: leave out its level");
            return Err(ContractError::Setting(what).into());
        }
        activities.push(Activity { name: name.clone(), setting: setting.clone() });
    }
    activities.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(activities)
}

/// What an activity cost becomes its pools, as far as they do not say it: a cost that names its customer is that of its
/// period.
///
/// * `number`: of the activity in the plan of the base, whose balances these are.
pub(super) fn traced_as_pools((number, name): (usize, &str), pools: &mut Vec<Pool>, balances: &[PoolBalance]) {
    for balance in balances.iter().filter(|balance| balance.node == PoolNode::Activity(number) && balance.own != 0) {
        let (period, amount) = (balance.period, balance.own);
        match pools.iter_mut().find(|pool| pool.activity == name && pool.period == period) {
            Some(pool) => pool.amount = amount,
            None => pools.push(Pool { activity: name.to_owned(), period, amount, capacity: None }),
        }
    }
}

/// The plan of the base, where a cost names its customer: it says what such an activity cost in each period.
pub(super) fn plan_of_traced(base: &Ledgers, settings: &Settings) -> Result<Option<CostPlan>, RunError> {
    if base.traced.is_empty() || !base.activities.iter().any(|activity| activity.setting.is_traced()) {
        return Ok(None);
    }
    Ok(Some(allocate::plan(&base.costing(settings), &base.ground(settings))?))
}

/// Gives the pools of one activity or resource another cost.
///
/// A total is divided over periods in proportion to what they cost, by largest remainder, so that it is the sum of its
/// periods.
fn change_cost(name: &str, own: &mut Vec<Pool>, change: &CostChange, settings: &Settings) -> Result<(), RunError> {
    let before: i128 = own.iter().map(|pool| i128::from(pool.amount)).sum();
    let total = match change {
        CostChange::Periods(costs) => return change_periods(name, own, costs, settings),
        CostChange::Total(total) => *total,
        CostChange::Factor(factor) => {
            let before = i64::try_from(before).map_err(|_| RunError::CostTooLarge)?;
            scaled(before, *factor)?
        }
    };
    if let [pool] = own.as_mut_slice() {
        pool.amount = total;
        return Ok(());
    }
    if own.is_empty() {
        own.push(Pool { activity: name.to_owned(), period: None, amount: total, capacity: None });
        return Ok(());
    }
    let weights: Vec<i128> = own.iter().map(|pool| i128::from(pool.amount)).collect();
    let Some(parts) = split(total, &weights) else {
        let money = |minor: i64| format_minor(minor.into(), settings.currency.exponent);
        let what = format!(
            "overrides: the {} periods of `{name}` cost {} {} together, which does not say how to divide {}: give its \
             cost by period, as in cost: {{periods: {{{}: {}}}}}",
            own.len(),
            money(0),
            settings.currency.code,
            money(total),
            settings.period.label(own.iter().find_map(|pool| pool.period).unwrap_or(0)),
            money(total),
        );
        return Err(ContractError::Setting(what).into());
    };
    own.iter_mut().zip(parts).for_each(|(pool, part)| pool.amount = part);
    Ok(())
}

fn change_periods(
    name: &str,
    own: &mut Vec<Pool>,
    costs: &[(Period, Minor)],
    settings: &Settings,
) -> Result<(), RunError> {
    let whole = settings.period == PeriodKind::Whole;
    if !whole && own.iter().any(|pool| pool.period.is_none() && pool.amount != 0) {
        let what = format!("overrides: the cost of `{name}` is one of the whole run, which has no periods");
        return Err(ContractError::Setting(format!("{what}: give a total or a factor")).into());
    }
    own.retain(|pool| whole || pool.period.is_some());
    for (period, amount) in costs {
        let period = (!whole).then_some(*period);
        match own.iter_mut().find(|pool| pool.period == period) {
            Some(pool) => pool.amount = *amount,
            None => own.push(Pool { activity: name.to_owned(), period, amount: *amount, capacity: None }),
        }
    }
    Ok(())
}

/// The accounts and cost centres of a pool bring in its new cost in proportion to what they brought in before.
fn follow(name: &str, own: &[Pool], lines: &mut [PoolLine], whole: bool) {
    for pool in own {
        let mut of_pool: Vec<&mut PoolLine> =
            lines.iter_mut().filter(|line| line.activity == name && (whole || line.period == pool.period)).collect();
        let weights: Vec<i128> = of_pool.iter().map(|line| i128::from(line.converted)).collect();
        let parts = split(pool.amount, &weights).unwrap_or_default();
        of_pool.iter_mut().zip(parts).for_each(|(line, part)| line.converted = part);
    }
}

pub(super) fn missing(what: &str, name: &str, known: &[String]) -> RunError {
    ContractError::Setting(format!("overrides: no {what} is named `{name}`; known: {}", known.join(", "))).into()
}

/// `value · factor`, half to even.
pub(super) fn scaled(value: i64, factor: Decimal) -> Result<i64, RunError> {
    let product = i128::from(value).checked_mul(factor.mantissa).zip(power_of_ten(factor.scale));
    let rounded = product.map(|(product, power)| divide_half_even(product, power));
    rounded.and_then(|value| i64::try_from(value).ok()).ok_or(RunError::CostTooLarge)
}

fn change_drivers(ledgers: &mut Ledgers, scenario: &Scenario) -> Result<(), RunError> {
    for (name, factor) in &scenario.driver_factors {
        let at = ledgers.driver_names.iter().position(|known| known == name);
        let unknown = || RunError::Factor { name: name.clone(), known: ledgers.driver_names.join(", ") };
        let at = at.ok_or_else(unknown)?;
        let objects = ledgers.objects.as_mut().map(|objects| &mut Arc::make_mut(objects).cells);
        for cells in [Arc::make_mut(&mut ledgers.cells)].into_iter().chain(objects) {
            for quantity in &mut cells.drivers[at] {
                *quantity = scaled(*quantity, *factor)?;
            }
        }
        for unknown in Arc::make_mut(&mut ledgers.unknown).iter_mut().filter(|row| row.driver as usize == at) {
            unknown.quantity = scaled(unknown.quantity, *factor)?;
        }
    }
    Ok(())
}
