//! Customers by when they came.

use super::{Ledgers, grouping::places};
use crate::{
    schema::{
        facts::NO_DAY,
        period::PeriodKind,
        segmentation::{NONE, Segmentation},
        settings::PoolBy,
    },
    units::Day,
};

impl Ledgers {
    /// Customers by the calendar period of their first purchase; those without one are in `(none)`.
    pub(super) fn cohort(&self, by: PoolBy) -> Segmentation {
        let kind = by.cohort().unwrap_or(PeriodKind::Year);
        let days = &self.facts.first_purchase;
        // Who never bought stands before everybody else.
        let never = days.iter().filter(|day| **day != NO_DAY).min().map_or(0, |first| kind.of(*first) - 1);
        let number = |day: &Day| if *day == NO_DAY { never } else { kind.of(*day) };
        let (there, of) = places(&days.iter().map(number).collect::<Vec<_>>());
        let name = |number: i32| if number == never { NONE.to_owned() } else { kind.label(number) };
        Segmentation { name: by.as_str(), groups: there.into_iter().map(name).collect(), of }
    }
}
