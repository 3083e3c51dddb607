//! Contract of the pools table: costs by account, cost centre, activity, period and currency.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    ContractError,
    columns::{INVALID, NULL, Scale},
    costed::{Costed, at_stake},
    fx::Amounts,
    meant::strangers,
    rules::Tally,
    small_table::{Input, Slice},
    when::{no_period, not_after, when},
};
use crate::{
    numeric::decimal::format_grouped,
    schema::{
        fx::ExactRate,
        period::{Period, PeriodKind},
        tables::{Pool, PoolCapacities, PoolLine},
    },
    units::{MinorSum, Quantity},
};

/// The lines of the pools table, as they stand, in their own currencies and not yet converted.
///
/// A line in another currency has no money in the table's balance before it is converted.
///
/// * `costed`: the activities and resource pools.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn pools(
    input: &Input<'_>,
    costed: &Costed<'_>,
) -> Result<((Vec<PoolLine>, PoolCapacities), Tally), ContractError> {
    let run = &input.settings.currency;
    let said: Mutex<SaidBy> = Mutex::default();
    // Costs whose capacity is none, by what they are the cost of and by currency.
    let idle: Mutex<BTreeMap<(String, String), MinorSum>> = Mutex::default();
    let unknown: Mutex<BTreeSet<String>> = Mutex::default();
    // Costs whose currency is none, by what they are the cost of.
    let stray: Mutex<BTreeMap<String, MinorSum>> = Mutex::default();
    let integers = AtomicBool::new(false);
    let (rows, tally) = input.gather(|slice: &mut Slice<'_, PoolLine>| {
        let names = slice.batch.texts("activity")?.ok_or_else(|| slice.absent("activity"))?;
        let amounts = Amounts::read(&slice.batch, input)?.ok_or_else(|| slice.absent("amount"))?;
        let accounts = slice.batch.keys("account")?;
        let cost_centres = slice.batch.keys("cost_centre")?;
        let capacities = slice.batch.numbers("capacity", Scale::QUANTITY)?;
        let periods = when(&slice.batch, input.settings.period)?;
        for row in 0..slice.height() {
            let (currency, amount) = amounts.of_row(row, run);
            let name = names[row].clone().unwrap_or_default();
            let period = periods.as_ref().map(|periods| periods[row]);
            let known = costed.knows(&name);
            let own = currency.as_ref().is_ok_and(|code| *code == run.code);
            let capacity = capacities.as_ref().map(|column| column[row]).filter(|capacity| *capacity != NULL);
            let text = |column: &Option<(crate::numeric::keys::Keys, Vec<bool>)>| {
                column.as_ref().and_then(|(keys, missing)| (!missing[row]).then(|| keys.text(row)))
            };
            let line = |currency: String, amount, period| PoolLine {
                account: text(&accounts),
                cost_centre: text(&cost_centres),
                activity: name.clone(),
                period,
                currency,
                amount,
                rate: ExactRate::ONE,
                converted: 0,
            };
            let no_capacity = capacity.is_some_and(|capacity| capacity == INVALID || capacity <= 0);
            if let (Ok(code), Some(amount), true, true) = (&currency, amount, known, no_capacity) {
                let of = costed.told(&name, period.flatten().map(|when| when.period));
                let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
                *idle.entry((of, code.clone())).or_default() += MinorSum::from(amount.unsigned_abs());
            }
            if let (Err(()), true) = (&currency, known) {
                integers.store(amounts.are_integers(), Ordering::Relaxed);
                let amount = amounts.of_nobody(row, run.exponent).map_or(0, i64::unsigned_abs);
                let of = costed.told(&name, period.flatten().map(|when| when.period));
                *stray.lock().unwrap_or_else(PoisonError::into_inner).entry(of).or_default() += MinorSum::from(amount);
            }
            if !known {
                unknown.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
            }
            let verdict = match (currency, amount, period) {
                (Err(()), ..) => Err(("unknown_currency", "the currency is no ISO 4217 code")),
                (_, None, _) => Err(("invalid_amount", "the amount is null or not a finite number in range")),
                _ if !known => Err(("unknown_activity", "neither an activity nor a resource pool has this name")),
                _ if no_capacity => Err(("invalid_capacity", "the capacity is not a finite number above zero")),
                (.., Some(None)) => Err(no_period(input)),
                (Ok(code), Some(amount), Some(Some(when))) => {
                    not_after(input, when).map(|when| line(code, amount, Some(when.period)))
                }
                (Ok(code), Some(amount), None) => Ok(line(code, amount, None)),
            };
            if let (Ok(line), Some(capacity)) = (&verdict, capacity) {
                let token = period.flatten().map_or(0, |when| when.token);
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                let said = said.entry((line.activity.clone(), line.period, token)).or_default();
                said.capacities.insert(capacity);
                *said.money.entry(line.currency.clone()).or_default() += MinorSum::from(line.amount.unsigned_abs());
            }
            slice.row(row, amount.filter(|_| own), verdict);
        }
        Ok(())
    })?;
    let idle = idle.into_inner().unwrap_or_else(PoisonError::into_inner);
    let of: Vec<String> =
        idle.into_iter().map(|((of, code), money)| format!("{} of {of}", at_stake(money, &code, run))).collect();
    let objects = (!of.is_empty()).then(|| format!("{} are at stake", of.join(", ")));
    let strangers = strangers(&unknown.into_inner().unwrap_or_else(PoisonError::into_inner), &costed.names());
    let (unit, exponent) = if integers.into_inner() { (" minor units", 0) } else { ("", run.exponent) };
    let stray = stray.into_inner().unwrap_or_else(PoisonError::into_inner);
    let stray: Vec<String> =
        stray.into_iter().map(|(of, money)| format!("{}{unit} of {of}", format_grouped(money, exponent))).collect();
    input.rules.judge_of(&tally.balance, |rule| match rule {
        "unknown_currency" => (!stray.is_empty()).then(|| format!("{} are at stake", stray.join(", "))),
        "invalid_capacity" => objects.clone(),
        "unknown_activity" => Some(strangers.clone()),
        _ => None,
    })?;
    let said = said.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(((rows, capacities(said, costed, input)?), tally))
}

/// What rows say of one pool's capacity at one time: by date, or by the label of the period.
#[derive(Debug, Default)]
struct Said {
    capacities: BTreeSet<Quantity>,
    /// Cost of the rows, by currency.
    money: BTreeMap<String, MinorSum>,
}

/// Capacities as rows give them, by activity or resource pool, period and time within it.
type SaidBy = BTreeMap<(String, Option<Period>, i64), Said>;

/// The capacity of every pool: rows of one time say one, once or more than once; what a period holds of times adds up.
fn capacities(said: SaidBy, costed: &Costed<'_>, input: &Input<'_>) -> Result<PoolCapacities, ContractError> {
    let mut sums = PoolCapacities::new();
    let run = &input.settings.currency;
    for ((name, period, _), Said { capacities, money }) in said {
        let told = || costed.told(&name, period);
        let when = period.filter(|_| input.settings.period != PeriodKind::Whole);
        let when = when.map_or_else(String::new, |at| format!(" in {}", input.settings.period.label(at)));
        if capacities.len() > 1 {
            let money: Vec<String> = money.iter().map(|(code, money)| at_stake(*money, code, run)).collect();
            let what = format!(
                "pools: rows of {}{when} give {} capacities, where a pool has one: give it on one row, or the same on all; {} \
                 are at stake",
                told(),
                capacities.len(),
                money.join(", ")
            );
            return Err(ContractError::Setting(what));
        }
        let Some(capacity) = capacities.first() else { continue };
        let too_large = || ContractError::Setting(format!("pools: the capacity of {}{when} leaves 64 bits", told()));
        let sum = sums.entry((name.clone(), period)).or_default();
        *sum = sum.checked_add(*capacity).ok_or_else(too_large)?;
    }
    Ok(sums)
}

/// Converted lines, added up by activity and period.
///
/// * `lines`: converted. * `capacities`: of pools that have one.
///
/// # Errors
/// [`ContractError::Setting`] when a sum leaves 64 bits.
pub fn merge(lines: &[PoolLine], capacities: &PoolCapacities) -> Result<Vec<Pool>, ContractError> {
    let line = |line: &PoolLine| Pool {
        activity: line.activity.clone(),
        period: line.period,
        amount: line.converted,
        capacity: capacities.get(&(line.activity.clone(), line.period)).copied(),
    };
    let mut rows: Vec<Pool> = lines.iter().map(line).collect();
    rows.sort_unstable();
    let mut merged: Vec<Pool> = Vec::new();
    for row in rows {
        match merged.last_mut().filter(|last| last.activity == row.activity && last.period == row.period) {
            Some(last) => {
                let too_large = || {
                    ContractError::Setting(format!("pools: activity `{}` exceeds 9.2·10¹⁸ minor units", row.activity))
                };
                last.amount = last.amount.checked_add(row.amount).ok_or_else(too_large)?;
            }
            None => merged.push(row),
        }
    }
    Ok(merged)
}
