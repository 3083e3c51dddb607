//! One test binary: the main job on real ledgers, laws over runs, the arrows between stages.

mod architecture;
mod main_job;
mod support;
