//! A config as it is understood is a config that says the same.

use insta::assert_snapshot;

use super::*;
use crate::{cli::config::resolved, contract::rules::Rules, schema::settings::RuleSetting};

fn told(text: &str, flags: &Overrides) -> String {
    resolved(Utf8Path::new("shop/whalecurve.yaml"), text, &env, flags).unwrap()
}

fn settings(text: &str, flags: &Overrides) -> serde_json::Value {
    let mut settings = load(Utf8Path::new("shop/whalecurve.yaml"), text, &env, flags).unwrap();
    let limits = format!("{:?}", settings.inputs.transactions.limits);
    // A rule that is not there has its default policy.
    let of = |table: TableName| {
        let rules = Rules::new(&settings, table);
        let rule = |rule: &&str| {
            let none = |setting: &&RuleSetting| {
                setting.error_if.is_none() && setting.warn_if.is_none() && setting.min.is_none()
            };
            (rule.to_string(), rules.policy(rule), rules.setting(rule).filter(|setting| !none(setting)).cloned())
        };
        table.rules().iter().map(rule).collect::<Vec<_>>()
    };
    let tables = TableName::ALL.into_iter().filter(|table| settings.inputs.table(*table).is_some());
    let rules: Vec<_> = tables.map(of).collect();
    settings.contract.clear();
    serde_json::json!([settings, settings.output, settings.keep_versions, limits, rules])
}

#[test]
fn every_value_says_where_it_came_from() {
    let flags =
        Overrides { seed: Some(7), sets: vec!["capital_charge.rate_per_year=0.2".to_owned()], ..Overrides::default() };
    let text = format!("{MINIMAL}as_of: ${{DAY}}\ncapital_charge: {{rate_per_year: 0.1, days: 30}}\nseed: ${{SEED}}\n");
    assert_snapshot!(told(&text, &flags), @r"
    # outputs: every dataset (default)
    version: 1  # whalecurve.yaml:1
    currency: USD  # whalecurve.yaml:2
    inputs:
      transactions:
        path: ledger.parquet  # whalecurve.yaml:4
        columns:
          customer_id: customer  # whalecurve.yaml:4
          date: day  # whalecurve.yaml:4
          amount: total  # whalecurve.yaml:4
        returns: separate  # default
        format: parquet  # default
    as_of: 1997-09-30  # ${DAY}, whalecurve.yaml:5
    capital_charge:
      rate_per_year: 0.1  # whalecurve.yaml:6
      days: 30  # whalecurve.yaml:6
    seed: 7  # command line
    overrides:
      capital_charge:
        rate_per_year: 0.2  # command line
    name: shop  # default
    period: whole  # default
    output: results  # default
    keep_versions: 0  # default
    limits:
      max_rows: 100000000000  # default
      max_uncompressed_bytes: 17179869184  # default
      max_row_groups: 10000000  # default
      max_columns: 20000  # default
    contract:
      transactions:
        missing_customer: reject  # default
        missing_date: reject  # default
        invalid_amount: reject  # default
        after_as_of: reject  # default
        wrong_currency: error  # default
        unknown_customer: reject  # default
        unknown_product: error  # default
        missing_value: warn  # default
        invalid_driver: reject  # default
    portfolio:
      rfm_groups: 5  # default
      value_tiers:
        platinum: 0.05  # default
        gold: 0.15  # default
        iron: 0.3  # default
        lead: 0.5  # default
      value_tiers_by: customers  # default
      networking:
        new_share: 0.5  # default
        decay: 0.5  # default
      present_above: 0.00  # default
      future_at_least: median  # default
    equity:
      cohort: year  # default
      doors:
        least_profitable: 0.25  # default
        min_customers: 10  # default
    decisions:
      keep:
        avoidable_order_cost: 1  # default
        avoidable_customer_cost: 1  # default
        max_price_rise: 0.1  # default
        price_elasticity: 1  # default
    report:
      write: true  # default
      smallest_group: 10  # default
    suppress:
      smallest_group: 10  # default
    ");
}

#[test]
fn a_resolved_config_gives_the_settings_of_its_config() {
    let none = Overrides::default();
    let forecast = format!("{MINIMAL}forecast: {{horizon: 52w}}\n");
    let contracts = "inputs:\n  contracts: {path: c, columns: {customer_id: c, start: s, end: e}}";
    let texts = [
        MINIMAL.to_owned(),
        super::whole::FULL.to_owned(),
        forecast.replace("52w", "52w, model: bg_bb"),
        forecast.replace("inputs:", contracts).replace("52w", "52w, model: auto, grace: 3 days"),
        forecast.replace("52w", "52w, quantiles: [0.5, 0.025]"),
        format!("{forecast}period: month\nequity: {{bridge: {{from: 1997-03-31}}}}\n"),
        format!("{MINIMAL}portfolio: {{value_tier_cuts: {{best: 10, rest: 0}}, present_above: 1.50}}\n"),
        format!("{MINIMAL}portfolio: {{value_tiers: deciles, value_tiers_by: value, future_at_least: 3}}\n"),
        forecast,
    ];
    for text in &texts {
        let again = told(text, &none);
        assert_eq!(settings(&again, &none), settings(text, &none), "{again}");
        assert_eq!(told(&again, &none).lines().count(), again.lines().count(), "{again}");
        // Every scalar says where it came from.
        for line in again.lines().filter(|line| !line.ends_with(':') && !line.ends_with("{}")) {
            assert!(line.contains("  # ") || line.starts_with("# ") || line.ends_with("null"), "{line}");
        }
    }
}

#[test]
fn what_a_secret_variable_holds_is_not_shown_and_another_is() {
    let env = |name: &str| match name {
        "WAREHOUSE_TOKEN" => Some("hunter2".to_owned()),
        "PLACE" => Some("ledger/1997.parquet".to_owned()),
        "URL" => Some("s3://reader:hunter3@bucket/l.parquet".to_owned()),
        "DAY" => Some("1997-09-30".to_owned()),
        _ => None,
    };
    let text = MINIMAL.replace("path: ledger.parquet", "path: ['${WAREHOUSE_TOKEN}.parquet', '${PLACE}']");
    let told =
        resolved(Utf8Path::new("c.yaml"), &format!("{text}as_of: ${{DAY}}\n"), &env, &Overrides::default()).unwrap();
    assert!(!told.contains("hunter"), "{told}");
    assert!(told.contains("- \"***\"  # ${WAREHOUSE_TOKEN}, c.yaml:4"), "{told}");
    assert!(told.contains("as_of: 1997-09-30  # ${DAY}, c.yaml:5"), "{told}");
    // A user in a URL is not shown either: it is an error, which does not repeat it.
    let url = MINIMAL.replace("path: ledger.parquet", "path: '${URL}'");
    let refused = resolved(Utf8Path::new("c.yaml"), &url, &env, &Overrides::default()).unwrap_err().to_string();
    assert!(refused.contains("holds a user or a token") && !refused.contains("hunter"), "{refused}");
}
