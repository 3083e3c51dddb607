//! Datasets of models of contracts: of a run, and of `whalecurve validate`.

use super::outputs::{
    ColumnType::{Date, Float, Integer, Text},
    OutputColumn, OutputDataset, column, optional,
};

const METHOD: OutputColumn = column("method", Text, "model or baseline");
const CUSTOMERS: OutputColumn = column("customers", Integer, "customers under contract at the cut");

/// How long customers stay under contract.
pub const MODEL_RETENTION: OutputDataset = OutputDataset {
    name: "model_retention",
    grain: "with a model of contracts alone, one row a renewal (or, in continuous time, a time unit under contract): how many stay for longer, in the records and by the model; sorted by tenure",
    columns: &[
        column("model", Text, "model of contracts"),
        column("tenure", Integer, "number of the renewal, or of the time unit under contract, from 1"),
        column(
            "customers",
            Integer,
            "times under contract whose renewal came up, or that were seen when the time unit began; one customer may have several",
        ),
        column("lost", Integer, "those that ended at the renewal, or in the time unit"),
        column(
            "observed_share",
            Float,
            "share of new contracts that stay for longer, from the records alone (Kaplan & Meier): who still stays counts as far as it is known",
        ),
        column("standard_error", Float, "of observed_share (Greenwood); 0 once nobody is left"),
        column("expected_share", Float, "the same share by the model"),
    ],
};

/// Who stays under contract after a cut, model by model and against baselines.
pub const CONTRACT_VALIDATION_DATASETS: &[OutputDataset] = &[
    OutputDataset {
        name: "validation_contract_score",
        grain: "one row a model of contracts or baseline, fitted up to the cut and scored on the holdout; sorted as tried",
        columns: &[
            METHOD,
            column("kind", Text, "model or baseline"),
            column("end", Text, "how the fit ended: converged, boundary, ridge or failed; baseline"),
            optional("why", Text, "why a fit failed, or which limit it reached"),
            optional(
                "log_likelihood",
                Float,
                "maximum of the log-likelihood; comparable between models that leave at renewals, and between those that leave at any time",
            ),
            optional("parameters", Integer, "fitted parameters"),
            optional("aic", Float, "2 parameters - 2 log_likelihood"),
            optional("bic", Float, "parameters ln(times under contract) - 2 log_likelihood"),
            CUSTOMERS,
            column("actual_customers", Integer, "those who were under contract at the end of the holdout"),
            optional("expected_customers", Float, "sum of their probabilities of being so"),
            optional("bias", Float, "expected / actual - 1; null where nobody stayed"),
            optional("brier", Float, "mean squared error of that probability"),
            optional("log_score", Float, "mean of -ln P(what happened by the end)"),
            optional(
                "crps",
                Float,
                "mean continuous ranked probability score of the time under contract in the holdout, time units of the model",
            ),
            optional("spearman", Float, "rank correlation of the probability to stay and whether the customer did"),
            column("actual_renewals", Integer, "renewals that came up in the holdout and were made"),
            optional("expected_renewals", Float, "their expectation"),
            optional("mae", Float, "mean absolute error of a customer's renewals"),
            optional("rmse", Float, "root of the mean squared error"),
            column("chosen", Integer, "1 for the model with the least crps among usable fits, else 0"),
        ],
    },
    OutputDataset {
        name: "validation_contract_tracking",
        grain: "one row a method and time unit of the holdout; sorted as tried, then by step",
        columns: &[
            METHOD,
            column("step", Integer, "time unit of the model after the cut; the last one may be shorter"),
            column("day", Date, "its last day"),
            column("actual_customers", Integer, "customers still under contract"),
            column("expected_customers", Float, "sum of their probabilities of being so"),
        ],
    },
    OutputDataset {
        name: "validation_contract_tenure",
        grain: "one row a method and tenure at the cut; sorted as tried, then by tenure",
        columns: &[
            METHOD,
            column(
                "tenure",
                Integer,
                "whole time units under contract at the cut; the last row (24) has all from there on",
            ),
            CUSTOMERS,
            column("actual_share", Float, "share of them who were under contract at the end of the holdout"),
            column("expected_share", Float, "mean of their probabilities of being so"),
        ],
    },
];
