//! A run that dies or fails at every named place of its commit: `cargo test --features faults --test it faults`.

#![cfg(feature = "faults")]

use std::os::unix::process::ExitStatusExt;

use crate::{
    commit::{CONFIG, beside, job, seen, start, trials, version},
    support::{Job, whalecurve},
};

/// Every place of `src/publish`, and whether readers see the new version after a run has died there.
const PLACES: [(&str, bool); 14] = [
    ("locked", false),
    ("staged", false),
    ("create_part", false),
    ("write_part", false),
    ("sync_part", false),
    ("small_file", false),
    ("sync_file", false),
    ("success", false),
    ("sync_folder", false),
    ("sealed", false),
    ("journal", false),
    ("swapped", true),
    ("synced", true),
    ("none", true),
];

#[test]
fn a_run_that_dies_at_a_place_leaves_one_version_whole_and_the_next_run_nothing_else() {
    let job = job();
    let new = version(&job, "2");
    for (place, replaced) in PLACES {
        let old = version(&job, "1");
        let died = start(&job, "2", Some(&format!("{place}:kill"))).wait_with_output().unwrap();
        let injected = died.status.signal() == Some(9);
        assert_eq!(injected, place != "none", "{place}: {}", String::from_utf8_lossy(&died.stderr));
        assert_eq!(seen(&job), if replaced { new.clone() } else { old }, "{place}");
        assert_eq!(version(&job, "2"), new, "{place}: a rerun");
        assert!(beside(&job).is_empty(), "{place}: {:?}", beside(&job));
    }
}

/// Before the one step that readers see, a failure; after it, a note: no exit code denies what was committed.
#[test]
fn a_write_that_fails_at_a_place_is_told_and_leaves_one_version_whole() {
    let job = job();
    let new = version(&job, "2");
    for (place, replaced) in PLACES {
        let old = version(&job, "1");
        let failed = start(&job, "2", Some(&format!("{place}:error"))).wait_with_output().unwrap();
        let told = String::from_utf8(failed.stderr).unwrap();
        assert_eq!(failed.status.code(), Some(i32::from(!replaced)), "{place}: {told}");
        let note = told.lines().find(|line| line.contains("a fault that a test asked for"));
        assert_eq!(note.is_some(), place != "none", "{place}: {told}");
        assert_eq!(note.is_some_and(|line| line.starts_with("note: ")), replaced && place != "none", "{place}: {told}");
        assert_eq!(seen(&job), if replaced { new.clone() } else { old.clone() }, "{place}");
        match place {
            // The name of the new version may not be on the disk: the old one is kept.
            "swapped" => assert_eq!(kept(&job), [old]),
            // The old version is the next run's to clear away.
            "synced" => assert_eq!(version(&job, "2"), new),
            _ => {}
        }
        clean(&job);
        assert!(beside(&job).is_empty(), "{place}: {:?}", beside(&job));
    }
}

fn clean(job: &Job) {
    assert!(whalecurve(&["clean", job.path("out").to_str().unwrap(), "--versions"]).status.success());
}

/// Digests of the versions that are kept, the oldest first.
fn kept(job: &Job) -> Vec<String> {
    let versions = beside(job).into_iter().filter(|name| name.starts_with(".version-out-"));
    let manifest = |name: String| std::fs::read(job.path(&name).join("run_manifest.json")).unwrap();
    let digest = |text: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&text).unwrap()["result_digest"].clone();
    versions.map(|name| digest(manifest(name)).as_str().unwrap().to_owned()).collect()
}

/// With old versions kept, a kill right after the exchange loses none.
#[test]
fn a_run_that_dies_after_its_commit_is_told_so_and_the_version_that_it_replaced_is_kept() {
    let job = job();
    job.text("whalecurve.yaml", &format!("{CONFIG}keep_versions: 2\n"));
    let old = version(&job, "1");
    for place in ["swapped", "synced"] {
        let died = start(&job, "2", Some(&format!("{place}:kill"))).wait_with_output().unwrap();
        assert_eq!(died.status.signal(), Some(9));
        let next = start(&job, "1", None).wait_with_output().unwrap();
        let told = String::from_utf8(next.stderr).unwrap();
        assert!(told.contains("was cut off: its results were in place already"), "{told}");
        assert_eq!(kept(&job)[0], old, "{place}");
        assert_eq!(kept(&job).len(), 2, "{place}");
        clean(&job);
    }
}

#[test]
fn whichever_write_sync_or_rename_fails_one_version_stays_whole() {
    let job = job();
    let new = version(&job, "2");
    let old = version(&job, "1");
    let (mut failed, mut number) = (0, 1);
    loop {
        let done = start(&job, "2", Some(&format!("#{number}:error"))).wait_with_output().unwrap();
        let found = seen(&job);
        assert!(found == old || found == new, "place {number}: another version");
        if found == new {
            // The old version, where the system did not say that the new one's name is on the disk.
            clean(&job);
        }
        assert!(beside(&job).is_empty(), "place {number}: {:?}", beside(&job));
        if done.status.success() {
            // It has come by fewer places than this one, or failed after its commit.
            assert_eq!(found, new);
            break;
        }
        let told = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "place {number}: {told}");
        assert!(told.contains("a fault that a test asked for"), "place {number}: {told}");
        failed += 1;
        if found == new {
            assert_eq!(version(&job, "1"), old);
        }
        // Every one in the long form.
        number += if trials(1) > 1 { 1 } else { 13 };
    }
    assert!(failed > 8, "only {failed} places");
}
