//! The results as columns of the output datasets, in the order of [`outputs`](crate::schema::outputs).

use std::{borrow::Cow, sync::Arc};

use rayon::prelude::*;

use super::{
    comparison::score_columns,
    results::{Results, TIERS, sum_by_customer},
    worlds::World,
};
use crate::{
    equity::{self, Distribution},
    forecast::{
        observed::Outcome,
        predict::WORST_ONE_IN,
        purchase_model::PurchaseModel,
        simulate::{Lifetime, Simulation},
    },
    publish::dataset::Values,
    report::page::suppress::{coarse, tells_part, tells_peak},
    schema::{
        contract::{Bucket, InputBalance},
        period::Period,
        segmentation::Segmentation,
        settings::Settings,
    },
    units::{Minor, MinorSum},
};

impl World<'_> {
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
        let (losing, peak) = (self.losing(), self.peak());
        let sum = |column: &[Minor]| Values::Sum(vec![Some(column.iter().map(|value| MinorSum::from(*value)).sum())]);
        let quantile = |n: usize| Values::Sum(vec![total.as_ref().map(|total| total.quantiles[n])]);
        let mut columns = vec![
            Values::Date(vec![Some(self.found.ledgers.as_of)]),
            integers([self.found.ledgers.customers.len() as i64].into_iter()),
            Values::Integer(vec![losing.map(|losing| losing as i64)]),
            sum(&self.found.margins.net_revenue),
            sum(&self.found.margins.cm3),
            sum(&self.found.margins.economic_profit),
            Values::Sum(vec![peak.map(|(_, profit)| profit)]),
            Values::Integer(vec![peak.map(|(customers, _)| customers as i64)]),
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

    /// Customers that lose money; `None` where they, or the others, are too few to be told.
    pub(super) fn losing(&self) -> Option<u64> {
        let (losing, customers) = (self.found.whale.losing, self.found.ledgers.customers.len() as u64);
        tells_part(losing, customers, self.settings.suppress).then_some(losing)
    }

    /// Customers up to the peak of the whale curve and their profit; `None` where they, those after them or those that lose money are
    /// too few to be told: with the total profit it tells what is lost.
    pub(super) fn peak(&self) -> Option<(u64, MinorSum)> {
        let (whale, customers) = (&self.found.whale, self.found.ledgers.customers.len() as u64);
        tells_peak(customers, whale.peak_customers, whale.losing, self.settings.suppress)
            .then_some((whale.peak_customers, whale.peak))
    }

    /// Points of the whale curve, without those that would tell of a few customers, as far as the config wants it.
    pub(super) fn whale_points(&self) -> Cow<'_, [(u64, MinorSum)]> {
        match self.settings.suppress {
            1 => self.found.whale.points.as_slice().into(),
            smallest => coarse(&self.found.whale.points, smallest).into(),
        }
    }

    pub(super) fn whale_columns(&self) -> Vec<Values> {
        let customers = self.found.ledgers.customers.len().max(1) as f64;
        let points = self.whale_points();
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

/// Amounts from here on have more digits than a column of money.
const MOST_OF_A_COLUMN: u64 = 10_u64.pow(18);

impl Results {
    pub(super) fn rejected_columns(&self) -> Vec<Values> {
        let rows = &self.audit.rejected;
        vec![
            Values::Text(rows.iter().map(|row| Some(row.table.as_str().to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.rule.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.reason.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.cells.clone())).collect()),
            // An amount that no column of money holds is in the cells alone: a row that is refused stops no run.
            Values::Scaled(
                rows.iter().map(|row| row.amount.filter(|amount| amount.unsigned_abs() < MOST_OF_A_COLUMN)).collect(),
            ),
        ]
    }

    pub(super) fn comparison_columns(&self) -> Vec<Values> {
        match &self.forecast {
            Some(forecast) => forecast.comparison_columns(),
            None => score_columns::<PurchaseModel, Outcome>(&[], None, None),
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
