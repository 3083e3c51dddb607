//! Monte Carlo lifetime value under contract: how long each customer stays, drawn from what is known of its tenure.
//!
//! The level at which a customer leaves is uniform: one draw in each of `n` equal strata, spread over the paths by a random
//! affine permutation of the customer's own. A path's value is the contribution of a period times what the periods up to that
//! level are worth, which falls as the level rises; so the error of a customer's mean is at most its range over `2n`, not its
//! deviation over `√n`.
//!
//! Source: Owen, Monte Carlo Theory, Methods and Examples (2013), 8.4 (stratified sampling).

use super::contract_model::{ContractCalendar, ContractModel, Prospect};
use super::lifetime::LifetimeError;
use super::path_totals::PathTotals;
use super::paths::{Places, quantiles, shortfall, sort_key};
use super::simulate::{Lifetime, Segmentation, Simulation, check_segments};
use crate::numeric::philox::{Stream, open_unit};
use crate::units::Day;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// Purpose of this module's random streams.
const PURPOSE: u64 = 0x636f_6e74_7261_6374;

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractSettings {
    /// The calendar.
    pub calendar: ContractCalendar,
    /// Models that rule the paths: the fitted one, or one a draw of its parameters; model `g` of `G` rules paths `g`,
    /// `g + G`, … of all customers.
    pub models: Vec<ContractModel>,
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

/// One slice a property, one row a customer.
#[derive(Debug, Clone, Copy)]
pub struct ContractCustomers<'a> {
    /// First day of the contract that goes on; `None` for one who has left.
    pub start: &'a [Option<Day>],
    /// Contribution of a period under contract, major units.
    pub contribution: &'a [f64],
    /// Stable key of the customer, for its random stream.
    pub key: &'a [u64],
}

impl ContractCustomers<'_> {
    fn check(&self) -> Result<(), LifetimeError> {
        let expected = self.start.len();
        for (column, found) in [("contribution", self.contribution.len()), ("key", self.key.len())] {
            if found != expected {
                return Err(LifetimeError::Length { column, found, expected });
            }
        }
        match self.contribution.iter().position(|contribution| !contribution.is_finite()) {
            Some(row) => Err(LifetimeError::Range { column: "contribution", row, rule: "it must be finite" }),
            None => Ok(()),
        }
    }
}

/// Simulate the lifetime value of every customer under contract; one who has left is worth 0.
///
/// Results depend on the settings and each customer's row alone.
///
/// * `progress`: told the customers done so far, from any thread.
///
/// # Errors
/// [`LifetimeError`] of lengths, of a contribution or discount rate that is no number, of no paths.
pub fn simulate(
    settings: &ContractSettings,
    customers: &ContractCustomers<'_>,
    segmentations: &[Segmentation<'_>],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Simulation, LifetimeError> {
    customers.check()?;
    let rows = customers.start.len();
    check_segments(rows, segmentations)?;
    if settings.models.is_empty() || settings.models.len() > settings.paths as usize {
        let rule = "there must be a path for each model, and at least one";
        return Err(LifetimeError::Setting { setting: "paths", rule });
    }
    // Customers of one start have one prospect, which is dear for a long horizon.
    let mut by_start: Vec<(Day, u32)> =
        (0..).zip(customers.start).filter_map(|(row, start)| Some(((*start)?, row))).collect();
    by_start.par_sort_unstable();
    let done = AtomicU64::new((rows - by_start.len()) as u64);
    let zeros = || -> Vec<PathTotals> {
        segmentations.iter().map(|s| PathTotals::new(usize::from(s.segments), settings.paths as usize)).collect()
    };
    // Every task holds totals of its own, so their number is bounded whatever the number of customers.
    let tasks = 8 * rayon::current_num_threads();
    let parts: Vec<(Vec<Drawn>, Vec<PathTotals>)> = by_start
        .par_chunks(by_start.len().div_ceil(tasks).max(1))
        .map(|part| {
            let (mut paths, mut drawn, mut totals) = (Paths::default(), Vec::with_capacity(part.len()), zeros());
            for cohort in part.chunk_by(|a, b| a.0 == b.0) {
                let prospects = settings.prospects(cohort[0].0)?;
                for row in cohort.iter().map(|&(_, row)| row as usize) {
                    drawn.push(paths.draw(settings, &prospects, customers.contribution[row], customers.key[row]));
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
        Simulation { lifetime, quantiles, waits: Vec::new(), totals: zeros(), draws: settings.models.len() as u32 };
    let mut customer = by_start.iter().map(|&(_, row)| row as usize);
    for (drawn, totals) in parts {
        found.totals.iter_mut().zip(&totals).for_each(|(sum, part)| sum.combine(part));
        for ((lifetime, quantiles), row) in drawn.into_iter().zip(&mut customer) {
            found.lifetime[row] = lifetime;
            found.quantiles[row * width..(row + 1) * width].copy_from_slice(&quantiles);
        }
    }
    Ok(found)
}

impl ContractSettings {
    /// What may come of a customer under contract since `start`, one a model.
    fn prospects(&self, start: Day) -> Result<Vec<Prospect>, LifetimeError> {
        let rule = "it must be finite and not negative";
        let prospect = |model: &ContractModel| model.prospect(start, &self.calendar);
        self.models
            .iter()
            .map(prospect)
            .collect::<Result<_, _>>()
            .map_err(|_| LifetimeError::Setting { setting: "delta", rule })
    }
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
    fn draw(&mut self, settings: &ContractSettings, prospects: &[Prospect], contribution: f64, key: u64) -> Drawn {
        let mut stream = Stream::new(settings.seed, key, PURPOSE);
        let (paths, parts) = (settings.paths, prospects.len() as u32);
        self.sorted.clear();
        self.minor.clear();
        self.minor.resize(paths as usize, 0);
        let mut all = Vec::with_capacity(prospects.len());
        for (number, prospect) in (0..).zip(prospects) {
            let ruled = (paths - number).div_ceil(parts);
            let places = Places::draw(u64::from(ruled), 1.0, 1.0, &mut stream);
            let (n, first, mut path) = (f64::from(ruled), self.sorted.len(), places.first());
            let (mut sum, mut losses) = (0.0, 0_u32);
            for stratum in 0..ruled {
                let level = (f64::from(stratum) + open_unit(stream.next_u64())) / n;
                let value = contribution * prospect.worth(level);
                sum += value;
                losses += u32::from(value < 0.0);
                self.sorted.push((sort_key(value), value));
                let at = path as usize * prospects.len() + number as usize;
                self.minor[at] = (value * settings.minor_per_major).round_ties_even() as i64;
                path = places.next(path);
            }
            let mean = sum / n;
            let values = || self.sorted[first..].iter().map(|pair| pair.1);
            let squares: f64 = values().map(|value| (value - mean) * (value - mean)).sum();
            let range = contribution.abs() * (prospect.worth(f64::MIN_POSITIVE) - prospect.worth(1.0));
            all.push(Lifetime {
                mean,
                sd: libm::sqrt(squares / n),
                mean_error: range / (2.0 * n),
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
