//! The driver quantities of an earlier period, for a period in which nobody used the driver.

use super::{
    basis::{Column, summarise},
    rows::{Ground, Periods},
};
use crate::{schema::period::Period, units::Quantity};

/// Quantities of an earlier period, each with the row that it goes to.
pub(super) struct Moved {
    /// Period that they are of.
    pub(super) period: Period,
    rows: Vec<(usize, Quantity)>,
    /// Customers who have no cell in the later period.
    pub(super) missing: Vec<u32>,
}

/// The quantities of the latest period before `period` in which somebody used the driver; `None` when there is none.
pub(super) fn earlier(column: &Column, ground: &Ground<'_>, periods: &Periods, period: Period) -> Option<Moved> {
    let before = periods.known.iter().rev().filter(|other| **other < period);
    let (of, used) = before.map(|other| (*other, periods.reach(Some(*other)))).find(|(_, reach)| {
        let summary = summarise(column, ground, *reach, None);
        summary.recipients() + summary.negative() > 0
    })?;
    let cells = ground.cells;
    let mut moved = Moved { period: of, rows: Vec::new(), missing: Vec::new() };
    for row in (0..used.len()).map(|at| used.row(at)) {
        let quantity = column.at(ground, row);
        let customer = cells.customer[row];
        let same = |later: &usize| cells.customer[*later] == customer;
        let later = (row..cells.len()).take_while(same).find(|later| cells.period[*later] == period);
        match later {
            _ if quantity == 0 => {}
            Some(later) => moved.rows.push((later, quantity)),
            None => moved.missing.push(customer),
        }
    }
    Some(moved)
}

impl Moved {
    /// The quantities as a column.
    pub(super) fn column(&self, ground: &Ground<'_>) -> Column {
        let mut quantities = vec![0; ground.cells.len()];
        self.rows.iter().for_each(|(row, quantity)| quantities[*row] = *quantity);
        Column::Made(quantities)
    }
}
