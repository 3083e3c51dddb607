//! Models with covariates on a holdout.

use rayon::prelude::*;

use super::fit::fit_named;
use super::model::Assigned;
use crate::forecast::histories::Histories;
use crate::forecast::holdout::{Foretold, Holdout, HoldoutError, Members, WEEK};
use crate::forecast::observed::{Assessment, Outcome};
use crate::forecast::scores::DistributionScores;
use crate::numeric::sums::Compensated;
use crate::schema::covariates::{Covariate, CovariateSettings};
use crate::schema::settings::PurchaseKind;

impl Holdout {
    /// Fits a model with covariates up to the cut and asks it for the holdout.
    ///
    /// * `covariates`: one row a customer of the log.
    ///
    /// # Errors
    /// [`HoldoutError::Covariates`], [`HoldoutError::Expectation`]. A fit without an estimate has no outcome.
    pub fn with_covariates(
        &self,
        kind: PurchaseKind,
        covariates: &[Covariate],
        wanted: &CovariateSettings,
    ) -> Result<Assessment, HoldoutError> {
        let method = match kind {
            PurchaseKind::BgNbd => "bg_nbd_cov",
            PurchaseKind::MbgNbd => "mbg_nbd_cov",
            PurchaseKind::ParetoNbd => "pareto_nbd_cov",
            PurchaseKind::BgCnbdK | PurchaseKind::MbgCnbdK => kind.as_str(),
        };
        let own: Vec<Covariate> =
            covariates.iter().map(|covariate| covariate.of_rows(&self.histories.customer)).collect();
        let rows = [self.histories.frequency.as_slice(), &self.histories.recency, &self.histories.age];
        let found = fit_named(kind, rows, &own, wanted, self.days_per_unit)?;
        let outcome = match found.fit.fitted() {
            Ok(model) => Some(self.outcome_of_several(&model.assign(&own, self.observed.customers())?)?),
            Err(_) => None,
        };
        Ok(Assessment { method, fit: Some(found.fit.map(|model| model.base)), outcome })
    }

    /// Each model is asked for its own customers; what it says is added up in the models' order.
    fn outcome_of_several(&self, assigned: &Assigned) -> Result<Outcome, HoldoutError> {
        let mut order: Vec<u32> = (0..assigned.of.len() as u32).collect();
        order.sort_by_key(|row| assigned.of[*row as usize]);
        let groups: Vec<&[u32]> = order.chunk_by(|l, r| assigned.of[*l as usize] == assigned.of[*r as usize]).collect();
        let Histories { frequency, recency, age, .. } = &self.histories;
        let ask = |rows: &&[u32]| -> Result<Foretold, HoldoutError> {
            let pick = |column: &[u32]| -> Vec<u32> { rows.iter().map(|row| column[*row as usize]).collect() };
            let members = Members::new(&pick(frequency), &pick(recency), &pick(age))?;
            let model = assigned.models[assigned.of[rows[0] as usize] as usize];
            self.foretell(model, &members, &pick(&self.observed.actual))
        };
        let told = groups.par_iter().map(ask).collect::<Vec<_>>().into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut expected = vec![0.0; self.observed.customers()];
        let mut weekly = vec![Compensated::default(); self.observed.days.div_ceil(WEEK) as usize];
        let mut distribution = DistributionScores::default();
        for (rows, told) in groups.iter().zip(&told) {
            for (row, value) in rows.iter().zip(&told.expected) {
                expected[*row as usize] = *value;
            }
            for (sum, value) in weekly.iter_mut().zip(&told.weekly) {
                sum.add(*value);
            }
            distribution.combine(&told.distribution);
        }
        let weekly = weekly.into_iter().map(Compensated::value).collect();
        Ok(self.observed.outcome(expected, weekly, Some(distribution)))
    }
}
