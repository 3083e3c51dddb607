//! Models of contracts on a holdout: fitted to what was known at a cut and asked who is still there after it.
//!
//! Customers are those under contract at the cut. With `S(u)`, what a method says of the probability that a customer is still
//! under contract `u` days later, and `u*` the day by which it had left (if it did), a holdout of `H` days is scored by
//!
//! * `Σ_{u=1}^{H} (1{u >= u*} − (1 − S(u)))²`: the continuous ranked probability score of the time under contract, whose
//!   mean in time units is what models are chosen by;
//! * `(1{u* > H} − S(H))²` (Brier), and `−ln` of the probability of what happened;
//! * the renewals that came up in the holdout and were made, against their expectation.
//!
//! Models and baselines all answer with such a curve, so that all are scored alike.
//!
//! Sources: Brier, Monthly Weather Review 78 (1950), 1–3; Gneiting & Raftery, Strictly proper scoring rules, JASA 102 (2007),
//! 359–378; Graf et al., Assessment and comparison of prognostic classification schemes for survival data, Statistics in
//! Medicine 18 (1999), 2529–2545.

use super::contract_calendar::ContractCalendar;
use super::contract_model::ContractModel;
use super::holdout::HoldoutError;
use super::observed::{Assessment, Scored};
use super::scores;
use super::spells::{Ongoing, Spell, spells};
use crate::numeric::sums::Compensated;
use crate::schema::forecasting::ContractKind;
use crate::schema::renewals::RenewalTerm;
use crate::schema::tables::CustomerContract;
use crate::units::Day;
use rayon::prelude::*;

/// Tenures from here on stand in one row.
pub const LONG: u32 = 24;

/// Contracts, cut in two.
#[derive(Debug)]
pub struct ContractHoldout {
    /// Last day of the calibration.
    pub cut: Day,
    /// Length of the holdout in days.
    pub days: u32,
    /// Who was under contract at the cut, by the day on which the contract began.
    members: Vec<Member>,
    /// Times under contract as they were known at the cut.
    spells: Vec<Spell>,
    calendar: ContractCalendar,
    from: Option<Day>,
}

/// A customer under contract at the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    contract: Ongoing,
    /// Days after the cut by which it had left; `None`: it was there to the end.
    left: Option<u32>,
}

impl Member {
    fn is_there(&self, days: u32) -> bool {
        self.left.is_none_or(|left| left > days)
    }
}

/// A step of the tracking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContractStep {
    /// Its last day.
    pub day: Day,
    /// Customers who are still under contract.
    pub actual: u64,
}

/// Customers who had been there for so many whole time units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TenureRow {
    /// Customers.
    pub customers: u64,
    /// Those who were there to the end of the holdout.
    pub actual: u64,
    /// How many were expected to be.
    pub expected: f64,
}

/// How well a method foretold who stays.
#[derive(Debug, Clone, Default)]
pub struct ContractOutcome {
    /// Customers expected to be there at the end of the holdout.
    pub expected: f64,
    /// Those who were.
    pub actual: u64,
    /// Mean squared error of that probability.
    pub brier: f64,
    /// Mean of `−ln` of the probability of what happened by the end.
    pub log_score: f64,
    /// Mean continuous ranked probability score of the time under contract, model time units.
    pub crps: f64,
    /// Rank correlation of the probability to stay and whether the customer did.
    pub spearman: Option<f64>,
    /// Expected renewals in the holdout.
    pub expected_renewals: f64,
    /// Renewals that came up in it and were made.
    pub actual_renewals: u64,
    /// Mean absolute error of a customer's renewals.
    pub mae: f64,
    /// Root of their mean squared error.
    pub rmse: f64,
    /// Customers expected to be there by step of the tracking.
    pub tracked: Vec<f64>,
    /// By whole time units under contract at the cut; those from [`LONG`] on in the last row.
    pub by_tenure: Vec<TenureRow>,
}

impl Scored for ContractOutcome {
    fn crps(&self) -> f64 {
        self.crps
    }
}

/// One method on the holdout.
pub type ContractAssessment = Assessment<ContractModel, ContractOutcome>;

impl ContractHoldout {
    /// Cuts contracts: the holdout is the last `days` days up to the calendar's `as_of`, whole time units by the calendar.
    ///
    /// * `contracts`, `grace`: as in [`spells`]. * `from`: as in [`ContractModel::fit`].
    ///
    /// # Errors
    /// [`HoldoutError::NoContracts`] where nobody was under contract at the cut.
    pub fn new(
        contracts: &[CustomerContract],
        calendar: ContractCalendar,
        days: u32,
        grace: u32,
        from: Option<Day>,
    ) -> Result<Self, HoldoutError> {
        let cut = calendar.before(days);
        let days = calendar.as_of.abs_diff(cut);
        let known = spells(contracts, cut, grace);
        let all = spells(contracts, calendar.as_of, grace);
        let key = |spell: &Spell| (spell.customer, spell.start);
        let member = |spell: &Spell| {
            let contract = spell.ongoing()?;
            // What had begun by the cut began on the same day seen from the end.
            let seen = &all[all.partition_point(|other| key(other) < key(spell))];
            let left = |end: Day| if end > cut { end.abs_diff(cut) } else { 0 };
            Some(Member { contract, left: seen.end.map(left) })
        };
        let mut members: Vec<Member> = known.iter().filter_map(member).collect();
        if members.is_empty() {
            return Err(HoldoutError::NoContracts);
        }
        members.sort_unstable();
        Ok(Self { cut, days, members, spells: known, calendar: ContractCalendar { as_of: cut, ..calendar }, from })
    }

    /// Number of customers.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.members.len()
    }

    /// Steps of the tracking: time units after the cut, the last one may be shorter.
    #[must_use]
    pub fn steps(&self) -> Vec<ContractStep> {
        let step = |days: u32| ContractStep {
            day: self.cut.saturating_add_unsigned(days),
            actual: self.members.iter().filter(|member| member.is_there(days)).count() as u64,
        };
        self.ends_of_steps().into_iter().map(step).collect()
    }

    fn ends_of_steps(&self) -> Vec<u32> {
        let after = |number: u32| self.calendar.last_day(self.calendar.term, number).abs_diff(self.cut);
        // A step has a day at least.
        let mut ends: Vec<u32> = (1..=self.days).map(after).take_while(|days| *days < self.days).collect();
        ends.push(self.days);
        ends
    }

    /// Fits a model up to the cut and asks it for the holdout. A fit without an estimate has no outcome.
    #[must_use]
    pub fn model(&self, kind: ContractKind) -> ContractAssessment {
        let fit = ContractModel::fit(kind, &self.spells, &self.calendar, self.from);
        let outcome = fit
            .fitted()
            .ok()
            .map(|model| self.outcome(|contract| model.survival_by_day(contract, &self.calendar, self.days)));
        Assessment { method: kind.as_str(), fit: Some(fit), outcome }
    }

    /// The baselines that have a past to go by: what was kept in a window as long as the holdout (`last_period`), the rate
    /// of leaving of all times under contract so far (`mean_of_past`), and what was kept in the last time unit, from one to
    /// the next (`retention_formula`).
    #[must_use]
    pub fn baselines(&self) -> Vec<ContractAssessment> {
        let unit = self.calendar.term.renewal(self.cut, 1).abs_diff(self.cut);
        let all = [
            ("last_period", self.kept_a_day(self.days)),
            ("mean_of_past", self.mean_kept_a_day()),
            ("retention_formula", self.kept_a_day(unit)),
        ];
        let steady = |(method, kept): (&'static str, Option<f64>)| {
            let kept = kept?;
            let curve: Vec<f64> = (0..=self.days).map(|days| libm::pow(kept, f64::from(days))).collect();
            Some(Assessment { method, fit: None, outcome: Some(self.outcome(|_| curve.clone())) })
        };
        all.into_iter().filter_map(steady).collect()
    }

    /// The share kept a day, from those who were under contract so many days before the cut.
    fn kept_a_day(&self, days: u32) -> Option<f64> {
        let then = self.cut.saturating_sub_unsigned(days);
        if self.from.is_some_and(|from| then < from) {
            return None;
        }
        let there = self.spells.iter().filter(|spell| spell.start <= then && spell.end.is_none_or(|end| end > then));
        let (all, kept) =
            there.fold((0_u64, 0_u64), |(all, kept), spell| (all + 1, kept + u64::from(spell.end.is_none())));
        (all > 0).then(|| libm::pow(kept as f64 / all as f64, 1.0 / f64::from(days)))
    }

    /// The share kept a day, from the days that all were under contract and the number who left.
    fn mean_kept_a_day(&self) -> Option<f64> {
        let seen =
            self.spells.iter().filter(|spell| self.from.is_none_or(|from| spell.end.is_none_or(|end| end >= from)));
        let (days, lost) = seen.fold((0_u64, 0_u64), |(days, lost), spell| {
            let begin = self.from.map_or(spell.start, |from| from.max(spell.start));
            let own = u64::from(spell.last_day(self.cut).abs_diff(begin)) + 1;
            (days + own, lost + u64::from(spell.end.is_some()))
        });
        (days > 0).then(|| libm::exp(-(lost as f64) / days as f64))
    }

    /// * `survival`: the probability that a customer with a contract is there `0, 1, 2, …` days after the cut.
    fn outcome(&self, survival: impl Fn(Ongoing) -> Vec<f64> + Sync) -> ContractOutcome {
        let groups: Vec<&[Member]> = self.members.chunk_by(|l, r| l.contract == r.contract).collect();
        let ends = self.ends_of_steps();
        let parts: Vec<Part> =
            groups.par_iter().map(|group| self.part(group, &survival(group[0].contract), &ends)).collect();
        let customers = self.members.len() as f64;
        let total = |of: &dyn Fn(&Part) -> f64| {
            let mut sum = Compensated::default();
            for part in &parts {
                sum.add(of(part));
            }
            sum.value()
        };
        let mut by_tenure = vec![TenureRow::default(); LONG as usize + 1];
        for part in &parts {
            let row = &mut by_tenure[part.tenure.min(LONG) as usize];
            row.customers += part.customers;
            row.actual += part.actual;
            row.expected += part.expected;
        }
        let stays: Vec<f64> =
            groups.iter().zip(&parts).flat_map(|(group, part)| std::iter::repeat_n(part.stays, group.len())).collect();
        let stayed: Vec<f64> =
            self.members.iter().map(|member| f64::from(u8::from(member.is_there(self.days)))).collect();
        ContractOutcome {
            expected: total(&|part| part.expected),
            actual: parts.iter().map(|part| part.actual).sum(),
            brier: total(&|part| part.brier) / customers,
            log_score: total(&|part| part.log_score) / customers,
            crps: total(&|part| part.crps) / customers / self.calendar.days_per_unit,
            spearman: scores::spearman(&stays, &stayed),
            expected_renewals: total(&|part| part.renewals * part.customers as f64),
            actual_renewals: parts.iter().map(|part| part.actual_renewals).sum(),
            mae: total(&|part| part.absolute) / customers,
            rmse: libm::sqrt(total(&|part| part.square) / customers),
            tracked: (0..ends.len()).map(|step| total(&|part| part.tracked[step])).collect(),
            by_tenure,
        }
    }

    /// Scores of the customers whose contract began on one day, in their order.
    fn part(&self, group: &[Member], survival: &[f64], ends: &[u32]) -> Part {
        let ContractCalendar { term, as_of: cut, .. } = self.calendar;
        let start = group[0].contract.start;
        let stays = survival[self.days as usize];
        let due = Due { term, start, cut, days: self.days };
        let renewals = due.days().map(|day| survival[day as usize - 1]).sum::<f64>();
        // Scores of one who leaves by each day, and of one who stays.
        let square = |value: f64| value * value;
        let mut while_there = Compensated::default();
        let mut once_gone: Compensated = Compensated::default();
        let mut before = vec![0.0];
        for probability in &survival[1..] {
            while_there.add(square(1.0 - probability));
            before.push(while_there.value());
        }
        let mut after = vec![0.0; self.days as usize + 2];
        for day in (1..=self.days as usize).rev() {
            once_gone.add(square(survival[day]));
            after[day] = once_gone.value();
        }
        let customers = group.len() as u64;
        let mut part = Part {
            tenure: term.renewals(start, cut.saturating_add(1)),
            customers,
            stays,
            renewals,
            expected: stays * customers as f64,
            tracked: ends.iter().map(|days| survival[*days as usize] * customers as f64).collect(),
            ..Part::default()
        };
        for member in group {
            let kept = member.is_there(self.days);
            // From the day on by which it had left.
            let gone = member
                .left
                .filter(|left| *left <= self.days)
                .map_or(self.days as usize + 1, |left| left.max(1) as usize);
            part.crps += before[gone - 1] + after[gone];
            part.brier += square(f64::from(u8::from(kept)) - stays);
            let happened = if kept { stays } else { 1.0 - stays };
            part.log_score -= libm::log(happened.max(f64::MIN_POSITIVE));
            part.actual += u64::from(kept);
            let made = due.days().filter(|day| member.is_there(day - 1)).count() as u64;
            part.actual_renewals += made;
            part.absolute += (made as f64 - renewals).abs();
            part.square += square(made as f64 - renewals);
        }
        part
    }
}

/// Renewals that come up in the holdout.
struct Due {
    term: RenewalTerm,
    start: Day,
    cut: Day,
    days: u32,
}

impl Due {
    /// Days after the cut on which one comes up.
    fn days(&self) -> impl Iterator<Item = u32> {
        let first = self.term.renewals(self.start, self.cut) + 1;
        (first..)
            .map(|number| self.term.renewal(self.start, number).abs_diff(self.cut))
            .take_while(|day| *day <= self.days)
    }
}

/// Sums over the customers whose contract began on one day.
#[derive(Debug, Default)]
struct Part {
    tenure: u32,
    customers: u64,
    stays: f64,
    /// Expected renewals of each.
    renewals: f64,
    expected: f64,
    actual: u64,
    crps: f64,
    brier: f64,
    log_score: f64,
    actual_renewals: u64,
    absolute: f64,
    square: f64,
    tracked: Vec<f64>,
}
