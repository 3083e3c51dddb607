//! Cost that flows from resource pools to activities to customers.

use super::*;
use crate::schema::{
    costing::{Basis, Level, Method, Rule},
    costs::PoolNode,
};

/// REFERENCE: A = 150, B = 300; A serves X 40 %, Y 20, B 40; B serves X 70, Y 10, A 20. X and Y are activities, each
/// of one customer.
fn world(service: ServiceSetting) -> World {
    let resource = |serves: &[(&str, i64)], cost| ResourceSetting {
        cost: Some(cost),
        serves: serves.iter().map(|(name, weight)| ((*name).to_owned(), weight * UNITS)).collect(),
        capacity: None,
        rule: Rule::default(),
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
    let closed = |name: &str| vec![(name.to_owned(), UNITS)];
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
    world.resources.get_mut("A").unwrap().serves = vec![("B".to_owned(), UNITS)];
    let plan = world.checked();
    let a = plan.balances.iter().find(|balance| balance.node == PoolNode::Resource(0)).unwrap();
    assert_eq!((a.own, a.sent, a.unassigned_total()), (15_000, 0, 15_000));
}
