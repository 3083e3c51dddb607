//! The forecast of customers who buy at opportunities (a yearly appeal, a monthly box), free to come or not.

use super::{
    Clock, Ledgers, RunError,
    contractual::{ruling, strata},
    earnings::Earnings,
    grouping::Rows,
    newcomers::{ByPeriod, NewCustomers, spent},
};
use crate::{
    forecast::{
        bg_bb::BgBb,
        contribution,
        fit::Fit,
        opportunities::{DiscreteHistory, Opportunities},
        opportunity_days,
        opportunity_value::{self, Expected, OpportunityCustomers, OpportunitySettings},
        predict::{self, ForecastError},
        simulate::{Segmentation, Simulation},
    },
    schema::{
        costs::LayerCosts,
        margins::Margins,
        renewals::RenewalTerm,
        settings::{ForecastSettings, Settings},
    },
    units::Minor,
};

/// Customers with a purchase, one row each, in the order of the run's customers.
pub(super) struct Opportunistic {
    pub(super) fit: Fit<BgBb>,
    /// How a saved fit came to be.
    pub(super) origin: Option<String>,
    /// Row of each in the customers of the run.
    pub(super) customer: Vec<u32>,
    /// What is to be expected of each.
    pub(super) outlook: Vec<Expected>,
    history: Vec<DiscreteHistory>,
    key: Vec<u64>,
    worth: Vec<f64>,
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
        // Every time unit of a config has its term.
        let term = RenewalTerm::of_time_unit(&setting.time_unit).unwrap_or(RenewalTerm::Days(1));
        let worth = opportunity_days::worth(
            ledgers.as_of,
            term,
            setting.horizon_days,
            setting.days_per_unit,
            predict::delta(setting),
        );
        if worth.is_empty() {
            let (days, unit) = (setting.horizon_days, setting.time_unit.clone());
            return Err(ForecastError::NoOpportunity { days, unit }.into());
        }
        let (customer, history): (Vec<u32>, Vec<DiscreteHistory>) =
            opportunity_days::histories(log, ledgers.as_of, term).into_iter().unzip();
        if history.is_empty() {
            return Err(ForecastError::NoPurchases.into());
        }
        let counts = |of: fn(&DiscreteHistory) -> u32| -> Vec<u32> { history.iter().map(of).collect() };
        let mut summary = Opportunities::new();
        summary
            .insert(&counts(|h| h.frequency), &counts(|h| h.recency), &counts(|h| h.opportunities))
            .map_err(ForecastError::from)?;
        let saved = ledgers.saved.as_ref().and_then(|saved| Some((saved.opportunities()?.clone(), saved.origin())));
        let (fit, origin) = match saved {
            Some((fit, origin)) => (fit, Some(origin)),
            None => (BgBb::fit(&summary), None),
        };
        let model = *fit.fitted().map_err(ForecastError::from)?;
        clock.start("forecast", Some(history.len() as u64));
        let rate = libm::expm1(predict::delta(setting));
        let distinct: Vec<(DiscreteHistory, Expected)> =
            summary.iter().map(|(history, _)| (history, model.expected(history, &worth, rate))).collect();
        let of = |history: &DiscreteHistory| distinct[distinct.partition_point(|(other, _)| other < history)].1;
        let outlook: Vec<Expected> = history.iter().map(of).collect();
        let key = customer.iter().map(|row| ledgers.customers.hash[*row as usize]).collect();
        Ok(Self { fit, origin, customer, outlook, history, key, worth })
    }

    /// What an opportunity brings, expected value in minor units, and what new customers bring, under the margins of a world.
    pub(super) fn value(
        &self,
        settings: &Settings,
        ledgers: &Ledgers,
        money: (&Margins, &LayerCosts),
    ) -> (PerOpportunity, Vec<Minor>, Vec<NewCustomers>) {
        let per_major = settings.currency.minor_per_major() as f64;
        let earned = Earnings::new(ledgers, money, &self.customer, per_major);
        let sold: Vec<f64> = earned.margin.iter().zip(&earned.order_cost).map(|(margin, cost)| margin - cost).collect();
        // The opportunity of the first purchase is one, with a purchase.
        let exposure = |of: fn(&DiscreteHistory) -> u32| -> Vec<f64> {
            self.history.iter().map(|history| f64::from(of(history)) + 1.0).collect()
        };
        let (purchases, opportunities) = (exposure(|h| h.frequency), exposure(|h| h.opportunities));
        let contribution = contribution::per_period(&sold, &purchases);
        let sustaining = contribution::per_period(&earned.customer_cost, &opportunities);
        let value = |(row, outlook): (usize, &Expected)| {
            let value = contribution[row] * outlook.discounted_purchases - sustaining[row] * outlook.discounted_life;
            (value * per_major).round_ties_even() as Minor
        };
        let expected = self.outlook.iter().enumerate().map(value).collect();
        let came = |row: usize| ledgers.facts.first_purchase[self.customer[row] as usize];
        let new_customers = match (&settings.forecast, self.fit.fitted()) {
            (Some(setting), Ok(model)) => {
                let by_period = ByPeriod {
                    rows: Rows { customer: &self.customer, came: &came },
                    spent: &spent(ledgers, &self.customer, per_major),
                    contributed: (&sold, &purchases),
                    kept: Some((&earned.customer_cost, &opportunities)),
                };
                by_period.new_customers((setting, ledgers, money.0), per_major, model.newcomer(&self.worth))
            }
            _ => Vec::new(),
        };
        (PerOpportunity { contribution, sustaining }, expected, new_customers)
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
            worth: self.worth.clone(),
            strata: strata(settings, setting),
        };
        let customers = OpportunityCustomers {
            history: &self.history,
            contribution: &brings.contribution,
            sustaining: &brings.sustaining,
            key: &self.key,
        };
        let found = opportunity_value::simulate(&what, &customers, segmentations, progress);
        Ok(found.map_err(ForecastError::from)?)
    }
}
