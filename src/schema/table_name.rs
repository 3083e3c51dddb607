//! The names of the input tables, with the columns and rules of each.

use serde::Serialize;

use super::plan_inputs;

/// Names of input tables, as in the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableName {
    /// Ledger lines.
    Transactions,
    /// Customers.
    Customers,
    /// Products.
    Products,
    /// Cost pools.
    Pools,
    /// Activities.
    Activities,
    /// Driver quantities.
    DriverQuantities,
    /// Receivables.
    Receivables,
    /// Exchange rates.
    Fx,
    /// Costs that name their customer.
    Traced,
    /// Events.
    Events,
    /// Contracts of customers.
    Contracts,
    /// Whom resource pools serve.
    ResourceWeights,
    /// Who was won through whom.
    Referrals,
    /// The sales pipeline.
    Opportunities,
    /// Knowledge gained from customers.
    Learning,
    /// Customers that are planned to be won.
    AcquisitionPlan,
    /// What customers of others are worth.
    Market,
    /// Targets of what drives equity.
    Targets,
    /// What may be done for customers.
    Actions,
    /// For whom in particular.
    ActionCustomers,
    /// Customers who may be won.
    Prospects,
    /// Complaints, ideas and requests of customers.
    Interactions,
    /// What an earlier run told of customers: named by `equity.bridge`.
    EarlierRun,
    /// What customers truly cost: given to a comparison, never in a config.
    Truth,
}

impl TableName {
    /// Every table of a config, in the order of the config's documentation.
    pub const ALL: [Self; 22] = [
        Self::Transactions,
        Self::Customers,
        Self::Products,
        Self::Pools,
        Self::Activities,
        Self::DriverQuantities,
        Self::Receivables,
        Self::Fx,
        Self::Traced,
        Self::Events,
        Self::Contracts,
        Self::ResourceWeights,
        Self::Referrals,
        Self::Opportunities,
        Self::Learning,
        Self::AcquisitionPlan,
        Self::Market,
        Self::Targets,
        Self::Actions,
        Self::ActionCustomers,
        Self::Prospects,
        Self::Interactions,
    ];

    /// Whether its rows carry money; those of `customers` do where `acquisition_cost` is mapped.
    #[must_use]
    pub fn carries_money(self) -> bool {
        matches!(
            self,
            Self::Transactions
                | Self::Customers
                | Self::Pools
                | Self::Receivables
                | Self::Traced
                | Self::Opportunities
                | Self::Learning
                | Self::AcquisitionPlan
                | Self::Market
                | Self::Truth
        )
    }

    /// The name in the config.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Customers => "customers",
            Self::Products => "products",
            Self::Pools => "pools",
            Self::Activities => "activities",
            Self::DriverQuantities => "driver_quantities",
            Self::Receivables => "receivables",
            Self::Fx => "fx",
            Self::Traced => "traced",
            Self::Events => "events",
            Self::Contracts => "contracts",
            Self::ResourceWeights => "resource_weights",
            Self::Referrals => "referrals",
            Self::Opportunities => "opportunities",
            Self::Learning => "learning",
            Self::AcquisitionPlan => "acquisition_plan",
            Self::Market => "market",
            Self::Targets => "targets",
            Self::Actions => "actions",
            Self::ActionCustomers => "action_customers",
            Self::Prospects => "prospects",
            Self::EarlierRun => "earlier_run",
            Self::Interactions => "interactions",
            Self::Truth => "truth",
        }
    }

    /// Columns that `columns` may map, and whether each must be mapped.
    #[must_use]
    pub fn columns(self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Transactions => &[
                ("customer_id", true),
                ("date", true),
                ("order_id", false),
                ("amount", false),
                ("quantity", false),
                ("unit_price", false),
                ("discount", false),
                ("product_id", false),
                ("product_cost", false),
                ("currency", false),
            ],
            Self::Customers => &[
                ("customer_id", true),
                ("segment", false),
                ("acquisition_cost", false),
                ("channel", false),
                ("region", false),
                ("wallet", false),
                ("wallet_probability", false),
                ("benchmark", false),
                ("parent", false),
            ],
            Self::Products => &[("product_id", true), ("unit_cost", true)],
            Self::Pools => &[
                ("activity", true),
                ("amount", true),
                ("period", false),
                ("date", false),
                ("currency", false),
                ("account", false),
                ("cost_centre", false),
                ("capacity", false),
            ],
            Self::Activities => &[
                ("activity", true),
                ("level", true),
                ("method", true),
                ("driver", false),
                ("capacity", false),
                ("rate", false),
                ("rule", false),
                ("rule_version", false),
                ("valid_from", false),
                ("valid_to", false),
            ],
            Self::DriverQuantities => {
                &[("customer_id", true), ("driver", true), ("quantity", true), ("period", false), ("date", false)]
            }
            Self::Receivables => &[
                ("customer_id", true),
                ("balance", false),
                ("write_off", false),
                ("default_probability", false),
                ("days_late", false),
                ("overdue", false),
                ("disputed", false),
                ("period", false),
                ("date", false),
            ],
            Self::Fx => &[("currency", true), ("rate", true), ("kind", false), ("period", false), ("date", false)],
            Self::Events => &[("customer_id", true), ("period", false), ("date", false)],
            Self::Contracts => &[("customer_id", true), ("start", true), ("end", true)],
            Self::ResourceWeights => {
                &[("from", true), ("to", true), ("weight", true), ("period", false), ("date", false)]
            }
            Self::Referrals => &[("referrer", true), ("referred", true), ("date", false), ("weight", false)],
            Self::Opportunities => {
                &[("customer_id", true), ("amount", true), ("probability", true), ("date", true), ("margin", false)]
            }
            Self::Learning => &[("customer_id", true), ("value", true), ("date", true), ("half_life", false)],
            Self::Interactions => &[("customer_id", true), ("kind", true), ("date", false), ("weight", false)],
            Self::Traced => {
                &[("customer_id", true), ("activity", true), ("amount", true), ("period", false), ("date", false)]
            }
            _ => plan_inputs::columns(self),
        }
    }

    /// Rules of the contract on this table.
    #[must_use]
    pub fn rules(self) -> &'static [&'static str] {
        match self {
            Self::Transactions => &[
                "missing_customer",
                "missing_date",
                "invalid_amount",
                "after_as_of",
                "wrong_currency",
                "unknown_customer",
                "unknown_product",
                "missing_value",
                "invalid_driver",
                "amount_range",
                "quantity_range",
                "date_range",
            ],
            Self::Customers => {
                &["missing_customer", "duplicate_customer", "invalid_amount", "invalid_probability", "invalid_flag"]
            }
            Self::Products => &["missing_product", "duplicate_product", "invalid_amount"],
            Self::Pools => &[
                "invalid_amount",
                "unknown_activity",
                "unknown_currency",
                "invalid_capacity",
                "invalid_period",
                "after_as_of",
            ],
            Self::Activities => &["missing_activity", "invalid_dates", "duplicate_activity"],
            Self::DriverQuantities => &[
                "missing_customer",
                "unknown_customer",
                "unknown_driver",
                "invalid_quantity",
                "invalid_period",
                "after_as_of",
                "duplicate_key",
            ],
            Self::Events => {
                &["missing_customer", "unknown_customer", "invalid_quantity", "invalid_period", "after_as_of"]
            }
            Self::Contracts => &[
                "missing_customer",
                "unknown_customer",
                "missing_date",
                "after_as_of",
                "ends_before_start",
                "overlapping_contract",
            ],
            Self::ResourceWeights => &["missing_pool", "invalid_weight", "invalid_period", "duplicate_key"],
            Self::AcquisitionPlan
            | Self::Market
            | Self::Targets
            | Self::Actions
            | Self::ActionCustomers
            | Self::Prospects
            | Self::EarlierRun => plan_inputs::rules(self),
            Self::Referrals | Self::Opportunities | Self::Interactions | Self::Learning => self.rules_of_relations(),
            Self::Truth => &["missing_customer", "unknown_customer", "invalid_amount", "duplicate_customer"],
            Self::Traced => &[
                "missing_customer",
                "unknown_customer",
                "unknown_activity",
                "invalid_amount",
                "invalid_period",
                "after_as_of",
            ],
            Self::Receivables => &[
                "missing_customer",
                "unknown_customer",
                "invalid_amount",
                "invalid_probability",
                "invalid_period",
                "after_as_of",
                "duplicate_key",
            ],
            Self::Fx => {
                &["missing_currency", "invalid_rate", "unknown_kind", "invalid_period", "after_as_of", "duplicate_key"]
            }
        }
    }

    /// Rules of the tables of what is known of customers beside what they bought.
    fn rules_of_relations(self) -> &'static [&'static str] {
        match self {
            Self::Referrals => &[
                "missing_customer",
                "unknown_customer",
                "self_referral",
                "late_referral",
                "cyclic_referral",
                "invalid_weight",
                "missing_date",
                "after_as_of",
                "duplicate_key",
            ],
            Self::Opportunities => &[
                "missing_customer",
                "unknown_customer",
                "invalid_amount",
                "invalid_probability",
                "invalid_margin",
                "missing_date",
                "past_opportunity",
            ],
            Self::Interactions => &[
                "missing_customer",
                "unknown_customer",
                "unknown_kind",
                "invalid_weight",
                "missing_date",
                "after_as_of",
            ],
            Self::Learning => &[
                "missing_customer",
                "unknown_customer",
                "invalid_amount",
                "invalid_half_life",
                "missing_date",
                "after_as_of",
            ],
            _ => &[],
        }
    }
}
