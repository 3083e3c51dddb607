//! `whalecurve verify`: whatever is changed in a finished output is found, and told without a cell's value.

use std::{
    fs::{self, File},
    path::Path,
    sync::Arc,
};

use arrow_array::{Array, Decimal128Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use crate::support::{Job, read, whalecurve};

/// The main job's ledger with two activities, without a forecast.
fn output() -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: USD
inputs:
  transactions: {{path: {}/datasets/cdnow/transactions.parquet, columns: {{customer_id: customer_id, product_id: customer_id, date: date, amount: amount}}}}
activities:
  upkeep: {{level: customer, method: average, cost: 9999.99}}
  handling: {{level: order, method: revenue, cost: 1234.56}}
",
        env!("CARGO_MANIFEST_DIR")
    ));
    job.run(&[]);
    job
}

/// Exit code and what is told of the output.
fn verify(job: &Job) -> (i32, String) {
    let done = whalecurve(&["verify", job.path("out").to_str().unwrap()]);
    (done.status.code().unwrap(), job.without_folder(&done.stderr))
}

fn manifest(job: &Job) -> Value {
    serde_json::from_str(&fs::read_to_string(job.path("out/run_manifest.json")).unwrap()).unwrap()
}

/// Changes a file of the output, verifies, and puts the file back.
fn with(job: &Job, file: &str, change: impl Fn(&Path)) -> (i32, String) {
    let path = job.path("out").join(file);
    let before = fs::read(&path).ok();
    change(&path);
    let found = verify(job);
    match before {
        Some(bytes) => fs::write(&path, bytes).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
    found
}

const HINT: &str = "  hint: run it again: the same inputs and config give the same bytes\n";

#[test]
fn a_whole_output_is_told_in_figures() {
    let job = output();
    let (code, told) = verify(&job);
    assert_eq!(code, 0, "{told}");
    let outputs = manifest(&job)["outputs"].as_array().unwrap().len();
    assert!(told.starts_with(&format!("out: {outputs} datasets, ")), "{told}");
    assert!(told.ends_with(" sums tie\n"), "{told}");
}

#[test]
fn every_changed_byte_is_found() {
    let job = output();
    let file = "customer_cost/part-00000.parquet";
    let length = fs::metadata(job.path("out").join(file)).unwrap().len() as usize;
    for place in (0..length).step_by(length / 40) {
        let flip = |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[place] ^= 1 << (place % 8);
            fs::write(path, bytes).unwrap();
        };
        let (code, told) = with(&job, file, flip);
        assert_eq!(code, 3, "byte {place}");
        assert_eq!(told, format!("error: {file}: its content has changed: the BLAKE3 digest is another\n{HINT}"));
    }
    assert_eq!(verify(&job).0, 0);
}

#[test]
fn cut_missing_and_foreign_files_are_found() {
    let job = output();
    let file = "whale_curve/part-00000.parquet";
    let cut = |path: &Path| fs::write(path, &fs::read(path).unwrap()[..100]).unwrap();
    assert!(with(&job, file, cut).1.contains("whale_curve/part-00000.parquet: has 100 bytes, the manifest says "));
    let gone = with(&job, file, |path| fs::remove_file(path).unwrap());
    assert!(gone.1.starts_with("error: whale_curve/part-00000.parquet: No such file"), "{}", gone.1);
    let extra = with(&job, "whale_curve/part-00001.parquet", |path| fs::write(path, "").unwrap());
    assert_eq!(extra, (3, format!("error: whale_curve/part-00001.parquet: is not in the manifest\n{HINT}")));
    let unmarked = with(&job, "whale_curve/_SUCCESS", |path| fs::remove_file(path).unwrap());
    assert_eq!(unmarked, (3, format!("error: whale_curve/_SUCCESS: is missing\n{HINT}")));
    let full = with(&job, "_SUCCESS", |path| fs::write(path, "x").unwrap());
    assert_eq!(full, (3, format!("error: _SUCCESS: is not an empty file\n{HINT}")));
    let renamed = with(&job, "run_manifest.json", |path| {
        let text = fs::read_to_string(path).unwrap().replace("whale_curve/part", "../out/whale_curve/part");
        fs::write(path, text).unwrap();
    });
    assert!(renamed.1.contains("is listed outside its dataset's folder"), "{}", renamed.1);
    // A page that is just being made.
    assert_eq!(with(&job, ".report.html-4711", |path| fs::write(path, "<!DOCTYPE").unwrap()).0, 0);
    fs::create_dir(job.path("out/customer_value_old")).unwrap();
    let (code, told) = with(&job, "customer_value_old/part-00000.parquet", |path| fs::write(path, "").unwrap());
    assert_eq!((code, told), (3, format!("error: customer_value_old: is not in the manifest\n{HINT}")));
}

/// What stands beside the datasets: the manifest itself, the record of the stages, the report and the picture.
#[test]
fn what_is_changed_beside_the_datasets_is_found() {
    let job = output();
    let replaced = |file: &str, from: &str, to: &str| {
        with(&job, file, |path| {
            let text = fs::read_to_string(path).unwrap();
            assert!(text.contains(from), "{file} does not say {from}");
            fs::write(path, text.replacen(from, to, 1)).unwrap();
        })
    };
    let manifest = fs::read_to_string(job.path("out/run_manifest.json")).unwrap();
    let whole: Value = serde_json::from_str(&manifest).unwrap();
    let input = whole["inputs"][0]["blake3"].as_str().unwrap();
    for (from, to) in [
        ("\"exponent\": 2", "\"exponent\": 3"),
        ("\"as_of\": \"1998-06-30\"", "\"as_of\": \"1998-06-29\""),
        (input, "0000"),
        ("\"seed\": ", "\"seed\": 1"),
    ] {
        let (code, told) = replaced("run_manifest.json", from, to);
        let what = "run_manifest.json: its content has changed: it is not what its file_digest says";
        assert_eq!((code, told), (3, format!("error: {what}\n{HINT}")), "{from}");
    }
    let changed = |file: &str| (3, format!("error: {file}: its content has changed, or is of other results\n{HINT}"));
    assert_eq!(replaced("report.html", "<h1>", "<h1>No "), changed("report.html"));
    assert_eq!(replaced("run_results.json", "\"threads\": ", "\"threads\": 1"), changed("run_results.json"));
    assert_eq!(replaced("whale_curve.svg", "<svg", "<svg "), changed("whale_curve.svg"));
    let gone = with(&job, "run_results.json", |path| fs::remove_file(path).unwrap());
    assert!(gone.1.starts_with("error: run_results.json: No such file"), "{}", gone.1);
    // A page that is made anew says of which results it is.
    assert!(whalecurve(&["report", job.path("out").to_str().unwrap()]).status.success());
    assert_eq!(verify(&job).0, 0);
    let digest = whole["result_digest"].as_str().unwrap();
    assert_eq!(replaced("report.html", digest, "0000"), changed("report.html"));
}

#[test]
fn a_manifest_that_is_no_text_is_damaged() {
    let job = output();
    let (code, told) = with(&job, "run_manifest.json", |path| {
        let mut bytes = fs::read(path).unwrap();
        let at = bytes.windows(4).position(|four| four == b"name").unwrap() + 8;
        bytes[at] = 0xff;
        fs::write(path, bytes).unwrap();
    });
    assert_eq!(code, 3, "{told}");
    assert!(told.starts_with("error: out/run_manifest.json: is no manifest of this version (line "), "{told}");
}

/// The digest of a manifest, made anew: of all its lines but that one.
fn write_manifest(job: &Job, mut manifest: Value) {
    manifest["file_digest"] = "".into();
    let text = format!("{manifest:#}\n");
    let lines = text.split_inclusive('\n').filter(|line| !line.starts_with("  \"file_digest\""));
    manifest["file_digest"] = blake3::hash(lines.collect::<String>().as_bytes()).to_hex().as_str().into();
    fs::write(job.path("out/run_manifest.json"), format!("{manifest:#}\n")).unwrap();
}

#[test]
fn totals_of_the_manifest_that_are_not_those_of_the_pools_are_found() {
    let job = output();
    let mut manifest = manifest(&job);
    manifest["pools"]["allocated"] = "1".into();
    write_manifest(&job, manifest);
    let (code, told) = verify(&job);
    let what = "pool_balance: allocated, and that of `pools` in the manifest: 1123455 and 1 minor units";
    assert_eq!((code, told), (3, format!("error: {what}\n{HINT}")));
}

/// Adds a cent to the first row of a money column: files and manifest agree with each other, but no longer with other sums.
fn one_cent_more(job: &Job, dataset: &str, column: &str) {
    let file = format!("{dataset}/part-00000.parquet");
    let path = job.path("out").join(&file);
    let batches = read(&job.path("out"), dataset);
    let batch = &batches[0];
    let at = batch.schema().index_of(column).unwrap();
    let amounts = batch.column(at).as_any().downcast_ref::<Decimal128Array>().unwrap();
    let more = amounts.iter().enumerate().map(|(row, cents)| cents.map(|cents| cents + i128::from(row == 0)));
    let more = more.collect::<Decimal128Array>().with_data_type(amounts.data_type().clone());
    let mut columns = batch.columns().to_vec();
    columns[at] = Arc::new(more);
    let batch = RecordBatch::try_new(batch.schema(), columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    for batch in [&batch].into_iter().chain(&batches[1..]) {
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();

    let bytes = fs::read(&path).unwrap();
    let mut manifest = manifest(job);
    let mut digest = blake3::Hasher::new();
    for dataset in manifest["outputs"].as_array_mut().unwrap() {
        for listed in dataset["files"].as_array_mut().unwrap() {
            if listed["path"] == file.as_str() {
                listed["bytes"] = bytes.len().into();
                listed["blake3"] = blake3::hash(&bytes).to_hex().as_str().into();
            }
            digest.update(listed["path"].as_str().unwrap().as_bytes());
            digest.update(listed["blake3"].as_str().unwrap().as_bytes());
        }
    }
    manifest["result_digest"] = digest.finalize().to_hex().as_str().into();
    // What stands beside the datasets is of other results now.
    manifest["files"] = Value::Array(Vec::new());
    for file in ["report.html", "run_results.json", "whale_curve.svg"] {
        fs::remove_file(job.path("out").join(file)).unwrap();
    }
    write_manifest(job, manifest);
}

#[test]
fn sums_that_do_not_tie_are_found_even_where_every_digest_is_right() {
    let job = output();
    one_cent_more(&job, "customer_cost", "amount");
    let (code, told) = verify(&job);
    assert_eq!(code, 3);
    assert!(told.contains("customer_cost: amount, and what its pools allocated of base, "), "{told}");
    assert!(told.contains("customer_profit: cost of activities, and its sum in customer_cost of base: "), "{told}");
}

#[test]
fn a_balance_of_products_that_does_not_tie_is_found() {
    let job = output();
    one_cent_more(&job, "product_balance", "allocated");
    let (code, told) = verify(&job);
    assert_eq!(code, 3);
    assert!(told.contains("product_balance: what came and what became of it of base, handling, "), "{told}");
    let job = output();
    one_cent_more(&job, "product_balance", "residual");
    assert!(verify(&job).1.contains("product_balance: residual of base: 1 and 0 minor units"));
}

#[test]
fn a_folder_that_is_no_output_is_told_so() {
    let job = output();
    fs::remove_file(job.path("out/run_manifest.json")).unwrap();
    let (code, told) = verify(&job);
    assert_eq!(code, 2);
    assert_eq!(
        told,
        "error: out: no output of whalecurve: it has no run_manifest.json\n  hint: name the folder that a run has written\n"
    );
}
