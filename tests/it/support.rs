//! Running the binary and reading what it wrote.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// The checkout.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the binary.
pub fn whalecurve(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_whalecurve")).args(arguments).current_dir(root()).output().unwrap()
}

/// Runs a config into a fresh folder and returns the manifest.
pub fn run(config: &Path, output: &Path, more: &[&str]) -> serde_json::Value {
    let mut arguments = vec!["run", config.to_str().unwrap(), "--output", output.to_str().unwrap()];
    arguments.extend(more);
    let done = whalecurve(&arguments);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_str(&std::fs::read_to_string(output.join("run_manifest.json")).unwrap()).unwrap()
}

/// All batches of a dataset.
pub fn read(output: &Path, dataset: &str) -> Vec<RecordBatch> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(output.join(dataset)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .flat_map(|file| {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
            reader.build().unwrap().map(Result::unwrap).collect::<Vec<_>>()
        })
        .collect()
}

/// Sum of a decimal column in minor units.
pub fn sum(output: &Path, dataset: &str, column: &str) -> i128 {
    read(output, dataset)
        .iter()
        .map(|batch| {
            let array = batch.column_by_name(column).unwrap();
            let array = array.as_any().downcast_ref::<arrow_array::Decimal128Array>().unwrap();
            (0..array.len()).filter(|row| array.is_valid(*row)).map(|row| array.value(row)).sum::<i128>()
        })
        .sum()
}

/// A ledger that is not part of the project; `None`, said loudly, when it is absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("NOT TESTED: {name} is absent; put it beside the checkout in shared/data to run this test");
    None
}
