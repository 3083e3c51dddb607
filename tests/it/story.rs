//! What `explain` says of a customer's future and group: that which the config's run has written.

use std::fs;

use serde_json::Value;

use crate::{
    report::shop,
    support::{Job, run},
};

const CUSTOMER: &str = "zqc017xj";

/// The shop, run into the place where its config says.
fn run_shop() -> Job {
    let job = shop("");
    run(&job.path("whalecurve.yaml"), &job.path("results"), &[]);
    job
}

fn told(job: &Job, more: &[&str]) -> String {
    let done = job.command("explain", &[&["--customer", CUSTOMER], more].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn a_customers_story_goes_on_to_its_future_its_group_and_why() {
    let job = run_shop();
    let text = told(&job, &[]);
    for piece in
        ["What comes next, in the 182 days after 2024-12-31", "Expected value ", "Its group: ", "Present profit "]
    {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
    assert!(!text.contains("run the config again"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let document: Value = serde_json::from_str(&told(&job, &["--output-format", "json"])).unwrap();
    let story = &document["story"];
    assert_eq!(story["same_profit"], true);
    let group = &story["group"];
    // Why it is in its group: profit and potential against their bounds.
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let present = number(&group["present_profit"]) > number(&group["present_above"]);
    let ahead = number(&group["growth_potential"]) >= number(&group["future_at_least"]);
    let expected = match (present, ahead) {
        (true, true) => "invest",
        (true, false) => "nurture",
        (false, true) => "re_engineer",
        (false, false) => "let_go",
    };
    assert_eq!(group["portfolio_group"], expected);
    assert_eq!(story["future"]["expected_value"], group["growth_potential"], "without a pipeline they are the same");
}

#[test]
fn results_of_other_costs_are_told_to_be_so() {
    let job = run_shop();
    let config = job.path("whalecurve.yaml");
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("900.00", "950.00")).unwrap();
    let text = told(&job, &[]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("are of other data or costs than this: run the config again"), "{text}");
    // A part of the profit is compared with nothing.
    assert!(!told(&job, &["--period", "all"]).contains("run the config again"));
}
