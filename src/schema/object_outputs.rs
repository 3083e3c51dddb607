//! Datasets of products and of other cost objects than customers.

use super::outputs::{
    ColumnType::{CustomerId, Id, Integer, Money, MoneySum, Quantity, Text},
    OutputColumn, OutputDataset, PERIOD, SCENARIO, column, optional,
};

/// Whose an order is.
const OWNER: OutputColumn = optional(
    "customer_id",
    CustomerId,
    "the order's customer: orders of one id of two customers are two; null for other objects",
);

/// Columns that `product_profit` and `object_profit` share.
macro_rules! object_profit_columns {
    ([$($first:expr),*], [$($last:expr),* $(,)?]) => {
        [
            $($first,)*
            column("gross_sales", Money, "positive lines (with `returns: net` all lines), before discount"),
            column("returns", Money, "returns, positive"),
            column("discount", Money, "discount, positive"),
            column("net_revenue", Money, "gross_sales - returns - discount"),
            column("product_cost", Money, "cost of the products sold"),
            column("product_activity_cost", Money, "cost of activities in layer cm1 that reaches the object"),
            column("cm1", Money, "net_revenue - product_cost - product_activity_cost"),
            column("order_cost", Money, "cost of activities in layer cm2 that reaches it"),
            column("cm2", Money, "cm1 - order_cost"),
            column("customer_cost", Money, "cost of activities in layer cm3 that reaches it"),
            column("cm3", Money, "cm2 - customer_cost"),
            column("below_cost", Money, "cost of activities in layer below that reaches it"),
            $($last,)*
        ]
    };
}

const BALANCE_GRAIN: &str = "one row an activity and period: own + received = sent + allocated + stays + unused + over_driven + under_absorbed + unassigned; sorted by activity, period";

/// What became of every activity's cost over objects other than customers.
const BALANCE: &[OutputColumn] = &[
    column("activity", Text, "activity"),
    PERIOD,
    column("level", Text, "unit, product, order, customer, channel, region or company"),
    column("layer", Text, "margin that it lowers: cm1, cm2, cm3 or below"),
    column("method", Text, "method of the activity"),
    optional("driver", Text, "as in pool_balance: of the customers' cost"),
    column("own", Money, "its own cost"),
    column("received", Money, "from resource pools, and of other activities' unused capacity"),
    column("sent", Money, "cost of its unused capacity that another activity takes"),
    column("allocated", Money, "borne by the objects"),
    column("stays", Money, "borne by customers alone, or sustained at its level"),
    optional("stays_reason", Text, "why it does not reach the objects"),
    column("unused", Money, "cost of capacity that nobody used"),
    column("over_driven", Money, "as in pool_balance"),
    column("under_absorbed", Money, "as in pool_balance"),
    column("unassigned", MoneySum, "borne by nobody"),
    column("residual", MoneySum, "what came less what became of it: always zero"),
    SCENARIO,
];

/// Products with their profit.
pub(super) const PRODUCT_PROFIT: OutputDataset = OutputDataset {
    name: "product_profit",
    grain: "one row a product, when the ledger maps product_id; the row without an id holds the lines without one, so that all rows add up to all customers; sorted by product_id, none last",
    columns: &object_profit_columns!(
        [optional("product_id", Id, "product, of the type of the ledger's product ids; null for lines without one")],
        [
            column("margin", Money, "cm3 - below_cost: what the product earned after all cost that reaches it"),
            column("lines", Integer, "accepted ledger lines"),
            column("units", Quantity, "units, net of returns"),
            optional("customers", Integer, "distinct customers with a purchase line of it"),
            optional(
                "entered_customers",
                Integer,
                "those who bought it on the day of their first purchase; all products of that day count"
            ),
            SCENARIO,
        ]
    ),
};

/// What became of the cost over products.
pub(super) const PRODUCT_BALANCE: OutputDataset =
    OutputDataset { name: "product_balance", grain: BALANCE_GRAIN, columns: BALANCE };

/// Objects with their profit.
pub(super) const OBJECT_PROFIT: OutputDataset = OutputDataset {
    name: "object_profit",
    grain: "with --cost-object, one row an object and period with any activity; the row without an id holds the lines without one, of orders one a customer; sorted by object_id, none last, then customer_id and period",
    columns: &object_profit_columns!(
        [
            optional("object_id", Id, "order, product, customer, channel or region; null for lines without one"),
            OWNER,
            PERIOD
        ],
        [
            column("margin", Money, "cm3 - below_cost"),
            optional(
                "economic_cost",
                Money,
                "capital charge, bad debt, commissions and acquisition cost; null where they stay with customers"
            ),
            optional("economic_profit", Money, "margin - economic_cost; null likewise"),
            column("orders", Integer, "distinct orders with a purchase line"),
            column("lines", Integer, "accepted ledger lines"),
            column("units", Quantity, "units, net of returns"),
            SCENARIO,
        ]
    ),
};

/// Costs of objects.
pub(super) const OBJECT_COST: OutputDataset = OutputDataset {
    name: "object_cost",
    grain: "with --cost-object, one row an object, period and activity with a driver quantity or cost; sorted by object_id, none last, customer_id, period, activity",
    columns: &[
        optional("object_id", Id, "order, product, customer, channel or region; null for lines without one"),
        OWNER,
        PERIOD,
        column("activity", Text, "activity"),
        column("rule", Text, "rule by which it reached customers: of the period, where several follow each other"),
        column("rule_version", Integer, "its version"),
        column("kind", Text, "as in customer_cost: how it reached customers"),
        column("driver_quantity", Quantity, "quantity of the activity's driver"),
        column("amount", Money, "cost that the object bears"),
        SCENARIO,
    ],
};

/// What became of the cost over objects.
pub(super) const OBJECT_BALANCE: OutputDataset =
    OutputDataset { name: "object_balance", grain: BALANCE_GRAIN, columns: BALANCE };
