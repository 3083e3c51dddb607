//! What can go wrong while a company is generated.

use camino::Utf8PathBuf;

use crate::numeric::hypergeometric::HypergeometricError;

/// Why no company was written. The folder is left as it was found.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// A company without customers.
    #[error("a company needs at least one customer")]
    NoCustomers,
    /// Fewer ledger lines than [`super::LINES_PER_CUSTOMER`] for each customer.
    #[error(
        "{transactions} transactions are too few for {customers} customers: every customer has a first order, and \
         repeat orders need at least {needed} transactions in all"
    )]
    TooFewTransactions {
        /// Customers asked for.
        customers: u64,
        /// Transactions asked for.
        transactions: u64,
        /// Fewest transactions for that many customers.
        needed: u64,
    },
    /// More ledger lines than [`super::MAX_LINES_PER_CUSTOMER`] for each customer.
    #[error("{transactions} transactions are too many for {customers} customers: at most {limit} can be generated")]
    TooManyTransactions {
        /// Customers asked for.
        customers: u64,
        /// Transactions asked for.
        transactions: u64,
        /// Most transactions for that many customers.
        limit: u64,
    },
    /// More rows than the identifiers and counters are made for.
    #[error("{found} {what} are more than the {limit} that can be generated")]
    TooLarge {
        /// `customers` or `transactions`.
        what: &'static str,
        /// Asked for.
        found: u64,
        /// Most that can be generated.
        limit: u64,
    },
    /// The folder holds something already.
    #[error("{dir}: the folder is not empty (it holds `{entry}`)")]
    NotEmpty {
        /// The folder.
        dir: Utf8PathBuf,
        /// The first of its entries, by name.
        entry: String,
    },
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// File or folder.
        path: Utf8PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// A Parquet file could not be written.
    #[error("{path}: {source}")]
    Parquet {
        /// The file.
        path: Utf8PathBuf,
        /// Cause.
        source: parquet::errors::ParquetError,
    },
    /// The columns of a table do not fit together.
    #[error("{path}: {source}")]
    Columns {
        /// The file.
        path: Utf8PathBuf,
        /// Cause.
        source: arrow_schema::ArrowError,
    },
    /// No purchase rate gives the expected number of orders that the size asks for.
    #[error("no purchase rate gives {orders_per_customer} orders a customer")]
    NoRate {
        /// Expected orders of one customer, its first included.
        orders_per_customer: f64,
    },
    /// The expected number of purchases could not be computed.
    #[error("expected purchases: {0}")]
    Expectation(#[from] HypergeometricError),
    /// The threads could not be started.
    #[error("cannot start the threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The parameters could not be written as JSON.
    #[error("parameters.json: {0}")]
    Json(#[from] serde_json::Error),
}

impl GenerateError {
    /// Whether the size that was asked for is at fault.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoCustomers
                | Self::TooFewTransactions { .. }
                | Self::TooManyTransactions { .. }
                | Self::TooLarge { .. }
                | Self::NoRate { .. }
        )
    }

    /// One thing to do next, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoCustomers => Some("ask for at least one customer"),
            Self::TooFewTransactions { .. } => {
                Some("ask for more transactions or fewer customers; ten a customer is usual")
            }
            Self::TooManyTransactions { .. } => {
                Some("ask for more customers or fewer transactions; ten a customer is usual")
            }
            Self::TooLarge { .. } => Some("generate several companies with different seeds"),
            Self::NotEmpty { .. } => Some("name a new folder, or empty this one; nothing is ever overwritten"),
            Self::Io { .. } | Self::Parquet { .. } => Some("check free space and permissions of the folder"),
            Self::NoRate { .. } | Self::Expectation(_) => Some("bring transactions and customers closer together"),
            Self::Columns { .. } | Self::Threads(_) | Self::Json(_) => None,
        }
    }
}

/// Names the path of a file-system error.
pub(super) fn io(path: impl Into<Utf8PathBuf>) -> impl FnOnce(std::io::Error) -> GenerateError {
    move |source| GenerateError::Io { path: path.into(), source }
}

#[cfg(test)]
mod tests {
    use super::GenerateError;

    #[test]
    fn too_few_transactions_say_how_many_are_needed() {
        let error = GenerateError::TooFewTransactions { customers: 10, transactions: 15, needed: 20 };
        assert_eq!(
            error.to_string(),
            "15 transactions are too few for 10 customers: every customer has a first order, and repeat orders need at \
             least 20 transactions in all"
        );
        assert!(error.hint().is_some());
    }
}
