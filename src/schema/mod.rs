//! The table types in which stages meet: settings, customers, facts, costs, results.

pub mod contract;
pub mod costs;
pub mod facts;
pub mod forecasting;
pub mod lines;
pub mod margins;
pub mod money;
pub mod outputs;
pub mod period;
pub mod purchases;
pub mod settings;
pub mod tables;
