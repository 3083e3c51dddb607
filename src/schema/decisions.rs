//! Decisions: budgets and thresholds, the actions that customers may get, and prospects.

use serde::Serialize;

use super::{covariates::Covariate, equity::Part};
use crate::units::Minor;

/// What decisions are made by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionSettings {
    /// What actions may cost together, minor units, `>= 0`; `None` = nothing is decided.
    pub budget: Option<Minor>,
    /// Actions that a customer may get together, 1 to [`MOST_ACTIONS`].
    pub most_actions: usize,
    /// Keep or end.
    pub keep: KeepSettings,
    /// A prospect whose probability of a loss is above this is declined; `None` = none is for that alone.
    pub max_probability_of_loss: Option<f64>,
}

impl Default for DecisionSettings {
    fn default() -> Self {
        Self { budget: None, most_actions: 1, keep: KeepSettings::default(), max_probability_of_loss: None }
    }
}

/// Most actions that one customer may get together.
pub const MOST_ACTIONS: usize = 3;

/// Keep or end a loss-making customer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KeepSettings {
    /// Share of order-level cost that ends with the customer, 0 to 1.
    pub avoidable_order_cost: f64,
    /// The same of customer-sustaining cost.
    pub avoidable_customer_cost: f64,
    /// Largest rise of a customer's prices, 0 to 10.
    pub max_price_rise: f64,
    /// Relative fall of a customer's purchases for a relative rise of its prices, `>= 0`.
    pub price_elasticity: f64,
}

impl Default for KeepSettings {
    fn default() -> Self {
        Self { avoidable_order_cost: 1.0, avoidable_customer_cost: 1.0, max_price_rise: 0.10, price_elasticity: 1.0 }
    }
}

/// Something that may be done for a customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// Name.
    pub name: String,
    /// For whom it may be done.
    pub part: Part,
    /// For customers of which value tier, as a number in the settings; `None` = of any.
    pub value_tier: Option<u16>,
    /// What it costs a customer, `>= 0`.
    pub cost: Minor,
    /// What it does.
    pub effect: Effect,
    /// Customers that it may be done for, ascending; `None` = all of the part and tier.
    pub customers: Option<Vec<u32>>,
}

/// What an action does, each scaled by [`EFFECT_SCALE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// Share of the loss of customers that it prevents, below or at 1.
    pub retention: i64,
    /// Relative change of purchases while a customer stays, above −1.
    pub frequency: i64,
    /// Change of what is kept of a unit of sales: 0.02 is two cents of a dollar.
    pub margin: i64,
    /// Relative change of the cost of serving and keeping a customer, above −1.
    pub cost_to_serve: i64,
    /// Probability that it works at all, 0 to 1.
    pub probability: i64,
    /// Standard deviation of its gain, as a share of the gain, `>= 0`.
    pub uncertainty: i64,
}

/// A share of 1 in [`Effect`].
pub const EFFECT_SCALE: i64 = 1_000_000;

/// A customer who may be won.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prospect {
    /// Its id, as text.
    pub id: String,
    /// Channel, where it is known.
    pub channel: Option<u16>,
    /// Segment, where it is known.
    pub segment: Option<u16>,
    /// What it is expected to spend up to the horizon; `None` = as the customers it is like.
    pub expected_revenue: Option<Minor>,
    /// What winning it costs; `None` = as the customers it is like.
    pub acquisition_cost: Option<Minor>,
}

/// Customers who may be won.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prospects {
    /// Sorted by id.
    pub rows: Vec<Prospect>,
    /// What else is known of them, one row each; empty where nothing is.
    pub attributes: Vec<Covariate>,
}

/// What decisions are about; each `None` where its table is not configured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// Actions, sorted.
    pub actions: Option<Vec<Action>>,
    /// Prospects.
    pub prospects: Option<Prospects>,
}
