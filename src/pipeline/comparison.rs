//! Scores of models and baselines as columns, in the order of [`forecasting`](crate::schema::forecasting).

use crate::{
    forecast::{
        bg_bb::BgBb,
        contract_holdout::ContractOutcome,
        contract_model::ContractModel,
        covariates::{Accuracy, CovariateFit, Effect},
        fit::{Fit, FitEnd},
        observed::{Assessment, Outcome, Scored},
        purchase_model::PurchaseModel,
        retention::Retained,
    },
    publish::dataset::Values,
    schema::forecasting::ContractKind,
};

/// What is told of how a method did on a holdout.
pub(super) trait Told: Scored {
    /// What happened: repeat purchases, or renewals.
    fn happened(&self) -> u64;
    /// Expected of them.
    fn foretold(&self) -> f64;
    /// Mean absolute error of a customer, and root of the mean squared one.
    fn errors(&self) -> (f64, f64);
    /// Rank correlation.
    fn spearman(&self) -> Option<f64>;
    /// Gini in expected order over that in actual order, and purchases of the best tenth over those of the mean one.
    fn order(&self) -> (Option<f64>, Option<f64>);
    /// Mean of −ln of the probability of what happened.
    fn log_score(&self) -> Option<f64>;
    /// Share of customers within a central interval, and its mean probability.
    fn within(&self, interval: usize) -> Option<(f64, f64)>;

    /// `expected / actual − 1`.
    fn bias(&self) -> Option<f64> {
        (self.happened() > 0).then(|| self.foretold() / self.happened() as f64 - 1.0)
    }
}

impl Told for Outcome {
    fn happened(&self) -> u64 {
        self.errors.actual
    }

    fn foretold(&self) -> f64 {
        self.errors.expected
    }

    fn errors(&self) -> (f64, f64) {
        (self.errors.mae, self.errors.rmse)
    }

    fn spearman(&self) -> Option<f64> {
        self.spearman
    }

    fn order(&self) -> (Option<f64>, Option<f64>) {
        (self.gini, lift(self, 0))
    }

    fn log_score(&self) -> Option<f64> {
        self.distribution.map(|scores| scores.log_score / scores.customers)
    }

    fn within(&self, interval: usize) -> Option<(f64, f64)> {
        let scores = self.distribution?;
        Some((scores.covered[interval] / scores.customers, scores.nominal[interval] / scores.customers))
    }
}

impl Told for ContractOutcome {
    fn happened(&self) -> u64 {
        self.actual_renewals
    }

    fn foretold(&self) -> f64 {
        self.expected_renewals
    }

    fn errors(&self) -> (f64, f64) {
        (self.mae, self.rmse)
    }

    fn spearman(&self) -> Option<f64> {
        self.spearman
    }

    fn order(&self) -> (Option<f64>, Option<f64>) {
        (None, None)
    }

    fn log_score(&self) -> Option<f64> {
        Some(self.log_score)
    }

    fn within(&self, _: usize) -> Option<(f64, f64)> {
        None
    }
}

/// The first columns of whatever compares models: which they are, and how their fits ended.
pub(super) fn fit_columns<M: Parameters, O>(rows: &[Assessment<M, O>]) -> Vec<Values> {
    let text = |of: &dyn Fn(&Assessment<M, O>) -> Option<String>| Values::Text(rows.iter().map(of).collect());
    let of_fit = |of: &dyn Fn(&Fit<M>) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|row| row.fit.as_ref().and_then(of)).collect()
    };
    let parameters = |fit: &Fit<M>| fit.fitted().ok().map(|model| model.number(&fit.names) as f64);
    vec![
        text(&|row| Some(row.method.to_owned())),
        text(&|row| Some(if row.fit.is_some() { "model" } else { "baseline" }.to_owned())),
        text(&|row| Some(row.fit.as_ref().map_or("baseline", |fit| end(&fit.end)).to_owned())),
        text(&|row| row.fit.as_ref().and_then(|fit| why(&fit.end))),
        Values::Float(of_fit(&|fit| fit.log_likelihood)),
        Values::Integer(of_fit(&parameters).into_iter().map(|number| number.map(|n| n as i64)).collect()),
        Values::Float(of_fit(&|fit| Some(2.0 * parameters(fit)? - 2.0 * fit.log_likelihood?))),
        Values::Float(of_fit(&|fit| {
            Some(parameters(fit)? * libm::log(fit.customers as f64) - 2.0 * fit.log_likelihood?)
        })),
    ]
}

/// The columns of `model_comparison` and `validation_score`.
///
/// * `customers`: of the holdout; `None` without one. * `chosen`: row of the model that is used, or does best.
pub(super) fn score_columns<M: Parameters, O: Told>(
    rows: &[Assessment<M, O>],
    customers: Option<usize>,
    chosen: Option<usize>,
) -> Vec<Values> {
    let float = |of: &dyn Fn(&Assessment<M, O>) -> Option<f64>| Values::Float(rows.iter().map(of).collect());
    let whole = |of: &dyn Fn(&Assessment<M, O>) -> Option<i64>| Values::Integer(rows.iter().map(of).collect());
    let scored = |of: &dyn Fn(&O) -> Option<f64>| float(&|row| row.outcome.as_ref().and_then(of));
    let customers = |row: &Assessment<M, O>| match (customers, &row.fit) {
        (Some(customers), _) => Some(customers as i64),
        (None, fit) => fit.as_ref().map(|fit| fit.customers as i64),
    };
    let mut columns = fit_columns(rows);
    columns.extend([
        whole(&customers),
        whole(&|row| row.outcome.as_ref().map(|outcome| outcome.happened() as i64)),
        scored(&|outcome| Some(outcome.foretold())),
        scored(&Told::bias),
        scored(&|outcome| Some(outcome.errors().0)),
        scored(&|outcome| Some(outcome.errors().1)),
        scored(&Told::spearman),
        scored(&|outcome| outcome.order().0),
        scored(&|outcome| outcome.order().1),
        float(&Assessment::crps),
        scored(&Told::log_score),
    ]);
    for interval in 0..3 {
        columns.push(scored(&|outcome| Some(outcome.within(interval)?.0)));
        columns.push(scored(&|outcome| Some(outcome.within(interval)?.1)));
    }
    columns.push(Values::Integer((0..rows.len()).map(|row| Some(i64::from(Some(row) == chosen))).collect()));
    columns
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

/// The columns of `model_retention`.
pub(super) fn retention_columns(kind: ContractKind, rows: &[Retained]) -> Vec<Values> {
    let whole = |of: &dyn Fn(&Retained) -> u64| Values::Integer(rows.iter().map(|row| Some(of(row) as i64)).collect());
    let float = |of: &dyn Fn(&Retained) -> f64| Values::Float(rows.iter().map(|row| Some(of(row))).collect());
    vec![
        Values::Text(rows.iter().map(|_| Some(kind.as_str().to_owned())).collect()),
        whole(&|row| u64::from(row.tenure)),
        whole(&|row| row.at_risk),
        whole(&|row| row.lost),
        float(&|row| row.observed),
        float(&|row| row.standard_error),
        float(&|row| row.expected),
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
