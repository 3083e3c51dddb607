//! Who bought a product, and who began with it: distinct pairs of customer and product, each with its first day, and every
//! customer's second day.
//!
//! Memory grows with distinct pairs, not with lines. A text id of a customer stands for itself by its 64-bit hash: two of
//! a ledger fall together with a probability of 2⁻⁶⁴ a pair.

use rayon::prelude::*;

use super::{PARTITIONS, partition_of};
use crate::{
    numeric::keys::{KeyTable, Keys, hash_int, hash_text},
    schema::{
        facts::NO_DAY,
        lines::{LineBatch, PURCHASE},
        objects::{Buyers, Entries, Newcomer, ObjectKeys},
    },
    units::Day,
};

/// Pairs that a partition gathers before it first looks for repeated ones: 64 MiB over all partitions.
const COMPACT_ABOVE: usize = 16_384;

/// The product of a line that names none: it may still be the customer's first purchase.
const NO_PRODUCT: u32 = u32::MAX;

/// In the place of a product: the customer's second purchase day, which is no product's first one.
const SECOND_DAY: u32 = u32::MAX - 1;

/// A customer's purchase of a product, first day last.
type Pair = (u64, u32, Day);

/// Pairs of any slice of the ledger.
#[derive(Debug)]
pub(super) struct Pairs {
    /// Products, in the order in which they came.
    products: KeyTable,
    partitions: Vec<Partition>,
}

#[derive(Debug, Default)]
struct Partition {
    pairs: Vec<Pair>,
    compacted: usize,
}

/// A batch's pairs by partition, with product numbers of the batch.
#[derive(Debug)]
pub(super) struct ScatteredPairs {
    products: KeyTable,
    pairs: Vec<Pair>,
    /// First pair of each partition; one more entry at the end.
    first: Vec<u32>,
}

impl Pairs {
    /// No pair; product ids are of the kind of `ids`.
    pub(super) fn new(ids: &Keys) -> Self {
        let partitions = (0..PARTITIONS).map(|_| Partition::default()).collect();
        Self { products: KeyTable::new(ids, 0), partitions }
    }

    /// The pairs of a batch's purchase lines, each with its product.
    pub(super) fn scatter(lines: &LineBatch, products: &ObjectKeys) -> ScatteredPairs {
        let mut own = KeyTable::new(&products.keys, 0);
        let mut unsorted: Vec<Pair> = Vec::with_capacity(lines.len());
        for row in (0..lines.len()).filter(|row| lines.mask[*row] & PURCHASE != 0) {
            let hash = match &lines.customer {
                Keys::Int(ids) => hash_int(ids[row]),
                Keys::Text(ids) => hash_text(ids.get(row)),
            };
            let product = if products.missing[row] { NO_PRODUCT } else { own.insert(products.keys.get(row)).0 };
            unsorted.push((hash, product, lines.day[row]));
        }
        let mut first = vec![0_u32; PARTITIONS + 1];
        for pair in &unsorted {
            first[partition_of(pair.0) + 1] += 1;
        }
        for partition in 0..PARTITIONS {
            first[partition + 1] += first[partition];
        }
        let mut next = first.clone();
        let mut pairs = vec![(0, 0, 0); unsorted.len()];
        for pair in unsorted {
            let slot = &mut next[partition_of(pair.0)];
            pairs[*slot as usize] = pair;
            *slot += 1;
        }
        ScatteredPairs { products: own, pairs, first }
    }

    /// Adds a wave of lines' pairs.
    pub(super) fn insert(&mut self, scattered: &[ScatteredPairs]) {
        // The numbers of a batch become those of the run: once a product, not once a line.
        let numbers: Vec<Vec<u32>> = scattered
            .iter()
            .map(|batch| {
                let keys = batch.products.keys();
                (0..keys.len()).map(|row| self.products.insert(keys.get(row)).0).collect()
            })
            .collect();
        self.partitions.par_iter_mut().enumerate().for_each(|(number, partition)| {
            for (batch, numbers) in scattered.iter().zip(&numbers) {
                let own = |product: u32| numbers.get(product as usize).copied().unwrap_or(NO_PRODUCT);
                let pairs = batch.pairs[batch.first[number] as usize..batch.first[number + 1] as usize].iter();
                partition.pairs.extend(pairs.map(|(customer, product, day)| (*customer, own(*product), *day)));
            }
            if partition.pairs.len() > 2 * partition.compacted + COMPACT_ABOVE {
                partition.compact();
            }
        });
    }

    /// Buyers of every one of `ids`, and how customers began.
    pub(super) fn finish(mut self, ids: &Keys) -> (Vec<Buyers>, Entries) {
        let none = || vec![Buyers::default(); self.products.keys().len()];
        let add = |mut all: Vec<Buyers>, part: Vec<Buyers>| {
            for (all, part) in all.iter_mut().zip(part) {
                all.customers += part.customers;
                all.entered += part.entered;
            }
            all
        };
        let counted = self
            .partitions
            .par_iter_mut()
            .fold(none, |mut counts, partition| {
                partition.compact();
                partition.count(&mut counts);
                counts
            })
            .reduce(none, add);
        let number: Vec<Option<u32>> = (0..ids.len()).map(|row| self.products.get(ids.get(row))).collect();
        let mut row_of = vec![None; self.products.keys().len()];
        for (row, number) in (0..).zip(&number) {
            if let Some(number) = number {
                row_of[*number as usize] = Some(row);
            }
        }
        let mut entries = Entries::default();
        // Partitions ascend by hash, and so do the customers of each.
        for partition in &self.partitions {
            partition.enter(&row_of, &mut entries);
        }
        let of = |number: &Option<u32>| number.map_or(Buyers::default(), |at| counted[at as usize]);
        (number.iter().map(of).collect(), entries)
    }
}

impl Partition {
    /// Keeps the first day of every pair, and every customer's second day.
    fn compact(&mut self) {
        self.pairs.sort_unstable();
        let second: Vec<Pair> = self.pairs.chunk_by(|a, b| a.0 == b.0).filter_map(lone_second_day).collect();
        self.pairs.retain(|pair| pair.1 != SECOND_DAY);
        self.pairs.dedup_by(|next, kept| (next.0, next.1) == (kept.0, kept.1));
        self.pairs.extend(second);
        self.pairs.sort_unstable();
        self.compacted = self.pairs.len();
    }

    /// How the customers of compacted pairs began.
    ///
    /// * `row_of`: row of every product.
    fn enter(&self, row_of: &[Option<u32>], entries: &mut Entries) {
        for customer in self.pairs.chunk_by(|a, b| a.0 == b.0) {
            let (first, second) = first_days(customer);
            let mut products = 0;
            for (hash, product, day) in customer {
                let Some(Some(row)) = row_of.get(*product as usize) else { continue };
                products += 1;
                if *day == first {
                    entries.entered.push((*hash, *row));
                }
            }
            entries.customers.push(Newcomer { hash: customer[0].0, first, second, products });
        }
    }

    /// Counts compacted pairs; a second day is no product.
    fn count(&self, counts: &mut [Buyers]) {
        for customer in self.pairs.chunk_by(|a, b| a.0 == b.0) {
            let first = customer.iter().map(|pair| pair.2).min();
            for (_, product, day) in customer {
                if let Some(buyers) = counts.get_mut(*product as usize) {
                    buyers.customers += 1;
                    buyers.entered += u64::from(Some(*day) == first);
                }
            }
        }
    }
}

/// First and second purchase day of one customer's pairs; [`NO_DAY`] without a second one.
fn first_days(pairs: &[Pair]) -> (Day, Day) {
    let first = pairs.iter().map(|pair| pair.2).min().unwrap_or(NO_DAY);
    (first, pairs.iter().map(|pair| pair.2).filter(|day| *day > first).min().unwrap_or(NO_DAY))
}

/// The second purchase day of one customer's sorted pairs, where no product's first day will tell it.
fn lone_second_day(pairs: &[Pair]) -> Option<Pair> {
    let (_, second) = first_days(pairs);
    let mut firsts = pairs.chunk_by(|a, b| a.1 == b.1).filter(|pairs| pairs[0].1 != SECOND_DAY);
    let told = second == NO_DAY || firsts.any(|pairs| pairs[0].2 == second);
    (!told).then(|| (pairs[0].0, SECOND_DAY, second))
}
