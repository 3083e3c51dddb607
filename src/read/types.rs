//! Two schemas stand in a footer that Arrow has written: Parquet's own, and Arrow's, which says more (zones, dictionaries).
//! Decoders take types from Arrow's. Where both say the same thing they must agree: one bit in the scale of Arrow's decimal is
//! ten times the money.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    panic::{self, AssertUnwindSafe},
};

use arrow_schema::{DataType as Arrow, Field, Schema as ArrowSchema, extension::EXTENSION_TYPE_NAME_KEY};
use camino::Utf8Path;
use parquet::{
    arrow::parquet_to_arrow_schema,
    basic::{LogicalType, Type},
    file::metadata::{ParquetMetaData, ParquetMetaDataReader},
    schema,
};
use polars::prelude::{DataType, Schema, TimeZone};

/// Types of the columns that are not nested, by Parquet's own schema alone.
pub(super) fn of(metadata: &ParquetMetaData) -> BTreeMap<String, Arrow> {
    let columns = metadata.file_metadata().schema_descr();
    let Ok(schema) = parquet_to_arrow_schema(columns, None) else { return BTreeMap::new() };
    // The old timestamps of 96 bits have no type but what Arrow says.
    let flat = columns.columns().iter().filter(|column| column.path().parts().len() == 1);
    let known = flat.filter(|column| column.physical_type() != Type::INT96);
    let typed =
        known.filter_map(|column| Some((column.name(), schema.field_with_name(column.name()).ok()?.data_type())));
    typed.map(|(name, dtype)| (name.to_owned(), dtype.clone())).collect()
}

/// Columns as a file has them. One of Parquet's own type for nulls is read as whole numbers where Arrow's schema is not there.
pub(super) fn with_nulls(mut columns: Schema, types: &BTreeMap<String, Arrow>) -> Schema {
    for (name, _) in types.iter().filter(|(_, dtype)| **dtype == Arrow::Null) {
        columns.set_dtype(name, DataType::Null);
    }
    columns
}

/// Whether a column of this Parquet type may be read as that type.
pub(super) fn agree(parquet: &Arrow, read: &DataType) -> bool {
    use DataType as D;
    match (parquet, read) {
        (
            Arrow::Decimal32(digits, scale)
            | Arrow::Decimal64(digits, scale)
            | Arrow::Decimal128(digits, scale)
            | Arrow::Decimal256(digits, scale),
            D::Decimal(read_digits, read_scale),
        ) => {
            (usize::from(*digits), i64::from(*scale)) == (*read_digits, *read_scale as i64)
        }
        (Arrow::Timestamp(_, parquet), D::Datetime(_, read)) => parquet.is_some() == read.is_some(),
        (Arrow::Boolean, D::Boolean)
        | (Arrow::Null, D::Null)
        | (Arrow::Int8, D::Int8)
        | (Arrow::Int16, D::Int16)
        | (Arrow::Int32, D::Int32 | D::Time)
        // Parquet has no seconds and no spans of time; its version 1 has no unsigned 32 bits.
        | (Arrow::Int64, D::Int64 | D::UInt32 | D::Datetime(..) | D::Duration(_) | D::Time)
        | (Arrow::UInt8, D::UInt8)
        | (Arrow::UInt16, D::UInt16)
        | (Arrow::UInt32, D::UInt32)
        | (Arrow::UInt64, D::UInt64)
        | (Arrow::Float32, D::Float32)
        | (Arrow::Float64, D::Float64)
        // Days in milliseconds are written as days.
        | (Arrow::Date32, D::Date | D::Datetime(..))
        | (Arrow::Utf8 | Arrow::Binary, D::String | D::Binary | D::Categorical(..) | D::Enum(..)) => true,
        (
            Arrow::Boolean
            | Arrow::Null
            | Arrow::Int8
            | Arrow::Int16
            | Arrow::Int32
            | Arrow::Int64
            | Arrow::UInt8
            | Arrow::UInt16
            | Arrow::UInt32
            | Arrow::UInt64
            | Arrow::Float32
            | Arrow::Float64
            | Arrow::Date32
            | Arrow::Utf8
            | Arrow::Binary
            | Arrow::Timestamp(..)
            | Arrow::Decimal32(..)
            | Arrow::Decimal64(..)
            | Arrow::Decimal128(..)
            | Arrow::Decimal256(..),
            _,
        ) => false,
        _ => true,
    }
}

/// The first column that the decoder cannot read past, whether it is mapped or not, and what it is.
pub(super) fn unread(file: &Utf8Path) -> Option<(String, String)> {
    in_footer(file, |metadata| {
        let mut seen = BTreeSet::new();
        let root = metadata.file_metadata().schema_descr().root_schema();
        let columns = root.get_fields().iter().map(|column| column.name());
        if let Some(twice) = { columns }.find(|name| !seen.insert(name.to_string())) {
            return Some((twice.to_owned(), "there twice".to_owned()));
        }
        if let Some(variant) = root.get_fields().iter().find(|column| is_variant(column)) {
            return Some((variant.name().to_owned(), "a variant".to_owned()));
        }
        decoded(metadata)?.fields().iter().find_map(|field| Some((field.name().clone(), unknown(field)?)))
    })
}

/// Whether a column, or one within it, is a variant.
fn is_variant(column: &schema::types::Type) -> bool {
    matches!(column.get_basic_info().logical_type_ref(), Some(LogicalType::Variant { .. }))
        || (column.is_group() && column.get_fields().iter().any(|column| is_variant(column)))
}

/// The first column, or one within it, of a time zone that the decoder does not know: the file cannot be read at all, whether the
/// column is mapped or not.
pub(super) fn undecoded(file: &Utf8Path) -> Option<String> {
    in_footer(file, |metadata| {
        decoded(metadata)?.fields().iter().find_map(|field| {
            let zone = unknown_zone(field)?;
            let what = format!("a timestamp in {zone}; UTC, named zones and offsets of whole hours are read");
            Some(format!("column `{}` is {what}", field.name()))
        })
    })
}

/// Why the values of a column of this Parquet type cannot be read; those of other columns can.
pub(super) fn too_wide(parquet: &Arrow) -> Option<String> {
    match parquet {
        Arrow::Decimal256(digits, _) if *digits > MOST_DIGITS => {
            Some(format!("a decimal of {digits} digits; up to {MOST_DIGITS} are read"))
        }
        _ => None,
    }
}

/// Digits of a decimal of 128 bits.
const MOST_DIGITS: u8 = 38;

/// A time zone within a column that the decoder does not know.
fn unknown_zone(field: &Field) -> Option<&str> {
    match field.data_type() {
        Arrow::Timestamp(_, Some(zone)) if !is_read(zone) => Some(zone),
        Arrow::Struct(fields) => fields.iter().find_map(|field| unknown_zone(field)),
        Arrow::List(field) | Arrow::LargeList(field) | Arrow::FixedSizeList(field, _) | Arrow::Map(field, _) => {
            unknown_zone(field)
        }
        _ => None,
    }
}

/// Whether the decoder knows a time zone.
fn is_read(zone: &str) -> bool {
    let offset = zone.starts_with(['+', '-']);
    if offset { zone.ends_with("00") } else { TimeZone::opt_try_new(Some(zone)).is_ok() }
}

/// What is found in a file's footer; nothing of one that cannot be read or makes no sense.
fn in_footer<T>(file: &Utf8Path, look: impl FnOnce(&ParquetMetaData) -> Option<T>) -> Option<T> {
    let handle = File::open(file).ok()?;
    let read = || look(&ParquetMetaDataReader::new().parse_and_finish(&handle).ok()?);
    panic::catch_unwind(AssertUnwindSafe(read)).ok()?
}

/// The schema that decoders take types from.
fn decoded(metadata: &ParquetMetaData) -> Option<ArrowSchema> {
    let file = metadata.file_metadata();
    parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()).ok()
}

/// What a column, or one within it, is that the decoder does not know.
fn unknown(field: &Field) -> Option<String> {
    if let Some(name) = field.metadata().get(EXTENSION_TYPE_NAME_KEY) {
        return Some(format!("of the extension type {name}"));
    }
    match field.data_type() {
        Arrow::Float16 => Some("a float of 16 bits".to_owned()),
        Arrow::Interval(_) => Some("an interval".to_owned()),
        Arrow::Struct(fields) => fields.iter().find_map(|field| unknown(field)),
        Arrow::List(field) | Arrow::LargeList(field) | Arrow::FixedSizeList(field, _) | Arrow::Map(field, _) => {
            unknown(field)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use polars::prelude::TimeUnit;

    use super::*;

    #[test]
    fn a_variant_is_told_by_its_name() {
        use parquet::{basic::Repetition, file::writer::SerializedFileWriter, schema::types::Type as Column};
        let binary = |name: &str| {
            Arc::new(
                Column::primitive_type_builder(name, Type::BYTE_ARRAY)
                    .with_repetition(Repetition::REQUIRED)
                    .build()
                    .unwrap(),
            )
        };
        let variant = Column::group_type_builder("payload")
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(LogicalType::variant(None)));
        let variant = variant.with_fields(vec![binary("metadata"), binary("value")]).build().unwrap();
        let columns = vec![binary("id"), Arc::new(variant)];
        let root = Column::group_type_builder("schema").with_fields(columns).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let file = File::create(&path).unwrap();
        SerializedFileWriter::new(file, Arc::new(root), Arc::default()).unwrap().close().unwrap();
        let found = unread(Utf8Path::from_path(&path).unwrap());
        assert_eq!(found, Some(("payload".to_owned(), "a variant".to_owned())));
    }

    #[test]
    fn scale_digits_width_sign_and_zone_are_the_same_in_both_schemas() {
        use DataType as D;
        let zoned = |zone: Option<&str>| Arrow::Timestamp(arrow_schema::TimeUnit::Microsecond, zone.map(Arc::from));
        let moments = |zone: Option<TimeZone>| D::Datetime(TimeUnit::Milliseconds, zone);
        for (parquet, read) in [
            (Arrow::Decimal128(18, 2), D::Decimal(18, 2)),
            (zoned(Some("UTC")), moments(Some(TimeZone::UTC))),
            (zoned(None), moments(None)),
            (Arrow::Int64, D::UInt32),
            (Arrow::Utf8, D::String),
            (Arrow::FixedSizeBinary(16), D::Binary),
        ] {
            assert!(agree(&parquet, &read), "{parquet} {read}");
        }
        for (parquet, read) in [
            (Arrow::Decimal128(18, 2), D::Decimal(18, 3)),
            (Arrow::Decimal128(18, 2), D::Decimal(19, 2)),
            (Arrow::Decimal128(18, 2), D::Int64),
            (Arrow::Int32, D::Int8),
            (Arrow::Int64, D::UInt64),
            (Arrow::Int64, D::Decimal(18, 2)),
            (Arrow::Float64, D::Null),
            (zoned(None), moments(Some(TimeZone::UTC))),
            (zoned(Some("UTC")), moments(None)),
        ] {
            assert!(!agree(&parquet, &read), "{parquet} {read}");
        }
    }
}
