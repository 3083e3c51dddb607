//! Normal spend: what a customer spends on, or contributes by, a purchase where that can be negative.
//!
//! A customer's purchases are `N(m, σ²)`, and `m ~ N(μ, τ²)` over customers, independent of how often they buy. The mean
//! `z̄` of `x` purchases is enough to know of a customer's `m`; over customers it is `N(μ, τ² + σ²/x)`, and given it `m` is normal
//! again, drawn towards `μ` by how little is known:
//!
//! `E(m | x, z̄) = (x τ² z̄ + σ² μ)/(x τ² + σ²)`, `V(m | x, z̄) = τ² σ²/(x τ² + σ²)`.
//!
//! Source: Schmittlein & Peterson, Customer Base Analysis: An Industrial Purchase Process Application, Marketing Science 13
//! (1994), 41–67, whose reliability is `τ²/(τ² + σ²)`; `μ, σ, τ` by empirical Bayes: Efron & Morris, Stein's Estimation
//! Rule and Its Competitors, J. American Statistical Association 68 (1973), 117–130. `σ` is told by the spread of the purchases of
//! the same customer about their mean.
//!
//! ```
//! use whalecurve::forecast::normal_spend::NormalSpend;
//!
//! let model = NormalSpend { mean: 20.0, within: 30.0, between: 10.0 };
//! // Three purchases of −15 on average: their variance is 300 against 100 between customers, so a quarter counts.
//! assert!((model.conditional_mean(3.0, -45.0) - 11.25).abs() < 1e-12);
//! assert!((model.conditional_mean(0.0, 0.0) - 20.0).abs() < 1e-12);
//! ```

use super::fit::{Fit, FitEnd, LimitModel};
use crate::numeric::newton::{Bounds, Evaluation, maximise};
use crate::numeric::sums::chunked;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

const MODEL: &str = "normal spend";
const NAMES: [&str; 3] = ["mean", "within", "between"];
/// Variances are searched from this, in units of the variance of a purchase, so that none is 0 within a customer.
const SMALLEST: f64 = 1e-9;
const LARGEST: f64 = 1e6;
/// A variance below this is at the end of its range.
const NEAR: f64 = 1e-7;
/// Deviations from the mean of all, of the search for the mean.
const FARTHEST: f64 = 1e3;

/// Parameters of normal spend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NormalSpend {
    /// Mean spend `μ` over customers, major units of money; either sign.
    pub mean: f64,
    /// Standard deviation `σ` of the purchases of one customer, `> 0`.
    pub within: f64,
    /// Standard deviation `τ` of the customers' means, `>= 0`.
    pub between: f64,
}

/// A normal distribution of one customer's mean spend, major units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSpend {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation, `>= 0`.
    pub sd: f64,
}

impl NormalSpend {
    /// Mean spend expected of a customer who spent `total` on `x` purchases.
    ///
    /// * `x`: repeat purchases. * `total`: their sum `x z̄`, major units; either sign.
    #[must_use]
    pub fn conditional_mean(&self, x: f64, total: f64) -> f64 {
        self.posterior(x, total).mean
    }

    /// What is known of a customer's mean spend after `total` on `x` purchases.
    ///
    /// * `x`, `total`: as in [`NormalSpend::conditional_mean`].
    #[must_use]
    pub fn posterior(&self, x: f64, total: f64) -> MeanSpend {
        let (within, between) = (self.within * self.within, self.between * self.between);
        let weight = x * between + within;
        MeanSpend { mean: (between * total + within * self.mean) / weight, sd: libm::sqrt(between * within / weight) }
    }

    /// Fit by maximum likelihood to the repeat purchases.
    ///
    /// Damped Newton on `(μ, σ², τ²)` with the analytic Hessian of
    /// `Σ ln N(z̄; μ, τ² + σ²/x) − ½ Σ [(x−1) ln 2πσ² + S/σ² + ln x]`: the density of every purchase, as the customer's mean `z̄`
    /// and the deviations from it are independent. `S` tells `σ`, the spread of the means then `τ`.
    ///
    /// * `x`: repeat purchases. * `total`: money of the repeat purchases, major units, either sign. * `squares`: `S`, the sum of
    ///   squares of the repeat purchases about their mean, `>= 0`. All in the same row order, which the last bits of the result
    ///   may depend on: pass rows in customer order.
    ///
    /// The returned [`Fit`] says how it ended; it is `Failed` for slices of different lengths, fewer than three customers
    /// with a repeat purchase, or none with two; `Boundary` where customers do not differ by more than chance, or purchases of
    /// a customer not at all, without a likelihood where all purchases are equal.
    ///
    /// Source: Searle, Casella & `McCulloch`, Variance Components (1992), 3.7 (unbalanced one-way classification).
    #[must_use]
    pub fn fit(x: &[u32], total: &[f64], squares: &[f64]) -> Fit<Self> {
        if x.len() != total.len() || x.len() != squares.len() {
            return Fit::failed(MODEL, &NAMES, 0, "frequency and spend have different numbers of rows");
        }
        let spend = Spend::new(x, total, squares);
        let customers = spend.rows.len() as u64;
        if let Some(why) = spend.cannot_tell() {
            return Fit::failed(MODEL, &NAMES, customers, why);
        }
        if spend.is_of_one_amount() {
            return Self::of_one_amount(spend.centre, customers);
        }
        let bounds = Bounds { lower: [-FARTHEST, SMALLEST, 0.0], upper: [FARTHEST, LARGEST, LARGEST] };
        let maximum = maximise(spend.start(), &bounds, |at| spend.evaluate(at));
        let [mean, within, between] = maximum.point;
        let unit = spend.unit;
        let model = Self {
            mean: spend.centre + unit * mean,
            within: unit * libm::sqrt(within),
            between: unit * libm::sqrt(between),
        };
        // By the delta method: dσ/dσ² = 1/(2σ).
        let slopes = [unit, 0.5 * unit / libm::sqrt(within), 0.5 * unit / libm::sqrt(between)];
        let mut limits = Vec::new();
        if within < NEAR {
            limits.push(LimitModel::EqualSpendWithinCustomer);
        }
        if between < NEAR {
            limits.push(LimitModel::EqualMeans);
        }
        let mut fit = Fit::at_maximum_of(MODEL, &NAMES, customers, &maximum, (model, slopes), limits);
        // The likelihood of the purchases themselves, not of their deviations.
        let purchases = customers as f64 + spend.more;
        fit.log_likelihood = fit.log_likelihood.map(|value| value - purchases * libm::log(unit));
        fit.notes.extend(hardly_known(&fit, &model));
        fit
    }

    /// The limit where every purchase is worth the same, as with one price: everybody's next one is too.
    fn of_one_amount(amount: f64, customers: u64) -> Fit<Self> {
        // Above nothing, as it divides; far below a cent of any amount.
        let within = SMALLEST * if amount == 0.0 { 1.0 } else { amount.abs() };
        let limit_models = vec![LimitModel::EqualSpendWithinCustomer, LimitModel::EqualMeans];
        Fit {
            parameters: Some(Self { mean: amount, within, between: 0.0 }),
            end: FitEnd::Boundary { limit_models },
            ..Fit::failed(MODEL, &NAMES, customers, "")
        }
    }

    /// Log-likelihood of the purchases of the rows that [`NormalSpend::fit`] would use.
    #[must_use]
    pub fn log_likelihood(&self, x: &[u32], total: &[f64], squares: &[f64]) -> f64 {
        Self::evaluation(x, total, squares, &[self.mean, self.within * self.within, self.between * self.between]).value
    }

    /// Log-likelihood, gradient and Hessian by `μ, σ², τ²`.
    #[must_use]
    pub fn evaluation(x: &[u32], total: &[f64], squares: &[f64], at: &[f64; 3]) -> Evaluation<3> {
        Spend::new(x, total, squares).in_units(0.0, 1.0).evaluate(at)
    }
}

/// That a standard deviation is not told from none at all.
fn hardly_known(fit: &Fit<NormalSpend>, model: &NormalSpend) -> Option<String> {
    let errors = fit.standard_errors.as_ref()?;
    let open = [(1, model.within), (2, model.between)].into_iter().find(|(i, value)| errors[*i] >= *value)?;
    let (name, value, error) = (NAMES[open.0], open.1, errors[open.0]);
    Some(format!("{name} is hardly known: {value:.2} with a standard error of {error:.2}"))
}

/// The rows of a fit, and the centre and unit that they are measured in.
struct Spend {
    /// (repeat purchases, their mean spend), row order.
    rows: Vec<(f64, f64)>,
    centre: f64,
    /// Standard deviation of a customer's only purchase, about.
    unit: f64,
    /// Harmonic mean of the repeat purchases: of a typical mean the variance is `σ²` over it.
    typical: f64,
    /// `Σ (x−1)`, repeat purchases beyond each customer's first of them.
    more: f64,
    /// `Σ S`, in units of money.
    squares: f64,
    /// `Σ ln x`.
    ln_purchases: f64,
}

impl Spend {
    fn new(x: &[u32], total: &[f64], squares: &[f64]) -> Self {
        let usable =
            |&((&x, &total), &squares): &((&u32, &f64), &f64)| x > 0 && total.is_finite() && squares.is_finite();
        let row = |((&x, &total), &squares): ((&u32, &f64), &f64)| (f64::from(x), total / f64::from(x), squares);
        let rows: Vec<(f64, f64, f64)> = x.par_iter().zip(total).zip(squares).filter(usable).map(row).collect();
        let n = rows.len().max(1) as f64;
        let sum = |of: &(dyn Fn(&(f64, f64, f64)) -> f64 + Sync)| -> f64 {
            let [sum] = chunked(rows.len(), |range| [rows[range].iter().map(of).sum()]);
            sum
        };
        let centre = sum(&|row| row.1) / n;
        let (more, squares) = (sum(&|row| row.0 - 1.0), sum(&|row| row.2));
        let of_means = sum(&|row| (row.1 - centre) * (row.1 - centre)) / n;
        let unit = libm::sqrt(of_means + squares / more.max(1.0));
        let (typical, ln_purchases) = (n / sum(&|row| 1.0 / row.0), sum(&|row| libm::log(row.0)));
        let rows = rows.into_par_iter().map(|(x, mean, _)| (x, mean)).collect();
        Self { rows, centre, unit, typical, more, squares, ln_purchases }
    }

    fn in_units(self, centre: f64, unit: f64) -> Self {
        Self { centre, unit, ..self }
    }

    /// Whether all purchases are worth the same; means that differ in their last bits alone are equal.
    fn is_of_one_amount(&self) -> bool {
        self.unit <= 1e-12 * self.centre.abs()
    }

    /// Why nothing can be fitted.
    fn cannot_tell(&self) -> Option<&'static str> {
        if self.rows.len() < 3 {
            Some("fewer than three customers have a repeat purchase with spend")
        } else if self.unit.is_nan() {
            Some("the sums of squares leave the range of numbers")
        } else if self.more < 1.0 && !self.is_of_one_amount() {
            Some("no customer has two repeat purchases, so spread between customers cannot be told from spread within")
        } else {
            None
        }
    }

    /// Where the search begins: variances by their moments.
    fn start(&self) -> [f64; 3] {
        let within = (self.squares / self.more / (self.unit * self.unit)).max(SMALLEST);
        [0.0, within, (1.0 - within - within / self.typical).max(0.1)]
    }

    /// Of the deviations from the centre in units, by their mean, `σ²` and `τ²`.
    ///
    /// With `v = τ² + σ²/x` and `d = z̄ − μ`: `−½ Σ [ln 2πv + d²/v]`, whose derivatives by `v` are `½(d²/v − 1)/v` and
    /// `½(1 − 2d²/v)/v²`; within customers `−½ Σ [(x−1) ln 2πσ² + S/σ² + ln x]`.
    fn evaluate(&self, at: &[f64; 3]) -> Evaluation<3> {
        let [mean, within, between] = *at;
        let sums: [f64; 10] = chunked(self.rows.len(), |range| {
            let mut sum = [0.0; 10];
            for &(x, z) in &self.rows[range] {
                let share = 1.0 / x;
                let v = between + within * share;
                let d = (z - self.centre) / self.unit - mean;
                let (precision, squares) = (1.0 / v, d * d / v);
                let first = 0.5 * (squares - 1.0) * precision;
                let second = 0.5 * (1.0 - 2.0 * squares) * precision * precision;
                let cross = -d * precision * precision;
                sum[0] -= 0.5 * (libm::log(2.0 * std::f64::consts::PI * v) + squares);
                sum[1] += d * precision;
                sum[2] += first * share;
                sum[3] += first;
                sum[4] -= precision;
                sum[5] += cross * share;
                sum[6] += cross;
                sum[7] += second * share * share;
                sum[8] += second * share;
                sum[9] += second;
            }
            sum
        });
        let [value, by_mean, by_within, by_between, mm, mw, mb, ww, wb, bb] = sums;
        let (more, squares) = (self.more, self.squares / (self.unit * self.unit) / within);
        let value = value - 0.5 * (more * libm::log(2.0 * std::f64::consts::PI * within) + squares + self.ln_purchases);
        let by_within = by_within + 0.5 * (squares - more) / within;
        let ww = ww + 0.5 * (more - 2.0 * squares) / (within * within);
        Evaluation {
            value,
            gradient: [by_mean, by_within, by_between],
            hessian: [[mm, mw, mb], [mw, ww, wb], [mb, wb, bb]],
        }
    }
}
