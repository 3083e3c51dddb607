//! `equity`, `decisions` and the tables that they are made from.

use super::*;
use crate::schema::{
    decisions::DecisionSettings,
    equity::{BridgeFrom, EquitySettings},
    settings::PoolBy,
};

#[test]
fn without_the_sections_cohorts_are_years_and_nothing_is_decided() {
    let settings = read_minimal_with("");
    assert_eq!((settings.equity, settings.decisions), (EquitySettings::default(), DecisionSettings::default()));
}

#[test]
fn a_bridge_begins_with_a_day_or_with_the_folder_of_a_run() {
    let from = |text: &str| {
        let more = format!("period: month\nforecast: {{horizon: 1y}}\nequity: {{bridge: {{from: {text}}}}}\n");
        read_minimal_with(&more).equity.bridge.unwrap().from
    };
    assert_eq!(from("1997-06-30"), BridgeFrom::Day(10_042));
    assert_eq!(from("../results/1997-06"), BridgeFrom::Run("../results/1997-06".to_owned()));
    let settings = read_minimal_with("equity: {cohort: quarter, doors: {least_profitable: 0, min_customers: 1}}\n");
    assert_eq!((settings.equity.cohort, settings.equity.doors.min_customers), (PoolBy::CohortQuarter, 1));
}

#[test]
fn what_equity_and_decisions_say_is_checked() {
    let text = "\
period: month
equity:
  cohort: week
  bridge: {from: 1997-06-31, lost_below: 2}
  doors: {least_profitable: 25 %, min_customers: 0}
decisions:
  invest: {budget: 1.005}
  keep: {avoidable_order_costs: 1, price_elasticity: -1}
  prospects: {max_probability_of_loss: 1.1}
";
    assert_snapshot!(message_with(text), @"");
}

#[test]
fn plans_and_decisions_without_what_they_are_made_from_are_told() {
    let tables = "  acquisition_plan: {path: p.csv, columns: {date: d, customers: n, segment: s, channel: c}}\n  actions: {path: \
                  a.csv, columns: {action: a, cost: c}}\n  action_customers: {path: l.csv, columns: {action: a}}\n  prospects: \
                  {path: q.csv, columns: {prospect_id: id}}\n";
    assert_snapshot!(message_with(tables), @"");
    let contracts = "  contracts: {path: c.csv, columns: {customer_id: c, start: s, end: e}}\n  prospects: {path: q.csv, \
                     columns: {prospect_id: id}}\nforecast: {model: beta_geometric, horizon: 1y}\n";
    assert_snapshot!(message_with(contracts), @"");
}
