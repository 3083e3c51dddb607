//! Numbers of the config, read from their text: decimals exactly, never by way of a binary float.

/// Why a text is not the number that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberError {
    /// Not digits with an optional sign and an optional fraction.
    NotANumber,
    /// More digits after the point than allowed.
    TooManyDigits,
    /// Does not fit.
    TooLarge,
}

/// The decimal number `text`, times `10^digits`, exactly.
///
/// An optional sign, digits, and optionally a point and at most `digits` more digits. No exponent, no separators of
/// thousands: `1,5` and `1e3` mean different things to different readers.
pub(super) fn decimal(text: &str, digits: u8) -> Result<i128, NumberError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return Err(NumberError::NotANumber),
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(NumberError::NotANumber);
    }
    let missing = usize::from(digits).checked_sub(fraction.len()).ok_or(NumberError::TooManyDigits)?;
    let zeros = std::iter::repeat_n(b'0', missing);
    let magnitude = whole
        .bytes()
        .chain(fraction.bytes())
        .chain(zeros)
        .try_fold(0_i128, |sum, digit| sum.checked_mul(10)?.checked_add(i128::from(digit - b'0')))
        .ok_or(NumberError::TooLarge)?;
    Ok(if negative { -magnitude } else { magnitude })
}

/// `days` of a text like `39 weeks`, `39w`, `1 year` or `6m`, rounded to whole days, half up.
///
/// A month is 365.25/12 days and a year 365.25, as in the models' time units. `None` when it is no such text.
pub(super) fn days_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let (count, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let count: u64 = count.parse().ok()?;
    // Days in a unit as a fraction: 365.25/12 = 487/16, 365.25 = 1461/4.
    let (numerator, denominator) = match unit.trim_start() {
        "d" | "day" | "days" => (1, 1),
        "w" | "week" | "weeks" => (7, 1),
        "m" | "month" | "months" => (487, 16),
        "y" | "year" | "years" => (1461, 4),
        _ => return None,
    };
    Some(count.checked_mul(2 * numerator)?.checked_add(denominator)? / (2 * denominator))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        assert_eq!(decimal("25000.00", 2), Ok(2_500_000));
        assert_eq!(decimal("-0.1", 2), Ok(-10));
        assert_eq!(decimal("+.5", 1), Ok(5));
        assert_eq!(decimal("90071992547409.93", 2), Ok(9_007_199_254_740_993));
        assert_eq!(decimal("0.001", 2), Err(NumberError::TooManyDigits));
        assert_eq!(decimal("1.000", 2), Err(NumberError::TooManyDigits));
        for text in ["", "-", ".", "1.", "1,5", "1e3", "0x10", "--1", "1_000", " 1", "NaN", "inf", "١"] {
            assert_eq!(decimal(text, 6), Err(NumberError::NotANumber), "{text}");
        }
        assert_eq!(decimal(&"9".repeat(40), 0), Err(NumberError::TooLarge));
    }

    #[test]
    fn horizons_have_the_days_of_the_models_time_units() {
        assert_eq!(days_of("39 weeks"), Some(273));
        assert_eq!(days_of("39w"), Some(273));
        assert_eq!(days_of("1 year"), Some(365));
        assert_eq!(days_of("4y"), Some(1_461));
        assert_eq!(days_of("1 month"), Some(30));
        assert_eq!(days_of("12m"), Some(365));
        assert_eq!(days_of("8 months"), Some(244), "243.5 days");
        for text in ["39", "weeks", "-1 day", "1.5 years", "1 fortnight", "99999999999999999999 d", ""] {
            assert_eq!(days_of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_amount_reads_back(minor in any::<i64>(), digits in 1..=6_u8) {
            let scale = 10_u128.pow(u32::from(digits));
            let magnitude = u128::from(minor.unsigned_abs());
            let sign = if minor < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:0width$}", magnitude / scale, magnitude % scale, width = usize::from(digits));
            prop_assert_eq!(decimal(&text, digits), Ok(i128::from(minor)));
        }
    }
}
