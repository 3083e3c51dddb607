//! What is not known of the fitted parameters, as draws for the simulation.
//!
//! The logarithms of the parameters are drawn from the normal distribution that the maximum likelihood estimate has in
//! large samples: centred at the fit, with the inverse of the observed information as covariance. The two fits share no
//! parameter, so they are drawn independently.
//!
//! Source: Cox & Hinkley, Theoretical Statistics (1974), 9.2; Gelman et al., Bayesian Data Analysis (2013), 4.1.

use super::fit::Fit;
use super::gamma_gamma::GammaGamma;
use super::purchase_model::PurchaseModel;
use super::simulate::ParameterDraw;
use crate::numeric::distributions::standard_normal;
use crate::numeric::matrix::Cholesky;
use crate::numeric::philox::Stream;

/// Draws of the parameters in a simulation; the paths are shared out among them.
pub const DRAWS: u32 = 100;
/// Purposes of this module's random streams.
const PURCHASES: u64 = 0x7061_7261_6d65_7401;
const SPEND: u64 = 0x7061_7261_6d65_7402;
/// A draw of spend without a finite mean is drawn again, so often at most.
const TRIES: usize = 1_000;

/// Logarithms of the parameters around their estimate.
pub(super) struct Around<const N: usize> {
    centre: [f64; N],
    factor: Cholesky<N>,
}

impl<const N: usize> Around<N> {
    /// `None` without a covariance: the fit is not an interior maximum.
    pub(super) fn new<P>(fit: &Fit<P>, parameters: [f64; N]) -> Option<Self> {
        let covariance = fit.covariance.as_ref()?;
        let ln_covariance: [[f64; N]; N] =
            std::array::from_fn(|i| std::array::from_fn(|j| covariance[i][j] / (parameters[i] * parameters[j])));
        Some(Self { centre: parameters.map(libm::log), factor: Cholesky::new(&ln_covariance)? })
    }

    pub(super) fn draw(&self, stream: &mut Stream) -> [f64; N] {
        let normal = std::array::from_fn(|_| standard_normal(stream));
        let away = self.factor.times(&normal);
        std::array::from_fn(|i| libm::exp(self.centre[i] + away[i]))
    }
}

/// Whether anything is known of the accuracy of a fit.
#[must_use]
pub fn has_covariance<P>(fit: &Fit<P>) -> bool {
    fit.covariance.is_some()
}

/// Draws of both fits; a fit without a covariance keeps its parameters, and without any there are no draws.
///
/// Draws of the spend model are conditioned on `q > 1`, a finite mean, where the fit has one.
///
/// * `paths`: of the simulation; there is a path for every draw.
#[must_use]
pub fn draw_parameters(
    purchases: &Fit<PurchaseModel>,
    spend: &Fit<GammaGamma>,
    paths: u32,
    seed: u64,
) -> Vec<ParameterDraw> {
    let (Ok(model), Ok(gamma_gamma)) = (purchases.fitted(), spend.fitted()) else { return Vec::new() };
    let of_purchases = Around::new(purchases, model.parameters());
    let of_spend = Around::new(spend, [gamma_gamma.p, gamma_gamma.q, gamma_gamma.gamma]);
    if of_purchases.is_none() && of_spend.is_none() {
        return Vec::new();
    }
    let draw = |number: u32| {
        let number = u64::from(number);
        let model = of_purchases
            .as_ref()
            .map_or(*model, |around| model.with_parameters(around.draw(&mut Stream::new(seed, number, PURCHASES))));
        let spend = of_spend.as_ref().map(|around| {
            let mut stream = Stream::new(seed, number, SPEND);
            let drawn = (0..TRIES).map(|_| around.draw(&mut stream)).find(|[_, q, _]| *q > 1.0 || gamma_gamma.q <= 1.0);
            let drawn = drawn.map_or(*gamma_gamma, |[p, q, gamma]| GammaGamma { p, q, gamma });
            (*gamma_gamma, drawn)
        });
        ParameterDraw { model: model.into(), spend }
    };
    (0..DRAWS.min(paths)).map(draw).collect()
}
