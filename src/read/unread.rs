//! Why data cannot be read: the first file that cannot, and what of it, without any of its cells.

use std::{
    io::{BufRead, BufReader},
    panic::{self, AssertUnwindSafe},
};

use camino::Utf8Path;
use polars::prelude::*;

use super::{ReadError, footer::Footer, frames::scan_files, refusal::Refusal, types};

/// The first column of a type that the decoder does not know.
pub(super) fn unread(files: &[Footer]) -> Option<ReadError> {
    files.iter().find_map(|Footer { file, .. }| {
        let (column, found) = types::unread(file)?;
        Some(ReadError::UnreadType { file: file.clone(), column, found })
    })
}

/// What a Polars error may say aloud: names of columns and SQL, never a cell's value.
pub(crate) fn plain_reason(error: &PolarsError) -> String {
    let line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    match error {
        PolarsError::ColumnNotFound(text) | PolarsError::SchemaFieldNotFound(text) => {
            format!("no column {}", line(text).trim_start_matches("unable to find column "))
        }
        PolarsError::SQLInterface(text) | PolarsError::SQLSyntax(text) => line(text),
        PolarsError::IO { error, .. } => match Refusal::of(&error.to_string()) {
            Some(refusal) => refusal.as_str().to_owned(),
            None => error.kind().to_string(),
        },
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => plain_reason(error),
        PolarsError::SchemaMismatch(_) => "the files of this table have different schemas".to_owned(),
        PolarsError::InvalidOperation(_) => "the operation does not fit the column's type".to_owned(),
        PolarsError::NoData(_) => "there is no data".to_owned(),
        _ => "the data could not be decoded".to_owned(),
    }
}

/// The same error with the first file that cannot be decoded by itself; without one it is not the files'.
pub(super) fn named(table: &'static str, files: &[Footer], csv: bool, error: ReadError) -> ReadError {
    let ReadError::Scan { reason, .. } = &error else { return error };
    if Refusal::of(reason).is_some() {
        return error;
    }
    let unread = |footer: &&Footer| {
        let alone = [footer.file.clone()];
        let decoded = scan_files(table, &alone, csv).and_then(|frame| {
            guarded(table, || {
                let sink = frame.sink_batches(PlanCallback::new(|_| Ok(false)), false, None)?;
                sink.collect_with_engine(Engine::Streaming).map(|_| ())
            })
        });
        decoded.is_err()
    };
    let Some(Footer { file, .. }) = files.iter().find(unread) else { return error };
    let file = file.clone();
    if csv {
        return ReadError::Foreign { reason: unread_csv(&file), file };
    }
    match (types::undecoded(&file), types::unread(&file)) {
        (Some(reason), _) => ReadError::UnreadValues { file, reason },
        (None, Some((column, found))) => ReadError::UnreadType { file, column, found },
        (None, None) => ReadError::Decode { file, reason: reason.clone() },
    }
}

/// Why a CSV file cannot be read.
pub(super) fn unread_csv(file: &Utf8Path) -> String {
    let Ok(open) = std::fs::File::open(file) else { return "it is gone".to_owned() };
    let mut lines = BufReader::new(open).lines();
    match lines.next() {
        None => "it is empty: a CSV file begins with the names of its columns",
        Some(first) if first.is_err() || lines.any(|line| line.is_err()) => "it is not UTF-8 text",
        _ => "a row has more fields than the header, or a quote is left open",
    }
    .to_owned()
}

/// Runs Polars code: errors lose cell values, panics become errors, those for want of threads among them.
pub(super) fn guarded<T>(table: &'static str, work: impl FnOnce() -> PolarsResult<T>) -> Result<T, ReadError> {
    let scan = |reason: String| ReadError::Scan { table, reason };
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| scan(plain_reason(&error))),
        Err(panic) => {
            let text =
                panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            let refusal = text.and_then(Refusal::of).map(Refusal::as_str);
            Err(scan(refusal.unwrap_or("the decoder gave up on a damaged page").to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_cannot_be_started_is_no_damage_and_any_other_panic_is() {
        let told_of = |work: fn() -> PolarsResult<()>| guarded("ledger", work).unwrap_err().to_string();
        assert_eq!(
            told_of(|| panic!("could not spawn threads: {:?}", std::io::Error::from_raw_os_error(11))),
            "ledger: reading failed: the system starts no more threads for this process"
        );
        assert_eq!(
            told_of(|| panic!("range end index 9 out of range")),
            "ledger: reading failed: the decoder gave up on a damaged page"
        );
        assert_eq!(
            plain_reason(&PolarsError::from(std::io::Error::from_raw_os_error(11))),
            "the system starts no more threads for this process"
        );
    }
}
