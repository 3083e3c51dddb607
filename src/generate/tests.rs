//! What must hold of a whole generated company, read back from its files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::fs::File;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, RecordBatch};
use camino::{Utf8Path, Utf8PathBuf};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

const SCENARIO: Scenario =
    Scenario { size: Size { customers: 3_000, transactions: 30_001 }, seed: 7, population: Population::ByChannel };

struct Generated {
    _guard: tempfile::TempDir,
    dir: Utf8PathBuf,
    summary: Summary,
}

fn generated(scenario: Scenario, threads: usize) -> Generated {
    let guard = tempfile::tempdir().unwrap();
    let dir = Utf8PathBuf::from_path_buf(guard.path().join("company")).unwrap();
    let summary = generate(scenario, Some(threads), &dir, &|_| {}).unwrap();
    Generated { _guard: guard, dir, summary }
}

/// Every file below `dir`, by its path.
fn files(dir: &Utf8Path) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(dir).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

impl Generated {
    fn batches(&self, table: &str) -> Vec<RecordBatch> {
        let names: BTreeSet<Utf8PathBuf> =
            self.dir.join(table).read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
        names
            .iter()
            .flat_map(|path| {
                ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap()
            })
            .map(Result::unwrap)
            .collect()
    }

    fn column<T>(&self, table: &str, column: &str, read: impl Fn(&ArrayRef) -> Vec<T>) -> Vec<T> {
        self.batches(table).iter().flat_map(|batch| read(batch.column_by_name(column).unwrap())).collect()
    }

    fn longs(&self, table: &str, column: &str) -> Vec<i64> {
        self.column(table, column, |array| array.as_primitive::<Int64Type>().values().to_vec())
    }

    fn ints(&self, table: &str, column: &str) -> Vec<i32> {
        self.column(table, column, |array| array.as_primitive::<Int32Type>().values().to_vec())
    }

    fn days(&self, table: &str, column: &str) -> Vec<i32> {
        self.column(table, column, |array| array.as_primitive::<Date32Type>().values().to_vec())
    }

    fn floats(&self, table: &str, column: &str) -> Vec<f64> {
        self.column(table, column, |array| array.as_primitive::<Float64Type>().values().to_vec())
    }

    fn cents(&self, table: &str, column: &str) -> Vec<i128> {
        self.column(table, column, |array| array.as_primitive::<Decimal128Type>().values().to_vec())
    }

    fn texts(&self, table: &str, column: &str) -> Vec<String> {
        self.column(table, column, |array| {
            array.as_string::<i32>().iter().map(|text| text.unwrap_or("").to_owned()).collect()
        })
    }

    fn lines(&self) -> Vec<Row> {
        let customers = self.longs("transactions", "customer_id");
        let orders = self.longs("transactions", "order_id");
        let days = self.days("transactions", "date");
        let products = self.ints("transactions", "product_id");
        let quantities = self.ints("transactions", "quantity");
        let amounts = self.cents("transactions", "amount");
        let discounts = self.cents("transactions", "discount");
        (0..customers.len())
            .map(|i| Row {
                customer: customers[i],
                order: orders[i],
                day: days[i],
                product: products[i],
                quantity: quantities[i],
                amount: amounts[i],
                discount: discounts[i],
            })
            .collect()
    }
}

/// Customer, day, and units and cents by product of one order.
type Sold = (i64, i32, BTreeMap<i32, (i32, i128)>);

struct Row {
    customer: i64,
    order: i64,
    day: i32,
    product: i32,
    quantity: i32,
    amount: i128,
    discount: i128,
}

#[test]
fn the_same_scenario_gives_the_same_bytes_on_one_two_and_eight_threads() {
    let one = files(&generated(SCENARIO, 1).dir);
    assert_eq!(one.keys().filter(|path| path.extension() == Some("parquet")).count(), 9);
    for threads in [2, 8] {
        assert!(one == files(&generated(SCENARIO, threads).dir), "{threads} threads");
    }
}

#[test]
fn another_seed_gives_another_company() {
    let one = files(&generated(SCENARIO, 2).dir);
    let other = files(&generated(Scenario { seed: 8, ..SCENARIO }, 2).dir);
    let path = Utf8Path::new("transactions/part-00000.parquet");
    assert!(one[path] != other[path]);
}

#[test]
fn the_ledger_has_exactly_the_rows_asked_for_in_date_order_within_the_span() {
    for (customers, transactions) in [(1, 2), (1, 500), (40, 80), (3_000, 30_001), (100, 20_000)] {
        let size = Size { customers, transactions };
        let company = generated(Scenario { size, ..SCENARIO }, 2);
        let days = company.days("transactions", "date");
        assert_eq!(days.len() as u64, transactions);
        assert_eq!(company.summary.transactions, transactions);
        assert!(days.is_sorted() && START <= days[0] && days[days.len() - 1] <= AS_OF);
    }
}

#[test]
fn lines_refer_to_customers_and_products_and_every_customer_buys_on_the_day_it_is_acquired() {
    let company = generated(SCENARIO, 2);
    let customers = company.longs("customers", "customer_id");
    assert_eq!(customers, (1..=3_000).collect::<Vec<i64>>());
    let products: BTreeSet<i32> = company.ints("products", "product_id").into_iter().collect();
    assert_eq!(products.len() as u64, company.summary.products);
    let mut first = BTreeMap::new();
    for line in company.lines() {
        assert!(products.contains(&line.product));
        first.entry(line.customer).or_insert(line.day);
    }
    let acquired = company.days("customers", "acquired");
    assert_eq!(first, customers.into_iter().zip(acquired).collect());
}

#[test]
fn orders_belong_to_one_customer_are_numbered_by_time_and_returns_follow_their_purchase() {
    let company = generated(SCENARIO, 2);
    let mut orders: BTreeMap<i64, Sold> = BTreeMap::new();
    let mut returns = 0;
    let mut newest = 0;
    for line in company.lines() {
        if line.quantity > 0 {
            assert!(line.amount > 0 && (0..=line.amount).contains(&line.discount));
            assert!(line.order == newest || line.order == newest + 1);
            newest = line.order;
            let (customer, day, sold) = orders.entry(line.order).or_insert((line.customer, line.day, BTreeMap::new()));
            assert_eq!((*customer, *day), (line.customer, line.day));
            let (units, cents) = sold.entry(line.product).or_default();
            (*units, *cents) = (*units + line.quantity, *cents + line.amount);
        } else {
            returns += 1;
            assert!(line.amount < 0 && line.discount == 0);
            let (customer, day, sold) = &orders[&line.order];
            let (units, cents) = sold[&line.product];
            assert_eq!(*customer, line.customer);
            assert!((1..=30).contains(&(line.day - day)));
            assert!(-line.quantity <= units && -line.amount <= cents);
        }
    }
    assert_eq!((orders.len() as u64, returns), (company.summary.orders, company.summary.returns));
}

/// The share of returns is 3 % less those after the end; 900 returns have a standard error of 0.1 %.
const RETURN_SHARES: std::ops::RangeInclusive<f64> = 0.025..=0.034;

#[test]
fn about_three_lines_in_a_hundred_are_returns() {
    let summary = generated(SCENARIO, 2).summary;
    let share = summary.returns as f64 / summary.transactions as f64;
    assert!(RETURN_SHARES.contains(&share), "{share}");
}

#[test]
fn truth_ties_to_the_ledger() {
    let company = generated(SCENARIO, 2);
    let mut net: BTreeMap<i64, i128> = BTreeMap::new();
    let mut orders: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    let mut gross = 0;
    for line in company.lines() {
        *net.entry(line.customer).or_default() += line.amount - line.discount;
        orders.entry(line.customer).or_default().insert(line.order);
        gross += line.amount.max(0);
    }
    assert_eq!(gross, company.summary.gross);
    assert_eq!(company.cents("truth", "net_revenue"), net.into_values().collect::<Vec<i128>>());
    let counted: Vec<i64> = orders.into_values().map(|orders| orders.len() as i64).collect();
    assert_eq!(company.longs("truth", "orders"), counted);
    assert!(company.cents("truth", "net_revenue").iter().all(|cents| *cents >= 0));
}

#[test]
fn true_costs_sum_to_what_the_pools_say_was_used() {
    let company = generated(SCENARIO, 2);
    let used = company.cents("pools", "used");
    let amounts = company.cents("pools", "amount");
    assert_eq!(company.cents("truth", "true_cost_to_serve").iter().sum::<i128>(), used.iter().sum::<i128>());
    assert!(used.iter().zip(&amounts).all(|(used, amount)| 0 < *used && used <= amount));
    assert_eq!(company.texts("pools", "activity"), company.texts("activities", "activity"));
}

#[test]
fn a_pool_that_a_table_drives_is_used_at_its_unit_rate() {
    let company = generated(SCENARIO, 2);
    let mut quantities: BTreeMap<String, i128> = BTreeMap::new();
    let drivers = company.texts("driver_quantities", "driver");
    for (driver, quantity) in drivers.into_iter().zip(company.cents("driver_quantities", "quantity")) {
        assert!(quantity > 0);
        *quantities.entry(driver).or_default() += quantity;
    }
    assert_eq!(
        quantities.keys().collect::<Vec<_>>(),
        ["calls", "deliveries", "expedites", "picking_minutes", "visits"]
    );
    let used = company.cents("pools", "used");
    let (capacity, amounts) = (company.cents("pools", "practical_capacity"), company.cents("pools", "amount"));
    for (position, driver) in company.texts("activities", "driver").iter().enumerate() {
        if let Some(quantity) = quantities.get(driver) {
            // used / quantity = amount / capacity, without division.
            assert_eq!(used[position] * capacity[position], amounts[position] * quantity, "{driver}");
        }
    }
}

#[test]
fn keys_are_unique_and_side_tables_refer_to_customers() {
    let company = generated(SCENARIO, 2);
    let keys: Vec<(i64, String)> = company
        .longs("driver_quantities", "customer_id")
        .into_iter()
        .zip(company.texts("driver_quantities", "driver"))
        .collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    for (table, column) in [("truth", "customer_id"), ("receivables", "customer_id"), ("referrals", "referred_id")] {
        let ids = company.longs(table, column);
        assert!(ids.len() > 100, "{table}");
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{table}");
        assert!(ids.iter().all(|id| (1..=3_000).contains(id)), "{table}");
    }
    let referrers = company.longs("referrals", "referrer_id");
    assert!(referrers.iter().zip(company.longs("referrals", "referred_id")).all(|(by, whom)| *by < whom));
}

#[test]
fn a_dropout_is_a_purchase_day_and_the_dead_expect_nothing() {
    let company = generated(SCENARIO, 2);
    let days: BTreeSet<(i64, i32)> =
        company.lines().iter().filter(|line| line.quantity > 0).map(|line| (line.customer, line.day)).collect();
    let alive = company.column("truth", "alive", |array| array.as_boolean().iter().map(Option::unwrap).collect());
    let dropouts = company.column("truth", "dropout_date", |array| {
        array.as_primitive::<Date32Type>().iter().collect::<Vec<Option<i32>>>()
    });
    let expected = company.floats("truth", "expected_purchases_52_weeks");
    for (i, alive) in alive.iter().enumerate() {
        assert_eq!(*alive, dropouts[i].is_none());
        assert_eq!(*alive, expected[i] > 0.0);
        if let Some(day) = dropouts[i] {
            assert!(days.contains(&(i as i64 + 1, day)));
        }
    }
    assert_eq!(alive.iter().filter(|alive| **alive).count() as u64, company.summary.alive);
    assert!((0.3..0.9).contains(&(company.summary.alive as f64 / 3_000.0)));
}

/// Standard errors allowed between an empirical mean and its theory: left once in 15,000 seeds.
const STANDARD_ERRORS: f64 = 4.0;

#[test]
fn an_orders_amounts_average_to_the_customers_true_spend() {
    let company = generated(SCENARIO, 2);
    let mut gross = vec![0.0; 3_000];
    for line in company.lines() {
        gross[line.customer as usize - 1] += line.amount.max(0) as f64 / 100.0;
    }
    let spend = company.floats("truth", "mean_spend");
    let orders = company.longs("truth", "orders");
    // A customer's total has mean n·s and variance n·s²/p: standardised, it has mean 0 and variance 1.
    let mean = (0..3_000)
        .map(|i| {
            let n = orders[i] as f64;
            (gross[i] - n * spend[i]) / (spend[i] * (n / 6.0).sqrt())
        })
        .sum::<f64>()
        / 3_000.0;
    assert!(mean.abs() < STANDARD_ERRORS / 3_000_f64.sqrt(), "{mean}");
}

#[test]
fn one_population_has_the_same_parameters_in_every_channel() {
    let company = generated(Scenario { population: Population::One, ..SCENARIO }, 2);
    let text = fs::read_to_string(company.dir.join("parameters.json")).unwrap();
    let parameters: serde_json::Value = serde_json::from_str(&text).unwrap();
    let channels = parameters["bg_nbd"]["channels"].as_array().unwrap();
    assert_eq!(channels.len(), 4);
    for channel in channels {
        for name in ["alpha", "a", "b"] {
            assert_eq!(channel[name], channels[0][name]);
        }
    }
}

#[test]
fn the_config_names_columns_that_are_there() {
    let company = generated(SCENARIO, 2);
    let config = fs::read_to_string(company.dir.join("whalecurve.yaml")).unwrap();
    assert!(config.contains("as_of: 2024-12-29"));
    for (table, columns) in [
        ("transactions", &["customer_id", "date", "order_id", "amount", "quantity", "discount", "product_id"][..]),
        ("customers", &["customer_id", "channel"]),
        ("products", &["product_id", "unit_cost"]),
        ("pools", &["activity", "amount"]),
        ("activities", &["activity", "level", "method", "driver"]),
        ("driver_quantities", &["customer_id", "driver", "quantity"]),
        ("receivables", &["customer_id", "balance"]),
    ] {
        assert!(config.contains(&format!("path: {table}")), "{table}");
        let schema = company.batches(table)[0].schema();
        for column in columns {
            assert!(schema.column_with_name(column).is_some() && config.contains(&format!(": {column}")));
        }
    }
}

#[test]
fn progress_ends_at_the_total() {
    let guard = tempfile::tempdir().unwrap();
    let dir = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
    let last = std::sync::Mutex::new(Vec::new());
    generate(SCENARIO, Some(1), &dir, &|progress| last.lock().unwrap().push(progress)).unwrap();
    for (stage, total) in [(Stage::Survey, 3_000), (Stage::Transactions, 30_001), (Stage::Customers, 3_000)] {
        let found = last.lock().unwrap().iter().rfind(|progress| progress.stage == stage).copied();
        assert_eq!(found, Some(Progress { stage, done: total, total }));
    }
}

#[test]
fn a_refused_size_leaves_no_folder() {
    let guard = tempfile::tempdir().unwrap();
    let dir = Utf8PathBuf::from_path_buf(guard.path().join("new")).unwrap();
    let size = Size { customers: 10, transactions: 19 };
    assert!(generate(Scenario { size, ..SCENARIO }, Some(1), &dir, &|_| {}).is_err());
    assert!(!dir.exists());
}
