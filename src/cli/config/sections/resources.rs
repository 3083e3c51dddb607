//! `resources`: pools that serve activities and each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    activities::{BEHAVIOURS, LAYERS, LEVELS, SWITCH, push_down},
    basis::{self, Known},
    rules,
};
use crate::{
    cli::config::{
        error::Problems,
        suggest::{closest, list, quoted},
        walk::{Entry, Fields},
    },
    numeric::decimal::format_minor,
    schema::{
        costing::{Level, ResourceSetting, Rule, ServiceRule, ServiceSetting, Weight},
        settings::TableName,
    },
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Direct,
    StepDown,
    Reciprocal,
}

/// Words of `method`.
const METHODS: [(&str, Word); 3] =
    [("direct", Word::Direct), ("step_down", Word::StepDown), ("reciprocal", Word::Reciprocal)];

/// Resource pools, and how they serve each other.
pub(in crate::cli::config) type Resources = (BTreeMap<String, ResourceSetting>, ServiceSetting);

/// `resources`: `method`, `order` and `pools`.
pub(in crate::cli::config) fn read(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Resources> {
    let fields = entry.fields(&["method", "order", "pools"], problems)?;
    let word = fields.read_or("method", Word::Reciprocal, problems, |entry, problems| entry.word(&METHODS, problems));
    let named = fields.read("pools", problems, Entry::named)?;
    let names: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
    let order = match fields.get("order") {
        None => Some(None),
        Some(entry) if word.is_some_and(|word| word != Word::StepDown) => {
            problems.add(entry.key_at(), format!("{} has no effect without method: step_down", quoted(entry.path())));
            None
        }
        Some(entry) => order(entry, &names, problems).map(Some),
    };
    let pools: Vec<_> = named
        .iter()
        .map(|(name, entry)| Some(((*name).to_owned(), pool(name, entry, known, &names, problems)?)))
        .collect();
    let service = match word? {
        Word::Direct => ServiceSetting::Direct,
        Word::StepDown => ServiceSetting::StepDown { order: order? },
        Word::Reciprocal => ServiceSetting::Reciprocal,
    };
    Some((pools.into_iter().collect::<Option<_>>()?, service))
}

/// `order`: every pool once.
fn order(entry: &Entry<'_>, names: &[&str], problems: &mut Problems) -> Option<Vec<String>> {
    let mut order: Vec<String> = Vec::new();
    for item in entry.one_or_more("names of resource pools", problems)? {
        let name = item.text("the name of a resource pool", problems)?;
        if !names.contains(&name) {
            item.refuse("the name of a resource pool", Some(format!("known pools: {}", list(names))), problems);
            return None;
        }
        if order.iter().any(|known| known == name) {
            problems.add(item.at(), format!("{} names {} twice", quoted(entry.path()), quoted(name)));
            return None;
        }
        order.push(name.to_owned());
    }
    if let Some(missing) = names.iter().find(|name| !order.iter().any(|known| known == *name)) {
        problems.add(entry.key_at(), format!("{} misses {}", quoted(entry.path()), quoted(missing)));
        return None;
    }
    Some(order)
}

fn pool(
    name: &str,
    entry: &Entry<'_>,
    known: &Known<'_>,
    names: &[&str],
    problems: &mut Problems,
) -> Option<ResourceSetting> {
    let own = ["cost", "level", "layer", "behaviour", "avoidable", "push_down", "rule", "rules"];
    let keys: Vec<&str> = own.into_iter().chain(SERVICE).collect();
    let fields = entry.fields(&keys, problems)?;
    if known.activities.contains(&name) {
        problems.add(entry.key_at(), format!("{} has the name of an activity", quoted(entry.path())));
        return None;
    }
    let cost = match fields.get("cost") {
        Some(entry) => entry.scaled(known.exponent, "an amount of money", problems).map(Some),
        None => Some(None),
    };
    let stake = known.stake_of(&fields);
    let known = &Known { stake: &stake, ..*known };
    let services = if let Some(list) = fields.get("rules") {
        several(list, entry, &fields, (known, names), problems)
    } else {
        let rule = rules::rule(&fields, problems);
        service(entry, &fields, rule, (known, names), problems).map(|service| vec![service])
    };
    let level = fields.read_or("level", None, problems, |entry, problems| entry.word(&LEVELS, problems).map(Some));
    let layer = fields.read_or("layer", None, problems, |entry, problems| entry.word(&LAYERS, problems).map(Some));
    let behaviour =
        fields.read_or("behaviour", None, problems, |entry, problems| entry.word(&BEHAVIOURS, problems).map(Some));
    let avoidable =
        fields.read_or("avoidable", None, problems, |entry, problems| entry.word(&SWITCH, problems).map(Some));
    let push_down = push_down(level.flatten(), &fields, problems);
    let mut services = services?.into_iter();
    let ServiceRule { rule, serves, capacity } = services.next()?;
    let level = level?;
    Some(ResourceSetting {
        level,
        layer: layer?.or(level.map(Level::layer)),
        behaviour: behaviour?.or(level.map(Level::behaviour)),
        avoidable: avoidable?.or(level.map(|level| level <= Level::Customer)),
        push_down: push_down?,
        cost: cost?,
        serves,
        capacity,
        rule,
        later: services.collect(),
    })
}

/// Keys of a rule that says whom a pool serves.
pub(in crate::cli::config) const SERVICE: [&str; 4] = ["to", "capacity", "valid_from", "valid_to"];

/// `rules`: whom a pool serves, by date.
fn several(
    entry: &Entry<'_>,
    pool: &Entry<'_>,
    fields: &Fields<'_>,
    (known, names): (&Known<'_>, &[&str]),
    problems: &mut Problems,
) -> Option<Vec<ServiceRule>> {
    let strays: Vec<&Entry<'_>> = SERVICE.into_iter().chain(["rule"]).filter_map(|key| fields.get(key)).collect();
    for stray in &strays {
        let what = format!("{} stands beside {}", quoted(stray.path()), quoted(entry.path()));
        problems.add_with_hint(stray.key_at(), what, "give each rule its own");
    }
    let keys: Vec<&str> = ["id", "version"].into_iter().chain(SERVICE).collect();
    let one = |(place, item): (usize, &Entry<'_>), problems: &mut Problems| {
        let own = item.fields(&keys, problems)?;
        let stake = known.stake_under(fields, &own);
        let rule = rules::listed(&own, place, problems);
        service(item, &own, rule, (&Known { stake: &stake, ..*known }, names), problems)
    };
    let items = entry.one_or_more("rules, each with `to`", problems)?;
    let read: Vec<_> = items.iter().enumerate().map(|item| one(item, problems)).collect();
    let mut services = read.into_iter().collect::<Option<Vec<ServiceRule>>>()?;
    let named: Vec<&Rule> = services.iter().map(|service| &service.rule).collect();
    rules::follow(&named, entry, pool, known.stake, problems)?;
    services.sort_by_key(|service| service.rule.valid_from);
    strays.is_empty().then_some(services)
}

/// Whom a pool serves under one rule.
fn service(
    entry: &Entry<'_>,
    fields: &Fields<'_>,
    rule: Option<Rule>,
    (known, names): (&Known<'_>, &[&str]),
    problems: &mut Problems,
) -> Option<ServiceRule> {
    let takers = |entry: &Entry<'_>, problems: &mut Problems| serves(entry, known, names, problems);
    // A pool without takers has them from the table.
    let serves = if known.tables.contains(&TableName::ResourceWeights) {
        fields.read_or("to", Vec::new(), problems, takers)
    } else if fields.has("to") {
        fields.read("to", problems, takers)
    } else {
        problems.add(fields.at(), format!("`{}.to` is missing{}", fields.path(), known.stake));
        None
    };
    let capacity = fields.read_or("capacity", None, problems, |entry, problems| {
        entry.scaled(6, "a capacity in the unit of the weights", problems).map(Some)
    });
    let (serves, capacity) = (serves?, capacity?);
    let always = |weight: &Weight| match weight {
        Weight::Always(weight) => i128::from(*weight),
        // What they add up to in a period is known when the cost flows.
        Weight::Periods(_) | Weight::Driver(_) => 0,
    };
    let given: i128 = serves.iter().map(|(_, weight)| always(weight)).sum();
    if let Some(capacity) = capacity.filter(|capacity| *capacity <= 0 || i128::from(*capacity) < given) {
        let units = |quantity: i128| format_minor(quantity, 6).trim_end_matches('0').trim_end_matches('.').to_owned();
        if let Some(entry) = fields.get("capacity").filter(|_| capacity <= 0) {
            entry.refuse(&format!("a capacity above zero{}", known.stake), None, problems);
            return None;
        }
        let (given, capacity) = (units(given), units(capacity.into()));
        let what =
            format!("{} gives {given}, more than its capacity of {capacity}{}", quoted(entry.path()), known.stake);
        problems.add_with_hint(entry.key_at(), what, "raise the capacity to what the weights add up to");
        return None;
    }
    Some(ServiceRule { rule: rule?, serves, capacity })
}

/// `to`: takers and their weights.
fn serves(
    entry: &Entry<'_>,
    known: &Known<'_>,
    names: &[&str],
    problems: &mut Problems,
) -> Option<Vec<(String, Weight)>> {
    let named = entry.named(problems)?;
    if named.is_empty() {
        problems.add(entry.key_at(), format!("{} names nobody{}", quoted(entry.path()), known.stake));
        return None;
    }
    let takers: Vec<&str> = known.activities.iter().chain(names).copied().collect();
    let mut serves = Vec::new();
    let mut complete = true;
    for (taker, entry) in &named {
        let elsewhere = [TableName::Activities, TableName::ResourceWeights];
        if !takers.contains(taker) && !elsewhere.iter().any(|table| known.tables.contains(table)) {
            let what = format!("{} is neither an activity nor a resource pool{}", quoted(entry.path()), known.stake);
            let hint = closest(taker, &takers).map_or_else(
                || format!("known: {}", list(&takers)),
                |word| format!("did you mean `{word}`? known: {}", list(&takers)),
            );
            problems.add_with_hint(entry.key_at(), what, hint);
            complete = false;
        }
        match weight(entry, known, problems) {
            Some(weight) => serves.push(((*taker).to_owned(), weight)),
            None => complete = false,
        }
    }
    complete.then_some(serves)
}

/// A number, `{periods: {1997-Q1: 40}}`, or `{driver: calls}`: what the driver adds up to in the period.
fn weight(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Weight> {
    let number = |entry: &Entry<'_>, problems: &mut Problems| {
        let weight = entry.scaled(6, "a weight", problems)?;
        if weight < 0 {
            entry.refuse("a weight of zero or more", None, problems);
            return None;
        }
        Some(weight)
    };
    if !entry.is_map() {
        return number(entry, problems).map(Weight::Always);
    }
    let fields = entry.fields(&["periods", "driver"], problems)?;
    match (fields.get("periods"), fields.get("driver")) {
        (Some(periods), None) => {
            let mut weights = Vec::new();
            for (label, entry) in periods.named(problems)? {
                let period = entry.period(label, known.period, problems)?;
                weights.push((period, number(&entry, problems)?));
            }
            Some(Weight::Periods(weights))
        }
        (None, Some(driver)) => {
            let name = driver.text("the name of a driver", problems)?;
            basis::check_driver(name, driver, known, problems);
            Some(Weight::Driver(name.to_owned()))
        }
        _ => {
            let what = format!("{} needs exactly one of periods, driver", quoted(entry.path()));
            problems.add_with_hint(entry.key_at(), what, "a number alone is the weight in every period");
            None
        }
    }
}

/// Names that resource pools or unused capacity serve, also pools that are not right: a served activity without a cost is no second mistake.
pub(in crate::cli::config) fn served(entry: Option<&Entry<'_>>, activities: Option<&Entry<'_>>) -> BTreeSet<String> {
    let mut quiet = Problems::default();
    let mut names = BTreeSet::new();
    let fields = entry.and_then(|entry| entry.fields(&["method", "order", "pools"], &mut quiet));
    let pools = fields.as_ref().and_then(|fields| fields.get("pools")?.named(&mut quiet)).unwrap_or_default();
    for (_, pool) in pools.iter().filter(|(_, pool)| pool.is_map()) {
        let Some(fields) = pool.fields(&["to", "rules"], &mut quiet) else { continue };
        let rules = fields.get("rules").and_then(|rules| rules.one_or_more("", &mut quiet)).unwrap_or_default();
        let rules: Vec<Fields<'_>> = rules.iter().filter_map(|rule| rule.fields(&["to"], &mut quiet)).collect();
        for fields in rules.iter().chain([&fields]) {
            let takers = fields.get("to").and_then(|to| to.named(&mut quiet)).unwrap_or_default();
            names.extend(takers.into_iter().map(|(name, _)| name.to_owned()));
        }
    }
    for (_, activity) in activities.and_then(|entry| entry.named(&mut quiet)).unwrap_or_default() {
        let fields = activity.is_map().then(|| activity.fields(&["unused_to"], &mut quiet)).flatten();
        let taker = fields.as_ref().and_then(|fields| fields.get("unused_to")?.scalar());
        names.extend(taker.map(str::to_owned));
    }
    names
}
