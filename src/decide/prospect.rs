//! A prospect before the first contact: what it is expected to be worth and to cost, and how likely it is to be a loss.
//!
//! A new customer like those of its group buys `N` times up to the horizon, the first time when it comes, for `s` on the
//! average; discounted the purchases are `D` and the time alive `A`. At the group's rates it is worth
//!
//! `V = (m · s · k − c) · D − u · A`
//!
//! where `k` is the prospect's expected revenue over that of the group, `N · s`; 1 where nothing is known of it. Expected cost
//! to serve is `c · D + u · A`. A prospect may cost `V`, or nothing where that is negative, and is accepted when it is worth at
//! least what it costs and is not too likely to be a loss.
//!
//! Where a model knows what moves a prospect's rate and dropout (`forecast::covariates`), `N`, `D` and `A` are those of its own
//! model, and spend and rates of contribution the group's.
//!
//! The probability of a loss is the share of drawn futures of new customers whose value is below that cost. In them the first
//! purchase has its expected amount, so that they vary a little less than customers do.
//!
//! ```
//! use whalecurve::decide::prospect::{Futures, Group, judge};
//!
//! let group = Group { purchases: 4.0, discounted_purchases: 3.5, discounted_alive_time: 20.0, spend: 50.0, margin_rate: 0.4, order_cost: 4.0, sustaining_rate: 0.5 };
//! // Half of them buy once and leave, half spend 300 more in five purchases.
//! let futures = Futures { spend: vec![50.0, 350.0], purchases: vec![1.0, 6.0], alive_time: vec![0.0, 40.0] };
//! let found = judge(&group, &futures, Some(400.0), 60.0, (None, 100.0));
//! // Twice the revenue of the group: (0.4 · 100 − 4) · 3.5 − 10 = 116, of which 24 to serve. Those who leave bring 36.
//! assert_eq!((found.value, found.cost_to_serve, found.most_to_pay), (116.0, 24.0, 116.0));
//! assert_eq!((found.probability_of_loss, found.accept), (0.5, true));
//! ```
//!
//! Source: Blattberg & Deighton, Manage marketing by the customer equity test, Harvard Business Review (1996): what may be
//! paid for a prospect is what it is expected to be worth; expectations as in `forecast::newcomer`.

/// What is expected of a new customer of a group; money in major units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Group {
    /// Purchases up to the horizon, the first one counted, `>= 1`.
    pub purchases: f64,
    /// The same, discounted.
    pub discounted_purchases: f64,
    /// Time alive up to the horizon, discounted, model time units.
    pub discounted_alive_time: f64,
    /// Amount of a purchase.
    pub spend: f64,
    /// Contribution of a unit of spend.
    pub margin_rate: f64,
    /// Cost of serving a purchase.
    pub order_cost: f64,
    /// Cost of keeping the customer for a unit of time.
    pub sustaining_rate: f64,
}

/// Drawn futures of new customers of a group, all discounted, one row a future; the first purchase counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Futures {
    /// Money spent, major units.
    pub spend: Vec<f64>,
    /// Purchases.
    pub purchases: Vec<f64>,
    /// Time alive, model time units.
    pub alive_time: Vec<f64>,
}

impl Futures {
    /// The same of customers who spend so much where these spend 1.
    #[must_use]
    pub fn spending(&self, amount: f64) -> Self {
        let Self { spend, purchases, alive_time } = self;
        let spend = spend.iter().map(|units| amount * units).collect();
        Self { spend, purchases: purchases.clone(), alive_time: alive_time.clone() }
    }
}

/// What is told of a prospect, major units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// What it is expected to spend, not discounted.
    pub revenue: f64,
    /// What it is expected to contribute before acquisition cost.
    pub value: f64,
    /// What serving and keeping it is expected to cost, a part of that.
    pub cost_to_serve: f64,
    /// What may be paid at most to win it.
    pub most_to_pay: f64,
    /// Probability that it is worth less than it costs to win; `NaN` without futures.
    pub probability_of_loss: f64,
    /// Whether to accept it.
    pub accept: bool,
}

/// What is told of a prospect.
///
/// * `revenue`: expected up to the horizon, not discounted, `>= 0`; `None`: as the group. * `cost`: of winning it, `>= 0`.
/// * `most_likely_loss`: a larger probability of a loss declines it. * `minor_per_major`: value and cost are compared in minor units.
#[must_use]
pub fn judge(
    group: &Group,
    futures: &Futures,
    revenue: Option<f64>,
    cost: f64,
    (most_likely_loss, minor_per_major): (Option<f64>, f64),
) -> Judgement {
    let minor = |money: f64| (money * minor_per_major).round_ties_even();
    let usual = group.purchases * group.spend;
    let scale = match revenue {
        Some(revenue) if usual > 0.0 => revenue / usual,
        _ => 1.0,
    };
    let Group { margin_rate: m, order_cost: c, sustaining_rate: u, .. } = *group;
    let cost_to_serve = c * group.discounted_purchases + u * group.discounted_alive_time;
    let value = m * group.spend * scale * group.discounted_purchases - cost_to_serve;
    let drawn = futures.spend.iter().zip(&futures.purchases).zip(&futures.alive_time);
    let losses = drawn.filter(|((spend, purchases), alive)| m * scale * *spend - c * *purchases - u * *alive < cost);
    let probability_of_loss = losses.count() as f64 / futures.spend.len() as f64;
    Judgement {
        revenue: usual * scale,
        value,
        cost_to_serve,
        most_to_pay: value.max(0.0),
        probability_of_loss,
        accept: minor(value) >= minor(cost) && most_likely_loss.is_none_or(|most| probability_of_loss <= most),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn more_revenue_never_makes_a_prospect_worth_less_or_likelier_a_loss(
            spend in 1.0..90.0, margin_rate in 0.0..1.0, low in 0.0..500.0, more in 0.0..500.0, cost in 0.0..100.0,
            futures in prop::collection::vec((0.0..400.0, 1.0..9.0, 0.0..50.0), 1..40),
        ) {
            let group = Group { purchases: 3.0, discounted_purchases: 2.8, discounted_alive_time: 20.0, spend, margin_rate, order_cost: 2.0, sustaining_rate: 0.2 };
            let futures = Futures {
                spend: futures.iter().map(|row| row.0).collect(),
                purchases: futures.iter().map(|row| row.1).collect(),
                alive_time: futures.iter().map(|row| row.2).collect(),
            };
            let of = |revenue: f64| judge(&group, &futures, Some(revenue), cost, (Some(0.5), 100.0));
            let (less, more) = (of(low), of(low + more));
            prop_assert!(more.value >= less.value && more.most_to_pay >= less.most_to_pay);
            prop_assert!(more.probability_of_loss <= less.probability_of_loss);
            prop_assert!(more.accept >= less.accept);
            prop_assert!((more.cost_to_serve - less.cost_to_serve).abs() < 1e-12);
        }
    }

    #[test]
    fn a_prospect_of_whom_nothing_is_known_is_one_of_its_group() {
        let group =
            Group { purchases: 2.0, discounted_purchases: 1.9, spend: 10.0, margin_rate: 0.5, ..Group::default() };
        let futures = Futures { spend: vec![10.0, 30.0], purchases: vec![1.0, 3.0], alive_time: vec![0.0, 0.0] };
        let found = judge(&group, &futures, None, 9.6, (None, 100.0));
        assert_eq!((found.revenue, found.value, found.probability_of_loss, found.accept), (20.0, 9.5, 0.5, false));
        // Nobody accepts a loss that is likelier than allowed.
        assert!(judge(&group, &futures, None, 9.0, (None, 100.0)).accept);
        assert!(!judge(&group, &futures, None, 9.0, (Some(0.4), 100.0)).accept);
    }

    #[test]
    fn what_is_worth_its_cost_to_the_cent_is_accepted() {
        // 0.7 · 3 is 2.0999999999999996 in floats.
        let group =
            Group { purchases: 3.0, discounted_purchases: 3.0, spend: 1.0, margin_rate: 0.7, ..Group::default() };
        let found = judge(&group, &Futures::default(), None, 2.1, (None, 100.0));
        assert!(found.value < 2.1 && found.accept);
        assert!(!judge(&group, &Futures::default(), None, 2.11, (None, 100.0)).accept);
    }
}
