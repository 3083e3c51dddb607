//! Models of purchases at any time.

use super::{Scored, scores};
use crate::{
    forecast::{error::ForecastError, holdout::Holdout, observed::Assessment},
    pipeline::{Clock, Ledgers, RunError, grouping::Grouping},
    schema::{
        period::format_day,
        settings::{PurchaseKind, Settings},
    },
};

/// Days of the model's time unit where the config has no forecast.
const WEEKS: f64 = 7.0;

/// Every model, with groups and covariates where the config has them, and the baselines.
///
/// # Errors
/// [`RunError::Forecast`].
pub(super) fn scored(settings: &Settings, ledgers: &Ledgers, days: u32, clock: &mut Clock) -> Result<Scored, RunError> {
    let days_per_unit = settings.forecast.as_ref().map_or(WEEKS, |forecast| forecast.days_per_unit);
    let log = ledgers.purchases.as_ref().ok_or(ForecastError::NoPurchases)?;
    let holdout = Holdout::new(log, ledgers.as_of, days, days_per_unit).map_err(ForecastError::from)?;
    let observed = &holdout.observed;
    let customers = Some(observed.customers() as u64);
    clock.start("models", customers);
    let mut rows: Vec<Assessment> = Vec::new();
    let penalty = settings.forecast.as_ref().and_then(|forecast| forecast.penalty);
    let kinds = if penalty.is_some() { PurchaseKind::CONTINUOUS.as_slice() } else { PurchaseKind::ALL.as_slice() };
    for kind in kinds {
        rows.push(holdout.model(*kind, penalty).map_err(ForecastError::from)?);
    }
    if let Some(by) = settings.forecast.as_ref().and_then(|forecast| forecast.pool_by) {
        clock.start("groups", customers);
        let grouping = Grouping::new(by, ledgers, holdout.histories(), observed.cut);
        let continuous =
            rows.iter().filter(|row| PurchaseKind::CONTINUOUS.iter().any(|kind| kind.as_str() == row.method));
        let pooled = continuous.map(|row| holdout.groups(row, (&grouping.names, &grouping.of)));
        let pooled = pooled.collect::<Result<Vec<_>, _>>().map_err(ForecastError::from)?;
        rows.extend(pooled.into_iter().flatten());
    }
    if let Some(wanted) = settings.forecast.as_ref().and_then(|forecast| forecast.covariates.as_ref()) {
        for kind in PurchaseKind::CONTINUOUS {
            let found = holdout.with_covariates(kind, &ledgers.covariates, wanted).map_err(ForecastError::from)?;
            rows.push(found);
        }
    }
    clock.start("baselines", customers);
    rows.extend(holdout.baselines().map_err(ForecastError::from)?);
    let title =
        format!("{}, purchases in the {} days after {}", settings.name, observed.days, format_day(observed.cut));
    Ok(scores::scored(&title, &rows, observed))
}
