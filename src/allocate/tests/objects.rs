//! Which cost reaches orders and products, and which stays, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    allocate::objects::{Known, Stays, of_groups, of_lines},
    numeric::decimal::Decimal,
    schema::{
        costing::{Basis, Level, Method, NoDriver},
        objects::CostObject,
    },
};

fn driver(name: &str) -> Basis {
    Basis::Driver(name.to_owned())
}

fn setting(level: Level, method: Method) -> ActivitySetting {
    ActivitySetting::new(level, method)
}

/// Activities of every kind with a pool of 100 each, and the drivers `lines` (of the ledger) and `calls` (a table's).
fn world() -> World {
    let share = |basis| Method::Share(basis);
    let cost = |of: &str| share(Basis::Cost(vec![of.to_owned()]));
    let within = || driver("lines");
    World::whole(2)
        .driver("calls", &[UNITS, UNITS])
        .driver("lines", &[UNITS, 3 * UNITS])
        .activity("a_lines", setting(Level::Unit, share(driver("lines"))), 100)
        .activity("b_calls", setting(Level::Order, share(driver("calls"))), 100)
        .activity("c_customer", setting(Level::Customer, share(driver("lines"))), 100)
        .activity("d_on_a", setting(Level::Order, cost("a_lines")), 100)
        .activity("e_on_b", setting(Level::Order, cost("b_calls")), 100)
        .activity("f_on_e", setting(Level::Order, cost("e_on_b")), 100)
        .activity("g_percent", setting(Level::Order, Method::Percent { shares: Vec::new(), within: within() }), 100)
        .activity(
            "h_rate",
            setting(Level::Order, Method::StandardRate { basis: within(), rate: Decimal { mantissa: 1, scale: 1 } }),
            100,
        )
        .activity("i_company", setting(Level::Company, share(Basis::Revenue)), 100)
}

#[test]
fn cost_reaches_lines_when_its_level_and_driver_do_and_stays_with_a_reason_otherwise() {
    let world = world();
    let plan = world.checked();
    let (ledger_drivers, refused) = (BTreeSet::from(["lines"]), BTreeMap::new());
    let known = Known { ledger_drivers: &ledger_drivers, refused: &refused };
    let objects = world.with_costing(|costing| of_lines(costing, &plan.balances, known));
    let reasons: Vec<String> =
        objects.stays.iter().map(|stays| stays.as_ref().map_or_else(String::new, Stays::to_string)).collect();
    assert_eq!(
        reasons,
        [
            "",
            "driver calls is known per customer",
            "level customer",
            "",
            "the cost of b_calls stays",
            "the cost of e_on_b stays",
            "it is shared by segments of customers",
            "",
            "level company",
        ]
    );
    // A standard rate charged customers 4 · 0.1 of the pool's 1.00; that is what objects divide.
    let pool = objects.pools.iter().find(|pool| pool.activity == "h_rate").unwrap();
    assert_eq!((pool.amount, &objects.activities[7].setting.method), (40, &Method::Share(driver("lines"))));
}

#[test]
fn what_objects_refused_stays_and_so_does_what_is_in_proportion_to_it() {
    let world = world();
    let plan = world.checked();
    let ledger_drivers = BTreeSet::from(["lines"]);
    let refused = BTreeMap::from([(0, "no".to_owned())]);
    let known = Known { ledger_drivers: &ledger_drivers, refused: &refused };
    let objects = world.with_costing(|costing| of_lines(costing, &plan.balances, known));
    assert_eq!(objects.stays[0], Some(Stays::Refused("no".to_owned())));
    assert_eq!(objects.stays[3], Some(Stays::Cost("a_lines".to_owned())));
}

#[test]
fn a_fallback_that_only_customers_know_is_left_out() {
    let mut with = setting(Level::Order, Method::Share(driver("lines")));
    with.no_driver = Some(NoDriver::Fallback(driver("calls")));
    let world = World::whole(1).driver("calls", &[UNITS]).driver("lines", &[0]).activity("a", with, 100);
    let plan = world.checked();
    let (ledger_drivers, refused) = (BTreeSet::from(["lines"]), BTreeMap::new());
    let known = Known { ledger_drivers: &ledger_drivers, refused: &refused };
    let objects = world.with_costing(|costing| of_lines(costing, &plan.balances, known));
    assert_eq!((&objects.stays[0], &objects.activities[0].setting.no_driver), (&None, &None));
}

#[test]
fn a_channel_bears_its_customers_cost_and_its_own_level_and_nothing_above() {
    let share = || Method::Share(Basis::Average);
    let pushed = ActivitySetting { push_down: true, ..setting(Level::Region, share()) };
    let world = World::whole(1)
        .activity("a_order", setting(Level::Order, share()), 100)
        .activity("b_channel", setting(Level::Channel, share()), 200)
        .activity("c_region", setting(Level::Region, share()), 300)
        .activity("d_pushed", pushed, 400);
    let plan = world.checked();
    let objects = world.with_costing(|costing| of_groups(costing, &plan.balances, CostObject::Channel));
    assert_eq!(objects.stays, [None, None, Some(Stays::Level(Level::Region)), None]);
    let methods: Vec<&str> = objects.activities.iter().map(|activity| activity.setting.method.as_str()).collect();
    assert_eq!(methods, ["traced", "average", "average", "traced"]);
    assert_eq!(
        objects.activities.iter().map(|activity| activity.setting.sustains()).collect::<Vec<_>>(),
        [false, false, true, false]
    );
    let pools: Vec<(&str, i64)> = objects.pools.iter().map(|pool| (pool.activity.as_str(), pool.amount)).collect();
    assert_eq!(pools, [("b_channel", 200), ("c_region", 300)]);
}
