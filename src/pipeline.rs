//! The order of the stages. Nobody else knows it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use camino::{Utf8Path, Utf8PathBuf};
use polars::prelude::DataFrame;
use rayon::prelude::*;
use serde::Serialize;
use thiserror::Error;

use crate::{
    allocate::{self, PoolError},
    contract::{
        ContractError,
        rules::Tally,
        tables::{self, Input},
        transactions::{self, Judged, Ledger},
    },
    facts::{
        FactsError, Layout, LedgerSummary,
        assemble::{Distinct, DriverSource},
        customers::roll_up,
        drivers,
    },
    forecast::predict::ForecastError,
    numeric::{
        decimal::Decimal,
        keys::{KeyTable, Keys},
    },
    profit::{self, ProfitError},
    publish::PublishError,
    read::{self, ReadError, Source},
    results::{self, Results},
    schema::{
        contract::{Bucket, InputBalance, RejectedRow},
        costs::CostTable,
        facts::{Cells, CustomerFacts, Customers, NO_DAY},
        lines::LineBatch,
        margins::Margins,
        settings::{DriverMeasure, Format, Method, Settings, TableName},
        tables::{Activity, CustomerTable, Pool, ProductTable},
    },
    units::Day,
};

/// Whatever stops a run.
#[derive(Debug, Error)]
pub enum RunError {
    /// An input.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Refused data.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A sum out of range.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// A pool that cannot be spread.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// A margin out of range.
    #[error(transparent)]
    Profit(#[from] ProfitError),
    /// A forecast that cannot be made.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// Results that cannot be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Leaves and pools that do not tie: a bug.
    #[error("activity `{activity}`: cost {cost}, but allocated and unassigned make {found} minor units")]
    Reconciliation {
        /// Activity.
        activity: String,
        /// Cost of its pools.
        cost: i128,
        /// What the leaves say.
        found: i128,
    },
}

impl RunError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Contract(error) => error.hint(),
            Self::Pool(error) => error.hint(),
            Self::Publish(error) => error.hint(),
            Self::Forecast(_) => Some("leave out the `forecast` block to run without a forecast"),
            Self::Facts(_) | Self::Profit(_) | Self::Reconciliation { .. } => None,
        }
    }

    /// Exit code: 3 for refused data, 1 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Contract(_) | Self::Pool(_) | Self::Reconciliation { .. } => 3,
            _ => 1,
        }
    }
}

/// What a run tells while it goes on.
pub trait Progress: Sync {
    /// A stage begins; `rows` when its size is known.
    fn stage(&self, name: &'static str, rows: Option<u64>);
    /// Rows of the stage done so far.
    fn rows(&self, done: u64);
}

/// Time a stage took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StageTime {
    /// Stage.
    pub stage: &'static str,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// Stage clock: starts the next stage, ends the one before.
pub struct Clock<'a> {
    progress: &'a dyn Progress,
    running: Option<(&'static str, Instant)>,
    /// Finished stages.
    pub times: Vec<StageTime>,
}

impl<'a> Clock<'a> {
    /// No stage yet.
    #[must_use]
    pub fn new(progress: &'a dyn Progress) -> Self {
        Self { progress, running: None, times: Vec::new() }
    }

    /// Ends the running stage and starts `stage`.
    pub fn start(&mut self, stage: &'static str, rows: Option<u64>) {
        self.stop();
        self.progress.stage(stage, rows);
        self.running = Some((stage, Instant::now()));
    }

    /// Ends the running stage.
    pub fn stop(&mut self) {
        if let Some((stage, since)) = self.running.take() {
            self.times.push(StageTime { stage, seconds: since.elapsed().as_secs_f64() });
        }
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Outcome {
    /// The manifest, as written.
    pub manifest: serde_json::Value,
    /// Stage times.
    pub times: Vec<StageTime>,
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
    charges: Vec<i64>,
    driver_names: Vec<String>,
}

/// Runs every stage and puts the results in place.
///
/// # Errors
/// [`RunError`]; nothing of the output folder has changed then.
pub fn run(settings: &Settings, progress: &dyn Progress) -> Result<Outcome, RunError> {
    let mut clock = Clock::new(progress);
    let mut ledgers = facts(settings, &mut clock)?;
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
    finish(settings, ledgers, costs, margins, clock)
}

fn finish(
    settings: &Settings,
    ledgers: Ledgers,
    costs: CostTable,
    margins: Margins,
    mut clock: Clock<'_>,
) -> Result<Outcome, RunError> {
    let results = Results::new(settings, ledgers, costs, margins, &mut clock)?;
    clock.start("publish", None);
    let manifest = results::publish(settings, &results)?;
    clock.stop();
    Ok(Outcome { manifest, times: clock.times })
}

/// Rows of a wave of the ledger kernel.
const WAVE_ROWS: usize = 1_048_576;

/// Reads, checks and folds all inputs.
///
/// # Errors
/// [`RunError`] of the read, contract and facts stages.
pub fn facts(settings: &Settings, clock: &mut Clock<'_>) -> Result<Ledgers, RunError> {
    clock.start("read", None);
    let base = Utf8Path::new(&settings.base);
    let drivers: Vec<(&str, &crate::schema::settings::LedgerDriver)> =
        settings.drivers.iter().map(|(name, driver)| (name.as_str(), driver)).collect();
    let source = read::open(TableName::Transactions, &settings.inputs.transactions, base, &drivers)?;
    let kinds = source.column_types()?;
    let ids = transactions::id_kind(&kinds);
    let mut inputs =
        SideInputs { settings, base, balances: BTreeMap::new(), rejected: Vec::new(), files: BTreeMap::new() };
    inputs.note(&source);
    let customers = inputs.customers(&ids)?;
    let products = inputs.products(&kinds)?;
    let activities = inputs.activities()?;
    let pools = inputs.pools(&activities)?;
    let known = customers.as_ref().map(|table| table.ids.clone());
    let products = products.map(|table| (table.ids, table.unit_cost));
    let ledger = Arc::new(Ledger::new(settings, known, products)?);

    clock.start("facts", source.rows);
    let (added, sources, driver_names) = driver_plan(settings, &activities);
    let distinct = sources.iter().filter(|source| matches!(source, DriverSource::Distinct { .. })).count();
    let layout = Layout { period: settings.period, added, distinct };
    let folded = fold_ledger(source, &ledger, LedgerSummary::new(layout, &ids), clock.progress)?;
    let Folded { mut summary, tally, last_day } = folded;
    ledger.rules().judge(&tally.balance)?;
    if let Some(table) = &customers {
        for row in 0..table.ids.keys().len() {
            summary.touch(table.ids.keys().get(row), None)?;
        }
    }
    let (customer_rows, cells) = summary.finish(settings.inputs.returns, &sources);
    check_money(settings, &tally, &cells)?;
    inputs.keep(TableName::Transactions, tally);
    let table = KeyTable::from_keys(&customer_rows.ids);
    let cells = inputs.driver_quantities(cells, &table, &driver_names, &sources)?;
    let as_of = settings.as_of.unwrap_or(last_day);
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
    })
}

/// Additive columns of the lines, where each driver column comes from, and the drivers' names.
fn driver_plan(settings: &Settings, activities: &[Activity]) -> (usize, Vec<DriverSource>, Vec<String>) {
    let mut names = Vec::new();
    let mut sources = Vec::new();
    let (mut added, mut bit) = (0, crate::schema::lines::PURCHASE);
    for (name, driver) in &settings.drivers {
        names.push(name.clone());
        let what = match driver.measure {
            DriverMeasure::Count | DriverMeasure::Sum(_) => {
                sources.push(DriverSource::Added(added));
                added += 1;
                continue;
            }
            DriverMeasure::CountDistinctOrder => Distinct::Orders,
            DriverMeasure::CountDistinctDay => Distinct::Days,
            DriverMeasure::CountDistinctMonth => Distinct::Months,
        };
        bit <<= 1;
        sources.push(DriverSource::Distinct { bit, what });
    }
    for activity in activities {
        if let Method::Driver(name) = &activity.setting.method
            && !names.contains(name)
        {
            names.push(name.clone());
            sources.push(DriverSource::Table);
        }
    }
    (added, sources, names)
}

struct Folded {
    summary: LedgerSummary,
    tally: Tally,
    last_day: Day,
}

/// Scans the ledger in waves: judged batch by batch in parallel, then folded partition by partition.
fn fold_ledger(
    source: Source,
    ledger: &Arc<Ledger>,
    summary: LedgerSummary,
    progress: &dyn Progress,
) -> Result<Folded, RunError> {
    let state = Arc::new(Mutex::new((Folded { summary, tally: Tally::default(), last_day: NO_DAY }, Vec::new())));
    let shared = Arc::clone(&state);
    let judge = Arc::clone(ledger);
    let lost = || {
        RunError::Read(ReadError::Scan { table: "transactions", reason: "a batch could not be processed".to_owned() })
    };
    source.for_each_batch(move |frame: DataFrame| -> Result<(), RunError> {
        let mut guard = shared.lock().map_err(|_| lost())?;
        let (folded, wave): &mut (Folded, Vec<DataFrame>) = &mut guard;
        wave.push(frame);
        if wave.iter().map(DataFrame::height).sum::<usize>() < WAVE_ROWS {
            return Ok(());
        }
        fold_wave(&judge, folded, &std::mem::take(wave))
    })?;
    let state = Arc::try_unwrap(state).map_err(|_| lost())?;
    let (mut folded, wave) = state.into_inner().map_err(|_| lost())?;
    fold_wave(ledger, &mut folded, &wave)?;
    progress.rows(folded.tally.balance.input.rows);
    Ok(folded)
}

/// Rows that are judged at a time: their columns stay in cache.
const JUDGED_ROWS: usize = 65_536;

fn fold_wave(ledger: &Ledger, folded: &mut Folded, wave: &[DataFrame]) -> Result<(), RunError> {
    let slices: Vec<DataFrame> = wave
        .iter()
        .flat_map(|frame| (0..frame.height()).step_by(JUDGED_ROWS).map(|from| frame.slice(from as i64, JUDGED_ROWS)))
        .collect();
    let judged: Vec<Judged> = slices.par_iter().map(|frame| ledger.judge(frame)).collect::<Result<_, _>>()?;
    let mut lines: Vec<LineBatch> = Vec::with_capacity(judged.len());
    for slice in judged {
        folded.tally.combine(slice.tally);
        folded.last_day = folded.last_day.max(slice.last_day);
        lines.push(slice.lines);
    }
    Ok(folded.summary.insert(&lines)?)
}

/// Money accepted by the contract = money in the facts, through two independent sums.
fn check_money(settings: &Settings, tally: &Tally, cells: &Cells) -> Result<(), ContractError> {
    let _ = settings;
    let facts: i128 =
        (0..cells.len()).map(|cell| i128::from(cells.gross_sales[cell]) - i128::from(cells.returns[cell])).sum();
    let accepted = tally.balance.accepted.amount;
    if facts == accepted {
        return Ok(());
    }
    Err(ContractError::Reconciliation {
        table: "transactions",
        what: "money in the facts",
        left: accepted,
        right: facts,
    })
}

/// The optional tables, as they are read.
struct SideInputs<'a> {
    settings: &'a Settings,
    base: &'a Utf8Path,
    balances: BTreeMap<TableName, InputBalance>,
    rejected: Vec<RejectedRow>,
    files: BTreeMap<TableName, Vec<Utf8PathBuf>>,
}

impl SideInputs<'_> {
    fn note(&mut self, source: &Source) {
        self.files.insert(source.table, source.files.iter().map(|footer| footer.file.clone()).collect());
    }

    fn keep(&mut self, table: TableName, mut tally: Tally) {
        self.balances.insert(table, tally.balance);
        self.rejected.append(&mut tally.rejected);
    }

    /// All batches of a small table, its column types, and whether it is CSV; `None` when it is not configured.
    #[expect(clippy::type_complexity, reason = "what a small table's contract needs, used in this file alone")]
    fn open(
        &mut self,
        table: TableName,
    ) -> Result<Option<(Vec<DataFrame>, Vec<(String, polars::prelude::DataType)>, bool)>, RunError> {
        let inputs = &self.settings.inputs;
        let setting = match table {
            TableName::Transactions => return Ok(None),
            TableName::Customers => &inputs.customers,
            TableName::Products => &inputs.products,
            TableName::Pools => &inputs.pools,
            TableName::Activities => &inputs.activities,
            TableName::DriverQuantities => &inputs.driver_quantities,
            TableName::Receivables => &inputs.receivables,
        };
        let Some(setting) = setting else { return Ok(None) };
        let source = read::open(table, setting, self.base, &[])?;
        self.note(&source);
        let kinds = source.column_types()?;
        let frames = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&frames);
        source.for_each_batch(move |frame| -> Result<(), RunError> {
            if let Ok(mut frames) = sink.lock() {
                frames.push(frame);
            }
            Ok(())
        })?;
        let frames = frames.lock().map(|mut frames| std::mem::take(&mut *frames)).unwrap_or_default();
        Ok(Some((frames, kinds, setting.format == Format::Csv)))
    }

    fn customers(&mut self, ids: &Keys) -> Result<Option<CustomerTable>, RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Customers)? else { return Ok(None) };
        let input = Input::new(self.settings, TableName::Customers, &frames);
        let (table, tally) = tables::customers(&input, ids, csv)?;
        self.keep(TableName::Customers, tally);
        Ok(Some(table))
    }

    fn products(&mut self, ledger: &[(String, polars::prelude::DataType)]) -> Result<Option<ProductTable>, RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Products)? else { return Ok(None) };
        let text = ledger.iter().any(|(name, kind)| name == "product_id" && *kind == polars::prelude::DataType::String);
        let ids = if text { crate::facts::assemble::text_ids() } else { Keys::Int(Vec::new()) };
        let input = Input::new(self.settings, TableName::Products, &frames);
        let (table, tally) = tables::products(&input, &ids, csv)?;
        self.keep(TableName::Products, tally);
        Ok(Some(table))
    }

    /// Activities of the config, then those of the table, sorted by name.
    fn activities(&mut self) -> Result<Vec<Activity>, RunError> {
        let configured = self.settings.activities.iter();
        let mut activities: Vec<Activity> =
            configured.map(|(name, setting)| Activity { name: name.clone(), setting: setting.clone() }).collect();
        if let Some((frames, _, _)) = self.open(TableName::Activities)? {
            let input = Input::new(self.settings, TableName::Activities, &frames);
            let (table, tally) = tables::activities(&input)?;
            self.keep(TableName::Activities, tally);
            if let Some(twice) = table.iter().find(|activity| self.settings.activities.contains_key(&activity.name)) {
                let what = format!("activities: `{}` stands in the config and in the table", twice.name);
                return Err(ContractError::Setting(what).into());
            }
            activities.extend(table);
        }
        activities.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(activities)
    }

    fn pools(&mut self, activities: &[Activity]) -> Result<Vec<Pool>, RunError> {
        let mut pools: Vec<Pool> = activities
            .iter()
            .filter_map(|activity| {
                let amount = activity.setting.cost?;
                Some(Pool { activity: activity.name.clone(), period: None, amount })
            })
            .collect();
        if let Some((frames, _, _)) = self.open(TableName::Pools)? {
            let input = Input::new(self.settings, TableName::Pools, &frames);
            let (table, tally) = tables::pools(&input, activities)?;
            self.keep(TableName::Pools, tally);
            pools.extend(table);
        }
        pools.sort_unstable();
        Ok(pools)
    }

    fn driver_quantities(
        &mut self,
        cells: Cells,
        customers: &KeyTable,
        names: &[String],
        sources: &[DriverSource],
    ) -> Result<Cells, RunError> {
        let Some((frames, _, csv)) = self.open(TableName::DriverQuantities)? else { return Ok(cells) };
        let wanted: Vec<(String, u32)> = names
            .iter()
            .zip(sources)
            .enumerate()
            .filter(|(_, (_, source))| **source == DriverSource::Table)
            .map(|(column, (name, _))| (name.clone(), column as u32))
            .collect();
        let input = Input::new(self.settings, TableName::DriverQuantities, &frames);
        let (rows, tally) = tables::driver_quantities(&input, customers, &wanted, csv)?;
        self.keep(TableName::DriverQuantities, tally);
        Ok(drivers::add_quantities(cells, &rows)?)
    }

    /// Receivables and what the capital bound in them costs.
    fn receivables(&mut self, cells: Cells, customers: &KeyTable, as_of: Day) -> Result<(Cells, Vec<i64>), RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Receivables)? else {
            let none = vec![0; cells.len()];
            return Ok((cells, none));
        };
        let input = Input::new(self.settings, TableName::Receivables, &frames);
        let (rows, tally) = tables::receivables(&input, customers, csv)?;
        self.keep(TableName::Receivables, tally);
        let cells = drivers::add_receivables(cells, &rows);
        let first = cells.first_purchase.iter().filter(|day| **day != NO_DAY).min().copied().unwrap_or(as_of);
        let rate = self.settings.capital_rate_per_year.and_then(Decimal::from_float);
        let rate = rate.unwrap_or(Decimal { mantissa: 0, scale: 0 });
        let charges = profit::capital_charges(&cells, &rows, rate, self.settings.period, as_of - first + 1)?;
        Ok((cells, charges))
    }
}

/// Buckets of a balance, in the order of the outputs.
#[must_use]
pub fn buckets(balance: &InputBalance) -> Vec<(&'static str, &'static str, Bucket)> {
    let mut rows =
        vec![("accepted", "", balance.accepted), ("input", "", balance.input), ("rejected", "", balance.rejected)];
    rows.extend(balance.rules.iter().map(|(rule, (_, bucket))| ("rule", *rule, *bucket)));
    rows.push(("unassigned", "", balance.unassigned));
    rows
}
