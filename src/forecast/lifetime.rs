//! Lifetime value of contribution: its inputs per customer and its expectation in closed form.
//!
//! The value of one possible future ("path") of a customer who is alive at the day of the forecast, in major units:
//!
//! `Σ_j e^{−δ t_j} (margin_rate · S_j − order_cost) − sustaining_rate · (1 − e^{−δτ})/δ`
//!
//! over the purchases `S_j` at `t_j` up to the horizon, where `τ` is the time of dropout or the horizon, whichever is
//! first. A customer who has dropped out already is worth 0.

use super::bg_nbd::Residual;
use super::gamma_gamma::SpendRate;
use super::normal_spend::NormalSpend;
use rayon::prelude::*;

/// What a customer spends on one purchase, major units.
#[derive(Debug, Clone, Copy)]
pub enum Spend<'a> {
    /// Always the same amount, one a customer.
    Fixed(&'a [f64]),
    /// Gamma-Gamma: `Gamma(p, ν)` with `ν` distributed as what is known of each customer.
    GammaGamma {
        /// Shape of one purchase, `> 0`.
        p: f64,
        /// Distribution of each customer's spend rate; shapes `> 1`, so that the mean exists.
        posterior: &'a [SpendRate],
    },
    /// Normal, of either sign: `N(m, σ²)` with `m` distributed as what is known of each customer.
    Normal {
        /// Spread within customers and between them.
        model: NormalSpend,
        /// Money of each customer's repeat purchases, major units.
        total: &'a [f64],
    },
}

/// One slice a property, one row a customer.
#[derive(Debug, Clone, Copy)]
pub struct Customers<'a> {
    /// Repeat purchases `x`.
    pub frequency: &'a [u32],
    /// Recency `t_x`, model time units, `0 <= t_x <= T`.
    pub recency: &'a [f64],
    /// Age `T`, model time units, `>= 0`.
    pub age: &'a [f64],
    /// `P(alive | x, t_x, T)`.
    pub p_alive: &'a [f64],
    /// Spend on a purchase.
    pub spend: Spend<'a>,
    /// Contribution per unit of money spent, before the costs below.
    pub margin_rate: &'a [f64],
    /// Cost of serving one purchase, major units.
    pub order_cost: &'a [f64],
    /// Cost of keeping the customer while alive, major units per model time unit.
    pub sustaining_rate: &'a [f64],
    /// Stable key of the customer, for its random stream.
    pub key: &'a [u64],
}

/// Inputs from which no lifetime value follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    /// A slice with another number of rows than `frequency`.
    #[error("{column} has {found} rows, expected {expected}")]
    Length {
        /// The slice.
        column: &'static str,
        /// Its rows.
        found: usize,
        /// Rows of `frequency`.
        expected: usize,
    },
    /// A value outside its range.
    #[error("{column} in row {row} is out of range: {rule}")]
    Range {
        /// The slice.
        column: &'static str,
        /// The first such row.
        row: usize,
        /// The rule that is broken.
        rule: &'static str,
    },
    /// A setting outside its range.
    #[error("{setting} is out of range: {rule}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// The rule that is broken.
        rule: &'static str,
    },
}

impl Spend<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Fixed(amount) => amount.len(),
            Self::GammaGamma { posterior, .. } => posterior.len(),
            Self::Normal { total, .. } => total.len(),
        }
    }

    /// Mean of one purchase of the customer in `row` with `x` repeat purchases, major units.
    #[must_use]
    pub fn mean(&self, row: usize, x: u32) -> f64 {
        match self {
            Self::Fixed(amount) => amount[row],
            Self::GammaGamma { p, posterior } => p * posterior[row].rate / (posterior[row].shape - 1.0),
            Self::Normal { model, total } => model.conditional_mean(f64::from(x), total[row]),
        }
    }

    fn has_mean(&self, row: usize) -> bool {
        match self {
            Self::Fixed(amount) => amount[row].is_finite(),
            Self::GammaGamma { p, posterior } => {
                let SpendRate { shape, rate } = posterior[row];
                *p > 0.0 && shape > 1.0 && shape.is_finite() && rate > 0.0 && rate.is_finite()
            }
            Self::Normal { model, total } => {
                let spread = model.within > 0.0 && model.within.is_finite() && model.between >= 0.0;
                spread && model.between.is_finite() && model.mean.is_finite() && total[row].is_finite()
            }
        }
    }
}

impl Customers<'_> {
    /// Number of customers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frequency.len()
    }

    /// True without customers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frequency.is_empty()
    }

    /// Check lengths and ranges.
    ///
    /// # Errors
    /// [`LifetimeError::Length`]; [`LifetimeError::Range`] for the first row that breaks a rule.
    pub fn check(&self) -> Result<(), LifetimeError> {
        let expected = self.len();
        for (column, found) in [
            ("recency", self.recency.len()),
            ("age", self.age.len()),
            ("p_alive", self.p_alive.len()),
            ("spend", self.spend.len()),
            ("margin_rate", self.margin_rate.len()),
            ("order_cost", self.order_cost.len()),
            ("sustaining_rate", self.sustaining_rate.len()),
            ("key", self.key.len()),
        ] {
            if found != expected {
                return Err(LifetimeError::Length { column, found, expected });
            }
        }
        let first = (0..expected).into_par_iter().find_first(|&row| self.broken_rule(row).is_some());
        match first.and_then(|row| self.broken_rule(row).map(|(column, rule)| (row, column, rule))) {
            Some((row, column, rule)) => Err(LifetimeError::Range { column, row, rule }),
            None => Ok(()),
        }
    }

    fn broken_rule(&self, row: usize) -> Option<(&'static str, &'static str)> {
        if !(self.age[row] >= 0.0 && self.age[row].is_finite()) {
            Some(("age", "it must be finite and not negative"))
        } else if !(0.0..=self.age[row]).contains(&self.recency[row]) {
            Some(("recency", "it must lie between 0 and age"))
        } else if !(0.0..=1.0).contains(&self.p_alive[row]) {
            Some(("p_alive", "it must be a probability"))
        } else if !self.spend.has_mean(row) {
            Some(("spend", "its mean must be finite (Gamma-Gamma: p x + q > 1)"))
        } else if !self.margin_rate[row].is_finite() {
            Some(("margin_rate", "it must be finite"))
        } else if !self.order_cost[row].is_finite() {
            Some(("order_cost", "it must be finite"))
        } else if !self.sustaining_rate[row].is_finite() {
            Some(("sustaining_rate", "it must be finite"))
        } else {
            None
        }
    }
}

/// Expected lifetime value of each customer, major units.
///
/// `P(alive) · [(margin_rate · E(M | x, z̄) − order_cost) · DET − sustaining_rate · DALIVE]`, with the expected discounted
/// purchases `DET` and the expected discounted time alive `DALIVE` of the residual.
///
/// * `residual`: one per customer, to the horizon and with the discount rate wanted.
///
/// # Errors
/// As [`Customers::check`].
///
/// Source: Fader, Hardie & Lee, RFM and CLV, J. Marketing Research 42 (2005), equation 2; cost terms by linearity.
pub fn expected(customers: &Customers<'_>, residual: &[Residual]) -> Result<Vec<f64>, LifetimeError> {
    customers.check()?;
    if residual.len() != customers.len() {
        let (found, expected) = (residual.len(), customers.len());
        return Err(LifetimeError::Length { column: "residual", found, expected });
    }
    let value = |(row, residual): (usize, &Residual)| {
        let spend = customers.spend.mean(row, customers.frequency[row]);
        let contribution = customers.margin_rate[row] * spend - customers.order_cost[row];
        let sustaining = customers.sustaining_rate[row] * residual.discounted_alive_time;
        customers.p_alive[row] * (contribution * residual.discounted_purchases - sustaining)
    };
    Ok(residual.par_iter().enumerate().map(value).collect())
}
