//! Weibull-gamma lifetimes (Burr of the twelfth kind): exponential-gamma where a customer's rate to leave may also change as
//! it stays.
//!
//! A customer stays for longer than `t` with probability `e^{−λ t^c}`, `λ ~ Gamma(r, α)`. With `c = 1` that is
//! [`ExponentialGamma`](super::exponential_gamma::ExponentialGamma); with `c > 1` everybody becomes more likely to leave
//! with time, with `c < 1` less likely.
//!
//! Source: Morrison & Schmittlein, Jobs, Strikes, and Wars: Probability Models for Duration, Organizational Behavior and
//! Human Performance 25 (1980), 224–251; Hardie & Fader, Applied Probability Models in Marketing Research (2005).

use super::beta_geometric::DiscountError;
use super::exponential_gamma::check_delta;
use crate::numeric::quadrature::Rule;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

static PANEL: LazyLock<Rule<16>> = LazyLock::new(Rule::legendre);

/// A probability to have left below this is none.
const NOBODY: f64 = 1e-17;
/// Of an age that so few reach in leaving, `T^c/(α+T^c)`, nothing is taken away that holds a digit.
const NEARLY_NOBODY: f64 = 1e-200;
/// A share below this is no digit of a sum.
const NOTHING: f64 = 1e-17;
const FOREVER: f64 = f64::INFINITY;
/// From `t^c > e^{40} α` on, survival is a power of time to all digits.
const POWER_TAIL: f64 = 40.0;

/// Parameters of the Weibull-gamma distribution, all `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeibullGamma {
    /// Shape of the gamma distribution of rates to leave.
    pub r: f64,
    /// Rate of that distribution, in model time units to the power `c`.
    pub alpha: f64,
    /// Duration dependence: 1 without.
    pub c: f64,
}

/// `ln(1 + e^z)` and its derivative `1/(1 + e^{−z})`.
pub(super) fn softplus(z: f64) -> (f64, f64) {
    let small = libm::exp(-z.abs());
    let slope = if z >= 0.0 { 1.0 } else { small } / (1.0 + small);
    (z.max(0.0) + libm::log1p(small), slope)
}

impl WeibullGamma {
    /// `ln(t^c/α)`.
    fn z(&self, t: f64) -> f64 {
        self.c * libm::log(t) - libm::log(self.alpha)
    }

    /// `−ln S(t)`, and `t h(t)`.
    fn fall(&self, t: f64) -> (f64, f64) {
        let (level, slope) = softplus(self.z(t));
        (self.r * level, self.r * self.c * slope)
    }

    /// The probability of staying for longer than `t`, `S(t) = (α/(α+t^c))^r`.
    #[must_use]
    pub fn survival(&self, t: f64) -> f64 {
        libm::exp(-self.fall(t).0)
    }

    /// The rate at which customers who stayed until `t > 0` leave, `h(t) = r c t^{c−1}/(α+t^c)`.
    #[must_use]
    pub fn hazard(&self, t: f64) -> f64 {
        self.fall(t).1 / t
    }

    /// The probability that a customer who stayed until `age` stays for another `u`, `S(T+u)/S(T)`; with `u = 1` the
    /// retention curve.
    #[must_use]
    pub fn survival_after(&self, age: f64, u: f64) -> f64 {
        let (_, share) = softplus(self.z(age));
        if share < NEARLY_NOBODY {
            return libm::exp(self.fall(age).0 - self.fall(age + u).0);
        }
        // ((α + (T+u)^c)/(α + T^c)): the rise of T^c without cancellation.
        let rise = libm::expm1(self.c * libm::log1p(u / age));
        libm::exp(-self.r * libm::log1p(share * rise))
    }

    /// The time after `age` beyond which a customer stays with probability `share`:
    /// `((α+T^c) share^{−1/r} − α)^{1/c} − T`.
    ///
    /// * `share`: in `(0, 1]`; ½ for the median residual lifetime.
    #[must_use]
    pub fn residual_quantile(&self, age: f64, share: f64) -> f64 {
        self.residual_quantile_at(age, -libm::log(share))
    }

    /// The same, by `−ln` of the share.
    fn residual_quantile_at(&self, age: f64, fall: f64) -> f64 {
        let growth = libm::expm1(fall / self.r);
        let (_, share) = softplus(self.z(age));
        if share < NEARLY_NOBODY {
            return (libm::exp((libm::log(self.alpha) + libm::log(growth)) / self.c) - age).max(0.0);
        }
        age * libm::expm1(libm::log1p(growth / share) / self.c)
    }

    /// Expected discounted residual lifetime of a customer who stayed until `age`: `∫ S(T+u)/S(T) e^{−δu} du` up to the
    /// horizon, what one unit a time unit paid while the customer stays is worth.
    ///
    /// By Gauss–Legendre over `ln t`, in panels over which neither the survival nor the discount falls by more than a few
    /// powers of e, up to where what is left is no digit of the sum (undiscounted for ever: up to where survival is a power
    /// of time, whose rest is `t S(t)/(rc − 1)`); relative error below 1e-12. For a new customer, for ever and undiscounted,
    /// it is `α^{1/c} Γ(1+1/c) Γ(r−1/c)/Γ(r)`.
    ///
    /// * `horizon`: model time units, `>= 0`; infinity for ever. * `delta`: continuous discount rate, `>= 0`.
    ///
    /// # Errors
    /// [`DiscountError::Rate`]; [`DiscountError::Infinite`] for ever without discounting where `r c <= 1`.
    pub fn residual_lifetime(&self, age: f64, horizon: f64, delta: f64) -> Result<f64, DiscountError> {
        check_delta(delta)?;
        let for_ever = horizon == FOREVER;
        if for_ever && delta == 0.0 && self.r * self.c <= 1.0 {
            return Err(DiscountError::Infinite);
        }
        let start = if age > 0.0 { age } else { self.nobody_leaves_before().min(horizon) };
        let before = start - age;
        let annuity = |u: f64| if delta == 0.0 { u } else { -libm::expm1(-delta * u) / delta };
        let mut sum = annuity(before);
        let fallen = self.fall(start).0;
        // Time is `start e^y`, so that a horizon which is short against the age keeps its digits.
        let after = |y: f64| before + start * libm::expm1(y);
        let height = |y: f64| libm::exp(fallen - self.fall(start * libm::exp(y)).0 - delta * after(y));
        let (mut from, end) = (0.0, libm::log1p((horizon - before) / start));
        while from < end {
            let t = start * libm::exp(from);
            let (fall, falling) = self.fall(t);
            let left = fallen - fall - delta * after(from);
            // What is left is bounded by the time left, by the discount, and by a power of time: `t h(t)` rises.
            let rest =
                (horizon - after(from)).min(1.0 / delta).min(if falling > 1.0 { t / (falling - 1.0) } else { FOREVER });
            if libm::exp(left) * rest < NOTHING * sum {
                break;
            }
            if for_ever && delta == 0.0 && self.z(t) > POWER_TAIL {
                return Ok(sum + t * libm::exp(left) / (self.r * self.c - 1.0));
            }
            let width = (1.0_f64).min(1.0 / self.c).min(3.0 / falling).min(3.0 / (delta * t));
            let to = end.min(from + width);
            sum += PANEL.on(from, to).map(|(y, weight)| weight * start * libm::exp(y) * height(y)).sum::<f64>();
            from = to;
        }
        Ok(sum)
    }

    /// A time up to which a new customer leaves with a probability that is no digit of 1.
    fn nobody_leaves_before(&self) -> f64 {
        self.residual_quantile_at(0.0, NOBODY).max(f64::MIN_POSITIVE)
    }
}
