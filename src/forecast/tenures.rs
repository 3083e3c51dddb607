//! How long contracts lasted: customers lost at, and still there after, each chance to renew.
//!
//! All that a contractual model needs to know of a base. The counts are integers, so that slices and cohorts of
//! different ages combine to the same whole in any order.

/// Chances stay below this: 2,800 years of daily renewals.
const CHANCE_LIMIT: usize = 1 << 20;

/// Columns from which no counts follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TenureError {
    /// Slices of different lengths.
    #[error("chances has {chances} rows, {column} has {found}: they must have the same number")]
    Lengths {
        /// Rows of chances.
        chances: usize,
        /// The other slice.
        column: &'static str,
        /// Its rows.
        found: usize,
    },
    /// A tenure that no customer can have.
    #[error("row {row} has no possible tenure: {rule}")]
    Impossible {
        /// Row in the slices.
        row: usize,
        /// The rule that is broken.
        rule: &'static str,
    },
    /// A cohort that grew.
    #[error("the cohort has more survivors after chance {chance} than before it")]
    Rising {
        /// The first chance at which it did.
        chance: usize,
    },
}

/// Counts of customers by the chances to renew that they have had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tenures {
    /// Lost at chance `t`, by `t`; none at 0.
    lost: Vec<u64>,
    /// Still customers after `t` chances, nothing known of the next one; by `t`.
    kept: Vec<u64>,
    /// In the records only because they made their first `t` chances; by `t`, from 1.
    entered: Vec<u64>,
}

/// Customers who faced one chance to renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance {
    /// Number of the chance, from 1.
    pub number: u32,
    /// Those who renewed.
    pub renewed: u64,
    /// Those who left.
    pub lost: u64,
}

impl Tenures {
    /// The counts of no customers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Count one more slice of customers.
    ///
    /// * `chances`: chances to renew that the customer has had, the one that ended the contract included.
    /// * `lost`: true where the customer left at the last of them; else the customer renewed at all and is still there.
    ///
    /// # Errors
    /// [`TenureError::Lengths`], [`TenureError::Impossible`] (the first such row); the counts are then unchanged.
    pub fn insert(&mut self, chances: &[u32], lost: &[bool]) -> Result<(), TenureError> {
        self.insert_from(chances, lost, &vec![0; chances.len()])
    }

    /// Count one more slice of customers, some of whom are in the records only because they had stayed until these begin.
    ///
    /// * `chances`, `lost`: as in [`Tenures::insert`]. * `entry`: chances that the customer had had when the records
    ///   begin; one that had left by then is not in them. 0 for all who started within them.
    ///
    /// # Errors
    /// As [`Tenures::insert`].
    pub fn insert_from(&mut self, chances: &[u32], lost: &[bool], entry: &[u32]) -> Result<(), TenureError> {
        for (column, found) in [("lost", lost.len()), ("entry", entry.len())] {
            if chances.len() != found {
                return Err(TenureError::Lengths { chances: chances.len(), column, found });
            }
        }
        let rule = |row: usize| match (chances[row], lost[row], entry[row]) {
            (0, true, _) => Some("nobody is lost without a chance to leave"),
            (chances, ..) if chances as usize >= CHANCE_LIMIT => Some("chances must be below 1,048,576"),
            (chances, lost, entry) if entry + u32::from(lost) > chances => {
                Some("who had left before the records begin is not in them")
            }
            _ => None,
        };
        if let Some((row, rule)) = (0..chances.len()).find_map(|row| rule(row).map(|rule| (row, rule))) {
            return Err(TenureError::Impossible { row, rule });
        }
        self.grow(chances.iter().max().map_or(0, |&most| most as usize + 1));
        for row in 0..chances.len() {
            let counts = if lost[row] { &mut self.lost } else { &mut self.kept };
            counts[chances[row] as usize] += 1;
            if entry[row] > 0 {
                self.entered[entry[row] as usize] += 1;
            }
        }
        Ok(())
    }

    /// Count one cohort of customers who started together.
    ///
    /// * `survivors`: customers at the start, then after each chance to renew.
    ///
    /// # Errors
    /// [`TenureError::Rising`] and [`TenureError::Impossible`]; the counts are then unchanged.
    pub fn insert_cohort(&mut self, survivors: &[u64]) -> Result<(), TenureError> {
        if survivors.len() > CHANCE_LIMIT {
            return Err(TenureError::Impossible { row: CHANCE_LIMIT, rule: "chances must be below 1,048,576" });
        }
        if let Some(before) = survivors.windows(2).position(|pair| pair[1] > pair[0]) {
            return Err(TenureError::Rising { chance: before + 1 });
        }
        self.grow(survivors.len());
        for (before, pair) in survivors.windows(2).enumerate() {
            self.lost[before + 1] += pair[0] - pair[1];
        }
        if let Some(last) = survivors.last() {
            self.kept[survivors.len() - 1] += last;
        }
        Ok(())
    }

    /// Add the counts of another summary.
    pub fn combine(&mut self, other: &Self) {
        self.grow(other.lost.len());
        self.lost.iter_mut().zip(&other.lost).for_each(|(count, more)| *count += more);
        self.kept.iter_mut().zip(&other.kept).for_each(|(count, more)| *count += more);
        self.entered.iter_mut().zip(&other.entered).for_each(|(count, more)| *count += more);
    }

    fn grow(&mut self, len: usize) {
        let len = len.max(self.lost.len());
        self.lost.resize(len, 0);
        self.kept.resize(len, 0);
        self.entered.resize(len, 0);
    }

    /// Number of customers.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.lost.iter().chain(&self.kept).sum()
    }

    /// Who renewed and who left at each chance, from the first to the last that anybody has had.
    ///
    /// Customers still there count as renewed up to their own last chance, whatever their cohort.
    #[must_use]
    pub fn chances(&self) -> Vec<Chance> {
        let mut renewed = 0;
        let mut chances: Vec<Chance> = (1..self.lost.len())
            .rev()
            .map(|t| {
                // Who came into sight after this chance was not seen at it.
                renewed = renewed + self.kept[t] - self.entered[t];
                let chance = Chance { number: t as u32, renewed, lost: self.lost[t] };
                renewed += self.lost[t];
                chance
            })
            .skip_while(|chance| chance.renewed + chance.lost == 0)
            .collect();
        chances.reverse();
        chances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cohort_is_its_customers_one_by_one_in_any_slices() {
        let mut cohort = Tenures::new();
        cohort.insert_cohort(&[10, 6, 5, 5]).unwrap();
        let chances = [1, 1, 1, 1, 2, 3, 3, 3, 3, 3];
        let lost = chances.map(|t| t < 3);
        for cut in 0..=10 {
            let (mut left, mut right) = (Tenures::new(), Tenures::new());
            left.insert(&chances[..cut], &lost[..cut]).unwrap();
            right.insert(&chances[cut..], &lost[cut..]).unwrap();
            let mut backwards = right.clone();
            backwards.combine(&left);
            left.combine(&right);
            assert_eq!((&left, &backwards), (&cohort, &cohort));
        }
        let chance = |number, renewed, lost| Chance { number, renewed, lost };
        assert_eq!(cohort.chances(), [chance(1, 6, 4), chance(2, 5, 1), chance(3, 5, 0)]);
        assert_eq!(cohort.customers(), 10);
    }

    #[test]
    fn cohorts_of_different_ages_share_their_first_chances() {
        let mut tenures = Tenures::new();
        tenures.insert_cohort(&[10, 6, 5]).unwrap();
        tenures.insert_cohort(&[8, 7]).unwrap();
        tenures.insert_cohort(&[4]).unwrap();
        let chance = |number, renewed, lost| Chance { number, renewed, lost };
        assert_eq!(tenures.chances(), [chance(1, 13, 5), chance(2, 5, 1)]);
        assert_eq!(tenures.customers(), 22);
        assert!(Tenures::new().chances().is_empty());
    }

    #[test]
    fn who_came_into_sight_late_faced_its_later_chances_alone() {
        let mut tenures = Tenures::new();
        // Two from the start; three seen after two chances, of whom one left at the third and one has had no more.
        tenures.insert_from(&[1, 4, 3, 2, 5], &[true, false, true, false, false], &[0, 0, 2, 2, 2]).unwrap();
        let chance = |number, renewed, lost| Chance { number, renewed, lost };
        let expected = [chance(1, 1, 1), chance(2, 1, 0), chance(3, 2, 1), chance(4, 2, 0), chance(5, 1, 0)];
        assert_eq!(tenures.chances(), expected);
    }

    #[test]
    fn an_impossible_tenure_is_named_and_changes_nothing() {
        let mut tenures = Tenures::new();
        let message = tenures.insert(&[1, 0], &[false, true]).unwrap_err().to_string();
        assert_eq!(message, "row 1 has no possible tenure: nobody is lost without a chance to leave");
        let message = tenures.insert(&[1 << 20], &[false]).unwrap_err().to_string();
        assert_eq!(message, "row 0 has no possible tenure: chances must be below 1,048,576");
        let message = tenures.insert(&[1], &[]).unwrap_err().to_string();
        assert_eq!(message, "chances has 1 rows, lost has 0: they must have the same number");
        let message = tenures.insert_from(&[2, 2], &[false, true], &[2, 2]).unwrap_err().to_string();
        assert_eq!(message, "row 1 has no possible tenure: who had left before the records begin is not in them");
        let message = tenures.insert_cohort(&[5, 4, 4, 6]).unwrap_err().to_string();
        assert_eq!(message, "the cohort has more survivors after chance 3 than before it");
        assert_eq!(tenures, Tenures::new());
    }
}
