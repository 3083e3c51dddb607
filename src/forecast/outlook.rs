//! What a model says of the future beside its expectation: survival, the distribution of purchases, and when the next one
//! comes.
//!
//! ```
//! use whalecurve::forecast::{mbg_nbd::MbgNbd, purchase_model::PurchaseModel};
//!
//! // Two purchases, the last one after 30.43 of 38.86 weeks.
//! let model = PurchaseModel::from(MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 });
//! let (x, t_x, age) = (2.0, 30.43, 38.86);
//! let now = model.p_alive(x, t_x, age);
//! let later = model.p_alive_at(x, t_x, age, 39.0)?;
//! assert!(later < now);
//! // The distribution has the mean that is expected of it.
//! let probabilities = model.probabilities_given_history(x, t_x, age, 39.0);
//! let mean: f64 = (0..).zip(&probabilities).map(|(n, p)| f64::from(n) * p).sum();
//! assert!((mean - model.expected_purchases(x, t_x, age, 39.0)?).abs() < 1e-9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::histories::Histories;
use super::population::Population;
use super::purchase_model::PurchaseModel;
use crate::numeric::hypergeometric::HypergeometricError;
use rayon::prelude::*;

/// The time by which a customer has bought again with this probability is told.
pub const WAIT_QUANTILE: f64 = 0.5;

/// What is ahead of a customer, whether alive or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Probability of being alive at the horizon.
    pub p_alive_at_horizon: f64,
    /// Probability of at least one purchase up to the horizon.
    pub probability_of_purchase: f64,
    /// The time by which the customer has bought again with probability [`WAIT_QUANTILE`], in model time units; `None`
    /// where that is never so, or not within the longest time asked for.
    pub median_wait: Option<f64>,
}

impl PurchaseModel {
    /// The probability that a customer who is alive at `T` still is after another `u`.
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    /// * `u`: model time units, `>= 0`.
    ///
    /// # Errors
    /// [`HypergeometricError`] as [`BgNbd::survival`](super::bg_nbd::BgNbd::survival); never for Pareto/NBD and
    /// (M)BG/CNBD-k.
    pub fn survival(&self, x: f64, t_x: f64, age: f64, u: f64) -> Result<f64, HypergeometricError> {
        match self {
            Self::BgNbd(model) => model.survival(x, age, u),
            Self::MbgNbd(model) => model.survival(x, age, u),
            Self::ParetoNbd(model) => Ok(model.survival(x, age, u)),
            Self::BgCnbdK(model) => Ok(model.survival(x as u32, t_x, age, u)),
        }
    }

    /// The probability that a customer is still alive at `T+u`, given the history up to `T`.
    ///
    /// # Errors
    /// As [`PurchaseModel::survival`].
    pub fn p_alive_at(&self, x: f64, t_x: f64, age: f64, u: f64) -> Result<f64, HypergeometricError> {
        Ok(self.p_alive(x, t_x, age) * self.survival(x, t_x, age, u)?)
    }

    /// Repeat purchases expected of a random new customer in the first `t` model time units, `E[X(t)]`.
    ///
    /// # Errors
    /// As [`PurchaseModel::residual`].
    ///
    /// Source: BG/NBD, Fader, Hardie & Lee (2005), equation 9; Pareto/NBD, Fader & Hardie (2005), section 4; MBG/NBD,
    /// Batislam, Denizel & Filiztekin (2007); each the conditional expectation of a customer without a history.
    pub fn expected_purchases_of_new(&self, t: f64) -> Result<f64, HypergeometricError> {
        self.expected_purchases(0.0, 0.0, 0.0, t)
    }

    /// Probabilities of `0, 1, 2, …` purchases in `(T, T+horizon]` given the history up to `T`, whether alive or not.
    ///
    /// [`PurchaseModel::purchase_probabilities`] times P(alive), and the rest of it at 0. At `x = t_x = T = 0` it is the
    /// distribution of a random new customer's repeat purchases.
    #[must_use]
    pub fn probabilities_given_history(&self, x: f64, t_x: f64, age: f64, horizon: f64) -> Vec<f64> {
        let p_alive = self.p_alive(x, t_x, age);
        let mut found = self.purchase_probabilities(x, t_x, age, horizon);
        for probability in &mut found {
            *probability *= p_alive;
        }
        if let Some(none) = found.first_mut() {
            *none += 1.0 - p_alive;
        }
        found
    }
}

impl Population {
    /// The outlook of every history, in their order.
    ///
    /// * `p_alive`: of every history. * `days_per_unit`: days in a model time unit, as in the fit.
    /// * `horizon`: model time units, `> 0`. * `longest`: a wait longer than this is none; at least the horizon.
    ///
    /// # Errors
    /// As [`PurchaseModel::survival`], for the first history that has no value.
    pub fn outlooks(
        &self,
        histories: &Histories,
        p_alive: &[f64],
        days_per_unit: f64,
        (horizon, longest): (f64, f64),
    ) -> Result<Vec<Outlook>, HypergeometricError> {
        let of_group = |model: &PurchaseModel, (x, t_x, age): (f64, f64, f64), rows: &[u32]| {
            let survival = model.survival(x, t_x, age, horizon)?;
            let next = model.next_purchase(x, t_x, age, longest);
            let by_horizon = next.probability_by(horizon);
            let wait = |p_alive: f64| {
                if p_alive > WAIT_QUANTILE { next.quantile(WAIT_QUANTILE / p_alive) } else { None }
            };
            let mut last: Option<(f64, Option<f64>)> = None;
            let mut outlook = |row: &u32| {
                let p_alive = p_alive[*row as usize];
                // Equal histories lie side by side.
                let known = last.filter(|known| known.0.to_bits() == p_alive.to_bits());
                let (_, median_wait) = *last.insert(known.unwrap_or_else(|| (p_alive, wait(p_alive))));
                Outlook {
                    p_alive_at_horizon: p_alive * survival,
                    probability_of_purchase: p_alive * by_horizon,
                    median_wait,
                }
            };
            Ok(rows.iter().map(&mut outlook).collect::<Vec<Outlook>>())
        };
        self.by_future(histories, days_per_unit, of_group)
    }

    /// Something of every history, in their order, found for all at once who would have the same future if alive: ruled by
    /// one model, with equal frequency and age, and equal recency where the model remembers it.
    ///
    /// * `of_group`: of a model, frequency, recency and age in model time units, and the rows of the histories, ascending in
    ///   recency; a value for each.
    pub(super) fn by_future<T: Copy + Send + Sync>(
        &self,
        histories: &Histories,
        days_per_unit: f64,
        of_group: impl Fn(&PurchaseModel, (f64, f64, f64), &[u32]) -> Result<Vec<T>, HypergeometricError> + Sync,
    ) -> Result<Vec<T>, HypergeometricError> {
        let Histories { frequency, recency, age, .. } = histories;
        let remembers = self.models()[0].remembers_silence();
        // Sorted are the values themselves, not rows that point at them: a comparison then misses no cache.
        let high = |number: u32, frequency: u32| u64::from(number) << 32 | u64::from(frequency);
        let key = |row: u32| {
            let at = row as usize;
            (high(self.number_of(at) as u32, frequency[at]), high(age[at], recency[at]), row)
        };
        let mut rows: Vec<(u64, u64, u32)> = (0..frequency.len() as u32).into_par_iter().map(key).collect();
        rows.par_sort_unstable();
        let same = |l: &(u64, u64, u32), r: &(u64, u64, u32)| {
            l.0 == r.0 && if remembers { l.1 == r.1 } else { l.1 >> 32 == r.1 >> 32 }
        };
        let groups: Vec<&[(u64, u64, u32)]> = rows.chunk_by(same).collect();
        let time = |days: u32| f64::from(days) / days_per_unit;
        let found: Vec<Result<Vec<T>, HypergeometricError>> = groups
            .par_iter()
            .map(|group| {
                let at = group[0].2 as usize;
                let history = (f64::from(frequency[at]), time(recency[at]), time(age[at]));
                let rows: Vec<u32> = group.iter().map(|key| key.2).collect();
                of_group(&self.model_of(at), history, &rows)
            })
            .collect();
        let found: Vec<T> = found.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        let mut placed = found.clone();
        for (key, value) in rows.iter().zip(found) {
            placed[key.2 as usize] = value;
        }
        Ok(placed)
    }
}
