//! `customer_value`: what every customer has been, is and will be worth, made row group by row group.

use std::{ops::Range, sync::OnceLock};

use super::{
    foretold::{Foretold, Valuation},
    results::sum_by_customer,
    tables::scaled,
    worlds::{World, write_beneath},
};
use crate::{
    forecast::simulate::Simulation,
    numeric::decimal::divide_half_even,
    potential,
    publish::{
        PublishError,
        dataset::{Values, Writer, Written},
    },
    schema::{equity::Drivers, facts::NO_DAY, outputs::OutputDataset},
    units::Minor,
};

/// Base, growth, networking, learning and total potential.
const POTENTIALS: usize = 5;

/// A world's customers, with what needs all of them at once: made when it is first wanted.
pub(super) struct ValueTable<'a> {
    world: World<'a>,
    /// Of customers of the forecast: what drives their value.
    drivers: OnceLock<Option<Vec<Drivers>>>,
    /// Of customers of the forecast: purchases a unit of time now.
    rates_now: OnceLock<Option<Vec<f64>>>,
    /// Rank by base, growth, networking, learning and total potential.
    ranks: OnceLock<[Option<Vec<u32>>; POTENTIALS]>,
}

/// Makes some of the columns of a range of rows.
type Make<'a> = &'a dyn Fn(Range<usize>) -> Vec<Values>;

/// `customer_value`: customers of the base, then of the scenario.
pub(super) fn write_value(
    writer: &Writer<'_>,
    spec: &'static OutputDataset,
    worlds: &[World<'_>],
) -> Result<Written, PublishError> {
    let tables: Vec<ValueTable<'_>> = worlds.iter().map(|world| ValueTable::new(*world)).collect();
    // Before any part is made: a thread that waits for a sort may begin with another part, and would wait for itself.
    tables.iter().for_each(ValueTable::complete);
    write_beneath(writer, spec, worlds, World::customers, |world, own| tables[world].columns(own))
}

impl<'a> ValueTable<'a> {
    pub(super) fn new(world: World<'a>) -> Self {
        Self { world, drivers: OnceLock::new(), rates_now: OnceLock::new(), ranks: OnceLock::new() }
    }

    /// Customers `rows`.
    pub(super) fn columns(&self, rows: Range<usize>) -> Vec<Values> {
        self.columns_with(rows, |_| true)
    }

    /// Customers `rows`; a column of which nobody wants a neighbour is left empty.
    ///
    /// * `wanted`: whether the column with a number is.
    pub(super) fn columns_with(&self, rows: Range<usize>, wanted: impl Fn(usize) -> bool) -> Vec<Values> {
        let parts: [Make<'_>; 4] = [
            &|rows| self.history_columns(rows),
            &|rows| self.past_columns(rows).into(),
            &|rows| self.forecast_columns(rows),
            &|rows| self.potential_columns(rows),
        ];
        let mut columns = Vec::new();
        for make in parts {
            // Columns of nobody cost nothing, and there are as many.
            let empty = make(0..0);
            let is_wanted = (columns.len()..columns.len() + empty.len()).any(&wanted);
            columns.extend(if is_wanted { make(rows.clone()) } else { empty });
        }
        columns
    }

    /// Makes everything that needs all customers at once.
    fn complete(&self) {
        self.drivers();
        self.rates_now();
        self.ranks();
    }

    fn drivers(&self) -> Option<&[Drivers]> {
        let World { settings, forecast, found, .. } = self.world;
        let money = (&found.margins, &found.costs.layers);
        let make = || {
            let (forecast, value) = forecast.zip(found.value.as_ref())?;
            forecast.drivers(settings, &found.ledgers, money, value).ok()
        };
        self.drivers.get_or_init(make).as_deref()
    }

    fn rates_now(&self) -> Option<&[f64]> {
        self.rates_now.get_or_init(|| self.world.forecast?.rates_now(self.drivers()?).ok()).as_deref()
    }

    fn ranks(&self) -> &[Option<Vec<u32>>; POTENTIALS] {
        self.ranks.get_or_init(|| potentials_of(&self.world).map(|column| column.map(potential::ranks)))
    }

    /// When and how often they bought.
    fn history_columns(&self, rows: Range<usize>) -> Vec<Values> {
        let World { settings, found, .. } = self.world;
        let facts = &found.ledgers.facts;
        let day = |days: &[i32]| {
            Values::Date(days[rows.clone()].iter().map(|day| (*day != NO_DAY).then_some(*day)).collect())
        };
        let unit = settings.forecast.as_ref().map_or(7.0, |forecast| forecast.days_per_unit);
        let has = |row: usize| facts.first_purchase[row] != NO_DAY;
        let span = |to: &dyn Fn(usize) -> i32| {
            let length = |row: usize| (i64::from(to(row)) - i64::from(facts.first_purchase[row])) as f64 / unit;
            Values::Float(rows.clone().map(|row| has(row).then(|| length(row))).collect())
        };
        let mean_spend = |row: usize| {
            let x = i128::from(facts.purchase_days[row].saturating_sub(1));
            (x > 0).then(|| divide_half_even(i128::from(facts.repeat_revenue[row]), x) as i64)
        };
        let frequency = |row: usize| has(row).then(|| i64::from(facts.purchase_days[row].saturating_sub(1)));
        vec![
            Values::Ids(rows.clone().map(|row| row as u32).collect()),
            day(&facts.first_purchase),
            day(&facts.last_purchase),
            Values::Integer(rows.clone().map(frequency).collect()),
            span(&|row| facts.last_purchase[row]),
            span(&|_| found.ledgers.as_of),
            Values::Scaled(rows.clone().map(mean_spend).collect()),
        ]
    }

    /// What customers have been worth so far, and in the last whole year.
    fn past_columns(&self, rows: Range<usize>) -> [Values; 4] {
        let World { settings, found, .. } = self.world;
        let first_cell = &found.ledgers.facts.first_cell[rows.start..=rows.end];
        let profit = &found.economic_profit[rows.clone()];
        let acquisition_cost = sum_by_customer(first_cell, &found.margins.economic.acquisition_cost);
        let before = profit.iter().zip(&acquisition_cost).map(|(profit, cost)| Some(profit + cost)).collect();
        let current = settings.period.last_year(found.ledgers.as_of).map(|year| {
            let (periods, profits) = (&found.ledgers.cells.period, &found.margins.economic_profit);
            let within = |cell: &usize| year.contains(&periods[*cell]);
            first_cell
                .windows(2)
                .map(|cells| (cells[0]..cells[1]).filter(within).map(|cell| profits[cell]).sum())
                .collect::<Vec<Minor>>()
        });
        let current = current.map_or_else(|| Values::Scaled(vec![None; rows.len()]), |column| scaled(&column));
        [scaled(profit), scaled(&acquisition_cost), Values::Scaled(before), current]
    }

    /// What is expected of them, by the model and by its paths.
    fn forecast_columns(&self, rows: Range<usize>) -> Vec<Values> {
        let World { settings, forecast, found, .. } = self.world;
        let unit = settings.forecast.as_ref().map_or(7.0, |forecast| forecast.days_per_unit);
        let both = forecast.zip(found.value.as_ref());
        let at = |row: usize| both.and_then(|(f, value)| f.row(row).map(|at| (f, value, at)));
        let float = |of: &dyn Fn(&Foretold, &Valuation, usize) -> Option<f64>| {
            Values::Float(rows.clone().map(|row| at(row).and_then(|(f, value, at)| of(f, value, at))).collect())
        };
        let per_major = settings.currency.minor_per_major() as f64;
        let money = |of: &dyn Fn(&Simulation, usize) -> f64| {
            let value = |row: usize| {
                let (_, value, at) = at(row)?;
                Some((of(value.simulation.as_ref()?, at) * per_major).round_ties_even() as i64)
            };
            Values::Scaled(rows.clone().map(value).collect())
        };
        let driver = |of: fn(&Drivers) -> f64| float(&|_, _, at| self.drivers().map(|drivers| of(&drivers[at])));
        let mut columns = vec![
            float(&|f, _, at| Some(f.p_alive(at))),
            float(&|f, _, at| Some(f.purchases(at))),
            float(&|f, _, at| Some(f.discounted_purchases(at))),
            float(&|f, _, at| f.purchases_for_ever(at)),
            float(&|f, _, at| Some(f.p_alive_at_horizon(at))),
            float(&|f, value, at| f.next_purchase(value, at).map(|(probability, _)| probability)),
            float(&|f, value, at| Some(f.next_purchase(value, at)?.1? * unit)),
            Values::Scaled(rows.clone().map(|row| at(row).map(|(_, value, at)| value.expected[at])).collect()),
            float(&|_, _, at| self.rates_now().map(|rates| rates[at])),
            driver(|drivers| drivers.spend),
            driver(|drivers| drivers.margin_rate),
            driver(|drivers| drivers.order_cost),
            driver(|drivers| drivers.sustaining_rate),
            driver(|drivers| drivers.lifetime),
            money(&|s, at| s.lifetime[at].mean),
            money(&|s, at| s.lifetime[at].mean_error),
            money(&|s, at| s.lifetime[at].sd),
        ];
        let width = settings.quantiles().len();
        columns.extend((0..width).map(|quantile| money(&|s, at| s.quantiles[at * width + quantile])));
        columns.push(money(&|s, at| s.lifetime[at].shortfall));
        columns.push(float(&|_, value, at| Some(value.simulation.as_ref()?.lifetime[at].probability_of_loss)));
        columns
    }

    /// The four potentials, their parts and ranks.
    fn potential_columns(&self, rows: Range<usize>) -> Vec<Values> {
        let found = &self.world.found.potentials;
        let money = |column: Option<&[Minor]>| match column {
            Some(column) => scaled(&column[rows.clone()]),
            None => Values::Scaled(vec![None; rows.len()]),
        };
        let rank = |number: usize| {
            let of_row = |row: usize| self.ranks()[number].as_ref().map(|ranks| i64::from(ranks[row]));
            Values::Integer(rows.clone().map(of_row).collect())
        };
        let (growth, networking) = (found.growth.as_ref(), found.networking.as_ref());
        let wallet = growth.and_then(|growth| growth.wallet.as_ref());
        let [base, growing, received, learning, total] = potentials_of(&self.world);
        let mut columns = vec![
            money(base),
            money(growing),
            money(growth.and_then(|growth| growth.pipeline.as_deref())),
            Values::Scaled(wallet.map_or_else(|| vec![None; rows.len()], |wallet| wallet[rows.clone()].to_vec())),
            money(received),
            money(networking.map(|networking| networking.new.as_slice())),
            money(networking.and_then(|networking| networking.saved.as_deref())),
            money(networking.map(|networking| networking.given.as_slice())),
            money(learning),
            money(total),
        ];
        columns.extend((0..POTENTIALS).map(rank));
        columns
    }
}

/// Base, growth, networking, learning and total potential.
fn potentials_of<'a>(world: &World<'a>) -> [Option<&'a [Minor]>; POTENTIALS] {
    let found = &world.found.potentials;
    [Some(found.base.as_slice()), found.growth(), found.networking(), found.learning.as_deref(), found.total.as_deref()]
}
