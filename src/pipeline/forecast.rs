//! The forecast of purchases: fits, closed-form expectations, simulation.

use crate::{
    forecast::{
        contribution::{self, Earned, Rates},
        holdout::{Assessment, Holdout},
        predict::{self, Expectations, Histories, Models},
        simulate::{Segmentation, Simulation},
    },
    schema::{
        costs::LayerCosts,
        margins::Margins,
        settings::{ForecastSettings, PurchaseKind, Settings},
    },
    units::Minor,
};

use super::{Clock, Ledgers, RunError, choice::Choice, earnings::Earnings, notes};

/// Everything that was forecast.
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
    /// Closed-form expectations, one row a history.
    pub(super) expectations: Expectations,
    /// Expected lifetime value in minor units, one row a history.
    pub(super) expected: Vec<Minor>,
    /// Whether the simulation draws the parameters.
    uncertain: bool,
    rates: Rates,
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
        money: (&Margins, &LayerCosts),
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let facts = &ledgers.facts;
        let per_major = settings.currency.minor_per_major() as f64;
        let histories = Histories::new(facts, ledgers.as_of);
        let Choice { summary, fit: purchases, kind, tried, holdout, used, why } =
            Choice::new(setting, ledgers, &histories, clock)?;
        clock.start("fit_spend", Some(histories.customer.len() as u64));
        let major = |column: &[Minor]| -> Vec<f64> {
            histories.customer.iter().map(|row| column[*row as usize] as f64 / per_major).collect()
        };
        let repeat_spend = major(&facts.repeat_revenue);
        let gamma_gamma = if let Some(saved) = &ledgers.saved {
            saved.spend.clone()
        } else {
            let mut fit = predict::fit_spend(&histories, &repeat_spend);
            clock.start("check_spend", Some(histories.customer.len() as u64));
            predict::check_spend(&mut fit, &histories, &repeat_spend);
            fit
        };
        let models = Models { purchases, gamma_gamma, population: None };
        clock.start("forecast", Some(histories.customer.len() as u64));
        let expectations = predict::expectations(&summary, &models, &histories, &repeat_spend, setting)?;
        let earned = Earnings::new(ledgers, money, &histories.customer, per_major);
        let purchases: Vec<f64> =
            histories.customer.iter().map(|row| f64::from(facts.purchase_days[*row as usize])).collect();
        let rates = contribution::rates(&Earned {
            purchase_revenue: &earned.purchase_revenue,
            margin: &earned.margin,
            order_cost: &earned.order_cost,
            customer_cost: &earned.customer_cost,
            purchases: &purchases,
            age: &expectations.age,
        });
        let keys: Vec<u64> = histories.customer.iter().map(|row| ledgers.customers.hash[*row as usize]).collect();
        let expected = predict::expected_values(&models, &histories, &expectations, &rates, &keys)?;
        let expected = expected.iter().map(|value| (value * per_major).round_ties_even() as i64).collect();
        Ok(Self {
            histories,
            models,
            kind,
            tried,
            holdout,
            used,
            why,
            expectations,
            expected,
            uncertain: setting.parameter_uncertainty && setting.paths > 0,
            rates,
            keys,
        })
    }

    /// Simulates every history.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn simulate(
        &self,
        settings: &Settings,
        setting: &ForecastSettings,
        segmentations: &[Segmentation<'_>],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Simulation, RunError> {
        Ok(predict::simulate(
            &self.models,
            &self.histories,
            &self.expectations,
            &self.rates,
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

    /// What a reader of the results must know of the fits.
    pub(super) fn notes(&self) -> Vec<String> {
        let (purchases, spend) = (&self.models.purchases, &self.models.gamma_gamma);
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
