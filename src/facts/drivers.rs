//! Driver quantities from a table, laid beside the ledger's own.

use crate::{
    facts::FactsError,
    schema::{
        facts::{Cells, NO_DAY},
        tables::{DriverQuantity, Receivable},
    },
};

/// Adds the table's quantities to the cells; a customer that only a table knows in a period gets a new, empty cell.
///
/// * `quantities`: sorted by customer.
///
/// # Errors
/// [`FactsError::Overflow`] when a sum leaves 64 bits.
pub fn add_quantities(cells: Cells, quantities: &[DriverQuantity]) -> Result<Cells, FactsError> {
    // Several drivers of one customer and period stand together more often than not: their key is wanted once.
    let mut keys: Vec<(u32, i32)> = Vec::new();
    for key in quantities.iter().map(|row| (row.customer, row.period)) {
        if keys.last() != Some(&key) {
            keys.push(key);
        }
    }
    let mut cells = add_cells(cells, keys);
    let mut cell = 0;
    for row in quantities {
        // Quantities of a customer stand together, not always in period order.
        while cells.customer[cell] < row.customer {
            cell += 1;
        }
        let offset = cells.period[cell..]
            .iter()
            .zip(&cells.customer[cell..])
            .take_while(|(_, customer)| **customer == row.customer)
            .position(|(period, _)| *period == row.period);
        let Some(offset) = offset else { continue };
        let quantity = &mut cells.drivers[row.driver as usize][cell + offset];
        let overflow = FactsError::Overflow { what: "driver quantity" };
        *quantity = quantity.checked_add(row.quantity).ok_or(overflow)?;
    }
    Ok(cells)
}

/// Customer, period and driver of every quantity that stands in a cell without a ledger line.
///
/// * `quantities`: sorted by customer, each with a cell.
#[must_use]
pub fn alone(cells: &Cells, quantities: &[DriverQuantity]) -> Vec<(u32, i32, u32)> {
    let mut first = 0;
    let mut of = |row: &DriverQuantity| {
        while cells.customer[first] < row.customer {
            first += 1;
        }
        let own = (first..cells.len()).take_while(|cell| cells.customer[*cell] == row.customer);
        let cell = own.into_iter().find(|cell| cells.period[*cell] == row.period)?;
        (cells.lines[cell] == 0).then_some((row.customer, row.period, row.driver))
    };
    quantities.iter().filter_map(&mut of).collect()
}

/// The cells without those with these keys.
///
/// * `keys`: sorted.
#[must_use]
pub fn without(cells: &Cells, keys: &[(u32, i32)]) -> Cells {
    let stays = |row: &usize| keys.binary_search(&(cells.customer[*row], cells.period[*row])).is_err();
    let order: Vec<Result<usize, (u32, i32)>> = (0..cells.len()).filter(stays).map(Ok).collect();
    in_order(cells, &order)
}

/// Makes sure that every receivable has a cell.
#[must_use]
pub fn add_receivables(cells: Cells, receivables: &[Receivable]) -> Cells {
    add_cells(cells, receivables.iter().map(|row| (row.customer, row.period)).collect())
}

/// Makes sure that every (customer, period) has a cell.
#[must_use]
pub fn add_cells(cells: Cells, mut keys: Vec<(u32, i32)>) -> Cells {
    keys.sort_unstable();
    keys.dedup();
    with_rows(cells, &keys)
}

/// A column in a new order of rows; `empty` in the rows that are new.
fn pick<T: Copy>(order: &[Result<usize, (u32, i32)>], column: &[T], empty: T) -> Vec<T> {
    order.iter().map(|row| row.map_or(empty, |row| column[row])).collect()
}

/// The cells with an empty one for every key that is missing.
fn with_rows(cells: Cells, keys: &[(u32, i32)]) -> Cells {
    let known = |row: usize| (cells.customer[row], cells.period[row]);
    let mut order: Vec<Result<usize, (u32, i32)>> = Vec::with_capacity(cells.len());
    let mut row = 0;
    for key in keys {
        while row < cells.len() && known(row) < *key {
            order.push(Ok(row));
            row += 1;
        }
        if row >= cells.len() || known(row) != *key {
            order.push(Err(*key));
        }
    }
    order.extend((row..cells.len()).map(Ok));
    if order.len() == cells.len() {
        return cells;
    }
    in_order(&cells, &order)
}

/// The cells in a new order, with an empty one for every key in the place of a row.
fn in_order(cells: &Cells, order: &[Result<usize, (u32, i32)>]) -> Cells {
    Cells {
        customer: order.iter().map(|row| row.map_or_else(|key| key.0, |row| cells.customer[row])).collect(),
        period: order.iter().map(|row| row.map_or_else(|key| key.1, |row| cells.period[row])).collect(),
        gross_sales: pick(order, &cells.gross_sales, 0),
        returns: pick(order, &cells.returns, 0),
        discount: pick(order, &cells.discount, 0),
        product_cost: pick(order, &cells.product_cost, 0),
        units: pick(order, &cells.units, 0),
        lines: pick(order, &cells.lines, 0),
        orders: pick(order, &cells.orders, 0),
        purchase_days: pick(order, &cells.purchase_days, 0),
        first_purchase: pick(order, &cells.first_purchase, NO_DAY),
        last_purchase: pick(order, &cells.last_purchase, NO_DAY),
        purchase_revenue: pick(order, &cells.purchase_revenue, 0),
        first_day_revenue: pick(order, &cells.first_day_revenue, 0),
        last_activity: pick(order, &cells.last_activity, NO_DAY),
        drivers: cells.drivers.iter().map(|column| pick(order, column, 0)).collect(),
    }
}
