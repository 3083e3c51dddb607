//! How many customers share each (frequency, recency, opportunities): all that BG/BB needs to know of a ledger.
//!
//! Time is counted in opportunities to buy (a yearly appeal, a monthly box). The counts are integers, so that summaries
//! of any slices of the customers combine to the same whole in any order.

use std::collections::BTreeMap;

/// Opportunities stay below this; more than a hundred a day for 27 years.
const OPPORTUNITY_LIMIT: u32 = 1 << 20;

/// One customer's history, in opportunities after the one of the first purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiscreteHistory {
    /// Opportunities `n` so far.
    pub opportunities: u32,
    /// Frequency `x`: opportunities with a purchase.
    pub frequency: u32,
    /// Recency `t_x`: the opportunity of the last purchase, 0 without one.
    pub recency: u32,
}

/// Columns from which no counts follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpportunityError {
    /// A slice with another number of rows than `frequency`.
    #[error("{column} has {found} rows, frequency has {expected}: they must have the same number")]
    Lengths {
        /// The slice.
        column: &'static str,
        /// Its rows.
        found: usize,
        /// Rows of `frequency`.
        expected: usize,
    },
    /// A history that no customer can have.
    #[error("row {row} has no possible history: {rule}")]
    Impossible {
        /// Row in the slices.
        row: usize,
        /// The rule that is broken.
        rule: &'static str,
    },
}

/// Counts of equal histories, sorted by (opportunities, frequency, recency).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opportunities {
    counts: BTreeMap<DiscreteHistory, u64>,
}

impl DiscreteHistory {
    fn broken_rule(self) -> Option<&'static str> {
        match self {
            Self { opportunities, .. } if opportunities >= OPPORTUNITY_LIMIT => {
                Some("opportunities must be below 1,048,576")
            }
            Self { recency, opportunities, .. } if recency > opportunities => {
                Some("recency must not exceed opportunities")
            }
            Self { frequency, recency, .. } if frequency > recency => {
                Some("frequency must not exceed recency (the opportunities it fits into)")
            }
            Self { frequency: 0, recency, .. } if recency > 0 => Some("recency must be 0 without a purchase"),
            _ => None,
        }
    }
}

impl Opportunities {
    /// The summary of no customers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Count one more slice of customers.
    ///
    /// * `frequency`: opportunities with a purchase `x`. * `recency`: the last of them, `t_x`. * `opportunities`: `n`.
    ///
    /// # Errors
    /// [`OpportunityError`] for the first such row; the summary is then unchanged.
    pub fn insert(
        &mut self,
        frequency: &[u32],
        recency: &[u32],
        opportunities: &[u32],
    ) -> Result<(), OpportunityError> {
        self.insert_counts(frequency, recency, opportunities, &vec![1; frequency.len()])
    }

    /// Count rows that stand for several customers each.
    ///
    /// * `customers`: how many share the row's history; the rest as in [`Opportunities::insert`].
    ///
    /// # Errors
    /// As [`Opportunities::insert`].
    pub fn insert_counts(
        &mut self,
        frequency: &[u32],
        recency: &[u32],
        opportunities: &[u32],
        customers: &[u64],
    ) -> Result<(), OpportunityError> {
        let expected = frequency.len();
        for (column, found) in
            [("recency", recency.len()), ("opportunities", opportunities.len()), ("customers", customers.len())]
        {
            if found != expected {
                return Err(OpportunityError::Lengths { column, found, expected });
            }
        }
        let history = |row: usize| DiscreteHistory {
            opportunities: opportunities[row],
            frequency: frequency[row],
            recency: recency[row],
        };
        if let Some((row, rule)) = (0..expected).find_map(|row| history(row).broken_rule().map(|rule| (row, rule))) {
            return Err(OpportunityError::Impossible { row, rule });
        }
        for (row, &weight) in customers.iter().enumerate().filter(|(_, weight)| **weight > 0) {
            *self.counts.entry(history(row)).or_default() += weight;
        }
        Ok(())
    }

    /// Add the counts of another summary.
    pub fn combine(&mut self, other: &Self) {
        for (&history, &weight) in &other.counts {
            *self.counts.entry(history).or_default() += weight;
        }
    }

    /// Number of distinct histories.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// True without customers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The distinct histories in order, each with its number of customers.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (DiscreteHistory, u64)> + '_ {
        self.counts.iter().map(|(&history, &weight)| (history, weight))
    }

    /// Number of customers.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Sum of a property over all customers.
    pub(super) fn total(&self, of: impl Fn(DiscreteHistory) -> u32) -> u128 {
        self.iter().map(|(history, weight)| u128::from(of(history)) * u128::from(weight)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_combine_to_the_whole_in_any_order() {
        let (x, t_x, n) = ([0, 2, 0, 2, 1], [0, 5, 0, 5, 3], [6, 6, 6, 6, 3]);
        let mut whole = Opportunities::new();
        whole.insert(&x, &t_x, &n).unwrap();
        let counts: Vec<_> = whole.iter().map(|(h, w)| (h.frequency, h.recency, h.opportunities, w)).collect();
        assert_eq!(counts, [(1, 3, 3, 1), (0, 0, 6, 2), (2, 5, 6, 2)]);
        assert_eq!((whole.customers(), whole.len(), whole.total(|h| h.frequency)), (5, 3, 5));
        for cut in 0..=5 {
            let (mut left, mut right) = (Opportunities::new(), Opportunities::new());
            left.insert(&x[..cut], &t_x[..cut], &n[..cut]).unwrap();
            right.insert(&x[cut..], &t_x[cut..], &n[cut..]).unwrap();
            let mut backwards = right.clone();
            backwards.combine(&left);
            left.combine(&right);
            assert_eq!((&left, &backwards), (&whole, &whole));
        }
        let mut weighted = Opportunities::new();
        weighted.insert_counts(&[1, 0, 2, 2], &[3, 0, 5, 5], &[3, 6, 6, 6], &[1, 2, 2, 0]).unwrap();
        assert_eq!(weighted, whole);
    }

    #[test]
    fn an_impossible_history_is_named_with_its_rule_and_changes_nothing() {
        let mut summary = Opportunities::new();
        let mut message =
            |x: u32, t_x: u32, n: u32| summary.insert(&[0, x], &[0, t_x], &[5, n]).unwrap_err().to_string();
        assert_eq!(message(1, 8, 7), "row 1 has no possible history: recency must not exceed opportunities");
        assert_eq!(message(0, 3, 7), "row 1 has no possible history: recency must be 0 without a purchase");
        assert_eq!(message(0, 0, 1 << 20), "row 1 has no possible history: opportunities must be below 1,048,576");
        assert!(message(4, 3, 7).starts_with("row 1 has no possible history: frequency must not exceed recency"));
        let lengths = Opportunities::new().insert(&[0], &[0, 1], &[1]).unwrap_err().to_string();
        assert_eq!(lengths, "recency has 2 rows, frequency has 1: they must have the same number");
        assert!(summary.is_empty());
    }
}
