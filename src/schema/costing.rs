//! How cost reaches customers, as the config says it: activities, resource pools, methods and policies.

mod method;
mod policy;
mod rule;

use serde::Serialize;

pub use self::{
    method::{Basis, Method, RuleKind},
    policy::{Capacity, Negative, NoDriver, OverUse},
    rule::{AllocationRule, Rule, Service, ServiceRule},
};
use super::period::Period;
use crate::units::{Minor, Quantity};

/// An activity: a cost pool, the level it belongs to, and how it reaches customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActivitySetting {
    /// What it is caused by.
    pub level: Level,
    /// Which contribution margin it lowers.
    pub layer: Layer,
    /// Whether it follows the volume within the period.
    pub behaviour: Behaviour,
    /// Whether a customer's share is saved when the customer leaves.
    pub avoidable: bool,
    /// Whether it comes again: a cost that does not is left out of the future.
    pub recurring: bool,
    /// Cost of a level above the customer reaches customers all the same.
    pub push_down: bool,
    /// How it is spread.
    pub method: Method,
    /// Cost of the whole run in minor units; `None` = from the `pools` table.
    pub cost: Option<Minor>,
    /// What to do with negative driver quantities.
    pub negative: Negative,
    /// What becomes of a pool whose driver nobody used; `None` = it stays unassigned, and a driver that no table holds
    /// at all is refused.
    pub no_driver: Option<NoDriver>,
    /// What the cost pays for, for each pool; `None` = the driver quantity that was used.
    pub capacity: Option<Capacity>,
    /// What happens when more is used than the capacity.
    pub over_use: OverUse,
    /// Activity that takes the cost of unused capacity: the level that caused it; `None` = a line of its own.
    pub unused_to: Option<String>,
    /// The rule that says how it is spread: the first one, where several follow each other.
    pub rule: Rule,
    /// The rules after it, by date, each with a method and policies of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<AllocationRule>,
}

impl ActivitySetting {
    /// An activity of a level and method with every policy at its default and no cost of its own.
    #[must_use]
    pub fn new(level: Level, method: Method) -> Self {
        Self {
            level,
            layer: level.layer(),
            behaviour: level.behaviour(),
            avoidable: level <= Level::Customer,
            recurring: true,
            push_down: false,
            method,
            cost: None,
            negative: Negative::Error,
            no_driver: None,
            capacity: None,
            over_use: OverUse::Error,
            unused_to: None,
            rule: Rule::default(),
            later: Vec::new(),
        }
    }

    /// Whether its cost stays at its level: it sustains more than one customer, and nobody asked to push it down.
    #[must_use]
    pub fn sustains(&self) -> bool {
        self.level > Level::Customer && !self.push_down
    }
}

/// A resource pool: what departments and accounts cost before activities use it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ResourceSetting {
    /// What causes it; `None` = whatever its takers are caused by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Which contribution margin what stays in it would lower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// Whether its cost follows the volume, wherever it goes; `None` = as its takers' own cost does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behaviour: Option<Behaviour>,
    /// Whether its cost is saved when customers leave, wherever it goes; `None` = as its takers' own cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avoidable: Option<bool>,
    /// Whether a pool of a level above the customer may serve activities of a lower one.
    pub push_down: bool,
    /// Cost of the whole run in minor units; `None` = from the `pools` table.
    pub cost: Option<Minor>,
    /// Activities and resource pools that it serves, each with its weight.
    pub serves: Vec<(String, Weight)>,
    /// What its cost pays for, in the unit of the weights; `None` = what is served.
    pub capacity: Option<Quantity>,
    /// The rule that says so: the first one, where several follow each other.
    pub rule: Rule,
    /// The rules after it, by date, each with takers of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<ServiceRule>,
}

/// How much of a resource pool's service goes to one taker, on one scale for all takers of the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The same in every period, scaled by 10⁶, `>= 0`.
    Always(Quantity),
    /// Of these periods, scaled by 10⁶, `>= 0`; of any other zero, of a cost of the whole run their sum.
    Periods(Vec<(Period, Quantity)>),
    /// The total of a driver in the period, unknown customers included.
    Driver(String),
}

impl Weight {
    /// How cost came to the taker: a weight that is the same in every period, as a percentage is, is a convention.
    #[must_use]
    pub fn kind(&self) -> RuleKind {
        match self {
            Self::Always(_) => RuleKind::Allocation,
            Self::Periods(_) | Self::Driver(_) => RuleKind::DriverTracing,
        }
    }

    /// Whether it may differ from period to period.
    #[must_use]
    pub fn varies(&self) -> bool {
        !matches!(self, Self::Always(_))
    }
}

/// How resource pools that serve each other pass on their cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceSetting {
    /// Services to other pools are ignored.
    Direct,
    /// Pools are closed one after another; a closed pool gets nothing more.
    StepDown {
        /// Pools, first closed first; the largest share of services to other pools first when absent.
        order: Option<Vec<String>>,
    },
    /// Every service counts, also among pools.
    #[default]
    Reciprocal,
}

impl ServiceSetting {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::StepDown { .. } => "step_down",
            Self::Reciprocal => "reciprocal",
        }
    }
}

/// Level of the cost hierarchy: what a cost is caused by.
///
/// Source: Cooper & Kaplan, Profit Priorities from Activity-Based Costing, Harvard Business Review, May 1991 (unit, batch,
/// product, facility); Kaplan & Narayanan, Measuring and Managing Customer Profitability (2001) for customers and channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Each unit.
    Unit,
    /// Having a product.
    Product,
    /// Each order or batch.
    Order,
    /// Having a customer.
    Customer,
    /// Having a channel.
    Channel,
    /// Being in a region.
    Region,
    /// Being a company.
    Company,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 7] =
        [Self::Unit, Self::Product, Self::Order, Self::Customer, Self::Channel, Self::Region, Self::Company];

    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Product => "product",
            Self::Order => "order",
            Self::Customer => "customer",
            Self::Channel => "channel",
            Self::Region => "region",
            Self::Company => "company",
        }
    }

    /// The margin that a level's cost lowers unless the user says otherwise.
    #[must_use]
    pub fn layer(self) -> Layer {
        match self {
            Self::Unit | Self::Product => Layer::Cm1,
            Self::Order => Layer::Cm2,
            Self::Customer => Layer::Cm3,
            Self::Channel | Self::Region | Self::Company => Layer::Below,
        }
    }

    /// Variable up to the order, fixed from the product's and the customer's existence on.
    #[must_use]
    pub fn behaviour(self) -> Behaviour {
        match self {
            Self::Unit | Self::Order => Behaviour::Variable,
            Self::Product | Self::Customer | Self::Channel | Self::Region | Self::Company => Behaviour::Fixed,
        }
    }
}

/// Contribution-margin layer that a cost lowers, and with it every later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// CM1.
    Cm1,
    /// CM2.
    Cm2,
    /// CM3.
    Cm3,
    /// Economic profit alone.
    Below,
}

impl Layer {
    /// Every layer.
    pub const ALL: [Self; 4] = [Self::Cm1, Self::Cm2, Self::Cm3, Self::Below];

    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cm1 => "cm1",
            Self::Cm2 => "cm2",
            Self::Cm3 => "cm3",
            Self::Below => "below",
        }
    }
}

/// Whether a cost follows the volume within the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// It does not.
    Fixed,
    /// It does.
    Variable,
}

impl Behaviour {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Variable => "variable",
        }
    }
}
