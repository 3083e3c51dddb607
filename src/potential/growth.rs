//! What a customer may still earn us beside its expected value: the sales pipeline and the share of wallet not yet won.

use crate::{
    numeric::{discounting::Timing, sums::Compensated},
    schema::relations::{Opportunity, SHARE_SCALE, Wallet},
    units::{Day, Minor},
};

/// What a unit of further revenue leaves: each customer's own ratio, drawn towards that of all by how little it bought.
///
/// `(contribution_i + k · base) / (revenue_i + k)` with `base = Σ contribution / Σ revenue` and `k = Σ revenue / Σ purchases`:
/// one purchase of an average customer. 0 where nothing was sold.
///
/// * `contribution`: what sales left after returns and the cost that they cause. * `revenue`: of purchases, before returns, so that a
///   customer who returned all it bought has a rate of its own. * `purchases`: one a customer.
///
/// Source: Bühlmann & Gisler, A course in credibility theory (2005), ch. 3, with the credibility constant set to a purchase.
#[must_use]
pub fn contribution_rates(contribution: &[Minor], revenue: &[Minor], purchases: &[u32]) -> Vec<f64> {
    let sum = |column: &[Minor]| column.iter().map(|value| i128::from(*value)).sum::<i128>() as f64;
    let (earned, sold) = (sum(contribution), sum(revenue));
    let bought: u64 = purchases.iter().map(|days| u64::from(*days)).sum();
    if sold <= 0.0 || bought == 0 {
        return vec![0.0; revenue.len()];
    }
    let (base, k) = (earned / sold, sold / bought as f64);
    // Amounts that add up to less than nothing say nothing of what a sale leaves.
    let rate = |(own, revenue): (&Minor, &Minor)| match revenue {
        0.. => (*own as f64 + k * base) / (*revenue as f64 + k),
        _ => base,
    };
    contribution.iter().zip(revenue).map(rate).collect()
}

/// The sales pipeline of every customer: `Σ amount · probability · margin · discount`, rounded once a customer.
///
/// * `opportunities`: sorted by customer, after `as_of`. * `timing`: in days. * `rates`: contribution of a unit of revenue, for those without a
///   margin of their own.
#[must_use]
pub fn pipeline(opportunities: &[Opportunity], rates: &[f64], timing: Timing, as_of: Day) -> Vec<Minor> {
    let scale = SHARE_SCALE as f64;
    let mut value = vec![0; rates.len()];
    for of_customer in opportunities.chunk_by(|a, b| a.customer == b.customer) {
        let customer = of_customer[0].customer as usize;
        let mut sum = Compensated::default();
        for row in of_customer {
            let margin = row.margin.map_or(rates[customer], |margin| margin as f64 / scale);
            let days = f64::from(row.date) - f64::from(as_of);
            sum.add(row.amount as f64 * (row.probability as f64 / scale) * margin * timing.factor(days));
        }
        value[customer] = sum.value().round_ties_even() as Minor;
    }
    value
}

/// The share of wallet not yet won, of one year: `max(wallet − sales of the last year, 0) · probability · contribution rate`.
#[must_use]
pub fn wallet(wallets: &[Option<Wallet>], last_year: &[Minor], rates: &[f64]) -> Vec<Option<Minor>> {
    let value = |((wallet, sales), rate): ((&Option<Wallet>, &Minor), &f64)| {
        let wallet = (*wallet)?;
        let gap = wallet.a_year.saturating_sub(*sales).max(0) as f64;
        Some((gap * (wallet.probability as f64 / SHARE_SCALE as f64) * rate).round_ties_even() as Minor)
    };
    wallets.iter().zip(last_year).zip(rates).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_customers_who_bought_little_are_those_of_all() {
        // Base 50 / 200 = 0.25, a purchase of 200 / 4 = 50.
        let rates = contribution_rates(&[40, 0, 10], &[210, 0, -10], &[4, 0, 0]);
        let own = (40.0 + 50.0 * 0.25) / 260.0;
        assert!((rates[0] - own).abs() < 1e-15 && (rates[1] - 0.25).abs() < 1e-15 && (rates[2] - 0.25).abs() < 1e-15);
        assert_eq!(contribution_rates(&[5], &[0], &[0]), [0.0]);
    }

    #[test]
    fn a_customer_who_returned_all_it_bought_costs_what_its_returns_cost() {
        // Two bought for 100.00 each and left 40.00; the third returned it and left -25.00: -0.25 of a sale, not of nothing.
        let rates = contribution_rates(&[4_000, 4_000, -2_500], &[10_000; 3], &[1, 1, 1]);
        assert!(rates.iter().all(|rate| (-1.0..=1.0).contains(rate)));
        assert!((rates[2] - (-2_500.0 + 10_000.0 * 5.5 / 30.0) / 20_000.0).abs() < 1e-12);
    }

    #[test]
    fn periods_count_at_their_end_and_a_whole_number_of_them_is_not_one_more() {
        let year = Timing { delta: libm::log1p(0.1) / 365.25, period: Some(365.25) };
        assert!((year.factor(1.0) - 1.0 / 1.1).abs() < 1e-15);
        assert!((year.factor(730.5) - 1.0 / 1.21).abs() < 1e-15);
        let continuous = Timing { period: None, ..year };
        assert!((continuous.factor(365.25) - 1.0 / 1.1).abs() < 1e-15);
    }

    #[test]
    fn a_wallet_that_is_ours_already_has_nothing_left() {
        let wallet_of = |a_year| Some(Wallet { a_year, probability: SHARE_SCALE / 4 });
        let found = wallet(&[wallet_of(1_000), wallet_of(100), None], &[200, 200, 0], &[0.5, 0.5, 0.5]);
        assert_eq!(found, [Some(100), Some(0), None]);
    }
}
