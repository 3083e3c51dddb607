//! Known effects come back from customers drawn with them.

use super::{levels, numbers};
use crate::forecast::covariates::{Wanted, fit};
use crate::forecast::fit::FitEnd;
use crate::numeric::distributions::{Beta, Gamma, standard_exponential, standard_normal};
use crate::numeric::philox::Stream;
use crate::schema::settings::PurchaseKind;
use rayon::prelude::*;

const CUSTOMERS: u64 = 40_000;
/// Days a model time unit: rounding to days is far below the standard errors.
const PER_UNIT: f64 = 20_000.0;
/// An estimate leaves this many standard errors once in 16,000 times.
const STANDARD_ERRORS: f64 = 4.0;

/// One effect of the number and one of level `b` against `a`, on each moved parameter.
struct Truth {
    kind: PurchaseKind,
    base: [f64; 4],
    rate: [f64; 2],
    dropout: [[f64; 2]; 2],
}

/// Frequency, recency, age, number, level.
fn customer(truth: &Truth, customer: u64) -> (u32, u32, u32, f64, &'static str) {
    let mut stream = Stream::new(77, customer, 5);
    let number = 40.0 + 12.0 * standard_normal(&mut stream);
    let level = if stream.uniform() < 0.3 { "b" } else { "a" };
    let moved =
        |[by_number, by_level]: [f64; 2]| by_number * (number - 40.0) + if level == "b" { by_level } else { 0.0 };
    let [r, alpha, third, fourth] = truth.base;
    let alpha = alpha * (-moved(truth.rate)).exp();
    let longest = 1_200_000;
    let age = longest - stream.below(u64::from(longest) / 3) as u32;
    let rate = Gamma::new(r).draw(&mut stream) / alpha / PER_UNIT;
    let (mut x, mut last, mut t) = (0, 0, 0.0);
    let pareto = truth.kind == PurchaseKind::ParetoNbd;
    let (mut end, mut leaves) = (f64::from(age), 0.0);
    if pareto {
        let beta = fourth * (-moved(truth.dropout[0])).exp();
        let dropout = Gamma::new(third).draw(&mut stream) / beta / PER_UNIT;
        end = end.min(standard_exponential(&mut stream) / dropout);
    } else {
        let (a, b) = (third * moved(truth.dropout[0]).exp(), fourth * moved(truth.dropout[1]).exp());
        leaves = Beta::new(a, b).draw(&mut stream);
    }
    let mut stays = truth.kind != PurchaseKind::MbgNbd || stream.uniform() >= leaves;
    while stays {
        t += standard_exponential(&mut stream) / rate;
        if t > end {
            break;
        }
        if t.ceil() as u32 > last {
            last = t.ceil() as u32;
            x += 1;
        }
        stays = pareto || stream.uniform() >= leaves;
    }
    (x, last.min(age), age, number, level)
}

#[test]
fn known_effects_come_back_within_their_standard_errors() {
    for truth in [
        Truth {
            kind: PurchaseKind::ParetoNbd,
            base: [0.55, 10.5, 0.6, 11.6],
            rate: [0.03, -0.5],
            dropout: [[-0.02, 0.8], [0.0; 2]],
        },
        Truth {
            kind: PurchaseKind::BgNbd,
            base: [0.6, 4.5, 0.8, 2.5],
            rate: [0.02, 0.4],
            dropout: [[0.01, 0.5], [-0.01, -0.3]],
        },
        Truth {
            kind: PurchaseKind::MbgNbd,
            base: [0.6, 6.0, 0.9, 2.2],
            rate: [-0.02, 0.3],
            dropout: [[0.01, -0.4], [0.02, 0.2]],
        },
    ] {
        let drawn: Vec<_> = (0..CUSTOMERS).into_par_iter().map(|number| customer(&truth, number)).collect();
        let column =
            |pick: fn(&(u32, u32, u32, f64, &'static str)) -> u32| -> Vec<u32> { drawn.iter().map(pick).collect() };
        let level: Vec<&str> = drawn.iter().map(|row| row.4).collect();
        let covariates = [numbers("number", drawn.iter().map(|row| row.3).collect()), levels("level", &level)];
        let wanted = Wanted { rate: &[0, 1], dropout: &[0, 1] };
        let rows = [column(|row| row.0), column(|row| row.1), column(|row| row.2)];
        let found = fit(truth.kind, [&rows[0], &rows[1], &rows[2]], &covariates, wanted, PER_UNIT).unwrap();
        assert_eq!(found.fit.end, FitEnd::Converged, "{:?}", found.fit.notes);
        let model = found.fit.fitted().unwrap();
        let mut expected: Vec<f64> = truth.base.to_vec();
        expected.extend(truth.rate);
        expected.extend(truth.dropout[0]);
        if truth.kind != PurchaseKind::ParetoNbd {
            expected.extend(truth.dropout[1]);
        }
        let coefficients = model.effects.iter().map(|effect| effect.coefficient);
        let parameters: Vec<f64> = model.base.parameters().into_iter().chain(coefficients).collect();
        let errors = found.fit.standard_errors.as_ref().unwrap();
        for (i, ((found, truth), error)) in parameters.iter().zip(&expected).zip(errors).enumerate() {
            assert!((found - truth).abs() < STANDARD_ERRORS * error, "{i}: {found} is not {truth} ± {error}");
            // Not only because nothing is known.
            assert!(i < 4 || *error < 0.2, "{i}: ± {error}");
        }
        assert!(found.likelihood_ratio().unwrap().p_value < 1e-9);
        assert!(found.fit.iterations < 30, "{}", found.fit.iterations);
    }
}
