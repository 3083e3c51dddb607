//! `report`: whether a run writes the page for people, and which groups it tells.

use crate::{
    cli::config::{error::Problems, sections::activities::SWITCH, walk::Entry},
    schema::settings::ReportSettings,
};

/// Most customers of a group that is not told.
const LARGEST_HIDDEN: u64 = 1_000_000;

/// `report`.
pub(in crate::cli::config) fn read(entry: &Entry<'_>, problems: &mut Problems) -> Option<ReportSettings> {
    let default = ReportSettings::default();
    let fields = entry.fields(&["write", "smallest_group"], problems)?;
    let write = fields.read_or("write", default.write, problems, |entry, problems| entry.word(&SWITCH, problems));
    let smallest_group = fields.read_or("smallest_group", default.smallest_group, problems, |entry, problems| {
        entry.whole(1, LARGEST_HIDDEN, problems)
    });
    Some(ReportSettings { write: write?, smallest_group: smallest_group? })
}
