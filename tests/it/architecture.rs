//! The arrows of the design: main → cli → pipeline → stages → { schema units numeric }.

use std::{fs, path::Path};

const STAGES: [&str; 15] = [
    "read",
    "contract",
    "facts",
    "allocate",
    "profit",
    "compare",
    "forecast",
    "potential",
    "portfolio",
    "equity",
    "decide",
    "publish",
    "generate",
    "report",
    "store",
];
/// Stages that read and write: the others are kernels.
const WITH_ENGINE: [&str; 5] = ["read", "contract", "publish", "generate", "store"];
const GROUND: [&str; 3] = ["schema", "units", "numeric"];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Crate modules that a source names as `crate::NAME` or inside `use crate::{…}`.
fn names(source: &str, module: &str) -> bool {
    // rustfmt indents the crate's own modules by four spaces; deeper lines are names within them.
    let own = |line: &str| {
        let name = line.strip_prefix("    ").filter(|rest| !rest.starts_with(' '));
        name.is_some_and(|name| name.starts_with(&format!("{module}::")) || name.starts_with(&format!("{module},")))
    };
    let nested =
        source.split("use crate::{").skip(1).any(|rest| rest.split("};").next().unwrap_or("").lines().any(own));
    nested || source.contains(&format!("crate::{module}::"))
}

#[test]
fn stages_never_import_each_other_and_the_ground_imports_no_stage() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for module in STAGES.iter().chain(&GROUND) {
        let mut found = Vec::new();
        if root.join(module).is_dir() {
            sources(&root.join(module), &mut found);
        }
        for (file, source) in found {
            for other in STAGES.iter().filter(|other| *other != module) {
                assert!(!names(&source, other), "{file}: stage `{module}` must not know stage `{other}`");
            }
            for above in ["pipeline", "cli", "results"] {
                assert!(!names(&source, above), "{file}: `{module}` must not know `{above}`");
            }
        }
    }
}

#[test]
fn kernels_know_neither_polars_nor_arrow() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let kernels = STAGES.iter().filter(|stage| !WITH_ENGINE.contains(stage));
    for module in kernels.chain(&["numeric", "schema"]) {
        let mut found = Vec::new();
        sources(&root.join(module), &mut found);
        for (file, source) in found {
            assert!(
                !source.contains("polars::") && !source.contains("arrow_array"),
                "{file}: kernels are slices in, slices out"
            );
        }
    }
}
