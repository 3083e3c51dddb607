//! Exact decimals on the way in: floats as the shortest decimal that names them, rounded once, half to even.

use std::fmt;

use serde::{Serialize, Serializer};

/// A decimal number `mantissa · 10^-scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The digits.
    pub mantissa: i128,
    /// Digits after the point, `0..=38`.
    pub scale: u32,
}

impl fmt::Display for Decimal {
    /// `-12.50`: every digit that it has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0width$}", self.mantissa.unsigned_abs(), width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Largest power of ten that fits `i128`.
const MAX_POWER: u32 = 38;

/// `10^power`; `None` above `10^38`.
#[must_use]
pub fn power_of_ten(power: u32) -> Option<i128> {
    (power <= MAX_POWER).then(|| 10_i128.pow(power))
}

/// `numerator / denominator` rounded to the nearest integer, ties to even.
///
/// * `denominator`: positive.
#[inline]
#[must_use]
pub fn divide_half_even(numerator: i128, denominator: i128) -> i128 {
    let quotient = numerator.div_euclid(denominator);
    let remainder = numerator.rem_euclid(denominator);
    match remainder.cmp(&(denominator - remainder)) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + (quotient & 1),
    }
}

impl Decimal {
    /// The shortest decimal that reads back as `value`; `None` for NaN, infinities and magnitudes of 10³⁰ and more.
    ///
    /// This is the number a person sees: the float nearest to 1.115 is taken as 1.115, not as its binary
    /// value 1.11499999999999999.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "a decimal names a float when it reads back as exactly that float")]
    pub fn from_float(value: f64) -> Option<Self> {
        // No two decimals of up to fifteen digits are nearest to one float.
        const FIFTEEN_DIGITS: f64 = 1e15;
        if !value.is_finite() || value.abs() >= 1e30 {
            return None;
        }
        // Money has few digits: a decimal with up to four of them is the shortest when it divides back to the value.
        for (scale, power) in [(0, 1.0), (2, 100.0), (4, 10_000.0)] {
            let scaled = (value * power).round_ties_even();
            if scaled.abs() < FIFTEEN_DIGITS && scaled / power == value {
                return Some(Self { mantissa: scaled as i128, scale });
            }
        }
        Self::from_shortest(value)
    }

    /// [`Self::from_float`] of single precision: 1.015 is 1.015, not the double nearest to the single.
    #[must_use]
    pub fn from_float32(value: f32) -> Option<Self> {
        Self::from_float(value.to_string().parse().ok()?)
    }

    fn from_shortest(value: f64) -> Option<Self> {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e')?;
        let exponent: i32 = exponent.parse().ok()?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = fraction.len() as i32 - exponent;
        if scale < 0 {
            return Some(Self { mantissa: mantissa.checked_mul(power_of_ten(scale.unsigned_abs())?)?, scale: 0 });
        }
        if scale as u32 > MAX_POWER {
            // Below 10^-21 in magnitude: zero in any currency and quantity.
            return Some(Self { mantissa: 0, scale: 0 });
        }
        Some(Self { mantissa, scale: scale as u32 })
    }

    /// `self · 10^digits` as an integer, ties to even; `None` when it does not fit `i64`.
    #[must_use]
    pub fn to_scaled(self, digits: u32) -> Option<i64> {
        let scaled = if digits >= self.scale {
            self.mantissa.checked_mul(power_of_ten(digits - self.scale)?)?
        } else {
            divide_half_even(self.mantissa, power_of_ten(self.scale - digits)?)
        };
        i64::try_from(scaled).ok()
    }

    /// The exact product; `None` when it does not fit.
    #[must_use]
    pub fn multiply(self, other: Self) -> Option<Self> {
        let product = |one: Self, other: Self| {
            let scale = one.scale + other.scale;
            (scale <= MAX_POWER).then_some(())?;
            Some(Self { mantissa: one.mantissa.checked_mul(other.mantissa)?, scale })
        };
        // Zeros at the end are taken off where they are in the way alone: that costs divisions.
        product(self, other).or_else(|| product(self.normalised(), other.normalised()))
    }

    /// Reads `-12.50`; `None` when it is no plain decimal number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if digits.len() + fraction.len() == 0 || !plain(digits) || !plain(fraction) {
            return None;
        }
        let sign = if whole.starts_with('-') { -1 } else { 1 };
        let mantissa: i128 = format!("{digits}{fraction}").parse().ok()?;
        (fraction.len() as u32 <= MAX_POWER).then_some(Self { mantissa: sign * mantissa, scale: fraction.len() as u32 })
    }
}

impl Decimal {
    /// The same number without zeros at its end: `0.10` is `0.1`.
    #[must_use]
    pub fn normalised(self) -> Self {
        let Self { mut mantissa, mut scale } = self;
        while scale > 0 && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        Self { mantissa, scale }
    }

    /// The nearest float, for display.
    #[must_use]
    pub fn to_float(self) -> f64 {
        // The nearest float of a decimal's own text: dividing two rounded floats could be one step off.
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

/// A float amount in major units as minor units of `exponent` digits, half to even; `None` when it does not fit.
#[must_use]
pub fn float_to_minor(major: f64, exponent: u8) -> Option<i64> {
    Decimal::from_float(major)?.to_scaled(u32::from(exponent))
}

/// `-1234.50` of minor units.
#[must_use]
pub fn format_minor(minor: i128, exponent: u8) -> String {
    if exponent == 0 {
        return minor.to_string();
    }
    let power = 10_u128.pow(u32::from(exponent));
    let magnitude = minor.unsigned_abs();
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:0width$}", magnitude / power, magnitude % power, width = usize::from(exponent))
}

/// `-1,234.50` of minor units.
#[must_use]
pub fn format_grouped(minor: i128, exponent: u8) -> String {
    let plain = format_minor(minor, exponent);
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut grouped = String::with_capacity(plain.len() + whole.len() / 3);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_float_is_taken_as_the_decimal_that_a_person_sees() {
        assert_eq!(float_to_minor(1.115, 2), Some(112));
        assert_eq!(float_to_minor(1.125, 2), Some(112));
        assert_eq!(float_to_minor(1.135, 2), Some(114));
        assert_eq!(float_to_minor(-2.675, 2), Some(-268));
        assert_eq!(float_to_minor(0.1 + 0.2, 2), Some(30));
        assert_eq!(float_to_minor(-0.0, 2), Some(0));
        assert_eq!(float_to_minor(1e17, 2), None);
        assert_eq!(float_to_minor(f64::NAN, 2), None);
        assert_eq!(float_to_minor(5e-324, 2), Some(0));
        // Sixteen digits, and a half of a cent in fifteen.
        assert_eq!(float_to_minor(80_000_000_000_000.1, 2), Some(8_000_000_000_000_010));
        assert_eq!(float_to_minor(812_345_678_901.125, 2), Some(81_234_567_890_112));
        assert_eq!(Decimal::from_float32(1.015).and_then(|d| d.to_scaled(2)), Some(102));
        assert_eq!(Decimal::from_float32(f32::NAN), None);
    }

    #[test]
    fn halves_of_the_largest_denominators_do_not_overflow() {
        let largest = 10_i128.pow(38);
        assert_eq!(divide_half_even(largest / 2, largest), 0);
        assert_eq!(divide_half_even(largest / 2 + 1, largest), 1);
        assert_eq!(divide_half_even(-largest / 2 - 1, largest), -1);
        assert_eq!(divide_half_even(i128::MAX, i128::MAX), 1);
    }

    #[test]
    fn quantity_times_price_is_exact_before_it_is_rounded() {
        let price = Decimal::from_float(0.001).and_then(|price| price.multiply(Decimal { mantissa: 1_500, scale: 0 }));
        assert_eq!(price.and_then(|amount| amount.to_scaled(2)), Some(150));
        let padded = |mantissa: i128| Decimal { mantissa: mantissa * 10_i128.pow(19), scale: 20 };
        assert_eq!(padded(20).multiply(padded(5)).and_then(|amount| amount.to_scaled(2)), Some(100));
    }

    #[test]
    fn money_reads_as_people_write_it() {
        assert_eq!(Decimal::parse("-12.50").and_then(|d| d.to_scaled(2)), Some(-1250));
        assert_eq!(Decimal::parse("1e5"), None);
        assert_eq!(Decimal::parse("."), None);
        assert_eq!(format_minor(-5, 2), "-0.05");
        assert_eq!(format_minor(123_456, 2), "1234.56");
        assert_eq!(format_minor(123, 0), "123");
        assert_eq!(format_grouped(-123_456_789, 2), "-1,234,567.89");
        assert_eq!(format_grouped(123, 0), "123");
        assert_eq!(format_grouped(99_999, 3), "99.999");
    }

    proptest! {
        #[test]
        fn a_float_with_few_decimals_gives_its_digits_back(mantissa in -1_000_000_000_000_i64..1_000_000_000_000, scale in 0..7_u32) {
            let text = Decimal { mantissa: i128::from(mantissa), scale };
            let value = mantissa as f64 / 10_f64.powi(scale as i32);
            let read = Decimal::from_float(value).and_then(|decimal| decimal.to_scaled(7));
            prop_assert_eq!(read, text.to_scaled(7));
        }

        #[test]
        fn a_float_of_up_to_fifteen_digits_is_that_decimal(
            mantissa in -999_999_999_999_999_i64..=999_999_999_999_999, scale in 0..7_u32,
        ) {
            let text = Decimal { mantissa: i128::from(mantissa), scale };
            let value = mantissa as f64 / 10_f64.powi(scale as i32);
            prop_assert_eq!(Decimal::from_float(value).map(Decimal::normalised), Some(text.normalised()));
        }

        #[test]
        fn rounding_is_never_off_by_more_than_half(numerator in any::<i64>(), denominator in 1..1_000_000_i64) {
            let rounded = divide_half_even(i128::from(numerator), i128::from(denominator));
            let error = (rounded * i128::from(denominator) - i128::from(numerator)).abs() * 2;
            prop_assert!(error <= i128::from(denominator));
        }
    }
}
