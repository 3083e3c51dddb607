//! Likelihood-ratio test of a model against a simpler one inside it.

use crate::numeric::chi_squared;
use serde::{Deserialize, Serialize};

/// A likelihood-ratio test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LikelihoodRatio {
    /// `2 (ln L − ln L₀)`, not below 0.
    pub statistic: f64,
    /// Parameters that the simpler model has fewer.
    pub degrees_of_freedom: u32,
    /// Probability of a statistic at least as large where the simpler model is true.
    pub p_value: f64,
}

impl LikelihoodRatio {
    /// The test of two maxima over the same customers.
    ///
    /// The statistic is chi-squared in large samples where the simpler model lies inside the other. Where it lies at its
    /// edge (a variance or dropout of 0, parameters that went to infinity) large statistics are rarer than that, so that
    /// the true p-value is smaller than the one given.
    ///
    /// * `ln_likelihood`, `simpler`: maxima of the log-likelihood of the model and of the simpler one; a difference below 0
    ///   is rounding. * `degrees_of_freedom`: parameters that the simpler model has fewer, `>= 1`.
    ///
    /// Source: Wilks, Ann. Math. Statist. 9 (1938), 60–62; at an edge Self & Liang, JASA 82 (1987), 605–610.
    #[must_use]
    pub fn new(ln_likelihood: f64, simpler: f64, degrees_of_freedom: u32) -> Self {
        let statistic = (2.0 * (ln_likelihood - simpler)).max(0.0);
        Self { statistic, degrees_of_freedom, p_value: chi_squared::survival(statistic, degrees_of_freedom) }
    }
}
