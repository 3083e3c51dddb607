//! Every method, with worked numbers.

use super::*;
use crate::{
    numeric::decimal::Decimal,
    schema::{
        costing::{Basis, Capacity, Level, Method, OverUse},
        costs::PoolNode,
    },
};

fn of(mantissa: i128, scale: u32) -> Decimal {
    Decimal { mantissa, scale }
}

fn setting(method: Method) -> ActivitySetting {
    ActivitySetting::new(Level::Order, method)
}

fn by(name: &str) -> Basis {
    Basis::Driver(name.to_owned())
}

/// Kaplan & Anderson, HBR Nov 2004: 560,000 for 700,000 minutes; orders 49,000 × 8, inquiries 1,400 × 44, credit checks
/// 2,500 × 50. See REFERENCE.
#[test]
fn time_driven_cost_is_kaplans_and_the_unused_minutes_are_a_line_of_their_own() {
    let mut department = setting(Method::Share(Basis::Time {
        equation: "8*orders + 44*inquiries + 50*checks".to_owned(),
        drivers: ["orders", "inquiries", "checks"].map(str::to_owned).to_vec(),
    }));
    department.capacity = Some(Capacity::Practical(i128::from(700_000 * UNITS)));
    let world = World::whole(3)
        .driver("orders", &[49_000 * UNITS, 0, 0])
        .driver("inquiries", &[0, 1_400 * UNITS, 0])
        .driver("checks", &[0, 0, 2_500 * UNITS])
        .activity("department", department, 56_000_000);
    let (cost, balance) = world.cost();
    assert_eq!(cost, [31_360_000, 4_928_000, 10_000_000]);
    assert_eq!((balance.allocated, balance.unused), (46_288_000, 9_712_000));
    let plan = world.checked();
    assert_eq!(plan.capacity[0].used, i128::from(578_600 * UNITS));
    // 0.80 a minute, exactly.
    assert_eq!((plan.rates[0].cost, plan.rates[0].quantity), (56_000_000, i128::from(700_000 * UNITS)));
}

#[test]
fn percentages_of_segments_are_spread_inside_each_and_the_rest_is_nobodys() {
    let percent = |north: i128, south: i128| Method::Percent {
        shares: vec![("north".to_owned(), of(north, 0)), ("south".to_owned(), of(south, 0))],
        within: by("orders"),
    };
    let world = |method| {
        World::whole(3)
            .segments(&["north", "south"], &[0, 1, 1])
            .driver("orders", &[7 * UNITS, 3 * UNITS, UNITS])
            .activity("rent", setting(method), 18_225)
    };
    // REFERENCE: 182.25 at 98/2 % is 178.61 + 3.64.
    let (cost, balance) = world(percent(98, 2)).cost();
    assert_eq!((cost, balance.unassigned_total()), (vec![17_861, 273, 91], 0));
    let (cost, balance) = world(percent(50, 25)).cost();
    assert_eq!(cost, [9_113, 3_417, 1_139]);
    assert_eq!((balance.unassigned[3], balance.reasons()), (4_556, Some("remainder".to_owned())));
    let unknown = Method::Percent { shares: vec![("west".to_owned(), of(1, 0))], within: Basis::Average };
    assert_eq!(
        world(unknown).refusal(),
        "activity `rent`: segment `west` has a share, but no customer is in it; known segments: north, south; 182.25 EUR are at stake"
    );
}

#[test]
fn fixed_amounts_come_first_and_the_rest_goes_by_the_basis() {
    let method = Method::FixedAmount { segments: vec![("north".to_owned(), 600)], each: Some(100), rest: by("orders") };
    let world = |amount| {
        World::whole(3).segments(&["north", "south"], &[0, 1, 1]).driver("orders", &[UNITS, UNITS, 2 * UNITS]).activity(
            "support",
            setting(method.clone()),
            amount,
        )
    };
    // 6.00 to the north, 1.00 to each, 8.00 left at 1 : 1 : 2.
    assert_eq!(world(1_700).cost().0, [900, 300, 500]);
    // Nobody has an order: the rest is nobody's, and so is what only orders could divide inside the north.
    let idle = World::whole(2).driver("orders", &[0, 0]).segments(&["north"], &[0, 0]);
    let method = Method::FixedAmount { segments: Vec::new(), each: Some(100), rest: by("orders") };
    let (cost, balance) = idle.activity("support", setting(method), 1_700).cost();
    assert_eq!((cost, balance.unassigned_total()), (vec![100, 100], 1_500));
    assert_eq!(
        world(800).refusal(),
        "activity `support`: the fixed amounts are more than the pool of 8.00; 9.00 EUR are at stake"
    );
}

#[test]
fn a_standard_rate_charges_what_was_used_and_shows_what_it_leaves() {
    let method = Method::StandardRate { basis: by("hours"), rate: of(125, 1) };
    let world = World::whole(2).driver("hours", &[30 * UNITS, 10 * UNITS]).activity("shop", setting(method), 60_000);
    let (cost, balance) = world.cost();
    assert_eq!((cost, balance.under_absorbed), (vec![37_500, 12_500], 10_000));
    // The rate as it was agreed, not what it came to.
    let rate = world.checked().rates[0];
    assert_eq!((rate.cost, rate.quantity), (1_250, i128::from(UNITS)));
}

#[test]
fn an_exact_rate_is_told_where_the_money_that_it_charges_is_rounded() {
    let rate_of = |setting: ActivitySetting, quantity: i64, cost| {
        let world = World::whole(1).driver("calls", &[quantity * UNITS]).activity("desk", setting, cost);
        let plan = world.checked();
        let part = plan.parts(&world.ground(), 0)[0].rate;
        let rate = plan.rates[0];
        assert_eq!(part, (rate.cost, rate.quantity));
        part
    };
    let standard = setting(Method::StandardRate { basis: by("calls"), rate: of(333, 4) });
    assert_eq!(rate_of(standard, 10_001, 100_000), (333, i128::from(100 * UNITS)));
    let mut desk = setting(Method::Share(by("calls")));
    desk.capacity = Some(Capacity::Practical(i128::from(7 * UNITS)));
    desk.over_use = OverUse::OverDriven;
    assert_eq!(rate_of(desk, 11, 1_000), (1_000, i128::from(7 * UNITS)));
}

/// Two known and two unknown customers with a call each, and 100.00.
#[test]
fn unknown_customers_keep_their_weight_under_every_method_that_goes_by_a_driver() {
    let world = |method, segments: &[&str], capacity: Option<i64>| {
        let mut setting = setting(method);
        setting.capacity = capacity.map(|units| Capacity::Practical(i128::from(units * UNITS)));
        let mut world = World::whole(2)
            .segments(segments, &[0, 0])
            .driver("calls", &[UNITS, UNITS])
            .driver("budget", &[UNITS, UNITS])
            .activity("desk", setting, 10_000);
        let row = |(customer, driver)| UnknownQuantity { customer, driver, period: 0, quantity: UNITS };
        world.unknown = [(8, 0), (9, 0), (8, 1), (9, 1)].map(row).to_vec();
        let (cost, balance) = world.cost();
        (cost, balance.unassigned[2], balance.unused)
    };
    let half = (vec![2_500, 2_500], 5_000, 0);
    let dual = || Method::DualRate { fixed: 4_000, budgeted: by("budget"), actual: by("calls") };
    assert_eq!(world(Method::Share(by("calls")), &["n"], None), half);
    assert_eq!(world(dual(), &["n"], None), half);
    // 40.00 for 8: two budgeted by known, two by unknown customers, four by nobody.
    assert_eq!(world(dual(), &["n"], Some(8)), (vec![2_000, 2_000], 4_000, 2_000));
    let fixed = Method::FixedAmount { segments: Vec::new(), each: Some(100), rest: by("calls") };
    assert_eq!(world(fixed, &["n"], None), (vec![2_550, 2_550], 4_900, 0));
    // An unknown customer is in no segment: what another one has is its own customers'.
    let all = |segment: &str| Method::Percent { shares: vec![(segment.to_owned(), of(100, 0))], within: by("calls") };
    assert_eq!(world(all("(none)"), &["(none)"], None), half);
    assert_eq!(world(all("n"), &["n"], None), (vec![5_000, 5_000], 0, 0));
    // Where every known customer has a segment, only unknown ones are without.
    assert_eq!(world(all("(none)"), &["n"], None), (vec![0, 0], 10_000, 0));
}

#[test]
fn a_dual_rate_tells_the_rate_of_both_parts_and_the_cost_of_its_capacity() {
    let method = Method::DualRate { fixed: 4_000, budgeted: by("budget"), actual: by("calls") };
    let mut desk = setting(method);
    desk.capacity = Some(Capacity::Practical(i128::from(8 * UNITS)));
    let world =
        World::whole(1).driver("budget", &[2 * UNITS]).driver("calls", &[5 * UNITS]).activity("desk", desk, 10_000);
    let plan = world.checked();
    let rates: Vec<_> = plan.rates.iter().map(|rate| (rate.basis, rate.cost, rate.quantity / 1_000_000)).collect();
    assert_eq!(rates, [(1, 4_000, 8), (0, 6_000, 5)]);
    assert_eq!((plan.capacity[0].cost, plan.capacity[0].unused_cost), (4_000, 3_000));
}

/// Horngren, Datar & Rajan, Cost Accounting, Sand Hill: fixed 3,000,000 by budget 8,000 and 4,000 hours, the rest
/// 2,400,000 by 9,000 and 3,000 used hours.
#[test]
fn a_dual_rate_charges_the_fixed_part_by_the_budget() {
    let method = Method::DualRate { fixed: 300_000_000, budgeted: by("budget"), actual: by("used") };
    let world = World::whole(2)
        .driver("budget", &[8_000 * UNITS, 4_000 * UNITS])
        .driver("used", &[9_000 * UNITS, 3_000 * UNITS])
        .activity("computing", setting(method), 540_000_000);
    assert_eq!(world.cost().0, [380_000_000, 160_000_000]);
}

#[test]
fn weights_join_drivers_into_one() {
    let basis = Basis::Composite(vec![("orders".to_owned(), of(1, 0)), ("calls".to_owned(), of(25, 1))]);
    let world = World::whole(2).driver("orders", &[5 * UNITS, 0]).driver("calls", &[0, 2 * UNITS]).activity(
        "service",
        setting(Method::Share(basis)),
        1_001,
    );
    // 5 points each; the odd cent goes to the smaller hash.
    let cost = world.cost().0;
    assert_eq!((cost[0] - cost[1]).abs(), 1);
    assert_eq!(cost.iter().sum::<i64>(), 1_001);
}

#[test]
fn cost_follows_cost_in_the_order_of_need_and_a_circle_is_named() {
    let on =
        |names: &[&str]| setting(Method::Share(Basis::Cost(names.iter().map(|name| (*name).to_owned()).collect())));
    let mut world = World::whole(2)
        .driver("orders", &[UNITS, 3 * UNITS])
        .activity("a_overhead", on(&["handling", "product_cost"]), 1_000)
        .activity("handling", setting(Method::Share(by("orders"))), 400);
    world.cells.product_cost = vec![500, 100];
    let plan = world.checked();
    // handling 100 and 300, product cost 500 and 100: 600 : 400.
    assert_eq!(plan.activity_cost(0, &world.ground()), [600, 400]);
    let circle = World::whole(1).activity("a", on(&["b"]), 100).activity("b", on(&["a"]), 50);
    assert_eq!(
        circle.refusal(),
        "activity `a`: it is in proportion to its own cost, through a, b; 1.50 EUR are at stake"
    );
}

#[test]
fn even_counts_customers_and_average_counts_customers_and_periods() {
    let world = |basis| {
        World::periods(&[(0, 1), (0, 2), (0, 3), (1, 2)], PeriodKind::Year).activity(
            "upkeep",
            setting(Method::Share(basis)),
            1_200,
        )
    };
    assert_eq!(world(Basis::Average).cost().0, [300, 300, 300, 300]);
    assert_eq!(world(Basis::Even).cost().0, [600, 0, 0, 600]);
}

#[test]
fn costs_that_name_their_customer_are_traced_and_a_pool_beyond_them_is_under_absorbed() {
    let trace = |customer, amount| TracedCost { customer, period: 0, activity: "freight".to_owned(), amount };
    let mut world = World::whole(2);
    world.activities.push(Activity { name: "freight".to_owned(), setting: setting(Method::Traced) });
    world.traced = vec![trace(Some(0), 250), trace(Some(0), -50), trace(Some(1), 10), trace(None, 40)];
    let (cost, balance) = world.cost();
    assert_eq!(cost, [200, 10]);
    assert_eq!((balance.own, balance.allocated, balance.unassigned[2]), (250, 210, 40));
    world.pools.push(Pool { activity: "freight".to_owned(), period: None, amount: 300, capacity: None });
    assert_eq!(world.cost().1.under_absorbed, 50);
}

#[test]
fn over_driven_cost_has_a_policy() {
    let world = |over_use| {
        let mut desk = setting(Method::Share(by("calls")));
        desk.capacity = Some(Capacity::Practical(i128::from(10 * UNITS)));
        desk.over_use = over_use;
        World::whole(2).driver("calls", &[9 * UNITS, 3 * UNITS]).activity("desk", desk, 1_000)
    };
    let (cost, balance) = world(OverUse::OverDriven).cost();
    assert_eq!((cost, balance.over_driven), (vec![900, 300], -200));
    assert_eq!(world(OverUse::Rescale).cost().0, [750, 250]);
    let message = "activity `desk`: the used quantity is 1.20 times the capacity; 10.00 EUR are at stake";
    assert_eq!(world(OverUse::Error).refusal(), message);
}

#[test]
fn unused_capacity_goes_to_the_level_that_caused_it_when_a_rule_says_so() {
    let mut desk = setting(Method::Share(by("calls")));
    desk.capacity = Some(Capacity::Practical(i128::from(10 * UNITS)));
    desk.unused_to = Some("channel_idle".to_owned());
    let idle = ActivitySetting::new(Level::Channel, Method::Share(Basis::Average));
    let world = World::whole(2).driver("calls", &[5 * UNITS, 3 * UNITS]).activity("desk", desk, 1_000).activity_in(
        "channel_idle",
        idle,
        &[],
    );
    let plan = world.checked();
    let balance = |number| plan.balances.iter().find(|balance| balance.node == PoolNode::Activity(number)).unwrap();
    assert_eq!((balance(1).allocated, balance(1).unused, balance(1).sent), (800, 0, 200));
    assert_eq!((balance(0).received, balance(0).sustained), (200, 200));
    assert_eq!((plan.trace[0].amount, plan.trace[0].weight), (200, 2 * UNITS));
}

#[test]
fn a_pool_of_the_whole_run_pays_for_what_is_traced_in_every_period_without_a_pool_of_its_own() {
    let trace = |customer, period, amount| TracedCost { customer, period, activity: "freight".to_owned(), amount };
    let world = |pools: &[(Option<i32>, Minor)]| {
        let mut world = World::periods(&[(0, 1), (0, 2), (1, 2)], PeriodKind::Year).activity_in(
            "freight",
            setting(Method::Traced),
            pools,
        );
        world.traced = vec![trace(Some(0), 1, 5_000), trace(Some(0), 2, 700), trace(None, 2, 300)];
        let plan = world.checked();
        let balance = |balance: &PoolBalance| (balance.period, balance.own, balance.allocated, balance.under_absorbed);
        assert_eq!(plan.balances.iter().map(PoolBalance::residual).collect::<Vec<_>>(), vec![0; plan.balances.len()]);
        assert_eq!(plan.activity_cost(0, &world.ground()), [5_000, 700, 0]);
        plan.balances.iter().map(balance).collect::<Vec<_>>()
    };
    assert_eq!(world(&[(None, 10_000)]), [(None, 10_000, 5_700, 4_000)]);
    assert_eq!(world(&[(None, 10_000), (Some(2), 0)]), [(None, 10_000, 5_700, 4_000)]);
    assert_eq!(world(&[(None, 10_000), (Some(2), 1_200)]), [(None, 10_000, 5_000, 5_000), (Some(2), 1_200, 700, 200)]);
    // Without one, what is named is what the period cost.
    assert_eq!(world(&[(None, 0)])[1..], [(Some(1), 5_000, 5_000, 0), (Some(2), 1_000, 700, 0)]);
    assert_eq!(world(&[(Some(1), 6_000)]), [(Some(1), 6_000, 5_000, 1_000), (Some(2), 1_000, 700, 0)]);
}

#[test]
fn a_standard_rate_charges_every_period_with_a_quantity_whether_it_has_a_cost_or_not() {
    let rate = || setting(Method::StandardRate { basis: by("calls"), rate: of(10, 0) });
    let world = |pools: &[(Option<i32>, Minor)]| {
        let keys = [(0, 1), (0, 2), (0, 3), (1, 1)];
        let quantities = [UNITS, 2 * UNITS, 0, 3 * UNITS];
        let mut world = World::periods(&keys, PeriodKind::Year).driver("calls", &quantities);
        world = world.activity_in("desk", rate(), pools);
        world.unknown = vec![UnknownQuantity { customer: 9, driver: 0, period: 4, quantity: UNITS }];
        let plan = world.checked();
        let balance = |balance: &PoolBalance| (balance.period, balance.allocated, balance.under_absorbed);
        (plan.activity_cost(0, &world.ground()), plan.balances.iter().map(balance).collect::<Vec<_>>())
    };
    let cost = vec![1_000, 2_000, 0, 3_000];
    let by_period = vec![(Some(1), 4_000, 2_000), (Some(2), 2_000, -2_000), (Some(4), 0, -1_000)];
    assert_eq!(world(&[(Some(1), 6_000)]), (cost.clone(), by_period));
    assert_eq!(world(&[]).0, cost);
    assert_eq!(world(&[(None, 6_000)]), (cost.clone(), vec![(None, 6_000, -1_000)]));
    // Nobody pays twice where a cost of the whole run stands beside one of a period.
    let both = vec![(None, 0, 6_000), (Some(1), 4_000, -3_500), (Some(2), 2_000, -2_000), (Some(4), 0, -1_000)];
    assert_eq!(world(&[(None, 6_000), (Some(1), 500)]), (cost, both));
    let whole = World::whole(1).driver("calls", &[UNITS]).activity_in("desk", rate(), &[]);
    assert_eq!(whole.cost().0, [1_000]);
}
