//! Files that are small on the disk and large when they are read: limits refuse them by their footers alone, and without a
//! limit of their own they end in right data or one clear line, within the memory that a run may use.

use std::{
    fs::{self, File},
    sync::Arc,
    time::{Duration, Instant},
};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

use crate::{
    commit::trials,
    support::{Job, cents, days, integers},
};

const CONFIG: &str = "
version: 1
currency: EUR
outputs: [customer_profit_total]
inputs:
  transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}
";

/// A run by footers alone decodes nothing, whatever a file unpacks to.
const AT_ONCE: Duration = Duration::from_secs(30);

/// Writes batches of these columns, so often, each into row groups of `rows` rows with pages as large.
fn write(job: &Job, columns: Vec<(&str, ArrayRef)>, times: u64, rows: usize) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(rows))
        .set_data_page_row_count_limit(usize::MAX)
        .set_data_page_size_limit(usize::MAX)
        .build();
    let file = File::create(job.path("l.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    for _ in 0..times {
        writer.write(&batch).unwrap();
    }
    writer.close().unwrap();
}

/// Exit code and what was told by a run with a limit in its config.
fn limited(limit: &str) -> impl Fn(&Job) -> String {
    let config = format!("{CONFIG}limits: {{{limit}}}\n");
    move |job: &Job| {
        fs::write(job.path("whalecurve.yaml"), &config).unwrap();
        let since = Instant::now();
        let told = job.failure();
        assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
        fs::write(job.path("whalecurve.yaml"), CONFIG).unwrap();
        told
    }
}

/// Right data, or one clear line about memory.
fn ends_well(job: &Job, memory: &str) -> bool {
    let done = job.try_run(&["--memory", memory, "--threads", "2"]);
    let told = job.without_folder(&done.stderr);
    assert!(!told.contains("panicked"), "{told}");
    match done.status.code() {
        Some(0) => true,
        Some(1) => {
            assert!(told.contains("nothing was committed"), "{told}");
            assert!(!job.path("out").exists());
            false
        }
        other => unreachable!("exit code {other:?}: {told}"),
    }
}

#[test]
fn a_page_that_repeats_one_row_a_great_many_times() {
    // 3·10⁷ rows in the short form, 3·10⁸ in the long one: a million a batch.
    let millions: u64 = if trials(1) > 1 { 300 } else { 30 };
    let job = Job::new(CONFIG);
    let one = vec![
        ("c", integers(std::iter::repeat_n(7, 1_000_000))),
        ("d", days(std::iter::repeat_n(9_000, 1_000_000))),
        ("a", cents(std::iter::repeat_n(1, 1_000_000))),
    ];
    write(&job, one, millions, usize::MAX);
    let bytes = fs::metadata(job.path("l.parquet")).unwrap().len();
    assert!(bytes < 100_000, "{bytes} bytes are no bomb");
    assert_eq!(
        limited("max_rows: 1000000")(&job),
        format!(
            "exit code 3\nerror: l.parquet: {millions}000000 rows, with those of the files before it; `limits.max_rows` \
             allows 1000000\n  hint: if the file is right, raise the limit in the config"
        )
    );
    if ends_well(&job, "1GiB") {
        assert_eq!(job.sum("customer_profit_total", "net_revenue"), i128::from(millions) * 1_000_000);
    }
}

#[test]
fn a_page_that_unpacks_to_one_enormous_text() {
    // 256 MiB in the short form, 2 GB in the long one.
    let length = if trials(1) > 1 { 2_000_000_000 } else { 256 << 20 };
    let job = Job::new(CONFIG);
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(length)]));
    write(&job, vec![("c", text), ("d", days([9_000])), ("a", cents([100]))], 1, 1);
    let bytes = fs::metadata(job.path("l.parquet")).unwrap().len();
    assert!(bytes < length as u64 / 1_000, "{bytes} bytes are no bomb");
    let told = limited("max_uncompressed_bytes: 100000000")(&job);
    assert!(told.starts_with("exit code 3\nerror: l.parquet: "), "{told}");
    assert!(told.contains(" uncompressed bytes in one row group; `limits.max_uncompressed_bytes` allows 100000000"));
    assert!(!ends_well(&job, "200MiB"), "a text that is larger than the memory was read");
}

#[test]
fn a_file_of_a_great_many_row_groups() {
    let groups: u64 = if trials(1) > 1 { 100_000 } else { 10_000 };
    let job = Job::new(CONFIG);
    let rows = groups as i64;
    write(
        &job,
        vec![
            ("c", integers((0..rows).map(|row| row % 100))),
            ("d", days((0..rows).map(|_| 9_000))),
            ("a", cents((0..rows).map(|_| 1))),
        ],
        1,
        1,
    );
    let told = limited("max_row_groups: 5000")(&job);
    assert!(
        told.contains(&format!(
            "l.parquet: {groups} row groups, with those of the files before it; `limits.max_row_groups` allows 5000"
        )),
        "{told}"
    );
    if ends_well(&job, "2GiB") {
        assert_eq!(job.sum("customer_profit_total", "net_revenue"), i128::from(rows));
    }
}

#[test]
fn a_file_of_a_great_many_columns() {
    let job = Job::new(CONFIG);
    let names: Vec<String> = (0..10_000).map(|number| format!("n{number}")).collect();
    let mut columns = vec![("c", integers([1, 2])), ("d", days([1, 2])), ("a", cents([100, 200]))];
    columns.extend(names.iter().map(|name| (name.as_str(), integers([1, 2]))));
    write(&job, columns, 1, 10);
    let told = limited("max_columns: 10000")(&job);
    assert!(told.contains("l.parquet: 10003 columns; `limits.max_columns` allows 10000"), "{told}");
    assert!(ends_well(&job, "1GiB"));
    assert_eq!(job.sum("customer_profit_total", "net_revenue"), 300);
}

#[test]
fn an_id_of_64_mebibytes_is_an_id() {
    let job = Job::new(CONFIG);
    let long = "x".repeat(64 << 20);
    let ids: ArrayRef = Arc::new(StringArray::from(vec![long.as_str(), "x"]));
    write(&job, vec![("c", ids), ("d", days([9_000, 9_000])), ("a", cents([100, 20]))], 1, 2);
    job.run(&[]);
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [20, 100]);
    assert_eq!(job.texts("customer_profit_total", "customer_id").iter().map(String::len).max(), Some(64 << 20));
}

#[test]
fn a_great_many_customers_of_one_line_each() {
    // 10⁵ in the short form, 10⁶ in the long one.
    let rows = if trials(1) > 1 { 1_000_000 } else { 100_000 };
    let job = Job::new(CONFIG);
    write(
        &job,
        vec![
            ("c", integers((0..rows).rev())),
            ("d", days((0..rows).map(|_| 9_000))),
            ("a", cents((0..rows).rev().map(|customer| customer % 1_000))),
        ],
        1,
        50_000,
    );
    assert!(ends_well(&job, "2GiB"));
    let revenue = job.decimals("customer_profit_total", "net_revenue");
    assert_eq!(revenue.len() as i64, rows);
    assert!(revenue.iter().zip(0..).all(|(revenue, customer)| *revenue == customer % 1_000));
}
