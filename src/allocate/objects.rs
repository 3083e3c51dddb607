//! The cost of other objects than customers: which activities reach them, and what becomes of the others.
//!
//! Objects bear what customers bear: a pool's allocated cost is divided once more, over orders or products, in
//! proportion to the same driver measured per object. So unused capacity and unassigned cost are the same in every
//! view, and all views of an activity sum to the same money. Cost of a level above the order, and cost whose driver only
//! customers have, stays where it is and is shown with the reason: nothing is spread without a cause.
//!
//! Source: Cooper & Kaplan, Profit Priorities from Activity-Based Costing, Harvard Business Review, May 1991: cost is
//! attached at the level of the hierarchy that causes it, and is not divided below it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::costing::Costing;
use crate::schema::{
    costing::{ActivitySetting, Basis, Level, Method, NoDriver, OverUse, Rule},
    costs::{PoolBalance, PoolNode},
    objects::CostObject,
    tables::{Activity, Pool, TracedCost, UnknownQuantity},
};

/// Why an activity's cost does not reach the objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stays {
    /// It is caused by something larger.
    Level(Level),
    /// Its driver is known per customer only.
    CustomerDriver(String),
    /// It is a share of segments of customers.
    Segments,
    /// The `traced` table names customers.
    Traced,
    /// A part of it goes by quantities that customers budgeted.
    Budgeted,
    /// It is in proportion to a cost that does not reach the objects.
    Cost(String),
    /// It cannot be divided over the objects.
    Refused(String),
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "level {}", level.as_str()),
            Self::CustomerDriver(driver) => write!(f, "driver {driver} is known per customer"),
            Self::Segments => f.write_str("it is shared by segments of customers"),
            Self::Traced => f.write_str("it names its customers"),
            Self::Budgeted => f.write_str("its fixed part goes by budgets of customers"),
            Self::Cost(name) => write!(f, "the cost of {name} stays"),
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}

/// What [`plan`](super::plan) takes to cost objects.
#[derive(Clone, Debug)]
pub struct ObjectCosting {
    /// The run's activities, in its order, as they divide their cost over objects.
    pub activities: Vec<Activity>,
    /// What they divide.
    pub pools: Vec<Pool>,
    /// Why an activity's cost does not reach the objects; `None` when it does.
    pub stays: Vec<Option<Stays>>,
}

/// Drivers that are measured per line of the ledger, and what objects refused before.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Names of the drivers that the ledger gives.
    pub ledger_drivers: &'a BTreeSet<&'a str>,
    /// Number of an activity → why its cost cannot be divided over the objects.
    pub refused: &'a BTreeMap<usize, String>,
}

/// Orders or products: what customers bear, divided over them.
///
/// * `balances`: of the customers' plan.
#[must_use]
pub fn of_lines(costing: &Costing<'_>, balances: &[PoolBalance], known: Known<'_>) -> ObjectCosting {
    let stays = reasons(costing.activities, known);
    let mut objects = ObjectCosting { activities: Vec::new(), pools: Vec::new(), stays };
    for (number, activity) in costing.activities.iter().enumerate() {
        let setting = match &objects.stays[number] {
            // One rule has done its duty at the customers; of several, the dates say which one it was.
            None if activity.setting.later.is_empty() => undated(shared(&activity.setting, known)),
            None => activity.setting.with_each_rule(|rule| shared(rule, known)),
            Some(_) => kept(&activity.setting),
        };
        objects.activities.push(Activity { name: activity.name.clone(), setting });
    }
    for balance in balances {
        let PoolNode::Activity(number) = balance.node else { continue };
        let Some(activity) = costing.activities.get(number) else { continue };
        // What stays with customers is sustained here: cost and residual of the balance tell.
        let amount = balance.allocated.saturating_add(balance.sustained);
        objects.pools.push(Pool { activity: activity.name.clone(), period: balance.period, amount, capacity: None });
    }
    objects
}

/// Channels or regions: what their customers bear, added up, and the cost of their own level, divided over them.
///
/// * `balances`: of the customers' plan.
/// * `kind`: channel or region.
#[must_use]
pub fn of_groups(costing: &Costing<'_>, balances: &[PoolBalance], kind: CostObject) -> ObjectCosting {
    let mut objects = ObjectCosting { activities: Vec::new(), pools: Vec::new(), stays: Vec::new() };
    for activity in costing.activities {
        let own_level = activity.setting.sustains() && activity.setting.level == kind.level();
        let (setting, stays) = if own_level {
            // The customers' plan has kept the level's cost whole, so that nobody took what is unused of it.
            (ActivitySetting { push_down: true, unused_to: None, ..activity.setting.clone() }, None)
        } else if activity.setting.sustains() {
            (kept(&activity.setting), Some(Stays::Level(activity.setting.level)))
        } else {
            (ActivitySetting { method: Method::Traced, ..undated(kept_at_customers(&activity.setting)) }, None)
        };
        objects.activities.push(Activity { name: activity.name.clone(), setting });
        objects.stays.push(stays);
    }
    for balance in balances {
        let PoolNode::Activity(number) = balance.node else { continue };
        let Some(activity) = costing.activities.get(number).filter(|activity| activity.setting.sustains()) else {
            continue;
        };
        let own = costing.pools.iter().find(|pool| pool.activity == activity.name && pool.period == balance.period);
        let capacity = own.and_then(|pool| pool.capacity);
        let amount = balance.sustained;
        objects.pools.push(Pool { activity: activity.name.clone(), period: balance.period, amount, capacity });
    }
    objects
}

impl ObjectCosting {
    /// The same run over objects.
    ///
    /// * `run`: the customers' costing; `traced`: costs that name their object. * `unknown`: quantities of unknown customers,
    ///   where their part of the cost is not settled yet.
    #[must_use]
    pub fn costing<'a>(
        &'a self,
        run: &Costing<'a>,
        traced: &'a [TracedCost],
        unknown: &'a [UnknownQuantity],
        none: &'a NoResources,
    ) -> Costing<'a> {
        Costing { activities: &self.activities, resources: &none.0, pools: &self.pools, traced, unknown, ..*run }
    }
}

/// Objects get what activities cost: resource pools have passed on their cost before.
#[derive(Clone, Debug, Default)]
pub struct NoResources(BTreeMap<String, crate::schema::costing::ResourceSetting>);

/// A setting whose pool stays whole.
fn kept(setting: &ActivitySetting) -> ActivitySetting {
    ActivitySetting {
        level: Level::Company,
        push_down: false,
        method: Method::Share(Basis::Average),
        ..undated(kept_at_customers(setting))
    }
}

/// A setting of one rule that always holds.
fn undated(setting: ActivitySetting) -> ActivitySetting {
    let rule = Rule { valid_from: None, valid_to: None, ..setting.rule };
    ActivitySetting { rule, later: Vec::new(), ..setting }
}

/// A setting without what customers' plan has dealt with: capacity, who takes what is unused of it, and what becomes of a
/// driver that nobody used.
fn kept_at_customers(setting: &ActivitySetting) -> ActivitySetting {
    ActivitySetting { capacity: None, over_use: OverUse::Error, unused_to: None, no_driver: None, ..setting.clone() }
}

/// A setting that divides what customers bear over objects.
fn shared(setting: &ActivitySetting, known: Known<'_>) -> ActivitySetting {
    let method = match &setting.method {
        // Customers were charged quantity times rate: in proportion to the quantity it is the same for objects.
        Method::StandardRate { basis, .. } => Method::Share(basis.clone()),
        other => other.clone(),
    };
    let no_driver = match &setting.no_driver {
        Some(NoDriver::Fallback(basis)) if basis_reason(basis, known, &BTreeSet::new()).is_some() => None,
        other => other.clone(),
    };
    ActivitySetting { method, no_driver, ..kept_at_customers(setting) }
}

/// Why each activity's cost does not reach orders or products.
fn reasons(activities: &[Activity], known: Known<'_>) -> Vec<Option<Stays>> {
    let mut stays: Vec<Option<Stays>> = (0..activities.len())
        .map(|number| {
            let refused = known.refused.get(&number).map(|reason| Stays::Refused(reason.clone()));
            refused.or_else(|| activities[number].setting.each_rule().find_map(|rule| reason(&rule, known)))
        })
        .collect();
    loop {
        let staying: BTreeSet<&str> = activities
            .iter()
            .zip(&stays)
            .filter(|(_, stays)| stays.is_some())
            .map(|(activity, _)| activity.name.as_str())
            .collect();
        let mut more = Vec::new();
        for (number, activity) in activities.iter().enumerate().filter(|(number, _)| stays[*number].is_none()) {
            let reason = |rule: Cow<'_, ActivitySetting>| {
                rule.method.bases().into_iter().find_map(|basis| basis_reason(basis, known, &staying))
            };
            let reason = activity.setting.each_rule().find_map(reason);
            more.extend(reason.map(|reason| (number, reason)));
        }
        if more.is_empty() {
            return stays;
        }
        for (number, reason) in more {
            stays[number] = Some(reason);
        }
    }
}

fn reason(setting: &ActivitySetting, known: Known<'_>) -> Option<Stays> {
    if setting.level > Level::Order {
        return Some(Stays::Level(setting.level));
    }
    match &setting.method {
        Method::Percent { .. } | Method::FixedAmount { .. } => Some(Stays::Segments),
        Method::Traced => Some(Stays::Traced),
        Method::DualRate { .. } => Some(Stays::Budgeted),
        Method::Share(basis) | Method::StandardRate { basis, .. } => basis_reason(basis, known, &BTreeSet::new()),
    }
}

/// * `staying`: names of activities whose cost does not reach the objects.
fn basis_reason(basis: &Basis, known: Known<'_>, staying: &BTreeSet<&str>) -> Option<Stays> {
    if let Basis::Cost(of) = basis {
        let name = of.iter().find(|name| staying.contains(name.as_str()));
        return name.map(|name| Stays::Cost(name.clone()));
    }
    let foreign = basis.drivers().into_iter().find(|driver| !known.ledger_drivers.contains(driver));
    foreign.map(|driver| Stays::CustomerDriver(driver.to_owned()))
}
