//! Every model of purchases and dropout on the CDNOW sample, through the binary.

use std::fs;

use arrow_array::{Array, Float64Array, Int64Array};
use whalecurve::forecast::{bg_nbd::BgNbd, mbg_nbd::MbgNbd, pareto_nbd::ParetoNbd, purchase_model::PurchaseModel};

use crate::support::{Job, decimals, read, root};

/// Weeks of the holdout, and the horizon of the sample's config.
const HORIZON: f64 = 39.0;
/// Log-likelihoods are published with ten digits.
const HALF_A_DIGIT: f64 = 5e-7;
/// Sums of the holdout are published at parameters rounded to three or four digits, a run has the fitted ones.
const ROUNDED_PARAMETERS: f64 = 1e-3;
/// A prediction of the whole base and those of its single histories share no sums: they agree to rounding.
const ROUNDING: f64 = 1e-9;
/// A mean of many paths leaves this many standard errors once in 16,000 times.
const STANDARD_ERRORS: f64 = 4.0;

/// The sample with another model.
fn sample(model: &str) -> Job {
    let config = fs::read_to_string(root().join("datasets/cdnow/whalecurve.yaml")).unwrap();
    assert!(config.contains("model: bg_nbd"));
    let job = Job::new(&config.replace("model: bg_nbd", &format!("model: {model}")));
    fs::copy(root().join("datasets/cdnow/transactions.parquet"), job.path("transactions.parquet")).unwrap();
    job
}

fn floats(job: &Job, column: &str) -> Vec<f64> {
    let values = |batch: &arrow_array::RecordBatch| {
        let array = batch.column_by_name(column).unwrap();
        let floats = array.as_any().downcast_ref::<Float64Array>().map(|array| array.values().to_vec());
        let counts =
            || array.as_any().downcast_ref::<Int64Array>().unwrap().values().iter().map(|n| *n as f64).collect();
        assert_eq!(array.null_count(), 0);
        floats.unwrap_or_else(counts)
    };
    read(&job.path("out"), "customer_value").iter().flat_map(values).collect()
}

fn model(name: &str, fit: &serde_json::Value) -> PurchaseModel {
    let value = |parameter: &str| fit["parameters"][parameter].as_f64().unwrap();
    let (r, alpha) = (value("r"), value("alpha"));
    match name {
        "bg_nbd" => BgNbd { r, alpha, a: value("a"), b: value("b") }.into(),
        "mbg_nbd" => MbgNbd { r, alpha, a: value("a"), b: value("b") }.into(),
        _ => ParetoNbd { r, alpha, s: value("s"), beta: value("beta") }.into(),
    }
}

#[test]
fn each_model_has_its_published_likelihood_and_holdout_sum() {
    // REFERENCE: Fader, Hardie & Lee 2005; Fader & Hardie 2005 and 2013; Batislam et al. 2007, on this sample.
    for (name, log_likelihood, holdout) in [
        ("bg_nbd", -9_582.429_207, 1_653.941_26),
        ("mbg_nbd", -9_582.135_716, 1_577.128_80),
        ("pareto_nbd", -9_594.976_179, 1_665.376_07),
    ] {
        let job = sample(name);
        let manifest = job.run(&[]);
        let fits = manifest["fits"].as_object().unwrap();
        assert_eq!(
            fits.keys().collect::<Vec<_>>(),
            if name < "gamma" { [name, "gamma_gamma"] } else { ["gamma_gamma", name] }
        );
        let found = fits[name]["log_likelihood"].as_f64().unwrap();
        assert!((found - log_likelihood).abs() < HALF_A_DIGIT, "{name}: {found}");
        assert_eq!(fits[name]["end"]["how"], "converged");

        let sum: f64 = floats(&job, "expected_purchases").iter().sum();
        assert!((sum / holdout - 1.0).abs() < ROUNDED_PARAMETERS, "{name}: {sum}");
        let model = model(name, &fits[name]);
        let histories = floats(&job, "frequency").into_iter().zip(floats(&job, "recency")).zip(floats(&job, "age"));
        let purchases = histories.map(|((x, t_x), age)| model.expected_purchases(x, t_x, age, HORIZON).unwrap());
        let one_by_one: f64 = purchases.sum();
        assert!((sum / one_by_one - 1.0).abs() < ROUNDING, "{name}: {sum} {one_by_one}");
    }
}

#[test]
fn each_models_simulated_equity_agrees_with_its_closed_form() {
    for name in ["bg_nbd", "mbg_nbd", "pareto_nbd"] {
        let job = sample(name);
        job.run(&[]);
        let cents = |column: &str| decimals(&job.path("out"), "customer_equity", column)[0] as f64;
        let error = cents("equity_sd") / f64::sqrt(1_000.0);
        let gap = cents("equity_mean") - cents("expected_value");
        assert!(gap.abs() < STANDARD_ERRORS * error, "{name}: {gap} {error}");
        // The worst 5 % begin at the quantile, of the base, of every segment and of every customer.
        for (dataset, value) in
            [("customer_equity", "equity"), ("segment_value", "lifetime_value"), ("customer_value", "lifetime_value")]
        {
            let column = |of: &str| decimals(&job.path("out"), dataset, &format!("{value}_{of}"));
            let (worst, begin) = (column("shortfall"), column("p05"));
            assert!(!worst.is_empty() && worst.len() == begin.len(), "{name} {dataset}");
            assert!(worst.iter().zip(&begin).all(|(worst, begin)| worst <= begin), "{name} {dataset}");
            assert!(worst != begin, "{name} {dataset}");
        }
    }
}

#[test]
fn each_model_gives_the_same_bytes_on_one_two_and_eight_threads() {
    for name in ["mbg_nbd", "pareto_nbd"] {
        let job = sample(name);
        let digest = |threads: &str| job.run(&["--threads", threads])["result_digest"].as_str().unwrap().to_owned();
        let one = digest("1");
        assert_eq!(digest("2"), one, "{name}");
        assert_eq!(digest("8"), one, "{name}");
    }
}

#[test]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
fn only_bg_nbd_takes_every_one_time_buyer_for_alive() {
    for (name, certain) in [("bg_nbd", true), ("mbg_nbd", false), ("pareto_nbd", false)] {
        let job = sample(name);
        let manifest = job.run(&[]);
        let rows: Vec<(f64, f64)> = floats(&job, "frequency").into_iter().zip(floats(&job, "p_alive")).collect();
        assert!(rows.iter().filter(|row| row.0 == 0.0).all(|row| (row.1 == 1.0) == certain), "{name}");
        let notes = manifest["fits"][name]["notes"].as_array().unwrap();
        assert_eq!(notes.iter().any(|note| note.as_str().unwrap().contains("bought once")), certain, "{name}");
    }
}
