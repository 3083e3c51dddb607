//! Costs that name their customer.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    refusal::{CostError, Refusal},
    rows::Ground,
    spread::AllocateError,
    table::{Context, CostPlan, Money, Pools},
};
use crate::{
    schema::{
        costing::Method,
        costs::{PoolBalance, PoolNode, Unassigned},
        period::{Period, PeriodKind},
    },
    units::{Minor, MinorSum},
};

/// What the traced table names in one period.
#[derive(Debug, Default)]
struct Named {
    /// Of customers of the run.
    allocated: MinorSum,
    /// Of unknown ones.
    unknown: MinorSum,
    cells: BTreeSet<usize>,
}

/// The same by period; `None` is the whole run.
type ByPeriod = BTreeMap<Option<Period>, Named>;

impl Named {
    fn sum(&self) -> MinorSum {
        self.allocated + self.unknown
    }

    fn combine(&mut self, mut other: Self) {
        self.allocated += other.allocated;
        self.unknown += other.unknown;
        self.cells.append(&mut other.cells);
    }
}

impl Context<'_> {
    /// Lays the costs that name their customer on the cells. What a pool has beyond them is under-absorbed.
    ///
    /// A period without a cost of its own is part of the whole run's pool, where there is one; otherwise what is named is
    /// the period's cost.
    pub(super) fn trace(&self, number: usize, pools: &Pools, plan: &mut CostPlan) -> Result<(), CostError> {
        let (column, mut named) = self.named(number)?;
        let has_cost = |money: &Money| (money.own, money.received) != (0, 0);
        let whole = pools.get(&None).is_some_and(has_cost);
        let covered = |period: Option<Period>| whole && !pools.get(&period).is_some_and(has_cost);
        for period in pools.keys().filter(|period| !covered(**period)) {
            named.entry(*period).or_default();
        }
        for (period, found) in &named {
            let money = pools.get(period).copied().unwrap_or_default();
            let pool = MinorSum::from(money.own) + MinorSum::from(money.received);
            self.check_rules(number, *period, if found.sum() == 0 { pool } else { found.sum() })?;
            let method = &self.under(number, *period).1.method;
            if *method != Method::Traced {
                let reason = Refusal::NotTraced { method: method.as_str() };
                return Err(self.failed(number, *period, found.sum(), reason));
            }
        }
        let parts: Vec<Named> = named.extract_if(.., |period, _| covered(*period)).map(|(_, part)| part).collect();
        for part in parts {
            named.entry(None).or_default().combine(part);
        }
        plan.plans[number].traced_periods = named.keys().copied().flatten().collect();
        for (period, found) in named {
            let too_large = |_| self.failed(number, period, found.sum(), AllocateError::TooLarge.into());
            let money = pools.get(&period).copied().unwrap_or_default();
            let mut balance = PoolBalance::new(PoolNode::Activity(number), period);
            balance.allocated = i64::try_from(found.allocated).map_err(too_large)?;
            balance.unassigned[Unassigned::UnknownCustomer as usize] =
                i64::try_from(found.unknown).map_err(too_large)?;
            (balance.recipients, balance.rule) = (found.cells.len() as u64, self.under(number, period).0);
            (balance.own, balance.received) = (money.own, money.received);
            if has_cost(&money) {
                balance.under_absorbed = i64::try_from(balance.residual()).map_err(too_large)?;
            } else {
                balance.own = i64::try_from(found.sum()).map_err(too_large)?;
            }
            plan.balances.push(balance);
        }
        plan.plans[number].traced = Some(column);
        Ok(())
    }

    /// What the traced table names of an activity: on every cell, and by period.
    fn named(&self, number: usize) -> Result<(Vec<Minor>, ByPeriod), CostError> {
        let mut column = vec![0_i64; self.ground.cells.len()];
        let mut named = ByPeriod::new();
        let name = &self.costing.activities[number].name;
        let whole = self.costing.period == PeriodKind::Whole;
        for row in self.costing.traced.iter().filter(|row| row.activity == *name) {
            let found = named.entry((!whole).then_some(row.period)).or_default();
            let cell = row.customer.and_then(|customer| find_cell(self.ground, customer, row.period));
            let Some(cell) = cell else {
                found.unknown += MinorSum::from(row.amount);
                continue;
            };
            found.allocated += MinorSum::from(row.amount);
            found.cells.insert(cell);
            let too_large = || {
                let reason = AllocateError::TooLarge.into();
                self.failed(number, Some(row.period), MinorSum::from(row.amount), reason)
            };
            column[cell] = column[cell].checked_add(row.amount).ok_or_else(too_large)?;
        }
        Ok((column, named))
    }
}

/// The cell of a customer and period.
fn find_cell(ground: &Ground<'_>, customer: u32, period: Period) -> Option<usize> {
    let cells = ground.cells;
    let from = cells.customer.partition_point(|other| *other < customer);
    (from..cells.len()).take_while(|row| cells.customer[*row] == customer).find(|row| cells.period[*row] == period)
}
