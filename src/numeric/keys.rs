//! Customer and product ids: integers or text, hashed, interned, looked up. Text is compared byte for byte.

use serde::{Deserialize, Serialize};

/// One id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key<'a> {
    /// An integer id.
    Int(i64),
    /// A text id; `"007"` stays text.
    Text(&'a [u8]),
}

/// A column of ids, all of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keys {
    /// Integer ids.
    Int(Vec<i64>),
    /// Text ids.
    Text(TextColumn),
}

/// UTF-8 text in one buffer: row `i` is `bytes[ends[i - 1]..ends[i]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextColumn {
    bytes: Vec<u8>,
    ends: Vec<u64>,
}

impl TextColumn {
    /// Adds one row.
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u64);
    }

    /// Row `i`.
    ///
    /// # Panics
    /// When `i` is not below [`Self::len`].
    #[must_use]
    pub fn get(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.bytes[start..self.ends[i] as usize]
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl Keys {
    /// An empty column of the same kind.
    #[must_use]
    pub fn empty_like(&self) -> Self {
        match self {
            Self::Int(_) => Self::Int(Vec::new()),
            Self::Text(_) => Self::Text(TextColumn::default()),
        }
    }

    /// Row `i`.
    ///
    /// # Panics
    /// When `i` is not below [`Self::len`].
    #[must_use]
    pub fn get(&self, i: usize) -> Key<'_> {
        match self {
            Self::Int(values) => Key::Int(values[i]),
            Self::Text(column) => Key::Text(column.get(i)),
        }
    }

    /// Adds one row; an id of the other kind is turned into this column's kind as text, never guessed as a number.
    pub fn push(&mut self, key: Key<'_>) {
        match (self, key) {
            (Self::Int(values), Key::Int(value)) => values.push(value),
            (Self::Text(column), Key::Text(text)) => column.push(text),
            (Self::Text(column), Key::Int(value)) => column.push(value.to_string().as_bytes()),
            (column @ Self::Int(_), Key::Text(text)) => {
                let mut text_column = TextColumn::default();
                for i in 0..column.len() {
                    if let Key::Int(value) = column.get(i) {
                        text_column.push(value.to_string().as_bytes());
                    }
                }
                text_column.push(text);
                *column = Self::Text(text_column);
            }
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Text(column) => column.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Row `i` as text.
    #[must_use]
    pub fn text(&self, i: usize) -> String {
        match self.get(i) {
            Key::Int(value) => value.to_string(),
            Key::Text(text) => String::from_utf8_lossy(text).into_owned(),
        }
    }
}

/// Hash of an integer id. Spreads over all 64 bits; a bijection, so equal hashes mean equal ids.
///
/// Source: Steele, Lea & Flood, Fast splittable pseudorandom number generators (2014), fig. 16 (variant 13).
#[inline]
#[must_use]
pub fn hash_int(value: i64) -> u64 {
    let mut z = (value as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The integer whose [`hash_int`] is `hash`.
#[inline]
#[must_use]
pub fn unhash_int(hash: u64) -> i64 {
    let mut z = hash ^ (hash >> 31) ^ (hash >> 62);
    z = z.wrapping_mul(0x3196_42b2_d24d_8ec3);
    z = z ^ (z >> 27) ^ (z >> 54);
    z = z.wrapping_mul(0x96de_1b17_3f11_9089);
    z = z ^ (z >> 30) ^ (z >> 60);
    z.wrapping_sub(0x9e37_79b9_7f4a_7c15) as i64
}

/// The published hash of a customer id: breaks ties between equal remainders and keys random streams.
///
/// `splitmix64(fnv1a64(id as UTF-8 text))`, so that anyone can compute it, and `7` and `"7"` agree.
///
/// Source: Fowler, Noll & Vo, FNV-1a 64 bit (RFC 9923); Steele, Lea & Flood (2014).
#[must_use]
pub fn published_hash(key: Key<'_>) -> u64 {
    let fnv1a = |text: &[u8]| {
        text.iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let hash = match key {
        Key::Int(value) => {
            let mut digits = [0; MAX_DIGITS];
            fnv1a(decimal_text(value, &mut digits))
        }
        Key::Text(text) => fnv1a(text),
    };
    hash_int(hash as i64)
}

/// Bytes of the longest 64-bit integer: a sign and nineteen digits.
const MAX_DIGITS: usize = 20;

/// An integer as decimal text, at the end of `buffer`.
fn decimal_text(value: i64, buffer: &mut [u8; MAX_DIGITS]) -> &[u8] {
    let mut rest = value.unsigned_abs();
    let mut start = MAX_DIGITS;
    loop {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    &buffer[start..]
}

/// Hash of a text id, eight bytes a step: a folded 64 × 64 → 128 bit product, finished by [`hash_int`].
#[inline]
#[must_use]
pub fn hash_text(text: &[u8]) -> u64 {
    let mut state = 0x2d35_8dcc_aa6c_78a5_u64;
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0_u8; 8];
        word.copy_from_slice(chunk);
        state = folded_multiply(state ^ u64::from_le_bytes(word));
    }
    let mut word = [0_u8; 8];
    word[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    state = folded_multiply(state ^ u64::from_le_bytes(word));
    // The length comes last: mixed into the first word it would make "" and "\u{1}" equal.
    hash_int((state ^ text.len() as u64) as i64)
}

#[inline]
fn folded_multiply(value: u64) -> u64 {
    let product = u128::from(value ^ 0x8bb8_4b93_962e_acc9) * 0x9e37_79b9_7f4a_7c15_u128;
    (product as u64) ^ ((product >> 64) as u64).rotate_left(23) ^ value.rotate_left(17)
}

impl Key<'_> {
    /// [`hash_int`] or [`hash_text`].
    #[inline]
    #[must_use]
    pub fn hash(self) -> u64 {
        match self {
            Self::Int(value) => hash_int(value),
            Self::Text(text) => hash_text(text),
        }
    }
}

/// Id → row, by open addressing with linear probing.
#[derive(Clone, Debug)]
pub struct KeyTable {
    keys: Keys,
    /// (hash, row + 1); row + 1 = 0 marks a free slot. The length is a power of two.
    slots: Vec<(u64, u32)>,
}

impl KeyTable {
    /// An empty table for ids of the kind of `like`.
    #[must_use]
    pub fn new(like: &Keys, capacity: usize) -> Self {
        let slots = (capacity * 2).next_power_of_two().max(16);
        Self { keys: like.empty_like(), slots: vec![(0, 0); slots] }
    }

    /// A table of `keys`, row by row; the first row wins when an id stands twice.
    #[must_use]
    pub fn from_keys(keys: &Keys) -> Self {
        let mut table = Self::new(keys, keys.len());
        for i in 0..keys.len() {
            table.insert(keys.get(i));
        }
        table
    }

    /// The row of `key`, which is added at the end when it is new.
    pub fn insert(&mut self, key: Key<'_>) -> (u32, bool) {
        if (self.keys.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let hash = key.hash();
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let (other, row) = self.slots[slot];
            if row == 0 {
                let row = self.keys.len() as u32;
                self.keys.push(key);
                self.slots[slot] = (hash, row + 1);
                return (row, true);
            }
            if other == hash && self.keys.get(row as usize - 1) == key {
                return (row - 1, false);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The row of `key`.
    #[inline]
    #[must_use]
    pub fn get(&self, key: Key<'_>) -> Option<u32> {
        let hash = key.hash();
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let (other, row) = self.slots[slot];
            if row == 0 {
                return None;
            }
            if other == hash && self.keys.get(row as usize - 1) == key {
                return Some(row - 1);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The ids, in row order.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    fn grow(&mut self) {
        let mut slots = vec![(0, 0); self.slots.len() * 2];
        let mask = slots.len() - 1;
        for &(hash, row) in self.slots.iter().filter(|(_, row)| *row != 0) {
            let mut slot = hash as usize & mask;
            while slots[slot].1 != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = (hash, row);
        }
        self.slots = slots;
    }
}

/// Id → row, for lookups alone. Integer ids that lie close together stand in a plain table.
#[derive(Clone, Debug)]
pub enum KeyIndex {
    /// Smallest id, and row + 1 of every id from there on; zero where there is none.
    Dense(i64, Vec<u32>),
    /// All other ids.
    Hashed(KeyTable),
}

/// The row of an id in [`KeyIndex::Dense`]. An id below the smallest wraps around to one that is too large.
#[inline]
fn dense_row(low: i64, rows: &[u32], id: i64) -> Option<u32> {
    rows.get(id.wrapping_sub(low) as u64 as usize).and_then(|row| row.checked_sub(1))
}

/// Room of a plain table for each id: beyond it, hashing takes less memory.
const DENSE_ROOM: u64 = 4;

impl KeyIndex {
    /// An index of distinct `keys`.
    #[must_use]
    pub fn new(keys: &Keys) -> Self {
        let dense = match keys {
            Keys::Int(ids) => Self::dense(ids),
            Keys::Text(_) => None,
        };
        dense.unwrap_or_else(|| Self::Hashed(KeyTable::from_keys(keys)))
    }

    fn dense(ids: &[i64]) -> Option<Self> {
        let (low, high) = (*ids.iter().min()?, *ids.iter().max()?);
        let range = high.abs_diff(low);
        if range >= DENSE_ROOM * ids.len() as u64 {
            return None;
        }
        let mut rows = vec![0; range as usize + 1];
        for (row, id) in ids.iter().enumerate() {
            rows[id.abs_diff(low) as usize] = row as u32 + 1;
        }
        Some(Self::Dense(low, rows))
    }

    /// The row of `key`.
    #[inline]
    #[must_use]
    pub fn get(&self, key: Key<'_>) -> Option<u32> {
        match (self, key) {
            (Self::Dense(low, rows), Key::Int(id)) => dense_row(*low, rows, id),
            (Self::Dense(..), Key::Text(_)) => None,
            (Self::Hashed(table), key) => table.get(key),
        }
    }

    /// [`Self::get`] of every key of a column.
    #[must_use]
    pub fn rows(&self, keys: &Keys) -> Vec<Option<u32>> {
        match (self, keys) {
            (Self::Dense(low, rows), Keys::Int(ids)) => ids.iter().map(|id| dense_row(*low, rows, *id)).collect(),
            _ => (0..keys.len()).map(|row| self.get(keys.get(row))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn leading_zeros_keep_text_ids_apart() {
        let mut keys = Keys::Text(TextColumn::default());
        for id in ["007", "7", "07", ""] {
            keys.push(Key::Text(id.as_bytes()));
        }
        let table = KeyTable::from_keys(&keys);
        assert_eq!(table.get(Key::Text(b"7")), Some(1));
        assert_eq!(table.get(Key::Text(b"")), Some(3));
        assert_eq!(table.get(Key::Text(b"0")), None);
    }

    #[test]
    fn the_published_hash_is_what_its_description_says() {
        // fnv1a64("") is the offset basis; splitmix64 of it by the reference C code.
        assert_eq!(published_hash(Key::Text(b"")), hash_int(0xcbf2_9ce4_8422_2325_u64 as i64));
        assert_eq!(published_hash(Key::Int(7)), published_hash(Key::Text(b"7")));
        // First output of the reference splitmix64.c with state 1234567 is 6457827717110365317.
        assert_eq!(hash_int(1_234_567), 6_457_827_717_110_365_317);
    }

    proptest! {
        #[test]
        fn an_integer_and_its_text_have_one_published_hash(id in prop_oneof![any::<i64>(), -9..9_i64, Just(i64::MIN)]) {
            prop_assert_eq!(published_hash(Key::Int(id)), published_hash(Key::Text(id.to_string().as_bytes())));
        }

        #[test]
        fn integer_hashes_can_be_undone(id in any::<i64>()) {
            prop_assert_eq!(unhash_int(hash_int(id)), id);
        }

        #[test]
        fn every_inserted_id_is_found_at_its_row(ids in prop::collection::vec(any::<i64>(), 0..500)) {
            let mut table = KeyTable::new(&Keys::Int(Vec::new()), 0);
            let mut seen: Vec<i64> = Vec::new();
            for &id in &ids {
                let (row, new) = table.insert(Key::Int(id));
                prop_assert_eq!(new, !seen.contains(&id));
                if new { seen.push(id); }
                prop_assert_eq!(seen[row as usize], id);
            }
            for id in &ids {
                prop_assert_eq!(table.get(Key::Int(*id)).map(|row| seen[row as usize]), Some(*id));
            }
        }

        #[test]
        fn an_index_finds_what_a_table_finds(
            ids in prop::collection::btree_set(prop_oneof![-40..40_i64, any::<i64>()], 0..60), near in -99..99_i64,
            close in any::<bool>(),
        ) {
            let ids = ids.into_iter().filter(|id| !close || id.abs() < 40).rev().collect();
            let keys = Keys::Int(ids);
            let (table, index) = (KeyTable::from_keys(&keys), KeyIndex::new(&keys));
            for id in (near - 1..=near + 1).chain([i64::MIN, i64::MAX]).chain(-45..45) {
                prop_assert_eq!(index.get(Key::Int(id)), table.get(Key::Int(id)));
            }
            prop_assert_eq!(index.rows(&keys), (0..keys.len() as u32).map(Some).collect::<Vec<_>>());
        }

        #[test]
        fn text_hashes_differ_when_texts_differ(a in ".{0,24}", b in ".{0,24}") {
            prop_assume!(a != b);
            prop_assert_ne!(hash_text(a.as_bytes()), hash_text(b.as_bytes()));
        }
    }
}
