//! The forecast of a run, of purchases or of contracts, behind one face.

use super::{Clock, Ledgers, RunError, comparison::score_columns, contractual::Contracts, forecast::Forecast, notes};
use crate::{
    forecast::{
        holdout::Assessment,
        simulate::{Segmentation, Simulation},
    },
    publish::dataset::Values,
    schema::{
        costs::LayerCosts,
        forecasting::ModelChoice,
        margins::Margins,
        settings::{ForecastSettings, Settings},
    },
    units::{Minor, MinorSum},
};
use serde_json::{Value, json};

/// What was forecast, and of whom.
pub(super) struct Foretold {
    of: Of,
    /// Row in the forecast of each customer; `None` without a purchase, or without a contract.
    row: Vec<Option<u32>>,
    /// Simulated lifetime value; `None` with zero paths.
    simulation: Option<Simulation>,
}

/// What customers are known by.
enum Of {
    Purchases(Box<Forecast>),
    Contracts(Box<Contracts>),
}

impl Foretold {
    /// Fits and closed-form expectations of the model that the settings choose.
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
        let of = match setting.model {
            ModelChoice::Contract(kind) => {
                Of::Contracts(Box::new(Contracts::new(kind, (settings, setting), ledgers, money, clock)?))
            }
            ModelChoice::One(_) | ModelChoice::Auto => {
                Of::Purchases(Box::new(Forecast::new(settings, setting, ledgers, money, clock)?))
            }
        };
        let mut row = vec![None; ledgers.customers.len()];
        for (at, customer) in (0..).zip(of.customers()) {
            row[*customer as usize] = Some(at);
        }
        Ok(Self { of, row, simulation: None })
    }

    /// Simulates every customer; `segmentations` are one group a customer of the run, with their number of groups.
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
        let customers = self.of.customers();
        clock.start("simulate", Some(customers.len() as u64));
        let pick = |all: &[u16]| -> Vec<u16> { customers.iter().map(|row| all[*row as usize]).collect() };
        let picked = segmentations.map(|(all, segments)| (pick(all), segments));
        let segmentations: Vec<Segmentation<'_>> =
            picked.iter().map(|(segment, segments)| Segmentation { segment, segments: *segments }).collect();
        let told = clock.progress();
        let told = |customers| told.rows(customers);
        self.simulation = Some(match &self.of {
            Of::Purchases(forecast) => forecast.simulate(settings, setting, &segmentations, &told)?,
            Of::Contracts(contracts) => contracts.simulate(settings, setting, &segmentations, &told)?,
        });
        Ok(())
    }

    /// Row in the forecast of a customer of the run.
    pub(super) fn row(&self, customer: usize) -> Option<usize> {
        self.row[customer].map(|row| row as usize)
    }

    /// P(alive), or P(under contract), at `as_of`.
    pub(super) fn p_alive(&self, at: usize) -> f64 {
        match &self.of {
            Of::Purchases(forecast) => forecast.expectations.p_alive[at],
            Of::Contracts(contracts) => contracts.p_alive(at),
        }
    }

    /// Expected purchases, or periods under contract, to the horizon.
    pub(super) fn purchases(&self, at: usize) -> f64 {
        match &self.of {
            Of::Purchases(forecast) => forecast.expectations.purchases[at],
            Of::Contracts(contracts) => contracts.periods[at],
        }
    }

    /// Expected lifetime values, minor units.
    pub(super) fn expected(&self) -> &[Minor] {
        match &self.of {
            Of::Purchases(forecast) => &forecast.expected,
            Of::Contracts(contracts) => &contracts.expected,
        }
    }

    /// Expected lifetime value of a customer of the run; 0 of one who is not in the forecast.
    pub(super) fn expected_of(&self, customer: usize) -> Minor {
        self.row(customer).map_or(0, |row| self.expected()[row])
    }

    /// Sum of the expected lifetime values.
    pub(super) fn expected_total(&self) -> MinorSum {
        self.expected().iter().map(|value| MinorSum::from(*value)).sum()
    }

    /// The simulation.
    pub(super) fn simulation(&self) -> Option<&Simulation> {
        self.simulation.as_ref()
    }

    /// The fits, by the name of their model.
    pub(super) fn fits(&self) -> Value {
        match &self.of {
            Of::Purchases(forecast) => {
                json!({forecast.kind.as_str(): forecast.models.purchases, "gamma_gamma": forecast.models.gamma_gamma})
            }
            Of::Contracts(contracts) => json!({contracts.kind.as_str(): contracts.fit}),
        }
    }

    /// Which model was chosen, and why, where the run chose it.
    pub(super) fn choice(&self) -> Option<Value> {
        let Of::Purchases(forecast) = &self.of else { return None };
        let days = forecast.holdout.as_ref()?.days;
        Some(json!({"model": forecast.kind.as_str(), "holdout_days": days, "why": forecast.why}))
    }

    /// The columns of `model_comparison`.
    pub(super) fn comparison_columns(&self) -> Vec<Values> {
        match &self.of {
            Of::Purchases(forecast) => score_columns(&forecast.tried, forecast.holdout.as_ref(), Some(forecast.used)),
            Of::Contracts(contracts) => {
                let method = contracts.kind.as_str();
                let fit = Some(contracts.fit.clone());
                score_columns(&[Assessment { method, fit, outcome: None }], None, Some(0))
            }
        }
    }

    /// What a reader of the results must know of the fits.
    pub(super) fn notes(&self, settings: &ForecastSettings) -> Vec<String> {
        match &self.of {
            Of::Purchases(forecast) => forecast.notes(),
            Of::Contracts(contracts) => {
                let uncertain = settings.parameter_uncertainty && settings.paths > 0;
                notes::of_fit(&contracts.fit, uncertain)
            }
        }
    }
}

impl Of {
    /// Rows of the customers in the run.
    fn customers(&self) -> &[u32] {
        match self {
            Self::Purchases(forecast) => forecast.customers(),
            Self::Contracts(contracts) => &contracts.customer,
        }
    }
}
