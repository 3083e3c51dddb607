//! The ledger: scanned in waves, judged batch by batch, folded partition by partition.

use std::{collections::BTreeMap, sync::mpsc::Receiver};

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::{Progress, RunError};
use crate::{
    contract::{
        ContractError,
        rules::Tally,
        tables::JUDGED_ROWS,
        transactions::{Judged, Ledger},
    },
    facts::{
        LedgerSummary,
        assemble::{Distinct, DriverSource},
        objects::{ObjectSummary, PackedObjects},
        order_sums::OrderSummary,
        packed::Packed,
    },
    read::Source,
    schema::{
        costing::{AllocationRule, Basis, NoDriver, ResourceSetting, Weight},
        facts::{Cells, NO_DAY},
        lines::{LineBatch, PURCHASE},
        settings::{DriverMeasure, Settings},
        tables::Activity,
    },
    units::Day,
};

/// Packed lines of a wave of the ledger kernel, 64 MiB: of a million customers each partition then has about as many lines as
/// cells, so that it pays to read the cells in a row first.
pub(super) const WAVE_LINES: usize = 1 << 20;

/// Pieces of a wave, for files whose row groups hold a few rows each.
const WAVE_PIECES: usize = 4_096;

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
            DriverMeasure::Time { .. } | DriverMeasure::OrderTime { .. } => {
                sources.push(DriverSource::Table);
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
    let own = activities.iter().map(|activity| &activity.setting).chain(other);
    let later = |rule: &AllocationRule| (rule.method.clone(), rule.no_driver.clone());
    let own = own.flat_map(|setting| {
        let first = (setting.method.clone(), setting.no_driver.clone());
        std::iter::once(first).chain(setting.later.iter().map(later))
    });
    let changed = settings.scenario.iter().flat_map(|scenario| &scenario.activities);
    let changed = changed.filter_map(|(_, change)| Some((change.method.clone()?, None)));
    for (method, no_driver) in own.chain(changed) {
        let fallback = match &no_driver {
            Some(NoDriver::Fallback(basis)) => Some(basis),
            _ => None,
        };
        for name in method.bases().into_iter().chain(fallback).flat_map(Basis::drivers) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
                sources.push(DriverSource::Table);
            }
        }
    }
    let scenes = settings.scenario.iter().map(|scenario| &scenario.settings.resources);
    let resources = std::iter::once(&settings.resources).chain(scenes).flat_map(BTreeMap::values);
    for (_, weight) in resources.flat_map(ResourceSetting::takers) {
        if let Weight::Driver(name) = weight
            && !names.contains(name)
        {
            names.push(name.clone());
            sources.push(DriverSource::Table);
        }
    }
    (added, sources, names)
}

/// What the scan made of the ledger.
pub(super) struct Folded {
    pub(super) summary: LedgerSummary,
    /// The same lines by day, where purchase days are wanted.
    pub(super) days: Option<LedgerSummary>,
    /// The same lines by another object than the customer, where one is costed.
    pub(super) objects: Option<ObjectSummary>,
    /// The same lines by customer and order, where a driver is worked out order by order.
    pub(super) orders: Option<OrderSummary>,
    pub(super) tally: Tally,
    pub(super) last_day: Day,
}

/// Empty summaries: by customer; by day, where purchase days are wanted; by object, where one is costed; by order.
pub(super) struct Summaries {
    pub(super) customers: LedgerSummary,
    pub(super) days: Option<LedgerSummary>,
    pub(super) objects: Option<ObjectSummary>,
    pub(super) orders: Option<OrderSummary>,
}

/// A slice of lines, packed for each of the summaries.
struct Slice {
    lines: Packed,
    days: Option<Packed>,
    objects: Option<PackedObjects>,
    orders: Option<Packed>,
}

/// Scans the ledger in waves: judged and packed slice by slice in parallel, then folded partition by partition.
///
/// # Errors
/// [`RunError`] of the contract or the facts first, then of the scan.
pub(super) fn fold(
    source: Source,
    ledger: &Ledger,
    summaries: Summaries,
    progress: &dyn Progress,
) -> Result<Folded, RunError> {
    let (folded, scanned) = source.beside(|batches| fold_batches(batches, ledger, summaries, progress));
    let folded = folded?;
    scanned?;
    Ok(folded)
}

fn fold_batches(
    batches: Receiver<DataFrame>,
    ledger: &Ledger,
    summaries: Summaries,
    progress: &dyn Progress,
) -> Result<Folded, RunError> {
    let Summaries { customers: summary, days, objects, orders } = summaries;
    let mut folded = Folded { summary, days, objects, orders, tally: Tally::default(), last_day: NO_DAY };
    let (mut wave, mut lines) = (Wave::default(), 0);
    for frame in batches {
        let packed = pack(ledger, &mut folded, &frame)?;
        lines += packed.lines.iter().map(Packed::len).sum::<usize>();
        wave.append(packed);
        if lines >= WAVE_LINES || wave.lines.len() >= WAVE_PIECES {
            folded.insert(std::mem::take(&mut wave))?;
            lines = 0;
            progress.rows(folded.tally.balance.input.rows);
        }
    }
    folded.insert(wave)?;
    progress.rows(folded.tally.balance.input.rows);
    Ok(folded)
}

/// Packed lines of a wave.
#[derive(Default)]
struct Wave {
    lines: Vec<Packed>,
    /// The same lines for the summary by day, where there is one.
    days: Vec<Packed>,
    /// The same lines for the summary by object, where there is one.
    objects: Vec<PackedObjects>,
    /// The same lines for the summary by order, where there is one.
    orders: Vec<Packed>,
}

impl Wave {
    fn append(&mut self, mut other: Self) {
        self.lines.append(&mut other.lines);
        self.days.append(&mut other.days);
        self.objects.append(&mut other.objects);
        self.orders.append(&mut other.orders);
    }
}

impl Folded {
    fn insert(&mut self, wave: Wave) -> Result<(), RunError> {
        self.summary.fold(&wave.lines)?;
        if let Some(days) = &mut self.days {
            days.fold(&wave.days)?;
        }
        if let Some(objects) = &mut self.objects {
            objects.fold(wave.objects)?;
        }
        if let Some(orders) = &mut self.orders {
            orders.fold(&wave.orders)?;
        }
        Ok(())
    }
}

/// Judges and packs a batch, slice by slice in parallel.
fn pack(ledger: &Ledger, folded: &mut Folded, frame: &DataFrame) -> Result<Wave, RunError> {
    let starts: Vec<usize> = (0..frame.height()).step_by(JUDGED_ROWS).collect();
    let Folded { summary, days, objects, orders, .. } = &*folded;
    let slices: Vec<(Tally, Day, Slice)> = starts
        .into_par_iter()
        .map(|start| {
            let judged = ledger.judge(&frame.slice(start as i64, JUDGED_ROWS))?;
            let Judged { lines, objects: keys, tally, last_day } = judged;
            let packed = summary.pack(&lines)?;
            // Each summary takes its lines apart; the last one that wants them takes the lines themselves.
            let by_order = orders.as_ref().map(|orders| orders.pack(lines.clone())).transpose()?;
            let by_object = match objects.as_ref().zip(keys) {
                Some((objects, keys)) if days.is_some() => Some(objects.pack(lines.clone(), keys)?),
                Some((objects, keys)) => {
                    let by_object = Some(objects.pack(lines, keys)?);
                    let slice = Slice { lines: packed, days: None, objects: by_object, orders: by_order };
                    return Ok((tally, last_day, slice));
                }
                None => None,
            };
            let by_day = days.as_ref().map(|days| days.pack(&purchases_only(lines))).transpose()?;
            Ok((tally, last_day, Slice { lines: packed, days: by_day, objects: by_object, orders: by_order }))
        })
        .collect::<Result<_, RunError>>()?;
    let mut wave = Wave::default();
    for (tally, last_day, slice) in slices {
        folded.tally.combine(tally);
        folded.last_day = folded.last_day.max(last_day);
        wave.lines.push(slice.lines);
        wave.days.extend(slice.days);
        wave.objects.extend(slice.objects);
        wave.orders.extend(slice.orders);
    }
    Ok(wave)
}

/// By day only purchases count: no driver of a line is looked at.
fn purchases_only(lines: LineBatch) -> LineBatch {
    LineBatch { mask: lines.mask.iter().map(|mask| mask & PURCHASE).collect(), added: Vec::new(), ..lines }
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
