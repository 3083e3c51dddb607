//! `whalecurve clean`: what killed runs left beside an output, and old versions.

use camino::{Utf8Path, Utf8PathBuf};

use super::run::located;
use crate::{
    cli::{Exit, streams::Streams},
    publish::{PublishError, folder},
    schema::location::{Location, is_url},
    store::{Stores, spool},
};

/// What to clean.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Output folder, or place in an object store, of `run`, `project`, `validate` or `compare`; it stays as it is.
    output: Utf8PathBuf,
    /// Also old versions that `keep_versions` has kept.
    #[arg(long)]
    versions: bool,
}

/// Removes what stands beside an output and is of no more use: one line of JSON to `out`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    if is_url(args.output.as_str()) {
        return match located(args.output.as_str()) {
            Ok(place) => in_store(&place, args, streams),
            Err((what, hint)) => streams.fail(&format!("OUTPUT {what}"), Some(hint), Exit::USAGE),
        };
    }
    match folder::clean(&args.output, args.versions).and_then(|removed| Ok([removed, spools(&args.output)?].concat())) {
        Ok(removed) => {
            for path in &removed {
                writeln!(streams.talk, "removed {path}")?;
            }
            let removed: Vec<&str> = removed.iter().map(|path| path.as_str()).collect();
            streams.result(serde_json::json!({"output": args.output.as_str(), "removed": removed}))?;
            Ok(Exit::SUCCESS)
        }
        Err(error) => {
            let locked = matches!(error, PublishError::Locked { .. });
            let exit = if locked { Exit::TEMPORARY } else { Exit::FAILURE };
            streams.fail(&error.to_string(), error.hint(), exit)
        }
    }
}

/// Removes what killed runs had fetched from stores.
fn spools(output: &Utf8Path) -> Result<Vec<Utf8PathBuf>, PublishError> {
    let failed = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| PublishError::Io { path, source }
    };
    let parent = output.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let Some(name) = output.file_name().filter(|_| parent.is_dir()) else { return Ok(Vec::new()) };
    let left = spool::left(parent, name).map_err(failed(parent))?;
    left.iter().try_for_each(|rest| std::fs::remove_dir_all(rest).map_err(failed(rest)))?;
    Ok(left)
}

fn in_store(place: &Location, args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    match Stores::new().and_then(|stores| stores.clean(place, args.versions)) {
        Ok(removed) => {
            for run in &removed {
                writeln!(streams.talk, "removed {}", place.join(run).url())?;
            }
            streams.result(serde_json::json!({"output": args.output.as_str(), "removed": removed}))?;
            Ok(Exit::SUCCESS)
        }
        Err(error) => streams.fail(&error.to_string(), Some(error.hint()), Exit(error.exit_code())),
    }
}
