//! Keep or end through whole runs: what another way to serve saves, what a one-off cost changes, and what stays of products.

use std::collections::BTreeMap;

use whalecurve::schema::period::parse_day;

use crate::{
    equity::{number, rows},
    support::{Job, cents, days, integers},
};

/// Twenty customers over two years of months, in four of five of which they buy for 100.00 what cost 78.00; each is visited
/// every month, for 40.00.
fn visited(activities: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\nas_of: 2024-12-31\nperiod: month\ninputs:\n  transactions: {{path: l.parquet, columns: \
         {{customer_id: c, date: d, amount: a, product_cost: k}}}}\n  driver_quantities: {{path: v.csv, columns: {{customer_id: \
         id, driver: driver, quantity: n, period: month}}}}\nactivities:\n  visits: {{level: customer, method: standard_rate, \
         driver: visits, rate: 40.00, cost: 19200.00}}\n{activities}forecast: {{model: mbg_nbd, horizon: 52w, \
         discount_rate_per_year: 0.10, paths: 10}}\n{more}"
    ));
    let month = |month: i64| format!("{}-{:02}", 2023 + month / 12, month % 12 + 1);
    let all = || (1..=20_i64).flat_map(|customer| (0..24).map(move |month| (customer, month)));
    let bought: Vec<(i64, i32)> = all()
        .filter(|(customer, month)| (customer + 7 * month) % 5 > 0)
        .map(|(customer, at)| (customer, parse_day(&format!("{}-{:02}", month(at), customer + 3)).unwrap()))
        .collect();
    job.parquet(
        "l.parquet",
        vec![
            ("c", integers(bought.iter().map(|row| row.0))),
            ("d", days(bought.iter().map(|row| row.1))),
            ("a", cents(bought.iter().map(|_| 10_000))),
            ("k", cents(bought.iter().map(|_| 7_800))),
        ],
    );
    let visits: Vec<String> = all().map(|(customer, at)| format!("{customer},visits,1,{}\n", month(at))).collect();
    job.text("v.csv", &format!("id,driver,n,month\n{}", visits.concat()));
    job
}

#[test]
fn a_way_to_serve_saves_all_of_what_it_does_away_with_whatever_fixed_cost_the_customer_bears_beside() {
    let hq = "  hq: {level: company, method: average, cost: 19200.00, push_down: true}\n";
    let job = visited(hq, "portfolio: {ways_to_serve: {phone: {drivers: {visits: 0}}}}\n");
    job.run(&[]);
    let names = ["expected_contribution", "avoidable_cost", "fixed_cost", "keep_value", "serve_value", "advice"];
    let found = rows(&job, "decision_keep", &names);
    assert_eq!(found.len(), 20);
    for row in found {
        let [contribution, avoidable, fixed, keep, serve] = [0, 1, 2, 3, 4].map(|at| number(&row[at]));
        assert!(contribution > 0 && avoidable > contribution && fixed > contribution, "{row:?}");
        assert!((keep - contribution + avoidable).abs() <= 1 && (serve - contribution).abs() <= 1, "{row:?}");
        assert_eq!(row[5], "serve_differently");
    }
}

#[test]
fn a_one_off_cost_of_the_past_does_not_change_what_ending_a_customer_saves() {
    let of = |activities: &str| -> BTreeMap<String, Vec<String>> {
        let job = visited(activities, "");
        job.run(&[]);
        let names = ["customer_id", "expected_value", "avoidable_cost", "fixed_cost", "keep_value", "advice"];
        rows(&job, "decision_keep", &names).into_iter().map(|row| (row[0].clone(), row[1..].to_vec())).collect()
    };
    let (without, with) = (
        of(""),
        of("  migration: {level: customer, method: average, cost: 9600.00, recurring: false, avoidable: false}\n"),
    );
    assert_eq!((without.len(), without), (20, with));
}

/// Money of `decision_keep` by customer: contribution, avoidable and fixed cost, keep and serve value, then way and advice.
fn told(activities: &str, more: &str) -> Vec<Told> {
    told_of(&visited(activities, more))
}

type Told = ([i128; 4], Option<i128>, String, String);

fn told_of(job: &Job) -> Vec<Told> {
    job.run(&[]);
    let names = [
        "expected_contribution",
        "avoidable_cost",
        "fixed_cost",
        "keep_value",
        "serve_value",
        "way",
        "advice",
        "expected_value",
    ];
    let found = rows(job, "decision_keep", &names);
    assert_eq!(found.len(), 20);
    let of = |row: Vec<String>| {
        let money = [0, 1, 2, 3].map(|at| number(&row[at]));
        let value = number(&row[7]);
        assert!((money[0] - money[1] - money[2] - value).abs() <= 2, "the parts are the expected value: {row:?}");
        (money, (row[4] != "-").then(|| number(&row[4])), row[5].clone(), row[6].clone())
    };
    found.into_iter().map(of).collect()
}

/// 384 lines at 10.00 each.
const STORAGE: &str = "  storage: {level: product, method: driver, driver: lines, cost: 3840.00";
const LINES: &str = "drivers: {lines: {count: lines}}\n";

#[test]
fn cost_of_products_that_stays_when_a_customer_goes_is_neither_saved_nor_a_reason_to_end_it() {
    let without = told("", LINES);
    let with = told(&format!("{STORAGE}, avoidable: false}}\n"), LINES);
    let below = told(&format!("{STORAGE}, avoidable: false, layer: cm3}}\n"), LINES);
    for ((without, with), below) in without.iter().zip(&with).zip(&below) {
        let [contribution, avoidable, fixed, keep] = with.0;
        assert!(avoidable > 0 && fixed > 1_000, "{with:?}");
        for (money, same) in [contribution, avoidable, keep].iter().zip([without.0[0], without.0[1], without.0[3]]) {
            assert!((money - same).abs() <= 1, "{with:?} {without:?}");
        }
        assert_eq!((without.0[2], &with.3), (0, &without.3));
        // Below the contribution it stays as well, however it is told.
        assert!((below.0[1] - avoidable).abs() <= below.0[1] / 50, "{below:?}");
    }
}

#[test]
fn a_way_to_serve_saves_of_products_too_but_nothing_of_what_is_over_or_stays() {
    let all = format!(
        "{STORAGE}}}\n  setup: {{level: customer, method: average, cost: 9600.00, recurring: false}}\n  training: {{level: \
         customer, method: average, cost: 9600.00, avoidable: false, behaviour: variable}}\n"
    );
    let with = |way: &str| {
        told(&all, &format!("{LINES}portfolio: {{ways_to_serve: {{other: {{activities: {{{way}: 0}}}}}}}}\n"))
    };
    for way in ["setup", "training"] {
        assert!(with(way).iter().all(|row| row.1.is_none() && row.2 == "-"), "{way}");
    }
    for row in with("storage") {
        let saved = row.1.unwrap() - row.0[3];
        // 10.00 of each purchase, which leaves 22.00 before it and 12.00 after.
        assert!((saved * 12 - row.0[0] * 10).abs() <= 12 * 2, "{row:?}");
    }
    for row in with("visits") {
        assert_eq!((row.1.unwrap() - row.0[0], row.3.as_str()), (0, "serve_differently"), "{row:?}");
    }
}

#[test]
fn where_all_of_an_amount_is_kept_cost_of_products_is_no_cost_of_orders() {
    let handling = "  handling: {level: order, method: driver, driver: lines, cost: 3840.00}\n";
    let more = format!("{LINES}decisions: {{keep: {{avoidable_order_cost: 0.5}}}}\n");
    let job = visited(handling, &more);
    let usual = told_of(&job);
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("path: l.parquet,", "path: l.parquet, returns: purchases,"));
    for (kept, usual) in told_of(&job).iter().zip(&usual) {
        // Of 22.00 that a purchase leaves, half of 10.00 for handling is fixed.
        assert!((usual.0[2] * 22 - usual.0[0] * 5).abs() <= 22, "{usual:?}");
        for (kept, usual) in kept.0.iter().zip(usual.0) {
            assert!((kept - usual).abs() <= 1, "{kept} {usual}");
        }
    }
}

#[test]
fn a_what_if_is_a_way_to_serve_by_what_it_saves_and_with_other_prices_none() {
    for row in told("", "overrides: {name: half, driver_factors: {visits: 0.5}}\n") {
        assert!((2 * (row.1.unwrap() - row.0[3]) - row.0[1]).abs() <= 2, "half of what can be avoided: {row:?}");
        assert_eq!(row.2, "half");
    }
    let job = visited("", "overrides: {name: dearer, prices: 1.5}\n");
    job.run(&[]);
    for dataset in [("decision_keep", "way"), ("customer_segment", "best_way_to_serve")] {
        assert!(rows(&job, dataset.0, &[dataset.1]).iter().all(|row| row[0] == "-"), "{dataset:?}");
    }
}
