//! One pool under its activity's method: what becomes of its cost, and the shares by which the rows bear theirs.

use std::sync::Arc;

use super::{
    basis::{Column, Sources, summarise},
    capacity::{self, OverUse},
    direct,
    earlier::earlier,
    negative::{Negative, Weight, Weighted, weigh},
    parts::Parts,
    rates,
    refusal::Refusal,
    rows::{Ground, Periods, Reach},
    share::{Share, Spread},
    signed::SignedPlan,
    spread::AllocateError,
    unknown::UnknownQuantities,
};
use crate::{
    numeric::decimal::Decimal,
    schema::{
        costing::{ActivitySetting, Basis, Capacity, Method, NoDriver},
        costs::Unassigned,
        period::Period,
    },
    units::{Minor, MinorSum},
};

/// A pool, planned.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) shares: Vec<Share>,
    pub(super) allocated: Minor,
    pub(super) unused: Minor,
    pub(super) over_driven: Minor,
    pub(super) under_absorbed: Minor,
    pub(super) unassigned: [Minor; 4],
    pub(super) recipients: u64,
    pub(super) quantity: i128,
    pub(super) negative_quantity: i128,
    /// Denominator, its quantity, what was used of it.
    pub(super) capacity: Option<(Capacity, i128, i128)>,
    /// Money over quantity.
    pub(super) rate: Option<(Minor, i128)>,
}

impl Planned {
    fn add(&mut self, parts: Parts, reason: Unassigned) -> Result<(), Refusal> {
        let sum = |a: Minor, b: Minor| a.checked_add(b).ok_or(AllocateError::TooLarge);
        self.allocated = sum(self.allocated, parts.allocated)?;
        self.unused = sum(self.unused, parts.unused)?;
        self.over_driven = sum(self.over_driven, parts.over_driven)?;
        self.under_absorbed = sum(self.under_absorbed, parts.under_absorbed)?;
        let unassigned = &mut self.unassigned[reason as usize];
        *unassigned = sum(*unassigned, parts.unassigned)?;
        Ok(())
    }
}

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
    fn weigh(&self, setting: &ActivitySetting, number: usize) -> Result<Weighted, Refusal> {
        let raw = summarise(&self.columns.made[number], self.ground, self.reach(), None);
        Ok(weigh(setting.negative, &raw)?)
    }

    fn weighted(&mut self, setting: &ActivitySetting, basis: &Basis) -> Result<(usize, Weighted), Refusal> {
        let number = self.number(basis)?;
        Ok((number, self.weigh(setting, number)?))
    }

    fn standard_rate(
        &mut self,
        setting: &ActivitySetting,
        basis: &Basis,
        rate: Decimal,
        amount: Minor,
    ) -> Result<Planned, Refusal> {
        let (number, weighted) = self.weighted(setting, basis)?;
        let unknown = self.unknown_of(basis)?;
        let plan = rates::standard_rate(amount, rate, self.ground.exponent, &weighted.summary, unknown)?;
        let mut planned = Self::planned(&weighted);
        planned.add(plan.parts(), Unassigned::UnknownCustomer)?;
        let charged = plan.parts().pool - plan.parts().under_absorbed;
        planned.rate = rate_of(charged, weighted.summary.total() + signed(unknown)?);
        planned.shares.extend(plan.plan().map(|plan| self.make(Spread::Plain(plan), number, weighted.weight, None)));
        Ok(planned)
    }

    fn unknown_of(&self, basis: &Basis) -> Result<u128, Refusal> {
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
        let mut unknown = self.unknown_of(basis)?;
        let fixed_capacity = setting.capacity.is_some_and(|capacity| capacity != Capacity::Actual);
        let nobody = |weighted: &Weighted, unknown: u128| {
            weighted.summary.recipients() + weighted.summary.negative() == 0 && unknown == 0 && !fixed_capacity
        };
        if nobody(&weighted, unknown)
            && let Some(other) = self.instead(setting, basis, number)?
        {
            (number, unknown) = other;
            weighted = self.weigh(setting, number)?;
        }
        if nobody(&weighted, unknown) {
            return self.nobody(amount, &weighted);
        }
        if let Negative::Signed { limit } = setting.negative
            && weighted.negative > 0
        {
            return if unknown > 0 {
                Err(Refusal::SignedUnknown)
            } else {
                self.signed(amount, limit, number, &weighted)
            };
        }
        let mut planned = Self::planned(&weighted);
        let capacity = setting.capacity.unwrap_or(Capacity::Actual);
        let plan = capacity::plan(amount, capacity, setting.over_use, &weighted.summary, unknown)?;
        planned.add(plan.planned().parts(), Unassigned::UnknownCustomer)?;
        let (quantity, used) = plan.quantities();
        if setting.capacity.is_some() {
            planned.capacity = Some((capacity, quantity, used));
        }
        let divided = if setting.over_use == OverUse::Rescale { quantity.max(used) } else { quantity };
        planned.rate = rate_of(amount, divided);
        let spread = plan.planned().plan().map(Spread::Plain);
        planned.shares.extend(spread.map(|spread| self.make(spread, number, weighted.weight, None)));
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
        planned.rate = rate_of(amount, planned.quantity);
        planned.shares.push(self.make(Spread::Signed(plan), number, weighted.weight, None));
        Ok(planned)
    }

    /// A pool whose driver nobody used, and for which the policy finds nothing else.
    fn nobody(&self, amount: Minor, weighted: &Weighted) -> Result<Planned, Refusal> {
        let reason = if self.reach().len() == 0 { Unassigned::NoCustomer } else { Unassigned::NoDriver };
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
    ) -> Result<Option<(usize, u128)>, Refusal> {
        match &setting.no_driver {
            None | Some(NoDriver::Unassigned) => Ok(None),
            Some(NoDriver::Even) => Ok(Some((self.number(&Basis::Even)?, 0))),
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

    /// An amount for each of some segments, spread inside each by a basis.
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
            let raw = summarise(&self.columns.made[number], self.ground, self.reach(), Some(segment));
            let weighted = weigh(spreadable(setting.negative), &raw)?;
            planned.recipients += weighted.summary.recipients();
            planned.quantity += weighted.summary.total();
            planned.negative_quantity += weighted.negative_total;
            let plan = rates::spread_or_leave(*amount, &weighted.summary)?;
            let reason = if raw.rows() == 0 { Unassigned::NoCustomer } else { Unassigned::NoDriver };
            planned.add(plan.parts(), reason)?;
            let spread = plan.plan().map(Spread::Plain);
            planned.shares.extend(spread.map(|spread| self.make(spread, number, weighted.weight, Some(segment))));
        }
        Ok(())
    }

    fn segment(&self, name: &str) -> Result<u16, Refusal> {
        let names = self.ground.segment_names;
        let unknown = || Refusal::UnknownSegment { segment: name.to_owned(), known: names.join(", ") };
        names.iter().position(|known| known == name).map(|at| at as u16).ok_or_else(unknown)
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
        let left = direct::rest_of(amount, fixed)?;
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
        let plan = rates::spread_or_leave(left, &weighted.summary)?;
        planned.add(plan.parts(), Unassigned::NoDriver)?;
        let spread = plan.plan().map(Spread::Plain);
        planned.shares.extend(spread.map(|spread| self.make(spread, number, weighted.weight, None)));
        Ok(planned)
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
        let capacity = setting.capacity.filter(|capacity| *capacity != Capacity::Actual).map(|c| c.quantity(0));
        let plan = rates::dual_rate(amount, fixed, &budget.summary, capacity, &weighted.summary)?;
        let mut planned = Self::planned(&weighted);
        planned.add(plan.parts(), Unassigned::NoDriver)?;
        if let (Some(denominator), Some(quantity)) = (setting.capacity, capacity) {
            planned.capacity = Some((denominator, quantity, budget.summary.total()));
        }
        let (fixed, variable) = plan.planned();
        planned.rate = rate_of(variable.parts().pool, weighted.summary.total());
        for (part, number, weighted) in [(fixed, budget_number, &budget), (variable, number, &weighted)] {
            let spread = part.plan().map(Spread::Plain);
            planned.shares.extend(spread.map(|spread| self.make(spread, number, weighted.weight, None)));
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

fn rate_of(cost: Minor, quantity: i128) -> Option<(Minor, i128)> {
    (quantity > 0).then_some((cost, quantity))
}

/// Why a method cannot be combined with a policy; told when the config is read.
#[must_use]
pub fn combination(setting: &ActivitySetting) -> Option<&'static str> {
    let signed = matches!(setting.negative, Negative::Signed { .. });
    let share = matches!(setting.method, Method::Share(_));
    let takes_capacity = share || matches!(setting.method, Method::DualRate { .. });
    match setting {
        _ if signed && !share => Some("negative: signed needs a method that shares the whole pool"),
        _ if signed && setting.capacity.is_some() => Some("negative: signed cannot be combined with a capacity"),
        _ if setting.capacity.is_some() && !takes_capacity => Some("a capacity needs a driver, time or dual rate"),
        _ if setting.no_driver.is_some() && !share => {
            Some("no_driver has an effect on methods that share the whole pool alone")
        }
        _ => None,
    }
}
