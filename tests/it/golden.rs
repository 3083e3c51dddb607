//! Worked examples from the literature, through the whole flow.

use crate::support::{Job, cents, days, integers, text};

/// The customer profitability case of Horngren, Datar & Rajan, Cost Accounting (2012), ch. 14, with a fifth customer at a
/// discount. Cost of goods 12 a case; an order 100, a visit 80, a delivery mile 2, a case handled 0.50, expediting 300.
pub(crate) mod spring_distribution {
    use super::*;

    const CASES: [i64; 5] = [2_080, 8_750, 60_800, 31_800, 3_900];
    const PRICE: [i64; 5] = [1_440, 1_416, 1_320, 1_392, 1_296];
    const ORDERS: [i64; 5] = [15, 25, 30, 25, 30];
    const VISITS: [i64; 5] = [2, 3, 6, 2, 3];
    const MILES: [i64; 5] = [140, 120, 180, 320, 800];
    const EXPEDITED: [i64; 5] = [0, 0, 0, 0, 1];

    /// Everything of its config before the drivers that are taken from the ledger, and the activities.
    pub(crate) const HEAD: &str = "
version: 1
currency: USD
inputs:
  transactions:
    path: ledger.parquet
    columns: {customer_id: customer, date: day, amount: amount, product_cost: cost, quantity: cases}
  driver_quantities: {path: used.csv, columns: {customer_id: customer, driver: driver, quantity: quantity}}
";

    /// Its ledger and what its customers used, with a config.
    pub(crate) fn job(config: &str) -> Job {
        let job = Job::new(config);
        let rows = 0..5;
        job.parquet(
            "ledger.parquet",
            vec![
                ("customer", text(["P", "Q", "R", "S", "T"])),
                ("day", days(rows.clone().map(|_| 100))),
                ("amount", cents(rows.clone().map(|row| CASES[row] * PRICE[row]))),
                ("cost", cents(rows.clone().map(|row| CASES[row] * 1_200))),
                ("cases", integers(rows.clone().map(|row| CASES[row]))),
            ],
        );
        let drivers = [("orders", ORDERS), ("visits", VISITS), ("miles", MILES), ("expedited", EXPEDITED)];
        let line = |row: usize, (driver, used): (&str, [i64; 5])| {
            format!("{},{driver},{}\n", ["P", "Q", "R", "S", "T"][row], used[row])
        };
        let used: String = rows.flat_map(|row| drivers.map(|driver| line(row, driver))).collect();
        job.text("used.csv", &format!("customer,driver,quantity\n{used}"));
        job
    }

    #[test]
    fn activity_based_costing_gives_the_published_profits() {
        let job = job(&format!(
            "{HEAD}\
drivers:
  cases: {{sum: cases}}
activities:
  order_taking: {{level: order, method: driver, driver: orders, cost: 12500.00}}
  visits: {{level: customer, method: driver, driver: visits, cost: 1280.00}}
  delivery: {{level: order, method: driver, driver: miles, cost: 3120.00}}
  handling: {{level: order, method: driver, driver: cases, cost: 53665.00}}
  expediting: {{level: order, method: driver, driver: expedited, cost: 300.00}}
"
        ));
        job.run(&[]);
        let whole = |column: &str| -> Vec<i128> {
            job.decimals("customer_profit_total", column).into_iter().map(|cents| cents / 100).collect()
        };
        assert_eq!(whole("cm1"), [4_992, 18_900, 72_960, 61_056, 3_744]);
        assert_eq!(whole("cm3"), [2_012, 11_545, 38_720, 41_856, -3_346]);
        assert_eq!(job.sum("customer_cost", "amount"), 7_086_500);
        assert_eq!(job.sum("customer_profit_total", "cm3"), 9_078_700);
        // Whale curve S, R, Q, P, T.
        let curve: Vec<i128> =
            job.decimals("whale_curve", "cumulative_profit").into_iter().map(|cents| cents / 100).collect();
        assert_eq!(curve, [41_856, 80_576, 92_121, 94_133, 90_787]);
    }

    #[test]
    fn by_revenue_the_losing_customer_turns_to_a_profit() {
        let job = job(&format!("{HEAD}activities:\n  service: {{level: customer, method: revenue, cost: 70865.00}}\n"));
        job.run(&[]);
        assert_eq!(job.decimals("customer_cost", "amount"), [146_422, 605_691, 3_923_354, 2_163_946, 247_087]);
        assert_eq!(job.decimals("customer_profit_total", "cm3")[4], 127_313);
    }
}

#[test]
fn a_pool_without_driver_stays_visible_as_unassigned() {
    let job = Job::new(
        "
version: 1
currency: EUR
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}
drivers:
  returns: {count: lines, where: \"a < 0\"}
activities:
  returns_handling: {level: order, method: driver, driver: returns, cost: 500.00}
",
    );
    job.parquet("l.parquet", vec![("c", integers([1, 2])), ("d", days([1, 1])), ("a", cents([100, 200]))]);
    job.run(&[]);
    assert_eq!(job.decimals("pool_balance", "unassigned"), [50_000]);
    assert_eq!(job.texts("pool_balance", "unassigned_reason"), ["no_driver"]);
    assert_eq!(job.sum("customer_profit", "cm3"), 300);
}

#[test]
fn returns_are_netted_shown_apart_or_dropped_with_their_count() {
    let with = |policy: &str| {
        let job = Job::new(&format!(
            "version: 1\ncurrency: EUR\ninputs:\n  transactions: {{path: l.parquet, returns: {policy}, columns: \
             {{customer_id: c, date: d, amount: a}}}}\n"
        ));
        let columns = vec![("c", integers([1, 1, 2])), ("d", days([1, 2, 2])), ("a", cents([10_000, -2_500, 300]))];
        job.parquet("l.parquet", columns);
        let manifest = job.run(&[]);
        let column = |name: &str| job.decimals("customer_profit_total", name);
        (column("gross_sales"), column("returns"), column("net_revenue"), manifest["balances"]["transactions"].clone())
    };
    let (gross, returns, net, _) = with("net");
    assert_eq!((gross, returns, net), (vec![7_500, 300], vec![0, 0], vec![7_500, 300]));
    let (gross, returns, net, _) = with("separate");
    assert_eq!((gross, returns, net), (vec![10_000, 300], vec![2_500, 0], vec![7_500, 300]));
    let (gross, returns, net, balance) = with("drop");
    assert_eq!((gross, returns, net), (vec![10_000, 300], vec![0, 0], vec![10_000, 300]));
    assert_eq!(balance["rejected"], serde_json::json!({"rows": 1, "amount": -2_500}));
}

#[test]
fn float_prices_are_rounded_once_half_to_even() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, date: d, \
         quantity: q, unit_price: p}}\n",
    );
    // 3 × 0.335 = 1.005 → 1.00, 1 × 0.015 → 0.02, 5 × 0.005 = 0.025 → 0.02, 7 × 0.1 = 0.70.
    let columns = vec![
        ("c", integers([1, 2, 3, 4])),
        ("d", days([1, 1, 1, 1])),
        ("q", integers([3, 1, 5, 7])),
        ("p", crate::support::floats([0.335, 0.015, 0.005, 0.1])),
    ];
    job.parquet("l.parquet", columns);
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [100, 2, 2, 70]);
}

#[test]
fn a_capital_charge_is_what_the_reference_says() {
    // Sales of 1,000,000 that take 90 days to collect bind 1,000,000 · 90 / 365 = 246,575.34 on average over a year; at 10 %
    // a year that costs 24,657.53.
    let job = Job::new(
        "
version: 1
currency: EUR
as_of: 1970-12-31
period: year
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}
  receivables: {path: r.csv, columns: {customer_id: c, balance: b, period: p}}
capital_charge: {rate_per_year: 0.10}
",
    );
    job.parquet("l.parquet", vec![("c", integers([1])), ("d", days([0])), ("a", cents([100_000_000]))]);
    job.text("r.csv", "c,b,p\n1,246575.34,1970\n");
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit", "capital_charge"), [2_465_753]);
    assert_eq!(job.decimals("customer_profit", "economic_profit"), [100_000_000 - 2_465_753]);
}

#[test]
fn yen_have_no_minor_unit_and_dinars_three_digits() {
    let with = |currency: &str, amount: f64| {
        let job = Job::new(&format!(
            "version: 1\ncurrency: {currency}\ninputs:\n  transactions: {{path: l.parquet, columns: {{customer_id: c, \
             date: d, amount: a}}}}\nactivities:\n  upkeep: {{level: customer, method: average, cost: 7}}\n"
        ));
        let columns =
            vec![("c", integers([1, 2])), ("d", days([1, 1])), ("a", crate::support::floats([amount, amount]))];
        job.parquet("l.parquet", columns);
        job.run(&[]);
        (job.decimals("customer_profit_total", "net_revenue"), job.sum("customer_cost", "amount"))
    };
    assert_eq!(with("JPY", 1_234.5), (vec![1_234, 1_234], 7));
    assert_eq!(with("KWD", 1.234_5), (vec![1_234, 1_234], 7_000));
}

#[test]
fn the_day_of_a_zoned_timestamp_is_the_day_in_its_zone() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\nperiod: month\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, date: \
         t, amount: a}}\n",
    );
    // 2024-03-31 22:30 UTC is half past midnight of April 1 in Berlin, where summer time has begun that day.
    let instant = arrow_array::TimestampMillisecondArray::from_iter_values([1_711_924_200_000]);
    let zoned = std::sync::Arc::new(instant.with_timezone("Europe/Berlin"));
    job.parquet("l.parquet", vec![("c", integers([1])), ("t", zoned), ("a", cents([100]))]);
    job.run(&[]);
    assert_eq!(job.texts("customer_profit", "period"), ["2024-04"]);
}

#[test]
fn single_precision_prices_are_the_decimals_that_a_person_sees() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: \
         a}}\n",
    );
    let amounts = std::sync::Arc::new(arrow_array::Float32Array::from_iter_values([1.015, 0.1]));
    let columns: Vec<(&str, arrow_array::ArrayRef)> =
        vec![("c", crate::support::unsigned([7, 8])), ("d", days([1, 1])), ("a", amounts)];
    job.parquet("l.parquet", columns);
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [102, 10]);
}

#[test]
fn driver_quantities_that_stand_twice_add_up_when_the_contract_says_so() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\ninputs:\n  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: \
         a}}\n  driver_quantities: {path: q.csv, columns: {customer_id: c, driver: d, quantity: q}}\ncontract: \
         {driver_quantities: {duplicate_key: sum}}\nactivities: {a: {level: order, method: driver, driver: calls, cost: 5.00}}\n",
    );
    job.parquet("l.parquet", vec![("c", integers([1, 2])), ("d", days([1, 1])), ("a", cents([100, 200]))]);
    job.text("q.csv", "c,d,q\n1,calls,1\n1,calls,2\n2,calls,2\n");
    job.run(&[]);
    assert_eq!(job.decimals("customer_cost", "driver_quantity"), [3_000_000, 2_000_000]);
    assert_eq!(job.decimals("customer_cost", "amount"), [300, 200]);
    assert_eq!(job.sum("rejected", "amount"), 0);
}

#[test]
fn only_the_outputs_that_are_named_are_written() {
    let job = Job::new(
        "version: 1\ncurrency: EUR\noutputs: [pool_balance, customer_cost]\ninputs:\n  transactions: {path: l.parquet, \
         columns: {customer_id: c, date: d, amount: a}}\nactivities: {a: {level: order, method: revenue, cost: 3.00}}\n",
    );
    job.parquet("l.parquet", vec![("c", integers([1, 2])), ("d", days([1, 1])), ("a", cents([100, 200]))]);
    job.run(&[]);
    assert_eq!(job.decimals("customer_cost", "amount"), [100, 200]);
    let mut folders: Vec<String> = std::fs::read_dir(job.path("out"))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, ["customer_cost", "pool_balance"]);
}
