//! Policies: negative and missing drivers, capacity.

use serde::{Deserialize, Serialize};

use super::Basis;
use crate::numeric::decimal::Decimal;

/// Policy for negative driver quantities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Negative {
    /// Refused: they would make the others bear more than the pool.
    #[default]
    Error,
    /// Shares by signed quantities: a negative one takes cost back.
    Signed {
        /// Largest accepted `Σ|q| / |Σq|`.
        limit: Decimal,
    },
    /// Counted as zero.
    Zero,
    /// Counted by size.
    Absolute,
    /// Every quantity less the smallest one: the most negative bears nothing.
    Shift,
    /// Counted as zero, and their sum is a result of its own.
    Separate,
}

impl Negative {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Signed { .. } => "signed",
            Self::Zero => "zero",
            Self::Absolute => "absolute",
            Self::Shift => "shift",
            Self::Separate => "separate",
        }
    }
}

/// Policy for a pool without driver quantity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoDriver {
    /// The cost stays visible as unassigned.
    #[default]
    Unassigned,
    /// Every row bears the same.
    Even,
    /// Another basis.
    Fallback(
        /// Which.
        Basis,
    ),
    /// The quantities of the latest earlier period that has any.
    PriorPeriod,
    /// The run stops.
    Error,
}

impl NoDriver {
    /// The basis that it puts in the place of the driver; `None` where it puts none, or an earlier period's quantities.
    #[must_use]
    pub fn basis(&self) -> Option<Basis> {
        match self {
            Self::Even => Some(Basis::Even),
            Self::Fallback(basis) => Some(basis.clone()),
            Self::Unassigned | Self::PriorPeriod | Self::Error => None,
        }
    }

    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Even => "even",
            Self::Fallback(_) => "fallback",
            Self::PriorPeriod => "prior_period",
            Self::Error => "error",
        }
    }
}

/// The capacity that a pool's cost is divided by, scaled by 10⁶, in the driver's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// What the resources can do, breaks and maintenance taken off.
    Practical(i128),
    /// What is used on average over several years.
    Normal(i128),
    /// What is planned to be used.
    Budgeted(i128),
    /// What was used: nothing is unused.
    Actual,
}

impl Capacity {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Practical(_) => "practical",
            Self::Normal(_) => "normal",
            Self::Budgeted(_) => "budgeted",
            Self::Actual => "actual",
        }
    }

    /// The quantity, given the used one.
    #[must_use]
    pub fn quantity(self, used: i128) -> i128 {
        match self {
            Self::Practical(quantity) | Self::Normal(quantity) | Self::Budgeted(quantity) => quantity,
            Self::Actual => used,
        }
    }
}

/// Policy for a used quantity above the capacity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverUse {
    /// Refused.
    #[default]
    Error,
    /// The rate stays: the rows bear more than the pool, and the excess is a line of the opposite sign.
    OverDriven,
    /// The rate falls to `cost / used`: the rows bear the pool.
    Rescale,
}

impl OverUse {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::OverDriven => "over_driven",
            Self::Rescale => "rescale",
        }
    }
}
