//! Survival, distributions, the next purchase and discounted purchases of every model: against lives drawn as the models
//! tell them, against quadrature, and against published values.

use super::lives::live;
use crate::forecast::bg_cnbd_k::{BgCnbdK, FirstDropout};
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::histories::Histories;
use crate::forecast::mbg_nbd::MbgNbd;
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::population::Population;
use crate::forecast::purchase_model::PurchaseModel;
use crate::numeric::discounting::{Periods, Timing};
use crate::numeric::philox::Stream;
use crate::numeric::quadrature::{Rule, doubling_panels};
use rayon::prelude::*;

/// A mean of many draws leaves this many standard errors once in 16,000 times; some 200 are tested.
const STANDARD_ERRORS: f64 = 4.5;
/// Probabilities of the next purchase against those of a number of purchases, which promise 1e-9.
const OF_COUNTS: f64 = 2e-9;
/// Discounted purchases of regular models against their quadrature, which promises 1e-7.
const OF_REGULAR: f64 = 1e-7;
/// What `residual_for_ever` promises.
const FOR_EVER: f64 = 1e-10;
/// Lives drawn of each model.
const LIVES: u64 = 60_000;
/// Discounted by more than this nothing is left.
const FORGOTTEN: f64 = 60.0;

const BG: BgNbd = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
const MBG: MbgNbd = MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 };
const PARETO: ParetoNbd = ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.6061, beta: 11.6562 };

fn regular(k: u32, dropout: FirstDropout, [r, alpha, a, b]: [f64; 4]) -> PurchaseModel {
    PurchaseModel::BgCnbdK(BgCnbdK { k, dropout, r, alpha, a, b })
}

fn models() -> [PurchaseModel; 8] {
    [
        BG.into(),
        MBG.into(),
        PARETO.into(),
        BgNbd { r: 2.0, alpha: 12.0, a: 1.4, b: 3.0 }.into(),
        ParetoNbd { r: 2.0, alpha: 12.0, s: 2.5, beta: 60.0 }.into(),
        regular(2, FirstDropout::AfterRepeat, [0.6, 2.5, 0.8, 2.6]),
        regular(3, FirstDropout::AfterFirst, [1.2, 3.0, 0.9, 2.0]),
        regular(1, FirstDropout::AfterFirst, [0.525, 6.183, 0.891, 1.614]),
    ]
}

/// Mean of `of` over lives, with its standard error.
fn mean(lives: &[(Vec<f64>, bool)], of: impl Fn(&(Vec<f64>, bool)) -> f64) -> (f64, f64) {
    let n = lives.len() as f64;
    let mean = lives.iter().map(&of).sum::<f64>() / n;
    let variance = lives.iter().map(|life| (of(life) - mean) * (of(life) - mean)).sum::<f64>() / (n - 1.0);
    (mean, libm::sqrt(variance / n))
}

#[track_caller]
fn same(what: &str, model: &PurchaseModel, (found, error): (f64, f64), expected: f64) {
    let off = (found - expected).abs();
    assert!(off <= STANDARD_ERRORS * error.max(1e-5), "{what} of {model:?}: drawn {found} ± {error}, {expected}");
}

#[test]
fn drawn_lives_of_new_customers_and_of_silent_ones_are_what_each_model_says() {
    const SILENT: f64 = 8.0;
    const AHEAD: f64 = 20.0;
    const DELTA: f64 = 0.03;
    for model in models() {
        let draw = |customer: u64| live(&model, SILENT + AHEAD, &mut Stream::new(2026, customer, 11));
        let lives: Vec<(Vec<f64>, bool)> = (0..LIVES).into_par_iter().map(draw).collect();
        let ended = |life: &(Vec<f64>, bool)| f64::from(u8::from(life.1));

        // Of new customers, over the whole time.
        let end = SILENT + AHEAD;
        let expected = model.expected_purchases_of_new(end).unwrap();
        same("E[X(t)]", &model, mean(&lives, |life| life.0.len() as f64), expected);
        same("P(alive at t)", &model, mean(&lives, ended), model.p_alive_at(0.0, 0.0, 0.0, end).unwrap());
        let probabilities = model.probabilities_given_history(0.0, 0.0, 0.0, end);
        for (n, expected) in probabilities.iter().enumerate().take(6) {
            let exactly = |life: &(Vec<f64>, bool)| f64::from(u8::from(life.0.len() == n));
            same(&format!("P(X(t) = {n})"), &model, mean(&lives, exactly), *expected);
        }
        let discounted = |life: &(Vec<f64>, bool)| life.0.iter().map(|t| libm::exp(-DELTA * t)).sum::<f64>();
        let residual = model.residual(0.0, 0.0, 0.0, end, DELTA).unwrap();
        let expected = model.p_alive(0.0, 0.0, 0.0) * residual.discounted_purchases;
        same("discounted purchases", &model, mean(&lives, discounted), expected);

        // Of those who bought nothing for a while since their first purchase.
        let silent: Vec<(Vec<f64>, bool)> =
            lives.into_iter().filter(|life| life.0.first().is_none_or(|t| *t > SILENT)).collect();
        assert!(silent.len() > 10_000, "{model:?}");
        let (x, t_x) = (0.0, 0.0);
        let expected = model.expected_purchases(x, t_x, SILENT, AHEAD).unwrap();
        same("E[X | silent]", &model, mean(&silent, |life| life.0.len() as f64), expected);
        same("P(alive at T+t)", &model, mean(&silent, ended), model.p_alive_at(x, t_x, SILENT, AHEAD).unwrap());
        let probabilities = model.probabilities_given_history(x, t_x, SILENT, AHEAD);
        for (n, expected) in probabilities.iter().enumerate().take(4) {
            let exactly = |life: &(Vec<f64>, bool)| f64::from(u8::from(life.0.len() == n));
            same(&format!("P(X = {n} | silent)"), &model, mean(&silent, exactly), *expected);
        }
        let (p_alive, next) = (model.p_alive(x, t_x, SILENT), model.next_purchase(x, t_x, SILENT, AHEAD));
        for t in [0.5, 2.0, 7.0, AHEAD] {
            let by = |life: &(Vec<f64>, bool)| f64::from(u8::from(life.0.first().is_some_and(|at| *at <= SILENT + t)));
            same(&format!("P(buys by {t})"), &model, mean(&silent, by), p_alive * next.probability_by(t));
        }
        let buyers: Vec<(Vec<f64>, bool)> = silent.into_iter().filter(|life| !life.0.is_empty()).collect();
        same("mean wait", &model, mean(&buyers, |life| life.0[0] - SILENT), next.mean_within(AHEAD));
        let median = next.quantile(0.5 * next.probability_by(AHEAD)).unwrap();
        let before = |life: &(Vec<f64>, bool)| f64::from(u8::from(life.0[0] - SILENT <= median));
        same("median wait", &model, mean(&buyers, before), 0.5);
    }
}

#[test]
fn the_next_purchase_has_come_where_the_number_of_purchases_is_not_nought() {
    for model in models() {
        for (x, t_x, age) in
            [(0.0, 0.0, 0.0), (0.0, 0.0, 39.0), (2.0, 30.43, 38.86), (26.0, 30.0, 31.0), (90.0, 5.0, 9.0)]
        {
            let next = model.next_purchase(x, t_x, age, 520.0);
            for t in [0.0, 0.01, 1.0, 13.0, 52.0, 520.0] {
                let none = model.purchase_probabilities(x, t_x, age, t)[0];
                let found = next.probability_by(t);
                assert!((found - (1.0 - none)).abs() < OF_COUNTS, "{model:?} {x} {age} {t}: {found} {none}");
                // The density is the derivative.
                let step = 1e-4 * (1.0 + t);
                if t > 0.01 && t < 520.0 {
                    let slope = (next.probability_by(t + step) - next.probability_by(t - step)) / (2.0 * step);
                    let density = next.density(t);
                    assert!((density - slope).abs() < 1e-5 * slope.max(1e-4), "{model:?} {x} {t}: {density} {slope}");
                }
            }
            for q in [1e-3, 0.25, 0.5, 0.9] {
                match next.quantile(q) {
                    Some(t) => assert!((next.probability_by(t) - q).abs() < 1e-12, "{model:?} {x} {age} {q}: {t}"),
                    None => assert!(next.probability_by(520.0) < q, "{model:?} {x} {age} {q}"),
                }
            }
        }
    }
}

#[test]
fn a_wait_by_chance_is_lomax_and_one_against_departure_may_have_no_end() {
    // 0.5 = 1 − (α'/(α'+t))^{r'}: t = α' (2^{1/r'} − 1), with r' = 2.243 and α' = 43.274.
    let next = PurchaseModel::from(BG).next_purchase(2.0, 30.43, 38.86, 1e9);
    let median = 43.274 * (libm::pow(2.0, 1.0 / 2.243) - 1.0);
    assert!((next.quantile(0.5).unwrap() - median).abs() < 1e-12);
    // Far ahead the mean of a Lomax wait is α'/(r'−1).
    let mean = 43.274 / 1.243;
    assert!((next.mean_within(1e9) / mean - 1.0).abs() < 1e-5, "{} {mean}", next.mean_within(1e9));
    assert!(PurchaseModel::from(BG).next_purchase(0.0, 0.0, 39.0, 100.0).quantile(0.5).is_none());

    // Equal shapes and scales: a purchase and departure are as likely to come first, P = r/(r+s).
    let twins = ParetoNbd { r: 0.7, alpha: 9.0, s: 0.7, beta: 9.0 };
    let next = PurchaseModel::from(twins).next_purchase(0.0, 0.0, 20.0, 1e9);
    assert!((next.probability_by(1e9) - 0.5).abs() < 1e-9, "{}", next.probability_by(1e9));
    assert!(next.quantile(0.5).is_none() && next.quantile(0.49).is_some());
}

/// `∫_0^∞ m(u) e^{−δu} du` of the intensity, by another rule than the kernels'.
fn by_quadrature(delta: f64, first: f64, intensity: impl Fn(f64) -> f64) -> f64 {
    let rule = Rule::<24>::legendre();
    doubling_panels(first, FORGOTTEN / delta)
        .flat_map(|(from, to)| {
            // Eighths of every panel: the kernels' panels are whole ones.
            (0..8).map(move |part| {
                (from + (to - from) * f64::from(part) / 8.0, from + (to - from) * f64::from(part + 1) / 8.0)
            })
        })
        .map(|(from, to)| {
            rule.on(from, to).map(|(u, weight)| weight * intensity(u) * libm::exp(-delta * u)).sum::<f64>()
        })
        .sum()
}

#[test]
fn discounted_purchases_for_ever_are_the_integral_of_the_discounted_intensity() {
    let histories = [(0.0, 0.0, 0.0), (0.0, 0.0, 39.0), (2.0, 30.43, 38.86), (26.0, 30.0, 31.0), (300.0, 90.0, 91.0)];
    for delta in [0.0027, 0.05, 1.0] {
        for (x, t_x, age) in histories {
            for (model, first, intensity) in [
                (
                    PurchaseModel::from(BG),
                    BG.alpha + age,
                    Box::new(|u| BG.intensity(x, age, u).unwrap()) as Box<dyn Fn(f64) -> f64>,
                ),
                (MBG.into(), MBG.alpha + age, Box::new(|u| MBG.intensity(x, age, u).unwrap())),
                (PARETO.into(), PARETO.beta + age, Box::new(|u| PARETO.intensity(x, age, u))),
            ] {
                let expected = model.p_alive(x, t_x, age) * by_quadrature(delta, first.min(1.0 / delta), intensity);
                let found = model.discounted_purchases_for_ever(x, t_x, age, delta).unwrap();
                assert!(
                    (found - expected).abs() <= FOR_EVER * expected,
                    "{model:?} {x} {age} {delta}: {found} is not {expected}"
                );
            }
        }
    }
    // Regular purchases: their quadrature over a time after which nothing is left.
    for model in models().into_iter().filter(|model| matches!(model, PurchaseModel::BgCnbdK(_))) {
        for (x, t_x, age) in [(0.0, 0.0, 10.0), (2.0, 30.0, 38.0), (26.0, 30.0, 31.0)] {
            let delta = 0.05;
            let expected = model.residual(x, t_x, age, 30.0 / delta, delta).unwrap().discounted_purchases;
            let found = model.residual_for_ever(x, t_x, age, delta).unwrap();
            assert!((found / expected - 1.0).abs() < OF_REGULAR, "{model:?} {x} {age}: {found} is not {expected}");
        }
    }
}

#[test]
fn purchases_for_ever_have_their_published_value_and_their_limits_without_discounting() {
    // REFERENCE: Pareto/NBD DERT at (.5629966, 12.559037, .4081095, 10.5148048), δ .0027/week, x 7, t_x 35, T 77.86.
    let model = ParetoNbd { r: 0.562_996_6, alpha: 12.559_037, s: 0.408_109_5, beta: 10.514_804_8 };
    let found = PurchaseModel::from(model).discounted_purchases_for_ever(7.0, 35.0, 77.86, 0.0027).unwrap();
    assert!((found - 1.864_183_328_071_32).abs() < 1e-12, "{found}");
    // A purchase each, then (b+j)/(a+b+j) of them after the j-th: (a+b−1)/(a−1) in all.
    let model = PurchaseModel::from(BgNbd { r: 2.0, alpha: 12.0, a: 3.0, b: 5.0 });
    assert!((model.residual_for_ever(2.0, 3.0, 20.0, 0.0).unwrap() - 9.0 / 2.0).abs() < 1e-15);
    let hardly = model.residual_for_ever(2.0, 3.0, 20.0, 1e-5).unwrap();
    assert!(hardly < 4.5 && hardly > 4.49, "{hardly}");
    assert!(PurchaseModel::from(BG).residual_for_ever(2.0, 30.0, 38.0, 0.0).unwrap().is_infinite());
    assert!(PurchaseModel::from(PARETO).residual_for_ever(2.0, 30.0, 38.0, 0.0).unwrap().is_infinite());
}

#[test]
fn a_finite_horizon_ends_at_the_infinite_one() {
    for model in models() {
        let delta = 0.05;
        let far = model.residual(2.0, 30.0, 38.0, 30.0 / delta, delta).unwrap().discounted_purchases;
        let near = model.residual(2.0, 30.0, 38.0, 52.0, delta).unwrap().discounted_purchases;
        let found = model.residual_for_ever(2.0, 30.0, 38.0, delta).unwrap();
        assert!(near < far && (far / found - 1.0).abs() < OF_REGULAR, "{model:?}: {near} {far} {found}");
    }
}

#[test]
fn expected_purchases_of_a_new_customer_are_the_published_formulas() {
    // Fader, Hardie & Lee (2005), equation 9: (a+b−1)/(a−1) [1 − (α/(α+t))^r ₂F₁(r, b; a+b−1; t/(α+t))].
    let BgNbd { r, alpha, a, b } = BG;
    for t in [1.0, 39.0, 78.0] {
        let hyper = crate::numeric::hypergeometric::gauss(r, b, a + b - 1.0, t / (alpha + t)).unwrap();
        let expected = (a + b - 1.0) / (a - 1.0) * (1.0 - libm::pow(alpha / (alpha + t), r) * hyper);
        let found = PurchaseModel::from(BG).expected_purchases_of_new(t).unwrap();
        assert!((found / expected - 1.0).abs() < 1e-11, "{t}: {found} {expected}");
        // Fader & Hardie (2005), section 4: rβ/(α(s−1)) [1 − (β/(β+t))^{s−1}].
        let ParetoNbd { r, alpha, s, beta } = PARETO;
        let expected = r * beta / (alpha * (s - 1.0)) * (1.0 - libm::pow(beta / (beta + t), s - 1.0));
        let found = PurchaseModel::from(PARETO).expected_purchases_of_new(t).unwrap();
        assert!((found / expected - 1.0).abs() < 1e-11, "{t}: {found} {expected}");
    }
}

#[test]
fn the_outlook_of_a_base_is_that_of_its_histories() {
    let histories = Histories {
        customer: (0..10).collect(),
        frequency: vec![600, 0, 0, 1, 0, 1, 2, 7, 40, 1],
        recency: vec![900, 0, 0, 1, 0, 200, 30, 250, 100, 200],
        age: vec![1000, 0, 250, 250, 9, 250, 260, 270, 260, 250],
    };
    let history = |i: usize| {
        let time = |days: u32| f64::from(days) / 7.0;
        (f64::from(histories.frequency[i]), time(histories.recency[i]), time(histories.age[i]))
    };
    let base = models();
    let alone = base.iter().map(|model| Population::from(*model));
    // Two models of one kind, in turns.
    let mixed = Population::new(vec![base[0], base[3]], (0..10).map(|i| i % 2).collect()).unwrap();
    for population in alone.chain([mixed]) {
        let p_alive: Vec<f64> = (0..10)
            .map(|i| {
                let (x, t_x, age) = history(i);
                population.model_of(i).p_alive(x, t_x, age)
            })
            .collect();
        let found = population.outlooks(&histories, &p_alive, 7.0, (39.0, 5_000.0)).unwrap();
        let mut told = 0;
        for (i, outlook) in found.iter().enumerate() {
            let ((x, t_x, age), model) = (history(i), population.model_of(i));
            let later = model.p_alive_at(x, t_x, age, 39.0).unwrap();
            assert!((outlook.p_alive_at_horizon - later).abs() < 1e-12, "{model:?} {i}");
            let none = model.probabilities_given_history(x, t_x, age, 39.0)[0];
            assert!((outlook.probability_of_purchase - (1.0 - none)).abs() < OF_COUNTS, "{model:?} {i}");
            let next = model.next_purchase(x, t_x, age, 5_000.0);
            match outlook.median_wait {
                Some(wait) => {
                    told += 1;
                    assert!((p_alive[i] * next.probability_by(wait) - 0.5).abs() < 1e-12, "{model:?} {i}");
                }
                None => assert!(p_alive[i] * next.probability_by(5_000.0) < 0.5, "{model:?} {i}"),
            }
        }
        assert!(told > 0 && told < found.len(), "{population:?}: {told}");
    }
}

#[test]
fn sums_for_ever_of_a_whole_base_are_those_of_its_customers_one_by_one() {
    let histories = Histories {
        customer: (0..12).collect(),
        frequency: vec![0, 0, 1, 2, 2, 2, 7, 7, 0, 2, 40, 1],
        recency: vec![0, 0, 30, 90, 90, 60, 200, 200, 0, 90, 250, 0],
        age: vec![10, 200, 250, 260, 260, 260, 260, 90, 10, 200, 260, 3],
    };
    let (days, delta) = (7.0, 0.002);
    let urn = |alpha: f64, a: f64| PurchaseModel::from(MbgNbd { r: 0.5, alpha, a, b: 1.6 });
    let several = vec![urn(6.0, 0.9), urn(3.0, 0.9), urn(6.0, 0.4)];
    let of = (0..12).map(|row| row % 3).collect::<Vec<u32>>();
    let regular = BgCnbdK { k: 3, dropout: FirstDropout::AfterFirst, r: 1.2, alpha: 5.0, a: 0.8, b: 2.6 };
    let populations: [Population; 4] =
        [Population::new(several, of).unwrap(), BG.into(), PARETO.into(), regular.into()];
    for population in populations {
        let of_row = |row: usize| {
            let time = |days: u32| f64::from(days) / 7.0;
            let history = (f64::from(histories.frequency[row]), time(histories.recency[row]), time(histories.age[row]));
            (population.model_of(row), history)
        };
        let p_alive: Vec<f64> = (0..12).map(of_row).map(|(model, (x, t_x, age))| model.p_alive(x, t_x, age)).collect();
        let timing = Timing { delta, period: None };
        let found = population.discounted_purchases_for_ever(&histories, &p_alive, days, timing).unwrap();
        for (row, found) in found.iter().enumerate() {
            let (model, (x, t_x, age)) = of_row(row);
            let expected = model.discounted_purchases_for_ever(x, t_x, age, delta).unwrap();
            assert!((found.unwrap() / expected - 1.0).abs() < 1e-12, "{model:?} {row}: {found:?} {expected}");
        }
        let periods = Periods { length: 52.0, delta };
        let timing = Timing { period: Some(52.0), ..timing };
        let yearly = population.discounted_purchases_for_ever(&histories, &p_alive, days, timing).unwrap();
        for (row, found) in yearly.iter().enumerate() {
            let (model, (x, t_x, age)) = of_row(row);
            let expected = p_alive[row] * model.residual_for_ever_per_period(x, t_x, age, periods).unwrap();
            assert!((found.unwrap() / expected - 1.0).abs() < 1e-11, "{model:?} {row}: {found:?} {expected}");
        }
    }
}
