//! Totals of simulated paths over customers: the distribution of a segment's value.

/// Sums over customers per segment and path, in minor units; exact in any order.
///
/// Path `j` is one possible future of the whole customer base, so the totals of all segments in path `j` belong
/// together, and their sum is the total of the base in that future.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTotals {
    paths: usize,
    segments: usize,
    sums: Vec<i128>,
}

impl PathTotals {
    /// Zeros.
    #[must_use]
    pub fn new(segments: usize, paths: usize) -> Self {
        Self { paths, segments, sums: vec![0; segments * paths] }
    }

    /// Number of segments.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.segments
    }

    /// Number of paths.
    #[must_use]
    pub fn paths(&self) -> usize {
        self.paths
    }

    /// The totals of one segment, one a path.
    ///
    /// # Panics
    /// If `segment` is not below [`PathTotals::segments`].
    #[must_use]
    pub fn segment(&self, segment: usize) -> &[i128] {
        &self.sums[segment * self.paths..(segment + 1) * self.paths]
    }

    /// The totals over all segments, one a path.
    #[must_use]
    pub fn whole(&self) -> Vec<i128> {
        (0..self.paths).map(|path| (0..self.segments).map(|segment| self.segment(segment)[path]).sum()).collect()
    }

    /// The paths of one segment, to be added to.
    pub(super) fn segment_mut(&mut self, segment: usize) -> &mut [i128] {
        &mut self.sums[segment * self.paths..(segment + 1) * self.paths]
    }

    /// Add the totals of other customers.
    ///
    /// # Panics
    /// If the other totals have another number of segments or paths.
    pub fn combine(&mut self, other: &Self) {
        assert_eq!((self.segments, self.paths), (other.segments, other.paths), "totals of different shape");
        for (sum, term) in self.sums.iter_mut().zip(&other.sums) {
            *sum += term;
        }
    }
}
