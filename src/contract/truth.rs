//! Contract of a table of true costs, which a comparison is held against.

use super::{
    ContractError,
    columns::is_number,
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
    tables::{KnownCustomers, customer_of, ids_like},
};
use crate::{numeric::decimal::format_minor, units::Minor};

/// What each customer truly cost, one a customer of the run.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`; [`ContractError::Setting`] when the table does not know
/// a customer of the run: its truth would have to be made up.
pub fn truth(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    csv: bool,
) -> Result<(Vec<Minor>, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, (u32, Minor)>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let amounts = slice.batch.numbers("amount", input.money())?.ok_or_else(|| slice.absent("amount"))?;
        for (row, amount) in amounts.into_iter().enumerate() {
            let amount = is_number(amount).then_some(amount);
            let verdict = match (customer_of(&ids, &missing, row, customers), amount) {
                (Err(broken), _) => Err(broken),
                (_, None) => Err(("invalid_amount", "the true cost is null or not a finite number in range")),
                (Ok(customer), Some(amount)) => Ok((customer, amount)),
            };
            slice.row(row, amount, verdict);
        }
        Ok(())
    })?;
    rows.sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.0 == b.0,
        |(customer, amount)| {
            let id = customers.keys().text(*customer as usize);
            let money = format_minor(i128::from(*amount), input.settings.currency.exponent);
            let cells = serde_json::json!({"customer_id": id, "amount": money});
            let reason = "the customer id stands more than once";
            demote(&mut tally, &input.rules, "duplicate_customer", reason, &cells, Some(*amount));
        },
    );
    input.rules.judge(&tally.balance)?;
    let (known, all) = (rows.len(), customers.keys().len());
    if known < all {
        let what = format!("truth: {} of {all} customers of the run are not in the table", all - known);
        return Err(ContractError::Setting(what));
    }
    Ok((rows.into_iter().map(|row| row.1).collect(), tally))
}
