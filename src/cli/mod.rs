//! The command line: arguments, settings, what is printed, exit codes. One file a command in [`commands`].
//!
//! ```
//! use camino::Utf8Path;
//! use whalecurve::cli::config::{Overrides, load};
//!
//! // Every problem at once, with its line and what is known instead.
//! let text = "version: 1\ncurrency: EUR\nforcast: {}\ninputs: {}\n";
//! let errors = load(Utf8Path::new("shop.yaml"), text, &|_| None, &Overrides::default()).expect_err("two problems");
//! let told = errors.to_string();
//! assert!(told.contains("shop.yaml:3:1") && told.contains("did you mean `forecast`?"));
//! ```

mod ahead;
pub mod commands;
pub mod config;
mod follow;
mod id_key;
mod init;
mod lineage;
mod masks;
mod memory;
mod panics;
mod place;
mod progress;
pub mod signals;
pub mod streams;
mod table;
mod topics;
mod waterfall;

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{CommandFactory, Parser, Subcommand};

use self::commands::{
    clean, compare, config as config_command, demo, diff, doctor, explain, fit, generate, help, init as init_command,
    plan, report, run, schema, shell, validate, verify,
};
use self::streams::{LogFormat, Streams};
use crate::publish::{PublishError, folder};

/// What customers really earn, and what they will be worth.
#[derive(Debug, Parser)]
#[command(version, about, disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    watched: Watched,
}

/// How a command is watched; the same for all.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How it is watched")]
struct Watched {
    /// Standard error as lines for people, or as a JSON object a line with stable event codes.
    #[arg(long, global = true, value_enum, default_value_t)]
    log_format: LogFormat,
    /// How it ended, as JSON, also after a failure.
    #[arg(long, global = true, value_name = "FILE")]
    summary_file: Option<Utf8PathBuf>,
    /// Memory that it may use, as in 4GiB; what the control group allows is a bound always.
    #[arg(long, global = true, value_name = "SIZE", value_parser = memory::parse)]
    memory: Option<u64>,
    /// Seconds between two lines about a stage that goes on, where no bar is drawn.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    heartbeat: Duration,
}

/// Threads of a pool: more than this are a slip of the hand, and take minutes to start.
const MOST_THREADS: usize = 1_024;

fn threads(text: &str) -> Result<usize, String> {
    let found = text.parse().ok().filter(|threads| (1..=MOST_THREADS).contains(threads));
    found.ok_or(format!("expected 1 to {MOST_THREADS}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "expected seconds above 0, such as 30".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|length| !length.is_zero()).ok_or_else(wrong)
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at tables and write a commented config.
    Init(init_command::Args),
    /// Run a config: Parquet in, Parquet results out.
    Run(run::Args),
    /// Check a config and its inputs: names, footers, columns, predicates. Reads no row, writes nothing.
    Check(plan::Args),
    /// Print a config as it is understood, or the JSON Schema of configs.
    Config(config_command::Args),
    /// Say what a run would read and replace; writes nothing.
    Plan(plan::PlanArgs),
    /// Fit every model up to a cut and score it on what came after.
    Validate(validate::Args),
    /// Compare methods, or configs, over one reading of the ledger.
    Compare(compare::Args),
    /// Print one customer's story: how its profit came about, down to the accounts, what comes next, its group, and why.
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
    /// Tell what moved between two finished outputs, and why, segment by segment.
    Diff(diff::Args),
    /// Write the page for people of a finished output: one HTML file, offline.
    Report(report::Args),
    /// Print the datasets of a run: columns, types, units and meaning.
    Schema(schema::Args),
    /// Tell what this machine and a folder can do for a run.
    Doctor(doctor::Args),
    /// Remove what killed runs left beside an output, and old versions.
    Clean(clean::Args),
    /// Explain a command, or what a word of the field means: cost-to-serve, whale-curve, p-alive and others.
    Help(help::Args),
    /// Print a completion script for a shell.
    Completions(shell::Args),
    /// Print the manual page.
    Man(shell::ManArgs),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Check(_) => "check",
            Self::Config(_) => "config",
            Self::Plan(_) => "plan",
            Self::Validate(_) => "validate",
            Self::Compare(_) => "compare",
            Self::Explain(_) => "explain",
            Self::Fit(_) => "fit",
            Self::Project(_) => "project",
            Self::Demo(_) => "demo",
            Self::Generate(_) => "generate",
            Self::Verify(_) => "verify",
            Self::Diff(_) => "diff",
            Self::Report(_) => "report",
            Self::Schema(_) => "schema",
            Self::Init(_) => "init",
            Self::Doctor(_) => "doctor",
            Self::Clean(_) => "clean",
            Self::Help(_) => "help",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }
}

/// How a command ends; the numbers are those of docs/operations.md.
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
    /// It may go better later: another run holds the output.
    pub const TEMPORARY: Self = Self(75);

    /// After an error of a finished output: one that is not what was written is refused.
    fn of_output(error: &PublishError) -> Self {
        match error {
            PublishError::Damaged { .. } | PublishError::Unreadable { .. } => Self::REFUSED,
            PublishError::Replaced { .. } => Self::TEMPORARY,
            _ => Self::FAILURE,
        }
    }

    /// In a word.
    #[must_use]
    pub fn status(self) -> &'static str {
        match self {
            Self::SUCCESS => "succeeded",
            Self::USAGE => "usage",
            Self::REFUSED => "refused",
            Self::BUG => "bug",
            Self::TEMPORARY => "temporary",
            _ => "failed",
        }
    }
}

/// Runs a command. A reader who has seen enough of the output (`| head`) is no failure; a panic is a bug, which is told
/// without its text, because that may hold data.
#[must_use]
pub fn main(args: Args, streams: &mut Streams<'_>) -> Exit {
    panics::keep_quiet();
    let Watched { log_format, summary_file, memory, heartbeat } = args.watched;
    streams.set(args.command.name(), log_format, summary_file);
    streams.memory = memory::limit(memory);
    streams.heartbeat = heartbeat;
    let done = match streams.try_summary() {
        Ok(()) => std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dispatch(args.command, streams))),
        Err(what) => {
            Ok(streams.fail(&what, Some("name a file of its own, in a folder that may be written"), Exit::USAGE))
        }
    };
    // Errors of writing are those of `out` alone, and commands write there when their work is done.
    let exit = match done {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => streams.unwritten(&error, folder::placed()).unwrap_or(Exit::FAILURE),
        Err(_) => {
            let committed = if folder::placed() { "" } else { "; nothing was committed" };
            let what = match panics::refused() {
                Some(refusal) => refusal.as_str().to_owned(),
                None => format!("this is a bug in whalecurve: a panic at {}{committed}", panics::last()),
            };
            lineage::cut_off(&what);
            streams
                .fail(&what, Some("report it with the version, the config and the stage"), Exit::BUG)
                .unwrap_or(Exit::BUG)
        }
    };
    let _ = streams.finish(exit);
    exit
}

/// Ends where the command line is no command. What it says of the log and of the summary file holds all the same; help and the version,
/// which end there too, are told as they are.
#[must_use]
pub fn misused(error: &clap::Error, typed: &[String], streams: &mut Streams<'_>) -> Exit {
    let exit = u8::try_from(error.exit_code()).map_or(Exit::USAGE, Exit);
    let value = |flag: &str| {
        typed.iter().enumerate().find_map(|(at, word)| match word.strip_prefix(flag)? {
            "" => typed.get(at + 1).map(String::as_str),
            rest => rest.strip_prefix('='),
        })
    };
    let json = value("--log-format") == Some("json");
    if !error.use_stderr() || !json && value("--summary-file").is_none() {
        let _ = error.print();
        return exit;
    }
    let commands = Args::command();
    let command =
        commands.get_subcommands().map(clap::Command::get_name).find(|name| typed.iter().any(|word| word == name));
    let format = if json { LogFormat::Json } else { LogFormat::Text };
    streams.set(command.unwrap_or_default(), format, value("--summary-file").map(Utf8PathBuf::from));
    // A place that cannot be written has no summary; the command line is what is told.
    let _ = streams.try_summary();
    let text = error.render().to_string();
    let what = text.split("\n\nUsage:").next().unwrap_or_default().trim().trim_start_matches("error: ");
    let _ = streams.fail(what, Some("whalecurve --help lists commands, and a command's --help its flags"), exit);
    let _ = streams.finish(exit);
    exit
}

fn dispatch(command: Command, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    match command {
        Command::Run(args) => run::run(args, streams),
        Command::Check(args) => plan::check(args, streams),
        Command::Config(args) => config_command::run(args, streams),
        Command::Plan(args) => plan::run(args, streams),
        Command::Validate(args) => validate::run(args, streams),
        Command::Compare(args) => compare::run(args, streams),
        Command::Explain(args) => explain::run(&args, streams),
        Command::Fit(args) => fit::run(args, streams),
        Command::Project(args) => run::project(args, streams),
        Command::Demo(args) => demo::run(&args, streams),
        Command::Generate(args) => generate::run(&args, streams),
        Command::Verify(args) => verify::run(&args, streams),
        Command::Diff(args) => diff::run(&args, streams),
        Command::Report(args) => report::run(&args, streams),
        Command::Schema(args) => schema::run(&args, streams),
        Command::Init(args) => init_command::run(&args, streams),
        Command::Doctor(args) => doctor::run(&args, streams),
        Command::Clean(args) => clean::run(&args, streams),
        Command::Help(args) => help::run(&args, streams),
        Command::Completions(args) => shell::completions(&args, streams),
        Command::Man(args) => shell::man(&args, streams),
    }
}
