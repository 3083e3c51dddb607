//! What the expected values of a forecast are made of, whatever it is a forecast of: what decisions and the bridge ask for.

use super::{
    Ledgers, RunError,
    earnings::Earnings,
    foretold::{Brings, Foretold, Of, Valuation},
    newcomers::spent,
};
use crate::{
    decide::prospect::Futures,
    facts::customers::roll_up_until,
    forecast::{covariates::Assigned, purchase_model::PurchaseModel},
    schema::{
        costs::LayerCosts,
        decisions::Prospects,
        equity::Drivers,
        margins::Margins,
        settings::{ForecastSettings, Settings},
    },
    units::Day,
};

impl Foretold {
    /// What the expected value of each customer is made of in a world: of contracts and opportunities a unit of time is one of these.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit.
    pub(super) fn drivers(
        &self,
        settings: &Settings,
        ledgers: &Ledgers,
        money: (&Margins, &LayerCosts),
        value: &Valuation,
    ) -> Result<Vec<Drivers>, RunError> {
        match (&self.of, &value.brings) {
            (Of::Purchases(forecast), Brings::Purchases(rates)) => Ok(forecast.drivers(rates)),
            (Of::Contracts(contracts), _) => Ok(contracts.drivers(settings, ledgers, money)),
            (Of::Opportunities(customers), _) => customers.drivers(settings, ledgers, money),
            // A valuation is of the forecast that made it.
            (Of::Purchases(_), _) => Ok(Vec::new()),
        }
    }

    /// Purchases expected a unit of time now of each customer, if alive.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit.
    pub(super) fn rates_now(&self) -> Result<Vec<f64>, RunError> {
        match &self.of {
            Of::Purchases(forecast) => Ok(forecast.known()?.iter().map(|known| known.rate_now).collect()),
            Of::Contracts(contracts) => Ok(vec![1.0; contracts.customers().len()]),
            Of::Opportunities(customers) => customers.buys(),
        }
    }

    /// Drawn futures of new customers like those of a group.
    ///
    /// * `by`: what groups customers, as new customers are told. * `own`: their model of purchases, where it is not the group's.
    /// * `per_unit`: as [`Self::futures_per_unit`]. * `spend`: on a purchase, major units.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn futures(
        &self,
        (settings, setting): (&Settings, &ForecastSettings),
        ledgers: &Ledgers,
        (by, group): (&str, &str),
        (own, per_unit, spend): (Option<PurchaseModel>, Option<&Futures>, f64),
    ) -> Result<Futures, RunError> {
        match (&self.of, per_unit) {
            (Of::Purchases(forecast), _) => forecast.futures((settings, setting), ledgers, (by, group), own),
            (_, Some(per_unit)) => {
                let spend = per_unit.spend.iter().map(|units| spend * units).collect();
                Ok(Futures { spend, ..per_unit.clone() })
            }
            (Of::Contracts(_) | Of::Opportunities(_), None) => Ok(Futures::default()),
        }
    }

    /// Drawn futures of new customers who spend 1 on a period or purchase, which are the same for all groups; `None` of purchases at
    /// any time.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn futures_per_unit(&self, settings: &Settings) -> Result<Option<Futures>, RunError> {
        match &self.of {
            Of::Purchases(_) => Ok(None),
            Of::Contracts(contracts) => contracts.futures().map(Some),
            Of::Opportunities(customers) => customers.futures(settings).map(Some),
        }
    }

    /// The models of prospects by what is known of them; `None` where the forecast or nobody knows anything.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of levels that no customer has, or numbers in the place of levels.
    pub(super) fn models_of(&self, prospects: &Prospects) -> Result<Option<Assigned>, RunError> {
        match &self.of {
            Of::Purchases(forecast) => forecast.models_of(prospects),
            Of::Contracts(_) | Of::Opportunities(_) => Ok(None),
        }
    }

    /// What the expected value of each customer of the run is made of at a day, by the model of the run; `None` who was not yet one
    /// by then.
    ///
    /// * `setting`: with the discount rate of that day. * `value`: of `as_of`.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn drivers_at(
        &self,
        day: Day,
        (settings, setting): (&Settings, &ForecastSettings),
        ledgers: &Ledgers,
        money: (&Margins, &LayerCosts),
        value: &Valuation,
    ) -> Result<Vec<Option<Drivers>>, RunError> {
        let per_major = settings.currency.minor_per_major() as f64;
        let now = day == ledgers.as_of;
        let last = settings.period.of(day);
        let facts = (!now).then(|| roll_up_until(&ledgers.cells, ledgers.customers.len(), last)).transpose()?;
        let by_then = |customers: &[u32]| match &facts {
            None => (spent(&ledgers.facts, customers, per_major), Earnings::new(ledgers, money, customers, per_major)),
            Some(facts) => {
                let earned = Earnings::until(Some(last), ledgers, money, customers, per_major);
                (spent(facts, customers, per_major), earned)
            }
        };
        match (&self.of, &value.brings, &facts) {
            (Of::Purchases(forecast), Brings::Purchases(rates), None) => {
                forecast.drivers_now((settings, setting), ledgers, rates)
            }
            (Of::Purchases(forecast), _, Some(facts)) => {
                forecast.drivers_at((day, facts), (settings, setting), ledgers, money)
            }
            (Of::Contracts(contracts), ..) => contracts.drivers_at(day, (settings, setting), ledgers, &by_then),
            (Of::Opportunities(customers), ..) => customers.drivers_at(day, (settings, setting), ledgers, &by_then),
            // A valuation is of the forecast that made it.
            (Of::Purchases(_), _, None) => Ok(Vec::new()),
        }
    }
}
