//! `forecast`: the model, its time unit, the horizon and the discount rate.

use super::costs::MAX_RATE_PER_YEAR;
use crate::{
    cli::config::{
        error::Problems,
        number::days_of,
        walk::{Entry, Fields},
    },
    schema::{
        forecasting::ModelChoice,
        settings::{ForecastSettings, PurchaseKind},
    },
};

/// Keys of `forecast`.
const KEYS: [&str; 8] =
    ["model", "holdout", "spend", "time_unit", "horizon", "discount_rate_per_year", "paths", "parameter_uncertainty"];

/// Words of `time_unit` and their days. A year has 365.25 days, a month a twelfth of them.
const TIME_UNITS: [(&str, (&str, f64)); 4] =
    [("day", ("day", 1.0)), ("week", ("week", 7.0)), ("month", ("month", 365.25 / 12.0)), ("year", ("year", 365.25))];

/// Longest horizon, in days: a century.
const MAX_HORIZON_DAYS: u64 = 36_525;

/// Monte Carlo paths when the config does not say.
const DEFAULT_PATHS: u64 = 1_000;

/// Most Monte Carlo paths a customer.
const MAX_PATHS: u64 = 1_000_000;

/// `forecast`.
pub(in crate::cli::config) fn read(entry: &Entry<'_>, problems: &mut Problems) -> Option<ForecastSettings> {
    let fields = entry.fields(&KEYS, problems)?;
    let mut models: Vec<(&str, ModelChoice)> =
        PurchaseKind::ALL.map(|kind| (kind.as_str(), ModelChoice::One(kind))).to_vec();
    models.push(("auto", ModelChoice::Auto));
    let model = fields.read_or("model", ModelChoice::One(PurchaseKind::BgNbd), problems, |entry, problems| {
        entry.word(&models, problems)
    });
    only(&fields, "spend", "gamma_gamma", problems);
    let unit =
        fields.read_or("time_unit", ("week", 7.0), problems, |entry, problems| entry.word(&TIME_UNITS, problems));
    let holdout = fields.get("holdout").map(|entry| horizon(entry, problems));
    let horizon_days = fields.read("horizon", problems, horizon);
    let discount_rate_per_year = fields
        .read_or("discount_rate_per_year", 0.0, problems, |entry, problems| entry.rate(MAX_RATE_PER_YEAR, problems));
    let paths = fields.read_or("paths", DEFAULT_PATHS, problems, |entry, problems| entry.whole(0, MAX_PATHS, problems));
    let yes_or_no = [("true", true), ("false", false)];
    let uncertain =
        fields.read_or("parameter_uncertainty", false, problems, |entry, problems| entry.word(&yes_or_no, problems));
    let (time_unit, days_per_unit) = unit?;
    Some(ForecastSettings {
        model: model?,
        holdout_days: match holdout {
            Some(days) => Some(days?),
            None => None,
        },
        days_per_unit,
        time_unit: time_unit.to_owned(),
        horizon_days: horizon_days?,
        discount_rate_per_year: discount_rate_per_year?,
        paths: u32::try_from(paths?).ok()?,
        parameter_uncertainty: uncertain?,
    })
}

/// A choice with one answer so far.
fn only(fields: &Fields<'_>, key: &str, name: &str, problems: &mut Problems) {
    if let Some(entry) = fields.get(key) {
        entry.word(&[(name, ())], problems);
    }
}

/// Days in a length of time from a day to a century.
pub(in crate::cli::config) fn days_in(text: &str) -> Option<u32> {
    days_of(text).filter(|days| (1..=MAX_HORIZON_DAYS).contains(days)).and_then(|days| u32::try_from(days).ok())
}

fn horizon(entry: &Entry<'_>, problems: &mut Problems) -> Option<u32> {
    let days = entry.scalar().and_then(days_in);
    if days.is_none() {
        entry.refuse("a length of time from 1 day to 100 years, like 39 weeks, 12 months or 365 days", None, problems);
    }
    days
}
