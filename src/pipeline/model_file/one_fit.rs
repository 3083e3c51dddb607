//! Fitted models of contracts and of opportunities in a file: one fit each.

use camino::Utf8Path;
use serde_json::Value;

use super::{error::ModelFileError, part};
use crate::{
    forecast::{
        beta_geometric::ShiftedBetaGeometric, beta_weibull::BetaDiscreteWeibull, bg_bb::BgBb,
        contract_model::ContractModel, exponential_gamma::ExponentialGamma, fit::Fit, weibull_gamma::WeibullGamma,
    },
    schema::forecasting::ContractKind,
};

/// The fit of a model of contracts.
pub(super) fn contracts(
    file: &Utf8Path,
    value: &Value,
    kind: ContractKind,
) -> Result<Fit<ContractModel>, ModelFileError> {
    let key = "contracts";
    let fit = match kind {
        ContractKind::BetaGeometric => {
            part::<Fit<ShiftedBetaGeometric>>(file, value, key)?.map(ContractModel::BetaGeometric)
        }
        ContractKind::BetaWeibull => {
            part::<Fit<BetaDiscreteWeibull>>(file, value, key)?.map(ContractModel::BetaWeibull)
        }
        ContractKind::ExponentialGamma => {
            part::<Fit<ExponentialGamma>>(file, value, key)?.map(ContractModel::ExponentialGamma)
        }
        ContractKind::WeibullGamma => part::<Fit<WeibullGamma>>(file, value, key)?.map(ContractModel::WeibullGamma),
    };
    check(file, &fit, ContractModel::parameters)?;
    Ok(fit)
}

/// The fit of BG/BB.
pub(super) fn opportunities(file: &Utf8Path, value: &Value) -> Result<Fit<BgBb>, ModelFileError> {
    let fit = part::<Fit<BgBb>>(file, value, "opportunities")?;
    check(file, &fit, |model| vec![model.alpha, model.beta, model.gamma, model.delta])?;
    Ok(fit)
}

/// Parameters are finite and positive, and the covariance has a row and a column for each.
fn check<M>(file: &Utf8Path, fit: &Fit<M>, parameters: impl Fn(&M) -> Vec<f64>) -> Result<(), ModelFileError> {
    let refuse =
        |rule: String| Err(ModelFileError::Parameters { file: file.to_owned(), model: fit.model().to_owned(), rule });
    let parameters = match fit.fitted() {
        Ok(model) => parameters(model),
        Err(failed) => return refuse(failed.why),
    };
    if let Some(at) = parameters.iter().position(|value| !(value.is_finite() && *value > 0.0)) {
        let name = fit.names.get(at).map_or("a parameter", String::as_str);
        return refuse(format!("{name} must be finite and positive"));
    }
    let square =
        |rows: &Vec<Vec<f64>>| rows.len() == parameters.len() && rows.iter().all(|row| row.len() == parameters.len());
    if fit.covariance.as_ref().is_some_and(|rows| !square(rows)) {
        return refuse("its covariance has not a row and a column for every parameter".to_owned());
    }
    Ok(())
}
