//! The forecast of a run: histories of those who purchased, fitted models, expectations and simulation.

use rayon::prelude::*;

use super::{
    bg_nbd::{Predictions, Residual},
    contribution::Rates,
    covariates::Moving,
    error::ForecastError,
    fit::{Fit, NotFitted},
    groups::{Groups, Members},
    histories::{Histories, summary_of},
    known_spend::KnownSpend,
    lifetime::{self, Customers},
    outlook::Outlook,
    population::Population,
    purchase_model::PurchaseModel,
    simulate::{self, ParameterDraw, Segmentation, Simulation},
    spend_model::SpendModel,
    summary::{Summary, SummaryError},
    uncertainty::{self, Several},
};
use crate::{
    numeric::discounting::Timing,
    schema::settings::{ForecastSettings, PurchaseKind},
};

/// Days of a year in discounting.
const DAYS_PER_YEAR: f64 = 365.25;

/// A wait for the next purchase beyond this many days is told as none: a century, the longest horizon.
const LONGEST_WAIT_DAYS: f64 = 36_525.0;
/// Expected shortfall is of the worst one in so many: 5 %.
pub const WORST_ONE_IN: u16 = 20;

/// Fitted models of a run.
#[derive(Debug)]
pub struct Models {
    /// Purchases and dropout.
    pub purchases: Fit<PurchaseModel>,
    /// Spend on a purchase.
    pub spend: Fit<SpendModel>,
    /// Mean amount of its fit, where the model has none ([`mean_amount`](super::known_spend::mean_amount)).
    pub mean_amount: Option<f64>,
    /// The models of the histories where they are not all ruled by the fit of `purchases`.
    pub population: Option<Population>,
    /// Groups with parameters of their own, where these are what the population is made of.
    pub groups: Option<Groups>,
    /// What moves the parameters of customers, where covariates are what the population is made of.
    pub moving: Option<Moving>,
}

impl Models {
    /// The model of every history.
    ///
    /// # Errors
    /// [`NotFitted`].
    pub fn population(&self) -> Result<Population, NotFitted> {
        let model = self.purchases.fitted()?;
        Ok(self.population.clone().unwrap_or_else(|| (*model).into()))
    }

    /// Draws of the parameters for the simulation, where the settings ask for them.
    fn parameter_draws(&self, settings: &ForecastSettings, seed: u64) -> Vec<ParameterDraw> {
        if !settings.parameter_uncertainty {
            return Vec::new();
        }
        let several = self.population.as_ref().and_then(|population| match (&self.groups, &self.moving) {
            (Some(groups), _) => Some(Several::Groups(groups, population)),
            (None, Some(moving)) => Some(Several::Covariates(moving, population)),
            (None, None) => None,
        });
        uncertainty::draw_parameters(&self.purchases, several, &self.spend, settings.paths, seed)
    }
}

/// Expectations, one row a history.
#[derive(Debug)]
pub struct Expectations {
    /// P(alive) at `as_of`.
    pub p_alive: Vec<f64>,
    /// Expected purchases to the horizon.
    pub purchases: Vec<f64>,
    /// Purchases expected for ever, discounted as they happen, as
    /// [`Population::discounted_purchases_for_ever`]; `None` without a discount rate.
    pub for_ever: Option<Vec<Option<f64>>>,
    /// Survival to the horizon and the next purchase.
    pub outlook: Vec<Outlook>,
    /// Recency in model time units.
    pub recency: Vec<f64>,
    /// Age in model time units.
    pub age: Vec<f64>,
    /// A number that customers share whom one model for all knows by equal histories, counted without a gap.
    pub alike: Option<Vec<u32>>,
    residual: Vec<Residual>,
    spend: KnownSpend,
}

impl Expectations {
    /// Expected amount of a purchase of every history, major units.
    ///
    /// * `frequency`: of the histories.
    #[must_use]
    pub fn mean_spend(&self, frequency: &[u32]) -> Vec<f64> {
        self.spend.means(frequency)
    }
}

/// Fits the model of purchases and dropout to the counts of equal histories.
///
/// * `ln_gaps`: as [`Histories::ln_gaps`], for models of regular purchases.
///
/// # Errors
/// [`ForecastError::NoPurchases`], [`ForecastError::Summary`]. A fit that failed is told by [`Fit::fitted`].
pub fn fit_purchases(
    kind: PurchaseKind,
    histories: &Histories,
    ln_gaps: &[f64],
    settings: &ForecastSettings,
) -> Result<(Summary, Fit<PurchaseModel>), ForecastError> {
    let summary = summary_of(histories)?;
    let fit = PurchaseModel::fit_as(kind, &summary, ln_gaps, settings.penalty, settings.days_per_unit);
    Ok((summary, fit))
}

/// Fits the model of purchases to groups of the histories.
///
/// * `names`: of the groups, ascending. * `of`: group of each history.
///
/// # Errors
/// [`ForecastError::Groups`], [`ForecastError::Summary`], [`ForecastError::Lifetime`] for a group that is not there.
pub fn fit_groups(
    base: &Fit<PurchaseModel>,
    histories: &Histories,
    (names, of): (&[String], &[u32]),
    days_per_unit: f64,
) -> Result<Groups, ForecastError> {
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); names.len()];
    for (row, group) in of.iter().enumerate() {
        rows[*group as usize].push(row as u32);
    }
    let members = |(name, rows): (&String, &Vec<u32>)| -> Result<Members, SummaryError> {
        let [x, recency, age] = [&histories.frequency, &histories.recency, &histories.age]
            .map(|column| rows.iter().map(|row| column[*row as usize]).collect::<Vec<u32>>());
        let mut summary = Summary::new();
        summary.insert(&x, &recency, &age)?;
        Ok(Members { name: name.clone(), summary })
    };
    let members = names.par_iter().zip(&rows).map(members).collect::<Result<Vec<_>, _>>()?;
    Ok(Groups::fit(base, &members, days_per_unit)?)
}

/// Closed-form expectations of every history.
///
/// # Errors
/// [`ForecastError`] of a failed fit or of an expectation.
pub fn expectations(
    summary: &Summary,
    models: &Models,
    histories: &Histories,
    repeat_spend: &[f64],
    settings: &ForecastSettings,
) -> Result<Expectations, ForecastError> {
    let model = models.population()?;
    let spend = KnownSpend::new(models.spend.fitted()?, models.mean_amount, histories, repeat_spend);
    // One model knows equal histories as one.
    let alike = model.customers().is_none();
    let alike = alike.then(|| summary.locate(&histories.frequency, &histories.recency, &histories.age)).transpose()?;
    let Ahead { p_alive, residual, outlook, for_ever } = match &alike {
        Some(alike) => ahead(&model, summary, &Histories::distinct(summary), settings)?.placed(alike),
        None => ahead(&model, summary, histories, settings)?,
    };
    Ok(Expectations {
        alike,
        for_ever,
        outlook,
        purchases: p_alive.iter().zip(&residual).map(|(p, residual)| p * residual.purchases).collect(),
        recency: histories.recency.iter().map(|days| f64::from(*days) / settings.days_per_unit).collect(),
        age: histories.age.iter().map(|days| f64::from(*days) / settings.days_per_unit).collect(),
        p_alive,
        residual,
        spend,
    })
}

/// What follows from a history and its model alone, one row a history.
struct Ahead {
    p_alive: Vec<f64>,
    residual: Vec<Residual>,
    outlook: Vec<Outlook>,
    for_ever: Option<Vec<Option<f64>>>,
}

impl Ahead {
    /// A row for each number of one.
    fn placed(self, at: &[u32]) -> Self {
        fn place<T: Copy + Send + Sync>(values: &[T], at: &[u32]) -> Vec<T> {
            at.par_iter().map(|row| values[*row as usize]).collect()
        }
        Self {
            p_alive: place(&self.p_alive, at),
            residual: place(&self.residual, at),
            outlook: place(&self.outlook, at),
            for_ever: self.for_ever.map(|values| place(&values, at)),
        }
    }
}

fn ahead(
    model: &Population,
    summary: &Summary,
    histories: &Histories,
    settings: &ForecastSettings,
) -> Result<Ahead, ForecastError> {
    let (horizon, timing) = (horizon(settings), timing(settings));
    let Predictions { p_alive, residual } = predictions(model, summary, histories, settings)?;
    let longest = LONGEST_WAIT_DAYS / settings.days_per_unit;
    let outlook = model.outlooks(histories, &p_alive, settings.days_per_unit, (horizon, longest))?;
    let for_ever = if timing.delta > 0.0 {
        model.discounted_purchases_for_ever(histories, &p_alive, settings.days_per_unit, timing)
    } else {
        None
    };
    Ok(Ahead { p_alive, residual, outlook, for_ever })
}

/// P(alive), and what is left to a customer who is alive, under the settings' discounting.
fn predictions(
    model: &Population,
    summary: &Summary,
    histories: &Histories,
    settings: &ForecastSettings,
) -> Result<Predictions, ForecastError> {
    let (horizon, timing) = (horizon(settings), timing(settings));
    let found = model.predict(summary, histories, settings.days_per_unit, (horizon, timing.delta))?;
    let Some(periods) = timing.periods() else { return Ok(found) };
    let residual = model.residuals_per_period(histories, settings.days_per_unit, horizon, periods)?;
    Ok(Predictions { residual, ..found })
}

/// What expected values are made of beside rates of contribution, one row a history.
#[derive(Clone, Debug, Default)]
pub struct ValueDrivers {
    /// P(alive).
    pub p_alive: Vec<f64>,
    /// Expected discounted time alive to the horizon, model time units, P(alive) included.
    pub lifetime: Vec<f64>,
    /// Expected discounted purchases to the horizon, P(alive) included.
    pub purchases: Vec<f64>,
    /// Expected amount of a purchase, major units.
    pub spend: Vec<f64>,
}

/// The drivers of expected values of other histories than the models were fitted to, or at another discount rate.
///
/// * `population`: the model of each history. * `repeat_spend`: as for the fit.
///
/// # Errors
/// [`ForecastError`] of a failed fit or of an expectation.
pub fn value_drivers(
    (models, population): (&Models, &Population),
    histories: &Histories,
    repeat_spend: &[f64],
    settings: &ForecastSettings,
) -> Result<ValueDrivers, ForecastError> {
    if histories.customer.is_empty() {
        return Ok(ValueDrivers::default());
    }
    let spend = KnownSpend::new(models.spend.fitted()?, models.mean_amount, histories, repeat_spend);
    let Predictions { p_alive, residual } = predictions(population, &summary_of(histories)?, histories, settings)?;
    let times = |of: fn(&Residual) -> f64| p_alive.iter().zip(&residual).map(|(p, left)| p * of(left)).collect();
    Ok(ValueDrivers {
        lifetime: times(|left| left.discounted_alive_time),
        purchases: times(|left| left.discounted_purchases),
        spend: spend.means(&histories.frequency),
        p_alive,
    })
}

impl Expectations {
    /// Discounted purchases expected to the horizon, of the history in `row`.
    #[must_use]
    pub fn discounted_purchases(&self, row: usize) -> f64 {
        self.p_alive[row] * self.residual[row].discounted_purchases
    }

    /// What is known of the spend of new customers like those in `rows`: as of these, or the prior of amounts of either sign.
    pub(super) fn spend_of_newcomers(&self, rows: &[u32]) -> KnownSpend {
        match &self.spend {
            KnownSpend::GammaGamma { p, posterior } => {
                KnownSpend::GammaGamma { p: *p, posterior: rows.iter().map(|row| posterior[*row as usize]).collect() }
            }
            KnownSpend::Normal { model, .. } => KnownSpend::Normal { model: *model, total: vec![0.0; rows.len()] },
        }
    }

    /// Discounted time alive expected to the horizon, of the history in `row`, model time units.
    #[must_use]
    pub fn discounted_lifetime(&self, row: usize) -> f64 {
        self.p_alive[row] * self.residual[row].discounted_alive_time
    }
}

/// Length of the future in model time units.
#[must_use]
pub fn horizon(settings: &ForecastSettings) -> f64 {
    f64::from(settings.horizon_days) / settings.days_per_unit
}

/// When what is to come counts, in model time units: at the continuous rate `ln(1 + rate) · days per unit / 365.25`.
#[must_use]
pub fn timing(settings: &ForecastSettings) -> Timing {
    timing_by(settings, settings.days_per_unit)
}

/// When what is to come counts, in days.
#[must_use]
pub fn timing_in_days(settings: &ForecastSettings) -> Timing {
    timing_by(settings, 1.0)
}

fn timing_by(settings: &ForecastSettings, days_per_unit: f64) -> Timing {
    let delta = libm::log1p(settings.discount_rate_per_year) * days_per_unit / DAYS_PER_YEAR;
    Timing { delta, period: settings.discounting.days().map(|days| days / days_per_unit) }
}

fn customers<'a>(
    histories: &'a Histories,
    expectations: &'a Expectations,
    rates: &'a Rates,
    keys: &'a [u64],
) -> Customers<'a> {
    Customers {
        frequency: &histories.frequency,
        recency: &expectations.recency,
        age: &expectations.age,
        p_alive: &expectations.p_alive,
        spend: expectations.spend.spend(),
        margin_rate: &rates.margin_rate,
        order_cost: &rates.order_cost,
        sustaining_rate: &rates.sustaining_rate,
        key: keys,
    }
}

/// Closed-form lifetime value of every history, major units.
///
/// # Errors
/// [`ForecastError`] of rates out of range.
pub fn expected_values(
    histories: &Histories,
    expectations: &Expectations,
    rates: &Rates,
    keys: &[u64],
) -> Result<Vec<f64>, ForecastError> {
    let customers = customers(histories, expectations, rates, keys);
    Ok(lifetime::expected(&customers, &expectations.residual)?)
}

/// Monte Carlo lifetime value of every history, and joint totals of segmentations.
///
/// * `keys`: published hash of each customer's id.
/// * `progress`: told the histories done so far, from any thread.
///
/// # Errors
/// [`ForecastError`] of a failed fit or of inputs out of range.
#[expect(clippy::too_many_arguments, reason = "one slice a property, as the kernels take them")]
pub fn simulate(
    models: &Models,
    histories: &Histories,
    expectations: &Expectations,
    rates: &Rates,
    keys: &[u64],
    settings: &ForecastSettings,
    (seed, minor_per_major): (u64, i64),
    segmentations: &[Segmentation<'_>],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Simulation, ForecastError> {
    let customers = customers(histories, expectations, rates, keys);
    let what = simulate::Settings {
        model: models.population()?,
        horizon: horizon(settings),
        timing: timing(settings),
        paths: settings.paths,
        seed,
        quantiles: settings.quantiles.iter().map(|quantile| quantile.level()).collect(),
        worst_one_in: WORST_ONE_IN,
        minor_per_major: minor_per_major as f64,
        waits: settings.simulated_waits,
        parameter_draws: models.parameter_draws(settings, seed),
    };
    Ok(simulate::simulate(&what, &customers, segmentations, progress)?)
}
