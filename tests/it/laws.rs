//! Laws that hold for any ledger: conservation, scale, split and merge, idle customers.

use proptest::prelude::*;

use crate::equity::{number, rows};
use crate::support::{Job, cents, days, integers};

/// One line: customer, day, cents.
type Line = (i64, i32, i64);

fn config(pool: i64, more: &str) -> String {
    format!(
        "
version: 1
currency: EUR
period: month
inputs:
  transactions: {{path: ledger.parquet, columns: {{customer_id: customer, date: day, amount: amount}}}}
{more}drivers:
  lines: count
  days: {{count_distinct: day}}
activities:
  by_lines: {{level: order, method: driver, driver: lines, cost: {}.{:02}}}
  by_days: {{level: customer, method: driver, driver: days, cost: 1000.01}}
  by_revenue: {{level: product, method: revenue, negative: zero, cost: 77.77}}
  by_head: {{level: customer, method: average, cost: 0.05}}
",
        pool / 100,
        pool % 100
    )
}

fn run(pool: i64, more: &str, lines: &[Line]) -> Job {
    let job = Job::new(&config(pool, more));
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", integers(lines.iter().map(|line| line.0))),
            ("day", days(lines.iter().map(|line| line.1))),
            ("amount", cents(lines.iter().map(|line| line.2))),
        ],
    );
    job.text("customers.csv", "customer\n999\n");
    job.run(&[]);
    job
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((0..20_i64, 0..200_i32, -500..5_000_i64), 1..120)
}

fn totals(job: &Job) -> [i128; 6] {
    ["net_revenue", "product_activity_cost", "order_cost", "customer_cost", "cm3", "economic_profit"]
        .map(|column| job.sum("customer_profit", column))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_cent_of_cost_is_allocated_or_unassigned_and_every_view_is_the_same_sum(
        pool in 0..10_000_000_i64, lines in lines()
    ) {
        let job = run(pool, "", &lines);
        let cost = job.sum("pool_balance", "own");
        prop_assert_eq!(cost, i128::from(pool) + 100_001 + 7_777 + 5);
        prop_assert_eq!(job.sum("pool_balance", "allocated") + job.sum("pool_balance", "unassigned"), cost);
        prop_assert_eq!(job.sum("pool_balance", "residual"), 0);
        prop_assert_eq!(job.sum("customer_cost", "amount"), job.sum("pool_balance", "allocated"));
        let [revenue, product, order, customer, cm3, profit] = totals(&job);
        prop_assert_eq!(revenue, lines.iter().map(|line| i128::from(line.2)).sum::<i128>());
        prop_assert_eq!(product + order + customer, job.sum("customer_cost", "amount"));
        prop_assert_eq!(cm3, revenue - product - order - customer);
        prop_assert_eq!(profit, cm3);
        prop_assert_eq!(job.sum("customer_profit_total", "economic_profit"), profit);
        for cut in ["value_tier", "cohort_year"] {
            let of = rows(&job, "segment_value", &["segmentation", "economic_profit"]).into_iter();
            let own = of.filter(|row| row[0] == cut).map(|row| number(&row[1]));
            prop_assert_eq!(own.sum::<i128>(), profit);
        }
        prop_assert_eq!(job.decimals("whale_curve", "cumulative_profit").last().copied(), Some(profit));
    }

    #[test]
    fn twice_the_ledger_has_twice_the_revenue_and_the_same_cost(pool in 0..1_000_000_i64, lines in lines()) {
        let twice: Vec<Line> = lines.iter().map(|line| (line.0, line.1, 2 * line.2)).collect();
        let (once, twice) = (run(pool, "", &lines), run(pool, "", &twice));
        let doubled: Vec<i128> =
            once.decimals("customer_profit", "net_revenue").into_iter().map(|cents| 2 * cents).collect();
        prop_assert_eq!(twice.decimals("customer_profit", "net_revenue"), doubled);
        prop_assert_eq!(twice.decimals("customer_cost", "amount"), once.decimals("customer_cost", "amount"));
    }

    #[test]
    fn lines_may_be_split_in_two(pool in 0..1_000_000_i64, lines in lines()) {
        // Line counts change, so only what does not depend on them is compared.
        let split: Vec<Line> =
            lines.iter().flat_map(|&(customer, day, cents)| [(customer, day, cents - 1), (customer, day, 1)]).collect();
        let (one, two) = (run(pool, "", &lines), run(pool, "", &split));
        for column in ["net_revenue", "customer_cost"] {
            prop_assert_eq!(one.decimals("customer_profit", column), two.decimals("customer_profit", column));
        }
    }

    #[test]
    fn a_customer_that_never_bought_bears_no_cost_and_moves_nobody(pool in 0..1_000_000_i64, lines in lines()) {
        let known = "  customers: {path: customers.csv, columns: {customer_id: customer}}\n\
                     contract: {transactions: {unknown_customer: warn}}\n";
        let (without, with) = (run(pool, "", &lines), run(pool, known, &lines));
        prop_assert_eq!(with.decimals("customer_cost", "amount"), without.decimals("customer_cost", "amount"));
        let mut profits = without.decimals("customer_profit_total", "economic_profit");
        profits.push(0);
        prop_assert_eq!(with.decimals("customer_profit_total", "economic_profit"), profits);
    }
}
