//! `error_if` and `warn_if`: how much a check may find.

use crate::{
    cli::config::{error::Problems, suggest::quoted, walk::Entry},
    schema::checks::Threshold,
};

/// Limits of a threshold.
const KEYS: [&str; 3] = ["rows", "share", "amount"];

/// `{rows: 10, share: 0.01, amount: 500.00}`, of which one at least, or `"> 10"` rows.
///
/// * `exponent`: minor digits of the currency; `None` where the rows carry no money.
pub(super) fn read(entry: &Entry<'_>, exponent: Option<u8>, problems: &mut Problems) -> Option<Threshold> {
    if let Some(text) = entry.scalar() {
        let rows = text.strip_prefix('>').and_then(|rows| rows.trim().parse().ok());
        if rows.is_none() {
            let hint = "more is wrong than this: {rows: 10}, {share: 0.01}, {amount: 500.00}, or several";
            entry.refuse("limits, or \"> 10\" (rows)", Some(hint.to_owned()), problems);
        }
        return rows.map(Threshold::of_rows);
    }
    let fields = entry.fields(&KEYS, problems)?;
    let rows = fields.read_or("rows", None, problems, |entry, problems| entry.whole(0, u64::MAX, problems).map(Some));
    let share = fields.read_or("share", None, problems, |entry, problems| entry.rate(1, problems).map(Some));
    let amount = fields.read_or("amount", None, problems, |entry, problems| {
        let Some(exponent) = exponent else {
            problems.add(entry.key_at(), format!("{} has no effect: its rows carry no money", quoted(entry.path())));
            return None;
        };
        let amount = entry.scaled(exponent, "an amount of 0 or more", problems)?;
        if amount < 0 {
            entry.refuse("an amount of 0 or more", None, problems);
            return None;
        }
        Some(Some(amount))
    });
    let threshold = Threshold { rows: rows?, share: share?, amount: amount? };
    if threshold.is_none() {
        problems.add(entry.key_at(), format!("{} has neither rows nor share nor amount", quoted(entry.path())));
        return None;
    }
    Some(threshold)
}
