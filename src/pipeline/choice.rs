//! Which model of purchases and dropout a run uses, and why.

use crate::{
    forecast::{
        fit::Fit,
        holdout::{self, Assessment, Holdout},
        predict::{self, ForecastError, Histories},
        purchase_model::PurchaseModel,
        summary::Summary,
    },
    schema::{
        forecasting::ModelChoice,
        period::format_day,
        settings::{ForecastSettings, PurchaseKind},
    },
};

use super::{Clock, Ledgers, RunError, model_file::SavedModels};

/// A holdout is a quarter of the ledger where the config names none, but no shorter than this.
const SHORTEST_HOLDOUT: u32 = 7;

/// The model of a run, fitted to all of it.
pub(super) struct Choice {
    pub(super) summary: Summary,
    pub(super) fit: Fit<PurchaseModel>,
    pub(super) kind: PurchaseKind,
    /// The models that were tried, and the cut that they were scored on.
    pub(super) tried: Vec<Assessment>,
    pub(super) holdout: Option<Holdout>,
    /// Which of them is used.
    pub(super) used: usize,
    /// The choice in words; `None` where the config named the model.
    pub(super) why: Option<String>,
}

impl Choice {
    /// Fits the named model, or whichever foretold the holdout best and has a usable fit to the whole ledger.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn new(
        setting: &ForecastSettings,
        ledgers: &Ledgers,
        histories: &Histories,
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let customers = Some(histories.customer.len() as u64);
        if let Some(saved) = &ledgers.saved {
            return Self::saved(saved, histories);
        }
        let ln_gaps = ledgers.purchases.as_ref().map(|log| histories.ln_gaps(log)).unwrap_or_default();
        let kind = match (setting.model, &ledgers.purchases) {
            (ModelChoice::One(kind), _) => kind,
            (ModelChoice::Contract(_), _) => return Err(refusal(setting, "this")),
            (ModelChoice::Auto, None) => return Err(ForecastError::NoPurchases.into()),
            (ModelChoice::Auto, Some(log)) => {
                clock.start("choose_model", customers);
                let days = setting.holdout_days.unwrap_or_else(|| {
                    log.first_day().map_or(0, |first| ledgers.as_of.abs_diff(first) / 4).max(SHORTEST_HOLDOUT)
                });
                let holdout =
                    Holdout::new(log, ledgers.as_of, days, setting.days_per_unit).map_err(ForecastError::from)?;
                let tried = PurchaseKind::ALL
                    .into_iter()
                    .map(|kind| holdout.model(kind))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(ForecastError::from)?;
                clock.start("fit_purchases", customers);
                return Self::best(setting, histories, &ln_gaps, tried, holdout);
            }
        };
        clock.start("fit_purchases", customers);
        let (summary, fit) = predict::fit_purchases(kind, histories, &ln_gaps, setting.days_per_unit)?;
        let tried = vec![Assessment { method: kind.as_str(), fit: Some(fit.clone()), outcome: None }];
        Ok(Self { summary, fit, kind, tried, holdout: None, used: 0, why: None })
    }

    /// A model that was fitted before.
    fn saved(saved: &SavedModels, histories: &Histories) -> Result<Self, RunError> {
        let summary = predict::summary_of(histories)?;
        let fit = saved.purchases.clone();
        let kind = fit.fitted().map_err(ForecastError::from)?.kind();
        let why = Some(format!(
            "{} was fitted to {} customers as of {} and applied without a fit to these",
            fit.model(),
            fit.customers,
            format_day(saved.as_of)
        ));
        let tried = vec![Assessment { method: kind.as_str(), fit: Some(fit.clone()), outcome: None }];
        Ok(Self { summary, fit, kind, tried, holdout: None, used: 0, why })
    }

    fn best(
        setting: &ForecastSettings,
        histories: &Histories,
        ln_gaps: &[f64],
        tried: Vec<Assessment>,
        holdout: Holdout,
    ) -> Result<Self, RunError> {
        let order = holdout::rank(&tried);
        let mut passed_over = Vec::new();
        for &used in &order {
            let kind = PurchaseKind::ALL[used];
            let (summary, fit) = predict::fit_purchases(kind, histories, ln_gaps, setting.days_per_unit)?;
            if !holdout::usable(&fit) {
                passed_over.push(format!("{} has no usable fit to the whole ledger", kind.as_str()));
                continue;
            }
            let why = Some(in_words(&tried, &order, used, holdout.days, &passed_over));
            return Ok(Self { summary, fit, kind, tried, holdout: Some(holdout), used, why });
        }
        let reasons: Vec<String> = tried.iter().map(unusable).chain(passed_over).collect();
        Err(ForecastError::NoModel { why: reasons.join("; ") }.into())
    }
}

/// Refuses a model of contracts in a command that knows models of purchases alone.
///
/// # Errors
/// [`RunError::Forecast`].
pub(super) fn purchases_alone(setting: Option<&ForecastSettings>, command: &'static str) -> Result<(), RunError> {
    match setting {
        Some(setting) if matches!(setting.model, ModelChoice::Contract(_)) => Err(refusal(setting, command)),
        _ => Ok(()),
    }
}

fn refusal(setting: &ForecastSettings, command: &'static str) -> RunError {
    ForecastError::Contractual { command, model: setting.model.as_str() }.into()
}

/// What is wrong with a model.
fn unusable(assessment: &Assessment) -> String {
    let why = assessment.fit.as_ref().map_or_else(String::new, |fit| match fit.fitted() {
        Err(failed) => failed.why,
        Ok(_) if assessment.usable() => "usable".to_owned(),
        Ok(_) => "its parameters are not determined".to_owned(),
    });
    format!("{}: {why}", assessment.method)
}

fn in_words(tried: &[Assessment], order: &[usize], used: usize, days: u32, passed_over: &[String]) -> String {
    let score = |i: &usize| format!("{} {:.4}", tried[*i].method, tried[*i].crps().unwrap_or(f64::NAN));
    let ranked: Vec<String> = order.iter().map(score).collect();
    let mut text = format!(
        "model auto chose {}: scored by CRPS (purchases a customer, less is better) on the last {days} days: {}",
        tried[used].method,
        ranked.join(", ")
    );
    for assessment in tried.iter().filter(|assessment| !assessment.usable()) {
        text.push_str("; left out ");
        text.push_str(&unusable(assessment));
    }
    for reason in passed_over {
        text.push_str("; ");
        text.push_str(reason);
    }
    text
}
