//! The chi-squared distribution: how likely a likelihood ratio at least as large is by chance.

use super::special::ln_gamma;

/// `P(X > x)` of a chi-squared variable `X` with `degrees` degrees of freedom.
///
/// `erfc(√h) + e^{−h} Σ_k h^{k−1/2}/Γ(k+1/2)` over `k = 1, …, (degrees−1)/2` for an odd number, `h = x/2`, and
/// `e^{−h} Σ_{k<degrees/2} h^k/k!` for an even one: positive terms, summed through their logarithms.
///
/// * `x`: of either sign; 1 for `x <= 0`. * `degrees`: `>= 1`.
///
/// Source: Abramowitz & Stegun (1964), 26.4.4 and 26.4.5.
#[must_use]
pub fn survival(x: f64, degrees: u32) -> f64 {
    let half = 0.5 * x;
    if half <= 0.0 {
        return 1.0;
    }
    let odd = degrees % 2 == 1;
    let exponent = |k: u32| if odd { f64::from(k) + 0.5 } else { f64::from(k) };
    let term = |k: u32| libm::exp(exponent(k) * libm::log(half) - half - ln_gamma(exponent(k) + 1.0));
    let tail = if odd { libm::erfc(libm::sqrt(half)) } else { 0.0 };
    (tail + (0..degrees / 2).map(term).sum::<f64>()).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(x, degrees, tail)`.
    const CHI_SQUARED: [(f64, u32, f64); 8] = [
        (0.5, 1, 0.479_500_122_186_953_5),
        (3.84, 1, 0.050_043_521_248_705_103),
        (5.99, 2, 0.050_036_627_086_586_28),
        (0.001, 3, 0.999_991_592_080_941_9),
        (30.0, 3, 1.380_057_031_293_254_7e-6),
        (250.0, 40, 3.469_536_887_053_956e-32),
        (12.5, 41, 0.999_994_956_571_312_7),
        (700.0, 7, 6.896_512_574_090_327e-147),
    ];

    #[test]
    fn critical_values_of_the_tables_have_their_probabilities() {
        // Pearson & Hartley, Biometrika Tables for Statisticians (1954), table 8: values to the digits printed there.
        for (degrees, x, p) in [
            (1, 3.841_46, 0.05),
            (1, 6.634_90, 0.01),
            (2, 5.991_46, 0.05),
            (4, 9.487_73, 0.05),
            (8, 20.090_2, 0.01),
            (30, 43.773_0, 0.05),
            (100, 135.807, 0.01),
            (100, 77.929_5, 0.95),
        ] {
            let found = survival(x, degrees);
            assert!((found - p).abs() < 2e-5 * p.max(0.1), "{degrees} {x}: {found}");
        }
    }

    #[test]
    fn even_degrees_are_a_poisson_sum() {
        // Q(m, y) = e^{−y} Σ_{j<m} y^j/j!, exactly.
        for m in [1_u32, 2, 5, 40] {
            for y in [1e-3, 0.7, 3.0, 38.0, 45.0, 200.0] {
                let mut term = 1.0;
                let mut sum = 1.0;
                for j in 1..m {
                    term *= y / f64::from(j);
                    sum += term;
                }
                let (exact, found) = (libm::exp(-y) * sum, survival(2.0 * y, 2 * m));
                assert!((found - exact).abs() < 1e-13 * exact.max(1e-3), "{m} {y}: {found} is not {exact}");
            }
        }
    }

    #[test]
    fn one_degree_is_a_squared_normal_far_into_the_tail() {
        for z in [0.1, 1.0, 1.959_963_984_540_054, 5.0, 20.0] {
            let exact = libm::erfc(z / core::f64::consts::SQRT_2);
            assert!((survival(z * z, 1) / exact - 1.0).abs() < 1e-12, "{z}");
        }
        assert!((survival(0.0, 3) - 1.0).abs() < 1e-300 && (survival(-1.0, 3) - 1.0).abs() < 1e-300);
    }

    #[test]
    fn chi_squared_tails_match_forty_digit_values() {
        // mpmath 1.3, gammainc(degrees/2, x/2, inf, regularized=True).
        for (x, degrees, tail) in CHI_SQUARED {
            assert!((survival(x, degrees) / tail - 1.0).abs() < 1e-12, "{x} {degrees}");
        }
        assert!((survival(0.0, 3) - 1.0).abs() < f64::EPSILON);
    }
}
