//! Cost of other objects than customers: products in every run that names them, anything else on demand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rayon::prelude::*;
use thiserror::Error;

use super::{Ledgers, RunError, results::Costs};
use crate::{
    allocate::{
        self, CostError, CostPlan, Ground,
        objects::{Known, NoResources, ObjectCosting, Stays, of_groups, of_lines},
    },
    facts::{drivers, groups},
    numeric::keys::{Key, Keys, TextColumn, published_hash},
    profit,
    schema::{
        costing::ActivitySetting,
        costs::{LayerCosts, PoolBalance, PoolNode},
        economic::EconomicInputs,
        facts::{Cells, Customers},
        margins::Margins,
        objects::{CostObject, Objects},
        period::Period,
        settings::{DriverMeasure, Settings, TableName},
        tables::{Activity, TracedCost},
    },
    units::{Minor, Quantity},
};

/// A cost object that the config has no column for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("cost object `{object}` needs the column `{column}`, which inputs.{table} does not map")]
pub struct ObjectError {
    object: &'static str,
    table: &'static str,
    column: &'static str,
}

impl ObjectError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "map it under `columns`; one column of the file may be mapped twice, as in {segment: channel, channel: channel}"
    }

    /// Whether the config has what an object needs.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub(super) fn check(settings: &Settings, kind: CostObject) -> Result<(), Self> {
        let (table, column) = match (kind.ledger_column(), group_column(kind)) {
            (Some(column), _) => (TableName::Transactions, column),
            (None, Some(column)) => (TableName::Customers, column),
            (None, None) => return Ok(()),
        };
        if is_mapped(settings, table, column) {
            return Ok(());
        }
        Err(Self { object: kind.as_str(), table: table.as_str(), column })
    }
}

/// Whether a table maps a column.
pub(super) fn is_mapped(settings: &Settings, table: TableName, column: &str) -> bool {
    settings.inputs.table(table).is_some_and(|setting| setting.columns.contains_key(column))
}

/// The customers table's column that puts customers into groups.
pub(super) fn group_column(kind: CostObject) -> Option<&'static str> {
    match kind {
        CostObject::Channel => Some("channel"),
        CostObject::Region => Some("region"),
        CostObject::Order | CostObject::Product | CostObject::Customer => None,
    }
}

/// Objects with their costs and margins.
pub(super) struct ObjectResults {
    pub(super) objects: Objects,
    pub(super) plan: CostPlan,
    /// Margins before what stays with customers: capital charge, bad debt, commissions, acquisition cost.
    pub(super) margins: Margins,
    /// What stands between CM3 and economic profit, one a cell; `None` where it stays with customers.
    pub(super) economic: Option<Vec<Minor>>,
    /// Why an activity's cost does not reach the objects.
    pub(super) stays: Vec<Option<Stays>>,
    /// The run's settings of the activities.
    pub(super) settings: Vec<ActivitySetting>,
    /// Driver quantities behind cost that was added up over customers: activity by activity, one a cell.
    pub(super) quantities: Vec<Vec<Quantity>>,
    /// Balances of the customers' plan, and how much of each reached objects and stayed.
    pub(super) balances: Vec<ObjectBalance>,
    /// Of every cell, for tie-breaks and segments.
    segment: Vec<u16>,
    names: Vec<String>,
}

/// What became of an activity's cost in one period, over objects.
#[derive(Clone, Debug)]
pub(super) struct ObjectBalance {
    /// Of the customers' plan.
    pub(super) customers: PoolBalance,
    /// Number of the activity.
    pub(super) activity: usize,
    /// What objects bear.
    pub(super) allocated: Minor,
    /// What stays with customers, or at its level.
    pub(super) stays: Minor,
    /// Parts of the objects' own division: unused, over-driven, under-absorbed, unassigned.
    pub(super) own: [Minor; 4],
}

impl ObjectResults {
    /// Costs objects of any kind.
    ///
    /// # Errors
    /// [`RunError`].
    pub(super) fn new(
        settings: &Settings,
        ledgers: &mut Ledgers,
        (costs, margins): (&Costs, &Margins),
        kind: CostObject,
    ) -> Result<Self, RunError> {
        match kind {
            CostObject::Customer => Self::customers(settings, ledgers, (costs, margins)),
            CostObject::Channel | CostObject::Region => Self::groups(settings, ledgers, (costs, margins), kind),
            CostObject::Order | CostObject::Product => {
                let objects = ledgers.objects.take().map(Arc::unwrap_or_clone);
                let none = || Objects {
                    kind,
                    rows: Customers { ids: Keys::Int(Vec::new()), hash: vec![0] },
                    owners: owners(ledgers),
                    cells: Cells::default(),
                    buyers: None,
                    entries: None,
                    by_price: Vec::new(),
                };
                Self::lines(settings, ledgers, costs, objects.unwrap_or_else(none))
            }
        }
    }

    fn lines(settings: &Settings, ledgers: &Ledgers, costs: &Costs, objects: Objects) -> Result<Self, RunError> {
        let of_orders = objects.kind == CostObject::Order;
        let known = settings.drivers.iter();
        let known = known.filter(|(_, driver)| driver.is_of_lines() || (of_orders && driver.is_of_orders()));
        let ledger_drivers: BTreeSet<&str> = known.map(|(name, _)| name.as_str()).collect();
        let mut refused: BTreeMap<usize, String> = BTreeMap::new();
        let run = ledgers.costing(settings);
        let names = vec!["(none)".to_owned()];
        let mut objects = objects;
        loop {
            let known = Known { ledger_drivers: &ledger_drivers, refused: &refused };
            let costing = of_lines(&run, &costs.plan.balances, known);
            let none = NoResources::default();
            let costing_run = costing.costing(&run, &[], &[], &none);
            let ground = |objects: &Objects| -> Result<CostPlan, CostError> {
                allocate::plan(&costing_run, &Self::ground_of(objects, &[], &names, settings.currency.exponent))
            };
            let keys = allocate::missing_cells(
                &costing_run,
                &Self::ground_of(&objects, &[], &names, settings.currency.exponent),
            )?;
            if !keys.is_empty() {
                objects.cells = drivers::add_cells(std::mem::take(&mut objects.cells), keys);
            }
            match ground(&objects) {
                Ok(plan) => {
                    return Self::finish(
                        settings,
                        (objects, plan, costing),
                        costs,
                        (Vec::new(), names, Vec::new()),
                        None,
                    );
                }
                // What cannot be divided over objects stays with customers, who bear it already.
                Err(CostError::Pool(error)) => {
                    let of = |activity: &Activity| activity.name == error.activity;
                    let number = costing.activities.iter().position(of);
                    let known = number.is_none_or(|number| refused.insert(number, error.reason.to_string()).is_some());
                    if known {
                        return Err(CostError::Pool(error).into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn groups(
        settings: &Settings,
        ledgers: &Ledgers,
        (costs, margins): (&Costs, &Margins),
        kind: CostObject,
    ) -> Result<Self, RunError> {
        let (names, group) = ledgers.groups.as_deref().cloned().unwrap_or_default();
        let (cells, mut to) = groups::group(&ledgers.cells, &group)?;
        let mut ids = TextColumn::default();
        for name in &names {
            ids.push(name.as_bytes());
        }
        let hash = names.iter().map(|name| published_hash(Key::Text(name.as_bytes()))).collect();
        let rows = Customers { ids: Keys::Text(ids), hash };
        let run = ledgers.costing(settings);
        let costing = of_groups(&run, &costs.plan.balances, kind);
        let none = NoResources::default();
        let segment: Vec<u16> = (0..names.len()).map(|number| number as u16).collect();
        let exponent = settings.currency.exponent;
        let mut objects =
            Objects { kind, rows, owners: owners(ledgers), cells, buyers: None, entries: None, by_price: Vec::new() };
        let keys = allocate::missing_cells(
            &costing.costing(&run, &[], run.unknown, &none),
            &Self::ground_of(&objects, &segment, &names, exponent),
        )?;
        if !keys.is_empty() {
            let before = (objects.cells.customer.clone(), objects.cells.period.clone());
            objects.cells = drivers::add_cells(std::mem::take(&mut objects.cells), keys);
            let places = places((&before.0, &before.1), &objects.cells);
            for row in &mut to {
                *row = places[*row as usize];
            }
        }
        let cells = &objects.cells;
        let carried = Carried::new(&costs.plan, &ledgers.ground(settings), &to, cells.len())?;
        let traced = carried.traced(&costing, (&cells.customer, &cells.period));
        let mut economic = vec![0_i64; cells.len()];
        for (cell, row) in to.iter().enumerate() {
            let sum = &mut economic[*row as usize];
            let cost = economic_cost(margins, cell).and_then(|cost| sum.checked_add(cost));
            *sum = cost.ok_or(RunError::CostTooLarge)?;
        }
        let costing_run = costing.costing(&run, &traced, run.unknown, &none);
        let plan = allocate::plan(&costing_run, &Self::ground_of(&objects, &segment, &names, exponent))?;
        let own = (segment, names, carried.quantities);
        Self::finish(settings, (objects, plan, costing), costs, own, Some(economic))
    }

    fn customers(
        settings: &Settings,
        ledgers: &mut Ledgers,
        (costs, margins): (&Costs, &Margins),
    ) -> Result<Self, RunError> {
        let rows = Customers::clone(&ledgers.customers);
        let cells = Cells::clone(&ledgers.cells);
        let economic: Option<Vec<Minor>> = (0..cells.len()).map(|cell| economic_cost(margins, cell)).collect();
        let economic = economic.ok_or(RunError::CostTooLarge)?;
        let stays = ledgers
            .activities
            .iter()
            .map(|activity| activity.setting.sustains().then_some(Stays::Level(activity.setting.level)));
        let costing =
            ObjectCosting { activities: ledgers.activities.clone(), pools: Vec::new(), stays: stays.collect() };
        let objects = Objects {
            kind: CostObject::Customer,
            rows,
            owners: owners(ledgers),
            cells,
            buyers: None,
            entries: None,
            by_price: Vec::new(),
        };
        let own = (ledgers.segment_of.to_vec(), ledgers.segment_names.to_vec(), Vec::new());
        Self::finish(settings, (objects, costs.plan.clone(), costing), costs, own, Some(economic))
    }

    fn finish(
        settings: &Settings,
        (objects, plan, costing): (Objects, CostPlan, ObjectCosting),
        costs: &Costs,
        (segment, names, quantities): (Vec<u16>, Vec<String>, Vec<Vec<Quantity>>),
        economic: Option<Vec<Minor>>,
    ) -> Result<Self, RunError> {
        let ground = Self::ground_of(&objects, &segment, &names, settings.currency.exponent);
        let leaves = plan.leaves(&ground).map_err(|_| RunError::CostTooLarge)?;
        if let Some((activity, cost, found)) = plan.reconcile(&leaves) {
            return Err(RunError::Reconciliation { activity, cost, found });
        }
        let layers: LayerCosts = leaves.layers;
        let margins = profit::margins(&objects.cells, &layers, &EconomicInputs::default())?;
        let balances = balances(objects.kind, &costs.plan, &plan);
        let stays = costing.stays;
        let settings: Vec<ActivitySetting> =
            costs.plan.activities.iter().map(|activity| activity.setting.clone()).collect();
        Ok(Self { objects, plan, margins, economic, stays, settings, quantities, balances, segment, names })
    }

    fn ground_of<'a>(objects: &'a Objects, segment: &'a [u16], names: &'a [String], exponent: u8) -> Ground<'a> {
        Ground { cells: &objects.cells, customers: &objects.rows, segment, segment_names: names, exponent }
    }

    /// The rows that cost was spread over.
    pub(super) fn ground(&self, settings: &Settings) -> Ground<'_> {
        Self::ground_of(&self.objects, &self.segment, &self.names, settings.currency.exponent)
    }
}

/// Objects that are nobody's.
fn owners(ledgers: &Ledgers) -> Arc<Keys> {
    Arc::new(ledgers.customers.ids.empty_like())
}

/// What stands between CM3 and economic profit of a cell, beside cost of layer below.
fn economic_cost(margins: &Margins, cell: usize) -> Option<Minor> {
    margins.cm3[cell].checked_sub(margins.below_cost[cell])?.checked_sub(margins.economic_profit[cell])
}

/// Balances over objects: the customers' own, and what the objects' plan made of them.
fn balances(kind: CostObject, customers: &CostPlan, objects: &CostPlan) -> Vec<ObjectBalance> {
    let own = |activity: usize, period: Option<Period>| {
        objects.balances.iter().find(|balance| balance.is_of(activity, period))
    };
    let of = |balance: &PoolBalance| {
        let PoolNode::Activity(activity) = balance.node else { return None };
        let sustains = customers.activities[activity].setting.sustains();
        let customers = balance.clone();
        let carried = kind == CostObject::Customer || (group_column(kind).is_some() && !sustains);
        if carried {
            let (allocated, stays) = (balance.allocated, balance.sustained);
            return Some(ObjectBalance { customers, activity, allocated, stays, own: [0; 4] });
        }
        let divided = own(activity, balance.period)?;
        let unassigned = i64::try_from(divided.unassigned_total()).ok()?;
        let own = [divided.unused, divided.over_driven, divided.under_absorbed, unassigned];
        let (allocated, stays) = (divided.allocated, divided.sustained);
        Some(ObjectBalance { customers, activity, allocated, stays, own })
    };
    customers.balances.iter().filter_map(of).collect()
}

/// Where cells stand among more of them, which hold all of these in the same order.
fn places((customer, period): (&[u32], &[Period]), among: &Cells) -> Vec<u32> {
    let mut next = 0;
    let place = |key: (&u32, &Period)| {
        while (&among.customer[next], &among.period[next]) != key {
            next += 1;
        }
        next as u32
    };
    customer.iter().zip(period).map(place).collect()
}

/// Cells of one slice of the sums over customers.
const SLICE: usize = 16_384;

/// What customers bear and used, added up by group: activity by activity, one a group and period.
struct Carried {
    amounts: Vec<Vec<Minor>>,
    quantities: Vec<Vec<Quantity>>,
}

impl Carried {
    fn new(plan: &CostPlan, ground: &Ground<'_>, to: &[u32], rows: usize) -> Result<Self, RunError> {
        let none = || Self {
            amounts: vec![vec![0; rows]; plan.activities.len()],
            quantities: vec![vec![0; rows]; plan.activities.len()],
        };
        let starts: Vec<usize> = (0..to.len()).step_by(SLICE).collect();
        let sums = starts
            .par_iter()
            .try_fold(none, |mut sums, from| {
                let range = *from..to.len().min(from + SLICE);
                let chunk = plan.chunk(ground, range.clone());
                for (mine, column) in sums.amounts.iter_mut().zip(&chunk.amounts) {
                    add(mine, column.iter().zip(&to[range.clone()]))?;
                }
                for (mine, column) in sums.quantities.iter_mut().zip(&chunk.quantities) {
                    add(mine, column.iter().zip(&to[range.clone()]))?;
                }
                Some(sums)
            })
            .try_reduce(none, |mut all, part| {
                let rows = || 0..rows as u32;
                for (mine, theirs) in all.amounts.iter_mut().zip(&part.amounts) {
                    add(mine, theirs.iter().zip(&rows().collect::<Vec<_>>()))?;
                }
                for (mine, theirs) in all.quantities.iter_mut().zip(&part.quantities) {
                    add(mine, theirs.iter().zip(&rows().collect::<Vec<_>>()))?;
                }
                Some(all)
            });
        sums.ok_or(RunError::CostTooLarge)
    }

    /// The costs as costs that name their object.
    fn traced(&self, costing: &ObjectCosting, (object, period): (&[u32], &[Period])) -> Vec<TracedCost> {
        let mut traced = Vec::new();
        for (activity, amounts) in costing.activities.iter().zip(&self.amounts) {
            let own = amounts.iter().enumerate().filter(|(_, amount)| **amount != 0);
            traced.extend(own.map(|(row, amount)| TracedCost {
                customer: Some(object[row]),
                period: period[row],
                activity: activity.name.clone(),
                amount: *amount,
            }));
        }
        traced
    }
}

fn add<'a>(sums: &mut [i64], values: impl Iterator<Item = (&'a i64, &'a u32)>) -> Option<()> {
    for (value, row) in values {
        let sum = &mut sums[*row as usize];
        *sum = sum.checked_add(*value)?;
    }
    Some(())
}

/// Whether a driver counts distinct orders: then products need theirs.
pub(super) fn counts_orders(settings: &Settings) -> bool {
    settings.drivers.values().any(|driver| driver.measure == DriverMeasure::CountDistinctOrder)
}
