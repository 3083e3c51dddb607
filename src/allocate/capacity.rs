//! Time-driven cost: a rate per unit of capacity, and the cost of capacity that nobody used.
//!
//! `rate = cost / capacity` is an exact fraction. Unused capacity is one more recipient with weight `capacity − used`,
//! so that `allocated + unused = cost` in one largest remainder.
//!
//! Source: Kaplan & Anderson, Time-Driven Activity-Based Costing, Harvard Business Review, November 2004.

use serde::{Deserialize, Serialize};

use super::{
    error::MethodError,
    parts::{Parts, Planned},
    ratio::Ratio,
    spread::{AllocateError, Histogram},
};
pub use crate::schema::costing::{Capacity, OverUse};
use crate::{
    numeric::decimal::{Decimal, divide_half_even, power_of_ten},
    units::{Minor, Quantity},
};

/// Digits of a scaled quantity.
const QUANTITY_DIGITS: u32 = 6;

const MINUTES_PER_HOUR: Decimal = Decimal { mantissa: 60, scale: 0 };

/// Practical capacity in minutes, scaled by 10⁶: `people · days · hours · 60 · share`, rounded once, half to even.
///
/// * `people`: full-time equivalents.
/// * `days`: working days of the period.
/// * `hours`: paid hours a day.
/// * `share`: of the paid time that is worked, above 0 to 1 (0.8 = 80 %).
///
/// # Errors
/// [`MethodError::WorkingShare`]; [`MethodError::NoCapacity`] when the product is not above zero;
/// [`MethodError::Overflow`] when it does not fit.
///
/// ```
/// use whalecurve::{allocate::capacity::working_minutes, numeric::decimal::Decimal};
/// let of = |mantissa, scale| Decimal { mantissa, scale };
/// // 28 people, 66 days a quarter, 8 hours, 80 %
/// let minutes = working_minutes(of(28, 0), of(66, 0), of(8, 0), of(8, 1))?;
/// assert_eq!(minutes, 709_632_000_000);
/// # Ok::<(), whalecurve::allocate::error::MethodError>(())
/// ```
pub fn working_minutes(
    people: Decimal,
    days: Decimal,
    hours: Decimal,
    share: Decimal,
) -> Result<Quantity, MethodError> {
    if share.mantissa <= 0 || power_of_ten(share.scale).is_none_or(|one| share.mantissa > one) {
        return Err(MethodError::WorkingShare);
    }
    let minutes = [days, hours, MINUTES_PER_HOUR, share].into_iter().try_fold(people, Decimal::multiply);
    let minutes = minutes.and_then(|minutes| minutes.to_scaled(QUANTITY_DIGITS)).ok_or(MethodError::Overflow)?;
    if minutes > 0 { Ok(minutes) } else { Err(MethodError::NoCapacity) }
}

/// Plan of one pool over its capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacityPlan {
    planned: Planned,
    /// Scaled by 10⁶.
    capacity: i128,
    /// Scaled by 10⁶.
    used: i128,
}

/// The plan for a pool whose cost pays for a capacity.
///
/// `cost[i] = pool · quantity[i] / capacity` and `unused = pool · (capacity − used) / capacity`.
///
/// * `pool`: minor units, either sign.
/// * `summary`: of the used quantities, not negative.
/// * `beside`: what nobody known used, scaled by 10⁶; its cost is unassigned.
///
/// # Errors
/// [`MethodError::NoCapacity`]; [`MethodError::OverDriven`] under the policy `error`; [`AllocateError::NoDriver`] when
/// the capacity is what was used and nothing was; [`AllocateError::TooLarge`].
pub fn plan(
    pool: Minor,
    capacity: Capacity,
    policy: OverUse,
    summary: &Histogram,
    beside: u128,
) -> Result<CapacityPlan, MethodError> {
    let known = i128::try_from(beside).ok().and_then(|beside| summary.total().checked_add(beside));
    let used = known.ok_or(AllocateError::TooLarge)?;
    let capacity = match capacity.quantity(used) {
        quantity if quantity > 0 => quantity,
        _ if capacity == Capacity::Actual => return Err(AllocateError::NoDriver.into()),
        _ => return Err(MethodError::NoCapacity),
    };
    let planned = match (policy, used > capacity) {
        (_, false) => within(pool, summary, (capacity - used).unsigned_abs(), beside)?,
        (OverUse::Rescale, true) => within(pool, summary, 0, beside)?,
        (OverUse::OverDriven, true) => beyond(pool, summary, (capacity, used), beside)?,
        (OverUse::Error, true) => {
            let utilisation = Ratio { numerator: used, denominator: capacity };
            return Err(MethodError::OverDriven { utilisation });
        }
    };
    Ok(CapacityPlan { planned, capacity, used })
}

fn within(pool: Minor, summary: &Histogram, unused: u128, beside: u128) -> Result<Planned, AllocateError> {
    let weight = unused.checked_add(beside).ok_or(AllocateError::TooLarge)?;
    let (plan, rest) = summary.plan_beside(pool, weight)?;
    // One recipient beside the rows for both, so that they cannot move a row's cost; between them by largest remainder.
    let unassigned = if unused == 0 { rest } else { part_of(rest, beside, weight)? };
    let parts = Parts { pool, allocated: pool - rest, unused: rest - unassigned, unassigned, ..Parts::default() };
    Ok(Planned::new(Some(plan), parts))
}

/// `money · part / whole`, rounded half to even.
fn part_of(money: Minor, part: u128, whole: u128) -> Result<Minor, AllocateError> {
    if part == 0 {
        return Ok(0);
    }
    let integer = |value: u128| i128::try_from(value).map_err(|_| AllocateError::TooLarge);
    let product = i128::from(money).checked_mul(integer(part)?).ok_or(AllocateError::TooLarge)?;
    i64::try_from(divide_half_even(product, integer(whole)?)).map_err(|_| AllocateError::TooLarge)
}

/// The rows bear `pool · used / capacity`, rounded once.
fn beyond(
    pool: Minor,
    summary: &Histogram,
    (capacity, used): (i128, i128),
    beside: u128,
) -> Result<Planned, AllocateError> {
    let product = i128::from(pool).checked_mul(used).ok_or(AllocateError::TooLarge)?;
    let charged = i64::try_from(divide_half_even(product, capacity)).map_err(|_| AllocateError::TooLarge)?;
    let over_driven = pool.checked_sub(charged).ok_or(AllocateError::TooLarge)?;
    let (plan, unassigned) = summary.plan_beside(charged, beside)?;
    let parts = Parts { pool, allocated: charged - unassigned, over_driven, unassigned, ..Parts::default() };
    Ok(Planned::new(Some(plan), parts))
}

impl CapacityPlan {
    /// Where the cost went, and how the rows are planned.
    #[must_use]
    pub fn planned(&self) -> &Planned {
        &self.planned
    }

    /// The exact rate at capacity: minor units over quantity scaled by 10⁶.
    #[must_use]
    pub fn rate(&self) -> Ratio {
        Ratio { numerator: i128::from(self.planned.parts().pool), denominator: self.capacity }
    }

    /// The quantity that the cost is divided by, and what was used of it, scaled by 10⁶.
    #[must_use]
    pub fn quantities(&self) -> (i128, i128) {
        (self.capacity, self.used)
    }

    /// Used over capacity: 0.83 = 83 %. For display.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        Ratio { numerator: self.used, denominator: self.capacity }.to_f64()
    }

    /// Capacity less used, scaled by 10⁶; below zero when over-driven.
    #[must_use]
    pub fn unused_quantity(&self) -> i128 {
        self.capacity - self.used
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::QUANTITY_SCALE;

    const UNITS: i64 = QUANTITY_SCALE;

    fn summary(quantities: &[Quantity]) -> Histogram {
        let mut summary = Histogram::default();
        summary.insert(quantities);
        summary
    }

    fn minutes(minutes: i64) -> Capacity {
        Capacity::Practical(i128::from(minutes * UNITS))
    }

    #[test]
    fn the_service_department_of_kaplan_and_anderson_comes_out_to_the_cent() {
        let used = [49_000 * 8 * UNITS, 1_400 * 44 * UNITS, 2_500 * 50 * UNITS];
        let plan = plan(56_000_000, minutes(700_000), OverUse::Error, &summary(&used), 0).unwrap();
        assert_eq!(plan.planned().apply(&used, &[1, 2, 3]), [31_360_000, 4_928_000, 10_000_000]);
        let parts = plan.planned().parts();
        assert_eq!((parts.allocated, parts.unused), (46_288_000, 9_712_000));
        assert!(parts.balance());
        // 80 cents a minute.
        assert_eq!(plan.rate().numerator * i128::from(UNITS), 80 * plan.rate().denominator);
        assert_eq!(plan.unused_quantity(), i128::from(121_400 * UNITS));
        assert_eq!(format!("{:.4}", plan.utilisation()), "0.8266");
    }

    #[test]
    fn people_times_days_times_hours_at_a_share_of_the_time_is_exact() {
        let of = |mantissa, scale| Decimal { mantissa, scale };
        // The article's 28 people at 31,680 minutes a quarter and 80 %; it goes on with 700,000.
        assert_eq!(working_minutes(of(28, 0), of(66, 0), of(8, 0), of(80, 2)), Ok(709_632 * UNITS));
        assert_eq!(working_minutes(of(35, 1), of(20, 0), of(775, 2), of(1, 0)), Ok(32_550 * UNITS));
        assert_eq!(working_minutes(of(1, 0), of(1, 0), of(1, 0), of(1_000, 3)), Ok(60 * UNITS));
        for share in [of(0, 0), of(-8, 1), of(80, 0), of(1_001, 3)] {
            assert_eq!(working_minutes(of(1, 0), of(1, 0), of(1, 0), share), Err(MethodError::WorkingShare));
        }
        assert_eq!(working_minutes(of(0, 0), of(1, 0), of(8, 0), of(1, 0)), Err(MethodError::NoCapacity));
        let huge = of(i128::MAX / 2, 0);
        assert_eq!(working_minutes(huge, of(66, 0), of(8, 0), of(1, 0)), Err(MethodError::Overflow));
    }

    #[test]
    fn a_used_quantity_above_the_capacity_follows_its_policy() {
        let used = [60 * UNITS, 60 * UNITS];
        let of = |policy| plan(-1_000, minutes(100), policy, &summary(&used), 0);
        let kept = of(OverUse::OverDriven).unwrap();
        assert_eq!(kept.planned().apply(&used, &[1, 2]), [-600, -600]);
        assert_eq!((kept.planned().parts().allocated, kept.planned().parts().over_driven), (-1_200, 200));
        assert!(kept.planned().parts().balance());
        let rescaled = of(OverUse::Rescale).unwrap();
        assert_eq!(rescaled.planned().apply(&used, &[1, 2]), [-500, -500]);
        let refused = of(OverUse::Error).map_err(|error| error.to_string());
        assert_eq!(refused, Err("the used quantity is 1.20 times the capacity".to_owned()));
    }

    #[test]
    fn a_capacity_of_zero_is_refused_and_an_idle_one_is_all_unused() {
        assert_eq!(plan(5, minutes(0), OverUse::Rescale, &summary(&[1]), 0), Err(MethodError::NoCapacity));
        let idle = plan(5, minutes(1), OverUse::Error, &summary(&[0, 0]), 0).unwrap();
        assert_eq!((idle.planned().parts().unused, idle.planned().apply(&[0, 0], &[1, 2])), (5, vec![0, 0]));
        let nothing = plan(5, Capacity::Actual, OverUse::Error, &summary(&[0]), 0);
        assert_eq!(nothing, Err(AllocateError::NoDriver.into()));
    }

    #[test]
    fn at_actual_capacity_nothing_is_unused() {
        let used = [1, 2];
        let plan = plan(900, Capacity::Actual, OverUse::Error, &summary(&used), 0).unwrap();
        assert_eq!(plan.planned().apply(&used, &[1, 2]), [300, 600]);
        assert_eq!(plan.planned().parts(), Parts::allocated(900));
    }

    proptest! {
        #[test]
        fn allocated_and_unused_and_over_driven_are_the_pool(
            pool in any::<i32>(),
            rows in prop::collection::vec((0..1_000_000_000_i64, any::<u64>()), 1..100),
            capacity in 1..100_000_000_000_i64,
            policy in prop_oneof![Just(OverUse::OverDriven), Just(OverUse::Rescale)],
        ) {
            let (used, ties): (Vec<i64>, Vec<u64>) = rows.into_iter().unzip();
            let plan = plan(i64::from(pool), Capacity::Normal(i128::from(capacity)), policy, &summary(&used), 0).unwrap();
            let (cost, parts) = (plan.planned().apply(&used, &ties), plan.planned().parts());
            prop_assert!(parts.balance());
            prop_assert_eq!(cost.iter().sum::<i64>(), parts.allocated);
            let by = if policy == OverUse::Rescale { capacity.max(used.iter().sum()) } else { capacity };
            let by = i128::from(by);
            // The rounded total moves a row by half a minor unit at most, on top of the row's own rounding.
            let tolerance = if parts.over_driven == 0 { by } else { by + by / 2 + 1 };
            for (cost, quantity) in cost.iter().zip(&used) {
                let error = i128::from(*cost) * by - i128::from(pool) * i128::from(*quantity);
                prop_assert!(error.abs() < tolerance);
            }
        }

        #[test]
        fn another_unit_of_time_or_another_order_of_rows_moves_no_cost(
            pool in any::<i32>(),
            rows in prop::collection::vec((0..1_000_000_000_i64, any::<u64>()), 1..100),
            capacity in 1..100_000_000_000_i64,
            scale in 2..100_i64,
        ) {
            let (used, ties): (Vec<i64>, Vec<u64>) = rows.iter().copied().unzip();
            let (reversed, reversed_ties): (Vec<i64>, Vec<u64>) = rows.iter().rev().copied().unzip();
            let scaled: Vec<i64> = used.iter().map(|used| used * scale).collect();
            let of = |capacity, used: &[i64], ties: &[u64]| {
                let capacity = Capacity::Practical(i128::from(capacity));
                let plan = plan(i64::from(pool), capacity, OverUse::OverDriven, &summary(used), 0).unwrap();
                (plan.planned().apply(used, ties), plan.planned().parts())
            };
            let (cost, parts) = of(capacity, &used, &ties);
            prop_assert_eq!(of(capacity * scale, &scaled, &ties), (cost.clone(), parts));
            let (mut backwards, same) = of(capacity, &reversed, &reversed_ties);
            backwards.reverse();
            prop_assert_eq!((backwards, same), (cost, parts));
        }
    }
}
