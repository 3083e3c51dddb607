//! Contract of the activities table: a row an activity, or a row a rule where several follow each other by date.

use super::{
    ContractError,
    columns::{Scale, is_number},
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
};
use crate::{
    numeric::decimal::Decimal,
    schema::{
        costing::{ActivitySetting, AllocationRule, Basis, Capacity, Level, Method, Rule},
        facts::NO_DAY,
        period::format_day,
        tables::Activity,
    },
    units::Day,
};

/// What one row of the activities table says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ActivityRow {
    name: String,
    /// First day on which it holds; `None` = since ever, and stands first.
    valid_from: Option<Day>,
    valid_to: Option<Day>,
    level: String,
    method: String,
    driver: Option<String>,
    /// Scaled by 10⁶.
    capacity: Option<i64>,
    /// Major units a unit, scaled by 10⁶.
    rate: Option<i64>,
    rule: Option<String>,
    /// `None` = its place among the activity's rows.
    version: Option<u32>,
}

impl ActivityRow {
    fn dates(&self) -> Rule {
        Rule { valid_from: self.valid_from, valid_to: self.valid_to, ..Rule::default() }
    }
}

/// The activities table, over those of the config.
///
/// # Errors
/// [`ContractError`] of a column, of a rule with policy `error`, or of a word that is no level or method.
pub fn activities(input: &Input<'_>) -> Result<(Vec<Activity>, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(judge)?;
    rows.sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.name == b.name && a.dates().overlap(&b.dates()).is_some(),
        |row| {
            let (from, to) = (row.valid_from.map(format_day), row.valid_to.map(format_day));
            let cells = serde_json::json!({"activity": row.name, "valid_from": from, "valid_to": to});
            let reason = "the activity stands more than once, with rules that hold on one day";
            demote(&mut tally, &input.rules, "duplicate_activity", reason, &cells, None);
        },
    );
    input.rules.judge(&tally.balance)?;
    let activities = rows.chunk_by(|a, b| a.name == b.name).map(activity);
    Ok((activities.collect::<Result<_, _>>()?, tally))
}

fn judge(slice: &mut Slice<'_, ActivityRow>) -> Result<(), ContractError> {
    let scale = Scale::QUANTITY;
    let whole = Scale { digits: 0, integers_are_scaled: true };
    let column = |name: &str| slice.batch.texts(name)?.ok_or_else(|| slice.absent(name));
    let (names, levels, methods) = (column("activity")?, column("level")?, column("method")?);
    let (drivers, rules) = (slice.batch.texts("driver")?, slice.batch.texts("rule")?);
    let (capacities, rates) = (slice.batch.numbers("capacity", scale)?, slice.batch.numbers("rate", scale)?);
    let versions = slice.batch.numbers("rule_version", whole)?;
    let (from, to) = (dates(slice, "valid_from")?, dates(slice, "valid_to")?);
    for row in 0..slice.height() {
        let text = |column: &[Option<String>]| column[row].clone().unwrap_or_default();
        let some = |column: &Option<Vec<Option<String>>>| {
            column.as_ref().and_then(|texts| texts[row].clone()).filter(|name| !name.trim().is_empty())
        };
        let number =
            |column: &Option<Vec<i64>>| column.as_ref().map(|column| column[row]).filter(|value| is_number(*value));
        let verdict = match (from[row], to[row]) {
            _ if text(&names).trim().is_empty() => Err(("missing_activity", "the activity has no name")),
            (Ok(from), Ok(to)) if from.zip(to).is_none_or(|(from, to)| from <= to) => Ok(ActivityRow {
                name: text(&names),
                valid_from: from,
                valid_to: to,
                level: text(&levels),
                method: text(&methods),
                driver: some(&drivers),
                capacity: number(&capacities),
                rate: number(&rates),
                rule: some(&rules),
                version: number(&versions)
                    .and_then(|version| u32::try_from(version).ok())
                    .filter(|version| *version > 0),
            }),
            _ => Err(("invalid_dates", "valid_from or valid_to is no date, or the rule ends before it begins")),
        };
        slice.row(row, None, verdict);
    }
    Ok(())
}

/// A column of days, each of which may be null; `Err` where a cell is none.
fn dates(slice: &Slice<'_, ActivityRow>, column: &str) -> Result<Vec<Result<Option<Day>, ()>>, ContractError> {
    let (Some(days), Some(nulls)) = (slice.batch.days(column)?, slice.batch.nulls(column)) else {
        return Ok(vec![Ok(None); slice.height()]);
    };
    let of = |(day, null): (Day, bool)| match day {
        _ if null => Ok(None),
        NO_DAY => Err(()),
        day => Ok(Some(day)),
    };
    Ok(days.into_iter().zip(nulls).map(of).collect())
}

/// Methods that the table can say; the others have parts that need the config.
const METHODS: &str = "average, even, revenue, cost, driver, standard_rate, traced";

/// One activity, with a rule a row.
fn activity(rows: &[ActivityRow]) -> Result<Activity, ContractError> {
    let settings: Vec<ActivitySetting> = rows
        .iter()
        .enumerate()
        .map(|(place, row)| setting(row, place as u32 + 1))
        .collect::<Result<_, ContractError>>()?;
    let mut settings = settings.into_iter();
    let bad = |what: &str| ContractError::Setting(format!("activities: activity `{}` {what}", rows[0].name));
    let first = settings.next().ok_or_else(|| bad("has no row"))?;
    let later: Vec<ActivitySetting> = settings.collect();
    if later.iter().any(|setting| setting.level != first.level) {
        return Err(bad("has rows of different levels"));
    }
    let later = later.into_iter().map(AllocationRule::from).collect();
    Ok(Activity { name: rows[0].name.clone(), setting: ActivitySetting { later, ..first } })
}

/// * `version`: the one of a rule without.
fn setting(row: &ActivityRow, version: u32) -> Result<ActivitySetting, ContractError> {
    let bad = |what: String| Err(ContractError::Setting(format!("activities: activity `{}` {what}", row.name)));
    let is_named = |known: &Level| known.as_str() == row.level || (row.level == "batch" && *known == Level::Order);
    let Some(level) = Level::ALL.into_iter().find(is_named) else {
        let names: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
        return bad(format!("has a level that is none of {}", names.join(", ")));
    };
    let rate = row.rate.map(|rate| Decimal { mantissa: i128::from(rate), scale: 6 });
    let method = match (row.method.as_str(), row.driver.clone(), rate) {
        ("average", ..) => Method::Share(Basis::Average),
        ("even", ..) => Method::Share(Basis::Even),
        ("revenue", ..) => Method::Share(Basis::Revenue),
        ("cost", ..) => Method::Share(Basis::Cost(vec!["product_cost".to_owned()])),
        ("traced", ..) => Method::Traced,
        ("driver", Some(driver), _) => Method::Share(Basis::Driver(driver)),
        ("standard_rate", _, Some(rate)) if rate.mantissa <= 0 => {
            return bad("has a standard rate that is not above zero".to_owned());
        }
        ("standard_rate", Some(driver), Some(rate)) => Method::StandardRate { basis: Basis::Driver(driver), rate },
        ("driver" | "standard_rate", None, _) => return bad("goes by a driver, but names none".to_owned()),
        ("standard_rate", ..) => return bad("has a standard rate, but no rate".to_owned()),
        _ => return bad(format!("has a method that is none of {METHODS}")),
    };
    let mut setting = ActivitySetting::new(level, method);
    if let Some(capacity) = row.capacity {
        if !matches!(setting.method, Method::Share(Basis::Driver(_))) {
            return bad("has a capacity, which needs method driver".to_owned());
        }
        // One of zero or less is refused with the money that it should divide.
        setting.capacity = Some(Capacity::Practical(i128::from(capacity)));
    }
    setting.rule = Rule { id: row.rule.clone(), version: row.version.unwrap_or(version), ..row.dates() };
    Ok(setting)
}
