//! Running the binary, writing what it reads and reading what it wrote.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use arrow_array::{
    Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array,
};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    file::properties::WriterProperties,
};

/// The checkout.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the binary in the checkout.
pub(crate) fn whalecurve(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_whalecurve")).args(arguments).current_dir(root()).output().unwrap()
}

/// What was told apart from the lines of the stages, whose times differ from run to run.
pub(crate) fn without_stages(told: &str) -> String {
    let is_stage = |line: &&str| {
        let mut words = line.split_whitespace().skip(1);
        words.next().is_some_and(|word| word.parse::<f64>().is_ok()) && words.next() == Some("s")
    };
    told.lines().filter(|line| !is_stage(line)).flat_map(|line| [line, "\n"]).collect()
}

/// Runs a config into a fresh folder and returns the manifest.
pub(crate) fn run(config: &Path, output: &Path, more: &[&str]) -> serde_json::Value {
    let mut arguments = vec!["run", config.to_str().unwrap(), "--output", output.to_str().unwrap()];
    arguments.extend(more);
    let done = whalecurve(&arguments);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_str(&fs::read_to_string(output.join("run_manifest.json")).unwrap()).unwrap()
}

/// Small groups are told as well.
pub(crate) const EVERY_GROUP: &str = "\nsuppress: {smallest_group: 1}\n";

/// A scratch folder with a config and its inputs.
pub(crate) struct Job {
    folder: tempfile::TempDir,
}

impl Job {
    /// A folder with `whalecurve.yaml`. Tests have few customers: all groups are told where the config does not say which.
    pub(crate) fn new(config: &str) -> Self {
        let silent = !config.starts_with('{') && config.contains("inputs:") && !config.contains("suppress:");
        let job = Self { folder: tempfile::tempdir().unwrap() };
        let every = if silent { EVERY_GROUP } else { "" };
        fs::write(job.path("whalecurve.yaml"), format!("{config}{every}")).unwrap();
        job
    }

    /// A path below the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a text file, such as a CSV table.
    pub(crate) fn text(&self, name: &str, content: &str) -> &Self {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
        self
    }

    /// Writes a Parquet file.
    pub(crate) fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> &Self {
        self.parquet_in_groups(name, columns, 1_048_576)
    }

    /// Writes a Parquet file with row groups of `rows` rows.
    pub(crate) fn parquet_in_groups(&self, name: &str, columns: Vec<(&str, ArrayRef)>, rows: usize) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows)).build();
        let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self
    }

    /// Runs another command on the job's config.
    pub(crate) fn command(&self, command: &str, more: &[&str]) -> Output {
        let config = self.path("whalecurve.yaml");
        whalecurve(&[&[command, config.to_str().unwrap()], more].concat())
    }

    /// Runs the job.
    pub(crate) fn try_run(&self, more: &[&str]) -> Output {
        let config = self.path("whalecurve.yaml");
        let output = self.path("out");
        let mut arguments = vec!["run", config.to_str().unwrap(), "--output", output.to_str().unwrap()];
        arguments.extend(more);
        whalecurve(&arguments)
    }

    /// Runs the job, which must succeed, and returns the manifest.
    pub(crate) fn run(&self, more: &[&str]) -> serde_json::Value {
        run(&self.path("whalecurve.yaml"), &self.path("out"), more)
    }

    /// Exit code and what was told, with the scratch folder's own path and the stages' lines left out.
    pub(crate) fn failure(&self) -> String {
        let done = self.try_run(&[]);
        let told = self.without_folder(&done.stderr);
        assert!(done.stdout.is_empty(), "a failure prints no result");
        assert!(!self.path("out").exists(), "a failure leaves no output");
        format!("exit code {}\n{}", done.status.code().unwrap(), told.trim_end())
    }

    /// What was told, without the scratch folder's own path and the stages' lines.
    pub(crate) fn without_folder(&self, told: &[u8]) -> String {
        without_stages(
            &String::from_utf8(told.to_vec()).unwrap().replace(&format!("{}/", self.folder.path().display()), ""),
        )
    }

    /// Sum of an output's decimal column in minor units.
    pub(crate) fn sum(&self, dataset: &str, column: &str) -> i128 {
        sum(&self.path("out"), dataset, column)
    }

    /// An output's decimal column in minor units (or millionths), nulls left out.
    pub(crate) fn decimals(&self, dataset: &str, column: &str) -> Vec<i128> {
        decimals(&self.path("out"), dataset, column)
    }

    /// An output's integer column.
    pub(crate) fn whole_numbers(&self, dataset: &str, column: &str) -> Vec<Option<i64>> {
        let values = |batch: &RecordBatch| {
            batch
                .column_by_name(column)
                .unwrap()
                .as_any()
                .downcast_ref::<Int64Array>()
                .unwrap()
                .iter()
                .collect::<Vec<_>>()
        };
        read(&self.path("out"), dataset).iter().flat_map(values).collect()
    }

    /// An output's float column, with nulls.
    pub(crate) fn optional_floats(&self, dataset: &str, column: &str) -> Vec<Option<f64>> {
        optional_floats(&self.path("out"), dataset, column)
    }

    /// An output's float column, which has no null.
    pub(crate) fn floats(&self, dataset: &str, column: &str) -> Vec<f64> {
        floats_of(&self.path("out"), dataset, column)
    }

    /// An output's text column, with nulls.
    pub(crate) fn optional_texts(&self, dataset: &str, column: &str) -> Vec<Option<String>> {
        let values = |batch: &RecordBatch| {
            let array = batch.column_by_name(column).unwrap().as_any().downcast_ref::<StringArray>().unwrap();
            array.iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
        };
        read(&self.path("out"), dataset).iter().flat_map(values).collect()
    }

    /// An output's text column.
    pub(crate) fn texts(&self, dataset: &str, column: &str) -> Vec<String> {
        let texts = |batch: &RecordBatch| {
            let array = batch.column_by_name(column).unwrap().as_any().downcast_ref::<StringArray>().unwrap();
            (0..array.len()).map(|row| array.value(row).to_owned()).collect::<Vec<_>>()
        };
        read(&self.path("out"), dataset).iter().flat_map(texts).collect()
    }
}

/// A text column.
pub(crate) fn text<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// An integer column.
pub(crate) fn integers(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// An integer column with nulls.
pub(crate) fn optional_integers(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(values))
}

/// An unsigned integer column.
pub(crate) fn unsigned(values: impl IntoIterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

/// A float column.
pub(crate) fn floats(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

/// A DECIMAL(18, 2) column of cents.
pub(crate) fn cents(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    let values = values.into_iter().map(i128::from);
    Arc::new(Decimal128Array::from_iter_values(values).with_precision_and_scale(18, 2).unwrap())
}

/// A date column of days since 1970-01-01.
pub(crate) fn days(values: impl IntoIterator<Item = i32>) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(values))
}

/// All batches of a dataset.
pub(crate) fn read(output: &Path, dataset: &str) -> Vec<RecordBatch> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(output.join(dataset)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    files
        .into_iter()
        .flat_map(|file| {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
            reader.build().unwrap().map(Result::unwrap).collect::<Vec<_>>()
        })
        .collect()
}

/// A decimal column in minor units, nulls left out.
pub(crate) fn decimals(output: &Path, dataset: &str, column: &str) -> Vec<i128> {
    let values = |batch: &RecordBatch| {
        let array = batch.column_by_name(column).unwrap().as_any().downcast_ref::<Decimal128Array>().unwrap();
        (0..array.len()).filter(|row| array.is_valid(*row)).map(|row| array.value(row)).collect::<Vec<_>>()
    };
    read(output, dataset).iter().flat_map(values).collect()
}

/// A float column, with nulls.
pub(crate) fn optional_floats(output: &Path, dataset: &str, column: &str) -> Vec<Option<f64>> {
    let values = |batch: &RecordBatch| {
        let array = batch.column_by_name(column).unwrap().as_any().downcast_ref::<Float64Array>().unwrap();
        array.iter().collect::<Vec<_>>()
    };
    read(output, dataset).iter().flat_map(values).collect()
}

/// A float column, which has no null.
pub(crate) fn floats_of(output: &Path, dataset: &str, column: &str) -> Vec<f64> {
    optional_floats(output, dataset, column).into_iter().map(Option::unwrap).collect()
}

/// Sum of a decimal column in minor units.
pub(crate) fn sum(output: &Path, dataset: &str, column: &str) -> i128 {
    decimals(output, dataset, column).iter().sum()
}

/// A file or folder that is not part of the project; `None`, said loudly, when it is absent.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    // Not `eprintln!`, which the test runner keeps to itself when a test passes.
    let told = format!("NOT TESTED: {name} is absent; put it beside the checkout in shared/ to run this test\n");
    std::io::stderr().write_all(told.as_bytes()).unwrap();
    None
}
