//! The cells of each world: where a driver's quantity stands that only the other world goes by, and nothing else, there is none.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::{named_by, named_in_scenario};
use crate::{
    facts::drivers,
    schema::{
        costing::ResourceSetting,
        facts::Cells,
        settings::Settings,
        tables::{Activity, DriverQuantity, Receivable, TracedCost},
    },
};

/// Quantities that stand in cells without a ledger line.
#[derive(Debug)]
pub(super) struct Alone {
    /// By driver: whether the base, and the scenario, go by it.
    used: Vec<[bool; 2]>,
    has_scenario: bool,
    /// Customer, period and driver.
    rows: Vec<(u32, i32, u32)>,
}

impl Alone {
    /// * `names`: of the cells' drivers.
    pub(super) fn new(
        settings: &Settings,
        activities: &[Activity],
        resources: &BTreeMap<String, ResourceSetting>,
        names: &[String],
    ) -> Self {
        let base: BTreeSet<String> = named_by(activities, resources).collect();
        let scenario: BTreeSet<String> = named_in_scenario(settings, activities).collect();
        let used = names.iter().map(|name| [base.contains(name), scenario.contains(name)]).collect();
        Self { used, has_scenario: settings.scenario.is_some(), rows: Vec::new() }
    }

    /// Whether each world goes by every driver: then there is nothing to tell apart.
    fn is_needless(&self) -> bool {
        self.used.iter().all(|[base, scenario]| *base && (*scenario || !self.has_scenario))
    }

    /// * `quantities`: sorted by customer, each with a cell.
    pub(super) fn add(&mut self, cells: &Cells, quantities: &[DriverQuantity]) {
        if !self.is_needless() {
            self.rows.extend(drivers::alone(cells, quantities));
        }
    }

    /// The cells of the base, and those of the scenario where they are others.
    ///
    /// * `traced`, `receivables`: that have cells whatever the drivers are.
    pub(super) fn worlds(
        self,
        cells: Cells,
        traced: &[TracedCost],
        receivables: &[Receivable],
    ) -> (Cells, Option<Cells>) {
        if self.rows.is_empty() {
            return (cells, None);
        }
        let traced = traced.iter().filter_map(|row| Some((row.customer?, row.period)));
        let kept: BTreeSet<(u32, i32)> =
            traced.chain(receivables.iter().map(|row| (row.customer, row.period))).collect();
        let gone = |world: usize| -> Vec<(u32, i32)> {
            let key = |row: &(u32, i32, u32)| (row.0, row.1);
            let used = self.rows.iter().filter(|row| self.used[row.2 as usize][world]).map(key);
            let used: BTreeSet<(u32, i32)> = used.collect();
            let all: BTreeSet<(u32, i32)> = self.rows.iter().map(key).collect();
            all.into_iter().filter(|key| !used.contains(key) && !kept.contains(key)).collect()
        };
        let base = gone(0);
        let scenario = if self.has_scenario { gone(1) } else { base.clone() };
        let of_scenario = (scenario != base).then(|| drivers::without(&cells, &scenario));
        let of_base = if base.is_empty() { cells } else { drivers::without(&cells, &base) };
        (of_base, of_scenario)
    }
}
