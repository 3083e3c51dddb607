//! What becomes of a pool whose driver nobody used.

use super::spread::AllocateError;
use crate::schema::costs::Unassigned;

/// Policy for a pool without driver quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoDriver {
    /// The cost stays visible as unassigned.
    #[default]
    Unassigned,
    /// Every row bears the same.
    Even,
    /// The run stops.
    Error,
}

impl NoDriver {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Even => "even",
            Self::Error => "error",
        }
    }
}

/// How a pool reaches its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// By the driver.
    Driver,
    /// The same for every row.
    Even,
    /// Not at all.
    Unassigned(
        /// Why.
        Unassigned,
    ),
}

/// The route of a pool.
///
/// * `recipients`: rows whose weight is not zero.
/// * `rows`: rows that the pool may reach.
///
/// # Errors
/// [`AllocateError::NoDriver`] when nobody used the driver, under the policy `error`.
pub fn route(policy: NoDriver, recipients: u64, rows: u64) -> Result<Route, AllocateError> {
    match (policy, recipients, rows) {
        (_, 1.., _) => Ok(Route::Driver),
        (NoDriver::Error, 0, _) => Err(AllocateError::NoDriver),
        (_, 0, 0) => Ok(Route::Unassigned(Unassigned::NoCustomer)),
        (NoDriver::Even, 0, _) => Ok(Route::Even),
        (NoDriver::Unassigned, 0, _) => Ok(Route::Unassigned(Unassigned::NoDriver)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_somebody_used_is_followed_under_every_policy() {
        for policy in [NoDriver::Unassigned, NoDriver::Even, NoDriver::Error] {
            assert_eq!(route(policy, 1, 5), Ok(Route::Driver));
        }
    }

    #[test]
    fn a_pool_without_driver_stays_visible_unless_the_policy_says_otherwise() {
        assert_eq!(route(NoDriver::default(), 0, 5), Ok(Route::Unassigned(Unassigned::NoDriver)));
        assert_eq!(route(NoDriver::Even, 0, 5), Ok(Route::Even));
        assert_eq!(route(NoDriver::Error, 0, 5), Err(AllocateError::NoDriver));
    }

    #[test]
    fn a_pool_without_rows_is_nobodys_and_the_reason_is_the_missing_customers() {
        assert_eq!(route(NoDriver::Unassigned, 0, 0), Ok(Route::Unassigned(Unassigned::NoCustomer)));
        assert_eq!(route(NoDriver::Even, 0, 0), Ok(Route::Unassigned(Unassigned::NoCustomer)));
        assert_eq!(route(NoDriver::Error, 0, 0), Err(AllocateError::NoDriver));
    }
}
