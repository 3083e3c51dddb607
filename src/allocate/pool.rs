//! One pool under its activity's method: what becomes of its cost, and the shares by which the rows bear theirs.

use std::sync::Arc;

use super::{
    basis::{Column, Sources, is_shifted, summarise, summarise_rows},
    capacity::{self, OverUse},
    direct,
    earlier::earlier,
    error::MethodError,
    negative::{Negative, Weight, Weighted, weigh},
    parts::Parts,
    planned::{CapacityOf, Planned, Rate},
    rates,
    refusal::Refusal,
    rows::{Ground, Periods, Reach},
    share::{Share, Spread},
    signed::SignedPlan,
    spread::{AllocateError, Histogram},
    unknown::UnknownQuantities,
};
use crate::{
    numeric::decimal::{Decimal, format_minor},
    schema::{
        costing::{ActivitySetting, Basis, Capacity, Method, NoDriver},
        costs::Unassigned,
        period::Period,
        segmentation::NONE,
    },
    units::{Minor, MinorSum, Quantity},
};

/// Everything that planning a pool needs.
pub(super) struct Planner<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) sources: Sources<'a>,
    pub(super) periods: &'a Periods,
    /// Period of the pool; `None` = the whole run.
    pub(super) period: Option<Period>,
    /// Driver quantities of unknown customers.
    pub(super) unknown: &'a UnknownQuantities,
    /// Columns made so far.
    pub(super) columns: &'a mut Columns,
}

/// Columns made so far, each once.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) made: Vec<Arc<Column>>,
    /// Basis, whether the pool is one period's, and the number of its column.
    known: Vec<(Basis, bool, usize)>,
}

impl Columns {
    /// The basis that each column was made of; `None` for quantities of an earlier period.
    pub(super) fn bases(&self) -> Vec<Option<Basis>> {
        let of = |number: usize| self.known.iter().find(|known| known.2 == number).map(|known| known.0.clone());
        (0..self.made.len()).map(of).collect()
    }
}

impl Planner<'_> {
    /// Plans a pool of `amount`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) fn plan(&mut self, setting: &ActivitySetting, amount: Minor) -> Result<Planned, Refusal> {
        match &setting.method {
            Method::Share(basis) => self.share(setting, basis, amount),
            Method::Percent { shares, within } => {
                let mut planned = Planned::default();
                let percents: Vec<_> = shares.iter().map(|(_, percent)| *percent).collect();
                // Equal remainders go by the order of the config.
                let ties: Vec<u64> = (0..shares.len() as u64).collect();
                let (amounts, parts) = direct::percent(amount, &percents, &ties)?;
                planned.add(Parts { allocated: 0, ..parts }, Unassigned::Remainder)?;
                let segments: Vec<(&String, Minor)> = shares.iter().map(|(name, _)| name).zip(amounts).collect();
                self.segments(setting, &segments, within, &mut planned)?;
                Ok(planned)
            }
            Method::FixedAmount { segments, each, rest } => self.fixed(setting, segments, *each, rest, amount),
            Method::StandardRate { basis, rate } => self.standard_rate(setting, basis, *rate, amount),
            Method::DualRate { fixed, budgeted, actual } => self.dual(setting, *fixed, budgeted, actual, amount),
            Method::Traced => Ok(Planned::default()),
        }
    }

    fn reach(&self) -> Reach<'_> {
        self.periods.reach(self.period)
    }

    /// The number of a basis' column.
    pub(super) fn number(&mut self, basis: &Basis) -> Result<usize, Refusal> {
        let one_period = self.sources.one_period;
        let known = self.columns.known.iter().find(|(known, one, _)| known == basis && *one == one_period);
        if let Some((_, _, number)) = known {
            return Ok(*number);
        }
        let column = self.sources.column(basis)?;
        let number = self.keep(column);
        self.columns.known.push((basis.clone(), one_period, number));
        Ok(number)
    }

    fn keep(&mut self, column: Column) -> usize {
        self.columns.made.push(Arc::new(column));
        self.columns.made.len() - 1
    }

    /// A column's summary under the policy for negative quantities.
    ///
    /// * `unknown`: quantities of unknown customers.
    fn weigh(&self, setting: &ActivitySetting, number: usize, unknown: &[Quantity]) -> Result<Weighted, Refusal> {
        let raw = self.summarise(setting, number, None, unknown);
        let weighted = weigh(setting.negative, &raw, unknown)?;
        let signed = matches!(setting.negative, Negative::Signed { .. }) && weighted.negative > 0;
        if signed && unknown.iter().any(|quantity| *quantity != 0) {
            return Err(Refusal::SignedUnknown);
        }
        Ok(weighted)
    }

    /// A column's summary. Under a shift a quantity of zero counts, and cells that have nothing to do with it are left out.
    fn summarise(
        &self,
        setting: &ActivitySetting,
        number: usize,
        segment: Option<u16>,
        unknown: &[Quantity],
    ) -> Histogram {
        let column = &self.columns.made[number];
        let all = summarise(column, self.ground, self.reach(), segment);
        if setting.negative != Negative::Shift || all.negative() == 0 && unknown.iter().all(|quantity| *quantity >= 0) {
            return all;
        }
        summarise_rows(column, self.ground, self.reach(), |row| {
            let own = segment.is_none_or(|segment| self.ground.segment_of(row) == segment);
            own && is_shifted(column, self.ground, row)
        })
    }

    fn weighted(&mut self, setting: &ActivitySetting, basis: &Basis) -> Result<(usize, Weighted), Refusal> {
        let (number, unknown) = (self.number(basis)?, self.unknown_of(basis)?);
        Ok((number, self.weigh(setting, number, &unknown)?))
    }

    fn standard_rate(
        &mut self,
        setting: &ActivitySetting,
        basis: &Basis,
        rate: Decimal,
        amount: Minor,
    ) -> Result<Planned, Refusal> {
        let (number, weighted) = self.weighted(setting, basis)?;
        let exponent = self.ground.exponent;
        let plan = rates::standard_rate(amount, rate, exponent, &weighted.summary, weighted.beside)?;
        let mut planned = Self::planned(&weighted);
        planned.add(plan.parts(), Unassigned::UnknownCustomer)?;
        let (cost, quantity) = rates::agreed(rate, exponent).ok_or(AllocateError::TooLarge)?;
        let used = weighted.summary.total() > 0 || weighted.beside > 0;
        planned.rates.extend(used.then_some(Rate { basis: 0, cost, quantity }));
        let share = |plan| self.make(Spread::Plain(plan), number, weighted.weight, None).at((cost, quantity));
        planned.shares.extend(plan.plan().map(share));
        Ok(planned)
    }

    fn unknown_of(&self, basis: &Basis) -> Result<Vec<Quantity>, Refusal> {
        self.unknown.of(basis, self.sources.drivers, self.period)
    }

    fn planned(weighted: &Weighted) -> Planned {
        Planned {
            recipients: weighted.summary.recipients() + weighted.summary.negative(),
            quantity: weighted.summary.total() + weighted.summary.negative_total(),
            negative_quantity: weighted.negative_total,
            ..Planned::default()
        }
    }

    fn make(&self, spread: Spread, number: usize, weight: Weight, segment: Option<u16>) -> Share {
        Share::new(spread, (number, &self.columns.made[number]), weight, segment, self.ground, self.reach())
    }

    fn share(&mut self, setting: &ActivitySetting, basis: &Basis, amount: Minor) -> Result<Planned, Refusal> {
        let (mut number, mut weighted) = self.weighted(setting, basis)?;
        let fixed_capacity = setting.capacity.is_some_and(|capacity| capacity != Capacity::Actual);
        let nobody = |weighted: &Weighted| {
            weighted.summary.recipients() + weighted.summary.negative() == 0 && weighted.beside == 0 && !fixed_capacity
        };
        let mut instead = None;
        if nobody(&weighted)
            && let Some((other, unknown)) = self.instead(setting, basis, number)?
        {
            number = other;
            instead = setting.no_driver.as_ref().and_then(NoDriver::basis);
            weighted = self.weigh(setting, number, &unknown)?;
        }
        if nobody(&weighted) {
            return self.nobody(basis, amount, &weighted);
        }
        if let Negative::Signed { limit } = setting.negative
            && weighted.negative > 0
        {
            let signed = self.signed(amount, limit, number, &weighted);
            return signed.map(|planned| Planned { instead, ..planned });
        }
        let mut planned = Planned { instead, ..Self::planned(&weighted) };
        let capacity = setting.capacity.unwrap_or(Capacity::Actual);
        let plan = capacity::plan(amount, capacity, setting.over_use, &weighted.summary, weighted.beside)?;
        planned.add(plan.planned().parts(), Unassigned::UnknownCustomer)?;
        let (quantity, used) = plan.quantities();
        if setting.capacity.is_some() {
            planned.capacity = Some(CapacityOf { denominator: capacity, capacity: quantity, used, cost: amount });
        }
        let divided = if setting.over_use == OverUse::Rescale { quantity.max(used) } else { quantity };
        planned.charge(0, (amount, divided));
        let share = |plan| self.make(Spread::Plain(plan), number, weighted.weight, None).at((amount, divided));
        planned.shares.extend(plan.planned().plan().map(share));
        Ok(planned)
    }

    fn signed(
        &mut self,
        amount: Minor,
        limit: Decimal,
        number: usize,
        weighted: &Weighted,
    ) -> Result<Planned, Refusal> {
        let mut planned = Self::planned(weighted);
        let plan = SignedPlan::new(amount, &weighted.summary, limit)?;
        planned.add(Parts::allocated(amount), Unassigned::NoDriver)?;
        planned.charge(0, (amount, planned.quantity));
        planned.shares.push(self.make(Spread::Signed(plan), number, weighted.weight, None));
        Ok(planned)
    }

    /// A pool whose driver nobody used, and for which the policy finds nothing else.
    fn nobody(&self, basis: &Basis, amount: Minor, weighted: &Weighted) -> Result<Planned, Refusal> {
        let nobody = self.reach().len() == 0 || matches!(basis, Basis::Average | Basis::Even);
        let reason = if nobody { Unassigned::NoCustomer } else { Unassigned::NoDriver };
        let mut planned = Self::planned(weighted);
        planned.add(Parts::unassigned(amount), reason)?;
        Ok(planned)
    }

    /// The column that the policy for a driver that nobody used puts in its place, and what unknown customers have of it.
    fn instead(
        &mut self,
        setting: &ActivitySetting,
        own: &Basis,
        number: usize,
    ) -> Result<Option<(usize, Vec<Quantity>)>, Refusal> {
        match &setting.no_driver {
            None | Some(NoDriver::Unassigned) => Ok(None),
            Some(NoDriver::Even) => Ok(Some((self.number(&Basis::Even)?, Vec::new()))),
            Some(NoDriver::Fallback(basis)) => Ok(Some((self.number(basis)?, self.unknown_of(basis)?))),
            Some(NoDriver::PriorPeriod) => {
                let Some(period) = self.period else { return Ok(None) };
                let column = &self.columns.made[number];
                let Some(moved) = earlier(column, self.ground, self.periods, period) else { return Ok(None) };
                let unknown = self.unknown.of(own, self.sources.drivers, Some(moved.period))?;
                let column = moved.column(self.ground);
                Ok(Some((self.keep(column), unknown)))
            }
            Some(NoDriver::Error) => Err(AllocateError::NoDriver.into()),
        }
    }

    /// An amount for each of some segments, spread inside each by a basis. Unknown customers are in no segment, as are known
    /// ones of [`NONE`].
    fn segments(
        &mut self,
        setting: &ActivitySetting,
        amounts: &[(&String, Minor)],
        within: &Basis,
        planned: &mut Planned,
    ) -> Result<(), Refusal> {
        let number = self.number(within)?;
        for (name, amount) in amounts {
            let segment = self.segment(name)?;
            let unknown = if *name == NONE { self.unknown_of(within)? } else { Vec::new() };
            let raw = self.summarise(setting, number, Some(segment), &unknown);
            let weighted = weigh(spreadable(setting.negative), &raw, &unknown)?;
            planned.recipients += weighted.summary.recipients();
            planned.quantity += weighted.summary.total();
            planned.negative_quantity += weighted.negative_total;
            let plan = rates::spread_or_leave(*amount, (&weighted.summary, weighted.beside))?;
            let reason = if raw.rows() == 0 { Unassigned::NoCustomer } else { Unassigned::NoDriver };
            planned.add(plan.parts(), if weighted.beside > 0 { Unassigned::UnknownCustomer } else { reason })?;
            let spread = plan.plan().map(Spread::Plain);
            planned.shares.extend(spread.map(|spread| self.make(spread, number, weighted.weight, Some(segment))));
        }
        Ok(())
    }

    /// The number of a segment. [`NONE`] is one where only unknown customers are in it, too.
    fn segment(&self, name: &str) -> Result<u16, Refusal> {
        let names = self.ground.segment_names;
        let unknown = || Refusal::UnknownSegment { segment: name.to_owned(), known: names.join(", ") };
        let at = names.iter().position(|known| known == name).or_else(|| (name == NONE).then_some(names.len()));
        at.map(|at| at as u16).ok_or_else(unknown)
    }

    fn fixed(
        &mut self,
        setting: &ActivitySetting,
        segments: &[(String, Minor)],
        each: Option<Minor>,
        rest: &Basis,
        amount: Minor,
    ) -> Result<Planned, Refusal> {
        let mut planned = Planned::default();
        let ones = self.number(&Basis::Average)?;
        let active = summarise(&self.columns.made[ones], self.ground, self.reach(), None);
        let each = MinorSum::from(each.unwrap_or(0)) * MinorSum::from(active.recipients());
        let fixed = each + segments.iter().map(|(_, amount)| MinorSum::from(*amount)).sum::<MinorSum>();
        let left = direct::rest_of(amount, fixed).map_err(|error| self.above_pool(error, amount, fixed))?;
        let named: Vec<(&String, Minor)> = segments.iter().map(|(name, amount)| (name, *amount)).collect();
        self.segments(setting, &named, rest, &mut planned)?;
        let (number, weighted) = self.weighted(setting, rest)?;
        planned.recipients = weighted.summary.recipients();
        planned.quantity = weighted.summary.total();
        planned.negative_quantity = weighted.negative_total;
        if each != 0 {
            let each = i64::try_from(each).map_err(|_| AllocateError::TooLarge)?;
            planned.add(Parts::allocated(each), Unassigned::NoDriver)?;
            let plan = active.plan(each)?;
            planned.shares.push(self.make(Spread::Plain(plan), ones, Weight::Same, None));
        }
        let plan = rates::spread_or_leave(left, (&weighted.summary, weighted.beside))?;
        planned.add(plan.parts(), reason(&weighted))?;
        let spread = plan.plan().map(Spread::Plain);
        planned.shares.extend(spread.map(|spread| self.make(spread, number, weighted.weight, None)));
        Ok(planned)
    }

    /// Names the fixed amounts and the pool where they do not go together.
    fn above_pool(&self, error: MethodError, pool: Minor, fixed: MinorSum) -> Refusal {
        match error {
            MethodError::FixedAbovePool => {
                Refusal::FixedAbovePool { pool: format_minor(pool.into(), self.ground.exponent), fixed }
            }
            error => error.into(),
        }
    }

    fn dual(
        &mut self,
        setting: &ActivitySetting,
        fixed: Minor,
        budgeted: &Basis,
        actual: &Basis,
        amount: Minor,
    ) -> Result<Planned, Refusal> {
        let (budget_number, budget) = self.weighted(setting, budgeted)?;
        let (number, weighted) = self.weighted(setting, actual)?;
        let given = setting.capacity.filter(|capacity| *capacity != Capacity::Actual);
        let capacity = given.map(|capacity| (capacity.quantity(0), setting.over_use));
        let (of_budget, of_actual) = ((&budget.summary, budget.beside), (&weighted.summary, weighted.beside));
        let plan = rates::dual_rate(amount, fixed, of_budget, capacity, of_actual)
            .map_err(|error| self.above_pool(error, amount, fixed.into()))?;
        let mut planned = Self::planned(&weighted);
        let used = budget.summary.total() + signed(budget.beside)?;
        if let Some(denominator) = given {
            let capacity = denominator.quantity(0);
            planned.capacity = Some(CapacityOf { denominator, capacity, used, cost: fixed });
        }
        let divided = match capacity {
            Some((quantity, OverUse::Rescale)) => quantity.max(used),
            Some((quantity, _)) => quantity,
            None => used,
        };
        let all = weighted.summary.total() + signed(weighted.beside)?;
        let (fixed, variable) = plan.planned();
        let parts = [(fixed, 1, budget_number, &budget, divided), (variable, 0, number, &weighted, all)];
        for (part, basis, number, weighted, quantity) in parts {
            let rate = (part.parts().pool, quantity);
            planned.add(part.parts(), reason(weighted))?;
            planned.charge(basis, rate);
            let share = |plan| self.make(Spread::Plain(plan), number, weighted.weight, None).at(rate);
            planned.shares.extend(part.plan().map(share));
        }
        Ok(planned)
    }
}

/// Only a whole pool can be shared by signed quantities: inside a segment they would be refused.
fn spreadable(negative: Negative) -> Negative {
    match negative {
        Negative::Signed { .. } => Negative::Error,
        other => other,
    }
}

fn signed(quantity: u128) -> Result<i128, AllocateError> {
    i128::try_from(quantity).map_err(|_| AllocateError::TooLarge)
}

/// Why a part of a pool that is spread by a driver is nobody's.
fn reason(weighted: &Weighted) -> Unassigned {
    if weighted.beside > 0 { Unassigned::UnknownCustomer } else { Unassigned::NoDriver }
}

/// Why a method cannot be combined with a policy; told when the config is read.
#[must_use]
pub fn combination(setting: &ActivitySetting) -> Option<&'static str> {
    let signed = matches!(setting.negative, Negative::Signed { .. });
    let share = matches!(setting.method, Method::Share(_));
    match setting {
        _ if signed && !share => Some("negative: signed needs a method that shares the whole pool"),
        _ if signed && setting.capacity.is_some() => Some("negative: signed cannot be combined with a capacity"),
        _ if setting.capacity.is_some() && !setting.method.takes_capacity() => {
            Some("a capacity needs a driver, time or dual rate")
        }
        _ if setting.no_driver.is_some() && !share => {
            Some("no_driver has an effect on methods that share the whole pool alone")
        }
        _ => None,
    }
}
