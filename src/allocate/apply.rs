//! The cost of any slice of cells, from the plan alone.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    kinds::{Kind, KindPart, KindPlan},
    rows::Ground,
    share::Share,
    spread::AllocateError,
    table::{ActivityPlan, CostPlan},
};
use crate::{
    schema::{
        costing::Layer,
        costs::{LayerCosts, PoolBalance, PoolNode},
        period::Period,
    },
    units::{Minor, MinorSum, Quantity},
};

/// Cells of one chunk: its columns stay in cache.
const CHUNK: usize = 16_384;

/// Cost and driver quantity of every activity on a slice of cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CostChunk {
    /// One column an activity, in minor units.
    pub amounts: Vec<Vec<Minor>>,
    /// The driver quantity behind each amount, scaled by 10⁶ (revenue and cost in major units).
    pub quantities: Vec<Vec<Quantity>>,
}

/// What the leaves add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaves {
    /// Activity cost of every cell by margin layer.
    pub layers: LayerCosts,
    /// Sum of every activity's cost over all cells.
    pub sums: Vec<MinorSum>,
    /// The same of its parts of each kind, in the order of [`Kind::ALL`].
    pub kinds: Vec<[MinorSum; 2]>,
}

/// Shares of a period's pool by the distance of the period from the first.
struct ByPeriod<'a> {
    first: Period,
    shares: Vec<&'a [Share]>,
}

impl<'a> ByPeriod<'a> {
    fn new(plan: &'a ActivityPlan) -> Self {
        let first = plan.by_period.iter().map(|(period, _)| *period).min().unwrap_or(0);
        let mut shares: Vec<&[Share]> = Vec::new();
        for (period, of_period) in &plan.by_period {
            let at = (i64::from(*period) - i64::from(first)) as usize;
            if shares.len() <= at {
                shares.resize(at + 1, &[]);
            }
            shares[at] = of_period;
        }
        Self { first, shares }
    }

    #[inline]
    fn of(&self, period: Period) -> &[Share] {
        let at = usize::try_from(i64::from(period) - i64::from(self.first)).ok();
        at.and_then(|at| self.shares.get(at)).copied().unwrap_or(&[])
    }
}

impl CostPlan {
    /// Cost and driver quantity of every activity on the cells of `rows`.
    #[must_use]
    pub fn chunk(&self, ground: &Ground<'_>, rows: Range<usize>) -> CostChunk {
        let amounts = self.plans.iter().map(|plan| self.amounts(plan, ground, rows.clone())).collect();
        let quantities = self
            .plans
            .iter()
            .map(|plan| {
                let columns: Vec<_> =
                    plan.shown.iter().map(|shown| shown.map(|number| &self.columns[number])).collect();
                let column = |row: usize| *columns.get(plan.rule(ground.cells.period[row]))?;
                rows.clone().map(|row| column(row).map_or(0, |column| column.at(ground, row))).collect()
            })
            .collect();
        CostChunk { amounts, quantities }
    }

    /// Cost alone, of some activities: `None` of the others.
    #[must_use]
    pub fn costs_of(
        &self,
        ground: &Ground<'_>,
        rows: &Range<usize>,
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<Option<Vec<Minor>>> {
        let cost = |(number, plan)| wanted(number).then(|| self.amounts(plan, ground, rows.clone()));
        self.plans.iter().enumerate().map(cost).collect()
    }

    /// Number of the rule that an activity's cells of a period go by: its place among those that follow each other.
    #[must_use]
    pub fn rule(&self, activity: usize, period: Period) -> usize {
        self.plans.get(activity).map_or(0, |plan| plan.rule(period))
    }

    /// One activity's cost on the cells of `rows`.
    fn amounts(&self, plan: &ActivityPlan, ground: &Ground<'_>, rows: Range<usize>) -> Vec<Minor> {
        let mut amounts = vec![0_i64; rows.len()];
        if let Some(traced) = &plan.traced {
            amounts.copy_from_slice(&traced[rows.clone()]);
        }
        // Parts of one customer's cost are parts of pools of 64 bits: their sum is checked with the activity's.
        for share in &plan.whole {
            let column = &self.columns[share.column];
            for (amount, row) in amounts.iter_mut().zip(rows.clone()) {
                *amount += share.cost(column, ground, row);
            }
        }
        if !plan.by_period.is_empty() {
            let by_period = ByPeriod::new(plan);
            for (amount, row) in amounts.iter_mut().zip(rows) {
                for share in by_period.of(ground.cells.period[row]) {
                    *amount += share.cost(&self.columns[share.column], ground, row);
                }
            }
        }
        amounts
    }

    /// What cells bear of an activity's pools of a period, or of those of the whole run.
    pub(super) fn pools_cost(&self, number: usize, of_period: bool, ground: &Ground<'_>) -> Vec<Minor> {
        let plan = &self.plans[number];
        let cost = |row: usize| {
            if of_period { self.of_period(plan, ground, row) } else { self.of_whole(plan, ground, row) }
        };
        (0..ground.cells.len()).into_par_iter().map(cost).collect()
    }

    fn of_whole(&self, plan: &ActivityPlan, ground: &Ground<'_>, row: usize) -> Minor {
        let shares: Minor = plan.whole.iter().map(|share| share.cost(&self.columns[share.column], ground, row)).sum();
        shares + plan.traced_of(ground, row, false)
    }

    fn of_period(&self, plan: &ActivityPlan, ground: &Ground<'_>, row: usize) -> Minor {
        let period = ground.cells.period[row];
        let own = plan.by_period.iter().filter(|(of, _)| *of == period).flat_map(|(_, shares)| shares);
        let shares: Minor = own.map(|share| share.cost(&self.columns[share.column], ground, row)).sum();
        shares + plan.traced_of(ground, row, true)
    }

    /// Whether all of an activity's cost is of a kind, whatever its pools receive.
    #[must_use]
    pub fn is_all(&self, number: usize, kind: Kind) -> bool {
        matches!(self.plans[number].kinds[kind as usize], KindPlan::Same(true))
    }

    /// How much of an activity's cost on a cell is of a kind.
    ///
    /// * `amount`: the cost.
    #[must_use]
    pub fn part_of_kind(&self, number: usize, kind: Kind, ground: &Ground<'_>, (row, amount): (usize, Minor)) -> Minor {
        let plan = &self.plans[number];
        match &plan.kinds[kind as usize] {
            KindPlan::Same(all) => {
                if *all {
                    amount
                } else {
                    0
                }
            }
            KindPlan::Pools { whole, by_period } => {
                let period = ground.cells.period[row];
                let of_period = by_period.iter().find(|(of, _)| *of == period).map(|(_, part)| part);
                let share = |part: &KindPart, all: &dyn Fn() -> Minor| match part {
                    KindPart::Nothing => 0,
                    KindPart::Everything => all(),
                    KindPart::Share(share) => share.cost(&self.columns[share.column], ground, row),
                };
                // What is left of the amount beside pools of the whole run is the period's.
                let of_whole = || if by_period.is_empty() { amount } else { self.of_whole(plan, ground, row) };
                let rest = || amount - of_whole();
                share(whole, &of_whole) + of_period.map_or(0, |part| share(part, &rest))
            }
        }
    }

    /// The cost of an activity on every cell; `None` when there is no such activity.
    pub(super) fn cost_of(&self, name: &str, ground: &Ground<'_>) -> Option<Vec<Minor>> {
        let number = self.activities.iter().position(|activity| activity.name == name)?;
        Some(self.activity_cost(number, ground))
    }

    /// The cost of an activity on every cell.
    #[must_use]
    pub fn activity_cost(&self, number: usize, ground: &Ground<'_>) -> Vec<Minor> {
        let Some(plan) = self.plans.get(number) else { return vec![0; ground.cells.len()] };
        let starts: Vec<usize> = (0..ground.cells.len()).step_by(CHUNK).collect();
        let parts: Vec<Vec<Minor>> = starts
            .par_iter()
            .map(|from| self.amounts(plan, ground, *from..ground.cells.len().min(from + CHUNK)))
            .collect();
        parts.concat()
    }

    /// Cost of every cell by margin layer, and what every activity's leaves add up to. Bounded memory: no activity's
    /// column stands as a whole.
    ///
    /// # Errors
    /// [`AllocateError::TooLarge`] when a cell's cost leaves 64 bits.
    pub fn leaves(&self, ground: &Ground<'_>) -> Result<Leaves, AllocateError> {
        let cells = ground.cells.len();
        let layers: Vec<Layer> = self.activities.iter().map(|activity| activity.setting.layer).collect();
        let one_off: Vec<bool> = self.activities.iter().map(|activity| !activity.setting.recurring).collect();
        let has_one_off =
            Layer::ALL.map(|layer| layers.iter().zip(&one_off).any(|(of, one_off)| *of == layer && *one_off));
        let starts: Vec<usize> = (0..cells).step_by(CHUNK).collect();
        let parts: Vec<Part> = starts
            .par_iter()
            .map(|from| {
                let rows = *from..cells.min(from + CHUNK);
                let mut part = Part::new(rows.len(), self.activities.len());
                for (number, plan) in self.plans.iter().enumerate() {
                    let amounts = self.amounts(plan, ground, rows.clone());
                    part.sums[number] = amounts.iter().map(|amount| MinorSum::from(*amount)).sum();
                    add(&mut part.layers[layers[number] as usize], &amounts)?;
                    self.add_kinds(number, ground, rows.clone(), &amounts, &mut part)?;
                    if one_off[number] {
                        add(&mut part.one_off[layers[number] as usize], &amounts)?;
                    }
                }
                Ok(part)
            })
            .collect::<Result<_, AllocateError>>()?;
        let mut sums = vec![0; self.activities.len()];
        let mut kinds = vec![[0; 2]; self.activities.len()];
        for part in &parts {
            sums.iter_mut().zip(&part.sums).for_each(|(sum, part)| *sum += part);
            let own = kinds.iter_mut().flatten().zip(part.kind_sums.iter().flatten());
            own.for_each(|(sum, part)| *sum += part);
        }
        let joined = |of: &dyn Fn(&Part) -> &Vec<Minor>| -> Vec<Minor> {
            let mut whole = Vec::with_capacity(cells);
            for part in &parts {
                whole.extend_from_slice(of(part));
            }
            whole
        };
        let by_layer = std::array::from_fn(|layer| joined(&|part| &part.layers[layer]));
        let one_off = std::array::from_fn(|layer| has_one_off[layer].then(|| joined(&|part| &part.one_off[layer])));
        let by_kind = std::array::from_fn(|kind| joined(&|part| &part.kinds[kind]));
        Ok(Leaves { layers: LayerCosts::new(by_layer, one_off, by_kind), sums, kinds })
    }

    /// Adds the parts of each kind of an activity's cost on some cells.
    fn add_kinds(
        &self,
        number: usize,
        ground: &Ground<'_>,
        rows: Range<usize>,
        amounts: &[Minor],
        part: &mut Part,
    ) -> Result<(), AllocateError> {
        for kind in Kind::ALL {
            let at = kind as usize;
            match &self.plans[number].kinds[at] {
                KindPlan::Same(false) => {}
                KindPlan::Same(true) => {
                    add(&mut part.kinds[at], amounts)?;
                    part.kind_sums[number][at] = part.sums[number];
                }
                KindPlan::Pools { .. } => {
                    let of = |(row, amount): (usize, &Minor)| self.part_of_kind(number, kind, ground, (row, *amount));
                    let parts: Vec<Minor> = rows.clone().zip(amounts).map(of).collect();
                    part.kind_sums[number][at] = parts.iter().map(|part| MinorSum::from(*part)).sum();
                    add(&mut part.kinds[at], &parts)?;
                }
            }
        }
        Ok(())
    }

    /// Checks that the leaves say what the balances say, and that every balance is whole.
    ///
    /// Returns the first activity for which it does not hold, with both sides in minor units.
    #[must_use]
    pub fn reconcile(&self, leaves: &Leaves) -> Option<(String, MinorSum, MinorSum)> {
        let name = |node: PoolNode| match node {
            PoolNode::Activity(number) => self.activities[number].name.clone(),
            PoolNode::Resource(number) => self.resources[number].clone(),
        };
        if let Some(balance) = self.balances.iter().find(|balance| balance.residual() != 0) {
            let cost = MinorSum::from(balance.own) + MinorSum::from(balance.received);
            return Some((name(balance.node), cost, cost - balance.residual()));
        }
        (0..self.activities.len()).find_map(|number| {
            let own = self.balances.iter().filter(|balance| balance.node == PoolNode::Activity(number));
            let sum = |of: fn(&PoolBalance) -> Minor| {
                own.clone().map(|balance| MinorSum::from(of(balance))).sum::<MinorSum>()
            };
            let [fixed, avoidable] = leaves.kinds[number];
            let pairs = [
                (sum(|balance| balance.allocated), leaves.sums[number]),
                (sum(|balance| balance.allocated_fixed), fixed),
                (sum(|balance| balance.allocated_avoidable), avoidable),
            ];
            let different = pairs.into_iter().find(|(told, found)| told != found);
            different.map(|(told, found)| (self.activities[number].name.clone(), told, found))
        })
    }
}

struct Part {
    layers: [Vec<Minor>; 4],
    one_off: [Vec<Minor>; 4],
    kinds: [Vec<Minor>; 2],
    sums: Vec<MinorSum>,
    kind_sums: Vec<[MinorSum; 2]>,
}

impl Part {
    fn new(rows: usize, activities: usize) -> Self {
        let zero = || std::array::from_fn(|_| vec![0; rows]);
        Self {
            layers: zero(),
            one_off: zero(),
            kinds: [vec![0; rows], vec![0; rows]],
            sums: vec![0; activities],
            kind_sums: vec![[0; 2]; activities],
        }
    }
}

fn add(sum: &mut [Minor], amounts: &[Minor]) -> Result<(), AllocateError> {
    for (sum, amount) in sum.iter_mut().zip(amounts) {
        *sum = sum.checked_add(*amount).ok_or(AllocateError::TooLarge)?;
    }
    Ok(())
}
