//! Words in messages: quoted, listed, and the one that was probably meant.

/// Most characters of the user's own text that a message repeats.
const MAX_SHOWN: usize = 80;

/// Edits up to which a word counts as a slip of the pen.
const MAX_EDITS: usize = 2;

/// Jaro-Winkler similarity from which a longer word counts as meant.
const MIN_SIMILARITY: f64 = 0.9;

/// The known word that `word` was probably meant to be.
///
/// The fewest edits (Damerau-Levenshtein, at most two and fewer than half the word), else the most similar by
/// Jaro-Winkler, from 0.9 on. Case and `-` for `_` do not count.
pub(super) fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word: String = word.to_lowercase().chars().take(MAX_SHOWN).map(|c| if c == '-' { '_' } else { c }).collect();
    let edits = |known: &str| strsim::damerau_levenshtein(&word, known);
    let similarity = |known: &str| strsim::jaro_winkler(&word, known);
    let by_edits = known.iter().copied().min_by_key(|known| edits(known));
    if let Some(best) = by_edits.filter(|best| edits(best) <= MAX_EDITS && 2 * edits(best) < best.len()) {
        return Some(best);
    }
    let by_similarity = known.iter().copied().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    by_similarity.filter(|best| similarity(best) >= MIN_SIMILARITY)
}

/// `` `text` `` on one line, shortened when long.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).flat_map(escape).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Control characters would let a config write its own lines into a log.
fn escape(c: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = if c.is_control() { (None, Some(c.escape_default())) } else { (Some(c), None) };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

/// `a, b, c`.
pub(super) fn list(words: &[&str]) -> String {
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{closest, quoted};

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

    #[test]
    fn quoted_text_stays_on_one_line_and_short() {
        assert_eq!(quoted("a\nb\u{1b}[31m"), "`a\\nb\\u{1b}[31m`");
        assert_eq!(quoted(&"x".repeat(200)).chars().count(), 83);
    }
}
