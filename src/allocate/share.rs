//! One division of money over rows: a plan, the quantity it goes by, and who wins the ties. A pool is a few of these.

use rayon::prelude::*;

use super::{
    basis::{Column, weighed},
    negative::Weight,
    rows::{Ground, Reach},
    signed::SignedPlan,
    spread::Plan,
};
use crate::units::{Minor, Quantity};

/// How a share of the money is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    Plain(Plan),
    Signed(SignedPlan),
}

/// Money over the rows of a pool (or of one segment among them).
///
/// The tie-break is settled when the share is made: every row at the cut whose (hash, row) is not above `last` gets one
/// minor unit more. So any slice of rows can be applied by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Number of the column.
    pub(super) column: usize,
    segment: Option<u16>,
    weight: Weight,
    spread: Spread,
    last: (u64, u32),
    /// Minor units over quantity scaled by 10⁶, where the rate is another than the money over the quantity that divides it.
    rate: Option<(Minor, i128)>,
}

impl Share {
    /// Settles the ties of a plan over the rows that were summarised.
    pub(super) fn new(
        spread: Spread,
        (number, column): (usize, &Column),
        weight: Weight,
        segment: Option<u16>,
        ground: &Ground<'_>,
        reach: Reach<'_>,
    ) -> Self {
        let share = Self { column: number, segment, weight, spread, last: (u64::MAX, u32::MAX), rate: None };
        let contested = match &spread {
            Spread::Plain(plan) => plan.contested(),
            Spread::Signed(plan) => plan.plan().contested(),
        };
        let Some(raised) = contested else { return share };
        let mut tied: Vec<(u64, u32)> = (0..reach.len())
            .into_par_iter()
            .map(|at| reach.row(at))
            .filter(|row| share.reaches(ground, *row) && share.is_tied(weighed(column, weight, ground, *row)))
            .map(|row| (ground.tie(row), row as u32))
            .collect();
        // Contested: more rows are tied than are raised, and one at least is.
        let at = (raised as usize).min(tied.len()).saturating_sub(1);
        let last = if tied.is_empty() { share.last } else { *tied.select_nth_unstable(at).1 };
        Self { last, ..share }
    }

    /// The share at an exact rate: that of its money is rounded where money was.
    pub(super) fn at(self, rate: (Minor, i128)) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// The exact rate, where it is not what [`Self::terms`] say.
    pub(super) fn rate(&self) -> Option<(Minor, i128)> {
        self.rate
    }

    fn reaches(&self, ground: &Ground<'_>, row: usize) -> bool {
        self.segment.is_none_or(|segment| ground.segment_of(row) == segment)
    }

    fn is_tied(&self, quantity: i64) -> bool {
        match &self.spread {
            Spread::Plain(plan) => plan.is_tied(quantity),
            Spread::Signed(plan) => plan.is_tied(quantity),
        }
    }

    /// The segment that it is for; `None` = all.
    pub(super) fn segment(&self) -> Option<u16> {
        self.segment
    }

    /// A row's quantity, what is divided, and the quantity that it is divided by; `None` when the row takes no part.
    pub(super) fn terms(&self, column: &Column, ground: &Ground<'_>, row: usize) -> Option<(Quantity, Minor, i128)> {
        let quantity = if self.reaches(ground, row) { weighed(column, self.weight, ground, row) } else { 0 };
        let (money, of) = match &self.spread {
            Spread::Plain(plan) => (plan.pool(), i128::try_from(plan.total()).ok()?),
            Spread::Signed(plan) => (plan.plan().pool(), plan.divisor()),
        };
        (quantity != 0).then_some((quantity, money, of))
    }

    /// The cost of a row that the pool reaches.
    #[inline]
    pub(super) fn cost(&self, column: &Column, ground: &Ground<'_>, row: usize) -> Minor {
        if !self.reaches(ground, row) {
            return 0;
        }
        let quantity = weighed(column, self.weight, ground, row);
        if quantity == 0 {
            return 0;
        }
        let raised = || self.last.0 == u64::MAX || (ground.tie(row), row as u32) <= self.last;
        match &self.spread {
            Spread::Plain(plan) => plan.cost(quantity, raised),
            Spread::Signed(plan) => plan.cost(quantity, raised),
        }
    }
}
