//! Typed columns of a batch: numbers, days and ids out of Polars series, without a float step in between.

use polars::prelude::*;

use super::ContractError;
use crate::{
    numeric::{
        decimal::{Decimal, divide_half_even, power_of_ten},
        keys::{Keys, TextColumn},
    },
    schema::{
        facts::NO_DAY,
        lines::{order_of_day, order_of_text},
        period::{CALENDAR, parse_day},
    },
    units::{Day, QUANTITY_SCALE},
};

/// A number that is null in the source.
pub const NULL: i64 = i64::MIN;

/// A number that cannot be read: NaN, infinite, or out of range.
pub const INVALID: i64 = i64::MIN + 1;

/// Whether a value of [`Batch::numbers`] is a number.
#[inline]
#[must_use]
pub fn is_number(value: i64) -> bool {
    value > INVALID
}

/// The digits of a column of integers: money counts minor units, quantities whole units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Decimal digits of the result.
    pub digits: u32,
    /// Whether an integer column is already in result units.
    pub integers_are_scaled: bool,
}

impl Scale {
    /// Quantities, and other numbers with six digits.
    pub(crate) const QUANTITY: Self = Self { digits: QUANTITY_SCALE.ilog10(), integers_are_scaled: false };
}

/// A batch's columns, by our names.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// Table, for messages.
    pub table: &'static str,
    /// The data.
    pub frame: &'a DataFrame,
}

impl Batch<'_> {
    /// A column as one chunk; `None` when it is not mapped.
    #[must_use]
    pub fn series(&self, name: &str) -> Option<Series> {
        self.frame.column(name).ok().map(|column| column.as_materialized_series().rechunk())
    }

    fn wrong(&self, column: &str, expected: &'static str) -> ContractError {
        ContractError::Column { table: self.table, column: column.to_owned(), expected }
    }

    /// A number column scaled to integers, half to even; [`NULL`] and [`INVALID`] mark what is none.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is of no number type.
    pub fn numbers(&self, name: &str, scale: Scale) -> Result<Option<Vec<i64>>, ContractError> {
        let Some(series) = self.series(name) else { return Ok(None) };
        let wrong = |_| self.wrong(name, "a number");
        Ok(Some(match series.dtype() {
            DataType::Int64 => {
                let factor = if scale.integers_are_scaled { 1 } else { 10_i64.pow(scale.digits) };
                let convert = |value: i64| value.checked_mul(factor).filter(|v| is_number(*v)).unwrap_or(INVALID);
                map_chunk(series.i64().map_err(wrong)?, convert, NULL)
            }
            DataType::Int32 => {
                let factor = if scale.integers_are_scaled { 1 } else { 10_i64.pow(scale.digits) };
                let convert = |value: i32| i64::from(value).checked_mul(factor).unwrap_or(INVALID);
                map_chunk(series.i32().map_err(wrong)?, convert, NULL)
            }
            DataType::UInt64 => {
                let factor = if scale.integers_are_scaled { 1 } else { 10_i64.pow(scale.digits) };
                let convert = |value: u64| i64::try_from(value).ok()?.checked_mul(factor);
                map_chunk(series.u64().map_err(wrong)?, |value| convert(value).unwrap_or(INVALID), NULL)
            }
            DataType::Float64 => {
                map_chunk(series.f64().map_err(wrong)?, |value| scaled(Decimal::from_float(value), scale), NULL)
            }
            DataType::Float32 => {
                map_chunk(series.f32().map_err(wrong)?, |value| scaled(Decimal::from_float32(value), scale), NULL)
            }
            DataType::Decimal(_, from) if *from as u32 == scale.digits => {
                let convert = |mantissa| i64::try_from(mantissa).ok().filter(|v| is_number(*v)).unwrap_or(INVALID);
                map_chunk(series.decimal().map_err(wrong)?.physical(), convert, NULL)
            }
            DataType::Decimal(_, from) => {
                let convert = decimal_converter(*from as u32, scale.digits);
                map_chunk(series.decimal().map_err(wrong)?.physical(), convert, NULL)
            }
            DataType::String => {
                let texts = series.str().map_err(wrong)?;
                texts.iter().map(|text| text.map_or(NULL, |text| parse_number(text, scale))).collect()
            }
            _ => return Err(self.wrong(name, "a number")),
        }))
    }

    /// A number column as exact decimals; `None` for null, NaN and infinities.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is of no number type.
    pub fn decimals(&self, name: &str, integer_scale: u32) -> Result<Option<Vec<Option<Decimal>>>, ContractError> {
        let Some(series) = self.series(name) else { return Ok(None) };
        let wrong = |_| self.wrong(name, "a number");
        let integer = |value: i64| Some(Decimal { mantissa: i128::from(value), scale: integer_scale });
        Ok(Some(match series.dtype() {
            DataType::Int64 => map_chunk(series.i64().map_err(wrong)?, integer, None),
            DataType::Int32 => map_chunk(series.i32().map_err(wrong)?, |value| integer(value.into()), None),
            DataType::UInt64 => {
                let unsigned = |value: u64| Some(Decimal { mantissa: i128::from(value), scale: integer_scale });
                map_chunk(series.u64().map_err(wrong)?, unsigned, None)
            }
            DataType::Float64 => map_chunk(series.f64().map_err(wrong)?, Decimal::from_float, None),
            DataType::Float32 => map_chunk(series.f32().map_err(wrong)?, Decimal::from_float32, None),
            DataType::Decimal(_, from) => {
                let scale = *from as u32;
                map_chunk(
                    series.decimal().map_err(wrong)?.physical(),
                    |mantissa| Some(Decimal { mantissa, scale }),
                    None,
                )
            }
            DataType::String => series.str().map_err(wrong)?.iter().map(|text| text.and_then(Decimal::parse)).collect(),
            _ => return Err(self.wrong(name, "a number")),
        }))
    }

    /// A day column; [`NO_DAY`] for null, for text that is no date, and for what is in none of the years 1 to 9999, as infinity is
    /// in the files of a database.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is no date.
    pub fn days(&self, name: &str) -> Result<Option<Vec<Day>>, ContractError> {
        let Some(series) = self.series(name) else { return Ok(None) };
        let wrong = |_| self.wrong(name, "a date");
        let known = |day| if CALENDAR.contains(&day) { day } else { NO_DAY };
        Ok(Some(match series.dtype() {
            DataType::Date => map_chunk(series.date().map_err(wrong)?.physical(), known, NO_DAY),
            DataType::String => {
                let texts = series.str().map_err(wrong)?;
                texts.iter().map(|text| text.and_then(|text| parse_day(text.trim())).map_or(NO_DAY, known)).collect()
            }
            _ => return Err(self.wrong(name, "a date")),
        }))
    }

    /// Which rows of a column are null; `None` without the column.
    #[must_use]
    pub fn nulls(&self, name: &str) -> Option<Vec<bool>> {
        self.series(name).map(|series| series.is_null().iter().map(|null| null == Some(true)).collect())
    }

    /// An id column, and which rows have none. Empty text is no id.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is neither integer nor text, [`ContractError::IdRange`].
    pub fn keys(&self, name: &str) -> Result<Option<(Keys, Vec<bool>)>, ContractError> {
        let Some(series) = self.series(name) else { return Ok(None) };
        let wrong = |_| self.wrong(name, "an id");
        Ok(Some(match series.dtype() {
            DataType::Int64 => {
                let ids = series.i64().map_err(wrong)?;
                (Keys::Int(map_chunk(ids, |id| id, 0)), nulls(ids))
            }
            DataType::Int32 => {
                let ids = series.i32().map_err(wrong)?;
                (Keys::Int(map_chunk(ids, i64::from, 0)), nulls(ids))
            }
            DataType::UInt64 => {
                let too_large = || ContractError::IdRange { table: self.table, column: name.to_owned() };
                let (mut values, mut missing) = (Vec::with_capacity(series.len()), Vec::with_capacity(series.len()));
                for id in series.u64().map_err(wrong)?.iter() {
                    values.push(i64::try_from(id.unwrap_or(0)).map_err(|_| too_large())?);
                    missing.push(id.is_none());
                }
                (Keys::Int(values), missing)
            }
            DataType::String => {
                let mut column = TextColumn::default();
                let mut missing = Vec::with_capacity(series.len());
                for text in series.str().map_err(wrong)?.iter() {
                    column.push(text.unwrap_or_default().as_bytes());
                    missing.push(text.is_none_or(str::is_empty));
                }
                (Keys::Text(column), missing)
            }
            _ => return Err(self.wrong(name, "an id")),
        }))
    }

    /// Order numbers; rows without an order id count one order a day.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is neither integer nor text.
    pub fn orders(&self, name: &str, days: &[Day]) -> Result<Vec<u64>, ContractError> {
        let by_day = || days.iter().map(|day| order_of_day(*day)).collect();
        let Some(series) = self.series(name) else { return Ok(by_day()) };
        let wrong = |_| self.wrong(name, "an order id");
        Ok(match series.dtype() {
            DataType::Int64 => {
                let ids = series.i64().map_err(wrong)?;
                if ids.null_count() == 0 {
                    map_chunk(ids, |id| id as u64, 0)
                } else {
                    ids.iter()
                        .zip(days)
                        .map(|(id, day)| id.map_or_else(|| order_of_day(*day), |id| id as u64))
                        .collect()
                }
            }
            DataType::Int32 => {
                let order =
                    |(id, day): (Option<i32>, &Day)| id.map_or_else(|| order_of_day(*day), |id| i64::from(id) as u64);
                series.i32().map_err(wrong)?.iter().zip(days).map(order).collect()
            }
            DataType::UInt64 => {
                let ids = series.u64().map_err(wrong)?;
                ids.iter().zip(days).map(|(id, day)| id.unwrap_or_else(|| order_of_day(*day))).collect()
            }
            DataType::String => {
                let ids = series.str().map_err(wrong)?;
                let order = |(id, day): (Option<&str>, &Day)| {
                    let id = id.filter(|id| !id.is_empty());
                    id.map_or_else(|| order_of_day(*day), |id| order_of_text(id.as_bytes()))
                };
                ids.iter().zip(days).map(order).collect()
            }
            _ => return Err(self.wrong(name, "an order id")),
        })
    }

    /// A text column as texts.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is no text.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<Option<String>>>, ContractError> {
        let Some(series) = self.series(name) else { return Ok(None) };
        let texts = series.str().map_err(|_| self.wrong(name, "text"))?;
        Ok(Some(texts.iter().map(|text| text.map(str::to_owned)).collect()))
    }

    /// A text column as places in `known`; `None` where it is null or another text. No text is copied.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is no text.
    pub fn places(&self, name: &str, known: &[&str]) -> Result<Option<Vec<Option<u32>>>, ContractError> {
        let Some(series) = self.series(name) else { return Ok(None) };
        let texts = series.str().map_err(|_| self.wrong(name, "text"))?;
        let place = |text: &str| known.iter().position(|known| *known == text).map(|place| place as u32);
        Ok(Some(texts.iter().map(|text| text.and_then(place)).collect()))
    }

    /// A column of floats; null is none.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is of another type.
    pub fn floats(&self, name: &str) -> Result<Option<Vec<Option<f64>>>, ContractError> {
        let Some(series) = self.series(name) else { return Ok(None) };
        let floats = series.f64().map_err(|_| self.wrong(name, "floats"))?;
        Ok(Some(floats.iter().collect()))
    }

    /// A boolean column; null is false.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is no boolean.
    pub fn flags(&self, name: &str) -> Result<Option<Vec<bool>>, ContractError> {
        let Some(series) = self.series(name) else { return Ok(None) };
        let flags = series.bool().map_err(|_| self.wrong(name, "a boolean"))?;
        Ok(Some(flags.iter().map(|flag| flag.unwrap_or(false)).collect()))
    }

    /// A yes-or-no column: booleans, 0 and 1, or such words; `None` where the cell is none of them, null is no.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the column is neither boolean, integer nor text.
    pub fn switches(&self, name: &str) -> Result<Option<Vec<Option<bool>>>, ContractError> {
        let Some(series) = self.series(name) else { return Ok(None) };
        if *series.dtype() == DataType::Boolean {
            return Ok(self.flags(name)?.map(|flags| flags.into_iter().map(Some).collect()));
        }
        let Some((keys, missing)) = self.keys(name)? else { return Ok(None) };
        let switch = |row: usize| match keys.text(row).trim().to_lowercase().as_str() {
            _ if missing[row] => Some(false),
            "1" | "true" | "yes" => Some(true),
            "0" | "false" | "no" | "" => Some(false),
            _ => None,
        };
        Ok(Some((0..keys.len()).map(switch).collect()))
    }

    /// The mapped cells of a row as a JSON object of texts: what `rejected` keeps of it.
    #[must_use]
    pub fn cells(&self, row: usize) -> String {
        let cells: serde_json::Map<String, serde_json::Value> = self
            .frame
            .columns()
            .iter()
            .filter(|column| !column.name().contains(':'))
            .map(|column| {
                (column.name().to_string(), column.get(row).map_or(serde_json::Value::Null, |cell| cell_text(&cell)))
            })
            .collect();
        serde_json::Value::Object(cells).to_string()
    }
}

fn cell_text(cell: &AnyValue<'_>) -> serde_json::Value {
    let text = match cell {
        AnyValue::Null => return serde_json::Value::Null,
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Date(day) => crate::schema::period::format_day(*day),
        AnyValue::Float64(value) => value.to_string(),
        AnyValue::Float32(value) => value.to_string(),
        AnyValue::Int64(value) => value.to_string(),
        AnyValue::Int32(value) => value.to_string(),
        AnyValue::UInt64(value) => value.to_string(),
        AnyValue::Boolean(value) => value.to_string(),
        AnyValue::Decimal(mantissa, _, scale) => crate::numeric::decimal::format_minor(*mantissa, *scale as u8),
        other => format!("{other:?}"),
    };
    serde_json::Value::String(text)
}

/// A decimal as a scaled integer; [`INVALID`] when it is none or does not fit.
fn scaled(decimal: Option<Decimal>, scale: Scale) -> i64 {
    decimal.and_then(|d| d.to_scaled(scale.digits)).filter(|value| is_number(*value)).unwrap_or(INVALID)
}

fn parse_number(text: &str, scale: Scale) -> i64 {
    if text.trim().is_empty() {
        return NULL;
    }
    scaled(Decimal::parse(text), scale)
}

/// From decimals of one scale to integers of another.
fn decimal_converter(from: u32, to: u32) -> impl Fn(i128) -> i64 {
    let (multiplier, divisor) =
        if to >= from { (power_of_ten(to - from).unwrap_or(1), 1) } else { (1, power_of_ten(from - to).unwrap_or(1)) };
    move |mantissa| {
        let scaled =
            if divisor == 1 { mantissa.checked_mul(multiplier) } else { Some(divide_half_even(mantissa, divisor)) };
        scaled.and_then(|value| i64::try_from(value).ok()).filter(|value| is_number(*value)).unwrap_or(INVALID)
    }
}

/// Which rows are null.
fn nulls<T: PolarsNumericType>(column: &ChunkedArray<T>) -> Vec<bool> {
    if column.null_count() == 0 { vec![false; column.len()] } else { column.iter().map(|id| id.is_none()).collect() }
}

/// Maps a one-chunk column; nulls become `null`.
fn map_chunk<T: PolarsNumericType, U: Clone>(
    column: &ChunkedArray<T>,
    convert: impl Fn(T::Native) -> U,
    null: U,
) -> Vec<U> {
    let mut out = Vec::with_capacity(column.len());
    for chunk in column.downcast_iter() {
        match chunk.validity().filter(|validity| validity.unset_bits() > 0) {
            None => out.extend(chunk.values().iter().map(|value| convert(*value))),
            Some(validity) => out.extend(
                chunk
                    .values()
                    .iter()
                    .zip(validity.iter())
                    .map(|(value, valid)| if valid { convert(*value) } else { null.clone() }),
            ),
        }
    }
    out
}
