//! What became of every cost: balances of pools, use of capacity, rates, flows between pools, and cost by margin layer.

use super::{
    costing::{Basis, Capacity, Layer, Method, RuleKind},
    period::Period,
};
use crate::units::{Minor, MinorSum, Quantity};

/// Why cost stayed with nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unassigned {
    /// No customer used the driver in the period.
    NoDriver,
    /// No customer was active in the period.
    NoCustomer,
    /// The driver quantity or the cost names a customer whom neither the ledger nor the customers table knows.
    UnknownCustomer,
    /// The percentages leave it.
    Remainder,
}

impl Unassigned {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::NoDriver, Self::NoCustomer, Self::UnknownCustomer, Self::Remainder];

    /// The name in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoDriver => "no_driver",
            Self::NoCustomer => "no_customer",
            Self::UnknownCustomer => "unknown_customer",
            Self::Remainder => "remainder",
        }
    }
}

/// Which pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PoolNode {
    /// Number of the resource pool.
    Resource(usize),
    /// Number of the activity.
    Activity(usize),
}

/// One pool's balance: `own + received = sent + allocated + unused + over_driven + under_absorbed + sustained +
/// Σ unassigned`, to the minor unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolBalance {
    /// Which pool.
    pub node: PoolNode,
    /// Period; `None` = the whole run.
    pub period: Option<Period>,
    /// Number of the rule that it goes by, among the rules that follow each other by date.
    pub rule: usize,
    /// What divided it in the place of a driver that nobody used; `None` = the basis of its method did.
    pub instead: Option<Basis>,
    /// Its own cost.
    pub own: Minor,
    /// From resource pools.
    pub received: Minor,
    /// To pools and activities.
    pub sent: Minor,
    /// What customers bear.
    pub allocated: Minor,
    /// The part of it that is fixed.
    pub allocated_fixed: Minor,
    /// The part of it that is saved when customers leave.
    pub allocated_avoidable: Minor,
    /// Cost of capacity that nobody used.
    pub unused: Minor,
    /// Pool less allocated, when more was used than the capacity: of the sign opposite to the pool.
    pub over_driven: Minor,
    /// Pool less charged at a standard rate: above zero under-absorbed, below zero over-absorbed.
    pub under_absorbed: Minor,
    /// What stays at a level above the customer.
    pub sustained: Minor,
    /// What nobody bears, by reason, in the order of [`Unassigned::ALL`].
    pub unassigned: [Minor; 4],
    /// Rows of customer and period that have a driver quantity.
    pub recipients: u64,
    /// Sum of driver quantities, scaled by 10⁶.
    pub driver_quantity: MinorSum,
    /// Sum of the negative ones that a policy took out, scaled by 10⁶, zero or below.
    pub negative_quantity: MinorSum,
}

impl PoolBalance {
    /// A pool of which nothing is known yet.
    #[must_use]
    pub fn new(node: PoolNode, period: Option<Period>) -> Self {
        Self {
            node,
            period,
            rule: 0,
            instead: None,
            own: 0,
            received: 0,
            sent: 0,
            allocated: 0,
            allocated_fixed: 0,
            allocated_avoidable: 0,
            unused: 0,
            over_driven: 0,
            under_absorbed: 0,
            sustained: 0,
            unassigned: [0; 4],
            recipients: 0,
            driver_quantity: 0,
            negative_quantity: 0,
        }
    }

    /// Whether it is the balance of an activity's pool in a period.
    #[must_use]
    pub fn is_of(&self, activity: usize, period: Option<Period>) -> bool {
        self.node == PoolNode::Activity(activity) && self.period == period
    }

    /// What it is divided in proportion to, for outputs; `None` where the method's name says it.
    ///
    /// * `method`: of the rule that it goes by.
    #[must_use]
    pub fn driver(&self, method: &Method) -> Option<String> {
        let own = || method.bases().first()?.describe();
        self.instead.as_ref().map(Basis::name).or_else(own)
    }

    /// How its cost came to its customers.
    ///
    /// * `method`: of the rule that it goes by.
    #[must_use]
    pub fn kind(&self, method: &Method) -> RuleKind {
        self.instead.as_ref().map_or_else(|| method.kind(), Basis::kind)
    }

    /// What nobody bears.
    #[must_use]
    pub fn unassigned_total(&self) -> MinorSum {
        self.unassigned.iter().map(|amount| MinorSum::from(*amount)).sum()
    }

    /// What came less what became of it: zero.
    #[must_use]
    pub fn residual(&self) -> MinorSum {
        let came = [self.own, self.received];
        let went = [self.sent, self.allocated, self.unused, self.over_driven, self.under_absorbed, self.sustained];
        let sum = |of: &[Minor]| of.iter().map(|amount| MinorSum::from(*amount)).sum::<MinorSum>();
        sum(&came) - sum(&went) - self.unassigned_total()
    }

    /// Names of the reasons for which something is unassigned.
    #[must_use]
    pub fn reasons(&self) -> Option<String> {
        let named = Unassigned::ALL.iter().zip(self.unassigned).filter(|(_, amount)| *amount != 0);
        let names: Vec<&str> = named.map(|(reason, _)| reason.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// How much of a pool's capacity was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityUse {
    /// Which pool.
    pub node: PoolNode,
    /// Period; `None` = the whole run.
    pub period: Option<Period>,
    /// Which denominator, with its quantity.
    pub denominator: Capacity,
    /// The quantity that the cost was divided by, scaled by 10⁶.
    pub capacity: i128,
    /// What was used of it, scaled by 10⁶; more than the capacity when over-driven.
    pub used: i128,
    /// Cost of the capacity: of the pool, or of its fixed part.
    pub cost: Minor,
    /// Cost of what was not used.
    pub unused_cost: Minor,
}

/// What one unit of a driver costs: the exact fraction `cost / quantity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivityRate {
    /// Number of the activity.
    pub activity: usize,
    /// Period; `None` = the whole run.
    pub period: Option<Period>,
    /// Number of the rule that it goes by.
    pub rule: usize,
    /// Which basis of the method: its place in [`Method::bases`](super::costing::Method::bases).
    pub basis: usize,
    /// Money.
    pub cost: Minor,
    /// Quantity, scaled by 10⁶, above zero.
    pub quantity: i128,
}

/// What one resource pool gives a pool or an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceEdge {
    /// Giver.
    pub from: PoolNode,
    /// Taker.
    pub to: PoolNode,
    /// Period; `None` = the whole run.
    pub period: Option<Period>,
    /// Weight of the taker, scaled by 10⁶.
    pub weight: Quantity,
    /// Sum of the giver's weights, unused capacity included.
    pub total: Quantity,
    /// Cost.
    pub amount: Minor,
    /// Number of the giver's rule that says so.
    pub rule: usize,
    /// How it came to the taker.
    pub kind: RuleKind,
}

/// Activity cost of every cell by margin layer, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerCosts {
    layers: [Vec<Minor>; 4],
    one_off: [Option<Vec<Minor>>; 4],
    kinds: [Vec<Minor>; 2],
}

impl LayerCosts {
    /// No cost on any of `cells` cells.
    #[must_use]
    pub fn zero(cells: usize) -> Self {
        Self::new(std::array::from_fn(|_| vec![0; cells]), [const { None }; 4], [vec![0; cells], vec![0; cells]])
    }

    /// Costs by layer, and the part of them that does not come again.
    ///
    /// * `layers`, `one_off`: in the order of [`Layer::ALL`], one value a cell.
    /// * `kinds`: what is fixed of all layers, and what is saved when the customer leaves.
    #[must_use]
    pub fn new(layers: [Vec<Minor>; 4], one_off: [Option<Vec<Minor>>; 4], kinds: [Vec<Minor>; 2]) -> Self {
        Self { layers, one_off, kinds }
    }

    /// Fixed cost of all layers.
    #[must_use]
    pub fn fixed(&self) -> &[Minor] {
        &self.kinds[0]
    }

    /// Cost of all layers that is saved when the customer leaves.
    #[must_use]
    pub fn avoidable(&self) -> &[Minor] {
        &self.kinds[1]
    }

    /// Cost of a layer.
    #[must_use]
    pub fn layer(&self, layer: Layer) -> &[Minor] {
        &self.layers[layer as usize]
    }

    /// The part of a layer's cost that does not come again; `None` = nothing.
    #[must_use]
    pub fn one_off(&self, layer: Layer) -> Option<&[Minor]> {
        self.one_off[layer as usize].as_deref()
    }
}
