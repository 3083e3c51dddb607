//! What customers have earned so far, as a forecast takes it: without what does not come again.

use rayon::prelude::*;

use super::Ledgers;
use crate::{
    schema::{
        costing::Layer,
        costs::LayerCosts,
        margins::Margins,
        period::Period,
        settings::{ReturnsPolicy, Settings},
    },
    units::Minor,
};

/// Money of some customers in major units, one row each.
pub(super) struct Earnings {
    /// CM1 less what comes with sales: commissions, bad debt, capital that receivables bind.
    pub(super) margin: Vec<f64>,
    /// Order-level cost.
    pub(super) order_cost: Vec<f64>,
    /// Customer-sustaining cost.
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
        let (first_cell, period) = (&ledgers.facts.first_cell, &ledgers.cells.period);
        // Cost that does not come again is no cost of the future.
        let one_off = Layer::ALL.map(|layer| layers.one_off(layer));
        let one_off = |layer: Layer, cell: usize| one_off[layer as usize].map_or(0, |column| column[cell]);
        let recurring = |layer: Layer, cell: usize| layers.layer(layer)[cell] - one_off(layer, cell);
        let economic = &margins.economic;
        let of = |customer: &u32| {
            let cells = first_cell[*customer as usize]..first_cell[*customer as usize + 1];
            let cells = cells.filter(|cell| last.is_none_or(|last| period[*cell] <= last));
            let mut sums = [0; 4];
            for cell in cells {
                // What winning the customer cost was paid once and does not come again.
                sums[0] += margins.cm1[cell] + one_off(Layer::Cm1, cell);
                // Those who buy nothing owe nothing: what receivables cost is no cost of time.
                sums[1] += economic.commissions[cell] + economic.bad_debt[cell] + economic.capital_charge[cell];
                sums[2] += recurring(Layer::Cm2, cell);
                sums[3] += recurring(Layer::Cm3, cell) + recurring(Layer::Below, cell);
            }
            let [cm1, with_sales, order_cost, customer_cost] = sums.map(|sum: Minor| sum as f64 / per_major);
            (cm1 - with_sales, (order_cost, customer_cost))
        };
        let (margin, (order_cost, customer_cost)) = customers.par_iter().map(of).unzip();
        Self { margin, order_cost, customer_cost }
    }
}

/// Whether amounts may add up to nothing, so that no share of them has a meaning: all of an amount is kept then, and what was not
/// left of it is a cost of serving.
pub(super) fn all_is_kept(settings: &Settings) -> bool {
    settings.inputs.returns == ReturnsPolicy::Purchases
}
