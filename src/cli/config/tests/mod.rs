//! One message for each kind of bad input, all problems at once, and a whole config read.

mod costs;
mod document;
mod economic;
mod environment;
mod equity;
mod forecast;
mod fx;
mod resolved;
mod schema;
#[cfg(feature = "stores")]
mod stores;
mod tables;
mod top;
mod whole;

use insta::assert_snapshot;

use super::*;

/// The smallest config that runs; tests add to it.
const MINIMAL: &str = "\
version: 1
currency: USD
inputs:
  transactions: {path: ledger.parquet, columns: {customer_id: customer, date: day, amount: total}}
";

fn env(name: &str) -> Option<String> {
    let value = match name {
        "DAY" => "1997-09-30",
        "PERIOD" => "mnth-from-env",
        "LEDGER" => "password=pw-from-env/ledger.parquet",
        "STORE" => "s3://reader:pw-from-env@bucket/ledger.parquet",
        "SEED" => "42",
        _ => return None,
    };
    Some(value.to_owned())
}

fn read(text: &str) -> Result<Settings, ConfigErrors> {
    load(Utf8Path::new("shop/whalecurve.yaml"), text, &env, &Overrides::default())
}

fn read_minimal_with(more: &str) -> Settings {
    read(&format!("{MINIMAL}{more}")).expect("a valid config")
}

/// The message for a whole config.
fn message(text: &str) -> String {
    read(text).expect_err("an invalid config").to_string()
}

/// The message for the smallest config and more, from line 5 on.
fn message_with(more: &str) -> String {
    message(&format!("{MINIMAL}{more}"))
}

/// The message for a config with this `inputs.transactions` on line 4, from column 17 on.
fn message_for_ledger(transactions: &str) -> String {
    message(&format!("version: 1\ncurrency: USD\ninputs:\n  transactions: {transactions}\n"))
}
