//! `whalecurve config`: a config as it is understood, or what may stand in one.

use camino::Utf8PathBuf;

use super::run::{environment, read_text, refuse};
use crate::cli::{
    Exit,
    config::{self, Overrides},
    streams::Streams,
};

/// What to print.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "whalecurve config --resolved <CONFIG> [--set PATH=VALUE]...\n       whalecurve config --schema"
)]
pub struct Args {
    /// The config, as in whalecurve.yaml.
    #[arg(required_unless_present = "schema")]
    config: Option<Utf8PathBuf>,
    /// The config as it is understood: defaults, environment and flags in place, and where each value came from.
    #[arg(long, conflicts_with = "schema", required_unless_present = "schema")]
    resolved: bool,
    /// The JSON Schema of configs, for editors.
    #[arg(long)]
    schema: bool,
    /// Output folder, instead of the config's.
    #[arg(long)]
    output: Option<Utf8PathBuf>,
    /// Seed of the simulation, instead of the config's.
    #[arg(long)]
    seed: Option<u64>,
    /// What-if beside the base, as in `activities.picking.cost=9000.00`; may stand several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
}

/// Prints a config or its schema.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let Args { config: path, resolved: _, schema, output, seed, sets } = args;
    let Some(path) = path.filter(|_| !schema) else {
        write!(streams.out, "{}", config::JSON_SCHEMA)?;
        return Ok(Exit::SUCCESS);
    };
    let text = match read_text(&path, streams)? {
        Ok(text) => text,
        Err(exit) => return Ok(exit),
    };
    match config::resolved(&path, &text, &environment, &Overrides { output, threads: None, seed, sets }) {
        Ok(resolved) => {
            write!(streams.out, "{resolved}")?;
            Ok(Exit::SUCCESS)
        }
        Err(errors) => refuse(&errors, streams),
    }
}
