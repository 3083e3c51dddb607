//! The memory that a run will need, from what is known before a row is read: rows by the footers, customers, periods, and
//! what is asked of them.
//!
//! `program + threads·lines on their way + lines·(orders, products) + customers·(facts, table, forecast) + further cells·facts +
//! threads·encoding + customers·datasets + cells·datasets`, where a cell is a customer and period. The constants are the slopes
//! of the largest resident memory of runs on generated companies (1,000 to 600,000 customers, 10 thousand to 10 million lines,
//! one and two threads, with and without each part); docs/operations.md has what they give beside what was measured.

use super::{costs_products, ledger::WAVE_LINES, plan::TableFound};
use crate::{
    read::Footer,
    schema::settings::{Settings, TableName},
};

/// The program itself with its libraries, bytes.
const PROGRAM: u64 = 110 << 20;

/// Of a line, for each thread: batches on their way from the decoders to the fold, and for products as much again; of so many
/// lines at most.
const PER_WAITING_LINE: u64 = 50;
const WAITING_LINES: u64 = 500_000;

/// Of a line of a wave: half a packed line of 64 bytes.
const PER_WAVE_LINE: u64 = 32;

/// Of a line: what is kept of its order.
const PER_LINE: u64 = 40;

/// Of a line, where products are costed.
const PER_PRODUCT_LINE: u64 = 30;

/// Of a customer: its id and its facts; its row in the customers table; its forecast.
const PER_CUSTOMER: u64 = 180;
const PER_CUSTOMER_ROW: u64 = 600;
const PER_FORECAST: u64 = 200;

/// Of a customer and period beyond the first.
const PER_CELL: u64 = 280;

/// Of a row that a thread encodes: of a row group at most.
const PER_ENCODED_ROW: u64 = 750;
const ENCODED_ROWS: u64 = 131_072;

/// Datasets with a row a customer, and those with a row a customer and period or more; bytes of each row.
const OF_CUSTOMERS: [&str; 3] = ["customer_profit_total", "customer_value", "customer_segment"];
const PER_CUSTOMER_OUTPUT: u64 = 20;
const OF_CELLS: [&str; 2] = ["customer_profit", "customer_cost"];
const PER_CELL_OUTPUT: u64 = 20;

/// Lines of a customer where nothing tells how many customers there are.
const LINES_PER_CUSTOMER: u64 = 3;

/// Lines of an order, where customers and periods are estimated.
const LINES_PER_ORDER: f64 = 2.0;

/// Bytes of a line of a customers table in CSV.
const CSV_LINE: u64 = 16;

/// What a run will need, and what that follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Customers.
    pub customers: u64,
    /// How their number is known.
    pub customers_by: &'static str,
    /// Customers and periods.
    pub cells: u64,
    /// What memory is for, and bytes.
    pub parts: Vec<(&'static str, u64)>,
}

impl Estimate {
    /// Bytes in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// What a run of these tables will need.
///
/// * `ledger`: its footers. * `threads`: of the kernels.
pub(super) fn estimate(settings: &Settings, tables: &[TableFound], ledger: &[Footer], threads: u64) -> Estimate {
    let lines = ledger.iter().map(|footer| footer.rows).fold(0, u64::saturating_add);
    let (customers, customers_by) = customers(tables, ledger, lines);
    let cells = cells(customers, lines, periods(settings, ledger));
    let products = u64::from(costs_products(settings));
    let table = tables.iter().any(|found| found.table == TableName::Customers);
    let per_customer = PER_CUSTOMER
        + if table { PER_CUSTOMER_ROW } else { 0 }
        + if settings.forecast.is_some() { PER_FORECAST } else { 0 };
    let written = |datasets: &[&str]| datasets.iter().filter(|dataset| settings.writes(dataset)).count() as u64;
    let (of_customers, of_cells) = (written(&OF_CUSTOMERS), written(&OF_CELLS));
    let worlds = if settings.scenario.is_some() { 2 } else { 1 };
    let at_once = threads.min(of_customers + of_cells);
    let times = |count: u64, bytes: u64| count.saturating_mul(bytes);
    let waiting = times(lines.min(WAITING_LINES), PER_WAITING_LINE * (1 + products));
    let wave = times(lines.min(2 * WAVE_LINES as u64), PER_WAVE_LINE);
    let outputs =
        times(customers, of_customers * PER_CUSTOMER_OUTPUT).saturating_add(times(cells, of_cells * PER_CELL_OUTPUT));
    let parts = vec![
        ("the program", PROGRAM),
        ("lines on their way", times(waiting, threads).saturating_add(wave)),
        ("orders and products", times(lines, PER_LINE + products * PER_PRODUCT_LINE)),
        ("customers", times(customers, per_customer)),
        ("further periods", times(cells - customers.min(cells), PER_CELL)),
        ("encoding", times(times(customers.min(ENCODED_ROWS), PER_ENCODED_ROW), at_once)),
        ("outputs", times(outputs, worlds)),
    ];
    Estimate { customers, customers_by, cells, parts }
}

/// How many customers there are, and how that is known.
fn customers(tables: &[TableFound], ledger: &[Footer], lines: u64) -> (u64, &'static str) {
    let table = tables.iter().find(|found| found.table == TableName::Customers);
    if let Some(table) = table {
        return match table.rows {
            Some(rows) => (rows, "rows of the customers table"),
            None => (table.bytes / CSV_LINE, "size of the customers table, 16 bytes a line"),
        };
    }
    match bounds(ledger, 0) {
        Some((low, high)) if high.abs_diff(low) < lines => {
            (high.abs_diff(low) + 1, "smallest and largest id of the ledger, as if each between them were there")
        }
        _ => (lines.div_ceil(LINES_PER_CUSTOMER), "nothing tells: a third of the lines"),
    }
}

/// Customers and periods with any line: of `n` orders of a customer that fall evenly on `P` periods, `P·(1 − (1 − 1/P)ⁿ)` have one.
fn cells(customers: u64, lines: u64, periods: u64) -> u64 {
    if customers == 0 || periods <= 1 {
        return customers;
    }
    let (orders, periods) = (lines as f64 / (LINES_PER_ORDER * customers as f64), periods as f64);
    let occupied = periods * (1.0 - libm::pow(1.0 - 1.0 / periods, orders));
    (occupied.max(1.0) * customers as f64) as u64
}

/// Periods between the first and the last day of the ledger; one where nothing tells.
fn periods(settings: &Settings, ledger: &[Footer]) -> u64 {
    let Some((first, last)) = bounds(ledger, 1) else { return 1 };
    let period = |day: i64| i64::from(settings.period.of(day.clamp(-1_000_000, 3_000_000) as i32));
    period(last).abs_diff(period(first)) + 1
}

fn bounds(ledger: &[Footer], column: usize) -> Option<(i64, i64)> {
    let with_rows = ledger.iter().filter(|footer| footer.rows > 0);
    let each = with_rows.map(|footer| footer.bounds[column]).collect::<Option<Vec<_>>>()?;
    each.into_iter().reduce(|(low, high), (least, most)| (low.min(least), high.max(most)))
}
