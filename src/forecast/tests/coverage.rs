//! Standard errors are right, and a million customers give their parameters back.

use super::lives::histories;
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::fit::{Fit, FitEnd};
use crate::forecast::gamma_gamma::GammaGamma;
use crate::forecast::mbg_nbd::MbgNbd;
use crate::forecast::normal_spend::NormalSpend;
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::purchase_model::PurchaseModel;
use crate::numeric::distributions::{Gamma, standard_normal};
use crate::numeric::matrix::{Cholesky, Symmetric};
use crate::numeric::philox::Stream;
use rayon::prelude::*;

/// Samples of a coverage, and customers of each.
const SAMPLES: u64 = 200;
const CUSTOMERS: u64 = 2_000;
/// Moments of the calendar in a time unit: a fit's tables grow with them, and its standard errors fall with customers.
const FINE: f64 = 500.0;
const FINEST: f64 = 20_000.0;
/// An interval of 95 % reaches this many standard errors to each side.
const NORMAL_95: f64 = 1.959_963_984_540_054;
/// Covers of 200 samples at 95 %: the binomial distribution has 0.05 % below 179 and as much above 198.
const COVERS: std::ops::RangeInclusive<usize> = 179..=198;
/// Standard errors of the mean distance of the estimates; estimates of some hundred customers are not quite normal.
const DISTANCE: f64 = 3.5;
/// Estimates from a million customers.
const STANDARD_ERRORS: f64 = 3.0;
const MILLION: u64 = 1_000_000;

const BG: BgNbd = BgNbd { r: 0.6, alpha: 6.0, a: 0.9, b: 2.5 };
const MBG: MbgNbd = MbgNbd { r: 0.8, alpha: 5.0, a: 0.9, b: 2.5 };
const PARETO: ParetoNbd = ParetoNbd { r: 0.8, alpha: 6.0, s: 0.8, beta: 14.0 };
const GAMMA_GAMMA: GammaGamma = GammaGamma { p: 6.0, q: 4.0, gamma: 15.0 };
const NORMAL: NormalSpend = NormalSpend { mean: -4.0, within: 25.0, between: 12.0 };

/// What the samples say of the accuracy that fits claim, with the estimates `d` away from the truth, by logarithms where the
/// search is by them:
///
/// * for every parameter, how often the interval of 95 % around the estimate holds the truth;
/// * the mean over samples of `d' Σ⁻¹ d`, which is chi-squared with `N` degrees of freedom: mean `N`, variance `2N`.
///
/// A sample whose fit has no standard errors covers nothing, and does not count in the mean.
///
/// A covariance that is too large by a third lowers the mean by a quarter, five of its standard errors for four parameters;
/// coverage alone would rise from 95 to 97.6 %.
fn coverage<const N: usize>(truth: [f64; N], names: [&str; N], fit: impl Fn(u64) -> (Fit<[f64; N]>, [bool; N]) + Sync) {
    let told: Vec<([bool; N], Option<f64>)> =
        (0..SAMPLES)
            .into_par_iter()
            .map(|sample| {
                let (fit, logarithms) = fit(sample);
                let (Ok(found), Some(errors)) = (fit.fitted(), &fit.standard_errors) else { return ([false; N], None) };
                let away: [f64; N] = std::array::from_fn(|i| {
                    if logarithms[i] { libm::log(found[i] / truth[i]) } else { found[i] - truth[i] }
                });
                let slope: [f64; N] = std::array::from_fn(|i| if logarithms[i] { found[i] } else { 1.0 });
                let covers = std::array::from_fn(|i| (away[i] * slope[i]).abs() < NORMAL_95 * errors[i]);
                let covariance = fit.covariance.as_ref().unwrap();
                let scaled: Symmetric<N> =
                    std::array::from_fn(|i| std::array::from_fn(|j| covariance[i][j] / (slope[i] * slope[j])));
                let solved = Cholesky::new(&scaled).unwrap().solve(&away);
                (covers, Some((0..N).map(|i| away[i] * solved[i]).sum()))
            })
            .collect();
    let counts: [usize; N] = std::array::from_fn(|i| told.iter().filter(|told| told.0[i]).count());
    let right = counts.iter().all(|count| COVERS.contains(count));
    assert!(right, "{names:?} are covered {counts:?} times of {SAMPLES}, expected {COVERS:?}");
    let distances: Vec<f64> = told.iter().filter_map(|told| told.1).collect();
    let (n, degrees) = (distances.len() as f64, N as f64);
    let mean = distances.iter().sum::<f64>() / n;
    let away = (mean - degrees) / (2.0 * degrees / n).sqrt();
    assert!(away.abs() < DISTANCE, "{names:?}: the mean distance is {mean}, {away} standard errors from {degrees}");
}

/// Parameters of the purchase models are searched, and told as positive, by their logarithms.
const BY_LOGARITHM: [bool; 4] = [true; 4];

#[test]
fn intervals_of_bg_nbd_hold_the_truth_as_often_as_they_say() {
    coverage([BG.r, BG.alpha, BG.a, BG.b], ["r", "alpha", "a", "b"], |sample| {
        let summary = histories(&BG.into(), CUSTOMERS, FINE, sample);
        (BgNbd::fit(&summary, FINE).map(|BgNbd { r, alpha, a, b }| [r, alpha, a, b]), BY_LOGARITHM)
    });
}

#[test]
fn intervals_of_mbg_nbd_hold_the_truth_as_often_as_they_say() {
    coverage([MBG.r, MBG.alpha, MBG.a, MBG.b], ["r", "alpha", "a", "b"], |sample| {
        let summary = histories(&MBG.into(), CUSTOMERS, FINE, sample);
        (MbgNbd::fit(&summary, FINE).map(|MbgNbd { r, alpha, a, b }| [r, alpha, a, b]), BY_LOGARITHM)
    });
}

#[test]
fn intervals_of_pareto_nbd_hold_the_truth_as_often_as_they_say() {
    coverage([PARETO.r, PARETO.alpha, PARETO.s, PARETO.beta], ["r", "alpha", "s", "beta"], |sample| {
        let summary = histories(&PARETO.into(), CUSTOMERS, FINE, sample);
        (ParetoNbd::fit(&summary, FINE).map(|ParetoNbd { r, alpha, s, beta }| [r, alpha, s, beta]), BY_LOGARITHM)
    });
}

/// Repeat purchases of a customer, 1 to 12 and few of many.
fn purchases(stream: &mut Stream) -> u32 {
    let most = 1 + stream.below(12);
    1 + stream.below(most) as u32
}

fn gamma_spend(customers: u64, sample: u64) -> (Vec<u32>, Vec<f64>) {
    let GammaGamma { p, q, gamma } = GAMMA_GAMMA;
    let draw = |customer: u64| {
        let mut stream = Stream::new(sample, customer, 18);
        let x = purchases(&mut stream);
        let rate = Gamma::new(q).draw(&mut stream) / gamma;
        (x, Gamma::new(p * f64::from(x)).draw(&mut stream) / rate)
    };
    (0..customers).into_par_iter().map(draw).unzip()
}

fn normal_spend(customers: u64, sample: u64) -> (Vec<u32>, Vec<[f64; 2]>) {
    let draw = |customer: u64| {
        let mut stream = Stream::new(sample, customer, 19);
        let x = purchases(&mut stream);
        let mean = NORMAL.mean + NORMAL.between * standard_normal(&mut stream);
        let spent: Vec<f64> = (0..x).map(|_| mean + NORMAL.within * standard_normal(&mut stream)).collect();
        let total: f64 = spent.iter().sum();
        (x, [total, spent.iter().map(|amount| (amount - total / f64::from(x)).powi(2)).sum()])
    };
    (0..customers).into_par_iter().map(draw).unzip()
}

fn fit_normal(x: &[u32], spent: &[[f64; 2]]) -> Fit<NormalSpend> {
    let (total, squares): (Vec<f64>, Vec<f64>) = spent.iter().map(|[total, squares]| (*total, *squares)).unzip();
    NormalSpend::fit(x, &total, &squares)
}

#[test]
fn intervals_of_gamma_gamma_hold_the_truth_as_often_as_they_say() {
    let truth = [GAMMA_GAMMA.p, GAMMA_GAMMA.q, GAMMA_GAMMA.gamma];
    coverage(truth, ["p", "q", "gamma"], |sample| {
        let (x, total) = gamma_spend(2_000, sample);
        (GammaGamma::fit(&x, &total).map(|GammaGamma { p, q, gamma }| [p, q, gamma]), [true; 3])
    });
}

#[test]
fn intervals_of_normal_spend_hold_the_truth_as_often_as_they_say() {
    coverage([NORMAL.mean, NORMAL.within, NORMAL.between], ["mean", "within", "between"], |sample| {
        let (x, spent) = normal_spend(1_000, sample);
        let fit = fit_normal(&x, &spent);
        (fit.map(|NormalSpend { mean, within, between }| [mean, within, between]), [false; 3])
    });
}

/// Every true parameter lies within three of its own standard errors.
fn comes_back<P, const N: usize>(fit: &Fit<P>, of: impl Fn(&P) -> [f64; N], truth: [f64; N]) {
    assert_eq!(fit.end, FitEnd::Converged);
    let (found, errors) = (of(fit.fitted().unwrap()), fit.standard_errors.as_ref().unwrap());
    for i in 0..N {
        let off = (found[i] - truth[i]) / errors[i];
        assert!(
            off.abs() < STANDARD_ERRORS,
            "{}: {} is {off} standard errors from {}",
            fit.names[i],
            found[i],
            truth[i]
        );
    }
}

#[test]
fn a_million_customers_give_the_parameters_of_the_purchase_models_back() {
    for model in [PurchaseModel::from(BG), MBG.into(), PARETO.into()] {
        let summary = histories(&model, MILLION, FINEST, 1);
        let fit = PurchaseModel::fit(model.kind(), &summary, &[], FINEST);
        comes_back(&fit, PurchaseModel::parameters, model.parameters());
    }
}

#[test]
fn a_million_customers_give_the_parameters_of_spend_back() {
    let (x, total) = gamma_spend(MILLION, 1);
    let GammaGamma { p, q, gamma } = GAMMA_GAMMA;
    comes_back(&GammaGamma::fit(&x, &total), |model| [model.p, model.q, model.gamma], [p, q, gamma]);
    let (x, spent) = normal_spend(MILLION, 1);
    let NormalSpend { mean, within, between } = NORMAL;
    let of = |model: &NormalSpend| [model.mean, model.within, model.between];
    comes_back(&fit_normal(&x, &spent), of, [mean, within, between]);
}
