//! `drivers`: quantities from the ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::inputs::filter;
use crate::{
    allocate::time_equation::TimeEquation,
    cli::config::{
        error::Problems,
        suggest::{list, quoted},
        walk::{Entry, Fields},
    },
    schema::settings::{DriverMeasure, LedgerDriver, TableName},
};

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

/// `drivers`.
pub(in crate::cli::config) fn drivers(
    entry: &Entry<'_>,
    tables: &BTreeSet<TableName>,
    problems: &mut Problems,
) -> Option<BTreeMap<String, LedgerDriver>> {
    let named = entry.named(problems)?;
    let read: Vec<_> =
        named.iter().map(|(name, entry)| ((*name).to_owned(), ledger_driver(entry, tables, problems))).collect();
    let drivers = read.into_iter().map(|(name, driver)| Some((name, driver?))).collect::<Option<BTreeMap<_, _>>>()?;
    let checked: Vec<Option<()>> = named.iter().map(|(name, entry)| terms(name, entry, &drivers, problems)).collect();
    checked.into_iter().collect::<Option<Vec<()>>>()?;
    Some(drivers)
}

/// The terms of an order's time are counts and sums over its lines; its flags are counts.
fn terms(
    name: &str,
    entry: &Entry<'_>,
    drivers: &BTreeMap<String, LedgerDriver>,
    problems: &mut Problems,
) -> Option<()> {
    let Some(DriverMeasure::OrderTime { equation, terms, flags }) = drivers.get(name).map(|driver| &driver.measure)
    else {
        return Some(());
    };
    let of = |wanted: &dyn Fn(&DriverMeasure) -> bool| -> Vec<&str> {
        drivers.iter().filter(|(_, driver)| wanted(&driver.measure)).map(|(name, _)| name.as_str()).collect()
    };
    let counts = of(&|measure| *measure == DriverMeasure::Count);
    let known = of(&|measure| matches!(measure, DriverMeasure::Count | DriverMeasure::Sum(_)));
    let fields = entry.fields(&TIME_KEYS, &mut Problems::default())?;
    if let Some(stray) = flags.iter().find(|flag| !counts.contains(&flag.as_str())) {
        let at = fields.get("flags").map_or(entry.at(), Entry::at);
        let what = format!("a flag of an order is a driver that counts lines, which {} is not", quoted(stray));
        problems.add_with_hint(at, what, format!("known: {}", list(&counts)));
        return None;
    }
    let time = fields.get("time")?;
    let plain: Vec<&str> = known.iter().copied().filter(|name| !flags.iter().any(|flag| flag == name)).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    match TimeEquation::parse(equation, &plain, &flags) {
        Ok(_) => Some(()),
        Err(error) => {
            let what = format!("{}: {error}", quoted(time.path()));
            let missing = terms.iter().any(|term| !known.contains(&term.as_str()));
            let hint = if missing { Some(TERM_HINT) } else { error.hint() };
            problems.add_with_hint(time.at(), what, hint.unwrap_or("write 3 + 0.8*lines"));
            None
        }
    }
}

/// What to do about a term that no driver is.
const TERM_HINT: &str = "terms of an order are drivers that count lines or sum a column, as in lines: count";

fn ledger_driver(entry: &Entry<'_>, tables: &BTreeSet<TableName>, problems: &mut Problems) -> Option<LedgerDriver> {
    if entry.scalar().is_some() {
        let count = entry.word(&[("count", ())], problems);
        return count.map(|()| LedgerDriver { measure: DriverMeasure::Count, filter: None });
    }
    let kinds = ["count", "count_distinct", "sum", "time"];
    let fields = entry.fields(&["count", "count_distinct", "sum", "time", "per", "flags", "where"], problems)?;
    let filter = fields.read_or("where", None, problems, |entry, problems| filter(entry, problems).map(Some));
    let given: Vec<&Entry<'_>> = kinds.iter().filter_map(|kind| fields.get(kind)).collect();
    for key in ["flags", "per"] {
        if let Some(entry) = fields.get(key).filter(|_| !fields.has("time")) {
            problems.add(entry.key_at(), format!("{} has no effect without time", quoted(entry.path())));
            return None;
        }
    }
    let [_] = given.as_slice() else {
        let what =
            format!("{} has {} measures, expected exactly one of {}", quoted(entry.path()), given.len(), list(&kinds));
        problems.add(entry.key_at(), what);
        return None;
    };
    Some(LedgerDriver { measure: measure(&fields, tables, problems)?, filter: filter? })
}

/// Keys of a driver with a time equation.
const TIME_KEYS: [&str; 4] = ["time", "per", "flags", "where"];

/// What one equation is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Per {
    /// A row of `inputs.events`.
    Event,
    /// An order of the ledger.
    Order,
}

/// `time`: an equation over columns of `inputs.events`, or over drivers of each order.
fn time_equation(
    time: &Entry<'_>,
    fields: &Fields<'_>,
    tables: &BTreeSet<TableName>,
    problems: &mut Problems,
) -> Option<DriverMeasure> {
    let words = [("event", Per::Event), ("order", Per::Order)];
    let per = fields.read_or("per", Per::Event, problems, |entry, problems| entry.word(&words, problems))?;
    if per == Per::Event && !tables.contains(&TableName::Events) {
        let what = format!("{} needs the table inputs.events", quoted(time.path()));
        let hint = "a row of it is one event, such as a call; for each order of the ledger write per: order; over \
                    totals of a period write method: time_driven";
        problems.add_with_hint(time.key_at(), what, hint);
        return None;
    }
    if let Some(entry) = fields.get("where").filter(|_| per == Per::Order) {
        let what = format!("{} has no effect on the time of an order", quoted(entry.path()));
        problems.add_with_hint(entry.key_at(), what, "give it to the drivers that are its terms");
        return None;
    }
    let text = time.text("a time equation such as 3 + 0.8*lines + 6*refrigerated", problems)?;
    let flags = fields.read_or("flags", Vec::new(), problems, |entry, problems| {
        let items = entry.one_or_more("columns that are 0 or 1", problems)?;
        items.iter().map(|item| item.text("the name of a column", problems).map(str::to_owned)).collect()
    })?;
    let columns = TimeEquation::names(text).and_then(|columns| {
        TimeEquation::of_columns(text, &columns, &flags)?;
        Ok(columns)
    });
    match columns {
        Ok(columns) => {
            if let Some(stray) = flags.iter().find(|flag| !columns.contains(flag)) {
                let what = format!("{} names no term of the equation: {}", quoted("flags"), quoted(stray));
                problems.add(fields.get("flags").map_or(time.at(), Entry::at), what);
                return None;
            }
            let equation = text.to_owned();
            Some(match per {
                Per::Event => DriverMeasure::Time { equation, columns, flags },
                Per::Order => DriverMeasure::OrderTime { equation, terms: columns, flags },
            })
        }
        Err(error) => {
            let what = format!("{}: {error}", quoted(time.path()));
            problems.add_with_hint(time.at(), what, error.hint().unwrap_or("write 3 + 0.8*lines"));
            None
        }
    }
}

fn measure(fields: &Fields<'_>, tables: &BTreeSet<TableName>, problems: &mut Problems) -> Option<DriverMeasure> {
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
    if let Some(time) = fields.get("time") {
        return time_equation(time, fields, tables, problems);
    }
    let column = fields.get("sum")?.text("the name of a numeric column of the file", problems)?;
    Some(DriverMeasure::Sum(column.to_owned()))
}
