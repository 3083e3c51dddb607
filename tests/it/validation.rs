//! `whalecurve validate` and `model: auto` on the CDNOW sample.

use std::fs;

use arrow_array::{Array, Float64Array, Int64Array, RecordBatch, StringArray};

use crate::support::{Job, decimals, read, root, whalecurve, without_stages};

/// Sums of the holdout are published at parameters rounded to three or four digits, a run has the fitted ones.
const ROUNDED_PARAMETERS: f64 = 1e-3;

/// All of the sample, 39 weeks of calibration and 39 of holdout.
fn sample(forecast: &str) -> Job {
    let config = format!(
        "\
version: 1
name: CDNOW
currency: USD
as_of: 1998-06-30
inputs:
  transactions: {{path: transactions.parquet, columns: {{customer_id: customer_id, date: date, amount: amount}}}}
{forecast}"
    );
    let job = Job::new(&config);
    fs::copy(root().join("datasets/cdnow/transactions.parquet"), job.path("transactions.parquet")).unwrap();
    job
}

fn validate(job: &Job, more: &[&str]) -> std::process::Output {
    let (config, output) = (job.path("whalecurve.yaml"), job.path("validation"));
    let mut arguments = vec!["validate", config.to_str().unwrap(), "--output", output.to_str().unwrap()];
    arguments.extend(more);
    whalecurve(&arguments)
}

fn column<T>(batches: &[RecordBatch], name: &str, of: impl Fn(&dyn Array, usize) -> T) -> Vec<T> {
    let rows = |batch: &RecordBatch| {
        let array = batch.column_by_name(name).unwrap().clone();
        (0..array.len()).map(|row| of(&*array, row)).collect::<Vec<_>>()
    };
    batches.iter().flat_map(rows).collect()
}

fn text(array: &dyn Array, row: usize) -> String {
    array.as_any().downcast_ref::<StringArray>().unwrap().value(row).to_owned()
}

fn float(array: &dyn Array, row: usize) -> Option<f64> {
    let array = array.as_any().downcast_ref::<Float64Array>().unwrap();
    array.is_valid(row).then(|| array.value(row))
}

fn integer(array: &dyn Array, row: usize) -> i64 {
    array.as_any().downcast_ref::<Int64Array>().unwrap().value(row)
}

#[test]
fn the_holdout_of_cdnow_has_the_published_sums_and_the_models_beat_the_baselines() {
    let job = sample("forecast: {horizon: 39w}\n");
    let done = validate(&job, &["--holdout", "39w"]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    assert!(told.contains("purchases in the 273 days after 1997-09-30"), "{told}");

    let scores = read(&job.path("validation"), "validation_score");
    let methods = column(&scores, "method", text);
    let expected = column(&scores, "expected_purchases", float);
    assert!(column(&scores, "actual_purchases", integer).iter().all(|actual| *actual == 1_882));
    assert!(column(&scores, "customers", integer).iter().all(|customers| *customers == 2_357));
    // REFERENCE: sums over the sample at the published parameters.
    for (method, published) in
        [("bg_nbd", 1_653.941_26), ("mbg_nbd", 1_577.128_80), ("pareto_nbd", 1_665.376_07), ("bg_cnbd_k", 1_653.941_26)]
    {
        let row = methods.iter().position(|name| name == method).unwrap();
        let found = expected[row].unwrap();
        assert!((found / published - 1.0).abs() < ROUNDED_PARAMETERS, "{method}: {found}");
    }
    let crps: Vec<f64> = column(&scores, "crps", float).into_iter().flatten().collect();
    let kinds = column(&scores, "kind", text);
    let worst_model = crps.iter().zip(&kinds).filter(|row| row.1 == "model").map(|row| *row.0).fold(0.0, f64::max);
    let best_baseline =
        crps.iter().zip(&kinds).filter(|row| row.1 == "baseline").map(|row| *row.0).fold(f64::INFINITY, f64::min);
    assert!(worst_model < best_baseline, "{worst_model} {best_baseline}");

    // The last week of the tracking is the holdout.
    let tracking = read(&job.path("validation"), "validation_tracking");
    let weeks = column(&tracking, "week", integer);
    let last: Vec<usize> = (0..weeks.len()).filter(|row| weeks[*row] == 39).collect();
    assert_eq!(last.len(), methods.len());
    let (actual, sums) =
        (column(&tracking, "actual_purchases", integer), column(&tracking, "expected_purchases", float));
    for (row, expected) in last.iter().zip(&expected) {
        assert_eq!(actual[*row], 1_882);
        assert!((sums[*row].unwrap() - expected.unwrap()).abs() < 1e-8);
    }
    let by_frequency = read(&job.path("validation"), "validation_frequency");
    assert_eq!(column(&by_frequency, "customers", integer).iter().sum::<i64>(), 2_357 * methods.len() as i64);
    let shares = column(&read(&job.path("validation"), "validation_pit"), "share", float);
    assert!((shares.iter().flatten().sum::<f64>() - 5.0).abs() < 1e-9, "five models");
}

#[test]
fn a_validation_has_the_same_bytes_on_one_and_eight_threads_and_a_bad_holdout_is_told() {
    let job = sample("forecast: {horizon: 39w}\n");
    let outputs = |threads: &str| {
        assert!(validate(&job, &["--holdout", "26 weeks", "--threads", threads]).status.success());
        let manifest = fs::read_to_string(job.path("validation/run_manifest.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&manifest).unwrap()["outputs"].clone()
    };
    assert_eq!(outputs("1"), outputs("8"));
    let told = |holdout: &str| {
        let done = validate(&job, &["--holdout", holdout]);
        (done.status.code(), without_stages(&String::from_utf8(done.stderr).unwrap()))
    };
    let (code, message) = told("39");
    assert_eq!(code, Some(2));
    assert!(message.starts_with("error: --holdout is `39`, expected a length of time"), "{message}");
    let (code, message) = told("2 years");
    assert_eq!(code, Some(1));
    assert!(message.contains("error: forecast: no customer has a purchase before the holdout"), "{message}");
}

#[test]
fn model_auto_takes_the_model_with_the_best_score_and_says_why() {
    let job = sample("forecast: {horizon: 39w, model: auto, holdout: 39w, paths: 50}\n");
    let manifest = job.run(&[]);
    assert_eq!(manifest["model_choice"]["model"], "mbg_nbd");
    assert_eq!(manifest["model_choice"]["holdout_days"], 273);
    let why = manifest["model_choice"]["why"].as_str().unwrap();
    assert!(why.starts_with("model auto chose mbg_nbd: scored by CRPS"), "{why}");
    assert_eq!(manifest["fits"]["mbg_nbd"]["customers"], 2_357);
    let rows = read(&job.path("out"), "model_comparison");
    let (methods, chosen) = (column(&rows, "method", text), column(&rows, "chosen", integer));
    assert_eq!(methods, ["bg_nbd", "mbg_nbd", "pareto_nbd", "bg_cnbd_k", "mbg_cnbd_k"]);
    assert_eq!(chosen, [0, 1, 0, 0, 0]);
    let crps: Vec<f64> = column(&rows, "crps", float).into_iter().flatten().collect();
    assert!(crps.iter().all(|score| *score >= crps[1] - 1e-6), "{crps:?}");
    let told = String::from_utf8(job.try_run(&[]).stderr).unwrap();
    assert!(told.contains("note: model auto chose mbg_nbd"), "{told}");
    let digest = |threads: &str| job.run(&["--threads", threads])["result_digest"].as_str().unwrap().to_owned();
    assert_eq!(digest("1"), digest("8"));
}

#[test]
fn a_named_model_is_compared_with_nothing() {
    let job = sample("forecast: {horizon: 39w, model: pareto_nbd, paths: 0}\n");
    let manifest = job.run(&[]);
    assert!(manifest["model_choice"].is_null());
    let rows = read(&job.path("out"), "model_comparison");
    assert_eq!(column(&rows, "method", text), ["pareto_nbd"]);
    assert_eq!(column(&rows, "crps", float), [None]);
    assert_eq!(column(&rows, "chosen", integer), [1]);
}

#[test]
fn uncertain_parameters_widen_the_equity_and_leave_its_centre() {
    let run = |uncertain: bool| {
        let job = sample(&format!("forecast: {{horizon: 39w, parameter_uncertainty: {uncertain}}}\n"));
        job.run(&[]);
        let cents = |column: &str| decimals(&job.path("out"), "customer_equity", column)[0] as f64;
        (cents("equity_mean"), cents("equity_sd"), cents("equity_p95") - cents("equity_p05"))
    };
    let (certain, uncertain) = (run(false), run(true));
    assert!(uncertain.1 > 1.08 * certain.1 && uncertain.2 > 1.08 * certain.2, "{certain:?} {uncertain:?}");
    // A hundred draws of the parameters, so that the mean has a tenth of the standard deviation as its error.
    assert!((uncertain.0 - certain.0).abs() < 0.4 * uncertain.1, "{certain:?} {uncertain:?}");
}

#[test]
fn a_saved_model_projects_what_its_fit_would_have() {
    let job = sample("forecast: {horizon: 39w, model: auto, paths: 50}\n");
    let whole = job.run(&[]);
    let (config, model) = (job.path("whalecurve.yaml"), job.path("model.json"));
    let (config, model) = (config.to_str().unwrap(), model.to_str().unwrap());
    let done = whalecurve(&["fit", config, "--model", model]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let line: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&line["kind"], &line["as_of"]), (&whole["model_choice"]["model"], &"1998-06-30".into()));

    let projected = job.path("projected");
    let arguments = ["project", config, "--model", model, "--output", projected.to_str().unwrap()];
    let done = whalecurve(&arguments);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{told}");
    assert!(told.contains("note: MBG/NBD was fitted to 2357 customers as of 1998-06-30"), "{told}");
    for column in ["equity_mean", "equity_sd", "expected_value"] {
        let of = |folder: &str| decimals(&job.path(folder), "customer_equity", column);
        assert_eq!(of("projected"), of("out"), "{column}");
    }

    let text = fs::read_to_string(model).unwrap();
    fs::write(model, text.replace("\"version\": 1", "\"version\": 7")).unwrap();
    let done = whalecurve(&arguments);
    assert_eq!(done.status.code(), Some(2));
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(told.contains("its version is 7, this program reads versions 1 and 2"), "{told}");
    fs::write(model, text.replace("\"days_per_unit\": 7.0", "\"days_per_unit\": 1.0")).unwrap();
    let told = String::from_utf8(whalecurve(&arguments).stderr).unwrap();
    assert!(told.contains("its time unit has 1 days, that of the config 7"), "{told}");
}
