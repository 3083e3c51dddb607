//! What a reader of the results must know of a fit, in words.

use crate::forecast::{
    fit::{Fit, FitEnd},
    uncertainty,
};

/// How the search ended, where not at a maximum like any other.
pub(super) fn end(model: &str, end: &FitEnd) -> Option<String> {
    match end {
        FitEnd::Boundary { limit_models } => {
            let limits: Vec<String> = limit_models.iter().map(ToString::to_string).collect();
            Some(format!("{model} has no finite maximum on this ledger: it became {}", limits.join(" and ")))
        }
        FitEnd::Ridge { parameter, .. } => Some(format!("{model} leaves {parameter} open; predictions are not")),
        FitEnd::Converged | FitEnd::Failed { .. } => None,
    }
}

/// That a simulation which should draw the parameters cannot.
pub(super) fn certain<M>(fit: &Fit<M>) -> Option<String> {
    let model = fit.model();
    (!uncertainty::has_covariance(fit))
        .then(|| format!("{model} has no standard errors, so its parameters are taken for certain in the simulation"))
}

/// All that is to be said of one fit.
///
/// * `uncertain`: whether the simulation should draw the parameters.
pub(super) fn of_fit<M>(fit: &Fit<M>, uncertain: bool) -> Vec<String> {
    let certain = certain(fit).filter(|_| uncertain);
    certain.into_iter().chain(end(fit.model(), &fit.end)).chain(fit.notes.iter().cloned()).collect()
}
