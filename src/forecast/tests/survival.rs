//! Exponential-gamma and Weibull-gamma lifetimes: independently computed numbers, their laws, and extreme durations.

use super::cdnow::{TEN_DIGITS, close};
use super::derivatives::agree;
use super::recovery::STANDARD_ERRORS;
use crate::forecast::beta_geometric::DiscountError;
use crate::forecast::durations::Durations;
use crate::forecast::exponential_gamma::ExponentialGamma;
use crate::forecast::fit::{Fit, FitEnd, LimitModel};
use crate::forecast::kaplan_meier::by_day;
use crate::forecast::weibull_gamma::WeibullGamma;
use crate::numeric::distributions::{Gamma, standard_exponential};
use crate::numeric::philox::Stream;
use rayon::prelude::*;

const LOMAX: ExponentialGamma = ExponentialGamma { r: 1.35, alpha: 14.2 };
const RISING: WeibullGamma = WeibullGamma { r: 0.8, alpha: 21.5, c: 1.6 };
const FALLING: WeibullGamma = WeibullGamma { r: 2.5, alpha: 7.0, c: 0.7 };
const ALIKE: WeibullGamma = WeibullGamma { r: 1000.0, alpha: 30_000.0, c: 1.2 };
const FOREVER: f64 = f64::INFINITY;

/// Values from mpmath 1.3 with 40 digits (hyperu, gamma, quad).
const CLOSED: f64 = 1e-14;
/// The error that the quadrature states.
const QUADRATURE: f64 = 1e-12;

/// Days, lost, days before the records began, customers.
const BASE: [(u32, bool, u32, usize); 17] = [
    (3, true, 0, 12),
    (9, true, 0, 18),
    (17, true, 0, 22),
    (30, true, 0, 33),
    (44, true, 0, 31),
    (61, true, 0, 27),
    (90, true, 0, 21),
    (150, true, 0, 14),
    (210, true, 0, 8),
    (300, true, 0, 6),
    (365, false, 0, 30),
    (200, false, 0, 14),
    (120, false, 0, 18),
    (400, true, 365, 3),
    (480, true, 365, 2),
    (600, false, 365, 25),
    (500, false, 250, 12),
];

fn durations(rows: &[(u32, bool, u32, usize)]) -> Durations {
    let mut found = Durations::new();
    for &(exit, lost, entry, customers) in rows {
        found.insert(&vec![exit; customers], &vec![lost; customers], &vec![entry; customers]).unwrap();
    }
    found
}

/// Maxima found with mpmath (Newton on 40-digit derivatives of the formula in weeks), errors from its Hessian.
#[test]
fn censored_and_truncated_durations_have_the_independent_maximum() {
    let base = durations(&BASE);
    let fit = ExponentialGamma::fit(&base, 7.0);
    assert_eq!((fit.end.clone(), fit.customers), (FitEnd::Converged, 296));
    let found = *fit.fitted().unwrap();
    close(found.r, 0.735_159_588_743_504_8, TEN_DIGITS);
    close(found.alpha, 6.742_678_685_792_778, TEN_DIGITS);
    close(fit.log_likelihood.unwrap(), -782.815_323_324_657_4, CLOSED);
    close(found.log_likelihood(&base, 7.0), -782.815_323_324_657_4, CLOSED);
    let errors = fit.standard_errors.unwrap();
    close(errors[0], 0.104_732_146_545, TEN_DIGITS);
    close(errors[1], 1.576_765_869_82, TEN_DIGITS);

    let fit = WeibullGamma::fit(&base, 7.0);
    assert_eq!(fit.end, FitEnd::Converged);
    let found = *fit.fitted().unwrap();
    close(found.r, 0.333_892_663_488_245_1, TEN_DIGITS);
    close(found.alpha, 5.854_530_743_350_054, TEN_DIGITS);
    close(found.c, 1.642_775_176_615_83, TEN_DIGITS);
    close(fit.log_likelihood.unwrap(), -774.080_503_835_950_8, CLOSED);
    close(found.log_likelihood(&base, 7.0), -774.080_503_835_950_8, CLOSED);
    let errors = fit.standard_errors.unwrap();
    close(errors[0], 0.066_062_701_298_2, TEN_DIGITS);
    close(errors[1], 1.443_976_341_59, TEN_DIGITS);
    close(errors[2], 0.190_985_633_734, TEN_DIGITS);
    assert!(fit.gradient_norm < 1e-9 && fit.iterations < 60, "{} {}", fit.gradient_norm, fit.iterations);
}

#[test]
fn another_time_unit_is_the_same_model() {
    let base = durations(&BASE);
    let (weeks, days) = (WeibullGamma::fit(&base, 7.0), WeibullGamma::fit(&base, 1.0));
    let (in_weeks, in_days) = (*weeks.fitted().unwrap(), *days.fitted().unwrap());
    close(in_days.r, in_weeks.r, TEN_DIGITS);
    close(in_days.c, in_weeks.c, TEN_DIGITS);
    close(in_days.alpha, in_weeks.alpha * libm::pow(7.0, in_weeks.c), TEN_DIGITS);
    let lost = base.lost() as f64;
    close(days.log_likelihood.unwrap(), weeks.log_likelihood.unwrap() - lost * libm::log(7.0), CLOSED);
}

#[test]
fn exponential_gamma_customers_stay_as_their_closed_forms() {
    close(LOMAX.survival(12.0), 0.437_403_769_714_766_84, CLOSED);
    close(LOMAX.hazard(12.0), 0.051_526_717_557_251_91, CLOSED);
    close(LOMAX.survival_after(12.0, 5.0), 0.789_947_158_711_337_2, CLOSED);
    close(LOMAX.residual_quantile(12.0, 0.5), 17.581_080_269_183_41, CLOSED);
    for (age, horizon, delta, expected) in [
        (0.0, FOREVER, 0.01, 17.537_850_656_965_08),
        (12.0, FOREVER, 0.01, 26.034_699_011_706_4),
        (12.0, 24.0, 0.01, 13.783_718_959_419_287),
        (12.0, 24.0, 0.0, 15.237_084_343_656_445),
        (12.0, FOREVER, 0.0, 74.857_142_857_142_86),
        (300.0, FOREVER, 1e-8, 882.976_938_235_434),
    ] {
        close(LOMAX.residual_lifetime(age, horizon, delta).unwrap(), expected, QUADRATURE);
    }
}

#[test]
fn weibull_gamma_customers_stay_as_their_closed_forms() {
    for (model, at_six, hazard, on, median) in [
        (RISING, 0.619_981_598_988_077_8, 0.095_970_058_555_508_14, 0.643_034_831_820_619_8, 8.412_983_324_063_399),
        (FALLING, 0.362_443_291_985_139_5, 0.097_317_436_434_934_93, 0.666_292_187_252_463_7, 9.663_733_964_667_355),
        (ALIKE, 0.751_147_778_770_710_3, 0.057_222_386_551_029_9, 0.736_399_128_342_880_3, 10.731_751_968_340_827),
    ] {
        close(model.survival(6.0), at_six, CLOSED);
        close(model.hazard(6.0), hazard, CLOSED);
        close(model.survival_after(6.0, 5.0), on, CLOSED);
        close(model.survival_after(0.0, 6.0), at_six, CLOSED);
        close(model.residual_quantile(6.0, 0.5), median, CLOSED);
    }
    for (model, expected) in [
        (
            RISING,
            [
                10.883_071_316_856_03,
                10.179_556_511_392_323,
                13.938_364_666_141_723,
                15.640_386_588_732_913,
                36.715_299_162_155_68,
                27.702_438_529_156_367,
            ],
        ),
        (
            FALLING,
            [
                6.987_193_463_389_164,
                10.902_265_663_140_169,
                9.179_670_573_184_212,
                17.448_503_863_602_778,
                31.675_574_325_982_917,
                14.786_859_296_215_72,
            ],
        ),
        (
            ALIKE,
            [
                13.293_698_376_307_306,
                11.079_500_962_197_08,
                14.082_428_798_281_344,
                12.642_656_949_652_561,
                14.290_520_844_058_18,
                16.021_273_846_848_517,
            ],
        ),
    ] {
        for ((age, horizon, delta), expected) in [
            (0.0, 24.0, 0.0),
            (6.0, 24.0, 0.01),
            (0.0, FOREVER, 0.01),
            (6.0, FOREVER, 0.01),
            (6.0, FOREVER, 0.0),
            (0.0, FOREVER, 0.0),
        ]
        .into_iter()
        .zip(expected)
        {
            close(model.residual_lifetime(age, horizon, delta).unwrap(), expected, QUADRATURE);
        }
    }
}

#[test]
fn without_duration_dependence_weibull_gamma_is_exponential_gamma() {
    let twin = WeibullGamma { r: LOMAX.r, alpha: LOMAX.alpha, c: 1.0 };
    for age in [0.0, 0.01, 3.0, 400.0] {
        for u in [0.001, 1.0, 70.0, 1e5] {
            close(twin.survival_after(age, u), LOMAX.survival_after(age, u), CLOSED);
            // A share of nearly 1 holds few digits of how far it is from 1.
            close(twin.residual_quantile(age, LOMAX.survival_after(age, u)), u, 1e-9);
            for delta in [0.0, 1e-4, 0.3] {
                let expected = LOMAX.residual_lifetime(age, u, delta).unwrap();
                close(twin.residual_lifetime(age, u, delta).unwrap(), expected, QUADRATURE);
            }
        }
        for delta in [0.0, 1e-6, 0.3] {
            let expected = LOMAX.residual_lifetime(age, FOREVER, delta).unwrap();
            close(twin.residual_lifetime(age, FOREVER, delta).unwrap(), expected, QUADRATURE);
        }
    }
    let base = durations(&BASE);
    close(twin.log_likelihood(&base, 7.0), LOMAX.log_likelihood(&base, 7.0), CLOSED);
}

#[test]
fn the_retention_curve_multiplies_to_survival_and_hazard_is_its_slope() {
    for model in [RISING, FALLING, ALIKE] {
        let mut kept = 1.0;
        for t in 0..60 {
            kept *= model.survival_after(f64::from(t), 1.0);
            close(kept, model.survival(f64::from(t) + 1.0), 1e-13);
        }
        for t in [0.3, 2.0, 40.0] {
            let step = 1e-6 * t;
            close((1.0 - model.survival_after(t, step)) / step, model.hazard(t), 1e-5);
        }
        // One lifetime in two views: the first 5 units, and what is left after them.
        let whole = model.residual_lifetime(0.0, FOREVER, 0.02).unwrap();
        let first = model.residual_lifetime(0.0, 5.0, 0.02).unwrap();
        let later = libm::exp(-0.1) * model.survival(5.0) * model.residual_lifetime(5.0, FOREVER, 0.02).unwrap();
        close(first + later, whole, QUADRATURE);
    }
    // Heterogeneity alone: the longer a customer has stayed, the longer it will.
    let left = |age: f64| LOMAX.residual_lifetime(age, FOREVER, 0.02).unwrap();
    assert!((0..50).all(|age| left(f64::from(age) + 1.0) > left(f64::from(age))));
}

#[test]
fn derivatives_are_those_of_the_likelihoods() {
    let base = durations(&BASE);
    for at in [[-0.3, 1.9], [3.0, 5.0], [-4.0, -3.0]] {
        agree(at, |ln| ExponentialGamma::evaluation(&base, 7.0, ln));
    }
    for at in [[-1.1, 1.77, 0.5], [3.0, 5.0, -1.0], [-2.0, 3.0, 1.1]] {
        agree(at, |ln| WeibullGamma::evaluation(&base, 7.0, ln));
    }
}

/// Customers who started up to `longest` days ago, or before the records of the last `seen` days began.
fn drawn(model: &WeibullGamma, customers: u64, longest: u32, seen: u32) -> Durations {
    let rates = Gamma::new(model.r);
    let rows: Vec<(u32, bool, u32)> = (0..customers)
        .into_par_iter()
        .filter_map(|customer| {
            let mut stream = Stream::new(77, customer, 9);
            let age = 1 + stream.below(u64::from(longest)) as u32;
            let rate = rates.draw(&mut stream) / model.alpha;
            let life = libm::exp(libm::log(standard_exponential(&mut stream) / rate) / model.c);
            // Whoever left before the records begin is not in them.
            let entry = age.saturating_sub(seen);
            let left = if life > 1e6 { u32::MAX } else { (life as u32).max(1) };
            (left > entry).then_some(if left <= age { (left, true, entry) } else { (age, false, entry) })
        })
        .filter(|(exit, _, entry)| exit > entry)
        .collect();
    let mut found = Durations::new();
    for (exit, lost, entry) in rows {
        found.insert(&[exit], &[lost], &[entry]).unwrap();
    }
    found
}

fn recovered<P>(fit: &Fit<P>, pairs: &[(f64, f64)]) {
    assert_eq!(fit.end, FitEnd::Converged);
    for (&(found, truth), error) in pairs.iter().zip(fit.standard_errors.clone().unwrap()) {
        assert!((found - truth).abs() < STANDARD_ERRORS * error, "{found} is not {truth} ± {error}");
    }
    assert!(fit.gradient_norm < 1e-5 && fit.iterations < 60, "{} {}", fit.gradient_norm, fit.iterations);
}

#[test]
fn known_parameters_come_back_within_their_standard_errors() {
    // In units of so many days that rounding to whole ones is far below the standard errors.
    let truth = WeibullGamma { r: 1.4, alpha: 9_000.0, c: 1.0 };
    let fit = ExponentialGamma::fit(&drawn(&truth, 40_000, 40_000, 40_000), 1.0);
    let found = *fit.fitted().unwrap();
    recovered(&fit, &[(found.r, truth.r), (found.alpha, truth.alpha)]);
    for c in [0.8, 1.7] {
        let truth = WeibullGamma { r: 1.2, alpha: libm::pow(9_000.0, c), c };
        let fit = WeibullGamma::fit(&drawn(&truth, 40_000, 40_000, 40_000), 1.0);
        let found = *fit.fitted().unwrap();
        recovered(&fit, &[(found.r, truth.r), (found.alpha, truth.alpha), (found.c, truth.c)]);
    }
}

/// Half of the customers started before the records: to take their age for time at risk would make them look loyal.
#[test]
fn customers_who_were_there_before_the_records_began_do_not_bias_the_fit() {
    let truth = WeibullGamma { r: 1.4, alpha: 9_000.0, c: 1.0 };
    let truncated = drawn(&truth, 80_000, 40_000, 15_000);
    let fit = ExponentialGamma::fit(&truncated, 1.0);
    let found = *fit.fitted().unwrap();
    recovered(&fit, &[(found.r, truth.r), (found.alpha, truth.alpha)]);
    let mut ignored = Durations::new();
    for (duration, weight) in truncated.iter() {
        for _ in 0..weight {
            ignored.insert(&[duration.exit], &[duration.lost], &[0]).unwrap();
        }
    }
    let biased = *ExponentialGamma::fit(&ignored, 1.0).fitted().unwrap();
    assert!(biased.survival(20_000.0) > found.survival(20_000.0) + 0.1, "{biased:?}");
}

#[test]
fn the_fitted_curve_stays_within_the_errors_of_kaplan_and_meier() {
    let truth = WeibullGamma { r: 1.2, alpha: libm::pow(900.0, 1.3), c: 1.3 };
    let durations = drawn(&truth, 20_000, 4_000, 2_500);
    let found = *WeibullGamma::fit(&durations, 1.0).fitted().unwrap();
    let steps = by_day(&durations);
    assert!(steps.len() > 1_000);
    for step in steps.iter().filter(|step| step.time >= 30) {
        // A day's departures come at any time within it.
        let gap = found.survival(f64::from(step.time) + 0.5) - step.survival;
        assert!(gap.abs() < STANDARD_ERRORS * step.standard_error, "day {}: off by {gap}", step.time);
    }
}

#[test]
fn fits_have_the_same_bits_for_any_number_of_threads() {
    let durations = drawn(&RISING, 30_000, 20_000, 15_000);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let WeibullGamma { r, alpha, c } = *WeibullGamma::fit(&durations, 7.0).fitted().unwrap();
            [r, alpha, c].map(f64::to_bits)
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(8));
}

fn limits(end: FitEnd) -> Vec<LimitModel> {
    match end {
        FitEnd::Boundary { limit_models } => limit_models,
        end => panic!("{end:?}"),
    }
}

#[test]
fn durations_without_a_finite_maximum_end_at_their_limit_model() {
    // The departures of one rate for all, a hundredth of the customers a day.
    let equal: Vec<_> = (1..=200_u32)
        .map(|day| (day, true, 0, libm::round(100.0 * libm::exp(-f64::from(day) / 100.0)) as usize))
        .chain([(200, false, 0, 1_353)])
        .collect();
    let fit = ExponentialGamma::fit(&durations(&equal), 1.0);
    assert_eq!(limits(fit.end.clone()), [LimitModel::ExponentialLifetimes]);
    close(fit.fitted().unwrap().hazard(50.0), 0.01, 0.02);
    // Departures that come ever faster: a Weibull distribution for all, where exponential lifetimes are the nearest.
    let rising: Vec<_> = (1..=60_u32).map(|day| (day, true, 0, day as usize)).collect();
    let plain = ExponentialGamma::fit(&durations(&rising), 1.0);
    assert_eq!(limits(plain.end.clone()), [LimitModel::ExponentialLifetimes]);
    let fit = WeibullGamma::fit(&durations(&rising), 1.0);
    assert_eq!(limits(fit.end.clone()), [LimitModel::WeibullLifetimes]);
    assert!(fit.log_likelihood.unwrap() > plain.log_likelihood.unwrap() + 100.0);
    let median = fit.fitted().unwrap().residual_quantile(0.0, 0.5);
    assert!((median - 42.0).abs() < 3.0, "{median}");
    // All leave on one day.
    let at_once = WeibullGamma::fit(&durations(&[(30, true, 0, 500)]), 7.0);
    assert!(limits(at_once.end.clone()).contains(&LimitModel::DegenerateDuration), "{:?}", at_once.end);
    close(at_once.fitted().unwrap().residual_quantile(0.0, 0.5), 30.0 / 7.0, 0.02);
    // A minimum term of 30 days, then ever fewer departures.
    let term: Vec<_> = (30..=3_000_u32)
        .map(|day| (day, true, 0, libm::round(9e5 / f64::from(day * day)) as usize))
        .filter(|(.., customers)| *customers > 0)
        .chain([(3_000, false, 0, 300)])
        .collect();
    let fit = WeibullGamma::fit(&durations(&term), 1.0);
    assert_eq!(limits(fit.end.clone()), [LimitModel::ParetoAfterMinimum]);
    assert!(fit.fitted().unwrap().survival(28.0) > 0.98, "{fit:?}");
}

/// A minimum term that a young customer is far from: nothing may be lost to `0 · ∞`.
#[test]
fn a_customer_far_below_the_minimum_stays_until_it() {
    let model = WeibullGamma { r: 1.0 / 32.0, alpha: libm::pow(1e4, 64.0), c: 64.0 };
    for age in [0.0, 1e-3, 1.0] {
        assert!(model.survival_after(age, 5_000.0) > 1.0 - 1e-15);
        close(model.survival_after(age, 1e6), model.survival(1e6), 1e-3);
        close(model.residual_quantile(age, 0.5) + age, model.residual_quantile(0.0, 0.5), 1e-12);
        assert!(model.residual_quantile(age, 1.0).abs() < 1e-300);
        close(model.residual_lifetime(age, 5_000.0, 0.0).unwrap(), 5_000.0, 1e-12);
    }
}

#[test]
fn one_departure_or_one_day_gives_finite_numbers_or_says_why_not() {
    for rows in [
        vec![(1, true, 0, 1)],
        vec![(1, true, 0, 1), (1_000_000, false, 0, 1)],
        vec![(1, true, 0, 10_000_000), (11_000, false, 0, 3)],
        vec![(11_000, true, 10_999, 2), (11_000, false, 10_000, 40)],
        vec![(1, false, 0, 900), (400, true, 0, 1)],
    ] {
        let durations = durations(&rows);
        let (plain, dependent) = (ExponentialGamma::fit(&durations, 7.0), WeibullGamma::fit(&durations, 7.0));
        let found = *plain.fitted().unwrap();
        assert!(found.residual_lifetime(3.0, 520.0, 0.01).unwrap().is_finite(), "{plain:?}");
        let found = *dependent.fitted().unwrap();
        assert!(found.residual_lifetime(3.0, 520.0, 0.01).unwrap().is_finite(), "{dependent:?}");
        assert!(dependent.log_likelihood.unwrap() > plain.log_likelihood.unwrap() - 1e-6);
        assert!((0.0..=1.0).contains(&found.survival_after(3.0, 10.0)));
    }
}

#[test]
fn a_base_that_lost_nobody_has_no_fit_and_an_infinite_lifetime_is_said() {
    for durations in [durations(&[(30, false, 0, 5)]), Durations::new()] {
        let error = ExponentialGamma::fit(&durations, 7.0).fitted().unwrap_err().to_string();
        let because = "no customer was lost, so nothing is known of retention";
        assert_eq!(error, format!("the exponential-gamma fit failed: {because}"));
        let error = WeibullGamma::fit(&durations, 7.0).fitted().unwrap_err().to_string();
        assert_eq!(error, format!("the Weibull-gamma fit failed: {because}"));
    }
    let error = WeibullGamma::fit(&durations(&BASE), f64::NAN).fitted().unwrap_err().to_string();
    assert!(error.ends_with("the model time unit must be a positive number of days"), "{error}");
    let heavy = ExponentialGamma { r: 1.0, alpha: 3.0 };
    assert_eq!(heavy.residual_lifetime(9.0, FOREVER, 0.0), Err(DiscountError::Infinite));
    let heavy = WeibullGamma { r: 2.0, alpha: 3.0, c: 0.5 };
    assert_eq!(heavy.residual_lifetime(9.0, FOREVER, 0.0), Err(DiscountError::Infinite));
    assert!(heavy.residual_lifetime(9.0, FOREVER, 1e-7).unwrap().is_finite());
    assert!(matches!(LOMAX.residual_lifetime(0.0, 1.0, -0.1), Err(DiscountError::Rate { .. })));
    assert!(matches!(RISING.residual_lifetime(0.0, 1.0, f64::NAN), Err(DiscountError::Rate { .. })));
    assert_eq!((LOMAX.residual_lifetime(2.0, 0.0, 0.1), RISING.residual_lifetime(0.0, 0.0, 0.1)), (Ok(0.0), Ok(0.0)));
}

#[test]
fn a_maximum_below_its_limit_is_that_limit() {
    let lost = [(32, 3), (62, 1), (93, 2), (123, 3), (184, 2), (245, 1), (275, 1), (306, 3), (549, 1), (670, 1)];
    let kept = [66, 176, 193, 575, 644, 675, 742, 817, 915, 992, 1042, 1084];
    let rows: Vec<(u32, bool, u32, usize)> =
        lost.map(|(day, customers)| (day, true, 0, customers)).into_iter().collect();
    let rows: Vec<_> = rows.into_iter().chain(kept.map(|day| (day, false, 0, 1))).collect();
    let fit = WeibullGamma::fit(&durations(&rows), 365.25 / 12.0);
    assert_eq!(fit.end, FitEnd::Boundary { limit_models: vec![LimitModel::ParetoAfterMinimum] });
    // The power of the search ends before the limit, whose own maximum is explicit: −67.904.
    let (lost_at, all): (Vec<f64>, Vec<f64>) = (
        rows.iter().filter(|row| row.1).flat_map(|row| vec![f64::from(row.0); row.3]).collect(),
        rows.iter().flat_map(|row| vec![f64::from(row.0); row.3]).collect(),
    );
    let months = |days: f64| days * 12.0 / 365.25;
    let ln_above: f64 = all.iter().map(|days| libm::log(days / 32.0)).sum();
    let n = lost_at.len() as f64;
    let limit = n * libm::log(n / ln_above) - lost_at.iter().map(|days| libm::log(months(*days))).sum::<f64>() - n;
    close(limit, -67.904, 1e-5);
    let found = fit.log_likelihood.unwrap();
    assert!(found > -69.0 && found <= limit, "{found}");
}
