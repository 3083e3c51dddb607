//! A customer, explained: the document that `whalecurve explain` prints.

use serde::{Serialize, Serializer};

use crate::numeric::decimal::{format_grouped, format_minor};

/// A decimal number: money or a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// The number without its point.
    pub minor: i128,
    /// Digits after the point.
    pub digits: u8,
}

impl Amount {
    /// `-1,234.50`.
    #[must_use]
    pub fn grouped(self) -> String {
        format_grouped(self.minor, self.digits)
    }
}

/// `"-1234.50"`: text, because it is exact.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_minor(self.minor, self.digits))
    }
}

/// What a step of the waterfall is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Adds its amount.
    Item,
    /// Adds its amount, the cost of an activity.
    Activity,
    /// The sum of all items and activities so far.
    Subtotal,
}

/// A step from gross sales to economic profit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Name of the column of `customer_profit`, or of the activity.
    pub name: String,
    /// What it is.
    pub kind: StepKind,
    /// With the sign that it adds with: costs are negative.
    pub amount: Amount,
    /// The same without the scenario, when one is explained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Amount>,
}

/// An exact rate in major units of money for one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// `41/10`, or `3`.
    pub fraction: String,
    /// Ten digits, rounded half to even, for display.
    pub decimal: Amount,
}

/// Where a part of a cost came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Resource pool, or the activity itself.
    pub pool: String,
    /// Account of the general ledger.
    pub account: Option<String>,
    /// Cost centre.
    pub cost_centre: Option<String>,
    /// The origins of a part sum to it.
    pub amount: Amount,
}

/// The pool that a part is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PoolCost {
    /// `own + received`.
    pub cost: Amount,
    /// Its own cost.
    pub own: Amount,
    /// From resource pools.
    pub received: Amount,
    /// What customers bear of it.
    pub allocated: Amount,
}

/// A share in one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Period of the customer's activity.
    pub period: String,
    /// Period of the pool: `all` for a cost of the whole run.
    pub pool_period: String,
    /// What it goes by: a driver, weighted drivers, a time equation, revenue, …
    pub by: String,
    /// Segment that the money was set apart for.
    pub segment: Option<String>,
    /// The customer's quantity; `null` when the cost names the customer.
    pub quantity: Option<Amount>,
    /// Money for one unit; `null` likewise.
    pub rate: Option<Rate>,
    /// What was divided: the pool, or the part of it that this rule divides.
    pub divided: Amount,
    /// The quantity that it was divided by, capacity included; `null` likewise.
    pub total_quantity: Option<Amount>,
    /// The pool.
    pub pool: PoolCost,
    /// `quantity · rate`, rounded by largest remainder.
    pub amount: Amount,
    /// Accounts, cost centres and resource pools that it came from.
    pub origins: Vec<Origin>,
}

/// What an activity cost the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CostLine {
    /// Activity.
    pub activity: String,
    /// Margin that it lowers.
    pub layer: &'static str,
    /// What it is caused by.
    pub level: &'static str,
    /// Whether it follows the volume.
    pub behaviour: &'static str,
    /// Whether it would be saved if the customer left.
    pub avoidable: bool,
    /// How it is divided.
    pub method: &'static str,
    /// Direct tracing, driver tracing or allocation.
    pub kind: &'static str,
    /// Rule that says so.
    pub rule: String,
    /// Its version.
    pub rule_version: u32,
    /// Sum of its parts.
    pub amount: Amount,
    /// What of it is fixed: all or nothing as `behaviour` says, unless resource pools brought cost of another kind.
    pub fixed: Amount,
    /// What of it would be saved if the customer left, likewise.
    pub saved: Amount,
    /// One a pool and period.
    pub parts: Vec<Part>,
}

/// A customer, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Name of the run.
    pub run: String,
    /// `base`, or the name of the scenario that is explained.
    pub scenario: String,
    /// Customer id.
    pub customer: String,
    /// Code of the currency.
    pub currency: String,
    /// Last day that counts.
    pub as_of: String,
    /// Periods with sales or costs that are summed.
    pub periods: Vec<String>,
    /// Gross sales to economic profit: every subtotal is the sum of the items and activities above it.
    pub waterfall: Vec<Step>,
    /// Every cost that the customer bears, by layer.
    pub costs: Vec<CostLine>,
}
