//! Extreme ledgers: every model gives finite numbers or a named error.

use crate::forecast::fit::{Fit, FitEnd};
use crate::forecast::gamma_gamma::GammaGamma;
use crate::forecast::histories::Histories;
use crate::forecast::lifetime::{Customers, Spend};
use crate::forecast::normal_spend::NormalSpend;
use crate::forecast::population::Population;
use crate::forecast::purchase_model::PurchaseModel;
use crate::forecast::simulate::{Settings, simulate};
use crate::forecast::summary::{History, Summary};
use crate::numeric::discounting::Timing;
use crate::schema::settings::PurchaseKind;

/// Frequency, recency, age.
type Row = (u32, u32, u32);

/// Ledgers with the days of their time unit.
fn ledgers() -> Vec<(&'static str, f64, Vec<Row>)> {
    let varied: [Row; 6] = [(0, 0, 200), (1, 90, 364), (3, 100, 300), (0, 0, 20), (7, 200, 210), (2, 350, 364)];
    let with = |more: &[Row]| [varied.repeat(5).as_slice(), more].concat();
    vec![
        ("ten thousand purchases", 7.0, with(&[(10_000, 10_000, 10_001), (9_000, 10_900, 10_957)])),
        // Ages in hours, in units of a week.
        ("ages of hours", 168.0, vec![(0, 0, 1), (1, 1, 2), (0, 0, 3), (2, 4, 5), (1, 2, 9), (0, 0, 7)]),
        (
            "ages of hours and of years",
            168.0,
            vec![(0, 0, 1), (1, 1, 2), (5, 200_000, 260_000), (300, 90_000, 263_000)],
        ),
        ("thirty years", 7.0, vec![(0, 0, 10_957), (1, 3, 10_957), (40, 10_000, 10_957), (2, 9_000, 9_001), (0, 0, 5)]),
        (
            "thirty years in days",
            1.0,
            vec![(0, 0, 10_957), (1, 3, 10_957), (40, 10_000, 10_957), (9_000, 9_000, 9_001)],
        ),
        ("one customer", 7.0, vec![(4, 90, 200)]),
        ("one customer who bought once", 7.0, vec![(0, 0, 200)]),
        ("all one-timers", 7.0, (1..300).map(|age| (0, 0, age)).collect()),
        ("equal rows", 7.0, vec![(3, 100, 200); 50]),
        ("equal rows, silent for long", 7.0, vec![(1, 1, 3_000); 50]),
        ("equal rows, bought today", 7.0, vec![(9, 200, 200); 50]),
        ("a purchase every day", 7.0, (1..60).map(|age| (age, age, age)).collect()),
        ("first purchase today", 7.0, vec![(0, 0, 0); 20]),
    ]
}

fn summary(rows: &[Row]) -> Summary {
    let column = |of: fn(&Row) -> u32| -> Vec<u32> { rows.iter().map(of).collect() };
    let mut summary = Summary::new();
    summary.insert(&column(|row| row.0), &column(|row| row.1), &column(|row| row.2)).unwrap();
    summary
}

/// The parameters, or `None` after a failure that says why.
fn told<P: Copy>(what: &str, fit: &Fit<P>) -> Option<P> {
    if let FitEnd::Failed { why } = &fit.end {
        assert!(why.contains(' ') && fit.fitted().is_err(), "{what}: {why}");
        return None;
    }
    assert!(fit.log_likelihood.is_some_and(f64::is_finite), "{what}: {:?}", fit.log_likelihood);
    let errors = fit.standard_errors.iter().flatten();
    assert!(errors.clone().all(|error| error.is_finite() && *error > 0.0), "{what}: {:?}", fit.standard_errors);
    Some(*fit.fitted().unwrap())
}

#[track_caller]
fn sound(what: &str, name: &str, value: f64, highest: f64) {
    assert!(value.is_finite() && (0.0..=highest).contains(&value), "{what}: {name} is {value}");
}

#[test]
fn every_purchase_model_gives_finite_numbers_or_says_why_not() {
    let mut fitted = 0;
    for (name, days, rows) in ledgers() {
        let summary = summary(&rows);
        let ln_gaps: Vec<f64> = rows
            .iter()
            .map(|row| f64::from(row.0) * libm::log(f64::from(row.1.max(1)) / f64::from(row.0.max(1))))
            .collect();
        for kind in PurchaseKind::ALL {
            let what = format!("{name}, {}", kind.as_str());
            let fit = PurchaseModel::fit(kind, &summary, &ln_gaps, days);
            let Some(model) = told(&what, &fit) else { continue };
            fitted += 1;
            assert!(model.parameters().iter().all(|value| value.is_finite() && *value > 0.0), "{what}: {model:?}");
            let (horizon, delta) = (52.0, 0.002);
            let found = model.predict(&summary, days, horizon, delta).unwrap();
            let of = |column: fn(&History) -> u32| -> Vec<u32> { summary.iter().map(|(h, _)| column(&h)).collect() };
            let histories = Histories {
                customer: (0..summary.len() as u32).collect(),
                frequency: of(|h| h.frequency),
                recency: of(|h| h.recency),
                age: of(|h| h.age),
            };
            let outlooks =
                Population::from(model).outlooks(&histories, &found.p_alive, days, (horizon, 36_525.0 / days)).unwrap();
            for (i, (history, _)) in summary.iter().enumerate() {
                let what = format!("{what} {history:?} {model:?}");
                let (x, t_x, age) =
                    (f64::from(history.frequency), f64::from(history.recency) / days, f64::from(history.age) / days);
                sound(&what, "P(alive)", found.p_alive[i], 1.0);
                sound(&what, "purchases", found.residual[i].purchases, f64::MAX);
                sound(&what, "discounted purchases", found.residual[i].discounted_purchases, f64::MAX);
                sound(&what, "time alive", found.residual[i].discounted_alive_time, horizon);
                sound(&what, "P(alive) at the horizon", outlooks[i].p_alive_at_horizon, 1.0);
                sound(&what, "P(purchase)", outlooks[i].probability_of_purchase, 1.0);
                sound(&what, "median wait", outlooks[i].median_wait.unwrap_or(0.0), 36_525.0 / days);
                // At parameters without an end a sum for ever takes seconds: two customers tell enough.
                if i > 1 {
                    continue;
                }
                match model.discounted_purchases_for_ever(x, t_x, age, delta) {
                    Ok(value) => sound(&what, "discounted purchases for ever", value, f64::MAX),
                    Err(error) => assert!(error.to_string().contains("did not converge"), "{what}: {error}"),
                }
            }
        }
    }
    assert!(fitted > 30, "{fitted}");
}

#[test]
fn every_spend_model_gives_finite_numbers_or_says_why_not() {
    let spends: [(&str, Vec<u32>, Vec<f64>); 7] = [
        ("one customer", vec![4], vec![80.0]),
        ("nobody came back", vec![0; 9], vec![0.0; 9]),
        ("equal rows", vec![2; 30], vec![50.0; 30]),
        ("ten thousand purchases", vec![10_000, 1, 3, 2, 1], vec![1e6, 5.0, 100.0, 3.0, 40.0]),
        ("a cent and a billion", vec![1, 2, 3, 1, 9], vec![0.01, 1e9, 3.0, 1e-2, 1e7]),
        ("returned", vec![1, 2, 3, 4], vec![-5.0, 0.0, -9.0, 40.0]),
        ("lost on all", vec![1, 2, 3, 4], vec![-5.0, -7.0, -9.0, -40.0]),
    ];
    for (name, x, total) in spends {
        if let Some(model) = told(name, &GammaGamma::fit(&x, &total)) {
            for (x, total) in x.iter().zip(&total).filter(|(x, total)| **x > 0 && **total > 0.0) {
                let mean = model.conditional_mean(f64::from(*x), *total);
                assert!(mean > 0.0 && (mean.is_finite() || model.q + model.p * f64::from(*x) <= 1.0), "{name}: {mean}");
            }
        }
        let squares: Vec<f64> = x.iter().zip(&total).map(|(x, total)| f64::from(x - x.min(&1)) * total.abs()).collect();
        if let Some(model) = told(name, &NormalSpend::fit(&x, &total, &squares)) {
            for (x, total) in x.iter().zip(&total) {
                let found = model.posterior(f64::from(*x), *total);
                assert!(
                    found.mean.is_finite() && found.sd.is_finite() && found.sd >= 0.0,
                    "{name}: {model:?} {found:?}"
                );
            }
        }
    }
}

#[test]
fn simulated_values_of_extreme_customers_are_finite() {
    for (name, days, rows) in ledgers() {
        let summary = summary(&rows);
        for kind in PurchaseKind::ALL {
            let ln_gaps = vec![0.0; rows.len()];
            let fit = PurchaseModel::fit(kind, &summary, &ln_gaps, days);
            let Ok(model) = fit.fitted().copied() else { continue };
            let rows: Vec<Row> = summary.iter().map(|(h, _)| (h.frequency, h.recency, h.age)).take(12).collect();
            let n = rows.len();
            let time = |of: fn(&Row) -> u32| -> Vec<f64> { rows.iter().map(|row| f64::from(of(row)) / days).collect() };
            let (recency, age) = (time(|row| row.1), time(|row| row.2));
            let frequency: Vec<u32> = rows.iter().map(|row| row.0).collect();
            let p_alive: Vec<f64> =
                (0..n).map(|i| model.p_alive(f64::from(frequency[i]), recency[i], age[i])).collect();
            let customers = Customers {
                frequency: &frequency,
                recency: &recency,
                age: &age,
                p_alive: &p_alive,
                spend: Spend::Fixed(&vec![10.0; n]),
                margin_rate: &vec![0.4; n],
                order_cost: &vec![1.0; n],
                sustaining_rate: &vec![0.01; n],
                key: &(0..n as u64).collect::<Vec<u64>>(),
            };
            let settings = Settings {
                model: model.into(),
                horizon: 52.0,
                timing: Timing { delta: 0.002, period: None },
                paths: 64,
                seed: 1,
                quantiles: vec![0.5],
                worst_one_in: 20,
                minor_per_major: 100.0,
                waits: false,
                parameter_draws: vec![],
            };
            let found = simulate(&settings, &customers, &[], &|_| {}).unwrap();
            for lifetime in &found.lifetime {
                let numbers = [lifetime.mean, lifetime.sd, lifetime.mean_error, lifetime.shortfall];
                assert!(numbers.iter().all(|value| value.is_finite()), "{name}, {}: {lifetime:?}", kind.as_str());
            }
        }
    }
}
