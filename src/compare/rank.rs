//! Ranks: how far two methods agree on who is better than whom.

use rayon::prelude::*;

use crate::units::Minor;

/// Spearman's rank correlation `Σ(rᵢ − r̄)(sᵢ − s̄) / √(Σ(rᵢ − r̄)² · Σ(sᵢ − s̄)²)` of two columns, ties by mid-ranks.
///
/// Ranks are doubled and centred, so every sum is an exact integer; only the quotient is a float.
///
/// Returns `None` when a column holds one value alone.
///
/// Source: Kendall & Gibbons, Rank Correlation Methods (1990): ρ with tied ranks.
#[must_use]
pub fn spearman(a: &[Minor], b: &[Minor]) -> Option<f64> {
    let (a, b) = (centred_ranks(a), centred_ranks(b));
    let sum = |left: &[i64], right: &[i64]| -> i128 {
        left.par_iter().zip(right).map(|(left, right)| i128::from(*left) * i128::from(*right)).sum()
    };
    let (both, of_a, of_b) = (sum(&a, &b), sum(&a, &a), sum(&b, &b));
    if of_a == 0 || of_b == 0 {
        return None;
    }
    // √x·√x is not always x: where nothing or as much is tied in both, no root is needed.
    if of_a == of_b {
        return Some(both as f64 / of_a as f64);
    }
    Some((both as f64 / (libm::sqrt(of_a as f64) * libm::sqrt(of_b as f64))).clamp(-1.0, 1.0))
}

/// Twice each value's mid-rank, less the mean of it: `2 rᵢ − (n + 1)`.
fn centred_ranks(values: &[Minor]) -> Vec<i64> {
    let mut order: Vec<(Minor, u32)> = values.iter().copied().zip(0..).collect();
    order.par_sort_unstable();
    let mut ranks = vec![0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|a, b| a.0 == b.0) {
        // Ranks `before + 1 ..= before + k`: twice their mean is 2·before + k + 1.
        let twice = 2 * before + equal.len() as i64 + 1;
        for (_, row) in equal {
            ranks[*row as usize] = twice - (values.len() as i64 + 1);
        }
        before += equal.len() as i64;
    }
    ranks
}

/// An end of a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Highest profit.
    Best,
    /// Lowest profit.
    Worst,
}

/// Rows from the highest value to the lowest; equal values by `ties`.
#[must_use]
pub fn best_first(values: &[Minor], ties: &[u64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.par_sort_unstable_by_key(|row| (std::cmp::Reverse(values[*row as usize]), ties[*row as usize], *row));
    order
}

/// Share of a tenth of the rows, rounded up, that two rankings have in common at one end; `None` without rows.
#[must_use]
pub fn overlap(a: &[u32], b: &[u32], end: End) -> Option<f64> {
    let tenth = a.len().div_ceil(10);
    if tenth == 0 {
        return None;
    }
    let part = |ranking: &[u32]| -> Vec<u32> {
        let rows = match end {
            End::Best => &ranking[..tenth],
            End::Worst => &ranking[ranking.len() - tenth..],
        };
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        rows
    };
    let (a, b) = (part(a), part(b));
    let common = a.iter().filter(|row| b.binary_search(row).is_ok()).count();
    Some(common as f64 / tenth as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_textbook_formula_holds_where_nothing_is_tied() {
        // 1 − 6 Σ d² / (n (n² − 1)) with d = 1, 1, 1, 1, 0: 1 − 24 / 120.
        assert_eq!(spearman(&[10, 20, 30, 40, 50], &[2, 1, 4, 3, 5]), Some(0.8));
        assert_eq!(spearman(&[1, 2, 3], &[9, 5, -4]), Some(-1.0));
    }

    #[test]
    fn tied_values_share_the_mean_of_their_ranks() {
        assert_eq!(centred_ranks(&[7, 7, 1, 9]), [0, 0, -3, 3]);
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / √(4.5 · 5).
        let wanted = 4.5 / (4.5_f64 * 5.0).sqrt();
        assert!((spearman(&[1, 2, 2, 3], &[1, 2, 3, 4]).unwrap() - wanted).abs() < 1e-15);
    }

    #[test]
    fn the_best_tenth_is_rounded_up_and_ties_go_by_key() {
        let values = [5, 5, 5, 1, 1, 1, 1, 1, 1, 1, 1];
        let order = best_first(&values, &[3, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(order[..3], [1, 2, 0]);
        let other = best_first(&values.map(|v| -v), &[3, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(overlap(&order, &other, End::Best), Some(0.0));
        assert_eq!(overlap(&order, &order, End::Worst), Some(1.0));
    }

    proptest! {
        #[test]
        fn ranks_do_not_see_what_keeps_the_order(values in prop::collection::vec((-99..99_i64, -99..99_i64), 2..50)) {
            let (a, b): (Vec<i64>, Vec<i64>) = values.into_iter().unzip();
            let bent: Vec<i64> = a.iter().map(|value| value * value * value + 5).collect();
            prop_assert_eq!(spearman(&bent, &b), spearman(&a, &b));
            let turned: Vec<i64> = a.iter().map(|value| -value).collect();
            prop_assert_eq!(spearman(&turned, &b), spearman(&a, &b).map(|rho| -rho));
        }
    }
}
