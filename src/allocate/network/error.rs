//! What can be wrong with a network of pools. Nodes are named by index; the caller knows their names.

use thiserror::Error;

use crate::units::MinorSum;

/// Nodes that a message lists before it counts the rest.
const LISTED: usize = 12;

/// A network whose cost cannot be passed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// An edge names a node that does not exist.
    #[error("an edge names node {node}, but there are {nodes} nodes, counted from 0")]
    UnknownNode {
        /// The name.
        node: u32,
        /// How many nodes there are.
        nodes: usize,
    },
    /// A negative weight: it would make other recipients bear more than the pool.
    #[error("the edge from node {from} to node {to} has a negative weight")]
    NegativeWeight {
        /// Giver.
        from: u32,
        /// Taker.
        to: u32,
    },
    /// More capacity used than there is.
    #[error("node {node} has a negative unused capacity")]
    NegativeKept {
        /// Pool.
        node: u32,
    },
    /// A sum leaves `i64`.
    #[error("the money or the weights of node {node} leave 64 bits")]
    TooLarge {
        /// Node.
        node: u32,
    },
    /// Not one own cost a node.
    #[error("{found} own costs for {expected} nodes")]
    OwnLength {
        /// Nodes.
        expected: usize,
        /// Own costs.
        found: usize,
    },
    /// A step-down order without a pool.
    #[error("the step-down order misses node {node}, a pool")]
    OrderMisses {
        /// Pool.
        node: u32,
    },
    /// A step-down order with a pool twice.
    #[error("the step-down order names node {node} twice")]
    OrderRepeats {
        /// Pool.
        node: u32,
    },
    /// A step-down order with something else.
    #[error("the step-down order names node {node}, which is no pool")]
    OrderNotPool {
        /// Node.
        node: u32,
    },
    /// Pools that serve nobody but each other.
    #[error("nodes {} serve only each other, so that their cost of {money} minor units can never leave", list(.nodes))]
    LoopWithoutExit {
        /// The loop, ascending.
        nodes: Vec<u32>,
        /// What its nodes cost and get from outside.
        money: MinorSum,
    },
    /// A cost that would circle for ever.
    #[error("the cost of node {node} ends in nodes {}, which serve only each other", list(.nodes))]
    EndsInLoop {
        /// The source.
        node: u32,
        /// The loop, ascending.
        nodes: Vec<u32>,
    },
    /// More mutually serving pools than the elimination takes.
    #[error("{nodes} pools serve each other; the reciprocal method takes {limit} in one loop")]
    LoopTooLarge {
        /// Pools in the loop.
        nodes: usize,
        /// The limit.
        limit: usize,
    },
    /// Almost nothing leaves the loop, so that the gross cost dwarfs the net.
    #[error("nodes {} pass on too little of their cost for it to be followed to the minor unit", list(.nodes))]
    TooCircular {
        /// The loop, ascending.
        nodes: Vec<u32>,
    },
}

impl NetworkError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::LoopWithoutExit { .. } | Self::EndsInLoop { .. } => {
                Some("let one of these pools serve an activity, or keep unused capacity")
            }
            Self::LoopTooLarge { .. } | Self::TooCircular { .. } => {
                Some("merge pools, or use the step-down or the direct method")
            }
            Self::OrderMisses { .. } => Some("name every pool once, or leave the order out"),
            Self::NegativeKept { .. } => Some("raise the practical capacity to what was used"),
            _ => None,
        }
    }
}

impl NetworkError {
    /// The loop that it is about; nothing for any other error.
    #[must_use]
    pub fn in_loop(&self) -> &[u32] {
        match self {
            Self::LoopWithoutExit { nodes, .. } | Self::EndsInLoop { nodes, .. } | Self::TooCircular { nodes } => nodes,
            _ => &[],
        }
    }

    /// The one pool that it is about; `None` for an error of several or of the whole network.
    #[must_use]
    pub fn of_node(&self) -> Option<u32> {
        match self {
            Self::NegativeKept { node } | Self::TooLarge { node } => Some(*node),
            Self::NegativeWeight { from, .. } => Some(*from),
            _ => None,
        }
    }

    /// The message with the nodes' names in place of their numbers.
    #[must_use]
    pub fn named(&self, name: &dyn Fn(u32) -> String) -> String {
        let quoted = |node: u32| format!("`{}`", name(node));
        match self {
            Self::NegativeWeight { from, to } => {
                format!("what {} gives {} has a negative weight", quoted(*from), quoted(*to))
            }
            Self::NegativeKept { node } => format!("{} gives more than its capacity", quoted(*node)),
            Self::TooLarge { node } => format!("the money or the weights of {} leave 64 bits", quoted(*node)),
            Self::OrderMisses { node } => format!("the step-down order misses {}", quoted(*node)),
            Self::OrderRepeats { node } => format!("the step-down order names {} twice", quoted(*node)),
            Self::OrderNotPool { node } => format!("the step-down order names {}, which serves nobody", quoted(*node)),
            Self::LoopWithoutExit { nodes, .. } => {
                format!("{} serve only each other, so that their cost can never leave", listed(nodes, quoted))
            }
            Self::EndsInLoop { node, nodes } => {
                format!("the cost of {} ends in {}, which serve only each other", quoted(*node), listed(nodes, quoted))
            }
            Self::TooCircular { nodes } => format!(
                "{} pass on too little of their cost for it to be followed to the minor unit",
                listed(nodes, quoted)
            ),
            Self::UnknownNode { .. } | Self::OwnLength { .. } | Self::LoopTooLarge { .. } => self.to_string(),
        }
    }
}

/// `1, 2, 3 and 97 more`.
fn list(nodes: &[u32]) -> String {
    listed(nodes, |node| node.to_string())
}

fn listed(nodes: &[u32], name: impl Fn(u32) -> String) -> String {
    let names: Vec<String> = nodes.iter().take(LISTED).map(|node| name(*node)).collect();
    match nodes.len().saturating_sub(LISTED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
