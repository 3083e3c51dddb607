//! The simulation against the closed form, and its laws.

use crate::forecast::bg_cnbd_k::{BgCnbdK, FirstDropout};
use crate::forecast::bg_nbd::{BgNbd, Residual};
use crate::forecast::gamma_gamma::{GammaGamma, SpendRate};
use crate::forecast::lifetime::{Customers, LifetimeError, Spend, expected};
use crate::forecast::mbg_nbd::MbgNbd;
use crate::forecast::normal_spend::NormalSpend;
use crate::forecast::pareto_nbd::ParetoNbd;
use crate::forecast::population::Population;
use crate::forecast::purchase_model::PurchaseModel;
use crate::forecast::simulate::{self, Lifetime, ParameterDraw, Segmentation, Settings, Simulation};
use crate::numeric::discounting::{Periods, Timing};

/// Simulates with nobody watching.
pub(super) fn simulate(
    settings: &Settings,
    customers: &Customers<'_>,
    segmentations: &[Segmentation<'_>],
) -> Result<Simulation, LifetimeError> {
    simulate::simulate(settings, customers, segmentations, &|_| {})
}

/// A mean of many paths leaves this many standard errors once in 16,000 times.
const STANDARD_ERRORS: f64 = 4.0;

/// Columns of a small company.
pub(super) struct Company {
    frequency: Vec<u32>,
    recency: Vec<f64>,
    age: Vec<f64>,
    p_alive: Vec<f64>,
    amount: Vec<f64>,
    posterior: Vec<SpendRate>,
    margin_rate: Vec<f64>,
    order_cost: Vec<f64>,
    sustaining_rate: Vec<f64>,
    key: Vec<u64>,
}

impl Company {
    pub(super) fn new(model: impl Into<PurchaseModel>, spend: &GammaGamma, n: u32) -> Self {
        let model = model.into();
        let frequency: Vec<u32> = (0..n).map(|i| [0, 1, 2, 5, 0, 30][i as usize % 6]).collect();
        let age: Vec<f64> = (0..n).map(|i| f64::from(5 + i % 35)).collect();
        let recency = |i: usize| if frequency[i] == 0 { 0.0 } else { age[i] * [0.95, 0.4, 1.0][i % 3] };
        let rows = || 0..n as usize;
        Self {
            p_alive: rows().map(|i| model.p_alive(f64::from(frequency[i]), recency(i), age[i])).collect(),
            amount: rows().map(|i| 10.0 + i as f64).collect(),
            posterior: rows()
                .map(|i| spend.posterior(f64::from(frequency[i]), f64::from(frequency[i]) * (20.0 + i as f64)))
                .collect(),
            margin_rate: rows().map(|i| 0.2 + 0.01 * (i % 40) as f64).collect(),
            order_cost: rows().map(|i| (i % 7) as f64).collect(),
            sustaining_rate: rows().map(|i| [0.0, 0.3][i % 2]).collect(),
            key: rows().map(|i| 77 + i as u64).collect(),
            recency: rows().map(recency).collect(),
            frequency,
            age,
        }
    }

    pub(super) fn customers(&self, p: Option<f64>) -> Customers<'_> {
        let spend = match p {
            Some(p) => Spend::GammaGamma { p, posterior: &self.posterior },
            None => Spend::Fixed(&self.amount),
        };
        Customers {
            frequency: &self.frequency,
            recency: &self.recency,
            age: &self.age,
            p_alive: &self.p_alive,
            spend,
            margin_rate: &self.margin_rate,
            order_cost: &self.order_cost,
            sustaining_rate: &self.sustaining_rate,
            key: &self.key,
        }
    }
}

const CDNOW: BgNbd = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
pub(super) const SPEND: GammaGamma = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };

pub(super) fn settings(model: impl Into<Population>) -> Settings {
    Settings {
        model: model.into(),
        horizon: 52.0,
        timing: Timing { delta: 0.002, period: None },
        paths: 1000,
        seed: 9,
        quantiles: vec![0.05, 0.25, 0.5, 0.75, 0.95],
        worst_one_in: 20,
        minor_per_major: 100.0,
        waits: false,
        parameter_draws: vec![],
    }
}

pub(super) fn bits(simulation: &Simulation) -> Vec<u64> {
    let moments =
        simulation.lifetime.iter().flat_map(|l| [l.mean, l.sd, l.mean_error, l.probability_of_loss, l.shortfall]);
    moments.chain(simulation.quantiles.iter().copied()).map(f64::to_bits).collect()
}

#[test]
fn the_closed_form_lies_within_four_standard_errors_of_the_simulated_mean() {
    let regular = |k, dropout, r, alpha, a, b| PurchaseModel::BgCnbdK(BgCnbdK { k, dropout, r, alpha, a, b });
    let models: [PurchaseModel; 18] = [
        CDNOW.into(),
        BgNbd { r: 2.0, alpha: 3.0, a: 0.4, b: 3.0 }.into(),
        BgNbd { r: 0.8, alpha: 10.0, a: 1e-7, b: 1.0 }.into(),
        BgNbd { r: 5.0, alpha: 20.0, a: 30.0, b: 60.0 }.into(),
        BgNbd { r: 0.05, alpha: 0.5, a: 1.0, b: 1.0 }.into(),
        BgNbd { r: 60.0, alpha: 100.0, a: 0.5, b: 0.2 }.into(),
        MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 }.into(),
        MbgNbd { r: 2.0, alpha: 3.0, a: 0.4, b: 0.02 }.into(),
        MbgNbd { r: 0.8, alpha: 10.0, a: 1e-7, b: 1.0 }.into(),
        ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.6061, beta: 11.6562 }.into(),
        ParetoNbd { r: 2.0, alpha: 3.0, s: 3.0, beta: 0.5 }.into(),
        ParetoNbd { r: 0.8, alpha: 10.0, s: 1e-7, beta: 1.0 }.into(),
        ParetoNbd { r: 5.0, alpha: 20.0, s: 1.0, beta: 200.0 }.into(),
        ParetoNbd { r: 60.0, alpha: 100.0, s: 0.2, beta: 0.2 }.into(),
        regular(1, FirstDropout::AfterFirst, 0.525, 6.183, 0.891, 1.614),
        regular(2, FirstDropout::AfterRepeat, 0.6, 5.0, 0.8, 2.6),
        regular(3, FirstDropout::AfterFirst, 2.0, 3.0, 0.4, 0.9),
        regular(5, FirstDropout::AfterRepeat, 12.0, 8.0, 0.5, 0.2),
    ];
    for model in models {
        let company = Company::new(model, &SPEND, 60);
        for p in [None, Some(SPEND.p)] {
            for (horizon, delta) in [(52.0, 0.002), (13.0, 0.0), (104.0, 0.01)] {
                let settings = Settings {
                    paths: 8_000,
                    horizon,
                    timing: Timing { delta, period: None },
                    quantiles: vec![],
                    ..settings(model)
                };
                let customers = company.customers(p);
                let residual: Vec<Residual> = (0..customers.len())
                    .map(|i| {
                        let x = f64::from(company.frequency[i]);
                        model.residual(x, company.recency[i], company.age[i], horizon, delta).unwrap()
                    })
                    .collect();
                let closed = expected(&customers, &residual).unwrap();
                let simulated = simulate(&settings, &customers, &[]).unwrap().lifetime;
                // Over the sum of the customers at four errors, and over each customer at five and a half: 6,480 of
                // them are tested, and spend has heavy tails.
                let (mut gap, mut variance) = (0.0, 0.0);
                for (row, (closed, simulated)) in closed.iter().zip(&simulated).enumerate() {
                    let off = simulated.mean - closed;
                    assert!(
                        off.abs() <= 5.5 * simulated.mean_error + 1e-9,
                        "{model:?} {p:?} {horizon} row {row}: {closed} {simulated:?}"
                    );
                    gap += off;
                    variance += simulated.mean_error * simulated.mean_error;
                }
                assert!(gap.abs() < STANDARD_ERRORS * variance.sqrt(), "{model:?} {p:?} {horizon}: {gap} {variance}");
            }
        }
    }
}

/// Models of every way to leave and to buy.
fn some_models() -> [PurchaseModel; 4] {
    [
        CDNOW.into(),
        MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 }.into(),
        ParetoNbd { r: 0.5534, alpha: 10.5802, s: 0.6061, beta: 11.6562 }.into(),
        PurchaseModel::BgCnbdK(BgCnbdK { k: 3, dropout: FirstDropout::AfterFirst, r: 2.0, alpha: 3.0, a: 0.4, b: 0.9 }),
    ]
}

/// Every customer's mean at five and a half of its errors, and their sum at four.
fn agree(what: &str, closed: &[f64], simulated: &[Lifetime]) {
    let (mut gap, mut variance) = (0.0, 0.0);
    for (row, (closed, simulated)) in closed.iter().zip(simulated).enumerate() {
        let off = simulated.mean - closed;
        assert!(off.abs() <= 5.5 * simulated.mean_error + 1e-9, "{what} row {row}: {closed} {simulated:?}");
        gap += off;
        variance += simulated.mean_error * simulated.mean_error;
    }
    assert!(gap.abs() < STANDARD_ERRORS * variance.sqrt(), "{what}: {gap} {variance}");
}

#[test]
fn normal_spend_of_either_sign_has_its_closed_form_and_its_spread() {
    let spend = NormalSpend { mean: 12.0, within: 40.0, between: 25.0 };
    for model in some_models() {
        let company = Company::new(model, &SPEND, 60);
        let total: Vec<f64> = (0..60).map(|i| f64::from(company.frequency[i]) * (i as f64 - 35.0)).collect();
        let customers = Customers { spend: Spend::Normal { model: spend, total: &total }, ..company.customers(None) };
        let settings = Settings { paths: 8_000, ..settings(model) };
        let residual: Vec<Residual> = (0..60)
            .map(|i| {
                let x = f64::from(company.frequency[i]);
                model.residual(x, company.recency[i], company.age[i], 52.0, 0.002).unwrap()
            })
            .collect();
        let closed = expected(&customers, &residual).unwrap();
        assert!(closed.iter().any(|value| *value < -1.0));
        let found = simulate(&settings, &customers, &[]).unwrap();
        agree(&format!("{model:?}"), &closed, &found.lifetime);
        // A customer who lost money on every purchase may still earn some, and one who earned may lose.
        assert!(found.quantiles.chunks(5).filter(|row| row[0] < 0.0 && row[4] > 0.0).count() > 20, "{model:?}");
    }
    // Of a Poisson number of purchases with mean n = λH the variance is n (σ² + μ² + τ²) + n² τ².
    let constant = BgNbd { r: 1e6, alpha: 1e6, a: 1e-9, b: 1.0 };
    let spend = NormalSpend { mean: -3.0, within: 15.0, between: 4.0 };
    let customers = Customers {
        frequency: &[0],
        recency: &[0.0],
        age: &[0.0],
        p_alive: &[1.0],
        spend: Spend::Normal { model: spend, total: &[0.0] },
        margin_rate: &[1.0],
        order_cost: &[0.0],
        sustaining_rate: &[0.0],
        key: &[5],
    };
    let settings =
        Settings { paths: 200_000, horizon: 10.0, timing: Timing { delta: 0.0, period: None }, ..settings(constant) };
    let found = simulate(&settings, &customers, &[]).unwrap().lifetime[0];
    let variance = 10.0 * (225.0 + 9.0 + 16.0) + 100.0 * 16.0;
    assert!((found.mean + 30.0).abs() < STANDARD_ERRORS * found.mean_error, "{found:?}");
    assert!((found.sd / f64::sqrt(variance) - 1.0).abs() < 0.01, "{found:?} {variance}");
}

#[test]
fn values_discounted_period_by_period_have_their_closed_form() {
    for model in some_models() {
        let company = Company::new(model, &SPEND, 60);
        let customers = company.customers(Some(SPEND.p));
        for (horizon, length, delta) in [(52.0, 4.348, 0.02), (39.0, 52.18, 0.05)] {
            let settings = Settings {
                paths: 8_000,
                horizon,
                timing: Timing { delta, period: Some(length) },
                quantiles: vec![],
                ..settings(model)
            };
            let residual: Vec<Residual> = (0..60)
                .map(|i| {
                    let x = f64::from(company.frequency[i]);
                    let periods = Periods { length, delta };
                    model.residual_per_period(x, company.recency[i], company.age[i], horizon, periods).unwrap()
                })
                .collect();
            let closed = expected(&customers, &residual).unwrap();
            let found = simulate(&settings, &customers, &[]).unwrap();
            agree(&format!("{model:?} {horizon} {length}"), &closed, &found.lifetime);
        }
    }
    let wrong = Settings { timing: Timing { delta: 0.002, period: Some(0.0) }, ..settings(CDNOW) };
    let company = Company::new(CDNOW, &SPEND, 1);
    let message = simulate(&wrong, &company.customers(None), &[]).unwrap_err().to_string();
    assert_eq!(message, "period is out of range: it must be positive, and at least a millionth of the horizon");
}

#[test]
fn the_next_purchase_of_the_paths_is_that_of_the_closed_form() {
    for model in some_models() {
        let company = Company::new(model, &SPEND, 60);
        let customers = company.customers(None);
        let settings = Settings { paths: 20_000, waits: true, ..settings(model) };
        let found = simulate(&settings, &customers, &[]).unwrap();
        let silent = simulate(&Settings { waits: false, ..settings.clone() }, &customers, &[]).unwrap();
        assert!(silent.waits.is_empty() && bits(&silent) == bits(&found), "{model:?}: telling waits changes a value");
        let mut medians = 0;
        for (row, wait) in found.waits.iter().enumerate() {
            let (x, t_x, age) = (f64::from(company.frequency[row]), company.recency[row], company.age[row]);
            let (p_alive, next) = (company.p_alive[row], model.next_purchase(x, t_x, age, 52.0));
            // A binomial share of at least a sixteenth of the paths.
            let drawn = (20_000.0 * p_alive).max(1_250.0);
            let by = |t: f64| p_alive * next.probability_by(t);
            let error = p_alive * (next.probability_by(52.0) * (1.0 - next.probability_by(52.0)) / drawn).sqrt();
            let off = wait.probability - by(52.0);
            assert!(off.abs() <= 5.0 * error + 1e-9, "{model:?} {row}: {wait:?} {}", by(52.0));
            if let Some(median) = wait.median {
                medians += 1;
                let off = by(median) - 0.5;
                assert!(off.abs() < 5.0 * 0.5 * p_alive.sqrt() / 20_000_f64.sqrt() + 5e-4, "{model:?} {row}: {wait:?}");
            } else {
                assert!(by(52.0) < 0.52, "{model:?} {row}: {wait:?}");
            }
        }
        assert!(medians > 5 && medians < 60, "{model:?}: {medians}");
    }
}

#[test]
fn simulated_bits_do_not_depend_on_threads_batches_or_segmentations() {
    let company = Company::new(CDNOW, &SPEND, 333);
    let customers = company.customers(Some(SPEND.p));
    let segment: Vec<u16> = (0..333).map(|i| i % 5).collect();
    let one_segment = vec![0; 333];
    let segmentations =
        [Segmentation { segment: &segment, segments: 5 }, Segmentation { segment: &one_segment, segments: 1 }];
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let settings = Settings { waits: true, ..settings(CDNOW) };
            simulate(&settings, &customers, &segmentations).unwrap()
        })
    };
    let one = run(1);
    for threads in [2, 8] {
        let other = run(threads);
        assert_eq!(bits(&one), bits(&other));
        assert_eq!(one.totals, other.totals);
        assert_eq!(one.waits, other.waits);
    }
    assert_eq!(bits(&one), bits(&simulate(&settings(CDNOW), &customers, &[]).unwrap()));
    assert_eq!(one.totals[0].whole(), one.totals[1].segment(0));

    // The last customer alone is the last customer among all.
    let last = Customers {
        frequency: &company.frequency[332..],
        recency: &company.recency[332..],
        age: &company.age[332..],
        p_alive: &company.p_alive[332..],
        spend: Spend::GammaGamma { p: SPEND.p, posterior: &company.posterior[332..] },
        margin_rate: &company.margin_rate[332..],
        order_cost: &company.order_cost[332..],
        sustaining_rate: &company.sustaining_rate[332..],
        key: &company.key[332..],
    };
    let alone = simulate(&settings(CDNOW), &last, &[]).unwrap();
    assert_eq!(alone.lifetime[0], one.lifetime[332]);
    assert_eq!(alone.quantiles[..], one.quantiles[332 * 5..]);
}

#[test]
fn totals_have_the_mean_and_spread_of_the_customers() {
    let company = Company::new(CDNOW, &SPEND, 4000);
    let customers = company.customers(Some(SPEND.p));
    let segment = vec![0; 4000];
    let settings = Settings { paths: 4000, ..settings(CDNOW) };
    let found = simulate(&settings, &customers, &[Segmentation { segment: &segment, segments: 1 }]).unwrap();
    let totals = found.totals[0].segment(0);
    let n = totals.len() as f64;
    let mean = totals.iter().map(|&t| t as f64).sum::<f64>() / n / 100.0;
    let spread = totals.iter().map(|&t| (t as f64 / 100.0 - mean).powi(2)).sum::<f64>() / n;
    let customer_mean: f64 = found.lifetime.iter().map(|l| l.mean).sum();
    // Customers are independent, so their variances add.
    let customer_variance: f64 = found.lifetime.iter().map(|l| l.sd * l.sd).sum();
    let error = (customer_variance / n).sqrt();
    assert!((mean - customer_mean).abs() < STANDARD_ERRORS * error, "{mean} {customer_mean} {error}");
    // The standard error of a variance of n nearly normal totals is √(2/n) of it.
    let ratio = spread / customer_variance;
    assert!((ratio - 1.0).abs() < STANDARD_ERRORS * (2.0 / n).sqrt(), "{ratio}");
}

#[test]
fn parameter_draws_rule_their_own_paths_of_every_customer() {
    // Two draws: the fitted parameters, and others under which the base is worth more.
    let other = BgNbd { r: 0.5, alpha: 4.0, a: 0.3, b: 3.0 };
    let dear = GammaGamma { p: 6.25, q: 3.74, gamma: 25.0 };
    let company = Company::new(CDNOW, &SPEND, 1200);
    let customers = company.customers(Some(SPEND.p));
    let segment = vec![0; 1200];
    let parameter_draws = vec![
        ParameterDraw { model: CDNOW.into(), spend: None },
        ParameterDraw { model: other.into(), spend: Some((SPEND.into(), dear.into())) },
    ];
    let settings = Settings { paths: 3_000, parameter_draws, ..settings(CDNOW) };
    let found = simulate(&settings, &customers, &[Segmentation { segment: &segment, segments: 1 }]).unwrap();
    let sum_of = |model: BgNbd, spend: &GammaGamma| -> f64 {
        let posterior: Vec<SpendRate> = company
            .posterior
            .iter()
            .map(|known| spend.posterior((known.shape - SPEND.q) / SPEND.p, known.rate - SPEND.gamma))
            .collect();
        let p_alive: Vec<f64> = (0..1200)
            .map(|i| model.p_alive(f64::from(company.frequency[i]), company.recency[i], company.age[i]))
            .collect();
        let customers = Customers {
            p_alive: &p_alive,
            spend: Spend::GammaGamma { p: spend.p, posterior: &posterior },
            ..customers
        };
        let residual: Vec<Residual> = (0..1200)
            .map(|i| model.residual(f64::from(company.frequency[i]), company.age[i], 52.0, 0.002).unwrap())
            .collect();
        expected(&customers, &residual).unwrap().iter().sum()
    };
    for (number, closed) in [sum_of(CDNOW, &SPEND), sum_of(other, &dear)].into_iter().enumerate() {
        let totals: Vec<f64> =
            found.totals[0].segment(0).iter().skip(number).step_by(2).map(|&t| t as f64 / 100.0).collect();
        let n = totals.len() as f64;
        let mean = totals.iter().sum::<f64>() / n;
        let error = (totals.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
        assert!((mean - closed).abs() < STANDARD_ERRORS * error, "{number}: {mean} {closed} {error}");
    }
    // A customer's own distribution is the mixture of both.
    let mean: f64 = found.lifetime.iter().map(|l| l.mean).sum();
    let closed = 0.5 * (sum_of(CDNOW, &SPEND) + sum_of(other, &dear));
    assert!((mean / closed - 1.0).abs() < 0.01, "{mean} {closed}");
    for (lifetime, quantiles) in found.lifetime.iter().zip(found.quantiles.chunks(5)) {
        assert!(quantiles.windows(2).all(|pair| pair[0] <= pair[1]) && lifetime.shortfall <= quantiles[0]);
        assert_eq!(quantiles[0] < 0.0, lifetime.probability_of_loss >= 0.05 - 1e-9, "{lifetime:?} {quantiles:?}");
    }
    let wrong = ParameterDraw { model: MbgNbd { r: 1.0, alpha: 1.0, a: 1.0, b: 1.0 }.into(), spend: None };
    let settings = Settings { parameter_draws: vec![wrong], ..settings };
    let message = simulate(&settings, &customers, &[]).unwrap_err().to_string();
    assert_eq!(message, "parameter_draws is out of range: each must be of the fitted model, with positive parameters");
}

#[test]
fn quantiles_rise_and_losses_are_counted() {
    let company = Company::new(CDNOW, &SPEND, 300);
    let found = simulate(&settings(CDNOW), &company.customers(Some(SPEND.p)), &[]).unwrap();
    for (lifetime, quantiles) in found.lifetime.iter().zip(found.quantiles.chunks(5)) {
        assert!(quantiles.windows(2).all(|pair| pair[0] <= pair[1]), "{quantiles:?}");
        // The mean of the worst 5 % is no better than the best of them, nor than the mean of all.
        assert!(
            lifetime.shortfall <= quantiles[0] && lifetime.shortfall <= lifetime.mean,
            "{lifetime:?} {quantiles:?}"
        );
        // The 5 % quantile is a loss exactly where losses have at least that probability.
        assert_eq!(quantiles[0] < 0.0, lifetime.probability_of_loss >= 0.05 - 1e-9, "{lifetime:?} {quantiles:?}");
    }
}

#[test]
fn the_futures_are_the_same_whatever_keeping_a_customer_costs() {
    // Worlds are compared future by future: what costs next to nothing changes next to nothing.
    for model in some_models() {
        let company = Company::new(model, &SPEND, 30);
        let values = |rate: f64| {
            let rates = vec![rate; 30];
            let customers = Customers { sustaining_rate: &rates, ..company.customers(Some(SPEND.p)) };
            let segment = vec![0; 30];
            let all = [Segmentation { segment: &segment, segments: 1 }];
            let found = simulate(&Settings { minor_per_major: 1e6, ..settings(model) }, &customers, &all).unwrap();
            found.totals[0].segment(0).to_vec()
        };
        for (without, with) in values(0.0).into_iter().zip(values(1e-9)) {
            assert!((without - with).abs() < 100, "{model:?}: {without} {with}");
        }
    }
}

#[test]
fn a_customer_who_is_certainly_gone_is_worth_nothing() {
    let mut company = Company::new(CDNOW, &SPEND, 4);
    company.p_alive = vec![0.0; 4];
    let segment = [0; 4];
    let found =
        simulate(&settings(CDNOW), &company.customers(None), &[Segmentation { segment: &segment, segments: 1 }])
            .unwrap();
    assert!(found.lifetime.iter().all(|l| *l == crate::forecast::simulate::Lifetime::default()));
    assert!(found.quantiles.iter().all(|&q| q == 0.0) && found.totals[0].segment(0).iter().all(|&t| t == 0));
}

#[test]
fn inputs_without_a_value_are_refused_by_name() {
    let mut company = Company::new(CDNOW, &SPEND, 3);
    company.posterior[1].shape = 0.9;
    let message = |result: Result<Simulation, LifetimeError>| result.unwrap_err().to_string();
    let found = message(simulate(&settings(CDNOW), &company.customers(Some(6.0)), &[]));
    assert_eq!(found, "spend in row 1 is out of range: its mean must be finite (Gamma-Gamma: p x + q > 1)");
    let found = message(simulate(
        &settings(CDNOW),
        &company.customers(None),
        &[Segmentation { segment: &[0, 1, 2], segments: 2 }],
    ));
    assert_eq!(found, "segment in row 2 is out of range: it must be below the number of segments");
    let none = Settings { paths: 0, ..settings(CDNOW) };
    assert_eq!(
        message(simulate(&none, &company.customers(None), &[])),
        "paths is out of range: there must be at least one"
    );
    company.key.pop();
    let found = message(simulate(&settings(CDNOW), &company.customers(None), &[]));
    assert_eq!(found, "key has 2 rows, expected 3");
}
