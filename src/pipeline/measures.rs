//! What drives the equity of groups, measured, as columns.

use rayon::prelude::*;

use super::{equity_tables::Groups, results::sum_by_customer, tables::integers, worlds::World};
use crate::{
    equity::market,
    publish::dataset::Values,
    schema::{
        equity::{MarketValue, Measure, Part, Target},
        relations::Wallet,
    },
    units::{Minor, MinorSum, QUANTITY_SCALE},
};

/// Days of a year in rates.
const DAYS_PER_YEAR: f64 = 365.25;

/// Segmentation, segment, measure, customers, value and target.
type MeasureRow<'a> = (&'a str, &'a str, Measure, i64, f64, Option<f64>);

/// What was measured of a group.
struct Measured {
    measure: Measure,
    /// Customers, and the value; `None` where it cannot be told.
    groups: Vec<Option<(i64, f64)>>,
}

/// One row a customer.
enum Column {
    /// One each.
    Everyone,
    /// Money, counts, or one of those who count.
    Whole(Vec<i64>),
    /// Shares.
    Share(Vec<f64>),
}

/// A measure that is a sum over customers divided by another.
struct Ratio {
    measure: Measure,
    above: Column,
    below: Column,
    /// One of the customers whom it is told of; [`Column::Everyone`] of all.
    of: Column,
    /// What a unit of `above` counts for.
    unit: f64,
    /// To which power the ratio is raised, if to any.
    power: Option<f64>,
}

impl Column {
    fn count(counts: impl Iterator<Item = bool>) -> Self {
        Self::Whole(counts.map(i64::from).collect())
    }

    /// * `customers`: of each group.
    fn sums(&self, cut: &Groups<'_>, customers: &[i64]) -> Vec<f64> {
        match self {
            Self::Everyone => customers.iter().map(|count| *count as f64).collect(),
            Self::Whole(column) => cut.sums(column).into_iter().map(|sum| sum as f64).collect(),
            Self::Share(column) => cut.float_sums(column),
        }
    }
}

impl Ratio {
    /// A mean over all customers.
    fn mean(measure: Measure, column: Vec<i64>, unit: f64) -> Self {
        let (above, below, of) = (Column::Whole(column), Column::Everyone, Column::Everyone);
        Self { measure, above, below, of, unit, power: None }
    }

    /// * `customers`: of each group.
    fn of(&self, cut: &Groups<'_>, customers: &[i64]) -> Measured {
        let [above, below, of] = [&self.above, &self.below, &self.of].map(|column| column.sums(cut, customers));
        let value = |((above, below), of): ((f64, f64), f64)| {
            (below > 0.0).then(|| {
                // Rounded once, so that what is exactly a target is one as a float.
                let ratio = above / (self.unit * below);
                (of as i64, self.power.map_or(ratio, |power| libm::pow(ratio, power)))
            })
        };
        let groups = above.into_iter().zip(below).zip(of).map(value).collect();
        Measured { measure: self.measure, groups }
    }
}

/// Our share of what customers of the market are worth.
fn equity_shares(cut: &Groups<'_>, customers: &[i64], market: &[(Part, MinorSum, Vec<MarketValue>)]) -> Measured {
    let of = |(number, customers): (usize, &i64)| {
        let part = cut.part(number)?;
        let (own, rows) = market.iter().find(|(found, ..)| *found == part).map(|(_, own, rows)| (*own, rows))?;
        Some((*customers, market::shares(own, rows)[0].share?))
    };
    Measured { measure: Measure::ShareOfCustomerEquity, groups: customers.iter().enumerate().map(of).collect() }
}

impl World<'_> {
    /// `segment_measure`.
    pub(super) fn segment_measure_columns(&self) -> Vec<Values> {
        let groups = self.groups();
        let measured = self.measured(&groups);
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

    /// What was measured of each way of grouping.
    fn measured(&self, groups: &[Groups<'_>]) -> Vec<Vec<Measured>> {
        let (ratios, market) = (self.ratios(), self.market());
        let of = |cut: &Groups<'_>| {
            let customers = cut.count(self.customers());
            let mut measured: Vec<Measured> = ratios.iter().map(|ratio| ratio.of(cut, &customers)).collect();
            measured.push(equity_shares(cut, &customers, &market));
            measured.sort_by_key(|measured| measured.measure);
            measured
        };
        groups.par_iter().map(of).collect()
    }

    /// Measures with targets that cannot be told, a row each of the targets table, sorted; and all targets.
    pub(super) fn untold_targets(&self) -> (Vec<Measure>, usize) {
        let Some(targets) = &self.found.ledgers.ahead.plans.targets else { return (Vec::new(), 0) };
        let groups = self.groups();
        let measured = self.measured(&groups);
        let is_told = |target: &&Target| {
            groups.iter().zip(&measured).any(|(cut, measured)| {
                let own = measured.iter().find(|measured| measured.measure == target.measure);
                own.is_some_and(|own| {
                    let told =
                        |(number, value): (usize, &Option<_>)| value.is_some() && cut.part(number) == Some(target.part);
                    own.groups.iter().enumerate().any(told)
                })
            })
        };
        let mut untold: Vec<Measure> =
            targets.iter().filter(|target| !is_told(target)).map(|target| target.measure).collect();
        untold.sort_unstable();
        (untold, targets.len())
    }

    /// What can be measured of groups as a ratio of sums.
    fn ratios(&self) -> Vec<Ratio> {
        let ledgers = &self.found.ledgers;
        let per_major = self.settings.currency.minor_per_major() as f64;
        let acquisition = ledgers.relations.cost_known.as_ref().map(|known| Ratio {
            measure: Measure::AcquisitionCost,
            above: Column::Whole(sum_by_customer(
                &ledgers.facts.first_cell,
                &self.found.margins.economic.acquisition_cost,
            )),
            below: Column::count(known.iter().copied()),
            of: Column::count(known.iter().copied()),
            unit: per_major,
            power: None,
        });
        let orders = ledgers.sum_within(|_| true, |cell| ledgers.cells.orders[cell] as i64);
        let products = ledgers.ahead.entries.as_ref();
        let products = products.map(|entries| entries.products.iter().map(|products| i64::from(*products)).collect());
        let means = [
            (Measure::OrdersPerCustomer, Some(orders), 1.0),
            (Measure::ProductsPerCustomer, products, 1.0),
            (Measure::LifetimeValue, self.expected_by_customer(), per_major),
        ];
        let means = means.into_iter().filter_map(|(measure, column, unit)| Some(Ratio::mean(measure, column?, unit)));
        let means = acquisition.into_iter().chain(means);
        means.chain(self.retention()).chain(self.expected_retention()).chain(self.share_of_customer()).collect()
    }

    /// Of those who bought in the year before the last one, the share who bought in the last one.
    fn retention(&self) -> Option<Ratio> {
        let last = self.current_year()?;
        let ledgers = &self.found.ledgers;
        let days = |cell: usize| i64::from(ledgers.cells.purchase_days[cell]);
        let bought = ledgers.sum_within(|period| last.contains(period), days);
        let earlier = last.start - (last.end - last.start)..last.start;
        let before = ledgers.sum_within(|period| earlier.contains(period), days);
        let came = || before.iter().map(|days| *days > 0);
        Some(Ratio {
            measure: Measure::RetentionRate,
            above: Column::count(came().zip(&bought).map(|(came, bought)| came && *bought > 0)),
            below: Column::count(came()),
            of: Column::count(came()),
            unit: 1.0,
            power: None,
        })
    }

    /// P(alive) at the horizon over P(alive) now, a year.
    fn expected_retention(&self) -> Option<Ratio> {
        let forecast = self.forecast?;
        let horizon = f64::from(self.settings.forecast.as_ref()?.horizon_days);
        let rows: Vec<Option<usize>> = (0..self.customers()).map(|customer| forecast.row(customer)).collect();
        let shares = |of: &dyn Fn(usize) -> f64| Column::Share(rows.iter().map(|row| row.map_or(0.0, of)).collect());
        Some(Ratio {
            measure: Measure::ExpectedRetentionRate,
            above: shares(&|row| forecast.p_alive_at_horizon(row)),
            below: shares(&|row| forecast.p_alive(row)),
            of: Column::count(rows.iter().map(Option::is_some)),
            unit: 1.0,
            power: Some(DAYS_PER_YEAR / horizon),
        })
    }

    /// Sales of the last year to the customers whose wallet is known, over what is in it.
    fn share_of_customer(&self) -> Option<Ratio> {
        let ledgers = &self.found.ledgers;
        let (wallets, year) = (ledgers.relations.wallet.as_ref()?, self.current_year()?);
        let sold = ledgers.sum_within(|period| year.contains(period), |cell| self.found.margins.net_revenue[cell]);
        let known = |column: &dyn Fn(usize, Minor) -> Minor| {
            let of = |(customer, wallet): (usize, &Option<Wallet>)| {
                wallet.map_or(0, |wallet| column(customer, wallet.a_year))
            };
            Column::Whole(wallets.iter().enumerate().map(of).collect())
        };
        Some(Ratio {
            measure: Measure::ShareOfCustomer,
            above: known(&|customer, _| sold[customer]),
            below: known(&|_, wallet| wallet),
            of: known(&|_, _| 1),
            unit: 1.0,
            power: None,
        })
    }
}
