//! One file a command: its arguments as typed, and what it does with them.

pub mod clean;
pub mod compare;
pub mod config;
pub mod demo;
pub mod diff;
pub mod doctor;
pub mod explain;
pub mod fit;
pub mod generate;
pub mod help;
pub mod init;
pub mod plan;
pub mod report;
pub mod run;
pub mod schema;
pub mod shell;
pub mod validate;
pub mod verify;

use camino::Utf8PathBuf;

use crate::{
    cli::{Exit, streams::Streams},
    publish::folder::MANIFEST,
};

/// Whether these folders are outputs of a run, or the exit after the first that is none is told.
fn are_outputs<'a>(
    folders: impl IntoIterator<Item = &'a Utf8PathBuf>,
    streams: &mut Streams<'_>,
) -> std::io::Result<Result<(), Exit>> {
    match folders.into_iter().find(|folder| !folder.join(MANIFEST).is_file()) {
        None => Ok(Ok(())),
        Some(folder) => {
            let what = format!("{folder}: no output of whalecurve: it has no {MANIFEST}");
            streams.fail(&what, Some("name the folder that a run has written"), Exit::USAGE).map(Err)
        }
    }
}
