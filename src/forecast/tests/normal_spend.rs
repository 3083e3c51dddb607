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
    let squares = [0.0, 0.0, 800.0, 1900.0, 9e3, 4e5];
    for at in [[5.0, 900.0, 100.0], [-40.0, 20.0, 300.0], [0.0, 3000.0, 5.0]] {
        agree(at, |at| NormalSpend::evaluation(&x, &total, &squares, at));
    }
}

#[test]
fn the_fit_of_the_sample_is_that_of_an_independent_search() {
    // scipy 1.x: Nelder–Mead over norm.logpdf of the 2,457 repeat purchases of the 946 repeaters (their mean's with √(τ² + σ²/x),
    // the deviations' with σ), restarted until it stood still; standard errors from central differences.
    let sample = sample();
    let fit = NormalSpend::fit(&sample.x, &sample.total, &sample.squares);
    assert_eq!((fit.end.clone(), fit.customers), (FitEnd::Converged, 946));
    let found = fit.fitted().unwrap();
    close(found.mean, 36.556_449_42, BY_SIMPLEX);
    close(found.within, 41.829_081_26, BY_SIMPLEX);
    close(found.between, 21.081_846_97, BY_SIMPLEX);
    close(fit.log_likelihood.unwrap(), -12_872.888_305_37, 1e-12);
    let again = found.log_likelihood(&sample.x, &sample.total, &sample.squares);
    close(again, fit.log_likelihood.unwrap(), 1e-12);
    for (found, expected) in fit.standard_errors.clone().unwrap().iter().zip([1.181_391_87, 0.655_917_38, 0.966_078_12])
    {
        close(*found, expected, BY_DIFFERENCES);
    }
    assert!(fit.notes.is_empty(), "{:?}", fit.notes);
    // One repeat purchase of 242.98 is mostly chance.
    close(found.conditional_mean(1.0, 242.98), 78.369_986_7, BY_SIMPLEX);
    // A shift of all amounts moves the mean alone; another unit of money scales everything.
    let moved: Vec<f64> =
        sample.total.iter().zip(&sample.x).map(|(total, x)| 100.0 * total - 7e4 * f64::from(*x)).collect();
    let squares: Vec<f64> = sample.squares.iter().map(|squares| 1e4 * squares).collect();
    let other = NormalSpend::fit(&sample.x, &moved, &squares);
    let other = other.fitted().unwrap();
    close(other.mean, 100.0 * found.mean - 7e4, 1e-9);
    close(other.within, 100.0 * found.within, 1e-9);
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
fn equal_numbers_of_purchases_give_the_closed_form_of_the_analysis_of_variance() {
    // Searle, Casella & McCulloch (1992), 3.7: σ² = SSE/(a(n−1)), τ² = (SSA/a − σ²)/n where that is above 0.
    let total = [30.0, 80.0, -20.0, 55.0, 10.0];
    let squares = [200.0, 350.0, 90.0, 410.0, 150.0];
    let fit = |squares: &[f64]| NormalSpend::fit(&[4; 5], &total, squares);
    let found = fit(&squares);
    let model = found.fitted().unwrap();
    let mean: f64 = total.iter().sum::<f64>() / 20.0;
    let among: f64 = total.iter().map(|total| 4.0 * (total / 4.0 - mean).powi(2)).sum::<f64>() / 5.0;
    let within = 1_200.0 / 15.0;
    close(model.mean, mean, 1e-9);
    close(model.within * model.within, within, 1e-9);
    close(model.between * model.between, (among - within) / 4.0, 1e-9);
    assert_eq!(found.end, FitEnd::Converged);
    // Means that differ by no more than chance: σ² is that of all purchases.
    let wide = squares.map(|squares| 20.0 * squares);
    let found = fit(&wide);
    assert_eq!(found.end, FitEnd::Boundary { limit_models: vec![LimitModel::EqualMeans] });
    let model = found.fitted().unwrap();
    assert_eq!(model.between, 0.0);
    close(model.within * model.within, (24_000.0 + 5.0 * among) / 20.0, 1e-9);
}

#[test]
fn a_spread_that_is_hardly_known_is_told() {
    let fit = NormalSpend::fit(&[2, 2, 2], &[40.0, 30.0, 52.0], &[60.0, 20.0, 40.0]);
    assert_eq!(fit.end, FitEnd::Converged);
    assert!(fit.notes[0].starts_with("between is hardly known: "), "{:?}", fit.notes);
}

#[test]
fn with_one_price_everybody_spends_it_again() {
    for (total, amount) in [([5.0, 10.0, 15.0], 5.0), ([-2.5, -5.0, -7.5], -2.5), ([0.0; 3], 0.0)] {
        let fit = NormalSpend::fit(&[1, 2, 3], &total, &[0.0; 3]);
        let limit_models = vec![LimitModel::EqualSpendWithinCustomer, LimitModel::EqualMeans];
        assert_eq!((&fit.end, fit.log_likelihood), (&FitEnd::Boundary { limit_models }, None));
        let model = fit.fitted().unwrap();
        assert_eq!((model.mean, model.between), (amount, 0.0));
        assert!(model.within > 0.0 && model.within <= 1e-4 * amount.abs().max(1.0));
        for (x, total) in [(0.0, 0.0), (7.0, 7.0 * amount)] {
            let next = model.posterior(x, total);
            assert!((next.mean - amount).abs() < 1e-12 && next.sd == 0.0, "{next:?}");
        }
    }
}

#[test]
fn data_without_an_estimate_say_why() {
    let why =
        |x: &[u32], total: &[f64]| NormalSpend::fit(x, total, &vec![0.0; x.len()]).fitted().unwrap_err().to_string();
    assert_eq!(
        why(&[1, 2, 0], &[3.0, 8.0, 0.0]),
        "the normal spend fit failed: fewer than three customers have a repeat purchase with spend"
    );
    assert_eq!(
        why(&[1, 1, 1], &[5.0, -10.0, 15.0]),
        "the normal spend fit failed: no customer has two repeat purchases, so spread between customers cannot be told \
         from spread within"
    );
    let missing = NormalSpend::fit(&[1, 2, 3], &[5.0, 10.0, 15.0], &[]);
    assert!(missing.fitted().unwrap_err().to_string().ends_with("have different numbers of rows"));
}
