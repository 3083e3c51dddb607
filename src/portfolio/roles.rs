//! Strategically significant customers: who is worth more than its own profit.

use rayon::prelude::*;

use crate::{
    numeric::decimal::{Decimal, power_of_ten},
    units::{Minor, QUANTITY_SCALE, Quantity},
};

/// Digits after the point to which a share is exact.
const SHARE_DIGITS: u32 = 18;

/// The best `⌈share · customers⌉` of those with a value above 0, ties by row.
///
/// * `values`: one a customer, no NaN. * `share`: 0 to 1.
#[must_use]
pub fn top_share(values: &[f64], share: Decimal) -> Vec<bool> {
    let mut order: Vec<u32> = (0..values.len() as u32).filter(|row| values[*row as usize] > 0.0).collect();
    order.par_sort_unstable_by(|a, b| values[*b as usize].total_cmp(&values[*a as usize]).then(a.cmp(b)));
    // In floats 0.07 · 100 is above 7, and would have eight places.
    let scaled = share.to_scaled(SHARE_DIGITS).unwrap_or(0).unsigned_abs();
    let places = (u128::from(scaled) * values.len() as u128).div_ceil(10_u128.pow(SHARE_DIGITS)) as usize;
    let mut top = vec![false; values.len()];
    for row in order.into_iter().take(places) {
        top[row as usize] = true;
    }
    top
}

/// How much a customer inspires us for what it buys: `weight / (max(sales, 0) + mean sales of a customer)`, a major unit of
/// money. The mean in the denominator keeps a customer who bought next to nothing from inspiring most.
///
/// * `weights`: sum of the weights of its interactions, scaled by 10⁶. * `sales`: minor units.
///
/// Source: Walter, Ritter & Gemünden, Value creation in buyer–seller relationships, Industrial Marketing Management 30 (2001),
/// for the scout and innovation functions of customers; the measure is this engine's.
#[must_use]
pub fn inspiration(weights: &[Quantity], sales: &[Minor], minor_per_major: f64) -> Vec<f64> {
    let total: i128 = sales.iter().map(|sales| i128::from(*sales)).sum();
    let mean = (total as f64 / sales.len().max(1) as f64).max(1.0);
    let score = |(weight, sales): (&Quantity, &Minor)| {
        (*weight as f64 / QUANTITY_SCALE as f64) / ((*sales).max(0) as f64 + mean) * minor_per_major
    };
    weights.iter().zip(sales).map(score).collect()
}

/// How many times its share of sales a customer's share of fixed cost is; `None` where it bears none, infinite without sales.
///
/// `(fixed_i / Σ fixed) / (sales_i / Σ sales)`
#[must_use]
pub fn fixed_cost_ratio(fixed: &[Minor], sales: &[Minor]) -> Vec<Option<f64>> {
    let sum = |column: &[Minor]| column.iter().map(|value| i128::from(*value)).sum::<i128>() as f64;
    let (all_fixed, all_sales) = (sum(fixed), sum(sales));
    let ratio = |(fixed, sales): (&Minor, &Minor)| {
        let share = *fixed as f64 / all_fixed;
        (all_fixed > 0.0 && *fixed > 0).then(|| match sales {
            1.. if all_sales > 0.0 => share / (*sales as f64 / all_sales),
            _ => f64::INFINITY,
        })
    };
    fixed.iter().zip(sales).map(ratio).collect()
}

/// Who absorbs so much fixed cost that others become profitable: at least `factor` times its share of sales, and `factor` times
/// what a customer bears in the mean. Compared without a rounding, where the products fit into 127 bits.
#[must_use]
pub fn cost_magnets(fixed: &[Minor], sales: &[Minor], factor: Decimal) -> Vec<bool> {
    let sum = |column: &[Minor]| column.iter().map(|value| i128::from(*value)).sum::<i128>();
    let (all_fixed, all_sales) = (sum(fixed), sum(sales));
    let customers = fixed.len() as i128;
    let scale = power_of_ten(factor.scale);
    // cost · whole >= factor · all_fixed · part.
    let reaches = |cost: i128, whole: i128, part: i128| {
        let exact = || {
            let bears = cost.checked_mul(whole)?.checked_mul(scale?)?;
            Some(bears >= all_fixed.checked_mul(part)?.checked_mul(factor.mantissa)?)
        };
        exact().unwrap_or_else(|| cost as f64 * whole as f64 >= factor.to_float() * all_fixed as f64 * part as f64)
    };
    let magnet = |(fixed, sales): (&Minor, &Minor)| {
        let (cost, sales) = (i128::from(*fixed), i128::from(*sales));
        let far_above_its_sales = sales <= 0 || all_sales <= 0 || reaches(cost, all_sales, sales);
        all_fixed > 0 && cost > 0 && far_above_its_sales && reaches(cost, customers, 1)
    };
    fixed.iter().zip(sales).map(magnet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Decimal = Decimal { mantissa: 2, scale: 0 };

    #[test]
    fn the_top_is_a_share_of_all_but_holds_nobody_without_a_value() {
        let third = Decimal { mantissa: 34, scale: 2 };
        assert_eq!(top_share(&[1.0, 5.0, 0.0, 5.0, -2.0, 5.0], third), [false, true, false, true, false, true]);
        assert_eq!(top_share(&[-1.0, 0.0], third), [false, false]);
    }

    #[test]
    fn a_share_that_no_float_is_marks_nobody_too_many() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        for percent in 0..=100 {
            let found = top_share(&values, Decimal { mantissa: percent, scale: 2 });
            assert_eq!(found.iter().filter(|top| **top).count() as i128, percent);
        }
    }

    #[test]
    fn ideas_count_by_what_the_customer_buys() {
        // Mean sales 20.00: one idea of 10.00 + 20.00, two of 30.00 + 20.00.
        let found = inspiration(&[QUANTITY_SCALE, 2 * QUANTITY_SCALE], &[1_000, 3_000], 100.0);
        assert!((found[0] - 1.0 / 30.0).abs() < 1e-15 && (found[1] - 2.0 / 50.0).abs() < 1e-15);
    }

    #[test]
    fn a_magnet_bears_far_more_than_its_share_and_far_more_than_the_mean() {
        // Fixed cost 60, 5, 35 of 100; sales 10, 0, 90 of 100.
        let (fixed, sales) = ([60, 5, 35], [10, 0, 90]);
        let ratio = fixed_cost_ratio(&fixed, &sales);
        assert!((ratio[0].unwrap() - 6.0).abs() < 1e-12 && ratio[1] == Some(f64::INFINITY));
        // Mean 33.3: 60 is less than twice of it.
        assert_eq!(cost_magnets(&fixed, &sales, TWO), [false, false, false]);
        assert_eq!(cost_magnets(&fixed, &sales, Decimal { mantissa: 15, scale: 1 }), [true, false, false]);
        assert_eq!(fixed_cost_ratio(&[0, 0], &[1, 1]), [None, None]);
        // Two who bear the same: only of one it is more than its share of sales.
        let (fixed, sales) = ([50, 50, 0], [10, 90, 0]);
        assert_eq!(cost_magnets(&fixed, &sales, Decimal { mantissa: 15, scale: 1 }), [true, false, false]);
    }

    #[test]
    fn a_customer_at_the_very_factor_is_a_magnet() {
        for parts in 1..200_i64 {
            // Twice its share of sales, and as much as 2 of n customers bear in the mean.
            let n = 2 * parts as usize + 1;
            let mut fixed = vec![7; n];
            (fixed[0], fixed[1]) = (14, 0);
            let sales = vec![100; n];
            assert!(cost_magnets(&fixed, &sales, TWO)[0], "{n} customers");
        }
    }
}
