//! Allocated cost: leaves per customer, period and activity, and the balance of every pool.

use super::{period::Period, tables::Activity};
use crate::units::{Minor, MinorSum};

/// Why cost stayed with nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unassigned {
    /// No customer used the driver in the period.
    NoDriver,
    /// No customer was active in the period.
    NoCustomer,
}

impl Unassigned {
    /// The name in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoDriver => "no_driver",
            Self::NoCustomer => "no_customer",
        }
    }
}

/// One pool's balance: `cost = allocated + unassigned`, to the minor unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolBalance {
    /// Row in [`CostTable::activities`].
    pub activity: usize,
    /// Period; `None` = the whole run.
    pub period: Option<Period>,
    /// Cost of the pool.
    pub cost: Minor,
    /// What customers bear.
    pub allocated: Minor,
    /// What nobody bears.
    pub unassigned: Minor,
    /// Why, when `unassigned` is not zero.
    pub reason: Option<Unassigned>,
    /// Rows of customer and period that have a driver quantity.
    pub recipients: u64,
    /// Sum of driver quantities, scaled by 10⁶.
    pub driver_quantity: MinorSum,
}

/// Cost of every activity on every cell.
#[derive(Clone, Debug, Default)]
pub struct CostTable {
    /// Activities, sorted by name.
    pub activities: Vec<Activity>,
    /// One column an activity, one row a cell, in minor units.
    pub amounts: Vec<Vec<Minor>>,
    /// The driver quantity behind each amount, scaled by 10⁶ (revenue in major units).
    pub quantities: Vec<Vec<i64>>,
    /// Balances, sorted by activity, then period.
    pub balances: Vec<PoolBalance>,
}
