//! A scenario beside the base: the same ledger under other costs, methods, capacities, drivers and prices.

use insta::assert_snapshot;

use crate::support::{Job, cents, days, integers};

const CONFIG: &str = "
version: 1
currency: EUR
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}
  customers: {path: customers.csv, columns: {customer_id: c, segment: s}}
drivers:
  lines: count
  days: {count_distinct: day}
activities:
  handling: {level: order, method: driver, driver: lines, cost: 4.00}
  upkeep: {level: customer, method: average, cost: 1.00}
";

/// Customer 1: two lines on one day, 10.00 and 5.00, in the north. Customer 2: two days, 3.00 and 2.00, in the south.
fn job(more: &str) -> Job {
    let job = Job::new(&format!("{CONFIG}{more}"));
    job.text("customers.csv", "c,s\n1,north\n2,south\n");
    let columns = vec![("c", integers([1, 1, 2, 2])), ("d", days([1, 1, 1, 2])), ("a", cents([1_000, 500, 300, 200]))];
    job.parquet("l.parquet", columns);
    job
}

fn pairs(job: &Job, dataset: &str, column: &str) -> Vec<(String, i128)> {
    job.texts(dataset, "scenario").into_iter().zip(job.decimals(dataset, column)).collect()
}

#[test]
fn base_and_scenario_stand_in_the_same_datasets_and_the_base_is_what_it_is_alone() {
    let job = job(
        "overrides:\n  name: by_day\n  activities: {handling: {driver: days, cost: 6.00}}\n  prices: {north: 1.10}\n",
    );
    job.run(&[]);
    let of = |name: &str, amount| (name.to_owned(), amount);
    // Base: 15.00 − 2.00 − 0.50 and 5.00 − 2.00 − 0.50. By day 6.00 is 2.00 and 4.00; the north pays 10 % more.
    assert_eq!(
        pairs(&job, "customer_profit", "economic_profit"),
        [of("base", 1_250), of("base", 250), of("by_day", 1_400), of("by_day", 50)]
    );
    assert_eq!(
        pairs(&job, "pool_balance", "allocated"),
        [of("base", 400), of("base", 100), of("by_day", 600), of("by_day", 100)]
    );
    assert_eq!(
        job.texts("scenario_difference", "segment"),
        ["all", "north", "south", "gold", "iron", "lead", "platinum"]
    );
    assert_eq!(job.decimals("scenario_difference", "economic_profit_difference")[..3], [-50, 150, -200]);
    assert_eq!(job.decimals("scenario_difference", "net_revenue_difference")[..3], [150, 150, 0]);
    assert_eq!(job.decimals("scenario_difference", "cost_difference")[..3], [200, 0, 200]);
    // What follows from profit is the base's.
    assert_eq!(job.sum("customer_equity", "economic_profit"), 1_500);
}

#[test]
fn the_command_line_sets_what_a_block_sets() {
    let (block, line) =
        (job("overrides: {activities: {handling: {cost: 8.00}}, driver_factors: {lines: 0.5}}\n"), job(""));
    block.run(&[]);
    line.run(&["--set", "activities.handling.cost=8.00", "--set", "driver_factors.lines=0.5"]);
    for dataset in ["customer_profit", "pool_balance", "scenario_difference"] {
        assert_eq!(block.texts(dataset, "scenario"), line.texts(dataset, "scenario"));
    }
    assert_eq!(
        block.decimals("customer_profit", "economic_profit"),
        line.decimals("customer_profit", "economic_profit")
    );
    assert_eq!(line.decimals("pool_balance", "driver_quantity"), [4_000_000, 2_000_000, 2_000_000, 2_000_000]);
}

#[test]
fn a_scenario_that_changes_nothing_is_the_base_again() {
    let job = job("overrides: {activities: {handling: {cost: 4.00}}}\n");
    job.run(&[]);
    let profit = job.decimals("customer_profit", "economic_profit");
    assert_eq!(profit[..2], profit[2..]);
    assert!(job.decimals("scenario_difference", "economic_profit_difference").iter().all(|cents| *cents == 0));
}

#[test]
fn what_a_scenario_cannot_change_or_find_is_named() {
    let failure = |more: &str| job(more).failure();
    assert_snapshot!(failure("overrides: {inputs: {}}\n"), @r"
    exit code 2
    whalecurve.yaml:13:13: `inputs` cannot be overridden
      hint: a scenario changes name, prices, driver_factors, activities, resources, capital_charge, commissions, bad_debt
    ");
    assert_snapshot!(failure("overrides: {name: base}\n"), @r"
    exit code 2
    whalecurve.yaml:13:12: a scenario cannot be named `base`, which is the run without it
    ");
    assert_snapshot!(failure("overrides: {activities: {handling: {drivr: days}}}\n"), @r"
    exit code 2
    whalecurve.yaml:13:37: unknown key `drivr` in `activities.handling`
      hint: did you mean `driver`? known keys: level, layer, behaviour, avoidable, recurring, push_down, method, cost, negative, amplification_limit, no_driver, fallback, capacity, over_use, unused_to, rule, valid_from, valid_to, driver, time, of, shares, segments, each, by, rate, fixed, budgeted
    ");
    assert_snapshot!(failure("overrides: {prices: {west: 1.1}}\n"), @r"
    exit code 3
    error: overrides: no segment is named `west`; known: north, south
    ");
    assert_snapshot!(failure("overrides: {driver_factors: {calls: 2}}\n"), @r"
    exit code 3
    error: overrides: no driver is named `calls`; known: days, lines
    ");
}
