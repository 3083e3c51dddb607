//! Groups with parameters of their own, and customers not yet acquired, through the binary.

use std::{fmt::Write as _, fs};

use arrow_array::{Array, Float64Array, RecordBatch, StringArray};
use whalecurve::forecast::mbg_nbd::MbgNbd;

use crate::support::{Job, cents, days, integers, read};

/// A pooled estimate, or one of a float column, is written as it is computed.
const ROUNDING: f64 = 1e-9;

/// Four segments of 150 customers who come over 200 days and buy at intervals of their segment's, more or less: `0` often,
/// `3` hardly ever; segment `tiny` has five customers.
///
/// * `factors`: on the amounts of each segment.
fn ledger(job: &Job, factors: [i64; 5]) {
    let (mut customer, mut day, mut amount, mut table) = (vec![], vec![], vec![], String::from("id,seg,chan,cost\n"));
    let mut random = 12_345_u64;
    let mut uniform = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((random >> 11) as f64 / (1_u64 << 53) as f64).max(1e-12)
    };
    for id in 0..605_i64 {
        let segment = if id >= 600 { 4 } else { id % 4 };
        let name = ["a", "b", "c", "d", "tiny"][segment as usize];
        let channel = if id % 3 == 0 { "shop" } else { "web" };
        writeln!(table, "{id},{name},{channel},{}", 10 + segment).unwrap();
        let gap = [20.0, 45.0, 90.0, 180.0, 60.0][segment as usize] * (0.3 - uniform().ln());
        let mut now = 200.0 * uniform();
        while now < 500.0 {
            customer.push(id);
            day.push(10_000 + now as i32);
            amount.push(factors[segment as usize] * (2_000 + (3_000.0 * uniform()) as i64));
            now += 1.0 - gap * uniform().ln();
            if uniform() < 0.15 {
                break;
            }
        }
    }
    job.parquet("ledger.parquet", vec![("id", integers(customer)), ("day", days(day)), ("amount", cents(amount))]);
    job.text("customers.csv", &table);
}

fn job(forecast: &str) -> Job {
    let config = format!(
        "\
version: 1
name: pooled
currency: EUR
as_of: 1998-09-28
inputs:
  transactions: {{path: ledger.parquet, columns: {{customer_id: id, date: day, amount: amount}}}}
  customers: {{path: customers.csv, columns: {{customer_id: id, segment: seg, channel: chan, acquisition_cost: cost}}}}
activities:
  service: {{level: order, method: revenue, cost: 5000}}
forecast: {{horizon: 39w, time_unit: week, paths: 200{forecast}}}
"
    );
    let job = Job::new(&config);
    ledger(&job, [1; 5]);
    job
}

#[test]
fn segments_have_parameters_of_their_own_and_a_tiny_one_is_drawn_to_the_rest() {
    for model in ["bg_nbd", "mbg_nbd", "pareto_nbd"] {
        let job = job(&format!(", model: {model}, pool_by: segment"));
        let manifest = job.run(&[]);
        let fits = &manifest["model_groups"]["fits"];
        assert_eq!(manifest["model_groups"]["by"], "segment");
        assert!(!fits["varies"].as_array().unwrap().is_empty(), "{model} {fits}");
        assert_eq!(job.texts("model_group", "group"), ["a", "b", "c", "d", "tiny"]);
        let (weight, r) = (job.optional_floats("model_group", "weight"), job.optional_floats("model_group", "r"));
        let alpha = job.optional_floats("model_group", "alpha");
        assert!(weight[..4].iter().all(|weight| *weight > weight_of_tiny(&job)), "{model} {weight:?}");
        let rate: Vec<f64> = r.iter().zip(&alpha).map(|(r, alpha)| r.unwrap() / alpha.unwrap()).collect();
        assert!(rate[..4].windows(2).all(|pair| pair[0] > pair[1]), "{model} {rate:?}");
        let of_pareto = job.optional_floats("model_group", "s").iter().all(Option::is_some);
        assert_eq!(of_pareto, model == "pareto_nbd");
        assert_eq!(job.optional_floats("model_group", "a").iter().all(Option::is_none), model == "pareto_nbd");

        // The tests of the dataset are those of the manifest, and by their definition.
        assert_eq!(job.texts("model_test", "test"), ["pooled", "separate"]);
        let statistic = job.optional_floats("model_test", "statistic");
        let separate = fits["separate"]["statistic"].as_f64().unwrap();
        assert!(
            (statistic[1].unwrap() - separate).abs() < ROUNDING
                && job.optional_floats("model_test", "p_value")[1].unwrap() < 1e-6
        );
        let one = manifest["fits"][model]["log_likelihood"].as_f64().unwrap();
        let own: f64 = job.optional_floats("model_group", "own_log_likelihood").iter().map(|own| own.unwrap()).sum();
        assert!((2.0 * (own - one) - separate).abs() < 1e-6, "{model} {own} {one} {separate}");
        assert_eq!(job.whole_numbers("model_test", "degrees_of_freedom")[1], Some(16));
    }
}

fn weight_of_tiny(job: &Job) -> Option<f64> {
    job.optional_floats("model_group", "weight")[4]
}

#[test]
fn customers_of_a_segment_are_expected_to_buy_by_its_parameters_in_closed_form_and_in_simulation() {
    let job = job(", pool_by: segment, model: mbg_nbd");
    job.run(&[]);
    let names = job.texts("model_group", "group");
    let of =
        |name: &str| -> Vec<f64> { job.optional_floats("model_group", name).into_iter().map(Option::unwrap).collect() };
    let [r, alpha, a, b] = ["r", "alpha", "a", "b"].map(of);
    let models: Vec<MbgNbd> =
        (0..names.len()).map(|at| MbgNbd { r: r[at], alpha: alpha[at], a: a[at], b: b[at] }).collect();
    let segment = job.texts("customer_segment", "segment");
    let frequency = job.whole_numbers("customer_value", "frequency");
    let [recency, age, expected] =
        ["recency", "age", "expected_purchases"].map(|name| job.optional_floats("customer_value", name));
    for row in 0..segment.len() {
        let model = &models[names.binary_search(&segment[row]).unwrap()];
        let x = frequency[row].unwrap() as f64;
        let own = model.expected_purchases(x, recency[row].unwrap(), age[row].unwrap(), 39.0).unwrap();
        assert!((expected[row].unwrap() / own - 1.0).abs() < ROUNDING, "{row}: {:?} {own}", expected[row]);
    }
    let cents = |column: &str| crate::support::decimals(&job.path("out"), "customer_equity", column)[0] as f64;
    let gap = cents("equity_mean") - cents("expected_value");
    // A mean of 200 paths leaves four standard errors once in 16,000 times.
    assert!(gap.abs() < 4.0 * cents("equity_sd") / 200_f64.sqrt(), "{gap}");
}

#[test]
fn new_customers_are_told_by_segment_channel_and_year_with_what_they_cost() {
    let job = job(", pool_by: segment");
    job.run(&[]);
    let (by, group) = (job.texts("new_customer_value", "grouping"), job.texts("new_customer_value", "group"));
    let rows: Vec<String> = by.iter().zip(&group).map(|(by, group)| format!("{by} {group}")).collect();
    assert_eq!(
        rows,
        [
            "all all",
            "channel shop",
            "channel web",
            "cohort_year 1997",
            "segment a",
            "segment b",
            "segment c",
            "segment d",
            "segment tiny"
        ]
    );
    let customers = job.whole_numbers("new_customer_value", "customers");
    assert_eq!(customers[0], Some(605));
    assert_eq!(customers[1].unwrap() + customers[2].unwrap(), 605);
    let purchases = job.optional_floats("new_customer_value", "expected_purchases");
    assert!(purchases.iter().all(|n| n.unwrap() > 1.0) && purchases[4] > purchases[5] && purchases[5] > purchases[7]);
    // All is the mean of the segments by their customers.
    let mean: f64 = (4..9).map(|row| purchases[row].unwrap() * customers[row].unwrap() as f64).sum::<f64>() / 605.0;
    assert!((mean - purchases[0].unwrap()).abs() < ROUNDING);
    let money = |column: &str| job.decimals("new_customer_value", column);
    let (value, cost, net) = (money("expected_value"), money("acquisition_cost"), money("value_after_acquisition"));
    assert_eq!(cost[4..], [1_000, 1_100, 1_200, 1_300, 1_400]);
    for row in 0..9 {
        assert_eq!(net[row], value[row] - cost[row]);
        assert_eq!(money("most_to_pay")[row], value[row].max(0));
        assert!(money("expected_spend")[row] > value[row], "something is kept of sales, but not all");
    }
}

#[test]
fn one_segment_gives_the_bytes_of_one_fit() {
    let (one, pooled) = (job(""), job(", pool_by: cohort_year"));
    one.run(&[]);
    pooled.run(&[]);
    let bytes =
        |job: &Job| fs::read(fs::read_dir(job.path("out/customer_value")).unwrap().next().unwrap().unwrap().path());
    assert_eq!(bytes(&one).unwrap(), bytes(&pooled).unwrap());
    assert_eq!(pooled.optional_floats("model_group", "weight"), [Some(0.0)]);
    assert!(pooled.texts("model_test", "test").is_empty() && one.texts("model_group", "group").is_empty());
}

#[test]
fn saved_groups_are_applied_as_they_were_fitted_and_to_no_other_grouping() {
    let job = job(", pool_by: segment, parameter_uncertainty: true");
    let file = job.path("model.json");
    let file = file.to_str().unwrap();
    let done = job.command("fit", &["--model", file]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let fitted = job.run(&[]);
    let out = job.path("projected");
    let project = |more: &[&str]| job.command("project", &[&["--model", file], more].concat());
    let done = project(&["--output", out.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("run_manifest.json")).unwrap()).unwrap();
    let digest = |manifest: &serde_json::Value, dataset: &str| {
        let outputs = manifest["outputs"].as_array().unwrap();
        outputs.iter().find(|output| output["dataset"] == dataset).unwrap()["files"][0]["blake3"].clone()
    };
    for dataset in ["customer_value", "model_group", "model_test", "new_customer_value", "customer_equity"] {
        assert_eq!(digest(&manifest, dataset), digest(&fitted, dataset), "{dataset}");
    }
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    fs::write(job.path("whalecurve.yaml"), config.replace("pool_by: segment, ", "")).unwrap();
    let refused = project(&[]);
    insta::assert_snapshot!(job.without_folder(&refused.stderr).trim_end(), @r"
    error: model.json: it has groups by segment, the config one fit for all customers
      hint: set `forecast.pool_by` to what the models were fitted with, or fit anew
    ");
    // A segment that the models do not know has the mean of those that they do.
    fs::write(job.path("whalecurve.yaml"), config).unwrap();
    let table = fs::read_to_string(job.path("customers.csv")).unwrap();
    job.text("customers.csv", &table.replace(",tiny,", ",new,"));
    let done = project(&["--output", out.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        done.status.success()
            && told.contains("5 customers are in groups by segment that the saved model does not know"),
        "{told}"
    );
}

#[test]
fn groups_give_the_same_bytes_on_one_two_and_eight_threads() {
    let job = job(", pool_by: cohort_month, parameter_uncertainty: true, model: mbg_nbd");
    let digest = |threads: &str| job.run(&["--threads", threads])["result_digest"].as_str().unwrap().to_owned();
    let one = digest("1");
    assert_eq!(digest("2"), one);
    assert_eq!(digest("8"), one);
}

#[test]
fn validate_scores_groups_beside_one_fit_and_one_group_as_it() {
    let scores = |by: &str| {
        let job = job(&format!(", pool_by: {by}"));
        let out = job.path("validation");
        let done = job.command("validate", &["--holdout", "20w", "--output", out.to_str().unwrap()]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let rows = read(&out, "validation_score");
        let method: Vec<String> = rows.iter().flat_map(|batch| texts_of(batch, "method")).collect();
        let crps: Vec<f64> = rows.iter().flat_map(|batch| floats_of(batch, "crps")).collect();
        let expected: Vec<f64> = rows.iter().flat_map(|batch| floats_of(batch, "expected_purchases")).collect();
        ["bg_nbd", "mbg_nbd", "pareto_nbd"].map(|name| {
            let of = |name: &str| {
                let at = method.iter().position(|other| other == name).unwrap();
                (crps[at], expected[at])
            };
            (of(name), of(&format!("{name}_pooled")))
        })
    };
    for (one, pooled) in scores("cohort_year") {
        assert!((one.0 / pooled.0 - 1.0).abs() < ROUNDING && (one.1 / pooled.1 - 1.0).abs() < ROUNDING);
    }
    for (one, pooled) in scores("segment") {
        assert!(pooled.0.is_finite() && (one.0 / pooled.0 - 1.0).abs() > 1e-4, "{one:?} {pooled:?}");
    }
}

fn texts_of(batch: &RecordBatch, column: &str) -> Vec<String> {
    let array = batch.column_by_name(column).unwrap().as_any().downcast_ref::<StringArray>().unwrap();
    (0..array.len()).map(|row| array.value(row).to_owned()).collect()
}

fn floats_of(batch: &RecordBatch, column: &str) -> Vec<f64> {
    let array = batch.column_by_name(column).unwrap().as_any().downcast_ref::<Float64Array>().unwrap();
    (0..array.len()).map(|row| if array.is_valid(row) { array.value(row) } else { f64::NAN }).collect()
}

#[test]
fn auto_chooses_of_the_models_that_groups_can_be_drawn_towards_and_a_penalty_keeps_parameters_near() {
    let auto = job(", pool_by: segment, model: auto");
    auto.run(&[]);
    assert_eq!(auto.texts("model_comparison", "method"), ["bg_nbd", "mbg_nbd", "pareto_nbd"]);
    // Squared distance of the logarithms from shapes of 1 and the mean age.
    let distance = |forecast: &str| {
        let job = job(forecast);
        let fits = job.run(&[]);
        let age = job.optional_floats("customer_value", "age");
        let mean = age.iter().map(|age| age.unwrap()).sum::<f64>() / age.len() as f64;
        let of = |name: &str| fits["fits"]["bg_nbd"]["parameters"][name].as_f64().unwrap();
        [of("r"), of("alpha") / mean, of("a"), of("b")].iter().map(|value| value.ln().powi(2)).sum::<f64>()
    };
    let [free, light, heavy] = ["", ", penalty: 0.1", ", penalty: 100"].map(distance);
    assert!(heavy < 0.5 * light && light < free, "{free} {light} {heavy}");
}

#[test]
fn segments_have_levels_of_spend_that_reach_every_customers_value() {
    for spend in ["gamma_gamma", "normal"] {
        let job = job(&format!(", model: mbg_nbd, pool_by: segment, spend: {spend}"));
        ledger(&job, [1, 3, 2, 6, 3]);
        let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        job.text("whalecurve.yaml", &config.replace("cost: 5000", "cost: 0"));
        let manifest = job.run(&[]);
        let level: Vec<f64> =
            job.optional_floats("model_group", "spend_level").into_iter().map(Option::unwrap).collect();
        let weight: Vec<f64> =
            job.optional_floats("model_group", "spend_weight").into_iter().map(Option::unwrap).collect();
        assert!(level[0] < level[2] && level[2] < level[1] && level[1] < level[3], "{spend} {level:?}");
        assert!(weight[..4].iter().all(|own| *own > weight[4]), "{spend} {weight:?}");
        if spend == "gamma_gamma" {
            assert!((level[1] / level[0] / 3.0 - 1.0).abs() < 0.1, "{level:?}");
        }
        let of = |name: &str| manifest["fits"][spend]["parameters"][name].as_f64().unwrap();
        let names = job.texts("model_group", "group");
        let segment = job.texts("customer_segment", "segment");
        let frequency = job.whole_numbers("customer_value", "frequency");
        let discounted = job.optional_floats("customer_value", "expected_discounted_purchases");
        let (values, mean) = (job.decimals("customer_value", "expected_value"), mean_spend(&job));
        let [told, margin, order_cost] = ["expected_spend", "margin_rate", "cost_per_purchase"]
            .map(|column| job.optional_floats("customer_value", column));
        for row in 0..segment.len() {
            let own = level[names.binary_search(&segment[row]).unwrap()];
            let (x, mean) = (frequency[row].unwrap() as f64, mean[row]);
            // Worked: what is known of the customer by the model of all with the group's own scale or mean.
            let expected = if spend == "gamma_gamma" {
                let (p, q, gamma) = (of("p"), of("q"), of("gamma") * own);
                p * (gamma + x * mean) / (q + p * x - 1.0)
            } else {
                let (within, between) = (of("within").powi(2), of("between").powi(2));
                (x * between * mean + within * (of("mean") + own)) / (x * between + within)
            };
            // The level is in what is spent, not in what is left of it or in what a purchase costs.
            assert!((told[row].unwrap() - expected).abs() < 0.0051, "{spend} {row}: {:?} {expected}", told[row]);
            assert!((margin[row].unwrap() - 1.0).abs() < 1e-12 && order_cost[row].unwrap().abs() < 1e-12);
            let expected = 100.0 * expected * discounted[row].unwrap();
            // The mean of a purchase is told in whole cents.
            let error = 0.51 + 0.01 * discounted[row].unwrap();
            assert!((values[row] as f64 - expected).abs() < error, "{spend} {row}: {} is not {expected}", values[row]);
        }
        let cents = |column: &str| job.decimals("customer_equity", column)[0] as f64;
        let gap = cents("equity_mean") - cents("expected_value");
        assert!(gap.abs() < 4.0 * cents("equity_sd") / 200_f64.sqrt(), "{spend} {gap}");
        let (file, out) = (job.path("model.json"), job.path("projected"));
        assert!(job.command("fit", &["--model", file.to_str().unwrap()]).status.success());
        let done = job.command("project", &["--model", file.to_str().unwrap(), "--output", out.to_str().unwrap()]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(crate::support::decimals(&out, "customer_value", "expected_value"), values, "{spend}");
    }
}

#[test]
fn a_saved_model_is_that_which_the_config_names() {
    let job = job(", model: mbg_nbd");
    let file = job.path("model.json");
    let named = ["--model", file.to_str().unwrap()];
    assert!(job.command("fit", &named).status.success());
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let projected = |model: &str| {
        job.text("whalecurve.yaml", &config.replace("model: mbg_nbd", model));
        let done = job.command("project", &named);
        (done.status.code(), job.without_folder(&done.stderr))
    };
    assert_eq!(projected("model: auto").0, Some(0));
    let (code, told) = projected("model: bg_nbd");
    assert_eq!(code, Some(2));
    assert!(
        told.starts_with("error: model.json: its model is mbg_nbd, the config's `forecast.model` bg_nbd\n"),
        "{told}"
    );
    let (code, told) = projected("model: mbg_nbd, spend: normal");
    assert_eq!(code, Some(2));
    assert!(
        told.starts_with("error: model.json: its model is gamma_gamma, the config's `forecast.spend` normal\n"),
        "{told}"
    );
}

/// Mean spend on a repeat purchase, major units; 0 without one.
fn mean_spend(job: &Job) -> Vec<f64> {
    let values = |batch: &RecordBatch| {
        let column = batch.column_by_name("mean_spend").unwrap().clone();
        let column = column.as_any().downcast_ref::<arrow_array::Decimal128Array>().unwrap().clone();
        (0..column.len())
            .map(|row| if column.is_valid(row) { column.value(row) as f64 / 100.0 } else { 0.0 })
            .collect::<Vec<_>>()
    };
    read(&job.path("out"), "customer_value").iter().flat_map(values).collect()
}
