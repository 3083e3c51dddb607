//! Datasets of decisions.

use super::outputs::{
    CUSTOMER,
    ColumnType::{Boolean, Float, Integer, Money, MoneySum, Text},
    OutputDataset, column, optional,
};

/// Who gets what.
pub(super) const DECISION_INVEST: OutputDataset = OutputDataset {
    name: "decision_invest",
    grain: "with inputs.actions and decisions.invest, one row a customer and action that may be taken for it and is expected to gain something, and with most_actions above 1 one a set of them that gains more than anything that costs no more; sorted by customer_id, action",
    columns: &[
        CUSTOMER,
        column(
            "action",
            Text,
            "action; where it stands more than once in the table, with whom it is for; several together with + between them",
        ),
        column("cost", Money, "what it costs"),
        column("value_before", Money, "expected_value of customer_value"),
        column(
            "gain",
            Money,
            "expected gain: probability · (expected value if the action works - expected value), from the columns of customer_value as docs/decisions.md says; of several together by what happens when some of them work",
        ),
        column(
            "gain_sd",
            Money,
            "standard deviation of the gain: uncertainty · gain; of several together the root of the sum of squares of their parts",
        ),
        optional("gain_per_cost", Float, "gain / cost; null of what costs nothing"),
        column("chosen", Boolean, "whether the budget is spent on it: one row a customer at most"),
    ],
};

/// The plan under the budget.
pub(super) const DECISION_INVEST_TOTAL: OutputDataset = OutputDataset {
    name: "decision_invest_total",
    grain: "with inputs.actions and decisions.invest, the row (all), then one row an action; sorted by action",
    columns: &[
        column("action", Text, "(all) or an action"),
        column("customers", Integer, "customers who get it"),
        column("candidates", Integer, "customers for whom it may be taken and gains something, by itself"),
        column("spent", MoneySum, "what it costs"),
        column(
            "gain",
            MoneySum,
            "expected gain; of what is done together an action's part is what it adds, averaged over the orders they may come in",
        ),
        column(
            "gain_sd",
            MoneySum,
            "standard deviation of the gain: an action works better or worse for all its customers alike, actions independently of each other",
        ),
        optional("budget", MoneySum, "what may be spent; of (all) alone, as the columns after it"),
        optional("bound", MoneySum, "gain that no choice within the budget can pass"),
        optional("gap", MoneySum, "bound - gain: what a better choice could gain at most"),
        optional(
            "marginal_return",
            Float,
            "gain of another unit of budget: of what is dearer than the whole budget only where nothing else is left; null where everything that gains is paid for",
        ),
    ],
};

/// Gain against budget.
pub(super) const DECISION_INVEST_CURVE: OutputDataset = OutputDataset {
    name: "decision_invest_curve",
    grain: "with inputs.actions and decisions.invest, points of the most that can be gained against the budget, each the optimum at what is spent there, the first one what is gained for nothing; at most about 1,000; sorted by spent",
    columns: &[
        column("spent", MoneySum, "budget, all spent"),
        column("gain", MoneySum, "most expected gain"),
        column("customers", Integer, "customers for whom something is done"),
        optional("marginal_return", Float, "gain of the last unit of budget; null where nothing was spent on it"),
        column("within_budget", Boolean, "whether spent <= decisions.invest.budget"),
    ],
};

/// Keep or end.
pub(super) const DECISION_KEEP: OutputDataset = OutputDataset {
    name: "decision_keep",
    grain: "with a forecast, one row a customer of it with negative economic profit who has not left a contract: what each way of going on is expected to be worth to the horizon, discounted, against ending it (0); sorted by customer_id",
    columns: &[
        CUSTOMER,
        column("economic_profit", Money, "economic profit to date"),
        column("expected_value", Money, "expected_value of customer_value: at full cost"),
        column(
            "expected_contribution",
            Money,
            "contribution before cost to serve, and before cost of products that stays: lost by ending",
        ),
        column("avoidable_cost", Money, "cost to serve that ends with the customer: saved by ending"),
        column(
            "fixed_cost",
            Money,
            "cost to serve, and of products, that stays, and that others would bear: absorbed by the customer",
        ),
        optional("networking", Money, "networking potential: lost by ending; null where nothing is known of it"),
        optional("learning", Money, "learning potential: lost by ending; null where nothing is known of it"),
        column(
            "keep_value",
            Money,
            "expected_contribution - avoidable_cost + networking + learning; each column is rounded once, so the shown ones may sum to a minor unit more or less",
        ),
        optional(
            "price_rise",
            Float,
            "smallest rise of prices, relative, at which the customer is expected to bear its full cost; null where none is needed, or none does",
        ),
        optional("reprice_value", Money, "keep_value at that rise; null above decisions.keep.max_price_rise"),
        optional("way", Text, "best other way to serve the customer; null where none is worth more than keep_value"),
        optional("serve_value", Money, "keep_value when served in that way, after what changing costs"),
        optional(
            "roles",
            Text,
            "strategic roles, which its profit does not show; such a customer is never ended by the number alone",
        ),
        column(
            "advice",
            Text,
            "keep, reprice, serve_differently or end: the one worth most, the first of these on a tie",
        ),
        column("advice_value", Money, "what that is worth against ending"),
    ],
};

/// Prospects.
pub(super) const DECISION_PROSPECT: OutputDataset = OutputDataset {
    name: "decision_prospect",
    grain: "with inputs.prospects and a forecast, one row a prospect; sorted by prospect_id",
    columns: &[
        column("prospect_id", Text, "prospect"),
        column(
            "grouping",
            Text,
            "whom it is taken to be like: customers of its channel, else of its segment, else all",
        ),
        column("group", Text, "the channel or segment"),
        column("expected_revenue", Money, "expected to be spent up to the horizon, not discounted"),
        column("expected_value", Money, "expected discounted contribution up to the horizon, before acquisition cost"),
        column("expected_cost_to_serve", Money, "a part of that: serving its purchases and keeping it"),
        column("most_to_pay", Money, "what may be paid at most to win it: expected_value, or 0 where that is negative"),
        column("acquisition_cost", Money, "what winning it costs: its own, else the mean of the group, else 0"),
        column("value_after_acquisition", Money, "expected_value - acquisition_cost"),
        column(
            "probability_of_loss",
            Float,
            "probability that it is worth less than acquisition_cost, from drawn futures",
        ),
        column(
            "decision",
            Text,
            "accept, or decline: worth less than it costs, or likelier a loss than decisions.prospects.max_probability_of_loss",
        ),
    ],
};
