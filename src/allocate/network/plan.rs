//! What a method leaves of a network: givers before takers, every loop eliminated.

use super::{
    Edge, Network, NetworkError, Node,
    reciprocal::{Exit, Link, Loop},
};
use crate::{numeric::components::Components, units::Quantity};

/// A network under one method: what counts, in which order, and the factors of its loops.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) nodes: Vec<Node>,
    pub(super) pool: Vec<bool>,
    /// Edges with the weights that the method leaves standing.
    pub(super) edges: Vec<Edge>,
    /// `kept + Σ weight` of every node.
    pub(super) totals: Vec<Quantity>,
    pub(super) outgoing: Outgoing,
    pub(super) steps: Vec<Step>,
}

/// Edges of weight above zero, by giver.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// Where each node's edges start in `edges`, and the end of the last.
    first: Vec<usize>,
    edges: Vec<usize>,
}

impl Outgoing {
    fn new(nodes: usize, edges: &[Edge]) -> Self {
        let mut numbers: Vec<usize> = (0..edges.len()).filter(|number| edges[*number].weight > 0).collect();
        numbers.sort_by_key(|number| edges[*number].from);
        let start = |node| numbers.partition_point(|number| (edges[*number].from as usize) < node);
        Self { first: (0..=nodes).map(start).collect(), edges: numbers }
    }

    pub(super) fn of(&self, node: u32) -> &[usize] {
        &self.edges[self.first[node as usize]..self.first[node as usize + 1]]
    }
}

/// One strongly connected component.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Single(u32),
    Loop(Box<Loop>),
}

impl Plan {
    pub(super) fn new(network: &Network, weights: Vec<Quantity>) -> Result<Self, NetworkError> {
        let totals = network.totals(&weights)?;
        let edges = network.edges.iter().zip(weights).map(|(edge, weight)| Edge { weight, ..*edge });
        let edges: Vec<Edge> = edges.collect();
        let outgoing = Outgoing::new(totals.len(), &edges);
        let (nodes, pool) = (network.nodes.clone(), network.pool.clone());
        let mut plan = Self { nodes, pool, edges, totals, outgoing, steps: Vec::new() };
        let targets: Vec<u32> = plan.outgoing.edges.iter().map(|edge| plan.edges[*edge].to).collect();
        let components = Components::new(&plan.outgoing.first, &targets);
        let mut place = vec![usize::MAX; plan.nodes.len()];
        plan.steps = components.iter().map(|nodes| plan.step(nodes, &mut place)).collect::<Result<_, _>>()?;
        Ok(plan)
    }

    /// * `place`: scratch, `usize::MAX` at every node that is not in a loop so far.
    fn step(&self, nodes: &[u32], place: &mut [usize]) -> Result<Step, NetworkError> {
        let serves_itself = |node: u32| self.outgoing.of(node).iter().any(|edge| self.edges[*edge].to == node);
        if let [node] = nodes
            && !serves_itself(*node)
        {
            return Ok(Step::Single(*node));
        }
        let mut nodes = nodes.to_vec();
        nodes.sort_by_key(|node| (self.nodes[*node as usize].tie, *node));
        let (mut links, mut exits) = (Vec::new(), Vec::new());
        for (at, node) in nodes.iter().enumerate() {
            place[*node as usize] = at;
        }
        for (from, node) in nodes.iter().enumerate() {
            for number in self.outgoing.of(*node) {
                let Edge { to, weight, .. } = self.edges[*number];
                match place[to as usize] {
                    usize::MAX => exits.push(Exit { from, edge: Some(*number), taker: to, weight }),
                    inside => links.push(Link { from, to: inside, edge: *number, weight }),
                }
            }
            let kept = self.nodes[*node as usize].kept;
            if kept > 0 {
                exits.push(Exit { from, edge: None, taker: *node, weight: kept });
            }
        }
        for node in &nodes {
            place[*node as usize] = usize::MAX;
        }
        links.sort_by_key(|link| (link.from, link.to));
        exits.sort_by_key(|exit| (self.nodes[exit.taker as usize].tie, exit.taker, exit.from));
        let totals = nodes.iter().map(|node| self.totals[*node as usize]).collect();
        Ok(Step::Loop(Box::new(Loop::new(nodes, links, exits, totals)?)))
    }
}
