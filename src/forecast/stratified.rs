//! Monte Carlo lifetime value by strata: one level of chance a path, in each of as many equal strata as paths.
//!
//! The level decides how long a customer stays: the customer is there for as long as a share of customers like it which is
//! above the level. Strata are spread over the paths by a random affine permutation of the customer's own, so that
//! customers are independent in the joint totals. Every level is uniform in its stratum, so every path is an exact draw.
//!
//! Source: Owen, Monte Carlo Theory, Methods and Examples (2013), 8.4 (stratified sampling).

use super::lifetime::LifetimeError;
use super::path_totals::PathTotals;
use super::paths::{Places, quantiles, shortfall, sort_key};
use super::simulate::{Lifetime, Segmentation, Simulation, check_segments};
use crate::numeric::philox::{Stream, open_unit};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a simulation is drawn and told.
#[derive(Debug, Clone, PartialEq)]
pub struct Strata {
    /// Paths per customer, at least one a model.
    pub paths: u32,
    /// Seed of the run.
    pub seed: u64,
    /// Quantiles wanted, each in `(0, 1)`.
    pub quantiles: Vec<f64>,
    /// The expected shortfall is the mean of the worst one in so many, `>= 1`.
    pub worst_one_in: u16,
    /// Minor units in a major unit, for the totals.
    pub minor_per_major: f64,
}

/// What customers of one history have before them, one a model (the fitted one, or one a draw of its parameters).
pub(super) trait Futures: Sync {
    /// What one model says of one history.
    type Ahead: Send;

    /// The history of each customer, as a number; `None` for one who is worth 0.
    fn histories(&self) -> &[Option<i64>];

    /// How many models rule the paths: model `g` of `G` rules paths `g`, `g + G`, … of all customers.
    fn models(&self) -> usize;

    /// What is before a customer of this history, one a model.
    ///
    /// # Errors
    /// [`LifetimeError`].
    fn ahead(&self, history: i64) -> Result<Vec<Self::Ahead>, LifetimeError>;

    /// The value of one path of the customer in `row`, major units.
    fn value(&self, ahead: &Self::Ahead, row: usize, level: f64, stream: &mut Stream) -> f64;

    /// The standard error of the mean of so many paths with the deviation `sd`, or what it is at most.
    fn mean_error(&self, ahead: &Self::Ahead, row: usize, sd: f64, paths: f64) -> f64;

    /// Stable key of each customer, for its random stream.
    fn keys(&self) -> &[u64];

    /// Purpose of the random streams.
    fn purpose(&self) -> u64;
}

/// Simulate the lifetime value of every customer.
///
/// Results depend on the settings and each customer's row alone.
///
/// * `progress`: told the customers done so far, from any thread.
///
/// # Errors
/// [`LifetimeError`] of lengths, of too few paths, and of [`Futures::ahead`].
pub(super) fn simulate<F: Futures>(
    settings: &Strata,
    futures: &F,
    segmentations: &[Segmentation<'_>],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Simulation, LifetimeError> {
    let rows = futures.histories().len();
    check_segments(rows, segmentations)?;
    if futures.models() == 0 || futures.models() > settings.paths as usize {
        let rule = "there must be a path for each model, and at least one";
        return Err(LifetimeError::Setting { setting: "paths", rule });
    }
    // Customers of one history have the same before them, which is dear for a long horizon.
    let mut sorted: Vec<(i64, u32)> =
        (0..).zip(futures.histories()).filter_map(|(row, history)| Some(((*history)?, row))).collect();
    sorted.par_sort_unstable();
    let done = AtomicU64::new((rows - sorted.len()) as u64);
    let zeros = || -> Vec<PathTotals> {
        segmentations.iter().map(|s| PathTotals::new(usize::from(s.segments), settings.paths as usize)).collect()
    };
    // Every task holds totals of its own, so their number is bounded whatever the number of customers.
    let tasks = 8 * rayon::current_num_threads();
    let parts: Vec<(Vec<Drawn>, Vec<PathTotals>)> = sorted
        .par_chunks(sorted.len().div_ceil(tasks).max(1))
        .map(|part| {
            let (mut paths, mut drawn, mut totals) = (Paths::default(), Vec::with_capacity(part.len()), zeros());
            for cohort in part.chunk_by(|a, b| a.0 == b.0) {
                let ahead = futures.ahead(cohort[0].0)?;
                for row in cohort.iter().map(|&(_, row)| row as usize) {
                    drawn.push(paths.draw(settings, futures, &ahead, row));
                    for (totals, segmentation) in totals.iter_mut().zip(segmentations) {
                        let sums = totals.segment_mut(usize::from(segmentation.segment[row]));
                        sums.iter_mut().zip(&paths.minor).for_each(|(sum, value)| *sum += i128::from(*value));
                    }
                }
                let cohort = cohort.len() as u64;
                progress(done.fetch_add(cohort, Ordering::Relaxed) + cohort);
            }
            Ok((drawn, totals))
        })
        .collect::<Result<_, LifetimeError>>()?;
    let width = settings.quantiles.len();
    let (lifetime, quantiles) = (vec![Lifetime::default(); rows], vec![0.0; rows * width]);
    let mut found =
        Simulation { lifetime, quantiles, waits: Vec::new(), totals: zeros(), draws: futures.models() as u32 };
    let mut customer = sorted.iter().map(|&(_, row)| row as usize);
    for (drawn, totals) in parts {
        found.totals.iter_mut().zip(&totals).for_each(|(sum, part)| sum.combine(part));
        for ((lifetime, quantiles), row) in drawn.into_iter().zip(&mut customer) {
            found.lifetime[row] = lifetime;
            found.quantiles[row * width..(row + 1) * width].copy_from_slice(&quantiles);
        }
    }
    Ok(found)
}

/// A customer's distribution and its quantiles.
type Drawn = (Lifetime, Vec<f64>);

/// One thread's scratch space: the paths of the customer drawn last.
#[derive(Default)]
struct Paths {
    sorted: Vec<(i64, f64)>,
    /// Value of each path, minor units.
    minor: Vec<i64>,
}

impl Paths {
    fn draw<F: Futures>(&mut self, settings: &Strata, futures: &F, ahead: &[F::Ahead], row: usize) -> Drawn {
        let mut stream = Stream::new(settings.seed, futures.keys()[row], futures.purpose());
        let (paths, parts) = (settings.paths, ahead.len() as u32);
        self.sorted.clear();
        self.minor.clear();
        self.minor.resize(paths as usize, 0);
        let mut all = Vec::with_capacity(ahead.len());
        for (number, ahead) in (0..).zip(ahead) {
            let ruled = (paths - number).div_ceil(parts);
            let places = Places::draw(u64::from(ruled), 1.0, 1.0, &mut stream);
            let (n, first, mut path) = (f64::from(ruled), self.sorted.len(), places.first());
            let (mut sum, mut losses) = (0.0, 0_u32);
            for stratum in 0..ruled {
                let level = (f64::from(stratum) + open_unit(stream.next_u64())) / n;
                let value = futures.value(ahead, row, level, &mut stream);
                sum += value;
                losses += u32::from(value < 0.0);
                self.sorted.push((sort_key(value), value));
                let at = path as usize * parts as usize + number as usize;
                self.minor[at] = (value * settings.minor_per_major).round_ties_even() as i64;
                path = places.next(path);
            }
            let mean = sum / n;
            let squares: f64 = self.sorted[first..].iter().map(|pair| (pair.1 - mean) * (pair.1 - mean)).sum();
            let sd = libm::sqrt(squares / n);
            all.push(Lifetime {
                mean,
                sd,
                mean_error: futures.mean_error(ahead, row, sd, n),
                probability_of_loss: f64::from(losses) / n,
                shortfall: 0.0,
            });
            self.sorted[first..].iter_mut().for_each(|pair| pair.1 = 1.0 / (n * f64::from(parts)));
        }
        self.sorted.sort_unstable_by_key(|pair| pair.0);
        let mut wanted = vec![0.0; settings.quantiles.len()];
        quantiles(&self.sorted, &settings.quantiles, &mut wanted);
        let shortfall = shortfall(&self.sorted, 1.0 / f64::from(settings.worst_one_in));
        (Lifetime { shortfall, ..Lifetime::mixture(&all) }, wanted)
    }
}
