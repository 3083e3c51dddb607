//! Extreme histories and data without a finite maximum.

use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::fit::{Fit, FitEnd, LimitModel};
use crate::forecast::gamma_gamma::GammaGamma;
use crate::forecast::summary::Summary;
use crate::forecast::uncertainty::Around;
use crate::numeric::hypergeometric::gauss;

const PUBLISHED: BgNbd = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };

fn fit(histories: &[(u32, u32, u32)], copies: usize) -> Fit<BgNbd> {
    let mut summary = Summary::new();
    let column = |pick: fn(&(u32, u32, u32)) -> u32| -> Vec<u32> {
        (0..copies).flat_map(|_| histories.iter().map(pick)).collect()
    };
    summary.insert(&column(|h| h.0), &column(|h| h.1), &column(|h| h.2)).unwrap();
    BgNbd::fit(&summary, 7.0)
}

#[test]
fn p_alive_reaches_zero_and_one_without_overflow() {
    assert_eq!(PUBLISHED.p_alive(1000.0, 10.0, 100.0), 0.0);
    for (x, t_x, age) in [(221.0, 103.428_57, 103.571_43), (254.0, 97.142_86, 97.285_71), (1e5, 1.0, 1e4)] {
        let found = PUBLISHED.p_alive(x, t_x, age);
        assert!((0.0..=1.0).contains(&found), "{found}");
    }
}

/// Equation 10 of Fader, Hardie & Lee (2005), which is singular at `a = 1`.
fn equation_10(m: &BgNbd, x: f64, t_x: f64, age: f64, t: f64) -> f64 {
    let BgNbd { r, alpha, a, b } = *m;
    let hyper = gauss(r + x, b + x, a + b + x - 1.0, t / (alpha + age + t)).unwrap();
    let shrink = libm::pow((alpha + age) / (alpha + age + t), r + x);
    let odds = a / (b + x - 1.0) * libm::pow((alpha + age) / (alpha + t_x), r + x);
    let odds = if x > 0.0 { odds } else { 0.0 };
    (a + b + x - 1.0) / (a - 1.0) * (1.0 - shrink * hyper) / (1.0 + odds)
}

#[test]
fn expected_purchases_are_the_closed_form_away_from_its_singularity() {
    for model in
        [PUBLISHED, BgNbd { r: 3.0, alpha: 12.0, a: 2.5, b: 0.6 }, BgNbd { r: 30.0, alpha: 9.0, a: 40.0, b: 90.0 }]
    {
        for (x, t_x, age) in
            [(0.0, 0.0, 0.0), (0.0, 0.0, 39.0), (1.0, 3.0, 20.0), (26.0, 30.9, 31.0), (90.0, 50.0, 51.0)]
        {
            for t in [0.1, 13.0, 52.0, 520.0] {
                let found = model.expected_purchases(x, t_x, age, t).unwrap();
                let closed = equation_10(&model, x, t_x, age, t);
                assert!((found / closed - 1.0).abs() < 1e-10, "{model:?} {x} {age} {t}: {found} is not {closed}");
            }
        }
    }
}

#[test]
fn expected_purchases_are_smooth_through_a_equal_to_one() {
    let at = |a: f64| BgNbd { a, ..PUBLISHED }.expected_purchases(2.0, 30.43, 38.86, 39.0).unwrap();
    let middle = 0.5 * (at(1.0 - 1e-6) + at(1.0 + 1e-6));
    assert!((at(1.0) - middle).abs() < 1e-10, "{} {middle}", at(1.0));
}

#[test]
fn discounted_integrals_hold_for_models_without_dropout_and_with_dropout_at_once() {
    // Without dropout the rate stays r'/α' and the customer stays: ∫ e^{−δu} du to the horizon.
    let held = -libm::expm1(-0.01 * 52.0) / 0.01;
    let nbd = BgNbd { r: 0.7, alpha: 9.0, a: 1e-9, b: 3.0 };
    let found = nbd.residual(4.0, 30.0, 52.0, 0.01).unwrap();
    assert!((found.discounted_alive_time / held - 1.0).abs() < 1e-8);
    assert!((found.discounted_purchases / (held * 4.7 / 39.0) - 1.0).abs() < 1e-8);
    assert!((found.purchases / (52.0 * 4.7 / 39.0) - 1.0).abs() < 1e-8);
    // With dropout at once there is one purchase at most: its probability is 1 − (α'/(α'+h))^{r'}.
    let once = BgNbd { a: 1e9, b: 1e-3, ..nbd };
    let found = once.residual(0.0, 30.0, 52.0, 0.0).unwrap();
    let expected = 1.0 - libm::pow(39.0 / 91.0, 0.7);
    assert!((found.purchases / expected - 1.0).abs() < 1e-8, "{} {expected}", found.purchases);
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
    assert_eq!(LimitModel::NoDropout.to_string(), "NBD (nobody drops out)");
}

/// Nelder–Mead of scipy 1.x stops at 1e-9 of a logarithm; second differences of its likelihood know errors to three digits.
const BY_SEARCH: f64 = 2e-5;
const BY_DIFFERENCES: f64 = 2e-3;

#[test]
fn a_maximum_hardly_above_the_model_without_dropout_has_converged_all_the_same() {
    // Customers who never stop, and one who has been silent for 264 days: by equation 6 of Fader, Hardie & Lee (2005) and
    // scipy's Nelder–Mead the maximum after five purchases is 0.5326 above that of the NBD and 0.2125 above that of one dropout
    // probability; after eight 3.2491 and 0.0924.
    let others: Vec<(u32, u32, u32)> =
        (1..40).map(|i| (1 + i * i % 37, 360 - 350 / (1 + i * i % 37) / 2, 364)).collect();
    for (x, [a, b], value, error, (limit, gain)) in [
        (5, [0.013_527_59, 4.611_339], -1_368.592_739_86, 3.065_87, ("NBD (nobody drops out)", "0.53")),
        (8, [0.037_960, 15.143_979_96], -1_371.845_080_89, 3.629_00, ("one dropout probability for all", "0.09")),
    ] {
        let silent = others.iter().copied().chain([(x, 100, 364)]).collect::<Vec<_>>();
        let found = fit(&silent, 1);
        assert_eq!(found.end, FitEnd::Converged, "{found:?}");
        let model = found.fitted().unwrap();
        assert!((model.a / a - 1.0).abs() < BY_SEARCH && (model.b / b - 1.0).abs() < BY_SEARCH, "{model:?}");
        assert!((found.log_likelihood.unwrap() - value).abs() < 1e-6, "{found:?}");
        // What is hardly known is said, with its error.
        let ln_error = found.standard_errors.as_ref().unwrap()[3] / model.b;
        assert!((ln_error / error - 1.0).abs() < BY_DIFFERENCES, "{ln_error}");
        let note = format!("{gain} above that of {limit}");
        assert!(found.notes[0].starts_with("b is hardly known") && found.notes[0].contains(&note), "{:?}", found.notes);
        assert!(Around::new(&found, [model.r, model.alpha, model.a, model.b]).is_none());
    }
    // Without the silent one it rises to the end.
    assert_eq!(fit(&others, 1).end, FitEnd::Boundary { limit_models: vec![LimitModel::NoDropout] });
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
        "the BG/NBD fit failed: no customer bought a second time, so nothing is known of purchase rates or dropout"
    );
    assert!(found.log_likelihood.is_none() && fit(&[], 1).fitted().is_err());
}

#[test]
fn any_handful_of_customers_ends_with_a_word_and_finite_predictions() {
    for seed in 0..200_u64 {
        let mut stream = crate::numeric::philox::Stream::new(seed, 0, 0);
        let histories: Vec<(u32, u32, u32)> = (0..=stream.below(6))
            .map(|_| {
                let age = 1 + stream.below(400) as u32;
                let recency = stream.below(u64::from(age) + 1) as u32;
                let x = if recency == 0 { 0 } else { 1 + stream.below(u64::from(recency)) as u32 };
                (x, recency, age)
            })
            .collect();
        let found = fit(&histories, 1);
        let Ok(model) = found.fitted() else {
            let FitEnd::Failed { why } = &found.end else { panic!("{:?}", found.end) };
            assert!(why.starts_with("no customer bought a second time"), "{why}: {histories:?}");
            continue;
        };
        assert!(found.log_likelihood.unwrap().is_finite(), "{histories:?}");
        for &(x, t_x, age) in &histories {
            let (x, t_x, age) = (f64::from(x), f64::from(t_x) / 7.0, f64::from(age) / 7.0);
            let expected = model.expected_purchases(x, t_x, age, 52.0).unwrap();
            assert!(expected.is_finite() && expected >= 0.0, "{model:?} {x} {t_x} {age}: {expected}");
        }
    }
}

#[test]
fn equal_spend_ends_at_its_limit_and_an_infinite_mean_is_said() {
    let x: Vec<u32> = (1..50).collect();
    let equal: Vec<f64> = x.iter().map(|&x| 20.0 * f64::from(x)).collect();
    let FitEnd::Boundary { limit_models } = GammaGamma::fit(&x, &equal).end else { panic!("no boundary") };
    assert!(limit_models.contains(&LimitModel::EqualSpendWithinCustomer), "{limit_models:?}");
    let found = GammaGamma::fit(&[1, 0, 3], &[5.0, 0.0, -2.0]);
    assert_eq!(
        found.fitted().unwrap_err().to_string(),
        "the Gamma-Gamma fit failed: fewer than two customers have a repeat purchase with spend"
    );
}

#[test]
fn histories_that_say_nothing_of_dropout_are_told_so() {
    // Bought today, or yesterday and today.
    let nothing: Vec<(u32, u32, u32)> = vec![(0, 0, 0), (0, 0, 3), (1, 1, 1), (1, 5, 5)];
    let told = |histories: &[(u32, u32, u32)]| {
        let fit = fit(histories, 20);
        assert!(fit.fitted().is_ok(), "{:?}", fit.end);
        fit.notes.iter().any(|note| note.starts_with("no history tells of dropout"))
    };
    assert!(told(&nothing));
    assert!(!told(&[&nothing[..], &[(1, 5, 6)]].concat()));
    assert!(!told(&[&nothing[..], &[(2, 5, 5)]].concat()));
}
