//! How much of a cost is fixed, and how much of it would be saved, where resource pools send cost of another kind than the
//! activity's own.
//!
//! A pool's own cost, and what it received without a kind, has the kind of the activity; what it received with one keeps it.
//! What customers bear of the pool has the pool's mix, `allocated · part / (own + received)` half to even, and each customer
//! bears its part in proportion to its cost, by largest remainder: so the parts of all customers sum to the pool's.

use super::{
    basis::{Column, summarise},
    negative::Weight,
    pool::Columns,
    rows::{Ground, Periods},
    share::{Share, Spread},
    signed::SignedPlan,
};
use crate::{
    numeric::decimal::{Decimal, divide_half_even},
    schema::{
        costing::{ActivitySetting, Behaviour},
        costs::PoolBalance,
        period::Period,
    },
    units::{Minor, MinorSum},
};

/// What a part of a cost may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It does not follow the volume within the period.
    Fixed,
    /// It is saved when the customer leaves.
    Avoidable,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fixed, Self::Avoidable];

    /// Whether an activity's own cost is of the kind.
    fn is_of(self, setting: &ActivitySetting) -> bool {
        match self {
            Self::Fixed => setting.behaviour == Behaviour::Fixed,
            Self::Avoidable => setting.avoidable,
        }
    }
}

/// What an activity received of cost that has a kind: of the kind, and of its opposite, in the order of [`Kind::ALL`].
pub(super) type ReceivedKinds = [(Minor, Minor); 2];

/// How much of what customers bear of one pool is of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KindPart {
    Nothing,
    Everything,
    /// Divided over rows in proportion to their cost of the pool.
    Share(Share),
}

/// How much of an activity's cost is of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KindPlan {
    /// All of it, or nothing.
    Same(bool),
    /// Pool by pool.
    Pools { whole: KindPart, by_period: Vec<(Period, KindPart)> },
}

impl Default for KindPlan {
    fn default() -> Self {
        Self::Same(false)
    }
}

impl KindPlan {
    /// * `parts`: of every pool, by period; `None` = the whole run.
    pub(super) fn new(parts: Vec<(Option<Period>, KindPart)>) -> Self {
        let all = |wanted: KindPart| parts.iter().all(|(_, part)| *part == wanted);
        if all(KindPart::Nothing) || all(KindPart::Everything) {
            return Self::Same(!parts.is_empty() && all(KindPart::Everything));
        }
        let whole = parts.iter().find(|(period, _)| period.is_none()).map_or(KindPart::Nothing, |(_, part)| *part);
        let mut by_period: Vec<(Period, KindPart)> =
            parts.into_iter().filter_map(|(period, part)| Some((period?, part))).collect();
        by_period.sort_by_key(|(period, _)| *period);
        Self::Pools { whole, by_period }
    }
}

/// The part of a pool that is of a kind, in minor units.
///
/// * `cost`: own + received.
fn part_of_pool(kind: Kind, setting: &ActivitySetting, cost: MinorSum, received: ReceivedKinds) -> MinorSum {
    let (of, opposite) = received[kind as usize];
    if kind.is_of(setting) { cost - MinorSum::from(opposite) } else { MinorSum::from(of) }
}

/// `allocated · part / cost`, half to even; `None` where the pool has no mix.
fn part_of_allocated(allocated: Minor, part: MinorSum, cost: MinorSum) -> Option<Minor> {
    if part == 0 || part == cost || cost == 0 || allocated == 0 {
        return None;
    }
    let product = MinorSum::from(allocated).checked_mul(part)?;
    i64::try_from(divide_half_even(product * cost.signum(), cost.abs())).ok()
}

/// What a pool's part is found from.
pub(super) struct Mix<'a> {
    pub(super) kind: Kind,
    pub(super) setting: &'a ActivitySetting,
    pub(super) received: ReceivedKinds,
}

impl Mix<'_> {
    /// How much of what customers bear is of the kind, and how it is divided over them.
    ///
    /// * `made`: number of the column of what each row bears of the pool, made when it is asked for.
    pub(super) fn of_pool(
        &self,
        balance: &PoolBalance,
        (ground, periods): (&Ground<'_>, &Periods),
        columns: &mut Columns,
        made: &mut dyn FnMut(&mut Columns) -> usize,
    ) -> (KindPart, Minor) {
        let cost = MinorSum::from(balance.own) + MinorSum::from(balance.received);
        let part = part_of_pool(self.kind, self.setting, cost, self.received);
        let whole = |all: bool| if all { (KindPart::Everything, balance.allocated) } else { (KindPart::Nothing, 0) };
        let Some(money) = part_of_allocated(balance.allocated, part, cost) else {
            return whole(if cost == 0 { self.kind.is_of(self.setting) } else { part == cost });
        };
        let number = made(columns);
        let column = &columns.made[number];
        let reach = periods.reach(balance.period);
        // Costs of both signs that all but cancel say nothing about a mix.
        let plan = SignedPlan::new(money, &summarise(column, ground, reach, None), MOST_MOVED);
        let Ok(plan) = plan else { return whole(self.kind.is_of(self.setting)) };
        (KindPart::Share(Share::new(Spread::Signed(plan), (number, column), Weight::Same, None, ground, reach)), money)
    }
}

/// Amplification up to which costs of both signs are divided by.
const MOST_MOVED: Decimal = Decimal { mantissa: 1_000_000, scale: 0 };

/// A column of what rows bear.
pub(super) fn keep(columns: &mut Columns, costs: Vec<Minor>) -> usize {
    columns.made.push(std::sync::Arc::new(Column::Made(costs)));
    columns.made.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_what_is_borne_is_rounded_once() {
        assert_eq!(part_of_allocated(1_000, 250, 1_000), Some(250));
        assert_eq!(part_of_allocated(999, 1, 3), Some(333));
        assert_eq!(part_of_allocated(5, 1, 2), Some(2));
        assert_eq!(part_of_allocated(-5, -1, -2), Some(-2));
        assert_eq!(
            (part_of_allocated(5, 0, 2), part_of_allocated(5, 2, 2), part_of_allocated(5, 1, 0)),
            (None, None, None)
        );
    }
}
