//! `whalecurve fit`: the models of a config's forecast, fitted and saved.

use std::sync::Arc;

use camino::Utf8Path;

use super::{
    Clock, Gathered, Ledgers, Progress, RunError,
    choice::Choice,
    contract_choice::ContractChoice,
    contractual::Contracts,
    facts,
    forecast::{spend_levels, spread_within},
    model_file::{SavedFits, SavedModels, SavedPurchases},
    opportunistic::Opportunistic,
    pooled::PooledGroups,
};
use crate::{
    forecast::{error::ForecastError, histories::Histories, known_spend},
    schema::{
        forecasting::ModelChoice,
        settings::{ForecastSettings, Settings},
    },
};

/// What was fitted.
#[derive(Debug)]
pub struct Fitted {
    /// The models, as written.
    pub models: SavedModels,
    /// Why it is this model, where the config left it open.
    pub why: Option<String>,
    /// What a reader must know of the groups.
    pub notes: Vec<String>,
}

/// Reads the ledger, fits, and writes the models; a fit that failed is not written.
///
/// # Errors
/// [`RunError`]; the file has not changed then.
pub fn fit(settings: &Settings, file: &Utf8Path, progress: Arc<dyn Progress>) -> Result<Fitted, RunError> {
    let mut clock = Clock::new(progress);
    let setting = settings.forecast.as_ref().ok_or(RunError::NoForecast)?;
    let Gathered { ledgers, .. } = facts(settings, setting.needs_purchase_days(), &mut clock)?;
    let (fits, why, notes) = match setting.model {
        ModelChoice::Contract(kind) => {
            let found = Contracts::new(kind, setting, &ledgers, &mut clock)?;
            let ContractChoice { kind, fit, why, .. } = found.choice;
            (SavedFits::Contracts(kind, Box::new(fit)), why, Vec::new())
        }
        ModelChoice::BgBb => {
            let found = Opportunistic::new(setting, &ledgers, &mut clock)?;
            (SavedFits::Opportunities(Box::new(found.fit)), None, Vec::new())
        }
        ModelChoice::One(_) | ModelChoice::Auto => purchases(settings, setting, &ledgers, &mut clock)?,
    };
    let models = SavedModels { as_of: ledgers.as_of, days_per_unit: setting.days_per_unit, fits };
    models.write(file)?;
    clock.stop();
    Ok(Fitted { models, why, notes })
}

/// The models of purchases and of spend, why it is this one, and what must be known of the groups.
fn purchases(
    settings: &Settings,
    setting: &ForecastSettings,
    ledgers: &Ledgers,
    clock: &mut Clock,
) -> Result<(SavedFits, Option<String>, Vec<String>), RunError> {
    let histories = Histories::new(&ledgers.facts, ledgers.as_of);
    let Choice { fit: purchases, kind, why, covariates, .. } = Choice::new(setting, ledgers, &histories, clock)?;
    clock.start("fit_spend", Some(histories.customer.len() as u64));
    let per_major = settings.currency.minor_per_major() as f64;
    let repeat: Vec<f64> =
        histories.customer.iter().map(|row| ledgers.facts.repeat_revenue[*row as usize] as f64 / per_major).collect();
    let squares = spread_within(settings, &histories, ledgers);
    let mut spend = known_spend::fit_spend(setting.spend, &histories, &repeat, &squares);
    known_spend::check_spend(&mut spend, &histories, &repeat);
    let (spend, levels) = spend_levels(setting, ledgers, &histories, (&repeat, &squares), spend);
    purchases.fitted().map_err(ForecastError::from)?;
    spend.fitted().map_err(ForecastError::from)?;
    let groups = PooledGroups::new(setting, ledgers, &histories, &purchases, clock)?;
    let notes = groups.as_ref().map(PooledGroups::notes).unwrap_or_default();
    let groups = groups.map(|pooled| (pooled.by, pooled.groups));
    let covariates = covariates.and_then(|found| found.fit.fitted().ok().cloned());
    let repeat = match &levels {
        Some((levels, level)) => levels.without(&histories.frequency, &repeat, level),
        None => repeat,
    };
    let mean_amount = known_spend::mean_amount(&spend, &histories.frequency, &repeat);
    let spend_levels = levels.map(|levels| levels.0);
    let saved = SavedPurchases { kind, purchases, covariates, spend, mean_amount, groups, spend_levels };
    Ok((SavedFits::Purchases(Box::new(saved)), why, notes))
}
