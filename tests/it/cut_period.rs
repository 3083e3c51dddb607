//! A run in the middle of a period: customers who came within it, and moves into it.

use std::collections::BTreeMap;

use whalecurve::schema::period::parse_day;

use crate::{
    equity::{number, rows},
    support::{Job, cents, days, integers},
};

/// Ten customers who buy every month of a year and a half, and four who came in the second quarter of 2023.
fn job(as_of: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\nas_of: {as_of}\nperiod: quarter\ninputs:\n  transactions: {{path: l.parquet, where: \"d <= \
         DATE '{as_of}'\", columns: {{customer_id: c, date: d, amount: a}}}}\nactivities:\n  handling: {{level: order, method: \
         revenue, cost: 100.00}}\nforecast: {{model: mbg_nbd, horizon: 52w, discount_rate_per_year: 0.10, paths: 10}}\n"
    ));
    let day =
        |month: i64, day: i64| parse_day(&format!("{}-{:02}-{day:02}", 2022 + month / 12, month % 12 + 1)).unwrap();
    let old = (1..=10_i64).flat_map(|customer| (0..18).map(move |month| (customer, month, customer + 8)));
    let new = (11..=14_i64).flat_map(|customer| (15..18).map(move |month| (customer, month, customer)));
    let all: Vec<(i64, i32)> = old.chain(new).map(|(customer, month, at)| (customer, day(month, at))).collect();
    job.parquet(
        "l.parquet",
        vec![
            ("c", integers(all.iter().map(|row| row.0))),
            ("d", days(all.iter().map(|row| row.1))),
            ("a", cents(all.iter().map(|row| 1_000 * row.0))),
        ],
    );
    job
}

#[test]
fn who_came_within_the_cut_period_is_judged_by_its_profit_to_date() {
    let groups = |as_of: &str| {
        let job = job(as_of);
        job.run(&[]);
        let profit: BTreeMap<String, i128> = rows(&job, "customer_profit_total", &["customer_id", "economic_profit"])
            .into_iter()
            .map(|row| (row[0].clone(), number(&row[1])))
            .collect();
        let found = rows(&job, "customer_segment", &["customer_id", "present_profit", "portfolio_group"]);
        for row in &found[10..] {
            assert_eq!(number(&row[1]), profit[&row[0]], "{row:?}");
        }
        assert!(number(&found[0][1]) < profit["1"], "of who came before, the last four whole quarters count");
        found.into_iter().map(|row| row[2].clone()).collect::<Vec<String>>()
    };
    let cut = groups("2023-06-29");
    assert!(cut.iter().all(|group| group == "invest" || group == "nurture"), "{cut:?}");
    groups("2023-06-30");
}

#[test]
fn nobody_is_idle_because_a_period_has_only_begun() {
    let moves = |as_of: &str| {
        let job = job(as_of);
        job.run(&[]);
        rows(&job, "segment_migration", &["segmentation", "next_period", "to", "customers"])
    };
    // In the first days of April nobody has bought yet.
    let found = moves("2023-04-05");
    assert!(!found.is_empty() && found.iter().all(|row| row[1] != "2023-Q2" && row[2] != "idle"), "{found:?}");
    assert!(moves("2023-06-30").iter().any(|row| row[1] == "2023-Q2"));
}

#[test]
fn customers_who_no_longer_buy_are_idle_up_to_as_of() {
    let job = job("2023-06-30");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replacen("as_of: 2023-06-30", "as_of: 2024-01-10", 1));
    job.run(&[]);
    let found = rows(&job, "segment_migration", &["segmentation", "next_period", "from", "to", "customers"]);
    let of = |period: &str| found.iter().filter(|row| row[0] == "profit" && row[1] == period).collect::<Vec<_>>();
    assert_eq!(of("2023-Q3"), [&["profit", "2023-Q3", "profitable", "idle", "14"]]);
    assert_eq!(of("2023-Q4"), [&["profit", "2023-Q4", "idle", "idle", "14"]]);
    assert!(of("2024-Q1").is_empty());
}
