//! `whalecurve fit`: the models of a config's forecast, fitted and saved.

use std::sync::Arc;

use camino::Utf8Path;

use super::{
    Clock, Gathered, Progress, RunError, StageTime,
    choice::{Choice, purchases_alone},
    facts,
    model_file::SavedModels,
    pooled::PooledGroups,
};
use crate::{
    forecast::predict::{self, ForecastError, Histories},
    schema::settings::{PurchaseKind, Settings},
};

/// What was fitted.
#[derive(Debug)]
pub struct Fitted {
    /// The models, as written.
    pub models: SavedModels,
    /// Which model of purchases it is, and why where the config left it open.
    pub kind: PurchaseKind,
    /// See `kind`.
    pub why: Option<String>,
    /// What a reader must know of the groups.
    pub notes: Vec<String>,
    /// Stage times.
    pub times: Vec<StageTime>,
}

/// Reads the ledger, fits, and writes the models; a fit that failed is not written.
///
/// # Errors
/// [`RunError`]; the file has not changed then.
pub fn fit(settings: &Settings, file: &Utf8Path, progress: Arc<dyn Progress>) -> Result<Fitted, RunError> {
    let mut clock = Clock::new(progress);
    let setting = settings.forecast.as_ref().ok_or(RunError::NoForecast)?;
    purchases_alone(Some(setting), "fit")?;
    let Gathered { ledgers, .. } = facts(settings, setting.model.needs_purchase_days(), &mut clock)?;
    let histories = Histories::new(&ledgers.facts, ledgers.as_of);
    let Choice { fit: purchases, kind, why, covariates, .. } = Choice::new(setting, &ledgers, &histories, &mut clock)?;
    clock.start("fit_spend", Some(histories.customer.len() as u64));
    let per_major = settings.currency.minor_per_major() as f64;
    let repeat: Vec<f64> =
        histories.customer.iter().map(|row| ledgers.facts.repeat_revenue[*row as usize] as f64 / per_major).collect();
    let mut spend = predict::fit_spend(setting.spend, &histories, &repeat);
    predict::check_spend(&mut spend, &histories, &repeat);
    purchases.fitted().map_err(ForecastError::from)?;
    spend.fitted().map_err(ForecastError::from)?;
    let groups = PooledGroups::new(setting, &ledgers, &histories, &purchases, &mut clock)?;
    let notes = groups.as_ref().map(PooledGroups::notes).unwrap_or_default();
    let groups = groups.map(|pooled| (pooled.by, pooled.groups));
    let covariates = covariates.and_then(|found| found.fit.fitted().ok().cloned());
    let (as_of, days_per_unit) = (ledgers.as_of, setting.days_per_unit);
    let models = SavedModels { as_of, days_per_unit, purchases, covariates, spend, groups };
    models.write(kind, file)?;
    clock.stop();
    Ok(Fitted { models, kind, why, notes, times: clock.times })
}
