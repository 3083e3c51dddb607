//! One customer explained: a case worked out by hand, and the same sums as a run.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Job, cents, days, text, without_stages};

/// Two customers; wages of two accounts serve handling (by orders) and packing (by net revenue) at 3 : 1.
///
/// March: handling costs 10.00 of its own and 22.50 of wages, over orders 2 : 1 is 21.67 and 10.83. A's 21.67 came to
/// 10/32.5 from its own account, 15/32.5 and 7.5/32.5 from the accounts of wages: 6.67, 10.00, 5.00. Packing costs 7.50,
/// over net revenue 150 : 200 it is 3.21 and 4.29. April: handling costs 7.00, all A's.
fn job() -> Job {
    let job = Job::new(
        "
version: 1
name: Corner shop
currency: EUR
period: month
inputs:
  transactions:
    path: l.parquet
    columns: {customer_id: c, date: d, order_id: o, amount: a, product_cost: p}
  pools:
    path: pools.csv
    columns: {activity: pool, amount: amount, period: period, account: account, cost_centre: centre}
drivers:
  orders: {count_distinct: order}
activities:
  handling: {level: order, method: driver, driver: orders}
  packing: {level: order, method: revenue}
resources:
  pools:
    wages: {to: {handling: 3, packing: 1}}
",
    );
    job.parquet(
        "l.parquet",
        vec![
            ("c", text(["A", "A", "B", "A"])),
            ("d", days([9_922, 9_932, 9_940, 9_955])),
            ("o", text(["1", "2", "3", "4"])),
            ("a", cents([10_000, 5_000, 20_000, 1_000])),
            ("p", cents([6_000, 3_000, 9_000, 500])),
        ],
    );
    job.text(
        "pools.csv",
        "pool,amount,period,account,centre\nhandling,10.00,1997-03,4000,Berlin\nhandling,7.00,1997-04,4000,Berlin\n\
         wages,20.00,1997-03,6000,Berlin\nwages,10.00,1997-03,6100,Bonn\n",
    );
    job
}

fn explained(job: &Job, more: &[&str]) -> String {
    let done = job.command("explain", more);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn document(job: &Job, more: &[&str]) -> Value {
    serde_json::from_str(&explained(job, &[more, &["--output-format", "json"]].concat())).unwrap()
}

/// Minor units of a money text.
fn minor(amount: &Value) -> i128 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[test]
fn a_customer_is_explained_from_gross_sales_down_to_the_accounts() {
    let text = explained(&job(), &["--customer", "A"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_snapshot!(text, @r"
    Corner shop: customer A, 1997-03 to 1997-04 (2 periods), as of 1997-04-04
                                                                                 EUR

      gross sales                                                             160.00
    Net revenue                                                               160.00
      product cost                                                            -95.00
    CM1, product margin                                                        65.00
      handling                                                                -28.67
      packing                                                                  -3.21
    CM2, after orders                                                          33.12
    CM3, after service                                                         33.12
    Economic profit                                                            33.12

    How each cost came about: quantity, rate, pool, and the accounts it came from

    handling                                                                   28.67
      layer cm2, level order, variable, avoidable
      rule handling, version 1: driver tracing, method driver
      1997-03: 2 × orders                                                      21.67
        rate 10.8333333333 EUR, exactly 65/6: 32.50 over 3
        pool of 1997-03: 32.50 = 10.00 own + 22.50 received; customers bear 32.50
        from handling, account 4000, cost centre Berlin                         6.67
        from wages, account 6000, cost centre Berlin                           10.00
        from wages, account 6100, cost centre Bonn                              5.00
      1997-04: 1 × orders                                                       7.00
        rate 7 EUR: 7.00 over 1
        pool of 1997-04: 7.00; customers bear 7.00
        from handling, account 4000, cost centre Berlin                         7.00

    packing                                                                     3.21
      layer cm2, level order, variable, avoidable
      rule packing, version 1: allocation, method revenue
      1997-03: 150 × net revenue                                                3.21
        rate 0.0214285714 EUR, exactly 3/140: 7.50 over 350
        pool of 1997-03: 7.50 = 0.00 own + 7.50 received; customers bear 7.50
        from wages, account 6000, cost centre Berlin                            2.14
        from wages, account 6100, cost centre Bonn                              1.07

    Its future and its group are in the results: run the config, then explain again.
    ");
}

#[test]
fn one_period_is_one_period() {
    let march = document(&job(), &["--customer", "A", "--period", "1997-03"]);
    assert_eq!(march["periods"], json!(["1997-03"]));
    let handling = &march["costs"][0];
    assert_eq!((&handling["activity"], &handling["amount"]), (&json!("handling"), &json!("21.67")));
    assert_eq!(handling["parts"][0]["rate"]["fraction"], json!("65/6"));
    let origins: Vec<(&Value, &Value, &Value)> = handling["parts"][0]["origins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|origin| (&origin["pool"], &origin["account"], &origin["amount"]))
        .collect();
    assert_eq!(
        origins,
        [
            (&json!("handling"), &json!("4000"), &json!("6.67")),
            (&json!("wages"), &json!("6000"), &json!("10.00")),
            (&json!("wages"), &json!("6100"), &json!("5.00")),
        ]
    );
}

#[test]
fn every_step_and_part_sums_to_what_a_run_says_of_the_customer() {
    let job = job();
    job.run(&[]);
    for (row, customer) in ["A", "B"].into_iter().enumerate() {
        let explained = document(&job, &["--customer", customer]);
        let mut sum = 0;
        for step in explained["waterfall"].as_array().unwrap() {
            let amount = minor(&step["amount"]);
            if step["kind"] == "subtotal" {
                let column = step["name"].as_str().unwrap();
                assert_eq!((amount, sum), (job.decimals("customer_profit_total", column)[row], amount), "{column}");
            } else {
                sum += amount;
            }
        }
        for line in explained["costs"].as_array().unwrap() {
            let parts = line["parts"].as_array().unwrap();
            assert_eq!(parts.iter().map(|part| minor(&part["amount"])).sum::<i128>(), minor(&line["amount"]));
            for part in parts {
                let origins = part["origins"].as_array().unwrap();
                let sum: i128 = origins.iter().map(|origin| minor(&origin["amount"])).sum();
                assert_eq!(sum, minor(&part["amount"]));
            }
        }
    }
}

/// Calls cost 100.00 of their own and 50.00 of it; four of ten are made, so 90.00 goes to idle, which has 10.00 of its own:
/// of every 10.00 of idle, 1.00 is its own account's, 6.00 that of calls and 3.00 that of it. By revenue A bears 25.00.
#[test]
fn unused_cost_that_went_on_is_told_with_the_accounts_it_came_from() {
    let of = |own_idle: &str| {
        let job = Job::new(
            "
version: 1
currency: EUR
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}
  pools: {path: pools.csv, columns: {activity: pool, amount: amount, account: account}}
drivers: {lines: count}
activities:
  calls: {level: order, method: driver, driver: lines, capacity: 10, unused_to: idle}
  idle: {level: channel, push_down: true, method: revenue}
resources:
  pools:
    it: {to: {calls: 1}}
",
        );
        let ledger = vec![
            ("c", text(["A", "B", "B", "B"])),
            ("d", days([1, 1, 1, 1])),
            ("a", cents([10_000, 10_000, 10_000, 10_000])),
        ];
        job.parquet("l.parquet", ledger);
        job.text("pools.csv", &format!("pool,amount,account\ncalls,100.00,6100\nit,50.00,6300\n{own_idle}"));
        let explained = document(&job, &["--customer", "A"]);
        let idle = explained["costs"].as_array().unwrap().iter().find(|line| line["activity"] == "idle").unwrap();
        let origins = idle["parts"][0]["origins"].as_array().unwrap().iter();
        let told = origins.map(|origin| format!("{} {} {}", origin["pool"], origin["account"], origin["amount"]));
        told.collect::<Vec<_>>().join(", ").replace('"', "")
    };
    assert_eq!(of("idle,10.00,6200\n"), "idle 6200 2.50, calls 6100 15.00, it 6300 7.50");
    assert_eq!(of(""), "calls 6100 15.00, it 6300 7.50");
}

#[test]
fn a_question_about_nobody_or_no_period_is_told_without_anybody_else() {
    let failure = |more: &[&str]| {
        let done = job().command("explain", more);
        assert!(done.stdout.is_empty());
        format!(
            "exit code {}\n{}",
            done.status.code().unwrap(),
            without_stages(&String::from_utf8(done.stderr).unwrap()).trim_end()
        )
    };
    assert_snapshot!(failure(&["--customer", "Z"]), @r"
    exit code 2
    error: customer `Z` is neither in the ledger nor in the customers table
      hint: ids are compared byte for byte: 007 is not 7; rejected lines make no customer
    ");
    assert_snapshot!(failure(&["--customer", "B", "--period", "1997-04"]), @r"
    exit code 2
    error: customer `B` has neither sales nor costs in 1997-04; it has in 1997-03
    ");
    assert_snapshot!(failure(&["--customer", "B", "--period", "March"]), @r"
    exit code 2
    error: `March` is no period of this run; its periods are written like 1997-04
      hint: leave out --period for all periods together
    ");
}

#[test]
fn a_scenario_is_explained_beside_the_base() {
    let job = job();
    let more =
        ["--customer", "A", "--set", "activities.packing.method=average", "--set", "resources.pools.wages.cost=60.00"];
    let text = explained(&job, &more);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_snapshot!(text, @r"
    Corner shop: customer A, 1997-03 to 1997-04 (2 periods), as of 1997-04-04
    EUR                                                    base  what_if  difference

      gross sales                                        160.00   160.00        0.00
    Net revenue                                          160.00   160.00        0.00
      product cost                                       -95.00   -95.00        0.00
    CM1, product margin                                   65.00    65.00        0.00
      handling                                           -28.67   -43.67      -15.00
      packing                                             -3.21    -7.50       -4.29
    CM2, after orders                                     33.12    13.83      -19.29
    CM3, after service                                    33.12    13.83      -19.29
    Economic profit                                       33.12    13.83      -19.29

    How each cost came about in what_if: quantity, rate, pool, and the accounts it
      came from

    handling                                                                   43.67
      layer cm2, level order, variable, avoidable
      rule handling, version 1: driver tracing, method driver
      1997-03: 2 × orders                                                      36.67
        rate 18.3333333333 EUR, exactly 55/3: 55.00 over 3
        pool of 1997-03: 55.00 = 10.00 own + 45.00 received; customers bear 55.00
        from handling, account 4000, cost centre Berlin                         6.67
        from wages, account 6000, cost centre Berlin                           20.00
        from wages, account 6100, cost centre Bonn                             10.00
      1997-04: 1 × orders                                                       7.00
        rate 7 EUR: 7.00 over 1
        pool of 1997-04: 7.00; customers bear 7.00
        from handling, account 4000, cost centre Berlin                         7.00

    packing                                                                     7.50
      layer cm2, level order, variable, avoidable
      rule packing, version 1: allocation, method average
      1997-03: 1 × customer and period with a ledger line                       7.50
        rate 7.5 EUR, exactly 15/2: 15.00 over 2
        pool of 1997-03: 15.00 = 0.00 own + 15.00 received; customers bear 15.00
        from wages, account 6000, cost centre Berlin                            5.00
        from wages, account 6100, cost centre Bonn                              2.50

    Its future and its group are in the results: run the config, then explain again.
    ");
    let explained = document(&job, &more);
    assert_eq!(explained["scenario"], json!("what_if"));
    for amount in ["amount", "base"] {
        let mut sum = 0;
        for step in explained["waterfall"].as_array().unwrap() {
            let own = minor(&step[amount]);
            if step["kind"] == "subtotal" {
                assert_eq!(own, sum, "{amount} of {}", step["name"]);
            } else {
                sum += own;
            }
        }
    }
    let base = document(&job, &["--customer", "A"]);
    assert_eq!(base["scenario"], json!("base"));
    let of = |document: &Value, amount: &str| -> Vec<i128> {
        document["waterfall"].as_array().unwrap().iter().map(|step| minor(&step[amount])).collect()
    };
    assert_eq!(of(&explained, "base"), of(&base, "amount"));
}

#[test]
fn a_scenario_that_is_not_there_cannot_be_explained() {
    let done = job().command("explain", &["--customer", "A", "--scenario"]);
    assert_snapshot!(without_stages(&String::from_utf8(done.stderr).unwrap()).trim_end(), @r"
    error: there is no scenario to explain: neither the config nor the command line overrides anything
      hint: add `overrides`, or --set activities.order_handling.cost=12000.00
    ");
}

/// `it` serves x and y alike; y hands its unused half on to x, which so gets cost of `it` by two ways.
#[test]
fn a_resource_pool_whose_cost_comes_by_two_ways_counts_once() {
    let job = Job::new(
        "
version: 1
currency: EUR
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}
  pools: {path: pools.csv, columns: {activity: pool, amount: amount, account: account}}
drivers: {lines: count}
activities:
  x: {level: order, method: driver, driver: lines}
  y: {level: order, method: driver, driver: lines, capacity: 4, unused_to: x}
resources: {method: direct, pools: {it: {to: {x: 50, y: 50}}, hr: {to: {x: 100}}}}
",
    );
    job.parquet("l.parquet", vec![("c", text(["A", "B"])), ("d", days([1, 2])), ("a", cents([10_000, 10_000]))]);
    job.text("pools.csv", "pool,amount,account\nit,100.00,6000\nhr,100.00,7000\n");
    let told: Value = serde_json::from_str(&explained(&job, &["--customer", "A", "--output-format", "json"])).unwrap();
    let origin = |pool: &str, account: &str, amount: &str| json!({"pool": pool, "account": account, "cost_centre": null, "amount": amount});
    let x = &told["costs"][0]["parts"][0];
    assert_eq!(x["amount"], "87.50");
    assert_eq!(x["origins"], json!([origin("hr", "7000", "50.00"), origin("it", "6000", "37.50")]));
}
