//! Rows by their values: the largest first, ties by row.

use std::cmp::{Ordering, Reverse};

use rayon::prelude::*;

/// A value with its row: in order, the largest value comes first, and of equal ones the first row.
pub type Ranked = (Reverse<i64>, u32);

/// Every value with its row, in the order of the rows.
#[must_use]
pub fn with_rows(values: &[i64]) -> Vec<Ranked> {
    values.par_iter().map(|value| Reverse(*value)).zip(0..values.len() as u32).collect()
}

/// Every value with its row, in order.
///
/// ```
/// use whalecurve::numeric::ranking::ranking;
///
/// let rows: Vec<u32> = ranking(&[3, 8, 8, -1]).into_iter().map(|(_, row)| row).collect();
/// assert_eq!(rows, [1, 2, 0, 3]);
/// ```
#[must_use]
pub fn ranking(values: &[i64]) -> Vec<Ranked> {
    let mut ranked = with_rows(values);
    ranked.par_sort_unstable();
    ranked
}

/// Splits items where they would be split if they were in order; between two cuts they are in no order of their own. Time grows
/// with the items, not with their logarithm.
///
/// * `cuts`: places, ascending; those beyond the items split nothing. * `compare`: never equal of two items.
pub fn split_at_ranks<T>(items: &mut [T], cuts: impl IntoIterator<Item = usize>, compare: impl Fn(&T, &T) -> Ordering) {
    let mut from = 0;
    for cut in cuts {
        if (from..items.len()).contains(&cut) {
            items[from..].select_nth_unstable_by(cut - from, &compare);
            from = cut;
        }
    }
}
