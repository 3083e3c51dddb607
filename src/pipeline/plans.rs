//! The tables of plans and decisions, each through its contract.

use std::collections::BTreeMap;

use super::{NamedGroups, RunError, entry_table::ProductEntries, inputs::SideInputs};
use crate::{
    contract::{
        candidates,
        plans::{self, GroupNames},
        tables::KnownCustomers,
    },
    schema::{
        decisions::Candidates,
        equity::{EarlierRun, Plans},
        objects::Objects,
        settings::TableName,
    },
    units::Day,
};

/// What is planned, compared with and decided on.
#[derive(Default)]
pub(super) struct Ahead {
    /// Plans, the market, targets.
    pub(super) plans: Plans,
    /// What decisions are about.
    pub(super) candidates: Candidates,
    /// What the earlier run told that the bridge begins with.
    pub(super) earlier: Option<EarlierRun>,
    /// How customers began to buy products, where products are costed.
    pub(super) entries: Option<ProductEntries>,
}

impl SideInputs<'_> {
    /// Everything that looks ahead of the facts.
    ///
    /// * `groups`: names of the segments, and the columns that the forecast groups customers by. * `objects`: products, whose
    ///   entries are taken from them.
    pub(super) fn ahead(
        &mut self,
        groups: (&[String], &BTreeMap<&'static str, NamedGroups>),
        customers: &KnownCustomers<'_>,
        as_of: Day,
        objects: Option<&mut Objects>,
    ) -> Result<Ahead, RunError> {
        let channels = groups.1.get("channel").map_or(&[] as &[String], |(names, _)| names);
        let names = GroupNames { segments: groups.0, channels };
        let entries = objects.and_then(|objects| objects.entries.take());
        Ok(Ahead {
            plans: self.plans(names, as_of)?,
            candidates: self.candidates(names, customers)?,
            earlier: self.earlier(customers, as_of)?,
            entries: entries.map(|entries| ProductEntries::new(&entries, customers.keys())),
        })
    }

    /// Plans, the market and targets.
    fn plans(&mut self, names: GroupNames<'_>, as_of: Day) -> Result<Plans, RunError> {
        let (market, is_whole) = self.table(TableName::Market, |input, _| plans::market(input, names))?.unzip();
        Ok(Plans {
            acquisition: self
                .table(TableName::AcquisitionPlan, |input, _| plans::acquisition_plan(input, names, as_of))?,
            market,
            market_is_whole: is_whole.unwrap_or(false),
            targets: self.table(TableName::Targets, |input, _| plans::targets(input, names))?,
        })
    }

    /// Actions with whom they are for, and prospects.
    fn candidates(&mut self, names: GroupNames<'_>, customers: &KnownCustomers<'_>) -> Result<Candidates, RunError> {
        let tiers = &self.settings.portfolio.value_tiers;
        let tiers: Vec<&str> = tiers.iter().map(|tier| tier.name.as_str()).collect();
        let mut actions = self.table(TableName::Actions, |input, _| candidates::actions(input, names, &tiers))?;
        if let Some(actions) = &mut actions {
            self.table(TableName::ActionCustomers, |input, csv| {
                Ok(((), candidates::action_customers(input, customers, csv, actions)?))
            })?;
        }
        let prospects = self.table(TableName::Prospects, |input, _| candidates::prospects(input, names))?;
        Ok(Candidates { actions, prospects })
    }
}
