//! The keys that describe the run.

use super::*;

#[test]
fn an_unknown_key_names_the_likely_one_and_the_known_ones() {
    assert_snapshot!(message_with("forcast: {horizon: 1y}\n"), @r"
    shop/whalecurve.yaml:5:1: unknown key `forcast`
      hint: did you mean `forecast`? known keys: version, name, currency, as_of, period, seed, output, outputs, keep_versions, spool, inputs, ids, limits, contract, drivers, activities, resources, fx, capital_charge, bad_debt, commissions, forecast, portfolio, equity, decisions, tests, overrides, report, suppress
    ");
    assert_snapshot!(message_with("budget: 5\n"), @r"
    shop/whalecurve.yaml:5:1: unknown key `budget`
      hint: known keys: version, name, currency, as_of, period, seed, output, outputs, keep_versions, spool, inputs, ids, limits, contract, drivers, activities, resources, fx, capital_charge, bad_debt, commissions, forecast, portfolio, equity, decisions, tests, overrides, report, suppress
    ");
}

#[test]
fn a_value_of_the_wrong_kind_says_what_was_found() {
    assert_snapshot!(message_with("seed: [1]\nname: {a: b}\nas_of:\nforecast: yes\ndrivers: [a]\nperiod: ''\n"), @r"
    shop/whalecurve.yaml:5:7: `seed` is a list, expected a whole number of 64 bits, 0 or more
    shop/whalecurve.yaml:6:7: `name` is a mapping, expected a name on one line
    shop/whalecurve.yaml:7:1: `as_of` has no value, expected a date of the calendar like 1997-09-30
    shop/whalecurve.yaml:8:11: `forecast` is `yes`, expected a mapping with model, pool_by, penalty, covariates, holdout, spend, grace, contracts_from, time_unit, horizon, discount_rate_per_year, discounting, paths, parameter_uncertainty, next_purchase, quantiles
    shop/whalecurve.yaml:9:10: `drivers` is a list, expected a mapping of names
    shop/whalecurve.yaml:10:9: `period` is empty, expected one of whole, year, quarter, month
    ");
}

#[test]
fn dates_are_dates_of_the_calendar() {
    assert_snapshot!(message_with("as_of: 1997-02-29\n"), @"shop/whalecurve.yaml:5:8: `as_of` is `1997-02-29`, expected a date of the calendar like 1997-09-30");
    assert_snapshot!(message_with("as_of: 30.9.1997\n"), @"shop/whalecurve.yaml:5:8: `as_of` is `30.9.1997`, expected a date of the calendar like 1997-09-30");
}

#[test]
fn seeds_are_whole_numbers_of_64_bits() {
    assert_eq!(read_minimal_with("seed: 18446744073709551615\n").seed, u64::MAX);
    assert_snapshot!(message_with("seed: 18446744073709551616\n"), @"shop/whalecurve.yaml:5:7: `seed` is `18446744073709551616`, expected a whole number of 64 bits, 0 or more");
    assert_snapshot!(message_with("seed: 1.5\n"), @"shop/whalecurve.yaml:5:7: `seed` is `1.5`, expected a whole number of 64 bits, 0 or more");
}

#[test]
fn currencies_are_iso_codes_or_come_with_their_digits() {
    let with = |currency: &str| MINIMAL.replace("USD", currency);
    let own = read(&with("{code: POINTS, exponent: 0}")).expect("a valid config").currency;
    assert_eq!((own.code.as_str(), own.exponent), ("POINTS", 0));
    assert_snapshot!(message(&with("usd")), @r"
    shop/whalecurve.yaml:2:11: `currency` is `usd`, expected an ISO 4217 code like EUR
      hint: write the code in capital letters
    ");
    assert_snapshot!(message(&with("XTS")), @r"
    shop/whalecurve.yaml:2:11: `currency` is `XTS`, expected an ISO 4217 code like EUR
      hint: for another unit, give its digits: {code: XTS, exponent: 2}
    ");
    assert_snapshot!(message(&with("{code: X T, exponent: 7}")), @r"
    shop/whalecurve.yaml:2:18: `currency.code` is `X T`, expected a code of 1 to 12 letters and digits
    shop/whalecurve.yaml:2:33: `currency.exponent` is `7`, expected a whole number from 0 to 6
    ");
    assert_snapshot!(message(&with("{}")), @r"
    shop/whalecurve.yaml:2:1: `currency.code` is missing
    shop/whalecurve.yaml:2:1: `currency.exponent` is missing
    ");
}
