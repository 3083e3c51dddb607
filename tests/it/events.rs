//! Time equations over events: one equation a row, summed by customer and period.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray};
use insta::assert_snapshot;

use crate::support::{Job, cents, days, integers, text};

fn job(drivers: &str, events: &[(i64, &str, i64, bool, i64)]) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
  events: {{path: e.parquet, columns: {{customer_id: c}}}}
drivers:
{drivers}
activities:
  picking: {{level: order, method: driver, driver: minutes, cost: 498.00}}
"
    ));
    job.parquet("l.parquet", vec![("c", integers([1, 2])), ("d", days([1, 1])), ("a", cents([100, 200]))]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("c", integers(events.iter().map(|event| event.0))),
        ("kind", text(events.iter().map(|event| event.1))),
        ("lines", integers(events.iter().map(|event| event.2))),
        ("cold", Arc::new(events.iter().map(|event| Some(event.3)).collect::<BooleanArray>())),
        ("export", integers(events.iter().map(|event| event.4))),
    ];
    job.parquet("e.parquet", columns);
    job
}

const MINUTES: &str =
    "  minutes: {time: 3 + 0.8*lines + 6*cold + 12*export, flags: [export, cold], where: \"kind = 'order'\"}";

/// REFERENCE: 1 plain line 3.8; 10 lines refrigerated 17; 10 lines refrigerated and exported 29.
#[test]
fn every_event_takes_the_time_of_its_equation_and_sums_are_by_customer() {
    let events =
        [(1, "order", 1, false, 0), (1, "order", 10, true, 0), (2, "order", 10, true, 1), (2, "call", 99, true, 1)];
    let job = job(MINUTES, &events);
    job.run(&[]);
    assert_eq!(job.decimals("customer_cost", "driver_quantity"), [20_800_000, 29_000_000]);
    // 498.00 over 49.8 minutes is 10.00 a minute.
    assert_eq!(job.decimals("customer_cost", "amount"), [20_800, 29_000]);
    assert_eq!(job.decimals("activity_rate", "rate"), [10_000_000]);
}

#[test]
fn events_of_a_csv_take_the_same_time() {
    let job = job(MINUTES, &[]);
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("e.parquet", "e.csv"));
    job.text("e.csv", "c,kind,lines,cold,export\n1,order,1,0,0\n1,order,10,1,0\n2,order,10.0,1,1\n2,call,99,1,1\n");
    job.run(&[]);
    assert_eq!(job.decimals("customer_cost", "driver_quantity"), [20_800_000, 29_000_000]);
    // A text that is no number is rejected with its row.
    job.text("e.csv", "c,kind,lines,cold,export\n1,order,1,0,0\n2,order,many,0,0\n2,order,1,0,0\n");
    job.run(&[]);
    assert_eq!(job.decimals("customer_cost", "driver_quantity"), [3_800_000, 3_800_000]);
    assert_eq!(job.texts("rejected", "rule"), ["invalid_quantity"]);
}

#[test]
fn time_of_unknown_customers_is_nobodys_and_a_flag_of_two_is_rejected() {
    let events = [(1, "order", 0, false, 0), (9, "order", 0, false, 0), (2, "order", 0, false, 2)];
    let job = job(MINUTES, &events);
    job.run(&[]);
    assert_eq!(job.decimals("pool_balance", "unassigned_unknown_customer"), [24_900]);
    assert_eq!(job.decimals("customer_cost", "amount"), [24_900]);
    assert_eq!(job.texts("rejected", "rule"), ["invalid_quantity"]);
}

#[test]
fn equations_and_flags_that_do_not_fit_are_told() {
    let failure = |drivers: &str| job(drivers, &[]).failure();
    assert_snapshot!(failure("  minutes: {time: 3 + 0.8*lins}"), @r"
    exit code 3
    error: e.parquet: no column `lins` (mapped to `drivers.minutes`); the file has: c, kind, lines, cold, export
      hint: map the file's own column name under `columns`
    ");
    assert_snapshot!(failure("  minutes: {time: 3 + 0.8*kind}"), @r"
    exit code 3
    error: e.parquet: column `kind` is text, expected a number or a flag for `drivers.minutes`
      hint: cast the column where the file is written
    ");
    assert_snapshot!(failure("  minutes: {time: 3 + 0.8*lines, flags: [export]}"), @r"
    exit code 2
    whalecurve.yaml:8:41: `flags` names no term of the equation: `export`
    ");
    assert_snapshot!(failure("  minutes: {time: 3 +, where: x}"), @r"
    exit code 2
    whalecurve.yaml:8:19: `drivers.minutes.time`: column 4: expected a number or a term, found the end
      hint: write `3 + 0.8*lines + 6*refrigerated + 2*max(0, lines - 10)`
    ");
    assert_snapshot!(failure("  minutes: {count: lines, flags: [export]}"), @r"
    exit code 2
    whalecurve.yaml:8:27: `drivers.minutes.flags` has no effect without time
    ");
}
