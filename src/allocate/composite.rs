//! One driver made of several: points for orders, calls and returns, each with its weight.

use rayon::prelude::*;

use super::error::MethodError;
use crate::{
    numeric::decimal::{Decimal, divide_half_even, power_of_ten},
    units::Quantity,
};

/// The weighted sum of driver quantities: `quantity[i] = Σ weight_k · q_k[i]`, exact, then rounded once, half to even.
///
/// * `parts`: weight and one quantity a row, scaled by 10⁶, of either sign.
///
/// Returns one quantity a row, scaled by 10⁶.
///
/// # Errors
/// [`MethodError::RowCount`]; [`MethodError::Overflow`] when a sum does not fit, or the weights have more than 38 digits
/// together.
///
/// ```
/// use whalecurve::{allocate::composite::composite, numeric::decimal::Decimal};
/// let (orders, calls) = ([2_000_000, 0], [1_000_000, 3_000_000]);
/// let points = composite(&[(Decimal { mantissa: 5, scale: 0 }, &orders), (Decimal { mantissa: 25, scale: 2 }, &calls)])?;
/// assert_eq!(points, [10_250_000, 750_000]);
/// # Ok::<(), whalecurve::allocate::error::MethodError>(())
/// ```
pub fn composite(parts: &[(Decimal, &[Quantity])]) -> Result<Vec<Quantity>, MethodError> {
    let expected = parts.first().map_or(0, |part| part.1.len());
    if let Some(found) = parts.iter().map(|part| part.1.len()).find(|found| *found != expected) {
        return Err(MethodError::RowCount { expected, found });
    }
    let scale = parts.iter().map(|part| part.0.scale).max().unwrap_or(0);
    let weight = |weight: Decimal| weight.mantissa.checked_mul(power_of_ten(scale - weight.scale)?);
    let parts = parts.iter().map(|(decimal, quantities)| Some((weight(*decimal)?, *quantities)));
    let parts: Vec<(i128, &[Quantity])> = parts.collect::<Option<_>>().ok_or(MethodError::Overflow)?;
    let one = power_of_ten(scale).ok_or(MethodError::Overflow)?;
    let quantities = (0..expected).into_par_iter().map(|row| row_sum(&parts, one, row));
    quantities.collect::<Option<_>>().ok_or(MethodError::Overflow)
}

fn row_sum(parts: &[(i128, &[Quantity])], one: i128, row: usize) -> Option<Quantity> {
    let sum = parts.iter().try_fold(0_i128, |sum, (weight, quantities)| {
        sum.checked_add(weight.checked_mul(i128::from(quantities[row]))?)
    })?;
    i64::try_from(divide_half_even(sum, one)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(mantissa: i128, scale: u32) -> Decimal {
        Decimal { mantissa, scale }
    }

    #[test]
    fn a_weighted_driver_is_rounded_once_after_the_sum() {
        // Two halves of the last digit are one; each rounded by itself would be none.
        assert_eq!(composite(&[(of(5, 1), &[1]), (of(50, 2), &[1])]), Ok(vec![1]));
        assert_eq!(composite(&[(of(5, 1), &[1, 3, -1])]), Ok(vec![0, 2, 0]));
        assert_eq!(composite(&[]), Ok(vec![]));
    }

    #[test]
    fn what_does_not_fit_or_does_not_belong_together_is_refused() {
        assert_eq!(composite(&[(of(2, 0), &[i64::MAX])]), Err(MethodError::Overflow));
        assert_eq!(composite(&[(of(i128::MAX, 0), &[2])]), Err(MethodError::Overflow));
        assert_eq!(composite(&[(of(i128::MAX, 0), &[0]), (of(1, 9), &[0])]), Err(MethodError::Overflow));
        let uneven = composite(&[(of(1, 0), &[1, 2]), (of(1, 0), &[1])]);
        assert_eq!(uneven, Err(MethodError::RowCount { expected: 2, found: 1 }));
    }

    proptest! {
        #[test]
        fn weights_of_one_add_and_a_common_factor_multiplies(
            rows in prop::collection::vec((any::<i32>(), any::<i32>()), 0..50), factor in 1..1_000_i128,
        ) {
            let (a, b): (Vec<i64>, Vec<i64>) = rows.into_iter().map(|(a, b)| (i64::from(a), i64::from(b))).unzip();
            let sum: Vec<i64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            prop_assert_eq!(composite(&[(of(1, 0), &a), (of(10, 1), &b)]), Ok(sum.clone()));
            let times: Vec<i64> = sum.iter().map(|sum| sum * factor as i64).collect();
            prop_assert_eq!(composite(&[(of(factor, 0), &a), (of(factor * 100, 2), &b)]), Ok(times));
        }
    }
}
