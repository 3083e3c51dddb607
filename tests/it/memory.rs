//! The memory that a run says it needs, and what happens where it may not have it.

use serde_json::Value;

use crate::{
    commit::{self, beside, seen, version},
    support::{Job, whalecurve},
};

const MIB: u64 = 1 << 20;

fn planned(job: &Job) -> Value {
    let done = job.command("plan", &["--output-format", "json"]);
    assert!(done.status.success(), "{}", job.without_folder(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Largest resident memory of the run that wrote the output, bytes.
fn used(job: &Job) -> u64 {
    let record: Value = serde_json::from_slice(&std::fs::read(job.path("out/run_results.json")).unwrap()).unwrap();
    let stages = record["stages"].as_array().unwrap().iter();
    stages.filter_map(|stage| stage["peak_memory_mib"].as_u64()).max().unwrap() * MIB
}

#[test]
fn a_plan_tells_the_memory_of_a_run_and_what_it_is_for() {
    let job = commit::job();
    let plan = planned(&job);
    let memory = &plan["memory"];
    let parts: u64 = memory["parts"].as_object().unwrap().values().map(|bytes| bytes.as_u64().unwrap()).sum();
    assert_eq!(memory["bytes"], parts);
    // 2,000 integer ids without a customers table: the ledger's statistics tell the ends.
    assert_eq!((&memory["customers"], &memory["cells"]), (&2_000.into(), &2_000.into()));
    assert_eq!(memory["customers_by"], "smallest and largest id of the ledger, as if each between them were there");
    assert_eq!(plan["tables"][0]["rows"], 6_000);
    let text = String::from_utf8(job.command("plan", &[]).stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("It would need about ")).unwrap();
    assert!(line.contains("MiB of memory (the program ") && line.contains(", for 2000 customers ("), "{line}");
    // Not far from what the run then uses.
    version(&job, "1");
    let (told, used) = (memory["bytes"].as_u64().unwrap(), used(&job));
    assert!(told > used / 2 && told < used * 3, "{} MiB told, {} MiB used", told / MIB, used / MIB);
}

#[test]
fn more_customers_periods_and_datasets_need_more() {
    let job = commit::job();
    let of = |job: &Job| planned(job)["memory"]["bytes"].as_u64().unwrap();
    let whole = of(&job);
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let with = |line: &str| {
        std::fs::write(job.path("whalecurve.yaml"), format!("{config}{line}\n")).unwrap();
        of(&job)
    };
    assert!(with("outputs: [rejected]") < whole);
    // The ledger's days are of 1970, twelve months and a few.
    let plan = with("period: month");
    assert!(plan > whole, "{plan} and {whole}");
    let cells = planned(&job)["memory"]["cells"].as_u64().unwrap();
    assert!(cells > 2_000 && cells < 6_000, "{cells} customers and periods of 2,000 customers with 6,000 lines");
}

/// A limit of the whole, a half and a quarter of the estimate, and less: done, or a clear line and the old version.
#[test]
fn a_run_with_too_little_memory_ends_by_itself_and_one_with_little_is_warned() {
    let job = commit::job();
    let old = version(&job, "1");
    let bytes = planned(&job)["memory"]["bytes"].as_u64().unwrap();
    let (mut stopped, mut done) = (0, 0);
    for (share, warned) in [(1, false), (2, true), (4, true), (8, true)] {
        let config = job.path("whalecurve.yaml");
        let run =
            whalecurve(&["run", config.to_str().unwrap(), "--seed", "2", "--memory", &(bytes / share).to_string()]);
        let told = job.without_folder(&run.stderr);
        let note =
            format!(" MiB of memory and may use {} MiB: it may end for want of it", (bytes / share).div_ceil(MIB));
        assert_eq!(told.contains(&note), warned, "{told}");
        if run.status.success() {
            done += 1;
            assert_eq!(version(&job, "1"), old);
            continue;
        }
        stopped += 1;
        assert_eq!(run.status.code(), Some(1), "1/{share}: {:?} {told}", run.status);
        assert!(told.contains("; nothing was committed\n  hint: allow more with --memory"), "{told}");
        assert_eq!((seen(&job), beside(&job)), (old.clone(), Vec::new()), "1/{share}");
    }
    assert!(stopped >= 1 && done >= 1, "{stopped} stopped, {done} done");
}
