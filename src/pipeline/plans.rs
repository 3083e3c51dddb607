//! The tables of plans and decisions, each through its contract.

use super::{RunError, inputs::SideInputs};
use crate::{
    contract::{
        candidates,
        plans::{self, GroupNames},
        tables::{Input, KnownCustomers},
    },
    schema::{decisions::Candidates, equity::Plans, settings::TableName},
    units::Day,
};

impl SideInputs<'_> {
    /// Plans, the market and targets.
    pub(super) fn plans(&mut self, names: GroupNames<'_>, as_of: Day) -> Result<Plans, RunError> {
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
    pub(super) fn candidates(
        &mut self,
        names: GroupNames<'_>,
        customers: &KnownCustomers<'_>,
    ) -> Result<Candidates, RunError> {
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
