//! Exchange rates, as exact decimals.

use std::fmt;

use serde::Serialize;

use super::period::Period;
use crate::numeric::decimal::Decimal;

/// How foreign money becomes money of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FxSettings {
    /// Which rate of a period counts.
    pub kind: RateKind,
}

/// What costs of a period are: spread over it.
impl Default for FxSettings {
    fn default() -> Self {
        Self { kind: RateKind::Average }
    }
}

/// Which rate of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RateKind {
    /// The mean of its rates.
    Average,
    /// Its last rate.
    Closing,
}

impl RateKind {
    /// The name in configs and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Closing => "closing",
        }
    }
}

/// An exact rate, `sum / count`: major units of the run's currency for one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExactRate {
    /// Sum of the rates that are averaged.
    pub sum: Decimal,
    /// Number of them.
    pub count: u32,
}

impl ExactRate {
    /// Money that needs no conversion.
    pub const ONE: Self = Self { sum: Decimal { mantissa: 1, scale: 0 }, count: 1 };

    /// The nearest float, for display.
    #[must_use]
    pub fn to_float(self) -> f64 {
        self.sum.to_float() / f64::from(self.count)
    }
}

/// `1.0837`, or `3.2511/3` for a mean.
impl fmt::Display for ExactRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => write!(f, "{}", self.sum),
            count => write!(f, "{}/{count}", self.sum),
        }
    }
}

/// The rate of a currency in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FxRate {
    /// Code of the other currency.
    pub currency: String,
    /// Period; `None` = every period.
    pub period: Option<Period>,
    /// Rate.
    pub rate: ExactRate,
}
