//! How many customers share each (frequency, recency, age): all that BG/NBD needs to know of a ledger.
//!
//! The counts are integers, so that summaries of any slices of the customers combine to the same whole in any order.

use rayon::prelude::*;

/// Bits of a packed day count: 2²¹ days are 5,700 years.
const DAY_BITS: u32 = 21;
const DAY_LIMIT: u32 = 1 << DAY_BITS;

/// One customer's purchase history, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct History {
    /// Frequency `x`: days with a purchase after the first one.
    pub frequency: u32,
    /// Age `T`: days from the first purchase to the day of the forecast.
    pub age: u32,
    /// Recency `t_x`: days from the first to the last purchase.
    pub recency: u32,
}

/// A history that no customer can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    /// Slices of different lengths.
    #[error("frequency has {frequency} rows, recency {recency}, age {age}: they must have the same number")]
    Lengths {
        /// Rows of frequency.
        frequency: usize,
        /// Rows of recency.
        recency: usize,
        /// Rows of age.
        age: usize,
    },
    /// The history breaks `x <= t_x <= T < 2²¹`, or has `x = 0` with `t_x > 0`.
    #[error("row {row} has no possible history: {rule}")]
    Impossible {
        /// Row in the slices.
        row: usize,
        /// The rule that is broken.
        rule: &'static str,
    },
    /// A history that was never inserted was looked up.
    #[error("row {row} has a history that is not in the summary")]
    Unknown {
        /// Row in the slices.
        row: usize,
    },
}

/// Counts of equal histories, sorted by (frequency, age, recency).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    keys: Vec<u64>,
    weights: Vec<u64>,
}

impl History {
    fn broken_rule(self) -> Option<&'static str> {
        match self {
            Self { age, .. } if age >= DAY_LIMIT => Some("age must be below 2,097,152 days"),
            Self { recency, age, .. } if recency > age => Some("recency must not exceed age"),
            Self { frequency, recency, .. } if frequency > recency => {
                Some("frequency (days with a repeat purchase) must not exceed recency (days they fit into)")
            }
            Self { frequency: 0, recency, .. } if recency > 0 => Some("recency must be 0 without a repeat purchase"),
            _ => None,
        }
    }

    fn pack(self) -> u64 {
        (u64::from(self.frequency) << (2 * DAY_BITS)) | (u64::from(self.age) << DAY_BITS) | u64::from(self.recency)
    }

    fn unpack(key: u64) -> Self {
        let days = |key: u64| (key & u64::from(DAY_LIMIT - 1)) as u32;
        Self { frequency: (key >> (2 * DAY_BITS)) as u32, age: days(key >> DAY_BITS), recency: days(key) }
    }
}

impl Summary {
    /// No customers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Count one more slice of customers.
    ///
    /// * `frequency`: repeat purchase days `x`. * `recency`: last − first purchase, days. * `age`: as-of − first, days.
    ///
    /// # Errors
    /// [`SummaryError::Lengths`], [`SummaryError::Impossible`] (the first such row); the summary is then unchanged.
    pub fn insert(&mut self, frequency: &[u32], recency: &[u32], age: &[u32]) -> Result<(), SummaryError> {
        let mut keys = packed(frequency, recency, age)?;
        keys.par_sort_unstable();
        let mut counted = Self::default();
        for run in keys.chunk_by(|a, b| a == b) {
            counted.keys.push(run[0]);
            counted.weights.push(run.len() as u64);
        }
        self.combine(&counted);
        Ok(())
    }

    /// Add the counts of another summary.
    pub fn combine(&mut self, other: &Self) {
        if self.keys.is_empty() {
            self.clone_from(other);
            return;
        }
        let mut merged = Self {
            keys: Vec::with_capacity(self.keys.len() + other.keys.len()),
            weights: Vec::with_capacity(self.keys.len() + other.keys.len()),
        };
        let (mut mine, mut theirs) = (0, 0);
        while mine < self.keys.len() || theirs < other.keys.len() {
            let (left, right) = (self.keys.get(mine), other.keys.get(theirs));
            let (takes_left, takes_right) = match (left, right) {
                (Some(left), Some(right)) => (left <= right, right <= left),
                (left, right) => (left.is_some(), right.is_some()),
            };
            merged.keys.push(if takes_left { self.keys[mine] } else { other.keys[theirs] });
            let mut weight = 0;
            if takes_left {
                weight += self.weights[mine];
                mine += 1;
            }
            if takes_right {
                weight += other.weights[theirs];
                theirs += 1;
            }
            merged.weights.push(weight);
        }
        *self = merged;
    }

    /// Number of distinct histories.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True without customers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The distinct history at `index`, in the order (frequency, age, recency).
    ///
    /// # Panics
    /// If `index` is not below [`Summary::len`].
    #[must_use]
    pub fn history(&self, index: usize) -> History {
        History::unpack(self.keys[index])
    }

    /// The distinct histories in order, each with its number of customers.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (History, u64)> + '_ {
        self.keys.iter().zip(&self.weights).map(|(&key, &weight)| (History::unpack(key), weight))
    }

    /// Number of customers.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.weights.iter().sum()
    }

    /// Number of customers with a repeat purchase.
    #[must_use]
    pub fn repeaters(&self) -> u64 {
        self.iter().filter(|(history, _)| history.frequency > 0).map(|(_, weight)| weight).sum()
    }

    /// Number of repeat purchases, `Σ x`.
    #[must_use]
    pub fn purchases(&self) -> u128 {
        self.iter().map(|(history, weight)| u128::from(history.frequency) * u128::from(weight)).sum()
    }

    /// Where each row's history stands among the distinct ones, so that results per history scatter back to rows.
    ///
    /// # Errors
    /// As [`Summary::insert`], and [`SummaryError::Unknown`] for a history that was never inserted.
    pub fn locate(&self, frequency: &[u32], recency: &[u32], age: &[u32]) -> Result<Vec<u32>, SummaryError> {
        let keys = packed(frequency, recency, age)?;
        keys.par_iter()
            .enumerate()
            .map(|(row, key)| {
                self.keys.binary_search(key).map(|at| at as u32).map_err(|_| SummaryError::Unknown { row })
            })
            .collect()
    }
}

/// The rows as sortable keys; the first impossible row is named whatever the number of threads.
fn packed(frequency: &[u32], recency: &[u32], age: &[u32]) -> Result<Vec<u64>, SummaryError> {
    if frequency.len() != recency.len() || frequency.len() != age.len() {
        return Err(SummaryError::Lengths { frequency: frequency.len(), recency: recency.len(), age: age.len() });
    }
    let row = |row: usize| History { frequency: frequency[row], recency: recency[row], age: age[row] };
    let broken = (0..frequency.len()).into_par_iter().find_first(|&i| row(i).broken_rule().is_some());
    match broken.and_then(|i| row(i).broken_rule().map(|rule| (i, rule))) {
        Some((row, rule)) => Err(SummaryError::Impossible { row, rule }),
        None => Ok((0..frequency.len()).into_par_iter().map(|i| row(i).pack()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREQUENCY: [u32; 5] = [0, 2, 0, 2, 1];
    const RECENCY: [u32; 5] = [0, 9, 0, 9, 4];
    const AGE: [u32; 5] = [30, 30, 30, 30, 12];

    #[test]
    fn equal_histories_are_counted_once() {
        let mut summary = Summary::new();
        summary.insert(&FREQUENCY, &RECENCY, &AGE).unwrap();
        let counts: Vec<_> = summary.iter().map(|(h, w)| (h.frequency, h.recency, h.age, w)).collect();
        assert_eq!(counts, [(0, 0, 30, 2), (1, 4, 12, 1), (2, 9, 30, 2)]);
        assert_eq!((summary.customers(), summary.repeaters(), summary.purchases()), (5, 3, 5));
        assert_eq!(summary.locate(&FREQUENCY, &RECENCY, &AGE).unwrap(), [0, 2, 0, 2, 1]);
    }

    #[test]
    fn slices_combine_to_the_whole_in_any_order() {
        let mut whole = Summary::new();
        whole.insert(&FREQUENCY, &RECENCY, &AGE).unwrap();
        for cut in 0..=5 {
            let (mut left, mut right) = (Summary::new(), Summary::new());
            left.insert(&FREQUENCY[..cut], &RECENCY[..cut], &AGE[..cut]).unwrap();
            right.insert(&FREQUENCY[cut..], &RECENCY[cut..], &AGE[cut..]).unwrap();
            let mut backwards = right.clone();
            backwards.combine(&left);
            left.combine(&right);
            assert_eq!(left, whole);
            assert_eq!(backwards, whole);
        }
    }

    #[test]
    fn an_impossible_history_is_named_with_its_rule() {
        let message =
            |x: u32, t_x: u32, age: u32| Summary::new().insert(&[0, x], &[0, t_x], &[5, age]).unwrap_err().to_string();
        assert_eq!(message(1, 8, 7), "row 1 has no possible history: recency must not exceed age");
        assert_eq!(message(0, 3, 7), "row 1 has no possible history: recency must be 0 without a repeat purchase");
        assert_eq!(message(0, 0, 3_000_000), "row 1 has no possible history: age must be below 2,097,152 days");
        assert!(message(4, 3, 7).starts_with("row 1 has no possible history: frequency"));
    }

    #[test]
    fn a_history_that_was_not_inserted_is_unknown() {
        let error = Summary::new().locate(&[0], &[0], &[1]).unwrap_err();
        assert_eq!(error.to_string(), "row 0 has a history that is not in the summary");
    }
}
