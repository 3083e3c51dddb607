//! How tables lie on a disk: folders that are columns, files that are none, and damage that decoders do not see.

use std::{fs, process::Command, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, Float16Array, Int32Array, IntervalYearMonthArray, RecordBatch, StringArray,
};
use camino::Utf8Path;
use insta::assert_snapshot;
use parquet::arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions};
use parquet::file::metadata::{FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader, ParquetMetaDataWriter};
use whalecurve::{
    read::{footer::check, open},
    schema::{
        inputs::{Format, Limits, TableSetting},
        settings::TableName,
    },
};

use crate::support::{Job, cents, days, integers, root, text};

const CONFIG: &str = "
version: 1
currency: EUR
as_of: 1970-12-31
outputs: [customer_profit_total, rejected]
inputs:
  transactions: {path: l, columns: {customer_id: c, date: d, amount: a}}
";

type Columns = Vec<(&'static str, ArrayRef)>;

/// Two lines of two customers.
fn lines() -> Columns {
    vec![("c", integers([1, 2])), ("d", days([1, 2])), ("a", cents([100, 200]))]
}

/// The same without one of the columns.
fn without(column: &str) -> Columns {
    lines().into_iter().filter(|(name, _)| *name != column).collect()
}

/// Revenue by customer and what was rejected, or the errors.
fn outcome(config: &str, files: Vec<(&str, Columns)>) -> String {
    let job = Job::new(config);
    for (name, columns) in files {
        job.parquet(name, columns);
    }
    told(&job)
}

fn told(job: &Job) -> String {
    let done = job.try_run(&[]);
    if done.status.success() {
        let revenue = job.decimals("customer_profit_total", "net_revenue");
        return format!("{revenue:?}, rejected: {:?}", job.texts("rejected", "rule"));
    }
    let told = job.without_folder(&done.stderr);
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error: ")).collect();
    format!("{} {}", done.status.code().unwrap(), errors.join(" / "))
}

fn with(from: &str, to: &str) -> String {
    assert!(CONFIG.contains(from));
    CONFIG.replace(from, to)
}

#[test]
fn folders_above_a_table_are_no_columns_of_it() {
    for path in
        ["c=5/d=1970-02-02", "c=5/d=1970-02-02/l.parquet", "c=5/d=1970-02-02/*.parquet", "'c=5/d=1970-02-02/**/*'"]
    {
        let found = outcome(&with("path: l", &format!("path: {path}")), vec![("c=5/d=1970-02-02/l.parquet", lines())]);
        assert_eq!(found, "[100, 200], rejected: []", "{path}");
    }
    // As rsync has it: what follows the point is the table's own.
    let config = with("path: l", "path: a=9/./c=5/d=1970-02-02/l.parquet");
    let lines = || vec![("a=9/c=5/d=1970-02-02/l.parquet", vec![("a", cents([100, 200]))])];
    assert_eq!(outcome(&config, lines()), "[300], rejected: []");
    let config = config
        .replace("c=5/d=1970-02-02/l.parquet", "c=5/d=*/*.parquet")
        .replace("a=9", "'a=9")
        .replace("quet,", "quet',");
    assert_eq!(outcome(&config, lines()), "[300], rejected: []");
}

#[test]
fn folders_below_a_table_are_columns_with_nulls_and_types_of_all_files() {
    let by_day = || {
        vec![("l/day=1970-01-05/x.parquet", without("d")), ("l/day=__HIVE_DEFAULT_PARTITION__/x.parquet", without("d"))]
    };
    let of_days = with("date: d", "date: day");
    let of_ids = with("customer_id: c", "customer_id: cust");
    let cases = [
        ("a day and none", outcome(&of_days, by_day())),
        (
            "an id and none",
            outcome(
                &of_ids,
                vec![
                    ("l/cust=7/x.parquet", without("c")),
                    ("l/cust=__HIVE_DEFAULT_PARTITION__/x.parquet", without("c")),
                ],
            ),
        ),
        (
            "ids with zeros",
            outcome(
                &of_ids,
                vec![
                    ("l/cust=007/x.parquet", without("c")),
                    ("l/cust=7/x.parquet", without("c")),
                    ("l/cust=a%2Fb/x.parquet", without("c")),
                ],
            ),
        ),
        (
            "where",
            outcome(
                &with("path: l", "path: l, where: \"reg = 'b' AND a > 1.50\""),
                vec![("l/reg=a/x.parquet", lines()), ("l/reg=b/x.parquet", lines())],
            ),
        ),
        ("a glob", outcome(&of_days.replace("path: l", "path: 'l/day=*/*.parquet'"), by_day())),
        ("another depth", outcome(&of_days, [by_day(), vec![("l/x.parquet", lines())]].concat())),
        (
            "another key",
            outcome(
                &of_days,
                vec![("l/day=1970-01-05/x.parquet", without("d")), ("l/dia=1970-01-05/x.parquet", without("d"))],
            ),
        ),
        ("a key in the file", outcome(CONFIG, vec![("l/c=9/x.parquet", lines())])),
        ("a key that nobody uses", outcome(CONFIG, vec![("l/reg=a/x.parquet", lines()), ("l/x.parquet", lines())])),
    ];
    let found: Vec<String> = cases.iter().map(|(what, found)| format!("{what}: {found}")).collect();
    assert_snapshot!(found.join("\n"), @r#"
    a day and none: [100, 200], rejected: ["missing_date", "missing_date"]
    an id and none: [300], rejected: ["missing_customer", "missing_customer"]
    ids with zeros: [300, 300, 300], rejected: []
    where: [200], rejected: []
    a glob: [100, 200], rejected: ["missing_date", "missing_date"]
    another depth: 3 error: l/x.parquet: it lies in no folder `day=…`, as others of this table do
    another key: 3 error: l/dia=1970-01-05/x.parquet: it lies in no folder `day=…`, as others of this table do
    a key in the file: 3 error: l/c=9/x.parquet: column `c` is in the file and in the name of its folder `c=…`
    a key that nobody uses: [200, 400], rejected: []
    "#);
}

#[test]
fn folders_of_csv_tables_are_columns_too() {
    let config = CONFIG
        .replace("[customer_profit_total, rejected]", "[customer_profit_total, rejected, pool_balance]")
        .replace("as_of: 1970-12-31", "as_of: 1971-12-31\nperiod: year")
        + "  pools: {path: po, format: csv, columns: {activity: act, amount: am, period: y}}
activities: {h: {level: customer, method: average}}
";
    let job = Job::new(&config);
    job.parquet("l/x.parquet", lines()).text("po/y=1970/a.csv", "act,am\nh,10.00\n");
    job.run(&[]);
    assert_eq!(job.sum("pool_balance", "allocated"), 1_000);
}

#[test]
fn what_the_files_of_a_table_lack_is_told_with_file_and_column() {
    let more = |columns: Columns| [columns, vec![("k", integers([3, 4]))]].concat();
    let driver = format!(
        "{CONFIG}drivers: {{r: {{sum: k}}}}\nactivities: {{x: {{level: order, method: driver, driver: r, cost: 1.00}}}}\n"
    );
    let files = || vec![("l/a.parquet", more(lines())), ("l/b.parquet", lines())];
    let texts =
        || vec![("l/a.parquet", more(lines())), ("l/b.parquet", [lines(), vec![("k", text(["x", "y"]))]].concat())];
    let filtered = with("path: l", "path: l, where: k > 1");
    let pools = format!(
        "{CONFIG}  pools: {{path: po, format: csv, columns: {{activity: act, amount: am}}}}\nactivities: {{h: {{level: customer, method: average}}}}\n"
    );
    let csv = |files: &[(&str, &str)], config: &str| {
        let job = Job::new(config);
        job.parquet("l/x.parquet", lines());
        for (name, content) in files {
            job.text(name, content);
        }
        told(&job)
    };
    let cases = [
        ("where", outcome(&filtered, files())),
        ("where of two types", outcome(&filtered, texts())),
        ("driver", outcome(&driver, files())),
        ("driver of two types", outcome(&driver, texts())),
        ("headers", csv(&[("po/a.csv", "act,am\nh,10\n"), ("po/b.csv", "am,act\n10,h\n")], &pools)),
        ("twice", csv(&[("po/a.csv", "act,am,am\nh,10,99\n")], &pools)),
        ("rows", csv(&[("po/a.csv", "act,am\nh,10\nh,10\nh,10\n")], &format!("{pools}limits: {{max_rows: 2}}\n"))),
        (
            "a float of 16 bits",
            outcome(
                CONFIG,
                vec![("l/a.parquet", [lines(), vec![("u", Arc::new(Float16Array::new_null(2)) as ArrayRef)]].concat())],
            ),
        ),
        (
            "an interval",
            outcome(
                CONFIG,
                vec![(
                    "l/a.parquet",
                    [lines(), vec![("u", Arc::new(IntervalYearMonthArray::from(vec![1, 2])) as ArrayRef)]].concat(),
                )],
            ),
        ),
        (
            "two of one name",
            outcome(CONFIG, vec![("l/a.parquet", [more(lines()), vec![("k", integers([1, 2]))]].concat())]),
        ),
    ];
    let found: Vec<String> = cases.iter().map(|(what, found)| format!("{what}: {found}")).collect();
    assert_snapshot!(found.join("\n"), @r"
    where: 3 error: l/b.parquet: no column `k` (mapped to `transactions.where`); the file has: c, d, a
    where of two types: 3 error: l/b.parquet: column `k` is text, but integer in `l/a.parquet`
    driver: 3 error: l/b.parquet: no column `k` (mapped to `drivers.r`); the file has: c, d, a
    driver of two types: 3 error: l/b.parquet: column `k` is text, but integer in `l/a.parquet`
    headers: 3 error: po/b.csv: its header differs from that of `po/a.csv`
    twice: 3 error: po/a.csv: its header names column `am` twice
    rows: 3 error: po/a.csv: 3 rows or more in this table; `limits.max_rows` allows 2
    a float of 16 bits: 3 error: l/a.parquet: column `u` is a float of 16 bits, which is not read
    an interval: 3 error: l/a.parquet: column `u` is an interval, which is not read
    two of one name: 3 error: l/a.parquet: column `k` is there twice, which is not read
    ");
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_at_once() {
    let pools = format!(
        "{CONFIG}  pools: {{path: p.csv, columns: {{activity: act, amount: am}}}}\nactivities: {{h: {{level: customer, method: average}}}}\n"
    );
    for (config, pipe) in [(CONFIG, "l/y.parquet"), (&pools, "p.csv")] {
        let job = Job::new(config);
        job.parquet("l/x.parquet", lines());
        assert!(Command::new("mkfifo").arg(job.path(pipe)).status().unwrap().success());
        assert_eq!(told(&job), format!("1 error: {pipe}: this is no file"));
    }
}

#[test]
fn a_file_that_is_written_and_has_its_time_set_back_has_changed() {
    let job = Job::new(CONFIG);
    job.parquet("l/x.parquet", lines());
    let path = job.path("l/x.parquet");
    let footer = check(Utf8Path::from_path(&path).unwrap(), &Limits::default()).unwrap();
    assert!(footer.unchanged().is_ok());
    let (whole, written) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
    fs::write(&path, whole).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    assert!(footer.unchanged().is_err());
}

#[test]
fn an_output_that_a_glob_would_find_is_refused() {
    let config =
        |path: &str| with("path: l", &format!("path: '{path}'")).replace("version: 1", "version: 1\noutput: l/results");
    for (path, refused) in
        [("l/*", true), ("*/res*", true), ("l/*/*.parquet", true), ("l/*.parquet", false), ("l/x*", false)]
    {
        let job = Job::new(&config(path));
        job.parquet("l/x.parquet", lines());
        let done = job.command("run", &[]);
        assert_eq!(done.status.code(), Some(if refused { 2 } else { 0 }), "{path}");
    }
}

#[test]
fn a_bit_turned_over_in_a_page_with_a_checksum_is_found_and_named() {
    let columns = "columns: {customer_id: customer, date: day, amount: amount}";
    let config = with("path: l, columns: {customer_id: c, date: d, amount: a}", &format!("path: l.parquet, {columns}"));
    let whole = fs::read(root().join("tests/it/data/checksums.parquet")).unwrap();
    let job = Job::new(&config);
    let file = job.path("l.parquet");
    fs::write(&file, &whole).unwrap();
    let right = told(&job);
    assert!(right.ends_with("rejected: []"), "{right}");
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&fs::File::open(&file).unwrap()).unwrap();
    let mut named = Vec::new();
    for (number, group) in metadata.row_groups().iter().enumerate() {
        for chunk in group.columns() {
            let mut changed = whole.clone();
            // The last byte of a column is one of a page, not of its header.
            let end = chunk.byte_range().0 + chunk.byte_range().1 - 1;
            changed[end as usize] ^= 1;
            fs::write(&file, changed).unwrap();
            let name = chunk.column_path().string();
            let reason =
                format!("row group {number}, column `{name}`: a page does not have the checksum in its header");
            assert_eq!(told(&job), format!("1 error: l.parquet: reading failed: {reason}"));
            named.push(name);
        }
    }
    assert_eq!(named, ["customer", "day", "amount", "customer", "day", "amount"]);
}

/// A ledger's bytes with its footer told anew.
fn with_footer(whole: &[u8], change: impl Fn(ParquetMetaDataBuilder) -> ParquetMetaDataBuilder) -> Vec<u8> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::copy_from_slice(whole)).unwrap();
    let length = u32::from_le_bytes(whole[whole.len() - 8..whole.len() - 4].try_into().unwrap()) as usize;
    let mut written = whole[..whole.len() - 8 - length].to_vec();
    ParquetMetaDataWriter::new(&mut written, &change(metadata.into_builder()).build()).finish().unwrap();
    written
}

#[test]
fn a_footer_that_tells_fewer_rows_than_its_columns_have_is_refused() {
    let job = Job::new(CONFIG);
    job.parquet("l/x.parquet", lines());
    let whole = fs::read(job.path("l/x.parquet")).unwrap();
    let cut = with_footer(&whole, |mut footer| {
        let groups = footer.take_row_groups();
        let fewer = groups.into_iter().map(|group| group.into_builder().set_num_rows(1).build().unwrap());
        let fewer: Vec<_> = fewer.collect();
        let told = footer.build();
        let file = told.file_metadata();
        let (schema, by) = (file.schema_descr_ptr(), file.created_by().map(str::to_owned));
        let file = FileMetaData::new(file.version(), 1, by, file.key_value_metadata().cloned(), schema, None);
        ParquetMetaDataBuilder::new(file).set_row_groups(fewer)
    });
    fs::write(job.path("l/x.parquet"), cut).unwrap();
    assert_eq!(
        told(&job),
        "1 error: l/x.parquet: not a readable Parquet file: a column chunk has other rows than its row group"
    );
}

#[test]
fn a_bit_turned_over_in_arrows_schema_never_changes_what_a_column_is() {
    let job = Job::new(CONFIG);
    job.parquet("l/x.parquet", lines());
    let file = job.path("l/x.parquet");
    let whole = fs::read(&file).unwrap();
    let start = whole.windows(12).position(|bytes| bytes == b"ARROW:schema").unwrap() + 12;
    let columns = [("customer_id", "c"), ("date", "d"), ("amount", "a")];
    let setting = TableSetting {
        paths: vec!["l".to_owned()],
        format: Format::Parquet,
        columns: columns.map(|(role, column)| (role.to_owned(), column.to_owned())).into(),
        filter: None,
        covariates: std::collections::BTreeMap::new(),
        limits: Limits::default(),
        id_key: None,
    };
    let base = job.path("");
    let types = || {
        let source = open(TableName::Transactions, &setting, Utf8Path::from_path(&base).unwrap(), &[]).ok()?;
        source.column_types().ok()
    };
    let right = types();
    let (mut refused, mut same) = (0, 0);
    for place in start..whole.len() - 8 {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[place] ^= 1 << bit;
            fs::write(&file, changed).unwrap();
            match types() {
                None => refused += 1,
                found if found == right => same += 1,
                found => panic!("bit {bit} of byte {} makes it {found:?}", place - start),
            }
        }
    }
    assert!(refused > 100 && same > 100, "{refused} refused, {same} the same");
}

#[test]
fn a_dictionary_of_one_long_id_takes_the_memory_of_the_id_and_not_of_its_rows() {
    let rows = 4_000;
    let long = "x".repeat(500_000);
    let ids = DictionaryArray::new(Int32Array::from(vec![0; rows]), Arc::new(StringArray::from(vec![long.as_str()])));
    let job = Job::new(&CONFIG.replace("path: l,", "path: l.parquet,"));
    let columns =
        vec![("c", Arc::new(ids) as ArrayRef), ("d", days((0..rows).map(|_| 1))), ("a", cents((0..rows).map(|_| 100)))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    // Text to every reader, which Parquet stores as a dictionary.
    let options = ArrowWriterOptions::new().with_skip_arrow_metadata(true);
    let file = fs::File::create(job.path("l.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new_with_options(file, batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert!(fs::metadata(job.path("l.parquet")).unwrap().len() < 1_000_000);
    // Two billion bytes of text, were they written out.
    let done = job.try_run(&["--memory", "1GiB", "--threads", "2"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [400_000]);
}
