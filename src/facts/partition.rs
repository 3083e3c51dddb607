//! One partition of the ledger: an open-addressing table of (customer, period) → [`Cell`].

use super::{
    FactsError, Layout,
    cell::{Cell, Rest},
    chunked::Chunked,
    orders::Orders,
    packed::{Packed, PackedLine, sum},
};
use crate::{
    numeric::keys::{Key, KeyTable, Keys, TextColumn, unhash_int},
    schema::period::Period,
    units::{Day, Quantity},
};

/// The period of a row that only says that a customer exists.
pub(super) const NO_PERIOD: Period = Period::MIN;

/// Cells that are read ahead for each line of a wave, at most: with more of them most would be read for nothing.
const CELLS_READ_A_LINE: usize = 2;

/// Slots in 64 bytes.
const SLOTS_A_CACHE_LINE: usize = 64 / size_of::<Slot>();

/// See the module's description.
#[derive(Debug)]
pub(super) struct Partition {
    layout: Layout,
    /// Text ids only: id → number. Integer ids are their own identity through their bijective hash.
    texts: Option<KeyTable>,
    /// The length is a power of two.
    slots: Vec<Slot>,
    pub(super) cells: Chunked<Cell>,
    /// One a cell.
    pub(super) rests: Chunked<Rest>,
    /// Additive drivers: a column a driver, a row a cell.
    added: Vec<Chunked<Quantity>>,
    pub(super) orders: Orders,
    /// The last day looked up and its period: ledgers come in runs of days.
    period_of_day: (Day, Period),
}

/// Half a cell's hash, which says where it is looked for, and the cell + 1; zero is a free slot.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    tag: u32,
    cell: u32,
}

/// A customer and period to be looked up.
#[derive(Clone, Copy)]
struct Wanted {
    identity: u64,
    period: Period,
    tag: u32,
}

impl Partition {
    pub(super) fn new(layout: Layout, ids: &Keys) -> Self {
        Self {
            layout,
            texts: matches!(ids, Keys::Text(_)).then(|| KeyTable::new(ids, 0)),
            slots: vec![Slot::default(); 64],
            cells: Chunked::new(),
            rests: Chunked::new(),
            added: (0..layout.added).map(|_| Chunked::new()).collect(),
            orders: Orders::new(layout.distinct > 0),
            period_of_day: (0, layout.period.of(0)),
        }
    }

    /// Adds this partition's lines of a wave.
    pub(super) fn fold(&mut self, wave: &[Packed], number: usize) -> Result<(), FactsError> {
        let mut found = self.find(wave, number)?.into_iter();
        let stride = self.layout.added;
        for packed in wave {
            let added = packed.added(number);
            for (row, (line, cell)) in packed.lines(number).iter().zip(found.by_ref()).enumerate() {
                let cell = cell as usize;
                let sums = &mut self.cells[cell];
                sums.add(line, || &mut self.rests[cell])?;
                self.orders.add(sums, (line.day, line.order, line.mask))?;
                for (column, value) in self.added.iter_mut().zip(&added[row * stride..]) {
                    column[cell] = sum(column[cell], *value, "driver quantity")?;
                }
            }
        }
        self.orders.keep_small(&mut self.cells)
    }

    /// The cells of this partition's lines, known or new.
    ///
    /// First every line's slot is read, then the cell that it names is compared, without a branch: such reads do not wait
    /// for each other, so that memory fetches many at a time. Only lines without a hit walk the table one by one.
    #[expect(clippy::needless_bitwise_bool, reason = "no branch may wait for the cell")]
    fn find(&mut self, wave: &[Packed], number: usize) -> Result<Vec<u32>, FactsError> {
        let lines = wave.iter().map(|packed| packed.lines(number).len()).sum();
        if self.cells.len() <= lines * CELLS_READ_A_LINE {
            self.read_ahead();
        }
        let mut wanted: Vec<Wanted> = Vec::with_capacity(lines);
        for packed in wave {
            for line in packed.lines(number) {
                let wants = self.wanted(line, packed.texts());
                wanted.push(wants);
            }
        }
        let mask = self.slots.len() - 1;
        let mut found: Vec<u32> = Vec::with_capacity(lines);
        found.extend(wanted.iter().map(|wants| self.slots[wants.tag as usize & mask].cell));
        for (cell, wants) in found.iter_mut().zip(&wanted) {
            let guess = self.cells.get((*cell as usize).wrapping_sub(1));
            let hit = guess.is_some_and(|cell| (cell.identity == wants.identity) & (cell.period == wants.period));
            *cell = if hit { *cell } else { 0 };
        }
        for (cell, wants) in found.iter_mut().zip(&wanted) {
            *cell = if *cell == 0 { self.cell(*wants)? } else { *cell - 1 };
        }
        Ok(found)
    }

    /// Reads slots and cells from first to last: memory fetches such a run several times faster than the same places one by
    /// one, and the lines, whose customers come in no order, then find them in the cache.
    fn read_ahead(&self) {
        let tags = self.slots.iter().step_by(SLOTS_A_CACHE_LINE).fold(0, |all, slot| all ^ slot.tag);
        let sums = self.cells.iter().fold(0, |all, cell| all ^ cell.identity);
        std::hint::black_box((tags, sums));
    }

    #[inline]
    fn wanted(&mut self, line: &PackedLine, ids: Option<&TextColumn>) -> Wanted {
        let identity = match (&mut self.texts, ids) {
            (Some(texts), Some(ids)) => u64::from(texts.insert(Key::Text(ids.get(line.text as usize))).0),
            _ => line.hash,
        };
        if line.day != self.period_of_day.0 {
            self.period_of_day = (line.day, self.layout.period.of(line.day));
        }
        Wanted::new(identity, line.hash, self.period_of_day.1)
    }

    pub(super) fn touch(&mut self, key: Key<'_>, hash: u64, period: Option<Period>) -> Result<(), FactsError> {
        let identity = match &mut self.texts {
            Some(texts) => u64::from(texts.insert(key).0),
            None => hash,
        };
        self.cell(Wanted::new(identity, hash, period.unwrap_or(NO_PERIOD))).map(|_| ())
    }

    pub(super) fn combine(&mut self, other: &Self) -> Result<(), FactsError> {
        let mut visits = Vec::new();
        for (row, theirs) in other.cells.iter().enumerate() {
            let (identity, hash) = match (&mut self.texts, &other.texts) {
                (Some(mine), Some(texts)) => {
                    let key = texts.keys().get(theirs.identity as usize);
                    (u64::from(mine.insert(key).0), key.hash())
                }
                _ => (theirs.identity, theirs.identity),
            };
            let cell = self.cell(Wanted::new(identity, hash, theirs.period))? as usize;
            self.cells[cell].merge(theirs, (&mut self.rests[cell], &other.rests[row]))?;
            for (mine, theirs) in self.added.iter_mut().zip(&other.added) {
                mine[cell] = sum(mine[cell], theirs[row], "sum")?;
            }
            other.orders.read(theirs.newest, &mut visits);
            for &visit in &visits {
                self.orders.add(&mut self.cells[cell], visit)?;
            }
        }
        self.orders.compact(&mut self.cells)
    }

    /// The cell of a customer and period, new or known.
    fn cell(&mut self, wanted: Wanted) -> Result<u32, FactsError> {
        let Wanted { identity, period, tag } = wanted;
        if (self.cells.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = tag as usize & mask;
        loop {
            let found = self.slots[slot];
            if found.cell == 0 {
                break;
            }
            if found.tag == tag {
                let cell = &self.cells[found.cell as usize - 1];
                if cell.identity == identity && cell.period == period {
                    return Ok(found.cell - 1);
                }
            }
            slot = (slot + 1) & mask;
        }
        // A tag finds 2³² slots, half of them full.
        let number = u32::try_from(self.cells.len()).ok().filter(|n| *n < 1 << 31).ok_or(FactsError::TooManyCells)?;
        self.slots[slot] = Slot { tag, cell: number + 1 };
        self.cells.push(Cell::new(identity, period));
        self.rests.push(Rest::default());
        for column in &mut self.added {
            column.push(0);
        }
        Ok(number)
    }

    fn grow(&mut self) {
        let mut slots = vec![Slot::default(); self.slots.len() * 2];
        let mask = slots.len() - 1;
        for full in self.slots.iter().filter(|slot| slot.cell != 0) {
            let mut slot = full.tag as usize & mask;
            while slots[slot].cell != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = *full;
        }
        self.slots = slots;
    }

    /// The id of a cell's customer.
    pub(super) fn key(&self, identity: u64) -> Key<'_> {
        self.texts.as_ref().map_or_else(|| Key::Int(unhash_int(identity)), |texts| texts.keys().get(identity as usize))
    }

    /// What the cell adds up to in one additive driver.
    pub(super) fn added(&self, driver: usize, cell: usize) -> Quantity {
        self.added[driver][cell]
    }

    /// Leaves the cells alone: what only lookups and counts need is dropped.
    pub(super) fn close(&mut self) {
        self.slots = Vec::new();
        self.orders = Orders::new(false);
    }
}

impl Wanted {
    /// The tag is the low half of the hash (its top bits chose the partition), moved by the period.
    #[inline]
    fn new(identity: u64, hash: u64, period: Period) -> Self {
        let tag = (hash ^ u64::from(period as u32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8) as u32;
        Self { identity, period, tag }
    }
}
