//! Contract of what an earlier run told of customers: its `customer_value`.

use super::{
    ContractError,
    columns::is_number,
    rules::Tally,
    small_table::{Input, Slice},
    tables::{KnownCustomers, customer_of, ids_like},
};
use crate::schema::equity::{Driven, Drivers};

/// Columns of drivers, in the order in which they are taken.
const COLUMNS: [&str; 7] = [
    "p_alive",
    "expected_discounted_lifetime",
    "expected_discounted_purchases",
    "expected_spend",
    "margin_rate",
    "cost_per_purchase",
    "cost_per_time",
];

/// Expected values with their drivers, one a customer of this run; `None` of whom the earlier run did not know, or who had not
/// bought by then.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`: a customer of the earlier run whom this one does not know.
pub fn earlier(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
) -> Result<(Vec<Option<Driven>>, Tally), ContractError> {
    let (rows, tally) = input.gather(|slice: &mut Slice<'_, (u32, Option<Driven>)>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), false)?;
        let values =
            slice.batch.numbers("expected_value", input.money())?.ok_or_else(|| slice.absent("expected_value"))?;
        let columns = COLUMNS
            .iter()
            .map(|column| slice.batch.floats(column)?.ok_or_else(|| slice.absent(column)))
            .collect::<Result<Vec<_>, ContractError>>()?;
        let rates_now = slice.batch.floats("purchase_rate_if_alive")?;
        for row in 0..slice.height() {
            let cell = |at: usize| columns[at][row];
            let drivers = || -> Option<Drivers> {
                let (lifetime, purchases) = (cell(1)?, cell(2)?);
                // Who has left would buy at the rate of one who is alive.
                let rate_now = rates_now.as_ref().and_then(|rates| rates[row]);
                Some(Drivers {
                    p_alive: cell(0)?,
                    lifetime,
                    purchase_rate: if lifetime > 0.0 { purchases / lifetime } else { rate_now.unwrap_or(0.0) },
                    spend: cell(3)?,
                    margin_rate: cell(4)?,
                    order_cost: cell(5)?,
                    sustaining_rate: cell(6)?,
                })
            };
            let value = Some(values[row]).filter(|value| is_number(*value));
            let driven = value.map(|value| {
                let untold = || {
                    let what = "equity.bridge.from: the earlier run does not say what its expected values are made of: run it again";
                    ContractError::Setting(what.to_owned())
                };
                drivers().map(|drivers| Driven { drivers, value }).ok_or_else(untold)
            });
            let driven = driven.transpose()?;
            let verdict = customer_of(&ids, &missing, row, customers).map(|customer| (customer, driven));
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    input.rules.judge(&tally.balance)?;
    let mut found = vec![None; customers.keys().len()];
    for (customer, driven) in rows {
        found[customer as usize] = driven;
    }
    Ok((found, tally))
}
