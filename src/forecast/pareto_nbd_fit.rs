//! Pareto/NBD: the maximum of its likelihood, and which simpler model it has become where there is none.

use super::fit::{Fit, LimitModel};
use super::limits::{Ends, WayOut, settle_narrow};
use super::pareto_nbd::ParetoNbd;
use super::pareto_nbd_likelihood::Likelihood;
use super::summary::Summary;
use crate::numeric::newton::{Bounds, Evaluation, maximise};

pub(super) const MODEL: &str = "Pareto/NBD";
pub(super) const NAMES: [&str; 4] = ["r", "alpha", "s", "beta"];
/// Parameters are searched in this range; α and β in units of the mean age.
const SMALLEST: f64 = 1e-9;
const LARGEST: f64 = 1e7;
/// A parameter within this factor of the range's end has left for a limit model.
const NEAR: f64 = 1e3;

/// The ends of the parameter space, by `r, α, s, β`.
pub(super) const WAYS_OUT: [WayOut; 4] = [
    WayOut { limit: LimitModel::NoDropout, towards: &[0, 0, -1], idle: &[3] },
    WayOut { limit: LimitModel::EqualDropoutRates, towards: &[0, 0, 1, 1], idle: &[] },
    WayOut { limit: LimitModel::DropoutFromTheStartOrNever, towards: &[0, 0, -1, -1], idle: &[] },
    WayOut { limit: LimitModel::EqualRates, towards: &[1, 1], idle: &[] },
];

impl ParetoNbd {
    /// Fit by maximum likelihood to the counts of equal histories.
    ///
    /// Damped Newton on `(ln r, ln α, ln s, ln β)` with the analytic Hessian. The likelihood is a density per model time
    /// unit, so another unit shifts its logarithm by `Σx ln` of the ratio.
    ///
    /// * `days_per_unit`: days in a model time unit (7 for weeks), `> 0`; `α` and `β` are in that unit.
    ///
    /// The returned [`Fit`] says how it ended: `Failed` without any repeat purchase, `Boundary` where the likelihood
    /// rises towards a simpler model (most often NBD: nobody drops out). A maximum that lies above all of these, however
    /// little, has converged.
    #[must_use]
    pub fn fit(summary: &Summary, days_per_unit: f64) -> Fit<Self> {
        let customers = summary.customers();
        let failed = |why| Fit::failed(MODEL, &NAMES, customers, why);
        let has_unit = days_per_unit.is_finite() && days_per_unit > 0.0;
        if !has_unit {
            return failed("the model time unit must be a positive number of days");
        }
        if summary.repeaters() == 0 {
            return failed("no customer bought a second time, so nothing is known of purchase rates or dropout");
        }
        let likelihood = Likelihood::new(summary, days_per_unit);
        let age = mean_age(summary) / days_per_unit;
        let rate = summary.purchases() as f64 / customers as f64 / age;
        let bounds = search_range(age);
        let maximum = maximise(start(rate, age), &bounds, |ln| likelihood.evaluate(ln));
        let gone = |point: &[f64; 4]| limit_models(point, &bounds);
        let ln_age = libm::log(age);
        let again = again(ln_age);
        let again: Vec<&[f64]> = again.iter().map(<[f64; 4]>::as_slice).collect();
        let ends = Ends { ways: &WAYS_OUT, again: &again };
        let evaluate = |ln: &[f64; 4]| likelihood.evaluate(ln);
        settle_narrow(&(&maximum).into(), gone, &bounds, ends, evaluate, |point, maximum, limits| {
            let parameters = point.map(libm::exp);
            let [r, alpha, s, beta] = parameters;
            let model = Self { r, alpha, s, beta };
            Fit::at_judged_maximum(MODEL, &NAMES, customers, maximum, &parameters, model, limits)
        })
    }

    /// Log-likelihood of the counts at these parameters.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    ///
    /// Source: Fader & Hardie (2005), equation 18.
    #[must_use]
    pub fn log_likelihood(&self, summary: &Summary, days_per_unit: f64) -> f64 {
        Self::evaluation(summary, days_per_unit, &[self.r, self.alpha, self.s, self.beta].map(libm::log)).value
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `r, α, s, β`, at those logarithms.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    #[must_use]
    pub fn evaluation(summary: &Summary, days_per_unit: f64, ln: &[f64; 4]) -> Evaluation<4> {
        Likelihood::new(summary, days_per_unit).evaluate(ln)
    }
}

/// Mean age in days; at least one.
pub(super) fn mean_age(summary: &Summary) -> f64 {
    let days: u128 = summary.iter().map(|(h, weight)| u128::from(h.age) * u128::from(weight)).sum();
    (days as f64 / summary.customers().max(1) as f64).max(1.0)
}

/// Where parameters are searched.
///
/// * `age`: mean age in model time units.
pub(super) fn search_range(age: f64) -> Bounds<4> {
    let (low, high, shift) = (libm::log(SMALLEST), libm::log(LARGEST), libm::log(age));
    Bounds { lower: [low, low + shift, low, low + shift], upper: [high, high + shift, high, high + shift] }
}

/// Logarithms of the parameters that a search starts from.
///
/// * `rate`: repeat purchases a customer and model time unit. * `age`: mean age in model time units.
pub(super) fn start(rate: f64, age: f64) -> [f64; 4] {
    [0.5, 0.5 / rate, 0.5, 0.5 * age].map(libm::log)
}

/// Where a search that has lost the dropout begins again: `ln s`, `ln β` of rare, of unequal and of frequent dropout.
///
/// * `ln_age`: logarithm of the mean age in model time units.
pub(super) fn again(ln_age: f64) -> [[f64; 4]; 3] {
    [[-3.0, 2.0], [-4.0, -2.0], [0.0, 0.0]].map(|[s, beta]| [f64::NAN, f64::NAN, s, ln_age + beta])
}

/// The simpler models that the parameters have gone to.
pub(super) fn limit_models(point: &[f64; 4], bounds: &Bounds<4>) -> Vec<LimitModel> {
    let near = libm::log(NEAR);
    let low: [bool; 4] = std::array::from_fn(|i| point[i] < bounds.lower[i] + near);
    let high: [bool; 4] = std::array::from_fn(|i| point[i] > bounds.upper[i] - near);
    let mut limits = Vec::new();
    if high[0] || high[1] {
        limits.push(LimitModel::EqualRates);
    } else if low[0] || low[1] {
        limits.push(LimitModel::DegenerateRates);
    }
    match (low[2], high[2], low[3], high[3]) {
        (true, ..) | (_, false, _, true) => limits.push(LimitModel::NoDropout),
        (_, true, ..) => limits.push(LimitModel::EqualDropoutRates),
        (_, _, true, _) => limits.push(LimitModel::DropoutFromTheStartOrNever),
        _ => {}
    }
    limits
}
