//! What customers have earned so far, as a forecast takes it: without what does not come again.

use super::{Ledgers, results::sum_by_customer};
use crate::{
    schema::{costing::Layer, costs::LayerCosts, margins::Margins, period::Period},
    units::Minor,
};

/// Money of some customers in major units, one row each.
pub(super) struct Earnings {
    /// CM1 less commissions and bad debt.
    pub(super) margin: Vec<f64>,
    /// Order-level cost.
    pub(super) order_cost: Vec<f64>,
    /// Customer-sustaining cost with the capital charge.
    pub(super) customer_cost: Vec<f64>,
}

impl Earnings {
    /// * `customers`: rows of the customers. * `per_major`: minor units in a major one.
    pub(super) fn new(
        ledgers: &Ledgers,
        (margins, layers): (&Margins, &LayerCosts),
        customers: &[u32],
        per_major: f64,
    ) -> Self {
        Self::until(None, ledgers, (margins, layers), customers, per_major)
    }

    /// The same of the periods up to `last`.
    pub(super) fn until(
        last: Option<Period>,
        ledgers: &Ledgers,
        (margins, layers): (&Margins, &LayerCosts),
        customers: &[u32],
        per_major: f64,
    ) -> Self {
        let facts = &ledgers.facts;
        let major = |column: &[Minor]| -> Vec<f64> {
            customers.iter().map(|row| column[*row as usize] as f64 / per_major).collect()
        };
        let total = |column: &[Minor]| match last {
            None => major(&sum_by_customer(&facts.first_cell, column)),
            Some(last) => {
                let cells = ledgers.cells.period.iter().zip(column);
                let kept: Vec<Minor> = cells.map(|(period, value)| if *period <= last { *value } else { 0 }).collect();
                major(&sum_by_customer(&facts.first_cell, &kept))
            }
        };
        // Cost that does not come again is no cost of the future.
        let recurring = |layer: Layer| -> Vec<Minor> {
            let all = layers.layer(layer);
            let one_off = layers.one_off(layer);
            all.iter().enumerate().map(|(cell, cost)| cost - one_off.map_or(0, |column| column[cell])).collect()
        };
        let cm1: Vec<Minor> = match layers.one_off(Layer::Cm1) {
            Some(one_off) => margins.cm1.iter().zip(one_off).map(|(cm1, cost)| cm1 + cost).collect(),
            None => margins.cm1.clone(),
        };
        let customer_cost = total(&recurring(Layer::Cm3))
            .iter()
            .zip(total(&recurring(Layer::Below)))
            .zip(total(&margins.economic.capital_charge))
            .map(|((cost, below), charge)| cost + below + charge)
            .collect();
        // What winning the customer cost was paid once and does not come again.
        let margin = total(&cm1)
            .iter()
            .zip(total(&margins.economic.commissions))
            .zip(total(&margins.economic.bad_debt))
            .map(|((cm1, commissions), bad_debt)| cm1 - commissions - bad_debt)
            .collect();
        Self { margin, order_cost: total(&recurring(Layer::Cm2)), customer_cost }
    }

    /// What each customer has contributed.
    pub(super) fn contribution(&self) -> Vec<f64> {
        let costs = self.order_cost.iter().zip(&self.customer_cost);
        self.margin.iter().zip(costs).map(|(margin, (order, customer))| margin - order - customer).collect()
    }
}
