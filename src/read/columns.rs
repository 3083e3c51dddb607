//! Columns of a file as expressions under our names: what is mapped, what drivers need, and covariates.

use std::panic::{self, AssertUnwindSafe};

use camino::Utf8Path;
use polars::prelude::*;

use super::{
    ReadError, predicate,
    pseudonym::{self, PERSONS},
    role::Role,
};
use crate::schema::{
    covariates::{CovariateColumn, CovariateKind},
    settings::{DriverMeasure, Format, LedgerDriver, TableSetting},
};

/// A timestamp with a time zone as the clock on the wall there: its day is the day in that zone, not the UTC day.
fn local(expression: Expr, dtype: &DataType) -> Expr {
    match dtype {
        // Every instant has one wall time, so nothing is ambiguous on this way. The last nanoseconds have none that fits.
        DataType::Datetime(unit, Some(zone)) => {
            let fits = DataType::Datetime(TimeUnit::Microseconds, Some(zone.clone()));
            let expression = if *unit == TimeUnit::Nanoseconds { expression.cast(fits) } else { expression };
            expression.dt().replace_time_zone(None, lit("raise"), NonExistent::Raise)
        }
        _ => expression,
    }
}

/// A mapped column under our name, as kernels read it.
pub(super) fn mapped(
    table: &'static str,
    role: &str,
    column: &str,
    setting: &TableSetting,
    (file, schema): (&Utf8Path, &Schema),
) -> Result<Expr, ReadError> {
    let dtype = schema.get(column).ok_or_else(|| missing_column(file, column, table, role, schema))?;
    let role_type = Role::of(role);
    let cast = role_type.cast(dtype, setting.format == Format::Csv).ok_or_else(|| ReadError::ColumnType {
        file: file.to_owned(),
        column: column.to_owned(),
        table,
        role: role.to_owned(),
        expected: role_type.expected(),
        found: describe(dtype),
    })?;
    let expression = local(col(column), dtype);
    let expression = if *dtype == cast { expression } else { expression.cast(cast) };
    let expression = match setting.id_key {
        Some(key) if PERSONS.contains(&role) => pseudonym::of_column(expression, key),
        _ => expression,
    };
    Ok(expression.alias(role))
}

/// Which rows a driver counts, as a column `filter:NAME`; `None` when it counts all.
pub(super) fn driver_filter(
    driver: &str,
    setting: &LedgerDriver,
    schema: &Schema,
    csv: bool,
) -> Result<Option<Expr>, ReadError> {
    let Some(predicate) = &setting.filter else { return Ok(None) };
    // A comparison with NULL is NULL: such a line does not count.
    let filter = predicate_of(&format!("drivers.{driver}"), predicate, schema, csv)?.fill_null(lit(false));
    Ok(Some(filter.alias(format!("filter:{driver}"))))
}

/// What a driver adds up, as columns `driver:NAME` and `time:NAME:TERM`.
pub(super) fn driver_columns(
    driver: &str,
    setting: &LedgerDriver,
    (file, csv): (&Utf8Path, bool),
    schema: &Schema,
) -> Result<Vec<Expr>, ReadError> {
    let mut columns = Vec::new();
    if let DriverMeasure::Time { columns: terms, .. } = &setting.measure {
        for term in terms {
            let missing = || missing_column(file, term, "drivers", driver, schema);
            let dtype = schema.get(term.as_str()).ok_or_else(missing)?;
            let cast = match dtype {
                DataType::Boolean => Some(DataType::Int64),
                // A CSV has texts alone; the contract reads numbers out of them.
                dtype => Role::Number.cast(dtype, csv),
            };
            let cast = cast.ok_or_else(|| ReadError::ColumnType {
                file: file.to_owned(),
                column: term.clone(),
                table: "drivers",
                role: driver.to_owned(),
                expected: "a number or a flag",
                found: describe(dtype),
            })?;
            columns.push(col(term.as_str()).cast(cast).alias(format!("time:{driver}:{term}")));
        }
    }
    if let DriverMeasure::Sum(column) = &setting.measure {
        let missing = || missing_column(file, column, "drivers", driver, schema);
        let dtype = schema.get(column.as_str()).ok_or_else(missing)?;
        let cast = Role::Number.cast(dtype, false).ok_or_else(|| ReadError::ColumnType {
            file: file.to_owned(),
            column: column.clone(),
            table: "drivers",
            role: driver.to_owned(),
            expected: Role::Number.expected(),
            found: describe(dtype),
        })?;
        columns.push(col(column.as_str()).cast(cast).alias(format!("driver:{driver}")));
    }
    Ok(columns)
}

/// A covariate as a column `covariate:NAME`: a float or text. CSV has texts alone; the contract reads numbers out of them.
pub(super) fn covariate_column(
    covariate: &str,
    setting: &CovariateColumn,
    file: &Utf8Path,
    schema: &Schema,
) -> Result<Expr, ReadError> {
    use DataType as D;
    let missing = || missing_column(file, &setting.column, "customers", covariate, schema);
    let dtype = schema.get(setting.column.as_str()).ok_or_else(missing)?;
    let text = matches!(dtype, D::String | D::Categorical(..) | D::Enum(..));
    let (fits, expected) = match setting.kind {
        None => (
            text || dtype.is_primitive_numeric() || matches!(dtype, D::Decimal(..) | D::Boolean),
            "a number, text or a boolean",
        ),
        Some(CovariateKind::Number) => {
            (text || dtype.is_primitive_numeric() || matches!(dtype, D::Decimal(..)), "a number")
        }
        Some(CovariateKind::Category) => {
            (text || dtype.is_integer() || *dtype == D::Boolean, "text, an integer or a boolean")
        }
    };
    if !fits {
        return Err(ReadError::ColumnType {
            file: file.to_owned(),
            column: setting.column.clone(),
            table: "customers",
            role: covariate.to_owned(),
            expected,
            found: describe(dtype),
        });
    }
    let as_text = text || *dtype == D::Boolean || setting.kind == Some(CovariateKind::Category);
    let cast = if as_text { D::String } else { D::Float64 };
    Ok(col(setting.column.as_str()).cast(cast).alias(format!("covariate:{covariate}")))
}

pub(super) fn missing_column(
    file: &Utf8Path,
    column: &str,
    table: &'static str,
    role: &str,
    schema: &Schema,
) -> ReadError {
    ReadError::MissingColumn {
        file: file.to_owned(),
        column: column.to_owned(),
        table,
        role: role.to_owned(),
        known: listed(&schema.iter_names().map(PlSmallStr::as_str).collect::<Vec<_>>()),
    }
}

/// Names that a message lists at most.
const MOST_LISTED: usize = 40;

/// Names of columns for a message: none with control characters, which are no names, and no more than anybody reads.
pub(super) fn listed(names: &[&str]) -> String {
    let plain = names.iter().filter(|name| !name.contains(char::is_control));
    let told: Vec<&str> = plain.take(MOST_LISTED).copied().collect();
    match names.len() - told.len() {
        0 => told.join(", "),
        more if told.is_empty() => format!("{more} columns"),
        more => format!("{}, and {more} more", told.join(", ")),
    }
}

/// The predicate of a table or driver, true or false of its rows, exact by the types of its columns.
pub(super) fn predicate_of(of: &str, text: &str, columns: &Schema, csv: bool) -> Result<Expr, ReadError> {
    let bad = |reason: String| ReadError::Predicate { table: of.to_owned(), reason };
    let predicate = predicate::parse(text).map_err(bad)?;
    if predicate::needs_other_rows(&predicate) {
        // What it finds would depend on which files and rows are read together.
        return Err(ReadError::OtherRows { table: of.to_owned() });
    }
    let fits = panic::catch_unwind(AssertUnwindSafe(|| predicate::fit(predicate, columns, csv)));
    fits.unwrap_or_else(|_| Err("it cannot be worked out".to_owned())).map_err(bad)
}

pub(super) fn describe(dtype: &DataType) -> String {
    match dtype {
        DataType::Decimal(precision, scale) => format!("decimal({precision}, {scale})"),
        DataType::Datetime(_, Some(zone)) => format!("timestamp in {zone}"),
        DataType::Datetime(_, None) => "timestamp".to_owned(),
        DataType::String => "text".to_owned(),
        DataType::Categorical(..) | DataType::Enum(..) => "dictionary text".to_owned(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => "integer".to_owned(),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => "unsigned integer".to_owned(),
        DataType::Float32 | DataType::Float64 => "float".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date => "date".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::Null => "null".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}
