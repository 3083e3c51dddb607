//! `activities`: levels, methods, policies and rules of cost.

use std::collections::{BTreeMap, BTreeSet};

use super::{basis::Known, methods, rules};
use crate::{
    cli::config::{
        error::Problems,
        suggest::{list, quoted},
        walk::{Entry, Fields},
    },
    schema::{
        costing::{ActivitySetting, AllocationRule, Behaviour, Layer, Level, Method},
        scenario::ActivityChange,
        settings::TableName,
    },
};

/// Words of `level`; a batch is an order.
pub(super) const LEVELS: [(&str, Level); 8] = [
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
pub(super) const LAYERS: [(&str, Layer); 4] =
    [("cm1", Layer::Cm1), ("cm2", Layer::Cm2), ("cm3", Layer::Cm3), ("below", Layer::Below)];

/// Words of `behaviour`.
pub(super) const BEHAVIOURS: [(&str, Behaviour); 2] = [("fixed", Behaviour::Fixed), ("variable", Behaviour::Variable)];

/// Words of a switch.
pub(super) const SWITCH: [(&str, bool); 2] = [("true", true), ("false", false)];

/// Keys of an activity beside those of its rule, or of its rules.
const KEYS: [&str; 9] =
    ["level", "layer", "behaviour", "avoidable", "recurring", "push_down", "cost", "unused_to", "rules"];

/// Keys of an activity's only rule that several rules write otherwise.
const NAMING: [&str; 1] = ["rule"];

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
    let keys: Vec<&str> = KEYS.into_iter().chain(NAMING).chain(rules::KEYS).chain(methods::KEYS).collect();
    let fields = entry.fields(&keys, problems)?;
    let stake = known.stake_of(&fields);
    let known = &Known { stake: &stake, ..*known };
    let level = fields.read("level", problems, |entry, problems| entry.word(&LEVELS, problems));
    let rules = match fields.get("rules") {
        Some(list) => rules::several(list, entry, &fields, known, problems),
        None => rules::only(entry, &fields, known, problems).map(|rule| vec![rule]),
    };
    let layer = fields.read_or("layer", None, problems, |entry, problems| entry.word(&LAYERS, problems).map(Some));
    let behaviour =
        fields.read_or("behaviour", None, problems, |entry, problems| entry.word(&BEHAVIOURS, problems).map(Some));
    let switch = |key: &str, problems: &mut Problems| {
        fields.read_or(key, None, problems, |entry, problems| entry.word(&SWITCH, problems).map(Some))
    };
    let (avoidable, recurring) = (switch("avoidable", problems), switch("recurring", problems));
    let push_down = push_down(level, &fields, problems);
    let unused_to = unused_to(entry, &fields, known, problems);
    let traced = rules.iter().flatten().any(|rule| rule.method == Method::Traced);
    let cost = cost(entry, &fields, known, served || traced, problems);
    let mut rules = rules?.into_iter();
    let AllocationRule { rule, method, negative, no_driver, capacity, over_use } = rules.next()?;
    let mut setting = ActivitySetting::new(level?, method);
    setting.layer = layer?.unwrap_or(setting.layer);
    setting.behaviour = behaviour?.unwrap_or(setting.behaviour);
    setting.avoidable = avoidable?.unwrap_or(setting.avoidable);
    setting.recurring = recurring?.unwrap_or(setting.recurring);
    setting.push_down = push_down?;
    setting.cost = cost?;
    setting.unused_to = unused_to?;
    Some(ActivitySetting { rule, negative, no_driver, capacity, over_use, later: rules.collect(), ..setting })
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
    // `null` takes it out.
    let capacity = fields.read_or("capacity", None, problems, |entry, problems| {
        if entry.is_null() { Some(None) } else { rules::capacity(entry, known, problems).map(Some) }
    })?;
    let over_use = fields
        .read_or("over_use", None, problems, |entry, problems| entry.word(&rules::OVER_USES, problems).map(Some))?;
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
        None if elsewhere => Some(None),
        None if [TableName::Pools, TableName::ResourceWeights].iter().any(|table| known.tables.contains(table)) => {
            Some(None)
        }
        None => {
            let what = format!("{} has no cost, and `inputs` has no pools to take it from", quoted(entry.path()));
            problems.add_with_hint(entry.key_at(), what, "give cost: … in major units, or add the table inputs.pools");
            None
        }
    }
}

pub(super) fn push_down(level: Option<Level>, fields: &Fields<'_>, problems: &mut Problems) -> Option<bool> {
    let Some(entry) = fields.get("push_down") else { return Some(false) };
    let down = entry.word(&SWITCH, problems)?;
    if down && level.is_some_and(|level| level <= Level::Customer) {
        let what = format!("{} has no effect: only a channel's, region's or the company's cost", quoted(entry.path()));
        problems.add(entry.key_at(), format!("{what} stays above customers"));
        return None;
    }
    Some(down)
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
    if !fields.has("capacity") && !fields.has("rules") && !known.pool_capacities {
        problems.add(entry.key_at(), format!("{} has no effect without a capacity", quoted(entry.path())));
        return None;
    }
    let own_name = own.path().rsplit('.').next().unwrap_or_default();
    if !known.activities.contains(&name) || name == own_name {
        entry.refuse(
            &format!("the name of another activity{}", known.stake),
            Some(format!("known: {}", list(known.activities))),
            problems,
        );
        return None;
    }
    Some(Some(name.to_owned()))
}
