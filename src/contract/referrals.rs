//! Contract of the referrals table: who was won through whom, without circles.

use rayon::prelude::*;

use super::{
    ContractError,
    columns::{NULL, Scale},
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
    tables::{KnownCustomers, customer_of, ids_like},
};
use crate::{
    numeric::{components::Components, decimal::format_minor},
    schema::{facts::NO_DAY, period::format_day, relations::Referral},
    units::{Day, QUANTITY_SCALE},
};

/// The referrals table: one row a referral, sorted by referred customer, then referrer.
///
/// A null date is unknown, a null weight 1. A referral after the first purchase of who was referred brought nobody
/// (`late_referral`). Nobody is won through itself, nor through whom it has won: where referrals go in a circle, those from a customer to one who came before it break `cyclic_referral`. Who came first is who bought first,
/// ties by id, those without a purchase last; so no circle is left, whatever the order of the rows.
///
/// * `came`: first purchase of every customer, [`NO_DAY`] without one.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn referrals(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    csv: bool,
    as_of: Day,
    came: &[Day],
) -> Result<(Vec<Referral>, Tally), ContractError> {
    let (mut rows, mut tally) =
        input.gather(|slice: &mut Slice<'_, Referral>| judge(slice, customers, csv, (as_of, came)))?;
    rows.par_sort_unstable();
    let same = |a: &Referral, b: &Referral| (a.referred, a.referrer) == (b.referred, b.referrer);
    let rows = split_duplicates(rows, same, |row| {
        let reason = "referrer and referred stand together more than once";
        demote(&mut tally, &input.rules, "duplicate_key", reason, &cells(row, customers), None);
    });
    let backward = against_time(&rows, came);
    let mut kept = Vec::with_capacity(rows.len());
    for (row, backward) in rows.into_iter().zip(backward) {
        if backward {
            let reason = "referrals go in a circle, and the referred customer came before the referrer";
            demote(&mut tally, &input.rules, "cyclic_referral", reason, &cells(&row, customers), None);
        } else {
            kept.push(row);
        }
    }
    input.rules.judge(&tally.balance)?;
    Ok((kept, tally))
}

fn judge(
    slice: &mut Slice<'_, Referral>,
    customers: &KnownCustomers<'_>,
    csv: bool,
    (as_of, came): (Day, &[Day]),
) -> Result<(), ContractError> {
    let (referrers, no_referrer) = ids_like(&slice.batch, "referrer", customers.keys(), csv)?;
    let (referred, no_referred) = ids_like(&slice.batch, "referred", customers.keys(), csv)?;
    let dates = slice.batch.days("date")?.zip(slice.batch.nulls("date"));
    let scale = Scale::QUANTITY;
    let weights = slice.batch.numbers("weight", scale)?;
    for row in 0..slice.height() {
        let date = dates.as_ref().map(|(days, unknown)| (days[row], unknown[row]));
        let weight = match weights.as_ref().map(|weights| weights[row]) {
            None | Some(NULL) => QUANTITY_SCALE,
            Some(weight) => weight,
        };
        let both = customer_of(&referrers, &no_referrer, row, customers)
            .and_then(|referrer| Ok((referrer, customer_of(&referred, &no_referred, row, customers)?)));
        let verdict = match (both, date) {
            (Err(broken), _) => Err(broken),
            (Ok((referrer, referred)), _) if referrer == referred => {
                Err(("self_referral", "the customer recommended us to itself"))
            }
            (_, Some((NO_DAY, false))) => Err(("missing_date", "the date is no date")),
            (_, Some((date, _))) if date > as_of => Err(("after_as_of", "the date is after as_of")),
            (Ok((_, referred)), Some((date, false))) if is_late(date, came[referred as usize]) => {
                Err(("late_referral", "the referred customer had bought before"))
            }
            _ if weight <= 0 => Err(("invalid_weight", "the weight is not a finite number above 0")),
            (Ok((referrer, referred)), date) => {
                let date = date.and_then(|(date, unknown)| (!unknown).then_some(date));
                Ok(Referral { referred, referrer, date, weight })
            }
        };
        slice.row(row, None, verdict);
    }
    Ok(())
}

/// Whether who was referred had bought before.
fn is_late(date: Day, came: Day) -> bool {
    came != NO_DAY && date > came
}

fn cells(row: &Referral, customers: &KnownCustomers<'_>) -> serde_json::Value {
    let id = |row: u32| customers.keys().text(row as usize);
    serde_json::json!({
        "referrer": id(row.referrer),
        "referred": id(row.referred),
        "date": row.date.map(format_day),
        "weight": format_minor(row.weight.into(), 6),
    })
}

/// Which referrals are within a circle and run from a customer to one who came before it.
fn against_time(referrals: &[Referral], came: &[Day]) -> Vec<bool> {
    let mut first = vec![0; came.len() + 1];
    for referral in referrals {
        first[referral.referrer as usize + 1] += 1;
    }
    for customer in 0..came.len() {
        first[customer + 1] += first[customer];
    }
    let mut next = first.clone();
    let mut targets = vec![0; referrals.len()];
    for referral in referrals {
        let at = &mut next[referral.referrer as usize];
        targets[*at] = referral.referred;
        *at += 1;
    }
    let mut circle = vec![0_u32; came.len()];
    for (number, component) in (0..).zip(Components::new(&first, &targets).iter()) {
        for customer in component {
            circle[*customer as usize] = number;
        }
    }
    let when = |customer: u32| {
        let day = came[customer as usize];
        (if day == NO_DAY { Day::MAX } else { day }, customer)
    };
    let backward = |referral: &Referral| {
        circle[referral.referrer as usize] == circle[referral.referred as usize]
            && when(referral.referrer) > when(referral.referred)
    };
    referrals.iter().map(backward).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_circle_the_referrals_to_earlier_customers_are_set_aside_and_others_stay() {
        let referral = |(referrer, referred)| Referral { referred, referrer, date: None, weight: 1 };
        // 0 → 1 → 2 → 0 is a circle, 3 → 2 leads into it; 3 came last, 1 came first.
        let rows: Vec<Referral> = [(0, 1), (1, 2), (2, 0), (3, 2)].into_iter().map(referral).collect();
        assert_eq!(against_time(&rows, &[20, 10, 30, 99]), [true, false, true, false]);
        // 1 → 2 is left, so nobody is won through itself. Of equal days the smaller row came first.
        assert_eq!(against_time(&rows, &[5, 5, 5, 5]), [false, false, true, false]);
        assert_eq!(against_time(&rows[..2], &[20, 10, 5, 1]), [false, false]);
        // Who never bought came last.
        let pair: Vec<Referral> = [(0, 1), (1, 0)].into_iter().map(referral).collect();
        assert_eq!(against_time(&pair, &[NO_DAY, 7]), [true, false]);
    }
}
