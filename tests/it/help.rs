//! `whalecurve help`: commands and concepts.

use insta::assert_snapshot;

use crate::support::whalecurve;

fn help(arguments: &[&str]) -> (i32, String, String) {
    let done = whalecurve(&[&["help"], arguments].concat());
    let [out, talk] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (done.status.code().unwrap(), out, talk)
}

#[test]
fn a_topic_is_explained_in_a_few_lines_with_its_source() {
    let (code, told, _) = help(&["whale-curve"]);
    assert_eq!(code, 0);
    assert_snapshot!(told, @r"
    Whale curve: cumulative profit over customers, best first

    Sort customers by profit, add up. The curve climbs to a peak, often far above
    the total, stays flat over those who break even, and falls over those who cost
    more than they bring. Peak less end is what the last ones lose; the distance
    between peak and total is what better terms, service or prices could win.

    Source: Kaplan & Narayanan, Measuring and Managing Customer Profitability (2001).
    See:    `whale_curve.svg`, dataset `whale_curve`, `concentration` (Gini, Stobachoff)
    ");
    for written in ["Whale_Curve", "whalecurve", "WHALE CURVE"] {
        assert_eq!(help(&[written]).1, told, "{written}");
    }
}

#[test]
fn a_config_that_is_not_named_is_asked_for_beside_the_other_way_to_use_the_command() {
    let done = whalecurve(&["config"]);
    assert_eq!(done.status.code(), Some(2));
    assert_snapshot!(String::from_utf8(done.stderr).unwrap(), @r"
    error: the following required arguments were not provided:
      --resolved
      <CONFIG>

    Usage: whalecurve config --resolved <CONFIG> [--set PATH=VALUE]...
           whalecurve config --schema

    For more information, try '--help'.
    ");
}

#[test]
fn a_command_is_explained_as_by_its_own_flag() {
    let (code, told, _) = help(&["verify"]);
    assert_eq!(code, 0);
    assert!(told.contains("Check a finished output") && told.contains("Usage: whalecurve verify"), "{told}");
}

#[test]
fn without_a_topic_all_commands_and_topics_are_listed() {
    let (code, told, _) = help(&[]);
    assert_eq!(code, 0);
    for name in ["run ", "demo ", "diff ", "report ", "cost-to-serve ", "portfolio-groups ", "customer-equity "] {
        assert!(told.contains(&format!("  {name}")), "{name}\n{told}");
    }
}

#[test]
fn a_word_that_is_no_topic_gets_the_nearest_one() {
    let (code, out, talk) = help(&["whale-curv"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_snapshot!(talk, @r"
    error: there is no command or topic of this name
      hint: did you mean `whalecurve help whale-curve`?
    ");
    assert!(help(&["zebra"]).2.contains("lists all of them"));
}
