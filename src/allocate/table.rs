//! The cost of a run, planned: every pool's shares and balance. The cost of any slice of cells is a function of the plan.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    basis::{Column, Sources, takes_part},
    costing::Costing,
    kinds::{self, Kind, KindPart, KindPlan, Mix, ReceivedKinds},
    order::in_order,
    planned::{CapacityOf, Planned, Rate},
    pool::{Columns, Planner, combination},
    refusal::{CostError, PoolError, Refusal},
    resources,
    rows::{Ground, Periods},
    share::Share,
    spread::AllocateError,
    unknown::UnknownQuantities,
    validity::{rule_in, rule_or_latest},
};
use crate::{
    numeric::decimal::format_minor,
    schema::{
        costing::{ActivitySetting, Basis, Capacity, Method, NoDriver, Rule, RuleKind},
        costs::{ActivityRate, CapacityUse, PoolBalance, PoolNode, TraceEdge},
        period::{Period, PeriodKind},
        tables::{Activity, UnknownQuantity},
    },
    units::{Minor, MinorSum},
};

/// One activity's shares.
#[derive(Clone, Debug, Default)]
pub(super) struct ActivityPlan {
    /// Number of the column whose quantities the outputs show, under each rule.
    pub(super) shown: Vec<Option<usize>>,
    /// Number of each period's rule, by period, where several rules follow each other.
    pub(super) rules: Vec<(Period, usize)>,
    /// Shares of pools without a period.
    pub(super) whole: Vec<Share>,
    /// Shares of each period's pool, by period.
    pub(super) by_period: Vec<(Period, Vec<Share>)>,
    /// Cost that names its customer, one value a cell.
    pub(super) traced: Option<Vec<Minor>>,
    /// Periods whose own pool that is of, ascending; in the others it is of the whole run's.
    pub(super) traced_periods: Vec<Period>,
    /// How much of the cost is of each kind, in the order of [`Kind::ALL`].
    pub(super) kinds: [KindPlan; 2],
}

impl ActivityPlan {
    /// Number of the rule that cells of a period go by.
    pub(super) fn rule(&self, period: Period) -> usize {
        let at = self.rules.partition_point(|(other, _)| *other < period);
        self.rules.get(at).filter(|(other, _)| *other == period).map_or(0, |(_, rule)| *rule)
    }

    /// What a cell bears by name: of its period's pool, or of the whole run's.
    pub(super) fn traced_of(&self, ground: &Ground<'_>, row: usize, of_period: bool) -> Minor {
        let own = || self.traced_periods.binary_search(&ground.cells.period[row]).is_ok();
        self.traced.as_ref().filter(|_| own() == of_period).map_or(0, |traced| traced[row])
    }

    fn show(&mut self, rule: usize, column: Option<usize>) {
        if self.shown.len() <= rule {
            self.shown.resize(rule + 1, None);
        }
        self.shown[rule] = column;
    }
}

/// The cost of a run, planned.
#[derive(Clone, Debug, Default)]
pub struct CostPlan {
    /// Activities, sorted by name.
    pub activities: Vec<Activity>,
    /// Names of the resource pools.
    pub resources: Vec<String>,
    /// Balances: resource pools, then activities, each by period.
    pub balances: Vec<PoolBalance>,
    /// Use of every capacity that was given.
    pub capacity: Vec<CapacityUse>,
    /// What one unit of each driver costs.
    pub rates: Vec<ActivityRate>,
    /// Flows between pools.
    pub trace: Vec<TraceEdge>,
    pub(super) columns: Vec<Arc<Column>>,
    /// What each column was made of; `None` = the quantities of an earlier period.
    pub(super) bases: Vec<Option<Basis>>,
    pub(super) plans: Vec<ActivityPlan>,
}

/// Plans every pool of a run.
///
/// Resource pools pass their cost on to activities first. An activity's pool with a period reaches the cells of that
/// period, one without reaches all cells.
///
/// # Errors
/// [`CostError`]: the first pool that cannot be allocated, with the money at stake.
pub fn plan(costing: &Costing<'_>, ground: &Ground<'_>) -> Result<CostPlan, CostError> {
    let served = resources::serve(costing, ground, costing.pools)?;
    let mut plan = CostPlan {
        activities: costing.activities.to_vec(),
        resources: costing.resources.keys().cloned().collect(),
        balances: served.balances,
        capacity: served.capacity,
        trace: served.trace,
        plans: vec![ActivityPlan::default(); costing.activities.len()],
        ..CostPlan::default()
    };
    let periods = Periods::new(&ground.cells.period);
    let unknown = UnknownQuantities(costing.unknown.to_vec());
    let mut columns = Columns::default();
    let mut received = served.received;
    for number in in_order(costing)? {
        let context = Context { costing, ground, periods: &periods, unknown: &unknown };
        let mut pools = own_pools(costing, number);
        for ((_, period), amount) in received.range((number, None)..=(number, Some(Period::MAX))) {
            pools.entry(*period).or_default().received = *amount;
        }
        context.add_used_periods(number, &mut pools);
        let setting = &costing.activities[number].setting;
        let traced = |period: Option<Period>| context.under(number, period).1.method == Method::Traced;
        if setting.is_traced() {
            let pools = pools.iter().filter(|(period, _)| traced(**period)).map(|(period, money)| (*period, *money));
            context.trace(number, &pools.collect(), &mut plan)?;
        }
        for (period, money) in pools.into_iter().filter(|(period, _)| !traced(*period)) {
            context.pool(number, period, money, &mut columns, &mut plan)?;
        }
        if !setting.later.is_empty() {
            context.rules(number, &mut columns, &mut plan)?;
        }
        plan.columns.clone_from(&columns.made);
        context.mix(number, &served.kinds, &mut columns, &mut plan);
        plan.columns.clone_from(&columns.made);
        context.send_unused(number, &mut received, &mut plan)?;
    }
    plan.bases = columns.bases();
    plan.balances.sort_by_key(|balance| (balance.node, balance.period));
    Ok(plan)
}

/// An activity's cost in one period.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Money {
    pub(super) own: Minor,
    pub(super) received: Minor,
    /// Practical capacity that the pools table gives, scaled by 10⁶.
    capacity: Option<i128>,
    /// Of the whole run, where the periods' own pools charge all that was used.
    is_beside: bool,
}

/// Cost by period. An activity that cost nothing stays visible in the balance.
pub(super) type Pools = BTreeMap<Option<Period>, Money>;

pub(super) fn own_pools(costing: &Costing<'_>, number: usize) -> Pools {
    let name = &costing.activities[number].name;
    let mut pools: Pools = BTreeMap::new();
    for pool in costing.pools.iter().filter(|pool| pool.activity == *name) {
        let money = pools.entry(pool.period).or_default();
        money.own += pool.amount;
        money.capacity = pool.capacity.map(i128::from).or(money.capacity);
    }
    pools
}

pub(super) struct Context<'a> {
    pub(super) costing: &'a Costing<'a>,
    pub(super) ground: &'a Ground<'a>,
    pub(super) periods: &'a Periods,
    pub(super) unknown: &'a UnknownQuantities,
}

impl Context<'_> {
    pub(super) fn failed(&self, number: usize, period: Option<Period>, amount: MinorSum, reason: Refusal) -> CostError {
        let at_stake = reason.at_stake().unwrap_or(amount);
        let error = PoolError {
            activity: self.costing.activities[number].name.clone(),
            rule: reason.by(&self.costing.activities[number], self.under(number, period).0),
            when: self.costing.when(period),
            reason,
            money: format_minor(at_stake, self.costing.currency.exponent),
            currency: self.costing.currency.code.clone(),
        };
        Box::new(error).into()
    }

    /// The number of the rule that an activity's pool goes by, and the activity as that rule has it.
    pub(super) fn under(&self, number: usize, period: Option<Period>) -> (usize, Cow<'_, ActivitySetting>) {
        let Activity { name, setting } = &self.costing.activities[number];
        let rules: Vec<&Rule> = setting.rules().collect();
        let rule = rule_or_latest(&rules, name, self.costing, period);
        (rule, setting.under(rule))
    }

    /// A standard rate charges what was used, whether the period has a cost or not: a period with a quantity has a pool, of
    /// 0.00 where nothing says more. A pool of the whole run reaches every period; beside pools of periods it charges nothing, so
    /// that nobody pays the rate twice.
    fn add_used_periods(&self, number: usize, pools: &mut Pools) {
        let Activity { name, setting } = &self.costing.activities[number];
        let is_rate = |rule: Cow<'_, ActivitySetting>| matches!(rule.method, Method::StandardRate { .. });
        let is_alone = pools.len() == 1 && pools.contains_key(&None);
        if is_alone || !setting.each_rule().any(is_rate) {
            return;
        }
        if let Some(whole) = pools.get_mut(&None) {
            whole.is_beside = is_rate(self.under(number, None).1);
        }
        if self.costing.period == PeriodKind::Whole {
            pools.insert(None, Money::default());
            return;
        }
        let rules: Vec<&Rule> = setting.rules().collect();
        let unknown = self.unknown.0.iter().map(|row| row.period);
        let known: BTreeSet<Period> = self.periods.known.iter().copied().chain(unknown).collect();
        for period in known {
            let Ok(rule) = rule_in(&rules, name, self.costing, Some(period)) else { continue };
            let Method::StandardRate { basis, .. } = &setting.under(rule).method else { continue };
            if !pools.contains_key(&Some(period)) && self.is_used(basis, period) {
                pools.insert(Some(period), Money::default());
            }
        }
    }

    /// Whether anybody has a quantity of a basis in a period, customers whom nobody knows too.
    fn is_used(&self, basis: &Basis, period: Period) -> bool {
        let (reach, named) = (self.periods.reach(Some(period)), basis.drivers());
        let drivers: Vec<usize> =
            (0..self.costing.drivers.len()).filter(|at| named.contains(&self.costing.drivers[*at].as_str())).collect();
        let unknown = |row: &UnknownQuantity| {
            row.period == period && row.quantity != 0 && drivers.contains(&(row.driver as usize))
        };
        let known = |row: usize| takes_part(basis, &drivers, self.ground, row);
        self.unknown.0.iter().any(unknown) || (0..reach.len()).any(|at| known(reach.row(at)))
    }

    /// Refuses money in a period in which no rule holds.
    pub(super) fn check_rules(&self, number: usize, period: Option<Period>, money: MinorSum) -> Result<(), CostError> {
        let Activity { name, setting } = &self.costing.activities[number];
        let rules: Vec<&Rule> = setting.rules().collect();
        match rule_in(&rules, name, self.costing, period) {
            Err(reason) if money != 0 => Err(self.failed(number, period, money, reason)),
            _ => Ok(()),
        }
    }

    /// Refuses a driver that no table holds, unless the activity says what becomes of its cost then.
    fn check_drivers(&self, setting: &ActivitySetting) -> Result<(), Refusal> {
        let fallback = match &setting.no_driver {
            Some(NoDriver::Fallback(basis)) => Some(basis),
            _ => None,
        };
        let bases = setting.method.bases();
        let excusable = matches!(setting.method, Method::Share(_));
        let own = bases.into_iter().filter(|_| setting.no_driver.is_none()).map(|basis| (basis, excusable));
        let missing = |(basis, excusable): (&Basis, bool)| {
            basis.drivers().into_iter().find_map(|name| self.costing.missing(name, excusable))
        };
        own.chain(fallback.map(|basis| (basis, false))).find_map(missing).map_or(Ok(()), Err)
    }

    /// Settles how much of what customers bear of an activity is fixed, and how much avoidable.
    fn mix(
        &self,
        number: usize,
        received: &BTreeMap<(usize, Option<Period>), ReceivedKinds>,
        columns: &mut Columns,
        plan: &mut CostPlan,
    ) {
        let setting = &self.costing.activities[number].setting;
        // What rows bear of pools of a period, and of pools of the whole run: a column each, where one is needed.
        let mut made: [Option<usize>; 2] = [None; 2];
        let mut parts: [Vec<(Option<Period>, KindPart)>; 2] = [Vec::new(), Vec::new()];
        let own = |balance: &PoolBalance| balance.node == PoolNode::Activity(number);
        let places: Vec<usize> = (0..plan.balances.len()).filter(|at| own(&plan.balances[*at])).collect();
        for at in places {
            let period = plan.balances[at].period;
            let received = received.get(&(number, period)).copied().unwrap_or_default();
            let mut allocated = [0; 2];
            for kind in Kind::ALL {
                let mut column = |columns: &mut Columns| {
                    let of_period = period.is_some();
                    *made[usize::from(of_period)]
                        .get_or_insert_with(|| kinds::keep(columns, plan.pools_cost(number, of_period, self.ground)))
                };
                let mix = Mix { kind, setting, received };
                let (part, money) = mix.of_pool(&plan.balances[at], (self.ground, self.periods), columns, &mut column);
                parts[kind as usize].push((period, part));
                allocated[kind as usize] = money;
            }
            let balance = &mut plan.balances[at];
            [balance.allocated_fixed, balance.allocated_avoidable] = allocated;
        }
        plan.plans[number].kinds = parts.map(KindPlan::new);
    }

    /// Settles by which rule the cells of each period go, also of periods that cost nothing.
    fn rules(&self, number: usize, columns: &mut Columns, plan: &mut CostPlan) -> Result<(), CostError> {
        let of = |period: Option<Period>| plan.balances.iter().find(|balance| balance.is_of(number, period));
        let rule = |period: &Period| {
            let balance = of(Some(*period)).or_else(|| of(None));
            (*period, balance.map_or_else(|| self.under(number, Some(*period)).0, |balance| balance.rule))
        };
        let rules: Vec<(Period, usize)> = self.periods.known.iter().map(rule).collect();
        for (period, rule) in &rules {
            if plan.plans[number].shown.get(*rule).is_none_or(Option::is_none) {
                let setting = self.costing.activities[number].setting.under(*rule);
                self.show(number, (*rule, &setting), Some(*period), columns, plan)?;
            }
        }
        plan.plans[number].rules = rules;
        Ok(())
    }

    /// Makes the column whose quantities the outputs show under a rule.
    fn show(
        &self,
        number: usize,
        (rule, setting): (usize, &ActivitySetting),
        period: Option<Period>,
        columns: &mut Columns,
        plan: &mut CostPlan,
    ) -> Result<(), CostError> {
        if setting.sustains() {
            return Ok(());
        }
        let shown = match setting.method.bases().first() {
            Some(basis) => {
                let cost_of = |name: &str| plan.cost_of(name, self.ground);
                let mut planner = self.planner(period, columns, &cost_of);
                Some(planner.number(basis).map_err(|reason| self.failed(number, period, 0, reason))?)
            }
            None => None,
        };
        plan.plans[number].show(rule, shown);
        Ok(())
    }

    fn planner<'p>(
        &'p self,
        period: Option<Period>,
        columns: &'p mut Columns,
        cost_of: &'p dyn Fn(&str) -> Option<Vec<Minor>>,
    ) -> Planner<'p> {
        let one_period = period.is_some() || self.periods.known.len() <= 1;
        let sources = Sources { ground: self.ground, drivers: self.costing.drivers, one_period, cost_of };
        Planner { ground: self.ground, sources, periods: self.periods, period, unknown: self.unknown, columns }
    }

    /// Plans one pool of an activity.
    fn pool(
        &self,
        number: usize,
        period: Option<Period>,
        Money { own, received, capacity, is_beside }: Money,
        columns: &mut Columns,
        plan: &mut CostPlan,
    ) -> Result<(), CostError> {
        let money = MinorSum::from(own) + MinorSum::from(received);
        let failed = |reason: Refusal| self.failed(number, period, money, reason);
        let amount = own.checked_add(received).ok_or_else(|| failed(AllocateError::TooLarge.into()))?;
        self.check_rules(number, period, money)?;
        let (rule, setting) = self.under(number, period);
        let mut balance = PoolBalance::new(PoolNode::Activity(number), period);
        (balance.own, balance.received, balance.rule) = (own, received, rule);
        if setting.sustains() {
            balance.sustained = amount;
            plan.balances.push(balance);
            return Ok(());
        }
        if amount != 0 {
            self.check_drivers(&setting).map_err(failed)?;
        }
        let own_capacity = ActivitySetting {
            capacity: capacity.map(Capacity::Practical).or(setting.capacity),
            ..setting.clone().into_owned()
        };
        let cost_of = |name: &str| plan.cost_of(name, self.ground);
        let planned = match combination(&own_capacity) {
            Some(wrong) => return Err(failed(Refusal::Combination { wrong })),
            None if is_beside => Planned { under_absorbed: amount, ..Planned::default() },
            None => self.planner(period, columns, &cost_of).plan(&own_capacity, amount).map_err(failed)?,
        };
        self.show(number, (rule, &setting), period, columns, plan)?;
        Self::keep(number, period, planned, balance, plan);
        Ok(())
    }

    fn keep(number: usize, period: Option<Period>, planned: Planned, mut balance: PoolBalance, plan: &mut CostPlan) {
        balance.allocated = planned.allocated;
        balance.unused = planned.unused;
        balance.over_driven = planned.over_driven;
        balance.under_absorbed = planned.under_absorbed;
        balance.unassigned = planned.unassigned;
        balance.recipients = planned.recipients;
        balance.instead = planned.instead;
        balance.driver_quantity = planned.quantity;
        balance.negative_quantity = planned.negative_quantity;
        if let Some(CapacityOf { denominator, capacity, used, cost }) = planned.capacity {
            let node = balance.node;
            let unused_cost = planned.unused;
            plan.capacity.push(CapacityUse { node, period, denominator, capacity, used, cost, unused_cost });
        }
        let rule = balance.rule;
        let rate =
            |Rate { basis, cost, quantity }| ActivityRate { activity: number, period, rule, basis, cost, quantity };
        plan.rates.extend(planned.rates.into_iter().map(rate));
        plan.balances.push(balance);
        let shares = &mut plan.plans[number];
        match period {
            None => shares.whole.extend(planned.shares),
            Some(period) => shares.by_period.push((period, planned.shares)),
        }
    }

    /// Hands the cost of unused capacity to the activity that takes it.
    fn send_unused(
        &self,
        number: usize,
        received: &mut BTreeMap<(usize, Option<Period>), Minor>,
        plan: &mut CostPlan,
    ) -> Result<(), CostError> {
        let Some(taker) = &self.costing.activities[number].setting.unused_to else { return Ok(()) };
        let Some(to) = self.costing.activities.iter().position(|activity| activity.name == *taker) else {
            return Ok(());
        };
        let node = PoolNode::Activity(number);
        for balance in plan.balances.iter_mut().filter(|balance| balance.node == node && balance.unused != 0) {
            let amount = std::mem::take(&mut balance.unused);
            let (sent, sum) = (&mut balance.sent, received.entry((to, balance.period)).or_default());
            let both = sent.checked_add(amount).zip(sum.checked_add(amount));
            (*sent, *sum) =
                both.ok_or_else(|| self.failed(number, balance.period, amount.into(), AllocateError::TooLarge.into()))?;
            let used = plan.capacity.iter().find(|used| used.node == node && used.period == balance.period);
            let (idle, all) = used.map_or((1, 1), |used| (used.capacity - used.used, used.capacity));
            plan.trace.push(TraceEdge {
                from: node,
                to: PoolNode::Activity(to),
                period: balance.period,
                weight: i64::try_from(idle).unwrap_or(i64::MAX),
                total: i64::try_from(all).unwrap_or(i64::MAX),
                amount,
                rule: balance.rule,
                kind: RuleKind::Allocation,
            });
        }
        Ok(())
    }
}
