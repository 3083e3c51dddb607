//! Equity: how it is cut and bridged, the plans and markets that it is held against, and what customers may be won.

use serde::Serialize;

use super::settings::PoolBy;
use crate::units::{Day, Minor, MinorSum, Quantity};

/// How equity is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EquitySettings {
    /// Calendar period of the first purchase that customers are told by.
    pub cohort: PoolBy,
    /// From which day equity is bridged to `as_of`; `None` = no bridge.
    pub bridge: Option<BridgeSettings>,
    /// What makes a product a door.
    pub doors: DoorSettings,
}

impl Default for EquitySettings {
    fn default() -> Self {
        Self { cohort: PoolBy::CohortYear, bridge: None, doors: DoorSettings::default() }
    }
}

/// What a bridge begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BridgeFrom {
    /// The ledger as it was at the end of a day, the last one of a period of the run.
    Day(Day),
    /// Output folder of an earlier run, relative to the config.
    Run(String),
}

/// What an earlier run told of equity.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlierRun {
    /// Its day.
    pub as_of: Day,
    /// Its discount rate a year.
    pub discount_rate_per_year: f64,
    /// What it told of every customer of this run; `None` of whom it did not know, or without a purchase.
    pub customers: Vec<Option<Driven>>,
}

/// A bridge of equity between two days of one ledger, or between two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BridgeSettings {
    /// What it begins with.
    pub from: BridgeFrom,
    /// Discount rate a year of the opening equity; `None` = that of the forecast, or of the earlier run.
    pub discount_rate_per_year: Option<f64>,
    /// A customer whose P(alive) falls below this is lost, 0 to 1.
    pub lost_below: f64,
}

/// What makes a product a door through which customers come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DoorSettings {
    /// Share of the products, those with the least margin, that do not earn, 0 to 1.
    pub least_profitable: f64,
    /// Customers that must have entered through a product before it is called a door.
    pub min_customers: u64,
}

impl Default for DoorSettings {
    fn default() -> Self {
        Self { least_profitable: 0.25, min_customers: 10 }
    }
}

/// What a customer's expected value is made of at one day; money in major units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drivers {
    /// P(alive).
    pub p_alive: f64,
    /// Expected discounted time alive to the horizon, model time units.
    pub lifetime: f64,
    /// Expected discounted purchases a unit of `lifetime`.
    pub purchase_rate: f64,
    /// Expected amount of a purchase.
    pub spend: f64,
    /// Contribution of a unit of spend, before the costs below.
    pub margin_rate: f64,
    /// Cost of serving a purchase.
    pub order_cost: f64,
    /// Cost of keeping the customer for a unit of time.
    pub sustaining_rate: f64,
}

impl Drivers {
    /// The expected value, major units.
    #[must_use]
    pub fn value(&self) -> f64 {
        let purchase = self.margin_rate * self.spend - self.order_cost;
        self.lifetime * (self.purchase_rate * purchase - self.sustaining_rate)
    }
}

/// A customer's expected value with what it is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Driven {
    /// Drivers, at one discount rate.
    pub drivers: Drivers,
    /// Expected value, minor units; at another discount rate where that is meant.
    pub value: Minor,
}

/// What a row of a plan, a market or a target is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All customers.
    All,
    /// Number of a channel of the customers table.
    Channel(u16),
    /// Number of a segment of the customers table.
    Segment(u16),
}

/// Customers that are planned to be won on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlannedCustomers {
    /// Whom they are like.
    pub part: Part,
    /// When they come, after `as_of`.
    pub date: Day,
    /// How many, scaled by 10⁶, `>= 0`.
    pub customers: Quantity,
    /// What winning all of them costs, `>= 0`.
    pub cost: Minor,
}

/// What customers of others are worth, in one segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarketValue {
    /// Segment; all customers where the table does not say.
    pub part: Part,
    /// Who has them; `None` = the whole market, our customers among them.
    pub competitor: Option<String>,
    /// How many, scaled by 10⁶; `None` where the table gives equity alone.
    pub customers: Option<Quantity>,
    /// Their equity.
    pub equity: MinorSum,
}

/// A target of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Whom it is about.
    pub part: Part,
    /// What is measured.
    pub measure: Measure,
    /// The target, scaled by 10⁶: money in major units, a share, a number.
    pub target: i64,
}

/// What drives the equity of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Mean cost of winning a customer, major units.
    AcquisitionCost,
    /// Share of a year's buyers who bought again in the year after.
    RetentionRate,
    /// Share of the customers alive at `as_of` who are expected to be so a year later.
    ExpectedRetentionRate,
    /// Share of what customers spend with anybody that they spend with us.
    ShareOfCustomer,
    /// Orders a customer.
    OrdersPerCustomer,
    /// Different products a customer.
    ProductsPerCustomer,
    /// Value of our customers over that of all customers of the market.
    ShareOfCustomerEquity,
    /// Expected lifetime value a customer, major units.
    LifetimeValue,
}

impl Measure {
    /// Every measure, in the order of the outputs.
    pub const ALL: [Self; 8] = [
        Self::AcquisitionCost,
        Self::RetentionRate,
        Self::ExpectedRetentionRate,
        Self::ShareOfCustomer,
        Self::OrdersPerCustomer,
        Self::ProductsPerCustomer,
        Self::ShareOfCustomerEquity,
        Self::LifetimeValue,
    ];

    /// The name in tables and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AcquisitionCost => "acquisition_cost",
            Self::RetentionRate => "retention_rate",
            Self::ExpectedRetentionRate => "expected_retention_rate",
            Self::ShareOfCustomer => "share_of_customer",
            Self::OrdersPerCustomer => "orders_per_customer",
            Self::ProductsPerCustomer => "products_per_customer",
            Self::ShareOfCustomerEquity => "share_of_customer_equity",
            Self::LifetimeValue => "lifetime_value",
        }
    }

    /// Whether a target is met by what is at most as much.
    #[must_use]
    pub fn is_cost(self) -> bool {
        self == Self::AcquisitionCost
    }
}

/// Plans, markets and targets; each `None` where its table is not configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plans {
    /// Customers that are planned to be won, sorted.
    pub acquisition: Option<Vec<PlannedCustomers>>,
    /// What customers of others are worth, sorted.
    pub market: Option<Vec<MarketValue>>,
    /// Whether no row of it was set aside: then its segments are the whole market.
    pub market_is_whole: bool,
    /// Targets, sorted.
    pub targets: Option<Vec<Target>>,
}
