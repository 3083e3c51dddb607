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
    read.into_iter().map(|(name, driver)| Some((name, driver?))).collect()
}

fn ledger_driver(entry: &Entry<'_>, tables: &BTreeSet<TableName>, problems: &mut Problems) -> Option<LedgerDriver> {
    if entry.scalar().is_some() {
        let count = entry.word(&[("count", ())], problems);
        return count.map(|()| LedgerDriver { measure: DriverMeasure::Count, filter: None });
    }
    let kinds = ["count", "count_distinct", "sum", "time"];
    let fields = entry.fields(&["count", "count_distinct", "sum", "time", "flags", "where"], problems)?;
    let filter = fields.read_or("where", None, problems, |entry, problems| filter(entry, problems).map(Some));
    let given: Vec<&Entry<'_>> = kinds.iter().filter_map(|kind| fields.get(kind)).collect();
    if let Some(flags) = fields.get("flags").filter(|_| !fields.has("time")) {
        problems.add(flags.key_at(), format!("{} has no effect without time", quoted(flags.path())));
        return None;
    }
    let [_] = given.as_slice() else {
        let what =
            format!("{} has {} measures, expected exactly one of {}", quoted(entry.path()), given.len(), list(&kinds));
        problems.add(entry.key_at(), what);
        return None;
    };
    Some(LedgerDriver { measure: measure(&fields, tables, problems)?, filter: filter? })
}

/// `time`: an equation over columns of `inputs.events`.
fn time_of_events(
    time: &Entry<'_>,
    fields: &Fields<'_>,
    tables: &BTreeSet<TableName>,
    problems: &mut Problems,
) -> Option<DriverMeasure> {
    if !tables.contains(&TableName::Events) {
        let what = format!("{} needs the table inputs.events", quoted(time.path()));
        let hint = "a row of it is one event: an order, a call; over totals of a period write method: time_driven";
        problems.add_with_hint(time.key_at(), what, hint);
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
            Some(DriverMeasure::Time { equation: text.to_owned(), columns, flags })
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
        return time_of_events(time, fields, tables, problems);
    }
    let column = fields.get("sum")?.text("the name of a numeric column of the file", problems)?;
    Some(DriverMeasure::Sum(column.to_owned()))
}
