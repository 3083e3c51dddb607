//! Groups of customers: recency, frequency and monetary scores, value tiers, portfolio groups, strategic roles, credit grades,
//! clusters, and how customers move between groups.
//!
//! ```
//! use whalecurve::{
//!     portfolio::{scores, tiers},
//!     schema::portfolio::{TiersBy, ValueTier},
//! };
//!
//! let value = [50, 900, -20, 50];
//! assert_eq!(scores(&value, 4), [2, 4, 1, 2]); // equal values, equal scores
//!
//! let tier = |name: &str, share| ValueTier { name: name.to_owned(), share };
//! assert_eq!(tiers(&value, &[tier("gold", 0.25), tier("lead", 0.75)], &TiersBy::Customers), [1, 0, 1, 1]);
//! ```

pub mod analysis;
pub mod clusters;
pub mod concentration;
pub mod credit;
pub mod decline;
pub mod migration;
pub mod roles;
mod scores;
mod tiers;

pub use self::{
    scores::{CELLS, cell, cut_scores, scores},
    tiers::tiers,
};
