//! Scores of models and baselines as columns, in the order of [`forecasting`](crate::schema::forecasting).

use crate::{
    forecast::{
        bg_bb::BgBb,
        contract_model::ContractModel,
        covariates::{Accuracy, CovariateFit, Effect},
        fit::{Fit, FitEnd},
        observed::{Assessment, Observed, Outcome},
        purchase_model::PurchaseModel,
        scores::DistributionScores,
    },
    publish::dataset::Values,
};

/// The columns of `model_comparison` and `validation_score`.
///
/// * `chosen`: row of the model that is used, or does best.
pub(super) fn score_columns<M: Parameters>(
    rows: &[Assessment<M>],
    holdout: Option<&Observed>,
    chosen: Option<usize>,
) -> Vec<Values> {
    let text = |of: &dyn Fn(&Assessment<M>) -> Option<String>| Values::Text(rows.iter().map(of).collect());
    let float = |of: &dyn Fn(&Assessment<M>) -> Option<f64>| Values::Float(rows.iter().map(of).collect());
    let whole = |of: &dyn Fn(&Assessment<M>) -> Option<i64>| Values::Integer(rows.iter().map(of).collect());
    let fit = |row: &Assessment<M>, of: &dyn Fn(&Fit<M>) -> Option<f64>| row.fit.as_ref().and_then(of);
    let scored = |row: &Assessment<M>, of: &dyn Fn(&Outcome) -> Option<f64>| row.outcome.as_ref().and_then(of);
    let spread = |row: &Assessment<M>, of: &dyn Fn(&DistributionScores) -> f64| {
        let scores = row.outcome.as_ref()?.distribution.as_ref()?;
        Some(of(scores) / scores.customers)
    };
    let customers = |row: &Assessment<M>| match (holdout, &row.fit) {
        (Some(holdout), _) => Some(holdout.customers() as i64),
        (None, fit) => fit.as_ref().map(|fit| fit.customers as i64),
    };
    let parameters = |row: &Assessment<M>| {
        let fit = row.fit.as_ref()?;
        fit.fitted().ok().map(|model| model.number(&fit.names) as f64)
    };
    let mut columns = vec![
        text(&|row| Some(row.method.to_owned())),
        text(&|row| Some(if row.fit.is_some() { "model" } else { "baseline" }.to_owned())),
        text(&|row| Some(row.fit.as_ref().map_or("baseline", |fit| end(&fit.end)).to_owned())),
        text(&|row| row.fit.as_ref().and_then(|fit| why(&fit.end))),
        float(&|row| fit(row, &|fit| fit.log_likelihood)),
        whole(&|row| parameters(row).map(|n| n as i64)),
        float(&|row| Some(2.0 * parameters(row)? - 2.0 * fit(row, &|fit| fit.log_likelihood)?)),
        float(&|row| {
            let n = fit(row, &|fit| Some(fit.customers as f64))?;
            Some(parameters(row)? * libm::log(n) - 2.0 * fit(row, &|fit| fit.log_likelihood)?)
        }),
        whole(&customers),
        whole(&|row| row.outcome.as_ref().map(|outcome| outcome.errors.actual as i64)),
        float(&|row| scored(row, &|outcome| Some(outcome.errors.expected))),
        float(&|row| scored(row, &bias)),
        float(&|row| scored(row, &|outcome| Some(outcome.errors.mae))),
        float(&|row| scored(row, &|outcome| Some(outcome.errors.rmse))),
        float(&|row| scored(row, &|outcome| outcome.spearman)),
        float(&|row| scored(row, &|outcome| outcome.gini)),
        float(&|row| scored(row, &|outcome| lift(outcome, 0))),
        float(&Assessment::<M>::crps),
        float(&|row| spread(row, &|scores| scores.log_score)),
    ];
    for interval in 0..3 {
        columns.push(float(&|row| spread(row, &|scores| scores.covered[interval])));
        columns.push(float(&|row| spread(row, &|scores| scores.nominal[interval])));
    }
    columns.push(Values::Integer((0..rows.len()).map(|row| Some(i64::from(Some(row) == chosen))).collect()));
    columns
}

/// `expected / actual − 1`.
pub(super) fn bias(outcome: &Outcome) -> Option<f64> {
    (outcome.errors.actual > 0).then(|| outcome.errors.expected / outcome.errors.actual as f64 - 1.0)
}

/// Purchases of a tenth over those of the mean tenth.
pub(super) fn lift(outcome: &Outcome, decile: usize) -> Option<f64> {
    let mean = outcome.errors.actual as f64 / outcome.deciles.len() as f64;
    (mean > 0.0).then(|| outcome.deciles[decile].actual / mean)
}

/// A model whose parameters can be counted.
pub(super) trait Parameters {
    /// How many were fitted.
    ///
    /// * `names`: of the fit, those of effects of covariates among them.
    fn number(&self, names: &[String]) -> usize;
}

impl Parameters for PurchaseModel {
    fn number(&self, names: &[String]) -> usize {
        names.len() + usize::from(matches!(self, Self::BgCnbdK(_)))
    }
}

impl Parameters for BgBb {
    fn number(&self, _: &[String]) -> usize {
        4
    }
}

impl Parameters for ContractModel {
    fn number(&self, _: &[String]) -> usize {
        self.kind().parameters().len()
    }
}

/// The columns of `model_covariate`.
pub(super) fn covariate_columns(found: &CovariateFit) -> Vec<Values> {
    let effects = found.fit.fitted().map(|model| model.effects.as_slice()).unwrap_or_default();
    let accuracy = found.accuracy();
    let text = |of: &dyn Fn(&Effect) -> Option<String>| Values::Text(effects.iter().map(of).collect());
    let float = |of: &dyn Fn(&Effect) -> Option<f64>| Values::Float(effects.iter().map(of).collect());
    let known = |of: &dyn Fn(&Accuracy) -> f64| {
        let of_effect = |at: usize| accuracy.as_ref().map(|accuracy| of(&accuracy[at]));
        Values::Float((0..effects.len()).map(of_effect).collect())
    };
    vec![
        text(&|effect| Some(effect.part.as_str().to_owned())),
        text(&|effect| Some(effect.parameter.clone())),
        text(&|effect| Some(effect.column.clone())),
        text(&|effect| effect.level.clone()),
        float(&|effect| effect.level.is_none().then_some(effect.centre)),
        float(&|effect| Some(effect.coefficient)),
        float(&|effect| Some(libm::exp(effect.coefficient))),
        known(&|accuracy| accuracy.standard_error),
        known(&|accuracy| accuracy.z),
        known(&|accuracy| accuracy.p_value),
    ]
}

/// How a fit ended, in a word.
pub(super) fn end(end: &FitEnd) -> &'static str {
    match end {
        FitEnd::Converged => "converged",
        FitEnd::Boundary { .. } => "boundary",
        FitEnd::Ridge { .. } => "ridge",
        FitEnd::Failed { .. } => "failed",
    }
}

/// Why a fit ended so; nothing of a converged one.
pub(super) fn why(end: &FitEnd) -> Option<String> {
    match end {
        FitEnd::Converged => None,
        FitEnd::Boundary { limit_models } => {
            Some(limit_models.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
        }
        FitEnd::Ridge { parameter, .. } => Some(format!("{parameter} is not determined")),
        FitEnd::Failed { why } => Some(why.clone()),
    }
}
