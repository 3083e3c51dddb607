//! Fitted models in a file: written by `fit`, applied to new data by `project`.
//!
//! One JSON object with a format tag and a version, the kind of the model of purchases, its time unit, and both fits as they
//! stand in a manifest. A file of another version or kind, or with parameters that no model can have, is refused.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    forecast::{
        bg_cnbd_k::{BgCnbdK, FirstDropout},
        bg_nbd::BgNbd,
        covariates::CovariateModel,
        fit::Fit,
        groups::Groups,
        mbg_nbd::MbgNbd,
        pareto_nbd::ParetoNbd,
        purchase_model::PurchaseModel,
        spend_model::SpendModel,
    },
    schema::{
        period::{format_day, parse_day},
        settings::{ForecastSettings, PoolBy, PurchaseKind},
    },
    units::Day,
};

/// What the file says it is.
const FORMAT: &str = "whalecurve-model";
/// Version of one fit for all, and read.
const VERSION: u64 = 1;
/// Version with covariates or groups: whoever does not know them must not leave them out.
const VERSION_OF_MANY: u64 = 2;
/// Most phases between two purchases that a fit tries.
const MOST_PHASES: u32 = 12;

/// Fitted models, to be applied without a fit.
#[derive(Clone, Debug)]
pub struct SavedModels {
    /// Day that the fits know up to.
    pub as_of: Day,
    /// Days of the model's time unit.
    pub days_per_unit: f64,
    /// Purchases and dropout.
    pub purchases: Fit<PurchaseModel>,
    /// The model with covariates; `purchases` is then its average customer's.
    pub covariates: Option<CovariateModel>,
    /// Spend on a purchase.
    pub spend: Fit<SpendModel>,
    /// Groups with parameters of their own, and what puts customers into them.
    pub groups: Option<(PoolBy, Groups)>,
}

/// A model file that cannot be used.
#[derive(Debug, Error)]
pub enum ModelFileError {
    /// It cannot be read or written.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no model file.
    #[error("{file}: it is no model file of whalecurve: {why}")]
    Format {
        /// The file.
        file: Utf8PathBuf,
        /// What is missing or wrong.
        why: String,
    },
    /// Another version.
    #[error("{file}: its version is {found}, this program reads versions {VERSION} and {VERSION_OF_MANY}")]
    Version {
        /// The file.
        file: Utf8PathBuf,
        /// Its version.
        found: String,
    },
    /// A kind of model that is not known.
    #[error("{file}: its kind is `{found}`, expected one of {known}")]
    Kind {
        /// The file.
        file: Utf8PathBuf,
        /// Its kind.
        found: String,
        /// The known ones.
        known: String,
    },
    /// Parameters that no model can have.
    #[error("{file}: {model}: {rule}")]
    Parameters {
        /// The file.
        file: Utf8PathBuf,
        /// The model.
        model: String,
        /// The rule that is broken.
        rule: String,
    },
    /// The config names other covariates.
    #[error("{file}: the model has {found}, the config's `forecast.covariates` {expected}")]
    Covariates {
        /// The file.
        file: Utf8PathBuf,
        /// Covariates of the model.
        found: String,
        /// Those of the config.
        expected: String,
    },
    /// The config has other groups.
    #[error("{file}: it has {found}, the config {expected}")]
    Groups {
        /// The file.
        file: Utf8PathBuf,
        /// Its groups.
        found: String,
        /// The config's.
        expected: String,
    },
    /// The config counts time in another unit.
    #[error("{file}: its time unit has {found} days, that of the config {expected}")]
    TimeUnit {
        /// The file.
        file: Utf8PathBuf,
        /// Days of its unit.
        found: f64,
        /// Days of the config's.
        expected: f64,
    },
}

/// What has parameters of its own, in words.
fn of_groups(by: Option<PoolBy>) -> String {
    by.map_or_else(|| "one fit for all customers".to_owned(), |by| format!("groups by {}", by.as_str()))
}

impl ModelFileError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { .. } => None,
            Self::Covariates { .. } => {
                Some("name the covariates of the model there, as in the config it was fitted with")
            }
            Self::Groups { .. } => Some("set `forecast.pool_by` to what the models were fitted with, or fit anew"),
            Self::TimeUnit { .. } => Some("set `forecast.time_unit` to the one that the model was fitted with"),
            _ => Some("write it anew: whalecurve fit CONFIG --model FILE"),
        }
    }
}

impl SavedModels {
    /// The file's content.
    #[must_use]
    pub fn to_json(&self, kind: PurchaseKind) -> Value {
        let many = self.covariates.is_some() || self.groups.is_some();
        let version = if many { VERSION_OF_MANY } else { VERSION };
        let mut value = json!({
            "format": FORMAT,
            "version": version,
            "kind": kind.as_str(),
            "as_of": format_day(self.as_of),
            "days_per_unit": self.days_per_unit,
            "purchases": self.purchases,
            "spend": self.spend,
        });
        if let Some(CovariateModel { covariates, effects, .. }) = &self.covariates {
            value["covariates"] = json!(covariates);
            value["effects"] = json!(effects);
        }
        if let Some((by, groups)) = &self.groups {
            value["pool_by"] = json!(by);
            value["groups"] = json!(groups);
        }
        value
    }

    /// Writes a file beside its place, then puts it there.
    ///
    /// # Errors
    /// [`ModelFileError::Io`].
    pub fn write(&self, kind: PurchaseKind, file: &Utf8Path) -> Result<(), ModelFileError> {
        let failed = |source| ModelFileError::Io { file: file.to_owned(), source };
        let beside = Utf8PathBuf::from(format!("{file}.part"));
        std::fs::write(&beside, format!("{:#}\n", self.to_json(kind))).map_err(failed)?;
        std::fs::rename(&beside, file).map_err(failed)
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
        let value = parse_exactly(text).ok_or_else(|| format("it is not JSON"))?;
        if value["format"] != FORMAT {
            return Err(format("`format` is missing or another"));
        }
        let many = value["version"] == VERSION_OF_MANY;
        let with = |key: &str| many && !value[key].is_null();
        if value["version"] != VERSION && !many {
            return Err(ModelFileError::Version { file: file.to_owned(), found: value["version"].to_string() });
        }
        let name = value["kind"].as_str().unwrap_or_default();
        let kind = PurchaseKind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
            let known = PurchaseKind::ALL.map(PurchaseKind::as_str).join(", ");
            ModelFileError::Kind { file: file.to_owned(), found: name.to_owned(), known }
        })?;
        let as_of = value["as_of"].as_str().and_then(parse_day).ok_or_else(|| format("`as_of` is no date"))?;
        let days = value["days_per_unit"].as_f64().filter(|days| days.is_finite() && *days > 0.0);
        let days_per_unit = days.ok_or_else(|| format("`days_per_unit` is no positive number"))?;
        let purchases = match kind {
            PurchaseKind::BgNbd => fit::<BgNbd>(file, &value)?.map(PurchaseModel::BgNbd),
            PurchaseKind::MbgNbd => fit::<MbgNbd>(file, &value)?.map(PurchaseModel::MbgNbd),
            PurchaseKind::ParetoNbd => fit::<ParetoNbd>(file, &value)?.map(PurchaseModel::ParetoNbd),
            PurchaseKind::BgCnbdK | PurchaseKind::MbgCnbdK => fit::<BgCnbdK>(file, &value)?.map(PurchaseModel::BgCnbdK),
        };
        let spend: Fit<SpendModel> = part(file, &value, "spend")?;
        let covariates = match purchases.fitted() {
            Ok(base) if with("covariates") => Some(CovariateModel {
                base: *base,
                covariates: part(file, &value, "covariates")?,
                effects: part(file, &value, "effects")?,
            }),
            _ => None,
        };
        let groups =
            if with("groups") { Some((part(file, &value, "pool_by")?, part(file, &value, "groups")?)) } else { None };
        let saved = Self { as_of, days_per_unit, purchases, covariates, spend, groups };
        saved.check(file, kind)?;
        Ok(saved)
    }

    fn check(&self, file: &Utf8Path, kind: PurchaseKind) -> Result<(), ModelFileError> {
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

    /// Refuses a config with another time unit other covariates or other groups.
    ///
    /// # Errors
    /// [`ModelFileError::TimeUnit`], [`ModelFileError::Covariates`], [`ModelFileError::Groups`].
    #[expect(clippy::float_cmp, reason = "units are the same constants or others")]
    pub fn fits(&self, setting: &ForecastSettings, file: &Utf8Path) -> Result<(), ModelFileError> {
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
        let by = self.groups.as_ref().map(|(by, _)| *by);
        if by != setting.pool_by {
            let (found, expected) = (of_groups(by), of_groups(setting.pool_by));
            return Err(ModelFileError::Groups { file: file.to_owned(), found, expected });
        }
        if self.days_per_unit == setting.days_per_unit {
            return Ok(());
        }
        let (found, expected) = (self.days_per_unit, setting.days_per_unit);
        Err(ModelFileError::TimeUnit { file: file.to_owned(), found, expected })
    }
}

/// Marks a number that stands as a text.
const MARK: &str = "\u{1}number ";

/// JSON with every float read to the nearest number: the parser by itself may be off by one in the last place.
fn parse_exactly(text: &str) -> Option<Value> {
    let mut marked = String::with_capacity(text.len() + text.len() / 4);
    let (mut in_text, mut escaped) = (false, false);
    let mut number = String::new();
    for c in text.chars().chain(std::iter::once(' ')) {
        if !in_text
            && (c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E') && !number.is_empty() || c == '-')
        {
            number.push(c);
            continue;
        }
        if number.contains(['.', 'e', 'E']) {
            marked.push_str("\"\\u0001number ");
            marked.push_str(&number);
            marked.push('"');
        } else {
            marked.push_str(&number);
        }
        number.clear();
        in_text ^= c == '"' && !escaped;
        escaped = in_text && c == '\\' && !escaped;
        marked.push(c);
    }
    let mut value = serde_json::from_str(&marked).ok()?;
    unmark(&mut value)?;
    Some(value)
}

fn unmark(value: &mut Value) -> Option<()> {
    match value {
        Value::String(text) => {
            if let Some(number) = text.strip_prefix(MARK) {
                *value = Value::Number(serde_json::Number::from_f64(number.parse().ok()?)?);
            }
        }
        Value::Array(values) => values.iter_mut().try_for_each(unmark)?,
        Value::Object(values) => values.values_mut().try_for_each(unmark)?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Some(())
}

fn fit<P: DeserializeOwned>(file: &Utf8Path, value: &Value) -> Result<Fit<P>, ModelFileError> {
    part(file, value, "purchases")
}

fn part<T: DeserializeOwned>(file: &Utf8Path, value: &Value, key: &str) -> Result<T, ModelFileError> {
    T::deserialize(&value[key]).map_err(|_| ModelFileError::Format {
        file: file.to_owned(),
        why: format!("`{key}` is not the fit of its kind of model"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        forecast::{
            covariates::{
                Effect,
                model::{Known, KnownValues},
            },
            groups::Members,
            summary::Summary,
        },
        schema::{covariates::CovariatePart, forecasting::SpendKind},
    };

    fn saved() -> SavedModels {
        let mut summary = Summary::new();
        let (x, t_x): (Vec<u32>, Vec<u32>) = (0..400).map(|i| [(0, 0), (1, 30), (2, 90), (5, 180)][i % 4]).unzip();
        summary.insert(&x, &t_x, &[200; 400]).unwrap();
        let total: Vec<f64> = x.iter().enumerate().map(|(i, x)| f64::from(*x) * (20.0 + (i % 37) as f64)).collect();
        SavedModels {
            as_of: 10_134,
            days_per_unit: 7.0,
            purchases: PurchaseModel::fit(PurchaseKind::MbgNbd, &summary, &[], 7.0),
            covariates: None,
            spend: SpendModel::fit(SpendKind::GammaGamma, &x, &total),
            groups: None,
        }
    }

    fn parse(text: &str) -> Result<SavedModels, ModelFileError> {
        SavedModels::parse(Utf8Path::new("model.json"), text)
    }

    #[test]
    fn a_saved_model_comes_back_to_the_last_bit() {
        let saved = saved();
        let text = saved.to_json(PurchaseKind::MbgNbd).to_string();
        let found = parse(&text).unwrap();
        assert_eq!(found.purchases, saved.purchases);
        assert_eq!(found.spend, saved.spend);
        assert_eq!(found.to_json(PurchaseKind::MbgNbd).to_string(), text);
    }

    fn with_covariates() -> SavedModels {
        let saved = saved();
        let base = *saved.purchases.fitted().unwrap();
        let effect = |part, parameter: &str, level: Option<&str>| Effect {
            part,
            parameter: parameter.to_owned(),
            column: if level.is_none() { "age" } else { "area" }.to_owned(),
            level: level.map(str::to_owned),
            centre: 41.7,
            coefficient: 0.1,
        };
        let number = Known { column: "age".to_owned(), values: KnownValues::Number { centre: 41.7 } };
        let levels = vec!["east".to_owned(), "west".to_owned()];
        let category = KnownValues::Category { reference: "east".to_owned(), levels };
        let covariates = CovariateModel {
            base,
            covariates: vec![number, Known { column: "area".to_owned(), values: category }],
            effects: vec![
                effect(CovariatePart::Rate, "alpha", None),
                effect(CovariatePart::Dropout, "a", Some("west")),
                effect(CovariatePart::Dropout, "b", Some("west")),
            ],
        };
        SavedModels { covariates: Some(covariates), ..saved }
    }

    #[test]
    fn a_saved_model_with_covariates_comes_back_and_its_flaws_are_named() {
        let mut saved = with_covariates();
        // As the fit would have it: a row and a column for every effect.
        saved.purchases.covariance = Some(vec![vec![0.0; 7]; 7]);
        let good = saved.to_json(PurchaseKind::MbgNbd);
        assert_eq!(good["version"], 2);
        let found = parse(&good.to_string()).unwrap();
        assert_eq!(found.covariates, saved.covariates);
        let told = |key: &str, value: Value| {
            let mut changed = good.clone();
            *changed.pointer_mut(key).unwrap() = value;
            parse(&changed.to_string()).unwrap_err().to_string()
        };
        let none = |name: &str| format!("model.json: MBG/NBD: effect `{name}` is none of its model");
        assert_eq!(told("/effects/0/parameter", json!("beta")), none("beta:age"));
        assert_eq!(told("/effects/0/column", json!("size")), none("alpha:size"));
        assert_eq!(told("/effects/1/level", json!("north")), none("a:area=north"));
        assert_eq!(
            told("/covariates/1/reference", json!("north")),
            "model.json: MBG/NBD: covariate `area` has levels or a mean that no fit has"
        );
        assert_eq!(
            told("/purchases/covariance", json!([[0.0, 0.0], [0.0, 0.0]])),
            "model.json: MBG/NBD: its covariance has not a row and a column for every parameter"
        );
        // Who reads version 1 alone must not leave effects out.
        assert_eq!(SavedModels { covariates: None, ..saved }.to_json(PurchaseKind::MbgNbd)["version"], 1);
    }

    #[test]
    fn saved_groups_come_back_to_the_last_bit_in_a_file_of_their_own_version() {
        let mut saved = saved();
        let members = |name: &str, x: &[u32], recency: &[u32]| {
            let mut summary = Summary::new();
            summary.insert(&x.repeat(50), &recency.repeat(50), &vec![200; x.len() * 50]).unwrap();
            Members { name: name.to_owned(), summary }
        };
        let members = [members("east", &[0, 1, 2], &[0, 30, 90]), members("west", &[0, 3, 9], &[0, 90, 180])];
        let mut whole = members[0].summary.clone();
        whole.combine(&members[1].summary);
        saved.purchases = PurchaseModel::fit(PurchaseKind::MbgNbd, &whole, &[], 7.0);
        let groups = Groups::fit(&saved.purchases, &members, 7.0).unwrap();
        saved.groups = Some((PoolBy::Region, groups));
        let text = saved.to_json(PurchaseKind::MbgNbd);
        assert_eq!(text["version"], 2);
        let found = parse(&text.to_string()).unwrap();
        assert_eq!(found.groups, saved.groups);
        let told = |key: &str, value: Value| {
            let mut changed = text.clone();
            *changed.pointer_mut(key).unwrap() = value;
            parse(&changed.to_string()).unwrap_err().to_string()
        };
        assert_eq!(
            told("/groups/groups/1/parameters/0", json!(-1.0)),
            "model.json: MBG/NBD: a parameter of a group must be finite and positive"
        );
        assert_eq!(
            told("/groups/groups/1/name", json!("east")),
            "model.json: MBG/NBD: its groups must be sorted by name"
        );
        assert!(told("/pool_by", json!("colour")).ends_with("`pool_by` is not the fit of its kind of model"));
    }

    #[test]
    fn floats_are_read_to_the_last_bit_and_texts_are_left_alone() {
        let text = r#"{"a": [2.345683744089724, -1.5e-11, 3, -7], "b": "1.5 \" 2.5", "c\\": {"d": 1e3}}"#;
        let found = parse_exactly(text).unwrap();
        assert_eq!(found["a"][0].as_f64().map(f64::to_bits), Some(2.345_683_744_089_724_f64.to_bits()));
        assert_eq!(found["a"][1].as_f64(), Some(-1.5e-11));
        assert_eq!((&found["a"][2], &found["a"][3]), (&json!(3), &json!(-7)));
        assert_eq!((&found["b"], found["c\\"]["d"].as_f64()), (&json!("1.5 \" 2.5"), Some(1_000.0)));
        for damaged in ["", "{", "[1.2.3]", "[1e999]", "[-]"] {
            assert!(parse_exactly(damaged).is_none(), "{damaged}");
        }
    }

    #[test]
    fn another_version_kind_or_parameter_is_refused_by_name() {
        let good = saved().to_json(PurchaseKind::MbgNbd);
        let told = |key: &str, value: Value| {
            let mut changed = good.clone();
            *changed.pointer_mut(key).unwrap() = value;
            parse(&changed.to_string()).unwrap_err().to_string()
        };
        assert_eq!(told("/version", json!(3)), "model.json: its version is 3, this program reads versions 1 and 2");
        assert_eq!(
            told("/kind", json!("weibull")),
            "model.json: its kind is `weibull`, expected one of bg_nbd, mbg_nbd, pareto_nbd, bg_cnbd_k, mbg_cnbd_k"
        );
        assert_eq!(
            told("/kind", json!("pareto_nbd")),
            "model.json: it is no model file of whalecurve: `purchases` is not the fit of its kind of model"
        );
        assert_eq!(
            told("/purchases/parameters/alpha", json!(-1.0)),
            "model.json: MBG/NBD: alpha must be finite and positive"
        );
        assert_eq!(told("/spend/parameters/q", json!(0.0)), "model.json: Gamma-Gamma: q must be finite and positive");
        assert_eq!(
            told("/spend/parameters", json!({"mean": 3.0, "within": -1.0, "between": 2.0})),
            "model.json: Gamma-Gamma: q must be finite and positive"
        );
        assert_eq!(
            told("/spend/parameters", json!({"mean": 3.0, "inside": 1.0})),
            "model.json: it is no model file of whalecurve: `spend` is not the fit of its kind of model"
        );
        assert!(told("/purchases/end", json!({"how": "failed", "why": "no data"})).ends_with("MBG/NBD: no data"));
        assert_eq!(
            told("/format", json!("other")),
            "model.json: it is no model file of whalecurve: `format` is missing or another"
        );
        assert!(parse("{").unwrap_err().to_string().ends_with("it is not JSON"));
    }
}
