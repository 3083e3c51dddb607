//! Whichever model of contracts a run uses, behind one face.
//!
//! With chances to leave ([`beta_geometric`](super::beta_geometric), [`beta_weibull`](super::beta_weibull)) a customer pays
//! for a period on every day of renewal; in continuous time ([`exponential_gamma`](super::exponential_gamma),
//! [`weibull_gamma`](super::weibull_gamma)) it pays for as long as it stays. What is expected of both is a number of
//! periods, and what they are worth is their discounted number times the contribution of one.

use super::any_time::AnyTime;
use super::beta_geometric::{DiscountError, Horizon, ShiftedBetaGeometric, rate, units_for_ever};
use super::beta_weibull::BetaDiscreteWeibull;
use super::contract_calendar::ContractCalendar;
use super::exponential_gamma::ExponentialGamma;
use super::fit::Fit;
use super::spells::{self, Ongoing, Spell};
use super::uncertainty::{Around, DRAWS};
use super::weibull_gamma::WeibullGamma;
use crate::numeric::discounting::Timing;
use crate::numeric::philox::Stream;
use crate::numeric::sums::Compensated;
use crate::schema::forecasting::ContractKind;
use crate::units::Day;
use serde::Serialize;

/// Purpose of this module's random streams.
const PARAMETERS: u64 = 0x7061_7261_6d65_7403;

/// Parameters of a model of contracts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ContractModel {
    /// Chances to leave, with probabilities that differ between customers.
    BetaGeometric(ShiftedBetaGeometric),
    /// The same, with probabilities that change as a customer stays.
    BetaWeibull(BetaDiscreteWeibull),
    /// Leaving at any time, at rates that differ between customers.
    ExponentialGamma(ExponentialGamma),
    /// The same, with rates that change as a customer stays.
    WeibullGamma(WeibullGamma),
}

/// How customers under contract leave.
pub(super) enum Leaving<'a> {
    /// On a day of renewal: the share of those who made the one before that make the one with a number.
    AtRenewals(Box<dyn Fn(u32) -> f64 + 'a>),
    /// At any time.
    AnyTime(&'a dyn AnyTime),
}

/// What may come of a customer under contract: how long it stays.
#[derive(Debug, Clone)]
pub enum Future {
    /// Renewals up to the horizon.
    Renewals {
        /// The probability of making each of them, falling.
        made: Vec<f64>,
        /// What all up to each of them are worth, discounted, where a period is worth 1.
        worth: Vec<f64>,
    },
    /// Time under contract up to the horizon.
    Time {
        /// The model, of continuous time.
        model: ContractModel,
        /// Time under contract so far, model time units.
        age: f64,
        /// Length of the future.
        horizon: f64,
        /// When it counts.
        timing: Timing,
    },
}

/// What is expected of a customer under contract.
#[derive(Debug, Clone)]
pub struct Prospect {
    /// What may come of it.
    pub future: Future,
    /// Expected periods up to the horizon: renewals, or time under contract.
    pub expected: f64,
    /// What they are worth, discounted, where a period is worth 1.
    pub discounted: f64,
    /// The probability of going on beyond `as_of`: 1, but of a contract whose renewal is open.
    pub alive: f64,
    /// The probability of being under contract at the horizon.
    pub at_horizon: f64,
}

impl ContractModel {
    /// Fits the model of this kind to times under contract.
    ///
    /// * `from`: as in [`spells::tenures`].
    ///
    /// A fit that failed is told by [`Fit::fitted`], one of impossible spells too.
    #[must_use]
    pub fn fit(kind: ContractKind, spells: &[Spell], calendar: &ContractCalendar, from: Option<Day>) -> Fit<Self> {
        let impossible = |why: &dyn std::fmt::Display| {
            Fit::failed(kind.as_str(), kind.parameters(), spells.len() as u64, &why.to_string())
        };
        let unit = calendar.days_per_unit;
        match kind {
            ContractKind::BetaGeometric | ContractKind::BetaWeibull => {
                match spells::tenures(spells, calendar.as_of, calendar.term, from) {
                    Err(error) => impossible(&error),
                    Ok(tenures) if kind == ContractKind::BetaGeometric => {
                        ShiftedBetaGeometric::fit(&tenures).map(Self::BetaGeometric)
                    }
                    Ok(tenures) => BetaDiscreteWeibull::fit(&tenures).map(Self::BetaWeibull),
                }
            }
            ContractKind::ExponentialGamma | ContractKind::WeibullGamma => {
                match spells::durations(spells, calendar.as_of, from) {
                    Err(error) => impossible(&error),
                    Ok(durations) if kind == ContractKind::ExponentialGamma => {
                        ExponentialGamma::fit(&durations, unit).map(Self::ExponentialGamma)
                    }
                    Ok(durations) => WeibullGamma::fit(&durations, unit).map(Self::WeibullGamma),
                }
            }
        }
    }

    /// Which model it is.
    #[must_use]
    pub fn kind(&self) -> ContractKind {
        match self {
            Self::BetaGeometric(_) => ContractKind::BetaGeometric,
            Self::BetaWeibull(_) => ContractKind::BetaWeibull,
            Self::ExponentialGamma(_) => ContractKind::ExponentialGamma,
            Self::WeibullGamma(_) => ContractKind::WeibullGamma,
        }
    }

    /// The parameters, in the order of their names.
    #[must_use]
    pub fn parameters(&self) -> Vec<f64> {
        match self {
            Self::BetaGeometric(ShiftedBetaGeometric { alpha, beta }) => vec![*alpha, *beta],
            Self::BetaWeibull(BetaDiscreteWeibull { alpha, beta, c }) => vec![*alpha, *beta, *c],
            Self::ExponentialGamma(ExponentialGamma { r, alpha }) => vec![*r, *alpha],
            Self::WeibullGamma(WeibullGamma { r, alpha, c }) => vec![*r, *alpha, *c],
        }
    }

    /// What is expected of a customer whose contract goes on.
    ///
    /// * `contract`: or the day on which it began, of one that goes on beyond `as_of`.
    ///
    /// # Errors
    /// [`DiscountError`] of a rate that is negative or no number.
    pub fn prospect(
        &self,
        contract: impl Into<Ongoing>,
        calendar: &ContractCalendar,
    ) -> Result<Prospect, DiscountError> {
        let contract = contract.into();
        let future = self.future(contract, calendar);
        let (expected, discounted) = future.expected()?;
        let (alive, at_horizon) = match self.leaving() {
            Leaving::AtRenewals(retention) => {
                let alive = calendar.alive(contract, &*retention);
                let kept = calendar.kept(contract.start, calendar.made(contract.start), &*retention);
                (alive, alive * kept)
            }
            Leaving::AnyTime(how) => (1.0, how.stays(calendar.age(contract.start), calendar.horizon())),
        };
        Ok(Prospect { future, expected, discounted, alive, at_horizon })
    }

    /// What may come of a customer whose contract goes on.
    #[must_use]
    pub fn future(&self, contract: Ongoing, calendar: &ContractCalendar) -> Future {
        match self.leaving() {
            Leaving::AtRenewals(retention) => {
                let made = calendar.made(contract.start);
                let kept = |(number, factor)| (if number > made { retention(number) } else { 1.0 }, factor);
                Future::of_units(calendar.alive(contract, &*retention), calendar.due(contract.start).map(kept))
            }
            Leaving::AnyTime(_) => self.time_from(calendar.age(contract.start), calendar),
        }
    }

    /// What is expected of a customer whose contract begins on the calendar's `as_of`, its first period counted.
    ///
    /// # Errors
    /// As [`Self::prospect`].
    pub fn new_prospect(&self, calendar: &ContractCalendar) -> Result<Prospect, DiscountError> {
        let (future, at_horizon) = match self.leaving() {
            Leaving::AtRenewals(retention) => {
                let renewals = calendar.due(calendar.as_of).map(|(number, factor)| (retention(number), factor));
                let future = Future::of_units(1.0, std::iter::once((1.0, 1.0)).chain(renewals));
                (future, calendar.kept(calendar.as_of, 0, &*retention))
            }
            Leaving::AnyTime(how) => (self.time_from(0.0, calendar), how.stays(0.0, calendar.horizon())),
        };
        let (expected, discounted) = future.expected()?;
        Ok(Prospect { future, expected, discounted, alive: 1.0, at_horizon })
    }

    /// Time under contract of a customer who has been for the time `age`.
    fn time_from(&self, age: f64, calendar: &ContractCalendar) -> Future {
        Future::Time { model: *self, age, horizon: calendar.horizon(), timing: calendar.timing() }
    }

    /// How customers leave.
    pub(super) fn leaving(&self) -> Leaving<'_> {
        match self {
            Self::BetaGeometric(model) => Leaving::AtRenewals(Box::new(|chance| model.retention(chance))),
            Self::BetaWeibull(model) => Leaving::AtRenewals(Box::new(|chance| model.retention(chance))),
            Self::ExponentialGamma(model) => Leaving::AnyTime(model),
            Self::WeibullGamma(model) => Leaving::AnyTime(model),
        }
    }

    /// The probability that a customer whose contract goes on still is there `0, 1, 2, …, days` days after the calendar's
    /// `as_of`.
    #[must_use]
    pub fn survival_by_day(&self, contract: impl Into<Ongoing>, calendar: &ContractCalendar, days: u32) -> Vec<f64> {
        let contract = contract.into();
        let start = contract.start;
        let ContractCalendar { as_of, term, days_per_unit, .. } = *calendar;
        match self.leaving() {
            Leaving::AtRenewals(retention) => {
                // What comes up on the day after is decided: see [`Prospect`].
                let (mut made, mut survival) = (calendar.known(contract), 1.0);
                let mut due = term.renewal(start, made + 1);
                let mut on = |day: u32| {
                    while due <= as_of.saturating_add_unsigned(day).saturating_add(1) {
                        made += 1;
                        survival *= retention(made);
                        due = term.renewal(start, made + 1);
                    }
                    survival
                };
                (0..=days).map(&mut on).collect()
            }
            Leaving::AnyTime(how) => {
                let age = calendar.age(start);
                (0..=days).map(|day| how.stays(age, f64::from(day) / days_per_unit)).collect()
            }
        }
    }

    /// Discounted periods expected for ever of a customer whose contract goes on: renewals, or time under contract.
    ///
    /// Renewals to come lie one time unit apart from the next one on (sBG: `e^{−δt} · DERL`, `t` the time to it).
    ///
    /// # Errors
    /// [`DiscountError`]; [`DiscountError::Infinite`] and [`DiscountError::Undiscounted`] without discounting.
    pub fn periods_for_ever(
        &self,
        contract: impl Into<Ongoing>,
        calendar: &ContractCalendar,
    ) -> Result<f64, DiscountError> {
        let contract = contract.into();
        // A contract that goes on at `as_of` has made what comes up on the day after it, but has not paid for it.
        let (ContractCalendar { as_of, term, .. }, start) = (*calendar, contract.start);
        let (timing, paid) = (calendar.timing(), term.renewals(start, as_of));
        if let (Leaving::AtRenewals(retention), Some(_)) = (self.leaving(), contract.ends) {
            return Ok(calendar.alive(contract, &*retention) * self.periods_for_ever(start, calendar)?);
        }
        let made = calendar.made(start);
        let certain: f64 = (paid + 1..=made).map(|number| calendar.factor(term.renewal(start, number))).sum();
        let next = term.renewal(start, made + 1);
        let evenly = |left: Result<f64, DiscountError>| Ok(certain + calendar.factor(next) * left?);
        let by_ends = |retention: &dyn Fn(u32) -> f64| {
            // As many as come up in the period of the calendar are in it, however long it is.
            let first = timing.periods().zip(calendar.discounting.term()).map_or(0.0, |(periods, term_of_period)| {
                let period = calendar.period_of(next);
                let ((from, to), end) =
                    (periods.span(period, f64::INFINITY), calendar.last_day(term_of_period, period));
                let last = term.renewals(start, end).max(made + 1);
                let before = f64::from(end.abs_diff(term.renewal(start, last))) / calendar.days_per_unit;
                (to - before - f64::from(last - made - 1)).clamp(from + 1e-9 * periods.length, to)
            });
            Ok(certain + units_for_ever(first, timing, |unit| retention(made + unit))?)
        };
        let (forever, rate, even) = (Horizon::Forever, rate(timing), timing.is_even());
        match self {
            Self::BetaGeometric(model) if even => evenly(model.residual_lifetime(made, forever, rate)),
            Self::BetaGeometric(model) => by_ends(&|chance| model.retention(chance)),
            Self::BetaWeibull(model) if even => evenly(model.residual_lifetime(made, forever, rate)),
            Self::BetaWeibull(model) => by_ends(&|chance| model.retention(chance)),
            Self::ExponentialGamma(model) => model.worth(calendar.age(start), f64::INFINITY, timing),
            Self::WeibullGamma(model) => model.worth(calendar.age(start), f64::INFINITY, timing),
        }
    }

    /// Draws of the parameters of a fit, one a path at most; none without a covariance.
    ///
    /// As in [`draw_parameters`](super::uncertainty::draw_parameters).
    #[must_use]
    pub fn draw_parameters(fit: &Fit<Self>, paths: u32, seed: u64) -> Vec<Self> {
        let draws = Draws { fit, number: DRAWS.min(paths), seed };
        match fit.fitted() {
            Err(_) => Vec::new(),
            Ok(Self::BetaGeometric(ShiftedBetaGeometric { alpha, beta })) => {
                draws.around([*alpha, *beta], |[alpha, beta]| Self::BetaGeometric(ShiftedBetaGeometric { alpha, beta }))
            }
            Ok(Self::BetaWeibull(BetaDiscreteWeibull { alpha, beta, c })) => {
                let model = |[alpha, beta, c]: [f64; 3]| BetaDiscreteWeibull { alpha, beta, c };
                draws.around([*alpha, *beta, *c], |drawn| Self::BetaWeibull(model(drawn)))
            }
            Ok(Self::ExponentialGamma(ExponentialGamma { r, alpha })) => {
                draws.around([*r, *alpha], |[r, alpha]| Self::ExponentialGamma(ExponentialGamma { r, alpha }))
            }
            Ok(Self::WeibullGamma(WeibullGamma { r, alpha, c })) => {
                draws.around([*r, *alpha, *c], |[r, alpha, c]| Self::WeibullGamma(WeibullGamma { r, alpha, c }))
            }
        }
    }

    /// The time under contract after `age` beyond which a customer stays with probability `share`, in continuous time.
    fn residual_quantile(&self, age: f64, share: f64) -> f64 {
        match self {
            Self::ExponentialGamma(model) => model.residual_quantile(age, share),
            Self::WeibullGamma(model) => model.residual_quantile(age, share),
            Self::BetaGeometric(_) | Self::BetaWeibull(_) => 0.0,
        }
    }
}

/// Parameters are drawn around a fit.
struct Draws<'a> {
    fit: &'a Fit<ContractModel>,
    number: u32,
    seed: u64,
}

impl Draws<'_> {
    fn around<const N: usize>(
        &self,
        parameters: [f64; N],
        model: impl Fn([f64; N]) -> ContractModel,
    ) -> Vec<ContractModel> {
        let Some(around) = Around::new(self.fit, parameters) else { return Vec::new() };
        let stream = |number: u32| Stream::new(self.seed, u64::from(number), PARAMETERS);
        (0..self.number).map(|number| model(around.draw(&mut stream(number)))).collect()
    }
}

impl Future {
    /// * `alive`: share of those who go on beyond `as_of`. * `units`: of each period, the share of those who paid
    ///   for the one before that pay for it, and what it is worth.
    fn of_units(alive: f64, units: impl Iterator<Item = (f64, f64)>) -> Self {
        let (mut survival, mut value) = (alive, 0.0);
        let (made, worth) = units
            .map(|(kept, factor)| {
                survival *= kept;
                value += factor;
                (survival, value)
            })
            .unzip();
        Self::Renewals { made, worth }
    }

    /// What the future of a customer is worth that stays for as long as a share `level` of customers like it do, where a
    /// period is worth 1: it falls as the level rises.
    ///
    /// * `level`: in `(0, 1)`, uniform for a draw.
    #[must_use]
    pub fn worth(&self, level: f64) -> f64 {
        match self {
            Self::Renewals { made, worth } => match made.partition_point(|survival| *survival > level) {
                0 => 0.0,
                renewals => worth[renewals - 1],
            },
            Self::Time { model, age, horizon, timing } => {
                timing.annuity(model.residual_quantile(*age, level).min(*horizon))
            }
        }
    }

    /// Expected periods, and what they are worth.
    fn expected(&self) -> Result<(f64, f64), DiscountError> {
        match self {
            Self::Renewals { made, worth } => {
                let (mut expected, mut discounted) = (Compensated::default(), Compensated::default());
                let mut before = 0.0;
                for (survival, worth) in made.iter().zip(worth) {
                    expected.add(*survival);
                    discounted.add(survival * (worth - before));
                    before = *worth;
                }
                Ok((expected.value(), discounted.value()))
            }
            Self::Time { model, age, horizon, timing } => match model.leaving() {
                Leaving::AnyTime(how) => Ok((how.time_left(*age, *horizon, 0.0)?, how.worth(*age, *horizon, *timing)?)),
                Leaving::AtRenewals(_) => Ok((0.0, 0.0)),
            },
        }
    }
}
