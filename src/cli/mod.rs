//! The command line: arguments, settings, what is printed, exit codes.

pub mod config;
pub mod run;
