//! MBG/NBD: published numbers, its laws, and extreme histories.

use super::cdnow::{SIX_DIGITS, TEN_DIGITS, WEEK, close, sample, summary};
use super::derivatives::agree;
use super::recovery::STANDARD_ERRORS;
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::fit::{Fit, FitEnd, LimitModel};
use crate::forecast::mbg_nbd::MbgNbd;
use crate::forecast::summary::Summary;
use crate::numeric::distributions::{Beta, Gamma, standard_exponential};
use crate::numeric::hypergeometric::gauss;
use crate::numeric::philox::Stream;
use rayon::prelude::*;

/// Parameters of the values at given parameters in the project's reference.
const GIVEN: MbgNbd = MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 };

/// Rounded figures are good to half a unit of their last digit: eight digits here.
const EIGHT_DIGITS: f64 = 5e-8;

fn fit(histories: &[(u32, u32, u32)], copies: usize) -> Fit<MbgNbd> {
    let mut summary = Summary::new();
    let column = |pick: fn(&(u32, u32, u32)) -> u32| -> Vec<u32> {
        (0..copies).flat_map(|_| histories.iter().map(pick)).collect()
    };
    summary.insert(&column(|h| h.0), &column(|h| h.1), &column(|h| h.2)).unwrap();
    MbgNbd::fit(&summary, WEEK)
}

#[test]
fn mbg_nbd_fits_the_sample_to_all_published_digits() {
    let fit = MbgNbd::fit(&summary(&sample()), WEEK);
    assert_eq!(fit.end, FitEnd::Converged);
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
    assert!(fit.notes.is_empty() && fit.gradient_norm < 1e-6, "{:?} {}", fit.notes, fit.gradient_norm);
}

#[test]
fn mbg_nbd_predicts_the_reference_values() {
    let (t_x, age) = (216.0 / 7.0, 31.0);
    close(GIVEN.p_alive(26.0, t_x, age), 0.965_498_05, EIGHT_DIGITS);
    close(GIVEN.expected_purchases(26.0, t_x, age, 52.0).unwrap(), 24.002_230_12, EIGHT_DIGITS);
    close(GIVEN.p_alive(2.0, 30.43, 38.86), 0.706_202_27, EIGHT_DIGITS);
    close(GIVEN.expected_purchases(2.0, 30.43, 38.86, 39.0).unwrap(), 1.262_960_623_27, 5e-12);
    close(GIVEN.p_alive(0.0, 0.0, 39.0), 0.389_347_648_664, 2e-12);
}

#[test]
fn holdout_purchases_of_the_sample_sum_to_the_reference_figure() {
    let summary = summary(&sample());
    let found = GIVEN.predict(&summary, WEEK, 39.0, 0.0).unwrap();
    let sum: f64 = summary
        .iter()
        .zip(found.p_alive.iter().zip(&found.residual))
        .map(|((_, weight), (alive, residual))| weight as f64 * alive * residual.purchases)
        .sum();
    close(sum, 1_577.128_80, 5e-9);
}

#[test]
fn mbg_nbd_derivatives_are_those_of_its_likelihood() {
    let mut summary = Summary::new();
    let x = [0, 0, 1, 1, 2, 3, 7, 40, 600];
    let recency = [0, 0, 1, 200, 30, 250, 250, 100, 900];
    let age = [0, 250, 250, 200, 260, 251, 270, 260, 1000];
    summary.insert(&x, &recency, &age).unwrap();
    for at in [[-1.4, 1.5, -0.2, 0.9], [1.0, 3.0, -6.0, 2.0], [0.5, -1.0, 3.0, -2.0]] {
        agree(at, |ln| MbgNbd::evaluation(&summary, WEEK, ln));
    }
    // Without a customer who bought once, the first chance has still been there.
    let mut repeaters = Summary::new();
    repeaters.insert(&x[2..], &recency[2..], &age[2..]).unwrap();
    agree([-1.4, 1.5, -0.2, 0.9], |ln| MbgNbd::evaluation(&repeaters, WEEK, ln));
}

/// `∫∫ L(λ, p) g(λ) g(p) dλ dp` of one history, the rate integrated in closed form and the dropout by the midpoint rule
/// in `p = s³(10 − 15s + 6s²)`, whose ends are flat enough for the beta density's.
fn likelihood_by_integration(m: &MbgNbd, x: i32, t_x: f64, age: f64) -> f64 {
    let steps = 20_000;
    let ln_beta = libm::lgamma(m.a) + libm::lgamma(m.b) - libm::lgamma(m.a + m.b);
    let rate = |t: f64| {
        let shape = m.r + f64::from(x);
        libm::exp(libm::lgamma(shape) - libm::lgamma(m.r) + m.r * libm::log(m.alpha) - shape * libm::log(m.alpha + t))
    };
    let (alive, dead) = (rate(age), rate(t_x));
    (0..steps)
        .map(|k| {
            let s = (f64::from(k) + 0.5) / f64::from(steps);
            let p = s * s * s * (10.0 - 15.0 * s + 6.0 * s * s);
            let slope = 30.0 * s * s * (1.0 - s) * (1.0 - s);
            let density = libm::exp((m.a - 1.0) * libm::log(p) + (m.b - 1.0) * libm::log1p(-p) - ln_beta);
            // Survived all x + 1 chances, or dropped out at the last of them.
            let stayed = (1.0 - p).powi(x + 1) * alive + p * (1.0 - p).powi(x) * dead;
            density * slope * stayed / f64::from(steps)
        })
        .sum()
}

#[test]
fn the_likelihood_is_the_model_integrated_over_its_customers() {
    for model in [GIVEN, MbgNbd { r: 2.0, alpha: 9.0, a: 2.5, b: 1.2 }] {
        for (x, t_x, age) in [(0, 0, 39), (1, 5, 20), (4, 30, 31), (9, 12, 60)] {
            let mut summary = Summary::new();
            summary.insert(&[x], &[t_x], &[age]).unwrap();
            let found = libm::exp(model.log_likelihood(&summary, 1.0));
            let expected = likelihood_by_integration(&model, x as i32, f64::from(t_x), f64::from(age));
            assert!((found / expected - 1.0).abs() < 1e-7, "{x} {t_x} {age}: {found} is not {expected}");
        }
    }
}

/// The closed form of the conditional expectation, derived from Euler's integral; singular at `a = 1`.
fn closed_form(m: &MbgNbd, x: f64, t_x: f64, age: f64, t: f64) -> f64 {
    let MbgNbd { r, alpha, a, b } = *m;
    let hyper = gauss(r + x, b + x + 1.0, a + b + x, t / (alpha + age + t)).unwrap();
    let shrink = libm::pow((alpha + age) / (alpha + age + t), r + x);
    let odds = a / (b + x) * libm::pow((alpha + age) / (alpha + t_x), r + x);
    (a + b + x) / (a - 1.0) * (1.0 - shrink * hyper) / (1.0 + odds)
}

#[test]
fn expected_purchases_are_the_closed_form_away_from_its_singularity_and_smooth_through_it() {
    for model in
        [GIVEN, MbgNbd { r: 3.0, alpha: 12.0, a: 2.5, b: 0.6 }, MbgNbd { r: 30.0, alpha: 9.0, a: 40.0, b: 90.0 }]
    {
        for (x, t_x, age) in
            [(0.0, 0.0, 0.0), (0.0, 0.0, 39.0), (1.0, 3.0, 20.0), (26.0, 30.9, 31.0), (90.0, 50.0, 51.0)]
        {
            for t in [0.1, 13.0, 52.0, 520.0] {
                let found = model.expected_purchases(x, t_x, age, t).unwrap();
                let closed = closed_form(&model, x, t_x, age, t);
                assert!((found / closed - 1.0).abs() < 1e-10, "{model:?} {x} {age} {t}: {found} is not {closed}");
            }
        }
    }
    let at = |a: f64| MbgNbd { a, ..GIVEN }.expected_purchases(2.0, 30.43, 38.86, 39.0).unwrap();
    let middle = 0.5 * (at(1.0 - 1e-6) + at(1.0 + 1e-6));
    assert!((at(1.0) - middle).abs() < 1e-10, "{} {middle}", at(1.0));
}

/// One customer from the first purchase to `end`: purchase times after the first.
fn live(model: &MbgNbd, stream: &mut Stream, end: f64) -> Vec<f64> {
    let rate = Gamma::new(model.r).draw(stream) / model.alpha;
    let p = Beta::new(model.a, model.b).draw(stream);
    let (mut times, mut t) = (Vec::new(), 0.0);
    while stream.uniform() >= p {
        // A rate that underflows to 0 waits for ever.
        t += standard_exponential(stream) / rate;
        if t > end {
            break;
        }
        times.push(t);
    }
    times
}

#[test]
fn simulated_customers_live_and_buy_as_expected() {
    // Purchases among 200,000 new customers by week 30 and from there to week 60.
    let model = MbgNbd { r: 0.8, alpha: 5.0, a: 0.7, b: 2.0 };
    let customers = 200_000_u64;
    let lives: Vec<(f64, f64)> = (0..customers)
        .into_par_iter()
        .map(|customer| {
            let times = live(&model, &mut Stream::new(7, customer, 3), 60.0);
            let early = times.iter().filter(|&&t| t <= 30.0).count() as f64;
            (early, times.len() as f64 - early)
        })
        .collect();
    let check = |values: &dyn Fn(&(f64, f64)) -> f64, expected: f64| {
        let n = customers as f64;
        let mean = lives.iter().map(values).sum::<f64>() / n;
        let variance = lives.iter().map(|l| (values(l) - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - expected).abs() < STANDARD_ERRORS * (variance / n).sqrt(), "{mean} is not {expected}");
    };
    let by_30 = model.expected_purchases(0.0, 0.0, 0.0, 30.0).unwrap();
    let by_60 = model.expected_purchases(0.0, 0.0, 0.0, 60.0).unwrap();
    check(&|l| l.0, by_30);
    check(&|l| l.1, by_60 - by_30);
    // Those without a purchase by week 30: P(alive) times what is left.
    let silent: Vec<f64> = lives.iter().filter(|l| l.0 == 0.0).map(|l| l.1).collect();
    let expected = model.expected_purchases(0.0, 0.0, 30.0, 30.0).unwrap();
    let (n, mean) = (silent.len() as f64, silent.iter().sum::<f64>() / silent.len() as f64);
    let variance = silent.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    assert!((mean - expected).abs() < STANDARD_ERRORS * (variance / n).sqrt(), "{mean} is not {expected}");
}

#[test]
fn known_parameters_come_back_within_their_standard_errors() {
    for model in [MbgNbd { r: 0.5, alpha: 6.0, a: 0.9, b: 1.6 }, MbgNbd { r: 1.5, alpha: 12.0, a: 0.3, b: 4.0 }] {
        // 20,000 units a week, so that rounding to them is far below the standard errors.
        let per_unit = 20_000.0;
        let rows: Vec<(u32, u32, u32)> = (0..40_000_u64)
            .into_par_iter()
            .map(|customer| {
                let mut stream = Stream::new(2024, customer, 5);
                let age = 1_200_000 - stream.below(400_000) as u32;
                let times = live(&model, &mut stream, f64::from(age) / per_unit);
                let mut units: Vec<u32> = times.iter().map(|t| ((t * per_unit).ceil() as u32).min(age)).collect();
                units.dedup();
                (units.len() as u32, units.last().copied().unwrap_or(0), age)
            })
            .collect();
        let mut summary = Summary::new();
        let column = |pick: fn(&(u32, u32, u32)) -> u32| -> Vec<u32> { rows.iter().map(pick).collect() };
        summary.insert(&column(|h| h.0), &column(|h| h.1), &column(|h| h.2)).unwrap();
        let fit = MbgNbd::fit(&summary, per_unit);
        assert_eq!(fit.end, FitEnd::Converged);
        let (found, errors) = (fit.fitted().unwrap(), fit.standard_errors.clone().unwrap());
        let pairs = [(found.r, model.r), (found.alpha, model.alpha), (found.a, model.a), (found.b, model.b)];
        for ((found, truth), error) in pairs.into_iter().zip(errors) {
            assert!((found - truth).abs() < STANDARD_ERRORS * error, "{model:?}: {found} is not {truth} ± {error}");
        }
        assert!(fit.gradient_norm < 1e-5 && fit.iterations < 40, "{} {}", fit.gradient_norm, fit.iterations);
    }
}

#[test]
fn p_alive_reaches_zero_and_one_without_overflow() {
    assert_eq!(GIVEN.p_alive(1000.0, 10.0, 100.0), 0.0);
    for (x, t_x, age) in [
        (221.0, 103.428_57, 103.571_43),
        (254.0, 97.142_86, 97.285_71),
        (1e4, 1564.0, 1565.0),
        (1e5, 1.0, 1e4),
        (0.0, 0.0, 0.006),
        (0.0, 0.0, 1565.0),
    ] {
        let found = GIVEN.p_alive(x, t_x, age);
        assert!((0.0..=1.0).contains(&found), "{found}");
        let expected = GIVEN.expected_purchases(x, t_x, age, 52.0).unwrap();
        assert!(expected.is_finite() && expected >= 0.0, "{x} {t_x} {age}: {expected}");
    }
}

#[test]
fn a_living_customer_has_the_future_of_one_in_bg_nbd_with_a_chance_more() {
    let twin = BgNbd { r: GIVEN.r, alpha: GIVEN.alpha, a: GIVEN.a, b: GIVEN.b + 1.0 };
    assert_eq!(GIVEN.while_alive(), twin);
    assert_eq!(GIVEN.residual(3.0, 30.0, 52.0, 0.01).unwrap(), twin.residual(3.0, 30.0, 52.0, 0.01).unwrap());
    assert_eq!(GIVEN.survival(3.0, 30.0, 9.0).unwrap(), twin.survival(3.0, 30.0, 9.0).unwrap());
    assert_eq!(GIVEN.intensity(3.0, 30.0, 9.0).unwrap(), twin.intensity(3.0, 30.0, 9.0).unwrap());
    // After a repeat purchase P(alive) is that of the twin as well.
    close(GIVEN.p_alive(3.0, 20.0, 30.0), twin.p_alive(3.0, 20.0, 30.0), 1e-14);
    close(GIVEN.p_alive(0.0, 0.0, 0.0), GIVEN.b / (GIVEN.a + GIVEN.b), 1e-14);
}

#[test]
fn customers_who_never_stop_end_at_the_model_without_dropout() {
    // Everybody bought last a few days before the end, at very different rates.
    let histories: Vec<(u32, u32, u32)> =
        (1..40).map(|i| (1 + i * i % 37, 360 - 350 / (1 + i * i % 37) / 2, 364)).collect();
    let found = fit(&histories, 20);
    assert_eq!(found.end, FitEnd::Boundary { limit_models: vec![LimitModel::NoDropout] });
    assert!(found.standard_errors.is_none() && found.log_likelihood.unwrap().is_finite());
    let model = found.fitted().unwrap();
    let expected = model.expected_purchases(10.0, 50.0, 52.0, 39.0).unwrap();
    let nbd = (model.r + 10.0) / (model.alpha + 52.0) * 39.0;
    assert!((expected / nbd - 1.0).abs() < 1e-4, "{expected} is not {nbd}");
}

#[test]
fn a_half_that_never_returned_and_a_half_that_never_stops_is_leaving_at_once_or_never() {
    let histories: Vec<(u32, u32, u32)> = (1..40).flat_map(|i| [(20 + i * i % 37, 362, 364), (0, 0, 364)]).collect();
    let found = fit(&histories, 20);
    let FitEnd::Boundary { limit_models } = &found.end else { panic!("{:?}", found.end) };
    assert!(limit_models.contains(&LimitModel::LeaveAtFirstChanceOrNever), "{limit_models:?}");
    assert_eq!(limit_models[limit_models.len() - 1].to_string(), "leaving at the first chance or never");
    let model = found.fitted().unwrap();
    close(model.p_alive(0.0, 0.0, 0.0), 0.5, 1e-3);
    assert!(model.p_alive(0.0, 0.0, 52.0) < 1e-3 && model.p_alive(30.0, 51.0, 52.0) > 0.999);
}

#[test]
fn customers_alike_end_at_one_rate_for_all() {
    let found = fit(&[(10, 350, 364), (10, 340, 364), (10, 362, 364)], 30);
    let FitEnd::Boundary { limit_models } = &found.end else { panic!("{:?}", found.end) };
    assert!(limit_models.contains(&LimitModel::EqualRates), "{limit_models:?}");
    assert!(found.fitted().unwrap().expected_purchases(10.0, 50.0, 52.0, 39.0).unwrap().is_finite());
}

#[test]
fn a_ledger_without_repeat_purchases_has_no_fit_and_predicts_nothing() {
    let found = fit(&[(0, 0, 100), (0, 0, 50)], 10);
    let error = found.fitted().unwrap_err().to_string();
    assert_eq!(
        error,
        "the MBG/NBD fit failed: no customer bought a second time, so nothing is known of purchase rates or dropout"
    );
    assert!(found.log_likelihood.is_none() && fit(&[], 1).fitted().is_err());
    let bad_unit = MbgNbd::fit(&Summary::new(), 0.0).fitted().unwrap_err().to_string();
    assert_eq!(bad_unit, "the MBG/NBD fit failed: the model time unit must be a positive number of days");
}

#[test]
fn any_handful_of_customers_ends_with_a_word_and_finite_predictions() {
    let extremes = [(10_000, 10_950, 10_957), (1, 1, 1), (0, 0, 0), (0, 0, 10_957)];
    for seed in 0..200_u64 {
        let mut stream = Stream::new(seed, 0, 0);
        let mut histories: Vec<(u32, u32, u32)> = (0..=stream.below(6))
            .map(|_| {
                let age = 1 + stream.below(400) as u32;
                let recency = stream.below(u64::from(age) + 1) as u32;
                let x = if recency == 0 { 0 } else { 1 + stream.below(u64::from(recency)) as u32 };
                (x, recency, age)
            })
            .collect();
        // A purchase on nearly every day of 27 years, a day's age, and 30 years of silence among them.
        histories.extend(&extremes[..(seed % 5) as usize]);
        let found = fit(&histories, 1);
        let Ok(model) = found.fitted() else {
            let FitEnd::Failed { why } = &found.end else { panic!("{:?}", found.end) };
            assert!(why.starts_with("no customer bought a second time"), "{why}: {histories:?}");
            continue;
        };
        assert!(found.log_likelihood.unwrap().is_finite(), "{histories:?}");
        for &(x, t_x, age) in &histories {
            let (x, t_x, age) = (f64::from(x), f64::from(t_x) / WEEK, f64::from(age) / WEEK);
            let alive = model.p_alive(x, t_x, age);
            assert!((0.0..=1.0).contains(&alive), "{model:?} {x} {t_x} {age}: {alive}");
            let expected = model.expected_purchases(x, t_x, age, 52.0).unwrap();
            assert!(expected.is_finite() && expected >= 0.0, "{model:?} {x} {t_x} {age}: {expected}");
        }
    }
}

#[test]
fn the_highest_end_is_told_also_where_rates_and_dropout_have_gone_at_once() {
    // A search without derivatives from many starts (scipy, Nelder–Mead) reaches −25.428.
    let few = [
        (0, 0, 115),
        (3, 123, 161),
        (0, 0, 314),
        (1, 86, 137),
        (0, 0, 268),
        (0, 0, 32),
        (2, 67, 121),
        (0, 0, 21),
        (0, 0, 33),
        (0, 0, 75),
        (0, 0, 240),
        (0, 0, 117),
    ];
    let found = fit(&few, 1);
    let both = vec![LimitModel::EqualRates, LimitModel::LeaveAtFirstChanceOrNever];
    assert_eq!(found.end, FitEnd::Boundary { limit_models: both });
    // NBD, where the search itself ends, has −26.247.
    let highest = found.log_likelihood.unwrap();
    assert!(highest > -25.66 && highest < -25.42, "{highest}");
}
