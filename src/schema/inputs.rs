//! The input tables of a run: where they are, and how their columns are named.

use std::collections::BTreeMap;

use serde::Serialize;

pub use super::table_name::TableName;

use super::covariates::CovariateColumn;

/// The input tables. Only `transactions` must be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inputs {
    /// One row a ledger line.
    pub transactions: TableSetting,
    /// How returns (lines with a negative amount or quantity) are shown.
    pub returns: ReturnsPolicy,
    /// One row a customer.
    pub customers: Option<TableSetting>,
    /// One row a product, with its unit cost.
    pub products: Option<TableSetting>,
    /// Cost per activity (and period).
    pub pools: Option<TableSetting>,
    /// Definition of activities.
    pub activities: Option<TableSetting>,
    /// Driver quantities per customer (and period).
    pub driver_quantities: Option<TableSetting>,
    /// Average receivables and write-offs per customer (and period).
    pub receivables: Option<TableSetting>,
    /// Exchange rates per currency (and period).
    pub fx: Option<TableSetting>,
    /// Costs that name their customer.
    pub traced: Option<TableSetting>,
    /// One row an event (an order, a call), for time equations.
    pub events: Option<TableSetting>,
    /// One row a contract of a customer, for models of contracts.
    pub contracts: Option<TableSetting>,
    /// One row what a resource pool gives a taker (in a period).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_weights: Option<TableSetting>,
    /// Who was won through whom.
    pub referrals: Option<TableSetting>,
    /// The sales pipeline.
    pub opportunities: Option<TableSetting>,
    /// Knowledge gained from customers.
    pub learning: Option<TableSetting>,
    /// Customers that are planned to be won.
    pub acquisition_plan: Option<TableSetting>,
    /// What customers of others are worth.
    pub market: Option<TableSetting>,
    /// Targets of what drives equity.
    pub targets: Option<TableSetting>,
    /// What may be done for customers.
    pub actions: Option<TableSetting>,
    /// For whom in particular.
    pub action_customers: Option<TableSetting>,
    /// Customers who may be won.
    pub prospects: Option<TableSetting>,
    /// Complaints, ideas and requests of customers.
    pub interactions: Option<TableSetting>,
}

impl Inputs {
    /// A table, when the config has it.
    #[must_use]
    pub fn table(&self, name: TableName) -> Option<&TableSetting> {
        match name {
            TableName::Transactions => Some(&self.transactions),
            TableName::Customers => self.customers.as_ref(),
            TableName::Products => self.products.as_ref(),
            TableName::Pools => self.pools.as_ref(),
            TableName::Activities => self.activities.as_ref(),
            TableName::DriverQuantities => self.driver_quantities.as_ref(),
            TableName::Receivables => self.receivables.as_ref(),
            TableName::Fx => self.fx.as_ref(),
            TableName::Traced => self.traced.as_ref(),
            TableName::Events => self.events.as_ref(),
            TableName::Contracts => self.contracts.as_ref(),
            TableName::ResourceWeights => self.resource_weights.as_ref(),
            TableName::Referrals => self.referrals.as_ref(),
            TableName::Opportunities => self.opportunities.as_ref(),
            TableName::Learning => self.learning.as_ref(),
            TableName::AcquisitionPlan => self.acquisition_plan.as_ref(),
            TableName::Market => self.market.as_ref(),
            TableName::Targets => self.targets.as_ref(),
            TableName::Actions => self.actions.as_ref(),
            TableName::ActionCustomers => self.action_customers.as_ref(),
            TableName::Prospects => self.prospects.as_ref(),
            TableName::Interactions => self.interactions.as_ref(),
            TableName::Truth | TableName::EarlierRun => None,
        }
    }

    /// Every table that is configured, to be changed.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = (TableName, &mut TableSetting)> {
        let side = [
            (TableName::Customers, self.customers.as_mut()),
            (TableName::Products, self.products.as_mut()),
            (TableName::Pools, self.pools.as_mut()),
            (TableName::Activities, self.activities.as_mut()),
            (TableName::DriverQuantities, self.driver_quantities.as_mut()),
            (TableName::Receivables, self.receivables.as_mut()),
            (TableName::Fx, self.fx.as_mut()),
            (TableName::Traced, self.traced.as_mut()),
            (TableName::Events, self.events.as_mut()),
            (TableName::Contracts, self.contracts.as_mut()),
            (TableName::ResourceWeights, self.resource_weights.as_mut()),
            (TableName::Referrals, self.referrals.as_mut()),
            (TableName::Opportunities, self.opportunities.as_mut()),
            (TableName::Learning, self.learning.as_mut()),
            (TableName::AcquisitionPlan, self.acquisition_plan.as_mut()),
            (TableName::Market, self.market.as_mut()),
            (TableName::Targets, self.targets.as_mut()),
            (TableName::Actions, self.actions.as_mut()),
            (TableName::ActionCustomers, self.action_customers.as_mut()),
            (TableName::Prospects, self.prospects.as_mut()),
            (TableName::Interactions, self.interactions.as_mut()),
        ];
        let side = side.into_iter().filter_map(|(name, setting)| Some((name, setting?)));
        std::iter::once((TableName::Transactions, &mut self.transactions)).chain(side)
    }
}

/// What the footers of a table's files may say. The defaults are far above what a ledger of many years has, and keep a file
/// that lies, or that was made to hurt, from being decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows of all files.
    pub max_rows: u64,
    /// Bytes that one row group of a file has when it is unpacked: what a decoder may hold at once.
    pub max_uncompressed_bytes: u64,
    /// Row groups of all files.
    pub max_row_groups: u64,
    /// Columns of a file, those of nested ones counted singly.
    pub max_columns: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_rows: 100_000_000_000,
            max_uncompressed_bytes: 16 << 30,
            max_row_groups: 10_000_000,
            max_columns: 20_000,
        }
    }
}

impl Limits {
    /// Names of the limits in configs.
    pub const KEYS: [&str; 4] = ["max_rows", "max_uncompressed_bytes", "max_row_groups", "max_columns"];

    /// The same with one of [`Self::KEYS`] changed.
    #[must_use]
    pub fn with(mut self, key: &str, limit: u64) -> Self {
        match key {
            "max_rows" => self.max_rows = limit,
            "max_uncompressed_bytes" => self.max_uncompressed_bytes = limit,
            "max_row_groups" => self.max_row_groups = limit,
            "max_columns" => self.max_columns = limit,
            _ => {}
        }
        self
    }
}

/// Where a table is and how its columns are named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableSetting {
    /// Files, globs or folders, relative to [`Settings::base`](super::settings::Settings::base).
    pub paths: Vec<String>,
    /// File format.
    pub format: Format,
    /// Our column name → the file's.
    pub columns: BTreeMap<String, String>,
    /// Polars SQL predicate over the file's columns: only rows for which it is true are read.
    pub filter: Option<String>,
    /// Columns that models may use, by the user's name; of the customers table alone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub covariates: BTreeMap<String, CovariateColumn>,
    /// What its footers may say.
    #[serde(skip)]
    pub limits: Limits,
    /// Key of the pseudonyms that stand in the place of its ids; `None` keeps them.
    #[serde(skip)]
    pub id_key: Option<IdKey>,
}

/// Where the key of pseudonyms is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdKeySource {
    /// An environment variable.
    Variable(String),
    /// A file that its owner alone may read, relative to the config.
    File(String),
}

/// A key that is never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdKey([u8; 32]);

impl IdKey {
    /// The key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for IdKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdKey(…)")
    }
}

/// Format of an input table's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header; small tables only (never `transactions`).
    Csv,
}

/// How lines with a negative amount or quantity are shown. Net revenue is the same under `Net`, `Separate` and `Purchases`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnsPolicy {
    /// Gross sales include them, with their sign.
    Net,
    /// They stand in `returns`, as a positive amount; gross sales are the positive lines.
    Separate,
    /// They are rejected, counted, with rule `return`.
    Drop,
    /// There are none: a negative amount is a purchase that brought less than it cost. Amounts are contributions.
    Purchases,
}
