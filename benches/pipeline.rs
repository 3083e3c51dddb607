//! The whole job on a generated company: files in, files out.

#![expect(clippy::expect_used, reason = "a bench stops at the first wrong answer")]

use std::sync::Arc;

use camino::Utf8Path;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use whalecurve::{
    cli::config::{self, Overrides},
    generate::{Population, Scenario, Size, generate},
    pipeline::{Progress, StageTime, run},
};

/// Nobody watches.
struct Quiet;

impl Progress for Quiet {
    fn stage(&self, _name: &'static str, _rows: Option<u64>) {}
    fn rows(&self, _done: u64) {}
    fn ended(&self, _time: &StageTime) {}
}

fn whole_job(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("run");
    for transactions in [100_000_u64, 1_000_000] {
        let guard = tempfile::tempdir().expect("a scratch folder");
        let folder = Utf8Path::from_path(guard.path()).expect("a UTF-8 path");
        let company = folder.join("company");
        let size = Size { customers: transactions / 10, transactions };
        let scenario = Scenario { size, seed: 1, population: Population::ByChannel };
        generate(scenario, None, &company, &|_| {}).expect("a company");
        let path = company.join("whalecurve.yaml");
        let text = std::fs::read_to_string(&path).expect("its config") + "  paths: 100\n";
        let overrides = Overrides { output: Some(folder.join("output")), ..Overrides::default() };
        let settings = config::load(&path, &text, &|_| None, &overrides).expect("a valid config");
        group.throughput(Throughput::Elements(transactions));
        group.bench_function(BenchmarkId::from_parameter(transactions), |bencher| {
            bencher.iter(|| {
                let outcome = run(&settings, Arc::new(Quiet)).expect("a run");
                assert_eq!(outcome.manifest["balances"]["transactions"]["input"]["rows"], transactions);
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = whole_job }
criterion_main!(benches);
