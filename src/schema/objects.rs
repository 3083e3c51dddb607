//! Cost objects other than the customer: what lines, days and cost are added up by.

use std::sync::Arc;

use serde::Serialize;

use super::{
    costing::Level,
    facts::{Cells, Customers},
};
use crate::{
    numeric::{decimal::Decimal, keys::Keys},
    units::Day,
};

/// What is costed.
///
/// Source: Horngren, Datar & Rajan, Cost Accounting, ch. 2: a cost object is anything for which a measurement of costs
/// is desired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CostObject {
    /// Orders, by the ledger's `order_id`.
    Order,
    /// Products, by the ledger's `product_id`.
    Product,
    /// Customers.
    Customer,
    /// Channels of the customers table.
    Channel,
    /// Regions of the customers table.
    Region,
}

impl CostObject {
    /// The name on the command line and in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Product => "product",
            Self::Customer => "customer",
            Self::Channel => "channel",
            Self::Region => "region",
        }
    }

    /// The ledger's column that names it; `None` for groups of customers.
    #[must_use]
    pub fn ledger_column(self) -> Option<&'static str> {
        match self {
            Self::Order => Some("order_id"),
            Self::Product => Some("product_id"),
            Self::Customer | Self::Channel | Self::Region => None,
        }
    }

    /// The level of cost that sustains one such object.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::Order => Level::Order,
            Self::Product => Level::Product,
            Self::Customer => Level::Customer,
            Self::Channel => Level::Channel,
            Self::Region => Level::Region,
        }
    }
}

/// Which object each accepted line of a batch belongs to.
#[derive(Clone, Debug)]
pub struct ObjectKeys {
    /// Ids, one a line.
    pub keys: Keys,
    /// Whether a line has none.
    pub missing: Vec<bool>,
}

/// The objects of a run, and one row an object and period.
///
/// Lines without an object are one more object, the last one, so that nothing gets lost. Lines without an order are one a
/// customer.
#[derive(Clone, Debug)]
pub struct Objects {
    /// What they are.
    pub kind: CostObject,
    /// The objects, in the place of customers. More hashes than ids, when lines can be without an object: that of an empty
    /// text, or of the customers of lines without an order.
    pub rows: Customers,
    /// Of orders: each one's customer, then those of lines without an order. No row of other objects.
    pub owners: Arc<Keys>,
    /// One row an object and period; `cells.customer` is the object's number, `rows.len()` and beyond for lines without one.
    pub cells: Cells,
    /// Of every object with an id: who bought it.
    pub buyers: Option<Vec<Buyers>>,
    /// Where prices differ by customer in a scenario: each price factor, and the money of the customers who pay it.
    pub by_price: Vec<(Decimal, Cells)>,
    /// How customers began to buy products.
    pub entries: Option<Entries>,
}

/// How customers began, by the hash of their ids ([`Key::hash`](crate::numeric::keys::Key::hash)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// Customers with a purchase, ascending by hash.
    pub customers: Vec<Newcomer>,
    /// Customer and row of a product of its first purchase day, ascending by hash.
    pub entered: Vec<(u64, u32)>,
}

/// How one customer began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// Hash of its id.
    pub hash: u64,
    /// First purchase day.
    pub first: Day,
    /// Second purchase day; [`NO_DAY`](super::facts::NO_DAY) without one.
    pub second: Day,
    /// Different products bought.
    pub products: u32,
}

/// Who bought a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buyers {
    /// Distinct customers with a purchase line of it.
    pub customers: u64,
    /// Those of them who bought it on the day of their first purchase, alone or with others.
    pub entered: u64,
}
