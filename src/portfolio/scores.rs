//! Scores of recency, frequency and monetary value, and the named cells of the first two.

use rayon::prelude::*;

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

/// Scores by fixed cuts: 1, and one more for each cut that the value reaches.
///
/// * `values`: larger is better. * `cuts`: ascending.
#[must_use]
pub fn cut_scores<T: Ord + Copy + Send + Sync>(values: &[T], cuts: &[T]) -> Vec<u8> {
    values.par_iter().map(|value| 1 + cuts.iter().filter(|cut| value >= cut).count() as u8).collect()
}

/// Names of the cells, as they are sorted.
pub const CELLS: [&str; 11] = [
    "about_to_sleep",
    "at_risk",
    "cant_lose",
    "champions",
    "hibernating",
    "loyal",
    "need_attention",
    "new",
    "no_purchase",
    "potential_loyalists",
    "promising",
];

/// The cell of a customer, as a position in [`CELLS`].
///
/// | recency \ frequency | 1 | 2 | 3 | 4 | 5 |
/// |---|---|---|---|---|---|
/// | 5 | new | `potential_loyalists` | `potential_loyalists` | champions | champions |
/// | 4 | promising | `potential_loyalists` | `potential_loyalists` | loyal | loyal |
/// | 3 | `about_to_sleep` | `about_to_sleep` | `need_attention` | loyal | loyal |
/// | 1, 2 | hibernating | hibernating | `at_risk` | `at_risk` | `cant_lose` |
///
/// Scores out of another number of groups than five are taken as `⌈5 · score / groups⌉`.
///
/// * `recency`, `frequency`: score and number of groups; `None` for a customer without a purchase.
///
/// Source: the grid of ten segments that RFM tools share (Putler and its like); names and borders are a convention.
#[must_use]
pub fn cell(scores: Option<[(u8, u8); 2]>) -> u16 {
    let Some([recency, frequency]) = scores else { return 8 };
    let fifth = |(score, groups): (u8, u8)| (5 * u16::from(score)).div_ceil(u16::from(groups));
    match (fifth(recency), fifth(frequency)) {
        (5, 4 | 5) => 3,
        (5, 1) => 7,
        (4 | 5, 2 | 3) => 9,
        (4, 1) => 10,
        (3 | 4, 4 | 5) => 5,
        (3, 3) => 6,
        (3, 1 | 2) => 0,
        (1 | 2, 5) => 2,
        (1 | 2, 3 | 4) => 1,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_score_and_better_ones_never_score_lower() {
        assert_eq!(scores(&[5, 1, 1, 1, 9], 5), [4, 1, 1, 1, 5]);
    }

    #[test]
    fn fixed_cuts_count_what_a_value_reaches() {
        assert_eq!(cut_scores(&[0, 1, 4, 5, 10, 99], &[1, 5, 10]), [1, 2, 2, 3, 4, 4]);
    }

    #[test]
    fn the_grid_is_the_documented_one_and_other_groups_are_stretched_to_it() {
        let row = |recency| -> Vec<&str> {
            (1..=5).map(|frequency| CELLS[usize::from(cell(Some([(recency, 5), (frequency, 5)])))]).collect()
        };
        assert_eq!(row(5), ["new", "potential_loyalists", "potential_loyalists", "champions", "champions"]);
        assert_eq!(row(4), ["promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"]);
        assert_eq!(row(3), ["about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"]);
        assert_eq!(row(2), ["hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"]);
        assert_eq!(row(1), row(2));
        assert_eq!(CELLS[usize::from(cell(Some([(2, 2), (4, 4)])))], "champions");
        assert_eq!(CELLS[usize::from(cell(None))], "no_purchase");
        assert!(CELLS.is_sorted());
    }
}
