//! Calibration and holdout: models are fitted to the purchases up to a cut and asked for those after it.
//!
//! Customers are those with a purchase up to the cut; the first purchase is not counted, purchases of one day are one. A
//! model answers with a distribution for each customer, a baseline with a number.

use super::{
    baselines::BaselineError,
    covariates::CovariateError,
    groups::GroupsError,
    histories::Histories,
    observed::{Assessment, Observed, Outcome, Past, Step},
    opportunities::OpportunityError,
    purchase_model::PurchaseModel,
    scores::DistributionScores,
    summary::{History, Summary, SummaryError},
};
use crate::{
    numeric::{hypergeometric::HypergeometricError, sums::Compensated},
    schema::{purchases::PurchaseLog, settings::PurchaseKind},
    units::Day,
};
use rayon::prelude::*;

mod groups;

/// Days of a step of the tracking.
pub const WEEK: u32 = 7;
/// Periods that the holdout is cut into for the retention formula.
const RETENTION_PERIODS: u32 = 4;

/// A cut from which nothing can be learnt, or a model without an expectation.
#[derive(Debug, thiserror::Error)]
pub enum HoldoutError {
    /// Nobody had bought by the cut.
    #[error("forecast: no customer has a purchase before the holdout; make it shorter")]
    NoCalibration,
    /// Nobody was under contract at the cut.
    #[error("forecast: no customer was under contract on the day before the holdout; make it shorter")]
    NoContracts,
    /// The holdout is shorter than half the time between two opportunities.
    #[error("forecast: a holdout of {days} days holds no opportunity to buy; make it longer")]
    NoOpportunity {
        /// Its days.
        days: u32,
    },
    /// Opportunities that cannot be.
    #[error("forecast: {0}")]
    Opportunities(#[from] OpportunityError),
    /// A history that cannot be.
    #[error("forecast: {0}")]
    Summary(#[from] SummaryError),
    /// Groups that cannot be fitted.
    #[error("forecast: {0}")]
    Groups(#[from] GroupsError),
    /// An expectation that does not converge.
    #[error("forecast: {0}")]
    Expectation(#[from] HypergeometricError),
    /// Covariates with which no fit begins.
    #[error("forecast: {0}")]
    Covariates(#[from] CovariateError),
    /// A baseline without a value.
    #[error("forecast: baseline: {0}")]
    Baseline(#[from] BaselineError),
}

/// A ledger's purchases, cut in two.
#[derive(Debug)]
pub struct Holdout {
    /// What happened after the cut, one a history; steps are weeks.
    pub observed: Observed,
    pub(super) histories: Histories,
    members: Members,
    ln_gaps: Vec<f64>,
    /// Repeat purchases in a window as long as the holdout before the cut, and in windows of the retention formula.
    last: Vec<f64>,
    retention: f64,
    pub(super) days_per_unit: f64,
}

/// Histories that one model rules.
#[derive(Debug)]
pub(super) struct Members {
    summary: Summary,
    /// Row of each history in the summary, and the rows of each summary entry, one after another.
    at: Vec<u32>,
    rows: Vec<u32>,
}

/// What one model says of its members.
pub(super) struct Foretold {
    pub(super) expected: Vec<f64>,
    pub(super) weekly: Vec<f64>,
    pub(super) distribution: DistributionScores,
}

impl Members {
    pub(super) fn new(frequency: &[u32], recency: &[u32], age: &[u32]) -> Result<Self, SummaryError> {
        let mut summary = Summary::new();
        summary.insert(frequency, recency, age)?;
        let at = summary.locate(frequency, recency, age)?;
        let mut rows: Vec<u32> = (0..at.len() as u32).collect();
        rows.sort_by_key(|row| at[*row as usize]);
        Ok(Self { summary, at, rows })
    }
}

impl Holdout {
    /// Cuts a log: the holdout is the last `days` days up to `end`.
    ///
    /// * `days_per_unit`: days in a model time unit, `> 0`.
    ///
    /// # Errors
    /// [`HoldoutError::NoCalibration`], [`HoldoutError::Summary`].
    pub fn new(log: &PurchaseLog, end: Day, days: u32, days_per_unit: f64) -> Result<Self, HoldoutError> {
        let cut = end.saturating_sub_unsigned(days);
        let histories = Histories::up_to(log, cut);
        if histories.customer.is_empty() {
            return Err(HoldoutError::NoCalibration);
        }
        let members = Members::new(&histories.frequency, &histories.recency, &histories.age)?;
        let mut weekly = vec![0_u64; days.div_ceil(WEEK) as usize];
        let mut actual = Vec::with_capacity(histories.customer.len());
        for customer in &histories.customer {
            let days = log.of(*customer as usize);
            let after = &days[days.partition_point(|day| *day <= cut)..];
            let after = &after[..after.partition_point(|day| *day <= end)];
            actual.push(after.len() as u32);
            for day in after {
                weekly[((day.abs_diff(cut) - 1) / WEEK) as usize] += 1;
            }
        }
        let mut sum = 0;
        let step = |(week, bought): (u32, u64)| {
            let passed = days.min((week + 1) * WEEK);
            sum += bought;
            Step { day: cut.saturating_add_unsigned(passed), over: f64::from(passed) / f64::from(days), actual: sum }
        };
        let steps = (0..).zip(weekly).map(step).collect();
        let repeats = |from: Day, to: Day| -> Vec<u32> {
            let count = |customer: &u32| {
                let days = log.of(*customer as usize);
                let repeats = &days[1..];
                let below = |day: Day| repeats.partition_point(|other| *other <= day);
                (below(to) - below(from)) as u32
            };
            histories.customer.iter().map(count).collect()
        };
        let last = repeats(cut.saturating_sub_unsigned(days), cut).into_iter().map(f64::from).collect();
        let ln_gaps = histories.ln_gaps(log);
        let retention = retention(log, &histories, cut, (days / RETENTION_PERIODS).max(1));
        let observed = Observed { cut, days, frequency: histories.frequency.clone(), actual, steps };
        Ok(Self { observed, histories, members, ln_gaps, last, retention, days_per_unit })
    }

    /// Fits a model up to the cut and asks it for the holdout.
    ///
    /// * `penalty`: as in [`PurchaseModel::fit_penalised`], where there is one.
    ///
    /// # Errors
    /// [`HoldoutError::Expectation`]. A fit without an estimate has no outcome.
    pub fn model(&self, kind: PurchaseKind, penalty: Option<f64>) -> Result<Assessment, HoldoutError> {
        let fit = PurchaseModel::fit_as(kind, &self.members.summary, &self.ln_gaps, penalty, self.days_per_unit);
        let outcome = match fit.fitted() {
            Ok(model) => Some(self.outcome_of(*model)?),
            Err(_) => None,
        };
        Ok(Assessment { method: kind.as_str(), fit: Some(fit), outcome })
    }

    fn outcome_of(&self, model: PurchaseModel) -> Result<Outcome, HoldoutError> {
        let Foretold { expected, weekly, distribution } = self.foretell(model, &self.members, &self.observed.actual)?;
        Ok(self.observed.outcome(expected, weekly, Some(distribution)))
    }

    /// * `actual`: purchases after the cut, one a member.
    pub(super) fn foretell(
        &self,
        model: PurchaseModel,
        members: &Members,
        actual: &[u32],
    ) -> Result<Foretold, HoldoutError> {
        let time = |days: u32| f64::from(days) / self.days_per_unit;
        let histories: Vec<(History, u64)> = members.summary.iter().collect();
        let p_alive: Vec<f64> = model.predict_alive(&members.summary, self.days_per_unit);
        let groups: Vec<std::ops::Range<usize>> = groups(&histories, model.remembers_silence());
        let mut weekly = Vec::new();
        let mut by_history = vec![0.0; histories.len()];
        for week in 1..=self.observed.days.div_ceil(WEEK) {
            let ahead = time(self.observed.days.min(week * WEEK));
            let of_group = |group: &std::ops::Range<usize>| {
                let History { frequency, recency, age } = histories[group.start].0;
                model.purchases_while_alive(f64::from(frequency), time(recency), time(age), ahead)
            };
            let values: Vec<f64> =
                groups.par_iter().map(of_group).collect::<Vec<_>>().into_iter().collect::<Result<_, _>>()?;
            let mut sum = Compensated::default();
            for (group, value) in groups.iter().zip(values) {
                for history in group.clone() {
                    by_history[history] = p_alive[history] * value;
                    sum.add(by_history[history] * histories[history].1 as f64);
                }
            }
            weekly.push(sum.value());
        }
        let expected: Vec<f64> = members.at.iter().map(|at| by_history[*at as usize]).collect();
        let of = (members.rows.as_slice(), actual);
        let distribution = self.score_distributions(&model, &histories, &groups, &p_alive, of);
        Ok(Foretold { expected, weekly, distribution })
    }

    /// The distribution of a customer who is alive is made once a group; parts are added in order.
    ///
    /// * `rows_of`, `actual`: rows of the histories, one after another, and what each row bought.
    fn score_distributions(
        &self,
        model: &PurchaseModel,
        histories: &[(History, u64)],
        groups: &[std::ops::Range<usize>],
        p_alive: &[f64],
        (rows_of, actual): (&[u32], &[u32]),
    ) -> DistributionScores {
        let time = |days: u32| f64::from(days) / self.days_per_unit;
        let mut first_row = Vec::with_capacity(histories.len() + 1);
        let mut rows = 0;
        for (_, weight) in histories {
            first_row.push(rows);
            rows += *weight as usize;
        }
        first_row.push(rows);
        let parts: Vec<DistributionScores> = groups
            .par_iter()
            .map(|group| {
                let History { frequency, recency, age } = histories[group.start].0;
                let ahead = time(self.observed.days);
                let alive = model.purchase_probabilities(f64::from(frequency), time(recency), time(age), ahead);
                let mut part = DistributionScores::default();
                for history in group.clone() {
                    for row in &rows_of[first_row[history]..first_row[history + 1]] {
                        part.add(p_alive[history], &alive, actual[*row as usize]);
                    }
                }
                part
            })
            .collect();
        let mut whole = DistributionScores::default();
        for part in &parts {
            whole.combine(part);
        }
        whole
    }

    /// The three baselines: last period repeated, mean of the past, and the retention formula.
    ///
    /// # Errors
    /// [`HoldoutError::Baseline`].
    pub fn baselines(&self) -> Result<Vec<Assessment>, HoldoutError> {
        let age: Vec<f64> = self.histories.age.iter().map(|days| f64::from(*days)).collect();
        Ok(self.observed.baselines(&Past {
            horizon: f64::from(self.observed.days),
            last: &self.last,
            age: &age,
            // Whoever came yesterday counts as a week old.
            shortest: f64::from(WEEK),
            periods: RETENTION_PERIODS,
            retention: self.retention,
        })?)
    }
}

/// Histories that share what a model says of them while alive: frequency and age, and recency where it matters.
fn groups(histories: &[(History, u64)], by_recency: bool) -> Vec<std::ops::Range<usize>> {
    let same = |l: &(History, u64), r: &(History, u64)| {
        l.0.frequency == r.0.frequency && l.0.age == r.0.age && (!by_recency || l.0.recency == r.0.recency)
    };
    let mut from = 0;
    histories
        .chunk_by(same)
        .map(|group| {
            let range = from..from + group.len();
            from = range.end;
            range
        })
        .collect()
}

/// Share of the customers who bought in the last period but one that bought in the last one as well; 0 without any.
fn retention(log: &PurchaseLog, histories: &Histories, cut: Day, period: u32) -> f64 {
    let (start, middle) = (cut.saturating_sub_unsigned(2 * period), cut.saturating_sub_unsigned(period));
    let (mut before, mut again) = (0_u64, 0_u64);
    for customer in &histories.customer {
        let days = log.of(*customer as usize);
        let below = |day: Day| days.partition_point(|other| *other <= day);
        if below(middle) > below(start) {
            before += 1;
            again += u64::from(below(cut) > below(middle));
        }
    }
    if before == 0 { 0.0 } else { again as f64 / before as f64 }
}
