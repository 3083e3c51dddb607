//! `whalecurve fit`: fitted models into a file.

use std::sync::Arc;

use camino::Utf8PathBuf;

use super::run::load;
use crate::{
    cli::{
        Exit,
        config::Overrides,
        follow::{Stages, work},
        place::{self, Kind},
        streams::Streams,
    },
    pipeline::{self, stores::around},
    schema::period::format_day,
};

/// What to fit.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The config, as in whalecurve.yaml; it needs a `forecast`.
    config: Utf8PathBuf,
    /// File to write the fitted models to.
    #[arg(long)]
    model: Utf8PathBuf,
    /// Threads; all cores by default. Never changes a result.
    #[arg(long, value_parser = crate::cli::threads)]
    threads: Option<usize>,
}

/// Fits the models of a config: the fits as one line of JSON to `out`, stages and notes to `talk`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let Args { config, model, threads } = args;
    let settings = match load(&config, &Overrides { threads, ..Overrides::default() }, streams)? {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    if let Err(what) = place::refuse(Kind::Model, &model, Some(&settings)) {
        return streams.fail(&what, Some(place::HINT), Exit::USAGE);
    }
    let fitted = match work(settings.threads, Stages::Told, streams, |progress| {
        around(&[&settings], None, &progress, |local, _| pipeline::fit(&local[0], &model, Arc::clone(&progress)))
    })? {
        Ok((fitted, _)) => fitted,
        Err(exit) => return Ok(exit),
    };
    for note in fitted.why.iter().chain(&fitted.notes).chain(&fitted.models.notes()) {
        writeln!(streams.talk, "note: {note}")?;
    }
    let mut line = serde_json::json!({
        "model": model.as_str(),
        "kind": fitted.models.kind().as_str(),
        "as_of": format_day(fitted.models.as_of),
    });
    if let (Some(line), serde_json::Value::Object(parameters)) = (line.as_object_mut(), fitted.models.parameters()) {
        line.extend(parameters);
    }
    streams.result(line)?;
    Ok(Exit::SUCCESS)
}
