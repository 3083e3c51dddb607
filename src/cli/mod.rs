//! The command line: arguments, settings, what is printed, exit codes. One file a command in [`commands`].

pub mod commands;
pub mod config;
mod panics;
mod progress;
pub mod signals;
mod table;
mod waterfall;

use std::io::Write;

use clap::{Parser, Subcommand};

use self::commands::{compare, demo, explain, fit, generate, plan, run, schema, validate, verify};

/// What customers really earn, and what they will be worth.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a config: Parquet in, Parquet results out.
    Run(run::Args),
    /// Check a config and its inputs: names, footers, columns, predicates. Reads no row, writes nothing.
    Check(plan::Args),
    /// Say what a run would read and replace; writes nothing.
    Plan(plan::Args),
    /// Fit every model up to a cut and score it on what came after.
    Validate(validate::Args),
    /// Compare methods, or configs, over one reading of the ledger.
    Compare(compare::Args),
    /// Print how one customer's profit came about, from gross sales to the accounts behind each cost.
    Explain(explain::Args),
    /// Fit the models of a forecast and save them.
    Fit(fit::Args),
    /// Run a config with saved models instead of fits.
    Project(run::ProjectArgs),
    /// Make a small company with its config, and run it: the first thing to try.
    Demo(demo::Args),
    /// Write a synthetic company of any size, with its truth.
    Generate(generate::Args),
    /// Check a finished output against its manifest: files, digests, schemas, rows and the sums that must tie.
    Verify(verify::Args),
    /// Print the datasets of a run: columns, types, units and meaning.
    Schema(schema::Args),
}

/// How a command ends; the numbers are those of the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Done.
    pub const SUCCESS: Self = Self(0);
    /// The run failed: I/O, a damaged input, a model that must fit did not.
    pub const FAILURE: Self = Self(1);
    /// The command or the config is wrong; no data was read.
    pub const USAGE: Self = Self(2);
    /// Data refused: a contract rule, a total that does not tie, an output that is not what it was.
    pub const REFUSED: Self = Self(3);
    /// A bug: something panicked.
    pub const BUG: Self = Self(70);
}

/// Where a command writes, and whether anyone watches.
pub struct Streams<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Everything else.
    pub talk: &'a mut dyn Write,
    /// Whether `talk` is a terminal, where progress can be drawn.
    pub terminal: bool,
}

impl Streams<'_> {
    /// Tells an error and the one thing to do next.
    fn fail(&mut self, what: &str, hint: Option<&str>, exit: Exit) -> std::io::Result<Exit> {
        writeln!(self.talk, "error: {what}")?;
        if let Some(hint) = hint {
            writeln!(self.talk, "  hint: {hint}")?;
        }
        Ok(exit)
    }
}

/// Runs a command. A reader who has seen enough of the output (`| head`) is no failure; a panic is a bug, which is told
/// without its text, because that may hold data.
#[must_use]
pub fn main(args: Args, streams: &mut Streams<'_>) -> Exit {
    panics::keep_quiet();
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dispatch(args, streams)));
    match done {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::SUCCESS,
        Ok(Err(_)) => Exit::FAILURE,
        Err(_) => {
            let what = format!("this is a bug in whalecurve: a panic at {}; nothing was committed", panics::last());
            streams
                .fail(&what, Some("report it with the version, the config and the stage"), Exit::BUG)
                .unwrap_or(Exit::BUG)
        }
    }
}

fn dispatch(args: Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    match args.command {
        Command::Run(args) => run::run(args, streams),
        Command::Check(args) => plan::check(args, streams),
        Command::Plan(args) => plan::run(args, streams),
        Command::Validate(args) => validate::run(args, streams),
        Command::Compare(args) => compare::run(args, streams),
        Command::Explain(args) => explain::run(&args, streams),
        Command::Fit(args) => fit::run(args, streams),
        Command::Project(args) => run::project(args, streams),
        Command::Demo(args) => demo::run(&args, streams),
        Command::Generate(args) => generate::run(&args, streams),
        Command::Verify(args) => verify::run(&args, streams),
        Command::Schema(args) => schema::run(&args, streams),
    }
}
