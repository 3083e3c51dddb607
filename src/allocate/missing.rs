//! Cells that the quantities of an earlier period need where their customers have none.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    basis::{Sources, summarise},
    costing::Costing,
    earlier::earlier,
    refusal::CostError,
    resources,
    rows::{Ground, Periods},
    table::{Context, own_pools},
    unknown::UnknownQuantities,
};
use crate::{
    schema::{
        costing::{ActivitySetting, Basis, NoDriver},
        period::Period,
    },
    units::Minor,
};

/// Cells that policies for an earlier period need and that are not there: (customer, period), sorted.
///
/// A period counts in which the activity may have cost: its own, what resource pools send it, or the unused cost of
/// another activity.
///
/// # Errors
/// [`CostError::Pool`] when a basis cannot be made; [`CostError::Resources`], [`CostError::Resource`].
pub fn missing_cells(costing: &Costing<'_>, ground: &Ground<'_>) -> Result<Vec<(u32, Period)>, CostError> {
    let mut keys = BTreeSet::new();
    let waits = |setting: &ActivitySetting| setting.no_driver == Some(NoDriver::PriorPeriod) && !setting.sustains();
    let wanted: Vec<usize> = (0..costing.activities.len())
        .filter(|number| costing.activities[*number].setting.each_rule().any(|rule| waits(&rule)))
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (periods, unknown) = (Periods::new(&ground.cells.period), UnknownQuantities::default());
    let context = Context { costing, ground, periods: &periods, unknown: &unknown };
    let received = resources::serve(costing, ground, costing.pools)?.received;
    for number in wanted {
        for period in periods_of(costing, &received, number) {
            let (_, setting) = context.under(number, Some(period));
            let basis = setting.method.bases().first().copied().filter(|basis| !matches!(basis, Basis::Cost(_)));
            let Some(basis) = basis.filter(|_| waits(&setting)) else { continue };
            let sources = Sources { ground, drivers: costing.drivers, one_period: true, cost_of: &|_| None };
            let column = sources.column(basis).map_err(|reason| context.failed(number, None, 0, reason))?;
            let used = summarise(&column, ground, periods.reach(Some(period)), None);
            if used.recipients() + used.negative() == 0
                && let Some(moved) = earlier(&column, ground, &periods, period)
            {
                keys.extend(moved.missing.into_iter().map(|customer| (customer, period)));
            }
        }
    }
    Ok(keys.into_iter().collect())
}

/// Periods in which an activity may have cost, whatever way it comes.
///
/// * `received`: what resource pools send to (number of the activity, period).
fn periods_of(
    costing: &Costing<'_>,
    received: &BTreeMap<(usize, Option<Period>), Minor>,
    number: usize,
) -> BTreeSet<Period> {
    let (mut periods, mut seen, mut ahead) = (BTreeSet::new(), BTreeSet::new(), vec![number]);
    while let Some(number) = ahead.pop() {
        if !seen.insert(number) {
            continue;
        }
        periods.extend(own_pools(costing, number).into_keys().flatten());
        let received = received.range((number, None)..=(number, Some(Period::MAX)));
        periods.extend(received.filter_map(|((_, period), _)| *period));
        let name = Some(&costing.activities[number].name);
        let hands_on = |giver: &usize| costing.activities[*giver].setting.unused_to.as_ref() == name;
        ahead.extend((0..costing.activities.len()).filter(hands_on));
    }
    periods
}
