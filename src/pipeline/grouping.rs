//! Which group of customers every history of the forecast is in.

use super::Ledgers;
use crate::{
    forecast::histories::Histories,
    numeric::credibility::Grouped,
    schema::settings::{ForecastSettings, PoolBy},
    units::Day,
};

/// A way of grouping histories.
#[derive(Clone, Debug)]
pub(super) struct Grouping {
    /// What groups them: `all`, or as in the config.
    pub(super) by: &'static str,
    /// Names of the groups that have a history, ascending.
    pub(super) names: Vec<String>,
    /// Group of each row.
    pub(super) of: Vec<u32>,
}

/// Customers of a forecast, one row each.
pub(super) struct Rows<'a> {
    /// Row of each in the customers of the run.
    pub(super) customer: &'a [u32],
    /// The day on which each came.
    pub(super) came: &'a dyn Fn(usize) -> Day,
}

impl Grouping {
    /// So many rows as one group.
    pub(super) fn all(rows: usize) -> Self {
        Self { by: "all", names: vec!["all".to_owned()], of: vec![0; rows] }
    }

    /// By a column of the customers table, or by when customers came.
    ///
    /// * `as_of`: the day that ages are counted to.
    pub(super) fn new(by: PoolBy, ledgers: &Ledgers, histories: &Histories, as_of: Day) -> Self {
        let came = |row: usize| as_of.saturating_sub_unsigned(histories.age[row]);
        Self::of_rows(by, ledgers, &Rows { customer: &histories.customer, came: &came })
    }

    /// As [`Grouping::new`], of any rows.
    pub(super) fn of_rows(by: PoolBy, ledgers: &Ledgers, rows: &Rows<'_>) -> Self {
        let none = (vec!["(none)".to_owned()], Vec::new());
        let of_column = |(names, of): (&[String], &[u16])| {
            let number = |row: &u32| i32::from(of.get(*row as usize).copied().unwrap_or(0));
            let numbers: Vec<i32> = rows.customer.iter().map(number).collect();
            Self::numbered(by.as_str(), &numbers, |number| names[number as usize].clone())
        };
        if let Some(kind) = by.cohort() {
            let first = (0..rows.customer.len()).map(|row| kind.of((rows.came)(row)));
            return Self::numbered(by.as_str(), &first.collect::<Vec<_>>(), |period| kind.label(period));
        }
        if by == PoolBy::Segment {
            return of_column((&ledgers.segment_names, &ledgers.segment_of));
        }
        let (names, of) = ledgers.of_forecast.get(by.as_str()).unwrap_or(&none);
        of_column((names, of))
    }

    /// By what rates of contribution are drawn together: segments of the customers table, whose prices and costs are alike; without
    /// them what `pool_by` names; else all are one group.
    pub(super) fn of_rates(setting: &ForecastSettings, ledgers: &Ledgers, rows: &Rows<'_>) -> Self {
        let segment = ledgers.segment.as_ref().map(|_| PoolBy::Segment);
        match segment.or(setting.pool_by) {
            Some(by) => Self::of_rows(by, ledgers, rows),
            None => Self::all(rows.customer.len()),
        }
    }

    /// Groups of rows, for a kernel.
    pub(super) fn grouped(&self) -> Grouped<'_> {
        Grouped { of: &self.of, groups: self.names.len() }
    }

    /// Groups in the order of their numbers, which is that of their names; numbers without a history are left out.
    fn numbered(by: &'static str, numbers: &[i32], name: impl Fn(i32) -> String) -> Self {
        let (there, of) = places(numbers);
        Self { by, names: there.into_iter().map(name).collect(), of }
    }
}

/// The different numbers, ascending, and the place of each of `numbers` among them. They are periods or columns' values: few,
/// and near each other.
pub(super) fn places(numbers: &[i32]) -> (Vec<i32>, Vec<u32>) {
    let (first, last) = numbers.iter().fold((i32::MAX, i32::MIN), |(low, high), n| (low.min(*n), high.max(*n)));
    let place = |number: i32| number.abs_diff(first) as usize;
    let mut seen = vec![false; if numbers.is_empty() { 0 } else { place(last) + 1 }];
    for number in numbers {
        seen[place(*number)] = true;
    }
    let there: Vec<i32> = (first..=last).filter(|number| seen[place(*number)]).collect();
    let mut at = vec![0; seen.len()];
    for (group, number) in (0..).zip(&there) {
        at[place(*number)] = group;
    }
    let of = numbers.iter().map(|number| at[place(*number)]).collect();
    (there, of)
}
