//! `forecast` and `portfolio`.

use super::*;
use crate::schema::forecasting::ModelChoice;
use crate::schema::settings::{PoolBy, PurchaseKind};

#[test]
fn a_forecast_needs_a_horizon() {
    assert_snapshot!(message_with("forecast:\n"), @"shop/whalecurve.yaml:5:1: `forecast.horizon` is missing");
}

#[test]
fn a_horizon_is_at_least_a_day_and_has_a_unit() {
    let with = |horizon: &str| message_with(&format!("forecast: {{horizon: {horizon}}}\n"));
    assert_snapshot!(with("39"), @"shop/whalecurve.yaml:5:21: `forecast.horizon` is `39`, expected a length of time from 1 day to 100 years, like 39 weeks, 12 months or 365 days");
    assert_snapshot!(with("0 days"), @"shop/whalecurve.yaml:5:21: `forecast.horizon` is `0 days`, expected a length of time from 1 day to 100 years, like 39 weeks, 12 months or 365 days");
    assert_snapshot!(with("101 years"), @"shop/whalecurve.yaml:5:21: `forecast.horizon` is `101 years`, expected a length of time from 1 day to 100 years, like 39 weeks, 12 months or 365 days");
    assert_eq!(read_minimal_with("forecast: {horizon: 39w}\n").forecast.map(|f| f.horizon_days), Some(273));
}

#[test]
fn a_forecasts_words_and_numbers_are_checked() {
    let text = "\
forecast:
  model: pareto_bnd
  spend: gama_gamma
  time_unit: weeks
  horizon: 1y
  discount_rate_per_year: 10.01
  paths: 1e6
";
    assert_snapshot!(message_with(text), @r"
    shop/whalecurve.yaml:6:10: `forecast.model` is `pareto_bnd`, expected one of bg_nbd, mbg_nbd, pareto_nbd, bg_cnbd_k, mbg_cnbd_k, auto, bg_bb, beta_geometric, beta_weibull, exponential_gamma, weibull_gamma
      hint: did you mean `pareto_nbd`?
    shop/whalecurve.yaml:7:10: `forecast.spend` is `gama_gamma`, expected one of gamma_gamma, normal
      hint: did you mean `gamma_gamma`?
    shop/whalecurve.yaml:8:14: `forecast.time_unit` is `weeks`, expected one of day, week, month, year
      hint: did you mean `week`?
    shop/whalecurve.yaml:10:27: `forecast.discount_rate_per_year` is `10.01`, expected a number from 0 to 10, at most 12 digits after the point
    shop/whalecurve.yaml:11:10: `forecast.paths` is `1e6`, expected a whole number from 0 to 1000000
    ");
    assert_snapshot!(message_with("forecast: {horizon: 1y, discount_rate_per_year: -0.1, paths: 1000001}\n"), @r"
    shop/whalecurve.yaml:5:49: `forecast.discount_rate_per_year` is `-0.1`, expected a number from 0 to 10, at most 12 digits after the point
    shop/whalecurve.yaml:5:62: `forecast.paths` is `1000001`, expected a whole number from 0 to 1000000
    ");
    assert_snapshot!(message_with("forecast: {horizon: 1y, discount_rate_per_year: .nan}\n"), @"shop/whalecurve.yaml:5:49: `forecast.discount_rate_per_year` is `.nan`, expected a number from 0 to 10, at most 12 digits after the point");
    assert_snapshot!(message_with("forecast: {horizon: 1y, discount_rate_per_year: 10 %}\n"), @r"
    shop/whalecurve.yaml:5:49: `forecast.discount_rate_per_year` is `10 %`, expected a number from 0 to 10, at most 12 digits after the point
      hint: write 10 % as 0.10
    ");
}

#[test]
fn the_purchase_model_is_bg_nbd_unless_another_is_named() {
    let model = |text: &str| read_minimal_with(text).forecast.map(|forecast| forecast.model.as_str());
    assert_eq!(model("forecast: {horizon: 1y}\n"), Some("bg_nbd"));
    for name in ["bg_nbd", "mbg_nbd", "pareto_nbd", "bg_cnbd_k", "mbg_cnbd_k", "auto", "bg_bb"] {
        assert_eq!(model(&format!("forecast: {{horizon: 1y, model: {name}}}\n")), Some(name));
    }
}

/// The smallest config with contracts, its forecast on line 6.
fn contracts(forecast: &str) -> String {
    let table = "  contracts: {path: c.parquet, columns: {customer_id: c, start: s, end: e}}";
    format!("{table}\nforecast: {{horizon: 1y{forecast}}}\n")
}

#[test]
fn a_model_of_contracts_has_its_grace_and_the_day_from_which_contracts_are_known() {
    let read = |text: &str| read_minimal_with(&contracts(text)).forecast.unwrap();
    for name in ["beta_geometric", "beta_weibull", "exponential_gamma", "weibull_gamma"] {
        let found = read(&format!(", model: {name}"));
        assert_eq!((found.model.as_str(), found.grace_days, found.contracts_from), (name, 0, None));
    }
    let found = read(", model: auto, grace: 14d, holdout: 1y");
    assert_eq!((found.model, found.grace_days, found.holdout_days), (ModelChoice::Contract(None), 14, Some(365)));
    let found = read(", model: weibull_gamma, grace: 1 month, contracts_from: 1970-01-11");
    assert_eq!((found.grace_days, found.contracts_from), (30, Some(10)));
}

#[test]
fn a_model_of_contracts_and_the_table_of_contracts_need_each_other() {
    assert_snapshot!(message_with("forecast: {horizon: 1y, model: beta_weibull}\n"), @r"
    shop/whalecurve.yaml:5:32: `forecast.model` is a model of contracts, but `inputs.contracts` is missing
      hint: name the table, as in: contracts: {path: contracts.parquet, columns: {customer_id: id, start: from, end: to}}
    ");
    assert_snapshot!(message_with(&contracts("")), @r"
    shop/whalecurve.yaml:5:3: `inputs.contracts` has no effect: no model of contracts uses it
      hint: set forecast.model to one of beta_geometric, beta_weibull, exponential_gamma, weibull_gamma, or auto
    ");
    assert_snapshot!(message_with(&contracts(", model: bg_nbd, grace: 2w, contracts_from: 1970-01-11")), @r"
    shop/whalecurve.yaml:5:3: `inputs.contracts` has no effect: no model of contracts uses it
      hint: set forecast.model to one of beta_geometric, beta_weibull, exponential_gamma, weibull_gamma, or auto
    shop/whalecurve.yaml:6:40: `forecast.grace` has no effect with bg_nbd
    shop/whalecurve.yaml:6:51: `forecast.contracts_from` has no effect with bg_nbd
    ");
    assert_snapshot!(message_with(&contracts(", model: auto, penalty: 1, next_purchase: simulated")), @r"
    shop/whalecurve.yaml:6:38: `forecast.penalty` has no effect with auto
    shop/whalecurve.yaml:6:50: `forecast.next_purchase` has no effect with auto
    ");
    assert_snapshot!(message_with(&contracts(", model: beta_weibull, grace: 2y, holdout: 1y")), @r"
    shop/whalecurve.yaml:6:53: `forecast.grace` is `2y`, expected a length of time up to a year, like 0 days, 14 days or 1 month
    shop/whalecurve.yaml:6:57: `forecast.holdout` has no effect with beta_weibull
    ");
}

#[test]
fn a_holdout_is_a_length_of_time_and_uncertainty_is_true_or_false() {
    let read = |text: &str| read_minimal_with(&format!("forecast: {{horizon: 1y{text}}}\n")).forecast.unwrap();
    assert_eq!((read("").holdout_days, read("").parameter_uncertainty), (None, false));
    let found = read(", holdout: 26w, parameter_uncertainty: true");
    assert_eq!((found.holdout_days, found.parameter_uncertainty), (Some(182), true));
    assert_snapshot!(message_with("forecast: {horizon: 1y, holdout: 26, parameter_uncertainty: maybe}\n"), @r"
    shop/whalecurve.yaml:5:34: `forecast.holdout` is `26`, expected a length of time from 1 day to 100 years, like 39 weeks, 12 months or 365 days
    shop/whalecurve.yaml:5:61: `forecast.parameter_uncertainty` is `maybe`, expected one of true, false
    ");
}

#[test]
fn quantiles_are_probabilities_each_named_once_and_told_ascending() {
    let read = |text: &str| {
        let settings = read_minimal_with(&format!("forecast: {{horizon: 1y{text}}}\n"));
        settings.quantiles().iter().map(|quantile| quantile.suffix()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(read(""), "p05 p25 p50 p75 p95");
    assert_eq!(read(", quantiles: [0.975, 0.5, 0.025]"), "p02_5 p50 p97_5");
    assert_eq!(read(", quantiles: 0.5"), "p50");
    assert_snapshot!(message_with("forecast: {horizon: 1y, quantiles: [0, 0.05, 5 %, 1.0, 0.1234567, 0.050]}\n"), @r"
    shop/whalecurve.yaml:5:37: `forecast.quantiles` is `0`, expected probabilities above 0 and below 1, at most 6 digits after the point, like [0.05, 0.5, 0.95]
    shop/whalecurve.yaml:5:46: `forecast.quantiles` is `5 %`, expected probabilities above 0 and below 1, at most 6 digits after the point, like [0.05, 0.5, 0.95]
    shop/whalecurve.yaml:5:51: `forecast.quantiles` is `1.0`, expected probabilities above 0 and below 1, at most 6 digits after the point, like [0.05, 0.5, 0.95]
    shop/whalecurve.yaml:5:56: `forecast.quantiles` is `0.1234567`, expected probabilities above 0 and below 1, at most 6 digits after the point, like [0.05, 0.5, 0.95]
    shop/whalecurve.yaml:5:67: `forecast.quantiles` names a quantile twice
    ");
    assert_snapshot!(message_with("forecast: {horizon: 1y, quantiles: []}\n"), @"shop/whalecurve.yaml:5:36: `forecast.quantiles` is an empty list, expected probabilities above 0 and below 1, at most 6 digits after the point, like [0.05, 0.5, 0.95]");
}

#[test]
fn spend_discounting_and_the_next_purchase_are_words_with_a_default() {
    let read = |text: &str| read_minimal_with(&format!("forecast: {{horizon: 1y{text}}}\n")).forecast.unwrap();
    let plain = read("");
    assert_eq!(
        (plain.spend.as_str(), plain.discounting.as_str(), plain.simulated_waits),
        ("gamma_gamma", "continuous", false)
    );
    let found = read(", spend: normal, discounting: per_month, next_purchase: simulated");
    assert_eq!(
        (found.spend.as_str(), found.discounting.as_str(), found.simulated_waits),
        ("normal", "per_month", true)
    );
    assert_snapshot!(message_with("forecast: {horizon: 1y, discounting: monthly, next_purchase: paths}\n"), @r"
    shop/whalecurve.yaml:5:38: `forecast.discounting` is `monthly`, expected one of continuous, per_day, per_week, per_month, per_year
    shop/whalecurve.yaml:5:62: `forecast.next_purchase` is `paths`, expected one of closed_form, simulated
    ");
    assert_snapshot!(message_with("forecast: {horizon: 1y, paths: 0, next_purchase: simulated}\n"), @"shop/whalecurve.yaml:5:50: `forecast.next_purchase` is `simulated` without paths");
}

#[test]
fn customers_are_pooled_by_a_column_that_is_mapped_or_by_when_they_came() {
    let by = |text: &str| read_minimal_with(text).forecast.unwrap().pool_by.map(PoolBy::as_str);
    assert_eq!(by("forecast: {horizon: 1y}\n"), None);
    for name in ["cohort_year", "cohort_quarter", "cohort_month"] {
        assert_eq!(by(&format!("forecast: {{horizon: 1y, pool_by: {name}}}\n")), Some(name));
    }
    assert_snapshot!(message_with("forecast: {horizon: 1y, pool_by: cohort}\n"), @r"
    shop/whalecurve.yaml:5:34: `forecast.pool_by` is `cohort`, expected one of segment, channel, region, cohort_year, cohort_quarter, cohort_month
      hint: did you mean `cohort_year`?
    ");
    assert_snapshot!(message_with("forecast: {horizon: 1y, pool_by: channel}\n"), @r"
    shop/whalecurve.yaml:5:34: `forecast.pool_by` needs the column channel of inputs.customers
      hint: map it, or group by when customers came: cohort_year, cohort_quarter or cohort_month
    ");
    assert_snapshot!(message_with("forecast: {horizon: 1y, pool_by: cohort_year, model: bg_cnbd_k}\n"), @r"
    shop/whalecurve.yaml:5:34: `forecast.pool_by` needs a model whose parameters are all continuous, but `k` of bg_cnbd_k is a whole number
      hint: take model: bg_nbd, mbg_nbd, pareto_nbd, or auto, which chooses of these
    ");
    let auto = read_minimal_with("forecast: {horizon: 1y, pool_by: cohort_year, model: auto}\n").forecast.unwrap();
    assert_eq!(auto.kinds(), PurchaseKind::CONTINUOUS);
}

#[test]
fn a_penalty_is_a_number_and_stands_alone() {
    let penalty = |text: &str| read_minimal_with(text).forecast.unwrap().penalty;
    assert_eq!(penalty("forecast: {horizon: 1y}\n"), None);
    assert_eq!(penalty("forecast: {horizon: 1y, penalty: 0}\n"), None);
    assert_eq!(penalty("forecast: {horizon: 1y, penalty: 0.01}\n"), Some(0.01));
    assert_snapshot!(message_with("forecast: {horizon: 1y, penalty: -1}\n"), @"shop/whalecurve.yaml:5:34: `forecast.penalty` is `-1`, expected a number from 0 to 100, at most 12 digits after the point");
    assert_snapshot!(message_with("forecast: {horizon: 1y, penalty: 0.1, pool_by: cohort_year, model: mbg_cnbd_k}\n"), @r"
    shop/whalecurve.yaml:5:34: `forecast.penalty` stands beside pool_by: groups are drawn towards all already
      hint: leave one of them out
    shop/whalecurve.yaml:5:34: `forecast.penalty` needs a model whose parameters are all continuous, but `k` of mbg_cnbd_k is a whole number
      hint: take model: bg_nbd, mbg_nbd, pareto_nbd, or auto, which chooses of these
    shop/whalecurve.yaml:5:48: `forecast.pool_by` needs a model whose parameters are all continuous, but `k` of mbg_cnbd_k is a whole number
      hint: take model: bg_nbd, mbg_nbd, pareto_nbd, or auto, which chooses of these
    ");
}

#[test]
fn a_month_is_a_twelfth_of_a_year_of_365_and_a_quarter_days() {
    let unit = |unit: &str| {
        let settings = read_minimal_with(&format!("forecast: {{time_unit: {unit}, horizon: 1y}}\n"));
        settings.forecast.map(|forecast| forecast.days_per_unit)
    };
    assert_eq!(unit("month").map(|days| days * 12.0), unit("year"));
    assert_eq!((unit("day"), unit("week"), unit("year")), (Some(1.0), Some(7.0), Some(365.25)));
}

/// The smallest config with a customers table that has these covariates, and this forecast.
fn with_covariates(covariates: &str, forecast: &str) -> Result<Settings, ConfigErrors> {
    let customers = format!("  customers: {{path: c.csv, columns: {{customer_id: id}}, covariates: {covariates}}}\n");
    super::read(&format!("{MINIMAL}{customers}forecast: {{horizon: 1y, {forecast}}}\n"))
}

#[test]
fn covariates_are_columns_of_the_customers_table() {
    let read = |covariates: &str, forecast: &str| with_covariates(covariates, forecast).unwrap();
    let found = read(
        "{age: AGE, area: {column: ZIP, as: category}}",
        "model: mbg_nbd, covariates: {rate: [age, area], dropout: area}",
    );
    let columns = &found.inputs.customers.as_ref().unwrap().covariates;
    assert_eq!((columns["age"].column.as_str(), columns["age"].kind), ("AGE", None));
    assert_eq!(columns["area"].kind, Some(crate::schema::covariates::CovariateKind::Category));
    let wanted = found.forecast.unwrap().covariates.unwrap();
    assert_eq!((wanted.rate, wanted.dropout), (vec!["age".to_owned(), "area".to_owned()], vec!["area".to_owned()]));
}

#[test]
fn covariates_that_do_not_fit_are_told_all_at_once() {
    let message = |covariates: &str, forecast: &str| with_covariates(covariates, forecast).unwrap_err().to_string();
    assert_snapshot!(message("{age: AGE, area: {column: ZIP}, sex: {column: SEX, as: word}}", "covariates: {rate: age}"), @r"
    shop/whalecurve.yaml:5:79: `inputs.customers.covariates.area.as` is missing
    shop/whalecurve.yaml:5:79: `inputs.customers.covariates.area` has no effect: `forecast.covariates` does not name it
    shop/whalecurve.yaml:5:100: `inputs.customers.covariates.sex` has no effect: `forecast.covariates` does not name it
    shop/whalecurve.yaml:5:123: `inputs.customers.covariates.sex.as` is `word`, expected one of number, category
    ");
    assert_snapshot!(message("{age: AGE, area: ZIP}", "covariates: {rate: [aeg, area, area], droput: age}"), @r"
    shop/whalecurve.yaml:6:45: `forecast.covariates.rate` is `aeg`, expected a covariate of `inputs.customers.covariates`
      hint: did you mean `age`?
    shop/whalecurve.yaml:6:56: `forecast.covariates.rate` names one covariate twice
    shop/whalecurve.yaml:6:63: unknown key `droput` in `forecast.covariates`
      hint: did you mean `dropout`? known keys: rate, dropout
    ");
    assert_snapshot!(message("{age: AGE, area: ZIP}", "covariates: {rate: age}"), @"shop/whalecurve.yaml:5:79: `inputs.customers.covariates.area` has no effect: `forecast.covariates` does not name it");
    assert_snapshot!(message("{age: AGE}", "model: bg_cnbd_k, parameter_uncertainty: true, covariates: {rate: age}"), @r"
    shop/whalecurve.yaml:6:72: `forecast.covariates` has no effect on the model `bg_cnbd_k`
      hint: models with covariates: bg_nbd, mbg_nbd, pareto_nbd, and auto, which tries them
    ");
    assert_snapshot!(message("{age: AGE}", "covariates: {}"), @r"
    shop/whalecurve.yaml:6:25: `forecast.covariates` names no covariate
      hint: as in: covariates: {rate: [age, country], dropout: [country]}
    ");
    assert_snapshot!(message_with("forecast: {horizon: 1y, covariates: {rate: [age]}}\n"), @r"
    shop/whalecurve.yaml:5:45: `forecast.covariates.rate` is `age`, expected a covariate of `inputs.customers.covariates`
      hint: name columns of the customers table there, as in: covariates: {age: AGE}
    ");
}

#[test]
fn rfm_groups_are_two_to_ten() {
    assert_snapshot!(message_with("portfolio: {rfm_groups: 11}\n"), @"shop/whalecurve.yaml:5:25: `portfolio.rfm_groups` is `11`, expected a whole number from 2 to 10");
}

#[test]
fn shares_of_value_tiers_are_positive_and_add_up_to_one() {
    assert_snapshot!(message_with("portfolio: {value_tiers: {top: 0.2, rest: 0.7}}\n"), @"shop/whalecurve.yaml:5:13: the shares in `portfolio.value_tiers` add up to 90 %, not 100 %");
    assert_snapshot!(message_with("portfolio: {value_tiers: {top: 0, rest: 1}}\n"), @"shop/whalecurve.yaml:5:32: `portfolio.value_tiers.top` is 0: a tier without customers");
    assert_snapshot!(message_with("portfolio: {value_tiers: {top: 1.5, rest: -0.5}}\n"), @r"
    shop/whalecurve.yaml:5:32: `portfolio.value_tiers.top` is `1.5`, expected a number from 0 to 1, at most 12 digits after the point
    shop/whalecurve.yaml:5:43: `portfolio.value_tiers.rest` is `-0.5`, expected a number from 0 to 1, at most 12 digits after the point
    ");
    assert_snapshot!(message_with("portfolio: {value_tiers: {}}\n"), @"shop/whalecurve.yaml:5:13: the shares in `portfolio.value_tiers` add up to 0 %, not 100 %");
}

#[test]
fn ten_tenths_are_one_though_their_floats_are_not() {
    let tiers: Vec<String> = (0..10).map(|tier| format!("t{tier}: 0.1")).collect();
    let settings = read_minimal_with(&format!("portfolio: {{value_tiers: {{{}}}}}\n", tiers.join(", ")));
    let sum: f64 = settings.portfolio.value_tiers.iter().map(|tier| tier.share).sum();
    assert!(settings.portfolio.value_tiers.len() == 10 && sum < 1.0);
}
