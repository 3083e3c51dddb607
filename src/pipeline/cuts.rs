//! The ways in which a run cuts its customers into groups.

use rayon::prelude::*;

use super::{Ledgers, NamedGroups};
use crate::{
    contract::ContractError,
    schema::{facts::NO_DAY, period::PeriodKind, segmentation::Segmentation, settings::PoolBy},
};

/// Groups that joint totals are kept for, at most.
pub(super) const MAX_SEGMENTS: usize = 200;

/// A way of cutting customers.
pub(super) struct Cut {
    /// What cuts them.
    pub(super) segmentation: &'static str,
    /// Names of the groups.
    pub(super) names: Vec<String>,
    /// Group of each customer.
    pub(super) of: Vec<u16>,
    /// Its place in the joint totals of a simulation.
    pub(super) totals: usize,
}

impl Cut {
    /// The same groups as a segmentation of the outputs.
    pub(super) fn as_segmentation(&self) -> Segmentation {
        Segmentation::by_number(self.segmentation, self.names.iter().map(String::as_str), &self.of)
    }
}

impl Ledgers {
    /// Cuts beside value tiers and segments: by cohort, and by channel where there are few enough to be told apart.
    ///
    /// * `first`: place of the first of them in the joint totals.
    ///
    /// # Errors
    /// [`ContractError::Setting`] for more cohorts than joint totals are kept for.
    pub(super) fn cuts(&self, cohort: PoolBy, first: usize) -> Result<Vec<Cut>, ContractError> {
        let cohorts = (cohort.as_str(), self.cohorts(cohort)?);
        let channels = self.channels().cloned().map(|channels| (PoolBy::Channel.as_str(), channels));
        let cut = |(totals, (segmentation, (names, of)))| Cut { segmentation, names, of, totals };
        Ok((first..).zip(std::iter::once(cohorts).chain(channels)).map(cut).collect())
    }

    /// Channels of the customers table, where it maps them and there are few enough.
    pub(super) fn channels(&self) -> Option<&NamedGroups> {
        self.of_forecast.get("channel").filter(|(names, _)| names.len() <= MAX_SEGMENTS)
    }

    /// Calendar periods of the first purchase; customers without one are in `(none)`.
    fn cohorts(&self, by: PoolBy) -> Result<NamedGroups, ContractError> {
        let kind = by.cohort().unwrap_or(PeriodKind::Year);
        let first = &self.facts.first_purchase;
        let cohort = |day: &i32| (*day != NO_DAY).then(|| kind.of(*day));
        let mut there: Vec<Option<i32>> = first.par_iter().map(cohort).collect();
        there.par_sort_unstable();
        there.dedup();
        if there.len() > MAX_SEGMENTS {
            let what = format!("equity.cohort: {} cohorts, at most {MAX_SEGMENTS} are told apart", there.len());
            return Err(ContractError::Setting(format!("{what}: choose a longer period")));
        }
        let name = |cohort: &Option<i32>| cohort.map_or_else(|| "(none)".to_owned(), |period| kind.label(period));
        let number = |day: &i32| there.partition_point(|other| *other < cohort(day)) as u16;
        Ok((there.iter().map(name).collect(), first.par_iter().map(number).collect()))
    }
}
