//! How cost reaches customers, as the config says it: activities, resource pools, methods and policies.

use serde::{Deserialize, Serialize};

use crate::{
    numeric::decimal::Decimal,
    units::{Day, Minor, Quantity},
};

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
    /// What becomes of a pool whose driver nobody used.
    pub no_driver: NoDriver,
    /// What the cost pays for, for each pool; `None` = the driver quantity that was used.
    pub capacity: Option<Capacity>,
    /// What happens when more is used than the capacity.
    pub over_use: OverUse,
    /// Activity that takes the cost of unused capacity: the level that caused it; `None` = a line of its own.
    pub unused_to: Option<String>,
    /// The rule that says all this.
    pub rule: Rule,
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
            no_driver: NoDriver::Unassigned,
            capacity: None,
            over_use: OverUse::Error,
            unused_to: None,
            rule: Rule::default(),
        }
    }

    /// Whether its cost stays at its level: it sustains more than one customer, and nobody asked to push it down.
    #[must_use]
    pub fn sustains(&self) -> bool {
        self.level > Level::Customer && !self.push_down
    }
}

/// A resource pool: what departments and accounts cost before activities use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceSetting {
    /// Cost of the whole run in minor units; `None` = from the `pools` table.
    pub cost: Option<Minor>,
    /// Activities and resource pools that it serves, each with its weight, scaled by 10⁶, `>= 0`.
    pub serves: Vec<(String, Quantity)>,
    /// What its cost pays for, in the unit of the weights; `None` = what is served.
    pub capacity: Option<Quantity>,
    /// The rule that says all this.
    pub rule: Rule,
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

/// Which rule, and when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The user's name; `None` = the name of the activity or pool.
    pub id: Option<String>,
    /// The user's version.
    pub version: u32,
    /// First day on which it holds; `None` = since ever.
    pub valid_from: Option<Day>,
    /// Last day on which it holds; `None` = for ever.
    pub valid_to: Option<Day>,
}

impl Default for Rule {
    fn default() -> Self {
        Self { id: None, version: 1, valid_from: None, valid_to: None }
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

/// How a pool is divided over its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// In proportion to a basis.
    Share(Basis),
    /// Percentages of named segments, inside each in proportion to a basis; the rest is unassigned.
    Percent {
        /// Segment and its percentage (98 = 98 %).
        shares: Vec<(String, Decimal)>,
        /// Inside a segment.
        within: Basis,
    },
    /// Fixed amounts first, then the rest in proportion to a basis.
    FixedAmount {
        /// Amount of each segment, spread inside it by the basis.
        segments: Vec<(String, Minor)>,
        /// Amount of each customer active in the period.
        each: Option<Minor>,
        /// The rest.
        rest: Basis,
    },
    /// `rate · quantity`, whatever the pool is; what that leaves of the pool is under-absorbed.
    StandardRate {
        /// Quantity.
        basis: Basis,
        /// Major units of money for one unit of quantity.
        rate: Decimal,
    },
    /// A fixed part by budgeted quantities, the rest by actual ones.
    DualRate {
        /// The fixed part, in minor units.
        fixed: Minor,
        /// Budgeted quantity.
        budgeted: Basis,
        /// Actual quantity.
        actual: Basis,
    },
    /// The `traced` table names each customer's cost.
    Traced,
}

/// What a cost is divided in proportion to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// 1 for every customer and period with any activity (peanut butter).
    Average,
    /// 1 for every customer, however many of its periods the pool reaches.
    Even,
    /// Net revenue.
    Revenue,
    /// Cost that the customer bears already.
    Cost(
        /// `product_cost` and names of activities.
        Vec<String>,
    ),
    /// A driver quantity, by name.
    Driver(String),
    /// Weighted sum of driver quantities.
    Composite(
        /// Driver and weight.
        Vec<(String, Decimal)>,
    ),
    /// A time equation over the driver quantities of each customer and period.
    Time {
        /// The equation.
        equation: String,
        /// The drivers that it names.
        drivers: Vec<String>,
    },
}

impl Basis {
    /// Names of the drivers that it needs.
    #[must_use]
    pub fn drivers(&self) -> Vec<&str> {
        match self {
            Self::Driver(name) => vec![name],
            Self::Composite(parts) => parts.iter().map(|(name, _)| name.as_str()).collect(),
            Self::Time { drivers, .. } => drivers.iter().map(String::as_str).collect(),
            Self::Average | Self::Even | Self::Revenue | Self::Cost(_) => Vec::new(),
        }
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Even => "even",
            Self::Revenue => "revenue",
            Self::Cost(_) => "cost",
            Self::Driver(_) | Self::Composite(_) => "driver",
            Self::Time { .. } => "time_driven",
        }
    }

    /// What the quantity is, for outputs; `None` where the method's name says it.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        match self {
            Self::Average | Self::Even | Self::Revenue => None,
            Self::Cost(of) => Some(of.join(" + ")),
            Self::Driver(name) => Some(name.clone()),
            Self::Composite(parts) => {
                let terms: Vec<String> = parts.iter().map(|(name, weight)| format!("{weight}*{name}")).collect();
                Some(terms.join(" + "))
            }
            Self::Time { equation, .. } => Some(equation.clone()),
        }
    }

    fn kind(&self) -> RuleKind {
        match self {
            Self::Driver(_) | Self::Composite(_) | Self::Time { .. } => RuleKind::DriverTracing,
            Self::Average | Self::Even | Self::Revenue | Self::Cost(_) => RuleKind::Allocation,
        }
    }
}

impl Method {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Share(basis) => basis.as_str(),
            Self::Percent { .. } => "percent",
            Self::FixedAmount { .. } => "fixed_amount",
            Self::StandardRate { .. } => "standard_rate",
            Self::DualRate { .. } => "dual_rate",
            Self::Traced => "traced",
        }
    }

    /// Every basis that it needs; the first is the one whose quantities the outputs show.
    #[must_use]
    pub fn bases(&self) -> Vec<&Basis> {
        match self {
            Self::Share(basis)
            | Self::Percent { within: basis, .. }
            | Self::FixedAmount { rest: basis, .. }
            | Self::StandardRate { basis, .. } => vec![basis],
            Self::DualRate { budgeted, actual, .. } => vec![actual, budgeted],
            Self::Traced => Vec::new(),
        }
    }

    /// How an amount came to its customer.
    #[must_use]
    pub fn kind(&self) -> RuleKind {
        match self {
            Self::Share(basis) | Self::StandardRate { basis, .. } => basis.kind(),
            Self::DualRate { actual, .. } => actual.kind(),
            Self::Percent { .. } | Self::FixedAmount { .. } => RuleKind::Allocation,
            Self::Traced => RuleKind::DirectTracing,
        }
    }
}

/// How an amount came to its cost object.
///
/// Source: Horngren, Datar & Rajan, Cost Accounting, ch. 2: cost tracing and cost allocation; CIMA Official Terminology:
/// direct tracing, driver tracing, allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// The source names the object.
    DirectTracing,
    /// A measured quantity that causes the cost.
    DriverTracing,
    /// A convention.
    Allocation,
}

impl RuleKind {
    /// The name in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DirectTracing => "direct_tracing",
            Self::DriverTracing => "driver_tracing",
            Self::Allocation => "allocation",
        }
    }
}

/// Policy for negative driver quantities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Negative {
    /// Refused: they would make the others bear more than the pool.
    #[default]
    Error,
    /// Shares by signed quantities: a negative one takes cost back.
    Signed {
        /// Largest accepted `Σ|q| / |Σq|`.
        limit: Decimal,
    },
    /// Counted as zero.
    Zero,
    /// Counted by size.
    Absolute,
    /// Every quantity less the smallest one: the most negative bears nothing.
    Shift,
    /// Counted as zero, and their sum is a result of its own.
    Separate,
}

impl Negative {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Signed { .. } => "signed",
            Self::Zero => "zero",
            Self::Absolute => "absolute",
            Self::Shift => "shift",
            Self::Separate => "separate",
        }
    }
}

/// Policy for a pool without driver quantity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoDriver {
    /// The cost stays visible as unassigned.
    #[default]
    Unassigned,
    /// Every row bears the same.
    Even,
    /// Another basis.
    Fallback(
        /// Which.
        Basis,
    ),
    /// The quantities of the latest earlier period that has any.
    PriorPeriod,
    /// The run stops.
    Error,
}

impl NoDriver {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Even => "even",
            Self::Fallback(_) => "fallback",
            Self::PriorPeriod => "prior_period",
            Self::Error => "error",
        }
    }
}

/// The capacity that a pool's cost is divided by, scaled by 10⁶, in the driver's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// What the resources can do, breaks and maintenance taken off.
    Practical(i128),
    /// What is used on average over several years.
    Normal(i128),
    /// What is planned to be used.
    Budgeted(i128),
    /// What was used: nothing is unused.
    Actual,
}

impl Capacity {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Practical(_) => "practical",
            Self::Normal(_) => "normal",
            Self::Budgeted(_) => "budgeted",
            Self::Actual => "actual",
        }
    }

    /// The quantity, given the used one.
    #[must_use]
    pub fn quantity(self, used: i128) -> i128 {
        match self {
            Self::Practical(quantity) | Self::Normal(quantity) | Self::Budgeted(quantity) => quantity,
            Self::Actual => used,
        }
    }
}

/// Policy for a used quantity above the capacity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverUse {
    /// Refused.
    #[default]
    Error,
    /// The rate stays: the rows bear more than the pool, and the excess is a line of the opposite sign.
    OverDriven,
    /// The rate falls to `cost / used`: the rows bear the pool.
    Rescale,
}

impl OverUse {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::OverDriven => "over_driven",
            Self::Rescale => "rescale",
        }
    }
}
