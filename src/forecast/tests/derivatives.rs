//! Analytic derivatives against central differences.

use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::gamma_gamma::GammaGamma;
use crate::forecast::summary::Summary;
use crate::numeric::newton::Evaluation;

const STEP: f64 = 1e-4;
/// Central differences of order two carry an error of `STEP²/6` times the third derivative.
const RELATIVE: f64 = 3e-7;

pub(super) fn agree<const N: usize>(at: [f64; N], evaluate: impl Fn(&[f64; N]) -> Evaluation<N>) {
    let here = evaluate(&at);
    let scale = here.value.abs();
    for i in 0..N {
        let shifted = |by: f64| {
            let mut point = at;
            point[i] += by;
            evaluate(&point)
        };
        let (up, down) = (shifted(STEP), shifted(-STEP));
        let slope = (up.value - down.value) / (2.0 * STEP);
        assert!((slope - here.gradient[i]).abs() < RELATIVE * scale, "{i}: {slope} is not {}", here.gradient[i]);
        for j in 0..N {
            let bend = (up.gradient[j] - down.gradient[j]) / (2.0 * STEP);
            let found = here.hessian[i][j];
            assert!((bend - found).abs() < RELATIVE * scale, "{i}, {j}: {bend} is not {found}");
            assert_eq!(found.to_bits(), here.hessian[j][i].to_bits());
        }
    }
}

#[test]
fn bg_nbd_derivatives_are_those_of_its_likelihood() {
    let mut summary = Summary::new();
    let x = [0, 0, 1, 1, 2, 3, 7, 40, 600];
    let recency = [0, 0, 1, 200, 30, 250, 250, 100, 900];
    let age = [0, 250, 250, 200, 260, 251, 270, 260, 1000];
    summary.insert(&x, &recency, &age).unwrap();
    for at in [[-1.4, 1.5, -0.2, 0.9], [1.0, 3.0, -6.0, 2.0], [0.5, -1.0, 3.0, -2.0]] {
        agree(at, |ln| BgNbd::evaluation(&summary, 7.0, ln));
    }
}

#[test]
fn gamma_gamma_derivatives_are_those_of_its_likelihood() {
    let x = [1, 1, 2, 3, 12, 700];
    let total = [3.0, 90.0, 50.5, 200.0, 111.0, 9000.0];
    for at in [[1.8, 1.3, 2.7], [-1.0, 0.1, 5.0], [3.0, 4.0, 4.0]] {
        agree(at, |ln| GammaGamma::evaluation(&x, &total, ln));
    }
}
