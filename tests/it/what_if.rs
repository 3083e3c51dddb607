//! A scenario beside the base: the same ledger under other costs, methods, capacities, drivers and prices.

use insta::assert_snapshot;

use crate::support::{Job, cents, days, integers, read, text};

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
pub(crate) fn job(more: &str) -> Job {
    let job = Job::new(&format!("{CONFIG}{more}"));
    job.text("customers.csv", "c,s\n1,north\n2,south\n");
    let columns = vec![("c", integers([1, 1, 2, 2])), ("d", days([1, 1, 1, 2])), ("a", cents([1_000, 500, 300, 200]))];
    job.parquet("l.parquet", columns);
    job
}

pub(crate) fn pairs(job: &Job, dataset: &str, column: &str) -> Vec<(String, i128)> {
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
    assert_eq!(pairs(&job, "customer_equity", "economic_profit"), [of("base", 1_500), of("by_day", 1_450)]);
    // The whale curve of each: best customer first.
    assert_eq!(
        pairs(&job, "whale_curve", "cumulative_profit"),
        [of("base", 1_250), of("base", 1_500), of("by_day", 1_400), of("by_day", 1_450)]
    );
    assert_eq!(job.whole_numbers("customer_segment", "monetary_score").len(), 4);
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
      hint: did you mean `driver`? known keys: level, layer, behaviour, avoidable, recurring, push_down, cost, unused_to, rules, rule, method, negative, amplification_limit, no_driver, fallback, capacity, over_use, valid_from, valid_to, driver, time, of, shares, segments, each, by, rate, fixed, budgeted
    ");
    assert_snapshot!(failure("overrides: {prices: {west: 1.1}}\n"), @r"
    exit code 3
    error: overrides: no segment is named `west`; known: north, south
    ");
    assert_snapshot!(failure("overrides: {driver_factors: {calls: 2}}\n"), @r"
    exit code 3
    whalecurve.yaml:13:37: overrides: no driver is named `calls`; known: days, lines
      hint: name a driver of `drivers` or of driver_quantities in `overrides.driver_factors`
    ");
}

/// The run of 300 customers with a forecast, and more lines below it.
fn with_forecast(more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
as_of: 1971-12-31
seed: 11
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: a, product_id: p}}}}
  customers: {{path: customers.csv, columns: {{customer_id: c, segment: s}}}}
drivers:
  orders: {{count_distinct: order}}
activities:
  handling: {{level: order, method: driver, driver: orders, cost: 1234.56}}
  upkeep: {{level: customer, method: average, cost: 99.99}}
forecast: {{horizon: 26 weeks, discount_rate_per_year: 0.1, paths: 50}}
{more}"
    ));
    let mut state = 20_261_125_u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % n) as i64
    };
    let mut lines: Vec<(i64, i32, i64)> = Vec::new();
    for customer in 0..300 {
        for _ in 0..=below(6) {
            lines.push((customer, below(700) as i32, 1_000 + below(9_000)));
        }
    }
    let products = ["X", "Y", "Z"];
    job.parquet(
        "l.parquet",
        vec![
            ("c", integers(lines.iter().map(|line| line.0))),
            ("d", days(lines.iter().map(|line| line.1))),
            ("a", cents(lines.iter().map(|line| line.2))),
            ("p", text(lines.iter().map(|line| products[line.2 as usize % 3]))),
        ],
    );
    let rows: Vec<String> = (0..300).map(|n| format!("{n},{}", if n % 3 == 0 { "north" } else { "south" })).collect();
    job.text("customers.csv", &format!("c,s\n{}\n", rows.join("\n")));
    job
}

/// Datasets that have a row for each world.
const WORLDS: [&str; 14] = [
    "customer_profit",
    "customer_profit_total",
    "customer_cost",
    "pool_balance",
    "capacity_use",
    "activity_rate",
    "trace",
    "customer_value",
    "customer_segment",
    "segment_value",
    "customer_equity",
    "whale_curve",
    "new_customer_value",
    "product_profit",
];

#[test]
fn an_override_that_changes_nothing_gives_the_rows_of_the_base_again_to_the_last_bit() {
    for more in ["overrides: {activities: {handling: {cost: 1234.56}}}\n", "overrides: {prices: 1.00}\n"] {
        let job = with_forecast(more);
        job.run(&[]);
        for dataset in WORLDS {
            // A world's rows are a file of their own, or half of one.
            let mut halves = read(&job.path("out"), dataset);
            if halves.len() % 2 == 1 {
                assert_eq!(halves.len(), 1, "{dataset}");
                let (whole, rows) = (&halves[0], halves[0].num_rows() / 2);
                halves = vec![whole.slice(0, rows), whole.slice(rows, whole.num_rows() - rows)];
            }
            let (base, scene) = halves.split_at(halves.len() / 2);
            for (base, scene) in base.iter().zip(scene) {
                for (field, (mine, other)) in
                    base.schema().fields().iter().zip(base.columns().iter().zip(scene.columns()))
                {
                    let same = mine == other;
                    assert_eq!(same, field.name() != "scenario" || mine.is_empty(), "{dataset}.{}", field.name());
                }
            }
        }
        for column in
            ["expected_value_difference", "equity_difference", "equity_difference_p05", "equity_difference_p95"]
        {
            let differences = job.decimals("scenario_difference", column);
            // All customers, two segments, four tiers.
            assert_eq!(differences, [0; 7], "{column}");
        }
    }
}

#[test]
fn another_cost_changes_lifetime_values_tiers_and_equity_and_every_difference_ties() {
    let job = with_forecast("overrides: {activities: {handling: {cost: 9876.54}}}\n");
    job.run(&[]);
    let of_world = |world: &str| -> i128 {
        let rows =
            job.texts("customer_value", "scenario").into_iter().zip(job.decimals("customer_value", "expected_value"));
        rows.filter(|(name, _)| name == world).map(|(_, value)| value).sum()
    };
    let all = |column: &str| job.decimals("scenario_difference", column);
    let (base, other) = (of_world("base"), of_world("what_if"));
    assert!(other < base);
    assert_eq!((all("expected_value_base")[0], all("expected_value_scenario")[0]), (base, other));
    for column in ["expected_value_base", "expected_value_scenario", "expected_value_difference"] {
        let sums = all(column);
        assert_eq!((sums[1] + sums[2], sums[3..].iter().sum::<i128>()), (sums[0], sums[0]), "{column}");
    }
    assert_eq!(pairs(&job, "customer_equity", "equity_mean").len(), 2);
    let equity = job.decimals("customer_equity", "equity_mean");
    assert_eq!((all("equity_base")[0], all("equity_scenario")[0]), (equity[0], equity[1]));
    // More cost is less worth in every future: with the same random numbers no future is better.
    let worse = all("equity_difference_p95");
    assert!(worse.iter().all(|cents| *cents <= 0), "{worse:?}");
    assert!(all("equity_difference_p05")[0] <= all("equity_difference")[0]);
    let purchases = |world: usize| -> Vec<u64> {
        let batches = read(&job.path("out"), "customer_value");
        let column = |batch: &arrow_array::RecordBatch| {
            let column = batch.column_by_name("expected_purchases").unwrap().clone();
            let column = column.as_any().downcast_ref::<arrow_array::Float64Array>().unwrap().clone();
            column.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        batches.iter().flat_map(column).skip(300 * world).take(300).collect()
    };
    assert_eq!(purchases(0), purchases(1), "what customers will buy does not depend on cost");
}

#[test]
fn prices_change_what_a_purchase_brings_of_that_segment_alone() {
    // Without cost all that is sold is kept: twice the price is twice the value, but for the rounding of each customer.
    let job = with_forecast("overrides:\n  prices: 2\n  activities: {handling: {cost: 0}, upkeep: {cost: 0}}\n");
    job.run(&["--set", "activities.handling.cost=0"]);
    let value = |column: &str| job.decimals("scenario_difference", column);
    assert_eq!(value("net_revenue_scenario")[0], 2 * value("net_revenue_base")[0]);
    let free = with_forecast("");
    let config = std::fs::read_to_string(free.path("whalecurve.yaml")).unwrap();
    let config = config.replace("1234.56", "0").replace("99.99", "0");
    free.text("whalecurve.yaml", &format!("{config}overrides: {{prices: {{north: 2, south: 1}}}}\n"));
    free.run(&[]);
    let value = |column: &str| free.decimals("scenario_difference", column);
    let (base, other) = (value("expected_value_base"), value("expected_value_scenario"));
    // All, north, south.
    assert!((other[1] - 2 * base[1]).abs() <= 100, "{other:?} {base:?}");
    assert_eq!(other[2], base[2]);
    // So it is with the next customer of either segment.
    let next = |column: &str| -> Vec<i128> {
        let rows = free.texts("new_customer_value", "grouping").into_iter();
        let rows = rows.zip(free.decimals("new_customer_value", column));
        rows.filter(|(by, _)| by == "segment").map(|(_, value)| value).collect()
    };
    for column in ["expected_value", "expected_spend"] {
        let found = next(column);
        let [north, south, north_at_twice, south_as_before] = found[..] else { panic!("{found:?}") };
        assert!(north > 0 && (north_at_twice - 2 * north).abs() <= 1, "{column}: {found:?}");
        assert_eq!(south, south_as_before);
    }
    assert_eq!(job.texts("product_profit", "scenario").len(), 6);
    let revenue = job.decimals("product_profit", "net_revenue");
    assert_eq!(revenue[3..].iter().sum::<i128>(), 2 * revenue[..3].iter().sum::<i128>());
}

#[test]
fn objects_are_costed_in_both_worlds() {
    let job = with_forecast("overrides: {activities: {handling: {cost: {factor: 2}}}}\n");
    job.run(&["--cost-object", "product"]);
    let allocated = pairs(&job, "object_balance", "allocated");
    let of = |name: &str| allocated.iter().filter(|row| row.0 == name).map(|row| row.1).sum::<i128>();
    assert_eq!((of("base"), of("what_if")), (123_456, 246_912));
    let cost = pairs(&job, "object_cost", "amount");
    assert_eq!(cost.iter().map(|row| row.1).sum::<i128>(), 3 * 123_456);
}

/// Lines of two segments, and of a customer without one, in two months; some without a product, one a return.
fn with_products(more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
period: month
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: a, discount: r, product_id: p, order_id: o}}}}
  customers: {{path: customers.csv, columns: {{customer_id: c, segment: s}}}}
drivers: {{lines: count}}
activities:
  handling: {{level: order, method: revenue, cost: 12.34}}
{more}"
    ));
    job.text("customers.csv", "c,s\n1,north\n2,south\n3,\n");
    job.parquet(
        "l.parquet",
        vec![
            ("c", integers([1, 2, 1, 3, 2, 4, 1, 3])),
            ("d", days([1, 1, 2, 3, 40, 41, 42, 43])),
            ("a", cents([1_005, 2_003, -307, 411, 507, 613, 711, 813])),
            ("r", cents([0, 3, 0, 7, 0, 0, 11, 0])),
            ("p", text(["x", "x", "x", "y", "", "y", "x", ""])),
            ("o", text(["1", "2", "3", "4", "5", "6", "7", "8"])),
        ],
    );
    job
}

#[test]
fn products_and_orders_follow_prices_of_segments_and_add_up_to_the_customers() {
    let world = |dataset: &str, name: &str, job: &Job, column: &str| -> Vec<i128> {
        let rows = pairs(job, dataset, column);
        rows.into_iter().filter(|(world, _)| world == name).map(|(_, amount)| amount).collect()
    };
    let job = with_products("overrides: {prices: {north: 2, south: 0.333}}\n");
    job.run(&[]);
    // x: north 10.05 + 7.11 of sales, 3.07 returned, discount 0.11, all twice; south 20.03 and discount 0.03 at a third.
    // The lines without a product: south 5.07 at a third; the price of 3 stays; 4 is rejected, because the customers table does not know it.
    let products = |column| world("product_profit", "what_if", &job, column);
    let sales = |amount: f64| (amount * 100.0).round() as i128;
    let expected =
        [sales(2.0 * 10.05 + 2.0 * 7.11) + sales(20.03 * 0.333), sales(4.11), sales(5.07 * 0.333) + sales(8.13)];
    assert_eq!(products("gross_sales"), expected);
    assert_eq!(products("returns"), [614, 0, 0]);
    assert_eq!(products("discount"), [23, 7, 0]);
    assert_eq!(world("product_profit", "base", &job, "gross_sales"), [3_719, 411, 1_320]);
    let tie = |job: &Job, dataset: &str| {
        for name in ["base", "what_if"] {
            for column in ["gross_sales", "returns", "discount", "net_revenue", "order_cost"] {
                let of = |dataset| world(dataset, name, job, column).iter().sum::<i128>();
                assert_eq!(of(dataset), of("customer_profit"), "{name} {column}");
            }
        }
    };
    tie(&job, "product_profit");
    // One price for everybody: customers' roundings are the objects' too.
    let all = with_products("overrides: {prices: 0.333}\n");
    all.run(&[]);
    tie(&all, "product_profit");
    for prices in ["{prices: 0.333}", "{prices: {north: 2, south: 0.333, (none): 1.7}}"] {
        let orders = with_products(&format!("overrides: {prices}\n"));
        orders.run(&[]);
        let customers = world("customer_profit_total", "what_if", &orders, "net_revenue").iter().sum::<i128>();
        orders.run(&["--cost-object", "order"]);
        let objects = world("object_profit", "what_if", &orders, "net_revenue");
        assert_eq!((objects.len(), objects.iter().sum::<i128>()), (7, customers), "{prices}");
    }
}
