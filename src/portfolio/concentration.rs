//! How much of sales, profit and cost hangs on how few customers, of all and group by group.

use std::cmp::Reverse;

use crate::{
    numeric::{
        concentration::{Concentration, of_sorted},
        ranking::{Ranked, ranking},
    },
    units::{Minor, MinorSum},
};

/// A column in order: every value with its row, the largest first, ties by row.
#[derive(Clone, Debug)]
pub struct Ordered(Vec<Ranked>);

impl Ordered {
    /// * `values`: one a customer.
    #[must_use]
    pub fn new(values: &[Minor]) -> Self {
        Self(ranking(values))
    }

    fn iter(&self) -> impl Iterator<Item = (usize, Minor)> {
        self.0.iter().map(|(Reverse(value), row)| (*row as usize, *value))
    }
}

/// What is to be told of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Concentrated {
    /// Customers.
    pub customers: u64,
    /// Whale curve of profit.
    pub profit: Concentration,
    /// Net revenue, and cost to serve.
    pub totals: [MinorSum; 2],
    /// Share of sales, profit and cost to serve that the 20 % have who have most of each; `None` where the total is not positive.
    pub of_top: [Option<f64>; 3],
    /// Share of the top 20 % by sales, and by profit, who are among the top 20 % by cost to serve, too.
    pub overlap: [Option<f64>; 2],
    /// Fewest customers who earn as much as all together; 0 where the total is not positive.
    pub carrying: u64,
}

/// Concentration within every group.
///
/// The top 20 % are the `⌈customers / 5⌉` first ones, ties by row.
///
/// * `of`: group of each customer, below `groups`. * `columns`: sales, profit and cost of the same customers.
///
/// Source: Pareto's rule of Juran, Quality Control Handbook (1951); Kaplan & Narayanan (2001) for the whale curve.
#[must_use]
pub fn by_group(of: &[u32], groups: usize, columns: &[Ordered; 3]) -> Vec<Concentrated> {
    // Customers are looked up in the order of a column, which is as good as random: a byte each stays in the cache.
    if groups <= usize::from(u8::MAX) + 1 {
        let of: Vec<u8> = of.iter().map(|group| *group as u8).collect();
        return told(&of, groups, columns);
    }
    told(of, groups, columns)
}

fn told<G: Copy + TryInto<usize>>(of: &[G], groups: usize, columns: &[Ordered; 3]) -> Vec<Concentrated> {
    let group_of = |row: usize| of[row].try_into().unwrap_or(usize::MAX);
    let mut found = vec![Concentrated::default(); groups];
    for row in 0..of.len() {
        found[group_of(row)].customers += 1;
    }
    let top = |customers: u64| customers.div_ceil(5);
    // Of each customer, a bit a column.
    let mut tops = vec![0_u8; of.len()];
    let mut sorted: Vec<Vec<Minor>> = found.iter().map(|group| Vec::with_capacity(group.customers as usize)).collect();
    for (number, column) in columns.iter().enumerate() {
        let (mut seen, mut sums, mut at_top) = (vec![0; groups], vec![0; groups], vec![0; groups]);
        for (row, value) in column.iter() {
            let group = group_of(row);
            seen[group] += 1;
            sums[group] += MinorSum::from(value);
            if seen[group] <= top(found[group].customers) {
                tops[row] |= 1 << number;
                at_top[group] += MinorSum::from(value);
            }
            if number == 1 {
                sorted[group].push(value);
            }
        }
        for (group, found) in found.iter_mut().enumerate() {
            let total: MinorSum = sums[group];
            found.of_top[number] = (total > 0).then(|| at_top[group] as f64 / total as f64);
            match number {
                0 => found.totals[0] = total,
                2 => found.totals[1] = total,
                _ => {}
            }
        }
    }
    for (found, sorted) in found.iter_mut().zip(&sorted) {
        found.profit = of_sorted(sorted);
        let mut so_far: MinorSum = 0;
        let enough = sorted.iter().position(|value| {
            so_far += MinorSum::from(*value);
            so_far >= found.profit.total
        });
        found.carrying = enough.filter(|_| found.profit.total > 0).map_or(0, |at| at as u64 + 1);
    }
    let mut both = vec![[0_u64; 2]; groups];
    for (row, tops) in tops.iter().enumerate() {
        for (number, count) in both[group_of(row)].iter_mut().enumerate() {
            *count += u64::from(tops >> number & tops >> 2 & 1);
        }
    }
    for (found, both) in found.iter_mut().zip(both) {
        let share = |count: u64| (found.customers > 0).then(|| count as f64 / top(found.customers) as f64);
        found.overlap = both.map(share);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_who_buy_most_need_not_be_the_fifth_who_cost_most() {
        // Two groups of five: the second has the distributor's whale curve.
        let sales = [50, 20, 10, 10, 10, 1, 2, 3, 4, 5];
        let profit = [30, 10, 5, 5, -10, 201_200, 1_154_500, 3_872_000, 4_185_600, -334_600];
        let cost = [4, 1, 1, 1, 9, 1, 2, 3, 4, 5];
        let of = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
        let found = by_group(&of, 3, &[sales, profit, cost].map(|column| Ordered::new(&column)));
        assert_eq!((found[0].customers, found[1].customers, found[2].customers), (5, 5, 0));
        assert_eq!(found[0].of_top, [Some(0.5), Some(0.75), Some(9.0 / 16.0)]);
        assert_eq!(found[0].overlap, [Some(0.0), Some(0.0)]);
        assert_eq!(found[0].carrying, 2, "30 + 10 are all 40");
        assert_eq!(found[1].profit.total, 9_078_700);
        assert_eq!((found[1].carrying, found[1].overlap), (3, [Some(1.0), Some(0.0)]));
        assert_eq!(found[2], Concentrated::default());
    }
}
