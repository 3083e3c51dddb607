//! `drivers` and `activities`: what costs are and how they reach customers.

use std::collections::{BTreeMap, BTreeSet};

use super::inputs::filter;
use crate::{
    cli::config::{
        error::Problems,
        suggest::{list, quoted},
        walk::{Entry, Fields},
    },
    schema::settings::{ActivitySetting, DriverMeasure, LedgerDriver, Level, Method, NegativePolicy, TableName},
};

/// Words of `level`.
const LEVELS: [(&str, Level); 3] =
    [("product", Level::Product), ("order", Level::Order), ("customer", Level::Customer)];

/// A method's name; the driver's own name stands in `driver`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MethodWord {
    Average,
    Revenue,
    Driver,
}

/// Words of `method`.
const METHODS: [(&str, MethodWord); 3] =
    [("average", MethodWord::Average), ("revenue", MethodWord::Revenue), ("driver", MethodWord::Driver)];

/// Words of `negative`.
const NEGATIVES: [(&str, NegativePolicy); 2] = [("error", NegativePolicy::Error), ("zero", NegativePolicy::Zero)];

/// What `count_distinct` counts.
const DISTINCTS: [(&str, DistinctWord); 3] =
    [("order", DistinctWord::Order), ("day", DistinctWord::Day), ("month", DistinctWord::Month)];

#[derive(Clone, Copy)]
enum DistinctWord {
    Order,
    Day,
    Month,
}

/// Highest rate per year that is taken for a rate: 1,000 %.
pub(super) const MAX_RATE_PER_YEAR: u8 = 10;

/// What activities may refer to.
pub(in crate::cli::config) struct Known<'t> {
    /// Tables that `inputs` names.
    pub(in crate::cli::config) tables: &'t BTreeSet<TableName>,
    /// Names in `drivers`.
    pub(in crate::cli::config) drivers: Vec<&'t str>,
    /// Digits after the point that money may have.
    pub(in crate::cli::config) exponent: u8,
}

/// `drivers`.
pub(in crate::cli::config) fn drivers(
    entry: &Entry<'_>,
    problems: &mut Problems,
) -> Option<BTreeMap<String, LedgerDriver>> {
    let named = entry.named(problems)?;
    let read: Vec<_> = named.iter().map(|(name, entry)| ((*name).to_owned(), ledger_driver(entry, problems))).collect();
    read.into_iter().map(|(name, driver)| Some((name, driver?))).collect()
}

fn ledger_driver(entry: &Entry<'_>, problems: &mut Problems) -> Option<LedgerDriver> {
    if entry.scalar().is_some() {
        let count = entry.word(&[("count", ())], problems);
        return count.map(|()| LedgerDriver { measure: DriverMeasure::Count, filter: None });
    }
    let kinds = ["count", "count_distinct", "sum"];
    let fields = entry.fields(&["count", "count_distinct", "sum", "where"], problems)?;
    let filter = fields.read_or("where", None, problems, |entry, problems| filter(entry, problems).map(Some));
    let given: Vec<&Entry<'_>> = kinds.iter().filter_map(|kind| fields.get(kind)).collect();
    let [_] = given.as_slice() else {
        let what =
            format!("{} has {} measures, expected exactly one of {}", quoted(entry.path()), given.len(), list(&kinds));
        problems.add(entry.key_at(), what);
        return None;
    };
    Some(LedgerDriver { measure: measure(&fields, problems)?, filter: filter? })
}

fn measure(fields: &Fields<'_>, problems: &mut Problems) -> Option<DriverMeasure> {
    if let Some(count) = fields.get("count") {
        return count.word(&[("lines", ())], problems).map(|()| DriverMeasure::Count);
    }
    if let Some(distinct) = fields.get("count_distinct") {
        return distinct.word(&DISTINCTS, problems).map(|word| match word {
            DistinctWord::Order => DriverMeasure::CountDistinctOrder,
            DistinctWord::Day => DriverMeasure::CountDistinctDay,
            DistinctWord::Month => DriverMeasure::CountDistinctMonth,
        });
    }
    let column = fields.get("sum")?.text("the name of a numeric column of the file", problems)?;
    Some(DriverMeasure::Sum(column.to_owned()))
}

/// `activities`.
pub(in crate::cli::config) fn activities(
    entry: &Entry<'_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<BTreeMap<String, ActivitySetting>> {
    let named = entry.named(problems)?;
    let read: Vec<_> =
        named.iter().map(|(name, entry)| ((*name).to_owned(), activity(entry, known, problems))).collect();
    read.into_iter().map(|(name, activity)| Some((name, activity?))).collect()
}

fn activity(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<ActivitySetting> {
    let fields = entry.fields(&["level", "method", "driver", "cost", "negative"], problems)?;
    let level = fields.read("level", problems, |entry, problems| entry.word(&LEVELS, problems));
    let word = fields.read("method", problems, |entry, problems| entry.word(&METHODS, problems));
    let method = word.and_then(|word| method(word, &fields, known, problems));
    let negative = negative(word, &fields, problems);
    let cost = match fields.get("cost") {
        Some(entry) => entry.scaled(known.exponent, "an amount of money", problems).map(Some),
        None if known.tables.contains(&TableName::Pools) => Some(None),
        None => {
            let what = format!("{} has no cost, and `inputs` has no pools to take it from", quoted(entry.path()));
            problems.add_with_hint(entry.key_at(), what, "give cost: … in major units, or add the table inputs.pools");
            None
        }
    };
    Some(ActivitySetting { level: level?, method: method?, cost: cost?, negative: negative? })
}

fn method(word: MethodWord, fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Method> {
    match (word, fields.get("driver")) {
        (MethodWord::Driver, _) => {
            let driver = fields.require("driver", problems)?;
            let name = driver.text("the name of a driver", problems)?;
            check_driver(name, driver, known, problems);
            Some(Method::Driver(name.to_owned()))
        }
        (word, Some(driver)) => {
            let name = METHODS.iter().find(|(_, known)| *known == word).map_or("", |(name, _)| name);
            let what = format!("{} has no effect: method {name} uses no driver", quoted(driver.path()));
            problems.add_with_hint(driver.key_at(), what, "write method: driver, or leave the driver out");
            None
        }
        (MethodWord::Average, None) => Some(Method::Average),
        (MethodWord::Revenue, None) => Some(Method::Revenue),
    }
}

/// With a table of driver quantities any name may turn up in it; without, only `drivers` can give one.
fn check_driver(name: &str, entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) {
    if known.drivers.contains(&name) || known.tables.contains(&TableName::DriverQuantities) {
        return;
    }
    let hint = match (entry.closest(&known.drivers), known.drivers.as_slice()) {
        (_, []) => "define it in `drivers`, or add the table inputs.driver_quantities".to_owned(),
        (Some(word), names) => format!("did you mean `{word}`? known drivers: {}", list(names)),
        (None, names) => format!("known drivers: {}; others need the table inputs.driver_quantities", list(names)),
    };
    entry.refuse("a driver that is defined in `drivers`", Some(hint), problems);
}

fn negative(word: Option<MethodWord>, fields: &Fields<'_>, problems: &mut Problems) -> Option<NegativePolicy> {
    let Some(entry) = fields.get("negative") else { return Some(NegativePolicy::Error) };
    if word == Some(MethodWord::Average) {
        let what = format!("{} has no effect: method average uses no quantities", quoted(entry.path()));
        problems.add(entry.key_at(), what);
        return None;
    }
    entry.word(&NEGATIVES, problems)
}
