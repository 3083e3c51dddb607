//! `whalecurve validate`: every model and baseline fitted up to a cut and scored on what came after.

use std::sync::Arc;

use camino::Utf8Path;
use serde_json::{Map, Value, json};

use super::{
    Clock, Gathered, Progress, RunError, facts,
    output::{self, config_digest, input_files, result_digest},
};
use crate::{
    numeric::keys::Keys,
    publish::{
        PublishError,
        contents::with_digest,
        dataset::{Values, Writer, Written},
        folder::MANIFEST,
    },
    schema::{forecasting::ModelChoice, outputs::OutputDataset, period::format_day, settings::Settings},
    units::Day,
};

mod contracts;
mod opportunities;
mod purchases;
mod scores;

/// What a validation found.
#[derive(Debug)]
pub struct Validation {
    /// The manifest, as written.
    pub manifest: Value,
    /// Scores as a table for people, no line wider than 80 columns.
    pub table: Vec<String>,
}

/// Methods that were scored on a holdout.
struct Scored {
    /// Last day before the holdout, and its length.
    cut: Day,
    days: u32,
    /// The method that did best.
    best: Option<&'static str>,
    fits: Map<String, Value>,
    datasets: Vec<(&'static OutputDataset, Vec<Values>)>,
    table: Vec<String>,
}

/// Reads the ledger once, cuts it, fits and scores every model and baseline of the kind of business that the config's model is
/// of (purchases at any time, at opportunities, or contracts), and writes the validation's datasets.
///
/// * `days`: length of the holdout, the last days up to `as_of`; with `bg_bb` the opportunities that are nearest to it.
///
/// # Errors
/// [`RunError`]; nothing of the output folder has changed then.
pub fn validate(
    settings: &Settings,
    days: u32,
    output: &Utf8Path,
    progress: Arc<dyn Progress>,
) -> Result<Validation, RunError> {
    let staging = output::claim(settings, output)?;
    let mut clock = Clock::new(progress);
    let setting = settings.forecast.as_ref().map(|setting| (setting.model, setting));
    let by_day = !matches!(setting, Some((ModelChoice::Contract(_), _)));
    let Gathered { ledgers, audit, .. } = facts(settings, by_day, &mut clock)?;
    let Scored { cut, days, best, fits, datasets, table } = match setting {
        Some((ModelChoice::Contract(_), setting)) => contracts::scored(settings, setting, &ledgers, days, &mut clock)?,
        Some((ModelChoice::BgBb, setting)) => opportunities::scored(settings, setting, &ledgers, days, &mut clock)?,
        _ => purchases::scored(settings, &ledgers, days, &mut clock)?,
    };
    clock.start("publish", None);
    let ids = Keys::Int(Vec::new());
    let writer = Writer {
        folder: staging.path(),
        ids: &ids,
        customers: &ids,
        exponent: settings.currency.exponent,
        quantiles: settings.quantiles(),
    };
    let written: Vec<Written> = datasets
        .into_iter()
        .map(|(spec, columns)| writer.write(spec, &columns))
        .collect::<Result<_, PublishError>>()?;
    let manifest = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "kind": "validation",
        "config_digest": config_digest(settings),
        "name": settings.name,
        "currency": settings.currency,
        "cut": format_day(cut),
        "as_of": format_day(ledgers.as_of),
        "holdout_days": days,
        "best": best,
        "inputs": input_files(settings, &audit)?,
        "fits": fits,
        "outputs": written,
        "result_digest": result_digest(&written),
    });
    staging.write(MANIFEST, &with_digest(&manifest))?;
    clock.stop();
    clock.note(&staging.commit()?);
    Ok(Validation { manifest, table })
}

/// A number of a table, `-` where there is none.
fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// A share of a table in percent, signed.
fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |share| format!("{:+.1} %", 100.0 * share))
}
