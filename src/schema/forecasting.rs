//! Settings of the forecast that choose between models, and the datasets that compare them.

use super::{
    outputs::{
        ColumnType::{Date, Float, Integer, Text},
        OutputColumn, OutputDataset, column, optional,
    },
    renewals::RenewalTerm,
    settings::PurchaseKind,
};
use serde::{Serialize, Serializer};

/// Which model of purchases and dropout a run uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelChoice {
    /// This one.
    One(PurchaseKind),
    /// Whichever foretells a holdout best.
    Auto,
    /// This model of contracts; `None`: whichever foretells a holdout best.
    Contract(Option<ContractKind>),
    /// Purchases at opportunities of one time unit (BG/BB).
    BgBb,
}

/// A model of contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    /// Chances to leave, taken with probabilities that differ between customers (sBG).
    BetaGeometric,
    /// The same, with probabilities that change as a customer stays (`BdW`).
    BetaWeibull,
    /// Leaving at any time, at rates that differ between customers.
    ExponentialGamma,
    /// The same, with rates that change as a customer stays.
    WeibullGamma,
}

impl ContractKind {
    /// Every model.
    pub const ALL: [Self; 4] = [Self::BetaGeometric, Self::BetaWeibull, Self::ExponentialGamma, Self::WeibullGamma];

    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BetaGeometric => "beta_geometric",
            Self::BetaWeibull => "beta_weibull",
            Self::ExponentialGamma => "exponential_gamma",
            Self::WeibullGamma => "weibull_gamma",
        }
    }

    /// Names of the parameters.
    #[must_use]
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::BetaGeometric => &["alpha", "beta"],
            Self::BetaWeibull => &["alpha", "beta", "c"],
            Self::ExponentialGamma => &["r", "alpha"],
            Self::WeibullGamma => &["r", "alpha", "c"],
        }
    }

    /// Whether customers leave on a day of renewal alone, not at any time.
    #[must_use]
    pub fn has_renewals(self) -> bool {
        matches!(self, Self::BetaGeometric | Self::BetaWeibull)
    }
}

impl Serialize for ModelChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl ModelChoice {
    /// Every choice of one model.
    pub fn all() -> impl Iterator<Item = Self> {
        let contracts = ContractKind::ALL.map(|kind| Self::Contract(Some(kind)));
        PurchaseKind::ALL.map(Self::One).into_iter().chain([Self::BgBb]).chain(contracts)
    }

    /// The one model of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|choice| choice.as_str() == name)
    }

    /// Whether it is a model of contracts.
    #[must_use]
    pub fn is_of_contracts(self) -> bool {
        matches!(self, Self::Contract(_))
    }

    /// The name in configs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One(kind) => kind.as_str(),
            Self::Auto | Self::Contract(None) => "auto",
            Self::Contract(Some(kind)) => kind.as_str(),
            Self::BgBb => "bg_bb",
        }
    }

    /// Whether the purchase days of every customer are needed, beside first, last and number.
    #[must_use]
    pub fn needs_purchase_days(self) -> bool {
        matches!(self, Self::Auto | Self::BgBb | Self::One(PurchaseKind::BgCnbdK | PurchaseKind::MbgCnbdK))
    }
}

/// Which model of spend on a purchase a run uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpendKind {
    /// Positive amounts, skewed.
    GammaGamma,
    /// Amounts of either sign.
    Normal,
}

impl SpendKind {
    /// Every model.
    pub const ALL: [Self; 2] = [Self::GammaGamma, Self::Normal];

    /// The name in configs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GammaGamma => "gamma_gamma",
            Self::Normal => "normal",
        }
    }
}

/// When what happens in the future is discounted, at an effective rate a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Discounting {
    /// At the moment when it happens.
    Continuous,
    /// At the end of the day, counted from `as_of`.
    PerDay,
    /// At the end of the week, counted from `as_of`.
    PerWeek,
    /// At the end of the month of 365.25/12 days, counted from `as_of`.
    PerMonth,
    /// At the end of the year of 365.25 days, counted from `as_of`.
    PerYear,
}

impl Discounting {
    /// Every convention.
    pub const ALL: [Self; 5] = [Self::Continuous, Self::PerDay, Self::PerWeek, Self::PerMonth, Self::PerYear];

    /// The name in configs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continuous => "continuous",
            Self::PerDay => "per_day",
            Self::PerWeek => "per_week",
            Self::PerMonth => "per_month",
            Self::PerYear => "per_year",
        }
    }

    /// The term of a period in the calendar; `None` without periods.
    #[must_use]
    pub fn term(self) -> Option<RenewalTerm> {
        match self {
            Self::Continuous => None,
            Self::PerDay => Some(RenewalTerm::Days(1)),
            Self::PerWeek => Some(RenewalTerm::Days(7)),
            Self::PerMonth => Some(RenewalTerm::Months(1)),
            Self::PerYear => Some(RenewalTerm::Months(12)),
        }
    }

    /// Days of a period; `None` without periods.
    #[must_use]
    pub fn days(self) -> Option<f64> {
        match self {
            Self::Continuous => None,
            Self::PerDay => Some(1.0),
            Self::PerWeek => Some(7.0),
            Self::PerMonth => Some(365.25 / 12.0),
            Self::PerYear => Some(365.25),
        }
    }
}

const METHOD: OutputColumn =
    column("method", Text, "model or baseline; a name that ends in _pooled: the model with the groups of pool_by");
const CUSTOMERS: OutputColumn =
    column("customers", Integer, "customers with a purchase up to the cut, or under contract at it");

/// Columns of a method's fit and scores.
macro_rules! score_columns {
    () => {
        &[
            METHOD,
            column("kind", Text, "model or baseline"),
            column("end", Text, "how the fit ended: converged, boundary, ridge or failed; baseline"),
            optional("why", Text, "why a fit failed, or which limit it reached"),
            optional("log_likelihood", Float, "maximum of the log-likelihood"),
            optional("parameters", Integer, "fitted parameters"),
            optional("aic", Float, "2 parameters - 2 log_likelihood; comparable between models of the same days"),
            optional("bic", Float, "parameters ln(customers) - 2 log_likelihood"),
            CUSTOMERS,
            optional("actual_purchases", Integer, "repeat purchase days (under contract renewals) in the holdout, of these customers"),
            optional("expected_purchases", Float, "sum of their expectations"),
            optional("bias", Float, "expected / actual - 1; null without purchases in the holdout"),
            optional("mae", Float, "mean absolute error of a customer's purchases"),
            optional("rmse", Float, "root of the mean squared error"),
            optional("spearman", Float, "rank correlation of expected and actual purchases"),
            optional("gini", Float, "Gini of the actual purchases in expected order, over that in their own order"),
            optional("top_decile_lift", Float, "purchases of the tenth expected to buy most, over the mean tenth"),
            optional("crps", Float, "mean continuous ranked probability score, purchases (under contract of the time under contract, time units); of a baseline its mae"),
            optional("log_score", Float, "mean of -ln P(actual purchases), under contract of being there at the end of the holdout or not"),
            optional("coverage_50", Float, "share of customers within the central 50 % interval"),
            optional("nominal_50", Float, "its mean probability by the model: counts are whole, so above 50 %"),
            optional("coverage_80", Float, "the same for 80 %"),
            optional("nominal_80", Float, "its mean probability"),
            optional("coverage_95", Float, "the same for 95 %"),
            optional("nominal_95", Float, "its mean probability"),
            column("chosen", Integer, "1 for the model that is used (in validation: the best one), else 0"),
        ]
    };
}

/// Comparison of the models of a run.
pub const MODEL_COMPARISON: OutputDataset = OutputDataset {
    name: "model_comparison",
    grain: "one row a model that was tried; with `model: auto` fitted before the holdout and scored on it, else fitted to all and not scored; sorted as tried",
    columns: score_columns!(),
};

/// Effects of covariates.
pub const MODEL_COVARIATE: OutputDataset = OutputDataset {
    name: "model_covariate",
    grain: "one row an effect of a covariate, with `forecast.covariates` alone; sorted by part and parameter, then as the config names covariates, then by level",
    columns: &[
        column("part", Text, "rate (how often customers buy) or dropout (how soon they leave)"),
        column("parameter", Text, "parameter that moves: alpha; beta of pareto_nbd, a and b of the others"),
        column("covariate", Text, "name of the covariate"),
        optional(
            "level",
            Text,
            "level, against the most frequent one; (none) of a number: having none; null of a number",
        ),
        optional("centre", Float, "number that the fit's parameters stand for: the mean; null of a level"),
        column(
            "coefficient",
            Float,
            "change of ln(a) or ln(b), minus the change of ln(alpha) or ln(beta), by one unit",
        ),
        column(
            "multiplier",
            Float,
            "e^coefficient: of alpha the factor on the mean purchase rate, of beta on the mean dropout rate",
        ),
        optional(
            "standard_error",
            Float,
            "of the coefficient, from the observed information; null away from an interior maximum",
        ),
        optional("z", Float, "coefficient / standard_error"),
        optional("p_value", Float, "two-sided, normal: probability of such a coefficient without an effect"),
    ],
};

/// Datasets of `whalecurve validate`.
pub const VALIDATION_DATASETS: &[OutputDataset] = &[
    OutputDataset {
        name: "validation_score",
        grain: "one row a model or baseline, fitted up to the cut and scored on the holdout; sorted as tried",
        columns: score_columns!(),
    },
    OutputDataset {
        name: "validation_tracking",
        grain: "one row a method and week (with bg_bb: opportunity) of the holdout; sorted as tried, then by week",
        columns: &[
            METHOD,
            column(
                "week",
                Integer,
                "week after the cut; the last one may be shorter; with bg_bb opportunity after the cut",
            ),
            column("day", Date, "its last day"),
            column("actual_purchases", Integer, "cumulative repeat purchase days since the cut"),
            column("expected_purchases", Float, "cumulative expectation"),
        ],
    },
    OutputDataset {
        name: "validation_frequency",
        grain: "one row a method and frequency up to the cut; sorted as tried, then by frequency",
        columns: &[
            METHOD,
            column("frequency", Integer, "repeat purchase days up to the cut; the last row has all from there on"),
            CUSTOMERS,
            column("actual_purchases", Float, "mean purchases in the holdout"),
            column("expected_purchases", Float, "mean expectation"),
        ],
    },
    OutputDataset {
        name: "validation_decile",
        grain: "one row a method and tenth of the customers by expectation; sorted as tried, then by decile",
        columns: &[
            METHOD,
            column("decile", Integer, "1 (expected to buy most) to 10"),
            column("actual_purchases", Float, "purchases in the holdout; equal expectations share theirs"),
            column("expected_purchases", Float, "sum of the expectations"),
            optional("lift", Float, "actual_purchases over the mean tenth; null without purchases in the holdout"),
        ],
    },
    OutputDataset {
        name: "validation_pit",
        grain: "one row a model and bin of the probability integral transform; sorted as tried, then by bin",
        columns: &[
            METHOD,
            column("bin", Integer, "1 (0 to 10 %) to 10 (90 to 100 %)"),
            column("share", Float, "share of customers, 0.1 each where the distributions are right; not randomised"),
        ],
    },
];
