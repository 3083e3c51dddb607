//! Which model of contracts a run uses, and why.

use super::{
    Clock, Ledgers, RunError,
    choice::{SHORTEST_HOLDOUT, first_usable},
};
use crate::{
    forecast::{
        contract_calendar::ContractCalendar,
        contract_holdout::{ContractAssessment, ContractHoldout},
        contract_model::ContractModel,
        error::ForecastError,
        fit::Fit,
        observed::{self, Assessment},
        spells::Spell,
    },
    schema::{forecasting::ContractKind, settings::ForecastSettings},
    units::Day,
};

/// The model of a run, fitted to all contracts.
pub(super) struct ContractChoice {
    pub(super) kind: ContractKind,
    pub(super) fit: Fit<ContractModel>,
    /// The models that were tried.
    pub(super) tried: Vec<ContractAssessment>,
    /// Customers and days of the holdout that they were scored on; `None` where the config names the model.
    pub(super) holdout: Option<(usize, u32)>,
    /// Which of them is used.
    pub(super) used: usize,
    /// The choice in words, or how a saved fit came to be.
    pub(super) why: Option<String>,
}

impl ContractChoice {
    /// Fits the named model, or whichever foretold the holdout best and has a usable fit to all contracts.
    ///
    /// * `spells`: of all contracts.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn new(
        kind: Option<ContractKind>,
        setting: &ForecastSettings,
        ledgers: &Ledgers,
        (spells, calendar): (&[Spell], &ContractCalendar),
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let customers = Some(spells.len() as u64);
        if let Some((saved, fit)) = ledgers.saved.as_ref().and_then(|saved| Some((saved, saved.contracts()?))) {
            let kind = fit.fitted().map_err(ForecastError::from)?.kind();
            return Ok(Self { why: Some(saved.origin()), ..Self::alone(kind, fit.clone()) });
        }
        let fit = |kind| ContractModel::fit(kind, spells, calendar, setting.contracts_from);
        if let Some(kind) = kind {
            clock.start("fit_contracts", customers);
            return Ok(Self::alone(kind, fit(kind)));
        }
        clock.start("choose_model", customers);
        let contracts = ledgers.contracts.as_deref().map(Vec::as_slice).unwrap_or_default();
        let days = setting.holdout_days.unwrap_or_else(|| usual_holdout(spells, calendar, setting.contracts_from));
        let holdout = ContractHoldout::new(contracts, *calendar, days, setting.grace_days, setting.contracts_from)
            .map_err(ForecastError::from)?;
        let days = holdout.days;
        let tried: Vec<ContractAssessment> = ContractKind::ALL.into_iter().map(|kind| holdout.model(kind)).collect();
        clock.start("fit_contracts", customers);
        let unit = format!("{}s under contract", setting.time_unit);
        let (used, fit, why) = first_usable(&tried, (&unit, days, "all contracts"), |used| {
            let fit = fit(ContractKind::ALL[used]);
            Ok(observed::usable(&fit).then_some(fit))
        })?;
        let (kind, holdout) = (ContractKind::ALL[used], Some((holdout.customers(), days)));
        Ok(Self { kind, fit, tried, holdout, used, why: Some(why) })
    }

    /// The one model that was asked for.
    fn alone(kind: ContractKind, fit: Fit<ContractModel>) -> Self {
        let tried = vec![Assessment { method: kind.as_str(), fit: Some(fit.clone()), outcome: None }];
        Self { kind, fit, tried, holdout: None, used: 0, why: None }
    }
}

/// A quarter of the time that contracts are known of, but no less than a time unit, so that renewals come up in it, where that
/// leaves as much to fit to.
fn usual_holdout(spells: &[Spell], calendar: &ContractCalendar, from: Option<Day>) -> u32 {
    let first = spells.iter().map(|spell| spell.start).min().max(from);
    let known = first.map_or(0, |first| calendar.as_of.abs_diff(first));
    let unit = calendar.as_of.abs_diff(calendar.term.renewal(calendar.as_of, 1));
    (known / 4).max(unit.min(known / 2)).max(SHORTEST_HOLDOUT)
}
