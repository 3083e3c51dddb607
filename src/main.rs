//! The `whalecurve` binary.

use std::{
    io::{IsTerminal, stderr, stdout},
    process::ExitCode,
};

use clap::Parser;
use whalecurve::cli::run::{Args, main as run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let terminal = stderr().is_terminal();
    match run(Args::parse(), &mut stdout(), &mut stderr(), terminal) {
        Ok(exit) => ExitCode::from(exit.0),
        Err(_) => ExitCode::FAILURE,
    }
}
