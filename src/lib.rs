//! whalecurve: what did each customer really earn, and what will it be worth.

pub mod allocate;
pub mod equity;
pub mod facts;
pub mod forecast;
pub mod numeric;
pub mod portfolio;
pub mod profit;
pub mod report;
pub mod schema;
pub mod units;

#[cfg(feature = "engine")]
pub mod cli;
#[cfg(feature = "engine")]
pub mod contract;
#[cfg(feature = "engine")]
pub mod generate;
#[cfg(feature = "engine")]
pub mod pipeline;
#[cfg(feature = "engine")]
pub mod publish;
#[cfg(feature = "engine")]
pub mod read;
#[cfg(feature = "engine")]
pub mod results;
