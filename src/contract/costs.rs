//! Contracts of the tables that define cost: activities, and costs that name their customer.

use super::{
    ContractError,
    columns::{Scale, is_number},
    rules::Tally,
    tables::{
        Input, KnownCustomers, Slice, UNKNOWN, customer_of, demote, ids_like, need_periods, split_duplicates, timed,
        when,
    },
};
use crate::{
    numeric::decimal::Decimal,
    schema::{
        costing::{ActivitySetting, Basis, Capacity, Level, Method},
        tables::{Activity, TracedCost},
    },
};

/// What one row of the activities table says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ActivityRow {
    name: String,
    level: String,
    method: String,
    driver: Option<String>,
    /// Scaled by 10⁶.
    capacity: Option<i64>,
    /// Major units a unit, scaled by 10⁶.
    rate: Option<i64>,
}

/// The activities table, over those of the config.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a word that is no level or method.
pub fn activities(input: &Input<'_>) -> Result<(Vec<Activity>, Tally), ContractError> {
    let scale = Scale { digits: 6, integers_are_scaled: false };
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, ActivityRow>| {
        let column = |name: &str| slice.batch.texts(name)?.ok_or_else(|| slice.absent(name));
        let (names, levels, methods) = (column("activity")?, column("level")?, column("method")?);
        let drivers = slice.batch.texts("driver")?;
        let (capacities, rates) = (slice.batch.numbers("capacity", scale)?, slice.batch.numbers("rate", scale)?);
        for row in 0..slice.height() {
            let text = |column: &[Option<String>]| column[row].clone().unwrap_or_default();
            let number =
                |column: &Option<Vec<i64>>| column.as_ref().map(|column| column[row]).filter(|value| is_number(*value));
            let driver = drivers.as_ref().and_then(|drivers| drivers[row].clone()).filter(|name| !name.is_empty());
            let verdict = if text(&names).trim().is_empty() {
                Err(("missing_activity", "the activity has no name"))
            } else {
                Ok(ActivityRow {
                    name: text(&names),
                    level: text(&levels),
                    method: text(&methods),
                    driver,
                    capacity: number(&capacities),
                    rate: number(&rates),
                })
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.name == b.name,
        |row| {
            let cells = serde_json::json!({"activity": row.name});
            demote(&mut tally, &input.rules, "duplicate_activity", "the activity stands more than once", &cells, None);
        },
    );
    input.rules.judge(&tally.balance)?;
    Ok((rows.into_iter().map(activity).collect::<Result<_, _>>()?, tally))
}

/// Methods that the table can say; the others have parts that need the config.
const METHODS: &str = "average, even, revenue, cost, driver, standard_rate, traced";

fn activity(row: ActivityRow) -> Result<Activity, ContractError> {
    let ActivityRow { name, level, method, driver, capacity, rate } = row;
    let bad = |what: String| Err(ContractError::Setting(format!("activities: activity `{name}` {what}")));
    let known =
        Level::ALL.into_iter().find(|known| known.as_str() == level || (level == "batch" && *known == Level::Order));
    let Some(level) = known else {
        let names: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
        return bad(format!("has a level that is none of {}", names.join(", ")));
    };
    let rate = rate.map(|rate| Decimal { mantissa: i128::from(rate), scale: 6 });
    let method = match (method.as_str(), driver, rate) {
        ("average", ..) => Method::Share(Basis::Average),
        ("even", ..) => Method::Share(Basis::Even),
        ("revenue", ..) => Method::Share(Basis::Revenue),
        ("cost", ..) => Method::Share(Basis::Cost(vec!["product_cost".to_owned()])),
        ("traced", ..) => Method::Traced,
        ("driver", Some(driver), _) => Method::Share(Basis::Driver(driver)),
        ("standard_rate", Some(driver), Some(rate)) => Method::StandardRate { basis: Basis::Driver(driver), rate },
        ("driver" | "standard_rate", None, _) => return bad("goes by a driver, but names none".to_owned()),
        ("standard_rate", ..) => return bad("has a standard rate, but no rate".to_owned()),
        _ => return bad(format!("has a method that is none of {METHODS}")),
    };
    let mut setting = ActivitySetting::new(level, method);
    if let Some(capacity) = capacity {
        if !matches!(setting.method, Method::Share(Basis::Driver(_))) {
            return bad("has a capacity, which needs method driver".to_owned());
        }
        // One of zero or less is refused with the money that it should divide.
        setting.capacity = Some(Capacity::Practical(i128::from(capacity)));
    }
    Ok(Activity { name, setting })
}

/// The traced table: costs that already name their customer.
///
/// * `activities`: names of the activities with method `traced`.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a table without periods in a run with periods.
pub fn traced(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    activities: &[&str],
    csv: bool,
) -> Result<(Vec<TracedCost>, Tally), ContractError> {
    let (mut rows, tally) = input.gather(|slice: &mut Slice<'_, TracedCost>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let names = slice.batch.texts("activity")?.ok_or_else(|| slice.absent("activity"))?;
        let amounts = slice.batch.numbers("amount", input.money())?.ok_or_else(|| slice.absent("amount"))?;
        let times = when(&slice.batch, input.settings.period)?;
        need_periods(input, times.is_some())?;
        for row in 0..slice.height() {
            let amount = is_number(amounts[row]).then_some(amounts[row]);
            let activity = names[row].clone().unwrap_or_default();
            let owner = slice.owner(customer_of(&ids, &missing, row, customers));
            let verdict = match (owner, amount) {
                (Err(broken), _) => Err(broken),
                (_, None) => Err(("invalid_amount", "the amount is null or not a finite number in range")),
                _ if !activities.contains(&activity.as_str()) => {
                    Err(("unknown_activity", "no activity with method traced has this name"))
                }
                (Ok(customer), Some(amount)) => timed(input, times.as_ref(), row).map(|when| TracedCost {
                    customer: (customer != UNKNOWN).then_some(customer),
                    period: when.period,
                    activity,
                    amount,
                }),
            };
            slice.row_of(owner, row, amount, verdict);
        }
        Ok(())
    })?;
    input.rules.judge(&tally.balance)?;
    rows.sort_unstable();
    Ok((rows, tally))
}
