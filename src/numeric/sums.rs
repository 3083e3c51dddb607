//! Parallel sums with one result for every number of threads.

use rayon::prelude::*;
use std::ops::Range;

/// Rows per chunk: large enough to hide scheduling, small enough to balance.
pub const CHUNK: usize = 4096;

/// Sum `N` quantities over `0..len`.
///
/// The range is cut into fixed chunks of [`CHUNK`] rows; `partial` sums one chunk, the partial sums are added in
/// chunk order with compensation. The cut does not depend on the number of threads, so neither does the result.
///
/// Source of the compensated sum: Neumaier, ZAMM 54 (1974), 39–51.
pub fn chunked<const N: usize, F>(len: usize, partial: F) -> [f64; N]
where
    F: Fn(Range<usize>) -> [f64; N] + Sync,
{
    let partials: Vec<[f64; N]> = (0..len.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| partial(chunk * CHUNK..((chunk + 1) * CHUNK).min(len)))
        .collect();
    let mut totals = [Compensated::default(); N];
    for partial in &partials {
        for (total, term) in totals.iter_mut().zip(partial) {
            total.add(*term);
        }
    }
    totals.map(Compensated::value)
}

/// As [`chunked`], for any number of quantities.
///
/// * `partial`: adds a chunk's rows to its sums, which are 0 at first.
pub fn chunked_wide<F>(len: usize, quantities: usize, partial: F) -> Vec<f64>
where
    F: Fn(Range<usize>, &mut [f64]) + Sync,
{
    let partials: Vec<Vec<f64>> = (0..len.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let mut sums = vec![0.0; quantities];
            partial(chunk * CHUNK..((chunk + 1) * CHUNK).min(len), &mut sums);
            sums
        })
        .collect();
    combined(&partials, quantities)
}

/// The sums of some partial sums, in their order, with compensation.
#[must_use]
pub fn combined(partials: &[Vec<f64>], quantities: usize) -> Vec<f64> {
    let mut totals = vec![Compensated::default(); quantities];
    for partial in partials {
        for (total, term) in totals.iter_mut().zip(partial) {
            total.add(*term);
        }
    }
    totals.into_iter().map(Compensated::value).collect()
}

/// A running sum that carries the rounding error of every addition.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Compensated {
    sum: f64,
    error: f64,
}

impl Compensated {
    /// Add one term.
    pub fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.error += if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    /// The sum so far.
    #[must_use]
    pub fn value(self) -> f64 {
        self.sum + self.error
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::*;

    #[test]
    fn a_sum_has_the_same_bits_for_any_number_of_threads() {
        let terms: Vec<f64> = (0..100_003).map(|i| libm::sin(f64::from(i)) * 1e6).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                chunked::<2, _>(terms.len(), |rows| {
                    [terms[rows.clone()].iter().sum(), terms[rows].iter().map(|t| t * t).sum()]
                })
            })
        };
        let one = run(1);
        assert_eq!(one.map(f64::to_bits), run(2).map(f64::to_bits));
        assert_eq!(one.map(f64::to_bits), run(8).map(f64::to_bits));
    }

    #[test]
    fn what_a_plain_sum_loses_is_kept() {
        let mut sum = Compensated::default();
        for term in [1.0, 1e100, 1.0, -1e100] {
            sum.add(term);
        }
        assert_eq!(sum.value(), 2.0);
    }
}
