//! `whalecurve fit`: fitted models into a file.

use camino::Utf8PathBuf;

use super::run::load;
use crate::{
    cli::{
        Exit,
        config::Overrides,
        follow::{Stages, work},
        streams::Streams,
    },
    pipeline,
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
    #[arg(long)]
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
    let fitted =
        match work(settings.threads, Stages::Told, streams, |progress| pipeline::fit(&settings, &model, progress))? {
            Ok(fitted) => fitted,
            Err(exit) => return Ok(exit),
        };
    let of_fits = fitted.models.purchases.notes.iter().chain(&fitted.models.spend.notes);
    for note in fitted.why.iter().chain(&fitted.notes).chain(of_fits) {
        writeln!(streams.talk, "note: {note}")?;
    }
    let line = serde_json::json!({
        "model": model.as_str(),
        "kind": fitted.kind.as_str(),
        "as_of": format_day(fitted.models.as_of),
        "purchases": fitted.models.purchases.fitted().ok(),
        "spend": fitted.models.spend.fitted().ok(),
    });
    streams.result(line)?;
    Ok(Exit::SUCCESS)
}
