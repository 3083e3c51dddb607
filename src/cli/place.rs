//! Files that a command writes where the command line says: never over what it reads, and never into an output.

use std::{fs::File, io::Read};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    pipeline::refuse_inputs,
    publish::{contents::REPORT, folder::MANIFEST},
    schema::{location::is_url, settings::Settings},
};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of `--summary-file`.
    Summary,
    /// Of `--lineage-file`, which is added to.
    Lineage,
    /// Of `report --to`.
    Page,
    /// Of `fit --model`.
    Model,
}

/// One thing to do next.
pub(super) const HINT: &str = "name a file of its own, outside inputs and outputs";

/// Bytes by which a file is known.
const HEAD: u64 = 1 << 20;

impl Kind {
    fn flag(self) -> &'static str {
        match self {
            Self::Summary => "--summary-file",
            Self::Lineage => "--lineage-file",
            Self::Page => "--to",
            Self::Model => "--model",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Lineage => "file of OpenLineage events",
            Self::Page => "report",
            Self::Model => "saved model",
        }
    }

    /// How a file of this kind begins, and what stands in it.
    fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Summary => ("{", "\"exit_code\""),
            Self::Lineage => ("{", "\"eventType\""),
            Self::Page => ("<!DOCTYPE html>", "whalecurve report"),
            Self::Model => ("{", "\"whalecurve-model\""),
        }
    }

    /// Whether a file may be replaced, or added to: it is of this kind, or empty, or none at all. What is no file is for whoever
    /// writes to tell.
    fn is_own(self, path: &Utf8Path) -> bool {
        if !path.is_file() {
            return true;
        }
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
        let (begins, holds) = self.marks();
        let text = String::from_utf8_lossy(&head);
        // One that cannot be read is not known.
        read.is_ok() && (head.is_empty() || text.trim_start().starts_with(begins) && text.contains(holds))
    }
}

/// Refuses a place that holds a file of another kind, such as a config or an input, or that lies within an input or an output.
///
/// * `settings`: of the config, where there is one.
///
/// # Errors
/// What is wrong, with the flag.
pub(super) fn refuse(kind: Kind, path: &Utf8Path, settings: Option<&Settings>) -> Result<(), String> {
    let bad = |what: String| Err(format!("{} {path}: {what}", kind.flag()));
    if let Some(output) = output_around(path).filter(|output| !(kind == Kind::Page && path == output.join(REPORT))) {
        return bad(format!("lies within the output {output}, which holds what a run has written and nothing else"));
    }
    if let Some(settings) = settings {
        if !is_url(&settings.output) && is_within(path, Utf8Path::new(&settings.output)) {
            return bad(format!("lies within the output {}, which a run replaces", settings.output));
        }
        if let Err(error) = refuse_inputs(settings, path) {
            let input = error.input().map(|input| format!(" {input}")).unwrap_or_default();
            return bad(format!("lies within the input{input}, or is that input"));
        }
    }
    if kind.is_own(path) {
        Ok(())
    } else {
        bad(format!("there is a file already, and it is no {} of whalecurve", kind.name()))
    }
}

/// The output that a path lies in, as the path says it.
fn output_around(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let absolute = camino::absolute_utf8(path).ok()?;
    let around = absolute.ancestors().skip(1).find(|folder| folder.join(MANIFEST).is_file())?;
    let depth = absolute.components().count() - around.components().count();
    // Said as the path is, where it goes that far up.
    Some(path.ancestors().nth(depth).filter(|said| !said.as_str().is_empty()).unwrap_or(around).to_owned())
}

fn is_within(path: &Utf8Path, folder: &Utf8Path) -> bool {
    let (Ok(path), Ok(folder)) = (camino::absolute_utf8(path), camino::absolute_utf8(folder)) else { return false };
    path.starts_with(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_of_another_kind_is_not_replaced_and_an_output_takes_no_other_file() {
        let guard = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(guard.path()).unwrap();
        let [config, summary, empty, absent] = ["c.yaml", "s.json", "e", "a"].map(|name| folder.join(name));
        fs::write(&config, "version: 1\n").unwrap();
        fs::write(&summary, "{\n  \"command\": \"run\",\n  \"exit_code\": 0\n}\n").unwrap();
        fs::write(&empty, "").unwrap();
        fs::create_dir(folder.join("out")).unwrap();
        fs::write(folder.join("out").join(MANIFEST), "{}").unwrap();
        for kind in [Kind::Summary, Kind::Lineage, Kind::Page, Kind::Model] {
            assert!(refuse(kind, &empty, None).is_ok() && refuse(kind, &absent, None).is_ok());
            assert!(refuse(kind, &config, None).unwrap_err().contains("there is a file already, and it is no "));
            assert_eq!(refuse(kind, &summary, None).is_ok(), kind == Kind::Summary);
            let within = refuse(kind, &folder.join("out/x/y.json"), None).unwrap_err();
            assert!(within.contains(&format!("lies within the output {folder}/out, ")), "{within}");
            assert_eq!(refuse(kind, &folder.join("out").join(REPORT), None).is_ok(), kind == Kind::Page);
        }
    }
}
