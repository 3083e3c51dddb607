//! The log-likelihood of a model of purchases by the logarithms of its parameters, whichever model it is.

use super::bg_cnbd_k::{BgCnbdK, FirstDropout};
use super::bg_nbd::BgNbd;
use super::bg_nbd_fit::{BG_NBD, Family};
use super::mbg_nbd::{MBG_NBD, MbgNbd};
use super::pareto_nbd::ParetoNbd;
use super::pareto_nbd_likelihood::Likelihood;
use super::purchase_model::PurchaseModel;
use super::summary::{History, Summary};
use crate::numeric::newton::Evaluation;
use crate::schema::settings::PurchaseKind;

/// The log-likelihood of some customers.
pub(super) enum LogLikelihood {
    /// BG/NBD and MBG/NBD.
    Urn { family: Family, histories: Vec<(History, u64)>, days_per_unit: f64 },
    /// Pareto/NBD.
    AnyTime(Likelihood),
}

impl LogLikelihood {
    /// `None` for the models of regular purchases, whose `k` is no continuous parameter.
    pub(super) fn new(kind: PurchaseKind, summary: &Summary, days_per_unit: f64) -> Option<Self> {
        let urn = |family| Some(Self::Urn { family, histories: summary.iter().collect(), days_per_unit });
        match kind {
            PurchaseKind::BgNbd => urn(BG_NBD),
            PurchaseKind::MbgNbd => urn(MBG_NBD),
            PurchaseKind::ParetoNbd => Some(Self::AnyTime(Likelihood::new(summary, days_per_unit))),
            PurchaseKind::BgCnbdK | PurchaseKind::MbgCnbdK => None,
        }
    }

    /// Value, gradient and Hessian at these logarithms, in the order of the fit's names.
    pub(super) fn evaluate(&self, ln: &[f64; 4]) -> Evaluation<4> {
        match self {
            Self::Urn { family, histories, days_per_unit } => family.evaluate(histories, *days_per_unit, ln),
            Self::AnyTime(likelihood) => likelihood.evaluate(ln),
        }
    }
}

/// Name of the model, and of its parameters in the order of [`PurchaseModel::parameters`].
pub(super) fn names(kind: PurchaseKind) -> (&'static str, [&'static str; 4]) {
    match kind {
        PurchaseKind::BgNbd => (BG_NBD.model, ["r", "alpha", "a", "b"]),
        PurchaseKind::MbgNbd => (MBG_NBD.model, ["r", "alpha", "a", "b"]),
        PurchaseKind::ParetoNbd => ("Pareto/NBD", ["r", "alpha", "s", "beta"]),
        PurchaseKind::BgCnbdK => ("BG/CNBD-k", ["r", "alpha", "a", "b"]),
        PurchaseKind::MbgCnbdK => ("MBG/CNBD-k", ["r", "alpha", "a", "b"]),
    }
}

/// The model of this kind with these parameters; `k = 1` for the models of regular purchases.
pub(super) fn with_parameters(kind: PurchaseKind, [r, alpha, third, fourth]: [f64; 4]) -> PurchaseModel {
    let (a, b) = (third, fourth);
    let regular = |dropout| BgCnbdK { k: 1, dropout, r, alpha, a, b }.into();
    match kind {
        PurchaseKind::BgNbd => BgNbd { r, alpha, a, b }.into(),
        PurchaseKind::MbgNbd => MbgNbd { r, alpha, a, b }.into(),
        PurchaseKind::ParetoNbd => ParetoNbd { r, alpha, s: third, beta: fourth }.into(),
        PurchaseKind::BgCnbdK => regular(FirstDropout::AfterRepeat),
        PurchaseKind::MbgCnbdK => regular(FirstDropout::AfterFirst),
    }
}
