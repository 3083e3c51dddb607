//! Whichever model of spend a run uses, behind one face.

use super::fit::Fit;
use super::gamma_gamma::GammaGamma;
use super::normal_spend::NormalSpend;
use crate::schema::forecasting::SpendKind;
use serde::{Deserialize, Serialize};

/// Parameters of a model of spend on a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SpendModel {
    /// Positive amounts, skewed.
    GammaGamma(GammaGamma),
    /// Amounts of either sign.
    Normal(NormalSpend),
}

/// The function of a parameter whose estimate is taken for normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The parameter.
    AsItIs,
    /// Its logarithm.
    Logarithm,
    /// Its square.
    Square,
}

impl From<GammaGamma> for SpendModel {
    fn from(model: GammaGamma) -> Self {
        Self::GammaGamma(model)
    }
}

impl From<NormalSpend> for SpendModel {
    fn from(model: NormalSpend) -> Self {
        Self::Normal(model)
    }
}

impl SpendModel {
    /// Fits the model of this kind by maximum likelihood; see [`GammaGamma::fit`], [`NormalSpend::fit`].
    ///
    /// * `x`: repeat purchases. * `total`: money of the repeat purchases, major units, in customer order.
    /// * `squares`: sums of squares of each customer's repeat purchases about their mean; Gamma-Gamma does not look at it.
    #[must_use]
    pub fn fit(kind: SpendKind, x: &[u32], total: &[f64], squares: &[f64]) -> Fit<Self> {
        match kind {
            SpendKind::GammaGamma => GammaGamma::fit(x, total).map(Self::GammaGamma),
            SpendKind::Normal => NormalSpend::fit(x, total, squares).map(Self::Normal),
        }
    }

    /// Which model it is.
    #[must_use]
    pub fn kind(&self) -> SpendKind {
        match self {
            Self::GammaGamma(_) => SpendKind::GammaGamma,
            Self::Normal(_) => SpendKind::Normal,
        }
    }

    /// Parameters in the order of the fit's names.
    #[must_use]
    pub fn parameters(&self) -> [f64; 3] {
        match *self {
            Self::GammaGamma(GammaGamma { p, q, gamma }) => [p, q, gamma],
            Self::Normal(NormalSpend { mean, within, between }) => [mean, within, between],
        }
    }

    /// The same model with other parameters, in the order of [`SpendModel::parameters`].
    #[must_use]
    pub fn with_parameters(&self, [first, second, third]: [f64; 3]) -> Self {
        match self {
            Self::GammaGamma(_) => Self::GammaGamma(GammaGamma { p: first, q: second, gamma: third }),
            Self::Normal(_) => Self::Normal(NormalSpend { mean: first, within: second, between: third }),
        }
    }

    /// Which of the parameters are positive by nature.
    #[must_use]
    pub fn positive(&self) -> [bool; 3] {
        [matches!(self, Self::GammaGamma(_)), true, true]
    }

    /// What is normal of each parameter's estimate.
    ///
    /// A standard deviation that may be 0 has no normal logarithm: its variance is what the likelihood is smooth in.
    #[must_use]
    pub fn scales(&self) -> [Scale; 3] {
        match self {
            Self::GammaGamma(_) => [Scale::Logarithm; 3],
            Self::Normal(_) => [Scale::AsItIs, Scale::Square, Scale::Square],
        }
    }

    /// The first parameter that is out of its range: finite, and positive where it must be (no spread between customers is
    /// 0).
    #[must_use]
    pub fn out_of_range(&self) -> Option<usize> {
        let parameters = self.parameters();
        let none_between = matches!(self, Self::Normal(NormalSpend { between: 0.0, .. }));
        (0..3).find(|&i| {
            let sign = !self.positive()[i] || parameters[i] > 0.0 || (i == 2 && none_between);
            !(parameters[i].is_finite() && sign)
        })
    }
}
