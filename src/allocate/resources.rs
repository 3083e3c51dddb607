//! Resource pools: what departments and accounts cost flows to the activities, period by period.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    costing::{Costing, known_drivers},
    kinds::{Kind, ReceivedKinds},
    network::{Ending, Plan},
    refusal::{CostError, Refusal},
    resource_graph::Graph,
    rows::Ground,
    spread::AllocateError,
};
use crate::{
    numeric::decimal::format_minor,
    schema::{
        costing::{Behaviour, Level, ResourceSetting, Weight},
        costs::{CapacityUse, PoolBalance, PoolNode, TraceEdge},
        period::Period,
        tables::Pool,
    },
    units::{Minor, MinorSum, Quantity},
};

/// What resource pools gave: to activities, and to each other.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// (number of the activity, period) → cost.
    pub(super) received: BTreeMap<(usize, Option<Period>), Minor>,
    /// (number of the activity, period) → how much of that has a kind of its own.
    pub(super) kinds: BTreeMap<(usize, Option<Period>), ReceivedKinds>,
    pub(super) balances: Vec<PoolBalance>,
    pub(super) capacity: Vec<CapacityUse>,
    pub(super) trace: Vec<TraceEdge>,
}

impl Served {
    /// Bounds what an activity received of each kind by what it received, and gives the rest to others with room, so that the
    /// sums stay: each flow is rounded by itself, and a part may be a minor unit above the whole.
    ///
    /// * `sign`: of all cost of the period. Where cost of both signs flows, a part may well be more than the whole.
    fn bound_kinds(&mut self, period: Option<Period>, sign: Minor) {
        for (activity, _) in self.received.keys().filter(|(_, of)| *of == period) {
            self.kinds.entry((*activity, period)).or_default();
        }
        for kind in Kind::ALL {
            // Room, and what is of the kind and of its opposite, all above zero.
            let of_period = self.kinds.iter_mut().filter(|((_, of), _)| *of == period);
            let mut rows: Vec<(Minor, &mut Minor, &mut Minor)> = of_period
                .map(|(key, kinds)| {
                    let (of, opposite) = &mut kinds[kind as usize];
                    (sign * self.received.get(key).copied().unwrap_or(0), of, opposite)
                })
                .collect();
            let mut excess = [0; 2];
            for (room, of, opposite) in &mut rows {
                for (part, excess) in [of, opposite].into_iter().zip(&mut excess) {
                    let kept = (sign * **part).min(*room);
                    *excess += sign * **part - kept;
                    **part = sign * kept;
                    *room -= kept;
                }
            }
            for (room, of, opposite) in &mut rows {
                for (part, excess) in [of, opposite].into_iter().zip(&mut excess) {
                    let taken = (*excess).min(*room);
                    **part += sign * taken;
                    *excess -= taken;
                    *room -= taken;
                }
            }
        }
    }
}

/// Passes the cost of every resource pool on.
///
/// # Errors
/// [`CostError::Resources`], [`CostError::Resource`].
pub(super) fn serve(costing: &Costing<'_>, ground: &Ground<'_>, pools: &[Pool]) -> Result<Served, CostError> {
    let mut served = Served::default();
    if costing.resources.is_empty() {
        return Ok(served);
    }
    let names: Vec<&str> = costing.resources.keys().map(String::as_str).collect();
    let own = |pool: &&Pool| names.binary_search(&pool.activity.as_str()).is_ok();
    let pools: Vec<&Pool> = pools.iter().filter(own).collect();
    check_takers(costing, &pools)?;
    let periods: BTreeSet<Option<Period>> = pools.iter().map(|pool| pool.period).collect();
    let total = |period: Option<Period>| -> MinorSum {
        let of_period = pools.iter().filter(|pool| pool.period == period);
        of_period.map(|pool| MinorSum::from(pool.amount)).sum()
    };
    let all: MinorSum = pools.iter().map(|pool| MinorSum::from(pool.amount)).sum();
    let varies = weights_vary(costing);
    let mut planned: Option<(Graph<'_>, Plan)> = None;
    if periods.is_empty() {
        // A run without costs checks its network all the same.
        let graph = Graph::new(&names, (costing, ground), None)?;
        graph.plan().map_err(|error| graph.failed(error, None, 0))?;
    }
    for period in periods {
        let known = planned.take().filter(|_| !varies);
        let (graph, plan) = if let Some(known) = known {
            known
        } else {
            let graph = Graph::new(&names, (costing, ground), period)?;
            let money = if varies { total(period) } else { all };
            let plan = graph.plan().map_err(|error| graph.failed(error, period.filter(|_| varies), money))?;
            (graph, plan)
        };
        let mut cost = vec![0; graph.len()];
        for pool in pools.iter().filter(|pool| pool.period == period) {
            let at = names.partition_point(|name| *name < pool.activity.as_str());
            cost[at] += pool.amount;
        }
        let flow = plan.flow(&cost).map_err(|error| graph.failed(error, period, total(period)))?;
        graph.check_rules(&flow, period)?;
        for kind in Kind::ALL {
            for opposite in [false, true] {
                let of = |cost: (&Minor, &ResourceSetting)| {
                    if is_of(kind, cost.1) == Some(!opposite) { *cost.0 } else { 0 }
                };
                let mut own: Vec<Minor> = cost.iter().zip(costing.resources.values()).map(of).collect();
                if own.iter().any(|cost| *cost != 0) {
                    own.resize(graph.len(), 0);
                    let flow = plan.flow(&own).map_err(|error| graph.failed(error, period, total(period)))?;
                    graph.keep_kind(&flow, period, (kind, opposite), &mut served);
                }
            }
        }
        graph.keep(&flow, period, &mut served);
        let one_sign = |sign: &Minor| cost.iter().all(|cost| cost.signum() * sign >= 0);
        if let Some(sign) = [1, -1].into_iter().find(one_sign) {
            served.bound_kinds(period, sign);
        }
        planned = Some((graph, plan));
    }
    Ok(served)
}

/// Whether a resource pool's own cost is of a kind, wherever it goes; `None` where that is up to its takers.
fn is_of(kind: Kind, pool: &ResourceSetting) -> Option<bool> {
    match kind {
        Kind::Fixed => pool.behaviour.map(|behaviour| behaviour == Behaviour::Fixed),
        Kind::Avoidable => pool.avoidable,
    }
}

/// Whether the weights or capacities of one period may be others than those of the next.
pub(super) fn weights_vary(costing: &Costing<'_>) -> bool {
    let varies = |pool: &ResourceSetting| !pool.later.is_empty() || pool.takers().any(|(_, weight)| weight.varies());
    let given = |pool: &Pool| pool.capacity.is_some() && costing.resources.contains_key(&pool.activity);
    costing.resources.values().any(varies) || costing.pools.iter().any(given)
}

/// Shares of every resource pool's own cost of a period that end in activities: activity → (resource pool, share).
///
/// # Errors
/// [`CostError::Resources`].
pub(super) fn absorbed(
    costing: &Costing<'_>,
    ground: &Ground<'_>,
    period: Option<Period>,
) -> Result<BTreeMap<usize, Vec<(usize, f64)>>, CostError> {
    let names: Vec<&str> = costing.resources.keys().map(String::as_str).collect();
    let graph = Graph::new(&names, (costing, ground), period)?;
    let varies = weights_vary(costing);
    let cost = |number: usize| {
        let own = costing.pools.iter().filter(move |pool| pool.activity == names_of(costing, number));
        own.filter(move |pool| !varies || pool.period == period)
    };
    let mut shares: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
    let plan = graph.plan().map_err(|error| graph.failed(error, None, 0))?;
    // What has no cost has no origin to show, and may stand in a loop without an exit.
    for number in (0..names.len()).filter(|number| cost(*number).any(|pool| pool.amount != 0)) {
        let money = cost(number).map(|pool| MinorSum::from(pool.amount)).sum();
        let ends = plan.absorption(number as u32).map_err(|error| graph.failed(error, None, money))?;
        for end in ends.into_iter().filter(|end| end.ending == Ending::Final) {
            if let PoolNode::Activity(activity) = graph.node(end.node) {
                shares.entry(activity).or_default().push((number, end.share));
            }
        }
    }
    Ok(shares)
}

fn names_of<'a>(costing: &Costing<'a>, number: usize) -> &'a str {
    costing.resources.keys().nth(number).map_or("", String::as_str)
}

/// Refuses a resource pool, with the money that it has.
pub(super) fn refused(costing: &Costing<'_>, resource: &str, reason: Refusal, money: MinorSum) -> CostError {
    CostError::Resource {
        resource: resource.to_owned(),
        rule: String::new(),
        reason,
        money: format_minor(money, costing.currency.exponent),
        currency: costing.currency.code.clone(),
    }
}

fn check_takers(costing: &Costing<'_>, pools: &[&Pool]) -> Result<(), CostError> {
    // Names of the activities table are known only now.
    let known: Vec<&str> = costing.activities.iter().map(|activity| activity.name.as_str()).collect();
    let known: Vec<&str> = known.into_iter().chain(costing.resources.keys().map(String::as_str)).collect();
    for (name, setting) in costing.resources {
        let money = || -> MinorSum {
            pools.iter().filter(|pool| pool.activity == *name).map(|pool| MinorSum::from(pool.amount)).sum()
        };
        for service in setting.rules() {
            let rule = service.rule.name(name).to_owned();
            if service.serves.is_empty() {
                return Err(refused(costing, name, Refusal::ServesNobody { rule }, money()));
            }
            let stray = service.serves.iter().find(|(taker, _)| !known.contains(&taker.as_str()));
            if let Some((taker, _)) = stray {
                let reason = Refusal::NoTarget { rule, taker: taker.clone(), known: known.join(", ") };
                return Err(refused(costing, name, reason, money()));
            }
        }
    }
    check_levels(costing, pools)
}

/// Cost of a channel, region or the company stays above customers unless its pool says that it is pushed down.
fn check_levels(costing: &Costing<'_>, pools: &[&Pool]) -> Result<(), CostError> {
    for (name, setting) in costing.resources {
        let Some(level) = setting.level.filter(|level| *level > Level::Customer && !setting.push_down) else {
            continue;
        };
        let money: MinorSum =
            pools.iter().filter(|pool| pool.activity == *name).map(|pool| MinorSum::from(pool.amount)).sum();
        let below = |taker: &&str| {
            let activity = costing.activities.iter().find(|activity| activity.name == **taker);
            activity.is_some_and(|activity| !activity.setting.sustains())
        };
        if let Some(taker) = reached(costing, name).into_iter().find(|taker| below(taker)).filter(|_| money != 0) {
            let reason = Refusal::PushedDown {
                rule: setting.rule.name(name).to_owned(),
                level: level.as_str(),
                taker: taker.to_owned(),
            };
            return Err(refused(costing, name, reason, money));
        }
    }
    Ok(())
}

/// Everything that a resource pool serves, also by way of other pools, in the order of names.
fn reached<'a>(costing: &Costing<'a>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut reached, mut ahead) = (BTreeSet::new(), vec![from]);
    while let Some(name) = ahead.pop() {
        for (taker, _) in costing.resources.get(name).into_iter().flat_map(ResourceSetting::takers) {
            if reached.insert(taker.as_str()) {
                ahead.push(taker);
            }
        }
    }
    reached
}

/// The weight of a period, scaled by 10⁶.
pub(super) fn quantity(
    weight: &Weight,
    costing: &Costing<'_>,
    ground: &Ground<'_>,
    period: Option<Period>,
) -> Result<Quantity, Refusal> {
    let within = |at: Period| period.is_none_or(|period| period == at);
    let sum: i128 = match weight {
        Weight::Always(quantity) => i128::from(*quantity),
        Weight::Periods(periods) => {
            periods.iter().filter(|(at, _)| within(*at)).map(|(_, quantity)| i128::from(*quantity)).sum()
        }
        Weight::Driver(name) => {
            if let Some(missing) = costing.missing(name, false) {
                return Err(missing);
            }
            let missing = || Refusal::MissingDriver {
                driver: name.clone(),
                meant: String::new(),
                known: known_drivers(costing.drivers),
                excusable: false,
            };
            let at = costing.drivers.iter().position(|known| known == name).ok_or_else(missing)?;
            let cells = ground.cells;
            let own = cells.drivers[at].iter().zip(&cells.period).filter(|(_, period)| within(**period));
            let unknown = costing.unknown.iter().filter(|row| row.driver as usize == at && within(row.period));
            own.map(|(quantity, _)| i128::from(*quantity)).sum::<i128>()
                + unknown.map(|row| i128::from(row.quantity)).sum::<i128>()
        }
    };
    Ok(i64::try_from(sum).map_err(|_| AllocateError::TooLarge)?)
}
