//! The orders behind distinct counts: one chain a cell, newest first.
//!
//! An entry is an order of a cell on a day, with the union of its lines' masks. Lines of an order mostly follow each
//! other, so that a line that repeats the newest entry of its cell adds none; what repeats an older one is dropped by
//! [`Orders::compact`]. Memory grows with distinct orders, not with lines.

use super::{
    FactsError,
    assemble::Distinct,
    cell::{Cell, NO_ORDER},
    chunked::Chunked,
};
use crate::{
    schema::{
        lines::PURCHASE,
        period::{Period, PeriodKind},
    },
    units::Day,
};

/// Entries that a partition gathers before it first looks for repeated ones: 64 MiB over all partitions.
const COMPACT_ABOVE: usize = 16_384;

/// Chains of the orders of one partition's cells.
#[derive(Debug)]
pub(super) struct Orders {
    entries: Chunked<Entry>,
    /// One an entry when there are distinct-count drivers; else every entry's mask is [`PURCHASE`], and this is empty.
    masks: Chunked<u32>,
    marked: bool,
    /// Entries after the last compaction.
    compacted: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    order: u64,
    day: Day,
    /// The entry of the same cell before this one, or [`NO_ORDER`].
    previous: u32,
}

/// An order of a cell: day, order, mask.
pub(super) type Visit = (Day, u64, u32);

impl Orders {
    /// No order yet.
    ///
    /// * `marked`: whether there are distinct-count drivers.
    pub(super) fn new(marked: bool) -> Self {
        Self { entries: Chunked::new(), masks: Chunked::new(), marked, compacted: 0 }
    }

    /// Adds a line's order to the chain of `cell`.
    #[inline]
    pub(super) fn add(&mut self, cell: &mut Cell, (day, order, mask): Visit) -> Result<(), FactsError> {
        if mask == 0 {
            return Ok(());
        }
        let newest = cell.newest as usize;
        let tag = (order ^ order >> 32) as u32 ^ day as u32;
        if tag == cell.newest_tag
            && let Some(entry) = self.entries.get(newest)
            && (entry.day, entry.order) == (day, order)
        {
            if self.marked {
                self.masks[newest] |= mask;
            }
            return Ok(());
        }
        let number = u32::try_from(self.entries.len()).ok().filter(|number| *number != NO_ORDER);
        let number = number.ok_or(FactsError::TooManyOrders)?;
        self.entries.push(Entry { order, day, previous: cell.newest });
        if self.marked {
            self.masks.push(mask);
        }
        (cell.newest, cell.newest_tag) = (number, tag);
        Ok(())
    }

    /// Puts a cell's chain into `visits`, oldest first.
    pub(super) fn read(&self, newest: u32, visits: &mut Vec<Visit>) {
        visits.clear();
        let mut next = newest;
        while let Some(entry) = self.entries.get(next as usize) {
            let mask = self.masks.get(next as usize).copied().unwrap_or(PURCHASE);
            visits.push((entry.day, entry.order, mask));
            next = entry.previous;
        }
        visits.reverse();
    }

    /// Compacts when the entries have doubled since the last time.
    pub(super) fn keep_small(&mut self, cells: &mut Chunked<Cell>) -> Result<(), FactsError> {
        if self.entries.len() > 2 * self.compacted + COMPACT_ABOVE { self.compact(cells) } else { Ok(()) }
    }

    /// Drops repeated entries and lays each chain out in one run, sorted by day, then order.
    pub(super) fn compact(&mut self, cells: &mut Chunked<Cell>) -> Result<(), FactsError> {
        let mut kept = Self::new(self.marked);
        let mut visits = Vec::new();
        for cell in cells.iter_mut() {
            self.read(cell.newest, &mut visits);
            if !visits.is_sorted() {
                visits.sort_unstable();
            }
            cell.newest = NO_ORDER;
            for &visit in &visits {
                kept.add(cell, visit)?;
            }
        }
        kept.compacted = kept.entries.len();
        *self = kept;
        Ok(())
    }

    /// Orders and purchase days up to every entry, as far back as its chain goes.
    ///
    /// Entries are read in the order in which they came, not chain by chain: so no read waits for the one before it.
    fn totals(&self) -> Vec<Total> {
        let mut totals: Vec<Total> = Vec::with_capacity(self.entries.len());
        for entry in self.entries.iter() {
            let previous = entry.previous as usize;
            let total = match (self.entries.get(previous), totals.get(previous)) {
                (Some(older), Some(Total::Counted { orders, days })) => {
                    if entry.day < older.day || entry.order < older.order {
                        Total::OutOfOrder
                    } else {
                        let (order, day) = (entry.order != older.order, entry.day != older.day);
                        Total::Counted { orders: orders + u32::from(order), days: days + u32::from(day) }
                    }
                }
                (Some(_), _) => Total::OutOfOrder,
                (None, _) => Total::Counted { orders: 1, days: 1 },
            };
            totals.push(total);
        }
        totals
    }
}

/// What a chain adds up to at one of its entries.
#[derive(Clone, Copy, Debug)]
enum Total {
    /// Days and orders never fell on the way, as in a ledger that came in order: so whatever differs from the entry before
    /// is new.
    Counted { orders: u32, days: u32 },
    /// They fell once: the chain must be sorted.
    OutOfOrder,
}

/// Orders, purchase days and distinct-count drivers of one partition's cells.
#[derive(Debug)]
pub(super) struct Counts {
    counts: Vec<u32>,
    stride: usize,
}

impl Counts {
    /// Counts, cell by cell.
    pub(super) fn new(orders: &Orders, cells: &Chunked<Cell>, wanted: &[(u32, Distinct)]) -> Self {
        let stride = 2 + wanted.len();
        let mut counts = vec![0; cells.len() * stride];
        let mut visits = Vec::new();
        // With distinct-count drivers, masks differ from entry to entry, and every chain is read.
        let totals = if orders.marked { Vec::new() } else { orders.totals() };
        for (cell, counts) in cells.iter().zip(counts.chunks_exact_mut(stride)) {
            if let Some(Total::Counted { orders, days }) = totals.get(cell.newest as usize) {
                counts[..2].copy_from_slice(&[*orders, *days]);
                continue;
            }
            orders.read(cell.newest, &mut visits);
            if !visits.is_sorted() {
                visits.sort_unstable();
            }
            counts[1] = count_distinct(&visits, PURCHASE, |visit| visit.0);
            for (count, (bit, what)) in counts[2..].iter_mut().zip(wanted) {
                match what {
                    Distinct::Days => *count = count_distinct(&visits, *bit, |visit| visit.0),
                    Distinct::Months => *count = count_distinct(&visits, *bit, |visit| month_of(visit.0)),
                    Distinct::Orders => {}
                }
            }
            if !visits.is_sorted_by_key(|visit| visit.1) {
                visits.sort_unstable_by_key(|visit| visit.1);
            }
            counts[0] = count_distinct(&visits, PURCHASE, |visit| visit.1);
            for (count, (bit, what)) in counts[2..].iter_mut().zip(wanted) {
                if *what == Distinct::Orders {
                    *count = count_distinct(&visits, *bit, |visit| visit.1);
                }
            }
        }
        Self { counts, stride }
    }

    /// Orders, purchase days, then one count a driver.
    pub(super) fn of(&self, cell: usize) -> &[u32] {
        &self.counts[cell * self.stride..][..self.stride]
    }
}

/// Distinct keys among the visits with `bit`; they stand sorted by the key.
fn count_distinct<K: PartialEq + Copy>(visits: &[Visit], bit: u32, key: impl Fn(&Visit) -> K) -> u32 {
    let mut previous = None;
    let mut count = 0;
    for visit in visits.iter().filter(|visit| visit.2 & bit != 0) {
        let value = key(visit);
        count += u32::from(previous != Some(value));
        previous = Some(value);
    }
    count
}

/// The calendar month of a day.
fn month_of(day: Day) -> Period {
    PeriodKind::Month.of(day)
}
