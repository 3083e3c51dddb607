//! `whalecurve report`: the page for people of a finished output.

use camino::Utf8PathBuf;

use super::are_outputs;
use crate::{
    cli::{
        Exit,
        place::{self, Kind},
        streams::Streams,
    },
    pipeline::{finished::Finished, report::html},
    publish::{PublishError, beside::replace_if, check::manifest_bytes, contents::REPORT},
};

/// Which output, and what its page shows more.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Output folder of `run` or `project`.
    output: Utf8PathBuf,
    /// Output folder of `validate`, whose scores and tracking the page shows.
    #[arg(long, value_name = "FOLDER")]
    validation: Option<Utf8PathBuf>,
    /// Groups of fewer customers are not told [default: as the config said].
    #[arg(long, value_name = "CUSTOMERS", value_parser = clap::value_parser!(u64).range(1..))]
    smallest_group: Option<u64>,
    /// File that is written [default: report.html in the output].
    #[arg(long, value_name = "FILE")]
    to: Option<Utf8PathBuf>,
}

/// Writes the page: one line of JSON to `out`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    if let Err(exit) = are_outputs(std::iter::once(&args.output).chain(&args.validation), streams)? {
        return Ok(exit);
    }
    let kind = Finished::open(&args.output).ok().and_then(|found| Some(found.manifest["kind"].as_str()?.to_owned()));
    if kind.as_deref() == Some("validation") {
        let what = format!("{}: is an output of `validate`, which has no page of its own", args.output);
        let hint =
            format!("show it on the page of a run, as in: whalecurve report RESULTS --validation {}", args.output);
        return streams.fail(&what, Some(&hint), Exit::USAGE);
    }
    if let Some(to) = &args.to
        && let Err(what) = place::refuse(Kind::Page, to, None)
    {
        return streams.fail(&what, Some(place::HINT), Exit::USAGE);
    }
    match write(args) {
        Ok((path, bytes)) => streams
            .result(serde_json::json!({"output": args.output.as_str(), "report": path.as_str(), "bytes": bytes}))
            .map(|()| Exit::SUCCESS),
        Err(error) => streams.fail(&error.to_string(), error.hint(), Exit::of_output(&error)),
    }
}

/// Writes the page of an output that stays the same meanwhile: one of old results never gets into a new version.
fn write(args: &Args) -> Result<(Utf8PathBuf, usize), PublishError> {
    let before = manifest_bytes(&args.output)?;
    let is_same = || manifest_bytes(&args.output).is_ok_and(|now| now == before);
    let made = || {
        let validation = args.validation.as_deref().map(Finished::open).transpose()?;
        let page = html(&Finished::open(&args.output)?, validation.as_ref(), args.smallest_group)?;
        let path = args.to.clone().unwrap_or_else(|| args.output.join(REPORT));
        if path.is_symlink() {
            return Err(PublishError::Link { path });
        }
        // Its group may read it, as the files of a run.
        match replace_if(&path, &page, 0o640, is_same) {
            Ok(()) => Ok((path, page.len())),
            Err(source) => Err(PublishError::Io { path, source }),
        }
    };
    made().map_err(|error| if is_same() { error } else { PublishError::Replaced { path: args.output.clone() } })
}
