//! Which model of purchases and dropout a run uses, and why.

use crate::{
    forecast::{
        covariates::{self, Assigned, CovariateFit, CovariateModel, Moving},
        error::ForecastError,
        fit::Fit,
        histories::{Histories, summary_of},
        holdout::Holdout,
        observed::{self, Assessment, Scored},
        population::Population,
        predict,
        purchase_model::PurchaseModel,
        summary::Summary,
        uncertainty::DRAWS,
    },
    schema::{
        covariates::{Covariate, CovariateSettings},
        forecasting::ModelChoice,
        settings::{ForecastSettings, PurchaseKind},
    },
};

use super::{Clock, Ledgers, RunError, model_file::SavedPurchases};

/// A holdout is a quarter of the ledger where the config names none, but no shorter than this.
pub(super) const SHORTEST_HOLDOUT: u32 = 7;

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
    /// The fit with covariates; `fit` is then its average customer's.
    pub(super) covariates: Option<CovariateFit>,
    /// The models of the histories where they are not all ruled by `fit`.
    pub(super) population: Option<Population>,
    /// What moves the parameters of the histories, where they are to be drawn.
    pub(super) moving: Option<Moving>,
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
        if let Some((all, saved)) = ledgers.saved.as_ref().and_then(|saved| Some((saved, saved.purchases()?))) {
            return Self::saved(saved, all.origin(), (setting, &ledgers.covariates), histories);
        }
        let known = &ledgers.covariates;
        if let (ModelChoice::One(kind), Some(wanted)) = (setting.model, &setting.covariates) {
            clock.start("fit_purchases", customers);
            return Self::with_covariates(kind, setting, wanted, known, histories);
        }
        let ln_gaps = ledgers.purchases.as_ref().map(|log| histories.ln_gaps(log)).unwrap_or_default();
        let kind = match (setting.model, &ledgers.purchases) {
            (ModelChoice::One(kind), _) => kind,
            (ModelChoice::Contract(_) | ModelChoice::BgBb, _) => return Err(refusal(setting, "a choice of models")),
            (ModelChoice::Auto, None) => return Err(ForecastError::NoPurchases.into()),
            (ModelChoice::Auto, Some(log)) => {
                clock.start("choose_model", customers);
                let days = setting.holdout_days.unwrap_or_else(|| {
                    log.first_day().map_or(0, |first| ledgers.as_of.abs_diff(first) / 4).max(SHORTEST_HOLDOUT)
                });
                let holdout =
                    Holdout::new(log, ledgers.as_of, days, setting.days_per_unit).map_err(ForecastError::from)?;
                let candidates = candidates(setting);
                let assess = |candidate: &Candidate<'_>| match candidate.1 {
                    None => holdout.model(candidate.0, setting.penalty),
                    Some(wanted) => holdout.with_covariates(candidate.0, known, wanted),
                };
                let tried =
                    candidates.iter().map(assess).collect::<Result<Vec<_>, _>>().map_err(ForecastError::from)?;
                clock.start("fit_purchases", customers);
                return Self::best(setting, (histories, &ln_gaps, known), &candidates, tried, holdout);
            }
        };
        clock.start("fit_purchases", customers);
        let (summary, fit) = predict::fit_purchases(kind, histories, &ln_gaps, setting)?;
        Ok(Self::alone(kind, summary, fit))
    }

    /// The one model that was asked for.
    fn alone(kind: PurchaseKind, summary: Summary, fit: Fit<PurchaseModel>) -> Self {
        let tried = vec![Assessment { method: kind.as_str(), fit: Some(fit.clone()), outcome: None }];
        Self {
            summary,
            fit,
            kind,
            tried,
            holdout: None,
            used: 0,
            why: None,
            covariates: None,
            population: None,
            moving: None,
        }
    }

    /// A model with covariates.
    fn with_covariates(
        kind: PurchaseKind,
        setting: &ForecastSettings,
        wanted: &CovariateSettings,
        known: &[Covariate],
        histories: &Histories,
    ) -> Result<Self, RunError> {
        let summary = summary_of(histories)?;
        let rows = [histories.frequency.as_slice(), &histories.recency, &histories.age];
        let own = of_histories(known, histories);
        let found =
            covariates::fit_named(kind, rows, &own, wanted, setting.days_per_unit).map_err(ForecastError::from)?;
        // Nothing is asked of a fit that failed.
        let (population, moving) = match found.fit.fitted() {
            Ok(model) => (Some(population(model, &own, histories)?), moving(setting, model, &own, histories)?),
            Err(_) => (None, None),
        };
        let fit = found.fit.clone().map(|model| model.base);
        Ok(Self { covariates: Some(found), population, moving, ..Self::alone(kind, summary, fit) })
    }

    /// A model that was fitted before.
    fn saved(
        saved: &SavedPurchases,
        origin: String,
        (setting, known): (&ForecastSettings, &[Covariate]),
        histories: &Histories,
    ) -> Result<Self, RunError> {
        let summary = summary_of(histories)?;
        let fit = saved.purchases.clone();
        let (kind, why) = (fit.fitted().map_err(ForecastError::from)?.kind(), Some(origin));
        let own = of_histories(known, histories);
        let (population, moving) = match &saved.covariates {
            None => (None, None),
            Some(model) => (Some(population(model, &own, histories)?), moving(setting, model, &own, histories)?),
        };
        Ok(Self { why, population, moving, ..Self::alone(kind, summary, fit) })
    }

    fn best(
        setting: &ForecastSettings,
        (histories, ln_gaps, known): (&Histories, &[f64], &[Covariate]),
        candidates: &[Candidate<'_>],
        tried: Vec<Assessment>,
        holdout: Holdout,
    ) -> Result<Self, RunError> {
        let days = holdout.observed.days;
        let (used, chosen, why) = first_usable(&tried, ("purchases a customer", days, "the whole ledger"), |used| {
            let chosen = match candidates[used] {
                (kind, Some(wanted)) => Self::with_covariates(kind, setting, wanted, known, histories)?,
                (kind, None) => {
                    let (summary, fit) = predict::fit_purchases(kind, histories, ln_gaps, setting)?;
                    Self::alone(kind, summary, fit)
                }
            };
            Ok(observed::usable(&chosen.fit).then_some(chosen))
        })?;
        Ok(Self { tried, holdout: Some(holdout), used, why: Some(why), ..chosen })
    }
}

/// The best of the models on a holdout that has a usable fit to everything: which one, what it is, and why, in words.
///
/// * `unit`: of the score. * `days`: of the holdout. * `everything`: in words. * `fitted`: to everything; `None`: not usable.
///
/// # Errors
/// [`RunError::Forecast`] where none has, with what is wrong with each, and as `fitted`.
pub(super) fn first_usable<M, O: Scored, T>(
    tried: &[Assessment<M, O>],
    (unit, days, everything): (&str, u32, &str),
    fitted: impl Fn(usize) -> Result<Option<T>, RunError>,
) -> Result<(usize, T, String), RunError> {
    let (order, mut passed_over) = (observed::rank(tried), Vec::new());
    for &used in &order {
        if let Some(chosen) = fitted(used)? {
            return Ok((used, chosen, in_words(tried, (&order, used), (unit, days), &passed_over)));
        }
        passed_over.push(format!("{} has no usable fit to {everything}", tried[used].method));
    }
    let reasons: Vec<String> = tried.iter().map(unusable).chain(passed_over).collect();
    Err(ForecastError::NoModel { why: reasons.join("; ") }.into())
}

fn refusal(setting: &ForecastSettings, command: &'static str) -> RunError {
    ForecastError::Unknown { command, model: setting.model.as_str() }.into()
}

/// A model of purchases, and its covariates.
type Candidate<'a> = (PurchaseKind, Option<&'a CovariateSettings>);

/// The models that a run chooses between: all without covariates, and those that may have them with the config's.
fn candidates(setting: &ForecastSettings) -> Vec<Candidate<'_>> {
    let with = setting.covariates.iter().flat_map(|wanted| PurchaseKind::CONTINUOUS.map(|kind| (kind, Some(wanted))));
    setting.kinds().iter().map(|kind| (*kind, None)).chain(with).collect()
}

/// What is known of the customers of histories.
fn of_histories(known: &[Covariate], histories: &Histories) -> Vec<Covariate> {
    known.iter().map(|covariate| covariate.of_rows(&histories.customer)).collect()
}

/// Most kinds of customers whose parameters are drawn: each keeps a model a draw, about 5 kB.
const MOST_KINDS: usize = 100_000;

/// What moves the parameters of every history, where the settings ask for draws of them.
///
/// # Errors
/// [`RunError::Forecast`].
fn moving(
    setting: &ForecastSettings,
    model: &CovariateModel,
    known: &[Covariate],
    histories: &Histories,
) -> Result<Option<Moving>, RunError> {
    if !setting.parameter_uncertainty || setting.paths == 0 {
        return Ok(None);
    }
    let found = model.moving(known, histories.customer.len()).map_err(ForecastError::from)?;
    if found.sets() > MOST_KINDS {
        let (kinds, draws) = (found.sets(), DRAWS.min(setting.paths));
        return Err(ForecastError::TooManyKinds { kinds, draws, most: MOST_KINDS }.into());
    }
    Ok(Some(found))
}

/// The model of every history.
///
/// # Errors
/// [`RunError::Forecast`].
fn population(model: &CovariateModel, known: &[Covariate], histories: &Histories) -> Result<Population, RunError> {
    let Assigned { models, of } = model.assign(known, histories.customer.len()).map_err(ForecastError::from)?;
    Ok(Population::new(models, of).map_err(ForecastError::from)?)
}

/// What is wrong with a model.
fn unusable<M, O: Scored>(assessment: &Assessment<M, O>) -> String {
    let why = assessment.fit.as_ref().map_or_else(String::new, |fit| match fit.fitted() {
        Err(failed) => failed.why,
        Ok(_) if assessment.usable() => "usable".to_owned(),
        Ok(_) => "its parameters are not determined".to_owned(),
    });
    format!("{}: {why}", assessment.method)
}

/// The choice in words.
///
/// * `order`: usable models from the best on. * `used`: the one that is used. * `unit`: of the score. * `days`: of the holdout.
fn in_words<M, O: Scored>(
    tried: &[Assessment<M, O>],
    (order, used): (&[usize], usize),
    (unit, days): (&str, u32),
    passed_over: &[String],
) -> String {
    let score = |i: &usize| format!("{} {:.4}", tried[*i].method, tried[*i].crps().unwrap_or(f64::NAN));
    let ranked: Vec<String> = order.iter().map(score).collect();
    let mut text = format!(
        "model auto chose {}: scored by CRPS ({unit}, less is better) on the last {days} days: {}",
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
