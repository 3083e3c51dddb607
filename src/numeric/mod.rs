//! Numerics that stages share: exact decimals, ids, special functions, random streams.

pub mod decimal;
pub mod keys;
