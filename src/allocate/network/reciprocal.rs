//! Reciprocal services: the gross cost of pools in one loop, by elimination without subtraction.
//!
//! `gross = own + Pᵀ gross`, `P[i][j] = weight(i → j) / Σ weight(i)`: [`Elimination::gross`].

use super::{NetworkError, wide::Wide};
use crate::{
    numeric::elimination::Elimination,
    units::{MinorSum, Quantity},
};

/// Pools in one loop: the dense factors of this many take half a gigabyte, their elimination some minutes.
pub(super) const LARGEST_LOOP: usize = 8_192;

/// Corrections of the gross cost; each adds ten digits or more unless almost nothing leaves the loop.
const ROUNDS: usize = 8;

/// Money out of balance (minor units) at which corrections stop: far below the grid on which exits are rounded.
const GOAL: f64 = 1.0 / (1_u64 << 40) as f64;

/// Money out of balance that may remain: a quarter of the grid, so that an exit stays off by less than one minor unit.
const ENOUGH: f64 = 1.0 / (1_u64 << 22) as f64;

/// Gross cost must fit [`crate::units::Minor`].
const LARGEST_GROSS: f64 = 9e18;

/// An edge between two nodes of a loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Giver, by place in the loop.
    pub(super) from: usize,
    /// Taker, by place in the loop.
    pub(super) to: usize,
    /// Edge of the network.
    pub(super) edge: usize,
    pub(super) weight: Quantity,
}

/// A way out of a loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exit {
    /// Giver, by place in the loop.
    pub(super) from: usize,
    /// Edge of the network; `None` = what the giver keeps unused.
    pub(super) edge: Option<usize>,
    /// Node of the network: the edge's taker, or the giver that keeps.
    pub(super) taker: u32,
    pub(super) weight: Quantity,
}

/// Pools that serve each other: a strongly connected component with an edge inside.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    /// Nodes of the network, by tie-break: their numbering moves no bit.
    pub(super) nodes: Vec<u32>,
    /// Sorted by giver, then taker.
    pub(super) links: Vec<Link>,
    /// Sorted by the taker's tie-break, then the giver's; empty when the loop is closed.
    pub(super) exits: Vec<Exit>,
    /// `Σ weight` of each node, services to itself included.
    pub(super) totals: Vec<Quantity>,
    /// `Σ weight` of each node to all others.
    others: Vec<Quantity>,
    /// `None` when the loop is closed.
    factors: Option<Elimination>,
}

impl Loop {
    /// Eliminates a loop, unless it is closed.
    ///
    /// # Errors
    /// [`NetworkError::LoopTooLarge`], [`NetworkError::TooCircular`].
    pub(super) fn new(
        nodes: Vec<u32>,
        links: Vec<Link>,
        exits: Vec<Exit>,
        totals: Vec<Quantity>,
    ) -> Result<Self, NetworkError> {
        let mut others = totals.clone();
        links.iter().filter(|link| link.from == link.to).for_each(|link| others[link.from] -= link.weight);
        let mut circle = Self { nodes, links, exits, totals, others, factors: None };
        let size = circle.nodes.len();
        if circle.exits.is_empty() {
            return Ok(circle);
        }
        if size > LARGEST_LOOP {
            return Err(NetworkError::LoopTooLarge { nodes: size, limit: LARGEST_LOOP });
        }
        circle.factors = Some(Elimination::new(size, circle.shares()).ok_or_else(|| circle.too_circular())?);
        Ok(circle)
    }

    fn shares(&self) -> Vec<f64> {
        let width = self.nodes.len() + 1;
        let mut rows = vec![0.0; self.nodes.len() * width];
        let share = |from: usize, weight: Quantity| weight as f64 / self.totals[from] as f64;
        for link in &self.links {
            rows[link.from * width + link.to] += share(link.from, link.weight);
        }
        for exit in &self.exits {
            rows[exit.from * width + width - 1] += share(exit.from, exit.weight);
        }
        rows
    }

    /// Its nodes as the caller numbers them, ascending.
    pub(super) fn members(&self) -> Vec<u32> {
        let mut nodes = self.nodes.clone();
        nodes.sort_unstable();
        nodes
    }

    pub(super) fn too_circular(&self) -> NetworkError {
        NetworkError::TooCircular { nodes: self.members() }
    }

    /// Gross cost of every node in floats; `None` when the loop is closed.
    pub(super) fn gross(&self, entering: &[f64]) -> Option<Vec<f64>> {
        Some(self.factors.as_ref()?.gross(entering))
    }

    /// Gross cost per unit of weight, to a fraction of a minor unit that is proved, not hoped for.
    ///
    /// The elimination's answer is corrected by what it leaves out of balance, which is summed in double-double. An
    /// amount out of balance at a node ends in the exits in full and in nothing else, so `Σ |out of balance|` bounds
    /// the error of all exits together.
    ///
    /// * `entering`: own cost and what came from outside, minor units of either sign.
    ///
    /// # Errors
    /// [`NetworkError::TooCircular`] when a gross cost leaves `i64` or the bound stays above 2⁻²² minor units;
    /// [`NetworkError::LoopWithoutExit`].
    ///
    /// Source of the correction: Wilkinson, Rounding Errors in Algebraic Processes (1963), ch. 3.
    pub(super) fn rates(&self, entering: &[MinorSum]) -> Result<Vec<Wide>, NetworkError> {
        let closed = || NetworkError::LoopWithoutExit { nodes: self.members(), money: entering.iter().sum() };
        let factors = self.factors.as_ref().ok_or_else(closed)?;
        let mut rates = vec![Wide::default(); self.nodes.len()];
        let mut missing: Vec<f64> = entering.iter().map(|money| *money as f64).collect();
        for round in 0..=ROUNDS {
            let gross = factors.gross(&missing);
            if gross.iter().any(|cost| !cost.is_finite() || cost.abs() > LARGEST_GROSS) {
                break;
            }
            for ((rate, cost), total) in rates.iter_mut().zip(gross).zip(&self.totals) {
                *rate = *rate + Wide::from(cost).divide(Wide::from_int(i128::from(*total)));
            }
            missing = self.missing(entering, &rates);
            let error: f64 = missing.iter().map(|money| money.abs()).sum();
            if error <= GOAL || (round == ROUNDS && error <= ENOUGH) {
                return Ok(rates);
            }
        }
        Err(self.too_circular())
    }

    /// What comes to every node from others, less what goes from it to others.
    fn missing(&self, entering: &[MinorSum], rates: &[Wide]) -> Vec<f64> {
        let mut missing: Vec<Wide> = entering.iter().map(|money| Wide::from_int(*money)).collect();
        for link in self.links.iter().filter(|link| link.from != link.to) {
            missing[link.to] = missing[link.to] + rates[link.from] * Wide::from_int(i128::from(link.weight));
        }
        let left = |node: usize| rates[node] * Wide::from_int(i128::from(self.others[node]));
        missing.iter().enumerate().map(|(node, money)| (*money + -left(node)).to_float()).collect()
    }
}
