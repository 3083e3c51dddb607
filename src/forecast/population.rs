//! Which model of purchases rules which customer: one for all, or several of one kind.
//!
//! Models of one population differ in their parameters alone, so that one way of drawing a future serves all of them. What
//! follows for a customer depends on its own history and its own model: not on who else is there, nor on the order of the
//! models.

use std::sync::Arc;

use rayon::prelude::*;

use super::bg_cnbd_k::BgCnbdK;
use super::bg_nbd::{BgNbd, Predictions, Residual};
use super::error::ForecastError;
use super::histories::Histories;
use super::lifetime::LifetimeError;
use super::mbg_nbd::MbgNbd;
use super::pareto_nbd::ParetoNbd;
use super::purchase_model::PurchaseModel;
use super::summary::Summary;

/// The model of purchases of every customer; a copy shares its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    models: Arc<[PurchaseModel]>,
    /// Number of each customer's model; `None`: all have the first.
    of: Option<Arc<[u32]>>,
}

impl From<PurchaseModel> for Population {
    fn from(model: PurchaseModel) -> Self {
        Self { models: Arc::new([model]), of: None }
    }
}

macro_rules! one_for_all {
    ($($model:ty),*) => {
        $(impl From<$model> for Population {
            fn from(model: $model) -> Self {
                PurchaseModel::from(model).into()
            }
        })*
    };
}

one_for_all!(BgNbd, MbgNbd, ParetoNbd, BgCnbdK);

impl Population {
    /// Several models, and the number of each customer's.
    ///
    /// * `models`: of one kind (and, for regular purchases, the same `k`), parameters finite and positive.
    /// * `of`: one a customer, below the number of models.
    ///
    /// # Errors
    /// [`LifetimeError::Range`] for a customer whose model is not there; [`LifetimeError::Setting`] for models that are not
    /// alike or have parameters out of range.
    pub fn new(models: Vec<PurchaseModel>, of: Vec<u32>) -> Result<Self, LifetimeError> {
        if let Some(row) = of.iter().position(|number| *number as usize >= models.len()) {
            let rule = "it must be below the number of models";
            return Err(LifetimeError::Range { column: "model", row, rule });
        }
        let population = Self { models: models.into(), of: Some(of.into()) };
        population.check()?;
        Ok(population)
    }

    /// The same customers with other parameters, one model for each of the models.
    #[must_use]
    pub fn with_models(&self, models: Vec<PurchaseModel>) -> Self {
        Self { models: models.into(), of: self.of.clone() }
    }

    /// The models of some of the customers.
    ///
    /// # Panics
    /// If one of `rows` is no customer.
    #[must_use]
    pub fn of_rows(&self, rows: &[u32]) -> Self {
        let of = self.of.as_ref().map(|of| rows.iter().map(|row| of[*row as usize]).collect());
        Self { models: Arc::clone(&self.models), of }
    }

    /// The models.
    #[must_use]
    pub fn models(&self) -> &[PurchaseModel] {
        &self.models
    }

    /// Number of the model of the customer in `row`.
    ///
    /// # Panics
    /// If there is no such customer.
    #[inline]
    #[must_use]
    pub fn number_of(&self, row: usize) -> usize {
        self.of.as_ref().map_or(0, |of| of[row] as usize)
    }

    /// The model of the customer in `row`.
    ///
    /// # Panics
    /// If there is no such customer.
    #[inline]
    #[must_use]
    pub fn model_of(&self, row: usize) -> PurchaseModel {
        self.models[self.number_of(row)]
    }

    /// Number of customers; `None` where one model serves however many there are.
    #[must_use]
    pub fn customers(&self) -> Option<usize> {
        self.of.as_ref().map(|of| of.len())
    }

    /// Parameters are finite and positive, and all models are of one kind.
    pub(super) fn check(&self) -> Result<(), LifetimeError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let sound = |model: &PurchaseModel| model.parameters().into_iter().all(positive);
        if !self.models.iter().all(sound) {
            return Err(LifetimeError::Setting { setting: "model", rule: "its parameters must be positive" });
        }
        if !self.models.windows(2).all(|pair| alike(&pair[0], &pair[1])) {
            return Err(LifetimeError::Setting { setting: "model", rule: "all must be of one kind" });
        }
        Ok(())
    }

    /// Whether the other has a model of the same kind for every one of these, and serves the same customers.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.models.len() == other.models.len()
            && self.customers() == other.customers()
            && self.models.iter().zip(other.models.iter()).all(|(mine, theirs)| alike(mine, theirs))
    }

    /// P(alive) and what is left to a customer who is alive, one row a history.
    ///
    /// Under one model it is asked for the distinct histories alone. Several models are each asked for the distinct
    /// histories of their own customers.
    ///
    /// * `summary`: counts of the histories. * `horizon`, `delta`: as in [`PurchaseModel::residual`].
    ///
    /// # Errors
    /// [`ForecastError::Expectation`], [`ForecastError::Summary`].
    pub fn predict(
        &self,
        summary: &Summary,
        histories: &Histories,
        days_per_unit: f64,
        (horizon, delta): (f64, f64),
    ) -> Result<Predictions, ForecastError> {
        let Some(of) = &self.of else {
            let found = self.models[0].predict(summary, days_per_unit, horizon, delta)?;
            let at = summary.locate(&histories.frequency, &histories.recency, &histories.age)?;
            return Ok(Predictions {
                p_alive: at.iter().map(|i| found.p_alive[*i as usize]).collect(),
                residual: at.iter().map(|i| found.residual[*i as usize]).collect(),
            });
        };
        let mut rows: Vec<u32> = (0..of.len() as u32).collect();
        rows.par_sort_by_key(|row| of[*row as usize]);
        let groups: Vec<&[u32]> = rows.chunk_by(|l, r| of[*l as usize] == of[*r as usize]).collect();
        let ask = |rows: &&[u32]| -> Result<Predictions, ForecastError> {
            let model = self.model_of(rows[0] as usize);
            model.predict_rows(histories, rows, days_per_unit, (horizon, delta))
        };
        let found = groups.par_iter().map(ask).collect::<Vec<_>>().into_iter().collect::<Result<Vec<_>, _>>()?;
        let nothing = Residual { purchases: 0.0, discounted_purchases: 0.0, discounted_alive_time: 0.0 };
        let mut all = Predictions { p_alive: vec![0.0; of.len()], residual: vec![nothing; of.len()] };
        for (rows, found) in groups.iter().zip(&found) {
            for (row, (p_alive, residual)) in rows.iter().zip(found.p_alive.iter().zip(&found.residual)) {
                all.p_alive[*row as usize] = *p_alive;
                all.residual[*row as usize] = *residual;
            }
        }
        Ok(all)
    }
}

impl PurchaseModel {
    /// Predictions for some of the histories, in the order of `rows`.
    fn predict_rows(
        &self,
        histories: &Histories,
        rows: &[u32],
        days_per_unit: f64,
        (horizon, delta): (f64, f64),
    ) -> Result<Predictions, ForecastError> {
        if let [row] = rows {
            // A model of one customer's own needs no table of distinct histories.
            let row = *row as usize;
            let time = |days: u32| f64::from(days) / days_per_unit;
            let (x, t_x) = (f64::from(histories.frequency[row]), time(histories.recency[row]));
            let age = time(histories.age[row]);
            let residual = self.residual(x, t_x, age, horizon, delta)?;
            return Ok(Predictions { p_alive: vec![self.p_alive(x, t_x, age)], residual: vec![residual] });
        }
        let pick = |column: &[u32]| -> Vec<u32> { rows.iter().map(|row| column[*row as usize]).collect() };
        let own = [&histories.frequency, &histories.recency, &histories.age].map(|column| pick(column));
        let mut summary = Summary::new();
        summary.insert(&own[0], &own[1], &own[2])?;
        let found = self.predict(&summary, days_per_unit, horizon, delta)?;
        let at = summary.locate(&own[0], &own[1], &own[2])?;
        Ok(Predictions {
            p_alive: at.iter().map(|i| found.p_alive[*i as usize]).collect(),
            residual: at.iter().map(|i| found.residual[*i as usize]).collect(),
        })
    }
}

/// Whether one way of drawing a future serves both models.
fn alike(left: &PurchaseModel, right: &PurchaseModel) -> bool {
    left.kind() == right.kind() && left.while_alive().phases == right.while_alive().phases
}
