//! What a forecast tells of every customer beside its value: quantiles as asked, survival, the next purchase.

use std::fs;

use whalecurve::forecast::{bg_nbd::BgNbd, mbg_nbd::MbgNbd, pareto_nbd::ParetoNbd, purchase_model::PurchaseModel};
use whalecurve::numeric::discounting::Periods;

use crate::support::{Job, decimals, read, root, whalecurve};

/// Weeks of the sample's forecast.
const HORIZON: f64 = 39.0;
/// Predictions of the whole base and of its single histories agree to rounding.
const ROUNDING: f64 = 1e-9;

/// The sample with some words of its forecast changed.
fn sample(changes: &[(&str, &str)]) -> Job {
    let mut config = fs::read_to_string(root().join("datasets/cdnow/whalecurve.yaml")).unwrap();
    for (from, to) in changes {
        assert!(config.contains(from), "{from}");
        config = config.replace(from, to);
    }
    let job = Job::new(&config);
    fs::copy(root().join("datasets/cdnow/transactions.parquet"), job.path("transactions.parquet")).unwrap();
    job
}

fn columns(job: &Job, dataset: &str) -> Vec<String> {
    let batches = read(&job.path("out"), dataset);
    batches[0].schema().fields().iter().map(|field| field.name().clone()).collect()
}

/// The columns of a dataset as `whalecurve schema` prints them.
fn documented(printed: &str, dataset: &str) -> Vec<String> {
    let section = printed.split(&format!("## {dataset}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| column"));
    rows.map(|line| line.split('|').nth(1).unwrap().trim().to_owned()).collect()
}

#[test]
fn quantiles_are_those_that_were_asked_for_in_every_dataset_and_in_the_schema() {
    let asked = [("paths: 1000", "paths: 1000\n  quantiles: [0.975, 0.001, 0.5]")];
    for (changes, suffixes) in
        [(&asked[..], &["p00_1", "p50", "p97_5"][..]), (&[], &["p05", "p25", "p50", "p75", "p95"])]
    {
        let job = sample(changes);
        job.run(&[]);
        let config = job.path("whalecurve.yaml");
        let named = whalecurve(&["schema", config.to_str().unwrap()]);
        let printed = String::from_utf8(named.stdout).unwrap();
        for (dataset, value) in
            [("customer_value", "lifetime_value"), ("segment_value", "lifetime_value"), ("customer_equity", "equity")]
        {
            let found = columns(&job, dataset);
            let quantiles: Vec<&String> = found.iter().filter(|name| name.starts_with(&format!("{value}_p"))).collect();
            let expected: Vec<String> = suffixes.iter().map(|suffix| format!("{value}_{suffix}")).collect();
            assert_eq!(quantiles, expected.iter().collect::<Vec<_>>(), "{dataset}");
            assert_eq!(documented(&printed, dataset), found, "{dataset}");
            let by_quantile: Vec<Vec<i128>> =
                expected.iter().map(|column| decimals(&job.path("out"), dataset, column)).collect();
            assert!(by_quantile.iter().all(|values| !values.is_empty()));
            for pair in by_quantile.windows(2) {
                assert!(pair[0].iter().zip(&pair[1]).all(|(low, high)| low <= high), "{dataset}");
                assert!(pair[0] != pair[1], "{dataset}");
            }
        }
        if changes.is_empty() {
            let plain = String::from_utf8(whalecurve(&["schema"]).stdout).unwrap();
            assert_eq!(plain, printed);
            assert!(
                plain.contains("| lifetime_value_p50 | DECIMAL(18, e) | yes | median of the simulated lifetime value")
            );
        }
    }
    let job = sample(&[("paths: 1000", "paths: 1000\n  quantiles: [0.975, 0.001, 0.5]")]);
    let told = String::from_utf8(job.try_run(&[]).stderr).unwrap();
    assert!(told.contains(", 97.4 % between "), "{told}");
}

#[test]
fn a_median_does_not_depend_on_which_other_quantiles_are_told() {
    let (few, many) = (sample(&[("paths: 1000", "paths: 1000\n  quantiles: 0.5")]), sample(&[]));
    few.run(&[]);
    many.run(&[]);
    for (dataset, column) in [("customer_value", "lifetime_value_p50"), ("customer_equity", "equity_p50")] {
        let median = |job: &Job| decimals(&job.path("out"), dataset, column);
        assert!(!median(&few).is_empty());
        assert_eq!(median(&few), median(&many), "{dataset}");
    }
}

#[test]
fn survival_and_the_next_purchase_are_those_of_the_fitted_model() {
    for name in ["mbg_nbd", "pareto_nbd"] {
        let job = sample(&[("model: bg_nbd", &format!("model: {name}"))]);
        let manifest = job.run(&[]);
        let value = |parameter: &str| manifest["fits"][name]["parameters"][parameter].as_f64().unwrap();
        let (r, alpha) = (value("r"), value("alpha"));
        let model = if name == "mbg_nbd" {
            PurchaseModel::from(MbgNbd { r, alpha, a: value("a"), b: value("b") })
        } else {
            ParetoNbd { r, alpha, s: value("s"), beta: value("beta") }.into()
        };
        let all = |column: &str| job.optional_floats("customer_value", column);
        let delta = 1.1_f64.ln() * 7.0 / 365.25;
        let columns = [
            all("recency"),
            all("age"),
            all("p_alive_at_horizon"),
            all("probability_of_purchase"),
            all("days_to_next_purchase_p50"),
            all("expected_discounted_purchases"),
            all("expected_discounted_purchases_for_ever"),
        ];
        let mut waits = 0;
        for (row, x) in job.whole_numbers("customer_value", "frequency").into_iter().enumerate() {
            let [t_x, age, later, buys, wait, discounted, for_ever] =
                [0, 1, 2, 3, 4, 5, 6].map(|column| columns[column][row]);
            let (x, t_x, age) = (x.unwrap() as f64, t_x.unwrap(), age.unwrap());
            let p_alive = model.p_alive(x, t_x, age);
            let next = model.next_purchase(x, t_x, age, 36_525.0 / 7.0);
            assert!(
                (later.unwrap() - model.p_alive_at(x, t_x, age, HORIZON).unwrap()).abs() < ROUNDING,
                "{name} {row}"
            );
            assert!((buys.unwrap() - p_alive * next.probability_by(HORIZON)).abs() < ROUNDING, "{name} {row}");
            let expected = p_alive * model.residual(x, t_x, age, HORIZON, delta).unwrap().discounted_purchases;
            assert!((discounted.unwrap() - expected).abs() < ROUNDING * expected.max(1.0), "{name} {row}");
            let expected = model.discounted_purchases_for_ever(x, t_x, age, delta).unwrap();
            assert!((for_ever.unwrap() - expected).abs() < ROUNDING * expected.max(1.0), "{name} {row}");
            match wait {
                Some(days) => {
                    assert!((p_alive * next.probability_by(days / 7.0) - 0.5).abs() < ROUNDING, "{name} {row}");
                }
                None => assert!(p_alive * next.probability_by(36_525.0 / 7.0) < 0.5 + ROUNDING, "{name} {row}"),
            }
            waits += usize::from(wait.is_some());
        }
        assert!(waits > 100 && waits < 2_000, "{name}: {waits}");
    }
}

#[test]
fn normal_spend_discounting_and_simulated_waits_reach_the_results() {
    let cents = |job: &Job, column: &str| decimals(&job.path("out"), "customer_equity", column)[0] as f64;
    let plain = sample(&[]);
    plain.run(&[]);
    // A year is one period that ends after the horizon: everything is worth 1/1.1, which is less than when it happens.
    let yearly = sample(&[("paths: 1000", "paths: 1000\n  discounting: per_year")]);
    let fits = yearly.run(&[])["fits"]["bg_nbd"]["parameters"].clone();
    let [r, alpha, a, b] = ["r", "alpha", "a", "b"].map(|name| fits[name].as_f64().unwrap());
    let (model, year) = (PurchaseModel::from(BgNbd { r, alpha, a, b }), 365.25 / 7.0);
    let periods = Periods { length: year, delta: 1.1_f64.ln() / year };
    let of = |column: &str| yearly.optional_floats("customer_value", column);
    let (recency, age, for_ever) = (of("recency"), of("age"), of("expected_discounted_purchases_for_ever"));
    for (row, x) in yearly.whole_numbers("customer_value", "frequency").into_iter().enumerate() {
        let (x, t_x, age) = (x.unwrap() as f64, recency[row].unwrap(), age[row].unwrap());
        let expected = model.p_alive(x, t_x, age) * model.residual_for_ever_per_period(x, t_x, age, periods).unwrap();
        assert!((for_ever[row].unwrap() - expected).abs() < ROUNDING * expected.max(1.0), "{row}");
    }
    let undiscounted = sample(&[("discount_rate_per_year: 0.10", "discount_rate_per_year: 0")]);
    undiscounted.run(&[]);
    let ratio = cents(&yearly, "expected_value") / cents(&undiscounted, "expected_value");
    // Values are rounded to the cent, and alike for the many customers who are alike in all: here by 0.01 cents a customer.
    assert!((ratio * 1.1 - 1.0).abs() < 1e-4, "{ratio}");
    assert!(cents(&yearly, "expected_value") < cents(&plain, "expected_value"));
    // Normal spend has its own fit, under its own name, also with drawn parameters.
    let normal = sample(&[
        ("spend: gamma_gamma", "spend: normal"),
        ("paths: 1000", "paths: 1000\n  next_purchase: simulated\n  parameter_uncertainty: true"),
    ]);
    let manifest = normal.run(&[]);
    let fit = &manifest["fits"]["normal"];
    // scipy, as in the kernel's test.
    assert!((fit["parameters"]["mean"].as_f64().unwrap() / 36.556_449_42 - 1.0).abs() < 1e-6, "{fit}");
    assert!((fit["log_likelihood"].as_f64().unwrap() + 12_872.888_305_37).abs() < 1e-5);
    for job in [&plain, &yearly, &normal] {
        let gap = cents(job, "equity_mean") - cents(job, "expected_value");
        let (error, sd) = (cents(job, "equity_mean_error"), cents(job, "equity_sd"));
        assert!(error > 0.02 * sd && error < 0.11 * sd, "{error} {sd}");
        assert!(gap.abs() < 4.0 * error, "{gap} {error}");
    }
    // A thousand independent paths; of a hundred draws of the parameters the means are what is independent.
    assert!((cents(&plain, "equity_mean_error") / cents(&plain, "equity_sd") * f64::sqrt(1_000.0) - 1.0).abs() < 0.01);
    assert!(cents(&normal, "equity_mean_error") > 0.05 * cents(&normal, "equity_sd"));
    let errors = decimals(&plain.path("out"), "customer_value", "lifetime_value_mean_error");
    assert!(errors.len() == 2_357 && errors.iter().all(|error| *error >= 0) && errors.iter().any(|error| *error > 0));
    // The paths see a purchase about as often as the closed form does, and none farther ahead than the horizon.
    let (closed, paths) = (
        plain.optional_floats("customer_value", "probability_of_purchase"),
        normal.optional_floats("customer_value", "probability_of_purchase"),
    );
    let mean = |values: &[Option<f64>]| values.iter().map(|value| value.unwrap()).sum::<f64>() / values.len() as f64;
    assert!((mean(&closed) / mean(&paths) - 1.0).abs() < 0.03, "{} {}", mean(&closed), mean(&paths));
    let longest = |job: &Job| {
        job.optional_floats("customer_value", "days_to_next_purchase_p50").into_iter().flatten().fold(0.0, f64::max)
    };
    assert!(longest(&normal) <= 273.0 && longest(&plain) > 1_000.0);
}

#[test]
fn a_saved_normal_spend_is_applied_without_a_fit() {
    let job = sample(&[("spend: gamma_gamma", "spend: normal")]);
    let fitted = job.run(&[]);
    let model = job.path("model.json");
    let done = job.command("fit", &["--model", model.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let again = job.path("again");
    let done = job.command("project", &["--model", model.to_str().unwrap(), "--output", again.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(again.join("run_manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["result_digest"], fitted["result_digest"]);
    // The fits are those of the file, and what was said of them was said when they were made.
    let mut expected = fitted["fits"].clone();
    for fit in expected.as_object_mut().unwrap().values_mut() {
        for note in fit["notes"].as_array_mut().unwrap() {
            *note = format!("when fitted: {}", note.as_str().unwrap()).into();
        }
    }
    assert_eq!(manifest["fits"], expected);
    assert_eq!(
        decimals(&again, "customer_equity", "equity_mean"),
        decimals(&job.path("out"), "customer_equity", "equity_mean")
    );
}
