//! Equity beside sales, and what drives it, as columns.

use std::ops::Range;

use super::{results::sum_by_customer, tables::integers, worlds::World};
use crate::{
    equity::market,
    numeric::decimal::divide_half_even,
    publish::dataset::Values,
    schema::{
        equity::{Measure, Part},
        period::PeriodKind,
    },
    units::{Minor, MinorSum, QUANTITY_SCALE},
};

/// Groups of a segmentation that are told of here, at most.
const MOST_GROUPS: usize = 200;

/// Days of a year in rates.
const DAYS_PER_YEAR: f64 = 365.25;

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

    /// Customers of every group for whom `counts` holds.
    pub(super) fn count(&self, customers: usize, counts: impl Fn(usize) -> bool) -> Vec<i64> {
        let mut sums = vec![0; self.names.len()];
        for customer in (0..customers).filter(|customer| counts(*customer)) {
            sums[self.group(customer)] += 1;
        }
        sums
    }

    /// Sums of a share of every customer, in customer order.
    fn float_sums(&self, customers: usize, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![crate::numeric::sums::Compensated::default(); self.names.len()];
        for customer in 0..customers {
            sums[self.group(customer)].add(of(customer));
        }
        sums.into_iter().map(crate::numeric::sums::Compensated::value).collect()
    }

    /// The part of a plan, market or target that a group is.
    fn part(&self, number: usize) -> Option<Part> {
        match self.segmentation {
            "all" => Some(Part::All),
            "segment" => Some(Part::Segment(number as u16)),
            "channel" => Some(Part::Channel(number as u16)),
            _ => None,
        }
    }
}

/// Segmentation, segment, measure, customers, value and target.
type MeasureRow<'a> = (&'a str, &'a str, Measure, i64, f64, Option<f64>);

/// What was measured of a group.
struct Measured {
    measure: Measure,
    /// Customers, and the value; `None` where it cannot be told.
    groups: Vec<Option<(i64, f64)>>,
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

    /// A cell column, added up by customer over the cells that count.
    fn within(&self, column: &[Minor], counts: impl Fn(i32) -> bool) -> Vec<Minor> {
        let cells = self.found.ledgers.cells.period.iter().zip(column);
        let kept: Vec<Minor> = cells.map(|(period, value)| if counts(*period) { *value } else { 0 }).collect();
        sum_by_customer(&self.found.ledgers.facts.first_cell, &kept)
    }

    /// `segment_equity`.
    pub(super) fn segment_equity_columns(&self) -> Vec<Values> {
        let (ledgers, margins) = (&self.found.ledgers, &self.found.margins);
        let groups = self.groups();
        let order = Self::in_order(&groups);
        let per_group =
            |column: &[Minor]| -> Vec<Vec<MinorSum>> { groups.iter().map(|cut| cut.sums(column)).collect() };
        let counts: Vec<Vec<i64>> = groups.iter().map(|cut| cut.count(self.customers(), |_| true)).collect();
        let revenue = per_group(&ledgers.facts.net_revenue);
        let cm1 = per_group(&sum_by_customer(&ledgers.facts.first_cell, &margins.cm1));
        let profit = per_group(&self.found.economic_profit);
        let year = self.current_year();
        let current = |column: &[Minor]| {
            year.as_ref().map(|year| per_group(&self.within(column, |period| year.contains(&period))))
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

    /// `segment_measure`.
    pub(super) fn segment_measure_columns(&self) -> Vec<Values> {
        let groups = self.groups();
        let measured: Vec<Vec<Measured>> = groups.iter().map(|groups| self.measures(groups)).collect();
        let target = |groups: &Groups<'_>, number: usize, measure: Measure| {
            let part = groups.part(number)?;
            let targets = self.found.ledgers.ahead.plans.targets.as_ref()?;
            let found = targets.iter().find(|target| (target.part, target.measure) == (part, measure))?;
            Some(found.target as f64 / QUANTITY_SCALE as f64)
        };
        let mut rows: Vec<MeasureRow<'_>> = Vec::new();
        for (cut, number) in Self::in_order(&groups) {
            let own = &groups[cut];
            for Measured { measure, groups } in &measured[cut] {
                if let Some((customers, value)) = groups[number] {
                    let target = target(own, number, *measure);
                    rows.push((own.segmentation, own.names[number], *measure, customers, value, target));
                }
            }
        }
        let met = |(.., measure, _, value, target): &MeasureRow<'_>| {
            target.map(|target| if measure.is_cost() { *value <= target } else { *value >= target })
        };
        vec![
            Values::Text(rows.iter().map(|row| Some(row.0.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.1.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.2.as_str().to_owned())).collect()),
            integers(rows.iter().map(|row| row.3)),
            Values::Float(rows.iter().map(|row| Some(row.4)).collect()),
            Values::Float(rows.iter().map(|row| row.5).collect()),
            Values::Float(rows.iter().map(|row| row.5.map(|target| row.4 - target)).collect()),
            Values::Switch(rows.iter().map(met).collect()),
        ]
    }

    /// Everything that can be measured of groups, in the order of the measures.
    fn measures(&self, groups: &Groups<'_>) -> Vec<Measured> {
        let ledgers = &self.found.ledgers;
        let customers = groups.count(self.customers(), |_| true);
        let per_major = self.settings.currency.minor_per_major() as f64;
        let mean = |sums: Vec<MinorSum>, per: f64| -> Vec<Option<(i64, f64)>> {
            let of = |(sum, customers): (MinorSum, &i64)| {
                (*customers > 0).then(|| (*customers, sum as f64 / per / *customers as f64))
            };
            sums.into_iter().zip(&customers).map(of).collect()
        };
        let nothing = || vec![None; groups.names.len()];
        let of = |measure: Measure| match measure {
            Measure::AcquisitionCost if !ledgers.economic.acquisition_cost.is_empty() => {
                let cost = &self.found.margins.economic.acquisition_cost;
                mean(groups.sums(&sum_by_customer(&ledgers.facts.first_cell, cost)), per_major)
            }
            Measure::RetentionRate => self.retention(groups).unwrap_or_else(nothing),
            Measure::ExpectedRetentionRate => self.expected_retention(groups).unwrap_or_else(nothing),
            Measure::OrdersPerCustomer => {
                let orders: Vec<i64> = ledgers.cells.orders.iter().map(|orders| *orders as i64).collect();
                mean(groups.sums(&sum_by_customer(&ledgers.facts.first_cell, &orders)), 1.0)
            }
            Measure::ProductsPerCustomer => match &ledgers.ahead.entries {
                Some(entries) => {
                    let products: Vec<i64> = entries.products.iter().map(|products| i64::from(*products)).collect();
                    mean(groups.sums(&products), 1.0)
                }
                None => nothing(),
            },
            Measure::ShareOfCustomer => self.shares_of_customer(groups).unwrap_or_else(nothing),
            Measure::ShareOfCustomerEquity => self.equity_shares(groups),
            Measure::LifetimeValue => match self.expected_by_customer() {
                Some(expected) => mean(groups.sums(&expected), per_major),
                None => nothing(),
            },
            Measure::AcquisitionCost => nothing(),
        };
        Measure::ALL.into_iter().map(|measure| Measured { measure, groups: of(measure) }).collect()
    }

    /// The last twelve whole months, four whole quarters or whole calendar year; `None` for a run without periods.
    fn current_year(&self) -> Option<Range<i32>> {
        let (kind, as_of) = (self.settings.period, self.found.ledgers.as_of);
        if kind == PeriodKind::Year {
            let next = kind.of(as_of.saturating_add(1));
            return Some(next - 1..next);
        }
        kind.last_year(as_of)
    }

    /// Of those who bought in the year before the last one, the share who bought in the last one.
    fn retention(&self, groups: &Groups<'_>) -> Option<Vec<Option<(i64, f64)>>> {
        let (ledgers, last) = (&self.found.ledgers, self.current_year()?);
        let days: Vec<i64> = ledgers.cells.purchase_days.iter().map(|days| i64::from(*days)).collect();
        let bought = self.within(&days, |period| last.contains(&period));
        let length = last.end - last.start;
        let earlier = last.start - length..last.start;
        let before = self.within(&days, |period| earlier.contains(&period));
        let came = groups.count(self.customers(), |customer| before[customer] > 0);
        let stayed = groups.count(self.customers(), |customer| before[customer] > 0 && bought[customer] > 0);
        let rate = |(came, stayed): (&i64, &i64)| (*came > 0).then(|| (*came, *stayed as f64 / *came as f64));
        Some(came.iter().zip(&stayed).map(rate).collect())
    }

    /// Sales of the last year to the customers whose wallet is known, over what is in it.
    fn shares_of_customer(&self, groups: &Groups<'_>) -> Option<Vec<Option<(i64, f64)>>> {
        let ledgers = &self.found.ledgers;
        let (wallets, year) = (ledgers.relations.wallet.as_ref()?, self.current_year()?);
        let sold = self.within(&self.found.margins.net_revenue, |period| year.contains(&period));
        let known = |customer: usize| wallets[customer].map(|wallet| wallet.a_year);
        let spent: Vec<Minor> = (0..self.customers()).map(|customer| known(customer).unwrap_or(0)).collect();
        let ours: Vec<Minor> =
            sold.iter().enumerate().map(|(customer, sold)| known(customer).map_or(0, |_| *sold)).collect();
        let counts = groups.count(self.customers(), |customer| known(customer).is_some());
        let share = |((ours, spent), count): ((MinorSum, MinorSum), i64)| {
            (spent > 0).then(|| (count, ours as f64 / spent as f64))
        };
        Some(groups.sums(&ours).into_iter().zip(groups.sums(&spent)).zip(counts).map(share).collect())
    }

    /// P(alive) at the horizon over P(alive) now, a year.
    fn expected_retention(&self, groups: &Groups<'_>) -> Option<Vec<Option<(i64, f64)>>> {
        let forecast = self.forecast?;
        let horizon = f64::from(self.settings.forecast.as_ref()?.horizon_days);
        let at =
            |customer: usize, of: &dyn Fn(usize) -> Option<f64>| forecast.row(customer).and_then(of).unwrap_or(0.0);
        let now = groups.float_sums(self.customers(), |customer| at(customer, &|row| Some(forecast.p_alive(row))));
        let then =
            groups.float_sums(self.customers(), |customer| at(customer, &|row| Some(forecast.p_alive_at_horizon(row))));
        let counts = groups.count(self.customers(), |customer| forecast.row(customer).is_some());
        let rate = |((now, then), count): ((f64, f64), i64)| {
            (now > 0.0).then(|| (count, libm::pow(then / now, DAYS_PER_YEAR / horizon)))
        };
        Some(now.into_iter().zip(then).zip(counts).map(rate).collect())
    }

    /// Our share of what customers of the market are worth.
    fn equity_shares(&self, groups: &Groups<'_>) -> Vec<Option<(i64, f64)>> {
        let customers = groups.count(self.customers(), |_| true);
        let market = self.market();
        let of = |number: usize| {
            let part = groups.part(number)?;
            let (own, rows) = market.iter().find(|(found, ..)| *found == part).map(|(_, own, rows)| (*own, rows))?;
            Some((customers[number], market::shares(own, rows)[0].share?))
        };
        (0..groups.names.len()).map(of).collect()
    }
}
