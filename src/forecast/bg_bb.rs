//! BG/BB: what a fitted model says of a customer whose purchases come at opportunities (a yearly appeal, a monthly box).
//!
//! Before each opportunity a customer drops out with probability `θ ~ Beta(γ, δ)`; while alive the customer buys at an
//! opportunity with probability `p ~ Beta(α, β)`. Given `x` purchases at `n` opportunities **and being alive at `n`**, the
//! two are independent with `p ~ Beta(α+x, β+n−x)` and `θ ~ Beta(γ, δ+n)`; recency then matters through P(alive) alone.
//!
//! Source: Fader, Hardie & Shang, Customer-Base Analysis in a Discrete-Time Noncontractual Setting, Marketing Science 29
//! (2010), 1086–1108.

use super::beta_geometric::{
    DiscountError, Horizon, ShiftedBetaGeometric, discount_factor, discounted_sum, rate, units_for_ever,
};
use super::opportunities::{DiscreteHistory, Opportunities};
use crate::numeric::discounting::Timing;
use serde::{Deserialize, Serialize};

/// Parameters of BG/BB, all `> 0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BgBb {
    /// First shape of the beta distribution of the probability to buy.
    pub alpha: f64,
    /// Second shape of that distribution.
    pub beta: f64,
    /// First shape of the beta distribution of the probability to drop out.
    pub gamma: f64,
    /// Second shape of that distribution.
    pub delta: f64,
}

/// Predictions per distinct history of an [`Opportunities`], in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscretePredictions {
    /// The probability of being alive at the next opportunity.
    pub p_alive: Vec<f64>,
    /// Discounted purchases expected at the opportunities up to the horizon.
    pub discounted_purchases: Vec<f64>,
}

impl BgBb {
    /// The probability that a customer is alive at the next opportunity, `n+1`.
    ///
    /// P(alive at `n`) times `(δ+n)/(γ+δ+n)`.
    ///
    /// * `x`: opportunities with a purchase. * `t_x`: the last of them. * `n`: opportunities so far, `x <= t_x <= n`.
    #[must_use]
    pub fn p_alive(&self, x: u32, t_x: u32, n: u32) -> f64 {
        self.p_alive_now(x, t_x, n) * self.dropout(n).retention(1)
    }

    /// The probability that a customer was alive at opportunity `n`; 1 where `t_x = n`.
    ///
    /// `1/(1 + Σ_m q_m)` over `m = t_x … n−1`, where `q_m` is the odds of having dropped out after opportunity `m`
    /// against being alive at `n`:
    ///
    /// `q_{n−1} = γ/(δ+n−1) · (α+β+n−1)/(β+n−1−x)`, `q_m = q_{m+1} · (α+β+m)/(β+m−x) · (γ+δ+m+1)/(δ+m)`.
    ///
    /// All terms are positive, and an infinite sum is P(alive) = 0.
    #[must_use]
    pub fn p_alive_now(&self, x: u32, t_x: u32, n: u32) -> f64 {
        let Self { alpha, beta, gamma, delta } = *self;
        let (mut odds, mut sum) = (0.0, 0.0);
        for m in (t_x..n).rev() {
            let (at, missed) = (f64::from(m), f64::from(m - x));
            odds = if m + 1 == n { gamma / (delta + at) } else { odds * (gamma + delta + at + 1.0) / (delta + at) }
                * ((alpha + beta + at) / (beta + missed));
            sum += odds;
        }
        1.0 / (1.0 + sum)
    }

    /// The probability that a customer is alive at opportunity `n + periods`: P(alive at `n`) times `S(periods)` of the
    /// dropout that is left; [`BgBb::p_alive_now`] for 0, [`BgBb::p_alive`] for 1.
    #[must_use]
    pub fn p_alive_after(&self, x: u32, t_x: u32, n: u32, periods: u32) -> f64 {
        self.p_alive_now(x, t_x, n) * self.dropout(n).survival(periods)
    }

    /// Mean probability to buy at an opportunity of a customer who is alive: `(α+x)/(α+β+n)`.
    #[must_use]
    pub fn purchase_probability(&self, x: u32, n: u32) -> f64 {
        (self.alpha + f64::from(x)) / (self.alpha + self.beta + f64::from(n))
    }

    /// The dropout that is left to a customer who is alive at `n`.
    pub(super) fn dropout(&self, n: u32) -> ShiftedBetaGeometric {
        ShiftedBetaGeometric { alpha: self.gamma, beta: self.delta }.after(n)
    }

    /// Purchases expected at the next `periods` opportunities given the customer's history.
    ///
    /// `P(alive at n) · E(p) · Σ_{j=1}^{periods} S(j)`; the sum has no singularity at `γ = 1`, where the closed form of
    /// the paper has one. At `x = t_x = n = 0` it is the expectation for a new customer.
    #[must_use]
    pub fn expected_purchases(&self, x: u32, t_x: u32, n: u32, periods: u32) -> f64 {
        let left = self.dropout(n).after(1);
        let (opportunities, _) = discounted_sum(periods, 1.0, |t| left.retention(t + 1));
        self.p_alive(x, t_x, n) * self.purchase_probability(x, n) * opportunities
    }

    /// Expected discounted purchases (DERT) given the customer's history: `Σ_j P(buys at n+j)/(1+d)^j`.
    ///
    /// The next opportunity is one period away and counts `1/(1+d)`. For ever the sum is
    /// `P(alive at n+1) · E(p)/(1+d) · ₂F₁(1, δ+n+1; γ+δ+n+1; 1/(1+d))`.
    ///
    /// * `horizon`: opportunities in the sum. * `rate`: discount rate `d` per period, `>= 0`.
    ///
    /// # Errors
    /// [`DiscountError`]; [`DiscountError::Infinite`] for ever without discounting where `γ <= 1`.
    ///
    /// Source: equation 14.
    pub fn discounted_purchases(
        &self,
        x: u32,
        t_x: u32,
        n: u32,
        horizon: Horizon,
        rate: f64,
    ) -> Result<f64, DiscountError> {
        Ok(self.p_alive(x, t_x, n)
            * self.purchase_probability(x, n)
            * self.discounted_opportunities(n, horizon, rate)?)
    }

    /// Discounted opportunities that a customer who is alive at `n+1` lives to see, from that one on.
    fn discounted_opportunities(&self, n: u32, horizon: Horizon, rate: f64) -> Result<f64, DiscountError> {
        Ok(discount_factor(rate)? * self.dropout(n).after(1).discounted_lifetime(horizon, rate)?)
    }

    /// What all opportunities to come are worth that a customer who is alive at `n` lives to see, one time unit apart.
    ///
    /// * `timing`: in time units, with a rate above 0.
    ///
    /// # Errors
    /// [`DiscountError`].
    pub fn opportunities_for_ever(&self, n: u32, timing: Timing) -> Result<f64, DiscountError> {
        let left = self.dropout(n);
        if timing.is_even() {
            return Ok(left.retention(1) * self.discounted_opportunities(n, Horizon::Forever, rate(timing))?);
        }
        units_for_ever(1.0, timing, |unit| left.retention(unit))
    }

    /// The probability of exactly `purchases` purchases at the next `periods` opportunities.
    ///
    /// With `A = α+x`, `B = β+n−x`, `G = γ`, `D = δ+n` and `y` purchases, P(alive at `n`) times
    ///
    /// `C(N, y) B(A+y, B+N−y)/B(A, B) · B(G, D+N)/B(G, D) + Σ_{i=y}^{N−1} C(i, y) B(A+y, B+i−y)/B(A, B) · B(G+1, D+i)/B(G, D)`,
    ///
    /// and for `y = 0` the probability of having dropped out by `n` besides.
    #[must_use]
    pub fn probability_of_purchases(&self, x: u32, t_x: u32, n: u32, periods: u32, purchases: u32) -> f64 {
        let alive = self.p_alive_now(x, t_x, n);
        let gone = if purchases == 0 { 1.0 - alive } else { 0.0 };
        if purchases > periods {
            return 0.0;
        }
        let (bought, missed) = (self.alpha + f64::from(x), self.beta + f64::from(n - x));
        let dropout = self.dropout(n);
        let y = f64::from(purchases);
        // Logarithms, because the first terms can be far below the smallest number where later ones are not.
        let mut ln_buys =
            (0..purchases).map(|j| libm::log((bought + f64::from(j)) / (bought + missed + f64::from(j)))).sum::<f64>();
        let mut ln_survives = (1..=purchases).map(|j| libm::log(dropout.retention(j))).sum::<f64>();
        let mut sum = 0.0;
        for opportunity in purchases..periods {
            let i = f64::from(opportunity);
            let kept = dropout.retention(opportunity + 1);
            sum += libm::exp(ln_buys + ln_survives) * (1.0 - kept);
            ln_buys += libm::log((i + 1.0) / (i + 1.0 - y) * (missed + i - y) / (bought + missed + i));
            ln_survives += libm::log(kept);
        }
        gone + alive * (sum + libm::exp(ln_buys + ln_survives))
    }

    /// Predictions for every distinct history.
    ///
    /// * `horizon`, `rate`: as in [`BgBb::discounted_purchases`].
    ///
    /// # Errors
    /// As [`BgBb::discounted_purchases`].
    pub fn predict(
        &self,
        summary: &Opportunities,
        horizon: Horizon,
        rate: f64,
    ) -> Result<DiscretePredictions, DiscountError> {
        let mut found = DiscretePredictions { p_alive: vec![], discounted_purchases: vec![] };
        let histories: Vec<DiscreteHistory> = summary.iter().map(|(history, _)| history).collect();
        for group in histories.chunk_by(|l, r| l.opportunities == r.opportunities) {
            let discounted = self.discounted_opportunities(group[0].opportunities, horizon, rate)?;
            for &DiscreteHistory { opportunities, frequency, recency } in group {
                let p_alive = self.p_alive(frequency, recency, opportunities);
                let mean = self.purchase_probability(frequency, opportunities);
                found.p_alive.push(p_alive);
                found.discounted_purchases.push(p_alive * mean * discounted);
            }
        }
        Ok(found)
    }
}
