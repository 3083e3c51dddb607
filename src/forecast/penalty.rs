//! Penalised maximum likelihood: a fit that has a finite maximum whatever the data.
//!
//! `max ln L(θ) − ½ c Σ_k (ln θ_k − ln m_k)²`
//!
//! with `m = 1` for shapes (`r`, `s`, `a`, `b`: exponential rates, and every dropout probability as likely as any other) and
//! the mean age of the customers for `α` and `β`, so that the unit of time changes nothing. This is the mode under a normal
//! prior of each logarithm with variance `1/c`: with `c = 0.1` a parameter lies within a factor of 24 of `m` with a
//! probability of two thirds. What `c` does fades with the number of customers.
//!
//! Source: Hoerl & Kennard, Technometrics 12 (1970), 55–67 (ridge); Gelman et al., Bayesian Data Analysis (2013), 13.2.

use super::fit::Fit;
use super::likelihood::{LogLikelihood, names, with_parameters};
use super::purchase_model::PurchaseModel;
use super::summary::Summary;
use crate::numeric::newton::{Bounds, Evaluation, maximise};
use crate::schema::settings::PurchaseKind;

/// Logarithms of the parameters are searched this far from those of `m`.
const FURTHEST: f64 = 40.0;

impl PurchaseModel {
    /// Fits the model of this kind by penalised maximum likelihood.
    ///
    /// The fit's log-likelihood is without the penalty; its standard errors are of the mode, with the penalty's curvature.
    ///
    /// * `penalty`: `c > 0`. * `days_per_unit`: days in a model time unit, `> 0`.
    ///
    /// The returned [`Fit`] is `Failed` without customers or age, and for the models of regular purchases.
    #[must_use]
    pub fn fit_penalised(kind: PurchaseKind, summary: &Summary, penalty: f64, days_per_unit: f64) -> Fit<Self> {
        let (customers, (model, names)) = (summary.customers(), names(kind));
        let Some(likelihood) = LogLikelihood::new(kind, summary, days_per_unit) else {
            return Fit::failed(
                model,
                &names,
                customers,
                "a penalty needs a model whose parameters are all continuous",
            );
        };
        let days: u128 = summary.iter().map(|(h, weight)| u128::from(h.age) * u128::from(weight)).sum();
        if days == 0 {
            return Fit::failed(model, &names, customers, "no customer is older than a day");
        }
        let age = libm::log(days as f64 / customers as f64 / days_per_unit);
        let centre = [0.0, age, 0.0, if kind == PurchaseKind::ParetoNbd { age } else { 0.0 }];
        let bounds = Bounds { lower: centre.map(|at| at - FURTHEST), upper: centre.map(|at| at + FURTHEST) };
        let maximum = maximise(centre, &bounds, |ln| penalised(likelihood.evaluate(ln), penalty, &centre, ln));
        let parameters = with_parameters(kind, maximum.point.map(libm::exp));
        let mut fit = Fit::at_penalised_maximum(model, &names, customers, &maximum, parameters);
        fit.log_likelihood = fit.log_likelihood.map(|_| likelihood.evaluate(&maximum.point).value);
        fit.notes.push(format!("the fit is penalised with {penalty}"));
        fit
    }
}

fn penalised(mut at: Evaluation<4>, penalty: f64, centre: &[f64; 4], ln: &[f64; 4]) -> Evaluation<4> {
    for k in 0..4 {
        let away = ln[k] - centre[k];
        at.value -= 0.5 * penalty * away * away;
        at.gradient[k] -= penalty * away;
        at.hessian[k][k] -= penalty;
    }
    at
}
