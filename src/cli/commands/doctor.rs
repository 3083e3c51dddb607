//! `whalecurve doctor`: what this machine and this folder can do for a run.

use std::{fs, num::NonZeroUsize};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    cli::{Exit, memory, streams::Streams},
    publish::probe::{Probe, probe},
};

/// Where to look.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder in which outputs are to stand.
    #[arg(default_value = ".")]
    folder: Utf8PathBuf,
}

/// How a finding is to be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Mind,
    Bad,
}

/// Tells what is there and what is missing: a line a finding, one line of JSON to `out`.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let mut findings = machine();
    findings.extend(folder(&args.folder));
    for (verdict, what) in &findings {
        let mark = match verdict {
            Verdict::Good => "ok  ",
            Verdict::Mind => "mind",
            Verdict::Bad => "bad ",
        };
        writeln!(streams.talk, "{mark}  {what}")?;
    }
    let count = |wanted: Verdict| findings.iter().filter(|(verdict, _)| *verdict == wanted).count();
    let bad = count(Verdict::Bad);
    streams.result(serde_json::json!({"ok": count(Verdict::Good), "mind": count(Verdict::Mind), "bad": bad}))?;
    Ok(if bad == 0 { Exit::SUCCESS } else { Exit::FAILURE })
}

fn machine() -> Vec<(Verdict, String)> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut found = vec![
        (Verdict::Good, format!("whalecurve {}", env!("CARGO_PKG_VERSION"))),
        (Verdict::Good, format!("{cores} cores; --threads takes fewer and changes no result")),
    ];
    match (memory::limit(None), memory::available()) {
        (Some(limit), _) => found.push((
            Verdict::Good,
            format!("the system leaves a run {} MiB; one that needs more says so and ends", memory::mebibytes(limit)),
        )),
        (None, Some(free)) => found.push((
            Verdict::Mind,
            format!("{} MiB are free and no limit is set: --memory bounds a run", memory::mebibytes(free)),
        )),
        (None, None) => found.push((Verdict::Mind, "the system does not tell how much memory is free".to_owned())),
    }
    if let Some(files) = open_files() {
        let verdict = if files < 256 { Verdict::Mind } else { Verdict::Good };
        found.push((verdict, format!("a process may hold {files} files open")));
    }
    found
}

fn folder(folder: &Utf8Path) -> Vec<(Verdict, String)> {
    let Probe { writable, locks, exchanges } = probe(folder);
    let mut found = Vec::new();
    match writable {
        Ok(()) => found.push((Verdict::Good, format!("{folder} can be written"))),
        Err(error) => return vec![(Verdict::Bad, format!("{folder} cannot be written: {error}"))],
    }
    found.push(match locks {
        Ok(()) => (Verdict::Good, "its file system has locks: two runs on one output exclude each other".to_owned()),
        Err(error) => (Verdict::Bad, format!("its file system has no locks ({error}): no output can be written there")),
    });
    found.push(match exchanges {
        Ok(true) => (Verdict::Good, "its file system exchanges two folders in one step".to_owned()),
        Ok(false) => (
            Verdict::Mind,
            "its file system cannot exchange two folders in one step: a reader may meet a moment without an output"
                .to_owned(),
        ),
        Err(error) => (Verdict::Bad, format!("folders cannot be renamed there: {error}")),
    });
    found
}

/// How many files this process may hold open.
fn open_files() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}
