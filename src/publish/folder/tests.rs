//! What stands in an output and beside it after commits, kills and what others put there.

use super::*;

fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
    let guard = tempfile::tempdir().unwrap();
    let output = Utf8PathBuf::from_path_buf(guard.path().join("out")).unwrap();
    (guard, output)
}

fn commit(output: &Utf8Path, content: &str) -> Result<(), PublishError> {
    let staging = Staging::new(output)?;
    fs::create_dir(staging.path().join("trace")).unwrap();
    fs::write(staging.path().join("trace/part-00000.parquet"), content).unwrap();
    staging.write(MANIFEST, content)?;
    assert_eq!(staging.commit()?, [""; 0]);
    Ok(())
}

fn beside(output: &Utf8Path) -> Vec<String> {
    let mut names: Vec<String> = parent(output)
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .filter(|name| name != "out")
        .collect();
    names.sort();
    names
}

fn mode(path: &Utf8Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_commit_replaces_the_whole_and_leaves_nothing_beside_it() {
    let (_guard, output) = scratch();
    commit(&output, "one").unwrap();
    fs::write(output.join("whale_curve.svg"), "stale").unwrap();
    commit(&output, "two").unwrap();
    assert_eq!(fs::read_to_string(output.join("trace/part-00000.parquet")).unwrap(), "two");
    assert!(!output.join("whale_curve.svg").exists());
    assert!(beside(&output).is_empty(), "{:?}", beside(&output));
    for success in [output.join(SUCCESS), output.join("trace").join(SUCCESS)] {
        assert_eq!(fs::metadata(success).unwrap().len(), 0);
    }
    assert_eq!((mode(&output), mode(&output.join("trace"))), (FOLDER_MODE, FOLDER_MODE));
    assert_eq!(mode(&output.join("trace/part-00000.parquet")), FILE_MODE);
}

#[test]
fn so_many_old_versions_stay_as_are_asked_for_and_go_when_cleaned() {
    let (_guard, output) = scratch();
    for version in ["1", "2", "3", "4", "5"] {
        let staging = Staging::new(&output).unwrap().keeping(2);
        staging.write(MANIFEST, version).unwrap();
        staging.commit().unwrap();
    }
    let read = |folder: &Utf8PathBuf| fs::read_to_string(folder.join(MANIFEST)).unwrap();
    assert_eq!(read(&output), "5");
    assert_eq!(kept(&output).unwrap().iter().map(read).collect::<Vec<_>>(), ["3", "4"]);
    // A rest of a killed run goes, kept versions stay until they are asked for.
    fs::create_dir(parent(&output).join(".staging-out-77")).unwrap();
    let removed = clean(&output, false).unwrap();
    assert_eq!(removed.iter().map(|path| path.file_name().unwrap()).collect::<Vec<_>>(), [".staging-out-77"]);
    assert_eq!(clean(&output, true).unwrap().len(), 2);
    assert_eq!(beside(&output), [""; 0]);
    assert_eq!(read(&output), "5");
}

#[test]
fn what_others_put_into_an_output_is_kept_with_the_version_that_is_replaced_and_told() {
    let (_guard, output) = scratch();
    commit(&output, "one").unwrap();
    fs::write(output.join("mine.txt"), "mine").unwrap();
    let staging = Staging::new(&output).unwrap();
    staging.write(MANIFEST, "two").unwrap();
    let notes = staging.commit().unwrap();
    assert!(notes[0].contains("held 1 files or folders that are not of whalecurve, `mine.txt`"), "{notes:?}");
    let old = &kept(&output).unwrap()[0];
    assert_eq!(fs::read_to_string(old.join("mine.txt")).unwrap(), "mine");
    assert!(!output.join("mine.txt").exists());
}

/// A run killed between the exchange and what follows, which wanted two old versions kept.
#[test]
fn a_run_killed_after_its_commit_is_told_so_and_its_old_version_is_kept() {
    let (_guard, output) = scratch();
    commit(&output, "one").unwrap();
    let staging = Staging::new(&output).unwrap();
    staging.write(MANIFEST, "two").unwrap();
    Journal::write(&journal(&output), staging.path(), 2).unwrap();
    swap::swap(staging.path(), &output).unwrap();
    std::mem::forget(staging);
    // The lock of the forgotten run is on a file that is gone.
    fs::remove_file(lock_file(&output)).unwrap();
    fs::write(lock_file(&output), "123").unwrap();

    let next = Staging::new(&output).unwrap();
    let told = next.interrupted().unwrap();
    assert_eq!(told, "an earlier run (process 123) was cut off: its results were in place already");
    drop(next);
    assert_eq!(beside(&output), [".version-out-1"]);
    let read = |folder: &Utf8Path| fs::read_to_string(folder.join(MANIFEST)).unwrap();
    assert_eq!((read(&output), read(&kept(&output).unwrap()[0])), ("two".to_owned(), "one".to_owned()));
}

#[test]
fn a_version_with_the_last_number_there_is_was_none_of_ours_and_stops_no_commit() {
    let (_guard, output) = scratch();
    let strange = format!(".version-out-{}", u64::MAX);
    fs::create_dir(parent(&output).join(&strange)).unwrap();
    commit(&output, "one").unwrap();
    for content in ["two", "three"] {
        let staging = Staging::new(&output).unwrap().keeping(1);
        staging.write(MANIFEST, content).unwrap();
        assert_eq!(staging.commit().unwrap(), [""; 0]);
    }
    assert_eq!(beside(&output), [strange.as_str(), ".version-out-2"]);
}

#[test]
fn an_output_is_held_by_one_run() {
    let (_guard, output) = scratch();
    let staging = Staging::new(&output).unwrap();
    assert_eq!(mode(staging.path()), STAGING_MODE);
    assert!(matches!(Staging::new(&output), Err(PublishError::Locked { .. })));
    drop(staging);
    assert!(beside(&output).is_empty());
    commit(&output, "one").unwrap();
}

#[test]
fn rests_of_killed_runs_go_and_what_looks_alike_stays() {
    let (_guard, output) = scratch();
    let names = [".staging-out-123", ".staging-out-123.old", ".staging-out-more-5", ".staging-out-"];
    for name in names {
        fs::create_dir(parent(&output).join(name)).unwrap();
    }
    fs::write(parent(&output).join(".lock-out"), "123").unwrap();
    let staging = Staging::new(&output).unwrap();
    let told = staging.interrupted().unwrap();
    assert_eq!(told, "an earlier run (process 123) was cut off: nothing of it is left");
    drop(staging);
    assert_eq!(beside(&output), [".staging-out-", ".staging-out-more-5"]);
}

#[test]
fn what_is_not_ours_is_refused_and_left_alone() {
    let (guard, output) = scratch();
    let target = Utf8PathBuf::from_path_buf(guard.path().join("elsewhere")).unwrap();
    fs::create_dir(&target).unwrap();
    std::os::unix::fs::symlink(&target, &output).unwrap();
    assert!(matches!(commit(&output, "one"), Err(PublishError::Link { .. })));
    fs::remove_file(&output).unwrap();
    fs::write(&output, "mine").unwrap();
    assert!(matches!(commit(&output, "one"), Err(PublishError::NotAFolder { .. })));
    fs::remove_file(&output).unwrap();
    fs::create_dir(&output).unwrap();
    fs::write(output.join("mine"), "").unwrap();
    assert!(matches!(commit(&output, "one"), Err(PublishError::Foreign { .. })));
    assert!(output.join("mine").exists() && target.read_dir_utf8().unwrap().next().is_none());
}

#[test]
#[cfg(target_os = "linux")]
fn a_mount_point_is_refused_before_a_run_has_worked_for_it() {
    assert!(matches!(refuse_foreign(Utf8Path::new("/proc")), Err(PublishError::Mount { .. })));
}

#[test]
fn what_was_put_there_meanwhile_is_not_dropped() {
    let (_guard, output) = scratch();
    let staging = Staging::new(&output).unwrap();
    fs::create_dir(&output).unwrap();
    fs::write(output.join("mine"), "").unwrap();
    staging.write(MANIFEST, "{}").unwrap();
    assert!(matches!(staging.commit(), Err(PublishError::Foreign { .. })));
    assert!(output.join("mine").exists() && beside(&output).is_empty());
}
