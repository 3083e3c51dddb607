//! From paths, globs and folders to a sorted list of files. Hidden names (`_`, `.`) are skipped.

use std::{collections::BTreeSet, fs};

use camino::{Utf8Path, Utf8PathBuf};

use super::ReadError;

/// Files of a table, sorted by path, each once, whatever paths or links lead to it.
///
/// * `paths`: files, globs or folders, relative to `base` or absolute.
/// * `extensions`: what counts as a data file when a folder is searched.
///
/// # Errors
/// [`ReadError::NoFile`] when an entry matches nothing, [`ReadError::Glob`], [`ReadError::Io`].
pub fn find(
    table: &'static str,
    paths: &[String],
    base: &Utf8Path,
    extensions: &[&str],
) -> Result<Vec<Utf8PathBuf>, ReadError> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        let full = base.join(path);
        if full.is_dir() {
            walk(&full, extensions, &mut files)?;
        } else if full.is_file() {
            files.push(full);
        } else {
            expand_glob(table, path, base, extensions, &mut files)?;
        }
        if files.len() == before {
            return Err(ReadError::NoFile { table, path: path.clone() });
        }
    }
    files.sort();
    let (mut seen, mut once) = (BTreeSet::new(), Vec::with_capacity(files.len()));
    for file in files {
        let same = file.canonicalize_utf8().map_err(|source| ReadError::Io { file: file.clone(), source })?;
        if seen.insert(same) {
            once.push(file);
        }
    }
    Ok(once)
}

fn expand_glob(
    table: &'static str,
    written: &str,
    base: &Utf8Path,
    extensions: &[&str],
    files: &mut Vec<Utf8PathBuf>,
) -> Result<(), ReadError> {
    let bad = |reason: String| ReadError::Glob { table, path: written.to_owned(), reason };
    // What is found does not begin with a point, and a config's folder is no pattern.
    let base = base.strip_prefix(".").unwrap_or(base);
    let pattern = Utf8PathBuf::from(glob::Pattern::escape(base.as_str())).join(written);
    let spelled = written.split(['*', '?', '[']).next().unwrap_or_default();
    let spelled = base.join(spelled.rsplit_once('/').map_or("", |(folder, _)| folder));
    for entry in glob::glob(pattern.as_str()).map_err(|error| bad(error.to_string()))? {
        let path = entry.map_err(|error| bad(error.to_string()))?;
        let path = Utf8PathBuf::from_path_buf(path).map_err(|_| bad("a file name is not UTF-8".to_owned()))?;
        // What the pattern spells out is wanted; what its wildcards found is not, when it lies in a hidden folder.
        let found = path.strip_prefix(&spelled).unwrap_or(&path);
        if found.components().any(|part| is_hidden(Utf8Path::new(part.as_str()))) {
            continue;
        }
        if path.is_dir() {
            walk(&path, extensions, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn walk(folder: &Utf8Path, extensions: &[&str], files: &mut Vec<Utf8PathBuf>) -> Result<(), ReadError> {
    let io = |source| ReadError::Io { file: folder.to_owned(), source };
    for entry in folder.read_dir_utf8().map_err(io)? {
        let entry = entry.map_err(io)?;
        let path = entry.path();
        if is_hidden(path) {
            continue;
        }
        if fs::metadata(path).map_err(io)?.is_dir() {
            walk(path, extensions, files)?;
        } else if path.extension().is_some_and(|extension| extensions.contains(&extension)) {
            files.push(path.to_owned());
        }
    }
    Ok(())
}

fn is_hidden(path: &Utf8Path) -> bool {
    path.file_name().is_none_or(|name| name.starts_with(['_', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_and_hidden_names_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for name in
            ["a/x.parquet", "a/_temporary/y.parquet", "b/.z.parquet", "b/c/w.parquet", "b/readme.md", "_SUCCESS"]
        {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), b"").unwrap();
        }
        let names = |paths: &[&str]| -> Vec<String> {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            let found = find("transactions", &paths, root, &["parquet"]).unwrap();
            found.iter().map(|path| path.strip_prefix(root).unwrap().to_string()).collect()
        };
        assert_eq!(names(&["."]), ["a/x.parquet", "b/c/w.parquet"]);
        assert_eq!(names(&["b/**/*.parquet", "a"]), ["a/x.parquet", "b/c/w.parquet"]);
        assert_eq!(names(&["**/*.parquet"]), ["a/x.parquet", "b/c/w.parquet"]);
        assert_eq!(names(&["a/_temporary/*.parquet"]), ["a/_temporary/y.parquet"]);
        assert_eq!(names(&["a", "a/x.parquet", "b/../a/x.parquet", "a/*.parquet"]), ["a/x.parquet"]);
        let error = find("transactions", &["c*".to_owned()], root, &["parquet"]).unwrap_err();
        assert_eq!(error.to_string(), "transactions: `c*` names no file");
    }
    #[test]
    #[cfg(unix)]
    fn a_file_is_read_once_whatever_leads_to_it_and_a_folder_is_no_pattern() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("sales [2024]*");
        fs::create_dir_all(root.join("x")).unwrap();
        fs::write(root.join("a.parquet"), b"").unwrap();
        std::os::unix::fs::symlink(root.join("a.parquet"), root.join("b.parquet")).unwrap();
        let names = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            find("transactions", &paths, &root, &["parquet"]).unwrap()
        };
        for paths in [&["*.parquet"][..], &["*.parquet", "b.parquet"], &["."], &["x/../a.parquet", "a.parquet"]] {
            assert_eq!(names(paths).len(), 1, "{paths:?}");
        }
    }
}
