//! The tables of plans and decisions, each through its contract.

use std::collections::BTreeMap;

use super::{NamedGroups, RunError, entry_table::ProductEntries, inputs::SideInputs};
use crate::{
    contract::{
        candidates,
        plans::{self, GroupNames},
        tables::{Input, KnownCustomers},
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
        let mut found = Plans::default();
        if let Some((frames, _, _)) = self.open(TableName::AcquisitionPlan)? {
            let input = Input::new(self.settings, TableName::AcquisitionPlan, &frames);
            let (rows, tally) = plans::acquisition_plan(&input, names, as_of)?;
            self.keep(TableName::AcquisitionPlan, tally);
            found.acquisition = Some(rows);
        }
        if let Some((frames, _, _)) = self.open(TableName::Market)? {
            let (rows, tally) = plans::market(&Input::new(self.settings, TableName::Market, &frames), names)?;
            self.keep(TableName::Market, tally);
            found.market = Some(rows);
        }
        if let Some((frames, _, _)) = self.open(TableName::Targets)? {
            let (rows, tally) = plans::targets(&Input::new(self.settings, TableName::Targets, &frames), names)?;
            self.keep(TableName::Targets, tally);
            found.targets = Some(rows);
        }
        Ok(found)
    }

    /// Actions with whom they are for, and prospects.
    fn candidates(&mut self, names: GroupNames<'_>, customers: &KnownCustomers<'_>) -> Result<Candidates, RunError> {
        let mut found = Candidates::default();
        if let Some((frames, _, _)) = self.open(TableName::Actions)? {
            let tiers: Vec<&str> = self.settings.portfolio.value_tiers.iter().map(|tier| tier.name.as_str()).collect();
            let input = Input::new(self.settings, TableName::Actions, &frames);
            let (mut rows, tally) = candidates::actions(&input, names, &tiers)?;
            self.keep(TableName::Actions, tally);
            if let Some((frames, _, csv)) = self.open(TableName::ActionCustomers)? {
                let input = Input::new(self.settings, TableName::ActionCustomers, &frames);
                let tally = candidates::action_customers(&input, customers, csv, &mut rows)?;
                self.keep(TableName::ActionCustomers, tally);
            }
            found.actions = Some(rows);
        }
        if let Some((frames, _, _)) = self.open(TableName::Prospects)? {
            let (rows, tally) =
                candidates::prospects(&Input::new(self.settings, TableName::Prospects, &frames), names)?;
            self.keep(TableName::Prospects, tally);
            found.prospects = Some(rows);
        }
        Ok(found)
    }
}
