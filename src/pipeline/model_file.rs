//! Fitted models in a file: written by `fit`, applied to new data by `project`.
//!
//! One JSON object with a format tag and a version, the kind of the model, its time unit, and the fits as they stand in a
//! manifest: `purchases` and `spend`, or `contracts`, or `opportunities`. A file of another version or kind, or with
//! parameters that no model can have, is refused.

use camino::Utf8Path;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::notes;
use crate::{
    forecast::{bg_bb::BgBb, contract_model::ContractModel, covariates::DROPPED, fit::Fit},
    publish::beside::replace,
    schema::{
        forecasting::{ContractKind, ModelChoice},
        period::{format_day, parse_day},
        settings::ForecastSettings,
    },
    units::Day,
};

mod error;
mod exact;
mod one_fit;
mod purchases;
#[cfg(test)]
mod tests;

pub use error::ModelFileError;
pub use purchases::SavedPurchases;

/// What the file says it is.
const FORMAT: &str = "whalecurve-model";
/// Version of one fit for all, and read.
const VERSION: u64 = 1;
/// Version with covariates or groups: whoever does not know them must not leave them out.
const VERSION_OF_MANY: u64 = 2;

/// Fitted models, to be applied without a fit.
#[derive(Clone, Debug)]
pub struct SavedModels {
    /// Day that the fits know up to.
    pub as_of: Day,
    /// Days of the model's time unit.
    pub days_per_unit: f64,
    /// The fits.
    pub fits: SavedFits,
}

/// Fits of one kind of business.
#[derive(Clone, Debug)]
pub enum SavedFits {
    /// Of purchases at any time, and of spend.
    Purchases(Box<SavedPurchases>),
    /// Of contracts.
    Contracts(ContractKind, Box<Fit<ContractModel>>),
    /// Of purchases at opportunities.
    Opportunities(Box<Fit<BgBb>>),
}

impl SavedModels {
    /// Which model it is.
    #[must_use]
    pub fn kind(&self) -> ModelChoice {
        match &self.fits {
            SavedFits::Purchases(saved) => ModelChoice::One(saved.kind),
            SavedFits::Contracts(kind, _) => ModelChoice::Contract(Some(*kind)),
            SavedFits::Opportunities(_) => ModelChoice::BgBb,
        }
    }

    /// The models of purchases.
    #[must_use]
    pub fn purchases(&self) -> Option<&SavedPurchases> {
        if let SavedFits::Purchases(saved) = &self.fits { Some(saved) } else { None }
    }

    /// The model of contracts.
    #[must_use]
    pub fn contracts(&self) -> Option<&Fit<ContractModel>> {
        if let SavedFits::Contracts(_, fit) = &self.fits { Some(fit) } else { None }
    }

    /// The model of purchases at opportunities.
    #[must_use]
    pub fn opportunities(&self) -> Option<&Fit<BgBb>> {
        if let SavedFits::Opportunities(fit) = &self.fits { Some(fit) } else { None }
    }

    /// What a reader must know of the fits: how they ended, where not at a maximum like any other, and their notes.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        match &self.fits {
            SavedFits::Purchases(saved) => {
                [notes::of_fit(&saved.purchases, false), notes::of_fit(&saved.spend, false)].concat()
            }
            SavedFits::Contracts(_, fit) => notes::of_fit(fit, false),
            SavedFits::Opportunities(fit) => notes::of_fit(fit, false),
        }
    }

    /// The same to be applied to customers that it was not fitted to: its notes count those of the fit.
    pub(super) fn applied(mut self) -> Self {
        let notes = match &mut self.fits {
            SavedFits::Purchases(saved) => [Some(&mut saved.purchases.notes), Some(&mut saved.spend.notes)],
            SavedFits::Contracts(_, fit) => [Some(&mut fit.notes), None],
            SavedFits::Opportunities(fit) => [Some(&mut fit.notes), None],
        };
        for note in notes.into_iter().flatten().flatten() {
            // In other customers it need not follow from the others.
            let nothing = if note.ends_with(DROPPED) { ", and counts nothing for these customers" } else { "" };
            *note = format!("when fitted: {note}{nothing}");
        }
        self
    }

    /// The fitted parameters, by what they are of.
    #[must_use]
    pub fn parameters(&self) -> Value {
        match &self.fits {
            SavedFits::Purchases(saved) => {
                json!({"purchases": saved.purchases.fitted().ok(), "spend": saved.spend.fitted().ok()})
            }
            SavedFits::Contracts(_, fit) => json!({"contracts": fit.fitted().ok()}),
            SavedFits::Opportunities(fit) => json!({"opportunities": fit.fitted().ok()}),
        }
    }

    /// How the fit of purchases, contracts or opportunities came to be, in words.
    #[must_use]
    pub fn origin(&self) -> String {
        let (model, customers) = match &self.fits {
            SavedFits::Purchases(saved) => (saved.purchases.model(), saved.purchases.customers),
            SavedFits::Contracts(_, fit) => (fit.model(), fit.customers),
            SavedFits::Opportunities(fit) => (fit.model(), fit.customers),
        };
        let as_of = format_day(self.as_of);
        format!("{model} was fitted to {customers} customers as of {as_of} and applied without a fit to these")
    }

    /// The file's content.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let many = self.purchases().is_some_and(SavedPurchases::is_of_many);
        let version = if many { VERSION_OF_MANY } else { VERSION };
        let mut value = json!({
            "format": FORMAT,
            "version": version,
            "kind": self.kind().as_str(),
            "as_of": format_day(self.as_of),
            "days_per_unit": self.days_per_unit,
        });
        match &self.fits {
            SavedFits::Purchases(saved) => saved.add_to(&mut value),
            SavedFits::Contracts(_, fit) => value["contracts"] = json!(fit),
            SavedFits::Opportunities(fit) => value["opportunities"] = json!(fit),
        }
        value
    }

    /// Writes a file beside its place, then puts it there.
    ///
    /// # Errors
    /// [`ModelFileError::Io`].
    pub fn write(&self, file: &Utf8Path) -> Result<(), ModelFileError> {
        let failed = |source| ModelFileError::Io { file: file.to_owned(), source };
        replace(file, &format!("{:#}\n", self.to_json()), 0o666).map_err(failed)
    }

    /// Reads a file and checks all that it says.
    ///
    /// # Errors
    /// [`ModelFileError`].
    pub fn read(file: &Utf8Path) -> Result<Self, ModelFileError> {
        let text =
            std::fs::read_to_string(file).map_err(|source| ModelFileError::Io { file: file.to_owned(), source })?;
        Self::parse(file, &text)
    }

    fn parse(file: &Utf8Path, text: &str) -> Result<Self, ModelFileError> {
        let format = |why: &str| ModelFileError::Format { file: file.to_owned(), why: why.to_owned() };
        let value = exact::parse_exactly(text).ok_or_else(|| format("it is not JSON"))?;
        if value["format"] != FORMAT {
            return Err(format("`format` is missing or another"));
        }
        let many = value["version"] == VERSION_OF_MANY;
        if value["version"] != VERSION && !many {
            return Err(ModelFileError::Version { file: file.to_owned(), found: value["version"].to_string() });
        }
        let kind = kind_of(file, value["kind"].as_str().unwrap_or_default())?;
        let as_of = value["as_of"].as_str().and_then(parse_day).ok_or_else(|| format("`as_of` is no date"))?;
        let days = value["days_per_unit"].as_f64().filter(|days| days.is_finite() && *days > 0.0);
        let days_per_unit = days.ok_or_else(|| format("`days_per_unit` is no positive number"))?;
        let fits = match kind {
            ModelChoice::Contract(Some(kind)) => {
                SavedFits::Contracts(kind, Box::new(one_fit::contracts(file, &value, kind)?))
            }
            ModelChoice::BgBb => SavedFits::Opportunities(Box::new(one_fit::opportunities(file, &value)?)),
            ModelChoice::One(kind) => SavedFits::Purchases(Box::new(SavedPurchases::parse(file, &value, kind, many)?)),
            ModelChoice::Auto | ModelChoice::Contract(None) => return Err(format("`kind` names no model")),
        };
        Ok(Self { as_of, days_per_unit, fits })
    }

    /// Refuses a config with another kind of model, another time unit, other covariates or other groups.
    ///
    /// # Errors
    /// [`ModelFileError::Model`], [`ModelFileError::TimeUnit`], [`ModelFileError::Covariates`], [`ModelFileError::Groups`].
    #[expect(clippy::float_cmp, reason = "units are the same constants or others")]
    pub fn fits(&self, setting: &ForecastSettings, file: &Utf8Path) -> Result<(), ModelFileError> {
        let same = match (self.kind(), setting.model) {
            (found @ ModelChoice::One(_), wanted) => wanted == found || wanted == ModelChoice::Auto,
            (ModelChoice::Contract(_), ModelChoice::Contract(None)) => true,
            (found, wanted) => found == wanted,
        };
        if !same {
            let (found, expected) = (self.kind().as_str(), setting.model.as_str());
            return Err(ModelFileError::Model { file: file.to_owned(), key: "forecast.model", found, expected });
        }
        if let Some(saved) = self.purchases() {
            saved.fits(setting, file)?;
        }
        if self.days_per_unit == setting.days_per_unit {
            return Ok(());
        }
        let (found, expected) = (self.days_per_unit, setting.days_per_unit);
        Err(ModelFileError::TimeUnit { file: file.to_owned(), found, expected })
    }
}

fn kind_of(file: &Utf8Path, name: &str) -> Result<ModelChoice, ModelFileError> {
    ModelChoice::named(name).ok_or_else(|| {
        let known = ModelChoice::all().map(ModelChoice::as_str).collect::<Vec<_>>().join(", ");
        ModelFileError::Kind { file: file.to_owned(), found: name.to_owned(), known }
    })
}

fn part<T: DeserializeOwned>(file: &Utf8Path, value: &Value, key: &str) -> Result<T, ModelFileError> {
    T::deserialize(&value[key]).map_err(|_| ModelFileError::Format {
        file: file.to_owned(),
        why: format!("`{key}` is not the fit of its kind of model"),
    })
}
