//! The tables of one row a customer, and their truth: who they are, what they used, owe and truly cost.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray};
use arrow_schema::DataType;
use camino::Utf8Path;
use rayon::prelude::*;

use super::catalogue::Catalogue;
use super::company::{REGIONS, SPAN_DAYS, SPEND_SHAPE, START};
use super::costs::{ACTIVITIES, Driver, LedgerUse, Services, Used, cost_to_serve};
use super::error::GenerateError;
use super::lines::{OrderKey, Splitter};
use super::process::{Customer, Order, Process, referral_stream, service_stream};
use super::survey::{CHUNK, Survey, Visit, chunks};
use super::tables::{MONEY, QUANTITY, ROW_GROUP, decimals, schema, write_whole};
use crate::numeric::distributions::standard_exponential;

/// Share of customers that another customer recommended.
const REFERRAL_SHARE: f64 = 0.15;
/// Weeks of the forecast in `truth`.
pub(super) const HORIZON_WEEKS: f64 = 52.0;
/// Chunks of customers in one file.
const CHUNKS_PER_PART: u64 = ROW_GROUP as u64 / CHUNK;

/// One customer with everything that is true of it.
struct Row {
    customer: Customer,
    services: Services,
    dropped: Option<f64>,
    /// Unpaid at the end, in cents.
    balance: u64,
    /// Index of the customer that recommended this one.
    referrer: Option<u64>,
}

impl Row {
    fn id(&self) -> i64 {
        self.customer.index as i64 + 1
    }

    fn acquired(&self) -> i32 {
        START + self.customer.acquired as i32
    }

    /// Expected purchases of the next [`HORIZON_WEEKS`]: `(1 − e^{−λpt})/p` while alive, else 0.
    ///
    /// Source: Fader, Hardie & Lee (2005), equation 8.
    fn expected_purchases(&self) -> f64 {
        let Customer { rate_per_week, dropout, .. } = self.customer;
        if self.dropped.is_some() {
            0.0
        } else if dropout > 0.0 {
            -libm::expm1(-rate_per_week * dropout * HORIZON_WEEKS) / dropout
        } else {
            rate_per_week * HORIZON_WEEKS
        }
    }
}

/// What the pass over all customers has found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CustomerTotals {
    pub(super) used: Used,
    pub(super) alive: u64,
    pub(super) files: usize,
}

/// The folders that this pass writes into.
pub(super) const FOLDERS: [&str; 5] = ["customers", "driver_quantities", "receivables", "referrals", "truth"];

/// Writes one file of one table.
type WritePart = fn(&Process<'_>, &[Row], &Utf8Path, usize) -> Result<(), GenerateError>;

/// The writers of [`FOLDERS`].
const TABLES: [WritePart; FOLDERS.len()] =
    [write_customers, write_driver_quantities, write_receivables, write_referrals, write_truth];

/// Writes [`FOLDERS`] within `dir`; `progress` is told the customers written so far.
pub(super) fn write(
    process: &Process<'_>,
    survey: &Survey,
    catalogue: &Catalogue,
    dir: &Utf8Path,
    progress: &dyn Fn(u64),
) -> Result<CustomerTotals, GenerateError> {
    let mut totals = CustomerTotals::default();
    let chunks = chunks(process);
    for (part, first) in (0..chunks).step_by(CHUNKS_PER_PART as usize).enumerate() {
        let range = first..(first + CHUNKS_PER_PART).min(chunks);
        let rows = rows(process, survey, catalogue, range);
        for row in &rows {
            totals.used.insert(&row.services);
            totals.alive += u64::from(row.dropped.is_none());
        }
        TABLES.par_iter().try_for_each(|write| write(process, &rows, dir, part))?;
        totals.files += FOLDERS.len();
        progress((first * CHUNK + rows.len() as u64).min(survey.customers));
    }
    Ok(totals)
}

/// The customers of some chunks, in order of their index.
fn rows(process: &Process<'_>, survey: &Survey, catalogue: &Catalogue, range: Range<u64>) -> Vec<Row> {
    range
        .into_par_iter()
        .flat_map_iter(|chunk| {
            let mut splitter = Splitter::new(process.company.scenario.seed, catalogue);
            let mut rows = Vec::with_capacity(CHUNK as usize);
            let mut ledger = LedgerUse::default();
            // Time of each order of the customer at hand, and its cents less discount and refund.
            let mut orders: Vec<(f64, u64)> = Vec::new();
            survey.visit(process, chunk, |visit| match visit {
                Visit::Order { customer, order, place } => {
                    let key = OrderKey::new(customer, order, place.lines());
                    let net = net_cents(&mut splitter, order, &key);
                    ledger.orders += 1;
                    ledger.returns += u64::from(order.returned.is_finite());
                    ledger.lines += key.lines;
                    ledger.net_revenue += net;
                    orders.push((order.time, net));
                }
                Visit::End { customer, dropped } => {
                    rows.push(row(process, *customer, std::mem::take(&mut ledger), &orders, dropped));
                    orders.clear();
                }
            });
            rows
        })
        .collect()
}

/// An order's total less its discounts and what came back, `>= 0`.
fn net_cents(splitter: &mut Splitter<'_>, order: &Order, key: &OrderKey) -> u64 {
    let mut net = key.cents;
    if order.promotion > 0 {
        net -= splitter.split(key).iter().map(|line| line.discount as u64).sum::<u64>();
    }
    if order.returned.is_finite() {
        net -= splitter.returned(key).cents.unsigned_abs();
    }
    net
}

fn row(
    process: &Process<'_>,
    customer: Customer,
    ledger: LedgerUse,
    orders: &[(f64, u64)],
    dropped: Option<f64>,
) -> Row {
    let seed = process.company.scenario.seed;
    let channel = &process.company.channels[customer.channel];
    let mut stream = service_stream(seed, customer.index);
    let services = Services::draw(&customer, channel, ledger, &mut stream);
    let mut balance = 0;
    for (time, cents) in orders {
        let paid = time + channel.days_to_pay * standard_exponential(&mut stream);
        if paid > SPAN_DAYS as f64 {
            balance += cents;
        }
    }
    Row { customer, services, dropped, balance, referrer: referrer(seed, customer.index) }
}

/// The earlier customer that recommended customer `index`, if any did: each earlier one with equal probability.
fn referrer(seed: u64, index: u64) -> Option<u64> {
    let mut stream = referral_stream(seed, index);
    (index > 0 && stream.uniform() < REFERRAL_SHARE).then(|| stream.below(index))
}

fn ids(rows: &[Row]) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.iter().map(Row::id)))
}

fn channels(process: &Process<'_>, rows: &[Row]) -> ArrayRef {
    let names = rows.iter().map(|row| process.company.channels[row.customer.channel].name);
    Arc::new(StringArray::from_iter_values(names))
}

fn numbers(rows: &[Row], value: impl Fn(&Row) -> f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(rows.iter().map(value)))
}

fn write_customers(process: &Process<'_>, rows: &[Row], dir: &Utf8Path, part: usize) -> Result<(), GenerateError> {
    let schema = schema(&[
        ("customer_id", DataType::Int64),
        ("channel", DataType::Utf8),
        ("region", DataType::Utf8),
        ("acquired", DataType::Date32),
    ]);
    let regions = rows.iter().map(|row| REGIONS[row.customer.region].0);
    let columns: Vec<ArrayRef> = vec![
        ids(rows),
        channels(process, rows),
        Arc::new(StringArray::from_iter_values(regions)),
        Arc::new(Date32Array::from_iter_values(rows.iter().map(Row::acquired))),
    ];
    write_whole(&dir.join("customers"), part, &schema, &["customer_id"], columns)
}

fn write_driver_quantities(_: &Process<'_>, rows: &[Row], dir: &Utf8Path, part: usize) -> Result<(), GenerateError> {
    let schema = schema(&[("customer_id", DataType::Int64), ("driver", DataType::Utf8), ("quantity", QUANTITY)]);
    let (mut customers, mut drivers, mut quantities) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        for activity in &ACTIVITIES {
            let quantity = activity.quantity(&row.services);
            if let Driver::Table(driver) = activity.driver
                && quantity > 0
            {
                customers.push(row.id());
                drivers.push(driver);
                quantities.push(quantity);
            }
        }
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(customers)),
        Arc::new(StringArray::from(drivers)),
        decimals(&QUANTITY, quantities),
    ];
    write_whole(&dir.join("driver_quantities"), part, &schema, &["customer_id"], columns)
}

fn write_receivables(_: &Process<'_>, rows: &[Row], dir: &Utf8Path, part: usize) -> Result<(), GenerateError> {
    let schema = schema(&[("customer_id", DataType::Int64), ("balance", MONEY)]);
    let owing = || rows.iter().filter(|row| row.balance > 0);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(owing().map(Row::id))),
        decimals(&MONEY, owing().map(|row| row.balance as i64)),
    ];
    write_whole(&dir.join("receivables"), part, &schema, &["customer_id", "balance"], columns)
}

fn write_referrals(_: &Process<'_>, rows: &[Row], dir: &Utf8Path, part: usize) -> Result<(), GenerateError> {
    let schema =
        schema(&[("referrer_id", DataType::Int64), ("referred_id", DataType::Int64), ("date", DataType::Date32)]);
    let referred = || rows.iter().filter_map(|row| row.referrer.map(|referrer| (referrer as i64 + 1, row)));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(referred().map(|(referrer, _)| referrer))),
        Arc::new(Int64Array::from_iter_values(referred().map(|(_, row)| row.id()))),
        Arc::new(Date32Array::from_iter_values(referred().map(|(_, row)| row.acquired()))),
    ];
    write_whole(&dir.join("referrals"), part, &schema, &["referrer_id", "referred_id"], columns)
}

fn write_truth(process: &Process<'_>, rows: &[Row], dir: &Utf8Path, part: usize) -> Result<(), GenerateError> {
    let schema = schema(&[
        ("customer_id", DataType::Int64),
        ("channel", DataType::Utf8),
        ("rate_per_week", DataType::Float64),
        ("dropout", DataType::Float64),
        ("alive", DataType::Boolean),
        ("dropout_date?", DataType::Date32),
        ("mean_spend", DataType::Float64),
        ("demandingness", DataType::Float64),
        ("orders", DataType::Int64),
        ("net_revenue", MONEY),
        ("true_cost_to_serve", MONEY),
        ("expected_purchases_52_weeks", DataType::Float64),
    ]);
    let alive: BooleanArray = rows.iter().map(|row| Some(row.dropped.is_none())).collect();
    let dropouts: Date32Array = rows.iter().map(|row| row.dropped.map(|time| START + time as i32)).collect();
    let orders = rows.iter().map(|row| row.services.orders as i64);
    let columns: Vec<ArrayRef> = vec![
        ids(rows),
        channels(process, rows),
        numbers(rows, |row| row.customer.rate_per_week),
        numbers(rows, |row| row.customer.dropout),
        Arc::new(alive),
        Arc::new(dropouts),
        numbers(rows, |row| SPEND_SHAPE / row.customer.spend_rate),
        numbers(rows, |row| row.customer.demandingness),
        Arc::new(Int64Array::from_iter_values(orders)),
        decimals(&MONEY, rows.iter().map(|row| row.services.net_revenue as i64)),
        decimals(&MONEY, rows.iter().map(|row| cost_to_serve(&row.services) as i64)),
        numbers(rows, Row::expected_purchases),
    ];
    let plain = [
        "customer_id",
        "rate_per_week",
        "dropout",
        "mean_spend",
        "demandingness",
        "net_revenue",
        "true_cost_to_serve",
        "expected_purchases_52_weeks",
    ];
    write_whole(&dir.join("truth"), part, &schema, &plain, columns)
}
