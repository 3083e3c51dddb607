//! What is still to be won, and our part of what all customers of the market are worth.
//!
//! ```
//! use whalecurve::{
//!     equity::market::{planned, shares},
//!     numeric::discounting::Timing,
//!     schema::equity::{MarketValue, Part},
//! };
//!
//! // 2.5 customers of 100.00 in a year, at 10 %, for 60.00 together.
//! let factor = Timing { delta: 1.1_f64.ln() / 365.25, period: None }.factor(365.25);
//! assert_eq!(planned(2_500_000, 100.0, 6_000, factor, 100.0), (22_727, 5_455));
//!
//! let competitor = |name: &str, equity| MarketValue { part: Part::All, competitor: Some(name.to_owned()), customers: None, equity };
//! let others = [competitor("A", 500), competitor("B", 200)];
//! let found = shares(300, &others);
//! assert_eq!(found.iter().map(|row| (row.who, row.share)).collect::<Vec<_>>(),
//!     [("(own)", Some(0.3)), ("A", Some(0.5)), ("B", Some(0.2))]);
//! ```

use crate::{
    schema::equity::MarketValue,
    units::{Minor, MinorSum, QUANTITY_SCALE, Quantity},
};

/// Value and cost of customers who are planned to be won, both discounted to `as_of`, minor units, half to even.
///
/// * `customers`: how many, scaled by 10⁶. * `value`: expected of one from its first purchase on, major units.
/// * `cost`: of winning all of them, when they come, minor units. * `factor`: what a unit is worth that comes on that day.
#[must_use]
pub fn planned(customers: Quantity, value: f64, cost: Minor, factor: f64, per_major: f64) -> (Minor, Minor) {
    let count = customers as f64 / QUANTITY_SCALE as f64;
    let value = (count * value * factor * per_major).round_ties_even() as Minor;
    (value, (cost as f64 * factor).round_ties_even() as Minor)
}

/// Somebody's part of the market.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketShare<'a> {
    /// `(own)`, a competitor, or `(others)` where the market is known as a whole.
    pub who: &'a str,
    /// Customers, scaled by 10⁶, where they are known.
    pub customers: Option<Quantity>,
    /// What they are worth, minor units.
    pub equity: MinorSum,
    /// Equity over that of all; `None` where all are worth nothing, or less.
    pub share: Option<f64>,
}

/// Shares of customer equity in one part of the market, ours first, the others as given.
///
/// Ours over the sum of ours and the competitors'; or over the whole market where that is given: `(others)` have the rest.
///
/// * `own`: expected value of our customers, minor units. * `market`: of one part; the whole market, or competitors.
///
/// Source: Rust, Lemon & Zeithaml, Return on Marketing, J. Marketing 68 (2004), on customer equity share.
#[must_use]
pub fn shares(own: MinorSum, market: &[MarketValue]) -> Vec<MarketShare<'_>> {
    let whole = market.iter().find(|row| row.competitor.is_none());
    let total = whole.map_or_else(|| own + market.iter().map(|row| row.equity).sum::<MinorSum>(), |row| row.equity);
    let share = |equity: MinorSum| (total > 0).then(|| equity as f64 / total as f64);
    let ours = MarketShare { who: "(own)", customers: None, equity: own, share: share(own) };
    let others = market.iter().map(|row| match &row.competitor {
        None => MarketShare { who: "(others)", customers: None, equity: total - own, share: share(total - own) },
        Some(name) => MarketShare { who: name, customers: row.customers, equity: row.equity, share: share(row.equity) },
    });
    std::iter::once(ours).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schema::equity::Part;

    #[test]
    fn a_market_that_is_known_as_a_whole_leaves_the_rest_to_others() {
        let whole = MarketValue { part: Part::All, competitor: None, customers: Some(10), equity: 1_000 };
        let found = shares(250, std::slice::from_ref(&whole));
        assert_eq!(found[0].share, Some(0.25));
        assert_eq!((found[1].who, found[1].equity, found[1].share), ("(others)", 750, Some(0.75)));
    }

    #[test]
    fn nobody_has_a_share_of_a_market_that_is_worth_nothing() {
        let market = [MarketValue { part: Part::All, competitor: Some("A".to_owned()), customers: None, equity: 5 }];
        assert_eq!(shares(-5, &market)[0].share, None);
        assert_eq!(shares(0, &[])[0].share, None);
    }

    proptest! {
        #[test]
        fn shares_sum_to_one(own in 0..1_000_000_i128, others in prop::collection::vec(0..1_000_000_i128, 1..9)) {
            prop_assume!(own + others.iter().sum::<i128>() > 0);
            let name = |number: usize| Some(format!("competitor {number}"));
            let row = |(number, equity)| MarketValue { part: Part::All, competitor: name(number), customers: None, equity };
            let market: Vec<MarketValue> = others.into_iter().enumerate().map(row).collect();
            let sum: f64 = shares(own, &market).iter().filter_map(|row| row.share).sum();
            prop_assert!((sum - 1.0).abs() < 1e-12);
        }
    }
}
