//! Distributions of purchases in a holdout, and the cut itself.

use crate::forecast::bg_cnbd_k::{BgCnbdK, FirstDropout};
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::histories::Histories;
use crate::forecast::holdout::Holdout;
use crate::forecast::mbg_nbd::MbgNbd;
use crate::forecast::observed::rank;
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::purchase_model::PurchaseModel;
use crate::numeric::quadrature::Rule;
use crate::schema::purchases::PurchaseLog;
use crate::schema::settings::PurchaseKind;

/// What the distributions of the models without an integral promise, and that of Pareto/NBD.
const SUMMED: f64 = 1e-9;

fn models() -> Vec<PurchaseModel> {
    let regular = |k, dropout, r, alpha, a, b| PurchaseModel::BgCnbdK(BgCnbdK { k, dropout, r, alpha, a, b });
    vec![
        BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 }.into(),
        BgNbd { r: 60.0, alpha: 100.0, a: 0.5, b: 0.2 }.into(),
        MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 }.into(),
        ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.6061, beta: 11.6562 }.into(),
        ParetoNbd { r: 2.0, alpha: 3.0, s: 3.0, beta: 0.5 }.into(),
        ParetoNbd { r: 60.0, alpha: 100.0, s: 0.2, beta: 0.2 }.into(),
        ParetoNbd { r: 5.0, alpha: 20.0, s: 40.0, beta: 900.0 }.into(),
        regular(1, FirstDropout::AfterFirst, 0.525, 6.183, 0.891, 1.614),
        regular(3, FirstDropout::AfterRepeat, 0.6, 5.0, 0.8, 2.6),
        regular(12, FirstDropout::AfterFirst, 60.0, 20.0, 0.5, 0.2),
    ]
}

#[test]
fn probabilities_of_purchases_sum_to_one_and_have_the_expected_mean() {
    for model in models() {
        for (x, t_x, age) in
            [(0.0, 0.0, 39.0), (0.0, 0.0, 0.0), (2.0, 30.43, 38.86), (26.0, 30.857, 31.0), (7.0, 7.0, 7.0)]
        {
            for horizon in [0.5, 39.0, 200.0] {
                let found = model.purchase_probabilities(x, t_x, age, horizon);
                let sum: f64 = found.iter().sum();
                assert!((sum - 1.0).abs() < SUMMED, "{model:?} {x} {age} {horizon}: {sum}");
                let mean: f64 = found.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
                let expected = model.purchases_while_alive(x, t_x, age, horizon).unwrap();
                assert!(
                    (mean - expected).abs() < SUMMED * expected.max(1.0),
                    "{model:?} {x} {age} {horizon}: {mean} {expected}"
                );
            }
        }
    }
}

#[test]
fn the_residual_of_regular_purchases_is_that_of_a_fine_quadrature_and_with_one_phase_that_of_mbg_nbd() {
    let plain = MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 };
    let one = BgCnbdK { k: 1, dropout: FirstDropout::AfterFirst, r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 };
    let (left, right) = (plain.residual(2.0, 38.86, 52.0, 0.002).unwrap(), one.residual(2, 30.43, 38.86, 52.0, 0.002));
    for (found, expected) in [
        (right.purchases, left.purchases),
        (right.discounted_purchases, left.discounted_purchases),
        (right.discounted_alive_time, left.discounted_alive_time),
    ] {
        assert!((found / expected - 1.0).abs() < 1e-10, "{found} {expected}");
    }
    // Steps of regular purchases: Gauss–Legendre on panels of a twentieth of a week.
    let rule = Rule::<8>::legendre();
    for (k, r, alpha, x) in [(12, 60.0, 20.0, 5), (6, 3.0, 2.0, 0), (3, 0.6, 5.0, 20)] {
        let model = BgCnbdK { k, dropout: FirstDropout::AfterRepeat, r, alpha, a: 0.5, b: 1.2 };
        let (t_x, age, horizon, delta) = (if x == 0 { 0.0 } else { 30.0 }, 31.0, 26.0, 0.01);
        let found = model.residual(x, t_x, age, horizon, delta);
        let (mut discounted, mut panels) = (libm::exp(-delta * horizon) * found.purchases, 0);
        while panels < 520 {
            for (u, weight) in rule.on(f64::from(panels) / 20.0, f64::from(panels + 1) / 20.0) {
                discounted += weight * delta * libm::exp(-delta * u) * model.residual_purchases(x, t_x, age, u);
            }
            panels += 1;
        }
        assert!((found.discounted_purchases / discounted - 1.0).abs() < 1e-7, "{k}: {found:?} {discounted}");
    }
}

/// Three customers: days 0, 4, 30 and 35; day 10; day 25 alone.
fn log() -> PurchaseLog {
    PurchaseLog { first: vec![0, 4, 5, 6], day: vec![0, 4, 30, 35, 10, 25], squares: vec![0.0; 3] }
}

#[test]
fn a_cut_leaves_out_whoever_came_after_it_and_counts_only_what_came_after() {
    let holdout = Holdout::new(&log(), 36, 16, 7.0).unwrap().observed;
    assert_eq!((holdout.cut, holdout.customers(), holdout.actual.as_slice()), (20, 2, [2, 0].as_slice()));
    // Day 30 is in the second week after day 20, day 35 in the third, which has two days.
    assert_eq!(
        holdout.steps.iter().map(|step| (step.day, step.actual)).collect::<Vec<_>>(),
        [(27, 0), (34, 1), (36, 2)]
    );
    let histories = Histories::up_to(&log(), 20);
    assert_eq!((histories.frequency.as_slice(), histories.recency.as_slice()), ([1, 0].as_slice(), [4, 0].as_slice()));
    assert_eq!(histories.age, [20, 10]);
    assert_eq!(histories.ln_gaps(&log()), [4.0_f64.ln(), 0.0]);
    assert_eq!(Histories::up_to(&log(), 34).ln_gaps(&log())[0], 4.0_f64.ln() + 26.0_f64.ln());
    let early = Holdout::new(&log(), 36, 37, 7.0).unwrap_err().to_string();
    assert_eq!(early, "forecast: no customer has a purchase before the holdout; make it shorter");
}

#[test]
fn baselines_are_those_of_a_worked_example() {
    let holdout = Holdout::new(&log(), 36, 16, 7.0).unwrap();
    let found = holdout.baselines().unwrap();
    let expected = |method: &str| {
        let row = found.iter().find(|row| row.method == method).unwrap();
        row.outcome.as_ref().unwrap().expected.clone()
    };
    // One repeat purchase on day 4: before the last 16 days (5 to 20), so the last period has none.
    assert_eq!(expected("last_period"), [0.0, 0.0]);
    // One in 20 days, 16 to come.
    assert_eq!(expected("mean_of_past"), [0.8, 0.0]);
    // Periods of four days: nobody bought from day 13 to 16, so nothing says that anybody is kept.
    assert_eq!(expected("retention_formula"), [0.0, 0.0]);
}

#[test]
fn a_failed_fit_is_never_chosen() {
    // Nobody bought again before the cut.
    let log = PurchaseLog { first: vec![0, 2, 4], day: vec![0, 30, 10, 32], squares: vec![0.0; 2] };
    let holdout = Holdout::new(&log, 36, 16, 7.0).unwrap();
    let tried: Vec<_> = PurchaseKind::ALL.into_iter().map(|kind| holdout.model(kind, None).unwrap()).collect();
    assert!(tried.iter().all(|row| row.outcome.is_none() && !row.usable() && row.crps().is_none()));
    assert!(rank(&tried).is_empty());
}

#[test]
fn spend_that_rises_with_frequency_is_told() {
    use crate::forecast::known_spend::{check_spend, fit_spend};
    let notes = |rising: f64| {
        let n = 300_u32;
        let frequency: Vec<u32> = (0..n).map(|i| i % 10).collect();
        let spend = |i: u32, x: u32| f64::from(x) * (20.0 + rising * f64::from(x) + f64::from(i * 7_919 % 101) / 10.0);
        let total: Vec<f64> = (0..n).zip(&frequency).map(|(i, x)| spend(i, *x)).collect();
        let histories = Histories { frequency, customer: (0..n).collect(), ..Histories::default() };
        let mut fit = fit_spend(crate::schema::forecasting::SpendKind::GammaGamma, &histories, &total, &[]);
        check_spend(&mut fit, &histories, &total);
        fit.notes.into_iter().filter(|note| note.contains("frequent buyers")).collect::<Vec<_>>()
    };
    assert!(notes(0.0).is_empty(), "{:?}", notes(0.0));
    assert!(
        notes(2.0)[0].starts_with("frequent buyers spend more on a purchase (rank correlation 0."),
        "{:?}",
        notes(2.0)
    );
    assert!(notes(-1.5)[0].starts_with("frequent buyers spend less"), "{:?}", notes(-1.5));
}
