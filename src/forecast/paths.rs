//! The simulated paths of one customer, and what is read off them.

use super::future::Future;
use super::lifetime::Customers;
use super::purchase_model::WhileAlive;
use super::simulate::{Lifetime, Settings};
use crate::numeric::philox::Stream;

/// Purpose of this module's random streams.
const PURPOSE: u64 = 0x6c69_6665_7469_6d65;
/// A probability that falls short of a quantile by less than this has reached it; sums of weights round.
const ROUNDING: f64 = 1e-12;

/// One thread's scratch space: the paths of the customer drawn last.
pub(super) struct Worker<'a, M> {
    model: WhileAlive,
    settings: &'a Settings<M>,
    /// Paths with a value of their own (those with a purchase), ascending, and that value; `quantiles` sorts a copy.
    bought: Vec<u32>,
    values: Vec<f64>,
    sorted: Vec<f64>,
    /// Value of every other path.
    idle_value: f64,
    alive: AlivePaths,
}

/// The paths in which the customer is still alive: those whose place in an affine permutation is below `count`.
#[derive(Debug, Clone, Copy, Default)]
struct AlivePaths {
    paths: u64,
    count: u64,
    step: u64,
    offset: u64,
}

impl<'a, M> Worker<'a, M> {
    pub(super) fn new(model: WhileAlive, settings: &'a Settings<M>) -> Self {
        let alive = AlivePaths::default();
        Self { model, settings, bought: Vec::new(), values: Vec::new(), sorted: Vec::new(), idle_value: 0.0, alive }
    }

    /// Draw all paths of the customer in `row`.
    pub(super) fn draw_paths(&mut self, customers: &Customers<'_>, row: usize) {
        let mut stream = Stream::new(self.settings.seed, customers.key[row], PURPOSE);
        let future = Future::new(&self.model, self.settings, customers, row);
        self.alive = AlivePaths::draw(u64::from(self.settings.paths), customers.p_alive[row], &mut stream);
        self.idle_value = future.idle_value;
        self.bought.clear();
        self.values.clear();
        for path in 0..self.settings.paths {
            let survival = stream.uniform();
            if survival >= future.no_purchase {
                self.bought.push(path);
                self.values.push(future.value(survival, &mut stream));
            } else if future.idle_paths_differ {
                self.bought.push(path);
                self.values.push(future.value_without_purchase(&mut stream));
            }
        }
    }

    /// Moments of the mixture of the drawn paths with weight `p_alive` and 0 with the rest.
    pub(super) fn moments(&self, p_alive: f64) -> Lifetime {
        let n = f64::from(self.settings.paths);
        let idle = n - self.values.len() as f64;
        let alive_mean = (self.values.iter().sum::<f64>() + idle * self.idle_value) / n;
        let square = |value: f64| (value - alive_mean) * (value - alive_mean);
        let squares = self.values.iter().map(|&value| square(value)).sum::<f64>() + idle * square(self.idle_value);
        let mean = p_alive * alive_mean;
        let away = alive_mean - mean;
        let variance = p_alive * (squares / n + away * away) + (1.0 - p_alive) * mean * mean;
        let losses = self.values.iter().filter(|&&value| value < 0.0).count() as f64;
        let idle_losses = if self.idle_value < 0.0 { idle } else { 0.0 };
        Lifetime {
            mean,
            sd: libm::sqrt(variance),
            mean_error: p_alive * libm::sqrt(squares / (n - 1.0).max(1.0) / n),
            probability_of_loss: p_alive * (losses + idle_losses) / n,
        }
    }

    /// Quantiles of the same mixture: the smallest value with a probability of at least `q` at or below it.
    pub(super) fn quantiles(&mut self, p_alive: f64, found: &mut [f64]) {
        self.sorted.clone_from(&self.values);
        self.sorted.sort_unstable_by(f64::total_cmp);
        let weight = p_alive / f64::from(self.settings.paths);
        let idle = f64::from(self.settings.paths) - self.values.len() as f64;
        let mut atoms = [(0.0, 1.0 - p_alive), (self.idle_value, weight * idle)];
        if atoms[1].0 < atoms[0].0 {
            atoms.swap(0, 1);
        }
        let cuts = atoms.map(|(value, _)| self.sorted.partition_point(|&v| v < value));
        for (found, &q) in found.iter_mut().zip(&self.settings.quantiles) {
            *found = quantile(&self.sorted, weight, &atoms, &cuts, q - ROUNDING);
        }
    }

    /// Add each path in which the customer is alive to its total, in minor units.
    pub(super) fn add_alive_paths(&self, totals: &mut [i128]) {
        let minor = |value: f64| (value * self.settings.minor_per_major).round_ties_even() as i64;
        let idle = i128::from(minor(self.idle_value));
        if idle != 0 {
            let mut place = self.alive.offset;
            for total in totals.iter_mut() {
                *total += if place < self.alive.count { idle } else { 0 };
                place = self.alive.next(place);
            }
        }
        for (&path, &value) in self.bought.iter().zip(&self.values) {
            if self.alive.contains(path) {
                totals[path as usize] += i128::from(minor(value)) - idle;
            }
        }
    }
}

/// Walk the pieces below, at, between and above the two atoms until `q` is reached.
fn quantile(sorted: &[f64], weight: f64, atoms: &[(f64, f64); 2], cuts: &[usize; 2], q: f64) -> f64 {
    let mut below = 0.0;
    let mut from = 0;
    for (&(value, mass), &cut) in atoms.iter().zip(cuts) {
        let piece = weight * (cut - from) as f64;
        if below + piece >= q && cut > from {
            return sorted[nth(from, cut, (q - below) / weight)];
        }
        below += piece + mass;
        if below >= q && mass > 0.0 {
            return value;
        }
        from = cut;
    }
    if from < sorted.len() {
        sorted[nth(from, sorted.len(), (q - below) / weight)]
    } else {
        sorted.last().copied().unwrap_or(atoms[1].0).max(atoms[1].0)
    }
}

/// Index of the value that is the `rank`-th (a real number, rounded up) of `sorted[from..to]`.
fn nth(from: usize, to: usize, rank: f64) -> usize {
    (from + (libm::ceil(rank).max(1.0) as usize) - 1).min(to - 1)
}

impl AlivePaths {
    fn draw(paths: u64, p_alive: f64, stream: &mut Stream) -> Self {
        let count = ((paths as f64 * p_alive + stream.uniform()) as u64).min(paths);
        let offset = stream.below(paths);
        let mut step = 1 + stream.below(paths);
        while greatest_common_divisor(step, paths) != 1 {
            step = step % paths + 1;
        }
        Self { paths, count, step, offset }
    }

    fn next(&self, place: u64) -> u64 {
        let next = place + self.step;
        if next >= self.paths { next - self.paths } else { next }
    }

    fn contains(&self, path: u32) -> bool {
        (self.offset + u64::from(path) * self.step) % self.paths < self.count
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::*;

    #[test]
    fn alive_paths_are_as_many_as_their_share_and_differ_by_customer() {
        for paths in [1_u64, 2, 7, 1000] {
            for customer in 0..50 {
                let alive = AlivePaths::draw(paths, 0.37, &mut Stream::new(1, customer, 2));
                let inside = (0..paths).filter(|&path| alive.contains(path as u32)).count() as u64;
                assert_eq!(inside, alive.count);
                assert!((inside as f64 - 0.37 * paths as f64).abs() < 1.0);
                let mut place = alive.offset;
                for path in 0..paths {
                    assert_eq!(place < alive.count, alive.contains(path as u32));
                    place = alive.next(place);
                }
            }
        }
    }

    #[test]
    fn a_quantile_of_the_mixture_is_the_smallest_value_that_reaches_it() {
        // 0.2 at −5, 0.1 each at −7, 3, 4, 6; 0.4 at 0.
        let (sorted, atoms, cuts) = ([-7.0, 3.0, 4.0, 6.0], [(-5.0, 0.2), (0.0, 0.4)], [1, 1]);
        for (q, expected) in [
            (0.05, -7.0),
            (0.1, -7.0),
            (0.11, -5.0),
            (0.3, -5.0),
            (0.31, 0.0),
            (0.7, 0.0),
            (0.75, 3.0),
            (0.8, 3.0),
            (0.85, 4.0),
            (0.95, 6.0),
        ] {
            assert_eq!(quantile(&sorted, 0.1, &atoms, &cuts, q - ROUNDING), expected, "{q}");
        }
        assert_eq!(quantile(&[], 0.0, &[(0.0, 1.0), (0.0, 0.0)], &[0, 0], 0.5), 0.0);
    }
}
