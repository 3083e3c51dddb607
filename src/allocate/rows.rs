//! Which cells a pool reaches, and what a plan needs to know of a cell.

use rayon::prelude::*;

use crate::{
    numeric::keys::hash_int,
    schema::{
        facts::{Cells, Customers},
        period::Period,
    },
};

/// The rows that cost is spread over.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// One row a customer and period.
    pub cells: &'a Cells,
    /// Customers.
    pub customers: &'a Customers,
    /// Segment of each customer, as a number in `segment_names`.
    pub segment: &'a [u16],
    /// Names of the segments.
    pub segment_names: &'a [String],
    /// Digits of the currency's minor unit.
    pub exponent: u8,
}

impl Ground<'_> {
    /// The tie-break of a cell: the customer's published hash, told apart by period.
    #[inline]
    pub(super) fn tie(&self, row: usize) -> u64 {
        let hash = self.customers.hash[self.cells.customer[row] as usize];
        hash_int((hash as i64).wrapping_add(i64::from(self.cells.period[row])))
    }

    #[inline]
    pub(super) fn segment_of(&self, row: usize) -> u16 {
        self.segment.get(self.cells.customer[row] as usize).copied().unwrap_or(0)
    }

    /// Whether the row is the first one of its customer with a ledger line.
    #[inline]
    pub(super) fn is_first_active(&self, row: usize) -> bool {
        let (customer, lines) = (&self.cells.customer, &self.cells.lines);
        let mut before = (0..row).rev().take_while(|other| customer[*other] == customer[row]);
        lines[row] > 0 && before.all(|other| lines[other] == 0)
    }
}

/// Rows by period, so that a pool of one period does not look at all cells.
pub(super) struct Periods {
    /// Ascending.
    pub(super) known: Vec<Period>,
    /// Where each period's rows start in `rows`, and the end of the last.
    first: Vec<usize>,
    rows: Vec<u32>,
}

/// Rows that a pool reaches, ascending.
#[derive(Clone, Copy)]
pub(super) enum Reach<'a> {
    All(usize),
    Some(&'a [u32]),
}

impl Periods {
    pub(super) fn new(of: &[Period]) -> Self {
        let mut periods = of.to_vec();
        periods.par_sort_unstable();
        periods.dedup();
        let mut first = vec![0; periods.len() + 1];
        let place = |period: &Period| periods.partition_point(|known| known < period);
        let places: Vec<u32> = of.par_iter().map(|period| place(period) as u32).collect();
        for place in &places {
            first[*place as usize + 1] += 1;
        }
        for place in 1..first.len() {
            first[place] += first[place - 1];
        }
        let mut next = first.clone();
        let mut rows = vec![0; of.len()];
        for (row, place) in places.iter().enumerate() {
            rows[next[*place as usize]] = row as u32;
            next[*place as usize] += 1;
        }
        Self { known: periods, first, rows }
    }

    /// The rows of a period, or all of them.
    pub(super) fn reach(&self, period: Option<Period>) -> Reach<'_> {
        match period {
            None => Reach::All(self.rows.len()),
            Some(_) if self.known.len() == 1 && period == self.known.first().copied() => Reach::All(self.rows.len()),
            Some(period) => match self.known.binary_search(&period) {
                Ok(place) => Reach::Some(&self.rows[self.first[place]..self.first[place + 1]]),
                Err(_) => Reach::Some(&[]),
            },
        }
    }
}

impl Reach<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(rows) => *rows,
            Self::Some(rows) => rows.len(),
        }
    }

    /// The `at`-th row.
    #[inline]
    pub(super) fn row(&self, at: usize) -> usize {
        match self {
            Self::All(_) => at,
            Self::Some(rows) => rows[at] as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_reaches_its_own_rows_and_an_unknown_one_none() {
        let periods = Periods::new(&[7, 8, 7, 9, 8]);
        let of = |period| {
            let reach = periods.reach(period);
            (0..reach.len()).map(|at| reach.row(at)).collect::<Vec<_>>()
        };
        assert_eq!((of(Some(7)), of(Some(8)), of(Some(9))), (vec![0, 2], vec![1, 4], vec![3]));
        assert_eq!((of(Some(5)), of(None)), (vec![], vec![0, 1, 2, 3, 4]));
    }
}
