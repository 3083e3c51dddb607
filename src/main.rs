//! The `whalecurve` binary.

use std::{
    io::{IsTerminal, stderr, stdout},
    process::ExitCode,
};

use clap::Parser;
use whalecurve::cli::{Args, Streams, main as run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let terminal = stderr().is_terminal();
    let mut streams = Streams { out: &mut stdout(), talk: &mut stderr(), terminal };
    ExitCode::from(run(Args::parse(), &mut streams).0)
}
