//! What a period under contract, or a purchase at an opportunity, brings and costs.
//!
//! Every amount is drawn towards that of all customers with the same weights ([`contribution::per_period`]), so that the parts
//! of a contribution are the contribution.

use super::earnings::Earnings;
use crate::{
    forecast::contribution::{self, Rates},
    schema::equity::Drivers,
};

/// Money of a unit, one row a customer or group, major units.
pub(super) struct UnitMoney {
    /// Spent on a period or purchase.
    pub(super) spend: Vec<f64>,
    /// What is kept of it, what serving it costs, and what keeping the customer for a period or opportunity costs.
    pub(super) rates: Rates,
}

/// What customers had spent, major units, and earned by a day, as told of their rows in the run.
pub(super) type ByThen<'a> = &'a dyn Fn(&[u32]) -> (Vec<f64>, Earnings);

/// What customers did and brought, one row each; money in major units.
#[derive(Clone, Copy)]
pub(super) struct Done<'a> {
    /// What they spent.
    pub(super) spent: &'a [f64],
    pub(super) earned: &'a Earnings,
    /// Periods paid for, or purchases, that this came of.
    pub(super) purchases: &'a [f64],
    /// Periods or opportunities that they were kept for.
    pub(super) kept: &'a [f64],
    /// As [`all_is_kept`](super::earnings::all_is_kept).
    pub(super) all_kept: bool,
}

impl UnitMoney {
    /// Of every customer.
    pub(super) fn new(done: Done<'_>) -> Self {
        Self::by(done, contribution::per_period)
    }

    /// Of groups of customers.
    ///
    /// * `of`: group of each customer, below `groups`.
    pub(super) fn of_groups(done: Done<'_>, of: &[u32], groups: usize) -> Self {
        Self::by(done, |money, periods| contribution::group_per_period(money, periods, of, groups))
    }

    fn by(done: Done<'_>, per_unit: impl Fn(&[f64], &[f64]) -> Vec<f64>) -> Self {
        let Done { spent, earned, purchases, kept, all_kept } = done;
        let (spend, mut margin) = (per_unit(spent, purchases), per_unit(&earned.margin, purchases));
        let mut order_cost = per_unit(&earned.order_cost, purchases);
        for ((margin, spend), cost) in margin.iter_mut().zip(&spend).zip(&mut order_cost) {
            if all_kept {
                *cost += spend - std::mem::replace(margin, 1.0);
            } else if *spend > 0.0 {
                *margin /= spend;
            } else {
                // No share of nothing: what was left of sales that nobody paid for is a cost of serving them.
                *cost -= std::mem::take(margin);
            }
        }
        let sustaining_rate = per_unit(&earned.customer_cost, kept);
        Self { spend, rates: Rates { margin_rate: margin, order_cost, sustaining_rate } }
    }

    /// What the expected value of a customer is made of.
    ///
    /// * `lifetime`: expected discounted periods or opportunities. * `purchase_rate`: purchases at one of them.
    pub(super) fn drivers(&self, row: usize, p_alive: f64, lifetime: f64, purchase_rate: f64) -> Drivers {
        self.rates.drivers(row, p_alive, (lifetime, purchase_rate), self.spend[row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earnings() -> Earnings {
        Earnings {
            margin: vec![30.0, -5.0, 12.0, 40.0],
            order_cost: vec![3.0, 1.0, 0.0, 2.0],
            customer_cost: vec![4.0, 4.0, 4.0, 4.0],
        }
    }

    /// Whatever the amounts: the drivers of a customer make its contribution of a unit.
    #[test]
    fn parts_of_a_contribution_are_the_contribution() {
        let (earned, purchases, kept) = (earnings(), [3.0, 1.0, 2.0, 8.0], [4.0, 4.0, 2.0, 9.0]);
        let sold: Vec<f64> = earned.margin.iter().zip(&earned.order_cost).map(|(margin, cost)| margin - cost).collect();
        let (sold, keeping) =
            (contribution::per_period(&sold, &purchases), contribution::per_period(&earned.customer_cost, &kept));
        for spent in [[60.0, 20.0, 30.0, 90.0], [0.0; 4], [60.0, -60.0, 0.0, 0.01]] {
            for all_kept in [false, true] {
                let done = Done { spent: &spent, earned: &earned, purchases: &purchases, kept: &kept, all_kept };
                let money = UnitMoney::new(done);
                for row in 0..4 {
                    let drivers = money.drivers(row, 1.0, 2.5, 0.7);
                    let expected = 2.5 * (0.7 * sold[row] - keeping[row]);
                    assert!((drivers.value() - expected).abs() < 1e-9, "{spent:?} {row}: {drivers:?}");
                    // Amounts that add up to nothing have no share that is left.
                    assert!(!all_kept || (drivers.margin_rate - 1.0).abs() < 1e-15, "{drivers:?}");
                }
            }
        }
    }
}
