//! What a user is told about each kind of bad input: whose fault, where, what it means in money, what to do.

use insta::assert_snapshot;

use crate::support::{Job, cents, days, floats, integers, optional_integers, text, unsigned};

/// A config with a three-column ledger in `ledger/`, and more lines below it.
fn job(more: &str) -> Job {
    Job::new(&format!(
        "version: 1\ncurrency: EUR\ninputs:\n  transactions:\n    path: ledger\n    columns: {{customer_id: customer, \
         date: day, amount: amount}}\n{more}"
    ))
}

/// A job whose ledger is sound.
fn sound(more: &str) -> Job {
    let job = job(more);
    let columns =
        vec![("customer", integers([1, 1, 2])), ("day", days([100, 101, 102])), ("amount", cents([1_000, 250, 4_000]))];
    job.parquet("ledger/a.parquet", columns);
    job
}

#[test]
fn a_config_that_is_not_there() {
    let done = crate::support::whalecurve(&["run", "nowhere.yaml"]);
    assert_eq!(done.status.code(), Some(2));
    assert_snapshot!(String::from_utf8(done.stderr).unwrap(), @r"
    error: nowhere.yaml: No such file or directory (os error 2)
      hint: name a config file, as in: whalecurve run whalecurve.yaml
    ");
}

#[test]
fn an_input_that_is_not_there() {
    assert_snapshot!(job("").failure(), @r"
    exit code 1
    error: transactions: `ledger` names no file
      hint: input paths are relative to the config file; folders are read with their subfolders, and hold CSV where `format: csv` stands beside `path`
    ");
}

#[test]
fn an_input_that_is_no_parquet() {
    let job = job("");
    job.text("ledger/a.parquet", "customer,day,amount\n1,1997-01-01,5\n");
    assert_snapshot!(job.failure(), @r"
    exit code 1
    error: ledger/a.parquet: not a readable Parquet file: Parquet error: Invalid Parquet file. Corrupt footer
      hint: the file is damaged or cut short: write it again
    ");
}

#[test]
fn an_input_that_is_cut_short() {
    let job = sound("");
    let whole = std::fs::read(job.path("ledger/a.parquet")).unwrap();
    std::fs::write(job.path("ledger/a.parquet"), &whole[..whole.len() - 7]).unwrap();
    assert_snapshot!(job.failure(), @r"
    exit code 1
    error: ledger/a.parquet: not a readable Parquet file: Parquet error: Invalid Parquet file. Corrupt footer
      hint: the file is damaged or cut short: write it again
    ");
}

#[test]
fn a_column_that_is_not_there() {
    let job = job("");
    job.parquet("ledger/a.parquet", vec![("customer", integers([1])), ("day", days([1])), ("total", cents([1]))]);
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: ledger/a.parquet: no column `amount` (mapped to `transactions.amount`); the file has: customer, day, total
      hint: map the file's own column name under `columns`
    ");
}

#[test]
fn a_column_of_the_wrong_type() {
    let job = job("");
    let columns = vec![("customer", integers([1])), ("day", days([1])), ("amount", text(["1.00"]))];
    job.parquet("ledger/a.parquet", columns);
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: ledger/a.parquet: column `amount` is text, expected an integer, decimal or float for `transactions.amount`
      hint: cast the column where the file is written
    ");
}

#[test]
fn files_of_one_table_that_disagree() {
    let job = sound("");
    let columns = vec![("customer", text(["1"])), ("day", days([1])), ("amount", cents([1]))];
    job.parquet("ledger/b.parquet", columns);
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: ledger/b.parquet: column `customer` is text, but integer in `ledger/a.parquet`
      hint: write all files of a table with one schema
    ");
}

#[test]
fn a_later_file_without_a_mapped_column() {
    let job = sound("");
    job.parquet("ledger/b.parquet", vec![("customer", integers([1])), ("day", days([1]))]);
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: ledger/b.parquet: no column `amount` (mapped to `transactions.amount`); the file has: customer, day
      hint: map the file's own column name under `columns`
    ");
}

#[test]
fn a_predicate_that_is_no_sql() {
    let job = sound("");
    let with = |predicate: &str| {
        let config = std::fs::read_to_string(sound("").path("whalecurve.yaml")).unwrap();
        let config = config.replace("path: ledger", &format!("path: ledger\n    where: \"{predicate}\""));
        job.text("whalecurve.yaml", &config);
        job.failure()
    };
    assert_snapshot!(with("amount >"), @r"
    exit code 2
    whalecurve.yaml:6:12: transactions: `where` is no valid SQL predicate: unable to parse 'amount >' as Expr
      hint: a predicate is SQL over the file's own columns, as in: amount > 0 AND channel = 'web'
    ");
    assert_snapshot!(with("amnt > 0"), @r#"
    exit code 2
    whalecurve.yaml:6:12: transactions: `where` is no valid SQL predicate: no column `amnt`; the file has: customer, day, amount
      hint: a predicate is SQL over the file's own columns, as in: amount > 0 AND channel = 'web'
    "#);
}

#[test]
fn a_predicate_over_several_rows() {
    let with = |more: &str, from: &str, to: &str| {
        let job = sound(more);
        let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        job.text("whalecurve.yaml", &config.replace(from, to));
        let checked = job.without_folder(&job.command("check", &[]).stderr);
        let told = job.failure();
        assert_eq!(told, format!("exit code 2\n{}", checked.trim_end()));
        told
    };
    assert_snapshot!(with("", "path: ledger", "path: ledger\n    where: \"amount < AVG(amount)\""), @r"
    exit code 2
    whalecurve.yaml:6:12: transactions: `where` needs more rows than the one that it is about: it has an aggregate, a window or a subquery
      hint: work it out where the file is written, as a column, and name that column in `where`
    ");
    let driver = "drivers: {first: {count: lines, where: \"ROW_NUMBER() OVER () < 5\"}}\n";
    assert_snapshot!(with(driver, "", ""), @r"
    exit code 2
    whalecurve.yaml:7:40: drivers.first: `where` needs more rows than the one that it is about: it has an aggregate, a window or a subquery
      hint: work it out where the file is written, as a column, and name that column in `where`
    ");
}

#[test]
fn ids_that_do_not_fit_64_bits_with_sign() {
    let job = job("");
    let columns = vec![("customer", unsigned([7, u64::MAX])), ("day", days([1, 1])), ("amount", cents([1, 1]))];
    job.parquet("ledger/a.parquet", columns);
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: transactions: `customer_id` holds integers above 9223372036854775807
      hint: write the id as text
    ");
}

#[test]
fn tables_whose_ids_are_of_different_kinds() {
    let job = sound("  customers: {path: customers.parquet, columns: {customer_id: id}}\n");
    job.parquet("customers.parquet", vec![("id", text(["1", "2"]))]);
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: customers: `customer_id` is text, but an integer in `transactions`
      hint: write the id with one type in every table
    ");
}

#[test]
fn rules_whose_policy_is_error_are_told_all_at_once_with_their_money() {
    let job = job("contract:\n  transactions: {missing_customer: error, invalid_amount: error}\n");
    let columns = vec![
        ("customer", optional_integers([Some(1), None, Some(2)])),
        ("day", days([1, 1, 1])),
        ("amount", floats([1.0, 20.5, f64::NAN])),
    ];
    job.parquet("ledger/a.parquet", columns);
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: transactions: rule `invalid_amount` is broken by 1 of 3 rows: the amount is not a finite number in range; its policy is error
    transactions: rule `missing_customer` is broken by 1 of 3 rows (20.50 EUR): the customer id is null or empty; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}

#[test]
fn more_broken_rows_than_a_limit_allows() {
    let limited = |limit: &str| {
        let job = job(&format!("contract:\n  transactions:\n    missing_customer: {{policy: reject, {limit}}}\n"));
        let columns = vec![
            ("customer", optional_integers([Some(1), None, None])),
            ("day", days([1, 1, 1])),
            ("amount", cents([100, 20, 3])),
        ];
        job.parquet("ledger/a.parquet", columns);
        job.failure()
    };
    assert_snapshot!(limited("max_rows: 1"), @r"
    exit code 3
    error: transactions: rule `missing_customer` is broken by 2 of 3 rows (0.23 EUR): the customer id is null or empty; at most 1 rows are allowed
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    assert_snapshot!(limited("max_share: 0.5"), @r"
    exit code 3
    error: transactions: rule `missing_customer` is broken by 2 of 3 rows (0.23 EUR): the customer id is null or empty; at most 50 % of rows are allowed
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}

#[test]
fn duplicate_keys_of_side_tables() {
    let job = sound(
        "  customers: {path: customers.csv, columns: {customer_id: id}}\n  driver_quantities:\n    path: q.csv\n    \
         columns: {customer_id: id, driver: driver, quantity: n}\nactivities:\n  calls: {level: order, method: driver, \
         driver: calls, cost: 5.00}\n",
    );
    job.text("customers.csv", "id\n1\n2\n").text("q.csv", "id,driver,n\n1,calls,2\n1,calls,3\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: driver_quantities: rule `duplicate_key` is broken by 1 of 2 rows: customer, driver and period stand more than once; its policy is error; of `calls`
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
    job.text("customers.csv", "id\n1\n2\n1\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: customers: rule `duplicate_customer` is broken by 1 of 3 rows: the customer id stands more than once; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}

#[test]
fn driver_quantities_below_zero() {
    let job = sound(
        "  driver_quantities: {path: q.csv, columns: {customer_id: id, driver: driver, quantity: n}}\nactivities:\n  \
         calls: {level: order, method: driver, driver: calls, cost: 1000.00}\n",
    );
    job.text("q.csv", "id,driver,n\n1,calls,100\n2,calls,-90\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: activity `calls`: 1 driver quantities are negative; shares by signed quantities would move 19 times the pool; 1000.00 EUR are at stake
      hint: mend the driver, or choose `negative: zero`, `separate`, `absolute`, `shift` or `signed`
    ");
}

#[test]
fn costs_of_an_activity_that_nobody_defined() {
    let job = sound(
        "  pools: {path: pools.csv, columns: {activity: activity, amount: amount}}\nactivities:\n  calls: {level: \
         order, method: average}\n",
    );
    job.text("pools.csv", "activity,amount\ncalls,10.00\nvisits,25.50\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: pools: rule `unknown_activity` is broken by 1 of 2 rows (25.50 EUR): neither an activity nor a resource pool has this name; its policy is error; known: calls
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}

#[test]
fn an_activities_table_with_a_word_that_is_none() {
    let job = sound(
        "  activities: {path: a.csv, columns: {activity: a, level: l, method: m}}\n  pools: {path: p.csv, columns: \
         {activity: a, amount: c}}\n",
    );
    job.text("a.csv", "a,l,m\ncalls,orders,average\n").text("p.csv", "a,c\ncalls,1\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: activities: activity `calls` has a level that is none of unit, product, order, customer, channel, region, company
    ");
}

#[test]
fn periods_that_a_side_table_does_not_have() {
    let config = "  receivables: {path: r.csv, columns: {customer_id: id, balance: b}}\nperiod: month\n";
    let job = sound(config);
    job.text("r.csv", "id,b\n1,100.00\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: receivables: the run has periods, but neither `period` nor `date` is mapped
    ");
}

#[test]
fn money_beyond_64_bits() {
    let job = job("");
    let columns =
        vec![("customer", integers([1, 1])), ("day", days([1, 2])), ("amount", cents([i64::MAX - 1, i64::MAX - 1]))];
    job.parquet("ledger/a.parquet", columns);
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: transactions: a customer's gross sales exceeds 9.2·10¹⁸ minor units (or millionths of a unit)
    ");
}

#[test]
fn net_revenue_beyond_64_bits() {
    let job = job("");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("amount: amount}", "amount: amount, discount: discount}"));
    // Sales, returns and discount each fit; returns and discount together do not.
    let amounts = cents([1, 1 - i64::MAX]);
    let columns =
        vec![("customer", integers([1, 1])), ("day", days([1, 2])), ("amount", amounts), ("discount", cents([0, 5]))];
    job.parquet("ledger/a.parquet", columns);
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: transactions: a customer's revenue exceeds 9.2·10¹⁸ minor units (or millionths of a unit)
    ");
}

#[test]
fn a_forecast_without_repeat_purchases() {
    let job = job("forecast: {horizon: 1 year}\n");
    job.parquet(
        "ledger/a.parquet",
        vec![("customer", integers([1, 2])), ("day", days([1, 2])), ("amount", cents([1, 1]))],
    );
    assert_snapshot!(job.failure(), @r"
    exit code 1
    error: forecast: the BG/NBD fit failed: no customer bought a second time, so nothing is known of purchase rates or dropout
      hint: leave out the `forecast` block to run without a forecast
    ");
}

#[test]
fn an_output_folder_that_holds_something_else() {
    let job = sound("");
    job.text("out/thesis.txt", "ten years of work");
    let done = job.try_run(&[]);
    assert_eq!(done.status.code(), Some(1));
    assert!(job.path("out/thesis.txt").is_file());
    let told = String::from_utf8(done.stderr).unwrap();
    assert_snapshot!(told.split_once("/out").unwrap().1, @r"
    : not empty, and not an output of whalecurve
      hint: choose another folder with --output
    ");
}
