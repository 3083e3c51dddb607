//! The contract between us and the data: every row is accepted, kept without a customer, or rejected with a reason.
//!
//! A rule's policy says what a broken row does: `error` stops the run, `reject` moves the row to `rejected`, `warn`
//! counts it and keeps it. Limits (`error_if`) turn too many broken rows into a stop. Messages name the
//! table, the rule, rows and money, never a cell's value.
//!
//! ```
//! use polars::prelude::DataType;
//! use whalecurve::{contract::transactions::id_kind, numeric::keys::Keys};
//!
//! // Ids are integers or text, as the ledger has them: `007` in a text column stays `007`.
//! let columns = [("customer".to_owned(), DataType::Int64), ("account".to_owned(), DataType::String)];
//! assert!(matches!(id_kind(&columns, "customer"), Keys::Int(_)));
//! assert!(!matches!(id_kind(&columns, "account"), Keys::Int(_)));
//! ```

pub mod activities;
pub mod candidates;
pub mod columns;
pub mod contracts;
pub mod costed;
pub mod costs;
mod covariates;
pub mod driver_quantities;
pub mod earlier;
pub mod events;
pub mod fx;
pub mod meant;
mod owners;
pub mod plans;
pub mod pools;
pub mod receivables;
pub mod referrals;
pub mod relations;
pub mod resource_weights;
pub mod rules;
pub mod small_table;
pub mod tables;
pub mod transactions;
pub mod truth;
pub mod when;

use thiserror::Error;

use crate::schema::settings::TableName;

/// Data that the contract refuses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ContractError {
    /// Rules that stop the run, all of them.
    #[error("{}", broken.join("\n"))]
    Refused {
        /// One line a rule.
        broken: Vec<String>,
    },
    /// Rows or money got lost on the way: a bug, or a file that changed while it was read.
    #[error("{table}: {what}: {left} in, {right} out")]
    Reconciliation {
        /// Input table.
        table: &'static str,
        /// What does not tie.
        what: &'static str,
        /// Input side.
        left: i128,
        /// Output side.
        right: i128,
    },
    /// Two tables disagree about what an id is.
    #[error("{table}: `{column}` is {found}, but {expected} in `transactions`")]
    IdKind {
        /// Table that differs.
        table: &'static str,
        /// Id column.
        column: &'static str,
        /// Its kind.
        found: &'static str,
        /// Kind in the ledger.
        expected: &'static str,
    },
    /// An unsigned id above 2⁶³ − 1.
    #[error("{table}: `{column}` holds integers above 9223372036854775807")]
    IdRange {
        /// Table.
        table: &'static str,
        /// Id column.
        column: String,
    },
    /// A column that the batch should have and has not: a bug in the projection.
    #[error("{table}: column `{column}` cannot be read as {expected}")]
    Column {
        /// Table.
        table: &'static str,
        /// Our name of the column.
        column: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Costs in another currency, and no rate to convert them.
    #[error("{}", gaps.join("\n"))]
    FxGap {
        /// One line a currency and period, with the money at stake.
        gaps: Vec<String>,
    },
    /// The ledger ends longer before `as_of` than `freshness` allows.
    #[error("{0}")]
    Stale(String),
    /// A setting that only the data can prove wrong.
    #[error("{0}")]
    Setting(String),
}

impl ContractError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Refused { .. } => {
                "mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in \
                 `rejected`"
            }
            Self::Stale(_) => {
                "load the days that are missing, or allow more in `error_after` of `contract.transactions.freshness`"
            }
            Self::IdKind { .. } => "write the id with one type in every table",
            Self::IdRange { .. } => "write the id as text",
            Self::Reconciliation { .. } => "an input may have changed while it was read: run again",
            Self::FxGap { .. } => "add the rate to inputs.fx: units of the run's currency for one of the other",
            Self::Column { .. } | Self::Setting(_) => return None,
        })
    }
}

/// The table's name, for messages.
pub(crate) fn name(table: TableName) -> &'static str {
    table.as_str()
}
