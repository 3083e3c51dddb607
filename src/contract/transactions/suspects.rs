//! Rows that may break a rule, found column by column.
//!
//! A row that is no suspect breaks none: `rows` must judge exactly the same way, and a test holds that it does.

use super::{Ledger, columns::Columns};
use crate::{
    contract::columns::{INVALID, NULL, is_number},
    numeric::decimal::divide_half_even,
    schema::{facts::NO_DAY, settings::ReturnsPolicy},
    units::{Day, Minor, QUANTITY_SCALE, Quantity},
};

impl Ledger {
    /// One flag a row; on the way, the product costs of known products are put in.
    pub(super) fn suspects(&self, columns: &mut Columns) -> Vec<bool> {
        let mut suspects = columns.no_customer.clone();
        flag(&mut suspects, &columns.amount, outside(self.amount_range));
        flag(&mut suspects, &columns.discount, |value| !is_number(value));
        flag(&mut suspects, &columns.quantity, outside(self.quantity_range));
        let (low, high) = self.date_range;
        let high = high.min(self.as_of.unwrap_or(Day::MAX));
        flag(&mut suspects, &columns.day, |day| day == NO_DAY || day < low || day > high);
        if let Some(foreign) = &columns.foreign {
            flag(&mut suspects, foreign, |foreign| foreign);
        }
        if let Some(known) = &self.customers {
            flag(&mut suspects, &known.rows(&columns.customer), |row| row.is_none());
        }
        self.price_products(columns, &mut suspects);
        flag(&mut suspects, &columns.product_cost, |value| !is_number(value));
        for values in columns.drivers.iter().filter_map(|driver| driver.values.as_ref()) {
            flag(&mut suspects, values, |value| !is_number(value));
        }
        if self.returns == ReturnsPolicy::Drop {
            flag(&mut suspects, &columns.amount, |amount| amount < 0);
            flag(&mut suspects, &columns.quantity, |quantity| quantity < 0);
        }
        suspects
    }

    /// Product costs from the products table, where it knows the product; the others are suspects.
    fn price_products(&self, columns: &mut Columns, suspects: &mut [bool]) {
        let Some((known, unit_costs)) = &self.products else { return };
        let Some((ids, missing)) = &columns.product else {
            suspects.fill(true);
            return;
        };
        let rows = columns.product_cost.iter_mut().zip(&columns.quantity).zip(suspects);
        let products = known.rows(ids).into_iter().zip(missing);
        for (((cost, quantity), suspect), (product, missing)) in rows.zip(products) {
            match product.filter(|_| !missing).and_then(|product| unit_costs[product as usize]) {
                Some(unit_cost) => *cost = cost_of(*quantity, unit_cost),
                None => *suspect = true,
            }
        }
    }

    /// Whether the products table says what a row's product costs.
    pub(super) fn is_priced(&self, columns: &Columns, row: usize) -> bool {
        let (Some((known, unit_costs)), Some((ids, missing))) = (&self.products, &columns.product) else {
            return false;
        };
        !missing[row] && known.get(ids.get(row)).is_some_and(|product| unit_costs[product as usize].is_some())
    }
}

/// Marks the rows whose value is suspect.
fn flag<T: Copy>(suspects: &mut [bool], values: &[T], suspect: impl Fn(T) -> bool) {
    for (flag, value) in suspects.iter_mut().zip(values) {
        *flag |= suspect(*value);
    }
}

/// Whether a value is no number or lies outside a range.
fn outside((low, high): (i64, i64)) -> impl Fn(i64) -> bool {
    let low = low.max(INVALID + 1);
    move |value| value < low || value > high
}

/// Quantity (millionths) times unit cost (minor units), half to even; [`INVALID`] when it does not fit, [`NULL`] without
/// a quantity.
#[inline]
fn cost_of(quantity: Quantity, unit_cost: Minor) -> Minor {
    if !is_number(quantity) {
        return NULL;
    }
    if let Some(product) = quantity.checked_mul(unit_cost) {
        // 64 bits do nearly always, and divide by a constant without a division.
        let (quotient, remainder) = (product.div_euclid(QUANTITY_SCALE), product.rem_euclid(QUANTITY_SCALE));
        let up = remainder > QUANTITY_SCALE / 2 || remainder == QUANTITY_SCALE / 2 && quotient & 1 == 1;
        return quotient + i64::from(up);
    }
    let product = i128::from(quantity) * i128::from(unit_cost);
    let cost = divide_half_even(product, i128::from(QUANTITY_SCALE));
    i64::try_from(cost).ok().filter(|cost| is_number(*cost)).unwrap_or(INVALID)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_product_cost_has_the_same_cent_in_64_and_in_128_bits(
            quantity in prop_oneof![any::<i64>(), -40_000_000..40_000_000_i64],
            unit_cost in prop_oneof![any::<i64>(), -1_000..1_000_i64, Just(500_000), Just(1)],
        ) {
            prop_assume!(is_number(quantity));
            let wide = divide_half_even(i128::from(quantity) * i128::from(unit_cost), i128::from(QUANTITY_SCALE));
            let wide = i64::try_from(wide).ok().filter(|cost| is_number(*cost)).unwrap_or(INVALID);
            prop_assert_eq!(cost_of(quantity, unit_cost), wide);
        }
    }
}
