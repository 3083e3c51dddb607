//! The forecast of a business under contract: who is a customer is known, and how long each will stay is not.

use super::{
    Clock, Ledgers, RunError,
    earnings::Earnings,
    grouping::Rows,
    newcomers::{ByPeriod, NewCustomers, spent},
};
use crate::{
    forecast::{
        contract_model::{ContractCalendar, ContractModel, Prospect},
        contract_simulation::{self, ContractCustomers, ContractSettings},
        contribution,
        fit::Fit,
        predict::{self, ForecastError},
        simulate::{Segmentation, Simulation},
        spells::{Spell, spells},
        stratified::Strata,
    },
    schema::{
        costs::LayerCosts,
        facts::NO_DAY,
        forecasting::ContractKind,
        margins::Margins,
        renewals::RenewalTerm,
        settings::{ForecastSettings, Settings},
    },
    units::{Day, Minor},
};
use rayon::prelude::*;

/// Customers who were ever under contract, one row each, in the order of the run's customers.
pub(super) struct Contracts {
    pub(super) kind: ContractKind,
    pub(super) fit: Fit<ContractModel>,
    /// How a saved fit came to be.
    pub(super) origin: Option<String>,
    /// Row of each in the customers of the run.
    pub(super) customer: Vec<u32>,
    /// First day of the first contract.
    came: Vec<Day>,
    /// First day of the contract that goes on at `as_of`; `None` for one who has left.
    start: Vec<Option<Day>>,
    /// Periods paid for so far.
    paid: Vec<f64>,
    key: Vec<u64>,
    calendar: ContractCalendar,
    /// Expected periods up to the horizon.
    pub(super) periods: Vec<f64>,
    /// The same, discounted.
    pub(super) discounted: Vec<f64>,
    /// The same for ever; `None` without a discount rate.
    pub(super) for_ever: Vec<Option<f64>>,
    /// The probability of being under contract at the horizon.
    pub(super) at_horizon: Vec<f64>,
}

impl Contracts {
    /// Fits the model to all contracts and foretells those that go on.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit, or without a contract.
    pub(super) fn new(
        kind: ContractKind,
        setting: &ForecastSettings,
        ledgers: &Ledgers,
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let contracts = ledgers.contracts.as_deref().map(Vec::as_slice).unwrap_or_default();
        clock.start("fit_contracts", Some(contracts.len() as u64));
        let calendar = calendar(setting, ledgers.as_of);
        let spells = spells(contracts, ledgers.as_of, setting.grace_days);
        if spells.is_empty() {
            return Err(ForecastError::NoContracts.into());
        }
        let saved = ledgers.saved.as_ref().and_then(|saved| Some((saved.contracts()?.clone(), saved.origin())));
        let (fit, origin) = match saved {
            Some((fit, origin)) => (fit, Some(origin)),
            None => (ContractModel::fit(kind, &spells, &calendar, setting.contracts_from), None),
        };
        let model = *fit.fitted().map_err(ForecastError::from)?;
        clock.start("forecast", Some(spells.len() as u64));
        let customers: Vec<&[Spell]> = spells.chunk_by(|a, b| a.customer == b.customer).collect();
        let customer: Vec<u32> = customers.iter().map(|spells| spells[0].customer).collect();
        let came = customers.iter().map(|spells| spells[0].start).collect();
        let start: Vec<Option<Day>> = customers
            .iter()
            .map(|spells| spells.last().filter(|last| last.end.is_none()).map(|last| last.start))
            .collect();
        let first = ledgers.facts.first_purchase.iter().copied().filter(|day| *day != NO_DAY).min();
        let paid: Vec<f64> = customers
            .iter()
            .map(|spells| spells.iter().map(|spell| paid_for(spell, kind, &calendar, first)).sum())
            .collect();
        let prospects = Prospects::new(&model, &start, &calendar)?;
        let of = |value: fn(&Prospect) -> f64| -> Vec<f64> {
            start.iter().map(|start| start.map_or(0.0, |start| value(prospects.of(start)))).collect()
        };
        let (periods, discounted, at_horizon) =
            (of(Prospect::expected), of(Prospect::discounted), of(Prospect::at_horizon));
        let for_ever = prospects.for_ever(&model, &start, &calendar);
        let key = customer.iter().map(|row| ledgers.customers.hash[*row as usize]).collect();
        Ok(Self {
            kind,
            fit,
            origin,
            customer,
            came,
            start,
            paid,
            key,
            calendar,
            periods,
            discounted,
            for_ever,
            at_horizon,
        })
    }

    /// Contribution of a period in major units, expected value in minor units, and what new customers bring, under the margins
    /// of a world.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit.
    pub(super) fn value(
        &self,
        settings: &Settings,
        ledgers: &Ledgers,
        money: (&Margins, &LayerCosts),
    ) -> Result<Valued, RunError> {
        let per_major = settings.currency.minor_per_major() as f64;
        let earned = Earnings::new(ledgers, money, &self.customer, per_major).contribution();
        let contribution = contribution::per_period(&earned, &self.paid);
        let expected = self.discounted.iter().zip(&contribution);
        let expected =
            expected.map(|(periods, value)| (periods * value * per_major).round_ties_even() as Minor).collect();
        let new_customers = match &settings.forecast {
            None => Vec::new(),
            Some(setting) => {
                let newcomer = self.fit.fitted().map_err(ForecastError::from)?.newcomer(&self.calendar);
                let by_period = ByPeriod {
                    rows: Rows { customer: &self.customer, came: &|row| self.came[row] },
                    spent: &spent(ledgers, &self.customer, per_major),
                    contributed: (&earned, &self.paid),
                    kept: None,
                };
                let newcomer = newcomer.map_err(ForecastError::from)?;
                by_period.new_customers((setting, ledgers, money.0), per_major, newcomer)
            }
        };
        Ok((contribution, expected, new_customers))
    }

    /// P(under contract) at `as_of`: known, 1 or 0.
    pub(super) fn p_alive(&self, at: usize) -> f64 {
        f64::from(u8::from(self.start[at].is_some()))
    }

    /// Simulates every customer.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn simulate(
        &self,
        (settings, setting): (&Settings, &ForecastSettings),
        contribution: &[f64],
        segmentations: &[Segmentation<'_>],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Simulation, RunError> {
        let what = ContractSettings {
            calendar: self.calendar,
            models: ruling(&self.fit, (settings, setting), ContractModel::draw_parameters)?,
            strata: strata(settings, setting),
        };
        let customers = ContractCustomers { start: &self.start, contribution, key: &self.key };
        let found = contract_simulation::simulate(&what, &customers, segmentations, progress);
        Ok(found.map_err(ForecastError::from)?)
    }
}

/// Contribution of a period, expected value, and what new customers bring.
pub(super) type Valued = (Vec<f64>, Vec<Minor>, Vec<NewCustomers>);

/// The models that rule the paths of a simulation: the fitted one, or draws of its parameters where the settings ask for
/// them and the fit has any.
///
/// * `draw`: as [`ContractModel::draw_parameters`].
pub(super) fn ruling<M: Copy>(
    fit: &Fit<M>,
    (settings, setting): (&Settings, &ForecastSettings),
    draw: fn(&Fit<M>, u32, u64) -> Vec<M>,
) -> Result<Vec<M>, ForecastError> {
    let drawn = if setting.parameter_uncertainty { draw(fit, setting.paths, settings.seed) } else { Vec::new() };
    if drawn.is_empty() { Ok(vec![*fit.fitted()?]) } else { Ok(drawn) }
}

/// Paths of a simulation by strata.
pub(super) fn strata(settings: &Settings, setting: &ForecastSettings) -> Strata {
    Strata {
        paths: setting.paths,
        seed: settings.seed,
        quantiles: settings.levels(),
        worst_one_in: predict::WORST_ONE_IN,
        minor_per_major: settings.currency.minor_per_major() as f64,
    }
}

/// The calendar of a forecast.
pub(super) fn calendar(setting: &ForecastSettings, as_of: Day) -> ContractCalendar {
    ContractCalendar {
        as_of,
        // Every time unit of a config has its term.
        term: RenewalTerm::of_time_unit(&setting.time_unit).unwrap_or(RenewalTerm::Days(1)),
        days_per_unit: setting.days_per_unit,
        horizon_days: setting.horizon_days,
        delta: predict::delta(setting),
    }
}

/// Periods that a customer paid for since the ledger begins: days of renewal, or time under contract.
fn paid_for(spell: &Spell, kind: ContractKind, calendar: &ContractCalendar, first: Option<Day>) -> f64 {
    let first = first.unwrap_or(spell.start);
    let last = spell.end.unwrap_or(calendar.as_of);
    if last < first {
        return 0.0;
    }
    if !kind.has_renewals() {
        return f64::from(last.abs_diff(first.max(spell.start)) + 1) / calendar.days_per_unit;
    }
    // The first payment is made on the first day.
    let up_to = |day: Day| if day < spell.start { 0 } else { calendar.term.renewals(spell.start, day) + 1 };
    f64::from(up_to(last) - up_to(first - 1))
}

/// The prospects of the days on which contracts that go on began.
struct Prospects {
    starts: Vec<Day>,
    found: Vec<Prospect>,
}

impl Prospects {
    fn new(model: &ContractModel, start: &[Option<Day>], calendar: &ContractCalendar) -> Result<Self, ForecastError> {
        let mut starts: Vec<Day> = start.iter().flatten().copied().collect();
        starts.par_sort_unstable();
        starts.dedup();
        let found = starts.par_iter().map(|start| model.prospect(*start, calendar)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { starts, found })
    }

    fn of(&self, start: Day) -> &Prospect {
        &self.found[self.number(start)]
    }

    fn number(&self, start: Day) -> usize {
        self.starts.partition_point(|other| *other < start)
    }

    /// Discounted periods for ever of every customer; `None` without a discount rate, or where the sum does not converge.
    fn for_ever(&self, model: &ContractModel, start: &[Option<Day>], calendar: &ContractCalendar) -> Vec<Option<f64>> {
        if calendar.delta == 0.0 {
            return vec![None; start.len()];
        }
        let found: Vec<Option<f64>> =
            self.starts.par_iter().map(|start| model.periods_for_ever(*start, calendar).ok()).collect();
        start.iter().map(|start| start.map_or(Some(0.0), |start| found[self.number(start)])).collect()
    }
}
