//! The three methods, as the weights that each leaves standing: direct and step-down drop edges until no loop is left.

use std::{cmp::Ordering, collections::BinaryHeap};

use super::{Network, NetworkError};
use crate::units::Quantity;

/// How pools that serve each other pass on their cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceMethod {
    /// Services to other pools are ignored.
    Direct,
    /// Pools are closed one after another; a closed pool gets nothing more.
    StepDown {
        /// Pools, first closed first; [`automatic_order`] when absent.
        order: Option<Vec<u32>>,
    },
    /// Every service counts, also among pools.
    Reciprocal,
}

/// The weight of every edge under a method; 0 = ignored.
///
/// | method | an edge counts when |
/// |---|---|
/// | direct | its taker is final |
/// | step-down | its taker is final, or a pool that is closed later |
/// | reciprocal | always |
pub(super) fn effective_weights(network: &Network, method: &ServiceMethod) -> Result<Vec<Quantity>, NetworkError> {
    let rank = match method {
        ServiceMethod::Reciprocal => return Ok(network.weights()),
        ServiceMethod::Direct => vec![0; network.nodes.len()],
        ServiceMethod::StepDown { order: Some(order) } => ranks(network, order)?,
        ServiceMethod::StepDown { order: None } => ranks(network, &automatic_order(network))?,
    };
    let counts = |from: u32, to: u32| !network.is_pool(to) || rank[from as usize] < rank[to as usize];
    Ok(network.edges.iter().map(|edge| if counts(edge.from, edge.to) { edge.weight } else { 0 }).collect())
}

/// The place of every pool in a step-down order.
fn ranks(network: &Network, order: &[u32]) -> Result<Vec<usize>, NetworkError> {
    let mut rank = vec![usize::MAX; network.nodes.len()];
    for (place, node) in order.iter().enumerate() {
        if !network.is_pool(*node) {
            return Err(NetworkError::OrderNotPool { node: *node });
        }
        if rank[*node as usize] != usize::MAX {
            return Err(NetworkError::OrderRepeats { node: *node });
        }
        rank[*node as usize] = place;
    }
    let pools = (0..network.nodes.len() as u32).filter(|node| network.is_pool(*node));
    match pools.into_iter().find(|node| rank[*node as usize] == usize::MAX) {
        Some(node) => Err(NetworkError::OrderMisses { node }),
        None => Ok(rank),
    }
}

/// The usual step-down order: next is the pool that gives the largest share of its services to pools still open.
///
/// `share = Σ weight to other open pools / Σ weight to other nodes`. What a pool gives itself and what it keeps unused
/// are no services to others. Equal shares (compared exactly) go by node index. Services to a pool stop counting as
/// soon as that pool is closed: they can no longer be given.
///
/// Source: Horngren, Datar & Rajan, Cost Accounting, ch. 15: the sequence begins with the department that renders the
/// highest percentage of its total services to other support departments, and goes on in descending order.
#[must_use]
pub fn automatic_order(network: &Network) -> Vec<u32> {
    let nodes = network.nodes.len();
    let (mut open, mut all) = (vec![0; nodes], vec![0; nodes]);
    let mut givers: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for (number, edge) in network.edges.iter().enumerate().filter(|(_, edge)| edge.from != edge.to) {
        all[edge.from as usize] += edge.weight;
        if network.is_pool(edge.to) {
            open[edge.from as usize] += edge.weight;
            givers[edge.to as usize].push(number);
        }
    }
    let share = |node: u32, open: &[Quantity]| Share { open: open[node as usize], all: all[node as usize], node };
    let pools = (0..nodes as u32).filter(|node| network.is_pool(*node));
    let mut queue: BinaryHeap<Share> = pools.map(|node| share(node, &open)).collect();
    let mut order = Vec::with_capacity(queue.len());
    while let Some(next) = queue.pop() {
        // Shares only fall, so one that has fallen since it was queued goes back to its place.
        let now = share(next.node, &open);
        if now.open < next.open {
            queue.push(now);
            continue;
        }
        order.push(next.node);
        for number in &givers[next.node as usize] {
            let edge = network.edges[*number];
            open[edge.from as usize] -= edge.weight;
        }
    }
    order
}

/// `open / all`, 0 when a pool gives nothing; the greatest is closed first.
#[derive(PartialEq, Eq)]
struct Share {
    open: Quantity,
    all: Quantity,
    node: u32,
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |a: Quantity, b: Quantity| i128::from(a) * i128::from(b.max(1));
        cross(self.open, other.all).cmp(&cross(other.open, self.all)).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
