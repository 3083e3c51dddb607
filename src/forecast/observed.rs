//! What happened in a holdout, and how well a method foretold it: what every model of purchases is scored on, whether they come
//! at any time or at opportunities.

use super::baselines::{self, BaselineError};
use super::beta_geometric::Horizon;
use super::fit::{Fit, FitEnd};
use super::purchase_model::PurchaseModel;
use super::scores::{self, DECILES, Decile, DistributionScores, Errors};
use crate::numeric::sums::Compensated;
use crate::units::Day;

/// Frequencies from here on stand in one row.
pub const MANY: u32 = 10;

/// Purchases after a cut of the customers who had bought by then.
#[derive(Debug)]
pub struct Observed {
    /// Last day of the calibration.
    pub cut: Day,
    /// Length of the holdout in days.
    pub days: u32,
    /// Repeat purchases up to the cut, one a customer.
    pub frequency: Vec<u32>,
    /// Purchases after the cut, one a customer.
    pub actual: Vec<u32>,
    /// Steps of the tracking.
    pub steps: Vec<Step>,
}

/// A step of the tracking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Its last day.
    pub day: Day,
    /// Share of the holdout that is over by then.
    pub over: f64,
    /// Purchases since the cut.
    pub actual: u64,
}

/// One method on the holdout.
#[derive(Debug, Clone)]
pub struct Assessment<M = PurchaseModel, O = Outcome> {
    /// Name of the model or baseline.
    pub method: &'static str,
    /// The fit, of a model.
    pub fit: Option<Fit<M>>,
    /// What came of it; `None` of a model without an estimate.
    pub outcome: Option<O>,
}

/// Expectations of one method, and how well they did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Expected purchases in the holdout, one a customer.
    pub expected: Vec<f64>,
    /// Cumulative expectation by step of the tracking.
    pub tracked: Vec<f64>,
    /// Errors of the expectations.
    pub errors: Errors,
    /// Rank correlation.
    pub spearman: Option<f64>,
    /// Gini in expected order over that in actual order.
    pub gini: Option<f64>,
    /// Tenths of the customers.
    pub deciles: [Decile; DECILES],
    /// Scores of the distributions; `None` for a baseline.
    pub distribution: Option<DistributionScores>,
}

/// An outcome with a score that models are chosen by.
pub trait Scored {
    /// Mean continuous ranked probability score.
    fn crps(&self) -> f64;
}

impl Scored for Outcome {
    /// Of a baseline the mean absolute error, which is the same score of a point.
    fn crps(&self) -> f64 {
        self.distribution.map_or(self.errors.mae, |scores| scores.crps / scores.customers)
    }
}

/// Customers of one frequency.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FrequencyRow {
    /// Customers.
    pub customers: u64,
    /// Sum of what happened.
    pub actual: u64,
    /// Sum of the expectations.
    pub expected: f64,
}

/// What baselines know of the time before the cut, in days or in opportunities.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past<'a> {
    /// Length of the holdout.
    pub(super) horizon: f64,
    /// Repeat purchases in a window as long as the holdout before the cut, one a customer.
    pub(super) last: &'a [f64],
    /// Time since the first purchase, one a customer.
    pub(super) age: &'a [f64],
    /// An age below it counts as this much.
    pub(super) shortest: f64,
    /// Periods that the holdout is cut into for the retention formula.
    pub(super) periods: u32,
    /// Share of the customers who are kept from one of them to the next.
    pub(super) retention: f64,
}

impl Observed {
    /// Number of customers.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.actual.len()
    }

    /// Scores of a method.
    ///
    /// * `expected`: one a customer. * `tracked`: by step.
    #[must_use]
    pub fn outcome(&self, expected: Vec<f64>, tracked: Vec<f64>, distribution: Option<DistributionScores>) -> Outcome {
        let actual: Vec<f64> = self.actual.iter().map(|n| f64::from(*n)).collect();
        Outcome {
            errors: scores::errors(&expected, &self.actual),
            spearman: scores::spearman(&expected, &actual),
            gini: scores::normalised_gini(&expected, &self.actual),
            deciles: scores::deciles(&expected, &self.actual),
            distribution,
            tracked,
            expected,
        }
    }

    /// Actual and expected purchases by frequency up to the cut; those from [`MANY`] on in the last row.
    #[must_use]
    pub fn by_frequency(&self, outcome: &Outcome) -> Vec<FrequencyRow> {
        let mut rows = vec![FrequencyRow::default(); MANY as usize + 1];
        for ((x, actual), expected) in self.frequency.iter().zip(&self.actual).zip(&outcome.expected) {
            let row = &mut rows[(*x).min(MANY) as usize];
            row.customers += 1;
            row.actual += u64::from(*actual);
            row.expected += expected;
        }
        rows
    }

    /// The three baselines: last period repeated, mean of the past, and the retention formula.
    pub(super) fn baselines<M>(&self, past: &Past<'_>) -> Result<Vec<Assessment<M>>, BaselineError> {
        let Past { horizon, last, age, shortest, periods, retention } = *past;
        let repeats: Vec<f64> = self.frequency.iter().map(|x| f64::from(*x)).collect();
        let margin = baselines::mean_of_past(&repeats, age, shortest, horizon / f64::from(periods))?;
        let all = [
            ("last_period", baselines::last_period_repeated(last, horizon, horizon)?),
            ("mean_of_past", baselines::mean_of_past(&repeats, age, shortest, horizon)?),
            (
                "retention_formula",
                baselines::simple_lifetime_value(&margin, retention, 0.0, Horizon::Periods(periods))?,
            ),
        ];
        let steady = |expected: Vec<f64>| {
            let mut sum = Compensated::default();
            for value in &expected {
                sum.add(*value);
            }
            let tracked = self.steps.iter().map(|step| sum.value() * step.over).collect();
            self.outcome(expected, tracked, None)
        };
        Ok(all
            .into_iter()
            .map(|(method, expected)| Assessment { method, fit: None, outcome: Some(steady(expected)) })
            .collect())
    }
}

impl<M, O: Scored> Assessment<M, O> {
    /// The score that models are chosen by.
    #[must_use]
    pub fn crps(&self) -> Option<f64> {
        Some(self.outcome.as_ref()?.crps())
    }

    /// Whether there is an outcome of a [`usable`] fit.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.fit.as_ref().is_some_and(usable) && self.outcome.is_some()
    }
}

/// Whether a fit may be chosen: converged, or at a limit that it names; not on a ridge, where parameters are open.
#[must_use]
pub fn usable<M>(fit: &Fit<M>) -> bool {
    matches!(fit.end, FitEnd::Converged | FitEnd::Boundary { .. })
}

/// The usable models from the best score down. Scores that differ by less than a millionth (of a purchase, or a time unit) are
/// equal, and the first of equals is the best: a model of regular purchases with `k = 1` is the simpler one that was tried
/// before it.
#[must_use]
pub fn rank<M, O: Scored>(assessments: &[Assessment<M, O>]) -> Vec<usize> {
    let millionths = |i: usize| libm::round(assessments[i].crps().unwrap_or(f64::INFINITY) * 1e6);
    let mut order: Vec<usize> = (0..assessments.len()).filter(|i| assessments[*i].usable()).collect();
    order.sort_by(|a, b| millionths(*a).total_cmp(&millionths(*b)));
    order
}
