//! Cost that goes to its recipients without a measured driver: percentages, and what fixed amounts leave.

use super::{
    error::MethodError,
    parts::Parts,
    ratio::Ratio,
    spread::{AllocateError, Histogram},
};
use crate::{
    numeric::decimal::{Decimal, power_of_ten},
    units::{Minor, MinorSum, Quantity},
};

/// Percentages of the pool for named recipients; what is missing to 100 % is unassigned.
///
/// `cost[i] = pool · percent[i] / 100`, in one largest remainder with the rest, so that
/// `Σ cost + unassigned == pool`.
///
/// * `pool`: minor units, either sign.
/// * `percents`: 98 = 98 %, not negative; one a recipient.
/// * `ties`: tie-break hash of each recipient's name.
///
/// # Errors
/// [`MethodError::NegativePercent`]; [`MethodError::AboveAll`] when they sum to more than 100 %;
/// [`AllocateError::TooLarge`] with more than 16 digits after the point.
///
/// ```
/// use whalecurve::{allocate::direct::percent, numeric::decimal::Decimal};
/// let of = |mantissa| Decimal { mantissa, scale: 0 };
/// let (cost, parts) = percent(18_225, &[of(98), of(2)], &[1, 2])?;
/// assert_eq!((cost, parts.unassigned), (vec![17_861, 364], 0));
/// # Ok::<(), whalecurve::allocate::error::MethodError>(())
/// ```
pub fn percent(pool: Minor, percents: &[Decimal], ties: &[u64]) -> Result<(Vec<Minor>, Parts), MethodError> {
    let recipients = percents.iter().filter(|percent| percent.mantissa < 0).count() as u64;
    if recipients > 0 {
        return Err(MethodError::NegativePercent { recipients });
    }
    let scale = percents.iter().map(|percent| percent.scale).max().unwrap_or(0);
    let weights = percents.iter().map(|percent| percent.to_scaled(scale));
    let weights: Vec<Quantity> = weights.collect::<Option<_>>().ok_or(AllocateError::TooLarge)?;
    let mut summary = Histogram::default();
    summary.insert(&weights);
    let one = power_of_ten(scale).ok_or(AllocateError::TooLarge)?;
    let all = one.checked_mul(100).ok_or(AllocateError::TooLarge)?;
    let rest = u128::try_from(all - summary.total())
        .map_err(|_| MethodError::AboveAll { percent: Ratio { numerator: summary.total(), denominator: one } })?;
    let (plan, unassigned) = summary.plan_beside(pool, rest)?;
    let parts = Parts { pool, allocated: pool - unassigned, unassigned, ..Parts::default() };
    Ok((plan.apply(&weights, ties), parts))
}

/// What fixed amounts leave of a pool: `pool − Σ fixed`.
///
/// # Errors
/// [`MethodError::FixedAbovePool`] when the fixed amounts have the other sign or leave a rest of the other sign.
pub(super) fn rest_of(pool: Minor, fixed: MinorSum) -> Result<Minor, MethodError> {
    let range = MinorSum::from(pool.min(0))..=MinorSum::from(pool.max(0));
    if !range.contains(&fixed) {
        return Err(MethodError::FixedAbovePool);
    }
    // Within the range above it fits.
    Ok(pool - i64::try_from(fixed).map_err(|_| AllocateError::TooLarge)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hundredths(mantissa: i128) -> Decimal {
        Decimal { mantissa, scale: 2 }
    }

    #[test]
    fn percentages_of_the_reference_come_out_to_the_cent() {
        let third = percent(78_508, &[hundredths(3_333), hundredths(3_333), hundredths(3_334)], &[1, 2, 3]);
        assert_eq!(third, Ok((vec![26_167, 26_167, 26_174], Parts::allocated(78_508))));
    }

    #[test]
    fn what_is_missing_to_a_hundred_percent_is_unassigned() {
        let (cost, parts) = percent(-10_000, &[hundredths(2_500), Decimal { mantissa: 5, scale: 1 }], &[1, 2]).unwrap();
        assert_eq!((cost, parts.unassigned), (vec![-2_500, -50], -7_450));
        assert!(parts.balance());
        assert_eq!(percent(7, &[], &[]), Ok((vec![], Parts::unassigned(7))));
    }

    #[test]
    fn percentages_above_a_hundred_or_below_zero_are_refused() {
        let error = percent(1, &[hundredths(6_000), hundredths(4_001)], &[1, 2]).unwrap_err();
        assert_eq!(error.to_string(), "the percentages sum to 100.01 %, more than 100 %");
        let negative = percent(1, &[hundredths(-1), hundredths(5)], &[1, 2]);
        assert_eq!(negative, Err(MethodError::NegativePercent { recipients: 1 }));
        let digits = percent(1, &[Decimal { mantissa: 10_i128.pow(20), scale: 19 }], &[1]);
        assert_eq!(digits, Err(AllocateError::TooLarge.into()));
    }

    #[test]
    fn fixed_amounts_leave_a_rest_of_the_pools_own_sign() {
        assert_eq!((rest_of(1_000, 400), rest_of(1_000, 1_000), rest_of(-1_000, -1)), (Ok(600), Ok(0), Ok(-999)));
        assert_eq!(rest_of(1_000, 1_001), Err(MethodError::FixedAbovePool));
        assert_eq!(rest_of(-1_000, 1), Err(MethodError::FixedAbovePool));
    }

    proptest! {
        #[test]
        fn percentages_and_the_unassigned_rest_are_the_pool(
            pool in any::<i32>(), percents in prop::collection::vec(0..2_000_i128, 0..5),
        ) {
            let ties: Vec<u64> = (0..percents.len() as u64).collect();
            let decimals: Vec<Decimal> = percents.iter().copied().map(hundredths).collect();
            let (cost, parts) = percent(i64::from(pool), &decimals, &ties).unwrap();
            prop_assert!(parts.balance());
            prop_assert_eq!(cost.iter().sum::<i64>(), parts.allocated);
            for (cost, percent) in cost.iter().zip(&percents) {
                prop_assert!((i128::from(*cost) * 10_000 - i128::from(pool) * percent).abs() < 10_000);
            }
        }
    }
}
