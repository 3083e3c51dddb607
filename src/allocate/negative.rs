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
    signed::amplification,
    spread::{AllocateError, Histogram},
};
pub use crate::schema::costing::Negative;
use crate::units::Quantity;

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
    /// Sum of the weights of nobody known, scaled by 10⁶.
    pub beside: u128,
    /// How many quantities were negative, nobody's too.
    pub negative: u64,
    /// Their sum, scaled by 10⁶, zero or below. `separate` is the policy whose users read it as a result.
    pub negative_total: i128,
}

/// Applies a policy to the summary of the raw quantities.
///
/// Without negative quantities every policy leaves the driver as it is.
///
/// * `beside`: quantities of nobody known, scaled by 10⁶: they count as the others do, and have no row.
///
/// # Errors
/// [`MethodError::Negative`] under `error`; [`AllocateError::TooLarge`] when a weight leaves 64 bits.
pub fn weigh(policy: Negative, summary: &Histogram, beside: &[Quantity]) -> Result<Weighted, MethodError> {
    let mut all = Cow::Borrowed(summary);
    if !beside.is_empty() {
        all.to_mut().insert(beside);
    }
    let (negative, negative_total) = (all.negative(), all.negative_total());
    let weight = match policy {
        _ if negative == 0 => Weight::Same,
        Negative::Error => {
            return Err(MethodError::Negative { rows: negative, amplification: amplification(&all) });
        }
        Negative::Signed { .. } => Weight::Same,
        Negative::Zero | Negative::Separate => Weight::Positive,
        Negative::Absolute => Weight::Absolute,
        Negative::Shift => Weight::Above(all.smallest().unwrap_or(0)),
    };
    // Signed shares have nobody beside them: below zero counts for nothing here.
    let of = |quantity: &Quantity| Some(u128::try_from(weight.of(*quantity)?).unwrap_or(0));
    let beside = beside.iter().map(of).sum::<Option<u128>>().ok_or(AllocateError::TooLarge)?;
    let summary = match weight {
        Weight::Same => summary.clone(),
        _ => summary.reweigh(|quantity| weight.of(quantity)).ok_or(AllocateError::TooLarge)?,
    };
    Ok(Weighted { summary, weight, beside, negative, negative_total })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::numeric::decimal::Decimal;

    const SIGNED: Negative = Negative::Signed { limit: Decimal { mantissa: 20, scale: 0 } };
    const ALL: [Negative; 6] =
        [Negative::Error, SIGNED, Negative::Zero, Negative::Absolute, Negative::Shift, Negative::Separate];

    fn summary(quantities: &[Quantity]) -> Histogram {
        let mut summary = Histogram::default();
        summary.insert(quantities);
        summary
    }

    #[test]
    fn weights_that_leave_sixty_four_bits_are_refused_and_may_all_be_zero() {
        let too_large = Err(AllocateError::TooLarge.into());
        assert_eq!(weigh(Negative::Shift, &summary(&[i64::MAX, -1]), &[]), too_large);
        assert_eq!(weigh(Negative::Absolute, &summary(&[i64::MIN]), &[]), too_large);
        for (policy, quantities) in [(Negative::Shift, [-3, -3]), (Negative::Zero, [-3, 0])] {
            let weighted = weigh(policy, &summary(&quantities), &[]).unwrap();
            assert_eq!(weighted.summary.plan(1), Err(AllocateError::NoDriver));
        }
    }

    #[test]
    fn quantities_of_nobody_known_go_by_the_same_policy() {
        let of = |policy| {
            let weighted = weigh(policy, &summary(&[3, 1]), &[-4]).unwrap();
            (weighted.summary.total(), weighted.beside, weighted.negative_total)
        };
        assert_eq!((of(Negative::Zero), of(Negative::Absolute)), ((4, 0, -4), (4, 4, -4)));
        // Their −4 is the smallest: 3 and 1 count as 7 and 5.
        assert_eq!(of(Negative::Shift), (12, 0, -4));
        let refused = weigh(Negative::Error, &summary(&[3, 1]), &[-4]).unwrap_err();
        assert!(refused.to_string().starts_with("1 driver quantities are negative"));
    }

    fn rows() -> impl Strategy<Value = Vec<(i64, u64)>> {
        let quantity = prop_oneof![-4..4_i64, -1_000_000_000..1_000_000_000_000_i64];
        prop::collection::vec((quantity, any::<u64>()), 1..100)
    }

    proptest! {
        #[test]
        fn a_weighted_summary_is_the_summary_of_the_weights(rows in rows(), policy in 0..ALL.len()) {
            let quantities: Vec<i64> = rows.into_iter().map(|row| row.0).collect();
            if let Ok(weighted) = weigh(ALL[policy], &summary(&quantities), &[]) {
                prop_assert_eq!(&weighted.summary, &summary(&weighted.weight.apply(&quantities)));
                prop_assert_eq!(weighted.negative_total, quantities.iter().map(|q| i128::from(*q.min(&0))).sum::<i128>());
                prop_assert_eq!(weighted.negative, quantities.iter().filter(|q| **q < 0).count() as u64);
            }
        }

        #[test]
        fn without_negative_quantities_every_policy_leaves_the_driver_as_it_is(rows in rows()) {
            let quantities: Vec<i64> = rows.into_iter().map(|row| row.0.max(0)).collect();
            for policy in ALL {
                let weighted = weigh(policy, &summary(&quantities), &[]).unwrap();
                prop_assert_eq!((weighted.summary, weighted.weight), (summary(&quantities), Weight::Same));
            }
        }
    }
}
