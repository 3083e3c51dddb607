//! Groups of customers: recency, frequency and monetary scores, and value tiers.
//!
//! ```
//! use whalecurve::{
//!     portfolio::{scores, tiers},
//!     schema::settings::ValueTier,
//! };
//!
//! let value = [50, 900, -20, 50];
//! assert_eq!(scores(&value, 4), [2, 4, 1, 2]); // equal values, equal scores
//!
//! let tier = |name: &str, share| ValueTier { name: name.to_owned(), share };
//! assert_eq!(tiers(&value, &[tier("gold", 0.25), tier("lead", 0.75)]), [1, 0, 1, 1]);
//! ```

use std::cmp::Reverse;

use rayon::prelude::*;

use crate::schema::settings::ValueTier;

/// Scores from 1 (worst) to `groups` (best): `1 + ⌊groups · (customers strictly worse) / customers⌋`.
///
/// Equal values have equal scores, and a better value never has a lower one.
///
/// * `values`: larger is better.
///
/// Source: Hughes, Strategic Database Marketing (1994), RFM by quantiles.
#[must_use]
pub fn scores<T: Ord + Copy + Send + Sync>(values: &[T], groups: u8) -> Vec<u8> {
    let mut sorted = values.to_vec();
    sorted.par_sort_unstable();
    // At least `1 + g` has who is better than the `⌈g · customers / groups⌉` worst.
    let customers = sorted.len() as u64;
    let cuts: Vec<T> = (1..u64::from(groups))
        .filter_map(|group| (group * customers).div_ceil(u64::from(groups)).checked_sub(1))
        .map(|at| sorted[at as usize])
        .collect();
    values.par_iter().map(|value| 1 + cuts.iter().filter(|cut| value > cut).count() as u8).collect()
}

/// The tier of each customer: customers are ranked by value, best first, ties by row, and cut at the cumulated shares.
///
/// * `tiers`: best first; shares sum to 1. Returns positions in `tiers`.
#[must_use]
pub fn tiers(values: &[i64], tiers: &[ValueTier]) -> Vec<u16> {
    let mut order: Vec<(Reverse<i64>, u32)> =
        values.par_iter().map(|value| Reverse(*value)).zip(0..values.len() as u32).collect();
    order.par_sort_unstable();
    let mut cumulated = 0.0;
    let ends: Vec<usize> = tiers
        .iter()
        .map(|tier| {
            cumulated += tier.share;
            (cumulated * values.len() as f64).round_ties_even() as usize
        })
        .collect();
    let last = tiers.len().saturating_sub(1);
    let mut tier = vec![0; values.len()];
    for (rank, (_, row)) in order.into_iter().enumerate() {
        tier[row as usize] = ends.iter().position(|end| rank < *end).unwrap_or(last) as u16;
    }
    tier
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_score_and_better_ones_never_score_lower() {
        assert_eq!(scores(&[5, 1, 1, 1, 9], 5), [4, 1, 1, 1, 5]);
    }

    #[test]
    fn tiers_hold_their_share_of_customers_and_ties_go_by_row() {
        let share = |name: &str, share| ValueTier { name: name.to_owned(), share };
        let cut = [share("gold", 0.25), share("lead", 0.75)];
        assert_eq!(tiers(&[7, 9, 9, 1, 2, 3, 4, 5], &cut), [1, 0, 0, 1, 1, 1, 1, 1]);
    }
}
