//! What readers of an output see while runs replace it, are killed, or fail: the old version or the new one, whole.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::support::{Job, cents, days, integers, whalecurve};

/// Signals by their number.
const HANG_UP: i32 = 1;
const INTERRUPT: i32 = 2;
const KILL: i32 = 9;
const TERMINATE: i32 = 15;

pub(crate) const CONFIG: &str = "
version: 1
currency: EUR
as_of: 1971-12-31
output: out
inputs:
  transactions: {path: ledger.parquet, columns: {customer_id: customer, date: day, amount: amount}}
activities:
  upkeep: {level: customer, method: average, cost: 99.99}
forecast: {horizon: 52 weeks, paths: 400}
";

/// A ledger of 2,000 customers, so that a run takes long enough to be cut off at many places.
pub(crate) fn job() -> Job {
    let job = Job::new(CONFIG);
    let lines = (0..2_000_i64).flat_map(|customer| (0..=customer % 5).map(move |order| (customer, order)));
    let lines: Vec<(i64, i64)> = lines.collect();
    job.parquet(
        "ledger.parquet",
        vec![
            ("customer", integers(lines.iter().map(|line| line.0))),
            ("day", days(lines.iter().map(|line| (line.0 % 300 + line.1 * (20 + line.0 % 50)) as i32))),
            ("amount", cents(lines.iter().map(|line| 1_000 + (line.0 * 7 + line.1 * 13) % 900))),
        ],
    );
    job
}

/// Starts a run; `seed` tells the versions apart.
pub(crate) fn start(job: &Job, seed: &str, fault: Option<&str>) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whalecurve"));
    command.arg("run").arg(job.path("whalecurve.yaml")).args(["--seed", seed, "--threads", "2"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(fault) = fault {
        command.env("WHALECURVE_FAULT", fault);
    }
    command.spawn().unwrap()
}

/// Runs to the end; the digest of the results.
pub(crate) fn version(job: &Job, seed: &str) -> String {
    let done = start(job, seed, None).wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let result: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    result["result_digest"].as_str().unwrap().to_owned()
}

/// The digest of the output that is there, after `whalecurve verify` has found it whole.
pub(crate) fn seen(job: &Job) -> String {
    let done = whalecurve(&["verify", job.path("out").to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let result: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    result["result_digest"].as_str().unwrap().to_owned()
}

/// Names beside the inputs and the output.
pub(crate) fn beside(job: &Job) -> Vec<String> {
    let known = ["whalecurve.yaml", "ledger.parquet", "out"];
    let mut names: Vec<String> = fs::read_dir(job.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    names.sort();
    names
}

fn signal(child: &Child, signal: i32) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

/// Waits until a run has begun to write.
fn staged(job: &Job) {
    let since = Instant::now();
    while !beside(job).iter().any(|name| name.starts_with(".staging-")) {
        assert!(since.elapsed() < Duration::from_mins(1), "no staging folder");
        sleep(Duration::from_millis(1));
    }
}

/// Kills that are tried; `WHALECURVE_TRIALS` asks for more.
pub(crate) fn trials(short: u32) -> u32 {
    #[expect(clippy::disallowed_methods, reason = "the long form of a test is asked for by the environment")]
    let asked = std::env::var("WHALECURVE_TRIALS");
    asked.ok().and_then(|trials| trials.parse().ok()).unwrap_or(short)
}

#[test]
fn a_run_that_is_killed_leaves_the_old_version_or_the_new_one_whole() {
    let job = job();
    let new = version(&job, "2");
    let since = Instant::now();
    let old = version(&job, "1");
    let mut length = since.elapsed();
    assert_ne!(old, new);
    let trials = trials(20);
    let mut killed = 0;
    for trial in 0..trials {
        let mut child = start(&job, "2", None);
        // Spread over the length of a run, its end included.
        sleep(length * (2 * trial + 1) / (2 * trials));
        let _ = child.kill();
        if child.wait().unwrap().signal() == Some(KILL) {
            killed += 1;
        } else {
            // The first runs were slower than this one.
            length = length * 9 / 10;
        }
        let found = seen(&job);
        assert!(found == old || found == new, "trial {trial}: another version");
        if found == new {
            assert_eq!(version(&job, "1"), old);
        }
    }
    assert!(killed * 2 > trials, "only {killed} of {trials} runs were killed before their end");
    assert_eq!(version(&job, "2"), new, "a clean rerun");
    assert_eq!((seen(&job), beside(&job)), (new, Vec::new()));
}

#[test]
fn a_signal_clears_away_what_was_staged_and_ends_the_run() {
    let job = job();
    let old = version(&job, "1");
    for (number, code) in [(TERMINATE, 143), (INTERRUPT, 130), (HANG_UP, 129)] {
        let mut child = start(&job, "2", None);
        staged(&job);
        signal(&child, number);
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!((seen(&job), beside(&job)), (old.clone(), Vec::new()));
    }
}

/// A reader of lineage who comes late holds the run up after its commit.
#[test]
fn a_signal_after_the_commit_lets_the_run_tell_its_result() {
    let job = job();
    let old = version(&job, "1");
    let pipe = job.path("lineage");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let read = || fs::read_to_string(&pipe).unwrap();
    for (number, seed) in [(TERMINATE, "2"), (INTERRUPT, "3")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_whalecurve"));
        command.arg("run").arg(job.path("whalecurve.yaml")).args(["--seed", seed, "--lineage-file"]).arg(&pipe);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert!(read().contains("START"));
        let since = Instant::now();
        while beside(&job).iter().any(|name| name.starts_with(".lock-")) || {
            let manifest = fs::read_to_string(job.path("out/run_manifest.json")).unwrap();
            !manifest.contains(&format!("\"seed\": {seed}"))
        } {
            assert!(since.elapsed() < Duration::from_mins(1), "no commit");
            sleep(Duration::from_millis(5));
        }
        signal(&child, number);
        sleep(Duration::from_millis(200));
        assert!(read().contains("COMPLETE"));
        let done = child.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{}", job.without_folder(&done.stderr));
        let result: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        assert!(result["result_digest"] == seen(&job).as_str() && result["result_digest"] != old.as_str());
    }
}

/// Whoever reads what is told may go at any time: the exit says how the work ended.
#[test]
fn an_exit_code_does_not_depend_on_who_reads_what_is_told() {
    let job = job();
    version(&job, "1");
    let run = |arguments: &[&str], out: Stdio, talk: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_whalecurve"));
        command.args(arguments).stdout(out).stderr(talk).status().unwrap().code()
    };
    let gone = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap());
    let (config, output) = (job.path("whalecurve.yaml"), job.path("out"));
    let (config, output) = (config.to_str().unwrap(), output.to_str().unwrap());
    let tampered = job.path("out/whale_curve.svg");
    for talk in [gone, full] {
        fs::write(&tampered, "another").unwrap();
        assert_eq!(run(&["run", "absent.yaml"], Stdio::null(), talk()), Some(2));
        assert_eq!(run(&["verify", output], Stdio::null(), talk()), Some(3));
        assert_eq!(run(&["run", config, "--memory", "1MiB"], Stdio::null(), talk()), Some(1));
        assert_eq!(run(&["run", config], Stdio::null(), talk()), Some(0));
    }
    // What is committed is no failure, and what only tells is one where it cannot.
    assert_eq!(run(&["run", config], full(), Stdio::null()), Some(0));
    assert_eq!(run(&["plan", config], full(), Stdio::null()), Some(1));
    assert_eq!(run(&["plan", config], gone(), Stdio::null()), Some(0));
}

#[test]
fn of_two_runs_at_once_one_commits_and_the_other_is_told_to_try_again() {
    let job = job();
    for trial in 0..trials(5) {
        let first = start(&job, "1", None);
        staged(&job);
        let second = start(&job, "2", None).wait_with_output().unwrap();
        let told = job.without_folder(&second.stderr);
        assert_eq!(second.status.code(), Some(75), "trial {trial}: {told}");
        let holder = first.id();
        assert_eq!(
            told.trim_end(),
            format!(
                "error: .lock-out: another run (process {holder}) writes to this output\n  hint: try again when it has \
                 ended; a lock ends with its process, so none is ever stale"
            )
        );
        assert!(first.wait_with_output().unwrap().status.success());
        assert!(beside(&job).is_empty());
    }
}

#[test]
fn a_reader_in_a_loop_never_misses_a_file_nor_reads_a_part_of_one() {
    let job = job();
    let read = |folder: &Path| {
        let file = folder.join("customer_value/part-00000.parquet");
        fs::read(file).map(|bytes| blake3::hash(&bytes)).map_err(|error| error.kind())
    };
    let versions: Vec<_> = ["1", "2"]
        .into_iter()
        .map(|seed| {
            version(&job, seed);
            read(&job.path("out"))
        })
        .collect();
    assert_ne!(versions[0], versions[1]);
    let done = AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = [0, 0];
            while !done.load(Ordering::Relaxed) {
                let found = read(&job.path("out"));
                let which = versions.iter().position(|version| *version == found);
                reads[which.unwrap_or_else(|| panic!("neither version: {found:?}"))] += 1;
                assert!(job.path("out/_SUCCESS").exists());
            }
            reads
        });
        for _ in 0..trials(4) {
            version(&job, "1");
            version(&job, "2");
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(reads.iter().all(|reads| *reads > 10), "{reads:?}");
}

#[test]
fn an_output_within_an_input_or_around_one_is_refused_before_anything_is_read() {
    let job = Job::new(
        "{version: 1, currency: EUR, inputs: {transactions: {path: ledger, columns: {customer_id: c, date: d, amount: a}}}}",
    );
    job.parquet("ledger/a.parquet", vec![("c", integers([1])), ("d", days([1])), ("a", cents([100]))]);
    for (output, told) in [
        ("ledger/results", "ledger/results: the output and the input ledger lie within each other"),
        ("ledger/../ledger", "ledger/../ledger: the output and the input ledger lie within each other"),
        ("", ": the output and the input ledger lie within each other"),
    ] {
        let done = job.command("run", &["--output", job.path(output).to_str().unwrap()]);
        let found = job.without_folder(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{output}: {found}");
        assert!(found.starts_with(&format!("error: {told}\n")), "{found}");
    }
    assert!(job.path("ledger/a.parquet").exists());
    assert_eq!(fs::read_dir(job.path("ledger")).unwrap().count(), 1);
}

#[test]
fn an_input_that_changes_while_it_is_read_stops_the_run_and_the_old_version_stays() {
    let job = job();
    let old = version(&job, "1");
    let ledger = fs::File::options().append(true).open(job.path("ledger.parquet")).unwrap();
    let run = start(&job, "2", None);
    let id = run.id();
    let done = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| run.wait_with_output().unwrap());
        let mut second = 0;
        while !waiting.is_finished() {
            second += 1;
            ledger.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
            sleep(Duration::from_millis(1));
        }
        waiting.join().unwrap()
    });
    assert_eq!(done.status.code(), Some(1), "process {id}");
    assert_eq!(
        job.without_folder(&done.stderr).trim_end(),
        "error: ledger.parquet: changed while it was read\n  hint: run it again when nothing writes to the inputs any longer"
    );
    assert_eq!((seen(&job), beside(&job)), (old, Vec::new()));
}
