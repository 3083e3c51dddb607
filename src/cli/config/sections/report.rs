//! `report` and `suppress`: whether a run writes the page for people, and which groups that and the segment datasets tell.

use crate::{
    cli::config::{
        error::Problems,
        sections::activities::SWITCH,
        walk::{Entry, Fields},
    },
    schema::settings::{ReportSettings, SMALLEST_GROUP},
};

/// Most customers of a group that is not told.
const LARGEST_HIDDEN: u64 = 1_000_000;

/// `report`.
pub(in crate::cli::config) fn read(entry: &Entry<'_>, problems: &mut Problems) -> Option<ReportSettings> {
    let default = ReportSettings::default();
    let fields = entry.fields(&["write", "smallest_group"], problems)?;
    let write = fields.read_or("write", default.write, problems, |entry, problems| entry.word(&SWITCH, problems));
    let smallest_group = smallest_group(&fields, problems);
    Some(ReportSettings { write: write?, smallest_group: smallest_group? })
}

/// `suppress`: fewest customers of a group that the segment datasets tell.
pub(in crate::cli::config) fn suppress(entry: &Entry<'_>, problems: &mut Problems) -> Option<u64> {
    let fields = entry.fields(&["smallest_group"], problems)?;
    smallest_group(&fields, problems)
}

fn smallest_group(fields: &Fields<'_>, problems: &mut Problems) -> Option<u64> {
    fields
        .read_or("smallest_group", SMALLEST_GROUP, problems, |entry, problems| entry.whole(1, LARGEST_HIDDEN, problems))
}
