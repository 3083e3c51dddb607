//! Cost that flows from resource pools to activities to customers.

use super::*;
use crate::schema::{
    costing::{Basis, Level, Method, Weight},
    costs::PoolNode,
};

/// REFERENCE: A = 150, B = 300; A serves X 40 %, Y 20, B 40; B serves X 70, Y 10, A 20. X and Y are activities, each
/// of one customer.
fn world(service: ServiceSetting) -> World {
    let resource = |serves: &[(&str, i64)], cost| ResourceSetting {
        cost: Some(cost),
        serves: serves.iter().map(|(name, weight)| ((*name).to_owned(), Weight::Always(weight * UNITS))).collect(),
        ..ResourceSetting::default()
    };
    let by = |name: &str| ActivitySetting::new(Level::Order, Method::Share(Basis::Driver(name.to_owned())));
    let mut world = World::whole(2)
        .driver("x", &[UNITS, 0])
        .driver("y", &[0, UNITS])
        .activity_in("X", by("x"), &[])
        .activity_in("Y", by("y"), &[]);
    world.resources.insert("A".to_owned(), resource(&[("X", 40), ("Y", 20), ("B", 40)], 15_000));
    world.resources.insert("B".to_owned(), resource(&[("X", 70), ("Y", 10), ("A", 20)], 30_000));
    world.pools = world
        .resources
        .iter()
        .map(|(name, pool)| Pool { activity: name.clone(), period: None, amount: pool.cost.unwrap(), capacity: None })
        .collect();
    world.service = service;
    world
}

fn costs(world: &World) -> [Minor; 2] {
    let plan = world.checked();
    [plan.activity_cost(0, &world.ground())[0], plan.activity_cost(1, &world.ground())[1]]
}

#[test]
fn direct_step_down_and_reciprocal_pools_reach_customers_as_the_textbook_says() {
    assert_eq!(costs(&world(ServiceSetting::Direct)), [36_250, 8_750]);
    let order = Some(vec!["B".to_owned(), "A".to_owned()]);
    assert_eq!(costs(&world(ServiceSetting::StepDown { order })), [35_000, 10_000]);
    assert_eq!(costs(&world(ServiceSetting::Reciprocal)), [36_522, 8_478]);
}

#[test]
fn balances_and_trace_follow_the_money_from_pool_to_pool() {
    let plan = world(ServiceSetting::Reciprocal).checked();
    let balance = |node| plan.balances.iter().find(|balance| balance.node == node).unwrap();
    let a = balance(PoolNode::Resource(0));
    // Reciprocated A is 228.26, of which 150 its own.
    assert_eq!((a.own, a.own + a.received, a.sent), (15_000, 22_826, 22_826));
    assert_eq!(balance(PoolNode::Activity(0)).received, 36_522);
    let to_x: Minor = plan.trace.iter().filter(|edge| edge.to == PoolNode::Activity(0)).map(|edge| edge.amount).sum();
    assert_eq!(to_x, 36_522);
}

#[test]
fn a_loop_without_exit_is_named_with_the_money_in_it() {
    let mut world = world(ServiceSetting::Reciprocal);
    let closed = |name: &str| vec![(name.to_owned(), Weight::Always(UNITS))];
    world.resources.get_mut("A").unwrap().serves = closed("B");
    world.resources.get_mut("B").unwrap().serves = closed("A");
    assert_eq!(
        world.refusal(),
        "resources: `A`, `B` serve only each other, so that their cost can never leave; 450.00 EUR are at stake"
    );
}

#[test]
fn unused_capacity_of_a_resource_stays_with_it() {
    let mut world = world(ServiceSetting::Direct);
    world.resources.get_mut("A").unwrap().capacity = Some(200 * UNITS);
    let plan = world.checked();
    let a = plan.balances.iter().find(|balance| balance.node == PoolNode::Resource(0)).unwrap();
    // Direct: 60 of the weights to activities and 100 unused.
    assert_eq!((a.unused, a.sent), (9_375, 5_625));
    assert_eq!(plan.capacity[0].unused_cost, 9_375);
}

#[test]
fn a_resource_that_the_method_lets_serve_nobody_stays_visible_as_unassigned() {
    let mut world = world(ServiceSetting::Direct);
    world.resources.get_mut("A").unwrap().serves = vec![("B".to_owned(), Weight::Always(UNITS))];
    let plan = world.checked();
    let a = plan.balances.iter().find(|balance| balance.node == PoolNode::Resource(0)).unwrap();
    assert_eq!((a.own, a.sent, a.unassigned_total()), (15_000, 0, 15_000));
}

/// A resource of one pool a year, for activities X and Y whose customers are there in both.
fn by_year(weights: [Weight; 2], pools: &[(Option<i32>, Minor)]) -> World {
    let mut world = world(ServiceSetting::Reciprocal);
    let two_years = World::periods(&[(0, 1), (0, 2), (1, 1), (1, 2)], PeriodKind::Year)
        .driver("x", &[3 * UNITS, UNITS, 0, 0])
        .driver("y", &[0, 0, UNITS, 7 * UNITS]);
    (world.cells, world.customers, world.segment) = (two_years.cells, two_years.customers, two_years.segment);
    world.period = PeriodKind::Year;
    let [x, y] = weights;
    world.resources.remove("B");
    world.resources.get_mut("A").unwrap().serves = vec![("X".to_owned(), x), ("Y".to_owned(), y)];
    let pool = |(period, amount): &(Option<i32>, Minor)| Pool {
        activity: "A".to_owned(),
        period: *period,
        amount: *amount,
        capacity: None,
    };
    world.pools = pools.iter().map(pool).collect();
    world
}

fn received(world: &World) -> Vec<(usize, Option<i32>, Minor)> {
    let plan = world.checked();
    let of = |balance: &PoolBalance| match balance.node {
        PoolNode::Activity(number) if balance.received != 0 => Some((number, balance.period, balance.received)),
        _ => None,
    };
    plan.balances.iter().filter_map(of).collect()
}

#[test]
fn weights_of_a_period_are_those_that_the_rule_names_or_what_the_driver_adds_up_to() {
    let pools = [(Some(1), 1_000), (Some(2), 1_000)];
    let named = |first: i64, second: i64| Weight::Periods(vec![(1, first * UNITS), (2, second * UNITS)]);
    let by_period = by_year([named(1, 3), named(4, 1)], &pools);
    assert_eq!(received(&by_period), [(0, Some(1), 200), (0, Some(2), 750), (1, Some(1), 800), (1, Some(2), 250)]);
    // 3 : 1 in the first year, 1 : 7 in the second, of which an unknown customer's 4 of y.
    let driver = |name: &str| Weight::Driver(name.to_owned());
    let mut by_driver = by_year([driver("x"), driver("y")], &pools);
    assert_eq!(received(&by_driver), [(0, Some(1), 750), (0, Some(2), 125), (1, Some(1), 250), (1, Some(2), 875)]);
    by_driver.unknown = vec![UnknownQuantity { customer: 9, driver: 1, period: 1, quantity: 2 * UNITS }];
    assert_eq!(received(&by_driver)[0], (0, Some(1), 500));
    // A cost of the whole run goes by both years together, beside the years' own.
    let whole = by_year([named(1, 3), named(4, 2)], &[(None, 1_000), (Some(2), 500)]);
    assert_eq!(received(&whole), [(0, None, 400), (0, Some(2), 300), (1, None, 600), (1, Some(2), 200)]);
}

#[test]
fn a_period_without_weights_leaves_its_cost_with_the_resource_and_a_missing_driver_is_told() {
    let only = |period| Weight::Periods(vec![(period, UNITS)]);
    let world = by_year([only(1), only(1)], &[(Some(1), 100), (Some(2), 300)]);
    let plan = world.checked();
    let second = plan.balances.iter().find(|balance| balance.period == Some(2)).unwrap();
    assert_eq!((second.own, second.sent, second.unassigned_total()), (300, 0, 300));
    let nowhere = by_year([Weight::Driver("calls".to_owned()), only(1)], &[(Some(1), 100)]);
    assert_eq!(
        nowhere.refusal(),
        "resource `A`: driver `calls` is neither in `drivers` nor in driver_quantities; known drivers: x, y; 1.00 EUR are at stake"
    );
}

#[test]
fn a_taker_that_nobody_knows_is_refused_with_the_money() {
    let mut world = world(ServiceSetting::Reciprocal);
    world.resources.get_mut("A").unwrap().serves.push(("Z".to_owned(), Weight::Always(UNITS)));
    assert_eq!(
        world.refusal(),
        "resource `A`: rule `A` serves `Z`, which is neither an activity nor a resource pool; known: X, Y, A, B; 150.00 EUR are at stake"
    );
}

#[test]
fn the_pools_table_gives_a_resource_pool_its_capacity_of_a_period_over_that_of_its_rule() {
    let always = |units: i64| Weight::Always(units * UNITS);
    let mut world = by_year([always(40), always(20)], &[(Some(1), 6_000), (Some(2), 6_000)]);
    world.pools[0].capacity = Some(120 * UNITS);
    let unused = |world: &World| {
        let plan = world.checked();
        let of_a = plan.balances.iter().filter(|balance| balance.node == PoolNode::Resource(0));
        (
            of_a.map(|balance| balance.unused).collect::<Vec<_>>(),
            plan.capacity.iter().map(|used| used.capacity).collect(),
        )
    };
    assert_eq!(unused(&world), (vec![3_000, 0], vec![i128::from(120 * UNITS)]));
    world.resources.get_mut("A").unwrap().capacity = Some(240 * UNITS);
    assert_eq!(unused(&world), (vec![3_000, 4_500], vec![i128::from(120 * UNITS), i128::from(240 * UNITS)]));
}
