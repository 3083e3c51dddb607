//! Markets, targets and plans that do not fit the run: an error or a word, and what a mean is over.

use insta::assert_snapshot;

use crate::{
    equity::{cdnow, number, rows},
    support::Job,
};

const MARKET: &str = "  market: {path: m.csv, columns: {segment: segment, equity: equity}}\n";

#[test]
fn a_whole_market_that_is_worth_less_than_our_customers_stops_the_run() {
    let job = cdnow(MARKET, "");
    job.text("m.csv", "segment,equity\neven,1000.00\nodd,900000.00\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: market: in 1 of 3 parts the whole market is worth less than our customers in it: give what all customers are worth, ours included, to the horizon of the forecast, or name competitors
    ");
}

#[test]
fn a_market_needs_a_forecast() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: \
         a}}\n  market: {path: m.csv, columns: {equity: equity}}\n",
    );
    assert_snapshot!(job.failure(), @r"
    exit code 2
    whalecurve.yaml:5:3: `inputs.market` needs a forecast
      hint: add one, as in: forecast: {model: bg_nbd, horizon: 52w}
    ");
}

/// The lines of a run's summary that are notes of plans and targets.
fn notes(job: &Job) -> Vec<String> {
    let done = job.try_run(&[]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{told}");
    let of = |line: &&str| line.contains("note: ") && (line.contains("targets") || line.contains("plan"));
    told.lines().filter(of).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn targets_without_a_value_are_told() {
    let job = cdnow("  targets: {path: t.csv, columns: {measure: measure, target: target, segment: segment}}\n", "");
    job.text(
        "t.csv",
        "measure,target,segment\nshare_of_customer_equity,0.5,\nlifetime_value,5,odd\nretention_rate,0.5,odd\nretention_rate,0.5,even\n",
    );
    assert_eq!(
        notes(&job),
        [
            "note: 3 of 4 targets cannot be held against a value (retention_rate, share_of_customer_equity): docs/equity.md says what each needs"
        ]
    );
}

#[test]
fn planned_customers_of_a_group_in_which_nobody_has_bought_count_nothing_and_are_told() {
    let job = cdnow(
        "  acquisition_plan: {path: p.csv, columns: {date: date, customers: n, cost: cost, channel: channel}}\n",
        "",
    );
    let known = std::fs::read_to_string(job.path("customers.csv")).unwrap();
    job.text("customers.csv", &format!("{known}9999,even,agent,1.50\n"));
    job.text("p.csv", "date,n,cost,channel\n1997-12-31,10,50.00,web\n1997-12-31,20,90.00,agent\n");
    assert_eq!(
        notes(&job),
        ["note: 1 of 2 rows of the acquisition plan are of groups in which nobody has bought: they count nothing"]
    );
    let plan = rows(&job, "acquisition_value", &["group", "value", "cost"]);
    assert_eq!((plan[0][0].as_str(), plan[0][1].as_str(), plan[1][0].as_str()), ("agent", "-", "web"));
    let names = ["planned_customers", "planned_value", "planned_cost", "equity_with_plan", "expected_value"];
    let total = &rows(&job, "customer_equity", &names)[0];
    assert_eq!((total[0].as_str(), &total[1], &total[2]), ("10000000", &plan[1][1], &plan[1][2]));
    assert_eq!(number(&total[3]), number(&total[4]) + number(&plan[1][1]) - number(&plan[1][2]));
}

#[test]
fn means_of_acquisition_cost_are_over_the_customers_of_whom_it_is_known() {
    let job = cdnow("", "");
    let line = |id: u32| {
        let cost = if id.is_multiple_of(2) { "" } else { "100.00" };
        format!("{id:04},{},web,{cost}\n", if id <= 10 { "few" } else { "many" })
    };
    let none = |id: u32| format!("{id:04},unknown,web,\n");
    let lines: String = (1..=2000).map(line).chain((2001..=2357).map(none)).collect();
    job.text("customers.csv", &format!("id,segment,channel,cost\n{lines}"));
    job.run(&[]);
    let measures = rows(&job, "segment_measure", &["segmentation", "segment", "measure", "customers", "value"]);
    let of = |by: &str, name: &str| {
        let found = measures.iter().find(|row| row[..3] == [by, name, "acquisition_cost"].map(str::to_owned));
        found.map(|row| row[3..].join(" "))
    };
    assert_eq!(of("all", "all").as_deref(), Some("1000 100"));
    assert_eq!((of("segment", "few").as_deref(), of("segment", "unknown")), (Some("5 100"), None));
    let newcomers = rows(&job, "new_customer_value", &["grouping", "group", "acquisition_cost"]);
    let cost = |by: &str, name: &str| {
        newcomers.iter().find(|row| row[..2] == [by, name].map(str::to_owned)).map(|row| &*row[2])
    };
    assert_eq!((cost("all", "all"), cost("segment", "many")), (Some("10000"), Some("10000")));
    assert_eq!(cost("segment", "unknown"), Some("-"));
}
