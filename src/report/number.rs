//! Numbers in words: grouped counts, percentages, money, `45 k` and `1.2 M`. Integers only, free of locale.

use crate::{
    numeric::decimal::{divide_half_even, format_grouped},
    schema::money::Currency,
    units::MinorSum,
};

/// Largest magnitude of money that is drawn; what lies beyond is drawn there. More than any ledger holds, and a
/// thousandfold of it still fits `i128`.
pub(super) const LARGEST: MinorSum = 10_i128.pow(34);

/// From here on whole numbers are shortened to three digits.
const SHORT_MONEY: i128 = 1_000_000;
const SHORT_COUNT: i128 = 1_000_000_000;

/// Below this many major units money shows its minor digits.
const SHOW_MINOR_BELOW: i128 = 100;

/// Longest currency code that is shown in full.
const LONGEST_CODE: usize = 8;

/// `1,234,567`; shortened from a thousand million on.
pub(super) fn count(value: u64) -> String {
    let value = i128::from(value);
    if value < SHORT_COUNT { grouped(value) } else { short(value) }
}

/// `part / whole` in percent with one decimal, half to even; whole percentages without it.
///
/// * `part`: magnitude up to [`LARGEST`]. `whole`: positive.
pub(super) fn percent(part: i128, whole: i128) -> String {
    let tenths = divide_half_even(part * 1000, whole);
    let decimals = u8::from((part * 100) % whole != 0);
    let digits = if decimals == 0 { tenths.abs() / 10 } else { tenths.abs() };
    format!("{}{} %", sign(tenths), format_grouped(digits, decimals))
}

/// `part / whole` in percent without decimals, half to even.
pub(super) fn whole_percent(part: i128, whole: i128) -> String {
    let value = divide_half_even(part * 100, whole);
    format!("{}{} %", sign(value), grouped(value.abs()))
}

/// A share of customers in percent; never `0.0 %` when there are some nor `100.0 %` when it is not all.
pub(super) fn share(part: u64, whole: u64) -> String {
    let (part, whole) = (i128::from(part), i128::from(whole.max(1)));
    match divide_half_even(part * 1000, whole) {
        0 if part > 0 => "<0.1 %".to_owned(),
        1000 if part < whole => ">99.9 %".to_owned(),
        _ => percent(part, whole),
    }
}

/// `12.34 USD`, `5,244 USD`, `1.23 M USD`.
pub(super) fn money(minor: MinorSum, currency: &Currency) -> String {
    let unit = i128::from(currency.minor_per_major());
    let magnitude = minor.abs();
    let major = divide_half_even(magnitude, unit);
    let number = if magnitude % unit != 0 && magnitude < SHOW_MINOR_BELOW * unit {
        format_grouped(magnitude, currency.exponent)
    } else if major < SHORT_MONEY {
        grouped(major)
    } else {
        short(major)
    };
    format!("{}{number} {}", sign(minor), code(currency))
}

/// The currency's code, cut when it is a long one of the user's own.
pub(super) fn code(currency: &Currency) -> String {
    match currency.code.char_indices().nth(LONGEST_CODE) {
        Some((end, _)) => format!("{}…", &currency.code[..end]),
        None => currency.code.clone(),
    }
}

/// How all ticks of one axis of money are written: the same unit and the same decimals.
pub(super) struct TickMoney {
    /// Minor units of the last digit written.
    digit: i128,
    decimals: u32,
    suffix: String,
}

impl TickMoney {
    /// * `step`: between ticks, minor units. `largest`: magnitude among the ticks. `exponent`: of the currency.
    pub(super) fn new(step: i128, largest: i128, exponent: u8) -> Self {
        let exponent = u32::from(exponent);
        let power = unit_power(largest / 10_i128.pow(exponent));
        let decimals = (exponent + power).saturating_sub(step.ilog10());
        let digit = 10_i128.pow(exponent + power - decimals);
        Self { digit, decimals, suffix: suffix(power) }
    }

    /// One tick.
    pub(super) fn label(&self, value: i128) -> String {
        if value == 0 {
            return "0".to_owned();
        }
        format!("{}{}{}", sign(value), format_grouped(value.abs() / self.digit, self.decimals as u8), self.suffix)
    }
}

/// Power of ten of the unit of an axis: ticks up to 9,999 are written in full.
fn unit_power(largest: i128) -> u32 {
    if largest < 10_000 { 0 } else { largest.ilog10() / 3 * 3 }
}

fn sign(value: i128) -> &'static str {
    if value < 0 { "−" } else { "" }
}

fn grouped(value: i128) -> String {
    format_grouped(value, 0)
}

/// Three digits and a unit, half to even: `1.23 M`, `12.3 M`, `123 M`, `1.23 bn`.
fn short(value: i128) -> String {
    let forms = (6..=36).step_by(3).flat_map(|power| [2, 1, 0].map(|decimals| (power, decimals)));
    for (power, decimals) in forms {
        let digits = divide_half_even(value * 10_i128.pow(decimals), 10_i128.pow(power));
        if digits < 1000 {
            return format!("{}{}", format_grouped(digits, decimals as u8), suffix(power));
        }
    }
    grouped(value)
}

fn suffix(power: u32) -> String {
    match power {
        0 => String::new(),
        3 => " k".to_owned(),
        6 => " M".to_owned(),
        9 => " bn".to_owned(),
        12 => " tn".to_owned(),
        _ => format!("e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str, exponent: u8) -> Currency {
        Currency { code: code.to_owned(), exponent }
    }

    #[test]
    fn money_is_whole_when_large_and_exact_when_small() {
        let table = [
            (0, "0 USD"),
            (1, "0.01 USD"),
            (-1, "−0.01 USD"),
            (1_234, "12.34 USD"),
            (1_200, "12 USD"),
            (9_999, "99.99 USD"),
            (10_050, "100 USD"),
            (524_412, "5,244 USD"),
            (-524_412, "−5,244 USD"),
            (99_999_949, "999,999 USD"),
            (99_999_950, "1.00 M USD"),
            (123_456_789, "1.23 M USD"),
            (999_400_000, "9.99 M USD"),
            (999_500_001, "10.0 M USD"),
            (123_456_789_012, "1.23 bn USD"),
            (LARGEST, "100e30 USD"),
        ];
        for (minor, text) in table {
            assert_eq!(money(minor, &currency("USD", 2)), text);
        }
        assert_eq!(money(1_234, &currency("JPY", 0)), "1,234 JPY");
        assert_eq!(money(1, &currency("coins", 6)), "0.000001 coins");
        assert_eq!(money(5, &currency("a very long name", 0)), "5 a very l…");
    }

    #[test]
    fn percentages_are_exact_decimals() {
        let table = [((1192, 1000), "119.2 %"), ((1, 1), "100 %"), ((-1, 3), "−33.3 %"), ((0, 7), "0 %")];
        for ((part, whole), text) in table {
            assert_eq!(percent(part, whole), text);
        }
        assert_eq!(percent(LARGEST, LARGEST / 10), "1,000 %");
        assert_eq!(percent(99_999, 100_000), "100.0 %");
        assert_eq!(whole_percent(847, 1000), "85 %");
    }

    #[test]
    fn a_share_says_neither_none_nor_all_when_it_is_not() {
        let table = [
            ((0, 9), "0 %"),
            ((1, 1_000_000), "<0.1 %"),
            ((999_999, 1_000_000), ">99.9 %"),
            ((9, 9), "100 %"),
            ((1_120, 2_357), "47.5 %"),
            ((u64::MAX, u64::MAX), "100 %"),
            ((0, 0), "0 %"),
        ];
        for ((part, whole), text) in table {
            assert_eq!(share(part, whole), text);
        }
    }

    #[test]
    fn counts_are_grouped_and_shortened_when_enormous() {
        let found = [0, 7, 999, 1_000, 1_120, 7_800_000, 999_999_999, 1_234_567_890].map(count);
        assert_eq!(found, ["0", "7", "999", "1,000", "1,120", "7,800,000", "999,999,999", "1.23 bn"]);
        assert_eq!(count(u64::MAX), "18.4e18");
    }

    #[test]
    fn ticks_of_one_axis_share_unit_and_decimals() {
        let labels = |step: i128, first: i128, exponent| {
            let values: Vec<i128> = (first..first + 4).map(|index| index * step).collect();
            let largest = values.iter().map(|value| value.abs()).max().unwrap();
            let format = TickMoney::new(step, largest, exponent);
            values.into_iter().map(|value| format.label(value)).collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(labels(50_000_000, 0, 2), "0 | 0.5 M | 1.0 M | 1.5 M");
        assert_eq!(labels(2_000_000, -1, 2), "−20 k | 0 | 20 k | 40 k");
        assert_eq!(labels(100_000, 0, 2), "0 | 1,000 | 2,000 | 3,000");
        assert_eq!(labels(5, 0, 2), "0 | 0.05 | 0.10 | 0.15");
        assert_eq!(labels(1, 0, 0), "0 | 1 | 2 | 3");
        assert_eq!(labels(10_i128.pow(34), -2, 0), "−20e33 | −10e33 | 0 | 10e33");
    }
}
