//! The results as columns of the output datasets, in the order of [`outputs`](crate::schema::outputs).

use std::sync::Arc;

use rayon::prelude::*;

use super::{
    comparison::score_columns,
    foretold::{Foretold, Valuation},
    results::{Results, TIERS, sum_by_customer},
    worlds::World,
};
use crate::{
    equity::{self, Distribution},
    forecast::{
        predict::WORST_ONE_IN,
        purchase_model::PurchaseModel,
        simulate::{Lifetime, Simulation},
    },
    potential,
    publish::dataset::Values,
    schema::{
        contract::{Bucket, InputBalance},
        equity::Drivers,
        facts::NO_DAY,
        period::Period,
        portfolio::PortfolioGroup,
        segmentation::Segmentation,
        settings::Settings,
    },
    units::{Minor, MinorSum},
};

impl World<'_> {
    pub(super) fn value_columns(&self) -> Vec<Values> {
        let facts = &self.found.ledgers.facts;
        let day = |days: &[i32]| Values::Date(days.iter().map(|day| (*day != NO_DAY).then_some(*day)).collect());
        let unit = self.settings.forecast.as_ref().map_or(7.0, |forecast| forecast.days_per_unit);
        let has = |row: usize| facts.first_purchase[row] != NO_DAY;
        let rows = 0..self.found.ledgers.customers.len();
        let span = |to: &dyn Fn(usize) -> i32| {
            let length = |row: usize| (i64::from(to(row)) - i64::from(facts.first_purchase[row])) as f64 / unit;
            Values::Float(rows.clone().map(|row| has(row).then(|| length(row))).collect())
        };
        let mean_spend = |row: usize| {
            let x = i128::from(facts.purchase_days[row].saturating_sub(1));
            (x > 0).then(|| crate::numeric::decimal::divide_half_even(i128::from(facts.repeat_revenue[row]), x) as i64)
        };
        let frequency = |row: usize| has(row).then(|| i64::from(facts.purchase_days[row].saturating_sub(1)));
        let mut columns = vec![
            Values::Ids(rows.clone().map(|row| row as u32).collect()),
            day(&facts.first_purchase),
            day(&facts.last_purchase),
            Values::Integer(rows.clone().map(frequency).collect()),
            span(&|row| facts.last_purchase[row]),
            span(&|_| self.found.ledgers.as_of),
            Values::Scaled(rows.clone().map(mean_spend).collect()),
        ];
        columns.extend(self.past_value_columns());
        let both = self.forecast.zip(self.found.value.as_ref());
        let at = |row: usize| both.and_then(|(f, value)| f.row(row).map(|at| (f, value, at)));
        let float = |of: &dyn Fn(&Foretold, &Valuation, usize) -> Option<f64>| {
            Values::Float(rows.clone().map(|row| at(row).and_then(|(f, value, at)| of(f, value, at))).collect())
        };
        let per_major = self.settings.currency.minor_per_major() as f64;
        let money = |of: &dyn Fn(&Simulation, usize) -> f64| {
            let value = |row: usize| {
                let (_, value, at) = at(row)?;
                Some((of(value.simulation.as_ref()?, at) * per_major).round_ties_even() as i64)
            };
            Values::Scaled(rows.clone().map(value).collect())
        };
        columns.push(float(&|f, _, at| Some(f.p_alive(at))));
        columns.push(float(&|f, _, at| Some(f.purchases(at))));
        columns.push(float(&|f, _, at| Some(f.discounted_purchases(at))));
        columns.push(float(&|f, _, at| f.purchases_for_ever(at)));
        columns.push(float(&|f, _, at| Some(f.p_alive_at_horizon(at))));
        columns.push(float(&|f, value, at| f.next_purchase(value, at).map(|(probability, _)| probability)));
        columns.push(float(&|f, value, at| Some(f.next_purchase(value, at)?.1? * unit)));
        columns
            .push(Values::Scaled(rows.clone().map(|row| at(row).map(|(_, value, at)| value.expected[at])).collect()));
        let drivers = both.and_then(|(f, value)| f.of_purchases(value)).map(|(f, rates)| f.drivers(rates));
        let driver = |of: fn(&Drivers) -> f64| float(&|_, _, at| drivers.as_ref().map(|drivers| of(&drivers[at])));
        let known = both.and_then(|(f, value)| f.of_purchases(value)).and_then(|(f, _)| f.known().ok());
        columns.push(float(&|_, _, at| known.as_ref().map(|known| known[at].rate_now)));
        columns.push(driver(|drivers| drivers.spend));
        columns.push(driver(|drivers| drivers.margin_rate));
        columns.push(driver(|drivers| drivers.order_cost));
        columns.push(driver(|drivers| drivers.sustaining_rate));
        columns.push(driver(|drivers| drivers.lifetime));
        columns.push(money(&|s, at| s.lifetime[at].mean));
        columns.push(money(&|s, at| s.lifetime[at].mean_error));
        columns.push(money(&|s, at| s.lifetime[at].sd));
        let width = self.settings.quantiles().len();
        for quantile in 0..width {
            columns.push(money(&|s, at| s.quantiles[at * width + quantile]));
        }
        columns.push(money(&|s, at| s.lifetime[at].shortfall));
        columns.push(float(&|_, value, at| Some(value.simulation.as_ref()?.lifetime[at].probability_of_loss)));
        columns.extend(self.potential_columns());
        columns
    }

    /// The four potentials, their parts and ranks.
    fn potential_columns(&self) -> Vec<Values> {
        let (found, rows) = (&self.found.potentials, self.found.ledgers.customers.len());
        let money = |column: Option<&[Minor]>| column.map_or_else(|| Values::Scaled(vec![None; rows]), scaled);
        let rank = |column: Option<&[Minor]>| match column {
            None => Values::Integer(vec![None; rows]),
            Some(column) => integers(potential::ranks(column).into_iter().map(i64::from)),
        };
        let (growth, networking) = (found.growth.as_ref(), found.networking.as_ref());
        let wallet = growth.and_then(|growth| growth.wallet.clone()).unwrap_or_else(|| vec![None; rows]);
        let four = [Some(found.base.as_slice()), found.growth(), found.networking(), found.learning.as_deref()];
        let total = found.total.as_deref();
        let mut columns = vec![
            money(four[0]),
            money(four[1]),
            money(growth.and_then(|growth| growth.pipeline.as_deref())),
            Values::Scaled(wallet),
            money(four[2]),
            money(networking.map(|networking| networking.new.as_slice())),
            money(networking.and_then(|networking| networking.saved.as_deref())),
            money(networking.map(|networking| networking.given.as_slice())),
            money(four[3]),
            money(total),
        ];
        columns.extend(four.into_iter().chain([total]).map(rank));
        columns
    }

    /// What customers have been worth so far, and in the last whole year.
    fn past_value_columns(&self) -> [Values; 4] {
        let first_cell = &self.found.ledgers.facts.first_cell;
        let acquisition_cost = sum_by_customer(first_cell, &self.found.margins.economic.acquisition_cost);
        let before = self.found.economic_profit.iter().zip(&acquisition_cost).map(|(profit, cost)| Some(profit + cost));
        let before = Values::Scaled(before.collect());
        let current = match self.settings.period.last_year(self.found.ledgers.as_of) {
            Some(year) => {
                let cells = self.found.ledgers.cells.period.iter().zip(&self.found.margins.economic_profit);
                let within: Vec<Minor> =
                    cells.map(|(period, profit)| if year.contains(period) { *profit } else { 0 }).collect();
                scaled(&sum_by_customer(first_cell, &within))
            }
            None => Values::Scaled(vec![None; self.found.ledgers.customers.len()]),
        };
        [scaled(&self.found.economic_profit), scaled(&acquisition_cost), before, current]
    }

    /// Scores, tier, segment, portfolio analysis, roles and the user's own groups.
    pub(super) fn segment_columns(&self) -> Vec<Values> {
        let mut columns = self.score_columns();
        columns.extend(self.portfolio_columns());
        columns.extend(["cluster", "user_segment"].map(|name| self.group_column(name)));
        columns
    }

    /// The group of every customer in a segmentation; null where there is none of the name.
    fn group_column(&self, name: &str) -> Values {
        let found = self.found.segmentations.iter().find(|(segmentation, _)| segmentation.name == name);
        match found {
            Some((segmentation, _)) => Values::Label(segmentation.of.clone(), Arc::new(segmentation.groups.clone())),
            None => Values::Text(vec![None; self.found.ledgers.customers.len()]),
        }
    }

    pub(super) fn score_columns(&self) -> Vec<Values> {
        let tiers: Vec<String> = self.settings.portfolio.value_tiers.iter().map(|tier| tier.name.clone()).collect();
        let score = |scores: &[u8]| integers(scores.iter().map(|score| i64::from(*score)));
        let segment = self.found.ledgers.segment.as_deref().cloned();
        let segment = segment.unwrap_or_else(|| vec![None; self.found.ledgers.customers.len()]);
        vec![
            Values::Ids((0..self.found.ledgers.customers.len() as u32).collect()),
            score(&self.found.scores[0]),
            score(&self.found.scores[1]),
            score(&self.found.scores[2]),
            Values::Label(self.found.tier.iter().map(|tier| u32::from(*tier)).collect(), Arc::new(tiers)),
            Values::Text(segment),
        ]
    }

    pub(super) fn portfolio_columns(&self) -> Vec<Values> {
        let (found, rows) = (&self.found.portfolio, self.found.ledgers.customers.len());
        let roles = &found.roles;
        let switch = |role: Option<&Vec<bool>>| match role {
            Some(role) => Values::Switch(role.iter().map(|has| Some(*has)).collect()),
            None => Values::Switch(vec![None; rows]),
        };
        let group = match &found.group {
            Some(group) => {
                let names = PortfolioGroup::ALL.map(|group| group.as_str().to_owned()).to_vec();
                Values::Label(group.iter().map(|group| *group as u32).collect(), Arc::new(names))
            }
            None => Values::Text(vec![None; rows]),
        };
        let way = |best: &Option<(u16, Minor)>| best.map(|(way, _)| found.ways[usize::from(way)].clone());
        let influence = roles.influence.as_ref();
        let score = roles.inspiration_score.as_ref();
        let above = self.settings.portfolio.analysis.present_above;
        vec![
            self.group_column("rfm_cell"),
            group,
            scaled(&found.present),
            Values::Text(found.best_way.iter().map(way).collect()),
            Values::Scaled(found.best_way.iter().map(|best| best.map(|(_, profit)| profit)).collect()),
            switch(roles.high_lifetime_value.as_ref()),
            switch(roles.benchmark.as_ref()),
            influence.map_or_else(|| Values::Scaled(vec![None; rows]), |influence| scaled(influence)),
            switch(roles.inspiration.as_ref()),
            Values::Float((0..rows).map(|row| score.map(|score| score[row])).collect()),
            switch(Some(&roles.cost_magnet)),
            Values::Float(roles.fixed_cost_ratio.iter().map(|ratio| ratio.filter(|ratio| ratio.is_finite())).collect()),
            Values::Switch((0..rows).map(|row| Some(found.is_protected(row, above))).collect()),
        ]
    }

    pub(super) fn segment_value_columns(&self) -> Vec<Values> {
        let cm3 = sum_by_customer(&self.found.ledgers.facts.first_cell, &self.found.margins.cm3);
        let expected = self.expected_by_customer();
        let segmentations = &self.found.segmentations;
        let mut rows: Vec<SegmentRow> = segmentations
            .par_iter()
            .flat_map_iter(|(segmentation, place)| self.segment_rows(segmentation, *place, &cm3, expected.as_deref()))
            .collect();
        rows.sort_by(|a, b| (a.segmentation, &a.name).cmp(&(b.segmentation, &b.name)));
        let sum = |of: &dyn Fn(&SegmentRow) -> Option<MinorSum>| Values::Sum(rows.iter().map(of).collect());
        let mut columns = vec![
            Values::Text(rows.iter().map(|row| Some(row.segmentation.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.name.clone())).collect()),
            integers(rows.iter().map(|row| row.customers)),
            sum(&|row| Some(row.net_revenue)),
            sum(&|row| Some(row.cm3)),
            sum(&|row| Some(row.economic_profit)),
            sum(&|row| row.expected),
            sum(&|row| row.total.as_ref().map(|d| d.mean)),
            sum(&|row| row.error),
            sum(&|row| row.total.as_ref().map(|d| d.sd)),
        ];
        let quantile = |n: usize| sum(&|row| row.total.as_ref().map(|d| d.quantiles[n]));
        columns.extend((0..self.settings.quantiles().len()).map(quantile));
        columns.push(sum(&|row| row.total.as_ref().map(|d| d.shortfall)));
        columns
    }

    fn segment_rows(
        &self,
        segmentation: &Segmentation,
        place: Option<usize>,
        cm3: &[Minor],
        expected: Option<&[Minor]>,
    ) -> Vec<SegmentRow> {
        let levels = self.settings.levels();
        let mut rows: Vec<SegmentRow> = segmentation
            .groups
            .iter()
            .enumerate()
            .map(|(segment, name)| {
                let simulation = self.simulation();
                let paths = simulation.zip(place).map(|(simulation, place)| simulation.totals[place].segment(segment));
                let error =
                    simulation.zip(paths).and_then(|(simulation, paths)| equity::mean_error(paths, simulation.draws));
                SegmentRow {
                    segmentation: segmentation.name,
                    name: name.clone(),
                    expected: expected.map(|_| 0),
                    error,
                    total: paths.and_then(|paths| equity::distribution(paths, &levels, WORST_ONE_IN)),
                    ..SegmentRow::default()
                }
            })
            .collect();
        for (customer, segment) in segmentation.of.iter().enumerate() {
            let row = &mut rows[*segment as usize];
            row.customers += 1;
            row.net_revenue += MinorSum::from(self.found.ledgers.facts.net_revenue[customer]);
            row.cm3 += MinorSum::from(cm3[customer]);
            row.economic_profit += MinorSum::from(self.found.economic_profit[customer]);
            row.expected = row.expected.zip(expected).map(|(sum, values)| sum + MinorSum::from(values[customer]));
        }
        rows
    }

    /// Simulated lifetime values and joint totals.
    pub(super) fn simulation(&self) -> Option<&Simulation> {
        self.found.value.as_ref()?.simulation.as_ref()
    }

    /// Expected lifetime value of every customer.
    pub(super) fn expected_by_customer(&self) -> Option<Vec<Minor>> {
        let (forecast, value) = self.forecast.zip(self.found.value.as_ref())?;
        Some(forecast.by_customer(&value.expected))
    }

    /// Mean simulated lifetime value of every customer.
    pub(super) fn simulated_by_customer(&self) -> Option<Vec<Minor>> {
        let (forecast, simulation) = self.forecast.zip(self.simulation())?;
        let per_major = self.settings.currency.minor_per_major() as f64;
        let minor = |lifetime: &Lifetime| (lifetime.mean * per_major).round_ties_even() as Minor;
        Some(forecast.by_customer(&simulation.lifetime.iter().map(minor).collect::<Vec<_>>()))
    }

    /// Distribution of the simulated customer equity.
    pub(super) fn equity_total(&self) -> Option<Distribution> {
        equity::distribution(&self.simulation()?.totals[TIERS].whole(), &self.settings.levels(), WORST_ONE_IN)
    }

    /// Monte Carlo standard error of its mean.
    fn equity_error(&self) -> Option<MinorSum> {
        let simulation = self.simulation()?;
        equity::mean_error(&simulation.totals[TIERS].whole(), simulation.draws)
    }

    /// Sum of the expected lifetime values.
    pub(super) fn expected_total(&self) -> Option<MinorSum> {
        self.found.value.as_ref().map(|value| value.expected.iter().map(|value| MinorSum::from(*value)).sum())
    }

    pub(super) fn equity_columns(&self) -> Vec<Values> {
        let total = self.equity_total();
        let sum = |column: &[Minor]| Values::Sum(vec![Some(column.iter().map(|value| MinorSum::from(*value)).sum())]);
        let quantile = |n: usize| Values::Sum(vec![total.as_ref().map(|total| total.quantiles[n])]);
        let mut columns = vec![
            Values::Date(vec![Some(self.found.ledgers.as_of)]),
            integers([self.found.ledgers.customers.len() as i64].into_iter()),
            integers([self.found.whale.losing as i64].into_iter()),
            sum(&self.found.margins.net_revenue),
            sum(&self.found.margins.cm3),
            sum(&self.found.margins.economic_profit),
            Values::Sum(vec![Some(self.found.whale.peak)]),
            integers([self.found.whale.peak_customers as i64].into_iter()),
            Values::Integer(vec![self.settings.forecast.as_ref().map(|forecast| i64::from(forecast.horizon_days))]),
            Values::Sum(vec![self.expected_total()]),
            Values::Sum(vec![total.as_ref().map(|total| total.mean)]),
            Values::Sum(vec![self.equity_error()]),
            Values::Sum(vec![total.as_ref().map(|total| total.sd)]),
        ];
        columns.extend((0..self.settings.quantiles().len()).map(quantile));
        columns.push(Values::Sum(vec![total.as_ref().map(|total| total.shortfall)]));
        columns.extend(self.plan_total_columns());
        columns
    }

    pub(super) fn whale_columns(&self) -> Vec<Values> {
        let customers = self.found.ledgers.customers.len().max(1) as f64;
        let points = &self.found.whale.points;
        let share =
            |total: MinorSum| (self.found.whale.total > 0).then(|| total as f64 / self.found.whale.total as f64);
        vec![
            integers(points.iter().map(|point| point.0 as i64)),
            Values::Float(points.iter().map(|point| Some(point.0 as f64 / customers)).collect()),
            Values::Sum(points.iter().map(|point| Some(point.1)).collect()),
            Values::Float(points.iter().map(|point| share(point.1)).collect()),
        ]
    }
}

impl Results {
    pub(super) fn rejected_columns(&self) -> Vec<Values> {
        let rows = &self.audit.rejected;
        vec![
            Values::Text(rows.iter().map(|row| Some(row.table.as_str().to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.rule.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.reason.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.cells.clone())).collect()),
            Values::Scaled(rows.iter().map(|row| row.amount).collect()),
        ]
    }

    pub(super) fn comparison_columns(&self) -> Vec<Values> {
        match &self.forecast {
            Some(forecast) => forecast.comparison_columns(),
            None => score_columns::<PurchaseModel>(&[], None, None),
        }
    }

    pub(super) fn balance_columns(&self) -> Vec<Values> {
        let mut rows: Vec<_> = self
            .audit
            .balances
            .iter()
            .flat_map(|(table, balance)| {
                buckets(balance).into_iter().map(move |(bucket, rule, sum)| (table.as_str(), bucket, rule, sum))
            })
            .collect();
        rows.sort_by_key(|row| (row.0, row.1, row.2));
        vec![
            Values::Text(rows.iter().map(|row| Some(row.0.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.1.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.2.to_owned())).collect()),
            integers(rows.iter().map(|row| row.3.rows as i64)),
            Values::Sum(rows.iter().map(|row| Some(row.3.amount)).collect()),
        ]
    }
}

/// Numbers of the cells' labels, and the labels.
pub(super) fn labels(of: &[Period], settings: &Settings) -> (Vec<u32>, Arc<Vec<String>>) {
    let (numbers, periods) = numbered(of);
    (numbers, Arc::new(periods.iter().map(|period| settings.period.label(*period)).collect()))
}

/// The place of each cell's period among all of them, in order.
pub(super) fn numbered(of: &[Period]) -> (Vec<u32>, Vec<Period>) {
    let mut periods = of.to_vec();
    periods.par_sort_unstable();
    periods.dedup();
    let number = |period: &Period| periods.partition_point(|other| other < period) as u32;
    (of.par_iter().map(number).collect(), periods)
}

#[derive(Default)]
struct SegmentRow {
    segmentation: &'static str,
    name: String,
    customers: i64,
    net_revenue: MinorSum,
    cm3: MinorSum,
    economic_profit: MinorSum,
    expected: Option<MinorSum>,
    total: Option<Distribution>,
    /// Monte Carlo standard error of its mean.
    error: Option<MinorSum>,
}

pub(super) fn scaled(column: &[i64]) -> Values {
    Values::Scaled(column.iter().map(|value| Some(*value)).collect())
}

pub(super) fn integers(values: impl Iterator<Item = i64>) -> Values {
    Values::Integer(values.map(Some).collect())
}
/// Buckets of a balance, in the order of the outputs.
fn buckets(balance: &InputBalance) -> Vec<(&'static str, &'static str, Bucket)> {
    let mut rows =
        vec![("accepted", "", balance.accepted), ("input", "", balance.input), ("rejected", "", balance.rejected)];
    rows.extend(balance.rules.iter().map(|(rule, (_, bucket))| ("rule", *rule, *bucket)));
    rows.push(("unassigned", "", balance.unassigned));
    rows
}
