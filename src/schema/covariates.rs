//! What is known of customers beside their purchases, for models that use it.

use serde::{Deserialize, Serialize};

/// The level of a cell that is null or empty, and of a customer whom the customers table does not know.
pub const NO_LEVEL: &str = "(none)";

/// Most levels of one covariate.
pub const MOST_LEVELS: usize = 100;

/// A parameter distribution that covariates move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CovariatePart {
    /// How often a customer buys.
    Rate,
    /// How soon a customer leaves.
    Dropout,
}

impl CovariatePart {
    /// The name in configs and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Dropout => "dropout",
        }
    }
}

/// What a column of the customers table says of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CovariateKind {
    /// A number.
    Number,
    /// One of some levels.
    Category,
}

/// A column of the customers table that models may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CovariateColumn {
    /// The file's name of it.
    pub column: String,
    /// What it is; `None` = a number where the column has numbers, a category where it has texts or booleans. In a CSV file
    /// it is a number where all its cells are.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub kind: Option<CovariateKind>,
}

/// Which covariates move which part of the model of purchases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CovariateSettings {
    /// Those of the purchase rate, by name.
    pub rate: Vec<String>,
    /// Those of dropout, by name.
    pub dropout: Vec<String>,
}

impl CovariateSettings {
    /// Whether a covariate is used.
    #[must_use]
    pub fn uses(&self, name: &str) -> bool {
        self.rate.iter().chain(&self.dropout).any(|used| used == name)
    }
}

/// One property of customers, a value a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariate {
    /// The user's name for it.
    pub name: String,
    /// Its values.
    pub values: CovariateValues,
}

impl Covariate {
    /// The covariate of some rows, in their order.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn of_rows(&self, rows: &[u32]) -> Self {
        Self { name: self.name.clone(), values: self.values.of_rows(rows) }
    }
}

/// The values of a covariate.
#[derive(Clone, Debug, PartialEq)]
pub enum CovariateValues {
    /// Numbers; NaN where there is none.
    Numbers(Vec<f64>),
    /// Levels.
    Levels {
        /// Their names, sorted, each once.
        names: Vec<String>,
        /// Place of each row's level among the names.
        level: Vec<u32>,
    },
}

impl CovariateValues {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Levels { level, .. } => level.len(),
        }
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of rows that may be there or not; what is not there has no number, or no level.
    ///
    /// # Panics
    /// If a row is not below [`CovariateValues::len`].
    #[must_use]
    pub fn placed(&self, rows: &[Option<u32>]) -> Self {
        match self {
            Self::Numbers(values) => {
                Self::Numbers(rows.iter().map(|row| row.map_or(f64::NAN, |row| values[row as usize])).collect())
            }
            Self::Levels { names, level } => {
                let names: Vec<String> = names.iter().cloned().chain([NO_LEVEL.to_owned()]).collect();
                let of_row = |row: &Option<u32>| row.map_or(names.len() - 1, |row| level[row as usize] as usize);
                Self::levels(&rows.iter().map(|row| names[of_row(row)].as_str()).collect::<Vec<_>>())
            }
        }
    }

    /// Levels by name.
    #[must_use]
    pub fn levels(of_rows: &[&str]) -> Self {
        let mut names: Vec<&str> = of_rows.to_vec();
        names.sort_unstable();
        names.dedup();
        let level = of_rows.iter().map(|name| names.partition_point(|other| other < name) as u32).collect();
        Self::Levels { names: names.into_iter().map(str::to_owned).collect(), level }
    }

    /// The values of some rows, in their order.
    ///
    /// # Panics
    /// If a row is not below [`CovariateValues::len`].
    #[must_use]
    pub fn of_rows(&self, rows: &[u32]) -> Self {
        match self {
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|row| values[*row as usize]).collect()),
            Self::Levels { names, level } => {
                Self::Levels { names: names.clone(), level: rows.iter().map(|row| level[*row as usize]).collect() }
            }
        }
    }
}
