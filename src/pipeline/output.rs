//! Every dataset and the manifest, written to a staging folder and put in place.

use std::ops::Range;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use glob::Pattern;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::{
    Audit, Clock, RunError, checks,
    comparison::{covariate_columns, retention_columns},
    cost_labels::CostLabels,
    finished::Finished,
    foretold::Foretold,
    objects::ObjectResults,
    report,
    results::Results,
    segment_table::write_segment,
    small_groups::SmallGroups,
    value_table::write_value,
    worlds::{World, beneath, beneath_of, write_profit, write_profit_total},
};
use crate::{
    numeric::keys::Keys,
    publish::{
        PublishError,
        check::refuse_untied,
        contents::{PICTURE, REPORT, RUN_RESULTS, with_digest},
        dataset::{Values, Writer, Written, digest},
        folder::{MANIFEST, Staging},
    },
    read::{ReadError, pseudonym::fingerprint},
    report::{page::suppress::hidden, whale_curve::WhaleCurvePicture},
    schema::{
        costs::{PoolBalance, Unassigned},
        location::shown,
        objects::CostObject,
        outputs::{DATASETS, OutputDataset},
        period::format_day,
        settings::{Format, Settings, TableName},
    },
    units::MinorSum,
};

/// Locks an output for this run, after its inputs have been found outside it.
///
/// # Errors
/// [`PublishError`].
pub(super) fn claim(settings: &Settings, output: &Utf8Path) -> Result<Staging, PublishError> {
    refuse_inputs(settings, output)?;
    Ok(Staging::new(output)?.keeping(settings.keep_versions as usize))
}

/// Refuses an output, or another file that is to be written, within an input of the config, or around one.
///
/// # Errors
/// [`PublishError::Input`].
pub fn refuse_inputs(settings: &Settings, output: &Utf8Path) -> Result<(), PublishError> {
    let base = Utf8Path::new(&settings.base);
    for table in TableName::ALL {
        for path in settings.inputs.table(table).into_iter().flat_map(|table| &table.paths) {
            refuse_within(&base.join(path), output)?;
        }
    }
    Ok(())
}

/// Refuses an input folder (or a glob that goes into the output, or finds a folder around it) that holds the output, and an input
/// within the output.
fn refuse_within(input: &Utf8Path, output: &Utf8Path) -> Result<(), PublishError> {
    let wild = |part: &str| part.contains(['*', '?', '[']);
    let fixed: Utf8PathBuf = input.components().take_while(|part| !wild(part.as_str())).collect();
    let (Ok(found), Some(target)) = (fixed.canonicalize_utf8(), resolved(output)) else { return Ok(()) };
    let below = input.strip_prefix(&fixed).unwrap_or(input);
    let goes_down = if below.as_str().is_empty() {
        fixed.is_dir()
    } else {
        // What a glob finds is read with its subfolders when it is a folder.
        let target = target.strip_prefix(&found).unwrap_or(&target);
        let finds = |(pattern, part): (Utf8Component<'_>, Utf8Component<'_>)| {
            Pattern::new(pattern.as_str()).is_ok_and(|pattern| pattern.matches(part.as_str()))
        };
        below.as_str().contains("**") || below.components().zip(target.components()).all(finds)
    };
    if (goes_down && target.starts_with(&found)) || found.starts_with(&target) {
        return Err(PublishError::Input { path: output.to_owned(), input: input.to_owned() });
    }
    Ok(())
}

/// The path without links, of which the last parts need not be there.
fn resolved(path: &Utf8Path) -> Option<Utf8PathBuf> {
    if let Ok(found) = path.canonicalize_utf8() {
        return Some(found);
    }
    let parent = path.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    Some(resolved(parent)?.join(path.file_name()?))
}

fn spec(name: &'static str) -> Result<&'static OutputDataset, PublishError> {
    let unknown = || PublishError::Contract { dataset: name, what: "is not documented".to_owned() };
    DATASETS.iter().find(|dataset| dataset.name == name).ok_or_else(unknown)
}

/// Cells of one `customer_cost` file.
const COST_CELLS: usize = 262_144;

/// Cells whose costs stand in memory at a time: a row each for every activity.
const COST_PIECE: usize = 16_384;

/// The cells of a `customer_cost` file, piece by piece.
fn pieces(part: usize, cells: usize) -> impl Iterator<Item = Range<usize>> {
    let (start, end) = (part * COST_CELLS, cells.min((part + 1) * COST_CELLS));
    (start..end).step_by(COST_PIECE).map(move |from| from..end.min(from + COST_PIECE))
}

/// Writes every dataset and the manifest, then puts them in place.
///
/// # Errors
/// [`RunError`] of an input that has changed, and of what cannot be written.
pub(super) fn publish(
    staging: Staging,
    settings: &Settings,
    results: &Results,
    clock: &mut Clock,
) -> Result<Value, RunError> {
    let writer = Writer {
        folder: staging.path(),
        ids: &results.base.ledgers.customers.ids,
        customers: &results.base.ledgers.customers.ids,
        exponent: settings.currency.exponent,
        quantiles: settings.quantiles(),
    };
    let worlds = results.worlds(settings);
    let products = with_objects(&worlds);
    let small = SmallGroups::new(settings.suppress, settings.quantiles());
    let write = |spec: &'static OutputDataset, columns: Vec<Values>| writer.write(spec, &small.told(spec, columns));
    // Each dataset is encoded by one thread at a time, several of them side by side.
    let mut tasks: Vec<Task<'_>> = vec![
        ("customer_profit", Box::new(|spec| write_profit(&writer, spec, &worlds))),
        ("customer_profit_total", Box::new(|spec| write_profit_total(&writer, spec, &worlds))),
        ("customer_cost", Box::new(|spec| write_costs(&writer, spec, &worlds))),
        ("pool_balance", Box::new(|spec| write(spec, beneath(&worlds, World::pool_columns)))),
        ("capacity_use", Box::new(|spec| write(spec, beneath(&worlds, World::capacity_columns)))),
        ("activity_rate", Box::new(|spec| write(spec, beneath(&worlds, World::rate_columns)))),
        ("scenario_difference", Box::new(|spec| write(spec, results.scenario_columns(settings)))),
        ("trace", Box::new(|spec| write(spec, beneath(&worlds, World::trace_columns)))),
        ("fx_conversion", Box::new(|spec| write(spec, results.fx_columns(settings)))),
        ("customer_value", Box::new(|spec| write_value(&writer, spec, &worlds))),
        ("customer_segment", Box::new(|spec| write_segment(&writer, spec, &worlds))),
        ("segment_value", Box::new(|spec| write(spec, beneath(&worlds, World::segment_value_columns)))),
        ("customer_equity", Box::new(|spec| write(spec, beneath(&worlds, World::equity_columns)))),
        ("segment_equity", Box::new(|spec| write(spec, beneath(&worlds, World::segment_equity_columns)))),
        ("segment_measure", Box::new(|spec| write(spec, beneath(&worlds, World::segment_measure_columns)))),
        ("equity_share", Box::new(|spec| write(spec, worlds[0].equity_share_columns()))),
        ("acquisition_value", Box::new(|spec| write(spec, worlds[0].acquisition_columns()))),
        ("equity_bridge", Box::new(|spec| write(spec, worlds[0].bridge_columns()))),
        ("decision_invest", Box::new(|spec| results.write_invest(&writer, spec))),
        ("decision_invest_total", Box::new(|spec| write(spec, results.invest_total_columns(settings)))),
        ("decision_invest_curve", Box::new(|spec| write(spec, results.invest_curve_columns(settings)))),
        ("decision_keep", Box::new(|spec| write(spec, results.keep_columns(settings)))),
        ("decision_prospect", Box::new(|spec| write(spec, results.prospect_columns(settings)))),
        ("whale_curve", Box::new(|spec| write(spec, beneath(&worlds, World::whale_columns)))),
        ("customer_payment", Box::new(|spec| write(spec, results.base.ledgers.payment_columns(settings)))),
        ("segment_migration", Box::new(|spec| write(spec, beneath(&worlds, World::migration_columns)))),
        ("customer_decline", Box::new(|spec| write(spec, beneath(&worlds, World::decline_columns)))),
        ("concentration", Box::new(|spec| write(spec, beneath(&worlds, World::concentration_columns)))),
        ("rejected", Box::new(|spec| write(spec, results.rejected_columns()))),
        ("input_balance", Box::new(|spec| write(spec, results.balance_columns()))),
        ("model_comparison", Box::new(|spec| write(spec, results.comparison_columns()))),
        ("model_group", Box::new(|spec| write(spec, results.group_columns()))),
        ("model_test", Box::new(|spec| write(spec, results.test_columns()))),
        ("new_customer_value", Box::new(|spec| write(spec, beneath(&worlds, World::new_customer_columns)))),
    ];
    if let Some(found) = results.forecast.as_ref().and_then(Foretold::covariates) {
        let writer = &writer;
        tasks.push(("model_covariate", Box::new(move |spec| writer.write(spec, &covariate_columns(found)))));
    }
    if let Some((kind, rows)) = results.forecast.as_ref().and_then(Foretold::retention) {
        let writer = &writer;
        tasks.push(("model_retention", Box::new(move |spec| writer.write(spec, &retention_columns(kind, rows)))));
    }
    if let Some((_, objects)) = products.first() {
        let writer = Writer { ids: &objects.objects.rows.ids, ..writer };
        let columns = |of: fn(&ObjectResults, &Settings) -> Vec<Values>| {
            beneath_of(products.iter().map(|(world, objects)| (world, of(objects, settings))))
        };
        let (profit, balance) = (columns, columns);
        tasks.push((
            "product_profit",
            Box::new(move |spec| writer.write(spec, &profit(|objects, _| objects.product_columns()))),
        ));
        let entries = beneath_of(products.iter().map(|(world, objects)| (world, world.entry_columns(objects))));
        tasks.push(("product_entry", Box::new(move |spec| writer.write(spec, &entries))));
        tasks.push((
            "product_balance",
            Box::new(move |spec| writer.write(spec, &balance(ObjectResults::balance_columns))),
        ));
    }
    tasks.retain(|(name, _)| settings.writes(name));
    let mut written: Vec<Written> =
        tasks.into_par_iter().map(|(name, task)| task(spec(name)?)).collect::<Result<_, PublishError>>()?;
    written.sort_by_key(|dataset| dataset.dataset);
    checks::test_outputs(settings, staging.path(), &written, clock)?;
    let mut manifest = manifest(settings, results, &written)?;
    manifest["suppress"] = small.record();
    let finished = Finished { folder: staging.path().to_owned(), manifest };
    if settings.report.write {
        staging.write(REPORT, &report::html(&finished, None, None)?)?;
    }
    let manifest = finished.manifest;
    let points = worlds[0].whale_points();
    let (whale, customers) = (&results.base.whale, results.base.ledgers.customers.len() as u64);
    let picture = WhaleCurvePicture {
        id: "whale-curve",
        title: &settings.name,
        points: &points,
        peak: worlds[0].peak(),
        customers,
        losing: whale.losing,
        currency: &settings.currency,
    };
    let picture = picture.svg();
    staging.write(PICTURE, &picture)?;
    let report = settings.report.write.then(|| json!({"path": REPORT, "blake3": null}));
    let picture = json!({"path": PICTURE, "blake3": blake3::hash(picture.as_bytes()).to_hex().as_str()});
    finish(staging, manifest, report.into_iter().chain([picture]), clock)
}

/// Writes profit and cost of other objects, the balances and the manifest, then puts them in place.
///
/// # Errors
/// As [`publish`].
pub(super) fn publish_objects(
    staging: Staging,
    settings: &Settings,
    results: &Results,
    kind: CostObject,
    clock: &mut Clock,
) -> Result<Value, RunError> {
    let worlds = results.worlds(settings);
    let objects = with_objects(&worlds);
    let none = Keys::Int(Vec::new());
    let ids = objects.first().map_or(&none, |(_, objects)| &objects.objects.rows.ids);
    let writer = Writer {
        folder: staging.path(),
        ids,
        customers: &results.base.ledgers.customers.ids,
        exponent: settings.currency.exponent,
        quantiles: settings.quantiles(),
    };
    let columns = |of: fn(&ObjectResults, &Settings) -> Vec<Values>| {
        beneath_of(objects.iter().map(|(world, objects)| (world, of(objects, settings))))
    };
    let mut written: Vec<Written> = vec![
        writer.write(spec("object_profit")?, &columns(ObjectResults::object_columns))?,
        write_object_costs(&writer, spec("object_cost")?, settings, &objects)?,
        writer.write(spec("object_balance")?, &columns(ObjectResults::balance_columns))?,
        writer.write(spec("pool_balance")?, &beneath(&worlds, World::pool_columns))?,
        writer.write(spec("capacity_use")?, &beneath(&worlds, World::capacity_columns))?,
        writer.write(spec("activity_rate")?, &beneath(&worlds, World::rate_columns))?,
        writer.write(spec("trace")?, &beneath(&worlds, World::trace_columns))?,
        writer.write(spec("rejected")?, &results.rejected_columns())?,
        writer.write(spec("input_balance")?, &results.balance_columns())?,
    ];
    written.sort_by_key(|dataset| dataset.dataset);
    checks::test_outputs(settings, staging.path(), &written, clock)?;
    let mut manifest = manifest(settings, results, &written)?;
    manifest["cost_object"] = json!(kind);
    finish(staging, manifest, [], clock)
}

/// The manifest and the record of the stages, then the commit of what ties.
///
/// * `beside`: files beside the datasets, with the digests of those that hold none themselves.
fn finish(
    staging: Staging,
    mut manifest: Value,
    beside: impl IntoIterator<Item = Value>,
    clock: &mut Clock,
) -> Result<Value, RunError> {
    let record = json!({"path": RUN_RESULTS, "blake3": null});
    manifest["files"] = beside.into_iter().chain([record]).collect();
    staging.write(MANIFEST, &with_digest(&manifest))?;
    refuse_untied(staging.path())?;
    // Times differ from run to run: they stand apart from the manifest, and end where the commit begins.
    clock.stop();
    let record = json!({
        "stages": clock.times,
        "checks": clock.checks,
        "threads": rayon::current_num_threads(),
        "result_digest": manifest["result_digest"],
    });
    staging.write(RUN_RESULTS, &with_digest(&record))?;
    clock.note(&staging.commit()?);
    Ok(manifest)
}

/// Name of a dataset, and what writes it.
type Task<'a> = (&'static str, Box<dyn FnOnce(&'static OutputDataset) -> Result<Written, PublishError> + Send + 'a>);

/// Worlds whose products or other objects are costed.
fn with_objects<'a>(worlds: &[World<'a>]) -> Vec<(World<'a>, &'a ObjectResults)> {
    worlds.iter().filter_map(|world| Some((*world, world.found.objects.as_ref()?))).collect()
}

/// `object_cost`: objects of the base, then of the scenario.
fn write_object_costs(
    writer: &Writer<'_>,
    spec: &'static OutputDataset,
    settings: &Settings,
    worlds: &[(World<'_>, &ObjectResults)],
) -> Result<Written, PublishError> {
    let labels: Vec<CostLabels> =
        worlds.iter().map(|(world, objects)| objects.labels(&world.found.costs.plan, settings)).collect();
    let chunks = |world: &usize| worlds[*world].1.objects.cells.len().div_ceil(COST_CELLS).max(1);
    let parts: Vec<(usize, usize)> =
        (0..worlds.len()).flat_map(|world| (0..chunks(&world)).map(move |part| (world, part))).collect();
    writer.write_in_parts(spec, parts.len(), |part| {
        let (number, part) = parts[part];
        let ((world, objects), labels) = (&worlds[number], &labels[number]);
        pieces(part, objects.objects.cells.len()).map(move |range| {
            let (mut columns, rows) = objects.cost_columns(settings, labels, range);
            columns.push(world.label(rows));
            columns
        })
    })
}

fn write_costs(
    writer: &Writer<'_>,
    spec: &'static OutputDataset,
    worlds: &[World<'_>],
) -> Result<Written, PublishError> {
    let chunks = |world: &World<'_>| world.found.ledgers.cells.len().div_ceil(COST_CELLS);
    let parts: Vec<(&World<'_>, usize)> =
        worlds.iter().flat_map(|world| (0..chunks(world)).map(move |part| (world, part))).collect();
    let labels =
        |world: &World<'_>| CostLabels::new(&world.found.ledgers.cells.period, &world.found.costs.plan, world.settings);
    let labels: Vec<CostLabels> = worlds.iter().map(labels).collect();
    writer.write_in_parts(spec, parts.len(), |part| {
        // A run without cells has one empty part.
        let (world, part) = parts.get(part).copied().unwrap_or((&worlds[0], 0));
        let labels = &labels[worlds.iter().position(|other| other.name == world.name).unwrap_or(0)];
        pieces(part, world.found.ledgers.cells.len()).map(move |range| costs_of(world, range, labels))
    })
}

fn costs_of(world: &World<'_>, range: Range<usize>, labels: &CostLabels) -> Vec<Values> {
    let cells = &world.found.ledgers.cells;
    let costs = world.found.costs.plan.chunk(&world.found.ledgers.ground(world.settings), range.clone());
    let found = |at: usize, number: usize| (costs.quantities[number][at], costs.amounts[number][at]);
    let (mut columns, rows) = labels.columns(&cells.customer, range, found);
    columns.push(world.label(rows));
    columns
}

/// Every input file with its size and digest, and with rows and row groups by its footer.
///
/// # Errors
/// [`ReadError::Changed`] when a file is no longer what was read, [`ReadError::Io`] when it cannot be read any more.
pub(super) fn input_files(settings: &Settings, audit: &Audit) -> Result<Vec<Value>, RunError> {
    let base = Utf8Path::new(&settings.base);
    let is_csv = |table| settings.inputs.table(table).is_some_and(|table| table.format == Format::Csv);
    let files: Vec<_> =
        audit.files.iter().flat_map(|(table, files)| files.iter().map(move |file| (table, file))).collect();
    files
        .par_iter()
        .map(|(table, file)| {
            let (bytes, blake3) = digest(&file.file).map_err(|error| match error {
                PublishError::Io { path, source } => RunError::Read(ReadError::Io { file: path, source }),
                error => error.into(),
            })?;
            // So the digest is that of the rows which were read.
            file.unchanged()?;
            let name = shown(file.file.strip_prefix(base).unwrap_or(&file.file));
            // A CSV has no footer that says them.
            let (rows, row_groups) =
                if is_csv(**table) { (None, None) } else { (Some(file.rows), Some(file.row_groups)) };
            Ok(json!({
                "table": table.as_str(),
                "file": name,
                "bytes": bytes,
                "rows": rows,
                "row_groups": row_groups,
                "schema_digest": file.schema_digest,
                "blake3": blake3,
            }))
        })
        .collect()
}

/// A digest of what the config says, its defaults filled in: comments, order and how long a run may take do not count. Not of where
/// it stands and writes, nor of the datasets' own content.
pub(super) fn config_digest(settings: &Settings) -> String {
    blake3::hash(json!(settings).to_string().as_bytes()).to_hex().to_string()
}

/// One digest over all output files.
pub(super) fn result_digest(written: &[Written]) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in written.iter().flat_map(|dataset| &dataset.files) {
        hasher.update(file.path.as_bytes());
        hasher.update(file.blake3.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn manifest(settings: &Settings, results: &Results, written: &[Written]) -> Result<Value, RunError> {
    let inputs = input_files(settings, &results.audit)?;
    let fits = results.forecast.as_ref().map(Foretold::fits);
    let choice = results.forecast.as_ref().and_then(Foretold::choice);
    let groups = results.forecast.as_ref().and_then(|forecast| {
        let pooled = forecast.pooled()?.1;
        let mut fits = json!(pooled.groups);
        let customers: Vec<u64> = pooled.groups.groups.iter().map(|group| group.customers).collect();
        let mut hidden = hidden(&customers, settings.suppress).into_iter();
        if let Some(groups) = fits["groups"].as_array_mut() {
            // What the dataset `model_group` leaves out is no more told here.
            groups.retain(|_| !hidden.next().unwrap_or(false));
        }
        Some(json!({"by": pooled.by.as_str(), "fits": fits}))
    });
    let balances = &results.base.costs.plan.balances;
    let sum =
        |of: &dyn Fn(&PoolBalance) -> MinorSum| -> String { balances.iter().map(of).sum::<MinorSum>().to_string() };
    let unassigned: serde_json::Map<String, Value> = Unassigned::ALL
        .iter()
        .map(|reason| {
            (reason.as_str().to_owned(), json!(sum(&|pool| MinorSum::from(pool.unassigned[*reason as usize]))))
        })
        .collect();
    let pools = json!({
        "cost": sum(&|pool| pool.own.into()),
        "allocated": sum(&|pool| pool.allocated.into()),
        "unused": sum(&|pool| pool.unused.into()),
        "over_driven": sum(&|pool| pool.over_driven.into()),
        "under_absorbed": sum(&|pool| pool.under_absorbed.into()),
        "sustained": sum(&|pool| pool.sustained.into()),
        "unassigned": unassigned,
        "residual": sum(&PoolBalance::residual),
        "unit": "minor",
    });
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "config_digest": config_digest(settings),
        "name": settings.name,
        "as_of": format_day(results.base.ledgers.as_of),
        "currency": settings.currency,
        "seed": settings.seed,
        // Which key made the pseudonyms of a run, so that two runs can be told to fit each other.
        "id_key": settings.inputs.transactions.id_key.map(|key| fingerprint(&key)),
        "inputs": inputs,
        "balances": results.audit.balances.iter().map(|(table, balance)| (table.as_str().to_owned(), json!(balance))).collect::<serde_json::Map<_, _>>(),
        "pools": pools,
        "report": settings.report,
        "scenario": settings.scenario,
        "forecast": settings.forecast,
        "fits": fits,
        "model_choice": choice,
        "model_groups": groups,
        "outputs": written,
        "result_digest": result_digest(written),
    }))
}
