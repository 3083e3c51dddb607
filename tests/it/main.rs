//! One test binary: the main job on real ledgers, laws over runs, the arrows between stages.

mod architecture;
mod determinism;
mod golden;
mod laws;
mod main_job;
mod messages;
mod support;
