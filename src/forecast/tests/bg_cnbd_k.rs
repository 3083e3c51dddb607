//! (M)BG/CNBD-k: its first members against BG/NBD and the published MBG/NBD, the others against simulation.

use super::cdnow::{close, sample, summary};
use super::derivatives::agree;
use crate::forecast::bg_cnbd_k::{BgCnbdK, FirstDropout, MOST_PHASES};
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::fit::{Fit, FitEnd};
use crate::forecast::summary::Summary;
use crate::numeric::distributions::{Beta, Gamma, standard_exponential};
use crate::numeric::philox::Stream;
use rayon::prelude::*;

const WEEK: f64 = 7.0;
/// Published figures carry ten significant digits, standard errors six.
const TEN_DIGITS: f64 = 5e-10;
const SIX_DIGITS: f64 = 5e-6;
/// What the kernels promise.
const PROMISED: f64 = 1e-11;
/// A mean of many draws, or an estimate, leaves this many standard errors once in 16,000 times.
const STANDARD_ERRORS: f64 = 4.0;

const BG: BgCnbdK = BgCnbdK { k: 1, dropout: FirstDropout::AfterRepeat, r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
const MBG: BgCnbdK = BgCnbdK { k: 1, dropout: FirstDropout::AfterFirst, r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 };

/// What happens to one customer: purchases are times, dropout comes after a purchase.
struct Life {
    purchases: Vec<f64>,
    /// The last purchase before dropout was the last of all.
    dropped_out: bool,
}

/// A customer's life up to `end`.
fn live(model: &BgCnbdK, end: f64, stream: &mut Stream) -> Life {
    let rate = Gamma::new(model.r).draw(stream) / model.alpha;
    let p = Beta::new(model.a, model.b).draw(stream);
    let mut life = Life { purchases: vec![], dropped_out: false };
    let mut t = 0.0;
    if model.dropout == FirstDropout::AfterFirst && stream.uniform() < p {
        life.dropped_out = true;
    }
    while !life.dropped_out {
        t += (0..model.k).map(|_| standard_exponential(stream)).sum::<f64>() / rate;
        if t > end {
            break;
        }
        life.purchases.push(t);
        life.dropped_out = stream.uniform() < p;
    }
    life
}

/// Customers of a calendar with `per_unit` days a model time unit, and the sum of the logarithms of their gaps.
fn draw(model: &BgCnbdK, customers: u64, longest: u32, per_unit: f64) -> (Summary, Vec<f64>) {
    let rows: Vec<(u32, u32, u32, f64)> = (0..customers)
        .into_par_iter()
        .map(|customer| {
            let mut stream = Stream::new(31, customer, 2);
            let age = longest - stream.below(u64::from(longest) / 3) as u32;
            let life = live(model, f64::from(age) / per_unit, &mut stream);
            let mut days: Vec<u32> = life.purchases.iter().map(|t| (t * per_unit).ceil() as u32).collect();
            days.retain(|&day| day <= age);
            days.dedup();
            let before = std::iter::once(0).chain(days.iter().copied());
            let ln_gaps = days.iter().zip(before).map(|(day, before)| libm::log(f64::from(day - before))).sum();
            (days.len() as u32, days.last().copied().unwrap_or(0), age, ln_gaps)
        })
        .collect();
    let mut summary = Summary::new();
    let column = |pick: fn(&(u32, u32, u32, f64)) -> u32| -> Vec<u32> { rows.iter().map(pick).collect() };
    summary.insert(&column(|r| r.0), &column(|r| r.1), &column(|r| r.2)).unwrap();
    (summary, rows.iter().map(|row| row.3).collect())
}

fn some_histories() -> Summary {
    let mut summary = Summary::new();
    let x = [0, 0, 0, 1, 1, 2, 3, 7, 40, 600];
    let recency = [0, 0, 0, 1, 200, 30, 250, 250, 100, 900];
    let age = [0, 250, 9, 250, 200, 260, 251, 270, 260, 1000];
    summary.insert(&x, &recency, &age).unwrap();
    summary
}

#[test]
fn one_phase_is_bg_nbd() {
    let summary = some_histories();
    for at in [[-1.4, 1.5, -0.2, 0.9], [1.0, 3.0, -6.0, 2.0], [0.5, -1.0, 3.0, -2.0]] {
        let found = BgCnbdK::evaluation(&summary, &[0.7; 10], WEEK, FirstDropout::AfterRepeat, 1, &at);
        let expected = BgNbd::evaluation(&summary, WEEK, &at);
        close(found.value, expected.value, PROMISED);
        for i in 0..4 {
            assert!((found.gradient[i] - expected.gradient[i]).abs() < PROMISED * expected.value.abs());
            for j in 0..4 {
                assert!((found.hessian[i][j] - expected.hessian[i][j]).abs() < PROMISED * expected.value.abs());
            }
        }
    }
    let bg = BgNbd { r: BG.r, alpha: BG.alpha, a: BG.a, b: BG.b };
    for (x, t_x, age) in [(0, 0.0, 0.0), (0, 0.0, 39.0), (1, 3.0, 20.0), (26, 30.9, 31.0), (900, 250.0, 251.0)] {
        close(BG.p_alive(x, t_x, age), bg.p_alive(f64::from(x), t_x, age), PROMISED);
        for horizon in [0.1, 13.0, 52.0, 520.0] {
            let expected = bg.residual(f64::from(x), age, horizon, 0.0).unwrap().purchases;
            close(BG.residual_purchases(x, t_x, age, horizon), expected, PROMISED);
        }
    }
}

#[test]
fn one_phase_with_dropout_from_the_first_purchase_has_the_published_values_of_mbg_nbd() {
    let summary = summary(&sample());
    let gaps = vec![0.0; 2357];
    let fit = BgCnbdK::fit_with(&summary, &gaps, WEEK, FirstDropout::AfterFirst, 1);
    assert_eq!((fit.end.clone(), fit.model()), (FitEnd::Converged, "MBG/CNBD-1"));
    let found = fit.fitted().unwrap();
    close(found.r, 0.524_843_159_1, TEN_DIGITS);
    close(found.alpha, 6.183_085_280, TEN_DIGITS);
    close(found.a, 0.891_359_390_7, TEN_DIGITS);
    close(found.b, 1.614_002_240, TEN_DIGITS);
    close(fit.log_likelihood.unwrap(), -9_582.135_716, TEN_DIGITS);
    for (found, expected) in
        fit.standard_errors.clone().unwrap().iter().zip([0.083_268_2, 0.695_621, 0.154_790, 0.537_495])
    {
        close(*found, expected, SIX_DIGITS);
    }
    close(MBG.expected_purchases(26, 216.0 / 7.0, 31.0, 52.0), 24.002_230_12, TEN_DIGITS);
    close(MBG.p_alive(26, 216.0 / 7.0, 31.0), 0.965_498_05, 5e-9);
    close(MBG.expected_purchases(2, 30.43, 38.86, 39.0), 1.262_960_623_27, 5e-12);
    close(MBG.p_alive(0, 0.0, 39.0), 0.389_347_648_664, 2e-12);
}

#[test]
fn derivatives_are_those_of_the_likelihood_for_any_number_of_phases() {
    let summary = some_histories();
    for dropout in [FirstDropout::AfterRepeat, FirstDropout::AfterFirst] {
        for k in [1, 2, 5, 12, MOST_PHASES] {
            for at in [[-1.4, 1.5, -0.2, 0.9], [0.5, -1.0, 2.0, -2.0]] {
                agree(at, |ln| BgCnbdK::evaluation(&summary, &[1.1; 10], WEEK, dropout, k, ln));
            }
        }
    }
}

#[test]
fn phases_and_parameters_come_back_from_data_drawn_with_them() {
    for model in [
        BgCnbdK { k: 3, dropout: FirstDropout::AfterFirst, r: 1.2, alpha: 1.5, a: 0.8, b: 2.5 },
        BgCnbdK { k: 2, dropout: FirstDropout::AfterRepeat, r: 0.6, alpha: 3.0, a: 0.5, b: 4.0 },
    ] {
        let (summary, gaps) = draw(&model, 20_000, 1_200_000, 20_000.0);
        let fit = BgCnbdK::fit(&summary, &gaps, 20_000.0, model.dropout);
        assert_eq!(fit.end, FitEnd::Converged);
        let (found, errors) = (fit.fitted().unwrap(), fit.standard_errors.clone().unwrap());
        assert_eq!(found.k, model.k, "{:?}", fit.notes);
        let told = format!("BG/CNBD-{} puts dropout after a repeat purchase only", model.k);
        let has = fit.notes.iter().any(|note| note.contains(&told) && note.contains("`forecast.model: mbg_cnbd_k`"));
        assert_eq!(has, model.dropout == FirstDropout::AfterRepeat, "{:?}", fit.notes);
        let pairs = [(found.r, model.r), (found.alpha, model.alpha), (found.a, model.a), (found.b, model.b)];
        for ((found, truth), error) in pairs.into_iter().zip(errors) {
            assert!((found - truth).abs() < STANDARD_ERRORS * error, "{model:?}: {found} is not {truth} ± {error}");
        }
    }
}

#[test]
fn more_phases_are_tried_as_long_as_the_likelihood_rises_and_the_last_is_told() {
    let regular = |k: u32| BgCnbdK {
        k,
        dropout: FirstDropout::AfterFirst,
        r: 20.0,
        alpha: 20.0 * 4.0 / f64::from(k),
        a: 0.8,
        b: 8.0,
    };
    let fit = |k: u32| {
        let (summary, gaps) = draw(&regular(k), 1_000, 600_000, 7_000.0);
        BgCnbdK::fit(&summary, &gaps, 7_000.0, FirstDropout::AfterFirst)
    };
    let found = fit(20);
    let k = found.fitted().unwrap().k;
    assert!((18..=22).contains(&k), "{:?}", found.notes);
    assert_eq!((found.end, found.notes.len()), (FitEnd::Converged, 1));
    let found = fit(60);
    assert_eq!(found.fitted().unwrap().k, MOST_PHASES, "{:?}", found.notes);
    assert!(found.notes.iter().any(|note| note.starts_with("k = 32 is the last that is tried")), "{:?}", found.notes);
}

#[test]
fn customers_drawn_from_the_model_behave_as_predicted() {
    const CUSTOMERS: u64 = 100_000;
    let (age, horizon) = (30.0, 26.0);
    for model in [
        BgCnbdK { k: 3, dropout: FirstDropout::AfterFirst, r: 1.2, alpha: 1.5, a: 0.8, b: 2.5 },
        BgCnbdK { k: 2, dropout: FirstDropout::AfterRepeat, r: 0.6, alpha: 3.0, a: 0.5, b: 4.0 },
    ] {
        let gaps: Vec<[f64; 3]> = (0..CUSTOMERS)
            .into_par_iter()
            .map(|customer| {
                let life = live(&model, age + horizon, &mut Stream::new(5, customer, 3));
                let x = life.purchases.iter().filter(|&&t| t <= age).count();
                let t_x = if x == 0 { 0.0 } else { life.purchases[x - 1] };
                let later = life.purchases.len() - x;
                let lives = f64::from(u8::from(later > 0 || !life.dropped_out));
                let alive = model.p_alive(x as u32, t_x, age);
                // Weighted by recency too, so that calibration by recency is tested and not just the mean.
                let off = lives - alive;
                let left = model.residual_purchases(x as u32, t_x, age, horizon);
                [off, off * t_x / age, later as f64 - alive * left]
            })
            .collect();
        for k in 0..3 {
            let mean = gaps.iter().map(|gap| gap[k]).sum::<f64>() / CUSTOMERS as f64;
            let square = gaps.iter().map(|gap| gap[k] * gap[k]).sum::<f64>() / CUSTOMERS as f64;
            let error = (square / CUSTOMERS as f64).sqrt();
            assert!(mean.abs() < STANDARD_ERRORS * error, "{model:?} {k}: {mean} ± {error}");
        }
    }
}

#[test]
fn extreme_histories_have_finite_predictions() {
    for k in [1, 12, MOST_PHASES] {
        for dropout in [FirstDropout::AfterRepeat, FirstDropout::AfterFirst] {
            let model = BgCnbdK { k, dropout, ..BG };
            for (x, t_x, age) in [(0, 0.0, 0.006), (0, 0.0, 1565.0), (10_000, 1564.0, 1565.0), (10_000, 300.0, 1565.0)]
            {
                let alive = model.p_alive(x, t_x, age);
                assert!((0.0..=1.0).contains(&alive), "{model:?} {x}: {alive}");
                let left = model.residual_purchases(x, t_x, age, 52.0);
                assert!(left.is_finite() && left > 0.0, "{model:?} {x}: {left}");
            }
        }
    }
    assert_eq!(MBG.residual_purchases(3, 10.0, 20.0, 0.0), 0.0);
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let message = |fit: Fit<BgCnbdK>| fit.fitted().unwrap_err().to_string();
    let summary = some_histories();
    let found = message(BgCnbdK::fit(&summary, &[1.0; 9], WEEK, FirstDropout::AfterRepeat));
    assert_eq!(
        found,
        "the BG/CNBD-1 fit failed: there must be one finite sum of logarithms of gaps for every customer"
    );
    let mut once = Summary::new();
    once.insert(&[0, 0], &[0, 0], &[5, 9]).unwrap();
    let found = message(BgCnbdK::fit(&once, &[0.0; 2], WEEK, FirstDropout::AfterFirst));
    assert!(found.starts_with("the MBG/CNBD-1 fit failed: no customer bought a second time"), "{found}");
}
