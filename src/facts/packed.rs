//! A batch of lines, packed for the fold: lines of one order that follow each other become one, and the packed lines
//! are grouped by partition, so that each partition reads its own in one run.

use super::{FactsError, Layout, PARTITIONS, partition_of};
use crate::{
    numeric::keys::{Keys, TextColumn, hash_int, hash_text},
    schema::lines::{LineBatch, PURCHASE},
    units::{Day, Minor, Quantity},
};

/// One or more lines of one customer, order and day, all purchases or all returns: one cache line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PackedLine {
    /// Hash of the customer id.
    pub(super) hash: u64,
    /// Order number.
    pub(super) order: u64,
    /// Day.
    pub(super) day: Day,
    /// Union of the lines' masks.
    pub(super) mask: u32,
    /// Where the batch's packed lines keep the text of the id, when ids are text.
    pub(super) text: u32,
    /// How many lines.
    pub(super) lines: u32,
    /// Sum of the amounts.
    pub(super) amount: Minor,
    /// Sum of the discounts.
    pub(super) discount: Minor,
    /// Sum of the product costs.
    pub(super) product_cost: Minor,
    /// Sum of the quantities.
    pub(super) quantity: Quantity,
}

/// A batch's packed lines, grouped by partition.
#[derive(Debug)]
pub struct Packed {
    lines: Vec<PackedLine>,
    /// Additive drivers, line by line.
    added: Vec<Quantity>,
    /// Additive drivers of a line.
    stride: usize,
    /// Text ids only: one a packed line, at [`PackedLine::text`].
    texts: Option<TextColumn>,
    /// First line of each partition; one more entry at the end.
    first: Vec<u32>,
}

impl Packed {
    /// Packs the lines of `batch`; within a partition they keep the batch's order.
    ///
    /// # Errors
    /// [`FactsError::Overflow`] when the lines of one order leave 64 bits.
    pub fn new(batch: &LineBatch, layout: Layout) -> Result<Self, FactsError> {
        let starts = match &batch.customer {
            Keys::Int(ids) => starts(batch, |row| ids[row] == ids[row - 1]),
            Keys::Text(ids) => starts(batch, |row| ids.get(row) == ids.get(row - 1)),
        };
        let (hashes, texts): (Vec<u64>, _) = match &batch.customer {
            Keys::Int(ids) => (starts.iter().map(|start| hash_int(ids[*start as usize])).collect(), None),
            Keys::Text(ids) => {
                let mut texts = TextColumn::default();
                for start in &starts {
                    texts.push(ids.get(*start as usize));
                }
                ((0..texts.len()).map(|line| hash_text(texts.get(line))).collect(), Some(texts))
            }
        };
        let mut packed = Self {
            lines: vec![PackedLine::default(); starts.len()],
            added: vec![0; starts.len() * layout.added],
            stride: layout.added,
            texts,
            first: first_of_partitions(&hashes),
        };
        packed.fill(batch, &starts, &hashes)?;
        Ok(packed)
    }

    /// Adds each line's rows up, at its place.
    fn fill(&mut self, batch: &LineBatch, starts: &[u32], hashes: &[u64]) -> Result<(), FactsError> {
        let mut next = self.first.clone();
        let ends = starts.iter().skip(1).copied().chain([batch.len() as u32]);
        for (number, ((start, end), hash)) in starts.iter().zip(ends).zip(hashes).enumerate() {
            let rows = *start as usize..end as usize;
            let first = rows.start;
            let slot = &mut next[partition_of(*hash)];
            let place = *slot as usize;
            *slot += 1;
            let what = if batch.mask[first] & PURCHASE == 0 { "returns" } else { "gross sales" };
            self.lines[place] = PackedLine {
                hash: *hash,
                order: batch.order[first],
                day: batch.day[first],
                mask: batch.mask[rows.clone()].iter().fold(0, |all, mask| all | mask),
                text: number as u32,
                lines: end - start,
                amount: total(&batch.amount[rows.clone()], what)?,
                discount: total(&batch.discount[rows.clone()], "discount")?,
                product_cost: total(&batch.product_cost[rows.clone()], "product cost")?,
                quantity: total(&batch.quantity[rows.clone()], "quantity")?,
            };
            for (sum, column) in self.added[place * self.stride..].iter_mut().zip(&batch.added) {
                *sum = total(&column[rows.clone()], "driver quantity")?;
            }
        }
        Ok(())
    }

    /// Packed lines in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The packed lines of one partition.
    pub(super) fn lines(&self, partition: usize) -> &[PackedLine] {
        &self.lines[self.range(partition)]
    }

    /// The additive drivers of one partition's lines, line by line.
    pub(super) fn added(&self, partition: usize) -> &[Quantity] {
        let range = self.range(partition);
        &self.added[range.start * self.stride..range.end * self.stride]
    }

    /// The text ids that [`PackedLine::text`] points to; `None` when ids are integers.
    pub(super) fn texts(&self) -> Option<&TextColumn> {
        self.texts.as_ref()
    }

    fn range(&self, partition: usize) -> std::ops::Range<usize> {
        self.first[partition] as usize..self.first[partition + 1] as usize
    }
}

/// The rows that start a packed line: another order, day or customer than the row before, or a return after a purchase.
#[expect(clippy::needless_bitwise_bool, reason = "whether a row starts a line is as good as random: no branch")]
fn starts(batch: &LineBatch, same_customer: impl Fn(usize) -> bool) -> Vec<u32> {
    let rows = batch.len();
    let (day, order, mask) = (&batch.day[..rows], &batch.order[..rows], &batch.mask[..rows]);
    let mut starts = vec![0; rows];
    let mut count = usize::from(rows > 0);
    for row in 1..rows {
        let same = (order[row] == order[row - 1])
            & (day[row] == day[row - 1])
            & ((mask[row] ^ mask[row - 1]) & PURCHASE == 0)
            & same_customer(row);
        starts[count] = row as u32;
        count += usize::from(!same);
    }
    starts.truncate(count);
    starts
}

/// Where each partition's lines start, and one more entry at the end.
fn first_of_partitions(hashes: &[u64]) -> Vec<u32> {
    let mut first = vec![0; PARTITIONS + 1];
    for hash in hashes {
        first[partition_of(*hash) + 1] += 1;
    }
    for partition in 0..PARTITIONS {
        first[partition + 1] += first[partition];
    }
    first
}

/// A checked sum of values.
#[inline]
fn total(values: &[i64], what: &'static str) -> Result<i64, FactsError> {
    values.iter().try_fold(0, |total, value| sum(total, *value, what))
}

/// A checked sum.
#[inline]
pub(super) fn sum(a: i64, b: i64, what: &'static str) -> Result<i64, FactsError> {
    a.checked_add(b).ok_or(FactsError::Overflow { what })
}
