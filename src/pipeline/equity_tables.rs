//! Ways of cutting customers, and their equity beside their sales, as columns.

use std::ops::Range;

use super::{results::sum_by_customer, tables::integers, worlds::World};
use crate::{
    numeric::{decimal::divide_half_even, sums::Compensated},
    publish::dataset::Values,
    schema::{equity::Part, period::PeriodKind},
    units::{Minor, MinorSum},
};

/// Groups of a segmentation that are told of here, at most.
const MOST_GROUPS: usize = 200;

/// One way of cutting customers, all of them in the first.
pub(super) struct Groups<'a> {
    pub(super) segmentation: &'static str,
    pub(super) names: Vec<&'a str>,
    /// Group of each customer; `None`: all are in the first.
    pub(super) of: Option<&'a [u32]>,
}

impl Groups<'_> {
    /// Number of a customer's group.
    pub(super) fn group(&self, customer: usize) -> usize {
        self.of.map_or(0, |of| of[customer] as usize)
    }

    /// Sums of a column over customers.
    pub(super) fn sums(&self, column: &[i64]) -> Vec<MinorSum> {
        let mut sums = vec![0; self.names.len()];
        for (customer, value) in column.iter().enumerate() {
            sums[self.group(customer)] += MinorSum::from(*value);
        }
        sums
    }

    /// Customers of every group.
    pub(super) fn count(&self, customers: usize) -> Vec<i64> {
        let mut counts = vec![0; self.names.len()];
        for customer in 0..customers {
            counts[self.group(customer)] += 1;
        }
        counts
    }

    /// Sums of a share of every customer, in customer order.
    pub(super) fn float_sums(&self, column: &[f64]) -> Vec<f64> {
        let mut sums = vec![Compensated::default(); self.names.len()];
        for (customer, share) in column.iter().enumerate() {
            sums[self.group(customer)].add(*share);
        }
        sums.into_iter().map(Compensated::value).collect()
    }

    /// The part of a plan, market or target that a group is.
    pub(super) fn part(&self, number: usize) -> Option<Part> {
        match self.segmentation {
            "all" => Some(Part::All),
            "segment" => Some(Part::Segment(number as u16)),
            "channel" => Some(Part::Channel(number as u16)),
            _ => None,
        }
    }
}

impl World<'_> {
    pub(super) fn customers(&self) -> usize {
        self.found.ledgers.customers.len()
    }

    /// All customers, then every way of cutting them, in the order of their names.
    pub(super) fn groups(&self) -> Vec<Groups<'_>> {
        let few = self.found.segmentations.iter().filter(|(segmentation, _)| segmentation.groups.len() <= MOST_GROUPS);
        let groups = few.map(|(segmentation, _)| Groups {
            segmentation: segmentation.name,
            names: segmentation.groups.iter().map(String::as_str).collect(),
            of: Some(&segmentation.of),
        });
        let mut all = vec![Groups { segmentation: "all", names: vec!["all"], of: None }];
        all.extend(groups);
        all.sort_by_key(|groups| groups.segmentation);
        all
    }

    /// Groups in the order of the datasets: segmentation, then name.
    pub(super) fn in_order(groups: &[Groups<'_>]) -> Vec<(usize, usize)> {
        let mut order: Vec<(usize, usize)> = Vec::new();
        for (cut, groups) in groups.iter().enumerate() {
            let mut own: Vec<usize> = (0..groups.names.len()).collect();
            own.sort_by_key(|number| groups.names[*number]);
            order.extend(own.into_iter().map(|number| (cut, number)));
        }
        order
    }

    /// `segment_equity`.
    pub(super) fn segment_equity_columns(&self) -> Vec<Values> {
        let (ledgers, margins) = (&self.found.ledgers, &self.found.margins);
        let groups = self.groups();
        let order = Self::in_order(&groups);
        let per_group =
            |column: &[Minor]| -> Vec<Vec<MinorSum>> { groups.iter().map(|cut| cut.sums(column)).collect() };
        let counts: Vec<Vec<i64>> = groups.iter().map(|cut| cut.count(self.customers())).collect();
        let revenue = per_group(&ledgers.facts.net_revenue);
        let cm1 = per_group(&sum_by_customer(&ledgers.facts.first_cell, &margins.cm1));
        let profit = per_group(&self.found.economic_profit);
        let year = self.current_year();
        let current = |column: &[Minor]| {
            year.as_ref()
                .map(|year| per_group(&ledgers.sum_within(|period| year.contains(period), |cell| column[cell])))
        };
        let (current_revenue, current_cm1) = (current(&margins.net_revenue), current(&margins.cm1));
        let equity = self.expected_by_customer().map(|expected| per_group(&expected));
        let sum = |sums: Option<&Vec<Vec<MinorSum>>>| {
            Values::Sum(order.iter().map(|(cut, group)| sums.map(|sums| sums[*cut][*group])).collect())
        };
        let share = |sums: Option<&Vec<Vec<MinorSum>>>| {
            let of = |(cut, group): &(usize, usize)| {
                let all: MinorSum = sums?[*cut].iter().sum();
                (all > 0).then(|| sums.map(|sums| sums[*cut][*group] as f64 / all as f64))?
            };
            Values::Float(order.iter().map(of).collect())
        };
        let per_customer = |(cut, group): &(usize, usize)| {
            let customers = counts[*cut][*group];
            let equity = equity.as_ref().filter(|_| customers > 0)?[*cut][*group];
            Some(divide_half_even(equity, customers.into()) as i64)
        };
        vec![
            Values::Text(order.iter().map(|(cut, _)| Some(groups[*cut].segmentation.to_owned())).collect()),
            Values::Text(order.iter().map(|(cut, group)| Some(groups[*cut].names[*group].to_owned())).collect()),
            integers(order.iter().map(|(cut, group)| counts[*cut][*group])),
            sum(Some(&revenue)),
            sum(Some(&cm1)),
            sum(Some(&profit)),
            sum(current_revenue.as_ref()),
            sum(current_cm1.as_ref()),
            sum(equity.as_ref()),
            Values::Scaled(order.iter().map(per_customer).collect()),
            share(Some(&revenue)),
            share(Some(&cm1)),
            share(equity.as_ref()),
        ]
    }

    /// The last twelve whole months, four whole quarters or whole calendar year; `None` for a run without periods.
    pub(super) fn current_year(&self) -> Option<Range<i32>> {
        let (kind, as_of) = (self.settings.period, self.found.ledgers.as_of);
        if kind == PeriodKind::Year {
            let next = kind.first_open(as_of);
            return Some(next - 1..next);
        }
        kind.last_year(as_of)
    }
}
