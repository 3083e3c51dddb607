//! `validate`, `fit` and `project` of models of contracts and of purchases at opportunities, through the binary.

use std::fs;

use arrow_array::{Array, Date32Array, Float64Array, RecordBatch};
use insta::assert_snapshot;
use whalecurve::{
    forecast::{beta_geometric::ShiftedBetaGeometric, bg_bb::BgBb},
    schema::period::parse_day,
};

use crate::{
    contracts::cohort_of,
    opportunities::{SMALL, donors},
    support::{Job, decimals, read, whalecurve},
};

/// REFERENCE: Fader & Hardie 2007, regular customers of 1,000: seven years of calibration, five of holdout.
const SURVIVORS: [usize; 13] = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173];
/// Their published fit to the first seven years.
const PUBLISHED: ShiftedBetaGeometric = ShiftedBetaGeometric { alpha: 0.704_077_298_5, beta: 1.182_043_026 };
/// What follows from parameters with ten digits.
const TEN_DIGITS: f64 = 1e-8;

fn validate(job: &Job, holdout: &str) -> (serde_json::Value, String) {
    let output = job.path("validation");
    let done = job.command("validate", &["--holdout", holdout, "--output", output.to_str().unwrap()]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let checked = whalecurve(&["verify", output.to_str().unwrap()]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    (serde_json::from_slice(&done.stdout).unwrap(), told)
}

struct Scores(Vec<RecordBatch>);

impl Scores {
    fn of(job: &Job, dataset: &str) -> Self {
        Self(read(&job.path("validation"), dataset))
    }

    fn column<A: Array + 'static, T>(&self, name: &str, of: impl Fn(&A, usize) -> T) -> Vec<T> {
        let rows = |batch: &RecordBatch| {
            let array = batch.column_by_name(name).unwrap().as_any().downcast_ref::<A>().unwrap();
            (0..array.len()).map(|row| of(array, row)).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(rows).collect()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        self.column(name, |array: &arrow_array::StringArray, row| array.value(row).to_owned())
    }

    fn floats(&self, name: &str) -> Vec<f64> {
        self.column(name, |array: &Float64Array, row| if array.is_null(row) { f64::NAN } else { array.value(row) })
    }

    fn integers(&self, name: &str) -> Vec<i64> {
        self.column(name, |array: &arrow_array::Int64Array, row| array.value(row))
    }

    /// One method's value.
    fn of_method(&self, column: &str, method: &str) -> f64 {
        self.floats(column)[self.texts("method").iter().position(|name| name == method).unwrap()]
    }
}

fn close(found: f64, expected: f64) {
    assert!((found / expected - 1.0).abs() < TEN_DIGITS, "{found} is not {expected}");
}

#[test]
fn the_published_cohort_is_fitted_up_to_the_cut_and_foretold_as_published() {
    let job = cohort_of(&SURVIVORS, "beta_geometric", "");
    let (line, told) = validate(&job, "5y");
    assert_eq!((line["cut"].as_str(), line["as_of"].as_str()), (Some("2006-12-31"), Some("2011-12-31")));
    assert!(told.contains("241 customers, 173 of them stayed"), "{told}");
    let scores = Scores::of(&job, "validation_contract_score");
    let methods = scores.texts("method");
    let models = ["beta_geometric", "beta_weibull", "exponential_gamma", "weibull_gamma"];
    let baselines = ["last_period", "mean_of_past", "retention_formula"];
    assert_eq!(methods, [&models[..], &baselines[..]].concat());
    close(scores.of_method("log_likelihood", "beta_geometric"), -1_680.265_188);
    close(scores.of_method("log_likelihood", "beta_weibull"), -1_679.602_833);
    assert!(scores.integers("customers").iter().all(|customers| *customers == 241));
    assert!(scores.integers("actual_customers").iter().all(|customers| *customers == 173));
    // Those who are there at the cut have made the renewal of the day after; then four more came up.
    assert!(scores.integers("actual_renewals").iter().all(|renewals| *renewals == 241 + 223 + 207 + 194 + 183));

    let stays = PUBLISHED.survival_after(7, 5);
    close(scores.of_method("expected_customers", "beta_geometric"), 241.0 * stays);
    let renewals: f64 = (0..5).map(|year| 241.0 * PUBLISHED.survival_after(7, year)).sum();
    close(scores.of_method("expected_renewals", "beta_geometric"), renewals);
    let (kept, gone) = (173.0 / 241.0, 68.0 / 241.0);
    close(scores.of_method("brier", "beta_geometric"), kept * (1.0 - stays).powi(2) + gone * stays * stays);
    close(scores.of_method("log_score", "beta_geometric"), -kept * stays.ln() - gone * (1.0 - stays).ln());
    // Of 326 who were there five years before the cut … 241 stayed: Kaplan–Meier by hand.
    close(scores.of_method("expected_customers", "last_period"), 241.0 * 241.0 / 468.0);
    close(
        scores.of_method("expected_customers", "retention_formula"),
        241.0 * (241.0_f64 / 262.0).powf(1_826.0 / 365.0),
    );
    // Heterogeneity is what the baselines lack: they lose more than those who are left lose. All leave at the end of a year,
    // which models of continuous time cannot know.
    let crps = scores.floats("crps");
    assert!(crps[..2].iter().all(|model| crps[2..].iter().all(|other| model < other)), "{crps:?}");
    let best = methods[scores.integers("chosen").iter().position(|chosen| *chosen == 1).unwrap()].clone();
    assert_eq!(line["best"], best);

    let tracking = Scores::of(&job, "validation_contract_tracking");
    assert_eq!(tracking.integers("actual_customers")[..5], [223, 207, 194, 183, 173]);
    let last: Vec<i32> = tracking.column("day", |array: &Date32Array, row| array.value(row));
    assert_eq!(last[4], parse_day("2011-12-31").unwrap());
    for year in 1..=5 {
        close(tracking.floats("expected_customers")[year - 1], 241.0 * PUBLISHED.survival_after(7, year as u32));
    }
    let tenure = Scores::of(&job, "validation_contract_tenure");
    assert!(tenure.integers("tenure").iter().all(|years| *years == 7));
    close(tenure.floats("expected_share")[0], stays);
    close(tenure.floats("actual_share")[0], kept);
}

#[test]
fn a_holdout_without_contracts_before_it_is_refused() {
    let job = cohort_of(&SURVIVORS, "weibull_gamma", "");
    let told = job.command("validate", &["--holdout", "13y"]);
    assert_eq!(told.status.code(), Some(1));
    assert_snapshot!(job.without_folder(&told.stderr).lines().filter(|line| line.starts_with("error")).collect::<String>(), @"error: forecast: no customer was under contract on the day before the holdout; make it shorter");
}

#[test]
fn donors_are_foretold_by_opportunities() {
    let (job, histories) = donors(&SMALL, "5y");
    let (line, told) = validate(&job, "2y");
    assert_eq!(line["cut"].as_str(), Some("1999-12-31"));
    assert!(told.contains("purchases in the 2 years after 1999-12-31"), "{told}");
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(job.path("validation/run_manifest.json")).unwrap()).unwrap();
    let value = |name: &str| manifest["fits"]["bg_bb"]["parameters"][name].as_f64().unwrap();
    let model = BgBb { alpha: value("alpha"), beta: value("beta"), gamma: value("gamma"), delta: value("delta") };
    // What `donors` made of each history: gifts in the years 1, 2, … and in the last one of all.
    let (mut expected, mut actual, mut score) = (0.0, 0, 0.0);
    for history in &histories {
        let years: Vec<u32> =
            (1..history.frequency).chain((history.frequency > 0).then_some(history.recency)).collect();
        let before: Vec<u32> = years.iter().copied().filter(|year| *year <= 4).collect();
        let (x, t_x) = (before.len() as u32, before.last().copied().unwrap_or(0));
        let gave = years.len() as u32 - x;
        expected += model.expected_purchases(x, t_x, 4, 2);
        actual += i64::from(gave);
        score -= model.probability_of_purchases(x, t_x, 4, 2, gave).ln();
    }
    let scores = Scores::of(&job, "validation_score");
    assert_eq!(scores.texts("method"), ["bg_bb", "last_period", "mean_of_past", "retention_formula"]);
    close(scores.of_method("expected_purchases", "bg_bb"), expected);
    close(scores.of_method("log_score", "bg_bb"), score / histories.len() as f64);
    assert!(scores.integers("actual_purchases").iter().all(|found| *found == actual));
    let tracking = Scores::of(&job, "validation_tracking");
    assert_eq!(tracking.integers("week")[..2], [1, 2]);
    close(tracking.floats("expected_purchases")[1], expected);
    let told = job.command("validate", &["--holdout", "100d"]);
    assert!(String::from_utf8(told.stderr).unwrap().contains("a holdout of 100 days holds no opportunity to buy"));
}

#[test]
fn saved_models_of_contracts_and_opportunities_give_what_their_fit_gave() {
    let jobs = ["beta_geometric", "beta_weibull", "exponential_gamma", "weibull_gamma"]
        .map(|model| (model, cohort_of(&SURVIVORS, model, ", parameter_uncertainty: true")));
    for (model, job) in jobs.into_iter().chain([("bg_bb", donors(&SMALL, "5y").0)]) {
        job.run(&[]);
        let (file, again) = (job.path("model.json"), job.path("again"));
        let done = job.command("fit", &["--model", file.to_str().unwrap()]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let line: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(line["kind"], model);
        let done = job.command("project", &["--model", file.to_str().unwrap(), "--output", again.to_str().unwrap()]);
        let told = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{told}");
        assert!(told.contains("and applied without a fit to these"), "{told}");
        for column in ["expected_value", "lifetime_value_mean", "lifetime_value_p05"] {
            let value = |output: &std::path::Path| decimals(output, "customer_value", column);
            assert_eq!(value(&job.path("out")), value(&again), "{model} {column}");
        }
        // Other parameters reach the results.
        let text = fs::read_to_string(&file).unwrap();
        let mut other: serde_json::Value = serde_json::from_str(&text).unwrap();
        let key = if model == "bg_bb" { "opportunities" } else { "contracts" };
        let name = if model.ends_with("_gamma") { "r" } else { "alpha" };
        let fitted = other[key]["parameters"][name].as_f64().unwrap();
        other[key]["parameters"][name] = (2.0 * fitted).into();
        fs::write(&file, other.to_string()).unwrap();
        let done = job.command("project", &["--model", file.to_str().unwrap(), "--output", again.to_str().unwrap()]);
        assert!(done.status.success());
        let value = |output: &std::path::Path| decimals(output, "customer_value", "expected_value");
        assert_ne!(value(&job.path("out")), value(&again), "{model}");
        other[key]["parameters"]["alpha"] = (-1.0).into();
        fs::write(&file, other.to_string()).unwrap();
        let refused = job.command("project", &["--model", file.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8(refused.stderr).unwrap().contains("alpha must be finite and positive"));
    }
}

#[test]
fn a_saved_model_of_another_kind_of_business_is_refused() {
    let job = cohort_of(&SURVIVORS, "beta_geometric", "");
    let file = job.path("model.json");
    assert!(job.command("fit", &["--model", file.to_str().unwrap()]).status.success());
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("model: beta_geometric", "model: weibull_gamma"));
    let refused = job.command("project", &["--model", file.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert_snapshot!(job.without_folder(&refused.stderr), @r"
    error: model.json: its model is beta_geometric, the config's `forecast.model` weibull_gamma
      hint: set that key to the model of the file, or fit anew
    ");
}
