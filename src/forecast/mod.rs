//! Forecast: what customers will buy and what that will contribute.
//!
//! Histories `(x, t_x, T)` → distinct weighted [`summary`] → maximum likelihood ([`bg_nbd`], [`gamma_gamma`]) →
//! closed-form expectations ([`lifetime`]) → Monte Carlo ([`simulate`]). A failed fit predicts nothing.
//!
//! A run fits a [`purchase_model`] and [`gamma_gamma`]. That is [`bg_nbd`], or [`mbg_nbd`] or [`pareto_nbd`], which also
//! let customers drop out without a repeat purchase, or [`bg_cnbd_k`], which has regular purchases. A [`holdout`] scores
//! them ([`scores`]) against [`baselines`], and chooses one where the run leaves it open. With [`covariates`] every
//! customer has parameters of its own. So may [`groups`] of customers; a [`population`] says which model rules whom, and
//! [`newcomer`] is of those who are still to come.
//!
//! Where customers are under contract it fits a [`contract_model`] to their [`spells`]: [`beta_geometric`] or
//! [`beta_weibull`] where they leave at a renewal, [`exponential_gamma`] or [`weibull_gamma`] where they leave at any time
//! ([`kaplan_meier`] beside them, in the [`retention`] curve). Where they buy at opportunities alone it fits [`bg_bb`], and what that is worth is
//! [`opportunity_value`].
//!
//! ```
//! use whalecurve::forecast::{bg_nbd::BgNbd, summary::Summary};
//!
//! // The published parameters of the CDNOW sample, in weeks (Fader, Hardie & Lee 2005).
//! let model = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
//! let (x, t_x, age) = (2.0, 30.43, 38.86);
//! assert!((model.p_alive(x, t_x, age) - 0.726_578_57).abs() < 5e-9);
//! assert!((model.expected_purchases(x, t_x, age, 39.0)? - 1.226_028_175).abs() < 5e-10);
//!
//! // Three customers who bought once: equal histories are counted together, and nothing can be fitted.
//! let mut summary = Summary::new();
//! summary.insert(&[0, 0, 0], &[0, 0, 0], &[30, 30, 12])?;
//! assert_eq!((summary.len(), summary.customers()), (2, 3));
//! assert!(BgNbd::fit(&summary, 7.0).fitted().is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod any_time;
pub mod baselines;
pub mod beta_geometric;
pub mod beta_weibull;
mod between;
pub mod bg_bb;
mod bg_bb_fit;
pub mod bg_cnbd_k;
mod bg_cnbd_k_fit;
pub mod bg_nbd;
mod bg_nbd_fit;
pub mod contract_calendar;
mod contract_fit;
pub mod contract_holdout;
pub mod contract_model;
pub mod contract_simulation;
pub mod contribution;
mod counts;
pub mod covariates;
mod discount;
pub mod durations;
pub mod error;
pub mod exponential_gamma;
pub mod fit;
pub mod for_ever;
mod for_ever_per_period;
mod future;
pub mod gamma_gamma;
pub mod groups;
pub mod histories;
pub mod holdout;
mod jet;
pub mod kaplan_meier;
pub mod known_spend;
pub mod lifetime;
mod likelihood;
pub mod likelihood_ratio;
mod limits;
pub mod mbg_nbd;
pub mod newcomer;
pub mod newcomer_futures;
pub mod newcomer_periods;
pub mod next_purchase;
pub mod normal_spend;
pub mod observed;
pub mod opportunities;
pub mod opportunity_days;
pub mod opportunity_holdout;
pub mod opportunity_value;
pub mod outlook;
pub mod pareto_nbd;
mod pareto_nbd_counts;
mod pareto_nbd_fit;
mod pareto_nbd_likelihood;
pub mod path_totals;
mod paths;
mod penalty;
pub mod per_period;
mod pooling;
pub mod population;
pub mod predict;
mod prolonged;
pub mod purchase_model;
pub mod retention;
pub mod scores;
mod silence;
pub mod simulate;
pub mod spells;
pub mod spend_levels;
pub mod spend_model;
pub mod stratified;
pub mod summary;
mod survival_fit;
pub mod tenures;
#[cfg(test)]
mod tests;
pub mod uncertainty;
mod wallet;
pub mod weibull_gamma;
