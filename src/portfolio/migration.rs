//! How customers move between groups from one period to the next.

use std::collections::BTreeSet;

use crate::{
    schema::period::Period,
    units::{Minor, MinorSum},
};

/// What every customer bought and earned, period by period: one row a cell, sorted by customer, then period.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// First cell of each customer; one more entry at the end.
    pub first_cell: &'a [usize],
    /// Period.
    pub period: &'a [Period],
    /// Net revenue.
    pub revenue: &'a [Minor],
    /// Profit.
    pub profit: &'a [Minor],
}

/// Customers who moved from a group in one period to a group in the next, with their money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Move {
    /// Earlier period.
    pub period: Period,
    /// Group in it.
    pub from: u16,
    /// Group in the next.
    pub to: u16,
    /// Customers.
    pub customers: u64,
    /// Their net revenue in the earlier period, and in the next.
    pub revenue: [MinorSum; 2],
    /// Their profit.
    pub profit: [MinorSum; 2],
}

/// Groups, net revenue and profit of all customers in a period.
type Before = (Vec<u16>, Vec<Minor>, Vec<Option<Minor>>);

/// Moves between every two periods that follow each other, those that somebody made, sorted by period, from, to. Between two
/// periods without a cell nobody moves, as nobody did before: a long time in which nothing happened costs hardly anything.
///
/// Every customer is in one group in each period, so the moves of two periods add up to all customers, and the money of a period
/// is that of its cells.
///
/// * `periods`: first and last. * `group`: groups of all customers, by their profit of a period; `None` before a customer's
///   first cell. Below `groups`.
#[must_use]
pub fn moves(
    history: History<'_>,
    (first, last): (Period, Period),
    groups: usize,
    group: impl Fn(&[Option<Minor>]) -> Vec<u16>,
) -> Vec<Move> {
    let customers = history.first_cell.len().saturating_sub(1);
    let mut cursor: Vec<usize> = history.first_cell[..customers].to_vec();
    let mut all = Vec::new();
    let mut before: Option<(bool, Before)> = None;
    let with_cells: BTreeSet<Period> = history.period.iter().copied().collect();
    // Of two periods without a cell, the same until one has some.
    let mut still: Option<Vec<Move>> = None;
    for period in first..=last {
        let has_cells = with_cells.contains(&period);
        if let Some(still) = still.as_ref().filter(|_| !has_cells) {
            all.extend(still.iter().map(|cell| Move { period: period - 1, ..*cell }));
            continue;
        }
        let (mut revenue, mut profit) = (vec![0; customers], vec![None; customers]);
        for customer in 0..customers {
            let at = cursor[customer];
            let mine = at < history.first_cell[customer + 1] && history.period[at] == period;
            if mine {
                revenue[customer] = history.revenue[at];
                cursor[customer] += 1;
            }
            let came = cursor[customer] > history.first_cell[customer];
            profit[customer] = came.then(|| if mine { history.profit[at] } else { 0 });
        }
        let of = group(&profit);
        still = None;
        if let Some((had_cells, (from, revenue_before, profit_before))) = &before {
            let mut table = vec![Move::default(); groups * groups];
            for customer in 0..customers {
                let (from, to) = (from[customer], of[customer]);
                let cell = &mut table[usize::from(from) * groups + usize::from(to)];
                (cell.from, cell.to) = (from, to);
                cell.customers += 1;
                cell.revenue[0] += MinorSum::from(revenue_before[customer]);
                cell.revenue[1] += MinorSum::from(revenue[customer]);
                cell.profit[0] += MinorSum::from(profit_before[customer].unwrap_or(0));
                cell.profit[1] += MinorSum::from(profit[customer].unwrap_or(0));
            }
            let seen = table.into_iter().filter(|cell| cell.customers > 0);
            let seen: Vec<Move> = seen.map(|cell| Move { period: period - 1, ..cell }).collect();
            all.extend_from_slice(&seen);
            still = (!has_cells && !had_cells).then_some(seen);
        }
        before = Some((has_cells, (of, revenue, profit)));
    }
    all
}

/// Groups of profit, as they are sorted.
pub const PROFIT_GROUPS: [&str; 4] = ["idle", "losing", "not_yet", "profitable"];

/// The group of each customer by its profit in a period.
#[must_use]
pub fn by_profit(profit: &[Option<Minor>]) -> Vec<u16> {
    let group = |profit: &Option<Minor>| match profit {
        None => 2,
        Some(1..) => 3,
        Some(0) => 0,
        Some(_) => 1,
    };
    profit.iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_time_in_which_nobody_came_is_told_as_what_it_is() {
        let customers = 2_000;
        let first_cell: Vec<usize> = (0..=customers).map(|customer| 3 * customer).collect();
        let period = [-24_000, 24_000, 24_002].repeat(customers);
        let ones = vec![1; 3 * customers];
        let history = History { first_cell: &first_cell, period: &period, revenue: &ones, profit: &ones };
        // Customer by customer this would be half a thousand million steps.
        let found = moves(history, (-24_000, 119_987), 4, by_profit);
        assert_eq!(found.len(), 143_987);
        for row in found {
            let groups = match row.period {
                -24_000 | 24_000 | 24_002 => (3, 0),
                23_999 | 24_001 => (0, 3),
                _ => (0, 0),
            };
            assert_eq!(((row.from, row.to), row.customers), (groups, customers as u64), "{}", row.period);
        }
        // `as_of` lies before what is known.
        assert!(moves(history, (5, 4), 4, by_profit).is_empty());
    }

    #[test]
    fn every_customer_moves_once_and_the_money_of_a_period_is_that_of_its_cells() {
        // Customer 0: +10, nothing, −5; customer 1 comes in period 2 with +7; customer 2 has no cell.
        let history =
            History { first_cell: &[0, 2, 3, 3], period: &[1, 3, 2], revenue: &[100, 20, 70], profit: &[10, -5, 7] };
        let found = moves(history, (1, 3), 4, by_profit);
        let told: Vec<_> = found.iter().map(|m| (m.period, m.from, m.to, m.customers, m.revenue, m.profit)).collect();
        assert_eq!(
            told,
            [
                (1, 2, 2, 1, [0, 0], [0, 0]),
                (1, 2, 3, 1, [0, 70], [0, 7]),
                (1, 3, 0, 1, [100, 0], [10, 0]),
                (2, 0, 1, 1, [0, 20], [0, -5]),
                (2, 2, 2, 1, [0, 0], [0, 0]),
                (2, 3, 0, 1, [70, 0], [7, 0]),
            ]
        );
    }
}
