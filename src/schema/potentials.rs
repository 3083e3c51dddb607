//! What every customer is good for: what it has earned, may earn, brings by recommending us, and teaches us.

use crate::units::Minor;

/// The four potentials of every customer, one row each in the order of [`Customers`](super::facts::Customers), in minor
/// units.
///
/// Summed over all customers `networking` is what `networking_given` is: recommending moves value between customers. So
/// the sum of `total` is that of base, growth and learning, and nothing counts twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Potentials {
    /// Base: economic profit to date.
    pub base: Vec<Minor>,
    /// What may still come; `None` without a forecast.
    pub growth: Option<Growth>,
    /// What recommending brings; `None` without a forecast or without referrals.
    pub networking: Option<Networking>,
    /// What is known through the customer; `None` where no table says so.
    pub learning: Option<Vec<Minor>>,
    /// Base + growth + networking − networking given + learning; `None` without a forecast.
    pub total: Option<Vec<Minor>>,
}

/// What a customer may still earn us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// Expected value + pipeline + wallet.
    pub total: Vec<Minor>,
    /// The sales pipeline; `None` without the table.
    pub pipeline: Option<Vec<Minor>>,
    /// The share of wallet not yet won; `None` without the columns, inner `None` where nothing is known of the wallet.
    pub wallet: Option<Vec<Option<Minor>>>,
}

/// What customers bring by recommending us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networking {
    /// Value of customers who would not have come otherwise.
    pub new: Vec<Minor>,
    /// Acquisition cost that was saved on those who would have; `None` where nothing is known of acquisition cost.
    pub saved: Option<Vec<Minor>>,
    /// `new + saved`.
    pub received: Vec<Minor>,
    /// What the customer passes on to those who recommended us to it, from its own value and from what it received.
    pub given: Vec<Minor>,
}

impl Potentials {
    /// Networking potential of every customer: what it receives for recommending us.
    #[must_use]
    pub fn networking(&self) -> Option<&[Minor]> {
        self.networking.as_ref().map(|networking| networking.received.as_slice())
    }

    /// Growth potential of every customer.
    #[must_use]
    pub fn growth(&self) -> Option<&[Minor]> {
        self.growth.as_ref().map(|growth| growth.total.as_slice())
    }
}
