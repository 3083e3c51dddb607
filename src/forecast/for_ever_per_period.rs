//! Discounted purchases for ever where things count at the end of their period.
//!
//! With `q = e^{−δP}` for a period `P`, a purchase in the `n`-th period counts `q^n`. Of a customer whose phase rate `λ` and dropout
//! probability `p` are known, and who has `j` phases behind it, one period is a step of a Markov chain over the phases: `A` holds
//! the probabilities of still being alive and at phase `j'` after it, `c` the purchases expected in it. All that is to come is
//!
//! `D = q (I − qA)^{−1} c`,
//!
//! and for purchases without phases (`k = 1`) `D = q (1 − e^{−λpP}) / (p (1 − q e^{−λpP}))`. The expectation over `p ~ Beta(a, b)` is
//! the trapezoidal rule in the log-odds of `p`, that over `λ` the one of [`for_ever`](super::for_ever). Under Pareto/NBD a customer
//! of the dropout rate `μ` buys at a rate `λ` that is independent of it: `D = λ q (1 − e^{−μP}) / (μ (1 − q e^{−μP}))`.
//!
//! Source: Kemeny & Snell, Finite Markov Chains (1960), 3.2 (fundamental matrix); Trefethen & Weideman, SIAM Review 56 (2014),
//! 385–458 (the rule).

use super::for_ever::{FORGOTTEN, STEP, STEP_IN_DEVIATIONS};
use crate::numeric::discounting::Periods;
use crate::numeric::elimination::Elimination;
use crate::numeric::special::{ln_beta, ln_gamma};

/// Shapes below this leave so much at the ends of `(0, 1)` that what is there is taken out of the integral.
const AT_AN_END: f64 = 0.25;
/// Phases in a period above which their number is taken to be that of independent purchases; it is off by its inverse at most.
const MANY_PHASES: f64 = 1e5;

/// What is to come of customers of one frequency at a given phase rate, mixed over the dropout probability.
#[derive(Debug, Clone)]
pub(super) struct AtEnds {
    k: u32,
    periods: Periods,
    chances: Vec<Chance>,
    /// Mean dropout probability where what is at `p = 1` is taken out, 0 where it is not; and so of `p = 0`.
    mean_at_one: f64,
    mean_at_zero: f64,
}

/// A dropout probability of the rule.
#[derive(Debug, Clone, Copy)]
struct Chance {
    p: f64,
    ln_kept: f64,
    weight: f64,
}

impl AtEnds {
    /// * `k`: phases between two purchases. * `a`, `b`: shapes of what is known of the dropout probability.
    pub(super) fn new(k: u32, (a, b): (f64, f64), periods: Periods) -> Self {
        let (zero, one) = (f64::from(u8::from(a < AT_AN_END)), f64::from(u8::from(b < AT_AN_END)));
        let step = STEP.min(STEP_IN_DEVIATIONS * libm::sqrt(1.0 / a + 1.0 / b));
        let middle = libm::round((libm::log(a + zero) - libm::log(b + one)) / step);
        let front = ln_beta(a, b);
        let at = |n: f64| {
            let s = step * (middle + n);
            let (ln_p, ln_kept) = (-libm::log1p(libm::exp(-s)), -libm::log1p(libm::exp(s)));
            let left = libm::exp((a + zero) * ln_p + (b + one) * ln_kept - front);
            (left, Chance { p: libm::exp(ln_p), ln_kept, weight: step * libm::exp(a * ln_p + b * ln_kept - front) })
        };
        let (most, first) = at(0.0);
        let mut chances = vec![first];
        for direction in [1.0, -1.0] {
            let rest = (1_u32..).map(|n| at(direction * f64::from(n))).take_while(|(left, _)| *left > FORGOTTEN * most);
            chances.extend(rest.map(|(_, chance)| chance));
        }
        if zero + one == 0.0 {
            // The rule covers the whole of the density: its rounding goes.
            let all: f64 = chances.iter().map(|chance| chance.weight).sum();
            for chance in &mut chances {
                chance.weight /= all;
            }
        }
        Self { k, periods, chances, mean_at_one: one * a / (a + b), mean_at_zero: zero * b / (a + b) }
    }

    /// Discounted purchases to come of a customer with `0, 1, …, k−1` phases behind it.
    ///
    /// * `rate`: phases per model time unit, `> 0`.
    pub(super) fn of_rate(&self, rate: f64) -> Vec<f64> {
        let many = rate * self.periods.length > MANY_PHASES;
        let chain =
            Chain::new(if many { 1 } else { self.k }, if many { rate / f64::from(self.k) } else { rate }, self.periods);
        let (at_zero, at_one) = (chain.ahead(0.0, 0.0), chain.ahead(1.0, f64::NEG_INFINITY));
        let mut sum: Vec<f64> =
            at_zero.iter().zip(&at_one).map(|(zero, one)| self.mean_at_zero * zero + self.mean_at_one * one).collect();
        for Chance { p, ln_kept, weight } in &self.chances {
            let ahead = chain.ahead(*p, *ln_kept);
            for (j, sum) in sum.iter_mut().enumerate() {
                let zero = if self.mean_at_zero > 0.0 { at_zero[j] * libm::exp(*ln_kept) } else { 0.0 };
                let one = if self.mean_at_one > 0.0 { at_one[j] * p } else { 0.0 };
                *sum += weight * (ahead[j] - zero - one);
            }
        }
        if many { vec![sum[0]; self.k as usize] } else { sum }
    }
}

/// One period of a customer whose phase rate is known.
struct Chain {
    k: usize,
    /// `λP`.
    phases: f64,
    /// `1 − q`, and `q`.
    lost: f64,
    kept: f64,
    /// Numbers of phases in a period, from `from` on, with their probabilities; empty for `k = 1`.
    from: u64,
    likely: Vec<f64>,
}

impl Chain {
    fn new(k: u32, rate: f64, Periods { length, delta }: Periods) -> Self {
        let phases = rate * length;
        let (from, likely) = if k == 1 { (0, Vec::new()) } else { poisson(phases) };
        let lost = -libm::expm1(-delta * length);
        Self { k: k as usize, phases, lost, kept: libm::exp(-delta * length), from, likely }
    }

    /// `q (I − qA)^{−1} c` by the phases behind.
    fn ahead(&self, p: f64, ln_kept: f64) -> Vec<f64> {
        if self.k == 1 {
            return vec![self.without_phases(p)];
        }
        // Chances to leave that were survived, and the purchases made: (1−p)^n and (1 − (1−p)^n)/p.
        let most = (self.from as usize + self.likely.len() + self.k) / self.k;
        let survived = |n: usize| if n == 0 { 1.0 } else { libm::exp(n as f64 * ln_kept) };
        let made = |n: usize| match n {
            0 => 0.0,
            n if p == 0.0 => n as f64,
            n => -libm::expm1(n as f64 * ln_kept) / p,
        };
        let by_purchases: Vec<(f64, f64)> = (0..=most).map(|n| (survived(n), made(n))).collect();
        let width = self.k + 1;
        let mut next = vec![0.0; self.k * width];
        let mut bought = vec![0.0; self.k];
        for j in 0..self.k {
            for (phases, likely) in (self.from as usize..).zip(&self.likely) {
                let (survived, made) = by_purchases[(j + phases) / self.k];
                next[j * width + (j + phases) % self.k] += self.kept * likely * survived;
                bought[j] += likely * made;
            }
        }
        for (row, bought) in next.chunks_exact_mut(width).zip(&bought) {
            row[self.k] = self.lost + self.kept * p * bought;
        }
        let own: Vec<f64> = bought.iter().map(|bought| self.kept * bought).collect();
        Elimination::new(self.k, next).map_or_else(|| vec![f64::NAN; self.k], |chain| chain.gathered(&own))
    }

    fn without_phases(&self, p: f64) -> f64 {
        let left = p * self.phases;
        let made = if left == 0.0 { self.phases } else { -libm::expm1(-left) / p };
        // 1 − q e^{−λpP} = (1 − q) + q (1 − e^{−λpP})
        self.kept * made / (self.lost + self.kept * p * made)
    }
}

/// Probabilities of a Poisson distribution around its mean, and where they begin.
fn poisson(mean: f64) -> (u64, Vec<f64>) {
    let spread = 10.0 * libm::sqrt(mean) + 30.0;
    let from = libm::floor((mean - spread).max(0.0));
    let to = libm::ceil(mean + spread);
    let mode = libm::floor(mean).max(from);
    let height = libm::exp(mode * libm::log(mean.max(f64::MIN_POSITIVE)) - mean - ln_gamma(mode + 1.0));
    let mut likely = vec![0.0; (to - from) as usize + 1];
    let middle = (mode - from) as usize;
    likely[middle] = if mode == 0.0 { libm::exp(-mean) } else { height };
    for i in middle + 1..likely.len() {
        likely[i] = likely[i - 1] * mean / (from + i as f64);
    }
    for i in (0..middle).rev() {
        likely[i] = likely[i + 1] * (from + i as f64 + 1.0) / mean;
    }
    let all: f64 = likely.iter().sum();
    for likely in &mut likely {
        *likely /= all;
    }
    (from as u64, likely)
}

/// Discounted purchases to come of a customer who is alive and may leave at any time.
///
/// * `rate`: mean purchase rate of the customer, per model time unit. * `s`, `scale`: shape and scale `β+T` of what is known of the
///   dropout rate.
pub(super) fn at_any_time(rate: f64, s: f64, scale: f64, Periods { length, delta }: Periods) -> f64 {
    let (lost, kept) = (-libm::expm1(-delta * length), libm::exp(-delta * length));
    let given = |mu: f64| {
        let stays = if mu * length == 0.0 { length } else { -libm::expm1(-mu * length) / mu };
        kept * stays / (lost + kept * mu * stays)
    };
    // Small shapes have most of their mass at a dropout rate of nothing: it is taken out.
    let (never, out) = (kept * length / lost, f64::from(u8::from(s < AT_AN_END)));
    let step = STEP.min(STEP_IN_DEVIATIONS / libm::sqrt(s));
    let (ln_scale, front) = (libm::log(scale), ln_gamma(s));
    let middle = libm::round((libm::log(s + out) - ln_scale) / step);
    let at = |n: f64| {
        let ln_mu = step * (middle + n);
        let u = ln_mu + ln_scale;
        let weight = libm::exp(s * u - libm::exp(u) - front);
        (weight * libm::exp(out * u), weight, weight * (given(libm::exp(ln_mu)) - out * never))
    };
    let (most, mut mass, mut sum) = at(0.0);
    for direction in [1.0, -1.0] {
        for n in 1_u32.. {
            let (left, weight, term) = at(direction * f64::from(n));
            if left <= FORGOTTEN * most {
                break;
            }
            (mass, sum) = (mass + weight, sum + term);
        }
    }
    // Without what is taken out the rule covers the whole of the density, and its rounding goes.
    let all = if out > 0.0 { 1.0 / step } else { mass };
    rate * (out * never + sum / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_that_are_as_many_as_purchases_are_none() {
        // A chain of one phase, by the matrix and by the closed form.
        let periods = Periods { length: 4.0, delta: 0.02 };
        for (rate, p) in [(0.3, 0.2), (3.0, 1e-9), (0.01, 0.9), (20.0, 0.5)] {
            let mut chain = Chain::new(1, rate, periods);
            let closed = chain.ahead(p, libm::log1p(-p))[0];
            (chain.from, chain.likely) = poisson(chain.phases);
            let (kept, made) = (chain.from..).zip(&chain.likely).fold((0.0, 0.0), |(kept, made), (n, likely)| {
                let survived = libm::pow(1.0 - p, n as f64);
                (kept + likely * survived, made + likely * (0..n).map(|i| libm::pow(1.0 - p, i as f64)).sum::<f64>())
            });
            let q = libm::exp(-0.08);
            assert!((closed / (q * made / (1.0 - q * kept)) - 1.0).abs() < 1e-7, "{rate} {p}");
        }
    }

    #[test]
    fn poisson_probabilities_have_their_mean() {
        for mean in [1e-12, 0.3, 7.0, 5_200.0, 99_999.5] {
            let (from, likely) = poisson(mean);
            let found: f64 = (from..).zip(&likely).map(|(n, likely)| n as f64 * likely).sum();
            assert!((found / mean - 1.0).abs() < 1e-12, "{mean}: {found}");
        }
    }
}
