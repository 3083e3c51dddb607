//! Contracts of the sales pipeline, of the knowledge gained from customers, and of what they say to us.

use rayon::prelude::*;

use super::{
    ContractError,
    columns::{NULL, Scale, is_number},
    rules::Tally,
    small_table::{Input, Slice},
    tables::{KnownCustomers, customer_of, ids_like, share_scale},
};
use crate::{
    numeric::decimal::divide_half_even,
    schema::{
        facts::NO_DAY,
        relations::{Learning, Opportunity, SHARE_SCALE},
    },
    units::{Day, QUANTITY_SCALE, Quantity},
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
        let scale = Scale::QUANTITY;
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

/// The interactions table: the weight of what each customer said that inspires us, scaled by 10⁶.
///
/// A row counts its own weight (1 where null) times that of its kind. A kind that the config does not name breaks
/// `unknown_kind`: it is counted and inspires nobody.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of weights that leave 64 bits.
pub fn interactions(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    csv: bool,
    as_of: Day,
) -> Result<(Vec<Quantity>, Tally), ContractError> {
    let kinds = &input.settings.portfolio.roles.inspiring;
    let names: Vec<&str> = kinds.iter().map(|(kind, _)| kind.as_str()).collect();
    let (rows, tally) = input.gather(|slice: &mut Slice<'_, (u32, i128)>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let places = slice.batch.places("kind", &names)?.ok_or_else(|| slice.absent("kind"))?;
        let dates = slice.batch.days("date")?.zip(slice.batch.nulls("date"));
        let scale = Scale::QUANTITY;
        let weights = slice.batch.numbers("weight", scale)?;
        for row in 0..slice.height() {
            let date = dates.as_ref().map(|(days, unknown)| (days[row], unknown[row]));
            let own = weights.as_ref().map(|weights| weights[row]).filter(|weight| *weight != NULL);
            let own = own.unwrap_or(QUANTITY_SCALE);
            let verdict = match customer_of(&ids, &missing, row, customers) {
                Err(broken) => Err(broken),
                Ok(_) if own < 0 => Err(("invalid_weight", "the weight is negative or not a finite number")),
                Ok(_) if date == Some((NO_DAY, false)) => Err(("missing_date", "the date is no date")),
                Ok(_) if date.is_some_and(|(date, _)| date > as_of) => Err(("after_as_of", "the date is after as_of")),
                Ok(customer) => match places[row] {
                    None => Err(("unknown_kind", "the kind is not among portfolio.roles.inspiring")),
                    Some(kind) => Ok((customer, i128::from(own) * i128::from(kinds[kind as usize].1))),
                },
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    input.rules.judge(&tally.balance)?;
    let mut sums = vec![0_i128; customers.keys().len()];
    for (customer, weight) in rows {
        sums[customer as usize] += weight;
    }
    let scaled = |sum: i128| Quantity::try_from(divide_half_even(sum, i128::from(QUANTITY_SCALE))).ok();
    let sums: Option<Vec<Quantity>> = sums.into_iter().map(scaled).collect();
    let too_large = || ContractError::Setting("interactions: the weights of a customer leave 64 bits".to_owned());
    Ok((sums.ok_or_else(too_large)?, tally))
}
