//! `tests`: what must be true of the outputs before they are committed.

use std::collections::BTreeMap;

use super::thresholds;
use crate::{
    cli::config::{error::Problems, suggest::quoted, walk::Entry},
    schema::{
        checks::{OutputTest, Severity, Threshold},
        outputs::DATASETS,
    },
};

/// Keys of a test.
const KEYS: [&str; 6] = ["dataset", "no_row_where", "amount", "severity", "error_if", "warn_if"];

/// Words of `severity`.
const SEVERITIES: [(&str, Severity); 2] = [("error", Severity::Error), ("warn", Severity::Warn)];

/// `tests`: the user's names, each with a dataset and a predicate.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    outputs: Option<&[String]>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<BTreeMap<String, OutputTest>> {
    let mut tests = Some(BTreeMap::new());
    for (name, entry) in entry.named(problems)? {
        match (test(&entry, outputs, exponent, problems), &mut tests) {
            (Some(test), Some(tests)) => _ = tests.insert(name.to_owned(), test),
            _ => tests = None,
        }
    }
    tests
}

fn test(entry: &Entry<'_>, outputs: Option<&[String]>, exponent: u8, problems: &mut Problems) -> Option<OutputTest> {
    let fields = entry.fields(&KEYS, problems)?;
    let known: Vec<(&str, &str)> = DATASETS.iter().map(|dataset| (dataset.name, dataset.name)).collect();
    let dataset = fields.read("dataset", problems, |entry, problems| {
        let dataset = entry.word(&known, problems)?;
        if outputs.is_some_and(|outputs| outputs.iter().all(|output| output != dataset)) {
            let what = format!("{} is not among `outputs`, so it is not written", quoted(entry.path()));
            problems.add_with_hint(entry.at(), what, "add the dataset to outputs");
            return None;
        }
        Some(dataset)
    });
    let no_row_where = fields.read("no_row_where", problems, |entry, problems| {
        entry.text("a SQL predicate over the dataset's columns", problems).map(str::to_owned)
    });
    let amount = fields.read_or("amount", None, problems, |entry, problems| {
        entry.text("a column of money of the dataset", problems).map(|column| Some(column.to_owned()))
    });
    let severity =
        fields.read_or("severity", Severity::Error, problems, |entry, problems| entry.word(&SEVERITIES, problems));
    let money = amount.as_ref().is_none_or(Option::is_some).then_some(exponent);
    let any = Threshold::of_rows(0);
    let mut threshold = |key: &str, default: Threshold| {
        fields.read_or(key, default, problems, |entry, problems| thresholds::read(entry, money, problems))
    };
    let (error_if, warn_if) = (threshold("error_if", any), threshold("warn_if", any));
    if let (Some(Severity::Warn), Some(entry)) = (severity, fields.get("error_if")) {
        problems.add(entry.key_at(), format!("{} has no effect with severity: warn", quoted(entry.path())));
        return None;
    }
    let severity = severity?;
    Some(OutputTest {
        dataset: dataset?.to_owned(),
        no_row_where: no_row_where?,
        amount: amount?,
        severity,
        error_if: if severity == Severity::Warn { Threshold::default() } else { error_if? },
        warn_if: warn_if?,
    })
}
