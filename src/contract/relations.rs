//! Contracts of the sales pipeline and of the knowledge gained from customers.

use rayon::prelude::*;

use super::{
    ContractError,
    columns::{NULL, Scale, is_number},
    rules::Tally,
    tables::{Input, KnownCustomers, Slice, customer_of, ids_like, share_scale},
};
use crate::{
    schema::{
        facts::NO_DAY,
        relations::{Learning, Opportunity, SHARE_SCALE},
    },
    units::{Day, QUANTITY_SCALE},
};

/// The opportunities table: sales that may come, sorted by customer.
///
/// What was expected up to `as_of` has come, and is in the ledger, or has not: it breaks `past_opportunity`. A null margin is
/// that of the customer's other sales.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn opportunities(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    csv: bool,
    as_of: Day,
) -> Result<(Vec<Opportunity>, Tally), ContractError> {
    let (mut rows, tally) = input.gather(|slice: &mut Slice<'_, Opportunity>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let amounts = slice.batch.numbers("amount", input.money())?.ok_or_else(|| slice.absent("amount"))?;
        let probabilities =
            slice.batch.numbers("probability", share_scale())?.ok_or_else(|| slice.absent("probability"))?;
        let margins = slice.batch.numbers("margin", share_scale())?;
        let dates = slice.batch.days("date")?.ok_or_else(|| slice.absent("date"))?;
        for row in 0..slice.height() {
            let (amount, probability, date) = (amounts[row], probabilities[row], dates[row]);
            let margin = margins.as_ref().map(|margins| margins[row]).filter(|margin| *margin != NULL);
            let verdict = match customer_of(&ids, &missing, row, customers) {
                Err(broken) => Err(broken),
                Ok(_) if amount < 0 => {
                    Err(("invalid_amount", "the amount is null, negative or not a finite number in range"))
                }
                Ok(_) if !(0..=SHARE_SCALE).contains(&probability) => {
                    Err(("invalid_probability", "the probability is null or not between 0 and 1"))
                }
                Ok(_) if margin.is_some_and(|margin| !(-SHARE_SCALE..=SHARE_SCALE).contains(&margin)) => {
                    Err(("invalid_margin", "the margin is not a share between -1 and 1"))
                }
                Ok(_) if date == NO_DAY => Err(("missing_date", "the date is null or no date")),
                Ok(_) if date <= as_of => Err(("past_opportunity", "the date is not after as_of")),
                Ok(customer) => Ok(Opportunity { customer, date, amount, probability, margin }),
            };
            slice.row(row, is_number(amount).then_some(amount), verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    input.rules.judge(&tally.balance)?;
    Ok((rows, tally))
}

/// The learning table: what was learned from customers, sorted by customer. A null half-life is none: the knowledge keeps its
/// value.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn learning(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    csv: bool,
    as_of: Day,
) -> Result<(Vec<Learning>, Tally), ContractError> {
    let (mut rows, tally) = input.gather(|slice: &mut Slice<'_, Learning>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let values = slice.batch.numbers("value", input.money())?.ok_or_else(|| slice.absent("value"))?;
        let dates = slice.batch.days("date")?.ok_or_else(|| slice.absent("date"))?;
        let scale = Scale { digits: QUANTITY_SCALE.ilog10(), integers_are_scaled: false };
        let half_lives = slice.batch.numbers("half_life", scale)?;
        for row in 0..slice.height() {
            let (value, date) = (values[row], dates[row]);
            let half_life = half_lives.as_ref().map(|days| days[row]).filter(|days| *days != NULL);
            let verdict = match customer_of(&ids, &missing, row, customers) {
                Err(broken) => Err(broken),
                Ok(_) if !is_number(value) => {
                    Err(("invalid_amount", "the value is null or not a finite number in range"))
                }
                Ok(_) if half_life.is_some_and(|days| days <= 0) => {
                    Err(("invalid_half_life", "the half-life is not a number of days above 0"))
                }
                Ok(_) if date == NO_DAY => Err(("missing_date", "the date is null or no date")),
                Ok(_) if date > as_of => Err(("after_as_of", "the date is after as_of")),
                Ok(customer) => Ok(Learning { customer, date, value, half_life }),
            };
            slice.row(row, is_number(value).then_some(value), verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    input.rules.judge(&tally.balance)?;
    Ok((rows, tally))
}
