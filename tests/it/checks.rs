//! Thresholds of rules, freshness of the ledger and tests of outputs: what passes, warns and stops, and where it is told.

use std::{fs, process::Output};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Job, cents, days, text};

/// Ten lines of 10.00 each on the first ten days of 1970, three of them without a customer.
fn job(more: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\nas_of: 1970-01-15\ninputs:\n  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: a}}}}\n{more}"
    ));
    job.parquet(
        "l.parquet",
        vec![
            ("c", text(["a", "", "b", "a", "", "c", "a", "", "b", "c"])),
            ("d", days(0..10)),
            ("a", cents([1_000; 10])),
        ],
    );
    job
}

fn rule(rule: &str) -> Job {
    job(&format!("contract: {{transactions: {{missing_customer: {rule}}}}}\n"))
}

/// Checks of a run that committed.
fn checks(job: &Job) -> Vec<Value> {
    let record: Value = serde_json::from_slice(&fs::read(job.path("out/run_results.json")).unwrap()).unwrap();
    record["checks"].as_array().unwrap().clone()
}

fn check(job: &Job, name: &str) -> Value {
    checks(job).into_iter().find(|check| check["name"] == name).unwrap()
}

/// Exit code and what was told.
fn told(job: &Job, done: &Output) -> String {
    let told = job.without_folder(&done.stderr);
    let told: Vec<&str> = told.lines().take_while(|line| !line.is_empty()).collect();
    format!("{}\n{}", done.status.code().unwrap(), told.join("\n"))
}

fn ended(job: &Job) -> String {
    told(job, &job.try_run(&[]))
}

#[test]
fn a_rule_passes_warns_or_stops_by_rows_share_and_money() {
    let passes = rule("{policy: reject, error_if: {rows: 3, share: 0.3, amount: 30.00}, warn_if: \"> 3\"}");
    assert_eq!(ended(&passes), "0\n");
    let found = check(&passes, "missing_customer");
    assert_eq!(
        found,
        json!({"kind": "rule", "on": "transactions", "name": "missing_customer", "severity": "reject", "found": 3,
            "of": 10, "amount": 3_000, "outcome": "pass", "message": null})
    );
    // Every rule of every table stands there, those that nothing broke too.
    assert_eq!(checks(&passes).len(), 9);
    assert!(checks(&passes).iter().all(|check| check["outcome"] == "pass"));

    for (limit, told) in [
        ("{rows: 2}", "at most 2 rows are allowed"),
        ("{share: 0.299}", "at most 29.9 % of rows are allowed"),
        ("{amount: 29.99}", "at most 29.99 EUR are allowed"),
        ("\"> 0\"", "no row is allowed"),
    ] {
        let broken = "transactions: rule `missing_customer` is broken by 3 of 10 rows (30.00 EUR)";
        let stops = rule(&format!("{{policy: reject, error_if: {limit}}}"));
        let hint = "  hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`";
        assert_eq!(ended(&stops), format!("3\nerror: {broken}: the customer id is null or empty; {told}\n{hint}"));
        assert!(!stops.path("out").exists());

        let warns = rule(&format!("{{policy: reject, error_if: {{rows: 3}}, warn_if: {limit}}}"));
        assert_eq!(ended(&warns), format!("0\nwarning: {broken}; {told} without a warning"));
        assert_eq!(check(&warns, "missing_customer")["outcome"], "warn");
    }
    let warns = rule("warn");
    assert_snapshot!(ended(&warns), @r"
    0
    warning: transactions: rule `missing_customer` is broken by 3 of 10 rows (30.00 EUR); its policy is warn
    ");
}

#[test]
fn a_ledger_that_is_too_old_warns_or_stops() {
    let fresh = |limits: &str| job(&format!("contract: {{transactions: {{freshness: {{{limits}}}}}}}\n"));
    // The last line is of 1970-01-10, five days before as_of.
    let passes = fresh("warn_after: 5 days, error_after: 6 days");
    assert_eq!(ended(&passes), "0\n");
    let found = check(&passes, "freshness");
    assert_eq!((&found["found"], &found["outcome"], &found["kind"]), (&5.into(), &"pass".into(), &"freshness".into()));
    let warns = fresh("warn_after: 4 days, error_after: 1 week");
    assert_snapshot!(ended(&warns), @r"
    0
    warning: transactions: the last accepted line is 5 days older than as_of (1970-01-15); at most 4 days are allowed without a warning
    ");
    assert_eq!(check(&warns, "freshness")["outcome"], "warn");
    assert_snapshot!(fresh("error_after: 4 days").failure(), @r"
    exit code 3
    error: transactions: the last accepted line is 5 days older than as_of (1970-01-15); at most 4 days are allowed
      hint: load the days that are missing, or allow more in `error_after` of `contract.transactions.freshness`
    ");
}

const TESTS: &str = "
contract: {transactions: {missing_customer: reject}}
tests:
  nobody_loses: {dataset: customer_profit_total, no_row_where: economic_profit < 0}
  few_are_large: {dataset: customer_profit_total, no_row_where: net_revenue >= 20.00, amount: net_revenue, SEVERITY}
";

#[test]
fn a_test_of_an_output_stops_the_run_before_anything_is_committed() {
    let job = job(&TESTS.replace("SEVERITY", "error_if: {rows: 2, amount: 69.99}"));
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: test `few_are_large`: 3 of 3 rows of `customer_profit_total` are found (70.00 EUR); at most 2 rows are allowed
      hint: nothing was committed; with severity: warn the run commits, and the rows can be looked at
    ");
    let beside = fs::read_dir(job.path("")).unwrap().count();
    assert_eq!(beside, 2, "the config and the ledger");
    // An old version stays, and the summary tells every check.
    let text = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    fs::write(job.path("whalecurve.yaml"), text.split("tests:").next().unwrap()).unwrap();
    let old = job.run(&[])["result_digest"].clone();
    fs::write(job.path("whalecurve.yaml"), text).unwrap();
    let summary = job.path("summary.json");
    assert_eq!(job.try_run(&["--summary-file", summary.to_str().unwrap(), "--seed", "2"]).status.code(), Some(3));
    let manifest: Value = serde_json::from_slice(&fs::read(job.path("out/run_manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["result_digest"], old);
    let told: Value = serde_json::from_slice(&fs::read(summary).unwrap()).unwrap();
    let outcome = |name: &str| {
        let checks = told["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap()["outcome"].clone()
    };
    assert_eq!((outcome("nobody_loses"), outcome("few_are_large")), ("pass".into(), "fail".into()));
}

#[test]
fn a_test_that_warns_is_told_and_recorded_and_the_run_commits() {
    let job = job(&TESTS.replace("SEVERITY", "severity: warn"));
    assert_snapshot!(ended(&job), @r"
    0
    warning: test `few_are_large`: 3 of 3 rows of `customer_profit_total` are found (70.00 EUR); no row is allowed without a warning
    ");
    let found = check(&job, "few_are_large");
    assert_eq!(
        found["message"],
        "test `few_are_large`: 3 of 3 rows of `customer_profit_total` are found (70.00 EUR); no row is allowed without a warning"
    );
    assert_eq!((&found["outcome"], &found["amount"], &found["of"]), (&"warn".into(), &7_000.into(), &3.into()));
    assert_eq!(check(&job, "nobody_loses")["outcome"], "pass");
    // As in dbt, a test that may find some rows warns of any.
    let some = self::job(&TESTS.replace("SEVERITY", "error_if: \"> 3\""));
    assert_eq!(some.try_run(&[]).status.code(), Some(0));
    assert_eq!(check(&some, "few_are_large")["outcome"], "warn");
    // A dataset that this kind of run does not write is not tested, and it says so.
    let objects = self::job("tests: {none: {dataset: object_profit, no_row_where: net_revenue < 0}}\n");
    objects.run(&[]);
    assert_eq!(check(&objects, "none")["outcome"], "skipped");
}

#[test]
fn a_test_that_makes_no_sense_is_found_before_a_row_is_read() {
    let with = |test: &str| {
        let job = job(&format!("tests: {{t: {{{test}}}}}\n"));
        fs::remove_file(job.path("l.parquet")).unwrap();
        job.failure().lines().take(2).collect::<Vec<_>>().join("\n")
    };
    let found = [
        "dataset: customer_profit_total, no_row_where: net_revenues < 0",
        "dataset: customer_profit_total, no_row_where: net_revenue + 1",
        "dataset: customer_profit_total, no_row_where: net_revenue < AVG(net_revenue)",
        "dataset: customer_profit_total, no_row_where: net_revenue <",
        "dataset: customer_profit_total, no_row_where: customer_id = 'a', amount: orders",
        "dataset: product_profit, no_row_where: cm1 < 0",
    ]
    .map(with)
    .join("\n");
    assert_snapshot!(found, @r"
    exit code 2
    error: tests: `t`: no column `net_revenues`; did you mean `net_revenue`?
    exit code 2
    error: tests: `t`: it is neither true nor false
    exit code 2
    error: tests: `t`: it adds up over several rows; an expression is about one
    exit code 2
    error: tests: `t`: unable to parse 'net_revenue <' as Expr
    exit code 2
    error: tests: `t`: `amount` is no column of money; there are: gross_sales, returns, discount, net_revenue, product_cost, product_activity_cost, cm1, order_cost, cm2, customer_cost, cm3, below_cost, capital_charge, bad_debt, commissions, acquisition_cost, economic_profit, fixed_cost, avoidable_cost
    exit code 2
    error: tests: `t`: dataset `product_profit` is not written: the ledger maps no product_id
    ");
}
