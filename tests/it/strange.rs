//! Anything at all in the place of what is meant: configs, manifests, footers and names of partitions. Never a panic, and no
//! path that leads out of a folder.

use std::{fs, path::Path};

use camino::Utf8Path;
use proptest::prelude::*;
use whalecurve::{
    cli::config::{self, Overrides},
    publish::check::check,
    read::footer::check as check_footer,
    schema::inputs::Limits,
};

use crate::{
    commit,
    damage::Dice,
    support::{Job, cents, days, integers, root},
};

/// Cases of each property; `WHALECURVE_TRIALS` asks for more.
fn cases(short: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(commit::trials(short).max(short)) }
}

fn load(text: &str) -> bool {
    let env = |name: &str| (name.len() < 4).then(|| "value".to_owned());
    config::load(Utf8Path::new("a/whalecurve.yaml"), text, &env, &Overrides::default()).is_ok()
}

/// Words that mean something in configs, among others.
fn words() -> impl Strategy<Value = String> {
    let known = [
        "version",
        "inputs",
        "transactions",
        "columns",
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "*",
        "&a",
        "*a",
        "<<",
        "${",
        "${A}",
        "${A:-",
        "'",
        "\"",
        "|",
        ">",
        "!!",
        "#",
        "~",
        "null",
        "1",
        "1e400",
        "NaN",
        "\u{feff}",
        "\0",
        "forecast",
        "tests",
        "contract",
        "currency",
        "EUR",
        "activities",
        "\t",
        "---",
        "...",
        "error_if",
        "%",
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn any_text_is_a_config_or_none(parts in prop::collection::vec(words(), 0..60)) {
        load(&parts.concat());
    }

    #[test]
    fn a_config_with_any_places_changed_is_a_config_or_none(seed in any::<u64>(), changes in 1..8_usize) {
        let text = fs::read_to_string(root().join("datasets/portfolio/whalecurve.yaml")).unwrap();
        let mut dice = Dice(seed);
        let mut bytes = text.into_bytes();
        for _ in 0..changes {
            let at = dice.below(bytes.len());
            match dice.below(4) {
                0 => bytes[at] ^= 1 << dice.below(7),
                1 => drop(bytes.drain(at..(at + dice.below(40)).min(bytes.len()))),
                2 => bytes.insert(at, b" \n:-{}[]\"'#&*$0"[dice.below(15)]),
                _ => {
                    let from = dice.below(bytes.len());
                    let piece = bytes[from..(from + dice.below(80)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        load(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_bytes_are_a_footer_or_none(mut bytes in prop::collection::vec(any::<u8>(), 0..300), framed in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        if framed {
            let length = bytes.len() as u32;
            bytes.splice(0..0, *b"PAR1");
            bytes.extend(length.to_le_bytes());
            bytes.extend(*b"PAR1");
        }
        fs::write(&path, &bytes).unwrap();
        let _ = check_footer(Utf8Path::from_path(&path).unwrap(), &Limits::default());
    }
}

#[test]
fn configs_are_read_where_nothing_is_changed() {
    // So that the properties above change something that is right.
    assert!(load(&fs::read_to_string(root().join("datasets/portfolio/whalecurve.yaml")).unwrap()));
}

#[test]
fn a_manifest_with_anything_changed_is_refused_or_says_the_same_and_leads_nowhere() {
    let job = commit::job();
    job.run(&[]);
    let output = job.path("out");
    let folder = Utf8Path::from_path(&output).unwrap();
    let manifest = output.join("run_manifest.json");
    let whole = fs::read(&manifest).unwrap();
    let right = check(folder).unwrap().unwrap();
    let mut dice = Dice(3);
    let (mut refused, mut same) = (0, 0);
    for _ in 0..commit::trials(400).max(400) {
        let mut changed = whole.clone();
        let at = dice.below(changed.len());
        match dice.below(3) {
            0 => changed[at] ^= 1 << dice.below(7),
            1 => drop(changed.drain(at..(at + dice.below(60)).min(changed.len()))),
            _ => changed.truncate(at),
        }
        fs::write(&manifest, changed).unwrap();
        match check(folder) {
            Ok(Ok(found)) => {
                same += 1;
                assert_eq!(
                    (found.files, found.rows, &found.result_digest),
                    (right.files, right.rows, &right.result_digest)
                );
            }
            Ok(Err(_)) | Err(_) => refused += 1,
        }
    }
    assert!(refused > 100 && same > 0, "{refused} refused, {same} the same");
    // Paths in a manifest that lead elsewhere.
    for elsewhere in
        ["../ledger.parquet", "/etc/passwd", "customer_value/../../ledger.parquet", "customer_value\\u0000/x"]
    {
        let text = String::from_utf8(whole.clone()).unwrap();
        fs::write(&manifest, text.replacen("customer_value/part-00000.parquet", elsewhere, 1)).unwrap();
        assert!(!matches!(check(folder), Ok(Ok(_))), "{elsewhere}");
    }
}

const CONFIG: &str = "
version: 1
currency: EUR
as_of: 1970-03-01
output: out
inputs:
  transactions: {path: ledger, columns: {customer_id: c, date: d, amount: a}}
  customers: {path: customers.csv, columns: {customer_id: id, segment: segment}}
activities: {ACTIVITY: {level: order, method: average, cost: 10.00}}
portfolio: {value_tiers: {TIER: 0.5, rest: 0.5}}
";

/// Files below a folder, and whatever else is there.
fn everything(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.to_string_lossy().into_owned());
        if path.is_dir() {
            everything(&path, found);
        }
    }
}

/// Names of ours come from the program alone: what the data and the config name stays in cells.
#[test]
fn names_of_partitions_segments_activities_and_tiers_stay_in_cells() {
    let long = "n".repeat(300);
    let names = ["../x", "a/b", "..", "%2e%2e", "/etc/x", "a\\nb", "a\\0b", &long, "con", "~", "$(id)", "*"];
    let meant = |name: &str| name.replace("\\n", "\n").replace("\\0", "\0");
    let mut usual = None;
    for name in names {
        let quoted = |text: &str| format!("\"{text}\"");
        let config = CONFIG.replace("ACTIVITY", &quoted(name)).replace("TIER", &quoted(name));
        // A newline or a zero byte in a name is refused by the config.
        let config = if name.contains('\\') { CONFIG.replace("ACTIVITY", "a").replace("TIER", "b") } else { config };
        let job = Job::new(&config);
        let partition = name
            .replace(['/', '*'], "%2F")
            .replace("\\0", "%00")
            .replace("\\n", "\n")
            .chars()
            .take(200)
            .collect::<String>();
        let file = format!("ledger/p={partition}/l.parquet");
        job.parquet(&file, vec![("c", integers([1, 2])), ("d", days([1, 2])), ("a", cents([100, 200]))]);
        job.text("customers.csv", &format!("id,segment\n1,\"{}\"\n2,b\n", meant(name)));
        job.run(&[]);
        let mut found = Vec::new();
        everything(&job.path(""), &mut found);
        let root = job.path("").display().to_string();
        let below: Vec<String> = found
            .iter()
            .map(|path| path.strip_prefix(root.trim_end_matches('/')).unwrap().to_owned())
            .filter(|path| !path.starts_with("/ledger"))
            .collect();
        let mut below: Vec<String> = below.into_iter().collect();
        below.sort();
        assert_eq!(&below, usual.get_or_insert(below.clone()), "{name}");
        let segments = job.optional_texts("customer_segment", "segment");
        assert!(segments.iter().flatten().any(|segment| *segment == meant(name)), "{name}: {segments:?}");
    }
}
