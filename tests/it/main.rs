//! One test binary: the main job on real ledgers, laws over runs, the arrows between stages.

#![expect(clippy::unwrap_used, reason = "a test stops at the first wrong answer")]

mod architecture;
mod canary;
mod commit;
mod compare;
mod contracts;
mod cost_messages;
mod costing;
mod covariates;
mod decisions;
mod determinism;
mod economic;
mod equity;
mod events;
mod explain;
mod faults;
mod first_config;
mod forecast_outputs;
mod fx;
mod golden;
mod hard_inputs;
mod hostile;
mod housekeeping;
mod laws;
mod main_job;
mod messages;
mod objects;
mod opportunities;
mod order_time;
mod plan;
mod pooling;
mod portfolio;
mod potentials;
mod purchase_models;
mod resources;
mod rules;
mod support;
mod textbook;
mod truth;
mod validation;
mod verify;
mod watched;
mod what_if;
