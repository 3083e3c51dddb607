//! Suspect rows one by one, then the accepted lines as columns.

use super::{Driver, Judged, Ledger, TABLE, columns::Columns};
use crate::{
    contract::{
        columns::{Batch, INVALID, NULL, is_number},
        rules::Tally,
    },
    numeric::keys::{Keys, TextColumn},
    schema::{
        contract::{Bucket, RejectedRow},
        facts::NO_DAY,
        lines::{LineBatch, PURCHASE},
        objects::ObjectKeys,
        settings::{Policy, ReturnsPolicy},
    },
    units::{MinorSum, QUANTITY_SCALE},
};

impl Ledger {
    /// Judges the suspects, accepts all other rows, and turns the columns into lines.
    pub(super) fn judge_rows(&self, batch: &Batch<'_>, mut columns: Columns, suspects: &[bool]) -> Judged {
        let mut tally = Tally::default();
        let mut dropped = Vec::new();
        let mut plain = Bucket::default();
        for (row, _) in suspects.iter().enumerate().filter(|(_, suspect)| **suspect) {
            if !self.judge_row(batch, &mut columns, row, &mut tally) {
                dropped.push(row);
            }
        }
        for (amount, _) in columns.amount.iter().zip(suspects).filter(|(_, suspect)| !**suspect) {
            plain.rows += 1;
            plain.amount += MinorSum::from(*amount);
        }
        tally.balance.input.combine(plain);
        tally.balance.accepted.combine(plain);
        let objects = columns.object.take().map(|(keys, missing)| ObjectKeys {
            keys: keys_without(keys, &dropped),
            missing: without(missing, &dropped),
        });
        let lines = self.lines(columns, &dropped);
        let last_day = lines.day.iter().copied().max().unwrap_or(NO_DAY);
        Judged { lines, objects, tally, last_day }
    }

    /// Judges one row; whether it is accepted. An accepted row's missing numbers become 0.
    fn judge_row(&self, batch: &Batch<'_>, rows: &mut Columns, row: usize, tally: &mut Tally) -> bool {
        let (amount, day) = (rows.amount[row], rows.day[row]);
        let (quantity, discount) = (rows.quantity[row], rows.discount[row]);
        let product_cost = rows.product_cost[row];
        let money = is_number(amount).then_some(amount);
        tally.balance.input.add(money.unwrap_or(0));
        let is_return = is_return(amount, quantity);
        let mut unassigned = false;
        let mut broken = |rule: &'static str, reason: &'static str| {
            let policy = self.rules.policy(rule);
            tally.broken(rule, policy, money);
            if policy == Policy::Warn {
                return false;
            }
            let cells = batch.cells(row);
            tally.reject(RejectedRow { table: TABLE, rule, reason, cells, amount: money });
            true
        };
        let (null, invalid) = if self.priced {
            ("the quantity or the unit price is null", "quantity × unit price is not a finite number in range")
        } else {
            ("the amount is null", "the amount is not a finite number in range")
        };
        if amount == NULL && broken("invalid_amount", null)
            || amount == INVALID && broken("invalid_amount", invalid)
            || day == NO_DAY && broken("missing_date", "the date is null, or in none of the years 1 to 9999")
            || self.as_of.is_some_and(|as_of| day > as_of) && broken("after_as_of", "the date is after as_of")
            || rows.foreign.as_ref().is_some_and(|foreign| foreign[row])
                && broken("wrong_currency", "the currency is not the run's")
        {
            return false;
        }
        if rows.no_customer[row] {
            if broken("missing_customer", "the customer id is null or empty") {
                return false;
            }
            unassigned = true;
        } else if self.customers.as_ref().is_some_and(|known| known.get(rows.customer.get(row)).is_none())
            && broken("unknown_customer", "the customer is not in the customers table")
        {
            return false;
        }
        if self.products.is_some()
            && !self.is_priced(rows, row)
            && broken("unknown_product", "the product is not in the products table")
        {
            return false;
        }
        let driver_is = |what: i64| rows.drivers.iter().any(|driver| driver.at(row) == what);
        if (product_cost == NULL || quantity == NULL || discount == NULL || driver_is(NULL))
            && broken("missing_value", "a quantity, discount, product cost or driver is null")
        {
            return false;
        }
        let in_range = |value: i64, (low, high): (i64, i64)| (low..=high).contains(&value);
        if product_cost == INVALID && broken("invalid_amount", "the product cost is not a finite number in range")
            || discount == INVALID && broken("invalid_amount", "the discount is not a finite number in range")
            || quantity == INVALID && broken("invalid_amount", "the quantity is not a finite number in range")
            || driver_is(INVALID) && broken("invalid_driver", "a driver is not a finite number in range")
            || !in_range(amount, self.amount_range)
                && broken("amount_range", "the amount is outside the accepted range")
            || is_number(quantity)
                && !in_range(quantity, self.quantity_range)
                && broken("quantity_range", "the quantity is outside the accepted range")
            || !(self.date_range.0..=self.date_range.1).contains(&day)
                && broken("date_range", "the date is outside the accepted range")
        {
            return false;
        }
        if is_return && self.returns == ReturnsPolicy::Drop {
            tally.broken("return", Policy::Reject, money);
            let reason = "returns are dropped by configuration";
            let cells = batch.cells(row);
            tally.reject(RejectedRow { table: TABLE, rule: "return", reason, cells, amount: money });
            return false;
        }
        if unassigned {
            tally.balance.unassigned.add(amount);
            return false;
        }
        tally.balance.accepted.add(amount);
        let values = rows.drivers.iter_mut().filter_map(|driver| driver.values.as_mut());
        for column in [&mut rows.discount, &mut rows.quantity, &mut rows.product_cost].into_iter().chain(values) {
            if !is_number(column[row]) {
                column[row] = 0;
            }
        }
        true
    }

    /// The columns as lines, without the rows in `dropped`, which ascend.
    fn lines(&self, columns: Columns, dropped: &[usize]) -> LineBatch {
        let has_returns = self.returns != ReturnsPolicy::Purchases;
        let purchase = |(amount, quantity): (&i64, &i64)| {
            if has_returns && is_return(*amount, *quantity) { 0 } else { PURCHASE }
        };
        let mut mask: Vec<u32> = columns.amount.iter().zip(&columns.quantity).map(purchase).collect();
        let mut added = Vec::new();
        let mut bit = PURCHASE;
        for (driver, column) in self.drivers.iter().zip(columns.drivers) {
            if let Driver::Distinct { .. } = driver {
                bit <<= 1;
                for (row, mask) in mask.iter_mut().enumerate() {
                    *mask |= if column.counts(row) { bit } else { 0 };
                }
            } else {
                let mut values = column.values.unwrap_or_else(|| vec![QUANTITY_SCALE; mask.len()]);
                for (value, counts) in values.iter_mut().zip(column.filter.iter().flatten()) {
                    *value = if *counts { *value } else { 0 };
                }
                added.push(values);
            }
        }
        LineBatch {
            customer: keys_without(columns.customer, dropped),
            day: without(columns.day, dropped),
            order: without(columns.order, dropped),
            amount: without(columns.amount, dropped),
            discount: without(columns.discount, dropped),
            product_cost: without(columns.product_cost, dropped),
            quantity: without(columns.quantity, dropped),
            mask: without(mask, dropped),
            added: added.into_iter().map(|column| without(column, dropped)).collect(),
        }
    }
}

/// A return has a negative amount or quantity; what is no number has no sign.
#[inline]
fn is_return(amount: i64, quantity: i64) -> bool {
    let negative = |value: i64| value < 0 && is_number(value);
    negative(amount) || negative(quantity)
}

/// A column without the rows in `dropped`, which ascend.
fn without<T: Copy>(mut column: Vec<T>, dropped: &[usize]) -> Vec<T> {
    let Some(&first) = dropped.first() else { return column };
    let ends = dropped[1..].iter().copied().chain([column.len()]);
    let mut to = first;
    for (gap, end) in dropped.iter().zip(ends) {
        column.copy_within(gap + 1..end, to);
        to += end - gap - 1;
    }
    column.truncate(to);
    column
}

/// An id column without the rows in `dropped`, which ascend.
fn keys_without(keys: Keys, dropped: &[usize]) -> Keys {
    match keys {
        Keys::Int(ids) => Keys::Int(without(ids, dropped)),
        Keys::Text(ids) => Keys::Text(text_without(ids, dropped)),
    }
}

/// A text column without the rows in `dropped`, which ascend.
fn text_without(column: TextColumn, dropped: &[usize]) -> TextColumn {
    if dropped.is_empty() {
        return column;
    }
    let mut gaps = dropped.iter().peekable();
    let mut kept = TextColumn::default();
    for row in 0..column.len() {
        if gaps.next_if(|gap| **gap == row).is_none() {
            kept.push(column.get(row));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn dropped_rows_leave_and_the_others_keep_their_order(dropped in prop::collection::btree_set(0..40_usize, 0..40)) {
            let dropped: Vec<usize> = dropped.into_iter().collect();
            let kept: Vec<usize> = (0..40).filter(|row| !dropped.contains(row)).collect();
            prop_assert_eq!(&without((0..40).collect(), &dropped), &kept);
            let mut texts = TextColumn::default();
            for row in 0..40 {
                texts.push(row.to_string().as_bytes());
            }
            let texts = Keys::Text(text_without(texts, &dropped));
            prop_assert_eq!((0..texts.len()).map(|row| texts.text(row)).collect::<Vec<_>>(),
                kept.iter().map(usize::to_string).collect::<Vec<_>>());
        }
    }
}
