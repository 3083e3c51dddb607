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
