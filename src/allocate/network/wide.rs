//! Double-double numbers: 106 bits from two floats, for residuals that 53 bits cannot see.
//!
//! Source: Dekker, Numer. Math. 18 (1971), 224–242; the error bounds are in Joldes, Muller & Popescu, ACM TOMS 44
//! (2017), 15. No fused multiply-add, so that every platform gives the same bits at the same speed.

use std::ops::{Add, Mul, Neg};

/// Fixed-point places after the binary point of [`Wide::to_grid`].
pub(super) const GRID_BITS: u32 = 20;

/// One minor unit on the grid.
pub(super) const GRID: i128 = 1 << GRID_BITS;

/// The unevaluated sum `high + low`, `|low| <= ulp(high) / 2`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Wide {
    high: f64,
    low: f64,
}

/// `a + b` and its rounding error, exactly (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// `a` as the sum of two floats of 26 bits (Veltkamp).
fn split(a: f64) -> (f64, f64) {
    const SPLITTER: f64 = 134_217_729.0; // 2²⁷ + 1
    let scaled = SPLITTER * a;
    let high = scaled - (scaled - a);
    (high, a - high)
}

/// `a · b` and its rounding error, exactly (Dekker).
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let ((a1, a2), (b1, b2)) = (split(a), split(b));
    (product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2)
}

impl Wide {
    /// An integer of at most 106 bits, exactly.
    pub(super) fn from_int(value: i128) -> Self {
        let high = value as f64;
        Self { high, low: (value - high as i128) as f64 }
    }

    /// The nearest float.
    pub(super) fn to_float(self) -> f64 {
        self.high
    }

    /// The value in `2⁻²⁰` minor units, to the nearest; magnitudes of 2¹⁰⁷ and more saturate.
    pub(super) fn to_grid(self) -> i128 {
        let high = self.high * GRID as f64;
        let whole = high.round();
        whole as i128 + ((high - whole) + self.low * GRID as f64).round() as i128
    }

    /// `self / divisor`, to about 2⁻¹⁰⁰.
    pub(super) fn divide(self, divisor: Self) -> Self {
        let first = self.high / divisor.high;
        let rest = self + -(divisor * Self::from(first));
        let second = rest.high / divisor.high;
        let rest = rest + -(divisor * Self::from(second));
        Self::from(first) + Self::from(second) + Self::from(rest.high / divisor.high)
    }
}

impl From<f64> for Wide {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Neg for Wide {
    type Output = Self;

    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Add for Wide {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        let (low, lost) = two_sum(self.low, other.low);
        let (high, error) = two_sum(high, error + low);
        let (high, low) = two_sum(high, error + lost);
        Self { high, low }
    }
}

impl Mul for Wide {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let (high, error) = two_product(self.high, other.high);
        let (high, low) = two_sum(high, error + (self.high * other.low + self.low * other.high));
        Self { high, low }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_third_of_a_large_sum_keeps_its_fraction() {
        let third = Wide::from_int(9_000_000_000_000_000_001).divide(Wide::from_int(3));
        assert_eq!(third.to_grid(), 3_000_000_000_000_000_000 * GRID + GRID / 3);
        assert_eq!((third + third + third).to_grid(), 9_000_000_000_000_000_001 * GRID);
    }

    proptest! {
        #[test]
        fn a_fraction_of_money_is_the_rational_number(
            money in any::<i64>(), weight in 0..i64::MAX, total in 1..i64::MAX,
        ) {
            let (weight, total) = (weight.min(total), weight.max(total));
            let got = Wide::from_int(i128::from(money)).divide(Wide::from_int(i128::from(total)))
                * Wide::from_int(i128::from(weight));
            // The whole units by integer division, the fraction by integer division of what is left.
            let product = i128::from(money) * i128::from(weight);
            let (whole, rest) = (product.div_euclid(i128::from(total)), product.rem_euclid(i128::from(total)));
            let exact = whole * GRID + rest * GRID / i128::from(total);
            prop_assert!((got.to_grid() - exact).abs() <= 1, "{} {}", got.to_grid(), exact);
        }
    }
}
