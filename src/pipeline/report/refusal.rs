//! Which outputs have no page, and which scores of a holdout do not belong on one.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use super::{super::finished::Finished, whole::VALIDATION_SCORES};
use crate::publish::PublishError;

/// Why a page is not made.
#[derive(Debug, Error)]
pub(crate) enum ReportError {
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("{folder}: is an output of `{command}`, which has no page of its own")]
    NoPage { folder: Utf8PathBuf, command: &'static str },
    #[error("{folder}: has no scores of a holdout: it is no output of `validate`")]
    NoScores { folder: Utf8PathBuf },
    #[error("{folder}: its holdout is in {found}, {output} in {expected}")]
    Currency { folder: Utf8PathBuf, found: String, output: Utf8PathBuf, expected: String },
    #[error("{folder}: its holdout is of another ledger than {output}: they have no file of transactions in common")]
    Ledger { folder: Utf8PathBuf, output: Utf8PathBuf },
}

impl ReportError {
    /// One thing to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Publish(error) => error.hint().map(str::to_owned),
            Self::NoPage { folder, command: "validate" } => {
                Some(format!("show it on the page of a run, as in: whalecurve report RESULTS --validation {folder}"))
            }
            Self::NoPage { .. } => Some("run the config without `--cost-object`, and name that output".to_owned()),
            Self::NoScores { .. } | Self::Currency { .. } | Self::Ledger { .. } => {
                Some("make one with the run's own config: whalecurve validate CONFIG --holdout 13w".to_owned())
            }
        }
    }
}

/// Refuses an output that has no page, and a holdout that is none of its own.
///
/// Of currency and ledger as far as both manifests tell; outputs of one ledger, one of them older, have some files in common.
///
/// # Errors
/// [`ReportError`]; [`PublishError`] of a manifest without a currency.
pub(crate) fn refuse(source: &Finished, validation: Option<&Finished>) -> Result<(), ReportError> {
    let no_page = |command| Err(ReportError::NoPage { folder: source.folder.clone(), command });
    if source.text("kind") == "validation" {
        return no_page("validate");
    }
    if !source.manifest["cost_object"].is_null() {
        return no_page("run --cost-object");
    }
    let Some(validation) = validation else { return Ok(()) };
    let (folder, output) = (validation.folder.clone(), source.folder.clone());
    if VALIDATION_SCORES.iter().all(|scores| validation.columns(scores).is_empty()) {
        return Err(ReportError::NoScores { folder });
    }
    let expected = source.currency()?.code;
    if let Some(found) = validation.manifest["currency"]["code"].as_str().filter(|found| *found != expected) {
        return Err(ReportError::Currency { folder, found: found.to_owned(), output, expected });
    }
    let (scored, of_run) = (ledger(validation), ledger(source));
    if !scored.is_empty() && !of_run.is_empty() && scored.is_disjoint(&of_run) {
        return Err(ReportError::Ledger { folder, output });
    }
    Ok(())
}

/// Digests of the files of transactions.
fn ledger(source: &Finished) -> BTreeSet<&str> {
    let files = source.manifest["inputs"].as_array().into_iter().flatten();
    files.filter(|file| file["table"] == "transactions").filter_map(|file| file["blake3"].as_str()).collect()
}

/// What to tell of a number of customers that was asked for and is not what the page goes by.
///
/// * `asked`: fewest customers of a group that is told. * `datasets`: the same of the datasets, which the page follows.
pub(crate) fn unheeded(asked: u64, datasets: u64) -> Option<String> {
    (asked < datasets).then(|| {
        format!(
            "groups of fewer than {datasets} customers are not told, though {asked} was asked for: the page tells none that the \
             run's datasets leave out; `suppress: {{smallest_group: {asked}}}` in the config, and a run, tells them"
        )
    })
}

/// The limit of the datasets of an output.
pub(crate) fn datasets_limit(source: &Finished) -> u64 {
    source.manifest["suppress"]["smallest_group"].as_u64().unwrap_or(1)
}

/// The manifest of an output, as far as a page may be made of it.
///
/// # Errors
/// As [`refuse`].
pub(crate) fn open(
    output: &Utf8Path,
    validation: Option<&Utf8Path>,
) -> Result<(Finished, Option<Finished>), ReportError> {
    let (source, validation) = (Finished::open(output)?, validation.map(Finished::open).transpose()?);
    refuse(&source, validation.as_ref())?;
    Ok((source, validation))
}
