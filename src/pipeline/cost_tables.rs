//! What became of every cost, as columns of the output datasets: balances, capacity, rates, flows between pools.

use std::{borrow::Cow, collections::BTreeMap};

use super::{tables::integers, worlds::World};
use crate::{
    allocate::CostPlan,
    publish::dataset::Values,
    schema::{
        costing::{ActivitySetting, Behaviour, Layer, Level, ResourceSetting, RuleKind},
        costs::{ActivityRate, CapacityUse, PoolBalance, PoolNode, TraceEdge},
        period::{ALL, Period, PeriodKind},
        settings::Settings,
        tables::PoolLine,
    },
    units::{Minor, MinorSum},
};

/// Digits of a rate for display, and of a quantity.
const MILLION: i128 = 1_000_000;

/// What a pool's cost is like.
type PoolKind = (Option<Level>, Option<Layer>, Option<Behaviour>, Option<bool>, Option<bool>);

/// What the datasets say of a pool.
struct Pools<'a> {
    settings: &'a Settings,
    resources: &'a BTreeMap<String, ResourceSetting>,
    plan: &'a CostPlan,
}

impl Pools<'_> {
    fn name(&self, node: PoolNode) -> String {
        match node {
            PoolNode::Resource(number) => self.plan.resources[number].clone(),
            PoolNode::Activity(number) => self.plan.activities[number].name.clone(),
        }
    }

    fn node(&self, name: &str) -> Option<PoolNode> {
        let resource = self.plan.resources.iter().position(|other| other == name).map(PoolNode::Resource);
        let activity = || self.plan.activities.iter().position(|other| other.name == name).map(PoolNode::Activity);
        resource.or_else(activity)
    }

    fn stage(node: PoolNode) -> String {
        let stage = match node {
            PoolNode::Resource(_) => "resource",
            PoolNode::Activity(_) => "activity",
        };
        stage.to_owned()
    }

    fn period(&self, period: Option<Period>) -> String {
        period.map_or_else(|| ALL.to_owned(), |period| self.settings.period.label(period))
    }

    /// Name and version of a pool's rule, by its number.
    fn rule(&self, node: PoolNode, number: usize) -> (String, i64) {
        let rule = match node {
            PoolNode::Resource(pool) => {
                let setting = self.resources.get(&self.plan.resources[pool]);
                setting.and_then(|setting| setting.rules().nth(number)).map(|service| service.rule)
            }
            PoolNode::Activity(activity) => self.plan.activities[activity].setting.rules().nth(number),
        };
        let name = self.name(node);
        rule.map_or_else(|| (name.clone(), 1), |rule| (rule.name(&name).to_owned(), i64::from(rule.version)))
    }

    /// The rule that a pool goes by in a period; where it has no balance, the first.
    fn rule_in(&self, node: PoolNode, period: Option<Period>) -> (String, i64) {
        let balance = self.plan.balances.iter().find(|balance| balance.node == node && balance.period == period);
        self.rule(node, balance.map_or(0, |balance| balance.rule))
    }

    /// Level, layer, behaviour, whether it is avoidable, whether it is pushed down: as far as it is said.
    fn kind(&self, row: &PoolBalance) -> PoolKind {
        match row.node {
            PoolNode::Activity(number) => {
                let setting = &self.plan.activities[number].setting;
                let (layer, behaviour) = (Some(setting.layer), Some(setting.behaviour));
                (Some(setting.level), layer, behaviour, Some(setting.avoidable), Some(setting.push_down))
            }
            PoolNode::Resource(number) => match self.resources.get(&self.plan.resources[number]) {
                Some(pool) => {
                    let pushed = pool.level.map(|_| pool.push_down);
                    (pool.level, pool.layer, pool.behaviour, pool.avoidable, pushed)
                }
                None => Default::default(),
            },
        }
    }

    /// How the rule of an activity divides.
    fn setting(&self, activity: usize, rule: usize) -> Cow<'_, ActivitySetting> {
        self.plan.activities[activity].setting.under(rule)
    }
}

/// One row of `trace`.
struct FlowRow {
    from_stage: String,
    from: Option<String>,
    cost_centre: Option<String>,
    to_stage: String,
    to: String,
    period: String,
    /// Weight of the taker and of all takers; `None` from accounts, which name their pool.
    weights: Option<(i64, i64)>,
    share: f64,
    amount: Minor,
    rule: String,
    version: i64,
    kind: RuleKind,
}

fn texts<T>(rows: &[T], of: impl Fn(&T) -> Option<String>) -> Values {
    Values::Text(rows.iter().map(of).collect())
}

fn moneys<T>(rows: &[T], of: impl Fn(&T) -> Minor) -> Values {
    Values::Scaled(rows.iter().map(|row| Some(of(row))).collect())
}

fn sums<T>(rows: &[T], of: impl Fn(&T) -> MinorSum) -> Values {
    Values::Sum(rows.iter().map(|row| Some(of(row))).collect())
}

impl World<'_> {
    fn pools(&self) -> Pools<'_> {
        Pools { settings: self.settings, resources: &self.found.ledgers.resources, plan: &self.found.costs.plan }
    }

    pub(super) fn pool_columns(&self) -> Vec<Values> {
        let pools = self.pools();
        let rows = &self.found.costs.plan.balances;
        let activity = |row: &PoolBalance| match row.node {
            PoolNode::Activity(number) => Some(pools.setting(number, row.rule)),
            PoolNode::Resource(_) => None,
        };
        let switch = |of: &dyn Fn(&PoolBalance) -> Option<bool>| Values::Switch(rows.iter().map(of).collect());
        let method = |row: &PoolBalance| match activity(row) {
            Some(setting) => setting.method.as_str().to_owned(),
            None => self.settings.service.as_str().to_owned(),
        };
        let driver = |row: &PoolBalance| row.driver(&activity(row)?.method);
        vec![
            texts(rows, |row| Some(pools.name(row.node))),
            texts(rows, |row| Some(Pools::stage(row.node))),
            texts(rows, |row| Some(pools.period(row.period))),
            texts(rows, |row| Some(pools.kind(row).0?.as_str().to_owned())),
            texts(rows, |row| Some(pools.kind(row).1?.as_str().to_owned())),
            texts(rows, |row| Some(pools.kind(row).2?.as_str().to_owned())),
            switch(&|row| pools.kind(row).3),
            switch(&|row| Some(activity(row)?.recurring)),
            switch(&|row| pools.kind(row).4),
            texts(rows, |row| Some(method(row))),
            texts(rows, driver),
            texts(rows, |row| Some(pools.rule(row.node, row.rule).0)),
            integers(rows.iter().map(|row| pools.rule(row.node, row.rule).1)),
            moneys(rows, |row| row.own),
            moneys(rows, |row| row.received),
            moneys(rows, |row| row.sent),
            moneys(rows, |row| row.allocated),
            moneys(rows, |row| row.allocated_fixed),
            moneys(rows, |row| row.allocated_avoidable),
            moneys(rows, |row| row.unused),
            moneys(rows, |row| row.over_driven),
            moneys(rows, |row| row.under_absorbed),
            moneys(rows, |row| row.sustained),
            moneys(rows, |row| row.unassigned[0]),
            moneys(rows, |row| row.unassigned[1]),
            moneys(rows, |row| row.unassigned[2]),
            moneys(rows, |row| row.unassigned[3]),
            sums(rows, PoolBalance::unassigned_total),
            texts(rows, PoolBalance::reasons),
            sums(rows, PoolBalance::residual),
            integers(rows.iter().map(|row| row.recipients as i64)),
            sums(rows, |row| row.driver_quantity),
            sums(rows, |row| row.negative_quantity),
        ]
    }

    pub(super) fn capacity_columns(&self) -> Vec<Values> {
        let pools = self.pools();
        let mut rows: Vec<CapacityUse> = self.found.costs.plan.capacity.clone();
        rows.sort_by_key(|row| (row.node, row.period));
        let utilisation = |row: &CapacityUse| Some(row.used as f64 / row.capacity as f64);
        vec![
            texts(&rows, |row| Some(pools.name(row.node))),
            texts(&rows, |row| Some(Pools::stage(row.node))),
            texts(&rows, |row| Some(pools.period(row.period))),
            texts(&rows, |row| Some(row.denominator.as_str().to_owned())),
            sums(&rows, |row| row.capacity),
            sums(&rows, |row| row.used),
            sums(&rows, |row| row.capacity - row.used),
            Values::Float(rows.iter().map(utilisation).collect()),
            moneys(&rows, |row| row.cost),
            moneys(&rows, |row| row.unused_cost),
        ]
    }

    pub(super) fn rate_columns(&self) -> Vec<Values> {
        let pools = self.pools();
        let mut rows: Vec<ActivityRate> = self.found.costs.plan.rates.clone();
        rows.sort_by_key(|row| (row.activity, row.period, row.basis));
        let per_major = i128::from(self.settings.currency.minor_per_major());
        let setting = |row: &ActivityRate| pools.setting(row.activity, row.rule);
        let instead = |row: &ActivityRate| {
            let balances = &self.found.costs.plan.balances;
            let node = PoolNode::Activity(row.activity);
            let at = balances.binary_search_by_key(&(node, row.period), |balance| (balance.node, balance.period));
            at.ok().and_then(|at| balances[at].instead.as_ref())
        };
        let driver = |row: &ActivityRate| match instead(row) {
            Some(basis) => Some(basis.name()),
            None => setting(row).method.bases().get(row.basis)?.describe(),
        };
        let method = |row: &ActivityRate| Some(setting(row).method.as_str().to_owned());
        let rule = |row: &ActivityRate| pools.rule(PoolNode::Activity(row.activity), row.rule);
        // Minor units over millionths, in millionths of a major unit.
        let display = |row: &ActivityRate| {
            let numerator = i128::from(row.cost) * MILLION * MILLION;
            row.quantity.checked_mul(per_major).map(|quantity| numerator / quantity)
        };
        vec![
            texts(&rows, |row| Some(pools.name(PoolNode::Activity(row.activity)))),
            texts(&rows, |row| Some(pools.period(row.period))),
            texts(&rows, method),
            texts(&rows, driver),
            texts(&rows, |row| Some(rule(row).0)),
            integers(rows.iter().map(|row| rule(row).1)),
            moneys(&rows, |row| row.cost),
            sums(&rows, |row| row.quantity),
            Values::Sum(rows.iter().map(display).collect()),
        ]
    }

    /// From accounts to pools, then from pool to pool.
    pub(super) fn trace_columns(&self) -> Vec<Values> {
        let mut rows = self.account_flows();
        let pools = self.pools();
        let mut edges: Vec<TraceEdge> = self.found.costs.plan.trace.clone();
        edges.sort_by_key(|edge| (edge.from, edge.to, edge.period));
        rows.extend(edges.iter().map(|edge| FlowRow {
            from_stage: Pools::stage(edge.from),
            from: Some(pools.name(edge.from)),
            cost_centre: None,
            to_stage: Pools::stage(edge.to),
            to: pools.name(edge.to),
            period: pools.period(edge.period),
            weights: Some((edge.weight, edge.total)),
            share: edge.weight as f64 / edge.total as f64,
            amount: edge.amount,
            rule: pools.rule(edge.from, edge.rule).0,
            version: pools.rule(edge.from, edge.rule).1,
            kind: edge.kind,
        }));
        let weights = |of: fn((i64, i64)) -> i64| Values::Scaled(rows.iter().map(|row| row.weights.map(of)).collect());
        vec![
            texts(&rows, |row| Some(row.from_stage.clone())),
            texts(&rows, |row| row.from.clone()),
            texts(&rows, |row| row.cost_centre.clone()),
            texts(&rows, |row| Some(row.to_stage.clone())),
            texts(&rows, |row| Some(row.to.clone())),
            texts(&rows, |row| Some(row.period.clone())),
            weights(|weights| weights.0),
            weights(|weights| weights.1),
            Values::Float(rows.iter().map(|row| Some(row.share)).collect()),
            moneys(&rows, |row| row.amount),
            texts(&rows, |row| Some(row.rule.clone())),
            integers(rows.iter().map(|row| row.version)),
            texts(&rows, |row| Some(row.kind.as_str().to_owned())),
        ]
    }

    /// What each account and cost centre brings into a pool. A pool whose cost a scenario replaced has none.
    fn account_flows(&self) -> Vec<FlowRow> {
        let pools = self.pools();
        let mut own: BTreeMap<(String, String), MinorSum> = BTreeMap::new();
        for balance in &self.found.costs.plan.balances {
            let key = (pools.name(balance.node), pools.period(balance.period));
            *own.entry(key).or_default() += MinorSum::from(balance.own);
        }
        let mut told: BTreeMap<(String, String), MinorSum> = BTreeMap::new();
        let key = |line: &PoolLine| (line.activity.clone(), pools.period(line.period));
        for line in self.found.ledgers.pool_lines.iter() {
            *told.entry(key(line)).or_default() += MinorSum::from(line.converted);
        }
        let table = self.settings.inputs.pools.as_ref();
        let named = table
            .is_some_and(|table| table.columns.contains_key("account") || table.columns.contains_key("cost_centre"));
        let of_account = |line: &&PoolLine| {
            let key = key(line);
            named && own.get(&key) == told.get(&key)
        };
        let row = |line: &PoolLine| {
            let node = pools.node(&line.activity)?;
            let whole = own.get(&key(line)).copied().unwrap_or(0);
            let period = line.period.filter(|_| self.settings.period != PeriodKind::Whole);
            let (rule, version) = pools.rule_in(node, period);
            Some(FlowRow {
                from_stage: "account".to_owned(),
                from: line.account.clone(),
                cost_centre: line.cost_centre.clone(),
                to_stage: Pools::stage(node),
                to: line.activity.clone(),
                period: pools.period(line.period),
                weights: None,
                share: if whole == 0 { 0.0 } else { line.converted as f64 / whole as f64 },
                amount: line.converted,
                rule,
                version,
                kind: RuleKind::DirectTracing,
            })
        };
        self.found.ledgers.pool_lines.iter().filter(of_account).filter_map(row).collect()
    }
}
