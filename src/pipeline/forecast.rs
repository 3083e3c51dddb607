//! The forecast of a run: fits, closed-form expectations, simulation, and which customer each row belongs to.

use crate::{
    forecast::{
        contribution::{self, Earned, Rates},
        fit::FitEnd,
        holdout::{Assessment, Holdout},
        predict::{self, Expectations, Histories, Models},
        simulate::{Segmentation, Simulation},
        uncertainty,
    },
    schema::{
        costing::Layer,
        costs::LayerCosts,
        margins::Margins,
        settings::{ForecastSettings, PurchaseKind, Settings},
    },
    units::Minor,
};

use super::{Clock, Ledgers, RunError, choice::Choice, results::sum_by_customer};

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
    /// Simulated lifetime value; `None` with zero paths.
    pub(super) simulation: Option<Simulation>,
    /// Row in the histories of each customer; `None` without a purchase.
    pub(super) row: Vec<Option<u32>>,
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
        (margins, layers): (&Margins, &LayerCosts),
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
        let total = |column: &[Minor]| major(&sum_by_customer(&facts.first_cell, column));
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
        // Cost that does not come again is no cost of the future.
        let recurring = |layer: Layer| -> Vec<Minor> {
            let all = layers.layer(layer);
            let one_off = layers.one_off(layer);
            all.iter().enumerate().map(|(cell, cost)| cost - one_off.map_or(0, |column| column[cell])).collect()
        };
        let cm1: Vec<Minor> = match layers.one_off(Layer::Cm1) {
            Some(one_off) => margins.cm1.iter().zip(one_off).map(|(cm1, cost)| cm1 + cost).collect(),
            None => margins.cm1.clone(),
        };
        let customer_cost: Vec<f64> = total(&recurring(Layer::Cm3))
            .iter()
            .zip(total(&recurring(Layer::Below)))
            .zip(total(&margins.economic.capital_charge))
            .map(|((cost, below), charge)| cost + below + charge)
            .collect();
        // What winning the customer cost was paid once and does not come again.
        let sold: Vec<f64> = total(&cm1)
            .iter()
            .zip(total(&margins.economic.commissions))
            .zip(total(&margins.economic.bad_debt))
            .map(|((cm1, commissions), bad_debt)| cm1 - commissions - bad_debt)
            .collect();
        let purchases: Vec<f64> =
            histories.customer.iter().map(|row| f64::from(facts.purchase_days[*row as usize])).collect();
        let rates = contribution::rates(&Earned {
            purchase_revenue: &major(&facts.purchase_revenue),
            margin: &sold,
            order_cost: &total(&recurring(Layer::Cm2)),
            customer_cost: &customer_cost,
            purchases: &purchases,
            age: &expectations.age,
        });
        let keys: Vec<u64> = histories.customer.iter().map(|row| ledgers.customers.hash[*row as usize]).collect();
        let expected = predict::expected_values(&models, &histories, &expectations, &rates, &keys)?;
        let expected = expected.iter().map(|value| (value * per_major).round_ties_even() as i64).collect();
        let mut row = vec![None; ledgers.customers.len()];
        for (at, customer) in histories.customer.iter().enumerate() {
            row[*customer as usize] = Some(at as u32);
        }
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
            simulation: None,
            row,
            uncertain: setting.parameter_uncertainty && setting.paths > 0,
            rates,
            keys,
        })
    }

    /// Simulates every history; `segmentations` are one group a customer, with their number of groups.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn simulate(
        &mut self,
        settings: &Settings,
        setting: &ForecastSettings,
        segmentations: [(&[u16], u16); 2],
        clock: &mut Clock,
    ) -> Result<(), RunError> {
        clock.start("simulate", Some(self.histories.customer.len() as u64));
        let pick = |all: &[u16]| -> Vec<u16> { self.histories.customer.iter().map(|row| all[*row as usize]).collect() };
        let picked = segmentations.map(|(all, segments)| (pick(all), segments));
        let segmentations: Vec<Segmentation<'_>> =
            picked.iter().map(|(segment, segments)| Segmentation { segment, segments: *segments }).collect();
        let told = clock.progress();
        self.simulation = Some(predict::simulate(
            &self.models,
            &self.histories,
            &self.expectations,
            &self.rates,
            &self.keys,
            setting,
            (settings.seed, settings.currency.minor_per_major()),
            &segmentations,
            &|customers| told.rows(customers),
        )?);
        Ok(())
    }

    /// Expected lifetime value of a customer; 0 without a purchase.
    pub(super) fn expected_of(&self, customer: usize) -> Minor {
        self.row[customer].map_or(0, |row| self.expected[row as usize])
    }

    /// What a reader of the results must know of the fits.
    pub(super) fn notes(&self) -> Vec<String> {
        let (purchases, spend) = (&self.models.purchases, &self.models.gamma_gamma);
        let told = |model: &str, end: &FitEnd| match end {
            FitEnd::Boundary { limit_models } => {
                let limits: Vec<String> = limit_models.iter().map(ToString::to_string).collect();
                Some(format!("{model} has no finite maximum on this ledger: it became {}", limits.join(" and ")))
            }
            FitEnd::Ridge { parameter, .. } => Some(format!("{model} leaves {parameter} open; predictions are not")),
            FitEnd::Converged | FitEnd::Failed { .. } => None,
        };
        let ends = [told(purchases.model(), &purchases.end), told(spend.model(), &spend.end)];
        let why = self.why.clone();
        let certain = |model: &str, known: bool| {
            (self.uncertain && !known).then(|| {
                format!("{model} has no standard errors, so its parameters are taken for certain in the simulation")
            })
        };
        let certain = [
            certain(purchases.model(), uncertainty::has_covariance(purchases)),
            certain(spend.model(), uncertainty::has_covariance(spend)),
        ];
        why.into_iter()
            .chain(certain.into_iter().flatten())
            .chain(ends.into_iter().flatten())
            .chain(purchases.notes.iter().chain(&spend.notes).cloned())
            .collect()
    }
}
