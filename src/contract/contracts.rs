//! Contract of the contracts table: who was under contract, from when to when.

use rayon::prelude::*;

use super::{
    ContractError,
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
    tables::{KnownCustomers, customer_of, ids_like},
};
use crate::{
    schema::{facts::NO_DAY, period::format_day, tables::CustomerContract},
    units::Day,
};

/// The contracts table: contracts in order of customer and start, which do not overlap.
///
/// A null end is none: the contract goes on. An end after `as_of` is kept; nobody knows yet that nothing comes after it.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn contracts(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    csv: bool,
    as_of: Day,
) -> Result<(Vec<CustomerContract>, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, CustomerContract>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let starts = slice.batch.days("start")?.ok_or_else(|| slice.absent("start"))?;
        let ends = slice.batch.days("end")?.ok_or_else(|| slice.absent("end"))?;
        let open = slice.batch.nulls("end").ok_or_else(|| slice.absent("end"))?;
        for row in 0..slice.height() {
            let (start, end) = (starts[row], ends[row]);
            let verdict = match customer_of(&ids, &missing, row, customers) {
                Err(broken) => Err(broken),
                Ok(_) if start == NO_DAY => Err(("missing_date", "the start is null or no date")),
                Ok(_) if end == NO_DAY && !open[row] => Err(("missing_date", "the end is no date")),
                Ok(_) if start > as_of => Err(("after_as_of", "the start is after as_of")),
                Ok(_) if end != NO_DAY && end < start => Err(("ends_before_start", "the end is before the start")),
                Ok(customer) => Ok(CustomerContract { customer, start, end: (end != NO_DAY).then_some(end) }),
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let overlaps = |last: &CustomerContract, row: &CustomerContract| {
        last.customer == row.customer && last.end.is_none_or(|end| row.start <= end)
    };
    let rows = split_duplicates(rows, overlaps, |row| {
        let cells = serde_json::json!({
            "customer_id": customers.keys().text(row.customer as usize),
            "start": format_day(row.start),
            "end": row.end.map(format_day),
        });
        let reason = "the customer is under another contract already";
        demote(&mut tally, &input.rules, "overlapping_contract", reason, &cells, None);
    });
    input.rules.judge(&tally.balance)?;
    Ok((rows, tally))
}
