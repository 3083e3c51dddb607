//! The forecast of a run, of purchases or of contracts, behind one face.

use super::{
    Clock, Ledgers, RunError,
    comparison::score_columns,
    contract_choice::ContractChoice,
    contractual::Contracts,
    forecast::Forecast,
    newcomers::NewCustomers,
    notes,
    opportunistic::{Opportunistic, PerOpportunity},
    pooled::PooledGroups,
};
use crate::{
    forecast::{
        bg_bb::BgBb,
        contribution::{Rates, Weights},
        covariates::CovariateFit,
        likelihood_ratio::LikelihoodRatio,
        observed::Assessment,
        retention::Retained,
        simulate::{Segmentation, Simulation},
        spend_model::SpendModel,
    },
    publish::dataset::Values,
    schema::{
        costs::LayerCosts,
        forecasting::{ContractKind, ModelChoice, SpendKind},
        margins::Margins,
        settings::{ForecastSettings, Settings},
    },
    units::Minor,
};
use serde_json::{Value, json};

/// What was forecast, and of whom: fits and expectations, which costs and prices leave as they are.
pub(super) struct Foretold {
    pub(super) of: Of,
    /// Row in the forecast of each customer; `None` without a purchase, or without a contract.
    row: Vec<Option<u32>>,
}

/// What customers are worth in one world.
pub(super) struct Valuation {
    pub(super) brings: Brings,
    /// How far customers' own rates of it are believed.
    pub(super) weights: Weights,
    /// Expected lifetime values in minor units, one row a customer of the forecast.
    pub(super) expected: Vec<Minor>,
    /// What the next customer of every group is expected to bring.
    pub(super) new_customers: Vec<NewCustomers>,
    /// Simulated lifetime values; `None` with zero paths.
    pub(super) simulation: Option<Simulation>,
}

/// What the future brings in one world, major units.
pub(super) enum Brings {
    /// A purchase, a unit of spend, a unit of time.
    Purchases(Rates),
    /// A period under contract.
    Contracts(Vec<f64>),
    /// A purchase at an opportunity, and an opportunity that the customer lives to see.
    Opportunities(PerOpportunity),
}

/// What customers are known by.
pub(super) enum Of {
    Purchases(Box<Forecast>),
    Contracts(Box<Contracts>),
    Opportunities(Box<Opportunistic>),
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
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let of = match setting.model {
            ModelChoice::Contract(kind) => Of::Contracts(Box::new(Contracts::new(kind, setting, ledgers, clock)?)),
            ModelChoice::BgBb => Of::Opportunities(Box::new(Opportunistic::new(setting, ledgers, clock)?)),
            ModelChoice::One(_) | ModelChoice::Auto => {
                Of::Purchases(Box::new(Forecast::new(settings, setting, ledgers, clock)?))
            }
        };
        let mut row = vec![None; ledgers.customers.len()];
        for (at, customer) in (0..).zip(of.customers()) {
            row[*customer as usize] = Some(at);
        }
        Ok(Self { of, row })
    }

    /// Expected lifetime values under the margins of a world.
    ///
    /// * `prices`: factor on what each customer spends; `None` = prices as they were.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn value(
        &self,
        settings: &Settings,
        ledgers: &Ledgers,
        money: (&Margins, &LayerCosts),
        prices: Option<&[f64]>,
    ) -> Result<Valuation, RunError> {
        let (brings, weights, expected, new_customers) = match &self.of {
            Of::Purchases(forecast) => {
                let (rates, weights, expected, new_customers) = forecast.value(settings, ledgers, money, prices)?;
                (Brings::Purchases(rates), weights, expected, new_customers)
            }
            // Margins hold the scenario's prices already.
            Of::Contracts(contracts) => {
                let (contribution, weights, expected, new_customers) = contracts.value(settings, ledgers, money)?;
                (Brings::Contracts(contribution), weights, expected, new_customers)
            }
            Of::Opportunities(customers) => {
                let (brings, weights, expected, new_customers) = customers.value(settings, ledgers, money);
                (Brings::Opportunities(brings), weights, expected, new_customers)
            }
        };
        Ok(Valuation { brings, weights, expected, new_customers, simulation: None })
    }

    /// Simulates every customer, with the same random numbers in every world.
    ///
    /// * `segmentations`: one group a customer of the run, with their number of groups.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn simulate(
        &self,
        settings: &Settings,
        setting: &ForecastSettings,
        value: &mut Valuation,
        segmentations: &[(&[u16], u16)],
        clock: &mut Clock,
    ) -> Result<(), RunError> {
        let customers = self.of.customers();
        clock.start("simulate", Some(customers.len() as u64));
        let pick = |all: &[u16]| -> Vec<u16> { customers.iter().map(|row| all[*row as usize]).collect() };
        let picked: Vec<(Vec<u16>, u16)> = segmentations.iter().map(|(all, segments)| (pick(all), *segments)).collect();
        let segmentations: Vec<Segmentation<'_>> =
            picked.iter().map(|(segment, segments)| Segmentation { segment, segments: *segments }).collect();
        let told = clock.progress();
        let told = |customers| told.rows(customers);
        value.simulation = match (&self.of, &value.brings) {
            (Of::Purchases(forecast), Brings::Purchases(rates)) => {
                Some(forecast.simulate((settings, setting), rates, &segmentations, &told)?)
            }
            (Of::Contracts(contracts), Brings::Contracts(contribution)) => {
                Some(contracts.simulate((settings, setting), contribution, &segmentations, &told)?)
            }
            (Of::Opportunities(customers), Brings::Opportunities(brings)) => {
                Some(customers.simulate((settings, setting), brings, &segmentations, &told)?)
            }
            // A valuation is of the forecast that made it.
            _ => None,
        };
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
            Of::Opportunities(customers) => customers.outlook[at].p_alive,
        }
    }

    /// Whether a customer is known to have left.
    pub(super) fn has_left(&self, at: usize) -> bool {
        matches!(&self.of, Of::Contracts(contracts) if contracts.has_left(at))
    }

    /// Expected purchases, or periods under contract, to the horizon.
    pub(super) fn purchases(&self, at: usize) -> f64 {
        match &self.of {
            Of::Purchases(forecast) => forecast.expectations.purchases[at],
            Of::Contracts(contracts) => contracts.periods[at],
            Of::Opportunities(customers) => customers.outlook[at].purchases,
        }
    }

    /// Expected purchases, or periods under contract, to the horizon, discounted.
    pub(super) fn discounted_purchases(&self, at: usize) -> f64 {
        match &self.of {
            Of::Purchases(forecast) => forecast.expectations.discounted_purchases(at),
            Of::Contracts(contracts) => contracts.discounted[at],
            Of::Opportunities(customers) => customers.outlook[at].discounted_purchases,
        }
    }

    /// The same for ever; `None` without a discount rate, or where the sum does not converge.
    pub(super) fn purchases_for_ever(&self, at: usize) -> Option<f64> {
        match &self.of {
            Of::Purchases(forecast) => forecast.expectations.for_ever.as_ref()?[at],
            Of::Contracts(contracts) => contracts.for_ever[at],
            Of::Opportunities(customers) => customers.outlook[at].discounted_for_ever,
        }
    }

    /// P(alive), or P(under contract), at the horizon.
    pub(super) fn p_alive_at_horizon(&self, at: usize) -> f64 {
        match &self.of {
            Of::Purchases(forecast) => forecast.expectations.outlook[at].p_alive_at_horizon,
            Of::Contracts(contracts) => contracts.at_horizon[at],
            Of::Opportunities(customers) => customers.outlook[at].p_alive_at_horizon,
        }
    }

    /// The probability of a purchase to the horizon, and the time by which it has come with a probability of a half: from
    /// the paths where these tell it; of opportunities the probability alone, of contracts neither.
    pub(super) fn next_purchase(&self, value: &Valuation, at: usize) -> Option<(f64, Option<f64>)> {
        let simulated = value.simulation.as_ref().and_then(|simulation| simulation.waits.get(at));
        let closed = || match &self.of {
            Of::Purchases(forecast) => Some(forecast.next_purchase(at)),
            Of::Opportunities(customers) => Some((customers.outlook[at].probability_of_purchase, None)),
            Of::Contracts(_) => None,
        };
        simulated.map_or_else(closed, |wait| Some((wait.probability, wait.median)))
    }

    /// A column of the forecast by customer of the run; 0 of one who is not in the forecast.
    pub(super) fn by_customer(&self, column: &[Minor]) -> Vec<Minor> {
        self.row.iter().map(|row| row.map_or(0, |row| column[row as usize])).collect()
    }

    /// Rows of the customers in the run.
    pub(super) fn customers(&self) -> &[u32] {
        self.of.customers()
    }

    /// The forecast of purchases and its groups, where there are any.
    pub(super) fn pooled(&self) -> Option<(&Forecast, &PooledGroups)> {
        let Of::Purchases(forecast) = &self.of else { return None };
        Some((forecast, forecast.pooled.as_ref()?))
    }

    /// The fits, by the name of their model.
    pub(super) fn fits(&self) -> Value {
        match &self.of {
            Of::Purchases(forecast) => {
                let spend = forecast.models.spend.fitted().map_or(SpendKind::GammaGamma, SpendModel::kind);
                let purchases = match &forecast.covariates {
                    None => json!(forecast.models.purchases),
                    Some(found) => {
                        let mut fit = json!(found.fit);
                        fit["likelihood_ratio"] = json!(found.likelihood_ratio().map(|ratio| {
                            let LikelihoodRatio { statistic, degrees_of_freedom, p_value } = ratio;
                            json!({"statistic": statistic, "degrees": degrees_of_freedom, "p_value": p_value})
                        }));
                        fit["without_covariates"] = json!(found.plain);
                        fit
                    }
                };
                json!({forecast.kind.as_str(): purchases, spend.as_str(): forecast.models.spend})
            }
            Of::Contracts(contracts) => json!({contracts.choice.kind.as_str(): contracts.choice.fit}),
            Of::Opportunities(customers) => json!({ModelChoice::BgBb.as_str(): customers.fit}),
        }
    }

    /// The fit with covariates.
    pub(super) fn covariates(&self) -> Option<&CovariateFit> {
        match &self.of {
            Of::Purchases(forecast) => forecast.covariates.as_ref(),
            Of::Contracts(_) | Of::Opportunities(_) => None,
        }
    }

    /// How many customers stay under contract for how long.
    pub(super) fn retention(&self) -> Option<(ContractKind, &[Retained])> {
        let Of::Contracts(contracts) = &self.of else { return None };
        Some((contracts.choice.kind, &contracts.retention))
    }

    /// Which model was chosen, and why, where the run chose it.
    pub(super) fn choice(&self) -> Option<Value> {
        let (model, days, why) = match &self.of {
            Of::Purchases(forecast) => {
                (forecast.kind.as_str(), forecast.holdout.as_ref()?.observed.days, &forecast.why)
            }
            Of::Contracts(contracts) => {
                let ContractChoice { kind, holdout, why, .. } = &contracts.choice;
                (kind.as_str(), holdout.as_ref()?.1, why)
            }
            Of::Opportunities(_) => return None,
        };
        Some(json!({"model": model, "holdout_days": days, "why": why}))
    }

    /// The columns of `model_comparison`.
    pub(super) fn comparison_columns(&self) -> Vec<Values> {
        match &self.of {
            Of::Purchases(forecast) => score_columns(
                &forecast.tried,
                forecast.holdout.as_ref().map(|holdout| holdout.observed.customers()),
                Some(forecast.used),
            ),
            Of::Contracts(contracts) => {
                let ContractChoice { tried, holdout, used, .. } = &contracts.choice;
                score_columns(tried, holdout.map(|(customers, _)| customers), Some(*used))
            }
            Of::Opportunities(customers) => {
                let (method, fit) = (ModelChoice::BgBb.as_str(), Some(customers.fit.clone()));
                score_columns(&[Assessment::<BgBb> { method, fit, outcome: None }], None, Some(0))
            }
        }
    }

    /// What a reader of the results must know of the fits.
    pub(super) fn notes(&self, settings: &ForecastSettings) -> Vec<String> {
        let uncertain = settings.parameter_uncertainty && settings.paths > 0;
        match &self.of {
            Of::Purchases(forecast) => forecast.notes(),
            Of::Contracts(contracts) => {
                let ContractChoice { fit, why, .. } = &contracts.choice;
                why.iter().cloned().chain(notes::of_fit(fit, uncertain)).collect()
            }
            Of::Opportunities(customers) => {
                customers.origin.iter().cloned().chain(notes::of_fit(&customers.fit, uncertain)).collect()
            }
        }
    }
}

impl Of {
    /// Rows of the customers in the run.
    fn customers(&self) -> &[u32] {
        match self {
            Self::Purchases(forecast) => forecast.customers(),
            Self::Contracts(contracts) => contracts.customers(),
            Self::Opportunities(customers) => customers.customers(),
        }
    }
}
