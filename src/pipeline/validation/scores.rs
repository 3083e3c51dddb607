//! Scores of methods that foretell purchases, as datasets and as a table.

use serde_json::json;

use super::{Scored, number, percent};
use crate::{
    forecast::{
        observed::{Assessment, MANY, Observed, rank},
        scores::BINS,
    },
    pipeline::comparison::{Parameters, Told, end, lift, score_columns},
    publish::dataset::Values,
    schema::{forecasting::VALIDATION_DATASETS, outputs::OutputDataset},
};
use serde::Serialize;

/// What a validation writes and tells of methods.
pub(super) fn scored<M: Parameters + Serialize>(title: &str, rows: &[Assessment<M>], observed: &Observed) -> Scored {
    let best = rank(rows).first().copied();
    Scored {
        cut: observed.cut,
        days: observed.days,
        best: best.map(|row| rows[row].method),
        fits: rows.iter().filter_map(|row| Some((row.method.to_owned(), json!(row.fit.as_ref()?)))).collect(),
        datasets: VALIDATION_DATASETS.iter().map(|spec| (spec, columns(spec, rows, observed, best))).collect(),
        table: table(title, rows, observed, best),
    }
}

fn columns<M: Parameters>(
    spec: &OutputDataset,
    rows: &[Assessment<M>],
    observed: &Observed,
    best: Option<usize>,
) -> Vec<Values> {
    match spec.name {
        "validation_score" => score_columns(rows, Some(observed.customers()), best),
        "validation_tracking" => tracking(rows, observed),
        "validation_frequency" => by_frequency(rows, observed),
        "validation_decile" => deciles(rows),
        _ => transforms(rows),
    }
}

fn tracking<M>(rows: &[Assessment<M>], observed: &Observed) -> Vec<Values> {
    let points: Vec<(&str, usize, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.method, row.outcome.as_ref()?)))
        .flat_map(|(method, outcome)| outcome.tracked.iter().enumerate().map(move |(step, sum)| (method, step, *sum)))
        .collect();
    vec![
        Values::Text(points.iter().map(|point| Some(point.0.to_owned())).collect()),
        Values::Integer(points.iter().map(|point| Some(point.1 as i64 + 1)).collect()),
        Values::Date(points.iter().map(|point| Some(observed.steps[point.1].day)).collect()),
        Values::Integer(points.iter().map(|point| Some(observed.steps[point.1].actual as i64)).collect()),
        Values::Float(points.iter().map(|point| Some(point.2)).collect()),
    ]
}

fn by_frequency<M>(rows: &[Assessment<M>], observed: &Observed) -> Vec<Values> {
    let mut points = Vec::new();
    for row in rows {
        let Some(outcome) = &row.outcome else { continue };
        let found = observed.by_frequency(outcome);
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

fn deciles<M>(rows: &[Assessment<M>]) -> Vec<Values> {
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

fn transforms<M>(rows: &[Assessment<M>]) -> Vec<Values> {
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
fn table<M>(title: &str, rows: &[Assessment<M>], observed: &Observed, best: Option<usize>) -> Vec<String> {
    let actual: u64 = observed.actual.iter().map(|n| u64::from(*n)).sum();
    let mut lines = vec![
        title.to_owned(),
        format!("  {} customers, {actual} purchases", observed.customers()),
        String::new(),
        format!(
            "  {:<18}{:>10}{:>8}{:>8}{:>8}{:>8}{:>9}{:>7}",
            "", "expected", "bias", "CRPS", "MAE", "RMSE", "Spearman", "lift"
        ),
    ];
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
            percent(outcome.bias()),
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
