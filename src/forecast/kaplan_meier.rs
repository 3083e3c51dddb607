//! The share of customers who stay for longer than so long, without a model: what a fitted curve is held against.

use super::durations::Durations;
use super::tenures::Tenures;
use std::collections::BTreeMap;

/// A time at which somebody left, or could have, and the share who stayed beyond it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Time as a customer: days, or chances to renew.
    pub time: u32,
    /// Customers seen right before it.
    pub at_risk: u64,
    /// Those of them who left then.
    pub lost: u64,
    /// Estimate of the share of customers who stay for longer.
    pub survival: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// The product-limit estimate `S(t) = Π_{t_i <= t} (1 − d_i/n_i)` in continuous time, one step a day at which somebody left.
///
/// `n_i` are the customers with `entry < t_i <= exit`, so that customers who were there before the records began count
/// from then on. The standard error is Greenwood's, `S(t) √Σ d_i/(n_i (n_i − d_i))`; 0 once everybody has left.
///
/// Source: Kaplan & Meier, J. American Statistical Association 53 (1958), 457–481, equations 2b and 2f.
#[must_use]
pub fn by_day(durations: &Durations) -> Vec<Step> {
    let (at_risk, mut left) = (durations.at_risk(), BTreeMap::<u32, u64>::new());
    for (duration, customers) in durations.iter().filter(|(duration, _)| duration.lost) {
        *left.entry(duration.exit).or_default() += customers;
    }
    product_limit(left.into_iter().map(|(day, lost)| (day, at_risk[day as usize], lost)))
}

/// The same where customers leave at chances to renew: one step a chance that somebody had.
#[must_use]
pub fn by_chance(tenures: &Tenures) -> Vec<Step> {
    product_limit(
        tenures.chances().into_iter().map(|chance| (chance.number, chance.renewed + chance.lost, chance.lost)),
    )
}

/// * `events`: time, customers at risk and lost, in order of time.
fn product_limit(events: impl Iterator<Item = (u32, u64, u64)>) -> Vec<Step> {
    let (mut survival, mut spread) = (1.0, 0.0);
    events
        .map(|(time, at_risk, lost)| {
            let (n, d) = (at_risk as f64, lost as f64);
            if lost > 0 {
                survival *= (n - d) / n;
                spread += d / (n * (n - d));
            }
            let standard_error = if survival > 0.0 { survival * libm::sqrt(spread) } else { 0.0 };
            Step { time, at_risk, lost, survival, standard_error }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(u32, bool, u32)]) -> Vec<Step> {
        let mut durations = Durations::new();
        for &(exit, lost, entry) in rows {
            durations.insert(&[exit], &[lost], &[entry]).unwrap();
        }
        by_day(&durations)
    }

    /// The 6-MP arm of Freireich et al. (1963): remission in weeks, 9 of 21 relapsed.
    #[test]
    fn the_leukemia_remissions_have_their_published_curve() {
        let lost = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(|week| (week, true, 0));
        let kept = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|week| (week, false, 0));
        let steps = of(&[lost.as_slice(), &kept].concat());
        // Kleinbaum & Klein, Survival Analysis (2012), table 2.2; errors from Greenwood's formula.
        let expected = [
            (6, 21, 3, 0.857_1, 0.076_4),
            (7, 17, 1, 0.806_7, 0.086_9),
            (10, 15, 1, 0.752_9, 0.096_3),
            (13, 12, 1, 0.690_2, 0.106_8),
            (16, 11, 1, 0.627_5, 0.114_1),
            (22, 7, 1, 0.537_8, 0.128_2),
            (23, 6, 1, 0.448_2, 0.134_6),
        ];
        assert_eq!(steps.len(), expected.len());
        for (step, (week, at_risk, lost, survival, error)) in steps.iter().zip(expected) {
            assert_eq!((step.time, step.at_risk, step.lost), (week, at_risk, lost));
            assert!((step.survival - survival).abs() < 6e-5, "{step:?}");
            assert!((step.standard_error - error).abs() < 6e-5, "{step:?}");
        }
    }

    #[test]
    fn who_came_into_sight_late_is_not_at_risk_before() {
        // Two from the start, one seen from day 10 on, one whose entry is the very day at which another leaves.
        let steps = of(&[(5, true, 0), (20, true, 0), (20, false, 10), (30, true, 20)]);
        let told: Vec<_> = steps.iter().map(|s| (s.time, s.at_risk, s.lost)).collect();
        assert_eq!(told, [(5, 2, 1), (20, 2, 1), (30, 1, 1)]);
        assert!((steps[1].survival - 0.25).abs() < 1e-15);
        assert!(steps[2].survival.abs() < 1e-15 && steps[2].standard_error.abs() < 1e-15);
        assert!(by_day(&Durations::new()).is_empty());
    }

    #[test]
    fn a_cohort_keeps_the_shares_that_it_keeps() {
        // Fader & Hardie, How to project customer retention (2007), table 1: the Regular cohort of 1,000 customers.
        let cohort = [1_000, 631, 468, 382, 326, 289, 262, 241];
        let mut tenures = Tenures::new();
        tenures.insert_cohort(&cohort).unwrap();
        let steps = by_chance(&tenures);
        assert_eq!(steps.len(), 7);
        for (step, pair) in steps.iter().zip(cohort.windows(2)) {
            let share = pair[1] as f64 / 1_000.0;
            assert_eq!((step.at_risk, step.lost), (pair[0], pair[0] - pair[1]));
            assert!((step.survival - share).abs() < 1e-14, "{step:?}");
            // Without censoring Greenwood's error is the binomial one.
            assert!((step.standard_error - libm::sqrt(share * (1.0 - share) / 1_000.0)).abs() < 1e-14, "{step:?}");
        }
    }
}
