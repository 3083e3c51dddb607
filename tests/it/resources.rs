//! Resource pools through the whole flow: weights from a table, cost that keeps its kind.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Job, cents, days, integers, text};

/// Two customers with orders 1 and 3, in March and April 1997 where the run has months.
fn job(head: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\n{head}inputs:\n  transactions:\n    path: l.parquet\n    columns: {{customer_id: c, \
         date: d, order_id: o, amount: a}}\n{more}drivers: {{orders: {{count_distinct: order}}}}\n"
    ));
    let day = |number: i32| 9_921 + number; // 1997-03-01 is 9,921.
    job.parquet(
        "l.parquet",
        vec![
            ("c", text(["A", "B", "B", "B", "A", "B"])),
            ("d", days([0, 4, 9, 11, 31, 40].map(day))),
            ("o", text(["1", "2", "3", "4", "5", "6"])),
            ("a", cents([10_000, 5_000, 20_000, 1_000, 2_000, 2_000])),
        ],
    );
    job
}

const ACTIVITIES: &str = "activities:\n  handling: {level: order, method: driver, driver: orders}\n  packing: {level: \
                          order, method: average}\n";

/// A run whose weights stand in a table.
fn with_table(weights: &str, pools: &str, more: &str) -> Job {
    let period = if weights.contains("period") { ", period: period" } else { "" };
    let tables = format!(
        "  pools: {{path: p.csv, columns: {{activity: pool, amount: amount, period: period}}}}\n  resource_weights: \
         {{path: w.csv, columns: {{from: giver, to: taker, weight: weight{period}}}}}\n"
    );
    let job = job("period: month\n", &format!("{tables}{ACTIVITIES}{more}"));
    job.text("w.csv", weights).text("p.csv", pools);
    job
}

const PERIODS: &str = "giver,taker,weight,period\nit,handling,3,1997-03\nit,packing,1,1997-03\nit,packing,5,1997-04\n";

#[test]
fn weights_come_from_a_table_by_period_and_a_pool_need_not_stand_in_the_config() {
    let pools = "pool,amount,period\nit,40.00,1997-03\nit,10.00,1997-04\n";
    let job = with_table(PERIODS, pools, "");
    let manifest = job.run(&[]);
    assert_eq!(manifest["balances"]["resource_weights"]["accepted"]["rows"], json!(3));
    // March 30.00 to handling (1 : 3 orders) and 10.00 to packing (two customers); April all to packing.
    assert_eq!(job.decimals("trace", "weight"), [3_000_000, 1_000_000, 5_000_000]);
    assert_eq!(job.decimals("trace", "amount"), [3_000, 1_000, 1_000]);
    assert_eq!(job.decimals("customer_cost", "amount"), [750, 500, 0, 500, 2_250, 500, 0, 500]);
    // Nothing else than the same numbers in the config.
    let same = "resources:\n  pools:\n    it: {to: {handling: {periods: {1997-03: 3}}, packing: {periods: {1997-03: 1, \
                1997-04: 5}}}}\n";
    let config = with_table(PERIODS, pools, same);
    let text = std::fs::read_to_string(config.path("whalecurve.yaml")).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.contains("resource_weights")).collect();
    config.text("whalecurve.yaml", &without.join("\n"));
    config.run(&[]);
    for (dataset, column) in [("trace", "amount"), ("customer_cost", "amount"), ("pool_balance", "received")] {
        assert_eq!(config.decimals(dataset, column), job.decimals(dataset, column));
    }
}

#[test]
fn weights_may_be_parquet_with_numbers_and_dates() {
    let pools = "pool,amount,period\nit,40.00,1997-03\nit,10.00,1997-04\n";
    let job = with_table(PERIODS, pools, "");
    let text_of = |job: &Job| std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let config = text_of(&job).replace("weight: weight, period: period}", "weight: weight, date: day}");
    let config = config.replace("w.csv", "w.parquet");
    job.text("whalecurve.yaml", &config);
    job.parquet(
        "w.parquet",
        vec![
            ("giver", text(["it", "it", "it"])),
            ("taker", text(["handling", "packing", "packing"])),
            ("weight", integers([3, 1, 5])),
            ("day", days([9_921, 9_930, 9_955])),
        ],
    );
    job.run(&[]);
    assert_eq!(job.decimals("trace", "weight"), [3_000_000, 1_000_000, 5_000_000]);
    assert_eq!(job.decimals("trace", "amount"), [3_000, 1_000, 1_000]);
}

#[test]
fn weights_without_a_period_hold_in_every_period_and_serve_pools_of_the_config() {
    let weights = "giver,taker,weight\nit,hr,20\nit,handling,80\nhr,it,10\nhr,packing,90\n";
    let config = "resources:\n  method: reciprocal\n  pools:\n    it: {cost: 150.00}\n    hr: {cost: 300.00}\n";
    let job = with_table(weights, "pool,amount,period\n", config);
    job.run(&[]);
    let received: Vec<i128> = job.decimals("pool_balance", "received");
    // hr = 300 + 0.2 it, it = 150 + 0.1 hr: it = 180 / 0.98, hr = 330 / 0.98.
    let handling: f64 = 0.8 * 18_000.0 / 0.98;
    assert_eq!(received[2], handling.round() as i128);
    assert_eq!(received[2] + received[3], 45_000);
    // A scenario's takers go before the table's.
    job.run(&["--set", "resources.pools.hr.to={packing: 1}"]);
    assert_eq!(job.decimals("pool_balance", "received")[6], 12_000);
}

#[test]
fn weights_that_are_none_or_stand_twice_or_serve_nobody_are_told() {
    let pools = "pool,amount,period\nit,40.00,1997-03\n";
    let told = |weights: &str, more: &str| with_table(weights, pools, more).failure();
    let told = [
        told("giver,taker,weight\nit,handling,-1\n", ""),
        told("giver,taker,weight\nit,,1\n", ""),
        told("giver,taker,weight\nit,handling,1\nit,handling,2\n", ""),
        told("giver,taker,weight\nit,handlng,1\n", ""),
        told("giver,taker,weight\nhandling,packing,1\nit,packing,1\n", ""),
        told("giver,taker,weight\nit,packing,1\n", "resources: {pools: {it: {to: {handling: 1}}}}\n"),
        told("giver,taker,weight\nhr,packing,1\n", "resources: {pools: {it: {}}}\n"),
        told("giver,taker,weight,period\nit,packing,1,March\n", ""),
    ];
    assert_snapshot!(told.join("\n"));
}

#[test]
fn the_parts_that_were_fixed_or_unavoidable_in_the_pools_are_so_at_the_customers() {
    let config = "activities: {handling: {level: order, method: driver, driver: orders, cost: 8.00}}
resources:
  pools:
    wages: {cost: 60.00, behaviour: fixed, avoidable: false, to: {handling: 1}}
    freight: {cost: 12.00, level: order, to: {handling: 1}}
    board: {cost: 20.00, level: company, push_down: true, to: {wages: 1}}
";
    let job = job("", config);
    job.run(&[]);
    // 100.00 over 2 : 4 orders. Fixed and not avoidable: 60.00 of wages and 20.00 of the board.
    assert_eq!(job.decimals("customer_profit_total", "order_cost"), [3_333, 6_667]);
    assert_eq!(job.decimals("customer_profit_total", "fixed_cost"), [2_666, 5_334]);
    assert_eq!(job.decimals("customer_profit_total", "avoidable_cost"), [667, 1_333]);
    assert_eq!(job.decimals("customer_profit", "fixed_cost"), job.decimals("customer_profit_total", "fixed_cost"));
    assert_eq!(job.decimals("pool_balance", "allocated_fixed"), [0, 0, 0, 8_000]);
    assert_eq!(job.decimals("pool_balance", "allocated_avoidable"), [0, 0, 0, 2_000]);
    let told = |column| job.optional_texts("pool_balance", column);
    let some = |word: &str| Some(word.to_owned());
    assert_eq!(told("level"), [some("company"), some("order"), None, some("order")]);
    assert_eq!(told("layer"), [some("below"), some("cm2"), None, some("cm2")]);
    assert_eq!(told("behaviour"), [some("fixed"), some("variable"), some("fixed"), some("variable")]);
    let explained = job.command("explain", &["--customer", "A", "--output-format", "json"]);
    let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
    let line = &explained["costs"][0];
    assert_eq!((&line["fixed"], &line["saved"]), (&json!("26.66"), &json!("6.67")));
    let text = String::from_utf8(job.command("explain", &["--customer", "A"]).stdout).unwrap();
    assert!(text.contains("with what resource pools brought: 26.66 fixed, 6.67 avoidable"), "{text}");
}

#[test]
fn cost_of_a_level_above_the_customer_is_pushed_down_by_those_alone_who_say_so() {
    let config = "activities: {handling: {level: order, method: driver, driver: orders, cost: 8.00}}
resources: {pools: {board: {cost: 20.00, level: company, to: {handling: 1}}}}
";
    assert_snapshot!(job("", config).failure());
}
