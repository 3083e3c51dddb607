//! Rules that follow each other by date: each period goes by the rule that holds on its first day.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Job, cents, days, integers, text};

/// Two customers in March and April 1997. Orders: A 2 and 1, B 1 and 3. Handling costs 30.00 a month.
fn job(handling: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
period: month
inputs:
  transactions:
    path: l.parquet
    columns: {{customer_id: c, date: d, order_id: o, amount: a}}
  pools:
    path: pools.csv
    columns: {{activity: pool, amount: amount, period: period, account: account}}
drivers:
  orders: {{count_distinct: order}}
activities:
  handling: {{level: order, {handling}}}
{more}"
    ));
    let day = |number: i32| 9_921 + number; // 1997-03-01 is 9,921.
    job.parquet(
        "l.parquet",
        vec![
            ("c", text(["A", "A", "B", "A", "B", "B", "B"])),
            ("d", days([0, 4, 9, 31, 40, 41, 42].map(day))),
            ("o", text(["1", "2", "3", "4", "5", "6", "7"])),
            ("a", cents([10_000, 5_000, 20_000, 1_000, 2_000, 2_000, 2_000])),
        ],
    );
    job.text("pools.csv", "pool,amount,period,account\nhandling,30.00,1997-03,4000\nhandling,30.00,1997-04,4100\n");
    job
}

const TWO: &str = "rules: [{id: R-7, valid_to: 1997-03-31, method: average}, \
                   {id: R-7, valid_from: 1997-04-01, method: driver, driver: orders}]";

fn explained(job: &Job, more: &[&str]) -> Value {
    let more = [&["--customer", "A", "--output-format", "json"], more].concat();
    let done = job.command("explain", &more);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn each_period_goes_by_the_rule_of_its_first_day_and_every_output_names_it() {
    let job = job(TWO, "");
    job.run(&[]);
    // March by customer, 15.00 each; April by orders, 1 : 3.
    assert_eq!(job.decimals("customer_cost", "amount"), [1_500, 750, 1_500, 2_250]);
    assert_eq!(job.texts("customer_cost", "rule"), ["R-7"; 4]);
    let version = |dataset| job.whole_numbers(dataset, "rule_version");
    assert_eq!(version("customer_cost"), [Some(1), Some(2), Some(1), Some(2)]);
    assert_eq!(
        job.texts("customer_cost", "kind"),
        ["allocation", "driver_tracing", "allocation", "driver_tracing"].map(str::to_owned)
    );
    // Under the average a cell counts 1, under the driver its orders.
    assert_eq!(job.decimals("customer_cost", "driver_quantity"), [1_000_000, 1_000_000, 1_000_000, 3_000_000]);
    for dataset in ["pool_balance", "activity_rate", "trace"] {
        assert_eq!(version(dataset), [Some(1), Some(2)], "{dataset}");
    }
    assert_eq!(job.texts("pool_balance", "method"), ["average", "driver"].map(str::to_owned));
    assert_eq!(job.optional_texts("activity_rate", "driver"), [None, Some("orders".to_owned())]);
    let explained = explained(&job, &[]);
    let costs: Vec<Value> = explained["costs"].as_array().unwrap().clone();
    let told = |key: &str| costs.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    assert_eq!(told("rule_version"), [json!(1), json!(2)]);
    assert_eq!(told("method"), [json!("average"), json!("driver")]);
    assert_eq!(told("amount"), [json!("15.00"), json!("7.50")]);
    let steps = explained["waterfall"].as_array().unwrap();
    let handling: Vec<&Value> = steps.iter().filter(|step| step["name"] == "handling").collect();
    assert_eq!(handling.len(), 1, "one step an activity, whatever its rules");
    assert_eq!(handling[0]["amount"], json!("-22.50"));
}

#[test]
fn a_rule_that_ends_within_a_period_rules_it_whole_when_another_follows_without_a_gap() {
    let within = TWO.replace("1997-03-31", "1997-04-09").replace("1997-04-01", "1997-04-10");
    let job = job(&within, "");
    job.run(&[]);
    assert_eq!(job.whole_numbers("pool_balance", "rule_version"), [Some(1), Some(1)]);
    assert_eq!(job.decimals("customer_cost", "amount"), [1_500; 4]);
}

#[test]
fn rules_may_stand_in_any_order_and_a_period_without_money_needs_none() {
    let later_first = "rules: [{version: 8, valid_from: 1997-04-01, method: driver, driver: orders}, \
                       {version: 7, valid_from: 1997-03-01, valid_to: 1997-03-31, method: even}]";
    let job = job(later_first, "");
    job.run(&[]);
    assert_eq!(job.whole_numbers("pool_balance", "rule_version"), [Some(7), Some(8)]);
    // Nothing costs anything in May, in which no rule holds.
    let ended = later_first.replace("version: 8,", "version: 8, valid_to: 1997-04-30,");
    let job = self::job(&ended, "as_of: 1997-05-20\n");
    job.run(&[]);
    assert_eq!(job.decimals("customer_cost", "amount"), [1_500, 750, 1_500, 2_250]);
}

#[test]
fn overlaps_gaps_and_expired_rules_name_the_rules_the_activity_and_the_money() {
    let told = [
        TWO.replace("valid_from: 1997-04-01", "valid_from: 1997-03-20"),
        TWO.replace("valid_from: 1997-04-01", "valid_from: 1997-04-02"),
        TWO.replace("valid_to: 1997-03-31", "valid_from: 1997-03-02, valid_to: 1997-03-31"),
        TWO.replace("id: R-7, valid_from", "id: R-7, version: 1, valid_from"),
        TWO.replace("method: driver, driver: orders", "valid_to: 1997-04-29, method: driver, driver: orders"),
        TWO.replace("driver: orders", "driver: ordrs"),
        format!("method: average, {TWO}"),
        "rules: []".to_owned(),
        "rules: [{valid_to: 1997-03-31, method: average, capacity: 5}]".to_owned(),
        "method: average, valid_to: 1997-04-15".to_owned(),
    ];
    let told: Vec<String> = told.iter().map(|rules| job(rules, "").failure()).collect();
    assert_snapshot!(told.join("\n"));
    // The money of a cost in the config.
    let cost = TWO.replace("1997-04-01", "1997-03-20").replace("rules:", "cost: 60.00, rules:");
    assert_snapshot!(job(&cost, "").failure());
}

#[test]
fn a_traced_rule_takes_costs_of_its_own_periods_alone() {
    let rules = TWO.replace("method: average", "method: traced");
    let config = |traced: &str| {
        let job = job(&rules, "");
        let text = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        let table = "  traced: {path: t.csv, columns: {customer_id: c, activity: a, period: p, amount: m}}\ndrivers:";
        job.text("whalecurve.yaml", &text.replace("drivers:", table)).text("t.csv", traced);
        job
    };
    let job = config("c,a,p,m\nA,handling,1997-03,12.00\nB,handling,1997-03,8.00\n");
    job.run(&[]);
    // March: 12.00 and 8.00 by name, 10.00 of the pool are not traced; April by orders.
    assert_eq!(job.decimals("customer_cost", "amount"), [1_200, 750, 800, 2_250]);
    assert_eq!(job.decimals("pool_balance", "under_absorbed"), [1_000, 0]);
    assert_snapshot!(config("c,a,p,m\nA,handling,1997-04,12.00\n").failure());
}

#[test]
fn a_scenario_may_bring_rules_or_one_method_for_all_periods() {
    let costs = |more: &[&str]| {
        let job = job(TWO, "");
        job.run(more);
        let amounts = job.decimals("customer_cost", "amount");
        let versions = job.whole_numbers("customer_cost", "rule_version");
        (amounts[4..].to_vec(), versions[4..].to_vec())
    };
    let set = ["--set", "activities.handling.method=revenue"];
    // March 150 : 200, April 10 : 60.
    assert_eq!(costs(&set), (vec![1_286, 429, 1_714, 2_571], vec![Some(1); 4]));
    let rules = "activities.handling.rules=[{valid_to: 1997-03-31, method: driver, driver: orders}, \
                 {valid_from: 1997-04-01, version: 9, method: average}]";
    let versions = vec![Some(1), Some(9), Some(1), Some(9)];
    assert_eq!(costs(&["--set", rules]), (vec![2_000, 1_500, 1_000, 1_500], versions));
    // Rules in place of one method.
    let job = job("method: revenue", "");
    job.run(&["--set", rules]);
    assert_eq!(job.decimals("customer_cost", "amount")[4..], [2_000, 1_500, 1_000, 1_500]);
    let explained = explained(&job, &["--set", rules]);
    assert_eq!(explained["costs"][1]["rule_version"], json!(9));
}

#[test]
fn methods_are_compared_with_rules_too() {
    let job = job(TWO, "");
    let out = job.path("compared");
    let done = job.command("compare", &["--methods", "config,average", "--output", out.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // April: 7.50 and 22.50 against 15.00 each, March is the same: 7.50 move.
    assert_eq!(crate::support::decimals(&out, "method_comparison", "cost_moved"), [750]);
}

#[test]
fn a_resource_pool_serves_by_the_rule_of_the_period() {
    let pools = |rules: &str| {
        let more = format!(
            "  packing: {{level: order, method: average}}\nresources:\n  pools:\n    wages: {{rules: {rules}}}\n"
        );
        let job = job("method: driver, driver: orders", &more);
        job.text("pools.csv", "pool,amount,period,account\nwages,30.00,1997-03,1\nwages,30.00,1997-04,1\n");
        job
    };
    let rules = "[{id: W-1, valid_to: 1997-03-31, to: {handling: 2, packing: 1}}, \
                 {id: W-2, valid_from: 1997-04-01, to: {packing: 1}, capacity: 3}]";
    let job = pools(rules);
    job.run(&[]);
    // March 20.00 and 10.00; April a third of the capacity is used: 10.00 to packing, 20.00 unused.
    assert_eq!(job.texts("trace", "rule")[2..], ["W-1", "W-1", "W-2"].map(str::to_owned));
    assert_eq!(job.decimals("trace", "amount")[2..], [2_000, 1_000, 1_000]);
    let balance = |column| job.decimals("pool_balance", column);
    assert_eq!(balance("unused"), [0, 2_000, 0, 0, 0]);
    assert_eq!(balance("received"), [0, 0, 2_000, 1_000, 1_000]);
    assert_snapshot!(pools(&rules.replace("1997-04-01", "1997-04-02")).failure());
    assert_snapshot!(pools(&rules.replace("1997-04-01", "1997-03-31")).failure());
}

/// The same rules from a table.
#[test]
fn rules_may_stand_in_the_activities_table_one_row_each() {
    let with = |rows: &str| {
        let job = job("method: average", "");
        let text = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        let text = text.split("activities:").next().unwrap().replace(
            "drivers:",
            "  activities: {path: a.csv, columns: {activity: a, level: l, method: m, driver: d, rule: r, rule_version: v, \
             valid_from: f, valid_to: t}}\ndrivers:",
        );
        job.text("whalecurve.yaml", &text).text("a.csv", &format!("a,l,m,d,r,v,f,t\n{rows}"));
        job
    };
    let first = "handling,order,average,,R-7,,,1997-03-31\n";
    let job = with(&format!("handling,order,driver,orders,R-7,5,1997-04-01,\n{first}"));
    job.run(&[]);
    assert_eq!(job.decimals("customer_cost", "amount"), [1_500, 750, 1_500, 2_250]);
    assert_eq!(job.texts("customer_cost", "rule"), ["R-7"; 4]);
    assert_eq!(job.whole_numbers("customer_cost", "rule_version"), [Some(1), Some(5), Some(1), Some(5)]);
    let text_of = |job: &Job| std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &text_of(&job).replace("a.csv", "a.parquet"));
    job.parquet(
        "a.parquet",
        vec![
            ("a", text(["handling", "handling"])),
            ("l", text(["order", "order"])),
            ("m", text(["average", "driver"])),
            ("d", text(["", "orders"])),
            ("r", text(["R-7", "R-7"])),
            ("v", integers([4, 5])),
            ("f", days([0, 9_952])), // 1997-04-01
            ("t", days([9_951, 20_000])),
        ],
    );
    job.run(&[]);
    assert_eq!(job.whole_numbers("customer_cost", "rule_version"), [Some(4), Some(5), Some(4), Some(5)]);
    assert_eq!(job.decimals("customer_cost", "amount"), [1_500, 750, 1_500, 2_250]);
    let told = [
        with(&format!("handling,order,driver,orders,R-7,5,1997-03-31,\n{first}")).failure(),
        with(&format!("handling,customer,driver,orders,R-7,5,1997-04-01,\n{first}")).failure(),
        with(&format!("handling,order,driver,orders,R-7,5,April,\n{first}")).failure(),
        with("handling,order,average,,R-7,2,,1997-03-31\n").failure(),
        with(&format!("handling,order,driver,orders,,,1997-04-02,\n{first}")).failure(),
    ];
    assert_snapshot!(told.join("\n"));
}
