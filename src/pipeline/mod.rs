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
    results::{Costs, Results},
};
use crate::{
    allocate::{self, Costing, Ground},
    contract::{
        ContractError,
        transactions::{self, Ledger},
    },
    facts::{Layout, LedgerSummary, assemble::DriverSource, customers::roll_up, drivers},
    numeric::keys::KeyTable,
    profit, read,
    schema::{
        contract::{InputBalance, RejectedRow},
        economic::EconomicInputs,
        facts::{Cells, CustomerFacts, Customers, NO_DAY},
        margins::Margins,
        settings::{LedgerDriver, Settings, TableName},
        tables::{Activity, Pool, PoolLine, TracedCost, UnknownQuantity},
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
    let ledgers = facts(settings, &mut clock)?;
    let (costs, margins) = cost(settings, &ledgers, &mut clock)?;
    let results = Results::new(settings, ledgers, costs, margins, &mut clock)?;
    clock.start("publish", None);
    let manifest = output::publish(settings, &results, &mut clock)?;
    Ok(Outcome { manifest, times: clock.times, summary: summary::lines(settings, &results) })
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
    clock.start("read", None);
    let base = Utf8Path::new(&settings.base);
    let derived: Vec<(&str, &LedgerDriver)> =
        settings.drivers.iter().map(|(name, driver)| (name.as_str(), driver)).collect();
    let source = read::open(TableName::Transactions, &settings.inputs.transactions, base, &derived)?;
    let kinds = source.column_types()?;
    let ids = transactions::id_kind(&kinds, "customer_id");
    let mut inputs = SideInputs::new(settings, base);
    inputs.note(&source);
    let customers = inputs.customers(&ids)?;
    let products = inputs.products(&kinds)?;
    let activities = inputs.activities()?;
    let (pools, pool_lines) = inputs.pools(&activities)?;
    let known = customers.as_ref().map(|table| table.ids.clone());
    let products = products.map(|table| (table.ids, table.unit_cost));
    let contract = Ledger::new(settings, known, products)?;

    clock.start("facts", source.rows);
    let (added, sources, driver_names) = ledger::driver_plan(settings, &activities);
    let distinct = sources.iter().filter(|source| matches!(source, DriverSource::Distinct { .. })).count();
    let layout = Layout { period: settings.period, added, distinct };
    let folded = ledger::fold(source, &contract, LedgerSummary::new(layout, &ids), &**clock.progress())?;
    let Folded { mut summary, tally, last_day } = folded;
    contract.rules().judge(&tally.balance)?;
    if let Some(table) = &customers {
        for row in 0..table.ids.keys().len() {
            summary.touch(table.ids.keys().get(row), None)?;
        }
    }
    let (customer_rows, cells) = summary.finish(settings.inputs.returns, &sources);
    ledger::check_money(&tally, &cells)?;
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
    let segment = customers.filter(|table| table.segment.iter().any(Option::is_some)).map(|known| {
        (0..customer_rows.len())
            .into_par_iter()
            .map(|row| known.ids.get(customer_rows.ids.get(row)).and_then(|at| known.segment[at as usize].clone()))
            .collect()
    });
    let (segment_names, segment_of) = segments(segment.as_deref(), customer_rows.len())?;
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

/// Names and numbers of the customers table's segments; customers without one are in `(none)`.
fn segments(segment: Option<&[Option<String>]>, customers: usize) -> Result<(Vec<String>, Vec<u16>), ContractError> {
    let none = "(none)".to_owned();
    let Some(segment) = segment else { return Ok((vec![none], vec![0; customers])) };
    let mut names: Vec<String> = segment.iter().map(|name| name.clone().unwrap_or_else(|| none.clone())).collect();
    names.par_sort_unstable();
    names.dedup();
    if names.len() > MAX_SEGMENTS {
        let what =
            format!("customers: `segment` has {} distinct values, at most {MAX_SEGMENTS} are allowed", names.len());
        return Err(ContractError::Setting(what));
    }
    let number = |name: &Option<String>| names.partition_point(|other| other < name.as_ref().unwrap_or(&none)) as u16;
    let numbers = segment.par_iter().map(number).collect();
    Ok((names, numbers))
}
