//! What a run checks of its inputs and outputs beside what its stages must have: freshness, tests, and the record of all.

use camino::Utf8Path;
use polars::prelude::*;

use super::{Audit, Clock, RunError, expressions, objects::is_mapped};
use crate::{
    contract::{ContractError, rules::Rules},
    numeric::decimal::format_minor,
    publish::dataset::Written,
    read::{plain_reason, predicate},
    schema::{
        checks::{self, Check, CheckKind, CheckOutcome, OutputTest, Severity},
        contract::Bucket,
        facts::NO_DAY,
        outputs::{ColumnType, DATASETS, RunColumn},
        period::format_day,
        settings::{Settings, TableName},
    },
    units::{Day, MinorSum},
};

/// How old the ledger's last line is; `None` where nobody asked.
///
/// * `last_day`: of the accepted lines; [`NO_DAY`] without one.
fn freshness(settings: &Settings, last_day: Day) -> Option<Check> {
    let (fresh, as_of) = settings.freshness.zip(settings.as_of)?;
    let days = if last_day == NO_DAY { u64::MAX } else { u64::try_from(as_of - last_day).unwrap_or(0) };
    let older = |limit: Option<u32>| limit.filter(|limit| days > u64::from(*limit));
    let (outcome, limit) = match (older(fresh.error_after), older(fresh.warn_after)) {
        (Some(limit), _) => (CheckOutcome::Fail, Some(limit)),
        (None, Some(limit)) => (CheckOutcome::Warn, Some(limit)),
        (None, None) => (CheckOutcome::Pass, None),
    };
    let message = limit.map(|limit| {
        let as_of = format_day(as_of);
        let found = match last_day {
            NO_DAY => "there is no accepted line".to_owned(),
            _ => format!("the last accepted line is {days} days older than as_of ({as_of})"),
        };
        let without = if outcome == CheckOutcome::Warn { " without a warning" } else { "" };
        format!("transactions: {found}; at most {limit} days are allowed{without}")
    });
    Some(Check {
        kind: CheckKind::Freshness,
        on: TableName::Transactions.as_str().to_owned(),
        name: "freshness".to_owned(),
        severity: if fresh.error_after.is_some() { "error" } else { "warn" },
        found: days,
        of: None,
        amount: None,
        outcome,
        message,
    })
}

/// Stops a run whose ledger is too old.
///
/// # Errors
/// [`ContractError::Stale`].
pub(super) fn judge_freshness(settings: &Settings, last_day: Day) -> Result<(), ContractError> {
    let check = freshness(settings, last_day).filter(|check| check.outcome == CheckOutcome::Fail);
    match check.and_then(|check| check.message) {
        Some(message) => Err(ContractError::Stale(message)),
        None => Ok(()),
    }
}

/// Records what became of every rule of every table that was read, and how fresh the ledger is.
pub(super) fn record_inputs(settings: &Settings, audit: &Audit, clock: &mut Clock) {
    for (table, balance) in &audit.balances {
        for check in Rules::new(settings, *table).checks(balance) {
            clock.record(check);
        }
    }
    if let Some(check) = freshness(settings, audit.last_day) {
        clock.record(check);
    }
}

/// Looks at the tests before anything is read: datasets, columns, and whether predicates are true or false.
///
/// # Errors
/// [`RunError::BadTest`].
pub(super) fn check_tests(settings: &Settings) -> Result<(), RunError> {
    for (name, test) in &settings.tests {
        let wrong = |reason: String| RunError::BadTest { test: name.clone(), reason };
        let columns = columns_of(settings, test);
        let predicate = expressions::of_one_row(&test.no_row_where).map_err(wrong)?;
        let of: Vec<_> = columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
        expressions::is_boolean(settings, &of, &predicate).map_err(wrong)?;
        if let Some(amount) = &test.amount {
            let money = |column: &&RunColumn| matches!(column.kind, ColumnType::Money | ColumnType::MoneySum);
            let sums: Vec<&str> = columns.iter().filter(money).map(|column| column.name.as_str()).collect();
            if !sums.contains(&amount.as_str()) {
                return Err(wrong(format!("`amount` is no column of money; there are: {}", sums.join(", "))));
            }
        }
        if let Some(missing) = missing(settings, &test.dataset) {
            return Err(wrong(format!("dataset `{}` is not written: {missing}", test.dataset)));
        }
    }
    Ok(())
}

/// What a dataset that is not always written needs, where this config has it not.
fn missing(settings: &Settings, dataset: &str) -> Option<&'static str> {
    let products = is_mapped(settings, TableName::Transactions, "product_id");
    let covariates = settings.forecast.as_ref().is_some_and(|forecast| forecast.covariates.is_some());
    let contracts = settings.forecast.as_ref().is_some_and(|forecast| forecast.model.is_of_contracts());
    match dataset {
        "product_profit" | "product_balance" | "product_entry" if !products => Some("the ledger maps no product_id"),
        "model_covariate" if !covariates => Some("the forecast has no covariates"),
        "model_retention" if !contracts => Some("the forecast has no model of contracts"),
        dataset if dataset.starts_with("validation_") => Some("validate alone writes it"),
        _ => None,
    }
}

fn columns_of(settings: &Settings, test: &OutputTest) -> Vec<RunColumn> {
    let spec = DATASETS.iter().find(|spec| spec.name == test.dataset);
    spec.map(|spec| spec.columns_of(settings.quantiles())).unwrap_or_default()
}

/// Runs every test over what is written, and records it.
///
/// * `folder`: where the datasets stand.
///
/// # Errors
/// [`RunError::Tests`] with every test that failed.
pub(super) fn test_outputs(
    settings: &Settings,
    folder: &Utf8Path,
    written: &[Written],
    clock: &mut Clock,
) -> Result<(), RunError> {
    if settings.tests.is_empty() {
        return Ok(());
    }
    clock.start("tests", None);
    let mut failed = Vec::new();
    for (name, test) in &settings.tests {
        let check = match written.iter().find(|dataset| dataset.dataset == test.dataset) {
            Some(dataset) => {
                let bucket = found(test, folder, dataset)
                    .map_err(|error| RunError::BadTest { test: name.clone(), reason: plain_reason(&error) })?;
                judge(settings, name, test, bucket, dataset.rows)
            }
            None => Check { outcome: CheckOutcome::Skipped, ..judge(settings, name, test, Bucket::default(), 0) },
        };
        if check.outcome == CheckOutcome::Fail {
            failed.extend(check.message.clone());
        }
        clock.record(check);
    }
    if failed.is_empty() { Ok(()) } else { Err(RunError::Tests { failed }) }
}

/// Rows for which the predicate is true, and their money.
fn found(test: &OutputTest, folder: &Utf8Path, dataset: &Written) -> PolarsResult<Bucket> {
    let paths = dataset.files.iter().map(|file| PlRefPath::new(folder.join(&file.path).as_str())).collect();
    let mut frame = LazyFrame::scan_parquet_files(paths, ScanArgsParquet { glob: false, ..Default::default() })?;
    let amount = match &test.amount {
        Some(column) => col(column.as_str()).sum(),
        None => lit(0),
    };
    let columns = frame.collect_schema()?;
    let predicate =
        expressions::of_one_row(&test.no_row_where).and_then(|found| predicate::fit(found, &columns, false));
    let predicate = predicate.map_err(|reason| polars_err!(SQLInterface: reason))?;
    let sums = frame.filter(predicate).select([len().alias("rows"), amount.alias("amount")]).collect()?;
    let rows = sums.column("rows")?.cast(&DataType::UInt64)?.u64()?.get(0).unwrap_or(0);
    let amount = sums.column("amount")?.to_physical_repr().cast(&DataType::Int128)?;
    let amount = amount.i128()?.get(0).unwrap_or(0);
    Ok(Bucket { rows, amount })
}

/// How a test ends.
fn judge(settings: &Settings, name: &str, test: &OutputTest, found: Bucket, all: u64) -> Check {
    let currency = &settings.currency;
    let (outcome, limit) = checks::judge((&test.error_if, &test.warn_if), found, all, currency);
    let amount = test.amount.as_ref().map(|_| found.amount);
    let message = limit.map(|limit| {
        let money = |amount: MinorSum| format!(" ({} {})", format_minor(amount, currency.exponent), currency.code);
        let money = amount.map(money).unwrap_or_default();
        let dataset = &test.dataset;
        format!("test `{name}`: {} of {all} rows of `{dataset}` are found{money}; {limit}", found.rows)
    });
    Check {
        kind: CheckKind::Test,
        on: test.dataset.clone(),
        name: name.to_owned(),
        severity: if test.severity == Severity::Error { "error" } else { "warn" },
        found: found.rows,
        of: Some(all),
        amount,
        outcome,
        message,
    }
}
