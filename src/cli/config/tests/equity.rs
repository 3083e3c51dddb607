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
    assert_snapshot!(message_with(text), @r"
    shop/whalecurve.yaml:7:11: `equity.cohort` is `week`, expected one of year, quarter, month
    shop/whalecurve.yaml:8:3: `equity.bridge` needs a forecast
      hint: add one, as in: forecast: {model: bg_nbd, horizon: 52w}
    shop/whalecurve.yaml:8:18: `equity.bridge.from` is `1997-06-31`, expected a date of the calendar like 1997-09-30
    shop/whalecurve.yaml:8:42: `equity.bridge.lost_below` is `2`, expected a number from 0 to 1, at most 12 digits after the point
    shop/whalecurve.yaml:9:29: `equity.doors.least_profitable` is `25 %`, expected a number from 0 to 1, at most 12 digits after the point
      hint: write 10 % as 0.10
    shop/whalecurve.yaml:9:50: `equity.doors.min_customers` is `0`, expected a whole number of 64 bits, 1 or more
    shop/whalecurve.yaml:11:3: `decisions.invest` has no effect: `inputs.actions` is missing
      hint: name what may be done, as in: actions: {path: actions.csv, columns: {action: action, cost: cost, frequency: more_orders}}
    shop/whalecurve.yaml:11:3: `decisions.invest` needs a forecast
      hint: add one, as in: forecast: {model: bg_nbd, horizon: 52w}
    shop/whalecurve.yaml:11:20: `decisions.invest.budget` is `1.005`, expected an amount with at most 2 digits after the point
    shop/whalecurve.yaml:12:10: unknown key `avoidable_order_costs` in `decisions.keep`
      hint: did you mean `avoidable_order_cost`? known keys: avoidable_order_cost, avoidable_customer_cost, max_price_rise, price_elasticity
    shop/whalecurve.yaml:12:54: `decisions.keep.price_elasticity` is `-1`, expected a number from 0 to 100, at most 12 digits after the point
    shop/whalecurve.yaml:13:40: `decisions.prospects.max_probability_of_loss` is `1.1`, expected a number from 0 to 1, at most 12 digits after the point
    ");
}

#[test]
fn plans_and_decisions_without_what_they_are_made_from_are_told() {
    let tables = "  acquisition_plan: {path: p.csv, columns: {date: d, customers: n, segment: s, channel: c}}\n  actions: {path: \
                  a.csv, columns: {action: a, cost: c}}\n  action_customers: {path: l.csv, columns: {action: a}}\n  prospects: \
                  {path: q.csv, columns: {prospect_id: id}}\n";
    assert_snapshot!(message_with(tables), @r"
    shop/whalecurve.yaml:5:3: `inputs.acquisition_plan` needs a forecast
      hint: add one, as in: forecast: {model: bg_nbd, horizon: 52w}
    shop/whalecurve.yaml:5:80: `inputs.acquisition_plan.columns` has both segment and channel: two answers to which customers
      hint: map one of them
    shop/whalecurve.yaml:6:3: `inputs.actions` has no effect: nothing says what may be spent
      hint: add decisions: {invest: {budget: 10000.00}}
    shop/whalecurve.yaml:7:35: `inputs.action_customers.columns.customer_id` is missing
    shop/whalecurve.yaml:8:3: `inputs.prospects` needs a forecast
      hint: add one, as in: forecast: {model: bg_nbd, horizon: 52w}
    ");
}
