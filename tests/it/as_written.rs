//! What a config and its files say is read as it is written: predicates of SQL, dates and labels of periods, CSV files that were cut.

use std::{fs::File, sync::Arc};

use arrow_array::{ArrayRef, BooleanArray, NullArray, RecordBatch, UInt8Array};
use insta::assert_snapshot;
use parquet::arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions};
use serde_json::{Value, json};

use crate::support::{Job, cents, days, floats, integers};

/// Three lines of three customers, with a flag that one of them has not, and a count of 8 bits.
fn job(filter: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
as_of: 1970-12-31
inputs:
  transactions: {{path: l.parquet, {filter}columns: {{customer_id: c, date: d, amount: a}}}}
{more}"
    ));
    job.parquet(
        "l.parquet",
        vec![
            ("c", integers([1, 2, 3])),
            ("d", days([1, 2, 3])),
            ("a", cents([100, 200, 400])),
            ("test", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])) as ArrayRef),
            ("qty", Arc::new(UInt8Array::from(vec![1, 2, 3])) as ArrayRef),
            ("due", days([10, 40, 33])),
        ],
    );
    job
}

fn errors(job: &Job) -> String {
    let told = job.failure();
    told.lines()
        .filter(|line| line.starts_with("error: ") || line.starts_with("whalecurve.yaml:"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Rule and cells of every rejected row.
fn rejected(job: &Job) -> Vec<(String, Value)> {
    let cells = job.texts("rejected", "cells").into_iter().map(|cells| serde_json::from_str(&cells).unwrap());
    job.texts("rejected", "rule").into_iter().zip(cells).collect()
}

#[test]
fn a_predicate_means_in_the_ledger_what_it_means_in_sql() {
    for (predicate, expected) in [
        ("test IS NOT TRUE", vec![200, 400]),
        ("test IS NOT FALSE", vec![100, 400]),
        ("test IS TRUE", vec![100]),
        ("NOT (test IS FALSE)", vec![100, 400]),
        ("qty * 100 >= 200", vec![200, 400]),
        ("-qty < -1", vec![200, 400]),
        ("qty + 255 > 256 AND a > 1", vec![200, 400]),
        ("due - d > INTERVAL '30 days'", vec![200]),
    ] {
        let job = job(&format!("where: \"{predicate}\", "), "");
        job.run(&[]);
        assert_eq!(job.decimals("customer_profit_total", "net_revenue"), expected, "{predicate}");
    }
    let told = ["due - d > 30", "due <= DATE '1970-02-30'", "quantity > 3", "qty SIMILAR TO 'x'"]
        .map(|predicate| errors(&job(&format!("where: \"{predicate}\", "), "")));
    assert_snapshot!(told.join("\n"), @r"
    whalecurve.yaml:6:42: transactions: `where` is no valid SQL predicate: a date, or a span of time, stands beside a plain number: write 30 days as INTERVAL '30 days'
    whalecurve.yaml:6:42: transactions: `where` is no valid SQL predicate: DATE '1970-02-30' is no day of the calendar
    whalecurve.yaml:6:42: transactions: `where` is no valid SQL predicate: no column `quantity`; the file has: c, d, a, test, qty, due
    whalecurve.yaml:6:42: transactions: `where` is no valid SQL predicate: expression SimilarTo is not supported
    ");
}

#[test]
fn drivers_and_tests_count_a_null_as_not_true() {
    let more = "  pools: {path: pools.csv, columns: {activity: act, amount: amount}}
drivers:
  real: {count: lines, where: \"test IS NOT TRUE\"}
activities:
  handling: {level: order, method: driver, driver: real}
tests:
  unread: {dataset: rejected, severity: warn, no_row_where: \"(amount > 0) IS NOT TRUE\"}
";
    let job = job("", more);
    job.text("pools.csv", "act,amount\nhandling,6.00\n");
    let columns = vec![
        ("c", integers([1, 2, 3, 3])),
        ("d", days([1, 2, 3, 3])),
        ("a", floats([1.0, 2.0, 4.0, f64::NAN])),
        ("test", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, None])) as ArrayRef),
    ];
    job.parquet("l.parquet", columns);
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit_total", "order_cost"), [0, 300, 300]);
    let told: Value = serde_json::from_slice(&std::fs::read(job.path("out/run_results.json")).unwrap()).unwrap();
    let found = told["checks"].as_array().unwrap().iter().find(|check| check["name"] == "unread").unwrap();
    assert_eq!(found["found"], json!(1), "its amount is null");
}

#[test]
fn days_of_no_calendar_are_set_aside_and_far_ones_cost_nothing() {
    let job = job("", "period: month\n");
    let far = [1, i32::MAX, i32::MIN, 2_932_897, -719_163];
    let lines = vec![("c", integers([1, 2, 3, 4, 5])), ("d", days(far)), ("a", cents([100; 5]))];
    job.parquet("l.parquet", lines);
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [100]);
    assert_eq!(job.texts("rejected", "rule"), ["missing_date"; 4]);
    assert_eq!(job.texts("rejected", "reason")[0], "the date is null, or in none of the years 1 to 9999");
    // The first and the last day there are, and 120,000 months from one to the other.
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("as_of: 1970-12-31\n", ""));
    let lines = vec![("c", integers([1, 1, 2])), ("d", days([-719_162, 1, 2_932_896])), ("a", cents([100; 3]))];
    job.parquet("l.parquet", lines);
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [200, 100]);
    // Who bought in January of year 1 alone, or until 1970, is idle in every month up to `as_of`.
    let periods = job.texts("segment_migration", "period");
    let every: std::collections::BTreeSet<_> = periods.iter().collect();
    let months = 9_999 * 12 - 1;
    assert_eq!(every.len(), months);
    assert_eq!((every.first().unwrap().as_str(), every.last().unwrap().as_str()), ("0001-01", "9999-11"));
}

#[test]
fn two_labels_of_one_period_are_one_and_the_rejected_row_tells_it() {
    let more = "  driver_quantities: {path: dq.csv, columns: {customer_id: id, driver: drv, quantity: q, period: p}}
  receivables: {path: rc.csv, columns: {customer_id: id, balance: bal, days_late: late, period: p}}
  fx: {path: fx.csv, columns: {currency: cur, rate: r, kind: k, period: p}}
  pools: {path: pools.csv, columns: {activity: act, amount: amt, currency: cur, period: p}}
period: quarter
activities:
  calls: {level: customer, method: driver, driver: calls}
capital_charge: {rate_per_year: 0.10}
contract: {driver_quantities: {duplicate_key: reject}, receivables: {duplicate_key: reject}, fx: {duplicate_key: reject}}
";
    let job = job("", more);
    job.text("dq.csv", "id,drv,q,p\n1,calls,2,1970-Q1\n1,calls,5,1970Q1\n2,calls,2,1970-Q1\n1,calls,1,1970-Q2\n");
    job.text("rc.csv", "id,bal,late,p\n1,100.00,3,1970-Q1\n1,900.00,4,1970Q1\n");
    job.text("fx.csv", "cur,r,k,p\nUSD,0.9,average,1970-Q1\nUSD,0.5,average,1970Q1\n");
    job.text("pools.csv", "act,amt,cur,p\ncalls,100.00,USD,1970-Q1\n");
    job.run(&[]);
    let mut found = rejected(&job);
    found.sort_by_key(|(_, cells)| cells.to_string());
    let expected = [
        json!({"balance": "900.00", "customer_id": "1", "days_late": "4.000000", "period": "1970-Q1"}),
        json!({"currency": "USD", "kind": "average", "period": "1970-Q1", "rate": "0.9"}),
        json!({"customer_id": "1", "driver": "calls", "period": "1970-Q1", "quantity": "5.000000"}),
    ];
    assert_eq!(found, expected.map(|cells| ("duplicate_key".to_owned(), cells)));
    assert_eq!(job.sum("pool_balance", "own"), 5_000);
    // Days within a period are no duplicates.
    job.text("dq.csv", "id,drv,q,p\n1,calls,2,1970-01-05\n1,calls,5,1970-01-06\n1,calls,7,1970-01-06\n");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("quantity: q, period: p", "quantity: q, date: p"));
    job.run(&[]);
    let cells = rejected(&job).into_iter().map(|(_, cells)| cells).find(|cells| cells["driver"] == "calls").unwrap();
    assert_eq!(cells, json!({"customer_id": "1", "driver": "calls", "date": "1970-01-06", "quantity": "7.000000"}));
}

/// Pools in CSV files; what they cost, or why not.
fn pooled(files: &[(&str, &str)]) -> Result<i128, String> {
    let more = "  pools: {path: po, format: csv, columns: {activity: act, amount: amt}}
activities: {calls: {level: customer, method: average}}
";
    let job = job("", more);
    for (name, csv) in files {
        job.text(name, csv);
    }
    let done = job.try_run(&[]);
    if done.status.success() {
        return Ok(job.sum("pool_balance", "own"));
    }
    let told = job.without_folder(&done.stderr);
    Err(told.lines().find_map(|line| line.strip_prefix("error: ")).unwrap().to_owned())
}

#[test]
fn a_csv_that_was_cut_short_is_refused_and_a_blank_line_is_no_row() {
    let whole = "act,amt,account\ncalls,1000.00,6100\ncalls,2500.00,6200\n";
    assert_eq!(pooled(&[("po/a.csv", whole)]), Ok(350_000));
    let cut = &whole[..whole.len() - ",500.00,6200\n".len()];
    let told = |csv: &str| pooled(&[("po/a.csv", csv)]).unwrap_err();
    assert_eq!(told(cut), "po/a.csv: line 3 has 2 fields, and its header 3");
    assert_eq!(told("act,amt,account\ncalls,1,000.00,6100\n"), "po/a.csv: line 2 has 4 fields, and its header 3");
    assert_eq!(told("act,amt,account\ncalls,1,\"x\ncalls,2,y\n"), "po/a.csv: a quote of line 2 is left open");
    // Blank lines of the first file do not count those of the second away.
    let blank = "act,amt,account\n\ncalls,1000.00,6100\n\r\n\n";
    assert_eq!(pooled(&[("po/a.csv", blank), ("po/b.csv", whole), ("po/c.csv", blank)]), Ok(550_000));
    assert_eq!(
        told("act;amt\ncalls;1,50\n"),
        "po/a.csv: no column `act` (mapped to `pools.activity`); the file has: one column: its fields are separated by `;`, those of \
         a CSV by commas"
    );
    assert_eq!(pooled(&[("po/a.csv", "act,amt,\"x,amt\"\ncalls,5.00,z\n")]), Ok(500));
}

#[test]
fn a_column_of_nulls_alone_is_no_damage() {
    let job = job("", "");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("amount: a}", "amount: a, discount: x}"));
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("c", integers([1]), false),
        ("d", days([1]), false),
        ("a", cents([100]), false),
        ("x", Arc::new(NullArray::new(1)), true),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    for plain in [false, true] {
        let options = ArrowWriterOptions::new().with_skip_arrow_metadata(plain);
        let file = File::create(job.path("l.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new_with_options(file, batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let expected =
            "error: l.parquet: column `x` is null, expected an integer, decimal or float for `transactions.discount`";
        assert_eq!(errors(&job), expected, "{plain}");
    }
}
