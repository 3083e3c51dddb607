//! The facts of a config: its ledger scanned and folded once, its other tables laid beside it.

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;
use rayon::prelude::*;

use super::{
    Audit, Clock, Gathered, Ledgers, NamedGroups, RunError, checks, economic,
    inputs::SideInputs,
    ledger::{self, Folded, Summaries},
    objects::{counts_orders, group_column, is_mapped},
    order_time,
    own_cells::Alone,
    payments,
    prices::{self, NO_SEGMENT},
    scenario::{self, OtherCosts, OwnCells},
};
use crate::{
    allocate,
    contract::{
        ContractError,
        resource_weights::{Takers, with_takers},
        tables::KnownCustomers,
        transactions::{self, Ledger},
    },
    facts::{
        Layout, LedgerSummary,
        assemble::DriverSource,
        customers::roll_up,
        drivers,
        objects::ObjectSummary,
        order_sums::{self, OrderSummary, OrderSums},
    },
    numeric::keys::{KeyIndex, Keys},
    read,
    schema::{
        costing::ResourceSetting,
        covariates::Covariate,
        economic::EconomicInputs,
        facts::{Cells, Customers, NO_DAY},
        objects::{CostObject, Objects},
        period::PeriodKind,
        purchases::PurchaseLog,
        relations::Relations,
        segmentation::Segmentation,
        settings::{LedgerDriver, Settings, TableName},
        tables::{Activity, CustomerTable, Pool, PoolLine},
    },
    units::Day,
};

/// What is wanted of the ledger beside one row a customer and period.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    /// The purchase days of every customer.
    pub(super) by_day: bool,
    /// Another object that is costed.
    pub(super) object: Option<CostObject>,
}

pub(super) fn facts_of(settings: &Settings, wanted: Wanted, clock: &mut Clock) -> Result<Gathered, RunError> {
    let (ledger, side) = one_ledger(settings, wanted, clock, || Side::read(settings))?;
    ledger.beside(settings, side)
}

/// Scans and folds the ledger of a config, with its customers and products.
///
/// * `between`: what is read after customers and products, so that a mistake there costs no scan.
///
/// # Errors
/// [`RunError`] of the read, contract and facts stages.
pub(super) fn one_ledger<'a, T>(
    settings: &'a Settings,
    Wanted { by_day, object }: Wanted,
    clock: &mut Clock,
    between: impl FnOnce() -> Result<T, RunError>,
) -> Result<(OneLedger<'a>, T), RunError> {
    clock.start("read", None);
    let base = Utf8Path::new(&settings.base);
    let (_, derived) = drivers_of(settings);
    let source = read::open(TableName::Transactions, &settings.inputs.transactions, base, &derived)?;
    let kinds = source.column_types()?;
    let ids = transactions::id_kind(&kinds, "customer_id");
    let mut shared = SideInputs::new(settings, base);
    shared.note(&source);
    let group = object.and_then(group_column);
    let mut marks: Vec<&'static str> = marks_of_forecast(settings).collect();
    for column in hierarchies_of(settings).chain(group) {
        if !marks.contains(&column) {
            marks.push(column);
        }
    }
    let customers = shared.customers(&ids, &marks)?;
    let products = shared.products(&kinds)?;
    let between = between()?;
    let known = customers.as_ref().map(|table| KeyIndex::new(table.ids.keys()));
    let products = products.map(|table| (KeyIndex::new(table.ids.keys()), table.unit_cost));
    let column = object.and_then(CostObject::ledger_column);
    let contract = Ledger::new(settings, known, products)?.with_objects(column);

    clock.start("facts", source.rows);
    let (added, sources, _) = ledger::driver_plan(settings, &[]);
    let distinct = sources.iter().filter(|source| matches!(source, DriverSource::Distinct { .. })).count();
    let layout = Layout { period: settings.period, added, distinct };
    let days = Layout { period: PeriodKind::Day, added: 0, distinct: 0 };
    let by_object = object.zip(column).map(|(kind, column)| {
        let own = transactions::id_kind(&kinds, column);
        let summary = ObjectSummary::new(kind, layout, &own, &ids, counts_orders(settings));
        match prices::groups(settings, customers.as_ref()) {
            Some(groups) => summary.with_prices(groups, settings.period),
            None => summary,
        }
    });
    let by_day = by_day.then(|| LedgerSummary::new(days, &ids));
    let by_order = settings.drivers.values().any(LedgerDriver::is_of_orders).then(|| OrderSummary::new(layout));
    let summaries =
        Summaries { customers: LedgerSummary::new(layout, &ids), days: by_day, objects: by_object, orders: by_order };
    let folded = ledger::fold(source, &contract, summaries, &**clock.progress())?;
    let Folded { mut summary, days, objects, orders, tally, last_day } = folded;
    contract.rules().judge(&tally.balance)?;
    contract.rules().judge_rest(&tally.balance)?;
    checks::judge_freshness(settings, last_day)?;
    if let Some(table) = &customers {
        for row in 0..table.ids.keys().len() {
            summary.touch(table.ids.keys().get(row), None)?;
        }
    }
    let (customer_rows, cells) = summary.finish(settings.inputs.returns, &sources)?;
    let purchases = days.map(|days| purchase_log(days, settings, &customer_rows)).transpose()?;
    ledger::check_money(&tally, &cells)?;
    let objects = objects.map(|objects| objects.finish(settings.inputs.returns, &sources)).transpose()?;
    if let Some(objects) = &objects {
        ledger::check_money(&tally, &objects.cells)?;
    }
    let orders = orders.map(|orders| orders.finish(settings.inputs.returns, &customer_rows.ids, &sources));
    let orders = orders.transpose()?;
    shared.keep(TableName::Transactions, tally);
    let ledger = OneLedger {
        customers: customer_rows,
        cells,
        last_day,
        table: customers,
        purchases,
        objects,
        group,
        marks,
        orders,
        shared,
    };
    Ok((ledger, between))
}

/// Drivers with their names.
pub(super) type NamedDrivers<'a> = Vec<(&'a str, &'a LedgerDriver)>;

/// Drivers that are measured in events, and those of the ledger.
pub(super) fn drivers_of(settings: &Settings) -> (NamedDrivers<'_>, NamedDrivers<'_>) {
    let all = settings.drivers.iter().map(|(name, driver)| (name.as_str(), driver));
    all.partition(|(_, driver)| driver.is_of_events())
}

/// The ledger, folded, with its customers and what the contract said of them.
#[derive(Clone)]
pub(super) struct OneLedger<'a> {
    customers: Customers,
    cells: Cells,
    last_day: Day,
    table: Option<CustomerTable>,
    purchases: Option<PurchaseLog>,
    objects: Option<Objects>,
    /// The customers table's column that puts customers into channels or regions, when these are costed.
    group: Option<&'static str>,
    /// Sums of every order, where a driver is worked out order by order.
    orders: Option<OrderSums>,
    /// Columns of the customers table that were read for groups.
    marks: Vec<&'static str>,
    shared: SideInputs<'a>,
}

/// What a config says of costs, and the tables that say it.
pub(super) struct Side<'a> {
    inputs: SideInputs<'a>,
    activities: Vec<Activity>,
    takers: Takers,
    resources: BTreeMap<String, ResourceSetting>,
    pools: Vec<Pool>,
    lines: Vec<PoolLine>,
}

impl<'a> Side<'a> {
    /// Reads activities and pools.
    pub(super) fn read(settings: &'a Settings) -> Result<Self, RunError> {
        let mut inputs = SideInputs::new(settings, Utf8Path::new(&settings.base));
        let activities = inputs.activities()?;
        let takers = inputs.resource_weights()?;
        let names = activities.iter().map(|activity| activity.name.as_str()).collect();
        let resources = with_takers(&settings.resources, &takers, &names)?;
        let (pools, lines) = inputs.pools(&activities, &resources)?;
        Ok(Self { inputs, activities, takers, resources, pools, lines })
    }
}

impl OneLedger<'_> {
    /// The facts of one config: its other tables laid beside the ledger.
    pub(super) fn beside(self, settings: &Settings, side: Side<'_>) -> Result<Gathered, RunError> {
        let Side { mut inputs, activities, takers, resources, pools, lines: pool_lines } = side;
        let Self { customers: customer_rows, mut cells, last_day, table: customers, purchases, .. } = self;
        let Self { mut objects, group, marks, orders, shared, .. } = self;
        let (_, sources, driver_names) = ledger::driver_plan(settings, &activities);
        // Drivers of the config have their columns; those that activities name come after them, from tables.
        let columns = sources.len();
        let empty = |rows: usize| move || vec![0; rows];
        cells.drivers.resize_with(columns, empty(cells.len()));
        if let Some(objects) = &mut objects {
            objects.cells.drivers.resize_with(columns, empty(objects.cells.len()));
        }
        if let Some(orders) = &orders {
            cells = order_time::add(cells, settings, &driver_names, orders)?;
            if let Some(objects) = objects.as_mut().filter(|objects| objects.kind == CostObject::Order) {
                let own = order_sums::of_cells(&objects.cells)?;
                let cells = std::mem::take(&mut objects.cells);
                objects.cells = order_time::add(cells, settings, &driver_names, &own)?;
            }
        }
        let by_id = KnownCustomers::new(&customer_rows.ids);
        let mut alone = Alone::new(settings, &activities, &resources, &driver_names);
        let (cells, unknown, absent) =
            inputs.driver_quantities(cells, &by_id, (&driver_names, &sources), &mut alone)?;
        let (of_events, _) = drivers_of(settings);
        let (cells, unknown) = inputs.events(cells, unknown, &by_id, (&driver_names, &of_events), &mut alone)?;
        let (cells, traced) = inputs.traced(cells, &by_id, &activities)?;
        let as_of = as_of(settings, last_day)?;
        let (cells, mut receivables) = inputs.receivables(cells, &by_id)?;
        let (cells, of_scenario) = alone.worlds(cells, &traced, &receivables);
        let payments = payments::of(settings, &cells, &mut receivables, as_of);
        let contracts = inputs.contracts(&by_id, as_of)?;
        let mut relations = inputs.relations(&by_id, as_of, || came(&cells, customer_rows.len()))?;
        add_marks(&mut relations, settings, customers.as_ref(), &customer_rows.ids);
        let acquisition = economic::acquisition_cost(settings, &customer_rows.ids, customers.as_ref());
        let of_customers = |column: &dyn Fn(&CustomerTable) -> &Vec<Option<String>>| {
            let known = customers.as_ref().filter(|table| column(table).iter().any(Option::is_some))?;
            let texts = column(known);
            let text = |row: usize| known.ids.get(customer_rows.ids.get(row)).and_then(|at| texts[at as usize].clone());
            Some((0..customer_rows.len()).into_par_iter().map(text).collect::<Vec<_>>())
        };
        let segment = of_customers(&|table| &table.segment);
        let covariates = covariates_of(customers.as_ref(), &customer_rows.ids);
        let (segment_names, segment_of) = segments("segment", segment.as_deref(), customer_rows.len(), MAX_SEGMENTS)?;
        let of_group = |column: &'static str, at_most: usize| {
            let at = marks.iter().position(|mark| *mark == column);
            let group = at.and_then(|at| of_customers(&|table| &table.groups[at]));
            segments(column, group.as_deref(), customer_rows.len(), at_most)
        };
        let groups = group.map(|column| of_group(column, MAX_GROUPS)).transpose()?;
        let of_forecast = groups_of_forecast(settings, &marks, |column| of_group(column, MAX_POOLED))?;
        let ahead = inputs.ahead((&segment_names, &of_forecast), &by_id, as_of, objects.as_mut())?;
        let of_mark = |column: &'static str| {
            let at = marks.iter().position(|mark| *mark == column)?;
            Some(Segmentation::by_text(column, &of_customers(&|table| &table.groups[at])?))
        };
        let hierarchies: Vec<Segmentation> = hierarchies_of(settings).filter_map(of_mark).collect();
        inputs.join(shared);
        let SideInputs { balances, mut rejected, files, .. } = inputs;
        rejected.par_sort_unstable();
        let mut ledgers = Ledgers {
            customers: customer_rows.into(),
            cells: cells.into(),
            facts: Arc::default(),
            as_of,
            segment: segment.map(Arc::new),
            segment_names: segment_names.into(),
            segment_of: segment_of.into(),
            activities,
            takers: takers.into(),
            resources: resources.into(),
            pools,
            pool_lines: pool_lines.into(),
            traced: traced.into(),
            unknown: unknown.into(),
            absent: absent.into(),
            economic: EconomicInputs::default(),
            driver_names: driver_names.into(),
            purchases: purchases.map(Arc::new),
            saved: None,
            contracts: contracts.map(Arc::new),
            relations: relations.into(),
            payments: payments.into(),
            objects: objects.map(Arc::new),
            groups: groups.map(Arc::new),
            covariates: covariates.into(),
            of_forecast: of_forecast.into(),
            hierarchies: hierarchies.into(),
            ahead: ahead.into(),
        };
        let plain = || of_scenario.map_or_else(|| Arc::clone(&ledgers.cells), Arc::new);
        let of_scenario = settings.scenario.is_some().then(plain);
        ledgers.add_earlier_cells(settings)?;
        let finish = |ledgers: &mut Ledgers| {
            ledgers.add_economic(settings, receivables.clone(), &acquisition);
            ledgers.facts = roll_up(&ledgers.cells, ledgers.customers.len())?.into();
            Ok(())
        };
        let other_costs = other_costs(&ledgers, settings, of_scenario, finish)?;
        finish(&mut ledgers)?;
        Ok(Gathered { ledgers, audit: Audit { balances, rejected, files, last_day }, other_costs })
    }
}

impl Ledgers {
    /// Cells for costs that follow the driver quantities of an earlier period.
    pub(super) fn add_earlier_cells(&mut self, settings: &Settings) -> Result<(), RunError> {
        let keys = allocate::missing_cells(&self.costing(settings), &self.ground(settings))?;
        if keys.is_empty() {
            return Ok(());
        }
        let cells = Arc::unwrap_or_clone(std::mem::take(&mut self.cells));
        self.cells = drivers::add_cells(cells, keys).into();
        Ok(())
    }
}

/// Columns that the forecast groups customers by, each with its groups.
fn groups_of_forecast(
    settings: &Settings,
    marks: &[&'static str],
    of_group: impl Fn(&'static str) -> Result<NamedGroups, ContractError>,
) -> Result<BTreeMap<&'static str, NamedGroups>, ContractError> {
    let groups = marks_of_forecast(settings).filter(|column| marks.contains(column)).filter_map(|column| {
        match of_group(column) {
            Ok(group) => Some(Ok((column, group))),
            // More channels than anybody reads; nothing was asked of them.
            Err(error) => pools_by(settings, column).then_some(Err(error)),
        }
    });
    groups.collect()
}

/// The day that the run looks back from.
fn as_of(settings: &Settings, last_day: Day) -> Result<Day, ContractError> {
    if settings.as_of.is_none() && last_day == NO_DAY {
        let by = if settings.inputs.transactions.filter.is_some() { ", of those that `where` leaves" } else { "" };
        let what = format!("transactions: no line was accepted{by}, so there is no last date to take as_of from");
        return Err(ContractError::Setting(format!("{what}; give as_of")));
    }
    Ok(settings.as_of.unwrap_or(last_day))
}

/// Wallet of every customer, and whether others copy it; `None` where the customers table does not map it.
fn add_marks(relations: &mut Relations, settings: &Settings, table: Option<&CustomerTable>, ids: &Keys) {
    let Some(table) = table else { return };
    let rows: Vec<Option<u32>> = (0..ids.len()).into_par_iter().map(|row| table.ids.get(ids.get(row))).collect();
    let mapped = |column| is_mapped(settings, TableName::Customers, column);
    let wallet = || rows.iter().map(|at| at.and_then(|at| table.wallet[at as usize])).collect();
    let benchmark = || rows.iter().map(|at| at.is_some_and(|at| table.benchmark[at as usize])).collect();
    let known = || rows.iter().map(|at| at.is_some_and(|at| table.acquisition_cost[at as usize].is_some())).collect();
    relations.wallet = mapped("wallet").then(wallet);
    relations.benchmark = mapped("benchmark").then(benchmark);
    relations.cost_known = mapped("acquisition_cost").then(known);
}

/// Activities and pools of the scenario, and the cells that it alone needs; `None` without one.
///
/// * `cells`: of the scenario, before those that it alone needs. * `finish`: lays on cells what stands in them.
fn other_costs(
    ledgers: &Ledgers,
    settings: &Settings,
    cells: Option<Arc<Cells>>,
    finish: impl Fn(&mut Ledgers) -> Result<(), RunError>,
) -> Result<Option<OtherCosts>, RunError> {
    let Some((scenario, cells)) = settings.scenario.as_ref().zip(cells) else { return Ok(None) };
    let mut costs = scenario::costs(ledgers, settings, scenario)?;
    let mut own = costs.of(ledgers);
    own.cells = cells;
    own.add_earlier_cells(&scenario.settings)?;
    if own.cells.customer != ledgers.cells.customer || own.cells.period != ledgers.cells.period {
        finish(&mut own)?;
        costs.cells = Some(OwnCells { cells: own.cells, economic: own.economic, facts: own.facts });
    }
    Ok(Some(costs))
}

/// First purchase of every customer; [`NO_DAY`] without one.
fn came(cells: &Cells, customers: usize) -> Vec<Day> {
    let mut came = vec![NO_DAY; customers];
    for (customer, day) in cells.customer.iter().zip(&cells.first_purchase) {
        let first = &mut came[*customer as usize];
        if *day != NO_DAY && (*first == NO_DAY || day < first) {
            *first = *day;
        }
    }
    came
}

/// Segments that joint totals are kept for, at most.
const MAX_SEGMENTS: usize = 200;

/// Channels or regions that are costed, at most.
const MAX_GROUPS: usize = 50_000;

/// The covariates of all customers of a run; those whom the customers table does not know have none.
fn covariates_of(table: Option<&CustomerTable>, ids: &Keys) -> Vec<Covariate> {
    let Some(table) = table.filter(|table| !table.covariates.is_empty()) else { return Vec::new() };
    let rows: Vec<Option<u32>> = (0..ids.len()).into_par_iter().map(|row| table.ids.get(ids.get(row))).collect();
    let placed =
        |covariate: &Covariate| Covariate { name: covariate.name.clone(), values: covariate.values.placed(&rows) };
    table.covariates.iter().map(placed).collect()
}

/// Channels or regions that the forecast tells apart, at most.
const MAX_POOLED: usize = 1_000;

/// Columns of the customers table that the forecast groups customers by: the channel where there is one, the region where it
/// is asked for.
fn marks_of_forecast(settings: &Settings) -> impl Iterator<Item = &'static str> {
    let mapped = |column: &str| is_mapped(settings, TableName::Customers, column);
    ["channel", "region"]
        .into_iter()
        .filter(move |column| mapped(column) && (*column == "channel" || pools_by(settings, column)))
}

/// Columns of the customers table that customers are added up by.
pub(super) fn hierarchies_of(settings: &Settings) -> impl Iterator<Item = &'static str> {
    let told_by = ["segment_value", "segment_equity", "segment_measure", "equity_bridge", "concentration"];
    let written = told_by.iter().any(|name| settings.writes(name));
    let wanted = written || !settings.portfolio.segments.is_empty();
    let columns = ["channel", "parent", "region"].into_iter();
    columns.filter(move |column| wanted && is_mapped(settings, TableName::Customers, column))
}

fn pools_by(settings: &Settings, column: &str) -> bool {
    settings.forecast.as_ref().and_then(|forecast| forecast.pool_by?.column()) == Some(column)
}

/// Names and numbers of the customers table's segments, channels or regions; customers without one are in [`NO_SEGMENT`].
fn segments(
    column: &str,
    segment: Option<&[Option<String>]>,
    customers: usize,
    at_most: usize,
) -> Result<(Vec<String>, Vec<u16>), ContractError> {
    let none = NO_SEGMENT.to_owned();
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

/// Purchase days of the customers of a run; those whom only another table knows have none.
fn purchase_log(days: LedgerSummary, settings: &Settings, customers: &Customers) -> Result<PurchaseLog, RunError> {
    let (rows, mut cells) = days.finish(settings.inputs.returns, &[])?;
    let index = KeyIndex::new(&customers.ids);
    let number: Vec<u32> = (0..rows.len()).filter_map(|row| index.get(rows.ids.get(row))).collect();
    for customer in &mut cells.customer {
        *customer = number[*customer as usize];
    }
    Ok(PurchaseLog::from_days(&cells, customers.len()))
}
