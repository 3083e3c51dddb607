//! Contract of the driver quantities table.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rayon::prelude::*;

use super::{
    ContractError,
    columns::{INVALID, NULL, Scale},
    rules::Tally,
    tables::{
        Input, KnownCustomers, Slice, UNKNOWN, customer_of, demote, ids_like, need_periods, split_duplicates, timed,
        when,
    },
};
use crate::{
    numeric::decimal::format_minor,
    schema::{
        period::Period,
        settings::Policy,
        tables::{DriverQuantity, UnknownQuantity},
    },
};

/// The driver quantities table: what known customers used, and what unknown ones did.
///
/// * `customers`: id → row of every customer of the run.
/// * `drivers`: names of the columns that are filled, with their column number.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a table without periods in a run with periods.
pub fn driver_quantities(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    drivers: &[(String, u32)],
    csv: bool,
) -> Result<(Quantities, Tally), ContractError> {
    let quantity_scale = Scale::QUANTITY;
    let names: Vec<&str> = drivers.iter().map(|(name, _)| name.as_str()).collect();
    let held: Vec<AtomicBool> = names.iter().map(|_| AtomicBool::new(false)).collect();
    let unwanted = Mutex::new(BTreeSet::new());
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, DriverQuantity>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let places = slice.batch.places("driver", &names)?.ok_or_else(|| slice.absent("driver"))?;
        let quantities = slice.batch.numbers("quantity", quantity_scale)?.ok_or_else(|| slice.absent("quantity"))?;
        let times = when(&slice.batch, input.settings.period)?;
        need_periods(input, times.is_some())?;
        for place in places.iter().flatten() {
            held[*place as usize].store(true, Ordering::Relaxed);
        }
        // How many drivers there are is asked only when one is missed. They are cells, which no message holds.
        if places.contains(&None) && !held.iter().all(|held| held.load(Ordering::Relaxed)) {
            let texts = slice.batch.texts("driver")?.into_iter().flatten();
            let others: BTreeSet<String> =
                texts.zip(&places).filter(|(_, place)| place.is_none()).filter_map(|(name, _)| name).collect();
            unwanted.lock().unwrap_or_else(PoisonError::into_inner).extend(others);
        }
        for row in 0..slice.height() {
            let driver = places[row].map(|place| &drivers[place as usize]);
            let quantity = quantities[row];
            let owner = slice.owner(customer_of(&ids, &missing, row, customers));
            let verdict = match owner {
                Err(broken) => Err(broken),
                _ if quantity == NULL || quantity == INVALID => {
                    Err(("invalid_quantity", "the quantity is null or not a finite number in range"))
                }
                _ if driver.is_none() => Err(("unknown_driver", "no activity takes the driver from this table")),
                Ok(customer) => timed(input, times.as_ref(), row).map(|when| DriverQuantity {
                    customer,
                    driver: driver.map_or(0, |(_, column)| *column),
                    period: when.period,
                    when: when.token,
                    quantity,
                }),
            };
            slice.row_of(owner, row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let unknown = rows.split_off(rows.partition_point(|row| row.customer < UNKNOWN));
    if input.rules.policy("duplicate_key") != Policy::Warn {
        let same =
            |a: &DriverQuantity, b: &DriverQuantity| (a.customer, a.driver, a.when) == (b.customer, b.driver, b.when);
        rows = split_duplicates(rows, same, |row| {
            let id = customers.keys().text(row.customer as usize);
            let driver = drivers.iter().find(|(_, column)| *column == row.driver).map(|(name, _)| name);
            let quantity = format_minor(i128::from(row.quantity), 6);
            let cells = serde_json::json!({"customer_id": id, "driver": driver, "quantity": quantity});
            demote(
                &mut tally,
                &input.rules,
                "duplicate_key",
                "customer, driver and period stand more than once",
                &cells,
                None,
            );
        });
    }
    input.rules.judge(&tally.balance)?;
    let (held, absent): (Vec<_>, Vec<_>) = held.iter().zip(names).partition(|(held, _)| held.load(Ordering::Relaxed));
    let absent: Vec<String> = absent.into_iter().map(|(_, name)| name.to_owned()).collect();
    let others = unwanted.into_inner().unwrap_or_else(PoisonError::into_inner).len() + held.len();
    let others = if absent.is_empty() { 0 } else { others };
    Ok((Quantities { rows, unknown: sum_unknown(&unknown)?, absent, others }, tally))
}

/// What the table holds.
#[derive(Debug, Default)]
pub struct Quantities {
    /// Of known customers.
    pub rows: Vec<DriverQuantity>,
    /// Of unknown customers, by driver and period.
    pub unknown: Vec<UnknownQuantity>,
    /// Wanted drivers of which the table has no row.
    pub absent: Vec<String>,
    /// When there are any: how many drivers it has rows of.
    pub others: usize,
}

/// Quantities of unknown customers by driver and period.
fn sum_unknown(rows: &[DriverQuantity]) -> Result<Vec<UnknownQuantity>, ContractError> {
    let mut sums: BTreeMap<(u32, Period), i64> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry((row.driver, row.period)).or_default();
        let too_large =
            || ContractError::Setting("driver_quantities: a sum over unknown customers leaves 64 bits".to_owned());
        *sum = sum.checked_add(row.quantity).ok_or_else(too_large)?;
    }
    Ok(sums.into_iter().map(|((driver, period), quantity)| UnknownQuantity { driver, period, quantity }).collect())
}
