//! `whalecurve generate`: a synthetic company whose truth is known.

use camino::Utf8PathBuf;

use crate::{
    cli::{Exit, Streams, progress::Bars},
    generate::{self, Population, Scenario, Size, Stage},
    pipeline::Progress as _,
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
    #[arg(long)]
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
    let scenario = Scenario { size, seed: args.seed, population: Population::ByChannel };
    let bars = Bars::new(streams.terminal);
    let generated = generate::generate(scenario, args.threads, &args.folder, &|progress| {
        if progress.done == 0 {
            bars.stage(name(progress.stage), Some(progress.total));
        }
        bars.rows(progress.done);
    });
    bars.done();
    match generated {
        Ok(summary) => {
            writeln!(streams.out, "{}", serde_json::json!(summary))?;
            Ok(Exit::SUCCESS)
        }
        Err(error) => streams.fail(&error.to_string(), error.hint(), Exit::FAILURE),
    }
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Survey => "survey",
        Stage::Transactions => "transactions",
        Stage::Customers => "customers",
    }
}
