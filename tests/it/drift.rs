//! Files of one table that differ, dates of every kind, duplicates, orphans and currencies: each has one outcome, which is
//! pinned here.

use std::{fmt::Write as _, fs::File, sync::Arc};

use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int16Array, Int32Array, LargeStringArray,
    RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, types::Int32Type,
};
use insta::assert_snapshot;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::{WriterProperties, WriterVersion},
};

use crate::support::{Job, cents, days, integers, text};

const CONFIG: &str = "
version: 1
currency: EUR
as_of: 1970-12-31
outputs: [customer_profit_total]
inputs:
  transactions: {path: ledger, columns: {customer_id: c, date: d, amount: a}}
";

/// Columns of a file.
type Columns = Vec<(&'static str, ArrayRef)>;

/// What became of a ledger of these two files: the revenue by customer, or the error.
fn outcome(first: Columns, second: Columns) -> String {
    let job = Job::new(CONFIG);
    job.parquet("ledger/a.parquet", first).parquet("ledger/b.parquet", second);
    let done = job.try_run(&[]);
    if done.status.success() {
        return format!("{:?}", job.decimals("customer_profit_total", "net_revenue"));
    }
    let told = job.without_folder(&done.stderr);
    let error = told.lines().find(|line| line.starts_with("error: ")).unwrap().to_owned();
    format!("{} {error}", done.status.code().unwrap())
}

#[test]
fn files_that_differ_in_what_does_not_matter_are_one_table_and_others_are_named() {
    let days32 = || days([1, 2]);
    let money = || cents([100, 200]);
    let numbers = || vec![("c", integers([1, 2])), ("d", days32()), ("a", money())];
    let decimal = |precision, scale, values: [i128; 2]| -> ArrayRef {
        Arc::new(Decimal128Array::from_iter_values(values).with_precision_and_scale(precision, scale).unwrap())
    };
    let millis = |zone: Option<&str>| -> ArrayRef {
        let days = TimestampMillisecondArray::from(vec![86_400_000, 172_800_000]);
        Arc::new(match zone {
            Some(zone) => days.with_timezone(zone),
            None => days,
        })
    };
    let micros: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![86_400_000_000, 172_800_000_000]));
    let of_ids = |ids: ArrayRef| vec![("c", ids), ("d", days32()), ("a", money())];
    let of_days = |days: ArrayRef| vec![("c", integers([1, 2])), ("d", days), ("a", money())];
    let of_money = |money: ArrayRef| vec![("c", integers([1, 2])), ("d", days32()), ("a", money)];
    let texts = || of_ids(text(["x", "y"]));
    let dictionary: DictionaryArray<Int32Type> = vec!["x", "y"].into_iter().collect();
    let cases: Vec<(&str, Columns, Columns)> = vec![
        ("the same", numbers(), numbers()),
        ("reordered", numbers(), vec![("a", money()), ("d", days32()), ("c", integers([1, 2]))]),
        ("a column more", numbers(), [numbers(), vec![("more", text(["p", "q"]))]].concat()),
        ("a column less", [numbers(), vec![("more", text(["p", "q"]))]].concat(), numbers()),
        ("a mapped column less", numbers(), vec![("c", integers([1, 2])), ("d", days32())]),
        ("nulls", numbers(), of_ids(Arc::new(arrow_array::Int64Array::from(vec![Some(1), None])))),
        ("ids of 32 bits", numbers(), of_ids(Arc::new(Int32Array::from(vec![1, 2])))),
        ("ids of 16 bits", numbers(), of_ids(Arc::new(Int16Array::from(vec![1, 2])))),
        ("ids of 64 bits after 32", of_ids(Arc::new(Int32Array::from(vec![1, 2]))), numbers()),
        ("ids as text", numbers(), texts()),
        ("a dictionary of text", texts(), of_ids(Arc::new(dictionary))),
        ("a view of text", texts(), of_ids(Arc::new(StringViewArray::from(vec!["x", "y"])))),
        ("large text", texts(), of_ids(Arc::new(LargeStringArray::from(vec!["x", "y"])))),
        ("decimals of more digits", numbers(), of_money(decimal(38, 2, [100, 200]))),
        ("decimals of another scale", numbers(), of_money(decimal(18, 4, [10_000, 20_000]))),
        ("money as floats", numbers(), of_money(Arc::new(Float64Array::from(vec![1.0, 2.0])))),
        ("timestamps for dates", numbers(), of_days(millis(None))),
        ("timestamps of another unit", of_days(millis(None)), of_days(micros)),
        ("timestamps of another zone", of_days(millis(Some("UTC"))), of_days(millis(Some("+01:00")))),
        ("timestamps without the zone", of_days(millis(Some("UTC"))), of_days(millis(None))),
    ];
    let mut found = String::new();
    for (what, first, second) in cases {
        let _ = writeln!(found, "{what}: {}", outcome(first, second));
    }
    assert_snapshot!(found, @r"
    the same: [200, 400]
    reordered: [200, 400]
    a column more: [200, 400]
    a column less: [200, 400]
    a mapped column less: 3 error: ledger/b.parquet: no column `a` (mapped to `transactions.amount`); the file has: c, d
    nulls: [200, 200]
    ids of 32 bits: 3 error: ledger/b.parquet: column `c` is Int32, but Int64 in `ledger/a.parquet`
    ids of 16 bits: 3 error: ledger/b.parquet: column `c` is Int16, but Int64 in `ledger/a.parquet`
    ids of 64 bits after 32: 3 error: ledger/b.parquet: column `c` is Int64, but Int32 in `ledger/a.parquet`
    ids as text: 3 error: ledger/b.parquet: column `c` is text, but integer in `ledger/a.parquet`
    a dictionary of text: 3 error: ledger/b.parquet: column `c` is dictionary text, but text in `ledger/a.parquet`
    a view of text: [200, 400]
    large text: [200, 400]
    decimals of more digits: 3 error: ledger/b.parquet: column `a` is decimal(38, 2), but decimal(18, 2) in `ledger/a.parquet`
    decimals of another scale: 3 error: ledger/b.parquet: column `a` is decimal(18, 4), but decimal(18, 2) in `ledger/a.parquet`
    money as floats: 3 error: ledger/b.parquet: column `a` is float, but decimal(18, 2) in `ledger/a.parquet`
    timestamps for dates: 3 error: ledger/b.parquet: column `d` is timestamp, but date in `ledger/a.parquet`
    timestamps of another unit: 3 error: ledger/b.parquet: column `d` is Datetime('μs'), but Datetime('ms') in `ledger/a.parquet`
    timestamps of another zone: 3 error: ledger/b.parquet: column `d` is timestamp in Etc/GMT-1, but timestamp in UTC in `ledger/a.parquet`
    timestamps without the zone: 3 error: ledger/b.parquet: column `d` is timestamp, but timestamp in UTC in `ledger/a.parquet`
    ");
}

/// Periods of lines at these moments, or the error.
fn periods(moments: ArrayRef) -> String {
    let job = Job::new(
        &CONFIG
            .replace("as_of: 1970-12-31", "as_of: 2025-12-31\nperiod: month")
            .replace("[customer_profit_total]", "[customer_profit, rejected]"),
    );
    let rows = moments.len() as i64;
    job.parquet(
        "ledger/a.parquet",
        vec![("c", integers(0..rows)), ("d", moments), ("a", cents((0..rows).map(|_| 100)))],
    );
    let done = job.try_run(&[]);
    if !done.status.success() {
        return job.without_folder(&done.stderr).lines().find(|line| line.starts_with("error: ")).unwrap().to_owned();
    }
    format!("{:?}, rejected: {:?}", job.texts("customer_profit", "period"), job.texts("rejected", "rule"))
}

#[test]
fn a_moment_counts_on_the_day_of_its_own_zone_whatever_its_unit() {
    // 2024-03-01T04:30Z is still leap day in New York and long past it in Kathmandu; 2024-11-03T05:30Z and 06:30Z are the two
    // 01:30 of the night when summer time ends there; 2024-03-31T22:30Z is April already in Berlin and Kathmandu.
    let seconds = [1_709_267_400_i64, 1_730_611_800, 1_730_615_400, 1_711_924_200];
    let mut found = String::new();
    let millis = || seconds.map(|moment| moment * 1_000).to_vec();
    let zones =
        [None, Some("UTC"), Some("America/New_York"), Some("Asia/Kathmandu"), Some("Europe/Berlin"), Some("+05:45")];
    for zone in zones {
        let moments = TimestampMillisecondArray::from(millis());
        let moments: ArrayRef = Arc::new(match zone {
            Some(zone) => moments.with_timezone(zone),
            None => moments,
        });
        let _ = writeln!(found, "{}: {}", zone.unwrap_or("no zone"), periods(moments));
    }
    let micros: ArrayRef = Arc::new(TimestampMicrosecondArray::from(seconds.map(|moment| moment * 1_000_000).to_vec()));
    let nanos: ArrayRef =
        Arc::new(TimestampNanosecondArray::from(seconds.map(|moment| moment * 1_000_000_000).to_vec()));
    assert_eq!(periods(micros), periods(nanos));
    assert_snapshot!(found, @r#"
    no zone: ["2024-03", "2024-11", "2024-11", "2024-03"], rejected: []
    UTC: ["2024-03", "2024-11", "2024-11", "2024-03"], rejected: []
    America/New_York: ["2024-02", "2024-11", "2024-11", "2024-03"], rejected: []
    Asia/Kathmandu: ["2024-03", "2024-11", "2024-11", "2024-04"], rejected: []
    Europe/Berlin: ["2024-03", "2024-11", "2024-11", "2024-04"], rejected: []
    +05:45: error: ledger/a.parquet: column `d` is a timestamp in +05:45; UTC, named zones and offsets of whole hours are read
    "#);
}

#[test]
fn the_last_nanosecond_that_there_is_lies_ahead_in_every_zone() {
    // 2262-04-11T23:47:16Z, which pandas puts in the place of no end.
    for zone in [None, Some("UTC"), Some("Europe/Berlin"), Some("Pacific/Kiritimati")] {
        let moments = TimestampNanosecondArray::from(vec![i64::MAX, 3_456_000_000_000_000]);
        let moments: ArrayRef = Arc::new(match zone {
            Some(zone) => moments.with_timezone(zone),
            None => moments,
        });
        assert_eq!(periods(moments), r#"["1970-02"], rejected: ["after_as_of"]"#, "{zone:?}");
    }
}

#[test]
fn days_at_the_ends_of_the_calendar_are_read_or_rejected() {
    // Leap day, the day after as_of, 0001-01-01, 9999-12-31, the first and the last day of a period, a null.
    let moments: ArrayRef = Arc::new(Date32Array::from(vec![
        Some(19_782),
        Some(20_454),
        Some(-719_162),
        Some(2_932_896),
        Some(19_754),
        Some(19_782),
        None,
    ]));
    assert_snapshot!(periods(moments), @r#"["2024-02", "0001-01", "2024-02", "2024-02"], rejected: ["after_as_of", "after_as_of", "missing_date"]"#);
}

#[test]
fn duplicates_and_orphans_are_counted_ruled_and_never_fan_out() {
    let config = "
version: 1
currency: EUR
as_of: 1970-12-31
inputs:
  transactions: {path: ledger, columns: {customer_id: c, date: d, amount: a, order_id: o}}
  customers: {path: customers.csv, columns: {customer_id: id, segment: segment}}
  driver_quantities: {path: calls.csv, columns: {customer_id: id, driver: driver, quantity: quantity}}
drivers: {orders: {count_distinct: order}}
contract:
  customers: {duplicate_customer: POLICY}
  driver_quantities: {duplicate_key: POLICY}
activities:
  support: {level: customer, method: driver, driver: calls, cost: 60.00}
  handling: {level: order, method: driver, driver: orders, cost: 30.00}
";
    let job = |policy: &str| {
        let job = Job::new(&config.replace("POLICY", policy));
        // Customer 1 has one line twice, in one order; customer 9 is in no table of customers.
        job.parquet(
            "ledger/a.parquet",
            vec![
                ("c", integers([1, 1, 2, 9])),
                ("d", days([1, 1, 2, 3])),
                ("a", cents([1_000, 1_000, 500, 700])),
                ("o", integers([1, 1, 2, 3])),
            ],
        );
        // Customer 2 stands twice; customer 3 never bought. Quantities of customer 1 stand twice; customer 8 is nobody.
        job.text("customers.csv", "id,segment\n1,a\n2,a\n2,b\n3,b\n");
        job.text("calls.csv", "id,driver,quantity\n1,calls,2\n1,calls,1\n2,calls,1\n8,calls,2\n");
        job
    };
    assert_eq!(job("error").try_run(&[]).status.code(), Some(3));
    let job = job("reject");
    job.run(&[]);
    // Two equal lines are two, in one order; nobody is multiplied by a row that stands twice.
    assert_eq!(job.whole_numbers("customer_profit_total", "customer_id"), [Some(1), Some(2), Some(3)]);
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [2_000, 500, 0]);
    let mut rules = job.texts("rejected", "rule");
    rules.sort();
    assert_snapshot!(rules.join(", "), @"duplicate_customer, duplicate_key, unknown_customer");
    // The calls of nobody cost what they cost, and stay nobody's.
    let own = job.sum("pool_balance", "own");
    assert_eq!(own, 9_000);
    assert_eq!(own, job.sum("customer_cost", "amount") + job.sum("pool_balance", "unassigned_unknown_customer"));
    assert!(job.sum("pool_balance", "unassigned_unknown_customer") > 0);
}

#[test]
fn currencies_have_their_own_digits_and_are_never_mixed() {
    let with = |currency: &str, scale: i8, amounts: [i128; 3]| {
        let job = Job::new(&CONFIG.replace("currency: EUR", &format!("currency: {currency}")));
        let amounts: ArrayRef =
            Arc::new(Decimal128Array::from_iter_values(amounts).with_precision_and_scale(18, scale).unwrap());
        job.parquet("ledger/a.parquet", vec![("c", integers([1, 2, 3])), ("d", days([1, 2, 3])), ("a", amounts)]);
        job.run(&[]);
        job.decimals("customer_profit_total", "net_revenue")
    };
    // Yen have no minor unit: 0.50 is rounded to the even one. A dinar has a thousand.
    assert_eq!(with("JPY", 2, [10_050, 10_150, 99]), [100, 102, 1]);
    assert_eq!(with("KWD", 4, [12_345, 12_355, 10]), [1_234, 1_236, 1]);
    let job = Job::new(&CONFIG.replace("amount: a}", "amount: a, currency: k}"));
    let codes: ArrayRef = Arc::new(StringArray::from(vec!["EUR", "USD"]));
    job.parquet(
        "ledger/a.parquet",
        vec![("c", integers([1, 2])), ("d", days([1, 2])), ("a", cents([100, 200])), ("k", codes)],
    );
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: transactions: rule `wrong_currency` is broken by 1 of 2 rows (2.00 EUR): the currency is not the run's; its policy is error
      hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` shows the rows in `rejected`
    ");
}

#[test]
fn codec_pages_and_dictionaries_change_no_byte() {
    let columns = || {
        let rows = 0..5_000_i64;
        vec![
            ("c", integers(rows.clone().map(|row| row * 7 % 311))),
            ("d", days(rows.clone().map(|row| (row % 300) as i32))),
            ("a", cents(rows.map(|row| 100 + row * 13 % 9_000))),
        ]
    };
    let digest = |properties: WriterProperties| {
        let job = Job::new(CONFIG);
        std::fs::create_dir(job.path("ledger")).unwrap();
        let batch = RecordBatch::try_from_iter(columns()).unwrap();
        let file = File::create(job.path("ledger/a.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        job.run(&[])["result_digest"].as_str().unwrap().to_owned()
    };
    let builder = WriterProperties::builder;
    let expected = digest(builder().build());
    for (what, properties) in [
        ("uncompressed", builder().set_compression(Compression::UNCOMPRESSED).build()),
        ("zstd", builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build()),
        ("no dictionary", builder().set_dictionary_enabled(false).build()),
        ("version 2", builder().set_writer_version(WriterVersion::PARQUET_2_0).set_dictionary_enabled(false).build()),
        ("pages of ten rows", builder().set_data_page_row_count_limit(10).set_write_batch_size(10).build()),
        ("row groups of a hundred", builder().set_max_row_group_row_count(Some(100)).build()),
    ] {
        assert_eq!(digest(properties), expected, "{what}");
    }
}
