//! The small input tables, as the contract hands them on.

use std::collections::BTreeMap;

use super::{costing::ActivitySetting, covariates::Covariate, fx::ExactRate, period::Period, relations::Wallet};
use crate::{
    numeric::{decimal::Decimal, keys::KeyTable},
    units::{Day, Minor, MinorSum, Quantity},
};

/// The customers table.
#[derive(Clone, Debug)]
pub struct CustomerTable {
    /// Known ids.
    pub ids: KeyTable,
    /// Segment of each id, in row order; `None` when the column is not mapped or the cell is null.
    pub segment: Vec<Option<String>>,
    /// Channel, region or both of each id, when they are wanted: a column each, in row order; `None` likewise.
    pub groups: Vec<Vec<Option<String>>>,
    /// Cost of winning each customer, in row order; `None` when the column is not mapped or the cell is null.
    pub acquisition_cost: Vec<Option<Minor>>,
    /// What each spends with us and others, in row order; `None` when the columns are not mapped or a cell is null.
    pub wallet: Vec<Option<Wallet>>,
    /// Whom others copy, in row order; no when the column is not mapped or the cell is null.
    pub benchmark: Vec<bool>,
    /// What models may use, in row order, sorted by name.
    pub covariates: Vec<Covariate>,
}

/// The products table.
#[derive(Clone, Debug)]
pub struct ProductTable {
    /// Known ids.
    pub ids: KeyTable,
    /// Cost of one unit, in row order.
    pub unit_cost: Vec<UnitCost>,
}

/// What one unit of a product costs: `mantissa / 10^beyond` minor units, all digits that the table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitCost {
    /// The digits.
    pub mantissa: i64,
    /// Digits beyond those of the currency.
    pub beyond: u32,
}

impl UnitCost {
    /// A cost in major units of a currency of `exponent` digits; of more digits than 64 bits hold, the first ones, half to
    /// even. `None` when its whole units do not fit.
    #[must_use]
    pub fn of(major: Decimal, exponent: u8) -> Option<Self> {
        let (major, exponent) = (major.normalised(), u32::from(exponent));
        let beyond = 0..=major.scale.saturating_sub(exponent);
        beyond.rev().find_map(|beyond| Some(Self { mantissa: major.to_scaled(exponent + beyond)?, beyond }))
    }
}

/// Cost of an activity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pool {
    /// Activity.
    pub activity: String,
    /// Period; `None` = the whole run.
    pub period: Option<Period>,
    /// Cost.
    pub amount: Minor,
    /// Practical capacity that the cost pays for, scaled by 10⁶; over the activity's own.
    pub capacity: Option<Quantity>,
}

/// Costs of an account and cost centre in an activity, period and currency: what the pools were before they were
/// added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolLine {
    /// Account of the general ledger; `None` when the column is not mapped or the cell is null.
    pub account: Option<String>,
    /// Cost centre; `None` likewise.
    pub cost_centre: Option<String>,
    /// Activity.
    pub activity: String,
    /// Period; `None` = the whole run.
    pub period: Option<Period>,
    /// Currency.
    pub currency: String,
    /// Cost in minor units of `currency`.
    pub amount: Minor,
    /// Rate at which it was converted.
    pub rate: ExactRate,
    /// Cost in minor units of the run's currency.
    pub converted: Minor,
}

/// Practical capacities of activities and resource pools by period (`None` = the whole run), scaled by 10⁶.
pub type PoolCapacities = BTreeMap<(String, Option<Period>), Quantity>;

impl PoolLine {
    /// What lines are added up by, and sorted by.
    #[must_use]
    pub fn key(&self) -> (Option<&str>, Option<&str>, &str, Option<Period>, &str) {
        (self.account.as_deref(), self.cost_centre.as_deref(), &self.activity, self.period, &self.currency)
    }
}

/// A named activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Name.
    pub name: String,
    /// Level, method, driver, policy.
    pub setting: ActivitySetting,
}

/// One quantity of a driver that a customer used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DriverQuantity {
    /// Row in [`Customers`](super::facts::Customers).
    pub customer: u32,
    /// Column in [`Cells::drivers`](super::facts::Cells::drivers).
    pub driver: u32,
    /// Period.
    pub period: Period,
    /// When, as the table says it: two rows of a customer and driver with equal `when` are duplicates.
    pub when: i64,
    /// Quantity.
    pub quantity: Quantity,
}

/// Whose a row of a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// Row in [`Customers`](super::facts::Customers).
    Known(u32),
    /// Number of a customer whom neither the ledger nor the customers table knows: rows of one id have one number.
    Unknown(u64),
}

/// Driver quantity of a customer whom neither the ledger nor the customers table knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownQuantity {
    /// Number of the customer: see [`Owner::Unknown`].
    pub customer: u64,
    /// Period.
    pub period: Period,
    /// Column in [`Cells::drivers`](super::facts::Cells::drivers).
    pub driver: u32,
    /// Quantity.
    pub quantity: Quantity,
}

/// Drivers that activities or resource pools name and that neither `drivers` defines nor a table holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AbsentDrivers {
    /// Their names, each with the driver that was probably meant.
    pub names: Vec<(String, Option<String>)>,
    /// Drivers that the config defines, and those it takes from the table.
    pub known: Vec<String>,
    /// How many others the table holds: their names are cells.
    pub others: usize,
}

/// A cost that names its customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TracedCost {
    /// Row in [`Customers`](super::facts::Customers); `None` = unknown.
    pub customer: Option<u32>,
    /// Period.
    pub period: Period,
    /// Activity.
    pub activity: String,
    /// Cost.
    pub amount: Minor,
}

/// Receivables of a customer in a period: sums, so that averages are rounded once, at the end of a formula.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receivable {
    /// Row in [`Customers`](super::facts::Customers).
    pub customer: u32,
    /// Period.
    pub period: Period,
    /// Sum of the balances.
    pub balance_sum: MinorSum,
    /// Number of balances: their mean is the average balance. 0 when the table has none.
    pub balances: u32,
    /// Sum of the positive balances, each times its probability of default in [`PROBABILITY_SCALE`].
    pub defaulting: i128,
    /// Sum of what was written off, less what was recovered.
    pub write_off: Minor,
    /// Whether the table says what was written off.
    pub has_write_off: bool,
    /// Sum of the balances above 0.
    pub owed: MinorSum,
    /// Sum of the days late, scaled by 10⁶, and number of rows that know them.
    pub days_late: i128,
    /// See `days_late`.
    pub late_rows: u32,
    /// Sum of what was overdue, and of the balances above 0 of the same rows; `None` where no row knows it.
    pub overdue: Option<[MinorSum; 2]>,
    /// The same of what was disputed.
    pub disputed: Option<[MinorSum; 2]>,
}

/// A contract of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomerContract {
    /// Row in [`Customers`](super::facts::Customers).
    pub customer: u32,
    /// First day under contract.
    pub start: Day,
    /// Last day under contract; `None` = it goes on.
    pub end: Option<Day>,
}

/// A probability of 1 in [`Receivable::defaulting`].
pub const PROBABILITY_SCALE: i64 = 1_000_000_000_000;
