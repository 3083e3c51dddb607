//! Why an allocation method refuses a pool: one enum for every method, and one thing to do next.

use thiserror::Error;

use super::{ratio::Ratio, spread::AllocateError};

/// Why a method cannot allocate a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MethodError {
    /// The spread itself.
    #[error(transparent)]
    Spread(#[from] AllocateError),
    /// Negative quantities under the policy `error`.
    #[error(
        "{rows} driver quantities are negative; shares by signed quantities would move {amplification} times the pool"
    )]
    Negative {
        /// How many.
        rows: u64,
        /// `Σ|q| / |Σq|`.
        amplification: Ratio,
    },
    /// Signed shares that move much more money than the pool has.
    #[error(
        "{rows} driver quantities are negative and shares by signed quantities move {amplification} times the pool, above the limit"
    )]
    Amplified {
        /// How many quantities are negative.
        rows: u64,
        /// `Σ|q| / |Σq|`.
        amplification: Ratio,
    },
    /// A capacity of zero or less.
    #[error("the capacity is not above zero")]
    NoCapacity,
    /// More was used than there is, under the policy `error`.
    #[error("the used quantity is {utilisation} times the capacity")]
    OverDriven {
        /// Used over capacity.
        utilisation: Ratio,
    },
    /// The share of theoretical time that is worked.
    #[error("the share of working time is not between 0 and 1")]
    WorkingShare,
    /// Percentages below zero.
    #[error("{recipients} percentages are negative")]
    NegativePercent {
        /// How many.
        recipients: u64,
    },
    /// Percentages that give away more than the pool.
    #[error("the percentages sum to {percent} %, more than 100 %")]
    AboveAll {
        /// Their sum.
        percent: Ratio,
    },
    /// Fixed amounts that leave a rest of the other sign.
    #[error("the fixed amounts are more than the pool")]
    FixedAbovePool,
    /// A derived driver quantity.
    #[error("a weighted driver quantity leaves 64 bits or its weights have too many digits")]
    Overflow,
    /// Slices that do not belong together.
    #[error("{found} quantities for {expected} rows")]
    RowCount {
        /// Rows of the first slice.
        expected: usize,
        /// Rows of another.
        found: usize,
    },
}

impl MethodError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Negative { .. } | Self::Spread(AllocateError::NegativeDriver { .. }) => {
                Some("mend the driver, or choose `negative: zero`, `separate`, `absolute`, `shift` or `signed`")
            }
            Self::Amplified { .. } => Some("negative quantities nearly cancel the others: choose `zero` or `separate`"),
            Self::NoCapacity => Some("give the capacity that the pool's cost pays for, in the driver's unit"),
            Self::OverDriven { .. } => {
                Some("check the capacity and the time per unit, or choose `over_driven` or `rescale`")
            }
            Self::WorkingShare => Some("write 0.8 for 80 %"),
            Self::AboveAll { .. } | Self::NegativePercent { .. } => Some("write 98 for 98 %"),
            Self::FixedAbovePool => Some("lower the fixed amounts, or spread the whole pool by a driver"),
            Self::Spread(_) | Self::Overflow | Self::RowCount { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_how_many_and_how_much_and_what_to_do() {
        let amplification = Ratio { numerator: 190, denominator: 10 };
        let error = MethodError::Negative { rows: 1, amplification };
        assert_eq!(
            error.to_string(),
            "1 driver quantities are negative; shares by signed quantities would move 19 times the pool"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("`negative: zero`")));
        let spread = MethodError::from(AllocateError::NoDriver);
        assert_eq!(spread.to_string(), AllocateError::NoDriver.to_string());
    }
}
