//! How many customers share each time as a customer: all that continuous survival needs to know of a base.
//!
//! A customer who has not left is censored: known to stay for longer than so many days. One who was already a customer when
//! the records began is truncated: had it left before, it would not be in them. The counts are integers, so that slices
//! combine to the same whole in any order.

use std::collections::BTreeMap;

/// Days stay below this: 2,800 years.
const DAY_LIMIT: u32 = 1 << 20;

/// One customer's time as a customer, in whole days since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    /// Days when it was last seen: it left then, or is known to stay for longer.
    pub exit: u32,
    /// Days it had been a customer when the records begin; 0 where they hold its start.
    pub entry: u32,
    /// Whether it left.
    pub lost: bool,
}

/// Columns from which no counts follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A slice with another number of rows than `exit`.
    #[error("{column} has {found} rows, exit has {expected}: they must have the same number")]
    Lengths {
        /// The slice.
        column: &'static str,
        /// Its rows.
        found: usize,
        /// Rows of `exit`.
        expected: usize,
    },
    /// A duration that no customer can have.
    #[error("row {row} has no possible duration: {rule}")]
    Impossible {
        /// Row in the slices.
        row: usize,
        /// The rule that is broken.
        rule: &'static str,
    },
}

/// Counts of equal durations, sorted by (exit, entry, lost).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    counts: BTreeMap<Duration, u64>,
}

impl Duration {
    fn broken_rule(self) -> Option<&'static str> {
        match self {
            Self { exit, .. } if exit >= DAY_LIMIT => Some("exit must be below 1,048,576 days"),
            Self { exit, entry, .. } if exit <= entry => Some("exit must come after entry"),
            _ => None,
        }
    }
}

impl Durations {
    /// The summary of no customers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Count one more slice of customers.
    ///
    /// * `exit`: days as a customer, `>= 1`. * `lost`: true where the customer left then, false where it is still there.
    /// * `entry`: days as a customer when the records begin, below `exit`; 0 for all who started within them.
    ///
    /// # Errors
    /// [`DurationError`] for the first such row; the summary is then unchanged.
    pub fn insert(&mut self, exit: &[u32], lost: &[bool], entry: &[u32]) -> Result<(), DurationError> {
        let expected = exit.len();
        for (column, found) in [("lost", lost.len()), ("entry", entry.len())] {
            if found != expected {
                return Err(DurationError::Lengths { column, found, expected });
            }
        }
        let duration = |row: usize| Duration { exit: exit[row], entry: entry[row], lost: lost[row] };
        if let Some((row, rule)) = (0..expected).find_map(|row| duration(row).broken_rule().map(|rule| (row, rule))) {
            return Err(DurationError::Impossible { row, rule });
        }
        for row in 0..expected {
            *self.counts.entry(duration(row)).or_default() += 1;
        }
        Ok(())
    }

    /// Add the counts of another summary.
    pub fn combine(&mut self, other: &Self) {
        for (&duration, &weight) in &other.counts {
            *self.counts.entry(duration).or_default() += weight;
        }
    }

    /// The distinct durations in order, each with its number of customers.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Duration, u64)> + '_ {
        self.counts.iter().map(|(&duration, &weight)| (duration, weight))
    }

    /// Number of customers.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Number of customers who left.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.iter().filter(|(duration, _)| duration.lost).map(|(_, weight)| weight).sum()
    }

    /// Customers seen on each day as a customer, up to the longest: those with `entry < day <= exit`. On day 0 that is nobody.
    #[must_use]
    pub fn at_risk(&self) -> Vec<u64> {
        let longest = self.counts.last_key_value().map_or(0, |(duration, _)| duration.exit);
        // Who comes into sight on a day, and who was out of it before.
        let mut change = vec![[0_u64; 2]; longest as usize + 2];
        for (duration, customers) in self.iter() {
            change[duration.entry as usize + 1][0] += customers;
            change[duration.exit as usize + 1][1] += customers;
        }
        change.pop();
        let mut seen = 0;
        let count = |[come, gone]: [u64; 2]| {
            seen = seen + come - gone;
            seen
        };
        change.into_iter().map(count).collect()
    }

    /// Days that all customers together were seen as customers.
    #[must_use]
    pub fn exposure(&self) -> u128 {
        self.iter().map(|(duration, weight)| u128::from(duration.exit - duration.entry) * u128::from(weight)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_combine_to_the_whole_in_any_order() {
        let (exit, entry) = ([30, 7, 30, 30, 400], [0, 0, 0, 0, 365]);
        let lost = [true, false, true, false, true];
        let mut whole = Durations::new();
        whole.insert(&exit, &lost, &entry).unwrap();
        let counts: Vec<_> = whole.iter().map(|(d, weight)| (d.exit, d.entry, d.lost, weight)).collect();
        assert_eq!(counts, [(7, 0, false, 1), (30, 0, false, 1), (30, 0, true, 2), (400, 365, true, 1)]);
        assert_eq!((whole.customers(), whole.lost(), whole.exposure()), (5, 3, 132));
        for cut in 0..=5 {
            let (mut left, mut right) = (Durations::new(), Durations::new());
            left.insert(&exit[..cut], &lost[..cut], &entry[..cut]).unwrap();
            right.insert(&exit[cut..], &lost[cut..], &entry[cut..]).unwrap();
            let mut backwards = right.clone();
            backwards.combine(&left);
            left.combine(&right);
            assert_eq!((&left, &backwards), (&whole, &whole));
        }
    }

    #[test]
    fn an_impossible_duration_is_named_and_changes_nothing() {
        let mut summary = Durations::new();
        let mut message = |exit: u32, entry: u32| {
            summary.insert(&[9, exit], &[true; 2], &[0, entry]).map_err(|error| error.to_string()).unwrap_err()
        };
        assert_eq!(message(0, 0), "row 1 has no possible duration: exit must come after entry");
        assert_eq!(message(5, 5), "row 1 has no possible duration: exit must come after entry");
        assert_eq!(message(1 << 20, 5), "row 1 has no possible duration: exit must be below 1,048,576 days");
        let lengths = summary.insert(&[1], &[true], &[]).unwrap_err().to_string();
        assert_eq!(lengths, "entry has 0 rows, exit has 1: they must have the same number");
        assert_eq!(summary, Durations::new());
    }
}
