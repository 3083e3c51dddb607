//! What is refused before any section is read.

use super::*;

#[test]
fn an_empty_config_says_what_is_missing() {
    assert_snapshot!(message("# nothing\n"), @r"
    shop/whalecurve.yaml:1:1: `version` is missing
    shop/whalecurve.yaml:1:1: `currency` is missing
    shop/whalecurve.yaml:1:1: `inputs` is missing
    ");
}

#[test]
fn a_text_that_is_no_yaml_is_told_with_its_place() {
    assert_snapshot!(message("version: 1\ninputs: {a: [1, 2}\n"), @"shop/whalecurve.yaml:2:13: not YAML: mismatched bracket '[' closed by '}'");
}

#[test]
fn a_list_is_no_config() {
    assert_snapshot!(message("- version: 1\n"), @"shop/whalecurve.yaml:1:1: the config is a list, expected a mapping with version, name, currency, as_of, period, seed, output, outputs, keep_versions, spool, inputs, ids, limits, contract, drivers, activities, resources, fx, capital_charge, bad_debt, commissions, forecast, portfolio, equity, decisions, tests, overrides, report, suppress");
}

#[test]
fn another_version_is_refused_without_judging_the_rest() {
    assert_snapshot!(message("version: 2\nnewer_key: 1\n"), @"shop/whalecurve.yaml:1:10: `version` is `2`, expected 1, the version of the config that this program reads");
}

#[test]
fn a_key_given_twice_is_refused() {
    assert_snapshot!(message_with("seed: 1\nseed: 2\n"), @"shop/whalecurve.yaml:6:1: `seed` stands here again, first on line 5");
}

#[test]
fn keys_that_are_no_words_merge_keys_and_second_documents_are_refused() {
    assert_snapshot!(message_with("? [a, b]\n: 1\n"), @"shop/whalecurve.yaml:5:3: a key must be a word");
    assert_snapshot!(message_with("portfolio: &p {rfm_groups: 5}\nforecast:\n  <<: *p\n"), @r"
    shop/whalecurve.yaml:7:3: merge keys (`<<`) are not read
      hint: write the keys out
    ");
    assert_snapshot!(message_with("---\nversion: 1\n"), @r"
    shop/whalecurve.yaml:6:1: a second YAML document begins here
      hint: a config is one document
    ");
}

#[test]
fn unknown_tags_are_refused_and_core_tags_change_no_text() {
    assert_eq!(read_minimal_with("seed: !!int 7\nname: !!str 12\n").seed, 7);
    assert_eq!(read_minimal_with("seed: !!int '7'\n").seed, 7);
    assert_snapshot!(message_with("name: !exec ls\n"), @"shop/whalecurve.yaml:5:13: not YAML: unsupported tag `!exec`");
}

#[test]
fn an_alias_bomb_is_refused() {
    let levels = (1..10).map(|level| {
        let items = vec![format!("*l{}", level - 1); 10].join(", ");
        format!("l{level}: &l{level} [{items}]\n")
    });
    let bomb = format!("l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n{}", levels.collect::<String>());
    assert_snapshot!(message(&bomb), @"shop/whalecurve.yaml:1:19: the config is nested, repeated or referred to itself more than any config needs to be");
}

#[test]
fn deep_nesting_and_huge_files_are_refused() {
    assert_snapshot!(message(&format!("a: {}{}", "[".repeat(30), "]".repeat(30))), @"shop/whalecurve.yaml:1:27: the config is nested, repeated or referred to itself more than any config needs to be");
    assert_snapshot!(message(&"#".repeat(2 << 20)), @"shop/whalecurve.yaml:1:1: the config has 2097152 bytes, more than the 1048576 allowed");
}

#[test]
fn a_key_cannot_write_its_own_lines_into_a_log() {
    assert_snapshot!(message_with("\"x\\nshop/whalecurve.yaml:1:1: fine\": 1\n"), @r"
    shop/whalecurve.yaml:5:1: unknown key `x\nshop/whalecurve.yaml:1:1: fine`
      hint: known keys: version, name, currency, as_of, period, seed, output, outputs, keep_versions, spool, inputs, ids, limits, contract, drivers, activities, resources, fx, capital_charge, bad_debt, commissions, forecast, portfolio, equity, decisions, tests, overrides, report, suppress
    ");
}
