//! The ledger: every line of every order and return in date order, one window of days at a time.
//!
//! A window's orders are drawn again from all customers and sorted, so that memory grows with the window and with the
//! returns that are under way, not with the ledger.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Date32Array, Int32Array, Int64Array};
use arrow_schema::{DataType, SchemaRef};
use camino::Utf8Path;
use rayon::prelude::*;

use super::catalogue::Catalogue;
use super::company::{SPAN_DAYS, START};
use super::error::GenerateError;
use super::lines::{Line, OrderKey, Splitter};
use super::process::{Order, Process};
use super::survey::{CHUNK, Survey, Visit, chunks};
use super::tables::{MONEY, Part, decimals, schema};

/// Ledger lines of a window, about.
const WINDOW_ROWS: u64 = 4_000_000;
/// Ledger lines of a file, at most (an order is never split between two files).
const PART_ROWS: u64 = 1_000_000;
/// Ledger lines handed to the encoder at a time.
const BATCH_ROWS: usize = 65_536;

/// An order, or the return of one of its lines.
#[derive(Clone, Copy)]
struct Event {
    time: f64,
    order_id: i64,
    key: OrderKey,
    /// When a line of this order will be returned; infinite: never.
    returned: f64,
    is_return: bool,
}

impl Event {
    fn rows(&self) -> u64 {
        if self.is_return { 1 } else { self.key.lines }
    }

    /// A total order of all orders, or of all returns. Times are not negative, so their bits sort as they do.
    fn rank(&self) -> (u64, u64, u32) {
        (self.time.to_bits(), self.key.customer, self.key.order)
    }
}

/// What the ledger holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LedgerTotals {
    /// Lines written.
    pub(super) rows: u64,
    /// Files written.
    pub(super) files: usize,
    /// Σ of positive amounts in cents.
    pub(super) gross: i128,
}

/// Days of each window, of about `rows` lines each.
fn windows(survey: &Survey, transactions: u64, rows: u64) -> Vec<Range<usize>> {
    let lines_per_order = (transactions - survey.returns) as f64 / survey.orders as f64;
    let mut windows = Vec::new();
    let (mut first, mut expected) = (0, 0.0);
    for day in 0..SPAN_DAYS {
        let of_day = survey.orders_on[day] as f64 * lines_per_order + survey.returns_on[day] as f64;
        if expected > 0.0 && expected + of_day > rows as f64 {
            windows.push(first..day);
            (first, expected) = (day, 0.0);
        }
        expected += of_day;
    }
    windows.push(first..SPAN_DAYS);
    windows
}

/// Writes the files of `transactions/` into `folder`; `progress` is told the lines written so far.
pub(super) fn write(
    process: &Process<'_>,
    survey: &Survey,
    catalogue: &Catalogue,
    folder: &Utf8Path,
    progress: &dyn Fn(u64),
) -> Result<LedgerTotals, GenerateError> {
    write_windows(process, survey, catalogue, folder, WINDOW_ROWS, progress)
}

fn write_windows(
    process: &Process<'_>,
    survey: &Survey,
    catalogue: &Catalogue,
    folder: &Utf8Path,
    window_rows: u64,
    progress: &dyn Fn(u64),
) -> Result<LedgerTotals, GenerateError> {
    let mut totals = LedgerTotals::default();
    let mut next_order_id = 1;
    let mut pending: Vec<Event> = Vec::new();
    for window in windows(survey, process.company.scenario.size.transactions, window_rows) {
        let end = window.end as f64;
        let mut orders = orders_in(process, survey, &window);
        for order in &mut orders {
            order.order_id = next_order_id;
            next_order_id += 1;
            totals.gross += i128::from(order.key.cents);
        }
        pending.extend(orders.iter().filter(|order| order.returned.is_finite()).map(|order| Event {
            time: order.returned,
            is_return: true,
            ..*order
        }));
        pending.sort_unstable_by_key(Event::rank);
        let due = pending.partition_point(|event| event.time < end);
        let returns: Vec<Event> = pending.drain(..due).collect();
        let events = merge(&orders, &returns);
        drop(orders);
        let parts = cut(&events, PART_ROWS);
        parts.par_iter().enumerate().try_for_each(|(part, range)| {
            write_part(process, catalogue, folder, totals.files + part, &events[range.clone()])
        })?;
        totals.files += parts.len();
        totals.rows += events.iter().map(Event::rows).sum::<u64>();
        progress(totals.rows);
    }
    Ok(totals)
}

/// The orders of a window, by time.
fn orders_in(process: &Process<'_>, survey: &Survey, window: &Range<usize>) -> Vec<Event> {
    let (start, end) = (window.start as f64, window.end as f64);
    let mut events: Vec<Event> = (0..chunks(process))
        .into_par_iter()
        .filter(|chunk| process.company.earliest_acquisition(chunk * CHUNK) < end)
        .fold(Vec::new, |mut events, chunk| {
            survey.visit(process, chunk, |visit| {
                if let Visit::Order { customer, order, place } = visit
                    && (start..end).contains(&order.time)
                {
                    let key = OrderKey::new(customer, order, place.lines());
                    let Order { time, returned, .. } = *order;
                    events.push(Event { time, order_id: 0, key, returned, is_return: false });
                }
            });
            events
        })
        .reduce(Vec::new, |mut all, mut more| {
            all.append(&mut more);
            all
        });
    events.par_sort_unstable_by_key(Event::rank);
    events
}

/// Orders and returns as one sequence by time.
fn merge(orders: &[Event], returns: &[Event]) -> Vec<Event> {
    let mut events = Vec::with_capacity(orders.len() + returns.len());
    let mut written = 0;
    for event in returns {
        let upto = written + orders[written..].partition_point(|order| order.time <= event.time);
        events.extend_from_slice(&orders[written..upto]);
        events.push(*event);
        written = upto;
    }
    events.extend_from_slice(&orders[written..]);
    events
}

/// Ranges of events with about equally many rows each, at most `rows` beyond their last event.
fn cut(events: &[Event], rows: u64) -> Vec<Range<usize>> {
    let all: u64 = events.iter().map(Event::rows).sum();
    let parts = all.div_ceil(rows);
    let mut ranges = Vec::with_capacity(parts as usize);
    let (mut first, mut written) = (0, 0);
    for (position, event) in events.iter().enumerate() {
        written += event.rows();
        if written * parts >= all * (ranges.len() as u64 + 1) {
            ranges.push(first..position + 1);
            first = position + 1;
        }
    }
    ranges
}

/// Columns of a file, filled line by line.
#[derive(Default)]
struct Columns {
    customer: Vec<i64>,
    order: Vec<i64>,
    date: Vec<i32>,
    product: Vec<i32>,
    quantity: Vec<i32>,
    amount: Vec<i64>,
    discount: Vec<i64>,
}

impl Columns {
    fn push(&mut self, event: &Event, line: &Line) {
        self.customer.push(event.key.customer as i64 + 1);
        self.order.push(event.order_id);
        self.date.push(START + event.time as i32);
        self.product.push(line.product);
        self.quantity.push(line.quantity);
        self.amount.push(line.cents);
        self.discount.push(line.discount);
    }

    fn flush(&mut self, part: &mut Part, schema: &SchemaRef) -> Result<(), GenerateError> {
        let Self { customer, order, date, product, quantity, amount, discount } = std::mem::take(self);
        part.write(
            schema,
            vec![
                Arc::new(Int64Array::from(customer)),
                Arc::new(Int64Array::from(order)),
                Arc::new(Date32Array::from(date)),
                Arc::new(Int32Array::from(product)),
                Arc::new(Int32Array::from(quantity)),
                decimals(&MONEY, amount),
                decimals(&MONEY, discount),
            ],
        )
    }
}

fn write_part(
    process: &Process<'_>,
    catalogue: &Catalogue,
    folder: &Utf8Path,
    number: usize,
    events: &[Event],
) -> Result<(), GenerateError> {
    let schema = schema(&[
        ("customer_id", DataType::Int64),
        ("order_id", DataType::Int64),
        ("date", DataType::Date32),
        ("product_id", DataType::Int32),
        ("quantity", DataType::Int32),
        ("amount", MONEY),
        ("discount", MONEY),
    ]);
    let mut part = Part::create(folder, number, &schema, &["customer_id", "order_id", "amount"])?;
    let mut splitter = Splitter::new(process.company.scenario.seed, catalogue);
    let mut columns = Columns::default();
    for event in events {
        if event.is_return {
            let line = splitter.returned(&event.key);
            columns.push(event, &line);
        } else {
            for line in splitter.split(&event.key) {
                columns.push(event, line);
            }
        }
        if columns.order.len() >= BATCH_ROWS {
            columns.flush(&mut part, &schema)?;
        }
    }
    if !columns.order.is_empty() {
        columns.flush(&mut part, &schema)?;
    }
    part.finish()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use arrow_array::RecordBatch;
    use camino::Utf8PathBuf;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::generate::company::{Company, Population, Scenario, Size};

    /// The ledger written in windows of so many lines: each of its lines, and its files.
    fn ledger(window_rows: u64) -> (Vec<RecordBatch>, usize) {
        let size = Size { customers: 2_000, transactions: 20_000 };
        let company = Company::new(Scenario { size, seed: 4, population: Population::ByChannel }, 1.0).unwrap();
        let process = Process::new(&company);
        let survey = Survey::new(&process).unwrap();
        let catalogue = Catalogue::new(4, size.customers);
        let guard = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
        let totals = write_windows(&process, &survey, &catalogue, &folder, window_rows, &|_| {}).unwrap();
        let lines = (0..totals.files)
            .flat_map(|part| {
                let file = File::open(folder.join(format!("part-{part:05}.parquet"))).unwrap();
                ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(1).build().unwrap()
            })
            .map(Result::unwrap)
            .collect();
        (lines, totals.files)
    }

    #[test]
    fn windows_change_the_files_and_not_one_line() {
        let (whole, one) = ledger(WINDOW_ROWS);
        let (windowed, many) = ledger(1_500);
        assert!(one == 1 && many > 10, "{one} and {many} files");
        assert_eq!(whole.len(), 20_000);
        assert!(whole == windowed);
    }

    fn event(time: f64, lines: u64, is_return: bool) -> Event {
        let key = OrderKey { customer: 0, order: 0, cents: lines, lines, promotion: 0 };
        Event { time, order_id: 0, key, returned: f64::INFINITY, is_return }
    }

    #[test]
    fn a_return_comes_after_the_orders_before_it() {
        let orders = [event(1.0, 1, false), event(2.0, 1, false), event(4.0, 1, false)];
        let returns = [event(0.5, 1, true), event(2.5, 1, true), event(9.0, 1, true)];
        let times: Vec<f64> = merge(&orders, &returns).iter().map(|event| event.time).collect();
        assert_eq!(times, [0.5, 1.0, 2.0, 2.5, 4.0, 9.0]);
    }

    #[test]
    fn files_hold_every_event_once_and_about_equally_many_rows() {
        let events: Vec<Event> =
            (0..1_000).map(|i| event(f64::from(i), 1 + u64::from(i % 5 == 0) * 7, false)).collect();
        let parts = cut(&events, 500);
        assert_eq!(parts.first().map(|range| range.start), Some(0));
        assert_eq!(parts.last().map(|range| range.end), Some(1_000));
        assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
        for range in &parts {
            let rows: u64 = events[range.clone()].iter().map(Event::rows).sum();
            assert!(rows <= 508, "{rows}");
        }
    }
}
