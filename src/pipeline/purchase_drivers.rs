//! What the expected values of purchases at any time are made of, today and at an earlier day, and what prospects are told by.

use super::{
    Ledgers, RunError,
    earnings::Earnings,
    forecast::{Forecast, keep_all, kept_rates, major, together},
    grouping::Grouping,
};
use crate::{
    contract::ContractError,
    decide::{
        prospect::Futures,
        staying::{Known, Scene},
    },
    forecast::{
        contribution::{self, Earned, Rates, Weights},
        covariates::{Assigned, CovariateError},
        error::ForecastError,
        histories::Histories,
        newcomer_futures::{NewcomerFutures, newcomer_futures},
        population::Population,
        predict::{self, Expectations},
        purchase_model::PurchaseModel,
        spend_levels::SpendLevels,
    },
    schema::{
        costs::LayerCosts,
        decisions::Prospects,
        equity::Drivers,
        facts::CustomerFacts,
        margins::Margins,
        period::Period,
        settings::{ForecastSettings, Settings},
    },
    units::Day,
};

impl Forecast {
    /// What the expected value of every history is made of.
    pub(super) fn drivers(&self, rates: &Rates) -> Vec<Drivers> {
        let of = |(row, spend): (usize, f64)| {
            let Expectations { p_alive, .. } = &self.expectations;
            let (lifetime, purchases) =
                (self.expectations.discounted_lifetime(row), self.expectations.discounted_purchases(row));
            rates.drivers(row, p_alive[row], (lifetime, per_time(purchases, lifetime)), spend)
        };
        self.mean_spend().into_iter().enumerate().map(of).collect()
    }

    /// The future that is looked at.
    pub(super) fn scene(&self) -> Scene {
        Scene::new(self.time.0, self.time.1)
    }

    /// What is known of how long each history's customer stays.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit.
    pub(super) fn known(&self) -> Result<Vec<Known>, RunError> {
        let population = self.models.population().map_err(ForecastError::from)?;
        let of = |(row, x): (usize, &u32)| Known {
            p_alive_at_horizon: self.expectations.outlook[row].p_alive_at_horizon,
            rate_now: population.model_of(row).rate_if_alive(f64::from(*x), self.expectations.age[row]),
        };
        Ok(self.histories.frequency.iter().enumerate().map(of).collect())
    }

    /// Drawn futures of new customers like those of a group; empty where nobody is in it.
    ///
    /// * `by`: what groups customers, as new customers are told.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn futures(
        &self,
        (settings, setting): (&Settings, &ForecastSettings),
        ledgers: &Ledgers,
        (by, group): (&str, &str),
        own: Option<PurchaseModel>,
    ) -> Result<Futures, RunError> {
        let histories = &self.histories;
        let by = self.by.iter().find(|own| own.as_str() == by);
        let grouping = by.map_or_else(
            || Grouping::all(histories.customer.len()),
            |by| Grouping::new(*by, ledgers, histories, ledgers.as_of),
        );
        let number = grouping.names.iter().position(|name| name == group);
        let rows = 0..histories.customer.len() as u32;
        let members: Vec<u32> = rows.filter(|row| Some(grouping.of[*row as usize] as usize) == number).collect();
        // Amounts are known without the level of their group; what is told has it.
        let unit = self.levels.as_ref().map(|(levels, level)| {
            let n = members.len();
            let plain = Rates { margin_rate: vec![1.0; n], order_cost: vec![0.0; n], sustaining_rate: vec![0.0; n] };
            let level: Vec<f64> = members.iter().map(|row| level[*row as usize]).collect();
            levels.rates(plain, &level)
        });
        let of = (members.as_slice(), unit.as_ref(), self.keys.as_slice());
        let NewcomerFutures { spend, purchases, alive_time } =
            newcomer_futures(&self.models, &self.expectations, of, own, setting, settings.seed)?;
        Ok(Futures { spend, purchases, alive_time })
    }

    /// The models of prospects by what is known of them; `None` where the forecast or nobody knows anything.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of levels that no customer has, or numbers in the place of levels.
    pub(super) fn models_of(&self, prospects: &Prospects) -> Result<Option<Assigned>, RunError> {
        let Some(found) = self.covariates.as_ref().filter(|_| !prospects.attributes.is_empty()) else {
            return Ok(None);
        };
        let model = found.fit.fitted().map_err(ForecastError::from)?;
        model.assign(&prospects.attributes, prospects.rows.len()).map(Some).map_err(|error| match error {
            CovariateError::UnknownLevels { column, customers } => {
                let what = format!(
                    "prospects: covariate `{column}`: {customers} rows have a level that no customer of the fit has"
                );
                ContractError::Setting(what).into()
            }
            error => ForecastError::from(error).into(),
        })
    }

    /// What the expected value of every history is made of at `as_of`.
    ///
    /// * `setting`: with a discount rate that may differ. * `rates`: one row a history.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of an expectation.
    pub(super) fn drivers_now(
        &self,
        (settings, setting): (&Settings, &ForecastSettings),
        ledgers: &Ledgers,
        rates: &Rates,
    ) -> Result<Vec<Drivers>, RunError> {
        let population = self.models.population().map_err(ForecastError::from)?;
        let levels = self.levels.as_ref().map(|(levels, level)| (levels, level.as_slice()));
        let spent = major(settings, &self.histories, &ledgers.facts.repeat_revenue);
        self.drivers_of((&self.histories, &population), (spent, levels), setting, rates)
    }

    /// What the expected value of histories is made of.
    ///
    /// * `population`: the model of each. * `spent`: on repeat purchases. * `levels`: of spend, and that of each history.
    fn drivers_of(
        &self,
        (histories, population): (&Histories, &Population),
        (spent, levels): (Vec<f64>, Option<(&SpendLevels, &[f64])>),
        setting: &ForecastSettings,
        rates: &Rates,
    ) -> Result<Vec<Drivers>, RunError> {
        let spent = match levels {
            Some((levels, level)) => levels.without(&histories.frequency, &spent, level),
            None => spent,
        };
        let found = predict::value_drivers((&self.models, population), histories, &spent, setting)?;
        let spend = match levels {
            Some((levels, level)) => levels.with(&found.spend, level),
            None => found.spend,
        };
        let ahead = |row: usize| (found.lifetime[row], per_time(found.purchases[row], found.lifetime[row]));
        let of = |row: usize| rates.drivers(row, found.p_alive[row], ahead(row), spend[row]);
        Ok((0..histories.customer.len()).map(of).collect())
    }

    /// The same at an earlier day, by the models of today: of customers of the run who had bought by then.
    ///
    /// * `last`: the day's period. * `facts`: up to its end. * `weights`: of today.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of an expectation.
    pub(super) fn drivers_at(
        &self,
        (day, last, facts): (Day, Period, &CustomerFacts),
        (settings, setting): (&Settings, &ForecastSettings),
        ledgers: &Ledgers,
        (money, weights): ((&Margins, &LayerCosts), &Weights),
    ) -> Result<(Vec<u32>, Vec<Drivers>), RunError> {
        let histories = Histories::new(facts, day);
        // Everybody who had bought by then has a history at as_of, in the same order.
        let mut row_of = vec![0; ledgers.customers.len()];
        for (row, customer) in (0..).zip(&self.histories.customer) {
            row_of[*customer as usize] = row;
        }
        let rows: Vec<u32> = histories.customer.iter().map(|customer| row_of[*customer as usize]).collect();
        let population = self.models.population().map_err(ForecastError::from)?.of_rows(&rows);
        let level: Option<Vec<f64>> =
            self.levels.as_ref().map(|(_, level)| rows.iter().map(|row| level[*row as usize]).collect());
        let levels = self.levels.as_ref().map(|(levels, _)| levels).zip(level.as_deref());
        let per_major = settings.currency.minor_per_major() as f64;
        let mut earned = Earnings::until(Some(last), ledgers, money, &histories.customer, per_major);
        let purchases: Vec<f64> =
            histories.customer.iter().map(|row| f64::from(facts.purchase_days[*row as usize])).collect();
        let age: Vec<f64> = histories.age.iter().map(|days| f64::from(*days) / setting.days_per_unit).collect();
        let revenue = major(settings, &histories, &facts.purchase_revenue);
        keep_all(settings, &mut earned, &revenue);
        let earned = Earned {
            purchase_revenue: &revenue,
            margin: &earned.margin,
            order_cost: &earned.order_cost,
            customer_cost: &earned.customer_cost,
            purchases: &purchases,
            age: &age,
        };
        let together = together(setting, ledgers, &histories, day);
        let rates = kept_rates(settings, contribution::rates(&earned, weights, together.grouped()));
        let spent = major(settings, &histories, &facts.repeat_revenue);
        let drivers = self.drivers_of((&histories, &population), (spent, levels), setting, &rates)?;
        Ok((histories.customer, drivers))
    }
}

/// Purchases a unit of time; none of who has no time.
fn per_time(purchases: f64, lifetime: f64) -> f64 {
    if lifetime > 0.0 { purchases / lifetime } else { 0.0 }
}
