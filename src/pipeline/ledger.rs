//! The ledger: scanned in waves, judged batch by batch, folded partition by partition.

use std::sync::mpsc::{Receiver, sync_channel};

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::{Progress, RunError};
use crate::{
    contract::{
        ContractError,
        rules::Tally,
        transactions::{Judged, Ledger},
    },
    facts::{
        LedgerSummary,
        assemble::{Distinct, DriverSource},
        objects::ObjectSummary,
    },
    read::{ReadError, Source},
    schema::{
        costing::{Basis, NoDriver},
        facts::{Cells, NO_DAY},
        lines::LineBatch,
        settings::{DriverMeasure, Settings},
        tables::Activity,
    },
    units::Day,
};

/// Rows of a wave of the ledger kernel.
const WAVE_ROWS: usize = 524_288;

/// Additive columns of the lines, where each driver column comes from, and the drivers' names.
pub(super) fn driver_plan(settings: &Settings, activities: &[Activity]) -> (usize, Vec<DriverSource>, Vec<String>) {
    let mut names = Vec::new();
    let mut sources = Vec::new();
    let (mut added, mut bit) = (0, crate::schema::lines::PURCHASE);
    for (name, driver) in &settings.drivers {
        names.push(name.clone());
        let what = match driver.measure {
            DriverMeasure::Count | DriverMeasure::Sum(_) => {
                sources.push(DriverSource::Added(added));
                added += 1;
                continue;
            }
            DriverMeasure::CountDistinctOrder => Distinct::Orders,
            DriverMeasure::CountDistinctDay => Distinct::Days,
            DriverMeasure::CountDistinctMonth => Distinct::Months,
        };
        bit <<= 1;
        sources.push(DriverSource::Distinct { bit, what });
    }
    for activity in activities {
        let fallback = match &activity.setting.no_driver {
            NoDriver::Fallback(basis) => Some(basis),
            _ => None,
        };
        for name in activity.setting.method.bases().into_iter().chain(fallback).flat_map(Basis::drivers) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
                sources.push(DriverSource::Table);
            }
        }
    }
    (added, sources, names)
}

/// What the scan made of the ledger.
pub(super) struct Folded {
    pub(super) summary: LedgerSummary,
    /// The same lines by another object.
    pub(super) objects: Option<ObjectSummary>,
    pub(super) tally: Tally,
    pub(super) last_day: Day,
}

/// Batches that the scan may be ahead of the fold.
const BATCHES_AHEAD: usize = 2;

/// Scans the ledger in waves: judged batch by batch in parallel, then folded partition by partition.
///
/// The scan has a thread of its own, which hands batches over: so the fold runs in the caller's thread pool, not in the
/// one of the decoder, and the next wave is decoded meanwhile.
///
/// # Errors
/// [`RunError`] of the contract or the facts first, then of the scan.
pub(super) fn fold(
    source: Source,
    ledger: &Ledger,
    summaries: (LedgerSummary, Option<ObjectSummary>),
    progress: &dyn Progress,
) -> Result<Folded, RunError> {
    let stopped = || ReadError::Scan { table: "transactions", reason: "a batch could not be processed".to_owned() };
    let (send, batches) = sync_channel::<DataFrame>(BATCHES_AHEAD);
    std::thread::scope(|scope| {
        let scan = scope.spawn(move || source.for_each_batch(move |frame| send.send(frame).map_err(|_| stopped())));
        let folded = fold_batches(batches, ledger, summaries, progress);
        let scanned = scan.join().map_err(|_| stopped())?;
        let folded = folded?;
        scanned?;
        Ok(folded)
    })
}

fn fold_batches(
    batches: Receiver<DataFrame>,
    ledger: &Ledger,
    (summary, objects): (LedgerSummary, Option<ObjectSummary>),
    progress: &dyn Progress,
) -> Result<Folded, RunError> {
    let mut folded = Folded { summary, objects, tally: Tally::default(), last_day: NO_DAY };
    let (mut wave, mut rows) = (Vec::new(), 0);
    for frame in batches {
        rows += frame.height();
        wave.push(frame);
        if rows >= WAVE_ROWS {
            fold_wave(ledger, &mut folded, &std::mem::take(&mut wave))?;
            rows = 0;
            progress.rows(folded.tally.balance.input.rows);
        }
    }
    fold_wave(ledger, &mut folded, &wave)?;
    progress.rows(folded.tally.balance.input.rows);
    Ok(folded)
}

/// Rows that are judged at a time: their columns stay in cache.
const JUDGED_ROWS: usize = 65_536;

fn fold_wave(ledger: &Ledger, folded: &mut Folded, wave: &[DataFrame]) -> Result<(), RunError> {
    let slices: Vec<DataFrame> = wave
        .iter()
        .flat_map(|frame| (0..frame.height()).step_by(JUDGED_ROWS).map(|from| frame.slice(from as i64, JUDGED_ROWS)))
        .collect();
    let judged: Vec<Judged> = slices.par_iter().map(|frame| ledger.judge(frame)).collect::<Result<_, _>>()?;
    let mut lines: Vec<LineBatch> = Vec::with_capacity(judged.len());
    let mut objects = Vec::new();
    for slice in judged {
        folded.tally.combine(slice.tally);
        folded.last_day = folded.last_day.max(slice.last_day);
        lines.push(slice.lines);
        objects.extend(slice.objects);
    }
    folded.summary.insert(&lines)?;
    if let Some(summary) = &mut folded.objects {
        summary.insert(lines.into_iter().zip(objects).collect())?;
    }
    Ok(())
}

/// Money accepted by the contract = money in the facts, through two independent sums.
pub(super) fn check_money(tally: &Tally, cells: &Cells) -> Result<(), ContractError> {
    let facts: i128 =
        (0..cells.len()).map(|cell| i128::from(cells.gross_sales[cell]) - i128::from(cells.returns[cell])).sum();
    let accepted = tally.balance.accepted.amount;
    if facts == accepted {
        return Ok(());
    }
    Err(ContractError::Reconciliation {
        table: "transactions",
        what: "money in the facts",
        left: accepted,
        right: facts,
    })
}
