//! The purchase days of every customer: what a cut into calibration and holdout, and gaps between purchases, need.

use super::facts::Cells;
use crate::units::Day;

/// Purchase days by customer, each customer's ascending and distinct.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PurchaseLog {
    /// Where each customer's days begin in `day`; one more entry at the end.
    pub first: Vec<usize>,
    /// Days with a purchase line.
    pub day: Vec<Day>,
}

impl PurchaseLog {
    /// From cells whose period is a day, sorted by customer, then day.
    ///
    /// * `customers`: number of customers; those without a purchase get no day.
    #[must_use]
    pub fn from_days(cells: &Cells, customers: usize) -> Self {
        let mut log = Self { first: Vec::with_capacity(customers + 1), day: Vec::new() };
        let mut cell = 0;
        for customer in 0..customers {
            log.first.push(log.day.len());
            while cell < cells.len() && cells.customer[cell] as usize == customer {
                if cells.purchase_days[cell] > 0 {
                    log.day.push(cells.first_purchase[cell]);
                }
                cell += 1;
            }
        }
        log.first.push(log.day.len());
        log
    }

    /// Number of customers.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.first.len().saturating_sub(1)
    }

    /// Purchase days of one customer, ascending.
    ///
    /// # Panics
    /// If there is no such customer.
    #[must_use]
    pub fn of(&self, customer: usize) -> &[Day] {
        &self.day[self.first[customer]..self.first[customer + 1]]
    }

    /// The first purchase day of all; `None` without one.
    #[must_use]
    pub fn first_day(&self) -> Option<Day> {
        self.day.iter().copied().min()
    }
}
