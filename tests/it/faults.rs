//! A run that dies or fails at every named place of its commit: `cargo test --features faults --test it faults`.

#![cfg(feature = "faults")]

use std::os::unix::process::ExitStatusExt;

use crate::commit::{beside, job, seen, start, trials, version};

/// Every place of `src/publish`, and whether readers see the new version after a run has died there.
const PLACES: [(&str, bool); 13] = [
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

#[test]
fn a_write_that_fails_at_a_place_is_told_and_leaves_one_version_whole() {
    let job = job();
    let new = version(&job, "2");
    for (place, replaced) in PLACES {
        let old = version(&job, "1");
        let failed = start(&job, "2", Some(&format!("{place}:error"))).wait_with_output().unwrap();
        if place != "none" {
            let told = String::from_utf8(failed.stderr).unwrap();
            assert_eq!(failed.status.code(), Some(1), "{place}: {told}");
            assert!(told.contains("a fault that a test asked for"), "{place}: {told}");
        }
        assert_eq!(seen(&job), if replaced { new.clone() } else { old }, "{place}");
        assert!(beside(&job).is_empty(), "{place}: {:?}", beside(&job));
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
        assert!(beside(&job).is_empty(), "place {number}: {:?}", beside(&job));
        if done.status.success() {
            // It has come by fewer places than this one.
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
