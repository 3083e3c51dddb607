//! The order of the stages. Nobody else knows it.
//!
//! `ledger` and `inputs` read and check, `results` computes on the facts, `tables` lays the results out as
//! columns, `output` writes them with the manifest and puts them in place.

mod choice;
pub mod clock;
pub mod compare;
mod comparison;
mod contractual;
mod cost_tables;
mod earnings;
mod economic;
pub mod error;
mod event_time;
pub mod explain;
mod fitting;
mod forecast;
mod foretold;
mod fx;
mod gather;
mod inputs;
mod ledger;
pub mod model_file;
mod notes;
mod object_tables;
pub mod objects;
mod origins;
mod output;
pub mod results;
mod scenario;
mod scenario_table;
mod summary;
mod tables;
mod validation;
mod worlds;

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8PathBuf;

pub use self::{
    clock::{Clock, Progress, StageTime},
    error::RunError,
    fitting::{Fitted, fit},
    model_file::SavedModels,
    validation::{Validation, validate},
};
use self::{
    gather::{Wanted, facts_of},
    objects::{ObjectError, ObjectResults, is_mapped},
    results::{Costs, Results},
};
use crate::{
    allocate::{self, Costing, Ground},
    profit,
    schema::{
        contract::{InputBalance, RejectedRow},
        economic::EconomicInputs,
        facts::{Cells, CustomerFacts, Customers},
        margins::Margins,
        objects::{CostObject, Objects},
        purchases::PurchaseLog,
        settings::{Settings, TableName},
        tables::{Activity, CustomerContract, Pool, PoolLine, TracedCost, UnknownQuantity},
    },
    units::Day,
};

/// What a run did.
#[derive(Debug)]
pub struct Outcome {
    /// The manifest, as written.
    pub manifest: serde_json::Value,
    /// Stage times.
    pub times: Vec<StageTime>,
    /// The result in a few lines for people.
    pub summary: Vec<String>,
}

/// Facts of a run, with all that the ledger and its side tables say.
#[derive(Clone)]
pub struct Ledgers {
    /// Customers.
    pub customers: Customers,
    /// One row a customer and period.
    pub cells: Cells,
    /// One row a customer.
    pub facts: CustomerFacts,
    /// Last day that counts.
    pub as_of: Day,
    /// Segment of each customer.
    pub segment: Option<Vec<Option<String>>>,
    /// Balances of every input table.
    pub balances: BTreeMap<TableName, InputBalance>,
    /// Rejected rows.
    pub rejected: Vec<RejectedRow>,
    /// Checked input files by table.
    pub files: BTreeMap<TableName, Vec<Utf8PathBuf>>,
    /// Names of the customers table's segments; `(none)` alone without one.
    pub segment_names: Vec<String>,
    /// Segment of each customer, as a number in `segment_names`.
    pub segment_of: Vec<u16>,
    activities: Vec<Activity>,
    pools: Vec<Pool>,
    pool_lines: Vec<PoolLine>,
    traced: Vec<TracedCost>,
    unknown: Vec<UnknownQuantity>,
    economic: EconomicInputs,
    driver_names: Vec<String>,
    /// Purchase days of every customer, where they are wanted.
    pub purchases: Option<PurchaseLog>,
    /// Contracts of customers, where the table is configured.
    pub contracts: Option<Vec<CustomerContract>>,
    /// Models that were fitted before, to be used instead of fits.
    pub saved: Option<SavedModels>,
    /// Activities and pools of the scenario.
    other_costs: Option<(Vec<Activity>, Vec<Pool>)>,
    /// Orders or products, when they are costed.
    objects: Option<Objects>,
    /// Names of the channels or regions, when these are costed, and the number of each customer's.
    groups: Option<(Vec<String>, Vec<u16>)>,
}

impl Ledgers {
    /// The rows that cost is spread over.
    fn ground(&self, settings: &Settings) -> Ground<'_> {
        Ground {
            cells: &self.cells,
            customers: &self.customers,
            segment: &self.segment_of,
            segment_names: &self.segment_names,
            exponent: settings.currency.exponent,
        }
    }

    /// What costs are and how they reach customers.
    fn costing<'a>(&'a self, settings: &'a Settings) -> Costing<'a> {
        Costing {
            activities: &self.activities,
            resources: &settings.resources,
            service: &settings.service,
            pools: &self.pools,
            traced: &self.traced,
            unknown: &self.unknown,
            drivers: &self.driver_names,
            currency: &settings.currency,
            period: settings.period,
            as_of: self.as_of,
        }
    }
}

/// Runs every stage and puts the results in place.
///
/// # Errors
/// [`RunError`]; nothing of the output folder has changed then.
pub fn run(settings: &Settings, progress: Arc<dyn Progress>) -> Result<Outcome, RunError> {
    project(settings, None, progress)
}

/// As [`run`], with saved models in place of fits where they are given.
///
/// # Errors
/// As [`run`]; [`RunError::NoForecast`] for models without a forecast.
pub fn project(
    settings: &Settings,
    saved: Option<SavedModels>,
    progress: Arc<dyn Progress>,
) -> Result<Outcome, RunError> {
    if saved.is_some() && settings.forecast.is_none() {
        return Err(RunError::NoForecast);
    }
    if saved.is_some() {
        choice::purchases_alone(settings.forecast.as_ref(), "project")?;
    }
    let mut clock = Clock::new(progress);
    let needs_days = settings.forecast.as_ref().is_some_and(|forecast| forecast.model.needs_purchase_days());
    let by_day = needs_days && saved.is_none();
    let wants_products = ["product_profit", "product_balance"].iter().any(|name| settings.writes(name));
    let products =
        (wants_products && is_mapped(settings, TableName::Transactions, "product_id")).then_some(CostObject::Product);
    let mut ledgers = facts_of(settings, Wanted { by_day, object: products }, &mut clock)?;
    ledgers.saved = saved;
    let (costs, margins) = cost(settings, &ledgers, &mut clock)?;
    let products = match products {
        Some(kind) => {
            clock.start("products", ledgers.objects.as_ref().map(|objects| objects.cells.len() as u64));
            Some(ObjectResults::new(settings, &mut ledgers, (&costs, &margins), kind)?)
        }
        None => None,
    };
    let scene = match &settings.scenario {
        Some(scenario) => Some(scenario::compute(&ledgers, scenario, &mut clock)?),
        None => None,
    };
    let mut results = Results::new(settings, ledgers, costs, margins, &mut clock)?;
    results.scene = scene;
    results.products = products;
    clock.start("publish", None);
    let manifest = output::publish(settings, &results, &mut clock)?;
    Ok(Outcome { manifest, times: clock.times, summary: summary::lines(settings, &results) })
}

/// Costs other objects than customers, without a forecast, and puts the results in place.
///
/// # Errors
/// [`RunError`]; nothing of the output folder has changed then.
pub fn run_objects(settings: &Settings, kind: CostObject, progress: Arc<dyn Progress>) -> Result<Outcome, RunError> {
    ObjectError::check(settings, kind)?;
    let mut clock = Clock::new(progress);
    let mut ledgers = facts_of(settings, Wanted { by_day: false, object: Some(kind) }, &mut clock)?;
    let (costs, margins) = cost(settings, &ledgers, &mut clock)?;
    clock.start("objects", ledgers.objects.as_ref().map(|objects| objects.cells.len() as u64));
    let objects = ObjectResults::new(settings, &mut ledgers, (&costs, &margins), kind)?;
    let results = Results::without_forecast(ledgers, costs, margins);
    clock.start("publish", None);
    let manifest = output::publish_objects(settings, &results, &objects, &mut clock)?;
    let summary = summary::object_lines(settings, &results, &objects);
    Ok(Outcome { manifest, times: clock.times, summary })
}

/// Costs and margins of every cell: what follows from the ledgers and the settings, and from nothing else.
///
/// # Errors
/// [`RunError`] of the allocate and profit stages.
fn cost(settings: &Settings, ledgers: &Ledgers, clock: &mut Clock) -> Result<(Costs, Margins), RunError> {
    clock.start("allocate", Some(ledgers.cells.len() as u64));
    let costs = cost_of(&ledgers.costing(settings), &ledgers.ground(settings))?;
    clock.start("profit", None);
    let margins = profit::margins(&ledgers.cells, &costs.layers, &ledgers.economic)?;
    economic::check(settings, &ledgers.balances, &margins)?;
    Ok((costs, margins))
}

/// Plans every cost and takes it of every cell; what cells bear ties to the pools.
///
/// # Errors
/// [`RunError`] of a pool that cannot be allocated.
fn cost_of(costing: &Costing<'_>, ground: &Ground<'_>) -> Result<Costs, RunError> {
    let plan = allocate::plan(costing, ground)?;
    let leaves = plan.leaves(ground).map_err(|_| RunError::CostTooLarge)?;
    if let Some((activity, cost, found)) = plan.reconcile(&leaves) {
        return Err(RunError::Reconciliation { activity, cost, found });
    }
    Ok(Costs { plan, layers: leaves.layers })
}

/// Reads, checks and folds all inputs.
///
/// * `by_day`: whether the purchase days of every customer are kept.
///
/// # Errors
/// [`RunError`] of the read, contract and facts stages.
pub fn facts(settings: &Settings, by_day: bool, clock: &mut Clock) -> Result<Ledgers, RunError> {
    facts_of(settings, Wanted { by_day, object: None }, clock)
}
