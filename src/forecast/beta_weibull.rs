//! Beta-discrete-Weibull (`BdW`) lifetimes: sBG where the probability to leave may also change as a customer stays.
//!
//! A customer survives `t` chances to leave with probability `(1−θ)^{t^c}`, `θ ~ Beta(α, β)`. With `c = 1` that is sBG;
//! with `c > 1` everybody becomes more likely to leave with time, with `c < 1` less likely.
//!
//! Source: Fader, Hardie, Liu, Davin & Steenburgh, "How to Project Customer Retention" Revisited: The Role of Duration
//! Dependence, Journal of Interactive Marketing 43 (2018), 1–16.

use super::beta_geometric::{DiscountError, Horizon, MOST_PERIODS, discount_factor, discounted_sum};
use crate::numeric::special::ln_beta_shift;
use serde::{Deserialize, Serialize};

/// Parameters of the beta-discrete-Weibull distribution, all `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BetaDiscreteWeibull {
    /// First shape of the beta distribution of the probability to leave at the first chance.
    pub alpha: f64,
    /// Second shape of that distribution.
    pub beta: f64,
    /// Duration dependence: 1 without.
    pub c: f64,
}

/// `from^c` and `to^c − from^c` for `from <= to`, the difference without cancellation.
pub(super) fn power_step(from: u32, to: u32, c: f64) -> (f64, f64) {
    let power = |t: u32| if t == 0 { 0.0 } else { libm::exp(c * libm::log(f64::from(t))) };
    if from == 0 {
        return (0.0, power(to));
    }
    let before = power(from);
    (before, before * libm::expm1(c * libm::log1p(f64::from(to - from) / f64::from(from))))
}

impl BetaDiscreteWeibull {
    /// The probability of surviving `t` chances to leave, `S(t) = B(α, β+t^c)/B(α, β)`.
    #[must_use]
    pub fn survival(&self, t: u32) -> f64 {
        let (_, power) = power_step(0, t, self.c);
        libm::exp(ln_beta_shift(self.alpha, self.beta, power))
    }

    /// The share of customers who survive chance `t` among those who survived the one before it,
    /// `r(t) = S(t)/S(t−1)`; 1 for `t = 0`.
    #[must_use]
    pub fn retention(&self, t: u32) -> f64 {
        let (before, step) = power_step(t.saturating_sub(1), t, self.c);
        libm::exp(ln_beta_shift(self.alpha, self.beta + before, step))
    }

    /// The probability that a customer who survived `n` chances survives another `t`, `S(n+t)/S(n)`.
    #[must_use]
    pub fn survival_after(&self, n: u32, t: u32) -> f64 {
        let (before, step) = power_step(n, n.saturating_add(t), self.c);
        libm::exp(ln_beta_shift(self.alpha, self.beta + before, step))
    }

    /// Expected discounted lifetime of a new customer: `Σ_{t≥0} S(t)/(1+d)^t`, the first period certain and undiscounted.
    ///
    /// For ever it is summed until what is left cannot change it.
    ///
    /// * `horizon`: periods in the sum. * `rate`: discount rate `d` per period, `>= 0`; `> 0` for ever.
    ///
    /// # Errors
    /// [`DiscountError`].
    pub fn discounted_lifetime(&self, horizon: Horizon, rate: f64) -> Result<f64, DiscountError> {
        self.discounted_from(0, horizon, rate)
    }

    /// Expected discounted residual lifetime of a customer who renewed `renewals` times, right before the next renewal:
    /// `Σ_{j≥1} S(n+j)/S(n) · (1+d)^{−(j−1)}`.
    ///
    /// * `horizon`: periods in the sum, the one that begins with the next renewal first. * `rate`: as above.
    ///
    /// # Errors
    /// [`DiscountError`].
    pub fn residual_lifetime(&self, renewals: u32, horizon: Horizon, rate: f64) -> Result<f64, DiscountError> {
        let next = renewals.saturating_add(1);
        Ok(self.retention(next) * self.discounted_from(next, horizon, rate)?)
    }

    /// `Σ_{j≥0} S(n+j)/S(n) · (1+d)^{−j}` after `n` chances.
    fn discounted_from(&self, n: u32, horizon: Horizon, rate: f64) -> Result<f64, DiscountError> {
        let factor = discount_factor(rate)?;
        let retention = |t: u32| self.retention(n.saturating_add(t).saturating_add(1));
        match horizon {
            Horizon::Periods(periods) => Ok(discounted_sum(periods, factor, retention).0),
            Horizon::Forever if factor < 1.0 => match discounted_sum(MOST_PERIODS, factor, retention) {
                (sum, true) => Ok(sum),
                (_, false) => Err(DiscountError::NotConverged { periods: MOST_PERIODS }),
            },
            Horizon::Forever => Err(DiscountError::Undiscounted),
        }
    }
}
