//! Activities and resource pools whose cost a table may give, and how a message names them: with the rule that divides them.

use std::collections::BTreeMap;

use crate::{
    numeric::decimal::format_grouped,
    schema::{
        costing::Rule,
        money::Currency,
        period::{Period, PeriodKind},
    },
    units::{Day, MinorSum},
};

/// Names and rules, in the periods of a run.
#[derive(Clone, Debug)]
pub struct Costed<'a> {
    rules: BTreeMap<&'a str, Vec<&'a Rule>>,
    period: PeriodKind,
    as_of: Option<Day>,
}

impl<'a> Costed<'a> {
    /// * `rules`: of every activity and resource pool, by name. * `as_of`: rules of costs without a period hold on it.
    #[must_use]
    pub fn new(rules: BTreeMap<&'a str, Vec<&'a Rule>>, period: PeriodKind, as_of: Option<Day>) -> Self {
        Self { rules, period, as_of }
    }

    /// Whether there is one of this name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.rules.contains_key(name)
    }

    /// Every name.
    pub(super) fn names(&self) -> Vec<&'a str> {
        self.rules.keys().copied().collect()
    }

    /// A name, with that of its rule in a period where the rule has one of its own.
    #[must_use]
    pub fn told(&self, name: &str, period: Option<Period>) -> String {
        let rules = self.rules.get(name).map_or(&[] as &[_], Vec::as_slice);
        let day = period.and_then(|period| self.period.first_day(period)).or(self.as_of);
        let rule = match rules {
            [rule] => Some(rule),
            rules => day.and_then(|day| rules.iter().find(|rule| rule.holds_on(day))),
        };
        match rule {
            Some(Rule { id: Some(id), version, .. }) if rules.len() > 1 => {
                format!("{name} (rule `{id}` version {version})")
            }
            Some(Rule { id: Some(id), .. }) => format!("{name} (rule `{id}`)"),
            _ => name.to_owned(),
        }
    }
}

/// Money at stake, in its own currency.
pub(super) fn at_stake(money: MinorSum, code: &str, run: &Currency) -> String {
    let known = if code == run.code { Some(run.clone()) } else { Currency::from_code(code) };
    format!("{} {code}", format_grouped(money, known.map_or(0, |currency| currency.exponent)))
}
