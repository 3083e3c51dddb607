//! Cost of resource pools keeps its kind: fixed or variable, avoidable or not.

use proptest::prelude::*;

use super::*;
use crate::{
    allocate::kinds::Kind,
    schema::costing::{Basis, Behaviour, Capacity, Level, Method, Negative, OverUse, Weight},
};

fn by_orders() -> ActivitySetting {
    ActivitySetting::new(Level::Order, Method::Share(Basis::Driver("orders".to_owned())))
}

/// A pool that serves activities, with its cost.
fn pool(world: &mut World, name: &str, kind: (Option<Behaviour>, Option<bool>), cost: Minor, to: &[(&str, i64)]) {
    let serves = to.iter().map(|(name, weight)| ((*name).to_owned(), Weight::Always(weight * UNITS))).collect();
    let setting = ResourceSetting { behaviour: kind.0, avoidable: kind.1, serves, ..ResourceSetting::default() };
    world.resources.insert(name.to_owned(), setting);
    world.pools.push(Pool { activity: name.to_owned(), period: None, amount: cost, capacity: None });
}

/// What of the first activity's cost on every cell is of a kind.
fn parts(plan: &CostPlan, world: &World, kind: Kind) -> Vec<Minor> {
    let ground = world.ground();
    let cost = plan.activity_cost(0, &ground);
    cost.iter().enumerate().map(|(row, cost)| plan.part_of_kind(0, kind, &ground, (row, *cost))).collect()
}

#[test]
fn what_was_fixed_or_unavoidable_in_the_resource_pool_is_so_at_the_customer() {
    // 60.00 of wages are fixed and stay, 40.00 of freight are neither; handling itself is variable and avoidable.
    let mut world = World::whole(2).driver("orders", &[UNITS, 3 * UNITS]).activity("handling", by_orders(), 0);
    pool(&mut world, "wages", (Some(Behaviour::Fixed), Some(false)), 6_000, &[("handling", 1)]);
    pool(&mut world, "freight", (Some(Behaviour::Variable), Some(true)), 4_000, &[("handling", 1)]);
    let plan = world.checked();
    assert_eq!(plan.activity_cost(0, &world.ground()), [2_500, 7_500]);
    assert_eq!(parts(&plan, &world, Kind::Fixed), [1_500, 4_500]);
    assert_eq!(parts(&plan, &world, Kind::Avoidable), [1_000, 3_000]);
    let balance = plan.balances.last().unwrap();
    assert_eq!((balance.allocated_fixed, balance.allocated_avoidable), (6_000, 4_000));
    // Own cost has the activity's kind, and so has what a pool without a kind sends.
    let mut world = World::whole(2).driver("orders", &[UNITS, 3 * UNITS]).activity("handling", by_orders(), 1_000);
    pool(&mut world, "wages", (Some(Behaviour::Fixed), None), 2_000, &[("handling", 1)]);
    pool(&mut world, "rent", (None, None), 1_000, &[("handling", 1)]);
    let plan = world.checked();
    assert_eq!(parts(&plan, &world, Kind::Fixed), [500, 1_500]);
    assert_eq!(parts(&plan, &world, Kind::Avoidable), [1_000, 3_000]);
}

#[test]
fn a_fixed_activity_holds_what_was_variable_apart_and_unused_cost_takes_its_part() {
    let setting = ActivitySetting {
        behaviour: Behaviour::Fixed,
        capacity: Some(Capacity::Practical(i128::from(8 * UNITS))),
        ..by_orders()
    };
    let mut world = World::whole(2).driver("orders", &[UNITS, 3 * UNITS]).activity("handling", setting, 600);
    pool(&mut world, "freight", (Some(Behaviour::Variable), None), 200, &[("handling", 1)]);
    let plan = world.checked();
    // Of 8.00 half is unused; of what is borne, 6 / 8 is fixed.
    assert_eq!(plan.activity_cost(0, &world.ground()), [100, 300]);
    assert_eq!(parts(&plan, &world, Kind::Fixed), [75, 225]);
}

#[test]
fn cost_of_the_company_is_not_pushed_down_by_a_resource_pool_unless_it_says_so() {
    let world = |push_down, level| {
        let mut world = World::whole(1).driver("orders", &[UNITS]).activity("handling", by_orders(), 0);
        pool(&mut world, "board", (None, None), 700, &[("it", 1)]);
        pool(&mut world, "it", (None, None), 0, &[("handling", 1)]);
        let board = world.resources.get_mut("board").unwrap();
        (board.level, board.push_down) = (level, push_down);
        world
    };
    assert_eq!(
        world(false, Some(Level::Company)).refusal(),
        "resource `board`: rule `board` brings cost of level company to `handling`, whose cost customers bear; 7.00 EUR are at stake"
    );
    assert_eq!(world(true, Some(Level::Company)).checked().activity_cost(0, &world(true, None).ground()), [700]);
    assert_eq!(world(false, Some(Level::Customer)).checked().activity_cost(0, &world(true, None).ground()), [700]);
}

#[derive(Clone, Debug)]
struct Case {
    quantities: Vec<i64>,
    own: Minor,
    costs: [Minor; 3],
    method: u8,
    avoidable: bool,
}

fn case() -> impl Strategy<Value = Case> {
    let costs = prop::array::uniform3(-5_000..50_000_i64);
    (prop::collection::vec(0..9_i64, 1..40), 0..10_000_i64, costs, 0..5_u8, any::<bool>())
        .prop_map(|(quantities, own, costs, method, avoidable)| Case { quantities, own, costs, method, avoidable })
}

proptest! {
    #[test]
    fn parts_of_a_kind_sum_to_the_pools_part_and_stay_within_the_cost(case in case()) {
        let mut setting = by_orders();
        setting.avoidable = case.avoidable;
        match case.method {
            1 => setting.capacity = Some(Capacity::Practical(i128::from(100 * UNITS))),
            2 => {
                setting.method = Method::StandardRate {
                    basis: Basis::Driver("orders".to_owned()),
                    rate: crate::numeric::decimal::Decimal { mantissa: 137, scale: 2 },
                };
            }
            3 => setting.method = Method::Share(Basis::Average),
            _ => {}
        }
        (setting.over_use, setting.negative) = (OverUse::OverDriven, Negative::Zero);
        if setting.capacity.is_none() { setting.over_use = OverUse::Error; }
        let quantities: Vec<i64> = case.quantities.iter().map(|quantity| quantity * UNITS).collect();
        let mut world = World::whole(quantities.len()).driver("orders", &quantities).activity("handling", setting, case.own);
        let [fixed, free, variable] = case.costs;
        pool(&mut world, "fixed", (Some(Behaviour::Fixed), Some(false)), fixed, &[("handling", 2), ("free", 1)]);
        pool(&mut world, "free", (None, None), free, &[("handling", 1), ("fixed", 1)]);
        pool(&mut world, "variable", (Some(Behaviour::Variable), Some(true)), variable, &[("handling", 1)]);
        // `checked` ties the parts of all cells to the balances.
        let plan = world.checked();
        let cost = plan.activity_cost(0, &world.ground());
        let balance = plan.balances.iter().find(|balance| balance.is_of(0, None)).unwrap();
        let pool = i128::from(balance.own) + i128::from(balance.received);
        let of_one_sign = case.costs.iter().all(|cost| *cost >= 0);
        for (kind, told) in [(Kind::Fixed, balance.allocated_fixed), (Kind::Avoidable, balance.allocated_avoidable)] {
            let parts = parts(&plan, &world, kind);
            prop_assert_eq!(parts.iter().sum::<i64>(), told);
            for (part, cost) in parts.iter().zip(&cost) {
                prop_assert!(*cost != 0 || *part == 0);
                let exact = told as f64 * *cost as f64 / balance.allocated as f64;
                prop_assert!(*cost == 0 || balance.allocated == 0 || (*part as f64 - exact).abs() < 1.0 + 1e-6);
                if of_one_sign {
                    prop_assert!((0..=*cost).contains(part), "{} of {}", part, cost);
                }
            }
        }
        // Every cent of a fixed pool is a fixed cost of somebody, by whatever way it came.
        if balance.allocated != 0 && pool == i128::from(balance.allocated) {
            let mine = plan.trace.iter().filter(|edge| edge.to == balance.node);
            prop_assert_eq!(mine.map(|edge| edge.amount).sum::<i64>(), balance.received);
            prop_assert_eq!(balance.allocated_fixed, fixed);
        }
    }
}

/// Rounded by themselves, the flows of 0.10 and 0.01 would give z two cents of fixed cost where it receives one.
#[test]
fn no_part_of_a_kind_is_more_than_what_was_received_and_the_parts_still_sum_to_what_was_sent() {
    for sign in [1, -1] {
        let named = |name: &str| ActivitySetting::new(Level::Order, Method::Share(Basis::Driver(name.to_owned())));
        let mut world = World::whole(3).driver("orders", &[UNITS; 3]);
        for name in ["x", "y", "z"] {
            world = world.activity_in(name, named("orders"), &[]);
        }
        pool(&mut world, "a", (Some(Behaviour::Fixed), None), 10 * sign, &[("c", 1)]);
        pool(&mut world, "b", (Some(Behaviour::Variable), None), sign, &[("c", 1)]);
        pool(&mut world, "c", (None, None), 0, &[("x", 6), ("y", 6), ("z", 2)]);
        world.service = ServiceSetting::StepDown { order: None };
        let plan = world.checked();
        let activities: Vec<&PoolBalance> = plan.balances.iter().filter(|balance| balance.received != 0).collect();
        let activities = &activities[activities.len() - 3..];
        assert_eq!(activities.iter().map(|balance| balance.allocated).sum::<Minor>(), 11 * sign);
        assert_eq!(activities.iter().map(|balance| balance.allocated_fixed).sum::<Minor>(), 10 * sign);
        for balance in activities {
            assert!(balance.allocated_fixed.abs() <= balance.allocated.abs(), "{balance:?}");
        }
    }
}
