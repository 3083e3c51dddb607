//! Contribution per purchase from allocated cost: each customer's own rates, drawn towards its group's, and a group's towards the
//! base's, by how little is known of them ([`credibility`](crate::numeric::credibility)).
//!
//! A customer's own rate is what it left or cost over what it did: CM1 over revenue, order cost over purchases, sustaining cost over
//! time. Each of the three has variances of its own. Where a contribution is told in parts (what was spent, what was kept of it, what
//! serving cost), all parts have the weights of the whole, so that they add up to it.

use serde::{Deserialize, Serialize};

use crate::numeric::credibility::{Credibility, Grouped};
use crate::schema::equity::Drivers;

/// What the ledger and the allocation say of each customer; money in major units, one row a customer.
#[derive(Clone, Copy, Debug)]
pub struct Earned<'a> {
    /// Revenue of purchases (returns left out).
    pub purchase_revenue: &'a [f64],
    /// CM1 (after returns, product cost and product-level activities), less commissions, bad debt and the capital charge on
    /// receivables: what is kept of sales.
    pub margin: &'a [f64],
    /// Order-level cost-to-serve.
    pub order_cost: &'a [f64],
    /// Customer-sustaining cost.
    pub customer_cost: &'a [f64],
    /// Purchase days.
    pub purchases: &'a [f64],
    /// Age in model time units.
    pub age: &'a [f64],
}

/// Rates of future contribution, one row a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// What is kept of sales, per unit of purchase revenue.
    pub margin_rate: Vec<f64>,
    /// Order-level cost per purchase.
    pub order_cost: Vec<f64>,
    /// Customer-sustaining cost per model time unit.
    pub sustaining_rate: Vec<f64>,
}

impl Rates {
    /// What the expected value of a customer is made of.
    ///
    /// * `row`: its rates. * `lifetime`: expected, discounted. * `purchase_rate`: purchases a unit of it. * `spend`: on a purchase,
    ///   major units.
    #[must_use]
    pub fn drivers(&self, row: usize, p_alive: f64, (lifetime, purchase_rate): (f64, f64), spend: f64) -> Drivers {
        Drivers {
            p_alive,
            lifetime,
            purchase_rate,
            spend,
            margin_rate: self.margin_rate[row],
            order_cost: self.order_cost[row],
            sustaining_rate: self.sustaining_rate[row],
        }
    }

    /// The same rates where amounts are contributions, of either sign: all of an amount is kept. No share of money that may
    /// add up to nothing has a meaning.
    #[must_use]
    pub fn keeping_all(self) -> Self {
        Self { margin_rate: vec![1.0; self.margin_rate.len()], ..self }
    }
}

/// How far the own rates of customers are believed, rate by rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Of what is kept of a unit of spend.
    pub margin_rate: Credibility,
    /// Of order-level cost per purchase.
    pub order_cost: Credibility,
    /// Of customer-sustaining cost per model time unit.
    pub sustaining_rate: Credibility,
}

impl Weights {
    /// From what customers did, with their groups.
    #[must_use]
    pub fn fit(earned: &Earned<'_>, grouped: Grouped<'_>) -> Self {
        let fit = |own: &[f64], exposure: &[f64]| Credibility::fit(own, exposure, grouped);
        let (margin_rate, (order_cost, sustaining_rate)) = rayon::join(
            || fit(earned.margin, earned.purchase_revenue),
            || rayon::join(|| fit(earned.order_cost, earned.purchases), || fit(earned.customer_cost, earned.age)),
        );
        Self { margin_rate, order_cost, sustaining_rate }
    }
}

/// Rates of customers, each drawn to its group's.
#[must_use]
pub fn rates(earned: &Earned<'_>, weights: &Weights, grouped: Grouped<'_>) -> Rates {
    rated(earned, weights, |weight, own, exposure| weight.rates(own, exposure, grouped))
}

/// Rates of groups of customers: what their customers' rates come to over all that they did.
#[must_use]
pub fn group_rates(earned: &Earned<'_>, weights: &Weights, grouped: Grouped<'_>) -> Rates {
    rated(earned, weights, |weight, own, exposure| weight.group_rates(own, exposure, grouped))
}

fn rated(earned: &Earned<'_>, weights: &Weights, of: impl Fn(&Credibility, &[f64], &[f64]) -> Vec<f64>) -> Rates {
    Rates {
        margin_rate: of(&weights.margin_rate, earned.margin, earned.purchase_revenue),
        order_cost: of(&weights.order_cost, earned.order_cost, earned.purchases),
        sustaining_rate: of(&weights.sustaining_rate, earned.customer_cost, earned.age),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVENUE: [f64; 5] = [100.0, 300.0, 600.0, 50.0, 0.0];
    const ONES: [f64; 5] = [1.0; 5];

    /// Two groups with exact margins of 60 % and of 10 %, and costs that differ as well.
    fn earned(margin: &[f64; 5]) -> Earned<'_> {
        Earned {
            purchase_revenue: &REVENUE,
            margin,
            order_cost: &ONES,
            customer_cost: &[1.0, 0.0, 5.0, 2.0, 3.0],
            purchases: &[1.0, 1.0, 1.0, 1.0, 1.0],
            age: &[10.0, 20.0, 30.0, 5.0, 1.0],
        }
    }

    #[test]
    fn customers_have_the_exact_margin_of_their_group_and_the_next_one_has_it_too() {
        let margin = [60.0, 180.0, 60.0, 5.0, 0.0];
        let (earned, grouped) = (earned(&margin), Grouped { of: &[0, 0, 1, 1, 1], groups: 2 });
        let weights = Weights::fit(&earned, grouped);
        let (rates, groups) = (rates(&earned, &weights, grouped), group_rates(&earned, &weights, grouped));
        for (rate, expected) in rates.margin_rate.iter().zip([0.6, 0.6, 0.1, 0.1, 0.1]) {
            assert!((rate - expected).abs() < 1e-12, "{rates:?}");
        }
        assert!((groups.margin_rate[0] - 0.6).abs() < 1e-12 && (groups.margin_rate[1] - 0.1).abs() < 1e-12);
        assert!(rates.order_cost.iter().chain(&groups.order_cost).all(|rate| (rate - 1.0).abs() < 1e-12));
    }

    #[test]
    fn one_groups_rates_are_what_all_of_it_did() {
        let margin = [20.0, 90.0, 60.0, 40.0, -7.0];
        let (earned, grouped) = (earned(&margin), Grouped { of: &[0; 5], groups: 1 });
        let weights = Weights::fit(&earned, grouped);
        let rates = group_rates(&earned, &weights, grouped);
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        // What was returned without a purchase is no share of purchases.
        close(rates.margin_rate[0], 210.0 / 1_050.0);
        close(rates.order_cost[0], 1.0);
        close(rates.sustaining_rate[0], 11.0 / 66.0);
    }
}
