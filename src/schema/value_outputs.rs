//! Datasets of what customers are worth, and of the groups that they form.

use super::outputs::{
    CUSTOMER, CUSTOMERS,
    ColumnType::{Boolean, Date, Float, Integer, Money, MoneySum, Quantity, QuantitySum, Text},
    OutputColumn, OutputDataset, SCENARIO, column, optional, quantiles,
};

/// What every customer is worth.
pub(super) const CUSTOMER_VALUE: OutputDataset = OutputDataset {
    name: "customer_value",
    grain: "one row a customer; base first, then the scenario; forecast columns are null without a purchase (under a model of contracts, without a contract) or without a forecast; sorted by customer_id",
    columns: &[
        CUSTOMER,
        optional("first_purchase", Date, "first day with a purchase"),
        optional("last_purchase", Date, "last day with a purchase"),
        optional("frequency", Integer, "repeat purchase days, x"),
        optional("recency", Float, "first to last purchase, t_x, in time units of the model"),
        optional("age", Float, "first purchase to as_of, T, in time units of the model"),
        optional("mean_spend", Money, "mean revenue of a repeat purchase day"),
        column("historical_value", Money, "economic profit to date, all periods, after acquisition cost"),
        column("acquisition_cost", Money, "cost of winning the customer"),
        column("historical_value_before_acquisition", Money, "historical_value + acquisition_cost"),
        optional(
            "current_value",
            Money,
            "economic profit, after acquisition cost, of the last 12 whole months or 4 whole quarters that end on or before as_of (a month or quarter that as_of cuts does not count); 0 where the customer has nothing in them; null when the run's period is neither month nor quarter",
        ),
        optional(
            "p_alive",
            Float,
            "probability of being alive at as_of; under a model of contracts 1 or 0, but where the next renewal is open the probability that it is made",
        ),
        optional(
            "expected_purchases",
            Float,
            "expected purchases to the horizon; under a model of contracts renewals, or time units under contract",
        ),
        optional(
            "expected_discounted_purchases",
            Float,
            "expected_purchases, each discounted (discounted expected residual transactions, or residual lifetime under contract)",
        ),
        optional(
            "expected_discounted_purchases_for_ever",
            Float,
            "the same without a horizon, discounted as `discounting` says; renewals and opportunities one time unit apart; null where the discount rate is 0, or so small that the sum does not converge, or where covariates tell more than 10,000 futures apart",
        ),
        optional(
            "p_alive_at_horizon",
            Float,
            "probability of being alive (under contract) at the horizon; with bg_bb at the last opportunity up to it",
        ),
        optional(
            "probability_of_purchase",
            Float,
            "probability of at least one purchase up to the horizon, the chance of having left included; null under a model of contracts",
        ),
        optional(
            "days_to_next_purchase_p50",
            Float,
            "days by which the customer has bought again with probability 50 %, the chance of having left included; null where that is never so, or takes more than 100 years (with `next_purchase: simulated`, or not up to the horizon), with bg_bb, and under a model of contracts",
        ),
        optional("expected_value", Money, "expected discounted contribution to the horizon, closed form"),
        optional(
            "purchase_rate_if_alive",
            Float,
            "expected purchases a time unit of the model now, if alive; under contract 1, a period that is paid for, and with bg_bb the probability of a purchase at an opportunity: time units are then periods, or opportunities",
        ),
        optional("expected_spend", Float, "expected amount of a purchase, major units"),
        optional(
            "margin_rate",
            Float,
            "contribution of a unit of spend: CM1 less commissions, bad debt and capital charge over purchase revenue, drawn towards the customer's segment by how little is known",
        ),
        optional("cost_per_purchase", Float, "order-level cost of a purchase, major units, likewise"),
        optional("cost_per_time", Float, "cost of keeping the customer for a time unit, major units, likewise"),
        optional(
            "expected_discounted_lifetime",
            Float,
            "expected time alive to the horizon, discounted, in time units; expected_value = (margin_rate · expected_spend - cost_per_purchase) · expected_discounted_purchases - cost_per_time · expected_discounted_lifetime",
        ),
        optional("lifetime_value_mean", Money, "mean of the simulated lifetime value of contribution"),
        optional("lifetime_value_mean_error", Money, "Monte Carlo standard error of that mean"),
        optional("lifetime_value_sd", Money, "standard deviation"),
        quantiles(
            "lifetime_value",
            Money,
            "the simulated lifetime value; one column for each of `forecast.quantiles`, ascending",
        ),
        optional(
            "lifetime_value_shortfall",
            Money,
            "expected shortfall: mean of the worst 5 % of the simulated values",
        ),
        optional("probability_of_loss", Float, "probability that the lifetime value is negative"),
        column("base_potential", Money, "all sales less all costs made for the customer to date: historical_value"),
        optional(
            "growth_potential",
            Money,
            "expected_value (0 outside the forecast) + pipeline_value + wallet_value; null without a forecast",
        ),
        optional(
            "pipeline_value",
            Money,
            "inputs.opportunities: sum of amount × probability × margin, discounted to as_of; null without the table or a forecast",
        ),
        optional(
            "wallet_value",
            Money,
            "share of wallet not yet won, of a year: (wallet - net revenue of the last year, at least 0) × wallet_probability × contribution rate; null where no wallet is known",
        ),
        optional(
            "networking_potential",
            Money,
            "networking_new + networking_saved: what referrals brought, by generations; null without inputs.referrals or a forecast",
        ),
        optional("networking_new", Money, "expected value of referred customers who would not have come otherwise"),
        optional(
            "networking_saved",
            Money,
            "acquisition cost saved on referred customers who would have come anyhow; null where no acquisition cost is known",
        ),
        optional(
            "networking_given",
            Money,
            "what the customer passes on to those who referred it; over all customers as much as networking_potential",
        ),
        optional(
            "learning_potential",
            Money,
            "inputs.learning: sum of value × 2^(-age / half_life); null without the table",
        ),
        optional(
            "total_potential",
            Money,
            "base + growth + networking - networking_given + learning, what is null counting nothing; null without a forecast",
        ),
        optional("rank_by_base", Integer, "1 = largest base_potential, ties by customer_id"),
        optional("rank_by_growth", Integer, "the same by growth_potential; null with it"),
        optional("rank_by_networking", Integer, "the same by networking_potential; null with it"),
        optional("rank_by_learning", Integer, "the same by learning_potential; null with it"),
        optional("rank_by_total", Integer, "the same by total_potential; null with it"),
        SCENARIO,
    ],
};

/// Groups of every customer.
pub(super) const CUSTOMER_SEGMENT: OutputDataset = OutputDataset {
    name: "customer_segment",
    grain: "one row a customer; base first, then the scenario; sorted by customer_id",
    columns: &[
        CUSTOMER,
        column("recency_score", Integer, "1 (longest ago) to rfm_groups (most recent)"),
        column("frequency_score", Integer, "1 (fewest purchase days) to rfm_groups"),
        column("monetary_score", Integer, "1 (least net revenue) to rfm_groups"),
        column("value_tier", Text, "tier by expected value, else by economic profit"),
        optional("segment", Text, "segment of the customers table"),
        column(
            "rfm_cell",
            Text,
            "named cell of recency and frequency score: champions, loyal, potential_loyalists, new, promising, need_attention, about_to_sleep, at_risk, cant_lose, hibernating, or no_purchase",
        ),
        optional(
            "portfolio_group",
            Text,
            "invest, nurture, re_engineer or let_go, by present_profit and growth_potential; null without a forecast",
        ),
        column(
            "present_profit",
            Money,
            "economic profit before acquisition cost, of the last 12 whole months or 4 whole quarters; to date where the run's period is neither, and of a customer who came after them",
        ),
        optional(
            "best_way_to_serve",
            Text,
            "where present_profit is not above present_above: the way to serve (or the what-if, where prices stay) that would earn most; null where none would earn more than now",
        ),
        optional("profit_if_re_engineered", Money, "present_profit under that way, at unchanged rates"),
        optional(
            "high_lifetime_value",
            Boolean,
            "among the best by expected_value (roles.high_lifetime_value of all); null without a forecast",
        ),
        optional(
            "benchmark",
            Boolean,
            "others copy it: flagged in the customers table, or referral_influence of at least roles.benchmark_referrals; null where neither is known",
        ),
        optional(
            "referral_influence",
            Quantity,
            "customers referred who have come, shared among referrers by weight, those further down with networking.decay a generation; null without inputs.referrals",
        ),
        optional(
            "inspiration",
            Boolean,
            "among those with the highest inspiration_score (roles.inspiration of all); null without inputs.interactions",
        ),
        optional(
            "inspiration_score",
            Float,
            "weight of complaints, ideas and demanding requests / (net revenue + mean net revenue of a customer), a major unit",
        ),
        column(
            "cost_magnet",
            Boolean,
            "bears at least roles.cost_magnet times its share of sales of the fixed cost, and as many times the mean",
        ),
        optional(
            "fixed_cost_ratio",
            Float,
            "share of the fixed cost of all customers / share of net revenue; null without fixed cost or without sales",
        ),
        column(
            "protected_by_role",
            Boolean,
            "present_profit is not above present_above, but it has a role: do not end it by the number alone",
        ),
        optional("cluster", Text, "cluster by k-means (portfolio.clusters), the first by the mean of the first column"),
        optional("user_segment", Text, "first of portfolio.segments whose expression is true; (other) where none is"),
        SCENARIO,
    ],
};

pub(super) const SEGMENTATION: OutputColumn = column(
    "segmentation",
    Text,
    "channel, cluster, parent, portfolio_group, region, rfm_cell, segment, user_segment, value_tier, or the cohort of the first purchase: cohort_year, cohort_quarter, cohort_month",
);
pub(super) const SEGMENT: OutputColumn = column("segment", Text, "name of the segment; (none) without one");

/// Segments with what they are worth.
pub(super) const SEGMENT_VALUE: OutputDataset = OutputDataset {
    name: "segment_value",
    grain: "one row a segmentation and segment; base first, then the scenario; sorted by segmentation, segment",
    columns: &[
        SEGMENTATION,
        SEGMENT,
        CUSTOMERS,
        column("net_revenue", MoneySum, "net revenue to date"),
        column("cm3", MoneySum, "CM3 to date"),
        column("economic_profit", MoneySum, "economic profit to date"),
        optional("expected_value", MoneySum, "sum of expected_value"),
        optional(
            "lifetime_value_mean",
            MoneySum,
            "mean of the simulated total; it and what follows are null where a segmentation has more than 200 segments, or is made of simulated columns",
        ),
        optional("lifetime_value_mean_error", MoneySum, "Monte Carlo standard error of that mean, at most"),
        optional("lifetime_value_sd", MoneySum, "standard deviation of the simulated total, joint draws"),
        quantiles(
            "lifetime_value",
            MoneySum,
            "the simulated total, joint draws; one column for each of `forecast.quantiles`",
        ),
        optional("lifetime_value_shortfall", MoneySum, "mean of the worst 5 % of the simulated totals, joint draws"),
        SCENARIO,
    ],
};

/// The whole customer base.
pub(super) const CUSTOMER_EQUITY: OutputDataset = OutputDataset {
    name: "customer_equity",
    grain: "one row a scenario: the whole customer base",
    columns: &[
        column("as_of", Date, "day of the forecast"),
        CUSTOMERS,
        optional(
            "losing_customers",
            Integer,
            "customers with negative economic profit; null where they, or the others, are too few to be told (`suppress`)",
        ),
        column("net_revenue", MoneySum, "net revenue to date"),
        column("cm3", MoneySum, "CM3 to date"),
        column("economic_profit", MoneySum, "economic profit to date"),
        optional(
            "peak_profit",
            MoneySum,
            "profit of the customers that earn something: the peak of the whale curve; null where it would tell of too few",
        ),
        optional("peak_customers", Integer, "customers up to the peak; null likewise"),
        optional("horizon_days", Integer, "length of the forecast"),
        optional("expected_value", MoneySum, "sum of expected_value, closed form"),
        optional("equity_mean", MoneySum, "mean of the simulated customer equity"),
        optional("equity_mean_error", MoneySum, "Monte Carlo standard error of that mean, at most"),
        optional("equity_sd", MoneySum, "standard deviation, joint draws"),
        quantiles(
            "equity",
            MoneySum,
            "the simulated customer equity, joint draws; one column for each of `forecast.quantiles`",
        ),
        optional("equity_shortfall", MoneySum, "mean of the worst 5 % of the simulated totals, joint draws"),
        optional(
            "planned_customers",
            QuantitySum,
            "customers of inputs.acquisition_plan who are still to be won, of groups in which somebody has bought",
        ),
        optional("planned_value", MoneySum, "what they are worth at as_of: value of acquisition_value"),
        optional("planned_cost", MoneySum, "what winning them costs, discounted to as_of"),
        optional(
            "equity_with_plan",
            MoneySum,
            "expected_value + planned_value - planned_cost: today's base and the customers still to be won",
        ),
        SCENARIO,
    ],
};

/// Cumulative profit, best customer first.
pub(super) const WHALE_CURVE: OutputDataset = OutputDataset {
    name: "whale_curve",
    grain: "points of cumulative economic profit, best customer first (every k-th above 10,000 customers, and no step of fewer than suppress.smallest_group); base first, then the scenario; sorted by customers",
    columns: &[
        column("customers", Integer, "customers so far"),
        column("share_of_customers", Float, "customers / all customers"),
        column("cumulative_profit", MoneySum, "their economic profit"),
        optional("share_of_profit", Float, "cumulative_profit / total; null when the total is not positive"),
        SCENARIO,
    ],
};
