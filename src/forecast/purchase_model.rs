//! Whichever model of purchases and dropout a run uses, behind one face.
//!
//! The models differ in how a customer drops out. What they share is what a run asks of them: P(alive), what is left for
//! a customer who is alive, and how such a customer's future is drawn ([`WhileAlive`]).
//!
//! ```
//! use whalecurve::{forecast::{purchase_model::PurchaseModel, summary::Summary}, schema::settings::PurchaseKind};
//!
//! // Thirty customers with two purchases a week apart, thirty with one; in weeks.
//! let mut summary = Summary::new();
//! summary.insert(&[1; 30], &[7; 30], &[200; 30])?;
//! summary.insert(&[0; 30], &[0; 30], &[200; 30])?;
//! let ln_gaps: Vec<f64> = [7.0_f64.ln(); 30].into_iter().chain([0.0; 30]).collect();
//! for kind in PurchaseKind::ALL {
//!     let fit = PurchaseModel::fit(kind, &summary, &ln_gaps, 7.0);
//!     let model = fit.fitted()?;
//!     assert_eq!(model.kind(), kind);
//!     assert!(model.expected_purchases(1.0, 1.0, 28.0, 52.0)? < 1.0);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::bg_cnbd_k::{BgCnbdK, FirstDropout, Phases, cut_short};
use super::bg_nbd::{BgNbd, Predictions, Residual};
use super::fit::Fit;
use super::mbg_nbd::MbgNbd;
use super::pareto_nbd::ParetoNbd;
use super::summary::{History, Summary};
use crate::numeric::hypergeometric::HypergeometricError;
use crate::schema::settings::PurchaseKind;
use rayon::prelude::*;
use serde::Serialize;

/// Parameters of a model of purchases and dropout.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PurchaseModel {
    /// Dropout after a repeat purchase.
    BgNbd(BgNbd),
    /// Dropout after any purchase, the first one included.
    MbgNbd(MbgNbd),
    /// Dropout at any time.
    ParetoNbd(ParetoNbd),
    /// Purchases more regular than by chance; dropout as in one of the first two.
    BgCnbdK(BgCnbdK),
}

/// How the future of a customer who is alive at the day of the forecast goes on: what a simulation draws.
///
/// Phases come at rate `λ ~ Gamma(r+kx+j, α+T)` while the customer is alive, `j` of them since the last purchase; every
/// `k`-th ends with a purchase. With `k = 1` purchases come at rate `λ ~ Gamma(r+x, α+T)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WhileAlive {
    /// Shape of the gamma distribution of purchase rates before any history.
    pub r: f64,
    /// Rate of that distribution, in model time units.
    pub alpha: f64,
    /// Phases `k` between two purchases, `>= 1`; more than one with dropout after a purchase alone.
    pub phases: u32,
    /// How the customer leaves.
    pub dropout: Dropout,
}

/// How a customer who is alive leaves; parameters before any history, all `> 0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Dropout {
    /// After a purchase, with probability `p ~ Beta(a, b+x)`.
    AfterPurchase {
        /// First shape.
        a: f64,
        /// Second shape, before the customer's `x` survived chances are added.
        b: f64,
    },
    /// At any time, at rate `μ ~ Gamma(s, β+T)`.
    AnyTime {
        /// Shape.
        s: f64,
        /// Rate, in model time units.
        beta: f64,
    },
}

impl From<BgNbd> for PurchaseModel {
    fn from(model: BgNbd) -> Self {
        Self::BgNbd(model)
    }
}

impl From<MbgNbd> for PurchaseModel {
    fn from(model: MbgNbd) -> Self {
        Self::MbgNbd(model)
    }
}

impl From<ParetoNbd> for PurchaseModel {
    fn from(model: ParetoNbd) -> Self {
        Self::ParetoNbd(model)
    }
}

impl From<BgCnbdK> for PurchaseModel {
    fn from(model: BgCnbdK) -> Self {
        Self::BgCnbdK(model)
    }
}

impl PurchaseModel {
    /// Fits the model of this kind by maximum likelihood; see [`BgNbd::fit`], [`MbgNbd::fit`], [`ParetoNbd::fit`],
    /// [`BgCnbdK::fit`].
    ///
    /// * `ln_gaps`: for the models of regular purchases, as in [`BgCnbdK::fit`]; the others do not look at it.
    /// * `days_per_unit`: days in a model time unit (7 for weeks), `> 0`.
    #[must_use]
    pub fn fit(kind: PurchaseKind, summary: &Summary, ln_gaps: &[f64], days_per_unit: f64) -> Fit<Self> {
        let regular = |dropout| BgCnbdK::fit(summary, ln_gaps, days_per_unit, dropout).map(Self::BgCnbdK);
        match kind {
            PurchaseKind::BgNbd => BgNbd::fit(summary, days_per_unit).map(Self::BgNbd),
            PurchaseKind::MbgNbd => MbgNbd::fit(summary, days_per_unit).map(Self::MbgNbd),
            PurchaseKind::ParetoNbd => ParetoNbd::fit(summary, days_per_unit).map(Self::ParetoNbd),
            PurchaseKind::BgCnbdK => regular(FirstDropout::AfterRepeat),
            PurchaseKind::MbgCnbdK => regular(FirstDropout::AfterFirst),
        }
    }

    /// Fits the model of this kind, with a penalty where there is one; see [`PurchaseModel::fit`] and
    /// [`PurchaseModel::fit_penalised`].
    #[must_use]
    pub fn fit_as(
        kind: PurchaseKind,
        summary: &Summary,
        ln_gaps: &[f64],
        penalty: Option<f64>,
        days_per_unit: f64,
    ) -> Fit<Self> {
        match penalty {
            Some(penalty) => Self::fit_penalised(kind, summary, penalty, days_per_unit),
            None => Self::fit(kind, summary, ln_gaps, days_per_unit),
        }
    }

    /// Which model it is.
    #[must_use]
    pub fn kind(&self) -> PurchaseKind {
        match self {
            Self::BgNbd(_) => PurchaseKind::BgNbd,
            Self::MbgNbd(_) => PurchaseKind::MbgNbd,
            Self::ParetoNbd(_) => PurchaseKind::ParetoNbd,
            Self::BgCnbdK(BgCnbdK { dropout: FirstDropout::AfterRepeat, .. }) => PurchaseKind::BgCnbdK,
            Self::BgCnbdK(BgCnbdK { dropout: FirstDropout::AfterFirst, .. }) => PurchaseKind::MbgCnbdK,
        }
    }

    /// Continuous parameters in the order of the fit's names.
    #[must_use]
    pub fn parameters(&self) -> [f64; 4] {
        match *self {
            Self::BgNbd(BgNbd { r, alpha, a, b })
            | Self::MbgNbd(MbgNbd { r, alpha, a, b })
            | Self::BgCnbdK(BgCnbdK { r, alpha, a, b, .. }) => [r, alpha, a, b],
            Self::ParetoNbd(ParetoNbd { r, alpha, s, beta }) => [r, alpha, s, beta],
        }
    }

    /// The same model with other continuous parameters, in the order of [`PurchaseModel::parameters`].
    #[must_use]
    pub fn with_parameters(&self, [r, alpha, third, fourth]: [f64; 4]) -> Self {
        match *self {
            Self::BgNbd(_) => Self::BgNbd(BgNbd { r, alpha, a: third, b: fourth }),
            Self::MbgNbd(_) => Self::MbgNbd(MbgNbd { r, alpha, a: third, b: fourth }),
            Self::ParetoNbd(_) => Self::ParetoNbd(ParetoNbd { r, alpha, s: third, beta: fourth }),
            Self::BgCnbdK(model) => Self::BgCnbdK(BgCnbdK { r, alpha, a: third, b: fourth, ..model }),
        }
    }

    /// Expected purchases a unit of time of a customer who is alive at `T`: `(r + k x) / (α + T) / k`, `k` = 1 but for models of
    /// regular purchases.
    ///
    /// * `x`, `age`: as in [`PurchaseModel::p_alive`].
    #[must_use]
    pub fn rate_if_alive(&self, x: f64, age: f64) -> f64 {
        let ([r, alpha, ..], k) = (self.parameters(), f64::from(self.while_alive().phases));
        (r + k * x) / (alpha + age) / k
    }

    /// The probability that a customer is still alive at `T`.
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    #[must_use]
    pub fn p_alive(&self, x: f64, t_x: f64, age: f64) -> f64 {
        match self {
            Self::BgNbd(model) => model.p_alive(x, t_x, age),
            Self::MbgNbd(model) => model.p_alive(x, t_x, age),
            Self::ParetoNbd(model) => model.p_alive(x, t_x, age),
            Self::BgCnbdK(model) => model.p_alive(x as u32, t_x, age),
        }
    }

    /// What is left until the horizon for a customer who is alive at `T`.
    ///
    /// * `horizon`: model time units, `>= 0`. * `delta`: continuous discount rate per model time unit, `>= 0`.
    ///
    /// # Errors
    /// [`HypergeometricError`] as [`BgNbd::residual`]; never for Pareto/NBD and (M)BG/CNBD-k.
    pub fn residual(
        &self,
        x: f64,
        t_x: f64,
        age: f64,
        horizon: f64,
        delta: f64,
    ) -> Result<Residual, HypergeometricError> {
        match self {
            Self::BgNbd(model) => model.residual(x, age, horizon, delta),
            Self::MbgNbd(model) => model.residual(x, age, horizon, delta),
            Self::ParetoNbd(model) => Ok(model.residual(x, age, horizon, delta)),
            Self::BgCnbdK(model) => Ok(model.residual(x as u32, t_x, age, horizon, delta)),
        }
    }

    /// Purchases expected in the next `horizon` given the customer's history: P(alive) times the residual purchases.
    ///
    /// # Errors
    /// As [`PurchaseModel::residual`].
    pub fn expected_purchases(&self, x: f64, t_x: f64, age: f64, horizon: f64) -> Result<f64, HypergeometricError> {
        Ok(self.p_alive(x, t_x, age) * self.residual(x, t_x, age, horizon, 0.0)?.purchases)
    }

    /// Probabilities of `0, 1, 2, …` purchases in the next `horizon` of a customer who is alive at `T`, up to where what is
    /// left out has no digit in common with the rest.
    ///
    /// Under BG/NBD and MBG/NBD potential purchases `N` are negative binomial and end with the `K`-th, beta-geometric:
    /// `P(n) = P(N = n) P(K >= n) + P(N > n) P(K = n)`.
    #[must_use]
    pub fn purchase_probabilities(&self, x: f64, t_x: f64, age: f64, horizon: f64) -> Vec<f64> {
        let urn = |BgNbd { r, alpha, a, b }: BgNbd| {
            let mut potential: Vec<f64> = Vec::new();
            Phases { shape: r + x, odds: horizon / (alpha + age) }.visit(|n, probability| {
                if potential.len() <= n as usize {
                    potential.resize(n as usize + 1, 0.0);
                }
                potential[n as usize] = probability;
            });
            cut_short(&potential, a, b + x)
        };
        match *self {
            Self::BgNbd(model) => urn(model),
            Self::MbgNbd(model) => urn(model.while_alive()),
            Self::ParetoNbd(model) => model.purchase_probabilities(x, age, horizon),
            Self::BgCnbdK(model) => model.purchase_probabilities(x as u32, t_x, age, horizon),
        }
    }

    /// Purchases expected in the next `horizon` of a customer who is alive at `T`; cheaper than the whole residual.
    ///
    /// # Errors
    /// As [`PurchaseModel::residual`].
    pub fn purchases_while_alive(&self, x: f64, t_x: f64, age: f64, horizon: f64) -> Result<f64, HypergeometricError> {
        match self {
            Self::BgCnbdK(model) => Ok(model.residual_purchases(x as u32, t_x, age, horizon)),
            _ => Ok(self.residual(x, t_x, age, horizon, 0.0)?.purchases),
        }
    }

    /// P(alive) of every distinct history.
    ///
    /// * `days_per_unit`: days in a model time unit, as in the fit.
    #[must_use]
    pub fn predict_alive(&self, summary: &Summary, days_per_unit: f64) -> Vec<f64> {
        // One silence is shared among histories of equal frequency.
        if let Self::ParetoNbd(model) = self {
            return model.predict_alive(summary, days_per_unit);
        }
        let time = |days: u32| f64::from(days) / days_per_unit;
        let histories: Vec<History> = summary.iter().map(|(history, _)| history).collect();
        let alive = |h: &History| self.p_alive(f64::from(h.frequency), time(h.recency), time(h.age));
        histories.par_iter().map(alive).collect()
    }

    /// Whether recency matters for a customer who is alive.
    #[must_use]
    pub fn remembers_silence(&self) -> bool {
        matches!(self, Self::BgCnbdK(BgCnbdK { k: 2.., .. }))
    }

    /// Predictions for every distinct history.
    ///
    /// * `days_per_unit`: days in a model time unit, as in the fit.
    /// * `horizon`, `delta`: as in [`PurchaseModel::residual`].
    ///
    /// # Errors
    /// As [`PurchaseModel::residual`], for the first history that has no value.
    pub fn predict(
        &self,
        summary: &Summary,
        days_per_unit: f64,
        horizon: f64,
        delta: f64,
    ) -> Result<Predictions, HypergeometricError> {
        match self {
            Self::BgNbd(model) => model.predict(summary, days_per_unit, horizon, delta),
            Self::MbgNbd(model) => model.predict(summary, days_per_unit, horizon, delta),
            Self::ParetoNbd(model) => Ok(model.predict(summary, days_per_unit, horizon, delta)),
            Self::BgCnbdK(model) => Ok(model.predict(summary, days_per_unit, horizon, delta)),
        }
    }

    /// What a simulation draws of a customer who is alive.
    ///
    /// BG/NBD and MBG/NBD are the same but for `b`: a customer of MBG/NBD has survived one chance more.
    #[must_use]
    pub fn while_alive(&self) -> WhileAlive {
        let urn = |BgNbd { r, alpha, a, b }: BgNbd| WhileAlive {
            r,
            alpha,
            phases: 1,
            dropout: Dropout::AfterPurchase { a, b },
        };
        match *self {
            Self::BgNbd(model) => urn(model),
            Self::MbgNbd(model) => urn(model.while_alive()),
            Self::BgCnbdK(BgCnbdK { k, dropout, r, alpha, a, b }) => {
                let b = b + f64::from(dropout.occasions(0));
                WhileAlive { r, alpha, phases: k, dropout: Dropout::AfterPurchase { a, b } }
            }
            Self::ParetoNbd(ParetoNbd { r, alpha, s, beta }) => {
                WhileAlive { r, alpha, phases: 1, dropout: Dropout::AnyTime { s, beta } }
            }
        }
    }
}
