//! Contribution-margin layers of every cell.

use super::economic::EconomicCost;
use crate::units::Minor;

/// One row a cell, in the order of [`Cells`](super::facts::Cells).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// Gross sales − returns − discount.
    pub net_revenue: Vec<Minor>,
    /// Cost of activities at product level.
    pub product_activity_cost: Vec<Minor>,
    /// Net revenue − product cost − product-level activities.
    pub cm1: Vec<Minor>,
    /// Cost of activities at order level.
    pub order_cost: Vec<Minor>,
    /// CM1 − order-level cost-to-serve.
    pub cm2: Vec<Minor>,
    /// Cost of activities that sustain the customer.
    pub customer_cost: Vec<Minor>,
    /// CM2 − customer-sustaining cost.
    pub cm3: Vec<Minor>,
    /// Capital charge, bad debt, commissions, acquisition cost.
    pub economic: EconomicCost,
    /// CM3 − capital charge − bad debt − commissions − acquisition cost.
    pub economic_profit: Vec<Minor>,
}
