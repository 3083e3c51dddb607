//! `whalecurve check` and `whalecurve plan`: a config and its inputs, before anything is read or written.

use camino::Utf8PathBuf;

use super::run::load;
use crate::{
    cli::{
        Exit,
        config::Overrides,
        streams::Streams,
        table::{Table, TableFormat},
    },
    pipeline::{
        RunError,
        plan::{Plan, Replaced, TableFound, plan},
        stores::Local,
    },
    schema::settings::Settings,
    store::Depth,
};

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The config, as in whalecurve.yaml.
    config: Utf8PathBuf,
    /// Output folder, instead of the config's.
    #[arg(long)]
    output: Option<Utf8PathBuf>,
}

/// Checks a config and its inputs: every problem to `talk`, one line of JSON to `out` when there is none.
///
/// # Errors
/// When the streams cannot be written.
pub fn check(args: Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let config = args.config.clone();
    match look(args, streams)? {
        Ok((_, plan)) => {
            let (files, rows) = totals(&plan.tables);
            let tables = plan.tables.len();
            writeln!(
                streams.talk,
                "{config}: {tables} tables, {files} files, {rows} rows by their footers: no problem"
            )?;
            streams.result(serde_json::json!({"tables": tables, "files": files, "rows": rows}))?;
            Ok(Exit::SUCCESS)
        }
        Err(exit) => Ok(exit),
    }
}

/// Says what a run would read and replace.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let (settings, plan) = match look(args, streams)? {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    let row = |found: &TableFound| {
        let rows = found.rows.map_or_else(|| "csv".to_owned(), |rows| rows.to_string());
        vec![found.table.as_str().to_owned(), found.files.to_string(), rows, found.bytes.to_string()]
    };
    let table = Table {
        title: format!("{}: what a run would read", settings.name),
        head: vec!["table", "files", "rows", "bytes"],
        left: 1,
        rows: plan.tables.iter().map(row).collect(),
    };
    write!(streams.out, "{}", table.render(TableFormat::Text))?;
    let output = &plan.output;
    match &output.result_digest {
        Some(digest) => writeln!(streams.out, "It would replace {}, whose results are {digest}.", output.path)?,
        None => writeln!(streams.out, "It would write {}, where there are no results.", output.path)?,
    }
    Ok(Exit::SUCCESS)
}

fn totals(tables: &[TableFound]) -> (usize, u64) {
    (tables.iter().map(|found| found.files).sum(), tables.iter().filter_map(|found| found.rows).sum())
}

/// The plan, from footers alone where inputs lie in a store.
fn plan_of(settings: &Settings) -> Result<Plan, Vec<RunError>> {
    let local = Local::new(&[settings], Some(&settings.output), Depth::Footer, None).map_err(|error| vec![error])?;
    let mut found = plan(&local.settings[0])?;
    if let Some(claim) = local.claim {
        let result_digest = claim.current.map(|pointer| pointer.result_digest);
        found.output = Replaced { path: settings.output.clone().into(), result_digest };
    }
    Ok(found)
}

/// The settings and the plan, or the exit after all problems are told.
fn look(args: Args, streams: &mut Streams<'_>) -> std::io::Result<Result<(Settings, Plan), Exit>> {
    let Args { config, output } = args;
    let settings = match load(&config, &Overrides { output, ..Overrides::default() }, streams)? {
        Ok(settings) => settings,
        Err(exit) => return Ok(Err(exit)),
    };
    match plan_of(&settings) {
        Ok(plan) => Ok(Ok((settings, plan))),
        Err(wrong) => {
            let mut exit = Exit::SUCCESS;
            for error in &wrong {
                let code = streams.fail(&error.to_string(), error.hint(), Exit(error.exit_code()))?;
                // The first problem's code, as of a run that stops at it.
                exit = if exit == Exit::SUCCESS { code } else { exit };
            }
            Ok(Err(exit))
        }
    }
}
