//! `contract`: what happens to rows that break a rule.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cli::config::{
        error::Problems,
        suggest::quoted,
        walk::{Entry, Fields},
    },
    schema::settings::{Policy, RuleSetting, TableName},
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
const RULE_KEYS: [&str; 3] = ["policy", "max_rows", "max_share"];

/// Keys of a rule about a range.
const RANGE_KEYS: [&str; 5] = ["policy", "max_rows", "max_share", "min", "max"];

/// Rules whose policy the user changed, by table.
type Rules = BTreeMap<TableName, BTreeMap<String, RuleSetting>>;

/// `contract`. Limits of money have at most `exponent` digits after the point.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    tables: &BTreeSet<TableName>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<Rules> {
    let known = TableName::ALL.map(TableName::as_str);
    let fields = entry.fields(&known, problems)?;
    let mut contract = Some(BTreeMap::new());
    for name in TableName::ALL {
        let Some(table) = fields.get(name.as_str()) else { continue };
        if !tables.contains(&name) {
            let what = format!("{} has rules for a table that `inputs` does not have", quoted(table.path()));
            problems.add(table.key_at(), what);
        }
        let rules = table.fields(name.rules(), problems).and_then(|fields| rules(name, &fields, exponent, problems));
        contract = contract.zip(rules).map(|(mut contract, rules)| {
            contract.insert(name, rules);
            contract
        });
    }
    contract
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
        let setting = setting(entry, policies(name, rule), Range::of(rule), exponent, problems);
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
    entry: &Entry<'_>,
    policies: &[(&str, Policy)],
    range: Option<Range>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<RuleSetting> {
    if entry.scalar().is_some() {
        let policy = entry.word(policies, problems)?;
        if range.is_some() {
            note_no_limit(entry, problems);
            return None;
        }
        return Some(RuleSetting { policy, max_rows: None, max_share: None, min: None, max: None });
    }
    let keys: &[&str] = if range.is_some() { &RANGE_KEYS } else { &RULE_KEYS };
    let fields = entry.fields(keys, problems)?;
    let policy = fields.read("policy", problems, |entry, problems| entry.word(policies, problems));
    let max_rows =
        fields.read_or("max_rows", None, problems, |entry, problems| entry.whole(0, u64::MAX, problems).map(Some));
    let max_share = fields.read_or("max_share", None, problems, |entry, problems| entry.rate(1, problems).map(Some));
    let limits = match range {
        Some(range) => limits(entry, range, &fields, exponent, problems),
        None => Some((None, None)),
    };
    let (min, max) = limits?;
    Some(RuleSetting { policy: policy?, max_rows: max_rows?, max_share: max_share?, min, max })
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
