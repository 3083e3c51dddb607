//! A finished output, checked against its manifest: files, digests, schemas, row counts, and the sums that must tie.
//!
//! Offline and alone: nothing is needed but the folder. Before a commit, every file is read again when it is written
//! ([`Writer`](super::dataset::Writer)), and the sums are compared ([`refuse_untied`]).

use std::{collections::BTreeSet, fs, fs::File, panic};

use camino::{Utf8Path, Utf8PathBuf};
use parquet::{arrow::arrow_reader::ParquetRecordBatchReaderBuilder, errors::ParquetError};
use serde::Deserialize;
use thiserror::Error;

use super::{
    PublishError,
    contents::{REPORT, is_as_written},
    dataset::{describe, digest},
    folder::{MANIFEST, SUCCESS},
    io,
    reconcile::{self, Table},
};

/// What a check found to be in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Datasets.
    pub datasets: usize,
    /// Parquet files.
    pub files: usize,
    /// Rows of all datasets.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Sums that were compared.
    pub sums: usize,
    /// One digest over all files.
    pub result_digest: String,
}

/// What is wrong with an output: one line each.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {what}")]
pub struct Finding {
    /// File or folder, below the output.
    pub path: Utf8PathBuf,
    /// The rule that is broken.
    pub what: String,
}

fn finding(path: impl Into<Utf8PathBuf>, what: impl Into<String>) -> Finding {
    Finding { path: path.into(), what: what.into() }
}

/// The manifest, as far as a check needs it.
#[derive(Debug, Deserialize)]
struct Manifest {
    outputs: Vec<Dataset>,
    #[serde(default)]
    files: Vec<Beside>,
    /// Totals of the pools, in minor units as text.
    #[serde(default)]
    pools: serde_json::Map<String, serde_json::Value>,
    result_digest: String,
}

/// A file beside the datasets.
#[derive(Debug, Deserialize)]
struct Beside {
    path: String,
    /// `None` of one that holds its own.
    blake3: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Dataset {
    #[serde(rename = "dataset")]
    name: String,
    rows: u64,
    columns: Vec<String>,
    files: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    path: String,
    bytes: u64,
    blake3: String,
}

/// Checks an output; once more where a run replaces it meanwhile.
///
/// # Errors
/// [`PublishError`] when the folder or its manifest cannot be read, [`PublishError::Replaced`] when it is replaced again; what is
/// wrong with it otherwise, in the order of the manifest.
pub fn check(output: &Utf8Path) -> Result<Result<Checked, Vec<Finding>>, PublishError> {
    for _ in 0..2 {
        let before = manifest_bytes(output)?;
        let found = check_once(output);
        // What does not fit together may be of two versions.
        if matches!(found, Ok(Ok(_))) || manifest_bytes(output).is_ok_and(|after| after == before) {
            return found;
        }
    }
    Err(PublishError::Replaced { path: output.to_owned() })
}

/// The manifest as it is now.
///
/// # Errors
/// [`PublishError::Io`].
pub fn manifest_bytes(output: &Utf8Path) -> Result<Vec<u8>, PublishError> {
    let path = output.join(MANIFEST);
    fs::read(&path).map_err(io(&path))
}

fn check_once(output: &Utf8Path) -> Result<Result<Checked, Vec<Finding>>, PublishError> {
    let (text, manifest) = read(output)?;
    let mut wrong = Vec::new();
    let mut checked =
        Checked { datasets: 0, files: 0, rows: 0, bytes: 0, sums: 0, result_digest: manifest.result_digest.clone() };
    let mut hasher = blake3::Hasher::new();
    marked(output, Utf8Path::new(""), &mut wrong)?;
    only_what_is_known(output, &manifest, &mut wrong)?;
    for file in &manifest.files {
        wrong.extend(check_beside(output, &file.path, file.blake3.as_deref(), &manifest).err());
    }
    if output.join(REPORT).exists() && manifest.files.iter().all(|file| file.path != REPORT) {
        // Made after the run.
        wrong.extend(check_beside(output, REPORT, None, &manifest).err());
    }
    for dataset in &manifest.outputs {
        checked.datasets += 1;
        checked.rows += dataset.rows;
        only_what_is_listed(output, dataset, &mut wrong)?;
        let mut rows = 0;
        for file in &dataset.files {
            checked.files += 1;
            checked.bytes += file.bytes;
            hasher.update(file.path.as_bytes());
            hasher.update(file.blake3.as_bytes());
            match check_file(output, dataset, file) {
                Ok(found) => rows += found,
                Err(found) => wrong.push(found),
            }
        }
        // A file that is damaged is told already.
        if wrong.is_empty() && rows != dataset.rows {
            let what = format!("its files have {rows} rows, the manifest {}", dataset.rows);
            wrong.push(finding(&dataset.name, what));
        }
    }
    if hasher.finalize().to_hex().as_str() != manifest.result_digest {
        wrong.push(finding(MANIFEST, "result_digest is not that of the files it lists"));
    }
    if !is_as_written(&text) {
        wrong.push(finding(MANIFEST, "its content has changed: it is not what its file_digest says"));
    }
    if wrong.is_empty() {
        let (sums, ties) = reconciled(output, &manifest)?;
        checked.sums = sums;
        wrong.extend(ties.into_iter().map(|(dataset, what)| finding(dataset, what)));
    }
    Ok(if wrong.is_empty() { Ok(checked) } else { Err(wrong) })
}

/// The manifest and its text.
fn read(output: &Utf8Path) -> Result<(String, Manifest), PublishError> {
    let bytes = manifest_bytes(output)?;
    let damaged = |line: usize| PublishError::Damaged {
        path: output.join(MANIFEST),
        what: format!("is no manifest of this version (line {line})"),
    };
    let manifest = serde_json::from_slice(&bytes).map_err(|error| damaged(error.line()))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| damaged(line_of(error.as_bytes(), error.utf8_error().valid_up_to())))?;
    Ok((text, manifest))
}

/// The line of a byte, from 1.
fn line_of(text: &[u8], at: usize) -> usize {
    text[..at].split(|byte| *byte == b'\n').count()
}

/// Refuses what is staged if its sums do not tie.
///
/// # Errors
/// [`PublishError::Untied`] of the first that does not; [`PublishError`].
pub fn refuse_untied(staged: &Utf8Path) -> Result<(), PublishError> {
    let (_, wrong) = reconciled(staged, &read(staged)?.1)?;
    wrong.into_iter().next().map_or(Ok(()), |(dataset, what)| Err(PublishError::Untied { dataset, what }))
}

/// How many sums were compared, and those that differ.
fn reconciled(output: &Utf8Path, manifest: &Manifest) -> Result<(usize, Vec<(String, String)>), PublishError> {
    let table = |dataset: &'_ Dataset| dataset.files.iter().map(|file| output.join(&file.path)).collect();
    let tables: Vec<Table<'_>> =
        manifest.outputs.iter().map(|dataset| Table { name: &dataset.name, files: table(dataset) }).collect();
    reconcile::reconcile(&tables, &manifest.pools)
}

/// The mark of a complete folder: there, and empty.
fn marked(output: &Utf8Path, folder: &Utf8Path, wrong: &mut Vec<Finding>) -> Result<(), PublishError> {
    let path = output.join(folder).join(SUCCESS);
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() && found.len() == 0 => {}
        Ok(_) => wrong.push(finding(folder.join(SUCCESS), "is not an empty file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            wrong.push(finding(folder.join(SUCCESS), "is missing"));
        }
        Err(error) => return Err(io(&path)(error)),
    }
    Ok(())
}

/// The output holds what the manifest lists, and nothing else: readers may take a folder for a dataset.
fn only_what_is_known(output: &Utf8Path, manifest: &Manifest, wrong: &mut Vec<Finding>) -> Result<(), PublishError> {
    let listed =
        manifest.outputs.iter().map(|dataset| &dataset.name).chain(manifest.files.iter().map(|file| &file.path));
    let known: BTreeSet<&str> = listed.map(String::as_str).chain([MANIFEST, SUCCESS, REPORT]).collect();
    let mut found = BTreeSet::new();
    for entry in output.read_dir_utf8().map_err(io(output))? {
        found.insert(entry.map_err(io(output))?.file_name().to_owned());
    }
    // A page that is just being made anew, or was when its process was killed: no reader takes a hidden file.
    let half_made = format!(".{REPORT}-");
    let extra = found.into_iter().filter(|name| !known.contains(name.as_str()) && !name.starts_with(&half_made));
    wrong.extend(extra.map(|name| finding(name, "is not in the manifest")));
    Ok(())
}

/// A file beside the datasets is what was written: by the manifest, or by itself and the results that it says it is of.
fn check_beside(output: &Utf8Path, name: &str, blake3: Option<&str>, manifest: &Manifest) -> Result<(), Finding> {
    let path = output.join(name);
    let bad = |what: &str| finding(name, what);
    if Utf8Path::new(name).file_name() != Some(name) {
        return Err(bad("is listed outside the output"));
    }
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.is_file() => return Err(bad("is not a file")),
        Ok(_) => {}
        Err(error) => return Err(bad(&error.to_string())),
    }
    let same = match blake3 {
        Some(blake3) => digest(&path).is_ok_and(|(_, found)| found == blake3),
        None => {
            fs::read_to_string(&path).is_ok_and(|text| is_as_written(&text) && text.contains(&manifest.result_digest))
        }
    };
    if same { Ok(()) } else { Err(bad("its content has changed, or is of other results")) }
}

/// A dataset's folder holds its files and the mark, and nothing else: readers take whatever they find.
fn only_what_is_listed(output: &Utf8Path, dataset: &Dataset, wrong: &mut Vec<Finding>) -> Result<(), PublishError> {
    let folder = output.join(&dataset.name);
    if !folder.is_dir() || folder.is_symlink() {
        wrong.push(finding(&dataset.name, "is not a folder"));
        return Ok(());
    }
    marked(output, Utf8Path::new(&dataset.name), wrong)?;
    let listed: BTreeSet<Utf8PathBuf> = dataset.files.iter().map(|file| output.join(&file.path)).collect();
    let mut found = BTreeSet::new();
    for entry in folder.read_dir_utf8().map_err(io(&folder))? {
        found.insert(entry.map_err(io(&folder))?.into_path());
    }
    for extra in found.iter().filter(|path| !listed.contains(*path) && path.file_name() != Some(SUCCESS)) {
        let extra = extra.strip_prefix(output).unwrap_or(extra);
        wrong.push(finding(extra, "is not in the manifest"));
    }
    Ok(())
}

/// The rows of a file that is what the manifest says.
fn check_file(output: &Utf8Path, dataset: &Dataset, file: &Listed) -> Result<u64, Finding> {
    let bad = |what: &str| finding(&file.path, what);
    let below = Utf8Path::new(&file.path).parent() == Some(Utf8Path::new(&dataset.name));
    if !below {
        return Err(bad("is listed outside its dataset's folder"));
    }
    let path = output.join(&file.path);
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.is_file() => return Err(bad("is not a file")),
        Ok(found) if found.len() != file.bytes => {
            return Err(bad(&format!("has {} bytes, the manifest says {}", found.len(), file.bytes)));
        }
        Ok(_) => {}
        Err(error) => return Err(bad(&error.to_string())),
    }
    match digest(&path) {
        Ok((_, found)) if found == file.blake3 => {}
        Ok(_) => return Err(bad("its content has changed: the BLAKE3 digest is another")),
        Err(error) => return Err(bad(&error.to_string())),
    }
    let (rows, columns) = footer(&path).map_err(|what| bad(&what))?;
    if columns == dataset.columns { Ok(rows) } else { Err(bad("its columns are not those of the manifest")) }
}

/// Rows and columns of a file, from its footer.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn footer(path: &Utf8Path) -> Result<(u64, Vec<String>), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    // Decoders of damaged files may panic.
    let read = panic::catch_unwind(|| ParquetRecordBatchReaderBuilder::try_new(file));
    let builder = read.map_err(|_| "its footer makes no sense".to_owned())?;
    let builder = builder.map_err(|error| match error {
        // Of the system, which names no cell; anything else is of the file.
        ParquetError::External(error) if error.is::<std::io::Error>() => format!("its footer cannot be read: {error}"),
        _ => "its footer cannot be read".to_owned(),
    })?;
    let rows = builder.metadata().file_metadata().num_rows();
    let rows = u64::try_from(rows).map_err(|_| "its footer counts a negative number of rows".to_owned())?;
    Ok((rows, describe(builder.schema())))
}
