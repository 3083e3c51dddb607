//! A business under contract: its contracts through the binary, from the published cohort to bad rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array};
use insta::assert_snapshot;
use whalecurve::{
    forecast::{
        beta_geometric::ShiftedBetaGeometric, beta_weibull::BetaDiscreteWeibull, contract_calendar::ContractCalendar,
        contract_model::ContractModel, exponential_gamma::ExponentialGamma, tenures::Tenures,
        weibull_gamma::WeibullGamma,
    },
    schema::{
        forecasting::Discounting,
        period::{day_from_civil, parse_day},
        renewals::RenewalTerm,
    },
};

use crate::support::{Job, cents, days, floats_of, integers, text};

/// REFERENCE: Fader & Hardie 2007, regular customers of 1,000, the first seven years.
pub(crate) const SURVIVORS: [usize; 8] = [1000, 631, 468, 382, 326, 289, 262, 241];
/// Values are published with ten digits.
const TEN_DIGITS: f64 = 5e-10;
/// What everybody pays a year, in cents.
const FEE: i64 = 10_000;

pub(crate) fn optional_days(values: impl IntoIterator<Item = Option<i32>>) -> ArrayRef {
    Arc::new(Date32Array::from_iter(values))
}

/// The cohort of seven years as a ledger.
fn cohort(model: &str, more: &str) -> Job {
    cohort_of(&SURVIVORS, model, more)
}

/// A cohort as a ledger: all begin with 2000 and pay on New Year's Day, those lost in year `t` have paid `t` times.
///
/// * `survivors`: at first, and after every year.
pub(crate) fn cohort_of(survivors: &[usize], model: &str, more: &str) -> Job {
    let years = survivors.len() - 1;
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
as_of: {}-12-31
inputs:
  transactions: {{path: t.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
  contracts: {{path: c.parquet, columns: {{customer_id: c, start: s, end: e}}}}
forecast: {{model: {model}, time_unit: year, horizon: 5y, discount_rate_per_year: 0.10, paths: 200{more}}}
",
        1999 + years
    ));
    let year = |customer: usize| survivors.iter().position(|left| customer >= *left);
    let payments = |customer: usize| year(customer).unwrap_or(years);
    let lines: Vec<(i64, i32)> = (0..1000)
        .flat_map(|customer| (0..payments(customer)).map(move |year| (customer as i64, 2000 + year as i32)))
        .collect();
    job.parquet(
        "t.parquet",
        vec![
            ("c", integers(lines.iter().map(|line| line.0))),
            ("d", days(lines.iter().map(|line| day_from_civil(line.1, 1, 1)))),
            ("a", cents(lines.iter().map(|_| FEE))),
        ],
    );
    let end = |customer: usize| year(customer).map(|year| day_from_civil(1999 + year as i32, 12, 31));
    job.parquet(
        "c.parquet",
        vec![
            ("c", integers(0..1000)),
            ("s", days((0..1000).map(|_| day_from_civil(2000, 1, 1)))),
            ("e", optional_days((0..1000).map(end))),
        ],
    );
    job
}

/// The model that a run's manifest tells of.
pub(crate) fn fitted(name: &str, manifest: &serde_json::Value) -> ContractModel {
    let value = |parameter: &str| manifest["fits"][name]["parameters"][parameter].as_f64().unwrap();
    match name {
        "beta_geometric" => {
            ContractModel::BetaGeometric(ShiftedBetaGeometric { alpha: value("alpha"), beta: value("beta") })
        }
        "beta_weibull" => ContractModel::BetaWeibull(BetaDiscreteWeibull {
            alpha: value("alpha"),
            beta: value("beta"),
            c: value("c"),
        }),
        "exponential_gamma" => {
            ContractModel::ExponentialGamma(ExponentialGamma { r: value("r"), alpha: value("alpha") })
        }
        _ => ContractModel::WeibullGamma(WeibullGamma { r: value("r"), alpha: value("alpha"), c: value("c") }),
    }
}

#[test]
fn the_published_cohort_as_contracts_has_its_published_parameters_and_likelihoods() {
    let close = |found: &serde_json::Value, expected: f64| {
        let found = found.as_f64().unwrap();
        assert!((found - expected).abs() <= TEN_DIGITS * expected.abs(), "{found} is not {expected}");
    };
    let job = cohort("beta_geometric", "");
    let fit = &job.run(&[])["fits"]["beta_geometric"];
    close(&fit["parameters"]["alpha"], 0.704_077_298_5);
    close(&fit["parameters"]["beta"], 1.182_043_026);
    close(&fit["log_likelihood"], -1_680.265_188);
    assert_eq!(job.texts("model_comparison", "method"), ["beta_geometric"]);
    assert_eq!(job.whole_numbers("model_comparison", "parameters"), [Some(2)]);
    let job = cohort("beta_weibull", "");
    let fit = &job.run(&[])["fits"]["beta_weibull"];
    close(&fit["parameters"]["c"], 1.283_451_286);
    close(&fit["log_likelihood"], -1_679.602_833);
}

#[test]
fn the_published_cohort_stays_as_it_stayed_and_as_its_model_says() {
    let job = cohort("beta_geometric", "");
    job.run(&[]);
    let whole = |column: &str| job.whole_numbers("model_retention", column);
    let floats = |column: &str| floats_of(&job.path("out"), "model_retention", column);
    assert_eq!(whole("tenure"), (1..8).map(Some).collect::<Vec<_>>());
    assert_eq!(whole("customers"), SURVIVORS[..7].iter().map(|n| Some(*n as i64)).collect::<Vec<_>>());
    let lost: Vec<_> = SURVIVORS.windows(2).map(|pair| Some((pair[0] - pair[1]) as i64)).collect();
    assert_eq!(whole("lost"), lost);
    for (share, left) in floats("observed_share").iter().zip(&SURVIVORS[1..]) {
        assert!((share - *left as f64 / 1_000.0).abs() < 1e-14, "{share}");
    }
    // Published parameters; S(t) = Π (beta + i) / (alpha + beta + i) over i = 0 … t − 1 (Fader & Hardie 2007, eq. 6).
    let (alpha, beta) = (0.704_077_298_5, 1.182_043_026);
    let mut stays = 1.0;
    for (year, share) in floats("expected_share").iter().enumerate() {
        stays *= (beta + year as f64) / (alpha + beta + year as f64);
        assert!((share - stays).abs() < 1e-9, "year {year}: {share}");
    }
    // In continuous time rows are years of 365.25 days, and the model is the one of the manifest.
    let job = cohort("weibull_gamma", "");
    let manifest = job.run(&[]);
    let ContractModel::WeibullGamma(model) = fitted("weibull_gamma", &manifest) else { panic!("another model") };
    let shares = floats_of(&job.path("out"), "model_retention", "expected_share");
    assert_eq!(shares.len(), 8, "seven years have two leap days: the last is in the eighth");
    for (year, share) in shares.iter().enumerate() {
        assert!((share - model.survival(year as f64 + 1.0)).abs() < 1e-14, "year {year}: {share}");
    }
}

#[test]
fn a_table_with_a_row_a_year_is_read_on_the_last_of_december_with_its_renewals_open() {
    let job = cohort("beta_geometric", "");
    let years = |customer: usize| SURVIVORS.iter().position(|left| customer >= *left).unwrap_or(7) as i32;
    let rows: Vec<(i64, i32)> =
        (0..1000).flat_map(|customer| (0..years(customer)).map(move |year| (customer as i64, 2000 + year))).collect();
    job.parquet(
        "c.parquet",
        vec![
            ("c", integers(rows.iter().map(|row| row.0))),
            ("s", days(rows.iter().map(|row| day_from_civil(row.1, 1, 1)))),
            ("e", optional_days(rows.iter().map(|row| Some(day_from_civil(row.1, 12, 31))))),
        ],
    );
    let manifest = job.run(&[]);
    // Six renewals are known; whether the 262 of the seventh year make theirs is not.
    let mut tenures = Tenures::new();
    tenures.insert_cohort(&SURVIVORS.map(|left| left as u64)[..7]).unwrap();
    let expected = *ShiftedBetaGeometric::fit(&tenures).fitted().unwrap();
    let ContractModel::BetaGeometric(found) = fitted("beta_geometric", &manifest) else { panic!("another model") };
    assert!((found.alpha - expected.alpha).abs() < 1e-9 && (found.beta - expected.beta).abs() < 1e-9, "{found:?}");
    let alive = floats_of(&job.path("out"), "customer_value", "p_alive");
    let open: Vec<f64> = alive.into_iter().filter(|alive| *alive > 0.0).collect();
    assert_eq!(open.len(), SURVIVORS[6]);
    assert!(open.iter().all(|alive| (alive - found.retention(7)).abs() < 1e-12));
    let scored = job.command("validate", &["--holdout", "1y", "--output", job.path("v").to_str().unwrap()]);
    assert!(scored.status.success(), "{}", String::from_utf8_lossy(&scored.stderr));
}

#[test]
fn customers_under_contract_are_worth_their_discounted_periods_and_others_nothing() {
    let calendar = |discounting| ContractCalendar {
        as_of: parse_day("2006-12-31").unwrap(),
        term: RenewalTerm::Months(12),
        days_per_unit: 365.25,
        horizon_days: 1_826,
        delta: libm::log(1.1),
        discounting,
    };
    let names = ["beta_geometric", "beta_weibull", "exponential_gamma", "weibull_gamma"];
    let conventions = [("", Discounting::Continuous), (", discounting: per_month", Discounting::PerMonth)];
    for (name, (more, discounting)) in
        names.into_iter().flat_map(|name| conventions.map(|convention| (name, convention)))
    {
        let calendar = calendar(discounting);
        let job = cohort(name, more);
        let model = fitted(name, &job.run(&[]));
        let prospect = model.prospect(day_from_civil(2000, 1, 1), &calendar).unwrap();
        let alive = job.floats("customer_value", "p_alive");
        assert_eq!(alive.iter().filter(|p| **p >= 1.0).count(), 241);
        assert_eq!(alive.iter().filter(|p| **p <= 0.0).count(), 759);
        for (column, expected) in [
            ("expected_discounted_purchases", prospect.discounted),
            (
                "expected_discounted_purchases_for_ever",
                model.periods_for_ever(day_from_civil(2000, 1, 1), &calendar).unwrap(),
            ),
            ("p_alive_at_horizon", prospect.at_horizon),
        ] {
            let found = job.floats("customer_value", column);
            let same = |(alive, found): (&f64, &f64)| (found - alive * expected).abs() < 1e-9;
            assert!(alive.iter().zip(&found).all(same), "{name} {column}");
        }
        let periods = job.floats("customer_value", "expected_purchases");
        assert!(alive.iter().zip(&periods).all(|(alive, found)| (found - alive * prospect.expected).abs() < 1e-9));
        // Everybody paid 100.00 a year: so will everybody. Years of continuous time have 365.25 days, and those paid for
        // 366 at first.
        let expected = 100.0 * prospect.discounted * 100.0;
        let tolerance = if name.starts_with("beta") { 0.51 } else { 0.003 * expected };
        let values = job.decimals("customer_value", "expected_value");
        assert_eq!(values.len(), 1000);
        for (alive, value) in alive.iter().zip(&values) {
            assert!((*value as f64 - alive * expected).abs() <= tolerance, "{name}: {value} is not {expected}");
        }
        // Strata leave an error of the range over twice the paths, at most.
        let most = 100.0 * 5.0 * 100.0;
        for (value, mean) in values.iter().zip(job.decimals("customer_value", "lifetime_value_mean")) {
            assert!((mean - value).abs() as f64 <= 4.0 * most / 400.0, "{name}: {mean} is not {value}");
        }
        let (total, mean) = (job.sum("customer_equity", "expected_value"), job.sum("customer_equity", "equity_mean"));
        assert_eq!(total, values.iter().sum::<i128>());
        let error = job.sum("customer_equity", "equity_sd") as f64 / libm::sqrt(200.0);
        assert!((mean - total).abs() as f64 <= 4.0 * error, "{name}: {mean} is not {total} ± {error}");
    }
}

#[test]
fn the_next_customer_under_contract_pays_at_once_and_at_every_renewal_in_every_group_and_world() {
    let job = cohort("beta_geometric", "");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let columns = "{customer_id: c, channel: w, acquisition_cost: k}";
    let plan = "{path: p.csv, columns: {date: date, customers: n, cost: cost, channel: w}}";
    let more = format!("inputs:\n  customers: {{path: k.parquet, columns: {columns}}}\n  acquisition_plan: {plan}");
    let config = config.replace("inputs:", &more);
    job.text("p.csv", "date,n,cost,w\n2007-12-31,10,250.00,web\n2008-12-31,4,0.00,\n");
    job.text("whalecurve.yaml", &format!("{config}overrides: {{name: dearer, prices: 1.5}}\n"));
    job.parquet(
        "k.parquet",
        vec![
            ("c", integers(0..1000)),
            ("w", text((0..1000).map(|customer| if customer % 2 == 0 { "web" } else { "shop" }))),
            ("k", cents((0..1000).map(|customer| if customer % 2 == 0 { 3_000 } else { 5_000 }))),
        ],
    );
    let ContractModel::BetaGeometric(model) = fitted("beta_geometric", &job.run(&[])) else { panic!("sBG") };
    // From 2006-12-31 on five renewals to 2011-12-31, 1,826 days later, at 10 % a year of 365.25 days.
    let factor = |year: u32| {
        let days = day_from_civil(2006 + year as i32, 12, 31) - day_from_civil(2006, 12, 31);
        libm::pow(1.1, -f64::from(days) / 365.25)
    };
    let periods: f64 = 1.0 + (1..=5).map(|year| model.survival(year)).sum::<f64>();
    let discounted: f64 = 1.0 + (1..=5).map(|year| model.survival(year) * factor(year)).sum::<f64>();
    let column = |name: &str| job.decimals("new_customer_value", name);
    let texts = |name: &str| job.texts("new_customer_value", name);
    assert_eq!(texts("grouping"), ["all", "channel", "channel", "cohort_year"].repeat(2));
    assert_eq!(texts("group"), ["all", "shop", "web", "2000"].repeat(2));
    assert_eq!(texts("scenario"), [vec!["base"; 4], vec!["dearer"; 4]].concat());
    let customers = [1_000, 500, 500, 1_000].map(Some);
    assert_eq!(job.whole_numbers("new_customer_value", "customers"), [customers, customers].concat());
    for (row, found) in job.floats("new_customer_value", "expected_purchases").iter().enumerate() {
        assert!((found - periods).abs() < 1e-9, "{row}: {found} is not {periods}");
    }
    for (row, (value, spend)) in column("expected_value").iter().zip(column("expected_spend")).enumerate() {
        let fee = FEE as f64 * if row < 4 { 1.0 } else { 1.5 };
        assert!((*value as f64 - fee * discounted).abs() < 0.51, "{row}: {value} is not {}", fee * discounted);
        assert!((spend as f64 - fee * periods).abs() < 0.51, "{row}: {spend}");
    }
    assert_eq!(column("acquisition_cost"), [4_000, 5_000, 3_000, 4_000].repeat(2));
    let net: Vec<i128> = column("expected_value").iter().zip(column("acquisition_cost")).map(|(v, c)| v - c).collect();
    assert_eq!(column("value_after_acquisition"), net);
    // Customers who are planned to be won are worth what the next one of their channel is, from the day on that they come.
    assert_eq!(job.texts("acquisition_value", "group"), ["all", "web"]);
    let planned = |name: &str| job.decimals("acquisition_value", name);
    for (row, (customers, years)) in [(4.0, 2), (10.0, 1)].into_iter().enumerate() {
        let worth = customers * FEE as f64 * discounted * factor(years);
        assert!((planned("value")[row] as f64 - worth).abs() < 0.51, "{row}: {} is not {worth}", planned("value")[row]);
    }
    assert_eq!(planned("cost"), [0, (25_000.0 * factor(1)).round_ties_even() as i128]);
    let all = |name: &str| job.decimals("customer_equity", name)[0];
    assert_eq!(all("planned_value"), planned("value").iter().sum::<i128>());
    assert_eq!(all("equity_with_plan"), all("expected_value") + all("planned_value") - all("planned_cost"));
    for name in ["beta_weibull", "exponential_gamma", "weibull_gamma"] {
        let job = cohort(name, "");
        job.run(&[]);
        assert_eq!(job.texts("new_customer_value", "grouping"), ["all", "cohort_year"], "{name}");
        assert!(
            job.decimals("new_customer_value", "expected_value").iter().all(|value| *value > i128::from(FEE)),
            "{name}"
        );
    }
}

#[test]
fn a_run_of_contracts_has_the_same_bytes_for_any_number_of_threads() {
    let job = cohort("weibull_gamma", ", parameter_uncertainty: true");
    let digest = |threads: &str| job.run(&["--threads", threads])["result_digest"].clone();
    let one = digest("1");
    assert!(one == digest("2") && one == digest("8"));
}

/// Four customers, and contracts of them in CSV.
fn small(contracts: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
as_of: 2001-12-31
inputs:
  transactions: {{path: t.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
  contracts: {{path: c.csv, columns: {{customer_id: c, start: s, end: e}}}}
forecast: {{model: exponential_gamma, time_unit: month, horizon: 1y, paths: 0{more}}}
"
    ));
    let day = day_from_civil(2000, 1, 1);
    job.parquet("t.parquet", vec![("c", integers(1..5)), ("d", days([day; 4])), ("a", cents([100; 4]))]);
    job.text("c.csv", &format!("c,s,e\n{contracts}"));
    job
}

#[test]
fn bad_contracts_are_rejected_by_their_rule_and_overlapping_ones_stop_the_run() {
    let job = small(
        "1,2000-01-01,2000-06-30\n2,2000-01-01,\n9,2000-01-01,\n3,,2000-01-31\n3,2000-01-01,never\n\
         3,2000-05-05,2000-05-04\n4,2002-01-01,\n",
        "",
    );
    job.run(&[]);
    assert_eq!(
        job.texts("rejected", "rule"),
        ["after_as_of", "ends_before_start", "missing_date", "missing_date", "unknown_customer"]
    );
    // Customers without an accepted contract are not in the forecast.
    assert_eq!(job.decimals("customer_value", "expected_value").len(), 2);
    let job = small("1,2000-01-01,2000-06-30\n1,2000-06-30,2000-07-31\n2,2000-01-01,\n2,2000-03-01,\n", "");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: contracts: rule `overlapping_contract` is broken by 2 of 4 rows: the customer is under another contract already; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}

#[test]
fn a_gap_is_a_churn_unless_the_grace_covers_it() {
    let contracts = "1,2000-01-01,2000-06-30\n1,2000-07-20,2001-03-31\n2,2000-01-01,\n3,2000-02-01,2000-02-20\n";
    let customers = |more: &str| small(contracts, more).run(&[])["fits"]["exponential_gamma"]["customers"].clone();
    assert_eq!((customers(""), customers(", grace: 18d"), customers(", grace: 19d")), (4.into(), 4.into(), 3.into()));
    // Who had left before the records begin is in no fit.
    assert_eq!(customers(", contracts_from: 2000-07-01"), 2);
}

#[test]
fn a_base_that_lost_nobody_is_refused() {
    assert_snapshot!(small("1,2000-01-01,\n2,2000-01-01,\n", "").failure(), @r"
    exit code 1
    error: forecast: the exponential-gamma fit failed: no customer was lost, so nothing is known of retention
      hint: leave out the `forecast` block to run without a forecast
    ");
    let job = small("1,2000-01-01,\n", "");
    let told = job.command("fit", &["--model", job.path("m.json").to_str().unwrap()]);
    assert_eq!(told.status.code(), Some(1));
    assert!(!job.path("m.json").exists(), "a failed fit is not saved");
}

#[test]
fn fit_tells_that_a_fit_ended_at_a_limit() {
    let job = small(
        "1,2000-01-01,2000-06-29\n2,2000-01-01,2000-06-30\n3,2000-01-01,2000-07-01\n4,2000-01-01,2000-07-02\n",
        "",
    );
    let told = job.command("fit", &["--model", job.path("m.json").to_str().unwrap()]);
    assert_eq!(told.status.code(), Some(0));
    let talk = String::from_utf8_lossy(&told.stderr).into_owned();
    let note = "note: exponential-gamma has no finite maximum on this ledger: it became exponential lifetimes";
    assert!(talk.contains(note), "{talk}");
}

#[test]
fn auto_uses_the_model_of_contracts_that_foretells_who_stays_and_says_why() {
    let job = cohort("auto", "");
    let manifest = job.run(&[]);
    let methods = ["beta_geometric", "beta_weibull", "exponential_gamma", "weibull_gamma"];
    assert_eq!(job.texts("model_comparison", "method"), methods);
    // A quarter of seven years before as_of, 289 were under contract.
    assert_eq!(job.whole_numbers("model_comparison", "customers"), [Some(289); 4]);
    assert_eq!(manifest["model_choice"]["holdout_days"], 2_556 / 4);
    let scores = job.floats("model_comparison", "crps");
    let least = (0..4).min_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
    let chosen = job.whole_numbers("model_comparison", "chosen");
    assert_eq!(chosen.iter().position(|chosen| *chosen == Some(1)), Some(least));
    assert_eq!(manifest["model_choice"]["model"], methods[least]);
    let why = manifest["model_choice"]["why"].as_str().unwrap();
    assert!(
        why.starts_with(&format!("model auto chose {}: scored by CRPS (years under contract,", methods[least])),
        "{why}"
    );
    // The model that is used is the one that was named, fitted to all.
    let named = cohort(methods[least], "");
    let fit = &named.run(&[])["fits"][methods[least]]["parameters"];
    assert_eq!(&manifest["fits"][methods[least]]["parameters"], fit);
    assert_eq!(named.decimals("customer_value", "expected_value"), job.decimals("customer_value", "expected_value"));
    // The same as validate does on the same cut.
    let validation = job.path("validation");
    let told = job.command("validate", &["--holdout", "639d", "--output", validation.to_str().unwrap()]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let validated = floats_of(&validation, "validation_contract_score", "crps");
    assert_eq!(validated[..4], scores[..]);
}
