//! Numerical kernels that stages share: exact decimals, ids, special functions, quadrature, random streams,
//! optimisation.
//!
//! Everything here is a pure function of its arguments with the same bits on every platform and for every number of
//! threads: transcendental functions come from `libm`, sums run in a fixed order, random numbers are a function of
//! (seed, customer, purpose).
//!
//! ```
//! use whalecurve::numeric::{
//!     decimal::float_to_minor,
//!     keys::{Key, published_hash},
//!     philox::Stream,
//! };
//!
//! // A float is the decimal that a person sees: 1.115, not 1.11499999999999999.
//! assert_eq!(float_to_minor(1.115, 2), Some(112));
//!
//! // One customer, one seed, one purpose: one stream, whoever draws it.
//! let customer = published_hash(Key::Int(7));
//! assert_eq!(customer, published_hash(Key::Text(b"7")));
//! assert_eq!(Stream::new(42, customer, 1).next_u64(), Stream::new(42, customer, 1).next_u64());
//! ```

pub mod chi_squared;
pub mod components;
pub mod concentration;
pub mod credibility;
pub mod decimal;
pub mod discounting;
pub mod distributions;
pub mod elimination;
pub mod hypergeometric;
pub mod keys;
pub mod matrix;
pub mod newton;
pub mod philox;
pub mod quadrature;
pub mod ranking;
pub mod special;
pub mod strips;
pub mod sums;
pub mod ziggurat;
