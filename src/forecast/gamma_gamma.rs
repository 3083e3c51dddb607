//! Gamma-Gamma: what a customer spends on a purchase.
//!
//! A customer's purchases are `Gamma(p, ν)`, and `ν ~ Gamma(q, γ)` over customers, independent of how often they buy.
//! The mean of `x` purchases is enough to know of a customer.
//!
//! Source: Fader & Hardie, The Gamma-Gamma Model of Monetary Value (2013); equation numbers are that note's.

use super::fit::{Fit, LimitModel};
use super::limits::{Ends, WayOut, settle_narrow};
use crate::numeric::newton::{Bounds, Evaluation, maximise};
use crate::numeric::special::{ln_beta, polygamma_rise, trigamma};
use crate::numeric::sums::chunked;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

const MODEL: &str = "Gamma-Gamma";
const NAMES: [&str; 3] = ["p", "q", "gamma"];
/// Parameters are searched in this range; γ in units of the mean spend.
const SMALLEST: f64 = 1e-6;
const LARGEST: f64 = 1e7;
/// A parameter within this factor of the range's end has left for a limit model.
const NEAR: f64 = 1e2;
/// The ends of the parameter space, by `p, q, γ`.
const WAYS_OUT: [WayOut; 2] = [
    WayOut { limit: LimitModel::EqualSpendWithinCustomer, towards: &[1, 0, -1], idle: &[] },
    WayOut { limit: LimitModel::EqualSpendAcrossCustomers, towards: &[0, 1, 1], idle: &[] },
];

/// Parameters of Gamma-Gamma, all `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GammaGamma {
    /// Shape of the gamma distribution of one purchase.
    pub p: f64,
    /// Shape of the gamma distribution of its rate `ν` over customers.
    pub q: f64,
    /// Rate of that distribution, in major units of money.
    pub gamma: f64,
}

/// A gamma distribution `Gamma(shape, rate)` of the spend rate `ν` of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpendRate {
    /// `q + p x`.
    pub shape: f64,
    /// `γ + x z̄`, in major units.
    pub rate: f64,
}

impl GammaGamma {
    /// Mean spend on a purchase over all customers, `p γ / (q − 1)`; infinite for `q <= 1`.
    ///
    /// Source: equation 3.
    #[must_use]
    pub fn prior_mean(&self) -> f64 {
        self.mean_given(self.posterior(0.0, 0.0))
    }

    /// Mean spend expected of a customer who spent `total` on `x` purchases: `p (γ + x z̄) / (p x + q − 1)`.
    ///
    /// Infinite for `p x + q <= 1`, which for `x = 0` is `q <= 1`.
    ///
    /// * `x`: repeat purchases. * `total`: their sum `x z̄`, major units.
    ///
    /// Source: equation 5.
    #[must_use]
    pub fn conditional_mean(&self, x: f64, total: f64) -> f64 {
        self.mean_given(self.posterior(x, total))
    }

    /// What is known of a customer's spend rate after `total` on `x` purchases: `Gamma(q + p x, γ + x z̄)`.
    ///
    /// Source: equation 4.
    #[must_use]
    pub fn posterior(&self, x: f64, total: f64) -> SpendRate {
        SpendRate { shape: self.q + self.p * x, rate: self.gamma + total }
    }

    /// Mean of one purchase for a customer with this spend rate: `p · rate / (shape − 1)`, infinite for `shape <= 1`.
    #[must_use]
    pub fn mean_given(&self, spend: SpendRate) -> f64 {
        if spend.shape > 1.0 { self.p * spend.rate / (spend.shape - 1.0) } else { f64::INFINITY }
    }

    /// Fit by maximum likelihood to the customers with a repeat purchase.
    ///
    /// Damped Newton on `(ln p, ln q, ln γ)` with the analytic Hessian of equation 1a. Rows without a repeat purchase
    /// are not used; rows with one and a spend that is not positive cannot be (a note counts them).
    ///
    /// * `x`: repeat purchases. * `total`: money of the repeat purchases, major units; both in the same row order, which
    ///   the last bits of the result may depend on: pass rows in customer order.
    ///
    /// The returned [`Fit`] says how it ended; it is `Failed` for slices of different lengths or fewer than two rows.
    #[must_use]
    pub fn fit(x: &[u32], total: &[f64]) -> Fit<Self> {
        if x.len() != total.len() {
            return Fit::failed(MODEL, &NAMES, 0, "frequency and spend have different numbers of rows");
        }
        let spend = Spend::new(x, total);
        let customers = spend.rows.len() as u64;
        if customers < 2 {
            return Fit::failed(MODEL, &NAMES, customers, "fewer than two customers have a repeat purchase with spend");
        }
        let mean = spend.mean;
        let start = [2.0, 4.0, 1.5 * mean].map(libm::log);
        let (low, high, shift) = (libm::log(SMALLEST), libm::log(LARGEST), libm::log(mean));
        let bounds = Bounds { lower: [low, low, low + shift], upper: [high, high, high + shift] };
        let maximum = maximise(start, &bounds, |ln| spend.evaluate(ln));
        let gone = |point: &[f64; 3]| limit_models(point, &bounds);
        let ends = Ends { ways: &WAYS_OUT, again: &[] };
        let of = |ln: &[f64; 3]| spend.evaluate(ln);
        let mut fit = settle_narrow(&(&maximum).into(), gone, &bounds, ends, of, |point, maximum, limits| {
            let parameters = point.map(libm::exp);
            let [p, q, gamma] = parameters;
            Fit::at_judged_maximum(MODEL, &NAMES, customers, maximum, &parameters, Self { p, q, gamma }, limits)
        });
        if spend.unusable > 0 {
            let note =
                format!("{} customers with repeat purchases but no positive spend are not in the fit", spend.unusable);
            fit.notes.push(note);
        }
        if fit.fitted().is_ok_and(|model| model.q <= 1.0) {
            let note = "q <= 1: the mean spend of a customer without a repeat purchase is infinite, so such a customer \
                        is taken to have made one of the mean amount";
            fit.notes.push(note.to_owned());
        }
        fit
    }

    /// Log-likelihood of the rows that [`GammaGamma::fit`] would use.
    ///
    /// Source: equation 1a.
    #[must_use]
    pub fn log_likelihood(&self, x: &[u32], total: &[f64]) -> f64 {
        Self::evaluation(x, total, &[self.p, self.q, self.gamma].map(libm::log)).value
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `p, q, γ`, at those logarithms.
    #[must_use]
    pub fn evaluation(x: &[u32], total: &[f64], ln: &[f64; 3]) -> Evaluation<3> {
        Spend::new(x, total).evaluate(ln)
    }
}

fn limit_models(point: &[f64; 3], bounds: &Bounds<3>) -> Vec<LimitModel> {
    let near = libm::log(NEAR);
    let low: [bool; 3] = std::array::from_fn(|i| point[i] < bounds.lower[i] + near);
    let high: [bool; 3] = std::array::from_fn(|i| point[i] > bounds.upper[i] - near);
    let mut limits = Vec::new();
    if high[0] {
        limits.push(LimitModel::EqualSpendWithinCustomer);
    }
    if high[1] {
        limits.push(LimitModel::EqualSpendAcrossCustomers);
    }
    let scale_gone = (low[2] && !high[0]) || (high[2] && !high[1]);
    let degenerate = low[0] || low[1] || scale_gone;
    if degenerate {
        limits.push(LimitModel::DegenerateSpend);
    }
    limits
}

/// The rows of a fit and what does not depend on the parameters.
struct Spend {
    /// (repeat purchases, their money, its logarithm), row order.
    rows: Vec<(f64, f64, f64)>,
    /// Runs of equal frequency: (frequency, customers).
    frequencies: Vec<(f64, f64)>,
    /// `Σ ln z̄`.
    ln_means: f64,
    /// Mean over customers of the mean spend.
    mean: f64,
    unusable: usize,
}

impl Spend {
    fn new(x: &[u32], total: &[f64]) -> Self {
        let usable = |&(&x, &total): &(&u32, &f64)| x > 0 && total > 0.0 && total.is_finite();
        let repeaters = x.par_iter().filter(|&&x| x > 0).count();
        let pairs = || x.par_iter().zip(total).filter(usable);
        let rows: Vec<(f64, f64, f64)> = pairs().map(|(&x, &total)| (f64::from(x), total, libm::log(total))).collect();
        let mut sorted: Vec<u32> = pairs().map(|(&x, _)| x).collect();
        sorted.par_sort_unstable();
        let frequencies = sorted.chunk_by(|a, b| a == b).map(|run| (f64::from(run[0]), run.len() as f64)).collect();
        let [ln_means, means] = chunked(rows.len(), |range| {
            let mut sum = [0.0; 2];
            for &(x, total, ln_total) in &rows[range] {
                sum[0] += ln_total - libm::log(x);
                sum[1] += total / x;
            }
            sum
        });
        let mean = means / rows.len().max(1) as f64;
        Self { unusable: repeaters - rows.len(), rows, frequencies, ln_means, mean }
    }

    /// Log-likelihood and its derivatives by the logarithms of `p, q, γ`.
    ///
    /// `Σ −ln B(px, q) − ln z̄ − px ln(1 + γ/s) − q ln(1 + s/γ)` with `s = x z̄`: the rows enter through six sums, and
    /// neither logarithm cancels against another term where `p` or `q` goes to infinity.
    fn evaluate(&self, ln: &[f64; 3]) -> Evaluation<3> {
        let [p, q, gamma] = ln.map(libm::exp);
        let [log, x_log, share, x_share, square, x_square] = chunked(self.rows.len(), |range| {
            let mut sum = [0.0; 6];
            for &(x, total, ln_total) in &self.rows[range] {
                // One of ln(1 + s/γ) and ln(1 + γ/s) is small and needs its digits; they differ by ln(s/γ).
                let small = libm::log1p(if total < gamma { total / gamma } else { gamma / total });
                let large = small + (ln_total - ln[2]).abs();
                let (by_total, by_gamma) = if total < gamma { (small, large) } else { (large, small) };
                let share = gamma / (gamma + total);
                let both = share * (total / (gamma + total));
                sum[0] += by_total;
                sum[1] += x * by_gamma;
                sum[2] += share;
                sum[3] += x * share;
                sum[4] += both;
                sum[5] += x * both;
            }
            sum
        });
        let n = self.rows.len() as f64;
        let mut ln_beta_sum = 0.0;
        let [mut first_p, mut first_q, mut second_p, mut cross, mut second_q] = [0.0; 5];
        for &(x, customers) in &self.frequencies {
            let own = p * x;
            let ((psi_p, psi1_p), (psi_q, psi1_q)) = (polygamma_rise(own, q), polygamma_rise(q, own));
            ln_beta_sum += customers * ln_beta(own, q);
            first_p += customers * x * psi_p;
            first_q += customers * psi_q;
            second_p += customers * x * x * psi1_p;
            cross += customers * x * trigamma(own + q);
            second_q += customers * psi1_q;
        }
        let by_p = p * (first_p - x_log);
        let by_q = q * (first_q - log);
        let (pp, pq, pg) = (by_p + p * p * second_p, p * q * cross, -p * x_share);
        let (qq, qg, gg) = (by_q + q * q * second_q, q * (n - share), -(p * x_square + q * square));
        Evaluation {
            value: -ln_beta_sum - self.ln_means - p * x_log - q * log,
            gradient: [by_p, by_q, n * q - p * x_share - q * share],
            hessian: [[pp, pq, pg], [pq, qq, qg], [pg, qg, gg]],
        }
    }
}
