//! How much of the profit hangs on how few customers: the whale curve's peak, Gini and Stobachoff index.
//!
//! All three come from one curve, the cumulative profit over customers sorted best first, as shares of both.

use rayon::prelude::*;

use crate::units::{Minor, MinorSum};

/// Concentration of profit over customers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Concentration {
    /// Profit of all.
    pub total: MinorSum,
    /// Profit of the customers that earn something: the peak of the whale curve.
    pub peak: MinorSum,
    /// Customers with a loss.
    pub losing: u64,
    /// `peak / total`; `None` when the total is not positive.
    pub peak_share: Option<f64>,
    /// Gini coefficient; above 1 where losses are large. `None` when the total is not positive.
    pub gini: Option<f64>,
    /// Stobachoff index, 0 to 1; `None` when the total is not positive.
    pub stobachoff: Option<f64>,
}

/// Concentration of `profit`.
///
/// With `A` the area between the curve and the diagonal, in shares of customers and of profit:
///
/// * Gini `= 2A = (Σᵢ (n + 1 − 2i) x₍ᵢ₎) / (n Σ x)` over `x₍₁₎ >= x₍₂₎ >= …`: 0 when all earn the same.
/// * Stobachoff `= A / (A + ½)`: the share of the area below the curve that lies above the diagonal. It stays below 1
///   also where losing customers lift the curve above 100 %.
///
/// Sources: Gini (1914); van Raaij, Vernooij & van Triest, The implementation of customer profitability analysis,
/// Industrial Marketing Management 32 (2003), after Storbacka (1997): the index is a ratio of areas of this curve.
#[must_use]
pub fn concentration(profit: &[Minor]) -> Concentration {
    let mut sorted = profit.to_vec();
    sorted.par_sort_unstable_by(|a, b| b.cmp(a));
    of_sorted(&sorted)
}

/// [`concentration`] of a profit that is sorted, the largest first.
#[must_use]
pub fn of_sorted(sorted: &[Minor]) -> Concentration {
    let n = sorted.len() as i128;
    let total: MinorSum = sorted.iter().map(|value| MinorSum::from(*value)).sum();
    let peak: MinorSum = sorted.iter().filter(|value| **value > 0).map(|value| MinorSum::from(*value)).sum();
    // n² times 64 bits: fits 128 bits up to 10⁹ customers.
    let weighted: i128 = (1..).zip(sorted).map(|(i, value): (i128, _)| (n + 1 - 2 * i) * i128::from(*value)).sum();
    let share = |of: f64| (total > 0).then_some(of);
    let gini = weighted as f64 / (n as f64 * total as f64);
    Concentration {
        total,
        peak,
        losing: sorted.iter().filter(|value| **value < 0).count() as u64,
        peak_share: share(peak as f64 / total as f64),
        gini: share(gini),
        stobachoff: share(gini / (1.0 + gini)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The curve's area by the trapezoid rule, as the definitions draw it.
    fn area(profit: &[Minor]) -> f64 {
        let mut sorted = profit.to_vec();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let total: i64 = sorted.iter().sum();
        let (mut area, mut so_far) = (0.0, 0);
        for value in sorted {
            area += (2 * so_far + value) as f64 / 2.0;
            so_far += value;
        }
        area / profit.len() as f64 / total as f64
    }

    #[test]
    fn the_distributors_curve_has_the_area_of_its_five_trapezoids() {
        // REFERENCE, in cents; cumulated 41,856 80,576 92,121 94,133 90,787: area 708,159 / 907,870 = 0.780023.
        let found = concentration(&[201_200, 1_154_500, 3_872_000, 4_185_600, -334_600]);
        assert_eq!((found.total, found.peak, found.losing), (9_078_700, 9_413_300, 1));
        let area = 708_159.0 / 907_870.0;
        assert!((found.peak_share.unwrap() - 1.036_855).abs() < 5e-7);
        assert!((found.gini.unwrap() - (2.0 * area - 1.0)).abs() < 1e-15);
        assert!((found.stobachoff.unwrap() - (area - 0.5) / area).abs() < 1e-15);
    }

    #[test]
    fn equal_customers_are_not_concentrated_and_a_losing_base_has_no_shares() {
        let equal = concentration(&[7, 7, 7]);
        assert_eq!((equal.gini, equal.stobachoff, equal.peak_share), (Some(0.0), Some(0.0), Some(1.0)));
        let losing = concentration(&[5, -9]);
        assert_eq!((losing.total, losing.peak, losing.gini, losing.stobachoff), (-4, 5, None, None));
        assert_eq!(concentration(&[]), Concentration::default());
    }

    #[test]
    fn one_customer_that_earns_all_of_n_has_a_gini_of_one_less_a_share() {
        let found = concentration(&[0, 0, 0, 100]);
        assert_eq!(found.gini, Some(0.75));
        assert!((found.stobachoff.unwrap() - 0.75 / 1.75).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn indices_are_areas_and_know_neither_scale_nor_order(
            mut profit in prop::collection::vec(-500..2_000_i64, 1..60), scale in 1..1_000_i64,
        ) {
            prop_assume!(profit.iter().sum::<i64>() > 0);
            let found = concentration(&profit);
            let area = area(&profit);
            prop_assert!((found.gini.unwrap() - (2.0 * area - 1.0)).abs() < 1e-9 * area.abs().max(1.0));
            prop_assert!((0.0..1.0).contains(&found.stobachoff.unwrap()));
            profit.reverse();
            for value in &mut profit { *value *= scale; }
            let scaled = concentration(&profit);
            prop_assert!((scaled.gini.unwrap() - found.gini.unwrap()).abs() < 1e-12 * found.gini.unwrap().max(1.0));
            prop_assert_eq!(scaled.losing, found.losing);
        }
    }
}
