//! What is refused, or told before a row is read: predicates, columns, periods, files, rules.

use std::{fs, process::Output, sync::Arc};

use arrow_array::{Array, ArrayRef, Decimal256Array, Float64Array, StructArray, TimestampMicrosecondArray};
use arrow_buffer::i256;
use arrow_schema::Field;

use crate::support::{Job, cents, days, floats, integers, text, whalecurve};

const CONFIG: &str = "
version: 1
currency: EUR
as_of: 1970-12-31
outputs: [customer_profit_total, customer_segment, rejected]
inputs:
  transactions: {path: ledger.parquet, columns: {customer_id: c, date: d, amount: a}}
";

/// Three customers, two lines each, of a config with `more` behind its inputs.
fn job(more: &str) -> Job {
    let job = Job::new(&format!("{CONFIG}{more}"));
    job.parquet(
        "ledger.parquet",
        vec![
            ("c", integers([1, 2, 3, 1, 2, 3])),
            ("d", days([1, 2, 3, 40, 50, 60])),
            ("a", cents([100, 200, 300, 400, 500, 600])),
            ("s", text(["x", "y", "x", "y", "x", "y"])),
            ("n", floats([1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0])),
        ],
    );
    job
}

/// Exit code, and the errors with their hints.
fn outcome(job: &Job, done: &Output) -> (i32, String) {
    let text = job.without_folder(&done.stderr);
    let told = ["error: ", "whalecurve.yaml:", "  hint"];
    let lines: Vec<&str> = text.lines().filter(|line| told.iter().any(|begin| line.starts_with(begin))).collect();
    (done.status.code().unwrap(), lines.join("\n"))
}

fn checked(job: &Job) -> (i32, String) {
    outcome(job, &job.command("check", &[]))
}

#[test]
fn a_ledger_of_which_nothing_is_left_stops_the_run_and_leaves_the_output_alone() {
    let job = job("  customers: {path: customers.csv, columns: {customer_id: id}}\n");
    job.text("customers.csv", "id\n1\n2\n3\n").run(&[]);
    let manifest = fs::read(job.path("out/run_manifest.json")).unwrap();
    // Ids that a spreadsheet has made numbers of are none.
    job.text("customers.csv", "id\n1.0\n2.0\n3.0\n");
    let (code, told) = outcome(&job, &job.try_run(&[]));
    assert_eq!(code, 3);
    assert!(
        told.starts_with("error: transactions: none of 6 rows is accepted; by rule: `unknown_customer` 6\n"),
        "{told}"
    );
    assert_eq!(fs::read(job.path("out/run_manifest.json")).unwrap(), manifest);
}

#[test]
fn check_tells_every_wrong_column_and_predicate_of_every_table() {
    let job = job(
        "  customers: {path: customers.csv, columns: {customer_id: id, segment: s, region: r}}\ndrivers:\n  big: {count: \
         lines, where: \"amnt > 3\"}\n  sums: {sum: nowhere}\n",
    );
    job.text("customers.csv", "id\n1\n");
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    job.text("whalecurve.yaml", &config.replace("date: d, amount: a}", "date: day, amount: money}, where: \"s > 3\""));
    let (code, told) = checked(&job);
    let wrong: Vec<&str> = told.lines().filter(|line| !line.starts_with("  hint: ")).collect();
    assert_eq!(code, 3);
    assert_eq!(
        wrong,
        [
            "error: ledger.parquet: no column `money` (mapped to `transactions.amount`); the file has: c, d, a, s, n",
            "error: ledger.parquet: no column `day` (mapped to `transactions.date`); the file has: c, d, a, s, n",
            "whalecurve.yaml:10:30: drivers.big: `where` is no valid SQL predicate: no column `amnt`; the file has: c, d, a, s, n",
            "error: ledger.parquet: no column `nowhere` (mapped to `drivers.sums`); the file has: c, d, a, s, n",
            "whalecurve.yaml:7:100: transactions: `where` is no valid SQL predicate: cannot compare string with numeric type (i32)",
            "error: customers.csv: no column `r` (mapped to `customers.region`); the file has: id",
            "error: customers.csv: no column `s` (mapped to `customers.segment`); the file has: id",
        ]
    );
}

#[test]
fn a_table_without_periods_in_a_run_with_periods_is_told_by_check() {
    let job =
        job("  driver_quantities: {path: q.csv, columns: {customer_id: id, driver: x, quantity: q}}\nperiod: month\n");
    job.text("q.csv", "id,x,q\n1,calls,2\n");
    let expected = "error: driver_quantities: the run has periods, but neither `period` nor `date` is mapped";
    assert_eq!(checked(&job), (3, expected.to_owned()));
}

#[test]
fn a_predicate_over_a_csv_says_that_its_columns_are_text() {
    let of = |predicate: &str| {
        let job = job(&format!(
            "  customers: {{path: customers.csv, where: \"{predicate}\", columns: {{customer_id: id}}}}\n"
        ));
        job.text("customers.csv", "id,size\n1,20\n2,5\n3,30\n");
        job
    };
    let (code, told) = checked(&of("size > 15"));
    assert_eq!(code, 2);
    assert!(told.contains("every column of a CSV file is text, as in CAST(amount AS DOUBLE) > 15"), "{told}");
    let job = of("CAST(size AS DOUBLE) > 15");
    job.run(&[]);
    assert_eq!(job.texts("rejected", "rule"), ["unknown_customer"; 2]);
    // A cell that is no number is the predicate's mistake, not a damaged file.
    job.text("customers.csv", "id,size\n1,many\n");
    let (_, told) = outcome(&job, &job.try_run(&[]));
    assert!(told.contains("error: customers: ") && !told.contains("damaged"), "{told}");
}

#[test]
fn a_file_that_is_whole_but_not_read_is_not_called_damaged() {
    let with = |csv: &[u8]| {
        let job = job("  customers: {path: customers.csv, columns: {customer_id: id, segment: name}}\n");
        fs::write(job.path("customers.csv"), csv).unwrap();
        outcome(&job, &job.try_run(&[])).1
    };
    let hint = "\n  hint: write the file as docs/inputs.md says";
    for (csv, reason) in [
        (&b""[..], "it is empty: a CSV file begins with the names of its columns"),
        (b"id,name\n1,J\xfcrgen\n", "it is not UTF-8 text"),
        (b"id,name\n1,a,b\n2,c\n", "line 2 has 3 fields, and its header 2"),
    ] {
        assert_eq!(with(csv), format!("error: customers.csv: {reason}{hint}"));
    }
    let job = Job::new(CONFIG);
    let wide = Decimal256Array::from_iter_values([i256::from_i128(100)]).with_precision_and_scale(50, 2).unwrap();
    let columns = vec![("c", integers([1])), ("d", days([1])), ("a", Arc::new(wide) as ArrayRef)];
    job.parquet("ledger.parquet", columns);
    let told = outcome(&job, &job.try_run(&[]));
    let expected = format!("error: ledger.parquet: column `a` is a decimal of 50 digits; up to 38 are read{hint}");
    assert_eq!(told, (3, expected));
    assert_eq!(checked(&job), told);
}

#[test]
fn a_zone_that_is_not_read_is_found_within_a_column_that_nobody_uses() {
    for zone in ["+05:30", "Mars/Base"] {
        let job = Job::new(CONFIG);
        let moments = TimestampMicrosecondArray::from(vec![0]).with_timezone(zone);
        let field = Arc::new(Field::new("x", moments.data_type().clone(), true));
        let nested = StructArray::from(vec![(field, Arc::new(moments) as ArrayRef)]);
        let columns =
            vec![("c", integers([1])), ("d", days([1])), ("a", cents([1])), ("s", Arc::new(nested) as ArrayRef)];
        job.parquet("ledger.parquet", columns);
        let expected = format!(
            "error: ledger.parquet: column `s` is a timestamp in {zone}; UTC, named zones and offsets of whole hours are read\n  \
             hint: write the file as docs/inputs.md says"
        );
        assert_eq!(checked(&job), (3, expected.clone()));
        assert_eq!(outcome(&job, &job.try_run(&[])), (3, expected));
    }
}

#[test]
fn a_cast_that_fails_for_a_row_is_told_as_the_predicates() {
    let expected = "error: transactions: a `where` could not be worked out for a row: a CAST, or a date of a text, that does not fit its \
                    cell\n  hint: TRY_CAST is null where CAST fails: write it in the `where` of the table and of its drivers";
    for (from, to) in [("amount: a}", "amount: a}, where: \"CAST(s AS INT) > 1\""), ("", "")] {
        let job = job(if from.is_empty() {
            "drivers: {x: {count: lines, where: \"CAST(s AS INT) > 1\"}}\nactivities: {y: {level: order, \
            method: driver, driver: x, cost: 1.00}}\n"
        } else {
            ""
        });
        let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
        job.text("whalecurve.yaml", &config.replace(from, to));
        assert_eq!(outcome(&job, &job.try_run(&[])), (3, expected.to_owned()), "{to}");
        job.text("whalecurve.yaml", &config.replace(from, to).replace("CAST(", "TRY_CAST("));
        let (_, told) = outcome(&job, &job.try_run(&[]));
        assert!(!told.contains("could not be worked out"), "{told}");
    }
}

#[test]
fn folders_of_csv_are_columns_and_an_id_in_a_folder_is_what_is_written() {
    let config = CONFIG.replace("path: ledger.parquet", "path: ledger").replace("customer_id: c", "customer_id: cust");
    let run = |folders: [&str; 2]| {
        let job = Job::new(&format!(
            "{config}  pools: {{path: pools, format: csv, columns: {{activity: x, amount: m, period: y}}}}\nperiod: \
             year\nactivities: {{desk: {{level: order, method: average}}}}\n"
        ));
        for (folder, day) in folders.iter().zip([1, 2]) {
            job.parquet(&format!("ledger/{folder}/a.parquet"), vec![("d", days([day])), ("a", cents([1_000]))]);
        }
        job.text("pools/y=1970/a.csv", "x,m\ndesk,3.00\n");
        job.run(&[]);
        assert_eq!(job.sum("customer_profit_total", "order_cost"), 300);
        job.texts("customer_profit_total", "customer_id")
    };
    assert_eq!(run(["cust=007", "cust=7"]), ["007", "7"]);
}

#[test]
fn a_rule_that_stops_the_run_says_why_and_which_activities_are_known() {
    let job = job(
        "  pools: {path: p.csv, columns: {activity: x, amount: m, period: y}}\nactivities: {desk: {level: order, method: \
         average}}\n",
    );
    job.text("p.csv", "x,m,y\ndesk,3.00,1970\n");
    let (code, reason) = outcome(&job, &job.try_run(&[]));
    assert_eq!(code, 3);
    assert_eq!(
        reason,
        "error: pools: rule `invalid_period` is broken by 1 of 1 rows (3.00 EUR): the period is no period of the run's kind; \
         its policy is error\n  hint: mend the data, or change the rule's policy or limit under `contract`; `policy: reject` \
         shows the rows in `rejected`"
    );
    job.text("p.csv", "x,m,y\ndesks,3.00,all\n");
    let (_, name) = outcome(&job, &job.try_run(&[]));
    assert!(name.contains("its policy is error; known: desk; did you mean `desk`?\n"), "{name}");
}

#[test]
fn a_drivers_number_that_is_none_breaks_a_rule_of_its_own_and_ranges_need_no_policy() {
    let more = "drivers: {n: {sum: n}}\ncontract: {transactions: {amount_range: {min: 2}RULE}}\n";
    let rejected = job(&more.replace("RULE", ""));
    rejected.run(&[]);
    assert_eq!(rejected.texts("rejected", "rule"), ["amount_range", "invalid_driver"]);
    let warned = job(&more.replace("RULE", ", invalid_driver: warn"));
    warned.run(&[]);
    assert_eq!(warned.texts("rejected", "rule"), ["amount_range"]);
}

#[test]
fn segments_take_lists_and_divisions_by_zero_and_refuse_quantiles() {
    let segments = |text: &str| job(&format!("portfolio: {{segments: {{some: \"{text}\"}}}}\n"));
    let in_it = |name: &&Option<String>| name.as_deref() == Some("some");
    let few = segments("frequency IN (1, 2, 3) AND customer_id NOT IN (2)");
    few.run(&[]);
    assert_eq!(few.optional_texts("customer_segment", "user_segment").iter().filter(in_it).count(), 2);
    // A customer without a purchase in the ledger has no orders.
    let divided = segments("net_revenue / orders > 2.5");
    let config = fs::read_to_string(divided.path("whalecurve.yaml")).unwrap();
    let table = "amount: a}}\n  customers: {path: customers.csv, columns: {customer_id: id}}\n";
    divided.text("whalecurve.yaml", &config.replace("amount: a}}\n", table));
    divided.text("customers.csv", "id\n1\n2\n3\n4\n").run(&[]);
    assert_eq!(divided.optional_texts("customer_segment", "user_segment").iter().filter(in_it).count(), 2);
    let (code, told) = checked(&segments("net_revenue > QUANTILE_CONT(net_revenue, 0.5)"));
    assert_eq!(code, 2);
    assert!(told.contains("it adds up over several rows"), "{told}");
}

#[test]
fn sizes_and_ids_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("company");
    for (customers, transactions) in [("0", "10"), ("10", "5")] {
        let done =
            whalecurve(&["generate", "--customers", customers, "--transactions", transactions, path.to_str().unwrap()]);
        assert_eq!(done.status.code(), Some(2));
    }
    let job = Job::new(CONFIG);
    let amounts: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
    job.parquet("ledger.parquet", vec![("c", integers([-5, 5])), ("d", days([1, 2])), ("a", amounts)]);
    assert!(job.command("explain", &["--customer", "-5"]).status.success());
}
