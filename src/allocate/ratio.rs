//! Exact fractions: rates, amplification and utilisation, for comparison and for display. Never rounded before use.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

use crate::numeric::decimal::{Decimal, power_of_ten};

/// `numerator / denominator`, kept as the two sums it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// What is divided.
    pub numerator: i128,
    /// What it is divided by, not negative; zero = unbounded.
    pub denominator: i128,
}

impl Ratio {
    /// The nearest float, for display; infinite over zero.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// Whether the fraction is above `limit`, exactly. Over zero it is above every limit.
    #[must_use]
    pub fn exceeds(self, limit: Decimal) -> bool {
        match power_of_ten(limit.scale) {
            Some(power) if self.denominator > 0 => {
                compare((self.numerator, self.denominator), (limit.mantissa, power)) == Ordering::Greater
            }
            _ => true,
        }
    }
}

/// Compares two fractions of positive denominators by their continued fractions: exact, and nothing can overflow.
fn compare(mut left: (i128, i128), mut right: (i128, i128)) -> Ordering {
    loop {
        let whole = left.0.div_euclid(left.1).cmp(&right.0.div_euclid(right.1));
        let rest = (left.0.rem_euclid(left.1), right.0.rem_euclid(right.1));
        match (whole, rest) {
            (Ordering::Equal, (0, _) | (_, 0)) => return rest.0.cmp(&rest.1),
            // a / b < c / d exactly when d / c < b / a.
            (Ordering::Equal, _) => (left, right) = ((right.1, rest.1), (left.1, rest.0)),
            _ => return whole,
        }
    }
}

impl fmt::Display for Ratio {
    /// `19` or `1.08`: two decimals, cut off.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator <= 0 {
            return f.write_str("infinitely many");
        }
        let sign = if self.numerator < 0 { "-" } else { "" };
        let (numerator, denominator) = (self.numerator.unsigned_abs(), self.denominator.unsigned_abs());
        let hundredths = (numerator % denominator).checked_mul(100).map_or(0, |rest| rest / denominator);
        write!(f, "{sign}{}", numerator / denominator)?;
        if hundredths > 0 { write!(f, ".{hundredths:02}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ratio_reads_as_people_write_it_and_is_unbounded_over_zero() {
        let show = |numerator, denominator| Ratio { numerator, denominator }.to_string();
        assert_eq!((show(190, 10), show(27, 25), show(-1, 3)), ("19".into(), "1.08".into(), "-0.33".into()));
        let unbounded = Ratio { numerator: 1, denominator: 0 };
        assert_eq!(unbounded.to_string(), "infinitely many");
        assert!(unbounded.exceeds(Decimal { mantissa: i128::MAX, scale: 0 }));
    }

    #[test]
    fn a_ratio_at_the_limit_does_not_exceed_it_and_the_next_one_does() {
        let limit = Decimal { mantissa: 15, scale: 1 };
        let large = i128::MAX / 3;
        assert!(!Ratio { numerator: 3 * (large / 2), denominator: 2 * (large / 2) }.exceeds(limit));
        assert!(Ratio { numerator: 3 * (large / 2) + 1, denominator: 2 * (large / 2) }.exceeds(limit));
    }

    proptest! {
        #[test]
        fn fractions_compare_as_their_cross_products(
            a in any::<i32>(), b in 1..i64::MAX, c in any::<i32>(), d in prop_oneof![1..9_i64, 1..i64::MAX],
        ) {
            let [a, b, c, d] = [i128::from(a), i128::from(b), i128::from(c), i128::from(d)];
            prop_assert_eq!(compare((a, b), (c, d)), (a * d).cmp(&(c * b)));
            prop_assert_eq!(compare((a, b), (a * 7, b * 7)), Ordering::Equal);
        }
    }
}
