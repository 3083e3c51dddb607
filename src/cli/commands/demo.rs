//! `whalecurve demo`: a small company and its results, in one command.

use camino::Utf8PathBuf;

use super::{generate, run};
use crate::{
    cli::{Exit, streams::Streams},
    generate::Size,
};

/// Customers and ledger lines of the company: enough for a fit, and a run of a second.
const SIZE: Size = Size { customers: 2_000, transactions: 30_000 };

/// What to show.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder, empty or absent.
    folder: Utf8PathBuf,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Writes a small company with its config, runs it, and says what to look at.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let made = generate::write(SIZE, args.seed, None, &args.folder, streams)?;
    if let Err(exit) = made {
        return Ok(exit);
    }
    let config = args.folder.join("whalecurve.yaml");
    let exit = run::run(run::Args::of(config.clone()), streams)?;
    if exit == Exit::SUCCESS {
        writeln!(streams.talk, "\nThe config is {config}, what its tables mean stands in the README.md beside it.")?;
        writeln!(streams.talk, "Change a cost and run it again: whalecurve run {config}")?;
    }
    Ok(exit)
}
