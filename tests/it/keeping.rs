//! Keep or end through whole runs: what another way to serve saves, and what a one-off cost changes.

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
