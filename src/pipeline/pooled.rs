//! Groups of customers with parameters of their own: fitted, or taken from a saved model.

use super::{Clock, Ledgers, RunError, grouping::Grouping};
use crate::{
    forecast::{
        error::ForecastError, fit::Fit, groups::Groups, histories::Histories, population::Population, predict,
        purchase_model::PurchaseModel,
    },
    schema::settings::{ForecastSettings, PoolBy},
};

/// The groups of a run.
pub(super) struct PooledGroups {
    pub(super) by: PoolBy,
    pub(super) groups: Groups,
    /// The model of every history; `None` where the groups are one.
    pub(super) population: Option<Population>,
    /// Customers of groups that a saved model does not know.
    unseen: usize,
}

impl PooledGroups {
    /// Fits the groups that the config names, or takes those of the saved model; `None` where it names none.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn new(
        setting: &ForecastSettings,
        ledgers: &Ledgers,
        histories: &Histories,
        base: &Fit<PurchaseModel>,
        clock: &mut Clock,
    ) -> Result<Option<Self>, RunError> {
        let Some(by) = setting.pool_by else { return Ok(None) };
        clock.start("fit_groups", Some(histories.customer.len() as u64));
        let grouping = Grouping::new(by, ledgers, histories, ledgers.as_of);
        let saved = ledgers.saved.as_ref().and_then(|saved| saved.purchases()?.groups.as_ref());
        let groups = match saved {
            Some((_, groups)) => groups.clone(),
            None => predict::fit_groups(base, histories, (&grouping.names, &grouping.of), setting.days_per_unit)?,
        };
        // Behind the groups stands the model of those that were not there.
        let number: Vec<Option<usize>> = grouping.names.iter().map(|name| groups.find(name)).collect();
        let unseen = grouping.of.iter().filter(|group| number[**group as usize].is_none()).count();
        let population = if groups.is_one() {
            None
        } else {
            let model = base.fitted().map_err(ForecastError::from)?;
            let of = grouping.of.iter().map(|group| number[*group as usize].unwrap_or(groups.groups.len()) as u32);
            Some(Population::new(groups.models(model), of.collect()).map_err(ForecastError::from)?)
        };
        Ok(Some(Self { by, groups, population, unseen }))
    }

    /// What a reader of the results must know of them.
    pub(super) fn notes(&self) -> Vec<String> {
        let (by, groups) = (self.by.as_str(), &self.groups);
        let found = if groups.is_one() {
            format!("groups by {by} are one: no parameter varies between them by more than chance, so all have one fit")
        } else {
            let together = if groups.correlated { ", together" } else { "" };
            format!(
                "groups by {by} differ in {}{together}; small groups are drawn towards all",
                groups.varies.join(", ")
            )
        };
        let unseen = (self.unseen > 0).then(|| {
            format!(
                "{} customers are in groups by {by} that the saved model does not know: they have the mean of its groups",
                self.unseen
            )
        });
        let restless = (!groups.at_rest)
            .then(|| format!("the fits of groups by {by} had not come to rest: they are the last ones"));
        std::iter::once(found).chain(restless).chain(unseen).collect()
    }
}
