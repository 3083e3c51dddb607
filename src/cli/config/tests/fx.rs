//! `fx` and its table.

use super::*;
use crate::schema::fx::RateKind;

const POOLS: &str = "  pools: {path: p, columns: {activity: a, amount: b, currency: c}}\n";
const RATES: &str = "  fx: {path: r, columns: {currency: c, rate: r, kind: k, period: p}}\n";

#[test]
fn rates_serve_costs_that_name_their_currency() {
    assert_snapshot!(message_with(RATES), @r"
    shop/whalecurve.yaml:5:3: `inputs.fx` has no effect: no cost names its currency
      hint: map currency in inputs.pools.columns
    ");
    assert_snapshot!(message_with("  fx: {path: r, columns: {currency: c, period: p, date: d}}\n"), @r"
    shop/whalecurve.yaml:5:3: `inputs.fx` has no effect: no cost names its currency
      hint: map currency in inputs.pools.columns
    shop/whalecurve.yaml:5:17: `inputs.fx.columns.rate` is missing
    shop/whalecurve.yaml:5:51: `inputs.fx.columns` has both period and date: two answers to when
      hint: map one of them
    ");
    assert_snapshot!(message_with("fx: {kind: close}\n"), @r"
    shop/whalecurve.yaml:5:1: `fx` needs the table inputs.fx
      hint: give rates by currency: inputs.fx with currency, rate, period
    shop/whalecurve.yaml:5:12: `fx.kind` is `close`, expected one of average, closing
    ");
    let settings = read_minimal_with(&format!("{POOLS}{RATES}"));
    assert_eq!(settings.fx.kind, RateKind::Average);
    let settings = read_minimal_with(&format!("{POOLS}{RATES}fx: {{kind: closing}}\n"));
    assert_eq!(settings.fx.kind, RateKind::Closing);
}
