//! Same inputs, config, seed: same bytes, whatever the order of rows, the split into files, or the number of threads.

use crate::support::{Job, cents, days, integers, text};

/// One ledger line: customer, order, day, cents, quantity.
type Line = (i64, i64, i32, i64, i64);

const CONFIG: &str = "
version: 1
currency: EUR
as_of: 1971-12-31
period: quarter
seed: 11
inputs:
  transactions:
    path: ledger
    columns: {customer_id: customer, order_id: order, date: day, amount: amount, quantity: quantity}
drivers:
  orders: {count_distinct: order}
  active_days: {count_distinct: day}
  units: {sum: quantity, where: \"quantity > 0\"}
activities:
  handling: {level: order, method: driver, driver: orders, cost: 1234.56}
  visits: {level: customer, method: driver, driver: active_days, cost: 777.77}
  freight: {level: order, method: driver, driver: units, cost: 333.33}
  upkeep: {level: customer, method: average, cost: 99.99}
forecast: {horizon: 26 weeks, discount_rate_per_year: 0.1, paths: 50}
";

/// A ledger of 300 customers with returns, several lines an order, and a middle that no order of rows is special to.
fn ledger() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut state = 20_261_125_u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    for customer in 0..300_i64 {
        for order in 0..=below(6) as i64 {
            let day = below(700) as i32;
            for _ in 0..=below(3) {
                let sign = if below(12) == 0 { -1 } else { 1 };
                lines.push((customer - 7, customer * 10 + order, day, sign * below(9_000) as i64, sign * 2));
            }
        }
    }
    lines
}

fn columns(lines: &[Line]) -> Vec<(&'static str, arrow_array::ArrayRef)> {
    vec![
        ("customer", integers(lines.iter().map(|line| line.0))),
        ("order", integers(lines.iter().map(|line| line.1))),
        ("day", days(lines.iter().map(|line| line.2))),
        ("amount", cents(lines.iter().map(|line| line.3))),
        ("quantity", integers(lines.iter().map(|line| line.4))),
    ]
}

fn digest(job: &Job, threads: &str) -> String {
    job.run(&["--threads", threads])["result_digest"].as_str().unwrap().to_owned()
}

#[test]
fn shuffled_rows_split_files_small_row_groups_and_threads_change_no_byte() {
    let lines = ledger();
    let whole = Job::new(CONFIG);
    whole.parquet("ledger/all.parquet", columns(&lines));
    let expected = digest(&whole, "1");
    for threads in ["2", "8"] {
        assert_eq!(digest(&whole, threads), expected, "{threads} threads");
    }

    let mut shuffled = lines.clone();
    // A fixed permutation: by the digits of a multiple, which keeps no run of the original order.
    let count = shuffled.len() as u64;
    shuffled.sort_by_key(|line| (line.3 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (line.1 as u64 * 31));
    assert_ne!(shuffled, lines);
    let job = Job::new(CONFIG);
    job.parquet("ledger/all.parquet", columns(&shuffled));
    assert_eq!(digest(&job, "2"), expected, "shuffled rows");

    let job = Job::new(CONFIG);
    for (part, lines) in shuffled.chunks((count as usize).div_ceil(7)).enumerate() {
        job.parquet_in_groups(&format!("ledger/year={part}/part.parquet"), columns(lines), 13);
    }
    assert_eq!(digest(&job, "2"), expected, "seven shuffled files of small row groups in partition folders");
}

#[test]
fn columns_that_only_some_files_have_are_left_alone() {
    let lines = ledger();
    let whole = Job::new(CONFIG);
    whole.parquet("ledger/all.parquet", columns(&lines));

    let (first, second) = lines.split_at(lines.len() / 2);
    let job = Job::new(CONFIG);
    let mut more = columns(first);
    more.push(("store", integers(first.iter().map(|line| line.0))));
    job.parquet("ledger/a.parquet", more);
    let mut more = columns(second);
    more.insert(0, ("channel", text(second.iter().map(|_| "web"))));
    job.parquet("ledger/b.parquet", more);
    assert_eq!(digest(&job, "2"), digest(&whole, "2"));
}

#[test]
fn another_seed_moves_the_simulation_and_nothing_else() {
    let job = Job::new(CONFIG);
    job.parquet("ledger/all.parquet", columns(&ledger()));
    let outputs = |seed: &str| {
        let manifest = job.run(&["--seed", seed]);
        manifest["outputs"].as_array().unwrap().clone()
    };
    let (one, two) = (outputs("1"), outputs("2"));
    for (left, right) in one.iter().zip(&two) {
        let name = left["dataset"].as_str().unwrap();
        let simulated = ["customer_value", "segment_value", "customer_equity"].contains(&name);
        assert_eq!(left["files"] != right["files"], simulated, "{name}");
    }
}

#[test]
fn text_ids_keep_their_leading_zeros_apart() {
    let config = "version: 1\ncurrency: EUR\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, date: \
                  d, amount: a}}\n";
    let job = Job::new(config);
    let ids = text(["007", "7", "07", "007"]);
    job.parquet("l.parquet", vec![("c", ids), ("d", days([1, 1, 1, 2])), ("a", cents([100, 20, 3, 4_000]))]);
    job.run(&[]);
    assert_eq!(job.texts("customer_profit_total", "customer_id"), ["007", "07", "7"]);
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [4_100, 3, 20]);
}
