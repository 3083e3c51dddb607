//! `check` and `plan`: every problem of a config's inputs at once, and nothing written.

use std::fs;

use crate::support::{Job, cents, days, integers, text};

const CONFIG: &str = "
version: 1
name: Planned
currency: EUR
output: out
inputs:
  transactions: {path: ledger, columns: {customer_id: customer, date: day, amount: amount}}
  customers: {path: customers.csv, format: csv, columns: {customer_id: id, segment: segment}}
drivers: {units: {sum: quantity}}
activities: {handling: {level: order, method: driver, driver: units, cost: 10.00}}
";

fn job() -> Job {
    let job = Job::new(CONFIG);
    job.parquet(
        "ledger/a.parquet",
        vec![
            ("customer", integers([1, 2])),
            ("day", days([1, 2])),
            ("amount", cents([100, 200])),
            ("quantity", integers([1, 2])),
        ],
    );
    job.text("customers.csv", "id,segment\n1,a\n2,b\n");
    job
}

fn told(job: &Job, command: &str) -> (i32, String, String) {
    let done = job.command(command, &["--output", job.path("out").to_str().unwrap()]);
    (done.status.code().unwrap(), job.without_folder(&done.stdout), job.without_folder(&done.stderr))
}

#[test]
fn a_plan_names_what_is_read_and_what_is_replaced_and_writes_nothing() {
    let job = job();
    let bytes = fs::metadata(job.path("ledger/a.parquet")).unwrap().len();
    let (code, out, talk) = told(&job, "plan");
    assert_eq!((code, talk.as_str()), (0, ""));
    assert!(out.starts_with("Planned: what a run would read\n\ntable"), "{out}");
    assert!(
        out.contains(&format!("\ntransactions      1     2  {bytes:>5}\ncustomers         1   csv     19\n")),
        "{out}"
    );
    assert!(out.contains("\n\nIt would write out, where there are no results.\nIt would need about "), "{out}");
    assert!(!job.path("out").exists());

    let digest = job.run(&[])["result_digest"].as_str().unwrap().to_owned();
    let (_, out, _) = told(&job, "plan");
    assert!(out.contains(&format!("\n\nIt would replace out, whose results are {digest}.\n")), "{out}");
}

#[test]
fn a_demo_makes_a_company_and_its_results() {
    let job = Job::new("");
    let folder = job.path("demo");
    let done = crate::support::whalecurve(&["demo", folder.to_str().unwrap()]);
    assert!(done.status.success(), "{}", job.without_folder(&done.stderr));
    let told = job.without_folder(&done.stderr);
    assert!(told.contains("Change a cost and run it again: whalecurve run demo/whalecurve.yaml"), "{told}");
    let result: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let output = result["output"].as_str().unwrap().to_owned();
    let verified = crate::support::whalecurve(&["verify", &output]);
    assert!(verified.status.success(), "{}", job.without_folder(&verified.stderr));

    let again = crate::support::whalecurve(&["demo", folder.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    assert!(job.without_folder(&again.stderr).starts_with("error: demo: the folder is not empty"));
}

#[test]
fn a_check_tells_every_problem_of_every_table() {
    let job = job();
    assert_eq!(told(&job, "check").1, "{\"files\":2,\"rows\":2,\"tables\":2}\n");
    job.parquet(
        "ledger/a.parquet",
        vec![("customer", integers([1])), ("day", text(["x"])), ("amount", cents([1])), ("quantity", integers([1]))],
    );
    job.text("customers.csv", "id\n1\n");
    fs::write(job.path("out"), "mine").unwrap();
    let (code, out, talk) = told(&job, "check");
    assert_eq!((code, out.as_str()), (3, ""));
    let errors: Vec<&str> = talk.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(
        errors,
        [
            "error: ledger/a.parquet: column `day` is text, expected a date or timestamp for `transactions.date`",
            "error: customers.csv: no column `segment` (mapped to `customers.segment`); the file has: id",
            "error: out: is not a folder",
        ]
    );
}
