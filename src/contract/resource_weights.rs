//! Contract of the table of resource weights: whom resource pools serve, and how much.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ContractError,
    columns::{Scale, is_number},
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
    when::{no_period, when},
};
use crate::{
    numeric::decimal::format_minor,
    schema::{
        costing::{ResourceSetting, Weight},
        period::{Period, PeriodKind},
    },
    units::Quantity,
};

/// Takers of each resource pool with their weights.
pub type Takers = BTreeMap<String, Vec<(String, Weight)>>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct WeightRow {
    from: String,
    to: String,
    /// `None` = in every period.
    period: Option<Period>,
    /// Scaled by 10⁶.
    weight: Quantity,
}

/// The table of resource weights.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn resource_weights(input: &Input<'_>) -> Result<(Takers, Tally), ContractError> {
    let scale = Scale::QUANTITY;
    let whole = input.settings.period == PeriodKind::Whole;
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, WeightRow>| {
        let column = |name: &str| slice.batch.texts(name)?.ok_or_else(|| slice.absent(name));
        let (from, to) = (column("from")?, column("to")?);
        let weights = slice.batch.numbers("weight", scale)?.ok_or_else(|| slice.absent("weight"))?;
        let periods = when(&slice.batch, input.settings.period)?;
        for row in 0..slice.height() {
            let name = |column: &[Option<String>]| column[row].clone().filter(|name| !name.trim().is_empty());
            let period = periods.as_ref().map(|periods| periods[row]);
            let verdict = match (name(&from), name(&to), period) {
                (None, ..) | (_, None, _) => Err(("missing_pool", "the giver or the taker has no name")),
                _ if !is_number(weights[row]) || weights[row] < 0 => {
                    Err(("invalid_weight", "the weight is null, below zero, or not a finite number in range"))
                }
                (.., Some(None)) => Err(no_period(input)),
                (Some(from), Some(to), period) => {
                    let period = period.flatten().map(|when| when.period).filter(|_| !whole);
                    Ok(WeightRow { from, to, period, weight: weights[row] })
                }
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.sort_unstable();
    let same = |a: &WeightRow, b: &WeightRow| (&a.from, &a.to, a.period) == (&b.from, &b.to, b.period);
    let rows = split_duplicates(rows, same, |row| {
        let mut cells =
            serde_json::json!({"from": row.from, "to": row.to, "weight": format_minor(row.weight.into(), 6)});
        if let Some(period) = row.period {
            cells["period"] = input.settings.period.label(period).into();
        }
        let reason = "giver, taker and period stand more than once";
        demote(&mut tally, &input.rules, "duplicate_key", reason, &cells, None);
    });
    input.rules.judge(&tally.balance)?;
    let mut takers = Takers::new();
    for WeightRow { from, to, period, weight } in rows {
        let own = takers.entry(from).or_default();
        match (own.last_mut().filter(|(last, _)| *last == to), period) {
            (Some((_, Weight::Periods(periods))), Some(period)) => periods.push((period, weight)),
            (_, Some(period)) => own.push((to, Weight::Periods(vec![(period, weight)]))),
            (_, None) => own.push((to, Weight::Always(weight))),
        }
    }
    Ok((takers, tally))
}

/// The resource pools of the config, with the takers that the table gives them, and those that only the table knows.
///
/// * `activities`: names of the activities.
///
/// # Errors
/// [`ContractError::Setting`]: a pool whose takers stand in the config and in the table, or that is an activity.
pub fn with_takers(
    pools: &BTreeMap<String, ResourceSetting>,
    table: &Takers,
    activities: &BTreeSet<&str>,
) -> Result<BTreeMap<String, ResourceSetting>, ContractError> {
    let mut pools = pools.clone();
    for (name, takers) in table {
        let bad = |what: &str| Err(ContractError::Setting(format!("resource_weights: `{name}` {what}")));
        if activities.contains(name.as_str()) {
            return bad("is an activity, and serves nobody");
        }
        let pool = pools.entry(name.clone()).or_default();
        if pool.takers().next().is_some() || !pool.later.is_empty() {
            return bad("has takers in the config and in the table");
        }
        pool.serves.clone_from(takers);
    }
    Ok(pools)
}
