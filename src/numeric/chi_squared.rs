//! The chi-squared distribution: how likely a likelihood ratio at least as large is by chance.

use super::special::ln_gamma;

/// Terms of the series and of the continued fraction at most: they need some √degrees of them.
const TERMS: u32 = 100_000;
/// A term below this share of the sum no longer moves it.
const SMALL: f64 = 1e-17;

/// `P(X > x)` of a chi-squared variable `X`: `Q(k/2, x/2)`, the upper regularised incomplete gamma function.
///
/// By the series of `P = 1 − Q` for `x < k + 2`, by the continued fraction of `Q` beyond: neither cancels.
///
/// * `x`: of either sign; 1 for `x <= 0`. * `degrees`: degrees of freedom `k >= 1`.
///
/// Source: Abramowitz & Stegun (1964), 26.4.19, 6.5.29 and 6.5.31; Lentz's evaluation of continued fractions.
#[must_use]
pub fn survival(x: f64, degrees: u32) -> f64 {
    let (a, x) = (0.5 * f64::from(degrees), 0.5 * x);
    if x <= 0.0 {
        return 1.0;
    }
    // x^a e^{−x}/Γ(a)
    let front = libm::exp(a * libm::log(x) - x - ln_gamma(a));
    if x < a + 1.0 {
        return (1.0 - front * series(a, x)).clamp(0.0, 1.0);
    }
    (front * fraction(a, x)).clamp(0.0, 1.0)
}

/// `Σ_n x^n / (a (a+1) … (a+n))`.
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    for n in 1..TERMS {
        term *= x / (a + f64::from(n));
        sum += term;
        if term < SMALL * sum {
            break;
        }
    }
    sum
}

/// `1/(x+1−a− 1(1−a)/(x+3−a− 2(2−a)/(x+5−a− …)))`.
fn fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::INFINITY, 1.0 / b);
    let mut value = d;
    for n in 1..TERMS {
        let n = f64::from(n);
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
