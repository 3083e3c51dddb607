//! A run's settings, resolved: what the command line made of the user's YAML. Plain data, read by every stage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::{
    inputs::{Format, IdKeySource, Inputs, ReturnsPolicy, TableName, TableSetting},
    portfolio::{NetworkingSettings, PortfolioSettings, ValueTier},
};

use super::{
    checks::{Freshness, OutputTest, Threshold},
    costing::{ActivitySetting, ResourceSetting, ServiceSetting},
    covariates::CovariateSettings,
    decisions::DecisionSettings,
    economic::EconomicSettings,
    equity::EquitySettings,
    forecasting::{Discounting, ModelChoice, SpendKind},
    fx::FxSettings,
    money::Currency,
    period::PeriodKind,
    quantiles::{DEFAULT_QUANTILES, Quantile},
    scenario::Scenario,
};
use crate::units::Day;

/// Everything one run needs to know.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// The user's name for this run.
    pub name: String,
    /// The one currency of the run.
    pub currency: Currency,
    /// Last day that counts; the last accepted transaction's day when absent.
    pub as_of: Option<Day>,
    /// Length of a period.
    pub period: PeriodKind,
    /// Key of every random stream.
    pub seed: u64,
    /// Threads of the kernels; all cores when absent. Never changes a result.
    #[serde(skip)]
    pub threads: Option<usize>,
    /// Output folder, absolute or relative to the working directory.
    #[serde(skip)]
    pub output: String,
    /// Folder in which objects of stores are kept while a run reads or uploads them; beside the output, or the system's own for
    /// such files, when absent.
    #[serde(skip)]
    pub spool: Option<String>,
    /// Datasets that are written; `None` = all.
    pub outputs: Option<Vec<String>>,
    /// Old versions of the output that stay beside it.
    #[serde(skip)]
    pub keep_versions: u32,
    /// Folder that input paths are relative to: the config file's own.
    #[serde(skip)]
    pub base: String,
    /// Input tables.
    pub inputs: Inputs,
    /// Rules whose policy the user changed: table → rule → setting.
    pub contract: BTreeMap<TableName, BTreeMap<String, RuleSetting>>,
    /// How old the ledger's last line may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    /// Tests of the outputs, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tests: BTreeMap<String, OutputTest>,
    /// Where the key is that makes pseudonyms of customers' ids; `None` = outputs carry the ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<IdKeySource>,
    /// Driver quantities derived from the ledger, by name.
    pub drivers: BTreeMap<String, LedgerDriver>,
    /// Activities from the config (those of the `activities` table come on top), by name.
    pub activities: BTreeMap<String, ActivitySetting>,
    /// Resource pools, by name.
    pub resources: BTreeMap<String, ResourceSetting>,
    /// How resource pools that serve each other pass on their cost.
    pub service: ServiceSetting,
    /// How foreign money becomes money of the run.
    pub fx: FxSettings,
    /// What stands between CM3 and economic profit.
    pub economic: EconomicSettings,
    /// Forecast; `None` = what needs a forecast is null in the outputs.
    pub forecast: Option<ForecastSettings>,
    /// Groups of customers.
    pub portfolio: PortfolioSettings,
    /// Equity.
    pub equity: EquitySettings,
    /// Decisions.
    pub decisions: DecisionSettings,
    /// What-if beside the base.
    pub scenario: Option<Scenario>,
    /// The page for people.
    pub report: ReportSettings,
    /// Fewest customers of a group that the segment datasets tell; 1 tells every group.
    pub suppress: u64,
}

/// Fewest customers of a group that is told, where nobody says otherwise.
pub const SMALLEST_GROUP: u64 = 10;

/// The page for people, `report.html`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReportSettings {
    /// Whether a run writes it.
    pub write: bool,
    /// Groups of fewer customers are not told.
    pub smallest_group: u64,
}

impl Default for ReportSettings {
    fn default() -> Self {
        Self { write: true, smallest_group: SMALLEST_GROUP }
    }
}

/// Datasets that tell nothing of groups of customers, nor of what customers may become.
pub const WITHOUT_GROUPS: [&str; 13] = [
    "customer_profit",
    "customer_profit_total",
    "customer_cost",
    "pool_balance",
    "capacity_use",
    "activity_rate",
    "trace",
    "fx_conversion",
    "whale_curve",
    "rejected",
    "input_balance",
    "product_profit",
    "product_balance",
];

impl Settings {
    /// Quantiles that the outputs tell; the default ones without a forecast, where their columns are null.
    #[must_use]
    pub fn quantiles(&self) -> &[Quantile] {
        self.forecast.as_ref().map_or(&DEFAULT_QUANTILES, |forecast| forecast.quantiles.as_slice())
    }

    /// Their probabilities.
    #[must_use]
    pub fn levels(&self) -> Vec<f64> {
        self.quantiles().iter().map(|quantile| quantile.level()).collect()
    }

    /// Whether a dataset is written.
    #[must_use]
    pub fn writes(&self, dataset: &str) -> bool {
        self.outputs.as_ref().is_none_or(|outputs| outputs.iter().any(|name| name == dataset))
    }

    /// Whether customers are put into groups: a forecast or a dataset that is written asks for them.
    #[must_use]
    pub fn groups_customers(&self) -> bool {
        let of_groups = |outputs: &Vec<String>| outputs.iter().any(|name| !WITHOUT_GROUPS.contains(&name.as_str()));
        self.forecast.is_some() || self.outputs.as_ref().is_none_or(of_groups)
    }
}

/// What happens to a row that breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The run stops with exit code 3.
    Error,
    /// The row goes to `rejected`.
    Reject,
    /// The row is counted and, in the ledger, stays; in the small tables it is set aside too.
    Warn,
}

impl Policy {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Reject => "reject",
            Self::Warn => "warn",
        }
    }
}

/// A rule's policy and limits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleSetting {
    /// What happens to a row that breaks the rule.
    pub policy: Policy,
    /// More broken rows, or money, than this stop the run.
    #[serde(skip_serializing_if = "Threshold::is_none")]
    pub error_if: Threshold,
    /// More than this is told.
    #[serde(skip_serializing_if = "Threshold::is_none")]
    pub warn_if: Threshold,
    /// Range rules: smallest accepted value (money in major units, or `1997-09-30`), as written.
    pub min: Option<String>,
    /// Range rules: largest accepted value, as written.
    pub max: Option<String>,
}

/// A driver quantity that the ledger itself gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerDriver {
    /// What is counted or summed.
    pub measure: DriverMeasure,
    /// Polars SQL predicate over the file's columns: only these lines count.
    pub filter: Option<String>,
}

impl LedgerDriver {
    /// Whether it is measured in `inputs.events`, not in the ledger.
    #[must_use]
    pub fn is_of_events(&self) -> bool {
        matches!(self.measure, DriverMeasure::Time { .. })
    }

    /// Whether it is worked out order by order.
    #[must_use]
    pub fn is_of_orders(&self) -> bool {
        matches!(self.measure, DriverMeasure::OrderTime { .. })
    }

    /// Whether each ledger line says what it adds to it.
    #[must_use]
    pub fn is_of_lines(&self) -> bool {
        !self.is_of_events() && !self.is_of_orders()
    }
}

/// What a [`LedgerDriver`] counts or sums, per customer and period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverMeasure {
    /// Ledger lines.
    Count,
    /// Distinct orders (lines without an order id count one order a day).
    CountDistinctOrder,
    /// Distinct days.
    CountDistinctDay,
    /// Distinct calendar months.
    CountDistinctMonth,
    /// Sum of a numeric column of the file.
    Sum(String),
    /// Time of the events of `inputs.events`, summed: one equation a row.
    Time {
        /// The equation over columns of the file.
        equation: String,
        /// Columns that it names.
        columns: Vec<String>,
        /// Those of them that are 0 or 1.
        flags: Vec<String>,
    },
    /// Time of the orders with a purchase line, summed: one equation an order.
    OrderTime {
        /// The equation over drivers of the ledger, each counted or summed over the lines of the order.
        equation: String,
        /// Drivers that it names.
        terms: Vec<String>,
        /// Those of them that are 1 where any line of the order counts, and 0 otherwise.
        flags: Vec<String>,
    },
}

/// A model of purchases and dropout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseKind {
    /// Dropout after a repeat purchase.
    BgNbd,
    /// Dropout after any purchase, the first one included.
    MbgNbd,
    /// Dropout at any time.
    ParetoNbd,
    /// As the first, with purchases more regular than by chance.
    BgCnbdK,
    /// As the second, with purchases more regular than by chance.
    MbgCnbdK,
}

impl PurchaseKind {
    /// Every model.
    pub const ALL: [Self; 5] = [Self::BgNbd, Self::MbgNbd, Self::ParetoNbd, Self::BgCnbdK, Self::MbgCnbdK];

    /// Those whose parameters are all continuous: groups can be drawn towards each other, covariates can move them, and a
    /// penalty has a meaning.
    pub const CONTINUOUS: [Self; 3] = [Self::BgNbd, Self::MbgNbd, Self::ParetoNbd];

    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BgNbd => "bg_nbd",
            Self::MbgNbd => "mbg_nbd",
            Self::ParetoNbd => "pareto_nbd",
            Self::BgCnbdK => "bg_cnbd_k",
            Self::MbgCnbdK => "mbg_cnbd_k",
        }
    }
}

/// How the future is forecast.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForecastSettings {
    /// Model of purchases and dropout.
    pub model: ModelChoice,
    /// Days that models are scored on where the run chooses; `None` = the last quarter of the ledger.
    pub holdout_days: Option<u32>,
    /// Contracts that begin up to so many days late are renewals.
    pub grace_days: u32,
    /// Contracts that ended before this day are not in the records; `None` = they hold all.
    pub contracts_from: Option<Day>,
    /// Model of spend on a purchase.
    pub spend: SpendKind,
    /// Days in the model's time unit (7 = weeks, 365.25/12 = months).
    pub days_per_unit: f64,
    /// Name of the time unit.
    pub time_unit: String,
    /// Forecast horizon in days.
    pub horizon_days: u32,
    /// Effective annual discount rate, `>= 0`; continuous rate per year is `ln(1 + rate)`, a year has 365.25 days.
    pub discount_rate_per_year: f64,
    /// When what happens in the future is discounted.
    pub discounting: Discounting,
    /// Monte Carlo paths a customer; 0 = closed forms alone.
    pub paths: u32,
    /// Whether the simulation draws the parameters of the fits as well.
    pub parameter_uncertainty: bool,
    /// Whether the next purchase is told from the paths instead of the closed form.
    pub simulated_waits: bool,
    /// Quantiles of lifetime value and equity that are told, ascending, at least one.
    pub quantiles: Vec<Quantile>,
    /// What moves customers' rates; `None` = all have the same model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covariates: Option<CovariateSettings>,
    /// Groups that have parameters of their own, drawn towards those of all; `None` = one fit for all.
    pub pool_by: Option<PoolBy>,
    /// Penalty on the logarithms of the parameters, above 0; `None` = maximum likelihood.
    pub penalty: Option<f64>,
}

impl ForecastSettings {
    /// Models that may be chosen from: groups and penalties need continuous parameters.
    #[must_use]
    pub fn kinds(&self) -> &'static [PurchaseKind] {
        if self.pool_by.is_some() || self.penalty.is_some() { &PurchaseKind::CONTINUOUS } else { &PurchaseKind::ALL }
    }

    /// Whether the purchase days of every customer are needed: by the model of purchases, or for the spread of amounts within
    /// customers.
    #[must_use]
    pub fn needs_purchase_days(&self) -> bool {
        self.model.needs_purchase_days() || self.spend == SpendKind::Normal
    }
}

/// What puts customers into groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolBy {
    /// The customers table's segment.
    Segment,
    /// The customers table's channel.
    Channel,
    /// The customers table's region.
    Region,
    /// Calendar year of the first purchase.
    CohortYear,
    /// Calendar quarter of the first purchase.
    CohortQuarter,
    /// Calendar month of the first purchase.
    CohortMonth,
}

impl PoolBy {
    /// Every way.
    pub const ALL: [Self; 6] =
        [Self::Segment, Self::Channel, Self::Region, Self::CohortYear, Self::CohortQuarter, Self::CohortMonth];

    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Channel => "channel",
            Self::Region => "region",
            Self::CohortYear => "cohort_year",
            Self::CohortQuarter => "cohort_quarter",
            Self::CohortMonth => "cohort_month",
        }
    }

    /// The customers table's column.
    #[must_use]
    pub fn column(self) -> Option<&'static str> {
        match self {
            Self::Segment | Self::Channel | Self::Region => Some(self.as_str()),
            Self::CohortYear | Self::CohortQuarter | Self::CohortMonth => None,
        }
    }

    /// The calendar period of the first purchase.
    #[must_use]
    pub fn cohort(self) -> Option<PeriodKind> {
        match self {
            Self::Segment | Self::Channel | Self::Region => None,
            Self::CohortYear => Some(PeriodKind::Year),
            Self::CohortQuarter => Some(PeriodKind::Quarter),
            Self::CohortMonth => Some(PeriodKind::Month),
        }
    }
}
