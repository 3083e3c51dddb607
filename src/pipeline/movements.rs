//! How customers move between groups, decline, and how concentrated they are: the columns of these datasets.

use std::ops::Range;

use rayon::prelude::*;

use super::{objects::is_mapped, results::sum_by_customer, tables::integers, worlds::World};
use crate::{
    portfolio::{
        concentration::{Concentrated, Ordered, by_group},
        decline::{Change, Year, change},
        migration::{History, Move, PROFIT_GROUPS, by_profit, moves},
        tiers,
    },
    publish::dataset::Values,
    schema::{
        period::{Period, PeriodKind},
        settings::TableName,
    },
    units::{Minor, MinorSum, QUANTITY_SCALE},
};

/// Groups of customers who have not come yet.
const NOT_YET: &str = "not_yet";

/// Name and groups of a segmentation, and a move.
type Row<'a> = (&'static str, &'a Vec<String>, &'a Move);

/// A customer that was profitable once.
struct Declined {
    customer: u32,
    /// How many years before now.
    ago: i32,
    before: Minor,
    now: Minor,
    change: Change,
}

impl World<'_> {
    pub(super) fn migration_columns(&self) -> Vec<Values> {
        let all = self.migrations();
        let text = |of: &dyn Fn(&Row<'_>) -> String| {
            let rows = all.iter().flat_map(|(name, groups, moves)| moves.iter().map(move |row| (*name, groups, row)));
            Values::Text(rows.map(|row| Some(of(&row))).collect())
        };
        let rows = || all.iter().flat_map(|(_, _, moves)| moves);
        let sum = |of: &dyn Fn(&Move) -> MinorSum| Values::Sum(rows().map(|row| Some(of(row))).collect());
        let label = |period: Period| self.settings.period.label(period);
        vec![
            text(&|(name, _, _)| (*name).to_owned()),
            text(&|(_, _, row)| label(row.period)),
            text(&|(_, _, row)| label(row.period + 1)),
            text(&|(_, groups, row)| groups[usize::from(row.from)].clone()),
            text(&|(_, groups, row)| groups[usize::from(row.to)].clone()),
            integers(rows().map(|row| row.customers as i64)),
            sum(&|row| row.revenue[0]),
            sum(&|row| row.revenue[1]),
            sum(&|row| row.profit[0]),
            sum(&|row| row.profit[1]),
        ]
    }

    /// Moves between groups of profit, and between value tiers, sorted by the groups' names.
    fn migrations(&self) -> Vec<(&'static str, Vec<String>, Vec<Move>)> {
        let (ledgers, margins) = (&self.found.ledgers, &self.found.margins);
        let periods = &ledgers.cells.period;
        let kind = self.settings.period;
        let Some(first) = periods.iter().min().filter(|_| kind != PeriodKind::Whole) else { return Vec::new() };
        // In a period that `as_of` cuts, who has not bought yet may still do so; of those before, who did not is idle.
        let last = kind.first_open(ledgers.as_of) - 1;
        let profit: Vec<Minor> =
            margins.economic_profit.iter().zip(&margins.economic.acquisition_cost).map(|(a, b)| a + b).collect();
        let first_cell = &ledgers.facts.first_cell;
        let history = History { first_cell, period: periods, revenue: &margins.net_revenue, profit: &profit };
        let setting = &self.settings.portfolio;
        let names: Vec<String> =
            setting.value_tiers.iter().map(|tier| tier.name.clone()).chain([NOT_YET.to_owned()]).collect();
        let not_yet = setting.value_tiers.len() as u16;
        let by_tier = |profit: &[Option<Minor>]| {
            let here: Vec<Minor> = profit.iter().flatten().copied().collect();
            let mut tier = tiers(&here, &setting.value_tiers, &setting.tiers_by).into_iter();
            profit.iter().map(|profit| profit.and_then(|_| tier.next()).unwrap_or(not_yet)).collect()
        };
        let (by_profit, by_tier) = rayon::join(
            || moves(history, (*first, last), PROFIT_GROUPS.len(), by_profit),
            || moves(history, (*first, last), names.len(), by_tier),
        );
        let mut all =
            vec![("profit", PROFIT_GROUPS.map(str::to_owned).to_vec(), by_profit), ("value_tier", names, by_tier)];
        for (_, groups, moves) in &mut all {
            let name = |group: u16| &groups[usize::from(group)];
            moves.sort_by(|a, b| (a.period, name(a.from), name(a.to)).cmp(&(b.period, name(b.from), name(b.to))));
        }
        all
    }

    pub(super) fn decline_columns(&self) -> Vec<Values> {
        let Some(now) = self.current_year() else {
            return self.decline_columns_of(&[], &(0..0));
        };
        let found = self.declined(&now);
        self.decline_columns_of(&found, &now)
    }

    fn decline_columns_of(&self, found: &[Declined], now: &Range<Period>) -> Vec<Values> {
        let label = |ago: i32| {
            let back = ago * (now.end - now.start);
            let (first, last) = (now.start - back, now.end - 1 - back);
            let label = |period| self.settings.period.label(period);
            if first == last { label(first) } else { format!("{} to {}", label(first), label(last)) }
        };
        let text = |of: &dyn Fn(&Declined) -> String| Values::Text(found.iter().map(|row| Some(of(row))).collect());
        let money = |of: &dyn Fn(&Declined) -> Minor| Values::Scaled(found.iter().map(|row| Some(of(row))).collect());
        vec![
            Values::Ids(found.iter().map(|row| row.customer).collect()),
            text(&|row| label(row.ago)),
            text(&|_| label(0)),
            money(&|row| row.before),
            money(&|row| row.now),
            money(&|row| row.now - row.before),
            money(&|row| row.change.volume),
            money(&|row| row.change.price),
            money(&|row| row.change.product_cost),
            money(&|row| row.change.cost_to_serve),
            money(&|row| row.change.lateness),
            money(&|row| row.change.other),
        ]
    }

    /// Customers who lose money now and earned some in an earlier year.
    fn declined(&self, now: &Range<Period>) -> Vec<Declined> {
        let first_cell = &self.found.ledgers.facts.first_cell;
        let length = now.end - now.start;
        // What began within a year is not beside a whole one.
        let first = self.found.ledgers.cells.period.iter().min().copied().unwrap_or(now.start);
        let is_whole = |ago: i32| now.start - ago * length >= first;
        let customers = 0..self.found.ledgers.customers.len();
        let of = |customer: usize| {
            // Years back from now, the latest first, with what happened in them.
            let mut years: Vec<(i32, Year)> = Vec::new();
            for cell in (first_cell[customer]..first_cell[customer + 1]).rev() {
                let period = self.found.ledgers.cells.period[cell];
                if period >= now.end {
                    continue;
                }
                let ago = (now.end - 1 - period) / length;
                if years.last().is_none_or(|(last, _)| *last != ago) {
                    years.push((ago, Year::default()));
                }
                if let Some((_, year)) = years.last_mut() {
                    self.add(year, cell);
                }
            }
            let (_, latest) = years.first().filter(|(ago, _)| *ago == 0)?;
            let profit = latest.profit().filter(|profit| *profit < 0)?;
            let good = |(ago, year): &&(i32, Year)| is_whole(*ago) && year.profit().is_some_and(|profit| profit > 0);
            let (ago, year) = years[1..].iter().find(good)?;
            let change = change(year, latest)?;
            Some(Declined { customer: customer as u32, ago: *ago, before: year.profit()?, now: profit, change })
        };
        customers.into_par_iter().filter_map(of).collect()
    }

    /// Adds a cell to a customer's year.
    fn add(&self, year: &mut Year, cell: usize) {
        let (cells, margins) = (&self.found.ledgers.cells, &self.found.margins);
        let counted = is_mapped(self.settings, TableName::Transactions, "quantity");
        year.volume += if counted { cells.units[cell] } else { cells.orders[cell] as i64 * QUANTITY_SCALE };
        year.revenue += margins.net_revenue[cell];
        year.product_cost += cells.product_cost[cell] + margins.product_activity_cost[cell];
        year.cost_to_serve += margins.order_cost[cell] + margins.customer_cost[cell] + margins.below_cost[cell];
        year.lateness += margins.economic.capital_charge[cell] + margins.economic.bad_debt[cell];
        year.other += margins.economic.commissions[cell];
    }

    pub(super) fn concentration_columns(&self) -> Vec<Values> {
        let (found, margins) = (self.found, &self.found.margins);
        let sum = |column: &[Minor]| sum_by_customer(&found.ledgers.facts.first_cell, column);
        let mut cost = sum(&margins.order_cost);
        for more in [&margins.customer_cost, &margins.below_cost] {
            cost.iter_mut().zip(sum(more)).for_each(|(cost, more)| *cost += more);
        }
        let columns = [&found.ledgers.facts.net_revenue, &found.economic_profit, &cost];
        let columns = columns.map(|column| Ordered::new(column));
        let everybody = vec![0; cost.len()];
        let all = by_group(&everybody, 1, &columns).into_iter().map(|row| ("all", "all".to_owned(), row));
        let mut rows: Vec<(&str, String, Concentrated)> = all.collect();
        rows.par_extend(found.segmentations.par_iter().flat_map_iter(|(segmentation, _)| {
            let found = by_group(&segmentation.of, segmentation.groups.len(), &columns);
            segmentation.groups.iter().zip(found).map(|(group, row)| (segmentation.name, group.clone(), row))
        }));
        rows.retain(|(_, _, row)| row.customers > 0);
        rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let float =
            |of: &dyn Fn(&Concentrated) -> Option<f64>| Values::Float(rows.iter().map(|(_, _, row)| of(row)).collect());
        let money = |of: &dyn Fn(&Concentrated) -> MinorSum| {
            Values::Sum(rows.iter().map(|(_, _, row)| Some(of(row))).collect())
        };
        let count = |of: &dyn Fn(&Concentrated) -> u64| integers(rows.iter().map(|(_, _, row)| of(row) as i64));
        vec![
            Values::Text(rows.iter().map(|row| Some(row.0.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.1.clone())).collect()),
            count(&|row| row.customers),
            count(&|row| row.profit.losing),
            money(&|row| row.totals[0]),
            money(&|row| row.profit.total),
            money(&|row| row.totals[1]),
            float(&|row| row.profit.peak_share),
            float(&|row| row.profit.gini),
            float(&|row| row.profit.stobachoff),
            float(&|row| row.of_top[0]),
            float(&|row| row.of_top[1]),
            float(&|row| row.of_top[2]),
            float(&|row| row.overlap[0]),
            float(&|row| row.overlap[1]),
            count(&|row| row.carrying),
            float(&|row| Some(row.carrying as f64 / row.customers as f64)),
        ]
    }
}
