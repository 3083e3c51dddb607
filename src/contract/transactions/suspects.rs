//! Rows that may break a rule, found column by column.
//!
//! A row that is no suspect breaks none: `rows` must judge exactly the same way, and a test holds that it does.

use super::{Ledger, QUANTITY_DIGITS, columns::Columns};
use crate::{
    contract::columns::{INVALID, NULL, is_number},
    numeric::decimal::{divide_half_even, power_of_ten},
    schema::{facts::NO_DAY, settings::ReturnsPolicy, tables::UnitCost},
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
            match product.filter(|_| !missing) {
                Some(product) => *cost = cost_of(*quantity, unit_costs[product as usize]),
                None => *suspect = true,
            }
        }
    }

    /// Whether the products table says what a row's product costs.
    pub(super) fn is_priced(&self, columns: &Columns, row: usize) -> bool {
        let (Some((known, _)), Some((ids, missing))) = (&self.products, &columns.product) else {
            return false;
        };
        !missing[row] && known.get(ids.get(row)).is_some()
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

/// Quantity (millionths) times unit cost, rounded once to minor units, half to even; [`INVALID`] when it does not fit,
/// [`NULL`] without a quantity.
#[inline]
fn cost_of(quantity: Quantity, unit_cost: UnitCost) -> Minor {
    if !is_number(quantity) {
        return NULL;
    }
    let UnitCost { mantissa, beyond } = unit_cost;
    if let Some(product) = quantity.checked_mul(mantissa) {
        // 64 bits do nearly always, and divide by a constant without a division.
        if beyond == 0 {
            return half_even(product, QUANTITY_SCALE);
        }
        if let Some(divisor) = 10_i64.checked_pow(QUANTITY_DIGITS + beyond) {
            return half_even(product, divisor);
        }
    }
    // A product of two numbers of 64 bits is below half of 10^39.
    let product = i128::from(quantity) * i128::from(mantissa);
    let cost = power_of_ten(QUANTITY_DIGITS + beyond).map_or(0, |divisor| divide_half_even(product, divisor));
    i64::try_from(cost).ok().filter(|cost| is_number(*cost)).unwrap_or(INVALID)
}

/// [`divide_half_even`] in 64 bits.
#[inline]
fn half_even(product: i64, divisor: i64) -> i64 {
    let (quotient, remainder) = (product.div_euclid(divisor), product.rem_euclid(divisor));
    let up = remainder > divisor / 2 || remainder == divisor / 2 && quotient & 1 == 1;
    quotient + i64::from(up)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::numeric::decimal::Decimal;

    #[test]
    fn a_unit_cost_below_a_cent_is_multiplied_before_it_is_rounded() {
        let cost = UnitCost::of(Decimal { mantissa: 149, scale: 4 }, 2).unwrap();
        let costs = [100, 1_000, 1, -1, 50].map(|units| cost_of(units * QUANTITY_SCALE, cost));
        // 1.49, 14.90, 0.01, -0.01, and 0.745, whose half goes to the even cent.
        assert_eq!(costs, [149, 1_490, 1, -1, 74]);
        // A third of a cent with more digits than 64 bits have.
        let third = UnitCost::of(Decimal { mantissa: 10_i128.pow(36) / 3, scale: 38 }, 2).unwrap();
        assert_eq!(cost_of(3_000 * QUANTITY_SCALE, third), 1_000);
        assert_eq!(UnitCost::of(Decimal { mantissa: 10_i128.pow(30), scale: 0 }, 2), None);
    }

    proptest! {
        #[test]
        fn a_product_cost_has_the_same_cent_in_64_and_in_128_bits(
            quantity in prop_oneof![any::<i64>(), -40_000_000..40_000_000_i64],
            mantissa in prop_oneof![any::<i64>(), -1_000..1_000_i64, Just(500_000), Just(1)],
            beyond in 0..30_u32,
        ) {
            prop_assume!(is_number(quantity));
            let divisor = i128::from(QUANTITY_SCALE) * 10_i128.pow(beyond);
            let wide = divide_half_even(i128::from(quantity) * i128::from(mantissa), divisor);
            let wide = i64::try_from(wide).ok().filter(|cost| is_number(*cost)).unwrap_or(INVALID);
            prop_assert_eq!(cost_of(quantity, UnitCost { mantissa, beyond }), wide);
        }
    }
}
