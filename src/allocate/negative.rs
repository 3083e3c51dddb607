//! What a negative driver quantity does: refuse, take cost back, or bear none.
//!
//! A policy is a weight for every quantity, found from the summary alone, so it goes before any method: spread,
//! capacity or a rate. Only `signed` keeps negative weights, and only a spread can take those.
//!
//! | policy | weight of `q` | 1,000 over 100 and −90 |
//! |---|---|---|
//! | `error` | refused, with the count and the amplification | refused: amplification 19 |
//! | `signed` | `q`, up to a limit of amplification | 10,000 and −9,000 |
//! | `zero` | `max(0, q)` | 1,000 and 0 |
//! | `separate` | `max(0, q)`, and `Σ` of the negative ones is reported | 1,000 and 0; −90 apart |
//! | `absolute` | `abs(q)` | 526.32 and 473.68 |
//! | `shift` | `q − min q` when a quantity is negative; a row of zero then bears cost too | 1,000 and 0 |

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    error::MethodError,
    parts::Parts,
    signed::{SignedPlan, amplification},
    spread::{AllocateError, Histogram, Plan},
};
pub use crate::schema::costing::Negative;
use crate::units::{Minor, Quantity};

/// The weight that a quantity counts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weight {
    /// `q`.
    Same,
    /// `max(0, q)`.
    Positive,
    /// `abs(q)`.
    Absolute,
    /// `q − smallest`.
    Above(
        /// The smallest quantity of all rows.
        Quantity,
    ),
}

impl Weight {
    /// The weight of one quantity; `None` when it leaves 64 bits.
    #[must_use]
    pub fn of(self, quantity: Quantity) -> Option<Quantity> {
        match self {
            Self::Same => Some(quantity),
            Self::Positive => Some(quantity.max(0)),
            Self::Absolute => quantity.checked_abs(),
            Self::Above(smallest) => quantity.checked_sub(smallest),
        }
    }

    /// The weights of a slice, without a copy where they are the quantities themselves.
    ///
    /// The summary has shown that every weight fits; of a row that it has not seen, a weight that does not is zero.
    #[must_use]
    pub fn apply(self, quantities: &[Quantity]) -> Cow<'_, [Quantity]> {
        match self {
            Self::Same => Cow::Borrowed(quantities),
            _ => Cow::Owned(quantities.par_iter().map(|quantity| self.of(*quantity).unwrap_or(0)).collect()),
        }
    }
}

/// A driver after its policy: what the methods take, and what stays visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weighted {
    /// Summary of the weights.
    pub summary: Histogram,
    /// Weight of a row's quantity.
    pub weight: Weight,
    /// How many quantities were negative.
    pub negative: u64,
    /// Their sum, scaled by 10⁶, zero or below. `separate` is the policy whose users read it as a result.
    pub negative_total: i128,
}

/// Applies a policy to the summary of the raw quantities.
///
/// Without negative quantities every policy leaves the driver as it is.
///
/// # Errors
/// [`MethodError::Negative`] under `error`; [`AllocateError::TooLarge`] when a weight leaves 64 bits.
pub fn weigh(policy: Negative, summary: &Histogram) -> Result<Weighted, MethodError> {
    let (negative, negative_total) = (summary.negative(), summary.negative_total());
    let weight = match policy {
        _ if negative == 0 => Weight::Same,
        Negative::Error => {
            return Err(MethodError::Negative { rows: negative, amplification: amplification(summary) });
        }
        Negative::Signed { .. } => Weight::Same,
        Negative::Zero | Negative::Separate => Weight::Positive,
        Negative::Absolute => Weight::Absolute,
        Negative::Shift => Weight::Above(summary.smallest().unwrap_or(0)),
    };
    let summary = match weight {
        Weight::Same => summary.clone(),
        _ => summary.reweigh(|quantity| weight.of(quantity)).ok_or(AllocateError::TooLarge)?,
    };
    Ok(Weighted { summary, weight, negative, negative_total })
}

/// Plan of one spread under a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NegativePlan {
    weight: Weight,
    spread: Spread,
    parts: Parts,
    /// How many quantities were negative.
    pub negative: u64,
    /// Their sum, scaled by 10⁶.
    pub negative_total: i128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Spread {
    Plain(Plan),
    Signed(SignedPlan),
}

/// The plan for spreading `pool` under a policy for negative quantities.
///
/// * `pool`: minor units, either sign.
/// * `summary`: of the raw quantities.
///
/// # Errors
/// [`MethodError`]: what the policy refuses, and [`AllocateError::NoDriver`] when every weight is zero.
pub fn plan(policy: Negative, pool: Minor, summary: &Histogram) -> Result<NegativePlan, MethodError> {
    let Weighted { summary, weight, negative, negative_total } = weigh(policy, summary)?;
    let spread = match policy {
        Negative::Signed { limit } if negative > 0 => Spread::Signed(SignedPlan::new(pool, &summary, limit)?),
        _ => Spread::Plain(summary.plan(pool)?),
    };
    Ok(NegativePlan { weight, spread, parts: Parts::allocated(pool), negative, negative_total })
}

impl NegativePlan {
    /// Where the cost went: all of it to the rows.
    #[must_use]
    pub fn parts(&self) -> Parts {
        self.parts
    }

    /// The cost of every row; `Σ cost == pool` over all rows that the summary has seen.
    ///
    /// * `quantities`: the raw ones, of either sign, in the order of `ties`.
    /// * `ties`: tie-break hash of each row's customer.
    #[must_use]
    pub fn apply(&self, quantities: &[Quantity], ties: &[u64]) -> Vec<Minor> {
        match self.spread {
            Spread::Plain(plan) => plan.apply(&self.weight.apply(quantities), ties),
            Spread::Signed(plan) => plan.apply(quantities, ties),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::allocate::ratio::Ratio;
    use crate::numeric::decimal::Decimal;

    const SIGNED: Negative = Negative::Signed { limit: Decimal { mantissa: 20, scale: 0 } };
    const ALL: [Negative; 6] =
        [Negative::Error, SIGNED, Negative::Zero, Negative::Absolute, Negative::Shift, Negative::Separate];

    fn summary(quantities: &[Quantity]) -> Histogram {
        let mut summary = Histogram::default();
        summary.insert(quantities);
        summary
    }

    fn cost(policy: Negative, pool: Minor, quantities: &[Quantity], ties: &[u64]) -> Result<Vec<Minor>, MethodError> {
        Ok(plan(policy, pool, &summary(quantities))?.apply(quantities, ties))
    }

    #[test]
    fn the_reference_over_a_hundred_and_minus_ninety_comes_out_to_the_cent() {
        let of = |policy| cost(policy, 100_000, &[100_000_000, -90_000_000], &[1, 2]);
        assert_eq!(of(SIGNED), Ok(vec![1_000_000, -900_000]));
        assert_eq!(of(Negative::Zero), Ok(vec![100_000, 0]));
        assert_eq!(of(Negative::Separate), Ok(vec![100_000, 0]));
        assert_eq!(of(Negative::Absolute), Ok(vec![52_632, 47_368]));
        assert_eq!(of(Negative::Shift), Ok(vec![100_000, 0]));
        let amplification = Ratio { numerator: 190_000_000, denominator: 10_000_000 };
        assert_eq!(of(Negative::default()), Err(MethodError::Negative { rows: 1, amplification }));
    }

    #[test]
    fn what_was_returned_stays_visible_beside_the_pool() {
        let plan = plan(Negative::Separate, 1_000, &summary(&[30, -5, 10, -7, 0])).unwrap();
        assert_eq!((plan.negative, plan.negative_total), (2, -12));
        assert_eq!(plan.apply(&[30, -5, 10, -7, 0], &[1, 2, 3, 4, 5]), [750, 0, 250, 0, 0]);
    }

    #[test]
    fn a_shift_gives_cost_to_a_row_of_zero() {
        assert_eq!(cost(Negative::Shift, 1_000, &[-10, 0, 20], &[1, 2, 3]), Ok(vec![0, 250, 750]));
    }

    #[test]
    fn weights_that_leave_sixty_four_bits_or_are_all_zero_are_refused() {
        let too_large = Err(AllocateError::TooLarge.into());
        assert_eq!(cost(Negative::Shift, 1, &[i64::MAX, -1], &[1, 2]), too_large);
        assert_eq!(cost(Negative::Absolute, 1, &[i64::MIN], &[1]), too_large);
        let no_driver = Err(AllocateError::NoDriver.into());
        assert_eq!(cost(Negative::Shift, 1, &[-3, -3], &[1, 2]), no_driver);
        assert_eq!(cost(Negative::Zero, 1, &[-3, 0], &[1, 2]), no_driver);
    }

    fn rows() -> impl Strategy<Value = Vec<(i64, u64)>> {
        let quantity = prop_oneof![-4..4_i64, -1_000_000_000..1_000_000_000_000_i64];
        prop::collection::vec((quantity, any::<u64>()), 1..100)
    }

    proptest! {
        #[test]
        fn whatever_a_policy_accepts_sums_to_the_pool(pool in any::<i32>(), rows in rows(), policy in 0..ALL.len()) {
            let (quantities, ties): (Vec<i64>, Vec<u64>) = rows.into_iter().unzip();
            if let Ok(plan) = plan(ALL[policy], i64::from(pool), &summary(&quantities)) {
                let cost = plan.apply(&quantities, &ties);
                prop_assert_eq!(cost.iter().sum::<i64>(), i64::from(pool));
                prop_assert!(plan.parts().balance());
                prop_assert_eq!(plan.negative_total, quantities.iter().map(|q| i128::from(*q.min(&0))).sum::<i128>());
                let zero = |row: usize| quantities[row] != 0 || cost[row] == 0;
                prop_assert!(ALL[policy] == Negative::Shift || (0..cost.len()).all(zero));
            }
        }

        #[test]
        fn without_negative_quantities_every_policy_is_the_plain_spread(pool in any::<i32>(), rows in rows()) {
            let (quantities, ties): (Vec<i64>, Vec<u64>) = rows.into_iter().map(|(q, tie)| (q.max(0), tie)).unzip();
            let plain = cost(Negative::Error, i64::from(pool), &quantities, &ties);
            for policy in ALL {
                prop_assert_eq!(cost(policy, i64::from(pool), &quantities, &ties), plain.clone());
            }
        }

        #[test]
        fn a_scale_of_the_quantities_or_another_order_of_rows_moves_no_cost(
            pool in any::<i32>(), rows in rows(), scale in 2..1_000_i64, policy in 0..ALL.len(),
        ) {
            let (quantities, ties): (Vec<i64>, Vec<u64>) = rows.iter().copied().unzip();
            let scaled: Vec<i64> = quantities.iter().map(|q| q * scale).collect();
            let (mut reversed, mut reversed_ties) = (quantities.clone(), ties.clone());
            reversed.reverse();
            reversed_ties.reverse();
            if let Ok(cost_of_rows) = cost(ALL[policy], i64::from(pool), &quantities, &ties) {
                prop_assert_eq!(cost(ALL[policy], i64::from(pool), &scaled, &ties), Ok(cost_of_rows.clone()));
                let mut backwards = cost(ALL[policy], i64::from(pool), &reversed, &reversed_ties).unwrap();
                backwards.reverse();
                prop_assert_eq!(backwards, cost_of_rows);
            }
        }
    }
}
