//! Drawn futures of customers not yet acquired.
//!
//! New customers of a group are like its customers ([`newcomer`](super::newcomer)): each drawn future is that of one of them at
//! its first purchase, with its own model of purchases and what is known of its spend. So the mean of the futures is the
//! group's expectation. The first purchase has its expected amount; what follows is drawn as lifetime values are.

use super::contribution::Rates;
use super::error::ForecastError;
use super::lifetime::Customers;
use super::population::Population;
use super::predict::{Expectations, Models, horizon, timing};
use super::purchase_model::PurchaseModel;
use super::simulate::{self, Segmentation, Settings};
use crate::schema::settings::ForecastSettings;

/// Customers of a group whose futures are drawn, at most; from a larger group they are taken at equal distances.
const MEMBERS: usize = 1_000;
/// Futures of a group, at least.
const FUTURES: usize = 10_000;
/// Futures of new customers with a model of their own, at least: there may be as many of these as there are prospects.
const FUTURES_OF_ONE: usize = 2_000;
/// Steps of a unit in which futures are told.
const RESOLUTION: f64 = 1e6;

/// Futures up to the horizon, all discounted, one row each; the first purchase counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewcomerFutures {
    /// Money spent, major units.
    pub spend: Vec<f64>,
    /// Purchases.
    pub purchases: Vec<f64>,
    /// Time alive, model time units.
    pub alive_time: Vec<f64>,
}

/// Futures of new customers like some of the customers that the models were fitted to.
///
/// * `expectations`: of all of these. * `unit`: what is told of an amount of a purchase, `margin_rate · amount − order_cost`; one
///   of each member, where it is not the amount itself. * `members`: rows of those whom new customers are like.
/// * `own`: the model of the new customers, where it is not that of each member.
/// * `keys`: of all, for their random streams. * `seed`: of the run.
///
/// # Errors
/// [`ForecastError`] of a failed fit or of inputs out of range.
pub fn newcomer_futures(
    models: &Models,
    expectations: &Expectations,
    (members, unit, keys): (&[u32], Option<&Rates>, &[u64]),
    own: Option<PurchaseModel>,
    settings: &ForecastSettings,
    seed: u64,
) -> Result<NewcomerFutures, ForecastError> {
    let taken = members.len().min(MEMBERS);
    if taken == 0 {
        return Ok(NewcomerFutures::default());
    }
    let rows: Vec<u32> = (0..taken).map(|at| members[at * members.len() / taken]).collect();
    let (population, futures): (Population, usize) = match own {
        Some(own) => (own.into(), FUTURES_OF_ONE),
        None => (models.population()?.of_rows(&rows), FUTURES),
    };
    let p_alive: Vec<f64> = (0..taken).map(|row| population.model_of(row).p_alive(0.0, 0.0, 0.0)).collect();
    let keys: Vec<u64> = rows.iter().map(|row| keys[*row as usize]).collect();
    let (never, zeros, ones) = (vec![0_u32; taken], vec![0.0; taken], vec![1.0; taken]);
    let known = expectations.spend_of_newcomers(&rows);
    let at = |column: &[f64]| -> Vec<f64> { (0..taken).map(|at| column[at * members.len() / taken]).collect() };
    let (margin, order) =
        unit.map_or_else(|| (ones.clone(), zeros.clone()), |unit| (at(&unit.margin_rate), at(&unit.order_cost)));
    let first: Vec<f64> = (0..taken).map(|row| margin[row] * known.spend().mean(row, 0) - order[row]).collect();
    let what = Settings {
        model: population,
        horizon: horizon(settings),
        timing: timing(settings),
        paths: futures.div_ceil(taken) as u32,
        seed,
        quantiles: Vec::new(),
        worst_one_in: 1,
        minor_per_major: RESOLUTION,
        waits: false,
        parameter_draws: Vec::new(),
    };
    let number: Vec<u16> = (0..taken as u16).collect();
    let each = [Segmentation { segment: &number, segments: taken as u16 }];
    // Equal random numbers whatever the rates: one path of all three is one future.
    let told = |margin: &[f64], order: &[f64], sustaining: &[f64]| -> Result<Vec<f64>, ForecastError> {
        let customers = Customers {
            frequency: &never,
            recency: &zeros,
            age: &zeros,
            p_alive: &p_alive,
            spend: known.spend(),
            margin_rate: margin,
            order_cost: order,
            sustaining_rate: sustaining,
            key: &keys,
        };
        let totals = simulate::simulate(&what, &customers, &each, &|_| {})?.totals;
        let of = |row: usize| totals[0].segment(row).iter().map(|total| *total as f64 / RESOLUTION);
        Ok((0..taken).flat_map(of).collect())
    };
    let paths = what.paths as usize;
    let spend = told(&margin, &order, &zeros)?;
    let purchases = told(&zeros, &ones, &zeros)?;
    let alive = told(&zeros, &zeros, &ones)?;
    Ok(NewcomerFutures {
        spend: spend.iter().enumerate().map(|(path, spent)| first[path / paths] + spent).collect(),
        purchases: purchases.iter().map(|cost| 1.0 - cost).collect(),
        alive_time: alive.iter().map(|cost| -cost).collect(),
    })
}
