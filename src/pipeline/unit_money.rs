//! What a period under contract, or a purchase at an opportunity, brings and costs.
//!
//! Every part of what a sale leaves is drawn towards that of the customer's group with the weights of the whole, so that the parts
//! are the contribution.

use super::earnings::Earnings;
use crate::{
    forecast::contribution::{Rates, Weights},
    numeric::credibility::{Credibility, Grouped},
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

/// How money that customers brought is taken ahead.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// As [`all_is_kept`](super::earnings::all_is_kept).
    pub(super) all_kept: bool,
    /// How far customers' own rates are believed.
    pub(super) weights: &'a Weights,
}

impl Done<'_> {
    /// What each customer's purchases left, less the cost of serving them.
    fn sold(&self) -> Vec<f64> {
        self.earned.margin.iter().zip(&self.earned.order_cost).map(|(margin, cost)| margin - cost).collect()
    }

    /// How far rates of a purchase, and of being kept, are believed.
    pub(super) fn weights(&self, grouped: Grouped<'_>) -> Weights {
        let sold = Credibility::fit(&self.sold(), self.purchases, grouped);
        let sustaining_rate = Credibility::fit(&self.earned.customer_cost, self.kept, grouped);
        Weights { margin_rate: sold, order_cost: sold, sustaining_rate }
    }

    /// What a purchase of each customer leaves, and what keeping it for a unit costs.
    pub(super) fn per_unit(&self, weights: &Weights, grouped: Grouped<'_>) -> (Vec<f64>, Vec<f64>) {
        let sold = weights.margin_rate.rates(&self.sold(), self.purchases, grouped);
        (sold, weights.sustaining_rate.rates(&self.earned.customer_cost, self.kept, grouped))
    }
}

impl UnitMoney {
    /// Of every customer, each drawn to its group's.
    pub(super) fn new(done: Done<'_>, weights: &Weights, grouped: Grouped<'_>) -> Self {
        Self::by(done, weights, |weight, money, units| weight.rates(money, units, grouped))
    }

    /// Of groups of customers.
    pub(super) fn of_groups(done: Done<'_>, weights: &Weights, grouped: Grouped<'_>) -> Self {
        Self::by(done, weights, |weight, money, units| weight.group_rates(money, units, grouped))
    }

    fn by(done: Done<'_>, weights: &Weights, of: impl Fn(&Credibility, &[f64], &[f64]) -> Vec<f64>) -> Self {
        let Done { spent, earned, purchases, kept, all_kept } = done;
        let sold = |money: &[f64]| of(&weights.margin_rate, money, purchases);
        let (spend, mut margin, mut order_cost) = (sold(spent), sold(&earned.margin), sold(&earned.order_cost));
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
        let sustaining_rate = of(&weights.sustaining_rate, &earned.customer_cost, kept);
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
        let grouped = Grouped { of: &[0, 0, 1, 1], groups: 2 };
        for spent in [[60.0, 20.0, 30.0, 90.0], [0.0; 4], [60.0, -60.0, 0.0, 0.01]] {
            for all_kept in [false, true] {
                let done = Done { spent: &spent, earned: &earned, purchases: &purchases, kept: &kept, all_kept };
                let weights = done.weights(grouped);
                let (sold, keeping) = done.per_unit(&weights, grouped);
                let money = UnitMoney::new(done, &weights, grouped);
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
