//! How many customers stay under contract for how long, as observed and as a model says.

use super::contract_calendar::ContractCalendar;
use super::contract_model::{ContractModel, Leaving};
use super::durations::DurationError;
use super::kaplan_meier::{Step, by_chance, by_day};
use super::spells::{self, Spell};
use super::tenures::TenureError;
use crate::units::Day;

/// What is known of staying for one time unit longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retained {
    /// Number of the renewal, or of the time unit under contract, from 1.
    pub tenure: u32,
    /// Customers whose renewal came up, or who were seen under contract when the time unit began.
    pub at_risk: u64,
    /// Customers lost at the renewal, or in the time unit.
    pub lost: u64,
    /// Estimate of the share of customers who stay for longer, without a model.
    pub observed: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The same share by the model.
    pub expected: f64,
}

/// Spells that cannot be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    /// By renewals.
    #[error(transparent)]
    Tenures(#[from] TenureError),
    /// By days.
    #[error(transparent)]
    Durations(#[from] DurationError),
}

/// The product-limit estimate of the share who stay beyond each renewal (or time unit) beside the model's, up to the last
/// that anybody was seen to come to.
///
/// * `from`: as in [`spells::tenures`]: who had left before that day is not in the records.
///
/// Source: Kaplan & Meier, J. American Statistical Association 53 (1958), 457–481.
///
/// # Errors
/// [`RetentionError`] of spells of thousands of years.
pub fn curve(
    model: &ContractModel,
    spells: &[Spell],
    calendar: &ContractCalendar,
    from: Option<Day>,
) -> Result<Vec<Retained>, RetentionError> {
    match model.leaving() {
        Leaving::AtRenewals(retention) => {
            let steps = by_chance(&spells::tenures(spells, calendar.as_of, calendar.term, from)?);
            let mut expected = 1.0;
            let row = |Step { time, at_risk, lost, survival, standard_error }| {
                expected *= retention(time);
                Retained { tenure: time, at_risk, lost, observed: survival, standard_error, expected }
            };
            Ok(steps.into_iter().map(row).collect())
        }
        Leaving::AnyTime(how) => {
            let durations = spells::durations(spells, calendar.as_of, from)?;
            let steps = by_day(&durations);
            let at_risk = durations.at_risk();
            let last_day = |tenure: u32| (f64::from(tenure) * calendar.days_per_unit).floor() as u32;
            let units = ((at_risk.len() as f64 - 1.0) / calendar.days_per_unit).ceil() as u32;
            let row = |tenure: u32| {
                let (first, last) = (last_day(tenure - 1) + 1, last_day(tenure));
                let so_far = |day: u32| steps.partition_point(|step| step.time <= day);
                let (before, within) = (so_far(first - 1), so_far(last));
                let known = within.checked_sub(1).map(|at| &steps[at]);
                Retained {
                    tenure,
                    at_risk: at_risk[first as usize],
                    lost: steps[before..within].iter().map(|step| step.lost).sum(),
                    observed: known.map_or(1.0, |step| step.survival),
                    standard_error: known.map_or(0.0, |step| step.standard_error),
                    expected: how.stays(0.0, f64::from(tenure)),
                }
            };
            Ok((1..=units).map(row).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::{beta_geometric::ShiftedBetaGeometric, exponential_gamma::ExponentialGamma};
    use crate::schema::{forecasting::Discounting, renewals::RenewalTerm};

    const TEN_DAYS: ContractCalendar = ContractCalendar {
        as_of: 100,
        term: RenewalTerm::Days(10),
        days_per_unit: 10.0,
        horizon_days: 10,
        delta: 0.0,
        discounting: Discounting::Continuous,
    };

    fn told(rows: &[Retained]) -> Vec<(u32, u64, u64)> {
        rows.iter().map(|row| (row.tenure, row.at_risk, row.lost)).collect()
    }

    fn spells() -> Vec<Spell> {
        let spell = |start, end| Spell { customer: 0, start, end, ends: None };
        // Of days 10, 11, 20 and 25 under contract, and one of 31 days that goes on.
        vec![spell(0, Some(9)), spell(0, Some(10)), spell(50, Some(69)), spell(0, Some(24)), spell(70, None)]
    }

    #[test]
    fn in_continuous_time_a_row_is_a_time_unit() {
        let model = ExponentialGamma { r: 1.0, alpha: 3.0 };
        let rows = curve(&ContractModel::ExponentialGamma(model), &spells(), &TEN_DAYS, None).unwrap();
        assert_eq!(told(&rows), [(1, 5, 1), (2, 4, 2), (3, 2, 1), (4, 1, 0)]);
        let observed = [4.0 / 5.0, 4.0 / 5.0 * 3.0 / 4.0 * 2.0 / 3.0, 0.2, 0.2];
        for (row, observed) in rows.iter().zip(observed) {
            assert!((row.observed - observed).abs() < 1e-15, "{row:?}");
            // S(t) = (alpha / (alpha + t))^r.
            assert!((row.expected - 3.0 / (3.0 + f64::from(row.tenure))).abs() < 1e-15, "{row:?}");
        }
        assert!((rows[0].standard_error - libm::sqrt(0.8 * 0.2 / 5.0)).abs() < 1e-15);
        // Records that begin on day 60 hold two of them, one of which had been under contract for ten days.
        let rows = curve(&ContractModel::ExponentialGamma(model), &spells(), &TEN_DAYS, Some(60)).unwrap();
        assert_eq!(told(&rows), [(1, 1, 0), (2, 2, 1), (3, 1, 0), (4, 1, 0)]);
        assert!((rows[1].observed - 0.5).abs() < 1e-15 && (rows[0].observed - 1.0).abs() < 1e-15);
    }

    #[test]
    fn of_renewals_a_row_is_a_renewal() {
        let model = ContractModel::BetaGeometric(ShiftedBetaGeometric { alpha: 1.0, beta: 2.0 });
        let rows = curve(&model, &spells(), &TEN_DAYS, None).unwrap();
        // Days 10 and 11 are nearest to the first renewal, 20 to the second and 25 to the second or third: the later one.
        let tenures = crate::forecast::spells::tenures(&spells(), 100, RenewalTerm::Days(10), None).unwrap();
        let chances = tenures.chances();
        assert_eq!(told(&rows), chances.iter().map(|c| (c.number, c.renewed + c.lost, c.lost)).collect::<Vec<_>>());
        // S(t) = B(alpha, beta + t) / B(alpha, beta) = 2 / (2 + t) for alpha = 1.
        for row in &rows {
            assert!((row.expected - 2.0 / (2.0 + f64::from(row.tenure))).abs() < 1e-15, "{row:?}");
        }
    }

    #[test]
    fn nobody_gives_no_row() {
        for model in [
            ContractModel::ExponentialGamma(ExponentialGamma { r: 1.0, alpha: 3.0 }),
            ContractModel::BetaGeometric(ShiftedBetaGeometric { alpha: 1.0, beta: 2.0 }),
        ] {
            assert_eq!(curve(&model, &[], &TEN_DAYS, None), Ok(Vec::new()));
        }
    }
}
