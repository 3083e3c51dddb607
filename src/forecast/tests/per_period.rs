//! Calendar conventions: continuous discounting and discounting at the end of days, weeks, months and years.

use super::cdnow::{WEEK, sample};
use crate::forecast::bg_cnbd_k::{BgCnbdK, FirstDropout};
use crate::forecast::bg_nbd::BgNbd;
use crate::forecast::histories::Histories;
use crate::forecast::mbg_nbd::MbgNbd;
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::population::Population;
use crate::forecast::purchase_model::PurchaseModel;
use crate::numeric::discounting::Periods;

/// Sums by another program's hypergeometric functions and quadrature.
const INDEPENDENT: f64 = 1e-10;
/// Quadrature of regular models promises this.
const OF_REGULAR: f64 = 1e-7;

const BG: BgNbd = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };

#[test]
fn five_conventions_give_the_sample_the_sums_of_an_independent_program() {
    // scipy 1.x, hyp2f1 in equation 10 of Fader, Hardie & Lee (2005) for M(t), at the parameters of REFERENCE: 10 % a
    // year, effective, over 39 weeks. Continuous: e^{−δH} M(H) + δ ∫ e^{−δu} M(u) du, 200 nodes of Gauss–Legendre. By
    // periods: Σ 1.1^{−kP} (M(kP) − M((k−1)P)); a month is 365.25/12 days.
    let sample = sample();
    let histories = Histories {
        customer: (0..sample.x.len() as u32).collect(),
        frequency: sample.x,
        recency: sample.recency,
        age: sample.age,
    };
    let delta = libm::log(1.1) * WEEK / 365.25;
    let (model, n) = (PurchaseModel::from(BG), histories.frequency.len());
    let time = |days: u32| f64::from(days) / WEEK;
    let history = |i: usize| (f64::from(histories.frequency[i]), time(histories.recency[i]), time(histories.age[i]));
    let sum = |of: &dyn Fn(usize) -> f64| -> f64 {
        let of = |i: usize| {
            let (x, t_x, age) = history(i);
            model.p_alive(x, t_x, age) * of(i)
        };
        (0..n).map(of).sum()
    };
    let close = |found: f64, expected: f64| {
        assert!((found / expected - 1.0).abs() < INDEPENDENT, "{found} is not {expected}");
    };
    let continuous = |i: usize| {
        let (x, t_x, age) = history(i);
        model.residual(x, t_x, age, 39.0, delta).unwrap().discounted_purchases
    };
    close(sum(&continuous), 1_600.179_359_243_897);
    for (days, expected) in [
        (1.0, 1_599.970_536_549_470_8),
        (7.0, 1_598.715_785_854_090_9),
        (365.25 / 12.0, 1_593.767_821_702_070_5),
        (365.25, 1_503.582_963_012_134),
    ] {
        let periods = Periods { length: days / WEEK, delta };
        let found = Population::from(model).residuals_per_period(&histories, WEEK, 39.0, periods).unwrap();
        close(sum(&|i| found[i].discounted_purchases), expected);
        // Purchases themselves are not discounted (REFERENCE: 1,653.94126).
        close(sum(&|i| found[i].purchases), 1_653.941_259_313_347_5);
    }
}

/// Sums of 320 years by mpmath with 30 digits, and what the parameters' own rule promises.
const FOR_EVER: f64 = 1e-9;

#[test]
fn purchases_for_ever_count_at_the_ends_of_their_years() {
    // mpmath 1.3, Σ 1.1^{−k} (M(k) − M(k−1)) over 320 years at 10 %, with ₂F₁ in equation 10 of Fader, Hardie & Lee (2005), `b + 1`
    // for MBG/NBD, and the conditional expectation of Fader & Hardie (2005) for Pareto/NBD; of customers who are alive.
    let year = 365.25 / WEEK;
    let periods = Periods { length: year, delta: libm::log(1.1) / year };
    let models: [PurchaseModel; 3] = [
        BG.into(),
        MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 }.into(),
        ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.6061, beta: 11.6562 }.into(),
    ];
    for ((x, t_x, age), expected) in [
        ((0.0, 0.0, 0.0), [4.149_925_141_886_731, 5.672_329_052_577_244, 4.580_637_366_535_199]),
        ((0.0, 0.0, 39.0), [1.238_996_280_346_554, 2.213_082_028_135_435, 1.936_405_838_465_806]),
        ((2.0, 30.43, 38.86), [8.344_401_560_354_437, 8.045_458_532_459_944, 8.949_468_802_912_44]),
        ((26.0, 30.0, 31.0), [83.706_547_864_818_28, 71.541_773_652_78, 102.941_415_623_457_4]),
    ] {
        for (model, expected) in models.iter().zip(expected) {
            let found = model.residual_for_ever_per_period(x, t_x, age, periods).unwrap();
            assert!((found / expected - 1.0).abs() < FOR_EVER, "{model:?} {x} {age}: {found} is not {expected}");
        }
    }
}

#[test]
fn periods_for_ever_are_the_end_of_periods_to_a_horizon_and_of_ever_shorter_ones() {
    let regular = |k, dropout| PurchaseModel::BgCnbdK(BgCnbdK { k, dropout, r: 0.9, alpha: 3.0, a: 0.8, b: 2.4 });
    let models: [PurchaseModel; 8] = [
        BG.into(),
        // What is at the ends of the dropout probability, and hardly any spread of it.
        BgNbd { a: 0.003_44, b: 6.7, ..BG }.into(),
        BgNbd { a: 0.1, b: 0.05, ..BG }.into(),
        BgNbd { a: 4e4, b: 1e5, ..BG }.into(),
        ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.02, beta: 11.6562 }.into(),
        regular(1, FirstDropout::AfterFirst),
        regular(3, FirstDropout::AfterRepeat),
        regular(7, FirstDropout::AfterFirst),
    ];
    for model in models {
        for (x, t_x, age) in [(0.0, 0.0, 0.0), (2.0, 30.43, 38.86), (26.0, 30.0, 31.0)] {
            let delta = 0.05;
            for length in [1.0, 4.3, 52.0] {
                let periods = Periods { length, delta };
                let found = model.residual_for_ever_per_period(x, t_x, age, periods).unwrap();
                let far = model.residual_per_period(x, t_x, age, length * (600.0 / length).ceil(), periods).unwrap();
                let off = found / far.discounted_purchases - 1.0;
                assert!(off.abs() < OF_REGULAR, "{model:?} {x} {age} {length}: {off}");
            }
            // Half a period more of discount is what hardly any period costs.
            let at_once = model.residual_for_ever(x, t_x, age, delta).unwrap();
            let shortly = model.residual_for_ever_per_period(x, t_x, age, Periods { length: 1e-3, delta }).unwrap();
            let off = shortly / at_once - libm::exp(-0.5e-3 * delta);
            assert!(off.abs() < 1e-8, "{model:?} {x} {age}: {off}");
        }
    }
}

#[test]
fn a_period_counts_at_its_end_under_every_model() {
    let regular = |k, dropout| PurchaseModel::BgCnbdK(BgCnbdK { k, dropout, r: 0.9, alpha: 3.0, a: 0.8, b: 2.4 });
    let models: [PurchaseModel; 5] = [
        BG.into(),
        MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 }.into(),
        ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.6061, beta: 11.6562 }.into(),
        regular(1, FirstDropout::AfterFirst),
        regular(3, FirstDropout::AfterRepeat),
    ];
    for model in models {
        for (x, t_x, age) in [(0.0, 0.0, 0.0), (0.0, 0.0, 39.0), (2.0, 30.43, 38.86), (26.0, 30.0, 31.0)] {
            for (horizon, length, delta) in
                [(39.0, 4.3, 0.02), (40.0, 4.0, 0.02), (39.0, 52.0, 0.002), (500.0, 13.0, 0.01), (200.0, 0.7, 0.01)]
            {
                let found = model.residual_per_period(x, t_x, age, horizon, Periods { length, delta }).unwrap();
                let (mut made, mut alive) = (0.0, 0.0);
                let (mut before, mut k, mut end) = ((0.0, 0.0), 1, 0.0);
                while end < horizon {
                    end = horizon.min(length * f64::from(k));
                    let by = model.residual(x, t_x, age, end, 0.0).unwrap();
                    let factor = libm::exp(-delta * length * f64::from(k));
                    made += factor * (by.purchases - before.0);
                    alive += factor * (by.discounted_alive_time - before.1);
                    (before, k) = ((by.purchases, by.discounted_alive_time), k + 1);
                }
                let what = format!("{model:?} {x} {age} {horizon} {length}");
                assert!((found.purchases / before.0 - 1.0).abs() < OF_REGULAR, "{what}");
                assert!((found.discounted_purchases / made - 1.0).abs() < OF_REGULAR, "{what}: {found:?} {made}");
                assert!((found.discounted_alive_time / alive - 1.0).abs() < OF_REGULAR, "{what}: {found:?} {alive}");
            }
        }
    }
}
