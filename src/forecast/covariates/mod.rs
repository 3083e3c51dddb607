//! Static covariates: what is known of customers moves how often they buy and how soon they leave.
//!
//! A customer with covariates `z` has parameters of its own, all with the same shapes:
//!
//! | model | rate | dropout |
//! |---|---|---|
//! | Pareto/NBD | `α_i = α e^{−γ'z}` | `β_i = β e^{−δ'z}` |
//! | BG/NBD, MBG/NBD | `α_i = α e^{−γ'z}` | `a_i = a e^{δ'z}`, `b_i = b e^{ε'z}` |
//!
//! So `e^γ` multiplies the mean purchase rate `r/α`, and `e^δ` the mean dropout rate `s/β` of Pareto/NBD. Under BG/NBD a
//! covariate has two effects on dropout, as in the source: `e^{δ−ε}` multiplies the odds `a/b` of leaving after a
//! purchase, and `δ+ε` moves how much customers differ in it. One coefficient for both, which some programs take, would
//! leave the mean `a/(a+b)` where it is, so that a covariate could not tell that customers leave sooner.
//!
//! Numbers enter centred at their mean, categories as differences from the most frequent level ([`design`]), so that
//! `r, α, …` are those of a customer who is average in all numbers and of the most frequent level in all categories.
//!
//! Source: Fader & Hardie, Incorporating Time-Invariant Covariates into the Pareto/NBD and BG/NBD Models (2007).

pub mod design;
mod fit;
mod likelihood;
pub mod model;
mod scored;
#[cfg(test)]
mod tests;

pub use design::{CovariateError, Design, Wanted};
#[cfg(feature = "engine")]
pub(crate) use design::{DROPPED, finds_nothing};
pub use fit::{Accuracy, CovariateFit, fit, fit_named};
pub use model::{Assigned, CovariateModel, Effect, Moving};
