//! The purchase days of every customer: what a cut into calibration and holdout, and gaps between purchases, need.

use super::facts::Cells;
use crate::units::Day;

/// Purchase days by customer, each customer's ascending and distinct.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PurchaseLog {
    /// Where each customer's days begin in `day`; one more entry at the end.
    pub first: Vec<usize>,
    /// Days with a purchase line.
    pub day: Vec<Day>,
    /// Sum of squares, by customer, of the amounts less discount of the days after the first about their mean, minor units
    /// squared.
    pub squares: Vec<f64>,
}

impl PurchaseLog {
    /// From cells whose period is a day, sorted by customer, then day.
    ///
    /// * `customers`: number of customers; those without a purchase get no day.
    #[must_use]
    pub fn from_days(cells: &Cells, customers: usize) -> Self {
        let (first, squares) = (Vec::with_capacity(customers + 1), Vec::with_capacity(customers));
        let mut log = Self { first, day: Vec::new(), squares };
        let mut cell = 0;
        for customer in 0..customers {
            log.first.push(log.day.len());
            let from = cell;
            while cell < cells.len() && cells.customer[cell] as usize == customer {
                if cells.purchase_days[cell] > 0 {
                    log.day.push(cells.first_purchase[cell]);
                }
                cell += 1;
            }
            let bought = (from..cell).filter(|cell| cells.purchase_days[*cell] > 0);
            log.squares.push(about_their_mean(bought.skip(1).map(|cell| cells.purchase_revenue[cell] as f64)));
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

/// `Σ (a − ā)²`, the mean first, so that nothing cancels.
fn about_their_mean(amounts: impl Iterator<Item = f64> + Clone) -> f64 {
    let (count, sum) = amounts.clone().fold((0.0, 0.0), |(count, sum), amount| (count + 1.0, sum + amount));
    let mean = sum / f64::max(count, 1.0);
    amounts.map(|amount| (amount - mean) * (amount - mean)).sum()
}
