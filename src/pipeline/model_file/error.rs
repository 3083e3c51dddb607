//! What is wrong with a model file, and what to do about it.

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::schema::settings::PoolBy;

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
    #[error("{file}: its version is {found}, this program reads versions 1 and 2")]
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
    /// The config has another model, of which none of this file makes sense.
    #[error("{file}: its model is {found}, the config's `{key}` {expected}")]
    Model {
        /// The file.
        file: Utf8PathBuf,
        /// Key of the config.
        key: &'static str,
        /// Its model.
        found: &'static str,
        /// The config's.
        expected: &'static str,
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
pub(super) fn of_groups(by: Option<PoolBy>) -> String {
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
            Self::Model { .. } => Some("set that key to the model of the file, or fit anew"),
            Self::TimeUnit { .. } => Some("set `forecast.time_unit` to the one that the model was fitted with"),
            _ => Some("write it anew: whalecurve fit CONFIG --model FILE"),
        }
    }
}
