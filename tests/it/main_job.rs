//! The main job on real ledgers.

use crate::support::{read, root, run, shared, sum};

#[test]
fn cdnow_ties_from_ledger_to_margins_to_the_cent() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let manifest = run(&root().join("datasets/cdnow/whalecurve.yaml"), &output, &[]);
    // The calibration period holds 4,960 rows and 173,115.55 dollars (datasets/cdnow/README.md).
    assert_eq!(manifest["balances"]["transactions"]["accepted"]["amount"], 17_311_555);
    assert_eq!(sum(&output, "customer_profit", "net_revenue"), 17_311_555);
    let cost = sum(&output, "pool_balance", "own");
    assert_eq!(sum(&output, "customer_cost", "amount"), cost - sum(&output, "pool_balance", "unassigned"));
    let layers = sum(&output, "customer_profit", "product_activity_cost")
        + sum(&output, "customer_profit", "order_cost")
        + sum(&output, "customer_profit", "customer_cost");
    assert_eq!(layers, sum(&output, "customer_cost", "amount"));
    assert_eq!(sum(&output, "customer_profit", "cm3"), 17_311_555 - layers);
    assert_eq!(read(&output, "customer_value").iter().map(arrow_array::RecordBatch::num_rows).sum::<usize>(), 2_357);
}

#[test]
fn cdnow_fits_are_the_published_ones() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = run(&root().join("datasets/cdnow/whalecurve.yaml"), &folder.path().join("out"), &[]);
    let value = |fit: &str, name: &str| manifest["fits"][fit][name].as_f64().unwrap();
    // REFERENCE: Fader, Hardie & Lee 2005 and Fader & Hardie 2013 on this sample; half a unit of the last digit given.
    assert!((value("bg_nbd", "log_likelihood") - -9_582.429_207).abs() < 5e-7);
    assert!((value("gamma_gamma", "log_likelihood") - -4_055.917_695).abs() < 5e-7);
}

#[test]
fn the_picture_of_the_readme_is_what_the_main_job_draws() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    run(&root().join("datasets/cdnow/whalecurve.yaml"), &output, &[]);
    let drawn = std::fs::read_to_string(output.join("whale_curve.svg")).unwrap();
    let committed = std::fs::read_to_string(root().join("docs/whale_curve.svg")).unwrap();
    assert!(drawn == committed, "copy whale_curve.svg of the main job's output to docs/");
}

#[test]
fn the_same_inputs_give_the_same_bytes_on_one_two_and_eight_threads() {
    let folder = tempfile::tempdir().unwrap();
    let config = root().join("datasets/cdnow/master.yaml");
    let digest = |threads: &str| {
        let manifest = run(&config, &folder.path().join(threads), &["--threads", threads]);
        manifest["result_digest"].as_str().unwrap().to_owned()
    };
    let one = digest("1");
    assert_eq!(digest("2"), one);
    assert_eq!(digest("8"), one);
}

#[test]
fn online_retail_money_is_accepted_rejected_or_without_customer() {
    if shared("data/online_retail.parquet").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let manifest = run(&root().join("datasets/online_retail/whalecurve.yaml"), &output, &[]);
    let bucket = |name: &str| manifest["balances"]["transactions"][name]["amount"].as_i64().unwrap();
    assert_eq!(bucket("accepted") + bucket("rejected") + bucket("unassigned"), 974_774_793);
    assert_eq!(sum(&output, "customer_profit", "net_revenue"), i128::from(bucket("accepted")));
}
