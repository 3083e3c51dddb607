//! Inputs that are cut, altered or strange, and surroundings that differ: right data, a row in `rejected`, or one clear line.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use arrow_array::{ArrayRef, Decimal128Array, Float64Array, StringArray};

use crate::support::{Job, cents, days, floats, integers, root, text, whalecurve};

const CONFIG: &str = "
version: 1
currency: EUR
as_of: 1971-12-31
output: out
outputs: [customer_profit_total, rejected, input_balance]
inputs:
  transactions: {path: ledger.parquet, columns: {customer_id: customer, date: day, amount: amount}}
activities: {upkeep: {level: customer, method: average, cost: 99.99}}
";

fn job() -> Job {
    let job = Job::new(CONFIG);
    let lines = 0..400_i64;
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", integers(lines.clone().map(|line| line % 50))),
            ("day", days(lines.clone().map(|line| (line % 300) as i32))),
            ("amount", cents(lines.map(|line| 1_000 + line * 7 % 900))),
        ],
    );
    job
}

/// What became of a run: its digest, or its exit code with a line that names the ledger.
fn outcome(job: &Job) -> Result<String, i32> {
    let done = job.try_run(&[]);
    let told = job.without_folder(&done.stderr);
    assert!(!told.contains("panicked"), "{told}");
    match done.status.code() {
        Some(0) => {
            let manifest: serde_json::Value =
                serde_json::from_slice(&fs::read(job.path("out/run_manifest.json")).unwrap()).unwrap();
            Ok(manifest["result_digest"].as_str().unwrap().to_owned())
        }
        Some(code @ (1 | 3)) => {
            assert!(told.contains("ledger.parquet") || told.contains("transactions"), "{told}");
            assert_eq!(told.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{told}");
            Err(code)
        }
        other => unreachable!("exit code {other:?}: {told}"),
    }
}

#[test]
fn a_ledger_that_is_cut_at_any_place_is_named() {
    let job = job();
    let whole = fs::read(job.path("ledger.parquet")).unwrap();
    assert!(outcome(&job).is_ok());
    let mut cuts = 0;
    for length in (0..whole.len()).step_by(whole.len().div_ceil(40).min(512)) {
        fs::write(job.path("ledger.parquet"), &whole[..length]).unwrap();
        assert!(outcome(&job).is_err(), "{length} of {} bytes", whole.len());
        cuts += 1;
    }
    assert!(cuts >= 5);
}

#[test]
fn a_footer_with_any_byte_changed_is_named_or_changes_nothing() {
    let job = job();
    let whole = fs::read(job.path("ledger.parquet")).unwrap();
    let right = outcome(&job).unwrap();
    let length = u32::from_le_bytes(whole[whole.len() - 8..whole.len() - 4].try_into().unwrap()) as usize;
    let footer = whole.len() - 8 - length;
    let (mut found, mut harmless) = (0, 0);
    // Every byte would take minutes.
    for at in (footer..whole.len()).step_by(11) {
        let mut changed = whole.clone();
        changed[at] ^= 0x15;
        fs::write(job.path("ledger.parquet"), changed).unwrap();
        match outcome(&job) {
            Err(_) => found += 1,
            Ok(digest) if digest == right => harmless += 1,
            Ok(_) => panic!("byte {} of the footer changed the result, and nobody said so", at - footer),
        }
    }
    assert!(found > 0 && harmless > 0, "{found} found, {harmless} harmless");
}

#[test]
fn amounts_that_are_no_money_are_rejected_with_a_reason_and_the_rest_is_exact() {
    let job =
        Job::new(&CONFIG.replace("output: out", "output: out\ncontract: {transactions: {invalid_amount: reject}}"));
    let strange =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e300, -1e300, 0.1 + 0.2, 5e-324, 92_233_720_368_547_758.08];
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", integers(0..strange.len() as i64)),
            ("day", days((0..strange.len() as i32).map(|day| day + 1))),
            ("amount", floats(strange)),
        ],
    );
    job.run(&[]);
    // NaN, both infinities, what is beyond 64 bits of cents: six. -0.0 and the smallest float are 0.00, 0.30000000000000004 is 0.30.
    assert_eq!(job.texts("rejected", "rule"), ["invalid_amount"; 6]);
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [0, 30, 0]);
}

#[test]
fn decimals_of_38_digits_are_read_to_the_last_one_or_rejected() {
    let job =
        Job::new(&CONFIG.replace("output: out", "output: out\ncontract: {transactions: {invalid_amount: reject}}"));
    let values =
        [i128::from(i64::MAX) / 1_000, 99_999_999_999_999_999_999_999_999_999_999_999_999_i128, -150_000, 4_500];
    let amounts = Decimal128Array::from_iter_values(values).with_precision_and_scale(38, 4).unwrap();
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", integers([1, 2, 3, 4])),
            ("day", days([1, 2, 3, 4])),
            ("amount", Arc::new(amounts) as ArrayRef),
        ],
    );
    job.run(&[]);
    assert_eq!(job.texts("rejected", "rule"), ["invalid_amount"]);
    // Of four decimals two are kept, half to even: 922,337,203,685.4775 and 0.45.
    assert_eq!(job.decimals("customer_profit_total", "net_revenue"), [92_233_720_368_548, -1_500, 45]);
}

#[test]
fn ids_are_bytes_whatever_they_hold() {
    let long = "x".repeat(1_000_000);
    // NFC and NFD of é, right to left, a newline, an escape, a zero byte, leading zeros, what a spreadsheet takes for a formula,
    // one of a million characters.
    let ids = [
        "\u{e9}",
        "e\u{301}",
        "\u{5d0}\u{5d1}",
        "a\nb",
        "\u{1b}[31mred",
        "a\0b",
        "007",
        "7",
        "=1+1",
        "+1",
        "-2",
        "@x",
        "../x",
        &long,
    ];
    let job = Job::new(CONFIG);
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", text(ids)),
            ("day", days(ids.iter().map(|_| 5))),
            ("amount", cents((1..=ids.len() as i64).map(|amount| amount * 100))),
        ],
    );
    job.run(&[]);
    let mut wanted: Vec<&str> = ids.to_vec();
    wanted.sort_unstable();
    assert_eq!(job.texts("customer_profit_total", "customer_id"), wanted);
    assert_eq!(job.sum("customer_profit_total", "net_revenue"), (1..=ids.len() as i128).sum::<i128>() * 100);
}

#[test]
fn a_null_an_empty_and_a_blank_id_are_not_one_customer() {
    let job = Job::new(CONFIG);
    let ids: ArrayRef = Arc::new(StringArray::from(vec![None, Some(""), Some(" "), Some("a")]));
    job.parquet(
        "ledger.parquet",
        vec![("customer", ids), ("day", days([1, 2, 3, 4])), ("amount", cents([100, 200, 300, 400]))],
    );
    job.run(&[]);
    assert_eq!(job.texts("customer_profit_total", "customer_id"), [" ", "a"]);
    assert_eq!(job.texts("rejected", "rule"), ["missing_customer"; 2]);
}

#[test]
fn a_ledger_without_rows_or_with_nulls_alone_is_no_bug() {
    let job = Job::new(CONFIG);
    let nobody: ArrayRef = Arc::new(Float64Array::from(Vec::<f64>::new()));
    job.parquet("ledger.parquet", vec![("customer", integers([])), ("day", days([])), ("amount", nobody)]);
    let empty = job.try_run(&[]);
    assert!([Some(0), Some(3)].contains(&empty.status.code()), "{}", job.without_folder(&empty.stderr));
    let nulls: ArrayRef = Arc::new(Float64Array::from(vec![None::<f64>; 3]));
    job.parquet("ledger.parquet", vec![("customer", integers([1, 2, 3])), ("day", days([1, 2, 3])), ("amount", nulls)]);
    let done = job.try_run(&[]);
    assert!([Some(0), Some(3)].contains(&done.status.code()), "{}", job.without_folder(&done.stderr));
}

/// The main job's digest, run in a folder and an environment of its own.
fn main_job(folder: &Path, output: &Path, more: &[&str], environment: &[(&str, &str)]) -> Output {
    let config = root().join("datasets/cdnow/whalecurve.yaml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_whalecurve"));
    command.arg("run").arg(config).arg("--output").arg(output).args(more).current_dir(folder);
    command.envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn zone_language_folder_and_threads_change_no_byte() {
    let scratch = tempfile::tempdir().unwrap();
    let digest = |name: &str, folder: &Path, more: &[&str], environment: &[(&str, &str)]| {
        let done = main_job(folder, &scratch.path().join(name), more, environment);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let line: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        line["result_digest"].as_str().unwrap().to_owned()
    };
    let here = digest("a", &root(), &["--threads", "1"], &[("TZ", "UTC"), ("LANG", "C")]);
    let there = digest(
        "b",
        scratch.path(),
        &["--threads", "8"],
        &[("TZ", "Asia/Kathmandu"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8")],
    );
    let far = digest("c", Path::new("/"), &["--threads", "2"], &[("TZ", "Pacific/Apia"), ("LANG", "ar_EG.UTF-8")]);
    assert_eq!((&here, &here), (&there, &far));
}

#[test]
fn a_config_of_a_hundred_megabytes_is_refused_at_once() {
    let job = Job::new("");
    let file = fs::File::create(job.path("whalecurve.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    let done = job.command("check", &["--memory", "64MiB"]);
    assert_eq!(done.status.code(), Some(2));
    let told = job.without_folder(&done.stderr);
    assert!(told.contains("104857600 bytes, more than the 1048576 allowed"), "{told}");
}

#[test]
fn a_config_without_an_end_is_refused_at_its_limit() {
    let done = whalecurve(&["check", "/dev/zero", "--memory", "1GiB"]);
    assert_eq!(done.status.code(), Some(2));
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(told.contains("1048577 bytes, more than the 1048576 allowed"), "{told}");
}

#[test]
fn names_with_escapes_do_not_reach_the_terminal() {
    let job = job();
    let config = CONFIG.replace("upkeep:", "\"up\\e[31mkeep\":").replace("version: 1", "version: 1\nname: \"a\\nb\"");
    fs::write(job.path("whalecurve.yaml"), config).unwrap();
    let done = job.try_run(&[]);
    assert_eq!(done.status.code(), Some(2));
    assert!(!done.stderr.contains(&0x1b), "{}", String::from_utf8_lossy(&done.stderr));
    // A file's name comes from the file system.
    let strange = job.path("led\u{1b}[31mger\n.parquet");
    fs::copy(job.path("ledger.parquet"), &strange).unwrap();
    fs::write(&strange, "no parquet").unwrap();
    fs::write(job.path("whalecurve.yaml"), CONFIG.replace("ledger.parquet", "led*ger*.parquet")).unwrap();
    fs::remove_file(job.path("ledger.parquet")).unwrap();
    for format in ["text", "json"] {
        let done = whalecurve(&["run", job.path("whalecurve.yaml").to_str().unwrap(), "--log-format", format]);
        assert_eq!(done.status.code(), Some(1));
        assert!(!done.stderr.contains(&0x1b), "{}", String::from_utf8_lossy(&done.stderr));
    }
}
