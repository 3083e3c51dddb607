//! The order of the stages. Nobody else knows it.
//!
//! `ledger` and `inputs` read and check, `results` computes on the facts, `tables` lays the results out as
//! columns, `output` writes them with the manifest and puts them in place.
//!
//! ```
//! use std::sync::Arc;
//!
//! use camino::{Utf8Path, Utf8PathBuf};
//! use whalecurve::{
//!     cli::config::{Overrides, load},
//!     pipeline::{
//!         clock::{Progress, StageTime},
//!         run,
//!     },
//!     publish::check::check,
//! };
//!
//! struct Silent;
//! impl Progress for Silent {
//!     fn stage(&self, _: &'static str, _: Option<u64>) {}
//!     fn rows(&self, _: u64) {}
//!     fn ended(&self, _: &StageTime) {}
//! }
//!
//! let scratch = tempfile::tempdir()?;
//! let output = Utf8PathBuf::from_path_buf(scratch.path().join("results")).expect("a path of text");
//! let config = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/cdnow/whalecurve.yaml");
//! let overrides = Overrides { output: Some(output.clone()), ..Overrides::default() };
//! let mut settings = load(&config, &std::fs::read_to_string(&config)?, &|_| None, &overrides)?;
//! settings.forecast = None; // costs and margins alone
//! let outcome = run(&settings, Arc::new(Silent))?;
//! assert_eq!(outcome.manifest["pools"]["allocated"], "14580000");
//! assert!(check(&output)?.is_ok(), "what was written is what the manifest says, and its sums tie");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bridge;
mod checks;
mod choice;
pub mod clock;
mod cohorts;
pub mod compare;
mod comparison;
mod contract_choice;
mod contractual;
mod cost_labels;
mod cost_tables;
mod decision_tables;
mod decisions;
pub(crate) mod diff;
mod drivers;
mod earlier;
mod earnings;
mod economic;
mod entry_table;
mod equity_tables;
pub mod error;
pub mod estimate;
mod event_time;
pub mod explain;
pub mod explanation;
mod expressions;
pub(crate) mod finished;
mod fitting;
mod forecast;
mod foretold;
mod fx;
mod gather;
mod group_tables;
mod grouping;
mod inputs;
mod investing;
mod keeping;
mod ledger;
mod market_tables;
mod measures;
mod method_table;
pub mod model_file;
mod movements;
mod newcomers;
mod notes;
mod object_tables;
pub mod objects;
mod opportunistic;
mod order_time;
mod origins;
mod output;
mod own_cells;
mod payments;
pub mod plan;
mod plans;
mod pooled;
mod portfolio;
mod potentials;
mod prices;
mod purchase_drivers;
mod recurring;
pub(crate) mod report;
pub mod results;
mod scenario;
mod scenario_table;
mod segment_table;
mod segmentation;
mod small_groups;
pub mod stores;
pub mod story;
mod summary;
mod tables;
mod unit_money;
mod validation;
mod value_table;
mod worlds;

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;

pub use self::{
    clock::{Clock, Progress, StageTime},
    error::RunError,
    fitting::{Fitted, fit},
    model_file::SavedModels,
    output::refuse_inputs,
    validation::{Validation, validate},
};
use self::{
    decisions::Decisions,
    foretold::Foretold,
    gather::{Wanted, facts_of},
    objects::{ObjectError, ObjectResults, is_mapped},
    plans::Ahead,
    portfolio::Alternative,
    results::{Beside, Costs, Findings, Results},
    scenario::OtherCosts,
};
use crate::{
    allocate::{self, Costing, Ground},
    contract::resource_weights::Takers,
    profit,
    read::Footer,
    schema::{
        contract::{InputBalance, RejectedRow},
        costing::ResourceSetting,
        covariates::Covariate,
        economic::EconomicInputs,
        facts::{Cells, CustomerFacts, Customers},
        margins::Margins,
        objects::{CostObject, Objects},
        portfolio::Payment,
        purchases::PurchaseLog,
        relations::Relations,
        segmentation::Segmentation,
        settings::{ForecastSettings, Settings, TableName},
        tables::{AbsentDrivers, Activity, CustomerContract, Pool, PoolLine, TracedCost, UnknownQuantity},
    },
    units::Day,
};

/// What a run did.
#[derive(Debug)]
pub struct Outcome {
    /// The manifest, as written.
    pub manifest: serde_json::Value,
    /// The result in a few lines for people.
    pub summary: Vec<String>,
}

/// Everything that was read for a run.
pub struct Gathered {
    /// What costs and forecasts follow from.
    pub ledgers: Ledgers,
    /// What became of the inputs' rows.
    pub audit: Audit,
    /// Activities and pools of the scenario.
    other_costs: Option<OtherCosts>,
}

/// What became of the inputs' rows: the manifest and the audit tables tell it, and no figure follows from it.
pub struct Audit {
    /// Balances of every input table.
    pub balances: BTreeMap<TableName, InputBalance>,
    /// Rejected rows.
    pub rejected: Vec<RejectedRow>,
    /// Checked input files by table.
    pub files: BTreeMap<TableName, Vec<Footer>>,
    /// Day of the last accepted line; [`NO_DAY`](crate::schema::facts::NO_DAY) without one.
    pub last_day: Day,
}

/// Facts of a run, with all that its side tables say of cost. A copy shares every table until it changes it, so a
/// scenario holds what it changes alone.
#[derive(Clone)]
pub struct Ledgers {
    /// Customers.
    pub customers: Arc<Customers>,
    /// One row a customer and period.
    pub cells: Arc<Cells>,
    /// One row a customer.
    pub facts: Arc<CustomerFacts>,
    /// Last day that counts.
    pub as_of: Day,
    /// Segment of each customer.
    pub segment: Option<Arc<Vec<Option<String>>>>,
    /// Names of the customers table's segments; `(none)` alone without one.
    pub segment_names: Arc<Vec<String>>,
    /// Segment of each customer, as a number in `segment_names`.
    pub segment_of: Arc<Vec<u16>>,
    activities: Vec<Activity>,
    /// Whom resource pools serve by the table.
    takers: Arc<Takers>,
    /// Resource pools, with the takers that the table gives them.
    resources: Arc<BTreeMap<String, ResourceSetting>>,
    pools: Vec<Pool>,
    pool_lines: Arc<Vec<PoolLine>>,
    traced: Arc<Vec<TracedCost>>,
    unknown: Arc<Vec<UnknownQuantity>>,
    absent: Arc<AbsentDrivers>,
    economic: EconomicInputs,
    driver_names: Arc<Vec<String>>,
    /// Purchase days of every customer, where they are wanted.
    pub purchases: Option<Arc<PurchaseLog>>,
    /// Contracts of customers, where the table is configured.
    pub contracts: Option<Arc<Vec<CustomerContract>>>,
    /// How customers pay, those of whom there are records, sorted by customer.
    payments: Arc<Vec<(u32, Payment)>>,
    /// What is known of customers beside what they bought.
    relations: Arc<Relations>,
    /// Models that were fitted before, to be used instead of fits.
    pub saved: Option<Arc<SavedModels>>,
    /// Orders or products, when they are costed.
    objects: Option<Arc<Objects>>,
    /// Names of the channels or regions, when these are costed, and the number of each customer's.
    groups: Option<Arc<(Vec<String>, Vec<u16>)>>,
    /// What models may use of every customer, sorted by name.
    covariates: Arc<Vec<Covariate>>,
    /// The same of columns that the forecast groups customers by.
    of_forecast: Arc<BTreeMap<&'static str, NamedGroups>>,
    /// Channels, parents and regions that customers are added up by.
    hierarchies: Arc<Vec<Segmentation>>,
    /// What is planned, compared with and decided on.
    ahead: Arc<Ahead>,
}

/// Names of groups, and the number of each customer's.
type NamedGroups = (Vec<String>, Vec<u16>);

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
            resources: &self.resources,
            service: &settings.service,
            pools: &self.pools,
            traced: &self.traced,
            unknown: &self.unknown,
            absent: &self.absent,
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
    expressions::check(settings)?;
    checks::check_tests(settings)?;
    let staging = output::claim(settings, Utf8Path::new(&settings.output))?;
    let mut clock = Clock::new(progress);
    let needs_days = settings.forecast.as_ref().is_some_and(ForecastSettings::needs_purchase_days);
    // Saved models of purchases know the gaps between them; opportunities are counted anew.
    let by_day = needs_days && saved.as_ref().is_none_or(|saved| saved.purchases().is_none());
    let products = costs_products(settings).then_some(CostObject::Product);
    let Gathered { mut ledgers, audit, other_costs } =
        facts_of(settings, Wanted { by_day, object: products }, &mut clock)?;
    checks::record_inputs(settings, &audit, &mut clock);
    ledgers.saved = saved.map(|saved| Arc::new(saved.applied()));
    let other = match &settings.scenario {
        Some(scenario) => Some((scenario, scenario::ledgers(&ledgers, scenario, other_costs)?)),
        None => None,
    };
    let mut base = findings(settings, ledgers, (&audit, products), &mut clock)?;
    let forecast = match &settings.forecast {
        Some(setting) => Some(Foretold::new(settings, setting, &base.ledgers, &mut clock)?),
        None => None,
    };
    let scene = match other {
        Some((scenario, ledgers)) => {
            clock.start("what_if", Some(ledgers.cells.len() as u64));
            let prices = prices::factors(&ledgers, scenario);
            let scene = findings(&scenario.settings, ledgers, (&audit, products), &mut clock)?;
            // Other prices are no other way to serve.
            let way = prices.is_none().then(|| Alternative {
                name: &scenario.name,
                present: portfolio::present_profit(&scenario.settings, &scene),
            });
            Some((scenario, scene, prices, way))
        }
        None => None,
    };
    let alternative = scene.as_ref().and_then(|(_, _, _, way)| way.as_ref());
    base.look_ahead(settings, forecast.as_ref(), Beside { alternative, ..Beside::default() }, &mut clock)?;
    base.build_bridge(settings, forecast.as_ref(), &mut clock)?;
    let scene = match scene {
        Some((scenario, mut scene, prices, _)) => {
            let beside = Beside { tiers: Some(&base.tier), prices: prices.as_deref(), alternative: None };
            scene.look_ahead(&scenario.settings, forecast.as_ref(), beside, &mut clock)?;
            Some(scene)
        }
        None => None,
    };
    let decisions = Decisions::new(settings, (&base, scene.as_ref()), forecast.as_ref(), &mut clock)?;
    let results = Results { audit, forecast, base, scene, decisions };
    clock.start("publish", None);
    let interrupted = staging.interrupted();
    let manifest = output::publish(staging, settings, &results, &mut clock)?;
    let small = small_groups::note(&manifest["suppress"]).into_iter().chain(small_groups::unheeded(settings));
    let summary = interrupted.into_iter().chain(summary::lines(settings, &results)).chain(small).collect();
    Ok(Outcome { manifest, summary })
}

/// Whether products are costed beside customers: the ledger names them, and a dataset tells of them.
fn costs_products(settings: &Settings) -> bool {
    let wanted = ["product_profit", "product_balance", "product_entry", "segment_measure"];
    wanted.iter().any(|name| settings.writes(name)) && is_mapped(settings, TableName::Transactions, "product_id")
}

/// Costs and profit of one world, and of its products or what else is costed.
fn findings(
    settings: &Settings,
    mut ledgers: Ledgers,
    (audit, kind): (&Audit, Option<CostObject>),
    clock: &mut Clock,
) -> Result<Findings, RunError> {
    let (costs, margins) = cost(settings, &ledgers, audit, clock)?;
    let objects = match kind {
        Some(kind) => {
            let stage = if kind == CostObject::Product { "products" } else { "objects" };
            clock.start(stage, ledgers.objects.as_ref().map(|objects| objects.cells.len() as u64));
            Some(ObjectResults::new(settings, &mut ledgers, (&costs, &margins), kind)?)
        }
        None => None,
    };
    Ok(Findings { objects, ..Findings::new(ledgers, costs, margins) })
}

/// Costs other objects than customers, without a forecast, and puts the results in place.
///
/// # Errors
/// [`RunError`]; nothing of the output folder has changed then.
pub fn run_objects(settings: &Settings, kind: CostObject, progress: Arc<dyn Progress>) -> Result<Outcome, RunError> {
    ObjectError::check(settings, kind)?;
    checks::check_tests(settings)?;
    let staging = output::claim(settings, Utf8Path::new(&settings.output))?;
    let mut clock = Clock::new(progress);
    let Gathered { ledgers, audit, other_costs } =
        facts_of(settings, Wanted { by_day: false, object: Some(kind) }, &mut clock)?;
    checks::record_inputs(settings, &audit, &mut clock);
    let other = match &settings.scenario {
        Some(scenario) => Some((scenario, scenario::ledgers(&ledgers, scenario, other_costs)?)),
        None => None,
    };
    let base = findings(settings, ledgers, (&audit, Some(kind)), &mut clock)?;
    let scene = match other {
        Some((scenario, ledgers)) => {
            clock.start("what_if", Some(ledgers.cells.len() as u64));
            Some(findings(&scenario.settings, ledgers, (&audit, Some(kind)), &mut clock)?)
        }
        None => None,
    };
    let results = Results { audit, forecast: None, base, scene, decisions: Decisions::default() };
    clock.start("publish", None);
    let manifest = output::publish_objects(staging, settings, &results, kind, &mut clock)?;
    let summary = summary::object_lines(settings, &results);
    Ok(Outcome { manifest, summary })
}

/// Costs and margins of every cell: what follows from the ledgers and the settings, and from nothing else.
///
/// # Errors
/// [`RunError`] of the allocate and profit stages.
fn cost(
    settings: &Settings,
    ledgers: &Ledgers,
    audit: &Audit,
    clock: &mut Clock,
) -> Result<(Costs, Margins), RunError> {
    clock.start("allocate", Some(ledgers.cells.len() as u64));
    let costs = cost_of(&ledgers.costing(settings), &ledgers.ground(settings))?;
    clock.start("profit", None);
    let margins = profit::margins(&ledgers.cells, &costs.layers, &ledgers.economic)?;
    profit::check_sums(&ledgers.facts.first_cell, &ledgers.cells, &margins)?;
    economic::check(settings, &audit.balances, &margins)?;
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
pub fn facts(settings: &Settings, by_day: bool, clock: &mut Clock) -> Result<Gathered, RunError> {
    facts_of(settings, Wanted { by_day, object: None }, clock)
}
