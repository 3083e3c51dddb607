//! `inputs` and `contract`.

use super::*;
use crate::schema::settings::Format;

#[test]
fn the_ledger_must_be_there() {
    assert_snapshot!(message("version: 1\ncurrency: USD\ninputs:\n  transaction: {}\n"), @r"
    shop/whalecurve.yaml:3:1: `inputs.transactions` is missing
    shop/whalecurve.yaml:4:3: unknown key `transaction` in `inputs`
      hint: did you mean `transactions`? known keys: transactions, customers, products, pools, activities, driver_quantities, receivables, fx, traced, events, contracts, resource_weights, referrals, opportunities, learning, acquisition_plan, market, targets, actions, action_customers, prospects, interactions
    ");
}

#[test]
fn a_table_needs_its_path_and_its_columns() {
    assert_snapshot!(message_for_ledger("{}"), @r"
    shop/whalecurve.yaml:4:3: `inputs.transactions.path` is missing
    shop/whalecurve.yaml:4:3: `inputs.transactions.columns` is missing
    ");
    assert_snapshot!(message_for_ledger("{path: [], columns: {customer_id: c, date: ' ', amont: a}}"), @r"
    shop/whalecurve.yaml:4:24: `inputs.transactions.path` is an empty list, expected a file, a glob or a folder, or a list of them
    shop/whalecurve.yaml:4:28: `inputs.transactions.columns` does not say what a line is worth
      hint: map either amount (the line's total), or quantity and unit_price
    shop/whalecurve.yaml:4:60: `inputs.transactions.columns.date` is empty, expected the name of a column of the file
    shop/whalecurve.yaml:4:65: unknown key `amont` in `inputs.transactions.columns`
      hint: did you mean `amount`? known keys: customer_id, date, order_id, amount, quantity, unit_price, discount, product_id, product_cost, currency
    ");
    assert_snapshot!(message_for_ledger("{path: {a: b}, columns: [c]}"), @r"
    shop/whalecurve.yaml:4:24: `inputs.transactions.path` is a mapping, expected a file, a glob or a folder, or a list of them
    shop/whalecurve.yaml:4:41: `inputs.transactions.columns` is a list, expected a mapping with customer_id, date, order_id, amount, quantity, unit_price, discount, product_id, product_cost, currency
    ");
}

#[test]
fn a_path_given_twice_would_count_its_rows_twice() {
    assert_snapshot!(message_for_ledger("{path: [a, b, a], columns: {customer_id: c, date: d, amount: a}}"), @"shop/whalecurve.yaml:4:31: `inputs.transactions.path` names one path twice: its rows would count twice");
}

#[test]
fn a_line_is_worth_its_amount_or_quantity_times_price() {
    let with =
        |columns: &str| message_for_ledger(&format!("{{path: p, columns: {{customer_id: c, date: d{columns}}}}}"));
    assert_snapshot!(with(""), @r"
    shop/whalecurve.yaml:4:27: `inputs.transactions.columns` does not say what a line is worth
      hint: map either amount (the line's total), or quantity and unit_price
    ");
    assert_snapshot!(with(", quantity: q"), @r"
    shop/whalecurve.yaml:4:27: `inputs.transactions.columns` does not say what a line is worth
      hint: map either amount (the line's total), or quantity and unit_price
    ");
    assert_snapshot!(with(", unit_price: p"), @r"
    shop/whalecurve.yaml:4:62: `inputs.transactions.columns` has unit_price without quantity
      hint: map either amount (the line's total), or quantity and unit_price
    ");
    assert_snapshot!(with(", amount: a, quantity: q, unit_price: p"), @r"
    shop/whalecurve.yaml:4:86: `inputs.transactions.columns` has both amount and unit_price: two answers to what a line is worth
      hint: map either amount (the line's total), or quantity and unit_price
    ");
}

#[test]
fn the_ledger_is_parquet_by_format_and_by_extension() {
    let columns = "columns: {customer_id: c, date: d, amount: a}";
    assert_snapshot!(message_for_ledger(&format!("{{path: l.CSV.gz, {columns}}}")), @r"
    shop/whalecurve.yaml:4:24: `inputs.transactions.path` is compressed CSV, which is not read
      hint: unpack it, or write the table as Parquet
    ");
    assert_snapshot!(message_for_ledger(&format!("{{path: l, format: csv, {columns}}}")), @r"
    shop/whalecurve.yaml:4:35: `inputs.transactions` is CSV, but the ledger must be Parquet
      hint: convert it to Parquet once; only small tables may be CSV
    ");
    assert_snapshot!(message_for_ledger(&format!("{{path: l, format: parket, {columns}}}")), @r"
    shop/whalecurve.yaml:4:35: `inputs.transactions.format` is `parket`, expected one of parquet, csv
      hint: did you mean `parquet`?
    ");
}

#[test]
fn small_tables_may_be_csv_but_not_both() {
    let more = |path: &str| format!("  pools: {{path: {path}, columns: {{activity: a, amount: b}}}}\n");
    let format = |path: &str| read_minimal_with(&more(path)).inputs.pools.map(|pools| pools.format);
    assert_eq!(format("pools/*.csv"), Some(Format::Csv));
    assert_eq!(format("pools.csv.parquet"), Some(Format::Parquet));
    assert_snapshot!(message_with(&more("[a.csv, b.parquet]")), @r"
    shop/whalecurve.yaml:5:17: `inputs.pools.path` mixes CSV with other files
      hint: keep one format a table
    ");
}

#[test]
fn returns_are_a_matter_of_the_ledger_alone() {
    assert_snapshot!(message_with("  customers: {path: c, returns: net, columns: {customer_id: c}}\n"), @r"
    shop/whalecurve.yaml:5:24: unknown key `returns` in `inputs.customers`
      hint: known keys: path, format, where, columns, covariates
    ");
    assert_snapshot!(message_for_ledger("{path: p, returns: seperate, columns: {customer_id: c, date: d, amount: a}}"), @r"
    shop/whalecurve.yaml:4:36: `inputs.transactions.returns` is `seperate`, expected one of net, separate, drop, purchases
      hint: did you mean `separate`?
    ");
}

#[test]
fn products_need_the_ledgers_product_and_quantity() {
    assert_snapshot!(message_with("  products: {path: p, columns: {product_id: p, unit_cost: c}}\n"), @r"
    shop/whalecurve.yaml:5:3: `inputs.products` needs product_id in `inputs.transactions.columns`
      hint: a line's product cost is its quantity × its product's unit_cost
    shop/whalecurve.yaml:5:3: `inputs.products` needs quantity in `inputs.transactions.columns`
      hint: a line's product cost is its quantity × its product's unit_cost
    ");
}

#[test]
fn quantities_have_a_period_or_a_date() {
    let columns = "{customer_id: c, balance: b, period: p, date: d}";
    assert_snapshot!(message_with(&format!("  receivables: {{path: r, columns: {columns}}}\n")), @r"
    shop/whalecurve.yaml:5:75: `inputs.receivables.columns` has both period and date: two answers to when
      hint: map one of them
    ");
}

#[test]
fn rules_belong_to_tables_that_are_there() {
    assert_snapshot!(message_with("contract:\n  transactions: {duplicate_customer: warn}\n  customers: {duplicate_customer: warn}\n"), @r"
    shop/whalecurve.yaml:6:18: unknown key `duplicate_customer` in `contract.transactions`
      hint: known keys: missing_customer, missing_date, invalid_amount, after_as_of, wrong_currency, unknown_customer, unknown_product, missing_value, invalid_driver, amount_range, quantity_range, date_range, freshness
    shop/whalecurve.yaml:7:3: `contract.customers` has rules for a table that `inputs` does not have
    ");
}

#[test]
fn a_rule_has_a_policy_and_thresholds_in_their_range() {
    assert_snapshot!(message_with("contract: {transactions: {missing_date: ignore}}\n"), @"shop/whalecurve.yaml:5:41: `contract.transactions.missing_date` is `ignore`, expected one of error, reject, warn");
    assert_snapshot!(message_with("contract: {transactions: {missing_date: {max_rows: 1.5, max_share: 2}}}\n"), @r"
    shop/whalecurve.yaml:5:52: `contract.transactions.missing_date.max_rows` is `1.5`, expected a whole number of 64 bits, 0 or more
    shop/whalecurve.yaml:5:68: `contract.transactions.missing_date.max_share` is `2`, expected a number from 0 to 1, at most 12 digits after the point
    ");
    assert_snapshot!(message_with("contract: {transactions: {missing_date: {policy: warn, min: 5}}}\n"), @r"
    shop/whalecurve.yaml:5:41: `contract.transactions.missing_date` cannot be warn: a line that breaks it has no place in the result
      hint: use reject or error
    shop/whalecurve.yaml:5:56: unknown key `min` in `contract.transactions.missing_date`
      hint: known keys: policy, max_rows, max_share, error_if, warn_if
    ");
}

#[test]
fn a_cost_of_a_line_is_said_in_one_way() {
    let with = "  products: {path: p, columns: {product_id: p, unit_cost: c}}\n";
    let both = "product_id: p, quantity: q, product_cost: k, customer_id: ";
    let text = format!("{MINIMAL}{with}").replace("customer_id: ", both);
    assert_snapshot!(message(&text), @r"
    shop/whalecurve.yaml:4:78: `inputs.transactions.columns` has product_cost beside `inputs.products`: two answers to what a line costs
      hint: map product_cost, or give the products table
    ");
}

#[test]
fn a_range_has_limits_in_order_and_in_the_currencys_digits() {
    let with = |range: &str| message_with(&format!("contract: {{transactions: {{{range}}}}}\n"));
    assert_snapshot!(with("amount_range: reject"), @r"
    shop/whalecurve.yaml:5:27: `contract.transactions.amount_range` has neither min nor max
      hint: a range needs a limit: {policy: reject, min: …, max: …}
    ");
    assert_snapshot!(with("amount_range: {policy: reject}"), @r"
    shop/whalecurve.yaml:5:27: `contract.transactions.amount_range` has neither min nor max
      hint: a range needs a limit: {policy: reject, min: …, max: …}
    ");
    assert_snapshot!(with("amount_range: {policy: reject, min: 1.005}"), @"shop/whalecurve.yaml:5:63: `contract.transactions.amount_range.min` is `1.005`, expected an amount with at most 2 digits after the point");
    assert_snapshot!(with("amount_range: {policy: reject, min: 10, max: 9.99}"), @"shop/whalecurve.yaml:5:63: `contract.transactions.amount_range.min` is above max: no row could be accepted");
    assert_snapshot!(with("date_range: {policy: reject, min: 1997-01-32}"), @"shop/whalecurve.yaml:5:61: `contract.transactions.date_range.min` is `1997-01-32`, expected a date of the calendar like 1997-09-30");
    assert_snapshot!(with("quantity_range: {policy: reject, max: many}"), @"shop/whalecurve.yaml:5:65: `contract.transactions.quantity_range.max` is `many`, expected a number: digits, and a point where a fraction follows");
}

#[test]
fn thresholds_say_something_and_not_twice() {
    let with = |rule: &str| message_with(&format!("contract: {{transactions: {{missing_date: {{{rule}}}}}}}\n"));
    assert_snapshot!(with("policy: reject, error_if: {}, warn_if: many"), @r#"
    shop/whalecurve.yaml:5:58: `contract.transactions.missing_date.error_if` has neither rows nor share nor amount
    shop/whalecurve.yaml:5:81: `contract.transactions.missing_date.warn_if` is `many`, expected limits, or "> 10" (rows)
      hint: more is wrong than this: {rows: 10}, {share: 0.01}, {amount: 500.00}, or several
    "#);
    assert_snapshot!(with("policy: reject, error_if: {rows: 5, amount: 1.005}, warn_if: {amount: -5.00}"), @r"
    shop/whalecurve.yaml:5:86: `contract.transactions.missing_date.error_if.amount` is `1.005`, expected an amount of 0 or more with at most 2 digits after the point
    shop/whalecurve.yaml:5:112: `contract.transactions.missing_date.warn_if.amount` is `-5.00`, expected an amount of 0 or more
    ");
    assert_snapshot!(with("policy: error, error_if: {rows: 5}"), @r"
    shop/whalecurve.yaml:5:57: `contract.transactions.missing_date.error_if` has no effect: policy error stops at the first row
      hint: use reject or warn
    ");
    assert_snapshot!(with("policy: reject, error_if: {rows: 5}, max_rows: 6"), @r"
    shop/whalecurve.yaml:5:79: `contract.transactions.missing_date.max_rows` stands beside error_if, which says the same
      hint: write error_if: {rows: …, share: …, amount: …}
    ");
}

#[test]
fn freshness_needs_a_day_and_limits_in_order() {
    let with = |fresh: &str| message_with(&format!("contract: {{transactions: {{freshness: {{{fresh}}}}}}}\n"));
    assert_snapshot!(with("warn_after: 2 days"), @r"
    shop/whalecurve.yaml:5:1: `contract.transactions.freshness` needs `as_of`: without it a run looks back from the last line
      hint: add as_of: ${AS_OF} and let the scheduler set it
    ");
    assert_snapshot!(with("warn_after: 0 days, error_after: soon"), @r"
    shop/whalecurve.yaml:5:51: `contract.transactions.freshness.warn_after` is `0 days`, expected a length of time like 2 days or 1 week
    shop/whalecurve.yaml:5:72: `contract.transactions.freshness.error_after` is `soon`, expected a length of time like 2 days or 1 week
    ");
    assert_snapshot!(with("warn_after: 1 week, error_after: 7 days"), @"shop/whalecurve.yaml:5:27: `contract.transactions.freshness`: warn_after is not before error_after, so it would never be told");
    assert_snapshot!(with(""), @"shop/whalecurve.yaml:5:27: `contract.transactions.freshness` has neither warn_after nor error_after");
}

#[test]
fn a_test_of_an_output_names_a_dataset_that_is_written_and_a_predicate() {
    assert_snapshot!(message_with("outputs: [customer_profit]\ntests: {a: {dataset: customer_profits, where: x}, b: {dataset: customer_value, no_row_where: x, severity: warn, error_if: \"> 5\", warn_if: {amount: 5}}}\n"), @r"
    shop/whalecurve.yaml:6:9: `tests.a.no_row_where` is missing
    shop/whalecurve.yaml:6:22: `tests.a.dataset` is `customer_profits`, expected one of customer_profit, customer_profit_total, customer_cost, pool_balance, capacity_use, activity_rate, trace, scenario_difference, fx_conversion, customer_value, customer_segment, segment_value, customer_equity, segment_equity, segment_measure, equity_share, acquisition_value, equity_bridge, decision_invest, decision_invest_total, decision_invest_curve, decision_keep, decision_prospect, whale_curve, customer_payment, segment_migration, customer_decline, concentration, rejected, input_balance, model_comparison, model_covariate, model_retention, model_group, model_test, new_customer_value, product_profit, product_balance, product_entry, object_profit, object_cost, object_balance
      hint: did you mean `customer_profit`?
    shop/whalecurve.yaml:6:40: unknown key `where` in `tests.a`
      hint: known keys: dataset, no_row_where, amount, severity, error_if, warn_if
    shop/whalecurve.yaml:6:64: `tests.b.dataset` is not among `outputs`, so it is not written
      hint: add the dataset to outputs
    shop/whalecurve.yaml:6:113: `tests.b.error_if` has no effect with severity: warn
    shop/whalecurve.yaml:6:140: `tests.b.warn_if.amount` has no effect: its rows carry no money
    ");
}
