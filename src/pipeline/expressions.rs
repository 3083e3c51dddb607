//! The user's own expressions over output columns, evaluated by Polars: one row a customer, no arithmetic of ours.

use std::ops::Range;

use polars::prelude::*;

use super::{
    RunError, error::CLUSTERS, foretold::Foretold, gather::hierarchies_of, results::Findings, value_table::ValueTable,
    worlds::World,
};
use crate::{
    contract::meant::closest,
    numeric::keys::{Key, Keys},
    publish::dataset::Values,
    read::{plain_reason, predicate},
    schema::{
        outputs::{ColumnType, DATASETS, RunColumn},
        scenario::BASE,
        segmentation::{self, Segmentation},
        settings::{Settings, TableName},
    },
};

/// Datasets whose columns expressions may name; where two have one name, the first counts. The last is of customers with
/// receivables, null for others.
const OF_CUSTOMERS: [&str; 4] = ["customer_profit_total", "customer_value", "customer_segment", "customer_payment"];

/// Place of `customer_payment` among them.
const PAYMENT: usize = 3;

/// Customers whose columns are made at a time.
const ROWS_AT_ONCE: usize = 131_072;

/// Columns that an expression is about, which is not there when it is evaluated.
const LATE: [&str; 3] = ["cluster", "user_segment", "scenario"];

/// A column that expressions may name.
pub(super) struct Known {
    pub(super) name: String,
    kind: ColumnType,
    /// The place of its dataset in [`OF_CUSTOMERS`], or after them.
    place: usize,
}

/// Every column that expressions may name.
pub(super) fn known(settings: &Settings) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    for (place, name) in OF_CUSTOMERS.iter().enumerate() {
        let Some(spec) = DATASETS.iter().find(|dataset| dataset.name == *name) else { continue };
        if place == PAYMENT && settings.inputs.table(TableName::Receivables).is_none() {
            continue;
        }
        for RunColumn { name, kind, .. } in spec.columns_of(settings.quantiles()) {
            if !LATE.contains(&name.as_str()) && known.iter().all(|other| other.name != name) {
                known.push(Known { name, kind, place });
            }
        }
    }
    let hierarchy = |name: &str| Known { name: name.to_owned(), kind: ColumnType::Text, place: OF_CUSTOMERS.len() };
    known.extend(hierarchies_of(settings).map(hierarchy));
    known
}

/// Looks at the expressions and the columns of clusters before anything is read.
///
/// # Errors
/// [`RunError::Segment`].
pub(super) fn check(settings: &Settings) -> Result<(), RunError> {
    let portfolio = &settings.portfolio;
    if portfolio.segments.is_empty() && portfolio.clusters.is_none() {
        return Ok(());
    }
    let known = known(settings);
    let names: Vec<&str> = known.iter().map(|column| column.name.as_str()).collect();
    let columns: Vec<(&str, ColumnType)> = known.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    for (name, text) in &portfolio.segments {
        is_boolean(settings, &columns, &parsed(name, text)?).map_err(|reason| wrong(name, reason))?;
    }
    for name in portfolio.clusters.iter().flat_map(|clusters| &clusters.columns) {
        match known.iter().find(|column| column.name == *name).map(|column| column.kind) {
            None => return Err(wrong(CLUSTERS, no_column_of(name, &names))),
            Some(ColumnType::Id | ColumnType::CustomerId | ColumnType::Text) => {
                return Err(wrong(CLUSTERS, format!("`{name}` holds no numbers")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether an expression over columns of these names and types is true or false of a row, whatever ids are.
///
/// # Errors
/// What is wrong with it.
pub(super) fn is_boolean(settings: &Settings, columns: &[(&str, ColumnType)], expression: &Expr) -> Result<(), String> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    for node in expression {
        if let Expr::Column(column) = node
            && !names.contains(&column.as_str())
        {
            return Err(no_column_of(column, &names));
        }
    }
    let exponent = usize::from(settings.currency.exponent);
    let as_type = |kind: ColumnType, id: &DataType| match kind {
        ColumnType::Id | ColumnType::CustomerId => id.clone(),
        ColumnType::Text => DataType::String,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Money | ColumnType::MoneySum => DataType::Decimal(38, exponent),
        ColumnType::Quantity | ColumnType::QuantitySum => DataType::Decimal(38, 6),
        ColumnType::Float => DataType::Float64,
        ColumnType::Date => DataType::Date,
        ColumnType::Boolean => DataType::Boolean,
    };
    let with = |id: DataType| {
        let fields = columns.iter().map(|(name, kind)| Field::new((*name).into(), as_type(*kind, &id)));
        predicate::fit(expression.clone(), &fields.collect::<Schema>(), false).map(|_| ())
    };
    with(DataType::Int64).or_else(|_| with(DataType::String))
}

fn parsed(name: &str, text: &str) -> Result<Expr, RunError> {
    of_one_row(text).map_err(|reason| wrong(name, reason))
}

/// An expression about one row: what adds up over several is refused, as its float sums would differ from run to run.
///
/// # Errors
/// What is wrong with it.
pub(super) fn of_one_row(text: &str) -> Result<Expr, String> {
    let expression = predicate::parse(text)?;
    if predicate::needs_other_rows(&expression) {
        return Err("it adds up over several rows; an expression is about one".to_owned());
    }
    Ok(expression)
}

/// That there is no such column, and which was probably meant.
fn no_column_of(name: &str, known: &[&str]) -> String {
    match closest(name, known) {
        Some(word) => format!("no column `{name}`; did you mean `{word}`?"),
        None => format!("no column `{name}`"),
    }
}

fn wrong(segment: &str, reason: String) -> RunError {
    RunError::Segment { segment: segment.to_owned(), reason }
}

/// Whether a column is made by the simulation.
pub(super) fn is_simulated(column: &str) -> bool {
    column.starts_with("lifetime_value") || column == "probability_of_loss"
}

/// Words of a text that name one of the columns.
pub(super) fn named<'k>(text: &str, known: &'k [Known]) -> Vec<&'k str> {
    let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    known.iter().map(|column| column.name.as_str()).filter(|name| words.contains(name)).collect()
}

/// The columns, with their types.
pub(super) fn columns(
    settings: &Settings,
    forecast: Option<&Foretold>,
    found: &Findings,
    wanted: &[&str],
) -> Vec<(String, ColumnType, Values)> {
    let world = World { name: BASE, settings, forecast, found };
    let known = known(settings);
    let rows = found.ledgers.customers.len();
    let place = |name: &str| known.iter().find(|column| column.name == name).map(|column| column.place);
    let mut columns = Vec::new();
    let values = ValueTable::new(world);
    for (number, dataset) in OF_CUSTOMERS.iter().enumerate() {
        let own: Vec<&str> = wanted.iter().copied().filter(|name| place(name) == Some(number)).collect();
        let spec = DATASETS.iter().find(|spec| spec.name == *dataset);
        let Some(spec) = spec.filter(|_| !own.is_empty()) else { continue };
        let specs = spec.columns_of(settings.quantiles());
        let is_wanted: Vec<bool> = specs.iter().map(|column| own.contains(&column.name.as_str())).collect();
        let made = |range: Range<usize>| -> Vec<Values> {
            let made = match number {
                0 => world.profit_total_columns(range),
                1 => values.columns_with(range, |column| is_wanted[column]),
                PAYMENT => found.ledgers.payment_columns_of(range, settings),
                _ => world.segment_columns(range),
            };
            made.into_iter().zip(&is_wanted).filter(|(_, wanted)| **wanted).map(|(values, _)| values).collect()
        };
        // Never do all columns of all customers stand in memory.
        let mut found = made(0..rows.min(ROWS_AT_ONCE));
        for start in (ROWS_AT_ONCE..rows).step_by(ROWS_AT_ONCE) {
            let more = made(start..rows.min(start + ROWS_AT_ONCE));
            found.iter_mut().zip(more).for_each(|(found, more)| found.append(more));
        }
        let specs = specs.into_iter().zip(&is_wanted).filter(|(_, wanted)| **wanted);
        columns.extend(specs.zip(found).map(|((column, _), values)| (column.name, column.kind, values)));
    }
    for name in hierarchies_of(settings).filter(|name| wanted.contains(name)) {
        // Who has no channel, region or parent has a null here, as for its segment; and so has everybody, where nobody has one.
        let texts = match found.ledgers.hierarchies.iter().find(|hierarchy| hierarchy.name == name) {
            Some(Segmentation { groups, of, .. }) => {
                let own =
                    |number: &u32| Some(&groups[*number as usize]).filter(|name| *name != segmentation::NONE).cloned();
                of.iter().map(own).collect()
            }
            None => vec![None; rows],
        };
        columns.push((name.to_owned(), ColumnType::Text, Values::Text(texts)));
    }
    columns
}

/// Which of the expressions is the first that is true of every customer; `None` where none is.
///
/// Expressions are about one customer: what adds up over several is refused, as its float sums would differ from run to run.
///
/// # Errors
/// [`RunError::Segment`] of an expression that cannot be read, or is neither true nor false.
pub(super) fn first_true(
    settings: &Settings,
    forecast: Option<&Foretold>,
    found: &Findings,
    segments: &[(String, String)],
) -> Result<Vec<Option<u32>>, RunError> {
    let known = known(settings);
    let mut wanted: Vec<&str> = segments.iter().flat_map(|(_, text)| named(text, &known)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let rows = found.ledgers.customers.len();
    let ids = &found.ledgers.customers.ids;
    let mut series: Vec<Column> = columns(settings, forecast, found, &wanted)
        .into_iter()
        .filter_map(|(name, kind, values)| Some(Column::from(series(&name, kind, values, settings, ids)?)))
        .collect();
    // A frame without a column has no rows.
    series.push(Column::from(Series::new("row of the frame".into(), (0..rows as u32).collect::<Vec<u32>>())));
    let frame = DataFrame::new(rows, series).map_err(|error| wrong("all", plain_reason(&error)))?;
    let mut first = vec![None; rows];
    for (number, (name, text)) in (0..).zip(segments) {
        let bad = |error: PolarsError| wrong(name, plain_reason(&error));
        let expression =
            predicate::fit(parsed(name, text)?, frame.schema(), false).map_err(|reason| wrong(name, reason))?;
        let found = frame.clone().lazy().select([expression.alias("found")]).collect().map_err(bad)?;
        let column = found.column("found").map_err(bad)?.as_materialized_series().clone();
        let flags = column.bool().map_err(|_| wrong(name, "it is neither true nor false".to_owned()))?;
        if flags.len() == rows {
            for (first, flag) in first.iter_mut().zip(flags.iter()) {
                *first = first.or((flag == Some(true)).then_some(number));
            }
        } else if flags.iter().next().flatten() == Some(true) {
            // A constant, such as TRUE for all who are left.
            for first in &mut first {
                *first = first.or(Some(number));
            }
        }
    }
    Ok(first)
}

/// One column for Polars; `None` of what no customer's dataset has.
fn series(name: &str, kind: ColumnType, values: Values, settings: &Settings, ids: &Keys) -> Option<Series> {
    let name = PlSmallStr::from(name);
    let scale = usize::from(if kind == ColumnType::Quantity { 6 } else { settings.currency.exponent });
    Some(match values {
        Values::Ids(rows) => match ids {
            Keys::Int(values) => Series::new(name, rows.iter().map(|row| values[*row as usize]).collect::<Vec<_>>()),
            Keys::Text(_) => {
                let text = |row: &u32| match ids.get(*row as usize) {
                    Key::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    Key::Int(id) => id.to_string(),
                };
                Series::new(name, rows.iter().map(text).collect::<Vec<_>>())
            }
        },
        Values::Text(texts) => Series::new(name, texts),
        Values::Label(numbers, labels) => {
            let label = |number: &u32| labels[*number as usize].as_str();
            Series::new(name, numbers.iter().map(label).collect::<Vec<_>>())
        }
        Values::Integer(values) => Series::new(name, values),
        Values::Scaled(values) => {
            let wide = values.into_iter().map(|value| value.map(i128::from));
            Int128Chunked::from_iter_options(name, wide).into_decimal_unchecked(38, scale).into_series()
        }
        Values::Float(values) => Series::new(name, values),
        Values::Date(values) => Int32Chunked::from_iter_options(name, values.into_iter()).into_date().into_series(),
        Values::Switch(values) => Series::new(name, values),
        Values::Customers(..) | Values::Sum(_) => return None,
    })
}

/// A column as floats; `None` of one that holds no numbers.
pub(super) fn floats(kind: ColumnType, values: Values, settings: &Settings) -> Option<Vec<Option<f64>>> {
    let digits = if kind == ColumnType::Quantity { 6 } else { i32::from(settings.currency.exponent) };
    let unit = f64::powi(10.0, digits);
    Some(match values {
        Values::Integer(values) => values.into_iter().map(|value| value.map(|value| value as f64)).collect(),
        Values::Scaled(values) => values.into_iter().map(|value| value.map(|value| value as f64 / unit)).collect(),
        Values::Float(values) => values,
        Values::Date(values) => values.into_iter().map(|value| value.map(f64::from)).collect(),
        Values::Switch(values) => values.into_iter().map(|value| value.map(|is| f64::from(u8::from(is)))).collect(),
        Values::Ids(_) | Values::Customers(..) | Values::Text(_) | Values::Label(..) | Values::Sum(_) => return None,
    })
}
