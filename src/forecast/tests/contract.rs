//! sBG and `BdW`: published numbers, their laws, and extreme tenures.

use super::cdnow::{TEN_DIGITS, close};
use super::derivatives::agree;
use super::recovery::STANDARD_ERRORS;
use crate::forecast::beta_geometric::{DiscountError, Horizon, ShiftedBetaGeometric};
use crate::forecast::beta_weibull::BetaDiscreteWeibull;
use crate::forecast::fit::{Fit, FitEnd, LimitModel};
use crate::forecast::tenures::Tenures;
use crate::numeric::distributions::{Beta, geometric};
use crate::numeric::philox::Stream;
use rayon::prelude::*;

/// Customers of 1,000 left after each year (Fader & Hardie 2007); the first seven years are fitted.
const REGULAR: [u64; 8] = [1000, 631, 468, 382, 326, 289, 262, 241];
const REGULAR_LATER: [f64; 5] = [223.0, 207.0, 194.0, 183.0, 173.0];
const HIGH_END: [u64; 8] = [1000, 869, 743, 653, 593, 551, 517, 491];
const HIGH_END_LATER: [f64; 5] = [468.0, 445.0, 427.0, 409.0, 394.0];

const GIVEN: ShiftedBetaGeometric = ShiftedBetaGeometric { alpha: 0.704, beta: 1.182 };
const WEIBULL: BetaDiscreteWeibull = BetaDiscreteWeibull { alpha: 0.4556, beta: 0.7793, c: 1.2835 };
/// Values from mpmath 1.3 with 30 digits.
const THIRTY_DIGITS: f64 = 1e-13;

fn cohort(survivors: &[u64]) -> Tenures {
    let mut tenures = Tenures::new();
    tenures.insert_cohort(survivors).unwrap();
    tenures
}

#[test]
fn sbg_fits_both_cohorts_to_all_published_digits() {
    for (survivors, alpha, beta, log_likelihood) in [
        (REGULAR, 0.704_077_298_5, 1.182_043_026, -1_680.265_188),
        (HIGH_END, 0.668_088_351_1, 3.806_094_964, -1_611.158_147),
    ] {
        let tenures = cohort(&survivors);
        let fit = ShiftedBetaGeometric::fit(&tenures);
        assert_eq!((fit.end.clone(), fit.customers), (FitEnd::Converged, 1000));
        let found = fit.fitted().unwrap();
        close(found.alpha, alpha, TEN_DIGITS);
        close(found.beta, beta, TEN_DIGITS);
        close(fit.log_likelihood.unwrap(), log_likelihood, TEN_DIGITS);
        close(found.log_likelihood(&tenures), log_likelihood, TEN_DIGITS);
        assert!(fit.standard_errors.is_some() && fit.gradient_norm < 1e-9, "{}", fit.gradient_norm);
    }
}

#[test]
fn bdw_fits_the_regular_cohort_to_all_published_digits_and_both_better_than_sbg() {
    let tenures = cohort(&REGULAR);
    let fit = BetaDiscreteWeibull::fit(&tenures);
    assert_eq!(fit.end, FitEnd::Converged);
    let found = fit.fitted().unwrap();
    close(found.alpha, 0.455_613_989_4, TEN_DIGITS);
    close(found.beta, 0.779_325_508_4, TEN_DIGITS);
    close(found.c, 1.283_451_286, TEN_DIGITS);
    close(fit.log_likelihood.unwrap(), -1_679.602_833, TEN_DIGITS);
    close(found.log_likelihood(&tenures), -1_679.602_833, TEN_DIGITS);
    let high_end = cohort(&HIGH_END);
    let (plain, dependent) = (ShiftedBetaGeometric::fit(&high_end), BetaDiscreteWeibull::fit(&high_end));
    assert_eq!(dependent.end, FitEnd::Converged);
    assert!(dependent.log_likelihood.unwrap() > plain.log_likelihood.unwrap());
}

/// The five years that were not fitted; sBG is furthest off for the high end, whose retention depends on duration.
#[test]
fn the_holdout_years_are_projected_within_seventeen_of_a_thousand_customers() {
    for (survivors, later) in [(REGULAR, REGULAR_LATER), (HIGH_END, HIGH_END_LATER)] {
        let tenures = cohort(&survivors);
        let (plain, dependent) = (ShiftedBetaGeometric::fit(&tenures), BetaDiscreteWeibull::fit(&tenures));
        for (year, expected) in (8..).zip(later) {
            let gap = 1000.0 * plain.fitted().unwrap().survival(year) - expected;
            assert!(gap.abs() < 17.0, "sBG, year {year}: off by {gap}");
            let gap = 1000.0 * dependent.fitted().unwrap().survival(year) - expected;
            assert!(gap.abs() < 10.0, "BdW, year {year}: off by {gap}");
        }
    }
}

#[test]
fn sbg_survives_and_lasts_as_published() {
    for (t, expected) in [(1, 0.626_723_22), (2, 0.473_842_71), (3, 0.387_999_88)] {
        close(GIVEN.survival(t), expected, 1.3e-8);
    }
    // The convention that gives exactly this: Σ_{t≥0} S(t)/1.1^t, the first period paid at once and in full.
    close(GIVEN.discounted_lifetime(Horizon::Forever, 0.1).unwrap(), 3.695_147_405_57, 2e-12);
    close(GIVEN.discounted_lifetime(Horizon::Periods(10), 0.1).unwrap(), 3.121_451_365_869_338, THIRTY_DIGITS);
    close(GIVEN.residual_lifetime(4, Horizon::Forever, 0.1).unwrap(), 5.894_422_859_844_16, THIRTY_DIGITS);
    close(GIVEN.residual_lifetime(4, Horizon::Periods(5), 0.1).unwrap(), 3.112_256_307_415_759, THIRTY_DIGITS);
}

#[test]
fn bdw_survives_and_lasts_as_its_closed_form() {
    for (t, expected) in [
        (0, 1.0),
        (1, 0.631_063_243_987_367_4),
        (2, 0.467_441_277_244_471_9),
        (7, 0.240_785_560_162_414_4),
        (120, 0.046_547_772_968_586_71),
    ] {
        close(WEIBULL.survival(t), expected, THIRTY_DIGITS);
    }
    close(WEIBULL.discounted_lifetime(Horizon::Forever, 0.1).unwrap(), 3.729_095_515_406_451, THIRTY_DIGITS);
    close(WEIBULL.residual_lifetime(3, Horizon::Forever, 0.1).unwrap(), 5.688_602_551_960_503, THIRTY_DIGITS);
    close(WEIBULL.residual_lifetime(3, Horizon::Periods(5), 0.1).unwrap(), 2.992_942_904_449_366, THIRTY_DIGITS);
}

#[test]
fn bdw_without_duration_dependence_is_sbg() {
    let twin = BetaDiscreteWeibull { alpha: GIVEN.alpha, beta: GIVEN.beta, c: 1.0 };
    for t in [0, 1, 2, 10, 500, 100_000] {
        close(twin.survival(t), GIVEN.survival(t), 1e-12);
        close(twin.retention(t), GIVEN.retention(t), 1e-14);
    }
    for (horizon, rate) in [(Horizon::Forever, 0.02), (Horizon::Periods(30), 0.0)] {
        let expected = GIVEN.residual_lifetime(2, horizon, rate).unwrap();
        close(twin.residual_lifetime(2, horizon, rate).unwrap(), expected, 1e-12);
    }
    let tenures = cohort(&REGULAR);
    close(twin.log_likelihood(&tenures), GIVEN.log_likelihood(&tenures), 1e-13);
}

/// `Σ lost_t ln(S(t−1) − S(t)) + kept ln S(n)`, the formula of the paper.
#[test]
fn the_likelihood_is_that_of_the_survival_curve() {
    let terms = |survival: &dyn Fn(u32) -> f64| -> f64 {
        let lost: f64 = (1..8_u32)
            .map(|t| {
                let lost = (REGULAR[t as usize - 1] - REGULAR[t as usize]) as f64;
                lost * libm::log(survival(t - 1) - survival(t))
            })
            .sum();
        lost + REGULAR[7] as f64 * libm::log(survival(7))
    };
    let tenures = cohort(&REGULAR);
    close(GIVEN.log_likelihood(&tenures), terms(&|t| GIVEN.survival(t)), 1e-13);
    close(WEIBULL.log_likelihood(&tenures), terms(&|t| WEIBULL.survival(t)), 1e-13);
}

#[test]
fn survival_is_the_product_of_retention_and_rises_with_tenure_in_sbg() {
    let (mut plain, mut dependent) = (1.0, 1.0);
    for t in 1..200 {
        plain *= GIVEN.retention(t);
        dependent *= WEIBULL.retention(t);
        close(plain, GIVEN.survival(t), 1e-13);
        close(dependent, WEIBULL.survival(t), 1e-13);
        assert!(GIVEN.retention(t + 1) > GIVEN.retention(t));
    }
    // The longer a customer has stayed, the longer the residual lifetime: heterogeneity, not loyalty growing.
    let residual = |n| GIVEN.residual_lifetime(n, Horizon::Forever, 0.1).unwrap();
    assert!((0..50).all(|n| residual(n + 1) > residual(n)));
    // One lifetime in two views: 1 now, and the residual one period ahead.
    close(GIVEN.discounted_lifetime(Horizon::Forever, 0.1).unwrap(), 1.0 + residual(0) / 1.1, 1e-14);
}

#[test]
fn who_survived_some_chances_survives_more_as_the_whole_curve_says() {
    for (n, t) in [(0, 0), (0, 3), (4, 1), (4, 7), (60, 120)] {
        close(GIVEN.survival_after(n, t), GIVEN.survival(n + t) / GIVEN.survival(n), 1e-12);
        close(WEIBULL.survival_after(n, t), WEIBULL.survival(n + t) / WEIBULL.survival(n), 1e-12);
    }
}

#[test]
fn derivatives_are_those_of_the_likelihoods() {
    let mut tenures = cohort(&REGULAR);
    tenures.insert_cohort(&[500, 480, 100]).unwrap();
    tenures.insert(&[90, 40, 60], &[true, false, false]).unwrap();
    for at in [[-0.35, 0.17], [2.0, 4.0], [-4.0, -3.0]] {
        agree(at, |ln| ShiftedBetaGeometric::evaluation(&tenures, ln));
    }
    for at in [[-0.35, 0.17, 0.25], [2.0, 4.0, -1.0], [-2.0, 3.0, 0.6], [9.0, 11.0, 0.1]] {
        agree(at, |ln| BetaDiscreteWeibull::evaluation(&tenures, ln));
    }
}

#[test]
fn customers_one_by_one_fit_as_their_cohort_does() {
    let (mut chances, mut lost) = (Vec::new(), Vec::new());
    for t in 1..8_u32 {
        let gone = (REGULAR[t as usize - 1] - REGULAR[t as usize]) as usize;
        chances.extend(std::iter::repeat_n(t, gone));
        lost.extend(std::iter::repeat_n(true, gone));
    }
    chances.extend([7; 241]);
    lost.extend([false; 241]);
    let mut tenures = Tenures::new();
    tenures.insert(&chances, &lost).unwrap();
    assert_eq!(ShiftedBetaGeometric::fit(&tenures), ShiftedBetaGeometric::fit(&cohort(&REGULAR)));
    assert_eq!(BetaDiscreteWeibull::fit(&tenures), BetaDiscreteWeibull::fit(&cohort(&REGULAR)));
}

#[test]
fn a_long_finite_horizon_reaches_the_sum_for_ever_and_an_infinite_one_is_said() {
    for model in
        [GIVEN, ShiftedBetaGeometric { alpha: 1e-9, beta: 2.0 }, ShiftedBetaGeometric { alpha: 1e6, beta: 1e-6 }]
    {
        for rate in [0.001, 0.1, 5.0] {
            let forever = model.discounted_lifetime(Horizon::Forever, rate).unwrap();
            close(model.discounted_lifetime(Horizon::Periods(u32::MAX), rate).unwrap(), forever, 1e-11);
        }
    }
    let finite = ShiftedBetaGeometric { alpha: 3.0, beta: 2.0 };
    close(finite.discounted_lifetime(Horizon::Forever, 0.0).unwrap(), 2.0, 1e-15);
    // S(t) falls like 24/t³ here, so a million periods leave 12/10¹² of the sum to come.
    close(finite.discounted_lifetime(Horizon::Periods(1_000_000), 0.0).unwrap(), 2.0 - 1.2e-11, 1e-13);
    assert_eq!(GIVEN.discounted_lifetime(Horizon::Forever, 0.0), Err(DiscountError::Infinite));
    assert_eq!(
        WEIBULL.discounted_lifetime(Horizon::Forever, 0.0).unwrap_err().to_string(),
        "the sum over all periods needs a positive discount rate: discount it or limit the horizon"
    );
    assert_eq!(
        WEIBULL.residual_lifetime(3, Horizon::Forever, 1e-9).unwrap_err().to_string(),
        "the sum over all periods did not converge within 4000000: limit the horizon"
    );
    assert!(matches!(GIVEN.residual_lifetime(0, Horizon::Forever, f64::NAN), Err(DiscountError::Rate { .. })));
    assert_eq!(GIVEN.discounted_lifetime(Horizon::Periods(0), 0.1), Ok(0.0));
}

fn recovered<P>(fit: &Fit<P>, pairs: &[(f64, f64)]) {
    assert_eq!(fit.end, FitEnd::Converged);
    for (&(found, truth), error) in pairs.iter().zip(fit.standard_errors.clone().unwrap()) {
        assert!((found - truth).abs() < STANDARD_ERRORS * error, "{found} is not {truth} ± {error}");
    }
    assert!(fit.gradient_norm < 1e-4 && fit.iterations < 60, "{} {}", fit.gradient_norm, fit.iterations);
}

/// Customers observed for 12 to 36 chances; a lifetime is geometric in `t^c`.
fn drawn(alpha: f64, beta: f64, c: f64, customers: u64) -> Tenures {
    let leaving = Beta::new(alpha, beta);
    let rows: Vec<(u32, bool)> = (0..customers)
        .into_par_iter()
        .map(|customer| {
            let mut stream = Stream::new(2024, customer, 8);
            let observed = 12 + stream.below(25) as u32;
            let theta = leaving.draw(&mut stream);
            // T > t exactly where an exponential time with rate −ln(1−θ) exceeds t^c.
            let life = if c == 1.0 {
                geometric(theta, &mut stream) as f64 + 1.0
            } else {
                let time = libm::log(stream.uniform()) / libm::log1p(-theta);
                libm::floor(libm::pow(time, 1.0 / c)) + 1.0
            };
            if life <= f64::from(observed) { (life as u32, true) } else { (observed, false) }
        })
        .collect();
    let (chances, lost): (Vec<u32>, Vec<bool>) = rows.into_iter().unzip();
    let mut tenures = Tenures::new();
    tenures.insert(&chances, &lost).unwrap();
    tenures
}

#[test]
fn known_parameters_come_back_within_their_standard_errors() {
    for (alpha, beta) in [(0.7, 1.2), (2.0, 30.0), (0.3, 0.1)] {
        let fit = ShiftedBetaGeometric::fit(&drawn(alpha, beta, 1.0, 40_000));
        let found = *fit.fitted().unwrap();
        recovered(&fit, &[(found.alpha, alpha), (found.beta, beta)]);
    }
    for (alpha, beta, c) in [(0.46, 0.78, 1.28), (1.5, 12.0, 0.7), (1.0, 8.0, 1.6)] {
        let fit = BetaDiscreteWeibull::fit(&drawn(alpha, beta, c, 40_000));
        let found = *fit.fitted().unwrap();
        recovered(&fit, &[(found.alpha, alpha), (found.beta, beta), (found.c, c)]);
    }
}

#[test]
fn tenures_without_a_finite_maximum_end_at_their_limit_model() {
    let limits = |end: FitEnd| match end {
        FitEnd::Boundary { limit_models } => limit_models,
        end => panic!("{end:?}"),
    };
    // A constant retention of ½.
    let constant = cohort(&[1024, 512, 256, 128, 64, 32]);
    assert_eq!(limits(ShiftedBetaGeometric::fit(&constant).end), [LimitModel::EqualDropout]);
    close(ShiftedBetaGeometric::fit(&constant).fitted().unwrap().retention(9), 0.5, 1e-5);
    // Retention falls with tenure: sBG cannot follow, BdW can, with c > 1 and one probability for all.
    let falling = cohort(&[1000, 950, 820, 600, 350, 150]);
    assert_eq!(limits(ShiftedBetaGeometric::fit(&falling).end), [LimitModel::EqualDropout]);
    let dependent = BetaDiscreteWeibull::fit(&falling);
    assert_eq!(limits(dependent.end.clone()), [LimitModel::EqualDropout]);
    let found = dependent.fitted().unwrap();
    assert!(found.c > 1.5 && (found.survival(3) - 0.6).abs() < 0.03, "{found:?}");
    // Some leave at once, the others never.
    let split = cohort(&[1000, 600, 600, 600, 600]);
    let fit = ShiftedBetaGeometric::fit(&split);
    assert_eq!(limits(fit.end.clone()), [LimitModel::LeaveAtFirstChanceOrNever]);
    close(fit.fitted().unwrap().survival(100), 0.6, 1e-5);
    assert!(limits(BetaDiscreteWeibull::fit(&split).end).contains(&LimitModel::LeaveAtFirstChanceOrNever));
    // Everybody leaves at once.
    let gone = cohort(&[1000, 0]);
    assert_eq!(limits(ShiftedBetaGeometric::fit(&gone).end), [LimitModel::LeaveAtFirstChance]);
    assert!(ShiftedBetaGeometric::fit(&gone).fitted().unwrap().survival(1) < 1e-5);
}

#[test]
fn one_chance_cannot_tell_two_parameters_and_two_cannot_tell_three() {
    let one = ShiftedBetaGeometric::fit(&cohort(&[1000, 700]));
    assert!(matches!(one.end, FitEnd::Ridge { .. }), "{:?}", one.end);
    close(one.fitted().unwrap().retention(1), 0.7, 1e-6);
    let two = BetaDiscreteWeibull::fit(&cohort(&[1000, 700, 560]));
    assert!(matches!(two.end, FitEnd::Ridge { .. }), "{:?}", two.end);
    close(two.fitted().unwrap().survival(2), 0.56, 1e-6);
    assert!(one.standard_errors.is_none() && two.standard_errors.is_none());
}

#[test]
fn a_base_that_lost_nobody_has_no_fit_and_predicts_nothing() {
    for tenures in [cohort(&[100, 100, 100]), cohort(&[100]), Tenures::new()] {
        let error = ShiftedBetaGeometric::fit(&tenures).fitted().unwrap_err().to_string();
        let because = "no customer was lost at a chance to renew, so nothing is known of retention";
        assert_eq!(error, format!("the sBG fit failed: {because}"));
        let error = BetaDiscreteWeibull::fit(&tenures).fitted().unwrap_err().to_string();
        assert_eq!(error, format!("the BdW fit failed: {because}"));
    }
}

#[test]
fn any_handful_of_customers_ends_with_a_word_and_finite_predictions() {
    let finite = |survival: &dyn Fn(u32) -> f64, lifetime: Result<f64, DiscountError>, what: &str| {
        for t in [0, 1, 2, 30, 10_000] {
            assert!((0.0..=1.0).contains(&survival(t)), "{what}: S({t}) = {}", survival(t));
        }
        let lifetime = lifetime.unwrap();
        assert!((0.0..=21.0 + 1e-9).contains(&lifetime), "{what}: {lifetime}");
    };
    for seed in 0..200_u64 {
        let mut stream = Stream::new(seed, 0, 0);
        let mut rows: Vec<(u32, bool)> =
            (0..=stream.below(6)).map(|_| (1 + stream.below(40) as u32, stream.below(2) == 0)).collect();
        // Thirty years of daily renewals, lost and kept, and a customer of today.
        rows.extend(&[(10_957, true), (10_957, false), (0, false)][..(seed % 4) as usize]);
        let (chances, lost): (Vec<u32>, Vec<bool>) = rows.iter().copied().unzip();
        let mut tenures = Tenures::new();
        tenures.insert(&chances, &lost).unwrap();
        let (plain, dependent) = (ShiftedBetaGeometric::fit(&tenures), BetaDiscreteWeibull::fit(&tenures));
        let (Ok(plain), Ok(dependent)) = (plain.fitted(), dependent.fitted()) else {
            assert!(lost.iter().all(|&lost| !lost), "{rows:?} {:?} {:?}", plain.end, dependent.end);
            continue;
        };
        let horizon = Horizon::Forever;
        finite(&|t| plain.survival(t), plain.residual_lifetime(3, horizon, 0.05), &format!("{plain:?} {rows:?}"));
        let what = format!("{dependent:?} {rows:?}");
        finite(&|t| dependent.survival(t), dependent.residual_lifetime(3, horizon, 0.05), &what);
    }
}
