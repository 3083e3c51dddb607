//! Damaged and hostile Parquet files: right data or one clear line, never a panic, an abort, or an output left behind.
//!
//! The files are not part of the project: `../shared/hostile` beside the checkout.

use std::{
    fmt::Write as _,
    fs::{self, File},
    panic,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Job, cents, days, integers, shared};

/// Longer is a hang, however slow the machine; alone on two cores none takes a second.
const LONGEST: Duration = Duration::from_mins(2);

fn parquet_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            parquet_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            found.push(path);
        }
    }
    found.sort();
}

/// Flat columns with their types, as far as another reader can tell.
fn columns(file: &Path) -> Vec<(String, DataType)> {
    let read = panic::catch_unwind(|| ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()));
    let Ok(Ok(builder)) = read else { return Vec::new() };
    let fields = builder.schema().fields().iter();
    fields.map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

/// A ledger of the file, in which every column is decoded: the first that fit are id, day and amount, all others are asked
/// for nulls by a driver.
fn as_ledger(file: &Path) -> String {
    let columns = columns(file);
    let first = |fits: &dyn Fn(&DataType) -> bool| {
        let found = columns.iter().find(|(_, kind)| fits(kind)).or(columns.first());
        found.map_or("missing", |(name, _)| name.as_str())
    };
    let id = first(&|kind| kind.is_integer() || matches!(kind, DataType::Utf8 | DataType::Binary));
    let day = first(&|kind| matches!(kind, DataType::Date32 | DataType::Timestamp(..)));
    let amount = first(&|kind| kind.is_numeric());
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let mut config = format!(
        "version: 1\ncurrency: EUR\nas_of: 2100-01-01\ninputs:\n  transactions:\n    path: {}\n    columns: {{customer_id: {}, date: {}, amount: {}}}\n",
        quoted(file.to_str().unwrap()),
        quoted(id),
        quoted(day),
        quoted(amount)
    );
    for (number, (name, _)) in columns.iter().enumerate() {
        config.push_str(if number == 0 { "drivers:\n" } else { "" });
        let predicate = quoted(&format!("\"{}\" IS NULL", name.replace('"', "\"\"")));
        let _ = writeln!(config, "  d{number}: {{count: lines, where: {predicate}}}");
    }
    config
}

/// The file's first ids as a customers table, beside a ledger that is whole.
fn as_customers(file: &Path) -> String {
    let columns = columns(file);
    let is_id = |kind: &DataType| kind.is_integer() || matches!(kind, DataType::Utf8 | DataType::Binary);
    let id = columns.iter().find(|(_, kind)| is_id(kind)).or(columns.first()).map_or("missing", |column| &column.0);
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    format!(
        "version: 1\ncurrency: EUR\nas_of: 2100-01-01\ninputs:\n  transactions: {{path: ledger.parquet, columns: {{customer_id: c, date: d, amount: a}}}}\n  customers: {{path: {}, columns: {{customer_id: {}}}}}\ncontract:\n  transactions: {{unknown_customer: reject}}\n  customers: {{duplicate_customer: reject}}\n",
        quoted(file.to_str().unwrap()),
        quoted(id)
    )
}

/// Exit code and first line of a run; whatever must hold of every run is asserted.
fn outcome(name: &str, config: &str) -> String {
    let job = Job::new(config);
    job.parquet("ledger.parquet", vec![("c", integers([1, 2])), ("d", days([1, 2])), ("a", cents([100, 200]))]);
    let since = Instant::now();
    let done = job.try_run(&["--threads", "2"]);
    assert!(since.elapsed() < LONGEST, "{name}: took {:?}", since.elapsed());
    let code = done.status.code().unwrap_or(-1);
    let told = job.without_folder(&done.stderr);
    assert!([0, 1, 3].contains(&code), "{name}: exit code {code}: {told}");
    for word in ["panicked", "unwrap", "RUST_BACKTRACE", "src/"] {
        assert!(!told.contains(word), "{name}: {told}");
    }
    assert_eq!(job.path("out").exists(), code == 0, "{name}");
    let beside = fs::read_dir(job.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(beside.into_iter().all(|name| !name.to_string_lossy().starts_with('.')), "{name}: something is left");
    if code == 0 {
        return "0".to_owned();
    }
    let first = told.lines().find(|line| line.starts_with("error: "));
    assert!(first.is_some(), "{name}: {told}");
    format!("{code} {}", first.unwrap_or_default())
}

/// What is pinned: a new file, or another outcome, must be looked at.
#[test]
fn every_damaged_file_ends_in_right_data_or_one_clear_line() {
    let Some(folder) = shared("hostile") else { return };
    let mut files = Vec::new();
    parquet_files(&folder, &mut files);
    assert!(files.len() >= 40, "only {} files", files.len());
    let mut found = String::new();
    for file in &files {
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap();
        let told = |config: String| outcome(name, &config).replace(&format!("{}/", folder.display()), "");
        let (ledger, customers) = (told(as_ledger(file)), told(as_customers(file)));
        let _ = writeln!(found, "{name}\n  ledger: {ledger}\n  customers: {customers}");
    }
    insta::assert_snapshot!(found);
}
