//! Cells of groups of customers: channels and regions.

use std::collections::BTreeMap;

use super::FactsError;
use crate::schema::{
    facts::{Cells, NO_DAY},
    period::Period,
};

/// One row a group and period, sorted; and the row that each cell of a customer went to.
///
/// Money, quantities, lines and orders add up, for a line and an order have one customer. Purchase days add up over
/// customers: they are days of customers, not of the calendar.
///
/// * `group`: number of each customer's group.
///
/// # Errors
/// [`FactsError::Overflow`] when a sum leaves 64 bits.
pub fn group(cells: &Cells, group: &[u16]) -> Result<(Cells, Vec<u32>), FactsError> {
    let key = |row: usize| (u32::from(group[cells.customer[row] as usize]), cells.period[row]);
    let mut rows: BTreeMap<(u32, Period), u32> = (0..cells.len()).map(|row| (key(row), 0)).collect();
    for (number, row) in rows.values_mut().enumerate() {
        *row = number as u32;
    }
    let to: Vec<u32> = (0..cells.len()).map(|row| rows[&key(row)]).collect();
    let count = rows.len();
    let sum = |what: &'static str, column: &[i64]| -> Result<Vec<i64>, FactsError> {
        let mut sums = vec![0_i64; count];
        for (row, value) in to.iter().zip(column) {
            let sum = &mut sums[*row as usize];
            *sum = sum.checked_add(*value).ok_or(FactsError::Overflow { what })?;
        }
        Ok(sums)
    };
    // Counts of 64 bits and days of 32 cannot overflow before memory ends, or saturate harmlessly.
    let counts = |column: &[u64]| {
        let mut sums = vec![0_u64; count];
        to.iter().zip(column).for_each(|(row, value)| sums[*row as usize] += value);
        sums
    };
    let mut purchase_days = vec![0_u32; count];
    let (mut first, mut last, mut activity) = (vec![NO_DAY; count], vec![NO_DAY; count], vec![NO_DAY; count]);
    for (cell, row) in to.iter().enumerate() {
        let row = *row as usize;
        purchase_days[row] = purchase_days[row].saturating_add(cells.purchase_days[cell]);
        let day = cells.first_purchase[cell];
        if day != NO_DAY && (first[row] == NO_DAY || day < first[row]) {
            first[row] = day;
        }
        last[row] = last[row].max(cells.last_purchase[cell]);
        activity[row] = activity[row].max(cells.last_activity[cell]);
    }
    let grouped = Cells {
        customer: rows.keys().map(|key| key.0).collect(),
        period: rows.keys().map(|key| key.1).collect(),
        gross_sales: sum("gross sales", &cells.gross_sales)?,
        returns: sum("returns", &cells.returns)?,
        discount: sum("discount", &cells.discount)?,
        product_cost: sum("product cost", &cells.product_cost)?,
        units: sum("quantity", &cells.units)?,
        lines: counts(&cells.lines),
        orders: counts(&cells.orders),
        purchase_days,
        first_purchase: first,
        last_purchase: last,
        purchase_revenue: sum("revenue", &cells.purchase_revenue)?,
        // Of no use beyond one customer.
        first_day_revenue: vec![0; count],
        last_activity: activity,
        drivers: cells.drivers.iter().map(|column| sum("driver quantity", column)).collect::<Result<_, _>>()?,
    };
    Ok((grouped, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_the_sums_of_their_customers_period_by_period() {
        let cells = Cells {
            customer: vec![0, 0, 1, 2],
            period: vec![5, 6, 5, 5],
            gross_sales: vec![10, 20, 40, 80],
            returns: vec![0; 4],
            discount: vec![0; 4],
            product_cost: vec![1; 4],
            units: vec![0; 4],
            lines: vec![1; 4],
            orders: vec![1, 2, 3, 4],
            purchase_days: vec![1; 4],
            first_purchase: vec![3, 40, NO_DAY, 2],
            last_purchase: vec![4, 41, NO_DAY, 9],
            purchase_revenue: vec![0; 4],
            first_day_revenue: vec![0; 4],
            last_activity: vec![4, 41, 7, 9],
            drivers: vec![vec![1, 2, 4, 8]],
        };
        let (grouped, to) = group(&cells, &[1, 0, 1]).unwrap();
        assert_eq!((grouped.customer, grouped.period), (vec![0, 1, 1], vec![5, 5, 6]));
        assert_eq!((grouped.gross_sales, grouped.drivers), (vec![40, 90, 20], vec![vec![4, 9, 2]]));
        assert_eq!((grouped.orders, grouped.first_purchase), (vec![3, 5, 2], vec![NO_DAY, 2, 40]));
        assert_eq!(to, [1, 2, 0, 1]);
        let mut large = cells;
        large.gross_sales = vec![i64::MAX, 0, 0, 1];
        assert!(group(&large, &[1, 0, 1]).is_err());
    }
}
