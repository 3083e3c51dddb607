//! The first line of a CSV: the names of its columns, as far as they are names.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
};

use camino::Utf8Path;
use polars::prelude::*;

use super::{columns::listed, fields::fields, uses::Use};

/// Bytes in which a CSV's header is looked for.
const HEADER: u64 = 1 << 20;

/// The first line of a CSV, as far as it can be read: what cannot is told when the rows are.
fn first_line(file: &Utf8Path) -> Vec<u8> {
    let mut header = Vec::new();
    let _ = File::open(file).and_then(|file| BufReader::new(file).take(HEADER).read_until(b'\n', &mut header));
    header
}

/// Whether a CR that no LF follows ends the first line of a CSV: to the decoder all that comes after it are names of columns.
pub(super) fn ends_in_cr(file: &Utf8Path) -> bool {
    let header = first_line(file);
    let mut quoted = false;
    header.iter().enumerate().any(|(at, byte)| {
        quoted ^= *byte == b'"';
        let last = at + 1 == header.len();
        *byte == b'\r' && !quoted && !last && header[at + 1] != b'\n'
    })
}

/// Whether a header names a column more than once. Polars gives the second another name.
pub(super) fn names_twice(file: &Utf8Path, column: &str) -> bool {
    let header = String::from_utf8(first_line(file)).unwrap_or_default();
    let names = fields(header.trim_start_matches('\u{feff}'));
    names.iter().filter(|name| name.trim_end() == column).count() > 1
}

/// Whether a file begins as UTF-16 does: with its mark, or with a letter of two bytes.
pub(super) fn is_utf16(file: &Utf8Path) -> bool {
    let header = first_line(file);
    header.starts_with(b"\xff\xfe") || header.starts_with(b"\xfe\xff") || header.iter().take(2).any(|byte| *byte == 0)
}

/// What separates the fields of a header that has no comma.
fn separator(names: &Schema) -> Option<&'static str> {
    let only = names.iter_names().next().filter(|_| names.len() == 1)?;
    other_than_comma(only)
}

/// What separates the fields of a CSV in whose header no comma does.
pub(super) fn separator_of(file: &Utf8Path) -> Option<&'static str> {
    let header = String::from_utf8(first_line(file)).ok()?;
    let names = fields(header.trim_start_matches('\u{feff}').trim_end());
    if let [only] = names.as_slice() { other_than_comma(only) } else { None }
}

fn other_than_comma(text: &str) -> Option<&'static str> {
    [(';', "`;`"), ('\t', "tabs"), ('|', "`|`")].iter().find_map(|(sign, what)| text.contains(*sign).then_some(*what))
}

/// What a message says of a CSV's columns: those that the config names, and how many others. A first row that names no columns is a
/// customer's, which no message may tell.
pub(super) fn told(schema: &Schema, uses: &[Use]) -> String {
    let is_used = |name: &&str| uses.iter().any(|used| used.column == *name);
    let used: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).filter(is_used).collect();
    if let Some(separator) = separator(schema) {
        return format!("one column: its fields are separated by {separator}, those of a CSV by commas");
    }
    match schema.len() - used.len() {
        all if used.is_empty() => {
            format!("{all} columns, and none of those that are mapped: does its first row name them?")
        }
        0 => listed(&used),
        more => format!("{}, and {more} that the config does not name", listed(&used)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_twice_where_they_are_whole_fields_and_other_separators_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        let file = Utf8Path::from_path(&file).unwrap();
        for (csv, twice) in [("id,ac,\"a,ac\"\n", false), ("\u{feff}\"ac\",id,ac\r\n", true), ("id,ac,seg\n", false)] {
            std::fs::write(file, csv).unwrap();
            assert_eq!(names_twice(file, "ac"), twice, "{csv:?}");
            assert!(!is_utf16(file));
        }
        for csv in [&b"\xff\xfei\0d\0"[..], b"\xfe\xff\0i\0d", b"i\0d\0"] {
            std::fs::write(file, csv).unwrap();
            assert!(is_utf16(file));
        }
        for (csv, told) in [("id;ac\n1;2\n", Some("`;`")), ("id\tac", Some("tabs")), ("id,a;c\n", None), ("id\n", None)]
        {
            std::fs::write(file, csv).unwrap();
            assert_eq!(separator_of(file), told, "{csv:?}");
        }
        let header = |name: &str| Schema::from_iter([Field::new(name.into(), DataType::String)]);
        let of = told(&header("id;ac"), &[]);
        assert_eq!(of, "one column: its fields are separated by `;`, those of a CSV by commas");
        assert!(told(&header("id"), &[]).starts_with("1 columns, and none of those"));
    }

    #[test]
    fn a_line_ends_in_cr_alone_where_no_lf_follows_one_outside_quotes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        for (csv, alone) in [
            ("a,b\r1,2\r", true),
            ("a,b\r1,2\n", true),
            ("a,b\r\n1,2\r\n", false),
            ("a,b\n1,2\r3,4\n", false),
            ("\"a\r\",b\n1,2\n", false),
            ("a,b\r", false),
            ("", false),
        ] {
            std::fs::write(&file, csv).unwrap();
            assert_eq!(ends_in_cr(Utf8Path::from_path(&file).unwrap()), alone, "{csv:?}");
        }
    }
}
