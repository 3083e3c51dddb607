//! MBG/NBD: BG/NBD where a customer may also drop out right after the first purchase.
//!
//! While alive a customer buys at rate `λ ~ Gamma(r, α)`; after **each** purchase, the first one included, the customer
//! drops out with probability `p ~ Beta(a, b)`. So customers who bought once can be gone, which BG/NBD rules out.
//!
//! Compared with BG/NBD every customer has survived one chance more (or one chance more may have been the last): given
//! being alive at `T`, `λ ~ Gamma(r+x, α+T)` and `p ~ Beta(a, b+x+1)`. The future of a customer who is alive is
//! therefore that of BG/NBD with `b+1` in place of `b` ([`MbgNbd::while_alive`]), which can also be handed to
//! [`simulate`](super::simulate::simulate) together with this model's P(alive).
//!
//! Source: Batislam, Denizel & Filiztekin, Empirical validation and comparison of models for customer base analysis,
//! International Journal of Research in Marketing 24 (2007), 201–209; Hoppe & Wagner, Customer base analysis: the case
//! for a central variant of the Betageometric/NBD model, Marketing JRM 29 (2007), 75–90.

use super::bg_nbd::{BgNbd, Predictions, Residual, survived_last_chance};
use super::bg_nbd_fit::Family;
use super::fit::{Fit, LimitModel};
use super::summary::Summary;
use crate::numeric::hypergeometric::HypergeometricError;
use crate::numeric::newton::Evaluation;
use serde::{Deserialize, Serialize};

/// The first chance to drop out comes right after the first purchase.
pub(super) const MBG_NBD: Family = Family {
    model: "MBG/NBD",
    chances_before_repeat: 1,
    at_once_or_never: LimitModel::LeaveAtFirstChanceOrNever,
    at_once: LimitModel::LeaveAtFirstChance,
};

/// Parameters of MBG/NBD, all `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MbgNbd {
    /// Shape of the gamma distribution of purchase rates.
    pub r: f64,
    /// Rate of that distribution, in model time units.
    pub alpha: f64,
    /// First shape of the beta distribution of dropout probabilities.
    pub a: f64,
    /// Second shape of that distribution.
    pub b: f64,
}

impl MbgNbd {
    /// Fit by maximum likelihood to the counts of equal histories.
    ///
    /// Damped Newton on `(ln r, ln α, ln a, ln b)` with the analytic Hessian of
    ///
    /// `L = Γ(r+x)/Γ(r) · α^r/(α+T)^{r+x} · B(a, b+x+1)/B(a, b) · [1 + a/(b+x) ((α+T)/(α+t_x))^{r+x}]`,
    ///
    /// a density per model time unit, so another unit shifts its logarithm by `Σx ln` of the ratio.
    ///
    /// * `days_per_unit`: days in a model time unit (7 for weeks), `> 0`; `α` is in that unit.
    ///
    /// The returned [`Fit`] says how it ended: `Failed` without any repeat purchase, `Boundary` where the likelihood
    /// rises towards a simpler model (NBD where nobody drops out; leaving after the first purchase or never).
    ///
    /// Source: Batislam, Denizel & Filiztekin (2007).
    #[must_use]
    pub fn fit(summary: &Summary, days_per_unit: f64) -> Fit<Self> {
        MBG_NBD.fit(summary, days_per_unit, |[r, alpha, a, b]| Self { r, alpha, a, b })
    }

    /// Log-likelihood of the counts at these parameters.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    #[must_use]
    pub fn log_likelihood(&self, summary: &Summary, days_per_unit: f64) -> f64 {
        Self::evaluation(summary, days_per_unit, &[self.r, self.alpha, self.a, self.b].map(libm::log)).value
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `r, α, a, b`, at those logarithms.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    #[must_use]
    pub fn evaluation(summary: &Summary, days_per_unit: f64, ln: &[f64; 4]) -> Evaluation<4> {
        MBG_NBD.evaluation(summary, days_per_unit, ln)
    }

    /// The BG/NBD whose customer with the same frequency and age has the same future, both being alive: `b+1` for `b`.
    ///
    /// Its P(alive) is not this model's.
    #[must_use]
    pub fn while_alive(&self) -> BgNbd {
        BgNbd { r: self.r, alpha: self.alpha, a: self.a, b: self.b + 1.0 }
    }

    /// The probability that a customer is still alive at `T`; below 1 without a repeat purchase, too.
    ///
    /// `1 / (1 + a/(b+x) · ((α+T)/(α+t_x))^{r+x})`; for a new customer (`x = T = 0`) that is `b/(a+b)`.
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    ///
    /// Source: Batislam, Denizel & Filiztekin (2007).
    #[must_use]
    pub fn p_alive(&self, x: f64, t_x: f64, age: f64) -> f64 {
        survived_last_chance(self.a / (self.b + x), self.r + x, t_x / self.alpha, age / self.alpha)
    }

    /// The probability that a customer who is alive at `T` still is after another `u`; as [`BgNbd::survival`].
    ///
    /// # Errors
    /// [`HypergeometricError`] where `u` exceeds `α+T` some hundred-thousandfold.
    pub fn survival(&self, x: f64, age: f64, u: f64) -> Result<f64, HypergeometricError> {
        self.while_alive().survival(x, age, u)
    }

    /// Purchases per time unit expected at `u` after `T`, for a customer who is alive at `T`; as [`BgNbd::intensity`].
    ///
    /// # Errors
    /// As [`MbgNbd::survival`].
    pub fn intensity(&self, x: f64, age: f64, u: f64) -> Result<f64, HypergeometricError> {
        self.while_alive().intensity(x, age, u)
    }

    /// What is left until the horizon for a customer who is alive at `T`; as [`BgNbd::residual`].
    ///
    /// * `horizon`: model time units, `>= 0`. * `delta`: continuous discount rate per model time unit, `>= 0`.
    ///
    /// # Errors
    /// As [`MbgNbd::survival`].
    pub fn residual(&self, x: f64, age: f64, horizon: f64, delta: f64) -> Result<Residual, HypergeometricError> {
        self.while_alive().residual(x, age, horizon, delta)
    }

    /// Purchases expected in the next `horizon` given the customer's history: P(alive) times the residual purchases.
    ///
    /// At `x = T = 0` these are the purchases expected of a new customer, first purchase not counted.
    ///
    /// # Errors
    /// As [`MbgNbd::survival`].
    ///
    /// Source: Batislam, Denizel & Filiztekin (2007), whose closed form is singular at `a = 1`; the integral is not.
    pub fn expected_purchases(&self, x: f64, t_x: f64, age: f64, horizon: f64) -> Result<f64, HypergeometricError> {
        Ok(self.p_alive(x, t_x, age) * self.residual(x, age, horizon, 0.0)?.purchases)
    }

    /// Predictions for every distinct history, residuals computed once for each distinct (frequency, age).
    ///
    /// * `days_per_unit`: days in a model time unit (7 for weeks), as in the fit.
    /// * `horizon`, `delta`: as in [`MbgNbd::residual`].
    ///
    /// # Errors
    /// As [`MbgNbd::survival`], for the first history that has no value.
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
