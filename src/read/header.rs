//! The first line of a CSV: the names of its columns, as far as they are names.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
};

use camino::Utf8Path;
use polars::prelude::*;

use super::{columns::listed, uses::Use};

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
    let names = header.trim_start_matches('\u{feff}').split(',').map(|name| name.trim_end().trim_matches('"'));
    names.filter(|name| *name == column).count() > 1
}

/// What a message says of a CSV's columns: those that the config names, and how many others. A first row that names no columns is a
/// customer's, which no message may tell.
pub(super) fn told(schema: &Schema, uses: &[Use]) -> String {
    let is_used = |name: &&str| uses.iter().any(|used| used.column == *name);
    let used: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).filter(is_used).collect();
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
