//! Which accounts, cost centres and resource pools an activity's cost came from, by factors.

use std::collections::BTreeMap;

use super::{
    Ledgers, RunError,
    explanation::{Amount, Origin},
};
use crate::{
    allocate::{
        CostPlan,
        explain::{Shares, origins, split},
    },
    schema::{
        costs::PoolNode,
        period::{Period, PeriodKind},
        settings::Settings,
    },
    units::Minor,
};

/// A share of 1 as a weight: shares are floats of 53 bits, and a weight keeps them all.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// What every activity's cost came from.
pub(super) struct Origins<'a> {
    settings: &'a Settings,
    ledgers: &'a Ledgers,
    plan: &'a CostPlan,
    /// Period → activity → (number of the resource pool, share of its own cost that ends there).
    absorbed: BTreeMap<Option<Period>, Shares>,
}

impl<'a> Origins<'a> {
    /// Factors of the run; no customer is looked at.
    ///
    /// # Errors
    /// [`RunError::Cost`].
    pub(super) fn new(settings: &'a Settings, ledgers: &'a Ledgers, plan: &'a CostPlan) -> Result<Self, RunError> {
        let absorbed = origins(&ledgers.costing(settings), &ledgers.ground(settings))?;
        Ok(Self { settings, ledgers, plan, absorbed })
    }

    /// Where an amount of an activity's pool came from; the parts sum to it.
    pub(super) fn of(&self, activity: usize, period: Option<Period>, amount: Minor) -> Vec<Origin> {
        let name = self.plan.activities[activity].name.as_str();
        let mut found = Vec::new();
        self.follow(activity, 1.0, period, &mut found);
        let weights: Vec<i128> = found.iter().map(|(_, weight)| *weight).collect();
        let money = |minor: Minor| Amount { minor: minor.into(), digits: self.settings.currency.exponent };
        let own =
            |pool: &str| Origin { pool: pool.to_owned(), account: None, cost_centre: None, amount: money(amount) };
        // A standard rate charges also what no pool has cost, and a traced cost may have no pool.
        let Some(parts) = split(amount, &weights) else { return vec![own(name)] };
        let with_amount = found.into_iter().zip(parts).filter(|(_, part)| *part != 0);
        with_amount.map(|((origin, _), part)| Origin { amount: money(part), ..origin }).collect()
    }

    /// An activity's own cost, that of the resource pools it received, and that of activities whose unused cost it took.
    fn follow(&self, activity: usize, share: f64, period: Option<Period>, found: &mut Vec<(Origin, i128)>) {
        self.add(&self.plan.activities[activity].name, share, period, found);
        let shares = self.absorbed.get(&period).or_else(|| self.absorbed.get(&None));
        for (resource, part) in shares.and_then(|shares| shares.get(&activity)).into_iter().flatten() {
            self.add(&self.plan.resources[*resource], share * part, period, found);
        }
        let taken =
            self.plan.trace.iter().filter(|edge| edge.to == PoolNode::Activity(activity) && edge.period == period);
        for edge in taken {
            let PoolNode::Activity(from) = edge.from else { continue };
            let balance = self.plan.balances.iter().find(|balance| balance.is_of(from, period));
            let cost = balance.map_or(0, |balance| i128::from(balance.own) + i128::from(balance.received));
            if cost != 0 {
                self.follow(from, share * edge.amount as f64 / cost as f64, period, found);
            }
        }
    }

    /// A pool's own cost of the period, by account and cost centre where the pools table says so.
    fn add(&self, pool: &str, share: f64, period: Option<Period>, found: &mut Vec<(Origin, i128)>) {
        let factor = (share * WHOLE).round() as i128;
        let whole_run = self.settings.period == PeriodKind::Whole;
        let lines = self.ledgers.pool_lines.iter();
        let lines = lines.filter(|line| line.activity == pool && (whole_run || line.period == period));
        // One origin may come by several ways: from a resource pool, and through an activity that hands its unused cost on.
        let mut put = |account: Option<&String>, cost_centre: Option<&String>, weight: i128| {
            let same = |origin: &Origin| {
                origin.pool == pool && origin.account.as_ref() == account && origin.cost_centre.as_ref() == cost_centre
            };
            if let Some((_, sum)) = found.iter_mut().find(|(known, _)| same(known)) {
                *sum += weight;
                return;
            }
            let origin = Origin {
                pool: pool.to_owned(),
                account: account.cloned(),
                cost_centre: cost_centre.cloned(),
                amount: Amount { minor: 0, digits: self.settings.currency.exponent },
            };
            found.push((origin, weight));
        };
        let mut has_lines = false;
        for line in lines {
            has_lines = true;
            put(line.account.as_ref(), line.cost_centre.as_ref(), i128::from(line.converted) * factor);
        }
        if !has_lines {
            let own = self.ledgers.pools.iter().filter(|own| own.activity == pool && own.period == period);
            let amount: i128 = own.map(|own| i128::from(own.amount)).sum();
            if amount != 0 {
                put(None, None, amount * factor);
            }
        }
    }
}
