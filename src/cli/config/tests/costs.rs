//! `drivers` and `activities`.

use super::*;
use crate::schema::costing::{ActivitySetting, Capacity};

#[test]
fn a_ledger_driver_has_one_measure() {
    assert_snapshot!(message_with("drivers: {d: cuont}\n"), @"shop/whalecurve.yaml:5:14: `drivers.d` is `cuont`, expected `count`");
    assert_snapshot!(message_with("drivers: {d: {where: x > 1}}\n"), @"shop/whalecurve.yaml:5:11: `drivers.d` has 0 measures, expected exactly one of count, count_distinct, sum, time");
    assert_snapshot!(message_with("drivers: {d: {count: lines, sum: x}}\n"), @"shop/whalecurve.yaml:5:11: `drivers.d` has 2 measures, expected exactly one of count, count_distinct, sum, time");
    assert_snapshot!(message_with("drivers: {d: {count: rows}}\n"), @"shop/whalecurve.yaml:5:22: `drivers.d.count` is `rows`, expected `lines`");
    assert_snapshot!(message_with("drivers: {d: {count_distinct: customer}}\n"), @"shop/whalecurve.yaml:5:31: `drivers.d.count_distinct` is `customer`, expected one of order, day, month");
    assert_snapshot!(message_with("drivers: {d: {sum: ''}}\n"), @"shop/whalecurve.yaml:5:20: `drivers.d.sum` is empty, expected the name of a numeric column of the file");
}

#[test]
fn names_are_not_empty() {
    let activity = "{level: order, method: average, cost: 1}";
    assert_snapshot!(message_with(&format!("activities: {{'': {activity}, ' x': {activity}}}\n")), @r"
    shop/whalecurve.yaml:5:14: a name in `activities` is empty or has white space around it
    shop/whalecurve.yaml:5:60: a name in `activities` is empty or has white space around it
    ");
}

#[test]
fn an_activity_needs_a_level_a_method_and_a_cost() {
    assert_snapshot!(message_with("activities: {a: {}}\n"), @r"
    shop/whalecurve.yaml:5:14: `activities.a.level` is missing
    shop/whalecurve.yaml:5:14: `activities.a.method` is missing
    shop/whalecurve.yaml:5:14: `activities.a` has no cost, and `inputs` has no pools to take it from
      hint: give cost: … in major units, or add the table inputs.pools
    ");
    assert_snapshot!(message_with("activities: {a: {level: ordr, method: averge, cost: 1}}\n"), @r"
    shop/whalecurve.yaml:5:25: `activities.a.level` is `ordr`, expected one of unit, product, order, batch, customer, channel, region, company
      hint: did you mean `order`?
    shop/whalecurve.yaml:5:39: `activities.a.method` is `averge`, expected one of average, even, revenue, cost, driver, time_driven, percent, fixed_amount, standard_rate, dual_rate, traced
      hint: did you mean `average`?
    ");
}

#[test]
fn a_cost_may_come_from_the_pools() {
    let pools = "  pools: {path: p, columns: {activity: a, amount: b}}\n";
    let settings = read_minimal_with(&format!("{pools}activities: {{a: {{level: order, method: average}}}}\n"));
    assert_eq!(settings.activities["a"].cost, None);
}

#[test]
fn money_has_at_most_the_currencys_digits_and_fits() {
    let with =
        |cost: &str| message_with(&format!("activities: {{a: {{level: order, method: average, cost: {cost}}}}}\n"));
    assert_snapshot!(with("12.345"), @"shop/whalecurve.yaml:5:55: `activities.a.cost` is `12.345`, expected an amount of money with at most 2 digits after the point");
    assert_snapshot!(with("'25,000.00'"), @"shop/whalecurve.yaml:5:55: `activities.a.cost` is `25,000.00`, expected an amount of money: digits, and a point where a fraction follows");
    assert_snapshot!(with("1e3"), @"shop/whalecurve.yaml:5:55: `activities.a.cost` is `1e3`, expected an amount of money: digits, and a point where a fraction follows");
    assert_snapshot!(with("99999999999999999999"), @"shop/whalecurve.yaml:5:55: `activities.a.cost` is `99999999999999999999`, expected an amount of money of at most 18 digits in all");
    let yen = MINIMAL.replace("USD", "JPY");
    assert_snapshot!(message(&format!("{yen}activities: {{a: {{level: order, method: average, cost: 0.5}}}}\n")), @"shop/whalecurve.yaml:5:55: `activities.a.cost` is `0.5`, expected an amount of money without digits after the point");
}

#[test]
fn a_driver_is_defined_or_may_come_from_a_table() {
    let activity = "activities: {a: {level: order, method: driver, driver: ordrs, cost: 1}}\n";
    assert_snapshot!(message_with(activity), @r"
    shop/whalecurve.yaml:5:56: `activities.a.driver` is `ordrs`, expected a driver that is defined in `drivers`; 1.00 USD are at stake
      hint: define it in `drivers`, or add the table inputs.driver_quantities
    ");
    assert_snapshot!(message_with(&format!("drivers: {{orders: {{count_distinct: order}}}}\n{activity}")), @r"
    shop/whalecurve.yaml:6:56: `activities.a.driver` is `ordrs`, expected a driver that is defined in `drivers`; 1.00 USD are at stake
      hint: did you mean `orders`? known drivers: orders
    ");
    assert_snapshot!(message_with(&format!("drivers: {{visits: count}}\n{activity}")), @r"
    shop/whalecurve.yaml:6:56: `activities.a.driver` is `ordrs`, expected a driver that is defined in `drivers`; 1.00 USD are at stake
      hint: known drivers: visits; others need the table inputs.driver_quantities
    ");
    let table = "  driver_quantities: {path: q, columns: {customer_id: c, driver: d, quantity: q}}\n";
    assert!(read(&format!("{MINIMAL}{table}{activity}")).is_ok());
}

#[test]
fn a_driver_that_is_wrong_itself_is_told_once() {
    let text = "drivers: {orders: {}}\nactivities: {a: {level: order, method: driver, driver: orders, cost: 1}}\n";
    assert_snapshot!(message_with(text), @"shop/whalecurve.yaml:5:11: `drivers.orders` has 0 measures, expected exactly one of count, count_distinct, sum, time");
}

#[test]
fn keys_without_effect_are_refused() {
    assert_snapshot!(message_with("activities: {a: {level: order, method: driver, cost: 1}}\n"), @"shop/whalecurve.yaml:5:14: `activities.a.driver` is missing");
    assert_snapshot!(message_with("activities: {a: {level: order, method: revenue, driver: orders, cost: 1}}\n"), @r"
    shop/whalecurve.yaml:5:49: `activities.a.driver` has no effect: method revenue uses no driver
      hint: write method: driver, or leave the driver out
    ");
    assert_snapshot!(message_with("activities: {a: {level: order, method: average, negative: zero, cost: 1}}\n"), @"shop/whalecurve.yaml:5:49: `activities.a.negative` has no effect: method average uses no quantities");
    assert_snapshot!(message_with("activities: {a: {level: order, method: revenue, negative: abslute, cost: 1}}\n"), @r"
    shop/whalecurve.yaml:5:59: `activities.a.negative` is `abslute`, expected one of error, signed, zero, absolute, shift, separate
      hint: did you mean `absolute`?
    ");
    assert_snapshot!(message_with("activities: {a: {level: order, method: revenue, of: [x], time: '1*x', cost: 1}}\n"), @r"
    shop/whalecurve.yaml:5:49: `activities.a.of` has no effect: method revenue uses no of
    shop/whalecurve.yaml:5:58: `activities.a.time` has no effect: method revenue uses no time
      hint: write method: time_driven, or leave the time out
    ");
    assert_snapshot!(message_with("activities: {a: {level: order, method: revenue, push_down: true, over_use: rescale, fallback: even, amplification_limit: 2, cost: 1}}\n"), @r"
    shop/whalecurve.yaml:5:49: `activities.a.push_down` has no effect: only a channel's, region's or the company's cost stays above customers
    shop/whalecurve.yaml:5:66: `activities.a.over_use` has no effect without a capacity
    shop/whalecurve.yaml:5:85: `activities.a.fallback` has no effect without no_driver: fallback
    shop/whalecurve.yaml:5:101: `activities.a.amplification_limit` has no effect without negative: signed
    ");
}

const ORDERS: &str = "drivers: {orders: count, calls: count}\n";

/// The message for an activity with these keys beside level and cost.
fn activity(keys: &str) -> String {
    message_with(&format!("{ORDERS}activities: {{a: {{level: order, cost: 1, {keys}}}}}\n"))
}

/// The settings of an activity with these keys beside level and cost.
fn accepted(keys: &str) -> ActivitySetting {
    read_minimal_with(&format!("{ORDERS}activities: {{a: {{level: order, cost: 1, {keys}}}}}\n")).activities["a"]
        .clone()
}

#[test]
fn every_method_says_what_it_misses() {
    assert_snapshot!(activity("method: time_driven"), @"shop/whalecurve.yaml:6:14: `activities.a.time` is missing");
    assert_snapshot!(activity("method: time_driven, time: 3*ordrs + 2"), @r"
    shop/whalecurve.yaml:6:68: `activities.a.time`: column 3: unknown term `ordrs`; known terms: `orders`, `calls`; 1.00 USD are at stake
      hint: use a known term; a name with spaces or dashes goes between backquotes
    ");
    assert_snapshot!(activity("method: time_driven, time: '12.5'"), @"shop/whalecurve.yaml:6:68: `activities.a.time` is `12.5`, expected a time equation that names a driver");
    assert_snapshot!(activity("method: percent, shares: {}"), @"shop/whalecurve.yaml:6:58: `activities.a.shares` names no segment");
    assert_snapshot!(activity("method: percent, shares: {a: 60, b: 40.5}"), @"shop/whalecurve.yaml:6:58: `activities.a.shares` add up to 100.5 %, more than 100 %; 1.00 USD are at stake");
    assert_snapshot!(activity("method: fixed_amount"), @"shop/whalecurve.yaml:6:14: `activities.a` has neither segments nor each: nothing is fixed");
    assert_snapshot!(activity("method: standard_rate, driver: orders"), @"shop/whalecurve.yaml:6:14: `activities.a.rate` is missing");
    assert_snapshot!(activity("method: dual_rate, driver: orders"), @r"
    shop/whalecurve.yaml:6:14: `activities.a.fixed` is missing
    shop/whalecurve.yaml:6:14: `activities.a.budgeted` is missing
    ");
    assert_snapshot!(activity("method: cost, of: [product_costs]"), @r"
    shop/whalecurve.yaml:6:60: `activities.a.of` is `product_costs`, expected product_cost or the name of an activity
      hint: known costs: product_cost, a
    ");
    assert_snapshot!(activity("method: driver, driver: {orders: 1, cals: 2}"), @r"
    shop/whalecurve.yaml:6:77: `activities.a.driver.cals` is no driver that is defined in `drivers`; 1.00 USD are at stake
      hint: known drivers: orders, calls; others need the table inputs.driver_quantities
    ");
}

#[test]
fn policies_that_do_not_go_together_are_refused() {
    assert_snapshot!(activity("method: driver, driver: orders, negative: signed, capacity: 5"), @"shop/whalecurve.yaml:6:14: `activities.a`: negative: signed cannot be combined with a capacity; 1.00 USD are at stake");
    assert_snapshot!(activity("method: revenue, no_driver: fallback"), @"shop/whalecurve.yaml:6:14: `activities.a.fallback` is missing");
    assert_snapshot!(activity("method: driver, driver: orders, capacity: 0"), @"shop/whalecurve.yaml:6:83: `activities.a.capacity` is `0`, expected a capacity above zero; 1.00 USD are at stake");
    assert_snapshot!(activity("method: driver, driver: orders, capacity: {practical: 5, normal: 6}"), @"shop/whalecurve.yaml:6:73: `activities.a.capacity` has 2 denominators, expected exactly one of practical, normal, budgeted");
    assert_snapshot!(activity("method: driver, driver: orders, capacity: {people: 3, days: 20, hours: 8, share: 1.2}"), @"shop/whalecurve.yaml:6:122: `activities.a.capacity.share` is `1.2`, expected a number from 0 to 1, at most 12 digits after the point");
    assert_snapshot!(activity("method: standard_rate, driver: orders, rate: 2, capacity: 5"), @"shop/whalecurve.yaml:6:14: `activities.a`: a capacity needs a driver, time or dual rate; 1.00 USD are at stake");
    assert_snapshot!(activity("method: driver, driver: orders, no_driver: even, capacity: 5"), @"shop/whalecurve.yaml:6:14: `activities.a`: no_driver has no effect beside a capacity: what nobody uses is unused; 1.00 USD are at stake");
    assert_snapshot!(activity("method: driver, driver: orders, no_driver: prior_period"), @"shop/whalecurve.yaml:6:14: `activities.a`: no_driver: prior_period has no effect in a run without periods; 1.00 USD are at stake");
    assert_snapshot!(activity("method: driver, driver: orders, valid_from: 2020-01-01, valid_to: 2019-01-01"), @"shop/whalecurve.yaml:6:97: `activities.a` ends before it begins");
}

#[test]
fn a_capacity_may_come_from_the_pools_and_what_becomes_of_more_use_stands_in_the_config() {
    use crate::schema::costing::OverUse;
    let pools = |columns: &str| format!("  pools: {{path: p, columns: {{activity: a, amount: b{columns}}}}}\n{ORDERS}");
    let of = |columns: &str, activity: &str| format!("{}activities: {{a: {activity}}}\n", pools(columns));
    let desk = "{level: order, method: driver, driver: orders, over_use: over_driven}";
    let settings = read_minimal_with(&of(", capacity: c", desk));
    assert_eq!(settings.activities["a"].over_use, OverUse::OverDriven);
    // So it is with a rule of a list, and beside unused_to.
    let rules = "{level: order, unused_to: b, rules: [{method: driver, driver: orders, over_use: rescale}]}, b: {level: channel, method: average}";
    let settings = read_minimal_with(&of(", capacity: c", rules));
    assert_eq!(settings.activities["a"].over_use, OverUse::Rescale);
    // Without a capacity in the table, or a method that has none, there is still nothing to be above.
    assert_snapshot!(message_with(&of("", desk)), @"shop/whalecurve.yaml:7:64: `activities.a.over_use` has no effect without a capacity");
    let traced = "{level: order, method: traced, over_use: rescale}";
    assert_snapshot!(message_with(&of(", capacity: c", traced)), @"shop/whalecurve.yaml:7:48: `activities.a.over_use` has no effect without a capacity");
    let idle = "{level: order, method: driver, driver: orders, unused_to: b}, b: {level: channel, method: average}";
    assert_snapshot!(message_with(&of("", idle)), @"shop/whalecurve.yaml:7:64: `activities.a.unused_to` has no effect without a capacity");
}

#[test]
fn a_mistake_in_an_activity_makes_no_second_one_of_the_ways_to_serve() {
    let way = |driver: &str| {
        format!(
            "{ORDERS}activities: {{a: {{level: ordr, method: driver, driver: orders, cost: 1}}}}\nportfolio: {{ways_to_serve: {{phone: {{drivers: {{{driver}: 0.2}}}}}}}}\n"
        )
    };
    assert_snapshot!(message_with(&way("orders")), @r"
    shop/whalecurve.yaml:6:25: `activities.a.level` is `ordr`, expected one of unit, product, order, batch, customer, channel, region, company
      hint: did you mean `order`?
    ");
    assert_snapshot!(message_with(&way("visits").replace("ordr", "order")), @r"
    shop/whalecurve.yaml:7:47: `portfolio.ways_to_serve.phone.drivers.visits` is no driver that an activity of the config goes by
      hint: known: orders
    ");
}

#[test]
fn capacity_is_a_quantity_or_working_time() {
    let of = |keys: &str| accepted(&format!("method: driver, driver: orders, capacity: {keys}")).capacity;
    assert_eq!(of("700000"), Some(Capacity::Practical(700_000_000_000)));
    assert_eq!(of("{budgeted: 2.5}"), Some(Capacity::Budgeted(2_500_000)));
    assert_eq!(of("actual"), Some(Capacity::Actual));
    // 28 people, 66 days, 8 hours, 80 %: minutes.
    assert_eq!(of("{people: 28, days: 66, hours: 8, share: 0.8}"), Some(Capacity::Practical(709_632_000_000)));
}

#[test]
fn every_mistake_of_a_rule_is_told_with_the_rule_and_its_money() {
    let of = |rest: &str| {
        message_with(&format!(
            "drivers: {{orders: count}}\nactivities: {{a: {{level: order, rule: R-1, cost: 1, {rest}}}}}\n"
        ))
    };
    let pool = |rest: &str| {
        message_with(&format!(
            "activities: {{a: {{level: order, method: average}}}}\nresources: {{pools: {{it: {{rule: R-1, cost: 1, {rest}}}}}}}\n"
        ))
    };
    let told = [
        of("method: percent, shares: {a: 110}"),
        of("method: percent, shares: {a: -5}"),
        of("method: driver, driver: orders, capacity: 4, unused_to: b"),
        pool("to: {}"),
        pool("capacity: 4"),
        pool("capacity: 0, to: {a: 1}"),
        pool("capacity: 0, to: {a: 0}"),
        pool("capacity: 2, to: {a: 2.5}"),
    ];
    for told in &told {
        assert!(told.contains("; rule `R-1`, 1.00 USD are at stake"), "{told}");
    }
    assert!(told[7].contains("gives 2.5, more than its capacity of 2;"), "{}", told[7]);
}

#[test]
fn a_rule_has_a_name_a_version_and_dates() {
    let rule = accepted("method: average, rule: {id: R-7, version: 3}, valid_to: 1970-01-02").rule;
    assert_eq!((rule.id.as_deref(), rule.version, rule.valid_from, rule.valid_to), (Some("R-7"), 3, None, Some(1)));
    assert_eq!(accepted("method: average, rule: R-8").rule.id.as_deref(), Some("R-8"));
}

#[test]
fn resource_pools_serve_what_is_there_and_no_more_than_they_can() {
    let with = |pools: &str| {
        message_with(&format!("activities: {{a: {{level: order, method: average}}}}\nresources: {pools}\n"))
    };
    assert_snapshot!(with("{pools: {it: {cost: 1, to: {a: 1, b: 2}}}}"), @r"
    shop/whalecurve.yaml:6:46: `resources.pools.it.to.b` is neither an activity nor a resource pool; 1.00 USD are at stake
      hint: known: a, it
    ");
    assert_snapshot!(with("{pools: {it: {cost: 1, rule: R-1, to: {a: 1, c: 1}}}}"), @r"
    shop/whalecurve.yaml:6:57: `resources.pools.it.to.c` is neither an activity nor a resource pool; rule `R-1`, 1.00 USD are at stake
      hint: known: a, it
    ");
    assert_snapshot!(with("{pools: {it: {cost: 1, to: {a: {periods: {1997-Q1: 2}}}}}}"), @r"
    shop/whalecurve.yaml:6:54: `resources.pools.it.to.a.periods.1997-Q1` is no period of this run
      hint: its periods are written like all
    ");
    assert_snapshot!(with("{pools: {it: {cost: 1, to: {a: {driver: calls}}}}}"), @r"
    shop/whalecurve.yaml:6:52: `resources.pools.it.to.a.driver` is `calls`, expected a driver that is defined in `drivers`; 1.00 USD are at stake
      hint: define it in `drivers`, or add the table inputs.driver_quantities
    ");
    assert_snapshot!(with("{pools: {it: {cost: 1, to: {a: {}}}}}"), @r"
    shop/whalecurve.yaml:6:40: `resources.pools.it.to.a` needs exactly one of periods, driver
      hint: a number alone is the weight in every period
    ");
    assert_snapshot!(with("{pools: {it: {cost: 1, to: {a: -1}}}}"), @"shop/whalecurve.yaml:6:43: `resources.pools.it.to.a` is `-1`, expected a weight of zero or more");
    assert_snapshot!(with("{pools: {it: {cost: 1, capacity: 2, to: {a: 3}}}}"), @r"
    shop/whalecurve.yaml:6:21: `resources.pools.it` gives 3, more than its capacity of 2; 1.00 USD are at stake
      hint: raise the capacity to what the weights add up to
    ");
    assert_snapshot!(with("{method: step_down, order: [it, hr], pools: {it: {cost: 1, to: {a: 3}}}}"), @r"
    shop/whalecurve.yaml:6:44: `resources.order` is `hr`, expected the name of a resource pool
      hint: known pools: it
    ");
    assert_snapshot!(with("{order: [it], pools: {it: {cost: 1, to: {a: 3}}}}"), @"shop/whalecurve.yaml:6:13: `resources.order` has no effect without method: step_down");
    assert_snapshot!(with("{pools: {a: {cost: 1, to: {a: 3}}}}"), @"shop/whalecurve.yaml:6:21: `resources.pools.a` has the name of an activity");
}
