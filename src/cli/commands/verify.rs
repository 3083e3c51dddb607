//! `whalecurve verify`: a finished output against its manifest.

use camino::Utf8PathBuf;

use crate::{
    cli::{Exit, streams::Streams},
    publish::{
        PublishError,
        check::{Checked, check},
        folder::MANIFEST,
    },
};

/// What to check.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Output folder of `run`, `project`, `validate` or `compare`.
    output: Utf8PathBuf,
}

/// Checks an output: one line of JSON to `out`, what is wrong to `talk`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    if !args.output.join(MANIFEST).is_file() {
        let what = format!("{}: no output of whalecurve: it has no {MANIFEST}", args.output);
        return streams.fail(&what, Some("name the folder that a run has written"), Exit::USAGE);
    }
    match check(&args.output) {
        Ok(Ok(checked)) => {
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
        Ok(Err(findings)) => {
            let last = findings.len().saturating_sub(1);
            for (number, finding) in findings.iter().enumerate() {
                let hint = (number == last).then_some("run it again: the same inputs and config give the same bytes");
                streams.fail(&finding.to_string(), hint, Exit::REFUSED)?;
            }
            Ok(Exit::REFUSED)
        }
        Err(error) => {
            let exit = if matches!(error, PublishError::Damaged { .. }) { Exit::REFUSED } else { Exit::FAILURE };
            streams.fail(&error.to_string(), error.hint(), exit)
        }
    }
}
