//! Pages of the book that are made of what the binary knows.

use std::fs;

use crate::support::{root, whalecurve};

#[test]
fn the_data_dictionary_is_what_schema_prints() {
    let page = fs::read_to_string(root().join("docs/outputs.md")).unwrap();
    let told = String::from_utf8(whalecurve(&["schema"]).stdout).unwrap();
    let (_, dictionary) = page.split_once("<!-- whalecurve schema -->\n\n").unwrap();
    assert!(told.len() > 10_000);
    assert!(dictionary == told, "make it again: the part after the mark is what `whalecurve schema` prints");
}

/// Files that the pages for developers name in backticks: a path of the project, or the end of one.
#[test]
fn the_pages_for_developers_name_files_that_are_there() {
    let mut files = Vec::new();
    let mut folders: Vec<_> = ["src", "tests", "scripts", "docs", "benches"].map(|folder| root().join(folder)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        // Not a pattern: `_tables.rs` and `config/*.rs` stand for many.
        let plain = |name: &&str| {
            name.chars().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || "/._".contains(sign))
        };
        let is_file =
            |name: &&str| name.split_once(".rs").is_some_and(|(stem, end)| !stem.starts_with('_') && end.is_empty());
        let named = text.split('`').skip(1).step_by(2).filter(is_file);
        let named = named.filter(plain);
        let lost: Vec<&str> = named.filter(|name| !files.iter().any(|file| file.ends_with(name))).collect();
        assert!(lost.is_empty(), "{page} names files that are not there: {lost:?}");
        assert!(text.matches(".rs`").count() > 5);
    }
}
