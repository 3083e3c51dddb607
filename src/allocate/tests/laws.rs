//! Laws over random worlds: nothing is lost, slices are the whole, order and scale change nothing.

use proptest::prelude::*;

use super::*;
use crate::{
    numeric::decimal::Decimal,
    schema::costing::{Basis, Capacity, Level, Method, Negative, NoDriver, OverUse},
};

#[derive(Clone, Debug)]
struct Case {
    /// (customer, period) of every cell, sorted.
    keys: Vec<(u32, i32)>,
    quantities: Vec<i64>,
    method: usize,
    capacity: Option<i64>,
    pools: Pools,
    unknown: i64,
}

/// Period and cost of every pool.
type Pools = Vec<(Option<i32>, i64)>;

/// Fixed part of the dual rate, in cents.
const FIXED: i64 = 77;

fn cases() -> impl Strategy<Value = Case> {
    let keys = prop::collection::btree_set((0..12_u32, 1..4_i32), 1..30).prop_map(|keys| keys.into_iter().collect());
    let pools = prop::collection::btree_map(prop::option::of(1..5_i32), -100_000..100_000_i64, 1..4)
        .prop_map(|pools| pools.into_iter().collect());
    (keys, 0..7_usize, prop::option::of(1..90_i64), pools, 0..3_i64).prop_flat_map(
        |(keys, method, capacity, pools, unknown): (Vec<(u32, i32)>, _, _, Pools, _)| {
            // The fixed part of a dual rate is never more than its pool.
            let enough = |pool: i64| if method == 4 { pool.abs() + FIXED } else { pool };
            let pools: Pools = pools.into_iter().map(|(period, pool)| (period, enough(pool))).collect();
            prop::collection::vec(-2..9_i64, keys.len()).prop_map(move |quantities| Case {
                keys: keys.clone(),
                quantities,
                method,
                capacity,
                pools: Vec::clone(&pools),
                unknown,
            })
        },
    )
}

fn world(case: &Case, scale: i64) -> World {
    let orders = || Basis::Driver("orders".to_owned());
    let shares = ["a", "b"].map(|name| (name.to_owned(), Decimal { mantissa: 405, scale: 1 })).to_vec();
    let method = match case.method {
        0 => Method::Share(Basis::Average),
        1 => Method::Share(Basis::Even),
        2 => Method::Percent { shares, within: orders() },
        3 => Method::StandardRate { basis: orders(), rate: Decimal { mantissa: 1_005, scale: 3 } },
        4 => Method::DualRate { fixed: FIXED, budgeted: orders(), actual: Basis::Average },
        5 => Method::FixedAmount { segments: Vec::new(), each: Some(0), rest: orders() },
        _ => Method::Share(orders()),
    };
    let mut setting = ActivitySetting::new(Level::Order, method);
    setting.negative = Negative::Zero;
    setting.no_driver = (case.method == 6).then_some(NoDriver::PriorPeriod);
    setting.over_use = OverUse::OverDriven;
    setting.capacity =
        case.capacity.filter(|_| case.method == 6).map(|capacity| Capacity::Practical(i128::from(capacity * scale)));
    let quantities: Vec<i64> = case.quantities.iter().map(|quantity| quantity * scale).collect();
    let customers = case.keys.last().unwrap().0 as usize + 1;
    let segment: Vec<u16> = (0..customers).map(|customer| (customer % 2) as u16).collect();
    let mut world = World::periods(&case.keys, PeriodKind::Year)
        .segments(&["a", "b"], &segment)
        .driver("orders", &quantities)
        .activity_in("handling", setting, &case.pools);
    if case.unknown > 0 {
        world.unknown = vec![UnknownQuantity { customer: 9, driver: 0, period: 2, quantity: case.unknown * scale }];
    }
    world
}

proptest! {
    #[test]
    fn the_parts_of_a_row_sum_to_its_cost_and_are_quantity_times_rate(case in cases()) {
        let world = world(&case, 1);
        let Ok(plan) = world.plan() else { return Ok(()) };
        let ground = world.ground();
        let whole = plan.chunk(&ground, 0..world.cells.len());
        for row in 0..world.cells.len() {
            let parts = plan.parts(&ground, row);
            for (activity, amounts) in whole.amounts.iter().enumerate() {
                let own = parts.iter().filter(|part| part.activity == activity);
                prop_assert_eq!(own.map(|part| part.amount).sum::<i64>(), amounts[row]);
            }
            for part in parts {
                let error = i128::from(part.amount) * part.of - i128::from(part.money) * i128::from(part.quantity);
                prop_assert!(error.abs() < part.of.abs(), "{part:?}");
                // The money of a rate that was agreed before is rounded to half a cent, on top of the row's own rounding.
                let (money, of) = (i128::from(part.rate.0), part.rate.1);
                let error = i128::from(part.amount) * of - money * i128::from(part.quantity);
                prop_assert!(2 * error.abs() < 3 * of.abs(), "{part:?}");
            }
        }
    }

    #[test]
    fn own_cost_is_its_parts_for_every_method_and_leaves_are_the_allocated_part(case in cases()) {
        let world = world(&case, UNITS);
        let plan = world.plan().unwrap();
        let leaves = plan.leaves(&world.ground()).unwrap();
        prop_assert_eq!(plan.reconcile(&leaves), None);
        prop_assert!(plan.balances.iter().all(|balance| balance.residual() == 0));
        let own: i64 = plan.balances.iter().map(|balance| balance.own).sum();
        prop_assert_eq!(own, case.pools.iter().map(|pool| pool.1).sum::<i64>());
    }

    #[test]
    fn whatever_a_policy_for_negative_drivers_accepts_sums_to_the_pool(case in cases(), policy in 0..6_usize) {
        let mut case = case;
        (case.method, case.capacity, case.unknown) = (6, None, 0);
        let limit = Decimal { mantissa: 50, scale: 0 };
        let negative = [
            Negative::Error,
            Negative::Signed { limit },
            Negative::Zero,
            Negative::Absolute,
            Negative::Shift,
            Negative::Separate,
        ][policy];
        let mut world = world(&case, UNITS);
        world.activities[0].setting.negative = negative;
        world.activities[0].setting.no_driver = None;
        let Ok(plan) = world.plan() else { return Ok(()) };
        let leaves = plan.leaves(&world.ground()).unwrap();
        prop_assert_eq!(plan.reconcile(&leaves), None);
        prop_assert!(plan.balances.iter().all(|balance| balance.residual() == 0));
        let cost = plan.activity_cost(0, &world.ground());
        for (row, quantity) in case.quantities.iter().enumerate() {
            prop_assert!(*quantity != 0 || cost[row] == 0 || negative == Negative::Shift);
        }
        if case.quantities.iter().all(|quantity| *quantity >= 0) {
            world.activities[0].setting.negative = Negative::Error;
            prop_assert_eq!(cost, world.plan().unwrap().activity_cost(0, &world.ground()));
        }
    }

    #[test]
    fn the_cost_of_slices_is_the_cost_of_all(case in cases(), at in 0..30_usize) {
        let world = world(&case, UNITS);
        let plan = world.plan().unwrap();
        let ground = world.ground();
        let (rows, at) = (case.keys.len(), at.min(case.keys.len()));
        let (left, right) = (plan.chunk(&ground, 0..at), plan.chunk(&ground, at..rows));
        let joined: Vec<i64> = left.amounts[0].iter().chain(&right.amounts[0]).copied().collect();
        prop_assert_eq!(joined, plan.activity_cost(0, &ground));
    }

    #[test]
    fn a_period_pool_touches_no_other_period(case in cases()) {
        // A standard rate is charged wherever it is used.
        prop_assume!(case.method != 3);
        let mut case = case;
        case.pools.retain(|pool| pool.0.is_some());
        let world = world(&case, UNITS);
        let plan = world.plan().unwrap();
        let cost = plan.activity_cost(0, &world.ground());
        for (row, (_, period)) in case.keys.iter().enumerate() {
            let own = case.pools.iter().any(|pool| pool.0 == Some(*period));
            prop_assert!(own || cost[row] == 0);
        }
    }

    #[test]
    fn another_unit_of_the_driver_moves_no_cost(case in cases(), scale in 2..50_i64) {
        prop_assume!(case.method != 3);
        let (one, other) = (world(&case, UNITS), world(&case, UNITS * scale));
        let cost = |world: &World| world.plan().unwrap().activity_cost(0, &world.ground());
        prop_assert_eq!(cost(&one), cost(&other));
    }

    #[test]
    fn no_row_is_off_by_a_minor_unit_from_its_exact_share(case in cases()) {
        let mut case = case;
        (case.method, case.capacity, case.unknown) = (6, None, 0);
        case.pools.truncate(1);
        let world = world(&case, UNITS);
        let plan = world.plan().unwrap();
        let cost = plan.activity_cost(0, &world.ground());
        let (period, pool) = case.pools[0];
        let reached = |row: usize| period.is_none_or(|period| case.keys[row].1 == period);
        let weight = |row: usize| i128::from(case.quantities[row].max(0));
        let total: i128 = (0..case.keys.len()).filter(|row| reached(*row)).map(weight).sum();
        prop_assume!(total > 0);
        for row in (0..case.keys.len()).filter(|row| reached(*row)) {
            let error = i128::from(cost[row]) * total - i128::from(pool) * weight(row);
            prop_assert!(error.abs() < total);
        }
    }
}
