//! The calendar of contracts and of opportunities to buy: when they come up after the day of the forecast, and what a unit on a
//! day is worth.
//!
//! Terms and periods of discounting are those of the calendar, a month from the 31st is the last of February: what comes up once a
//! year does so once in every year of the future, and counts at its end, however long it is.

use super::spells::Ongoing;
use crate::numeric::discounting::Timing;
use crate::schema::forecasting::Discounting;
use crate::schema::renewals::RenewalTerm;
use crate::units::Day;

/// The calendar of a forecast of contracts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContractCalendar {
    /// Last day that is known.
    pub as_of: Day,
    /// Time between two renewals.
    pub term: RenewalTerm,
    /// Days in a model time unit, `> 0`.
    pub days_per_unit: f64,
    /// Days of the future, `>= 1`.
    pub horizon_days: u32,
    /// Continuous discount rate per model time unit, `>= 0`.
    pub delta: f64,
    /// When what is to come counts.
    pub discounting: Discounting,
}

/// A horizon or holdout that misses a whole number of months or years by less days is that number: so far are 30 days from a month, and
/// 364 days from a year.
const DAYS_OFF: f64 = 1.53;
/// One of days or weeks is whole or is not.
const ROUNDING: f64 = 1e-6;

impl ContractCalendar {
    /// When what passes with time counts, in model time units.
    #[must_use]
    pub fn timing(&self) -> Timing {
        Timing { delta: self.delta, period: self.discounting.days().map(|days| days / self.days_per_unit) }
    }

    /// What a unit on a day after `as_of` is worth. Periods are those of the calendar, the first one begins on the day after
    /// `as_of`: so what comes up every year counts at the end of every year, however long.
    #[must_use]
    pub fn factor(&self, day: Day) -> f64 {
        match self.timing().periods() {
            Some(periods) => periods.factor(self.period_of(day)),
            None => self.timing().factor(self.time_to(day)),
        }
    }

    /// Number of the period that a day lies in, from 1; 0 without periods, and up to `as_of`.
    pub(super) fn period_of(&self, day: Day) -> u32 {
        let Some(term) = self.discounting.term().filter(|_| day > self.as_of) else { return 0 };
        let mut period = term.renewals(self.as_of.saturating_add(1), day) + 1;
        while period > 1 && self.last_day(term, period - 1) >= day {
            period -= 1;
        }
        period
    }

    /// Last day of the `k`-th term after `as_of`. At the end of a short month it is the end of the others: a month after the 28th
    /// of February ends with the 31st of March, and whatever comes up on a day of the month does so within it.
    #[must_use]
    pub fn last_day(&self, term: RenewalTerm, k: u32) -> Day {
        term.renewal(self.as_of, k).max(term.renewal(self.as_of.saturating_add(1), k) - 1)
    }

    /// Time from `as_of` to a day, model time units.
    pub(super) fn time_to(&self, day: Day) -> f64 {
        f64::from(day.abs_diff(self.as_of)) / self.days_per_unit
    }

    /// Time units up to the horizon, where they are whole.
    #[must_use]
    pub fn whole_units(&self) -> Option<u32> {
        self.whole(self.horizon_days)
    }

    /// Time units of a length in days, where they are whole.
    fn whole(&self, days: u32) -> Option<u32> {
        let whole = libm::round(f64::from(days) / self.days_per_unit);
        let off = (f64::from(days) - whole * self.days_per_unit).abs();
        let most = if matches!(self.term, RenewalTerm::Months(_)) { DAYS_OFF } else { ROUNDING };
        (whole >= 1.0 && off < most).then_some(whole as u32)
    }

    /// Last day up to the horizon: whole time units are those of the calendar.
    fn end(&self) -> Day {
        match self.whole_units() {
            Some(units) => self.last_day(self.term, units),
            None => self.as_of.saturating_add_unsigned(self.horizon_days),
        }
    }

    /// The day so many days before `as_of`: whole time units are those of the calendar, so that as many renewals come up after it.
    #[must_use]
    pub fn before(&self, days: u32) -> Day {
        match self.whole(days) {
            Some(units) => self.term.before(self.as_of.saturating_add(1), units) - 1,
            None => self.as_of.saturating_sub_unsigned(days),
        }
    }

    /// Renewals of a contract up to the horizon that are not paid for yet: number, and what a unit on its day is worth.
    ///
    /// A contract that goes on at `as_of` has made what comes up on the day after it ([`Self::made`]), but has not paid for it.
    pub(super) fn due(self, start: Day) -> impl Iterator<Item = (u32, f64)> {
        let (term, end) = (self.term, self.end());
        (term.renewals(start, self.as_of) + 1..)
            .map(move |number| (number, term.renewal(start, number)))
            .take_while(move |(_, day)| *day <= end)
            .map(move |(number, day)| (number, self.factor(day)))
    }

    /// Renewals that a contract which goes on beyond `as_of` has made.
    pub(super) fn made(&self, start: Day) -> u32 {
        self.term.renewals(start, self.as_of.saturating_add(1))
    }

    /// Those that it is known to have made: up to its end, where the next one is open.
    pub(super) fn known(&self, contract: Ongoing) -> u32 {
        contract.ends.map_or_else(|| self.made(contract.start), |end| self.term.renewals(contract.start, end))
    }

    /// The probability that a contract goes on beyond `as_of`: that renewals which are open are made.
    pub(super) fn alive(&self, contract: Ongoing, retention: &dyn Fn(u32) -> f64) -> f64 {
        (self.known(contract) + 1..=self.made(contract.start)).map(retention).product()
    }

    /// Share of those who have made so many renewals that are under contract at the horizon. What comes up on the day after it is
    /// decided by then, as it is at `as_of`.
    pub(super) fn kept(&self, start: Day, made: u32, retention: &dyn Fn(u32) -> f64) -> f64 {
        (made + 1..=self.term.renewals(start, self.end().saturating_add(1))).map(retention).product()
    }

    /// Length of the future, model time units.
    pub(super) fn horizon(&self) -> f64 {
        f64::from(self.horizon_days) / self.days_per_unit
    }

    /// Time under contract since `start`: the first and the last day are days under contract.
    pub(super) fn age(&self, start: Day) -> f64 {
        f64::from(self.as_of.abs_diff(start) + 1) / self.days_per_unit
    }
}
