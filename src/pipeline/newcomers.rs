//! What the next customers of a base's groups are expected to bring, whatever they are forecast by.

use super::{
    Ledgers,
    grouping::{Grouping, Rows},
    results::sum_by_customer,
};
use crate::{
    forecast::{
        contribution::{Rates, group_per_period},
        newcomer::{NewCustomer, Newcomer},
        newcomer_periods::{self, PeriodRates},
    },
    numeric::sums::Compensated,
    schema::{
        margins::Margins,
        settings::{ForecastSettings, PoolBy},
    },
    units::Minor,
};

/// What the next customer of every group is expected to bring.
pub(super) struct NewCustomers {
    /// What groups customers.
    pub(super) by: &'static str,
    /// Names of the groups.
    pub(super) names: Vec<String>,
    /// One a group.
    pub(super) expected: Vec<NewCustomer>,
    /// Rates of contribution, one row a group; `None` where no purchases at any time are forecast.
    pub(super) rates: Option<Rates>,
    /// Mean cost of having won a customer of each group, major units; `None` where nobody says.
    pub(super) acquisition_cost: Option<Vec<f64>>,
}

/// What new customers are told by, beside all: what the config names, segments and channels where there are any, and the year
/// in which customers came.
pub(super) fn told_by(setting: &ForecastSettings, ledgers: &Ledgers) -> Vec<PoolBy> {
    let mut by: Vec<PoolBy> = setting.pool_by.into_iter().collect();
    by.extend(ledgers.segment.as_ref().map(|_| PoolBy::Segment));
    by.extend(ledgers.of_forecast.get("channel").map(|_| PoolBy::Channel));
    by.push(PoolBy::CohortYear);
    by.sort_unstable_by_key(|by| by.as_str());
    by.dedup();
    by
}

/// Cost of having won each customer of a forecast, major units; `None` where nobody says.
pub(super) fn acquisition_cost(
    ledgers: &Ledgers,
    margins: &Margins,
    customers: &[u32],
    per_major: f64,
) -> Option<Vec<f64>> {
    if ledgers.economic.acquisition_cost.is_empty() {
        return None;
    }
    let cost = sum_by_customer(&ledgers.facts.first_cell, &margins.economic.acquisition_cost);
    Some(customers.iter().map(|row| cost[*row as usize] as f64 / per_major).collect())
}

/// Mean of a column by group.
pub(super) fn means(column: &[f64], of: &[u32], groups: usize) -> Vec<f64> {
    let mut sums = vec![(0_u64, Compensated::default()); groups];
    for (value, group) in column.iter().zip(of) {
        let (rows, sum) = &mut sums[*group as usize];
        *rows += 1;
        sum.add(*value);
    }
    sums.into_iter().map(|(rows, sum)| sum.value() / rows.max(1) as f64).collect()
}

/// Customers of a forecast by periods or opportunities, and what they did and brought; money in major units, one row each.
pub(super) struct ByPeriod<'a> {
    pub(super) rows: Rows<'a>,
    /// What they spent.
    pub(super) spent: &'a [f64],
    /// What they contributed, and the periods or purchases that it came of.
    pub(super) contributed: (&'a [f64], &'a [f64]),
    /// What keeping them cost, and the opportunities that it was for; `None` where the contribution is net of it.
    pub(super) kept: Option<(&'a [f64], &'a [f64])>,
}

impl ByPeriod<'_> {
    /// What the next customer of every group is expected to bring.
    pub(super) fn new_customers(
        &self,
        (setting, ledgers, margins): (&ForecastSettings, &Ledgers, &Margins),
        per_major: f64,
        newcomer: Newcomer,
    ) -> Vec<NewCustomers> {
        let cost = acquisition_cost(ledgers, margins, self.rows.customer, per_major);
        let of_group = |Grouping { by, names, of }: Grouping| {
            let (contribution, periods) = self.contributed;
            let sustaining = match self.kept {
                Some((kept, opportunities)) => group_per_period(kept, opportunities, &of, names.len()),
                None => vec![0.0; names.len()],
            };
            let rates = PeriodRates {
                contribution: group_per_period(contribution, periods, &of, names.len()),
                sustaining,
                spend: group_per_period(self.spent, periods, &of, names.len()),
            };
            let expected = newcomer_periods::new_customers(newcomer, &of, &rates);
            let acquisition_cost = cost.as_ref().map(|cost| means(cost, &of, names.len()));
            NewCustomers { by, names, expected, rates: None, acquisition_cost }
        };
        let grouped = told_by(setting, ledgers).into_iter().map(|by| Grouping::of_rows(by, ledgers, &self.rows));
        std::iter::once(Grouping::all(self.rows.customer.len())).chain(grouped).map(of_group).collect()
    }
}

/// What each customer of a forecast spent on purchases, major units, at the prices of the ledgers' world.
pub(super) fn spent(ledgers: &Ledgers, customers: &[u32], per_major: f64) -> Vec<f64> {
    let revenue: &[Minor] = &ledgers.facts.purchase_revenue;
    customers.iter().map(|row| revenue[*row as usize] as f64 / per_major).collect()
}
