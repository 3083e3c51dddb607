//! The order of the stages. Nobody else knows it.
//!
//! `ledger` and `inputs` read and check, `results` computes on the facts, `tables` lays the results out as
//! columns, `output` writes them with the manifest and puts them in place.

pub mod clock;
mod cost_tables;
mod economic;
pub mod error;
pub mod explain;
mod forecast;
mod fx;
mod inputs;
mod ledger;
mod object_tables;
pub mod objects;
mod origins;
mod output;
pub mod results;
mod summary;
mod tables;

use std::{collections::BTreeMap, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

pub use self::{
    clock::{Clock, Progress, StageTime},
    error::RunError,
};
use self::{
    inputs::SideInputs,
    ledger::Folded,
    objects::{ObjectError, ObjectResults, counts_orders, group_column, is_mapped},
    results::{Costs, Results},
};
use crate::{
    allocate::{self, Costing, Ground},
    contract::{
        ContractError,
        transactions::{self, Ledger},
    },
    facts::{Layout, LedgerSummary, assemble::DriverSource, customers::roll_up, drivers, objects::ObjectSummary},
    numeric::keys::KeyTable,
    profit, read,
    schema::{
        contract::{InputBalance, RejectedRow},
        economic::EconomicInputs,
        facts::{Cells, CustomerFacts, Customers, NO_DAY},
        margins::Margins,
        objects::{CostObject, Objects},
        settings::{LedgerDriver, Settings, TableName},
        tables::{Activity, CustomerTable, Pool, PoolLine, TracedCost, UnknownQuantity},
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
    let mut clock = Clock::new(progress);
    let products = is_mapped(settings, TableName::Transactions, "product_id").then_some(CostObject::Product);
    let mut ledgers = read_facts(settings, products, &mut clock)?;
    let (costs, margins) = cost(settings, &ledgers, &mut clock)?;
    let products = match products {
        Some(kind) => {
            clock.start("products", ledgers.objects.as_ref().map(|objects| objects.cells.len() as u64));
            Some(ObjectResults::new(settings, &mut ledgers, (&costs, &margins), kind)?)
        }
        None => None,
    };
    let mut results = Results::new(settings, ledgers, costs, margins, &mut clock)?;
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
    let mut ledgers = read_facts(settings, Some(kind), &mut clock)?;
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
    let ground = ledgers.ground(settings);
    let plan = allocate::plan(&ledgers.costing(settings), &ground)?;
    let leaves = plan.leaves(&ground).map_err(|_| RunError::CostTooLarge)?;
    if let Some((activity, cost, found)) = plan.reconcile(&leaves) {
        return Err(RunError::Reconciliation { activity, cost, found });
    }
    clock.start("profit", None);
    let margins = profit::margins(&ledgers.cells, &leaves.layers, &ledgers.economic)?;
    economic::check(settings, &ledgers.balances, &margins)?;
    Ok((Costs { plan, layers: leaves.layers }, margins))
}

/// Reads, checks and folds all inputs.
///
/// # Errors
/// [`RunError`] of the read, contract and facts stages.
pub fn facts(settings: &Settings, clock: &mut Clock) -> Result<Ledgers, RunError> {
    read_facts(settings, None, clock)
}

/// [`facts`], with what it takes to cost another object than the customer.
fn read_facts(settings: &Settings, object: Option<CostObject>, clock: &mut Clock) -> Result<Ledgers, RunError> {
    clock.start("read", None);
    let base = Utf8Path::new(&settings.base);
    let derived: Vec<(&str, &LedgerDriver)> =
        settings.drivers.iter().map(|(name, driver)| (name.as_str(), driver)).collect();
    let source = read::open(TableName::Transactions, &settings.inputs.transactions, base, &derived)?;
    let kinds = source.column_types()?;
    let ids = transactions::id_kind(&kinds, "customer_id");
    let mut inputs = SideInputs::new(settings, base);
    inputs.note(&source);
    let customers = inputs.customers(&ids, object.and_then(group_column))?;
    let products = inputs.products(&kinds)?;
    let activities = inputs.activities()?;
    let (pools, pool_lines) = inputs.pools(&activities)?;
    let known = customers.as_ref().map(|table| table.ids.clone());
    let products = products.map(|table| (table.ids, table.unit_cost));
    let column = object.and_then(CostObject::ledger_column);
    let contract = Ledger::new(settings, known, products)?.with_objects(column);

    clock.start("facts", source.rows);
    let (added, sources, driver_names) = ledger::driver_plan(settings, &activities);
    let distinct = sources.iter().filter(|source| matches!(source, DriverSource::Distinct { .. })).count();
    let layout = Layout { period: settings.period, added, distinct };
    let counts = counts_orders(settings, &activities);
    let objects = object
        .zip(column)
        .map(|(kind, column)| ObjectSummary::new(kind, layout, &transactions::id_kind(&kinds, column), counts));
    let summaries = (LedgerSummary::new(layout, &ids), objects);
    let folded = ledger::fold(source, &contract, summaries, &**clock.progress())?;
    let Folded { mut summary, objects, tally, last_day } = folded;
    let objects = objects.map(|objects| objects.finish(settings.inputs.returns, &sources));
    contract.rules().judge(&tally.balance)?;
    if let Some(table) = &customers {
        for row in 0..table.ids.keys().len() {
            summary.touch(table.ids.keys().get(row), None)?;
        }
    }
    let (customer_rows, cells) = summary.finish(settings.inputs.returns, &sources);
    ledger::check_money(&tally, &cells)?;
    if let Some(objects) = &objects {
        ledger::check_money(&tally, &objects.cells)?;
    }
    inputs.keep(TableName::Transactions, tally);
    let table = KeyTable::from_keys(&customer_rows.ids);
    let (cells, unknown) = inputs.driver_quantities(cells, &table, &driver_names, &sources)?;
    let (cells, traced) = inputs.traced(cells, &table, &activities)?;
    let as_of = match settings.as_of {
        None if last_day == NO_DAY => {
            let what = "transactions: no line was accepted, so there is no last date to take as_of from; give as_of";
            return Err(ContractError::Setting(what.to_owned()).into());
        }
        given => given.unwrap_or(last_day),
    };
    let (cells, receivables) = inputs.receivables(cells, &table)?;
    let acquisition = economic::acquisition_cost(settings, &customer_rows.ids, customers.as_ref());
    let of_customers = |column: &dyn Fn(&CustomerTable) -> &Vec<Option<String>>| {
        let known = customers.as_ref().filter(|table| column(table).iter().any(Option::is_some))?;
        let column = column(known);
        let text = |row: usize| known.ids.get(customer_rows.ids.get(row)).and_then(|at| column[at as usize].clone());
        Some((0..customer_rows.len()).into_par_iter().map(text).collect::<Vec<_>>())
    };
    let segment = of_customers(&|table| &table.segment);
    let (segment_names, segment_of) = segments("segment", segment.as_deref(), customer_rows.len(), MAX_SEGMENTS)?;
    let groups = match object.and_then(group_column) {
        Some(column) => {
            let group = of_customers(&|table| &table.group);
            Some(segments(column, group.as_deref(), customer_rows.len(), MAX_GROUPS)?)
        }
        None => None,
    };
    let SideInputs { balances, mut rejected, files, .. } = inputs;
    rejected.par_sort_unstable();
    let mut ledgers = Ledgers {
        customers: customer_rows,
        cells,
        facts: CustomerFacts::default(),
        as_of,
        segment,
        balances,
        rejected,
        files,
        segment_names,
        segment_of,
        activities,
        pools,
        pool_lines,
        traced,
        unknown,
        economic: EconomicInputs::default(),
        driver_names,
        objects,
        groups,
    };
    ledgers.add_earlier_cells(settings)?;
    ledgers.add_economic(settings, receivables, &acquisition);
    ledgers.facts = roll_up(&ledgers.cells, ledgers.customers.len())?;
    Ok(ledgers)
}

impl Ledgers {
    /// Cells for costs that follow the driver quantities of an earlier period.
    fn add_earlier_cells(&mut self, settings: &Settings) -> Result<(), RunError> {
        let keys = allocate::missing_cells(&self.costing(settings), &self.ground(settings))?;
        if keys.is_empty() {
            return Ok(());
        }
        self.cells = drivers::add_cells(std::mem::take(&mut self.cells), keys);
        Ok(())
    }
}

/// Segments that joint totals are kept for, at most.
const MAX_SEGMENTS: usize = 200;

/// Channels or regions that are costed, at most.
const MAX_GROUPS: usize = 50_000;

/// Names and numbers of the customers table's segments, channels or regions; customers without one are in `(none)`.
fn segments(
    column: &str,
    segment: Option<&[Option<String>]>,
    customers: usize,
    at_most: usize,
) -> Result<(Vec<String>, Vec<u16>), ContractError> {
    let none = "(none)".to_owned();
    let Some(segment) = segment else { return Ok((vec![none], vec![0; customers])) };
    let mut names: Vec<String> = segment.iter().map(|name| name.clone().unwrap_or_else(|| none.clone())).collect();
    names.par_sort_unstable();
    names.dedup();
    if names.len() > at_most {
        let what = format!("customers: `{column}` has {} distinct values, at most {at_most} are allowed", names.len());
        return Err(ContractError::Setting(what));
    }
    let number = |name: &Option<String>| names.partition_point(|other| other < name.as_ref().unwrap_or(&none)) as u16;
    let numbers = segment.par_iter().map(number).collect();
    Ok((names, numbers))
}
