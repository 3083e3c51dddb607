//! Contracts of what is planned and compared with: customers to be won, the market, targets.

use rayon::prelude::*;

use super::{
    ContractError,
    columns::{Batch, NULL, Scale, is_number},
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
};
use crate::{
    numeric::decimal::divide_half_even,
    schema::{
        equity::{MarketValue, Measure, Part, PlannedCustomers, Target},
        facts::NO_DAY,
    },
    units::{Day, MinorSum, QUANTITY_SCALE},
};

/// Names of the groups that customers are in.
#[derive(Clone, Copy, Debug)]
pub struct GroupNames<'a> {
    /// Segments, ascending.
    pub segments: &'a [String],
    /// Channels, ascending; none where the customers table does not map the column.
    pub channels: &'a [String],
}

/// A rule that a row breaks, and what is wrong.
pub(super) type Broken = (&'static str, &'static str);

/// Columns that say which customers a row is about.
pub(super) struct Parts {
    segment: Option<Vec<Option<String>>>,
    channel: Option<Vec<Option<String>>>,
}

impl Parts {
    pub(super) fn new(batch: &Batch<'_>) -> Result<Self, ContractError> {
        Ok(Self { segment: batch.texts("segment")?, channel: batch.texts("channel")? })
    }

    /// Number of a row's segment; `None` where it says none.
    pub(super) fn segment(&self, row: usize, names: GroupNames<'_>) -> Result<Option<u16>, Broken> {
        number(self.segment.as_ref(), row, names.segments, "no customer is in a segment of this name")
    }

    /// Number of a row's channel; `None` where it says none.
    pub(super) fn channel(&self, row: usize, names: GroupNames<'_>) -> Result<Option<u16>, Broken> {
        number(self.channel.as_ref(), row, names.channels, "no customer is in a channel of this name")
    }

    /// Which customers a row is about, where it says one group at most.
    pub(super) fn part(&self, row: usize, names: GroupNames<'_>) -> Result<Part, Broken> {
        Ok(match (self.segment(row, names)?, self.channel(row, names)?) {
            (Some(segment), _) => Part::Segment(segment),
            (None, Some(channel)) => Part::Channel(channel),
            (None, None) => Part::All,
        })
    }
}

fn number(
    column: Option<&Vec<Option<String>>>,
    row: usize,
    names: &[String],
    unknown: &'static str,
) -> Result<Option<u16>, Broken> {
    let Some(name) = column.and_then(|column| column[row].as_deref()).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let found = names.binary_search_by(|known| known.as_str().cmp(name));
    found.map(|number| Some(number as u16)).map_err(|_| ("unknown_group", unknown))
}

/// Customers that are planned to be won. A null cost is none.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn acquisition_plan(
    input: &Input<'_>,
    names: GroupNames<'_>,
    as_of: Day,
) -> Result<(Vec<PlannedCustomers>, Tally), ContractError> {
    let (mut rows, tally) = input.gather(|slice: &mut Slice<'_, PlannedCustomers>| {
        let days = slice.batch.days("date")?.ok_or_else(|| slice.absent("date"))?;
        let customers = slice.batch.numbers("customers", Scale::QUANTITY)?.ok_or_else(|| slice.absent("customers"))?;
        let costs = slice.batch.numbers("cost", input.money())?;
        let parts = Parts::new(&slice.batch)?;
        for row in 0..slice.height() {
            let cost = costs.as_ref().map_or(0, |costs| if costs[row] == NULL { 0 } else { costs[row] });
            let amount = is_number(cost).then_some(cost);
            let verdict = match (days[row], customers[row], amount) {
                (NO_DAY, ..) => Err(("missing_date", "the date is null or no date")),
                (day, ..) if day <= as_of => Err(("before_as_of", "the date is not after as_of: who came is no plan")),
                (_, count, _) if !is_number(count) || count < 0 => {
                    Err(("invalid_quantity", "the number of customers is null, negative or not a finite number"))
                }
                (date, customers, Some(cost)) if cost >= 0 => {
                    parts.part(row, names).map(|part| PlannedCustomers { part, date, customers, cost })
                }
                _ => Err(("invalid_amount", "the cost is negative or not a finite number in range")),
            };
            slice.row(row, amount, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    input.rules.judge(&tally.balance)?;
    Ok((rows, tally))
}

/// What `equity_share` calls our own customers, and all others of a whole market.
const OUR_NAMES: [&str; 2] = ["(own)", "(others)"];

/// What customers of others are worth: their equity, or `customers · value`, rounded half to even. A row without a competitor
/// is the whole market, in which our customers are. Beside the rows, whether none was set aside.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`; [`ContractError::Setting`] where a segment has both the
/// whole market and competitors.
pub fn market(input: &Input<'_>, names: GroupNames<'_>) -> Result<((Vec<MarketValue>, bool), Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, MarketValue>| {
        let equities = slice.batch.numbers("equity", input.money())?;
        let customers = slice.batch.numbers("customers", Scale::QUANTITY)?;
        let values = slice.batch.numbers("value", input.money())?;
        let competitors = slice.batch.texts("competitor")?;
        let parts = Parts::new(&slice.batch)?;
        for row in 0..slice.height() {
            let count = customers.as_ref().map(|customers| customers[row]);
            let known = |value: i64| is_number(value) && value >= 0;
            let equity = match (&equities, &values, count) {
                (Some(equities), ..) => known(equities[row]).then(|| MinorSum::from(equities[row])),
                (None, Some(values), Some(count)) if known(values[row]) => {
                    Some(divide_half_even(MinorSum::from(values[row]) * i128::from(count), QUANTITY_SCALE.into()))
                }
                _ => None,
            };
            let competitor = competitors.as_ref().and_then(|texts| texts[row].clone()).filter(|name| !name.is_empty());
            let amount = equity.and_then(|equity| i64::try_from(equity).ok());
            let verdict = match equity {
                _ if count.is_some_and(|count| count != NULL && !known(count))
                    || (equities.is_none() && count == Some(NULL)) =>
                {
                    Err(("invalid_quantity", "the number of customers is null, negative or not a finite number"))
                }
                Some(equity) if amount.is_some() => parts.part(row, names).map(|part| {
                    let customers = count.filter(|count| *count != NULL);
                    MarketValue { part, competitor, customers, equity }
                }),
                _ => Err(("invalid_amount", "equity or value is null, negative or not a finite number in range")),
            };
            slice.row(row, amount, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let same = |a: &MarketValue, b: &MarketValue| (a.part, &a.competitor) == (b.part, &b.competitor);
    let rows = split_duplicates(rows, same, |row| {
        let mut cells = part_cells(row.part, names);
        cells["competitor"] = row.competitor.clone().into();
        let reason = "segment or channel, and competitor, stand more than once";
        let amount = i64::try_from(row.equity).ok();
        demote(&mut tally, &input.rules, "duplicate_key", reason, &cells, amount);
    });
    input.rules.judge(&tally.balance)?;
    if rows.iter().any(|row| row.competitor.as_deref().is_some_and(|name| OUR_NAMES.contains(&name))) {
        let [own, others] = OUR_NAMES;
        let what = format!("market: no competitor may be called `{own}` or `{others}`");
        let why = "equity_share calls us, and the others of a whole market, so";
        return Err(ContractError::Setting(format!("{what}: {why}")));
    }
    let both = |part: &[MarketValue]| part.len() > 1 && part[0].competitor.is_none();
    if rows.chunk_by(|a, b| a.part == b.part).any(both) {
        let what = "market: a segment, or all customers, has rows with and without a competitor";
        return Err(ContractError::Setting(format!("{what}: give the whole market, or everybody in it")));
    }
    let is_whole = rows.len() as u64 == tally.balance.input.rows;
    Ok(((rows, is_whole), tally))
}

/// The cells that say which customers a row is about: none for all of them.
pub(super) fn part_cells(part: Part, names: GroupNames<'_>) -> serde_json::Value {
    match part {
        Part::All => serde_json::json!({}),
        Part::Segment(number) => serde_json::json!({"segment": names.segments[usize::from(number)]}),
        Part::Channel(number) => serde_json::json!({"channel": names.channels[usize::from(number)]}),
    }
}

/// Targets of what drives equity.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn targets(input: &Input<'_>, names: GroupNames<'_>) -> Result<(Vec<Target>, Tally), ContractError> {
    let known = Measure::ALL.map(Measure::as_str);
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, Target>| {
        let measures = slice.batch.places("measure", &known)?.ok_or_else(|| slice.absent("measure"))?;
        let targets = slice.batch.numbers("target", Scale::QUANTITY)?.ok_or_else(|| slice.absent("target"))?;
        let parts = Parts::new(&slice.batch)?;
        for row in 0..slice.height() {
            let verdict = match measures[row].map(|place| Measure::ALL[place as usize]) {
                None => Err(("unknown_measure", "the measure is none of those of segment_measure")),
                Some(_) if !is_number(targets[row]) => {
                    Err(("invalid_quantity", "the target is null or not a finite number in range"))
                }
                Some(measure) => parts.part(row, names).map(|part| Target { part, measure, target: targets[row] }),
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let same = |a: &Target, b: &Target| (a.part, a.measure) == (b.part, b.measure);
    let rows = split_duplicates(rows, same, |row| {
        let mut cells = part_cells(row.part, names);
        cells["measure"] = row.measure.as_str().into();
        let reason = "measure, and segment or channel, stand more than once";
        demote(&mut tally, &input.rules, "duplicate_key", reason, &cells, None);
    });
    input.rules.judge(&tally.balance)?;
    Ok((rows, tally))
}
