//! Values that a run takes where the config says nothing, with their places: what `--resolved` fills in.

use super::DEFAULT_OUTPUT;
use crate::{
    contract::rules::Rules,
    numeric::decimal::format_minor,
    schema::{
        equity::EquitySettings,
        forecasting::ModelChoice,
        inputs::Limits,
        portfolio::TiersBy,
        settings::{ForecastSettings, PortfolioSettings, Settings, TableName},
    },
};

/// What stands at a place.
#[derive(Clone, Debug)]
pub(super) enum DefaultValue {
    One(String),
    List(Vec<String>),
    Named(Vec<(String, String)>),
}

type Add<'a> = dyn FnMut(&[&str], DefaultValue) + 'a;

/// All of them: of roles, credit grades, single activities, pools and tests the documentation has them.
pub(super) fn defaults(settings: &Settings) -> Vec<(Vec<String>, DefaultValue)> {
    let mut found = Vec::new();
    let mut add = |place: &[&str], value: DefaultValue| {
        found.push((place.iter().map(|key| (*key).to_owned()).collect(), value));
    };
    add(&["name"], one(&settings.name));
    add(&["period"], word(&settings.period));
    add(&["seed"], one(&settings.seed));
    add(&["output"], one(&DEFAULT_OUTPUT));
    add(&["keep_versions"], one(&settings.keep_versions));
    of_inputs(settings, &mut add);
    if let Some(forecast) = &settings.forecast {
        of_forecast(forecast, &mut add);
    }
    of_portfolio(&settings.portfolio, settings.currency.exponent, &mut add);
    of_equity(&settings.equity, &mut add);
    of_decisions(settings, &mut add);
    add(&["report", "write"], one(&settings.report.write));
    add(&["report", "smallest_group"], one(&settings.report.smallest_group));
    add(&["suppress", "smallest_group"], one(&settings.suppress));
    found
}

fn of_inputs(settings: &Settings, add: &mut Add<'_>) {
    let Limits { max_rows, max_uncompressed_bytes, max_row_groups, max_columns } = settings.inputs.transactions.limits;
    let limits = [max_rows, max_uncompressed_bytes, max_row_groups, max_columns];
    for (key, limit) in Limits::KEYS.into_iter().zip(limits) {
        add(&["limits", key], one(&limit));
    }
    add(&["inputs", "transactions", "returns"], word(&settings.inputs.returns));
    for table in TableName::ALL {
        let Some(setting) = settings.inputs.table(table) else { continue };
        add(&["inputs", table.as_str(), "format"], word(&setting.format));
        let rules = Rules::new(settings, table);
        for rule in table.rules().iter().filter(|rule| !rule.ends_with("_range")) {
            add(&["contract", table.as_str(), rule], one(&rules.policy(rule).as_str()));
        }
    }
}

fn of_forecast(forecast: &ForecastSettings, add: &mut Add<'_>) {
    add(&["forecast", "model"], one(&forecast.model.as_str()));
    add(&["forecast", "time_unit"], one(&forecast.time_unit));
    add(&["forecast", "discount_rate_per_year"], one(&forecast.discount_rate_per_year));
    add(&["forecast", "paths"], one(&forecast.paths));
    add(&["forecast", "parameter_uncertainty"], one(&forecast.parameter_uncertainty));
    add(&["forecast", "discounting"], one(&forecast.discounting.as_str()));
    let quantiles = forecast.quantiles.iter().map(|quantile| quantile.level().to_string()).collect();
    add(&["forecast", "quantiles"], DefaultValue::List(quantiles));
    match forecast.model {
        ModelChoice::One(_) | ModelChoice::Auto => {
            add(&["forecast", "spend"], one(&forecast.spend.as_str()));
            let ways = if forecast.simulated_waits { "simulated" } else { "closed_form" };
            add(&["forecast", "next_purchase"], one(&ways));
        }
        ModelChoice::Contract(_) => add(&["forecast", "grace"], one(&format!("{} days", forecast.grace_days))),
        ModelChoice::BgBb => {}
    }
}

fn of_portfolio(portfolio: &PortfolioSettings, exponent: u8, add: &mut Add<'_>) {
    let PortfolioSettings { networking, analysis, .. } = portfolio;
    if portfolio.rfm_cuts.is_none() {
        add(&["portfolio", "rfm_groups"], one(&portfolio.rfm_groups));
    }
    if !matches!(portfolio.tiers_by, TiersBy::Cuts(_)) {
        let tiers = portfolio.value_tiers.iter().map(|tier| (tier.name.clone(), tier.share.to_string())).collect();
        add(&["portfolio", "value_tiers"], DefaultValue::Named(tiers));
        add(&["portfolio", "value_tiers_by"], word(&portfolio.tiers_by));
    }
    add(&["portfolio", "networking", "new_share"], one(&networking.new_share));
    add(&["portfolio", "networking", "decay"], one(&networking.decay));
    let money = |amount: i64| one(&format_minor(amount.into(), exponent));
    add(&["portfolio", "present_above"], money(analysis.present_above));
    add(&["portfolio", "future_at_least"], analysis.future_at_least.map_or_else(|| one(&"median"), money));
}

fn of_equity(equity: &EquitySettings, add: &mut Add<'_>) {
    add(&["equity", "cohort"], one(&equity.cohort.as_str().trim_start_matches("cohort_")));
    add(&["equity", "doors", "least_profitable"], one(&equity.doors.least_profitable));
    add(&["equity", "doors", "min_customers"], one(&equity.doors.min_customers));
    if let Some(bridge) = &equity.bridge {
        add(&["equity", "bridge", "lost_below"], one(&bridge.lost_below));
    }
}

fn of_decisions(settings: &Settings, add: &mut Add<'_>) {
    let (decisions, keep) = (&settings.decisions, &settings.decisions.keep);
    if decisions.budget.is_some() {
        add(&["decisions", "invest", "most_actions"], one(&decisions.most_actions));
    }
    add(&["decisions", "keep", "avoidable_order_cost"], one(&keep.avoidable_order_cost));
    add(&["decisions", "keep", "avoidable_customer_cost"], one(&keep.avoidable_customer_cost));
    add(&["decisions", "keep", "max_price_rise"], one(&keep.max_price_rise));
    add(&["decisions", "keep", "price_elasticity"], one(&keep.price_elasticity));
}

fn one(value: &impl ToString) -> DefaultValue {
    DefaultValue::One(value.to_string())
}

/// The word that a setting has in configs, which is how it is serialised.
fn word(value: &impl serde::Serialize) -> DefaultValue {
    let value = serde_json::to_value(value).unwrap_or_default();
    one(&value.as_str().unwrap_or_default())
}
