//! What `overrides` says of costs, and of activities that come from the activities table: changes to what is there, and
//! no parts of a config.

use std::collections::BTreeSet;

use super::super::{
    error::Problems,
    sections::{activities, basis::Known, inputs::pool_capacities},
    suggest::{closest, list, quoted},
    tree::Node,
    walk::{Entry, Fields},
};
use crate::schema::{
    scenario::{ActivityChange, CostChange},
    settings::{Settings, TableName},
};

/// Changes beside the tree.
#[derive(Debug, Default)]
pub(in crate::cli::config) struct Changes {
    /// Costs of activities and resource pools, by name.
    pub(in crate::cli::config) costs: Vec<(String, CostChange)>,
    /// Activities of the table, by name.
    pub(in crate::cli::config) activities: Vec<(String, ActivityChange)>,
}

/// Largest factor of a cost.
const MAX_FACTOR: i64 = 1_000_000;

/// Takes the changes out of `overrides`; what stays are parts of a config.
pub(super) fn take(over: &mut Node, base: &Settings, problems: &mut Problems) -> Option<Changes> {
    let before = problems.len();
    let mut changes = Changes::default();
    let of_table = match child(&Entry::root(over), "activities") {
        Some(activities) => activity_changes(&activities, base, &mut changes, problems)?,
        None => Vec::new(),
    };
    if let Some(pools) = child(&Entry::root(over), "resources").and_then(|resources| child(&resources, "pools")) {
        for (name, pool) in pools.named(problems)? {
            if base.resources.contains_key(name) {
                changes.add_cost(name, &pool, base, problems);
            }
        }
    }
    if let Some(activities) = over.get_mut("activities") {
        activities.forget(|name| of_table.iter().any(|known| known == name));
        forget_costs(activities, |name| base.activities.contains_key(name));
    }
    if let Some(pools) = over.get_mut("resources").and_then(|resources| resources.get_mut("pools")) {
        forget_costs(pools, |name| base.resources.contains_key(name));
    }
    (problems.len() == before).then_some(changes)
}

fn forget_costs(parent: &mut Node, is_known: impl Fn(&str) -> bool) {
    let names: Vec<String> = parent.entries().map(|(key, _)| key.text.clone()).filter(|name| is_known(name)).collect();
    for name in names {
        if let Some(own) = parent.get_mut(&name) {
            own.forget(|key| key == "cost");
        }
    }
}

/// Costs of activities, and all that is said of those of the activities table, whose names it gives back.
fn activity_changes(
    activities: &Entry<'_>,
    base: &Settings,
    changes: &mut Changes,
    problems: &mut Problems,
) -> Option<Vec<String>> {
    let tables: BTreeSet<TableName> =
        TableName::ALL.into_iter().filter(|table| base.inputs.table(*table).is_some()).collect();
    let drivers: Vec<&str> = base.drivers.keys().map(String::as_str).collect();
    let names: Vec<&str> = base.activities.keys().map(String::as_str).collect();
    let known = Known {
        tables: &tables,
        pool_capacities: pool_capacities(Some(&base.inputs), &tables),
        drivers: &drivers,
        activities: &names,
        exponent: base.currency.exponent,
        code: &base.currency.code,
        stake: "",
        period: base.period,
    };
    let mut of_table = Vec::new();
    for (name, activity) in activities.named(problems)? {
        let is_new = child(&activity, "level").is_some();
        if base.activities.contains_key(name) {
            changes.add_cost(name, &activity, base, problems);
        } else if tables.contains(&TableName::Activities) && !is_new {
            let change = self::activities::change(&activity, &known, problems);
            changes.activities.extend(change.map(|change| (name.to_owned(), change)));
            changes.add_cost(name, &activity, base, problems);
            of_table.push(name.to_owned());
        } else if !is_new {
            let what = format!("{} is no activity of the run; a new one needs a level", quoted(activity.path()));
            let known = format!("known: {}", list(&names));
            let hint = closest(name, &names).map_or(known.clone(), |word| format!("did you mean `{word}`? {known}"));
            problems.add_with_hint(activity.key_at(), what, hint);
        }
    }
    Some(of_table)
}

impl Changes {
    fn add_cost(&mut self, name: &str, entry: &Entry<'_>, base: &Settings, problems: &mut Problems) {
        if let Some(cost) = child(entry, "cost") {
            self.costs.extend(change_of(&cost, base, problems).map(|change| (name.to_owned(), change)));
        }
    }
}

/// A total, `{factor: 1.1}`, or `{periods: {1997-Q1: 100.00}}`.
fn change_of(entry: &Entry<'_>, base: &Settings, problems: &mut Problems) -> Option<CostChange> {
    let money = |entry: &Entry<'_>, problems: &mut Problems| {
        entry.scaled(base.currency.exponent, "an amount of money", problems)
    };
    if !entry.is_map() {
        return money(entry, problems).map(CostChange::Total);
    }
    let before = problems.len();
    let fields: Fields<'_> = entry.fields(&["factor", "periods"], problems)?;
    if problems.len() > before {
        return None;
    }
    match (fields.get("factor"), fields.get("periods")) {
        (Some(factor), None) => factor.decimal((0, MAX_FACTOR), problems).map(CostChange::Factor),
        (None, Some(periods)) => {
            let mut costs = Vec::new();
            for (label, cost) in periods.named(problems)? {
                let period = cost.period(label, base.period, problems)?;
                costs.push((period, money(&cost, problems)?));
            }
            Some(CostChange::Periods(costs))
        }
        _ => {
            let what = format!("{} needs exactly one of factor, periods", quoted(entry.path()));
            problems.add_with_hint(entry.key_at(), what, "a number alone is the total of all periods");
            None
        }
    }
}

/// The value of a key, whatever else stands there.
fn child<'t>(entry: &Entry<'t>, key: &str) -> Option<Entry<'t>> {
    let named = entry.is_map().then(|| entry.named(&mut Problems::default()))??;
    named.into_iter().find(|(name, _)| *name == key).map(|(_, entry)| entry)
}
