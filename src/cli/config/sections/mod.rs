//! One file a section of the config. Each reads its keys with the cursor and notes what is wrong.

pub(super) mod activities;
pub(super) mod basis;
pub(super) mod contract;
pub(super) mod costs;
pub(super) mod covariates;
pub(super) mod decisions;
pub(super) mod economic;
pub(super) mod equity;
pub(super) mod forecast;
pub(super) mod fx;
pub(super) mod ids;
pub(super) mod inputs;
pub(super) mod limits;
pub(super) mod methods;
pub(super) mod output_tests;
pub(super) mod portfolio;
pub(super) mod report;
pub(super) mod resources;
pub(super) mod roles;
pub(super) mod rules;
pub(super) mod run;
mod thresholds;
