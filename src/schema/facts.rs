//! Facts: one row a customer and period, and one row a customer.

use super::period::Period;
use crate::{
    numeric::keys::Keys,
    units::{Day, Minor, Quantity},
};

/// The customers of a run, sorted by id. A customer's row here is its number everywhere else.
#[derive(Clone, Debug)]
pub struct Customers {
    /// Ids, ascending (integers by value, text by bytes).
    pub ids: Keys,
    /// Published hash of each id: breaks ties and keys random streams. See [`published_hash`].
    ///
    /// [`published_hash`]: crate::numeric::keys::published_hash
    pub hash: Vec<u64>,
}

impl Customers {
    /// Number of customers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no customer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// One row a customer and period ("cell"), sorted by customer, then period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// Row in [`Customers`].
    pub customer: Vec<u32>,
    /// Period.
    pub period: Vec<Period>,
    /// Gross sales.
    pub gross_sales: Vec<Minor>,
    /// Returns, positive.
    pub returns: Vec<Minor>,
    /// Discount, positive.
    pub discount: Vec<Minor>,
    /// Product cost.
    pub product_cost: Vec<Minor>,
    /// Units, net of returns.
    pub units: Vec<Quantity>,
    /// Accepted ledger lines.
    pub lines: Vec<u64>,
    /// Distinct orders with a purchase line.
    pub orders: Vec<u64>,
    /// Distinct days with a purchase line.
    pub purchase_days: Vec<u32>,
    /// First day with a purchase line; [`NO_DAY`] when there is none.
    pub first_purchase: Vec<Day>,
    /// Last day with a purchase line; [`NO_DAY`] when there is none.
    pub last_purchase: Vec<Day>,
    /// Amount less discount of the purchase lines (returns left out): what customers spend.
    pub purchase_revenue: Vec<Minor>,
    /// The part of `purchase_revenue` that falls on the first purchase day of the cell.
    pub first_day_revenue: Vec<Minor>,
    /// Last day with any line; [`NO_DAY`] when there is none.
    pub last_activity: Vec<Day>,
    /// Driver quantities, one column a driver.
    pub drivers: Vec<Vec<Quantity>>,
}

/// "No such day" in the day columns of [`Cells`] and [`CustomerFacts`].
pub const NO_DAY: Day = Day::MIN;

impl Cells {
    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.customer.len()
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.customer.is_empty()
    }

    /// `gross sales − returns − discount` of cell `i`.
    ///
    /// # Panics
    /// When it leaves 64 bits. The facts of a run hold no such cell: [`Self::checked_net_revenue`] has found it before.
    #[inline]
    #[must_use]
    pub fn net_revenue(&self, i: usize) -> Minor {
        self.gross_sales[i] - self.returns[i] - self.discount[i]
    }

    /// [`Self::net_revenue`]; `None` when it leaves 64 bits.
    #[inline]
    #[must_use]
    pub fn checked_net_revenue(&self, i: usize) -> Option<Minor> {
        self.gross_sales[i].checked_sub(self.returns[i])?.checked_sub(self.discount[i])
    }
}

/// One row a customer, in [`Customers`] order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerFacts {
    /// First row of the customer's cells in [`Cells`]; one more entry at the end.
    pub first_cell: Vec<usize>,
    /// First purchase; [`NO_DAY`] without one.
    pub first_purchase: Vec<Day>,
    /// Last purchase; [`NO_DAY`] without one.
    pub last_purchase: Vec<Day>,
    /// Distinct purchase days. Frequency x is one less.
    pub purchase_days: Vec<u32>,
    /// Net revenue of all cells.
    pub net_revenue: Vec<Minor>,
    /// Amount less discount of purchase lines, all cells.
    pub purchase_revenue: Vec<Minor>,
    /// `purchase_revenue` after the first purchase day: x times the mean repeat spend.
    pub repeat_revenue: Vec<Minor>,
}
