//! Pareto/NBD: what a fitted model says of a customer.
//!
//! While alive a customer buys at rate `λ ~ Gamma(r, α)`; the customer drops out at any time, purchase or not, at rate
//! `μ ~ Gamma(s, β)`. Given frequency `x`, age `T` **and being alive at `T`**, the two are independent with
//! `λ ~ Gamma(r+x, α+T)` and `μ ~ Gamma(s, β+T)`; recency then matters through P(alive) alone. So everything about the
//! future of a customer who is alive is the posterior mean rate times a function of `T`, and nothing can fail to
//! converge.
//!
//! Source: Schmittlein, Morrison & Colombo, Counting Your Customers: Who Are They and What Will They Do Next?,
//! Management Science 33 (1987), 1–24; sections cited are those of Fader & Hardie, A Note on Deriving the Pareto/NBD
//! Model and Related Expressions (2005).

use super::bg_cnbd_k::Phases;
use super::bg_nbd::{Predictions, Residual};
use super::exponential_gamma::ExponentialGamma;
use super::pareto_nbd_likelihood::Likelihood;
use super::silence::Silence;
use super::summary::{History, Summary};
use crate::numeric::quadrature::Rule;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Order of the quadrature on one panel, as for BG/NBD.
static PANEL: LazyLock<Rule<16>> = LazyLock::new(Rule::legendre);

/// Parameters of Pareto/NBD, all `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ParetoNbd {
    /// Shape of the gamma distribution of purchase rates.
    pub r: f64,
    /// Rate of that distribution, in model time units.
    pub alpha: f64,
    /// Shape of the gamma distribution of dropout rates.
    pub s: f64,
    /// Rate of that distribution, in model time units.
    pub beta: f64,
}

/// The time that a customer who is alive at `T` has left up to the horizon, in model time units.
#[derive(Debug, Clone, Copy)]
struct TimeLeft {
    plain: f64,
    discounted: f64,
}

impl ParetoNbd {
    /// The probability that a customer is still alive at `T`.
    ///
    /// `1 / (1 + A)` with the odds of having dropped out during the last silence
    /// `A = s ∫_{t_x}^{T} ((α+T)/(α+u))^{r+x} ((β+T)/(β+u))^s du/(β+u)`: positive terms, so that it needs neither of the
    /// two forms for `α ≥ β` and `α < β` nor their difference. Evaluated through its logarithm, so that it reaches 0 or
    /// 1 without overflow. Relative error below 1e-12.
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    ///
    /// Source: section 5.
    #[must_use]
    pub fn p_alive(&self, x: f64, t_x: f64, age: f64) -> f64 {
        let silence = Silence { n: self.r + x, s: self.s, a: self.alpha + t_x, b: self.beta + t_x };
        let lasted = age - t_x;
        let mut dead = 0.0;
        silence.visit(lasted, |v, weight| dead += weight * libm::exp(-silence.fall(v)) / (silence.b + v));
        let ln_odds_dead = libm::log(self.s * dead) + silence.fall(lasted);
        1.0 / (1.0 + libm::exp(ln_odds_dead))
    }

    /// The probability that a customer who is alive at `T` still is after another `u`; the same for every frequency.
    ///
    /// `S(u) = ((β+T)/(β+T+u))^s`.
    #[must_use]
    pub fn survival(&self, _x: f64, age: f64, u: f64) -> f64 {
        self.time_alive(age).survival(u)
    }

    /// Purchases per time unit expected at `u` after `T`, for a customer who is alive at `T`.
    ///
    /// `m(u) = (r+x)/(α+T) · S(u)`.
    #[must_use]
    pub fn intensity(&self, x: f64, age: f64, u: f64) -> f64 {
        self.rate(x, age) * self.survival(x, age, u)
    }

    /// What is left until the horizon for a customer who is alive at `T`.
    ///
    /// `(r+x)/(α+T) · ∫ S(u) du`, the same with `e^{−δu}`, and `∫ S(u) e^{−δu} du`. The first integral is
    /// `(β+T) ln(1+h/(β+T)) · (e^z − 1)/z` with `z = (1−s) ln(1+h/(β+T))`, smooth through `s = 1`; the discounted ones
    /// are taken by Gauss–Legendre on panels that double, relative error below 1e-13.
    ///
    /// * `horizon`: model time units, `>= 0`; infinity for ever, where purchases are infinite for `s <= 1` and the
    ///   discounted ones for `s <= 1` and `δ = 0`.
    /// * `delta`: continuous discount rate per model time unit, `>= 0`.
    ///
    /// Source: section 6.
    #[must_use]
    pub fn residual(&self, x: f64, age: f64, horizon: f64, delta: f64) -> Residual {
        self.residual_in(x, age, self.time_left(age, horizon, delta))
    }

    /// Probabilities of `0, 1, 2, …` purchases in the next `horizon` of a customer who is alive at `T`.
    ///
    /// `S(H) P(N_H = n) + ∫_0^H P(N_u = n) s/(β+T+u) S(u) du`: `N_u` is negative binomial with shape `r+x` and odds
    /// `u/(α+T)`, `S(u) = ((β+T)/(β+T+u))^s`. By quadrature over panels of a few mean gaps, then a quarter of the time
    /// before them; absolute error below 1e-9.
    #[must_use]
    pub fn purchase_probabilities(&self, x: f64, age: f64, horizon: f64) -> Vec<f64> {
        let (shape, scale, left) = (self.r + x, self.alpha + age, self.beta + age);
        let mut found: Vec<f64> = Vec::new();
        let mut add = |u: f64, weight: f64| {
            Phases { shape, odds: u / scale }.visit(|n, probability| {
                if found.len() <= n as usize {
                    found.resize(n as usize + 1, 0.0);
                }
                found[n as usize] += weight * probability;
            });
        };
        let stays = |u: f64| libm::exp(-self.s * libm::log1p(u / left));
        add(horizon, stays(horizon));
        let mut from = 0.0;
        while from < horizon {
            let widest = (4.0 * scale / shape).max(0.25 * from).min(scale + from).min((left + from) / self.s.max(1.0));
            let to = if from + widest > from { horizon.min(from + widest) } else { horizon };
            for (u, weight) in PANEL.on(from, to) {
                add(u, weight * self.s / (left + u) * stays(u));
            }
            from = to;
        }
        found
    }

    /// Purchases expected in the next `horizon` given the customer's history: P(alive) times the residual purchases.
    ///
    /// Source: section 6.
    #[must_use]
    pub fn expected_purchases(&self, x: f64, t_x: f64, age: f64, horizon: f64) -> f64 {
        self.p_alive(x, t_x, age) * self.residual(x, age, horizon, 0.0).purchases
    }

    /// Discounted purchases expected for ever given the customer's history (DERT).
    ///
    /// `P(alive) · (r+x)/(α+T) · ∫_0^∞ ((β+T)/(β+T+u))^s e^{−δu} du`; the integral is `(β+T) Ψ(1, 2−s; δ(β+T))` with the
    /// confluent hypergeometric function of the second kind, taken by quadrature up to `δu = 60` with a relative error
    /// below 1e-12.
    ///
    /// * `delta`: continuous discount rate per model time unit, `> 0`.
    ///
    /// Source: Fader, Hardie & Lee, RFM and CLV, J. Marketing Research 42 (2005), 415–430.
    #[must_use]
    pub fn discounted_purchases_for_ever(&self, x: f64, t_x: f64, age: f64, delta: f64) -> f64 {
        self.p_alive(x, t_x, age) * self.residual(x, age, f64::INFINITY, delta).discounted_purchases
    }

    /// Repeat purchases expected of a new customer in the first `t` model time units.
    ///
    /// `E X(t) = r β / (α (s−1)) · (1 − (β/(β+t))^{s−1})`, smooth through `s = 1`.
    ///
    /// Source: section 4.
    #[must_use]
    pub fn expected_purchases_of_new(&self, t: f64) -> f64 {
        self.residual(0.0, 0.0, t, 0.0).purchases
    }

    /// Predictions for every distinct history; the integrals over the future once for each distinct age, those over
    /// silences shared among histories of equal frequency (so that P(alive) may differ from [`ParetoNbd::p_alive`] in
    /// its last digits).
    ///
    /// * `days_per_unit`: days in a model time unit (7 for weeks), as in the fit.
    /// * `horizon`, `delta`: as in [`ParetoNbd::residual`].
    #[must_use]
    pub fn predict(&self, summary: &Summary, days_per_unit: f64, horizon: f64, delta: f64) -> Predictions {
        let histories: Vec<History> = summary.iter().map(|(history, _)| history).collect();
        let time = |days: u32| f64::from(days) / days_per_unit;
        let mut ages: Vec<u32> = histories.iter().map(|history| history.age).collect();
        ages.sort_unstable();
        ages.dedup();
        let left: Vec<TimeLeft> = ages.par_iter().map(|&age| self.time_left(time(age), horizon, delta)).collect();
        let residual = |h: &History| {
            let at = ages.partition_point(|&other| other < h.age);
            self.residual_in(f64::from(h.frequency), time(h.age), left[at])
        };
        let p_alive = Likelihood::new(summary, days_per_unit).p_alive(self);
        Predictions { p_alive, residual: histories.par_iter().map(residual).collect() }
    }

    /// P(alive) of every distinct history, as in [`ParetoNbd::predict`].
    #[must_use]
    pub fn predict_alive(&self, summary: &Summary, days_per_unit: f64) -> Vec<f64> {
        Likelihood::new(summary, days_per_unit).p_alive(self)
    }

    /// Mean purchase rate of a customer who is alive at `T`, per model time unit.
    fn rate(&self, x: f64, age: f64) -> f64 {
        (self.r + x) / (self.alpha + age)
    }

    fn residual_in(&self, x: f64, age: f64, left: TimeLeft) -> Residual {
        let rate = self.rate(x, age);
        Residual {
            purchases: rate * left.plain,
            discounted_purchases: rate * left.discounted,
            discounted_alive_time: left.discounted,
        }
    }

    /// The time to drop out of a customer who is alive at `T`.
    fn time_alive(&self, age: f64) -> ExponentialGamma {
        ExponentialGamma { r: self.s, alpha: self.beta }.after(age)
    }

    /// `∫ S(u) du` and `∫ S(u) e^{−δu} du` up to the horizon.
    fn time_left(&self, age: f64, horizon: f64, delta: f64) -> TimeLeft {
        let left = self.time_alive(age);
        let plain = left.lifetime(horizon);
        let discounted = if delta == 0.0 { plain } else { left.discounted_lifetime(horizon, delta) };
        TimeLeft { plain, discounted }
    }
}
