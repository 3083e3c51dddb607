//! How many purchases a customer would make up to the horizon, and after which one the customer leaves, drawn from
//! tables of one customer.
//!
//! Given its rate a customer's purchases are a Poisson process, so that, mixed over rates `Gamma(k, s)`, their number
//! `N` up to the horizon `H` is negative binomial and, given `N`, their times are `N` independent uniforms: no rate and no
//! waiting time has to be drawn. Only futures with a purchase are drawn, `N >= 1`. Where a purchase takes `k` phases of
//! which some may have passed, phases are counted instead, and at least as many as the first purchase still takes.
//!
//! Sources: Greenwood & Yule (1920); Karlin & Taylor, A First Course in Stochastic Processes (1975), 4.2 (order
//! statistics of the Poisson process); guide table: Chen & Asau, AIIE Transactions 6 (1974), 163–166.

use crate::numeric::distributions::{Beta, Gamma, geometric, poisson};
use crate::numeric::philox::Stream;

/// Mean number of purchases up to which a table is worth its making.
const TABLE_MEAN: f64 = 200.0;
/// Probability that the table leaves to the search beyond it.
const LEFT_OUT: f64 = 1e-5;
/// Horizon over the scale up to which the search beyond the table is short.
const TABLE_RATIO: f64 = 500.0;
/// Entries of the guide.
const GUIDE: usize = 64;
/// Entries of a table at most.
const MOST_ENTRIES: usize = 4_096;

/// The number of purchases (or phases) up to the horizon given that there are at least so many.
#[derive(Debug, Default)]
pub(super) struct Purchases {
    at_least: u32,
    shape: f64,
    /// `H/(s+H)`.
    ratio: f64,
    scale: f64,
    horizon: f64,
    /// `P(N <= n | N >= at_least)` from `n = at_least` on; empty where the mean is too large for a table.
    below: Vec<f64>,
    /// The first entry above each 64th.
    guide: Vec<u16>,
    /// Probability of the last entry.
    last: f64,
}

impl Purchases {
    /// Makes the table of another customer: rate `Gamma(shape, scale)`, both `> 0`, and `at_least >= 1`.
    ///
    /// Gives `P(N >= at_least)`.
    pub(super) fn set(&mut self, shape: f64, scale: f64, horizon: f64, at_least: u32) -> f64 {
        let ln_none = -shape * libm::log1p(horizon / scale);
        (self.shape, self.scale, self.horizon, self.at_least) = (shape, scale, horizon, at_least);
        self.ratio = horizon / (scale + horizon);
        self.below.clear();
        self.guide.clear();
        let (mut enough, mut probability) = (-libm::expm1(ln_none), libm::exp(ln_none) * shape * self.ratio);
        for n in 1..at_least {
            enough -= probability;
            probability *= (shape + f64::from(n)) / f64::from(n + 1) * self.ratio;
        }
        // What is left of a difference must not be less than its first term.
        let enough = enough.max(probability);
        if shape * horizon / scale <= TABLE_MEAN && horizon / scale <= TABLE_RATIO && enough > 0.0 {
            self.fill(probability / enough);
        }
        enough
    }

    /// `P(n+1) = P(n) · (k+n)/(n+1) · H/(s+H)`, from that of the smallest number.
    fn fill(&mut self, first: f64) {
        let (mut below, mut probability, mut n) = (0.0, first, f64::from(self.at_least));
        while self.below.len() < MOST_ENTRIES {
            below += probability;
            self.last = probability;
            while self.guide.len() < GUIDE && self.guide.len() as f64 <= below * GUIDE as f64 {
                self.guide.push(self.below.len() as u16);
            }
            self.below.push(below);
            if below > 1.0 - LEFT_OUT {
                break;
            }
            probability *= (self.shape + n) / (n + 1.0) * self.ratio;
            n += 1.0;
        }
        // Rounding, or a table cut short: the search goes on from the last entry.
        self.guide.resize(GUIDE, (self.below.len() - 1) as u16);
    }

    /// The largest number in the table; 0 without one.
    pub(super) fn longest(&self) -> usize {
        if self.below.is_empty() { 0 } else { self.at_least as usize + self.below.len() - 1 }
    }

    /// One draw, at least the smallest number.
    #[inline]
    pub(super) fn draw(&self, stream: &mut Stream) -> u64 {
        if self.below.is_empty() {
            return self.draw_many(stream);
        }
        let place = stream.uniform();
        let mut at = usize::from(self.guide[(place * GUIDE as f64) as usize]);
        while let Some(below) = self.below.get(at) {
            if place < *below {
                return u64::from(self.at_least) + at as u64;
            }
            at += 1;
        }
        self.draw_beyond(place)
    }

    /// Goes on where the table ends, until the probabilities are too small to move the sum.
    #[cold]
    fn draw_beyond(&self, place: f64) -> u64 {
        let mut n = self.longest() as f64;
        let (mut below, mut probability) = (self.below.last().copied().unwrap_or(0.0), self.last);
        loop {
            probability *= (self.shape + n) / (n + 1.0) * self.ratio;
            n += 1.0;
            below += probability;
            // Past the mode, where what is left is geometric at most.
            let falls = (self.shape + n) * self.ratio < n + 1.0;
            if place < below || (falls && probability < 1e-18) {
                return n as u64;
            }
        }
    }

    /// Draws one or more until they are enough.
    #[cold]
    fn draw_many(&self, stream: &mut Stream) -> u64 {
        loop {
            let drawn = self.draw_some(stream);
            if drawn >= u64::from(self.at_least) {
                return drawn;
            }
        }
    }

    /// The first purchase at `t <= H` by inversion, the rate given it, a Poisson number of others until the horizon.
    fn draw_some(&self, stream: &mut Stream) -> u64 {
        let ln_none = -self.shape * libm::log1p(self.horizon / self.scale);
        // The survival probability of the first waiting time, uniform above that of the horizon.
        let survival = 1.0 + stream.uniform() * libm::expm1(ln_none);
        let first = self.scale * libm::expm1(-libm::log(survival) / self.shape);
        let rate = Gamma::new(self.shape + 1.0).draw(stream) / (self.scale + first);
        1 + poisson(rate * (self.horizon - first).max(0.0), stream)
    }
}

/// After which purchase a customer leaves: Pólya's urn, `P(K > k) = Π_{j<k} (b+j)/(a+b+j)`.
#[derive(Debug, Default)]
pub(super) struct LastPurchase {
    a: f64,
    b: f64,
    /// `P(K > k)` from `k = 1` on.
    stays: Vec<f64>,
}

impl LastPurchase {
    /// Makes the table of another customer, for up to so many purchases.
    pub(super) fn set(&mut self, a: f64, b: f64, purchases: usize) {
        (self.a, self.b) = (a, b);
        self.stays.clear();
        let mut stays = 1.0;
        for j in 0..purchases {
            let j = j as f64;
            stays *= (b + j) / (a + b + j);
            self.stays.push(stays);
        }
    }

    /// The purchase after which the customer leaves; `None` where that is none of the first `purchases`.
    #[inline]
    pub(super) fn draw(&self, purchases: u64, stream: &mut Stream) -> Option<u64> {
        if purchases as usize > self.stays.len() {
            return self.draw_many(purchases, stream);
        }
        let place = stream.uniform();
        let stays = &self.stays[..purchases as usize];
        stays.iter().position(|stays| place > *stays).map(|at| at as u64 + 1)
    }

    /// The dropout probability from the urn's limit, the number of purchases from it.
    #[cold]
    fn draw_many(&self, purchases: u64, stream: &mut Stream) -> Option<u64> {
        let leaves = Beta::new(self.a, self.b).draw(stream);
        let last = geometric(leaves, stream).saturating_add(1);
        (last <= purchases).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 200_000;
    /// A frequency leaves this many standard errors once in 150,000 times; some 100 are tested.
    const STANDARD_ERRORS: f64 = 4.5;

    fn same(name: &str, found: &[u32], expected: &[f64]) {
        for (n, (found, expected)) in found.iter().zip(expected).enumerate() {
            let share = f64::from(*found) / f64::from(DRAWS);
            let error = (expected * (1.0 - expected) / f64::from(DRAWS)).sqrt().max(2e-6);
            assert!((share - expected).abs() < STANDARD_ERRORS * error, "{name}, {n}: {share} is not {expected}");
        }
    }

    fn counted(mut draw: impl FnMut(&mut Stream) -> u64) -> [u32; 40] {
        let mut stream = Stream::new(5, 6, 7);
        let mut counts = [0; 40];
        (0..DRAWS).for_each(|_| {
            if let Some(count) = counts.get_mut(draw(&mut stream) as usize) {
                *count += 1;
            }
        });
        counts
    }

    /// `P(N = n | N >= 1)` of the negative binomial distribution.
    fn truncated(shape: f64, scale: f64, horizon: f64) -> Vec<f64> {
        let none = libm::exp(-shape * libm::log1p(horizon / scale));
        let mut all = vec![none];
        for n in 0..39 {
            let n = f64::from(n);
            all.push(all[n as usize] * (shape + n) / (n + 1.0) * horizon / (scale + horizon));
        }
        all.iter().enumerate().map(|(n, p)| if n == 0 { 0.0 } else { p / (1.0 - none) }).collect()
    }

    #[test]
    fn purchases_are_negative_binomial_from_one_on_with_and_without_a_table() {
        for (shape, scale, horizon) in
            [(0.243, 4.414, 52.0), (3.2, 40.0, 39.0), (60.0, 100.0, 13.0), (0.01, 5.0, 500.0)]
        {
            let mut purchases = Purchases::default();
            let some = purchases.set(shape, scale, horizon, 1);
            assert!((some + libm::expm1(-shape * libm::log1p(horizon / scale))).abs() < 1e-15);
            assert!(!purchases.below.is_empty());
            let expected = truncated(shape, scale, horizon);
            same("table", &counted(|stream| purchases.draw(stream)), &expected);
            same("no table", &counted(|stream| purchases.draw_many(stream)), &expected);
        }
    }

    #[test]
    fn phases_are_negative_binomial_from_as_many_on_as_are_needed() {
        for (shape, scale, horizon, at_least) in [(1.2, 30.0, 39.0, 3), (0.05, 4.0, 52.0, 6), (12.0, 100.0, 13.0, 2)] {
            let mut phases = Purchases::default();
            let enough = phases.set(shape, scale, horizon, at_least);
            let from_one = truncated(shape, scale, horizon);
            let none = libm::exp(-shape * libm::log1p(horizon / scale));
            let few: f64 = from_one[..at_least as usize].iter().sum();
            assert!((enough - (1.0 - none) * (1.0 - few)).abs() < 1e-14);
            let given = |(n, p): (usize, &f64)| if n < at_least as usize { 0.0 } else { p / (1.0 - few) };
            let expected: Vec<f64> = from_one.iter().enumerate().map(given).collect();
            same("table", &counted(|stream| phases.draw(stream)), &expected);
            same("no table", &counted(|stream| phases.draw_many(stream)), &expected);
        }
    }

    #[test]
    fn a_search_beyond_the_table_ends_where_the_probabilities_say() {
        let mut purchases = Purchases::default();
        purchases.set(2.0, 10.0, 20.0, 1);
        let expected = truncated(2.0, 10.0, 20.0);
        purchases.below.truncate(3);
        purchases.last = expected[3];
        let mut below = 0.0;
        for (n, probability) in expected.iter().enumerate().take(30) {
            if n > 3 {
                assert_eq!(purchases.draw_beyond(below + 0.5 * probability), n as u64);
            }
            below += probability;
        }
        assert!(purchases.draw_beyond(1.0 - 1e-16) > 30);
    }

    #[test]
    fn a_customer_leaves_after_a_beta_geometric_number_of_purchases() {
        for (a, b) in [(0.793, 2.426), (1e-7, 1.0), (30.0, 60.0), (0.4, 0.02)] {
            let mut last = LastPurchase::default();
            last.set(a, b, 40);
            let mut stays = 1.0;
            let mut expected = vec![0.0];
            for k in 0..12 {
                let leaves = stays * a / (a + b + f64::from(k));
                expected.push(leaves);
                stays -= leaves;
            }
            expected[0] = stays;
            let draw = |many: bool| {
                counted(|stream| if many { last.draw_many(12, stream) } else { last.draw(12, stream) }.unwrap_or(0))
            };
            same("table", &draw(false), &expected);
            same("no table", &draw(true), &expected);
        }
    }
}
