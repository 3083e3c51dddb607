//! `whalecurve run` and `whalecurve generate`.

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::config::{self, Overrides};
use crate::{
    generate::{self, Population, Scenario, Size},
    pipeline::{self, Progress},
    schema::{
        outputs::{ColumnType, DATASETS},
        settings::Settings,
    },
};

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
    Run {
        /// The config, as in whalecurve.yaml.
        config: Utf8PathBuf,
        /// Output folder, instead of the config's.
        #[arg(long)]
        output: Option<Utf8PathBuf>,
        /// Threads; all cores by default. Never changes a result.
        #[arg(long)]
        threads: Option<usize>,
        /// Seed of the simulation, instead of the config's.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Write a synthetic company of any size, with its truth.
    Generate {
        /// Customers.
        #[arg(long)]
        customers: u64,
        /// Ledger lines.
        #[arg(long)]
        transactions: u64,
        /// Seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Threads; all cores by default.
        #[arg(long)]
        threads: Option<usize>,
        /// Folder, empty or absent.
        folder: Utf8PathBuf,
    },
    /// Print the datasets of a run: columns, types, units and meaning.
    Schema,
}

/// How a command ends; the numbers are those of the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

/// Runs a command: results to `out`, talk to `talk`.
///
/// # Errors
/// When `out` or `talk` cannot be written.
pub fn main(args: Args, out: &mut dyn Write, talk: &mut dyn Write, terminal: bool) -> std::io::Result<Exit> {
    match args.command {
        Command::Run { config, output, threads, seed } => {
            run(&config, &Overrides { output, threads, seed }, out, talk, terminal)
        }
        Command::Generate { customers, transactions, seed, threads, folder } => {
            let scenario = Scenario { size: Size { customers, transactions }, seed, population: Population::ByChannel };
            match generate::generate(scenario, threads, &folder, &|_| {}) {
                Ok(summary) => {
                    writeln!(out, "{}", serde_json::to_string(&summary).unwrap_or_default())?;
                    Ok(Exit(0))
                }
                Err(error) => fail(talk, &error.to_string(), None, 1),
            }
        }
        Command::Schema => schema(out).map(|()| Exit(0)),
    }
}

fn fail(talk: &mut dyn Write, what: &str, hint: Option<&str>, code: u8) -> std::io::Result<Exit> {
    writeln!(talk, "error: {what}")?;
    if let Some(hint) = hint {
        writeln!(talk, "  hint: {hint}")?;
    }
    Ok(Exit(code))
}

fn run(
    path: &Utf8Path,
    overrides: &Overrides,
    out: &mut dyn Write,
    talk: &mut dyn Write,
    terminal: bool,
) -> std::io::Result<Exit> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return fail(
                talk,
                &format!("{path}: {error}"),
                Some("name a config file, as in: whalecurve run whalecurve.yaml"),
                2,
            );
        }
    };
    #[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
    let environment = |name: &str| std::env::var(name).ok();
    let settings = match config::load(path, &text, &environment, overrides) {
        Ok(settings) => settings,
        Err(errors) => {
            writeln!(talk, "{errors}")?;
            return Ok(Exit(2));
        }
    };
    let progress = Bars::new(terminal);
    let pool = match rayon::ThreadPoolBuilder::new().num_threads(settings.threads.unwrap_or(0)).build() {
        Ok(pool) => pool,
        Err(error) => return fail(talk, &error.to_string(), None, 1),
    };
    let outcome = pool.install(|| pipeline::run(&settings, &progress));
    progress.done();
    match outcome {
        Ok(outcome) => {
            for time in &outcome.times {
                writeln!(talk, "{:<10} {:>8.3} s", time.stage, time.seconds)?;
            }
            report(&settings, &outcome.manifest, out).map(|()| Exit(0))
        }
        Err(error) => fail(talk, &error.to_string(), error.hint(), error.exit_code()),
    }
}

fn report(settings: &Settings, manifest: &serde_json::Value, out: &mut dyn Write) -> std::io::Result<()> {
    let line = serde_json::json!({
        "output": settings.output,
        "as_of": manifest["as_of"],
        "pools": manifest["pools"],
        "result_digest": manifest["result_digest"],
    });
    writeln!(out, "{line}")
}

fn schema(out: &mut dyn Write) -> std::io::Result<()> {
    for dataset in DATASETS {
        writeln!(
            out,
            "## {}\n\n{}\n\n| column | type | null | meaning |\n|---|---|---|---|",
            dataset.name, dataset.grain
        )?;
        for column in dataset.columns {
            let kind = match column.kind {
                ColumnType::Id => "id (INT64 or text)",
                ColumnType::Text => "text",
                ColumnType::Integer => "INT64",
                ColumnType::Money => "DECIMAL(18, e)",
                ColumnType::MoneySum => "DECIMAL(38, e)",
                ColumnType::Quantity => "DECIMAL(18, 6)",
                ColumnType::QuantitySum => "DECIMAL(38, 6)",
                ColumnType::Float => "DOUBLE",
                ColumnType::Date => "DATE",
            };
            let null = if column.nullable { "yes" } else { "no" };
            writeln!(out, "| {} | {kind} | {null} | {} |", column.name, column.meaning)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// One bar a stage on a terminal, nothing elsewhere.
struct Bars(Option<ProgressBar>);

impl Bars {
    fn new(terminal: bool) -> Self {
        let style = ProgressStyle::with_template("{msg:<10} {elapsed_precise} {human_pos} / {human_len} rows");
        Self(terminal.then(|| {
            let bar = ProgressBar::no_length();
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        }))
    }

    fn done(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bars {
    fn stage(&self, name: &'static str, rows: Option<u64>) {
        if let Some(bar) = &self.0 {
            bar.reset();
            bar.set_message(name);
            bar.set_length(rows.unwrap_or(0));
        }
    }

    fn rows(&self, done: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(done);
        }
    }
}
