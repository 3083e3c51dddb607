//! The table types in which stages meet: settings, customers, facts, costs, results.

pub mod facts;
pub mod lines;
pub mod money;
pub mod period;
pub mod settings;
