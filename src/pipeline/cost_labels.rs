//! What the cost of every cell and activity is told with: the cell's period, the activity, and the rule that it goes by.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::tables::numbered;
use crate::{
    allocate::CostPlan,
    publish::dataset::Values,
    schema::{
        costing::RuleKind,
        costs::{PoolBalance, PoolNode},
        period::Period,
        settings::Settings,
    },
    units::{Minor, Quantity},
};

/// Labels that all parts of `customer_cost` or `object_cost` share.
pub(super) struct CostLabels {
    /// Place of each cell's period in `periods`.
    period: Vec<u32>,
    periods: Arc<Vec<String>>,
    activities: Arc<Vec<String>>,
    /// First rule of each activity in the lists below.
    first_rule: Vec<u32>,
    /// Number of the rule of each activity in each period, activity by activity.
    rule: Vec<u32>,
    rules: Arc<Vec<String>>,
    versions: Vec<i64>,
    /// Number of the kind of each activity in each period, activity by activity.
    kind: Vec<u32>,
    kinds: Arc<Vec<String>>,
}

impl CostLabels {
    /// * `cells`: period of every cell.
    /// * `plan`: of the customers, whose rules say how an amount came to whom it came to.
    pub(super) fn new(cells: &[Period], plan: &CostPlan, settings: &Settings) -> Self {
        let (period, periods) = numbered(cells);
        let mut labels = Self {
            period,
            periods: Arc::new(periods.iter().map(|period| settings.period.label(*period)).collect()),
            activities: Arc::new(plan.activities.iter().map(|activity| activity.name.clone()).collect()),
            first_rule: Vec::new(),
            rule: Vec::new(),
            rules: Arc::default(),
            versions: Vec::new(),
            kind: Vec::new(),
            kinds: Arc::new(RuleKind::ALL.map(|kind| kind.as_str().to_owned()).to_vec()),
        };
        let mut rules = Vec::new();
        // Pools that something stood in for are few.
        let stood_in = plan.balances.iter().filter(|balance| balance.instead.is_some());
        let stood_in: BTreeMap<(PoolNode, Option<Period>), &PoolBalance> =
            stood_in.map(|balance| ((balance.node, balance.period), balance)).collect();
        for (number, activity) in plan.activities.iter().enumerate() {
            labels.first_rule.push(rules.len() as u32);
            for setting in activity.setting.each_rule() {
                rules.push(setting.rule.name(&activity.name).to_owned());
                labels.versions.push(i64::from(setting.rule.version));
            }
            for period in &periods {
                let rule = plan.rule(number, *period);
                let method = &activity.setting.under(rule).method;
                let pools = [Some(*period), None].map(|at| stood_in.get(&(PoolNode::Activity(number), at)));
                let kind = pools.into_iter().flatten().map(|balance| balance.kind(method)).max();
                labels.rule.push(rule as u32);
                labels.kind.push(kind.unwrap_or_else(|| method.kind()) as u32);
            }
        }
        Self { rules: Arc::new(rules), ..labels }
    }

    /// Columns and number of the rows of some cells: one a cell and activity that it used or that cost it something.
    ///
    /// * `whose`: customer or object of every cell.
    /// * `found`: quantity and cost of a cell, counted from the first of `cells`, and an activity.
    pub(super) fn columns(
        &self,
        whose: &[u32],
        cells: Range<usize>,
        found: impl Fn(usize, usize) -> (Quantity, Minor),
    ) -> (Vec<Values>, usize) {
        let (mut ids, mut periods, mut activity) = (Vec::new(), Vec::new(), Vec::new());
        let (mut rule, mut kind, mut quantity, mut amount) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (at, cell) in cells.enumerate() {
            let period = self.period[cell];
            for number in 0..self.activities.len() {
                let (used, cost) = found(at, number);
                if used != 0 || cost != 0 {
                    ids.push(whose[cell]);
                    periods.push(period);
                    activity.push(number as u32);
                    let of_period = number * self.periods.len() + period as usize;
                    rule.push(self.first_rule[number] + self.rule[of_period]);
                    kind.push(self.kind[of_period]);
                    quantity.push(Some(used));
                    amount.push(Some(cost));
                }
            }
        }
        let rows = ids.len();
        let columns = vec![
            Values::Ids(ids),
            Values::Label(periods, Arc::clone(&self.periods)),
            Values::Label(activity, Arc::clone(&self.activities)),
            Values::Label(rule.clone(), Arc::clone(&self.rules)),
            Values::Integer(rule.iter().map(|rule| Some(self.versions[*rule as usize])).collect()),
            Values::Label(kind, Arc::clone(&self.kinds)),
            Values::Scaled(quantity),
            Values::Scaled(amount),
        ];
        (columns, rows)
    }
}
