//! Every policy, and what stays above the customer.

use super::*;
use crate::{
    numeric::decimal::Decimal,
    schema::{
        costing::{Basis, Capacity, Level, Method, Negative, NoDriver, Rule, Weight},
        costs::Unassigned,
    },
};

fn by(name: &str) -> ActivitySetting {
    ActivitySetting::new(Level::Order, Method::Share(Basis::Driver(name.to_owned())))
}

/// REFERENCE: 1,000 over drivers 100 and −90.
#[test]
fn negative_drivers_are_refused_unless_a_policy_says_what_they_mean() {
    let world = |negative| {
        let setting = ActivitySetting { negative, ..by("orders") };
        World::whole(2).driver("orders", &[100 * UNITS, -90 * UNITS]).activity("handling", setting, 100_000)
    };
    assert_eq!(
        world(Negative::Error).refusal(),
        "activity `handling`: 1 driver quantities are negative; shares by signed quantities would move 19 times the pool; 1000.00 EUR are at stake"
    );
    let limit = |limit| Negative::Signed { limit: Decimal { mantissa: limit, scale: 0 } };
    assert_eq!(world(limit(19)).cost().0, [1_000_000, -900_000]);
    assert!(world(limit(18)).refusal().contains("move 19 times the pool, above the limit"));
    assert_eq!(world(Negative::Zero).cost().0, [100_000, 0]);
    assert_eq!(world(Negative::Absolute).cost().0, [52_632, 47_368]);
    assert_eq!(world(Negative::Shift).cost().0, [100_000, 0]);
    let (cost, balance) = world(Negative::Separate).cost();
    assert_eq!((cost, balance.negative_quantity), (vec![100_000, 0], i128::from(-90 * UNITS)));
}

#[test]
fn what_was_returned_stays_visible_and_a_shift_gives_cost_to_a_row_of_zero() {
    let world = |negative, quantities: &[i64]| {
        let setting = ActivitySetting { negative, ..by("orders") };
        World::whole(quantities.len()).driver("orders", quantities).activity("handling", setting, 1_000).cost()
    };
    let (cost, balance) = world(Negative::Separate, &[30, -5, 10, -7, 0]);
    assert_eq!((cost, balance.negative_quantity), (vec![750, 0, 250, 0, 0], -12));
    assert_eq!(world(Negative::Shift, &[-10, 0, 20]).0, [0, 250, 750]);
    // All as negative as the most negative one: nobody used the driver.
    let (cost, balance) = world(Negative::Shift, &[-3, -3]);
    assert_eq!((cost, balance.unassigned[Unassigned::NoDriver as usize]), (vec![0, 0], 1_000));
}

#[test]
fn a_driver_that_nobody_used_follows_its_policy() {
    let world = |no_driver| {
        let setting = ActivitySetting { no_driver: Some(no_driver), ..by("orders") };
        World::whole(2)
            .driver("orders", &[0, 0])
            .driver("calls", &[UNITS, 3 * UNITS])
            .activity("handling", setting, 400)
    };
    let (cost, balance) = world(NoDriver::Unassigned).cost();
    assert_eq!((cost, balance.unassigned[Unassigned::NoDriver as usize]), (vec![0, 0], 400));
    assert_eq!(world(NoDriver::Even).cost().0, [200, 200]);
    assert_eq!(world(NoDriver::Fallback(Basis::Driver("calls".to_owned()))).cost().0, [100, 300]);
    assert_eq!(
        world(NoDriver::Error).refusal(),
        "activity `handling`: no customer has a driver quantity; 4.00 EUR are at stake"
    );
}

#[test]
fn the_quantities_of_the_latest_earlier_period_stand_in_and_get_their_cells() {
    let setting = ActivitySetting { no_driver: Some(NoDriver::PriorPeriod), ..by("orders") };
    // Customer 0 in 1 and 3, customer 1 in 2 alone: of the two, only 1 has a quantity in the latest period before 3.
    let mut world = World::periods(&[(0, 1), (0, 3), (1, 2)], PeriodKind::Year)
        .driver("orders", &[5 * UNITS, 0, 2 * UNITS])
        .activity_in("handling", setting, &[(Some(3), 400)]);
    let missing = world.with_costing(|costing| missing_cells(costing, &world.ground())).unwrap();
    assert_eq!(missing, [(1, 3)]);
    world.cells.customer.push(1);
    world.cells.period.push(3);
    world.cells.drivers[0].push(0);
    world.cells.lines.push(0);
    for column in [&mut world.cells.gross_sales, &mut world.cells.returns, &mut world.cells.discount] {
        column.push(0);
    }
    assert_eq!(world.with_costing(|costing| missing_cells(costing, &world.ground())).unwrap(), []);
    assert_eq!(world.cost().0, [0, 0, 0, 400]);
}

#[test]
fn what_unknown_customers_used_is_nobodys_cost_and_nobody_else_pays_for_it() {
    let world = |unknown| {
        let mut world = World::whole(2).driver("orders", &[UNITS, 2 * UNITS]).activity("handling", by("orders"), 400);
        world.unknown = unknown;
        world
    };
    let row = UnknownQuantity { customer: 9, driver: 0, period: 0, quantity: UNITS };
    let (cost, balance) = world(vec![row]).cost();
    assert_eq!((cost, balance.unassigned[Unassigned::UnknownCustomer as usize]), (vec![100, 200], 100));
    assert_eq!(world(vec![]).cost().0, [133, 267]);
}

#[test]
fn what_unknown_customers_used_of_a_fallback_or_of_an_earlier_period_is_nobodys_either() {
    let fallback = NoDriver::Fallback(Basis::Driver("calls".to_owned()));
    let setting = ActivitySetting { no_driver: Some(fallback), ..by("orders") };
    let mut world = World::whole(2)
        .driver("orders", &[0, 0])
        .driver("calls", &[UNITS, 2 * UNITS])
        .activity("handling", setting, 400);
    world.unknown = vec![UnknownQuantity { customer: 9, driver: 1, period: 0, quantity: UNITS }];
    let (cost, balance) = world.cost();
    assert_eq!((cost, balance.unassigned[Unassigned::UnknownCustomer as usize]), (vec![100, 200], 100));
    let setting = ActivitySetting { no_driver: Some(NoDriver::PriorPeriod), ..by("orders") };
    let mut world = World::periods(&[(0, 1), (0, 2)], PeriodKind::Year).driver("orders", &[3 * UNITS, 0]).activity_in(
        "handling",
        setting,
        &[(Some(2), 400)],
    );
    world.unknown = vec![UnknownQuantity { customer: 9, driver: 0, period: 1, quantity: UNITS }];
    let (cost, balance) = world.cost();
    assert_eq!((cost, balance.unassigned[Unassigned::UnknownCustomer as usize]), (vec![0, 300], 100));
}

#[test]
fn unknown_customers_take_their_part_of_a_composite_and_of_a_time() {
    let cost = |basis: Basis, driver: u32, quantity: i64, cost: Minor| {
        let setting = ActivitySetting::new(Level::Order, Method::Share(basis));
        let mut world = World::whole(2)
            .driver("orders", &[UNITS, UNITS])
            .driver("calls", &[0, UNITS])
            .activity("handling", setting, cost);
        world.unknown = vec![UnknownQuantity { customer: 9, driver, period: 0, quantity }];
        let (cost, balance) = world.cost();
        (cost, balance.unassigned[Unassigned::UnknownCustomer as usize])
    };
    let weight = |mantissa| Decimal { mantissa, scale: 0 };
    let points = || Basis::Composite(vec![("orders".to_owned(), weight(1)), ("calls".to_owned(), weight(2))]);
    // Points 1, 1 + 2 and 2 · 2.
    assert_eq!(cost(points(), 1, 2 * UNITS, 800), (vec![100, 300], 400));
    assert_eq!(cost(points(), 0, 4 * UNITS, 800), (vec![100, 300], 400));
    let time = || Basis::Time { equation: "1 + 2*calls".to_owned(), drivers: vec!["calls".to_owned()] };
    // Minutes 1, 1 + 2 and 1 + 2 · 2; the constant is nobody's where nobody unknown called.
    assert_eq!(cost(time(), 1, 2 * UNITS, 900), (vec![100, 300], 500));
    assert_eq!(cost(time(), 0, 2 * UNITS, 400), (vec![100, 300], 0));
}

#[test]
fn cost_above_the_customer_stays_there_unless_it_is_pushed_down() {
    let world = |push_down| {
        let setting = ActivitySetting {
            push_down,
            ..ActivitySetting::new(Level::Company, Method::Share(Basis::Driver("orders".to_owned())))
        };
        World::whole(2).driver("orders", &[UNITS, 3 * UNITS]).activity("board", setting, 400)
    };
    let (cost, balance) = world(false).cost();
    assert_eq!((cost, balance.sustained), (vec![0, 0], 400));
    let (cost, balance) = world(true).cost();
    assert_eq!((cost, balance.sustained), (vec![100, 300], 0));
}

#[test]
fn a_rule_outside_its_dates_is_refused_with_its_name_and_the_money() {
    let rule = Rule { id: Some("R-7".to_owned()), version: 2, valid_from: None, valid_to: Some(365) };
    let setting = ActivitySetting { rule, ..by("orders") };
    let world = |period| {
        World::periods(&[(0, period)], PeriodKind::Year).driver("orders", &[UNITS]).activity_in(
            "handling",
            setting.clone(),
            &[(Some(period), 400)],
        )
    };
    assert_eq!(world(1970).cost().0, [400]);
    assert_eq!(
        world(1971).refusal(),
        "activity `handling` in 1971: rule `R-7` version 2 holds to 1971-01-01, not on 1971-01-02; 4.00 EUR are at stake"
    );
}

#[test]
fn a_pool_of_a_period_without_customers_is_nobodys() {
    let world = World::periods(&[(0, 1)], PeriodKind::Year).driver("orders", &[UNITS]).activity_in(
        "handling",
        by("orders"),
        &[(Some(9), 400)],
    );
    let (cost, balance) = world.cost();
    assert_eq!((cost, balance.unassigned[Unassigned::NoCustomer as usize]), (vec![0], 400));
}

#[test]
fn average_and_even_are_over_those_with_a_ledger_line_whatever_other_tables_hold() {
    let world = |basis: Basis, lines: Vec<u64>| {
        let setting = ActivitySetting::new(Level::Customer, Method::Share(basis));
        let keys = [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1)];
        let mut world = World::periods(&keys, PeriodKind::Year).driver("calls", &[0, 0, 0, UNITS, UNITS]);
        // Rows without a line are those that another table has made: of a call, or of receivables.
        world.cells.lines = lines;
        world.activity("upkeep", setting, 900)
    };
    assert_eq!(world(Basis::Average, vec![0, 1, 1, 2, 0]).cost().0, [0, 300, 300, 300, 0]);
    assert_eq!(world(Basis::Even, vec![0, 1, 1, 2, 0]).cost().0, [0, 450, 450, 0, 0]);
    // Nobody bought: that is no customer, whatever drivers were used.
    let (cost, balance) = world(Basis::Even, vec![0; 5]).cost();
    assert_eq!((cost, balance.unassigned[Unassigned::NoCustomer as usize]), (vec![0; 5], 900));
    let setting = ActivitySetting::new(Level::Customer, Method::Share(Basis::Even));
    let keys = [(0, 1), (1, 1), (2, 1)];
    let mut year = World::periods(&keys, PeriodKind::Year).activity_in("upkeep", setting, &[(Some(1), 900)]);
    year.cells.lines = vec![1, 0, 0];
    assert_eq!(year.cost().0, [900, 0, 0]);
}

#[test]
fn unknown_customers_are_counted_one_by_one_as_known_ones_are() {
    let world = |basis: Basis, negative, unknown: &[(u64, i64)]| {
        let setting = ActivitySetting { negative, ..ActivitySetting::new(Level::Order, Method::Share(basis)) };
        let mut world = World::whole(2).driver("calls", &[UNITS, UNITS]).activity("desk", setting, 10_000);
        let row = |(customer, calls): &(u64, i64)| UnknownQuantity {
            customer: *customer,
            driver: 0,
            period: 0,
            quantity: calls * UNITS,
        };
        world.unknown = unknown.iter().map(row).collect();
        world
    };
    let split = |world: World| {
        let (cost, balance) = world.cost();
        (cost, balance.unassigned[Unassigned::UnknownCustomer as usize])
    };
    let time = |equation: &str| Basis::Time { equation: equation.to_owned(), drivers: vec!["calls".to_owned()] };
    let two = [(8, 1), (9, 1)];
    // Half a minute each, of four customers.
    let excess = world(time("max(0, calls - 0.5)"), Negative::Error, &two);
    assert_eq!(split(excess), (vec![2_500, 2_500], 5_000));
    assert_eq!(split(world(time("5 + 0*calls"), Negative::Error, &two)), (vec![2_500, 2_500], 5_000));
    assert_eq!(split(world(time("calls*calls"), Negative::Error, &[(9, 1), (9, 1)])), (vec![1_667, 1_667], 6_666));
    // Below zero they go by the policy as well.
    let calls = || Basis::Driver("calls".to_owned());
    assert_eq!(split(world(calls(), Negative::Absolute, &[(9, -2)])), (vec![2_500, 2_500], 5_000));
    assert_eq!(split(world(calls(), Negative::Zero, &[(9, -2)])), (vec![5_000, 5_000], 0));
    let refused = world(calls(), Negative::Error, &[(9, -2)]).refusal();
    assert!(refused.contains("1 driver quantities are negative"), "{refused}");
    let signed = Negative::Signed { limit: Decimal { mantissa: 20, scale: 0 } };
    let refused = world(calls(), signed, &[(9, -1)]).refusal();
    assert!(refused.contains("shares by signed quantities cannot set them apart"), "{refused}");
}

#[test]
fn a_driver_that_unknown_customers_alone_used_is_their_cost_in_their_period_only() {
    let world =
        |period| {
            let mut world = World::periods(&[(0, 1), (0, 2)], PeriodKind::Year)
                .driver("orders", &[0, UNITS])
                .activity_in("handling", by("orders"), &[(Some(period), 400)]);
            world.unknown = vec![UnknownQuantity { customer: 9, driver: 0, period: 1, quantity: UNITS }];
            world.cost()
        };
    // Not for want of a driver: somebody used it.
    assert_eq!(world(1).1.unassigned, [0, 0, 400, 0]);
    let (cost, balance) = world(2);
    assert_eq!((cost, balance.unassigned_total()), (vec![0, 400], 0));
}

#[test]
fn an_earlier_period_gets_its_cells_whatever_way_the_cost_comes() {
    let prior = ActivitySetting { no_driver: Some(NoDriver::PriorPeriod), ..by("orders") };
    let world = || World::periods(&[(0, 1), (0, 2), (1, 1)], PeriodKind::Year).driver("orders", &[UNITS, 0, 3 * UNITS]);
    let missing = |world: &World| world.with_costing(|costing| missing_cells(costing, &world.ground())).unwrap();
    let pools = [(Some(1), 100), (Some(2), 100)];
    assert_eq!(missing(&world().activity_in("handling", prior.clone(), &pools)), [(1, 2)]);
    // From a resource pool.
    let mut served = world().activity_in("handling", prior.clone(), &[]);
    let serves = vec![("handling".to_owned(), Weight::Always(UNITS))];
    served.resources.insert("it".to_owned(), ResourceSetting { serves, ..ResourceSetting::default() });
    let pool = |(period, amount)| Pool { activity: "it".to_owned(), period, amount, capacity: None };
    served.pools = pools.map(pool).to_vec();
    assert_eq!(missing(&served), [(1, 2)]);
    // From an activity that hands on its unused cost, and from one before that.
    let hands_on = |to: &str| ActivitySetting {
        capacity: Some(Capacity::Practical(i128::from(9 * UNITS))),
        unused_to: Some(to.to_owned()),
        ..by("orders")
    };
    let idle = world().activity_in("handling", prior, &[]).activity_in("desk", hands_on("handling"), &[]).activity_in(
        "hall",
        hands_on("desk"),
        &pools,
    );
    assert_eq!(missing(&idle), [(1, 2)]);
}

/// Two customers bought; a third cell is there because another driver has a row for it.
#[test]
fn a_cell_that_has_nothing_to_do_with_an_equation_or_a_shift_changes_nothing() {
    let world = |basis: Basis, negative, calls: [i64; 3]| {
        let setting = ActivitySetting { negative, ..ActivitySetting::new(Level::Order, Method::Share(basis)) };
        let mut world = World::whole(3)
            .driver("lines", &[UNITS, UNITS, 0])
            .driver("calls", &calls)
            .activity("handling", setting, 1_000);
        world.cells.lines = vec![1, 1, 0];
        world.cost().0
    };
    let time =
        |equation: &str, driver: &str| Basis::Time { equation: equation.to_owned(), drivers: vec![driver.to_owned()] };
    assert_eq!(world(time("5 + 2*lines", "lines"), Negative::Error, [0; 3]), [500, 500, 0]);
    // One who called without buying has the constant, as one who bought without calling has.
    assert_eq!(world(time("2 + 2*calls", "calls"), Negative::Error, [0, 0, 2 * UNITS]), [200, 200, 600]);
    let calls = || Basis::Driver("calls".to_owned());
    assert_eq!(world(calls(), Negative::Shift, [-UNITS, 4 * UNITS, 0]), [0, 1_000, 0]);
    assert_eq!(world(calls(), Negative::Shift, [-UNITS, 0, 2 * UNITS]), [0, 250, 750]);
}
