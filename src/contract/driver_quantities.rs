//! Contract of the driver quantities table.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rayon::prelude::*;

use super::{
    ContractError,
    columns::{INVALID, NULL, Scale},
    owners::Owners,
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
    tables::KnownCustomers,
    when::{need_periods, timed, when, with_time},
};
use crate::{
    numeric::decimal::format_minor,
    schema::{
        settings::Policy,
        tables::{DriverQuantity, Owner, UnknownQuantity},
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
    let unknown = Mutex::new(Vec::new());
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, DriverQuantity>| {
        let owners = Owners::new(slice, customers, csv)?;
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
        let mut nobodys = Vec::new();
        for row in 0..slice.height() {
            let driver = places[row].map(|place| &drivers[place as usize]);
            let quantity = quantities[row];
            let owner = owners.of(row);
            let verdict = match owner {
                Err(broken) => Err(broken),
                _ if quantity == NULL || quantity == INVALID => {
                    Err(("invalid_quantity", "the quantity is null or not a finite number in range"))
                }
                _ if driver.is_none() => Err(("unknown_driver", "no activity takes the driver from this table")),
                Ok(owner) => timed(input, times.as_ref(), row).map(|when| (owner, when)),
            };
            let driver = driver.map_or(0, |(_, column)| *column);
            match verdict {
                Ok((Owner::Unknown(customer), when)) => {
                    let period = when.period;
                    nobodys.push(UnknownQuantity { customer, period, driver, quantity });
                    slice.set_apart(&owners, row, None);
                }
                Ok((Owner::Known(customer), when)) => {
                    let (period, when) = (when.period, when.token);
                    slice.row(row, None, Ok(DriverQuantity { customer, driver, period, when, quantity }));
                }
                Err(broken) => slice.row(row, None, Err(broken)),
            }
        }
        unknown.lock().unwrap_or_else(PoisonError::into_inner).append(&mut nobodys);
        Ok(())
    })?;
    rows.par_sort_unstable();
    let unknown = sum_unknown(unknown.into_inner().unwrap_or_else(PoisonError::into_inner))?;
    let mut twice: BTreeSet<&str> = BTreeSet::new();
    if input.rules.policy("duplicate_key") != Policy::Warn {
        let same =
            |a: &DriverQuantity, b: &DriverQuantity| (a.customer, a.driver, a.when) == (b.customer, b.driver, b.when);
        rows = split_duplicates(rows, same, |row| {
            let id = customers.keys().text(row.customer as usize);
            let driver = drivers.iter().find(|(_, column)| *column == row.driver).map(|(name, _)| name);
            twice.extend(driver.map(String::as_str));
            let quantity = format_minor(i128::from(row.quantity), 6);
            let cells = serde_json::json!({"customer_id": id, "driver": driver, "quantity": quantity});
            let cells = with_time(cells, input, row.when);
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
    let of_drivers = format!("of {}", twice.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
    input.rules.judge_of(&tally.balance, |rule| (rule == "duplicate_key").then(|| of_drivers.clone()))?;
    let (held, absent): (Vec<_>, Vec<_>) = held.iter().zip(names).partition(|(held, _)| held.load(Ordering::Relaxed));
    let names = |found: Vec<(&AtomicBool, &str)>| found.into_iter().map(|(_, name)| name.to_owned()).collect();
    let (held, absent): (Vec<String>, Vec<String>) = (names(held), names(absent));
    let others = unwanted.into_inner().unwrap_or_else(PoisonError::into_inner).len();
    let others = if absent.is_empty() { 0 } else { others };
    Ok((Quantities { rows, unknown, held, absent, others }, tally))
}

/// What the table holds.
#[derive(Debug, Default)]
pub struct Quantities {
    /// Of known customers.
    pub rows: Vec<DriverQuantity>,
    /// Of unknown customers, one a customer, period and driver.
    pub unknown: Vec<UnknownQuantity>,
    /// Wanted drivers of which the table has rows.
    pub held: Vec<String>,
    /// Wanted drivers of which it has none.
    pub absent: Vec<String>,
    /// When there are any: how many drivers it has rows of that nobody wants.
    pub others: usize,
}

/// Quantities of unknown customers, added up by customer, period and driver.
fn sum_unknown(mut rows: Vec<UnknownQuantity>) -> Result<Vec<UnknownQuantity>, ContractError> {
    rows.par_sort_unstable();
    let mut sums: Vec<UnknownQuantity> = Vec::new();
    for row in rows {
        let key = |row: &UnknownQuantity| (row.customer, row.period, row.driver);
        let too_large =
            || ContractError::Setting("driver_quantities: a sum over an unknown customer leaves 64 bits".to_owned());
        match sums.last_mut().filter(|last| key(last) == key(&row)) {
            Some(last) => last.quantity = last.quantity.checked_add(row.quantity).ok_or_else(too_large)?,
            None => sums.push(row),
        }
    }
    Ok(sums)
}
