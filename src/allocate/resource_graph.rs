//! Resource pools and the activities that they serve, as one network of a period: from names to nodes, and back.

use super::{
    costing::Costing,
    kinds::Kind,
    network::{Edge, Flow, Network, NetworkError, Node, Plan, ServiceMethod},
    refusal::CostError,
    resources::{Served, quantity, refused},
    rows::Ground,
    validity::{rule_in, rule_or_latest},
};
use crate::{
    numeric::{decimal::format_minor, keys::hash_text},
    schema::{
        costing::{Capacity, Rule, RuleKind, Service, ServiceSetting, Weight},
        costs::{CapacityUse, PoolBalance, PoolNode, TraceEdge},
        period::Period,
    },
    units::{MinorSum, Quantity},
};

/// Resource pools, then activities.
pub(super) struct Graph<'a> {
    names: &'a [&'a str],
    costing: &'a Costing<'a>,
    /// Number of each resource pool's rule in the period, and what it says.
    rules: Vec<(usize, Service<'a>)>,
    /// Takers of each resource pool with their weights in the period.
    weights: Vec<Vec<(u32, Quantity)>>,
    /// What each resource pool's cost of the period pays for, in the unit of its weights: by the pools table, or by its rule.
    capacity: Vec<Option<Quantity>>,
}

impl<'a> Graph<'a> {
    /// The network of a period; `None` = of costs of the whole run.
    pub(super) fn new(
        names: &'a [&'a str],
        (costing, ground): (&'a Costing<'a>, &Ground<'_>),
        period: Option<Period>,
    ) -> Result<Self, CostError> {
        let (rules, weights, capacity) = (Vec::new(), Vec::with_capacity(names.len()), Vec::with_capacity(names.len()));
        let mut graph = Self { names, costing, rules, weights, capacity };
        for (name, setting) in costing.resources {
            let services: Vec<Service<'_>> = setting.rules().collect();
            let rules: Vec<&Rule> = services.iter().map(|service| service.rule).collect();
            let number = rule_or_latest(&rules, name, costing, period);
            let mut weights = Vec::with_capacity(services[number].serves.len());
            for (taker, weight) in services[number].serves {
                // A taker that is not there is refused before.
                let Some(to) = graph.number(taker) else { continue };
                let weight = quantity(weight, costing, ground, period).map_err(|reason| {
                    let own = costing.pools.iter().filter(|pool| pool.activity == *name && pool.period == period);
                    let mut error = refused(costing, name, reason, own.map(|pool| MinorSum::from(pool.amount)).sum());
                    if let (CostError::Resource { rule, .. }, Some(id)) = (&mut error, &services[number].rule.id) {
                        *rule = format!(", rule `{id}`");
                    }
                    error
                })?;
                weights.push((to, weight));
            }
            let own = costing.pools.iter().find(|pool| pool.activity == *name && pool.period == period);
            graph.capacity.push(own.and_then(|pool| pool.capacity).or(services[number].capacity));
            graph.rules.push((number, services[number]));
            graph.weights.push(weights);
        }
        Ok(graph)
    }

    /// Refuses cost that flows through a pool in a period in which none of its rules holds.
    pub(super) fn check_rules(&self, flow: &Flow, period: Option<Period>) -> Result<(), CostError> {
        for ((name, setting), node) in self.costing.resources.iter().zip(&flow.nodes) {
            let rules: Vec<&Rule> = setting.rules().map(|service| service.rule).collect();
            let money = MinorSum::from(node.own) + MinorSum::from(node.received);
            match rule_in(&rules, name, self.costing, period) {
                Err(reason) if money != 0 => return Err(refused(self.costing, name, reason, money)),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.names.len() + self.costing.activities.len()
    }

    pub(super) fn name(&self, node: u32) -> &str {
        let node = node as usize;
        match node.checked_sub(self.names.len()) {
            None => self.names[node],
            Some(activity) => &self.costing.activities[activity].name,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let activity = || {
            let at = self.costing.activities.iter().position(|activity| activity.name == name)?;
            Some(at + self.names.len())
        };
        self.names.binary_search(&name).ok().or_else(activity).map(|number| number as u32)
    }

    pub(super) fn node(&self, node: u32) -> PoolNode {
        match (node as usize).checked_sub(self.names.len()) {
            None => PoolNode::Resource(node as usize),
            Some(activity) => PoolNode::Activity(activity),
        }
    }

    pub(super) fn plan(&self) -> Result<Plan, NetworkError> {
        let mut nodes: Vec<Node> =
            (0..self.len() as u32).map(|node| Node { tie: hash_text(self.name(node).as_bytes()), kept: 0 }).collect();
        let mut edges = Vec::new();
        for (number, (capacity, weights)) in self.capacity.iter().zip(&self.weights).enumerate() {
            let mut total = 0_i64;
            for (to, weight) in weights {
                edges.push(Edge { from: number as u32, to: *to, weight: *weight });
                total = total.checked_add(*weight).ok_or(NetworkError::TooLarge { node: number as u32 })?;
            }
            nodes[number].kept = capacity.map_or(0, |capacity| capacity.saturating_sub(total));
        }
        let method = match self.costing.service {
            ServiceSetting::Direct => ServiceMethod::Direct,
            ServiceSetting::StepDown { order } => ServiceMethod::StepDown {
                order: order.as_ref().map(|order| order.iter().filter_map(|name| self.number(name)).collect()),
            },
            ServiceSetting::Reciprocal => ServiceMethod::Reciprocal,
        };
        Network::new(nodes, edges)?.plan(&method)
    }

    pub(super) fn failed(&self, source: NetworkError, period: Option<Period>, money: MinorSum) -> CostError {
        let money = match &source {
            NetworkError::LoopWithoutExit { money, .. } => *money,
            _ => money,
        };
        let rule = |node: &u32| self.rules.get(*node as usize)?.1.rule.id.as_ref();
        let about = source.of_node();
        let rules: Vec<String> =
            about.iter().chain(source.in_loop()).filter_map(rule).map(|id| format!("`{id}`")).collect();
        CostError::Resources {
            when: self.costing.when(period),
            rules: match rules.as_slice() {
                [] => String::new(),
                [rule] => format!(", rule {rule}"),
                rules => format!(", rules {}", rules.join(", ")),
            },
            reason: source.named(&|node| self.name(node).to_owned()),
            source,
            money: format_minor(money, self.costing.currency.exponent),
            currency: self.costing.currency.code.clone(),
        }
    }

    /// What activities received of cost of a kind, or of its opposite.
    pub(super) fn keep_kind(
        &self,
        flow: &Flow,
        period: Option<Period>,
        (kind, opposite): (Kind, bool),
        served: &mut Served,
    ) {
        for (number, node) in flow.nodes.iter().enumerate().filter(|(_, node)| node.final_cost != 0) {
            if let PoolNode::Activity(activity) = self.node(number as u32) {
                let (of, other) = &mut served.kinds.entry((activity, period)).or_default()[kind as usize];
                *if opposite { other } else { of } = node.final_cost;
            }
        }
    }

    pub(super) fn keep(&self, flow: &Flow, period: Option<Period>, served: &mut Served) {
        for (number, node) in flow.nodes.iter().enumerate() {
            match self.node(number as u32) {
                PoolNode::Activity(activity) => {
                    if node.final_cost != 0 {
                        served.received.insert((activity, period), node.final_cost);
                    }
                }
                resource @ PoolNode::Resource(number) => {
                    let mut balance = PoolBalance::new(resource, period);
                    (balance.own, balance.received, balance.sent) = (node.own, node.received, node.sent);
                    balance.unused = node.unused;
                    balance.unassigned[0] = node.unassigned;
                    balance.rule = self.rules[number].0;
                    served.balances.push(balance);
                    if let Some(capacity) = self.capacity[number] {
                        let used: i128 = self.weights[number].iter().map(|(_, weight)| i128::from(*weight)).sum();
                        served.capacity.push(CapacityUse {
                            node: resource,
                            period,
                            denominator: Capacity::Practical(i128::from(capacity)),
                            capacity: i128::from(capacity),
                            used,
                            cost: node.reciprocated,
                            unused_cost: node.unused,
                        });
                    }
                }
            }
        }
        for edge in flow.edges.iter().filter(|edge| edge.weight > 0) {
            let serves = self.rules[edge.from as usize].1.serves;
            let weight = serves.iter().find(|(taker, _)| taker == self.name(edge.to)).map(|(_, weight)| weight);
            served.trace.push(TraceEdge {
                from: self.node(edge.from),
                to: self.node(edge.to),
                period,
                weight: edge.weight,
                total: edge.total,
                amount: edge.amount,
                rule: self.rules[edge.from as usize].0,
                kind: weight.map_or(RuleKind::Allocation, Weight::kind),
            });
        }
    }
}
