//! The order of the stages. Nobody else knows it.
//!
//! `ledger` and `inputs` read and check, `results` computes on the facts, `tables` lays the results out as
//! columns, `output` writes them with the manifest and puts them in place.

mod choice;
pub mod clock;
mod comparison;
pub mod error;
mod fitting;
mod forecast;
mod inputs;
mod ledger;
pub mod model_file;
mod output;
pub mod results;
mod summary;
mod tables;
mod validation;

use std::{collections::BTreeMap, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

pub use self::{
    clock::{Clock, Progress, StageTime},
    error::RunError,
    fitting::{Fitted, fit},
    model_file::SavedModels,
    validation::{Validation, validate},
};
use self::{inputs::SideInputs, ledger::Folded, results::Results};
use crate::{
    allocate,
    contract::{
        ContractError,
        transactions::{self, Ledger},
    },
    facts::{Layout, LedgerSummary, assemble::DriverSource, customers::roll_up},
    numeric::keys::KeyTable,
    profit, read,
    schema::{
        contract::{InputBalance, RejectedRow},
        facts::{Cells, CustomerFacts, Customers, NO_DAY},
        period::PeriodKind,
        purchases::PurchaseLog,
        settings::{LedgerDriver, Settings, TableName},
        tables::{Activity, Pool},
    },
    units::{Day, Minor},
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
    activities: Vec<Activity>,
    pools: Vec<Pool>,
    charges: Vec<Minor>,
    driver_names: Vec<String>,
    /// Purchase days of every customer, where they are wanted.
    pub purchases: Option<PurchaseLog>,
    /// Models that were fitted before, to be used instead of fits.
    pub saved: Option<SavedModels>,
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
    let mut clock = Clock::new(progress);
    let needs_days = settings.forecast.as_ref().is_some_and(|forecast| forecast.model.needs_purchase_days());
    let mut ledgers = facts(settings, needs_days && saved.is_none(), &mut clock)?;
    ledgers.saved = saved;
    clock.start("allocate", None);
    let (activities, pools) = (std::mem::take(&mut ledgers.activities), std::mem::take(&mut ledgers.pools));
    let costs = allocate::allocate(
        activities,
        &pools,
        &ledgers.cells,
        &ledgers.customers,
        &ledgers.driver_names,
        &settings.currency,
    )?;
    if let Some((activity, cost, found)) = allocate::reconcile(&costs) {
        return Err(RunError::Reconciliation { activity, cost, found });
    }
    clock.start("profit", None);
    let charges = std::mem::take(&mut ledgers.charges);
    let margins = profit::margins(&ledgers.cells, &costs, charges)?;
    let results = Results::new(settings, ledgers, costs, margins, &mut clock)?;
    clock.start("publish", None);
    let manifest = output::publish(settings, &results, &mut clock)?;
    Ok(Outcome { manifest, times: clock.times, summary: summary::lines(settings, &results) })
}

/// Reads, checks and folds all inputs.
///
/// * `by_day`: whether the purchase days of every customer are kept.
///
/// # Errors
/// [`RunError`] of the read, contract and facts stages.
pub fn facts(settings: &Settings, by_day: bool, clock: &mut Clock) -> Result<Ledgers, RunError> {
    clock.start("read", None);
    let base = Utf8Path::new(&settings.base);
    let drivers: Vec<(&str, &LedgerDriver)> =
        settings.drivers.iter().map(|(name, driver)| (name.as_str(), driver)).collect();
    let source = read::open(TableName::Transactions, &settings.inputs.transactions, base, &drivers)?;
    let kinds = source.column_types()?;
    let ids = transactions::id_kind(&kinds, "customer_id");
    let mut inputs = SideInputs::new(settings, base);
    inputs.note(&source);
    let customers = inputs.customers(&ids)?;
    let products = inputs.products(&kinds)?;
    let activities = inputs.activities()?;
    let pools = inputs.pools(&activities)?;
    let known = customers.as_ref().map(|table| table.ids.clone());
    let products = products.map(|table| (table.ids, table.unit_cost));
    let contract = Ledger::new(settings, known, products)?;

    clock.start("facts", source.rows);
    let (added, sources, driver_names) = ledger::driver_plan(settings, &activities);
    let distinct = sources.iter().filter(|source| matches!(source, DriverSource::Distinct { .. })).count();
    let layout = Layout { period: settings.period, added, distinct };
    let days = Layout { period: PeriodKind::Day, added: 0, distinct: 0 };
    let summaries = (LedgerSummary::new(layout, &ids), by_day.then(|| LedgerSummary::new(days, &ids)));
    let folded = ledger::fold(source, &contract, summaries, &**clock.progress())?;
    let Folded { mut summary, days, tally, last_day } = folded;
    contract.rules().judge(&tally.balance)?;
    if let Some(table) = &customers {
        for row in 0..table.ids.keys().len() {
            summary.touch(table.ids.keys().get(row), None)?;
        }
    }
    let (customer_rows, cells) = summary.finish(settings.inputs.returns, &sources);
    let purchases = days.map(|days| purchase_log(days, settings, &customer_rows));
    ledger::check_money(&tally, &cells)?;
    inputs.keep(TableName::Transactions, tally);
    let table = KeyTable::from_keys(&customer_rows.ids);
    let cells = inputs.driver_quantities(cells, &table, &driver_names, &sources)?;
    let as_of = match settings.as_of {
        None if last_day == NO_DAY => {
            let what = "transactions: no line was accepted, so there is no last date to take as_of from; give as_of";
            return Err(ContractError::Setting(what.to_owned()).into());
        }
        given => given.unwrap_or(last_day),
    };
    let (cells, charges) = inputs.receivables(cells, &table, as_of)?;
    let facts = roll_up(&cells, customer_rows.len())?;
    let segment = customers.filter(|table| table.segment.iter().any(Option::is_some)).map(|known| {
        (0..customer_rows.len())
            .into_par_iter()
            .map(|row| known.ids.get(customer_rows.ids.get(row)).and_then(|at| known.segment[at as usize].clone()))
            .collect()
    });
    let SideInputs { balances, mut rejected, files, .. } = inputs;
    rejected.par_sort_unstable();
    Ok(Ledgers {
        customers: customer_rows,
        cells,
        facts,
        as_of,
        segment,
        balances,
        rejected,
        files,
        activities,
        pools,
        charges,
        driver_names,
        purchases,
        saved: None,
    })
}

/// Purchase days of the customers of a run; those whom only another table knows have none.
fn purchase_log(days: LedgerSummary, settings: &Settings, customers: &Customers) -> PurchaseLog {
    let (rows, mut cells) = days.finish(settings.inputs.returns, &[]);
    let table = KeyTable::from_keys(&customers.ids);
    let number: Vec<u32> = (0..rows.len()).filter_map(|row| table.get(rows.ids.get(row))).collect();
    for customer in &mut cells.customer {
        *customer = number[*customer as usize];
    }
    PurchaseLog::from_days(&cells, customers.len())
}
