//! Datasets of the forecast by groups of customers.

use super::outputs::{
    ColumnType::{Float, Integer, Money, Text},
    OutputColumn, OutputDataset, SCENARIO, column, optional,
};

const BY: OutputColumn = column(
    "grouping",
    Text,
    "segment, channel, region, cohort_year, cohort_quarter or cohort_month (of the first purchase)",
);

/// Groups with parameters of their own.
pub const MODEL_GROUP: OutputDataset = OutputDataset {
    name: "model_group",
    grain: "with `pool_by`, one row a group: the parameters of its customers, drawn towards those of all groups; sorted by group",
    columns: &[
        BY,
        column("group", Text, "name of the group; (none) without one"),
        column("model", Text, "model of purchases and dropout"),
        column("customers", Integer, "customers with a purchase"),
        column("repeaters", Integer, "those who bought again"),
        column("own_end", Text, "how a fit to this group alone ended: converged, boundary, ridge or failed"),
        optional("own_why", Text, "why it failed, or which limit it reached"),
        column(
            "weight",
            Float,
            "share of what varies between groups that comes from the group's own customers, 0 to 1",
        ),
        optional("r", Float, "shape of purchase rates"),
        optional(
            "r_error",
            Float,
            "standard error, given the variances between groups; null where the common fit has none",
        ),
        optional("r_own", Float, "as fitted to this group alone; null where that failed"),
        optional("alpha", Float, "rate of purchase rates, in time units of the model"),
        optional("alpha_error", Float, "standard error"),
        optional("alpha_own", Float, "as fitted to this group alone"),
        optional("a", Float, "first shape of dropout probabilities; null under Pareto/NBD"),
        optional("a_error", Float, "standard error"),
        optional("a_own", Float, "as fitted to this group alone"),
        optional("b", Float, "second shape of dropout probabilities; null under Pareto/NBD"),
        optional("b_error", Float, "standard error"),
        optional("b_own", Float, "as fitted to this group alone"),
        optional("s", Float, "shape of dropout rates; null but under Pareto/NBD"),
        optional("s_error", Float, "standard error"),
        optional("s_own", Float, "as fitted to this group alone"),
        optional("beta", Float, "rate of dropout rates, in time units of the model; null but under Pareto/NBD"),
        optional("beta_error", Float, "standard error"),
        optional("beta_own", Float, "as fitted to this group alone"),
        column("log_likelihood", Float, "of the group's customers at its parameters"),
        optional("own_log_likelihood", Float, "its maximum for this group alone"),
        optional(
            "spend_level",
            Float,
            "level of its purchases' amounts: a factor on those of the mean group (gamma_gamma), or what is added to them (normal); null where groups do not differ in spend",
        ),
        optional("spend_weight", Float, "share of that level that comes from the group's own customers, 0 to 1"),
    ],
};

/// Likelihood-ratio tests.
pub const MODEL_TEST: OutputDataset = OutputDataset {
    name: "model_test",
    grain: "with `pool_by`, one row a likelihood-ratio test of the groups against one fit for all; sorted by test",
    columns: &[
        column("test", Text, "pooled (groups drawn from one distribution) or separate (a fit of its own for each)"),
        BY,
        optional("log_likelihood_one", Float, "maximum of the log-likelihood of one fit for all"),
        optional("log_likelihood", Float, "of the groups"),
        column("statistic", Float, "2 (log_likelihood - log_likelihood_one)"),
        column("degrees_of_freedom", Integer, "parameters that one fit has fewer"),
        column(
            "p_value",
            Float,
            "probability of such a statistic by chance, chi-squared; too large where variances of 0 or limits of a fit are at stake",
        ),
    ],
};

/// Customers not yet acquired.
pub const NEW_CUSTOMER_VALUE: OutputDataset = OutputDataset {
    name: "new_customer_value",
    grain: "one row a way of grouping customers and group: what the next customer is expected to bring who comes the way these came; empty without a forecast; base first, then the scenario; sorted by way (all first), then group",
    columns: &[
        column("grouping", Text, "all, segment, channel, region, cohort_year, or what pool_by names"),
        column("group", Text, "name of the group; (none) without one"),
        column("customers", Integer, "customers with a purchase (an accepted contract) that this rests on"),
        column(
            "expected_purchases",
            Float,
            "purchases to the horizon, the first one counted; under contract periods paid for, or time units under contract",
        ),
        column("expected_spend", Money, "what is spent on them, not discounted"),
        column("expected_value", Money, "discounted contribution to the horizon, before acquisition cost"),
        column(
            "most_to_pay",
            Money,
            "what may be paid at most to win one: expected_value, or 0 where that is negative",
        ),
        optional(
            "acquisition_cost",
            Money,
            "mean cost of having won a customer of the group, of those of whom it is known; null where it is known of none",
        ),
        optional("value_after_acquisition", Money, "expected_value - acquisition_cost"),
        SCENARIO,
    ],
};
