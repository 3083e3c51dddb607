//! Two finished outputs side by side: what moved, and why, segment by segment.

use std::{cmp::Ordering, collections::BTreeMap};

use camino::Utf8PathBuf;
use serde_json::Value;
use thiserror::Error;

use super::{
    finished::{Finished, Scaled},
    report::{COST_TO_SERVE, summary},
};
use crate::{
    compare::runs::{Account, Movement},
    publish::PublishError,
    report::page::result::Summary,
    schema::money::Currency,
    units::MinorSum,
};

/// Why two outputs cannot be compared.
#[derive(Debug, Error)]
pub(crate) enum DiffError {
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("{before} is in {before_currency}, {after} in {after_currency}: their money is not comparable")]
    Currency { before: Utf8PathBuf, before_currency: String, after: Utf8PathBuf, after_currency: String },
    #[error("{folder}: has no dataset `{dataset}`, which a comparison needs")]
    Missing { folder: Utf8PathBuf, dataset: &'static str },
    #[error("{folder}: has no segmentation `{by}`")]
    Segmentation { folder: Utf8PathBuf, by: String },
}

impl DiffError {
    /// One thing to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Publish(error) => error.hint().map(str::to_owned),
            Self::Currency { .. } => Some("run one of them in the other's currency".to_owned()),
            Self::Missing { .. } => {
                Some("leave `outputs` out of its config, or add the dataset, and run it again".to_owned())
            }
            Self::Segmentation { .. } => Some(format!("known segmentations: {}", SEGMENTATIONS.join(", "))),
        }
    }
}

/// Columns of `customer_segment` that customers can be told by, the most telling first.
const SEGMENTATIONS: [&str; 5] = ["segment", "user_segment", "portfolio_group", "value_tier", "rfm_cell"];

/// Costs of `customer_profit_total` by where they stand in an [`Account`].
const PRODUCT: [&str; 2] = ["product_cost", "product_activity_cost"];
const OTHER: [&str; 4] = ["capital_charge", "bad_debt", "commissions", "acquisition_cost"];

/// What moved.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) currency: Currency,
    /// Name and day of both runs.
    pub(crate) runs: [(String, String); 2],
    /// Figures of the whole base: name, before, after; counts, not money, where `is_count`.
    pub(crate) totals: Vec<Total>,
    /// What customers are told by.
    pub(crate) by: String,
    /// Segments by name: of the later run, of the earlier one for those who left.
    pub(crate) segments: Vec<(String, Movement)>,
    pub(crate) all: Movement,
    /// Settings of the forecast, and versions, that differ: name, before, after.
    pub(crate) settings: Vec<(String, String, String)>,
}

/// A figure of both runs.
#[derive(Debug)]
pub(crate) struct Total {
    pub(crate) name: &'static str,
    pub(crate) before: Option<MinorSum>,
    pub(crate) after: Option<MinorSum>,
    pub(crate) is_count: bool,
}

/// Compares two outputs.
///
/// * `by`: a column of `customer_segment`; `None` for the first that says something.
///
/// # Errors
/// [`DiffError`].
pub(crate) fn diff(before: &Finished, after: &Finished, by: Option<&str>) -> Result<Difference, DiffError> {
    let (currency, other) = (after.currency()?, before.currency()?);
    if currency != other {
        return Err(DiffError::Currency {
            before: before.folder.clone(),
            before_currency: other.code,
            after: after.folder.clone(),
            after_currency: currency.code,
        });
    }
    let by = segmentation(after, by)?;
    let (earlier, later) = (customers(before, by)?, customers(after, by)?);
    let mut segments: BTreeMap<String, Movement> = BTreeMap::new();
    let mut all = Movement::default();
    for (one, other) in beside(&earlier, &later) {
        let segment = other.or(one).map(|customer| customer.segment.as_str()).unwrap_or_default();
        if !segments.contains_key(segment) {
            segments.insert(segment.to_owned(), Movement::default());
        }
        let (one, other) = (one.map(|customer| &customer.account), other.map(|customer| &customer.account));
        if let Some(movement) = segments.get_mut(segment) {
            movement.add(one, other);
        }
        all.add(one, other);
    }
    let run = |finished: &Finished| (finished.text("name"), finished.text("as_of"));
    Ok(Difference {
        currency,
        runs: [run(before), run(after)],
        totals: totals(before, after)?,
        by: by.to_owned(),
        segments: segments.into_iter().collect(),
        all,
        settings: settings(&before.manifest, &after.manifest),
    })
}

/// A customer of a run.
struct Customer {
    id: String,
    segment: String,
    account: Account,
}

/// Customers of both runs, each with what either run has of it, by id.
fn beside<'a>(
    before: &'a [Customer],
    after: &'a [Customer],
) -> impl Iterator<Item = (Option<&'a Customer>, Option<&'a Customer>)> {
    let (mut one, mut other) = (before.iter().peekable(), after.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (one.peek(), other.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.id.cmp(&other.id),
        };
        let one = if order == Ordering::Greater { None } else { one.next() };
        let other = if order == Ordering::Less { None } else { other.next() };
        Some((one, other))
    })
}

/// The column that customers are told by.
fn segmentation(after: &Finished, by: Option<&str>) -> Result<&'static str, DiffError> {
    if let Some(by) = by {
        let known = SEGMENTATIONS.into_iter().find(|name| *name == by);
        return known.ok_or_else(|| DiffError::Segmentation { folder: after.folder.clone(), by: by.to_owned() });
    }
    for name in SEGMENTATIONS {
        let mut is_known = false;
        after.each("customer_segment", &[name], |rows| {
            let column = rows.texts(name)?;
            is_known |= (0..rows.len()).any(|row| column.at(row).is_some());
            Ok(())
        })?;
        if is_known {
            return Ok(name);
        }
    }
    Ok("value_tier")
}

/// Customers of a run, sorted by id.
fn customers(run: &Finished, by: &str) -> Result<Vec<Customer>, DiffError> {
    for dataset in ["customer_profit_total", "customer_segment", "customer_value"] {
        if run.columns(dataset).is_empty() {
            return Err(DiffError::Missing { folder: run.folder.clone(), dataset });
        }
    }
    let mut found: Vec<Customer> = Vec::new();
    let wanted: Vec<&str> =
        ["customer_id", "net_revenue"].into_iter().chain(PRODUCT).chain(COST_TO_SERVE).chain(OTHER).collect();
    run.each("customer_profit_total", &wanted, |rows| {
        let (id, revenue) = (rows.texts("customer_id")?, rows.scaled("net_revenue")?);
        let columns = |names: &[&str]| names.iter().map(|name| rows.scaled(name)).collect::<Result<Vec<_>, _>>();
        let (product, serving, other) = (columns(&PRODUCT)?, columns(&COST_TO_SERVE)?, columns(&OTHER)?);
        let sum = |columns: &[Scaled<'_>], row: usize| columns.iter().map(|column| column.minor(row)).sum();
        found.extend((0..rows.len()).map(|row| Customer {
            id: id.word(row),
            segment: String::new(),
            account: Account {
                revenue: revenue.minor(row),
                product_cost: sum(&product, row),
                cost_to_serve: sum(&serving, row),
                other_cost: sum(&other, row),
                expected_value: 0,
            },
        }));
        Ok(())
    })?;
    // All three datasets have a row a customer, in one order.
    let mut customers = found.iter_mut();
    run.each("customer_segment", &[by], |rows| {
        let segment = rows.texts(by)?;
        for (row, customer) in (0..rows.len()).zip(&mut customers) {
            customer.segment = segment.at(row).unwrap_or_else(|| "(none)".to_owned());
        }
        Ok(())
    })?;
    let mut customers = found.iter_mut();
    run.each("customer_value", &["expected_value"], |rows| {
        let value = rows.scaled("expected_value")?;
        for (row, customer) in (0..rows.len()).zip(&mut customers) {
            customer.account.expected_value = value.minor(row);
        }
        Ok(())
    })?;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

fn totals(before: &Finished, after: &Finished) -> Result<Vec<Total>, PublishError> {
    let of = |run: &Finished| Ok::<_, PublishError>(summary(run)?.as_ref().map(figures));
    let (before, after) = (of(before)?, of(after)?);
    let total = |row: usize, (name, is_count): (&'static str, bool)| {
        let [before, after] = [&before, &after].map(|run| run.as_ref().and_then(|figures| figures[row]));
        Total { name, before, after, is_count }
    };
    Ok(TOTALS.into_iter().enumerate().map(|(row, of)| total(row, of)).collect())
}

/// Figures of the whole base: name, and whether it is a count.
const TOTALS: [(&str, bool); 7] = [
    ("customers", true),
    ("that lose money", true),
    ("net revenue", false),
    ("CM3", false),
    ("economic profit", false),
    ("expected value", false),
    ("customer equity, simulated", false),
];

fn figures(all: &Summary) -> [Option<MinorSum>; TOTALS.len()] {
    let [customers, losing] = [Some(all.customers), all.losing].map(|count| count.map(MinorSum::from));
    let [revenue, cm3, profit] = [all.net_revenue, all.cm3, all.economic_profit].map(Some);
    [customers, losing, revenue, cm3, profit, all.expected_value, all.equity]
}

/// Version, seed and settings of the forecast that differ.
fn settings(before: &Value, after: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut note = |name: String, one: &Value, other: &Value| {
        if one != other {
            found.push((name, plain(one), plain(other)));
        }
    };
    for key in ["version", "seed"] {
        note(key.to_owned(), &before[key], &after[key]);
    }
    let (one, other) = (&before["forecast"], &after["forecast"]);
    match (one.as_object(), other.as_object()) {
        (Some(earlier), Some(later)) => {
            let keys: std::collections::BTreeSet<&String> = earlier.keys().chain(later.keys()).collect();
            for key in keys {
                note(format!("forecast.{key}"), &one[key], &other[key]);
            }
        }
        (one, other) => note("forecast".to_owned(), &Value::from(one.is_some()), &Value::from(other.is_some())),
    }
    found
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
