//! The output datasets: names, columns, types, units and meaning in one place. `whalecurve schema` prints this; the
//! writer refuses a dataset that differs from it.

use super::quantiles::Quantile;

/// Type of an output column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// The type of the ids that a dataset is about, mostly the ledger's customers: INT64 or text.
    Id,
    /// The type of the ledger's customer ids, beside ids of something else.
    CustomerId,
    /// Text.
    Text,
    /// INT64.
    Integer,
    /// Money: DECIMAL(18, exponent of the currency).
    Money,
    /// Money summed over customers: DECIMAL(38, exponent of the currency).
    MoneySum,
    /// Quantity: DECIMAL(18, 6).
    Quantity,
    /// Quantity summed over customers: DECIMAL(38, 6).
    QuantitySum,
    /// DOUBLE.
    Float,
    /// DATE.
    Date,
    /// BOOLEAN.
    Boolean,
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub kind: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Meaning, with unit.
    pub meaning: &'static str,
    /// Whether it stands once for each quantile of the run: its name is then the columns' first part, its meaning what the
    /// quantiles are of.
    pub each_quantile: bool,
}

/// A column as it is in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunColumn {
    /// Name.
    pub name: String,
    /// Type.
    pub kind: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Meaning, with unit.
    pub meaning: String,
}

/// One dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputDataset {
    /// Name of its folder.
    pub name: &'static str,
    /// What a row is, and its sort key.
    pub grain: &'static str,
    /// Columns in order.
    pub columns: &'static [OutputColumn],
}

pub(super) const fn column(name: &'static str, kind: ColumnType, meaning: &'static str) -> OutputColumn {
    OutputColumn { name, kind, nullable: false, meaning, each_quantile: false }
}

pub(super) const fn optional(name: &'static str, kind: ColumnType, meaning: &'static str) -> OutputColumn {
    OutputColumn { name, kind, nullable: true, meaning, each_quantile: false }
}

/// One optional column for each quantile of the run: `name_p05` and its like.
pub(super) const fn quantiles(name: &'static str, kind: ColumnType, meaning: &'static str) -> OutputColumn {
    OutputColumn { name, kind, nullable: true, meaning, each_quantile: true }
}

impl OutputDataset {
    /// The columns in order, in a run that tells these quantiles.
    #[must_use]
    pub fn columns_of(&self, quantiles: &[Quantile]) -> Vec<RunColumn> {
        let of = |column: &OutputColumn| -> Vec<RunColumn> {
            let OutputColumn { name, kind, nullable, meaning, each_quantile } = *column;
            if !each_quantile {
                return vec![RunColumn { name: name.to_owned(), kind, nullable, meaning: meaning.to_owned() }];
            }
            let one = |quantile: &Quantile| RunColumn {
                name: format!("{name}_{}", quantile.suffix()),
                kind,
                nullable,
                meaning: format!("{} of {meaning}", quantile.words()),
            };
            quantiles.iter().map(one).collect()
        };
        self.columns.iter().flat_map(of).collect()
    }
}

use ColumnType::{Boolean, Float, Id, Integer, Money, MoneySum, Quantity, QuantitySum, Text};

pub(super) const CUSTOMER: OutputColumn = column("customer_id", Id, "customer");
pub(super) const PERIOD: OutputColumn = column("period", Text, "period: all, 1997, 1997-Q1 or 1997-03");

pub(super) const SCENARIO: OutputColumn = column("scenario", Text, "base, or the name of the what-if beside it");

/// Columns that `customer_profit` and `customer_profit_total` share.
macro_rules! profit_columns {
    ($($first:expr),*) => {
        &[
            $($first,)*
            column("gross_sales", Money, "positive lines (with `returns: net` all lines), before discount"),
            column("returns", Money, "returns, positive"),
            column("discount", Money, "discount, positive"),
            column("net_revenue", Money, "gross_sales - returns - discount"),
            column("product_cost", Money, "cost of the products sold, from the ledger or the products table"),
            column("product_activity_cost", Money, "allocated cost of activities in layer cm1"),
            column("cm1", Money, "net_revenue - product_cost - product_activity_cost"),
            column("order_cost", Money, "allocated cost of activities in layer cm2"),
            column("cm2", Money, "cm1 - order_cost"),
            column("customer_cost", Money, "allocated cost of activities in layer cm3"),
            column("cm3", Money, "cm2 - customer_cost: what the customer earned after cost-to-serve"),
            column("below_cost", Money, "allocated cost of activities in layer below: pushed down from above the customer"),
            column("capital_charge", Money, "cost of capital bound in receivables"),
            column("bad_debt", Money, "written off, or exposure × probability × loss"),
            column("commissions", Money, "commission on net revenue, cm1 or gross sales"),
            column("acquisition_cost", Money, "cost of winning the customer, in the period of its first purchase"),
            column(
                "economic_profit",
                Money,
                "cm3 - below_cost - capital_charge - bad_debt - commissions - acquisition_cost",
            ),
            column("fixed_cost", Money, "part of the allocated cost of all activities that does not follow the volume"),
            column("avoidable_cost", Money, "part of it that would be saved if the customer left"),
            column("orders", Integer, "distinct orders with a purchase line, each counted once a period"),
            column("lines", Integer, "accepted ledger lines"),
            column("units", Quantity, "units, net of returns"),
            SCENARIO,
        ]
    };
}

pub(super) const CUSTOMERS: OutputColumn = column("customers", Integer, "number of customers");

/// Every dataset of a run, in the order they are written.
pub const DATASETS: &[OutputDataset] = &[
    OutputDataset {
        name: "customer_profit",
        grain: "one row a customer and period with any activity; base first, then the scenario, each sorted by customer_id, period",
        columns: profit_columns!(CUSTOMER, PERIOD),
    },
    OutputDataset {
        name: "customer_profit_total",
        grain: "one row a customer: the exact sum of customer_profit; sorted by customer_id",
        columns: profit_columns!(CUSTOMER),
    },
    OutputDataset {
        name: "customer_cost",
        grain: "one row a customer, period and activity with a driver quantity or cost; sorted by customer_id, period, activity",
        columns: &[
            CUSTOMER,
            PERIOD,
            column("activity", Text, "activity"),
            column("rule", Text, "rule that says so: of the period, where several follow each other"),
            column("rule_version", Integer, "its version"),
            column(
                "kind",
                Text,
                "direct_tracing, driver_tracing or allocation: of what divided the cost, also in place of a driver that nobody used",
            ),
            column(
                "driver_quantity",
                Quantity,
                "quantity of the activity's driver (revenue and cost in major units; average counts 1); zero where something else stood in for it",
            ),
            column("amount", Money, "cost that the customer bears"),
            SCENARIO,
        ],
    },
    OutputDataset {
        name: "pool_balance",
        grain: "one row a resource pool or activity and period: own + received = sent + allocated + unused + over_driven + under_absorbed + sustained + unassigned; sorted by stage (resources first), pool, period",
        columns: &[
            column("pool", Text, "resource pool or activity"),
            column("stage", Text, "resource or activity"),
            PERIOD,
            optional(
                "level",
                Text,
                "unit, product, order, customer, channel, region or company; null for a resource pool without one",
            ),
            optional("layer", Text, "margin that it lowers: cm1, cm2, cm3 or below; null likewise"),
            optional(
                "behaviour",
                Text,
                "fixed or variable; null for a resource pool whose cost is what its takers' is",
            ),
            optional(
                "avoidable",
                Boolean,
                "whether a customer's share is saved when the customer leaves; null likewise",
            ),
            optional("recurring", Boolean, "whether it comes again"),
            optional("push_down", Boolean, "whether cost of a level above the customer reaches customers by a rule"),
            column("method", Text, "method of the activity, or of the service pools"),
            optional(
                "driver",
                Text,
                "driver, weighted drivers, time equation or costs that it is in proportion to; where nobody used it, what no_driver put in its place",
            ),
            column("rule", Text, "rule that says so"),
            column("rule_version", Integer, "its version"),
            column("own", Money, "its own cost"),
            column("received", Money, "from resource pools"),
            column("sent", Money, "to resource pools and activities"),
            column("allocated", Money, "borne by customers"),
            column(
                "allocated_fixed",
                Money,
                "part of it that is fixed: of the activity, or of resource pools of that behaviour",
            ),
            column("allocated_avoidable", Money, "part of it that is saved when customers leave, likewise"),
            column("unused", Money, "cost of capacity that nobody used"),
            column("over_driven", Money, "pool less allocated when more was used than the capacity; of the other sign"),
            column("under_absorbed", Money, "pool less charged at a standard rate, or less traced"),
            column("sustained", Money, "stays at its level above the customer"),
            column("unassigned_no_driver", Money, "nobody used the driver"),
            column("unassigned_no_customer", Money, "nobody was active"),
            column("unassigned_unknown_customer", Money, "of customers whom nobody knows"),
            column("unassigned_remainder", Money, "left by the percentages"),
            column("unassigned", MoneySum, "borne by nobody: the sum of the four"),
            optional("unassigned_reason", Text, "reasons, when unassigned is not zero"),
            column("residual", MoneySum, "what came less what became of it: always zero"),
            column("recipients", Integer, "rows of customer and period with a driver quantity"),
            column(
                "driver_quantity",
                QuantitySum,
                "sum of driver quantities of known customers; what unknown ones used stands in unassigned_unknown_customer, as cost",
            ),
            column("negative_quantity", QuantitySum, "sum of the negative ones that a policy took out"),
            SCENARIO,
        ],
    },
    OutputDataset {
        name: "capacity_use",
        grain: "one row a pool with a capacity and period; sorted by stage, pool, period",
        columns: &[
            column("pool", Text, "resource pool or activity"),
            column("stage", Text, "resource or activity"),
            PERIOD,
            column("denominator", Text, "practical, normal, budgeted or actual"),
            column("capacity", QuantitySum, "quantity that the cost pays for"),
            column("used", QuantitySum, "quantity that was used"),
            column("unused", QuantitySum, "capacity - used; negative when over-driven"),
            column("utilisation", Float, "used / capacity"),
            column("cost", Money, "cost of the pool, or of the fixed part of a dual rate"),
            column("unused_cost", Money, "cost of what was not used"),
            SCENARIO,
        ],
    },
    OutputDataset {
        name: "activity_rate",
        grain: "one row an activity and period, and one for the fixed part of a dual rate: the exact rate is cost / quantity; sorted by activity, period",
        columns: &[
            column("activity", Text, "activity"),
            PERIOD,
            column("method", Text, "method"),
            optional("driver", Text, "driver, or what no_driver put in its place"),
            column("rule", Text, "rule that says so: of the period, where several follow each other"),
            column("rule_version", Integer, "its version"),
            column("cost", Money, "numerator of the exact rate"),
            column(
                "quantity",
                QuantitySum,
                "denominator: driver quantity, the capacity, or the units that a standard rate is told for",
            ),
            optional("rate", QuantitySum, "major units a unit, six digits, cut off; for display"),
            SCENARIO,
        ],
    },
    OutputDataset {
        name: "trace",
        grain: "one row what an account and cost centre bring into a pool, then one a service of a resource pool (or unused capacity handed on), and period; sorted by giver, taker, period",
        columns: &[
            column("from_stage", Text, "account, resource or activity"),
            optional("from", Text, "account, or pool that gives"),
            optional("cost_centre", Text, "cost centre of the account"),
            column("to_stage", Text, "resource or activity"),
            column("to", Text, "pool or activity that takes"),
            PERIOD,
            optional("weight", Quantity, "weight of the taker; null from accounts"),
            optional("total_weight", Quantity, "sum of the giver's weights, unused capacity included"),
            column("share", Float, "weight / total_weight; of the pool's own cost from accounts"),
            column("amount", Money, "cost that flows"),
            column("rule", Text, "rule that says so"),
            column("rule_version", Integer, "its version"),
            column(
                "kind",
                Text,
                "direct_tracing (accounts), driver_tracing (weights of a period, or a driver's) or allocation (weights that are the same in every period, unused cost)",
            ),
            SCENARIO,
        ],
    },
    OutputDataset {
        name: "scenario_difference",
        grain: "one row a segment, and one for all customers: the scenario beside the base; empty without a scenario; sorted by segmentation, segment",
        columns: &[
            column("scenario", Text, "name of the what-if"),
            column("segmentation", Text, "all, segment or value_tier (of the base)"),
            column("segment", Text, "name of the segment; (none) without one"),
            CUSTOMERS,
            column("net_revenue_base", MoneySum, "net revenue of the base"),
            column("net_revenue_scenario", MoneySum, "net revenue of the scenario"),
            column("net_revenue_difference", MoneySum, "scenario - base"),
            column("cost_base", MoneySum, "everything between net revenue and economic profit"),
            column("cost_scenario", MoneySum, "the same of the scenario"),
            column("cost_difference", MoneySum, "scenario - base"),
            column("economic_profit_base", MoneySum, "economic profit of the base"),
            column("economic_profit_scenario", MoneySum, "economic profit of the scenario"),
            column("economic_profit_difference", MoneySum, "scenario - base"),
            column("losing_base", Integer, "customers with negative economic profit"),
            column("losing_scenario", Integer, "the same of the scenario"),
            column("tier_changes", Integer, "customers whose value tier is another in the scenario"),
            optional("expected_value_base", MoneySum, "sum of expected_value of the base; null without a forecast"),
            optional("expected_value_scenario", MoneySum, "the same of the scenario"),
            optional("expected_value_difference", MoneySum, "scenario - base"),
            optional("equity_base", MoneySum, "mean of the simulated totals of the base; null without a simulation"),
            optional("equity_scenario", MoneySum, "the same of the scenario, drawn with the same random numbers"),
            optional("equity_difference", MoneySum, "scenario - base"),
            optional("equity_difference_p05", MoneySum, "5 % quantile of the difference, future by future"),
            optional("equity_difference_p95", MoneySum, "95 % quantile of the difference, future by future"),
        ],
    },
    OutputDataset {
        name: "fx_conversion",
        grain: "one row an account, cost centre, pool, period and currency of the pools table, when it maps currency: each converted once, and all of it the cost of the pools; sorted by these",
        columns: &[
            optional("account", Text, "account of the general ledger"),
            optional("cost_centre", Text, "cost centre"),
            column("activity", Text, "pool: the activity that bears the cost"),
            PERIOD,
            column("currency", Text, "currency of amount"),
            column("amount", QuantitySum, "cost in major units of currency"),
            column("rate", Float, "units of the run's currency for one of currency, for display"),
            column("rate_exact", Text, "the rate exactly: a decimal, or sum/count of the decimals that were averaged"),
            column("converted", Money, "amount · rate, half to even"),
        ],
    },
    super::value_outputs::CUSTOMER_VALUE,
    super::value_outputs::CUSTOMER_SEGMENT,
    super::value_outputs::SEGMENT_VALUE,
    super::value_outputs::CUSTOMER_EQUITY,
    super::equity_outputs::SEGMENT_EQUITY,
    super::equity_outputs::SEGMENT_MEASURE,
    super::equity_outputs::EQUITY_SHARE,
    super::equity_outputs::ACQUISITION_VALUE,
    super::equity_outputs::EQUITY_BRIDGE,
    super::decision_outputs::DECISION_INVEST,
    super::decision_outputs::DECISION_INVEST_TOTAL,
    super::decision_outputs::DECISION_INVEST_CURVE,
    super::decision_outputs::DECISION_KEEP,
    super::decision_outputs::DECISION_PROSPECT,
    super::value_outputs::WHALE_CURVE,
    super::portfolio_outputs::CUSTOMER_PAYMENT,
    super::portfolio_outputs::SEGMENT_MIGRATION,
    super::portfolio_outputs::CUSTOMER_DECLINE,
    super::portfolio_outputs::CONCENTRATION,
    OutputDataset {
        name: "rejected",
        grain: "one row an input row that broke a rule; sorted by all columns",
        columns: &[
            column("table", Text, "input table"),
            column("rule", Text, "rule that it broke first"),
            column("reason", Text, "what is wrong"),
            column("cells", Text, "the mapped cells as a JSON object of texts"),
            optional("amount", Money, "money of the row; null when it has none that can be read"),
        ],
    },
    OutputDataset {
        name: "input_balance",
        grain: "one row a table, bucket and rule: input = accepted + unassigned + rejected; sorted by table, bucket, rule",
        columns: &[
            column("table", Text, "input table"),
            column(
                "bucket",
                Text,
                "input, accepted, unassigned (no customer, kept), rejected, or rule (broken rows by rule)",
            ),
            column("rule", Text, "rule, for bucket rule"),
            column("rows", Integer, "rows"),
            column("amount", MoneySum, "money of rows whose amount can be read"),
        ],
    },
    super::forecasting::MODEL_COMPARISON,
    super::forecasting::MODEL_COVARIATE,
    super::contract_outputs::MODEL_RETENTION,
    super::grouping::MODEL_GROUP,
    super::grouping::MODEL_TEST,
    super::grouping::NEW_CUSTOMER_VALUE,
    super::object_outputs::PRODUCT_PROFIT,
    super::object_outputs::PRODUCT_BALANCE,
    super::equity_outputs::PRODUCT_ENTRY,
    super::object_outputs::OBJECT_PROFIT,
    super::object_outputs::OBJECT_COST,
    super::object_outputs::OBJECT_BALANCE,
];
