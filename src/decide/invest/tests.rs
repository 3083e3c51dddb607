//! Investment plans beside exhaustive search, and laws.

use proptest::prelude::*;

use super::*;

/// The most that can be gained, by trying everything.
fn exhaustive(candidates: &[Candidate], budget: MinorSum) -> MinorSum {
    let Some(first) = candidates.first() else { return 0 };
    let own = candidates.partition_point(|candidate| candidate.customer == first.customer);
    let rest = &candidates[own..];
    let with = candidates[..own]
        .iter()
        .filter(|candidate| MinorSum::from(candidate.cost) <= budget)
        .map(|candidate| MinorSum::from(candidate.gain) + exhaustive(rest, budget - MinorSum::from(candidate.cost)));
    with.chain([exhaustive(rest, budget)]).max().unwrap()
}

fn sorted(options: Vec<(u32, i64, i64)>) -> Vec<Candidate> {
    let mut options = options;
    options.sort_unstable();
    let number = |at: usize| at as u32;
    options
        .iter()
        .enumerate()
        .map(|(at, (customer, cost, gain))| Candidate {
            customer: *customer,
            action: number(at),
            cost: *cost,
            gain: *gain,
        })
        .collect()
}

fn keys() -> Vec<u64> {
    (0..200).map(crate::numeric::keys::hash_int).collect()
}

#[test]
fn the_split_step_alone_is_worth_less_than_what_the_core_finds() {
    // Best ratio first would take 60 for 10 and then fit nothing of 50: 100 for 50 is better.
    let candidates = sorted(vec![(0, 10, 60), (1, 50, 100)]);
    let plan = choose(&candidates, 50, &keys());
    assert_eq!((plan.chosen.clone(), plan.gain, plan.bound), (vec![1], 100, 140));
    assert_eq!(plan.marginal_return, Some(2.0));
}

#[test]
fn without_a_budget_only_what_is_for_nothing_is_done() {
    let candidates = sorted(vec![(0, 0, 5), (0, 10, 60), (1, 1, 9)]);
    let plan = choose(&candidates, 0, &keys());
    assert_eq!((plan.chosen, plan.spent, plan.gain, plan.bound), (vec![0], 0, 5, 5));
    // A cent more would buy 9 for it; the curve starts with what is for nothing.
    assert_eq!(plan.marginal_return, Some(9.0));
    let curve: Vec<_> = plan.curve.iter().map(|point| (point.spent, point.gain, point.customers)).collect();
    assert_eq!(curve, [(0, 5, 1), (1, 14, 2), (11, 69, 2)]);
    assert_eq!((plan.curve[0].marginal_return, plan.curve[1].marginal_return), (None, Some(9.0)));
    assert_eq!(choose(&candidates, 11, &keys()).marginal_return, None);
    let nothing = choose(&[], 0, &[]);
    assert_eq!((nothing.gain, nothing.bound, nothing.curve.len()), (0, 0, 1));
}

proptest! {
    #[test]
    fn small_cases_are_decided_exactly(
        options in prop::collection::vec((0..6_u32, 0..60_i64, -20..90_i64), 1..18), budget in 0..200_i64,
    ) {
        let candidates = sorted(options);
        let plan = choose(&candidates, budget, &keys());
        prop_assert_eq!(plan.gain, exhaustive(&candidates, MinorSum::from(budget)));
        prop_assert!(plan.spent <= MinorSum::from(budget) && plan.gain <= plan.bound);
        prop_assert!(choose(&candidates, budget + 17, &keys()).gain >= plan.gain);
    }

    #[test]
    fn the_plan_keeps_the_budget_and_one_action_a_customer_below_its_bound(
        options in prop::collection::vec((0..200_u32, 0..500_i64, -20..900_i64), 1..600), budget in 0..30_000_i64,
    ) {
        let candidates = sorted(options);
        let plan = choose(&candidates, budget, &keys());
        prop_assert!(plan.spent <= MinorSum::from(budget));
        prop_assert!(plan.gain <= plan.bound);
        let customers: Vec<u32> = plan.chosen.iter().map(|row| candidates[*row as usize].customer).collect();
        prop_assert!(customers.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(plan.chosen.iter().all(|row| candidates[*row as usize].gain > 0));
        // The curve is concave, and its points lie below no plan.
        prop_assert!(plan.curve.windows(2).all(|pair| pair[0].gain <= pair[1].gain && pair[0].spent <= pair[1].spent));
        let reached = plan.curve.iter().rfind(|point| point.spent <= MinorSum::from(budget)).unwrap();
        prop_assert!(reached.gain <= plan.gain);
        // What can be gained at most never falls with more budget.
        let more = choose(&candidates, budget + 250, &keys());
        prop_assert!(more.bound >= plan.bound);
    }

    #[test]
    fn the_order_of_customers_moves_no_money(
        options in prop::collection::vec((0..40_u32, 1..90_i64, 1..900_i64), 1..90), budget in 0..900_i64, shift in 1..40_u32,
    ) {
        let keys = keys();
        let candidates = sorted(options);
        let plan = choose(&candidates, budget, &keys);
        // Customers get other rows, and keep their keys.
        let turned = |customer: u32| (customer + shift) % 40;
        let mut moved = candidates.clone();
        for candidate in &mut moved {
            candidate.customer = turned(candidate.customer);
        }
        moved.sort_by_key(|candidate| (candidate.customer, candidate.action));
        let of = |row: u32| keys[((row + 40 - shift) % 40) as usize];
        let other = choose(&moved, budget, &(0..40).map(of).collect::<Vec<_>>());
        prop_assert_eq!((plan.gain, plan.spent, plan.bound), (other.gain, other.spent, other.bound));
    }
}

#[test]
fn a_dear_action_does_not_keep_the_budget_from_cheap_ones() {
    // A letter for 20 gains 100 to 499 with each of 400 customers; a visit gains 400 times as much.
    let letters: Vec<(u32, i64, i64)> = (0..400).map(|row| (row, 20, 100 + i64::from(row))).collect();
    let visits = |cost: i64| letters.iter().map(move |(row, _, gain)| (*row, cost, 400 * gain));
    let keys: Vec<u64> = (0..400).map(crate::numeric::keys::hash_int).collect();
    let alone = choose(&sorted(letters.clone()), 5_000, &keys);
    assert_eq!((alone.spent, alone.gain), (5_000, 250 * 499 - 249 * 250 / 2));
    let beyond = choose(&sorted(letters.iter().copied().chain(visits(6_000)).collect()), 5_000, &keys);
    assert_eq!((beyond.spent, beyond.gain, beyond.bound), (alone.spent, alone.gain, alone.bound));
    assert_eq!(beyond.marginal_return, alone.marginal_return);
    // 3,000 for the best customer, and the other 2,000 for a hundred letters.
    let within = choose(&sorted(letters.iter().copied().chain(visits(3_000)).collect()), 5_000, &keys);
    assert_eq!((within.spent, within.gain), (5_000, 400 * 499 + 100 * 498 - 99 * 100 / 2));
}

proptest! {
    #[test]
    fn one_more_action_never_lowers_the_gain_of_a_small_case(
        options in prop::collection::vec((0..6_u32, 0..60_i64, 1..90_i64), 1..14),
        more in prop::collection::vec((0..6_u32, 0..300_i64, 1..900_i64), 1..5), budget in 0..200_i64,
    ) {
        let without = choose(&sorted(options.clone()), budget, &keys());
        let candidates = sorted([options, more].concat());
        let with = choose(&candidates, budget, &keys());
        prop_assert!(with.gain >= without.gain && with.gain <= with.bound && with.spent <= MinorSum::from(budget));
        prop_assert_eq!(with.gain, exhaustive(&candidates, MinorSum::from(budget)));
    }

    #[test]
    fn nothing_that_would_gain_more_still_fits(
        options in prop::collection::vec((0..200_u32, 0..500_i64, -20..900_i64), 1..600),
        dear in prop::collection::vec((0..200_u32, 500..9_000_i64, 500..90_000_i64), 0..60), budget in 0..12_000_i64,
    ) {
        let candidates = sorted([options, dear].concat());
        let plan = choose(&candidates, budget, &keys());
        prop_assert!(plan.gain <= plan.bound);
        let left = MinorSum::from(budget) - plan.spent;
        for candidate in &candidates {
            let own = plan.chosen.iter().map(|row| candidates[*row as usize]);
            let (cost, gain) = own
                .filter(|chosen| chosen.customer == candidate.customer)
                .fold((0, 0), |_, chosen| (chosen.cost, chosen.gain));
            prop_assert!(candidate.gain <= gain || MinorSum::from(candidate.cost - cost) > left);
        }
    }

    #[test]
    fn what_is_dearer_than_the_budget_changes_nothing(
        options in prop::collection::vec((0..200_u32, 0..500_i64, -20..900_i64), 1..300),
        dear in prop::collection::vec((0..200_u32, 1..9_000_i64, 1..90_000_i64), 1..60), budget in 0..12_000_i64,
    ) {
        let beyond = dear.into_iter().map(|(customer, more, gain)| (customer, budget + more, gain));
        let without = choose(&sorted(options.clone()), budget, &keys());
        let with = choose(&sorted(options.iter().copied().chain(beyond).collect()), budget, &keys());
        prop_assert_eq!((with.spent, with.gain, with.bound), (without.spent, without.gain, without.bound));
        // Another unit of budget goes to what is within it, while some of that is left.
        let within = |row: &(u32, i64, i64)| row.1 <= budget;
        let left = choose(&sorted(options.into_iter().filter(within).collect()), budget, &keys()).marginal_return;
        prop_assert!(left.is_none() || with.marginal_return == left && without.marginal_return == left);
    }
}

#[test]
fn the_gap_of_many_customers_is_a_sliver_of_one_step() {
    let of = |row: u64| {
        let hash = crate::numeric::keys::hash_int(row as i64);
        (row as u32 / 3, 50 + (hash % 1_000) as i64, 100 + ((hash >> 20) % 5_000) as i64)
    };
    let candidates = sorted((0..60_000).map(of).collect());
    let ties: Vec<u64> = (0..20_000).map(crate::numeric::keys::hash_int).collect();
    let plan = choose(&candidates, 1_000_000, &ties);
    let gap = plan.bound - plan.gain;
    assert!(plan.gain > 5_000_000 && (0..=2).contains(&gap), "{gap} of {}", plan.gain);
    assert!(plan.curve.len() <= MAX_POINTS + 2);
}
