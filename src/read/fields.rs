//! The records of a CSV and their fields, counted before they are decoded: the decoder fills with nulls what a record lacks, and so
//! a file that was cut short would be summed.

use std::{
    fs::File,
    io::{BufRead, BufReader},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::ReadError;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 18;

/// What a CSV has of records below its header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Records {
    /// Records, to the decoder: blank lines are among them.
    count: u64,
    /// Which of them are blank lines, ascending.
    blank: Vec<u64>,
}

/// Counts the records of a CSV, each of which must have as many fields as the header.
///
/// A blank line is no record, but where the header has one column. A field that begins with a quote ends at a separator outside
/// quotes, as the decoder has it.
///
/// # Errors
/// [`ReadError::Foreign`] with the first line of a record that has fewer fields or more, or whose quote is left open;
/// [`ReadError::Io`].
fn records(file: &Utf8Path) -> Result<Records, ReadError> {
    let io = |source| ReadError::Io { file: file.to_owned(), source };
    let foreign = |reason: String| ReadError::Foreign { file: file.to_owned(), reason };
    let mut bytes = BufReader::with_capacity(CHUNK, File::open(file).map_err(io)?);
    let mut counter = Counter::new();
    let mark = bytes.fill_buf().map_err(io)?.starts_with(b"\xef\xbb\xbf");
    bytes.consume(if mark { 3 } else { 0 });
    loop {
        let chunk = bytes.fill_buf().map_err(io)?;
        if chunk.is_empty() {
            break;
        }
        chunk.iter().try_for_each(|byte| counter.take(*byte)).map_err(foreign)?;
        let length = chunk.len();
        bytes.consume(length);
    }
    counter.end().map_err(foreign)
}

/// Which rows of some CSV files, one after the other, are blank lines.
///
/// # Errors
/// Those of [`records`].
pub(super) fn blank_lines(files: &[Utf8PathBuf]) -> Result<Vec<u64>, ReadError> {
    let (mut rows, mut blank) = (0, Vec::new());
    for file in files {
        let found = records(file)?;
        blank.extend(found.blank.into_iter().map(|row| rows + row));
        rows += found.count;
    }
    Ok(blank)
}

/// Where in a file one is.
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
struct Counter {
    records: Records,
    /// Fields of the header, once it is over.
    header: Option<u64>,
    /// Line, and the line in which the record began; from 1 on.
    line: u64,
    began: u64,
    /// Fields of the record, the one that is not over yet among them.
    fields: u64,
    /// Whether the field has a byte yet, and the record one that is no CR.
    in_field: bool,
    in_record: bool,
    /// Whether the field began with a quote, and whether one is open.
    quoted: bool,
    open: bool,
}

impl Counter {
    fn new() -> Self {
        Self {
            records: Records::default(),
            header: None,
            line: 1,
            began: 1,
            fields: 1,
            in_field: false,
            in_record: false,
            quoted: false,
            open: false,
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), String> {
        match byte {
            b'"' if self.quoted || !self.in_field => {
                (self.quoted, self.open) = (true, !self.open);
            }
            b',' if !self.open => {
                self.fields += 1;
                (self.in_field, self.in_record, self.quoted) = (false, true, false);
                return Ok(());
            }
            b'\n' if !self.open => {
                self.end_of_record()?;
                self.line += 1;
                self.began = self.line;
                return Ok(());
            }
            b'\n' => self.line += 1,
            _ => {}
        }
        self.in_field = true;
        self.in_record |= byte != b'\r';
        Ok(())
    }

    fn end_of_record(&mut self) -> Result<(), String> {
        let (fields, blank) = (self.fields, !self.in_record);
        (self.fields, self.in_field, self.in_record, self.quoted) = (1, false, false, false);
        match self.header {
            // Blank lines before the header are passed over.
            None if blank => return Ok(()),
            None => {
                self.header = Some(fields);
                return Ok(());
            }
            Some(header) if blank && header > 1 => self.records.blank.push(self.records.count),
            Some(header) if header != fields => {
                let what = if fields == 1 { "field" } else { "fields" };
                return Err(format!("line {} has {fields} {what}, and its header {header}", self.began));
            }
            Some(_) => {}
        }
        self.records.count += 1;
        Ok(())
    }

    fn end(mut self) -> Result<Records, String> {
        if self.open {
            return Err(format!("a quote of line {} is left open", self.began));
        }
        if self.in_record || self.in_field || self.fields > 1 {
            self.end_of_record()?;
        }
        Ok(self.records)
    }
}

/// The fields of a header, without the quotes around them.
pub(super) fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut open) = (Vec::new(), String::new(), false);
    for letter in line.trim_end_matches(['\r', '\n']).chars() {
        match letter {
            '"' => open = !open,
            ',' if !open => fields.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(csv: &str) -> Result<(u64, Vec<u64>), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        std::fs::write(&file, csv).unwrap();
        let found = records(Utf8Path::from_path(&file).unwrap());
        found.map(|found| (found.count, found.blank)).map_err(|error| {
            let told = error.to_string();
            told.split_once(": ").unwrap().1.to_owned()
        })
    }

    #[test]
    fn every_record_has_as_many_fields_as_the_header() {
        for (csv, expected) in [
            ("a,b\n1,2\n3,4\n", 2),
            ("a,b\n1,2\n3,4", 2),
            ("\u{feff}\"a,x\",b\r\n1,2\r\n,\r\n", 2),
            ("a,b\n\"1,\n\"\"1\",2\n3,4\n", 2),
            ("a,b\n5\" pipe,2\n", 1),
            ("a,b", 0),
            ("a\n1\n\n2\n", 3),
        ] {
            assert_eq!(told(csv), Ok((expected, Vec::new())), "{csv:?}");
        }
        for (csv, expected) in [
            ("a,b,c\n1,2,3\n4,5\n", "line 3 has 2 fields, and its header 3"),
            ("a,b,c\n1,2,3\n4", "line 3 has 1 field, and its header 3"),
            ("a,b\n\"x\ny\",2\n1,000.50,2\n", "line 4 has 3 fields, and its header 2"),
            ("a,b\n1,2,\n", "line 2 has 3 fields, and its header 2"),
            ("a,b\n1,2\n   \n", "line 3 has 1 field, and its header 2"),
            ("a,b\n1,\"2\n3,4\n", "a quote of line 2 is left open"),
        ] {
            assert_eq!(told(csv), Err(expected.to_owned()), "{csv:?}");
        }
    }

    #[test]
    fn a_blank_line_is_no_record() {
        assert_eq!(told("\na,b\n1,2\n\n3,4\r\n\r\n\n"), Ok((5, vec![1, 3, 4])));
        assert_eq!(told("a,b\n1,2\n\r"), Ok((2, vec![1])));
    }
}
