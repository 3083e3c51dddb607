//! How far a method's cost is from what the customers truly caused.

use rayon::prelude::*;

use crate::{numeric::sums::chunked, units::Minor};

/// Errors of a method against the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    /// Mean of `|cost − truth| / |truth|` over customers whose true cost is not zero; `None` when there is none.
    pub mean_percentage_error: Option<f64>,
    /// Customers whose true cost is zero: no percentage exists for them.
    pub without_truth: u64,
    /// `√ Σ (cost − truth)²`, in minor units.
    pub euclidean_distance: f64,
    /// `√ Σ (cost − truth)² / √ Σ truth²`: the same, comparable between companies; `None` when the truth is zero.
    pub relative_distance: Option<f64>,
    /// Share of customers whose cost is within 5 % of the truth; `None` without customers.
    pub share_within_5_percent: Option<f64>,
}

/// Errors of `cost` against `truth`, one a customer each.
///
/// A cost is within 5 % when `20 · |cost − truth| <= |truth|`: a customer that truly cost nothing is right at zero only.
///
/// Sources: Babad & Balachandran, Cost driver optimization in activity-based costing, The Accounting Review 68 (1993);
/// Labro & Vanhoucke, A simulation analysis of interactions among errors in costing systems, The Accounting Review 82
/// (2007): Euclidean distance, mean percentage error and the share of accurate costs.
#[must_use]
pub fn errors(cost: &[Minor], truth: &[Minor]) -> Errors {
    let percent = |row: usize| match truth[row] {
        0 => 0.0,
        wanted => cost[row].abs_diff(wanted) as f64 / wanted.unsigned_abs() as f64,
    };
    let [percentages] = chunked(truth.len(), |rows| [rows.map(percent).sum()]);
    let known = truth.par_iter().filter(|wanted| **wanted != 0).count();
    let within = cost
        .par_iter()
        .zip(truth)
        .filter(|(cost, truth)| u128::from(cost.abs_diff(**truth)) * 20 <= u128::from(truth.unsigned_abs()))
        .count();
    let distance = norm(cost.iter().zip(truth).map(|(cost, truth)| cost.abs_diff(*truth)));
    let length = norm(truth.iter().map(|truth| truth.unsigned_abs()));
    Errors {
        mean_percentage_error: (known > 0).then(|| percentages / known as f64),
        without_truth: (truth.len() - known) as u64,
        euclidean_distance: distance,
        relative_distance: (length > 0.0).then(|| distance / length),
        share_within_5_percent: (!truth.is_empty()).then(|| within as f64 / truth.len() as f64),
    }
}

/// 2¹²⁸.
const TWO_TO_128: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;

/// `√ Σ x²`, with the sum of squares exact: 128 bits and how often they overflowed.
fn norm(values: impl Iterator<Item = u64>) -> f64 {
    let (mut low, mut high) = (0_u128, 0_u64);
    for value in values {
        let (sum, carry) = low.overflowing_add(u128::from(value) * u128::from(value));
        low = sum;
        high += u64::from(carry);
    }
    libm::sqrt(high as f64 * TWO_TO_128 + low as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn errors_of_four_customers_are_those_of_pencil_and_paper() {
        // Off by 3, 4, 0 and 0 of 100, 50, 0 and 80.
        let found = errors(&[103, 46, 0, 80], &[100, 50, 0, 80]);
        assert!((found.euclidean_distance - 5.0).abs() < 1e-15);
        assert!((found.mean_percentage_error.unwrap() - (0.03 + 0.08) / 3.0).abs() < 1e-15);
        assert_eq!(found.without_truth, 1);
        assert_eq!(found.share_within_5_percent, Some(0.75));
        let length = (100.0_f64 * 100.0 + 50.0 * 50.0 + 80.0 * 80.0).sqrt();
        assert!((found.relative_distance.unwrap() - 5.0 / length).abs() < 1e-15);
    }

    #[test]
    fn five_percent_is_the_last_that_is_within() {
        assert_eq!(errors(&[105, 95, -105], &[100, 100, -100]).share_within_5_percent, Some(1.0));
        assert_eq!(errors(&[106, 94, 1], &[100, 100, 0]).share_within_5_percent, Some(0.0));
    }

    #[test]
    fn the_truth_has_no_error_and_nobody_no_share() {
        let found = errors(&[7, -2], &[7, -2]);
        assert!(found.euclidean_distance < 1e-300 && found.mean_percentage_error == Some(0.0));
        assert_eq!(errors(&[], &[]), Errors::default());
        assert_eq!(errors(&[1], &[0]).mean_percentage_error, None);
    }

    #[test]
    fn squares_beyond_128_bits_do_not_wrap() {
        let found = errors(&[i64::MAX; 8], &[i64::MIN; 8]).euclidean_distance;
        assert!((found / (u64::MAX as f64 * 8.0_f64.sqrt()) - 1.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn errors_do_not_know_the_order_and_percentages_not_the_scale(
            mut rows in prop::collection::vec((-999..999_i64, -999..999_i64), 1..60), scale in 1..1_000_i64,
        ) {
            let of = |rows: &[(i64, i64)], scale: i64| {
                let (cost, truth): (Vec<i64>, Vec<i64>) = rows.iter().map(|row| (row.0 * scale, row.1 * scale)).unzip();
                errors(&cost, &truth)
            };
            let one = of(&rows, 1);
            rows.reverse();
            let many = of(&rows, scale);
            prop_assert!((many.euclidean_distance - one.euclidean_distance * scale as f64).abs() <= 1e-12 * many.euclidean_distance);
            prop_assert_eq!(many.share_within_5_percent, one.share_within_5_percent);
            let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs(),
                (a, b) => a == b,
            };
            prop_assert!(close(many.mean_percentage_error, one.mean_percentage_error));
        }
    }
}
