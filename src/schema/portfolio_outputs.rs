//! Datasets of how customers pay, move between groups, decline, and how concentrated they are.

use super::outputs::{
    CUSTOMER, CUSTOMERS,
    ColumnType::{Float, Integer, Money, MoneySum, Text},
    OutputDataset, SCENARIO, column, optional,
};

/// How customers pay.
pub(super) const CUSTOMER_PAYMENT: OutputDataset = OutputDataset {
    name: "customer_payment",
    grain: "one row a customer with receivables, where the table says how they are paid (days_late, overdue, disputed or write_off); sorted by customer_id",
    columns: &[
        CUSTOMER,
        column("periods", Integer, "periods with a record"),
        optional("days_late", Float, "days late, the newest periods weighing most (credit.half_life)"),
        optional("days_late_trend", Float, "days later from period to period, Theil-Sen; null below three periods"),
        optional(
            "overdue_share",
            Float,
            "share that is overdue of the balances of which it is known, weighted likewise",
        ),
        optional(
            "disputed_share",
            Float,
            "share that is disputed of the balances of which it is known, weighted likewise",
        ),
        optional(
            "write_off_share",
            Float,
            "write-offs less recoveries, at least 0 / net revenue to date; null without revenue",
        ),
        optional("grade", Text, "A (best) to E: the worst of the levels, one worse where the trend says so"),
        optional(
            "default_probability",
            Float,
            "probability of default within a year of the grade (credit.default_probability)",
        ),
    ],
};

/// How customers move between groups.
pub(super) const SEGMENT_MIGRATION: OutputDataset = OutputDataset {
    name: "segment_migration",
    grain: "one row a segmentation, period and pair of groups that somebody moved between (or stayed in) to the next period, of those that have ended by as_of; base first, then the scenario; empty where the run has no periods; sorted by segmentation, period, from, to",
    columns: &[
        column(
            "segmentation",
            Text,
            "profit (profitable, losing, idle by the profit of the period) or value_tier (tiers of it); not_yet before a customer comes",
        ),
        column("period", Text, "earlier period"),
        column("next_period", Text, "the period after it"),
        column("from", Text, "group in the earlier period"),
        column("to", Text, "group in the next"),
        CUSTOMERS,
        column("net_revenue", MoneySum, "their net revenue in the earlier period"),
        column("next_net_revenue", MoneySum, "in the next"),
        column("profit", MoneySum, "their economic profit before acquisition cost in the earlier period"),
        column("next_profit", MoneySum, "in the next"),
        SCENARIO,
    ],
};

/// Customers who were profitable once.
pub(super) const CUSTOMER_DECLINE: OutputDataset = OutputDataset {
    name: "customer_decline",
    grain: "one row a customer that lost money in the last whole year and earned some in an earlier one, the latest of them; base first, then the scenario; sorted by customer_id",
    columns: &[
        CUSTOMER,
        column("before", Text, "year in which it was profitable: first and last period"),
        column("now", Text, "last whole year"),
        column("profit_before", Money, "economic profit before acquisition cost, above 0"),
        column("profit_now", Money, "the same now, below 0"),
        column("change", Money, "profit_now - profit_before = the sum of the next six"),
        column("volume", Money, "of volume (units, else orders), at the price and product cost of before"),
        column("price_mix", Money, "of price, discount and mix, on the volume of now"),
        column("product_cost", Money, "of product cost a unit, activities on products (layer cm1) among it"),
        column("cost_to_serve", Money, "of the cost of other activities (layers cm2, cm3 and below)"),
        column("lateness", Money, "of capital charge and bad debt"),
        column("other", Money, "of commissions"),
        SCENARIO,
    ],
};

/// How concentrated sales, profit and cost are.
pub(super) const CONCENTRATION: OutputDataset = OutputDataset {
    name: "concentration",
    grain: "one row for all customers, and one a segmentation and segment with customers; base first, then the scenario; sorted by segmentation, segment",
    columns: &[
        column("segmentation", Text, "all, or as in segment_value"),
        column("segment", Text, "all, or name of the segment"),
        CUSTOMERS,
        column("losing", Integer, "customers with negative economic profit"),
        column("net_revenue", MoneySum, "net revenue to date"),
        column("economic_profit", MoneySum, "economic profit to date"),
        column("cost_to_serve", MoneySum, "order_cost + customer_cost + below_cost of customer_profit, to date"),
        optional("peak_share", Float, "peak of the whale curve / economic profit; null where that is not positive"),
        optional("gini", Float, "Gini coefficient of economic profit; likewise"),
        optional("stobachoff", Float, "Stobachoff index of economic profit, 0 to 1; likewise"),
        optional("top_20_share_of_sales", Float, "share of net revenue that the 20 % with most of it have"),
        optional("top_20_share_of_profit", Float, "share of economic profit that the 20 % with most of it have"),
        optional("top_20_share_of_cost", Float, "share of cost to serve that the 20 % with most of it have"),
        optional(
            "overlap_sales_cost",
            Float,
            "share of the top 20 % by sales who are top 20 % by cost to serve; the expected one where customers tie for the last places, null where nothing is spent on serving",
        ),
        optional(
            "overlap_profit_cost",
            Float,
            "share of the top 20 % by profit who are top 20 % by cost to serve, likewise",
        ),
        column(
            "carrying_customers",
            Integer,
            "fewest customers who earn as much as all together; 0 where that is not positive",
        ),
        column("carrying_share", Float, "carrying_customers / customers"),
        SCENARIO,
    ],
};
