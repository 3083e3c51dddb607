//! Cost of winning customers, laid into the cell of the first purchase.

use super::drivers::add_cells;
use crate::{
    schema::{
        facts::{Cells, NO_DAY},
        period::Period,
    },
    units::Minor,
};

/// Lays each customer's acquisition cost into one of its cells.
///
/// The cell is that of the first purchase; without a purchase the customer's first cell; without a cell a new, empty
/// one in period `last`. So every cost is in exactly one cell.
///
/// * `cost`: one a customer, minor units.
/// * `last`: the period of the run's last day.
///
/// Returns the cells and the cost of each.
#[must_use]
pub fn place(cells: Cells, cost: &[Minor], last: Period) -> (Cells, Vec<Minor>) {
    let mut has_cell = vec![false; cost.len()];
    for customer in &cells.customer {
        has_cell[*customer as usize] = true;
    }
    let missing = |customer: &usize| cost[*customer] != 0 && !has_cell[*customer];
    let keys: Vec<(u32, Period)> = (0..cost.len()).filter(missing).map(|customer| (customer as u32, last)).collect();
    let cells = add_cells(cells, keys);
    let mut placed = vec![0; cells.len()];
    let mut first = 0;
    for of_customer in cells.customer.chunk_by(|a, b| a == b) {
        let days = &cells.first_purchase[first..first + of_customer.len()];
        // Periods ascend: the first cell with a purchase holds the first purchase.
        let at = days.iter().position(|day| *day != NO_DAY).unwrap_or(0);
        placed[first + at] = cost[of_customer[0] as usize];
        first += of_customer.len();
    }
    (cells, placed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Cells {
        // Customer 0 bought in its second period, customer 1 only returned something, customer 2 has no cell.
        Cells {
            customer: vec![0, 0, 0, 1],
            period: vec![1, 2, 3, 2],
            gross_sales: vec![0, 500, 600, 0],
            returns: vec![0, 0, 0, 40],
            discount: vec![0; 4],
            product_cost: vec![0; 4],
            units: vec![0; 4],
            lines: vec![0, 1, 1, 1],
            orders: vec![0, 1, 1, 0],
            purchase_days: vec![0, 1, 1, 0],
            first_purchase: vec![NO_DAY, 40, 70, NO_DAY],
            last_purchase: vec![NO_DAY, 40, 70, NO_DAY],
            purchase_revenue: vec![0, 500, 600, 0],
            first_day_revenue: vec![0, 500, 600, 0],
            last_activity: vec![NO_DAY, 40, 70, 41],
            drivers: vec![],
        }
    }

    #[test]
    fn the_cost_of_winning_a_customer_stands_where_it_first_bought() {
        let (cells, placed) = place(cells(), &[100, 20, 3], 5);
        assert_eq!(cells.customer, [0, 0, 0, 1, 2]);
        assert_eq!(cells.period, [1, 2, 3, 2, 5]);
        assert_eq!(placed, [0, 100, 0, 20, 3]);
    }

    #[test]
    fn a_customer_that_cost_nothing_gets_no_cell() {
        let (after, placed) = place(cells(), &[100, 0, 0], 5);
        assert_eq!((after, placed), (cells(), vec![0, 100, 0, 0]));
    }
}
