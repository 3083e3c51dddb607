//! Pareto/NBD: published figures, forty-digit values, simulation, recovery, limits and extremes.

use super::cdnow::{close, sample, summary};
use super::derivatives::agree;
use crate::forecast::fit::{Fit, FitEnd, LimitModel};
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::summary::Summary;
use crate::forecast::uncertainty::Around;
use crate::numeric::distributions::{Gamma, standard_exponential};
use crate::numeric::philox::Stream;
use rayon::prelude::*;

const WEEK: f64 = 7.0;
/// Published parameters carry seven significant digits, the log-likelihood ten.
const SEVEN_DIGITS: f64 = 1e-7;
const TEN_DIGITS: f64 = 5e-10;
/// Published standard errors hold to four digits: they stem from differences of the likelihood. The exact ones are from
/// its hypergeometric form in mpmath 1.3 with 30 digits, at its maximum.
const FOUR_DIGITS: f64 = 6e-5;
/// What the kernels promise.
const PROMISED: f64 = 1e-12;
/// A mean of many draws, or an estimate, leaves this many standard errors once in 16,000 times.
const STANDARD_ERRORS: f64 = 4.0;

/// Parameters of the published values (Fader, Hardie & Lee 2005, table 2, rounded as there).
const PUBLISHED: ParetoNbd = ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.6061, beta: 11.6562 };
/// Parameters at which peers' P(alive) is not a number.
const TRAP: ParetoNbd = ParetoNbd { r: 0.5143, alpha: 2.8845, s: 0.2856, beta: 14.1087 };

fn counted(histories: &[(u32, u32, u32)], copies: usize) -> Summary {
    let column = |pick: fn(&(u32, u32, u32)) -> u32| -> Vec<u32> {
        (0..copies).flat_map(|_| histories.iter().map(pick)).collect()
    };
    let mut summary = Summary::new();
    summary.insert(&column(|h| h.0), &column(|h| h.1), &column(|h| h.2)).unwrap();
    summary
}

fn fit(histories: &[(u32, u32, u32)], copies: usize) -> Fit<ParetoNbd> {
    ParetoNbd::fit(&counted(histories, copies), WEEK)
}

/// Histories of customers drawn from the model, observed for two thirds of `longest` to all of it; purchases fall on
/// whole units of a calendar with `per_unit` days a model time unit.
fn draw(model: &ParetoNbd, customers: u64, longest: u32, per_unit: f64) -> Summary {
    let (rates, dropouts) = (Gamma::new(model.r), Gamma::new(model.s));
    let rows: Vec<(u32, u32, u32)> = (0..customers)
        .into_par_iter()
        .map(|customer| {
            let mut stream = Stream::new(77, customer, 1);
            let age = longest - stream.below(u64::from(longest) / 3) as u32;
            let rate = rates.draw(&mut stream) / model.alpha / per_unit;
            let lifetime = standard_exponential(&mut stream) / dropouts.draw(&mut stream) * model.beta * per_unit;
            let (mut x, mut last, mut t) = (0, 0, 0.0);
            loop {
                t += standard_exponential(&mut stream) / rate;
                if t > f64::from(age).min(lifetime) {
                    break;
                }
                if t.ceil() as u32 > last {
                    last = t.ceil() as u32;
                    x += 1;
                }
            }
            (x, last, age)
        })
        .collect();
    counted(&rows, 1)
}

#[test]
fn the_sample_is_fitted_to_all_published_digits() {
    let fit = ParetoNbd::fit(&summary(&sample()), WEEK);
    assert_eq!((fit.end.clone(), fit.customers), (FitEnd::Converged, 2357));
    let found = fit.fitted().unwrap();
    close(found.r, 0.553_277_0, SEVEN_DIGITS);
    close(found.alpha, 10.577_683, SEVEN_DIGITS);
    close(found.s, 0.606_240_0, SEVEN_DIGITS);
    close(found.beta, 11.668_735, SEVEN_DIGITS);
    close(fit.log_likelihood.unwrap(), -9_594.976_179, TEN_DIGITS);
    let errors = fit.standard_errors.clone().unwrap();
    let exact = [0.047_627_925_979_1, 0.842_722_533_816, 0.187_281_342_311, 6.211_113_590_58];
    let published = [0.047_628_5, 0.842_726, 0.187_291, 6.211_44];
    for ((found, exact), published) in errors.iter().zip(exact).zip(published) {
        close(*found, exact, TEN_DIGITS);
        close(*found, published, FOUR_DIGITS);
    }
    assert!(fit.iterations < 15 && fit.gradient_norm < 1e-9, "{} {}", fit.iterations, fit.gradient_norm);
}

#[test]
fn the_published_values_are_predicted() {
    let (t_x, age) = (216.0 / 7.0, 31.0);
    close(PUBLISHED.p_alive(26.0, t_x, age), 0.997_873_275_575, PROMISED);
    close(PUBLISHED.expected_purchases(26.0, t_x, age, 52.0), 25.453_778_634, TEN_DIGITS);
    let model = ParetoNbd { r: 0.562_996_6, alpha: 12.559_037, s: 0.408_109_5, beta: 10.514_804_8 };
    close(model.discounted_purchases_for_ever(7.0, 35.0, 77.86, 0.0027), 1.864_183_328_071_32, PROMISED);
}

#[test]
fn holdout_purchases_of_the_sample_sum_to_the_published_figure() {
    let summary = summary(&sample());
    let found = PUBLISHED.predict(&summary, WEEK, 39.0, 0.0);
    let rows = summary.iter().zip(found.p_alive.iter().zip(&found.residual));
    let sum: f64 = rows.map(|((_, weight), (alive, left))| weight as f64 * alive * left.purchases).sum();
    close(sum, 1_665.376_07, 5e-9);
}

/// Values from mpmath 1.3 with 40 digits, by quadrature of the defining integral.
#[test]
fn p_alive_matches_forty_digits_and_stays_finite_where_hypergeometric_forms_do_not() {
    let model = |r, alpha, s, beta| ParetoNbd { r, alpha, s, beta };
    for (model, x, t_x, age, expected) in [
        (TRAP, 221.0, 103.428_57, 103.571_43, 0.999_596_052_317_938_1),
        (TRAP, 254.0, 97.142_86, 97.285_71, 0.999_558_226_123_010_7),
        (PUBLISHED, 0.0, 0.0, 39.0, 0.294_142_239_251_532_9),
        (PUBLISHED, 3.0, 2.0, 1500.0, 1.710_692_569_676_100_3e-8),
        (PUBLISHED, 1e4, 999.9, 1000.0, 0.999_897_675_459_505_8),
        (model(1e-3, 1e-6, 2.0, 1e3), 4.0, 5.0, 50.0, 0.027_041_510_524_307_02),
        (model(200.0, 3.0, 40.0, 0.01), 7.0, 1.0, 1.5, 6.168_430_136_217_331e-18),
    ] {
        close(model.p_alive(x, t_x, age), expected, PROMISED);
    }
    assert_eq!(PUBLISHED.p_alive(1e4, 900.0, 1000.0), 0.0);
    assert_eq!(PUBLISHED.p_alive(3.0, 20.0, 20.0), 1.0);
    assert_eq!(TRAP.p_alive(0.0, 0.0, 0.0), 1.0);
}

/// Likelihoods from mpmath 1.3 with 40 digits; derivatives from it by central differences with 60.
#[test]
fn the_likelihood_and_its_derivatives_match_forty_digits_for_either_order_of_alpha_and_beta() {
    let summary = counted(
        &[
            (0, 0, 0),
            (0, 0, 250),
            (1, 1, 250),
            (1, 200, 200),
            (2, 30, 260),
            (3, 250, 251),
            (7, 250, 270),
            (40, 100, 260),
            (600, 900, 1000),
            (9000, 10_000, 10_950),
        ],
        1,
    );
    for (at, value, gradient, hessian) in REFERENCE {
        let found = ParetoNbd::evaluation(&summary, WEEK, &at);
        close(found.value, value, PROMISED);
        let scale = gradient.iter().fold(1.0_f64, |most, g| most.max(g.abs()));
        for (found, expected) in found.gradient.iter().zip(gradient) {
            assert!((found - expected).abs() < PROMISED * scale, "{at:?}: {found} is not {expected}");
        }
        let upper = (0..4).flat_map(|i| (i..4).map(move |j| (i, j)));
        for ((i, j), expected) in upper.zip(hessian) {
            let found = found.hessian[i][j];
            assert!((found - expected).abs() < PROMISED * scale, "{at:?} {i} {j}: {found} is not {expected}");
        }
        agree(at, |ln| ParetoNbd::evaluation(&summary, WEEK, ln));
    }
}

type Reference = ([f64; 4], f64, [f64; 4], [f64; 10]);

#[rustfmt::skip]
const REFERENCE: [Reference; 4] = [
    ([-0.6, 2.36, -0.5, 2.46], 7_674.070_160_926_303,
     [12.199_487_259_047_668, -129.154_203_829_179_98, -3.186_093_149_668_092, 1.568_846_479_756_625_5],
     [3.077_472_067_162_652, 3.150_905_302_660_161_7, 0.452_029_499_121_286_4, -0.335_133_815_499_226_33, -120.402_123_945_397_72, -0.474_830_809_094_991, 0.374_554_212_346_533_4, -7.413_289_870_042_787, 2.884_749_718_050_046_8, -1.148_105_562_790_989_3]),
    ([1.0, -3.0, -6.0, 4.0], 7_704.230_461_748_803_5,
     [-83.966_661_115_918_01, 21.320_061_186_536_7, 5.518_328_030_712_067, -3.591_510_266_626_823_7],
     [-87.672_527_629_712_66, 20.629_800_757_157_46, 1.496_397_139_336_087_5, -1.392_289_132_411_499_7, -1.227_678_879_984_333_2, -0.031_785_871_063_666_01, 0.032_695_865_473_266_58, 0.246_063_840_625_748_32, -0.230_378_761_596_547_85, -0.249_451_149_466_857_2]),
    ([2.5, 3.0, 3.0, -2.0], 6_834.860_164_175_891,
     [38.046_116_866_011_864, -182.588_671_583_694_24, -830.934_200_307_977_7, 149.821_056_152_645_1],
     [-8.045_814_497_837_187, 52.782_526_752_852_65, 0.310_301_292_974_408_56, -0.012_191_882_054_239_44, -220.534_831_403_574_63, -0.326_702_078_153_622_84, 0.012_884_354_880_943_711, -834.250_923_770_822_7, 149.855_086_483_910_6, -6.087_998_600_403_033]),
    ([-4.0, 0.5, 1.0, 6.0], 7_759.725_746_414_158_5,
     [7.915_574_349_620_693, -22.721_742_447_574_78, -1.780_565_882_467_793_7, 0.738_609_320_963_070_1],
     [-0.086_651_210_002_622_17, 0.147_861_193_515_614_4, 0.018_817_826_580_876_42, -0.018_555_367_700_480_486, -22.151_667_132_133_344, -0.155_125_572_144_425_07, 0.154_060_414_760_952_2, -5.224_422_818_985_21, 3.115_996_285_631_468, -1.665_466_931_959_739_3]),
];

#[test]
fn expected_purchases_are_the_closed_form_and_smooth_through_s_equal_to_one() {
    // r β / (α (s−1)) (1 − (β/(β+t))^{s−1})
    for s in [0.3, 0.9, 1.1, 4.0] {
        let model = ParetoNbd { s, ..PUBLISHED };
        for t in [0.01, 13.0, 520.0] {
            let ParetoNbd { r, alpha, beta, .. } = model;
            let closed = r * beta / (alpha * (s - 1.0)) * (1.0 - libm::pow(beta / (beta + t), s - 1.0));
            // The closed form cancels for small t.
            close(model.expected_purchases_of_new(t), closed, 1e-11);
        }
    }
    let at = |s: f64| ParetoNbd { s, ..PUBLISHED }.expected_purchases_of_new(39.0);
    close(at(1.0), 0.5 * (at(1.0 - 1e-6) + at(1.0 + 1e-6)), 1e-11);
}

#[test]
fn the_future_is_the_integral_of_its_intensity() {
    for (model, x, age) in [(PUBLISHED, 3.0, 39.0), (TRAP, 0.0, 0.0), (ParetoNbd { s: 80.0, ..TRAP }, 1e4, 1500.0)] {
        for (horizon, delta) in [(0.02, 0.0), (52.0, 0.002), (520.0, 0.1)] {
            // Simpson's rule on the logarithm of the time since the last purchase or dropout's scale.
            let (steps, start) = (4000, 0.05 * (model.beta + age) / (1.0 + model.s));
            let end = libm::log1p(horizon / start);
            let [mut purchases, mut discounted, mut alive] = [0.0; 3];
            for k in 0..=steps {
                let z = end * f64::from(k) / f64::from(steps);
                let u = start * libm::expm1(z);
                let share = if k == 0 || k == steps { 1.0 } else { f64::from(2 + 2 * (k % 2)) };
                let weight = share * end / f64::from(3 * steps) * (u + start);
                let discount = libm::exp(-delta * u);
                purchases += weight * model.intensity(x, age, u);
                discounted += weight * discount * model.intensity(x, age, u);
                alive += weight * discount * model.survival(x, age, u);
            }
            let found = model.residual(x, age, horizon, delta);
            close(found.purchases, purchases, 1e-9);
            close(found.discounted_purchases, discounted, 1e-9);
            close(found.discounted_alive_time, alive, 1e-9);
        }
    }
}

/// `b Ψ(1, 2−s; δb)` from mpmath 1.3 with 40 digits.
#[test]
fn discounted_time_for_ever_is_the_confluent_hypergeometric_function() {
    for (s, b, delta, expected) in [
        (1.0, 50.0, 0.002, 100.732_127_235_422_58),
        (0.01, 3.0, 0.1, 9.878_725_314_739_901),
        (30.0, 2.0, 0.001, 0.068_960_591_497_873_78),
        (2.5, 1e4, 1e-6, 6_554.519_048_350_899),
    ] {
        let model = ParetoNbd { s, beta: 0.5 * b, ..PUBLISHED };
        close(model.residual(3.0, 0.5 * b, f64::INFINITY, delta).discounted_alive_time, expected, PROMISED);
    }
    let for_ever = |s: f64| ParetoNbd { s, ..PUBLISHED }.residual(1.0, 9.0, f64::INFINITY, 0.0).discounted_alive_time;
    close(for_ever(3.0), 0.5 * (PUBLISHED.beta + 9.0), PROMISED);
    assert_eq!(for_ever(0.8), f64::INFINITY);
}

/// Values from mpmath 1.3 with 40 digits.
#[test]
fn purchase_counts_have_probabilities_that_sum_to_one_and_to_the_expectation() {
    let model = |r, alpha, s, beta| ParetoNbd { r, alpha, s, beta };
    for (model, n, t, expected) in [
        (PUBLISHED, 0, 39.0, 0.593_575_937_028_229_1),
        (PUBLISHED, 3, 39.0, 0.049_046_161_575_606_86),
        (PUBLISHED, 200, 39.0, 1.459_417_956_793_071_7e-23),
        (PUBLISHED, 2, 1e5, 0.066_833_634_535_652_23),
        (model(3.0, 0.02, 1.5, 0.1), 40, 1000.0, 0.003_568_277_735_003_304),
        (model(0.01, 50.0, 0.02, 1e4), 1, 0.05, 9.989_909_640_999_287e-6),
    ] {
        close(model.probability_of_purchases(n, t), expected, PROMISED);
    }
    for t in [0.5, 39.0, 104.0] {
        let (mut total, mut mean) = (0.0, 0.0);
        for n in 0..2000 {
            let probability = PUBLISHED.probability_of_purchases(n, t);
            total += probability;
            mean += f64::from(n) * probability;
        }
        close(total, 1.0, PROMISED);
        close(mean, PUBLISHED.expected_purchases_of_new(t), 1e-11);
    }
    // Everybody drops out in the end.
    let in_the_end = PUBLISHED.probability_of_purchases(2, f64::INFINITY);
    close(in_the_end, PUBLISHED.probability_of_purchases(2, 1e30), PROMISED);
    assert_eq!((TRAP.probability_of_purchases(0, 0.0), TRAP.probability_of_purchases(1, 0.0)), (1.0, 0.0));
}

/// What a simulated customer does: alive at the age, purchases before and after, `e^{−δt}` of those after.
#[test]
fn customers_drawn_from_the_model_behave_as_predicted() {
    const CUSTOMERS: u64 = 200_000;
    let (age, horizon, delta) = (30.0, 26.0, 0.01);
    let model = ParetoNbd { r: 0.8, alpha: 6.0, s: 1.3, beta: 25.0 };
    let (rates, dropouts) = (Gamma::new(model.r), Gamma::new(model.s));
    let gaps: Vec<[f64; 4]> = (0..CUSTOMERS)
        .into_par_iter()
        .map(|customer| {
            let mut stream = Stream::new(5, customer, 3);
            let rate = rates.draw(&mut stream) / model.alpha;
            let lifetime = standard_exponential(&mut stream) / dropouts.draw(&mut stream) * model.beta;
            let (mut x, mut t_x, mut later, mut discounted, mut t) = (0.0, 0.0, 0.0, 0.0, 0.0);
            loop {
                t += standard_exponential(&mut stream) / rate;
                if t > lifetime.min(age + horizon) {
                    break;
                }
                if t < age {
                    (x, t_x) = (x + 1.0, t);
                } else {
                    later += 1.0;
                    discounted += libm::exp(-delta * (t - age));
                }
            }
            let (alive, left) = (model.p_alive(x, t_x, age), model.residual(x, age, horizon, delta));
            let lives = f64::from(u8::from(lifetime > age));
            // Weighted by recency too, so that calibration by recency is tested and not just the mean.
            let off = lives - alive;
            [off, off * t_x / age, later - alive * left.purchases, discounted - alive * left.discounted_purchases]
        })
        .collect();
    for k in 0..4 {
        let mean = gaps.iter().map(|gap| gap[k]).sum::<f64>() / CUSTOMERS as f64;
        let square = gaps.iter().map(|gap| gap[k] * gap[k]).sum::<f64>() / CUSTOMERS as f64;
        let error = (square / CUSTOMERS as f64).sqrt();
        assert!(mean.abs() < STANDARD_ERRORS * error, "{k}: {mean} ± {error}");
    }
}

#[test]
fn known_parameters_come_back_within_their_standard_errors() {
    for model in [
        ParetoNbd { r: 0.55, alpha: 10.6, s: 0.6, beta: 11.7 },
        ParetoNbd { r: 1.5, alpha: 12.0, s: 2.0, beta: 90.0 },
        ParetoNbd { r: 0.6, alpha: 3.0, s: 0.4, beta: 2.0 },
    ] {
        // 20,000 units a week, so that rounding to them is far below the standard errors.
        let fit = ParetoNbd::fit(&draw(&model, 40_000, 1_200_000, 20_000.0), 20_000.0);
        assert_eq!(fit.end, FitEnd::Converged);
        let (found, errors) = (fit.fitted().unwrap(), fit.standard_errors.clone().unwrap());
        let pairs = [(found.r, model.r), (found.alpha, model.alpha), (found.s, model.s), (found.beta, model.beta)];
        for ((found, truth), error) in pairs.into_iter().zip(errors) {
            assert!((found - truth).abs() < STANDARD_ERRORS * error, "{model:?}: {found} is not {truth} ± {error}");
        }
        assert!(fit.gradient_norm < 1e-5 && fit.iterations < 40, "{} {}", fit.gradient_norm, fit.iterations);
    }
}

#[test]
fn fits_and_predictions_have_the_same_bits_for_any_number_of_threads() {
    let drawn = draw(&PUBLISHED, 20_000, 364, WEEK);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let fit = ParetoNbd::fit(&drawn, WEEK);
            let found = fit.fitted().unwrap().predict(&drawn, WEEK, 52.0, 0.001);
            let mut bits: Vec<u64> = found.p_alive.iter().map(|p| p.to_bits()).collect();
            bits.extend(found.residual.iter().map(|r| r.discounted_purchases.to_bits()));
            bits.extend(fit.standard_errors.clone().unwrap().iter().map(|e| e.to_bits()));
            bits
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(8));
}

#[test]
fn predictions_of_a_summary_are_those_of_its_histories() {
    let summary = counted(
        &[
            (0, 0, 3),
            (0, 0, 300),
            (2, 30, 300),
            (5, 299, 300),
            (5, 40, 41),
            (5, 40, 9000),
            (700, 900, 901),
            (700, 800, 901),
            (700, 800, 10950),
        ],
        2,
    );
    let found = TRAP.predict(&summary, WEEK, 52.0, 0.003);
    for (i, (h, _)) in summary.iter().enumerate() {
        let (x, t_x, age) = (f64::from(h.frequency), f64::from(h.recency) / WEEK, f64::from(h.age) / WEEK);
        close(found.p_alive[i], TRAP.p_alive(x, t_x, age), PROMISED);
        assert_eq!(found.residual[i], TRAP.residual(x, age, 52.0, 0.003));
    }
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
    let expected = model.expected_purchases(10.0, 50.0, 52.0, 39.0);
    let nbd = (model.r + 10.0) / (model.alpha + 52.0) * 39.0;
    assert!((expected / nbd - 1.0).abs() < 1e-4, "{expected} is not {nbd}");
}

#[test]
fn data_drawn_without_dropout_end_at_the_model_without_dropout() {
    let drawn = draw(&ParetoNbd { s: 1e-9, beta: 50.0, ..PUBLISHED }, 4_000, 373, WEEK);
    let found = ParetoNbd::fit(&drawn, WEEK);
    assert_eq!(found.end, FitEnd::Boundary { limit_models: vec![LimitModel::NoDropout] }, "{found:?}");
    // Its log-likelihood is that of the NBD.
    let model = found.fitted().unwrap();
    let nbd = ParetoNbd { s: 1e-12, beta: 50.0, ..*model }.log_likelihood(&drawn, WEEK);
    assert!((found.log_likelihood.unwrap() - nbd).abs() < 2.0, "{found:?} {nbd}");
}

#[test]
fn dropout_too_rare_to_be_measured_has_a_maximum_all_the_same_and_says_how_little_is_known() {
    // A thousand customers of whom one in two thousand drops out in a week: the likelihood has a maximum, but hardly
    // above that of the NBD.
    let drawn = draw(&ParetoNbd { r: 0.826, alpha: 9.84, s: 1.0, beta: 2000.0 }, 1000, 373, WEEK);
    let found = ParetoNbd::fit(&drawn, WEEK);
    assert_eq!(found.end, FitEnd::Converged, "{found:?}");
    assert!(found.notes[0].contains("is hardly known"), "{:?}", found.notes);
    assert!(found.notes[0].contains("0.57 above that of NBD"), "{:?}", found.notes);
    assert!(found.standard_errors.is_some());
    // Normal draws around it would go where the likelihood is nothing.
    let ParetoNbd { r, alpha, s, beta } = *found.fitted().unwrap();
    assert!(Around::new(&found, [r, alpha, s, beta]).is_none());
}

#[test]
fn lifetimes_with_one_rate_for_all_end_at_the_exponential_model() {
    let found = ParetoNbd::fit(&draw(&ParetoNbd { s: 1e7, beta: 2e8, ..PUBLISHED }, 20_000, 364, WEEK), WEEK);
    assert_eq!(found.end, FitEnd::Boundary { limit_models: vec![LimitModel::EqualDropoutRates] }, "{found:?}");
    let model = found.fitted().unwrap();
    let rate = model.s / model.beta;
    assert!((rate * 20.0 - 1.0).abs() < 0.1, "{rate}");
    assert_eq!(LimitModel::EqualDropoutRates.to_string(), "one dropout rate for all customers");
}

#[test]
fn customers_alike_end_at_one_rate_for_all() {
    let found = fit(&[(10, 350, 364), (10, 340, 364), (10, 362, 364)], 30);
    let FitEnd::Boundary { limit_models } = &found.end else { panic!("{:?}", found.end) };
    assert!(limit_models.contains(&LimitModel::EqualRates), "{limit_models:?}");
    assert!(found.fitted().unwrap().expected_purchases(10.0, 50.0, 52.0, 39.0).is_finite());
}

#[test]
fn a_ledger_without_repeat_purchases_has_no_fit_and_predicts_nothing() {
    let error = fit(&[(0, 0, 100), (0, 0, 50)], 10).fitted().unwrap_err().to_string();
    assert_eq!(
        error,
        "the Pareto/NBD fit failed: no customer bought a second time, so nothing is known of purchase rates or dropout"
    );
    assert!(fit(&[], 1).fitted().is_err());
    let error = ParetoNbd::fit(&counted(&[(1, 2, 3)], 1), 0.0).fitted().unwrap_err().to_string();
    assert_eq!(error, "the Pareto/NBD fit failed: the model time unit must be a positive number of days");
}

#[test]
fn any_handful_of_customers_ends_with_a_word_and_finite_predictions() {
    for seed in 0..200_u64 {
        let mut stream = Stream::new(seed, 0, 0);
        let histories: Vec<(u32, u32, u32)> = (0..=stream.below(6))
            .map(|_| {
                let age = 1 + stream.below(400) as u32;
                let recency = stream.below(u64::from(age) + 1) as u32;
                let x = if recency == 0 { 0 } else { 1 + stream.below(u64::from(recency)) as u32 };
                (x, recency, age)
            })
            .collect();
        ends_with_a_word(&histories);
    }
    // A customer of thirty years with 10⁴ purchases, one of an hour (a unit is a week of hours), one alone.
    ends_with_a_word(&[(10_000, 10_949, 10_950), (0, 0, 1), (1, 1, 1), (3, 9_000, 10_950)]);
    ends_with_a_word(&[(10_000, 10_000, 10_000)]);
    ends_with_a_word(&[(1, 1, 1)]);
}

fn ends_with_a_word(histories: &[(u32, u32, u32)]) {
    let found = fit(histories, 1);
    let Ok(model) = found.fitted() else {
        let FitEnd::Failed { why } = &found.end else { panic!("{:?}", found.end) };
        assert!(why.starts_with("no customer bought a second time"), "{why}: {histories:?}");
        return;
    };
    assert!(found.log_likelihood.unwrap().is_finite(), "{histories:?}");
    for &(x, t_x, age) in histories {
        let (x, t_x, age) = (f64::from(x), f64::from(t_x) / WEEK, f64::from(age) / WEEK);
        let expected = model.expected_purchases(x, t_x, age, 52.0);
        assert!(expected.is_finite() && expected >= 0.0, "{model:?} {x} {t_x} {age}: {expected}");
    }
}

#[test]
fn extreme_histories_have_finite_predictions() {
    let extremes = [1e-9, 0.3, 1e7];
    for r in extremes {
        for (alpha, s) in [(1e-7, 1e-9), (1e-7, 1e7), (10.0, 0.6), (1e7, 1e-9), (1e7, 1e7)] {
            for beta in [1e-7, 12.0, 1e8] {
                let model = ParetoNbd { r, alpha, s, beta };
                for (x, t_x, age) in
                    [(0.0, 0.0, 0.006), (0.0, 0.0, 1565.0), (1e4, 1564.0, 1565.0), (1e4, 1429.0, 1565.0)]
                {
                    let alive = model.p_alive(x, t_x, age);
                    assert!((0.0..=1.0).contains(&alive), "{model:?} {x} {age}: {alive}");
                    let left = model.residual(x, age, 52.0, 0.002);
                    let found = [left.purchases, left.discounted_purchases, left.discounted_alive_time];
                    assert!(found.iter().all(|f| f.is_finite() && *f >= 0.0), "{model:?} {x} {age}: {found:?}");
                }
                let probability = model.probability_of_purchases(7, 39.0);
                assert!((0.0..=1.0).contains(&probability), "{model:?}: {probability}");
            }
        }
    }
}
