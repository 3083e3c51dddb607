//! Columns in the names of folders: `key=value`, as Hive and Spark lay tables out. What counts lies below the folder that a path
//! names, or below the folder in which its wildcards begin: a table that itself lies in `run=5/` has no column `run`.

use std::{collections::BTreeMap, sync::Arc};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use polars::prelude::*;

use super::ReadError;

/// The column in which a scan tells from which file a row is.
pub(super) const FILE: &str = "whalecurve:file";

/// The folder of rows without a value, as Hive and Spark write it.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// What separates, within a path, the folder of a table from what is below it, as rsync has it.
pub const ROOT: &str = "/./";

/// Columns of a table that are in no file.
pub(super) struct Partitions {
    /// One row a file.
    values: DataFrame,
    rows: Arc<BTreeMap<String, usize>>,
}

/// The folders below which the paths of a table have their partitions.
pub(super) fn roots(paths: &[String], base: &Utf8Path) -> Vec<Utf8PathBuf> {
    let root = |path: &String| {
        let full = base.join(path);
        if let Some((root, _)) = path.split_once(ROOT) {
            base.join(root)
        } else if full.is_dir() {
            full
        } else if full.is_file() {
            full.parent().unwrap_or(&full).to_owned()
        } else {
            let fixed = Utf8Path::new(path).components().take_while(|part| !part.as_str().contains(['*', '?', '[']));
            base.join(fixed.collect::<Utf8PathBuf>())
        }
    };
    paths.iter().map(root).collect()
}

/// Keys and values of the folders between a file and the outermost of the roots that hold it, the innermost last.
fn folders<'a>(file: &'a Utf8Path, roots: &[Utf8PathBuf]) -> Vec<(&'a str, Option<String>)> {
    let plain = |path: &'a Utf8Path| path.strip_prefix(".").unwrap_or(path);
    let below = roots.iter().filter_map(|root| plain(file).strip_prefix(root.strip_prefix(".").unwrap_or(root)).ok());
    let Some(below) = below.max_by_key(|path| path.components().count()) else { return Vec::new() };
    let names = below.parent().into_iter().flat_map(Utf8Path::components).filter_map(|part| match part {
        Utf8Component::Normal(name) => Some(name),
        _ => None,
    });
    let keyed =
        names.filter_map(|name| name.split_once('=')).filter(|(key, value)| !key.is_empty() && !value.contains('='));
    keyed
        .map(|(key, value)| (key, Some(decoded(value)).filter(|value| !value.is_empty() && value != NO_VALUE)))
        .collect()
}

/// Whether a file lies in a folder of this key.
pub(super) fn has_key(file: &Utf8Path, roots: &[Utf8PathBuf], key: &str) -> bool {
    folders(file, roots).iter().any(|(found, _)| *found == key)
}

/// A value as it was before `%2F` and the like stood in it.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, more @ ..] = rest {
        let code = more.get(..2).filter(|code| *first == b'%' && code.iter().all(u8::is_ascii_hexdigit));
        let byte = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &more[2..] } else { more };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}

/// Values of the narrowest type that holds them all: whole numbers, numbers, dates, timestamps, booleans or text.
fn typed(texts: Series) -> Series {
    if texts.null_count() == texts.len() {
        return texts;
    }
    let numbers = [DataType::Int64, DataType::Float64].into_iter().find_map(|dtype| texts.strict_cast(&dtype).ok());
    numbers.or_else(|| flags(&texts)).or_else(|| moments(&texts)).unwrap_or(texts)
}

/// Booleans, where every text is one.
fn flags(texts: &Series) -> Option<Series> {
    let flag = |text: Option<&str>| match text {
        None => Some(None),
        Some("true") => Some(Some(true)),
        Some("false") => Some(Some(false)),
        Some(_) => None,
    };
    let flags = texts.str().ok()?.iter().map(flag).collect::<Option<Vec<Option<bool>>>>()?;
    Some(Series::new(texts.name().clone(), flags))
}

/// Dates, or timestamps, where every text is one.
fn moments(texts: &Series) -> Option<Series> {
    let text = texts.str().ok()?;
    let raise = StringChunked::from_iter(["raise"]);
    let days = text.as_date(Some("%Y-%m-%d"), false).ok().map(IntoSeries::into_series);
    let moments = text.as_datetime(None, TimeUnit::Microseconds, false, false, None, &raise).ok();
    let found = [days, moments.map(IntoSeries::into_series)];
    found.into_iter().flatten().find(|found| found.null_count() == texts.null_count())
}

impl Partitions {
    /// The partitions of a table; `None` when its files lie in no such folders.
    ///
    /// * `used`: columns that the config names. One of them must be in the folders of every file.
    /// * `first`: columns of the first file.
    /// * `is_text`: whether a key is kept as text, told whether all of its values are whole numbers as they are written (7,
    ///   not 007).
    ///
    /// # Errors
    /// [`ReadError::Partition`] with the first file that has none of a used key.
    pub(super) fn of(
        files: &[Utf8PathBuf],
        roots: &[Utf8PathBuf],
        (used, first): (&[&str], &Schema),
        is_text: impl Fn(&str, bool) -> bool,
    ) -> Result<Option<Self>, ReadError> {
        let found: Vec<BTreeMap<&str, Option<String>>> =
            files.iter().map(|file| folders(file, roots).into_iter().collect()).collect();
        let mut keys: Vec<&str> = found.iter().flat_map(BTreeMap::keys).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        let mut columns = Vec::new();
        for key in keys {
            let without = found.iter().position(|folders| !folders.contains_key(key));
            match without.filter(|_| used.contains(&key)) {
                Some(file) => {
                    let reason = format!("it lies in no folder `{key}=…`, as others of this table do");
                    return Err(ReadError::Partition { file: files[file].clone(), reason });
                }
                None if without.is_some() => continue,
                None => {}
            }
            if first.contains(key) {
                if used.contains(&key) {
                    return Err(Self::twice(&files[0], key));
                }
                continue;
            }
            let texts: Vec<Option<&str>> = found.iter().map(|folders| folders[key].as_deref()).collect();
            let whole = |text: &&str| text.parse::<i64>().is_ok_and(|number| number.to_string() == **text);
            let is_text = is_text(key, texts.iter().flatten().all(whole));
            let texts = Series::new(key.into(), texts);
            columns.push(if is_text { texts } else { typed(texts) }.into_column());
        }
        if columns.is_empty() {
            return Ok(None);
        }
        let name = |file: &Utf8PathBuf| PlRefPath::new(file.as_str()).as_str().to_owned();
        let rows = Arc::new(files.iter().map(name).zip(0..).collect());
        let unequal =
            |_| ReadError::Partition { file: files[0].clone(), reason: "its folders make no sense".to_owned() };
        Ok(Some(Self { values: DataFrame::new(files.len(), columns).map_err(unequal)?, rows }))
    }

    /// A column that a file and the names of its folders both have.
    pub(super) fn twice(file: &Utf8Path, key: &str) -> ReadError {
        let reason = format!("column `{key}` is in the file and in the name of its folder `{key}=…`");
        ReadError::Partition { file: file.to_owned(), reason }
    }

    /// Names and types of the columns.
    pub(super) fn schema(&self) -> &Schema {
        self.values.schema()
    }

    /// The columns and their values in one of the files.
    pub(super) fn of_file(&self, file: &Utf8Path) -> impl Iterator<Item = (PlSmallStr, Scalar)> + '_ {
        let row = self.rows.get(PlRefPath::new(file.as_str()).as_str()).copied().unwrap_or(0);
        let value =
            move |values: &Column| Some(Scalar::new(values.dtype().clone(), values.get(row).ok()?.into_static()));
        self.values.columns().iter().filter_map(move |values| Some((values.name().clone(), value(values)?)))
    }

    /// Whether a file can have a row of which the predicate is true, in the order of the files.
    pub(super) fn kept(&self, predicate: &Expr) -> Vec<bool> {
        if let Expr::BinaryExpr { left, op: Operator::And | Operator::LogicalAnd, right } = predicate {
            return self.kept(left).into_iter().zip(self.kept(right)).map(|(left, right)| left && right).collect();
        }
        let of_folders = |node: &Expr| !matches!(node, Expr::Column(name) if !self.schema().contains(name));
        let every = vec![true; self.values.height()];
        if !predicate.into_iter().all(of_folders) {
            return every;
        }
        let told = self.values.clone().lazy().select([predicate.clone().alias(FILE)]).collect();
        let told = told.ok().and_then(|told| {
            let flags = told.columns().first()?.bool().ok()?;
            Some(flags.iter().map(|flag| flag == Some(true)).collect::<Vec<_>>())
        });
        // What cannot be told of folders alone is for the scan to tell.
        told.filter(|flags| flags.len() == every.len()).unwrap_or(every)
    }

    /// The files in which a row can be of which the predicate is true; the first one where there are none.
    pub(super) fn kept_of(&self, files: &[Utf8PathBuf], predicate: Option<&Expr>) -> Vec<Utf8PathBuf> {
        let Some(predicate) = predicate else { return files.to_vec() };
        let kept = files.iter().zip(self.kept(predicate)).filter(|(_, kept)| *kept).map(|(file, _)| file.clone());
        let kept: Vec<Utf8PathBuf> = kept.collect();
        if kept.is_empty() { files[..1].to_vec() } else { kept }
    }

    /// The frame of a scan that tells [`FILE`], with the columns.
    pub(super) fn added_to(&self, frame: LazyFrame) -> LazyFrame {
        let columns = self.values.columns().iter().map(|values| {
            let (rows, name, dtype) = (Arc::clone(&self.rows), values.name().clone(), values.dtype().clone());
            let values = values.clone();
            let told = move |files: Column| of_rows(&rows, &values, &files);
            let field = Field::new(name.clone(), dtype);
            col(FILE).map(told, move |_, _| Ok(field.clone())).alias(name)
        });
        frame.with_columns(columns.collect::<Vec<_>>())
    }
}

/// The value of each row's file.
fn of_rows(rows: &BTreeMap<String, usize>, values: &Column, files: &Column) -> PolarsResult<Column> {
    let unknown = || PolarsError::ComputeError("a row is of no known file".into());
    let row = |file: Option<&str>| file.and_then(|file| rows.get(file)).copied().ok_or_else(unknown);
    if let Column::Scalar(one) = files {
        let value = values.get(row(one.scalar().value().get_str())?)?;
        let value = Scalar::new(values.dtype().clone(), value.into_static());
        return Ok(Column::new_scalar(values.name().clone(), value, files.len()));
    }
    // Rows of one file come together.
    let mut last = (None, 0);
    let mut places = Vec::with_capacity(files.len());
    for file in files.str()?.iter() {
        if last.0 != file || file.is_none() {
            last = (file, row(file)?);
        }
        places.push(last.1 as IdxSize);
    }
    values.take(&IdxCa::from_vec(values.name().clone(), places))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 3] = [
        "/run=5/l/day=2024-01-05/shop=007/x.parquet",
        "/run=5/l/day=/shop=a%2Fb/x.parquet",
        "/run=5/l/day=__HIVE_DEFAULT_PARTITION__/shop=7/x.parquet",
    ];

    fn partitions(used: &[&str], files: &[&str]) -> Result<Option<Partitions>, ReadError> {
        let files: Vec<Utf8PathBuf> = files.iter().map(Utf8PathBuf::from).collect();
        let first = Schema::from_iter([Field::new("id".into(), DataType::Int64)]);
        Partitions::of(&files, &[Utf8PathBuf::from("/run=5/l")], (used, &first), |_, _| false)
    }

    #[test]
    fn folders_below_the_root_are_columns_and_those_above_are_not() {
        let found = partitions(&["day"], &FILES).unwrap().unwrap();
        let columns: Vec<(&str, &DataType)> =
            found.schema().iter().map(|(name, dtype)| (name.as_str(), dtype)).collect();
        assert_eq!(columns, [("day", &DataType::Date), ("shop", &DataType::String)]);
        let shops: Vec<Option<&str>> = found.values.column("shop").unwrap().str().unwrap().iter().collect();
        assert_eq!(shops, [Some("007"), Some("a/b"), Some("7")]);
        assert_eq!(found.values.column("day").unwrap().null_count(), 2);
    }

    #[test]
    fn values_have_the_narrowest_type_that_holds_them_all() {
        let of = |values: &[Option<&str>]| typed(Series::new("key".into(), values)).dtype().clone();
        let moment = DataType::Datetime(TimeUnit::Microseconds, None);
        assert_eq!(of(&[Some("01"), None, Some("12")]), DataType::Int64);
        assert_eq!(of(&[Some("1.5"), Some("2")]), DataType::Float64);
        assert_eq!(of(&[Some("2024-02-29"), None]), DataType::Date);
        assert_eq!(of(&[Some("2024-02-29 12:00:00"), None]), moment);
        assert_eq!(of(&[Some("true"), Some("false")]), DataType::Boolean);
        assert_eq!(of(&[Some("2024-02-29"), Some("unknown")]), DataType::String);
        assert_eq!(of(&[None]), DataType::String);
    }

    #[test]
    fn a_used_key_is_in_the_folders_of_every_file_and_in_no_file() {
        let told = |used: &str, files: &[&str]| partitions(&[used], files).err().map(|error| error.to_string());
        let files = ["/run=5/l/day=1/x.parquet", "/run=5/l/dia=1/x.parquet"];
        assert_eq!(
            told("day", &files).unwrap(),
            "/run=5/l/dia=1/x.parquet: it lies in no folder `day=…`, as others of this table do"
        );
        assert_eq!(told("id", &files), None);
        assert_eq!(
            told("id", &["/run=5/l/id=1/x.parquet"]).unwrap(),
            "/run=5/l/id=1/x.parquet: column `id` is in the file and in the name of its folder `id=…`"
        );
    }

    #[test]
    fn files_of_which_a_predicate_on_folders_is_not_true_are_not_scanned() {
        let found = partitions(&[], &FILES).unwrap().unwrap();
        let kept = |predicate: &str| found.kept(&polars::sql::sql_expr(predicate).unwrap());
        assert_eq!(kept("shop = '7' AND amount > 3"), [false, false, true]);
        assert_eq!(kept("shop = '7' OR amount > 3"), [true; 3]);
        assert_eq!(kept("day IS NULL"), [false, true, true]);
        assert_eq!(kept("day >= DATE '2024-01-01'"), [true, false, false]);
    }

    #[test]
    fn the_root_is_the_folder_of_a_file_the_fixed_part_of_a_glob_and_what_is_before_a_point() {
        let paths = ["d=1/x/d=*/y.parquet", "d=1/x/./d=1/y.parquet", "*.parquet"].map(str::to_owned);
        let found = roots(&paths, Utf8Path::new("/base"));
        assert_eq!(found, ["/base/d=1/x", "/base/d=1/x", "/base"].map(Utf8PathBuf::from));
    }
}
