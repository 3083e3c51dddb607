//! Pseudonyms in the place of customers' ids: every join still works, and no output holds an id.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use arrow_array::{Array, StringArray};
use serde_json::Value;

use crate::support::{Job, cents, days, integers, read, text};

const CONFIG: &str = "
version: 1
currency: EUR
as_of: 1970-12-31
inputs:
  transactions: {path: ledger.parquet, columns: {customer_id: c, date: d, amount: a}}
  customers: {path: customers.csv, columns: {customer_id: id, segment: segment}}
  driver_quantities: {path: calls.csv, columns: {customer_id: id, driver: driver, quantity: quantity}}
  referrals: {path: referrals.csv, columns: {referrer: from, referred: to}}
contract: {transactions: {missing_date: reject, unknown_customer: reject}}
activities: {support: {level: customer, method: driver, driver: calls, cost: 60.00}}
";

const KEYED: &str = "ids: {keyed_hash: {variable: TEST_ID_KEY}}\n";

/// A job whose customers are 90001 to 90004, as text or as numbers; 90009 is unknown.
fn job(more: &str, as_text: bool) -> Job {
    let job = Job::new(&format!("{CONFIG}{more}"));
    let ids = [90_001_i64, 90_002, 90_001, 90_003, 90_009];
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let ids = if as_text { text(names.iter().map(String::as_str)) } else { integers(ids) };
    job.parquet("ledger.parquet", vec![("c", ids), ("d", days(0..5)), ("a", cents([1_000, 200, 30, 4, 50_000]))]);
    job.text("customers.csv", "id,segment\n90001,a\n90002,b\n90003,b\n90004,a\n");
    job.text("calls.csv", "id,driver,quantity\n90001,calls,1\n90003,calls,2\n");
    job.text("referrals.csv", "from,to\n90001,90003\n");
    job
}

fn command(job: &Job, command: &str, more: &[&str], key: Option<&str>) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_whalecurve"));
    run.arg(command).arg(job.path("whalecurve.yaml")).args(more).env_remove("TEST_ID_KEY");
    if let Some(key) = key {
        run.env("TEST_ID_KEY", key);
    }
    run.output().unwrap()
}

fn run(job: &Job, key: Option<&str>) -> Output {
    let output = job.path("out");
    command(job, "run", &["--output", output.to_str().unwrap()], key)
}

/// Every text of every dataset.
fn texts(output: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for dataset in fs::read_dir(output).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for batch in read(output, dataset.file_name().unwrap().to_str().unwrap()) {
            for column in batch.columns() {
                if let Some(values) = column.as_any().downcast_ref::<StringArray>() {
                    found.extend(values.iter().flatten().map(str::to_owned));
                }
            }
        }
    }
    found
}

/// Revenue, cost and segment of every customer, in no order.
fn facts(job: &Job) -> Vec<(i128, i128, Option<String>)> {
    let revenue = job.decimals("customer_profit_total", "net_revenue");
    let cost = job.decimals("customer_profit_total", "customer_cost");
    let segments = job.optional_texts("customer_segment", "segment");
    let mut facts: Vec<_> = revenue.into_iter().zip(cost).zip(segments).map(|((a, b), c)| (a, b, c)).collect();
    facts.sort();
    facts
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn pseudonyms_join_as_ids_do_and_no_output_holds_an_id() {
    let plain = job("", false);
    plain.run(&[]);
    assert!(texts(&plain.path("out")).iter().any(|text| text.contains("90009")), "nothing to hide in `rejected`");
    let mut digests = Vec::new();
    for as_text in [false, true] {
        let hashed = job(KEYED, as_text);
        let done = run(&hashed, Some(KEY));
        assert!(done.status.success(), "{}", hashed.without_folder(&done.stderr));
        assert_eq!(facts(&hashed), facts(&plain));
        let held = texts(&hashed.path("out"));
        assert!(held.iter().all(|text| !text.contains("9000")), "{held:?}");
        for record in ["run_manifest.json", "run_results.json"] {
            let text = fs::read_to_string(hashed.path("out").join(record)).unwrap();
            assert!(!text.contains(KEY) && !text.contains("9000"), "{record}");
        }
        // Sorted by pseudonym: their order tells nothing of that of the ids.
        let ids = hashed.texts("customer_profit_total", "customer_id");
        assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 32), "{ids:?}");
        // The referral found both of its customers, under their pseudonyms.
        assert_eq!(hashed.texts("rejected", "table"), plain.texts("rejected", "table"));
        let manifest: Value = serde_json::from_slice(&fs::read(hashed.path("out/run_manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["id_key"].as_str().map(str::len), Some(8));
        digests.push(manifest["result_digest"].clone());
        // Who knows an id may ask by it, who knows a pseudonym by that.
        for asked in ["90001", &ids[0]] {
            let told = command(&hashed, "explain", &["--customer", asked], Some(KEY));
            assert!(told.status.success(), "{}", hashed.without_folder(&told.stderr));
        }
        assert_eq!(command(&hashed, "explain", &["--customer", "90008"], Some(KEY)).status.code(), Some(2));
    }
    // 90001 and "90001" are one id.
    assert_eq!(digests[0], digests[1]);
    let other = job(KEYED, true);
    assert!(run(&other, Some("another key of enough length")).status.success());
    assert_eq!(facts(&other), facts(&plain));
    assert_ne!(other.texts("customer_profit_total", "customer_id")[0].len(), 0);
    let same = job(KEYED, true);
    assert!(run(&same, Some(KEY)).status.success());
    assert_ne!(other.texts("customer_profit_total", "customer_id"), same.texts("customer_profit_total", "customer_id"));
}

#[test]
fn a_key_that_is_missing_short_or_open_to_others_is_refused_and_never_told() {
    let told = |job: &Job, key: Option<&str>| {
        let done = run(job, key);
        assert_eq!(done.status.code(), Some(2));
        assert!(!job.path("out").exists());
        job.without_folder(&done.stderr).lines().next().unwrap().to_owned()
    };
    let variable = job(KEYED, true);
    assert_eq!(told(&variable, None), "error: ids: environment variable TEST_ID_KEY is not set");
    let short = told(&variable, Some("hunter2"));
    assert_eq!(short, "error: ids: environment variable TEST_ID_KEY holds a key of less than 16 characters");

    let file = job("ids: {keyed_hash: {file: id.key}}\n", true);
    assert!(told(&file, None).starts_with("error: ids: id.key: No such file"));
    file.text("id.key", &format!("{KEY}\n"));
    let mode = |mode| fs::set_permissions(file.path("id.key"), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    assert_eq!(told(&file, None), "error: ids: id.key: others than its owner may read it; set its mode to 0600");
    mode(0o600);
    assert!(run(&file, None).status.success());
    // The same key, from a variable or a file.
    assert!(run(&variable, Some(KEY)).status.success());
    let ids = |job: &Job| job.texts("customer_profit_total", "customer_id");
    assert_eq!(ids(&file), ids(&variable));
}

#[test]
fn ids_in_the_names_of_folders_are_refused_where_they_are_to_be_pseudonyms() {
    let folders = |more: &str| {
        let job = Job::new(&format!(
            "version: 1\ncurrency: EUR\ninputs:\n  transactions: {{path: l, columns: {{customer_id: cust, date: d, amount: a}}}}\n{more}"
        ));
        for id in ["90001", "90002"] {
            job.parquet(&format!("l/cust={id}/a.parquet"), vec![("d", days([1])), ("a", cents([100]))]);
        }
        job
    };
    let hashed = folders(KEYED);
    for which in ["check", "run"] {
        let done = command(&hashed, which, &[], Some(KEY));
        let told = hashed.without_folder(&done.stderr);
        assert_eq!(done.status.code(), Some(3));
        assert_eq!(
            told,
            "error: transactions: `customer_id` is mapped to `cust`, the key of a folder, and `ids: keyed_hash` cannot hide the names of \
             folders\n  hint: write the ids as a column of the files, below folders of another key\n"
        );
    }
    folders("").run(&[]);
}
