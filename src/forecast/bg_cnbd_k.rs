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

use crate::numeric::special::rise;
use serde::{Deserialize, Serialize};

/// Counts less likely than the likeliest by this factor have no digit in common with the sum.
const FORGOTTEN: f64 = 1e-20;

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
        let n = self.r + f64::from(self.k) * f64::from(x);
        let weights = self.phase_weights(n, (age - t_x) / (self.alpha + age));
        let mut made = Made { a: self.a, b: self.b + f64::from(self.dropout.occasions(x)), next: 1.0, sums: vec![0.0] };
        let (mut total, mut sum) = (0.0, 0.0);
        for (j, weight) in (0..).zip(weights) {
            let counts = Phases { shape: n + f64::from(j), odds: horizon / (self.alpha + age) };
            let mut purchases = 0.0;
            counts.visit(|m, probability| purchases += probability * made.by((m + j) / self.k));
            sum += weight * purchases;
            total += weight;
        }
        sum / total
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

/// `W(M)`, remembered as far as it has been asked for.
struct Made {
    a: f64,
    b: f64,
    /// `E(1−p)^i` for the first `i` that is not in the sums.
    next: f64,
    sums: Vec<f64>,
}

impl Made {
    fn by(&mut self, purchases: u32) -> f64 {
        while self.sums.len() <= purchases as usize {
            let done = self.sums.len() - 1;
            let step = self.b + done as f64;
            self.sums.push(self.sums[done] + self.next);
            self.next *= step / (self.a + step);
        }
        self.sums[purchases as usize]
    }
}

/// Phases that pass in a time: negative binomial, `P(m) = (shape)_m/m! z^m (1−z)^{shape}` with `z/(1−z) = odds`.
struct Phases {
    shape: f64,
    odds: f64,
}

impl Phases {
    /// Visit the counts and their probabilities, from the likeliest one up and down.
    fn visit(&self, mut count: impl FnMut(u32, f64)) {
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
