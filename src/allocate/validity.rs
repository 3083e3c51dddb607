//! Which rule divides a pool: the one that holds on the first day of its period, where rules hold on every day of it.

use super::{costing::Costing, refusal::Refusal};
use crate::{
    schema::{
        costing::Rule,
        period::{Period, format_day},
    },
    units::Day,
};

/// The number of the rule that a period's pool goes by.
///
/// A cost of the whole run goes by the rule that holds on `as_of`.
///
/// * `name`: of the activity or resource pool: the name of a rule without one of its own.
/// * `rules`: no two of them hold on one day.
///
/// # Errors
/// [`Refusal::NotValid`], [`Refusal::NoRule`] with the first day of the period on which no rule holds.
pub(super) fn rule_in(
    rules: &[&Rule],
    name: &str,
    costing: &Costing<'_>,
    period: Option<Period>,
) -> Result<usize, Refusal> {
    let (first, last) = days_of(costing, period);
    let on = |day: Day| rules.iter().position(|rule| rule.holds_on(day));
    let mut day = first;
    while let Some(number) = on(day) {
        let Some(end) = rules[number].valid_to.filter(|end| *end < last) else {
            return Ok(on(first).unwrap_or(number));
        };
        day = end + 1;
    }
    let at = format_day(day);
    if let [rule] = rules {
        let (version, validity) = (rule.version, rule.validity());
        return Err(Refusal::NotValid { rule: rule.name(name).to_owned(), version, validity, at });
    }
    let told = |rule: &&Rule| format!("`{}` version {} {}", rule.name(name), rule.version, rule.validity());
    Err(Refusal::NoRule { at, rules: rules.iter().map(told).collect::<Vec<_>>().join(", ") })
}

/// The rule that is shown of a period without money: where none holds, the latest that began before it.
pub(super) fn rule_or_latest(rules: &[&Rule], name: &str, costing: &Costing<'_>, period: Option<Period>) -> usize {
    let (first, _) = days_of(costing, period);
    let began = |rule: &&Rule| rule.valid_from.is_none_or(|from| from <= first);
    rule_in(rules, name, costing, period).unwrap_or_else(|_| rules.iter().rposition(began).unwrap_or(0))
}

fn days_of(costing: &Costing<'_>, period: Option<Period>) -> (Day, Day) {
    let of = |period: Period| {
        let first = costing.period.first_day(period)?;
        Some((first, first + costing.period.days(period)? - 1))
    };
    period.and_then(of).unwrap_or((costing.as_of, costing.as_of))
}
