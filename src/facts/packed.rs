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
        let mut runs = Runs { lines: Vec::with_capacity(batch.len()), added: Vec::new(), stride: layout.added };
        let texts = match &batch.customer {
            Keys::Int(ids) => {
                runs.gather(batch, |row| ids[row] == ids[row - 1], |row| hash_int(ids[row]))?;
                None
            }
            Keys::Text(ids) => {
                let mut texts = TextColumn::default();
                let start = |row: usize| {
                    texts.push(ids.get(row));
                    hash_text(ids.get(row))
                };
                runs.gather(batch, |row| ids.get(row) == ids.get(row - 1), start)?;
                Some(texts)
            }
        };
        Ok(runs.group(texts))
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

/// Packed lines in the batch's order.
struct Runs {
    lines: Vec<PackedLine>,
    added: Vec<Quantity>,
    stride: usize,
}

impl Runs {
    /// Merges lines of one order that follow each other.
    ///
    /// * `same_customer`: whether a row has the customer of the row before it.
    /// * `start`: the hash of a row's customer; called once a packed line, in order.
    fn gather(
        &mut self,
        batch: &LineBatch,
        same_customer: impl Fn(usize) -> bool,
        mut start: impl FnMut(usize) -> u64,
    ) -> Result<(), FactsError> {
        let rows = batch.len();
        let (day, order, mask) = (&batch.day[..rows], &batch.order[..rows], &batch.mask[..rows]);
        let (amount, discount) = (&batch.amount[..rows], &batch.discount[..rows]);
        let (product_cost, quantity) = (&batch.product_cost[..rows], &batch.quantity[..rows]);
        for row in 0..rows {
            let continues = row > 0
                && order[row] == order[row - 1]
                && day[row] == day[row - 1]
                && (mask[row] ^ mask[row - 1]) & PURCHASE == 0
                && same_customer(row);
            if let Some(run) = self.lines.last_mut().filter(|_| continues) {
                let what = if mask[row] & PURCHASE == 0 { "returns" } else { "gross sales" };
                run.mask |= mask[row];
                run.lines += 1;
                run.amount = sum(run.amount, amount[row], what)?;
                run.discount = sum(run.discount, discount[row], "discount")?;
                run.product_cost = sum(run.product_cost, product_cost[row], "product cost")?;
                run.quantity = sum(run.quantity, quantity[row], "quantity")?;
                let first = self.added.len() - self.stride;
                for (total, column) in self.added[first..].iter_mut().zip(&batch.added) {
                    *total = sum(*total, column[row], "driver quantity")?;
                }
                continue;
            }
            self.added.extend(batch.added.iter().map(|column| column[row]));
            self.lines.push(PackedLine {
                hash: start(row),
                order: order[row],
                day: day[row],
                mask: mask[row],
                text: self.lines.len() as u32,
                lines: 1,
                amount: amount[row],
                discount: discount[row],
                product_cost: product_cost[row],
                quantity: quantity[row],
            });
        }
        Ok(())
    }

    /// Groups the packed lines by partition, by counting sort.
    fn group(self, texts: Option<TextColumn>) -> Packed {
        let mut first = vec![0_u32; PARTITIONS + 1];
        for line in &self.lines {
            first[partition_of(line.hash) + 1] += 1;
        }
        for partition in 0..PARTITIONS {
            first[partition + 1] += first[partition];
        }
        let mut next = first.clone();
        let mut lines = vec![PackedLine::default(); self.lines.len()];
        let mut added = vec![0; self.added.len()];
        for (number, line) in self.lines.iter().enumerate() {
            let slot = &mut next[partition_of(line.hash)];
            let at = *slot as usize;
            *slot += 1;
            lines[at] = *line;
            if self.stride > 0 {
                let from = number * self.stride;
                added[at * self.stride..][..self.stride].copy_from_slice(&self.added[from..][..self.stride]);
            }
        }
        Packed { lines, added, stride: self.stride, texts, first }
    }
}

/// A checked sum.
#[inline]
pub(super) fn sum(a: i64, b: i64, what: &'static str) -> Result<i64, FactsError> {
    a.checked_add(b).ok_or(FactsError::Overflow { what })
}
