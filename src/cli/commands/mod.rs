//! One file a command: its arguments as typed, and what it does with them.

pub mod clean;
pub mod compare;
pub mod config;
pub mod demo;
pub mod diff;
pub mod doctor;
pub mod explain;
pub mod fit;
pub mod generate;
pub mod help;
pub mod init;
pub mod plan;
pub mod report;
pub mod run;
pub mod schema;
pub mod shell;
pub mod validate;
pub mod verify;
