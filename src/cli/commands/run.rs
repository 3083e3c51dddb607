//! `whalecurve run`: Parquet in, Parquet results out.

use std::{cell::RefCell, collections::BTreeMap, fs::File, io::Read as _, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use clap::ValueEnum;

use super::plan::warn_of_memory;
use crate::{
    cli::{
        Exit,
        config::{self, ConfigErrors, Overrides},
        follow::{Stages, work},
        id_key::unlock,
        lineage::Lineage,
        place::{self, Kind},
        streams::Streams,
    },
    pipeline::{self, Outcome, RunError, SavedModels, stores::around},
    schema::{
        location::{Location, is_url},
        objects::CostObject,
        settings::Settings,
    },
    store::{self, Published},
};

/// What to run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The config, as in whalecurve.yaml.
    config: Utf8PathBuf,
    /// Output folder, or place in an object store, instead of the config's.
    #[arg(long)]
    output: Option<Utf8PathBuf>,
    /// Threads; all cores by default. Never changes a result.
    #[arg(long, value_parser = crate::cli::threads)]
    threads: Option<usize>,
    /// Seed of the simulation, instead of the config's.
    #[arg(long)]
    seed: Option<u64>,
    /// Cost orders, products, channels or regions instead of customers, without a forecast.
    #[arg(long, value_enum)]
    cost_object: Option<Object>,
    /// What-if beside the base, as in `activities.picking.cost=9000.00`; may stand several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// File to append OpenLineage events to.
    #[arg(long, value_name = "FILE")]
    lineage_file: Option<Utf8PathBuf>,
}

impl Args {
    /// A config as it stands.
    pub(super) fn of(config: Utf8PathBuf) -> Self {
        Self {
            config,
            output: None,
            threads: None,
            seed: None,
            cost_object: None,
            sets: Vec::new(),
            lineage_file: None,
        }
    }
}

/// What is costed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Object {
    Order,
    Product,
    Customer,
    Channel,
    Region,
}

impl From<Object> for CostObject {
    fn from(object: Object) -> Self {
        match object {
            Object::Order => Self::Order,
            Object::Product => Self::Product,
            Object::Customer => Self::Customer,
            Object::Channel => Self::Channel,
            Object::Region => Self::Region,
        }
    }
}

/// What to run, and the models to run it with.
#[derive(Debug, clap::Args)]
pub struct ProjectArgs {
    #[command(flatten)]
    run: Args,
    /// Models that `whalecurve fit` has written.
    #[arg(long)]
    model: Utf8PathBuf,
}

/// Runs a config with saved models; nothing is read where they do not fit.
///
/// # Errors
/// When the streams cannot be written.
pub fn project(args: ProjectArgs, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let ProjectArgs { run: args, model } = args;
    match SavedModels::read(&model) {
        Ok(saved) => run_with(args, Some((saved, model)), streams),
        Err(error) => {
            let (hint, error) = (error.hint(), RunError::Model(error));
            streams.fail(&error.to_string(), hint, Exit(error.exit_code()))
        }
    }
}

/// Runs a config: one line of JSON to `out`, stages and a summary to `talk`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    run_with(args, None, streams)
}

fn run_with(args: Args, saved: Option<(SavedModels, Utf8PathBuf)>, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let Args { config, output, threads, seed, sets, cost_object, lineage_file } = args;
    let settings = match load(&config, &Overrides { output, threads, seed, sets }, streams)? {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    if let (Some((saved, file)), Some(setting)) = (&saved, &settings.forecast)
        && let Err(error) = saved.fits(setting, file)
    {
        return streams.fail(&error.to_string(), error.hint(), Exit::USAGE);
    }
    if let Some(file) = &lineage_file
        && let Err(what) = place::refuse(Kind::Lineage, file, Some(&settings))
    {
        return streams.fail(&what, Some(place::HINT), Exit::USAGE);
    }
    if let Some(file) = lineage_file.as_ref().filter(|file| streams.summary_is_at(file)) {
        let what = format!("--lineage-file {file}: that is where --summary-file writes");
        return streams.fail(&what, Some(place::HINT), Exit::USAGE);
    }
    warn_of_memory(&settings, streams)?;
    let lineage = Lineage::new(lineage_file, &settings);
    lineage.start(streams)?;
    let outcome = work(settings.threads, Stages::Told, streams, |progress| {
        around(&[&settings], Some(&settings.output), &progress, |local, _| match cost_object {
            Some(object) => pipeline::run_objects(&local[0], object.into(), Arc::clone(&progress)),
            None => pipeline::project(&local[0], saved.map(|saved| saved.0), Arc::clone(&progress)),
        })
    })?;
    match outcome {
        Ok((outcome, published)) => {
            lineage.complete(&outcome.manifest, streams)?;
            tell(&settings, &outcome, published.as_ref(), streams).map(|()| Exit::SUCCESS)
        }
        Err(exit) => {
            lineage.fail(streams)?;
            Ok(exit)
        }
    }
}

/// Refuses a `--output` that is a URL of no store, or of a store that this build does not write.
pub(super) fn may_write(output: Option<&Utf8Path>, streams: &mut Streams<'_>) -> std::io::Result<Result<(), Exit>> {
    let Some(url) = output.map(Utf8Path::as_str).filter(|output| is_url(output)) else { return Ok(Ok(())) };
    match located(url) {
        Ok(_) => Ok(Ok(())),
        Err((what, hint)) => streams.fail(&format!("--output {what}"), Some(hint), Exit::USAGE).map(Err),
    }
}

/// The place in a store that a URL on the command line names; what is wrong with it otherwise, without its text, and a hint.
pub(super) fn located(url: &str) -> Result<Location, (String, &'static str)> {
    match Location::parse(url) {
        Ok(_) if !store::BUILT => Err((
            "is in an object store, which this build does not read or write".to_owned(),
            "build it with `cargo build --release --features stores`",
        )),
        Ok(place) if place.is_pattern() => Err(("has wildcards".to_owned(), "name one place")),
        Ok(place) => Ok(place),
        Err(error) => Err((error.to_string(), error.hint())),
    }
}

/// The resolved settings, or the exit after all problems are told.
pub(super) fn load(
    path: &Utf8Path,
    overrides: &Overrides,
    streams: &mut Streams<'_>,
) -> std::io::Result<Result<Settings, Exit>> {
    if let Err(exit) = may_write(overrides.output.as_deref(), streams)? {
        return Ok(Err(exit));
    }
    let text = match read_text(path, streams)? {
        Ok(text) => text,
        Err(exit) => return Ok(Err(exit)),
    };
    streams.set_config(path, &text);
    let taken = RefCell::new(BTreeMap::new());
    let noted = |name: &str| {
        let value = environment(name)?;
        taken.borrow_mut().insert(name.to_owned(), value.clone());
        Some(value)
    };
    let loaded = config::load(path, &text, &noted, overrides);
    for (name, value) in taken.take() {
        streams.mask(&name, &value);
    }
    match loaded {
        Ok(mut settings) => match unlock(&mut settings, &environment) {
            Ok(()) => match streams.try_summary_beside(&settings) {
                Ok(()) => Ok(Ok(settings)),
                Err(what) => streams.fail(&what, Some(place::HINT), Exit::USAGE).map(Err),
            },
            Err(what) => {
                let hint =
                    "make a key once, as in: openssl rand -hex 32, and keep it: another key gives other pseudonyms";
                streams.fail(&what, Some(hint), Exit::USAGE).map(Err)
            }
        },
        Err(errors) => refuse(&errors, streams).map(Err),
    }
}

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Tells every problem of a config.
pub(super) fn refuse(errors: &ConfigErrors, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    for problem in errors.problems() {
        streams.refuse(&errors.place(problem), &problem.what, problem.hint.as_deref(), Exit::USAGE)?;
    }
    Ok(Exit::USAGE)
}

/// The text of a config, or the exit after it is told why there is none.
pub(super) fn read_text(path: &Utf8Path, streams: &mut Streams<'_>) -> std::io::Result<Result<String, Exit>> {
    let too_long = |bytes: u64| format!("the config has {bytes} bytes, more than the {} allowed", config::MAX_BYTES);
    if let Ok(found) = std::fs::metadata(path)
        && found.len() > config::MAX_BYTES
    {
        // Not even read.
        streams.refuse(&format!("{path}:1:1"), &too_long(found.len()), None, Exit::USAGE)?;
        return Ok(Err(Exit::USAGE));
    }
    // A device has no length that could be asked for.
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(config::MAX_BYTES + 1).read_to_string(&mut text));
    match read {
        Ok(bytes) if bytes as u64 > config::MAX_BYTES => {
            streams.refuse(&format!("{path}:1:1"), &too_long(bytes as u64), None, Exit::USAGE)?;
            Ok(Err(Exit::USAGE))
        }
        Ok(_) => Ok(Ok(text)),
        Err(error) => {
            let hint = "name a config file, as in: whalecurve run whalecurve.yaml";
            streams.fail(&format!("{path}: {error}"), Some(hint), Exit::USAGE).map(Err)
        }
    }
}

fn tell(
    settings: &Settings,
    outcome: &Outcome,
    published: Option<&Published>,
    streams: &mut Streams<'_>,
) -> std::io::Result<()> {
    writeln!(streams.talk)?;
    for line in &outcome.summary {
        writeln!(streams.talk, "{line}")?;
    }
    let manifest = &outcome.manifest;
    let mut line = serde_json::json!({
        "output": settings.output,
        "as_of": manifest["as_of"],
        "pools": manifest["pools"],
        "result_digest": manifest["result_digest"],
    });
    if let Some(published) = published {
        let (run, objects) = (published.run.url(), published.objects);
        writeln!(streams.talk, "{run} is current: {objects} objects; {} older runs removed", published.removed.len())?;
        line["run"] = run.into();
    }
    streams.result(line)
}
