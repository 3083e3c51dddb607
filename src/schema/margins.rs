//! Contribution-margin layers of every cell.

use super::economic::EconomicCost;
use crate::units::Minor;

/// One row a cell, in the order of [`Cells`](super::facts::Cells).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// Gross sales − returns − discount.
    pub net_revenue: Vec<Minor>,
    /// Cost of activities of layer CM1.
    pub product_activity_cost: Vec<Minor>,
    /// Net revenue − product cost − activities of layer CM1.
    pub cm1: Vec<Minor>,
    /// Cost of activities of layer CM2.
    pub order_cost: Vec<Minor>,
    /// CM1 − activities of layer CM2.
    pub cm2: Vec<Minor>,
    /// Cost of activities that sustain the customer.
    pub customer_cost: Vec<Minor>,
    /// CM2 − customer-sustaining cost.
    pub cm3: Vec<Minor>,
    /// Cost below CM3: pushed down from channels, regions and the company, or put there by a rule.
    pub below_cost: Vec<Minor>,
    /// Capital charge, bad debt, commissions, acquisition cost.
    pub economic: EconomicCost,
    /// CM3 − cost below it − capital charge − bad debt − commissions − acquisition cost.
    pub economic_profit: Vec<Minor>,
}
