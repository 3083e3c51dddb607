//! Whatever stops a run, with its exit code and the one thing to do next.

use thiserror::Error;

use super::model_file::ModelFileError;
use crate::{
    allocate::PoolError, contract::ContractError, facts::FactsError, forecast::predict::ForecastError,
    profit::ProfitError, publish::PublishError, read::ReadError,
};

/// Whatever stops a run.
#[derive(Debug, Error)]
pub enum RunError {
    /// An input.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Refused data.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A sum out of range.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// A pool that cannot be spread.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// A margin out of range.
    #[error(transparent)]
    Profit(#[from] ProfitError),
    /// A forecast that cannot be made.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// A command that needs a forecast, and a config without one.
    #[error("the config has no `forecast` block")]
    NoForecast,
    /// A model file.
    #[error(transparent)]
    Model(#[from] ModelFileError),
    /// Results that cannot be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Leaves and pools that do not tie: a bug.
    #[error("activity `{activity}`: cost {cost}, but allocated and unassigned make {found} minor units")]
    Reconciliation {
        /// Activity.
        activity: String,
        /// Cost of its pools.
        cost: i128,
        /// What the leaves say.
        found: i128,
    },
}

impl RunError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Contract(error) => error.hint(),
            Self::Pool(error) => error.hint(),
            Self::Publish(error) => error.hint(),
            Self::Model(error) => error.hint(),
            Self::NoForecast => Some("add one, as in: forecast: {horizon: 52w}"),
            Self::Forecast(_) => Some("leave out the `forecast` block to run without a forecast"),
            Self::Facts(_) | Self::Profit(_) | Self::Reconciliation { .. } => None,
        }
    }

    /// Exit code: 2 for a wrong config, 3 for refused data, 1 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Model(ModelFileError::Io { .. }) => 1,
            Self::Read(ReadError::Predicate { .. } | ReadError::Glob { .. }) | Self::NoForecast | Self::Model(_) => 2,
            Self::Read(
                ReadError::MissingColumn { .. } | ReadError::ColumnType { .. } | ReadError::SchemaDrift { .. },
            )
            | Self::Contract(_)
            | Self::Facts(_)
            | Self::Profit(_)
            | Self::Pool(_)
            | Self::Reconciliation { .. } => 3,
            Self::Read(_) | Self::Forecast(_) | Self::Publish(_) => 1,
        }
    }
}
