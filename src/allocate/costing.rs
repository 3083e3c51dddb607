//! What is to be costed: activities, resource pools and their costs, as they come from the config and the tables.

use std::collections::BTreeMap;

use super::refusal::Refusal;
use crate::{
    schema::{
        costing::{ResourceSetting, ServiceSetting},
        money::Currency,
        period::{Period, PeriodKind},
        tables::{AbsentDrivers, Activity, Pool, TracedCost, UnknownQuantity},
    },
    units::Day,
};

/// What costs are and how they reach customers.
#[derive(Clone, Copy, Debug)]
pub struct Costing<'a> {
    /// Activities, sorted by name.
    pub activities: &'a [Activity],
    /// Resource pools.
    pub resources: &'a BTreeMap<String, ResourceSetting>,
    /// How resource pools that serve each other pass on their cost.
    pub service: &'a ServiceSetting,
    /// Costs of activities and resource pools.
    pub pools: &'a [Pool],
    /// Costs that name their customer.
    pub traced: &'a [TracedCost],
    /// Driver quantities of unknown customers.
    pub unknown: &'a [UnknownQuantity],
    /// Names of the cells' drivers.
    pub drivers: &'a [String],
    /// Those of them that no table holds: all their quantities are zero.
    pub absent: &'a AbsentDrivers,
    /// The run's currency.
    pub currency: &'a Currency,
    /// The run's periods.
    pub period: PeriodKind,
    /// Last day that counts: rules of costs without a period must hold on it.
    pub as_of: Day,
}

impl Costing<'_> {
    /// ` in 1997-03`, or nothing for the whole run.
    pub(super) fn when(&self, period: Option<Period>) -> String {
        period.map_or_else(String::new, |period| format!(" in {}", self.period.label(period)))
    }

    /// Why a driver cannot be gone by: no table holds it.
    ///
    /// * `excusable`: whether `no_driver` may say what becomes of the cost.
    pub(super) fn missing(&self, driver: &str, excusable: bool) -> Option<Refusal> {
        let (_, meant) = self.absent.names.iter().find(|(name, _)| name == driver)?;
        let meant = meant.as_ref().map_or_else(String::new, |meant| format!(" (did you mean `{meant}`?)"));
        let known = match (known_drivers(&self.absent.known), self.absent.others) {
            (known, 0) => known,
            (known, others) => format!("{known}, and {others} of the table"),
        };
        Some(Refusal::MissingDriver { driver: driver.to_owned(), meant, known, excusable })
    }
}

/// Names of drivers, in a message.
pub(super) fn known_drivers(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
