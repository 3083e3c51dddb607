//! Known parameters come back from data drawn with them; results do not depend on threads.

use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::fit::FitEnd;
use crate::forecast::gamma_gamma::GammaGamma;
use crate::forecast::summary::Summary;
use crate::numeric::distributions::{Beta, Gamma, standard_exponential};
use crate::numeric::philox::Stream;
use rayon::prelude::*;

/// An estimate leaves this many standard errors once in 16,000 times.
pub(super) const STANDARD_ERRORS: f64 = 4.0;

#[derive(Default)]
pub(super) struct Drawn {
    pub(super) x: Vec<u32>,
    pub(super) recency: Vec<u32>,
    pub(super) age: Vec<u32>,
    pub(super) total: Vec<f64>,
}

/// Customers of the two models; purchases fall on whole units of a fine calendar (`per_unit` days a model time unit).
pub(super) fn draw(model: &BgNbd, spend: &GammaGamma, customers: u64, longest: u32, per_unit: f64) -> Drawn {
    draw_as(1, model, spend, customers, longest, per_unit)
}

/// Other customers of the same kind for every purpose.
pub(super) fn draw_as(
    purpose: u64,
    model: &BgNbd,
    spend: &GammaGamma,
    customers: u64,
    longest: u32,
    per_unit: f64,
) -> Drawn {
    let dropout = Beta::new(model.a, model.b);
    let (rates, levels, purchase) = (Gamma::new(model.r), Gamma::new(spend.q), Gamma::new(spend.p));
    let rows: Vec<(u32, u32, u32, f64)> = (0..customers)
        .into_par_iter()
        .map(|customer| {
            let mut stream = Stream::new(2024, customer, purpose);
            let age = longest - stream.below(u64::from(longest) / 3) as u32;
            let (rate, p) = (rates.draw(&mut stream) / model.alpha / per_unit, dropout.draw(&mut stream));
            let level = levels.draw(&mut stream) / spend.gamma;
            let (mut x, mut last, mut total, mut t) = (0, 0, 0.0, 0.0);
            // A rate that underflows to 0 waits for ever.
            loop {
                t += standard_exponential(&mut stream) / rate;
                if t > f64::from(age) {
                    break;
                }
                if t.ceil() as u32 > last {
                    last = t.ceil() as u32;
                    x += 1;
                }
                total += purchase.draw(&mut stream) / level;
                if stream.uniform() < p {
                    break;
                }
            }
            (x, last, age, total)
        })
        .collect();
    let mut drawn = Drawn::default();
    for (x, recency, age, total) in rows {
        drawn.x.push(x);
        drawn.recency.push(recency);
        drawn.age.push(age);
        drawn.total.push(total);
    }
    drawn
}

#[test]
fn known_parameters_come_back_within_their_standard_errors() {
    let spend = GammaGamma { p: 6.0, q: 4.0, gamma: 15.0 };
    for model in [
        BgNbd { r: 0.25, alpha: 4.5, a: 0.8, b: 2.5 },
        BgNbd { r: 1.5, alpha: 12.0, a: 0.3, b: 4.0 },
        BgNbd { r: 0.6, alpha: 3.0, a: 2.0, b: 5.0 },
    ] {
        // 20,000 units a week, so that rounding to them is far below the standard errors.
        let drawn = draw(&model, &spend, 40_000, 1_200_000, 20_000.0);
        let mut summary = Summary::new();
        summary.insert(&drawn.x, &drawn.recency, &drawn.age).unwrap();
        let fit = BgNbd::fit(&summary, 20_000.0);
        assert_eq!(fit.end, FitEnd::Converged);
        let (found, errors) = (fit.fitted().unwrap(), fit.standard_errors.clone().unwrap());
        let pairs = [(found.r, model.r), (found.alpha, model.alpha), (found.a, model.a), (found.b, model.b)];
        for ((found, truth), error) in pairs.into_iter().zip(errors) {
            assert!((found - truth).abs() < STANDARD_ERRORS * error, "{model:?}: {found} is not {truth} ± {error}");
        }
        assert!(fit.gradient_norm < 1e-5 && fit.iterations < 40, "{} {}", fit.gradient_norm, fit.iterations);

        let fit = GammaGamma::fit(&drawn.x, &drawn.total);
        assert_eq!(fit.end, FitEnd::Converged);
        let (found, errors) = (fit.fitted().unwrap(), fit.standard_errors.clone().unwrap());
        let pairs = [(found.p, spend.p), (found.q, spend.q), (found.gamma, spend.gamma)];
        for ((found, truth), error) in pairs.into_iter().zip(errors) {
            assert!((found - truth).abs() < STANDARD_ERRORS * error, "{found} is not {truth} ± {error}");
        }
    }
}

#[test]
fn fits_and_predictions_have_the_same_bits_for_any_number_of_threads() {
    let model = BgNbd { r: 0.25, alpha: 4.5, a: 0.8, b: 2.5 };
    let drawn = draw(&model, &GammaGamma { p: 6.0, q: 4.0, gamma: 15.0 }, 30_000, 364, 7.0);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut summary = Summary::new();
            summary.insert(&drawn.x, &drawn.recency, &drawn.age).unwrap();
            let fit = BgNbd::fit(&summary, 7.0);
            let spend = GammaGamma::fit(&drawn.x, &drawn.total);
            let found = fit.fitted().unwrap().predict(&summary, 7.0, 52.0, 0.001).unwrap();
            let mut bits: Vec<u64> = found.p_alive.iter().map(|p| p.to_bits()).collect();
            bits.extend(found.residual.iter().map(|r| r.discounted_purchases.to_bits()));
            bits.extend(fit.standard_errors.clone().unwrap().iter().map(|e| e.to_bits()));
            let GammaGamma { p, q, gamma } = *spend.fitted().unwrap();
            bits.extend([p, q, gamma].map(f64::to_bits));
            bits
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(8));
}

#[test]
fn dropout_too_rare_to_be_measured_ends_at_the_model_without_dropout() {
    // The fit of a wholesaler's ledger (UCI Online Retail, purchase days with positive quantities, weeks), where half
    // a purchase in a thousand is a customer's last.
    let model = BgNbd { r: 0.826, alpha: 9.84, a: 0.003_44, b: 6.75 };
    let drawn = draw(&model, &GammaGamma { p: 2.1, q: 3.45, gamma: 485.0 }, 4_000, 373, 7.0);
    let mut summary = Summary::new();
    summary.insert(&drawn.x, &drawn.recency, &drawn.age).unwrap();
    let fit = BgNbd::fit(&summary, 7.0);
    assert_eq!(fit.end, FitEnd::Boundary { limit_models: vec![crate::forecast::fit::LimitModel::NoDropout] });
    assert!(fit.iterations < 60 && fit.log_likelihood.unwrap() < 0.0, "{fit:?}");
    let found = fit.fitted().unwrap().predict(&summary, 7.0, 52.0, 0.0).unwrap();
    let (mut expected, mut without_dropout) = (0.0, 0.0);
    let fitted = fit.fitted().unwrap();
    for ((history, weight), (alive, residual)) in summary.iter().zip(found.p_alive.iter().zip(&found.residual)) {
        expected += weight as f64 * alive * residual.purchases;
        let rate = (fitted.r + f64::from(history.frequency)) / (fitted.alpha + f64::from(history.age) / 7.0);
        without_dropout += weight as f64 * rate * 52.0;
    }
    assert!((expected / without_dropout - 1.0).abs() < 0.02, "{expected} is not near {without_dropout}");
}
