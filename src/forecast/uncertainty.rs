//! What is not known of the fitted parameters, as draws for the simulation.
//!
//! The logarithms of the parameters (of normal spend the mean and the variances, which may be near 0) are drawn from the
//! normal distribution that the maximum likelihood estimate has in large samples: centred at the fit, with the inverse of
//! the observed information as covariance. The two fits share no parameter, so they are drawn independently. Where groups
//! have parameters of their own, the mean of all groups is drawn first, then every group given the mean
//! ([`Groups::draw`]). Where covariates move the parameters, the average customer's and all coefficients are drawn together.
//!
//! Source: Cox & Hinkley, Theoretical Statistics (1974), 9.2; Gelman et al., Bayesian Data Analysis (2013), 4.1.

use super::covariates::Moving;
use super::fit::{Fit, OPEN_LN_ERROR};
use super::gamma_gamma::GammaGamma;
use super::groups::Groups;
use super::population::Population;
use super::purchase_model::PurchaseModel;
use super::simulate::ParameterDraw;
use super::spend_model::{Scale, SpendModel};
use crate::numeric::distributions::standard_normal;
use crate::numeric::matrix::{Cholesky, WideCholesky};
use crate::numeric::philox::Stream;

/// Draws of the parameters in a simulation; the paths are shared out among them.
pub const DRAWS: u32 = 100;
/// Purposes of this module's random streams.
const PURCHASES: u64 = 0x7061_7261_6d65_7401;
const SPEND: u64 = 0x7061_7261_6d65_7402;
/// A draw of spend that no customers can have, or without a finite mean, is drawn again, so often at most.
const TRIES: usize = 1_000;

/// Functions of the parameters around their estimate.
pub(super) struct Around<const N: usize> {
    centre: [f64; N],
    scales: [Scale; N],
    factor: Cholesky<N>,
}

impl<const N: usize> Around<N> {
    /// `None` without a covariance (the fit is not an interior maximum), and where the logarithm of a parameter has a standard
    /// error above 3: the likelihood falls to one side alone there, and normal draws would go far where it is nothing.
    pub(super) fn new<P>(fit: &Fit<P>, parameters: [f64; N]) -> Option<Self> {
        Self::new_by(fit, parameters, [Scale::Logarithm; N])
    }

    /// * `scales`: what is normal of each parameter.
    pub(super) fn new_by<P>(fit: &Fit<P>, parameters: [f64; N], scales: [Scale; N]) -> Option<Self> {
        let covariance = fit.covariance.as_ref()?;
        let slope: [f64; N] = std::array::from_fn(|i| scales[i].slope(parameters[i]));
        let scaled: [[f64; N]; N] =
            std::array::from_fn(|i| std::array::from_fn(|j| covariance[i][j] * slope[i] * slope[j]));
        let open = |i: usize| matches!(scales[i], Scale::Logarithm) && scaled[i][i] > OPEN_LN_ERROR * OPEN_LN_ERROR;
        if (0..N).any(open) {
            return None;
        }
        let centre = std::array::from_fn(|i| scales[i].of(parameters[i]));
        Some(Self { centre, scales, factor: Cholesky::new(&scaled)? })
    }

    pub(super) fn draw(&self, stream: &mut Stream) -> [f64; N] {
        let normal = std::array::from_fn(|_| standard_normal(stream));
        let away = self.factor.times(&normal);
        std::array::from_fn(|i| self.scales[i].back(self.centre[i] + away[i]))
    }
}

impl Scale {
    fn of(self, parameter: f64) -> f64 {
        match self {
            Self::AsItIs => parameter,
            Self::Logarithm => libm::log(parameter),
            Self::Square => parameter * parameter,
        }
    }

    /// Derivative by the parameter.
    fn slope(self, parameter: f64) -> f64 {
        match self {
            Self::AsItIs => 1.0,
            Self::Logarithm => 1.0 / parameter,
            Self::Square => 2.0 * parameter,
        }
    }

    /// The parameter; NaN of a square below 0.
    fn back(self, drawn: f64) -> f64 {
        match self {
            Self::AsItIs => drawn,
            Self::Logarithm => libm::exp(drawn),
            Self::Square => libm::sqrt(drawn),
        }
    }
}

/// What rules customers beside one fit for all.
#[derive(Debug, Clone, Copy)]
pub enum Several<'a> {
    /// Groups with parameters of their own, and the model of every customer.
    Groups(&'a Groups, &'a Population),
    /// Covariates, and the model of every customer.
    Covariates(&'a Moving, &'a Population),
}

/// Parameters of the average customer and coefficients of covariates around their estimate.
struct AroundEffects {
    ln: [f64; 4],
    coefficients: Vec<f64>,
    factor: WideCholesky,
}

impl AroundEffects {
    /// `None` without a covariance, or with one that is none of these parameters.
    fn new(fit: &Fit<PurchaseModel>, parameters: [f64; 4], coefficients: &[f64]) -> Option<Self> {
        let covariance = fit.covariance.as_ref().filter(|rows| rows.len() == 4 + coefficients.len())?;
        let slope = |i: usize| parameters.get(i).map_or(1.0, |parameter| 1.0 / parameter);
        let scaled: Vec<Vec<f64>> = (0..covariance.len())
            .map(|i| (0..covariance.len()).map(|j| covariance[i][j] * slope(i) * slope(j)).collect())
            .collect();
        if (0..4).any(|i| scaled[i][i] > OPEN_LN_ERROR * OPEN_LN_ERROR) {
            return None;
        }
        let factor = WideCholesky::new(&scaled)?;
        Some(Self { ln: parameters.map(libm::log), coefficients: coefficients.to_vec(), factor })
    }

    fn draw(&self, stream: &mut Stream) -> ([f64; 4], Vec<f64>) {
        let normal: Vec<f64> = (0..4 + self.coefficients.len()).map(|_| standard_normal(stream)).collect();
        let away = self.factor.times(&normal);
        let parameters = std::array::from_fn(|i| libm::exp(self.ln[i] + away[i]));
        (parameters, self.coefficients.iter().zip(&away[4..]).map(|(fitted, away)| fitted + away).collect())
    }
}

/// Whether anything is known of the accuracy of a fit.
#[must_use]
pub fn has_covariance<P>(fit: &Fit<P>) -> bool {
    fit.covariance.is_some()
}

/// Whether the mean spend of a customer without a purchase is finite.
fn has_mean(spend: &SpendModel) -> bool {
    !matches!(spend, SpendModel::GammaGamma(GammaGamma { q, .. }) if *q <= 1.0)
}

/// Draws of both fits; a fit without a covariance keeps its parameters, and without any there are no draws.
///
/// Draws of the spend model are conditioned on `q > 1`, a finite mean, where the fit has one.
///
/// * `purchases`: with covariates its covariance is that of the average customer's parameters, then of the coefficients.
/// * `several`: what rules customers beside one fit for all.
/// * `paths`: of the simulation; there is a path for every draw.
#[must_use]
pub fn draw_parameters(
    purchases: &Fit<PurchaseModel>,
    several: Option<Several<'_>>,
    spend: &Fit<SpendModel>,
    paths: u32,
    seed: u64,
) -> Vec<ParameterDraw> {
    let (Ok(model), Ok(fitted)) = (purchases.fitted(), spend.fitted()) else { return Vec::new() };
    let of_purchases = Around::new(purchases, model.parameters());
    let of_spend = Around::new_by(spend, fitted.parameters(), fitted.scales());
    let of_effects = match several {
        Some(Several::Covariates(moving, _)) => {
            AroundEffects::new(purchases, model.parameters(), moving.coefficients())
        }
        _ => None,
    };
    if of_purchases.is_none() && of_spend.is_none() && !matches!(several, Some(Several::Groups(..))) {
        return Vec::new();
    }
    let draw = |number: u32| {
        let number = u64::from(number);
        let mut stream = Stream::new(seed, number, PURCHASES);
        let drawn = match (several, &of_purchases) {
            (Some(Several::Groups(groups, population)), _) => {
                population.with_models(groups.draw(model, (seed, number), &mut stream))
            }
            (Some(Several::Covariates(moving, population)), _) => match &of_effects {
                Some(around) => {
                    let (parameters, coefficients) = around.draw(&mut stream);
                    population.with_models(moving.models(parameters, &coefficients))
                }
                None => population.clone(),
            },
            (None, Some(around)) => model.with_parameters(around.draw(&mut stream)).into(),
            (None, None) => (*model).into(),
        };
        let spend = of_spend.as_ref().map(|around| {
            let mut stream = Stream::new(seed, number, SPEND);
            let mut tries = (0..TRIES).map(|_| fitted.with_parameters(around.draw(&mut stream)));
            let right = |drawn: &SpendModel| drawn.out_of_range().is_none() && (has_mean(drawn) || !has_mean(fitted));
            (*fitted, tries.find(right).unwrap_or(*fitted))
        });
        ParameterDraw { model: drawn, spend }
    };
    (0..DRAWS.min(paths)).map(draw).collect()
}
