//! Laws and published numbers of the forecast kernels.

#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod baselines;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod bg_bb;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod bg_cnbd_k;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
pub(super) mod cdnow;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod contract;
mod contract_holdout;
mod contract_runs;
mod coverage;
mod derivatives;
mod extremes;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod groups;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod holdout;
mod limits;
mod lives;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod mbg_nbd;
mod newcomer;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod normal_spend;
mod opportunity_value;
mod outlook;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod pareto_nbd;
mod per_period;
mod population;
mod recovery;
mod simulation;
mod spend_levels;
mod survival;
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod traps;
mod uncertainty;
