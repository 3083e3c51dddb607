//! The simulated paths of one customer, and what is read off them.
//!
//! Of `n` paths a customer is alive in `n · P(alive)` and something happens in a share `m` of those: so many are drawn, and
//! the other paths have known values. How many there are of each kind is not left to chance but allotted: the expected
//! number, rounded down or up at random (systematic sampling), so that every path of its own is an exact draw and the
//! kinds add nothing to the error. A kind's places are spread over the paths by a random affine permutation of the
//! customer's own.

use super::discount::Discount;
use super::future::Future;
use super::lifetime::Customers;
use super::outlook::WAIT_QUANTILE;
use super::population::Population;
use super::simulate::{Lifetime, ParameterDraw, Settings, Wait};
use super::wallet::{Amounts, KEPT, Known};
use crate::numeric::philox::Stream;

/// Purpose of this module's random streams.
const PURPOSE: u64 = 0x6c69_6665_7469_6d65;
/// A probability that falls short of a quantile by less than this has reached it; sums of weights round.
const ROUNDING: f64 = 1e-12;
/// Paths are drawn at least this often for a customer's own distribution, and at least one in so many: few for one who
/// hardly ever is alive, but enough to tell their spread.
const DRAWN_AT_LEAST: u32 = 64;
const DRAWN_ONE_IN: u32 = 16;

/// One thread's scratch space: the paths of the customer drawn last.
pub(super) struct Worker<'a> {
    settings: &'a Settings,
    /// One a draw of the parameters; one with the fitted ones without draws.
    parts: Vec<Part<'a>>,
    sorted: Vec<(i64, f64)>,
}

/// The paths that one draw of the parameters rules.
struct Part<'a> {
    model: &'a Population,
    drawn: Option<&'a ParameterDraw>,
    future: Future<'a>,
    /// Values of the drawn paths; the totals take those whose place has a path.
    values: Vec<f64>,
    /// Times of their first purchases, where they are asked for.
    waits: Vec<f64>,
    places: Places,
    p_alive: f64,
    /// Number of the part: its paths are those with this remainder.
    number: u32,
}

/// Which path each place is: an affine permutation. The first `moving` places are the drawn ones, those up to `alive` are
/// idle, in the others the customer is gone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places {
    paths: u64,
    moving: u64,
    alive: u64,
    step: u64,
    offset: u64,
}

impl<'a> Worker<'a> {
    pub(super) fn new(settings: &'a Settings, customers: &Customers<'_>, discount: &'a Discount) -> Self {
        // All models of a population leave room for the same kind of future.
        let kind = settings.model.models()[0].while_alive();
        let part = |model: &'a Population, kept: usize, number: u32, drawn: Option<&'a ParameterDraw>| {
            let spend = drawn.and_then(|draw| draw.spend).map(|(_, drawn)| drawn);
            let future = Future::new(&kind, Amounts::new(customers.spend, spend), kept, discount);
            Part {
                model,
                drawn,
                future,
                values: Vec::new(),
                waits: Vec::new(),
                places: Places::default(),
                p_alive: 0.0,
                number,
            }
        };
        let drawn = |(number, draw): (u32, &'a ParameterDraw)| {
            // A table of spend rates is worth its making for many paths only.
            part(&draw.model, 0, number, Some(draw))
        };
        let mut parts: Vec<Part<'_>> = (0..).zip(&settings.parameter_draws).map(drawn).collect();
        if parts.is_empty() {
            parts.push(part(&settings.model, KEPT, 0, None));
        }
        Self { settings, parts, sorted: Vec::new() }
    }

    /// Draw the paths of the customer in `row`, and put their values in order.
    pub(super) fn draw_paths(&mut self, customers: &Customers<'_>, row: usize) {
        let mut stream = Stream::new(self.settings.seed, customers.key[row], PURPOSE);
        let (paths, parts) = (self.settings.paths, self.parts.len() as u32);
        let at_least = (paths / DRAWN_ONE_IN).max(DRAWN_AT_LEAST.min(paths)).div_ceil(parts);
        for part in &mut self.parts {
            let ruled = (paths - part.number).div_ceil(parts);
            part.draw_paths((ruled, at_least.min(ruled), self.settings.waits), customers, row, &mut stream);
        }
        self.sort();
    }

    /// The values of the mixture of all parts with their probabilities, in ascending order.
    fn sort(&mut self) {
        let n = self.parts.len() as f64;
        self.sorted.clear();
        let (mut gone, mut idle) = (0.0, 0.0);
        for part in &self.parts {
            let weight = part.p_alive * part.future.moving / part.values.len().max(1) as f64 / n;
            self.sorted.extend(part.values.iter().map(|value| (sort_key(*value), weight)));
            gone += (1.0 - part.p_alive) / n;
            idle += part.p_alive * part.future.idle / n;
        }
        self.sorted.push((sort_key(0.0), gone));
        self.sorted.push((sort_key(self.parts[0].future.idle_value), idle));
        self.sorted.sort_unstable_by_key(|pair| pair.0);
    }

    /// Moments of the mixture of all parts.
    pub(super) fn lifetime(&self) -> Lifetime {
        let shortfall = shortfall(&self.sorted, 1.0 / f64::from(self.settings.worst_one_in));
        let all: Vec<Lifetime> = self.parts.iter().map(Part::lifetime).collect();
        Lifetime { shortfall, ..Lifetime::mixture(&all) }
    }

    /// Quantiles of the same mixture: the smallest value with a probability of at least `q` at or below it.
    pub(super) fn quantiles(&self, found: &mut [f64]) {
        quantiles(&self.sorted, &self.settings.quantiles, found);
    }

    /// The next purchase of the mixture of all parts.
    pub(super) fn wait(&self) -> Wait {
        let n = self.parts.len() as f64;
        let weighted = |part: &Part<'_>| {
            let weight = part.p_alive * part.future.moving / part.waits.len().max(1) as f64 / n;
            part.waits.iter().filter(|wait| wait.is_finite()).map(move |wait| (*wait, weight)).collect::<Vec<_>>()
        };
        let mut waits: Vec<(f64, f64)> = self.parts.iter().flat_map(weighted).collect();
        waits.sort_unstable_by(|l, r| l.0.total_cmp(&r.0));
        let mut by = 0.0;
        let mut median = None;
        for (wait, weight) in waits {
            by += weight;
            if median.is_none() && by >= WAIT_QUANTILE - ROUNDING {
                median = Some(wait);
            }
        }
        Wait { probability: by.min(1.0), median }
    }

    /// Add each path in which the customer is alive to its total, in minor units.
    pub(super) fn add_alive_paths(&self, totals: &mut [i128]) {
        for part in &self.parts {
            part.add_alive_paths(self.parts.len(), self.settings.minor_per_major, totals);
        }
    }
}

impl Part<'_> {
    /// * `paths`: how many it rules. * `at_least`: how many are drawn whatever is known. * `waits`: whether the times of
    ///   first purchases are kept.
    fn draw_paths(
        &mut self,
        (paths, at_least, waits): (u32, u32, bool),
        customers: &Customers<'_>,
        row: usize,
        stream: &mut Stream,
    ) {
        let spend = Known::new(customers, row, self.drawn.and_then(|draw| draw.spend));
        let model = self.model.model_of(row);
        self.future.set(&model.while_alive(), customers, row, spend);
        self.p_alive = match self.drawn {
            None => customers.p_alive[row],
            Some(_) => model.p_alive(f64::from(customers.frequency[row]), customers.recency[row], customers.age[row]),
        };
        self.places = Places::draw(u64::from(paths), self.p_alive, self.future.moving, stream);
        self.values.clear();
        self.waits.clear();
        if self.p_alive == 0.0 || self.future.moving == 0.0 {
            return;
        }
        let drawn = (self.places.moving as usize).max(at_least as usize);
        if waits {
            let paths = (0..drawn).map(|_| self.future.draw::<true>(stream)).map(|path| (path.value, path.first));
            (self.values, self.waits) = paths.unzip();
        } else {
            self.values.extend((0..drawn).map(|_| self.future.draw::<false>(stream).value));
        }
    }

    /// Moments of the mixture: the drawn paths, the idle ones, and 0 for those who are gone; without the shortfall.
    fn lifetime(&self) -> Lifetime {
        let n = self.values.len().max(1) as f64;
        let (moving, idle) = (self.p_alive * self.future.moving, self.p_alive * self.future.idle);
        let drawn_mean = self.values.iter().sum::<f64>() / n;
        let squares = self.values.iter().map(|value| (value - drawn_mean) * (value - drawn_mean)).sum::<f64>();
        let mean = moving * drawn_mean + idle * self.future.idle_value;
        let away = |value: f64| (value - mean) * (value - mean);
        let variance = moving * (squares / n + away(drawn_mean))
            + idle * away(self.future.idle_value)
            + (1.0 - self.p_alive) * away(0.0);
        let losses = self.values.iter().filter(|&&value| value < 0.0).count() as f64;
        let idle_losses = if self.future.idle_value < 0.0 { idle } else { 0.0 };
        Lifetime {
            mean,
            sd: libm::sqrt(variance),
            mean_error: moving * libm::sqrt(squares / (n - 1.0).max(1.0) / n),
            probability_of_loss: moving * losses / n + idle_losses,
            shortfall: 0.0,
        }
    }

    fn add_alive_paths(&self, parts: usize, minor_per_major: f64, totals: &mut [i128]) {
        let minor = |value: f64| (value * minor_per_major).round_ties_even() as i64;
        let total = |path: u64| path as usize * parts + self.number as usize;
        let mut path = self.places.offset;
        for value in self.values.iter().take(self.places.moving as usize) {
            totals[total(path)] += i128::from(minor(*value));
            path = self.places.next(path);
        }
        let idle = i128::from(minor(self.future.idle_value));
        if idle != 0 {
            for _ in self.places.moving..self.places.alive {
                totals[total(path)] += idle;
                path = self.places.next(path);
            }
        }
    }
}

impl Lifetime {
    /// Moments of the mixture in equal parts, without the shortfall.
    pub(super) fn mixture(parts: &[Self]) -> Self {
        if let [part] = parts {
            return *part;
        }
        let n = parts.len() as f64;
        let mean = parts.iter().map(|part| part.mean).sum::<f64>() / n;
        let between = parts.iter().map(|part| (part.mean - mean) * (part.mean - mean)).sum::<f64>();
        let within = parts.iter().map(|part| part.sd * part.sd).sum::<f64>();
        Self {
            mean,
            sd: libm::sqrt((within + between) / n),
            // Parts are independent draws, of their paths and of the parameters.
            mean_error: libm::sqrt(between / (n - 1.0) / n),
            probability_of_loss: parts.iter().map(|part| part.probability_of_loss).sum::<f64>() / n,
            shortfall: 0.0,
        }
    }
}

/// Quantiles of weighted values in ascending order of their keys; `wanted` in any order, walked once where it ascends.
pub(super) fn quantiles(sorted: &[(i64, f64)], wanted: &[f64], found: &mut [f64]) {
    let (mut at, mut below, mut before) = (0, 0.0, f64::NEG_INFINITY);
    for (found, &q) in found.iter_mut().zip(wanted) {
        if q < before {
            (at, below) = (0, 0.0);
        }
        before = q;
        while let Some((_, weight)) = sorted.get(at)
            && below + weight < q - ROUNDING
        {
            below += weight;
            at += 1;
        }
        // Values without a weight are not there; past the end rounding has lost the last one.
        let there = |pair: &&(i64, f64)| pair.1 > 0.0;
        let value = sorted[at..].iter().find(there).or_else(|| sorted.iter().rfind(there));
        *found = value.map_or(0.0, |pair| of_sort_key(pair.0));
    }
}

/// Expected shortfall of weighted values in ascending order of their keys: the mean of the worst `q` of the probability,
/// `v_q − E[max(v_q − V, 0)] / q` with the quantile `v_q`. A value that straddles `q` counts with its part below.
///
/// Source: Rockafellar & Uryasev, Optimization of conditional value-at-risk (2000), equation 4, for gains.
pub(super) fn shortfall(sorted: &[(i64, f64)], q: f64) -> f64 {
    let mut worst = [0.0];
    quantiles(sorted, &[q], &mut worst);
    let [worst] = worst;
    let below = sorted.iter().map(|(key, weight)| (of_sort_key(*key), weight)).take_while(|(value, _)| *value < worst);
    worst - below.map(|(value, weight)| weight * (worst - value)).sum::<f64>() / q
}

/// A number whose order is that of the value, `−0` below `0`.
pub(super) fn sort_key(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn of_sort_key(key: i64) -> f64 {
    f64::from_bits((key ^ (((key >> 63) as u64) >> 1) as i64) as u64)
}

impl Places {
    /// * `moving`: share of the paths of a customer who is alive that are drawn.
    pub(super) fn draw(paths: u64, p_alive: f64, moving: f64, stream: &mut Stream) -> Self {
        let shift = stream.uniform();
        // Places below a boundary: those whose number plus the shift is below it.
        let below = |boundary: f64| (libm::ceil(boundary - shift).max(0.0) as u64).min(paths);
        let alive = below(paths as f64 * p_alive);
        let moving = below(paths as f64 * (p_alive * moving)).min(alive);
        let offset = stream.below(paths);
        let mut step = 1 + stream.below(paths);
        while greatest_common_divisor(step, paths) != 1 {
            step = step % paths + 1;
        }
        Self { paths, moving, alive, step, offset }
    }

    /// The path of the first place.
    pub(super) fn first(&self) -> u64 {
        self.offset
    }

    /// The path of the next place.
    #[inline]
    pub(super) fn next(&self, path: u64) -> u64 {
        let next = path + self.step;
        if next >= self.paths { next - self.paths } else { next }
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn kinds_of_paths_are_as_many_as_their_share_and_every_path_has_one_place() {
        for paths in [1_u64, 2, 7, 1000] {
            let (mut alive, mut moving) = (0, 0);
            for customer in 0..2_000 {
                let places = Places::draw(paths, 0.37, 0.6, &mut Stream::new(1, customer, 2));
                assert!((places.alive as f64 - 0.37 * paths as f64).abs() < 1.0);
                assert!((places.moving as f64 - 0.222 * paths as f64).abs() < 1.0 && places.moving <= places.alive);
                (alive, moving) = (alive + places.alive, moving + places.moving);
                let mut path = places.offset;
                let mut seen = vec![false; paths as usize];
                for _ in 0..paths {
                    assert!(!std::mem::replace(&mut seen[path as usize], true));
                    path = places.next(path);
                }
            }
            // Rounding is fair: a mean of 2,000 roundings has an error below 0.5/√2000.
            let mean = |sum: u64| sum as f64 / 2_000.0;
            assert!((mean(alive) - 0.37 * paths as f64).abs() < 4.0 * 0.5 / 2_000_f64.sqrt());
            assert!((mean(moving) - 0.222 * paths as f64).abs() < 4.0 * 0.5 / 2_000_f64.sqrt());
        }
    }

    #[test]
    fn sort_keys_have_the_order_of_the_values() {
        let values = [f64::NEG_INFINITY, -3.5, -1e-300, -0.0, 0.0, 1e-300, 2.0, 1e300, f64::INFINITY];
        let keys = values.map(sort_key);
        assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(keys.map(|key| of_sort_key(key).to_bits()), values.map(f64::to_bits));
    }

    #[test]
    fn a_quantile_of_the_mixture_is_the_smallest_value_that_reaches_it() {
        // 0.2 at −5, 0.1 each at −7, 3, 4, 6; 0.4 at 0.
        let sorted = [(-7.0, 0.1), (-5.0, 0.2), (0.0, 0.4), (3.0, 0.1), (4.0, 0.1), (6.0, 0.1)];
        let sorted = sorted.map(|(value, weight)| (sort_key(value), weight));
        let quantile = |sorted: &[(i64, f64)], q: f64| {
            let mut found = [f64::NAN];
            quantiles(sorted, &[q], &mut found);
            found[0]
        };
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
            assert_eq!(quantile(&sorted, q), expected, "{q}");
        }
        assert_eq!(quantile(&[(sort_key(5.0), 0.0), (sort_key(0.0), 1.0)], 0.99), 0.0);
    }

    #[test]
    fn the_shortfall_is_the_mean_of_the_worst_with_the_part_of_a_value_that_straddles() {
        // 0.03 at −7, 0.01 at −2, 0.96 at 4: the worst 5 % are those 4 % and 1 % of the 4.
        let sorted = [(-7.0, 0.03), (-2.0, 0.01), (4.0, 0.96)].map(|(value, weight)| (sort_key(value), weight));
        assert!((shortfall(&sorted, 0.05) - (-7.0 * 0.03 - 2.0 * 0.01 + 4.0 * 0.01) / 0.05).abs() < 1e-12);
        assert_eq!(shortfall(&sorted, 0.03), -7.0);
        // All of it is the mean.
        assert!((shortfall(&sorted, 1.0) - 3.61).abs() < 1e-12);
        // Equal values, and values without a weight below them.
        assert_eq!(shortfall(&[(sort_key(-9.0), 0.0), (sort_key(0.1), 0.3), (sort_key(0.1), 0.7)], 0.05), 0.1);
    }

    proptest! {
        #[test]
        fn a_shortfall_lies_between_the_least_value_and_the_quantile_and_rises_with_the_level(
            pairs in prop::collection::vec((-1e6..1e6_f64, 1..1_000_u32), 1..60),
            levels in (0.001..1.0_f64, 0.001..1.0_f64),
        ) {
            let total: u32 = pairs.iter().map(|pair| pair.1).sum();
            let mut sorted: Vec<_> =
                pairs.iter().map(|(value, weight)| (sort_key(*value), f64::from(*weight) / f64::from(total))).collect();
            sorted.sort_unstable_by_key(|pair| pair.0);
            let (low, high) = (levels.0.min(levels.1), levels.0.max(levels.1));
            let mut quantile = [0.0];
            quantiles(&sorted, &[low], &mut quantile);
            let found = shortfall(&sorted, low);
            prop_assert!(found <= quantile[0]);
            prop_assert!(found >= of_sort_key(sorted[0].0) - 1e-3);
            prop_assert!(found <= shortfall(&sorted, high) + 1e-3);
        }
    }
}
