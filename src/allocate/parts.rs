//! Where a pool's cost went: the parts that every method returns, and the plan they belong to.

use serde::{Deserialize, Serialize};

use super::spread::Plan;
use crate::units::{Minor, MinorSum, Quantity};

/// One pool in parts: `allocated + unused + over_driven + under_absorbed + unassigned == pool`, to the minor unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Cost of the pool.
    pub pool: Minor,
    /// What the rows bear.
    pub allocated: Minor,
    /// Cost of capacity that nobody used.
    pub unused: Minor,
    /// Pool less allocated, when more was used than the capacity: of the sign opposite to the pool.
    pub over_driven: Minor,
    /// Pool less charged, at a standard rate: above zero under-absorbed, below zero over-absorbed (for a positive pool).
    pub under_absorbed: Minor,
    /// What nobody bears because the driver or the shares reach nobody.
    pub unassigned: Minor,
}

impl Parts {
    /// A pool that the rows bear in full.
    #[must_use]
    pub fn allocated(pool: Minor) -> Self {
        Self { pool, allocated: pool, ..Self::default() }
    }

    /// A pool that nobody bears.
    #[must_use]
    pub fn unassigned(pool: Minor) -> Self {
        Self { pool, unassigned: pool, ..Self::default() }
    }

    /// Sum of the parts.
    #[must_use]
    pub fn sum(&self) -> MinorSum {
        [self.allocated, self.unused, self.over_driven, self.under_absorbed, self.unassigned]
            .into_iter()
            .map(MinorSum::from)
            .sum()
    }

    /// Whether the parts are the pool.
    #[must_use]
    pub fn balance(&self) -> bool {
        self.sum() == MinorSum::from(self.pool)
    }

    /// The parts of two pools together; `None` when a sum leaves 64 bits.
    #[must_use]
    pub fn combine(&self, other: &Self) -> Option<Self> {
        Some(Self {
            pool: self.pool.checked_add(other.pool)?,
            allocated: self.allocated.checked_add(other.allocated)?,
            unused: self.unused.checked_add(other.unused)?,
            over_driven: self.over_driven.checked_add(other.over_driven)?,
            under_absorbed: self.under_absorbed.checked_add(other.under_absorbed)?,
            unassigned: self.unassigned.checked_add(other.unassigned)?,
        })
    }
}

/// A planned pool: its parts, known from the summary alone, and how the allocated part reaches the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// `None` when the rows bear nothing.
    plan: Option<Plan>,
    parts: Parts,
}

impl Planned {
    /// Joins a plan of the allocated part to the pool's parts.
    pub(super) fn new(plan: Option<Plan>, parts: Parts) -> Self {
        Self { plan, parts }
    }

    /// How the allocated part reaches the rows; `None` when they bear nothing.
    pub(super) fn plan(&self) -> Option<Plan> {
        self.plan
    }

    /// Where the cost went.
    #[must_use]
    pub fn parts(&self) -> Parts {
        self.parts
    }

    /// The cost of every row; `Σ cost == parts().allocated` over all rows that the summary has seen.
    ///
    /// * `quantities`: the ones that were summarised; not negative.
    /// * `ties`: tie-break hash of each row's customer.
    #[must_use]
    pub fn apply(&self, quantities: &[Quantity], ties: &[u64]) -> Vec<Minor> {
        self.plan.map_or_else(|| vec![0; quantities.len()], |plan| plan.apply(quantities, ties))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_miss_one_minor_unit_do_not_balance() {
        let parts = Parts { pool: 100, allocated: 120, over_driven: -20, ..Parts::default() };
        assert!(parts.balance());
        assert!(!Parts { unused: 1, ..parts }.balance());
        assert!(parts.combine(&Parts::unassigned(7)).is_some_and(|both| both.balance() && both.pool == 107));
        assert_eq!(parts.combine(&Parts::allocated(Minor::MAX)), None);
    }

    #[test]
    fn rows_of_a_pool_that_nobody_bears_cost_nothing() {
        assert_eq!(Planned::new(None, Parts::unassigned(5)).apply(&[1, 2], &[1, 2]), [0, 0]);
    }
}
