//! A disk that is full, files that may not grow, few file handles, a folder that may not be written: the run says so, the old
//! version stays, and nothing else is left.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, Output},
};

use crate::{
    commit::{self, beside, seen, trials, version},
    support::Job,
};

/// Runs a shell command that limits what the run may use, and then the run.
fn under(limit: &str, job: &Job, output: &Path, seed: &str) -> Output {
    let binary = env!("CARGO_BIN_EXE_whalecurve");
    let script = format!("{limit}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, binary, "run"]).arg(job.path("whalecurve.yaml"));
    command.arg("--output").arg(output).args(["--seed", seed, "--threads", "2"]).output().unwrap()
}

fn told(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

fn sh(script: &str) -> bool {
    Command::new("sh").args(["-c", script]).output().is_ok_and(|done| done.status.success())
}

/// A small disk of its own, gone with the test.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None`, said loudly, where this user may not mount one.
    fn new() -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        if disk.size("mount -t tmpfs -o", 1 << 30, "none") {
            return Some(disk);
        }
        let told = "NOT TESTED: a full disk: this user may not mount a tmpfs\n";
        std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).unwrap();
        None
    }

    fn size(&self, mount: &str, bytes: u64, what: &str) -> bool {
        sh(&format!("{mount} size={bytes} {what} '{}'", self.0.path().display()))
    }

    fn used(&self) -> u64 {
        let done = Command::new("sh")
            .args(["-c", &format!("df -B1 --output=used '{}' | tail -1", self.0.path().display())])
            .output()
            .unwrap();
        String::from_utf8(done.stdout).unwrap().trim().parse().unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        sh(&format!("umount '{}'", self.0.path().display()));
    }
}

#[test]
fn a_full_disk_is_told_and_the_old_version_stays() {
    let Some(disk) = Disk::new() else { return };
    let job = commit::job();
    let output = disk.0.path().join("out");
    let verified = || {
        let done = crate::support::whalecurve(&["verify", output.to_str().unwrap()]);
        assert!(done.status.success(), "{}", told(&done));
        String::from_utf8(done.stdout).unwrap()
    };
    assert!(under(":", &job, &output, "1").status.success());
    let (old, used) = (verified(), disk.used());
    // From a disk with a page to spare to one that has room for two versions.
    let steps = u64::from(trials(12)).max(4);
    let (mut full, mut enough) = (0, 0);
    for step in 0..=steps {
        assert!(disk.size("mount -o", used + 4_096 + used * step / steps, "-o remount"));
        let done = under(":", &job, &output, "2");
        let told = told(&done);
        if done.status.success() {
            enough += 1;
            assert!(under(":", &job, &output, "1").status.success());
        } else {
            full += 1;
            assert_eq!(done.status.code(), Some(1), "{told}");
            assert!(told.contains("No space left on device"), "{told}");
            assert!(told.contains("hint: check free space and permissions"), "{told}");
        }
        assert_eq!(verified(), old, "step {step}");
        let names: Vec<_> = fs::read_dir(disk.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["out"], "step {step}");
    }
    assert!(full >= 3, "the disk was full {full} times, not {enough}");
}

#[test]
fn a_file_that_may_not_grow_is_told_and_the_old_version_stays() {
    let job = commit::job();
    let old = version(&job, "1");
    let mut stopped = 0;
    // Blocks of 512 bytes.
    for blocks in (0..=64).step_by(if trials(1) > 1 { 1 } else { 8 }) {
        let done = under(&format!("ulimit -f {blocks}"), &job, &job.path("out"), "2");
        let told = told(&done);
        if done.status.success() {
            assert_eq!(version(&job, "1"), old);
            continue;
        }
        stopped += 1;
        assert_eq!(done.status.code(), Some(1), "{blocks} blocks: {told}");
        assert!(told.contains("File too large"), "{told}");
        assert_eq!((seen(&job), beside(&job)), (old.clone(), Vec::new()), "{blocks} blocks");
    }
    assert!(stopped >= 3, "only {stopped}");
}

#[test]
fn a_run_with_few_file_handles_commits_or_says_so() {
    let job = commit::job();
    let old = version(&job, "1");
    let (mut stopped, mut committed) = (0, 0);
    for handles in [8, 10, 12, 14, 16, 20, 24, 32, 64, 256] {
        let done = under(&format!("ulimit -n {handles}"), &job, &job.path("out"), "2");
        let told = told(&done);
        assert!(!told.contains("panicked"), "{told}");
        if done.status.success() {
            committed += 1;
            assert_eq!(version(&job, "1"), old);
            continue;
        }
        stopped += 1;
        assert_eq!(done.status.code(), Some(1), "{handles} handles: {told}");
        assert!(told.contains("ulimit -n 65536") && !told.contains("damaged"), "{handles} handles: {told}");
        assert_eq!(seen(&job), old, "{handles} handles");
        assert_eq!(version(&job, "1"), old);
        assert!(beside(&job).is_empty(), "{handles} handles: {:?}", beside(&job));
    }
    assert!(stopped >= 1 && committed >= 1, "{stopped} stopped, {committed} committed");
}

#[test]
fn memory_that_the_shell_allows_bounds_a_run_as_that_of_a_control_group_does() {
    let doctor = |limit: &str| {
        let binary = env!("CARGO_BIN_EXE_whalecurve");
        let done = Command::new("sh").args(["-c", &format!("{limit}; exec \"$0\" doctor"), binary]).output().unwrap();
        String::from_utf8([done.stdout, done.stderr].concat()).unwrap()
    };
    let told = doctor("ulimit -v 2000000");
    let allowed: u64 =
        told.split_once("the system leaves a run ").and_then(|(_, rest)| rest.split_once(' ')?.0.parse().ok()).unwrap();
    assert!((200..2_000_000 / 1_024).contains(&allowed), "{told}");
}

#[test]
fn the_users_mask_changes_neither_a_byte_nor_a_mode() {
    let job = commit::job();
    let of = |mask: &str| {
        let done = under(&format!("umask {mask}"), &job, &job.path("out"), "1");
        assert!(done.status.success(), "{}", told(&done));
        let mode = |name: &str| fs::metadata(job.path("out").join(name)).unwrap().permissions().mode() & 0o777;
        let modes =
            ["", "customer_value", "customer_value/part-00000.parquet", "run_manifest.json", "_SUCCESS"].map(mode);
        (seen(&job), modes)
    };
    let usual = of("022");
    assert_eq!(usual.1, [0o750, 0o750, 0o640, 0o640, 0o640]);
    assert_eq!(of("000"), usual);
    assert_eq!(of("077"), usual);
}

/// Nobody, who may write nothing.
const NOBODY: u32 = 65_534;

#[test]
fn a_folder_that_may_not_be_written_is_told_before_a_row_is_read() {
    let job = commit::job();
    let locked = job.path("locked");
    fs::create_dir(&locked).unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&job.path(""), 0o755);
    mode(&locked, 0o555);
    // Root may write everywhere: the run is another user's, with a binary that that user can reach.
    let binary = job.path("whalecurve");
    fs::copy(env!("CARGO_BIN_EXE_whalecurve"), &binary).unwrap();
    mode(&binary, 0o755);
    let mut command = Command::new(&binary);
    command.arg("run").arg(job.path("whalecurve.yaml")).arg("--output").arg(locked.join("out"));
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|done| done.stdout == b"0\n");
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    let done = command.output().unwrap();
    let told = told(&done);
    assert_eq!(done.status.code(), Some(1), "{told}");
    assert!(told.contains("locked/.lock-out: Permission denied"), "{told}");
    assert!(!told.contains("facts"), "{told}");
    assert_eq!(fs::read_dir(&locked).unwrap().count(), 0);
    mode(&locked, 0o755);
}
