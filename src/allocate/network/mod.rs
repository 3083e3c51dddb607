//! Service pools: cost that flows from resource pools over each other to activities, exact to the minor unit.
//!
//! ```text
//! Network ── plan(method) ──▶ Plan ── flow(own) ──▶ Flow: one row a node, one row an edge
//!                              └── absorption(node) ──▶ where one pool's cost ends
//! ```
//!
//! At every node `own + received = sent + unused + unassigned + final_cost` in integers, so that
//! `Σ own = Σ unused + Σ unassigned + Σ final_cost`.
//!
//! ```
//! use whalecurve::allocate::network::{Edge, Network, Node, ServiceMethod};
//! // Pools 0 and 1 (150.00 and 300.00) serve each other and the activities 2 and 3; weights are percent.
//! let edge = |(from, to, weight)| Edge { from, to, weight };
//! let edges = [(0, 2, 40), (0, 3, 20), (0, 1, 40), (1, 2, 70), (1, 3, 10), (1, 0, 20)].map(edge);
//! let nodes = (0..4).map(|tie| Node { tie, kept: 0 }).collect();
//! let plan = Network::new(nodes, edges.to_vec())?.plan(&ServiceMethod::Reciprocal)?;
//! let flow = plan.flow(&[15_000, 30_000, 0, 0])?;
//! assert_eq!((flow.nodes[2].final_cost, flow.nodes[3].final_cost), (36_522, 8_478));
//! // How much of pool 0's cost is in activity 2.
//! assert_eq!((plan.absorption(0)?[0].share * 1e4).round(), 7_391.0);
//! # Ok::<(), whalecurve::allocate::network::NetworkError>(())
//! ```

mod absorption;
mod balance;
mod error;
mod flow;
mod method;
mod plan;
mod reciprocal;
#[cfg(test)]
mod tests;
mod wide;

pub use self::{
    absorption::{Absorbed, Ending},
    error::NetworkError,
    flow::{EdgeFlow, Flow, NodeFlow},
    method::{ServiceMethod, automatic_order},
    plan::Plan,
};
use crate::units::Quantity;

/// A resource pool or an activity.
///
/// A node is a *pool* when an edge leaves it (of any weight) or when `kept` is above zero. Every other node is *final*:
/// an activity, which keeps what it gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Tie-break of equal remainders, such as a hash of the node's name; the smallest gets its minor unit first.
    pub tie: u64,
    /// Unused capacity (practical capacity − used), on the scale of the edges' weights; its cost is not sent on.
    pub kept: Quantity,
}

/// Services that one node gives to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Giver.
    pub from: u32,
    /// Taker; may be the giver itself.
    pub to: u32,
    /// Driver quantity or percentage, `>= 0`, on one scale for all edges of the giver.
    pub weight: Quantity,
}

/// Checked nodes and edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    pool: Vec<bool>,
}

impl Network {
    /// Checks a network.
    ///
    /// # Errors
    /// [`NetworkError::UnknownNode`], [`NetworkError::NegativeWeight`], [`NetworkError::NegativeKept`], and
    /// [`NetworkError::TooLarge`] for a node whose weights do not sum to an `i64` (that keeps every share one exact
    /// fraction of two `i64`).
    pub fn new(nodes: Vec<Node>, edges: Vec<Edge>) -> Result<Self, NetworkError> {
        let mut pool = Vec::with_capacity(nodes.len());
        for (number, node) in nodes.iter().enumerate() {
            if node.kept < 0 {
                return Err(NetworkError::NegativeKept { node: number as u32 });
            }
            pool.push(node.kept > 0);
        }
        for edge in &edges {
            if let Some(node) = [edge.from, edge.to].into_iter().find(|node| *node as usize >= nodes.len()) {
                return Err(NetworkError::UnknownNode { node, nodes: nodes.len() });
            }
            if edge.weight < 0 {
                return Err(NetworkError::NegativeWeight { from: edge.from, to: edge.to });
            }
            pool[edge.from as usize] = true;
        }
        let network = Self { nodes, edges, pool };
        network.totals(&network.weights())?;
        Ok(network)
    }

    /// Nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Edges, in the caller's order.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Whether a node gives its cost away; the others are final. False for a node that does not exist.
    #[must_use]
    pub fn is_pool(&self, node: u32) -> bool {
        self.pool.get(node as usize).copied().unwrap_or(false)
    }

    /// The plan of one method: which edges count, in which order, and the factors of every loop.
    ///
    /// # Errors
    /// A step-down order that misses a pool, names one twice or names a node that is none; a loop that is too large
    /// ([`NetworkError::LoopTooLarge`]) or too circular ([`NetworkError::TooCircular`]). A loop without an exit is
    /// found here and reported by [`Plan::flow`], which knows the money.
    pub fn plan(&self, method: &ServiceMethod) -> Result<Plan, NetworkError> {
        let weights = method::effective_weights(self, method)?;
        Plan::new(self, weights)
    }

    fn weights(&self) -> Vec<Quantity> {
        self.edges.iter().map(|edge| edge.weight).collect()
    }

    /// `kept + Σ weight` of every node, for one weight an edge.
    fn totals(&self, weights: &[Quantity]) -> Result<Vec<Quantity>, NetworkError> {
        let mut totals: Vec<Quantity> = self.nodes.iter().map(|node| node.kept).collect();
        for (edge, weight) in self.edges.iter().zip(weights) {
            let total = &mut totals[edge.from as usize];
            *total = total.checked_add(*weight).ok_or(NetworkError::TooLarge { node: edge.from })?;
        }
        Ok(totals)
    }
}
