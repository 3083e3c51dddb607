//! `whalecurve check` and `whalecurve plan`: a config and its inputs, before anything is read or written.

use camino::Utf8PathBuf;

use super::run::load;
use crate::{
    cli::{
        Exit,
        config::Overrides,
        memory::mebibytes,
        streams::Streams,
        table::{Table, TableFormat},
    },
    pipeline::{
        RunError,
        estimate::Estimate,
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

/// What to look at, and how to tell it.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    args: Args,
    /// Text for people, or one line of JSON.
    #[arg(long, value_enum, default_value_t)]
    output_format: PlanFormat,
}

/// How a plan is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum PlanFormat {
    /// Tables and sentences.
    #[default]
    Text,
    /// One line of JSON.
    Json,
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
pub fn run(args: PlanArgs, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let PlanArgs { args, output_format } = args;
    let (settings, plan) = match look(args, streams)? {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    if output_format == PlanFormat::Json {
        streams.result(as_json(&plan))?;
        return Ok(Exit::SUCCESS);
    }
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
    if !output.gone.is_empty() {
        writeln!(streams.out, "These datasets of it would not be written again: {}.", output.gone.join(", "))?;
    }
    if !output.others.is_empty() {
        let others: Vec<&str> = output.others.iter().map(|path| path.as_str()).collect();
        writeln!(
            streams.out,
            "These are not of whalecurve, and would be kept with the old version: {}.",
            others.join(", ")
        )?;
    }
    write!(streams.out, "{}", memory_text(&plan.estimate))?;
    Ok(Exit::SUCCESS)
}

/// The memory that a run will need, with what it is for.
fn memory_text(estimate: &Estimate) -> String {
    let told = estimate.parts.iter().filter(|(_, bytes)| *bytes > 0);
    let parts: Vec<String> = told.map(|(what, bytes)| format!("{what} {}", mebibytes(*bytes))).collect();
    format!(
        "It would need about {} MiB of memory ({}), for {} customers ({}) and {} customers and periods.\n",
        mebibytes(estimate.bytes()),
        parts.join(", "),
        estimate.customers,
        estimate.customers_by,
        estimate.cells
    )
}

fn as_json(plan: &Plan) -> serde_json::Value {
    let table = |found: &TableFound| {
        let TableFound { table, files, rows, bytes } = found;
        serde_json::json!({"table": table.as_str(), "files": files, "rows": rows, "bytes": bytes})
    };
    let Plan { tables, output, estimate } = plan;
    let parts: serde_json::Map<String, serde_json::Value> =
        estimate.parts.iter().map(|(what, bytes)| ((*what).to_owned(), (*bytes).into())).collect();
    serde_json::json!({
        "tables": tables.iter().map(table).collect::<Vec<_>>(),
        "output": output.path.as_str(),
        "replaces": output.result_digest,
        "gone": output.gone,
        "others": output.others.iter().map(|path| path.as_str()).collect::<Vec<_>>(),
        "memory": {
            "bytes": estimate.bytes(),
            "parts": parts,
            "customers": estimate.customers,
            "customers_by": estimate.customers_by,
            "cells": estimate.cells,
        },
    })
}

/// Says at its start that a run may need more memory than it may use.
///
/// # Errors
/// When the stream cannot be written.
pub(super) fn warn_of_memory(settings: &Settings, streams: &mut Streams<'_>) -> std::io::Result<()> {
    // What is wrong with the inputs is the run's to tell.
    let Some((limit, plan)) = streams.memory.zip(plan(settings).ok()) else { return Ok(()) };
    let needed = plan.estimate.bytes();
    if needed / 4 * 3 <= limit {
        return Ok(());
    }
    let (needed, limit) = (mebibytes(needed), mebibytes(limit));
    writeln!(
        streams.talk,
        "note: this run would need about {needed} MiB of memory and may use {limit} MiB: it may end for want of it"
    )
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
        found.output = Replaced { path: settings.output.clone().into(), result_digest, ..Replaced::default() };
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
                let code = streams.fail_run(error)?;
                // The first problem's code, as of a run that stops at it.
                exit = if exit == Exit::SUCCESS { code } else { exit };
            }
            Ok(Err(exit))
        }
    }
}
