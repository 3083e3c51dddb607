//! What a fit returns: parameters, their accuracy, and how the search ended.

use crate::numeric::matrix::{Wide, WideCholesky};
use crate::numeric::newton::{End, Maximum, WideMaximum};
use serde::{Deserialize, Serialize};

/// A simpler model that the likelihood prefers: the full model reaches it only at infinite or zero parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitModel {
    /// Nobody drops out: BG/NBD and Pareto/NBD become the negative binomial model (NBD).
    NoDropout,
    /// Everybody drops out with the same probability at each chance (both shapes of its beta distribution infinite).
    EqualDropout,
    /// A customer leaves at the first repeat purchase or never (`a, b → 0`).
    DropoutAtOnceOrNever,
    /// Everybody drops out at the first repeat purchase.
    DropoutAtOnce,
    /// A customer leaves at the very first chance or never.
    LeaveAtFirstChanceOrNever,
    /// Everybody leaves at the very first chance.
    LeaveAtFirstChance,
    /// Duration dependence is so strong that everybody stays up to some chance and leaves there (`c → ∞`).
    DegenerateDuration,
    /// All customers have one rate to leave: exponential lifetimes (`r, α → ∞`).
    ExponentialLifetimes,
    /// All customers have one rate to leave, which changes with time: Weibull lifetimes (`r, α → ∞`).
    WeibullLifetimes,
    /// A customer leaves at the very start or never (`α → 0` or `c → 0`).
    LeaveFromTheStartOrNever,
    /// Nobody leaves before some time, and from then on survival is a power of time (`c → ∞`, `r c` finite).
    ParetoAfterMinimum,
    /// Nobody drops out: BG/BB becomes the beta-binomial model.
    BetaBinomial,
    /// Everybody buys at an opportunity with the same probability (`α, β → ∞`).
    EqualPurchaseProbabilities,
    /// A customer buys at every opportunity or at none (`α, β → 0`).
    BuyAlwaysOrNever,
    /// Everybody buys at every opportunity while alive.
    BuyAlways,
    /// Everybody drops out at the same rate: exponential lifetimes (`s, β → ∞`).
    EqualDropoutRates,
    /// A customer leaves right after the first purchase or never (`β → 0`).
    DropoutFromTheStartOrNever,
    /// Everybody buys at the same rate: Poisson purchases (`r, α → ∞`).
    EqualRates,
    /// Purchase rates are so unequal that their gamma distribution degenerates (`r → 0`).
    DegenerateRates,
    /// A covariate's effect grows without end: its value or level tells apart what nothing else does.
    UnboundedEffect,
    /// A customer's purchases are all worth the same (`p → ∞`).
    EqualSpendWithinCustomer,
    /// All customers spend alike: one gamma distribution of purchases (`q, γ → ∞`).
    EqualSpendAcrossCustomers,
    /// All customers have the same mean spend: what differs is chance (`between → 0`).
    EqualMeans,
    /// Spend is so unequal that its gamma distribution degenerates (`p → 0` or `q → 0`).
    DegenerateSpend,
}

impl std::fmt::Display for LimitModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoDropout => "NBD (nobody drops out)",
            Self::EqualDropout => "one dropout probability for all customers",
            Self::DropoutAtOnceOrNever => "dropout at the first repeat purchase or never",
            Self::DropoutAtOnce => "dropout of everybody at the first repeat purchase",
            Self::LeaveAtFirstChanceOrNever => "leaving at the first chance or never",
            Self::LeaveAtFirstChance => "leaving of everybody at the first chance",
            Self::DegenerateDuration => "one lifetime for all customers",
            Self::ExponentialLifetimes => "exponential lifetimes (one rate to leave for all customers)",
            Self::WeibullLifetimes => "Weibull lifetimes (one rate to leave for all customers, changing with time)",
            Self::LeaveFromTheStartOrNever => "leaving at the very start or never",
            Self::ParetoAfterMinimum => "Pareto lifetimes (nobody leaves before some time)",
            Self::BetaBinomial => "beta-binomial (nobody drops out)",
            Self::EqualPurchaseProbabilities => "one purchase probability for all customers",
            Self::BuyAlwaysOrNever => "buying at every opportunity or at none",
            Self::BuyAlways => "buying of everybody at every opportunity while alive",
            Self::EqualDropoutRates => "one dropout rate for all customers",
            Self::DropoutFromTheStartOrNever => "dropout right after the first purchase or never",
            Self::EqualRates => "Poisson purchases (one rate for all customers)",
            Self::DegenerateRates => "degenerate purchase rates",
            Self::UnboundedEffect => "a covariate's effect without a finite estimate",
            Self::EqualSpendWithinCustomer => "one amount for all purchases of a customer",
            Self::EqualSpendAcrossCustomers => "one spend distribution for all customers",
            Self::EqualMeans => "one mean spend for all customers",
            Self::DegenerateSpend => "degenerate spend",
        })
    }
}

/// How a fit ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum FitEnd {
    /// At an interior maximum of the likelihood, above every simpler model that the parameters may go to.
    Converged,
    /// The likelihood has no finite maximum: it rises towards simpler models. Predictions are those of the limit.
    Boundary {
        /// The models it became, at least one.
        limit_models: Vec<LimitModel>,
    },
    /// At a maximum so flat along some direction that the parameters are not identified; predictions are.
    Ridge {
        /// The parameter that is known worst.
        parameter: String,
        /// The standard error of its logarithm; infinite where the likelihood is level.
        ln_standard_error: Option<f64>,
    },
    /// Without an estimate.
    Failed {
        /// Why, in words.
        why: String,
    },
}

/// What is known of the simpler models at a maximum.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Limits {
    /// The parameters have gone to these; to none where it is empty.
    Reached(Vec<LimitModel>),
    /// The maximum lies above all of them, however little: above those that come near, by so much log-likelihood.
    Below(Vec<(LimitModel, f64)>),
}

/// A fit that has no parameters was asked for them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {model} fit failed: {why}")]
pub struct NotFitted {
    /// Model name.
    pub model: String,
    /// Why, in words.
    pub why: String,
}

/// The outcome of a maximum likelihood fit; parameters come out of [`Fit::fitted`] alone, so a failed fit cannot
/// predict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit<P> {
    pub(super) model: String,
    pub(super) parameters: Option<P>,
    /// How the search ended.
    pub end: FitEnd,
    /// Parameter names, in the order of the accuracy figures.
    pub names: Vec<String>,
    /// Log-likelihood at the parameters, natural logarithm, with the constants of the published formula.
    pub log_likelihood: Option<f64>,
    /// Standard errors of the parameters from the inverse observed information; none away from an interior maximum.
    pub standard_errors: Option<Vec<f64>>,
    /// Covariance of the parameters, row by row, as the standard errors.
    pub covariance: Option<Vec<Vec<f64>>>,
    /// Newton steps taken.
    pub iterations: u32,
    /// Largest derivative of the log-likelihood by the logarithm of a parameter off the boundary.
    pub gradient_norm: f64,
    /// Customers in the fit.
    pub customers: u64,
    /// What a reader of the results must know, in words.
    pub notes: Vec<String>,
}

/// A standard error of a logarithm above this leaves the parameter open by a factor of 20 each way.
pub(super) const OPEN_LN_ERROR: f64 = 3.0;

impl<P> Fit<P> {
    /// The fitted parameters.
    ///
    /// # Errors
    /// [`NotFitted`] with the reason where the fit failed.
    pub fn fitted(&self) -> Result<&P, NotFitted> {
        let failed = || {
            let why = match &self.end {
                FitEnd::Failed { why } => why.clone(),
                _ => "the stored fit has no parameters".to_owned(),
            };
            NotFitted { model: self.model.clone(), why }
        };
        self.parameters.as_ref().filter(|_| !matches!(self.end, FitEnd::Failed { .. })).ok_or_else(failed)
    }

    /// The same fit with its parameters as another type.
    #[must_use]
    pub fn map<Q>(self, into: impl FnOnce(P) -> Q) -> Fit<Q> {
        Fit {
            model: self.model,
            parameters: self.parameters.map(into),
            end: self.end,
            names: self.names,
            log_likelihood: self.log_likelihood,
            standard_errors: self.standard_errors,
            covariance: self.covariance,
            iterations: self.iterations,
            gradient_norm: self.gradient_norm,
            customers: self.customers,
            notes: self.notes,
        }
    }

    /// Model name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// A fit without an estimate.
    #[must_use]
    pub fn failed(model: &str, names: &[&str], customers: u64, why: &str) -> Self {
        Self {
            model: model.to_owned(),
            parameters: None,
            end: FitEnd::Failed { why: why.to_owned() },
            names: names.iter().map(|&name| name.to_owned()).collect(),
            log_likelihood: None,
            standard_errors: None,
            covariance: None,
            iterations: 0,
            gradient_norm: 0.0,
            customers,
            notes: Vec::new(),
        }
    }

    /// The fit at a maximum over the logarithms of `N` positive parameters.
    ///
    /// Covariance of the parameters by the delta method, `diag(θ) (−H)⁻¹ diag(θ)`, where `H` is the Hessian by `ln θ`.
    ///
    /// * `limit_models`: the limits that the parameters have reached, empty at an interior maximum.
    ///
    /// Source: Cox & Hinkley, Theoretical Statistics (1974), 9.2 (observed information).
    #[must_use]
    pub fn at_maximum<const N: usize>(
        model: &str,
        names: &[&str; N],
        customers: u64,
        maximum: &Maximum<N>,
        parameters: P,
        limit_models: Vec<LimitModel>,
    ) -> Self {
        let slopes = maximum.point.map(libm::exp);
        Self::at_maximum_of(model, names, customers, maximum, (parameters, slopes), limit_models)
    }

    /// The fit at a maximum over other functions of the parameters than their logarithms.
    ///
    /// * `slopes`: derivative of each parameter by the coordinate it was searched in.
    pub(super) fn at_maximum_of<const N: usize>(
        model: &str,
        names: &[&str; N],
        customers: u64,
        maximum: &Maximum<N>,
        (parameters, slopes): (P, [f64; N]),
        limit_models: Vec<LimitModel>,
    ) -> Self {
        let limits = Limits::Reached(limit_models);
        Self::at_judged_maximum(model, names, customers, &maximum.into(), &slopes, parameters, limits)
    }

    /// The fit at a maximum over any number of search parameters, each the logarithm of a factor or a multiple of a
    /// coefficient of one.
    ///
    /// Covariance of the reported parameters by the delta method, `diag(slope) (−H)⁻¹ diag(slope)`.
    ///
    /// * `names`: of the reported parameters, one a search parameter.
    /// * `slope`: derivative of each reported parameter by its search parameter.
    /// * `limits`: what is known of the simpler models.
    pub(super) fn at_judged_maximum(
        model: &str,
        names: &[&str],
        customers: u64,
        maximum: &WideMaximum,
        slope: &[f64],
        parameters: P,
        limits: Limits,
    ) -> Self {
        let mut fit = Self::failed(model, names, customers, "");
        fit.iterations = maximum.iterations;
        fit.gradient_norm = maximum.gradient_norm;
        let information = observed_information(&maximum.evaluation.hessian);
        let own_covariance = WideCholesky::new(&information).map(|factor| factor.inverse());
        fit.end = match (maximum.end, limits) {
            (End::NotFinite, _) => FitEnd::Failed { why: "the likelihood has no finite value at the start".to_owned() },
            (_, Limits::Reached(limit_models)) if !limit_models.is_empty() => FitEnd::Boundary { limit_models },
            (End::IterationLimit, _) => {
                FitEnd::Failed { why: format!("no maximum was found in {} steps", maximum.iterations) }
            }
            (_, Limits::Reached(_)) => interior_end(names, own_covariance.as_ref()),
            (_, Limits::Below(near)) => {
                fit.notes.extend(hardly_above(names, own_covariance.as_ref(), &near));
                FitEnd::Converged
            }
        };
        if matches!(fit.end, FitEnd::Failed { .. }) {
            return fit;
        }
        fit.parameters = Some(parameters);
        fit.log_likelihood = Some(maximum.evaluation.value);
        if let (FitEnd::Converged, Some(own_covariance)) = (&fit.end, own_covariance) {
            fit.be_known_by(&own_covariance, slope);
        }
        fit
    }

    /// Standard errors and covariance by the delta method.
    fn be_known_by(&mut self, own_covariance: &Wide, slope: &[f64]) {
        let covariance = |i: usize, j: usize| slope[i] * own_covariance[i][j] * slope[j];
        let all = 0..slope.len();
        self.standard_errors = Some(all.clone().map(|i| libm::sqrt(covariance(i, i))).collect());
        self.covariance = Some(all.clone().map(|i| all.clone().map(|j| covariance(i, j)).collect()).collect());
    }

    /// The fit at a maximum that a penalty made: no parameter is open, however little the data say of it.
    pub(super) fn at_penalised_maximum<const N: usize>(
        model: &str,
        names: &[&str; N],
        customers: u64,
        maximum: &Maximum<N>,
        parameters: P,
    ) -> Self {
        let mut fit = Self::at_maximum(model, names, customers, maximum, parameters, Vec::new());
        let information = observed_information(&maximum.evaluation.hessian);
        if let (FitEnd::Ridge { .. }, Some(factor)) = (&fit.end, WideCholesky::new(&information)) {
            fit.end = FitEnd::Converged;
            fit.be_known_by(&factor.inverse(), &maximum.point.map(libm::exp));
        }
        fit
    }
}

fn observed_information(hessian: &[impl AsRef<[f64]>]) -> Wide {
    hessian.iter().map(|row| row.as_ref().iter().map(|h| -h).collect()).collect()
}

/// The parameter that is known worst, and the standard error of its logarithm.
fn worst(ln_covariance: &Wide) -> (usize, f64) {
    let worst = (0..ln_covariance.len()).max_by(|&i, &j| ln_covariance[i][i].total_cmp(&ln_covariance[j][j]));
    worst.map_or((0, 0.0), |worst| (worst, libm::sqrt(ln_covariance[worst][worst])))
}

/// That a maximum stands, but hardly out.
fn hardly_above(names: &[&str], ln_covariance: Option<&Wide>, near: &[(LimitModel, f64)]) -> Option<String> {
    let (worst, error) = worst(ln_covariance?);
    let above: Vec<String> = near.iter().map(|(limit, gain)| format!("{gain:.2} above that of {limit}")).collect();
    (error > OPEN_LN_ERROR).then(|| {
        format!(
            "{} is hardly known (the standard error of its logarithm is {error:.2}): the log-likelihood is only {}; with \
             `parameter_uncertainty` the parameters are taken for certain",
            names[worst],
            above.join(" and ")
        )
    })
}

/// Converged, or on a ridge where some parameter is hardly known.
fn interior_end(names: &[&str], ln_covariance: Option<&Wide>) -> FitEnd {
    let Some(covariance) = ln_covariance else {
        return FitEnd::Ridge { parameter: names.join(", "), ln_standard_error: None };
    };
    let (worst, error) = worst(covariance);
    if error > OPEN_LN_ERROR {
        FitEnd::Ridge { parameter: names[worst].to_owned(), ln_standard_error: Some(error) }
    } else {
        FitEnd::Converged
    }
}
