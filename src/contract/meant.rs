//! The word that was probably meant.

use std::collections::BTreeSet;

/// Most strangers that a message names.
const MAX_TOLD: usize = 5;

/// Most characters of a word that are compared.
const MAX_COMPARED: usize = 80;

/// Edits up to which a word counts as a slip of the pen.
const MAX_EDITS: usize = 2;

/// Jaro-Winkler similarity from which a longer word counts as meant.
const MIN_SIMILARITY: f64 = 0.9;

/// The known word that `word` was probably meant to be.
///
/// The fewest edits (Damerau-Levenshtein, at most two and fewer than half the word), else the most similar by
/// Jaro-Winkler, from 0.9 on. Case and `-` for `_` do not count.
#[must_use]
pub fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word: String = word.to_lowercase().chars().take(MAX_COMPARED).map(|c| if c == '-' { '_' } else { c }).collect();
    let edits = |known: &str| strsim::damerau_levenshtein(&word, known);
    let similarity = |known: &str| strsim::jaro_winkler(&word, known);
    let by_edits = known.iter().copied().min_by_key(|known| edits(known));
    if let Some(best) = by_edits.filter(|best| edits(best) <= MAX_EDITS && 2 * edits(best) < best.len()) {
        return Some(best);
    }
    let by_similarity = known.iter().copied().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    by_similarity.filter(|best| similarity(best) >= MIN_SIMILARITY)
}

/// Names that a table has and nobody knows, each with the known one that was probably meant; `None` without one.
pub(super) fn strangers(names: &BTreeSet<String>, known: &[&str]) -> Option<String> {
    let told = |name: &String| {
        let meant = closest(name, known).map(|known| format!(" (did you mean `{known}`?)")).unwrap_or_default();
        format!("`{}`{meant}", name.escape_debug())
    };
    let mut all: Vec<String> = names.iter().take(MAX_TOLD).map(told).collect();
    if names.len() > MAX_TOLD {
        all.push(format!("and {} more", names.len() - MAX_TOLD));
    }
    (!all.is_empty()).then(|| format!("unknown: {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["customers", "transactions", "driver_quantities", "pools"];
        assert_eq!(closest("transaction", &known), Some("transactions"));
        assert_eq!(closest("transcations", &known), Some("transactions"));
        assert_eq!(closest("Driver-Quantities", &known), Some("driver_quantities"));
        assert_eq!(closest("driver_quantity", &known), Some("driver_quantities"));
        assert_eq!(closest("pool", &known), Some("pools"));
        assert_eq!(closest("invoices", &known), None);
        assert_eq!(closest("", &known), None);
    }
}
