//! `fx`: how foreign money becomes money of the run.

use std::collections::BTreeSet;

use crate::{
    cli::config::{error::Problems, suggest::quoted, walk::Entry},
    schema::{
        fx::{FxSettings, RateKind},
        settings::TableName,
    },
};

/// Words of `kind`.
const KINDS: [(&str, RateKind); 2] = [("average", RateKind::Average), ("closing", RateKind::Closing)];

/// `fx`.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    tables: &BTreeSet<TableName>,
    problems: &mut Problems,
) -> Option<FxSettings> {
    if !tables.contains(&TableName::Fx) {
        let what = format!("{} needs the table inputs.fx", quoted(entry.path()));
        problems.add_with_hint(entry.key_at(), what, "give rates by currency: inputs.fx with currency, rate, period");
    }
    let fields = entry.fields(&["kind"], problems)?;
    let kind = fields.read("kind", problems, |entry, problems| entry.word(&KINDS, problems));
    Some(FxSettings { kind: kind? })
}
