//! Monte Carlo lifetime value of contribution: the whole distribution, per customer and per segment.
//!
//! Of a customer's `n` paths only those are drawn in which the customer is alive and something happens
//! (`paths`); the dead enter as an atom at 0, the idle as an atom at the cost of keeping them. The
//! sampling is exact, not an approximation:
//!
//! * the number of purchases up to the horizon is negative binomial, drawn from a table given that there is one, and
//!   their times are uniform (`counts`): no rate, no waiting time;
//! * dropout after a purchase follows a Pólya urn, drawn from a table; dropout at any time comes at a time drawn from its
//!   predictive (Lomax) distribution, by inversion;
//! * the spend rate is drawn once a path with a purchase, then each purchase, from tables of the gamma distribution
//!   ([`strips`](crate::numeric::strips)).
//!
//! The error of a customer's mean is that of `n · P(alive and something happens)` draws, at least `n/16`: with 1,000 paths,
//! 3 % of the standard deviation at most.

use super::discount::Discount;
use super::lifetime::{Customers, LifetimeError};
use super::path_totals::PathTotals;
use super::paths::Worker;
use super::population::Population;
use super::spend_model::SpendModel;
use crate::numeric::discounting::Timing;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// Periods of a horizon; each has an entry in a table.
const MOST_PERIODS: f64 = 1e6;
/// Customers a task takes at a time.
const BATCH: usize = 64;

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Fitted model of purchases, or models.
    pub model: Population,
    /// Length of the future, model time units, `> 0`.
    pub horizon: f64,
    /// When what is to come counts, in model time units.
    pub timing: Timing,
    /// Paths per customer, `>= 1`.
    pub paths: u32,
    /// Seed of the run.
    pub seed: u64,
    /// Quantiles wanted, each in `(0, 1)`.
    pub quantiles: Vec<f64>,
    /// The expected shortfall is the mean of the worst one in so many, `>= 1`.
    pub worst_one_in: u16,
    /// Minor units in a major unit (100 for EUR), for the totals.
    pub minor_per_major: f64,
    /// Whether the next purchase is told, too.
    pub waits: bool,
    /// Other parameters that the fits may have had, one draw each; empty to take the fitted ones for certain. Draw `g` of `G`
    /// rules paths `g`, `g + G`, `g + 2G`, … of all customers, so that joint totals share it.
    pub parameter_draws: Vec<ParameterDraw>,
}

/// One draw of the parameters of both fits.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterDraw {
    /// Purchases and dropout; a model for each of the fitted ones, of the same kind.
    pub model: Population,
    /// Spend as fitted and as drawn; `None` where it stays as it is known.
    pub spend: Option<(SpendModel, SpendModel)>,
}

/// One way of cutting the customers into segments.
#[derive(Debug, Clone, Copy)]
pub struct Segmentation<'a> {
    /// Segment of each customer.
    pub segment: &'a [u16],
    /// Number of segments; every segment is below it.
    pub segments: u16,
}

/// Distribution of one customer's lifetime value, dead or alive, major units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lifetime {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Monte Carlo standard error of the mean.
    pub mean_error: f64,
    /// Probability of a value below 0.
    pub probability_of_loss: f64,
    /// Expected shortfall: the mean value of the worst of the paths, one in [`Settings::worst_one_in`].
    pub shortfall: f64,
}

/// When a customer, dead or alive, buys next in the paths.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wait {
    /// Share of the paths with a purchase up to the horizon.
    pub probability: f64,
    /// The time by which half of the paths have one, model time units; `None` where fewer do by the horizon.
    pub median: Option<f64>,
}

/// Outcome of a simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// One per customer.
    pub lifetime: Vec<Lifetime>,
    /// Customer by customer, the quantiles in the order of the settings: the smallest value that the lifetime value
    /// stays below or at with at least that probability.
    pub quantiles: Vec<f64>,
    /// One per customer, where the settings ask for them; else none.
    pub waits: Vec<Wait>,
    /// One per segmentation.
    pub totals: Vec<PathTotals>,
    /// Draws of the parameters that the paths were shared out among; 1 where these were taken for certain.
    pub draws: u32,
}

/// Simulate every customer's lifetime value.
///
/// In the totals a customer takes part in path `j` only where still alive in it: in `⌊n·P(alive)⌋` or one more of the
/// `n` paths (so that the expected share is `P(alive)`), spread by a random affine permutation of the customer's own.
/// Each path's value is rounded to minor units before it is summed. Results depend on the settings and each customer's
/// row alone: not on the number of threads, nor on which other customers are passed.
///
/// * `progress`: told the customers done so far, from any thread.
///
/// # Errors
/// As [`Customers::check`]; [`LifetimeError::Setting`]; [`LifetimeError::Length`] and [`LifetimeError::Range`] for a
/// segmentation.
pub fn simulate(
    settings: &Settings,
    customers: &Customers<'_>,
    segmentations: &[Segmentation<'_>],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Simulation, LifetimeError> {
    settings.check()?;
    customers.check()?;
    let found = settings.model.customers().unwrap_or(customers.len());
    if found != customers.len() {
        return Err(LifetimeError::Length { column: "model", found, expected: customers.len() });
    }
    check_segments(customers.len(), segmentations)?;
    let discount = match settings.timing.periods() {
        None => Discount::new(settings.horizon, settings.timing.delta),
        Some(periods) => Discount::per_period(settings.horizon, periods),
    };
    let width = settings.quantiles.len();
    let mut lifetime = vec![Lifetime::default(); customers.len()];
    let mut quantiles = vec![0.0; customers.len() * width];
    let zeros = || -> Vec<PathTotals> {
        segmentations.iter().map(|s| PathTotals::new(usize::from(s.segments), settings.paths as usize)).collect()
    };
    let batches = customers.len().div_ceil(BATCH);
    let done = AtomicU64::new(0);
    // Every task holds totals of its own, so their number is bounded whatever the number of customers.
    let tasks = 8 * rayon::current_num_threads();
    let quantile_rows: Vec<&mut [f64]> = match width {
        0 => (0..batches).map(|_| Default::default()).collect(),
        _ => quantiles.chunks_mut(BATCH * width).collect(),
    };
    let mut waits = vec![Wait::default(); if settings.waits { customers.len() } else { 0 }];
    let wait_rows: Vec<&mut [Wait]> = if settings.waits {
        waits.chunks_mut(BATCH).collect()
    } else {
        (0..batches).map(|_| Default::default()).collect()
    };
    let rows = lifetime.par_chunks_mut(BATCH).zip(quantile_rows).zip(wait_rows);
    let totals = rows
        .enumerate()
        .with_min_len(batches.div_ceil(tasks).max(1))
        .fold(
            || (Worker::new(settings, customers, &discount), zeros()),
            |(mut worker, mut totals), (batch, ((lifetime, quantiles), waits))| {
                for (i, lifetime) in lifetime.iter_mut().enumerate() {
                    let row = batch * BATCH + i;
                    worker.draw_paths(customers, row);
                    *lifetime = worker.lifetime();
                    if let Some(values) = quantiles.get_mut(i * width..(i + 1) * width) {
                        worker.quantiles(values);
                    }
                    if let Some(wait) = waits.get_mut(i) {
                        *wait = worker.wait();
                    }
                    for (totals, segmentation) in totals.iter_mut().zip(segmentations) {
                        let sums = totals.segment_mut(usize::from(segmentation.segment[row]));
                        worker.add_alive_paths(sums);
                    }
                }
                let batch = lifetime.len() as u64;
                progress(done.fetch_add(batch, Ordering::Relaxed) + batch);
                (worker, totals)
            },
        )
        .map(|(_, totals)| totals)
        .reduce(zeros, |mut left, right| {
            left.iter_mut().zip(&right).for_each(|(left, right)| left.combine(right));
            left
        });
    let draws = (settings.parameter_draws.len() as u32).max(1);
    Ok(Simulation { lifetime, quantiles, waits, totals, draws })
}

impl Settings {
    fn check(&self) -> Result<(), LifetimeError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let wrong = |setting, rule| Err(LifetimeError::Setting { setting, rule });
        self.model.check()?;
        if !positive(self.horizon) {
            wrong("horizon", "it must be positive")
        } else if !(self.timing.delta >= 0.0 && self.timing.delta.is_finite()) {
            wrong("delta", "it must be finite and not negative")
        } else if self.timing.period.is_some_and(|length| !(positive(length) && self.horizon / length <= MOST_PERIODS))
        {
            wrong("period", "it must be positive, and at least a millionth of the horizon")
        } else if self.paths == 0 {
            wrong("paths", "there must be at least one")
        } else if !self.quantiles.iter().all(|&q| q > 0.0 && q < 1.0) {
            wrong("quantiles", "each must lie between 0 and 1")
        } else if self.worst_one_in == 0 {
            wrong("worst_one_in", "it must be at least 1")
        } else if !positive(self.minor_per_major) {
            wrong("minor_per_major", "it must be positive")
        } else if self.parameter_draws.len() > self.paths as usize {
            wrong("parameter_draws", "there must be a path for each")
        } else if !self.parameter_draws.iter().all(|draw| draw.fits(&self.model)) {
            wrong("parameter_draws", "each must be of the fitted model, with positive parameters")
        } else {
            Ok(())
        }
    }
}

impl ParameterDraw {
    fn fits(&self, fitted: &Population) -> bool {
        let sound =
            |(fitted, drawn): (SpendModel, SpendModel)| fitted.kind() == drawn.kind() && drawn.out_of_range().is_none();
        let spend = self.spend.is_none_or(sound);
        spend && self.model.check().is_ok() && fitted.is_like(&self.model)
    }
}

pub(super) fn check_segments(customers: usize, segmentations: &[Segmentation<'_>]) -> Result<(), LifetimeError> {
    for segmentation in segmentations {
        let found = segmentation.segment.len();
        if found != customers {
            return Err(LifetimeError::Length { column: "segment", found, expected: customers });
        }
        if let Some(row) = segmentation.segment.iter().position(|&segment| segment >= segmentation.segments) {
            let rule = "it must be below the number of segments";
            return Err(LifetimeError::Range { column: "segment", row, rule });
        }
    }
    Ok(())
}
