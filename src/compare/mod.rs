//! Two allocation methods side by side: what moved, who changed sign, who changed rank.
//!
//! Slices in, one row out. All sums are integers, so no figure depends on the order of customers.
//!
//! ```
//! use whalecurve::compare::{Outcome, compare};
//!
//! // Spring Distribution (Horngren), P to T, in cents: cost-to-serve by driver, and the same cost by revenue.
//! let before = [499_200, 1_890_000, 7_296_000, 6_105_600, 374_400];
//! let driver = [298_000, 735_500, 3_424_000, 1_920_000, 709_000];
//! let revenue = [146_422, 605_691, 3_923_354, 2_163_946, 247_087];
//! let profit = |cost: &[i64; 5]| -> Vec<i64> { before.iter().zip(cost).map(|(p, c)| p - c).collect() };
//! let (by_driver, by_revenue) = (profit(&driver), profit(&revenue));
//!
//! let found = compare(
//!     Outcome { cost: &driver, profit: &by_driver },
//!     Outcome { cost: &revenue, profit: &by_revenue },
//!     &[1, 2, 3, 4, 5],
//! );
//! assert_eq!(found.cost_moved, 743_300);
//! assert_eq!((found.sign_changes, found.sign_change_amount), (1, 461_913)); // T: a loss turns to a profit
//! assert_eq!(found.rank_correlation, Some(1.0));
//! ```

pub mod rank;
pub mod runs;
pub mod truth;

use rayon::prelude::*;

use crate::{
    numeric::decimal::divide_half_even,
    units::{Minor, MinorSum},
};

/// What a method says of every customer.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// Allocated cost, one a customer.
    pub cost: &'a [Minor],
    /// Profit, one a customer.
    pub profit: &'a [Minor],
}

/// How two methods differ. The same whichever comes first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Cost that other customers bear: `½ Σ |a − b|`, half to even.
    pub cost_moved: MinorSum,
    /// `Σ |a − b| / (Σ a + Σ b)`: the share of the cost that moved; `None` when there is no cost.
    pub share_moved: Option<f64>,
    /// Customers that lose money under one method and not under the other.
    pub sign_changes: u64,
    /// What the profits of those customers differ by, without sign.
    pub sign_change_amount: MinorSum,
    /// Spearman's rank correlation of profit; `None` when a method gives everybody the same.
    pub rank_correlation: Option<f64>,
    /// Share of the best tenth of the customers that both methods agree on; `None` without customers.
    pub top_decile_overlap: Option<f64>,
    /// The same of the worst tenth.
    pub bottom_decile_overlap: Option<f64>,
    /// What the profits of 99 % of the customers differ by at most.
    pub change_p99: Minor,
    /// What a customer's profits differ by at most.
    pub change_max: Minor,
}

/// Compares two methods over the same customers.
///
/// * `ties`: one a customer, the same in both methods: who goes first where profits are equal.
///
/// Columns have the length of `ties`.
#[must_use]
pub fn compare(a: Outcome<'_>, b: Outcome<'_>, ties: &[u64]) -> Comparison {
    let twice_moved: MinorSum = a.cost.par_iter().zip(b.cost).map(|(a, b)| MinorSum::from(a.abs_diff(*b))).sum();
    let total: MinorSum = a.cost.par_iter().zip(b.cost).map(|(a, b)| MinorSum::from(*a) + MinorSum::from(*b)).sum();
    let (sign_changes, sign_change_amount) = a
        .profit
        .par_iter()
        .zip(b.profit)
        .filter(|(a, b)| (**a < 0) != (**b < 0))
        .map(|(a, b)| (1, MinorSum::from(a.abs_diff(*b))))
        .reduce(|| (0, 0), |left, right| (left.0 + right.0, left.1 + right.1));
    let mut changes: Vec<u64> = a.profit.par_iter().zip(b.profit).map(|(a, b)| a.abs_diff(*b)).collect();
    changes.par_sort_unstable();
    let at = |share: usize| changes.get((changes.len() * share).div_ceil(100).max(1) - 1).map_or(0, |c| saturated(*c));
    let (top, bottom) = (rank::best_first(a.profit, ties), rank::best_first(b.profit, ties));
    Comparison {
        cost_moved: divide_half_even(twice_moved, 2),
        share_moved: (total > 0).then(|| twice_moved as f64 / total as f64),
        sign_changes,
        sign_change_amount,
        rank_correlation: rank::spearman(a.profit, b.profit),
        top_decile_overlap: rank::overlap(&top, &bottom, rank::End::Best),
        bottom_decile_overlap: rank::overlap(&top, &bottom, rank::End::Worst),
        change_p99: at(99),
        change_max: at(100),
    }
}

/// Two profits of 64 bits can differ by more than 64 bits with a sign hold: such a change is told as the largest.
fn saturated(change: u64) -> Minor {
    Minor::try_from(change).unwrap_or(Minor::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of<'a>(cost: &'a [Minor], profit: &'a [Minor]) -> Outcome<'a> {
        Outcome { cost, profit }
    }

    #[test]
    fn the_distributors_methods_differ_by_what_pencil_and_paper_say() {
        // REFERENCE: cost by driver and by revenue. |differences| in cents: 151578, 129809, 499354, 243946, 461913.
        let driver = [298_000, 735_500, 3_424_000, 1_920_000, 709_000];
        let revenue = [146_422, 605_691, 3_923_354, 2_163_946, 247_087];
        let a = [201_200, 1_154_500, 3_872_000, 4_185_600, -334_600];
        let b = [352_778, 1_284_309, 3_372_646, 3_941_654, 127_313];
        let found = compare(of(&driver, &a), of(&revenue, &b), &[5, 4, 3, 2, 1]);
        assert_eq!(found.cost_moved, 743_300);
        assert!((found.share_moved.unwrap() - 743_300.0 / 7_086_500.0).abs() < 1e-15);
        assert_eq!((found.change_p99, found.change_max), (499_354, 499_354));
        assert_eq!((found.top_decile_overlap, found.bottom_decile_overlap), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn nobody_and_nothing_give_no_share_and_no_rank() {
        let found = compare(of(&[], &[]), of(&[], &[]), &[]);
        assert_eq!(found, Comparison::default());
        let found = compare(of(&[0, 0], &[5, 5]), of(&[0, 0], &[5, 5]), &[1, 2]);
        assert_eq!((found.share_moved, found.rank_correlation), (None, None));
        assert_eq!(found.top_decile_overlap, Some(1.0));
    }

    #[test]
    fn one_customer_in_a_hundred_may_change_more_than_the_99th_percentile() {
        let a = vec![0; 200];
        let b: Vec<Minor> = (0..200).map(|i| if i < 2 { 1_000 } else { 7 }).collect();
        let found = compare(of(&a, &a), of(&b, &b), &vec![0; 200]);
        assert_eq!((found.change_p99, found.change_max), (7, 1_000));
    }

    #[test]
    fn profits_at_both_ends_of_64_bits_do_not_wrap() {
        let found = compare(of(&[i64::MAX], &[i64::MIN]), of(&[i64::MIN], &[i64::MAX]), &[0]);
        assert_eq!(found.cost_moved, divide_half_even(i128::from(u64::MAX), 2));
        assert_eq!((found.sign_changes, found.change_max), (1, i64::MAX));
    }

    /// Cost under either method, profit before cost, tie-break.
    type Row = (i64, i64, i64, u64);

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        // Few distinct values, so that there are ties; ties between customers are broken by distinct keys.
        prop::collection::vec((-9..99_i64, -9..99_i64, -50..50_i64), 1..60).prop_map(|rows| {
            rows.into_iter().enumerate().map(|(i, (a, b, c))| (a, b, c, (i as u64).wrapping_mul(0x9e37_79b9))).collect()
        })
    }

    fn found(rows: &[Row], scale: i64, turned: bool) -> Comparison {
        let column = |of: &dyn Fn(&Row) -> i64| -> Vec<i64> { rows.iter().map(|row| of(row) * scale).collect() };
        let (cost_a, cost_b) = (column(&|row| row.0), column(&|row| row.1));
        let (profit_a, profit_b) = (column(&|row| row.2 - row.0), column(&|row| row.2 - row.1));
        let ties: Vec<u64> = rows.iter().map(|row| row.3).collect();
        let (a, b) = (of(&cost_a, &profit_a), of(&cost_b, &profit_b));
        if turned { compare(b, a, &ties) } else { compare(a, b, &ties) }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_which_method_comes_first(rows in rows()) {
            prop_assert_eq!(found(&rows, 1, false), found(&rows, 1, true));
        }

        #[test]
        fn it_does_not_matter_in_which_order_customers_stand(rows in rows(), by in any::<usize>()) {
            let mut moved = rows.clone();
            let by = by % moved.len();
            moved.rotate_left(by);
            moved.reverse();
            prop_assert_eq!(found(&moved, 1, false), found(&rows, 1, false));
        }

        #[test]
        fn money_scales_and_shares_do_not(rows in rows(), scale in 1..1_000_i64) {
            let (one, many) = (found(&rows, 1, false), found(&rows, 2 * scale, false));
            // Half of an odd sum is rounded, so the scale is even, and the half is compared doubled.
            let twice: i128 = rows.iter().map(|row| i128::from(row.0.abs_diff(row.1))).sum();
            prop_assert_eq!(many.cost_moved, twice * i128::from(scale));
            prop_assert_eq!(many.sign_change_amount, one.sign_change_amount * i128::from(2 * scale));
            prop_assert_eq!(many.change_max, one.change_max * 2 * scale);
            prop_assert_eq!(many.change_p99, one.change_p99 * 2 * scale);
            let shares = |c: &Comparison| {
                (c.share_moved, c.sign_changes, c.rank_correlation, c.top_decile_overlap, c.bottom_decile_overlap)
            };
            prop_assert_eq!(shares(&many), shares(&one));
        }

        #[test]
        fn a_method_differs_from_itself_by_nothing(rows in rows()) {
            let same: Vec<_> = rows.iter().map(|row| (row.0, row.0, row.2, row.3)).collect();
            let found = found(&same, 1, false);
            prop_assert_eq!((found.cost_moved, found.sign_changes, found.change_max), (0, 0, 0));
            prop_assert!(found.rank_correlation.is_none_or(|rho| (rho - 1.0).abs() < 1e-15));
            prop_assert_eq!((found.top_decile_overlap, found.bottom_decile_overlap), (Some(1.0), Some(1.0)));
        }
    }
}
