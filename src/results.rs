//! The results of a run: forecast, groups and equity on top of profit, and the columns of every dataset.

use std::sync::Arc;

use camino::Utf8Path;
use rayon::prelude::*;
use serde_json::json;

use crate::{
    equity::{self, Distribution, WhaleCurve},
    forecast::{
        contribution::{self, Earned, Rates},
        predict::{self, Expectations, Histories, Models, QUANTILES},
        simulate::{Segmentation, Simulation},
    },
    pipeline::{Clock, Ledgers, RunError, buckets},
    portfolio,
    publish::{
        PublishError,
        dataset::{Values, Writer, Written, digest},
        folder::{MANIFEST, Staging},
    },
    schema::{
        costs::CostTable,
        facts::NO_DAY,
        margins::Margins,
        outputs::{DATASETS, OutputDataset},
        period::{ALL, format_day},
        settings::{ForecastSettings, Method, Settings},
    },
    units::{Minor, MinorSum},
};

/// Everything that a run found out.
pub struct Results {
    ledgers: Ledgers,
    costs: CostTable,
    margins: Margins,
    forecast: Option<Forecast>,
    economic_profit: Vec<Minor>,
    scores: [Vec<u8>; 3],
    tier: Vec<u16>,
    segments: Vec<String>,
    segment: Vec<u16>,
    whale: WhaleCurve,
}

struct Forecast {
    histories: Histories,
    models: Models,
    expectations: Expectations,
    expected: Vec<Minor>,
    simulation: Option<Simulation>,
    /// Row in the histories of each customer.
    row: Vec<Option<u32>>,
}

/// Segments that joint totals are kept for, at most.
const MAX_SEGMENTS: usize = 200;

impl Results {
    /// Forecast, portfolio and equity.
    ///
    /// # Errors
    /// [`RunError::Forecast`], or [`RunError::Contract`] when there are too many segments.
    pub fn new(
        settings: &Settings,
        ledgers: Ledgers,
        costs: CostTable,
        margins: Margins,
        clock: &mut Clock<'_>,
    ) -> Result<Self, RunError> {
        let by_customer = |column: &[Minor]| sum_by_customer(&ledgers.facts.first_cell, column);
        let economic_profit = by_customer(&margins.economic_profit);
        let mut forecast = None;
        if let Some(setting) = &settings.forecast {
            clock.start("forecast", Some(ledgers.customers.len() as u64));
            forecast = Some(expect(settings, setting, &ledgers, &margins)?);
        }
        clock.start("portfolio", None);
        let groups = settings.portfolio.rfm_groups;
        let scores = [
            portfolio::scores(&ledgers.facts.last_purchase, groups),
            portfolio::scores(&ledgers.facts.purchase_days, groups),
            portfolio::scores(&ledgers.facts.net_revenue, groups),
        ];
        let value: Vec<Minor> = match &forecast {
            Some((forecast, _, _)) => {
                forecast.row.iter().map(|row| row.map_or(0, |row| forecast.expected[row as usize])).collect()
            }
            None => economic_profit.clone(),
        };
        let tier = portfolio::tiers(&value, &settings.portfolio.value_tiers);
        let (segments, segment) = segment_numbers(&ledgers)?;
        let forecast = match (forecast, &settings.forecast) {
            (Some((mut forecast, rates, keys)), Some(setting)) if setting.paths > 0 => {
                clock.start("simulate", Some(forecast.histories.customer.len() as u64 * u64::from(setting.paths)));
                let pick = |all: &[u16]| -> Vec<u16> {
                    forecast.histories.customer.iter().map(|row| all[*row as usize]).collect()
                };
                let (tiers, own) = (pick(&tier), pick(&segment));
                let segmentations = [
                    Segmentation { segment: &tiers, segments: settings.portfolio.value_tiers.len() as u16 },
                    Segmentation { segment: &own, segments: segments.len() as u16 },
                ];
                let per_major = settings.currency.minor_per_major();
                forecast.simulation = Some(predict::simulate(
                    &forecast.models,
                    &forecast.histories,
                    &forecast.expectations,
                    &rates,
                    &keys,
                    setting,
                    (settings.seed, per_major),
                    &segmentations,
                )?);
                Some(forecast)
            }
            (forecast, _) => forecast.map(|(forecast, _, _)| forecast),
        };
        clock.start("equity", None);
        let whale = equity::whale_curve(&economic_profit);
        Ok(Self { ledgers, costs, margins, forecast, economic_profit, scores, tier, segments, segment, whale })
    }

    fn labels(&self, settings: &Settings) -> (Vec<u32>, Arc<Vec<String>>) {
        let mut periods = self.ledgers.cells.period.clone();
        periods.sort_unstable();
        periods.dedup();
        let labels = periods.iter().map(|period| settings.period.label(*period)).collect();
        let number = |period: &i32| periods.partition_point(|other| other < period) as u32;
        (self.ledgers.cells.period.iter().map(number).collect(), Arc::new(labels))
    }

    fn profit_columns(&self, settings: &Settings) -> Vec<Values> {
        let (cells, margins) = (&self.ledgers.cells, &self.margins);
        let (period, labels) = self.labels(settings);
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
            money(&margins.capital_charge),
            money(&margins.economic_profit),
            integers(cells.orders.iter().map(|n| *n as i64)),
            integers(cells.lines.iter().map(|n| *n as i64)),
            money(&cells.units),
        ]
    }

    fn profit_total_columns(&self) -> Vec<Values> {
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
            total(&margins.capital_charge),
            total(&margins.economic_profit),
            count(&cells.orders),
            count(&cells.lines),
            total(&cells.units),
        ]
    }

    fn pool_columns(&self, settings: &Settings) -> Vec<Values> {
        let balances = &self.costs.balances;
        let activity = |n: usize| &self.costs.activities[n];
        let text = |of: &dyn Fn(&crate::schema::costs::PoolBalance) -> Option<String>| {
            Values::Text(balances.iter().map(of).collect())
        };
        let money = |of: &dyn Fn(&crate::schema::costs::PoolBalance) -> Minor| {
            Values::Scaled(balances.iter().map(|b| Some(of(b))).collect())
        };
        vec![
            text(&|b| Some(activity(b.activity).name.clone())),
            text(&|b| Some(b.period.map_or_else(|| ALL.to_owned(), |period| settings.period.label(period)))),
            text(&|b| Some(activity(b.activity).setting.level.as_str().to_owned())),
            text(&|b| Some(activity(b.activity).setting.method.as_str().to_owned())),
            text(&|b| match &activity(b.activity).setting.method {
                Method::Driver(name) => Some(name.clone()),
                _ => None,
            }),
            money(&|b| b.cost),
            money(&|b| b.allocated),
            money(&|b| b.unassigned),
            text(&|b| b.reason.map(|reason| reason.as_str().to_owned())),
            integers(balances.iter().map(|b| b.recipients as i64)),
            Values::Sum(balances.iter().map(|b| Some(b.driver_quantity)).collect()),
        ]
    }

    fn value_columns(&self, settings: &Settings) -> Vec<Values> {
        let facts = &self.ledgers.facts;
        let day = |days: &[i32]| Values::Date(days.iter().map(|day| (*day != NO_DAY).then_some(*day)).collect());
        let unit = settings.forecast.as_ref().map_or(7.0, |forecast| forecast.days_per_unit);
        let has = |row: usize| facts.first_purchase[row] != NO_DAY;
        let rows = 0..self.ledgers.customers.len();
        let span = |to: &dyn Fn(usize) -> i32| {
            let length = |row: usize| f64::from(to(row) - facts.first_purchase[row]) / unit;
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
            span(&|_| self.ledgers.as_of),
            Values::Scaled(rows.clone().map(mean_spend).collect()),
        ];
        let forecast = self.forecast.as_ref();
        let at = |row: usize| forecast.and_then(|f| f.row[row].map(|at| (f, at as usize)));
        let float = |of: &dyn Fn(&Forecast, usize) -> Option<f64>| {
            Values::Float(rows.clone().map(|row| at(row).and_then(|(f, at)| of(f, at))).collect())
        };
        let per_major = settings.currency.minor_per_major() as f64;
        let money = |of: &dyn Fn(&Simulation, usize) -> f64| {
            let value = |row: usize| {
                let (f, at) = at(row)?;
                Some((of(f.simulation.as_ref()?, at) * per_major).round_ties_even() as i64)
            };
            Values::Scaled(rows.clone().map(value).collect())
        };
        columns.push(float(&|f, at| Some(f.expectations.p_alive[at])));
        columns.push(float(&|f, at| Some(f.expectations.purchases[at])));
        columns.push(Values::Scaled(rows.clone().map(|row| at(row).map(|(f, at)| f.expected[at])).collect()));
        columns.push(money(&|s, at| s.lifetime[at].mean));
        columns.push(money(&|s, at| s.lifetime[at].sd));
        for quantile in 0..QUANTILES.len() {
            columns.push(money(&|s, at| s.quantiles[at * QUANTILES.len() + quantile]));
        }
        columns.push(float(&|f, at| Some(f.simulation.as_ref()?.lifetime[at].probability_of_loss)));
        columns
    }

    fn segment_columns(&self, settings: &Settings) -> Vec<Values> {
        let tiers: Vec<String> = settings.portfolio.value_tiers.iter().map(|tier| tier.name.clone()).collect();
        let score = |scores: &[u8]| integers(scores.iter().map(|score| i64::from(*score)));
        let segment = self.ledgers.segment.clone().unwrap_or_else(|| vec![None; self.ledgers.customers.len()]);
        vec![
            Values::Ids((0..self.ledgers.customers.len() as u32).collect()),
            score(&self.scores[0]),
            score(&self.scores[1]),
            score(&self.scores[2]),
            Values::Label(self.tier.iter().map(|tier| u32::from(*tier)).collect(), Arc::new(tiers)),
            Values::Text(segment),
        ]
    }

    fn segment_value_columns(&self, settings: &Settings) -> Vec<Values> {
        let tiers: Vec<String> = settings.portfolio.value_tiers.iter().map(|tier| tier.name.clone()).collect();
        let mut rows: Vec<SegmentRow> = Vec::new();
        if self.ledgers.segment.is_some() {
            rows.extend(self.segment_rows("segment", 1, &self.segments, &self.segment));
        }
        rows.extend(self.segment_rows("value_tier", 0, &tiers, &self.tier));
        rows.sort_by(|a, b| (a.segmentation, &a.name).cmp(&(b.segmentation, &b.name)));
        let sum = |of: &dyn Fn(&SegmentRow) -> Option<MinorSum>| Values::Sum(rows.iter().map(of).collect());
        vec![
            Values::Text(rows.iter().map(|row| Some(row.segmentation.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.name.clone())).collect()),
            integers(rows.iter().map(|row| row.customers)),
            sum(&|row| Some(row.net_revenue)),
            sum(&|row| Some(row.cm3)),
            sum(&|row| Some(row.economic_profit)),
            sum(&|row| row.expected),
            sum(&|row| row.total.as_ref().map(|d| d.mean)),
            sum(&|row| row.total.as_ref().map(|d| d.sd)),
            sum(&|row| row.total.as_ref().map(|d| d.quantiles[0])),
            sum(&|row| row.total.as_ref().map(|d| d.quantiles[2])),
            sum(&|row| row.total.as_ref().map(|d| d.quantiles[4])),
        ]
    }

    fn segment_rows(&self, segmentation: &'static str, number: usize, names: &[String], of: &[u16]) -> Vec<SegmentRow> {
        let cm3 = sum_by_customer(&self.ledgers.facts.first_cell, &self.margins.cm3);
        let expected = |row: usize| self.forecast.as_ref().map(|f| f.row[row].map_or(0, |at| f.expected[at as usize]));
        let mut rows: Vec<SegmentRow> = names
            .iter()
            .enumerate()
            .map(|(segment, name)| {
                let paths = self
                    .forecast
                    .as_ref()
                    .and_then(|f| f.simulation.as_ref())
                    .map(|s| s.totals[number].segment(segment));
                SegmentRow {
                    segmentation,
                    name: name.clone(),
                    expected: self.forecast.as_ref().map(|_| 0),
                    total: paths.and_then(|paths| equity::distribution(paths, &QUANTILES)),
                    ..SegmentRow::default()
                }
            })
            .collect();
        for (customer, segment) in of.iter().enumerate() {
            let row = &mut rows[usize::from(*segment)];
            row.customers += 1;
            row.net_revenue += MinorSum::from(self.ledgers.facts.net_revenue[customer]);
            row.cm3 += MinorSum::from(cm3[customer]);
            row.economic_profit += MinorSum::from(self.economic_profit[customer]);
            row.expected = row.expected.zip(expected(customer)).map(|(sum, value)| sum + MinorSum::from(value));
        }
        rows
    }

    fn equity_total(&self) -> Option<Distribution> {
        let simulation = self.forecast.as_ref()?.simulation.as_ref()?;
        equity::distribution(&simulation.totals[0].whole(), &QUANTILES)
    }

    fn expected_total(&self) -> Option<MinorSum> {
        self.forecast.as_ref().map(|forecast| forecast.expected.iter().map(|value| MinorSum::from(*value)).sum())
    }

    fn equity_columns(&self, settings: &Settings) -> Vec<Values> {
        let total = self.equity_total();
        let sum = |column: &[Minor]| Values::Sum(vec![Some(column.iter().map(|value| MinorSum::from(*value)).sum())]);
        let quantile = |n: usize| Values::Sum(vec![total.as_ref().map(|total| total.quantiles[n])]);
        vec![
            Values::Date(vec![Some(self.ledgers.as_of)]),
            integers([self.ledgers.customers.len() as i64].into_iter()),
            integers([self.whale.losing as i64].into_iter()),
            sum(&self.margins.net_revenue),
            sum(&self.margins.cm3),
            sum(&self.margins.economic_profit),
            Values::Sum(vec![Some(self.whale.peak)]),
            integers([self.whale.peak_customers as i64].into_iter()),
            Values::Integer(vec![settings.forecast.as_ref().map(|forecast| i64::from(forecast.horizon_days))]),
            Values::Sum(vec![self.expected_total()]),
            Values::Sum(vec![total.as_ref().map(|total| total.mean)]),
            Values::Sum(vec![total.as_ref().map(|total| total.sd)]),
            quantile(0),
            quantile(2),
            quantile(4),
        ]
    }

    fn whale_columns(&self) -> Vec<Values> {
        let customers = self.ledgers.customers.len().max(1) as f64;
        let points = &self.whale.points;
        let share = |total: MinorSum| (self.whale.total > 0).then(|| total as f64 / self.whale.total as f64);
        vec![
            integers(points.iter().map(|point| point.0 as i64)),
            Values::Float(points.iter().map(|point| Some(point.0 as f64 / customers)).collect()),
            Values::Sum(points.iter().map(|point| Some(point.1)).collect()),
            Values::Float(points.iter().map(|point| share(point.1)).collect()),
        ]
    }

    fn rejected_columns(&self) -> Vec<Values> {
        let rows = &self.ledgers.rejected;
        vec![
            Values::Text(rows.iter().map(|row| Some(row.table.as_str().to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.rule.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.reason.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.cells.clone())).collect()),
            Values::Scaled(rows.iter().map(|row| row.amount).collect()),
        ]
    }

    fn balance_columns(&self) -> Vec<Values> {
        let mut rows: Vec<_> = self
            .ledgers
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
}

fn scaled(column: &[i64]) -> Values {
    Values::Scaled(column.iter().map(|value| Some(*value)).collect())
}

fn integers(values: impl Iterator<Item = i64>) -> Values {
    Values::Integer(values.map(Some).collect())
}

/// Sums of a cell column by customer.
fn sum_by_customer(first_cell: &[usize], column: &[i64]) -> Vec<i64> {
    first_cell.par_windows(2).map(|range| column[range[0]..range[1]].iter().sum()).collect()
}

/// Names and numbers of the customers table's segments; customers without one are in `(none)`.
fn segment_numbers(ledgers: &Ledgers) -> Result<(Vec<String>, Vec<u16>), RunError> {
    let none = "(none)".to_owned();
    let Some(segment) = &ledgers.segment else { return Ok((vec![none], vec![0; ledgers.customers.len()])) };
    let mut names: Vec<String> = segment.iter().map(|name| name.clone().unwrap_or_else(|| none.clone())).collect();
    names.par_sort_unstable();
    names.dedup();
    if names.len() > MAX_SEGMENTS {
        let what =
            format!("customers: `segment` has {} distinct values, at most {MAX_SEGMENTS} are allowed", names.len());
        return Err(crate::contract::ContractError::Setting(what).into());
    }
    let number = |name: &Option<String>| names.partition_point(|other| other < name.as_ref().unwrap_or(&none)) as u16;
    let numbers = segment.par_iter().map(number).collect();
    Ok((names, numbers))
}

/// Histories, fits, closed-form expectations.
fn expect(
    settings: &Settings,
    setting: &ForecastSettings,
    ledgers: &Ledgers,
    margins: &Margins,
) -> Result<(Forecast, Rates, Vec<u64>), RunError> {
    let per_major = settings.currency.minor_per_major() as f64;
    let histories = Histories::new(&ledgers.facts, ledgers.as_of);
    let major = |column: &[Minor]| -> Vec<f64> {
        histories.customer.iter().map(|row| column[*row as usize] as f64 / per_major).collect()
    };
    let first = &ledgers.facts.first_cell;
    let total = |column: &[Minor]| major(&sum_by_customer(first, column));
    let repeat_spend = major(&ledgers.facts.repeat_revenue);
    let (summary, models) = predict::fit(&histories, &repeat_spend, setting.days_per_unit)?;
    let expectations = predict::expectations(&summary, &models, &histories, &repeat_spend, setting)?;
    let customer_cost: Vec<f64> = total(&margins.customer_cost)
        .iter()
        .zip(total(&margins.capital_charge))
        .map(|(cost, charge)| cost + charge)
        .collect();
    let purchases: Vec<f64> =
        histories.customer.iter().map(|row| f64::from(ledgers.facts.purchase_days[*row as usize])).collect();
    let rates = contribution::rates(&Earned {
        purchase_revenue: &major(&ledgers.facts.purchase_revenue),
        cm1: &total(&margins.cm1),
        order_cost: &total(&margins.order_cost),
        customer_cost: &customer_cost,
        purchases: &purchases,
        age: &expectations.age,
    });
    let keys: Vec<u64> = histories.customer.iter().map(|row| ledgers.customers.hash[*row as usize]).collect();
    let expected = predict::expected_values(&models, &histories, &expectations, &rates, &keys)?;
    let expected = expected.iter().map(|value| (value * per_major).round_ties_even() as i64).collect();
    let mut row = vec![None; ledgers.customers.len()];
    for (at, customer) in histories.customer.iter().enumerate() {
        row[*customer as usize] = Some(at as u32);
    }
    Ok((Forecast { histories, models, expectations, expected, simulation: None, row }, rates, keys))
}

fn spec(name: &'static str) -> Result<&'static OutputDataset, PublishError> {
    let unknown = || PublishError::Contract { dataset: name, what: "is not documented".to_owned() };
    DATASETS.iter().find(|dataset| dataset.name == name).ok_or_else(unknown)
}

/// Cells of one `customer_cost` file.
const COST_CELLS: usize = 262_144;

/// Writes every dataset and the manifest, then puts them in place.
///
/// # Errors
/// [`PublishError`].
pub fn publish(settings: &Settings, results: &Results) -> Result<serde_json::Value, PublishError> {
    let staging = Staging::new(Utf8Path::new(&settings.output))?;
    let writer =
        Writer { folder: staging.path(), ids: &results.ledgers.customers.ids, exponent: settings.currency.exponent };
    let mut written: Vec<Written> = vec![
        writer.write(spec("customer_profit")?, &results.profit_columns(settings))?,
        writer.write(spec("customer_profit_total")?, &results.profit_total_columns())?,
        write_costs(&writer, settings, results)?,
        writer.write(spec("pool_balance")?, &results.pool_columns(settings))?,
        writer.write(spec("customer_value")?, &results.value_columns(settings))?,
        writer.write(spec("customer_segment")?, &results.segment_columns(settings))?,
        writer.write(spec("segment_value")?, &results.segment_value_columns(settings))?,
        writer.write(spec("customer_equity")?, &results.equity_columns(settings))?,
        writer.write(spec("whale_curve")?, &results.whale_columns())?,
        writer.write(spec("rejected")?, &results.rejected_columns())?,
        writer.write(spec("input_balance")?, &results.balance_columns())?,
    ];
    written.sort_by_key(|dataset| dataset.dataset);
    let manifest = manifest(settings, results, &written)?;
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    staging.write(MANIFEST, &(text + "\n"))?;
    staging.commit()?;
    Ok(manifest)
}

fn write_costs(writer: &Writer<'_>, settings: &Settings, results: &Results) -> Result<Written, PublishError> {
    let (period, labels) = results.labels(settings);
    let activities: Arc<Vec<String>> = Arc::new(results.costs.activities.iter().map(|a| a.name.clone()).collect());
    let cells = &results.ledgers.cells;
    writer.write_in_parts(spec("customer_cost")?, cells.len().div_ceil(COST_CELLS), |part| {
        let (mut customer, mut periods, mut activity) = (Vec::new(), Vec::new(), Vec::new());
        let (mut quantity, mut amount) = (Vec::new(), Vec::new());
        for cell in part * COST_CELLS..cells.len().min((part + 1) * COST_CELLS) {
            for number in 0..activities.len() {
                let (used, cost) = (results.costs.quantities[number][cell], results.costs.amounts[number][cell]);
                if used != 0 || cost != 0 {
                    customer.push(cells.customer[cell]);
                    periods.push(period[cell]);
                    activity.push(number as u32);
                    quantity.push(Some(used));
                    amount.push(Some(cost));
                }
            }
        }
        vec![
            Values::Ids(customer),
            Values::Label(periods, Arc::clone(&labels)),
            Values::Label(activity, Arc::clone(&activities)),
            Values::Scaled(quantity),
            Values::Scaled(amount),
        ]
    })
}

fn manifest(settings: &Settings, results: &Results, written: &[Written]) -> Result<serde_json::Value, PublishError> {
    let mut inputs = Vec::new();
    for (table, files) in &results.ledgers.files {
        for file in files {
            let (bytes, blake3) = digest(file)?;
            inputs.push(json!({"table": table.as_str(), "file": file.file_name(), "bytes": bytes, "blake3": blake3}));
        }
    }
    let mut hasher = blake3::Hasher::new();
    for file in written.iter().flat_map(|dataset| &dataset.files) {
        hasher.update(file.path.as_bytes());
        hasher.update(file.blake3.as_bytes());
    }
    let fits = results
        .forecast
        .as_ref()
        .map(|forecast| json!({"bg_nbd": forecast.models.bg_nbd, "gamma_gamma": forecast.models.gamma_gamma}));
    let sum = |of: &dyn Fn(&crate::schema::costs::PoolBalance) -> Minor| -> String {
        results.costs.balances.iter().map(|b| MinorSum::from(of(b))).sum::<MinorSum>().to_string()
    };
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "name": settings.name,
        "as_of": format_day(results.ledgers.as_of),
        "currency": settings.currency,
        "seed": settings.seed,
        "inputs": inputs,
        "balances": results.ledgers.balances.iter().map(|(table, balance)| (table.as_str().to_owned(), json!(balance))).collect::<serde_json::Map<_, _>>(),
        "pools": {"cost": sum(&|b| b.cost), "allocated": sum(&|b| b.allocated), "unassigned": sum(&|b| b.unassigned), "unit": "minor"},
        "fits": fits,
        "outputs": written,
        "result_digest": hasher.finalize().to_hex().to_string(),
    }))
}
