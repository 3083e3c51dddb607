//! The forecast of purchases: fits, closed-form expectations, simulation.

use std::sync::Arc;

use crate::{
    forecast::{
        contribution::{self, Earned, Rates},
        covariates::CovariateFit,
        holdout::{Assessment, Holdout},
        predict::{self, Expectations, Histories, Models},
        simulate::{Segmentation, Simulation},
    },
    schema::{
        costs::LayerCosts,
        facts::CustomerFacts,
        margins::Margins,
        settings::{ForecastSettings, PurchaseKind, Settings},
    },
    units::Minor,
};

use super::{Clock, Ledgers, RunError, choice::Choice, earnings::Earnings, notes};

/// What was forecast of purchases: fits and expectations, which costs and prices leave as they are.
pub(super) struct Forecast {
    histories: Histories,
    /// Fitted models.
    pub(super) models: Models,
    /// Which model of purchases it is, and why where the run chose it.
    pub(super) kind: PurchaseKind,
    pub(super) why: Option<String>,
    /// The models that were tried, the cut they were scored on, and which one is used.
    pub(super) tried: Vec<Assessment>,
    pub(super) holdout: Option<Holdout>,
    pub(super) used: usize,
    /// The fit with covariates; that of `models` is then its average customer's.
    pub(super) covariates: Option<CovariateFit>,
    /// Closed-form expectations, one row a history.
    pub(super) expectations: Expectations,
    /// Facts that the models were fitted to.
    facts: Arc<CustomerFacts>,
    /// Whether the simulation draws the parameters.
    uncertain: bool,
    keys: Vec<u64>,
}

impl Forecast {
    /// Histories, fits, closed-form expectations.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn new(
        settings: &Settings,
        setting: &ForecastSettings,
        ledgers: &Ledgers,
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let facts = &ledgers.facts;
        let histories = Histories::new(facts, ledgers.as_of);
        let Choice { summary, fit: purchases, kind, tried, holdout, used, why, covariates, population } =
            Choice::new(setting, ledgers, &histories, clock)?;
        clock.start("fit_spend", Some(histories.customer.len() as u64));
        let repeat_spend = major(settings, &histories, &facts.repeat_revenue);
        let spend = if let Some(saved) = &ledgers.saved {
            saved.spend.clone()
        } else {
            let mut fit = predict::fit_spend(setting.spend, &histories, &repeat_spend);
            clock.start("check_spend", Some(histories.customer.len() as u64));
            predict::check_spend(&mut fit, &histories, &repeat_spend);
            fit
        };
        let models = Models { purchases, spend, population };
        clock.start("forecast", Some(histories.customer.len() as u64));
        let expectations = predict::expectations(&summary, &models, &histories, &repeat_spend, setting)?;
        let keys: Vec<u64> = histories.customer.iter().map(|row| ledgers.customers.hash[*row as usize]).collect();
        Ok(Self {
            histories,
            models,
            kind,
            tried,
            holdout,
            used,
            why,
            covariates,
            expectations,
            facts: Arc::clone(facts),
            uncertain: setting.parameter_uncertainty && setting.paths > 0,
            keys,
        })
    }

    /// What purchases and time will bring each history under the margins of a world, and its expected lifetime value in
    /// minor units. A unit of spend is what it was at the prices that the models were fitted to.
    ///
    /// * `prices`: factor on what each customer of the run spends; `None` = prices as they were.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn value(
        &self,
        settings: &Settings,
        ledgers: &Ledgers,
        money: (&Margins, &LayerCosts),
        prices: Option<&[f64]>,
    ) -> Result<(Rates, Vec<Minor>), RunError> {
        let (facts, histories) = (&self.facts, &self.histories);
        let per_major = settings.currency.minor_per_major() as f64;
        let mut earned = Earnings::new(ledgers, money, &histories.customer, per_major);
        let revenue = major(settings, histories, &facts.purchase_revenue);
        // What other prices add to each purchase is known, and is not drawn towards what they add to other customers.
        let added: Option<Vec<f64>> =
            prices.map(|prices| histories.customer.iter().map(|row| prices[*row as usize] - 1.0).collect());
        if let Some(added) = &added {
            let margins = earned.margin.iter_mut().zip(&revenue).zip(added);
            margins.for_each(|((margin, revenue), added)| *margin -= revenue * added);
        }
        let purchases: Vec<f64> =
            histories.customer.iter().map(|row| f64::from(facts.purchase_days[*row as usize])).collect();
        let mut rates = contribution::rates(&Earned {
            purchase_revenue: &revenue,
            margin: &earned.margin,
            order_cost: &earned.order_cost,
            customer_cost: &earned.customer_cost,
            purchases: &purchases,
            age: &self.expectations.age,
        });
        if let Some(added) = &added {
            rates.margin_rate.iter_mut().zip(added).for_each(|(rate, added)| *rate += added);
        }
        let expected = predict::expected_values(histories, &self.expectations, &rates, &self.keys)?;
        let expected = expected.iter().map(|value| (value * per_major).round_ties_even() as i64).collect();
        Ok((rates, expected))
    }

    /// Simulates every history; the random numbers are the same in every world.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn simulate(
        &self,
        (settings, setting): (&Settings, &ForecastSettings),
        rates: &Rates,
        segmentations: &[Segmentation<'_>],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Simulation, RunError> {
        Ok(predict::simulate(
            &self.models,
            &self.histories,
            &self.expectations,
            rates,
            &self.keys,
            setting,
            (settings.seed, settings.currency.minor_per_major()),
            segmentations,
            progress,
        )?)
    }

    /// Rows of the histories' customers in the run.
    pub(super) fn customers(&self) -> &[u32] {
        &self.histories.customer
    }

    /// The probability of a purchase to the horizon, and the time by which it has come with a probability of a half.
    pub(super) fn next_purchase(&self, at: usize) -> (f64, Option<f64>) {
        let outlook = &self.expectations.outlook[at];
        (outlook.probability_of_purchase, outlook.median_wait)
    }

    /// What a reader of the results must know of the fits.
    pub(super) fn notes(&self) -> Vec<String> {
        let (purchases, spend) = (&self.models.purchases, &self.models.spend);
        let ends = [notes::end(purchases.model(), &purchases.end), notes::end(spend.model(), &spend.end)];
        let why = self.why.clone();
        let certain = [notes::certain(purchases), notes::certain(spend)].map(|note| note.filter(|_| self.uncertain));
        why.into_iter()
            .chain(certain.into_iter().flatten())
            .chain(ends.into_iter().flatten())
            .chain(purchases.notes.iter().chain(&spend.notes).cloned())
            .collect()
    }
}

/// Money of every history in major units.
fn major(settings: &Settings, histories: &Histories, column: &[Minor]) -> Vec<f64> {
    let per_major = settings.currency.minor_per_major() as f64;
    histories.customer.iter().map(|row| column[*row as usize] as f64 / per_major).collect()
}
