//! The protocol of a store, on one in memory.

use std::{fs, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, memory::InMemory, path::Path};

use super::{client::path, *};

struct Scene {
    guard: tempfile::TempDir,
    memory: Arc<InMemory>,
    stores: Stores,
    output: Location,
}

impl Scene {
    fn new() -> Self {
        let memory = Arc::new(InMemory::new());
        let output = Location::parse("s3://bucket/team/results").unwrap();
        let stores = Stores::with(&output, Arc::clone(&memory) as Arc<dyn ObjectStore>);
        Self { guard: tempfile::tempdir().unwrap(), memory, stores, output }
    }

    fn put(&self, key: &str, content: &[u8]) {
        let key = Path::parse(key).unwrap();
        self.stores.runtime.block_on(self.memory.put(&key, PutPayload::from(content.to_vec()))).unwrap();
    }

    /// Keys below the output.
    fn keys(&self) -> Vec<String> {
        let listed = self.stores.objects(&self.output).unwrap();
        let mut keys: Vec<String> =
            listed.iter().map(|object| object.location.key["team/results/".len()..].to_owned()).collect();
        keys.sort();
        keys
    }

    /// A folder with results.
    fn results(&self, content: &str) -> Utf8PathBuf {
        let folder = Utf8Path::from_path(self.guard.path()).unwrap().join(content);
        fs::create_dir_all(folder.join("rows")).unwrap();
        fs::write(folder.join("rows/part.parquet"), content).unwrap();
        fs::write(folder.join("rows/_SUCCESS"), "").unwrap();
        fs::write(folder.join("run_manifest.json"), "{}").unwrap();
        folder
    }

    fn publish(&self, claim: &Claim, content: &str, keep: usize) -> Result<Published, StoreError> {
        self.stores.publish(claim, &self.results(content), content, keep)
    }
}

#[test]
fn a_commit_is_seen_by_the_pointer_alone_and_keeps_what_it_is_told_to() {
    let scene = Scene::new();
    for content in ["aa", "bb", "cc"] {
        let claim = scene.stores.claim(&scene.output).unwrap();
        let published = scene.publish(&claim, content, 1).unwrap();
        assert_eq!(published.objects, 3);
    }
    let pointer = scene.stores.current(&scene.output).unwrap().unwrap();
    assert_eq!((pointer.run.as_str(), pointer.result_digest.as_str()), ("run=000003-cc", "cc"));
    assert_eq!(pointer.kept, ["run=000002-bb"]);
    let mut expected = vec![POINTER.to_owned()];
    for run in ["run=000002-bb", "run=000003-cc"] {
        expected
            .extend(["rows/_SUCCESS", "rows/part.parquet", "run_manifest.json"].map(|file| format!("{run}/{file}")));
    }
    expected.sort();
    assert_eq!(scene.keys(), expected);
}

#[test]
fn of_two_runs_at_once_one_commits_and_the_other_leaves_nothing() {
    let scene = Scene::new();
    let claims = [(); 2].map(|()| scene.stores.claim(&scene.output).unwrap());
    scene.publish(&claims[0], "aa", 1).unwrap();
    let seen = scene.keys();
    // The same results take a folder of their own.
    for content in ["aa", "bb"] {
        let lost = scene.publish(&claims[1], content, 1).unwrap_err();
        assert!(matches!(lost, StoreError::Lost { .. }), "{lost}");
        assert_eq!(lost.exit_code(), 75);
        assert_eq!(scene.keys(), seen);
    }
    // A claim of an older pointer loses as well.
    let old = scene.stores.claim(&scene.output).unwrap();
    scene.publish(&scene.stores.claim(&scene.output).unwrap(), "cc", 1).unwrap();
    assert!(matches!(scene.publish(&old, "dd", 1), Err(StoreError::Lost { .. })));
    assert_eq!(scene.stores.current(&scene.output).unwrap().unwrap().run, "run=000002-cc");
}

#[test]
fn what_a_killed_run_left_goes_with_the_next_commit_and_what_is_under_way_stays() {
    let scene = Scene::new();
    scene.publish(&scene.stores.claim(&scene.output).unwrap(), "aa", 1).unwrap();
    scene.put("team/results/run=000002-dead/run_manifest.json", b"{}");
    scene.put("team/results/run=000003-alive/run_manifest.json", b"{}");
    scene.put("team/results/notes/run=000001-x.txt", b"not ours");
    let published = scene.publish(&scene.stores.claim(&scene.output).unwrap(), "bb", 1).unwrap();
    assert_eq!(published.removed, ["run=000002-dead"]);
    let keys = scene.keys();
    assert!(keys.contains(&"run=000003-alive/run_manifest.json".to_owned()));
    assert!(keys.contains(&"notes/run=000001-x.txt".to_owned()));
}

#[test]
fn cleaning_removes_what_is_of_no_use_and_lets_a_run_under_way_lose() {
    let scene = Scene::new();
    for content in ["aa", "bb"] {
        scene.publish(&scene.stores.claim(&scene.output).unwrap(), content, 1).unwrap();
    }
    assert_eq!(scene.stores.clean(&scene.output, false).unwrap(), [""; 0]);
    let under_way = scene.stores.claim(&scene.output).unwrap();
    scene.put("team/results/run=000003-dead/run_manifest.json", b"{}");
    assert_eq!(scene.stores.clean(&scene.output, false).unwrap(), ["run=000003-dead"]);
    assert!(matches!(scene.publish(&under_way, "cc", 1), Err(StoreError::Lost { .. })));
    assert_eq!(scene.stores.clean(&scene.output, true).unwrap(), ["run=000001-aa"]);
    let pointer = scene.stores.current(&scene.output).unwrap().unwrap();
    assert_eq!((pointer.run.as_str(), pointer.kept.len()), ("run=000002-bb", 0));
}

#[test]
fn another_object_in_the_place_of_the_pointer_is_refused_and_left_alone() {
    let scene = Scene::new();
    scene.put("team/results/_CURRENT.json", b"{\"mine\": true}");
    assert!(matches!(scene.stores.claim(&scene.output), Err(StoreError::Foreign { .. })));
    assert_eq!(scene.keys(), [POINTER]);
}

#[test]
fn an_object_that_is_not_what_was_listed_is_refused() {
    let scene = Scene::new();
    scene.put("in/a.parquet", b"before");
    scene.put("in/b.parquet", b"stays");
    let at = |key: &str| Location::parse("s3://bucket").unwrap().at(key);
    let found = scene.stores.find(&at("in"), &["parquet"]).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(scene.stores.find(&at("in/a.parquet"), &[]).unwrap(), found[..1]);
    let wanted: Vec<(Object, Depth)> = found.into_iter().map(|object| (object, Depth::Whole)).collect();
    let spool = spool::Spool::new(Utf8Path::from_path(scene.guard.path()).unwrap(), "fetch").unwrap();
    scene.stores.fetch(&wanted[1..], &spool).unwrap();
    assert_eq!(fs::read(wanted[1].0.location.spooled(spool.path())).unwrap(), b"stays");
    scene.put("in/a.parquet", b"after!");
    let changed = scene.stores.fetch(&wanted[..1], &spool).unwrap_err();
    assert_eq!(changed.to_string(), "s3://bucket/in/a.parquet: changed while it was fetched");
    let key = path(&at("in/a.parquet")).unwrap();
    scene.stores.runtime.block_on(scene.memory.delete(&key)).unwrap();
    fs::remove_file(wanted[0].0.location.spooled(spool.path())).unwrap();
    assert!(matches!(scene.stores.fetch(&wanted[..1], &spool), Err(StoreError::Changed { .. })));
}

#[test]
fn a_footer_is_fetched_without_the_rows_before_it() {
    let scene = Scene::new();
    // A footer that is longer than what is fetched first.
    let footer: u32 = 100_000;
    let mut content = vec![7; 1_000_000];
    content.extend(footer.to_le_bytes());
    content.extend(b"PAR1");
    scene.put("in/a.parquet", &content);
    let found = scene.stores.find(&Location::parse("s3://bucket/in").unwrap(), &["parquet"]).unwrap();
    let spool = spool::Spool::new(Utf8Path::from_path(scene.guard.path()).unwrap(), "footer").unwrap();
    scene.stores.fetch(&[(found[0].clone(), Depth::Footer)], &spool).unwrap();
    let kept = fs::read(found[0].location.spooled(spool.path())).unwrap();
    let from = content.len() - footer as usize - 8;
    assert_eq!(kept.len(), content.len());
    assert_eq!(kept[from..], content[from..]);
    assert!(kept[..from].iter().all(|byte| *byte == 0));
}
