//! Several allocation methods, or several configs, over one reading of the ledger.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use thiserror::Error;

use super::{
    Audit, Clock, Gathered, Ledgers, Progress, RunError,
    gather::{Side, Wanted, one_ledger},
    inputs::SideInputs,
    method_table::method_columns,
    output,
    results::sum_by_customer,
    scenario::{plan_of_traced, traced_as_pools},
};
use crate::{
    allocate::Costing,
    compare::{
        self, Comparison, Outcome,
        truth::{self, Errors},
    },
    contract::{self, small_table::Input, tables::KnownCustomers},
    numeric::concentration::{Concentration, concentration},
    profit,
    publish::{
        contents::with_digest,
        dataset::Writer,
        folder::{MANIFEST, Staging},
    },
    schema::{
        costing::{ActivitySetting, Basis, Layer, Method, Negative, Rule},
        costs::PoolBalance,
        inputs::Limits,
        method_outputs::METHOD_COMPARISON,
        money::Currency,
        period::format_day,
        settings::{Format, Settings, TableName, TableSetting},
        tables::{Activity, Pool},
    },
    units::{Minor, MinorSum},
};

/// Configs that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CompareError {
    /// A config that reads something else.
    #[error("{config}: `{what}` differs from {first}: one reading of the ledger serves configs that read the same")]
    Differs {
        /// Config.
        config: String,
        /// The one that is read by.
        first: String,
        /// Section that differs.
        what: &'static str,
    },
    /// One method, or none.
    #[error("{methods} method to compare: there must be at least two")]
    TooFew {
        /// How many.
        methods: usize,
    },
}

/// How every activity of a config is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MethodChoice {
    /// As the config says.
    Config,
    /// The same for every customer and period with a ledger line (peanut butter).
    Average,
    /// The same for every customer.
    Even,
    /// In proportion to net revenue; negative revenue counts as zero.
    Revenue,
    /// In proportion to product cost; negative cost counts as zero.
    Cost,
}

impl MethodChoice {
    /// Every choice.
    pub const ALL: [Self; 5] = [Self::Config, Self::Average, Self::Even, Self::Revenue, Self::Cost];

    /// The name on the command line and in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Average => "average",
            Self::Even => "even",
            Self::Revenue => "revenue",
            Self::Cost => "cost",
        }
    }

    fn basis(self) -> Option<Basis> {
        match self {
            Self::Config => None,
            Self::Average => Some(Basis::Average),
            Self::Even => Some(Basis::Even),
            Self::Revenue => Some(Basis::Revenue),
            Self::Cost => Some(Basis::Cost(vec!["product_cost".to_owned()])),
        }
    }
}

/// True cost of every customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthTable {
    /// File, folder or glob, relative to the working directory.
    pub path: Utf8PathBuf,
    /// Column of the customer's id.
    pub customer: String,
    /// Column of its true cost.
    pub amount: String,
}

/// What to compare.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Configs and what to call them; the first one reads the ledger.
    pub configs: &'a [(String, Settings)],
    /// Methods, each for every config.
    pub methods: &'a [MethodChoice],
    /// Truth to compare against.
    pub truth: Option<&'a TruthTable>,
    /// Output folder.
    pub output: &'a Utf8Path,
}

/// One method's result in figures.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Its name.
    pub name: String,
    /// Cost that customers bear.
    pub cost: MinorSum,
    /// Cost that nobody bears, so that no profit is less by it.
    pub unassigned: MinorSum,
    /// Concentration of profit.
    pub concentration: Concentration,
}

/// Two methods side by side.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Number of the one.
    pub a: usize,
    /// Number of the other.
    pub b: usize,
    /// How they differ.
    pub found: Comparison,
    /// Errors of the one, when the other is the truth.
    pub errors: Option<Errors>,
}

/// Everything that was compared.
#[derive(Debug)]
pub struct Compared {
    /// The run's currency.
    pub currency: Currency,
    /// Customers.
    pub customers: usize,
    /// Methods, the truth last.
    pub methods: Vec<Scored>,
    /// Every pair of methods.
    pub pairs: Vec<Pair>,
    /// The manifest, as written.
    pub manifest: Value,
}

/// Cost and profit of every customer.
struct Found {
    name: String,
    cost: Vec<Minor>,
    profit: Vec<Minor>,
    unassigned: MinorSum,
}

impl Found {
    fn outcome(&self) -> Outcome<'_> {
        Outcome { cost: &self.cost, profit: &self.profit }
    }
}

/// The name of the truth among the methods.
const TRUTH: &str = "truth";

/// Runs every method of every config over one reading of the ledger, compares each pair, and writes the comparison.
///
/// # Errors
/// [`RunError`]; nothing of the output folder has changed then.
pub fn compare(request: &Request<'_>, progress: Arc<dyn Progress>) -> Result<Compared, RunError> {
    let outcomes = request.configs.len() * request.methods.len() + usize::from(request.truth.is_some());
    let Some((_, settings)) = request.configs.first().filter(|_| outcomes > 1) else {
        return Err(CompareError::TooFew { methods: outcomes }.into());
    };
    check_configs(request.configs)?;
    let staging = output::claim(settings, request.output)?;
    let mut clock = Clock::new(progress);
    let sides = || request.configs.iter().map(|(_, settings)| Side::read(settings)).collect::<Result<Vec<_>, _>>();
    let (ledger, sides) = one_ledger(settings, Wanted::default(), &mut clock, sides)?;
    let mut found: Vec<Found> = Vec::with_capacity(outcomes);
    let mut last = None;
    let mut ledger = Some(ledger);
    for (number, ((label, settings), side)) in request.configs.iter().zip(sides).enumerate() {
        // The last config takes what the others copy.
        let mine = if number + 1 == request.configs.len() { ledger.take() } else { ledger.clone() };
        let Some(mine) = mine else { break };
        let Gathered { ledgers, audit, .. } = mine.beside(settings, side)?;
        for method in request.methods {
            clock.start(method.as_str(), Some(ledgers.cells.len() as u64));
            let name = match request.configs {
                [_] => method.as_str().to_owned(),
                _ if request.methods == [MethodChoice::Config] => label.clone(),
                _ => format!("{label}:{}", method.as_str()),
            };
            found.push(outcome(name, *method, settings, &ledgers)?);
        }
        last = Some((ledgers, audit));
    }
    let Some((ledgers, mut audit)) = last else { return Err(CompareError::TooFew { methods: 0 }.into()) };
    if let Some(table) = request.truth {
        clock.start(TRUTH, None);
        found.push(read_truth(table, settings, (&ledgers, &mut audit), &found[0])?);
    }
    clock.start("compare", Some(ledgers.customers.len() as u64));
    let (methods, pairs) = score(&found, &ledgers.customers.hash, request.truth.is_some());
    clock.start("publish", None);
    let manifest = publish(staging, settings, (&ledgers, &audit), (&methods, &pairs), &clock)?;
    clock.stop();
    let customers = ledgers.customers.len();
    Ok(Compared { currency: settings.currency.clone(), customers, methods, pairs, manifest })
}

/// Refuses configs that would not read the ledger as the first one does.
fn check_configs(configs: &[(String, Settings)]) -> Result<(), CompareError> {
    let Some(((first, own), others)) = configs.split_first() else { return Ok(()) };
    for (config, other) in others {
        let sections = [
            ("inputs", own.inputs == other.inputs && own.base == other.base),
            ("contract", own.contract == other.contract),
            ("drivers", own.drivers == other.drivers),
            ("currency", own.currency == other.currency),
            ("period", own.period == other.period),
            ("as_of", own.as_of == other.as_of),
            ("fx", own.fx == other.fx),
            ("capital_charge, bad_debt, commissions", own.economic == other.economic),
        ];
        if let Some((what, _)) = sections.iter().find(|(_, same)| !same) {
            return Err(CompareError::Differs { config: config.clone(), first: first.clone(), what });
        }
    }
    Ok(())
}

/// Cost and profit of every customer under one method.
fn outcome(name: String, method: MethodChoice, settings: &Settings, ledgers: &Ledgers) -> Result<Found, RunError> {
    let (activities, pools) = match method.basis() {
        None => (ledgers.activities.clone(), ledgers.pools.clone()),
        Some(basis) => (by_one_basis(&ledgers.activities, &basis), whole_pools(settings, ledgers)?),
    };
    let costing = Costing { activities: &activities, pools: &pools, ..ledgers.costing(settings) };
    let costs = super::cost_of(&costing, &ledgers.ground(settings))?;
    let margins = profit::margins(&ledgers.cells, &costs.layers, &ledgers.economic)?;
    let mut cost = vec![0_i64; ledgers.cells.len()];
    for layer in Layer::ALL {
        for (sum, amount) in cost.iter_mut().zip(costs.layers.layer(layer)) {
            *sum = sum.checked_add(*amount).ok_or(RunError::CostTooLarge)?;
        }
    }
    let first = &ledgers.facts.first_cell;
    let pools = costs.plan.balances.iter();
    Ok(Found {
        name,
        cost: sum_by_customer(first, &cost),
        profit: sum_by_customer(first, &margins.economic_profit),
        unassigned: pools.map(PoolBalance::unassigned_total).sum(),
    })
}

/// Every activity spread by one basis: levels, layers and costs stay, drivers, capacities and policies go.
fn by_one_basis(activities: &[Activity], basis: &Basis) -> Vec<Activity> {
    let spread = |activity: &Activity| {
        let own = &activity.setting;
        let mut setting = ActivitySetting::new(own.level, Method::Share(basis.clone()));
        setting.layer = own.layer;
        setting.behaviour = own.behaviour;
        setting.avoidable = own.avoidable;
        setting.recurring = own.recurring;
        setting.push_down = own.push_down;
        setting.cost = own.cost;
        // Several rules are one here: they differ in the method, which is another one now.
        setting.rule = match own.later.as_slice() {
            [] => own.rule.clone(),
            _ => Rule { id: own.rule.id.clone(), ..Rule::default() },
        };
        // A customer of more returns than purchases takes nothing back from the others.
        setting.negative = Negative::Zero;
        Activity { name: activity.name.clone(), setting }
    };
    activities.iter().map(spread).collect()
}

/// The pools without capacities, and with what traced activities cost: once nothing is traced, that is their pool.
fn whole_pools(settings: &Settings, ledgers: &Ledgers) -> Result<Vec<Pool>, RunError> {
    let mut pools = ledgers.pools.clone();
    for pool in &mut pools {
        if ledgers.activities.iter().any(|activity| activity.name == pool.activity) {
            pool.capacity = None;
        }
    }
    if let Some(plan) = plan_of_traced(ledgers, settings)? {
        let activities = ledgers.activities.iter().enumerate();
        for (number, activity) in activities.filter(|(_, activity)| activity.setting.is_traced()) {
            traced_as_pools((number, &activity.name), &mut pools, &plan.balances);
        }
    }
    pools.sort_unstable();
    Ok(pools)
}

/// The truth as one more method: true cost, and what would be earned after it.
fn read_truth(
    table: &TruthTable,
    settings: &Settings,
    (ledgers, audit): (&Ledgers, &mut Audit),
    any: &Found,
) -> Result<Found, RunError> {
    let is_csv = table.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let setting = TableSetting {
        covariates: std::collections::BTreeMap::new(),
        paths: vec![table.path.to_string()],
        format: if is_csv { Format::Csv } else { Format::Parquet },
        columns: [("customer_id", &table.customer), ("amount", &table.amount)]
            .map(|(ours, theirs)| (ours.to_owned(), theirs.clone()))
            .into(),
        filter: None,
        limits: Limits::default(),
        id_key: settings.inputs.transactions.id_key,
    };
    let customers = KnownCustomers::new(&ledgers.customers.ids);
    let mut side = SideInputs::new(settings, Utf8Path::new(""));
    let read = |input: &Input<'_>, csv| contract::truth::truth(input, &customers, csv);
    let cost = side.table_at(TableName::Truth, &setting, &[], read)?;
    audit.files.append(&mut side.files);
    audit.balances.append(&mut side.balances);
    // Whatever the method, profit and cost make up what was earned before the cost.
    let profit = any.profit.iter().zip(&any.cost).zip(&cost);
    let profit: Option<Vec<Minor>> =
        profit.map(|((profit, cost), truth)| profit.checked_add(*cost)?.checked_sub(*truth)).collect();
    Ok(Found { name: TRUTH.to_owned(), cost, profit: profit.ok_or(RunError::CostTooLarge)?, unassigned: 0 })
}

fn score(found: &[Found], ties: &[u64], has_truth: bool) -> (Vec<Scored>, Vec<Pair>) {
    let scored = |found: &Found| Scored {
        name: found.name.clone(),
        cost: found.cost.iter().map(|cost| MinorSum::from(*cost)).sum(),
        unassigned: found.unassigned,
        concentration: concentration(&found.profit),
    };
    let methods = found.iter().map(scored).collect();
    let pair = |a: usize, b: usize| Pair {
        a,
        b,
        found: compare::compare(found[a].outcome(), found[b].outcome(), ties),
        errors: (has_truth && b + 1 == found.len()).then(|| truth::errors(&found[a].cost, &found[b].cost)),
    };
    let pairs =
        (0..found.len()).flat_map(|a| (a + 1..found.len()).map(move |b| (a, b))).map(|(a, b)| pair(a, b)).collect();
    (methods, pairs)
}

fn publish(
    staging: Staging,
    settings: &Settings,
    (ledgers, audit): (&Ledgers, &Audit),
    (methods, pairs): (&[Scored], &[Pair]),
    clock: &Clock,
) -> Result<Value, RunError> {
    let writer = Writer {
        folder: staging.path(),
        ids: &ledgers.customers.ids,
        customers: &ledgers.customers.ids,
        exponent: settings.currency.exponent,
        quantiles: settings.quantiles(),
    };
    let written = vec![writer.write(&METHOD_COMPARISON, &method_columns(ledgers.customers.len(), methods, pairs))?];
    let manifest = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "config_digest": output::config_digest(settings),
        "name": settings.name,
        "as_of": format_day(ledgers.as_of),
        "currency": settings.currency,
        "methods": methods.iter().map(|method| &method.name).collect::<Vec<_>>(),
        "inputs": output::input_files(settings, audit)?,
        "outputs": written,
        "result_digest": output::result_digest(&written),
    });
    staging.write(MANIFEST, &with_digest(&manifest))?;
    clock.note(&staging.commit()?);
    Ok(manifest)
}
