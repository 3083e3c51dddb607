//! The forecast of customers who buy at opportunities (a yearly appeal, a monthly box), free to come or not.

use super::{
    Clock, Ledgers, RunError,
    contractual::{FUTURES, calendar, ruling, strata},
    earnings::{Earnings, all_is_kept},
    grouping::{Grouping, Rows},
    newcomers::{self, NewCustomers, spent},
    unit_money::{ByThen, Done, Terms, UnitMoney},
};
use crate::{
    decide::prospect::Futures,
    forecast::{
        bg_bb::BgBb,
        contract_calendar::ContractCalendar,
        contribution::Weights,
        error::ForecastError,
        fit::Fit,
        opportunities::{DiscreteHistory, Opportunities},
        opportunity_days,
        opportunity_value::{self, Expected, OpportunityCustomers, OpportunitySettings},
        predict,
        simulate::{Segmentation, Simulation},
        stratified::Strata,
    },
    numeric::discounting::Timing,
    schema::{
        costs::LayerCosts,
        equity::Drivers,
        margins::Margins,
        settings::{ForecastSettings, Settings},
    },
    units::{Day, Minor},
};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Steps of a unit in which drawn futures are told.
const RESOLUTION: f64 = 1e6;

/// Customers with a purchase by a day, one row each, in the order of the run's customers.
struct Seen {
    /// Row of each in the customers of the run.
    customer: Vec<u32>,
    history: Vec<DiscreteHistory>,
    /// What a unit at each opportunity to come is worth.
    worth: Vec<f64>,
    /// Whose rates of contribution are drawn together.
    together: Grouping,
}

impl Seen {
    /// # Errors
    /// [`ForecastError`] without a purchase, or of a horizon without an opportunity.
    fn new(setting: &ForecastSettings, ledgers: &Ledgers, calendar: &ContractCalendar) -> Result<Self, ForecastError> {
        let log = ledgers.purchases.as_ref().ok_or(ForecastError::NoPurchases)?;
        let worth = opportunity_days::worth(calendar);
        if worth.is_empty() {
            let (days, unit) = (setting.horizon_days, setting.time_unit.clone());
            return Err(ForecastError::NoOpportunity { days, unit });
        }
        let (customer, history): (Vec<u32>, Vec<DiscreteHistory>) =
            opportunity_days::histories(log, calendar.as_of, calendar.term).into_iter().unzip();
        let came = |row: usize| ledgers.facts.first_purchase[customer[row] as usize];
        let together = Grouping::of_rates(setting, ledgers, &Rows { customer: &customer, came: &came });
        Ok(Self { customer, history, worth, together })
    }

    /// Different histories, with their numbers.
    fn summary(&self) -> Result<Opportunities, ForecastError> {
        let counts = |of: fn(&DiscreteHistory) -> u32| -> Vec<u32> { self.history.iter().map(of).collect() };
        let mut summary = Opportunities::new();
        summary.insert(&counts(|h| h.frequency), &counts(|h| h.recency), &counts(|h| h.opportunities))?;
        Ok(summary)
    }

    /// What is to be expected of each customer.
    ///
    /// * `timing`: of what is to come for ever; `None` where nobody asks.
    fn expected(&self, model: &BgBb, summary: &Opportunities, timing: Option<Timing>) -> Vec<Expected> {
        let timing = timing.filter(|timing| timing.delta > 0.0);
        let mut seen: Vec<u32> = summary.iter().map(|(history, _)| history.opportunities).collect();
        seen.sort_unstable();
        seen.dedup();
        let ahead = |n: &u32| timing.and_then(|timing| model.opportunities_for_ever(*n, timing).ok());
        let for_ever: Vec<Option<f64>> = seen.par_iter().map(ahead).collect();
        let expected = |history: DiscreteHistory| {
            let at = seen.partition_point(|n| *n < history.opportunities);
            (history, model.expected(history, &self.worth, for_ever[at]))
        };
        let distinct: Vec<(DiscreteHistory, Expected)> = summary.iter().map(|(history, _)| expected(history)).collect();
        let of = |history: &DiscreteHistory| distinct[distinct.partition_point(|(other, _)| other < history)].1;
        self.history.iter().map(of).collect()
    }

    /// Opportunities with a purchase, and opportunities, that of the first purchase counted.
    fn exposure(&self) -> (Vec<f64>, Vec<f64>) {
        let of = |count: fn(&DiscreteHistory) -> u32| -> Vec<f64> {
            self.history.iter().map(|history| f64::from(count(history)) + 1.0).collect()
        };
        (of(|h| h.frequency), of(|h| h.opportunities))
    }

    /// What the expected value of each customer is made of.
    ///
    /// * `spent`, `earned`: what each spent and brought by the day.
    fn drivers(
        &self,
        (model, outlook): (&BgBb, &[Expected]),
        (spent, earned): (&[f64], &Earnings),
        terms: Terms<'_>,
    ) -> Vec<Drivers> {
        let (purchases, kept) = self.exposure();
        let done = Done { spent, earned, purchases: &purchases, kept: &kept, all_kept: terms.all_kept };
        let money = UnitMoney::new(done, terms.weights, self.together.grouped());
        let of = |(row, (history, outlook)): (usize, (&DiscreteHistory, &Expected))| {
            let buys = model.purchase_probability(history.frequency, history.opportunities);
            money.drivers(row, outlook.p_alive, outlook.discounted_life, buys)
        };
        self.history.iter().zip(outlook).enumerate().map(of).collect()
    }
}

/// The forecast of customers with a purchase.
pub(super) struct Opportunistic {
    pub(super) fit: Fit<BgBb>,
    /// How a saved fit came to be.
    pub(super) origin: Option<String>,
    calendar: ContractCalendar,
    seen: Seen,
    /// What is to be expected of each.
    pub(super) outlook: Vec<Expected>,
    key: Vec<u64>,
}

/// What the future brings and takes in one world, major units, one row a customer.
pub(super) struct PerOpportunity {
    /// Contribution of a purchase.
    contribution: Vec<f64>,
    /// Cost of keeping the customer for an opportunity.
    sustaining: Vec<f64>,
}

impl Opportunistic {
    /// Fits BG/BB to the purchase days, cut into opportunities of one time unit, and foretells every customer.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit, without a purchase, or of a horizon without an opportunity.
    pub(super) fn new(setting: &ForecastSettings, ledgers: &Ledgers, clock: &mut Clock) -> Result<Self, RunError> {
        let log = ledgers.purchases.as_ref().ok_or(ForecastError::NoPurchases)?;
        clock.start("fit_purchases", Some(log.customers() as u64));
        let calendar = calendar(setting, ledgers.as_of);
        let seen = Seen::new(setting, ledgers, &calendar)?;
        if seen.history.is_empty() {
            return Err(ForecastError::NoPurchases.into());
        }
        let summary = seen.summary()?;
        let saved = ledgers.saved.as_ref().and_then(|saved| Some((saved.opportunities()?.clone(), saved.origin())));
        let (fit, origin) = match saved {
            Some((fit, origin)) => (fit, Some(origin)),
            None => (BgBb::fit(&summary), None),
        };
        let model = *fit.fitted().map_err(ForecastError::from)?;
        clock.start("forecast", Some(seen.history.len() as u64));
        let outlook = seen.expected(&model, &summary, Some(predict::timing(setting)));
        let key = seen.customer.iter().map(|row| ledgers.customers.hash[*row as usize]).collect();
        Ok(Self { fit, origin, calendar, seen, outlook, key })
    }

    /// Rows of the customers in the run.
    pub(super) fn customers(&self) -> &[u32] {
        &self.seen.customer
    }

    /// The fitted model.
    fn model(&self) -> Result<&BgBb, ForecastError> {
        Ok(self.fit.fitted()?)
    }

    /// What the expected value of each customer is made of.
    ///
    /// * `money`: in a world.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit.
    pub(super) fn drivers(&self, money: ByThen<'_>, terms: Terms<'_>) -> Result<Vec<Drivers>, RunError> {
        let (spent, earned) = money(&self.seen.customer);
        Ok(self.seen.drivers((self.model()?, &self.outlook), (&spent, &earned), terms))
    }

    /// Expected discounted opportunities that each customer lives to see when a share of the loss is prevented.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit.
    pub(super) fn prolonged(&self, prevented: f64) -> Result<Vec<f64>, RunError> {
        let model = self.model()?;
        let mut known: BTreeMap<u32, f64> = BTreeMap::new();
        let of = |(history, outlook): (&DiscreteHistory, &Expected)| {
            let seen = history.opportunities;
            let ahead = || model.prolonged(seen, &self.seen.worth, prevented);
            outlook.p_alive * *known.entry(seen).or_insert_with(ahead)
        };
        Ok(self.seen.history.iter().zip(&self.outlook).map(of).collect())
    }

    /// Drawn futures of a new customer who spends 1 on a purchase, the first one counted.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn futures(&self, settings: &Settings) -> Result<Futures, RunError> {
        let what = OpportunitySettings {
            models: vec![*self.model()?],
            worth: self.seen.worth.clone(),
            strata: Strata {
                paths: FUTURES,
                seed: settings.seed,
                quantiles: Vec::new(),
                worst_one_in: 1,
                minor_per_major: RESOLUTION,
            },
        };
        // Equal random numbers whatever is counted: one path of both is one future.
        let count = |contribution: f64, sustaining: f64| -> Result<Vec<f64>, RunError> {
            let history = [DiscreteHistory { opportunities: 0, frequency: 0, recency: 0 }];
            let (contribution, sustaining) = ([contribution], [sustaining]);
            let one = OpportunityCustomers {
                history: &history,
                contribution: &contribution,
                sustaining: &sustaining,
                key: &[0],
            };
            let all = [Segmentation { segment: &[0], segments: 1 }];
            let found = opportunity_value::simulate(&what, &one, &all, &|_| {}).map_err(ForecastError::from)?;
            Ok(found.totals[0].whole().iter().map(|total| *total as f64 / RESOLUTION).collect())
        };
        let purchases: Vec<f64> = count(1.0, 0.0)?.into_iter().map(|later| 1.0 + later).collect();
        let alive_time = count(0.0, 1.0)?.into_iter().map(|later| 1.0 - later).collect();
        Ok(Futures { spend: purchases.clone(), purchases, alive_time })
    }

    /// What the expected values of customers of the run are made of at a day, by the model of the run: of all who had bought by then.
    ///
    /// * `setting`: with the discount rate of that day. * `money`: by then.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn drivers_at(
        &self,
        day: Day,
        setting: &ForecastSettings,
        ledgers: &Ledgers,
        (money, terms): (ByThen<'_>, Terms<'_>),
    ) -> Result<(Vec<u32>, Vec<Drivers>), RunError> {
        let calendar = calendar(setting, day);
        if calendar == self.calendar {
            return Ok((self.seen.customer.clone(), self.drivers(money, terms)?));
        }
        let (seen, model) = (Seen::new(setting, ledgers, &calendar)?, self.model()?);
        let outlook = seen.expected(model, &seen.summary()?, None);
        let (spent, earned) = money(&seen.customer);
        let drivers = seen.drivers((model, &outlook), (&spent, &earned), terms);
        Ok((seen.customer, drivers))
    }

    /// What an opportunity brings with the weights that customers have in it, expected value in minor units, and what new
    /// customers bring, under the margins of a world.
    pub(super) fn value(
        &self,
        settings: &Settings,
        ledgers: &Ledgers,
        money: (&Margins, &LayerCosts),
    ) -> (PerOpportunity, Weights, Vec<Minor>, Vec<NewCustomers>) {
        let (per_major, customer) = (settings.currency.minor_per_major() as f64, &self.seen.customer);
        let earned = Earnings::new(ledgers, money, customer, per_major);
        let spent = spent(&ledgers.facts, customer, per_major);
        let (purchases, kept) = self.seen.exposure();
        let all_kept = all_is_kept(settings);
        let done = Done { spent: &spent, earned: &earned, purchases: &purchases, kept: &kept, all_kept };
        let together = self.seen.together.grouped();
        let weights = done.weights(together);
        let (contribution, sustaining) = done.per_unit(&weights, together);
        let value = |(row, outlook): (usize, &Expected)| {
            let value = contribution[row] * outlook.discounted_purchases - sustaining[row] * outlook.discounted_life;
            (value * per_major).round_ties_even() as Minor
        };
        let expected = self.outlook.iter().enumerate().map(value).collect();
        let came = |row: usize| ledgers.facts.first_purchase[customer[row] as usize];
        let new_customers = match (&settings.forecast, self.fit.fitted()) {
            (Some(setting), Ok(model)) => {
                let rows = Rows { customer, came: &came };
                let newcomer = model.newcomer(&self.seen.worth);
                newcomers::by_period(
                    (setting, ledgers, money.0),
                    (&rows, done, (self.seen.together.by, &weights)),
                    newcomer,
                )
            }
            _ => Vec::new(),
        };
        (PerOpportunity { contribution, sustaining }, weights, expected, new_customers)
    }

    /// Simulates every customer.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn simulate(
        &self,
        (settings, setting): (&Settings, &ForecastSettings),
        brings: &PerOpportunity,
        segmentations: &[Segmentation<'_>],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Simulation, RunError> {
        let what = OpportunitySettings {
            models: ruling(&self.fit, (settings, setting), BgBb::draw_parameters)?,
            worth: self.seen.worth.clone(),
            strata: strata(settings, setting),
        };
        let customers = OpportunityCustomers {
            history: &self.seen.history,
            contribution: &brings.contribution,
            sustaining: &brings.sustaining,
            key: &self.key,
        };
        let found = opportunity_value::simulate(&what, &customers, segmentations, progress);
        Ok(found.map_err(ForecastError::from)?)
    }
}
