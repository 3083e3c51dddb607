//! What planning a pool gives: where its cost went, the shares by which rows bear theirs, and its rates.

use super::{parts::Parts, refusal::Refusal, share::Share, spread::AllocateError};
use crate::{
    schema::{
        costing::{Basis, Capacity},
        costs::Unassigned,
    },
    units::Minor,
};

/// A pool, planned.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) shares: Vec<Share>,
    pub(super) allocated: Minor,
    pub(super) unused: Minor,
    pub(super) over_driven: Minor,
    pub(super) under_absorbed: Minor,
    pub(super) unassigned: [Minor; 4],
    pub(super) recipients: u64,
    pub(super) quantity: i128,
    pub(super) negative_quantity: i128,
    pub(super) capacity: Option<CapacityOf>,
    /// One for each basis of the method that cost is charged by.
    pub(super) rates: Vec<Rate>,
    /// What stood in for a driver that nobody used.
    pub(super) instead: Option<Basis>,
}

/// A capacity that was given, and its use.
#[derive(Clone, Copy, Debug)]
pub(super) struct CapacityOf {
    pub(super) denominator: Capacity,
    /// Scaled by 10⁶.
    pub(super) capacity: i128,
    /// Scaled by 10⁶.
    pub(super) used: i128,
    /// What the capacity costs.
    pub(super) cost: Minor,
}

/// Money over quantity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// Place of the basis in [`Method::bases`](crate::schema::costing::Method::bases).
    pub(super) basis: usize,
    pub(super) cost: Minor,
    /// Scaled by 10⁶, above zero.
    pub(super) quantity: i128,
}

impl Planned {
    /// Adds what became of a part of the cost.
    ///
    /// * `reason`: why what is unassigned of it is.
    pub(super) fn add(&mut self, parts: Parts, reason: Unassigned) -> Result<(), Refusal> {
        let sum = |a: Minor, b: Minor| a.checked_add(b).ok_or(AllocateError::TooLarge);
        self.allocated = sum(self.allocated, parts.allocated)?;
        self.unused = sum(self.unused, parts.unused)?;
        self.over_driven = sum(self.over_driven, parts.over_driven)?;
        self.under_absorbed = sum(self.under_absorbed, parts.under_absorbed)?;
        let unassigned = &mut self.unassigned[reason as usize];
        *unassigned = sum(*unassigned, parts.unassigned)?;
        Ok(())
    }

    /// Adds the rate of a basis, where there is one.
    pub(super) fn charge(&mut self, basis: usize, (cost, quantity): (Minor, i128)) {
        self.rates.extend((quantity > 0).then_some(Rate { basis, cost, quantity }));
    }
}
