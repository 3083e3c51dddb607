//! BG/BB: purchases at opportunities.

use super::{Scored, scores};
use crate::{
    forecast::{error::ForecastError, opportunity_holdout::OpportunityHoldout},
    pipeline::{Clock, Ledgers, RunError},
    schema::{
        period::format_day,
        renewals::RenewalTerm,
        settings::{ForecastSettings, Settings},
    },
};

/// The model and the baselines.
///
/// # Errors
/// [`RunError::Forecast`].
pub(super) fn scored(
    settings: &Settings,
    setting: &ForecastSettings,
    ledgers: &Ledgers,
    days: u32,
    clock: &mut Clock,
) -> Result<Scored, RunError> {
    let log = ledgers.purchases.as_ref().ok_or(ForecastError::NoPurchases)?;
    // Every time unit of a config has its term.
    let term = RenewalTerm::of_time_unit(&setting.time_unit).unwrap_or(RenewalTerm::Days(1));
    let holdout = OpportunityHoldout::new(log, ledgers.as_of, days, term).map_err(ForecastError::from)?;
    let observed = &holdout.observed;
    clock.start("models", Some(observed.customers() as u64));
    let mut rows = vec![holdout.model()];
    rows.extend(holdout.baselines().map_err(ForecastError::from)?);
    let opportunities = match holdout.opportunities() {
        1 => format!("the {}", setting.time_unit),
        number => format!("the {number} {}s", setting.time_unit),
    };
    let title = format!("{}, purchases in {opportunities} after {}", settings.name, format_day(observed.cut));
    Ok(scores::scored(&title, &rows, observed))
}
