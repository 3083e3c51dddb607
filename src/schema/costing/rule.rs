//! Rules that follow each other by date: each with a name, a version, days on which it holds, and a method of its own.

use std::borrow::Cow;

use serde::Serialize;

use super::{ActivitySetting, Capacity, Method, Negative, NoDriver, OverUse, ResourceSetting, Weight};
use crate::{
    schema::period::format_day,
    units::{Day, Quantity},
};

/// Which rule, and when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The user's name; `None` = the name of the activity or pool.
    pub id: Option<String>,
    /// The user's version.
    pub version: u32,
    /// First day on which it holds; `None` = since ever.
    pub valid_from: Option<Day>,
    /// Last day on which it holds; `None` = for ever.
    pub valid_to: Option<Day>,
}

impl Default for Rule {
    fn default() -> Self {
        Self { id: None, version: 1, valid_from: None, valid_to: None }
    }
}

impl Rule {
    /// Whether it holds on a day.
    #[must_use]
    pub fn holds_on(&self, day: Day) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }

    /// Its own name, or that of the activity or pool that it is of.
    #[must_use]
    pub fn name<'a>(&'a self, owner: &'a str) -> &'a str {
        self.id.as_deref().unwrap_or(owner)
    }

    /// When it holds, in words.
    #[must_use]
    pub fn validity(&self) -> String {
        match (self.valid_from, self.valid_to) {
            (Some(from), Some(to)) => format!("from {} to {}", format_day(from), format_day(to)),
            (Some(from), None) => format!("from {}", format_day(from)),
            (None, Some(to)) => format!("to {}", format_day(to)),
            (None, None) => "always".to_owned(),
        }
    }

    /// The first day on which both it and another one hold.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> Option<Day> {
        let from = self.valid_from.max(other.valid_from);
        let ends = self.valid_to.into_iter().chain(other.valid_to).min();
        let from = from.unwrap_or_else(|| ends.unwrap_or(0));
        (self.holds_on(from) && other.holds_on(from)).then_some(from)
    }
}

/// A later rule of an activity: how its cost reaches customers from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AllocationRule {
    /// Name, version and dates.
    pub rule: Rule,
    /// How the cost is spread.
    pub method: Method,
    /// What to do with negative driver quantities.
    pub negative: Negative,
    /// What becomes of a pool whose driver nobody used; `None` = what [`ActivitySetting::no_driver`] says.
    pub no_driver: Option<NoDriver>,
    /// What the cost pays for; `None` = the driver quantity that was used.
    pub capacity: Option<Capacity>,
    /// What happens when more is used than the capacity.
    pub over_use: OverUse,
}

/// A later rule of a resource pool: whom it serves from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceRule {
    /// Name, version and dates.
    pub rule: Rule,
    /// Activities and resource pools that it serves, each with its weight.
    pub serves: Vec<(String, Weight)>,
    /// What its cost pays for, in the unit of the weights; `None` = what is served.
    pub capacity: Option<Quantity>,
}

impl ActivitySetting {
    /// Its rules, by date.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        std::iter::once(&self.rule).chain(self.later.iter().map(|later| &later.rule))
    }

    /// The activity as one of its rules has it, without the others; a number beyond them is that of the first.
    ///
    /// * `number`: place in [`Self::rules`].
    #[must_use]
    pub fn under(&self, number: usize) -> Cow<'_, Self> {
        if self.later.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut own = Self { later: Vec::new(), ..self.clone() };
        if let Some(later) = number.checked_sub(1).and_then(|at| self.later.get(at)).cloned() {
            let AllocationRule { rule, method, negative, no_driver, capacity, over_use } = later;
            own = Self { method, negative, no_driver, capacity, over_use, rule, ..own };
        }
        Cow::Owned(own)
    }

    /// Whether a rule takes costs that name their customer.
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.each_rule().any(|rule| rule.method == Method::Traced)
    }

    /// The activity as each of its rules has it.
    pub fn each_rule(&self) -> impl Iterator<Item = Cow<'_, Self>> {
        (0..=self.later.len()).map(|number| self.under(number))
    }

    /// An activity with what `change` makes of each of its rules.
    #[must_use]
    pub fn with_each_rule(&self, change: impl Fn(&Self) -> Self) -> Self {
        let mut changed = self.each_rule().map(|rule| change(&rule));
        let first = changed.next().unwrap_or_else(|| self.clone());
        let later = changed.map(AllocationRule::from).collect();
        Self { later, ..first }
    }
}

impl From<ActivitySetting> for AllocationRule {
    /// What of a setting a rule says.
    fn from(setting: ActivitySetting) -> Self {
        let ActivitySetting { rule, method, negative, no_driver, capacity, over_use, .. } = setting;
        Self { rule, method, negative, no_driver, capacity, over_use }
    }
}

/// A rule of a resource pool: whom it serves.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// Name, version and dates.
    pub rule: &'a Rule,
    /// Activities and resource pools that it serves, each with its weight.
    pub serves: &'a [(String, Weight)],
    /// What its cost pays for.
    pub capacity: Option<Quantity>,
}

impl ResourceSetting {
    /// Its rules, by date.
    pub fn rules(&self) -> impl Iterator<Item = Service<'_>> {
        let first = Service { rule: &self.rule, serves: &self.serves, capacity: self.capacity };
        let later = self.later.iter();
        std::iter::once(first).chain(later.map(|later| Service {
            rule: &later.rule,
            serves: &later.serves,
            capacity: later.capacity,
        }))
    }

    /// Every taker of every rule.
    pub fn takers(&self) -> impl Iterator<Item = &(String, Weight)> {
        self.rules().flat_map(|rule| rule.serves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(valid_from: Option<Day>, valid_to: Option<Day>) -> Rule {
        Rule { valid_from, valid_to, ..Rule::default() }
    }

    #[test]
    fn rules_overlap_on_the_first_day_on_which_both_hold() {
        let of = |a: &Rule, b: &Rule| (a.overlap(b), b.overlap(a));
        let (to_9, from_10, always) = (rule(None, Some(9)), rule(Some(10), None), rule(None, None));
        assert_eq!(of(&to_9, &from_10), (None, None));
        assert_eq!(of(&rule(None, Some(10)), &from_10), (Some(10), Some(10)));
        assert_eq!(of(&always, &from_10), (Some(10), Some(10)));
        assert_eq!(of(&always, &to_9), (Some(9), Some(9)));
        assert!(always.overlap(&always).is_some());
        assert_eq!(of(&rule(Some(1), Some(3)), &rule(Some(2), Some(9))), (Some(2), Some(2)));
        assert_eq!(of(&rule(Some(1), Some(3)), &rule(Some(4), Some(9))), (None, None));
    }
}
