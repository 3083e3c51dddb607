//! `activities`: levels, methods, policies and rules of cost.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    basis::{self, Known},
    methods,
};
use crate::{
    allocate::{capacity::working_minutes, combination},
    cli::config::{
        error::Problems,
        suggest::{list, quoted},
        walk::{Entry, Fields},
    },
    numeric::decimal::Decimal,
    schema::{
        costing::{
            ActivitySetting, Basis, Behaviour, Capacity, Layer, Level, Method, Negative, NoDriver, OverUse, Rule,
        },
        scenario::ActivityChange,
        settings::TableName,
    },
    units::Day,
};

/// Words of `level`; a batch is an order.
const LEVELS: [(&str, Level); 8] = [
    ("unit", Level::Unit),
    ("product", Level::Product),
    ("order", Level::Order),
    ("batch", Level::Order),
    ("customer", Level::Customer),
    ("channel", Level::Channel),
    ("region", Level::Region),
    ("company", Level::Company),
];

/// Words of `layer`.
const LAYERS: [(&str, Layer); 4] =
    [("cm1", Layer::Cm1), ("cm2", Layer::Cm2), ("cm3", Layer::Cm3), ("below", Layer::Below)];

/// Words of `behaviour`.
const BEHAVIOURS: [(&str, Behaviour); 2] = [("fixed", Behaviour::Fixed), ("variable", Behaviour::Variable)];

/// Words of a switch.
pub(super) const SWITCH: [(&str, bool); 2] = [("true", true), ("false", false)];

/// Words of `over_use`.
const OVER_USES: [(&str, OverUse); 3] =
    [("error", OverUse::Error), ("over_driven", OverUse::OverDriven), ("rescale", OverUse::Rescale)];

/// A policy's name; what belongs to it stands in a key of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NegativeWord {
    Error,
    Signed,
    Zero,
    Absolute,
    Shift,
    Separate,
}

/// Words of `negative`.
const NEGATIVES: [(&str, NegativeWord); 6] = [
    ("error", NegativeWord::Error),
    ("signed", NegativeWord::Signed),
    ("zero", NegativeWord::Zero),
    ("absolute", NegativeWord::Absolute),
    ("shift", NegativeWord::Shift),
    ("separate", NegativeWord::Separate),
];

/// Amplification that `negative: signed` takes when nobody says otherwise: shares move at most three times the pool.
const AMPLIFICATION_LIMIT: Decimal = Decimal { mantissa: 3, scale: 0 };

#[derive(Clone, Copy, PartialEq, Eq)]
enum NoDriverWord {
    Unassigned,
    Fallback,
    PriorPeriod,
    Even,
    Error,
}

/// Words of `no_driver`.
const NO_DRIVERS: [(&str, NoDriverWord); 5] = [
    ("unassigned", NoDriverWord::Unassigned),
    ("fallback", NoDriverWord::Fallback),
    ("prior_period", NoDriverWord::PriorPeriod),
    ("even", NoDriverWord::Even),
    ("error", NoDriverWord::Error),
];

/// Keys of an activity beside those of its method.
const KEYS: [&str; 18] = [
    "level",
    "layer",
    "behaviour",
    "avoidable",
    "recurring",
    "push_down",
    "method",
    "cost",
    "negative",
    "amplification_limit",
    "no_driver",
    "fallback",
    "capacity",
    "over_use",
    "unused_to",
    "rule",
    "valid_from",
    "valid_to",
];

/// Keys of an activity of the activities table that a scenario may change, beside those of its method.
const CHANGES: [&str; 4] = ["method", "cost", "capacity", "over_use"];

/// A key that need not be there.
type Optional<T> = Option<T>;

/// `activities`.
///
/// * `served`: names that resource pools serve: their cost may come from there.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    known: &Known<'_>,
    served: &BTreeSet<String>,
    problems: &mut Problems,
) -> Option<BTreeMap<String, ActivitySetting>> {
    let named = entry.named(problems)?;
    let names: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
    let read: Vec<_> = named
        .iter()
        .map(|(name, entry)| {
            let known = Known { activities: &names, ..*known };
            ((*name).to_owned(), activity(entry, &known, served.contains(*name), problems))
        })
        .collect();
    read.into_iter().map(|(name, activity)| Some((name, activity?))).collect()
}

fn activity(entry: &Entry<'_>, known: &Known<'_>, served: bool, problems: &mut Problems) -> Option<ActivitySetting> {
    let keys: Vec<&str> = KEYS.into_iter().chain(methods::KEYS).collect();
    let fields = entry.fields(&keys, problems)?;
    let stake = known.stake_of(&fields);
    let known = &Known { stake: &stake, ..*known };
    let level = fields.read("level", problems, |entry, problems| entry.word(&LEVELS, problems));
    let method = methods::read(&fields, known, problems);
    let needs_no_quantity = matches!(method, Some(Method::Share(Basis::Average | Basis::Even) | Method::Traced));
    let negative = negative(needs_no_quantity.then_some(&fields).and(method.as_ref()), &fields, problems);
    let no_driver = no_driver(&fields, known, problems);
    let layer = fields.read_or("layer", None, problems, |entry, problems| entry.word(&LAYERS, problems).map(Some));
    let behaviour =
        fields.read_or("behaviour", None, problems, |entry, problems| entry.word(&BEHAVIOURS, problems).map(Some));
    let switch = |key: &str, problems: &mut Problems| {
        fields.read_or(key, None, problems, |entry, problems| entry.word(&SWITCH, problems).map(Some))
    };
    let (avoidable, recurring) = (switch("avoidable", problems), switch("recurring", problems));
    let push_down = push_down(level, &fields, problems);
    let capacity =
        fields.read_or("capacity", None, problems, |entry, problems| capacity(entry, known, problems).map(Some));
    let over_use = over_use(&fields, problems);
    let unused_to = unused_to(entry, &fields, known, problems);
    let rule = rule(&fields, problems);
    let cost = cost(entry, &fields, known, served || method == Some(Method::Traced), problems);
    let mut setting = ActivitySetting::new(level?, method?);
    setting.layer = layer?.unwrap_or(setting.layer);
    setting.behaviour = behaviour?.unwrap_or(setting.behaviour);
    setting.avoidable = avoidable?.unwrap_or(setting.avoidable);
    setting.recurring = recurring?.unwrap_or(setting.recurring);
    setting.push_down = push_down?;
    setting.cost = cost?;
    setting.negative = negative?;
    setting.no_driver = no_driver?;
    setting.capacity = capacity?;
    setting.over_use = over_use?;
    setting.unused_to = unused_to?;
    setting.rule = rule?;
    if let Some(wrong) = combination(&setting) {
        problems.add(entry.key_at(), format!("{}: {wrong}", quoted(entry.path())));
        return None;
    }
    Some(setting)
}

/// What a scenario says of an activity that comes from the activities table. A driver or time alone is the method of
/// that name.
pub(in crate::cli::config) fn change(
    entry: &Entry<'_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<ActivityChange> {
    let keys: Vec<&str> = CHANGES.into_iter().chain(methods::KEYS).collect();
    let fields = entry.fields(&keys, problems)?;
    let method = methods::read_change(&fields, known, problems)?;
    let capacity =
        fields.read_or("capacity", None, problems, |entry, problems| capacity(entry, known, problems).map(Some))?;
    let over_use =
        fields.read_or("over_use", None, problems, |entry, problems| entry.word(&OVER_USES, problems).map(Some))?;
    Some(ActivityChange { method, capacity, over_use })
}

fn cost(
    entry: &Entry<'_>,
    fields: &Fields<'_>,
    known: &Known<'_>,
    elsewhere: bool,
    problems: &mut Problems,
) -> Option<Optional<i64>> {
    match fields.get("cost") {
        Some(entry) => entry.scaled(known.exponent, "an amount of money", problems).map(Some),
        None if elsewhere || known.tables.contains(&TableName::Pools) => Some(None),
        None => {
            let what = format!("{} has no cost, and `inputs` has no pools to take it from", quoted(entry.path()));
            problems.add_with_hint(entry.key_at(), what, "give cost: … in major units, or add the table inputs.pools");
            None
        }
    }
}

/// * `without`: a method that uses no quantities.
fn negative(without: Option<&Method>, fields: &Fields<'_>, problems: &mut Problems) -> Option<Negative> {
    let limit = fields.get("amplification_limit");
    let Some(entry) = fields.get("negative") else {
        if let Some(limit) = limit {
            let what = format!("{} has no effect without negative: signed", quoted(limit.path()));
            problems.add(limit.key_at(), what);
            return None;
        }
        return Some(Negative::Error);
    };
    if let Some(method) = without {
        let what = format!("{} has no effect: method {} uses no quantities", quoted(entry.path()), method.as_str());
        problems.add(entry.key_at(), what);
        return None;
    }
    let word = entry.word(&NEGATIVES, problems)?;
    if let Some(limit) = limit.filter(|_| word != NegativeWord::Signed) {
        problems.add(limit.key_at(), format!("{} has no effect without negative: signed", quoted(limit.path())));
        return None;
    }
    let limit = match limit {
        Some(entry) => entry.decimal((1, 1_000_000), problems)?,
        None => AMPLIFICATION_LIMIT,
    };
    Some(match word {
        NegativeWord::Error => Negative::Error,
        NegativeWord::Signed => Negative::Signed { limit },
        NegativeWord::Zero => Negative::Zero,
        NegativeWord::Absolute => Negative::Absolute,
        NegativeWord::Shift => Negative::Shift,
        NegativeWord::Separate => Negative::Separate,
    })
}

fn no_driver(fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<NoDriver> {
    let word = match fields.get("no_driver") {
        Some(entry) => entry.word(&NO_DRIVERS, problems)?,
        None => NoDriverWord::Unassigned,
    };
    match (word, fields.get("fallback")) {
        (NoDriverWord::Fallback, _) => {
            let entry = fields.require("fallback", problems)?;
            basis::read(entry, known, problems).map(NoDriver::Fallback)
        }
        (_, Some(entry)) => {
            problems.add(entry.key_at(), format!("{} has no effect without no_driver: fallback", quoted(entry.path())));
            None
        }
        (NoDriverWord::Unassigned, None) => Some(NoDriver::Unassigned),
        (NoDriverWord::PriorPeriod, None) => Some(NoDriver::PriorPeriod),
        (NoDriverWord::Even, None) => Some(NoDriver::Even),
        (NoDriverWord::Error, None) => Some(NoDriver::Error),
    }
}

fn push_down(level: Option<Level>, fields: &Fields<'_>, problems: &mut Problems) -> Option<bool> {
    let Some(entry) = fields.get("push_down") else { return Some(false) };
    let down = entry.word(&SWITCH, problems)?;
    if down && level.is_some_and(|level| level <= Level::Customer) {
        let what = format!("{} has no effect: only a channel's, region's or the company's cost", quoted(entry.path()));
        problems.add(entry.key_at(), format!("{what} stays above customers"));
        return None;
    }
    Some(down)
}

fn over_use(fields: &Fields<'_>, problems: &mut Problems) -> Option<OverUse> {
    let Some(entry) = fields.get("over_use") else { return Some(OverUse::Error) };
    if !fields.has("capacity") {
        problems.add(entry.key_at(), format!("{} has no effect without a capacity", quoted(entry.path())));
        return None;
    }
    entry.word(&OVER_USES, problems)
}

/// `unused_to`: another activity, which takes the cost of unused capacity.
fn unused_to(
    own: &Entry<'_>,
    fields: &Fields<'_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<Optional<String>> {
    let Some(entry) = fields.get("unused_to") else { return Some(None) };
    let name = entry.text("the name of an activity", problems)?;
    if !fields.has("capacity") && !known.tables.contains(&TableName::Pools) {
        problems.add(entry.key_at(), format!("{} has no effect without a capacity", quoted(entry.path())));
        return None;
    }
    let own_name = own.path().rsplit('.').next().unwrap_or_default();
    if !known.activities.contains(&name) || name == own_name {
        entry.refuse("the name of another activity", Some(format!("known: {}", list(known.activities))), problems);
        return None;
    }
    Some(Some(name.to_owned()))
}

/// `capacity`: a quantity (practical), `actual`, or `{practical | normal | budgeted: …}` or
/// `{people, days, hours, share}` in minutes.
fn capacity(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Capacity> {
    let quantity = |entry: &Entry<'_>, problems: &mut Problems| {
        let scaled = entry.scaled(6, "a capacity in the driver's unit", problems)?;
        if scaled <= 0 {
            entry.refuse(&format!("a capacity above zero{}", known.stake), None, problems);
            return None;
        }
        Some(i128::from(scaled))
    };
    match entry.scalar() {
        Some("actual") => return Some(Capacity::Actual),
        Some(_) => return quantity(entry, problems).map(Capacity::Practical),
        None => {}
    }
    let kinds = ["practical", "normal", "budgeted", "people", "days", "hours", "share"];
    let fields = entry.fields(&kinds, problems)?;
    if fields.has("people") || fields.has("days") || fields.has("hours") || fields.has("share") {
        return working_time(entry, &fields, known, problems).map(Capacity::Practical);
    }
    let given: Vec<&str> = kinds.into_iter().take(3).filter(|kind| fields.has(kind)).collect();
    let [kind] = given.as_slice() else {
        let what = format!(
            "{} has {} denominators, expected exactly one of practical, normal, budgeted",
            quoted(entry.path()),
            given.len()
        );
        problems.add(entry.key_at(), what);
        return None;
    };
    let quantity = fields.read(kind, problems, quantity)?;
    Some(match *kind {
        "practical" => Capacity::Practical(quantity),
        "normal" => Capacity::Normal(quantity),
        _ => Capacity::Budgeted(quantity),
    })
}

/// `people · days · hours · 60 · share` minutes.
fn working_time(entry: &Entry<'_>, fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<i128> {
    let mut number =
        |key: &str, high: i64| fields.read(key, problems, |entry, problems| entry.decimal((0, high), problems));
    let (people, days) = (number("people", 10_000_000), number("days", 366_000));
    let (hours, share) = (number("hours", 24), number("share", 1));
    match working_minutes(people?, days?, hours?, share?) {
        Ok(minutes) => Some(i128::from(minutes)),
        Err(error) => {
            problems.add(entry.key_at(), format!("{}: {error}{}", quoted(entry.path()), known.stake));
            None
        }
    }
}

/// `rule`, `valid_from`, `valid_to`.
pub(super) fn rule(fields: &Fields<'_>, problems: &mut Problems) -> Option<Rule> {
    let day = |key: &str, problems: &mut Problems| -> Option<Option<Day>> {
        fields.read_or(key, None, problems, |entry, problems| entry.day(problems).map(Some))
    };
    let (valid_from, valid_to) = (day("valid_from", problems), day("valid_to", problems));
    let named = fields.read_or("rule", Some((None, 1)), problems, |entry, problems| {
        if entry.scalar().is_some() {
            return Some(Some((Some(entry.text("a rule's name", problems)?.to_owned()), 1)));
        }
        let parts = entry.fields(&["id", "version"], problems)?;
        let id = parts.read("id", problems, |entry, problems| entry.text("a rule's name", problems).map(str::to_owned));
        let version =
            parts.read_or("version", 1, problems, |entry, problems| entry.whole(1, u64::from(u32::MAX), problems));
        Some(Some((Some(id?), version? as u32)))
    });
    let (id, version) = named??;
    let rule = Rule { id, version, valid_from: valid_from?, valid_to: valid_to? };
    if let (Some(from), Some(to)) = (rule.valid_from, rule.valid_to)
        && from > to
    {
        let at = fields.get("valid_to").map_or(fields.at(), Entry::key_at);
        problems.add(at, format!("{} ends before it begins", quoted(fields.path())));
        return None;
    }
    Some(rule)
}
