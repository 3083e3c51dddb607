//! BG/NBD: what a fitted model says of a customer.
//!
//! While alive a customer buys at rate `λ ~ Gamma(r, α)`; after each purchase the customer drops out with probability
//! `p ~ Beta(a, b)`. Given frequency `x`, age `T` **and being alive at `T`**, the two are independent with
//! `λ ~ Gamma(r+x, α+T)` and `p ~ Beta(a, b+x)`; recency then matters through P(alive) alone. So everything about the
//! future of a customer who is alive depends on `(x, T)` only.
//!
//! Source: Fader, Hardie & Lee, "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model,
//! Marketing Science 24 (2005), 275–284; equation numbers are that paper's.

use super::summary::{History, Summary};
use crate::numeric::hypergeometric::{HypergeometricError, gauss};
use crate::numeric::quadrature::{Rule, doubling_panels};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Order of the quadrature on one panel. A panel that starts at the singularity's distance or farther and is twice as
/// wide converges like `3.7^{−2·16}`, below the last bit.
static PANEL: LazyLock<Rule<16>> = LazyLock::new(Rule::legendre);

/// Parameters of BG/NBD, all `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BgNbd {
    /// Shape of the gamma distribution of purchase rates.
    pub r: f64,
    /// Rate of that distribution, in model time units.
    pub alpha: f64,
    /// First shape of the beta distribution of dropout probabilities.
    pub a: f64,
    /// Second shape of that distribution.
    pub b: f64,
}

/// The future of a customer who is alive at the day of the forecast, from then to the horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residual {
    /// Expected number of purchases.
    pub purchases: f64,
    /// Expected discounted number of purchases, `E Σ e^{−δ t_j}`.
    pub discounted_purchases: f64,
    /// Expected discounted time alive, `∫ S(u) e^{−δu} du`, in model time units.
    pub discounted_alive_time: f64,
}

/// Predictions per distinct history of a [`Summary`], in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// `P(alive | x, t_x, T)`.
    pub p_alive: Vec<f64>,
    /// What is left for a customer who is alive; the expectation for the customer is `p_alive` times it.
    pub residual: Vec<Residual>,
}

impl BgNbd {
    /// The probability that a customer is still alive at `T`; 1 for a customer without a repeat purchase.
    ///
    /// `1 / (1 + a/(b+x−1) · ((α+T)/(α+t_x))^{r+x})` for `x > 0`, evaluated through its logarithm so that it reaches 0
    /// or 1 without overflow.
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    ///
    /// Source: Fader, Hardie & Lee, Computing P(alive) using the BG/NBD model (2008), equation 1.
    #[must_use]
    pub fn p_alive(&self, x: f64, t_x: f64, age: f64) -> f64 {
        if x <= 0.0 {
            return 1.0;
        }
        survived_last_chance(self.a / (self.b + x - 1.0), self.r + x, t_x / self.alpha, age / self.alpha)
    }

    /// The probability that a customer who is alive at `T` still is after another `u`.
    ///
    /// `S(u) = E[(1 + p u/α')^{−r'}] = ₂F₁(r', a; a+b+x; −u/α')` with `r' = r+x`, `α' = α+T`.
    ///
    /// # Errors
    /// [`HypergeometricError`] where `u` exceeds `α'` some hundred-thousandfold.
    pub fn survival(&self, x: f64, age: f64, u: f64) -> Result<f64, HypergeometricError> {
        gauss(self.r + x, self.a, self.a + self.b + x, -u / (self.alpha + age))
    }

    /// Purchases per time unit expected at `u` after `T`, for a customer who is alive at `T`.
    ///
    /// `m(u) = E[λ e^{−λpu}] = (r'/α') ₂F₁(r'+1, a; a+b+x; −u/α')`.
    ///
    /// # Errors
    /// As [`BgNbd::survival`].
    pub fn intensity(&self, x: f64, age: f64, u: f64) -> Result<f64, HypergeometricError> {
        let rate = (self.r + x) / (self.alpha + age);
        Ok(rate * gauss(self.r + x + 1.0, self.a, self.a + self.b + x, -u / (self.alpha + age))?)
    }

    /// What is left until the horizon for a customer who is alive at `T`.
    ///
    /// The integrals of [`BgNbd::intensity`] and [`BgNbd::survival`], plain and times `e^{−δu}`, by Gauss–Legendre on
    /// panels that double. Times [`BgNbd::p_alive`], the purchases are equation 10 of the paper, without its
    /// singularity at `a = 1` and its cancellation for small `a`.
    ///
    /// * `horizon`: model time units, `>= 0`. * `delta`: continuous discount rate per model time unit, `>= 0`.
    ///
    /// # Errors
    /// As [`BgNbd::survival`].
    pub fn residual(&self, x: f64, age: f64, horizon: f64, delta: f64) -> Result<Residual, HypergeometricError> {
        let (shape, scale) = (self.r + x, self.alpha + age);
        // The integrand changes over the distance to its singularity, over the time to drop out, or over 1/δ.
        let hazard = shape / scale * self.a / (self.a + self.b + x);
        let first = (2.0 * scale).min(4.0 / hazard).min(4.0 / delta);
        let mut sum = Residual { purchases: 0.0, discounted_purchases: 0.0, discounted_alive_time: 0.0 };
        for (from, to) in doubling_panels(first, horizon) {
            let mut panel = sum;
            for (u, weight) in PANEL.on(from, to) {
                let discount = if delta == 0.0 { 1.0 } else { libm::exp(-delta * u) };
                let purchases = weight * self.intensity(x, age, u)?;
                panel.purchases += purchases;
                panel.discounted_purchases += purchases * discount;
                panel.discounted_alive_time += weight * discount * self.survival(x, age, u)?;
            }
            sum = panel;
        }
        Ok(sum)
    }

    /// Purchases expected in the next `horizon` given the customer's history: P(alive) times the residual purchases.
    ///
    /// # Errors
    /// As [`BgNbd::survival`].
    ///
    /// Source: equation 10.
    pub fn expected_purchases(&self, x: f64, t_x: f64, age: f64, horizon: f64) -> Result<f64, HypergeometricError> {
        Ok(self.p_alive(x, t_x, age) * self.residual(x, age, horizon, 0.0)?.purchases)
    }

    /// Predictions for every distinct history, residuals computed once for each distinct (frequency, age).
    ///
    /// * `days_per_unit`: days in a model time unit (7 for weeks), as in the fit.
    /// * `horizon`, `delta`: as in [`BgNbd::residual`].
    ///
    /// # Errors
    /// As [`BgNbd::survival`], for the first history that has no value.
    pub fn predict(
        &self,
        summary: &Summary,
        days_per_unit: f64,
        horizon: f64,
        delta: f64,
    ) -> Result<Predictions, HypergeometricError> {
        Predictions::new(
            summary,
            days_per_unit,
            |x, t_x, age| self.p_alive(x, t_x, age),
            |x, age| self.residual(x, age, horizon, delta),
        )
    }
}

impl Predictions {
    /// Both functions for every distinct history, the residual once for each distinct (frequency, age).
    ///
    /// * `p_alive`: of frequency, recency and age in model time units. * `residual`: of frequency and age.
    pub(super) fn new(
        summary: &Summary,
        days_per_unit: f64,
        p_alive: impl Fn(f64, f64, f64) -> f64 + Sync,
        residual: impl Fn(f64, f64) -> Result<Residual, HypergeometricError> + Sync,
    ) -> Result<Self, HypergeometricError> {
        let histories: Vec<History> = summary.iter().map(|(history, _)| history).collect();
        let time = |days: u32| f64::from(days) / days_per_unit;
        let groups: Vec<&[History]> = histories.chunk_by(|l, r| l.frequency == r.frequency && l.age == r.age).collect();
        let residuals: Vec<Residual> = groups
            .par_iter()
            .map(|group| residual(f64::from(group[0].frequency), time(group[0].age)))
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<_, _>>()?;
        let residual =
            groups.iter().zip(&residuals).flat_map(|(group, &value)| std::iter::repeat_n(value, group.len())).collect();
        let p_alive =
            histories.par_iter().map(|h| p_alive(f64::from(h.frequency), time(h.recency), time(h.age))).collect();
        Ok(Self { p_alive, residual })
    }
}

/// The probability of having survived the chance to drop out at `t_x`, after silence from then to `T`.
///
/// `1 / (1 + odds · ((α+T)/(α+t_x))^{shape})`, through its logarithm so that it reaches 0 or 1 without overflow.
///
/// * `odds`: of dropping out at that chance, before the silence. * `shape`: `r+x`.
/// * `recency`, `age`: `t_x/α` and `T/α`.
pub(super) fn survived_last_chance(odds: f64, shape: f64, recency: f64, age: f64) -> f64 {
    let ln_odds_dead = libm::log(odds) + shape * (libm::log1p(age) - libm::log1p(recency));
    1.0 / (1.0 + libm::exp(ln_odds_dead))
}
