//! Covariates through the binary, on the CDNOW sample with the money and month of each first purchase.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
};

use arrow_array::{Array, Float64Array, Int64Array};
use insta::assert_snapshot;
use whalecurve::forecast::{pareto_nbd::ParetoNbd, purchase_model::PurchaseModel};

use crate::support::{Job, decimals, floats, read, root, text, whalecurve};

/// Purchase days and money of one customer.
type Purchases = BTreeMap<String, f64>;

/// Id, money and month of the first purchase.
fn first_purchases() -> Vec<(String, f64, String)> {
    let mut customers = BTreeMap::<String, Purchases>::new();
    for line in fs::read_to_string(root().join("datasets/cdnow/CDNOW_sample.txt")).unwrap().lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let day = customers.entry(fields[1].to_owned()).or_default().entry(fields[2].to_owned()).or_default();
        *day += fields[4].parse::<f64>().unwrap();
    }
    customers
        .into_iter()
        .map(|(id, days)| {
            let (day, money) = days.into_iter().next().unwrap();
            (id, money, day[4..6].to_owned())
        })
        .collect()
}

const COVARIATES: &str = "{first_amount: AMOUNT, month: {column: MONTH, as: category}}";

/// The sample over its 39 weeks, with a customers table in `file` and these lines of the config.
fn job(file: &str, covariates: &str, forecast: &str) -> Job {
    let config = format!(
        "\
version: 1
name: CDNOW
currency: USD
as_of: 1997-09-30
inputs:
  transactions:
    path: transactions.parquet
    where: \"date <= DATE '1997-09-30'\"
    columns: {{customer_id: customer_id, date: date, amount: amount}}
  customers: {{path: {file}, columns: {{customer_id: ID}}, covariates: {covariates}}}
forecast: {{horizon: 39w, discount_rate_per_year: 0.1, {forecast}}}
"
    );
    let job = Job::new(&config);
    fs::copy(root().join("datasets/cdnow/transactions.parquet"), job.path("transactions.parquet")).unwrap();
    job
}

fn with_csv(covariates: &str, forecast: &str) -> Job {
    let job = job("customers.csv", covariates, forecast);
    let mut table = "ID,AMOUNT,MONTH\n".to_owned();
    // Backwards: the order of rows must not matter.
    for (id, money, month) in first_purchases().into_iter().rev() {
        writeln!(table, "{id},{money},{month}").unwrap();
    }
    job.text("customers.csv", &table);
    job
}

fn with_parquet(covariates: &str, forecast: &str) -> Job {
    let job = job("customers.parquet", covariates, forecast);
    let rows = first_purchases();
    let columns = vec![
        ("ID", text(rows.iter().map(|row| row.0.as_str()))),
        ("AMOUNT", floats(rows.iter().map(|row| row.1))),
        ("MONTH", text(rows.iter().map(|row| row.2.as_str()))),
    ];
    job.parquet("customers.parquet", columns);
    job
}

const PARETO: &str = "model: pareto_nbd, covariates: {rate: [first_amount, month], dropout: first_amount}";

fn optional_numbers(job: &Job, dataset: &str, column: &str) -> Vec<Option<f64>> {
    let values = |batch: &arrow_array::RecordBatch| {
        let array = batch.column_by_name(column).unwrap();
        if let Some(array) = array.as_any().downcast_ref::<Int64Array>() {
            return array.iter().map(|value| value.map(|value| value as f64)).collect::<Vec<_>>();
        }
        array.as_any().downcast_ref::<Float64Array>().unwrap().iter().collect()
    };
    read(&job.path("out"), dataset).iter().flat_map(values).collect()
}

fn numbers(job: &Job, dataset: &str, column: &str) -> Vec<f64> {
    optional_numbers(job, dataset, column).into_iter().map(Option::unwrap).collect()
}

/// The figures of `forecast::covariates::tests::oracle`, found by another program.
#[test]
fn a_run_finds_the_maximum_of_another_program() {
    let job = with_csv(COVARIATES, PARETO);
    let manifest = job.run(&[]);
    let fit = &manifest["fits"]["pareto_nbd"];
    assert!((fit["log_likelihood"].as_f64().unwrap() - -9_571.550_454_05).abs() < 1e-8, "{fit}");
    assert!((fit["without_covariates"]["log_likelihood"].as_f64().unwrap() - -9_594.976_179).abs() < 5e-7);
    assert_eq!(fit["likelihood_ratio"]["degrees"], 4);
    let texts = |column| job.texts("model_covariate", column);
    assert_eq!(texts("part"), ["rate", "rate", "rate", "dropout"]);
    assert_eq!(texts("parameter"), ["alpha", "alpha", "alpha", "beta"]);
    assert_eq!(texts("covariate"), ["first_amount", "month", "month", "first_amount"]);
    let level = |name: &str| Some(name.to_owned());
    assert_eq!(job.optional_texts("model_covariate", "level"), [None, level("01"), level("03"), None]);
    let expected = [
        (0.007_492_917_538_74, 0.001_244_740_2),
        (0.022_143_465_618_2, 0.092_032_836),
        (-0.078_133_667_577_2, 0.095_543_173),
        (0.002_275_608_949_47, 0.002_744_490_4),
    ];
    let (found, errors) =
        (numbers(&job, "model_covariate", "coefficient"), numbers(&job, "model_covariate", "standard_error"));
    for (((coefficient, error), multiplier), (value, of_value)) in
        found.iter().zip(&errors).zip(numbers(&job, "model_covariate", "multiplier")).zip(expected)
    {
        assert!((coefficient - value).abs() < 1e-6 * of_value, "{coefficient} {value}");
        assert!((error / of_value - 1.0).abs() < 5e-6, "{error} {of_value}");
        assert!((multiplier / coefficient.exp() - 1.0).abs() < 1e-15);
    }
    // Four parameters and four effects.
    let aic = numbers(&job, "model_comparison", "aic")[0];
    assert!((aic - 2.0 * (8.0 + 9_571.550_454_05)).abs() < 1e-6, "{aic}");
}

#[test]
fn every_customer_is_foretold_by_its_own_parameters() {
    let job = with_csv(COVARIATES, PARETO);
    let manifest = job.run(&[]);
    let of = |name: &str| manifest["fits"]["pareto_nbd"]["parameters"][name].as_f64().unwrap();
    let effects = numbers(&job, "model_covariate", "coefficient");
    let centre = optional_numbers(&job, "model_covariate", "centre")[0].unwrap();
    let value = |column| numbers(&job, "customer_value", column);
    let (x, t_x, age) = (value("frequency"), value("recency"), value("age"));
    let (p_alive, purchases) = (value("p_alive"), value("expected_purchases"));
    let mut simulated = 0.0;
    for (row, (_, money, month)) in first_purchases().into_iter().enumerate() {
        let by_month = match month.as_str() {
            "01" => effects[1],
            "03" => effects[2],
            _ => 0.0,
        };
        let model: PurchaseModel = ParetoNbd {
            r: of("r"),
            alpha: of("alpha") * (-effects[0] * (money - centre) - by_month).exp(),
            s: of("s"),
            beta: of("beta") * (-effects[3] * (money - centre)).exp(),
        }
        .into();
        let own = model.p_alive(x[row], t_x[row], age[row]);
        assert!((p_alive[row] / own - 1.0).abs() < 1e-9, "{row}: {} {own}", p_alive[row]);
        let own = model.expected_purchases(x[row], t_x[row], age[row], 39.0).unwrap();
        assert!((purchases[row] / own - 1.0).abs() < 1e-9, "{row}: {} {own}", purchases[row]);
        simulated += own;
    }
    assert!((purchases.iter().sum::<f64>() / simulated - 1.0).abs() < 1e-9);
    // The simulation draws from the same models.
    let cents = |column: &str| decimals(&job.path("out"), "customer_equity", column)[0] as f64;
    let gap = cents("equity_mean") - cents("expected_value");
    assert!(gap.abs() < 4.0 * cents("equity_sd") / f64::sqrt(1_000.0), "{gap}");
}

#[test]
fn neither_the_format_of_the_table_nor_the_threads_change_a_byte() {
    let forecast = "paths: 20, model: mbg_nbd, covariates: {rate: [first_amount, month], dropout: [month]}";
    let digest = |job: &Job, threads| job.run(&["--threads", threads])["result_digest"].clone();
    let csv = with_csv(COVARIATES, forecast);
    let one = digest(&csv, "1");
    assert_eq!(digest(&csv, "3"), one);
    assert_eq!(digest(&with_parquet(COVARIATES, forecast), "2"), one);
}

#[test]
fn a_customer_whom_the_table_does_not_know_has_no_level_and_no_number() {
    let job =
        job("customers.csv", COVARIATES, "paths: 0, model: pareto_nbd, covariates: {rate: [first_amount, month]}");
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let config = format!("{config}contract: {{transactions: {{unknown_customer: warn}}}}\n");
    job.text("whalecurve.yaml", &config);
    let mut table = "ID,AMOUNT,MONTH\n".to_owned();
    for (id, money, month) in first_purchases().into_iter().skip(200) {
        writeln!(table, "{id},{money},{month}").unwrap();
    }
    job.text("customers.csv", &table);
    let manifest = job.run(&[]);
    let fit = &manifest["fits"]["pareto_nbd"];
    assert_eq!(fit["customers"], 2_357);
    let level = |name: &str| Some(name.to_owned());
    // All of the 200 bought first in January: their missing month says what their missing number does.
    assert_eq!(job.optional_texts("model_covariate", "level"), [None, level("(none)"), level("01"), level("03")]);
    let notes = fit["notes"].to_string();
    assert!(notes.contains("covariate `first_amount` is missing for 200 customers"), "{notes}");
    assert!(notes.contains("rate: the effect of month=(none) is dropped"), "{notes}");
}

#[test]
fn columns_that_are_no_covariates_are_refused() {
    let pareto = "model: pareto_nbd, covariates: {rate: [first_amount, month]}";
    let missing = with_csv("{first_amount: AMONT, month: MONTH}", pareto);
    assert_snapshot!(missing.failure(), @r"
    exit code 3
    error: customers.csv: no column `AMONT` (mapped to `customers.first_amount`); the file has: ID, MONTH, and 1 that the config does not name
      hint: map the file's own column name under `columns`
    ");
    let no_number = with_csv("{first_amount: AMOUNT, month: {column: ID, as: number}}", pareto);
    no_number.text("customers.csv", "ID,AMOUNT,MONTH\na,1,x\nb,,y\n");
    assert_snapshot!(no_number.failure(), @r"
    exit code 3
    error: customers: covariate `month` (column `ID`) has 2 rows that hold no finite number; `as: category` reads levels
    ");
    let levels = with_csv("{first_amount: {column: AMOUNT, as: category}, month: {column: ID, as: category}}", pareto);
    assert_snapshot!(levels.failure(), @r"
    exit code 3
    error: customers: covariate `first_amount` (column `AMOUNT`) has 933 levels, at most 100 are estimated; `as: number` reads numbers
    customers: covariate `month` (column `ID`) has 2357 levels, at most 100 are estimated; `as: number` reads numbers
    ");
    let float = with_parquet("{first_amount: {column: AMOUNT, as: category}, month: MONTH}", pareto);
    assert_snapshot!(float.failure(), @r"
    exit code 3
    error: customers.parquet: column `AMOUNT` is float, expected text, an integer or a boolean for `customers.first_amount`
      hint: cast the column where the file is written
    ");
}

#[test]
fn a_saved_model_gives_the_predictions_of_the_fit() {
    let job = with_csv(COVARIATES, PARETO);
    job.run(&[]);
    let names = ["p_alive", "expected_purchases"];
    let fitted = names.map(|column| numbers(&job, "customer_value", column));
    let value = job.decimals("customer_value", "expected_value");
    let model = job.path("model.json");
    let model = model.to_str().unwrap();
    assert!(job.command("fit", &["--model", model]).status.success());
    let (config, output) = (job.path("whalecurve.yaml"), job.path("out"));
    let project = ["project", config.to_str().unwrap(), "--model", model, "--output", output.to_str().unwrap()];
    let done = whalecurve(&project);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(names.map(|column| numbers(&job, "customer_value", column)), fitted);
    assert_eq!(job.decimals("customer_value", "expected_value"), value);

    // A level that the fit did not know, and a config that names other covariates.
    let table = fs::read_to_string(job.path("customers.csv")).unwrap();
    job.text("customers.csv", &table.replace(",03\n", ",04\n"));
    let unknown = whalecurve(&project);
    let text = fs::read_to_string(&config).unwrap();
    job.text(
        "whalecurve.yaml",
        &text
            .replace("rate: [first_amount, month]", "rate: month")
            .replace("first_amount: AMOUNT, ", "")
            .replace("dropout: first_amount", "dropout: month"),
    );
    let other = whalecurve(&project);
    let told = format!("{}{}", job.without_folder(&unknown.stderr), job.without_folder(&other.stderr));
    assert_eq!((unknown.status.code(), other.status.code()), (Some(3), Some(2)));
    assert_snapshot!(told, @r"
    error: forecast: covariate `month`: 719 customers have levels that nobody in the fitted model had
      hint: fit the model anew, to customers of these levels as well: whalecurve fit CONFIG --model FILE
    error: model.json: the model has first_amount, month, the config's `forecast.covariates` month
      hint: name the covariates of the model there, as in the config it was fitted with
    ");
}

#[test]
fn a_validation_scores_models_with_covariates_beside_those_without() {
    let job = with_csv(COVARIATES, PARETO);
    // The whole sample, of which the first 39 weeks are the calibration.
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let config = config.replace("    where: \"date <= DATE '1997-09-30'\"\n", "");
    job.text("whalecurve.yaml", &config.replace("as_of: 1997-09-30", "as_of: 1998-06-30"));
    let output = job.path("out");
    let done = job.command("validate", &["--holdout", "39w", "--output", output.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let methods = job.texts("validation_score", "method");
    assert_eq!(methods[5..8], ["bg_nbd_cov", "mbg_nbd_cov", "pareto_nbd_cov"]);
    let at = |column: &str, method: &str| {
        let row = methods.iter().position(|name| name == method).unwrap();
        optional_numbers(&job, "validation_score", column)[row].unwrap()
    };
    // The fit up to the cut is the one of the run above.
    assert!((at("log_likelihood", "pareto_nbd_cov") - -9_571.550_454_05).abs() < 1e-8);
    assert!((at("parameters", "pareto_nbd_cov") - 8.0).abs() < 1e-9);
    for (with, without) in [("bg_nbd_cov", "bg_nbd"), ("mbg_nbd_cov", "mbg_nbd"), ("pareto_nbd_cov", "pareto_nbd")] {
        let gap = at("expected_purchases", with) / at("expected_purchases", without) - 1.0;
        assert!(gap.abs() < 0.1 && gap != 0.0, "{with}: {gap}");
        let gap = at("crps", with) - at("crps", without);
        assert!(gap.abs() < 0.02 && gap != 0.0, "{with}: {gap}");
        assert!((at("actual_purchases", with) - 1_882.0).abs() < 1e-9);
    }
    let weeks = job.texts("validation_tracking", "method");
    let mut told = weeks.iter().zip(numbers(&job, "validation_tracking", "expected_purchases"));
    let last = told.rfind(|(method, _)| *method == "pareto_nbd_cov").unwrap().1;
    assert!((last / at("expected_purchases", "pareto_nbd_cov") - 1.0).abs() < 1e-12);
}

#[test]
fn the_holdout_decides_whether_covariates_help() {
    let forecast =
        "paths: 0, model: auto, holdout: 13w, covariates: {rate: [first_amount, month], dropout: first_amount}";
    let chosen = |job: &Job| {
        let manifest = job.run(&[]);
        let methods = job.texts("model_comparison", "method");
        assert_eq!(methods.len(), 8);
        let crps = numbers(job, "model_comparison", "crps");
        let chosen = numbers(job, "model_comparison", "chosen").iter().position(|chosen| *chosen > 0.5).unwrap();
        assert!(crps.iter().all(|score| *score > crps[chosen] - 1e-6), "{methods:?} {crps:?}");
        let why = manifest["model_choice"]["why"].as_str().unwrap();
        assert!(why.starts_with(&format!("model auto chose {}", methods[chosen])), "{why}");
        methods[chosen].clone()
    };
    // Money and month of the first purchase tell of the base, but not of these 13 weeks.
    let job = with_csv(COVARIATES, forecast);
    assert_eq!(chosen(&job), "mbg_nbd");
    assert!(!job.path("out/model_covariate").exists());
    // The number of days on which each customer will have bought tells a lot.
    let mut days = BTreeMap::<String, BTreeSet<String>>::new();
    for line in fs::read_to_string(root().join("datasets/cdnow/CDNOW_sample.txt")).unwrap().lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        days.entry(fields[1].to_owned()).or_default().insert(fields[2].to_owned());
    }
    let mut table = "ID,AMOUNT,MONTH\n".to_owned();
    for (id, _, month) in first_purchases() {
        writeln!(table, "{id},{},{month}", days[&id].len()).unwrap();
    }
    job.text("customers.csv", &table);
    assert!(chosen(&job).ends_with("_cov"));
    assert!(job.texts("model_covariate", "covariate").len() >= 4);
}

#[test]
fn uncertainty_of_effects_reaches_the_simulation_and_not_the_closed_form() {
    let run = |more: &str| {
        let job = with_csv(COVARIATES, &format!("{PARETO}, paths: 1000{more}"));
        let digest = job.run(&[])["result_digest"].clone();
        (job, digest)
    };
    let (certain, _) = run("");
    let (uncertain, digest) = run(", parameter_uncertainty: true");
    let cents = |job: &Job, column: &str| job.decimals("customer_equity", column)[0] as f64;
    assert_eq!(cents(&certain, "expected_value").to_bits(), cents(&uncertain, "expected_value").to_bits());
    // 2,357 customers' own chances nearly cancel; what is not known of the parameters moves all of them.
    let (without, with) = (cents(&certain, "equity_sd"), cents(&uncertain, "equity_sd"));
    assert!(with > 1.3 * without, "{with} is not above {without}");
    let (mean, error) = (cents(&uncertain, "equity_mean"), cents(&uncertain, "equity_mean_error"));
    assert!((mean - cents(&uncertain, "expected_value")).abs() < 5.0 * error, "{mean} ± {error}");
    assert_eq!(uncertain.run(&["--threads", "1"])["result_digest"], digest);
    // A saved model draws the same.
    let (model, again) = (uncertain.path("model.json"), uncertain.path("again"));
    assert!(uncertain.command("fit", &["--model", model.to_str().unwrap()]).status.success());
    let project = ["--model", model.to_str().unwrap(), "--output", again.to_str().unwrap()];
    assert!(uncertain.command("project", &project).status.success());
    for column in ["equity_mean", "equity_sd"] {
        let of = |output: &std::path::Path| decimals(output, "customer_equity", column);
        assert_eq!(of(&again), of(&uncertain.path("out")), "{column}");
    }
}

/// A job with prospects, whose segments are the months of the first purchase, and its month moves the rate.
fn with_prospects(covariates: &str, table: &str) -> Job {
    let job = with_csv("{month: {column: MONTH, as: category}}", "model: mbg_nbd, covariates: {rate: month}, paths: 0");
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let columns = "{prospect_id: id, segment: part, acquisition_cost: cost}";
    let prospects = format!("  prospects: {{path: prospects.csv, columns: {columns}{covariates}}}\nforecast:");
    let config = config.replace("{customer_id: ID}", "{customer_id: ID, segment: MONTH}");
    job.text("whalecurve.yaml", &config.replace("forecast:", &prospects));
    job.text("prospects.csv", table);
    job
}

#[test]
fn a_prospect_buys_as_its_own_attributes_say_and_spends_as_its_group() {
    let attributes = ", covariates: {month: {column: month, as: category}}";
    let table = "id,part,cost,month\na,01,5.00,01\nb,02,5.00,02\nc,,5.00,02\nd,,5.00,03\n";
    let (own, grouped) = (with_prospects(attributes, table), with_prospects("", table));
    own.run(&[]);
    grouped.run(&[]);
    assert_eq!(own.texts("decision_prospect", "prospect_id"), ["a", "b", "c", "d"]);
    // Everybody of a segment has its month, and so the prospect's own model.
    for column in ["expected_revenue", "expected_value", "expected_cost_to_serve", "most_to_pay"] {
        let [own, grouped] = [&own, &grouped].map(|job| job.decimals("decision_prospect", column));
        assert_eq!(own[..2], grouped[..2], "{column}");
        assert_eq!(grouped[2], grouped[3], "{column}");
    }
    // Without a segment, the spend is that of all, and the purchases are those of the month.
    let of = |column: &str| -> BTreeMap<String, f64> {
        let keys = own.texts("new_customer_value", "group");
        let money = |column| own.decimals("new_customer_value", column).into_iter().map(|value| value as f64).collect();
        let values: Vec<f64> =
            if column == "expected_spend" { money(column) } else { own.floats("new_customer_value", column) };
        keys.into_iter().zip(values).collect()
    };
    let (purchases, spend) = (of("expected_purchases"), of("expected_spend"));
    let revenue = own.decimals("decision_prospect", "expected_revenue");
    for (row, month) in [(2, "02"), (3, "03")] {
        let expected = purchases[month] * spend["all"] / purchases["all"];
        assert!((revenue[row] as f64 - expected).abs() < 2.0, "{month}: {} is not {expected}", revenue[row]);
    }
    assert!((purchases["02"] - purchases["03"]).abs() > 1e-3);
    // Both ways draw the same kind of futures: 2,000 and 10,000 of them.
    let [mine, theirs] = [&own, &grouped].map(|job| job.floats("decision_prospect", "probability_of_loss"));
    assert!((mine[0] - theirs[0]).abs() < 0.05, "{} is not {}", mine[0], theirs[0]);
}

#[test]
fn attributes_of_prospects_that_no_forecast_can_use_are_refused() {
    let unknown =
        with_prospects(", covariates: {month: {column: month, as: category}}", "id,part,cost,month\na,,,13\n");
    assert_snapshot!(unknown.failure(), @r"
    exit code 3
    error: prospects: covariate `month`: 1 rows have a level that no customer of the fit has
    ");
    let strange = with_prospects(", covariates: {size: month}", "id,part,cost,month\na,,,01\n");
    let told = strange.failure();
    assert!(
        told.contains("`inputs.prospects.covariates.size` has no effect: `forecast.covariates` does not name it"),
        "{told}"
    );
    assert!(told.contains("`inputs.prospects.covariates` lacks `month`, which `forecast.covariates` names"), "{told}");
}
