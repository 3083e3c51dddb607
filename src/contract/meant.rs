//! The word that was probably meant.

use std::collections::BTreeSet;

/// Most known names that a message lists.
const MAX_KNOWN: usize = 20;

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

/// What is said of names that a table has and nobody knows: the known ones, and those that were probably meant; never the
/// names themselves, which are cells.
pub(super) fn strangers(names: &BTreeSet<String>, known: &[&str]) -> String {
    let listed = known.iter().take(MAX_KNOWN).copied().collect::<Vec<_>>().join(", ");
    let more = if known.len() > MAX_KNOWN { ", …" } else { "" };
    let meant: BTreeSet<&str> = names.iter().filter_map(|name| closest(name, known)).collect();
    let meant: Vec<String> = meant.iter().map(|name| format!("`{name}`")).collect();
    let meant = if meant.is_empty() { String::new() } else { format!("; did you mean {}?", meant.join(", ")) };
    format!("known: {listed}{more}{meant}")
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
