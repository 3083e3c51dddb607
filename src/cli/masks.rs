//! What variables of the environment hold is told by their names.

use std::borrow::Cow;

/// Values of the environment that a config took, so that what is told names their variables in their place.
#[derive(Debug, Default)]
pub(super) struct Masks(Vec<(String, String)>);

impl Masks {
    /// Characters below which a value is no secret, and stands in other words by chance.
    const LEAST: usize = 4;

    /// From here on the value is told by its name.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        if value.chars().count() >= Self::LEAST && self.0.iter().all(|(known, _)| known != value) {
            self.0.push((value.to_owned(), format!("${{{name}}}")));
            // The longest first: one may lie within another.
            self.0.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        }
    }

    /// A text without the values.
    pub(super) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_held = |(value, _): &&(String, String)| text.contains(value);
        let Some((value, name)) = self.0.iter().find(is_held) else { return Cow::Borrowed(text) };
        // What stands beside it may hold others, and the name none.
        let parts: Vec<Cow<'_, str>> = text.split(value).map(|part| self.hide(part)).collect();
        Cow::Owned(parts.join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_variable_holds_is_told_by_its_name_and_short_values_as_they_are() {
        let mut masks = Masks::default();
        for (name, value) in [("A", "/srv/data"), ("B", "/srv/data/eu"), ("C", "eu"), ("D", "")] {
            masks.add(name, value);
        }
        assert_eq!(
            masks.hide("/srv/data/eu/x.parquet and /srv/data/eur: no revenue"),
            "${B}/x.parquet and ${B}r: no revenue"
        );
        assert_eq!(masks.hide("/srv/data/x: /srv/dat"), "${A}/x: /srv/dat");
    }
}
