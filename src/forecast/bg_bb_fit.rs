//! BG/BB: likelihood with analytic derivatives, and its maximum.
//!
//! A history is a mixture over the opportunity `m = t_x … n` that the customer saw last (`m = n`: still alive). Every
//! term is a product of rising factorials, so that its logarithm and derivatives are sums of table entries.
//!
//! Source: Fader, Hardie & Shang, Marketing Science 29 (2010), 1086–1108.

use super::beta_geometric::{BetaLimit, beta_limit};
use super::bg_bb::BgBb;
use super::bg_nbd_fit::AGAIN;
use super::fit::{Fit, LimitModel};
use super::limits::{Ends, WayOut, settle_narrow};
use super::opportunities::{DiscreteHistory, Opportunities};
use crate::numeric::newton::{Bounds, Evaluation, maximise};
use crate::numeric::special::Rise;
use crate::numeric::sums::chunked;

const MODEL: &str = "BG/BB";
const NAMES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
/// Parameters are searched in this range; β in units of the opportunities per purchase, δ in units of the mean `n`.
const SMALLEST: f64 = 1e-9;
const LARGEST: f64 = 1e7;
/// A parameter within this factor of the range's end has left for a limit model.
const NEAR: f64 = 1e3;

/// The ends of the parameter space, by `α, β, γ, δ`.
const WAYS_OUT: [WayOut; 5] = [
    WayOut { limit: LimitModel::BetaBinomial, towards: &[0, 0, -1], idle: &[3] },
    WayOut { limit: LimitModel::EqualDropout, towards: &[0, 0, 1, 1], idle: &[] },
    WayOut { limit: LimitModel::LeaveAtFirstChanceOrNever, towards: &[0, 0, -1, -1], idle: &[] },
    WayOut { limit: LimitModel::EqualPurchaseProbabilities, towards: &[1, 1], idle: &[] },
    WayOut { limit: LimitModel::BuyAlwaysOrNever, towards: &[-1, -1], idle: &[] },
];

/// Value, four first and ten second derivatives.
const TERMS: usize = 15;
/// A term of the mixture below `e^{−50}` of the largest is beneath the last bit of a sum of a million.
const NEGLIGIBLE: f64 = -50.0;

/// Rising factorials of the four parameters by the number of steps; logarithms are relative to powers of `α+β`.
struct Tables {
    alpha: Vec<Rise>,
    beta: Vec<Rise>,
    /// Of `α+β`.
    buying: Vec<Rise>,
    delta: Vec<Rise>,
    /// Of `γ+δ`.
    dropout: Vec<Rise>,
    /// `ln (δ)_m/(γ+δ)_m`.
    ln_kept: Vec<f64>,
    /// `ln γ/(γ+δ+m)`.
    ln_dropped: Vec<f64>,
    /// `α, β, γ, δ`.
    parameters: [f64; 4],
}

impl BgBb {
    /// Fit by maximum likelihood to the counts of equal histories.
    ///
    /// Damped Newton on `(ln α, ln β, ln γ, ln δ)` with the analytic Hessian of
    ///
    /// `L = B(α+x, β+n−x)/B(α, β) · B(γ, δ+n)/B(γ, δ) + Σ_{m=t_x}^{n−1} B(α+x, β+m−x)/B(α, β) · B(γ+1, δ+m)/B(γ, δ)`.
    ///
    /// The returned [`Fit`] says how it ended: `Failed` without any purchase after the first, `Boundary` where the
    /// likelihood rises towards a simpler model.
    #[must_use]
    pub fn fit(summary: &Opportunities) -> Fit<Self> {
        let customers = summary.customers();
        let purchases = summary.total(|history| history.frequency);
        if purchases == 0 {
            let why = "no customer bought a second time, so nothing is known of purchase or dropout probabilities";
            return Fit::failed(MODEL, &NAMES, customers, why);
        }
        let histories: Vec<(DiscreteHistory, u64)> = summary.iter().collect();
        let opportunities = summary.total(|history| history.opportunities) as f64;
        let (per_purchase, mean) = (opportunities / purchases as f64, opportunities / customers as f64);
        let start = [1.0, per_purchase, 1.0, mean].map(libm::log);
        let shift = [0.0, libm::log(per_purchase), 0.0, libm::log(mean)];
        let bounds = Bounds {
            lower: shift.map(|shift| libm::log(SMALLEST) + shift),
            upper: shift.map(|shift| libm::log(LARGEST) + shift),
        };
        let maximum = maximise(start, &bounds, |ln| evaluate(&histories, ln));
        let gone = |point: &[f64; 4]| limit_models(point, &bounds);
        let ends = Ends { ways: &WAYS_OUT, again: &AGAIN };
        let of = |ln: &[f64; 4]| evaluate(&histories, ln);
        settle_narrow(&(&maximum).into(), gone, &bounds, ends, of, |point, maximum, limits| {
            let parameters = point.map(libm::exp);
            let [alpha, beta, gamma, delta] = parameters;
            let model = Self { alpha, beta, gamma, delta };
            Fit::at_judged_maximum(MODEL, &NAMES, customers, maximum, &parameters, model, limits)
        })
    }

    /// Log-likelihood of the counts at these parameters.
    #[must_use]
    pub fn log_likelihood(&self, summary: &Opportunities) -> f64 {
        Self::evaluation(summary, &[self.alpha, self.beta, self.gamma, self.delta].map(libm::log)).value
    }

    /// Log-likelihood, gradient and Hessian by the logarithms of `α, β, γ, δ`, at those logarithms.
    #[must_use]
    pub fn evaluation(summary: &Opportunities, ln: &[f64; 4]) -> Evaluation<4> {
        let histories: Vec<(DiscreteHistory, u64)> = summary.iter().collect();
        evaluate(&histories, ln)
    }
}

/// The simpler models that the parameters have gone to.
fn limit_models(point: &[f64; 4], bounds: &Bounds<4>) -> Vec<LimitModel> {
    let near = libm::log(NEAR);
    let low: [bool; 4] = std::array::from_fn(|i| point[i] < bounds.lower[i] + near);
    let high: [bool; 4] = std::array::from_fn(|i| point[i] > bounds.upper[i] - near);
    let ln_odds = point[0] - point[1];
    let buying = beta_limit([low[0], low[1]], [high[0], high[1]], ln_odds).map(|limit| match limit {
        BetaLimit::ZeroOrOne => LimitModel::BuyAlwaysOrNever,
        BetaLimit::One => LimitModel::BuyAlways,
        // There are purchases, so the probability is small at most.
        BetaLimit::Zero | BetaLimit::Equal => LimitModel::EqualPurchaseProbabilities,
    });
    // Odds of dropping out at any of a mean customer's opportunities.
    let ln_odds = (point[2] - bounds.upper[2]) - (point[3] - bounds.upper[3]);
    let dropout = beta_limit([low[2], low[3]], [high[2], high[3]], ln_odds).map(|limit| match limit {
        BetaLimit::ZeroOrOne => LimitModel::LeaveAtFirstChanceOrNever,
        BetaLimit::One => LimitModel::LeaveAtFirstChance,
        BetaLimit::Zero => LimitModel::BetaBinomial,
        BetaLimit::Equal => LimitModel::EqualDropout,
    });
    buying.into_iter().chain(dropout).collect()
}

/// Log-likelihood and its derivatives by the logarithms of `α, β, γ, δ`.
fn evaluate(histories: &[(DiscreteHistory, u64)], ln: &[f64; 4]) -> Evaluation<4> {
    let longest = histories.iter().map(|(history, _)| history.opportunities).max().unwrap_or(0);
    let tables = Tables::new(ln.map(libm::exp), longest as usize);
    let terms = chunked::<TERMS, _>(histories.len(), |rows| {
        let mut sum = [0.0; TERMS];
        for (history, weight) in &histories[rows] {
            tables.add_history(&mut sum, *history, *weight as f64);
        }
        sum
    });
    let [value, ga, gb, gc, gd, aa, ab, ac, ad, bb, bc, bd, cc, cd, dd] = terms;
    Evaluation {
        value,
        gradient: [ga, gb, gc, gd],
        hessian: [[aa, ab, ac, ad], [ab, bb, bc, bd], [ac, bc, cc, cd], [ad, bd, cd, dd]],
    }
}

/// Rising factorials `(z)_m/scaleᵐ` and their derivatives by `z` for `m = 0 … steps`.
fn rises(z: f64, scale: f64, steps: usize) -> Vec<Rise> {
    let mut at = Rise { ln_gamma: 0.0, digamma: 0.0, trigamma: 0.0 };
    let mut rises = vec![at];
    for step in 0..steps {
        let factor = z + step as f64;
        at.ln_gamma += libm::log(factor / scale);
        at.digamma += 1.0 / factor;
        at.trigamma -= 1.0 / (factor * factor);
        rises.push(at);
    }
    rises
}

impl Tables {
    fn new(parameters: [f64; 4], longest: usize) -> Self {
        let [alpha, beta, gamma, delta] = parameters;
        let scale = alpha + beta;
        let mut ln_kept = vec![0.0];
        for step in 0..longest {
            // One by one, because a difference of the two rises would lose the digits of a tiny γ.
            ln_kept.push(ln_kept[step] - libm::log1p(gamma / (delta + step as f64)));
        }
        Self {
            alpha: rises(alpha, scale, longest),
            beta: rises(beta, scale, longest),
            buying: rises(alpha + beta, scale, longest),
            delta: rises(delta, 1.0, longest),
            dropout: rises(gamma + delta, 1.0, longest),
            ln_kept,
            ln_dropped: (0..longest).map(|m| libm::log(gamma) - libm::log(gamma + delta + m as f64)).collect(),
            parameters,
        }
    }

    /// Logarithm of the term of the mixture where opportunity `m` was the last one seen, without the factor `(α)_x`.
    #[inline]
    fn ln_term(&self, x: usize, m: usize, n: usize) -> f64 {
        let dropped = if m < n { self.ln_dropped[m] } else { 0.0 };
        self.beta[m - x].ln_gamma - self.buying[m].ln_gamma + self.ln_kept[m] + dropped
    }

    /// Derivatives of that logarithm by `ln α, ln β, ln γ, ln δ`: first, and second in the order αα αβ ββ γγ γδ δδ.
    #[inline]
    fn slopes(&self, x: usize, m: usize, n: usize) -> ([f64; 4], [f64; 6]) {
        let [alpha, beta, gamma, delta] = self.parameters;
        let (bought, missed, buying) = (self.alpha[x], self.beta[m - x], self.buying[m]);
        // Dropping out after m takes one chance more than surviving it.
        let (dropped, chances) = if m < n { (1.0, m + 1) } else { (0.0, m) };
        let (kept, dropout) = (self.delta[m], self.dropout[chances]);
        let by_alpha = alpha * (bought.digamma - buying.digamma);
        let by_beta = beta * (missed.digamma - buying.digamma);
        let by_gamma = -gamma * dropout.digamma;
        let by_delta = delta * (kept.digamma - dropout.digamma);
        let second = [
            by_alpha + alpha * alpha * (bought.trigamma - buying.trigamma),
            -alpha * beta * buying.trigamma,
            by_beta + beta * beta * (missed.trigamma - buying.trigamma),
            by_gamma - gamma * gamma * dropout.trigamma,
            -gamma * delta * dropout.trigamma,
            by_delta + delta * delta * (kept.trigamma - dropout.trigamma),
        ];
        ([by_alpha, by_beta, by_gamma + dropped, by_delta], second)
    }

    /// `ln Σ_m e^{ℓ_m}` and its derivatives: means of the terms' derivatives, and the covariance of their first ones.
    fn add_history(&self, sum: &mut [f64; TERMS], history: DiscreteHistory, weight: f64) {
        let [x, first, n] = [history.frequency, history.recency, history.opportunities].map(|count| count as usize);
        let largest = (first..=n).map(|m| self.ln_term(x, m, n)).fold(f64::NEG_INFINITY, f64::max);
        let (mut total, mut mean, mut square, mut second) = (0.0, [0.0; 4], [[0.0; 4]; 4], [0.0; 6]);
        for m in first..=n {
            let below = self.ln_term(x, m, n) - largest;
            if below < NEGLIGIBLE {
                continue;
            }
            let share = libm::exp(below);
            let (slope, bend) = self.slopes(x, m, n);
            total += share;
            for i in 0..4 {
                mean[i] += share * slope[i];
                for j in i..4 {
                    square[i][j] += share * slope[i] * slope[j];
                }
            }
            second.iter_mut().zip(bend).for_each(|(second, bend)| *second += share * bend);
        }
        sum[0] += weight * (self.alpha[x].ln_gamma + largest + libm::log(total));
        let [aa, ab, bb, cc, cd, dd] = second;
        let own = [[aa, ab, 0.0, 0.0], [0.0, bb, 0.0, 0.0], [0.0, 0.0, cc, cd], [0.0, 0.0, 0.0, dd]];
        let mut at = 5;
        for i in 0..4 {
            sum[1 + i] += weight * mean[i] / total;
            for j in i..4 {
                sum[at] += weight * ((own[i][j] + square[i][j]) - mean[i] * (mean[j] / total)) / total;
                at += 1;
            }
        }
    }
}
