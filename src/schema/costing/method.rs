//! Methods, and the quantities that cost is in proportion to.

use serde::Serialize;

use crate::{numeric::decimal::Decimal, units::Minor};

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
    /// 1 for every customer and period with a ledger line (peanut butter).
    Average,
    /// 1 for every customer with a ledger line in the periods that the pool reaches, however many of them.
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

    /// What the quantity is, where no method's name says it.
    #[must_use]
    pub fn name(&self) -> String {
        self.describe().unwrap_or_else(|| self.as_str().to_owned())
    }

    /// How an amount in proportion to it came to its customer.
    #[must_use]
    pub fn kind(&self) -> RuleKind {
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

    /// The one driver that a customer's cost is in proportion to, at a rate that is the same for all; `None` where there is
    /// no such driver.
    #[must_use]
    pub fn driver(&self) -> Option<&str> {
        match self {
            Self::Share(Basis::Driver(name)) | Self::StandardRate { basis: Basis::Driver(name), .. } => Some(name),
            _ => None,
        }
    }

    /// Whether a capacity can be above what was used: of a method that shares the pool, or a fixed part of it.
    #[must_use]
    pub fn takes_capacity(&self) -> bool {
        matches!(self, Self::Share(_) | Self::DualRate { .. })
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::DirectTracing, Self::DriverTracing, Self::Allocation];

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
