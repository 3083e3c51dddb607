//! `whalecurve report`: the page for people of a finished output.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    cli::{Exit, streams::Streams},
    pipeline::{
        finished::Finished,
        report::{REPORT, html},
    },
    publish::{PublishError, folder::MANIFEST},
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
    for folder in std::iter::once(&args.output).chain(&args.validation) {
        if !folder.join(MANIFEST).is_file() {
            let what = format!("{folder}: no output of whalecurve: it has no {MANIFEST}");
            return streams.fail(&what, Some("name the folder that a run has written"), Exit::USAGE);
        }
    }
    match write(args) {
        Ok((path, bytes)) => streams
            .result(serde_json::json!({"output": args.output.as_str(), "report": path.as_str(), "bytes": bytes}))
            .map(|()| Exit::SUCCESS),
        Err(error) => {
            let exit = if matches!(error, PublishError::Damaged { .. }) { Exit::REFUSED } else { Exit::FAILURE };
            streams.fail(&error.to_string(), error.hint(), exit)
        }
    }
}

fn write(args: &Args) -> Result<(Utf8PathBuf, usize), PublishError> {
    let validation = args.validation.as_deref().map(Finished::open).transpose()?;
    let page = html(&Finished::open(&args.output)?, validation.as_ref(), args.smallest_group)?;
    let path = args.to.clone().unwrap_or_else(|| args.output.join(REPORT));
    replace(&path, &page)?;
    Ok((path, page.len()))
}

/// Writes a file beside its place and renames it, so that a reader sees the old page or the new one; not through a link.
fn replace(path: &Utf8Path, page: &str) -> Result<(), PublishError> {
    if path.is_symlink() {
        return Err(PublishError::Link { path: path.to_owned() });
    }
    let name = path.file_name().unwrap_or(REPORT);
    let staged = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let failed = |source| PublishError::Io { path: path.to_owned(), source };
    let written = private(&staged).and_then(|mut file| std::io::Write::write_all(&mut file, page.as_bytes()));
    let done = written.and_then(|()| fs::rename(&staged, path));
    done.map_err(|error| {
        // What could not be finished is of no use.
        let _ = fs::remove_file(&staged);
        failed(error)
    })
}

/// A new file that its group may read, as those of a run.
fn private(path: &Utf8Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o640).open(path)
}
