//! What the columns of our tables may be, and what kernels read of them.

use polars::prelude::DataType;

/// What a role's column may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Id,
    Day,
    Number,
    Text,
    IdOrDay,
    /// A name that may be a number.
    Name,
    /// Yes or no.
    Switch,
}

/// Columns of numbers in the tables of plans and decisions, and in what an earlier run told.
const NUMBERS: [&str; 21] = [
    "customers",
    "cost",
    "equity",
    "value",
    "target",
    "retention",
    "frequency",
    "margin",
    "cost_to_serve",
    "probability",
    "uncertainty",
    "expected_revenue",
    "expected_value",
    "p_alive",
    "expected_spend",
    "margin_rate",
    "cost_per_purchase",
    "cost_per_time",
    "expected_discounted_purchases",
    "expected_discounted_lifetime",
    "purchase_rate_if_alive",
];

impl Role {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "customer_id" | "referrer" | "referred" | "product_id" | "order_id" | "prospect_id" | "account"
            | "cost_centre" => Self::Id,
            "date" | "start" | "end" | "valid_from" | "valid_to" => Self::Day,
            "amount"
            | "quantity"
            | "unit_price"
            | "discount"
            | "product_cost"
            | "unit_cost"
            | "balance"
            | "write_off"
            | "default_probability"
            | "acquisition_cost"
            | "capacity"
            | "rule_version"
            | "wallet"
            | "wallet_probability"
            | "probability"
            | "margin"
            | "value"
            | "half_life"
            | "weight"
            | "days_late"
            | "overdue"
            | "disputed"
            | "rate" => Self::Number,
            "parent" => Self::Name,
            "benchmark" => Self::Switch,
            _ if NUMBERS.contains(&name) => Self::Number,
            "period" => Self::IdOrDay,
            _ => Self::Text,
        }
    }

    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Id => "an integer or text",
            Self::Day => "a date or timestamp",
            Self::Number => "an integer, decimal or float",
            Self::Text => "text",
            Self::IdOrDay => "text, an integer year or a date",
            Self::Name => "text or an integer",
            Self::Switch => "a boolean, 0 and 1, or text",
        }
    }

    /// The cast to what kernels read; `None` when the type does not fit the role. No cast can fail on a value.
    pub(super) fn cast(self, dtype: &DataType, csv: bool) -> Option<DataType> {
        use DataType as D;
        let text = matches!(dtype, D::String | D::Categorical(..) | D::Enum(..));
        Some(match self {
            // Unsigned and single precision are left to the contract: a cast would lose what does not fit.
            Self::Id | Self::Number if *dtype == D::UInt64 => D::UInt64,
            // The contract widens these on its way, which is cheaper than a column more in memory.
            Self::Id | Self::Number if *dtype == D::Int32 => D::Int32,
            Self::Number if *dtype == D::Float32 => D::Float32,
            Self::Id | Self::Number | Self::IdOrDay if dtype.is_integer() => D::Int64,
            Self::Id | Self::Text | Self::IdOrDay | Self::Name | Self::Switch if text => D::String,
            Self::Name if dtype.is_integer() => D::String,
            Self::Switch if *dtype == D::Boolean => D::Boolean,
            Self::Switch if dtype.is_integer() => D::Int64,
            Self::Day | Self::IdOrDay if matches!(dtype, D::Date | D::Datetime(..)) => D::Date,
            Self::Number if dtype.is_float() => D::Float64,
            Self::Number if matches!(dtype, D::Decimal(..)) => dtype.clone(),
            Self::Day | Self::Number if csv && text => D::String,
            _ => return None,
        })
    }
}
