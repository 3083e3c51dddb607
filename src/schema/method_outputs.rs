//! The dataset that compares allocation methods.

use super::outputs::{
    CUSTOMERS,
    ColumnType::{Float, Integer, MoneySum, Text},
    OutputDataset, column, optional,
};

/// What `whalecurve compare` writes.
pub const METHOD_COMPARISON: OutputDataset = OutputDataset {
    name: "method_comparison",
    grain: "one row a pair of methods, over economic profit and allocated cost of every customer; in the order of the methods",
    columns: &[
        column(
            "method_a",
            Text,
            "one method: config, average, even, revenue, cost; with several configs CONFIG:METHOD",
        ),
        column("method_b", Text, "the other method, or truth"),
        CUSTOMERS,
        column("cost_a", MoneySum, "cost that customers bear under method_a"),
        column("cost_b", MoneySum, "cost that customers bear under method_b"),
        column("cost_moved", MoneySum, "half the sum of |a - b| over customers' costs"),
        optional("share_moved", Float, "sum of |a - b| / (cost_a + cost_b); null when there is no cost"),
        column("sign_changes", Integer, "customers that lose money under one method and not under the other"),
        column("sign_change_amount", MoneySum, "sum of |profit_a - profit_b| of those customers"),
        optional("rank_correlation", Float, "Spearman's rank correlation of profit, ties by mid-ranks"),
        optional("top_decile_overlap", Float, "share of the best tenth that both methods agree on"),
        optional("bottom_decile_overlap", Float, "share of the worst tenth that both methods agree on"),
        column("change_p99", MoneySum, "what the profits of 99 % of the customers differ by at most"),
        column("change_max", MoneySum, "what a customer's profits differ by at most"),
        column("losing_a", Integer, "customers with negative profit under method_a"),
        column("losing_b", Integer, "customers with negative profit under method_b"),
        optional("peak_a", Float, "peak of the whale curve / profit, method_a; null when profit is not positive"),
        optional("peak_b", Float, "the same, method_b"),
        optional("gini_a", Float, "Gini coefficient of profit, method_a; above 1 where losses are large"),
        optional("gini_b", Float, "the same, method_b"),
        optional("stobachoff_a", Float, "Stobachoff index, method_a: share of the curve's area above the diagonal"),
        optional("stobachoff_b", Float, "the same, method_b"),
        optional("mean_percentage_error", Float, "mean of |cost - truth| / |truth| where the truth is not zero"),
        optional("euclidean_distance", MoneySum, "root of the sum of (cost - truth)²"),
        optional("relative_distance", Float, "euclidean_distance / root of the sum of truth²"),
        optional("share_within_5_percent", Float, "customers whose cost is within 5 % of the truth"),
    ],
};
