//! Where a pool's cost ends: the factors by which an activity's cost is traced back to pools.

use super::{
    NetworkError,
    plan::{Plan, Step},
    reciprocal::Loop,
};
use crate::units::Quantity;

/// How a cost can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// As the cost of an activity.
    Final,
    /// As a pool's unused capacity.
    Unused,
    /// At a pool that serves nobody whom the method counts.
    Unassigned,
}

/// The share of one node's cost that ends at a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Absorbed {
    /// Where.
    pub node: u32,
    /// How.
    pub ending: Ending,
    /// 0 to 1; the shares of one source sum to 1.
    pub share: f64,
}

impl Plan {
    /// The share of one node's cost that ends at each activity, at unused capacity, or unassigned.
    ///
    /// Shares come from the same weights and factors as [`Self::flow`], before rounding to minor units. They are sums
    /// of products of shares, nothing is subtracted: each has a relative error of about 2⁻⁵³ a step. Sorted by node.
    /// Empty when the node does not exist.
    ///
    /// # Errors
    /// [`NetworkError::EndsInLoop`] when part of the cost can never leave a loop.
    pub fn absorption(&self, node: u32) -> Result<Vec<Absorbed>, NetworkError> {
        let mut mass = vec![0.0; self.nodes.len()];
        let mut ends = Vec::new();
        if let Some(source) = mass.get_mut(node as usize) {
            *source = 1.0;
        }
        for step in &self.steps {
            match step {
                Step::Single(at) => self.absorb(*at, &mut mass, &mut ends),
                Step::Loop(circle) => self
                    .absorb_loop(circle, &mut mass, &mut ends)
                    .ok_or_else(|| NetworkError::EndsInLoop { node, nodes: circle.members() })?,
            }
        }
        ends.sort_by_key(|end| (end.node, end.ending));
        Ok(ends)
    }

    fn absorb(&self, node: u32, mass: &mut [f64], ends: &mut Vec<Absorbed>) {
        let (at, share) = (node as usize, mass[node as usize]);
        if share == 0.0 {
            return;
        }
        if self.totals[at] == 0 {
            let ending = if self.pool[at] { Ending::Unassigned } else { Ending::Final };
            ends.push(Absorbed { node, ending, share });
            return;
        }
        let part = |weight: Quantity| share * (weight as f64 / self.totals[at] as f64);
        for edge in self.outgoing.of(node) {
            mass[self.edges[*edge].to as usize] += part(self.edges[*edge].weight);
        }
        if self.nodes[at].kept > 0 {
            ends.push(Absorbed { node, ending: Ending::Unused, share: part(self.nodes[at].kept) });
        }
    }

    /// `None` when the loop is closed and part of the cost has come to it.
    fn absorb_loop(&self, circle: &Loop, mass: &mut [f64], ends: &mut Vec<Absorbed>) -> Option<()> {
        let entering: Vec<f64> = circle.nodes.iter().map(|node| mass[*node as usize]).collect();
        if entering.iter().all(|share| *share == 0.0) {
            return Some(());
        }
        let gross = circle.gross(&entering)?;
        for exit in &circle.exits {
            let share = gross[exit.from] * (exit.weight as f64 / circle.totals[exit.from] as f64);
            match exit.edge {
                Some(edge) => mass[self.edges[edge].to as usize] += share,
                None => ends.push(Absorbed { node: circle.nodes[exit.from], ending: Ending::Unused, share }),
            }
        }
        Some(())
    }
}
