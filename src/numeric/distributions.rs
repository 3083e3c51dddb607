//! Exact random variates: gamma, beta, Poisson, negative binomial, geometric.
//!
//! Each draw consumes a keyed [`Stream`], so that it depends on (seed, customer, purpose) alone.

use super::philox::Stream;
use super::special::ln_gamma;
pub use super::ziggurat::{standard_exponential, standard_normal};

/// Gamma distribution with rate 1: density `x^{k−1} e^{−x} / Γ(k)`; divide a draw by the rate for any other.
///
/// Rejection from a transformed normal for `k ≥ 1`; a draw for `k < 1` is a draw for `k + 1` times `U^{1/k}`.
///
/// Source: Marsaglia & Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000), 363–372.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gamma {
    d: f64,
    c: f64,
    /// `1/k` where `k < 1`, else 0.
    boost: f64,
}

impl Gamma {
    /// The sampler for `shape > 0`; a draw is NaN for any other shape.
    #[must_use]
    pub fn new(shape: f64) -> Self {
        let (raised, boost) = if shape < 1.0 { (shape + 1.0, 1.0 / shape) } else { (shape, 0.0) };
        let d = if shape > 0.0 { raised - 1.0 / 3.0 } else { f64::NAN };
        Self { d, c: 1.0 / libm::sqrt(9.0 * d), boost }
    }

    /// One draw, `>= 0`; it underflows to 0 where the shape is so small that most of the mass lies below 1e-308.
    #[inline]
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        let raised = self.draw_raised(stream);
        if self.boost == 0.0 { raised } else { raised * libm::exp(libm::log(stream.uniform()) * self.boost) }
    }

    /// The logarithm of one draw: stays finite for any shape above 1e-300.
    pub fn draw_ln(&self, stream: &mut Stream) -> f64 {
        let raised = libm::log(self.draw_raised(stream));
        if self.boost == 0.0 { raised } else { raised + libm::log(stream.uniform()) * self.boost }
    }

    #[inline]
    fn draw_raised(&self, stream: &mut Stream) -> f64 {
        if self.d.is_nan() {
            return f64::NAN;
        }
        loop {
            let x = standard_normal(stream);
            let root = 1.0 + self.c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            let u = stream.uniform();
            let square = x * x;
            if u < 1.0 - 0.0331 * square * square || libm::log(u) < 0.5 * square + self.d * (1.0 - v + libm::log(v)) {
                return self.d * v;
            }
        }
    }
}

/// Beta distribution: density `p^{a−1} (1−p)^{b−1} / B(a, b)`, as `G_a / (G_a + G_b)` from two gamma draws.
///
/// The ratio is formed from logarithms, so that two tiny shapes do not give 0/0.
///
/// Source: Devroye, Non-Uniform Random Variate Generation (1986), IX.4, theorem 4.1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    a: Gamma,
    b: Gamma,
}

impl Beta {
    /// The sampler for `a, b > 0`.
    #[must_use]
    pub fn new(a: f64, b: f64) -> Self {
        Self { a: Gamma::new(a), b: Gamma::new(b) }
    }

    /// One draw in `[0, 1]`.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        let ln_odds = self.b.draw_ln(stream) - self.a.draw_ln(stream);
        1.0 / (1.0 + libm::exp(ln_odds))
    }
}

/// Below this mean inversion is faster than rejection, above it `e^{−mean}` would lose accuracy.
const POISSON_INVERSION_BELOW: f64 = 10.0;

/// One draw from the Poisson distribution with `mean >= 0`, exact for any mean; 0 for a mean that is not positive.
///
/// Sequential inversion below 10, transformed rejection with squeeze (PTRS) above.
///
/// Source: Hörmann, The transformed rejection method for generating Poisson random variables, Insurance: Mathematics
/// and Economics 12 (1993), 39–45.
pub fn poisson(mean: f64, stream: &mut Stream) -> u64 {
    if mean.is_nan() || mean <= 0.0 {
        0
    } else if mean < POISSON_INVERSION_BELOW {
        poisson_by_inversion(mean, stream)
    } else {
        poisson_by_rejection(mean, stream)
    }
}

fn poisson_by_inversion(mean: f64, stream: &mut Stream) -> u64 {
    let mut left = stream.uniform();
    let (mut count, mut probability) = (0_u64, libm::exp(-mean));
    // Past a hundred events at a mean below 10 the probability is below the uniform's resolution.
    while left > probability && count < 100 {
        left -= probability;
        count += 1;
        probability *= mean / count as f64;
    }
    count
}

fn poisson_by_rejection(mean: f64, stream: &mut Stream) -> u64 {
    let spread = libm::sqrt(mean);
    let b = 0.931 + 2.53 * spread;
    let a = -0.059 + 0.024_83 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    let ln_mean = libm::log(mean);
    loop {
        let u = stream.uniform() - 0.5;
        let v = stream.uniform();
        let us = 0.5 - u.abs();
        let count = libm::floor((2.0 * a / us + b) * u + mean + 0.43);
        if us >= 0.07 && v <= squeeze {
            return count as u64;
        }
        if count < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let accept = libm::log(v * inverse_alpha / (a / (us * us) + b));
        if accept <= count * ln_mean - mean - ln_gamma(count + 1.0) {
            return count as u64;
        }
    }
}

/// One draw from the negative binomial distribution with `shape > 0` and the given mean: a Poisson count whose mean is
/// gamma distributed with that shape, variance `mean + mean²/shape`.
///
/// Source: Greenwood & Yule (1920); Devroye (1986), X.4.
pub fn negative_binomial(shape: f64, mean: f64, stream: &mut Stream) -> u64 {
    let rate = Gamma::new(shape).draw(stream) * (mean / shape);
    poisson(rate, stream)
}

/// The number of failures before the first success, `P(n) = p (1−p)ⁿ`, by inversion; `u64::MAX` for `p <= 0`.
///
/// Source: Devroye (1986), X.2.
pub fn geometric(p: f64, stream: &mut Stream) -> u64 {
    if p >= 1.0 {
        return 0;
    }
    if p.is_nan() || p <= 0.0 {
        return u64::MAX;
    }
    (libm::log(stream.uniform()) / libm::log1p(-p)) as u64
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::*;

    const DRAWS: usize = 100_000;
    /// A sample moment leaves this many standard errors with probability 1e-5 at most.
    const STANDARD_ERRORS: f64 = 4.5;

    fn holds(name: &str, draws: &[f64], mean: f64, variance: f64, kurtosis: f64) {
        let n = draws.len() as f64;
        let found = draws.iter().sum::<f64>() / n;
        let spread = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        let error = (variance / n).sqrt();
        assert!((found - mean).abs() <= STANDARD_ERRORS * error, "{name}: mean {found} is not {mean}");
        let error = variance * ((kurtosis - 1.0) / n).sqrt();
        assert!((spread - variance).abs() <= STANDARD_ERRORS * error, "{name}: variance {spread} is not {variance}");
    }

    fn draws(mut draw: impl FnMut(&mut Stream) -> f64) -> Vec<f64> {
        let mut stream = Stream::new(11, 12, 13);
        (0..DRAWS).map(|_| draw(&mut stream)).collect()
    }

    #[test]
    fn gamma_draws_have_the_gamma_moments() {
        for shape in [0.05, 0.3, 1.0, 1.7, 6.25, 250.0] {
            let gamma = Gamma::new(shape);
            holds(&format!("gamma {shape}"), &draws(|s| gamma.draw(s)), shape, shape, 3.0 + 6.0 / shape);
            let logs = draws(|s| gamma.draw_ln(s));
            let mean = logs.iter().sum::<f64>() / DRAWS as f64;
            let error = (crate::numeric::special::trigamma(shape) / DRAWS as f64).sqrt();
            let expected = crate::numeric::special::digamma(shape);
            assert!((mean - expected).abs() <= STANDARD_ERRORS * error, "ln gamma {shape}: {mean} is not {expected}");
        }
        assert!(Gamma::new(-1.0).draw(&mut Stream::new(1, 1, 1)).is_nan());
    }

    #[test]
    fn gamma_draws_of_shape_one_half_follow_their_distribution() {
        let mut sample = draws(|s| Gamma::new(0.5).draw(s));
        sample.sort_unstable_by(f64::total_cmp);
        let n = DRAWS as f64;
        // Γ(½) with rate 1 is half a χ² with one degree of freedom: P(X ≤ x) = erf(√x).
        let gap = sample
            .iter()
            .enumerate()
            .map(|(i, x)| (libm::erf(x.sqrt()) - (i as f64 + 0.5) / n).abs())
            .fold(0.0, f64::max);
        assert!(gap * n.sqrt() < 1.95, "{gap}");
    }

    #[test]
    fn beta_draws_have_the_beta_moments() {
        for (a, b) in [(0.793, 2.426), (5.0, 1.0), (0.01, 0.02), (1e4, 3e4)] {
            let beta = Beta::new(a, b);
            let total: f64 = a + b;
            let variance = a * b / (total * total * (total + 1.0));
            let excess = 6.0 * ((a - b).powi(2) * (total + 1.0) - a * b * (total + 2.0))
                / (a * b * (total + 2.0) * (total + 3.0));
            holds(&format!("beta {a} {b}"), &draws(|s| beta.draw(s)), a / total, variance, 3.0 + excess);
        }
    }

    #[test]
    fn poisson_counts_have_the_poisson_moments() {
        for mean in [0.01, 0.9, 9.9, 10.0, 37.5, 1e6] {
            holds(&format!("poisson {mean}"), &draws(|s| poisson(mean, s) as f64), mean, mean, 3.0 + 1.0 / mean);
        }
        assert_eq!(poisson(0.0, &mut Stream::new(1, 1, 1)), 0);
    }

    #[test]
    fn poisson_counts_have_the_poisson_probabilities() {
        for mean in [4.0, 12.0] {
            let sample = draws(|s| poisson(mean, s) as f64);
            for count in 0..25_u32 {
                let expected = libm::exp(f64::from(count) * libm::log(mean) - mean - ln_gamma(f64::from(count) + 1.0));
                let found = sample.iter().filter(|&&x| x == f64::from(count)).count() as f64 / DRAWS as f64;
                let error = (expected * (1.0 - expected) / DRAWS as f64).sqrt().max(1e-5);
                assert!((found - expected).abs() < STANDARD_ERRORS * error, "{mean}, {count}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn negative_binomial_counts_are_overdispersed_by_their_shape() {
        let (shape, mean) = (0.8_f64, 5.0_f64);
        let sample = draws(|s| negative_binomial(shape, mean, s) as f64);
        let variance = mean + mean * mean / shape;
        holds("negative binomial", &sample, mean, variance, 3.0 + 6.0 / shape + 1.0 / variance);
    }

    #[test]
    fn geometric_counts_have_the_geometric_moments() {
        for p in [0.02_f64, 0.5, 0.97] {
            let variance = (1.0 - p) / (p * p);
            let sample = draws(|s| geometric(p, s) as f64);
            holds(&format!("geometric {p}"), &sample, (1.0 - p) / p, variance, 9.0 + p * p / (1.0 - p));
        }
        let mut stream = Stream::new(1, 1, 1);
        assert_eq!((geometric(1.0, &mut stream), geometric(0.0, &mut stream)), (0, u64::MAX));
    }
}
