//! The ledger: scanned in waves, judged batch by batch, folded partition by partition.

use std::{borrow::Cow, collections::BTreeMap, sync::mpsc::Receiver};

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::{Progress, RunError};
use crate::{
    contract::{
        ContractError,
        rules::Tally,
        small_table::JUDGED_ROWS,
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
        costing::{ActivitySetting, Basis, NoDriver, ResourceSetting, Weight},
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
    for name in named_by(activities, &settings.resources).chain(named_in_scenario(settings, activities)) {
        if !names.contains(&name) {
            names.push(name);
            sources.push(DriverSource::Table);
        }
    }
    (added, sources, names)
}

/// Names of the drivers that activities and resource pools go by.
pub(super) fn named_by<'a>(
    activities: impl IntoIterator<Item = &'a Activity>,
    resources: &'a BTreeMap<String, ResourceSetting>,
) -> impl Iterator<Item = String> {
    let of_activities = activities.into_iter().flat_map(|activity| {
        let bases = |rule: Cow<'_, ActivitySetting>| {
            let fallback = match &rule.no_driver {
                Some(NoDriver::Fallback(basis)) => Some(basis),
                _ => None,
            };
            let bases = rule.method.bases().into_iter().chain(fallback);
            bases.flat_map(Basis::drivers).map(str::to_owned).collect::<Vec<_>>()
        };
        activity.setting.each_rule().flat_map(bases).collect::<Vec<_>>()
    });
    let of_resources = resources.values().flat_map(ResourceSetting::takers).filter_map(|(_, weight)| match weight {
        Weight::Driver(name) => Some(name.clone()),
        _ => None,
    });
    of_activities.chain(of_resources)
}

/// The same of the scenario; nothing without one.
pub(super) fn named_in_scenario<'a>(
    settings: &'a Settings,
    activities: &'a [Activity],
) -> impl Iterator<Item = String> {
    settings.scenario.iter().flat_map(|scenario| {
        let own = scenario.settings.activities.iter();
        let own = own.map(|(name, setting)| Activity { name: name.clone(), setting: setting.clone() });
        // Those of the table, with what is said otherwise of them.
        let of_table = activities.iter().filter(|activity| !settings.activities.contains_key(&activity.name)).cloned();
        let changed = of_table.map(|mut activity| {
            let change = scenario.activities.iter().find(|(name, _)| *name == activity.name);
            if let Some(method) = change.and_then(|(_, change)| change.method.as_ref()) {
                activity.setting.method = method.clone();
            }
            activity
        });
        let all: Vec<Activity> = own.chain(changed).collect();
        named_by(&all, &scenario.settings.resources).collect::<Vec<_>>()
    })
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
