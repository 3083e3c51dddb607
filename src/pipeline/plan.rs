//! What a run would read and replace, from configs, footers and names alone: nothing is decoded, nothing written.

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    RunError, checks, earlier,
    estimate::{self, Estimate},
    expressions,
    finished::Finished,
    gather::drivers_of,
    output,
};
use crate::{
    contract::when,
    publish::{contents, folder},
    read,
    schema::settings::{Settings, TableName},
};

/// An input table that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFound {
    /// Which one.
    pub table: TableName,
    /// Files.
    pub files: usize,
    /// Rows by the footers; `None` for CSV.
    pub rows: Option<u64>,
    /// Size of the files.
    pub bytes: u64,
}

/// What stands in the place of the output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// The folder.
    pub path: Utf8PathBuf,
    /// Digest of the results that are there; `None` when there are none.
    pub result_digest: Option<String>,
    /// Datasets that are there and that `outputs` does not name: they go with the old version.
    pub gone: Vec<String>,
    /// Files and folders that are there and are none of whalecurve's: they are kept with the old version.
    pub others: Vec<Utf8PathBuf>,
}

/// What a run would do.
#[derive(Debug)]
pub struct Plan {
    /// Tables in the order of the config's documentation.
    pub tables: Vec<TableFound>,
    /// Its output.
    pub output: Replaced,
    /// The memory that it will need.
    pub estimate: Estimate,
}

/// Looks at every input and at the output: names, footers, columns with their types, predicates.
///
/// # Errors
/// Everything that is wrong with them, not the first alone.
pub fn plan(settings: &Settings) -> Result<Plan, Vec<RunError>> {
    let (mut tables, mut ledger, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let base = Utf8Path::new(&settings.base);
    let (of_events, of_ledger) = drivers_of(settings);
    for table in TableName::ALL {
        let Some(setting) = settings.inputs.table(table) else { continue };
        let drivers = match table {
            TableName::Transactions => of_ledger.as_slice(),
            TableName::Events => of_events.as_slice(),
            _ => &[],
        };
        wrong.extend(when::check_periods(settings, table).err().map(RunError::from));
        match read::open_all(table, setting, base, drivers) {
            Ok(source) => {
                tables.push(TableFound {
                    table,
                    files: source.files.len(),
                    rows: source.rows,
                    bytes: source.files.iter().map(|footer| footer.bytes).sum(),
                });
                if table == TableName::Transactions {
                    ledger = source.files;
                }
            }
            Err(errors) => wrong.extend(errors.into_iter().map(RunError::from)),
        }
    }
    wrong.extend(expressions::check(settings).err());
    wrong.extend(earlier::check(settings).err());
    wrong.extend(checks::check_tests(settings).err());
    let path = Utf8Path::new(&settings.output);
    let allowed = output::refuse_inputs(settings, path).and_then(|()| folder::refuse_foreign(path));
    wrong.extend(allowed.err().map(RunError::from));
    let mut gone = contents::listed_datasets(path);
    gone.retain(|dataset| !settings.writes(dataset));
    let others = if path.is_dir() { contents::strangers(path).unwrap_or_default() } else { Vec::new() };
    let output = Replaced { path: path.to_owned(), result_digest: digest_of(path), gone, others };
    let threads = settings.threads.unwrap_or_else(rayon::current_num_threads) as u64;
    let estimate = estimate::estimate(settings, &tables, &ledger, threads);
    if wrong.is_empty() { Ok(Plan { tables, output, estimate }) } else { Err(wrong) }
}

/// The digest in a manifest, when there is one that can be read.
fn digest_of(output: &Utf8Path) -> Option<String> {
    Some(Finished::open(output).ok()?.manifest["result_digest"].as_str()?.to_owned())
}
