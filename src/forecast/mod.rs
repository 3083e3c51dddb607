//! Forecast: what customers will buy and what that will contribute.
//!
//! Histories (`x`, `t_x`, `T`) → distinct weighted [`summary`] → maximum likelihood ([`bg_nbd`], [`pareto_nbd`],
//! [`gamma_gamma`]) → closed-form expectations ([`lifetime`]) → Monte Carlo ([`simulate`]). A failed fit predicts
//! nothing.

pub mod bg_cnbd_k;
mod bg_cnbd_k_fit;
pub mod bg_nbd;
mod bg_nbd_fit;
pub mod contribution;
pub mod fit;
pub mod gamma_gamma;
mod jet;
pub mod lifetime;
pub mod pareto_nbd;
mod pareto_nbd_counts;
mod pareto_nbd_fit;
mod pareto_nbd_likelihood;
pub mod path_totals;
mod paths;
pub mod predict;
mod silence;
pub mod simulate;
pub mod summary;
#[cfg(test)]
mod tests;
