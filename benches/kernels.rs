//! The kernels that see every row: folding ledger lines, spreading a pool; and pools that serve each other.

#![expect(clippy::expect_used, reason = "a bench stops at the first wrong answer")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use whalecurve::{
    allocate::{
        network::{Edge, Network, Node, ServiceMethod},
        spread::spread,
    },
    facts::{Layout, LedgerSummary},
    numeric::{
        keys::{Keys, hash_int},
        philox::Stream,
    },
    schema::{
        lines::{LineBatch, PURCHASE},
        period::PeriodKind,
        settings::ReturnsPolicy,
    },
};

/// Lines of a batch, as the contract hands them over.
const BATCH: usize = 65_536;

/// A wave of purchase lines, ten a customer, over a year.
fn wave(lines: usize) -> Vec<LineBatch> {
    let mut stream = Stream::new(1, 2, 3);
    let customers = (lines / 10) as u64;
    let batch = |rows: usize, stream: &mut Stream| {
        let mut batch = LineBatch::with_capacity(&Keys::Int(Vec::new()), 0, rows);
        for _ in 0..rows {
            let customer = stream.below(customers) as i64;
            let day = 19_000 + stream.below(365) as i32;
            let Keys::Int(ids) = &mut batch.customer else { return batch };
            ids.push(customer);
            batch.day.push(day);
            batch.order.push(hash_int(customer) ^ day as u64);
            batch.amount.push(stream.below(10_000) as i64);
            batch.discount.push(0);
            batch.product_cost.push(stream.below(5_000) as i64);
            batch.quantity.push(1_000_000);
            batch.mask.push(PURCHASE);
        }
        batch
    };
    (0..lines.div_ceil(BATCH)).map(|part| batch(BATCH.min(lines - part * BATCH), &mut stream)).collect()
}

fn fold(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fold");
    for lines in [1_000_000_usize, 4_000_000] {
        let wave = wave(lines);
        let sales: i64 = wave.iter().flat_map(|batch| &batch.amount).sum();
        let layout = Layout { period: PeriodKind::Whole, added: 0, distinct: 0 };
        group.throughput(Throughput::Elements(lines as u64));
        group.bench_with_input(BenchmarkId::from_parameter(lines), &wave, |bencher, wave| {
            bencher.iter(|| {
                let mut summary = LedgerSummary::new(layout, &Keys::Int(Vec::new()));
                for batches in wave.chunks(16) {
                    summary.insert(batches).expect("sums in range");
                }
                let (_, cells) = summary.finish(ReturnsPolicy::Separate, &[]).expect("sums in range");
                assert_eq!(cells.gross_sales.iter().sum::<i64>(), sales);
            });
        });
    }
    group.finish();
}

fn allocate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spread");
    for customers in [100_000_usize, 1_000_000] {
        let mut stream = Stream::new(1, 2, 4);
        let counts: Vec<i64> = (0..customers).map(|_| stream.below(200) as i64 * 1_000_000).collect();
        let revenue: Vec<i64> = (0..customers).map(|_| stream.below(100_000_000) as i64 * 10_000).collect();
        let ties: Vec<u64> = (0..customers as i64).map(hash_int).collect();
        group.throughput(Throughput::Elements(customers as u64));
        for (driver, quantities) in [("counts", &counts), ("revenue", &revenue)] {
            group.bench_with_input(BenchmarkId::new(driver, customers), quantities, |bencher, quantities| {
                bencher.iter(|| {
                    let costs = spread(987_654_321, black_box(quantities), &ties).expect("a driver above zero");
                    assert_eq!(costs.iter().sum::<i64>(), 987_654_321);
                });
            });
        }
    }
    group.finish();
}

/// Activities that the pools serve beside each other.
const ACTIVITIES: u32 = 100;

/// Every pool serves every other one, and all activities.
fn mutual(pools: u32) -> Network {
    let mut stream = Stream::new(1, 2, 5);
    let nodes = (0..pools + ACTIVITIES).map(|tie| Node { tie: tie.into(), kept: 0 }).collect();
    let mut edges = Vec::with_capacity((pools * (pools + ACTIVITIES)) as usize);
    for from in 0..pools {
        let takers = (0..pools + ACTIVITIES).filter(|to| *to != from);
        edges.extend(takers.map(|to| Edge { from, to, weight: 1 + stream.below(1_000_000) as i64 }));
    }
    Network::new(nodes, edges).expect("weights above zero")
}

fn network(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reciprocal");
    for pools in [100_u32, 1_000] {
        let network = mutual(pools);
        let own: Vec<i64> =
            (0..pools + ACTIVITIES).map(|node| if node < pools { 1_000_000 + i64::from(node) } else { 0 }).collect();
        group.throughput(Throughput::Elements(pools.into()));
        group.bench_with_input(BenchmarkId::from_parameter(pools), &network, |bencher, network| {
            bencher.iter(|| {
                let plan = network.plan(&ServiceMethod::Reciprocal).expect("activities take the cost");
                let flow = plan.flow(black_box(&own)).expect("amounts in range");
                let borne: i64 = flow.nodes.iter().map(|node| node.final_cost).sum();
                assert_eq!(borne, own.iter().sum::<i64>());
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = fold, allocate, network }
criterion_main!(benches);
