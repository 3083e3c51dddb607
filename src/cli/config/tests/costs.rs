//! `drivers` and `activities`.

use super::*;

#[test]
fn a_ledger_driver_has_one_measure() {
    assert_snapshot!(message_with("drivers: {d: cuont}\n"), @"shop/whalecurve.yaml:5:14: `drivers.d` is `cuont`, expected `count`");
    assert_snapshot!(message_with("drivers: {d: {where: x > 1}}\n"), @"shop/whalecurve.yaml:5:11: `drivers.d` has 0 measures, expected exactly one of count, count_distinct, sum");
    assert_snapshot!(message_with("drivers: {d: {count: lines, sum: x}}\n"), @"shop/whalecurve.yaml:5:11: `drivers.d` has 2 measures, expected exactly one of count, count_distinct, sum");
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
    shop/whalecurve.yaml:5:25: `activities.a.level` is `ordr`, expected one of product, order, customer
      hint: did you mean `order`?
    shop/whalecurve.yaml:5:39: `activities.a.method` is `averge`, expected one of average, revenue, driver
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
    shop/whalecurve.yaml:5:56: `activities.a.driver` is `ordrs`, expected a driver that is defined in `drivers`
      hint: define it in `drivers`, or add the table inputs.driver_quantities
    ");
    assert_snapshot!(message_with(&format!("drivers: {{orders: {{count_distinct: order}}}}\n{activity}")), @r"
    shop/whalecurve.yaml:6:56: `activities.a.driver` is `ordrs`, expected a driver that is defined in `drivers`
      hint: did you mean `orders`? known drivers: orders
    ");
    assert_snapshot!(message_with(&format!("drivers: {{visits: count}}\n{activity}")), @r"
    shop/whalecurve.yaml:6:56: `activities.a.driver` is `ordrs`, expected a driver that is defined in `drivers`
      hint: known drivers: visits; others need the table inputs.driver_quantities
    ");
    let table = "  driver_quantities: {path: q, columns: {customer_id: c, driver: d, quantity: q}}\n";
    assert!(read(&format!("{MINIMAL}{table}{activity}")).is_ok());
}

#[test]
fn a_driver_that_is_wrong_itself_is_told_once() {
    let text = "drivers: {orders: {}}\nactivities: {a: {level: order, method: driver, driver: orders, cost: 1}}\n";
    assert_snapshot!(message_with(text), @"shop/whalecurve.yaml:5:11: `drivers.orders` has 0 measures, expected exactly one of count, count_distinct, sum");
}

#[test]
fn keys_without_effect_are_refused() {
    assert_snapshot!(message_with("activities: {a: {level: order, method: driver, cost: 1}}\n"), @"shop/whalecurve.yaml:5:14: `activities.a.driver` is missing");
    assert_snapshot!(message_with("activities: {a: {level: order, method: revenue, driver: orders, cost: 1}}\n"), @r"
    shop/whalecurve.yaml:5:49: `activities.a.driver` has no effect: method revenue uses no driver
      hint: write method: driver, or leave the driver out
    ");
    assert_snapshot!(message_with("activities: {a: {level: order, method: average, negative: zero, cost: 1}}\n"), @"shop/whalecurve.yaml:5:49: `activities.a.negative` has no effect: method average uses no quantities");
    assert_snapshot!(message_with("activities: {a: {level: order, method: revenue, negative: absolute, cost: 1}}\n"), @"shop/whalecurve.yaml:5:59: `activities.a.negative` is `absolute`, expected one of error, zero");
}
