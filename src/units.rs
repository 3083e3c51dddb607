//! Units of the ledger: money in integer minor units, quantities scaled by 10⁶, days since 1970-01-01.
//!
//! Money is rounded once, on the way in (half to even) or at the end of a formula. Rates are never rounded.

/// Money in minor units of the run's currency (cents for EUR, yen for JPY).
pub type Minor = i64;

/// A sum of [`Minor`]: wide enough for 2⁶³ customers.
pub type MinorSum = i128;

/// A quantity (units, calls, minutes), scaled by [`QUANTITY_SCALE`].
pub type Quantity = i64;

/// One whole unit as a [`Quantity`].
pub const QUANTITY_SCALE: i64 = 1_000_000;

/// A calendar day: days since 1970-01-01 (Arrow `Date32`).
pub type Day = i32;

/// A length of time in days.
pub type Days = i32;
