//! Contribution-margin layers: what a customer earned after each level of cost.
//!
//! ```
//! use whalecurve::{
//!     profit::margins,
//!     schema::{costs::LayerCosts, facts::Cells},
//! };
//!
//! let cells = Cells {
//!     customer: vec![0, 1],
//!     period: vec![0, 0],
//!     gross_sales: vec![10_000, 4_000], // cents
//!     returns: vec![0, 500],
//!     discount: vec![300, 0],
//!     product_cost: vec![6_000, 2_000],
//!     ..Cells::default()
//! };
//! let none = || vec![0, 0];
//! let delivery = vec![2_000, 2_000];
//! let costs = LayerCosts::new([none(), delivery, none(), none()], Default::default());
//! let margins = margins(&cells, &costs, vec![0, 100])?;
//! assert_eq!(margins.net_revenue, [9_700, 3_500]);
//! assert_eq!(margins.cm1, [3_700, 1_500]);
//! assert_eq!(margins.cm2, [1_700, -500]);
//! assert_eq!(margins.economic_profit, [1_700, -600]);
//! # Ok::<(), whalecurve::profit::ProfitError>(())
//! ```

use thiserror::Error;

use crate::{
    numeric::decimal::{Decimal, divide_half_even, power_of_ten},
    schema::{
        costing::Layer, costs::LayerCosts, facts::Cells, margins::Margins, period::PeriodKind, tables::Receivable,
    },
    units::{Days, Minor},
};

/// A margin that left 64 bits of minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a customer's {what} exceeds 9.2·10¹⁸ minor units")]
pub struct ProfitError {
    /// Which column.
    pub what: &'static str,
}

/// Days of a year in the cost of capital.
const DAYS_PER_YEAR: i128 = 365;

/// The cost of capital bound in an average balance: `balance · rate · days / 365`, half to even.
///
/// * `balance`: average receivables, minor units.
/// * `rate_per_year`: 0.10 = 10 %.
/// * `days`: length of the period that the average is over.
///
/// Returns `None` when the result does not fit.
///
/// Source: Kumar & Reinartz, Customer Relationship Management (2018), ch. 5: capital cost of receivables.
#[must_use]
pub fn capital_charge(balance: Minor, rate_per_year: Decimal, days: Days) -> Option<Minor> {
    let numerator = i128::from(balance).checked_mul(rate_per_year.mantissa)?.checked_mul(i128::from(days))?;
    let denominator = power_of_ten(rate_per_year.scale)?.checked_mul(DAYS_PER_YEAR)?;
    i64::try_from(divide_half_even(numerator, denominator)).ok()
}

/// The capital charge of every cell.
///
/// * `span`: days of the whole run, for a run without periods.
///
/// # Errors
/// [`ProfitError`] when a charge does not fit.
pub fn capital_charges(
    cells: &Cells,
    receivables: &[Receivable],
    rate_per_year: Decimal,
    kind: PeriodKind,
    span: Days,
) -> Result<Vec<Minor>, ProfitError> {
    let mut charges = vec![0; cells.len()];
    let too_large = || ProfitError { what: "capital charge" };
    let mut cell = 0;
    for row in receivables {
        while cell < cells.len() && (cells.customer[cell], cells.period[cell]) < (row.customer, row.period) {
            cell += 1;
        }
        if cell < cells.len() && (cells.customer[cell], cells.period[cell]) == (row.customer, row.period) {
            let days = kind.days(row.period).unwrap_or(span);
            let charge = capital_charge(row.balance, rate_per_year, days).ok_or_else(too_large)?;
            charges[cell] = charge.checked_add(charges[cell]).ok_or_else(too_large)?;
        }
    }
    Ok(charges)
}

/// Margins of every cell: CM1 = net revenue − product cost − activities of layer CM1, CM2 = CM1 − activities of layer
/// CM2, CM3 = CM2 − activities of layer CM3, economic profit = CM3 − cost below it − capital charge.
///
/// # Errors
/// [`ProfitError`] when a margin leaves 64 bits.
pub fn margins(cells: &Cells, costs: &LayerCosts, capital_charge: Vec<Minor>) -> Result<Margins, ProfitError> {
    let net_revenue: Vec<Minor> = (0..cells.len()).map(|cell| cells.net_revenue(cell)).collect();
    let [product_activity_cost, order_cost, customer_cost, below_cost] =
        Layer::ALL.map(|layer| costs.layer(layer).to_vec());
    let cm1 = subtract("CM1", &subtract("CM1", &net_revenue, &cells.product_cost)?, &product_activity_cost)?;
    let cm2 = subtract("CM2", &cm1, &order_cost)?;
    let cm3 = subtract("CM3", &cm2, &customer_cost)?;
    let after_below = subtract("economic profit", &cm3, &below_cost)?;
    let economic_profit = subtract("economic profit", &after_below, &capital_charge)?;
    Ok(Margins {
        net_revenue,
        product_activity_cost,
        cm1,
        order_cost,
        cm2,
        customer_cost,
        cm3,
        below_cost,
        capital_charge,
        economic_profit,
    })
}

fn subtract(what: &'static str, left: &[Minor], right: &[Minor]) -> Result<Vec<Minor>, ProfitError> {
    left.iter().zip(right).map(|(a, b)| a.checked_sub(*b).ok_or(ProfitError { what })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_days_of_receivables_at_ten_percent_cost_what_the_reference_says() {
        // Sales 1,000,000, 90 days to collect, 10 % a year: 24,657.53.
        let balance = divide_half_even(100_000_000 * 90, 365) as i64;
        let rate = Decimal { mantissa: 10, scale: 2 };
        assert_eq!(capital_charge(balance, rate, 365), Some(2_465_753));
    }
}
