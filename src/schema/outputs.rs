//! The output datasets: names, columns, types, units and meaning in one place. `whalecurve schema` prints this; the
//! writer refuses a dataset that differs from it.

/// Type of an output column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// The type of the ledger's customer ids: INT64 or text.
    Id,
    /// Text.
    Text,
    /// INT64.
    Integer,
    /// Money: DECIMAL(18, exponent of the currency).
    Money,
    /// Money summed over customers: DECIMAL(38, exponent of the currency).
    MoneySum,
    /// Quantity: DECIMAL(18, 6).
    Quantity,
    /// Quantity summed over customers: DECIMAL(38, 6).
    QuantitySum,
    /// DOUBLE.
    Float,
    /// DATE.
    Date,
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub kind: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Meaning, with unit.
    pub meaning: &'static str,
}

/// One dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputDataset {
    /// Name of its folder.
    pub name: &'static str,
    /// What a row is, and its sort key.
    pub grain: &'static str,
    /// Columns in order.
    pub columns: &'static [OutputColumn],
}

pub(super) const fn column(name: &'static str, kind: ColumnType, meaning: &'static str) -> OutputColumn {
    OutputColumn { name, kind, nullable: false, meaning }
}

pub(super) const fn optional(name: &'static str, kind: ColumnType, meaning: &'static str) -> OutputColumn {
    OutputColumn { name, kind, nullable: true, meaning }
}

use ColumnType::{Date, Float, Id, Integer, Money, MoneySum, Quantity, QuantitySum, Text};

const CUSTOMER: OutputColumn = column("customer_id", Id, "customer");
const PERIOD: OutputColumn = column("period", Text, "period: all, 1997, 1997-Q1 or 1997-03");

/// Columns that `customer_profit` and `customer_profit_total` share.
macro_rules! profit_columns {
    ($($first:expr),*) => {
        &[
            $($first,)*
            column("gross_sales", Money, "positive lines (with `returns: net` all lines), before discount"),
            column("returns", Money, "returns, positive"),
            column("discount", Money, "discount, positive"),
            column("net_revenue", Money, "gross_sales - returns - discount"),
            column("product_cost", Money, "cost of the products sold, from the ledger or the products table"),
            column("product_activity_cost", Money, "allocated cost of activities at level product"),
            column("cm1", Money, "net_revenue - product_cost - product_activity_cost"),
            column("order_cost", Money, "allocated cost of activities at level order"),
            column("cm2", Money, "cm1 - order_cost"),
            column("customer_cost", Money, "allocated cost of activities at level customer"),
            column("cm3", Money, "cm2 - customer_cost: what the customer earned after cost-to-serve"),
            column("capital_charge", Money, "cost of capital bound in receivables"),
            column("economic_profit", Money, "cm3 - capital_charge"),
            column("orders", Integer, "distinct orders with a purchase line"),
            column("lines", Integer, "accepted ledger lines"),
            column("units", Quantity, "units, net of returns"),
        ]
    };
}

const CUSTOMERS: OutputColumn = column("customers", Integer, "number of customers");

/// Every dataset of a run, in the order they are written.
pub const DATASETS: &[OutputDataset] = &[
    OutputDataset {
        name: "customer_profit",
        grain: "one row a customer and period with any activity; sorted by customer_id, period",
        columns: profit_columns!(CUSTOMER, PERIOD),
    },
    OutputDataset {
        name: "customer_profit_total",
        grain: "one row a customer: the exact sum of customer_profit; sorted by customer_id",
        columns: profit_columns!(CUSTOMER),
    },
    OutputDataset {
        name: "customer_cost",
        grain: "one row a customer, period and activity with a driver quantity or cost; sorted by customer_id, period, activity",
        columns: &[
            CUSTOMER,
            PERIOD,
            column("activity", Text, "activity"),
            column(
                "driver_quantity",
                Quantity,
                "quantity of the activity's driver (revenue in major units; average counts 1)",
            ),
            column("amount", Money, "cost that the customer bears"),
        ],
    },
    OutputDataset {
        name: "pool_balance",
        grain: "one row a pool: cost = allocated + unassigned; sorted by activity, period",
        columns: &[
            column("activity", Text, "activity"),
            PERIOD,
            column("level", Text, "product, order or customer"),
            column("method", Text, "average, revenue or driver"),
            optional("driver", Text, "driver, for method driver"),
            column("cost", Money, "cost of the pool"),
            column("allocated", Money, "borne by customers"),
            column("unassigned", Money, "borne by nobody"),
            optional("unassigned_reason", Text, "no_driver or no_customer"),
            column("recipients", Integer, "rows of customer and period with a driver quantity"),
            column("driver_quantity", QuantitySum, "sum of driver quantities"),
        ],
    },
    OutputDataset {
        name: "customer_value",
        grain: "one row a customer; forecast columns are null without a purchase or without a forecast; sorted by customer_id",
        columns: &[
            CUSTOMER,
            optional("first_purchase", Date, "first day with a purchase"),
            optional("last_purchase", Date, "last day with a purchase"),
            optional("frequency", Integer, "repeat purchase days, x"),
            optional("recency", Float, "first to last purchase, t_x, in time units of the model"),
            optional("age", Float, "first purchase to as_of, T, in time units of the model"),
            optional("mean_spend", Money, "mean revenue of a repeat purchase day"),
            optional("p_alive", Float, "probability of being alive at as_of"),
            optional("expected_purchases", Float, "expected purchases to the horizon"),
            optional("expected_value", Money, "expected discounted contribution to the horizon, closed form"),
            optional("lifetime_value_mean", Money, "mean of the simulated lifetime value of contribution"),
            optional("lifetime_value_sd", Money, "standard deviation"),
            optional("lifetime_value_p05", Money, "5 % quantile"),
            optional("lifetime_value_p25", Money, "25 % quantile"),
            optional("lifetime_value_p50", Money, "median"),
            optional("lifetime_value_p75", Money, "75 % quantile"),
            optional("lifetime_value_p95", Money, "95 % quantile"),
            optional("probability_of_loss", Float, "probability that the lifetime value is negative"),
        ],
    },
    OutputDataset {
        name: "customer_segment",
        grain: "one row a customer; sorted by customer_id",
        columns: &[
            CUSTOMER,
            column("recency_score", Integer, "1 (longest ago) to rfm_groups (most recent)"),
            column("frequency_score", Integer, "1 (fewest purchase days) to rfm_groups"),
            column("monetary_score", Integer, "1 (least net revenue) to rfm_groups"),
            column("value_tier", Text, "tier by expected value, else by economic profit"),
            optional("segment", Text, "segment of the customers table"),
        ],
    },
    OutputDataset {
        name: "segment_value",
        grain: "one row a segmentation and segment; sorted by segmentation, segment",
        columns: &[
            column("segmentation", Text, "value_tier or segment"),
            column("segment", Text, "name of the segment; (none) without one"),
            CUSTOMERS,
            column("net_revenue", MoneySum, "net revenue to date"),
            column("cm3", MoneySum, "CM3 to date"),
            column("economic_profit", MoneySum, "economic profit to date"),
            optional("expected_value", MoneySum, "sum of expected_value"),
            optional("lifetime_value_mean", MoneySum, "mean of the simulated total"),
            optional("lifetime_value_sd", MoneySum, "standard deviation of the simulated total, joint draws"),
            optional("lifetime_value_p05", MoneySum, "5 % quantile of the total"),
            optional("lifetime_value_p50", MoneySum, "median of the total"),
            optional("lifetime_value_p95", MoneySum, "95 % quantile of the total"),
        ],
    },
    OutputDataset {
        name: "customer_equity",
        grain: "one row: the whole customer base",
        columns: &[
            column("as_of", Date, "day of the forecast"),
            CUSTOMERS,
            column("losing_customers", Integer, "customers with negative economic profit"),
            column("net_revenue", MoneySum, "net revenue to date"),
            column("cm3", MoneySum, "CM3 to date"),
            column("economic_profit", MoneySum, "economic profit to date"),
            column("peak_profit", MoneySum, "profit of the customers that earn something: the peak of the whale curve"),
            column("peak_customers", Integer, "customers up to the peak"),
            optional("horizon_days", Integer, "length of the forecast"),
            optional("expected_value", MoneySum, "sum of expected_value, closed form"),
            optional("equity_mean", MoneySum, "mean of the simulated customer equity"),
            optional("equity_sd", MoneySum, "standard deviation, joint draws"),
            optional("equity_p05", MoneySum, "5 % quantile"),
            optional("equity_p50", MoneySum, "median"),
            optional("equity_p95", MoneySum, "95 % quantile"),
        ],
    },
    OutputDataset {
        name: "whale_curve",
        grain: "points of cumulative economic profit, best customer first (every k-th above 10,000 customers); sorted by customers",
        columns: &[
            column("customers", Integer, "customers so far"),
            column("share_of_customers", Float, "customers / all customers"),
            column("cumulative_profit", MoneySum, "their economic profit"),
            optional("share_of_profit", Float, "cumulative_profit / total; null when the total is not positive"),
        ],
    },
    OutputDataset {
        name: "rejected",
        grain: "one row an input row that broke a rule; sorted by all columns",
        columns: &[
            column("table", Text, "input table"),
            column("rule", Text, "rule that it broke first"),
            column("reason", Text, "what is wrong"),
            column("cells", Text, "the mapped cells as a JSON object of texts"),
            optional("amount", Money, "money of the row; null when it has none that can be read"),
        ],
    },
    OutputDataset {
        name: "input_balance",
        grain: "one row a table, bucket and rule: input = accepted + unassigned + rejected; sorted by table, bucket, rule",
        columns: &[
            column("table", Text, "input table"),
            column(
                "bucket",
                Text,
                "input, accepted, unassigned (no customer, kept), rejected, or rule (broken rows by rule)",
            ),
            column("rule", Text, "rule, for bucket rule"),
            column("rows", Integer, "rows"),
            column("amount", MoneySum, "money of rows whose amount can be read"),
        ],
    },
    super::forecasting::MODEL_COMPARISON,
];
