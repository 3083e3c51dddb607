//! Customer base models: fits on distinct histories, expectations, simulated paths.

#![expect(clippy::expect_used, reason = "a bench stops at the first wrong answer")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use whalecurve::{
    forecast::{
        bg_nbd::BgNbd,
        covariates::{self, Wanted},
        gamma_gamma::GammaGamma,
        lifetime::{Customers, Spend},
        simulate::{Settings, simulate},
        summary::Summary,
    },
    numeric::{
        discounting::Timing,
        distributions::{Beta, Gamma},
        keys::hash_int,
        philox::Stream,
        strips::GammaTable,
        ziggurat::standard_exponential,
    },
    schema::{
        covariates::{Covariate, CovariateValues},
        settings::PurchaseKind,
    },
};

/// What the sample below is drawn from.
const TRUTH: BgNbd = BgNbd { r: 0.7, alpha: 8.0, a: 0.8, b: 2.6 };
const SPEND: GammaGamma = GammaGamma { p: 6.0, q: 4.0, gamma: 60.0 };
const WEEK: f64 = 7.0;
/// Days that the customers are watched for, at most.
const DAYS: u64 = 728;

struct Base {
    frequency: Vec<u32>,
    recency: Vec<u32>,
    age: Vec<u32>,
    total: Vec<f64>,
}

/// Customers with known parameters; purchase times are rounded down to days.
fn base(customers: usize) -> Base {
    let mut base = Base { frequency: vec![], recency: vec![], age: vec![], total: vec![] };
    for customer in 0..customers as u64 {
        let mut stream = Stream::new(9, customer, 1);
        let rate = Gamma::new(TRUTH.r).draw(&mut stream) / TRUTH.alpha / WEEK;
        let dropout = Beta::new(TRUTH.a, TRUTH.b).draw(&mut stream);
        let spend_rate = Gamma::new(SPEND.q).draw(&mut stream) / SPEND.gamma;
        let age = DAYS - stream.below(DAYS / 2);
        let (mut time, mut last, mut x, mut total) = (0.0, 0, 0, 0.0);
        loop {
            time += standard_exponential(&mut stream) / rate;
            if time >= age as f64 {
                break;
            }
            if time as u32 > last {
                (last, x) = (time as u32, x + 1);
                total += Gamma::new(SPEND.p).draw(&mut stream) / spend_rate;
            }
            if stream.uniform() < dropout {
                break;
            }
        }
        base.frequency.push(x);
        base.recency.push(last);
        base.age.push(age as u32);
        base.total.push(total);
    }
    base
}

fn fits(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fit");
    for customers in [100_000_usize, 1_000_000] {
        let base = base(customers);
        group.throughput(Throughput::Elements(customers as u64));
        group.bench_with_input(BenchmarkId::new("BG-NBD", customers), &base, |bencher, base| {
            bencher.iter(|| {
                let mut summary = Summary::new();
                summary.insert(&base.frequency, &base.recency, &base.age).expect("possible histories");
                let fit = BgNbd::fit(&summary, WEEK);
                // Days are coarser than the process, so the estimate is near the truth, not at it.
                assert!((fit.fitted().expect("a fit").r - TRUTH.r).abs() < 0.1);
            });
        });
        group.bench_with_input(BenchmarkId::new("Gamma-Gamma", customers), &base, |bencher, base| {
            bencher.iter(|| {
                let fit = GammaGamma::fit(&base.frequency, &base.total);
                assert!((fit.fitted().expect("a fit").p - SPEND.p).abs() < 0.5);
            });
        });
    }
    group.finish();
}

/// A covariate without effect: a number of every customer's own, or one of five levels.
fn fits_with_covariates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fit_with_covariates");
    let customers = 1_000_000;
    let base = base(customers);
    let rows = [base.frequency.as_slice(), &base.recency, &base.age];
    let uniform = |customer: usize| Stream::new(9, customer as u64, 2).uniform();
    let number = CovariateValues::Numbers((0..customers).map(uniform).collect());
    let names = ["a", "b", "c", "d", "e"];
    let of_five: Vec<&str> = (0..customers).map(|customer| names[(5.0 * uniform(customer)) as usize]).collect();
    let covariates = [("number", number), ("level", CovariateValues::levels(&of_five))];
    group.throughput(Throughput::Elements(customers as u64));
    for (name, values) in covariates {
        let covariate = [Covariate { name: name.to_owned(), values }];
        for kind in [PurchaseKind::BgNbd, PurchaseKind::ParetoNbd] {
            let id = BenchmarkId::new(kind.as_str(), name);
            group.bench_with_input(id, &covariate, |bencher, covariate| {
                bencher.iter(|| {
                    let wanted = Wanted { rate: &[0], dropout: &[0] };
                    let found = covariates::fit(kind, rows, covariate, wanted, WEEK).expect("covariates");
                    let accuracy = found.accuracy().expect("standard errors");
                    assert!(accuracy.iter().all(|effect| effect.z.abs() < 5.0), "{accuracy:?}");
                });
            });
        }
    }
    group.finish();
}

fn predictions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("predict");
    let customers = 1_000_000;
    let base = base(customers);
    let mut summary = Summary::new();
    summary.insert(&base.frequency, &base.recency, &base.age).expect("possible histories");
    group.throughput(Throughput::Elements(customers as u64));
    group.bench_function(BenchmarkId::new("BG-NBD, one year", customers), |bencher| {
        bencher.iter(|| {
            let predictions = TRUTH.predict(&summary, WEEK, 52.0, 0.002).expect("expectations");
            assert_eq!(predictions.p_alive.len(), summary.len());
        });
    });
    group.finish();
}

fn paths(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulate");
    let (customers, paths) = (10_000, 1_000);
    let base = base(customers);
    let age: Vec<f64> = base.age.iter().map(|days| f64::from(*days) / WEEK).collect();
    let weeks = |days: u32| f64::from(days) / WEEK;
    let recency: Vec<f64> = base.recency.iter().map(|days| f64::from(*days) / WEEK).collect();
    let p_alive: Vec<f64> = (0..customers)
        .map(|row| TRUTH.p_alive(f64::from(base.frequency[row]), weeks(base.recency[row]), age[row]))
        .collect();
    let posterior: Vec<_> =
        (0..customers).map(|row| SPEND.posterior(f64::from(base.frequency[row]), base.total[row])).collect();
    let (margin_rate, order_cost) = (vec![0.4; customers], vec![3.0; customers]);
    let sustaining_rate = vec![0.2; customers];
    let key: Vec<u64> = (0..customers as i64).map(hash_int).collect();
    let rows = Customers {
        frequency: &base.frequency,
        recency: &recency,
        age: &age,
        p_alive: &p_alive,
        spend: Spend::GammaGamma { p: SPEND.p, posterior: &posterior },
        margin_rate: &margin_rate,
        order_cost: &order_cost,
        sustaining_rate: &sustaining_rate,
        key: &key,
    };
    let settings = Settings {
        model: TRUTH.into(),
        horizon: 52.0,
        timing: Timing { delta: 0.002, period: None },
        paths,
        seed: 1,
        quantiles: vec![0.05, 0.25, 0.5, 0.75, 0.95],
        worst_one_in: 20,
        minor_per_major: 100.0,
        waits: false,
        parameter_draws: vec![],
    };
    group.throughput(Throughput::Elements(customers as u64 * u64::from(paths)));
    group.bench_function(BenchmarkId::new("paths of one year", customers), |bencher| {
        bencher.iter(|| {
            let found = simulate(&settings, &rows, &[], &|_| {}).expect("a simulation");
            assert_eq!(found.lifetime.len(), customers);
        });
    });
    // What the random draws of the same paths cost alone: two uniforms and a spend rate for a path with a purchase, a
    // uniform and an amount for a purchase. Their expected numbers come from the closed form.
    let (mut moving, mut purchases) = (0.0, 0.0);
    for row in 0..customers {
        let x = f64::from(base.frequency[row]);
        let none = ((TRUTH.alpha + age[row]) / (TRUTH.alpha + age[row] + settings.horizon)).powf(TRUTH.r + x);
        let residual = TRUTH.residual(x, age[row], settings.horizon, 0.0).expect("a residual");
        moving += p_alive[row] * (1.0 - none);
        purchases += p_alive[row] * residual.purchases;
    }
    let draws = |per_customer: f64| (per_customer * f64::from(paths)) as u64;
    let rate = GammaTable::new(SPEND.p + SPEND.q).expect("a shape above one");
    let amount = GammaTable::new(SPEND.p).expect("a shape above one");
    group.bench_function(BenchmarkId::new("random draws alone", customers), |bencher| {
        bencher.iter(|| {
            let mut stream = Stream::new(1, 2, 3);
            let mut sum = 0.0;
            for _ in 0..draws(moving) {
                sum += stream.uniform() + stream.uniform() + rate.draw(&mut stream);
            }
            for _ in 0..draws(purchases) {
                sum += stream.uniform() + amount.draw(&mut stream);
            }
            assert!(sum > 0.0);
        });
    });
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = fits, fits_with_covariates, predictions, paths }
criterion_main!(benches);
