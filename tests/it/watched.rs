//! How a run is watched: lines a stage, events as JSON, a summary file, a heartbeat, and the memory it may use.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::{commit, support::Job};

/// Every event code that a command may tell. A name here is a promise: add, never change.
const EVENTS: [&str; 9] =
    ["check", "config_error", "error", "finished", "heartbeat", "message", "note", "stage_ended", "stage_started"];

fn events(told: &[u8]) -> Vec<Value> {
    let told = String::from_utf8(told.to_vec()).unwrap();
    told.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| unreachable!("no JSON: {line}"))).collect()
}

fn codes(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

fn summary(job: &Job) -> (String, Value) {
    let path: PathBuf = job.path("summary.json");
    (
        path.to_str().unwrap().to_owned(),
        serde_json::from_slice(&fs::read(&path).unwrap_or_default()).unwrap_or_default(),
    )
}

#[test]
fn a_run_tells_a_line_a_stage_with_rows_a_second_and_memory() {
    let job = commit::job();
    let told = String::from_utf8(job.try_run(&[]).stderr).unwrap();
    let facts = told.lines().find(|line| line.starts_with("facts ")).unwrap();
    for part in [" s ", " MiB ", " rows ", "/s"] {
        assert!(facts.contains(part), "{facts}");
    }
    assert!(told.find("facts ").unwrap() < told.find("publish ").unwrap());
}

#[test]
fn every_line_of_a_json_log_is_an_event_with_time_level_and_a_known_code() {
    let job = commit::job();
    let done = job.try_run(&["--log-format", "json", "--heartbeat", "0.001"]);
    assert!(done.status.success());
    let events = events(&done.stderr);
    for event in &events {
        assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
        assert!(["info", "warn", "error"].contains(&event["level"].as_str().unwrap()), "{event}");
    }
    let mut codes = codes(&events);
    assert_eq!((codes.first(), codes.last()), (Some(&"stage_started"), Some(&"finished")));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes, ["check", "finished", "heartbeat", "message", "note", "stage_ended", "stage_started"]);
    let ended = events.iter().find(|event| event["event"] == "stage_ended" && event["stage"] == "facts").unwrap();
    assert!(ended["rows"].as_u64().unwrap() > 0 && ended["rows_per_second"].as_u64().unwrap() > 0, "{ended}");
    assert_eq!(events.last().unwrap()["exit_code"], 0);
    // Standard output holds the result alone, one line.
    assert_eq!(String::from_utf8(done.stdout).unwrap().lines().count(), 1);
}

#[test]
fn what_is_wrong_with_a_config_is_an_event_a_problem() {
    let job = Job::new("version: 1\ncurrency: EUR\nnaem: x\nseed: many\n");
    let done = job.try_run(&["--log-format", "json"]);
    assert_eq!(done.status.code(), Some(2));
    let events = events(&done.stderr);
    assert_eq!(codes(&events), ["config_error", "config_error", "config_error", "finished"]);
    assert!(events.iter().all(|event| EVENTS.contains(&event["event"].as_str().unwrap())));
    assert!(events.iter().any(|event| event["at"].as_str().is_some_and(|at| at.ends_with("whalecurve.yaml:3:1"))));
}

#[test]
fn a_summary_file_tells_how_a_command_ended_also_after_a_failure() {
    let job = commit::job();
    let (path, _) = summary(&job);
    let digest = job.run(&["--summary-file", &path])["result_digest"].clone();
    let (_, told) = summary(&job);
    assert_eq!(
        (&told["command"], &told["status"], &told["exit_code"]),
        (&"run".into(), &"succeeded".into(), &0.into())
    );
    assert_eq!(told["result"]["result_digest"], digest);
    assert!(told["stages"].as_array().unwrap().iter().any(|stage| stage["stage"] == "publish"));
    assert_eq!(told["errors"].as_array().unwrap().len(), 0);

    fs::remove_file(job.path("ledger.parquet")).unwrap();
    assert_eq!(job.try_run(&["--summary-file", &path]).status.code(), Some(1));
    let (_, told) = summary(&job);
    assert_eq!((&told["status"], &told["result"]), (&"failed".into(), &Value::Null));
    assert!(told["errors"][0]["message"].as_str().unwrap().contains("ledger.parquet"), "{told}");

    fs::write(job.path("whalecurve.yaml"), "version: 1\nsurprise: 1\n").unwrap();
    assert_eq!(job.try_run(&["--summary-file", &path]).status.code(), Some(2));
    let (_, told) = summary(&job);
    assert_eq!(told["status"], "usage");
    let places: Vec<&str> =
        told["errors"].as_array().unwrap().iter().map(|error| error["at"].as_str().unwrap()).collect();
    assert!(places.iter().any(|at| at.ends_with("whalecurve.yaml:2:1")), "{told}");

    let nowhere = job.path("absent/summary.json");
    let done = job.try_run(&["--summary-file", nowhere.to_str().unwrap()]);
    // Told before anything is done, not after the commit.
    assert_eq!(done.status.code(), Some(2));
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(told.starts_with("error: ") && told.contains("absent/summary.json: "), "{told}");
}

#[test]
fn a_run_that_needs_more_memory_than_it_may_use_says_so_and_leaves_the_old_version() {
    let job = commit::job();
    let digest = job.run(&[])["result_digest"].clone();
    let (path, _) = summary(&job);
    let done = job.try_run(&["--memory", "16MiB", "--seed", "2", "--summary-file", &path]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{told}");
    assert!(told.contains("and may use 16 MiB; nothing was committed\n  hint: allow more with --memory"), "{told}");
    assert_eq!(summary(&job).1["status"], "failed");
    let manifest: Value = serde_json::from_slice(&fs::read(job.path("out/run_manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["result_digest"], digest);
    let beside: Vec<String> = fs::read_dir(job.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(beside.is_empty(), "{beside:?}");

    // Enough is enough.
    assert!(job.try_run(&["--memory", "4GiB"]).status.success());
    assert_eq!(job.try_run(&["--memory", "a lot"]).status.code(), Some(2));
}

#[test]
fn lineage_has_an_end_also_where_a_run_is_cut_off() {
    let job = commit::job();
    let file = job.path("lineage.ndjson");
    let lineage = ["--lineage-file", file.to_str().unwrap()];
    assert_eq!(job.try_run(&[&lineage[..], &["--memory", "16MiB"]].concat()).status.code(), Some(1));
    let events = fs::read_to_string(&file).unwrap();
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().map(|event| event["eventType"].as_str().unwrap()).collect::<Vec<_>>(), ["START", "FAIL"]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    let message = events[1]["run"]["facets"]["errorMessage"]["message"].as_str().unwrap();
    assert!(message.contains("and may use 16 MiB"), "{message}");
}

#[test]
fn more_threads_than_anybody_means_are_refused() {
    for threads in ["20000", "0"] {
        let done = commit::job().try_run(&["--threads", threads]);
        assert_eq!(done.status.code(), Some(2));
        assert!(String::from_utf8(done.stderr).unwrap().contains("expected 1 to 1024"));
    }
}

#[test]
fn lineage_has_a_start_and_an_end_with_what_was_read_and_written_and_never_fails_a_run() {
    let job = commit::job();
    let file = job.path("lineage.ndjson");
    job.run(&["--lineage-file", file.to_str().unwrap()]);
    fs::rename(job.path("ledger.parquet"), job.path("gone.parquet")).unwrap();
    assert_eq!(job.try_run(&["--lineage-file", file.to_str().unwrap()]).status.code(), Some(1));
    let events = events(&fs::read(&file).unwrap());
    let kinds: Vec<&str> = events.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["START", "COMPLETE", "START", "FAIL"]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    assert_ne!(events[0]["run"]["runId"], events[2]["run"]["runId"]);
    let read = &events[1]["inputs"][0];
    assert!(read["name"].as_str().unwrap().ends_with("/ledger.parquet"), "{read}");
    assert_eq!(read["inputFacets"]["inputStatistics"]["rowCount"], 6_000);
    let outputs = events[1]["outputs"].as_array().unwrap();
    let profit = outputs.iter().find(|output| output["name"].as_str().unwrap().ends_with("/customer_profit")).unwrap();
    assert_eq!(profit["outputFacets"]["outputStatistics"]["rowCount"], 2_000);
    let fields = profit["facets"]["schema"]["fields"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["name"] == "net_revenue"), "{fields:?}");
    let why = &events[3]["run"]["facets"]["errorMessage"]["message"];
    assert!(why.as_str().unwrap().contains("ledger.parquet"), "{why}");

    fs::rename(job.path("gone.parquet"), job.path("ledger.parquet")).unwrap();
    let nowhere = job.path("absent/lineage.ndjson");
    let done = job.try_run(&["--lineage-file", nowhere.to_str().unwrap()]);
    assert!(done.status.success());
    assert!(String::from_utf8(done.stderr).unwrap().contains("no lineage was written"));
}

#[test]
fn a_line_of_lineage_begins_anew_after_one_that_was_torn() {
    let job = commit::job();
    let file = job.path("lineage.ndjson");
    job.run(&["--lineage-file", file.to_str().unwrap()]);
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 100]).unwrap();
    job.run(&["--lineage-file", file.to_str().unwrap()]);
    let lines = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 4);
    for line in [lines[0], lines[2], lines[3]] {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn no_file_that_a_command_writes_takes_the_place_of_a_config_an_input_or_a_part_of_an_output() {
    let job = commit::job();
    job.run(&[]);
    let config = job.path("whalecurve.yaml");
    let before = |path: &PathBuf| fs::read(path).ok();
    let output = job.path("out");
    for place in ["whalecurve.yaml", "ledger.parquet", "out/new.json", "out/run_manifest.json", "out/report.html"] {
        let place = job.path(place);
        let held = before(&place);
        let (text, named) = (config.to_str().unwrap(), place.to_str().unwrap());
        for arguments in [
            vec!["check", text, "--summary-file", named],
            vec!["run", text, "--output", output.to_str().unwrap(), "--lineage-file", named],
            vec!["fit", text, "--model", named],
            vec!["report", output.to_str().unwrap(), "--to", named],
        ] {
            let done = crate::support::whalecurve(&arguments);
            let told = job.without_folder(&done.stderr);
            if arguments[0] == "report" && place.ends_with("report.html") {
                assert!(done.status.success(), "{told}");
                continue;
            }
            assert_eq!(done.status.code(), Some(2), "{arguments:?}: {told}");
            assert!(told.contains("there is a file already") || told.contains("lies within the "), "{told}");
            assert_eq!(before(&place), held, "{arguments:?}");
        }
    }
    // One that stands elsewhere is replaced by the next of its kind.
    for _ in 0..2 {
        let (to, model, summary) = (job.path("page.html"), job.path("model.json"), job.path("summary.json"));
        assert!(
            crate::support::whalecurve(&["report", output.to_str().unwrap(), "--to", to.to_str().unwrap()])
                .status
                .success()
        );
        let arguments = ["--model", model.to_str().unwrap(), "--summary-file", summary.to_str().unwrap()];
        assert!(job.command("fit", &arguments).status.success());
    }
}

#[test]
fn a_file_within_an_input_folder_or_the_output_that_is_to_come_is_refused() {
    let job = Job::new(
        "{version: 1, currency: EUR, output: results, inputs: {transactions: {path: l, columns: {customer_id: c, date: d, amount: a}}}}",
    );
    job.parquet(
        "l/a.parquet",
        vec![("c", crate::support::integers([1])), ("d", crate::support::days([1])), ("a", crate::support::cents([1]))],
    );
    fs::create_dir(job.path("results")).unwrap();
    for (place, what) in [("l/s.json", "lies within the input "), ("results/s.json", "lies within the output ")] {
        let done = job.command("run", &["--summary-file", job.path(place).to_str().unwrap()]);
        let told = job.without_folder(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{told}");
        assert!(told.starts_with(&format!("error: --summary-file {place}: {what}")), "{told}");
        assert!(!job.path(place).exists());
    }
}

#[test]
fn a_command_line_that_is_wrong_is_told_as_the_log_and_the_summary_want_it() {
    let job = commit::job();
    let (path, _) = summary(&job);
    let done = job.try_run(&["--sead", "2", "--log-format", "json", "--summary-file", &path]);
    assert_eq!(done.status.code(), Some(2));
    let events = events(&done.stderr);
    assert_eq!(codes(&events), ["error", "finished"]);
    assert_eq!((&events[1]["command"], &events[1]["exit_code"]), (&"run".into(), &2.into()));
    let (_, told) = summary(&job);
    assert_eq!((&told["status"], &told["command"]), (&"usage".into(), &"run".into()));
    assert!(told["errors"][0]["message"].as_str().unwrap().starts_with("unexpected argument '--sead' found"), "{told}");
    let done = job.try_run(&["--sead", "2"]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(
        done.status.code() == Some(2) && told.contains("unexpected argument '--sead' found") && told.contains("Usage:"),
        "{told}"
    );
    assert!(job.try_run(&["--help", "--log-format", "json"]).status.success());
}
