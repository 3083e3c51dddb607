//! Baselines: what a forecast must beat to be worth its trouble.
//!
//! The last period repeated, the mean of the past, and lifetime value from one margin and one retention rate. Quantities
//! are per customer and of any unit (purchases, or money in major units). Times are in one unit throughout; to discount a
//! forecast of a constant rate, pass [`discounted_time`] for the horizon.

use super::beta_geometric::Horizon;

/// Inputs from which no baseline follows.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BaselineError {
    /// A slice with another number of rows than the first one.
    #[error("{column} has {found} rows, expected {expected}")]
    Length {
        /// The slice.
        column: &'static str,
        /// Its rows.
        found: usize,
        /// Rows of the first slice.
        expected: usize,
    },
    /// A value of a row outside its range.
    #[error("{column} in row {row} is out of range: {rule}")]
    Row {
        /// The slice.
        column: &'static str,
        /// The first such row.
        row: usize,
        /// The rule that is broken.
        rule: &'static str,
    },
    /// A setting outside its range.
    #[error("{setting} is {found}: {rule}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What it is.
        found: f64,
        /// The rule that is broken.
        rule: &'static str,
    },
    /// Everybody stays for ever and nothing is discounted.
    #[error("lifetime value is infinite: retention is 1 and the discount rate 0")]
    Infinite,
}

/// Each customer does in the future what it did in the last period: `last · horizon/period`.
///
/// * `last`: quantity in the last period, one row a customer. * `period`: its length, `> 0`.
/// * `horizon`: length of the future, `>= 0`.
///
/// # Errors
/// [`BaselineError::Setting`], [`BaselineError::Row`].
pub fn last_period_repeated(last: &[f64], period: f64, horizon: f64) -> Result<Vec<f64>, BaselineError> {
    positive("period", period)?;
    not_negative("horizon", horizon)?;
    all("last", last, "it must be finite", f64::is_finite)?;
    let periods = horizon / period;
    Ok(last.iter().map(|last| last * periods).collect())
}

/// Each customer goes on at the mean rate of its past: `total/max(age, shortest) · horizon`.
///
/// * `total`: quantity since the customer came, one row a customer. * `age`: time since then, `>= 0`.
/// * `shortest`: an age below it counts as this much, `> 0`, so that customers of yesterday do not explode.
/// * `horizon`: length of the future, `>= 0`.
///
/// # Errors
/// [`BaselineError`].
pub fn mean_of_past(total: &[f64], age: &[f64], shortest: f64, horizon: f64) -> Result<Vec<f64>, BaselineError> {
    positive("shortest", shortest)?;
    not_negative("horizon", horizon)?;
    if age.len() != total.len() {
        return Err(BaselineError::Length { column: "age", found: age.len(), expected: total.len() });
    }
    all("total", total, "it must be finite", f64::is_finite)?;
    all("age", age, "it must be finite and not negative", |age| age.is_finite() && age >= 0.0)?;
    Ok(total.iter().zip(age).map(|(total, age)| total / age.max(shortest) * horizon).collect())
}

/// Lifetime value from one margin a customer and one retention rate for all: `m · r/(1+d−r)`, or its first periods.
///
/// * `margin`: contribution of a period, one row a customer. * `retention`, `rate`, `horizon`: as in
///   [`retention_multiple`].
///
/// # Errors
/// [`BaselineError`].
pub fn simple_lifetime_value(
    margin: &[f64],
    retention: f64,
    rate: f64,
    horizon: Horizon,
) -> Result<Vec<f64>, BaselineError> {
    let multiple = retention_multiple(retention, rate, horizon)?;
    all("margin", margin, "it must be finite", f64::is_finite)?;
    Ok(margin.iter().map(|margin| margin * multiple).collect())
}

/// The margins that a customer is worth: `Σ_{t=1}^{N} (r/(1+d))^t`, for ever `r/(1+d−r)`.
///
/// The first margin comes a period from now if the customer is retained; one that is paid at once adds 1. One retention
/// rate for all ignores that those who leave easily leave first, so that it undervalues those who have stayed.
///
/// * `retention`: share `r` of customers kept each period, in `[0, 1]`. * `rate`: discount rate `d` per period, `>= 0`.
/// * `horizon`: periods `N`.
///
/// # Errors
/// [`BaselineError::Setting`]; [`BaselineError::Infinite`] for ever with `r = 1` and `d = 0`.
///
/// Source: Gupta & Lehmann, Customers as Assets, Journal of Interactive Marketing 17 (2003), 9–24.
pub fn retention_multiple(retention: f64, rate: f64, horizon: Horizon) -> Result<f64, BaselineError> {
    if !(0.0..=1.0).contains(&retention) {
        let (setting, rule) = ("retention", "it must lie between 0 and 1");
        return Err(BaselineError::Setting { setting, found: retention, rule });
    }
    not_negative("rate", rate)?;
    let lost = (1.0 - retention) + rate;
    match horizon {
        Horizon::Forever if lost == 0.0 => Err(BaselineError::Infinite),
        Horizon::Forever => Ok(retention / lost),
        Horizon::Periods(periods) if lost == 0.0 => Ok(f64::from(periods)),
        Horizon::Periods(periods) => {
            // 1 − (r/(1+d))^N without cancellation; the share lost a period is (1+d−r)/(1+d).
            let left = libm::expm1(f64::from(periods) * libm::log1p(-lost / (1.0 + rate)));
            Ok(if periods == 0 { 0.0 } else { -left * retention / lost })
        }
    }
}

/// `∫₀^h e^{−δu} du = (1 − e^{−δh})/δ`: the horizon in which a constant rate earns what it earns discounted in `h`.
///
/// * `horizon`: `h >= 0`. * `delta`: continuous discount rate `δ` per time unit, `>= 0`.
///
/// # Errors
/// [`BaselineError::Setting`].
pub fn discounted_time(horizon: f64, delta: f64) -> Result<f64, BaselineError> {
    not_negative("horizon", horizon)?;
    not_negative("delta", delta)?;
    Ok(if delta == 0.0 { horizon } else { -libm::expm1(-delta * horizon) / delta })
}

fn positive(setting: &'static str, found: f64) -> Result<(), BaselineError> {
    let rule = "it must be finite and positive";
    if found.is_finite() && found > 0.0 { Ok(()) } else { Err(BaselineError::Setting { setting, found, rule }) }
}

fn not_negative(setting: &'static str, found: f64) -> Result<(), BaselineError> {
    let rule = "it must be finite and not negative";
    if found.is_finite() && found >= 0.0 { Ok(()) } else { Err(BaselineError::Setting { setting, found, rule }) }
}

fn all(
    column: &'static str,
    values: &[f64],
    rule: &'static str,
    holds: impl Fn(f64) -> bool,
) -> Result<(), BaselineError> {
    match values.iter().position(|&value| !holds(value)) {
        Some(row) => Err(BaselineError::Row { column, row, rule }),
        None => Ok(()),
    }
}
