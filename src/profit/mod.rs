//! Contribution-margin layers: what a customer earned after each level of cost.
//!
//! ```
//! use whalecurve::{
//!     profit::margins,
//!     schema::{costs::LayerCosts, economic::EconomicInputs, facts::Cells},
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
//! let costs = LayerCosts::new([none(), delivery, none(), none()], Default::default(), [none(), none()]);
//! let economic = EconomicInputs { acquisition_cost: vec![0, 100].into(), ..EconomicInputs::default() };
//! let margins = margins(&cells, &costs, &economic)?;
//! assert_eq!(margins.net_revenue, [9_700, 3_500]);
//! assert_eq!(margins.cm1, [3_700, 1_500]);
//! assert_eq!(margins.cm2, [1_700, -500]);
//! assert_eq!(margins.economic_profit, [1_700, -600]);
//! # Ok::<(), whalecurve::profit::ProfitError>(())
//! ```

pub mod economic;
pub mod sums;

use thiserror::Error;

pub use self::{economic::economic_cost, sums::check_sums};
use crate::{
    schema::{costing::Layer, costs::LayerCosts, economic::EconomicInputs, facts::Cells, margins::Margins},
    units::Minor,
};

/// A margin that left 64 bits of minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a customer's {what} exceeds 9.2·10¹⁸ minor units")]
pub struct ProfitError {
    /// Which column.
    pub what: &'static str,
}

/// Margins of every cell: CM1 = net revenue − product cost − activities of layer CM1, CM2 = CM1 − activities of layer
/// CM2, CM3 = CM2 − activities of layer CM3, economic profit = CM3 − cost below it − capital charge − bad debt −
/// commissions − acquisition cost.
///
/// # Errors
/// [`ProfitError`] when a margin leaves 64 bits.
pub fn margins(cells: &Cells, costs: &LayerCosts, economic: &EconomicInputs) -> Result<Margins, ProfitError> {
    let net_revenue: Vec<Minor> = (0..cells.len()).map(|cell| cells.net_revenue(cell)).collect();
    let [product_activity_cost, order_cost, customer_cost, below_cost] =
        Layer::ALL.map(|layer| costs.layer(layer).to_vec());
    let cm1 = subtract("CM1", &subtract("CM1", &net_revenue, &cells.product_cost)?, &product_activity_cost)?;
    let cm2 = subtract("CM2", &cm1, &order_cost)?;
    let cm3 = subtract("CM3", &cm2, &customer_cost)?;
    let economic = economic_cost(cells, &net_revenue, &cm1, economic)?;
    let after_below = subtract("economic profit", &cm3, &below_cost)?;
    let economic_profit =
        economic.parts().iter().try_fold(after_below, |profit, part| subtract("economic profit", &profit, part))?;
    Ok(Margins {
        net_revenue,
        product_activity_cost,
        cm1,
        order_cost,
        cm2,
        customer_cost,
        cm3,
        below_cost,
        economic,
        economic_profit,
    })
}

fn subtract(what: &'static str, left: &[Minor], right: &[Minor]) -> Result<Vec<Minor>, ProfitError> {
    left.iter().zip(right).map(|(a, b)| a.checked_sub(*b).ok_or(ProfitError { what })).collect()
}
