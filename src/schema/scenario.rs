//! What-if: the parts of a config that a scenario changes, beside the base.

use serde::Serialize;

use super::settings::Settings;
use crate::numeric::decimal::Decimal;

/// The name of the unchanged run in outputs.
pub const BASE: &str = "base";

/// A scenario beside the base: the same ledger under other costs, methods, drivers, capacities or prices.
#[derive(Clone, Debug, Serialize)]
pub struct Scenario {
    /// Its name in outputs.
    pub name: String,
    /// The settings with every override in place.
    #[serde(skip)]
    pub settings: Box<Settings>,
    /// Paths that were overridden, in the order of the config and the command line.
    pub overridden: Vec<String>,
    /// Factors on gross sales, returns and discount: of a segment, or of every other customer (`None`).
    pub prices: Vec<(Option<String>, Decimal)>,
    /// Factors on driver quantities, by driver.
    pub driver_factors: Vec<(String, Decimal)>,
}

impl Scenario {
    /// The price factor of a segment; `None` = unchanged.
    #[must_use]
    pub fn price(&self, segment: &str) -> Option<Decimal> {
        let of = |name: Option<&str>| {
            self.prices.iter().find(|(known, _)| known.as_deref() == name).map(|(_, factor)| *factor)
        };
        of(Some(segment)).or_else(|| of(None))
    }
}
