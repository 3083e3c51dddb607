//! What the next customers of a base's groups are expected to bring, whatever they are forecast by.

use super::{
    Ledgers,
    grouping::{Grouping, Rows},
    results::sum_by_customer,
    unit_money::{Done, UnitMoney},
};
use crate::{
    forecast::{
        contribution::{Rates, Weights},
        newcomer::{NewCustomer, Newcomer},
        newcomer_periods,
    },
    numeric::{credibility::Grouped, decimal::divide_half_even},
    schema::{
        facts::CustomerFacts,
        margins::Margins,
        settings::{ForecastSettings, PoolBy},
    },
    units::{Minor, MinorSum},
};

/// What the next customer of every group is expected to bring.
pub(super) struct NewCustomers {
    /// What groups customers.
    pub(super) by: &'static str,
    /// Names of the groups.
    pub(super) names: Vec<String>,
    /// One a group.
    pub(super) expected: Vec<NewCustomer>,
    /// Rates of contribution, one row a group.
    pub(super) rates: Rates,
    /// What having won a customer of each group cost; `None` where nobody says.
    pub(super) acquisition_cost: Option<Vec<Known>>,
}

/// The mean of what is known of some customers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// Customers of whom it is known.
    pub(super) customers: u64,
    /// Rounded half to even; `None` where it is known of nobody.
    pub(super) mean: Option<Minor>,
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

/// Cost of having won each customer of a forecast; inner `None` where it is unknown, `None` where nobody says.
pub(super) fn acquisition_cost(ledgers: &Ledgers, margins: &Margins, customers: &[u32]) -> Option<Vec<Option<Minor>>> {
    let known = ledgers.relations.cost_known.as_ref()?;
    let cost = sum_by_customer(&ledgers.facts.first_cell, &margins.economic.acquisition_cost);
    let of = |row: &u32| known[*row as usize].then(|| cost[*row as usize]);
    Some(customers.iter().map(of).collect())
}

/// Mean of the known values of a column by group.
pub(super) fn means(column: &[Option<Minor>], of: &[u32], groups: usize) -> Vec<Known> {
    let mut sums = vec![(0_u64, MinorSum::default()); groups];
    for (value, group) in column.iter().zip(of) {
        let Some(value) = value else { continue };
        let (rows, sum) = &mut sums[*group as usize];
        *rows += 1;
        *sum += MinorSum::from(*value);
    }
    // A mean of amounts is within their range.
    let known = |(customers, sum): (u64, MinorSum)| Known {
        customers,
        mean: (customers > 0).then(|| divide_half_even(sum, customers.into()) as Minor),
    };
    sums.into_iter().map(known).collect()
}

/// What the next customer of every group is expected to bring, of a forecast by periods or opportunities.
///
/// * `rows`, `done`: its customers. * `known`: the way of grouping that their rates are drawn together by, and its weights.
pub(super) fn by_period(
    (setting, ledgers, margins): (&ForecastSettings, &Ledgers, &Margins),
    (rows, done, known): (&Rows<'_>, Done<'_>, (&str, &Weights)),
    newcomer: Newcomer,
) -> Vec<NewCustomers> {
    let cost = acquisition_cost(ledgers, margins, rows.customer);
    let of_group = |Grouping { by, names, of }: Grouping| {
        let grouped = Grouped { of: &of, groups: names.len() };
        let weights = if by == known.0 { *known.1 } else { done.weights(grouped) };
        let UnitMoney { spend, rates } = UnitMoney::of_groups(done, &weights, grouped);
        let expected = newcomer_periods::new_customers(newcomer, &of, &spend, &rates);
        let acquisition_cost = cost.as_ref().map(|cost| means(cost, &of, names.len()));
        NewCustomers { by, names, expected, rates, acquisition_cost }
    };
    let grouped = told_by(setting, ledgers).into_iter().map(|by| Grouping::of_rows(by, ledgers, rows));
    std::iter::once(Grouping::all(rows.customer.len())).chain(grouped).map(of_group).collect()
}

/// What each customer of a forecast spent on purchases, major units, at the prices of the ledgers' world.
pub(super) fn spent(facts: &CustomerFacts, customers: &[u32], per_major: f64) -> Vec<f64> {
    let revenue: &[Minor] = &facts.purchase_revenue;
    customers.iter().map(|row| revenue[*row as usize] as f64 / per_major).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_of_amounts_is_rounded_half_to_even() {
        // 221.40 over eight customers are 27.675; of the second group one is known, of the third nobody.
        let each = [22_140, 0, 0, 0, 0, 0, 0, 0].map(Some);
        let column: Vec<Option<Minor>> = each.into_iter().chain([Some(5), None, None]).collect();
        let found = means(&column, &[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2], 3);
        let found: Vec<_> = found.into_iter().map(|known| (known.customers, known.mean)).collect();
        assert_eq!(found, [(8, Some(2_768)), (1, Some(5)), (0, None)]);
    }
}
