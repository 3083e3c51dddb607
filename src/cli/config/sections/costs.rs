//! `drivers`: quantities from the ledger.

use std::collections::BTreeMap;

use super::inputs::filter;
use crate::{
    cli::config::{
        error::Problems,
        suggest::{list, quoted},
        walk::{Entry, Fields},
    },
    schema::settings::{DriverMeasure, LedgerDriver},
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
