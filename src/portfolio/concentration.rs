//! How much of sales, profit and cost hangs on how few customers, of all and group by group.

use std::cmp::{Ordering, Reverse};

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
    /// Share of the top 20 % by sales, and by profit, who are among the top 20 % by cost to serve, too; `None` where the total cost
    /// is not positive.
    pub overlap: [Option<f64>; 2],
    /// Fewest customers who earn as much as all together; 0 where the total is not positive.
    pub carrying: u64,
}

/// Concentration within every group.
///
/// The top 20 % are the `⌈customers / 5⌉` first ones. Of those who tie for the last places each has one with the same probability,
/// in each column on its own: the overlap is the expected one, whatever the customers are called.
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
    // Of each customer, a bit a column where it is among the top, and one where it ties for the last places.
    let mut tops = vec![0_u8; of.len()];
    let mut place = vec![[1.0; 3]; groups];
    let mut sorted: Vec<Vec<Minor>> = found.iter().map(|group| Vec::with_capacity(group.customers as usize)).collect();
    for (number, column) in columns.iter().enumerate() {
        let (mut seen, mut sums, mut at_top) = (vec![0; groups], vec![0; groups], vec![0; groups]);
        let mut last: Vec<Minor> = vec![0; groups];
        for (row, value) in column.iter() {
            let group = group_of(row);
            seen[group] += 1;
            sums[group] += MinorSum::from(value);
            if seen[group] <= top(found[group].customers) {
                at_top[group] += MinorSum::from(value);
                last[group] = value;
            }
            if number == 1 {
                sorted[group].push(value);
            }
        }
        let (mut above, mut tied) = (vec![0_u64; groups], vec![0_u64; groups]);
        for (row, value) in column.iter() {
            let group = group_of(row);
            match value.cmp(&last[group]) {
                Ordering::Greater => (tops[row], above[group]) = (tops[row] | 1 << number, above[group] + 1),
                Ordering::Equal => (tops[row], tied[group]) = (tops[row] | 8 << number, tied[group] + 1),
                Ordering::Less => {}
            }
        }
        for (group, found) in found.iter_mut().enumerate() {
            if tied[group] > 0 {
                place[group][number] = (top(found.customers) - above[group]) as f64 / tied[group] as f64;
            }
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
    // Customers by whether they are among the top, or tie, in one column and in cost.
    let mut both = vec![[[[0_u64; 2]; 2]; 2]; groups];
    for (row, tops) in tops.iter().enumerate() {
        let ways = |number: usize| [tops >> number & 1, tops >> (number + 3) & 1];
        for (number, counts) in both[group_of(row)].iter_mut().enumerate() {
            for (counts, one) in counts.iter_mut().zip(ways(number)) {
                counts.iter_mut().zip(ways(2)).for_each(|(count, cost)| *count += u64::from(one & cost));
            }
        }
    }
    for ((found, both), place) in found.iter_mut().zip(both).zip(place) {
        let share = |(number, [[sure, by_cost], [by_one, by_both]]): (usize, [[u64; 2]; 2])| {
            let [one, cost] = [place[number], place[2]];
            let expected = sure as f64 + by_cost as f64 * cost + by_one as f64 * one + by_both as f64 * (one * cost);
            (found.totals[1] > 0).then(|| expected / top(found.customers) as f64)
        };
        let [sales, profit] = both;
        found.overlap = [share((0, sales)), share((1, profit))];
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

    #[test]
    fn an_overlap_of_ties_is_the_expected_one_whatever_the_order_of_customers() {
        // Of ten the two who buy most; all ten cost the same: each of the two has two of ten places.
        let sales: Vec<Minor> = (1..=10).collect();
        let profit = [5; 10];
        let of = |cost: &[Minor], sales: &[Minor]| {
            by_group(&[0; 10], 1, &[sales, &profit, cost].map(Ordered::new))[0].overlap
        };
        let overlap = of(&[3; 10], &sales);
        assert!((overlap[0].unwrap() - 0.2).abs() < 1e-15 && (overlap[1].unwrap() - 0.2).abs() < 1e-15);
        let turned: Vec<Minor> = sales.iter().rev().copied().collect();
        assert_eq!(of(&[3; 10], &turned), overlap);
        // One costs most, the other place is one of nine.
        let cost = [3, 3, 3, 3, 3, 3, 3, 3, 3, 9];
        assert!((of(&cost, &sales)[0].unwrap() - f64::midpoint(1.0, 1.0 / 9.0)).abs() < 1e-15);
        assert_eq!(of(&[0; 10], &sales), [None, None]);
    }
}
