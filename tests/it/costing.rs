//! Every way from cost to customers that a config can say, through the whole flow.

use insta::assert_snapshot;

use crate::support::{Job, cents, days, integers};

const HEAD: &str = "
version: 1
currency: EUR
period: quarter
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a, product_cost: p}}
  customers: {path: customers.csv, columns: {customer_id: c, segment: s}}
  driver_quantities: {path: q.csv, columns: {customer_id: c, driver: d, quantity: q, period: p}}
";

/// Customer 1 (north) buys in both quarters, 2 (south) in the first: 10.00, 20.00 and 30.00; product cost half of it.
fn job(rest: &str) -> Job {
    let job = Job::new(&format!("{HEAD}{rest}"));
    job.text("customers.csv", "c,s\n1,north\n2,south\n");
    job.text("q.csv", "c,d,q,p\n1,calls,3,1970-Q1\n2,calls,1,1970-Q1\n9,calls,4,1970-Q1\n");
    let columns = vec![
        ("c", integers([1, 2, 1])),
        ("d", days([1, 2, 100])),
        ("a", cents([1_000, 3_000, 2_000])),
        ("p", cents([500, 1_500, 1_000])),
    ];
    job.parquet("l.parquet", columns);
    job
}

fn balance(job: &Job, column: &str) -> Vec<(String, i128)> {
    job.texts("pool_balance", "pool").into_iter().zip(job.decimals("pool_balance", column)).collect()
}

fn of(name: &str, amount: i128) -> (String, i128) {
    (name.to_owned(), amount)
}

/// Nobody used visits. What divided the cost in their place is told everywhere, and it is no driver tracing.
#[test]
fn what_stands_in_for_a_driver_that_nobody_used_is_told_as_what_it_is() {
    let job = job("
drivers: {lines: count}
resources:
  pools:
    hr: {cost: 10.00, to: {all: {driver: lines}}}
    it: {cost: 10.00, to: {all: 1}}
activities:
  all: {level: order, method: driver, driver: visits, no_driver: even}
  own: {level: order, method: driver, driver: lines, no_driver: even, cost: 3.00}
  sales: {level: order, method: driver, driver: visits, no_driver: fallback, fallback: revenue, cost: 10.00}
  work: {level: order, method: driver, driver: visits, no_driver: fallback, fallback: {driver: lines}, cost: 3.00}
");
    job.run(&[]);
    let kinds = job.texts("customer_cost", "activity").into_iter().zip(job.texts("customer_cost", "kind"));
    let kind = |name: &str| if ["own", "work"].contains(&name) { "driver_tracing" } else { "allocation" };
    for (activity, told) in kinds {
        assert_eq!(told, kind(&activity), "{activity}");
    }
    let drivers = ["even", "lines", "revenue", "lines"].map(|driver| Some(driver.to_owned()));
    assert_eq!(job.optional_texts("pool_balance", "driver")[2..], drivers);
    assert_eq!(job.optional_texts("activity_rate", "driver"), drivers);
    assert_eq!(job.decimals("activity_rate", "quantity"), [2_000_000, 3_000_000, 60_000_000, 3_000_000]);
    assert_eq!(job.texts("trace", "kind"), ["driver_tracing", "allocation"]);
    let done = job.command("explain", &["--customer", "1", "--output-format", "json"]);
    let explained: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    for line in explained["costs"].as_array().unwrap() {
        assert_eq!(line["kind"], kind(line["activity"].as_str().unwrap()), "{}", line["activity"]);
    }
}

#[test]
fn resources_activities_and_customers_tie_in_one_run() {
    let job = job("
drivers: {lines: count}
resources:
  pools:
    it: {cost: 150.00, to: {handling: 40, desk: 20, hr: 40}}
    hr: {cost: 300.00, to: {handling: 70, desk: 10, it: 20}}
activities:
  handling: {level: order, method: driver, driver: lines}
  desk: {level: company, method: average}
  rent: {level: region, push_down: true, method: percent, shares: {north: 98, south: 1}, cost: 182.25}
  bonus: {level: customer, recurring: false, method: fixed_amount, each: 1.00, by: revenue, cost: 9.00}
  picking: {level: order, method: standard_rate, driver: lines, rate: 1.25, cost: 4.00}
  overhead: {level: customer, method: cost, of: [product_cost, picking], cost: 33.75}
");
    job.run(&[]);
    // REFERENCE: reciprocal X 365.22, Y 84.78.
    let received = balance(&job, "received");
    assert!(received.contains(&of("handling", 36_522)) && received.contains(&of("desk", 8_478)));
    assert!(balance(&job, "sustained").contains(&of("desk", 8_478)));
    // 98 % and 1 % of 182.25; the north has two rows, each half of 178.605 rounded to 178.61 or 178.60 in all.
    assert_eq!(balance(&job, "unassigned_remainder").iter().map(|pool| pool.1).sum::<i128>(), 182);
    // 3.75 charged of 4.00.
    assert!(balance(&job, "under_absorbed").contains(&of("picking", 25)));
    // Product cost 5, 10, 15 and picking 1.25 each: 6.25, 11.25, 16.25 of 33.75, customer by customer and quarter.
    let overhead: Vec<i128> = job
        .texts("customer_cost", "activity")
        .into_iter()
        .zip(job.decimals("customer_cost", "amount"))
        .filter(|(activity, _)| activity == "overhead")
        .map(|(_, amount)| amount)
        .collect();
    assert_eq!(overhead, [625, 1_125, 1_625]);
    assert_eq!(job.sum("pool_balance", "residual"), 0);
    assert_eq!(job.sum("customer_cost", "amount"), job.sum("pool_balance", "allocated"));
    let layers: i128 = ["product_activity_cost", "order_cost", "customer_cost", "below_cost"]
        .map(|column| job.sum("customer_profit", column))
        .into_iter()
        .sum();
    assert_eq!(layers, job.sum("pool_balance", "allocated"));
    assert_eq!(job.sum("customer_profit", "below_cost"), 18_225 - 182);
}

#[test]
fn capacity_prior_quarter_and_unknown_customers_in_one_run() {
    let job = job("
  pools: {path: pools.csv, columns: {activity: a, amount: m, period: p, capacity: k}}
activities:
  calls: {level: customer, method: driver, driver: calls, no_driver: prior_period, unused_to: idle}
  idle: {level: channel, method: average}
");
    // 10.00 a quarter for ten calls. Q1: 3 and 1 of customers, 4 of an unknown one, 2 unused. Q2 has no call: as in Q1, the
    // unknown customer's half included.
    job.text("pools.csv", "a,m,p,k\ncalls,10.00,1970-Q1,10\ncalls,6.00,1970-Q2,\n");
    job.run(&[]);
    assert_eq!(job.decimals("pool_balance", "allocated"), [400, 300, 0]);
    assert_eq!(job.decimals("pool_balance", "unassigned_unknown_customer"), [400, 300, 0]);
    assert_eq!(job.decimals("pool_balance", "sustained"), [0, 0, 200]);
    assert_eq!(job.decimals("capacity_use", "unused_cost"), [200]);
    // Customer 2 did not buy in Q2, and has a row there for its share.
    assert_eq!(job.texts("customer_profit", "period"), ["1970-Q1", "1970-Q2", "1970-Q1", "1970-Q2"]);
    assert_eq!(job.decimals("customer_profit", "customer_cost"), [300, 225, 100, 75]);
    assert_eq!(job.texts("trace", "to"), ["idle"]);
}

#[test]
fn posting_dates_of_a_csv_put_costs_into_their_periods() {
    let of = |column: &str, rows: &str| {
        let pools = format!("pools: {{path: p.csv, columns: {{activity: a, amount: m, {column}: p}}}}");
        let job = Job::new(&format!(
            "version: 1\ncurrency: EUR\nperiod: month\ninputs:\n  transactions: {{path: l.parquet, columns: {{customer_id: c, \
             date: d, amount: a}}}}\n  {pools}\nactivities: {{desk: {{level: order, method: average}}}}\n"
        ));
        job.parquet("l.parquet", vec![("c", integers([1, 2])), ("d", days([1, 40])), ("a", cents([100, 200]))]);
        job.text("p.csv", &format!("a,m,p\n{rows}"));
        job.run(&[]);
        (job.texts("pool_balance", "period"), job.decimals("pool_balance", "own"))
    };
    let dates = of("date", "desk,1.00,1970-01-31\ndesk,2.00,1970-01-01\ndesk,4.00,1970-02-10\n");
    assert_eq!(dates, of("period", "desk,3.00,1970-01\ndesk,4.00,1970-02\n"));
    assert_eq!(dates, (vec!["1970-01".to_owned(), "1970-02".to_owned()], vec![300, 400]));
}

#[test]
fn each_kind_of_bad_input_is_one_clear_error_with_the_money_at_stake() {
    let failure = |rest: &str| job(rest).failure();
    assert_snapshot!(failure("activities: {a: {level: order, method: driver, driver: visits, no_driver: error, cost: 5}}\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_driver` is broken by 3 of 3 rows; its policy is warn
    error: activity `a`: no customer has a driver quantity; 5.00 EUR are at stake
    ");
    assert_snapshot!(failure("activities: {a: {level: order, method: driver, driver: calls, capacity: 7, cost: 5}}\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_customer` is broken by 1 of 3 rows; its policy is warn
    error: activity `a`: the used quantity is 1.14 times the capacity; 5.00 EUR are at stake
      hint: check the capacity and the time per unit, or choose `over_driven` or `rescale`
    ");
    assert_snapshot!(failure("activities: {a: {level: order, method: driver, driver: calls, rule: R-7, capacity: 7, cost: 5}}\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_customer` is broken by 1 of 3 rows; its policy is warn
    error: activity `a`, rule `R-7`: the used quantity is 1.14 times the capacity; 5.00 EUR are at stake
      hint: check the capacity and the time per unit, or choose `over_driven` or `rescale`
    ");
    assert_snapshot!(failure("activities: {a: {level: order, method: percent, rule: R-8, shares: {north: 60, south: 50}, cost: 5}}\n"), @r"
    exit code 2
    whalecurve.yaml:9:60: `activities.a.shares` add up to 110 %, more than 100 %; rule `R-8`, 5.00 EUR are at stake
    ");
    assert_snapshot!(failure("activities: {a: {level: order, method: driver, driver: calls, capacity: 0, cost: 5}}\n"), @r"
    exit code 2
    whalecurve.yaml:9:73: `activities.a.capacity` is `0`, expected a capacity above zero; 5.00 EUR are at stake
    ");
    assert_snapshot!(failure("resources: {pools: {x: {cost: 1, to: {a: 1, b: 1}}}}\nactivities: {a: {level: order, method: average}}\n"), @r"
    exit code 2
    whalecurve.yaml:9:45: `resources.pools.x.to.b` is neither an activity nor a resource pool; 1.00 EUR are at stake
      hint: known: a, x
    ");
    assert_snapshot!(failure("activities: {a: {level: order, method: average, valid_to: 1969-12-31, cost: 5}}\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_driver` is broken by 3 of 3 rows; its policy is warn
    error: activity `a`: rule `a` version 1 holds to 1969-12-31, not on 1970-04-11; 5.00 EUR are at stake
      hint: change valid_from or valid_to of the rule, or give the period another rule
    ");
    assert_snapshot!(failure("activities: {a: {level: order, method: percent, shares: {west: 5}, cost: 5}}\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_driver` is broken by 3 of 3 rows; its policy is warn
    error: activity `a`: segment `west` has a share, but no customer is in it; known segments: north, south; 5.00 EUR are at stake
      hint: check the name and the column `segment` of inputs.customers (with --cost-object channel or region, activities of that level name channels or regions)
    ");
    assert_snapshot!(failure("activities: {a: {level: order, method: fixed_amount, each: 2.00, cost: 5}}\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_driver` is broken by 3 of 3 rows; its policy is warn
    error: activity `a`: the fixed amounts are more than the pool of 5.00; 6.00 EUR are at stake
      hint: lower the fixed amounts, or spread the whole pool by a driver
    ");
    assert_snapshot!(failure("activities: {a: {level: order, method: cost, of: [b], cost: 5}, b: {level: order, method: cost, of: [a], cost: 5}}\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_driver` is broken by 3 of 3 rows; its policy is warn
    error: activity `a`: it is in proportion to its own cost, through a, b; 10.00 EUR are at stake
      hint: let one of them be in proportion to something else
    ");
    assert_snapshot!(failure("resources: {pools: {x: {cost: 1, to: {y: 1}}, y: {cost: 2, to: {x: 1}}}}\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_driver` is broken by 3 of 3 rows; its policy is warn
    error: resources: `x`, `y` serve only each other, so that their cost can never leave; 3.00 EUR are at stake
      hint: let one of these pools serve an activity, or keep unused capacity
    ");
    assert_snapshot!(failure("resources: {pools: {x: {cost: 1, valid_from: 2030-01-01, to: {a: 1}}}}\nactivities: {a: {level: order, method: average}}\n"), @r"
    exit code 3
    warning: driver_quantities: rule `unknown_driver` is broken by 3 of 3 rows; its policy is warn
    error: resource `x`: rule `x` version 1 holds from 2030-01-01, not on 1970-04-11; 1.00 EUR are at stake
      hint: change valid_from or valid_to of the rule, or give the period another rule
    ");
}

#[test]
fn a_driver_that_no_table_holds_stops_the_run_unless_the_activity_says_what_becomes_of_its_cost() {
    let told = [
        "desk: {level: order, rule: R-9, method: driver, driver: cals, cost: 40.00}",
        "desk: {level: order, method: driver, driver: visits, cost: 40.00}",
        "desk: {level: order, method: driver, driver: {calls: 1, cals: 2}, cost: 40.00}",
        "desk: {level: order, method: time_driven, time: 3*cals + 1, cost: 40.00}",
        "desk: {level: order, method: standard_rate, driver: cals, rate: 2, cost: 40.00}",
        "desk: {level: order, method: driver, driver: visits, no_driver: fallback, fallback: {driver: cals}, cost: 40.00}",
    ];
    let failure = |activity: &str| job(&format!("drivers: {{lines: count}}\nactivities:\n  {activity}\n")).failure();
    let mut told: Vec<String> = told.into_iter().map(failure).collect();
    let pool = "resources: {pools: {it: {cost: 40.00, to: {desk: {driver: cals}}}}}\nactivities: {desk: {level: order, \
                method: average}}\n";
    told.push(job(pool).failure());
    assert_snapshot!(told.join("\n"));
    let unassigned = |policy: &str| {
        let activity =
            format!("desk: {{level: order, method: driver, driver: cals, no_driver: {policy}, cost: 40.00}}");
        let job = job(&format!("activities:\n  {activity}\n"));
        job.run(&[]);
        (job.sum("pool_balance", "unassigned"), job.sum("customer_cost", "amount"))
    };
    assert_eq!(unassigned("unassigned"), (4_000, 0));
    assert_eq!(unassigned("even"), (0, 4_000));
    assert_eq!(unassigned("fallback, fallback: {driver: calls}"), (2_000, 2_000));
    // A driver that somebody used in another period is there, and so is one of a cost of nothing.
    let job = job("activities:\n  desk: {level: order, method: driver, driver: visits, cost: 0.00}\n  calls: {level: \
                   order, method: driver, driver: calls, cost: 8.00}\n");
    job.run(&[]);
    assert_eq!(job.sum("pool_balance", "unassigned"), 400);
}

#[test]
fn names_of_drivers_in_the_table_are_cells_and_are_counted_not_told() {
    let job = job("activities:\n  desk: {level: order, method: driver, driver: secret-7x, cost: 40.00}\n");
    let rows: Vec<String> = (0..6).map(|row| format!("1,secret-{}x,3,1970-Q1", row % 3)).collect();
    job.text("q.csv", &format!("c,d,q,p\n{}\n", rows.join("\n")));
    let told = job.failure();
    assert!(!told.contains("secret-1x"), "{told}");
    assert!(
        told.contains("known drivers: none, and 3 of the table")
            || told.contains("known drivers: lines, and 3 of the table"),
        "{told}"
    );
}
