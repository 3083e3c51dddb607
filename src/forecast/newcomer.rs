//! A customer not yet acquired: what one is expected to buy and to contribute from the first purchase on.
//!
//! With the first purchase at time 0, `P = P(alive | x = 0, t_x = T = 0)` (below 1 where a customer may leave right after the
//! first purchase) and the residual of such a customer who is alive, up to the horizon `H` with the discount rate `δ`:
//!
//! * purchases `1 + P · E[X(H)]`, and discounted `1 + P · DET(H, δ)`;
//! * time alive, discounted, `P · DALIVE(H, δ)`;
//! * contribution `(margin_rate · E[S] − order_cost) · (1 + P · DET) − sustaining_rate · P · DALIVE`.
//!
//! That is before what it costs to win the customer: the most that may be paid for it. A group's expectation is the mean
//! over its customers, each with its own model and its own expected spend, at the group's rates: what the next customer
//! brings who comes the way these came. So the first purchase is taken to be as large as the later ones. It counts in full
//! whatever the discounting; what comes after it is discounted as for everybody, counted from it.
//!
//! ```
//! use whalecurve::forecast::{bg_nbd::BgNbd, mbg_nbd::MbgNbd, purchase_model::PurchaseModel};
//! use whalecurve::numeric::discounting::Timing;
//!
//! // CDNOW, a year in weeks: under MBG/NBD some leave right after the first purchase.
//! let bg: PurchaseModel = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 }.into();
//! let mbg: PurchaseModel = MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 }.into();
//! let undiscounted = Timing { delta: 0.0, period: None };
//! let (one, other) = (bg.newcomer(52.0, undiscounted)?, mbg.newcomer(52.0, undiscounted)?);
//! assert!((one.purchases - (1.0 + bg.expected_purchases(0.0, 0.0, 0.0, 52.0)?)).abs() < 1e-12);
//! assert!(one.discounted_alive_time > other.discounted_alive_time);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: Fader, Hardie & Lee, RFM and CLV, J. Marketing Research 42 (2005), 415–430, on newly acquired customers.

use rayon::prelude::*;

use super::contribution::Rates;
use super::population::Population;
use super::purchase_model::PurchaseModel;
use crate::numeric::discounting::Timing;
use crate::numeric::hypergeometric::HypergeometricError;
use crate::numeric::sums::Compensated;

/// What is expected of one new customer, the first purchase counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Newcomer {
    /// Purchases up to the horizon.
    pub purchases: f64,
    /// The same, discounted to the first one.
    pub discounted_purchases: f64,
    /// Time alive up to the horizon, discounted, in model time units.
    pub discounted_alive_time: f64,
}

/// What the next customer of a group is expected to bring.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NewCustomer {
    /// Customers that this rests on.
    pub customers: u64,
    /// Purchases up to the horizon, the first one counted.
    pub purchases: f64,
    /// What is spent on them, major units, not discounted.
    pub spend: f64,
    /// Discounted contribution before acquisition cost, major units.
    pub value: f64,
    /// Purchases up to the horizon, the first one counted, discounted.
    pub discounted_purchases: f64,
    /// Time alive up to the horizon, discounted, in model time units.
    pub discounted_alive_time: f64,
    /// Amount of a purchase, major units.
    pub mean_spend: f64,
}

impl PurchaseModel {
    /// What is expected of a new customer.
    ///
    /// * `horizon`: model time units, `>= 0`. * `timing`: in model time units.
    ///
    /// # Errors
    /// As [`PurchaseModel::residual`].
    pub fn newcomer(&self, horizon: f64, timing: Timing) -> Result<Newcomer, HypergeometricError> {
        let alive = self.p_alive(0.0, 0.0, 0.0);
        let left = match timing.periods() {
            None => self.residual(0.0, 0.0, 0.0, horizon, timing.delta)?,
            Some(periods) => self.residual_per_period(0.0, 0.0, 0.0, horizon, periods)?,
        };
        Ok(Newcomer {
            purchases: 1.0 + alive * left.purchases,
            discounted_purchases: 1.0 + alive * left.discounted_purchases,
            discounted_alive_time: alive * left.discounted_alive_time,
        })
    }
}

/// Sums over the customers of one group.
#[derive(Clone, Copy, Default)]
struct Sums {
    customers: u64,
    purchases: Compensated,
    discounted: Compensated,
    alive: Compensated,
    spend: Compensated,
    added: Compensated,
}

/// What customers spend on a purchase, one row each, major units.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedSpend<'a> {
    /// At the prices that the rates are of.
    pub mean: &'a [f64],
    /// What other prices add to it, all of which is kept; `None` without other prices.
    pub added: Option<&'a [f64]>,
}

/// What the next customer of each group is expected to bring; zeros for a group without customers.
///
/// * `population`: the model of each customer. * `spend`: expected amount of a purchase of each.
/// * `group`: of each customer, below the number of groups. * `rates`: one row a group.
/// * `horizon`, `timing`: as in [`PurchaseModel::newcomer`].
///
/// # Errors
/// As [`PurchaseModel::residual`].
pub fn new_customers(
    population: &Population,
    spend: ExpectedSpend<'_>,
    group: &[u32],
    rates: &Rates,
    (horizon, timing): (f64, Timing),
) -> Result<Vec<NewCustomer>, HypergeometricError> {
    let of_model: Vec<Newcomer> = population
        .models()
        .par_iter()
        .map(|model| model.newcomer(horizon, timing))
        .collect::<Vec<_>>()
        .into_iter()
        .collect::<Result<_, _>>()?;
    let mut sums = vec![Sums::default(); rates.margin_rate.len()];
    for (row, (group, mean)) in group.iter().zip(spend.mean).enumerate() {
        let (sum, newcomer) = (&mut sums[*group as usize], &of_model[population.number_of(row)]);
        sum.customers += 1;
        sum.purchases.add(newcomer.purchases);
        sum.discounted.add(newcomer.discounted_purchases);
        sum.alive.add(newcomer.discounted_alive_time);
        sum.spend.add(*mean);
        sum.added.add(spend.added.map_or(0.0, |added| added[row]));
    }
    let one = |(group, sum): (usize, &Sums)| {
        let mean = |total: Compensated| total.value() / sum.customers.max(1) as f64;
        let (spend, added, purchases) = (mean(sum.spend), mean(sum.added), mean(sum.purchases));
        let per_purchase = rates.margin_rate[group] * spend + added - rates.order_cost[group];
        NewCustomer {
            customers: sum.customers,
            purchases,
            spend: (spend + added) * purchases,
            value: per_purchase * mean(sum.discounted) - rates.sustaining_rate[group] * mean(sum.alive),
            discounted_purchases: mean(sum.discounted),
            discounted_alive_time: mean(sum.alive),
            mean_spend: spend,
        }
    };
    Ok(sums.iter().enumerate().map(one).collect())
}
