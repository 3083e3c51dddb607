//! Groups with parameters of their own on a holdout.

use super::{Holdout, HoldoutError, Members, WEEK};
use crate::{
    forecast::{
        fit::Fit,
        groups::{self, Groups},
        histories::Histories,
        observed::Assessment,
        scores::DistributionScores,
    },
    numeric::sums::Compensated,
    schema::settings::PurchaseKind,
};

impl Holdout {
    /// Fits a model to groups of the customers up to the cut, drawn towards each other, and asks every group's for the
    /// holdout; `None` where the common fit fails.
    ///
    /// * `base`: the model fitted to all, as in [`Holdout::model`]. * `names`: of the groups, ascending. * `of`: group of each
    ///   customer of [`Holdout::histories`].
    ///
    /// # Errors
    /// [`HoldoutError`].
    pub fn groups(
        &self,
        base: &Assessment,
        (names, of): (&[String], &[u32]),
    ) -> Result<Option<Assessment>, HoldoutError> {
        let Some((fit, model)) = base.fit.as_ref().and_then(|fit| Some((fit, *fit.fitted().ok()?))) else {
            return Ok(None);
        };
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); names.len()];
        for (row, group) in of.iter().enumerate() {
            rows[*group as usize].push(row as u32);
        }
        let all = &self.histories;
        let pick =
            |rows: &[u32], column: &[u32]| -> Vec<u32> { rows.iter().map(|row| column[*row as usize]).collect() };
        let parts: Vec<Members> = rows
            .iter()
            .map(|rows| Members::new(&pick(rows, &all.frequency), &pick(rows, &all.recency), &pick(rows, &all.age)))
            .collect::<Result<_, _>>()?;
        let members: Vec<groups::Members> = names
            .iter()
            .zip(&parts)
            .map(|(name, part)| groups::Members { name: name.clone(), summary: part.summary.clone() })
            .collect();
        let groups = Groups::fit(fit, &members, self.days_per_unit)?;
        let mut expected = vec![0.0; of.len()];
        let mut weekly = vec![Compensated::default(); self.observed.days.div_ceil(WEEK) as usize];
        let mut distribution = DistributionScores::default();
        for ((rows, part), group) in rows.iter().zip(&parts).zip(&groups.groups) {
            let actual = pick(rows, &self.observed.actual);
            let own = self.foretell(model.with_parameters(group.parameters), part, &actual)?;
            for (row, value) in rows.iter().zip(own.expected) {
                expected[*row as usize] = value;
            }
            for (sum, value) in weekly.iter_mut().zip(own.weekly) {
                sum.add(value);
            }
            distribution.combine(&own.distribution);
        }
        let weekly = weekly.into_iter().map(Compensated::value).collect();
        let method = match model.kind() {
            PurchaseKind::BgNbd => "bg_nbd_pooled",
            PurchaseKind::MbgNbd => "mbg_nbd_pooled",
            _ => "pareto_nbd_pooled",
        };
        // The likelihood of all is not that of the groups.
        let fit = Fit { log_likelihood: None, ..fit.clone() };
        let outcome = Some(self.observed.outcome(expected, weekly, Some(distribution)));
        Ok(Some(Assessment { method, fit: Some(fit), outcome }))
    }

    /// Histories up to the cut.
    #[must_use]
    pub fn histories(&self) -> &Histories {
        &self.histories
    }
}
