//! Why a forecast cannot be made.

use thiserror::Error;

use super::{
    beta_geometric::DiscountError, covariates::CovariateError, fit::NotFitted, groups::GroupsError,
    holdout::HoldoutError, lifetime::LifetimeError, opportunities::OpportunityError, retention::RetentionError,
    summary::SummaryError,
};
use crate::numeric::hypergeometric::HypergeometricError;

/// A forecast that cannot be made.
#[derive(Debug, Error)]
pub enum ForecastError {
    /// A model without an estimate.
    #[error("forecast: {0}")]
    NotFitted(#[from] NotFitted),
    /// A history that cannot be.
    #[error("forecast: {0}")]
    Summary(#[from] SummaryError),
    /// An expectation that does not converge.
    #[error("forecast: {0}")]
    Expectation(#[from] HypergeometricError),
    /// Groups that cannot be fitted.
    #[error("forecast: {0}")]
    Groups(#[from] GroupsError),
    /// Inputs of the lifetime value out of range.
    #[error("forecast: lifetime value: {0}")]
    Lifetime(#[from] LifetimeError),
    /// A cut of the ledger from which no holdout follows.
    #[error(transparent)]
    Holdout(#[from] HoldoutError),
    /// Covariates with which no fit begins.
    #[error("forecast: {0}")]
    Covariates(#[from] CovariateError),
    /// None of the models has a usable fit.
    #[error("forecast: no model has a usable fit: {why}")]
    NoModel {
        /// Model by model.
        why: String,
    },
    /// Nobody was ever under contract.
    #[error("forecast: no contract began up to as_of")]
    NoContracts,
    /// A sum over the future that has no value.
    #[error("forecast: {0}")]
    Discount(#[from] DiscountError),
    /// Times under contract that cannot be counted.
    #[error("forecast: {0}")]
    Retention(#[from] RetentionError),
    /// Opportunities that cannot be counted.
    #[error("forecast: {0}")]
    Opportunities(#[from] OpportunityError),
    /// A horizon shorter than the time between two opportunities.
    #[error("forecast: the next {days} days hold no whole {unit}, so there is no opportunity to buy")]
    NoOpportunity {
        /// Days of the horizon.
        days: u32,
        /// Time unit.
        unit: String,
    },
    /// Draws of the parameters of so many different customers would not fit into the memory.
    #[error(
        "forecast: `parameter_uncertainty` keeps {draws} models of every kind of customer, and the covariates tell \
         {kinds} kinds apart: more than {most}"
    )]
    TooManyKinds {
        /// Sets of covariates.
        kinds: usize,
        /// Draws.
        draws: u32,
        /// Most sets.
        most: usize,
    },
    /// A command that does not know the model.
    #[error("forecast: {command} does not know {model}")]
    Unknown {
        /// The command.
        command: &'static str,
        /// The model.
        model: &'static str,
    },
    /// No customer has a purchase.
    #[error("forecast: no customer has a purchase up to as_of")]
    NoPurchases,
}
