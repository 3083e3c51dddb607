//! One customer's sums in one period, while lines are folded.

use super::{
    FactsError,
    packed::{PackedLine, sum},
};
use crate::{
    schema::{facts::NO_DAY, lines::PURCHASE, period::Period},
    units::{Day, Minor, Quantity},
};

/// "No order yet" in [`Cell::newest`].
pub(super) const NO_ORDER: u32 = u32::MAX;

/// See the module's description. Sums are in minor units and millionths; 96 bytes, so that a cell lies in two cache lines,
/// the identity in the first of them and the quantity in the last.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Cell {
    /// The customer: hash of an integer id, number of a text id.
    pub(super) identity: u64,
    /// The period.
    pub(super) period: Period,
    /// The newest of the cell's orders; [`NO_ORDER`] when there is none.
    pub(super) newest: u32,
    /// A few bits of the newest order, so that it is looked at only when it may be the line's own.
    pub(super) newest_tag: u32,
    /// First and last day with a purchase line, last day with any; [`NO_DAY`] without one.
    pub(super) first_purchase: Day,
    pub(super) last_purchase: Day,
    pub(super) last_activity: Day,
    /// Lines.
    pub(super) lines: u64,
    /// Amounts of purchase lines.
    pub(super) purchases: Minor,
    /// Amounts of return lines, with the sign turned.
    pub(super) returns: Minor,
    /// Amount less discount of purchase lines.
    pub(super) purchase_revenue: Minor,
    /// The part of `purchase_revenue` on the first purchase day.
    pub(super) first_day_revenue: Minor,
    /// Discounts of all lines.
    pub(super) discount: Minor,
    /// Product costs of all lines.
    pub(super) product_cost: Minor,
    /// Quantities of all lines.
    pub(super) quantity: Quantity,
}

impl Cell {
    /// Reads the cell into the cache, for nothing else.
    #[inline]
    pub(super) fn read_ahead(&self, read: u64) -> u64 {
        read ^ self.identity ^ self.quantity as u64
    }

    /// An empty cell.
    pub(super) fn new(identity: u64, period: Period) -> Self {
        Self {
            identity,
            period,
            newest: NO_ORDER,
            newest_tag: 0,
            first_purchase: NO_DAY,
            last_purchase: NO_DAY,
            last_activity: NO_DAY,
            lines: 0,
            purchases: 0,
            returns: 0,
            purchase_revenue: 0,
            first_day_revenue: 0,
            discount: 0,
            product_cost: 0,
            quantity: 0,
        }
    }

    /// Adds a packed line.
    #[inline]
    pub(super) fn add(&mut self, line: &PackedLine) -> Result<(), FactsError> {
        if line.mask & PURCHASE == 0 {
            let returned = line.amount.checked_neg().ok_or(FactsError::Overflow { what: "returns" })?;
            self.returns = sum(self.returns, returned, "returns")?;
        } else {
            let revenue = line.amount.checked_sub(line.discount).ok_or(FactsError::Overflow { what: "revenue" })?;
            self.purchases = sum(self.purchases, line.amount, "gross sales")?;
            self.purchase_revenue = sum(self.purchase_revenue, revenue, "revenue")?;
            if self.first_purchase == NO_DAY || line.day < self.first_purchase {
                self.first_purchase = line.day;
                self.first_day_revenue = revenue;
            } else if line.day == self.first_purchase {
                self.first_day_revenue = sum(self.first_day_revenue, revenue, "revenue")?;
            }
            self.last_purchase = self.last_purchase.max(line.day);
        }
        self.last_activity = self.last_activity.max(line.day);
        self.lines += u64::from(line.lines);
        self.discount = sum(self.discount, line.discount, "discount")?;
        self.product_cost = sum(self.product_cost, line.product_cost, "product cost")?;
        self.quantity = sum(self.quantity, line.quantity, "quantity")?;
        Ok(())
    }

    /// Adds another summary's cell of the same customer and period.
    pub(super) fn merge(&mut self, other: &Self) -> Result<(), FactsError> {
        let add = |a: i64, b: i64| sum(a, b, "sum");
        if other.first_purchase != NO_DAY {
            if self.first_purchase == NO_DAY || other.first_purchase < self.first_purchase {
                self.first_purchase = other.first_purchase;
                self.first_day_revenue = other.first_day_revenue;
            } else if other.first_purchase == self.first_purchase {
                self.first_day_revenue = add(self.first_day_revenue, other.first_day_revenue)?;
            }
        }
        self.last_purchase = self.last_purchase.max(other.last_purchase);
        self.last_activity = self.last_activity.max(other.last_activity);
        self.lines += other.lines;
        self.purchases = add(self.purchases, other.purchases)?;
        self.returns = add(self.returns, other.returns)?;
        self.purchase_revenue = add(self.purchase_revenue, other.purchase_revenue)?;
        self.discount = add(self.discount, other.discount)?;
        self.product_cost = add(self.product_cost, other.product_cost)?;
        self.quantity = add(self.quantity, other.quantity)?;
        Ok(())
    }
}
