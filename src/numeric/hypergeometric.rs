//! Gauss's hypergeometric function ₂F₁ where the customer base models need it.

use super::special::ln_beta;

/// Why ₂F₁ has no value to return.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum HypergeometricError {
    /// An argument lies outside `b > 0`, `c > 0` (`c > b` for negative `z`), `z < 1`, or is not finite.
    #[error(
        "2F1({a}, {b}; {c}; {z}) is outside the domain: b and c must exceed 0, c must exceed b for negative z, z must be below 1"
    )]
    Domain {
        /// First numerator parameter.
        a: f64,
        /// Second numerator parameter.
        b: f64,
        /// Denominator parameter.
        c: f64,
        /// Argument.
        z: f64,
    },
    /// The series needs more terms than are allowed: `z` is too close to 1, or too far below 0.
    #[error("2F1({a}, {b}; {c}; {z}) did not converge within {terms} terms")]
    NotConverged {
        /// First numerator parameter.
        a: f64,
        /// Second numerator parameter.
        b: f64,
        /// Denominator parameter.
        c: f64,
        /// Argument.
        z: f64,
        /// Terms summed.
        terms: u32,
    },
}

/// Terms after which a series is given up.
const MAX_TERMS: u32 = 4_000_000;
/// Sums are scaled back when they pass this, so that an exponent of 10⁵ cannot overflow.
const RESCALE_ABOVE: f64 = 1.0e200;
const LN_RESCALE: f64 = 460.517_018_598_809_1;
/// Below this argument (`w > 0.96`) a series needs a thousand terms and more.
const FAR_BELOW: f64 = -24.0;
/// Parameters up to here are few enough steps for the integral.
const INTEGRAL_UP_TO: f64 = 1e5;

/// `₂F₁(a, b; c; z)` for `z < 1`, `b > 0`, `c > 0` (`c > b` for negative `z`); parameters may reach 1e5 and beyond.
///
/// Negative `z` is mapped to `w = z/(z−1)` in `[0, 1)` by one of Pfaff's two transformations,
/// `(1−z)^{−b} ₂F₁(c−a, b; c; w)` or `(1−z)^{−a} ₂F₁(a, c−b; c; w)`: the one with the faster series whose terms do not
/// cancel (those of the second are all positive for `a > 0`). Far below zero, where both are slow, Euler's integral is
/// taken instead. Relative error below 1e-12.
///
/// # Errors
/// [`HypergeometricError::Domain`] and [`HypergeometricError::NotConverged`].
///
/// Source: Abramowitz & Stegun (1964), 15.1.1, 15.3.1, 15.3.4, 15.3.5.
pub fn gauss(a: f64, b: f64, c: f64, z: f64) -> Result<f64, HypergeometricError> {
    let in_domain =
        a.is_finite() && b > 0.0 && c > 0.0 && (z >= 0.0 || c > b) && c.is_finite() && z < 1.0 && z.is_finite();
    if !in_domain {
        return Err(HypergeometricError::Domain { a, b, c, z });
    }
    let not_converged = HypergeometricError::NotConverged { a, b, c, z, terms: MAX_TERMS };
    if z >= 0.0 {
        return series(a, b, c, z, 0.0).ok_or(not_converged);
    }
    let other = c - b;
    if z < FAR_BELOW && a.abs() + c < INTEGRAL_UP_TO {
        return Ok(euler_integral(a, b, other, z));
    }
    let w = z / (z - 1.0);
    let ln_one_minus_z = libm::log1p(-z);
    if cannot_cancel(c - a, b, c) && (c - a).abs() * b <= a.abs() * other {
        series(c - a, b, c, w, -b * ln_one_minus_z).ok_or(not_converged)
    } else {
        series(a, other, c, w, -a * ln_one_minus_z).ok_or(not_converged)
    }
}

/// `1/B(b, d) ∫ p^{b−1} (1−p)^{d−1} (1−zp)^{−a} dp` with `c = b + d`, by the trapezoidal rule in `s = ln p/(1−p)`.
///
/// The integrand `exp(bs − (b+d−a) ln(1+e^s) − a ln(1+(1−z)e^s))` is analytic up to `π` off the real line, so the rule
/// converges like `e^{−2πd/h} cos(d/2)^{−(a+c)}` for any `d < π` (here 2). Beyond ±45 it is a pure exponential, whose
/// sum is geometric.
///
/// Source: Trefethen & Weideman, The exponentially convergent trapezoidal rule, SIAM Review 56 (2014), theorem 5.1.
fn euler_integral(a: f64, b: f64, d: f64, z: f64) -> f64 {
    let stretch = libm::log1p(-z);
    let step = 12.6 / (38.0 + 0.62 * (a.abs() + b + d));
    let softplus = |s: f64| s.max(0.0) + libm::log1p(libm::exp(-s.abs()));
    let ln_height = |s: f64| b * s - (b + d - a) * softplus(s) - a * softplus(s + stretch);
    let ln_scale = ln_beta(b, d);
    let (left, right) = (-stretch - 45.0, 45.0);
    let steps = libm::ceil((right - left) / step) as u32;
    let inner: f64 = (0..=steps).map(|k| libm::exp(ln_height(left + step * f64::from(k)) - ln_scale)).sum();
    let end = left + step * f64::from(steps);
    let left_tail = libm::exp(ln_height(left) - ln_scale) / libm::expm1(b * step);
    let right_tail = libm::exp(ln_height(end) - ln_scale) / libm::expm1(d * step);
    step * (inner + left_tail + right_tail)
}

/// True where `Σ (a)ₙ(b)ₙ/(c)ₙ wⁿ/n!` loses at most a digit for every `w` in `[0, 1)`.
fn cannot_cancel(a: f64, b: f64, c: f64) -> bool {
    a > -1.0 || -a * b.max(1.0) <= 0.5 * c
}

/// `e^{ln_front} Σ (a)ₙ(b)ₙ/(c)ₙ zⁿ/n!` for `z` in `[0, 1)`, scaled so that neither factor over- nor underflows alone.
fn series(a: f64, b: f64, c: f64, z: f64, ln_front: f64) -> Option<f64> {
    let (mut term, mut sum, mut ln_scale, mut n) = (1.0_f64, 1.0_f64, ln_front, 0.0_f64);
    for _ in 0..MAX_TERMS {
        let ratio = (a + n) * (b + n) * z / ((c + n) * (n + 1.0));
        term *= ratio;
        sum += term;
        n += 1.0;
        if term.abs() > RESCALE_ABOVE {
            term /= RESCALE_ABOVE;
            sum /= RESCALE_ABOVE;
            ln_scale += LN_RESCALE;
        }
        // The rest of the series is at most term·ratio/(1 − ratio) once the ratio has settled below one.
        if term.abs() * z.max(ratio.abs()) <= 0.25 * f64::EPSILON * sum.abs() * (1.0 - z.max(ratio.abs())) {
            let scaled = if ln_scale == 0.0 { sum } else { sum.signum() * libm::exp(ln_scale + libm::log(sum.abs())) };
            return Some(scaled);
        }
    }
    None
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::*;

    /// Values from mpmath 1.3 with 40 digits.
    const RELATIVE: f64 = 1e-12;

    #[test]
    fn values_match_forty_digits_on_both_sides_of_zero() {
        for (a, b, c, z, expected) in [
            (1.243, 0.793, 3.219, -1.5, 0.721_468_846_029_847_6),
            (27.243, 0.793, 29.219, -1.47, 0.504_656_244_531_311_5),
            (100_001.2, 0.793, 100_003.2, -1.5, 0.483_545_900_599_785_1),
            (50.25, 0.1, 0.2, -3.0, 0.292_732_061_731_081_1),
            (51.2, 0.1, 0.2, -9.0, 0.261_671_137_797_260_5),
            (201.0, 50.0, 100.0, -4.0, 1.562_965_017_300_304_6e-51),
            (3.0, 1.0, 1e5, -20.0, 0.999_400_479_515_789_6),
            (1.25, 1e-9, 0.5, -1.3, 0.999_999_998_268_678_3),
            (1000.2, 0.9, 1.9, -2.5, 0.000_841_814_868_044_983_5),
            (0.3, 0.8, 1.7, -200.0, 0.303_950_559_700_830_9),
            (0.794, 0.793, 3.219, -23.9, 0.338_259_986_291_185_1),
            (0.794, 0.793, 3.219, -24.1, 0.336_993_311_379_349_6),
            (5.2, 1e-9, 0.4, -1e9, 0.999_999_975_165_915_8),
            (200.3, 30.0, 90.0, -50.0, 1.069_614_995_750_710_5e-63),
            (0.5, 0.5, 1.5, 0.81, 1.244_188_349_998_482_4),
            (28.243, 28.426, 28.219, 0.6, 209_623_270_587.638_4),
            (1.2, 2.3, 3.4, 0.99, 11.940_584_220_949_747),
            (100_000.3, 2.5, 100_003.2, 0.5, 5.656_444_168_669_468),
        ] {
            let found = gauss(a, b, c, z).unwrap();
            assert!((found / expected - 1.0).abs() < RELATIVE, "2F1({a}, {b}; {c}; {z}) = {found}, not {expected}");
        }
    }

    #[test]
    fn an_exponent_of_a_hundred_thousand_does_not_overflow() {
        // b = c/2 with a large: E (1 − pz)^{−a} over a Beta(50, 50) lies within [(1−z)^{−a}, 1].
        let found = gauss(1e5, 50.0, 100.0, -1.5).unwrap();
        assert!(found > 0.0 && found < 1e-100, "{found}");
        assert_eq!(gauss(1e5, 0.7, 2.0, 0.0).unwrap(), 1.0);
    }

    #[test]
    fn what_cannot_be_summed_is_an_error_not_a_number() {
        let message = gauss(1.5, 2.0, 3.0, 1.0 - 1e-12).unwrap_err().to_string();
        assert_eq!(message, "2F1(1.5, 2; 3; 0.999999999999) did not converge within 4000000 terms");
        assert!(matches!(gauss(1.0, 3.0, 2.0, -1.0), Err(HypergeometricError::Domain { .. })));
        assert!(matches!(gauss(1.0, 2.0, 3.0, 1.0), Err(HypergeometricError::Domain { .. })));
        assert!(matches!(gauss(1.0, 2.0, 3.0, f64::NAN), Err(HypergeometricError::Domain { .. })));
    }
}
