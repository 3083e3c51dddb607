//! Whole plans: every method and policy through the table face, worked numbers, laws.

mod kinds;
mod laws;
mod methods;
mod objects;
mod policies;
mod resources;

use std::collections::BTreeMap;

use super::*;
use crate::{
    numeric::keys::{Keys, published_hash},
    schema::{
        costing::{ActivitySetting, ResourceSetting, ServiceSetting},
        costs::PoolBalance,
        facts::{Cells, Customers},
        money::Currency,
        period::PeriodKind,
        tables::{AbsentDrivers, Activity, Pool, TracedCost, UnknownQuantity},
    },
    units::{Minor, QUANTITY_SCALE},
};

const UNITS: i64 = QUANTITY_SCALE;

/// A run with customers 1, 2, … in one period (or the given ones), and drivers.
struct World {
    cells: Cells,
    customers: Customers,
    segment: Vec<u16>,
    segment_names: Vec<String>,
    drivers: Vec<String>,
    activities: Vec<Activity>,
    resources: BTreeMap<String, ResourceSetting>,
    service: ServiceSetting,
    pools: Vec<Pool>,
    traced: Vec<TracedCost>,
    unknown: Vec<UnknownQuantity>,
    absent: AbsentDrivers,
    period: PeriodKind,
    as_of: i32,
}

impl World {
    /// Customers with one cell each in period 0.
    fn whole(customers: usize) -> Self {
        Self::periods(&(0..customers as u32).map(|customer| (customer, 0)).collect::<Vec<_>>(), PeriodKind::Whole)
    }

    fn periods(keys: &[(u32, i32)], period: PeriodKind) -> Self {
        let count = keys.last().map_or(0, |key| key.0 as usize + 1);
        let zero = || vec![0; keys.len()];
        let ids: Vec<i64> = (1..=count as i64).collect();
        let hash = ids.iter().map(|id| published_hash(crate::numeric::keys::Key::Int(*id))).collect();
        Self {
            cells: Cells {
                customer: keys.iter().map(|key| key.0).collect(),
                period: keys.iter().map(|key| key.1).collect(),
                gross_sales: zero(),
                returns: zero(),
                discount: zero(),
                product_cost: zero(),
                lines: vec![1; keys.len()],
                ..Cells::default()
            },
            customers: Customers { ids: Keys::Int(ids), hash },
            segment: vec![0; count],
            segment_names: vec!["(none)".to_owned()],
            drivers: Vec::new(),
            activities: Vec::new(),
            resources: BTreeMap::new(),
            service: ServiceSetting::Reciprocal,
            pools: Vec::new(),
            traced: Vec::new(),
            unknown: Vec::new(),
            absent: AbsentDrivers::default(),
            period,
            as_of: 0,
        }
    }

    fn driver(mut self, name: &str, quantities: &[i64]) -> Self {
        self.drivers.push(name.to_owned());
        self.cells.drivers.push(quantities.to_vec());
        self
    }

    fn segments(mut self, names: &[&str], of: &[u16]) -> Self {
        self.segment_names = names.iter().map(|name| (*name).to_owned()).collect();
        self.segment = of.to_vec();
        self
    }

    /// An activity with a pool of the whole run.
    fn activity(self, name: &str, setting: ActivitySetting, amount: Minor) -> Self {
        self.activity_in(name, setting, &[(None, amount)])
    }

    fn activity_in(mut self, name: &str, setting: ActivitySetting, pools: &[(Option<i32>, Minor)]) -> Self {
        self.activities.push(Activity { name: name.to_owned(), setting });
        self.activities.sort_by(|a, b| a.name.cmp(&b.name));
        let pools = pools.iter().map(|(period, amount)| Pool {
            activity: name.to_owned(),
            period: *period,
            amount: *amount,
            capacity: None,
        });
        self.pools.extend(pools);
        self
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            cells: &self.cells,
            customers: &self.customers,
            segment: &self.segment,
            segment_names: &self.segment_names,
            exponent: 2,
        }
    }

    fn with_costing<T>(&self, use_it: impl FnOnce(&Costing<'_>) -> T) -> T {
        let currency = Currency { code: "EUR".to_owned(), exponent: 2 };
        use_it(&Costing {
            activities: &self.activities,
            resources: &self.resources,
            service: &self.service,
            pools: &self.pools,
            traced: &self.traced,
            unknown: &self.unknown,
            absent: &self.absent,
            drivers: &self.drivers,
            currency: &currency,
            period: self.period,
            as_of: self.as_of,
        })
    }

    fn plan(&self) -> Result<CostPlan, CostError> {
        self.with_costing(|costing| plan(costing, &self.ground()))
    }

    /// The plan, checked: leaves and balances tie, and slices are the whole.
    fn checked(&self) -> CostPlan {
        let plan = self.plan().unwrap();
        let leaves = plan.leaves(&self.ground()).unwrap();
        assert_eq!(plan.reconcile(&leaves), None);
        plan
    }

    /// Cost of the first activity on every cell, and its only balance.
    fn cost(&self) -> (Vec<Minor>, PoolBalance) {
        let plan = self.checked();
        assert_eq!(plan.balances.len(), 1);
        (plan.activity_cost(0, &self.ground()), plan.balances[0].clone())
    }

    fn refusal(&self) -> String {
        self.plan().unwrap_err().to_string()
    }
}
