//! `whalecurve validate`: every model and baseline fitted up to a cut and scored on what came after.

use std::sync::Arc;

use camino::Utf8Path;
use serde_json::{Value, json};

use super::{
    Clock, Gathered, Progress, RunError, StageTime,
    choice::purchases_alone,
    comparison::{bias, end, lift, score_columns},
    facts,
    grouping::Grouping,
    output::{self, input_files, result_digest},
};
use crate::{
    forecast::{
        holdout::{self, Assessment, Holdout, MANY, WEEK},
        predict::ForecastError,
        scores::BINS,
    },
    numeric::keys::Keys,
    publish::{
        PublishError,
        dataset::{Values, Writer, Written},
        folder::MANIFEST,
    },
    schema::{
        forecasting::{ModelChoice, VALIDATION_DATASETS},
        outputs::OutputDataset,
        period::format_day,
        settings::{PurchaseKind, Settings},
    },
};

/// Days of the model's time unit where the config has no forecast.
const WEEKS: f64 = 7.0;

/// What a validation found.
#[derive(Debug)]
pub struct Validation {
    /// The manifest, as written.
    pub manifest: Value,
    /// Stage times.
    pub times: Vec<StageTime>,
    /// Scores as a table for people, no line wider than 80 columns.
    pub table: Vec<String>,
}

/// Reads the ledger once, cuts it, fits and scores every model and baseline, and writes the validation's datasets.
///
/// * `days`: length of the holdout, the last days up to `as_of`.
///
/// # Errors
/// [`RunError`]; nothing of the output folder has changed then.
pub fn validate(
    settings: &Settings,
    days: u32,
    output: &Utf8Path,
    progress: Arc<dyn Progress>,
) -> Result<Validation, RunError> {
    purchases_alone(settings.forecast.as_ref(), "validate")?;
    let staging = output::claim(settings, output)?;
    let mut clock = Clock::new(progress);
    let days_per_unit = settings.forecast.as_ref().map_or(WEEKS, |forecast| forecast.days_per_unit);
    let Gathered { ledgers, audit, .. } = facts(settings, ModelChoice::Auto.needs_purchase_days(), &mut clock)?;
    let log = ledgers.purchases.as_ref().ok_or(ForecastError::NoPurchases)?;
    let holdout = Holdout::new(log, ledgers.as_of, days, days_per_unit).map_err(ForecastError::from)?;
    clock.start("models", Some(holdout.customers() as u64));
    let mut rows = Vec::new();
    let penalty = settings.forecast.as_ref().and_then(|forecast| forecast.penalty);
    let kinds = if penalty.is_some() { PurchaseKind::CONTINUOUS.as_slice() } else { PurchaseKind::ALL.as_slice() };
    for kind in kinds {
        rows.push(holdout.model(*kind, penalty).map_err(ForecastError::from)?);
    }
    if let Some(by) = settings.forecast.as_ref().and_then(|forecast| forecast.pool_by) {
        clock.start("groups", Some(holdout.customers() as u64));
        let grouping = Grouping::new(by, &ledgers, holdout.histories(), holdout.cut);
        let continuous =
            rows.iter().filter(|row| PurchaseKind::CONTINUOUS.iter().any(|kind| kind.as_str() == row.method));
        let pooled = continuous.map(|row| holdout.groups(row, (&grouping.names, &grouping.of)));
        let pooled = pooled.collect::<Result<Vec<_>, _>>().map_err(ForecastError::from)?;
        rows.extend(pooled.into_iter().flatten());
    }
    if let Some(wanted) = settings.forecast.as_ref().and_then(|forecast| forecast.covariates.as_ref()) {
        for kind in PurchaseKind::CONTINUOUS {
            let found = holdout.with_covariates(kind, &ledgers.covariates, wanted).map_err(ForecastError::from)?;
            rows.push(found);
        }
    }
    clock.start("baselines", Some(holdout.customers() as u64));
    rows.extend(holdout.baselines().map_err(ForecastError::from)?);
    clock.start("publish", None);
    let best = holdout::rank(&rows).first().copied();
    let ids = Keys::Int(Vec::new());
    let writer = Writer {
        folder: staging.path(),
        ids: &ids,
        exponent: settings.currency.exponent,
        quantiles: settings.quantiles(),
    };
    let written: Vec<Written> = VALIDATION_DATASETS
        .iter()
        .map(|spec| writer.write(spec, &columns(spec, &rows, &holdout, best)))
        .collect::<Result<_, PublishError>>()?;
    let manifest = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "kind": "validation",
        "name": settings.name,
        "cut": format_day(holdout.cut),
        "as_of": format_day(ledgers.as_of),
        "holdout_days": holdout.days,
        "best": best.map(|row| rows[row].method),
        "inputs": input_files(settings, &audit)?,
        "fits": rows.iter().filter_map(|row| Some((row.method.to_owned(), json!(row.fit.as_ref()?)))).collect::<serde_json::Map<_, _>>(),
        "outputs": written,
        "result_digest": result_digest(&written),
    });
    staging.write(MANIFEST, &format!("{manifest:#}\n"))?;
    clock.stop();
    staging.commit()?;
    Ok(Validation { manifest, times: clock.times, table: table(settings, &rows, &holdout, best) })
}

fn columns(spec: &OutputDataset, rows: &[Assessment], holdout: &Holdout, best: Option<usize>) -> Vec<Values> {
    match spec.name {
        "validation_score" => score_columns(rows, Some(holdout), best),
        "validation_tracking" => tracking(rows, holdout),
        "validation_frequency" => by_frequency(rows, holdout),
        "validation_decile" => deciles(rows),
        _ => transforms(rows),
    }
}

fn tracking(rows: &[Assessment], holdout: &Holdout) -> Vec<Values> {
    let points: Vec<(&str, usize, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.method, row.outcome.as_ref()?)))
        .flat_map(|(method, outcome)| outcome.weekly.iter().enumerate().map(move |(week, sum)| (method, week, *sum)))
        .collect();
    let last = |week: usize| holdout.cut.saturating_add_unsigned(holdout.days.min((week as u32 + 1) * WEEK));
    vec![
        Values::Text(points.iter().map(|point| Some(point.0.to_owned())).collect()),
        Values::Integer(points.iter().map(|point| Some(point.1 as i64 + 1)).collect()),
        Values::Date(points.iter().map(|point| Some(last(point.1))).collect()),
        Values::Integer(points.iter().map(|point| Some(holdout.weekly[point.1] as i64)).collect()),
        Values::Float(points.iter().map(|point| Some(point.2)).collect()),
    ]
}

fn by_frequency(rows: &[Assessment], holdout: &Holdout) -> Vec<Values> {
    let mut points = Vec::new();
    for row in rows {
        let Some(outcome) = &row.outcome else { continue };
        let found = holdout.by_frequency(outcome);
        points.extend((0..=MANY).zip(found).filter(|(_, of)| of.customers > 0).map(|(x, of)| (row.method, x, of)));
    }
    vec![
        Values::Text(points.iter().map(|point| Some(point.0.to_owned())).collect()),
        Values::Integer(points.iter().map(|point| Some(i64::from(point.1))).collect()),
        Values::Integer(points.iter().map(|point| Some(point.2.customers as i64)).collect()),
        Values::Float(points.iter().map(|point| Some(point.2.actual as f64 / point.2.customers as f64)).collect()),
        Values::Float(points.iter().map(|point| Some(point.2.expected / point.2.customers as f64)).collect()),
    ]
}

fn deciles(rows: &[Assessment]) -> Vec<Values> {
    let points: Vec<_> = rows
        .iter()
        .filter_map(|row| Some((row.method, row.outcome.as_ref()?)))
        .flat_map(|(method, outcome)| (0..outcome.deciles.len()).map(move |number| (method, outcome, number)))
        .collect();
    vec![
        Values::Text(points.iter().map(|point| Some(point.0.to_owned())).collect()),
        Values::Integer(points.iter().map(|point| Some(point.2 as i64 + 1)).collect()),
        Values::Float(points.iter().map(|point| Some(point.1.deciles[point.2].actual)).collect()),
        Values::Float(points.iter().map(|point| Some(point.1.deciles[point.2].expected)).collect()),
        Values::Float(points.iter().map(|point| lift(point.1, point.2)).collect()),
    ]
}

fn transforms(rows: &[Assessment]) -> Vec<Values> {
    let points: Vec<(&str, usize, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.method, row.outcome.as_ref()?.distribution.as_ref()?)))
        .flat_map(|(method, scores)| {
            (0..BINS).map(move |bin| (method, bin, scores.pit[bin] / scores.customers.max(1.0)))
        })
        .collect();
    vec![
        Values::Text(points.iter().map(|point| Some(point.0.to_owned())).collect()),
        Values::Integer(points.iter().map(|point| Some(point.1 as i64 + 1)).collect()),
        Values::Float(points.iter().map(|point| Some(point.2)).collect()),
    ]
}

/// The scores, widest line 80 columns.
fn table(settings: &Settings, rows: &[Assessment], holdout: &Holdout, best: Option<usize>) -> Vec<String> {
    let actual: u64 = holdout.actual.iter().map(|n| u64::from(*n)).sum();
    let mut lines = vec![
        format!("{}, purchases in the {} days after {}", settings.name, holdout.days, format_day(holdout.cut)),
        format!("  {} customers, {actual} purchases", holdout.customers()),
        String::new(),
        format!(
            "  {:<18}{:>10}{:>8}{:>8}{:>8}{:>8}{:>9}{:>7}",
            "", "expected", "bias", "CRPS", "MAE", "RMSE", "Spearman", "lift"
        ),
    ];
    let number = |value: Option<f64>, digits: usize| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.digits$}"));
    for (at, row) in rows.iter().enumerate() {
        let Some(outcome) = &row.outcome else {
            lines.push(format!("  {:<18}{:>10}", row.method, "no fit"));
            continue;
        };
        let mark = if Some(at) == best { "*" } else { " " };
        lines.push(format!(
            "{mark} {:<18}{:>10}{:>8}{:>8}{:>8}{:>8}{:>9}{:>7}",
            row.method,
            number(Some(outcome.errors.expected), 1),
            bias(outcome).map_or_else(|| "-".to_owned(), |bias| format!("{:+.1} %", 100.0 * bias)),
            number(row.crps(), 4),
            number(Some(outcome.errors.mae), 4),
            number(Some(outcome.errors.rmse), 4),
            number(outcome.spearman, 3),
            number(lift(outcome, 0), 2),
        ));
    }
    lines.push(String::new());
    lines.push("  CRPS: distance of the whole distribution to what happened; of a baseline its".to_owned());
    lines.push("  MAE. Lift: purchases of the tenth expected to buy most over the mean tenth.".to_owned());
    lines.push("  * least CRPS of the models with a usable fit.".to_owned());
    for row in rows {
        if let Some(fit) = row.fit.as_ref().filter(|_| !row.usable()) {
            lines.push(format!("  {} is not usable: {}", row.method, end(&fit.end)));
        }
    }
    lines
}
