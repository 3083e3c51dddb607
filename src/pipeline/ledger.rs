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
        packed::Packed,
    },
    read::{ReadError, Source},
    schema::{
        costing::{Basis, NoDriver},
        facts::{Cells, NO_DAY},
        settings::{DriverMeasure, Settings},
        tables::Activity,
    },
    units::Day,
};

/// Packed lines of a wave of the ledger kernel: 16 MiB.
const WAVE_LINES: usize = 262_144;

/// Pieces of a wave, for files whose row groups hold a few rows each.
const WAVE_PIECES: usize = 4_096;

/// Rows that are judged and packed at a time: their columns stay in cache.
const JUDGED_ROWS: usize = 16_384;

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
    let other = settings.scenario.iter().flat_map(|scenario| scenario.settings.activities.values());
    for setting in activities.iter().map(|activity| &activity.setting).chain(other) {
        let fallback = match &setting.no_driver {
            NoDriver::Fallback(basis) => Some(basis),
            _ => None,
        };
        for name in setting.method.bases().into_iter().chain(fallback).flat_map(Basis::drivers) {
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
    pub(super) tally: Tally,
    pub(super) last_day: Day,
}

/// Batches that the scan may be ahead of the fold.
const BATCHES_AHEAD: usize = 2;

/// Scans the ledger in waves: judged and packed slice by slice in parallel, then folded partition by partition.
///
/// The scan has a thread of its own, which hands batches over: so the fold runs in the caller's thread pool, not in the
/// one of the decoder, and the next wave is decoded meanwhile.
///
/// # Errors
/// [`RunError`] of the contract or the facts first, then of the scan.
pub(super) fn fold(
    source: Source,
    ledger: &Ledger,
    summary: LedgerSummary,
    progress: &dyn Progress,
) -> Result<Folded, RunError> {
    let stopped = || ReadError::Scan { table: "transactions", reason: "a batch could not be processed".to_owned() };
    let (send, batches) = sync_channel::<DataFrame>(BATCHES_AHEAD);
    std::thread::scope(|scope| {
        let scan = scope.spawn(move || source.for_each_batch(move |frame| send.send(frame).map_err(|_| stopped())));
        let folded = fold_batches(batches, ledger, summary, progress);
        let scanned = scan.join().map_err(|_| stopped())?;
        let folded = folded?;
        scanned?;
        Ok(folded)
    })
}

fn fold_batches(
    batches: Receiver<DataFrame>,
    ledger: &Ledger,
    summary: LedgerSummary,
    progress: &dyn Progress,
) -> Result<Folded, RunError> {
    let mut folded = Folded { summary, tally: Tally::default(), last_day: NO_DAY };
    let (mut wave, mut lines) = (Vec::new(), 0);
    for frame in batches {
        for packed in pack(ledger, &mut folded, &frame)? {
            lines += packed.len();
            wave.push(packed);
        }
        if lines >= WAVE_LINES || wave.len() >= WAVE_PIECES {
            folded.summary.fold(&std::mem::take(&mut wave))?;
            lines = 0;
            progress.rows(folded.tally.balance.input.rows);
        }
    }
    folded.summary.fold(&wave)?;
    progress.rows(folded.tally.balance.input.rows);
    Ok(folded)
}

/// Judges and packs a batch, slice by slice in parallel.
fn pack(ledger: &Ledger, folded: &mut Folded, frame: &DataFrame) -> Result<Vec<Packed>, RunError> {
    let starts: Vec<usize> = (0..frame.height()).step_by(JUDGED_ROWS).collect();
    let summary = &folded.summary;
    let slices: Vec<(Tally, Day, Packed)> = starts
        .into_par_iter()
        .map(|start| {
            let Judged { lines, tally, last_day } = ledger.judge(&frame.slice(start as i64, JUDGED_ROWS))?;
            Ok((tally, last_day, summary.pack(&lines)?))
        })
        .collect::<Result<_, RunError>>()?;
    let mut packed = Vec::with_capacity(slices.len());
    for (tally, last_day, lines) in slices {
        folded.tally.combine(tally);
        folded.last_day = folded.last_day.max(last_day);
        packed.push(lines);
    }
    Ok(packed)
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
