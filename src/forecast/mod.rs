//! Forecast: what customers will buy and what that will contribute.
//!
//! Histories (x, t_x, T) → distinct weighted [`summary`] → maximum likelihood ([`bg_nbd`], [`gamma_gamma`]) → closed-form
//! expectations ([`lifetime`]) → Monte Carlo ([`simulate`]). A failed fit predicts nothing.
//! [`mbg_nbd`] also lets customers drop out right after their first purchase; [`bg_bb`] counts time in opportunities;
//! contracts last as in [`beta_geometric`] (sBG) and [`beta_weibull`] (`BdW`), fitted to [`tenures`].
//! [`baselines`] are what any of them must beat.

pub mod baselines;
pub mod beta_geometric;
pub mod beta_weibull;
pub mod bg_bb;
mod bg_bb_fit;
pub mod bg_nbd;
mod bg_nbd_fit;
mod contract_fit;
pub mod contribution;
pub mod fit;
pub mod gamma_gamma;
pub mod lifetime;
pub mod mbg_nbd;
pub mod opportunities;
pub mod path_totals;
mod paths;
pub mod predict;
pub mod simulate;
pub mod summary;
pub mod tenures;
#[cfg(test)]
mod tests;
