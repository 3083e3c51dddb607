//! `forecast`: the model, its time unit, the horizon and the discount rate.

use std::collections::BTreeSet;

use super::{costs::MAX_RATE_PER_YEAR, covariates};
use crate::{
    cli::config::{
        error::Problems,
        number::{days_of, decimal},
        suggest::quoted,
        walk::{Entry, Fields},
    },
    schema::{
        forecasting::{ContractKind, Discounting, ModelChoice, SpendKind},
        quantiles::{DEFAULT_QUANTILES, Quantile},
        settings::{ForecastSettings, PoolBy, PurchaseKind, TableName, TableSetting},
    },
};

/// Keys of `forecast`.
const KEYS: [&str; 16] = [
    "model",
    "pool_by",
    "penalty",
    "covariates",
    "holdout",
    "spend",
    "grace",
    "contracts_from",
    "time_unit",
    "horizon",
    "discount_rate_per_year",
    "discounting",
    "paths",
    "parameter_uncertainty",
    "next_purchase",
    "quantiles",
];

/// Keys that models of contracts alone know, and those that models of purchases at any time alone know.
const CONTRACT_KEYS: [&str; 2] = ["grace", "contracts_from"];
const PURCHASE_KEYS: [&str; 6] = ["covariates", "holdout", "spend", "next_purchase", "pool_by", "penalty"];

/// Words of `time_unit` and their days. A year has 365.25 days, a month a twelfth of them.
const TIME_UNITS: [(&str, (&str, f64)); 4] =
    [("day", ("day", 1.0)), ("week", ("week", 7.0)), ("month", ("month", 365.25 / 12.0)), ("year", ("year", 365.25))];

/// Longest horizon, in days: a century.
const MAX_HORIZON_DAYS: u64 = 36_525;

/// Longest grace, in days: a year.
const MAX_GRACE_DAYS: u64 = 366;

/// Monte Carlo paths when the config does not say.
const DEFAULT_PATHS: u64 = 1_000;

/// Most Monte Carlo paths a customer.
const MAX_PATHS: u64 = 1_000_000;

/// Largest penalty: parameters are then what it says, whatever the data.
const MAX_PENALTY: u8 = 100;

/// `forecast`.
///
/// * `customers`: the customers table as it is mapped, and whether that is all that is to be said of it: what is wrong with
///   `inputs` is told there.
/// * `known`: names of the covariates; `None` when something is wrong with them.
/// * `contracts`: whether there is a table of contracts.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    customers: (Option<&TableSetting>, bool),
    (known, contracts): (Option<&[&str]>, bool),
    problems: &mut Problems,
) -> Option<ForecastSettings> {
    let fields = entry.fields(&KEYS, problems)?;
    let mut models: Vec<(&str, ModelChoice)> = ModelChoice::all().map(|model| (model.as_str(), model)).collect();
    models.insert(PurchaseKind::ALL.len(), (ModelChoice::Auto.as_str(), ModelChoice::Auto));
    let model = fields.read_or("model", ModelChoice::One(PurchaseKind::BgNbd), problems, |entry, problems| {
        entry.word(&models, problems)
    });
    // Of customers whose contracts are known the models of contracts are what there is to choose from.
    let model =
        model.map(|model| if model == ModelChoice::Auto && contracts { ModelChoice::Contract(None) } else { model });
    let spends = SpendKind::ALL.map(|kind| (kind.as_str(), kind));
    let spend =
        fields.read_or("spend", SpendKind::GammaGamma, problems, |entry, problems| entry.word(&spends, problems));
    let pool_by = fields.read_or("pool_by", None, problems, |entry, problems| {
        apart(entry, &fields, problems);
        pool_by(entry, model, customers, problems).map(Some)
    });
    let penalty = fields.read_or("penalty", None, problems, |entry, problems| {
        let penalty = entry.rate(MAX_PENALTY, problems)?;
        if fields.has("pool_by") {
            let what = format!("{} stands beside pool_by: groups are drawn towards all already", quoted(entry.path()));
            problems.add_with_hint(entry.at(), what, "leave one of them out");
        }
        apart(entry, &fields, problems);
        continuous(entry, model, problems);
        Some((penalty > 0.0).then_some(penalty))
    });
    let unit =
        fields.read_or("time_unit", ("week", 7.0), problems, |entry, problems| entry.word(&TIME_UNITS, problems));
    let holdout = fields.get("holdout").map(|entry| horizon(entry, problems));
    let horizon_days = fields.read("horizon", problems, horizon);
    let discount_rate_per_year = fields
        .read_or("discount_rate_per_year", 0.0, problems, |entry, problems| entry.rate(MAX_RATE_PER_YEAR, problems));
    let conventions = Discounting::ALL.map(|discounting| (discounting.as_str(), discounting));
    let discounting = fields.read_or("discounting", Discounting::Continuous, problems, |entry, problems| {
        entry.word(&conventions, problems)
    });
    let paths = fields.read_or("paths", DEFAULT_PATHS, problems, |entry, problems| entry.whole(0, MAX_PATHS, problems));
    let yes_or_no = [("true", true), ("false", false)];
    let uncertain =
        fields.read_or("parameter_uncertainty", false, problems, |entry, problems| entry.word(&yes_or_no, problems));
    let grace = fields.read_or("grace", 0, problems, grace);
    let from = fields.get("contracts_from").map(|entry| entry.day(problems));
    if let Some(model) = model {
        check_keys(&fields, model, problems);
    }
    let ways = [("closed_form", false), ("simulated", true)];
    let simulated_waits =
        fields.read_or("next_purchase", false, problems, |entry, problems| entry.word(&ways, problems));
    if let (Some(true), Some(0), Some(entry)) = (simulated_waits, paths, fields.get("next_purchase")) {
        problems.add(entry.at(), format!("{} is `simulated` without paths", quoted(entry.path())));
    }
    let quantiles = fields.read_or("quantiles", DEFAULT_QUANTILES.to_vec(), problems, quantiles);
    let covariates = fields.read_or("covariates", None, problems, |entry, problems| {
        covariates::read(entry, model, known, problems).map(Some)
    });
    let (time_unit, days_per_unit) = unit?;
    Some(ForecastSettings {
        model: model?,
        holdout_days: match holdout {
            Some(days) => Some(days?),
            None => None,
        },
        grace_days: grace?,
        contracts_from: match from {
            Some(day) => Some(day?),
            None => None,
        },
        spend: spend?,
        days_per_unit,
        time_unit: time_unit.to_owned(),
        horizon_days: horizon_days?,
        discount_rate_per_year: discount_rate_per_year?,
        discounting: discounting?,
        paths: u32::try_from(paths?).ok()?,
        parameter_uncertainty: uncertain?,
        simulated_waits: simulated_waits?,
        quantiles: quantiles?,
        covariates: covariates?,
        pool_by: pool_by?,
        penalty: penalty?,
    })
}

/// What puts customers into groups, and whether it can.
///
/// * `customers`: as for [`read`].
fn pool_by(
    entry: &Entry<'_>,
    model: Option<ModelChoice>,
    (customers, known): (Option<&TableSetting>, bool),
    problems: &mut Problems,
) -> Option<PoolBy> {
    let by = entry.word(&PoolBy::ALL.map(|by| (by.as_str(), by)), problems)?;
    let mapped = |column: &str| customers.is_some_and(|table| table.columns.contains_key(column));
    if let Some(column) = by.column().filter(|column| known && !mapped(column)) {
        let what = format!("{} needs the column {column} of inputs.customers", quoted(entry.path()));
        let hint = "map it, or group by when customers came: cohort_year, cohort_quarter or cohort_month";
        problems.add_with_hint(entry.at(), what, hint);
    }
    continuous(entry, model, problems);
    Some(by)
}

/// Notes covariates beside what gives customers other parameters.
fn apart(entry: &Entry<'_>, fields: &Fields<'_>, problems: &mut Problems) {
    if fields.has("covariates") {
        let what = format!("{} stands beside covariates, which are fitted without it", quoted(entry.path()));
        problems.add_with_hint(entry.at(), what, "leave one of them out");
    }
}

/// Notes a model that has a whole number among its parameters.
fn continuous(entry: &Entry<'_>, model: Option<ModelChoice>, problems: &mut Problems) {
    let Some(ModelChoice::One(kind)) = model else { return };
    if PurchaseKind::CONTINUOUS.contains(&kind) {
        return;
    }
    let what = format!(
        "{} needs a model whose parameters are all continuous, but `k` of {} is a whole number",
        quoted(entry.path()),
        kind.as_str()
    );
    problems.add_with_hint(
        entry.at(),
        what,
        "take model: bg_nbd, mbg_nbd, pareto_nbd, or auto, which chooses of these",
    );
}

/// Days in a length of time from a day to a century.
pub(in crate::cli::config) fn days_in(text: &str) -> Option<u32> {
    days_of(text).filter(|days| (1..=MAX_HORIZON_DAYS).contains(days)).and_then(|days| u32::try_from(days).ok())
}

/// Probabilities above 0 and below 1, in any order, each once; ascending in the settings.
fn quantiles(entry: &Entry<'_>, problems: &mut Problems) -> Option<Vec<Quantile>> {
    let expected = format!(
        "probabilities above 0 and below 1, at most {} digits after the point, like [0.05, 0.5, 0.95]",
        Quantile::DIGITS
    );
    let mut found: Vec<Quantile> = Vec::new();
    let mut complete = true;
    for item in entry.one_or_more(&expected, problems)? {
        let decimal = item.scalar().and_then(|text| decimal(text, Quantile::DIGITS).ok());
        match decimal.and_then(Quantile::new) {
            Some(quantile) if found.contains(&quantile) => {
                problems.add(item.at(), format!("{} names a quantile twice", quoted(entry.path())));
                complete = false;
            }
            Some(quantile) => found.push(quantile),
            None => {
                item.refuse(&expected, None, problems);
                complete = false;
            }
        }
    }
    found.sort_unstable();
    complete.then_some(found)
}

fn horizon(entry: &Entry<'_>, problems: &mut Problems) -> Option<u32> {
    let days = entry.scalar().and_then(days_in);
    if days.is_none() {
        entry.refuse("a length of time from 1 day to 100 years, like 39 weeks, 12 months or 365 days", None, problems);
    }
    days
}

/// Days that a contract may begin late.
fn grace(entry: &Entry<'_>, problems: &mut Problems) -> Option<u32> {
    let days = entry.scalar().and_then(days_of).filter(|days| *days <= MAX_GRACE_DAYS);
    if days.is_none() {
        entry.refuse("a length of time up to a year, like 0 days, 14 days or 1 month", None, problems);
    }
    days.and_then(|days| u32::try_from(days).ok())
}

/// Keys that the model does not know.
fn check_keys(fields: &Fields<'_>, model: ModelChoice, problems: &mut Problems) {
    let unknown: Vec<&str> = match model {
        ModelChoice::One(_) | ModelChoice::Auto => CONTRACT_KEYS.to_vec(),
        ModelChoice::Contract(None) => PURCHASE_KEYS.into_iter().filter(|key| *key != "holdout").collect(),
        ModelChoice::Contract(Some(_)) => PURCHASE_KEYS.to_vec(),
        ModelChoice::BgBb => [&PURCHASE_KEYS[..], &CONTRACT_KEYS[..]].concat(),
    };
    for entry in unknown.into_iter().filter_map(|key| fields.get(key)) {
        problems.add(entry.key_at(), format!("{} has no effect with {}", quoted(entry.path()), model.as_str()));
    }
}

/// Models of contracts and the table of contracts need each other.
pub(in crate::cli::config) fn check_contracts(
    config: &Fields<'_>,
    tables: &BTreeSet<TableName>,
    forecast: Option<&ForecastSettings>,
    problems: &mut Problems,
) {
    let inside = |section: &str, keys: &[&str], key: &str| {
        config.get(section)?.fields(keys, &mut Problems::default())?.get(key).cloned()
    };
    let of_contracts = forecast.is_some_and(|forecast| forecast.model.is_of_contracts());
    if of_contracts
        && !tables.contains(&TableName::Contracts)
        && let Some(model) = inside("forecast", &KEYS, "model")
    {
        let what = format!("{} is a model of contracts, but `inputs.contracts` is missing", quoted(model.path()));
        let hint = "name the table, as in: contracts: {path: contracts.parquet, columns: {customer_id: id, start: from, end: to}}";
        problems.add_with_hint(model.at(), what, hint);
    }
    let known = TableName::ALL.map(TableName::as_str);
    if !of_contracts && let Some(table) = inside("inputs", &known, TableName::Contracts.as_str()) {
        let what = format!("{} has no effect: no model of contracts uses it", quoted(table.path()));
        let models = ContractKind::ALL.map(ContractKind::as_str).join(", ");
        problems.add_with_hint(table.key_at(), what, format!("set forecast.model to one of {models}, or auto"));
    }
}
