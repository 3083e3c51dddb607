//! The gamma function's relatives: ln Γ, ψ, ψ′, ln B, and their differences over whole steps.

/// Arguments are raised to at least this before an asymptotic series; its first dropped term is then below 1e-17.
const ASYMPTOTIC_FROM: f64 = 10.0;

/// Whole steps up to here are added one by one, which keeps every digit where a difference of ln Γ would cancel.
const STEPWISE_UP_TO: u32 = 512;

/// `ln Γ(z)` for `z > 0`.
///
/// Source: FDLIBM `lgamma_r`, as ported in `libm`; relative error below 1e-15 away from the zeros at 1 and 2.
#[must_use]
pub fn ln_gamma(z: f64) -> f64 {
    libm::lgamma(z)
}

/// `ψ(z) = d ln Γ(z) / dz` for `z > 0`; NaN otherwise.
///
/// Recurrence `ψ(z) = ψ(z+1) − 1/z` up to `z ≥ 10`, then the asymptotic series.
///
/// Source: Abramowitz & Stegun (1964), 6.3.5 and 6.3.18; Bernardo, Algorithm AS 103 (1976).
#[must_use]
pub fn digamma(z: f64) -> f64 {
    if z.is_nan() || z <= 0.0 {
        return f64::NAN;
    }
    let (mut z, mut below) = (z, 0.0);
    while z < ASYMPTOTIC_FROM {
        below += 1.0 / z;
        z += 1.0;
    }
    libm::log(z) - 0.5 / z - digamma_series(z) - below
}

/// `ln z − 1/2z − ψ(z)` for `z ≥ 10`.
fn digamma_series(z: f64) -> f64 {
    let w = 1.0 / (z * z);
    w * (1.0 / 12.0
        - w * (1.0 / 120.0
            - w * (1.0 / 252.0
                - w * (1.0 / 240.0
                    - w * (1.0 / 132.0 - w * (691.0 / 32_760.0 - w * (1.0 / 12.0 - w * 3617.0 / 8160.0)))))))
}

/// `ψ(z+d) − ψ(z)` and `ψ′(z+d) − ψ′(z)` for `z > 0`, `d >= 0`.
///
/// For large `z` the leading terms are subtracted in closed form, so that the differences keep their digits where they
/// are far smaller than the functions.
///
/// Source: Abramowitz & Stegun (1964), 6.3.18 and 6.4.12, term by term.
#[must_use]
pub fn polygamma_rise(z: f64, d: f64) -> (f64, f64) {
    if z < ASYMPTOTIC_FROM {
        return (digamma(z + d) - digamma(z), trigamma(z + d) - trigamma(z));
    }
    let end = z + d;
    let (inverse, inverse_end) = (1.0 / z, 1.0 / end);
    // 1/(z+d) − 1/z and 1/(z+d)² − 1/z².
    let fall = -d * inverse * inverse_end;
    let square_fall = fall * (inverse + inverse_end);
    let first = libm::log1p(d / z) - 0.5 * fall - (digamma_series(end) - digamma_series(z));
    let second = fall + 0.5 * square_fall + (trigamma_series(end) - trigamma_series(z));
    (first, second)
}

/// `ψ′(z) = d² ln Γ(z) / dz²` for `z > 0`; NaN otherwise.
///
/// Recurrence `ψ′(z) = ψ′(z+1) + 1/z²` up to `z ≥ 10`, then the asymptotic series.
///
/// Source: Abramowitz & Stegun (1964), 6.4.6 and 6.4.12; Schneider, Algorithm AS 121 (1978).
#[must_use]
pub fn trigamma(z: f64) -> f64 {
    if z.is_nan() || z <= 0.0 {
        return f64::NAN;
    }
    let (mut z, mut below) = (z, 0.0);
    while z < ASYMPTOTIC_FROM {
        below += 1.0 / (z * z);
        z += 1.0;
    }
    1.0 / z + 0.5 / (z * z) + trigamma_series(z) + below
}

/// `ψ′(z) − 1/z − 1/2z²` for `z ≥ 10`.
fn trigamma_series(z: f64) -> f64 {
    let w = 1.0 / (z * z);
    w * (1.0 / 6.0
        - w * (1.0 / 30.0
            - w * (1.0 / 42.0
                - w * (1.0 / 30.0 - w * (5.0 / 66.0 - w * (691.0 / 2730.0 - w * (7.0 / 6.0 - w * 3617.0 / 510.0)))))))
        / z
}

/// `ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a+b)` for `a, b > 0`.
///
/// Where one argument is large, `ln Γ(b) − ln Γ(a+b)` is taken from Stirling's series in one piece, so that the
/// terms of order `b ln b` never appear and cannot cancel.
///
/// Source: Abramowitz & Stegun (1964), 6.2.2 and 6.1.40; Algorithm 708, ACM TOMS 18 (1992), `ALGDIV`.
#[must_use]
pub fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a <= b { (a, b) } else { (b, a) };
    if large < ASYMPTOTIC_FROM {
        return ln_gamma(small) + ln_gamma(large) - ln_gamma(small + large);
    }
    let sum = small + large;
    let ratio = libm::log1p(small / large);
    if small < ASYMPTOTIC_FROM {
        // ln Γ(large) − ln Γ(large + small)
        let algdiv = small - small * libm::log(large) - (sum - 0.5) * ratio + stirling_rest(large) - stirling_rest(sum);
        return ln_gamma(small) + algdiv;
    }
    let ln_share = -libm::log1p(large / small);
    0.5 * libm::log(2.0 * std::f64::consts::PI) - 0.5 * libm::log(large) + (small - 0.5) * ln_share - large * ratio
        + stirling_rest(small)
        + stirling_rest(large)
        - stirling_rest(sum)
}

/// `ln Γ(z) − [(z − ½) ln z − z + ½ ln 2π]` for `z ≥ 10`.
fn stirling_rest(z: f64) -> f64 {
    let w = 1.0 / (z * z);
    (1.0 / 12.0 - w * stirling_series(w)) / z
}

/// `1/360 − w/1260 + …` of Stirling's series in `w = 1/z²`.
fn stirling_series(w: f64) -> f64 {
    1.0 / 360.0
        - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w * (1.0 / 1188.0 - w * (691.0 / 360_360.0 - w * (1.0 / 156.0)))))
}

/// `ln B(a, b+s) − ln B(a, b)` for `a, b > 0` and any step `s >= 0`, to full relative accuracy.
///
/// The second difference of `ln Γ` over `a` and `s`: whole steps up to `b ≥ 10` as one logarithm each, then Stirling's
/// series with every term differenced in closed form, so that a tiny `a` or `s` or a huge `b` cancels nothing.
///
/// Source: Abramowitz & Stegun (1964), 6.1.15 and 6.1.40.
#[must_use]
pub fn ln_beta_shift(a: f64, b: f64, s: f64) -> f64 {
    let (mut b, mut below) = (b, 0.0);
    while b < ASYMPTOTIC_FROM {
        below += libm::log1p((a / b) * (s / (b + s + a)));
        b += 1.0;
    }
    let end = b + s;
    let leading =
        (b - 0.5) * libm::log1p((a / b) * (s / (end + a))) - a * libm::log1p(s / (b + a)) - s * libm::log1p(a / end);
    let first = -(a / b) * (s / end) * ((b + end + a) / (b + a)) / (12.0 * (end + a));
    let tail = |z: f64| -stirling_series(1.0 / (z * z)) / (z * z * z);
    leading + first + (tail(end) - tail(b) - tail(end + a) + tail(b + a)) - below
}

/// Differences of `ln Γ`, `ψ` and `ψ′` between `z` and `z + n`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rise {
    /// `ln Γ(z+n) − ln Γ(z)`, the logarithm of the rising factorial.
    pub ln_gamma: f64,
    /// `ψ(z+n) − ψ(z)`.
    pub digamma: f64,
    /// `ψ′(z+n) − ψ′(z)`.
    pub trigamma: f64,
}

/// The change of `ln Γ`, `ψ` and `ψ′` over `n` whole steps from `z > 0`.
///
/// `Σ_{j<n} ln(z+j)`, `Σ_{j<n} 1/(z+j)` and `−Σ_{j<n} 1/(z+j)²` for few steps, differences of the functions for many.
///
/// Source: Abramowitz & Stegun (1964), 6.1.15, 6.3.6, 6.4.6.
#[must_use]
pub fn rise(z: f64, n: u32) -> Rise {
    if n > STEPWISE_UP_TO {
        let end = z + f64::from(n);
        return Rise {
            ln_gamma: ln_gamma(end) - ln_gamma(z),
            digamma: digamma(end) - digamma(z),
            trigamma: trigamma(end) - trigamma(z),
        };
    }
    let mut sum = Rise { ln_gamma: 0.0, digamma: 0.0, trigamma: 0.0 };
    for j in 0..n {
        let step = z + f64::from(j);
        sum.ln_gamma += libm::log(step);
        sum.digamma += 1.0 / step;
        sum.trigamma -= 1.0 / (step * step);
    }
    sum
}

/// `ln B(a, b+n) − ln B(a, b) = −Σ_{j<n} ln(1 + a/(b+j))` for `a, b > 0`.
///
/// The sum keeps full relative accuracy where `a` is tiny or `b` huge, which a difference of ln B does not.
#[must_use]
pub fn ln_beta_rise(a: f64, b: f64, n: u32) -> f64 {
    if n > STEPWISE_UP_TO {
        return ln_beta(a, b + f64::from(n)) - ln_beta(a, b);
    }
    -(0..n).map(|j| libm::log1p(a / (b + f64::from(j)))).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from mpmath 1.3 with 40 digits.
    const RELATIVE: f64 = 1e-13;

    /// `(a, b, s, ln B(a, b+s) − ln B(a, b))`.
    const SHIFTS: [(f64, f64, f64, f64); 7] = [
        (0.7, 1.2, 2.5, -0.841_641_350_679_236_8),
        (1e-6, 0.01, 0.001, -9.091_661_448_402_386e-6),
        (0.001, 1e7, 0.25, -2.500_000_093_625_002e-11),
        (1e7, 0.5, 0.001, -0.018_079_141_076_676_62),
        (1e7, 2e7, 37.5, -15.204_930_147_817_89),
        (2.5, 12.0, 1e6, -28.178_350_273_891_74),
        (0.455_613_989_4, 0.779_325_508_4, 3.85, -0.938_583_566_341_947),
    ];

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= RELATIVE * expected.abs(), "{found} is not {expected}");
    }

    #[test]
    fn digamma_and_trigamma_match_forty_digit_values() {
        for (z, psi, psi1) in [
            (0.001, -1_000.575_571_931_810_3, 1_000_001.642_533_195_9),
            (0.25, -4.227_453_533_376_265_4, 17.197_329_154_507_11),
            (1.0, -0.577_215_664_901_532_9, 1.644_934_066_848_226_4),
            (2.5, 0.703_156_640_645_243_2, 0.490_357_756_100_234_86),
            (6.0, 1.706_117_668_431_800_5, 0.181_322_955_737_115_33),
            (17.3, 2.821_526_423_539_867, 0.059_506_256_436_290_68),
            (1000.5, 6.907_755_320_648_796, 0.000_999_999_916_666_695_8),
            (123_456.789, 11.723_642_437_180_376, 8.100_032_878_799_171e-6),
        ] {
            close(digamma(z), psi);
            close(trigamma(z), psi1);
        }
        assert!(digamma(0.0).is_nan() && trigamma(-1.0).is_nan());
    }

    #[test]
    fn ln_gamma_matches_forty_digit_values() {
        for (z, expected) in [
            (0.001, 6.907_178_885_383_853),
            (0.25, 1.288_022_524_698_077_5),
            (2.5, 0.284_682_870_472_919_2),
            (17.3, 31.515_624_178_175_29),
            (123_456.789, 1_323_902.018_795_063),
        ] {
            close(ln_gamma(z), expected);
        }
    }

    #[test]
    fn ln_beta_does_not_cancel_for_large_or_tiny_arguments() {
        for (a, b, expected) in [
            (0.5, 100.0, -1.728_970_155_277_522_7),
            (1e-8, 2.5, 18.420_680_731_148_643),
            (1e5, 0.3, -2.358_078_594_672_292_8),
            (1e5, 2e5, -190_958.885_279_116_85),
            (1e-3, 1e-3, 7.600_900_817_008_347),
        ] {
            close(ln_beta(a, b), expected);
            close(ln_beta(b, a), expected);
        }
    }

    #[test]
    fn a_shift_of_ln_beta_keeps_its_digits_for_any_step() {
        for (a, b, s, expected) in SHIFTS {
            close(ln_beta_shift(a, b, s), expected);
        }
        for (a, b, n) in [(0.7, 1.2, 3), (1e-9, 0.5, 200), (1e7, 3e7, 40)] {
            close(ln_beta_shift(a, b, f64::from(n)), ln_beta_rise(a, b, n));
        }
        close(ln_beta_shift(0.5, 1e200, 3e200), -0.5 * libm::log(4.0));
        assert!(ln_beta_shift(0.5, 2.0, 0.0).abs() < 1e-300);
    }

    #[test]
    fn polygamma_differences_keep_their_digits_for_large_arguments() {
        for (z, d) in [(0.3, 2.0), (9.9, 0.5), (10.1, 0.5), (40.0, 300.0)] {
            let (first, second) = polygamma_rise(z, d);
            assert!((first - (digamma(z + d) - digamma(z))).abs() < 1e-14 * (1.0 + digamma(z + d).abs()));
            assert!((second - (trigamma(z + d) - trigamma(z))).abs() < 1e-14 * (1.0 + trigamma(z)));
        }
        // ψ(z+1) − ψ(z) = 1/z and ψ′(z+1) − ψ′(z) = −1/z².
        let (first, second) = polygamma_rise(1e9, 1.0);
        close(first, 1e-9);
        close(second, -1e-18);
    }

    #[test]
    fn a_rise_is_the_difference_of_the_functions() {
        for (z, n) in [(0.3, 7), (4.5, 500), (2.0, 513), (9.5, 100_000)] {
            let end = z + f64::from(n);
            let found = rise(z, n);
            close(found.ln_gamma, ln_gamma(end) - ln_gamma(z));
            close(found.digamma, digamma(end) - digamma(z));
            close(found.trigamma, trigamma(end) - trigamma(z));
            close(ln_beta_rise(0.7, z, n), ln_beta(0.7, end) - ln_beta(0.7, z));
        }
        assert_eq!(rise(3.0, 0), Rise { ln_gamma: 0.0, digamma: 0.0, trigamma: 0.0 });
    }
}
