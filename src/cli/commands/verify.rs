//! `whalecurve verify`: a finished output against its manifest.

use camino::Utf8PathBuf;

use super::{are_outputs, run::located};
use crate::{
    cli::{Exit, streams::Streams},
    pipeline::stores,
    publish::check::{Checked, Finding, check},
    schema::location::is_url,
};

/// What to check.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Output folder, or place in an object store, of `run`, `project`, `validate` or `compare`.
    output: Utf8PathBuf,
}

/// Checks an output: one line of JSON to `out`, what is wrong to `talk`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    if is_url(args.output.as_str()) {
        return match located(args.output.as_str()) {
            Ok(place) => match stores::verify(&place) {
                Ok(found) => tell(args, found, streams),
                Err(error) => streams.fail(&error.to_string(), error.hint(), Exit(error.exit_code())),
            },
            Err((what, hint)) => streams.fail(&format!("OUTPUT {what}"), Some(hint), Exit::USAGE),
        };
    }
    if let Err(exit) = are_outputs([&args.output], streams)? {
        return Ok(exit);
    }
    match check(&args.output) {
        Ok(found) => tell(args, found, streams),
        Err(error) => streams.fail(&error.to_string(), error.hint(), Exit::of_output(&error)),
    }
}

fn tell(args: &Args, found: Result<Checked, Vec<Finding>>, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    match found {
        Ok(checked) => {
            let Checked { datasets, files, rows, bytes, sums, result_digest } = checked;
            writeln!(
                streams.talk,
                "{}: {datasets} datasets, {files} files, {rows} rows, {bytes} bytes are what was written; {sums} sums tie",
                args.output
            )?;
            let line = serde_json::json!({
                "output": args.output.as_str(),
                "datasets": datasets,
                "files": files,
                "rows": rows,
                "bytes": bytes,
                "sums": sums,
                "result_digest": result_digest,
            });
            streams.result(line)?;
            Ok(Exit::SUCCESS)
        }
        Err(findings) => {
            let last = findings.len().saturating_sub(1);
            for (number, finding) in findings.iter().enumerate() {
                let hint = (number == last).then_some("run it again: the same inputs and config give the same bytes");
                streams.fail(&finding.to_string(), hint, Exit::REFUSED)?;
            }
            Ok(Exit::REFUSED)
        }
    }
}
