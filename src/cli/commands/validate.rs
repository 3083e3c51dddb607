//! `whalecurve validate`: models and baselines on a holdout.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::run::{load, may_write};
use crate::{
    cli::{
        Exit,
        config::{self, Overrides},
        follow::{Stages, work},
        streams::Streams,
    },
    pipeline::{self, Validation, stores::around},
};

/// What to validate.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The config, as in whalecurve.yaml.
    config: Utf8PathBuf,
    /// Length of the holdout, the last days up to `as_of`: 39w, 12 months, 273d.
    #[arg(long)]
    holdout: String,
    /// Output folder; the config's with `-validation` by default.
    #[arg(long)]
    output: Option<Utf8PathBuf>,
    /// Threads; all cores by default. Never changes a result.
    #[arg(long, value_parser = crate::cli::threads)]
    threads: Option<usize>,
}

/// Validates a config: one line of JSON to `out`, stages and a table to `talk`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let Args { config, holdout, output, threads } = args;
    let Some(days) = config::length_of_time(&holdout) else {
        let what = format!("--holdout is `{holdout}`, expected a length of time from 1 day to 100 years");
        return streams.fail(&what, Some("write it like 39w, 12 months or 273 days"), Exit::USAGE);
    };
    let settings = match load(&config, &Overrides { threads, ..Overrides::default() }, streams)? {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    if let Err(exit) = may_write(output.as_deref(), streams)? {
        return Ok(exit);
    }
    let output =
        output.unwrap_or_else(|| Utf8PathBuf::from(format!("{}-validation", settings.output.trim_end_matches('/'))));
    match work(settings.threads, Stages::Told, streams, |progress| {
        around(&[&settings], Some(output.as_str()), &progress, |local, output| {
            pipeline::validate(&local[0], days, output, Arc::clone(&progress))
        })
    })? {
        Ok((found, _)) => tell(&output, &found, streams).map(|()| Exit::SUCCESS),
        Err(exit) => Ok(exit),
    }
}

fn tell(output: &Utf8Path, found: &Validation, streams: &mut Streams<'_>) -> std::io::Result<()> {
    writeln!(streams.talk)?;
    for line in &found.table {
        writeln!(streams.talk, "{line}")?;
    }
    let manifest = &found.manifest;
    let line = serde_json::json!({
        "output": output.as_str(),
        "cut": manifest["cut"],
        "as_of": manifest["as_of"],
        "best": manifest["best"],
    });
    streams.result(line)
}
