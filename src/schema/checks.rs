//! Checks of a run: rules of its inputs, how fresh they are, tests of its outputs. What each found, and how it ended.

use serde::{Serialize, Serializer};

use crate::{
    numeric::decimal::format_minor,
    units::{Minor, MinorSum},
};

use super::{
    contract::{Bucket, wide},
    money::Currency,
};

/// Limits beyond which a check warns or fails; every one that is there counts, and none is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Threshold {
    /// More rows than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// A larger share of all rows, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// More money than this, in minor units: what the rows add up to, whatever its sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Minor>,
}

impl Threshold {
    /// More than so many rows.
    #[must_use]
    pub fn of_rows(rows: u64) -> Self {
        Self { rows: Some(rows), ..Self::default() }
    }

    /// Whether there is no limit.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The first limit that is passed, in words.
    ///
    /// * `all`: rows that `found` is a part of.
    #[must_use]
    pub fn passed(&self, found: Bucket, all: u64, currency: &Currency) -> Option<String> {
        if let Some(limit) = self.rows.filter(|limit| found.rows > *limit) {
            return Some(match limit {
                0 => "no row is allowed".to_owned(),
                limit => format!("at most {limit} rows are allowed"),
            });
        }
        if let Some(limit) = self.share.filter(|limit| found.rows as f64 > limit * all as f64) {
            return Some(format!("at most {} % of rows are allowed", limit * 100.0));
        }
        let limit = self.amount.filter(|limit| found.amount.unsigned_abs() > u128::from(limit.unsigned_abs()))?;
        let limit = format_minor(MinorSum::from(limit), currency.exponent);
        Some(format!("at most {limit} {} are allowed", currency.code))
    }
}

/// How rows that were found end by two thresholds, with the limit that is passed: as in dbt, `error_if` before `warn_if`.
///
/// * `all`: rows that `found` is a part of.
#[must_use]
pub fn judge(
    (error_if, warn_if): (&Threshold, &Threshold),
    found: Bucket,
    all: u64,
    currency: &Currency,
) -> (CheckOutcome, Option<String>) {
    if let Some(limit) = error_if.passed(found, all, currency) {
        return (CheckOutcome::Fail, Some(limit));
    }
    match warn_if.passed(found, all, currency) {
        Some(limit) => (CheckOutcome::Warn, Some(format!("{limit} without a warning"))),
        None => (CheckOutcome::Pass, None),
    }
}

/// What a test does when it finds too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The run stops with exit code 3, and nothing is committed.
    #[default]
    Error,
    /// It is told, and the run goes on.
    Warn,
}

/// A test of an output: rows that must not be there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputTest {
    /// Dataset.
    pub dataset: String,
    /// SQL predicate over its columns that must be true of no row.
    pub no_row_where: String,
    /// Column of money that is added up over the rows found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// What it does.
    pub severity: Severity,
    /// Beyond this it fails; nothing with [`Severity::Warn`].
    pub error_if: Threshold,
    /// Beyond this it warns.
    pub warn_if: Threshold,
}

/// How old the last line of the ledger may be: days from it to `as_of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// Older than this many days is told.
    pub warn_after: Option<u32>,
    /// Older than this many days stops the run.
    pub error_after: Option<u32>,
}

/// What was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// A rule of an input table.
    Rule,
    /// How old the ledger's last line is.
    Freshness,
    /// A test of an output.
    Test,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Nothing, or no more than is allowed without a word.
    Pass,
    /// Told; the run goes on.
    Warn,
    /// The run stops.
    Fail,
    /// A test of a dataset that this run does not write.
    Skipped,
}

#[expect(clippy::ref_option, reason = "serde hands over the field")]
fn wide_where_known<S: Serializer>(amount: &Option<MinorSum>, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => wide(amount, serializer),
        None => serializer.serialize_none(),
    }
}

/// A check and what it found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// What was checked.
    pub kind: CheckKind,
    /// Input table or output dataset.
    pub on: String,
    /// Rule or test.
    pub name: String,
    /// Policy or severity.
    pub severity: &'static str,
    /// Rows found (of freshness: days).
    pub found: u64,
    /// Rows that they are a part of; `None` of freshness.
    pub of: Option<u64>,
    /// Money of the rows found, in minor units; `None` where rows carry none.
    #[serde(serialize_with = "wide_where_known")]
    pub amount: Option<MinorSum>,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What is told of it, where it did not pass.
    pub message: Option<String>,
}
