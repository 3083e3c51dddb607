//! The share of customers who stay for longer than so many days, without a model: what a fitted curve is held against.

use super::durations::Durations;
use std::collections::BTreeMap;

/// A day at which somebody left, and the share who stayed beyond it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Days as a customer.
    pub day: u32,
    /// Customers seen right before it.
    pub at_risk: u64,
    /// Those of them who left then.
    pub lost: u64,
    /// Estimate of the share of customers who stay for longer.
    pub survival: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// The product-limit estimate `S(t) = Π_{t_i <= t} (1 − d_i/n_i)`, one step a day at which somebody left.
///
/// `n_i` are the customers with `entry < t_i <= exit`, so that customers who were there before the records began count
/// from then on. The standard error is Greenwood's, `S(t) √Σ d_i/(n_i (n_i − d_i))`; 0 once everybody has left.
///
/// Source: Kaplan & Meier, J. American Statistical Association 53 (1958), 457–481, equations 2b and 2f.
#[must_use]
pub fn kaplan_meier(durations: &Durations) -> Vec<Step> {
    // By day: who leaves, who is out of sight after it, who comes into sight after it.
    let mut days: BTreeMap<u32, [u64; 3]> = BTreeMap::new();
    for (duration, weight) in durations.iter() {
        let day = days.entry(duration.exit).or_default();
        day[0] += if duration.lost { weight } else { 0 };
        day[1] += weight;
        days.entry(duration.entry).or_default()[2] += weight;
    }
    let (mut at_risk, mut survival, mut spread) = (0, 1.0, 0.0);
    let mut steps = Vec::new();
    for (day, [lost, out, into]) in days {
        if lost > 0 {
            let (n, d) = (at_risk as f64, lost as f64);
            survival *= (n - d) / n;
            spread += d / (n * (n - d));
            let standard_error = if lost == at_risk { 0.0 } else { survival * libm::sqrt(spread) };
            steps.push(Step { day, at_risk, lost, survival, standard_error });
        }
        at_risk = at_risk - out + into;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(u32, bool, u32)]) -> Vec<Step> {
        let mut durations = Durations::new();
        for &(exit, lost, entry) in rows {
            durations.insert(&[exit], &[lost], &[entry]).unwrap();
        }
        kaplan_meier(&durations)
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
        for (step, (day, at_risk, lost, survival, error)) in steps.iter().zip(expected) {
            assert_eq!((step.day, step.at_risk, step.lost), (day, at_risk, lost));
            assert!((step.survival - survival).abs() < 6e-5, "{step:?}");
            assert!((step.standard_error - error).abs() < 6e-5, "{step:?}");
        }
    }

    #[test]
    fn who_came_into_sight_late_is_not_at_risk_before() {
        // Two from the start, one seen from day 10 on, one whose entry is the very day at which another leaves.
        let steps = of(&[(5, true, 0), (20, true, 0), (20, false, 10), (30, true, 20)]);
        let told: Vec<_> = steps.iter().map(|s| (s.day, s.at_risk, s.lost)).collect();
        assert_eq!(told, [(5, 2, 1), (20, 2, 1), (30, 1, 1)]);
        assert!((steps[1].survival - 0.25).abs() < 1e-15);
        assert!(steps[2].survival.abs() < 1e-15 && steps[2].standard_error.abs() < 1e-15);
        assert!(kaplan_meier(&Durations::new()).is_empty());
    }
}
