//! The table types in which stages meet: settings, customers, facts, costs, results.
//!
//! ```
//! use whalecurve::schema::outputs::DATASETS;
//!
//! // What `whalecurve schema` prints: every column with its meaning, from the list that the writer is held to.
//! let profit = DATASETS.iter().find(|dataset| dataset.name == "customer_profit").expect("it is documented");
//! let cm3 = profit.columns.iter().find(|column| column.name == "cm3").expect("it has margins");
//! assert_eq!(cm3.meaning, "cm2 - customer_cost: what the customer earned after cost-to-serve");
//! ```

pub mod checks;
pub mod contract;
pub mod contract_outputs;
pub mod costing;
pub mod costs;
pub mod covariates;
mod decision_outputs;
pub mod decisions;
pub mod economic;
pub mod equity;
mod equity_outputs;
pub mod facts;
pub mod forecasting;
pub mod fx;
pub mod grouping;
pub mod inputs;
pub mod lines;
#[cfg(feature = "engine")]
pub mod location;
pub mod margins;
pub mod method_outputs;
pub mod money;
mod object_outputs;
pub mod objects;
pub mod outputs;
pub mod period;
mod plan_inputs;
pub mod portfolio;
mod portfolio_outputs;
pub mod potentials;
pub mod purchases;
pub mod quantiles;
pub mod relations;
pub mod renewals;
pub mod scenario;
pub mod segmentation;
pub mod settings;
mod table_name;
pub mod tables;
mod value_outputs;
