//! A vector in chunks of fixed size: it grows without copying, and never holds more than one chunk of unused room.

/// See the module's description.
#[derive(Debug)]
pub(super) struct Chunked<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

/// Values in a chunk, as a power of two.
const BITS: u32 = 8;
const ROOM: usize = 1 << BITS;

impl<T> Chunked<T> {
    /// No value.
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }

    /// How many values.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a value.
    #[inline]
    pub(super) fn push(&mut self, value: T) {
        if self.len & (ROOM - 1) == 0 {
            self.chunks.push(Vec::with_capacity(ROOM));
        }
        self.chunks[self.len >> BITS].push(value);
        self.len += 1;
    }

    /// Value `i`.
    #[inline]
    pub(super) fn get(&self, i: usize) -> Option<&T> {
        self.chunks.get(i >> BITS)?.get(i & (ROOM - 1))
    }

    /// All values, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    /// All values, in order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.chunks.iter_mut().flatten()
    }
}

impl<T> std::ops::Index<usize> for Chunked<T> {
    type Output = T;

    #[inline]
    fn index(&self, i: usize) -> &T {
        &self.chunks[i >> BITS][i & (ROOM - 1)]
    }
}

impl<T> std::ops::IndexMut<usize> for Chunked<T> {
    #[inline]
    fn index_mut(&mut self, i: usize) -> &mut T {
        &mut self.chunks[i >> BITS][i & (ROOM - 1)]
    }
}
