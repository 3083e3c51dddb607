//! Discounted purchases for ever (DERT) where a customer leaves after a purchase.
//!
//! Of a customer with phase rate `λ` and dropout probability `p` who is alive, the `i`-th purchase from now on is made with
//! probability `(1−p)^{i−1}` and comes after `ki − j` phases, `j` having passed: discounted at the rate `δ` it is worth
//! `z^{ki−j}` with `z = λ/(λ+δ)`. Summed over `i`, with `p ~ Beta(a, b)`,
//!
//! `D(λ) = z^{k−j} ₂F₁(1, b; a+b; z^k)`,
//!
//! and the expectation over `λ ~ Gamma(shape+j, scale)` is one integral. `k = 1`, `j = 0` are BG/NBD and MBG/NBD.
//!
//! Source: the probability generating function of the beta-geometric distribution, `₂F₁(1, b; a+b+1; z) a/(a+b)`, and the
//! Laplace transform of a sum of exponentials; for Pareto/NBD see Fader, Hardie & Lee, RFM and CLV (2005).

use super::bg_cnbd_k::BgCnbdK;
use super::pareto_nbd::ParetoNbd;
use super::purchase_model::{Dropout, PurchaseModel, WhileAlive};
use crate::numeric::hypergeometric::{HypergeometricError, gauss};
use crate::numeric::special::ln_gamma;

/// Steps of the trapezoidal rule in `ln λ`, for shapes up to 4 and, in standard deviations, above. The integrand is
/// analytic up to `π/2` off the real line, so the error is of order `e^{−π²/step}`, and `e^{−2π²/step²}` of a normal peak.
const STEP: f64 = 0.25;
const STEP_IN_DEVIATIONS: f64 = 0.5;
/// A term below this share of the sum ends it on its side.
const FORGOTTEN: f64 = 1e-18;

impl PurchaseModel {
    /// Discounted purchases expected for ever given the customer's history (DERT): P(alive) times
    /// [`PurchaseModel::residual_for_ever`].
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    /// * `delta`: continuous discount rate per model time unit, `>= 0`.
    ///
    /// # Errors
    /// [`HypergeometricError`] where the discount is so small that the sum of purchases does not converge.
    ///
    /// Source: Fader, Hardie & Lee, RFM and CLV, J. Marketing Research 42 (2005), 415–430.
    pub fn discounted_purchases_for_ever(
        &self,
        x: f64,
        t_x: f64,
        age: f64,
        delta: f64,
    ) -> Result<f64, HypergeometricError> {
        let p_alive = self.p_alive(x, t_x, age);
        if p_alive == 0.0 { Ok(0.0) } else { Ok(p_alive * self.residual_for_ever(x, t_x, age, delta)?) }
    }

    /// Discounted purchases expected for ever of a customer who is alive at `T`.
    ///
    /// It takes some milliseconds a customer, and seconds at parameters near the ends of a fit's range.
    ///
    /// The integral of the module's `D(λ)` by the trapezoidal rule in `ln λ`; for Pareto/NBD
    /// [`ParetoNbd::residual`]. Relative error below 1e-10. Without discounting it is `(a+b−1)/(a−1)`, infinite for
    /// `a <= 1`, and `(r+x)/(α+T) · (β+T)/(s−1)` for Pareto/NBD, infinite for `s <= 1`.
    ///
    /// # Errors
    /// As [`PurchaseModel::discounted_purchases_for_ever`].
    pub fn residual_for_ever(&self, x: f64, t_x: f64, age: f64, delta: f64) -> Result<f64, HypergeometricError> {
        let WhileAlive { r, alpha, phases, dropout } = self.while_alive();
        let (a, b) = match (self, dropout) {
            (Self::ParetoNbd(model), _) => return Ok(for_ever(model, x, age, delta)),
            (_, Dropout::AfterPurchase { a, b }) => (a, b + x),
            (_, Dropout::AnyTime { s, beta }) => {
                return Ok(for_ever(&ParetoNbd { r, alpha, s, beta }, x, age, delta));
            }
        };
        if delta == 0.0 {
            return Ok(if a > 1.0 { (a + b - 1.0) / (a - 1.0) } else { f64::INFINITY });
        }
        let passed = match self {
            Self::BgCnbdK(model @ BgCnbdK { .. }) => model.phases_passed(x as u32, t_x, age),
            _ => vec![1.0],
        };
        let total: f64 = passed.iter().sum();
        let mut sum = 0.0;
        for (j, weight) in (0..).zip(&passed) {
            let future = Future { k: phases, first: phases - j, a, b, delta };
            let shape = r + f64::from(phases) * x + f64::from(j);
            sum += weight / total * future.expected(shape, alpha + age)?;
        }
        Ok(sum)
    }
}

fn for_ever(model: &ParetoNbd, x: f64, age: f64, delta: f64) -> f64 {
    model.residual(x, age, f64::INFINITY, delta).discounted_purchases
}

/// All purchases to come of a customer whose phase rate is known.
struct Future {
    k: u32,
    /// Phases to the first purchase.
    first: u32,
    a: f64,
    b: f64,
    delta: f64,
}

impl Future {
    /// `z^{first} ₂F₁(1, b; a+b; z^k)`, by Pfaff's transformation, whose argument keeps its digits where `z^k` is near 1.
    fn given(&self, rate: f64) -> Result<f64, HypergeometricError> {
        let Self { k, first, a, b, delta } = *self;
        let ln_z = -libm::log1p(delta / rate);
        let missing = -libm::expm1(f64::from(k) * ln_z);
        let kept = libm::exp(f64::from(k) * ln_z);
        // Where z vanishes, only the first purchase counts.
        let beyond = if kept == 0.0 { 1.0 } else { gauss(1.0, a, a + b, -kept / missing)? / missing };
        Ok(libm::exp(f64::from(first) * ln_z) * beyond)
    }

    /// Its expectation over rates `Gamma(shape, scale)`, in `u` with `λ = shape/scale e^u`.
    fn expected(&self, shape: f64, scale: f64) -> Result<f64, HypergeometricError> {
        let step = STEP.min(STEP_IN_DEVIATIONS / libm::sqrt(shape));
        let ln_front = shape * libm::log(shape) - ln_gamma(shape);
        let height = |u: f64| -> Result<f64, HypergeometricError> {
            let (rate, ln_weight) = (shape / scale * libm::exp(u), ln_front + shape * (u - libm::exp(u)));
            if rate == 0.0 { Ok(0.0) } else { Ok(libm::exp(ln_weight) * self.given(rate)?) }
        };
        let mut sum = height(0.0)?;
        for direction in [step, -step] {
            for n in 1_u32.. {
                let term = height(direction * f64::from(n))?;
                sum += term;
                if term <= FORGOTTEN * sum {
                    break;
                }
            }
        }
        Ok(step * sum)
    }
}
