//! Environment references and secrets.

use super::*;

#[test]
fn values_come_from_the_environment_or_from_their_default() {
    let settings = read_minimal_with("seed: ${SEED}\nas_of: ${NOT_SET:-1998-06-30}\nname: run of ${DAY}\n");
    assert_eq!(settings.seed, 42);
    assert_eq!(settings.as_of, crate::schema::period::parse_day("1998-06-30"));
    assert_eq!(settings.name, "run of 1997-09-30");
}

#[test]
fn an_unset_variable_is_an_error() {
    assert_snapshot!(message_with("output: ${OUT_DIR}/x\nname: ${\n"), @r"
    shop/whalecurve.yaml:5:9: environment variable OUT_DIR is not set
      hint: set it, or give a default: ${OUT_DIR:-…}
    shop/whalecurve.yaml:6:7: `${` without `}`
      hint: write ${NAME} or ${NAME:-default}; $${ for the characters ${
    ");
}

#[test]
fn a_value_from_the_environment_is_never_printed() {
    let message = message_with("period: ${PERIOD}\nseed: x${SEED}${DAY}\nas_of: ${PERIOD:-x}\n");
    assert!(!message.contains("from-env"), "{message}");
    assert_snapshot!(message, @r"
    shop/whalecurve.yaml:5:9: `period` is made from ${PERIOD} (value not shown), expected one of whole, year, quarter, month
    shop/whalecurve.yaml:6:7: `seed` is made from ${SEED} and ${DAY} (value not shown), expected a whole number of 64 bits, 0 or more
    shop/whalecurve.yaml:7:8: `as_of` is made from ${PERIOD} (value not shown), expected a date of the calendar like 1997-09-30
    ");
    let driver =
        "drivers: {mnth: count}\nactivities: {a: {level: order, method: driver, driver: '${PERIOD}', cost: 1}}\n";
    assert_snapshot!(message_with(driver), @r"
    shop/whalecurve.yaml:6:56: `activities.a.driver` is made from ${PERIOD} (value not shown), expected a driver that is defined in `drivers`; 1.00 USD are at stake
      hint: known drivers: mnth; others need the table inputs.driver_quantities
    ");
    let twice =
        message_for_ledger("{path: [\"${LEDGER}\", \"${LEDGER}\"], columns: {customer_id: c, date: d, amount: a}}");
    assert!(!twice.contains("from-env"), "{twice}");
    assert_snapshot!(twice, @"shop/whalecurve.yaml:4:38: `inputs.transactions.path` names one path twice: its rows would count twice");
}

#[test]
fn keys_are_not_interpolated() {
    assert_snapshot!(message_with("drivers:\n  ${SEED}: count\n"), @"shop/whalecurve.yaml:6:3: `${…}` is read in values only, not in keys");
}

#[test]
fn a_literal_secret_is_refused_and_not_repeated() {
    let message = message_for_ledger(
        "{path: s3://reader:hunter2@bucket/x, where: \"k = 'AKIAIOSFODNN7EXAMPLE'\", columns: {customer_id: c, date: d, amount: password=hunter2}}",
    );
    assert!(!message.contains("hunter2") && !message.contains("AKIA"), "{message}");
    assert_snapshot!(message, @r"
    shop/whalecurve.yaml:4:24: looks like a secret, which a config must not hold
      hint: take it from the environment: ${NAME}
    shop/whalecurve.yaml:4:61: looks like a secret, which a config must not hold
      hint: take it from the environment: ${NAME}
    shop/whalecurve.yaml:4:134: looks like a secret, which a config must not hold
      hint: take it from the environment: ${NAME}
    ");
}

#[test]
fn a_secret_from_the_environment_is_accepted() {
    let settings = read(&MINIMAL.replace("ledger.parquet", "\"${LEDGER}\"")).expect("a valid config");
    assert_eq!(settings.inputs.transactions.paths, ["password=pw-from-env/ledger.parquet"]);
}
