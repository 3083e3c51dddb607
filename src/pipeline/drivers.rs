//! What the expected values of a forecast are made of, whatever it is a forecast of: what decisions and the bridge ask for.

use super::{
    Ledgers, RunError,
    earnings::{Earnings, all_is_kept},
    forecast::Forecast,
    foretold::{Brings, Foretold, Of, Valuation},
    newcomers::spent,
    unit_money::{ByThen, Terms},
};
use crate::{
    decide::prospect::Futures,
    facts::customers::roll_up_until,
    forecast::{contribution::Rates, covariates::Assigned, purchase_model::PurchaseModel},
    schema::{
        costs::LayerCosts,
        decisions::Prospects,
        equity::Drivers,
        facts::CustomerFacts,
        margins::Margins,
        period::Period,
        settings::{ForecastSettings, Settings},
    },
    units::{Day, Minor},
};

/// Draws futures of new customers.
type DrawFutures<'a> = Box<dyn Fn((&str, &str), Option<PurchaseModel>, f64) -> Result<Futures, RunError> + Sync + 'a>;

/// What customers had spent and earned by a period in a world, or to date.
fn by_then<'a>(
    (ledgers, facts): (&'a Ledgers, &'a CustomerFacts),
    last: Option<Period>,
    money: (&'a Margins, &'a LayerCosts),
    per_major: f64,
) -> impl Fn(&[u32]) -> (Vec<f64>, Earnings) + 'a {
    move |customers| (spent(facts, customers, per_major), Earnings::until(last, ledgers, money, customers, per_major))
}

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
        let per_major = settings.currency.minor_per_major() as f64;
        let by_now = by_then((ledgers, &ledgers.facts), None, money, per_major);
        self.drivers_by((settings, value), &by_now, Forecast::drivers)
    }

    /// The same without a part of the cost within margins, which is drawn to groups as margins are.
    ///
    /// * `cost`: one a customer of the run, minor units.
    ///
    /// # Errors
    /// As [`drivers`](Self::drivers).
    pub(super) fn drivers_without(
        &self,
        settings: &Settings,
        ledgers: &Ledgers,
        money: (&Margins, &LayerCosts),
        value: &Valuation,
        cost: &[Minor],
    ) -> Result<Vec<Drivers>, RunError> {
        let per_major = settings.currency.minor_per_major() as f64;
        let cost_of = |customer: &u32| cost[*customer as usize] as f64 / per_major;
        let by_now = |customers: &[u32]| {
            let (spent, mut earned) = by_then((ledgers, &ledgers.facts), None, money, per_major)(customers);
            earned.margin.iter_mut().zip(customers).for_each(|(margin, customer)| *margin += cost_of(customer));
            (spent, earned)
        };
        self.drivers_by((settings, value), &by_now, |forecast, rates| {
            let cost: Vec<f64> = forecast.histories.customer.iter().map(cost_of).collect();
            forecast.drivers(&forecast.rates_without(settings, rates, &value.weights, &cost))
        })
    }

    fn drivers_by(
        &self,
        (settings, value): (&Settings, &Valuation),
        by_now: ByThen<'_>,
        of_purchases: impl Fn(&Forecast, &Rates) -> Vec<Drivers>,
    ) -> Result<Vec<Drivers>, RunError> {
        let terms = Terms { all_kept: all_is_kept(settings), weights: &value.weights };
        match (&self.of, &value.brings) {
            (Of::Purchases(forecast), Brings::Purchases(rates)) => Ok(of_purchases(forecast, rates)),
            (Of::Contracts(contracts), _) => Ok(contracts.drivers(by_now, terms)),
            (Of::Opportunities(customers), _) => customers.drivers(by_now, terms),
            // A valuation is of the forecast that made it.
            (Of::Purchases(_), _) => Ok(Vec::new()),
        }
    }

    /// Purchases expected a unit of time now of each customer, if alive.
    ///
    /// * `drivers`: of each; a period is paid for, and an opportunity is taken, today as later.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit.
    pub(super) fn rates_now(&self, drivers: &[Drivers]) -> Result<Vec<f64>, RunError> {
        match &self.of {
            Of::Purchases(forecast) => Ok(forecast.known()?.iter().map(|known| known.rate_now).collect()),
            Of::Contracts(_) | Of::Opportunities(_) => {
                Ok(drivers.iter().map(|drivers| drivers.purchase_rate).collect())
            }
        }
    }

    /// What draws futures of new customers like those of a group: by what groups customers and its name, their own model of purchases
    /// where it is not the group's, and what they spend on a purchase, major units.
    ///
    /// # Errors
    /// [`RunError::Forecast`], now and then.
    pub(super) fn futures<'a>(
        &'a self,
        (settings, setting): (&'a Settings, &'a ForecastSettings),
        ledgers: &'a Ledgers,
    ) -> Result<DrawFutures<'a>, RunError> {
        // Whatever the group: what comes of a period or purchase is drawn once.
        let of_a_unit = match &self.of {
            Of::Purchases(forecast) => {
                return Ok(Box::new(move |group, own, _| forecast.futures((settings, setting), ledgers, group, own)));
            }
            Of::Contracts(contracts) => contracts.futures()?,
            Of::Opportunities(customers) => customers.futures(settings)?,
        };
        Ok(Box::new(move |_, _, spend| Ok(of_a_unit.spending(spend))))
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
        let last = (day != ledgers.as_of).then(|| settings.period.of(day));
        let earlier = last.map(|last| roll_up_until(&ledgers.cells, ledgers.customers.len(), last)).transpose()?;
        let facts = earlier.as_ref().unwrap_or(&ledgers.facts);
        let per_major = settings.currency.minor_per_major() as f64;
        let by_then = by_then((ledgers, facts), last, money, per_major);
        let terms = Terms { all_kept: all_is_kept(settings), weights: &value.weights };
        let (customers, drivers) = match (&self.of, &value.brings, last) {
            (Of::Purchases(forecast), Brings::Purchases(rates), None) => {
                (self.customers().to_vec(), forecast.drivers_now((settings, setting), ledgers, rates)?)
            }
            (Of::Purchases(forecast), _, Some(last)) => {
                forecast.drivers_at((day, last, facts), (settings, setting), ledgers, (money, &value.weights))?
            }
            (Of::Contracts(contracts), ..) => contracts.drivers_at(day, setting, ledgers, (&by_then, terms))?,
            (Of::Opportunities(buyers), ..) => buyers.drivers_at(day, setting, ledgers, (&by_then, terms))?,
            // A valuation is of the forecast that made it.
            (Of::Purchases(_), _, None) => (Vec::new(), Vec::new()),
        };
        let mut found = vec![None; ledgers.customers.len()];
        for (customer, drivers) in customers.into_iter().zip(drivers) {
            found[customer as usize] = Some(drivers);
        }
        Ok(found)
    }
}
