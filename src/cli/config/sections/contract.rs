//! `contract`: what happens to rows that break a rule.

use std::collections::{BTreeMap, BTreeSet};

use super::{forecast, thresholds};
use crate::{
    cli::config::{
        error::Problems,
        suggest::quoted,
        walk::{Entry, Fields},
    },
    contract::rules::default_policy,
    schema::{
        checks::{Freshness, Threshold},
        settings::{Policy, RuleSetting, TableName},
    },
    units::QUANTITY_SCALE,
};

/// Words of `policy`.
const POLICIES: [(&str, Policy); 3] = [("error", Policy::Error), ("reject", Policy::Reject), ("warn", Policy::Warn)];

/// Words of the policy for driver quantities that stand twice: both count, which `warn` says too.
const DUPLICATE_POLICIES: [(&str, Policy); 4] =
    [("error", Policy::Error), ("reject", Policy::Reject), ("warn", Policy::Warn), ("sum", Policy::Warn)];

/// The policies of a rule.
fn policies(name: TableName, rule: &str) -> &'static [(&'static str, Policy)] {
    match (name, rule) {
        (TableName::DriverQuantities, "duplicate_key") => &DUPLICATE_POLICIES,
        _ => &POLICIES,
    }
}

/// Rules of the ledger that a line cannot break and stay.
const FATAL_RULES: [&str; 4] = ["invalid_amount", "missing_date", "after_as_of", "wrong_currency"];

/// Keys of a rule.
const RULE_KEYS: [&str; 5] = ["policy", "max_rows", "max_share", "error_if", "warn_if"];

/// Keys of a rule about a range.
const RANGE_KEYS: [&str; 7] = ["policy", "max_rows", "max_share", "error_if", "warn_if", "min", "max"];

/// Key of the ledger beside its rules.
const FRESHNESS: &str = "freshness";

/// Rules whose policy the user changed, by table.
pub(in crate::cli::config) type Rules = BTreeMap<TableName, BTreeMap<String, RuleSetting>>;

/// `contract`, with how fresh the ledger must be. Limits of money have at most `exponent` digits after the point.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    tables: &BTreeSet<TableName>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<(Rules, Option<Freshness>)> {
    let known = TableName::ALL.map(TableName::as_str);
    let fields = entry.fields(&known, problems)?;
    let (mut contract, mut fresh) = (Some(BTreeMap::new()), Some(None));
    for name in TableName::ALL {
        let Some(table) = fields.get(name.as_str()) else { continue };
        if !tables.contains(&name) {
            let what = format!("{} has rules for a table that `inputs` does not have", quoted(table.path()));
            problems.add(table.key_at(), what);
        }
        let more: &[&str] = if name == TableName::Transactions { &[FRESHNESS] } else { &[] };
        let Some(fields) = table.fields(&[name.rules(), more].concat(), problems) else {
            contract = None;
            continue;
        };
        if name == TableName::Transactions {
            fresh = fields.read_or(FRESHNESS, None, problems, |entry, problems| freshness(entry, problems).map(Some));
        }
        let rules = rules(name, &fields, exponent, problems);
        contract = contract.zip(rules).map(|(mut contract, rules)| {
            contract.insert(name, rules);
            contract
        });
    }
    contract.zip(fresh)
}

/// `freshness`: days from the ledger's last line to `as_of`.
fn freshness(entry: &Entry<'_>, problems: &mut Problems) -> Option<Freshness> {
    let fields = entry.fields(&["warn_after", "error_after"], problems)?;
    let mut days = |key: &str| {
        fields.read_or(key, None, problems, |entry, problems| {
            let days = entry.scalar().and_then(forecast::days_in);
            if days.is_none() {
                entry.refuse("a length of time like 2 days or 1 week", None, problems);
            }
            days.map(Some)
        })
    };
    let (warn_after, error_after) = (days("warn_after"), days("error_after"));
    let (warn_after, error_after) = (warn_after?, error_after?);
    match (warn_after, error_after) {
        (None, None) => {
            problems.add(entry.key_at(), format!("{} has neither warn_after nor error_after", quoted(entry.path())));
            None
        }
        (Some(warn), Some(error)) if warn >= error => {
            let what =
                format!("{}: warn_after is not before error_after, so it would never be told", quoted(entry.path()));
            problems.add(entry.key_at(), what);
            None
        }
        _ => Some(Freshness { warn_after, error_after }),
    }
}

fn rules(
    name: TableName,
    fields: &Fields<'_>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<BTreeMap<String, RuleSetting>> {
    let mut rules = Some(BTreeMap::new());
    for rule in name.rules() {
        let Some(entry) = fields.get(rule) else { continue };
        let setting = setting(name, rule, entry, exponent, problems);
        if name == TableName::Transactions
            && FATAL_RULES.contains(rule)
            && setting.as_ref().is_some_and(|setting| setting.policy == Policy::Warn)
        {
            let what =
                format!("{} cannot be warn: a line that breaks it has no place in the result", quoted(entry.path()));
            problems.add_with_hint(entry.at(), what, "use reject or error");
        }
        rules = rules.zip(setting).map(|(mut rules, setting)| {
            rules.insert((*rule).to_owned(), setting);
            rules
        });
    }
    rules
}

/// What a range rule limits.
#[derive(Clone, Copy)]
enum Range {
    Money,
    Quantity,
    Day,
}

impl Range {
    fn of(rule: &str) -> Option<Self> {
        match rule {
            "amount_range" => Some(Self::Money),
            "quantity_range" => Some(Self::Quantity),
            "date_range" => Some(Self::Day),
            _ => None,
        }
    }

    /// A limit as a number that compares as the limits do.
    fn limit(self, entry: &Entry<'_>, exponent: u8, problems: &mut Problems) -> Option<i64> {
        match self {
            Self::Money => entry.scaled(exponent, "an amount", problems),
            Self::Quantity => entry.scaled(QUANTITY_SCALE.ilog10() as u8, "a number", problems),
            Self::Day => entry.day(problems).map(i64::from),
        }
    }
}

fn setting(
    table: TableName,
    rule: &str,
    entry: &Entry<'_>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<RuleSetting> {
    let (policies, range) = (policies(table, rule), Range::of(rule));
    if entry.scalar().is_some() {
        let policy = entry.word(policies, problems)?;
        if range.is_some() {
            note_no_limit(entry, problems);
            return None;
        }
        let none = Threshold::default();
        return Some(RuleSetting { policy, error_if: none, warn_if: none, min: None, max: None });
    }
    let keys: &[&str] = if range.is_some() { &RANGE_KEYS } else { &RULE_KEYS };
    let fields = entry.fields(keys, problems)?;
    let default = default_policy(table, rule);
    let policy = fields.read_or("policy", default, problems, |entry, problems| entry.word(policies, problems));
    let max_rows =
        fields.read_or("max_rows", None, problems, |entry, problems| entry.whole(0, u64::MAX, problems).map(Some));
    let max_share = fields.read_or("max_share", None, problems, |entry, problems| entry.rate(1, problems).map(Some));
    let money = table.carries_money().then_some(exponent);
    let mut threshold =
        |key| fields.read_or(key, None, problems, |entry, problems| thresholds::read(entry, money, problems).map(Some));
    let (error_if, warn_if) = (threshold("error_if"), threshold("warn_if"));
    no_effect(&fields, policy, problems)?;
    let limits = match range {
        Some(range) => limits(entry, range, &fields, exponent, problems),
        None => Some((None, None)),
    };
    let (min, max) = limits?;
    let older = Threshold { rows: max_rows?, share: max_share?, amount: None };
    let (error_if, warn_if) = (error_if?.unwrap_or(older), warn_if?.unwrap_or_default());
    Some(RuleSetting { policy: policy?, error_if, warn_if, min, max })
}

/// Notes thresholds that say nothing, or the same twice.
fn no_effect(fields: &Fields<'_>, policy: Option<Policy>, problems: &mut Problems) -> Option<()> {
    let mut sound = Some(());
    for key in ["error_if", "warn_if"] {
        if let (Some(Policy::Error), Some(entry)) = (policy, fields.get(key)) {
            let what = format!("{} has no effect: policy error stops at the first row", quoted(entry.path()));
            problems.add_with_hint(entry.key_at(), what, "use reject or warn");
            sound = None;
        }
    }
    for older in ["max_rows", "max_share"] {
        if let (Some(entry), Some(_)) = (fields.get(older), fields.get("error_if")) {
            let what = format!("{} stands beside error_if, which says the same", quoted(entry.path()));
            problems.add_with_hint(entry.key_at(), what, "write error_if: {rows: …, share: …, amount: …}");
            sound = None;
        }
    }
    sound
}

/// `min` and `max` as written: at least one, in order.
fn limits(
    entry: &Entry<'_>,
    range: Range,
    fields: &Fields<'_>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<(Option<String>, Option<String>)> {
    if !fields.has("min") && !fields.has("max") {
        note_no_limit(entry, problems);
        return None;
    }
    let mut limit =
        |key| fields.read_or(key, None, problems, |entry, problems| range.limit(entry, exponent, problems).map(Some));
    let (min, max) = (limit("min"), limit("max"));
    let (min, max) = (min?, max?);
    if let (Some(low), Some(high), Some(entry)) = (min, max, fields.get("min"))
        && low > high
    {
        problems.add(entry.at(), format!("{} is above max: no row could be accepted", quoted(entry.path())));
        return None;
    }
    let written = |key| fields.get(key).and_then(Entry::scalar).map(str::to_owned);
    Some((written("min"), written("max")))
}

fn note_no_limit(entry: &Entry<'_>, problems: &mut Problems) {
    let what = format!("{} has neither min nor max", quoted(entry.path()));
    problems.add_with_hint(entry.key_at(), what, "a range needs a limit: {policy: reject, min: …, max: …}");
}
