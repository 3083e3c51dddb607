//! Tables that look ahead or are compared with: plans, decisions, earlier runs, true costs. Their columns and rules.

use super::table_name::TableName;

/// Columns, and whether each must be mapped; none of another table.
pub(super) fn columns(table: TableName) -> &'static [(&'static str, bool)] {
    match table {
        TableName::AcquisitionPlan => {
            &[("date", true), ("customers", true), ("cost", false), ("segment", false), ("channel", false)]
        }
        TableName::Market => {
            &[("segment", false), ("competitor", false), ("equity", false), ("customers", false), ("value", false)]
        }
        TableName::Targets => &[("measure", true), ("target", true), ("segment", false), ("channel", false)],
        TableName::Actions => &[
            ("action", true),
            ("cost", true),
            ("segment", false),
            ("channel", false),
            ("value_tier", false),
            ("retention", false),
            ("frequency", false),
            ("margin", false),
            ("cost_to_serve", false),
            ("probability", false),
            ("uncertainty", false),
        ],
        TableName::ActionCustomers => &[("action", true), ("customer_id", true)],
        TableName::Prospects => &[
            ("prospect_id", true),
            ("segment", false),
            ("channel", false),
            ("expected_revenue", false),
            ("acquisition_cost", false),
        ],
        TableName::EarlierRun => &[
            ("customer_id", true),
            ("expected_value", true),
            ("p_alive", true),
            ("expected_spend", true),
            ("margin_rate", true),
            ("cost_per_purchase", true),
            ("cost_per_time", true),
            ("expected_discounted_purchases", true),
            ("expected_discounted_lifetime", true),
            ("purchase_rate_if_alive", true),
        ],
        TableName::Truth => &[("customer_id", true), ("amount", true)],
        _ => &[],
    }
}

/// Rules of the contract; none of another table.
pub(super) fn rules(table: TableName) -> &'static [&'static str] {
    match table {
        TableName::AcquisitionPlan => {
            &["missing_date", "before_as_of", "invalid_quantity", "invalid_amount", "unknown_group"]
        }
        TableName::Market => &["invalid_amount", "invalid_quantity", "unknown_group", "duplicate_key"],
        TableName::Targets => &["unknown_measure", "invalid_quantity", "unknown_group", "duplicate_key"],
        TableName::Actions => &[
            "missing_action",
            "invalid_amount",
            "invalid_effect",
            "invalid_probability",
            "unknown_group",
            "duplicate_key",
        ],
        TableName::ActionCustomers => &["unknown_action", "missing_customer", "unknown_customer", "duplicate_key"],
        TableName::Prospects => &["missing_prospect", "duplicate_prospect", "invalid_amount", "unknown_group"],
        TableName::EarlierRun => &["missing_customer", "unknown_customer"],
        TableName::Truth => &["missing_customer", "unknown_customer", "invalid_amount", "duplicate_customer"],
        _ => &[],
    }
}
