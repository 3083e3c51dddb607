//! Normal spend: its likelihood, its fit on the CDNOW sample and what it makes of data without an estimate.

use super::cdnow::{close, sample};
use super::derivatives::agree;
use crate::forecast::fit::{FitEnd, LimitModel};
use crate::forecast::normal_spend::NormalSpend;

/// A maximum by a search without derivatives.
const BY_SIMPLEX: f64 = 1e-7;
/// Standard errors from differences of the likelihood.
const BY_DIFFERENCES: f64 = 1e-4;

#[test]
fn derivatives_are_those_of_the_likelihood() {
    let x = [1, 1, 2, 3, 12, 700];
    let total = [3.0, -90.0, 50.5, 0.0, 111.0, -9000.0];
    for at in [[5.0, 900.0, 100.0], [-40.0, 20.0, 300.0], [0.0, 3000.0, 5.0]] {
        agree(at, |at| NormalSpend::evaluation(&x, &total, at));
    }
}

#[test]
fn the_fit_of_the_sample_is_that_of_an_independent_search() {
    // scipy 1.x: Nelder–Mead over norm.logpdf(z̄, μ, √(τ² + σ²/x)) of the 946 repeaters, restarted until it stood still;
    // standard errors from central differences.
    let sample = sample();
    let fit = NormalSpend::fit(&sample.x, &sample.total);
    assert_eq!((fit.end.clone(), fit.customers), (FitEnd::Converged, 946));
    let found = fit.fitted().unwrap();
    close(found.mean, 35.086_378_262_8, BY_SIMPLEX);
    close(found.within, 2.829_378_080_7, 1e-5);
    close(found.between, 30.181_501_246_7, BY_SIMPLEX);
    close(fit.log_likelihood.unwrap(), -4_568.243_669_352_7, 1e-12);
    close(found.log_likelihood(&sample.x, &sample.total), fit.log_likelihood.unwrap(), 1e-12);
    for (found, expected) in fit.standard_errors.clone().unwrap().iter().zip([0.991_274_64, 19.755_6, 1.386_60]) {
        close(*found, expected, BY_DIFFERENCES);
    }
    // A shift of all amounts moves the mean alone; another unit of money scales everything.
    let moved: Vec<f64> =
        sample.total.iter().zip(&sample.x).map(|(total, x)| 100.0 * total - 7e4 * f64::from(*x)).collect();
    let other = NormalSpend::fit(&sample.x, &moved);
    let other = other.fitted().unwrap();
    close(other.mean, 100.0 * found.mean - 7e4, 1e-9);
    close(other.within, 100.0 * found.within, 1e-5);
    close(other.between, 100.0 * found.between, 1e-9);
}

#[test]
fn a_customers_mean_is_drawn_towards_that_of_all() {
    // Schmittlein & Peterson (1994): weight x ρ/(1 + (x−1) ρ) of the own mean, with the reliability ρ = τ²/(τ² + σ²).
    let model = NormalSpend { mean: 20.0, within: 30.0, between: 10.0 };
    let reliability: f64 = 100.0 / 1_000.0;
    for (x, mean) in [(1.0, -50.0), (4.0, 90.0), (25.0, 0.0)] {
        let weight = x * reliability / (1.0 + (x - 1.0) * reliability);
        let expected = weight * mean + (1.0 - weight) * 20.0;
        let found = model.posterior(x, x * mean);
        assert!((found.mean - expected).abs() < 1e-12, "{found:?} {expected}");
        assert!((found.sd - 10.0 * libm::sqrt(1.0 - weight)).abs() < 1e-12);
    }
    assert_eq!(model.posterior(0.0, 0.0).sd, 10.0);
}

#[test]
fn data_without_an_estimate_say_why() {
    let why = |x: &[u32], total: &[f64]| NormalSpend::fit(x, total).fitted().unwrap_err().to_string();
    assert_eq!(
        why(&[1, 2, 0], &[3.0, 8.0, 0.0]),
        "the normal spend fit failed: fewer than three customers have a repeat purchase with spend"
    );
    assert_eq!(
        why(&[1, 2, 3], &[5.0, 10.0, 15.0]),
        "the normal spend fit failed: all customers have the same mean spend: there is no spread to fit"
    );
    assert_eq!(
        why(&[2, 2, 2], &[5.0, -10.0, 15.0]),
        "the normal spend fit failed: all customers have as many repeat purchases, so spread between customers cannot be \
         told from spread within"
    );
    // Means that spread less the more purchases there are, and around one: nothing is left between customers.
    let x: Vec<u32> = (0..400).map(|i| 1 + i % 20).collect();
    let total: Vec<f64> = x
        .iter()
        .enumerate()
        .map(|(i, x)| libm::sqrt(f64::from(*x)) * if i / 20 % 2 == 0 { 9.0 } else { -9.0 })
        .collect();
    let fit = NormalSpend::fit(&x, &total);
    assert_eq!(fit.end, FitEnd::Boundary { limit_models: vec![LimitModel::EqualMeans] });
    let found = fit.fitted().unwrap();
    close(found.within, 9.0, 1e-6);
    assert!(found.between < 0.01 && found.conditional_mean(3.0, 300.0).abs() < 1.0, "{found:?}");
}
