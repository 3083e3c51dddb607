//! What belongs into an output, and digests that files of text hold of themselves.
//!
//! Datasets and the picture stand in the manifest with their digests. The manifest, the record of the stages (whose times differ from
//! run to run) and the report (which may be made anew) hold their own: of all their lines but the one that says it.

use std::{collections::BTreeSet, fs};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::{
    PublishError,
    folder::{MANIFEST, SUCCESS},
    io,
};
use crate::schema::{
    contract_outputs::CONTRACT_VALIDATION_DATASETS, forecasting::VALIDATION_DATASETS,
    method_outputs::METHOD_COMPARISON, outputs::DATASETS,
};

/// Times and memory of the run's stages, and what was checked.
pub const RUN_RESULTS: &str = "run_results.json";

/// The report, as a page.
pub const REPORT: &str = "report.html";

/// The whale curve as a picture.
pub const PICTURE: &str = "whale_curve.svg";

/// Key of the digest of a JSON file, and how its line begins; in a page it stands in a comment.
const KEY: &str = "file_digest";
const IN_JSON: &str = "  \"file_digest\": \"";
const IN_PAGE: &str = "<!-- file_digest: ";

/// An object as a JSON file that holds its own digest.
#[must_use]
pub fn with_digest(object: &Value) -> String {
    let mut object = object.clone();
    object[KEY] = Value::from("");
    object[KEY] = digest_of(&format!("{object:#}\n")).1.into();
    format!("{object:#}\n")
}

/// A page that holds its own digest and that of the results that it tells of.
#[must_use]
pub fn page_with_digest(page: &str, result_digest: &str) -> String {
    let page = format!("{}\n<!-- result_digest: {result_digest} -->\n", page.trim_end());
    let (_, digest) = digest_of(&page);
    format!("{page}{IN_PAGE}{digest} -->\n")
}

/// Whether a file holds its own digest, once.
pub(super) fn is_as_written(text: &str) -> bool {
    let (said, digest) = digest_of(text);
    matches!(said.as_slice(), [said] if said.starts_with(&digest))
}

/// What a text says its digest is, and the digest of its other lines.
fn digest_of(text: &str) -> (Vec<&str>, String) {
    let (mut said, mut hasher) = (Vec::new(), blake3::Hasher::new());
    for line in text.split_inclusive('\n') {
        match line.strip_prefix(IN_JSON).or_else(|| line.strip_prefix(IN_PAGE)) {
            Some(digest) => said.push(digest),
            None => drop(hasher.update(line.as_bytes())),
        }
    }
    (said, hasher.finalize().to_hex().to_string())
}

/// What stands in an output and is none of whalecurve's, by its path below the output. Hidden names are nobody's.
///
/// # Errors
/// [`PublishError::Io`].
pub fn strangers(output: &Utf8Path) -> Result<Vec<Utf8PathBuf>, PublishError> {
    let datasets = datasets_of(output);
    let mut found = Vec::new();
    for name in names(output)? {
        let path = output.join(&name);
        if datasets.contains(&name) && path.is_dir() && !path.is_symlink() {
            let part = |file: &str| {
                let number = file.strip_prefix("part-").and_then(|file| file.strip_suffix(".parquet"));
                number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
            };
            let others = names(&path)?.into_iter().filter(|file| file != SUCCESS && !part(file));
            found.extend(others.map(|file| Utf8Path::new(&name).join(file)));
        } else if ![MANIFEST, SUCCESS, RUN_RESULTS, REPORT, PICTURE].contains(&name.as_str()) {
            found.push(name.into());
        }
    }
    Ok(found)
}

/// Names of the datasets that the manifest of an output lists.
#[must_use]
pub fn listed_datasets(output: &Utf8Path) -> Vec<String> {
    let text = fs::read(output.join(MANIFEST)).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&text).unwrap_or_default();
    let listed = manifest["outputs"].as_array().into_iter().flatten();
    listed.filter_map(|dataset| dataset["dataset"].as_str().map(str::to_owned)).collect()
}

/// Datasets of this version, and those of the manifest, which another version may have written.
fn datasets_of(output: &Utf8Path) -> BTreeSet<String> {
    let all = [DATASETS, VALIDATION_DATASETS, CONTRACT_VALIDATION_DATASETS, &[METHOD_COMPARISON]];
    let known = all.iter().flat_map(|datasets| datasets.iter().map(|dataset| dataset.name.to_owned()));
    known.chain(listed_datasets(output)).collect()
}

/// Names in a folder, those that are not hidden, sorted.
fn names(folder: &Utf8Path) -> Result<BTreeSet<String>, PublishError> {
    let mut names = BTreeSet::new();
    for entry in folder.read_dir_utf8().map_err(io(folder))? {
        names.insert(entry.map_err(io(folder))?.file_name().to_owned());
    }
    names.retain(|name| !name.starts_with('.'));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_change_of_a_file_with_its_own_digest_is_found() {
        let object = with_digest(&json!({"as_of": "2024-12-31", "outputs": [{"file_digest": "nested"}], "seed": 0.1}));
        let page = page_with_digest("<p>one</p>\n", "abc");
        assert!(page.contains("<!-- result_digest: abc -->"));
        for text in [object, page] {
            assert!(is_as_written(&text), "{text}");
            for place in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[place] ^= 1;
                let found = String::from_utf8(bytes).is_ok_and(|text| is_as_written(&text));
                // What follows the digest in its own line is no part of the content.
                assert!(!found || text[..place].rsplit('\n').next().unwrap().contains("file_digest"), "byte {place}");
            }
            assert!(!is_as_written(&text.replace("file_digest", "digest")));
        }
    }

    #[test]
    fn what_is_not_ours_is_told_and_what_is_hidden_is_not() {
        let guard = tempfile::tempdir().unwrap();
        let output = Utf8Path::from_path(guard.path()).unwrap();
        for folder in ["customer_value", "of_another_version", "mine", ".snapshot"] {
            fs::create_dir(output.join(folder)).unwrap();
        }
        for file in
            [MANIFEST, REPORT, "notes.txt", "customer_value/part-00000.parquet", "customer_value/my.parquet", ".nfs1"]
        {
            fs::write(output.join(file), r#"{"outputs": [{"dataset": "of_another_version"}]}"#).unwrap();
        }
        assert_eq!(strangers(output).unwrap(), ["customer_value/my.parquet", "mine", "notes.txt"]);
    }
}
