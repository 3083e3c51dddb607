//! The forecast of a business under contract: who is a customer is known, and how long each will stay is not.

use super::{
    Clock, Ledgers, RunError,
    contract_choice::ContractChoice,
    earnings::{Earnings, all_is_kept},
    grouping::{Grouping, Rows},
    newcomers::{self, NewCustomers, spent},
    unit_money::{ByThen, Done, Terms, UnitMoney},
};
use crate::{
    decide::prospect::Futures,
    forecast::{
        beta_geometric::DiscountError,
        contract_calendar::ContractCalendar,
        contract_model::{ContractModel, Prospect},
        contract_simulation::{self, ContractCustomers, ContractSettings},
        contribution::Weights,
        error::ForecastError,
        fit::Fit,
        predict,
        retention::{self, Retained},
        simulate::{Segmentation, Simulation},
        spells::{Ongoing, Spell, spells},
        stratified::Strata,
    },
    schema::{
        costs::LayerCosts,
        equity::Drivers,
        facts::NO_DAY,
        forecasting::ContractKind,
        margins::Margins,
        renewals::RenewalTerm,
        settings::{ForecastSettings, Settings},
    },
    units::{Day, Minor},
};
use rayon::prelude::*;

/// Futures of a new customer that are drawn.
pub(super) const FUTURES: u32 = 10_000;

/// Customers who were ever under contract by a day, one row each, in the order of the run's customers.
struct Seen {
    /// Row of each in the customers of the run.
    customer: Vec<u32>,
    /// First day of the first contract.
    came: Vec<Day>,
    /// The different contracts that go on, ascending, and the number of each customer's among them; `None` for one who has left.
    contracts: Vec<Ongoing>,
    number: Vec<Option<u32>>,
    /// Periods paid for so far.
    paid: Vec<f64>,
    /// Whose rates of contribution are drawn together.
    together: Grouping,
}

impl Seen {
    /// * `spells`: up to the calendar's `as_of`.
    fn new(
        kind: ContractKind,
        spells: &[Spell],
        calendar: &ContractCalendar,
        (setting, ledgers): (&ForecastSettings, &Ledgers),
    ) -> Self {
        let first = first_day(ledgers);
        let customers: Vec<&[Spell]> = spells.chunk_by(|a, b| a.customer == b.customer).collect();
        let going_on = |spells: &&[Spell]| spells.last().and_then(Spell::ongoing);
        let paid = |spells: &&[Spell]| spells.iter().map(|spell| paid_for(spell, kind, calendar, first)).sum();
        let contract: Vec<Option<Ongoing>> = customers.iter().map(going_on).collect();
        let mut contracts: Vec<Ongoing> = contract.iter().flatten().copied().collect();
        contracts.par_sort_unstable();
        contracts.dedup();
        let number = |contract: &Option<Ongoing>| {
            contract.map(|contract| contracts.partition_point(|other| *other < contract) as u32)
        };
        let customer: Vec<u32> = customers.iter().map(|spells| spells[0].customer).collect();
        let came: Vec<Day> = customers.iter().map(|spells| spells[0].start).collect();
        Self {
            together: Grouping::of_rates(setting, ledgers, &Rows { customer: &customer, came: &|row| came[row] }),
            customer,
            came,
            number: contract.iter().map(number).collect(),
            paid: customers.iter().map(paid).collect(),
            contracts,
        }
    }

    /// What the model says of each contract that goes on.
    fn of_contracts<T: Send>(
        &self,
        of: impl Fn(Ongoing) -> Result<T, DiscountError> + Sync,
    ) -> Result<Vec<T>, ForecastError> {
        Ok(self.contracts.par_iter().map(|contract| of(*contract)).collect::<Result<_, _>>()?)
    }

    /// What is known of each customer by its contract; `left` of one who has left.
    fn by_customer<S, T: Copy>(&self, of_contract: &[S], left: T, value: impl Fn(&S) -> T) -> Vec<T> {
        self.number.iter().map(|number| number.map_or(left, |number| value(&of_contract[number as usize]))).collect()
    }

    /// What the expected value of each customer is made of.
    ///
    /// * `ahead`: of each, the probability of going on, and expected periods. * `spent`, `earned`: what each spent and brought by
    ///   the day.
    fn drivers(
        &self,
        (alive, discounted): (&[f64], &[f64]),
        (spent, earned): (&[f64], &Earnings),
        terms: Terms<'_>,
    ) -> Vec<Drivers> {
        let money = UnitMoney::new(self.done(spent, earned, terms.all_kept), terms.weights, self.together.grouped());
        // A period under contract is one that is paid for.
        (0..self.customer.len()).map(|row| money.drivers(row, alive[row], discounted[row], 1.0)).collect()
    }

    /// What customers did by the day.
    fn done<'a>(&'a self, spent: &'a [f64], earned: &'a Earnings, all_kept: bool) -> Done<'a> {
        Done { spent, earned, purchases: &self.paid, kept: &self.paid, all_kept }
    }
}

/// The forecast of customers who were ever under contract.
pub(super) struct Contracts {
    pub(super) choice: ContractChoice,
    /// How many stay for how long, in the records and by the model.
    pub(super) retention: Vec<Retained>,
    seen: Seen,
    key: Vec<u64>,
    calendar: ContractCalendar,
    /// The probability of going on: 1 or 0, but where the renewal is open.
    alive: Vec<f64>,
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
    /// * `kind`: `None`: whichever foretells a holdout best.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit, or without a contract.
    pub(super) fn new(
        kind: Option<ContractKind>,
        setting: &ForecastSettings,
        ledgers: &Ledgers,
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let contracts = ledgers.contracts.as_deref().map(Vec::as_slice).unwrap_or_default();
        let calendar = calendar(setting, ledgers.as_of);
        let spells = spells(contracts, ledgers.as_of, setting.grace_days);
        if spells.is_empty() {
            return Err(ForecastError::NoContracts.into());
        }
        let choice = ContractChoice::new(kind, setting, ledgers, (&spells, &calendar), clock)?;
        let model = *choice.fit.fitted().map_err(ForecastError::from)?;
        clock.start("forecast", Some(spells.len() as u64));
        let retention =
            retention::curve(&model, &spells, &calendar, setting.contracts_from).map_err(ForecastError::from)?;
        let seen = Seen::new(choice.kind, &spells, &calendar, (setting, ledgers));
        let prospects = seen.of_contracts(|contract| model.prospect(contract, &calendar))?;
        let of = |value: fn(&Prospect) -> f64| seen.by_customer(&prospects, 0.0, value);
        let alive = of(|ahead| ahead.alive);
        let (periods, discounted, at_horizon) =
            (of(|ahead| ahead.expected), of(|ahead| ahead.discounted), of(|ahead| ahead.at_horizon));
        // None without a discount rate, or where the sum does not converge.
        let for_ever = if calendar.delta == 0.0 {
            vec![None; seen.number.len()]
        } else {
            let found = seen.of_contracts(|contract| Ok(model.periods_for_ever(contract, &calendar).ok()))?;
            seen.by_customer(&found, Some(0.0), |found| *found)
        };
        let key = seen.customer.iter().map(|row| ledgers.customers.hash[*row as usize]).collect();
        Ok(Self { choice, retention, seen, key, calendar, alive, periods, discounted, for_ever, at_horizon })
    }

    /// The fitted model.
    fn model(&self) -> Result<&ContractModel, ForecastError> {
        Ok(self.choice.fit.fitted()?)
    }

    /// Rows of the customers in the run.
    pub(super) fn customers(&self) -> &[u32] {
        &self.seen.customer
    }

    /// Contribution of a period in major units with the weights that customers have in it, expected value in minor units, and what
    /// new customers bring, under the margins of a world.
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
        let Seen { customer, came, .. } = &self.seen;
        let earned = Earnings::new(ledgers, money, customer, per_major);
        let spent = spent(&ledgers.facts, customer, per_major);
        let done = self.seen.done(&spent, &earned, all_is_kept(settings));
        let together = self.seen.together.grouped();
        let weights = done.weights(together);
        let (sold, keeping) = done.per_unit(&weights, together);
        let contribution: Vec<f64> = sold.iter().zip(&keeping).map(|(sold, keeping)| sold - keeping).collect();
        let expected = self.discounted.iter().zip(&contribution);
        let expected =
            expected.map(|(periods, value)| (periods * value * per_major).round_ties_even() as Minor).collect();
        let new_customers = match &settings.forecast {
            None => Vec::new(),
            Some(setting) => {
                let newcomer = self.model()?.newcomer(&self.calendar).map_err(ForecastError::from)?;
                let rows = Rows { customer, came: &|row| came[row] };
                newcomers::by_period(
                    (setting, ledgers, money.0),
                    (&rows, done, (self.seen.together.by, &weights)),
                    newcomer,
                )
            }
        };
        Ok((contribution, weights, expected, new_customers))
    }

    /// What the expected value of each customer is made of.
    ///
    /// * `money`: in a world.
    pub(super) fn drivers(&self, money: ByThen<'_>, terms: Terms<'_>) -> Vec<Drivers> {
        let (spent, earned) = money(&self.seen.customer);
        self.seen.drivers((&self.alive, &self.discounted), (&spent, &earned), terms)
    }

    /// Expected discounted periods of each customer when a share of the loss is prevented.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit.
    pub(super) fn prolonged(&self, prevented: f64) -> Result<Vec<f64>, RunError> {
        let model = self.model()?;
        let found = self.seen.of_contracts(|contract| model.prolonged(contract, &self.calendar, prevented))?;
        Ok(self.seen.by_customer(&found, 0.0, |periods| *periods))
    }

    /// Drawn futures of a new customer who spends 1 on a period, in equal strata.
    ///
    /// # Errors
    /// [`RunError::Forecast`] of a failed fit.
    pub(super) fn futures(&self) -> Result<Futures, RunError> {
        let prospect = self.model()?.new_prospect(&self.calendar).map_err(ForecastError::from)?;
        let level = |number: u32| (f64::from(number) + 0.5) / f64::from(FUTURES);
        let periods: Vec<f64> = (0..FUTURES).map(|number| prospect.future.worth(level(number))).collect();
        Ok(Futures { spend: periods.clone(), alive_time: periods.clone(), purchases: periods })
    }

    /// What the expected values of customers of the run are made of at a day, by the model of the run: of all who had a contract by then.
    ///
    /// * `setting`: with the discount rate of that day. * `money`: by then.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn drivers_at(
        &self,
        day: Day,
        setting: &ForecastSettings,
        ledgers: &Ledgers,
        (money, terms): (ByThen<'_>, Terms<'_>),
    ) -> Result<(Vec<u32>, Vec<Drivers>), RunError> {
        let (calendar, model) = (calendar(setting, day), self.model()?);
        if calendar == self.calendar {
            return Ok((self.seen.customer.clone(), self.drivers(money, terms)));
        }
        let contracts = ledgers.contracts.as_deref().map(Vec::as_slice).unwrap_or_default();
        let spells = spells(contracts, day, setting.grace_days);
        let seen = Seen::new(self.choice.kind, &spells, &calendar, (setting, ledgers));
        let prospects = seen.of_contracts(|contract| model.prospect(contract, &calendar))?;
        let of = |value: fn(&Prospect) -> f64| seen.by_customer(&prospects, 0.0, value);
        let (spent, earned) = money(&seen.customer);
        let ahead = (of(|ahead| ahead.alive), of(|ahead| ahead.discounted));
        let drivers = seen.drivers((&ahead.0, &ahead.1), (&spent, &earned), terms);
        Ok((seen.customer, drivers))
    }

    /// The probability of going on beyond `as_of`: known, 1 or 0, but where the renewal is open.
    pub(super) fn p_alive(&self, at: usize) -> f64 {
        self.alive[at]
    }

    /// Whether the customer has left.
    pub(super) fn has_left(&self, at: usize) -> bool {
        self.seen.number[at].is_none()
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
            models: ruling(&self.choice.fit, (settings, setting), ContractModel::draw_parameters)?,
            strata: strata(settings, setting),
        };
        let customers = ContractCustomers {
            contracts: &self.seen.contracts,
            contract: &self.seen.number,
            contribution,
            key: &self.key,
        };
        let found = contract_simulation::simulate(&what, &customers, segmentations, progress);
        Ok(found.map_err(ForecastError::from)?)
    }
}

/// Contribution of a period with its weights, expected value, and what new customers bring.
pub(super) type Valued = (Vec<f64>, Weights, Vec<Minor>, Vec<NewCustomers>);

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
        delta: predict::timing(setting).delta,
        discounting: setting.discounting,
    }
}

/// Periods that a customer paid for since the ledger begins: days of renewal, or time under contract.
fn paid_for(spell: &Spell, kind: ContractKind, calendar: &ContractCalendar, first: Option<Day>) -> f64 {
    let first = first.unwrap_or(spell.start);
    let last = spell.last_day(calendar.as_of);
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

/// The day on which the ledger begins.
fn first_day(ledgers: &Ledgers) -> Option<Day> {
    ledgers.facts.first_purchase.iter().copied().filter(|day| *day != NO_DAY).min()
}
