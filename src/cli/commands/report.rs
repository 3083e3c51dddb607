//! `whalecurve report`: the page for people of a finished output.

use camino::Utf8PathBuf;

use super::are_outputs;
use crate::{
    cli::{
        Exit,
        place::{self, Kind},
        streams::Streams,
    },
    pipeline::report::{ReportError, datasets_limit, html, open, unheeded},
    publish::{PublishError, beside::replace_if, check::manifest_bytes, contents::REPORT},
};

/// Which output, and what its page shows more.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Output folder of `run` or `project`.
    output: Utf8PathBuf,
    /// Output folder of `validate`, of the same ledger, whose scores and tracking the page shows.
    #[arg(long, value_name = "FOLDER")]
    validation: Option<Utf8PathBuf>,
    /// Groups of fewer customers are not told, nor any that the run's datasets leave out (`suppress`) [default: as the config
    /// said].
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
    if let Some(to) = &args.to
        && let Err(what) = place::refuse(Kind::Page, to, None)
    {
        return streams.fail(&what, Some(place::HINT), Exit::USAGE);
    }
    match write(args) {
        Ok((path, bytes, note)) => {
            if let Some(note) = note {
                writeln!(streams.talk, "note: {note}")?;
            }
            streams
                .result(serde_json::json!({"output": args.output.as_str(), "report": path.as_str(), "bytes": bytes}))
                .map(|()| Exit::SUCCESS)
        }
        Err(error) => {
            let exit = match &error {
                ReportError::Publish(error) => Exit::of_output(error),
                _ => Exit::USAGE,
            };
            streams.fail(&error.to_string(), error.hint().as_deref(), exit)
        }
    }
}

/// Writes the page of an output that stays the same meanwhile: one of old results never gets into a new version. The file, its
/// bytes, and a note where fewer customers were asked for than the output tells.
fn write(args: &Args) -> Result<(Utf8PathBuf, usize, Option<String>), ReportError> {
    let before = manifest_bytes(&args.output)?;
    let is_same = || manifest_bytes(&args.output).is_ok_and(|now| now == before);
    let made = || -> Result<_, ReportError> {
        let (source, validation) = open(&args.output, args.validation.as_deref())?;
        let page = html(&source, validation.as_ref(), args.smallest_group)?;
        let note = args.smallest_group.and_then(|asked| unheeded(asked, datasets_limit(&source)));
        let path = args.to.clone().unwrap_or_else(|| args.output.join(REPORT));
        if path.is_symlink() {
            return Err(PublishError::Link { path }.into());
        }
        // Its group may read it, as the files of a run.
        match replace_if(&path, &page, 0o640, is_same) {
            Ok(()) => Ok((path, page.len(), note)),
            Err(source) => Err(PublishError::Io { path, source }.into()),
        }
    };
    made().map_err(|error| if is_same() { error } else { PublishError::Replaced { path: args.output.clone() }.into() })
}
