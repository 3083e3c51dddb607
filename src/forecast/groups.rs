//! A model of purchases for groups of customers: each group's own parameters, drawn towards those of all by how little its
//! customers say (`pooling`).
//!
//! ```
//! use whalecurve::{
//!     forecast::{groups::{Groups, Members}, purchase_model::PurchaseModel, summary::Summary},
//!     schema::settings::PurchaseKind,
//! };
//!
//! // Two groups of the same histories; in weeks.
//! let mut half = Summary::new();
//! half.insert(&[0; 300], &[0; 300], &[200; 300])?;
//! half.insert(&[1, 2, 6].repeat(80), &[20, 90, 160].repeat(80), &[200; 240])?;
//! let mut whole = half.clone();
//! whole.combine(&half);
//! let base = PurchaseModel::fit(PurchaseKind::MbgNbd, &whole, &[], 7.0);
//! let members = |name: &str| Members { name: name.to_owned(), summary: half.clone() };
//! let groups = Groups::fit(&base, &[members("north"), members("south")], 7.0)?;
//! // Nothing tells them apart, so they are one.
//! assert!(groups.varies.is_empty());
//! assert_eq!(groups.groups[0].parameters, base.fitted()?.parameters());
//! assert!(groups.separate.unwrap().p_value > 0.999);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::fit::{Fit, FitEnd, NotFitted};
use super::likelihood::LogLikelihood;
use super::likelihood_ratio::LikelihoodRatio;
use super::pooling::{Pooled, PooledGroup, pool};
use super::purchase_model::PurchaseModel;
use super::summary::Summary;
use crate::numeric::distributions::standard_normal;
use crate::numeric::keys::{Key, published_hash};
use crate::numeric::matrix::root;
use crate::numeric::philox::Stream;

/// Purpose of a group's own random stream; that of all groups' mean is the caller's.
const PURPOSE: u64 = 0x7061_7261_6d65_7403;
/// The stream of groups that were not there when the models were fitted; no published hash is kept from it.
const UNSEEN: u64 = 0x756e_7365_656e;

type Matrix = [[f64; 4]; 4];

/// Customers of one group.
#[derive(Debug, Clone)]
pub struct Members {
    /// Name of the group.
    pub name: String,
    /// Counts of their histories.
    pub summary: Summary,
}

/// A model of purchases for every group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// Names of the parameters that differ between groups; none where the groups are one, and have the common fit.
    pub varies: Vec<String>,
    /// Whether their differences are correlated.
    pub correlated: bool,
    /// Whether the fits came to rest; else they are the last ones.
    pub at_rest: bool,
    /// Parameters of a group of which nothing is known: the exponentials of the mean logarithms.
    pub mean: [f64; 4],
    /// Covariance of the logarithms of the parameters between groups.
    pub covariance: Matrix,
    /// Log-likelihood of all customers with the groups' own parameters integrated out (Laplace's approximation).
    pub log_likelihood: Option<f64>,
    /// The groups as drawn from one distribution against one fit for all: `2 (ln L − ln L₀)` on one degree of freedom a
    /// variance or correlation. Variances of 0 lie at the edge, so the true p-value is below the one given.
    pub pooled: Option<LikelihoodRatio>,
    /// A fit of its own for every group against one fit for all; `None` with fewer than two groups or where a group has no
    /// fit. A group in which nobody bought twice has the supremum of its likelihood, 1.
    pub separate: Option<LikelihoodRatio>,
    /// `L` with `L Lᵀ` the covariance of the mean logarithms; `None` where the common fit has no standard errors.
    pub mean_scatter: Option<Matrix>,
    /// `Λ` with `Λ Λᵀ` the covariance between groups.
    pub factor: Matrix,
    /// Sorted by name.
    pub groups: Vec<Group>,
}

/// A model of purchases for one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Customers with a purchase.
    pub customers: u64,
    /// Those who bought again.
    pub repeaters: u64,
    /// How a fit to this group alone ended.
    pub own: FitEnd,
    /// Its parameters and its maximum of the log-likelihood.
    pub own_parameters: Option<[f64; 4]>,
    /// See there.
    pub own_log_likelihood: Option<f64>,
    /// Parameters that the group's customers are given.
    pub parameters: [f64; 4],
    /// Their standard errors, with that of the mean of all groups, given the covariance between groups.
    pub standard_errors: Option<[f64; 4]>,
    /// Log-likelihood of the group's customers at these parameters.
    pub log_likelihood: f64,
    /// How much of what varies comes from the group's own customers: 0 = all from the others, 1 = nothing.
    pub weight: f64,
    /// Change of the logarithms by a change of the mean ones.
    pub share_of_mean: Matrix,
    /// `R` with `R Rᵀ` the covariance of the logarithms given the mean ones.
    pub scatter: Matrix,
}

/// Groups that cannot be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupsError {
    /// The model has no continuous parameters alone.
    #[error("{model} cannot be fitted to groups: its `k` is a whole number, which no group can be drawn towards")]
    Kind {
        /// Name of the model.
        model: String,
    },
    /// The common fit has failed.
    #[error(transparent)]
    NotFitted(#[from] NotFitted),
}

impl Groups {
    /// Fits every group, with the common fit as the start and as what groups are without a difference.
    ///
    /// * `base`: the fit to the customers of all groups. * `members`: the groups in the order of their names.
    /// * `days_per_unit`: days in a model time unit, as in the fit.
    ///
    /// # Errors
    /// [`GroupsError`].
    pub fn fit(base: &Fit<PurchaseModel>, members: &[Members], days_per_unit: f64) -> Result<Self, GroupsError> {
        let model = *base.fitted()?;
        let unfit = || GroupsError::Kind { model: base.model().to_owned() };
        let likelihoods: Vec<LogLikelihood> = members
            .par_iter()
            .map(|group| LogLikelihood::new(model.kind(), &group.summary, days_per_unit))
            .collect::<Option<_>>()
            .ok_or_else(unfit)?;
        let own: Vec<Fit<PurchaseModel>> = members
            .par_iter()
            .map(|group| PurchaseModel::fit(model.kind(), &group.summary, &[], days_per_unit))
            .collect();
        let common = model.parameters().map(libm::log);
        let pooled = match members.len() {
            0 | 1 => None,
            groups => pool(groups, &common, |group, ln| likelihoods[group].evaluate(ln)),
        };
        let mut groups: Vec<Group> = members
            .iter()
            .zip(&own)
            .zip(&likelihoods)
            .map(|((members, own), likelihood)| Group::under_the_base(base, &model, members, own, likelihood))
            .collect();
        let separate = separate(&groups);
        let Some(pooled) = pooled else {
            let factor = [[0.0; 4]; 4];
            return Ok(Self {
                varies: Vec::new(),
                correlated: false,
                at_rest: true,
                mean: model.parameters(),
                covariance: factor,
                log_likelihood: base.log_likelihood,
                pooled: None,
                separate,
                mean_scatter: None,
                factor,
                groups,
            });
        };
        let converged = base.covariance.is_some();
        for (group, fitted) in groups.iter_mut().zip(&pooled.groups) {
            group.take(fitted, converged.then_some(&pooled.mean_covariance));
        }
        Ok(Self::new(base, &pooled, separate, groups))
    }

    fn new(
        base: &Fit<PurchaseModel>,
        pooled: &Pooled<4>,
        separate: Option<LikelihoodRatio>,
        groups: Vec<Group>,
    ) -> Self {
        let varies = base.names.iter().zip(pooled.structure.varies).filter(|(_, varies)| *varies);
        let parameters = pooled.structure.parameters() as u32;
        Self {
            varies: varies.map(|(name, _)| name.clone()).collect(),
            correlated: pooled.structure.correlated,
            at_rest: pooled.at_rest,
            mean: pooled.mean.map(libm::exp),
            covariance: square(&pooled.factor),
            log_likelihood: Some(pooled.log_likelihood),
            pooled: base.log_likelihood.map(|one| LikelihoodRatio::new(pooled.log_likelihood, one, parameters)),
            separate,
            mean_scatter: base.covariance.as_ref().map(|_| root(&pooled.mean_covariance)),
            factor: pooled.factor,
            groups,
        }
    }

    /// Whether the groups are one.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.varies.is_empty()
    }

    /// Number of the group with this name; `None` for a group that was not there.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.groups.binary_search_by(|group| group.name.as_str().cmp(name)).ok()
    }

    /// The model of every group, and behind them that of groups that were not there.
    ///
    /// * `base`: the common fit's model.
    #[must_use]
    pub fn models(&self, base: &PurchaseModel) -> Vec<PurchaseModel> {
        let models = self.groups.iter().map(|group| group.parameters).chain([self.mean]);
        models.map(|parameters| base.with_parameters(parameters)).collect()
    }

    /// The same models with parameters drawn from the normal distribution of their logarithms: first the mean of all
    /// groups, then every group given the mean, from a stream of its own name. Groups that were not there are drawn from the
    /// distribution of groups, all as one.
    ///
    /// * `number`: of the draw. * `of_mean`: random stream of the mean.
    #[must_use]
    pub fn draw(&self, base: &PurchaseModel, (seed, number): (u64, u64), of_mean: &mut Stream) -> Vec<PurchaseModel> {
        let normal = |stream: &mut Stream| -> [f64; 4] { std::array::from_fn(|_| standard_normal(stream)) };
        let mean = self.mean_scatter.map_or([0.0; 4], |scatter| apply(&scatter, &normal(of_mean)));
        let drawn = |parameters: &[f64; 4], share: &Matrix, scatter: &Matrix, key: u64| {
            let mut stream = Stream::new(seed, number, PURPOSE ^ key);
            let (shared, own) = (apply(share, &mean), apply(scatter, &normal(&mut stream)));
            base.with_parameters(std::array::from_fn(|k| parameters[k] * libm::exp(shared[k] + own[k])))
        };
        let mut models: Vec<PurchaseModel> = self
            .groups
            .iter()
            .map(|group| {
                let key = published_hash(Key::Text(group.name.as_bytes()));
                drawn(&group.parameters, &group.share_of_mean, &group.scatter, key)
            })
            .collect();
        models.push(drawn(&self.mean, &IDENTITY, &self.factor, UNSEEN));
        models
    }
}

const IDENTITY: Matrix = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];

impl Group {
    /// A group that is like all others.
    fn under_the_base(
        base: &Fit<PurchaseModel>,
        model: &PurchaseModel,
        members: &Members,
        own: &Fit<PurchaseModel>,
        likelihood: &LogLikelihood,
    ) -> Self {
        let errors = base.standard_errors.as_ref().and_then(|errors| errors.as_slice().try_into().ok());
        Self {
            name: members.name.clone(),
            customers: members.summary.customers(),
            repeaters: members.summary.repeaters(),
            own: own.end.clone(),
            own_parameters: own.fitted().ok().map(PurchaseModel::parameters),
            own_log_likelihood: own.log_likelihood,
            parameters: model.parameters(),
            standard_errors: errors,
            log_likelihood: likelihood.evaluate(&model.parameters().map(libm::log)).value,
            weight: 0.0,
            share_of_mean: IDENTITY,
            scatter: [[0.0; 4]; 4],
        }
    }

    fn take(&mut self, fitted: &PooledGroup<4>, mean_covariance: Option<&Matrix>) {
        self.parameters = fitted.point.map(libm::exp);
        self.log_likelihood = fitted.log_likelihood;
        (self.weight, self.share_of_mean, self.scatter) = (fitted.weight, fitted.share_of_mean, fitted.scatter);
        self.standard_errors = mean_covariance.map(|covariance| {
            let own = square(&fitted.scatter);
            std::array::from_fn(|k| {
                let by_mean = apply(covariance, &fitted.share_of_mean[k]);
                let shared: f64 = by_mean.iter().zip(&fitted.share_of_mean[k]).map(|(left, right)| left * right).sum();
                self.parameters[k] * libm::sqrt((own[k][k] + shared).max(0.0))
            })
        });
    }
}

/// Every group by itself against all as one.
fn separate(groups: &[Group]) -> Option<LikelihoodRatio> {
    if groups.len() < 2 {
        return None;
    }
    let own = |group: &Group| if group.repeaters == 0 { Some(0.0) } else { group.own_log_likelihood };
    let apart: f64 = groups.iter().map(own).sum::<Option<f64>>()?;
    let together: f64 = groups.iter().map(|group| group.log_likelihood).sum();
    Some(LikelihoodRatio::new(apart, together, 4 * (groups.len() as u32 - 1)))
}

/// `F Fᵀ`.
fn square(factor: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..4).map(|k| factor[i][k] * factor[j][k]).sum()))
}

fn apply(matrix: &Matrix, vector: &[f64; 4]) -> [f64; 4] {
    std::array::from_fn(|i| matrix[i].iter().zip(vector).map(|(entry, value)| entry * value).sum())
}
