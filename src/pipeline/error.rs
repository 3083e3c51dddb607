//! Whatever stops a run, with its exit code and the one thing to do next.

use thiserror::Error;

use super::{compare::CompareError, explain::ExplainError, model_file::ModelFileError, objects::ObjectError};
use crate::{
    allocate::CostError,
    contract::ContractError,
    facts::FactsError,
    forecast::{covariates::CovariateError, error::ForecastError, holdout::HoldoutError},
    profit::ProfitError,
    publish::PublishError,
    read::ReadError,
    store::StoreError,
};

/// What clusters are called where a segment is named.
pub(super) const CLUSTERS: &str = "clusters";

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
    /// A cost that cannot be allocated.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// A customer's cost out of range.
    #[error("the activity cost of a customer and period exceeds 9.2·10¹⁸ minor units")]
    CostTooLarge,
    /// A margin out of range.
    #[error(transparent)]
    Profit(#[from] ProfitError),
    /// A forecast that cannot be made.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// Configs that cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// A command that needs a forecast, and a config without one.
    #[error("the config has no `forecast` block")]
    NoForecast,
    /// A model file.
    #[error(transparent)]
    Model(#[from] ModelFileError),
    /// Results that cannot be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// An object store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A cost object that the config has no column for.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A question that has no answer.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// An expression of the user's that cannot be evaluated.
    #[error("portfolio: `{segment}`: {reason}")]
    Segment {
        /// Name of the segment.
        segment: String,
        /// What is wrong.
        reason: String,
    },
    /// A driver that a scenario changes, and that no table and no `drivers` knows.
    #[error("overrides: no driver is named `{name}`; known: {known}")]
    Factor {
        /// The driver.
        name: String,
        /// The known ones.
        known: String,
    },
    /// The folder of an earlier run that holds none.
    #[error("equity.bridge.from: no earlier run in `{folder}`: {reason}")]
    EarlierRun {
        /// As the config names it.
        folder: String,
        /// What is not there, or cannot be read.
        reason: String,
    },
    /// A test of an output that cannot be made.
    #[error("tests: `{test}`: {reason}")]
    BadTest {
        /// Name of the test.
        test: String,
        /// What is wrong.
        reason: String,
    },
    /// Outputs that are not as the config wants them.
    #[error("{}", failed.join("\n"))]
    Tests {
        /// One line a test.
        failed: Vec<String>,
    },
    /// Leaves and pools that do not tie: a bug.
    #[error("activity `{activity}`: cost {cost}, but its parts make {found} minor units")]
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
            Self::Cost(error) => error.hint(),
            Self::Publish(error) => error.hint(),
            Self::Store(error) => Some(error.hint()),
            Self::Explain(error) => error.hint(),
            Self::Object(error) => Some(error.hint()),
            Self::Compare(CompareError::Differs { .. }) => {
                Some("compare configs that differ in activities and resources alone")
            }
            Self::Compare(CompareError::TooFew { .. }) => {
                Some("name more with --methods: config, average, even, revenue, cost")
            }
            Self::Model(error) => error.hint(),
            Self::Segment { .. } => Some(
                "columns are those of customer_profit_total, customer_value and customer_segment (whalecurve schema), and \
                 channel, parent and region where they are mapped",
            ),
            Self::Factor { .. } => {
                Some("name a driver of `drivers` or of driver_quantities in `overrides.driver_factors`")
            }
            Self::EarlierRun { .. } => Some(
                "name the output folder of a finished run, relative to the config file, or the last day of an earlier period",
            ),
            Self::BadTest { .. } => Some("columns are those of the dataset: `whalecurve schema` lists them"),
            Self::Tests { .. } => {
                Some("nothing was committed; with severity: warn the run commits, and the rows can be looked at")
            }
            Self::NoForecast => Some("add one, as in: forecast: {horizon: 52w}"),
            Self::Forecast(ForecastError::Unknown { .. }) => {
                Some("use whalecurve run with this model, or name bg_nbd or its like in forecast.model")
            }
            Self::Forecast(ForecastError::TooManyKinds { .. }) => Some(
                "round the numbers or make levels of them where the table is written, or leave `parameter_uncertainty` out",
            ),
            Self::Forecast(ForecastError::Covariates(CovariateError::UnknownLevels { .. })) => {
                Some("fit the model anew, to customers of these levels as well: whalecurve fit CONFIG --model FILE")
            }
            Self::Forecast(ForecastError::Covariates(CovariateError::Kind { .. })) => {
                Some("say `as: number` or `as: category` of it in the config, as it was fitted, or fit anew")
            }
            Self::Forecast(ForecastError::NoOpportunity { .. }) => {
                Some("let forecast.horizon hold a whole time unit, or choose a shorter forecast.time_unit")
            }
            Self::Forecast(_) => Some("leave out the `forecast` block to run without a forecast"),
            Self::Facts(_) | Self::Profit(_) | Self::CostTooLarge | Self::Reconciliation { .. } => None,
        }
    }

    /// Keys of the config whose value is wrong, from the outermost, where it is the config's.
    #[must_use]
    pub fn keys(&self) -> Option<Vec<&str>> {
        match self {
            // Clusters have a name of their own among the segments.
            Self::Segment { segment, .. } if segment == CLUSTERS => Some(vec!["portfolio", CLUSTERS, "columns"]),
            Self::Segment { segment, .. } => Some(vec!["portfolio", "segments", segment]),
            Self::Read(ReadError::Predicate { table, .. } | ReadError::OtherRows { table }) => {
                Some(match table.strip_prefix("drivers.") {
                    Some(driver) => vec!["drivers", driver, "where"],
                    None => vec!["inputs", table, "where"],
                })
            }
            Self::EarlierRun { .. } => Some(vec!["equity", "bridge", "from"]),
            Self::Factor { name, .. } => Some(vec!["overrides", "driver_factors", name]),
            _ => None,
        }
    }

    /// Exit code: 2 for a wrong config, 3 for refused data, 75 for what may go better later, 1 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Read(ReadError::Predicate { .. } | ReadError::OtherRows { .. } | ReadError::Glob { .. })
            | Self::Compare(_)
            | Self::Explain(_)
            | Self::Object(_)
            | Self::Forecast(ForecastError::Unknown { .. } | ForecastError::NoOpportunity { .. })
            | Self::Publish(PublishError::Input { .. })
            | Self::Segment { .. }
            | Self::BadTest { .. }
            | Self::NoForecast => 2,
            Self::Model(error) if !matches!(error, ModelFileError::Io { .. }) => 2,
            Self::Read(
                ReadError::MissingColumn { .. }
                | ReadError::ColumnType { .. }
                | ReadError::SchemaDrift { .. }
                | ReadError::Partition { .. }
                | ReadError::IdsInFolders { .. }
                | ReadError::UnreadValues { .. }
                | ReadError::PredicateOfRow { .. }
                | ReadError::Header { .. }
                | ReadError::UnreadType { .. }
                | ReadError::Limit { .. },
            )
            | Self::Contract(_)
            | Self::Factor { .. }
            | Self::Publish(PublishError::Precision { .. } | PublishError::Untied { .. })
            | Self::Tests { .. }
            | Self::Forecast(ForecastError::Covariates(_) | ForecastError::Holdout(HoldoutError::Covariates(_)))
            | Self::Facts(_)
            | Self::Profit(_)
            | Self::Cost(_)
            | Self::CostTooLarge
            | Self::Reconciliation { .. } => 3,
            Self::Publish(PublishError::Locked { .. } | PublishError::Replaced { .. }) => 75,
            Self::Store(error) => error.exit_code(),
            Self::Read(_) | Self::EarlierRun { .. } | Self::Forecast(_) | Self::Publish(_) | Self::Model(_) => 1,
        }
    }
}
