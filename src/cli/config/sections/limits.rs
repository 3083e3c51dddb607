//! `limits`: what footers of inputs may say before a page of them is decoded.

use crate::{
    cli::config::{error::Problems, walk::Entry},
    schema::inputs::Limits,
};

/// `limits`; what it does not name keeps its default.
pub(in crate::cli::config) fn read(entry: &Entry<'_>, problems: &mut Problems) -> Option<Limits> {
    let fields = entry.fields(&Limits::KEYS, problems)?;
    let mut limits = Some(Limits::default());
    for key in Limits::KEYS {
        let Some(entry) = fields.get(key) else { continue };
        let limit = entry.whole(1, u64::MAX, problems);
        limits = limits.zip(limit).map(|(limits, limit)| limits.with(key, limit));
    }
    limits
}
