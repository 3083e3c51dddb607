//! The small input tables, as the contract hands them on.

use super::{costing::ActivitySetting, period::Period};
use crate::{
    numeric::keys::KeyTable,
    units::{Minor, Quantity},
};

/// The customers table.
#[derive(Clone, Debug)]
pub struct CustomerTable {
    /// Known ids.
    pub ids: KeyTable,
    /// Segment of each id, in row order; `None` when the column is not mapped or the cell is null.
    pub segment: Vec<Option<String>>,
}

/// The products table.
#[derive(Clone, Debug)]
pub struct ProductTable {
    /// Known ids.
    pub ids: KeyTable,
    /// Cost of one unit in minor units; `None` when it is null.
    pub unit_cost: Vec<Option<Minor>>,
}

/// Cost of an activity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pool {
    /// Activity.
    pub activity: String,
    /// Period; `None` = the whole run.
    pub period: Option<Period>,
    /// Cost.
    pub amount: Minor,
    /// Practical capacity that the cost pays for, scaled by 10⁶; over the activity's own.
    pub capacity: Option<Quantity>,
}

/// A named activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Name.
    pub name: String,
    /// Level, method, driver, policy.
    pub setting: ActivitySetting,
}

/// One quantity of a driver that a customer used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DriverQuantity {
    /// Row in [`Customers`](super::facts::Customers).
    pub customer: u32,
    /// Column in [`Cells::drivers`](super::facts::Cells::drivers).
    pub driver: u32,
    /// Period.
    pub period: Period,
    /// When, as the table says it: two rows of a customer and driver with equal `when` are duplicates.
    pub when: i64,
    /// Quantity.
    pub quantity: Quantity,
}

/// Driver quantity of customers whom neither the ledger nor the customers table knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownQuantity {
    /// Column in [`Cells::drivers`](super::facts::Cells::drivers).
    pub driver: u32,
    /// Period.
    pub period: Period,
    /// Quantity.
    pub quantity: Quantity,
}

/// A cost that names its customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TracedCost {
    /// Row in [`Customers`](super::facts::Customers); `None` = unknown.
    pub customer: Option<u32>,
    /// Period.
    pub period: Period,
    /// Activity.
    pub activity: String,
    /// Cost.
    pub amount: Minor,
}

/// Average receivables of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receivable {
    /// Row in [`Customers`](super::facts::Customers).
    pub customer: u32,
    /// Period.
    pub period: Period,
    /// Average balance.
    pub balance: Minor,
}
