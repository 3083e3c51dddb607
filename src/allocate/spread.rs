//! Largest remainder on integers, as summary → plan → apply.
//!
//! The remainder of a share depends on its driver quantity alone. So a histogram of equal quantities decides for
//! everybody, in any order of rows, and `Σ cost = pool` holds exactly.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::count;
use crate::units::{Minor, QUANTITY_SCALE, Quantity};

/// Why a pool cannot be spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AllocateError {
    /// Every quantity is zero.
    #[error("no customer has a driver quantity")]
    NoDriver,
    /// A negative quantity: it would make other customers pay more than the pool.
    #[error("{customers} driver quantities are negative")]
    NegativeDriver {
        /// How many.
        customers: u64,
    },
    /// Pool times quantity leaves 128 bits.
    #[error("pool and driver quantities are too large to be spread exactly")]
    TooLarge,
}

/// Summary: how often each driver quantity occurs. Mergeable in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// (quantity above zero, count), ascending.
    classes: Vec<(Quantity, u64)>,
    /// (quantity below zero, count), ascending.
    below: Vec<(Quantity, u64)>,
    zeros: u64,
}

impl Histogram {
    /// The summary of `rows` equal quantities of one unit.
    #[must_use]
    pub fn even(rows: u64) -> Self {
        let classes = if rows == 0 { Vec::new() } else { vec![(QUANTITY_SCALE, rows)] };
        Self { classes, ..Self::default() }
    }

    /// Counts a slice of driver quantities.
    pub fn insert(&mut self, quantities: &[Quantity]) {
        let part = match count::few(quantities) {
            Some(classes) => Self::of_classes(classes),
            None => Self::sorted(quantities),
        };
        if *self == Self::default() {
            *self = part;
        } else {
            self.combine(&part);
        }
    }

    pub(super) fn sorted(quantities: &[Quantity]) -> Self {
        let mut sorted: Vec<Quantity> = quantities.par_iter().copied().filter(|quantity| *quantity != 0).collect();
        let zeros = (quantities.len() - sorted.len()) as u64;
        sorted.par_sort_unstable();
        let (below, above) = sorted.split_at(sorted.partition_point(|quantity| *quantity < 0));
        Self { classes: count::equal(above), below: count::equal(below), zeros }
    }

    /// * `classes`: distinct quantities, ascending, with their counts.
    pub(super) fn of_classes(mut classes: Vec<(Quantity, u64)>) -> Self {
        let mut above = classes.split_off(classes.partition_point(|class| class.0 < 0));
        let zeros = above.first().filter(|class| class.0 == 0).map_or(0, |class| class.1);
        if zeros > 0 {
            above.remove(0);
        }
        Self { classes: above, below: classes, zeros }
    }

    /// Adds another slice's counts.
    pub fn combine(&mut self, other: &Self) {
        count::merge(&mut self.classes, &other.classes);
        count::merge(&mut self.below, &other.below);
        self.zeros += other.zeros;
    }

    /// Sum of the quantities above zero.
    #[must_use]
    pub fn total(&self) -> i128 {
        sum(&self.classes)
    }

    /// How many quantities are above zero.
    #[must_use]
    pub fn recipients(&self) -> u64 {
        count(&self.classes)
    }

    /// How many quantities are below zero.
    #[must_use]
    pub fn negative(&self) -> u64 {
        count(&self.below)
    }

    /// Sum of the quantities below zero: zero or negative.
    #[must_use]
    pub fn negative_total(&self) -> i128 {
        sum(&self.below)
    }

    /// How many quantities were counted, zeros too.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.recipients() + self.negative() + self.zeros
    }

    /// The smallest quantity counted.
    #[must_use]
    pub fn smallest(&self) -> Option<Quantity> {
        let zero = (self.zeros > 0).then_some(0);
        self.below.first().map(|class| class.0).or(zero).or(self.classes.first().map(|class| class.0))
    }

    /// The distinct quantities other than zero and how often each occurs, ascending.
    pub(super) fn nonzero(&self) -> impl Iterator<Item = (Quantity, u64)> {
        self.below.iter().chain(&self.classes).copied()
    }

    /// The summary of the same rows under other weights; `None` when `weight` fails on one.
    pub(super) fn reweigh(&self, weight: impl Fn(Quantity) -> Option<Quantity>) -> Option<Self> {
        let zeros = (self.zeros > 0).then_some((0, self.zeros));
        let mut classes: Vec<(Quantity, u64)> = self
            .nonzero()
            .chain(zeros)
            .map(|(quantity, count)| Some((weight(quantity)?, count)))
            .collect::<Option<_>>()?;
        classes.sort_unstable();
        let mut whole = Self::default();
        for group in classes.chunk_by(|a, b| a.0 == b.0) {
            let class = (group[0].0, count(group));
            match class.0.signum() {
                0 => whole.zeros += class.1,
                1 => whole.classes.push(class),
                _ => whole.below.push(class),
            }
        }
        Some(whole)
    }

    /// The plan for spreading `pool`.
    ///
    /// # Errors
    /// [`AllocateError`]. Negative quantities are an error here; a caller that counts them as zero clamps them first.
    pub fn plan(&self, pool: Minor) -> Result<Plan, AllocateError> {
        self.plan_beside(pool, 0).map(|(plan, _)| plan)
    }

    /// The plan for spreading `pool` over the rows and one recipient beside them, and what that recipient gets.
    ///
    /// `beside = pool · weight / (Σ quantity + weight)`, in the same largest remainder as the rows, so that
    /// `Σ cost + beside == pool`. Among equal remainders it comes after every row.
    ///
    /// * `weight`: of the recipient beside, scaled by 10⁶: unused capacity, or the share that is nobody's.
    ///
    /// # Errors
    /// [`AllocateError`]; [`AllocateError::NoDriver`] when the weight is zero too.
    pub fn plan_beside(&self, pool: Minor, weight: u128) -> Result<(Plan, Minor), AllocateError> {
        let negative = self.negative();
        if negative > 0 {
            return Err(AllocateError::NegativeDriver { customers: negative });
        }
        let rows = u128::try_from(self.total()).unwrap_or(0);
        let total = rows.checked_add(weight).ok_or(AllocateError::TooLarge)?;
        if total == 0 {
            return Err(AllocateError::NoDriver);
        }
        if pool == Minor::MIN {
            return Err(AllocateError::TooLarge);
        }
        let product = u128::from(pool.unsigned_abs()).checked_mul(weight).ok_or(AllocateError::TooLarge)?;
        let (beside, last) = (product / total, product % total);
        let mut plan = Plan::unraised(pool, total);
        let mut given = beside;
        let mut remainders: Vec<(u128, u64)> = Vec::with_capacity(self.classes.len() + 1);
        remainders.extend(self.classes.iter().map(|&(quantity, count)| {
            let (share, remainder) = plan.share(quantity);
            given += u128::from(share) * u128::from(count);
            (remainder, count)
        }));
        remainders.extend((weight > 0).then_some((last, 1)));
        let left = u128::from(pool.unsigned_abs()).checked_sub(given).ok_or(AllocateError::TooLarge)?;
        let spare = plan.raise(remainders, left)?;
        let raised = weight > 0 && (last > plan.cut || (last == plan.cut && spare == 0));
        plan.tied -= u64::from(raised && last == plan.cut);
        // The recipient beside is no row: what it leaves of the cut is the rows' own.
        plan.shared &= spare > u128::from(last == plan.cut && !raised && weight > 0);
        Ok((plan, signed(pool, beside + u128::from(raised))?))
    }
}

/// `magnitude` with the sign of `pool`.
fn signed(pool: Minor, magnitude: u128) -> Result<Minor, AllocateError> {
    let magnitude = i64::try_from(magnitude).map_err(|_| AllocateError::TooLarge)?;
    Ok(if pool < 0 { -magnitude } else { magnitude })
}

fn sum(classes: &[(Quantity, u64)]) -> i128 {
    classes.iter().map(|(quantity, count)| i128::from(*quantity) * i128::from(*count)).sum()
}

fn count(classes: &[(Quantity, u64)]) -> u64 {
    classes.iter().map(|class| class.1).sum()
}

/// Tie-break hash of a row at the cut, and the row.
type TiedRow = (u64, u32);

/// Plan: who gets one minor unit more than the rounded-down share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pool: Minor,
    total: u128,
    /// Remainders above this are raised; those equal to it are tied.
    cut: u128,
    /// How many of the tied are raised, smallest tie-break hash first.
    tied: u64,
    /// Whether some of the tied are not raised.
    shared: bool,
}

impl Plan {
    /// A plan that raises nobody yet.
    pub(super) fn unraised(pool: Minor, total: u128) -> Self {
        Self { pool, total, cut: u128::MAX, tied: 0, shared: false }
    }

    /// Raises the `left` largest of the (remainder, count): sets the cut, and returns how many at the cut stay unraised.
    pub(super) fn raise(&mut self, mut remainders: Vec<(u128, u64)>, mut left: u128) -> Result<u128, AllocateError> {
        let mut spare = 0;
        remainders.par_sort_unstable_by(|a, b| b.cmp(a));
        for group in remainders.chunk_by(|a, b| a.0 == b.0) {
            if left == 0 {
                break;
            }
            let members: u128 = group.iter().map(|class| u128::from(class.1)).sum();
            let raised = left.min(members);
            self.cut = group[0].0;
            self.tied = u64::try_from(raised).map_err(|_| AllocateError::TooLarge)?;
            left -= raised;
            spare = members - raised;
        }
        self.shared = spare > 0;
        if left == 0 { Ok(spare) } else { Err(AllocateError::TooLarge) }
    }

    /// How many of the rows at the cut get one minor unit more, when not all of them do.
    pub(super) fn contested(&self) -> Option<u64> {
        (self.shared && self.tied > 0).then_some(self.tied)
    }

    /// Whether a row of this quantity is at the cut.
    #[inline]
    pub(super) fn is_tied(&self, quantity: Quantity) -> bool {
        quantity != 0 && self.at_cut(self.share(quantity).1)
    }

    #[inline]
    pub(super) fn at_cut(&self, remainder: u128) -> bool {
        self.tied > 0 && remainder == self.cut
    }

    /// The cost of one row; `raised` says of a row at the cut whether it gets one minor unit more.
    #[inline]
    pub(super) fn cost(&self, quantity: Quantity, raised: impl FnOnce() -> bool) -> Minor {
        let (share, remainder) = self.share(quantity);
        self.whole(share as i64, remainder, raised)
    }

    /// A rounded-down share and what its remainder adds, with the pool's sign.
    #[inline]
    pub(super) fn whole(&self, share: i64, remainder: u128, raised: impl FnOnce() -> bool) -> Minor {
        let more = remainder > self.cut || (remainder == self.cut && self.tied > 0 && raised());
        let cost = share + i64::from(more);
        if self.pool < 0 { -cost } else { cost }
    }

    /// What is spread.
    pub(super) fn pool(&self) -> Minor {
        self.pool
    }

    /// Sum of driver quantities, with the weight of the recipient beside them.
    #[must_use]
    pub fn total(&self) -> u128 {
        self.total
    }

    /// `⌊|pool| · quantity / total⌋` and `(|pool| · quantity) mod total`.
    #[inline]
    fn share(&self, quantity: Quantity) -> (u64, u128) {
        let product = u128::from(self.pool.unsigned_abs()) * u128::from(quantity.unsigned_abs());
        match (u64::try_from(product), u64::try_from(self.total)) {
            (Ok(product), Ok(total)) => (product / total, u128::from(product % total)),
            _ => ((product / self.total) as u64, product % self.total),
        }
    }

    /// The cost of every row; `Σ cost = pool` over all rows that the histogram has seen.
    ///
    /// * `quantities`: in the order of `ties`; not negative.
    /// * `ties`: tie-break hash of each row's customer; equal hashes are ordered by row.
    #[must_use]
    pub fn apply(&self, quantities: &[Quantity], ties: &[u64]) -> Vec<Minor> {
        let share = |quantity| {
            let (share, remainder) = self.share(quantity);
            (share as i64, remainder)
        };
        self.apply_shares(quantities, ties, share)
    }

    /// The cost of every row, with `share` giving a quantity's rounded-down share and its remainder.
    #[inline]
    pub(super) fn apply_shares(
        &self,
        quantities: &[Quantity],
        ties: &[u64],
        share: impl Fn(Quantity) -> (i64, u128) + Sync,
    ) -> Vec<Minor> {
        let sign = if self.pool < 0 { -1 } else { 1 };
        let chunk = quantities.len().div_ceil(64).max(16_384);
        let parts: Vec<(Vec<Minor>, Vec<TiedRow>)> = quantities
            .par_chunks(chunk)
            .enumerate()
            .map(|(part, quantities)| {
                let mut tied = Vec::new();
                let cost = |(row, quantity): (usize, &Quantity)| {
                    if *quantity == 0 {
                        return 0;
                    }
                    let (share, remainder) = share(*quantity);
                    if remainder == self.cut {
                        let row = part * chunk + row;
                        tied.push((ties[row], row as u32));
                    }
                    sign * (share + i64::from(remainder > self.cut))
                };
                (quantities.iter().enumerate().map(cost).collect(), tied)
            })
            .collect();
        let mut costs = Vec::with_capacity(quantities.len());
        let mut tied = Vec::new();
        for (mut part, mut part_tied) in parts {
            costs.append(&mut part);
            tied.append(&mut part_tied);
        }
        let raised = (self.tied as usize).min(tied.len());
        if raised > 0 && raised < tied.len() {
            tied.select_nth_unstable(raised - 1);
        }
        for (_, row) in &tied[..raised] {
            costs[*row as usize] += sign;
        }
        costs
    }
}

/// Spread one cost pool over customers in proportion to their driver quantity.
///
/// `cost[i] = pool · quantity[i] / Σ quantity`, rounded to minor units by largest remainder, so that
/// `Σ cost == pool` exactly. Equal remainders go to the smallest tie-break hash first.
///
/// * `pool`: minor units, either sign.
/// * `quantities`: one a customer, scaled by 10⁶, `>= 0`.
/// * `ties`: published hash of each customer's id.
///
/// # Errors
/// [`AllocateError::NoDriver`] when every quantity is zero, [`AllocateError::NegativeDriver`].
///
/// Source: Balinski & Young, Fair Representation (1982), Hamilton's method.
///
/// ```
/// use whalecurve::allocate::spread::spread;
/// // 785.08 at 33.33 / 33.33 / 33.34 %
/// let cost = spread(78_508, &[33_330_000, 33_330_000, 33_340_000], &[1, 2, 3])?;
/// assert_eq!(cost, [26_167, 26_167, 26_174]);
/// # Ok::<(), whalecurve::allocate::spread::AllocateError>(())
/// ```
pub fn spread(pool: Minor, quantities: &[Quantity], ties: &[u64]) -> Result<Vec<Minor>, AllocateError> {
    let mut summary = Histogram::default();
    summary.insert(quantities);
    Ok(summary.plan(pool)?.apply(quantities, ties))
}

#[cfg(test)]
mod tests;
