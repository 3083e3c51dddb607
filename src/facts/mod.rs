//! From ledger lines to facts: one row a customer and period, one row a customer.
//!
//! [`LedgerSummary`] is the mergeable state. Batches of lines are packed, order by order, and grouped into 256 partitions
//! by the hash of the customer id (`packed`); each partition folds its lines into its own small table (`partition`).
//! Memory grows with customers, periods and distinct orders, not with lines, and no sum depends on the order of lines.
//!
//! ```
//! use whalecurve::{
//!     facts::{LedgerSummary, Layout, customers::roll_up},
//!     numeric::keys::Keys,
//!     schema::{
//!         lines::{LineBatch, PURCHASE},
//!         period::PeriodKind,
//!         settings::ReturnsPolicy,
//!     },
//! };
//!
//! let lines = LineBatch {
//!     customer: Keys::Int(vec![7, 3, 7, 7]),
//!     day: vec![10, 10, 10, 24],
//!     order: vec![1, 2, 1, 3],
//!     amount: vec![500, 900, 250, -250], // cents; the last line is a return
//!     discount: vec![0, 100, 0, 0],
//!     product_cost: vec![0; 4],
//!     quantity: vec![1_000_000, 1_000_000, 1_000_000, -1_000_000],
//!     mask: vec![PURCHASE, PURCHASE, PURCHASE, 0],
//!     added: vec![],
//! };
//! let layout = Layout { period: PeriodKind::Whole, added: 0, distinct: 0 };
//! let mut summary = LedgerSummary::new(layout, &lines.customer);
//! summary.insert(&[lines])?;
//! let (customers, cells) = summary.finish(ReturnsPolicy::Separate, &[])?;
//!
//! assert_eq!(customers.ids, Keys::Int(vec![3, 7]));
//! assert_eq!((&cells.gross_sales, &cells.returns), (&vec![900, 750], &vec![0, 250]));
//! assert_eq!((&cells.orders, &cells.lines), (&vec![1, 1], &vec![1, 3]));
//! assert_eq!(roll_up(&cells, customers.len())?.net_revenue, [800, 500]);
//! # Ok::<(), whalecurve::facts::FactsError>(())
//! ```

pub mod acquisition;
pub mod assemble;
mod buyers;
pub mod by_price;
mod cell;
mod chunked;
mod columns;
pub mod customers;
pub mod drivers;
pub mod groups;
pub mod objects;
pub mod order_sums;
mod orders;
mod owned;
pub mod packed;
mod partition;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use thiserror::Error;

use crate::{
    facts::{packed::Packed, partition::Partition},
    numeric::keys::{Key, Keys},
    schema::{
        lines::LineBatch,
        period::{Period, PeriodKind},
    },
};

/// What can go wrong while lines are folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FactsError {
    /// A customer's sum left the range of 64-bit minor units.
    #[error("transactions: a customer's {what} exceeds 9.2·10¹⁸ minor units (or millionths of a unit)")]
    Overflow {
        /// Which sum.
        what: &'static str,
    },
    /// More cells than a partition can number.
    #[error("transactions: more than 2³¹ rows of customer and period in one of {PARTITIONS} partitions")]
    TooManyCells,
    /// More lines than a cell can count.
    #[error("transactions: a customer has more than 2³² lines in one period")]
    TooManyLines,
    /// More orders than a partition can number.
    #[error("transactions: more than 2³² orders in one of {PARTITIONS} partitions")]
    TooManyOrders,
}

/// Partitions of the customer hash: enough that a partition's table stays in cache.
pub const PARTITIONS: usize = 256;

/// What a summary counts: fixed for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Length of a period.
    pub period: PeriodKind,
    /// Additive driver columns of the lines.
    pub added: usize,
    /// Distinct-count drivers: bits `1..=distinct` of the lines' mask.
    pub distinct: usize,
}

/// Mergeable summary of any slice of the ledger.
#[derive(Debug)]
pub struct LedgerSummary {
    layout: Layout,
    ids: Keys,
    partitions: Vec<Partition>,
}

impl LedgerSummary {
    /// An empty summary; ids are of the kind of `ids`.
    #[must_use]
    pub fn new(layout: Layout, ids: &Keys) -> Self {
        let partitions = (0..PARTITIONS).map(|_| Partition::new(layout, ids)).collect();
        Self { layout, ids: ids.empty_like(), partitions }
    }

    /// Adds a wave of accepted lines: [`Self::pack`] of every batch in parallel, then [`Self::fold`].
    ///
    /// # Errors
    /// [`FactsError`] when a sum leaves its range; the summary must then be dropped.
    pub fn insert(&mut self, wave: &[LineBatch]) -> Result<(), FactsError> {
        let packed: Vec<Packed> = wave.par_iter().map(|batch| self.pack(batch)).collect::<Result<_, _>>()?;
        self.fold(&packed)
    }

    /// Packs a batch of accepted lines for this summary; the batch is not needed any longer.
    ///
    /// # Errors
    /// [`FactsError::Overflow`] when the lines of one order leave 64 bits.
    pub fn pack(&self, batch: &LineBatch) -> Result<Packed, FactsError> {
        Packed::new(batch, self.layout)
    }

    /// Adds a wave of packed lines, in parallel over partitions.
    ///
    /// # Errors
    /// [`FactsError`] when a sum leaves its range; the summary must then be dropped.
    pub fn fold(&mut self, wave: &[Packed]) -> Result<(), FactsError> {
        self.partitions.par_iter_mut().enumerate().try_for_each(|(number, partition)| partition.fold(wave, number))
    }

    /// Makes sure that a customer is there, and a row for it in `period` when one is given.
    ///
    /// # Errors
    /// [`FactsError::TooManyCells`].
    pub fn touch(&mut self, key: Key<'_>, period: Option<Period>) -> Result<(), FactsError> {
        let hash = key.hash();
        self.partitions[partition_of(hash)].touch(key, hash, period)
    }

    /// Adds all that another summary of the same layout has seen.
    ///
    /// # Errors
    /// [`FactsError`] when a sum leaves its range.
    pub fn combine(&mut self, other: &Self) -> Result<(), FactsError> {
        self.partitions.par_iter_mut().zip(&other.partitions).try_for_each(|(mine, theirs)| mine.combine(theirs))
    }
}

/// Partition of a customer hash: its top bits (tables probe by the low ones).
#[inline]
#[must_use]
pub fn partition_of(hash: u64) -> usize {
    (hash >> 56) as usize
}
