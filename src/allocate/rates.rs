//! Rates set before the period: a standard rate, and a dual rate of a fixed and a variable part.
//!
//! A rate is never rounded: the total that it charges is, once, and largest remainder spreads that total.

use serde::{Deserialize, Serialize};

use super::{
    capacity::{self, Capacity, OverUse},
    direct::rest_of,
    error::MethodError,
    parts::{Parts, Planned},
    spread::{AllocateError, Histogram},
};
use crate::{
    numeric::decimal::{Decimal, divide_half_even, power_of_ten},
    units::{Minor, QUANTITY_SCALE},
};

/// Digits of a scaled quantity.
const QUANTITY_DIGITS: i64 = 6;

/// The plan of a standard rate: `cost[i] = rate · quantity[i]`, and what the rate leaves of the pool.
///
/// `charged = rate · Σ quantity`, rounded once, half to even; `under_absorbed = pool − charged`. A pool that nobody
/// used is under-absorbed as a whole.
///
/// * `pool`: actual cost in minor units, either sign.
/// * `rate`: major units for one unit of quantity.
/// * `exponent`: digits of the currency's minor unit.
/// * `summary`: of the actual quantities, not negative.
/// * `beside`: actual quantity of nobody known, scaled by 10⁶; its charge is unassigned.
///
/// # Errors
/// [`AllocateError::NegativeDriver`]; [`AllocateError::TooLarge`] when the charge leaves 64 bits.
///
/// Source: Horngren, Datar & Rajan, Cost Accounting, chapter on overhead rates: under- and over-allocated indirect cost.
pub fn standard_rate(
    pool: Minor,
    rate: Decimal,
    exponent: u8,
    summary: &Histogram,
    beside: u128,
) -> Result<Planned, MethodError> {
    let customers = summary.negative();
    if customers > 0 {
        return Err(AllocateError::NegativeDriver { customers }.into());
    }
    let used = i128::try_from(beside).ok().and_then(|beside| summary.total().checked_add(beside));
    let charged = charge(rate, exponent, used.ok_or(AllocateError::TooLarge)?).ok_or(AllocateError::TooLarge)?;
    let under_absorbed = pool.checked_sub(charged).ok_or(AllocateError::TooLarge)?;
    let (plan, unassigned) = match used {
        Some(1..) => summary.plan_beside(charged, beside).map(|(plan, unassigned)| (Some(plan), unassigned))?,
        _ => (None, 0),
    };
    let allocated = charged - unassigned;
    Ok(Planned::new(plan, Parts { pool, allocated, under_absorbed, unassigned, ..Parts::default() }))
}

/// An agreed rate as an exact fraction: minor units over quantity scaled by 10⁶; `None` when it does not fit.
///
/// A rate of 0.0333 is 3.33 for 100 units.
pub(super) fn agreed(rate: Decimal, exponent: u8) -> Option<(Minor, i128)> {
    let digits = i64::from(rate.scale) - i64::from(exponent);
    let power = power_of_ten(u32::try_from(digits.unsigned_abs()).ok()?)?;
    let (cost, units) = if digits > 0 { (rate.mantissa, power) } else { (rate.mantissa.checked_mul(power)?, 1) };
    Some((i64::try_from(cost).ok()?, units.checked_mul(i128::from(QUANTITY_SCALE))?))
}

/// `rate · quantity` in minor units, half to even; `None` when it does not fit.
fn charge(rate: Decimal, exponent: u8, quantity: i128) -> Option<Minor> {
    let product = rate.mantissa.checked_mul(quantity)?;
    let digits = i64::from(rate.scale) + QUANTITY_DIGITS - i64::from(exponent);
    let power = power_of_ten(u32::try_from(digits.unsigned_abs()).ok()?)?;
    let charged = if digits > 0 { divide_half_even(product, power) } else { product.checked_mul(power)? };
    i64::try_from(charged).ok()
}

/// Plan of a dual rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DualPlan {
    fixed: Planned,
    variable: Planned,
    parts: Parts,
}

/// The plan of a dual rate: the fixed part by budgeted, the rest by actual quantities.
///
/// `cost[i] = fixed · budgeted[i] / capacity + (pool − fixed) · actual[i] / Σ actual`. What a customer pays of the fixed
/// part does not depend on what the others used.
///
/// * `pool`, `fixed`: minor units, either sign.
/// * `budgeted`, `actual`: summaries of the quantities, not negative, each with the quantity of nobody known, scaled by
///   10⁶, whose cost is unassigned.
/// * `capacity`: budgeted or practical capacity, scaled by 10⁶, and the policy for more than that; the part of it that
///   nobody budgeted is unused. `None` = what was budgeted.
///
/// A part whose quantities are all zero stays unassigned.
///
/// # Errors
/// [`MethodError::FixedAbovePool`] when the fixed part is more than the pool; [`MethodError::NoCapacity`] when the
/// capacity is not above zero; [`MethodError::OverDriven`] when more was budgeted, under the policy `error`;
/// [`AllocateError`].
///
/// Source: Horngren, Datar & Rajan, Cost Accounting, chapter on support-department costs: dual-rate method.
pub fn dual_rate(
    pool: Minor,
    fixed: Minor,
    budgeted: (&Histogram, u128),
    capacity: Option<(i128, OverUse)>,
    actual: (&Histogram, u128),
) -> Result<DualPlan, MethodError> {
    let rest = rest_of(pool, fixed.into())?;
    let fixed = match capacity {
        Some((quantity, policy)) => {
            *capacity::plan(fixed, Capacity::Budgeted(quantity), policy, budgeted.0, budgeted.1)?.planned()
        }
        None => spread_or_leave(fixed, budgeted)?,
    };
    let variable = spread_or_leave(rest, actual)?;
    let parts = fixed.parts().combine(&variable.parts()).ok_or(AllocateError::TooLarge)?;
    Ok(DualPlan { fixed, variable, parts })
}

/// Spreads a part; without a driver it is unassigned, and so is what nobody known used of it.
pub(super) fn spread_or_leave(part: Minor, (summary, beside): (&Histogram, u128)) -> Result<Planned, AllocateError> {
    match summary.plan_beside(part, beside) {
        Ok((plan, unassigned)) => {
            let parts = Parts { pool: part, allocated: part - unassigned, unassigned, ..Parts::default() };
            Ok(Planned::new(Some(plan), parts))
        }
        Err(AllocateError::NoDriver) => Ok(Planned::new(None, Parts::unassigned(part))),
        Err(error) => Err(error),
    }
}

impl DualPlan {
    /// Where the cost of both parts went.
    #[must_use]
    pub fn parts(&self) -> Parts {
        self.parts
    }

    /// The fixed and the variable part, each planned by itself.
    #[must_use]
    pub fn planned(&self) -> (&Planned, &Planned) {
        (&self.fixed, &self.variable)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        allocate::{spread::spread, time_equation::TimeEquation},
        units::{QUANTITY_SCALE, Quantity},
    };

    const UNITS: i64 = QUANTITY_SCALE;

    /// Rate in thousandths, cents, and quantities in millionths: one minor unit is 10⁷ of the product. A row is off by
    /// less than one for its own rounding and by half of one at most for the rounded total.
    const RATE_TOLERANCE: i128 = 15_000_000;

    fn summary(quantities: &[Quantity]) -> Histogram {
        let mut summary = Histogram::default();
        summary.insert(quantities);
        summary
    }

    /// The cost of every row under a dual rate, both parts together.
    fn both(plan: &DualPlan, budgeted: &[Quantity], actual: &[Quantity], ties: &[u64]) -> Vec<Minor> {
        let (fixed, variable) = plan.planned();
        fixed.apply(budgeted, ties).iter().zip(variable.apply(actual, ties)).map(|(a, b)| a + b).collect()
    }

    fn euros(major: i128) -> Decimal {
        Decimal { mantissa: major, scale: 0 }
    }

    /// Horngren's Spring Distribution, customers P to T, in whole units and cents: see REFERENCE.
    mod spring {
        pub(super) const TIES: [u64; 5] = [1, 2, 3, 4, 5];
        pub(super) const CASES: [i64; 5] = [2_080, 8_750, 60_800, 31_800, 3_900];
        pub(super) const PRICES: [i64; 5] = [1_440, 1_416, 1_320, 1_392, 1_296];
        pub(super) const COST_OF_GOODS: i64 = 1_200;
        pub(super) const ORDERS: [i64; 5] = [15, 25, 30, 25, 30];
        pub(super) const VISITS: [i64; 5] = [2, 3, 6, 2, 3];
        pub(super) const DELIVERIES: [i64; 5] = [10, 30, 60, 40, 20];
        pub(super) const MILES: [i64; 5] = [14, 4, 3, 8, 40];
        pub(super) const EXPEDITED: [i64; 5] = [0, 0, 0, 0, 1];
        pub(super) const POOL: i64 = 7_086_500;
    }

    /// Cost in cents and quantity of the five activities, the miles through a time equation.
    fn spring_activities() -> Vec<(Decimal, Vec<Quantity>)> {
        let units = |column: [i64; 5]| column.map(|units| units * UNITS).to_vec();
        let miles = TimeEquation::parse("deliveries * miles", &["deliveries", "miles"], &[]).unwrap();
        let miles = miles.evaluate(5, &[&units(spring::DELIVERIES), &units(spring::MILES)]).unwrap();
        vec![
            (euros(100), units(spring::ORDERS)),
            (euros(80), units(spring::VISITS)),
            (euros(2), miles),
            (Decimal { mantissa: 50, scale: 2 }, units(spring::CASES)),
            (euros(300), units(spring::EXPEDITED)),
        ]
    }

    #[test]
    fn spring_distributions_customers_cost_and_earn_what_horngren_says() {
        let mut cost = [0_i64; 5];
        let mut pools = 0;
        for (rate, quantities) in spring_activities() {
            let summary = summary(&quantities);
            let pool = charge(rate, 2, summary.total()).unwrap();
            let by_rate = standard_rate(pool, rate, 2, &summary, 0).unwrap();
            let by_driver = spread(pool, &quantities, &spring::TIES).unwrap();
            assert_eq!(by_rate.apply(&quantities, &spring::TIES), by_driver);
            assert_eq!(by_rate.parts(), Parts::allocated(pool));
            cost.iter_mut().zip(by_driver).for_each(|(sum, cost)| *sum += cost);
            pools += pool;
        }
        assert_eq!(pools, spring::POOL);
        assert_eq!(cost, [298_000, 735_500, 3_424_000, 1_920_000, 709_000]);
        let margin = |i: usize| spring::CASES[i] * (spring::PRICES[i] - spring::COST_OF_GOODS);
        assert_eq!([0, 1, 2, 3, 4].map(margin), [499_200, 1_890_000, 7_296_000, 6_105_600, 374_400]);
        let profit = [0, 1, 2, 3, 4].map(|i| margin(i) - cost[i]);
        assert_eq!(profit, [201_200, 1_154_500, 3_872_000, 4_185_600, -334_600]);
        assert_eq!(profit.iter().sum::<i64>(), 9_078_700);
    }

    #[test]
    fn spring_distributions_pool_by_revenue_hides_the_loss() {
        let revenue = [0, 1, 2, 3, 4].map(|i| spring::CASES[i] * spring::PRICES[i]);
        let cost = spread(spring::POOL, &revenue, &spring::TIES).unwrap();
        assert_eq!(cost, [146_422, 605_691, 3_923_354, 2_163_946, 247_087]);
        assert_eq!(374_400 - cost[4], 127_313);
    }

    #[test]
    fn a_standard_rate_leaves_the_variance_visible() {
        let hours = [30 * UNITS, 10 * UNITS];
        let rate = Decimal { mantissa: 125, scale: 1 };
        let under = standard_rate(60_000, rate, 2, &summary(&hours), 0).unwrap();
        assert_eq!(under.apply(&hours, &[1, 2]), [37_500, 12_500]);
        assert_eq!((under.parts().allocated, under.parts().under_absorbed), (50_000, 10_000));
        let over = standard_rate(45_000, rate, 2, &summary(&hours), 0).unwrap();
        assert_eq!(over.parts().under_absorbed, -5_000);
        let unused = standard_rate(45_000, rate, 2, &summary(&[0, 0]), 0).unwrap();
        assert_eq!((unused.parts().under_absorbed, unused.apply(&[0, 0], &[1, 2])), (45_000, vec![0, 0]));
    }

    #[test]
    fn the_total_of_a_rate_is_rounded_once_half_to_even() {
        // A third of a cent three times is one cent, never nothing.
        let third = Decimal { mantissa: 333_333, scale: 8 };
        let plan = standard_rate(1, third, 2, &summary(&[UNITS; 3]), 0).unwrap();
        assert_eq!(plan.apply(&[UNITS; 3], &[3, 1, 2]), [0, 1, 0]);
        let half = Decimal { mantissa: 5, scale: 3 };
        assert_eq!(charge(half, 2, i128::from(UNITS)), Some(0));
        assert_eq!(charge(half, 2, i128::from(3 * UNITS)), Some(2));
        assert_eq!(charge(euros(7), 9, 5), Some(35_000));
        assert_eq!(charge(euros(i128::MAX), 2, 5), None);
        let negative = standard_rate(1, half, 2, &summary(&[-1]), 0);
        assert_eq!(negative, Err(AllocateError::NegativeDriver { customers: 1 }.into()));
    }

    /// Horngren, Datar & Rajan, Cost Accounting, Sand Hill Company: fixed 3,000,000 for 18,750 hours, 200 an hour;
    /// budgeted 8,000 and 4,000 hours, used 9,000 and 3,000.
    #[test]
    fn the_dual_rate_of_sand_hill_charges_the_fixed_part_by_the_budget() {
        let (budgeted, actual) = ([8_000 * UNITS, 4_000 * UNITS], [9_000 * UNITS, 3_000 * UNITS]);
        let (budgets, used) = (summary(&budgeted), summary(&actual));
        let of = |capacity: Option<i128>| {
            let capacity = capacity.map(|capacity| (capacity, OverUse::Error));
            dual_rate(540_000_000, 300_000_000, (&budgets, 0), capacity, (&used, 0))
        };
        let budget = of(None).unwrap();
        assert_eq!(both(&budget, &budgeted, &actual, &[1, 2]), [380_000_000, 160_000_000]);
        let practical = of(Some(i128::from(18_750 * UNITS))).unwrap();
        assert_eq!(both(&practical, &budgeted, &actual, &[1, 2]), [308_000_000, 124_000_000]);
        assert_eq!(practical.parts().unused, 108_000_000);
        assert!(practical.parts().balance());
        assert!(matches!(of(Some(i128::from(UNITS))), Err(MethodError::OverDriven { .. })));
    }

    #[test]
    fn more_budgeted_than_the_capacity_follows_its_policy_and_a_fixed_part_above_the_pool_is_refused() {
        let (budgeted, actual) = ([6 * UNITS, 6 * UNITS], [UNITS, 0]);
        let (budgets, used) = (summary(&budgeted), summary(&actual));
        let of =
            |fixed, policy| dual_rate(1_400, fixed, (&budgets, 0), Some((i128::from(10 * UNITS), policy)), (&used, 0));
        let over_driven = of(1_000, OverUse::OverDriven).unwrap();
        assert_eq!(both(&over_driven, &budgeted, &actual, &[1, 2]), [1_000, 600]);
        assert_eq!(over_driven.parts().over_driven, -200);
        assert_eq!(both(&of(1_000, OverUse::Rescale).unwrap(), &budgeted, &actual, &[1, 2]), [900, 500]);
        assert!(matches!(of(1_000, OverUse::Error), Err(MethodError::OverDriven { .. })));
        assert_eq!(of(1_401, OverUse::Rescale), Err(MethodError::FixedAbovePool));
    }

    #[test]
    fn what_nobody_known_budgeted_and_used_is_unassigned_under_a_dual_rate() {
        let (budgets, used) = (summary(&[UNITS]), summary(&[UNITS]));
        let (two, three) = (2 * UNITS as u128, 3 * UNITS as u128);
        let plan =
            dual_rate(1_000, 600, (&budgets, two), Some((i128::from(6 * UNITS), OverUse::Error)), (&used, three));
        // Of 6.00 for 6 hours one is budgeted, two by nobody known and three are idle; 4.00 are for one used hour of four.
        let parts = plan.unwrap().parts();
        assert_eq!((parts.allocated, parts.unassigned, parts.unused), (200, 500, 300));
    }

    #[test]
    fn an_agreed_rate_is_an_exact_fraction() {
        let of = |mantissa, scale| Decimal { mantissa, scale };
        assert_eq!(agreed(of(333, 4), 2), Some((333, i128::from(100 * UNITS))));
        assert_eq!(agreed(of(125, 1), 2), Some((1_250, i128::from(UNITS))));
        assert_eq!(agreed(of(4, 3), 0), Some((4, i128::from(1_000 * UNITS))));
        assert_eq!(agreed(of(i128::MAX, 0), 2), None);
    }

    #[test]
    fn a_part_of_the_dual_rate_without_driver_is_unassigned() {
        let plan = dual_rate(100, 70, (&summary(&[1, 1]), 0), None, (&summary(&[0, 0]), 0)).unwrap();
        assert_eq!(both(&plan, &[1, 1], &[0, 0], &[1, 2]), [35, 35]);
        assert_eq!((plan.parts().allocated, plan.parts().unassigned), (70, 30));
    }

    fn rows() -> impl Strategy<Value = Vec<(i64, i64, u64)>> {
        let quantity = || prop_oneof![0..4_i64, 0..1_000_000_000_000_i64];
        prop::collection::vec((quantity(), quantity(), any::<u64>()), 1..100)
    }

    proptest! {
        #[test]
        fn charged_and_under_absorbed_are_the_pool(pool in any::<i32>(), rate in -10_000..10_000_i128, rows in rows()) {
            let (quantities, ties): (Vec<i64>, Vec<u64>) = rows.into_iter().map(|(q, _, tie)| (q, tie)).unzip();
            let plan = standard_rate(i64::from(pool), Decimal { mantissa: rate, scale: 3 }, 2, &summary(&quantities), 0).unwrap();
            let cost = plan.apply(&quantities, &ties);
            prop_assert!(plan.parts().balance());
            prop_assert_eq!(cost.iter().sum::<i64>(), plan.parts().allocated);
            for (cost, quantity) in cost.iter().zip(&quantities) {
                prop_assert!((i128::from(*cost) * 10_000_000 - rate * i128::from(*quantity)).abs() < RATE_TOLERANCE);
            }
        }

        #[test]
        fn a_dual_rate_sums_to_the_pool_and_a_customer_without_quantities_bears_nothing(
            pool in any::<i32>(), percent in 0..101_i64, rows in rows(), capacity in prop::option::of(0..9_i128),
        ) {
            let fixed = i64::from(pool) * percent / 100;
            let ties: Vec<u64> = rows.iter().map(|row| row.2).collect();
            let (budgeted, actual): (Vec<i64>, Vec<i64>) = rows.into_iter().map(|(b, a, _)| (b, a)).unzip();
            let budget = summary(&budgeted);
            let capacity = capacity.map(|more| (budget.total() + 1 + more * 1_000_000, OverUse::Error));
            let actuals = summary(&actual);
            let plan = dual_rate(i64::from(pool), fixed, (&budget, 0), capacity, (&actuals, 0)).unwrap();
            let cost = both(&plan, &budgeted, &actual, &ties);
            prop_assert!(plan.parts().balance());
            prop_assert_eq!(cost.iter().sum::<i64>(), plan.parts().allocated);
            for (row, cost) in cost.iter().enumerate() {
                prop_assert!(budgeted[row] != 0 || actual[row] != 0 || *cost == 0);
            }
        }
    }
}
