//! From cost pools to cost per customer, period and activity, exact to the minor unit.
//!
//! ```text
//! resource pools ── network ──▶ activities ── method ──▶ shares ── chunk ──▶ cost of a slice of cells
//! ```
//!
//! [`plan`] settles every pool of a run: what becomes of its cost, and by which shares the cells bear theirs. The cost
//! of any slice of cells is then a function of the plan ([`CostPlan::chunk`]), so that no activity's column ever stands
//! as a whole. The arithmetic is [`spread`]: a mergeable histogram of driver quantities (summary), a rounding rule
//! (plan), and a cost per row (apply).
//!
//! ```
//! use whalecurve::allocate::spread::Histogram;
//!
//! let (quantities, ties) = ([3_000_000, 1_000_000, 3_000_000], [30, 10, 20]);
//! let (mut left, mut right) = (Histogram::default(), Histogram::default());
//! left.insert(&quantities[..1]);
//! right.insert(&quantities[1..]);
//! left.combine(&right); // as if it had seen all three
//!
//! // 1.00 at 3 : 1 : 3 is 42.86, 14.29 and 42.86 cents. The two odd cents go to the largest remainders.
//! let cost = left.plan(100)?.apply(&quantities, &ties);
//! assert_eq!(cost, [43, 14, 43]);
//! assert_eq!(cost.iter().sum::<i64>(), 100);
//! # Ok::<(), whalecurve::allocate::spread::AllocateError>(())
//! ```

mod apply;
mod basis;
pub mod capacity;
pub mod composite;
mod costing;
mod count;
pub mod direct;
mod earlier;
pub mod error;
pub mod explain;
pub mod kinds;
mod missing;
pub mod negative;
pub mod network;
pub mod objects;
mod order;
pub mod parts;
mod planned;
mod pool;
pub mod rates;
pub mod ratio;
mod refusal;
mod resource_graph;
mod resources;
mod rows;
mod share;
pub mod signed;
pub mod spread;
mod table;
#[cfg(test)]
mod tests;
pub mod time_equation;
mod traced;
mod unknown;
mod validity;

pub use self::{
    apply::{CostChunk, Leaves},
    costing::Costing,
    missing::missing_cells,
    pool::combination,
    refusal::{CostError, PoolError, Refusal},
    rows::Ground,
    table::{CostPlan, plan},
};
