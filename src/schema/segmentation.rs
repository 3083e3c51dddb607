//! One way of putting every customer into one group.

use rayon::prelude::*;

/// Groups that partition the customers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segmentation {
    /// What puts customers into groups, as in the outputs.
    pub name: &'static str,
    /// Names of the groups.
    pub groups: Vec<String>,
    /// Group of each customer, as a position in `groups`.
    pub of: Vec<u32>,
}

/// Group of customers of whom nothing is known.
pub const NONE: &str = "(none)";

impl Segmentation {
    /// Groups by a text of each customer, sorted by name; [`NONE`] without one.
    #[must_use]
    pub fn by_text(name: &'static str, texts: &[Option<String>]) -> Self {
        let mut seen: Vec<&str> = texts.iter().map(|text| text.as_deref().unwrap_or(NONE)).collect();
        seen.par_sort_unstable();
        seen.dedup();
        let groups: Vec<String> = seen.into_iter().map(str::to_owned).collect();
        let number = |own: &Option<String>| {
            let own = own.as_deref().unwrap_or(NONE);
            groups.partition_point(|group| group.as_str() < own) as u32
        };
        let of = texts.par_iter().map(number).collect();
        Self { name, groups, of }
    }

    /// Groups by number, in the order of a list of names.
    #[must_use]
    pub fn by_number<'a, N: Copy + Into<u32>>(
        name: &'static str,
        groups: impl IntoIterator<Item = &'a str>,
        of: &[N],
    ) -> Self {
        let groups = groups.into_iter().map(str::to_owned).collect();
        Self { name, groups, of: of.iter().map(|number| (*number).into()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_sorted_groups_and_nobody_is_left_out() {
        let texts = ["b", "", "a"].map(|text| (!text.is_empty()).then(|| text.to_owned()));
        let found = Segmentation::by_text("channel", &texts);
        assert_eq!(
            (found.groups, found.of),
            (vec!["(none)".to_owned(), "a".to_owned(), "b".to_owned()], vec![2, 0, 1])
        );
    }
}
