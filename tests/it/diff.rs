//! `whalecurve diff`: two finished outputs.

use insta::assert_snapshot;

use crate::support::{Job, cents, days, run, text, whalecurve};

/// A ledger whose goods cost half of what they are sold for, and an order 1.00 of handling.
fn shop(rows: &[(&str, i32, i64)], more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
name: Shop
currency: EUR
period: whole
inputs:
  transactions: {{path: ledger.parquet, columns: {{customer_id: customer, date: day, amount: amount, product_cost: goods}}}}
  customers: {{path: customers.csv, columns: {{customer_id: customer, segment: segment}}}}
drivers: {{orders: {{count_distinct: day}}}}
activities: {{handling: {{level: order, method: driver, driver: orders, cost: {}.00}}}}
{more}",
        rows.len()
    ));
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", text(rows.iter().map(|row| row.0))),
            ("day", days(rows.iter().map(|row| row.1))),
            ("amount", cents(rows.iter().map(|row| row.2))),
            ("goods", cents(rows.iter().map(|row| row.2 / 2))),
        ],
    );
    let known = ["big,north", "gone,south", "new,south", "small,south"];
    let is_there = |line: &&str| rows.iter().any(|row| line.starts_with(&format!("{},", row.0)));
    let customers: Vec<&str> = ["customer,segment"].into_iter().chain(known.into_iter().filter(is_there)).collect();
    job.text("customers.csv", &(customers.join("\n") + "\n"));
    job
}

fn before() -> Job {
    shop(&[("big", 19_000, 10_000), ("gone", 19_001, 3_000), ("small", 19_002, 190)], "")
}

fn after() -> Job {
    shop(&[("big", 19_000, 12_000), ("big", 19_010, 1_000), ("new", 19_003, 400), ("small", 19_002, 210)], "")
}

/// The tables of two outputs.
fn told(before: &Job, after: &Job, more: &[&str]) -> (i32, String) {
    let (one, other) = (before.path("out"), after.path("out"));
    let done = whalecurve(&[&["diff", one.to_str().unwrap(), other.to_str().unwrap()], more].concat());
    let told = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    let told = told.replace(&one.display().to_string(), "BEFORE").replace(&other.display().to_string(), "AFTER");
    (done.status.code().unwrap(), told)
}

#[test]
fn what_moved_is_told_by_segment_and_sums_from_before_to_after() {
    let (one, other) = (before(), after());
    one.run(&[]);
    other.run(&[]);
    // By hand: big 100 - 50 - 1 = 49.00, then 130 - 65 - 2 = 63.00; gone 30 - 15 - 1 = 14.00; new 4 - 2 - 1 = 1.00;
    // small 1.90 - 0.95 - 1 = -0.05, then 2.10 - 1.05 - 1 = 0.05.
    let (code, tables) = told(&one, &other, &[]);
    assert_eq!(code, 0, "{tables}");
    assert_snapshot!(tables, @r"
    Shop, 2022-01-10 → Shop, 2022-01-18; EUR

    whole base                  before   after  change
    --------------------------  ------  ------  ------
    customers                        3       3       0
    that lose money                  1       0      -1
    net revenue                 131.90  136.10    4.20
    CM3                          62.95   64.05    1.10
    economic profit              62.95   64.05    1.10
    expected value                   -       -       -
    customer equity, simulated       -       -       -

    Economic profit, EUR: who came, who left, what changed of those who stayed

    segment  before  came    left  revenue  products  serving  other  after
    -------  ------  ----  ------  -------  --------  -------  -----  -----
    north     49.00  0.00    0.00    30.00    -15.00    -1.00   0.00  63.00
    south     13.95  1.00  -14.00     0.20     -0.10     0.00   0.00   1.05
    all       62.95  1.00  -14.00    30.20    -15.10    -1.00   0.00  64.05

    Customers by segment, and their expected value, EUR

    segment  before  came  left  after  now lose  now earn  value  value after
    -------  ------  ----  ----  -----  --------  --------  -----  -----------
    north         1     0     0      1         0         0   0.00         0.00
    south         2     1     1      2         0         1   0.00         0.00
    all           3     1     1      3         0         1   0.00         0.00
    ");
    assert!(tables.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn an_output_beside_itself_has_not_moved() {
    let job = before();
    job.run(&[]);
    let (code, tables) = told(&job, &job, &["--by", "value_tier", "--format", "markdown"]);
    assert_eq!(code, 0, "{tables}");
    assert!(tables.contains("| economic profit |") && tables.contains("| 0.00 |"));
    assert!(!tables.contains("Settings that differ"));
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_to_do() {
    let (one, other) = (before(), after());
    one.run(&[]);
    other.run(&["--seed", "7"]);
    let (code, told_by) = told(&one, &other, &["--by", "colour"]);
    assert_eq!(code, 2);
    assert_snapshot!(told_by, @r"
    error: AFTER: has no segmentation `colour`
      hint: known segmentations: segment, user_segment, portfolio_group, value_tier, rfm_cell
    ");
    let (_, tables) = told(&one, &other, &[]);
    assert!(tables.contains("Settings that differ") && tables.contains("seed"));
    // Another currency.
    let config = std::fs::read_to_string(other.path("whalecurve.yaml")).unwrap().replace("EUR", "USD");
    std::fs::write(other.path("whalecurve.yaml"), config).unwrap();
    run(&other.path("whalecurve.yaml"), &other.path("out"), &[]);
    let (code, other_money) = told(&one, &other, &[]);
    assert_eq!(code, 2);
    assert_snapshot!(other_money, @r"
    error: BEFORE is in EUR, AFTER in USD: their money is not comparable
      hint: run one of them in the other's currency
    ");
    // A run that wrote something else.
    let part = shop(&[("big", 19_000, 1_000)], "outputs: [pool_balance]\n");
    part.run(&[]);
    let (code, missing) = told(&one, &part, &[]);
    assert_eq!(code, 2);
    assert_snapshot!(missing, @r"
    error: AFTER: has no dataset `customer_profit_total`, which a comparison needs
      hint: leave `outputs` out of its config, or add the dataset, and run it again
    ");
}
