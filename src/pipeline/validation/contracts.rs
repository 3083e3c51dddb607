//! Models of contracts.

use serde_json::json;

use super::{Scored, number, percent};
use crate::{
    forecast::{
        contract_holdout::{ContractAssessment, ContractHoldout, ContractOutcome, ContractStep, TenureRow},
        error::ForecastError,
        observed::rank,
    },
    pipeline::{
        Clock, Ledgers, RunError,
        comparison::{end, fit_columns},
        contractual::calendar,
    },
    publish::dataset::Values,
    schema::{
        contract_outputs::CONTRACT_VALIDATION_DATASETS,
        forecasting::ContractKind,
        period::format_day,
        settings::{ForecastSettings, Settings},
    },
};

/// Every model of contracts, and the baselines.
///
/// # Errors
/// [`RunError::Forecast`].
pub(super) fn scored(
    settings: &Settings,
    setting: &ForecastSettings,
    ledgers: &Ledgers,
    days: u32,
    clock: &mut Clock,
) -> Result<Scored, RunError> {
    let contracts = ledgers.contracts.as_deref().map(Vec::as_slice).unwrap_or_default();
    let calendar = calendar(setting, ledgers.as_of);
    let holdout = ContractHoldout::new(contracts, calendar, days, setting.grace_days, setting.contracts_from)
        .map_err(ForecastError::from)?;
    clock.start("models", Some(holdout.customers() as u64));
    let mut rows: Vec<ContractAssessment> = ContractKind::ALL.into_iter().map(|kind| holdout.model(kind)).collect();
    clock.start("baselines", Some(holdout.customers() as u64));
    rows.extend(holdout.baselines());
    let best = rank(&rows).first().copied();
    let datasets = CONTRACT_VALIDATION_DATASETS.iter().map(|spec| {
        let columns = match spec.name {
            "validation_contract_score" => score_columns(&rows, &holdout, best),
            "validation_contract_tracking" => tracking(&rows, &holdout.steps()),
            _ => tenures(&rows),
        };
        (spec, columns)
    });
    Ok(Scored {
        cut: holdout.cut,
        days: holdout.days,
        best: best.map(|row| rows[row].method),
        fits: rows.iter().filter_map(|row| Some((row.method.to_owned(), json!(row.fit.as_ref()?)))).collect(),
        datasets: datasets.collect(),
        table: table(settings, &rows, &holdout, best),
    })
}

/// `expected / actual − 1`.
fn bias(outcome: &ContractOutcome) -> Option<f64> {
    (outcome.actual > 0).then(|| outcome.expected / outcome.actual as f64 - 1.0)
}

fn score_columns(rows: &[ContractAssessment], holdout: &ContractHoldout, best: Option<usize>) -> Vec<Values> {
    let scored = |of: &dyn Fn(&ContractOutcome) -> Option<f64>| {
        Values::Float(rows.iter().map(|row| row.outcome.as_ref().and_then(of)).collect())
    };
    // What happened is the same whatever a method says of it.
    let happened = |of: &dyn Fn(&ContractOutcome) -> u64| {
        let value = rows.iter().find_map(|row| row.outcome.as_ref()).map_or(0, of);
        Values::Integer(vec![Some(value as i64); rows.len()])
    };
    let mut columns = fit_columns(rows);
    columns.extend([
        Values::Integer(vec![Some(holdout.customers() as i64); rows.len()]),
        happened(&|outcome| outcome.actual),
        scored(&|outcome| Some(outcome.expected)),
        scored(&bias),
        scored(&|outcome| Some(outcome.brier)),
        scored(&|outcome| Some(outcome.log_score)),
        scored(&|outcome| Some(outcome.crps)),
        scored(&|outcome| outcome.spearman),
        happened(&|outcome| outcome.actual_renewals),
        scored(&|outcome| Some(outcome.expected_renewals)),
        scored(&|outcome| Some(outcome.mae)),
        scored(&|outcome| Some(outcome.rmse)),
        Values::Integer((0..rows.len()).map(|row| Some(i64::from(Some(row) == best))).collect()),
    ]);
    columns
}

fn tracking(rows: &[ContractAssessment], steps: &[ContractStep]) -> Vec<Values> {
    let points: Vec<(&str, usize, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.method, row.outcome.as_ref()?)))
        .flat_map(|(method, outcome)| outcome.tracked.iter().enumerate().map(move |(step, sum)| (method, step, *sum)))
        .collect();
    vec![
        Values::Text(points.iter().map(|point| Some(point.0.to_owned())).collect()),
        Values::Integer(points.iter().map(|point| Some(point.1 as i64 + 1)).collect()),
        Values::Date(points.iter().map(|point| Some(steps[point.1].day)).collect()),
        Values::Integer(points.iter().map(|point| Some(steps[point.1].actual as i64)).collect()),
        Values::Float(points.iter().map(|point| Some(point.2)).collect()),
    ]
}

fn tenures(rows: &[ContractAssessment]) -> Vec<Values> {
    let points: Vec<(&str, i64, TenureRow)> = rows
        .iter()
        .filter_map(|row| Some((row.method, row.outcome.as_ref()?)))
        .flat_map(|(method, outcome)| (0..).zip(&outcome.by_tenure).map(move |(tenure, row)| (method, tenure, *row)))
        .filter(|(.., row)| row.customers > 0)
        .collect();
    let share = |of: &dyn Fn(&TenureRow) -> f64| {
        Values::Float(points.iter().map(|(.., row)| Some(of(row) / row.customers as f64)).collect())
    };
    vec![
        Values::Text(points.iter().map(|point| Some(point.0.to_owned())).collect()),
        Values::Integer(points.iter().map(|point| Some(point.1)).collect()),
        Values::Integer(points.iter().map(|(.., row)| Some(row.customers as i64)).collect()),
        share(&|row| row.actual as f64),
        share(&|row| row.expected),
    ]
}

/// The scores, widest line 80 columns.
fn table(
    settings: &Settings,
    rows: &[ContractAssessment],
    holdout: &ContractHoldout,
    best: Option<usize>,
) -> Vec<String> {
    let kept = holdout.steps().last().map_or(0, |step| step.actual);
    let mut lines = vec![
        format!("{}, contracts in the {} days after {}", settings.name, holdout.days, format_day(holdout.cut)),
        format!("  {} customers, {kept} of them stayed", holdout.customers()),
        String::new(),
        format!(
            "  {:<18}{:>10}{:>8}{:>8}{:>8}{:>10}{:>10}{:>6}",
            "", "stay", "bias", "CRPS", "Brier", "renewals", "actual", "MAE"
        ),
    ];
    for (at, row) in rows.iter().enumerate() {
        let Some(outcome) = &row.outcome else {
            lines.push(format!("  {:<18}{:>10}", row.method, "no fit"));
            continue;
        };
        let mark = if Some(at) == best { "*" } else { " " };
        lines.push(format!(
            "{mark} {:<18}{:>10}{:>8}{:>8}{:>8}{:>10}{:>10}{:>6}",
            row.method,
            number(Some(outcome.expected), 1),
            percent(bias(outcome)),
            number(Some(outcome.crps), 4),
            number(Some(outcome.brier), 4),
            number(Some(outcome.expected_renewals), 1),
            outcome.actual_renewals,
            number(Some(outcome.mae), 2),
        ));
    }
    lines.push(String::new());
    lines.push(format!("  CRPS: distance of the distribution of the time under contract, in {}s, to", unit(settings)));
    lines.push("  what happened. Brier: mean squared error of the probability to stay.".to_owned());
    lines.push("  * least CRPS of the models with a usable fit.".to_owned());
    for row in rows {
        if let Some(fit) = row.fit.as_ref().filter(|_| !row.usable()) {
            lines.push(format!("  {} is not usable: {}", row.method, end(&fit.end)));
        }
    }
    lines
}

fn unit(settings: &Settings) -> &str {
    settings.forecast.as_ref().map_or("unit", |setting| &setting.time_unit)
}
