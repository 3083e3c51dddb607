//! Lifetime value of customers who buy at opportunities: in closed form, and its distribution by simulation.
//!
//! A customer who is alive at an opportunity to come buys there with a probability of its own. A purchase is worth its
//! contribution, and to be alive costs what keeping a customer costs:
//!
//! `Σ_j f_j · alive_j · (buys_j · contribution − sustaining)` over the opportunities up to the horizon, worth `f_j` each.
//!
//! In the simulation the level of chance of a path (`stratified`) decides how long the customer lives, its
//! probability to buy is drawn from what is known of it, then each purchase.

use super::bg_bb::BgBb;
use super::fit::Fit;
use super::lifetime::LifetimeError;
use super::opportunities::DiscreteHistory;
use super::simulate::{Segmentation, Simulation};
use super::stratified::{self, Futures, Strata};
use super::uncertainty::{Around, DRAWS};
use crate::numeric::distributions::Beta;
use crate::numeric::philox::Stream;

/// Purposes of this module's random streams.
const PURPOSE: u64 = 0x6f70_706f_7274_756e;
const PARAMETERS: u64 = 0x7061_7261_6d65_7404;
/// Bits of each of the three counts of a history.
const BITS: u32 = 20;

/// What is to be expected of a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Expected {
    /// The probability of being alive at the last opportunity so far.
    pub p_alive: f64,
    /// Opportunities with a purchase up to the horizon.
    pub purchases: f64,
    /// What they are worth, where one is worth 1.
    pub discounted_purchases: f64,
    /// What the opportunities that the customer lives to see are worth.
    pub discounted_life: f64,
    /// Discounted purchases at all opportunities to come; `None` without a discount rate, or where the sum does not
    /// converge.
    pub discounted_for_ever: Option<f64>,
    /// The probability of being alive at the last opportunity up to the horizon.
    pub p_alive_at_horizon: f64,
    /// The probability of a purchase at any of them.
    pub probability_of_purchase: f64,
}

impl BgBb {
    /// What is to be expected of a customer at the opportunities to come.
    ///
    /// `P(alive at n) · Σ_j S(j) f_j`, and times the mean probability to buy.
    ///
    /// * `worth`: `f_j`, what a unit at each opportunity to come is worth.
    /// * `for_ever`: as [`BgBb::opportunities_for_ever`] of the opportunities so far.
    #[must_use]
    pub fn expected(&self, history: DiscreteHistory, worth: &[f64], for_ever: Option<f64>) -> Expected {
        let DiscreteHistory { frequency, recency, opportunities } = history;
        let none = self.probability_of_purchases(frequency, recency, opportunities, worth.len() as u32, 0);
        let buys = self.purchase_probability(frequency, opportunities);
        let ahead = Ahead::new(self, history, worth.len());
        let life: f64 = ahead.alive.iter().sum();
        let discounted_life: f64 = ahead.alive.iter().zip(worth).map(|(alive, worth)| alive * worth).sum();
        let p_alive = self.p_alive_now(frequency, recency, opportunities);
        Expected {
            p_alive,
            purchases: buys * life,
            discounted_purchases: buys * discounted_life,
            discounted_life,
            discounted_for_ever: for_ever.map(|life| p_alive * buys * life),
            p_alive_at_horizon: ahead.alive.last().copied().unwrap_or(0.0),
            probability_of_purchase: 1.0 - none,
        }
    }

    /// Draws of the parameters of a fit, one a path at most; none without a covariance.
    #[must_use]
    pub fn draw_parameters(fit: &Fit<Self>, paths: u32, seed: u64) -> Vec<Self> {
        let Ok(Self { alpha, beta, gamma, delta }) = fit.fitted() else { return Vec::new() };
        let Some(around) = Around::new(fit, [*alpha, *beta, *gamma, *delta]) else { return Vec::new() };
        let draw = |number: u32| {
            let [alpha, beta, gamma, delta] = around.draw(&mut Stream::new(seed, u64::from(number), PARAMETERS));
            Self { alpha, beta, gamma, delta }
        };
        (0..DRAWS.min(paths)).map(draw).collect()
    }
}

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct OpportunitySettings {
    /// Models that rule the paths: the fitted one, or one a draw of its parameters.
    pub models: Vec<BgBb>,
    /// What a unit at each opportunity to come is worth.
    pub worth: Vec<f64>,
    /// Paths and what is told of them.
    pub strata: Strata,
}

/// One slice a property, one row a customer.
#[derive(Debug, Clone, Copy)]
pub struct OpportunityCustomers<'a> {
    /// Opportunities so far.
    pub history: &'a [DiscreteHistory],
    /// Contribution of a purchase, major units.
    pub contribution: &'a [f64],
    /// Cost of keeping the customer for an opportunity, major units.
    pub sustaining: &'a [f64],
    /// Stable key of the customer, for its random stream.
    pub key: &'a [u64],
}

impl OpportunityCustomers<'_> {
    fn check(&self) -> Result<(), LifetimeError> {
        let expected = self.history.len();
        let columns = [("contribution", self.contribution), ("sustaining", self.sustaining)];
        for (column, found) in
            columns.map(|(column, values)| (column, values.len())).into_iter().chain([("key", self.key.len())])
        {
            if found != expected {
                return Err(LifetimeError::Length { column, found, expected });
            }
        }
        for (column, values) in columns {
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                return Err(LifetimeError::Range { column, row, rule: "it must be finite" });
            }
        }
        Ok(())
    }
}

/// Simulate the lifetime value of every customer.
///
/// Results depend on the settings and each customer's row alone.
///
/// * `progress`: told the customers done so far, from any thread.
///
/// # Errors
/// [`LifetimeError`] of lengths, of money that is no number, of too few paths.
pub fn simulate(
    settings: &OpportunitySettings,
    customers: &OpportunityCustomers<'_>,
    segmentations: &[Segmentation<'_>],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Simulation, LifetimeError> {
    customers.check()?;
    let futures = AtOpportunities {
        settings,
        customers: *customers,
        histories: customers.history.iter().map(|history| Some(pack(*history))).collect(),
    };
    stratified::simulate(&settings.strata, &futures, segmentations, progress)
}

/// Histories stay below 2²⁰ opportunities (see [`Opportunities`](super::opportunities::Opportunities)).
fn pack(DiscreteHistory { opportunities, frequency, recency }: DiscreteHistory) -> i64 {
    (i64::from(opportunities) << (2 * BITS)) | (i64::from(frequency) << BITS) | i64::from(recency)
}

fn unpack(packed: i64) -> DiscreteHistory {
    let count = |shift: u32| ((packed >> shift) & ((1 << BITS) - 1)) as u32;
    DiscreteHistory { opportunities: count(2 * BITS), frequency: count(BITS), recency: count(0) }
}

struct AtOpportunities<'a> {
    settings: &'a OpportunitySettings,
    customers: OpportunityCustomers<'a>,
    histories: Vec<Option<i64>>,
}

/// What is before customers of one history.
struct Ahead {
    /// The probability of being alive at each opportunity to come.
    alive: Vec<f64>,
    /// What is known of the probability to buy.
    buying: Beta,
}

impl Ahead {
    fn new(model: &BgBb, history: DiscreteHistory, opportunities: usize) -> Self {
        let DiscreteHistory { opportunities: n, frequency: x, recency } = history;
        let mut alive = model.p_alive_now(x, recency, n);
        let dropout = model.dropout(n);
        let next = |chance: u32| {
            alive *= dropout.retention(chance);
            alive
        };
        let (bought, missed) = (model.alpha + f64::from(x), model.beta + f64::from(n - x));
        Self { alive: (1..=opportunities as u32).map(next).collect(), buying: Beta::new(bought, missed) }
    }
}

impl Futures for AtOpportunities<'_> {
    type Ahead = Ahead;

    fn histories(&self) -> &[Option<i64>] {
        &self.histories
    }

    fn models(&self) -> usize {
        self.settings.models.len()
    }

    fn ahead(&self, history: i64) -> Result<Vec<Ahead>, LifetimeError> {
        let (history, opportunities) = (unpack(history), self.settings.worth.len());
        Ok(self.settings.models.iter().map(|model| Ahead::new(model, history, opportunities)).collect())
    }

    fn value(&self, ahead: &Ahead, row: usize, level: f64, stream: &mut Stream) -> f64 {
        let lived = ahead.alive.partition_point(|alive| *alive > level);
        if lived == 0 {
            return 0.0;
        }
        let (contribution, sustaining) = (self.customers.contribution[row], self.customers.sustaining[row]);
        let buys = ahead.buying.draw(stream);
        let at = |worth: &f64| worth * if stream.uniform() < buys { contribution - sustaining } else { -sustaining };
        // From plain zero, so that no sum is minus zero.
        self.settings.worth[..lived].iter().map(at).fold(0.0, |sum, value| sum + value)
    }

    fn mean_error(&self, _: &Ahead, _: usize, sd: f64, paths: f64) -> f64 {
        sd / libm::sqrt((paths - 1.0).max(1.0))
    }

    fn keys(&self) -> &[u64] {
        self.customers.key
    }

    fn purpose(&self) -> u64 {
        PURPOSE
    }
}
