//! Datasets of customer equity: beside sales, over the market, with customers still to be won, bridged between two days.

use super::{
    outputs::{
        CUSTOMERS,
        ColumnType::{Boolean, Date, Float, Id, Integer, Money, MoneySum, Quantity, Text},
        OutputDataset, SCENARIO, column, optional,
    },
    value_outputs::{SEGMENT, SEGMENTATION},
};

/// Equity beside what customers bring today.
pub(super) const SEGMENT_EQUITY: OutputDataset = OutputDataset {
    name: "segment_equity",
    grain: "one row a segmentation and segment, and one of all customers (segmentation all): what they bring today beside what they are worth; base first, then the scenario; sorted by segmentation, segment",
    columns: &[
        SEGMENTATION,
        SEGMENT,
        CUSTOMERS,
        column("net_revenue", MoneySum, "net revenue to date"),
        column("cm1", MoneySum, "product margin to date: CM1"),
        column("economic_profit", MoneySum, "economic profit to date"),
        optional(
            "current_net_revenue",
            MoneySum,
            "net revenue of the last 12 whole months, 4 whole quarters or whole calendar year, as the run's periods are; null of a run without periods",
        ),
        optional("current_cm1", MoneySum, "product margin of the same time"),
        optional("equity", MoneySum, "customer equity: sum of expected_value; null without a forecast"),
        optional("equity_per_customer", Money, "equity / customers, half to even"),
        optional("share_of_net_revenue", Float, "net_revenue over that of all customers; null unless that is positive"),
        optional("share_of_cm1", Float, "cm1 over that of all customers; null unless that is positive"),
        optional("share_of_equity", Float, "equity over that of all customers; null unless that is positive"),
        SCENARIO,
    ],
};

/// What drives equity.
pub(super) const SEGMENT_MEASURE: OutputDataset = OutputDataset {
    name: "segment_measure",
    grain: "one row a segmentation, segment and measure that can be told; base first, then the scenario; sorted by segmentation, segment, measure as listed",
    columns: &[
        SEGMENTATION,
        SEGMENT,
        column(
            "measure",
            Text,
            "acquisition_cost (mean cost of having won a customer of whom it is known, major units), retention_rate (of those who bought in the 12 months, 4 quarters or year before the last ones, the share who bought in the last ones), expected_retention_rate (P(alive) at the horizon over P(alive) now, a year: to the power of 365.25 / horizon days), share_of_customer (sales to the customer of the last 12 months over its wallet), orders_per_customer (an order counts once a period) and products_per_customer (to date: development), share_of_customer_equity (as in equity_share), lifetime_value (expected, a customer, major units)",
        ),
        column("customers", Integer, "customers that the measure rests on"),
        column("value", Float, "what was measured"),
        optional("target", Float, "target, from inputs.targets; of all customers where it names no segment or channel"),
        optional("difference", Float, "value - target"),
        optional("met", Boolean, "whether value >= target; acquisition_cost: value <= target"),
        SCENARIO,
    ],
};

/// Parts of the market.
pub(super) const EQUITY_SHARE: OutputDataset = OutputDataset {
    name: "equity_share",
    grain: "with inputs.market and a forecast, one row a segment of it and competitor, ours first; all customers are the sum of the segments where the table gives every one of them and not all, and no row was set aside; sorted by segmentation, segment",
    columns: &[
        column("segmentation", Text, "all or segment"),
        SEGMENT,
        column("competitor", Text, "(own), a competitor, or (others): the market less our own"),
        optional("customers", Quantity, "customers, where they are known"),
        column("equity", MoneySum, "what they are worth: of our own the sum of expected_value"),
        optional(
            "share_of_equity",
            Float,
            "equity over that of all customers of the market; null unless that is positive",
        ),
    ],
};

/// Customers still to be won.
pub(super) const ACQUISITION_VALUE: OutputDataset = OutputDataset {
    name: "acquisition_value",
    grain: "with inputs.acquisition_plan and a forecast, one row of the plan: what customers still to be won are worth; sorted by grouping, group, date",
    columns: &[
        column("grouping", Text, "all, segment or channel"),
        column("group", Text, "whom they are like; all without a segment or channel"),
        column("date", Date, "when they come"),
        column("planned_customers", Quantity, "how many"),
        optional(
            "value_per_customer",
            Money,
            "expected_value of new_customer_value, at the day they come; null, and nothing counted, where no such customer has a purchase yet",
        ),
        column("discount_factor", Float, "what a unit of money on that day is worth at as_of"),
        optional(
            "value",
            Money,
            "planned_customers · value_per_customer · discount_factor, rounded once: value_per_customer counts with all its digits here",
        ),
        column("cost", Money, "cost of winning them · discount_factor"),
        optional("value_after_cost", Money, "value - cost"),
    ],
};

/// Equity from one day to the next.
pub(super) const EQUITY_BRIDGE: OutputDataset = OutputDataset {
    name: "equity_bridge",
    grain: "with equity.bridge, one row a segmentation, segment and step; every segment's steps before closing sum to it, and segments sum to all, where no small group is left out; segments are those of today; sorted by segmentation, segment, step",
    columns: &[
        SEGMENTATION,
        SEGMENT,
        column("step", Integer, "1 (opening) to 9 (closing)"),
        column(
            "component",
            Text,
            "opening, acquired, lost, retention, spend, margin, cost_to_serve, discount_rate or closing",
        ),
        column("date", Date, "opening: the day of the opening equity; else as_of"),
        CUSTOMERS,
        column("amount", MoneySum, "opening and closing: equity, the sum of expected values; else what was added"),
    ],
};

/// Products as doors.
pub(super) const PRODUCT_ENTRY: OutputDataset = OutputDataset {
    name: "product_entry",
    grain: "one row a product, when the ledger maps product_id: its margin beside the customers whose first purchase day had it (a customer counts with every product of that day); base first, then the scenario; sorted by product_id",
    columns: &[
        optional("product_id", Id, "product, of the type of the ledger's product ids"),
        column("margin", Money, "margin of product_profit: after all cost that reaches the product"),
        column("entered_customers", Integer, "customers whose first purchase day had it"),
        optional("expected_value", MoneySum, "sum of their expected_value; null without a forecast"),
        optional("expected_value_per_customer", Money, "the same a customer, half to even; null without one"),
        optional("lifetime_value_mean", MoneySum, "sum of their simulated lifetime_value_mean"),
        column("observed_customers", Integer, "those of them whose first purchase was 365 days or more before as_of"),
        column("second_purchases", Integer, "those of these who bought again within 365 days"),
        optional("second_purchase_share", Float, "second_purchases / observed_customers; null without one"),
        optional(
            "door_rank",
            Integer,
            "1 for the product whose entrants are worth most a customer, among products that at least equity.doors.min_customers entered through; ties share a rank; null below and without a forecast",
        ),
        optional(
            "role",
            Text,
            "earns_and_opens, earns, opens (the least profitable, but the door of valuable customers) or neither; earns: margin above 0 and not among the equity.doors.least_profitable share of products (of products with one margin all are, or none where there is no place for all); opens: min_customers entered or more, and are worth more a customer than entrants of all products, among whom a customer counts once for each product of its first purchase day; null without a forecast",
        ),
        SCENARIO,
    ],
};
