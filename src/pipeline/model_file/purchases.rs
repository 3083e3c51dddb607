//! Fitted models of purchases and of spend in a file.

use std::collections::BTreeSet;

use camino::Utf8Path;
use serde_json::{Value, json};

use super::{
    error::{ModelFileError, of_groups},
    part,
};
use crate::{
    forecast::{
        bg_cnbd_k::{BgCnbdK, FirstDropout, MOST_PHASES},
        bg_nbd::BgNbd,
        covariates::{CovariateModel, finds_nothing},
        fit::Fit,
        groups::Groups,
        mbg_nbd::MbgNbd,
        pareto_nbd::ParetoNbd,
        purchase_model::PurchaseModel,
        spend_levels::SpendLevels,
        spend_model::SpendModel,
    },
    schema::{
        covariates::{CovariatePart, CovariateSettings},
        settings::{ForecastSettings, PoolBy, PurchaseKind},
    },
};

/// Fitted models of purchases, to be applied without a fit.
#[derive(Clone, Debug)]
pub struct SavedPurchases {
    /// Which model of purchases it is.
    pub kind: PurchaseKind,
    /// Purchases and dropout.
    pub purchases: Fit<PurchaseModel>,
    /// The model with covariates; `purchases` is then its average customer's.
    pub covariates: Option<CovariateModel>,
    /// Spend on a purchase.
    pub spend: Fit<SpendModel>,
    /// Mean amount of its fit, where the model has none; files of older versions do not know it.
    pub mean_amount: Option<f64>,
    /// Groups with parameters of their own, and what puts customers into them.
    pub groups: Option<(PoolBy, Groups)>,
    /// Levels of spend of these groups, where they differ.
    pub spend_levels: Option<SpendLevels>,
}

impl SavedPurchases {
    /// Whether more than one fit for all is in the file: what nobody may leave out.
    pub(super) fn is_of_many(&self) -> bool {
        self.covariates.is_some() || self.groups.is_some()
    }

    pub(super) fn add_to(&self, value: &mut Value) {
        value["purchases"] = json!(self.purchases);
        value["spend"] = json!(self.spend);
        if let Some(mean) = self.mean_amount {
            value["mean_amount"] = json!(mean);
        }
        if let Some(CovariateModel { covariates, effects, .. }) = &self.covariates {
            value["covariates"] = json!(covariates);
            value["effects"] = json!(effects);
        }
        if let Some((by, groups)) = &self.groups {
            value["pool_by"] = json!(by);
            value["groups"] = json!(groups);
        }
        if let Some(levels) = &self.spend_levels {
            value["spend_levels"] = json!(levels);
        }
    }

    /// * `many`: whether the file's version knows of covariates and groups.
    pub(super) fn parse(
        file: &Utf8Path,
        value: &Value,
        kind: PurchaseKind,
        many: bool,
    ) -> Result<Self, ModelFileError> {
        let with = |key: &str| many && !value[key].is_null();
        let purchases = match kind {
            PurchaseKind::BgNbd => part::<Fit<BgNbd>>(file, value, "purchases")?.map(PurchaseModel::BgNbd),
            PurchaseKind::MbgNbd => part::<Fit<MbgNbd>>(file, value, "purchases")?.map(PurchaseModel::MbgNbd),
            PurchaseKind::ParetoNbd => part::<Fit<ParetoNbd>>(file, value, "purchases")?.map(PurchaseModel::ParetoNbd),
            PurchaseKind::BgCnbdK | PurchaseKind::MbgCnbdK => {
                part::<Fit<BgCnbdK>>(file, value, "purchases")?.map(PurchaseModel::BgCnbdK)
            }
        };
        let spend: Fit<SpendModel> = part(file, value, "spend")?;
        let covariates = match purchases.fitted() {
            Ok(base) if with("covariates") => Some(CovariateModel {
                base: *base,
                covariates: part(file, value, "covariates")?,
                effects: part(file, value, "effects")?,
            }),
            _ => None,
        };
        let groups =
            if with("groups") { Some((part(file, value, "pool_by")?, part(file, value, "groups")?)) } else { None };
        let spend_levels = if with("spend_levels") { Some(part(file, value, "spend_levels")?) } else { None };
        let mean_amount = if value["mean_amount"].is_null() { None } else { Some(part(file, value, "mean_amount")?) };
        let saved = Self { kind, purchases, covariates, spend, mean_amount, groups, spend_levels };
        saved.check(file)?;
        Ok(saved)
    }

    fn check(&self, file: &Utf8Path) -> Result<(), ModelFileError> {
        let refuse = |model: &str, rule: String| {
            Err(ModelFileError::Parameters { file: file.to_owned(), model: model.to_owned(), rule })
        };
        let model = match self.purchases.fitted() {
            Ok(model) => model,
            Err(failed) => return refuse(self.purchases.model(), failed.why),
        };
        let spend = match self.spend.fitted() {
            Ok(spend) => spend,
            Err(failed) => return refuse(self.spend.model(), failed.why),
        };
        let kind = self.kind;
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let wrong = |parameters: &[f64]| parameters.iter().position(|value| !positive(*value));
        if let Some(at) = wrong(&model.parameters()) {
            let name = self.purchases.names.get(at).map_or("a parameter", String::as_str);
            return refuse(self.purchases.model(), format!("{name} must be finite and positive"));
        }
        if let Some(at) = spend.out_of_range() {
            let name = self.spend.names.get(at).map_or("a parameter", String::as_str);
            let rule = if spend.positive()[at] { "finite and positive" } else { "finite" };
            return refuse(self.spend.model(), format!("{name} must be {rule}"));
        }
        if self.mean_amount.is_some_and(|mean| !positive(mean)) {
            return refuse(self.spend.model(), "its mean amount must be finite and positive".to_owned());
        }
        if let PurchaseModel::BgCnbdK(BgCnbdK { k, dropout, .. }) = model {
            if !(1..=MOST_PHASES).contains(k) {
                return refuse(self.purchases.model(), format!("k must lie between 1 and {MOST_PHASES}"));
            }
            if (*dropout == FirstDropout::AfterFirst) != (kind == PurchaseKind::MbgCnbdK) {
                return refuse(self.purchases.model(), "its dropout is not that of its kind".to_owned());
            }
        }
        if let Some(why) = self.covariates.as_ref().and_then(CovariateModel::flaw) {
            return refuse(self.purchases.model(), why);
        }
        let effects = self.covariates.as_ref().map_or(0, |model| model.effects.len());
        for (model, covariance, parameters) in [
            (self.purchases.model(), &self.purchases.covariance, model.parameters().len() + effects),
            (self.spend.model(), &self.spend.covariance, 3),
        ] {
            let square =
                |rows: &Vec<Vec<f64>>| rows.len() == parameters && rows.iter().all(|row| row.len() == parameters);
            if covariance.as_ref().is_some_and(|rows| !square(rows)) {
                return refuse(model, "its covariance has not a row and a column for every parameter".to_owned());
            }
        }
        if self.spend_levels.as_ref().is_some_and(|levels| !levels.is_sound()) {
            return refuse(
                self.spend.model(),
                "a level of a group must be finite, positive where it is a factor".to_owned(),
            );
        }
        if let Some((_, groups)) = &self.groups {
            let all = groups.groups.iter().map(|group| &group.parameters).chain([&groups.mean]);
            if !PurchaseKind::CONTINUOUS.contains(&kind) || all.flatten().any(|value| !positive(*value)) {
                return refuse(self.purchases.model(), "a parameter of a group must be finite and positive".to_owned());
            }
            if !groups.groups.windows(2).all(|pair| pair[0].name < pair[1].name) {
                return refuse(self.purchases.model(), "its groups must be sorted by name".to_owned());
            }
        }
        Ok(())
    }

    /// Refuses a config in which covariates move other parts of the model than in the file. A covariate that the fit found nothing in, and
    /// says so in a note, has no effect there.
    pub(super) fn fits_parts(&self, wanted: Option<&CovariateSettings>, file: &Utf8Path) -> Result<(), ModelFileError> {
        let (Some(model), Some(wanted)) = (&self.covariates, wanted) else { return Ok(()) };
        let parts = [(CovariatePart::Rate, &wanted.rate), (CovariatePart::Dropout, &wanted.dropout)];
        let own = parts.map(|(part, _)| {
            let effects = model.effects.iter().filter(|effect| effect.part == part);
            effects.map(|effect| effect.column.as_str()).collect::<BTreeSet<&str>>()
        });
        let config = parts.map(|(_, names)| names.iter().map(String::as_str).collect::<BTreeSet<&str>>());
        let silent = |column: &str| self.purchases.notes.iter().any(|note| finds_nothing(note, column));
        let same = |(own, config): (&BTreeSet<&str>, &BTreeSet<&str>)| {
            own.is_subset(config) && config.difference(own).all(|column| silent(column))
        };
        if own.iter().zip(&config).all(same) {
            return Ok(());
        }
        let words = |[rate, dropout]: [BTreeSet<&str>; 2]| {
            let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
            format!("rate: [{}] and dropout: [{}]", list(rate), list(dropout))
        };
        Err(ModelFileError::Covariates { file: file.to_owned(), found: words(own), expected: words(config) })
    }

    /// Refuses a config with another model of spend, other covariates or other groups.
    pub(super) fn fits(&self, setting: &ForecastSettings, file: &Utf8Path) -> Result<(), ModelFileError> {
        if let Ok(spend) = self.spend.fitted()
            && spend.kind() != setting.spend
        {
            let (found, expected) = (spend.kind().as_str(), setting.spend.as_str());
            return Err(ModelFileError::Model { file: file.to_owned(), key: "forecast.spend", found, expected });
        }
        let own = self.covariates.iter().flat_map(|model| &model.covariates).map(|known| known.column.as_str());
        let named = setting.covariates.iter().flat_map(|named| named.rate.iter().chain(&named.dropout));
        let (own, named): (BTreeSet<&str>, BTreeSet<&str>) = (own.collect(), named.map(String::as_str).collect());
        if own != named {
            let list = |names: BTreeSet<&str>| match names.len() {
                0 => "no covariates".to_owned(),
                _ => names.into_iter().collect::<Vec<_>>().join(", "),
            };
            return Err(ModelFileError::Covariates { file: file.to_owned(), found: list(own), expected: list(named) });
        }
        self.fits_parts(setting.covariates.as_ref(), file)?;
        let by = self.groups.as_ref().map(|(by, _)| *by);
        if by != setting.pool_by {
            let (found, expected) = (of_groups(by), of_groups(setting.pool_by));
            return Err(ModelFileError::Groups { file: file.to_owned(), found, expected });
        }
        Ok(())
    }
}
