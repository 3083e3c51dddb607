//! Contract of the receivables table: balances, write-offs, probabilities of default.

use rayon::prelude::*;

use super::{
    ContractError,
    columns::{INVALID, NULL, Scale, is_number},
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
    tables::{KnownCustomers, customer_of, ids_like},
    when::{need_periods, timed, when, with_time},
};
use crate::{
    numeric::decimal::format_minor,
    schema::{
        period::Period,
        tables::{PROBABILITY_SCALE, Receivable},
    },
    units::Minor,
};

/// One row of the table. Rows of one customer and token are duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    customer: u32,
    period: Period,
    token: i64,
    balance: Option<Minor>,
    write_off: Minor,
    /// Probability of default in [`PROBABILITY_SCALE`].
    probability: i64,
    /// Days late, scaled by 10⁶.
    days_late: Option<i64>,
    overdue: Option<Minor>,
    disputed: Option<Minor>,
}

impl Row {
    /// What of the row flows into results: the write-off, where the table has such a column, else the balance.
    fn money(&self, write_offs: bool) -> Minor {
        if write_offs { self.write_off } else { self.balance.unwrap_or(0) }
    }
}

/// The receivables table: what each customer owed and did not pay, by period.
///
/// Balances of a period are averaged, write-offs add up. A row's money, in the balance of the table, is its write-off
/// where that column is mapped (it goes into bad debt as it is), else its balance. A null write-off is none; a null
/// probability is that of `bad_debt` in the config.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a table without periods in a run with periods.
pub fn receivables(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    csv: bool,
) -> Result<(Vec<Receivable>, Tally), ContractError> {
    let write_offs = input.has("write_off");
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, Row>| judge(input, slice, customers, csv))?;
    rows.par_sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| (a.customer, a.token) == (b.customer, b.token),
        |row| {
            let money = |amount: Minor| format_minor(i128::from(amount), input.settings.currency.exponent);
            let mut cells = serde_json::json!({"customer_id": customers.keys().text(row.customer as usize)});
            if let Some(balance) = row.balance {
                cells["balance"] = money(balance).into();
            }
            if write_offs {
                cells["write_off"] = money(row.write_off).into();
            }
            for (column, cell) in [("overdue", row.overdue), ("disputed", row.disputed)] {
                if let Some(amount) = cell {
                    cells[column] = money(amount).into();
                }
            }
            if let Some(days) = row.days_late {
                cells["days_late"] = format_minor(days.into(), 6).into();
            }
            let cells = with_time(cells, input, row.token);
            let reason = "customer and date or period stand more than once";
            demote(&mut tally, &input.rules, "duplicate_key", reason, &cells, Some(row.money(write_offs)));
        },
    );
    input.rules.judge(&tally.balance)?;
    let too_large = || {
        let what = "receivables: write-offs of a customer in a period exceed 9.2·10¹⁸ minor units";
        ContractError::Setting(what.to_owned())
    };
    let merged = rows.chunk_by(|a, b| (a.customer, a.period) == (b.customer, b.period));
    let merged: Option<Vec<Receivable>> = merged.map(|rows| merge(rows, write_offs)).collect();
    Ok((merged.ok_or_else(too_large)?, tally))
}

fn judge(
    input: &Input<'_>,
    slice: &mut Slice<'_, Row>,
    customers: &KnownCustomers<'_>,
    csv: bool,
) -> Result<(), ContractError> {
    let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
    let balances = slice.batch.numbers("balance", input.money())?;
    let write_offs = slice.batch.numbers("write_off", input.money())?;
    let scale = Scale { digits: PROBABILITY_SCALE.ilog10(), integers_are_scaled: false };
    let probabilities = slice.batch.numbers("default_probability", scale)?;
    let common = match input.settings.economic.bad_debt {
        // What defaults with certainty, until the grades are known.
        Some(setting) if setting.by_grade => Some(PROBABILITY_SCALE),
        Some(setting) => setting.probability.and_then(|probability| probability.to_scaled(scale.digits)),
        None => None,
    };
    let days_late = slice.batch.numbers("days_late", Scale::QUANTITY)?;
    let (overdue, disputed) =
        (slice.batch.numbers("overdue", input.money())?, slice.batch.numbers("disputed", input.money())?);
    let times = when(&slice.batch, input.settings.period)?;
    need_periods(input, times.is_some())?;
    for row in 0..slice.height() {
        let balance = balances.as_ref().map(|balances| balances[row]);
        let write_off = write_offs.as_ref().map(|column| if column[row] == NULL { 0 } else { column[row] });
        let probability = match probabilities.as_ref().map(|column| column[row]) {
            None | Some(NULL) => common.or(probabilities.is_none().then_some(0)),
            Some(given) => Some(given),
        };
        let amount = write_off.or(balance).filter(|amount| is_number(*amount));
        let broken = |value: Option<i64>| value.is_some_and(|value| !is_number(value));
        let verdict = match (customer_of(&ids, &missing, row, customers), probability) {
            (Err(broken), _) => Err(broken),
            _ if broken(balance) => Err(("invalid_amount", "the balance is null or not a finite number in range")),
            _ if [&days_late, &overdue, &disputed]
                .iter()
                .any(|column| column.as_ref().is_some_and(|column| column[row] == INVALID)) =>
            {
                Err((
                    "invalid_amount",
                    "days late, what is overdue or what is disputed is not a finite number in range",
                ))
            }
            _ if broken(write_off) => Err(("invalid_amount", "the write-off is not a finite number in range")),
            (Ok(customer), Some(probability)) if (0..=PROBABILITY_SCALE).contains(&probability) => {
                timed(input, times.as_ref(), row).map(|when| Row {
                    customer,
                    period: when.period,
                    token: when.token,
                    balance,
                    write_off: write_off.unwrap_or(0),
                    probability,
                    days_late: known(days_late.as_ref(), row),
                    overdue: known(overdue.as_ref(), row),
                    disputed: known(disputed.as_ref(), row),
                })
            }
            _ => Err(("invalid_probability", "the probability of default is null or not between 0 and 1")),
        };
        slice.row(row, amount, verdict);
    }
    Ok(())
}

/// The value of a cell that is not null.
fn known(column: Option<&Vec<i64>>, row: usize) -> Option<i64> {
    column.map(|column| column[row]).filter(|value| *value != NULL)
}

/// The rows of one customer and period; `None` when the write-offs do not fit.
fn merge(rows: &[Row], has_write_off: bool) -> Option<Receivable> {
    let Row { customer, period, .. } = rows[0];
    let mut merged = Receivable { customer, period, has_write_off, ..Receivable::default() };
    let sum = |of: fn(&Row) -> Option<Minor>| {
        let owed = |row: &Row| i128::from(row.balance.unwrap_or(0).max(0));
        let known = rows.iter().filter_map(|row| Some([i128::from(of(row)?), owed(row)]));
        known.reduce(|a, b| [a[0] + b[0], a[1] + b[1]])
    };
    (merged.overdue, merged.disputed) = (sum(|row| row.overdue), sum(|row| row.disputed));
    for row in rows {
        merged.days_late += row.days_late.map_or(0, i128::from);
        merged.late_rows += u32::from(row.days_late.is_some());
        merged.owed += row.balance.map_or(0, |balance| i128::from(balance.max(0)));
        merged.write_off = merged.write_off.checked_add(row.write_off)?;
        if let Some(balance) = row.balance {
            merged.balances += 1;
            merged.balance_sum += i128::from(balance);
            merged.defaulting += i128::from(balance.max(0)) * i128::from(row.probability);
        }
    }
    Some(merged)
}
