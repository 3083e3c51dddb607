//! Shares by signed quantities: a negative quantity takes cost back, and the others bear it.
//!
//! Largest remainder still sums to the pool: every share is rounded down, towards minus infinity, and its remainder is
//! what is missing, so the remainders of all rows are whole minor units.

use serde::{Deserialize, Serialize};

use super::{
    error::MethodError,
    ratio::Ratio,
    spread::{AllocateError, Histogram, Plan},
};
use crate::{
    numeric::decimal::Decimal,
    units::{Minor, Quantity},
};

/// How much money signed shares move for one unit of the pool: `Σ|q| / |Σq|`.
///
/// 1 without negative quantities; unbounded when the quantities cancel out.
#[must_use]
pub fn amplification(summary: &Histogram) -> Ratio {
    let (above, below) = (summary.total(), summary.negative_total());
    Ratio { numerator: above - below, denominator: (above + below).abs() }
}

/// Plan of shares by signed quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedPlan {
    plan: Plan,
    /// `Σq` is negative: a negative quantity bears cost and a positive one takes it back.
    flipped: bool,
}

impl SignedPlan {
    /// The plan for spreading `pool` by signed quantities: `cost[i] = pool · q[i] / Σq`, `Σ cost == pool`.
    ///
    /// Without negative quantities it is [`Histogram::plan`].
    ///
    /// * `limit`: largest accepted [`amplification`], itself accepted.
    ///
    /// # Errors
    /// [`MethodError::Amplified`], also when the quantities cancel out; [`AllocateError::NoDriver`] when all are zero;
    /// [`AllocateError::TooLarge`] when a share leaves 64 bits.
    pub fn new(pool: Minor, summary: &Histogram, limit: Decimal) -> Result<Self, MethodError> {
        let (rows, amplification) = (summary.negative(), amplification(summary));
        if rows + summary.recipients() == 0 {
            return Err(AllocateError::NoDriver.into());
        }
        if rows > 0 && amplification.exceeds(limit) {
            return Err(MethodError::Amplified { rows, amplification });
        }
        let total = summary.total() + summary.negative_total();
        let plan = Plan::unraised(pool, total.unsigned_abs());
        Ok(Self { plan, flipped: total < 0 }.raised(summary)?)
    }

    fn raised(mut self, summary: &Histogram) -> Result<Self, AllocateError> {
        let mut left = i128::from(self.plan.pool().unsigned_abs());
        let mut remainders = Vec::new();
        for (quantity, count) in summary.nonzero() {
            let (share, remainder) = self.share(quantity).ok_or(AllocateError::TooLarge)?;
            let given = i128::from(share).checked_mul(i128::from(count)).ok_or(AllocateError::TooLarge)?;
            left = left.checked_sub(given).ok_or(AllocateError::TooLarge)?;
            remainders.push((remainder, count));
        }
        self.plan.raise(remainders, u128::try_from(left).map_err(|_| AllocateError::TooLarge)?)?;
        Ok(self)
    }

    /// `⌊|pool| · q / |Σq|⌋`, `q` with the sign of `Σq`, and the remainder; `None` when the share leaves 64 bits.
    fn share(&self, quantity: Quantity) -> Option<(i64, u128)> {
        let total = self.plan.total();
        let product = u128::from(self.plan.pool().unsigned_abs()) * u128::from(quantity.unsigned_abs());
        let (share, remainder) = (i64::try_from(product / total).ok()?, product % total);
        // Rounding moves a share by one more, and the pool's sign may turn it.
        share.checked_add(1)?;
        Some(match ((quantity < 0) == self.flipped, remainder) {
            (true, _) => (share, remainder),
            (false, 0) => (-share, 0),
            (false, _) => (-share - 1, total - remainder),
        })
    }

    /// `Σq`, with its sign.
    pub(super) fn divisor(&self) -> i128 {
        let size = i128::try_from(self.plan.total()).unwrap_or(i128::MAX);
        if self.flipped { -size } else { size }
    }

    /// The plan of the shares' roundings.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether a row of this quantity is at the cut.
    #[inline]
    pub(super) fn is_tied(&self, quantity: Quantity) -> bool {
        quantity != 0 && self.plan.at_cut(self.share(quantity).unwrap_or_default().1)
    }

    /// The cost of one row; `raised` says of a row at the cut whether it gets one minor unit more.
    #[inline]
    pub(super) fn cost(&self, quantity: Quantity, raised: impl FnOnce() -> bool) -> Minor {
        let (share, remainder) = self.share(quantity).unwrap_or_default();
        self.plan.whole(share, remainder, raised)
    }

    /// The cost of every row; `Σ cost == pool` over all rows that the summary has seen.
    ///
    /// * `quantities`: of either sign, in the order of `ties`.
    /// * `ties`: tie-break hash of each row's customer.
    #[must_use]
    pub fn apply(&self, quantities: &[Quantity], ties: &[u64]) -> Vec<Minor> {
        self.plan.apply_shares(quantities, ties, |quantity| self.share(quantity).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNLIMITED: Decimal = Decimal { mantissa: i128::MAX, scale: 0 };

    fn summary(quantities: &[Quantity]) -> Histogram {
        let mut summary = Histogram::default();
        summary.insert(quantities);
        summary
    }

    fn signed(pool: Minor, quantities: &[Quantity], ties: &[u64]) -> Vec<Minor> {
        SignedPlan::new(pool, &summary(quantities), UNLIMITED).unwrap().apply(quantities, ties)
    }

    #[test]
    fn the_amplification_of_the_reference_is_nineteen_and_is_accepted_at_nineteen_alone() {
        let summary = summary(&[100, -90]);
        assert_eq!(amplification(&summary), Ratio { numerator: 190, denominator: 10 });
        assert!(SignedPlan::new(100_000, &summary, Decimal { mantissa: 19, scale: 0 }).is_ok());
        let below = Decimal { mantissa: 18_999, scale: 3 };
        let amplification = amplification(&summary);
        assert_eq!(SignedPlan::new(100_000, &summary, below), Err(MethodError::Amplified { rows: 1, amplification }));
    }

    #[test]
    fn quantities_that_cancel_out_are_refused_at_any_limit() {
        let cancelled = SignedPlan::new(1, &summary(&[5, -5]), UNLIMITED);
        assert!(matches!(cancelled, Err(MethodError::Amplified { .. })));
        assert_eq!(SignedPlan::new(1, &summary(&[0]), UNLIMITED), Err(AllocateError::NoDriver.into()));
    }

    #[test]
    fn a_share_beyond_sixty_four_bits_is_refused() {
        let huge = SignedPlan::new(Minor::MAX, &summary(&[100, -90]), UNLIMITED);
        assert_eq!(huge, Err(AllocateError::TooLarge.into()));
    }

    #[test]
    fn where_returns_outweigh_sales_the_one_who_returned_most_bears_most() {
        assert_eq!(signed(1_000, &[-100, 60], &[1, 2]), [2_500, -1_500]);
    }

    fn rows() -> impl Strategy<Value = Vec<(i64, u64)>> {
        let quantity = prop_oneof![-4..4_i64, -1_000_000_000..1_000_000_000_000_i64];
        prop::collection::vec((quantity, any::<u64>()), 1..200)
    }

    proptest! {
        #[test]
        fn signed_shares_sum_to_the_pool_and_are_off_by_less_than_one_minor_unit(pool in any::<i32>(), rows in rows()) {
            let (quantities, ties): (Vec<i64>, Vec<u64>) = rows.into_iter().unzip();
            let total: i128 = quantities.iter().map(|q| i128::from(*q)).sum();
            prop_assume!(total != 0);
            let cost = signed(i64::from(pool), &quantities, &ties);
            prop_assert_eq!(cost.iter().sum::<i64>(), i64::from(pool));
            for (cost, quantity) in cost.iter().zip(&quantities) {
                let error = i128::from(*cost) * total - i128::from(pool) * i128::from(*quantity);
                prop_assert!(error.abs() < total.abs());
                prop_assert!(*quantity != 0 || *cost == 0);
            }
        }

        #[test]
        fn without_negative_quantities_signed_shares_are_plain_shares(pool in any::<i32>(), rows in rows()) {
            let (quantities, ties): (Vec<i64>, Vec<u64>) = rows.into_iter().map(|(q, tie)| (q.max(0), tie)).unzip();
            prop_assume!(quantities.iter().any(|q| *q > 0));
            let plain = summary(&quantities).plan(i64::from(pool)).unwrap().apply(&quantities, &ties);
            prop_assert_eq!(signed(i64::from(pool), &quantities, &ties), plain);
        }

        #[test]
        fn the_other_sign_of_every_quantity_moves_no_cost(pool in any::<i32>(), rows in rows()) {
            let (quantities, ties): (Vec<i64>, Vec<u64>) = rows.into_iter().unzip();
            prop_assume!(quantities.iter().map(|q| i128::from(*q)).sum::<i128>() != 0);
            let negated: Vec<i64> = quantities.iter().map(|q| -q).collect();
            prop_assert_eq!(signed(i64::from(pool), &quantities, &ties), signed(i64::from(pool), &negated, &ties));
        }
    }
}
