//! Numerical kernels that stages share: exact decimals, ids, special functions, quadrature, random streams, optimisation.
//!
//! Everything here is a pure function of its arguments with the same bits on every platform and for every number of
//! threads: transcendental functions come from `libm`, sums run in a fixed order, random numbers are a function of
//! (seed, customer, purpose).

pub mod decimal;
pub mod distributions;
pub mod hypergeometric;
pub mod keys;
pub mod matrix;
pub mod newton;
pub mod philox;
pub mod quadrature;
pub mod special;
pub mod sums;
pub mod ziggurat;
