//! Lazy frames over the files of a table, as they are there.

use camino::Utf8PathBuf;
use polars::prelude::*;

use super::{ReadError, partitions::FILE, unread::guarded};

/// The column in which a scan of a CSV with blank lines numbers its rows.
const ROW: &str = "whalecurve:row";

pub(super) fn scan_files(table: &'static str, files: &[Utf8PathBuf], csv: bool) -> Result<LazyFrame, ReadError> {
    scan_with(table, files, csv, false, Vec::new())
}

/// * `told`: whether [`FILE`] tells from which file a row is. * `blank`: rows of a CSV that are blank lines.
pub(super) fn scan_with(
    table: &'static str,
    files: &[Utf8PathBuf],
    csv: bool,
    told: bool,
    blank: Vec<u64>,
) -> Result<LazyFrame, ReadError> {
    let paths = || files.iter().map(|file| PlRefPath::new(file.as_str()));
    let include_file_paths = told.then(|| PlSmallStr::from_static(FILE));
    guarded(table, || {
        if csv {
            // All columns as text: types are the contract's business, and "007" stays "007".
            let numbered = (!blank.is_empty()).then(|| RowIndex { name: ROW.into(), offset: 0 });
            let frame = LazyCsvReader::new_paths(paths().collect())
                .with_infer_schema_length(Some(0))
                .with_include_file_paths(include_file_paths)
                .with_row_index(numbered.clone())
                .with_glob(false)
                .finish()?;
            return Ok(if numbered.is_some() { without(frame, blank) } else { frame });
        }
        let args = ScanArgsParquet {
            // It takes every folder of the whole path for a column: `partitions` is more careful.
            hive_options: HiveOptions::new_disabled(),
            // A bit that has turned over in statistics would leave out row groups, and nobody would know.
            use_statistics: false,
            include_file_paths,
            glob: false,
            ..Default::default()
        };
        let mut frame = LazyFrame::scan_parquet_files(paths().collect(), args)?;
        if let DslPlan::Scan { unified_scan_args, .. } = &mut frame.logical_plan {
            // Only what is mapped matters; the default refuses a column that the first file has not.
            unified_scan_args.extra_columns_policy = ExtraColumnsPolicy::Ignore;
        }
        Ok(frame)
    })
}

/// The rows of a scan that tells their numbers as [`ROW`], without some of them.
///
/// * `out`: ascending.
fn without(frame: LazyFrame, out: Vec<u64>) -> LazyFrame {
    let stays = move |rows: Column| {
        let rows = rows.cast(&DataType::UInt64)?;
        let stays = rows.u64()?.iter().map(|row| row.is_none_or(|row| out.binary_search(&row).is_err()));
        Ok(Column::from(Series::new(ROW.into(), stays.collect::<Vec<bool>>())))
    };
    frame.filter(col(ROW).map(stays, |_, _| Ok(Field::new(ROW.into(), DataType::Boolean))))
}
