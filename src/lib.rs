//! whalecurve: what did each customer really earn, and what will it be worth.
//!
//! ```text
//! ledger, side tables                                                              datasets, manifest
//!   │                                                                                            ▲
//!  read ─► contract ─► facts ─► allocate ─► profit ─► forecast ─► portfolio ─► equity ─► publish ┘
//!             │          │          │          │          │           │           │
//!          accepted   customers   cost per   CM1 CM2   P(alive),    scores,    whale curve,
//!          rejected   × periods   customer   CM3, EP   lifetime     value      customer
//!                                                      value        tiers      equity
//! ```
//!
//! Stages never import each other: they meet in the table types of [`schema`], and `pipeline` alone knows the order.
//!
//! The kernels ([`facts`], [`allocate`], [`profit`], [`compare`], [`forecast`], [`potential`], [`portfolio`], [`equity`],
//! [`numeric`]) take slices
//! and give slices: no Polars, no Arrow, no I/O. With `--no-default-features` the crate is these alone; feature
//! `engine`, on by default, adds `read`, `contract`, `publish`, `store`, `pipeline`, `results`, `generate` and `cli`.
//!
//! Money is an integer number of minor units ([`units::Minor`]), and a spread pool sums to itself exactly.
//!
//! # Example
//!
//! Five customers, P to T, of one distributor. Its cost of serving them reaches each through what it used.
//!
//! ```
//! use whalecurve::{allocate::spread::spread, equity::whale_curve};
//!
//! // Money in cents. Source: Horngren's Spring Distribution case.
//! let mut profit = [499_200, 1_890_000, 7_296_000, 6_105_600, 374_400]; // contribution before cost-to-serve
//! let pools = [
//!     (1_250_000, [15, 25, 30, 25, 30]),                  // orders
//!     (128_000, [2, 3, 6, 2, 3]),                         // visits
//!     (312_000, [140, 120, 180, 320, 800]),               // delivery miles
//!     (5_366_500, [2_080, 8_750, 60_800, 31_800, 3_900]), // cases handled
//!     (30_000, [0, 0, 0, 0, 1]),                          // expedited deliveries
//! ];
//! let ties = [1, 2, 3, 4, 5]; // who gets the odd cent first; a run takes a published hash of the customer id
//! for (pool, quantity) in pools {
//!     for (profit, cost) in profit.iter_mut().zip(spread(pool, &quantity, &ties)?) {
//!         *profit -= cost;
//!     }
//! }
//! assert_eq!(profit, [201_200, 1_154_500, 3_872_000, 4_185_600, -334_600]);
//!
//! let whale = whale_curve(&profit);
//! assert_eq!((whale.peak, whale.total), (9_413_300, 9_078_700)); // four customers earn more than all five
//! assert_eq!((whale.peak_customers, whale.losing), (4, 1));
//! # Ok::<(), whalecurve::allocate::spread::AllocateError>(())
//! ```

pub mod allocate;
pub mod compare;
pub mod decide;
pub mod equity;
pub mod facts;
pub mod forecast;
pub mod numeric;
pub mod portfolio;
pub mod potential;
pub mod profit;
pub mod report;
pub mod schema;
pub mod units;

#[cfg(feature = "engine")]
pub mod cli;
#[cfg(feature = "engine")]
pub mod contract;
#[cfg(feature = "engine")]
pub mod generate;
#[cfg(feature = "engine")]
pub mod pipeline;
#[cfg(feature = "engine")]
pub mod publish;
#[cfg(feature = "engine")]
pub mod read;
#[cfg(feature = "engine")]
pub mod store;
