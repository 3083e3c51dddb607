//! Decisions: whom to invest in under a budget, whom to keep or end, what a prospect may cost.
//!
//! Every decision is a function of numbers that the outputs show, so that it can be made again by hand.
//!
//! ```
//! use whalecurve::decide::invest::{Candidate, choose};
//!
//! // Two customers. A call costs 10 and gains 30 with the first, 12 with the second; a visit costs 40 and gains 50 with the
//! // first. 50 buy the visit and the call with the second: 62.
//! let candidate = |customer, action, cost, gain| Candidate { customer, action, cost, gain };
//! let candidates = [candidate(0, 0, 10, 30), candidate(0, 1, 40, 50), candidate(1, 0, 10, 12)];
//! let plan = choose(&candidates, 50, &[7, 8]);
//! assert_eq!((plan.chosen, plan.spent, plan.gain, plan.bound), (vec![1, 2], 50, 62, 62));
//! ```

pub mod bundle;
pub mod effect;
mod hull;
pub mod invest;
pub mod keep;
pub mod prospect;
pub mod staying;
