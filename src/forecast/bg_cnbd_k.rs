//! (M)BG/CNBD-k: purchases that come more regularly than by chance.
//!
//! As BG/NBD, but the time between two purchases of a customer is Erlang distributed: the sum of `k` exponential phases
//! with rate `λ ~ Gamma(r, α)`; `k = 1` is BG/NBD. Dropout with probability `p ~ Beta(a, b)` comes after every repeat
//! purchase (BG) or after the first purchase as well (MBG).
//!
//! During a silence of `v = T − t_x` fewer than `k` phases have passed. With `n = r + kx` and `z = v/(α+T)`, the phase
//! `j` has weight `q_j = (n)_j/j! z^j (1−z)^n`, and given it `λ ~ Gamma(n+j, α+T)`.
//!
//! Source: Platzer & Reutterer, Ticking Away the Moments: Timing Regularity Helps to Better Predict Customer Activity,
//! Marketing Science 35 (2016), 779–799; Reutterer, Platzer & Schröder, Leveraging purchase regularity for predicting
//! customer behavior the easy way, International Journal of Research in Marketing 38 (2021), 194–215.

use super::bg_nbd::{Predictions, Residual};
use super::per_period::{MANY, parts_on};
use super::summary::{History, Summary};
use crate::numeric::quadrature::{Integrals, Rule};
use crate::numeric::special::rise;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

static PANEL: LazyLock<Rule<16>> = LazyLock::new(Rule::legendre);
static FINE: LazyLock<Rule<32>> = LazyLock::new(Rule::legendre);

/// Counts less likely than the likeliest by this factor have no digit in common with the sum.
const FORGOTTEN: f64 = 1e-20;

/// Most phases that a fit tries: gaps whose standard deviation is 18 % of their mean. What a prediction costs grows with their
/// square, and purchases yet more regular are those of a contract.
pub const MOST_PHASES: u32 = 32;

/// When a customer may drop out for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstDropout {
    /// After the first repeat purchase (BG).
    AfterRepeat,
    /// After the very first purchase (MBG).
    AfterFirst,
}

/// Parameters of (M)BG/CNBD-k, all `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BgCnbdK {
    /// Phases between two purchases, 1 for purchases by chance.
    pub k: u32,
    /// When dropout begins.
    pub dropout: FirstDropout,
    /// Shape of the gamma distribution of phase rates.
    pub r: f64,
    /// Rate of that distribution, in model time units.
    pub alpha: f64,
    /// First shape of the beta distribution of dropout probabilities.
    pub a: f64,
    /// Second shape of that distribution.
    pub b: f64,
}

impl FirstDropout {
    /// Occasions of dropout that a customer with `x` repeat purchases has had.
    pub(super) fn occasions(self, x: u32) -> u32 {
        match self {
            Self::AfterRepeat => x,
            Self::AfterFirst => x + 1,
        }
    }
}

impl BgCnbdK {
    /// The probability that a customer is still alive at `T`.
    ///
    /// `Q / (Q + a/(b+e−1))` with `Q = Σ_{j<k} q_j` and `e` the occasions of dropout so far; 1 without an occasion.
    ///
    /// * `x`: repeat purchases. * `t_x`, `age`: recency and age `T` in model time units, `0 <= t_x <= T`.
    #[must_use]
    pub fn p_alive(&self, x: u32, t_x: f64, age: f64) -> f64 {
        let occasions = self.dropout.occasions(x);
        if occasions == 0 {
            return 1.0;
        }
        let n = self.r + f64::from(self.k) * f64::from(x);
        let phases: f64 = self.phase_weights(n, (age - t_x) / (self.alpha + age)).iter().sum();
        let ln_alive = libm::log(phases) - n * libm::log1p((age - t_x) / (self.alpha + t_x));
        let ln_dead = libm::log(self.a / (self.b + f64::from(occasions) - 1.0));
        1.0 / (1.0 + libm::exp(ln_dead - ln_alive))
    }

    /// Purchases expected in the next `horizon` of a customer who is alive at `T`.
    ///
    /// `Σ_{j<k} q_j/Q Σ_m P(N_j = m) W(⌊(m+j)/k⌋)`: the phases `N_j` up to the horizon are negative binomial with shape
    /// `n+j`, and `W(M) = Σ_{i<M} E(1−p)^i` purchases are expected of phases for `M`. A sum of positive terms without
    /// approximation, relative error below 1e-11.
    ///
    /// * `horizon`: model time units, `>= 0`, finite.
    #[must_use]
    pub fn residual_purchases(&self, x: u32, t_x: f64, age: f64, horizon: f64) -> f64 {
        self.ahead(x, t_x, age).at(horizon).0
    }

    /// The probability that a customer who is alive at `T` still is after another `u`.
    ///
    /// `Σ_{j<k} q_j/Q Σ_m P(N_j = m) E(1−p)^⌊(m+j)/k⌋`: positive terms, relative error below 1e-11.
    ///
    /// * `u`: model time units, `>= 0`, finite.
    #[must_use]
    pub fn survival(&self, x: u32, t_x: f64, age: f64, u: f64) -> f64 {
        self.ahead(x, t_x, age).at(u).1.min(1.0)
    }

    /// What is left until the horizon for a customer who is alive at `T`.
    ///
    /// `E X(H)` as [`BgCnbdK::residual_purchases`]; `E Σ e^{−δ t_j} = e^{−δH} E X(H) + δ ∫ e^{−δu} E X(u) du` by parts, and
    /// `∫ S(u) e^{−δu} du`, by quadrature. Panels are at most two mean gaps wide at first (less beyond 12 phases), where regular
    /// purchases make steps, and then an eighth of the time before them; relative error below 1e-7.
    ///
    /// * `horizon`: model time units, `>= 0`, finite. * `delta`: continuous discount rate per model time unit, `>= 0`.
    #[must_use]
    pub fn residual(&self, x: u32, t_x: f64, age: f64, horizon: f64, delta: f64) -> Residual {
        let discount = |u: f64| if delta == 0.0 { 1.0 } else { libm::exp(-delta * u) };
        let mut ahead = self.ahead(x, t_x, age);
        let purchases = ahead.at(horizon).0;
        let mut residual =
            Residual { purchases, discounted_purchases: discount(horizon) * purchases, discounted_alive_time: 0.0 };
        let narrowest = self.first_panel(x, age);
        let mut from = 0.0;
        while from < horizon {
            let widest = narrowest.max(0.125 * from).min(self.alpha + age + from).min(4.0 / delta);
            // A last panel too narrow to tell apart from nothing ends the walk.
            let to = if from + widest > from { horizon.min(from + widest) } else { horizon };
            for (u, weight) in PANEL.on(from, to) {
                let (made, alive) = ahead.at(u);
                let weight = weight * discount(u);
                residual.discounted_purchases += delta * weight * made;
                residual.discounted_alive_time += weight * alive;
            }
            from = to;
        }
        residual
    }

    /// What is left for a customer who is alive at `T`, where what happens in a span of time counts by the span's factor.
    ///
    /// * `spans`: start, end and factor, one after the other from 0, model time units.
    pub(super) fn residual_of_spans(&self, x: u32, t_x: f64, age: f64, spans: &[(f64, f64, f64)]) -> Residual {
        let mut ahead = self.ahead(x, t_x, age);
        let mut residual = Residual { purchases: 0.0, discounted_purchases: 0.0, discounted_alive_time: 0.0 };
        for &(_, end, factor) in spans {
            let made = ahead.at(end).0;
            residual.discounted_purchases += factor * (made - residual.purchases);
            residual.purchases = made;
        }
        let narrowest = self.first_panel(x, age);
        let horizon = spans.last().map_or(0.0, |span| span.1);
        let (mut spans, mut start) = (spans.iter().copied().peekable(), 0.0);
        while start < horizon {
            let widest = narrowest.max(0.125 * start).min(self.alpha + age + start);
            let end = if start + widest > start { horizon.min(start + widest) } else { horizon };
            let parts = parts_on((start, end), &mut spans);
            if parts.len() > MANY {
                let mut alive = [[0.0]; 32];
                for (alive, (u, _)) in alive.iter_mut().zip(FINE.on(start, end)) {
                    *alive = [ahead.at(u).1];
                }
                let (integrals, mut before) = (Integrals::new(&FINE, (start, end), &alive), 0.0);
                for (_, to, factor) in parts {
                    let [until] = integrals.until(to);
                    residual.discounted_alive_time += factor * (until - before);
                    before = until;
                }
            } else {
                for (from, to, factor) in parts {
                    let alive: f64 = PANEL.on(from, to).map(|(u, weight)| weight * ahead.at(u).1).sum();
                    residual.discounted_alive_time += factor * alive;
                }
            }
            start = end;
        }
        residual
    }

    /// Width of the first panel of a quadrature: two mean gaps, and the same multiple of their standard deviation where more
    /// phases make sharper steps.
    fn first_panel(&self, x: u32, age: f64) -> f64 {
        let k = f64::from(self.k);
        2.0 * k * (self.alpha + age) / (self.r + k * f64::from(x)) * libm::sqrt(12.0 / k).min(1.0)
    }

    /// Predictions for every distinct history.
    ///
    /// * `days_per_unit`: days in a model time unit, as in the fit. * `horizon`, `delta`: as in [`BgCnbdK::residual`].
    #[must_use]
    pub fn predict(&self, summary: &Summary, days_per_unit: f64, horizon: f64, delta: f64) -> Predictions {
        let time = |days: u32| f64::from(days) / days_per_unit;
        let histories: Vec<History> = summary.iter().map(|(history, _)| history).collect();
        let p_alive = histories.par_iter().map(|h| self.p_alive(h.frequency, time(h.recency), time(h.age))).collect();
        let residual =
            histories.par_iter().map(|h| self.residual(h.frequency, time(h.recency), time(h.age), horizon, delta));
        Predictions { p_alive, residual: residual.collect() }
    }

    /// Probabilities of `0, 1, 2, …` purchases in the next `horizon` of a customer who is alive at `T`, up to where what
    /// is left out is below `1e-10`.
    ///
    /// The potential purchases `M = ⌊(N_j + j)/k⌋` are cut short by dropout after the `K`-th:
    /// `P(n) = P(M = n) P(K >= n) + P(M > n) P(K = n)`.
    #[must_use]
    pub fn purchase_probabilities(&self, x: u32, t_x: f64, age: f64, horizon: f64) -> Vec<f64> {
        let ahead = self.ahead(x, t_x, age);
        let mut potential: Vec<f64> = Vec::new();
        for (j, weight) in phases(&ahead.weights, ahead.total) {
            let phases = Phases { shape: ahead.n + f64::from(j), odds: horizon / (self.alpha + age) };
            phases.visit(|m, probability| {
                let purchases = ((m + j) / self.k) as usize;
                if potential.len() <= purchases {
                    potential.resize(purchases + 1, 0.0);
                }
                potential[purchases] += weight / ahead.total * probability;
            });
        }
        cut_short(&potential, self.a, self.b + f64::from(self.dropout.occasions(x)))
    }

    /// Weights of the phases that may have passed since the last purchase, `q_j` but for a factor, `j < k`.
    pub(super) fn phases_passed(&self, x: u32, t_x: f64, age: f64) -> Vec<f64> {
        let n = self.r + f64::from(self.k) * f64::from(x);
        self.phase_weights(n, (age - t_x) / (self.alpha + age))
    }

    fn ahead(&self, x: u32, t_x: f64, age: f64) -> Ahead {
        let weights = self.phases_passed(x, t_x, age);
        let b = self.b + f64::from(self.dropout.occasions(x));
        Ahead {
            k: self.k,
            n: self.r + f64::from(self.k) * f64::from(x),
            scale: self.alpha + age,
            total: weights.iter().sum(),
            weights,
            made: Made { a: self.a, b, next: 1.0, sums: vec![0.0], stays: vec![] },
        }
    }

    /// Purchases expected in the next `horizon` given the customer's history: P(alive) times the residual purchases.
    #[must_use]
    pub fn expected_purchases(&self, x: u32, t_x: f64, age: f64, horizon: f64) -> f64 {
        self.p_alive(x, t_x, age) * self.residual_purchases(x, t_x, age, horizon)
    }

    /// `(n)_j/j! z^j` for `j < k`.
    fn phase_weights(&self, n: f64, z: f64) -> Vec<f64> {
        let next = |weight: &mut f64, j: u32| {
            let here = *weight;
            *weight *= (n + f64::from(j)) * z / f64::from(j + 1);
            Some(here)
        };
        (0..self.k).scan(1.0, next).collect()
    }
}

/// The future of one customer who is alive.
struct Ahead {
    k: u32,
    /// `r + kx` and `α + T`.
    n: f64,
    scale: f64,
    weights: Vec<f64>,
    total: f64,
    made: Made,
}

/// Phases that may have passed since the last purchase, with their weights: right after it there is one alone.
fn phases(weights: &[f64], total: f64) -> impl Iterator<Item = (u32, f64)> {
    (0..).zip(weights.iter().copied()).filter(move |(_, weight)| *weight > FORGOTTEN * total)
}

impl Ahead {
    /// Purchases expected up to `u`, and the probability of being alive then.
    fn at(&mut self, u: f64) -> (f64, f64) {
        let (mut sum, mut alive_sum) = (0.0, 0.0);
        let Self { made, k, n, scale, .. } = self;
        for (j, weight) in phases(&self.weights, self.total) {
            let counts = Phases { shape: *n + f64::from(j), odds: u / *scale };
            let (mut purchases, mut alive) = (0.0, 0.0);
            counts.visit(|m, probability| {
                let potential = (m + j) / *k;
                purchases += probability * made.by(potential);
                alive += probability * made.stays[potential as usize];
            });
            sum += weight * purchases;
            alive_sum += weight * alive;
        }
        (sum / self.total, alive_sum / self.total)
    }
}

/// Probabilities of a number of purchases that is potentially distributed as `potential`, but ends with the `K`-th:
/// `P(K > k) = Π_{j<k} (b+j)/(a+b+j)`.
pub(super) fn cut_short(potential: &[f64], a: f64, b: f64) -> Vec<f64> {
    let mut above: f64 = potential.iter().sum();
    let mut stays_before = 1.0;
    let mut found = Vec::with_capacity(potential.len());
    for (n, &exactly) in potential.iter().enumerate() {
        above -= exactly;
        let (reaches, ends) = if n == 0 {
            (1.0, 0.0)
        } else {
            let j = n as f64 - 1.0;
            let stays = stays_before * (b + j) / (a + b + j);
            let ends = stays_before - stays;
            (std::mem::replace(&mut stays_before, stays), ends)
        };
        found.push(exactly * reaches + above.max(0.0) * ends);
    }
    found
}

/// `W(M)` and `E(1−p)^M`, remembered as far as they have been asked for.
struct Made {
    a: f64,
    b: f64,
    /// `E(1−p)^i` for the first `i` that is not in the sums.
    next: f64,
    sums: Vec<f64>,
    stays: Vec<f64>,
}

impl Made {
    fn by(&mut self, purchases: u32) -> f64 {
        while self.stays.len() <= purchases as usize {
            let done = self.sums.len() - 1;
            let step = self.b + done as f64;
            self.stays.push(self.next);
            self.sums.push(self.sums[done] + self.next);
            self.next *= step / (self.a + step);
        }
        self.sums[purchases as usize]
    }
}

/// Phases that pass in a time: negative binomial, `P(m) = (shape)_m/m! z^m (1−z)^{shape}` with `z/(1−z) = odds`.
pub(super) struct Phases {
    pub(super) shape: f64,
    pub(super) odds: f64,
}

impl Phases {
    /// Visit the counts and their probabilities, from the likeliest one up and down.
    pub(super) fn visit(&self, mut count: impl FnMut(u32, f64)) {
        let z = self.odds / (1.0 + self.odds);
        let likeliest = ((self.shape - 1.0) * self.odds).max(0.0) as u32;
        let top = f64::from(likeliest);
        let ln_z = if likeliest > 0 { -libm::log1p(1.0 / self.odds) } else { 0.0 };
        let ln_ways = rise(self.shape, likeliest).ln_gamma - rise(1.0, likeliest).ln_gamma;
        let most = libm::exp(ln_ways + top * ln_z - self.shape * libm::log1p(self.odds));
        let (mut m, mut probability) = (likeliest, most);
        // What is left is at most a geometric series.
        while probability > FORGOTTEN * most * (1.0 - z) {
            count(m, probability);
            probability *= (self.shape + f64::from(m)) * z / f64::from(m + 1);
            m += 1;
        }
        (m, probability) = (likeliest, most);
        while m > 0 && probability > FORGOTTEN * most {
            m -= 1;
            probability *= f64::from(m + 1) / ((self.shape + f64::from(m)) * z);
            count(m, probability);
        }
    }
}
