//! What-if: the parts of a config that a scenario changes, beside the base.

use serde::Serialize;

use super::{
    costing::{Capacity, Method, OverUse},
    period::Period,
    settings::Settings,
};
use crate::{numeric::decimal::Decimal, units::Minor};

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
    /// Other costs of activities and resource pools that the base has, by name.
    pub costs: Vec<(String, CostChange)>,
    /// What is said otherwise of activities that come from the activities table, by name.
    pub activities: Vec<(String, ActivityChange)>,
}

/// Another cost of an activity or resource pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CostChange {
    /// Total of all periods, in minor units: divided over the periods as they cost before.
    Total(Minor),
    /// Factor on the total of all periods, divided likewise.
    Factor(Decimal),
    /// Costs of some periods; the others keep theirs.
    Periods(Vec<(Period, Minor)>),
}

/// What a scenario says of an activity of the activities table; `None` = as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActivityChange {
    /// How its cost is divided.
    pub method: Option<Method>,
    /// What its cost pays for.
    pub capacity: Option<Capacity>,
    /// What happens when more is used.
    pub over_use: Option<OverUse>,
}

impl Scenario {
    /// Whether it says something at a path, `null` too, or below it.
    #[must_use]
    pub fn says(&self, path: &str) -> bool {
        let below =
            |said: &String| said.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.overridden.iter().any(below)
    }

    /// The price factor of a segment; `None` = unchanged.
    #[must_use]
    pub fn price(&self, segment: &str) -> Option<Decimal> {
        let of = |name: Option<&str>| {
            self.prices.iter().find(|(known, _)| known.as_deref() == name).map(|(_, factor)| *factor)
        };
        of(Some(segment)).or_else(|| of(None))
    }

    /// The price factor, when there is one for everybody.
    #[must_use]
    pub fn price_of_everybody(&self) -> Option<Decimal> {
        match self.prices.as_slice() {
            [(None, factor)] => Some(*factor),
            _ => None,
        }
    }
}
