//! Customers by when they came.

use super::Ledgers;
use crate::schema::{facts::NO_DAY, period::PeriodKind, segmentation::Segmentation, settings::PoolBy};

impl Ledgers {
    /// Customers by the calendar period of their first purchase; those without one are in `(none)`.
    pub(super) fn cohort(&self, by: PoolBy) -> Segmentation {
        let kind = by.cohort().unwrap_or(PeriodKind::Year);
        let text = |day: &i32| (*day != NO_DAY).then(|| kind.label(kind.of(*day)));
        let texts: Vec<Option<String>> = self.facts.first_purchase.iter().map(text).collect();
        Segmentation::by_text(by.as_str(), &texts)
    }
}
