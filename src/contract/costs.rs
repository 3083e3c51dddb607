//! Contract of the traced table: costs that name their customer.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::{
    ContractError,
    columns::is_number,
    meant::strangers,
    owners::Owners,
    rules::Tally,
    small_table::{Input, Slice},
    tables::KnownCustomers,
    when::{need_periods, timed, when},
};
use crate::schema::tables::{Owner, TracedCost};

/// The traced table: costs that already name their customer.
///
/// * `activities`: names of the activities with method `traced`.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a table without periods in a run with periods.
pub fn traced(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    activities: &[&str],
    csv: bool,
) -> Result<(Vec<TracedCost>, Tally), ContractError> {
    let unknown: Mutex<BTreeSet<String>> = Mutex::default();
    let (mut rows, tally) = input.gather(|slice: &mut Slice<'_, TracedCost>| {
        let owners = Owners::new(slice, customers, csv)?;
        let names = slice.batch.texts("activity")?.ok_or_else(|| slice.absent("activity"))?;
        let amounts = slice.batch.numbers("amount", input.money())?.ok_or_else(|| slice.absent("amount"))?;
        let times = when(&slice.batch, input.settings.period)?;
        need_periods(input, times.is_some())?;
        for row in 0..slice.height() {
            let amount = is_number(amounts[row]).then_some(amounts[row]);
            let activity = names[row].clone().unwrap_or_default();
            let verdict = match (owners.of(row), amount) {
                (Err(broken), _) => Err(broken),
                (_, None) => Err(("invalid_amount", "the amount is null or not a finite number in range")),
                _ if !activities.contains(&activity.as_str()) => {
                    unknown.lock().unwrap_or_else(PoisonError::into_inner).insert(activity);
                    Err(("unknown_activity", "no activity with method traced has this name"))
                }
                (Ok(owner), Some(amount)) => timed(input, times.as_ref(), row).map(|when| TracedCost {
                    customer: match owner {
                        Owner::Known(customer) => Some(customer),
                        Owner::Unknown(_) => None,
                    },
                    period: when.period,
                    activity,
                    amount,
                }),
            };
            slice.row_of(&owners, row, amount, verdict);
        }
        Ok(())
    })?;
    let strangers = strangers(&unknown.into_inner().unwrap_or_else(PoisonError::into_inner), activities);
    input.rules.judge_of(&tally.balance, |rule| (rule == "unknown_activity").then(|| strangers.clone()))?;
    rows.sort_unstable();
    Ok((rows, tally))
}
