//! `capital_charge`, `bad_debt` and `commissions`.

use super::*;
use crate::schema::economic::{CommissionBase, RatePeriod};

const BALANCES: &str = "  receivables: {path: r, columns: {customer_id: c, balance: b}}\n";
const WRITE_OFFS: &str = "  receivables: {path: r, columns: {customer_id: c, write_off: w}}\n";
const PROBABILITIES: &str = "  receivables: {path: r, columns: {customer_id: c, balance: b, default_probability: p}}\n";

#[test]
fn a_capital_charge_needs_balances_or_days_and_a_rate() {
    assert_snapshot!(message_with("capital_charge: {rate_per_year: 11}\n"), @r"
    shop/whalecurve.yaml:5:1: `capital_charge` needs the table inputs.receivables
      hint: the charge is rate × time × average balance; without balances give days: 90, for sales × days / 365
    shop/whalecurve.yaml:5:33: `capital_charge.rate_per_year` is `11`, expected a number from 0 to 10, at most 12 digits after the point
    ");
    assert_snapshot!(message_with(&format!("{WRITE_OFFS}capital_charge: {{rate_per_year: 0.1}}\n")), @r"
    shop/whalecurve.yaml:6:1: `capital_charge` needs the column balance of inputs.receivables
      hint: the charge is rate × time × average balance; without balances give days: 90, for sales × days / 365
    ");
    assert_snapshot!(message_with(&format!("{BALANCES}capital_charge:\n")), @"shop/whalecurve.yaml:6:1: `capital_charge.rate_per_year` is missing");
    assert_snapshot!(message_with("capital_charge: {rate_per_year: 0.1, rate_per_month: 0.01, days: 90}\n"), @r"
    shop/whalecurve.yaml:5:38: `capital_charge` has both rate_per_year and rate_per_month
      hint: give one of them
    ");
    let charge = |text: &str| read_minimal_with(text).economic.capital_charge.expect("a charge");
    let by_balance = charge(&format!("{BALANCES}capital_charge: {{rate_per_month: 0.0100}}\n"));
    assert_eq!(
        (by_balance.rate.to_string().as_str(), by_balance.every, by_balance.days),
        ("0.01", RatePeriod::Month, None)
    );
    let by_sales = charge("capital_charge: {rate_per_year: 0.10, days: 90}\n");
    assert_eq!(
        (by_sales.rate.to_string().as_str(), by_sales.every, by_sales.days),
        ("0.1", RatePeriod::Year, Some(90))
    );
}

#[test]
fn bad_debt_needs_an_exposure_a_probability_and_a_loss() {
    assert_snapshot!(message_with("bad_debt: {probability: 2%, loss: 1.5}\n"), @r"
    shop/whalecurve.yaml:5:1: `bad_debt` needs the column balance of inputs.receivables
      hint: the loss is probability × loss × balance; without balances give days: 90, for sales × days / 365
    shop/whalecurve.yaml:5:25: `bad_debt.probability` is `2%`, expected a number from 0 to 1, at most 12 digits after the point
      hint: write 10 % as 0.10
    shop/whalecurve.yaml:5:35: `bad_debt.loss` is `1.5`, expected a number from 0 to 1, at most 12 digits after the point
    ");
    assert_snapshot!(message_with(&format!("{BALANCES}bad_debt: {{loss: 0.6}}\n")), @"shop/whalecurve.yaml:6:1: `bad_debt.probability` is missing");
    assert_snapshot!(message_with(&format!("{BALANCES}bad_debt: {{probability: 0.02, probability_per_year: 0.02, loss: 0.6}}\n")), @r"
    shop/whalecurve.yaml:6:31: `bad_debt` has both probability and probability_per_year
      hint: give one of them
    ");
}

#[test]
fn one_loss_is_not_taken_from_two_places() {
    let expected = "bad_debt: {probability: 0.02, loss: 0.6, days: 90}\n";
    assert_snapshot!(message_with(&format!("{WRITE_OFFS}{expected}")), @r"
    shop/whalecurve.yaml:6:1: `bad_debt` expects losses where inputs.receivables has write_off: one loss would count twice
      hint: leave out one of them
    ");
    assert_snapshot!(message_with(&format!("{PROBABILITIES}{expected}")), @r"
    shop/whalecurve.yaml:6:1: `bad_debt` is on days of sales, but inputs.receivables has default_probability
      hint: probabilities of the table are for its balances: leave out days, or the column
    ");
    assert_snapshot!(message_with(PROBABILITIES), @r"
    shop/whalecurve.yaml:1:1: `inputs.receivables` has default_probability, but there is no bad_debt that takes it
      hint: add bad_debt: {loss: 0.6}, with the share of a balance that is lost
    ");
}

#[test]
fn an_exposure_is_the_balance_else_the_days_of_sales_of_the_capital_charge() {
    let days = |text: &str| read_minimal_with(text).economic.bad_debt.expect("a loss").days;
    let both = "capital_charge: {rate_per_year: 0.1, days: 90}\nbad_debt: {probability: 0.02, loss: 0.6}\n";
    assert_eq!(days(both), Some(90));
    assert_eq!(days(&format!("{BALANCES}{both}")), None);
    assert_eq!(days("bad_debt: {probability_per_year: 0.02, loss: 0.6, days: 30}\n"), Some(30));
    let of_table = read_minimal_with(&format!("{PROBABILITIES}bad_debt: {{loss: 0.6}}\n"));
    assert_eq!(of_table.economic.bad_debt.expect("a loss").probability, None);
}

#[test]
fn receivables_are_balances_or_write_offs() {
    assert_snapshot!(message_with("  receivables: {path: r, columns: {customer_id: c}}\n"), @r"
    shop/whalecurve.yaml:5:26: `inputs.receivables.columns` has neither balance nor write_off
      hint: map balance (what the customer owes), write_off (what was lost), or both
    ");
    assert_snapshot!(message_with("  receivables: {path: r, columns: {customer_id: c, write_off: w, default_probability: p}}\nbad_debt: {loss: 1}\n"), @r"
    shop/whalecurve.yaml:5:66: `inputs.receivables.columns` has default_probability without balance
      hint: the probability is that of losing the balance
    shop/whalecurve.yaml:6:1: `bad_debt` expects losses where inputs.receivables has write_off: one loss would count twice
      hint: leave out one of them
    shop/whalecurve.yaml:6:1: `bad_debt` needs the column balance of inputs.receivables
      hint: the loss is probability × loss × balance; without balances give days: 90, for sales × days / 365
    ");
}

#[test]
fn a_commission_has_a_rate_and_a_base() {
    assert_snapshot!(message_with("commissions: {of: revenue, clawback: maybe}\n"), @r"
    shop/whalecurve.yaml:5:1: `commissions.rate` is missing
    shop/whalecurve.yaml:5:19: `commissions.of` is `revenue`, expected one of net_revenue, cm1, gross_sales
    shop/whalecurve.yaml:5:38: `commissions.clawback` is `maybe`, expected one of true, false
    ");
    let commissions = read_minimal_with("commissions: {rate: 0.05}\n").economic.commissions.expect("a commission");
    assert_eq!((commissions.of, commissions.clawback), (CommissionBase::NetRevenue, false));
    let commissions = read_minimal_with("commissions: {rate: 0.05, of: cm1, clawback: true}\n").economic.commissions;
    assert!(commissions.is_some_and(|commissions| commissions.of == CommissionBase::Cm1 && commissions.clawback));
}
