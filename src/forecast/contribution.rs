//! Contribution per purchase from allocated cost: each customer's own rates, drawn towards the base by how little is known.

use crate::numeric::sums::Compensated;
use crate::schema::equity::Drivers;

/// What the ledger and the allocation say of each customer; money in major units, one row a customer.
#[derive(Clone, Copy, Debug)]
pub struct Earned<'a> {
    /// Revenue of purchases (returns left out).
    pub purchase_revenue: &'a [f64],
    /// CM1 (after returns, product cost and product-level activities), less commissions and bad debt: what is kept of
    /// sales.
    pub margin: &'a [f64],
    /// Order-level cost-to-serve.
    pub order_cost: &'a [f64],
    /// Customer-sustaining cost, with the capital charge.
    pub customer_cost: &'a [f64],
    /// Purchase days.
    pub purchases: &'a [f64],
    /// Age in model time units.
    pub age: &'a [f64],
}

/// Rates of future contribution, one row a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// CM1 less commissions and bad debt, per unit of purchase revenue.
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

/// Shrinks each customer's own ratio to the base's: `(own + k · base) / (exposure + k)`, where `base = Σ own / Σ exposure`
/// and `k` is the mean exposure of one purchase (money), one purchase, or the mean age: what a typical customer shows.
///
/// Source: Bühlmann & Gisler, A Course in Credibility Theory (2005), ch. 3: credibility-weighted mean.
#[must_use]
pub fn rates(earned: &Earned<'_>) -> Rates {
    let purchases: f64 = earned.purchases.iter().sum();
    let revenue: f64 = earned.purchase_revenue.iter().sum();
    let age: f64 = earned.age.iter().sum();
    let customers = earned.age.len().max(1) as f64;
    let per_purchase = if purchases > 0.0 { revenue / purchases } else { 0.0 };
    Rates {
        margin_rate: shrink(earned.margin, earned.purchase_revenue, per_purchase),
        order_cost: shrink(earned.order_cost, earned.purchases, 1.0),
        sustaining_rate: shrink(earned.customer_cost, earned.age, age / customers),
    }
}

/// Contribution of a period under contract: each customer's own, drawn towards the base's with the weight of the mean
/// number of periods.
///
/// * `contribution`: what a customer earned so far, major units. * `periods`: periods that it was under contract for.
///
/// Source: as [`rates`].
#[must_use]
pub fn per_period(contribution: &[f64], periods: &[f64]) -> Vec<f64> {
    let customers = periods.len().max(1) as f64;
    shrink(contribution, periods, periods.iter().sum::<f64>() / customers)
}

/// The same of groups of customers: each group's own, drawn to the base's as that of a customer who had been under contract for
/// as many periods as all of the group.
///
/// * `group`: of each row, below `groups`.
#[must_use]
pub fn group_per_period(contribution: &[f64], periods: &[f64], group: &[u32], groups: usize) -> Vec<f64> {
    let customers = periods.len().max(1) as f64;
    let (own, exposure) = (by_group(contribution, group, groups), by_group(periods, group, groups));
    shrink(&own, &exposure, exposure.iter().sum::<f64>() / customers)
}

fn by_group(column: &[f64], group: &[u32], groups: usize) -> Vec<f64> {
    let mut sums = vec![Compensated::default(); groups];
    for (group, value) in group.iter().zip(column) {
        sums[*group as usize].add(*value);
    }
    sums.into_iter().map(Compensated::value).collect()
}

/// The same rates of groups of customers: each group's own ratio, drawn to the base's as that of a customer who had bought,
/// paid and stayed as much as all of the group.
///
/// * `group`: of each row, below `groups`.
#[must_use]
pub fn group_rates(earned: &Earned<'_>, group: &[u32], groups: usize) -> Rates {
    let sum = |column: &[f64]| by_group(column, group, groups);
    // The base is that of all rows, whatever groups they are in.
    let purchase_revenue = sum(earned.purchase_revenue);
    let (purchases, age) = (sum(earned.purchases), sum(earned.age));
    let (revenue, bought): (f64, f64) = (purchase_revenue.iter().sum(), purchases.iter().sum());
    let per_purchase = if bought > 0.0 { revenue / bought } else { 0.0 };
    let customers = earned.age.len().max(1) as f64;
    Rates {
        margin_rate: shrink(&sum(earned.margin), &purchase_revenue, per_purchase),
        order_cost: shrink(&sum(earned.order_cost), &purchases, 1.0),
        sustaining_rate: shrink(&sum(earned.customer_cost), &age, age.iter().sum::<f64>() / customers),
    }
}

fn shrink(own: &[f64], exposure: &[f64], k: f64) -> Vec<f64> {
    let total: f64 = exposure.iter().sum();
    let base = if total > 0.0 { own.iter().sum::<f64>() / total } else { 0.0 };
    let rate = |(own, exposure): (&f64, &f64)| {
        let weight = exposure + k;
        if weight > 0.0 { (own + k * base) / weight } else { base }
    };
    own.iter().zip(exposure).map(rate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_rates_are_those_of_one_customer_who_did_all_of_it() {
        let earned = Earned {
            purchase_revenue: &[100.0, 300.0, 600.0],
            margin: &[20.0, 90.0, 60.0],
            order_cost: &[2.0, 3.0, 7.0],
            customer_cost: &[1.0, 0.0, 5.0],
            purchases: &[1.0, 3.0, 6.0],
            age: &[10.0, 20.0, 30.0],
        };
        let rates = group_rates(&earned, &[1, 1, 0], 2);
        // Base: margin 170/1000, one purchase 100; order cost 12/10; sustaining 6/60, mean age 20.
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        close(rates.margin_rate[0], (60.0 + 100.0 * 0.17) / 700.0);
        close(rates.margin_rate[1], (110.0 + 100.0 * 0.17) / 500.0);
        close(rates.order_cost[1], (5.0 + 1.2) / 5.0);
        close(rates.sustaining_rate[0], (5.0 + 20.0 * 0.1) / 50.0);
    }

    #[test]
    fn periods_of_a_group_are_those_of_one_customer_who_had_them_all() {
        // 50 over 5 and 10 over 5 periods; the base 60 over 10, of which a customer had 10/3.
        let found = group_per_period(&[30.0, 10.0, 20.0], &[3.0, 5.0, 2.0], &[0, 1, 0], 2);
        assert!((found[0] - (50.0 + 20.0) / (25.0 / 3.0)).abs() < 1e-12, "{found:?}");
        assert!((found[1] - (10.0 + 20.0) / (25.0 / 3.0)).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn a_customer_of_whom_nothing_is_known_has_the_rate_of_the_base() {
        let rates = shrink(&[0.0, 30.0], &[0.0, 10.0], 1.0);
        assert!((rates[0] - 3.0).abs() < 1e-15);
        assert!((rates[1] - 3.0).abs() < 1e-15);
        // Own 5 a unit over 9 units, base (45 + 5) / 10 = 5 … one unit of 5 of the other: all at the base.
        let rates = shrink(&[45.0, 0.0], &[9.0, 1.0], 1.0);
        assert!((rates[0] - 4.95).abs() < 1e-12 && (rates[1] - 2.25).abs() < 1e-12);
    }
}
