//! OpenLineage events of a run, one JSON object a line: START, then COMPLETE or FAIL. They go into a file, to a receiver that the
//! environment names, and nowhere else, and never fail a run.
//!
//! Source: OpenLineage specification, object model 2-0-2, with the facets `schema`, `inputStatistics`, `outputStatistics` and
//! `errorMessage`.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    sync::{Mutex, PoisonError},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::streams::{Streams, now, timestamp};
use crate::{
    publish::folder,
    schema::{
        location::{Location, is_url},
        settings::{Settings, TableName},
    },
    store,
};

const SPEC: &str = "https://openlineage.io/spec";
const NAMESPACE: &str = "whalecurve";

/// Where receivers take events, below their URL.
const ENDPOINT: &str = "api/v1/lineage";

/// The events of one run; none are made where nobody asks for them.
pub(super) struct Lineage<'a> {
    file: Option<Utf8PathBuf>,
    receiver: Option<Receiver>,
    settings: &'a Settings,
    run: String,
}

/// The run that has begun and not ended, for whoever ends the process in its midst.
static UNDER_WAY: Mutex<Option<UnderWay>> = Mutex::new(None);

struct UnderWay {
    file: Option<Utf8PathBuf>,
    receiver: Option<Receiver>,
    /// What says that it failed, but for time and reason.
    event: Value,
}

/// Tells that the process ends before the run does; nothing where none is under way, or where its output is in place already.
/// Nobody is left who could be told what cannot be written or sent.
pub(super) fn cut_off(message: &str) {
    let Some(run) = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    if folder::placed() {
        return;
    }
    let UnderWay { file, receiver, mut event } = run;
    event["eventTime"] = timestamp(now()).into();
    event["run"]["facets"] = json!({"errorMessage": error_message(message)});
    if let Some(path) = file {
        let _ = append(&path, &event);
    }
    if let Some(Receiver { url, key }) = receiver {
        let _ = store::post(&url, key.as_deref(), event.to_string());
    }
}

fn error_message(message: &str) -> Value {
    facet("ErrorMessageRunFacet", "1-0-1", json!({"message": message, "programmingLanguage": "Rust"}))
}

/// Adds a line in one write, so that two runs with one file do not write into each other's lines; after one that a killed run has not
/// ended, on a line of its own.
fn append(path: &Utf8Path, event: &Value) -> std::io::Result<()> {
    let torn = !ends_a_line(path);
    let line = format!("{}{event}\n", if torn { "\n" } else { "" });
    OpenOptions::new().append(true).create(true).open(path)?.write_all(line.as_bytes())
}

/// Whether the next line of a file can begin at its end; what is no file, or none yet, has no line to end.
fn ends_a_line(path: &Utf8Path) -> bool {
    let last = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        std::io::Result::Ok(last[0])
    };
    !path.is_file()
        || last().is_ok_and(|last| last == b'\n')
        || std::fs::metadata(path).is_ok_and(|file| file.len() == 0)
}

/// Who takes events by HTTP.
#[derive(Clone)]
struct Receiver {
    url: String,
    key: Option<String>,
}

impl Receiver {
    /// As OpenLineage's own clients are told: by `OPENLINEAGE_URL`, `OPENLINEAGE_ENDPOINT`, `OPENLINEAGE_API_KEY` and
    /// `OPENLINEAGE_DISABLED`.
    #[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
    fn of_environment() -> Option<Self> {
        let told = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if told("OPENLINEAGE_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let endpoint = told("OPENLINEAGE_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        let url = format!("{}/{}", told("OPENLINEAGE_URL")?.trim_end_matches('/'), endpoint.trim_start_matches('/'));
        Some(Self { url, key: told("OPENLINEAGE_API_KEY") })
    }
}

impl<'a> Lineage<'a> {
    /// Events into a file, which they are appended to, and to the receiver that the environment names.
    pub(super) fn new(file: Option<Utf8PathBuf>, settings: &'a Settings) -> Self {
        Self { file, receiver: Receiver::of_environment(), settings, run: run_id() }
    }

    /// The run begins.
    pub(super) fn start(&self, streams: &mut Streams<'_>) -> std::io::Result<()> {
        if self.file.is_some() || self.receiver.is_some() {
            let (file, receiver) = (self.file.clone(), self.receiver.clone());
            let event = self.event("FAIL", &json!({}), (None, Vec::new()));
            *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner) = Some(UnderWay { file, receiver, event });
        }
        self.tell("START", &json!({}), (None, Vec::new()), streams)
    }

    /// The run ended with these results.
    pub(super) fn complete(&self, manifest: &Value, streams: &mut Streams<'_>) -> std::io::Result<()> {
        let outputs = manifest["outputs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let outputs = outputs.iter().map(|output| self.output(output)).collect();
        self.tell("COMPLETE", &json!({}), (Some(manifest), outputs), streams)
    }

    /// The run failed, as was told last.
    pub(super) fn fail(&self, streams: &mut Streams<'_>) -> std::io::Result<()> {
        let message = streams.last_error().unwrap_or("the run failed").to_owned();
        self.tell("FAIL", &json!({"errorMessage": error_message(&message)}), (None, Vec::new()), streams)
    }

    fn tell(
        &self,
        kind: &str,
        facets: &Value,
        (manifest, outputs): (Option<&Value>, Vec<Value>),
        streams: &mut Streams<'_>,
    ) -> std::io::Result<()> {
        if self.file.is_none() && self.receiver.is_none() {
            return Ok(());
        }
        if kind != "START" {
            *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        let event = self.event(kind, facets, (manifest, outputs));
        if let Some(path) = &self.file
            && let Err(error) = append(path, &event)
        {
            writeln!(streams.talk, "note: {path}: no lineage was written: {error}")?;
        }
        if let Some(Receiver { url, key }) = &self.receiver
            && let Err(what) = store::post(url, key.as_deref(), event.to_string())
        {
            writeln!(streams.talk, "note: OPENLINEAGE_URL: no {kind} event was sent: {what}")?;
        }
        Ok(())
    }

    fn event(&self, kind: &str, facets: &Value, (manifest, outputs): (Option<&Value>, Vec<Value>)) -> Value {
        json!({
            "eventType": kind,
            "eventTime": timestamp(now()),
            "producer": producer(),
            "schemaURL": format!("{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"),
            "run": {"runId": self.run, "facets": facets},
            "job": {"namespace": NAMESPACE, "name": self.settings.name, "facets": {}},
            "inputs": self.inputs(manifest),
            "outputs": outputs,
        })
    }

    /// The paths of every table that the config names; with what was read of it, where a table is one path.
    fn inputs(&self, manifest: Option<&Value>) -> Vec<Value> {
        let tables = TableName::ALL.into_iter().filter_map(|table| Some((table, self.settings.inputs.table(table)?)));
        let dataset = |table: TableName, path: &String, alone: bool| {
            let (namespace, name) = named(Utf8Path::new(&self.settings.base), path);
            let mut dataset = json!({"namespace": namespace, "name": name, "facets": {}});
            if let Some(read) = manifest.filter(|_| alone) {
                let of_table = |file: &&Value| file["table"] == table.as_str();
                let files: Vec<&Value> = read["inputs"].as_array().into_iter().flatten().filter(of_table).collect();
                let statistics = json!({
                    "rowCount": read["balances"][table.as_str()]["input"]["rows"],
                    "size": files.iter().filter_map(|file| file["bytes"].as_u64()).sum::<u64>(),
                    "fileCount": files.len(),
                });
                let statistics = facet("InputStatisticsInputDatasetFacet", "1-0-0", statistics);
                dataset["inputFacets"] = json!({"inputStatistics": statistics});
            }
            dataset
        };
        let of_table = |(table, setting): (TableName, &crate::schema::settings::TableSetting)| {
            let alone = setting.paths.len() == 1;
            setting.paths.iter().map(|path| dataset(table, path, alone)).collect::<Vec<Value>>()
        };
        tables.flat_map(of_table).collect()
    }

    fn output(&self, output: &Value) -> Value {
        let name = output["dataset"].as_str().unwrap_or_default();
        let field = |column: &Value| {
            let (name, kind) = column.as_str()?.split_once(' ')?;
            Some(json!({"name": name, "type": kind}))
        };
        let fields: Vec<Value> = output["columns"].as_array().into_iter().flatten().filter_map(field).collect();
        let files = output["files"].as_array().map(Vec::as_slice).unwrap_or_default();
        let statistics = json!({
            "rowCount": output["rows"],
            "size": files.iter().filter_map(|file| file["bytes"].as_u64()).sum::<u64>(),
            "fileCount": files.len(),
        });
        let output = &self.settings.output;
        let (namespace, name) = named(Utf8Path::new(""), &format!("{}/{name}", output.trim_end_matches('/')));
        json!({
            "namespace": namespace,
            "name": name,
            "facets": {"schema": facet("SchemaDatasetFacet", "1-1-1", json!({"fields": fields}))},
            "outputFacets": {"outputStatistics": facet("OutputStatisticsOutputDatasetFacet", "1-0-2", statistics)},
        })
    }
}

fn producer() -> String {
    format!("urn:whalecurve:{}", env!("CARGO_PKG_VERSION"))
}

/// A facet with what every facet must say.
fn facet(name: &str, version: &str, mut content: Value) -> Value {
    if let Some(content) = content.as_object_mut() {
        content.insert("_producer".to_owned(), producer().into());
        content.insert("_schemaURL".to_owned(), format!("{SPEC}/facets/{version}/{name}.json#/$defs/{name}").into());
    }
    content
}

/// Namespace and name of a dataset: a file's path, or bucket and key of a store.
fn named(base: &Utf8Path, path: &str) -> (String, String) {
    match Location::parse(path) {
        Ok(place) if is_url(path) => (place.root(), place.key),
        _ => ("file".to_owned(), absolute(&base.join(path))),
    }
}

fn absolute(path: &Utf8Path) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_string(), |path| path.to_string_lossy().into_owned())
}

/// A version 4 UUID of this process and moment.
fn run_id() -> String {
    let since = now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    let digest = blake3::hash(format!("{} {}", std::process::id(), since.as_nanos()).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
