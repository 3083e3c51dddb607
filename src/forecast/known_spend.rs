//! The model of spend of a run: its fit, its check against frequency, and what is known of every customer.

use super::fit::Fit;
use super::gamma_gamma::{GammaGamma, SpendRate};
use super::histories::Histories;
use super::lifetime::Spend;
use super::normal_spend::NormalSpend;
use super::scores::spearman;
use super::spend_model::SpendModel;
use crate::schema::forecasting::SpendKind;

/// Fits the model of spend on a purchase.
///
/// * `repeat_spend`: money of repeat purchases, major units, one row a history. * `squares`: as in [`SpendModel::fit`].
#[must_use]
pub fn fit_spend(kind: SpendKind, histories: &Histories, repeat_spend: &[f64], squares: &[f64]) -> Fit<SpendModel> {
    SpendModel::fit(kind, &histories.frequency, repeat_spend, squares)
}

/// Notes in the fit when spend depends on frequency, which the models take for independent.
///
/// * `repeat_spend`: as for the fit.
pub fn check_spend(fit: &mut Fit<SpendModel>, histories: &Histories, repeat_spend: &[f64]) {
    let either_sign = matches!(fit.fitted(), Ok(SpendModel::Normal(_)));
    let note = dependence(fit.model(), &histories.frequency, repeat_spend, |total| either_sign || total > 0.0);
    fit.notes.extend(note);
}

/// A rank correlation of at least this between frequency and mean spend, if it is no chance either, is told.
const DEPENDENCE: f64 = 0.1;
/// Standard errors of a rank correlation of independent values, `1/√(n−1)`, that are no chance.
const NO_CHANCE: f64 = 3.0;

/// Words on how spend depends on frequency, which the model takes for independent.
///
/// * `usable`: whether the model can use a customer's total.
fn dependence(model: &str, frequency: &[u32], repeat_spend: &[f64], usable: impl Fn(f64) -> bool) -> Option<String> {
    let pairs = frequency.iter().zip(repeat_spend).filter(|(x, total)| **x > 0 && usable(**total));
    let (x, mean): (Vec<f64>, Vec<f64>) = pairs.map(|(x, total)| (f64::from(*x), total / f64::from(*x))).unzip();
    let correlation = spearman(&x, &mean)?;
    let errors = correlation.abs() * libm::sqrt(x.len() as f64 - 1.0);
    (correlation.abs() >= DEPENDENCE && errors > NO_CHANCE).then(|| {
        let way = if correlation > 0.0 { "more" } else { "less" };
        format!(
            "frequent buyers spend {way} on a purchase (rank correlation {correlation:.2} over {} customers), but \
             {model} takes spend and frequency for independent: it draws all towards one mean",
            x.len()
        )
    })
}

/// What is known of every customer's spend.
#[derive(Debug)]
pub(super) enum KnownSpend {
    GammaGamma { p: f64, posterior: Vec<SpendRate> },
    Normal { model: NormalSpend, total: Vec<f64> },
}

impl KnownSpend {
    /// Expected amount of a purchase of every history, major units.
    pub(super) fn means(&self, frequency: &[u32]) -> Vec<f64> {
        let spend = self.spend();
        frequency.iter().enumerate().map(|(row, x)| spend.mean(row, *x)).collect()
    }

    /// * `mean_amount`: of the fit, as [`mean_amount`] has it.
    pub(super) fn new(
        model: &SpendModel,
        mean_amount: Option<f64>,
        histories: &Histories,
        repeat_spend: &[f64],
    ) -> Self {
        let model = match model {
            SpendModel::GammaGamma(model) => model,
            SpendModel::Normal(model) => return Self::Normal { model: *model, total: repeat_spend.to_vec() },
        };
        let unknown = unknown_spend(model, mean_amount);
        let of = |(x, total): (&u32, &f64)| if *total > 0.0 { model.posterior(f64::from(*x), *total) } else { unknown };
        Self::GammaGamma { p: model.p, posterior: histories.frequency.iter().zip(repeat_spend).map(of).collect() }
    }

    pub(super) fn spend(&self) -> Spend<'_> {
        match self {
            Self::GammaGamma { p, posterior } => Spend::GammaGamma { p: *p, posterior },
            Self::Normal { model, total } => Spend::Normal { model: *model, total },
        }
    }
}

/// What is known of the spend of a customer without a repeat purchase: the prior, where it has a mean; else what one
/// purchase of the fit's mean amount would tell.
fn unknown_spend(spend: &GammaGamma, mean_amount: Option<f64>) -> SpendRate {
    let prior = spend.posterior(0.0, 0.0);
    if prior.shape > 1.0 { prior } else { spend.posterior(1.0, mean_amount.unwrap_or(0.0)) }
}

/// Mean amount of the repeat purchases of a fit, major units: what customers without one are taken to have spent once where the
/// model has no mean (`q <= 1`); `None` where it has one. It belongs to the fit: who else is in a run moves nobody's spend, and whom
/// the model does not know, whose repeat purchases were of no money, is not in it.
///
/// * `repeat_spend`: as for the fit, without levels of groups.
#[must_use]
pub fn mean_amount(fit: &Fit<SpendModel>, frequency: &[u32], repeat_spend: &[f64]) -> Option<f64> {
    let without_mean = matches!(fit.fitted(), Ok(SpendModel::GammaGamma(model)) if model.q <= 1.0);
    let known = frequency.iter().zip(repeat_spend).filter(|(x, total)| **x > 0 && **total > 0.0);
    let (purchases, spent) = known.fold((0.0, 0.0), |(n, sum), (x, total)| (n + f64::from(*x), sum + total));
    (without_mean && purchases > 0.0).then_some(spent / purchases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::fit::FitEnd;

    #[test]
    fn whom_the_model_does_not_know_is_not_in_its_mean_amount() {
        let x: Vec<u32> = (0..200).map(|i| 1 + i % 3).collect();
        // Such a spread that nobody has a mean.
        let total: Vec<f64> = (0..200).map(|i| f64::from(x[i]) * libm::exp(0.09 * i as f64)).collect();
        let mut fit = SpendModel::fit(SpendKind::GammaGamma, &x, &total, &[]);
        assert!(!matches!(fit.end, FitEnd::Failed { .. }));
        fit = fit.map(|_| SpendModel::GammaGamma(GammaGamma { p: 2.0, q: 0.5, gamma: 10.0 }));
        let known = mean_amount(&fit, &x, &total).unwrap();
        let more = |rows: &[(u32, f64)]| {
            let (frequency, spent): (Vec<u32>, Vec<f64>) =
                x.iter().copied().zip(total.iter().copied()).chain(rows.iter().copied()).unzip();
            mean_amount(&fit, &frequency, &spent).unwrap()
        };
        assert!((more(&[(5, 0.0), (0, 0.0), (3, -40.0)]) / known - 1.0).abs() < 1e-12);
    }
}
