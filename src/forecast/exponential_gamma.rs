//! Exponential-gamma lifetimes (Lomax, Pareto of the second kind): customers leave at any time, at a rate that differs
//! between them.
//!
//! A customer leaves at rate `λ ~ Gamma(r, α)`, the same for as long as it stays. Who has stayed until `T` has
//! `λ ~ Gamma(r, α+T)`: the leavers leave, so the rate falls although nobody changes. This is the continuous-time twin of
//! [`ShiftedBetaGeometric`](super::beta_geometric::ShiftedBetaGeometric), and the dropout of Pareto/NBD.
//!
//! Source: Morrison & Schmittlein, Jobs, Strikes, and Wars: Probability Models for Duration, Organizational Behavior and
//! Human Performance 25 (1980), 224–251; Hardie & Fader, Applied Probability Models in Marketing Research (2005).

use super::beta_geometric::DiscountError;
use crate::numeric::quadrature::{Rule, doubling_panels};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Order of the quadrature on one panel, as for BG/NBD.
static PANEL: LazyLock<Rule<16>> = LazyLock::new(Rule::legendre);

/// What is discounted or has decayed by more than `e^{−60}` is below any digit of what comes before it.
const FORGOTTEN: f64 = 60.0;

/// Parameters of the exponential-gamma distribution, both `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExponentialGamma {
    /// Shape of the gamma distribution of rates to leave.
    pub r: f64,
    /// Rate of that distribution, in model time units.
    pub alpha: f64,
}

/// A sum over the future of continuous time needs a rate that is not negative.
pub(super) fn check_delta(delta: f64) -> Result<(), DiscountError> {
    if delta.is_finite() && delta >= 0.0 { Ok(()) } else { Err(DiscountError::Rate { rate: delta }) }
}

impl ExponentialGamma {
    /// The probability of staying for longer than `t`, `S(t) = (α/(α+t))^r`.
    #[must_use]
    pub fn survival(&self, t: f64) -> f64 {
        libm::exp(-self.r * libm::log1p(t / self.alpha))
    }

    /// The rate at which customers who stayed until `t` leave, `h(t) = r/(α+t)`.
    #[must_use]
    pub fn hazard(&self, t: f64) -> f64 {
        self.r / (self.alpha + t)
    }

    /// The distribution of what is left for a customer who stayed until `age`: `α+T` for `α`.
    #[must_use]
    pub fn after(&self, age: f64) -> Self {
        Self { r: self.r, alpha: self.alpha + age }
    }

    /// The probability that a customer who stayed until `age` stays for another `u`, `S(T+u)/S(T)`; with `u = 1` the
    /// retention curve.
    #[must_use]
    pub fn survival_after(&self, age: f64, u: f64) -> f64 {
        self.after(age).survival(u)
    }

    /// The time after `age` beyond which a customer stays with probability `share`: `(α+T)(share^{−1/r} − 1)`.
    ///
    /// * `share`: in `(0, 1]`; ½ for the median residual lifetime.
    #[must_use]
    pub fn residual_quantile(&self, age: f64, share: f64) -> f64 {
        (self.alpha + age) * libm::expm1(-libm::log(share) / self.r)
    }

    /// Expected discounted residual lifetime of a customer who stayed until `age`: `∫ S(T+u)/S(T) e^{−δu} du` up to the
    /// horizon, what one unit a time unit paid while the customer stays is worth.
    ///
    /// Without discounting it is `(α+T) ln(1+h/(α+T)) · (e^z − 1)/z` with `z = (1−r) ln(1+h/(α+T))`, smooth through
    /// `r = 1`, and for ever `(α+T)/(r−1)`. Discounted for ever it is `(α+T) Ψ(1, 2−r; δ(α+T))` with the confluent
    /// hypergeometric function of the second kind; the discounted integrals are taken by Gauss–Legendre on panels that
    /// double, up to `δu = 60`, with a relative error below 1e-12.
    ///
    /// * `horizon`: model time units, `>= 0`; infinity for ever. * `delta`: continuous discount rate, `>= 0`.
    ///
    /// # Errors
    /// [`DiscountError::Rate`]; [`DiscountError::Infinite`] for ever without discounting where `r <= 1`.
    pub fn residual_lifetime(&self, age: f64, horizon: f64, delta: f64) -> Result<f64, DiscountError> {
        check_delta(delta)?;
        let left = self.after(age);
        let found = if delta == 0.0 { left.lifetime(horizon) } else { left.discounted_lifetime(horizon, delta) };
        if found == f64::INFINITY { Err(DiscountError::Infinite) } else { Ok(found) }
    }

    /// `∫ S(u) du` up to the horizon; infinite for ever where `r <= 1`.
    pub(super) fn lifetime(&self, horizon: f64) -> f64 {
        let Self { r, alpha } = *self;
        if horizon == f64::INFINITY {
            return if r > 1.0 { alpha / (r - 1.0) } else { f64::INFINITY };
        }
        let widened = libm::log1p(horizon / alpha);
        let z = (1.0 - r) * widened;
        let mean_factor = if z == 0.0 { 1.0 } else { libm::expm1(z) / z };
        alpha * widened * mean_factor
    }

    /// `∫ S(u) e^{−δu} du` up to the horizon, for `δ > 0`.
    pub(super) fn discounted_lifetime(&self, horizon: f64, delta: f64) -> f64 {
        let Self { r, alpha } = *self;
        // The integrand changes over the distance to its singularity, over the time to leave, or over 1/δ.
        let first = (2.0 * alpha).min(4.0 * alpha / r).min(4.0 / delta);
        let height = |u: f64| libm::exp(-delta * u - r * libm::log1p(u / alpha));
        doubling_panels(first, horizon.min(FORGOTTEN / delta))
            .map(|(from, to)| PANEL.on(from, to).map(|(u, weight)| weight * height(u)).sum::<f64>())
            .sum()
    }
}
