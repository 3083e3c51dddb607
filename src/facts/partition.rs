//! One partition of the ledger: an open-addressing table of (customer, period) → sums, and the distinct
//! (cell, order, day) triples behind order and day counts.

use super::{
    FactsError, Layout,
    wave::{FIXED_WORDS, Scattered, word},
};
use crate::{
    numeric::keys::{Key, KeyTable, Keys, unhash_int},
    schema::{
        facts::NO_DAY,
        lines::{LineBatch, PURCHASE},
        period::{Period, PeriodKind},
    },
    units::Day,
};

/// Triples that a partition gathers before it first looks for repeated ones: 100 MB over all partitions.
const COMPACT_ABOVE: usize = 16_384;

/// The period of a row that only says that a customer exists.
pub(super) const NO_PERIOD: Period = Period::MIN;

/// Positions of a cell's words.
pub(super) mod field {
    pub(crate) const PURCHASES: usize = 0;
    pub(crate) const RETURNS: usize = 1;
    pub(crate) const LINES: usize = 2;
    pub(crate) const PURCHASE_REVENUE: usize = 3;
    pub(crate) const FIRST_DAY_REVENUE: usize = 4;
    pub(crate) const FIRST_PURCHASE: usize = 5;
    pub(crate) const LAST_PURCHASE: usize = 6;
    pub(crate) const LAST_ACTIVITY: usize = 7;
    pub(crate) const DISCOUNT: usize = 8;
    pub(crate) const PRODUCT_COST: usize = 9;
    pub(crate) const QUANTITY: usize = 10;
    /// The newest triple of the cell: lines of one order stand together, so most triples repeat it.
    pub(crate) const LAST_TRIPLE: usize = 11;
    pub(crate) const ADDED: usize = 12;
}

/// An order of a cell on a day, with the union of its lines' masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Triple {
    pub(super) cell: u32,
    pub(super) day: Day,
    pub(super) order: u64,
    pub(super) mask: u32,
}

/// See the module's description.
#[derive(Debug)]
pub struct Partition {
    pub(super) layout: Layout,
    /// Text ids only: id → number. Integer ids are their own identity through their bijective hash.
    pub(super) texts: Option<KeyTable>,
    slots: Vec<Slot>,
    /// Identity and period of each cell.
    pub(super) cells: Vec<(u64, Period)>,
    pub(super) words: Vec<i64>,
    pub(super) triples: Vec<Triple>,
    /// Triples that were distinct after the last compaction.
    compacted: usize,
    /// The last day looked up and its period: ledgers come in runs of days.
    period_of_day: (Day, Period),
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    identity: u64,
    period: Period,
    /// Cell + 1; zero is a free slot.
    cell: u32,
}

impl Partition {
    pub(super) fn new(layout: Layout, ids: &Keys) -> Self {
        Self {
            layout,
            texts: matches!(ids, Keys::Text(_)).then(|| KeyTable::new(ids, 0)),
            slots: vec![Slot::default(); 64],
            cells: Vec::new(),
            words: Vec::new(),
            triples: Vec::new(),
            compacted: 0,
            period_of_day: (0, layout.period.of(0)),
        }
    }

    pub(super) fn stride(&self) -> usize {
        field::ADDED + self.layout.added
    }

    pub(super) fn fold(&mut self, lines: &Scattered, number: usize, batch: &LineBatch) -> Result<(), FactsError> {
        for line in lines.lines(number) {
            let identity = match (&mut self.texts, &batch.customer) {
                (Some(texts), Keys::Text(ids)) => {
                    u64::from(texts.insert(Key::Text(ids.get(line[word::ROW] as usize))).0)
                }
                _ => line[word::HASH],
            };
            self.add_line(identity, line[word::HASH], line)?;
        }
        if self.triples.len() > 2 * self.compacted + COMPACT_ABOVE {
            self.compact();
        }
        Ok(())
    }

    #[inline]
    fn add_line(&mut self, identity: u64, hash: u64, line: &[u64]) -> Result<(), FactsError> {
        let day = line[word::DAY_MASK] as u32 as Day;
        let mask = (line[word::DAY_MASK] >> 32) as u32;
        if day != self.period_of_day.0 {
            self.period_of_day = (day, self.layout.period.of(day));
        }
        let cell = self.cell(identity, hash, self.period_of_day.1)?;
        let stride = self.stride();
        let words = &mut self.words[cell as usize * stride..][..stride];
        let amount = line[word::AMOUNT] as i64;
        let discount = line[word::DISCOUNT] as i64;
        let overflow = |what| move || FactsError::Overflow { what };
        let add = |sum: &mut i64, value: i64, what: &'static str| {
            sum.checked_add(value).map(|total| *sum = total).ok_or_else(overflow(what))
        };
        if mask & PURCHASE == 0 {
            add(&mut words[field::RETURNS], amount.checked_neg().ok_or_else(overflow("returns"))?, "returns")?;
        } else {
            let revenue = amount.checked_sub(discount).ok_or_else(overflow("revenue"))?;
            add(&mut words[field::PURCHASES], amount, "gross sales")?;
            add(&mut words[field::PURCHASE_REVENUE], revenue, "revenue")?;
            let first = words[field::FIRST_PURCHASE];
            let day = i64::from(day);
            if first == i64::from(NO_DAY) || day < first {
                words[field::FIRST_PURCHASE] = day;
                words[field::FIRST_DAY_REVENUE] = revenue;
            } else if day == first {
                add(&mut words[field::FIRST_DAY_REVENUE], revenue, "revenue")?;
            }
            words[field::LAST_PURCHASE] = words[field::LAST_PURCHASE].max(day);
        }
        words[field::LAST_ACTIVITY] = words[field::LAST_ACTIVITY].max(i64::from(day));
        words[field::LINES] += 1;
        add(&mut words[field::DISCOUNT], discount, "discount")?;
        add(&mut words[field::PRODUCT_COST], line[word::PRODUCT_COST] as i64, "product cost")?;
        add(&mut words[field::QUANTITY], line[word::QUANTITY] as i64, "quantity")?;
        for (sum, value) in words[field::ADDED..].iter_mut().zip(&line[FIXED_WORDS..]) {
            add(sum, *value as i64, "driver quantity")?;
        }
        let newest = &mut words[field::LAST_TRIPLE];
        if mask != 0 {
            let triple = Triple { cell, day, order: line[word::ORDER], mask };
            match self.triples.get_mut(*newest as usize) {
                Some(last) if last.cell == cell && last.day == day && last.order == triple.order => last.mask |= mask,
                _ => {
                    *newest = self.triples.len() as i64;
                    self.triples.push(triple);
                }
            }
        }
        Ok(())
    }

    pub(super) fn touch(&mut self, key: Key<'_>, hash: u64, period: Option<Period>) -> Result<(), FactsError> {
        let identity = match &mut self.texts {
            Some(texts) => u64::from(texts.insert(key).0),
            None => hash,
        };
        self.cell(identity, hash, period.unwrap_or(NO_PERIOD)).map(|_| ())
    }

    pub(super) fn combine(&mut self, other: &Self) -> Result<(), FactsError> {
        let stride = self.stride();
        let mut renumbered = Vec::with_capacity(other.cells.len());
        for (row, &(identity, period)) in other.cells.iter().enumerate() {
            let (identity, hash) = match (&mut self.texts, &other.texts) {
                (Some(mine), Some(theirs)) => {
                    let key = theirs.keys().get(identity as usize);
                    (u64::from(mine.insert(key).0), key.hash())
                }
                _ => (identity, identity),
            };
            let cell = self.cell(identity, hash, period)?;
            renumbered.push(cell);
            let theirs = &other.words[row * stride..][..stride];
            merge_cell(&mut self.words[cell as usize * stride..][..stride], theirs)?;
        }
        self.triples.extend(other.triples.iter().map(|t| Triple { cell: renumbered[t.cell as usize], ..*t }));
        self.compact();
        Ok(())
    }

    /// The cell of a customer and period, new or known.
    #[inline]
    fn cell(&mut self, identity: u64, hash: u64, period: Period) -> Result<u32, FactsError> {
        if (self.cells.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = spread(hash, period) & mask;
        loop {
            let found = &self.slots[slot];
            if found.cell == 0 {
                break;
            }
            if found.identity == identity && found.period == period {
                return Ok(found.cell - 1);
            }
            slot = (slot + 1) & mask;
        }
        let cell = u32::try_from(self.cells.len()).ok().filter(|n| *n < u32::MAX).ok_or(FactsError::TooManyCells)?;
        self.slots[slot] = Slot { identity, period, cell: cell + 1 };
        self.cells.push((identity, period));
        let start = self.words.len();
        self.words.resize(start + self.stride(), 0);
        for day in [field::FIRST_PURCHASE, field::LAST_PURCHASE, field::LAST_ACTIVITY] {
            self.words[start + day] = i64::from(NO_DAY);
        }
        self.words[start + field::LAST_TRIPLE] = -1;
        Ok(cell)
    }

    fn grow(&mut self) {
        let mut slots = vec![Slot::default(); self.slots.len() * 2];
        let mask = slots.len() - 1;
        for (row, &(identity, period)) in self.cells.iter().enumerate() {
            let mut slot = spread(self.hash_of(identity), period) & mask;
            while slots[slot].cell != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = Slot { identity, period, cell: row as u32 + 1 };
        }
        self.slots = slots;
    }

    fn hash_of(&self, identity: u64) -> u64 {
        self.texts.as_ref().map_or(identity, |texts| texts.keys().get(identity as usize).hash())
    }

    /// The id of a cell's customer.
    pub(super) fn key(&self, identity: u64) -> Key<'_> {
        self.texts.as_ref().map_or_else(|| Key::Int(unhash_int(identity)), |texts| texts.keys().get(identity as usize))
    }

    /// Drops repeated triples, so that memory grows with distinct orders.
    fn compact(&mut self) {
        self.triples.sort_unstable();
        self.triples.dedup_by(|next, kept| {
            let same = (next.cell, next.day, next.order) == (kept.cell, kept.day, kept.order);
            if same {
                kept.mask |= next.mask;
            }
            same
        });
        self.compacted = self.triples.len();
        let stride = self.stride();
        for words in self.words.chunks_exact_mut(stride) {
            words[field::LAST_TRIPLE] = -1;
        }
    }
}

/// Slot of a customer and period: the low bits of the hash (the top ones chose the partition), moved by the period.
#[inline]
fn spread(hash: u64, period: Period) -> usize {
    (hash ^ u64::from(period as u32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8) as usize
}

/// Adds one cell's sums to another's.
fn merge_cell(mine: &mut [i64], theirs: &[i64]) -> Result<(), FactsError> {
    let no_day = i64::from(NO_DAY);
    let (first, other_first) = (mine[field::FIRST_PURCHASE], theirs[field::FIRST_PURCHASE]);
    let first_day_revenue = match (first == no_day, other_first == no_day) {
        (_, true) => Some(mine[field::FIRST_DAY_REVENUE]),
        (true, false) => Some(theirs[field::FIRST_DAY_REVENUE]),
        _ if first < other_first => Some(mine[field::FIRST_DAY_REVENUE]),
        _ if first > other_first => Some(theirs[field::FIRST_DAY_REVENUE]),
        _ => mine[field::FIRST_DAY_REVENUE].checked_add(theirs[field::FIRST_DAY_REVENUE]),
    };
    let overflow = FactsError::Overflow { what: "sum" };
    let first_purchase = match (first == no_day, other_first == no_day) {
        (true, _) => other_first,
        (_, true) => first,
        _ => first.min(other_first),
    };
    let latest = |at: usize| mine[at].max(theirs[at]);
    let (last_purchase, last_activity) = (latest(field::LAST_PURCHASE), latest(field::LAST_ACTIVITY));
    for at in (0..mine.len()).filter(|at| *at != field::LAST_TRIPLE) {
        mine[at] = match at {
            field::FIRST_PURCHASE => first_purchase,
            field::LAST_PURCHASE => last_purchase,
            field::LAST_ACTIVITY => last_activity,
            field::FIRST_DAY_REVENUE => first_day_revenue.ok_or(overflow)?,
            _ => mine[at].checked_add(theirs[at]).ok_or(overflow)?,
        };
    }
    Ok(())
}

/// The calendar month of a day.
pub(super) fn month_of(day: Day) -> Period {
    PeriodKind::Month.of(day)
}
