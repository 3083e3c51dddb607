//! From cost pools to cost per customer, period and activity, exact to the minor unit.
//!
//! [`allocate`] spreads every pool of a run over its cells. The arithmetic is [`spread`]: a mergeable histogram of
//! driver quantities (summary), a rounding rule (plan), and a cost per row (apply).
//!
//! ```
//! use whalecurve::allocate::spread::Histogram;
//!
//! let (quantities, ties) = ([3_000_000, 1_000_000, 3_000_000], [30, 10, 20]);
//! let (mut left, mut right) = (Histogram::default(), Histogram::default());
//! left.insert(&quantities[..1]);
//! right.insert(&quantities[1..]);
//! left.combine(&right); // as if it had seen all three
//!
//! // 1.00 at 3 : 1 : 3 is 42.86, 14.29 and 42.86 cents. The two odd cents go to the largest remainders.
//! let cost = left.plan(100)?.apply(&quantities, &ties);
//! assert_eq!(cost, [43, 14, 43]);
//! assert_eq!(cost.iter().sum::<i64>(), 100);
//! # Ok::<(), whalecurve::allocate::spread::AllocateError>(())
//! ```

pub mod capacity;
pub mod composite;
pub mod direct;
pub mod error;
pub mod fallback;
pub mod negative;
pub mod network;
pub mod parts;
pub mod rates;
pub mod ratio;
pub mod signed;
pub mod spread;
pub mod time_equation;

use thiserror::Error;

use self::spread::{AllocateError, Histogram};
use crate::{
    numeric::{decimal::format_minor, keys::hash_int},
    schema::{
        costs::{CostTable, PoolBalance, Unassigned},
        facts::{Cells, Customers},
        money::Currency,
        settings::{Method, NegativePolicy},
        tables::{Activity, Pool},
    },
    units::{Minor, QUANTITY_SCALE, Quantity},
};

/// A pool that cannot be allocated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("activity `{activity}`: {reason}; {money} {currency} are at stake")]
pub struct PoolError {
    /// Activity.
    pub activity: String,
    /// What is wrong.
    pub reason: AllocateError,
    /// Cost of the pool, in major units.
    pub money: String,
    /// Currency code.
    pub currency: String,
}

impl PoolError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self.reason {
            AllocateError::NegativeDriver { .. } => {
                Some("mend the driver, or count negative quantities as zero with `negative: zero`")
            }
            AllocateError::NoDriver | AllocateError::TooLarge => None,
        }
    }
}

/// Allocates every pool over the cells.
///
/// A pool with a period reaches the cells of that period; a pool without one reaches all cells. A pool whose driver
/// nobody used stays visible as unassigned.
///
/// * `drivers`: names of [`Cells::drivers`].
///
/// # Errors
/// [`PoolError`] when a driver quantity is negative and the activity's policy refuses that.
pub fn allocate(
    activities: Vec<Activity>,
    pools: &[Pool],
    cells: &Cells,
    customers: &Customers,
    drivers: &[String],
    currency: &Currency,
) -> Result<CostTable, PoolError> {
    let ties = tie_hashes(cells, customers);
    let mut table = CostTable {
        amounts: vec![vec![0; cells.len()]; activities.len()],
        quantities: Vec::with_capacity(activities.len()),
        balances: Vec::with_capacity(pools.len()),
        activities,
    };
    for (number, activity) in table.activities.iter().enumerate() {
        let quantities = quantities(activity, cells, drivers, currency);
        for pool in pools.iter().filter(|pool| pool.activity == activity.name) {
            let failed = |reason| PoolError {
                activity: activity.name.clone(),
                reason,
                money: format_minor(i128::from(pool.amount), currency.exponent),
                currency: currency.code.clone(),
            };
            let balance = spread_pool(number, pool, &quantities, &ties, cells, &mut table.amounts[number]);
            table.balances.push(balance.map_err(failed)?);
        }
        table.quantities.push(quantities);
    }
    Ok(table)
}

/// The tie-break of each cell: the customer's published hash, told apart by period.
fn tie_hashes(cells: &Cells, customers: &Customers) -> Vec<u64> {
    let tie = |(customer, period): (&u32, &i32)| {
        hash_int((customers.hash[*customer as usize] as i64).wrapping_add(i64::from(*period)))
    };
    cells.customer.iter().zip(&cells.period).map(tie).collect()
}

/// The driver quantity of every cell.
fn quantities(activity: &Activity, cells: &Cells, drivers: &[String], currency: &Currency) -> Vec<Quantity> {
    let mut quantities = match &activity.setting.method {
        Method::Average => vec![QUANTITY_SCALE; cells.len()],
        Method::Revenue => {
            let scale = QUANTITY_SCALE / currency.minor_per_major();
            (0..cells.len()).map(|cell| cells.net_revenue(cell).saturating_mul(scale)).collect()
        }
        Method::Driver(name) => match drivers.iter().position(|driver| driver == name) {
            Some(column) => cells.drivers[column].clone(),
            None => vec![0; cells.len()],
        },
    };
    if activity.setting.negative == NegativePolicy::Zero {
        for quantity in &mut quantities {
            *quantity = (*quantity).max(0);
        }
    }
    quantities
}

fn spread_pool(
    activity: usize,
    pool: &Pool,
    quantities: &[Quantity],
    ties: &[u64],
    cells: &Cells,
    amounts: &mut [Minor],
) -> Result<PoolBalance, AllocateError> {
    let rows: Option<Vec<usize>> = pool
        .period
        .map(|period| cells.period.iter().enumerate().filter(|(_, p)| **p == period).map(|(row, _)| row).collect());
    let rows = rows.filter(|rows| rows.len() < cells.len());
    let of_rows =
        |rows: &[usize]| -> (Vec<Quantity>, Vec<u64>) { rows.iter().map(|row| (quantities[*row], ties[*row])).unzip() };
    let part = rows.as_deref().map(of_rows);
    let (quantities, ties) = part.as_ref().map_or((quantities, ties), |(quantities, ties)| (quantities, ties));
    let mut summary = Histogram::default();
    summary.insert(quantities);
    let mut balance = PoolBalance {
        activity,
        period: pool.period,
        cost: pool.amount,
        allocated: 0,
        unassigned: 0,
        reason: None,
        recipients: summary.recipients(),
        driver_quantity: summary.total(),
    };
    match summary.plan(pool.amount) {
        Ok(plan) => {
            let costs = plan.apply(quantities, ties);
            balance.allocated = pool.amount;
            match &rows {
                Some(rows) => rows.iter().zip(&costs).for_each(|(row, cost)| amounts[*row] += cost),
                None => amounts.iter_mut().zip(&costs).for_each(|(amount, cost)| *amount += cost),
            }
            debug_assert_eq!(costs.iter().map(|cost| i128::from(*cost)).sum::<i128>(), i128::from(pool.amount));
        }
        Err(AllocateError::NoDriver) => {
            balance.unassigned = pool.amount;
            balance.reason = Some(if quantities.is_empty() { Unassigned::NoCustomer } else { Unassigned::NoDriver });
        }
        Err(error) => return Err(error),
    }
    Ok(balance)
}

/// Checks that what the leaves say is what the balances say: allocated + unassigned = cost, and Σ leaves = allocated.
///
/// Returns the first activity for which it does not hold, with both sides in minor units.
#[must_use]
pub fn reconcile(table: &CostTable) -> Option<(String, i128, i128)> {
    table.activities.iter().enumerate().find_map(|(number, activity)| {
        let balances = || table.balances.iter().filter(|balance| balance.activity == number);
        let cost: i128 = balances().map(|balance| i128::from(balance.cost)).sum();
        let unassigned: i128 = balances().map(|balance| i128::from(balance.unassigned)).sum();
        let leaves: i128 = table.amounts[number].iter().map(|amount| i128::from(*amount)).sum();
        (cost != unassigned + leaves).then(|| (activity.name.clone(), cost, unassigned + leaves))
    })
}
