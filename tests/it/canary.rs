//! No cell's value leaves the data: every text cell of a ledger is a token that stands nowhere else, and no error, log line,
//! manifest or record of a run holds one, whatever ends it.

use std::fs;

use crate::support::{Job, cents, days, integers, text};

/// A token that nothing else looks like.
fn token(kind: &str, number: usize) -> String {
    format!("zq{kind}{number:03}xj")
}

/// A company of texts: customers, orders, products, segments, drivers and periods are tokens.
fn job(more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
name: Tokens
currency: EUR
inputs:
  transactions:
    path: ledger.parquet
    columns: {{customer_id: customer, order_id: order, date: day, amount: amount, product_id: product, quantity: quantity, currency: money}}
  customers: {{path: customers.parquet, columns: {{customer_id: customer, segment: segment}}}}
  products: {{path: products.parquet, columns: {{product_id: product, unit_cost: cost}}}}
  driver_quantities: {{path: used.parquet, columns: {{customer_id: customer, driver: driver, quantity: quantity}}}}
{more}"
    ));
    let rows = 40;
    let all = |kind: &'static str, of: usize| (0..rows).map(move |row| token(kind, row % of)).collect::<Vec<_>>();
    let texts = |values: &[String]| text(values.iter().map(String::as_str));
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", texts(&all("c", 12))),
            ("order", texts(&all("o", 40))),
            ("day", days((0..rows).map(|row| row as i32 * 9))),
            ("amount", cents((0..rows).map(|row| 500 + row as i64))),
            ("product", texts(&all("p", 5))),
            ("quantity", integers((0..rows).map(|row| 1 + row as i64 % 3))),
            ("money", text((0..rows).map(|row| if row == 39 { "zqmoney001xj" } else { "EUR" }))),
        ],
    );
    let (customers, products): (Vec<_>, Vec<_>) =
        ((0..12).map(|n| token("c", n)).collect(), (0..5).map(|n| token("p", n)).collect());
    let segments: Vec<_> = (0..12).map(|n| token("s", n % 3)).collect();
    job.parquet("customers.parquet", vec![("customer", texts(&customers)), ("segment", texts(&segments))]);
    job.parquet("products.parquet", vec![("product", texts(&products)), ("cost", cents((0..5).map(|n| 100 + n)))]);
    let drivers = text(customers.iter().map(|_| "calls"));
    job.parquet(
        "used.parquet",
        vec![("customer", texts(&customers)), ("driver", drivers), ("quantity", cents((0..12).map(|n| n - 3)))],
    );
    job
}

/// Whatever a run tells and records beside its datasets.
fn told(job: &Job, command: &str, more: &[&str]) -> (i32, String) {
    let done = job.command(command, more);
    let mut told = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    for record in ["run_manifest.json", "run_results.json", "whale_curve.svg"] {
        told += &fs::read_to_string(job.path("out").join(record)).unwrap_or_default();
    }
    (done.status.code().unwrap(), told)
}

#[test]
fn no_cell_is_told_whatever_ends_a_run() {
    let sound = "contract: {transactions: {wrong_currency: reject}}\n";
    let calls = "activities: {calls: {level: customer, method: driver, driver: calls, cost: 100.00}}\n";
    let absolute =
        "activities: {calls: {level: customer, method: driver, driver: calls, negative: absolute, cost: 100.00}}\n";
    let cases = [
        ("a foreign currency", String::new(), 3),
        ("a negative driver", format!("{sound}{calls}"), 3),
        ("a run that ends well", format!("{sound}{absolute}"), 0),
        ("a forecast", format!("{sound}{absolute}forecast: {{horizon: 10 weeks, paths: 20}}\n"), 0),
        (
            "a forecast by auto",
            format!("{sound}{absolute}forecast: {{horizon: 10 weeks, paths: 20, model: auto}}\n"),
            0,
        ),
        ("an unknown driver", format!("{sound}{}", calls.replace("driver: calls", "driver: visits")), 3),
        (
            "a date range",
            "contract: {transactions: {wrong_currency: reject, date_range: {policy: error, max: 1970-06-01}}}\n"
                .to_owned(),
            3,
        ),
        ("a limit on rows", format!("{}{calls}", sound.replace("reject}", "{policy: reject, max_rows: 0}}")), 3),
    ];
    let mut codes = Vec::new();
    for (case, more, code) in cases {
        let job = job(&more);
        let output = job.path("out");
        let (found, told) = told(&job, "run", &["--output", output.to_str().unwrap()]);
        // The scratch folder's own random name may hold anything.
        let told = job.without_folder(told.as_bytes());
        assert!(!told.contains("xj") && !told.contains("zq"), "{case}: {told}");
        codes.push((case, code, found, told));
    }
    // Each ends as it is meant to, or something else was tested.
    let as_meant = codes.iter().filter(|(_, code, found, _)| code == found).count();
    assert!(as_meant == codes.len(), "{codes:#?}");
}

/// The first row of a CSV that names no columns is a customer's.
#[test]
fn a_csv_without_a_header_is_told_without_its_first_row() {
    let job = Job::new(
        "{version: 1, currency: EUR, inputs: {transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}, \
         customers: {path: c.csv, columns: {customer_id: customer, segment: segment}}}}",
    );
    job.parquet("l.parquet", vec![("c", text(["zqc001xj"])), ("d", days([1])), ("a", cents([100]))]);
    job.text("c.csv", "zqc001xj,zqs001xj,Köln\nzqc002xj,zqs002xj,Bonn\n");
    let output = job.path("out");
    for command in ["check", "plan", "run"] {
        let (code, told) = told(&job, command, &["--output", output.to_str().unwrap()]);
        let told = job.without_folder(told.as_bytes());
        assert_eq!(code, 3, "{told}");
        assert!(!told.contains("xj") && !told.contains("Köln"), "{command}: {told}");
        assert!(told.contains("the file has: 3 columns, and none of those that are mapped"), "{told}");
    }
}

/// To a decoder the lines of such a file are names of columns, one of which may be mapped.
#[test]
fn a_csv_whose_lines_end_in_cr_alone_is_refused_and_no_name_is_listed_that_the_config_does_not_name() {
    let job = Job::new(
        "{version: 1, currency: EUR, inputs: {transactions: {path: l.parquet, columns: {customer_id: c, date: d, amount: a}}, \
         customers: {path: c.csv, where: \"town = 'x'\", columns: {customer_id: customer, segment: segment}}}}",
    );
    job.parquet("l.parquet", vec![("c", text(["zqc001xj"])), ("d", days([1])), ("a", cents([100]))]);
    let output = job.path("out");
    let said = |csv: &str| {
        job.text("c.csv", csv);
        let mut found = String::new();
        for command in ["check", "run"] {
            let (code, told) = told(&job, command, &["--output", output.to_str().unwrap()]);
            found += &job.without_folder(told.as_bytes());
            assert!(code != 0 && !found.contains("xj") && !found.contains("zq"), "{command}: {found}");
        }
        found
    };
    let cr = said("customer,segment\rzqc001xj,zqs001xj\rzqc002xj,zqs002xj\r");
    assert!(
        cr.starts_with("error: c.csv: its lines end in CR alone; those of a CSV end in LF, or in CR and LF\n"),
        "{cr}"
    );
    // A quote that is left open makes one name of all that comes.
    said("customer,\"segment\nzqc001xj,zqs001xj\nzqc002xj,\"\n");
    let row = said("customer,zqs001xj,zqt001xj\nzqc002xj,zqs002xj,zqt001xj\n");
    assert!(row.contains("the file has: customer, and 2 that the config does not name"), "{row}");
    assert!(row.contains("customers: `where` is no valid SQL predicate: no column `town`; every column"), "{row}");
}

/// What a config takes from the environment stands in no message.
#[test]
fn values_of_the_environment_are_told_by_their_variable() {
    let job = Job::new(
        "{version: 1, currency: EUR, output: out, inputs: {transactions: {path: '${ZQ_PATH}.parquet', columns: {customer_id: c, date: \
         '${ZQ_DAY}', amount: a}}}}",
    );
    let summary = job.path("summary.json");
    let run = |path: &str| {
        let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_whalecurve"));
        run.arg("check").arg(job.path("whalecurve.yaml")).arg("--summary-file").arg(&summary);
        let done = run.env("ZQ_PATH", path).env("ZQ_DAY", "zqday001xj").output().unwrap();
        let told = job.without_folder(&done.stderr) + &job.without_folder(&fs::read(&summary).unwrap());
        assert!(!told.contains("xj"), "{told}");
        told
    };
    assert!(run("zqp001xj").starts_with("error: transactions: `${ZQ_PATH}.parquet` names no file\n"));
    job.parquet("zqp001xj.parquet", vec![("c", text(["a"])), ("d", days([1])), ("a", cents([100]))]);
    let told = run("zqp001xj");
    assert!(
        told.starts_with("error: ${ZQ_PATH}.parquet: no column `${ZQ_DAY}` (mapped to `transactions.date`)"),
        "{told}"
    );
}

/// Groups of a forecast have names and parameters in the manifest: those that `suppress` leaves out of the datasets have none.
#[test]
fn a_group_of_few_customers_is_not_in_the_manifest() {
    let job = job(
        "contract: {transactions: {wrong_currency: reject}}\nforecast: {horizon: 10 weeks, paths: 0, pool_by: segment}\n\
         suppress: {smallest_group: 10}\n",
    );
    let output = job.path("out");
    let (code, told) = told(&job, "run", &["--output", output.to_str().unwrap()]);
    let told = job.without_folder(told.as_bytes());
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("\"model_groups\"") && !told.contains("zqs"), "{told}");
}

#[test]
fn neither_check_plan_validate_fit_nor_compare_tell_a_cell() {
    let job = job("contract: {transactions: {wrong_currency: reject}}\nforecast: {horizon: 10 weeks, paths: 0}\n");
    let model = job.path("model.json");
    let output = job.path("out");
    let output = ["--output", output.to_str().unwrap()];
    for (command, more) in [
        ("check", vec![]),
        ("plan", vec![]),
        ("validate", [&output[..], &["--holdout", "8w"]].concat()),
        ("compare", [&output[..], &["--methods", "average,revenue"]].concat()),
        ("fit", vec!["--model", model.to_str().unwrap()]),
    ] {
        let (code, told) = told(&job, command, &more);
        let told = job.without_folder(told.as_bytes()) + &fs::read_to_string(&model).unwrap_or_default();
        assert!(!told.contains("xj") && !told.contains("zq"), "{command}: {told}");
        assert!(code == 0 || command != "check", "{command}: {told}");
        let _ = fs::remove_dir_all(job.path("out"));
    }
}
