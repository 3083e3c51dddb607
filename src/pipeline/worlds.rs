//! The base and its scenario: the datasets that both have, row beneath row, told apart by `scenario`.

use std::{ops::Range, sync::Arc};

use super::{
    foretold::Foretold,
    results::{Findings, Results, sum_by_customer},
    tables::{integers, labels, scaled},
};
use crate::{
    publish::{
        PublishError,
        dataset::{Values, Writer, Written},
    },
    schema::{outputs::OutputDataset, scenario::BASE, settings::Settings},
    units::Minor,
};

/// One world: the run as it is, or under a scenario.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) name: &'a str,
    pub(super) settings: &'a Settings,
    pub(super) forecast: Option<&'a Foretold>,
    pub(super) found: &'a Findings,
}

impl Results {
    /// The run as it is.
    pub(super) fn world<'a>(&'a self, settings: &'a Settings) -> World<'a> {
        World { name: BASE, settings, forecast: self.forecast.as_ref(), found: &self.base }
    }

    /// The base, then the scenario.
    pub(super) fn worlds<'a>(&'a self, settings: &'a Settings) -> Vec<World<'a>> {
        let other = self.scene.as_ref().zip(settings.scenario.as_ref());
        let other = other.map(|(found, scenario)| World {
            name: &scenario.name,
            settings: &scenario.settings,
            forecast: self.forecast.as_ref(),
            found,
        });
        std::iter::once(self.world(settings)).chain(other).collect()
    }
}

/// Columns of every world, one beneath the other, and the column `scenario` after them.
pub(super) fn beneath<'a>(worlds: &[World<'a>], columns: impl Fn(&World<'a>) -> Vec<Values>) -> Vec<Values> {
    beneath_of(worlds.iter().map(|world| (world, columns(world))))
}

/// The same of columns that are made already.
pub(super) fn beneath_of<'w, 'a: 'w>(worlds: impl Iterator<Item = (&'w World<'a>, Vec<Values>)>) -> Vec<Values> {
    let mut all: Vec<Values> = Vec::new();
    for (world, mut own) in worlds {
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
        labels(&self.found.ledgers.cells.period, self.settings)
    }

    /// Cells `rows`, with `labels` of their periods.
    fn profit_columns(&self, rows: Range<usize>, labels: &(Vec<u32>, Arc<Vec<String>>)) -> Vec<Values> {
        let cells = &self.found.ledgers.cells;
        let mut columns = vec![
            Values::Ids(cells.customer[rows.clone()].to_vec()),
            Values::Label(labels.0[rows.clone()].to_vec(), Arc::clone(&labels.1)),
        ];
        columns.extend(self.money().map(|column| scaled(&column[rows.clone()])));
        let count = |column: &[u64]| integers(column[rows.clone()].iter().map(|n| *n as i64));
        columns.extend([count(&cells.orders), count(&cells.lines), scaled(&cells.units[rows.clone()])]);
        columns
    }

    /// Customers `rows`: the exact sums of their cells.
    pub(super) fn profit_total_columns(&self, rows: Range<usize>) -> Vec<Values> {
        let (cells, first) = (&self.found.ledgers.cells, &self.found.ledgers.facts.first_cell[rows.start..=rows.end]);
        let total = |column: &[i64]| scaled(&sum_by_customer(first, column));
        let count = |column: &[u64]| {
            let sum = |range: &[usize]| column[range[0]..range[1]].iter().sum::<u64>() as i64;
            integers(first.windows(2).map(sum))
        };
        let mut columns = vec![Values::Ids(rows.clone().map(|row| row as u32).collect())];
        columns.extend(self.money().map(total));
        columns.extend([count(&cells.orders), count(&cells.lines), total(&cells.units)]);
        columns
    }

    /// From gross sales to economic profit, in the order of the datasets.
    fn money(&self) -> [&[Minor]; 19] {
        let (cells, margins) = (&self.found.ledgers.cells, &self.found.margins);
        let layers = &self.found.costs.layers;
        [
            &cells.gross_sales,
            &cells.returns,
            &cells.discount,
            &margins.net_revenue,
            &cells.product_cost,
            &margins.product_activity_cost,
            &margins.cm1,
            &margins.order_cost,
            &margins.cm2,
            &margins.customer_cost,
            &margins.cm3,
            &margins.below_cost,
            &margins.economic.capital_charge,
            &margins.economic.bad_debt,
            &margins.economic.commissions,
            &margins.economic.acquisition_cost,
            &margins.economic_profit,
            layers.fixed(),
            layers.avoidable(),
        ]
    }
}

/// `customer_profit`: cells of the base, then of the scenario.
pub(super) fn write_profit(
    writer: &Writer<'_>,
    spec: &'static OutputDataset,
    worlds: &[World<'_>],
) -> Result<Written, PublishError> {
    let labels: Vec<_> = worlds.iter().map(World::labels).collect();
    write_beneath(
        writer,
        spec,
        worlds,
        |world| world.found.ledgers.cells.len(),
        |world, own| worlds[world].profit_columns(own, &labels[world]),
    )
}

/// `customer_profit_total`: customers of the base, then of the scenario.
pub(super) fn write_profit_total(
    writer: &Writer<'_>,
    spec: &'static OutputDataset,
    worlds: &[World<'_>],
) -> Result<Written, PublishError> {
    write_beneath(writer, spec, worlds, World::customers, |world, own| worlds[world].profit_total_columns(own))
}

/// Rows of every world, those of the base first, made row group by row group, and the column `scenario` after them.
///
/// * `size`: rows of a world. * `make`: the other columns of some of its rows, by its number.
pub(super) fn write_beneath<'w>(
    writer: &Writer<'_>,
    spec: &'static OutputDataset,
    worlds: &[World<'w>],
    size: impl Fn(&World<'w>) -> usize,
    make: impl Fn(usize, Range<usize>) -> Vec<Values> + Sync,
) -> Result<Written, PublishError> {
    let sizes: Vec<usize> = worlds.iter().map(size).collect();
    writer.write_rows(spec, sizes.iter().sum(), |rows| {
        slices(&sizes, rows, |world, own| {
            let mut columns = make(world, own.clone());
            columns.push(worlds[world].label(own.len()));
            columns
        })
    })
}

/// Rows of several worlds that lie beneath each other: the part of each, joined.
fn slices(sizes: &[usize], rows: Range<usize>, make: impl Fn(usize, Range<usize>) -> Vec<Values>) -> Vec<Values> {
    let mut joined: Vec<Values> = Vec::new();
    let mut start = 0;
    for (world, size) in sizes.iter().enumerate() {
        let own = rows.start.clamp(start, start + size) - start..rows.end.clamp(start, start + size) - start;
        start += size;
        if own.is_empty() {
            continue;
        }
        let columns = make(world, own);
        if joined.is_empty() {
            joined = columns;
        } else {
            joined.iter_mut().zip(columns).for_each(|(all, more)| all.append(more));
        }
    }
    joined
}
