//! Segment datasets can be handed on without telling of a few customers; `suppress` says of how few, or tells them all.

use crate::{
    report::shop,
    support::{EVERY_GROUP, Job, cents, days, integers},
};

/// Datasets of groups that this shop has rows of, with the column that names the group.
const GROUPED: [(&str, &str); 6] = [
    ("segment_value", "segment"),
    ("segment_equity", "segment"),
    ("segment_measure", "segment"),
    ("concentration", "segment"),
    ("model_group", "group"),
    ("new_customer_value", "group"),
];

/// A shop whose config says nothing of small groups.
fn silent() -> Job {
    let job = shop("");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    std::fs::write(job.path("whalecurve.yaml"), config.replace(EVERY_GROUP, "")).unwrap();
    job
}

fn customers(job: &Job, dataset: &str) -> Vec<i64> {
    job.whole_numbers(dataset, "customers").into_iter().flatten().collect()
}

#[test]
fn segment_datasets_leave_out_a_small_group_and_what_would_tell_it() {
    let (job, open) = (silent(), shop(EVERY_GROUP));
    let (said, told) = (job.try_run(&[]), open.run(&[]));
    let said = String::from_utf8(said.stderr).unwrap();
    let small = |job: &Job, dataset: &str| customers(job, dataset).into_iter().filter(|n| (1..10).contains(n)).count();
    assert!(small(&open, "segment_value") > 0, "where that is asked for, everything is told");
    let mut left_out = 0;
    for (dataset, group) in GROUPED {
        assert_eq!(small(&job, dataset), 0, "{dataset}");
        let (groups, all) = (job.texts(dataset, group), open.texts(dataset, group));
        assert!(groups.iter().all(|group| all.contains(group)));
        left_out += all.len() - groups.len();
    }
    // Four hermits, and the towns, which the total and the villages would leave them as the difference to.
    let groups = job.texts("segment_value", "segment");
    let named = |name: &str| groups.iter().any(|group| group == name);
    assert!(named("villages") && !named("hermits") && !named("towns"), "{groups:?}");
    let record = &manifest(&job)["suppress"];
    assert_eq!(record["smallest_group"], 10);
    let recorded: i64 = record["rows_left_out"].as_object().unwrap().values().map(|rows| rows.as_i64().unwrap()).sum();
    assert_eq!(recorded, left_out as i64);
    let note = "note: groups of fewer than 10 customers, and what would tell them, are left out, in rows: ";
    assert!(said.contains(note) && said.contains("`suppress: {smallest_group: 1}` tells every group"), "{said}");
    // A customer's own row is no other.
    assert_eq!(told["suppress"]["rows_left_out"], serde_json::json!({}));
    assert_eq!(job.decimals("customer_value", "base_potential"), open.decimals("customer_value", "base_potential"));
}

#[test]
fn how_many_lose_money_is_not_told_where_they_are_a_few() {
    // Three of thirty cost more to serve than they bring.
    let with = |more: &str| {
        let job = Job::new(
            "version: 1\ncurrency: EUR\nas_of: 1970-12-31\noutput: out\ninputs:\n  transactions:\n    path: l.parquet\n    \
             columns: {customer_id: c, date: d, amount: a}\nactivities: {upkeep: {level: customer, method: average, cost: \
             30.00}}\n",
        );
        let amounts = (0..30).map(|customer| if customer < 3 { 50 } else { 500 });
        let columns = vec![("c", integers(0..30)), ("d", days((0..30).map(|_| 1))), ("a", cents(amounts))];
        job.parquet("l.parquet", columns);
        // Only what is asked for.
        let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        job.text("whalecurve.yaml", &config.replace(EVERY_GROUP, more));
        let said = String::from_utf8(job.try_run(&[]).stderr).unwrap();
        (job, said)
    };
    let (job, said) = with("");
    for column in ["losing_customers", "peak_customers"] {
        assert_eq!(job.whole_numbers("customer_equity", column), [None], "{column}");
    }
    assert!(said.contains(", fewer than 10 lose money") && !said.contains("whale curve"), "{said}");
    let page = std::fs::read_to_string(job.path("out/report.html")).unwrap();
    assert!(page.contains("How many customers lose us money is not told"));
    let (job, said) = with(EVERY_GROUP);
    assert_eq!(job.whole_numbers("customer_equity", "losing_customers"), [Some(3)]);
    assert!(said.contains(", 3 lose money") && said.contains("whale curve"), "{said}");
}

#[test]
fn our_part_of_a_market_of_a_few_customers_is_not_told() {
    let job = silent();
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let market = "{path: m.csv, columns: {segment: segment, competitor: who, customers: n, value: each}}";
    std::fs::write(job.path("whalecurve.yaml"), config.replace("inputs:", &format!("inputs:\n  market: {market}")))
        .unwrap();
    job.text("m.csv", "segment,who,n,each\nhermits,N2K,100,4.00\ntowns,N2K,100,6.00\nvillages,N2K,100,1.00\n");
    job.run(&[]);
    let told = job.texts("equity_share", "segment");
    assert_eq!(told, ["all", "all", "villages", "villages"], "hermits, and towns that would be the difference");
}

#[test]
fn the_report_tells_parts_of_what_all_customers_are_worth_also_where_a_tier_is_not_told() {
    let (job, open) = (silent(), shop(EVERY_GROUP));
    let page = |job: &Job| {
        let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        let tiers = "portfolio: {value_tiers: {few: 0.05, some: 0.15, many: 0.8}}";
        std::fs::write(job.path("whalecurve.yaml"), format!("{config}{tiers}\n")).unwrap();
        job.run(&[]);
        std::fs::read_to_string(job.path("out/report.html")).unwrap()
    };
    let (page, whole) = (page(&job), page(&open));
    // The bar of a tier that both tell: its money, and which part of all it is.
    let bar = |page: &str| page.split("many (96)").nth(1).map(|rest| rest[..400.min(rest.len())].to_owned());
    let part =
        |text: String| text.split(" of all").next().and_then(|text| text.rsplit(" · ").next().map(str::to_owned));
    let (here, there) = (bar(&page).and_then(part), bar(&whole).and_then(part));
    assert!(here.is_some() && here == there, "{here:?} is not {there:?}");
    assert!(!page.contains("few (6)") && !page.contains("some (18)"));
}

#[test]
fn the_whale_curve_has_no_step_of_a_few_customers() {
    let job = silent();
    job.run(&[]);
    let points = customers(&job, "whale_curve");
    assert!(points.len() > 3 && points[0] == 0 || points[0] >= 10, "{points:?}");
    let steps: Vec<i64> = points.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| *step >= 10), "{points:?}");
}

fn manifest(job: &Job) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(job.path("out/run_manifest.json")).unwrap()).unwrap()
}
