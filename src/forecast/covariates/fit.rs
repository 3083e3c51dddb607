//! Maximum likelihood with covariates, and what it brings over the model without them.

use super::design::{CovariateError, Design, Wanted};
use super::likelihood::{BASE, Likelihood};
use super::model::{CovariateModel, Effect};
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::bg_nbd_fit::{self, BG_NBD, always_alive};
use crate::forecast::fit::{Fit, FitEnd, LimitModel, Limits};
use crate::forecast::likelihood_ratio::LikelihoodRatio;
use crate::forecast::limits::{Ends, settle};
use crate::forecast::mbg_nbd::{MBG_NBD, MbgNbd};
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::pareto_nbd_fit;
use crate::forecast::purchase_model::PurchaseModel;
use crate::forecast::summary::Summary;
use crate::numeric::newton::{Bounds, End, WideBounds, WideMaximum, maximise_wide};
use crate::schema::covariates::{Covariate, CovariateSettings};
use crate::schema::settings::PurchaseKind;

/// Effects are searched up to a factor of `e^20` by a standard deviation.
const LARGEST_EFFECT: f64 = 20.0;
/// An effect of more than a factor of `e^8` by a standard deviation, or for being of a level, that is not determined
/// either, has no finite estimate.
const UNBOUNDED: f64 = 8.0;

/// A fit with covariates.
#[derive(Debug, Clone)]
pub struct CovariateFit {
    /// Names, standard errors and covariance are those of the four parameters of the average customer, then of the
    /// coefficients, in the order of [`CovariateModel::effects`].
    pub fit: Fit<CovariateModel>,
    /// The fit without covariates to the same histories.
    pub plain: Fit<PurchaseModel>,
}

/// Accuracy of one coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Standard error.
    pub standard_error: f64,
    /// Coefficient in standard errors.
    pub z: f64,
    /// Probability of a coefficient as far from 0 if there is no effect: `erfc(|z|/√2)`.
    pub p_value: f64,
}

/// Fits a model whose rate and dropout move with covariates, by maximum likelihood to distinct weighted rows.
///
/// Damped Newton on the logarithms of the average customer's four parameters and the effects, with the analytic Hessian,
/// from the maximum of the model without covariates. Numbers are standardised for the search; coefficients are by one unit
/// of the user's.
///
/// * `rows`: frequency, recency and age in days, as [`Summary::insert`] takes them.
/// * `covariates`: one row a history.
/// * `days_per_unit`: days in a model time unit, `> 0`.
///
/// The [`Fit`] says how it ended, as without covariates; `Boundary` with [`LimitModel::UnboundedEffect`] where a level or
/// number tells apart what nothing else does, as a level in which nobody buys again.
///
/// # Errors
/// [`CovariateError`].
///
/// Source: Fader & Hardie, Incorporating Time-Invariant Covariates into the Pareto/NBD and BG/NBD Models (2007).
pub fn fit(
    kind: PurchaseKind,
    rows: [&[u32]; 3],
    covariates: &[Covariate],
    wanted: Wanted<'_>,
    days_per_unit: f64,
) -> Result<CovariateFit, CovariateError> {
    let design = Design::new(kind, rows[0].len(), covariates, wanted)?;
    let mut summary = Summary::new();
    summary.insert(rows[0], rows[1], rows[2])?;
    let plain = PurchaseModel::fit(kind, &summary, &[], days_per_unit);
    let customers = summary.customers();
    let names: Vec<&str> = base_names(kind).to_vec();
    let Ok(without) = plain.fitted() else {
        let why = plain.fitted().err().map_or_else(String::new, |failed| failed.why);
        let fit = Fit::failed(plain.model(), &names, customers, &why);
        return Ok(CovariateFit { fit, plain });
    };
    let likelihood = Likelihood::new(kind, &design, &summary, rows, days_per_unit)?;
    let search = Search::new(kind, &summary, &likelihood, days_per_unit);
    let mut starts = Vec::new();
    if plain.end == FitEnd::Converged {
        starts.push(without.parameters().map(libm::log));
    }
    starts.push(search.start);
    let mut best: Option<WideMaximum> = None;
    for start in starts {
        let found = search.maximum(&likelihood, start);
        let converged = found.end == End::Converged && found.pressed.iter().all(|pressed| *pressed == 0);
        let height = |found: &WideMaximum| if found.end == End::NotFinite { f64::MIN } else { found.evaluation.value };
        if best.as_ref().is_none_or(|best| height(best) < height(&found)) {
            best = Some(found);
        }
        if converged {
            break;
        }
    }
    let maximum = best.unwrap_or_else(|| search.maximum(&likelihood, search.start));
    let once = customers - summary.repeaters();
    let fit = search.judge(&likelihood, (kind, &design, &plain), &maximum, (customers, once));
    let mut found = CovariateFit { fit, plain };
    found.fit.notes.extend(found.likelihood_ratio().as_ref().map(in_words));
    Ok(found)
}

/// As [`fit`], with the covariates that settings name.
///
/// # Errors
/// As [`fit`]; [`CovariateError::Absent`].
pub fn fit_named(
    kind: PurchaseKind,
    rows: [&[u32]; 3],
    covariates: &[Covariate],
    wanted: &CovariateSettings,
    days_per_unit: f64,
) -> Result<CovariateFit, CovariateError> {
    let used: Vec<Covariate> = covariates.iter().filter(|covariate| wanted.uses(&covariate.name)).cloned().collect();
    let places = |names: &[String]| -> Result<Vec<usize>, CovariateError> {
        let place = |name: &String| used.iter().position(|covariate| covariate.name == *name);
        names.iter().map(|name| place(name).ok_or_else(|| CovariateError::Absent { column: name.clone() })).collect()
    };
    let (rate, dropout) = (places(&wanted.rate)?, places(&wanted.dropout)?);
    fit(kind, rows, &used, Wanted { rate: &rate, dropout: &dropout }, days_per_unit)
}

/// Log-likelihood, gradient and Hessian by the logarithms of the average customer's parameters and the effects by a
/// standard deviation, at those.
///
/// # Errors
/// As [`fit`].
#[cfg(test)]
pub(super) fn evaluation(
    kind: PurchaseKind,
    rows: [&[u32]; 3],
    design: &Design,
    days_per_unit: f64,
    point: &[f64],
) -> Result<crate::numeric::newton::WideEvaluation, CovariateError> {
    let mut summary = Summary::new();
    summary.insert(rows[0], rows[1], rows[2])?;
    Ok(Likelihood::new(kind, design, &summary, rows, days_per_unit)?.evaluate(point))
}

fn in_words(LikelihoodRatio { statistic, degrees_of_freedom, p_value }: &LikelihoodRatio) -> String {
    format!(
        "covariates raise the log-likelihood by {:.2} over the model without them (likelihood ratio {statistic:.2}, \
         {degrees_of_freedom} degrees of freedom, p = {p_value:.2e})",
        0.5 * statistic
    )
}

impl CovariateFit {
    /// The test of all effects together; `None` without a fit or without effects.
    #[must_use]
    pub fn likelihood_ratio(&self) -> Option<LikelihoodRatio> {
        let degrees = u32::try_from(self.fit.fitted().ok()?.effects.len()).ok().filter(|degrees| *degrees > 0)?;
        Some(LikelihoodRatio::new(self.fit.log_likelihood?, self.plain.log_likelihood?, degrees))
    }

    /// Accuracy of each effect's coefficient; `None` where the fit has no standard errors.
    #[must_use]
    pub fn accuracy(&self) -> Option<Vec<Accuracy>> {
        let (effects, errors) = (&self.fit.fitted().ok()?.effects, self.fit.standard_errors.as_ref()?);
        let accuracy = |(effect, standard_error): (&Effect, &f64)| {
            let z = effect.coefficient / standard_error;
            let p_value = libm::erfc(z.abs() / std::f64::consts::SQRT_2);
            Accuracy { standard_error: *standard_error, z, p_value }
        };
        Some(effects.iter().zip(&errors[BASE..]).map(accuracy).collect())
    }
}

/// Where the search begins and how far it may go.
struct Search {
    start: [f64; 4],
    base: Bounds<4>,
    bounds: WideBounds,
}

impl Search {
    fn new(kind: PurchaseKind, summary: &Summary, likelihood: &Likelihood<'_>, days_per_unit: f64) -> Self {
        let age = pareto_nbd_fit::mean_age(summary) / days_per_unit;
        let rate = summary.purchases() as f64 / summary.customers() as f64 / age;
        let (start, base) = match kind {
            PurchaseKind::ParetoNbd => (pareto_nbd_fit::start(rate, age), pareto_nbd_fit::search_range(age)),
            _ => (bg_nbd_fit::start(rate), bg_nbd_fit::search_range(age)),
        };
        let effects = likelihood.parameters() - BASE;
        let with = |corner: [f64; 4], effect: f64| corner.into_iter().chain(std::iter::repeat_n(effect, effects));
        let bounds = WideBounds {
            lower: with(base.lower, -LARGEST_EFFECT).collect(),
            upper: with(base.upper, LARGEST_EFFECT).collect(),
        };
        Self { start, base, bounds }
    }

    fn maximum(&self, likelihood: &Likelihood<'_>, start: [f64; 4]) -> WideMaximum {
        let effects = likelihood.parameters() - BASE;
        let start: Vec<f64> = start.into_iter().chain(std::iter::repeat_n(0.0, effects)).collect();
        maximise_wide(&start, &self.bounds, |point| likelihood.evaluate(point))
    }

    /// The fit that a maximum is.
    ///
    /// * `once`: customers without a repeat purchase.
    fn judge(
        &self,
        likelihood: &Likelihood<'_>,
        (kind, design, plain): (PurchaseKind, &Design, &Fit<PurchaseModel>),
        maximum: &WideMaximum,
        (customers, once): (u64, u64),
    ) -> Fit<CovariateModel> {
        let gone = |point: &[f64]| {
            let point: [f64; 4] = std::array::from_fn(|i| point[i]);
            match kind {
                PurchaseKind::ParetoNbd => pareto_nbd_fit::limit_models(&point, &self.base),
                PurchaseKind::MbgNbd | PurchaseKind::MbgCnbdK => MBG_NBD.limit_models(&point, &self.base),
                PurchaseKind::BgNbd | PurchaseKind::BgCnbdK => BG_NBD.limit_models(&point, &self.base),
            }
        };
        let ways = match kind {
            PurchaseKind::ParetoNbd => pareto_nbd_fit::WAYS_OUT,
            PurchaseKind::MbgNbd | PurchaseKind::MbgCnbdK => MBG_NBD.ways_out(),
            PurchaseKind::BgNbd | PurchaseKind::BgCnbdK => BG_NBD.ways_out(),
        };
        let at = |maximum: &WideMaximum, limits: Limits| fit_at((kind, design, plain), maximum, customers, limits);
        let mut fit = at(maximum, Limits::Reached(gone(&maximum.point)));
        let found = fit.fitted().map_or_else(|_| Vec::new(), |model| model.effects.clone());
        let unbounded: Vec<String> = found
            .iter()
            .zip(maximum.pressed[BASE..].iter().zip(&maximum.point[BASE..]))
            .filter(|(_, (pressed, standardised))| **pressed != 0 || standardised.abs() > UNBOUNDED)
            .map(|(effect, _)| effect.name())
            .collect();
        // At a limit of the model itself effects on what is gone are level: they do not grow.
        if unbounded.is_empty() {
            let ends = Ends { ways: &ways, again: &[] };
            fit = settle(maximum, gone, &self.bounds, ends, |point| likelihood.evaluate(point), at);
        } else if matches!(fit.end, FitEnd::Ridge { .. }) {
            fit = at(maximum, Limits::Reached(vec![LimitModel::UnboundedEffect]));
            fit.notes.push(format!(
                "{} has no finite estimate: its customers differ from all others in a way that grows with any estimate; \
                 join the level with another, or leave the covariate out",
                unbounded.join(", ")
            ));
        }
        if kind == PurchaseKind::BgNbd && once > 0 && fit.fitted().is_ok() {
            fit.notes.push(always_alive((BG_NBD.model, "mbg_nbd"), once, customers));
        }
        fit.notes.extend(design.notes.iter().cloned());
        fit
    }
}

/// The model at a point of the search, with what is known of its limits.
fn fit_at(
    (kind, design, plain): (PurchaseKind, &Design, &Fit<PurchaseModel>),
    maximum: &WideMaximum,
    customers: u64,
    limits: Limits,
) -> Fit<CovariateModel> {
    let effect = |(place, coefficient): (&super::design::Place, &f64)| {
        Effect::new(place.part, base_names(kind)[place.parameter], &design.terms[place.term], *coefficient)
    };
    let effects: Vec<Effect> = design.places.iter().zip(&maximum.point[BASE..]).map(effect).collect();
    let names: Vec<String> =
        base_names(kind).iter().map(|&name| name.to_owned()).chain(effects.iter().map(Effect::name)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parameters: [f64; 4] = std::array::from_fn(|i| libm::exp(maximum.point[i]));
    let mut slope = parameters.to_vec();
    slope.extend(design.places.iter().map(|place| 1.0 / design.terms[place.term].scale));
    let model = CovariateModel { base: model_of(kind, parameters), covariates: design.known.clone(), effects };
    Fit::at_judged_maximum(plain.model(), &names, customers, maximum, &slope, model, limits)
}

fn base_names(kind: PurchaseKind) -> [&'static str; 4] {
    match kind {
        PurchaseKind::ParetoNbd => pareto_nbd_fit::NAMES,
        _ => bg_nbd_fit::NAMES,
    }
}

/// The model of this kind with these parameters; kinds with covariates alone come here.
fn model_of(kind: PurchaseKind, [r, alpha, third, fourth]: [f64; 4]) -> PurchaseModel {
    match kind {
        PurchaseKind::ParetoNbd => ParetoNbd { r, alpha, s: third, beta: fourth }.into(),
        PurchaseKind::MbgNbd | PurchaseKind::MbgCnbdK => MbgNbd { r, alpha, a: third, b: fourth }.into(),
        PurchaseKind::BgNbd | PurchaseKind::BgCnbdK => BgNbd { r, alpha, a: third, b: fourth }.into(),
    }
}
