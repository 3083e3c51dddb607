//! Scatter a batch of lines into partitions, packed row by row, so that each partition reads its lines in one run.

use super::{Layout, PARTITIONS, partition_of};
use crate::{
    numeric::keys::{Keys, hash_int, hash_text},
    schema::lines::LineBatch,
};

/// Words before the additive drivers of a packed line.
pub const FIXED_WORDS: usize = 8;

/// Positions of a packed line's words.
pub mod word {
    /// Hash of the customer id.
    pub const HASH: usize = 0;
    /// Row in the batch: where a text id stands.
    pub const ROW: usize = 1;
    /// Day in the low half, mask in the high half.
    pub const DAY_MASK: usize = 2;
    /// Order number.
    pub const ORDER: usize = 3;
    /// Amount.
    pub const AMOUNT: usize = 4;
    /// Discount.
    pub const DISCOUNT: usize = 5;
    /// Product cost.
    pub const PRODUCT_COST: usize = 6;
    /// Quantity.
    pub const QUANTITY: usize = 7;
}

/// A batch's lines, grouped by partition.
#[derive(Debug)]
pub struct Scattered {
    words: Vec<u64>,
    stride: usize,
    /// First line of each partition; one more entry at the end.
    first: Vec<u32>,
}

impl Scattered {
    /// Groups the lines of `batch` by partition; the order within a partition is the batch's.
    #[must_use]
    pub fn new(batch: &LineBatch, layout: Layout) -> Self {
        let hashes: Vec<u64> = match &batch.customer {
            Keys::Int(ids) => ids.iter().map(|id| hash_int(*id)).collect(),
            Keys::Text(ids) => (0..ids.len()).map(|i| hash_text(ids.get(i))).collect(),
        };
        let mut first = vec![0_u32; PARTITIONS + 1];
        for hash in &hashes {
            first[partition_of(*hash) + 1] += 1;
        }
        for partition in 0..PARTITIONS {
            first[partition + 1] += first[partition];
        }
        let stride = FIXED_WORDS + layout.added;
        let mut words = vec![0_u64; stride * hashes.len()];
        let mut next = first.clone();
        for (row, &hash) in hashes.iter().enumerate() {
            let slot = &mut next[partition_of(hash)];
            let line = &mut words[*slot as usize * stride..][..stride];
            *slot += 1;
            line[word::HASH] = hash;
            line[word::ROW] = row as u64;
            line[word::DAY_MASK] = u64::from(batch.day[row] as u32) | u64::from(batch.mask[row]) << 32;
            line[word::ORDER] = batch.order[row];
            line[word::AMOUNT] = batch.amount[row] as u64;
            line[word::DISCOUNT] = batch.discount[row] as u64;
            line[word::PRODUCT_COST] = batch.product_cost[row] as u64;
            line[word::QUANTITY] = batch.quantity[row] as u64;
            for (value, column) in line[FIXED_WORDS..].iter_mut().zip(&batch.added) {
                *value = column[row] as u64;
            }
        }
        Self { words, stride, first }
    }

    /// The packed lines of one partition.
    pub fn lines(&self, partition: usize) -> impl Iterator<Item = &[u64]> {
        let range = self.first[partition] as usize * self.stride..self.first[partition + 1] as usize * self.stride;
        self.words[range].chunks_exact(self.stride)
    }
}
