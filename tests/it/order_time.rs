//! Time equations over the orders of the ledger itself: one equation an order.

use insta::assert_snapshot;

use crate::support::{Job, cents, days, integers, text};

/// Order 1 of customer 1 has two lines, one of them cold; order 2 has twelve. Customer 2 has an order 1 of its own, and
/// an order that is a return.
fn job(drivers: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
period: month
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, order_id: o, date: d, amount: a, quantity: q}}}}
drivers:
  lines: count
  units: {{sum: q}}
  cold: {{count: lines, where: \"temperature = 'cold'\"}}
{drivers}
activities:
  picking: {{level: order, method: driver, driver: minutes, cost: 57.60}}
{more}"
    ));
    let lines: Vec<(i64, i64, i32, i64, &str, i64)> = [(1, 1, 5, 100, "cold", 2), (1, 1, 5, 200, "dry", 1)]
        .into_iter()
        .chain((0..12).map(|_| (1, 2, 40, 50, "dry", 1)))
        .chain([(2, 1, 5, 300, "cold", 4), (2, 3, 6, -300, "cold", -4)])
        .collect();
    job.parquet(
        "l.parquet",
        vec![
            ("c", integers(lines.iter().map(|line| line.0))),
            ("o", integers(lines.iter().map(|line| line.1))),
            ("d", days(lines.iter().map(|line| line.2))),
            ("a", cents(lines.iter().map(|line| line.3))),
            ("temperature", text(lines.iter().map(|line| line.4))),
            ("q", integers(lines.iter().map(|line| line.5))),
        ],
    );
    job
}

const MINUTES: &str = "  minutes: {time: \"3 + 0.8*lines + 6*cold + 2*max(0, lines - 10)\", per: order, flags: [cold]}";

#[test]
fn every_order_takes_the_time_of_its_equation_and_a_return_takes_none() {
    let job = job(MINUTES, "");
    job.run(&[]);
    // 3 + 1.6 + 6 = 10.6; 3 + 9.6 + 4 = 16.6 in February; 3 + 0.8 + 6 = 9.8. Of the totals of a month it would be less:
    // customer 2's return is no order, and its line is none of order 1.
    assert_eq!(job.decimals("customer_cost", "driver_quantity"), [10_600_000, 16_600_000, 9_800_000]);
    assert_eq!(job.texts("customer_cost", "period"), ["1970-01", "1970-02", "1970-01"]);
    // 57.60 over 37 minutes.
    assert_eq!(job.sum("customer_cost", "amount"), 5_760);
    assert_eq!(job.decimals("pool_balance", "driver_quantity"), [37_000_000]);
    // By order the same minutes: order 1 of one customer is not that of the other.
    job.run(&["--cost-object", "order"]);
    assert_eq!(job.whole_numbers("object_cost", "object_id"), [Some(1), Some(1), Some(2)]);
    assert_eq!(job.whole_numbers("object_cost", "customer_id"), [Some(1), Some(2), Some(1)]);
    assert_eq!(job.decimals("object_cost", "driver_quantity"), [10_600_000, 9_800_000, 16_600_000]);
    assert_eq!(job.sum("object_balance", "stays"), 0);
    assert_eq!(job.sum("object_cost", "amount"), 5_760);
}

#[test]
fn an_order_over_two_months_takes_its_time_in_the_first_for_its_customer_and_by_itself() {
    let job = job("  minutes: {time: 3 + 2*lines, per: order}", "");
    let columns = vec![
        ("c", integers([1, 1, 1])),
        ("o", integers([7, 7, 8])),
        ("d", days([40, 5, 41])),
        ("a", cents([100, 200, 300])),
        ("temperature", text(["dry"; 3])),
        ("q", integers([1; 3])),
    ];
    job.parquet("l.parquet", columns);
    for (dataset, more) in [("customer_cost", &[][..]), ("object_cost", &["--cost-object", "order"])] {
        job.run(more);
        assert_eq!(job.texts(dataset, "period"), ["1970-01", "1970-02"], "{dataset}");
        assert_eq!(job.decimals(dataset, "driver_quantity"), [7_000_000, 5_000_000], "{dataset}");
    }
}

#[test]
fn columns_of_the_ledger_are_terms_and_the_order_of_lines_moves_nothing() {
    let job = job("  minutes: {time: 0.5*units + 1.5*lines*cold, per: order}", "");
    job.run(&["--threads", "1"]);
    // 1.5 + 3·2·… : order 1 of customer 1: 0.5·3 + 1.5·2·1 = 4.5; order 2: 6; customer 2's: 2 + 1.5 = 3.5.
    assert_eq!(job.decimals("customer_cost", "driver_quantity"), [4_500_000, 6_000_000, 3_500_000]);
}

#[test]
fn terms_flags_and_filters_that_do_not_fit_an_order_are_told() {
    let told = [
        "  minutes: {time: 3 + 0.8*lins, per: order}",
        "  minutes: {time: 3 + 2*units, per: order, flags: [units]}",
        "  minutes: {time: 3 + 2*cold, per: order, where: \"q > 0\"}",
        "  minutes: {time: 3 + 2*cold, per: ordr}",
        "  minutes: {time: 3 + 2*cold}",
        "  minutes: {count: lines, per: order}",
    ];
    let told: Vec<String> = told.into_iter().map(|drivers| job(drivers, "").failure()).collect();
    assert_snapshot!(told.join("\n"), @r"
    exit code 2
    whalecurve.yaml:11:19: `drivers.minutes.time`: column 9: unknown term `lins`; known terms: `cold`, `lines`, `units`
      hint: terms of an order are drivers that count lines or sum a column, as in lines: count
    exit code 2
    whalecurve.yaml:11:51: a flag of an order is a driver that counts lines, which `units` is not
      hint: known: cold, lines
    exit code 2
    whalecurve.yaml:11:43: `drivers.minutes.where` has no effect on the time of an order
      hint: give it to the drivers that are its terms
    exit code 2
    whalecurve.yaml:11:36: `drivers.minutes.per` is `ordr`, expected one of event, order
      hint: did you mean `order`?
    exit code 2
    whalecurve.yaml:11:13: `drivers.minutes.time` needs the table inputs.events
      hint: a row of it is one event, such as a call; for each order of the ledger write per: order; over totals of a period write method: time_driven
    exit code 2
    whalecurve.yaml:11:27: `drivers.minutes.per` has no effect without time
    ");
}
