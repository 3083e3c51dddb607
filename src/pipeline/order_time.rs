//! From orders to driver quantities: each order's time by its equation, summed by customer and period.

use std::collections::BTreeMap;

use super::RunError;
use crate::{
    allocate::time_equation::TimeEquation,
    contract::ContractError,
    facts::{drivers, order_sums::OrderSums},
    schema::{
        facts::Cells,
        period::Period,
        settings::{DriverMeasure, Settings},
        tables::DriverQuantity,
    },
    units::{QUANTITY_SCALE, Quantity},
};

/// Fills the drivers that are worked out order by order.
///
/// * `names`: of the cells' drivers.
/// * `orders`: rows of the cells' customers or objects, with the sums of each order.
///
/// # Errors
/// [`ContractError::Setting`] when a time or a sum leaves its range.
pub(super) fn add(cells: Cells, settings: &Settings, names: &[String], orders: &OrderSums) -> Result<Cells, RunError> {
    let mut quantities: Vec<DriverQuantity> = Vec::new();
    for (name, driver) in &settings.drivers {
        let DriverMeasure::OrderTime { equation, terms, flags } = &driver.measure else { continue };
        let failed = |what: String| ContractError::Setting(format!("drivers: `{name}`: {what}"));
        let equation = TimeEquation::of_columns(equation, terms, flags).map_err(|error| failed(error.to_string()))?;
        let columns: Vec<Vec<Quantity>> =
            terms.iter().map(|term| column(names, orders, term, flags.contains(term))).collect();
        let columns: Vec<&[Quantity]> = columns.iter().map(Vec::as_slice).collect();
        let times = equation.evaluate(orders.customer.len(), &columns).map_err(|error| failed(error.to_string()))?;
        let mut sums: BTreeMap<(u32, Period), Quantity> = BTreeMap::new();
        for ((customer, period), time) in orders.customer.iter().zip(&orders.period).zip(times) {
            let sum = sums.entry((*customer, *period)).or_default();
            *sum = sum.checked_add(time).ok_or_else(|| failed("a sum of times leaves 64 bits".to_owned()))?;
        }
        let driver = names.iter().position(|known| known == name).unwrap_or(0) as u32;
        let quantity = |((customer, period), quantity)| DriverQuantity {
            customer,
            driver,
            period,
            when: i64::from(period),
            quantity,
        };
        quantities.extend(sums.into_iter().map(quantity));
    }
    quantities.sort_unstable();
    Ok(drivers::add_quantities(cells, &quantities)?)
}

/// A term of every order: what the driver of that name adds up to over its lines; a flag is 1 where that is any.
fn column(names: &[String], orders: &OrderSums, term: &str, flag: bool) -> Vec<Quantity> {
    let sums = names.iter().position(|known| known == term).and_then(|at| orders.drivers.get(at));
    let sums = sums.map_or(&[][..], Vec::as_slice);
    if flag { sums.iter().map(|sum| if *sum == 0 { 0 } else { QUANTITY_SCALE }).collect() } else { sums.to_vec() }
}
