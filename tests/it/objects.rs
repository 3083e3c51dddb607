//! Products, orders, channels and regions as cost objects: a case worked out by hand, laws, messages.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{ArrayRef, Int64Array, StringArray};
use insta::assert_snapshot;
use proptest::prelude::*;
use whalecurve::schema::settings::WITHOUT_GROUPS;

use crate::support::{Job, cents, days, integers, text, whalecurve, without_stages};

fn optional_text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(values.iter().copied().collect::<StringArray>())
}

/// A buys X and Y in order 1 on day 1 and gives back an X in order 2; B buys Y and something without a product in order 3.
/// Net revenue: X 80, Y 200, no product 10; A 130, B 160.
///
/// - picking, 10.00 by lines: 2, 2 and 1;
/// - handling, 9.00 by distinct orders: X in 1 and 2, Y in 1 and 3, no product in 3;
/// - storage, 29.00 by net revenue: 80, 200, 10;
/// - calls (level customer), visits (a driver of customers) and brand (level company) reach no product.
fn job(more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
inputs:
  transactions:
    path: l.parquet
    columns: {{customer_id: c, date: d, order_id: o, product_id: p, amount: a, product_cost: k, quantity: q}}
  driver_quantities: {{path: q.csv, columns: {{customer_id: c, driver: driver, quantity: n}}}}
{more}drivers:
  lines: count
  orders: {{count_distinct: order}}
activities:
  picking: {{level: unit, method: driver, driver: lines, cost: 10.00}}
  handling: {{level: order, method: driver, driver: orders, cost: 9.00}}
  storage: {{level: product, method: revenue, cost: 29.00}}
  calls: {{level: customer, method: driver, driver: calls, cost: 5.00}}
  visits: {{level: order, method: driver, driver: visits, cost: 3.00}}
  brand: {{level: company, method: revenue, cost: 7.00}}
  fair: {{level: channel, method: average, cost: 2.01}}
"
    ));
    job.parquet(
        "l.parquet",
        vec![
            ("c", text(["A", "A", "A", "B", "B"])),
            ("d", days([1, 1, 9, 2, 2])),
            ("o", integers([1, 1, 2, 3, 3])),
            ("p", optional_text(&[Some("X"), Some("Y"), Some("X"), Some("Y"), None])),
            ("a", cents([10_000, 5_000, -2_000, 15_000, 1_000])),
            ("k", cents([4_000, 3_000, -800, 9_000, 0])),
            ("q", integers([2, 1, -1, 3, 1])),
        ],
    );
    job.text("q.csv", "c,driver,n\nA,calls,1\nB,calls,1\nA,visits,1\n");
    job.text("customers.csv", "c,channel\nA,web\nB,shop\n");
    job
}

const CUSTOMERS: &str = "  customers: {path: customers.csv, columns: {customer_id: c, channel: channel}}\n";

#[test]
fn products_bear_what_can_be_measured_per_product_and_the_rest_stays() {
    let job = job("");
    job.run(&[]);
    let money = |column: &str| job.decimals("product_profit", column);
    assert_eq!(job.optional_texts("product_profit", "product_id"), [Some("X".to_owned()), Some("Y".to_owned()), None]);
    assert_eq!(money("gross_sales"), [10_000, 20_000, 1_000]);
    assert_eq!(money("returns"), [2_000, 0, 0]);
    assert_eq!(money("net_revenue"), [8_000, 20_000, 1_000]);
    assert_eq!(money("product_cost"), [3_200, 12_000, 0]);
    assert_eq!(money("product_activity_cost"), [400 + 800, 400 + 2_000, 200 + 100]);
    assert_eq!(money("cm1"), [3_600, 5_600, 700]);
    assert_eq!(money("order_cost"), [360, 360, 180]);
    assert_eq!(money("margin"), [3_240, 5_240, 520]);
    assert_eq!(money("units"), [1_000_000, 4_000_000, 1_000_000]);
    assert_eq!(job.whole_numbers("product_profit", "customers"), [Some(1), Some(2), None]);
    // A begins with X and Y on one day, B with Y.
    assert_eq!(job.whole_numbers("product_profit", "entered_customers"), [Some(1), Some(2), None]);
    let reasons: Vec<String> = job
        .texts("product_balance", "activity")
        .into_iter()
        .zip(job.optional_texts("product_balance", "stays_reason"))
        .zip(job.decimals("product_balance", "stays"))
        .map(|((activity, reason), stays)| {
            format!("{activity}: {stays} {}", reason.unwrap_or_default()).trim_end().to_owned()
        })
        .collect();
    assert_snapshot!(reasons.join("\n"), @r"
    brand: 700 level company
    calls: 500 level customer
    fair: 201 level channel
    handling: 0
    picking: 0
    storage: 0
    visits: 300 driver visits is known per customer
    ");
    assert_eq!(job.sum("product_balance", "residual"), 0);
    // Every column of money is the customers' own, in other groups.
    for column in ["net_revenue", "product_cost", "product_activity_cost", "cm1"] {
        assert_eq!(job.sum("product_profit", column), job.sum("customer_profit", column), "{column}");
    }
}

/// A fifth of the hall is used. It is the channels' own, so that nobody below them has taken the rest.
#[test]
fn what_is_unused_of_a_channels_own_capacity_is_told_at_the_channel() {
    let job = Job::new(
        "
version: 1
currency: EUR
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}
  customers: {path: customers.csv, columns: {customer_id: c, channel: channel}}
drivers: {lines: count}
activities:
  hall: {level: channel, method: driver, driver: lines, capacity: 10, unused_to: idle, cost: 100.00}
  idle: {level: channel, method: average}
",
    );
    let ledger = vec![("c", text(["A", "B"])), ("d", days([1, 2])), ("a", cents([10_000, 5_000]))];
    job.parquet("l.parquet", ledger).text("customers.csv", "c,channel\nA,web\nB,shop\n");
    job.run(&["--cost-object", "channel"]);
    let part = |column: &str| job.sum("object_balance", column);
    assert_eq!((part("allocated"), part("unused"), part("residual")), (2_000, 8_000, 0));
}

/// Two lines use a fifth of the desk; what the rest of it costs goes to the channels.
#[test]
fn balances_of_objects_tie_where_unused_cost_goes_to_another_activity() {
    let job = Job::new(
        "
version: 1
currency: EUR
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, order_id: o, product_id: p, amount: a}}
  customers: {path: customers.csv, columns: {customer_id: c, channel: channel}}
drivers: {lines: count}
activities:
  desk: {level: order, method: driver, driver: lines, capacity: 10, unused_to: idle, cost: 100.00}
  idle: {level: channel, method: average}
",
    );
    let ledger = vec![
        ("c", text(["A", "B"])),
        ("d", days([1, 2])),
        ("o", integers([1, 2])),
        ("p", text(["X", "Y"])),
        ("a", cents([10_000, 5_000])),
    ];
    job.parquet("l.parquet", ledger).text("customers.csv", "c,channel\nA,web\nB,shop\n");
    for (object, dataset) in [
        (None, "product_balance"),
        (Some("product"), "object_balance"),
        (Some("order"), "object_balance"),
        (Some("customer"), "object_balance"),
        (Some("channel"), "object_balance"),
    ] {
        let more: Vec<&str> = object.into_iter().flat_map(|object| ["--cost-object", object]).collect();
        job.run(&more);
        assert_eq!(job.texts(dataset, "activity"), ["desk", "idle"], "{object:?}");
        assert_eq!(job.decimals(dataset, "sent"), [8_000, 0], "{object:?}");
        assert_eq!(job.decimals(dataset, "received"), [0, 8_000], "{object:?}");
        assert_eq!(job.decimals(dataset, "allocated")[0], 2_000, "{object:?}");
        assert_eq!(job.decimals(dataset, "residual"), [0, 0], "{object:?}");
        let done = whalecurve(&["verify", job.path("out").to_str().unwrap()]);
        assert!(done.status.success(), "{object:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn orders_are_costed_on_demand_and_what_cannot_be_divided_stays_with_the_reason() {
    let job = job("");
    job.run(&["--cost-object", "order"]);
    assert_eq!(job.whole_numbers("object_profit", "object_id"), [Some(1), Some(2), Some(3)]);
    assert_eq!(job.decimals("object_profit", "net_revenue"), [15_000, -2_000, 16_000]);
    // Storage goes by revenue, and order 2 is a return: negative quantities are refused by default.
    assert_eq!(job.decimals("object_profit", "product_activity_cost"), [400, 200, 400]);
    assert_eq!(job.decimals("object_profit", "order_cost"), [300, 300, 300]);
    assert_eq!(job.decimals("object_profit", "economic_cost"), Vec::<i128>::new());
    let activities = job.texts("object_balance", "activity");
    let storage = activities.iter().position(|activity| activity == "storage").unwrap();
    assert_eq!(job.decimals("object_balance", "stays")[storage], 2_900);
    let reason = job.optional_texts("object_balance", "stays_reason")[storage].clone().unwrap();
    assert!(reason.starts_with("1 driver quantities are negative"), "{reason}");
    assert_eq!(job.sum("object_balance", "residual"), 0);
}

/// Ids of orders begin anew with every customer, go over months, and are missing here and there: a day of a customer is an
/// order then.
#[test]
fn orders_of_a_customer_add_up_to_it_whatever_their_ids() {
    let job = Job::new(
        "
version: 1
currency: EUR
period: month
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, order_id: o, amount: a}}
drivers:
  lines: count
  orders: {count_distinct: order}
activities:
  picking: {level: unit, method: driver, driver: lines, cost: 10.00}
  handling: {level: order, method: driver, driver: orders, cost: 9.00}
",
    );
    let customers = ["A", "A", "A", "A", "B", "B", "B", "B", "B"];
    let on = days([1, 40, 2, 41, 1, 1, 2, 3, 35]);
    let amounts = cents([100, 200, 300, 400, 500, 600, 700, 800, -900]);
    let text_ids = [Some("1"), Some("1"), Some("2"), None, Some("1"), Some("2"), None, None, Some("2")];
    let number = |id: Option<&str>| id.map(|id| id.parse::<i64>().unwrap());
    let number_ids = Arc::new(text_ids.into_iter().map(number).collect::<Int64Array>()) as ArrayRef;
    for orders in [optional_text(&text_ids), number_ids] {
        let ledger = vec![("c", text(customers)), ("d", Arc::clone(&on)), ("o", orders), ("a", Arc::clone(&amounts))];
        job.parquet("l.parquet", ledger);
        job.run(&[]);
        let used = |dataset: &str| {
            let mut used: BTreeMap<(String, String, String), i128> = BTreeMap::new();
            let (customer, period) = (job.texts(dataset, "customer_id"), job.texts(dataset, "period"));
            let quantities = job.decimals(dataset, "driver_quantity");
            for (row, activity) in job.texts(dataset, "activity").into_iter().enumerate() {
                *used.entry((customer[row].clone(), period[row].clone(), activity)).or_default() += quantities[row];
            }
            used
        };
        let (own, revenue) = (used("customer_cost"), job.sum("customer_profit", "net_revenue"));
        job.run(&["--cost-object", "order"]);
        assert_eq!(used("object_cost"), own);
        assert_eq!(job.sum("object_profit", "net_revenue"), revenue);
        // A's 1 in January and February, B's 1; A's 2, B's 2 in January and, as a return, in February; then days without one.
        assert_eq!(job.texts("object_profit", "customer_id"), ["A", "A", "B", "A", "B", "B", "A", "B"]);
        assert_eq!(job.whole_numbers("object_profit", "orders"), [1, 1, 1, 1, 1, 0, 1, 2].map(Some));
        assert_eq!(job.decimals("object_profit", "net_revenue"), [100, 200, 500, 300, 600, -900, 400, 1_500]);
    }
}

#[test]
fn channels_are_the_sum_of_their_customers_and_bear_the_cost_of_their_own_level() {
    let job = job(CUSTOMERS);
    job.run(&["--cost-object", "channel"]);
    let channel = |column: &str| job.decimals("object_profit", column);
    assert_eq!(job.texts("object_profit", "object_id"), ["shop", "web"]);
    assert_eq!(channel("net_revenue"), [16_000, 13_000]);
    // 2.01 over two channels: the odd cent goes by the hash of the name.
    let below = channel("below_cost");
    assert_eq!((below[0] + below[1], (below[0] - below[1]).abs()), (201, 1));
    let (cm3, profit) = (channel("cm3"), channel("economic_profit"));
    assert_eq!(job.decimals("object_cost", "amount").iter().sum::<i128>(), 1_000 + 900 + 2_900 + 500 + 300 + 201);
    let stays = job.sum("object_balance", "stays");
    assert_eq!((stays, job.sum("object_balance", "residual")), (700, 0), "brand sustains the company");
    job.run(&["--cost-object", "customer"]);
    let customer = |column: &str| job.decimals("object_profit", column);
    assert_eq!(job.texts("object_profit", "object_id"), ["A", "B"]);
    assert_eq!(customer("cm3"), [cm3[1], cm3[0]]);
    assert_eq!(customer("economic_profit"), [profit[1] + below[1], profit[0] + below[0]]);
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit", "cm3"), [cm3[1], cm3[0]]);
}

#[test]
fn an_object_without_its_column_is_a_clear_error() {
    let failure = |object: &str| {
        let done = job("").try_run(&["--cost-object", object]);
        format!(
            "exit code {}\n{}",
            done.status.code().unwrap(),
            without_stages(&String::from_utf8(done.stderr).unwrap()).trim_end()
        )
    };
    assert_snapshot!(failure("region"), @r"
    exit code 2
    error: cost object `region` needs the column `region`, which inputs.customers does not map
      hint: map it under `columns`; one column of the file may be mapped twice, as in {segment: channel, channel: channel}
    ");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn objects_of_every_kind_add_up_to_the_customers_and_no_cost_gets_lost(
        lines in prop::collection::vec((0..9_i64, 0..6_i64, 0..9_i64, 0..70_i32, -500..5_000_i64), 1..80),
        pool in -9_999..99_999_i64,
    ) {
        let job = Job::new(&format!(
            "
version: 1
currency: EUR
period: month
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, order_id: o, product_id: p, amount: a}}}}
  customers: {{path: k.csv, columns: {{customer_id: c, region: r}}}}
contract: {{transactions: {{unknown_customer: warn}}}}
drivers:
  lines: count
  orders: {{count_distinct: order}}
activities:
  a: {{level: unit, method: driver, driver: lines, cost: {}}}
  b: {{level: order, method: driver, driver: orders, cost: 100.01}}
  c: {{level: product, method: revenue, negative: zero, cost: 10.03}}
  d: {{level: customer, method: average, cost: 7.77}}
  e: {{level: region, method: revenue, negative: zero, cost: 5.55}}
",
            major(pool)
        ));
        let product = |product: i64| (product > 0).then(|| format!("P{product}"));
        let products: Vec<Option<String>> = lines.iter().map(|line| product(line.1)).collect();
        job.parquet(
            "l.parquet",
            vec![
                ("c", integers(lines.iter().map(|line| line.0))),
                ("p", optional_text(&products.iter().map(Option::as_deref).collect::<Vec<_>>())),
                ("o", integers(lines.iter().map(|line| line.2))),
                ("d", days(lines.iter().map(|line| line.3))),
                ("a", cents(lines.iter().map(|line| line.4))),
            ],
        );
        job.text("k.csv", "c,r\n1,north\n2,south\n3,north\n");
        job.run(&[]);
        let customers = job.sum("customer_profit", "net_revenue");
        prop_assert_eq!(job.sum("product_profit", "net_revenue"), customers);
        prop_assert_eq!(job.sum("product_balance", "residual"), 0);
        let own = job.sum("product_balance", "own");
        for object in ["product", "order", "region", "customer"] {
            job.run(&["--cost-object", object]);
            prop_assert_eq!(job.sum("object_profit", "net_revenue"), customers, "{}", object);
            prop_assert_eq!(job.sum("object_balance", "residual"), 0);
            prop_assert_eq!(job.sum("object_balance", "own"), own);
            prop_assert_eq!(job.sum("object_cost", "amount"), job.sum("object_balance", "allocated"));
            let parts: i128 =
                ["allocated", "stays", "unassigned"].iter().map(|column| job.sum("object_balance", column)).sum();
            prop_assert_eq!(parts, own);
            let cost: i128 = ["product_activity_cost", "order_cost", "customer_cost", "below_cost"]
                .iter()
                .map(|column| job.sum("object_profit", column))
                .sum();
            prop_assert_eq!(cost, job.sum("object_cost", "amount"));
        }
    }
}

/// Minor units as major ones.
fn major(minor: i64) -> String {
    format!("{}{}.{:02}", if minor < 0 { "-" } else { "" }, minor.abs() / 100, minor.abs() % 100)
}

/// Groups of customers are not worked out where no dataset tells of them, and what is written is the same.
#[test]
fn datasets_without_groups_are_the_same_alone() {
    let stages = |job: &Job| std::fs::read_to_string(job.path("out/run_results.json")).unwrap();
    let all = job("");
    let manifest = all.run(&[]);
    assert!(stages(&all).contains("\"portfolio\""));
    let part = job(&format!("outputs: [{}]\n", WITHOUT_GROUPS.join(", ")));
    let alone = part.run(&[]);
    assert!(!stages(&part).contains("\"portfolio\""));
    let written = |manifest: &serde_json::Value, name: &str| {
        let outputs = manifest["outputs"].as_array().unwrap();
        outputs.iter().find(|output| output["dataset"] == name).map(|output| output["files"].clone())
    };
    for name in WITHOUT_GROUPS {
        let found = written(&alone, name);
        assert!(found.is_some() && found == written(&manifest, name), "{name}");
    }
}
