//! Shifted beta-geometric lifetimes: one chance to leave each period, taken with a probability that differs between
//! customers.
//!
//! A customer leaves at every chance with the same probability `θ ~ Beta(α, β)`. Who has survived `n` chances has
//! `θ ~ Beta(α, β+n)`: the leavers leave, so retention rises although nobody changes. This is the sBG model of contracts
//! and the dropout of [`BgBb`](super::bg_bb::BgBb).
//!
//! Source: Fader & Hardie, How to Project Customer Retention, Journal of Interactive Marketing 21 (2007), 76–90.

use crate::numeric::discounting::Timing;
use crate::numeric::hypergeometric::{HypergeometricError, gauss};
use crate::numeric::special::ln_beta_rise;
use crate::numeric::sums::Compensated;
use serde::{Deserialize, Serialize};

/// Parameters of the shifted beta-geometric distribution, both `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShiftedBetaGeometric {
    /// First shape of the beta distribution of the probability to leave.
    pub alpha: f64,
    /// Second shape of that distribution.
    pub beta: f64,
}

/// How many periods a sum over the future takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Horizon {
    /// So many, the first one included.
    Periods(u32),
    /// All.
    Forever,
}

/// A sum over the future that has no value.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum DiscountError {
    /// A discount rate that is negative or not finite.
    #[error("the discount rate per period is {rate}: it must be finite and not negative")]
    Rate {
        /// The rate.
        rate: f64,
    },
    /// Without discounting, the sum over all periods is infinite.
    #[error("the expected lifetime is infinite: discount it or limit the horizon")]
    Infinite,
    /// Without discounting, the sum over all periods has no bound that tells when it is complete.
    #[error("the sum over all periods needs a positive discount rate: discount it or limit the horizon")]
    Undiscounted,
    /// The discount rate is so small that the sum over all periods was not finished.
    #[error("the sum over all periods did not converge within {periods}: limit the horizon")]
    NotConverged {
        /// Periods summed.
        periods: u32,
    },
    /// The closed form has no value.
    #[error("the sum over all periods has no value: {0}")]
    ClosedForm(#[from] HypergeometricError),
}

/// What a beta distribution of probabilities becomes at the ends of its parameters' range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BetaLimit {
    /// Probability 0 for everybody.
    Zero,
    /// Probability 1 for everybody.
    One,
    /// The same probability for everybody (both shapes infinite).
    Equal,
    /// Probability 0 for some, 1 for the others (both shapes 0).
    ZeroOrOne,
}

/// Periods after which a sum over all of them is given up.
pub(super) const MOST_PERIODS: u32 = 4_000_000;

/// Odds beyond this factor are a probability of 0 or 1.
const LN_EXTREME_ODDS: f64 = 6.9;

/// The limit of a beta distribution whose shapes have gone to the ends of their range, if they have.
///
/// * `low`, `high`: which of the two shapes is at that end. * `ln_odds`: logarithm of their ratio.
pub(super) fn beta_limit(low: [bool; 2], high: [bool; 2], ln_odds: f64) -> Option<BetaLimit> {
    let any_high = high[0] || high[1];
    if low == [true; 2] {
        Some(BetaLimit::ZeroOrOne)
    } else if !(any_high || low[0] || low[1]) {
        None
    } else if ln_odds > LN_EXTREME_ODDS {
        Some(BetaLimit::One)
    } else if ln_odds < -LN_EXTREME_ODDS {
        Some(BetaLimit::Zero)
    } else {
        Some(if any_high { BetaLimit::Equal } else { BetaLimit::ZeroOrOne })
    }
}

/// The discount factor `1/(1+d)` of one period.
///
/// * `rate`: discount rate `d` per period, `>= 0`.
///
/// # Errors
/// [`DiscountError::Rate`].
pub(super) fn discount_factor(rate: f64) -> Result<f64, DiscountError> {
    if rate.is_finite() && rate >= 0.0 { Ok(1.0 / (1.0 + rate)) } else { Err(DiscountError::Rate { rate }) }
}

/// `Σ_{t=0}^{periods−1} S(t) factorᵗ` for falling `S` with `S(0) = 1`.
///
/// Ends early where all that is left could not change the sum, which bounds a long horizon by the discount rate.
///
/// * `retention`: `S(t+1)/S(t)` of `t`, in `[0, 1]`. * `factor`: in `(0, 1]`.
/// * Returns the sum and whether it is complete after that many periods even if the horizon is longer.
pub(super) fn discounted_sum(periods: u32, factor: f64, retention: impl Fn(u32) -> f64) -> (f64, bool) {
    // Compensated, because a slow decay leaves many terms below the last bit of the sum.
    let (mut term, mut sum) = (1.0, Compensated::default());
    for t in 0..periods {
        sum.add(term);
        term *= retention(t) * factor;
        let rest = term * f64::from(periods - t).min(1.0 / (1.0 - factor));
        if rest <= 0.25 * f64::EPSILON * sum.value() {
            return (sum.value(), true);
        }
    }
    (sum.value(), false)
}

/// The discount rate `e^δ − 1` from one time unit to the next.
pub(super) fn rate(timing: Timing) -> f64 {
    libm::expm1(timing.delta)
}

/// What all units to come are worth, one time unit apart, that a customer lives to see: `Σ_{j≥1} S(j) f(t_j)`.
///
/// Ends where all that is left could not change the sum.
///
/// * `first`: time to the first of them. * `retention`: `S(j)/S(j−1)` of `j`, in `[0, 1]`.
///
/// # Errors
/// [`DiscountError`]; [`DiscountError::Undiscounted`] without a rate.
pub(super) fn units_for_ever(first: f64, timing: Timing, retention: impl Fn(u32) -> f64) -> Result<f64, DiscountError> {
    let kept = discount_factor(rate(timing))?;
    if kept >= 1.0 {
        return Err(DiscountError::Undiscounted);
    }
    let (mut survival, mut sum) = (1.0, Compensated::default());
    let (mut factor, mut until) = (0.0, f64::NEG_INFINITY);
    for unit in 1..=MOST_PERIODS {
        survival *= retention(unit);
        let t = first + f64::from(unit - 1);
        if t > until {
            factor = timing.factor(t);
            until = timing.periods().map_or(t, |periods| periods.span(periods.until(t).max(1), f64::INFINITY).1);
            // No later unit is worth more than what a continuous rate makes of this one's time.
            let rest = survival * libm::exp(-timing.delta * t) / (1.0 - kept);
            if rest <= 0.25 * f64::EPSILON * sum.value() {
                return Ok(sum.value());
            }
        }
        sum.add(survival * factor);
    }
    Err(DiscountError::NotConverged { periods: MOST_PERIODS })
}

impl ShiftedBetaGeometric {
    /// The probability of surviving `t` chances to leave, `S(t) = B(α, β+t)/B(α, β)`.
    #[must_use]
    pub fn survival(&self, t: u32) -> f64 {
        libm::exp(ln_beta_rise(self.alpha, self.beta, t))
    }

    /// The share of customers who survive chance `t` among those who survived the one before it,
    /// `r(t) = (β+t−1)/(α+β+t−1)`; 1 for `t = 0`.
    #[must_use]
    pub fn retention(&self, t: u32) -> f64 {
        if t == 0 {
            return 1.0;
        }
        let survived = self.beta + f64::from(t - 1);
        survived / (self.alpha + survived)
    }

    /// The distribution of what is left for a customer who survived `n` chances: `β+n` for `β`.
    #[must_use]
    pub fn after(&self, n: u32) -> Self {
        Self { alpha: self.alpha, beta: self.beta + f64::from(n) }
    }

    /// The probability that a customer who survived `n` chances survives another `t`, `S(n+t)/S(n)`.
    #[must_use]
    pub fn survival_after(&self, n: u32, t: u32) -> f64 {
        self.after(n).survival(t)
    }

    /// Expected discounted lifetime (DEL) of a new customer: `Σ_{t≥0} S(t)/(1+d)^t`, the first period certain and undiscounted.
    ///
    /// For ever it is `₂F₁(1, β; α+β; 1/(1+d))`, and `(α+β−1)/(α−1)` without discounting.
    ///
    /// * `horizon`: periods in the sum. * `rate`: discount rate `d` per period, `>= 0`.
    ///
    /// # Errors
    /// [`DiscountError`]; [`DiscountError::Infinite`] for ever without discounting where `α <= 1`.
    ///
    /// Source: Fader & Hardie, Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity,
    /// Marketing Science 29 (2010), 85–93.
    pub fn discounted_lifetime(&self, horizon: Horizon, rate: f64) -> Result<f64, DiscountError> {
        let Self { alpha, beta } = *self;
        let factor = discount_factor(rate)?;
        match horizon {
            Horizon::Periods(periods) => Ok(discounted_sum(periods, factor, |t| self.retention(t + 1)).0),
            Horizon::Forever if factor < 1.0 => Ok(gauss(1.0, beta, alpha + beta, factor)?),
            Horizon::Forever if alpha > 1.0 => Ok((alpha + beta - 1.0) / (alpha - 1.0)),
            Horizon::Forever => Err(DiscountError::Infinite),
        }
    }

    /// Expected discounted residual lifetime (DERL) of a customer who renewed `renewals` times, right before the next
    /// renewal: `Σ_{j≥1} S(n+j)/S(n) · (1+d)^{−(j−1)}`.
    ///
    /// For ever it is `r(n+1) · ₂F₁(1, β+n+1; α+β+n+1; 1/(1+d))`. The payment due at the next renewal counts in full
    /// where it is made; seen from the day after the last renewal, all is worth `1/(1+d)` of it.
    ///
    /// * `horizon`: periods in the sum, the one that begins with the next renewal first. * `rate`: as above.
    ///
    /// # Errors
    /// As [`ShiftedBetaGeometric::discounted_lifetime`].
    ///
    /// Source: Fader & Hardie (2010), whose customer in period `n` has renewed `n−1` times.
    pub fn residual_lifetime(&self, renewals: u32, horizon: Horizon, rate: f64) -> Result<f64, DiscountError> {
        let next = renewals.saturating_add(1);
        Ok(self.retention(next) * self.after(next).discounted_lifetime(horizon, rate)?)
    }
}
