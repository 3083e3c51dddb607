//! `whalecurve generate`: a synthetic company whose truth is known.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    cli::{Exit, progress::Bars, streams::Streams},
    generate::{self, Population, Scenario, Size, Stage, Summary},
};

/// What to generate.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Customers.
    #[arg(long)]
    customers: u64,
    /// Ledger lines.
    #[arg(long)]
    transactions: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; all cores by default. Never changes a byte.
    #[arg(long, value_parser = crate::cli::threads)]
    threads: Option<usize>,
    /// Folder, empty or absent.
    folder: Utf8PathBuf,
}

/// Writes the company and prints its summary as one line of JSON.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let size = Size { customers: args.customers, transactions: args.transactions };
    match write(size, args.seed, args.threads, &args.folder, streams)? {
        Ok(summary) => {
            streams.result(serde_json::json!(summary))?;
            Ok(Exit::SUCCESS)
        }
        Err(exit) => Ok(exit),
    }
}

/// Writes a company under progress bars; the exit after a failure is told.
pub(super) fn write(
    size: Size,
    seed: u64,
    threads: Option<usize>,
    folder: &Utf8Path,
    streams: &mut Streams<'_>,
) -> std::io::Result<Result<Summary, Exit>> {
    let scenario = Scenario { size, seed, population: Population::ByChannel };
    let bars = Bars::new(streams.terminal);
    let generated = generate::generate(scenario, threads, folder, &|progress| {
        if progress.done == 0 {
            bars.stage(name(progress.stage), Some(progress.total));
        }
        bars.rows(progress.done);
    });
    bars.done();
    match generated {
        Ok(summary) => Ok(Ok(summary)),
        Err(error) => {
            let exit = if error.is_usage() { Exit::USAGE } else { Exit::FAILURE };
            streams.fail(&error.to_string(), error.hint(), exit).map(Err)
        }
    }
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Survey => "survey",
        Stage::Transactions => "transactions",
        Stage::Customers => "customers",
    }
}
