//! Roll cells up to one row a customer.

use crate::{
    facts::FactsError,
    schema::{
        facts::{Cells, CustomerFacts, NO_DAY},
        period::Period,
    },
};

/// One row a customer: first and last purchase, purchase days, spend after the first purchase day.
///
/// A purchase day lies in exactly one period, so distinct days add up; so does money.
///
/// * `cells`: sorted by customer, then period.
/// * `customers`: number of customers; those without a cell get an empty row.
///
/// # Errors
/// [`FactsError::Overflow`] when a customer's revenue leaves 64 bits.
pub fn roll_up(cells: &Cells, customers: usize) -> Result<CustomerFacts, FactsError> {
    roll_up_until(cells, customers, Period::MAX)
}

/// The same as it was at the end of a period: later cells count nothing.
///
/// # Errors
/// As [`roll_up`].
pub fn roll_up_until(cells: &Cells, customers: usize, last: Period) -> Result<CustomerFacts, FactsError> {
    let mut facts = CustomerFacts {
        first_cell: Vec::with_capacity(customers + 1),
        first_purchase: vec![NO_DAY; customers],
        last_purchase: vec![NO_DAY; customers],
        purchase_days: vec![0; customers],
        net_revenue: vec![0; customers],
        purchase_revenue: vec![0; customers],
        repeat_revenue: vec![0; customers],
    };
    let overflow = || FactsError::Overflow { what: "revenue" };
    let mut cell = 0;
    for customer in 0..customers {
        facts.first_cell.push(cell);
        let mut first_day_revenue = 0_i64;
        while cell < cells.len() && cells.customer[cell] as usize == customer {
            if cells.period[cell] > last {
                cell += 1;
                continue;
            }
            if cells.first_purchase[cell] != NO_DAY {
                let first = &mut facts.first_purchase[customer];
                // Periods ascend, so the first cell with a purchase holds the first purchase day.
                if *first == NO_DAY {
                    *first = cells.first_purchase[cell];
                    first_day_revenue = cells.first_day_revenue[cell];
                }
                facts.last_purchase[customer] = cells.last_purchase[cell];
            }
            facts.purchase_days[customer] += cells.purchase_days[cell];
            let add = |sum: &mut i64, value: i64| sum.checked_add(value).map(|total| *sum = total).ok_or_else(overflow);
            add(&mut facts.net_revenue[customer], cells.checked_net_revenue(cell).ok_or_else(overflow)?)?;
            add(&mut facts.purchase_revenue[customer], cells.purchase_revenue[cell])?;
            cell += 1;
        }
        let repeat = facts.purchase_revenue[customer].checked_sub(first_day_revenue);
        facts.repeat_revenue[customer] = repeat.ok_or_else(overflow)?;
    }
    facts.first_cell.push(cell);
    Ok(facts)
}
