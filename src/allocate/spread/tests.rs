//! Largest remainder against the textbook, and laws.

use proptest::prelude::*;

use super::*;

#[test]
fn worked_roundings_come_out_to_the_cent() {
    // REFERENCE: 182.25 at 98/2 % is 178.61 + 3.64, never 182.26.
    assert_eq!(spread(18_225, &[98, 2], &[1, 2]), Ok(vec![17_861, 364]).map(|v| vec![v[0], v[1]]));
    assert_eq!(spread(78_508, &[3_333, 3_333, 3_334], &[9, 8, 7]), Ok(vec![26_167, 26_167, 26_174]));
    assert_eq!(spread(-1, &[1, 1, 1], &[3, 1, 2]), Ok(vec![0, -1, 0]));
}

#[test]
fn a_pool_without_driver_or_with_negative_drivers_is_refused() {
    assert_eq!(spread(100, &[0, 0], &[1, 2]), Err(AllocateError::NoDriver));
    assert_eq!(spread(100, &[100, -90], &[1, 2]), Err(AllocateError::NegativeDriver { customers: 1 }));
}

#[test]
fn a_recipient_beside_the_rows_comes_after_every_row_of_its_remainder() {
    let plan = |pool, quantities: &[i64], weight| {
        let mut summary = Histogram::default();
        summary.insert(quantities);
        summary.plan_beside(pool, weight).unwrap()
    };
    // Three remainders of 2/3, two minor units: the rows get them.
    assert_eq!(plan(2, &[1, 1], 1).1, 0);
    // Two remainders of 4/5, two minor units: the recipient gets one, so the plan raises one row.
    let (all_raised, beside) = plan(4, &[3, 1], 1);
    assert_eq!((all_raised.tied, beside), (1, 1));
}

/// Hamilton's method as the book states it, row by row.
fn textbook(pool: i64, quantities: &[i64], ties: &[u64]) -> Vec<i64> {
    let total: i128 = quantities.iter().map(|q| i128::from(*q)).sum();
    let exact = |q: i64| i128::from(pool.abs()) * i128::from(q);
    let mut cost: Vec<i64> = quantities.iter().map(|q| (exact(*q) / total) as i64).collect();
    let left = pool.abs() - cost.iter().sum::<i64>();
    let mut order: Vec<usize> = (0..quantities.len()).collect();
    order.sort_by_key(|&i| (-(exact(quantities[i]) % total), ties[i], i));
    for &i in &order[..left as usize] {
        cost[i] += 1;
    }
    cost.into_iter().map(|c| c * pool.signum()).collect()
}

fn customers() -> impl Strategy<Value = Vec<(i64, u64)>> {
    let quantity = prop_oneof![0..4_i64, 0..1_000_000_000_000_i64, Just(i64::MAX)];
    prop::collection::vec((quantity, 0..5_u64), 1..200)
}

proptest! {
    #[test]
    fn cost_is_hamiltons_and_sums_to_the_pool(pool in any::<i32>(), rows in customers()) {
        let (quantities, ties): (Vec<i64>, Vec<u64>) = rows.into_iter().unzip();
        prop_assume!(quantities.iter().any(|q| *q > 0));
        let cost = spread(i64::from(pool), &quantities, &ties).unwrap();
        prop_assert_eq!(cost.iter().sum::<i64>(), i64::from(pool));
        prop_assert_eq!(cost, textbook(i64::from(pool), &quantities, &ties));
    }

    #[test]
    fn the_summary_of_slices_is_the_summary_of_all(rows in customers(), at in 0..200_usize) {
        let quantities: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let at = at.min(quantities.len());
        let mut whole = Histogram::default();
        whole.insert(&quantities);
        let (mut left, mut right) = (Histogram::default(), Histogram::default());
        left.insert(&quantities[at..]);
        right.insert(&quantities[..at]);
        left.combine(&right);
        prop_assert_eq!(left, whole);
    }

    #[test]
    fn a_recipient_beside_the_rows_is_one_more_row_that_loses_ties(
        pool in any::<i32>(),
        rows in prop_oneof![customers(), prop::collection::vec((0..4_i64, 0..5_u64), 1..9)],
        weight in prop_oneof![0..4_i64, 0..1_000_000_000_000_i64],
    ) {
        let (mut quantities, mut ties): (Vec<i64>, Vec<u64>) = rows.into_iter().unzip();
        prop_assume!(weight > 0 || quantities.iter().any(|q| *q > 0));
        let mut summary = Histogram::default();
        summary.insert(&quantities);
        let (plan, beside) = summary.plan_beside(i64::from(pool), weight as u128).unwrap();
        let mut cost = plan.apply(&quantities, &ties);
        cost.push(beside);
        quantities.push(weight);
        ties.push(u64::MAX);
        prop_assert_eq!(cost, textbook(i64::from(pool), &quantities, &ties));
    }

    #[test]
    fn other_weights_of_a_summary_are_the_summary_of_other_weights(
        quantities in prop::collection::vec(-5..5_i64, 0..50), shift in -5..5_i64, at in 0..50_usize,
    ) {
        let (mut raw, mut shifted) = (Histogram::default(), Histogram::default());
        let (left, right) = quantities.split_at(at.min(quantities.len()));
        raw.insert(right);
        raw.insert(left);
        shifted.insert(&quantities.iter().map(|q| (q + shift).abs()).collect::<Vec<_>>());
        prop_assert_eq!(raw.rows(), quantities.len() as u64);
        prop_assert_eq!(raw.smallest(), quantities.iter().copied().min());
        prop_assert_eq!(raw.reweigh(|q| Some((q + shift).abs())), Some(shifted));
    }

    #[test]
    fn the_order_of_customers_moves_no_cost(pool in 0..1_000_000_i64, rows in customers()) {
        let rows: Vec<(i64, u64)> = rows.into_iter().enumerate().map(|(i, (q, _))| (q, i as u64 * 7919 % 211)).collect();
        prop_assume!(rows.iter().any(|row| row.0 > 0));
        let run = |rows: &[(i64, u64)]| {
            let (q, t): (Vec<i64>, Vec<u64>) = rows.iter().copied().unzip();
            let mut cost: Vec<(u64, i64)> = t.iter().copied().zip(spread(pool, &q, &t).unwrap()).collect();
            cost.sort_unstable();
            cost
        };
        let reversed: Vec<(i64, u64)> = rows.iter().rev().copied().collect();
        prop_assert_eq!(run(&rows), run(&reversed));
    }
}
