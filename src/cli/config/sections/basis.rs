//! What a cost is divided in proportion to: `driver`, `time`, `of`, or a word.

use std::collections::BTreeSet;

use crate::{
    allocate::time_equation::{EquationError, TimeEquation},
    cli::config::{
        error::Problems,
        suggest::{list, quoted},
        walk::{Entry, Fields},
    },
    numeric::decimal::{Decimal, format_minor},
    schema::{costing::Basis, period::PeriodKind, settings::TableName},
};

/// What activities may refer to.
#[derive(Clone, Copy)]
pub(in crate::cli::config) struct Known<'t> {
    /// Tables that `inputs` names.
    pub(in crate::cli::config) tables: &'t BTreeSet<TableName>,
    /// Whether the pools table gives capacities, as far as `inputs` is right.
    pub(in crate::cli::config) pool_capacities: bool,
    /// Names in `drivers`.
    pub(in crate::cli::config) drivers: &'t [&'t str],
    /// Names in `activities`.
    pub(in crate::cli::config) activities: &'t [&'t str],
    /// Digits after the point that money may have.
    pub(in crate::cli::config) exponent: u8,
    /// Code of the run's currency.
    pub(in crate::cli::config) code: &'t str,
    /// `; 12.00 EUR are at stake`, with the rule's name where it has one: what a mistake in an activity or resource pool
    /// is about, as far as the config says it.
    pub(in crate::cli::config) stake: &'t str,
    /// Length of the run's periods.
    pub(in crate::cli::config) period: PeriodKind,
}

impl Known<'_> {
    /// What is at stake in an activity or resource pool with these keys.
    pub(in crate::cli::config) fn stake_of(&self, fields: &Fields<'_>) -> String {
        let mut quiet = Problems::default();
        let rule = fields.get("rule").and_then(|rule| match rule.scalar() {
            Some(id) => Some(id),
            None => rule.fields(&["id", "version"], &mut quiet)?.get("id")?.scalar(),
        });
        self.stake(fields, rule)
    }

    /// What is at stake in one of the rules of an activity or resource pool.
    ///
    /// * `rule`: its keys.
    pub(in crate::cli::config) fn stake_under(&self, fields: &Fields<'_>, rule: &Fields<'_>) -> String {
        self.stake(fields, rule.get("id").and_then(Entry::scalar))
    }

    fn stake(&self, fields: &Fields<'_>, rule: Option<&str>) -> String {
        let mut quiet = Problems::default();
        // Without a currency nobody knows how many digits the money has.
        let cost = fields.get("cost").filter(|_| !self.code.is_empty());
        let cost = cost.and_then(|cost| cost.scaled(self.exponent, "", &mut quiet));
        let money = cost.map(|cost| format!("{} {} are at stake", format_minor(cost.into(), self.exponent), self.code));
        // What the table says of it is not read before the config is right.
        let elsewhere = (!fields.has("cost") && self.tables.contains(&TableName::Pools))
            .then(|| "its cost stands in inputs.pools".to_owned());
        let rule = rule.map(|id| format!("rule {}", quoted(id)));
        let told: Vec<String> = rule.into_iter().chain(money).chain(elsewhere).collect();
        if told.is_empty() { String::new() } else { format!("; {}", told.join(", ")) }
    }
}

/// Words of a basis without a name.
const WORDS: [(&str, BasisWord); 3] =
    [("average", BasisWord::Average), ("even", BasisWord::Even), ("revenue", BasisWord::Revenue)];

#[derive(Clone, Copy)]
enum BasisWord {
    Average,
    Even,
    Revenue,
}

/// A word, or `{driver: …}`, `{time: …}`, `{cost: […]}`.
pub(super) fn read(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Basis> {
    if entry.scalar().is_some() {
        return entry.word(&WORDS, problems).map(|word| match word {
            BasisWord::Average => Basis::Average,
            BasisWord::Even => Basis::Even,
            BasisWord::Revenue => Basis::Revenue,
        });
    }
    let fields = entry.fields(&["driver", "time", "cost"], problems)?;
    match (fields.get("driver"), fields.get("time"), fields.get("cost")) {
        (Some(entry), None, None) => driver(entry, known, problems),
        (None, Some(entry), None) => time(entry, known, problems),
        (None, None, Some(entry)) => cost(entry, known, problems),
        _ => {
            let what = format!("{} needs exactly one of driver, time, cost", quoted(entry.path()));
            problems.add(entry.key_at(), what);
            None
        }
    }
}

/// A driver's name, or a mapping of drivers and weights.
pub(super) fn driver(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Basis> {
    if !entry.is_map() {
        let name = entry.text("the name of a driver", problems)?;
        check_driver(name, entry, known, problems);
        return Some(Basis::Driver(name.to_owned()));
    }
    let named = entry.named(problems)?;
    if named.is_empty() {
        problems.add(entry.key_at(), format!("{} names no driver", quoted(entry.path())));
        return None;
    }
    let weight = |(name, entry): &(&str, Entry<'_>), problems: &mut Problems| -> Option<(String, Decimal)> {
        check_name(name, entry, known, problems);
        Some(((*name).to_owned(), entry.decimal((-1_000_000_000, 1_000_000_000), problems)?))
    };
    let parts: Vec<_> = named.iter().map(|named| weight(named, problems)).collect();
    parts.into_iter().collect::<Option<_>>().map(Basis::Composite)
}

/// With a table of driver quantities any name may turn up in it; without, only `drivers` can give one.
pub(super) fn check_driver(name: &str, entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) {
    if let Some(hint) = unknown_driver(name, entry, known) {
        entry.refuse(&format!("a driver that is defined in `drivers`{}", known.stake), Some(hint), problems);
    }
}

/// The same for a name that is a key.
fn check_name(name: &str, entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) {
    if let Some(hint) = unknown_driver(name, entry, known) {
        let what = format!("{} is no driver that is defined in `drivers`{}", quoted(entry.path()), known.stake);
        problems.add_with_hint(entry.key_at(), what, hint);
    }
}

fn unknown_driver(name: &str, entry: &Entry<'_>, known: &Known<'_>) -> Option<String> {
    if known.drivers.contains(&name) || known.tables.contains(&TableName::DriverQuantities) {
        return None;
    }
    Some(match (entry.closest(known.drivers), known.drivers) {
        (_, []) => "define it in `drivers`, or add the table inputs.driver_quantities".to_owned(),
        (Some(word), names) => format!("did you mean `{word}`? known drivers: {}", list(names)),
        (None, names) => format!("known drivers: {}; others need the table inputs.driver_quantities", list(names)),
    })
}

/// A time equation over drivers.
pub(super) fn time(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Basis> {
    let text = entry.text("a time equation such as 3*orders + 0.8*lines", problems)?;
    let any = known.tables.contains(&TableName::DriverQuantities);
    let parsed = if any {
        TimeEquation::names(text).and_then(|names| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            TimeEquation::parse(text, &names, &[])
        })
    } else {
        TimeEquation::parse(text, known.drivers, &[])
    };
    match parsed {
        Ok(equation) if equation.variables().is_empty() => {
            entry.refuse("a time equation that names a driver", None, problems);
            None
        }
        Ok(equation) => Some(Basis::Time { equation: text.to_owned(), drivers: equation.variables().to_vec() }),
        Err(error) => {
            refused(entry, &error, known.stake, problems);
            None
        }
    }
}

fn refused(entry: &Entry<'_>, error: &EquationError, stake: &str, problems: &mut Problems) {
    let what = format!("{}: {error}{stake}", quoted(entry.path()));
    match error.hint() {
        Some(hint) => problems.add_with_hint(entry.at(), what, hint),
        None => problems.add(entry.at(), what),
    }
}

/// Names of costs.
pub(super) fn cost(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Basis> {
    let mut names = Vec::new();
    for item in entry.one_or_more("product_cost or names of activities", problems)? {
        let name = item.text("product_cost or the name of an activity", problems)?;
        let from_table = known.tables.contains(&TableName::Activities);
        if name != "product_cost" && !known.activities.contains(&name) && !from_table {
            let hint = format!("known costs: product_cost, {}", list(known.activities));
            item.refuse("product_cost or the name of an activity", Some(hint), problems);
            return None;
        }
        names.push(name.to_owned());
    }
    Some(Basis::Cost(names))
}
