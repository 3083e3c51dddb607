//! `fx` and its table.

use super::*;
use crate::schema::fx::RateKind;

const POOLS: &str = "  pools: {path: p, columns: {activity: a, amount: b, currency: c}}\n";
const RATES: &str = "  fx: {path: r, columns: {currency: c, rate: r, kind: k, period: p}}\n";

#[test]
fn rates_serve_costs_that_name_their_currency() {
    assert_snapshot!(message_with(RATES), @"");
    assert_snapshot!(message_with("  fx: {path: r, columns: {currency: c, period: p, date: d}}\n"), @"");
    assert_snapshot!(message_with("fx: {kind: close}\n"), @"");
    let settings = read_minimal_with(&format!("{POOLS}{RATES}"));
    assert_eq!(settings.fx.kind, RateKind::Average);
    let settings = read_minimal_with(&format!("{POOLS}{RATES}fx: {{kind: closing}}\n"));
    assert_eq!(settings.fx.kind, RateKind::Closing);
}
