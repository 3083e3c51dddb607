//! From own cost to what every node and every edge carries.

use super::{
    Edge, NetworkError, balance,
    plan::{Plan, Step},
    reciprocal::Loop,
};
use crate::{
    allocate::spread::spread,
    units::{Minor, MinorSum, Quantity},
};

/// One node's balance: `own + received = sent + unused + unassigned + final_cost`, to the minor unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFlow {
    /// Its own cost.
    pub own: Minor,
    /// From other nodes, and from itself.
    pub received: Minor,
    /// `own + received`: gross, before anything is passed on.
    pub reciprocated: Minor,
    /// To other nodes, and to itself.
    pub sent: Minor,
    /// Cost of unused capacity.
    pub unused: Minor,
    /// Cost of a pool that serves nobody whom the method counts.
    pub unassigned: Minor,
    /// Cost of an activity.
    pub final_cost: Minor,
}

/// What one edge carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeFlow {
    /// Giver.
    pub from: u32,
    /// Taker.
    pub to: u32,
    /// Cost.
    pub amount: Minor,
    /// Weight; 0 when the method ignores the edge.
    pub weight: Quantity,
    /// Σ weight of the giver, unused capacity included: the edge bears `weight / total` of the giver's gross cost.
    pub total: Quantity,
}

impl EdgeFlow {
    /// `weight / total`; 0 when the giver gives nothing.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.weight == 0 { 0.0 } else { self.weight as f64 / self.total as f64 }
    }
}

/// What every node and every edge carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// One row a node.
    pub nodes: Vec<NodeFlow>,
    /// One row an edge, in the caller's order.
    pub edges: Vec<EdgeFlow>,
}

impl Flow {
    /// Checks that the nodes say what the edges say, and that what comes to a node is what becomes of it.
    ///
    /// Returns the first node for which that does not hold, with both sides in minor units.
    #[must_use]
    pub fn reconcile(&self) -> Option<(u32, MinorSum, MinorSum)> {
        let mut came: Vec<MinorSum> = self.nodes.iter().map(|node| i128::from(node.own)).collect();
        let stays = |node: &NodeFlow| [node.unused, node.unassigned, node.final_cost].map(i128::from).iter().sum();
        let mut went: Vec<MinorSum> = self.nodes.iter().map(stays).collect();
        for edge in &self.edges {
            went[edge.from as usize] += i128::from(edge.amount);
            came[edge.to as usize] += i128::from(edge.amount);
        }
        let differs = |node: &usize| {
            let gross = i128::from(self.nodes[*node].reciprocated);
            came[*node] != went[*node] || came[*node] != gross
        };
        (0..self.nodes.len()).find(differs).map(|node| (node as u32, came[node], went[node]))
    }
}

impl Plan {
    /// Passes the own cost of every node on.
    ///
    /// A pool outside loops splits its integer cost by largest remainder over its takers and its unused capacity; equal
    /// remainders go by the taker's tie-break. A loop splits all that enters it over its exits likewise: each exit, and
    /// each taker's sum, is off by less than one minor unit from the exact solution. Flows inside it are rounded so that every node balances.
    /// A pool whose weights are all zero under the method keeps its cost as unassigned.
    ///
    /// * `own`: minor units, either sign, one a node.
    ///
    /// # Errors
    /// [`NetworkError::LoopWithoutExit`], whether or not money gets there; [`NetworkError::TooCircular`],
    /// [`NetworkError::TooLarge`], [`NetworkError::OwnLength`].
    pub fn flow(&self, own: &[Minor]) -> Result<Flow, NetworkError> {
        if own.len() != self.nodes.len() {
            return Err(NetworkError::OwnLength { expected: self.nodes.len(), found: own.len() });
        }
        let mut books = Books::new(self, own);
        for step in &self.steps {
            match step {
                Step::Single(node) => books.pass_on(*node)?,
                Step::Loop(circle) => books.circulate(circle)?,
            }
        }
        books.close(own)
    }
}

/// The money on its way.
struct Books<'a> {
    plan: &'a Plan,
    /// Own and received so far.
    cost: Vec<MinorSum>,
    amounts: Vec<MinorSum>,
    unused: Vec<MinorSum>,
}

impl<'a> Books<'a> {
    fn new(plan: &'a Plan, own: &[Minor]) -> Self {
        let cost = own.iter().map(|money| i128::from(*money)).collect();
        Self { plan, cost, amounts: vec![0; plan.edges.len()], unused: vec![0; plan.nodes.len()] }
    }

    fn pass_on(&mut self, node: u32) -> Result<(), NetworkError> {
        let (plan, at) = (self.plan, node as usize);
        if plan.totals[at] == 0 {
            return Ok(());
        }
        let edges = plan.outgoing.of(node);
        let kept = plan.nodes[at];
        let to = |edge: &usize| (plan.edges[*edge].weight, plan.nodes[plan.edges[*edge].to as usize].tie);
        let (weights, ties): (Vec<_>, Vec<_>) = edges.iter().map(to).chain([(kept.kept, kept.tie)]).unzip();
        let too_large = || NetworkError::TooLarge { node };
        let cost = Minor::try_from(self.cost[at]).map_err(|_| too_large())?;
        let parts = spread(cost, &weights, &ties).map_err(|_| too_large())?;
        for (edge, part) in edges.iter().zip(&parts) {
            self.send(*edge, i128::from(*part));
        }
        self.unused[at] = i128::from(parts[edges.len()]);
        Ok(())
    }

    fn circulate(&mut self, circle: &Loop) -> Result<(), NetworkError> {
        let entering: Vec<MinorSum> = circle.nodes.iter().map(|node| self.cost[*node as usize]).collect();
        if let Some(at) = entering.iter().position(|money| Minor::try_from(*money).is_err()) {
            return Err(NetworkError::TooLarge { node: circle.nodes[at] });
        }
        let rates = circle.rates(&entering)?;
        let exits = balance::exits(circle, &rates, entering.iter().sum()).ok_or_else(|| circle.too_circular())?;
        let mut leaving = vec![0; circle.nodes.len()];
        for (exit, amount) in circle.exits.iter().zip(exits) {
            leaving[exit.from] += amount;
            match exit.edge {
                Some(edge) => self.send(edge, amount),
                None => self.unused[circle.nodes[exit.from] as usize] = amount,
            }
        }
        for (link, amount) in circle.links.iter().zip(balance::links(circle, &rates, &entering, &leaving)) {
            self.send(link.edge, amount);
        }
        Ok(())
    }

    fn send(&mut self, edge: usize, amount: MinorSum) {
        self.amounts[edge] = amount;
        self.cost[self.plan.edges[edge].to as usize] += amount;
    }

    fn close(self, own: &[Minor]) -> Result<Flow, NetworkError> {
        let plan = self.plan;
        let minor = |money: MinorSum, node: u32| Minor::try_from(money).map_err(|_| NetworkError::TooLarge { node });
        let (mut sent, mut edges) = (vec![0; own.len()], Vec::with_capacity(plan.edges.len()));
        for (Edge { from, to, weight }, amount) in plan.edges.iter().copied().zip(&self.amounts) {
            sent[from as usize] += amount;
            edges.push(EdgeFlow { from, to, amount: minor(*amount, from)?, weight, total: plan.totals[from as usize] });
        }
        let row = |(at, own): (usize, &Minor)| {
            let node = at as u32;
            let reciprocated = minor(self.cost[at], node)?;
            let stays = if plan.totals[at] == 0 { reciprocated } else { 0 };
            let (unassigned, final_cost) = if plan.pool[at] { (stays, 0) } else { (0, stays) };
            Ok(NodeFlow {
                own: *own,
                received: minor(self.cost[at] - i128::from(*own), node)?,
                reciprocated,
                sent: minor(sent[at], node)?,
                unused: minor(self.unused[at], node)?,
                unassigned,
                final_cost,
            })
        };
        Ok(Flow { nodes: own.iter().enumerate().map(row).collect::<Result<_, _>>()?, edges })
    }
}
