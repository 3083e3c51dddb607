//! `key=value` folders as columns.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use polars::prelude::*;

use super::role::Role;
use crate::schema::settings::TableSetting;

/// What stands for null in a folder's name.
const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

/// Keys and values of the folders that a file lies in, as they are written.
pub(super) fn of(file: &Utf8Path) -> impl Iterator<Item = (&str, &str)> {
    file.parent().into_iter().flat_map(Utf8Path::components).filter_map(|part| part.as_str().split_once('='))
}

/// A folder's value as a column of text, as every column of a CSV file is.
pub(super) fn column((key, value): (&str, &str)) -> Expr {
    let value = (value != NULL_FOLDER).then(|| decoded(value));
    value.map_or_else(|| lit(NULL).cast(DataType::String), lit).alias(key)
}

/// Types of the folders' columns: those that the decoder took them for, and text for an id that is not in each file and that
/// an integer would change, such as `007`. `None` without folders.
pub(super) fn types(files: &[Utf8PathBuf], schema: &Schema, setting: &TableSetting) -> Option<SchemaRef> {
    let changed = |key: &str| {
        let values =
            files.iter().flat_map(|file| of(file)).filter(|(other, value)| *other == key && *value != NULL_FOLDER);
        values.map(|(_, value)| value).any(|value| value.parse::<i64>().map_or(true, |id| id.to_string() != value))
    };
    let is_id = |key: &str| setting.columns.iter().any(|(role, column)| column == key && Role::of(role) == Role::Id);
    let of_key = |key: &str| {
        let dtype = schema.get(key)?.clone();
        let text = dtype.is_integer() && is_id(key) && changed(key);
        Some(Field::new(key.into(), if text { DataType::String } else { dtype }))
    };
    let types: Schema = of(files.first()?).filter_map(|(key, _)| of_key(key)).collect();
    (!types.is_empty()).then(|| Arc::new(types))
}

/// `%2F` is `/`: how other tools write what no folder's name can hold.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *byte == b'%').and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(*byte));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_keys_with_decoded_values() {
        let file = Utf8Path::new("a/y=2024/shop=x%2Fy%20z/part=1.parquet");
        assert_eq!(of(file).collect::<Vec<_>>(), [("y", "2024"), ("shop", "x%2Fy%20z")]);
        assert_eq!(decoded("x%2Fy%20z%"), "x/y z%");
    }
}
