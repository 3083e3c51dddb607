//! The table types in which stages meet: settings, customers, facts, costs, results.

pub mod contract;
pub mod contract_outputs;
pub mod costing;
pub mod costs;
pub mod covariates;
pub mod economic;
pub mod facts;
pub mod forecasting;
pub mod fx;
pub mod grouping;
pub mod inputs;
pub mod lines;
pub mod margins;
pub mod method_outputs;
pub mod money;
mod object_outputs;
pub mod objects;
pub mod outputs;
pub mod period;
pub mod purchases;
pub mod quantiles;
pub mod renewals;
pub mod scenario;
pub mod settings;
pub mod tables;
mod value_outputs;
