//! The base and its scenario: the datasets that both have, row beneath row, told apart by `scenario`.

use std::sync::Arc;

use super::{
    Ledgers,
    results::{Costs, Results, sum_by_customer},
    tables::{integers, labels, scaled},
};
use crate::{
    publish::dataset::Values,
    schema::{margins::Margins, scenario::BASE, settings::Settings},
    units::Minor,
};

/// One world: the run as it is, or under a scenario.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) name: &'a str,
    pub(super) settings: &'a Settings,
    pub(super) ledgers: &'a Ledgers,
    pub(super) costs: &'a Costs,
    pub(super) margins: &'a Margins,
}

impl Results {
    /// The base, then the scenario.
    pub(super) fn worlds<'a>(&'a self, settings: &'a Settings) -> Vec<World<'a>> {
        let base = World { name: BASE, settings, ledgers: &self.ledgers, costs: &self.costs, margins: &self.margins };
        let other = self.scene.as_ref().zip(settings.scenario.as_ref()).map(|(scene, scenario)| World {
            name: &scenario.name,
            settings: &scenario.settings,
            ledgers: &scene.ledgers,
            costs: &scene.costs,
            margins: &scene.margins,
        });
        std::iter::once(base).chain(other).collect()
    }
}

/// Columns of every world, one beneath the other, and the column `scenario` after them.
pub(super) fn beneath<'a>(worlds: &[World<'a>], columns: impl Fn(&World<'a>) -> Vec<Values>) -> Vec<Values> {
    let mut all: Vec<Values> = Vec::new();
    for world in worlds {
        let mut own = columns(world);
        let rows = own.first().map_or(0, Values::len);
        own.push(world.label(rows));
        if all.is_empty() {
            all = own;
        } else {
            all.iter_mut().zip(own).for_each(|(all, own)| all.append(own));
        }
    }
    all
}

impl World<'_> {
    /// The column `scenario` of so many rows.
    pub(super) fn label(&self, rows: usize) -> Values {
        Values::Label(vec![0; rows], Arc::new(vec![self.name.to_owned()]))
    }

    pub(super) fn labels(&self) -> (Vec<u32>, Arc<Vec<String>>) {
        labels(&self.ledgers.cells.period, self.settings)
    }

    pub(super) fn profit_columns(&self) -> Vec<Values> {
        let (cells, margins) = (&self.ledgers.cells, &self.margins);
        let (period, labels) = self.labels();
        let money = |column: &[Minor]| scaled(column);
        vec![
            Values::Ids(cells.customer.clone()),
            Values::Label(period, labels),
            money(&cells.gross_sales),
            money(&cells.returns),
            money(&cells.discount),
            money(&margins.net_revenue),
            money(&cells.product_cost),
            money(&margins.product_activity_cost),
            money(&margins.cm1),
            money(&margins.order_cost),
            money(&margins.cm2),
            money(&margins.customer_cost),
            money(&margins.cm3),
            money(&margins.below_cost),
            money(&margins.economic.capital_charge),
            money(&margins.economic.bad_debt),
            money(&margins.economic.commissions),
            money(&margins.economic.acquisition_cost),
            money(&margins.economic_profit),
            integers(cells.orders.iter().map(|n| *n as i64)),
            integers(cells.lines.iter().map(|n| *n as i64)),
            money(&cells.units),
        ]
    }

    pub(super) fn profit_total_columns(&self) -> Vec<Values> {
        let (cells, margins, first) = (&self.ledgers.cells, &self.margins, &self.ledgers.facts.first_cell);
        let total = |column: &[i64]| scaled(&sum_by_customer(first, column));
        let count = |column: &[u64]| {
            let column: Vec<i64> = column.iter().map(|n| *n as i64).collect();
            integers(sum_by_customer(first, &column).into_iter())
        };
        vec![
            Values::Ids((0..self.ledgers.customers.len() as u32).collect()),
            total(&cells.gross_sales),
            total(&cells.returns),
            total(&cells.discount),
            total(&margins.net_revenue),
            total(&cells.product_cost),
            total(&margins.product_activity_cost),
            total(&margins.cm1),
            total(&margins.order_cost),
            total(&margins.cm2),
            total(&margins.customer_cost),
            total(&margins.cm3),
            total(&margins.below_cost),
            total(&margins.economic.capital_charge),
            total(&margins.economic.bad_debt),
            total(&margins.economic.commissions),
            total(&margins.economic.acquisition_cost),
            total(&margins.economic_profit),
            count(&cells.orders),
            count(&cells.lines),
            total(&cells.units),
        ]
    }
}
