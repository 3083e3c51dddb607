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

/// What nearly every line changes: one cache line, which is all that most of them touch. Sums are in minor units and
/// millionths.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Cell {
    /// The customer: hash of an integer id, number of a text id.
    pub(super) identity: u64,
    /// The period.
    pub(super) period: Period,
    /// The newest of the cell's orders; [`NO_ORDER`] when there is none.
    pub(super) newest: u32,
    /// A few bits of the newest order, so that it is looked at only when it may be the line's own.
    pub(super) newest_tag: u32,
    /// First and last day with a purchase line; [`NO_DAY`] without one.
    pub(super) first_purchase: Day,
    pub(super) last_purchase: Day,
    /// Lines.
    pub(super) lines: u32,
    /// Amounts of purchase lines.
    pub(super) purchases: Minor,
    /// Amount less discount of purchase lines.
    pub(super) purchase_revenue: Minor,
    /// Product costs of all lines.
    pub(super) product_cost: Minor,
    /// Quantities of all lines.
    pub(super) quantity: Quantity,
}

/// The rest of a cell, which returns, discounts and the first purchase day change.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    /// Amounts of return lines, with the sign turned.
    pub(super) returns: Minor,
    /// Discounts of all lines.
    pub(super) discount: Minor,
    /// The part of [`Cell::purchase_revenue`] on the first purchase day.
    pub(super) first_day_revenue: Minor,
    /// Last day with a return line; [`NO_DAY`] without one.
    last_return: Day,
}

/// A purchase line's day beside the first purchase day before it; [`FirstDay::Not`] of a return.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FirstDay {
    New,
    Same,
    Not,
}

impl Cell {
    /// An empty cell.
    pub(super) fn new(identity: u64, period: Period) -> Self {
        Self {
            identity,
            period,
            newest: NO_ORDER,
            newest_tag: 0,
            first_purchase: NO_DAY,
            last_purchase: NO_DAY,
            lines: 0,
            purchases: 0,
            purchase_revenue: 0,
            product_cost: 0,
            quantity: 0,
        }
    }

    /// Adds a packed line.
    ///
    /// * `rest`: of this cell; asked for where the line changes it.
    #[inline]
    pub(super) fn add<'a>(&mut self, line: &PackedLine, rest: impl FnOnce() -> &'a mut Rest) -> Result<(), FactsError> {
        let is_purchase = line.mask & PURCHASE != 0;
        let (mut first, mut revenue) = (FirstDay::Not, 0);
        if is_purchase {
            revenue = line.amount.checked_sub(line.discount).ok_or(FactsError::Overflow { what: "revenue" })?;
            self.purchases = sum(self.purchases, line.amount, "gross sales")?;
            self.purchase_revenue = sum(self.purchase_revenue, revenue, "revenue")?;
            if self.first_purchase == NO_DAY || line.day < self.first_purchase {
                (self.first_purchase, first) = (line.day, FirstDay::New);
            } else if line.day == self.first_purchase {
                first = FirstDay::Same;
            }
            self.last_purchase = self.last_purchase.max(line.day);
        }
        self.lines = self.lines.checked_add(line.lines).ok_or(FactsError::TooManyLines)?;
        self.product_cost = sum(self.product_cost, line.product_cost, "product cost")?;
        self.quantity = sum(self.quantity, line.quantity, "quantity")?;
        if !is_purchase || line.discount != 0 || first != FirstDay::Not {
            rest().add(line, is_purchase, (first, revenue))?;
        }
        Ok(())
    }

    /// Adds another summary's cell of the same customer and period.
    ///
    /// * `rests`: of this cell and of the other.
    pub(super) fn merge(&mut self, other: &Self, (mine, theirs): (&mut Rest, &Rest)) -> Result<(), FactsError> {
        let add = |a: i64, b: i64| sum(a, b, "sum");
        if other.first_purchase != NO_DAY {
            if self.first_purchase == NO_DAY || other.first_purchase < self.first_purchase {
                self.first_purchase = other.first_purchase;
                mine.first_day_revenue = theirs.first_day_revenue;
            } else if other.first_purchase == self.first_purchase {
                mine.first_day_revenue = add(mine.first_day_revenue, theirs.first_day_revenue)?;
            }
        }
        self.last_purchase = self.last_purchase.max(other.last_purchase);
        self.lines = self.lines.checked_add(other.lines).ok_or(FactsError::TooManyLines)?;
        self.purchases = add(self.purchases, other.purchases)?;
        self.purchase_revenue = add(self.purchase_revenue, other.purchase_revenue)?;
        self.product_cost = add(self.product_cost, other.product_cost)?;
        self.quantity = add(self.quantity, other.quantity)?;
        mine.last_return = mine.last_return.max(theirs.last_return);
        mine.returns = add(mine.returns, theirs.returns)?;
        mine.discount = add(mine.discount, theirs.discount)?;
        Ok(())
    }

    /// Last day with any line; [`NO_DAY`] without one.
    pub(super) fn last_activity(&self, rest: &Rest) -> Day {
        self.last_purchase.max(rest.last_return)
    }
}

impl Default for Rest {
    fn default() -> Self {
        Self { returns: 0, discount: 0, first_day_revenue: 0, last_return: NO_DAY }
    }
}

impl Rest {
    #[inline]
    fn add(
        &mut self,
        line: &PackedLine,
        is_purchase: bool,
        (first, revenue): (FirstDay, Minor),
    ) -> Result<(), FactsError> {
        if !is_purchase {
            let returned = line.amount.checked_neg().ok_or(FactsError::Overflow { what: "returns" })?;
            self.returns = sum(self.returns, returned, "returns")?;
            self.last_return = self.last_return.max(line.day);
        }
        self.discount = sum(self.discount, line.discount, "discount")?;
        match first {
            FirstDay::New => self.first_day_revenue = revenue,
            FirstDay::Same => self.first_day_revenue = sum(self.first_day_revenue, revenue, "revenue")?,
            FirstDay::Not => {}
        }
        Ok(())
    }
}
