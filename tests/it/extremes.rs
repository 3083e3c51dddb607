//! Extreme ledgers through the binary, for every model: finite numbers, or an error that says why.

use std::fmt::Write;

use arrow_array::{Array, Float64Array};

use crate::support::{Job, cents, days, integers, read};

const PURCHASES: [&str; 6] = ["bg_nbd", "mbg_nbd", "pareto_nbd", "bg_cnbd_k", "mbg_cnbd_k", "bg_bb"];
const CONTRACTS: [&str; 4] = ["beta_geometric", "beta_weibull", "exponential_gamma", "weibull_gamma"];
/// Largest value of a customer in cents: what these ledgers bring in a year is far below it.
const MOST: i128 = 1_000_000_000_000_000;

/// First and last day of each contract; none: it goes on.
type Contracts = (&'static str, Vec<(i32, Option<i32>)>);

/// Days of the purchases of each customer, and the last day.
type Ledger = (&'static str, Vec<Vec<i32>>, i32);

fn ledgers() -> Vec<Ledger> {
    let every = |step: usize, last: i32| -> Vec<i32> { (0..last).step_by(step).collect() };
    let mut thirty_years: Vec<Vec<i32>> = (0..60).map(|i| vec![i * 170, i * 170 + 30 * (i % 7)]).collect();
    thirty_years.extend([vec![0, 10_950], every(90, 10_950)]);
    thirty_years.iter_mut().for_each(Vec::dedup);
    vec![
        ("one customer", vec![vec![0, 10, 40, 90]], 120),
        ("one customer who bought once", vec![vec![0]], 120),
        ("all one-timers", (0..80).map(|i| vec![i]).collect(), 120),
        ("equal rows", vec![vec![0, 30, 60]; 40], 120),
        ("ten thousand purchases", vec![every(1, 10_000), vec![0, 5_000], vec![9_000], vec![100, 200, 300]], 10_001),
        ("thirty years", thirty_years, 10_957),
        ("first purchases of today and yesterday", vec![vec![120], vec![119], vec![119, 120], vec![120]], 120),
    ]
}

fn run(what: &str, job: &Job) -> bool {
    let done = job.try_run(&[]);
    let told = String::from_utf8(done.stderr).unwrap();
    if !done.status.success() {
        assert_eq!(done.status.code(), Some(1), "{what}: {told}");
        assert!(told.contains("error: forecast: ") && !told.contains("panicked"), "{what}: {told}");
        return false;
    }
    for batch in read(&job.path("out"), "customer_value") {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let Some(values) = column.as_any().downcast_ref::<Float64Array>() else { continue };
            for value in values.iter().flatten() {
                assert!(value.is_finite() && value >= 0.0, "{what}: {} is {value}", field.name());
                let share = field.name().starts_with("p_alive") || field.name().starts_with("probability");
                assert!(!share || value <= 1.0 + 1e-12, "{what}: {} is {value}", field.name());
            }
        }
    }
    for column in ["expected_value", "lifetime_value_mean", "lifetime_value_sd", "lifetime_value_p95"] {
        for value in job.decimals("customer_value", column) {
            assert!(value.abs() < MOST, "{what}: {column} is {value}");
        }
    }
    true
}

#[test]
fn every_model_of_purchases_gives_finite_numbers_or_says_why_not() {
    let mut finished = 0;
    for (name, customers, last) in ledgers() {
        for model in PURCHASES {
            let spend: &[&str] = if model == "bg_bb" { &[""] } else { &[", spend: gamma_gamma", ", spend: normal"] };
            for spend in spend {
                let job = Job::new(&format!(
                    "
version: 1
currency: EUR
as_of: {last}
inputs:
  transactions: {{path: t.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
forecast: {{model: {model}{spend}, time_unit: week, horizon: 1y, discount_rate_per_year: 0.1, paths: 40}}
",
                    last = date(last)
                ));
                let lines = || customers.iter().zip(1..).flat_map(|(days, id)| days.iter().map(move |day| (id, *day)));
                job.parquet(
                    "t.parquet",
                    vec![
                        ("c", integers(lines().map(|line| line.0))),
                        ("d", days(lines().map(|line| line.1))),
                        ("a", cents(lines().map(|(id, day)| 1_000 + (id * 7 + i64::from(day) * 3) % 500))),
                    ],
                );
                finished += usize::from(run(&format!("{name}, {model}{spend}"), &job));
            }
        }
    }
    assert!(finished > 15, "{finished}");
}

fn date(day: i32) -> String {
    whalecurve::schema::period::format_day(day)
}

#[test]
fn every_model_of_contracts_gives_finite_numbers_or_says_why_not() {
    let long = 10_957;
    let bases: [Contracts; 7] = [
        ("one customer", vec![(long - 400, None)]),
        ("one customer who left", vec![(long - 400, Some(long - 100))]),
        ("all left on their first day", vec![(long - 50, Some(long - 50)); 30]),
        ("equal rows", vec![(long - 400, Some(long - 100)); 30]),
        ("half of equal rows", [(long - 400, Some(long - 36)), (long - 400, None)].repeat(20)),
        ("thirty years", (0..60).map(|i| (i * 150, (i % 3 > 0).then_some(i * 150 + 1 + i * 29))).collect()),
        ("all of today", vec![(long, None), (long, None), (long - 1, Some(long - 1)), (long, Some(long))]),
    ];
    let mut finished = 0;
    for (name, contracts) in bases {
        for (model, unit) in CONTRACTS.into_iter().flat_map(|model| [(model, "month"), (model, "day")]) {
            let job = Job::new(&format!(
                "
version: 1
currency: EUR
as_of: {last}
inputs:
  transactions: {{path: t.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
  contracts: {{path: c.csv, columns: {{customer_id: c, start: s, end: e}}}}
forecast: {{model: {model}, time_unit: {unit}, horizon: 1y, discount_rate_per_year: 0.1, paths: 40}}
",
                last = date(long)
            ));
            let mut table = "c,s,e\n".to_owned();
            for (id, (start, end)) in (1..).zip(&contracts) {
                writeln!(table, "{id},{},{}", date(*start), end.map(date).unwrap_or_default()).unwrap();
            }
            job.text("c.csv", &table);
            let ids = || 1..=contracts.len() as i64;
            let columns = vec![
                ("c", integers(ids())),
                ("d", days(contracts.iter().map(|contract| contract.0))),
                ("a", cents(ids().map(|id| 900 + id))),
            ];
            job.parquet("t.parquet", columns);
            finished += usize::from(run(&format!("{name}, {model} by {unit}"), &job));
        }
    }
    assert!(finished > 10, "{finished}");
}

/// Amounts that no 64 bits hold, or no column of money: what is refused stops no run, what counts has a clear end.
#[test]
fn amounts_beyond_64_bits_or_18_digits_are_text_or_null_or_refused_data() {
    let job = |lines: &[(i32, i64, i64)], more: &str, columns: &str| {
        let job = Job::new(&format!(
            "
version: 1
currency: EUR
as_of: 1970-12-31
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: a{columns}}}}}
{more}"
        ));
        job.parquet(
            "l.parquet",
            vec![
                ("c", integers(lines.iter().map(|_| 1))),
                ("d", days(lines.iter().map(|line| line.0))),
                ("a", crate::support::floats(lines.iter().map(|line| line.1 as f64))),
                ("q", integers(lines.iter().map(|line| line.2))),
                ("p", integers(lines.iter().map(|_| 7))),
            ],
        );
        job
    };
    // Of the future, so rejected: 20 · 10¹⁶ euros are 2 · 10¹⁹ cents, each line more than a column holds.
    let mut lines = vec![(1, 100, 1)];
    lines.extend([(1_000, -10_000_000_000_000_000, 1); 20]);
    let rejected = job(&lines, "contract: {transactions: {date_range: {policy: reject, max: 1970-12-31}}}\n", "");
    let manifest = rejected.run(&["--log-format", "json"]);
    assert_eq!(manifest["balances"]["transactions"]["rejected"]["amount"], "-20000000000000000000");
    assert!(rejected.decimals("rejected", "amount").is_empty());
    // A purchase and a return that 64 bits hold, but not their difference.
    let wide = 50_000_000_000_000_000;
    let apart = job(&[(1, wide, 1), (1, -wide, -1)], "", ", product_id: p, quantity: q");
    let done = apart.try_run(&[]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(3), "{told}");
    // A sum of 18 digits and more, accepted.
    let done = job(&[(1, 20_000_000_000_000_000, 1)], "", "").try_run(&[]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert_eq!((done.status.code(), told.contains("more than 18 digits")), (Some(3), true), "{told}");
}

/// Each month fits a column, the customer's year does not fit 64 bits.
#[test]
fn a_customers_periods_that_do_not_fit_together_are_refused_as_one_is() {
    for (columns, what) in [(", quantity: q", "units"), (", product_cost: q", "product cost")] {
        let job = Job::new(&format!(
            "version: 1\ncurrency: EUR\nperiod: month\nas_of: 1970-12-31\ninputs:\n  transactions: {{path: l.parquet, columns: \
             {{customer_id: c, date: d, amount: a{columns}}}}}\n"
        ));
        let large = if what == "units" { 900_000_000_000 } else { 900_000_000_000_000_000 };
        job.parquet(
            "l.parquet",
            vec![
                ("c", integers([1; 12])),
                ("d", days((0..12).map(|month| 30 * month + 2))),
                ("a", integers([100; 12])),
                ("q", integers([large; 12])),
            ],
        );
        let told = job.failure();
        assert!(told.starts_with("exit code 3\nerror: ") && told.contains(what), "{told}");
    }
}
